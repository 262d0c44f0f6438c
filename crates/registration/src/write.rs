//! A form as a Patient: a new one, or the next version of one that is there. Of the latter only the
//! entries change that the form is about; whatever else the record holds stays, byte for byte.

use crate::intake::{INTERPRETER, Intake, PRONOUNS, SEX_CLINICAL, Slots, YES};
use crate::number;
use crate::read::{each, keep, list, put};
use fhir::Value;
use fhir::write::Writer;
use record::contact::{ADDRESS_USE, CONFIDENTIAL_ADDRESS, CONFIDENTIAL_POINT};

const SEX_SYSTEM: &str = "http://terminology.hl7.org/CodeSystem/sex-parameter-for-clinical-use";
const LANGUAGES: &str = "urn:ietf:bcp:47";
const KINDS: &str = "http://terminology.hl7.org/CodeSystem/v2-0203";
const RELATIONS: &str = "http://terminology.hl7.org/CodeSystem/v2-0131";
/// By which a form that is sent twice registers once.
pub(crate) const FORM_TAG: &str = "urn:plummer:registration-form";
/// Pronouns that LOINC has an answer for.
const SAID: [(&str, &str); 3] =
    [("he/him", "LA29518-0"), ("she/her", "LA29519-8"), ("they/them", "LA29520-6")];
/// Whose number each other kind is; `urn:plummer:` where no one authority gives it out.
const AUTHORITIES: [(&str, &str); 3] = [
    ("SS", "http://hl7.org/fhir/sid/us-ssn"),
    ("DL", "urn:plummer:driver-license"),
    ("PPN", "urn:plummer:passport"),
];

/// A new Patient with the number of its record, tagged with the id of its form.
pub(crate) fn new(intake: &Intake, record_number: &str, form: &str) -> Vec<u8> {
    let mut out = Writer::new();
    out.object().member("resourceType", "Patient");
    out.key("meta").object().key("tag").array().object();
    out.member("system", FORM_TAG).member("code", form).end_object().end_array().end_object();
    out.key("identifier").array();
    out.object().member("use", "usual");
    kind(&mut out, "MR", "Medical record number");
    out.member("system", number::SYSTEM).member("value", record_number).end_object();
    let authority = AUTHORITIES.iter().find(|(kind, _)| *kind == intake.other_kind);
    if let Some((code, system)) = authority.filter(|_| !intake.other_number.is_empty()) {
        out.object();
        kind(&mut out, code, "");
        out.member("system", system).member("value", &intake.other_number).end_object();
    }
    out.end_array();
    out.key("active").boolean(true);
    body(&mut out, None, intake);
    out.end_object();
    out.finish()
}

/// The draft of a Patient, to look for those who may be the same.
pub(crate) fn draft(intake: &Intake, id: &str) -> Vec<u8> {
    let mut out = Writer::new();
    out.object().member("resourceType", "Patient");
    put(&mut out, "id", id);
    let authority = AUTHORITIES.iter().find(|(kind, _)| *kind == intake.other_kind);
    if let Some((_, system)) = authority.filter(|_| !intake.other_number.is_empty()) {
        out.key("identifier").array().object();
        out.member("system", system).member("value", &intake.other_number);
        out.end_object().end_array();
    }
    body(&mut out, None, intake);
    out.end_object();
    out.finish()
}

/// The next version of a Patient.
pub(crate) fn changed(patient: Value<'_>, intake: &Intake) -> Vec<u8> {
    let before = Intake::of(patient);
    let mut but =
        vec!["name", "telecom", "address", "communication", "contact", "extension", "text"];
    // What was said of a value, such as the hour of birth, holds of that value alone.
    for (field, name) in [("gender", "gender"), ("birth_date", "birthDate")] {
        if before.get(field) != intake.get(field) {
            but.push(name);
        }
    }
    let mut out = Writer::new();
    out.object();
    keep(&mut out, Some(patient), &but);
    body(&mut out, Some(patient), intake);
    out.end_object();
    out.finish()
}

fn kind(out: &mut Writer, code: &str, display: &str) {
    out.key("type").object().key("coding").array().object();
    out.member("system", KINDS).member("code", code);
    put(out, "display", display);
    out.end_object().end_array().end_object();
}

