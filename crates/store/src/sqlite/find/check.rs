//! Conditions on one record, decided from its packed entries. A condition that leads to other
//! records (chains, `_has`) loads them through the same sight as everything else.

use crate::pack::{self, View};
use search::query::Prefix;
use std::collections::HashSet;

/// A condition in the store's numbers.
#[derive(Debug)]
pub(super) enum Check {
    /// Never holds.
    False,
    /// All hold.
    All(Vec<Self>),
    /// One holds.
    Any(Vec<Self>),
    /// It does not hold.
    Not(Box<Self>),
    /// Some entry passes.
    Leaf(Leaf),
    /// Some entry of these atoms is there.
    Present(Vec<u32>),
    /// A composite: all parts in one record, grouped parts in one repeat.
    Together(Vec<(bool, Leaf)>),
    /// The record is one of these.
    Record(HashSet<i64>),
    /// The record has one of these types.
    Kind(Vec<u16>),
    /// The current version's number lies in one of these spans.
    Version(Vec<(u64, u64)>),
    /// Some reference at the atoms leads to a record for which one of these holds.
    Chain {
        atoms: Vec<u32>,
        targets: Vec<(u16, Self)>,
        /// Tells chains apart in the memory of what was decided.
        number: usize,
    },
    /// Some record of a type points here through the atoms, and it holds there.
    Has { kind: u16, atoms: Vec<u32>, check: Box<Self>, number: usize },
    /// The record is in a patient's compartment.
    Patient(i64),
    /// All folded words occur in the record's text.
    Words { narrative_only: bool, words: Vec<String> },
}

/// A test of single entries.
#[derive(Debug)]
pub(in super::super) struct Leaf {
    pub(super) atoms: Vec<u32>,
    pub(super) test: Test,
}

/// What an entry must be.
#[derive(Debug)]
pub(super) enum Test {
    /// One of these dictionary numbers.
    Ints(HashSet<i64>),
    /// A date in relation to a span.
    Date(Prefix, i64, i64),
    /// A number in relation to a value; in each unit its own bounds. `None`: whatever the unit.
    Num(Vec<(Option<i64>, Bounds)>),
    /// A folded prefix, part, or exact text.
    StartsWith(String),
    Contains(String),
    Exact(String),
    /// An identifier: its value (any when `None`), its system (any when `None`), its type.
    Ident {
        value: Option<String>,
        system: Option<i64>,
        of_type: Option<HashSet<i64>>,
    },
    /// Any of these tests.
    Any(Vec<Self>),
}

/// Bounds of a number: it must lie in the span, or outside it when `outside`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bounds {
    pub(super) low: f64,
    pub(super) low_open: bool,
    pub(super) high: f64,
    pub(super) high_open: bool,
    pub(super) outside: bool,
}

impl Bounds {
    pub(super) fn holds(self, value: f64) -> bool {
        let above = if self.low_open { value > self.low } else { value >= self.low };
        let below = if self.high_open { value < self.high } else { value <= self.high };
        (above && below) != self.outside
    }
}

impl Leaf {
    /// Whether some entry of a record passes.
    pub(in super::super) fn holds(&self, packed: &[u8]) -> bool {
        pack::rows(packed).any(|view| self.passes(view))
    }

    fn passes(&self, view: View<'_>) -> bool {
        self.atoms.contains(&view.atom()) && self.test.passes(view)
    }
}

impl Test {
    fn passes(&self, view: View<'_>) -> bool {
        match (self, view) {
            (Self::Any(tests), view) => tests.iter().any(|t| t.passes(view)),
            (Self::Ints(values), View::Int { value, .. }) => values.contains(&value),
            (Self::Date(prefix, low, high), View::Date { low: l, high: h, .. }) => {
                date_holds(*prefix, (*low, *high), (l, h))
            }
            (Self::Num(bounds), View::Num { unit, value, .. }) => {
                bounds.iter().any(|(u, bounds)| u.is_none_or(|u| u == unit) && bounds.holds(value))
            }
            (Self::StartsWith(text), View::Str { folded, .. }) => folded.starts_with(text),
            (Self::Contains(text), View::Str { folded, .. }) => folded.contains(text.as_str()),
            (Self::Exact(text), View::Str { exact, .. }) => exact == text,
            (
                Self::Ident { value, system, of_type },
                View::Ident { value: v, system: s, of_type: t, .. },
            ) => {
                value.as_ref().is_none_or(|value| value == v)
                    && system.is_none_or(|system| system == s)
                    && of_type.as_ref().is_none_or(|types| types.contains(&t))
            }
            _ => false,
        }
    }
}

/// The comparison of a stored span with a searched one
/// (<https://hl7.org/fhir/R4/search.html#prefix>).
fn date_holds(prefix: Prefix, (low, high): (i64, i64), (l, h): (i64, i64)) -> bool {
    let inside = low <= l && h <= high;
    match prefix {
        Prefix::Eq => inside,
        Prefix::Ne => !inside,
        Prefix::Gt => h > high,
        Prefix::Lt => l < low,
        Prefix::Ge => h > high || inside,
        Prefix::Le => l < low || inside,
        Prefix::Sa => l > high,
        Prefix::Eb => h < low,
        Prefix::Ap => l <= high && h >= low,
    }
}

/// Whether all parts of a composite match in one place.
pub(super) fn together(parts: &[(bool, Leaf)], packed: &[u8]) -> bool {
    let mut candidates: Option<Vec<u16>> = None;
    for (grouped, leaf) in parts {
        if !grouped {
            if !leaf.holds(packed) {
                return false;
            }
            continue;
        }
        let here: Vec<u16> = pack::rows(packed).filter(|v| leaf.passes(*v)).map(group_of).collect();
        let left: Vec<u16> = match candidates {
            None => here,
            Some(before) => before.into_iter().filter(|g| here.contains(g)).collect(),
        };
        if left.is_empty() {
            return false;
        }
        candidates = Some(left);
    }
    true
}

const fn group_of(view: View<'_>) -> u16 {
    match view {
        View::Int { group, .. }
        | View::Date { group, .. }
        | View::Num { group, .. }
        | View::Str { group, .. } => group,
        View::Ident { .. } | View::Patient { .. } | View::Fact { .. } => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_compare_as_the_specification_says() {
        use Prefix::{Ap, Eb, Eq, Ge, Gt, Le, Lt, Ne, Sa};
        let year = (100, 200);
        let cases = [
            ((120, 130), vec![Eq, Ge, Le, Ap]),
            ((50, 150), vec![Ne, Lt, Le, Ap]),
            ((150, 250), vec![Ne, Gt, Ge, Ap]),
            ((50, 250), vec![Ne, Gt, Lt, Ge, Le, Ap]),
            ((201, 202), vec![Ne, Gt, Ge, Sa]),
            ((10, 99), vec![Ne, Lt, Le, Eb]),
        ];
        for (stored, expected) in cases {
            for prefix in [Eq, Ne, Gt, Lt, Ge, Le, Sa, Eb, Ap] {
                let holds = date_holds(prefix, year, stored);
                assert_eq!(holds, expected.contains(&prefix), "{prefix:?} {stored:?}");
            }
        }
    }
}
