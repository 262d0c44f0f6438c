//! Notes: written as drafts that the server keeps (`Session::keep_draft`), and signed as a
//! `DocumentReference` (<https://hl7.org/fhir/R4/documentreference.html>). What was signed is never
//! changed: an addendum and a second signature are documents of their own that point at it, and a note
//! that is wrong is marked so and stays (45 CFR 164.312(c)(1), integrity; 164.526).
//!
//! The signature is a digest over whose chart it is, who signed what and when, and the text, kept as the
//! document's identifier (RFC 6920). Whoever changes any of it by another door is found by [`read`].

mod template;

pub use template::{COPIED, END, copy_forward, expand};

use crate::guard::{About, Held};
use crate::listed::{self, Seen, from, hold, replace};
use crate::read::{Named, concept, each, hidden, parsed, text};
use crate::sign::LOINC;
use crate::summary::ask;
use crate::write::{self, Done, Entries};
use base::Fault;
use base::error::code;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use fhir::Value;
use record::{Session, Signer};
use sha2::{Digest as _, Sha256};

const KIND: &str = "DocumentReference";
const URI: &str = "urn:ietf:rfc:3986";
const NAMED_INFORMATION: &str = "ni:///sha-256;";
const TEXT_PLAIN: &str = "text/plain; charset=utf-8";
const REASON: &str = "urn:plummer:entered-in-error-reason";
/// Bytes of a note. A long one has 20,000; a draft holds no more.
pub const NOTE_BYTES_MAX: usize = record::DRAFT_BYTES_MAX;

/// What kind of note, by its LOINC code.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum NoteKind {
    /// Of a visit.
    #[default]
    Progress,
    /// Of a first visit, or an opinion asked for.
    Consultation,
    /// History and examination.
    History,
    /// Of a telephone call.
    Telephone,
    /// Of nursing.
    Nursing,
    /// What is added to a signed note.
    Addendum,
}

impl NoteKind {
    /// Every kind.
    pub const ALL: [Self; 6] = [
        Self::Progress,
        Self::Consultation,
        Self::History,
        Self::Telephone,
        Self::Nursing,
        Self::Addendum,
    ];

    /// Its LOINC code and what people call it.
    pub const fn code(self) -> (&'static str, &'static str) {
        match self {
            Self::Progress => ("11506-3", "Progress note"),
            Self::Consultation => ("11488-4", "Consultation note"),
            Self::History => ("34117-2", "History and physical note"),
            Self::Telephone => ("34748-4", "Telephone encounter note"),
            Self::Nursing => ("34746-8", "Nursing note"),
            Self::Addendum => ("55107-7", "Addendum"),
        }
    }
}

/// A note to be signed.
#[derive(Clone, Default)]
pub struct NoteForm {
    /// The form's own id, which is also the name of its draft: signed twice, it is one note.
    pub form: String,
    /// What kind.
    pub kind: NoteKind,
    /// What it is called.
    pub title: String,
    /// The text.
    pub text: String,
}

/// Whether a note is as it was signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seal {
    /// It is.
    Intact,
    /// Something of it was changed since.
    Altered,
    /// It was never signed here: a document from elsewhere, or from before.
    None,
}

/// How a document belongs to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tie {
    /// It adds to it.
    Appends,
    /// It signs it too.
    Signs,
}

impl Tie {
    const fn code(self) -> &'static str {
        match self {
            Self::Appends => "appends",
            Self::Signs => "signs",
        }
    }
}

/// A note that was signed.
#[derive(Clone)]
pub struct Note {
    /// The logical id.
    pub id: String,
    /// The version.
    pub version: u64,
    /// What it is called.
    pub title: String,
    /// Who wrote it.
    pub author: Named,
    /// When it was signed.
    pub signed: String,
    /// The text; empty for a second signature.
    pub text: String,
    /// Whether it is as it was signed.
    pub seal: Seal,
    /// It was marked as entered in error: why.
    pub in_error: Option<String>,
    /// The document it belongs to, and how.
    pub of: Option<(Tie, String)>,
}

