//! Searches that bound a date from both sides: what they find is what each condition alone would leave,
//! and they look at little more than that.

use crate::help::{Case, case};
use store::Scope;

/// Appointments, in a calendar of forty days; each begins at a minute of its own.
const APPOINTMENTS: usize = 3000;
const DAY: usize = 24 * 60;

fn minute(n: usize) -> usize {
    // Some were moved.
    n * 1571 % (40 * DAY) + if n.is_multiple_of(100) { 3 } else { 0 }
}

fn instant(minute: usize) -> String {
    let (day, of_day) = (minute / DAY, minute % DAY);
    let (month, day) = if day < 30 { (11, day + 1) } else { (12, day - 29) };
    format!("2026-{month}-{day:02}T{:02}:{:02}:00Z", of_day / 60, of_day % 60)
}

fn calendar() -> Case {
    let c = case();
    for n in 0..3 {
        c.put(&format!(r#"{{"resourceType":"Practitioner","id":"d{n}"}}"#));
    }
    let json = |n: usize, minute: usize| {
        format!(
            r#"{{"resourceType":"Appointment","id":"n{n:04}","status":"booked","start":"{}","participant":[{{"status":"accepted","actor":{{"reference":"Practitioner/d{}"}}}}]}}"#,
            instant(minute),
            n % 3
        )
    };
    for batch in 0..APPOINTMENTS / 100 {
        let all: Vec<String> =
            (batch * 100..(batch + 1) * 100).map(|n| json(n, n * 1571 % (40 * DAY))).collect();
        c.try_put(&all.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    }
    for n in (0..APPOINTMENTS).step_by(100) {
        c.put(&json(n, minute(n)));
    }
    c
}

/// Whether a minute fits.
type Fits<'a> = Box<dyn Fn(usize) -> bool + 'a>;

#[test]
fn both_bounds_of_a_date_find_what_each_would_leave() {
    let c = calendar();
    let all = |fits: &dyn Fn(usize) -> bool| {
        let found = (0..APPOINTMENTS).filter(|n| fits(*n)).map(|n| format!("n{n:04}"));
        found.collect::<Vec<_>>()
    };
    for (from, to) in
        [(0, DAY), (10 * DAY + 7, 11 * DAY), (29 * DAY, 31 * DAY), (5, 5), (0, 40 * DAY)]
    {
        let (a, b) = (instant(from), instant(to.min(40 * DAY - 1)));
        let to = to.min(40 * DAY - 1);
        let cases: [(String, Fits<'_>); 6] = [
            (format!("date=ge{a}&date=lt{b}"), Box::new(|m| m >= from && m < to)),
            (format!("date=gt{a}&date=le{b}"), Box::new(|m| m > from && m <= to)),
            (format!("date=sa{a}&date=eb{b}"), Box::new(|m| m > from && m < to)),
            (format!("date=lt{b}&date=ge{a}&date=ne{a}"), Box::new(|m| m > from && m < to)),
            (
                format!("date=ge{a}&date=lt{b},{a}"),
                Box::new(|m| (m >= from && m < to) || m == from),
            ),
            (format!("date=ge{b}&date=lt{a}"), Box::new(|_| false)),
        ];
        for (query, fits) in cases {
            for (who, mine) in
                [("", None), ("&actor=Practitioner/d1", Some(1)), ("&actor=d0,d2", Some(0))]
            {
                let expected = all(&|n| {
                    let of = match mine {
                        None => true,
                        Some(1) => n % 3 == 1,
                        Some(_) => n % 3 != 1,
                    };
                    of && fits(minute(n))
                });
                let url = format!("Appointment?{query}{who}");
                let page = c.page(&Scope::everything(), &url, APPOINTMENTS, None).unwrap();
                let mut ids: Vec<String> = page.matches.into_iter().map(|hit| hit.id).collect();
                ids.sort();
                assert_eq!(ids, expected, "{url}");
                assert_eq!(c.total(&Scope::everything(), &url), expected.len() as u64, "{url}");
            }
        }
    }
}

#[test]
fn a_day_of_somebody_costs_little_more_than_what_is_found() {
    let c = calendar();
    let (a, b) = (instant(12 * DAY), instant(14 * DAY));
    let steps = |url: &str| {
        let page = c.page(&Scope::everything(), url, 500, None).unwrap();
        (page.explain.steps, page.matches.len() as u64, page.explain.plan.join("; "))
    };
    let (day, found, plan) = steps(&format!("Appointment?date=ge{a}&date=lt{b}&actor=d1"));
    assert!(found > 40, "{found}");
    // Of somebody's thousand appointments each row of the index is read, and a record where it is theirs
    // and of these days.
    assert!(day < 1000 + 30 * found, "{day} steps for {found}: {plan}");
    assert!(plan.contains("within"), "{plan}");
    let (all, many, plan) = steps(&format!("Appointment?date=ge{a}&date=lt{b}"));
    assert!(all < 30 * many, "{all} steps for {many}: {plan}");
}
