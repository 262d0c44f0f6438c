//! The parts of a Consent: what each element says, or that it says something else
//! (<https://hl7.org/fhir/R4/consent-definitions.html>). Whether that permits or denies is not
//! decided here.

use access::Purpose;
use fhir::Value;
use fhir::definitions::{TypeId, r4};
use fhir::reference::{Reference, parse};
use std::collections::BTreeSet;

const RESOURCE_TYPES: &str = "http://hl7.org/fhir/resource-types";

/// What a Consent is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Scope {
    Privacy,
    Research,
    /// Treatment itself, or directives for the end of life: not about records.
    Other,
    Unknown,
}

/// Something is in it that may turn its meaning.
pub(super) fn odd(value: Value<'_>) -> bool {
    value.get("modifierExtension").is_some() || value.get("implicitRules").is_some()
}

pub(super) fn scope(consent: Value<'_>) -> Scope {
    let mut found = Scope::Unknown;
    for coding in
        consent.get("scope").and_then(|s| s.get("coding")).into_iter().flat_map(Value::each)
    {
        let one = match coding.get_str("code").as_deref() {
            Some("patient-privacy") => Scope::Privacy,
            Some("research") => Scope::Research,
            Some("treatment" | "adr") => Scope::Other,
            _ => return Scope::Unknown,
        };
        found = match (found, one) {
            (Scope::Unknown, one) => one,
            (old, one) if old == one => old,
            _ => return Scope::Unknown,
        };
    }
    found
}

pub(super) fn has_rule(consent: Value<'_>, system: &str, code: &str) -> bool {
    let rule = consent.get("policyRule").into_iter();
    let categories = consent.get("category").into_iter().flat_map(Value::each);
    rule.chain(categories).filter_map(|concept| concept.get("coding")).flat_map(Value::each).any(
        |coding| {
            coding.get_str("system").as_deref() == Some(system)
                && coding.get_str("code").as_deref() == Some(code)
        },
    )
}

/// The instants of a period; `None` when it is none.
pub(crate) fn span(period: Value<'_>) -> Option<(i64, i64)> {
    let date = |name: &str| match period.get(name) {
        None => Some(None),
        Some(value) => value.as_str().and_then(|text| fhir::date::parse(&text)).map(Some),
    };
    let (start, end) = (date("start")?, date("end")?);
    if start.is_none() && end.is_none() {
        return None;
    }
    Some((start.map_or(i64::MIN, |d| d.low), end.map_or(i64::MAX, |d| d.high)))
}

/// The references of those who receive; an error when somebody is named in another way.
pub(super) fn actors(value: Value<'_>) -> Result<Option<Vec<String>>, &'static str> {
    let Some(actors) = value.get("actor") else { return Ok(None) };
    const RECIPIENTS: [&str; 8] =
        ["PRCP", "IRCP", "GRANTEE", "DELEGATEE", "REFT", "humanuser", "dataprocessor", "CAREGIVER"];
    let mut found = Vec::new();
    for actor in actors.each() {
        let codings = actor.get("role").and_then(|role| role.get("coding"));
        let receives = codings.is_some_and(|codings| {
            let mut codes = codings.each().map(|coding| coding.get_str("code"));
            codes.all(|code| code.is_some_and(|code| RECIPIENTS.contains(&&*code)))
        });
        if !receives {
            return Err("has a role that is not one of those who receive");
        }
        let reference = actor.get("reference").and_then(|r| r.get_str("reference"));
        match reference.as_deref().and_then(parse) {
            Some(Reference::Relative(target)) => {
                found.push(format!("{}/{}", target.resource_type, target.id));
            }
            _ => return Err("is named by something other than a record here"),
        }
    }
    if found.is_empty() { Err("names nobody") } else { Ok(Some(found)) }
}

/// The purposes; those that are known when there are others too.
pub(super) fn purposes(value: Value<'_>) -> Result<Option<Vec<Purpose>>, Vec<Purpose>> {
    let Some(purposes) = value.get("purpose") else { return Ok(None) };
    let (mut found, mut odd) = (Vec::new(), false);
    for coding in purposes.each() {
        let code = coding.get_str("code").unwrap_or_default();
        let hl7 = coding
            .get_str("system")
            .is_some_and(|s| s == "http://terminology.hl7.org/CodeSystem/v3-ActReason");
        match Purpose::ALL.into_iter().find(|purpose| hl7 && purpose.as_str() == code) {
            Some(purpose) => found.push(purpose),
            None => odd = true,
        }
    }
    if odd || found.is_empty() { Err(found) } else { Ok(Some(found)) }
}

/// Whether it is about looking, and about handing out.
pub(super) fn uses(value: Value<'_>) -> Result<Option<(bool, bool)>, ()> {
    let Some(actions) = value.get("action") else { return Ok(None) };
    let (mut viewing, mut releasing) = (false, false);
    for concept in actions.each() {
        let mut any = false;
        for coding in concept.get("coding").into_iter().flat_map(Value::each) {
            match coding.get_str("code").as_deref() {
                Some("access" | "use") => viewing = true,
                Some("disclose") => releasing = true,
                Some("collect" | "correct") => {}
                _ => return Err(()),
            }
            any = true;
        }
        if !any {
            return Err(());
        }
    }
    Ok(Some((viewing, releasing)))
}

pub(super) fn classes(value: Value<'_>) -> Result<Option<BTreeSet<TypeId>>, ()> {
    let Some(classes) = value.get("class") else { return Ok(None) };
    let mut types = BTreeSet::new();
    for coding in classes.each() {
        let known = coding.get_str("system").is_some_and(|system| system == RESOURCE_TYPES);
        let of = coding.get_str("code").and_then(|code| r4().resource_type(&code));
        types.insert(of.filter(|_| known).ok_or(())?);
    }
    if types.is_empty() { Err(()) } else { Ok(Some(types)) }
}

pub(super) fn records(value: Value<'_>) -> Result<BTreeSet<String>, ()> {
    let mut records = BTreeSet::new();
    for data in value.get("data").into_iter().flat_map(Value::each) {
        if data.get_str("meaning").as_deref() != Some("instance") {
            return Err(());
        }
        let reference = data.get("reference").and_then(|r| r.get_str("reference"));
        match reference.as_deref().and_then(parse) {
            Some(Reference::Relative(target)) => {
                records.insert(format!("{}/{}", target.resource_type, target.id));
            }
            _ => return Err(()),
        }
    }
    Ok(records)
}