/// A note with what was added to it.
#[derive(Clone)]
pub struct Thread {
    /// The note.
    pub note: Note,
    /// Addenda and further signatures, oldest first.
    pub later: Vec<Note>,
    /// There are more of them than are shown.
    pub more: bool,
}

hidden!(NoteForm, Note, Thread);

/// Signs a note.
///
/// # Errors
/// `charting.note.signer` for whoever is no practitioner of this house, or an app;
/// `charting.record.state` when the form was signed before with other words; `charting.patient.other`,
/// `charting.value.invalid`, `access.denied`.
pub async fn sign(session: &Session, about: &About, form: &NoteForm) -> Result<Done, Fault> {
    put(session, about, form, None).await
}

/// Adds to a signed note, which stays as it is.
///
/// # Errors
/// As [`sign`]; `charting.record.state` for a note that was entered in error.
pub async fn addend(
    session: &Session,
    about: &About,
    note: &str,
    form: &NoteForm,
) -> Result<Done, Fault> {
    let held = about.holds(session, KIND, note).await?;
    stands(&held)?;
    put(session, about, form, Some((Tie::Appends, note, &held))).await
}

/// Signs a note that another wrote and signed.
///
/// # Errors
/// As [`addend`]; `charting.note.altered` when it is not as it was signed; `charting.note.signer` for its
/// own author.
pub async fn co_sign(
    session: &Session,
    about: &About,
    note: &str,
    form: &str,
) -> Result<Done, Fault> {
    let signer = signer(session)?;
    let held = about.holds(session, KIND, note).await?;
    stands(&held)?;
    let read = note_of(&held);
    if read.seal != Seal::Intact {
        let text = "only a note that is as it was signed can be signed again";
        return Err(Fault::new(&code::CHART_ALTERED, text));
    }
    if read.author.reference == format!("Practitioner/{}", signer.practitioner) {
        let text = "a second signature is somebody else's";
        return Err(Fault::new(&code::CHART_SIGNER, text));
    }
    // What is signed is the signature of the first: it stands for the whole note.
    let words = NoteForm {
        form: form.to_owned(),
        kind: NoteKind::Progress,
        title: "Co-signature".to_owned(),
        text: seal_of(held.document.root()),
    };
    put(session, about, &words, Some((Tie::Signs, note, &held))).await
}

/// Marks a note as entered in error. Its text stays.
///
/// # Errors
/// `record.write.version-conflict`, `charting.patient.other`, `charting.record.state`.
pub async fn enter_in_error(
    session: &Session,
    about: &About,
    seen: &Seen,
    reason: &str,
) -> Result<Done, Fault> {
    let reason = write::typed(reason, "reason")?;
    let held = hold(session, about, KIND, seen).await?;
    stands(&held)?;
    let root = held.document.root();
    let mut out = from(&held, &["status", "docStatus", "extension"]);
    out.key("extension").array();
    for one in each(root, "extension") {
        out.raw(one.raw().as_bytes());
    }
    out.object().member("url", REASON).member("valueString", reason).end_object().end_array();
    out.member("status", "entered-in-error").member("docStatus", "entered-in-error");
    replace(session, KIND, &held, out).await
}

