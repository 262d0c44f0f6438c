//! What Today tells of the day's visits to who sees patients: who waits now, the longest first; whom a
//! desk still has to hear from; and the whole day. A script fetches it again when a visit changes.

use super::board::is_shown;
use super::card::{clock, since, state};
use super::day::{self, Card, Chosen, Day};
use crate::parts::{Column, Icon, Table, Tone, badge, born, empty, notice, panel, table};
use crate::visit::Visit;
use crate::words::{self, Word};
use crate::{days, live};
use base::Fault;
use maud::{Markup, html};
use scheduling::actor::Actor;
use scheduling::flow::State;

/// Visits of one day that are shown.
const SHOWN_MAX: usize = 100;
/// Where in a row it stands what a visit is for.
const FOR_AT: usize = 2;
/// Where in a row it stands whom the patient comes to see.
const WITH_AT: usize = 3;

/// The part; none for who sees no patients.
///
/// # Errors
/// As of any search.
pub(crate) fn part(visit: &Visit) -> Result<Option<Markup>, Fault> {
    let Some(caller) = visit.caller.as_ref().filter(|_| is_shown(visit)) else { return Ok(None) };
    let lang = visit.lang();
    let holds = |role: &str| visit.roles().iter().any(|held| held == role);
    let practitioner =
        caller.principal.profile.practitioner.as_ref().filter(|_| holds("clinician"));
    let own = practitioner.and_then(|id| Actor::parse(&format!("Practitioner/{id}")));
    let after = live::mark(visit);
    let day = day::today(visit, &Chosen::default(), own.as_ref())?;
    let mut waiting = of(&day, |card| matches!(card.state, State::Arrived | State::Roomed));
    waiting.sort_by_key(|card| (card.since, card.start));
    let now = visit.now();
    let unheard = of(&day, |card| card.state == State::Booked && card.start >= now);
    let come = of(&day, |card| card.state != State::Cancelled);
    let title = if own.is_some() { words::MY_APPOINTMENTS } else { words::APPOINTMENTS_TODAY };
    let count = words::counted(lang, words::ONE_APPOINTMENT, words::MANY_APPOINTMENTS, come.len());
    let waits = words::counted(lang, words::TODAY_ONE_WAITS, words::TODAY_MANY_WAIT, waiting.len());
    let beside = |text: &str| html! { span.muted { (text) } };
    Ok(Some(html! {
        div.stack.live #today-visits data-live="visits" data-from="/today" data-after=(after) data-now=(now.0)
            data-minutes=(words::FLOW_MINUTES.of(lang)) data-off=(words::FLOW_LIVE_OFF.of(lang)) {
            @if day.partial { (notice(Tone::Warning, words::FLOW_PARTIAL.of(lang), &html! {})) }
            (panel("waiting", words::TODAY_WAITING.of(lang), Some(&beside(&waits)), &waits_now(visit, &day, &waiting)))
            @if holds("front-desk") && !unheard.is_empty() {
                (panel("unheard", words::TODAY_TO_CONFIRM.of(lang), Some(&beside(&unheard.len().to_string())),
                    &rows(visit, &day, &unheard, words::TODAY_TO_CONFIRM, false)))
            }
            (panel("appointments", title.of(lang), Some(&beside(&count)), &whole(visit, &day, title, own.is_some())))
        }
    }))
}

fn of(day: &Day, fits: impl Fn(&Card) -> bool) -> Vec<&Card> {
    day.cards.iter().filter(|card| fits(card)).collect()
}

fn waits_now(visit: &Visit, day: &Day, waiting: &[&Card]) -> Markup {
    let lang = visit.lang();
    if waiting.is_empty() {
        let why = words::TODAY_NOBODY_WAITS_WHY.of(lang);
        return empty(Icon::Person, words::TODAY_NOBODY_WAITS.of(lang), why, None);
    }
    let lines: Vec<Vec<Markup>> = waiting
        .iter()
        .map(|card| {
            vec![
                who(visit, day, card),
                html! { @if card.since.is_some() { (since(card, visit.now(), lang)) } @else { span.muted { (words::FLOW_SINCE_UNKNOWN.of(lang)) } } },
                html! { span.number { (clock(card.start, visit)) } },
                html! { (joined(&card.clinicians)) },
                html! { (state(card.state, lang)) @for (_, room) in &card.rooms { " " (room) } },
            ]
        })
        .collect();
    let columns = [words::PATIENT, words::TODAY_FOR, words::TIME, words::WITH, words::STATE];
    shown(visit, words::TODAY_WAITING, &columns, &lines)
}

