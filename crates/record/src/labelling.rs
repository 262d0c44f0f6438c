//! Labelling at writes: what is about to be stored gets the labels that the rule packs say
//! (`privacy::labelling`), keeps those that a person set before, and carries both in
//! `meta.security` (42 CFR Part 2; guard against a label that is stripped by leaving it out).

use crate::gate::Gate;
use crate::labels::{labels_of, labels_within};
use crate::rules::{InForce, is_directory};
use crate::session::Session;
use base::error::code;
use base::{Fault, Millis};
use fhir::definitions::{TypeId, r4};
use fhir::reference::{Reference, parse};
use fhir::{Document, Value};
use memchr::memmem;
use privacy::labelling::{BASIS, Labelled, Labeller, Security, Source, Tagged};
use store::{Prepared, Scope};

/// The tag of the records that a patient paid for, in the packs.
const SELF_PAID: &str = "self-paid";

impl Session {
    /// A body made ready for the store, with its labels. `replaces` when there may be a version
    /// before, whose labels by persons stay unless the subject may take them off.
    pub(crate) fn labelled(
        &self,
        of: TypeId,
        id: String,
        body: Value<'_>,
        replaces: bool,
    ) -> Result<Prepared, Fault> {
        let gate = &*self.gate;
        let store = &gate.store;
        // Asked first: what comes into force while this is made ready finds it late.
        let in_force = gate.labelling.in_force(gate)?;
        let context = gate.labels_of_context(&in_force, of, body)?;
        let held = labels_within(body) | context.unwrap_or(0);
        let of_epoch = |content: Result<Prepared, Fault>| {
            content.map(|content| Prepared { label_epoch: Some(in_force.epoch), ..content })
        };
        let Some(labeller) = &gate.labelling.labeller else {
            return of_epoch(store.prepare(body, of, id, labels_of(body) | held));
        };
        let labelled = gate.label(labeller, &in_force, of, body, self.now())?;
        let may_take_off = self.takes_labels_off();
        let (before, follows) = match replaces && !may_take_off {
            true => {
                let (before, version) = self.labelled_before(of, &id)?;
                (before, Some(version))
            }
            false => (None, None),
        };
        let own = body.get("meta").and_then(|meta| meta.get("security"));
        let ruled = own.is_some_and(|own| own.raw().contains(BASIS));
        if labelled.labels.is_empty() && before.is_none() && !ruled {
            let content = of_epoch(store.prepare(body, of, id, labels_of(body) | held))?;
            return Ok(Prepared { follows, ..content });
        }
        let root = before.as_ref().map(Document::root);
        let security = Security::of(&labelled, body, root, may_take_off);
        let mut text = Vec::with_capacity(body.raw().len() + 256);
        security.write(body, &mut text);
        let document = Document::parse(text, self.limits())?;
        let content = of_epoch(store.prepare(document.root(), of, id, security.mask | held))?;
        Ok(Prepared { follows, ..content })
    }

    /// The version before, when it has labels, and the number of the present one. Of a record that was
    /// deleted, the version that was: to delete it and write it anew strips nothing.
    fn labelled_before(&self, of: TypeId, id: &str) -> Result<(Option<Document>, u64), Fault> {
        // The gate's own question, whatever the caller sees; nothing of it is shown.
        let everything = Scope::everything();
        let reader = self.gate.store.reader(&everything)?;
        let Some(mut hit) = reader.read(of, id)? else { return Ok((None, 0)) };
        let version = hit.version;
        while hit.deleted {
            let before = match hit.version.checked_sub(1).filter(|version| *version > 0) {
                Some(version) => reader.vread(of, id, version)?,
                None => None,
            };
            match before {
                Some(before) => hit = before,
                None => return Ok((None, version)),
            }
        }
        if memmem::find(&hit.body, b"\"security\"").is_none() {
            return Ok((None, version));
        }
        Ok((Some(Document::parse(hit.body, self.limits())?), version))
    }
}