/// A note with what was added to it.
///
/// # Errors
/// `charting.patient.other`; `record.read.not-found`.
pub async fn read(session: &Session, about: &About, note: &str) -> Result<Thread, Fault> {
    let held = about.holds(session, KIND, note).await?;
    let reference = format!("{KIND}/{note}");
    let (mut later, more) = session
        .chart(&about.patient, |chart| {
            let query = [("relatesto", reference.as_str()), ("_sort", "date"), ("_count", "100")];
            let found = ask(chart, KIND, &query)?;
            let read = |hit: &record::Hit| {
                let document = parsed(hit)?;
                Some(note_of(&Held { hit: hit.clone(), document }))
            };
            let later: Vec<Note> = found.page.matches.iter().filter_map(read).collect();
            Ok((later, found.page.next.is_some()))
        })?
        .into_inner()
        .await?;
    for one in later.iter_mut().filter(|one| matches!(one.of, Some((Tie::Signs, _)))) {
        // Of a second signature the digest of the first is all it says.
        one.seal = if one.text == seal_of(held.document.root()) { one.seal } else { Seal::Altered };
        one.text = String::new();
    }
    Ok(Thread { note: note_of(&held), later, more })
}

async fn put(
    session: &Session,
    about: &About,
    form: &NoteForm,
    tie: Option<(Tie, &str, &Held)>,
) -> Result<Done, Fault> {
    write::form(&form.form)?;
    let signer = signer(session)?;
    let title = write::typed(&form.title, "title")?;
    if form.text.trim().is_empty() || form.text.len() > NOTE_BYTES_MAX || form.text.contains('\0') {
        let say = format!("a note has some text, and {NOTE_BYTES_MAX} bytes at most");
        return Err(Fault::at(&code::CHART_VALUE, say, "text"));
    }
    about.stands(session).await?;
    let now = session.now().to_instant();
    let author = format!("Practitioner/{}", signer.practitioner);
    let (kind, called) = form.kind.code();
    let target = tie.map(|(tie, id, held)| (tie, format!("{KIND}/{id}"), held));
    let signed = Signed {
        patient: &format!("Patient/{}", about.patient),
        encounter: &about
            .encounter
            .as_ref()
            .map(|id| format!("Encounter/{id}"))
            .unwrap_or_default(),
        author: &author,
        date: &now,
        kind,
        title,
        tie: target.as_ref().map_or("", |(tie, ..)| tie.code()),
        target: target.as_ref().map_or("", |(_, target, _)| target),
        text: &form.text,
    };
    let mut out = write::begin(KIND, &form.form, about, "subject");
    out.key("masterIdentifier").object();
    out.member("system", URI).member("value", &signed.digest()).end_object();
    out.member("status", "current").member("docStatus", "final");
    out.key("type").object();
    write::codings(&mut out, LOINC, kind);
    out.member("text", called).end_object();
    out.member("date", &now);
    out.key("author").array().object().member("reference", &author);
    out.member("display", &signer.display).end_object().end_array();
    out.key("authenticator").object().member("reference", &author).end_object();
    if let Some((tie, target, _)) = &target {
        out.key("relatesTo").array().object().member("code", tie.code());
        out.key("target").object().member("reference", target).end_object();
        out.end_object().end_array();
    }
    out.key("content").array().object().key("attachment").object();
    out.member("contentType", TEXT_PLAIN);
    out.member("data", &STANDARD.encode(&form.text));
    out.member("hash", &STANDARD.encode(sha1_of(&form.text)));
    out.member("title", title).member("creation", &now);
    out.end_object().end_object().end_array();
    if let Some(id) = &about.encounter {
        out.key("context").object().key("encounter").array().object();
        out.member("reference", &format!("Encounter/{id}")).end_object().end_array().end_object();
    }
    out.end_object();
    let mut entries = Entries::new();
    entries.create(KIND, ("", &form.form), about, &out.finish());
    let done = listed::one(entries.commit(session).await?)?;
    if !done.new {
        // Signed before: then these are the words that were signed, or nothing was signed now.
        let before = about.holds(session, KIND, &done.place.id).await?;
        if note_of(&before).text != form.text {
            let text = "this note was signed before with other words; add what is missing to it";
            return Err(Fault::new(&code::CHART_STATE, text));
        }
    }
    Ok(done)
}

