//! A patient's insurance and the pictures of its card (FHIR R4 Coverage,
//! <https://hl7.org/fhir/R4/coverage.html>; the pictures as the CARIN guide for insurance cards has
//! them). A picture stands in the Coverage itself, so whoever may see the one may see the other.

use crate::image;
use crate::read::{each, extension, keep, list, put, text};
use crate::register::{Seen, parsed, patient, type_named};
use crate::theirs;
use base::error::code;
use base::{Fault, Limits};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use fhir::write::Writer;
use fhir::{Document, Value};
use record::{Hit, Level, SearchHow, Session};

/// `Coverage.extension`.
const IMAGE: &str =
    "http://hl7.org/fhir/us/insurance-card/StructureDefinition/C4DIC-SupportingImage-extension";
const FORM: &str = "urn:plummer:coverage-form";
const CLASSES: &str = "http://terminology.hl7.org/CodeSystem/coverage-class";
const RELATIONS: &str = "http://terminology.hl7.org/CodeSystem/subscriber-relationship";
/// Letters of a field.
const LETTERS_MAX: usize = 120;
/// Insurance that is listed of one patient; nobody has more in force.
const LISTED: &str = "20";
/// What the patient is to whom it is written for.
pub const RELATIONSHIPS: [&str; 4] = ["self", "spouse", "child", "other"];

/// The sides of a card.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The front.
    Front,
    /// The back.
    Back,
}

impl Side {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Front, Self::Back];

    /// Its name in addresses and in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Front => "front",
            Self::Back => "back",
        }
    }

    /// The side of a name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|side| side.name() == name)
    }
}

/// Insurance as it is entered.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Entered {
    /// Who insures.
    pub payer: String,
    /// The number on the card.
    pub number: String,
    /// The group, if there is one.
    pub group: String,
    /// One of [`RELATIONSHIPS`]; empty when it is not said.
    pub relationship: String,
    /// The pictures of the card, by side.
    pub pictures: Vec<(Side, Vec<u8>)>,
}

/// Insurance as it stands in a record.
#[derive(Clone, PartialEq, Eq)]
pub struct Held {
    /// The logical id.
    pub id: String,
    /// The version.
    pub version: u64,
    /// `Coverage.status`.
    pub status: String,
    /// Who insures; empty when the record does not say.
    pub payer: String,
    /// The number on the card.
    pub number: String,
    /// The group.
    pub group: String,
    /// From when it is in force, as FHIR writes it.
    pub from: String,
    /// The last day.
    pub until: String,
    /// The sides of the card there are pictures of.
    pub sides: Vec<Side>,
}

hidden!(Entered, Held);

/// The insurance of a patient, in force first.
///
/// # Errors
/// As a search.
pub async fn of(session: &Session, patient: &str) -> Result<Vec<Held>, Fault> {
    let pairs = vec![
        ("patient".to_owned(), format!("Patient/{patient}")),
        ("_count".to_owned(), LISTED.to_owned()),
        ("_include".to_owned(), "Coverage:payor".to_owned()),
    ];
    let level = Level::Type(type_named("Coverage")?);
    let found = session.search(level, pairs, &SearchHow::default())?.into_inner().await?;
    let mut payers = Vec::new();
    for hit in &found.page.included {
        payers.push((format!("Organization/{}", hit.id), text(parsed(hit)?.root(), "name")));
    }
    let mut all = Vec::new();
    for hit in &found.page.matches {
        all.push(held(hit, parsed(hit)?.root(), &payers));
    }
    all.sort_by_key(|one| (one.status != "active", std::cmp::Reverse(one.from.clone())));
    Ok(all)
}

/// Adds insurance to a patient, once for each form.
///
/// # Errors
/// `registration.value.invalid` for a field or picture that cannot be kept, named by its place; as a
/// create.
pub async fn add(
    session: &Session,
    about: &str,
    form: &str,
    entered: &Entered,
) -> Result<String, Fault> {
    session.read(patient()?, about, None)?.into_inner().await?;
    for (name, value, must) in [
        ("payer", &entered.payer, true),
        ("number", &entered.number, true),
        ("group", &entered.group, false),
    ] {
        if (must && value.is_empty()) || value.chars().count() > LETTERS_MAX {
            return Err(odd("give it, in 120 letters at most", name));
        }
    }
    if !entered.relationship.is_empty() && !RELATIONSHIPS.contains(&entered.relationship.as_str()) {
        return Err(odd("choose one of what is offered", "relationship"));
    }
    if !fhir::reference::is_id(form) {
        return Err(Fault::at(&code::PARAMETER_INVALID, "the form has no id", "entry"));
    }
    let mut out = Writer::new();
    out.object().member("resourceType", "Coverage");
    out.key("meta").object().key("tag").array().object();
    out.member("system", FORM).member("code", form).end_object().end_array().end_object();
    list(&mut out, "extension", &pictures(&entered.pictures)?);
    out.member("status", "active").member("subscriberId", &entered.number);
    out.key("beneficiary").object().member("reference", &format!("Patient/{about}")).end_object();
    if !entered.relationship.is_empty() {
        out.key("relationship").object().key("coding").array().object();
        out.member("system", RELATIONS).member("code", &entered.relationship);
        out.end_object().end_array().end_object();
    }
    out.key("payor").array().object().member("display", &entered.payer).end_object().end_array();
    if !entered.group.is_empty() {
        out.key("class").array().object().key("type").object().key("coding").array().object();
        out.member("system", CLASSES).member("code", "group");
        out.end_object().end_array().end_object();
        out.member("value", &entered.group).end_object().end_array();
    }
    out.end_object();
    let body = Document::parse(out.finish(), &Limits::default())?;
    let once = format!("_tag={FORM}|{form}&beneficiary=Patient/{about}");
    let written = session.create(type_named("Coverage")?, body, Some(once)).await?;
    Ok(written.hit.id)
}

