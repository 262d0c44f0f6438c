//! The grid of a day or a week as values: columns of a resource or a day, what stands in each and where,
//! in minutes of the clock on the wall of the site. What overlaps stands side by side. No HTML here, and
//! no record: a grid is laid out in one pass over what was read.

use jiff::civil::Date;
use scheduling::time::{MINUTE_MS, Span, Zone};

/// Minutes of a day by the clock on the wall.
pub(crate) const DAY: u16 = 24 * 60;
/// The finest step that is drawn. What begins between two steps stands at the earlier and says its time.
pub(crate) const STEP: u16 = 5;
/// Appointments that can stand side by side and still be read; the others share the last place.
pub(crate) const LANES_MAX: usize = 6;
/// The hours that are shown of a day on which nothing is planned.
const PLAIN: (u16, u16) = (8, 17);

/// From one minute of the day to, and not with, another.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Minutes {
    pub(crate) from: u16,
    pub(crate) until: u16,
}

impl Minutes {
    /// What of a span lies on a date of a zone, by its clocks; none when nothing does. A day on which the
    /// clocks change keeps the length of what takes place on it.
    pub(crate) fn of(span: Span, date: Date, zone: &Zone) -> Option<Self> {
        let day = zone.day(date).ok()?;
        let part = span.common(day)?;
        let wall = zone.wall(part.start);
        let from = u16::try_from(i32::from(wall.hour()) * 60 + i32::from(wall.minute())).ok()?;
        let long = u16::try_from(part.ms() / MINUTE_MS).unwrap_or(DAY).max(1);
        Some(Self { from, until: from.saturating_add(long).min(DAY) })
    }

    /// Length.
    pub(crate) const fn long(self) -> u16 {
        self.until.saturating_sub(self.from)
    }

    const fn overlaps(self, other: Self) -> bool {
        self.from < other.until && other.from < self.until
    }
}

/// Something that stands in a column.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Placed<T> {
    /// When.
    pub(crate) at: Minutes,
    /// Which place beside others, from 0.
    pub(crate) lane: usize,
    /// Of how many.
    pub(crate) lanes: usize,
    /// What.
    pub(crate) what: T,
}

/// Puts what overlaps side by side. What does not meet anything has the whole width; a group of those
/// that meet, one after the other, shares it.
pub(crate) fn beside<T>(mut all: Vec<(Minutes, T)>) -> Vec<Placed<T>> {
    all.sort_by_key(|(at, _)| (at.from, std::cmp::Reverse(at.until)));
    let mut placed: Vec<Placed<T>> = Vec::with_capacity(all.len());
    // Of the group that is open: where it begins in `placed`, when each lane is free again.
    let (mut first, mut ends) = (0, Vec::<u16>::new());
    for (at, what) in all {
        if ends.iter().all(|end| *end <= at.from) {
            close(&mut placed, first, ends.len());
            first = placed.len();
            ends.clear();
        }
        let free = ends.iter().position(|end| *end <= at.from);
        let lane = match free {
            Some(lane) => lane,
            None if ends.len() < LANES_MAX => {
                ends.push(0);
                ends.len() - 1
            }
            None => LANES_MAX - 1,
        };
        if let Some(end) = ends.get_mut(lane) {
            *end = at.until.max(*end);
        }
        placed.push(Placed { at, lane, lanes: 1, what });
    }
    close(&mut placed, first, ends.len());
    placed
}

fn close<T>(placed: &mut [Placed<T>], first: usize, lanes: usize) {
    for one in placed.iter_mut().skip(first) {
        one.lanes = lanes.max(1);
    }
}

/// What is left of some times when others are taken out: both may come in any order.
pub(crate) fn without(open: &[Minutes], taken: &[Minutes]) -> Vec<Minutes> {
    let mut taken: Vec<Minutes> = taken.to_vec();
    taken.sort_unstable();
    let mut left = Vec::new();
    for part in open {
        let mut from = part.from;
        for hole in taken.iter().filter(|hole| hole.overlaps(*part)) {
            if hole.from > from {
                left.push(Minutes { from, until: hole.from });
            }
            from = from.max(hole.until);
        }
        if from < part.until {
            left.push(Minutes { from, until: part.until });
        }
    }
    left
}

/// The hours of the clock that a grid shows: whole hours about everything that stands in it.
pub(crate) fn hours(all: impl Iterator<Item = Minutes>) -> (u16, u16) {
    let ends = all.fold(None, |ends: Option<(u16, u16)>, at| {
        let (from, until) = ends.unwrap_or((at.from, at.until));
        Some((from.min(at.from), until.max(at.until)))
    });
    match ends {
        None => PLAIN,
        Some((from, until)) => (from / 60, until.div_ceil(60).max(from / 60 + 1).min(24)),
    }
}

