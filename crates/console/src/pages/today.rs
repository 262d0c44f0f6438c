//! The first page of a day: for who sees patients, who waits and who comes (`flow/today.rs`); for a patient, when they are to come;
//! for a privacy officer, which cases are due; for who watches over the server, how it is.

use crate::answer::Answer;
use crate::booking::{self, Book, Booking, type_id};
use crate::days;
use crate::pages::machine::figures::grouped;
use crate::pages::patient::state;
use crate::pages::{failed, flow, inbox};
use crate::parts::{
    Column, Icon, Kind, Table, Tone, badge, empty, facts, link_button, notice, panel, places,
    shell::shell_with, table, unbroken,
};
use crate::visit::Visit;
use crate::words::{self, Word};
use base::Fault;
use maud::{Markup, html};
use record::{CaseFilter, CaseKind, CaseState, Health};

/// Appointments that are shown.
const BOOKINGS_MAX: usize = 100;
/// Cases that are shown.
const CASES_MAX: usize = 50;
/// How far ahead a patient is told of appointments.
const AHEAD_DAYS: i32 = 180;

/// The page.
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let lang = visit.lang();
    if visit.is_fragment() {
        return Ok(Answer::html(200, flow::today::part(visit)?.unwrap_or_default()));
    }
    let today = days::day_at(visit.now(), &visit.zone);
    let name = visit.caller.as_ref().map(|c| c.principal.profile.display.clone());
    let mut panels = Vec::new();
    for part in
        [flow::today::part(visit), inbox::today::part(visit), appointments(visit), cases(visit)]
    {
        match part {
            Ok(part) => panels.extend(part),
            Err(fault) => panels.push(failed::part(visit, fault)?),
        }
    }
    panels.extend(visit.health.as_ref().map(|health| system(visit, health)));
    let body = html! {
        div.page-head {
            h1 { (words::TODAY.of(lang)) }
            p.muted { (days::long(today, lang)) @if let Some(name) = name { " · " (name) } }
        }
        @for panel in &panels { (panel) }
        @if panels.is_empty() { (panel("rest", words::NOTHING_DUE.of(lang), None, &rest(visit))) }
    };
    Ok(shell_with(visit, 200, words::TODAY.of(lang), &["live.js"], &body))
}

fn rest(visit: &Visit) -> Markup {
    let lang = visit.lang();
    let ways = html! {
        @for place in places(visit).iter().filter(|place| place.is_main && place.path != "/today") {
            (link_button(Kind::Secondary, Some(place.icon), place.word.of(lang), &place.path))
        }
    };
    empty(Icon::Ok, words::NOTHING_DUE.of(lang), words::NOTHING_DUE_WHY.of(lang), Some(&ways))
}

/// When a patient is to come, told to them or to who speaks for them.
fn appointments(visit: &Visit) -> Result<Option<Markup>, Fault> {
    let Some(caller) = &visit.caller else { return Ok(None) };
    let profile = &caller.principal.profile;
    let own: Vec<String> = profile.patient.iter().chain(&profile.represents).cloned().collect();
    if own.is_empty() || !visit.session.may_search(type_id("Appointment")?) {
        return Ok(None);
    }
    let lang = visit.lang();
    let today = days::day_at(visit.now(), &visit.zone);
    let last = days::days_from(today, AHEAD_DAYS);
    let (Some((from, _)), Some((_, until))) =
        (days::bounds(today, &visit.zone), days::bounds(last, &visit.zone))
    else {
        return Ok(None);
    };
    let pair = |name: &str, value: String| (name.to_owned(), value);
    let all: Vec<_> = own.iter().map(|id| format!("Patient/{id}")).collect();
    let pairs = vec![
        pair("date", format!("ge{from}")),
        pair("date", format!("lt{until}")),
        pair("_sort", "date".to_owned()),
        pair("patient", all.join(",")),
    ];
    let book = booking::find(&visit.session, pairs, BOOKINGS_MAX)?;
    let come = book.bookings.iter().filter(|b| b.status != "cancelled").count();
    let count = words::counted(lang, words::ONE_APPOINTMENT, words::MANY_APPOINTMENTS, come);
    let beside = html! { span.muted { (count) } };
    let title = words::APPOINTMENTS_AHEAD.of(lang);
    Ok(Some(panel("appointments", title, Some(&beside), &ahead(visit, &book))))
}

