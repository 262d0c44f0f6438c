//! Finding patients as a front desk does: what a reader is asked, and what it answers
//! ([`crate::Reader`], docs/internals/search.md).

use crate::page::Hit;
use search::people::ask::{Question, Seen};
use search::people::judge::Rank;

/// A question, and the bounds of its answer.
#[derive(Debug, Clone, Copy)]
pub struct PeopleAsk<'q> {
    /// What is asked for, with nothing in it that whoever asks may not see ([`Question::within`]).
    pub question: &'q Question,
    /// What of a patient may be seen: the order of the answer and its warnings say nothing of the rest.
    pub seen: Seen,
    /// Patients to answer.
    pub limit: usize,
    /// Steps before the search is refused.
    pub steps_max: u64,
}

/// The patients a question finds, the best first.
#[derive(Debug, Clone, Default)]
pub struct People {
    /// They.
    pub found: Vec<Person>,
    /// There are more than are answered.
    pub more: bool,
    /// Nobody is all that was asked for: these are found by the name alone.
    pub by_name_alone: bool,
    /// What it cost.
    pub steps: u64,
}

/// A patient that was found.
#[derive(Debug, Clone)]
pub struct Person {
    /// The record.
    pub hit: Hit,
    /// How well it fits.
    pub rank: Rank,
    /// Another patient that can be seen has the same family and given name.
    pub same_name: bool,
    /// Another patient that can be seen sounds alike and was born on the same day.
    pub sounds_alike: bool,
}

/// Patients who may be the one that is described.
#[derive(Debug, Clone, Copy)]
pub struct Alike<'q> {
    /// What is known of the one.
    pub facts: &'q search::people::key::Facts,
    /// What of a patient may be seen, and so compared.
    pub seen: Seen,
    /// Patients to answer: those that agree in most.
    pub limit: usize,
    /// Steps before the search is refused.
    pub steps_max: u64,
}
