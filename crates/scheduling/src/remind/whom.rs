//! Whom a reminder goes to, by which way and in which language: what `Patient.telecom` says of the ways
//! that may be used (`record::contact`, 45 CFR 164.522(b)) and `Patient.communication` (<https://hl7.org/fhir/R4/datatypes.html#ContactPoint>), and who asked to be
//! left alone: an active Flag of the category `contact` (<https://hl7.org/fhir/R4/valueset-flag-category.html>)
//! with the code `no-reminders`, which staff and patients set alike.

use super::Language;
use base::{Millis, Phi};
use fhir::Value;
use fhir::date::parse;
use record::contact::reach;

/// The system of the category that says that a flag is about how somebody is reached.
pub const FLAG_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/flag-category";
/// The system of the code of such a flag.
pub const CONTACT_SYSTEM: &str = "https://plummer.health/fhir/CodeSystem/contact";
/// The code that says that nobody wants to be reminded.
pub const NO_REMINDERS: &str = "no-reminders";
/// Addresses of one patient that are looked at.
const ADDRESSES_MAX: usize = 20;

/// How somebody is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Way {
    /// A text to a phone.
    Text,
    /// A mail.
    Mail,
}

impl Way {
    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Mail => "mail",
        }
    }

    /// Reads the stable code.
    pub fn parse(text: &str) -> Option<Self> {
        [Self::Text, Self::Mail].into_iter().find(|way| way.as_str() == text)
    }
}

/// Somebody who may be reminded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Whom {
    /// Addresses, the preferred first.
    pub addresses: Vec<(Way, Phi<String>)>,
    pub language: Language,
}

/// Reads a Patient; none for one who died or whose record is not in use.
pub(crate) fn read(patient: Value<'_>, now: Millis) -> Option<Whom> {
    let died = patient.get("deceasedDateTime").is_some()
        || patient.get("deceasedBoolean").is_some_and(|died| died.raw() == "true");
    let retired = patient.get("active").is_some_and(|active| active.raw() == "false");
    if died || retired {
        return None;
    }
    let mut found: Vec<(u32, Way, Phi<String>)> = Vec::new();
    // What was theirs once may be somebody else's today; what they asked not to be used is not here.
    for point in reach(patient, now).telecom.into_iter().take(ADDRESSES_MAX) {
        let of = |name: &str| point.get_str(name).unwrap_or_default().into_owned();
        let (system, kind, value) = (of("system"), of("use"), of("value"));
        let way = match (system.as_str(), kind.as_str()) {
            ("sms", _) | ("phone", "mobile") => Way::Text,
            ("email", _) => Way::Mail,
            _ => continue,
        };
        if value.trim().is_empty() {
            continue;
        }
        // Without a rank it comes after all that have one.
        let rank = point.get("rank").and_then(|rank| rank.raw().parse().ok()).unwrap_or(u32::MAX);
        found.push((rank, way, Phi::new(value)));
    }
    found.sort_by_key(|(rank, way, _)| (*rank, *way));
    let addresses = found.into_iter().map(|(_, way, value)| (way, value)).collect();
    Some(Whom { addresses, language: language(patient) })
}

/// The language of the communication that is preferred, else of the first; else of the record.
fn language(patient: Value<'_>) -> Language {
    let all = || patient.get("communication").into_iter().flat_map(Value::items);
    let preferred = all().find(|one| one.get("preferred").is_some_and(|yes| yes.raw() == "true"));
    let spoken = preferred.or_else(|| all().next()).and_then(|one| one.get("language"));
    let code = spoken.and_then(|spoken| {
        let mut codings = spoken.get("coding").into_iter().flat_map(Value::items);
        codings.find_map(|coding| coding.get_str("code"))
    });
    let code = code.or_else(|| patient.get_str("language"));
    Language::of_tag(&code.unwrap_or_default())
}

/// Whether a Flag asks that its patient be left alone.
pub(crate) fn opts_out(flag: Value<'_>, now: Millis) -> bool {
    let coded = |of: Value<'_>, system: &str, code: &str| {
        let mut codings = of.get("coding").into_iter().flat_map(Value::items);
        codings.any(|coding| {
            coding.get_str("system").as_deref() == Some(system)
                && coding.get_str("code").as_deref() == Some(code)
        })
    };
    let mut categories = flag.get("category").into_iter().flat_map(Value::items);
    flag.get_str("status").as_deref() == Some("active")
        && categories.any(|category| coded(category, FLAG_SYSTEM, "contact"))
        && flag.get("code").is_some_and(|what| coded(what, CONTACT_SYSTEM, NO_REMINDERS))
        && holds_now(flag, now)
}

