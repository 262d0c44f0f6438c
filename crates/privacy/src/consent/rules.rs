//! The answer: what consents say for one question, patient by patient.

use super::read::Read;
use super::{Actor, Provision, turns};
use access::{Labels, Purpose};
use base::Millis;
use fhir::definitions::{TypeId, r4};
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// What is asked of all consents at once.
#[derive(Debug, Clone)]
pub struct Question<'q> {
    /// Who asks.
    pub actor: &'q Actor,
    /// Why.
    pub purpose: Purpose,
    /// Records are handed out (export, print), not only looked at.
    pub release: bool,
    /// When.
    pub now: Millis,
}

/// Records of one patient that are not to be shown. All that is given must apply; what is empty
/// applies to every record.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Denial {
    /// Only records of these types.
    pub types: Option<BTreeSet<TypeId>>,
    /// Only records that carry one of these labels; 0 for any record.
    pub labels: u64,
    /// Only these records, as `Type/id`; none for any.
    pub records: BTreeSet<String>,
}

impl Denial {
    /// Whether a record of the patient is denied.
    pub fn denies(&self, of: TypeId, id: &str, labels: u64) -> bool {
        self.types.as_ref().is_none_or(|types| types.contains(&of))
            && (self.labels == 0 || self.labels & labels != 0)
            && (self.records.is_empty() || {
                self.records.contains(&format!("{}/{id}", r4().name(of)))
            })
    }
}

/// What consents say for one question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PatientRules {
    /// By the patient's id: the labels that the patient's records may be released with.
    pub granted: HashMap<String, u64>,
    /// By the patient's id: labels that records of some types only may be released with. Whoever
    /// leaves it out shows less.
    pub partly: HashMap<String, BTreeMap<TypeId, u64>>,
    /// By the patient's id: what is denied. A denial is stronger than a grant.
    pub denied: HashMap<String, Vec<Denial>>,
    /// The first instant at which time alone may change the answer.
    pub good_until: Millis,
}

impl PatientRules {
    /// Whether consents leave a record of a patient visible, of whose labels `walled` need consent.
    /// The policies decide the rest.
    pub fn leaves(&self, patient: &str, of: TypeId, id: &str, labels: u64, walled: u64) -> bool {
        let granted = self.granted.get(patient).copied().unwrap_or_default();
        let partly = self.partly.get(patient).and_then(|types| types.get(&of));
        let granted = granted | partly.copied().unwrap_or_default();
        let denied = self.denied.get(patient).map_or(&[][..], Vec::as_slice);
        labels & walled & !granted == 0 && !denied.iter().any(|d| d.denies(of, id, labels))
    }
}

#[derive(Default)]
struct Patient {
    granted: u64,
    partly: BTreeMap<TypeId, u64>,
    denied: BTreeSet<Denial>,
}

pub(super) fn rules<'r>(
    consents: impl Iterator<Item = &'r Read>,
    question: &Question<'_>,
) -> PatientRules {
    let mut patients: HashMap<&str, Patient> = HashMap::new();
    let mut good_until = i64::MAX;
    for consent in consents {
        let Some(patient) = &consent.patient else { continue };
        for provision in &consent.provisions {
            let own = patients.entry(patient).or_default();
            walk(provision, true, question, own, &mut good_until);
        }
    }
    let mut rules = PatientRules {
        granted: HashMap::new(),
        partly: HashMap::new(),
        denied: HashMap::new(),
        good_until: Millis(good_until),
    };
    for (patient, found) in patients {
        if found.granted != 0 {
            rules.granted.insert(patient.to_owned(), found.granted);
        }
        if !found.partly.is_empty() {
            rules.partly.insert(patient.to_owned(), found.partly);
        }
        if !found.denied.is_empty() {
            rules.denied.insert(patient.to_owned(), found.denied.into_iter().collect());
        }
    }
    rules
}

fn all_types() -> impl Iterator<Item = TypeId> {
    r4().resource_types().map(|(of, _)| of)
}

/// `grants`: a permit grants labels; as an exception of a deny it only lifts that.
fn walk(
    provision: &Provision,
    grants: bool,
    question: &Question<'_>,
    out: &mut Patient,
    good_until: &mut i64,
) {
    let turn = turns(provision, question.now);
    *good_until = turn.map_or(*good_until, |turn| turn.min(*good_until));
    if provision.deny {
        if applies(provision, question) {
            deny(provision, question, out);
        }
        for inner in &provision.inner {
            walk(inner, false, question, out, good_until);
        }
        return;
    }
    if grants && applies(provision, question) {
        match &provision.types {
            None => out.granted |= provision.labels.bits(),
            Some(types) => {
                for of in types {
                    *out.partly.entry(*of).or_default() |= provision.labels.bits();
                }
            }
        }
    }
    for inner in &provision.inner {
        walk(inner, grants, question, out, good_until);
    }
}

fn deny(provision: &Provision, question: &Question<'_>, out: &mut Patient) {
    let mut types = provision.types.clone();
    for exception in provision.inner.iter().filter(|p| !p.deny && applies(p, question)) {
        // An exception for some labels cannot be told of a record that carries others too: it does
        // not lift (and the reading warned of it).
        if exception.labels != Labels::NONE {
            continue;
        }
        match &exception.types {
            None => return,
            Some(lifted) => {
                let rest = types.unwrap_or_else(|| all_types().collect());
                types = Some(rest.difference(lifted).copied().collect());
            }
        }
    }
    if types.as_ref().is_some_and(BTreeSet::is_empty) {
        return;
    }
    let (labels, records) = (provision.labels.bits(), provision.records.clone());
    out.denied.insert(Denial { types, labels, records });
}

fn applies(provision: &Provision, question: &Question<'_>) -> bool {
    let way = if question.release { provision.releasing } else { provision.viewing };
    let time = provision.low <= question.now.0 && question.now.0 <= provision.high;
    let actor = provision.actors.iter().all(|references| match provision.deny {
        true => question.actor.perhaps(references),
        false => question.actor.surely(references),
    });
    let purpose = match &provision.purposes {
        // A restriction does not stand in the way of emergency treatment unless it says so
        // (45 CFR 164.522(a)(1)(iii), 42 CFR 2.51).
        None => !provision.deny || question.purpose != Purpose::Emergency,
        Some(purposes) => purposes.contains(&question.purpose),
    };
    way && time && actor && purpose
}
