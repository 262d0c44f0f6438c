//! The guard: which records a decision reaches, as a formula over facts of a record, in a normal
//! form that a search can push down to its index and a read can test without asking a policy.
//!
//! A guard is any of its clauses; a clause is all of its demands ([`Clause`]). It is made by
//! [`crate::Policies::guard`] from what is left of the policies when the principal, the action and
//! the context are known, and it must say of every record what the policies say (the oracle test
//! holds the two together). 45 CFR 164.312(a)(1), access control; 164.502(b), minimum necessary.

use std::fmt;

use fhir::definitions::{TypeId, r4};

use crate::choice::{Choice, Name, Names};
use crate::clause::{Clause, Patients};
use crate::label::Labels;

/// The most clauses a guard may have: what is tested for each record stays bounded.
pub const CLAUSES_MAX: usize = 64;

/// What a guard asks of a record. It borrows, so that a test costs no allocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Facts<'a> {
    /// Whose record it is: the tenant.
    pub tenant: &'a str,
    /// Its resource type.
    pub kind: TypeId,
    /// The ids of the patients it concerns.
    pub patients: &'a [&'a str],
    /// Where it was made, if known.
    pub site: Option<&'a str>,
    /// Its sensitivity labels.
    pub labels: Labels,
    /// The user who wrote it, if known.
    pub author: Option<&'a str>,
    /// Whether it concerns somebody whose record is watched more closely.
    pub vip: bool,
}

/// A guard would need more than [`CLAUSES_MAX`] clauses.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TooManyClauses;

/// Which records: those that meet one of the clauses.
#[derive(Clone, PartialEq, Eq)]
pub struct Guard {
    // No clause is within another, and none refuses everything.
    clauses: Vec<Clause>,
}

impl Guard {
    /// Every record.
    pub fn everything() -> Self {
        Self::of(&Clause::any())
    }

    /// No record.
    pub const fn nothing() -> Self {
        Self { clauses: Vec::new() }
    }

    /// The records that meet one clause.
    pub fn of(clause: &Clause) -> Self {
        // A clause that came from outside may contradict itself.
        Self { clauses: clause.and(&Clause::any()).into_iter().collect() }
    }

    /// Records of these tenants.
    pub fn tenants(tenants: Choice<Name>) -> Self {
        Self::of(&Clause { tenant: tenants, ..Clause::any() })
    }

    /// Records of these resource types.
    pub fn kinds(kinds: Choice<TypeId>) -> Self {
        Self::of(&Clause { kinds, ..Clause::any() })
    }

    /// Records of these sites.
    pub fn sites(site: Choice<Name>) -> Self {
        Self::of(&Clause { site, ..Clause::any() })
    }

    /// Records by these authors.
    pub fn authors(author: Choice<Name>) -> Self {
        Self::of(&Clause { author, ..Clause::any() })
    }

    /// Records that are, or are not, watched more closely.
    pub fn vip(vip: bool) -> Self {
        Self::of(&Clause { vip: Some(vip), ..Clause::any() })
    }

    /// Records that concern at least one of these patients.
    pub fn touching(patients: Names) -> Self {
        Self::of(&Clause { patients: Patients::touching(patients), ..Clause::any() })
    }

    /// Records that concern none of these patients.
    pub fn avoiding(patients: Names) -> Self {
        Self::of(&Clause { patients: Patients::avoiding(patients), ..Clause::any() })
    }

    /// Records that concern somebody, or nobody.
    pub fn with_patients(some: bool) -> Self {
        Self::of(&Clause { patients: Patients::some(some), ..Clause::any() })
    }

    /// Records that carry all of these labels.
    pub fn carrying(labels: Labels) -> Self {
        Self::of(&Clause { carried: labels, ..Clause::any() })
    }

    /// Records that carry none of these labels.
    pub fn withholding(labels: Labels) -> Self {
        Self::of(&Clause { withheld: labels, ..Clause::any() })
    }

    /// The clauses, for whoever pushes them down to an index.
    pub fn clauses(&self) -> &[Clause] {
        &self.clauses
    }

    /// Whether every record is let through.
    pub fn is_everything(&self) -> bool {
        self.clauses.iter().any(Clause::is_any)
    }

    /// Whether no record is.
    pub const fn is_nothing(&self) -> bool {
        self.clauses.is_empty()
    }

    /// Whether a record with these facts is let through. Costs no allocation.
    pub fn allows(&self, facts: &Facts<'_>) -> bool {
        self.clauses.iter().any(|clause| clause.accepts(facts))
    }

    /// Records that both let through.
    pub fn and(&self, other: &Self) -> Result<Self, TooManyClauses> {
        if self.is_everything() {
            return Ok(other.clone());
        }
        if other.is_everything() {
            return Ok(self.clone());
        }
        let mut both = Self::nothing();
        for one in &self.clauses {
            for two in &other.clauses {
                if let Some(clause) = one.and(two) {
                    both.add(clause)?;
                }
            }
        }
        Ok(both)
    }

