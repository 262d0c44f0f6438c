//! By when an item is due, and by which rule. Where a law names a time it is that time; everywhere else
//! it is a rule of the house, and is said to be one: whoever reads a clock has to know which it is.

use base::Millis;

const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;

/// By which rule an item is due.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Rule {
    /// A critical result. The laboratory alerts whoever ordered it at once (42 CFR 493.1291(g)); the law
    /// names no minutes, and the hour within which somebody here looks at it is the house's.
    Critical,
    /// An abnormal result.
    Abnormal,
    /// Any other result.
    Result,
    /// A message.
    Message,
    /// A message that its sender calls urgent.
    UrgentMessage,
    /// A request of a patient for their record: 30 days (45 CFR 164.524(b)(2)(i)).
    Access,
    /// A request to amend the record: 60 days (45 CFR 164.526(b)(2)(i)).
    Amendment,
    /// A request for an accounting of disclosures: 60 days (45 CFR 164.528(c)(1)(i)).
    Accounting,
    /// A task that names its own end (`Task.restriction.period`).
    Stated,
    /// A task of priority `stat`.
    Stat,
    /// A task of priority `asap`.
    Asap,
    /// A task of priority `urgent`.
    Urgent,
    /// Any other task.
    Routine,
}

impl Rule {
    /// Every rule.
    pub const ALL: [Self; 13] = [
        Self::Critical,
        Self::Abnormal,
        Self::Result,
        Self::Message,
        Self::UrgentMessage,
        Self::Access,
        Self::Amendment,
        Self::Accounting,
        Self::Stated,
        Self::Stat,
        Self::Asap,
        Self::Urgent,
        Self::Routine,
    ];

    /// How long somebody has, in milliseconds; none where the item itself says until when.
    pub const fn limit_ms(self) -> Option<i64> {
        Some(match self {
            Self::Critical | Self::Stat => HOUR,
            Self::Abnormal => 3 * DAY,
            Self::Result | Self::Routine => 7 * DAY,
            Self::Message => 2 * DAY,
            Self::UrgentMessage | Self::Asap => 4 * HOUR,
            Self::Urgent => DAY,
            Self::Access => 30 * DAY,
            Self::Amendment | Self::Accounting => 60 * DAY,
            Self::Stated => return None,
        })
    }

    /// The law that names the time; none for a rule of the house.
    pub const fn law(self) -> Option<&'static str> {
        match self {
            Self::Access => Some("45 CFR 164.524(b)(2)(i)"),
            Self::Amendment => Some("45 CFR 164.526(b)(2)(i)"),
            Self::Accounting => Some("45 CFR 164.528(c)(1)(i)"),
            _ => None,
        }
    }
}

/// Until when, and by which rule.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Due {
    /// The last instant in time.
    pub at: Millis,
    /// The rule.
    pub rule: Rule,
}

/// How an item stands to its clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Age {
    /// There is time.
    InTime,
    /// The last quarter of the time has begun.
    Soon,
    /// The time is over.
    Over,
}

/// When something that began at an instant is due by a rule; `stated` is the end it names itself.
pub fn due(rule: Rule, since: Millis, stated: Option<Millis>) -> Due {
    match (stated, rule.limit_ms()) {
        (Some(at), _) => Due { at, rule: Rule::Stated },
        (None, limit) => Due { at: Millis(since.0.saturating_add(limit.unwrap_or(0))), rule },
    }
}

/// How something that began at an instant stands to when it is due.
pub fn age(since: Millis, due: Due, now: Millis) -> Age {
    let whole = due.at.0.saturating_sub(since.0).max(0);
    let left = due.at.0.saturating_sub(now.0);
    match left {
        left if left < 0 => Age::Over,
        left if left <= whole / 4 => Age::Soon,
        _ => Age::InTime,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_law_names_is_what_the_law_names() {
        for rule in Rule::ALL {
            let days = rule.limit_ms().map(|ms| ms / DAY);
            match rule {
                Rule::Access => assert_eq!(days, Some(30)),
                Rule::Amendment | Rule::Accounting => assert_eq!(days, Some(60)),
                _ => assert_eq!(rule.law(), None, "{rule:?} is the house's"),
            }
        }
    }

    proptest! {
        #[test]
        fn age_only_goes_on(
            since in any::<i64>(), rule in proptest::sample::select(Rule::ALL.to_vec()),
            stated in proptest::option::of(any::<i64>()), first in any::<i64>(), later in any::<i64>(),
        ) {
            let due = due(rule, Millis(since), stated.map(Millis));
            let (first, later) = (first.min(later), first.max(later));
            let (before, after) = (age(Millis(since), due, Millis(first)), age(Millis(since), due, Millis(later)));
            prop_assert!(before <= after, "{before:?} {after:?}");
            prop_assert_eq!(after == Age::Over, later > due.at.0);
        }
    }
}
