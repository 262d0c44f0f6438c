//! What a record says of being another's (`Patient.link`,
//! <https://hl7.org/fhir/R4/patient-definitions.html#Patient.link>) is said by who may merge both, through
//! whichever door: a plain change of it is a merge, or a parting, under another name (45 CFR 164.312(c)(1)).
//! Import is exempt, as of the rules of departments.

use crate::actor::denied;
use crate::patients::{each, patient_type};
use crate::ruling::unchanged;
use crate::session::Session;
use access::Action;
use base::Fault;
use fhir::reference::{Reference, parse};
use fhir::{Document, Value};
use memchr::memmem;
use std::collections::{BTreeSet, HashSet};
use store::body::resource_text;
use store::{Op, Scope, Unit};

/// How the member is written, by which most documents are known to have none.
const LINK: &[u8] = b"\"link\"";

/// A link as it is written, and the Patient that it leads to.
type Link = (String, Option<String>);

impl Session {
    /// Refuses a unit that changes a link of a Patient for who may not merge both records, and has the
    /// writer hold that none was changed since it was looked at. What the caller may not see and what is
    /// not there are refused in the same words.
    pub(crate) fn keeps_links(&self, unit: &mut Unit) -> Result<(), Fault> {
        let of = patient_type();
        let is_one = |op: &Op| match op {
            Op::Create(content) | Op::Update { content, .. } => content.resource_type == of,
            Op::Delete { .. } => false,
        };
        // Who is on the machine itself may do anything to any.
        if !unit.ops.iter().any(is_one) || self.rights().is_none() {
            return Ok(());
        }
        let house = Scope::everything();
        let reader = self.gate.store.reader(&house)?;
        let as_of = reader.snapshot()?;
        let written: HashSet<&str> = unit
            .ops
            .iter()
            .filter_map(|op| match op {
                Op::Create(content) | Op::Update { content, .. } => Some(content.id.as_str()),
                Op::Delete { .. } => None,
            })
            .collect();
        let mut watches = Vec::new();
        for op in &unit.ops {
            let (Op::Create(content) | Op::Update { content, .. }) = op else { continue };
            if content.resource_type != of {
                continue;
            }
            let before = match op {
                Op::Create(_) => None,
                _ => reader.read(of, &content.id)?.filter(|hit| !hit.deleted),
            };
            let before = match before {
                None => BTreeSet::new(),
                Some(hit) => {
                    watches.push(unchanged(of, &content.id, as_of));
                    self.links_in(hit.body)?
                }
            };
            let after = match memmem::find(&content.text, LINK) {
                None => BTreeSet::new(),
                Some(_) => {
                    let (now, text) = (self.now(), &content.text);
                    self.links_in(resource_text("Patient", &content.id, 1, now, text)?)?
                }
            };
            let changed: Vec<&Link> = before.symmetric_difference(&after).collect();
            if changed.is_empty() {
                continue;
            }
            let others = changed.iter().filter_map(|(_, other)| other.as_deref());
            for id in std::iter::once(content.id.as_str()).chain(others) {
                let is_there = reader.read(of, id)?.is_some_and(|hit| !hit.deleted);
                let may = match !is_there && written.contains(id) {
                    true => self.scope_of(Action::Merge, of).is_ok(),
                    false => self.may_to(Action::Merge, of, id)?,
                };
                if !may {
                    return Err(denied());
                }
            }
        }
        unit.watches.append(&mut watches);
        Ok(())
    }

    fn links_in(&self, body: Vec<u8>) -> Result<BTreeSet<Link>, Fault> {
        if memmem::find(&body, LINK).is_none() {
            return Ok(BTreeSet::new());
        }
        let document = Document::parse(body, self.limits())?;
        Ok(each(document.root(), "link").map(|one| (one.raw().to_owned(), other(one))).collect())
    }
}

/// The Patient that a link leads to.
fn other(one: Value<'_>) -> Option<String> {
    let reference = one.get("other")?.get_str("reference")?;
    match parse(&reference)? {
        Reference::Relative(target) if target.resource_type == "Patient" => {
            Some(target.id.to_owned())
        }
        _ => None,
    }
}
