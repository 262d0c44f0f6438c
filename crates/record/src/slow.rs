//! The slowest searches of the last hour, kept in memory for whoever watches over the server. No value that
//! was searched for is kept, only names of parameters that there are: a value can be a name or a diagnosis
//! (45 CFR 164.502(b), minimum necessary).

use crate::session::Session;
use base::{Fault, Millis};
use fhir::definitions::TypeId;
use parking_lot::Mutex;
use search::parse::Level;
use std::time::Duration;

/// How many are kept.
const KEPT_MAX: usize = 20;
/// How long they are.
const HOUR_MS: i64 = 3_600_000;
/// Parameters of one search that are named.
const PARAMETERS_MAX: usize = 16;
/// Lines of a plan.
const PLAN_MAX: usize = 8;

/// A slow search.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SlowSearch {
    /// When it was answered.
    pub at: Millis,
    /// How long it took, in microseconds.
    pub took_us: u64,
    /// What of; none for a search of everything.
    pub of: Option<TypeId>,
    /// Its parameters by name, in the order they were given.
    pub parameters: Vec<&'static str>,
    /// What the records were drawn from, and why.
    pub plan: Vec<String>,
    /// Rows touched.
    pub steps: u64,
    /// The code it was refused with, when it was.
    pub refused: Option<&'static str>,
}

/// Those that are kept.
#[derive(Debug, Default)]
pub(crate) struct Slow(Mutex<Vec<SlowSearch>>);

impl Slow {
    /// Whether a search that took so long would be kept.
    fn wants(&self, now: Millis, took_us: u64) -> bool {
        let kept = self.0.lock();
        let is_full = kept.len() >= KEPT_MAX && kept.iter().all(|one| is_of_the_hour(one.at, now));
        !is_full || kept.last().is_some_and(|fastest| took_us > fastest.took_us)
    }

    /// Keeps a search, if it is one of the slowest of its hour.
    fn keep(&self, one: SlowSearch) {
        let mut kept = self.0.lock();
        kept.retain(|old| is_of_the_hour(old.at, one.at));
        let at = kept.partition_point(|old| old.took_us >= one.took_us);
        kept.insert(at, one);
        kept.truncate(KEPT_MAX);
    }

    pub(crate) fn of_the_hour(&self, now: Millis) -> Vec<SlowSearch> {
        let mut kept = self.0.lock();
        kept.retain(|one| is_of_the_hour(one.at, now));
        kept.clone()
    }
}

const fn is_of_the_hour(at: Millis, now: Millis) -> bool {
    now.0.saturating_sub(at.0) < HOUR_MS
}

impl Session {
    /// Keeps what a search cost, if it was slow.
    pub(crate) fn weigh<'p>(
        &self,
        level: &Level,
        names: impl Iterator<Item = &'p str>,
        took: Duration,
        outcome: Result<&store::Explain, &Fault>,
    ) {
        let (at, took_us) = (self.now(), u64::try_from(took.as_micros()).unwrap_or(u64::MAX));
        if !self.gate.slow.wants(at, took_us) {
            return;
        }
        let of = match level {
            Level::System => None,
            Level::Type(of) => Some(*of),
            Level::Compartment { of, .. } => *of,
        };
        let (plan, steps) = outcome.map_or((Vec::new(), 0), |explain| {
            (explain.plan.iter().take(PLAN_MAX).cloned().collect(), explain.steps)
        });
        self.gate.slow.keep(SlowSearch {
            at,
            took_us,
            of,
            parameters: names.take(PARAMETERS_MAX).map(|name| known(of, name)).collect(),
            plan,
            steps,
            refused: outcome.err().map(|fault| fault.code().name),
        });
    }
}

/// The name of a parameter as the registry has it: what somebody made up may be anything.
fn known(of: Option<TypeId>, name: &str) -> &'static str {
    const OF_ANY: [&str; 11] = [
        "_id",
        "_lastUpdated",
        "_sort",
        "_count",
        "_include",
        "_revinclude",
        "_summary",
        "_total",
        "_elements",
        "_has",
        "_tag",
    ];
    let plain = name.split([':', '.']).next().unwrap_or_default();
    let of_type = of.and_then(|of| search::registry::registry().parameter(of, plain));
    let of_any = || OF_ANY.into_iter().find(|any| *any == plain);
    of_type.map(|parameter| parameter.code).or_else(of_any).unwrap_or("…")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn one(at: i64, took_us: u64) -> SlowSearch {
        let (of, parameters, plan) = (None, Vec::new(), Vec::new());
        SlowSearch { at: Millis(at), took_us, of, parameters, plan, steps: 0, refused: None }
    }

    #[test]
    fn the_slowest_of_the_hour_are_kept_the_slowest_first() {
        let slow = Slow::default();
        for took in 1..=100 {
            slow.keep(one(0, took));
        }
        let kept = slow.of_the_hour(Millis(HOUR_MS - 1));
        assert_eq!(kept.len(), KEPT_MAX);
        assert!(kept.iter().map(|one| one.took_us).eq((81..=100).rev()));
        assert!(slow.wants(Millis(0), 82) && !slow.wants(Millis(0), 81));
        assert!(slow.wants(Millis(HOUR_MS), 1), "those that are over make room");
        slow.keep(one(HOUR_MS, 5));
        assert_eq!(slow.of_the_hour(Millis(HOUR_MS)), [one(HOUR_MS, 5)], "the others are over");
    }

    #[test]
    fn a_name_that_is_no_parameter_is_not_kept() {
        let of = fhir::definitions::r4().resource_type("Patient");
        assert_eq!(known(of, "family:exact"), "family");
        assert_eq!(known(of, "_has:Observation:patient:code"), "_has");
        assert_eq!(known(of, "lovelace"), "…");
        assert_eq!(known(None, "family"), "…");
    }
}
