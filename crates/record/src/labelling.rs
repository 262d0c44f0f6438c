//! Labelling at writes: what is about to be stored gets the labels that the rule packs say
//! (`privacy::labelling`), keeps those that a person set before, and carries both in
//! `meta.security` (42 CFR Part 2; guard against a label that is stripped by leaving it out).

use crate::gate::Settings;
use crate::labels::{labels_of, labels_within};
use crate::session::Session;
use base::{Fault, Millis};
use fhir::definitions::{TypeId, r4};
use fhir::reference::{Reference, parse};
use fhir::{Document, Value};
use memchr::memmem;
use privacy::labelling::{BASIS, Labelled, Labeller, Security, Source, Tagged};
use store::{Prepared, Scope};

/// The tag of the records that a patient paid for, in the packs.
const SELF_PAID: &str = "self-paid";
/// No state: the rules of none apply.
const NO_STATE: &str = "";

/// The packs, opened once; `None` when the labelling is switched off.
#[derive(Debug)]
pub(crate) struct Labelling(Option<Labeller>);

impl Labelling {
    pub(crate) fn open(settings: &Settings) -> Result<Self, Fault> {
        if !settings.labelling {
            tracing::warn!(
                "the labelling is off: what is written gets no label but those it brings"
            );
            return Ok(Self(None));
        }
        Labeller::shipped().map(|labeller| Self(Some(labeller)))
    }
}

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
        let store = &self.gate.store;
        let held = labels_within(body) | self.labels_of_context(of, body)?;
        let Some(labeller) = &self.gate.labelling.0 else {
            return store.prepare(body, of, id, labels_of(body) | held);
        };
        let labelled = self.label(labeller, of, body)?;
        let may_take_off = self.takes_labels_off();
        let before = match replaces && !may_take_off {
            true => self.labelled_before(of, &id)?,
            false => None,
        };
        let own = body.get("meta").and_then(|meta| meta.get("security"));
        let ruled = own.is_some_and(|own| own.raw().contains(BASIS));
        if labelled.labels.is_empty() && before.is_none() && !ruled {
            return store.prepare(body, of, id, labels_of(body) | held);
        }
        let root = before.as_ref().map(Document::root);
        let security = Security::of(&labelled, body, root, may_take_off);
        let mut text = Vec::with_capacity(body.raw().len() + 256);
        security.write(body, &mut text);
        let document = Document::parse(text, self.limits())?;
        store.prepare(document.root(), of, id, security.mask | held)
    }

    /// What the bytes of a Binary are kept as: the labels, as they are now, of the record that its
    /// security context names (<https://hl7.org/fhir/R4/binary.html#security>).
    fn labels_of_context(&self, of: TypeId, body: Value<'_>) -> Result<u64, Fault> {
        if r4().name(of) != "Binary" {
            return Ok(0);
        }
        let text = body.get("securityContext").and_then(|context| context.get_str("reference"));
        let Some(Reference::Relative(target)) = text.as_deref().and_then(parse) else {
            return Ok(0);
        };
        let Some(named) = r4().resource_type(target.resource_type) else { return Ok(0) };
        // The gate's own question, whatever the caller sees; nothing of it is shown.
        let everything = Scope::everything();
        let hit = self.gate.store.reader(&everything)?.read(named, target.id)?;
        let Some(hit) = hit.filter(|hit| !hit.deleted) else { return Ok(0) };
        let document = Document::parse(hit.body, self.limits())?;
        Ok(labels_of(document.root()) | labels_within(document.root()))
    }

    fn label<'l>(
        &self,
        labeller: &'l Labeller,
        of: TypeId,
        body: Value<'_>,
    ) -> Result<Labelled<'l>, Fault> {
        let now = self.now();
        let state = self.gate.settings.home_state.as_deref().unwrap_or(NO_STATE);
        let tagged = self.gate.consents.self_paid(&self.gate.store)?;
        let source = Source { state: Some(state), age_years: None, tags: &[] };
        let found = labeller.label(body, now, &source, &tagged);
        // Ages are looked up only where a rule asks for one. Without one, any age counts.
        if found.rules.iter().all(|rule| rule.age.is_none()) {
            return Ok(found);
        }
        match self.age_of_patient(of, body, now)? {
            None => Ok(found),
            age_years => {
                let source = Source { age_years, ..source };
                Ok(labeller.label(body, now, &source, &tagged))
            }
        }
    }

    /// The version before, when it has labels.
    fn labelled_before(&self, of: TypeId, id: &str) -> Result<Option<Document>, Fault> {
        // The gate's own question, whatever the caller sees; nothing of it is shown.
        let everything = Scope::everything();
        let hit = self.gate.store.reader(&everything)?.read(of, id)?;
        let Some(hit) = hit.filter(|hit| !hit.deleted) else { return Ok(None) };
        if memmem::find(&hit.body, b"\"security\"").is_none() {
            return Ok(None);
        }
        Document::parse(hit.body, self.limits()).map(Some)
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
        let everything = Scope::everything();
        let hit = self.gate.store.reader(&everything)?.read(patient, target.id)?;
        let Some(hit) = hit.filter(|hit| !hit.deleted) else { return Ok(None) };
        let document = Document::parse(hit.body, self.limits())?;
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
