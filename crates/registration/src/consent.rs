//! Consents that patients sign here (FHIR R4 Consent, <https://hl7.org/fhir/R4/consent.html>; 45 CFR
//! 164.508, 164.520(c)(2)(ii); 42 CFR 2.31): the house's forms, what was signed word for word, by whom and
//! with what hand, and that it was taken back.
//!
//! All of it stands in the one Consent: the text as its source, the signatures as R4's `Signature` in an
//! extension. A Provenance would be R4's other place for a signature; it is the trail's here, which those
//! who treat a patient do not see, and it would be a second record that can be missing. So whoever may see
//! that there is a consent sees what was signed, and it is written at once or not at all.
//!
//! What a consent permits is the guard's to say (crate `privacy`), by the same elements that any Consent has.

pub mod elements;
pub mod form;
mod read;
mod rule;
pub mod signature;
pub mod text;
mod write;

pub use read::{Ended, Held, Mark};
pub use rule::RULE;

use crate::proxy;
use crate::read::{each, keep, text as member};
use crate::register::{Seen, parsed, patient, type_named};
use base::error::code;
use base::{Fault, Limits};
use elements::Elements;
use fhir::Document;
use fhir::write::Writer;
use form::Form;
use record::proxy::Power;
use record::{Hit, Level, SearchHow, Session};
use signature::Signature;
use text::{Text, Tongue};

/// Consents that are listed of one patient.
pub const LISTED_MAX: usize = 50;
/// Letters of a name or a reason.
const LETTERS_MAX: usize = 300;

/// A kind of consent that the house has a form for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// The notice of privacy practices was received (45 CFR 164.520(c)(2)(ii)).
    PrivacyNotice,
    /// To be examined and treated.
    Treatment,
    /// To visits by video.
    Telehealth,
    /// Who pays.
    Financial,
    /// An authorization to hand something out (45 CFR 164.508).
    Release,
    /// To disclose records of a Part 2 programme (42 CFR 2.31).
    Part2,
}

impl Kind {
    /// All of them, those that everybody signs first.
    pub const ALL: [Self; 6] = [
        Self::PrivacyNotice,
        Self::Treatment,
        Self::Telehealth,
        Self::Financial,
        Self::Release,
        Self::Part2,
    ];

    /// Its code in records and addresses.
    pub const fn code(self) -> &'static str {
        match self {
            Self::PrivacyNotice => "privacy-notice",
            Self::Treatment => "treatment",
            Self::Telehealth => "telehealth",
            Self::Financial => "financial",
            Self::Release => "release",
            Self::Part2 => "part2",
        }
    }

    /// The kind of a code.
    pub fn from_code(code: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|one| one.code() == code)
    }

    /// Whether it says of what, to whom, for what and until when: [`Elements`].
    pub const fn has_elements(self) -> bool {
        matches!(self, Self::Release | Self::Part2)
    }

    /// Whether that there is one tells something of somebody's health, so that it is kept from whoever
    /// only books and checks in (45 CFR 164.502(b)).
    pub const fn is_sensitive(self) -> bool {
        matches!(self, Self::Release | Self::Part2)
    }
}

/// A consent as it is signed.
#[derive(Clone, Default)]
pub struct Signing {
    /// The language of the text.
    pub tongue: Tongue,
    /// What was entered in it.
    pub elements: Elements,
    /// The `RelatedPerson` who signs for the patient; empty when the patient does.
    pub proxy: String,
    /// The signer's name as they gave it.
    pub name: String,
    /// What was drawn.
    pub drawn: Option<Signature>,
    /// It was signed on paper before whoever sends the form.
    pub on_paper: bool,
    /// Who that is.
    pub witness: String,
    /// What was on the screen: [`read_mark`].
    pub read: String,
    /// The id of the form.
    pub form: String,
}

/// It is about a person.
impl std::fmt::Debug for Signing {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Signing(‹phi›)")
    }
}