/// Everything that the form is about.
fn body(out: &mut Writer, patient: Option<Value<'_>>, intake: &Intake) {
    let slots = patient.map(Slots::of).unwrap_or_default();
    let before = patient.map(Intake::of).unwrap_or_default();
    let all = |name: &'static str| patient.into_iter().flat_map(move |root| each(root, name));
    let others = |name: &'static str, ours: &[Option<Value<'_>>]| -> Vec<Vec<u8>> {
        let ours: Vec<_> = ours.iter().flatten().map(|one| one.index()).collect();
        let rest = all(name).filter(|one| !ours.contains(&one.index()));
        rest.map(|one| one.raw().as_bytes().to_vec()).collect()
    };

    let mut names = vec![name(slots.legal, intake, &intake.given, "official")];
    if !intake.used.is_empty() {
        names.push(name(slots.used, intake, &intake.used, "usual"));
    }
    names.extend(others("name", &[slots.legal, slots.used]));
    list(out, "name", &names);

    let mut points = Vec::new();
    for (field, system, usage, slot) in [
        ("mobile", "phone", "mobile", slots.mobile),
        ("home_phone", "phone", "home", slots.home_phone),
        ("email", "email", "", slots.email),
    ] {
        let rank = (intake.prefers == field).then_some(1);
        points.extend(point(slot, (system, usage), intake.get(field), rank));
    }
    let usage = if intake.private_text == YES { "mobile" } else { "" };
    points.extend(private_point(slots.private_phone, ("phone", usage), &intake.private_phone));
    points.extend(private_point(slots.private_email, ("email", ""), &intake.private_email));
    let ours = [slots.mobile, slots.home_phone, slots.email];
    let ours = [ours.as_slice(), &[slots.private_phone, slots.private_email]].concat();
    points.extend(others("telecom", &ours));
    list(out, "telecom", &points);

    for (field, name) in [("gender", "gender"), ("birth_date", "birthDate")] {
        if patient.is_none() || before.get(field) != intake.get(field) {
            put(out, name, intake.get(field));
        }
    }

    let home = [&intake.line, &intake.line_more, &intake.city, &intake.state];
    let home = [home.as_slice(), &[&intake.postal_code, &intake.country]].concat();
    let private = [&intake.private_line, &intake.private_city, &intake.private_state];
    let mut addresses = Vec::new();
    if home.iter().any(|part| !part.is_empty()) {
        addresses.push(address(slots.address, intake, false));
    }
    if !intake.private_postal_code.is_empty() || private.iter().any(|part| !part.is_empty()) {
        addresses.push(address(slots.private_address, intake, true));
    }
    addresses.extend(others("address", &[slots.address, slots.private_address]));
    list(out, "address", &addresses);

    let mut languages = Vec::new();
    match slots.language {
        Some(old) if intake.language == before.language => {
            languages.push(old.raw().as_bytes().to_vec());
        }
        _ if !intake.language.is_empty() => {
            let mut one = Writer::new();
            one.object().key("language").object().key("coding").array().object();
            one.member("system", LANGUAGES).member("code", &intake.language);
            one.end_object().end_array().end_object();
            one.key("preferred").boolean(true).end_object();
            languages.push(one.finish());
        }
        _ => {}
    }
    languages.extend(others("communication", &[slots.language]));
    list(out, "communication", &languages);

    let mut contacts = Vec::new();
    if !intake.contact_name.is_empty() {
        contacts.push(contact(slots.contact, &before, intake));
    }
    contacts.extend(others("contact", &[slots.contact]));
    list(out, "contact", &contacts);

    list(out, "extension", &extensions(patient, &before, intake));
}

fn name(old: Option<Value<'_>>, intake: &Intake, given: &str, usage: &str) -> Vec<u8> {
    let mut out = Writer::new();
    out.object();
    keep(&mut out, old, &["family", "given", "suffix", "text"]);
    if old.is_none_or(|old| old.get("use").is_none()) {
        out.member("use", usage);
    }
    put(&mut out, "family", &intake.family);
    strings(&mut out, "given", given.split(' '));
    if usage == "official" {
        strings(&mut out, "suffix", intake.suffix.split(' '));
    }
    out.end_object();
    out.finish()
}

fn strings<'t>(out: &mut Writer, name: &str, parts: impl Iterator<Item = &'t str>) {
    let mut parts = parts.filter(|part| !part.is_empty()).peekable();
    if parts.peek().is_some() {
        out.key(name).array();
        for part in parts {
            out.string(part);
        }
        out.end_array();
    }
}

fn point(
    old: Option<Value<'_>>,
    (system, usage): (&str, &str),
    value: &str,
    rank: Option<i64>,
) -> Option<Vec<u8>> {
    if value.is_empty() {
        return None;
    }
    let mut out = Writer::new();
    out.object();
    keep(&mut out, old, &["system", "value", "rank"]);
    out.member("system", system).member("value", value);
    if !usage.is_empty() && old.is_none_or(|old| old.get("use").is_none()) {
        out.member("use", usage);
    }
    if let Some(rank) = rank {
        out.key("rank").integer(rank);
    }
    out.end_object();
    Some(out.finish())
}

