//! Who acts for a patient (45 CFR 164.502(g)), as `RelatedPersons`: put down with the authority that was
//! shown, ended with the day, never deleted. Whether somebody may act now, `record::proxy` tells.

mod rule;

pub use rule::RULE;

use crate::read::{keep, text};
use crate::register::{Seen, parsed, patient, type_named};
use crate::theirs;
use base::error::code;
use base::{Fault, Limits};
use fhir::Document;
use fhir::write::Writer;
use record::proxy::{
    AUTHORITY, Authority, EVIDENCE, POWER, Power, Proxy, Whose, lacks_end, last_day_of_minority,
};
use record::{Hit, Session};

const FORM: &str = "urn:plummer:proxy-form";
const RELATIONS: &str = "http://terminology.hl7.org/CodeSystem/v3-RoleCode";
/// Letters of a field.
const LETTERS_MAX: usize = 120;
const DAY_MS: i64 = 86_400_000;
/// What somebody is to a patient, by HL7's codes
/// (<https://terminology.hl7.org/CodeSystem-v3-RoleCode.html>).
pub const RELATIONSHIPS: [&str; 6] = ["PRN", "SPS", "CHILD", "SIB", "GRPRN", "FRND"];

/// Somebody as they are put down.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Entered {
    /// Their name.
    pub name: String,
    /// One of [`RELATIONSHIPS`], or empty.
    pub relationship: String,
    /// Their phone.
    pub phone: String,
    /// By what right.
    pub authority: Option<Authority>,
    /// What they may do.
    pub powers: Vec<Power>,
    /// What was seen that proves it.
    pub evidence: String,
    /// The last day, as FHIR writes it; empty when none is known.
    pub until: String,
}

/// Somebody who acts for a patient, as the record has them.
#[derive(Clone, PartialEq, Eq)]
pub struct Held {
    /// The logical id of the `RelatedPerson`.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// Who, by what right, and whether now.
    pub proxy: Proxy,
}

hidden!(Entered, Held);

/// Who acts, or acted, for a patient: those who may now first.
///
/// # Errors
/// `search.query.too-costly` when more are related than anybody looks through; as a search, and as a read of
/// the patient.
pub async fn of(session: &Session, about: &str) -> Result<Vec<Held>, Fault> {
    let whose = whose(session, about).await?;
    let mut all = Vec::new();
    // All are read: those who act are few among those who are related, and none of them is left out.
    for hit in theirs::all(session, "RelatedPerson", about, &[]).await? {
        all.extend(held(session, &hit, &whose)?);
    }
    all.sort_by(|a, b| (!a.proxy.stands, &a.proxy.name).cmp(&(!b.proxy.stands, &b.proxy.name)));
    Ok(all)
}

/// Somebody who acts, or acted, for a patient.
///
/// # Errors
/// `registration.patient.other`; `record.read.not-found` for one who is related and does not act; as a
/// read.
pub async fn one(session: &Session, about: &str, id: &str) -> Result<Held, Fault> {
    let hit = theirs::one(session, "RelatedPerson", "patient", about, id).await?;
    let whose = whose(session, about).await?;
    let none = || Fault::new(&code::NOT_FOUND, "nobody of this id acts for the patient");
    held(session, &hit, &whose)?.ok_or_else(none)
}

/// Whether a patient is not of age yet, as far as that is known, by the law of the house's state.
///
/// # Errors
/// When the stored Patient is no JSON.
pub fn is_minor(session: &Session, patient: &Hit) -> Result<bool, Fault> {
    let whose = Whose::of(parsed(patient)?.root(), session.home_state());
    Ok(whose.is_minor(session.now()))
}

/// Puts somebody down, once for each form. Who acts for a minor by being a parent or a guardian does so
/// until the patient is of age.
///
/// # Errors
/// `registration.value.invalid`, named by its field; as a create.
pub async fn add(
    session: &Session,
    about: &str,
    form: &str,
    entered: &Entered,
) -> Result<String, Fault> {
    let whose = whose(session, about).await?;
    let until = hold(session, entered, &whose)?;
    if !fhir::reference::is_id(form) {
        return Err(Fault::at(&code::PARAMETER_INVALID, "the form has no id", "entry"));
    }
    let authority = entered.authority.ok_or_else(|| odd("say by what right", "authority"))?;
    let mut out = Writer::new();
    out.object().member("resourceType", "RelatedPerson");
    out.key("meta").object().key("tag").array().object();
    out.member("system", FORM).member("code", form).end_object().end_array().end_object();
    out.key("extension").array();
    out.object().member("url", AUTHORITY).member("valueCode", authority.code()).end_object();
    for power in &entered.powers {
        out.object().member("url", POWER).member("valueCode", power.code()).end_object();
    }
    out.object().member("url", EVIDENCE).member("valueString", &entered.evidence).end_object();
    out.end_array();
    out.key("active").boolean(true);
    out.key("patient").object().member("reference", &format!("Patient/{about}")).end_object();
    if !entered.relationship.is_empty() {
        out.key("relationship").array().object().key("coding").array().object();
        out.member("system", RELATIONS).member("code", &entered.relationship);
        out.end_object().end_array().end_object().end_array();
    }
    out.key("name").array().object().member("text", &entered.name).end_object().end_array();
    if !entered.phone.is_empty() {
        out.key("telecom").array().object().member("system", "phone");
        out.member("value", &entered.phone).end_object().end_array();
    }
    out.key("period").object().member("start", &day(session.now().0));
    if !until.is_empty() {
        out.member("end", &until);
    }
    out.end_object().end_object();
    let body = Document::parse(out.finish(), &Limits::default())?;
    let once = format!("_tag={FORM}|{form}&patient=Patient/{about}");
    let written = session.create(type_named("RelatedPerson")?, body, Some(once)).await?;
    Ok(written.hit.id)
}

