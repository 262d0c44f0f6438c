//! Documents, principals and dice for the tests.

use access::{Labels, PrincipalKind, Who};
use base::{Limits, Millis};
use fhir::Document;
use fhir::definitions::{TypeId, r4};

pub(crate) fn document(text: &str) -> Document {
    Document::parse_text(text.to_owned(), &Limits::default()).expect(text)
}

pub(crate) fn kind(name: &str) -> TypeId {
    r4().resource_type(name).expect(name)
}

pub(crate) fn label(name: &str) -> u64 {
    Labels::named(name).expect(name).bits()
}

pub(crate) fn at(date: &str) -> Millis {
    Millis(fhir::date::parse(date).expect(date).low)
}

pub(crate) fn user(id: &str) -> Who {
    let mut who = Who::new(PrincipalKind::User, id, "clinic");
    who.sites = vec!["north".into()];
    who.care_teams = vec!["team-1".into()];
    who
}

/// Dice that fall the same way for the same seed (splitmix64).
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    pub(crate) fn below(&mut self, sides: usize) -> usize {
        usize::try_from(self.next() % sides as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }

    pub(crate) fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }
}
