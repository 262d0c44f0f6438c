//! One visit on the board: when, who, for what, with whom and where, since when, and what comes next. Its
//! state is said by where it stands and in words, never by colour alone (WCAG 2.2, 1.4.1).

use super::day::{Card, Chosen, Day, Press};
use crate::days;
use crate::pages::patient;
use crate::parts::{Icon, Tone, badge, hidden, icon};
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::Millis;
use jiff::Timestamp;
use maud::{Markup, html};
use scheduling::flow::State;

/// How a board is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Manner {
    /// With names, and what can be pressed.
    Desk,
    /// On a wall: large, with nothing to press; names only where that was chosen.
    Wall { names: bool },
    /// On a wall that nobody is signed in on: initials, and where.
    Device,
}

/// A state in words.
pub(crate) const fn said(state: State) -> Word {
    match state {
        State::Booked => words::FLOW_UNCONFIRMED,
        State::Confirmed => words::FLOW_CONFIRMED,
        State::Arrived => words::FLOW_ARRIVED,
        State::Roomed => words::FLOW_ROOMED,
        State::WithClinician => words::FLOW_WITH,
        State::Done => words::FLOW_DONE,
        State::NoShow => words::NO_SHOW,
        State::Cancelled => words::CANCELLED,
    }
}

/// A state as a badge: each with a sign of its own. What is still to come stands as everywhere else.
pub(crate) fn state(state: State, lang: Lang) -> Markup {
    let (tone, which) = match state {
        State::Booked | State::Confirmed => {
            return patient::state("booked", state == State::Confirmed, lang);
        }
        State::Arrived => (Tone::Warning, Icon::Person),
        State::Roomed => (Tone::Accent, Icon::Home),
        State::WithClinician => (Tone::Sensitive, Icon::Health),
        State::Done => (Tone::Ok, Icon::Ok),
        State::NoShow => (Tone::Critical, Icon::Warning),
        State::Cancelled => (Tone::Neutral, Icon::Close),
    };
    badge(tone, which, said(state).of(lang))
}

/// A step that can be pressed, and what its button says.
type Pressed = (State, Word);

/// What comes next of a state, and what else may.
fn steps(state: State, is_past: bool) -> (Option<Pressed>, Vec<Pressed>) {
    let (first, mut rest) = match state {
        // Who comes is asked who they are; that is a page.
        State::Booked => (
            None,
            vec![
                (State::Arrived, words::FLOW_TO_ARRIVED),
                (State::Confirmed, words::FLOW_TO_CONFIRMED),
                (State::NoShow, words::FLOW_TO_NO_SHOW),
            ],
        ),
        State::Confirmed => (
            None,
            vec![(State::Arrived, words::FLOW_TO_ARRIVED), (State::NoShow, words::FLOW_TO_NO_SHOW)],
        ),
        State::Arrived => (
            Some((State::Roomed, words::FLOW_TO_ROOMED)),
            vec![(State::WithClinician, words::FLOW_TO_WITH)],
        ),
        State::Roomed => (
            Some((State::WithClinician, words::FLOW_TO_WITH)),
            vec![(State::Arrived, words::FLOW_BACK_TO_WAIT)],
        ),
        State::WithClinician => (
            Some((State::Done, words::FLOW_TO_DONE)),
            vec![(State::Roomed, words::FLOW_BACK_TO_ROOM)],
        ),
        State::NoShow => (Some((State::Arrived, words::FLOW_CAME)), Vec::new()),
        State::Done | State::Cancelled => (None, Vec::new()),
    };
    // Nobody is given up before their time.
    rest.retain(|(to, _)| *to != State::NoShow || is_past);
    (first, rest)
}

/// The time of day at an instant, by the clinic's clock.
pub(crate) fn clock(at: Millis, visit: &Visit) -> String {
    let at = Timestamp::from_millisecond(at.0).unwrap_or(Timestamp::UNIX_EPOCH);
    at.to_zoned(visit.zone.clone()).strftime("%H:%M").to_string()
}

/// Minutes in a state; a script counts on.
pub(crate) fn since(card: &Card, now: Millis, lang: Lang) -> Markup {
    let press = match card.press(now) {
        Press::Calm => None,
        Press::Long => Some("is-long"),
        Press::VeryLong => Some("is-very-long"),
    };
    let waits = matches!(card.state, State::Arrived | State::Roomed);
    html! {
        @if let (Some(since), Some(minutes)) = (card.since, card.minutes(now)) {
            span.since.(press.unwrap_or_default()) data-since=(since.0) data-waits[waits] {
                (icon(Icon::Clock))
                span.number { (words::FLOW_MINUTES.with(lang, &minutes.to_string())) }
            }
        }
    }
}

