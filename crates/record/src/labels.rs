//! Security labels as bits of a record, so that a scope can withhold by them in one comparison
//! (<https://hl7.org/fhir/R4/security-labels.html>; 42 CFR Part 2, HL7 DS4P). A bit's place is part
//! of the stored form: codes are only ever added at the end.

use fhir::Value;

const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";

/// The codes with a bit of their own, by bit.
const TABLE: &[(&str, &str)] = &[
    (CONFIDENTIALITY, "U"),
    (CONFIDENTIALITY, "L"),
    (CONFIDENTIALITY, "M"),
    (CONFIDENTIALITY, "N"),
    (CONFIDENTIALITY, "R"),
    (CONFIDENTIALITY, "V"),
    (ACT_CODE, "ETH"),
    (ACT_CODE, "GDIS"),
    (ACT_CODE, "HIV"),
    (ACT_CODE, "MST"),
    (ACT_CODE, "PREGNANT"),
    (ACT_CODE, "SCA"),
    (ACT_CODE, "SDV"),
    (ACT_CODE, "SEX"),
    (ACT_CODE, "SPI"),
    (ACT_CODE, "BH"),
    (ACT_CODE, "COGN"),
    (ACT_CODE, "DVD"),
    (ACT_CODE, "EMOTDIS"),
    (ACT_CODE, "MH"),
    (ACT_CODE, "PSY"),
    (ACT_CODE, "PSYTHPN"),
    (ACT_CODE, "SUD"),
    (ACT_CODE, "ETHUD"),
    (ACT_CODE, "OPIOIDUD"),
    (ACT_CODE, "STD"),
    (ACT_CODE, "TBOO"),
    (ACT_CODE, "VIO"),
    (ACT_CODE, "IDS"),
    (ACT_CODE, "SICKLE"),
    (ACT_CODE, "DEMO"),
    (ACT_CODE, "DOB"),
    (ACT_CODE, "GENDER"),
    (ACT_CODE, "LIVARG"),
    (ACT_CODE, "MARST"),
    (ACT_CODE, "RACE"),
    (ACT_CODE, "REL"),
    (ACT_CODE, "B"),
    (ACT_CODE, "EMPL"),
    (ACT_CODE, "LOCIS"),
    (ACT_CODE, "SSP"),
    (ACT_CODE, "ADOL"),
    (ACT_CODE, "CEL"),
    (ACT_CODE, "DIA"),
    (ACT_CODE, "DRGIS"),
    (ACT_CODE, "EMP"),
    (ACT_CODE, "PDS"),
    (ACT_CODE, "PHY"),
    (ACT_CODE, "PRS"),
    (ACT_CODE, "COMPT"),
];

/// Any label that has no bit of its own: withholding it withholds all that is not understood.
const OTHER: u64 = 1 << 63;

/// The label bits of a resource, from `meta.security`.
pub fn labels_of(resource: Value<'_>) -> u64 {
    let Some(security) = resource.get("meta").and_then(|meta| meta.get("security")) else {
        return 0;
    };
    security.items().fold(0, |bits, coding| {
        let system = coding.get_str("system").unwrap_or_default();
        let code = coding.get_str("code").unwrap_or_default();
        bits | bit(&system, &code)
    })
}

fn bit(system: &str, code: &str) -> u64 {
    TABLE.iter().position(|(s, c)| *s == system && *c == code).map_or(OTHER, |at| 1 << at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Limits;
    use fhir::Document;

    #[test]
    fn every_code_has_one_bit_below_the_last() {
        assert!(TABLE.len() < 63);
        let all = TABLE.iter().fold(0u64, |bits, (s, c)| bits | bit(s, c));
        assert_eq!(all.count_ones() as usize, TABLE.len(), "no code stands twice");
        assert_eq!(bit(CONFIDENTIALITY, "R"), 1 << 4);
        assert_eq!(bit("urn:x", "R"), OTHER);
    }

    #[test]
    fn labels_are_read_from_meta() {
        let text = format!(
            r#"{{"resourceType":"Basic","meta":{{"security":[{{"system":"{CONFIDENTIALITY}","code":"V"}},{{"system":"{ACT_CODE}","code":"HIV"}},{{"code":"x"}}]}}}}"#
        );
        let document = Document::parse_text(text, &Limits::default()).unwrap();
        assert_eq!(labels_of(document.root()), 1 << 5 | 1 << 8 | OTHER);
    }
}
