//! The department behind the inbox: which results, messages and tasks wait for somebody, and what is done
//! with them. Values in, values out, under the caller's own session; it knows no page, no address and no
//! statement of a store. docs/internals/inbox.md walks through it.
//!
//! What waits is told by the record itself, each time it is asked, and kept in no list of our own: a
//! result that fell out of a list is how findings are missed. Whom it waits for decides what is shown
//! first, and never what may be seen.

pub mod act;
pub mod clock;
pub mod cover;
mod department;
pub mod earlier;
pub mod gather;
pub mod item;
mod items;
pub mod judge;
pub mod order;
mod owner;
mod read;
mod reviews;
mod rule;
pub mod whom;
mod write;

pub use act::{Act, Done, Took};
pub use clock::{Age, Due, Rule};
pub use department::DEPARTMENT;
pub use earlier::{Earlier, earlier};
pub use gather::{Inbox, RESULT_DAYS, gather, of_patient, one};
pub use item::{Item, Kind, Line, Seen, Stage, Weight, Whose};
pub use order::Group;
pub use whom::{Desks, Me, Pool};

/// The system of our own codes and identifiers: HL7 has none for a pool, a cover, or the review of a
/// result.
pub const SYSTEM: &str = "urn:plummer:inbox";
/// The code of the Task by which a result is reviewed.
pub const REVIEW: &str = "review-result";
