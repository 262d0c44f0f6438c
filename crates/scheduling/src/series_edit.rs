//! Changing a series: this occurrence, this and the following, or all, as a plan that can be shown
//! before it is carried out. What has taken place is never changed, and what somebody moved by hand is
//! moved again only when it is named itself; either is told as kept.

use crate::series::{Named, OCCURRENCES_MAX, Recurrence};
use crate::time::{Date, Placed, Remark, Span, Time, Zone};
use base::Fault;
use base::Millis;
use base::error::code::SCHEDULING_SERIES;

/// An occurrence that is booked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its number in the series, which it keeps for good.
    pub number: u32,
    /// Its time.
    pub span: Span,
    /// It has begun, taken place or been missed: nothing is changed any more.
    pub is_fixed: bool,
    /// Somebody moved it by itself.
    pub is_detached: bool,
}

/// Which occurrences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Which {
    /// This one.
    This(u32),
    /// This one and those after it.
    Following(u32),
    /// All.
    All,
}

/// What to do with them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Edit {
    /// Call them off.
    Cancel,
    /// Move them, each by its own wall time: nine o'clock to ten, on whatever side of a clock change.
    Move {
        /// Days later, or earlier.
        days: i32,
        /// Another time of day.
        time: Option<Time>,
        /// Another length.
        minutes: Option<u32>,
    },
    /// Call them off and lay out others in their place.
    Replace {
        /// How it recurs from now on.
        recurrence: Recurrence,
        /// How long each is.
        minutes: u32,
    },
}

/// What happens to one occurrence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// It is called off.
    Cancel {
        /// Which.
        number: u32,
    },
    /// It is moved.
    Move {
        /// Which.
        number: u32,
        /// From.
        from: Span,
        /// To.
        to: Span,
        /// What daylight saving did to the new wall time.
        remark: Option<Remark>,
    },
    /// It is new.
    Add {
        /// Its number, after all that were given.
        number: u32,
        /// Its time.
        span: Span,
        /// What daylight saving did to its wall time.
        remark: Option<Remark>,
    },
}

/// Why an occurrence that was meant stays as it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kept {
    /// It has begun, taken place or been missed.
    Fixed,
    /// Somebody moved it by itself.
    Detached,
}

/// What an edit comes to.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// What happens, by number.
    pub changes: Vec<Change>,
    /// What does not, though it was meant.
    pub kept: Vec<(u32, Kept)>,
    /// Months that lack the day of a new recurrence.
    pub without_day: Vec<(i16, i8)>,
    /// Occurrences that were moved stand by themselves from now on.
    detaches: bool,
}

/// Plans an edit; `SCHEDULING_SERIES` when the occurrence is none of the series.
pub fn plan(
    members: &[Member],
    which: Which,
    edit: &Edit,
    zone: &Zone,
    now: Millis,
) -> Result<Plan, Fault> {
    let named = match which {
        Which::This(n) | Which::Following(n) => Some(n),
        Which::All => None,
    };
    let anchor = named.map(|n| members.iter().find(|m| m.number == n));
    if anchor.is_some_and(|found| found.is_none()) {
        return Err(invalid("the series has no such occurrence"));
    }
    let meant = |m: &&Member| match which {
        Which::This(n) => m.number == n,
        Which::Following(n) => m.number >= n,
        Which::All => true,
    };
    let mut plan = Plan { detaches: matches!(which, Which::This(_)), ..Plan::default() };
    for member in members.iter().filter(meant) {
        if member.is_fixed || member.span.start <= now {
            plan.kept.push((member.number, Kept::Fixed));
        } else if member.is_detached && named != Some(member.number) {
            plan.kept.push((member.number, Kept::Detached));
        } else {
            plan.changes.extend(change(member, edit, zone)?);
        }
    }
    if let Edit::Replace { recurrence, minutes } = edit {
        let last = members.iter().map(|m| m.number).max().unwrap_or(0);
        add(recurrence, *minutes, zone, last, &mut plan)?;
    }
    Ok(plan)
}

/// The series after a plan.
pub fn apply(members: &[Member], plan: &Plan) -> Vec<Member> {
    let mut after = members.to_vec();
    for change in &plan.changes {
        match change {
            Change::Cancel { number } => after.retain(|m| m.number != *number),
            Change::Move { number, to, .. } => {
                for member in after.iter_mut().filter(|m| m.number == *number) {
                    member.span = *to;
                    member.is_detached |= plan.detaches;
                }
            }
            Change::Add { number, span, .. } => after.push(Member {
                number: *number,
                span: *span,
                is_fixed: false,
                is_detached: false,
            }),
        }
    }
    after
}

fn change(member: &Member, edit: &Edit, zone: &Zone) -> Result<Option<Change>, Fault> {
    let number = member.number;
    let Edit::Move { days, time, minutes } = edit else {
        return Ok(Some(Change::Cancel { number }));
    };
    let wall = zone.wall(member.span.start);
    let date: Date = wall
        .date()
        .checked_add(jiff::Span::new().days(i64::from((*days).clamp(-366, 366))))
        .map_err(|_fault| invalid("use a year from 1900 to 2200"))?;
    let placed = zone.place(date.to_datetime(time.unwrap_or_else(|| wall.time())))?;
    let to = match minutes {
        Some(minutes) => Span::of_minutes(placed.instant, *minutes)
            .ok_or_else(|| invalid("a visit lasts at least a minute"))?,
        None => member.span.moved_to(placed.instant),
    };
    let moved = to != member.span;
    Ok(moved.then_some(Change::Move { number, from: member.span, to, remark: placed.remark }))
}

