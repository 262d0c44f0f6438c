//! A clause: one demand on each fact of a record, all of which must hold.

use fhir::definitions::TypeId;

use crate::choice::{Choice, Name, Names};
use crate::guard::Facts;
use crate::label::Labels;

/// What a clause demands of the patients a record concerns.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Patients {
    /// Of each of these sets, the record concerns at least one patient.
    pub(crate) touches: Vec<Names>,
    /// The record concerns none of these.
    pub(crate) avoids: Names,
    /// Whether it concerns anybody at all; `None` when that does not matter.
    pub(crate) some: Option<bool>,
}

impl Patients {
    /// Of each of these sets, at least one.
    pub fn touches(&self) -> &[Names] {
        &self.touches
    }

    /// None of these.
    pub const fn avoids(&self) -> &Names {
        &self.avoids
    }

    /// Somebody, or nobody; `None` when that does not matter.
    pub const fn somebody(&self) -> Option<bool> {
        self.some
    }

    /// Whomever the record concerns, and when nobody.
    pub fn any() -> Self {
        Self { touches: Vec::new(), avoids: Names::empty(), some: None }
    }

    /// At least one of these.
    pub fn touching(patients: Names) -> Self {
        Self { touches: vec![patients], ..Self::any() }
    }

    /// None of these.
    pub fn avoiding(patients: Names) -> Self {
        Self { avoids: patients, ..Self::any() }
    }

    /// Somebody, or nobody.
    pub fn some(some: bool) -> Self {
        Self { some: Some(some), ..Self::any() }
    }

    fn and(&self, other: &Self) -> Option<Self> {
        let some = both(self.some, other.some)?;
        let avoids = self.avoids.or(&other.avoids);
        let mut touches: Vec<Names> = Vec::new();
        for set in self.touches.iter().chain(&other.touches) {
            let set = set.less(&avoids);
            if set.is_empty() || some == Some(false) {
                return None;
            }
            if touches.iter().any(|held| held.within(&set)) {
                continue;
            }
            touches.retain(|held| !set.within(held));
            touches.push(set);
        }
        touches.sort_unstable();
        // Said already by the sets.
        let some = if touches.is_empty() { some } else { None };
        // Nobody is in nobody's list.
        let avoids = if some == Some(false) { Names::empty() } else { avoids };
        Some(Self { touches, avoids, some })
    }

    fn within(&self, other: &Self) -> bool {
        let nobody = self.some == Some(false);
        other.touches.iter().all(|set| self.touches.iter().any(|held| held.within(set)))
            && (nobody || other.avoids.within(&self.avoids))
            && match other.some {
                None => true,
                Some(true) => self.some == Some(true) || !self.touches.is_empty(),
                Some(false) => nobody,
            }
    }

    fn accepts(&self, patients: &[&str]) -> bool {
        self.some.is_none_or(|some| some != patients.is_empty())
            && self.touches.iter().all(|set| patients.iter().any(|patient| set.holds(*patient)))
            && (self.avoids.is_empty() || !patients.iter().any(|p| self.avoids.holds(*p)))
    }
}

/// Demands on a record's facts, all of which must hold. Built by narrowing [`Clause::any`].
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Clause {
    pub(crate) tenant: Choice<Name>,
    pub(crate) kinds: Choice<TypeId>,
    pub(crate) site: Choice<Name>,
    pub(crate) author: Choice<Name>,
    pub(crate) vip: Option<bool>,
    /// Labels the record must all carry.
    pub(crate) carried: Labels,
    /// Labels of which the record may carry none.
    pub(crate) withheld: Labels,
    pub(crate) patients: Patients,
}

impl Clause {
    /// Whose records: the tenants.
    pub const fn tenant(&self) -> &Choice<Name> {
        &self.tenant
    }

    /// Of which resource types.
    pub const fn kinds(&self) -> &Choice<TypeId> {
        &self.kinds
    }

    /// Of which sites.
    pub const fn site(&self) -> &Choice<Name> {
        &self.site
    }

    /// By which authors.
    pub const fn author(&self) -> &Choice<Name> {
        &self.author
    }

    /// Watched more closely, or not; `None` when that does not matter.
    pub const fn vip(&self) -> Option<bool> {
        self.vip
    }

    /// Labels the record must all carry.
    pub const fn carried(&self) -> Labels {
        self.carried
    }

