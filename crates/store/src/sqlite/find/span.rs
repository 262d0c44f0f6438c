//! What a date that a record has once lies between, when two conditions bound it from both sides, as a
//! day of a schedule does: `date=ge2026-11-23&date=lt2026-11-24`
//! (<https://hl7.org/fhir/R4/search.html#date>). Each condition alone names nearly everything; both
//! together name the day. With the list of another condition, such as somebody's appointments, only what
//! stands in both is a candidate.

use super::Finder;
use super::drive::{Driver, GATHER, Proposal, Worth, gathered};
use base::Fault;
use rusqlite::params;
use search::query::{Filter, Match, Prefix};
use search::registry::{AtomId, registry};

/// Candidates so few that looking at each costs less than another list.
pub(super) const FEW: usize = 64;
/// A list so many times as long costs less than looking at each record: reading a row of a list takes
/// about a thirtieth of that.
const WIDER: u64 = 12;
/// Rows of a list that are always worth reading.
const ALWAYS: u64 = 1024;

/// The records whose date lies between two bounds.
#[derive(Debug)]
pub(super) struct Span {
    atom: AtomId,
    name: String,
    /// Ascending; none when they are too many to gather.
    rids: Option<Vec<i64>>,
}

impl Span {
    /// Whether a condition is one of those that made it.
    pub(super) fn covers(&self, filter: &Filter) -> bool {
        bounds(filter).is_some_and(|bounds| bounds.atom == self.atom)
    }

    /// Whether looking at each costs less than another list.
    pub(super) fn is_few(&self) -> bool {
        self.rids.as_ref().is_some_and(|rids| rids.len() <= FEW)
    }

    /// What of another list is worth reading beside it: what was booked for a day was booked in the weeks
    /// before, so that of somebody's years a list has few rows between the first and the last record.
    pub(super) fn worth(&self) -> Worth {
        let Some(rids) = &self.rids else { return Worth::ANY };
        let rows = (rids.len() as u64).saturating_mul(WIDER).max(ALWAYS);
        let (from, to) = (rids.first().copied(), rids.last().copied());
        Worth { rows, from: from.unwrap_or(0), to: to.unwrap_or(0) }
    }
}

/// Between what the beginning of a date lies for a condition to hold.
struct Bounds<'f> {
    atom: AtomId,
    name: &'f str,
    from: i64,
    to: i64,
}

fn bounds(filter: &Filter) -> Option<Bounds<'_>> {
    let Filter::Match { name, atoms, any, negate: false } = filter else { return None };
    let ([atom], [Match::Date { prefix, range }]) = (atoms.as_slice(), any.as_slice()) else {
        return None;
    };
    // Two values of one record could each meet one of the conditions.
    let long_ms = registry().atom(*atom).once_ms?;
    let (from, to) = match prefix {
        Prefix::Eq => (range.low, range.high),
        // What ends behind a moment begins no earlier than its own length before.
        Prefix::Ge | Prefix::Gt => (range.low.saturating_sub(long_ms), i64::MAX),
        Prefix::Sa => (range.high.saturating_add(1), i64::MAX),
        Prefix::Lt | Prefix::Eb => (i64::MIN, range.low.saturating_sub(1)),
        Prefix::Le => (i64::MIN, range.high),
        Prefix::Ne | Prefix::Ap => return None,
    };
    Some(Bounds { atom: *atom, name, from, to })
}

impl Finder<'_> {
    /// What two of the conditions bound from both sides.
    pub(super) fn span(&self, filters: &[Filter]) -> Result<Option<Span>, Fault> {
        let all: Vec<Bounds<'_>> = filters.iter().filter_map(bounds).collect();
        for one in &all {
            let of = || all.iter().filter(|other| other.atom == one.atom);
            // One alone names what it can as any other does.
            if of().count() < 2 {
                continue;
            }
            let (from, to) = of().fold((i64::MIN, i64::MAX), |(from, to), other| {
                (from.max(other.from), to.min(other.to))
            });
            if from == i64::MIN || to == i64::MAX {
                continue;
            }
            let sql = "SELECT rid FROM ix_date WHERE atom = ? AND low >= ? AND low <= ? LIMIT ?";
            let atom = self.shared.numbers.atom(one.atom);
            let mut rids = self.rids(sql, params![atom, from, to, GATHER + 1])?;
            rids.sort_unstable();
            rids.dedup();
            let rids = (rids.len() <= GATHER).then_some(rids);
            return Ok(Some(Span { atom: one.atom, name: one.name.to_owned(), rids }));
        }
        Ok(None)
    }

    /// The better of a span and what another condition proposes, or what stands in both.
    pub(super) fn within(&self, span: Span, best: Proposal) -> Result<Proposal, Fault> {
        let (worth, few) = (span.worth(), span.is_few());
        let Span { name, rids, .. } = span;
        let Some(mut rids) = rids else { return Ok(best) };
        let long = best.whole || best.estimate > worth.rows || best.estimate > GATHER as u64;
        if few || long {
            return Ok(gathered(rids, &name));
        }
        if let Driver::Records(others) = &best.driver
            && others.len() <= FEW
        {
            return Ok(best);
        }
        let mut both = Vec::new();
        self.each(&best.driver, Some(worth.from.saturating_sub(1)), false, &mut |rid| {
            both.push(rid);
            Ok(rid < worth.to)
        })?;
        // Both ascend, each record once.
        let mut others = both.into_iter().peekable();
        rids.retain(|rid| {
            while others.next_if(|other| other < rid).is_some() {}
            others.peek() == Some(rid)
        });
        Ok(gathered(rids, &format!("{name}` within {}`", best.name.trim_matches('`'))))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::definitions::r4;

    fn on(of: &str, parameter: &str, prefix: Prefix) -> Filter {
        let of = r4().resource_type(of).expect("a type");
        let atoms = registry().parameter(of, parameter).expect("a parameter").atoms.clone();
        let range = fhir::date::parse("1970-01-01T00:00:05Z").expect("a date");
        let any = vec![Match::Date { prefix, range }];
        Filter::Match { name: parameter.to_owned(), atoms, any, negate: false }
    }

    #[test]
    fn a_date_that_may_stand_twice_or_last_bounds_nothing() {
        let bounded = |of, parameter, prefix| {
            bounds(&on(of, parameter, prefix)).map(|bounds| (bounds.from, bounds.to))
        };
        assert_eq!(bounded("Appointment", "date", Prefix::Eq), Some((5_000, 5_999)));
        assert_eq!(bounded("Appointment", "date", Prefix::Lt), Some((i64::MIN, 4_999)));
        let (from, _) = bounded("Slot", "start", Prefix::Ge).expect("a bound");
        assert!(from < 5_000 && from > -600_000, "{from}");
        assert_eq!(bounded("Appointment", "date", Prefix::Ne), None);
        // A period, and a choice that may be one.
        assert_eq!(bounded("Encounter", "date", Prefix::Ge), None);
        assert_eq!(bounded("Observation", "date", Prefix::Ge), None);
    }
}
