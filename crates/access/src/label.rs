//! Sensitivity labels, and the mask a record carries of them.
//!
//! A label is a security tag of data segmentation, from `meta.security` or set by the labelling at
//! a write (DS4P, <https://hl7.org/fhir/uv/security-label-ds4p/>; codes of HL7 `v3-ActCode` where
//! there is one). A label is a bit, so that a guard tests all of them at once. The table only grows:
//! a bit that was given keeps its meaning in every record that was ever labelled.

mod table;

pub use table::{ACT_CODE, CONFIDENTIALITY, LABELS, Label, OWN};

use std::collections::HashMap;
use std::fmt;
use std::ops::{BitAnd, BitOr, Not};
use std::sync::LazyLock;

/// A mask of labels: one bit each, in the order of [`LABELS`]; the last bit is [`Labels::OTHER`].
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Labels(u64);

/// The name of [`Labels::OTHER`] in policies.
const OTHER_NAME: &str = "OTHER";

static BY_NAME: LazyLock<HashMap<&'static str, Labels>> = LazyLock::new(|| {
    let rows = (0_u32..).zip(LABELS).map(|(bit, label)| (label.name, Labels(1 << bit)));
    rows.chain([(OTHER_NAME, Labels::OTHER)]).collect()
});

/// By code, then by system: a code is short and nearly always tells.
static BY_CODE: LazyLock<HashMap<&'static str, Vec<(&'static str, Labels)>>> =
    LazyLock::new(|| {
        let mut map: HashMap<_, Vec<_>> = HashMap::new();
        for (bit, label) in (0_u32..).zip(LABELS) {
            map.entry(label.code).or_default().push((label.system, Labels(1 << bit)));
        }
        for (system, code, name) in table::ALSO {
            map.entry(code).or_default().extend(Labels::named(name).map(|label| (system, label)));
        }
        map
    });

impl Labels {
    /// No label.
    pub const NONE: Self = Self(0);
    /// Any label that has no bit of its own: withholding it withholds all that is not understood.
    pub const OTHER: Self = Self(1 << 63);
    /// Every label with a name, [`Labels::OTHER`] among them.
    pub const KNOWN: Self = Self(((1 << LABELS.len()) - 1) | Self::OTHER.0);
    /// Very restricted.
    pub const VERY_RESTRICTED: Self = Self(1 << 5);
    /// Records of a Part 2 programme.
    pub const PART2: Self = Self(1 << 50);
    /// Paid in full by the patient.
    pub const SELFPAY: Self = Self(1 << 53);
    /// Somebody who is watched more closely: the fact `vip` of a record.
    pub const VIP: Self = Self(1 << 54);
    /// Not yet labelled, or to be labelled anew.
    pub const UNLABELLED: Self = Self(1 << 55);

    /// The label of that name; `None` when there is no such label.
    pub fn named(name: &str) -> Option<Self> {
        BY_NAME.get(name).copied()
    }

    /// The label of a coding in `meta.security`; [`Labels::OTHER`] when the table has none.
    pub fn coded(system: &str, code: &str) -> Self {
        let rows = BY_CODE.get(code).map_or(&[][..], Vec::as_slice);
        rows.iter().find(|(own, _)| *own == system).map_or(Self::OTHER, |(_, label)| *label)
    }

    /// The rows of its labels. The bit of all others has none: what it stood for is in the record.
    pub fn codings(self) -> impl Iterator<Item = Label> {
        (0_u32..).zip(LABELS).filter(move |(bit, _)| self.0 >> bit & 1 == 1).map(|(_, row)| row)
    }

    /// The mask of these names; names that are no label's are left out, which withholds more.
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

    /// The names of its labels by their bits; a bit without a name is left out.
    pub fn names(self) -> impl Iterator<Item = &'static str> {
        let other = self.meets(Self::OTHER).then_some(OTHER_NAME);
        self.codings().map(|label| label.name).chain(other)
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
    /// The names in the order of the alphabet, with commas: a golden text outlives a new bit.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut names: Vec<_> = self.names().collect();
        names.sort_unstable();
        for (i, name) in names.into_iter().enumerate() {
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
    fn every_label_has_its_own_bit_and_comes_back_by_name_and_by_code() {
        for (bit, row) in (0_u32..).zip(LABELS) {
            let label = Labels::named(row.name).unwrap();
            assert_eq!(label.bits(), 1 << bit, "{} stands twice", row.name);
            assert_eq!(label.to_string(), row.name);
            assert_eq!(Labels::coded(row.system, row.code), label);
            assert_eq!(label.codings().collect::<Vec<_>>(), [row]);
        }
        assert_eq!(Labels::named("no-such-label"), None);
        assert!(LABELS.len() < 63, "the last bit is taken");
    }

    #[test]
    fn the_named_constants_are_what_their_names_say() {
        for (constant, name) in [
            (Labels::VERY_RESTRICTED, "V"),
            (Labels::PART2, "42CFRPart2"),
            (Labels::SELFPAY, "SELFPAY"),
            (Labels::VIP, "VIP"),
            (Labels::UNLABELLED, "UNLABELLED"),
            (Labels::OTHER, "OTHER"),
        ] {
            assert_eq!(Labels::named(name), Some(constant));
        }
        assert_eq!(Labels::KNOWN, Labels::known(Labels::from_bits(u64::MAX).names()));
    }

    #[test]
    fn the_stored_bits_are_where_they_were() {
        let bit = |name| Labels::named(name).unwrap().bits().trailing_zeros();
        let places = [("U", 0), ("R", 4), ("V", 5), ("ETH", 6), ("HIV", 8), ("SDV", 12)];
        let later = [("PSYTHPN", 21), ("STD", 25), ("DEMO", 30), ("ADOL", 41), ("COMPT", 49)];
        for (name, place) in places.into_iter().chain(later) {
            assert_eq!(bit(name), place, "{name}");
        }
    }

    #[test]
    fn a_coding_that_nobody_knows_is_the_last_bit() {
        assert_eq!(Labels::coded("urn:x", "R"), Labels::OTHER);
        assert_eq!(Labels::coded(ACT_CODE, "R"), Labels::OTHER);
        assert_eq!(Labels::coded("", ""), Labels::OTHER);
        assert_eq!(Labels::coded(ACT_CODE, "HIPAAPsyNotes"), Labels::named("PSYTHPN").unwrap());
        assert_eq!(Labels::OTHER.to_string(), "OTHER");
    }

    #[test]
    fn an_unknown_name_adds_nothing_to_a_mask() {
        assert_eq!(Labels::known(["HIV", "no-such-label"]), Labels::named("HIV").unwrap());
    }
}
