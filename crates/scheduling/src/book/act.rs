//! What is done at the desk.

use super::{Booking, Done, Held, House, Move, Place, Undo};
use crate::flow::State;
use base::Fault;
use record::Session;

/// Holds a place for the caller, for as long as the house says. `patient` may be known already; `form`
/// is the form's own id, as of [`Booking::form`].
///
/// # Errors
/// `scheduling.booking.blocked`, `scheduling.appointment.double-booked`; as a write. Rules that a reason
/// sets aside do not stop a hold: the reason is asked for when it is booked.
pub async fn hold(
    session: &Session,
    house: &House,
    place: &Place,
    patient: Option<&str>,
    form: &str,
) -> Result<Held, Fault> {
    let _ = (session, house, place, patient, form);
    unimplemented!()
}

/// Lets a hold go. One that is over, or is gone already, is no fault.
///
/// # Errors
/// `scheduling.hold.lost` for what is somebody else's, or is no hold; as a write.
pub async fn release(session: &Session, id: &str) -> Result<(), Fault> {
    let _ = (session, id);
    unimplemented!()
}

/// Books.
///
/// # Errors
/// `scheduling.booking.blocked`; `scheduling.booking.override-needed` when a rule asks for a reason and
/// none is given; `scheduling.appointment.double-booked`; `scheduling.hold.lost`; as a write. Each issue
/// of the first two names its rule by its code.
pub async fn book(session: &Session, house: &House, booking: &Booking) -> Result<Done, Fault> {
    let _ = (session, house, booking);
    unimplemented!()
}

/// Moves an appointment to another time, other resources, or both.
///
/// # Errors
/// As [`book`]; `record.write.version-conflict`; `scheduling.flow.step` for one that has begun or is over.
pub async fn move_to(session: &Session, house: &House, to: &Move) -> Result<Done, Fault> {
    let _ = (session, house, to);
    unimplemented!()
}

/// Calls an appointment off. `reason` is a code of `appointment-cancellation-reason`.
///
/// # Errors
/// `record.write.version-conflict`; `scheduling.flow.step`; `scheduling.calendar.invalid` for a reason
/// that is none.
pub async fn cancel(
    session: &Session,
    id: &str,
    version: u64,
    reason: &str,
) -> Result<Done, Fault> {
    let _ = (session, id, version, reason);
    unimplemented!()
}

/// Marks that the patient did not come.
///
/// # Errors
/// As [`next_state`].
pub async fn no_show(session: &Session, id: &str, version: u64) -> Result<Done, Fault> {
    next_state(session, id, version, State::NoShow).await
}

/// Takes a step of the visit's day: confirmed, arrived, roomed, with the clinician, done. To be where
/// one is already is no fault, whatever the version: two people pressed the same button.
///
/// # Errors
/// `scheduling.flow.step`; `record.write.version-conflict`.
pub async fn next_state(
    session: &Session,
    id: &str,
    version: u64,
    to: State,
) -> Result<Done, Fault> {
    let _ = (session, id, version, to);
    unimplemented!()
}

/// Takes back what was done last: the version before comes again, when its place is free still.
///
/// # Errors
/// `record.write.version-conflict` when it was changed since; `scheduling.flow.step` after 30 minutes;
/// `scheduling.appointment.double-booked` when its place was given to somebody else.
pub async fn undo(session: &Session, undo: &Undo) -> Result<Done, Fault> {
    let _ = (session, undo);
    unimplemented!()
}