/// A visit.
pub(crate) fn card(visit: &Visit, day: &Day, of: &Card, chosen: &Chosen, manner: Manner) -> Markup {
    let (lang, now) = (visit.lang(), visit.now());
    let called_off = matches!(of.state, State::NoShow | State::Cancelled);
    html! {
        li.stay id={ "visit-" (of.visit.id) } {
            div.stay-head {
                span.number.stay-time { (clock(of.start, visit)) }
                @if let Some(late) = of.late(now) {
                    (badge(Tone::Warning, Icon::Warning, &words::FLOW_LATE.with(lang, &late.to_string())))
                } @else if called_off {
                    (state(of.state, lang))
                } @else if of.state == State::Booked {
                    (badge(Tone::Neutral, Icon::Clock, words::FLOW_UNCONFIRMED.of(lang)))
                }
                (since(of, now, lang))
            }
            (who(visit, day, of, manner))
            @if manner == Manner::Desk {
                @let title = of.visit.title.expose();
                @if !title.is_empty() { p.stay-for { (title) } }
            }
            p.stay-where {
                @for (_, name) in &of.rooms { span { (icon(Icon::Home)) (name) } }
                @for (_, name) in &of.clinicians { span { (icon(Icon::Person)) (name) } }
            }
            @if manner == Manner::Desk && of.may_change { (press(visit, of, chosen)) }
        }
    }
}

fn who(visit: &Visit, day: &Day, of: &Card, manner: Manner) -> Markup {
    let lang = visit.lang();
    let person = of.visit.patient.as_ref().and_then(|whom| day.people.get(&whom.id));
    let today = days::day_at(visit.now(), &visit.zone);
    html! {
        @match (person, manner) {
            (Some(person), Manner::Desk) => p.stay-who {
                a href={ "/p/" (person.id) } { (person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned())) }
                " " span.muted { (crate::parts::born(person, today, lang)) }
            },
            (Some(person), Manner::Wall { names: true }) => p.stay-who {
                (person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned()))
            },
            (Some(person), Manner::Wall { names: false } | Manner::Device) => p.stay-who { (initials(&person.initials())) },
            (None, Manner::Desk) => p { (badge(Tone::Sensitive, Icon::Withheld, words::WITHHELD.of(lang))) },
            (None, Manner::Wall { .. } | Manner::Device) => p.stay-who { "–" },
        }
    }
}

/// Initials as a wall shows them: with full stops, as nobody's name is written.
fn initials(both: &str) -> String {
    both.chars().map(|letter| format!("{letter}.")).collect()
}

fn press(visit: &Visit, of: &Card, chosen: &Chosen) -> Markup {
    let lang = visit.lang();
    let Some(whom) = &of.visit.patient else { return html! {} };
    let (first, rest) = steps(of.state, of.start <= visit.now());
    let comes = matches!(of.state, State::Booked | State::Confirmed);
    html! {
        form.stay-steps method="post" action="/flow/step" {
            (hidden(visit))
            input type="hidden" name="id" value=(of.visit.id);
            input type="hidden" name="version" value=(of.visit.version);
            input type="hidden" name="patient" value=(whom.id);
            @for (name, value) in chosen.pairs() { input type="hidden" name=(name) value=(value); }
            @if comes {
                a.button.is-secondary href={ "/p/" (whom.id) "/check-in/" (of.visit.id) } { span { (words::FLOW_CHECK_IN.of(lang)) } }
            }
            @if let Some((to, word)) = first {
                button.button.is-secondary type="submit" name="to" value=(to.as_str()) id={ "to-" (of.visit.id) } {
                    span { (word.of(lang)) }
                }
            }
            @if !rest.is_empty() {
                details.stay-more {
                    summary.button.is-quiet { (words::FLOW_MORE.of(lang)) (icon(Icon::Down)) }
                    div { @for (to, word) in &rest {
                        button.button.is-quiet type="submit" name="to" value=(to.as_str()) { span { (word.of(lang)) } }
                    } }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_pressed_is_what_the_department_lets_follow() {
        for of in State::ALL {
            let (first, rest) = steps(of, true);
            for (to, _) in first.into_iter().chain(rest) {
                assert!(of.next().contains(&to), "{of:?} {to:?}");
            }
        }
        let (_, early) = steps(State::Booked, false);
        assert!(early.iter().all(|(to, _)| *to != State::NoShow), "not before their time");
    }

    #[test]
    fn initials_say_no_name() {
        assert_eq!(initials("AL"), "A.L.");
        assert_eq!(initials(""), "");
    }
}
