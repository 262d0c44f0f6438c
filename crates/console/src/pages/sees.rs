//! Why somebody can, or cannot, see something: the decision for a real person, with the policies that made
//! it and what would have to be otherwise, in words (45 CFR 164.308(a)(4)(ii)(B), access authorization).
//! Person and record are typed into a form, so no name stands in an address; asking leaves an event.

use crate::answer::Answer;
use crate::booking::type_id;
use crate::pages::keep::{Wrong, pick, told};
use crate::pages::{missing, roles};
use crate::parts::{
    Field, Icon, Kind, Tone, badge, button, facts, field, hidden, notice, panel, shell,
};
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::code;
use fhir::definitions::r4;
use fhir::reference::is_id;
use identity::PrincipalId;
use maud::{Markup, html};
use record::{Action, Purpose, Why, WhyAsked, WhyPurpose};

/// What may be asked about, with the words for it.
const ACTIONS: [(&str, Action, Word); 6] = [
    ("read", Action::Read, words::SEES_READ),
    ("search", Action::Search, words::SEES_SEARCH),
    ("history", Action::History, words::SEES_HISTORY),
    ("create", Action::Create, words::SEES_CREATE),
    ("update", Action::Update, words::SEES_UPDATE),
    ("delete", Action::Delete, words::SEES_DELETE),
];

/// `/admin/access`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if !visit.session.may_read_whole_log() {
        return Ok(missing::page(visit));
    }
    let of = PrincipalId::parse(visit.parameter("of"));
    let names = visit.session.names_of(of.map(|id| id.to_string()))?;
    let of = names.into_values().next().map(|(_, name)| name);
    Ok(shown(visit, &of.unwrap_or_default(), None, None))
}

