//! The wrong-patient guard: every change states whose chart it is made in, and is refused when the record
//! it changes, or the visit it belongs to, is another patient's. Two windows with two charts are the
//! usual way that a finding ends in the wrong one.

use crate::read::parsed;
use base::Fault;
use base::error::code;
use fhir::Document;
use fhir::definitions::r4;
use fhir::reference::{Reference, is_id, parse};
use record::{Audited, Hit, Session};

/// Elements that name the patient a record is about, in the types that are charted.
const SUBJECTS: [&str; 3] = ["subject", "patient", "for"];

/// Whose chart a change is made in, as the form that sent it says.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct About {
    /// The Patient's logical id.
    pub patient: String,
    /// The Encounter's logical id, when it belongs to a visit.
    pub encounter: Option<String>,
}

/// A record that is about the stated patient, as it is now.
pub struct Held {
    /// The record.
    pub hit: Hit,
    /// Its body.
    pub document: Document,
}

crate::read::hidden!(About, Held);

impl About {
    /// Of a patient, and no visit.
    pub fn patient(id: impl Into<String>) -> Self {
        Self { patient: id.into(), encounter: None }
    }

    /// Holds the statement itself to the record: the patient is there, and so is the visit, and it is
    /// that patient's.
    ///
    /// # Errors
    /// `record.read.not-found`, `record.read.gone`; `charting.patient.other`.
    pub(crate) async fn stands(&self, session: &Session) -> Result<(), Fault> {
        read(session, "Patient", &self.patient).await?;
        if let Some(encounter) = &self.encounter {
            self.holds(session, "Encounter", encounter).await?;
        }
        Ok(())
    }

    /// A record that is about the stated patient.
    ///
    /// # Errors
    /// `charting.patient.other` when it is about another, or about nobody; as a read otherwise.
    pub(crate) async fn holds(
        &self,
        session: &Session,
        kind: &str,
        id: &str,
    ) -> Result<Held, Fault> {
        let hit = read(session, kind, id).await?;
        let odd = || Fault::new(&code::INTERNAL, "a stored record could not be parsed");
        let document = parsed(&hit).ok_or_else(odd)?;
        if subject(&document).as_deref() == Some(self.patient.as_str()) {
            return Ok(Held { hit, document });
        }
        let text = "the record belongs to another chart than the one the form was opened in; open the \
                    right chart and enter it there";
        Err(Fault::new(&code::CHART_OTHER_PATIENT, text))
    }
}

async fn read(session: &Session, kind: &str, id: &str) -> Result<Hit, Fault> {
    let unknown = || Fault::new(&code::NOT_FOUND, "no record of this type has this id");
    let of = r4().resource_type(kind).filter(|_| is_id(id)).ok_or_else(unknown)?;
    let answered: Audited<Hit> = session.read(of, id, None)?;
    answered.into_inner().await
}

/// The patient a record is about.
pub(crate) fn subject(document: &Document) -> Option<String> {
    let root = document.root();
    let named = SUBJECTS.iter().find_map(|name| root.get(name)?.get_str("reference"))?;
    match parse(&named)? {
        Reference::Relative(target) if target.resource_type == "Patient" => {
            Some(target.id.to_owned())
        }
        _ => None,
    }
}