    /// Labels of which it may carry none.
    pub const fn withheld(&self) -> Labels {
        self.withheld
    }

    /// What is demanded of the patients it concerns.
    pub const fn patients(&self) -> &Patients {
        &self.patients
    }

    /// Demands nothing.
    pub fn any() -> Self {
        Self {
            tenant: Choice::any(),
            kinds: Choice::any(),
            site: Choice::any(),
            author: Choice::any(),
            vip: None,
            carried: Labels::NONE,
            withheld: Labels::NONE,
            patients: Patients::any(),
        }
    }

    /// Whether nothing is demanded.
    pub fn is_any(&self) -> bool {
        *self == Self::any()
    }

    /// The demands of both; `None` when no record can meet them.
    pub fn and(&self, other: &Self) -> Option<Self> {
        let both = Self {
            tenant: self.tenant.and(&other.tenant),
            kinds: self.kinds.and(&other.kinds),
            site: self.site.and(&other.site),
            author: self.author.and(&other.author),
            vip: both(self.vip, other.vip)?,
            carried: self.carried | other.carried,
            withheld: self.withheld | other.withheld,
            patients: self.patients.and(&other.patients)?,
        };
        let none = both.tenant.is_none()
            || both.kinds.is_none()
            || both.site.is_none()
            || both.author.is_none()
            || both.carried.meets(both.withheld);
        (!none).then_some(both)
    }

    /// Whether every record that meets this clause meets `other`.
    pub fn within(&self, other: &Self) -> bool {
        self.tenant.within(&other.tenant)
            && self.kinds.within(&other.kinds)
            && self.site.within(&other.site)
            && self.author.within(&other.author)
            && (other.vip.is_none() || self.vip == other.vip)
            && self.carried.holds(other.carried)
            && self.withheld.holds(other.withheld)
            && self.patients.within(&other.patients)
    }

    /// The one clause that says what these two say, where there is one and it is easily found.
    pub fn or(&self, other: &Self) -> Option<Self> {
        if other.within(self) {
            return Some(self.clone());
        }
        if self.within(other) {
            return Some(other.clone());
        }
        // They differ in one fact, and that fact's choices join.
        let mut joined = other.clone();
        joined.tenant = self.tenant.clone();
        if joined == *self {
            joined.tenant = self.tenant.or(&other.tenant);
            return Some(joined);
        }
        joined.tenant = other.tenant.clone();
        joined.kinds = self.kinds.clone();
        if joined == *self {
            joined.kinds = self.kinds.or(&other.kinds);
            return Some(joined);
        }
        joined.kinds = other.kinds.clone();
        joined.site = self.site.clone();
        if joined == *self {
            joined.site = self.site.or(&other.site);
            return Some(joined);
        }
        joined.site = other.site.clone();
        joined.author = self.author.clone();
        if joined == *self {
            joined.author = self.author.or(&other.author);
            return Some(joined);
        }
        joined.author = other.author.clone();
        joined.vip = self.vip;
        if joined == *self {
            // Not within each other, so it is `true` here and `false` there.
            joined.vip = None;
            return Some(joined);
        }
        joined.vip = other.vip;
        joined.patients = self.patients.clone();
        if joined == *self
            && let ([one], [two]) =
                (self.patients.touches.as_slice(), other.patients.touches.as_slice())
            && self.patients.avoids.is_empty()
            && other.patients.avoids.is_empty()
        {
            joined.patients = Patients::touching(one.or(two));
            return Some(joined);
        }
        None
    }

    /// Whether a record with these facts meets it. The cheap and selective demands come first.
    pub fn accepts(&self, facts: &Facts<'_>) -> bool {
        !self.withheld.meets(facts.labels)
            && facts.labels.holds(self.carried)
            && self.vip.is_none_or(|vip| vip == facts.vip)
            && self.kinds.accepts(Some(&facts.kind))
            && self.tenant.accepts(Some(facts.tenant))
            && self.site.accepts(facts.site)
            && self.author.accepts(facts.author)
            && self.patients.accepts(facts.patients)
    }
}

/// What both demand; `None` when they contradict each other.
fn both(one: Option<bool>, two: Option<bool>) -> Option<Option<bool>> {
    match (one, two) {
        (Some(one), Some(two)) if one != two => None,
        (one, two) => Some(one.or(two)),
    }
}