impl Gate {
    /// What the bytes of a Binary are kept as: the labels, by the rules in force, of the record that its
    /// security context names (<https://hl7.org/fhir/R4/binary.html#security>). `None` when it names
    /// one that is not there, or cannot be read any more: then nothing is known.
    pub(crate) fn labels_of_context(
        &self,
        in_force: &InForce,
        of: TypeId,
        body: Value<'_>,
    ) -> Result<Option<u64>, Fault> {
        if r4().name(of) != "Binary" {
            return Ok(Some(0));
        }
        let text = body.get("securityContext").and_then(|context| context.get_str("reference"));
        let Some(Reference::Relative(target)) = text.as_deref().and_then(parse) else {
            return Ok(Some(0));
        };
        let Some(named) = r4().resource_type(target.resource_type) else { return Ok(Some(0)) };
        let Some((document, written)) = self.last_look(named, target.id)? else { return Ok(None) };
        let root = document.root();
        // What stands in it may wait to be gone over itself.
        let mask = match &self.labelling.labeller {
            Some(labeller) => {
                let labelled = self.label(labeller, in_force, named, root, written)?;
                Security::of(&labelled, root, None, true).mask
            }
            None => labels_of(root),
        };
        Ok(Some(mask | labels_within(root)))
    }

    /// A record as it is, or as it was before it was deleted, and when that was written; the gate's
    /// own question, whatever the caller sees.
    fn last_look(&self, of: TypeId, id: &str) -> Result<Option<(Document, Millis)>, Fault> {
        let everything = Scope::everything();
        let reader = self.store.reader(&everything)?;
        let mut version = None;
        loop {
            let hit = match version {
                None => reader.read(of, id),
                Some(version) => reader.vread(of, id, version),
            };
            let hit = match hit {
                Err(fault) if fault.code() == &code::KEYS_PATIENT_SHREDDED => return Ok(None),
                hit => hit?,
            };
            match hit {
                None => return Ok(None),
                Some(hit) if hit.deleted => match hit.version.checked_sub(1).filter(|v| *v > 0) {
                    None => return Ok(None),
                    before => version = before,
                },
                Some(hit) => {
                    let document = Document::parse(hit.body, &self.settings.limits)?;
                    return Ok(Some((document, hit.last_updated)));
                }
            }
        }
    }

