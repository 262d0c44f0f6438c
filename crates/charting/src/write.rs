//! Changes on their way to the gate: resources written member by member, and transactions of them, with
//! the guards that a bundle can carry (<https://hl7.org/fhir/R4/http.html#trules>).

use crate::guard::{About, Held};
use crate::read::{Concept, parsed};
use base::error::code;
use base::{Fault, Limits, Millis};
use fhir::write::Writer;
use fhir::{Document, Value};
use record::{Answer, BundleOptions, Place, Session};

/// What somebody typed into a form, of each type that is charted: the rest of a record is filled in.
const TYPED: [&str; 10] = [
    "code",
    "valueQuantity",
    "component",
    "onsetDateTime",
    "criticality",
    "reaction",
    "medicationCodeableConcept",
    "dosage",
    "effectivePeriod",
    "derivedFrom",
];

/// The system of the identifiers by which a form that is sent twice is entered once.
pub(crate) const ENTRY: &str = "urn:plummer:chart-entry";
/// Letters of a text that somebody types into one field.
pub(crate) const TEXT_MAX: usize = 4_000;

/// Entries of a transaction.
#[derive(Debug, Default)]
pub(crate) struct Entries {
    out: Writer,
    /// Of each entry that makes something, its type and body.
    made: Vec<Option<(String, Vec<u8>)>>,
    /// When it was is part of what somebody typed, rather than now.
    pub(crate) is_dated: bool,
}

impl Entries {
    pub(crate) fn new() -> Self {
        let mut out = Writer::new();
        out.object().member("resourceType", "Bundle").member("type", "transaction");
        out.key("entry").array();
        Self { out, made: Vec::new(), is_dated: false }
    }

    /// A new record, made once in this chart however often it is sent: `key` is of the form's own id.
    /// `urn` is what others in the bundle refer to it by.
    pub(crate) fn create(
        &mut self,
        kind: &str,
        (urn, key): (&str, &str),
        about: &About,
        resource: &[u8],
    ) {
        // The same key in another chart is another entry, not this one.
        let condition = format!("identifier={ENTRY}|{key}&patient=Patient/{}", about.patient);
        self.made.push(Some((kind.to_owned(), resource.to_vec())));
        self.entry(urn, resource, |out| {
            out.member("method", "POST").member("url", kind).member("ifNoneExist", &condition);
        });
    }

    /// A new version, in place of the one that was read and no other.
    pub(crate) fn update(&mut self, kind: &str, held: &Held, resource: &[u8]) {
        let url = format!("{kind}/{}", held.hit.id);
        let tag = format!("W/\"{}\"", held.hit.version);
        self.made.push(None);
        self.entry("", resource, |out| {
            out.member("method", "PUT").member("url", &url).member("ifMatch", &tag);
        });
    }

    fn entry(&mut self, urn: &str, resource: &[u8], request: impl FnOnce(&mut Writer)) {
        self.out.object();
        if !urn.is_empty() {
            self.out.member("fullUrl", urn);
        }
        self.out.key("resource").raw(resource).key("request").object();
        request(&mut self.out);
        self.out.end_object().end_object();
    }

    /// Carries them out, all or none.
    pub(crate) async fn commit(mut self, session: &Session) -> Result<Vec<Done>, Fault> {
        if self.made.is_empty() {
            return Ok(Vec::new());
        }
        self.out.end_array().end_object();
        let document = Document::parse(self.out.finish(), &Limits::default())?;
        let answer = session.bundle(document, BundleOptions::default()).await?;
        let place = |one: &mut Answer| {
            one.place.take().ok_or_else(|| {
                Fault::new(&code::INTERNAL, "an entry of a transaction was answered with no place")
            })
        };
        let mut typed = TYPED.to_vec();
        if self.is_dated {
            typed.push("effectiveDateTime");
        }
        let mut all = Vec::new();
        for (mut one, made) in answer.entries.into_iter().zip(self.made) {
            let (place, new) = (place(&mut one)?, one.status == 201);
            let differs = match made {
                Some((kind, sent)) if !new => {
                    differs(session, (&kind, &place.id), sent, &typed).await?
                }
                _ => false,
            };
            all.push(Done { new, differs, place });
        }
        Ok(all)
    }
}

/// Whether what stands in the chart since the form was sent before is other than what it says now.
async fn differs(
    session: &Session,
    (kind, id): (&str, &str),
    sent: Vec<u8>,
    typed: &[&str],
) -> Result<bool, Fault> {
    let of = crate::summary::type_named(kind)?;
    let stored = session.read(of, id, None)?.into_inner().await?;
    let sent = Document::parse(sent, &Limits::default())?;
    let Some(stored) = parsed(&stored) else { return Ok(true) };
    for name in typed {
        let same = match (sent.root().get(name), stored.root().get(name)) {
            (None, None) => true,
            // A reference within the form became one to a record.
            (Some(_), Some(_)) if *name == "derivedFrom" => true,
            (Some(one), Some(two)) => crate::diff::edits(one, two)?.is_empty(),
            _ => false,
        };
        if !same {
            return Ok(true);
        }
    }
    Ok(false)
}

