//! One patient: who it is, how to reach them, and when they come. It is read anew each time, under the
//! scope of whoever asks; an id that may not be seen is answered as one that is not there.

use crate::answer::{Answer, is_nothing};
use crate::booking::{self, Book, Booking, type_id};
use crate::days;
use crate::pages::missing;
use crate::pages::registration::details;
use crate::parts::{
    Banner, Chart, Column, Icon, Tab, Table, Tone, badge, banner, empty, facts, icon, notice,
    panel, shell, table, tabs,
};
use crate::person::{Contact, Person, concept, list, text};
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::{Fault, Limits};
use fhir::{Document, reference::is_id};
use maud::{Markup, html};
use record::{Hit, Level, SearchHow};

/// Appointments shown of one patient.
const BOOKINGS_MAX: usize = 40;
/// Allergies, or alerts, read for the banner.
const RISKS_MAX: usize = 30;

/// `/p/{id}`
pub(crate) fn summary(visit: &Visit) -> Result<Answer, Fault> {
    let Some(person) = see(visit)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let chart = chart(visit, &person.id)?;
    let book = bookings(visit, &person.id)?;
    let body = html! {
        (head(visit, &person, &chart))
        (details::links(&person, lang))
        div.columns {
            div {
                (book.as_ref().map_or_else(|| withheld(lang), |book| appointments(visit, book)))
            }
            div {
                (panel("about", words::ABOUT_THEM.of(lang), None, &about(&person, lang)))
                (panel("reach", words::REACH.of(lang), None, &reach(&person, lang)))
                @if !person.confidential.is_empty() {
                    (notice(Tone::Sensitive, words::DETAILS_PRIVATE.of(lang), &html! {
                        p { a href={ "/p/" (person.id) "/details" } { (words::DETAILS.of(lang)) } }
                    }))
                }
                @if !person.relatives.is_empty() {
                    (panel("relatives", words::RELATIVES.of(lang), None, &relatives(&person, lang)))
                }
            }
        }
    };
    let title = person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned());
    Ok(shell(visit, 200, &title, &body))
}

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
    let mut all = vec![Tab {
        label: words::SUMMARY.of(lang),
        href: format!("/p/{}", person.id),
        is_here: visit.path.split('/').count() == 3,
    }];
    let page = |label: Word, name: &str| Tab {
        label: label.of(lang),
        href: format!("/p/{}/{name}", person.id),
        is_here: visit.path.split('/').nth(3) == Some(name),
    };
    all.push(page(words::DETAILS, "details"));
    if type_id("Coverage").is_ok_and(|of| visit.session.may_search(of)) {
        all.push(page(words::INSURANCE, "insurance"));
    }
    if visit.session.may_see_who_saw(&person.id) {
        all.push(Tab {
            label: words::WHO_SAW.of(lang),
            href: format!("/p/{}/accesses", person.id),
            is_here: visit.path.ends_with("/accesses"),
        });
    }
    html! {
        (banner(&Banner { person, chart, today, lang }))
        @if all.len() > 1 { (tabs(words::PAGES_OF_PATIENT.of(lang), &all)) }
    }
}

/// What the banner warns of. Types that the caller's role is not shown are not asked for: asking would
/// leave a refusal in the log that nobody meant.
pub(crate) fn chart(visit: &Visit, id: &str) -> Result<Chart, Fault> {
    let mut chart = Chart::default();
    let patient = ("patient".to_owned(), format!("Patient/{id}"));
    let search = |of: &str| -> Result<Option<record::Found>, Fault> {
        let of = type_id(of)?;
        if !visit.session.may_search(of) {
            return Ok(None);
        }
        let pairs = vec![patient.clone(), ("_count".to_owned(), RISKS_MAX.to_string())];
        let found = visit.session.search(Level::Type(of), pairs, &SearchHow::default())?;
        found.wait().map(Some)
    };
    if let Some(found) = search("AllergyIntolerance")? {
        chart.is_partial |= found.next.is_some();
        let mut all = Vec::new();
        for hit in found.page.matches {
            let document = Document::parse(hit.body, &Limits::default())?;
            let root = document.root();
            let is = |member: &str, wanted: &[&str]| {
                let codings = root.get(member).into_iter().flat_map(|m| list(m, "coding"));
                codings.into_iter().any(|coding| wanted.contains(&text(coding, "code").as_str()))
            };
            if is("clinicalStatus", &["inactive", "resolved"])
                || is("verificationStatus", &["refuted", "entered-in-error"])
            {
                continue;
            }
            // SNOMED CT: no known allergy, and of drugs, food and surroundings.
            if is("code", &["716186003", "409137002", "428607008", "429625007"]) {
                chart.has_no_allergies = true;
                continue;
            }
            let name = root.get("code").and_then(concept);
            let name = name.unwrap_or_else(|| words::NOT_KNOWN.of(visit.lang()).to_owned());
            all.push((name, text(root, "criticality") == "high"));
        }
        all.sort_by_key(|(name, is_grave)| (!*is_grave, name.clone()));
        chart.allergies = Some(all);
    }
    if let Some(found) = search("Flag")? {
        chart.is_partial |= found.next.is_some();
        let mut all = Vec::new();
        for hit in found.page.matches {
            let document = Document::parse(hit.body, &Limits::default())?;
            let root = document.root();
            if text(root, "status") == "active" {
                all.extend(root.get("code").and_then(concept));
            }
        }
        all.sort();
        all.dedup();
        chart.alerts = Some(all);
    }
    Ok(chart)
}

