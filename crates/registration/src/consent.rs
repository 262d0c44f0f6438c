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
mod hands;
mod read;
mod rule;
pub mod signature;
pub mod text;
mod write;

pub use hands::{Beside, Second};
pub use read::{Ended, Hand, Held, Mark};
pub use rule::RULE;

use crate::read::{each, keep, text as member};
use crate::register::{Seen, parsed, patient, type_named};
use crate::theirs;
use base::error::code;
use base::{Fault, Limits};
use elements::Elements;
use fhir::Document;
use fhir::write::Writer;
use form::Form;
use record::{Hit, Session};
use signature::Signature;
use text::{Text, Tongue};

/// Consents that ended which are listed of one patient, unless more are asked for. Those in force are all
/// listed.
pub const ENDED_LISTED: usize = 50;
/// As many of them as are listed at all.
pub const ENDED_LISTED_MAX: usize = 1_000;
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
    /// Who signs beside a minor who gives a Part 2 consent.
    pub beside: Beside,
    /// It was signed on paper before whoever sends the form, by everybody who signs.
    pub on_paper: bool,
    /// Who that is.
    pub witness: String,
    /// What was on the screen: [`Text::mark`].
    pub read: String,
    /// The id of the form.
    pub form: String,
}

hidden!(Signing);

/// The consents of a patient, as they are listed.
#[derive(Debug, Clone)]
pub struct Listed {
    /// What is in force, all of it; then what ended. The latest of each first.
    pub held: Vec<Held>,
    /// There are more that ended.
    pub more: bool,
}

/// The text of a form for a patient, as it is put before them.
///
/// # Errors
/// When the stored Patient is no JSON.
pub fn text_of(hit: &Hit, form: &Form, elements: &Elements) -> Result<Text, Fault> {
    let name = name_of(parsed(hit)?.root());
    Ok(Text::of(form, &name, elements))
}

/// The consents of a patient: all that are in force, and so many of those that ended.
///
/// # Errors
/// `search.query.too-costly` when more are active than anybody looks through; as a search.
pub async fn of(session: &Session, about: &str, ended: usize) -> Result<Listed, Fault> {
    let mut held = in_force(session, about).await?;
    let query = [("status:not", "active"), ("_sort", "-date")];
    let ended = ended.min(ENDED_LISTED_MAX);
    let (hits, more) = theirs::first(session, "Consent", about, &query, ended).await?;
    for hit in &hits {
        held.push(Held::of(hit, parsed(hit)?.root(), session.now()));
    }
    Ok(Listed { held, more })
}

/// All consents of a patient that are active; what is over by its last day stands behind the others.
///
/// # Errors
/// As [`of`].
pub async fn in_force(session: &Session, about: &str) -> Result<Vec<Held>, Fault> {
    let query = [("status", "active"), ("_sort", "-date")];
    let mut held = Vec::new();
    for hit in theirs::all(session, "Consent", about, &query).await? {
        held.push(Held::of(&hit, parsed(&hit)?.root(), session.now()));
    }
    held.sort_by_key(|one| !one.is_in_force);
    Ok(held)
}

/// One consent of a patient.
///
/// # Errors
/// `registration.patient.other`; as a read.
pub async fn one(session: &Session, about: &str, id: &str) -> Result<Held, Fault> {
    let hit = theirs::one(session, "Consent", "patient", about, id).await?;
    Ok(Held::of(&hit, parsed(&hit)?.root(), session.now()))
}