fn ahead(visit: &Visit, book: &Book) -> Markup {
    let lang = visit.lang();
    if book.bookings.is_empty() {
        let say = (words::NOBODY_COMES.of(lang), words::NOBODY_COMES_WHY.of(lang));
        return empty(Icon::Today, say.0, say.1, None);
    }
    let rows: Vec<Vec<Markup>> = book
        .bookings
        .iter()
        .map(|booking| {
            vec![
                unbroken(&format!(
                    "{} {}",
                    days::shown(&booking.start, lang),
                    days::wall_time(&booking.start)
                )),
                who(visit, book, booking),
                html! { (booking.purpose(lang)) },
                html! { (booking.with.join(", ")) },
                state(&booking.status, booking.is_confirmed, lang),
            ]
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [words::TIME, words::PATIENT, words::FOR, words::WITH, words::STATE].map(column);
    html! {
        (table(&Table { caption: words::APPOINTMENTS_AHEAD.of(lang), columns: &columns, rows: &rows }))
        @if book.more { p.foot.muted { (words::FIRST_ONLY.with(lang, &BOOKINGS_MAX.to_string())) } }
    }
}

/// The patient of an appointment, named when whoever asks may see them.
fn who(visit: &Visit, book: &Book, booking: &Booking) -> Markup {
    let lang = visit.lang();
    let person = booking.patient.as_ref().and_then(|id| book.people.get(id));
    let today = days::day_at(visit.now(), &visit.zone);
    html! {
        @match person {
            Some(person) => {
                a href={ "/p/" (person.id) } { (person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned())) }
                span.muted { " " (crate::parts::born(person, today, lang)) }
            }
            None => (badge(Tone::Sensitive, Icon::Withheld, words::WITHHELD.of(lang))),
        }
    }
}

fn cases(visit: &Visit) -> Result<Option<Markup>, Fault> {
    if !visit.roles().iter().any(|role| role == "privacy-officer") {
        return Ok(None);
    }
    let lang = visit.lang();
    let states = vec![CaseState::Open, CaseState::Assigned];
    let filter = CaseFilter { states, ..CaseFilter::default() };
    let cases = visit.session.cases(&filter)?.wait()?;
    let now = visit.now();
    let rows: Vec<Vec<Markup>> = cases
        .iter()
        .take(CASES_MAX)
        .map(|case| {
            let (tone, which, word) = match case.kind {
                CaseKind::BreakGlass => (Tone::Critical, Icon::Critical, words::CASE_GLASS),
                CaseKind::Signal => (Tone::Warning, Icon::Eye, words::CASE_SIGNAL),
            };
            let state = match case.state {
                CaseState::Open => words::CASE_OPEN,
                _ => words::CASE_ASSIGNED,
            };
            vec![
                html! { (unbroken(&days::moment(case.due, &visit.zone, lang)))
                    @if case.is_overdue(now) { " " (badge(Tone::Critical, Icon::Clock, words::OVERDUE.of(lang))) } },
                badge(tone, which, word.of(lang)),
                html! { (state.of(lang)) },
                html! { @match &case.patient {
                    Some(id) => a href={ "/p/" (id) "/accesses" } { (words::WHO_SAW.of(lang)) },
                    None => span.muted { (words::NO_ONE_PATIENT.of(lang)) },
                } },
            ]
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [
        column(words::DUE),
        column(words::CASE_ABOUT),
        column(words::STATE),
        column(words::PATIENT),
    ];
    let body = html! {
        @if rows.is_empty() {
            (empty(Icon::Ok, words::NO_CASES.of(lang), words::NO_CASES_WHY.of(lang), None))
        } @else {
            (table(&Table { caption: words::CASES_DUE.of(lang), columns: &columns, rows: &rows }))
        }
        @if cases.len() > CASES_MAX { p.foot.muted { (words::FIRST_ONLY.with(lang, &CASES_MAX.to_string())) } }
    };
    Ok(Some(panel("cases", words::CASES_DUE.of(lang), None, &body)))
}

fn system(visit: &Visit, health: &Health) -> Markup {
    let lang = visit.lang();
    let stands = |is_well: bool| match is_well {
        true => badge(Tone::Ok, Icon::Ok, words::WORKS.of(lang)),
        false => badge(Tone::Critical, Icon::Critical, words::FAILS.of(lang)),
    };
    let weak = health.at_rest.is_weak();
    let rest = if weak { Tone::Warning } else { Tone::Ok };
    let waits = health.last_commit.saturating_sub(health.audited_commit);
    let body = html! {
        (facts(&[
            (words::STORE.of(lang), stands(health.store.is_none())),
            (words::ACCESS_LOG.of(lang), stands(health.audit.is_none())),
            (words::SIGNATURES.of(lang), stands(health.notary.is_none())),
            (words::AT_REST.of(lang), badge(rest, rest.icon(), health.at_rest.word())),
            (words::COMMITS.of(lang), html! { span.number { (grouped(health.last_commit)) } }),
            (words::COMMITS_WAIT.of(lang), html! { span.number { (grouped(waits)) } }),
        ]))
    };
    let more = visit.machine.as_ref();
    let beside =
        more.map(|_| html! { a.row-action href="/admin/health" { (words::IT_HEALTH.of(lang)) } });
    let alarm = health.store.is_some() || health.audit.is_some();
    html! {
        @if alarm { (notice(Tone::Critical, words::SYSTEM_FAILS.of(lang), &html! { p { (words::SYSTEM_FAILS_WHY.of(lang)) } })) }
        (panel("system", words::SYSTEM.of(lang), beside.as_ref(), &body))
    }
}
