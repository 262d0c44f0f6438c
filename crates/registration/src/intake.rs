//! What a registration form asks, held against what can be registered, and read out of a Patient again.
//! Legal name beside the name in use, administrative gender beside sex for clinical use (HL7 Gender
//! Harmony), a confidential address (45 CFR 164.522(b)(1)).

use crate::read::{concept, each, extension, text};
use base::Millis;
use fhir::Value;
use record::contact::is_confidential;

/// `Patient.extension`: <http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse>.
pub(crate) const SEX_CLINICAL: &str =
    "http://hl7.org/fhir/StructureDefinition/patient-sexParameterForClinicalUse";
/// `Patient.extension`: <http://hl7.org/fhir/StructureDefinition/individual-pronouns>.
pub(crate) const PRONOUNS: &str = "http://hl7.org/fhir/StructureDefinition/individual-pronouns";
/// `Patient.extension`: <http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired>.
pub(crate) const INTERPRETER: &str =
    "http://hl7.org/fhir/StructureDefinition/patient-interpreterRequired";

/// Administrative genders (<https://hl7.org/fhir/R4/valueset-administrative-gender.html>).
pub const GENDERS: [&str; 4] = ["female", "male", "other", "unknown"];
/// Codes of the sex for clinical use.
pub const SEXES: [&str; 4] = ["female-typical", "male-typical", "specified", "unknown"];
/// Ways to reach a patient, of which one is preferred.
pub const WAYS: [&str; 3] = ["mobile", "home_phone", "email"];
/// Kinds of other numbers: codes of HL7 table 0203.
pub const KINDS: [&str; 3] = ["SS", "DL", "PPN"];
/// A tick in a form.
pub const YES: &str = "yes";
/// Nobody who is alive was born before.
const YEARS_MAX: i64 = 130;
const YEAR_MS: i64 = 31_556_952_000;
const DAY_MS: i64 = 86_400_000;

fields! {
    /// A registration form as it was filled in; a field that is empty was left so.
    Intake {
        family: 80, "The legal family name.";
        given: 120, "The legal given names, with blanks between.";
        suffix: 20, "What follows the name: `Jr.`";
        used: 80, "The given name in use, when it is another.";
        birth_date: 40, "The date of birth as FHIR writes it, or as much of it as is known.";
        birth_unknown: 3, "The date of birth is not known.";
        gender: 10, "One of [`GENDERS`].";
        sex_clinical: 20, "One of [`SEXES`].";
        pronouns: 40, "In words.";
        line: 120, "The street of the address.";
        line_more: 120, "The second line of the address.";
        city: 80, "The city.";
        state: 40, "The state.";
        postal_code: 20, "The postal code.";
        country: 40, "The country.";
        private_line: 120, "The street of a confidential address.";
        private_city: 80, "Its city.";
        private_state: 40, "Its state.";
        private_postal_code: 20, "Its postal code.";
        private_phone: 30, "A confidential phone number.";
        private_text: 3, "Texts may be sent to that phone.";
        private_email: 120, "A confidential address of electronic mail.";
        mobile: 30, "A mobile phone.";
        home_phone: 30, "A phone at home.";
        email: 120, "An address of electronic mail.";
        prefers: 12, "One of [`WAYS`].";
        language: 12, "The preferred language, as a tag of BCP 47.";
        interpreter: 3, "An interpreter is needed.";
        contact_name: 120, "Whom to call in an emergency.";
        contact_relation: 60, "What they are to the patient.";
        contact_phone: 30, "Their phone.";
        other_kind: 4, "One of [`KINDS`]: what other number the patient has. Only at registration.";
        other_number: 40, "That number.";
    }
}

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// Something has to stand here.
    Missing,
    /// It has more letters than the field.
    TooLong,
    /// It holds signs that no name or number has.
    Odd,
    /// It is no date.
    NoDate,
    /// It lies in the future.
    Future,
    /// It is longer ago than anybody lives.
    TooLongAgo,
    /// It is no phone number.
    NoPhone,
    /// It is no address of electronic mail.
    NoEmail,
    /// It is none of what is offered.
    NotOffered,
    /// The way that is preferred is not given.
    NoWay,
}