/// Ends insurance, or takes that back.
///
/// # Errors
/// `registration.patient.other`; `record.write.version-conflict`; as an update.
pub async fn set_ended(
    session: &Session,
    about: &str,
    seen: &Seen,
    ended: bool,
) -> Result<u64, Fault> {
    let hit = theirs::one(session, "Coverage", "beneficiary", about, &seen.id).await?;
    let document = parsed(&hit)?;
    let mut out = Writer::new();
    out.object();
    keep(&mut out, Some(document.root()), &["status"]);
    put(&mut out, "status", if ended { "cancelled" } else { "active" });
    out.end_object();
    let body = Document::parse(out.finish(), &Limits::default())?;
    let of = type_named("Coverage")?;
    let written = session.update(of, &seen.id, body, Some(seen.version), false).await?;
    Ok(written.hit.version)
}

/// A picture of a card, with its media type; none when there is none of that side.
///
/// # Errors
/// `registration.patient.other` when the insurance is another patient's; as a read.
pub async fn picture(
    session: &Session,
    about: &str,
    id: &str,
    side: Side,
) -> Result<Option<(&'static str, Vec<u8>)>, Fault> {
    let hit = theirs::one(session, "Coverage", "beneficiary", about, id).await?;
    let document = parsed(&hit)?;
    let found = images(document.root()).into_iter().find(|(own, _)| *own == side);
    let bytes = found.and_then(|(_, image)| STANDARD.decode(text(image, "data")).ok());
    // By content again: what stands in a record may have come from elsewhere.
    Ok(bytes.and_then(|bytes| image::media_type(&bytes).map(|kind| (kind, bytes))))
}

fn pictures(all: &[(Side, Vec<u8>)]) -> Result<Vec<Vec<u8>>, Fault> {
    let mut out = Vec::new();
    for (side, bytes) in all {
        if bytes.len() > image::BYTES_MAX {
            return Err(odd("a picture has one megabyte at most", side.name()));
        }
        let Some(kind) = image::media_type(bytes) else {
            return Err(odd("give a picture: JPEG, PNG or WebP", side.name()));
        };
        let mut one = Writer::new();
        one.object().key("extension").array();
        one.object().member("url", "description").key("valueCodeableConcept").object();
        one.member("text", side.name()).end_object().end_object();
        one.object().member("url", "image").key("valueAttachment").object();
        one.member("contentType", kind).member("data", &STANDARD.encode(bytes));
        one.end_object().end_object();
        one.object().member("url", "label").member("valueString", side.name()).end_object();
        one.end_array().member("url", IMAGE).end_object();
        out.push(one.finish());
    }
    Ok(out)
}

fn images(root: Value<'_>) -> Vec<(Side, Value<'_>)> {
    let each = each(root, "extension").filter(|one| text(*one, "url") == IMAGE);
    each.filter_map(|one| {
        let side = Side::from_name(&text(extension(one, "label")?, "valueString"))?;
        Some((side, extension(one, "image")?.get("valueAttachment")?))
    })
    .collect()
}

fn held(hit: &Hit, root: Value<'_>, payers: &[(String, String)]) -> Held {
    let payer = each(root, "payor").find_map(|one| {
        let display = text(one, "display");
        let of = text(one, "reference");
        let named = || payers.iter().find(|(own, _)| *own == of).map(|(_, name)| name.clone());
        Some(display).filter(|name| !name.is_empty()).or_else(named)
    });
    let group = each(root, "class").find(|one| {
        let kind = one.get("type").into_iter().flat_map(|kind| each(kind, "coding"));
        kind.into_iter().any(|coding| text(coding, "code") == "group")
    });
    let period = |end: &str| root.get("period").map(|one| text(one, end)).unwrap_or_default();
    Held {
        id: hit.id.clone(),
        version: hit.version,
        status: text(root, "status"),
        payer: payer.unwrap_or_default(),
        number: text(root, "subscriberId"),
        group: group.map(|one| text(one, "value")).unwrap_or_default(),
        from: period("start"),
        until: period("end"),
        sides: images(root).into_iter().map(|(side, _)| side).collect(),
    }
}

fn odd(say: &str, at: &str) -> Fault {
    Fault::at(&code::REGISTRATION_VALUE, say.to_owned(), at.to_owned())
}
