//! Whether a patient who is about to be registered is here already: candidates by the index that
//! finding uses, each scored by [`crate::matching`], with the reasons in words. It proposes; whoever
//! asks decides. Nothing is created, linked or merged here.

use crate::matching::{Features, Grade, Reason, compare};
use crate::patients::{PATIENTS_MAX, PatientRow, patient_type};
use crate::session::{Audited, Session};
use crate::trail;
use access::Action;
use audit::{Kind, Target};
use base::Fault;
use base::error::code;
use fhir::{Document, Value};
use store::{Alike, Hit};

/// Candidates that are scored: those that agree in most with the draft, by the index. Twenty are shown,
/// so three times as many leave room for what the index does not know (address, sex).
const CANDIDATES: usize = 60;

/// Somebody who may be the one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Duplicate {
    /// Who.
    pub row: PatientRow,
    /// Hundredths of bits of evidence.
    pub weight: i32,
    /// What that comes to.
    pub grade: Grade,
    /// What it is made of.
    pub reasons: Vec<Reason>,
}

impl Session {
    /// Patients who may be the one that a draft describes, the likeliest first. A draft is a Patient,
    /// whole or in part; one with an id is never its own duplicate.
    ///
    /// # Errors
    /// `fhir.resource.type-mismatch` when the draft is no Patient; `search.query.too-costly`;
    /// `access.denied`.
    pub fn possible_duplicates(&self, draft: &Document) -> Result<Audited<Vec<Duplicate>>, Fault> {
        let mut event = self.event(Kind::Search);
        event.targets = vec![Target::of_type("Patient")];
        match self.duplicates_of(draft.root()) {
            Ok((found, hits)) => {
                trail::shows(&mut event, &hits);
                self.audited(&event, found)
            }
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    fn duplicates_of(&self, draft: Value<'_>) -> Result<(Vec<Duplicate>, Vec<Hit>), Fault> {
        if draft.get_str("resourceType").is_none_or(|name| name != "Patient") {
            let text = "duplicates are looked for of a Patient";
            return Err(Fault::new(&code::RESOURCE_TYPE_MISMATCH, text));
        }
        let of = patient_type();
        let scope = self.scope_of(Action::Search, of)?;
        let wanted = Features::of(draft);
        let own = draft.get_str("id");
        let reader = self.gate.store.reader(&scope)?;
        let hits = reader.alike(&Alike {
            facts: &wanted.facts,
            seen: self.seen(of),
            limit: CANDIDATES,
            steps_max: self.limits().search_steps,
        })?;
        drop(reader);
        let mut found = Vec::new();
        for mut hit in hits {
            if own.as_ref().is_some_and(|id| *id == hit.id) {
                continue;
            }
            // What is hidden from the caller counts neither for nor against.
            self.prune(&mut hit)?;
            let document = Document::parse(hit.body.clone(), self.limits())?;
            let score = compare(&wanted, &Features::of(document.root()));
            let Some(grade) = score.grade() else { continue };
            let row = self.patient_row(&hit)?;
            let (weight, reasons) = (score.weight, score.reasons);
            found.push((Duplicate { row, weight, grade, reasons }, hit));
        }
        found.sort_by(|(a, _), (b, _)| {
            b.weight.cmp(&a.weight).then_with(|| a.row.id.cmp(&b.row.id))
        });
        found.truncate(PATIENTS_MAX);
        Ok(found.into_iter().unzip())
    }
}