impl Intake {
    /// Reads a form by the values of its fields.
    pub fn read<'f>(field: impl Fn(&str) -> &'f str) -> Self {
        let mut out = Self::default();
        for (name, _) in Self::FIELDS {
            let value = field(name);
            out.set(name, &value.split_whitespace().collect::<Vec<_>>().join(" "));
        }
        out
    }

    /// What is wrong with it, field by field in the order of the form; nothing for what can be registered.
    pub fn wrong(&self, now: Millis) -> Vec<(&'static str, Wrong)> {
        let mut all = Vec::new();
        for (name, max) in Self::FIELDS {
            let value = self.get(name);
            if value.chars().count() > *max {
                all.push((*name, Wrong::TooLong));
            } else if value.contains(char::is_control) {
                all.push((*name, Wrong::Odd));
            }
        }
        if self.family.is_empty() && self.given.is_empty() {
            all.push(("family", Wrong::Missing));
        }
        all.extend(self.birth(now).map(|wrong| ("birth_date", wrong)));
        for (name, offered) in [
            ("gender", GENDERS.as_slice()),
            ("sex_clinical", &SEXES),
            ("prefers", &WAYS),
            ("other_kind", &KINDS),
            ("interpreter", &[YES]),
            ("private_text", &[YES]),
            ("birth_unknown", &[YES]),
        ] {
            let value = self.get(name);
            if !value.is_empty() && !offered.contains(&value) {
                all.push((name, Wrong::NotOffered));
            }
        }
        for name in ["mobile", "home_phone", "private_phone", "contact_phone"] {
            let value = self.get(name);
            if !value.is_empty() && !is_phone(value) {
                all.push((name, Wrong::NoPhone));
            }
        }
        for name in ["email", "private_email"] {
            let value = self.get(name);
            if !value.is_empty() && !is_email(value) {
                all.push((name, Wrong::NoEmail));
            }
        }
        if !self.private_text.is_empty() && self.private_phone.is_empty() {
            all.push(("private_phone", Wrong::Missing));
        }
        if !self.prefers.is_empty() && self.get(&self.prefers).is_empty() {
            all.push(("prefers", Wrong::NoWay));
        }
        let tag = |c: char| c.is_ascii_alphanumeric() || c == '-';
        if !self.language.chars().all(tag) {
            all.push(("language", Wrong::NotOffered));
        }
        if !self.contact_phone.is_empty() && self.contact_name.is_empty() {
            all.push(("contact_name", Wrong::Missing));
        }
        if self.other_number.is_empty() != self.other_kind.is_empty() {
            let name = if self.other_number.is_empty() { "other_number" } else { "other_kind" };
            all.push((name, Wrong::Missing));
        }
        let place = |name: &str| Self::FIELDS.iter().position(|(own, _)| *own == name);
        all.sort_by_key(|(name, _)| place(name));
        all.dedup_by_key(|(name, _)| *name);
        all
    }

    fn birth(&self, now: Millis) -> Option<Wrong> {
        if self.birth_date.is_empty() {
            return self.birth_unknown.is_empty().then_some(Wrong::Missing);
        }
        // A date, or as much of one as is known; no time of day.
        let range = fhir::date::parse(&self.birth_date).filter(|_| self.birth_date.len() <= 10);
        match range {
            None => Some(Wrong::NoDate),
            // It is tomorrow already somewhere.
            Some(range) if range.low > now.0.saturating_add(DAY_MS) => Some(Wrong::Future),
            Some(range) if range.low < now.0.saturating_sub(YEARS_MAX * YEAR_MS) => {
                Some(Wrong::TooLongAgo)
            }
            Some(_) => None,
        }
    }

    /// What a Patient says of it.
    pub fn of(patient: Value<'_>) -> Self {
        let slots = Slots::of(patient);
        let mut out = Self::default();
        if let Some(name) = slots.legal {
            out.family = text(name, "family");
            out.given = words(name, "given");
            out.suffix = words(name, "suffix");
        }
        out.used = slots.used.map(|name| words(name, "given")).unwrap_or_default();
        out.birth_date = text(patient, "birthDate");
        out.gender = text(patient, "gender");
        let code = |one: Value<'_>| each(one, "coding").map(|c| text(c, "code")).next();
        let value = |url: &str| {
            let nested = extension(patient, url).and_then(|one| extension(one, "value"));
            nested.and_then(|one| one.get("valueCodeableConcept"))
        };
        out.sex_clinical = value(SEX_CLINICAL).and_then(code).unwrap_or_default();
        out.pronouns = value(PRONOUNS).map(concept).unwrap_or_default();
        if let Some(home) = slots.address {
            let mut lines = each(home, "line").filter_map(|line| line.as_str());
            out.line = lines.next().unwrap_or_default().into_owned();
            out.line_more = lines.collect::<Vec<_>>().join(", ");
            for (field, name) in [
                ("city", "city"),
                ("state", "state"),
                ("postal_code", "postalCode"),
                ("country", "country"),
            ] {
                out.set(field, &text(home, name));
            }
        }
        if let Some(private) = slots.private_address {
            out.private_line = words_by(private, "line", ", ");
            out.private_city = text(private, "city");
            out.private_state = text(private, "state");
            out.private_postal_code = text(private, "postalCode");
        }
        out.private_phone = slots.private_phone.map(|one| text(one, "value")).unwrap_or_default();
        if slots.private_phone.is_some_and(|one| text(one, "use") == "mobile") {
            YES.clone_into(&mut out.private_text);
        }
        out.private_email = slots.private_email.map(|one| text(one, "value")).unwrap_or_default();
        for (name, point) in slots.ways() {
            let Some(point) = point else { continue };
            out.set(name, &text(point, "value"));
            if point.get("rank").and_then(Value::as_number) == Some("1") && out.prefers.is_empty() {
                name.clone_into(&mut out.prefers);
            }
        }
        let spoken = slots.language.and_then(|one| one.get("language"));
        out.language = spoken.and_then(code).unwrap_or_default();
        let needs = extension(patient, INTERPRETER)
            .and_then(|one| one.get("valueBoolean"))
            .and_then(Value::as_bool);
        if needs == Some(true) {
            YES.clone_into(&mut out.interpreter);
        }
        if let Some(contact) = slots.contact {
            out.contact_name = contact.get("name").map(whole_name).unwrap_or_default();
            // That it is who to call is no relation yet.
            let relation = each(contact, "relationship").find(|one| {
                let codes = each(*one, "coding").map(|coding| text(coding, "code"));
                !text(*one, "text").is_empty() || codes.into_iter().all(|code| code != "C")
            });
            out.contact_relation = relation.map(concept).unwrap_or_default();
            let phone = each(contact, "telecom").find(|one| text(*one, "system") == "phone");
            out.contact_phone = phone.map(|one| text(one, "value")).unwrap_or_default();
        }
        out
    }
}

