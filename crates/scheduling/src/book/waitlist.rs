//! The waiting list through the gate: putting somebody on it, changing and taking out, and offering a freed time
//! to those whom it suits, of whom the first who says yes has it. Whom a time is offered to, and in which order,
//! is the engine's ([`crate::waitlist`]); here are the records that it works on, under the caller's own scope.

mod entry;
mod freed;
mod list;
mod offer;
mod round;
mod shown;

pub use entry::{Waiting, Wish, weekday, weekday_code};
pub use freed::{Freed, FreedSince, freed, freed_since};
pub use list::{LIST_MAX, change, listed, put, remove, waiting};
pub use offer::{ASKED_MAX, Rounds, answer, begin, fitting, look, offers, rounds, withdraw};
pub use round::{Means, Offers};
pub use shown::{Hinder, NOT_EARLIER, Shown, shown};
