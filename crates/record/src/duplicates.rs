//! Whether a patient who is about to be registered is here already: candidates by the index that
//! finding uses, each scored by [`crate::matching`], with the reasons in words. It proposes; whoever
//! asks decides. Nothing is created, linked or merged here.

use crate::find::{CURSOR, SearchHow};
use crate::matching::{Features, Grade, Reason, compare};
use crate::patients::{PATIENTS_MAX, PatientRow, patient_type};
use crate::session::{Audited, Session};
use crate::trail;
use access::Action;
use audit::{Kind, Target};
use base::Fault;
use base::error::code;
use fhir::{Document, Value};
use search::parse::Level;
use std::collections::HashSet;
use store::{Alike, Hit};

/// Candidates that are scored: those that agree in most with the draft, by the index. Twenty are shown,
/// so three times as many leave room for what the index does not know (address, sex).
const CANDIDATES: usize = 60;

/// Records of one page of the review: each is compared with those that the index finds alike, which takes
/// milliseconds, and a page is waited for.
const REVIEWED: usize = 40;

/// Two records that may be of one patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pair {
    /// The record that was looked at.
    pub row: PatientRow,
    /// The other, with what speaks for it.
    pub other: Duplicate,
}

/// A page of the review of likely duplicates.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Pairs {
    /// The pairs, the likeliest first.
    pub pairs: Vec<Pair>,
    /// How many records were looked at.
    pub looked_at: usize,
    /// Where the next page begins, unless all were looked at.
    pub next: Option<String>,
}

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

    /// Pairs of records that are likely of one patient, among those that were changed last; `cursor`
    /// leads further back. Records that are merged, and pairs that were decided to be two, are left out.
    /// One event names everybody shown.
    ///
    /// # Errors
    /// `search.page.cursor`; `search.query.too-costly`; `access.denied`.
    pub fn duplicate_pairs(&self, cursor: Option<&str>) -> Result<Audited<Pairs>, Fault> {
        let mut event = self.event(Kind::Search);
        event.targets = vec![Target::of_type("Patient")];
        match self.pairs_from(cursor) {
            Ok((found, hits)) => {
                trail::shows(&mut event, &hits);
                self.audited(&event, found)
            }
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    fn pairs_from(&self, cursor: Option<&str>) -> Result<(Pairs, Vec<Hit>), Fault> {
        let level = Level::Type(patient_type());
        let pairs = match cursor {
            Some(cursor) => vec![(CURSOR.to_owned(), cursor.to_owned())],
            None => vec![
                ("_sort".to_owned(), "-_lastUpdated".to_owned()),
                ("_count".to_owned(), REVIEWED.to_string()),
            ],
        };
        let (page, _) = self.find(&level, pairs, &SearchHow::default())?;
        let mut out =
            Pairs { looked_at: page.page.matches.len(), next: page.next, ..Pairs::default() };
        let mut hits = Vec::new();
        let mut seen = HashSet::new();
        for hit in page.page.matches {
            let row = self.patient_row(&hit)?;
            if row.replaced_by.is_some() {
                continue;
            }
            let document = Document::parse(hit.body.clone(), self.limits())?;
            let (found, others) = self.duplicates_of(document.root())?;
            for (other, other_hit) in found.into_iter().zip(others) {
                let (a, b) = (row.id.clone(), other.row.id.clone());
                let pair = if a <= b { (a, b) } else { (b, a) };
                let counts = other.grade >= Grade::Mid
                    && other.row.replaced_by.is_none()
                    && !is_family(&other.reasons);
                if !counts || seen.contains(&pair) || self.is_apart(&pair.0, &pair.1)? {
                    continue;
                }
                seen.insert(pair);
                out.pairs.push(Pair { row: row.clone(), other });
                hits.extend([hit.clone(), other_hit]);
            }
        }
        out.pairs.sort_by(|a, b| {
            b.other.weight.cmp(&a.other.weight).then_with(|| a.row.id.cmp(&b.row.id))
        });
        Ok((out, hits))
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

/// Whether two rather are of one household: what they share is a home and its numbers, and they were born
/// on different days and have another name or sex. Typed together on purpose they are still compared.
fn is_family(reasons: &[Reason]) -> bool {
    let has = |one| reasons.contains(&one);
    has(Reason::BornDiffers) && (has(Reason::GivenDiffers) || has(Reason::SexDiffers))
}
