//! What is done with an appointment: the forms of its page and of the grid end here. Each is answered by
//! another page that says what was done and offers to undo it; what cannot be done comes back with what
//! was typed, how it stands now, and which rule is in the way.

use super::appointment::{self, REASONS};
use super::asked::Asked;
use super::desk::{self, Here};
use super::finding;
use crate::answer::Answer;
use crate::booking::booked;
use crate::pages::missing;
use crate::parts::{Icon, Kind, button, hidden};
use crate::route::part;
use crate::visit::Visit;
use crate::wait::wait;
use crate::words;
use base::error::code;
use base::{Fault, Phi};
use fhir::reference::is_id;
use jiff::civil::{Date, Time};
use maud::{Markup, html};
use scheduling::actor::Actor;
use scheduling::book::{self, Done, Move, Undo, Visit as Booked};
use scheduling::time::{Placed, Remark, Zone};

/// What was tried in vain.
#[derive(Debug)]
pub(crate) struct Tried<'t> {
    /// Which form.
    pub(crate) what: &'static str,
    pub(crate) fault: &'t Fault,
    /// Where the form came from.
    pub(crate) back: String,
}

/// Moves it.
pub(crate) fn move_to(visit: &Visit) -> Result<Answer, Fault> {
    carried_out(visit, "move", "moved", |booked, version| {
        let here = Here::read(visit)?;
        let zone = match Actor::parse(visit.field("site")) {
            Some(site) => here.zone(Some(&site)).clone(),
            None => appointment::zone(booked, &here),
        };
        let start = start(visit.field("date"), visit.field("time"), &zone)?.instant;
        let pair = (Actor::parse(visit.field("from")), Actor::parse(visit.field("with")));
        let instead = match pair {
            (Some(from), Some(with)) if from != with => vec![(from, with)],
            _ => Vec::new(),
        };
        let reason = reason(visit);
        let to = Move { id: booked.id.clone(), version, start, instead, reason };
        wait(book::move_to(&visit.session, &here.house, &to))
    })
}

/// Calls it off.
pub(crate) fn cancel(visit: &Visit) -> Result<Answer, Fault> {
    carried_out(visit, "cancel", "cancelled", |booked, version| {
        let because = visit.field("because");
        if !REASONS.iter().any(|(code, _)| *code == because) {
            return Err(Fault::new(&code::SCHEDULING_CALENDAR, "choose a reason"));
        }
        wait(book::cancel(&visit.session, &booked.id, version, because))
    })
}

/// Marks that nobody came.
pub(crate) fn no_show(visit: &Visit) -> Result<Answer, Fault> {
    carried_out(visit, "no-show", "noshow", |booked, version| {
        wait(book::no_show(&visit.session, &booked.id, version))
    })
}

/// Takes back what was done last.
pub(crate) fn undo(visit: &Visit) -> Result<Answer, Fault> {
    carried_out(visit, "undo", "undone", |booked, version| {
        let before = visit.field("before").parse().unwrap_or(0);
        let undo = Undo { id: booked.id.clone(), version, before };
        wait(book::undo(&visit.session, &undo))
    })
}

/// The form that takes back what the address says was done; none where that cannot be.
pub(crate) fn undo_form(visit: &Visit, back: &str) -> Option<Markup> {
    let (id, lang) = (visit.parameter("of"), visit.lang());
    let number = |name| visit.parameter(name).parse::<u64>().ok();
    let (version, before) = (number("v")?, number("b")?);
    (is_id(id) && desk::changes(visit)).then(|| {
        html! {
            form method="post" action={ "/appointments/" (id) "/undo" } {
                (hidden(visit))
                input type="hidden" name="version" value=(version);
                input type="hidden" name="before" value=(before);
                input type="hidden" name="back" value=(back);
                (button(Kind::Secondary, Some(Icon::Undo), words::UNDO.of(lang)))
            }
        }
    })
}

/// A wall time of a site. One that its clocks skip is no time to ask somebody to come at.
pub(crate) fn start(date: &str, time: &str, zone: &Zone) -> Result<Placed, Fault> {
    let wrong = |says: &str| Fault::new(&code::SCHEDULING_TIME, says);
    let date: Date = date.parse().map_err(|_fault| wrong("give a day"))?;
    let time: Time = time.parse().map_err(|_fault| wrong("give a time"))?;
    let placed = zone.place(date.to_datetime(time))?;
    match placed.remark {
        Some(Remark::Skipped { .. }) => Err(wrong("the clocks skip this time on that day")),
        _ => Ok(placed),
    }
}

/// Why it is done against a rule; none without a word.
pub(crate) fn reason(visit: &Visit) -> Option<Phi<String>> {
    let text = visit.field("reason").trim();
    (!text.is_empty()).then(|| Phi::new(text.to_owned()))
}

fn carried_out(
    visit: &Visit,
    what: &'static str,
    done_word: &str,
    work: impl FnOnce(&Booked, u64) -> Result<Done, Fault>,
) -> Result<Answer, Fault> {
    let id = part(visit, 1);
    if !desk::changes(visit) {
        return Ok(missing::page(visit));
    }
    let Some(booked) = booked(visit, id)? else { return Ok(missing::page(visit)) };
    // Two windows with two patients: the form says whom it was made for. What is dragged, and what is taken
    // back at once, names the visit and its version alone.
    let must_say = matches!(what, "cancel" | "no-show");
    let (stated, whom) = (visit.field("patient"), booked.patient.as_ref());
    let done = match whom {
        Some(whom) if (must_say || !stated.is_empty()) && whom.id != stated => {
            Err(Fault::new(&code::VERSION_CONFLICT, "it is another patient's"))
        }
        _ => work(&booked, visit.field("version").parse().unwrap_or(0)),
    };
    let back = visit.field("back");
    match done {
        Ok(done) => Ok(Answer::go(landing(visit, &done, done_word))),
        Err(fault) if finding::is_theirs(&fault) => {
            let tried = Tried { what, fault: &fault, back: back.to_owned() };
            appointment::shown(visit, id, Some(&tried))
        }
        Err(fault) => Err(fault),
    }
}

/// Where a form that was carried out leads: to where it came from, which says what was done.
fn landing(visit: &Visit, done: &Done, word: &str) -> String {
    let (id, version) = (&done.visit.id, done.visit.version);
    let page = match visit.field("back").starts_with("/schedule?") {
        true => Asked::back(visit).done(word, id, version),
        false => format!("/appointments/{id}?done={word}&of={id}&v={version}"),
    };
    match &done.undo {
        Some(undo) => format!("{page}&b={}", undo.before),
        None => page,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use scheduling::time::Zones;

    #[test]
    fn a_time_that_the_clocks_skip_is_refused_and_not_moved_in_silence() {
        let zone = Zones::bundled().find("America/New_York").expect("a zone");
        let fault = start("2026-03-08", "02:30", &zone).expect_err("skipped");
        assert!(finding::is_theirs(&fault));
        for (date, time) in [("2026-02-30", "09:00"), ("", "09:00"), ("2026-03-08", "25:00")] {
            assert!(start(date, time, &zone).is_err(), "{date} {time}");
        }
        let placed = start("2026-11-23", "09:00", &zone).expect("placed");
        assert_eq!(placed.instant.to_instant(), "2026-11-23T14:00:00.000Z");
    }
}
