//! Principals, records and dice for the tests.

use std::sync::{Arc, OnceLock};

use access::{Context, Facts, Labels, Policies, PrincipalKind, Purpose, Who};
use fhir::definitions::{TypeId, r4};

pub(crate) fn shipped() -> &'static Policies {
    static SHIPPED: OnceLock<Policies> = OnceLock::new();
    SHIPPED.get_or_init(|| Policies::load(1, &[]).unwrap())
}

/// Every label's name.
pub(crate) fn all_labels() -> Vec<&'static str> {
    Labels::KNOWN.names().collect()
}

pub(crate) fn kind(name: &str) -> TypeId {
    r4().resource_type(name).unwrap()
}

pub(crate) fn label(name: &str) -> Labels {
    Labels::named(name).unwrap()
}

/// A user of the clinic, at the site north, with one patient of each sort.
pub(crate) fn user(role: &str) -> Who {
    let mut who = Who::new(PrincipalKind::User, "grace", "clinic");
    who.roles = vec![role.into()];
    who.sites = vec!["north".into()];
    who.own_record = vec!["own".into()];
    who.represents = vec!["child".into()];
    who.patients_in_care = vec!["ada".into(), "bob".into()];
    who
}

/// An observation of ada, made at the site north by somebody else.
pub(crate) fn facts() -> Facts<'static> {
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

pub(crate) fn treating() -> Context {
    Context { recipient_state: "CA".into(), mfa_age_seconds: 0, ..Context::of(Purpose::Treatment) }
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

    /// One of `sides`.
    pub(crate) fn below(&mut self, sides: usize) -> usize {
        usize::try_from(self.next() % sides as u64).unwrap()
    }

    pub(crate) fn one_in(&mut self, sides: usize) -> bool {
        self.below(sides) == 0
    }

    pub(crate) fn of<T: Copy>(&mut self, values: &[T]) -> T {
        values[self.below(values.len())]
    }

    /// Each of the values with the chance of one in `sides`.
    pub(crate) fn some<T: Clone>(&mut self, values: &[T], sides: usize) -> Vec<T> {
        values.iter().filter(|_| self.one_in(sides)).cloned().collect()
    }
}

pub(crate) const TENANTS: [&str; 2] = ["clinic", "other"];
pub(crate) const SITES: [&str; 3] = ["north", "south", "west"];
pub(crate) const PATIENTS: [&str; 5] = ["ada", "bob", "cyd", "own", "child"];
pub(crate) const USERS: [&str; 3] = ["grace", "henry", "iris"];
pub(crate) const ROLES: [&str; 13] = [
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
    "system",
];

/// The labels that shipped walls and roles name, and two that they do not.
pub(crate) const POLICY_LABELS: [&str; 12] = [
    "42CFRPart2",
    "PSYTHPN",
    "CA-AB352",
    "HIV",
    "SDV",
    "SEX",
    "STD",
    "GDIS",
    "ADOL",
    "SELFPAY",
    "R",
    "V",
];

pub(crate) fn names(values: &[&str]) -> Vec<Arc<str>> {
    values.iter().map(|value| Arc::from(*value)).collect()
}

/// A record, with everything that facts borrow.
pub(crate) struct Thrown {
    pub(crate) facts: Facts<'static>,
}

pub(crate) fn throw(dice: &mut Dice) -> Thrown {
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
    // Mostly those that walls and roles name: the others all fall alike.
    let mut labels = dice.some(&POLICY_LABELS, 20);
    labels.extend(dice.some(&all_labels(), 250));
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