/// The text of a form for a patient, as it is put before them.
///
/// # Errors
/// When the stored Patient is no JSON.
pub fn text_of(hit: &Hit, form: &Form, elements: &Elements) -> Result<Text, Fault> {
    let name = name_of(parsed(hit)?.root());
    Ok(Text::of(form, &name, elements))
}

/// What a text was made of beside what stands in its form: sent back with a signature, it tells that what
/// is kept is what was read.
pub fn read_mark(hit: &Hit, form: &Form) -> String {
    format!("{}-{}", form.edition, hit.version)
}

/// The consents of a patient, the latest first.
///
/// # Errors
/// As a search.
pub async fn of(session: &Session, about: &str) -> Result<Vec<Held>, Fault> {
    let pairs = vec![
        ("patient".to_owned(), format!("Patient/{about}")),
        ("_sort".to_owned(), "-date".to_owned()),
        ("_count".to_owned(), LISTED_MAX.to_string()),
    ];
    let level = Level::Type(type_named("Consent")?);
    let found = session.search(level, pairs, &SearchHow::default())?.into_inner().await?;
    let mut all = Vec::new();
    for hit in &found.page.matches {
        all.push(Held::of(hit, parsed(hit)?.root(), session.now()));
    }
    // What is in force first; the latest of each first, as they came.
    all.sort_by_key(|one| !one.is_in_force);
    Ok(all)
}

/// One consent of a patient.
///
/// # Errors
/// `registration.patient.other`; as a read.
pub async fn one(session: &Session, about: &str, id: &str) -> Result<Held, Fault> {
    let hit = theirs(session, about, id).await?;
    Ok(Held::of(&hit, parsed(&hit)?.root(), session.now()))
}

/// What everybody is asked to sign and this patient has not: the privacy notice until it was received or
/// it is written down why not, and the consent to treatment.
pub fn due(all: &[Held]) -> Vec<Kind> {
    let has = |kind: Kind| all.iter().any(|one| one.kind == Some(kind) && one.is_in_force);
    let tried =
        all.iter().any(|one| one.kind == Some(Kind::PrivacyNotice) && one.status == "rejected");
    let mut due = Vec::new();
    if !has(Kind::PrivacyNotice) && !tried {
        due.push(Kind::PrivacyNotice);
    }
    if !has(Kind::Treatment) {
        due.push(Kind::Treatment);
    }
    due
}

/// Keeps a consent that was signed, once for each form.
///
/// # Errors
/// `registration.consent.incomplete` for one that lacks an element the law asks for;
/// `registration.value.invalid` for a form with something else wrong, named by its field;
/// `record.write.version-conflict` when the text would be another than was read; as a create.
pub async fn sign(
    session: &Session,
    about: &str,
    kind: Kind,
    signing: &Signing,
) -> Result<String, Fault> {
    let hit = session.read(patient()?, about, None)?.into_inner().await?;
    let form = form::of(session, kind, signing.tongue).await?;
    if signing.read != read_mark(&hit, &form) {
        let say = "what is signed has changed since it was read; read it again";
        return Err(Fault::new(&code::VERSION_CONFLICT, say));
    }
    if let Some(lack) = signing.elements.lacks(kind, session.now()).first() {
        let say = "it lacks an element without which it is no consent (42 CFR 2.31(a), 45 CFR 164.508(c)(1))";
        return Err(Fault::at(&code::CONSENT_INCOMPLETE, say, lack.field()));
    }
    if !is_said(&signing.name) {
        return Err(odd("say who signs, in 300 letters at most", "name"));
    }
    if signing.drawn.is_none() && !signing.on_paper {
        return Err(odd("sign on the screen, or on paper before a witness", "strokes"));
    }
    if signing.on_paper && !is_said(&signing.witness) {
        return Err(odd("a paper needs a witness with a name", "paper"));
    }
    if !fhir::reference::is_id(&signing.form) {
        return Err(Fault::at(&code::PARAMETER_INVALID, "the form has no id", "entry"));
    }
    if !signing.proxy.is_empty() {
        let stands = proxy::one(session, about, &signing.proxy).await?;
        if !stands.proxy.may(Power::Decide) {
            return Err(odd("whoever signs for the patient has the authority to decide", "signer"));
        }
    }
    let text = text_of(&hit, &form, &signing.elements)?;
    let body = write::signed(session, about, &form, signing, &text);
    keep_new(session, about, &signing.form, body).await
}