/// A phone or e-mail that is used instead of all others.
fn private_point(
    old: Option<Value<'_>>,
    (system, usage): (&str, &str),
    value: &str,
) -> Option<Vec<u8>> {
    if value.is_empty() {
        return None;
    }
    let mut out = Writer::new();
    out.object();
    // That texts may be sent to it is said, and taken back, by its use.
    let is_mobile = old.is_some_and(|old| old.get_str("use").as_deref() == Some("mobile"));
    let says_use = !usage.is_empty() || is_mobile;
    let but = ["system", "value", if says_use { "use" } else { "system" }];
    keep(&mut out, old, &but);
    out.member("system", system).member("value", value);
    put(&mut out, "use", usage);
    if old.is_none() {
        out.key("extension").array().object().member("url", CONFIDENTIAL_POINT);
        out.key("valueBoolean").boolean(true).end_object().end_array();
    }
    out.end_object();
    Some(out.finish())
}

fn address(old: Option<Value<'_>>, intake: &Intake, is_private: bool) -> Vec<u8> {
    let mut out = Writer::new();
    out.object();
    let country = if is_private { "" } else { intake.country.as_str() };
    keep(&mut out, old, &["line", "city", "state", "postalCode", "country", "text"]);
    if old.is_none() && is_private {
        out.key("extension").array().object().member("url", ADDRESS_USE);
        out.member("valueCode", CONFIDENTIAL_ADDRESS).end_object().end_array();
    }
    if old.is_none() && !is_private {
        out.member("use", "home");
    }
    let [line, more, city, state, code] = match is_private {
        false => {
            [&intake.line, &intake.line_more, &intake.city, &intake.state, &intake.postal_code]
        }
        true => [
            &intake.private_line,
            &String::new(),
            &intake.private_city,
            &intake.private_state,
            &intake.private_postal_code,
        ],
    };
    strings(&mut out, "line", [line.as_str(), more.as_str()].into_iter());
    for (name, part) in
        [("city", city.as_str()), ("state", state), ("postalCode", code), ("country", country)]
    {
        put(&mut out, name, part);
    }
    out.end_object();
    out.finish()
}

fn contact(old: Option<Value<'_>>, before: &Intake, intake: &Intake) -> Vec<u8> {
    let mut out = Writer::new();
    let mut but = Vec::new();
    for (field, name) in [
        ("contact_name", "name"),
        ("contact_relation", "relationship"),
        ("contact_phone", "telecom"),
    ] {
        if before.get(field) != intake.get(field) {
            but.push(name);
        }
    }
    out.object();
    keep(&mut out, old, &but);
    let is_new = |name: &str| old.is_none() || but.contains(&name);
    if is_new("relationship") {
        out.key("relationship").array().object().key("coding").array().object();
        out.member("system", RELATIONS).member("code", "C").member("display", "Emergency Contact");
        out.end_object().end_array();
        put(&mut out, "text", &intake.contact_relation);
        out.end_object().end_array();
    }
    if is_new("name") {
        out.key("name").object().member("text", &intake.contact_name).end_object();
    }
    if is_new("telecom") && !intake.contact_phone.is_empty() {
        out.key("telecom").array().object().member("system", "phone");
        out.member("value", &intake.contact_phone).end_object().end_array();
    }
    out.end_object();
    out.finish()
}

/// Those of the form, and all others; what did not change stays as it was said.
fn extensions(patient: Option<Value<'_>>, before: &Intake, intake: &Intake) -> Vec<Vec<u8>> {
    let ours: [(&str, &str); 3] =
        [("sex_clinical", SEX_CLINICAL), ("pronouns", PRONOUNS), ("interpreter", INTERPRETER)];
    let changes = |field: &str| patient.is_none() || before.get(field) != intake.get(field);
    let is_new = |url: &str| ours.iter().any(|(field, own)| *own == url && changes(field));
    let mut all: Vec<Vec<u8>> = patient
        .into_iter()
        .flat_map(|root| each(root, "extension"))
        .filter(|one| !one.get_str("url").is_some_and(|url| is_new(&url)))
        .map(|one| one.raw().as_bytes().to_vec())
        .collect();
    let nested = |url: &str, coding: Option<(&str, &str)>, words: &str| {
        let mut out = Writer::new();
        out.object().key("extension").array().object().member("url", "value");
        out.key("valueCodeableConcept").object();
        if let Some((system, code)) = coding {
            out.key("coding").array().object().member("system", system).member("code", code);
            out.end_object().end_array();
        }
        put(&mut out, "text", words);
        out.end_object().end_object().end_array().member("url", url).end_object();
        out.finish()
    };
    if changes("sex_clinical") && !intake.sex_clinical.is_empty() {
        all.push(nested(SEX_CLINICAL, Some((SEX_SYSTEM, &intake.sex_clinical)), ""));
    }
    if changes("pronouns") && !intake.pronouns.is_empty() {
        let said = SAID.iter().find(|(words, _)| *words == intake.pronouns);
        let coding = said.map(|(_, code)| ("http://loinc.org", *code));
        all.push(nested(PRONOUNS, coding, &intake.pronouns));
    }
    if changes("interpreter") && intake.interpreter == YES {
        let mut out = Writer::new();
        out.object().member("url", INTERPRETER).key("valueBoolean").boolean(true).end_object();
        all.push(out.finish());
    }
    all
}