/// Whether a thing's period, if it has one, holds the instant. A bound that cannot be read bounds nothing.
pub(crate) fn holds_now(of: Value<'_>, now: Millis) -> bool {
    let Some(period) = of.get("period") else { return true };
    let bound = |name: &str| period.get_str(name).and_then(|text| parse(&text));
    bound("start").is_none_or(|start| start.low <= now.0)
        && bound("end").is_none_or(|end| now.0 < end.high)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;

    const NOW: Millis = Millis(1_796_133_600_000);

    fn whom(text: &str) -> Option<Whom> {
        let document = Document::parse_text(text.to_owned(), &Limits::default()).unwrap();
        read(document.root(), NOW)
    }

    #[test]
    fn the_preferred_address_that_holds_today_comes_first() {
        let found = whom(
            r#"{"resourceType":"Patient","telecom":[
              {"system":"email","value":"a@b.example"},
              {"system":"phone","use":"home","value":"1"},
              {"system":"phone","use":"old","value":"2"},
              {"system":"sms","value":"3","period":{"end":"2020"}},
              {"system":"phone","use":"mobile","value":"4"},
              {"system":"email","value":"c@d.example","rank":1}],
              "communication":[{"language":{"coding":[{"code":"en"}]}},
                {"language":{"coding":[{"code":"es-MX"}]},"preferred":true}]}"#,
        )
        .unwrap();
        let all: Vec<_> = found.addresses.iter().map(|(w, a)| (*w, a.expose().as_str())).collect();
        assert_eq!(all, [(Way::Mail, "c@d.example"), (Way::Text, "4"), (Way::Mail, "a@b.example")]);
        assert_eq!(found.language, Language::Spanish);
    }

    #[test]
    fn who_asked_for_confidence_is_reminded_by_that_way_or_by_none() {
        let with = |more: &str| {
            whom(&format!(
                r#"{{"resourceType":"Patient","telecom":[
                  {{"system":"phone","use":"mobile","value":"1"}},{{"system":"email","value":"a@b.example"}},
                  {{"extension":[{{"url":"urn:plummer:confidential","valueBoolean":true}}],"system":"phone","value":"2"{more}}}]}}"#
            ))
            .unwrap()
            .addresses
        };
        let found = with(r#","use":"mobile""#);
        let all: Vec<_> = found.iter().map(|(way, a)| (*way, a.expose().as_str())).collect();
        assert_eq!(all, [(Way::Text, "2")]);
        assert!(with("").is_empty(), "a phone that is no mobile gets no text, and no other does");
        let never = whom(
            r#"{"resourceType":"Patient","telecom":[{"system":"email","value":"a@b.example","extension":[
              {"url":"https://plummer.health/fhir/StructureDefinition/confidential-communication","valueBoolean":false}]}]}"#,
        );
        assert!(never.unwrap().addresses.is_empty());
    }

    #[test]
    fn nobody_who_died_is_reminded() {
        assert!(whom(r#"{"resourceType":"Patient","deceasedDateTime":"2026"}"#).is_none());
        assert!(whom(r#"{"resourceType":"Patient","deceasedBoolean":true}"#).is_none());
        assert!(whom(r#"{"resourceType":"Patient","active":false}"#).is_none());
        assert!(whom(r#"{"resourceType":"Patient","deceasedBoolean":false}"#).is_some());
    }

    #[test]
    fn a_flag_speaks_while_it_is_active() {
        let flag = |status: &str, code: &str, more: &str| {
            let text = format!(
                r#"{{"resourceType":"Flag","status":"{status}","category":[{{"coding":[{{"system":"{FLAG_SYSTEM}","code":"contact"}}]}}],"code":{{"coding":[{{"system":"{CONTACT_SYSTEM}","code":"{code}"}}]}}{more}}}"#
            );
            let document = Document::parse_text(text, &Limits::default()).unwrap();
            opts_out(document.root(), NOW)
        };
        assert!(flag("active", NO_REMINDERS, ""));
        assert!(!flag("inactive", NO_REMINDERS, ""));
        assert!(!flag("active", "other", ""));
        assert!(!flag("active", NO_REMINDERS, r#","period":{"end":"2025"}"#));
    }
}
