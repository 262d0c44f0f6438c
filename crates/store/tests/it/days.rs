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

#[test]
fn of_somebodys_years_only_what_was_written_beside_the_day_is_read() {
    let c = case();
    c.put(r#"{"resourceType":"Practitioner","id":"d"}"#);
    // Booked day by day, as calendars fill; all are of one person.
    let json = |n: usize| {
        format!(
            r#"{{"resourceType":"Appointment","id":"n{n:04}","status":"booked","start":"{}","participant":[{{"status":"accepted","actor":{{"reference":"Practitioner/d"}}}}]}}"#,
            instant(n * 19)
        )
    };
    let all: Vec<String> = (0..APPOINTMENTS).map(json).collect();
    for batch in all.chunks(100) {
        c.try_put(&batch.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    }
    let (a, b) = (instant(12 * DAY), instant(13 * DAY));
    let url = format!("Appointment?date=ge{a}&date=lt{b}&actor=d&status=booked");
    let page = c.page(&Scope::everything(), &url, 500, None).unwrap();
    let (plan, found) = (page.explain.plan.join("; "), page.matches.len() as u64);
    assert!((75..=76).contains(&found), "{found}");
    assert!(plan.contains("within"), "{plan}");
    assert!(page.explain.steps < 12 * found, "{} steps: {plan}", page.explain.steps);
}

#[test]
fn a_day_is_walked_page_by_page_with_nothing_twice_and_nothing_left_out() {
    let c = calendar();
    let (a, b) = (instant(12 * DAY), instant(14 * DAY));
    for order in ["", "&_sort=date", "&_sort=-date"] {
        for who in ["", "&actor=d1"] {
            let url = format!("Appointment?date=ge{a}&date=lt{b}{who}{order}");
            let whole = c.page(&Scope::everything(), &url, APPOINTMENTS, None).unwrap();
            let whole: Vec<String> = whole.matches.into_iter().map(|hit| hit.id).collect();
            assert!(whole.len() > 40, "{url}");
            let (mut walked, mut position) = (Vec::new(), None);
            loop {
                let page = c.page(&Scope::everything(), &url, 7, position).unwrap();
                assert!(page.matches.len() <= 7);
                walked.extend(page.matches.into_iter().map(|hit| hit.id));
                position = page.next;
                if position.is_none() {
                    break;
                }
            }
            assert_eq!(walked, whole, "{url}");
        }
    }
}

#[test]
fn dates_known_to_a_month_or_a_year_are_found_between_bounds_as_by_each_alone() {
    let c = case();
    let stored =
        ["1990", "1990-05", "1990-05-01", "1990-05-31", "1990-06-01", "1989-12-31", "1991"];
    for (n, born) in stored.iter().enumerate() {
        // Many of each, so that a span is gathered at all.
        for twin in 0..20 {
            c.put(&format!(
                r#"{{"resourceType":"Patient","id":"p{n}-{twin:02}","birthDate":"{born}"}}"#
            ));
        }
    }
    let found = |query: &str| -> Vec<String> {
        let page = c.page(&Scope::everything(), &format!("Patient?{query}"), 500, None).unwrap();
        let mut ids: Vec<String> = page.matches.into_iter().map(|hit| hit.id).collect();
        ids.sort();
        ids
    };
    let values = ["1990", "1990-05", "1990-05-31", "1991-01-01"];
    for from in ["ge", "gt", "sa"] {
        for to in ["lt", "le", "eb"] {
            for (low, high) in values.iter().flat_map(|low| values.map(|high| (*low, high))) {
                let (lower, upper) =
                    (format!("birthdate={from}{low}"), format!("birthdate={to}{high}"));
                let upper_alone = found(&upper);
                let mut expected = found(&lower);
                expected.retain(|id| upper_alone.contains(id));
                assert_eq!(found(&format!("{lower}&{upper}")), expected, "{lower}&{upper}");
            }
        }
    }
    assert!(found("birthdate=ge1990-05&birthdate=le1990-05").contains(&"p1-00".to_owned()));
    assert!(!found("birthdate=ge1990-05&birthdate=le1990-05").contains(&"p6-00".to_owned()));
}

#[test]
fn a_span_of_more_than_can_be_gathered_is_found_by_what_else_is_asked() {
    // One more than a driver gathers, and one outside of the bounds.
    const MANY: usize = 20_001;
    let c = case();
    let json = |n: usize| {
        let (minute, year) = (n % (28 * DAY), if n == MANY { 2027 } else { 2026 });
        format!(
            r#"{{"resourceType":"Appointment","id":"m{n:05}","identifier":[{{"system":"urn:n","value":"{}"}}],"status":"{}","start":"{year}-03-{:02}T{:02}:{:02}:00Z","participant":[{{"status":"accepted","actor":{{"display":"x"}}}}]}}"#,
            n / 3,
            if n.is_multiple_of(500) { "cancelled" } else { "booked" },
            minute / DAY + 1,
            minute % DAY / 60,
            minute % 60,
        )
    };
    let all: Vec<String> = (0..=MANY).map(json).collect();
    for batch in all.chunks(1000) {
        c.try_put(&batch.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    }
    let within = "date=ge2026-03-01T00:00:00Z&date=lt2026-04-01T00:00:00Z";
    let everything = Scope::everything();
    assert_eq!(c.total(&everything, &format!("Appointment?{within}")), MANY as u64);
    let url = format!("Appointment?{within}&status=cancelled");
    assert_eq!(c.total(&everything, &url), MANY.div_ceil(500) as u64);
    // An identifier names three, whichever stands first: nothing else is gathered for it.
    for url in [
        format!("Appointment?{within}&identifier=urn:n|7"),
        format!("Appointment?identifier=urn:n|7&{within}"),
        format!("Appointment?{within}&_id=m00021,m00022,m00023"),
    ] {
        let page = c.page(&everything, &url, 10, None).unwrap();
        let ids: Vec<&str> = page.matches.iter().map(|hit| hit.id.as_str()).collect();
        assert_eq!(ids, ["m00021", "m00022", "m00023"], "{url}");
        let steps = page.explain.steps;
        assert!(steps < 200, "{steps} steps: {}", page.explain.plan.join("; "));
    }
}
