//! A problem, an allergy or a medication is added. What is typed is offered what was charted here before,
//! with the codes it had; a code is taken from such a record and from nowhere else, and what is typed in
//! one's own words is kept as that.

use super::{
    Open, about, carried, date_of, done, encounter, entry_id, feet, filled, framed, may, mendable,
    open, refusal,
};
use crate::answer::Answer;
use crate::pages::missing;
use crate::parts::{
    Choice, Field, Icon, Kind, Tone, button, choices, error_summary, field, notice, panel,
};
use crate::route::part;
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::code;
use charting::allergies::{self, AllergyForm, Criticality};
use charting::medications::{self, MedicationForm};
use charting::problems::{self, ProblemForm};
use charting::{About, Concept, Done};
use maud::{Markup, html};

/// What is added.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum What {
    Problem,
    Allergy,
    Medication,
}

impl What {
    fn of(visit: &Visit) -> Option<Self> {
        match part(visit, 3) {
            "problem" => Some(Self::Problem),
            "allergy" => Some(Self::Allergy),
            "medication" => Some(Self::Medication),
            _ => None,
        }
    }

    const fn name(self) -> &'static str {
        match self {
            Self::Problem => "problem",
            Self::Allergy => "allergy",
            Self::Medication => "medication",
        }
    }

    const fn kind(self) -> &'static str {
        match self {
            Self::Problem => "Condition",
            Self::Allergy => "AllergyIntolerance",
            Self::Medication => "MedicationStatement",
        }
    }

    const fn title(self) -> Word {
        match self {
            Self::Problem => words::CHART_ADD_PROBLEM,
            Self::Allergy => words::CHART_ADD_ALLERGY,
            Self::Medication => words::CHART_ADD_MEDICATION,
        }
    }

    fn suggest(self, visit: &Visit, typed: &str) -> Result<Vec<Concept>, Fault> {
        let session = &visit.session;
        match self {
            Self::Problem => wait(problems::suggest(session, typed)),
            Self::Allergy => wait(allergies::suggest(session, typed)),
            Self::Medication => wait(medications::suggest(session, typed)),
        }
    }
}

/// `/p/{id}/add/{what}`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some((what, open)) = begun(visit)? else { return Ok(missing::page(visit)) };
    Ok(form(visit, &open, what, 200, None))
}

fn begun(visit: &Visit) -> Result<Option<(What, Open)>, Fault> {
    let Some(what) = What::of(visit).filter(|what| may(visit, what.kind())) else {
        return Ok(None);
    };
    Ok(open(visit)?.map(|open| (what, open)))
}

/// Adds it.
pub(crate) fn keep(visit: &Visit) -> Result<Answer, Fault> {
    let Some((what, open)) = begun(visit)? else { return Ok(missing::page(visit)) };
    let kept = about(visit).and_then(|about| put(visit, what, &about));
    match kept {
        Ok(one) => Ok(done(&open, "added", &[(what.kind(), &one)])),
        Err(fault) => {
            let status = fault.status();
            Ok(form(visit, &open, what, status, Some(&mendable(fault)?)))
        }
    }
}

fn put(visit: &Visit, what: What, about: &About) -> Result<Done, Fault> {
    let (session, entry) = (&visit.session, entry_id(visit));
    let another = visit.field("another") == "yes";
    let since = filled(visit, "since").map(|text| date_of(visit, &text));
    if what == What::Allergy && visit.field("do") == "none" {
        return wait(allergies::add_none_known(session, about, &entry));
    }
    let named = named(visit, what)?;
    match what {
        What::Problem => {
            let note = filled(visit, "note");
            let form = ProblemForm { form: entry, what: named, onset: since, note, another };
            wait(problems::add(session, about, &form))
        }
        What::Allergy => {
            let reactions = visit.field("reactions").split([',', ';', '\n']);
            let reactions: Vec<String> =
                reactions.map(|one| one.trim().to_owned()).filter(|one| !one.is_empty()).collect();
            let criticality = match visit.field("criticality") {
                "high" => Criticality::High,
                "low" => Criticality::Low,
                _ => Criticality::Unknown,
            };
            let form = AllergyForm { form: entry, to: named, criticality, reactions, another };
            wait(allergies::add(session, about, &form))
        }
        What::Medication => {
            let dosage = filled(visit, "dosage");
            let form = MedicationForm { form: entry, what: named, dosage, since, another };
            wait(medications::add(session, about, &form))
        }
    }
}

/// What was chosen or typed. What was chosen is looked up again, since no form says which codes there are.
fn named(visit: &Visit, what: What) -> Result<Concept, Fault> {
    let typed = visit.field("what").trim();
    let own = Concept { text: typed.to_owned(), codings: Vec::new() };
    if visit.field("coded") != "yes" {
        return Ok(own);
    }
    let found = what.suggest(visit, typed)?;
    Ok(found.into_iter().find(|one| one.text == typed).unwrap_or(own))
}

/// `/p/{id}/suggest/{what}`: what to offer for what is being typed, as the rows of a list.
pub(crate) fn suggest(visit: &Visit) -> Result<Answer, Fault> {
    let Some(what) = What::of(visit).filter(|what| may(visit, what.kind())) else {
        return Ok(missing::page(visit));
    };
    let lang = visit.lang();
    let found = what.suggest(visit, visit.field("what"))?;
    let codes = |one: &Concept| -> String {
        let codes: Vec<String> = one.codings.iter().map(|one| one.code.clone()).collect();
        codes.join(", ")
    };
    Ok(Answer::html(
        200,
        html! {
            @for (at, one) in found.iter().enumerate() {
                li.option role="option" id=(format!("offer-{at}")) aria-selected="false" data-text=(one.text) data-coded=(if one.codings.is_empty() { "no" } else { "yes" }) {
                    span.option-name { (one.text) }
                    span.muted { @if one.codings.is_empty() { (words::CHART_FREE_TEXT.of(lang)) } @else { (codes(one)) } }
                }
            }
        },
    ))
}

