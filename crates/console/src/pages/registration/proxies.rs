//! Who acts for a patient (45 CFR 164.502(g)): put down with the authority that was shown, and ended. A
//! parent's ends by itself when the patient is of age.

use super::{done, entry, head, place, row_of, theirs, typed};
use crate::answer::{Answer, is_nothing};
use crate::booking::type_id;
use crate::days;
use crate::done::finish;
use crate::pages::missing;
use crate::parts::{
    Field, Icon, Kind, Tone, badge, button, empty, error_summary, field, hidden, panel, shell_with,
};
use crate::person::Person;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::code;
use maud::{Markup, html};
use record::Action;
use record::proxy::{Authority, Power};
use registration::Seen;
use registration::proxy::{self, Entered, Held, RELATIONSHIPS};

/// `/p/{id}/people`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some(person) = theirs(visit, "RelatedPerson")? else { return Ok(missing::page(visit)) };
    show(visit, 200, &person, &Entered::default(), None)
}

/// Puts somebody down.
pub(crate) fn add(visit: &Visit) -> Result<Answer, Fault> {
    let Some(person) = theirs(visit, "RelatedPerson")? else { return Ok(missing::page(visit)) };
    if visit.field("about") != person.id || !may_add(visit, &person.id)? {
        return Ok(missing::page(visit));
    }
    let typed = |name: &str| typed(visit, name);
    let ticked = |power: &Power| {
        visit.form.iter().any(|(name, value)| name == "power" && value == power.code())
    };
    let entered = Entered {
        name: typed("name"),
        relationship: typed("relationship"),
        phone: typed("phone"),
        authority: Authority::from_code(visit.field("authority")),
        powers: Power::ALL.into_iter().filter(ticked).collect(),
        evidence: typed("evidence"),
        until: typed("until"),
    };
    match finish(proxy::add(&visit.session, &person.id, visit.field("entry"), &entered)) {
        Ok(_) => Ok(Answer::go(format!("/p/{}/people?done=added", person.id))),
        Err(fault) if fault.code() == &code::REGISTRATION_VALUE => {
            show(visit, 422, &person, &entered, Some(row_of(&FIELDS, &place(&fault))))
        }
        Err(fault) if is_nothing(&fault) => Ok(missing::page(visit)),
        Err(fault) => Err(fault),
    }
}

/// Ends what somebody may do.
pub(crate) fn end(visit: &Visit) -> Result<Answer, Fault> {
    let Some(person) = theirs(visit, "RelatedPerson")? else { return Ok(missing::page(visit)) };
    if visit.field("about") != person.id {
        return Ok(missing::page(visit));
    }
    let version = visit.field("version").parse().unwrap_or(0);
    let seen = Seen { id: visit.field("which").to_owned(), version };
    let here = format!("/p/{}/people", person.id);
    match finish(proxy::end(&visit.session, &person.id, &seen)) {
        Ok(_) => Ok(Answer::go(format!("{here}?done=ended"))),
        Err(fault) if fault.code() == &code::VERSION_CONFLICT => {
            Ok(Answer::go(format!("{here}?done=stale")))
        }
        Err(fault) if is_nothing(&fault) || fault.code() == &code::REGISTRATION_OTHER_PATIENT => {
            Ok(missing::page(visit))
        }
        Err(fault) => Err(fault),
    }
}

/// By what right, in words.
pub(crate) const fn authority(of: Authority) -> Word {
    match of {
        Authority::Parent => words::PROXY_OF_MINOR,
        Authority::Guardian => words::PROXY_GUARDIAN,
        Authority::Attorney => words::PROXY_ATTORNEY,
        Authority::Representative => words::PROXY_REPRESENTATIVE,
    }
}

