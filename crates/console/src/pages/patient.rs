//! One patient: who it is, how to reach them, and what every page about them begins with. It is read anew
//! each time, under the scope of whoever asks; an id that may not be seen is answered as one that is not
//! there.

use crate::answer::is_nothing;
use crate::booking::type_id;
use crate::days;
use crate::pages::registration::{details, proxies};
use crate::pages::schedule::draw::state_of;
use crate::parts::{Banner, Chart, Icon, Tab, badge, banner, facts, icon, tabs};
use crate::person::{Contact, Person};
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Lang};
use base::Fault;
use charting::summary::{AllergyState, Head};
use fhir::reference::is_id;
use maud::{Markup, html};
use record::{Hit, Reach};

/// The patient that the path names, if there is one for whoever asks.
pub(crate) fn see(visit: &Visit) -> Result<Option<Person>, Fault> {
    Ok(see_whole(visit)?.map(|(person, _)| person))
}

/// As [`see`], with the record they were read from.
pub(crate) fn see_whole(visit: &Visit) -> Result<Option<(Person, Hit)>, Fault> {
    let id = part(visit, 1);
    if !is_id(id) {
        return Ok(None);
    }
    match visit.session.read(type_id("Patient")?, id, None) {
        Ok(hit) => {
            let hit = hit.wait()?;
            Ok(Some((Person::read(&hit)?, hit)))
        }
        Err(fault) if is_nothing(&fault) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The banner, and the pages there are about this patient.
pub(crate) fn head(visit: &Visit, person: &Person, chart: &Chart) -> Markup {
    let lang = visit.lang();
    let today = days::day_at(visit.now(), &visit.zone);
    let base = format!("/p/{}", person.id);
    let tab = |label: &'static str, rest: &str, is_here: bool| Tab {
        label,
        href: format!("{base}{rest}"),
        is_here,
    };
    let is_at = |rest: &str| visit.path.strip_prefix(&base) == Some(rest);
    let mut all = vec![
        tab(words::SUMMARY.of(lang), "", is_at("")),
        tab(words::CHART_TIMELINE.of(lang), "/timeline", is_at("/timeline")),
        tab(words::DETAILS.of(lang), "/details", is_at("/details")),
    ];
    if type_id("Coverage").is_ok_and(|of| visit.session.may_search(of)) {
        all.push(tab(words::INSURANCE.of(lang), "/insurance", is_at("/insurance")));
    }
    if type_id("Consent").is_ok_and(|of| visit.session.may_search(of)) {
        let is_here = is_at("/consents") || visit.path.starts_with(&format!("{base}/consents/"));
        all.push(tab(words::CONSENTS.of(lang), "/consents", is_here));
    }
    if type_id("RelatedPerson").is_ok_and(|of| visit.session.may_search(of)) {
        all.push(tab(words::PROXIES.of(lang), "/people", is_at("/people")));
    }
    if visit.session.may_see_who_saw(&person.id) {
        all.push(tab(words::WHO_SAW.of(lang), "/accesses", is_at("/accesses")));
    }
    html! {
        (banner(&Banner { person, chart, today, lang }))
        (tabs(words::PAGES_OF_PATIENT.of(lang), &all))
        (details::links(person, lang))
    }
}

/// What the banner warns of: one opening of the chart, and one event.
///
/// # Errors
/// As `charting::summary::Head::of`.
pub(crate) fn chart(visit: &Visit, id: &str) -> Result<Chart, Fault> {
    match Head::of(&visit.session, id) {
        Ok(head) => Ok(risks(&head.wait()?, visit.lang())),
        // Who may read the patient and search nothing of theirs: all of it is withheld.
        Err(fault) if is_nothing(&fault) => Ok(Chart::default()),
        Err(fault) => Err(fault),
    }
}

/// The same of a chart that was read already.
pub(crate) fn risks(head: &Head, lang: Lang) -> Chart {
    let is_shown = |reach: &Reach| *reach != Reach::Nothing;
    let counts = |one: &&charting::summary::Allergy| one.active && one.verification != "refuted";
    let named = |text: &str| match text {
        "" => words::NOT_KNOWN.of(lang).to_owned(),
        text => text.to_owned(),
    };
    let allergies = head.allergies.rows.iter().filter(counts);
    let of_a_kind = head.allergy_state == AllergyState::NoneKnownOfAKind;
    let parts =
        [(&head.allergies.reach, head.allergies.masked), (&head.alerts.reach, head.alerts.masked)];
    let consent = |one: &charting::summary::Agreement| {
        let what = one.categories.iter().find(|one| !one.text.is_empty()).unwrap_or(&one.scope);
        (named(&what.text), one.denies == Some(true))
    };
    let mut consents: Vec<(String, bool)> = head.consents.rows.iter().map(consent).collect();
    consents.sort();
    consents.dedup();
    Chart {
        allergies: is_shown(&head.allergies.reach).then(|| {
            let shown = allergies.filter(|one| !one.none_known || of_a_kind);
            shown
                .map(|one| {
                    (named(&one.to.text), one.criticality == "high" || one.severity == "severe")
                })
                .collect()
        }),
        has_no_allergies: head.allergy_state == AllergyState::NoneKnown,
        is_untold: head.allergy_state == AllergyState::NotTold,
        may_withhold: parts.iter().any(|(reach, _)| matches!(reach, Reach::Part(_))),
        alerts: is_shown(&head.alerts.reach)
            .then(|| head.alerts.rows.iter().map(|one| named(&one.what.text)).collect()),
        is_partial: head.allergies.is_partial() || head.alerts.is_partial(),
        consents,
        proxies: head
            .proxies
            .iter()
            .map(|one| (named(&one.name), proxies::authority(one.authority)))
            .collect(),
    }
}

/// The state of an appointment, and of one that is booked that its patient said that they come: that is no state
/// of its own there (<https://hl7.org/fhir/R4/appointment-definitions.html#Appointment.participant.status>).
pub(crate) fn state(status: &str, is_confirmed: bool, lang: Lang) -> Markup {
    let (tone, which, word) = state_of(status, lang);
    html! {
        (badge(tone, which, word))
        @if is_confirmed && status == "booked" { " " span.muted { (words::SAID_THEY_COME.of(lang)) } }
    }
}

fn unknown(lang: Lang) -> Markup {
    html! { span.muted { (words::NOT_KNOWN.of(lang)) } }
}

fn told(texts: &[String], lang: Lang) -> Markup {
    match texts.iter().all(String::is_empty) {
        true => unknown(lang),
        false => html! { @for one in texts { div { (one) } } },
    }
}

pub(crate) fn about(person: &Person, lang: Lang) -> Markup {
    let numbers = html! {
        @for number in &person.identifiers {
            div { span.number { (number.value) } @if !number.kind.is_empty() { span.muted { " " (number.kind) } } }
        }
        @if person.identifiers.is_empty() { (unknown(lang)) }
    };
    facts(&[
        (words::NUMBERS.of(lang), numbers),
        (words::SPOKEN.of(lang), told(&person.languages, lang)),
        (words::MARITAL.of(lang), told(std::slice::from_ref(&person.marital), lang)),
    ])
}

pub(crate) fn reach(person: &Person, lang: Lang) -> Markup {
    html! {
        ul.reach {
            @for contact in &person.telecom { (way(contact, lang)) }
            @for address in &person.addresses { li { (icon(Icon::Home)) div { (address) } } }
        }
        @if person.telecom.is_empty() && person.addresses.is_empty() { p.foot { (unknown(lang)) } }
    }
}

fn way(contact: &Contact, lang: Lang) -> Markup {
    let (which, word) = match contact.system.as_str() {
        "email" => (Icon::Mail, words::EMAIL),
        "fax" => (Icon::Phone, words::FAX),
        _ => (Icon::Phone, words::PHONE),
    };
    let usage = match contact.usage.as_str() {
        "home" => Some(words::AT_HOME),
        "work" => Some(words::AT_WORK),
        "mobile" => Some(words::MOBILE),
        _ => None,
    };
    html! {
        li { (icon(which)) div { span.unseen { (word.of(lang)) " " } (breakable(&contact.value))
            @if let Some(usage) = usage { span.muted { " " (usage.of(lang)) } } } }
    }
}

/// A mail address breaks before its domain, and not inside it.
fn breakable(text: &str) -> Markup {
    html! {
        @match text.split_once('@') {
            Some((user, domain)) => { (user) wbr; "@" (domain) },
            None => (text),
        }
    }
}

pub(crate) fn relatives(person: &Person, lang: Lang) -> Markup {
    html! {
        ul.reach { @for one in &person.relatives {
            li { (icon(Icon::Person)) div { (one.name) @if !one.relation.is_empty() { span.muted { " " (one.relation) } } } }
            @for contact in &one.telecom { (way(contact, lang)) }
        } }
    }
}