fn form(visit: &Visit, open: &Open, what: What, status: u16, fault: Option<&Fault>) -> Answer {
    let lang = visit.lang();
    let is_at = |name: &str| {
        let issues = fault.into_iter().flat_map(|fault| &fault.issues);
        issues.into_iter().any(|one| one.expression.as_deref() == Some(name))
    };
    let named = |name: &str, say: Word| if is_at(name) { say.of(lang) } else { "" };
    let what_error = named("what", words::CHART_SAY_WHAT);
    let since_error = match (is_at("onset") || is_at("since"), what) {
        (true, _) => words::CHART_DATE_WRONG.of(lang),
        _ => "",
    };
    let long = |name: &str| named(name, words::CHART_TOO_LONG);
    let all = [
        ("what", what_error),
        ("since", since_error),
        ("note", long("note")),
        ("dosage", long("dosage")),
        ("reactions", long("reactions")),
    ];
    let wrong: Vec<(&str, &str)> = all.into_iter().filter(|(_, say)| !say.is_empty()).collect();
    let is_twice = fault.is_some_and(|fault| fault.code().name == code::CHART_DUPLICATE.name);
    let text = |id: &'static str, label: Word, hint: Word, error: &str| {
        field(&Field {
            id,
            name: id,
            label: label.of(lang),
            hint: hint.of(lang),
            error,
            value: visit.field(id),
            is_disabled: false,
        })
    };
    let label = match what {
        What::Problem => words::CHART_PROBLEM,
        What::Allergy => words::CHART_ALLERGY_TO,
        What::Medication => words::CHART_MEDICATION,
    };
    let body = html! {
        @if !wrong.is_empty() { (error_summary(lang, &wrong)) }
        @if let Some(fault) = fault.filter(|_| wrong.is_empty() && !is_twice) { (refusal(visit, open, fault)) }
        @if is_twice { (notice(Tone::Warning, words::CHART_TWICE.of(lang), &html! { p { (words::CHART_TWICE_WHY.of(lang)) } })) }
        div.narrow.stack { (panel("add", what.title().of(lang), None, &html! {
            form.stack.chart-form method="post" action=(open.path(&format!("/add/{}", what.name()))) data-suggest=(open.path(&format!("/suggest/{}", what.name()))) {
                (carried(visit, open, &entry_id(visit), encounter(visit)))
                input type="hidden" name="coded" value=(visit.field("coded"));
                div.offered {
                    (text("what", label, words::CHART_TYPE_HINT, what_error))
                    ul.found #offers role="listbox" aria-label=(words::CHART_OFFERS.of(lang)) hidden {}
                    p.hint #coded-said aria-live="polite" data-coded=(words::CHART_CODED.of(lang)) data-free=(words::CHART_FREE_SAID.of(lang)) {}
                }
                @if is_twice {
                    label.check { input type="checkbox" name="another" value="yes"; span { (words::CHART_ANOTHER.of(lang)) } }
                }
                @match what {
                    What::Problem => {
                        (text("since", words::CHART_SINCE_WHEN, words::CHART_DATE_HINT, since_error))
                        (text("note", words::CHART_NOTE, words::CHART_OPTIONAL, long("note")))
                    },
                    What::Allergy => {
                        (criticality(visit.field("criticality"), lang))
                        (text("reactions", words::CHART_REACTIONS, words::CHART_REACTIONS_HINT, long("reactions")))
                    },
                    What::Medication => {
                        (text("dosage", words::CHART_DOSAGE, words::CHART_DOSAGE_HINT, long("dosage")))
                        (text("since", words::CHART_SINCE_WHEN, words::CHART_DATE_HINT, since_error))
                    },
                }
                (feet(visit, open, &html! { (button(Kind::Primary, Some(Icon::Plus), what.title().of(lang))) }))
            }
        }))
        @if what == What::Allergy { (none_known(visit, open)) } }
    };
    framed(visit, (status, what.title().of(lang)), open, &body)
}

/// Somebody asked, and there is none: a record of its own, since "not recorded" says nothing.
fn none_known(visit: &Visit, open: &Open) -> Markup {
    let lang = visit.lang();
    panel(
        "none",
        words::NO_KNOWN_ALLERGIES.of(lang),
        None,
        &html! {
            form.stack method="post" action=(open.path("/add/allergy")) {
                (carried(visit, open, &format!("{}-none", entry_id(visit).trim_end_matches("-none")), encounter(visit)))
                input type="hidden" name="do" value="none";
                p { (words::CHART_NONE_KNOWN_WHY.of(lang)) }
                div.row { (button(Kind::Secondary, Some(Icon::Ok), words::CHART_RECORD_NONE.of(lang))) }
            }
        },
    )
}

/// How grave an allergy could be.
pub(super) fn criticality(chosen: &str, lang: Lang) -> Markup {
    let choice = |value: &'static str, label: Word| Choice {
        value,
        label: label.of(lang),
        is_chosen: chosen == value,
    };
    let unknown = Choice {
        value: "unable-to-assess",
        label: words::CHART_RISK_UNKNOWN.of(lang),
        is_chosen: !matches!(chosen, "high" | "low"),
    };
    let all =
        [choice("high", words::CHART_RISK_HIGH), choice("low", words::CHART_RISK_LOW), unknown];
    choices(words::CHART_CRITICALITY.of(lang), "criticality", &all)
}