/// The classes of the sheet that say where something stands: so many hours and steps from the first hour
/// of the grid, so many long. The sheet has one rule for each, and no page has a style of its own.
pub(crate) fn classes(at: Minutes, first_hour: u16) -> String {
    let from = at.from.saturating_sub(first_hour * 60);
    let (hour, step) = (from / 60, from % 60 / STEP);
    let long = at.long().div_ceil(STEP).max(1);
    let (hours, steps) = (long / (60 / STEP), long % (60 / STEP));
    format!("h-{hour} m-{step} lh-{hours} lm-{steps}")
}

/// A time of day.
pub(crate) fn clock(minute: u16) -> String {
    format!("{:02}:{:02}", minute / 60, minute % 60)
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Millis;
    use proptest::prelude::*;
    use scheduling::time::Zones;

    fn times() -> impl Strategy<Value = Vec<Minutes>> {
        let one = (0_u16..DAY - 1, 1_u16..180)
            .prop_map(|(from, long)| Minutes { from, until: (from + long).min(DAY) });
        proptest::collection::vec(one, 0..30)
    }

    fn bits(all: &[Minutes]) -> Vec<bool> {
        (0..DAY).map(|m| all.iter().any(|at| at.from <= m && m < at.until)).collect()
    }

    proptest! {
        #[test]
        fn whatever_overlaps_stands_side_by_side(all in times()) {
            let count = all.len();
            let placed = beside(all.iter().map(|at| (*at, ())).collect());
            prop_assert_eq!(placed.len(), count);
            for (nth, one) in placed.iter().enumerate() {
                prop_assert!(one.lane < one.lanes && one.lanes <= LANES_MAX);
                for other in placed.iter().skip(nth + 1) {
                    if one.at.overlaps(other.at) {
                        prop_assert_eq!(one.lanes, other.lanes);
                        // The last of too many is shared.
                        prop_assert!(one.lane != other.lane || one.lane == LANES_MAX - 1);
                    }
                }
            }
        }

        #[test]
        fn what_is_free_is_what_is_open_and_not_taken(open in times(), taken in times()) {
            let left = without(&open, &taken);
            let (open, taken) = (bits(&open), bits(&taken));
            let want: Vec<bool> = open.iter().zip(&taken).map(|(o, t)| *o && !*t).collect();
            prop_assert_eq!(bits(&left), want);
        }

        #[test]
        fn a_grid_shows_all_that_stands_in_it(all in times()) {
            let (first, last) = hours(all.iter().copied());
            prop_assert!(first < last && last <= 24);
            prop_assert!(all.iter().all(|at| at.from >= first * 60 && at.until <= last * 60));
        }
    }

    #[test]
    fn what_stands_alone_has_the_whole_width() {
        let at = |from, until| (Minutes { from, until }, ());
        let lanes: Vec<_> = beside(vec![at(0, 30), at(30, 60), at(40, 70), at(65, 90), at(90, 95)])
            .iter()
            .map(|one| (one.lane, one.lanes))
            .collect();
        assert_eq!(lanes, [(0, 1), (0, 2), (1, 2), (0, 2), (0, 1)]);
    }

    #[test]
    fn a_visit_stands_where_the_clock_of_its_site_shows_also_when_clocks_change() {
        let zone = Zones::bundled().find("America/New_York").expect("a zone");
        let date = Date::new(2026, 11, 1).expect("a date");
        let noon = zone.place(date.at(12, 0, 0, 0)).expect("placed").instant;
        let span = Span::of_minutes(noon, 45).expect("a span");
        let at = Minutes::of(span, date, &zone);
        assert_eq!(at, Some(Minutes { from: 720, until: 765 }));
        let before = Date::new(2026, 10, 31).expect("a date");
        assert_eq!(Minutes::of(span, before, &zone), None, "it is of another day");
        let whole = Span::new(Millis(noon.0 - 100_000_000), Millis(noon.0 + 100_000_000));
        let at = Minutes::of(whole.expect("a span"), date, &zone);
        assert_eq!(at, Some(Minutes { from: 0, until: DAY }), "25 hours end with the day");
    }

    #[test]
    fn a_place_is_said_by_classes_of_the_sheet() {
        assert_eq!(classes(Minutes { from: 545, until: 575 }, 8), "h-1 m-1 lh-0 lm-6");
        assert_eq!(classes(Minutes { from: 483, until: 484 }, 8), "h-0 m-0 lh-0 lm-1");
        assert_eq!(classes(Minutes { from: 0, until: DAY }, 0), "h-0 m-0 lh-24 lm-0");
        assert_eq!(clock(545), "09:05");
    }
}