/// The entries of a Patient that a form is about; all others are left as they are.
#[derive(Clone, Copy, Default)]
pub(crate) struct Slots<'v> {
    pub(crate) legal: Option<Value<'v>>,
    pub(crate) used: Option<Value<'v>>,
    pub(crate) mobile: Option<Value<'v>>,
    pub(crate) home_phone: Option<Value<'v>>,
    pub(crate) email: Option<Value<'v>>,
    pub(crate) private_phone: Option<Value<'v>>,
    pub(crate) private_email: Option<Value<'v>>,
    pub(crate) address: Option<Value<'v>>,
    pub(crate) private_address: Option<Value<'v>>,
    pub(crate) language: Option<Value<'v>>,
    pub(crate) contact: Option<Value<'v>>,
}

impl<'v> Slots<'v> {
    pub(crate) fn of(patient: Value<'v>) -> Self {
        let names = || each(patient, "name").filter(|one| !is_old(*one));
        let named = |usage: &str| names().find(|one| text(*one, "use") == usage);
        let legal = named("official").or_else(|| named("")).or_else(|| named("usual"));
        let legal = legal.or_else(|| names().next());
        let used = named("usual").filter(|one| legal.is_none_or(|l| l.index() != one.index()));
        let point = |system: &str, usages: &[&str]| {
            each(patient, "telecom").find(|one| {
                text(*one, "system") == system
                    && (usages.is_empty() || usages.contains(&text(*one, "use").as_str()))
                    && text(*one, "use") != "old"
                    && !is_confidential(*one)
            })
        };
        let private = |is_mail: bool| {
            each(patient, "telecom").find(|one| {
                is_confidential(*one)
                    && text(*one, "use") != "old"
                    && (text(*one, "system") == "email") == is_mail
            })
        };
        let addresses = || {
            each(patient, "address").filter(|one| text(*one, "use") != "old" && !is_billing(*one))
        };
        Self {
            legal,
            used,
            mobile: point("phone", &["mobile"]),
            home_phone: point("phone", &["home", ""]),
            email: point("email", &[]),
            private_phone: private(false),
            private_email: private(true),
            address: addresses().find(|one| !is_confidential(*one)),
            private_address: addresses().find(|one| is_confidential(*one)),
            language: each(patient, "communication")
                .find(|one| one.get("preferred").and_then(Value::as_bool) == Some(true))
                .or_else(|| each(patient, "communication").next()),
            contact: each(patient, "contact").next(),
        }
    }

    pub(crate) fn ways(&self) -> [(&'static str, Option<Value<'v>>); 3] {
        [("mobile", self.mobile), ("home_phone", self.home_phone), ("email", self.email)]
    }
}

fn is_billing(address: Value<'_>) -> bool {
    text(address, "use") == "billing"
}

fn is_old(name: Value<'_>) -> bool {
    matches!(text(name, "use").as_str(), "old" | "maiden")
}

fn words(value: Value<'_>, name: &str) -> String {
    words_by(value, name, " ")
}

fn words_by(value: Value<'_>, name: &str, between: &str) -> String {
    let parts = each(value, name).filter_map(|part| part.as_str());
    parts.collect::<Vec<_>>().join(between)
}

fn whole_name(name: Value<'_>) -> String {
    let whole = text(name, "text");
    if whole.is_empty() {
        format!("{} {}", words(name, "given"), text(name, "family")).trim().to_owned()
    } else {
        whole
    }
}

fn is_phone(text: &str) -> bool {
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    let signs = |c: char| c.is_ascii_digit() || " +-().x/".contains(c);
    (7..=20).contains(&digits) && text.chars().all(signs)
}

fn is_email(text: &str) -> bool {
    let Some((name, host)) = text.rsplit_once('@') else { return false };
    !name.is_empty()
        && host.contains('.')
        && !host.starts_with('.')
        && !host.ends_with('.')
        && !text.contains(|c: char| c.is_whitespace() || c == ',' || c == ';')
}

#[cfg(test)]
mod tests;
