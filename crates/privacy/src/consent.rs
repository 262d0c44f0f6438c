//! FHIR Consent as rules of release (<https://hl7.org/fhir/R4/consent.html>; 42 CFR 2.31, 45 CFR
//! 164.508, 164.522(a)): which labels every record of a patient may be released with, and which
//! records are denied, for an actor, a purpose and an instant.
//!
//! What is not understood never helps anybody to a record: a permit with such a part grants nothing,
//! a deny with such a part denies all that it might mean. Both leave a warning for the people who
//! keep consents.

mod actor;
mod parts;
mod read;
mod rules;

pub use actor::Actor;
pub(crate) use parts::span;
pub use rules::{Denial, PatientRules, Question};

use crate::consent::read::Read;
use access::{Labels, Purpose};
use base::Millis;
use fhir::Value;
use fhir::definitions::TypeId;
use std::collections::{BTreeMap, BTreeSet};

/// What a Consent says that is not understood, or not as it may have been meant. It quotes nothing
/// of the record but ids.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Warning {
    /// The id of the Consent.
    pub consent: String,
    /// Where: the path of the element.
    pub place: String,
    /// What is the matter with it, and what follows.
    pub what: &'static str,
}

/// All consents that count, compiled. Answers depend on what is in it and not on the order in which
/// it came.
#[derive(Debug, Clone, Default)]
pub struct Releases {
    /// By the Consent's id.
    consents: BTreeMap<String, Read>,
    epoch: u64,
}

impl Releases {
    /// Takes in a Consent as it is now, in place of what it said before. One that is not active, or
    /// is about something other than privacy, takes away what it said before.
    pub fn put(&mut self, id: &str, consent: Value<'_>) {
        self.epoch += 1;
        self.consents.insert(id.to_owned(), read::read(id, consent));
    }

    /// Forgets a Consent that was deleted.
    pub fn remove(&mut self, id: &str) {
        self.epoch += 1;
        self.consents.remove(id);
    }

    /// Grows with every change: answers of one epoch may be kept until
    /// [`PatientRules::good_until`].
    pub const fn epoch(&self) -> u64 {
        self.epoch
    }

    /// What was not understood, by consent.
    pub fn warnings(&self) -> impl Iterator<Item = &Warning> {
        self.consents.values().flat_map(|read| &read.warnings)
    }

    /// What holds for every patient who has said anything.
    pub fn rules(&self, question: &Question<'_>) -> PatientRules {
        rules::rules(self.consents.values(), question)
    }

    /// The records that a patient paid for in full and keeps from the payer (164.522(a)(1)(vi)), as
    /// `Type/id`: what the labelling gives `SELFPAY`.
    pub fn self_paid(&self) -> BTreeSet<&str> {
        let mut left: Vec<&Provision> = Vec::new();
        for read in self.consents.values().filter(|read| read.self_pay) {
            left.extend(&read.provisions);
        }
        let mut records = BTreeSet::new();
        while let Some(provision) = left.pop() {
            left.extend(&provision.inner);
            records.extend(provision.records.iter().map(String::as_str));
        }
        records
    }
}

/// A rule of a Consent: a condition on the question, one on the records, and exceptions.
#[derive(Debug, Clone)]
pub(crate) struct Provision {
    pub(crate) deny: bool,
    /// When it holds.
    pub(crate) low: i64,
    pub(crate) high: i64,
    /// To whom: somebody of each list.
    pub(crate) actors: Vec<Vec<String>>,
    /// For what; anything when `None`.
    pub(crate) purposes: Option<Vec<Purpose>>,
    /// Looking at records here; handing them out.
    pub(crate) viewing: bool,
    pub(crate) releasing: bool,
    /// Labels granted by a permit; what is denied by a deny (any record when none).
    pub(crate) labels: Labels,
    pub(crate) types: Option<BTreeSet<TypeId>>,
    /// `Type/id`; of a deny only.
    pub(crate) records: BTreeSet<String>,
    pub(crate) inner: Vec<Self>,
}

/// What is asked of time by a provision, so that an answer knows how long it is good.
pub(crate) const fn turns(provision: &Provision, now: Millis) -> Option<i64> {
    if provision.low > now.0 {
        Some(provision.low)
    } else if provision.high >= now.0 && provision.high < i64::MAX {
        Some(provision.high + 1)
    } else {
        None
    }
}
