//! Who may do what to which records: the policies, and the guard that they come down to.
//!
//! Policies are Cedar texts ([`policies`]): locked walls, the shipped roles, and what a site adds.
//! A question ([`who`]) is decided ([`decide`]) into a [`Guard`]: a formula over the few facts of a
//! record that an index can hold ([`guard`]), so that a search never sees what it may not show, and
//! a read tests one record in well under a microsecond. 45 CFR 164.312(a)(1), 164.502(b).
//!
//! It opens no store and no file, and asks no clock: texts, principals and facts come in as
//! parameters. `docs/internals/access.md` tells what a policy may say, and what this does not
//! protect against.

mod cache;
mod choice;
mod clause;
mod compile;
pub mod decide;
pub mod diff;
mod exception;
mod explain;
pub mod guard;
mod judge;
mod label;
pub mod matrix;
mod minus;
mod named;
pub mod policies;
mod statements;
pub mod who;

pub use choice::{Choice, Name, Names, Set};
pub use clause::{Clause, Patients};
pub use decide::{Decision, Receipt};
pub use diff::{Change, Diff};
pub use exception::{Exception, exception};
pub use explain::Explained;
pub use guard::{CLAUSES_MAX, Facts, Guard, TooManyClauses};
pub use judge::Records;
pub use label::{ACT_CODE, CONFIDENTIALITY, LABELS, Label, Labels, OWN};
pub use matrix::{Matrix, Persona};
pub use named::Named;
pub use policies::{Policies, Rule, Text};
pub use who::{Action, Context, PrincipalKind, Purpose, Who};