    /// The labels of a document by the rules in force, as of when it was written.
    pub(crate) fn label<'l>(
        &self,
        labeller: &'l Labeller,
        in_force: &InForce,
        of: TypeId,
        body: Value<'_>,
        written: Millis,
    ) -> Result<Labelled<'l>, Fault> {
        let now = self.now();
        let paid = self.consents.self_paid(&self.store)?;
        let joined;
        let tagged: &Tagged = match is_directory(r4().name(of)) {
            true => &Tagged::new(),
            false if in_force.tagged.is_empty() => &paid,
            false => {
                joined = join(&in_force.tagged, &paid);
                &joined
            }
        };
        let of_encounter = self.tags_of_encounter(&in_force.tagged, body)?;
        let tags: Vec<&str> = of_encounter.iter().map(String::as_str).collect();
        let state = Some(&*self.labelling.state);
        let source = Source { state, age_years: None, tags: &tags };
        let found = labeller.label(body, now, &source, tagged);
        // Ages are looked up only where a rule asks for one. Without one, any age counts.
        if found.rules.iter().all(|rule| rule.age.is_none()) {
            return Ok(found);
        }
        match self.age_of_patient(of, body, written)? {
            None => Ok(found),
            age_years => {
                let source = Source { age_years, ..source };
                Ok(labeller.label(body, now, &source, tagged))
            }
        }
    }

    /// What the encounter that a document names is tagged as: what was found in a programme's visit
    /// is the programme's record, though only the visit names it.
    fn tags_of_encounter(&self, tagged: &Tagged, body: Value<'_>) -> Result<Vec<String>, Fault> {
        // Whose record it is the document says itself.
        let places = |record: &&String| !record.starts_with("Patient/");
        if !tagged.keys().any(|record| places(&record)) {
            return Ok(Vec::new());
        }
        let context = body.get("context");
        let named = [body.get("encounter"), context, context.and_then(|c| c.get("encounter"))];
        let links = named.into_iter().flatten().flat_map(|link| {
            let own = Some(link).filter(|link| link.is_object());
            own.into_iter().chain(link.items())
        });
        let mut tags = Vec::new();
        for text in links.filter_map(|link| link.get_str("reference")) {
            let Some(Reference::Relative(target)) = parse(&text) else { continue };
            if target.resource_type != "Encounter" {
                continue;
            }
            let Some(encounter) = r4().resource_type(target.resource_type) else { continue };
            let Some(document) = self.own_look(encounter, target.id)? else { continue };
            let references = document.root().descendants().filter_map(|v| v.get_str("reference"));
            for reference in references {
                let Some(Reference::Relative(place)) = parse(&reference) else { continue };
                let record = format!("{}/{}", place.resource_type, place.id);
                tags.extend(tagged.get(&record).filter(|_| places(&&record)).into_iter().flatten());
            }
        }
        let mut tags: Vec<String> = tags.into_iter().cloned().collect();
        tags.sort_unstable();
        tags.dedup();
        Ok(tags)
    }

    /// A record as it is; the gate's own question, whatever the caller sees.
    fn own_look(&self, of: TypeId, id: &str) -> Result<Option<Document>, Fault> {
        let everything = Scope::everything();
        let hit = self.store.reader(&everything)?.read(of, id);
        let hit = match hit {
            // Nobody can read it any more, and so nothing is known of it.
            Err(fault) if fault.code() == &code::KEYS_PATIENT_SHREDDED => return Ok(None),
            hit => hit?,
        };
        let Some(hit) = hit.filter(|hit| !hit.deleted) else { return Ok(None) };
        Document::parse(hit.body, &self.settings.limits).map(Some)
    }

    /// How old the patient of a document is, in whole years; not older than that.
    fn age_of_patient(
        &self,
        of: TypeId,
        body: Value<'_>,
        now: Millis,
    ) -> Result<Option<u32>, Fault> {
        if r4().name(of) == "Patient" {
            return Ok(age(body, now));
        }
        let link = ["subject", "patient", "beneficiary"].iter().find_map(|name| body.get(name));
        let text = link.and_then(|link| link.get_str("reference"));
        let Some(Reference::Relative(target)) = text.as_deref().and_then(parse) else {
            return Ok(None);
        };
        let Some(patient) = r4().resource_type(target.resource_type) else { return Ok(None) };
        let Some(document) = self.own_look(patient, target.id)? else { return Ok(None) };
        Ok(age(document.root(), now))
    }
}

/// Of a Patient: by the last day that `birthDate` may mean.
fn age(patient: Value<'_>, now: Millis) -> Option<u32> {
    let birth = fhir::date::parse(&patient.get_str("birthDate")?)?;
    let day = |at: Millis| {
        let mut text = String::new();
        at.write_instant(&mut text);
        let year: u32 = text.get(..4)?.parse().ok()?;
        Some((year, text.get(5..10)?.to_owned()))
    };
    let ((born, birthday), (year, today)) = (day(Millis(birth.high))?, day(now)?);
    year.checked_sub(born)?.checked_sub(u32::from(today < birthday)).or(Some(0))
}

fn join(one: &Tagged, two: &Tagged) -> Tagged {
    let mut all = one.clone();
    for (record, tags) in two {
        all.entry(record.clone()).or_default().extend(tags.iter().cloned());
    }
    all
}

/// What the packs call the records of these addresses.
pub(crate) fn tagged<'a>(records: impl IntoIterator<Item = &'a str>) -> Tagged {
    records.into_iter().map(|record| (record.to_owned(), vec![SELF_PAID.to_owned()])).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;

    #[test]
    fn an_age_counts_from_the_last_day_that_a_birth_date_may_mean() {
        let now = Millis(fhir::date::parse("2026-06-15").unwrap().low);
        for (birth, years) in [
            ("2008-06-15", Some(18)),
            ("2008-06-16", Some(17)),
            ("2008", Some(17)),
            ("2008-06", Some(17)),
            ("2026-06-15", Some(0)),
            ("2030-01-01", None),
        ] {
            let text = format!(r#"{{"resourceType":"Patient","birthDate":"{birth}"}}"#);
            let document = Document::parse_text(text, &Limits::default()).unwrap();
            assert_eq!(age(document.root(), now), years, "{birth}");
        }
        let document = Document::parse_text("{}".to_owned(), &Limits::default()).unwrap();
        assert_eq!(age(document.root(), now), None);
    }
}
