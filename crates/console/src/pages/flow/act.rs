//! What is pressed on the board: a step of a visit, and the undo of the last. Each is a form that is
//! answered by the board again (POST, redirect, GET). A visit that somebody else changed meanwhile is not
//! changed over their head: the board shows how it stands.

use super::day::Chosen;
use crate::answer::{Answer, is_nothing};
use crate::booking::booked;
use crate::pages::missing;
use crate::visit::Visit;
use crate::wait::wait;
use base::Fault;
use base::error::code;
use scheduling::book::{self, Done, Undo};
use scheduling::flow::State;

/// `POST /flow/step`
pub(crate) fn step(visit: &Visit) -> Result<Answer, Fault> {
    let (Some(to), Some(version)) = (State::parse(visit.field("to")), number(visit, "version"))
    else {
        return Ok(missing::page(visit));
    };
    // Calling off asks for a reason, and is done where appointments are.
    if to == State::Cancelled {
        return Ok(missing::page(visit));
    }
    let id = visit.field("id");
    take(visit, id, visit.field("patient"), version, to)
}

/// Takes a step of a visit that has to be this patient's.
pub(crate) fn take(
    visit: &Visit,
    id: &str,
    patient: &str,
    version: u64,
    to: State,
) -> Result<Answer, Fault> {
    let Some(of) = booked(visit, id)? else { return Ok(missing::page(visit)) };
    if of.patient.as_ref().is_none_or(|whom| whom.id != patient) {
        let what = "the form is about another patient than the visit; open the board anew";
        return Err(Fault::new(&code::CHART_OTHER_PATIENT, what));
    }
    answered(visit, wait(book::next_state(&visit.session, id, version, to)), to.as_str())
}

/// `POST /flow/undo`
pub(crate) fn undo(visit: &Visit) -> Result<Answer, Fault> {
    let (Some(version), Some(before)) = (number(visit, "version"), number(visit, "before")) else {
        return Ok(missing::page(visit));
    };
    let undo = Undo { id: visit.field("id").to_owned(), version, before };
    match wait(book::undo(&visit.session, &undo)) {
        Ok(_) => Ok(Answer::go(chosen(visit).path("/flow", &[("said", "undone")]))),
        Err(fault) => answered(visit, Err(fault), ""),
    }
}

fn answered(visit: &Visit, done: Result<Done, Fault>, said: &str) -> Result<Answer, Fault> {
    let chosen = chosen(visit);
    match done {
        Ok(Done { undo: Some(undo), .. }) => {
            let (version, before) = (undo.version.to_string(), undo.before.to_string());
            let more =
                [("said", said), ("id", &undo.id), ("version", &version), ("before", &before)];
            Ok(Answer::go(chosen.path("/flow", &more)))
        }
        Ok(Done { undo: None, .. }) => Ok(Answer::go(chosen.path("/flow", &[("said", said)]))),
        Err(fault) if is_nothing(&fault) => Ok(missing::page(visit)),
        Err(fault) if fault.code() == &code::VERSION_CONFLICT => {
            Ok(Answer::go(chosen.path("/flow", &[("said", "changed")])))
        }
        Err(fault) if fault.code() == &code::SCHEDULING_STEP => {
            Ok(Answer::go(chosen.path("/flow", &[("said", "step")])))
        }
        Err(fault) => Err(fault),
    }
}

fn chosen(visit: &Visit) -> Chosen {
    Chosen::of(|name| visit.field(name).to_owned())
}

fn number(visit: &Visit, name: &str) -> Option<u64> {
    visit.field(name).parse().ok()
}