/// The answer, below the question as it was asked.
pub(crate) fn answer(visit: &Visit) -> Result<Answer, Fault> {
    if !visit.session.may_read_whole_log() {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let asked = match asked(visit)? {
        Ok(asked) => asked,
        Err(wrong) => return Ok(shown(visit, visit.field("who"), Some(&wrong), None)),
    };
    match visit.session.why(&asked) {
        Ok(why) => Ok(shown(visit, visit.field("who"), None, Some(&why.wait()?))),
        Err(fault) if [&code::NOT_FOUND, &code::GONE].contains(&fault.code()) => Ok(shown(
            visit,
            visit.field("who"),
            Some(&Wrong::at(lang, "record", words::SEES_NO_RECORD)),
            None,
        )),
        Err(fault) => Err(fault),
    }
}

fn asked(visit: &Visit) -> Result<Result<WhyAsked, Wrong>, Fault> {
    let lang = visit.lang();
    let Some(who) = visit.session.member_named(visit.field("who").trim())? else {
        return Ok(Err(Wrong::at(lang, "who", words::SEES_NOBODY)));
    };
    let action = ACTIONS.iter().find(|(name, ..)| *name == visit.field("action"));
    let Some((_, action, _)) = action else {
        return Ok(Err(Wrong::at(lang, "action", words::SEES_ACTION_ODD)));
    };
    let typed = visit.field("record").trim();
    let (kind, id) = match typed.split_once('/') {
        Some((kind, id)) => (kind, Some(id)),
        None => (typed, None),
    };
    let kind = Some(kind).filter(|kind| !kind.is_empty()).unwrap_or("Patient");
    let Some(kind) = r4().resource_type(kind) else {
        return Ok(Err(Wrong::at(lang, "record", words::SEES_RECORD_ODD)));
    };
    let patient = Some(visit.field("patient").trim()).filter(|id| !id.is_empty());
    let patient = patient.map(|id| id.strip_prefix("Patient/").unwrap_or(id));
    for (id, at) in [(id, "record"), (patient, "patient")] {
        if id.is_some_and(|id| !is_id(id)) {
            return Ok(Err(Wrong::at(lang, at, words::SEES_ID_ODD)));
        }
    }
    // A patient without a record is that patient's own.
    let is_own = kind == type_id("Patient")? && id.is_none();
    let id = if is_own { patient } else { id };
    Ok(Ok(WhyAsked {
        who,
        action: *action,
        kind,
        id: id.map(str::to_owned),
        patient: patient.filter(|_| !is_own).map(str::to_owned),
        purpose: None,
        fresh: visit.field("fresh") == "1",
        at: None,
    }))
}

fn shown(visit: &Visit, name: &str, wrong: Option<&Wrong>, why: Option<&Why>) -> Answer {
    let lang = visit.lang();
    let actions: Vec<_> = ACTIONS
        .iter()
        .map(|(name, _, word)| ((*name).to_owned(), word.of(lang).to_owned()))
        .collect();
    let errors = |field: &str| Wrong::on(wrong, field);
    let (who, record, patient) = (errors("who"), errors("record"), errors("patient"));
    let body = html! {
        h1 { (words::SEES.of(lang)) }
        (roles::head(visit))
        (told(visit, wrong, false))
        (panel("ask", words::SEES_ASK.of(lang), None, &html! {
            form.filters.is-wide.pad method="post" action="/admin/access" {
                (hidden(visit))
                (field(&Field { id: "who", name: "who", label: words::SEES_WHO.of(lang), hint: words::SEES_WHO_HINT.of(lang), error: &who, value: name, is_disabled: false }))
                (pick("action", words::SEES_DOES.of(lang), &actions, visit.field("action"), &errors("action")))
                (field(&Field { id: "record", name: "record", label: words::SEES_RECORD.of(lang), hint: words::SEES_RECORD_HINT.of(lang), error: &record, value: visit.field("record"), is_disabled: false }))
                (field(&Field { id: "patient", name: "patient", label: words::SEES_PATIENT.of(lang), hint: words::SEES_PATIENT_HINT.of(lang), error: &patient, value: visit.field("patient"), is_disabled: false }))
                label.choice { input type="checkbox" name="fresh" value="1" checked[visit.field("fresh") == "1"]; span { (words::SEES_FRESH.of(lang)) } }
                (button(Kind::Primary, Some(Icon::Find), words::SEES_GO.of(lang)))
            }
        }))
        @if let Some(why) = why { (told_why(visit, why)) }
    };
    shell(visit, wrong.map_or(200, |wrong| wrong.status), words::SEES.of(lang), &body)
}

fn told_why(visit: &Visit, why: &Why) -> Markup {
    let lang = visit.lang();
    let (tone, word) = match why.permitted {
        true => (Tone::Ok, words::SEES_YES),
        false => (Tone::Critical, words::SEES_NO),
    };
    let ties: Vec<&str> =
        why.ties.iter().map(|tie| tie_word(tie).map_or(*tie, |word| word.of(lang))).collect();
    let ties =
        if ties.is_empty() { words::SEES_NO_TIES.of(lang).to_owned() } else { ties.join(", ") };
    html! {
        div.is-said { (notice(tone, word.of(lang), &html! { p { (words::SEES_TIES.with(lang, &ties)) } })) }
        @for one in &why.purposes { (purpose(one, lang)) }
        (panel("reach", words::SEES_REACH.of(lang), None, &html! {
            pre.rule { (why.reaches) }
            @if !why.notes.is_empty() {
                ul.foot.notes { @for note in &why.notes { li { (note) } } }
            }
            (facts(&[
                (words::SEES_EPOCH.of(lang), html! { span.number { (why.standing.epoch) } }),
                (words::SEES_DIGEST.of(lang), html! { span.mono { (why.standing.digest) } }),
            ]))
        }))
    }
}

fn purpose(one: &WhyPurpose, lang: Lang) -> Markup {
    let name = purpose_word(one.purpose).map_or_else(
        || one.purpose.as_str().to_owned(),
        |word| format!("{} ({})", word.of(lang), one.purpose.as_str()),
    );
    let (tone, which, word) = match one.says.permitted {
        true => (Tone::Ok, Icon::Ok, words::SEES_POLICY_YES),
        false => (Tone::Critical, Icon::Close, words::SEES_POLICY_NO),
    };
    let beside = badge(tone, which, word.of(lang));
    let title = words::SEES_FOR.with(lang, &name);
    let rules = one.says.permits.iter().map(|rule| (words::SEES_PERMITS, rule));
    let rules = rules.chain(one.says.forbids.iter().map(|rule| (words::SEES_FORBIDS, rule)));
    panel(
        &format!("for-{}", one.purpose.as_str().to_lowercase()),
        &title,
        Some(&beside),
        &html! {
            ul.rules {
                @for (word, rule) in rules {
                    li {
                        p { strong { (word.of(lang)) } " " span.mono { (rule.id) }
                            @if rule.wall { " " (badge(Tone::Sensitive, Icon::Shield, words::SEES_WALL.of(lang))) } }
                        p.muted { (rule.text) ":" (rule.line) @if let Some(law) = &rule.law { " · " (law) } }
                        details { summary { (words::SEES_SAYS.of(lang)) } pre.rule { (rule.says) } }
                    }
                }
                @if one.says.permits.is_empty() { li { (words::SEES_NONE_PERMITS.of(lang)) } }
                @for instead in &one.instead { li { strong { (words::SEES_INSTEAD.of(lang)) } " " (instead) } }
                @if !one.says.permitted && one.instead.is_empty() { li.muted { (words::SEES_NO_INSTEAD.of(lang)) } }
            }
        },
    )
}

fn tie_word(tie: &str) -> Option<Word> {
    Some(match tie {
        "treats the patient" => words::SEES_TIE_TREATS,
        "is the patient" => words::SEES_TIE_IS,
        "speaks for the patient" => words::SEES_TIE_SPEAKS,
        "wrote the record" => words::SEES_TIE_WROTE,
        "works at the record's site" => words::SEES_TIE_SITE,
        _ => return None,
    })
}

/// A purpose in words (<https://terminology.hl7.org/ValueSet-v3-PurposeOfUse.html>).
pub(crate) fn purpose_of(code: &str) -> Option<Word> {
    Some(match code {
        "TREAT" | "CAREMGT" | "COC" => words::SEES_TREAT,
        "ETREAT" | "BTG" => words::SEES_ETREAT,
        "HPAYMT" | "CLMATTCH" | "COVERAGE" | "ELIGDTRM" => words::SEES_PAY,
        "HSYSADMIN" => words::SEES_SYSTEM,
        "HOPERAT" | "HQUALIMP" | "RECORDMGT" => words::SEES_OPERATE,
        "PATRQT" | "PATADMIN" | "FAMRQT" => words::SEES_PATIENT_ASKS,
        "HLEGAL" => words::SEES_LEGAL,
        _ => return None,
    })
}

fn purpose_word(purpose: Purpose) -> Option<Word> {
    purpose_of(purpose.as_str())
}