fn whole(visit: &Visit, day: &Day, title: Word, is_own: bool) -> Markup {
    let lang = visit.lang();
    let all = of(day, |_| true);
    if all.is_empty() {
        let say = (words::NOBODY_COMES.of(lang), words::NOBODY_COMES_WHY.of(lang));
        return empty(Icon::Today, say.0, say.1, None);
    }
    rows(visit, day, &all, title, is_own)
}

fn rows(visit: &Visit, day: &Day, all: &[&Card], title: Word, is_own: bool) -> Markup {
    let lang = visit.lang();
    let mut lines: Vec<Vec<Markup>> = all
        .iter()
        .take(SHOWN_MAX)
        .map(|card| {
            vec![
                html! { span.keep.number { (clock(card.start, visit)) } },
                who(visit, day, card),
                html! { (card.visit.title.expose()) },
                html! { (joined(&card.clinicians)) },
                stands(visit, card),
            ]
        })
        .collect();
    let mut columns = vec![words::TIME, words::PATIENT, words::FOR, words::WITH, words::STATE];
    let mut without = |at: usize| {
        columns.remove(at);
        lines.iter_mut().for_each(|line| drop(line.remove(at)));
    };
    // Whose schedule it is needs no column, nor does what the role is not told of any visit.
    if is_own {
        without(WITH_AT);
    }
    if all.iter().all(|card| card.visit.title.expose().is_empty()) {
        without(FOR_AT);
    }
    html! {
        (shown(visit, title, &columns, &lines))
        @if all.len() > SHOWN_MAX { p.foot.muted { (words::FIRST_ONLY.with(lang, &SHOWN_MAX.to_string())) } }
    }
}

/// Where a visit stands, and the way to check in who is expected.
fn stands(visit: &Visit, card: &Card) -> Markup {
    let lang = visit.lang();
    let is_expected = matches!(card.state, State::Booked | State::Confirmed);
    html! {
        div.row.today-state {
            @if let Some(late) = card.late(visit.now()) {
                (badge(Tone::Warning, Icon::Warning, &words::FLOW_LATE.with(lang, &late.to_string())))
            } @else { (state(card.state, lang)) }
            (since(card, visit.now(), lang))
            @if let (true, true, Some(whom)) = (is_expected, card.may_change, &card.visit.patient) {
                a.row-action href={ "/p/" (whom.id) "/check-in/" (card.visit.id) } { (words::FLOW_CHECK_IN.of(lang)) }
            }
        }
    }
}

fn who(visit: &Visit, day: &Day, card: &Card) -> Markup {
    let lang = visit.lang();
    let person = card.visit.patient.as_ref().and_then(|whom| day.people.get(&whom.id));
    let today = days::day_at(visit.now(), &visit.zone);
    html! {
        @match person {
            Some(person) => {
                a href={ "/p/" (person.id) } { (person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned())) }
                span.muted { " " (born(person, today, lang)) }
            }
            None => (badge(Tone::Sensitive, Icon::Withheld, words::WITHHELD.of(lang))),
        }
    }
}

fn joined(all: &[(String, String)]) -> String {
    all.iter().map(|(_, name)| name.as_str()).collect::<Vec<_>>().join(", ")
}

fn shown(visit: &Visit, caption: Word, columns: &[Word], rows: &[Vec<Markup>]) -> Markup {
    let lang = visit.lang();
    let columns: Vec<Column<'_>> =
        columns.iter().map(|word| Column { label: word.of(lang), is_figure: false }).collect();
    table(&Table { caption: caption.of(lang), columns: &columns, rows })
}
