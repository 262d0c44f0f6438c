//! Labels that follow the rules: under which rules the rows were labelled, and what those not yet gone
//! over again may still turn out to be (42 CFR 2.13, 45 CFR 164.502(a): what is not yet known to be
//! free is not shown as free).
//!
//! The store counts **epochs** of rules. Versions are numbered in the order they are written; those up
//! to `done` and those above `last` have the labels of the present epoch, and the rest wait. What
//! labels and rules are, the store does not know.

use crate::body::Prepared;
use crate::page::Hit;

/// Patients to whom a change of rules is narrowed, at most; beyond it, it is narrowed to nobody.
pub const NARROWED_MAX: usize = 256;

/// The state of the labels of a store.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct LabelState {
    /// The rules, counted; 0 before there were any.
    pub epoch: u64,
    /// Versions up to this number have been gone over.
    pub done: u64,
    /// Versions above this number were written under the present rules.
    pub last: u64,
    /// Versions that were given other labels since the work began.
    pub changed: u64,
    /// Labels that a version that waits may turn out to have.
    pub gained: u64,
    /// Labels that it may turn out not to have.
    pub lost: u64,
    /// Labels that it may turn out to have if it is about one of `patients`, or about nobody.
    pub of_patients: u64,
    /// Numbers of Patient records.
    pub patients: Vec<u64>,
}

impl LabelState {
    /// Some versions wait.
    pub const fn is_waiting(&self) -> bool {
        self.done < self.last
    }

    /// Numbers of versions left to go over; some belong to no version.
    pub const fn left(&self) -> u64 {
        self.last.saturating_sub(self.done)
    }

    pub(crate) fn text(&self) -> String {
        let Self { epoch, done, last, changed, gained, lost, of_patients, patients } = self;
        let patients: Vec<String> = patients.iter().map(u64::to_string).collect();
        format!(
            "1 {epoch} {done} {last} {changed} {gained} {lost} {of_patients} {}",
            patients.join(",")
        )
    }

    /// Undoes [`LabelState::text`]; `None` for anything else.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        if words.next() != Some("1") {
            return None;
        }
        let mut number = || words.next()?.parse::<u64>().ok();
        let mut state = Self {
            epoch: number()?,
            done: number()?,
            last: number()?,
            changed: number()?,
            gained: number()?,
            lost: number()?,
            of_patients: number()?,
            patients: Vec::new(),
        };
        let list = words.next()?;
        if !list.is_empty() {
            let numbers = list.split(',').take(NARROWED_MAX + 1).map(|n| n.parse().ok());
            state.patients = numbers.collect::<Option<_>>()?;
        }
        let whole = words.next().is_none() && state.patients.len() <= NARROWED_MAX;
        whole.then_some(state)
    }
}

/// A change of labels that a unit of work makes.
#[derive(Debug)]
pub enum Labelling {
    /// The rules are others from here on.
    Begin(Begin),
    /// Versions were gone over.
    Batch(Batch),
}

/// A new epoch of rules.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Begin {
    /// The epoch it replaces; refused when it is another by now.
    pub replaces: u64,
    /// What the rules are, in the words of whoever keeps them.
    pub note: String,
    /// Labels that versions of the epoch before may turn out to have.
    pub gained: u64,
    /// Labels that they may turn out not to have.
    pub lost: u64,
    /// Labels that they may turn out to have when they are about one of `patients`, or about nobody.
    pub of_patients: u64,
    /// Logical ids of Patient records.
    pub patients: Vec<String>,
}

/// The next versions in the order of their numbers, labelled under the present rules.
#[derive(Debug)]
pub struct Batch {
    /// The epoch of the rules.
    pub epoch: u64,
    /// `done` as it was.
    pub after: u64,
    /// `done` as it is then.
    pub upto: u64,
    /// The versions among them whose labels are others now, in order, and every deletion.
    pub rows: Vec<Relabelled>,
}

/// One version with the labels it has now.
#[derive(Debug)]
pub struct Relabelled {
    /// The number of the version.
    pub number: u64,
    /// `None` for a deletion, which has the labels of what it deleted.
    pub labels: Option<Tagged>,
}

/// The labels of a version.
#[derive(Debug)]
pub struct Tagged {
    /// The mask.
    pub labels: u64,
    /// What `meta.security` is shown as; `None` for nothing.
    pub security: Option<String>,
    /// What the index holds of it from now on, when it is the present version of its record.
    pub content: Option<Box<Prepared>>,
}

/// A version to be gone over.
#[derive(Debug)]
pub struct VersionLabels {
    /// Its number.
    pub number: u64,
    /// The version; `None` when nobody can read it any more.
    pub hit: Option<Hit>,
    /// Its mask.
    pub labels: u64,
    /// It is the present version of its record.
    pub is_present: bool,
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_state_comes_back_from_its_text() {
        let state = LabelState {
            epoch: 3,
            done: 10,
            last: 20,
            changed: 4,
            gained: 1 << 55,
            lost: u64::MAX,
            of_patients: 1 << 54,
            patients: vec![1, 7],
        };
        assert_eq!(LabelState::parse(&state.text()), Some(state.clone()));
        let none = LabelState { patients: Vec::new(), ..state };
        assert_eq!(LabelState::parse(&none.text()), Some(none));
    }

    proptest! {
        #[test]
        fn no_stored_text_panics(text in "1 [0-9 ,x]{0,60}") {
            LabelState::parse(&text);
        }
    }
}
