//! A series keeps its wall time across daylight saving, and never skips or doubles a date in silence.

use crate::common::site;
use proptest::prelude::*;
use scheduling::rules::Verdict;
use scheduling::series::{End, Every, Line, Occurrence, Recurrence, preview};
use scheduling::time::{Date, Remark, Time, Weekday};
use std::collections::BTreeSet;

const ZONES: [&str; 5] = [
    "America/New_York",
    "America/St_Johns",
    "Australia/Lord_Howe",
    "Africa/Casablanca",
    "Asia/Kolkata",
];

fn weekday() -> impl Strategy<Value = Weekday> {
    (0_i8..7).prop_map(|n| Weekday::from_monday_zero_offset(n).unwrap())
}

fn every() -> impl Strategy<Value = Every> {
    prop_oneof![
        (1_u16..9).prop_map(Every::Days),
        (1_u16..4, proptest::collection::vec(weekday(), 1..4))
            .prop_map(|(step, on)| Every::Weeks { step, on }),
        (1_u16..4, 1_i8..32).prop_map(|(step, day)| Every::MonthDay { step, day }),
        (1_u16..4, prop_oneof![1_i8..6, Just(-1)], weekday())
            .prop_map(|(step, nth, weekday)| Every::MonthNth { step, nth, weekday }),
    ]
}

/// Whether a rule names a date, said without the code that lays series out.
fn names(rule: &Recurrence, date: Date) -> bool {
    let days = rule.from.until(date).unwrap().get_days();
    let months = |d: Date| i32::from(d.year()) * 12 + i32::from(d.month());
    let apart = months(date) - months(rule.from);
    match &rule.every {
        Every::Days(step) => days % i32::from(*step) == 0,
        Every::Weeks { step, on } => {
            let week = (days + i32::from(rule.from.weekday().to_monday_zero_offset())) / 7;
            on.contains(&date.weekday()) && week % i32::from(*step) == 0
        }
        Every::MonthDay { step, day } => date.day() == *day && apart % i32::from(*step) == 0,
        Every::MonthNth { step, nth, weekday } => {
            let is_nth = match nth {
                -1 => date.day() + 7 > date.days_in_month(),
                nth => (date.day() - 1) / 7 + 1 == *nth,
            };
            date.weekday() == *weekday && is_nth && apart % i32::from(*step) == 0
        }
    }
}

fn occurrences(lines: &[Line]) -> Vec<&Occurrence> {
    let of = lines.iter().filter_map(|line| match line {
        Line::Occurrence(one) => Some(one),
        Line::NoSuchDay { .. } => None,
    });
    of.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn each_date_that_the_rule_names_is_there_once_at_its_wall_time(
        every in every(), (year, month, day) in (2025_i16..2028, 1_i8..13, 1_i8..29),
        (hour, minute) in (0_i8..24, 0_i8..60), days in 0_i32..200, zone in 0_usize..ZONES.len(),
    ) {
        let from = Date::new(year, month, day).unwrap();
        let until = from.checked_add(jiff::Span::new().days(days)).unwrap();
        let time = Time::constant(hour, minute, 0, 0);
        let rule = Recurrence { from, time, every, end: End::Until(until) };
        let site = site(0, ZONES[zone]);
        let lines = preview(&rule, &site, 30, |_, _| Verdict::default()).unwrap();
        let found: Vec<_> = occurrences(&lines).iter().map(|o| o.date).collect();
        let all = from.series(jiff::Span::new().days(1)).take_while(|d| *d <= until);
        let wanted: Vec<_> = all.filter(|d| names(&rule, *d)).collect();
        prop_assert_eq!(&found, &wanted);
        let mut instants = BTreeSet::new();
        let mut offset = None;
        for (n, one) in occurrences(&lines).into_iter().enumerate() {
            prop_assert_eq!(one.number as usize, n + 1);
            prop_assert!(instants.insert(one.placed.instant), "no two at one instant");
            prop_assert_eq!(site.zone.wall(one.placed.instant), one.placed.wall);
            let asked = one.date.to_datetime(time);
            match one.placed.remark {
                None | Some(Remark::Twice) => prop_assert_eq!(one.placed.wall, asked),
                Some(Remark::Skipped { asked: told }) => {
                    prop_assert_eq!(told, asked);
                    prop_assert_ne!(one.placed.wall, asked);
                }
            }
            let now = site.zone.offset_s(one.placed.instant);
            let changed = offset.is_some_and(|before| before != now);
            prop_assert_eq!(one.clocks.is_some(), changed, "a change of clocks is said");
            offset = Some(now);
            prop_assert_eq!(one.holiday.is_some(), site.holiday(one.date).is_some());
        }
        // Of the months the rule names, each has a date or is said to have none.
        if let Every::MonthDay { step, .. } | Every::MonthNth { step, .. } = rule.every {
            let mut month = from.first_of_month();
            while month <= until {
                let said = lines.iter().any(|l| matches!(l, Line::NoSuchDay { year, month: m }
                    if (*year, *m) == (month.year(), month.month())));
                let has = month.series(jiff::Span::new().days(1)).take(usize::try_from(month.days_in_month()).unwrap())
                    .any(|d| match &rule.every {
                        Every::MonthDay { day, .. } => d.day() == *day,
                        _ => names(&Recurrence { from: from.first_of_month(), ..rule.clone() }, d),
                    });
                prop_assert_eq!(said, !has, "{}", month);
                month = month.checked_add(jiff::Span::new().months(i64::from(step))).unwrap();
            }
        }
    }

    #[test]
    fn a_count_is_kept_to_and_each_occurrence_is_asked_about(every in every(), count in 1_u32..40) {
        let from = Date::new(2026, 1, 30).unwrap();
        let rule = Recurrence { from, time: Time::constant(9, 0, 0, 0), every, end: End::Count(count) };
        let mut asked = Vec::new();
        match preview(&rule, &site(0, "America/New_York"), 30, |n, span| {
            asked.push((n, span));
            Verdict::default()
        }) {
            Ok(lines) => {
                let shown: Vec<_> = occurrences(&lines).iter().map(|o| (o.number, o.span)).collect();
                prop_assert_eq!(shown.len(), count as usize);
                prop_assert_eq!(shown, asked);
            }
            // Forty fifths of a month every third month lie beyond five years, and that is said.
            Err(fault) => prop_assert_eq!(fault.code().name, "scheduling.series.invalid"),
        }
    }
}
