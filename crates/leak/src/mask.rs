//! Elements a role may not see (45 CFR 164.514(d)): given by whoever runs the bench, since what a role
//! needs at least is a site's choice (`--mask front-desk=Patient.birthDate`).

use crate::body::Look;
use crate::persona::Link;
use crate::world::World;
use anyhow::{Context, bail};
use serde_json::{Value, json};

/// One hidden element of one type for one persona.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mask {
    /// For whom.
    pub persona: String,
    /// The type.
    pub kind: &'static str,
    /// The element, at the top of the resource.
    pub element: String,
}

/// Types a mask can be of: those the bench can make two of.
const KINDS: [&str; 6] =
    ["Patient", "Observation", "Coverage", "Appointment", "Encounter", "Account"];

impl Mask {
    /// Reads `persona=Type.element`.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let (persona, path) = text.split_once('=').context("a mask is persona=Type.element")?;
        let (kind, element) = path.split_once('.').context("a mask is persona=Type.element")?;
        let Some(kind) = KINDS.into_iter().find(|known| *known == kind) else {
            bail!("a mask is of one of {}", KINDS.join(", "));
        };
        Ok(Self { persona: persona.to_owned(), kind, element: element.to_owned() })
    }

    /// Whether it can be tried in this world: the persona must be able to reach a second record.
    pub(crate) fn applies(&self, world: &World) -> bool {
        let reaches = self.kind != "Patient" || world.persona.link == Link::Work;
        self.persona == world.persona.key && reaches
    }
}

/// The element as one of the worlds has it, where the bench's own bodies do not have it already.
pub(crate) fn value(element: &str, look: &Look) -> Value {
    let said = json!({ "text": look.word,
        "coding": [{ "system": "http://loinc.org", "code": look.code, "display": look.word }] });
    let language = if look.full { "fr" } else { "de" };
    match element {
        "reasonCode" | "type" => json!([said]),
        "contact" => json!([{ "name": { "family": look.family, "text": look.word } }]),
        "communication" => json!([{ "language": { "text": look.word,
            "coding": [{ "system": "urn:ietf:bcp:47", "code": language }] } }]),
        "photo" => json!([{ "title": look.word }]),
        "note" => json!([{ "text": look.word }]),
        _ => json!(look.word),
    }
}

/// What searches by an element: parameters, and a value only one of the worlds has.
pub(crate) fn searches(element: &str) -> &'static [(&'static str, &'static str)] {
    match element {
        "birthDate" => &[("birthdate", "ge1990"), ("birthdate", "lt1960")],
        "gender" => &[("gender", "male")],
        "name" => &[("family", "Zim"), ("name", "amaranth")],
        "address" => &[("address-city", "Zell"), ("address", "Ash")],
        "telecom" => &[("phone", "555-9.7"), ("telecom", "555-4.1")],
        "valueQuantity" => &[("value-quantity", "gt9"), ("combo-value-quantity", "gt9")],
        "code" => &[("code", "2345-7"), ("combo-code", "4548-4")],
        "subscriberId" => &[("subscriber", "zinnia")],
        "description" => &[("description", "zinnia"), ("_content", "zinnia")],
        "identifier" => &[("identifier", "x")],
        "reasonCode" => &[("reason-code", "2345-7"), ("_content", "zinnia")],
        "communication" => &[("language", "fr"), ("_content", "zinnia")],
        "type" => &[("type", "2345-7"), ("_content", "zinnia")],
        "text" => &[("_text", "zinnia"), ("_content", "zinnia")],
        _ => &[("_content", "zinnia")],
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mask_names_a_persona_a_type_and_an_element() {
        let mask = Mask::parse("front-desk=Patient.birthDate").expect("a mask");
        assert_eq!((mask.kind, mask.element.as_str()), ("Patient", "birthDate"));
        for wrong in ["Patient.birthDate", "biller=Patient", "biller=Medication.code"] {
            assert!(Mask::parse(wrong).is_err(), "{wrong}");
        }
    }
}
