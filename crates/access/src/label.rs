//! Sensitivity labels, and the mask a record carries of them.
//!
//! A label is a security tag of data segmentation, from `meta.security` or set by the labelling at
//! a write (DS4P, <https://hl7.org/fhir/uv/security-label-ds4p/>; codes of HL7 `v3-ActCode` where
//! there is one). A label is a bit, so that a guard tests all of them at once. The table only grows:
//! a bit that was given keeps its meaning in every record that was ever labelled.

use std::fmt;
use std::ops::{BitAnd, BitOr, Not};

/// A mask of labels: one bit each, in the order of [`LABELS`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Labels(u64);

/// Every label that policies and records may name, by its bit.
pub const LABELS: [&str; 14] = [
    // Substance use disorder records of a Part 2 program (42 CFR 2.11).
    "42CFRPart2",
    // Psychotherapy notes (45 CFR 164.501).
    "PSYTHPN",
    // Gender-affirming care, abortion and contraception (California AB 352, Civil Code 56.101).
    "CA-AB352",
    // HL7 v3-ActCode sensitivities, which a site's own rules may name.
    "HIV",
    "PSY",
    "SDV",
    "SEX",
    "STD",
    "GDIS",
    "ADOL",
    // Paid in full by the patient, not for the payer (45 CFR 164.522(a)(1)(vi)).
    "SELFPAY",
    // Confidentiality (HL7 v3-Confidentiality): restricted, very restricted.
    "R",
    "V",
    // Not yet labelled, or to be labelled anew: rules that know the label may withhold it.
    "UNLABELLED",
];

impl Labels {
    /// No label.
    pub const NONE: Self = Self(0);

    /// The label of that name; `None` when the table has no such label.
    pub fn named(name: &str) -> Option<Self> {
        (0_u32..).zip(LABELS).find(|(_, label)| *label == name).map(|(bit, _)| Self(1 << bit))
    }

    /// The mask of these names; names the table does not have are left out, which withholds more.
    pub fn known<'n>(names: impl IntoIterator<Item = &'n str>) -> Self {
        names.into_iter().filter_map(Self::named).fold(Self::NONE, BitOr::bitor)
    }

    /// The mask of these bits, of which the table may have fewer.
    pub const fn from_bits(bits: u64) -> Self {
        Self(bits)
    }

    /// The bits.
    pub const fn bits(self) -> u64 {
        self.0
    }

    /// Whether no label is in it.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether every label of `other` is in it.
    pub const fn holds(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether it shares a label with `other`.
    pub const fn meets(self, other: Self) -> bool {
        self.0 & other.0 != 0
    }

    /// Its labels one by one, each as a mask of its own.
    pub fn each(self) -> impl Iterator<Item = Self> {
        (0..u64::BITS).map(|bit| Self(1 << bit)).filter(move |label| self.holds(*label))
    }

    /// The names of its labels; a bit without a name is left out.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        (0_u32..).zip(LABELS).filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, name)| name)
    }
}

impl BitOr for Labels {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

impl BitAnd for Labels {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }
}

impl Not for Labels {
    type Output = Self;
    fn not(self) -> Self {
        Self(!self.0)
    }
}

impl fmt::Display for Labels {
    /// The names, with commas.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, name) in self.names().enumerate() {
            if i > 0 {
                f.write_str(", ")?;
            }
            f.write_str(name)?;
        }
        Ok(())
    }
}

impl fmt::Debug for Labels {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Labels({self})")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_label_has_its_own_bit_and_comes_back_by_name() {
        for (bit, name) in (0_u32..).zip(LABELS) {
            assert_eq!(Labels::named(name).unwrap().bits(), 1 << bit);
            assert_eq!(Labels::named(name).unwrap().to_string(), name);
        }
        assert_eq!(Labels::named("no-such-label"), None);
        assert!(LABELS.len() <= 64);
    }

    #[test]
    fn an_unknown_name_adds_nothing_to_a_mask() {
        assert_eq!(Labels::known(["HIV", "no-such-label"]), Labels::named("HIV").unwrap());
    }
}
