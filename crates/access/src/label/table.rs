//! The one table of labels: the bit, the name in policies, and the coding in `meta.security`
//! (HL7 `v3-Confidentiality` and `v3-ActCode`,
//! <https://hl7.org/fhir/R4/security-labels.html>; our own codes where HL7 has none).
//!
//! A place in the table is a bit in every record that was ever stored: rows are only added at the
//! end. Seven places are spare, and the last bit stands for every label that has no row.

/// HL7's confidentiality codes.
pub const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";
/// HL7's codes of sensitivity and of privacy laws.
pub const ACT_CODE: &str = "http://terminology.hl7.org/CodeSystem/v3-ActCode";
/// Our own codes, where HL7 has none.
pub const OWN: &str = "https://plummer.health/fhir/CodeSystem/sensitivity-label";

/// A label as policies and records name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Label {
    /// Its name in policies, rule packs and consents.
    pub name: &'static str,
    /// The system of its coding in `meta.security`.
    pub system: &'static str,
    /// The code of it.
    pub code: &'static str,
}

const fn row(name: &'static str, system: &'static str, code: &'static str) -> Label {
    Label { name, system, code }
}

/// Every label by its bit.
pub const LABELS: [Label; 56] = [
    // Confidentiality, from unrestricted to very restricted.
    row("U", CONFIDENTIALITY, "U"),
    row("L", CONFIDENTIALITY, "L"),
    row("M", CONFIDENTIALITY, "M"),
    row("N", CONFIDENTIALITY, "N"),
    row("R", CONFIDENTIALITY, "R"),
    row("V", CONFIDENTIALITY, "V"),
    // Sensitivity of what is said.
    row("ETH", ACT_CODE, "ETH"),
    row("GDIS", ACT_CODE, "GDIS"),
    row("HIV", ACT_CODE, "HIV"),
    row("MST", ACT_CODE, "MST"),
    row("PREGNANT", ACT_CODE, "PREGNANT"),
    row("SCA", ACT_CODE, "SCA"),
    row("SDV", ACT_CODE, "SDV"),
    row("SEX", ACT_CODE, "SEX"),
    row("SPI", ACT_CODE, "SPI"),
    row("BH", ACT_CODE, "BH"),
    row("COGN", ACT_CODE, "COGN"),
    row("DVD", ACT_CODE, "DVD"),
    row("EMOTDIS", ACT_CODE, "EMOTDIS"),
    row("MH", ACT_CODE, "MH"),
    row("PSY", ACT_CODE, "PSY"),
    row("PSYTHPN", ACT_CODE, "PSYTHPN"),
    row("SUD", ACT_CODE, "SUD"),
    row("ETHUD", ACT_CODE, "ETHUD"),
    row("OPIOIDUD", ACT_CODE, "OPIOIDUD"),
    row("STD", ACT_CODE, "STD"),
    row("TBOO", ACT_CODE, "TBOO"),
    row("VIO", ACT_CODE, "VIO"),
    row("IDS", ACT_CODE, "IDS"),
    row("SICKLE", ACT_CODE, "SICKLE"),
    // Sensitivity of who it is about.
    row("DEMO", ACT_CODE, "DEMO"),
    row("DOB", ACT_CODE, "DOB"),
    row("GENDER", ACT_CODE, "GENDER"),
    row("LIVARG", ACT_CODE, "LIVARG"),
    row("MARST", ACT_CODE, "MARST"),
    row("RACE", ACT_CODE, "RACE"),
    row("REL", ACT_CODE, "REL"),
    // Sensitivity of a role.
    row("B", ACT_CODE, "B"),
    row("EMPL", ACT_CODE, "EMPL"),
    row("LOCIS", ACT_CODE, "LOCIS"),
    row("SSP", ACT_CODE, "SSP"),
    // Others; `ADOL` is what an adolescent may keep from a parent (45 CFR 164.502(g)(3)).
    row("ADOL", ACT_CODE, "ADOL"),
    row("CEL", ACT_CODE, "CEL"),
    row("DIA", ACT_CODE, "DIA"),
    row("DRGIS", ACT_CODE, "DRGIS"),
    row("EMP", ACT_CODE, "EMP"),
    row("PDS", ACT_CODE, "PDS"),
    row("PHY", ACT_CODE, "PHY"),
    row("PRS", ACT_CODE, "PRS"),
    row("COMPT", ACT_CODE, "COMPT"),
    // Substance use disorder records of a Part 2 programme (42 CFR 2.11).
    row("42CFRPart2", ACT_CODE, "42CFRPart2"),
    // Notes of substance use counselling kept apart from them (42 CFR 2.11, 2.31(b)).
    row("SUD-NOTES", OWN, "SUD-NOTES"),
    // Gender-affirming care, abortion and contraception (California AB 352, Civil Code 56.101).
    row("CA-AB352", OWN, "CA-AB352"),
    // Paid in full by the patient, not for the payer (45 CFR 164.522(a)(1)(vi)).
    row("SELFPAY", ACT_CODE, "HIPAASelfPay"),
    // The record of somebody who is watched more closely: staff, relatives of staff, the well known.
    row("VIP", OWN, "VIP"),
    // Not yet labelled, or to be labelled anew: rules that know the label may withhold it.
    row("UNLABELLED", OWN, "UNLABELLED"),
];

/// Other codings of the same labels, read and never written.
pub(super) const ALSO: [(&str, &str, &str); 2] =
    [(ACT_CODE, "HIPAAPsyNotes", "PSYTHPN"), (OWN, "SELFPAY", "SELFPAY")];
