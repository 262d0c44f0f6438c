//! Two records of one patient: linked as one, and parted again (`Patient.link`,
//! <https://hl7.org/fhir/R4/patient-definitions.html#Patient.link>). One survives; the other says by whom
//! it is replaced and is not active any more. Nothing is moved: what stands in either stays where it is,
//! so taking it back takes back everything.

use crate::read::{each, keep, text};
use crate::register::{Seen, parsed, patient};
use base::Fault;
use base::error::code;
use fhir::write::Writer;
use fhir::{Document, Value};
use record::{Action, Kind, Session, Work};

/// `Patient.link.extension`: the record was not active before it was merged.
const WAS_INACTIVE: &str = "urn:plummer:was-inactive";

/// How a record is linked with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Link {
    /// It took the other in.
    Replaces,
    /// The other took it in.
    ReplacedBy,
}

/// The records that a Patient is merged with, by their logical ids.
pub fn links(patient: Value<'_>) -> Vec<(Link, String)> {
    each(patient, "link").filter_map(link).collect()
}

/// Whether the caller may merge these two, and part them.
///
/// # Errors
/// When the store fails.
pub fn may(session: &Session, one: &str, other: &str) -> Result<bool, Fault> {
    let of = patient()?;
    for id in [one, other] {
        for action in [Action::Merge, Action::Update] {
            if !session.may_to(action, of, id)? {
                return Ok(false);
            }
        }
    }
    Ok(true)
}

/// Links two records as one patient's: `survivor` goes on, `merged` points at it.
///
/// # Errors
/// `access.denied`; `registration.merge.state` when they are one record, or either was merged into
/// another; `record.write.version-conflict` when either changed since it was seen.
pub async fn merge(session: &Session, survivor: &Seen, merged: &Seen) -> Result<(), Fault> {
    if survivor.id == merged.id {
        return Err(state("a record is not merged with itself"));
    }
    if !may(session, &survivor.id, &merged.id)? {
        return Err(denied());
    }
    let work = |session: &Session| {
        let (into, from) = (held(session, survivor)?, held(session, merged)?);
        for one in [&into, &from] {
            if links(one.root()).iter().any(|(kind, _)| *kind == Link::ReplacedBy) {
                return Err(state("one of the two is merged into another record already"));
            }
        }
        let is_active = active(from.root()) != Some(false);
        let mut work = Work::new();
        let body = with_link(into.root(), Link::Replaces, &merged.id, None, false);
        work.update("Patient", &survivor.id, survivor.version, body);
        let body = with_link(from.root(), Link::ReplacedBy, &survivor.id, Some(false), !is_active);
        work.update("Patient", &merged.id, merged.version, body);
        Ok(work)
    };
    session.carry_out(Kind::PatientsMerged, work).await.map(drop)
}

/// Parts two records that were linked by [`merge`]; what either holds by now, it keeps.
///
/// # Errors
/// As [`merge`]; `registration.merge.state` when they are not merged.
pub async fn part(session: &Session, survivor: &Seen, merged: &Seen) -> Result<(), Fault> {
    if !may(session, &survivor.id, &merged.id)? {
        return Err(denied());
    }
    let work = |session: &Session| {
        let (into, from) = (held(session, survivor)?, held(session, merged)?);
        let is_so = links(into.root()).contains(&(Link::Replaces, merged.id.clone()))
            && links(from.root()).contains(&(Link::ReplacedBy, survivor.id.clone()));
        if !is_so {
            return Err(state("these two records are not merged"));
        }
        let was_inactive = each(from.root(), "link").any(|one| {
            link(one) == Some((Link::ReplacedBy, survivor.id.clone()))
                && each(one, "extension").any(|e| text(e, "url") == WAS_INACTIVE)
        });
        let mut work = Work::new();
        let body = without_link(into.root(), &merged.id, None);
        work.update("Patient", &survivor.id, survivor.version, body);
        let body = without_link(from.root(), &survivor.id, Some(!was_inactive));
        work.update("Patient", &merged.id, merged.version, body);
        Ok(work)
    };
    session.carry_out(Kind::PatientsMerged, work).await.map(drop)
}

fn held(session: &Session, seen: &Seen) -> Result<Document, Fault> {
    let hit = session.read(patient()?, &seen.id, None)?.wait()?;
    if hit.version != seen.version {
        // Not the code of a race: the work would be tried again and fail again.
        return Err(state(
            "one of the two was changed since it was shown to you; compare them again",
        ));
    }
    parsed(&hit)
}

fn with_link(
    root: Value<'_>,
    kind: Link,
    other: &str,
    active: Option<bool>,
    was_inactive: bool,
) -> Vec<u8> {
    let mut out = begun(root, active);
    out.key("link").array();
    for one in each(root, "link") {
        out.raw(one.raw().as_bytes());
    }
    out.object();
    if was_inactive {
        out.key("extension").array().object().member("url", WAS_INACTIVE);
        out.key("valueBoolean").boolean(true).end_object().end_array();
    }
    out.key("other").object().member("reference", &format!("Patient/{other}")).end_object();
    let kind = match kind {
        Link::Replaces => "replaces",
        Link::ReplacedBy => "replaced-by",
    };
    out.member("type", kind).end_object().end_array().end_object();
    out.finish()
}

fn without_link(root: Value<'_>, other: &str, active: Option<bool>) -> Vec<u8> {
    let mut out = begun(root, active);
    let rest = each(root, "link").filter(|one| link(*one).is_none_or(|(_, id)| id != other));
    let rest: Vec<_> = rest.map(|one| one.raw().as_bytes().to_vec()).collect();
    crate::read::list(&mut out, "link", &rest);
    out.end_object();
    out.finish()
}

/// The document without its links, and with `active` as it is to be.
fn begun(root: Value<'_>, active: Option<bool>) -> Writer {
    let mut out = Writer::new();
    out.object();
    let but: &[&str] = if active.is_some() { &["link", "active"] } else { &["link"] };
    keep(&mut out, Some(root), but);
    if let Some(active) = active {
        out.key("active").boolean(active);
    }
    out
}

fn link(one: Value<'_>) -> Option<(Link, String)> {
    let kind = match text(one, "type").as_str() {
        "replaces" => Link::Replaces,
        "replaced-by" => Link::ReplacedBy,
        _ => return None,
    };
    let other = text(one.get("other")?, "reference");
    Some((kind, other.strip_prefix("Patient/")?.to_owned()))
}

fn active(root: Value<'_>) -> Option<bool> {
    root.get("active").and_then(Value::as_bool)
}

fn state(say: &str) -> Fault {
    Fault::new(&code::REGISTRATION_MERGE, say)
}

fn denied() -> Fault {
    Fault::new(&code::ACCESS_DENIED, "no policy permits merging these records, or parting them")
}
