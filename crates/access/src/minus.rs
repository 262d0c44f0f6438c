//! What one guard lets through and another does not, as a guard: the difference that a change of the
//! policies makes, in the same few facts that policies speak of (45 CFR 164.308(a)(4)(ii)(C), access
//! modification).

use crate::choice::Set;
use crate::clause::{Clause, Patients};
use crate::guard::{Guard, TooManyClauses};

/// The most clauses that are held while a difference is made.
const HELD_MAX: usize = 4096;

impl Guard {
    /// The records that this guard lets through and `other` does not.
    pub fn minus(&self, other: &Self) -> Result<Self, TooManyClauses> {
        let mut left: Vec<Clause> = self.clauses().to_vec();
        for taken in other.clauses() {
            let refused = taken.refuses();
            let mut next: Vec<Clause> = Vec::new();
            for clause in &left {
                // What does not meet it stays as it is, in one piece.
                if clause.and(taken).is_none() {
                    push(&mut next, clause.clone());
                    continue;
                }
                for refusal in &refused {
                    if let Some(rest) = clause.and(refusal) {
                        push(&mut next, rest);
                    }
                }
            }
            if next.len() > HELD_MAX {
                return Err(TooManyClauses);
            }
            left = next;
        }
        let mut out = Self::nothing();
        for clause in left {
            out = out.or(&Self::of(&clause))?;
        }
        Ok(out)
    }
}

fn push(clauses: &mut Vec<Clause>, clause: Clause) {
    if clauses.iter().any(|held| clause.within(held)) {
        return;
    }
    clauses.retain(|held| !held.within(&clause));
    clauses.push(clause);
}

impl Clause {
    /// Clauses of which every record that this one refuses meets one.
    fn refuses(&self) -> Vec<Self> {
        let any = Self::any;
        let mut out = vec![
            Self { tenant: self.tenant.not(), ..any() },
            Self { kinds: self.kinds.not(), ..any() },
            Self { site: self.site.not(), ..any() },
            Self { author: self.author.not(), ..any() },
        ];
        if let Some(vip) = self.vip {
            out.push(Self { vip: Some(!vip), ..any() });
        }
        out.extend(self.carried.each().map(|label| Self { withheld: label, ..any() }));
        out.extend(self.withheld.each().map(|label| Self { carried: label, ..any() }));
        let patients = |patients| Self { patients, ..any() };
        let touches = self.patients.touches.iter();
        out.extend(touches.map(|set| patients(Patients::avoiding(set.clone()))));
        let avoids = self.patients.avoids.values().to_vec();
        if !avoids.is_empty() {
            out.push(patients(Patients::touching(Set::of(avoids))));
        }
        if let Some(some) = self.patients.some {
            out.push(patients(Patients::some(!some)));
        }
        // A demand that refuses nothing has no opposite.
        out.retain(|clause| {
            !clause.tenant.is_none()
                && !clause.kinds.is_none()
                && !clause.site.is_none()
                && !clause.author.is_none()
        });
        out
    }
}
