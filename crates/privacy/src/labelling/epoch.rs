//! Under which rules records were labelled: what is in force at an instant, as a short text that a
//! store keeps, and what a change from one to another may do to a record's labels.
//!
//! An epoch is a set of parts; a part is a rule that looks for codes, or a rule and one record that is
//! tagged for it. A record's labels are those of the parts that apply to it. So a record that was
//! labelled in one epoch can have gained in another only labels of parts that are new, and lost only
//! labels of parts that are gone: nothing else of it is in doubt while it waits to be gone over.

use super::{Condition, Labeller, Rule, Tagged};
use access::Labels;
use base::Millis;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;

/// The form of the text, and how labels are found: a change of the code that finds them is another.
const FORM: &str = "1";
/// The longest text that is read.
const TEXT_MAX: usize = 4 << 20;

/// The rules in force at an instant.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Epoch {
    parts: BTreeMap<u64, Part>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Part {
    labels: u64,
    /// The patient whose record is tagged.
    patient: Option<String>,
}

/// What a change of epochs may do to the labels of a record.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Change {
    /// Labels that any record may gain.
    pub gained: Labels,
    /// Labels that any record may lose.
    pub lost: Labels,
    /// Labels that records of these patients may gain, and those about nobody.
    pub of_patients: Labels,
    /// Ids of Patients.
    pub patients: Vec<String>,
}

impl Epoch {
    /// The text to keep.
    pub fn text(&self) -> String {
        let mut out = FORM.to_owned();
        for (key, Part { labels, patient }) in &self.parts {
            out.push_str(&format!("\n{key:016x} {labels:016x}"));
            if let Some(patient) = patient {
                out.push(' ');
                out.push_str(patient);
            }
        }
        out
    }

    /// Undoes [`Epoch::text`]; `None` for what another program may have written.
    pub fn parse(text: &str) -> Option<Self> {
        if text.len() > TEXT_MAX {
            return None;
        }
        let mut lines = text.split('\n');
        if lines.next() != Some(FORM) {
            return None;
        }
        let part = |line: &str| {
            let mut words = line.splitn(3, ' ');
            let mut number = || u64::from_str_radix(words.next()?, 16).ok();
            let (key, labels) = (number()?, number()?);
            Some((key, Part { labels, patient: words.next().map(str::to_owned) }))
        };
        Some(Self { parts: lines.map(part).collect::<Option<_>>()? })
    }

    /// A short name for it.
    pub fn digest(&self) -> String {
        let hash = Sha256::digest(self.text().as_bytes());
        hash.iter().take(6).map(|byte| format!("{byte:02x}")).collect()
    }

    /// What may become of records that were labelled in `before`; of records of which it is not known
    /// when they were labelled, without one.
    pub fn since(&self, before: Option<&Self>) -> Change {
        let mut change = Change::default();
        let Some(before) = before else {
            change.gained = self
                .parts
                .values()
                .fold(Labels::UNLABELLED, |all, part| all | Labels::from_bits(part.labels));
            change.lost = Labels::from_bits(u64::MAX);
            return change;
        };
        for (key, part) in &self.parts {
            let labels = Labels::from_bits(part.labels);
            match &part.patient {
                _ if before.parts.get(key) == Some(part) => {}
                Some(patient) => {
                    change.of_patients = change.of_patients | labels | Labels::UNLABELLED;
                    change.patients.push(patient.clone());
                }
                None => change.gained = change.gained | labels | Labels::UNLABELLED,
            }
        }
        for (key, part) in &before.parts {
            if self.parts.get(key) != Some(part) {
                change.lost = change.lost | Labels::from_bits(part.labels);
            }
        }
        change
    }
}

impl Change {
    /// No record's labels are in doubt.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

impl Labeller {
    /// The rules in force at an instant, in a state, with these records tagged.
    pub fn epoch(&self, now: Millis, state: &str, tagged: &Tagged) -> Epoch {
        let mut epoch = Epoch::default();
        let mut add = |rule: &Rule, what: &[&str], patient: Option<String>| {
            let part = Part { labels: rule.labels.bits(), patient };
            epoch.parts.insert(key(rule, what), part);
        };
        for rule in self.rules().iter().filter(|rule| rule.is_in_force(now, state)) {
            for condition in &rule.any {
                match condition {
                    Condition::Code { system, codes } => {
                        let words: Vec<&str> = words("code", system, codes).collect();
                        add(rule, &words, None);
                    }
                    Condition::Prefix { system, prefixes } => {
                        let words: Vec<&str> = words("prefix", system, prefixes).collect();
                        add(rule, &words, None);
                    }
                    Condition::Source(tag) => {
                        for (record, _) in tagged.iter().filter(|(_, tags)| tags.contains(tag)) {
                            let patient = record.strip_prefix("Patient/").map(str::to_owned);
                            add(rule, &["source", tag, record], patient);
                        }
                    }
                }
            }
        }
        epoch
    }

    /// The next instant at which a rule begins or ends by itself.
    pub fn next_change(&self, now: Millis) -> Option<Millis> {
        let ends = self.rules().iter().flat_map(|rule| [Some(rule.from), rule.to]);
        ends.flatten().filter(|at| *at > now).min()
    }
}

fn words<'c>(kind: &'c str, system: &'c str, codes: &'c [String]) -> impl Iterator<Item = &'c str> {
    [kind, system].into_iter().chain(codes.iter().map(String::as_str))
}

/// What a part is known by: the rule as far as it decides anything, and what it looks for.
fn key(rule: &Rule, what: &[&str]) -> u64 {
    let mut hash = Sha256::new();
    hash.update(rule.labels.bits().to_be_bytes());
    let (low, high) = rule.age.unwrap_or((0, u32::MAX));
    hash.update(low.to_be_bytes());
    hash.update(high.to_be_bytes());
    for word in what {
        hash.update(word.as_bytes());
        hash.update([0]);
    }
    let digest = hash.finalize();
    u64::from_be_bytes(digest.first_chunk().copied().unwrap_or_default())
}