/// The fields, their labels, and what is said when one is wrong.
const FIELDS: [(&str, Word, Word); 7] = [
    ("name", words::PROXY_NAME, words::WRONG_MISSING),
    ("relationship", words::PROXY_RELATIONSHIP, words::WRONG_CHOICE),
    ("phone", words::PROXY_PHONE, words::WRONG_LONG),
    ("authority", words::PROXY_AUTHORITY, words::PROXY_WRONG_AUTHORITY),
    ("powers", words::PROXY_POWERS, words::PROXY_WRONG_POWERS),
    ("evidence", words::PROXY_EVIDENCE, words::WRONG_MISSING),
    ("until", words::PROXY_UNTIL, words::PROXY_WRONG_UNTIL),
];

fn may_add(visit: &Visit, patient: &str) -> Result<bool, Fault> {
    Ok(visit.session.may(Action::Create, type_id("RelatedPerson")?)
        && visit.session.may_to(Action::Create, type_id("Patient")?, patient)?)
}

fn show(
    visit: &Visit,
    status: u16,
    person: &Person,
    entered: &Entered,
    wrong: Option<&'static str>,
) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let all = finish(proxy::of(&visit.session, &person.id))?;
    let row = FIELDS.iter().find(|(name, _, _)| Some(*name) == wrong);
    let say = row.map(|(_, label, say)| format!("{}: {}", label.of(lang), say.of(lang)));
    let ids: Vec<String> = all.iter().map(|one| one.id.clone()).collect();
    let mine = visit.session.changeable(type_id("RelatedPerson")?, &ids)?;
    let body = html! {
        (head(visit, person)?)
        @if let (Some((name, _, _)), Some(say)) = (row, &say) { (error_summary(lang, &[(name, say)])) }
        div.columns {
            div { (panel("people", words::PROXIES_TITLE.of(lang), None, &html! {
                @if all.is_empty() {
                    (empty(Icon::People, words::PROXIES_NONE.of(lang), words::PROXIES_NONE_WHY.of(lang), None))
                }
                ul.cards { @for one in &all { (card(visit, person, one, mine.contains(&one.id))) } }
            })) }
            @if may_add(visit, &person.id)? {
                div { (panel("add", words::PROXY_ADD.of(lang), None, &form(visit, person, entered, wrong))) }
            }
        }
        (done(visit, &[
            ("added", words::PROXY_ADDED), ("ended", words::PROXY_ENDED), ("stale", words::CONSENT_STALE),
        ]))
    };
    Ok(shell_with(visit, status, words::PROXIES.of(lang), &[], &body))
}

fn card(visit: &Visit, person: &Person, one: &Held, may_end: bool) -> Markup {
    let (lang, of) = (visit.lang(), &one.proxy);
    let powers: Vec<&str> = of.powers.iter().map(|power| named(*power).of(lang)).collect();
    html! {
        li.card {
            div {
                p.alike-name { (of.name) " "
                    @if of.stands { (badge(Tone::Ok, Icon::Ok, words::PROXY_STANDS.of(lang))) }
                    @else { (badge(Tone::Neutral, Icon::Close, words::PROXY_OVER.of(lang))) }
                }
                p {
                    (authority(of.authority).of(lang))
                    @if !of.relationship.is_empty() { " · " (relationship(&of.relationship, lang)) }
                    @if !of.until.is_empty() { " · " (words::PROXY_UNTIL_DAY.with(lang, &days::shown(&of.until, lang))) }
                }
                p.muted {
                    (powers.join(", "))
                    @if !of.phone.is_empty() { " · " span.number { (of.phone) } }
                    @if !of.evidence.is_empty() { " · " (of.evidence) }
                }
            }
            @if may_end && of.stands { form method="post" action={ "/p/" (person.id) "/people/end" } {
                (hidden(visit))
                input type="hidden" name="about" value=(person.id);
                input type="hidden" name="which" value=(one.id);
                input type="hidden" name="version" value=(one.version);
                (button(Kind::Quiet, None, words::PROXY_END.of(lang)))
            } }
        }
    }
}