fn bookings(visit: &Visit, id: &str) -> Result<Option<Book>, Fault> {
    if !visit.session.may_search(type_id("Appointment")?) {
        return Ok(None);
    }
    let pairs = vec![
        ("patient".to_owned(), format!("Patient/{id}")),
        ("_sort".to_owned(), "-date".to_owned()),
    ];
    booking::find(&visit.session, pairs, BOOKINGS_MAX).map(Some)
}

fn appointments(visit: &Visit, book: &Book) -> Markup {
    let lang = visit.lang();
    let now = visit.now();
    let is_ahead =
        |booking: &&Booking| fhir::date::parse(&booking.start).is_some_and(|at| at.high >= now.0);
    let mut ahead: Vec<&Booking> = book.bookings.iter().filter(is_ahead).collect();
    ahead.reverse();
    let past: Vec<&Booking> = book.bookings.iter().filter(|booking| !is_ahead(booking)).collect();
    html! {
        (panel("ahead", words::APPOINTMENTS_AHEAD.of(lang), None, &list_of(&ahead, words::APPOINTMENTS_AHEAD, words::NONE_AHEAD, lang)))
        (panel("past", words::APPOINTMENTS_PAST.of(lang), None, &html! {
            (list_of(&past, words::APPOINTMENTS_PAST, words::NONE_PAST, lang))
            @if book.more { p.foot.muted { (words::NEWEST_ONLY.with(lang, &BOOKINGS_MAX.to_string())) } }
        }))
    }
}

fn withheld(lang: Lang) -> Markup {
    let say = (words::WITHHELD.of(lang), words::WITHHELD_WHY.of(lang));
    panel(
        "ahead",
        words::APPOINTMENTS_AHEAD.of(lang),
        None,
        &empty(Icon::Withheld, say.0, say.1, None),
    )
}

fn list_of(bookings: &[&Booking], caption: Word, none: Word, lang: Lang) -> Markup {
    if bookings.is_empty() {
        return html! { p.foot.muted { (none.of(lang)) } };
    }
    let rows: Vec<Vec<Markup>> = bookings
        .iter()
        .map(|booking| {
            vec![
                html! { span.keep { (days::shown(&booking.start, lang)) } " " span.keep { (days::wall_time(&booking.start)) } },
                html! { (booking.purpose(lang)) @if let Some(minutes) = booking.minutes { span.muted { " · " (words::MINUTES.with(lang, &minutes.to_string())) } } },
                html! { (booking.with.join(", ")) },
                state(&booking.status, lang),
            ]
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns =
        [column(words::WHEN), column(words::FOR), column(words::WITH), column(words::STATE)];
    table(&Table { caption: caption.of(lang), columns: &columns, rows: &rows })
}

/// The state of an appointment (<https://hl7.org/fhir/R4/valueset-appointmentstatus.html>).
pub(crate) fn state(status: &str, lang: Lang) -> Markup {
    let (tone, which, word) = match status {
        "booked" => (Tone::Accent, Icon::Today, words::BOOKED),
        "pending" | "proposed" | "waitlist" => (Tone::Warning, Icon::Clock, words::PENDING),
        "arrived" | "checked-in" => (Tone::Ok, Icon::Ok, words::ARRIVED),
        "fulfilled" => (Tone::Ok, Icon::Ok, words::FULFILLED),
        "cancelled" => (Tone::Neutral, Icon::Close, words::CANCELLED),
        "noshow" => (Tone::Critical, Icon::Warning, words::NO_SHOW),
        _ => return badge(Tone::Neutral, Icon::Info, status),
    };
    badge(tone, which, word.of(lang))
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

fn about(person: &Person, lang: Lang) -> Markup {
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

fn reach(person: &Person, lang: Lang) -> Markup {
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
        li { (icon(which)) div { span.unseen { (word.of(lang)) " " } (contact.value)
            @if let Some(usage) = usage { span.muted { " " (usage.of(lang)) } } } }
    }
}

fn relatives(person: &Person, lang: Lang) -> Markup {
    html! {
        ul.reach { @for one in &person.relatives {
            li { (icon(Icon::Person)) div { (one.name) @if !one.relation.is_empty() { span.muted { " " (one.relation) } } } }
            @for contact in &one.telecom { (way(contact, lang)) }
        } }
    }
}
