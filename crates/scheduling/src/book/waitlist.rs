//! The waiting list through the gate: putting somebody on it, changing and taking out, and offering a freed time
//! to those whom it suits, of whom the first who says yes has it. Whom a time is offered to, and in which order,
//! is the engine's ([`crate::waitlist`]); here are the records that it works on, under the caller's own scope.

mod entry;
mod list;
mod offer;
mod round;

pub use entry::{Waiting, Wish, weekday, weekday_code};
pub use list::{LIST_MAX, change, listed, put, remove, waiting};
pub use offer::{
    ASKED_MAX, Freed, Shown, answer, begin, fitting, freed, look, offers, rounds, shown, withdraw,
};
pub use round::{Means, Offers};