fn signer(session: &Session) -> Result<Signer, Fault> {
    session.signer().ok_or_else(|| {
        let text = "a note is signed by a practitioner of this house who signed in";
        Fault::new(&code::CHART_SIGNER, text)
    })
}

/// What a signature is of.
struct Signed<'s> {
    patient: &'s str,
    encounter: &'s str,
    author: &'s str,
    date: &'s str,
    kind: &'s str,
    title: &'s str,
    tie: &'s str,
    target: &'s str,
    text: &'s str,
}

impl Signed<'_> {
    /// The digest as a name (RFC 6920, section 3). Each part stands behind its length, so that no two
    /// notes are written the same.
    fn digest(&self) -> String {
        let parts = [
            "plummer note 1",
            self.patient,
            self.encounter,
            self.author,
            self.date,
            self.kind,
            self.title,
            self.tie,
            self.target,
            self.text,
        ];
        let mut digest = Sha256::new();
        for part in parts {
            digest.update(format!("{}:", part.len()));
            digest.update(part);
        }
        format!("{NAMED_INFORMATION}{}", URL_SAFE_NO_PAD.encode(digest.finalize()))
    }
}

fn seal_of(root: Value<'_>) -> String {
    root.get("masterIdentifier").map(|one| text(one, "value")).unwrap_or_default()
}

fn sha1_of(text: &str) -> [u8; 20] {
    // FHIR R4 asks for SHA-1 in `Attachment.hash`; what the signature stands on is the digest above.
    use sha1::Digest as _;
    sha1::Sha1::digest(text).into()
}

fn note_of(held: &Held) -> Note {
    let root = held.document.root();
    let reference =
        |value: Option<Value<'_>>| value.map(|one| text(one, "reference")).unwrap_or_default();
    let attachment = each(root, "content").next().and_then(|one| one.get("attachment"));
    let of = |name: &str| attachment.map(|one| text(one, name)).unwrap_or_default();
    let bytes = STANDARD.decode(of("data")).unwrap_or_default();
    let words = String::from_utf8(bytes).unwrap_or_default();
    let related = each(root, "relatesTo").next();
    let tie = related.map(|one| text(one, "code")).unwrap_or_default();
    let target = reference(related.and_then(|one| one.get("target")));
    let author = each(root, "author").next().map(Named::of).unwrap_or_default();
    let kind =
        concept(root, "type").codings.first().map(|one| one.code.clone()).unwrap_or_default();
    let visit = root.get("context").and_then(|one| each(one, "encounter").next());
    let (title, date) = (of("title"), text(root, "date"));
    let signed = Signed {
        patient: &reference(root.get("subject")),
        encounter: &reference(visit),
        author: &author.reference,
        date: &date,
        kind: &kind,
        title: &title,
        tie: &tie,
        target: &target,
        text: &words,
    };
    let seal = seal_of(root);
    let seal = match seal.starts_with(NAMED_INFORMATION) {
        false => Seal::None,
        true if seal == signed.digest() && of("hash") == STANDARD.encode(sha1_of(&words)) => {
            Seal::Intact
        }
        true => Seal::Altered,
    };
    let why = each(root, "extension").find(|one| text(*one, "url") == REASON);
    Note {
        id: held.hit.id.clone(),
        version: held.hit.version,
        in_error: (text(root, "status") == "entered-in-error")
            .then(|| why.map(|one| text(one, "valueString")).unwrap_or_default()),
        of: match tie.as_str() {
            "appends" => Some((Tie::Appends, target.clone())),
            "signs" => Some((Tie::Signs, target.clone())),
            _ => None,
        },
        title: title.clone(),
        signed: date.clone(),
        author: author.clone(),
        text: words.clone(),
        seal,
    }
}

fn stands(held: &Held) -> Result<(), Fault> {
    if text(held.document.root(), "status") == "entered-in-error" {
        let text = "it was entered in error, and nothing is added to it";
        return Err(Fault::new(&code::CHART_STATE, text));
    }
    Ok(())
}
