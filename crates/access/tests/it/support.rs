//! Principals, records and dice for the tests.

use std::sync::{Arc, OnceLock};

use access::{Context, Facts, Labels, Policies, PrincipalKind, Purpose, Who};
use fhir::definitions::{TypeId, r4};

pub fn shipped() -> &'static Policies {
    static SHIPPED: OnceLock<Policies> = OnceLock::new();
    SHIPPED.get_or_init(|| Policies::load(1, &[]).unwrap())
}

pub fn kind(name: &str) -> TypeId {
    r4().resource_type(name).unwrap()
}

pub fn label(name: &str) -> Labels {
    Labels::named(name).unwrap()
}

/// A user of the clinic, at the site north, with one patient of each sort.
pub fn user(role: &str) -> Who {
    let mut who = Who::new(PrincipalKind::User, "grace", "clinic");
    who.roles = vec![role.into()];
    who.sites = vec!["north".into()];
    who.own_record = vec!["own".into()];
    who.represents = vec!["child".into()];
    who.patients_in_care = vec!["ada".into(), "bob".into()];
    who
}

/// An observation of ada, made at the site north by somebody else.
pub fn facts() -> Facts<'static> {
    Facts {
        tenant: "clinic",
        kind: kind("Observation"),
        patients: &["ada"],
        site: Some("north"),
        labels: Labels::NONE,
        author: Some("henry"),
        vip: false,
    }
}

pub fn treating() -> Context {
    Context { recipient_state: "CA".into(), mfa_age_seconds: 0, ..Context::of(Purpose::Treatment) }
}

/// Dice that fall the same way for the same seed (splitmix64).
pub struct Dice(pub u64);

impl Dice {
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// One of `sides`.
    pub fn below(&mut self, sides: usize) -> usize {
        (self.next() % sides as u64) as usize
    }

    pub fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }

    pub fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// Each of the values with the chance of one in `sides`.
    pub fn some<T: Clone>(&mut self, values: &[T], sides: usize) -> Vec<T> {
        values.iter().filter(|_| self.one_in(sides)).cloned().collect()
    }
}

pub const TENANTS: [&str; 2] = ["clinic", "other"];
pub const SITES: [&str; 3] = ["north", "south", "west"];
pub const PATIENTS: [&str; 5] = ["ada", "bob", "cyd", "own", "child"];
pub const USERS: [&str; 3] = ["grace", "henry", "iris"];
pub const ROLES: [&str; 12] = [
    "clinician",
    "nurse",
    "front-desk",
    "biller",
    "him",
    "privacy-officer",
    "it-administrator",
    "auditor",
    "patient",
    "proxy",
    "app",
    "agent",
];

pub fn names(values: &[&str]) -> Vec<Arc<str>> {
    values.iter().map(|value| Arc::from(*value)).collect()
}

/// A record, with everything that facts borrow.
pub struct Thrown {
    pub facts: Facts<'static>,
}

pub fn throw(dice: &mut Dice) -> Thrown {
    const NONE: &[&str] = &[];
    const LISTS: [&[&str]; 9] = [
        NONE,
        NONE,
        &["ada"],
        &["bob"],
        &["cyd"],
        &["own"],
        &["child"],
        &["ada", "cyd"],
        &["own", "child", "bob"],
    ];
    // Types that some policy names, and any other.
    const KINDS: [&str; 14] = [
        "Observation",
        "Observation",
        "Patient",
        "Claim",
        "Practitioner",
        "ValueSet",
        "AuditEvent",
        "Consent",
        "Task",
        "Appointment",
        "Coverage",
        "Provenance",
        "DocumentReference",
        "Location",
    ];
    let kinds: Vec<_> = r4().resource_types().collect();
    let kind = if dice.one_in(4) { dice.of(&kinds).0 } else { kind(dice.of(&KINDS)) };
    let labels = dice.some(&access::LABELS, 12);
    Thrown {
        facts: Facts {
            tenant: TENANTS[usize::from(dice.one_in(8))],
            kind,
            patients: dice.of(&LISTS),
            site: if dice.one_in(3) { None } else { Some(dice.of(&SITES)) },
            labels: Labels::known(labels),
            author: if dice.one_in(2) { None } else { Some(dice.of(&USERS)) },
            vip: dice.one_in(3),
        },
    }
}