/// What everybody is asked to sign and this patient has not: the privacy notice until it was received or
/// it is written down why not, and the consent to treatment. `held` are those in force; `is_whole` when they
/// are all there are.
///
/// # Errors
/// As a search.
pub async fn due(
    session: &Session,
    about: &str,
    held: &[Held],
    is_whole: bool,
) -> Result<Vec<Kind>, Fault> {
    let has = |kind: Kind| held.iter().any(|one| one.kind == Some(kind) && one.is_in_force);
    let tried =
        held.iter().any(|one| one.kind == Some(Kind::PrivacyNotice) && one.status == "rejected");
    let mut due = Vec::new();
    if !has(Kind::PrivacyNotice) && !tried {
        let notice = format!("{}|{}", write::FORMS, Kind::PrivacyNotice.code());
        let query = [("status", "rejected"), ("category", notice.as_str())];
        if is_whole || theirs::first(session, "Consent", about, &query, 1).await?.0.is_empty() {
            due.push(Kind::PrivacyNotice);
        }
    }
    if !has(Kind::Treatment) {
        due.push(Kind::Treatment);
    }
    Ok(due)
}

/// Keeps a consent that was signed, once for each form and text.
///
/// # Errors
/// `registration.consent.incomplete` for one that lacks an element the law asks for, or the hand of a
/// minor; `registration.value.invalid` for a form with something else wrong, named by its field;
/// `record.write.version-conflict` when the text would be another than was read; as a create.
pub async fn sign(
    session: &Session,
    about: &str,
    kind: Kind,
    signing: &Signing,
) -> Result<String, Fault> {
    let hit = session.read(patient()?, about, None)?.into_inner().await?;
    let form = form::of(session, kind, signing.tongue).await?;
    if let Some(lack) = signing.elements.lacks(kind, session.now()).first() {
        let say = "it lacks an element without which it is no consent (42 CFR 2.31(a), 45 CFR 164.508(c)(1))";
        return Err(incomplete(say, lack.field()));
    }
    let text = text_of(&hit, &form, &signing.elements)?;
    if signing.read != text.mark(&form) {
        let say = "what is signed has changed since it was read; read it again";
        return Err(Fault::new(&code::VERSION_CONFLICT, say));
    }
    let hands = hands::of(session, about, &hit, kind, signing).await?;
    let entry = entry(&signing.form, "s", &signing.read)?;
    let body = write::signed(session, (about, &entry), &form, signing, &hands, &text);
    keep_new(session, about, &entry, body).await
}

/// Keeps that a consent was asked for and not given, with the reason: of the privacy notice that is what
/// shows good faith (45 CFR 164.520(c)(2)(ii)). Once for each form and text, whatever became of a signature.
///
/// # Errors
/// `registration.value.invalid` without a reason; as a create.
pub async fn decline(
    session: &Session,
    about: &str,
    kind: Kind,
    signing: &Signing,
    reason: &str,
) -> Result<String, Fault> {
    let hit = session.read(patient()?, about, None)?.into_inner().await?;
    if !is_said(reason) {
        return Err(odd("say why, in 300 letters at most", "reason"));
    }
    let form = form::of(session, kind, signing.tongue).await?;
    let text = text_of(&hit, &form, &signing.elements)?;
    let entry = entry(&signing.form, "d", &text.mark(&form))?;
    let body = write::declined(session, about, kind, reason, &entry);
    keep_new(session, about, &entry, body).await
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
    let hit = theirs::one(session, "Consent", "patient", about, &seen.id).await?;
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
    entry: &str,
    body: Vec<u8>,
) -> Result<String, Fault> {
    let body = Document::parse(body, &Limits::default())?;
    let once = format!("_tag={}|{entry}&patient=Patient/{about}", write::ENTRY);
    Ok(session.create(type_named("Consent")?, body, Some(once)).await?.hit.id)
}

/// By what a form that is sent twice is kept once: what it does, and of which text. A decline is never
/// answered with what was signed, and another text never with the first.
fn entry(form: &str, does: &str, mark: &str) -> Result<String, Fault> {
    if !fhir::reference::is_id(form) {
        return Err(Fault::at(&code::PARAMETER_INVALID, "the form has no id", "entry"));
    }
    Ok(format!("{form}-{does}-{mark}"))
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

fn incomplete(say: &str, at: &str) -> Fault {
    Fault::at(&code::CONSENT_INCOMPLETE, say.to_owned(), at.to_owned())
}