fn add(
    recurrence: &Recurrence,
    minutes: u32,
    zone: &Zone,
    last: u32,
    plan: &mut Plan,
) -> Result<(), Fault> {
    let mut number = last;
    for one in recurrence.dates()? {
        let date = match one {
            Named::Date(date) => date,
            Named::NoSuchDay { year, month } => {
                plan.without_day.push((year, month));
                continue;
            }
        };
        number += 1;
        if number > OCCURRENCES_MAX {
            return Err(invalid("a series has at most 366 occurrences in its life"));
        }
        let Placed { instant, remark, .. } = zone.place(date.to_datetime(recurrence.time))?;
        let span = Span::of_minutes(instant, minutes)
            .ok_or_else(|| invalid("a visit lasts at least a minute"))?;
        plan.changes.push(Change::Add { number, span, remark });
    }
    Ok(())
}

fn invalid(says: &str) -> Fault {
    Fault::new(&SCHEDULING_SERIES, says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::series::{End, Every};
    use crate::time::Zones;
    use jiff::civil::{date, time};

    fn zone() -> Zone {
        Zones::bundled().find("America/New_York").unwrap()
    }

    /// Sundays at nine from the one before the clocks go forward.
    fn members() -> Vec<Member> {
        let start = |n: i64| {
            let date = date(2026, 3, 1).checked_add(jiff::Span::new().days(7 * n)).unwrap();
            zone().place(date.at(9, 0, 0, 0)).unwrap().instant
        };
        let span = |n| Span::of_minutes(start(n), 30).unwrap();
        (0..4)
            .map(|n| Member {
                number: u32::try_from(n).unwrap() + 1,
                span: span(n),
                is_fixed: n == 0,
                is_detached: n == 2,
            })
            .collect()
    }

    fn later(time: Time) -> Edit {
        Edit::Move { days: 0, time: Some(time), minutes: None }
    }

    #[test]
    fn all_move_by_the_wall_and_what_is_kept_is_told() {
        let plan =
            plan(&members(), Which::All, &later(time(10, 0, 0, 0)), &zone(), Millis(0)).unwrap();
        assert_eq!(plan.kept, [(1, Kept::Fixed), (3, Kept::Detached)]);
        let after = apply(&members(), &plan);
        let walls: Vec<_> = after.iter().map(|m| zone().wall(m.span.start).hour()).collect();
        assert_eq!(walls, [9, 10, 9, 10]);
        assert!(after.iter().zip(members()).all(|(a, b)| a.is_detached == b.is_detached));
    }

    #[test]
    fn one_that_is_named_moves_though_it_was_moved_before_and_stands_by_itself() {
        let planned =
            plan(&members(), Which::This(4), &later(time(11, 0, 0, 0)), &zone(), Millis(0))
                .unwrap();
        let after = apply(&members(), &planned);
        assert!(after[3].is_detached && !after[1].is_detached);
        let named =
            plan(&members(), Which::Following(3), &Edit::Cancel, &zone(), Millis(0)).unwrap();
        assert_eq!(apply(&members(), &named).len(), 2);
        let fault =
            plan(&members(), Which::This(9), &Edit::Cancel, &zone(), Millis(0)).unwrap_err();
        assert_eq!(fault.code().name, "scheduling.series.invalid");
    }

    #[test]
    fn what_has_begun_is_never_changed() {
        let now = members()[1].span.start;
        let plan = plan(&members(), Which::All, &Edit::Cancel, &zone(), now).unwrap();
        assert_eq!(plan.changes, [Change::Cancel { number: 4 }]);
    }

    #[test]
    fn a_new_recurrence_takes_the_place_of_the_following_and_numbers_are_not_used_twice() {
        let recurrence = Recurrence {
            from: date(2026, 3, 30),
            time: time(8, 0, 0, 0),
            every: Every::MonthDay { step: 1, day: 31 },
            end: End::Count(2),
        };
        let edit = Edit::Replace { recurrence, minutes: 45 };
        let plan = plan(&members(), Which::Following(2), &edit, &zone(), Millis(0)).unwrap();
        assert_eq!(plan.without_day, [(2026, 4)]);
        let numbers: Vec<_> = apply(&members(), &plan).iter().map(|m| m.number).collect();
        assert_eq!(numbers, [1, 3, 5, 6], "the third was moved by hand and is kept");
    }

    #[test]
    fn a_time_that_does_not_exist_is_said() {
        let edit = Edit::Move { days: 0, time: Some(time(2, 30, 0, 0)), minutes: None };
        let plan = plan(&members(), Which::This(2), &edit, &zone(), Millis(0)).unwrap();
        assert!(matches!(
            plan.changes[..],
            [Change::Move { remark: Some(Remark::Skipped { .. }), .. }]
        ));
    }
}
