//! Registering a patient, and changing what is known of one: search before create, a number given out
//! once, a form that registers once however often it is sent, and a change made of the version that was
//! seen and no other.

use crate::intake::Intake;
use crate::{number, write};
use base::error::code;
use base::{Fault, Limits};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use fhir::reference::is_id;
use record::{Duplicate, Grade, Hit, Level, SearchHow, Session};

/// A record as whoever changes it saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its logical id.
    pub id: String,
    /// The version that was on the screen.
    pub version: u64,
}

/// What came of a registration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registered {
    /// The patient has a record.
    Done {
        /// Its logical id.
        id: String,
        /// It came into being by this; not when the same form had been sent before.
        is_new: bool,
    },
    /// Somebody is here who is taken for the same until somebody looks; nothing was created.
    Alike(Vec<Duplicate>),
}

/// Those who may be the patient of a form, the likeliest first; none for a form that says too little.
/// `own` is the id of a record that is being changed.
///
/// # Errors
/// As a search.
pub async fn possible(
    session: &Session,
    intake: &Intake,
    own: &str,
) -> Result<Vec<Duplicate>, Fault> {
    if intake.family.is_empty() && intake.given.is_empty() {
        return Ok(Vec::new());
    }
    let draft = Document::parse(write::draft(intake, own), &Limits::default())?;
    session.possible_duplicates(&draft)?.into_inner().await
}

/// Registers a patient. `form` is an id that was drawn when the form was shown; `reason` says why it is
/// somebody new although a record looks the same, and is kept with each such pair.
///
/// # Errors
/// `registration.value.invalid` for a form with something wrong; as a create otherwise.
pub async fn register(
    session: &Session,
    intake: &Intake,
    form: &str,
    reason: &str,
) -> Result<Registered, Fault> {
    hold(session, intake)?;
    if !is_id(form) {
        let say = "the form has an id of 1 to 64 letters, digits, hyphens and full stops";
        return Err(Fault::at(&code::PARAMETER_INVALID, say, "entry"));
    }
    // The same form, sent twice, would find its own patient alike.
    if let Some(id) = sent_before(session, form).await? {
        return Ok(Registered::Done { id, is_new: false });
    }
    let alike = possible(session, intake, "").await?;
    let high: Vec<String> = alike.iter().filter(|one| is_taken_for(one)).map(id_of).collect();
    if !high.is_empty() && reason.trim().is_empty() {
        return Ok(Registered::Alike(alike));
    }
    let of = patient()?;
    let number = number::record_number(session.draw_number(of).await?);
    let body = Document::parse(write::new(intake, &number, form), &Limits::default())?;
    let once = format!("_tag={}|{form}", write::FORM_TAG);
    let written = session.create(of, body, Some(once)).await?;
    let id = written.hit.id;
    for other in high {
        // A pair that may not be decided here stands in the review, where somebody else decides it.
        drop(session.keep_apart(&id, &other, reason).await);
    }
    Ok(Registered::Done { id, is_new: written.created })
}

/// Changes what is known of a patient. Answers the version it has now; the same again changes nothing.
///
/// # Errors
/// `registration.value.invalid`; `record.write.version-conflict` when somebody changed it since it was
/// seen; as a read and an update.
pub async fn change(session: &Session, seen: &Seen, intake: &Intake) -> Result<u64, Fault> {
    hold(session, intake)?;
    let of = patient()?;
    let hit = session.read(of, &seen.id, None)?.into_inner().await?;
    if hit.version != seen.version {
        let say = "somebody changed it since it was shown to you; look at it again";
        return Err(Fault::new(&code::VERSION_CONFLICT, say));
    }
    let document = parsed(&hit)?;
    if Intake::of(document.root()) == *intake {
        return Ok(hit.version);
    }
    let body = Document::parse(write::changed(document.root(), intake), &Limits::default())?;
    let written = session.update(of, &seen.id, body, Some(seen.version), false).await?;
    Ok(written.hit.version)
}

/// Whether a record is taken for the same patient's until somebody looks.
pub fn is_taken_for(one: &Duplicate) -> bool {
    one.grade == Grade::High && one.row.replaced_by.is_none()
}

pub(crate) fn patient() -> Result<TypeId, Fault> {
    type_named("Patient")
}

pub(crate) fn type_named(name: &str) -> Result<TypeId, Fault> {
    let odd = || Fault::new(&code::INTERNAL, "R4 has no such type");
    r4().resource_type(name).ok_or_else(odd)
}

pub(crate) fn parsed(hit: &Hit) -> Result<Document, Fault> {
    Document::parse(hit.body.clone(), &Limits::default())
}

fn id_of(one: &Duplicate) -> String {
    one.row.id.clone()
}

fn hold(session: &Session, intake: &Intake) -> Result<(), Fault> {
    match intake.wrong(session.now()).first() {
        None => Ok(()),
        Some((field, _)) => {
            let say = "something is missing or cannot be registered as it was entered";
            Err(Fault::at(&code::REGISTRATION_VALUE, say, (*field).to_owned()))
        }
    }
}

async fn sent_before(session: &Session, form: &str) -> Result<Option<String>, Fault> {
    let pairs = vec![
        ("_tag".to_owned(), format!("{}|{form}", write::FORM_TAG)),
        ("_count".to_owned(), "1".to_owned()),
    ];
    let level = Level::Type(patient()?);
    let found = session.search(level, pairs, &SearchHow::default())?.into_inner().await?;
    Ok(found.page.matches.into_iter().next().map(|hit| hit.id))
}