/// Ends what somebody may do, from this moment on. They stay in the record.
///
/// # Errors
/// `registration.patient.other`; `record.write.version-conflict`; as an update.
pub async fn end(session: &Session, about: &str, seen: &Seen) -> Result<u64, Fault> {
    let hit = theirs::one(session, "RelatedPerson", "patient", about, &seen.id).await?;
    let document = parsed(&hit)?;
    let mut out = Writer::new();
    out.object();
    keep(&mut out, Some(document.root()), &["active", "period"]);
    out.key("active").boolean(false);
    out.key("period").object();
    let period = document.root().get("period");
    let (start, until) = (
        period.map(|one| text(one, "start")).unwrap_or_default(),
        period.map(|one| text(one, "end")).unwrap_or_default(),
    );
    if !start.is_empty() {
        out.member("start", &start);
    }
    let today = day(session.now().0);
    out.member("end", if until.is_empty() || today < until { &today } else { &until });
    out.end_object().end_object();
    let body = Document::parse(out.finish(), &Limits::default())?;
    let of = type_named("RelatedPerson")?;
    let written = session.update(of, &seen.id, body, Some(seen.version), false).await?;
    Ok(written.hit.version)
}

/// Holds what was entered to what can stand; answers the last day.
fn hold(session: &Session, entered: &Entered, whose: &Whose<'_>) -> Result<String, Fault> {
    let fits = |text: &str| text.chars().count() <= LETTERS_MAX && !text.contains(char::is_control);
    for (name, value, must) in [
        ("name", &entered.name, true),
        ("phone", &entered.phone, false),
        ("evidence", &entered.evidence, true),
    ] {
        if (must && value.is_empty()) || !fits(value) {
            return Err(odd("give it, in 120 letters at most", name));
        }
    }
    let known = |code: &str| RELATIONSHIPS.contains(&code);
    if !entered.relationship.is_empty() && !known(&entered.relationship) {
        return Err(odd("choose one of what is offered", "relationship"));
    }
    if entered.powers.is_empty() {
        return Err(odd("say what they may do", "powers"));
    }
    let now = session.now();
    let is_over = |day: &str| fhir::date::parse(day).is_none_or(|day| day.high < now.0);
    if !entered.until.is_empty() && (entered.until.len() != 10 || is_over(&entered.until)) {
        return Err(odd("give a day that is not over", "until"));
    }
    if let Some(died) = &whose.died {
        if entered.authority.is_some_and(|right| right != Authority::Representative) {
            return Err(odd("after a death only who represents the estate acts", "authority"));
        }
        if died.is_empty() {
            let say = "put down the day of the death first: it tells who acts for the estate";
            return Err(odd(say, "authority"));
        }
    }
    let minority = last_day_of_minority(&whose.born, whose.state).filter(|last| !is_over(last));
    match (entered.authority, minority) {
        (None, _) => Err(odd("say by what right", "authority")),
        (Some(Authority::Guardian), None) if lacks_end(&whose.born, &entered.until) => {
            Err(odd("give the last day: the date of birth is not known", "until"))
        }
        (Some(Authority::Parent), None) => {
            Err(odd("a parent acts for a minor, whose date of birth is known", "authority"))
        }
        (Some(Authority::Parent | Authority::Guardian), Some(last)) => {
            let sooner = !entered.until.is_empty() && entered.until < last;
            Ok(if sooner { entered.until.clone() } else { last })
        }
        (Some(_), _) => Ok(entered.until.clone()),
    }
}

fn held(session: &Session, hit: &Hit, whose: &Whose<'_>) -> Result<Option<Held>, Fault> {
    let proxy = Proxy::read(parsed(hit)?.root(), whose, session.now());
    Ok(proxy.map(|proxy| Held { id: hit.id.clone(), version: hit.version, proxy }))
}

async fn whose<'s>(session: &'s Session, about: &str) -> Result<Whose<'s>, Fault> {
    let hit = session.read(patient()?, about, None)?.into_inner().await?;
    Ok(Whose::of(parsed(&hit)?.root(), session.home_state()))
}

fn day(now: i64) -> String {
    let (year, month, day) = base::time::civil_from_days(now.div_euclid(DAY_MS));
    format!("{year:04}-{month:02}-{day:02}")
}

fn odd(say: &str, at: &str) -> Fault {
    Fault::at(&code::REGISTRATION_VALUE, say.to_owned(), at.to_owned())
}