fn form(visit: &Visit, person: &Person, entered: &Entered, wrong: Option<&str>) -> Markup {
    let lang = visit.lang();
    let error = |name: &str| {
        let row = FIELDS.iter().find(|(own, _, _)| *own == name && wrong == Some(name));
        row.map_or("", |(_, _, say)| say.of(lang))
    };
    let text = |name: &'static str, label: Word, hint: &'static str, value: &str| {
        let label = label.of(lang);
        field(&Field { id: name, name, label, hint, error: error(name), value, ..Field::default() })
    };
    let evidence = words::PROXY_EVIDENCE_HINT.of(lang);
    let (of_right, of_powers, of_day) = (error("authority"), error("powers"), error("until"));
    html! {
        form.stack method="post" action={ "/p/" (person.id) "/people" } {
            (hidden(visit))
            input type="hidden" name="entry" value=(entry(visit));
            input type="hidden" name="about" value=(person.id);
            (text("name", words::PROXY_NAME, "", &entered.name))
            div.field {
                label for="relationship" { (words::PROXY_RELATIONSHIP.of(lang)) }
                select #relationship name="relationship" {
                    option value="" { (words::INTAKE_NOT_SAID.of(lang)) }
                    @for one in RELATIONSHIPS { option value=(one) selected[entered.relationship == one] { (relationship(one, lang)) } }
                }
            }
            div.field.is-wrong[!of_right.is_empty()] {
                label for="authority" { (words::PROXY_AUTHORITY.of(lang)) }
                @if !of_right.is_empty() { p.error id="authority-error" { (of_right) } }
                select #authority name="authority" aria-describedby=[(!of_right.is_empty()).then_some("authority-error")] {
                    option value="" { (words::INTAKE_NOT_SAID.of(lang)) }
                    @for one in Authority::ALL { option value=(one.code()) selected[entered.authority == Some(one)] { (authority(one).of(lang)) } }
                }
            }
            div.field.is-wrong[!of_powers.is_empty()] #powers {
                @if !of_powers.is_empty() { p.error { (of_powers) } }
                fieldset.choices {
                    legend { (words::PROXY_POWERS.of(lang)) }
                    @for one in Power::ALL { label.choice {
                        input type="checkbox" name="power" value=(one.code()) checked[entered.powers.contains(&one)];
                        span { (named(one).of(lang)) }
                    } }
                }
            }
            (text("evidence", words::PROXY_EVIDENCE, evidence, &entered.evidence))
            (text("phone", words::PROXY_PHONE, "", &entered.phone))
            div.field.is-wrong[!of_day.is_empty()] {
                label for="until" { (words::PROXY_UNTIL.of(lang)) }
                p.hint id="until-hint" { (words::PROXY_UNTIL_HINT.of(lang)) }
                @if !of_day.is_empty() { p.error id="until-error" { (of_day) } }
                input #until type="date" name="until" value=(entered.until)
                    aria-describedby={ "until-hint" @if !of_day.is_empty() { " until-error" } };
            }
            div.row { (button(Kind::Primary, Some(Icon::Plus), words::PROXY_ADD.of(lang))) }
        }
    }
}

const fn named(power: Power) -> Word {
    match power {
        Power::Decide => words::PROXY_DECIDE,
        Power::Record => words::PROXY_RECORD,
        Power::Visits => words::PROXY_VISITS,
    }
}

/// What somebody is to the patient: in words where the code is one of ours, else as it was written.
fn relationship(code: &str, lang: Lang) -> &str {
    match code {
        "PRN" => words::PROXY_PARENT.of(lang),
        "SPS" => words::PROXY_SPOUSE.of(lang),
        "CHILD" => words::PROXY_CHILD.of(lang),
        "SIB" => words::PROXY_SIBLING.of(lang),
        "GRPRN" => words::PROXY_GRANDPARENT.of(lang),
        "FRND" => words::PROXY_FRIEND.of(lang),
        other => other,
    }
}