/// What became of one entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Done {
    /// It came into being by this. Not when the same form had been sent before.
    pub new: bool,
    /// The form had been sent before, and says something else now than what stands in the chart: what it
    /// says now was not kept.
    pub differs: bool,
    /// The record, and its version now.
    pub place: Place,
}

/// Begins a resource that is about the stated patient.
pub(crate) fn begin(kind: &str, key: &str, about: &About, subject: &str) -> Writer {
    let mut out = Writer::new();
    out.object().member("resourceType", kind);
    out.key("identifier").array().object().member("system", ENTRY).member("value", key);
    out.end_object().end_array();
    out.key(subject)
        .object()
        .member("reference", &format!("Patient/{}", about.patient))
        .end_object();
    out
}

/// `encounter`, when the change belongs to a visit.
pub(crate) fn visit(out: &mut Writer, about: &About) {
    if let Some(id) = &about.encounter {
        out.key("encounter").object().member("reference", &format!("Encounter/{id}")).end_object();
    }
}

/// A `CodeableConcept`.
pub(crate) fn concept(out: &mut Writer, name: &str, concept: &Concept) {
    out.key(name);
    concept_value(out, concept);
}

pub(crate) fn concept_value(out: &mut Writer, concept: &Concept) {
    out.object();
    if !concept.codings.is_empty() {
        out.key("coding").array();
        for one in &concept.codings {
            out.object();
            for (name, value) in
                [("system", &one.system), ("code", &one.code), ("display", &one.display)]
            {
                if !value.is_empty() {
                    out.member(name, value);
                }
            }
            out.end_object();
        }
        out.end_array();
    }
    if !concept.text.is_empty() {
        out.member("text", &concept.text);
    }
    out.end_object();
}

/// A concept of one code.
pub(crate) fn coded(out: &mut Writer, name: &str, system: &str, code: &str) {
    out.key(name).object();
    codings(out, system, code);
    out.end_object();
}

/// `coding` of one code.
pub(crate) fn codings(out: &mut Writer, system: &str, code: &str) {
    out.key("coding").array().object().member("system", system).member("code", code);
    out.end_object().end_array();
}

/// A text that somebody typed: trimmed, not empty, of bounded length, without control characters but line
/// ends and tabs.
pub(crate) fn typed<'t>(text: &'t str, field: &str) -> Result<&'t str, Fault> {
    let text = text.trim();
    let odd = |c: char| c.is_control() && !matches!(c, '\n' | '\t' | '\r');
    if text.is_empty() || text.chars().count() > TEXT_MAX || text.contains(odd) {
        let say = format!("give it in words, {TEXT_MAX} letters at most");
        return Err(Fault::at(&code::CHART_VALUE, say, field));
    }
    Ok(text)
}

/// A moment of care: a full date with a time, not in the future, not before there were charts here.
pub(crate) fn moment(text: &str, now: Millis, field: &str) -> Result<(), Fault> {
    /// Clocks of the desk and the server differ by minutes.
    const AHEAD_MS: i64 = 300_000;
    let bad = |say: &str| Err(Fault::at(&code::CHART_VALUE, say, field));
    match fhir::date::parse(text) {
        Some(range) if !fhir::date::is_date_time(text) || range.low < 0 => {
            bad("give a date and time")
        }
        Some(range) if range.low > now.0.saturating_add(AHEAD_MS) => {
            bad("it lies in the future; what is charted has happened")
        }
        Some(_) => Ok(()),
        None => bad("give a date, or a date and time with its zone"),
    }
}

/// A form's own id, by which sending it twice enters it once.
pub(crate) fn form(key: &str) -> Result<(), Fault> {
    if fhir::reference::is_id(key) {
        return Ok(());
    }
    let say = "the form has an id of 1 to 60 letters, digits, hyphens and full stops";
    Err(Fault::at(&code::PARAMETER_INVALID, say, "form"))
}

/// The members of a stored resource written anew, but for those named: what nobody here understands
/// survives a change.
pub(crate) fn keep(out: &mut Writer, root: Value<'_>, but: &[&str]) {
    for (name, value) in root.members() {
        if !but.contains(&name) && !but.contains(&name.trim_start_matches('_')) {
            out.key(name).raw(value.raw().as_bytes());
        }
    }
}