    /// Records that either lets through.
    pub fn or(&self, other: &Self) -> Result<Self, TooManyClauses> {
        let mut either = self.clone();
        for clause in &other.clauses {
            either.add(clause.clone())?;
        }
        Ok(either)
    }

    /// The same guard for records of one type: what it says of types is settled.
    pub fn for_kind(&self, kind: TypeId) -> Self {
        let mut left = Self::nothing();
        for clause in self.clauses.iter().filter(|clause| clause.kinds.accepts(Some(&kind))) {
            let clause = Clause { kinds: Choice::any(), ..clause.clone() };
            // Fewer clauses than there were.
            let _never = left.add(clause);
        }
        left
    }

    fn add(&mut self, clause: Clause) -> Result<(), TooManyClauses> {
        let mut clause = clause;
        // What joins with a clause may join with the next, so it starts again each time.
        while let Some((at, joined)) = self
            .clauses
            .iter()
            .enumerate()
            .find_map(|(at, held)| held.or(&clause).map(|joined| (at, joined)))
        {
            self.clauses.swap_remove(at);
            clause = joined;
        }
        if self.clauses.len() >= CLAUSES_MAX {
            return Err(TooManyClauses);
        }
        let at = self.clauses.partition_point(|held| *held < clause);
        self.clauses.insert(at, clause);
        Ok(())
    }
}

impl fmt::Debug for Guard {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Guard({self})")
    }
}

/// How many values of a list are told by name.
const NAMED_MAX: usize = 4;

impl fmt::Display for Guard {
    /// For a compliance officer: a sentence, and a line for each clause when there are several.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.clauses.as_slice() {
            [] => f.write_str("no record"),
            [only] if only.is_any() => f.write_str("every record"),
            [only] => write!(f, "records {only}"),
            many => {
                f.write_str("records that meet one of:")?;
                many.iter().try_for_each(|clause| write!(f, "\n  - {clause}"))
            }
        }
    }
}

impl fmt::Display for Clause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts: Vec<String> = Vec::new();
        let say = |name: &Name| name.to_string();
        parts.extend(choice("tenant", &self.tenant, say));
        parts.extend(choice("type", &self.kinds, |kind| r4().name(*kind).to_owned()));
        parts.extend(choice("site", &self.site, say));
        parts.extend(choice("author", &self.author, say));
        for set in &self.patients.touches {
            parts.push(format!("about {}", list(set.values(), " or ", say)));
        }
        if !self.patients.avoids.is_empty() {
            parts.push(format!("not about {}", list(self.patients.avoids.values(), " or ", say)));
        }
        match self.patients.some {
            Some(true) => parts.push("about a patient".to_owned()),
            Some(false) => parts.push("about no patient".to_owned()),
            None => {}
        }
        if !self.carried.is_empty() {
            parts.push(format!("labelled {}", self.carried));
        }
        if !self.withheld.is_empty() {
            // Beyond the half of them, what is left over is the shorter list.
            let left = !self.withheld;
            if left.bits().count_ones() < self.withheld.bits().count_ones() {
                parts.push(match left.to_string() {
                    left if left.is_empty() => "without any label".to_owned(),
                    left => format!("with no label but {left}"),
                });
            } else {
                parts.push(format!("not labelled {}", self.withheld));
            }
        }
        match self.vip {
            Some(true) => parts.push("watched (vip)".to_owned()),
            Some(false) => parts.push("not watched (vip)".to_owned()),
            None => {}
        }
        if parts.is_empty() {
            return f.write_str("of any kind");
        }
        f.write_str(&parts.join("; "))
    }
}

fn choice<T: Ord + Clone>(
    fact: &str,
    choice: &Choice<T>,
    say: impl Fn(&T) -> String,
) -> Option<String> {
    // Every record has a tenant and a type; of those, the two flags are always equal.
    let values = choice.values.values();
    Some(match (choice.others, choice.absent) {
        (true, true) if values.is_empty() => return None,
        (true, false) if values.is_empty() => format!("{fact} known"),
        (false, true) if values.is_empty() => format!("{fact} not known"),
        (false, false) => format!("{fact} {}", list(values, " or ", say)),
        (false, true) => format!("{fact} {} or not known", list(values, ", ", say)),
        (true, true) => format!("{fact} other than {}", list(values, " or ", say)),
        (true, false) => format!("{fact} known and other than {}", list(values, " or ", say)),
    })
}

fn list<T>(values: &[T], last: &str, say: impl Fn(&T) -> String) -> String {
    let named: Vec<String> = values.iter().take(NAMED_MAX).map(say).collect();
    match values.len().checked_sub(named.len()) {
        None | Some(0) => match named.split_last() {
            Some((end, rest)) if !rest.is_empty() => format!("{}{last}{end}", rest.join(", ")),
            _ => named.concat(),
        },
        Some(more) => format!("{} and {more} more", named.join(", ")),
    }
}