/// Keeps that a consent was asked for and not given, with the reason: of the privacy notice that is what
/// shows good faith (45 CFR 164.520(c)(2)(ii)).
///
/// # Errors
/// `registration.value.invalid` without a reason; as a create.
pub async fn decline(
    session: &Session,
    about: &str,
    kind: Kind,
    reason: &str,
    form: &str,
) -> Result<String, Fault> {
    session.read(patient()?, about, None)?.into_inner().await?;
    if !is_said(reason) {
        return Err(odd("say why, in 300 letters at most", "reason"));
    }
    if !fhir::reference::is_id(form) {
        return Err(Fault::at(&code::PARAMETER_INVALID, "the form has no id", "entry"));
    }
    keep_new(session, about, form, write::declined(session, about, kind, reason, form)).await
}

/// Takes a consent back: it counts no longer from this moment, and what was signed stays to be read.
/// `is_mistake` when it was never given, and got here by mistake.
///
/// # Errors
/// `registration.value.invalid` without a reason; `registration.consent.state` when it does not count any
/// more; `registration.patient.other`; `record.write.version-conflict`; as an update.
pub async fn revoke(
    session: &Session,
    about: &str,
    seen: &Seen,
    reason: &str,
    is_mistake: bool,
) -> Result<u64, Fault> {
    if !is_said(reason) {
        return Err(odd("say why, in 300 letters at most", "reason"));
    }
    let hit = theirs(session, about, &seen.id).await?;
    let document = parsed(&hit)?;
    let root = document.root();
    if member(root, "status") != "active" {
        let say = "it does not count any more; there is nothing to take back";
        return Err(Fault::new(&code::CONSENT_STATE, say));
    }
    let mut out = Writer::new();
    out.object();
    keep(&mut out, Some(root), &["status", "extension"]);
    out.member("status", if is_mistake { "entered-in-error" } else { "inactive" });
    out.key("extension").array();
    for one in each(root, "extension") {
        out.raw(one.raw().as_bytes());
    }
    write::ended(&mut out, session.now(), reason);
    out.end_array().end_object();
    let body = Document::parse(out.finish(), &Limits::default())?;
    let of = type_named("Consent")?;
    let written = session.update(of, &seen.id, body, Some(seen.version), false).await?;
    Ok(written.hit.version)
}

async fn keep_new(
    session: &Session,
    about: &str,
    form: &str,
    body: Vec<u8>,
) -> Result<String, Fault> {
    let body = Document::parse(body, &Limits::default())?;
    let once = format!("_tag={}|{form}&patient=Patient/{about}", write::ENTRY);
    Ok(session.create(type_named("Consent")?, body, Some(once)).await?.hit.id)
}

async fn theirs(session: &Session, about: &str, id: &str) -> Result<Hit, Fault> {
    let hit = session.read(type_named("Consent")?, id, None)?.into_inner().await?;
    let whose = parsed(&hit)?.root().get("patient").map(|one| member(one, "reference"));
    if whose.as_deref() == Some(format!("Patient/{about}").as_str()) {
        return Ok(hit);
    }
    let say = "the record belongs to another patient than the one the form was opened for";
    Err(Fault::new(&code::REGISTRATION_OTHER_PATIENT, say))
}

fn name_of(patient: fhir::Value<'_>) -> String {
    let intake = crate::intake::Intake::of(patient);
    let parts = [intake.given, intake.family, intake.suffix];
    parts.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(" ")
}

fn is_said(text: &str) -> bool {
    let letters = text.trim().chars().count();
    (1..=LETTERS_MAX).contains(&letters) && !text.contains(char::is_control)
}

fn odd(say: &str, at: &str) -> Fault {
    Fault::at(&code::REGISTRATION_VALUE, say.to_owned(), at.to_owned())
}
