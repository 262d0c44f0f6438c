//! The ledger of time says what the records say: after writes of every kind, an import, a unit that was
//! rolled back, a restart.

use crate::support::*;
use base::Millis;
use proptest::prelude::*;
use record::{ImportOptions, Record, Session};

const TAKEN: &str = "scheduling.appointment.double-booked";
const CLINICIANS: [&str; 3] = ["Practitioner/a", "Practitioner/b", "Practitioner/c"];

/// Half hours of 1 December 2026 after eight, as times of the day.
fn times(nth: u8) -> (String, String) {
    let time = |nth: u8| format!("{:02}:{:02}", 8 + nth / 2, nth % 2 * 30);
    (time(nth), time(nth + 1))
}

fn body(id: &str, status: &str, nth: u8, who: &str) -> String {
    let (start, end) = times(nth);
    appointment(id, status, (&start, &end), &[who], "")
}

fn midnight() -> Millis {
    Millis(fhir::date::parse("2026-12-01T00:00:00Z").unwrap().low)
}

/// What the ledger says of everybody's day.
fn told(session: &Session) -> Vec<Vec<(Millis, Millis)>> {
    let whose: Vec<String> = CLINICIANS.iter().map(|who| (*who).to_owned()).collect();
    let day = (midnight(), Millis(midnight().0 + 86_400_000));
    let told = session.taken(&whose, day).unwrap().wait().unwrap();
    let spans = |one: Option<Vec<record::Taken>>| {
        let mut spans: Vec<_> =
            one.expect("so few can be told").iter().map(|one| (one.start, one.end)).collect();
        spans.dedup();
        spans
    };
    told.into_iter().map(spans).collect()
}

/// What the records say, each read.
fn read(session: &Session) -> Vec<Vec<(Millis, Millis)>> {
    let pairs = vec![("_count".to_owned(), "1000".to_owned())];
    let how = record::SearchHow::default();
    let found = session.search(record::Level::Type(of("Appointment")), pairs, &how).unwrap();
    let mut all = vec![Vec::new(); CLINICIANS.len()];
    for hit in found.wait().unwrap().page.matches {
        let document = doc(&String::from_utf8(hit.body).unwrap());
        let root = document.root();
        if root.get_str("status").unwrap() == "cancelled" {
            continue;
        }
        let at = |name: &str| Millis(fhir::date::parse(&root.get_str(name).unwrap()).unwrap().low);
        let participant = root.get("participant").unwrap().items().next().unwrap();
        let who = participant.get("actor").unwrap().get_str("reference").unwrap();
        let nth = CLINICIANS.iter().position(|one| *one == who).unwrap();
        all[nth].push((at("start"), at("end")));
    }
    for spans in &mut all {
        spans.sort_unstable();
        spans.dedup();
    }
    all
}

fn import(clinic: &Clinic, bodies: &[String]) {
    let import = clinic.session().import(ImportOptions::default()).unwrap();
    let documents = bodies.iter().map(|body| import.prepare(doc(body))).collect();
    import.submit(documents).wait().unwrap();
}

#[test]
fn what_is_imported_takes_time_although_the_ledger_was_full_before() {
    let clinic = Clinic::new();
    clinic.create(&body("", "booked", 0, "Practitioner/a")).unwrap();
    import(&clinic, &[body("old", "booked", 4, "Practitioner/a")]);
    assert_eq!(code(clinic.create(&body("", "booked", 4, "Practitioner/a"))), TAKEN);
    let many: Vec<String> = (0..5_000)
        .map(|n| body(&format!("m{n}"), "booked", 6, &format!("Practitioner/m{n}")))
        .collect();
    import(&clinic, &many);
    import(&clinic, &[body("late", "booked", 8, "Practitioner/a")]);
    assert_eq!(
        code(clinic.create(&body("", "booked", 8, "Practitioner/a"))),
        TAKEN,
        "more was written than is caught up with"
    );
}

#[test]
fn a_restart_forgets_nothing_and_what_was_rolled_back_is_not_kept() {
    let clinic = Clinic::new();
    clinic.create(&body("", "booked", 0, "Practitioner/a")).unwrap();
    let fine = entry("POST", "Appointment", &body("", "booked", 2, "Practitioner/a"));
    let taken = entry("POST", "Appointment", &body("", "booked", 0, "Practitioner/a"));
    assert_eq!(code(clinic.transaction(&[fine, taken])), TAKEN);
    clinic.create(&body("", "booked", 2, "Practitioner/a")).unwrap();
    let Clinic { record, dir } = clinic;
    drop(record);
    let record = Record::open(dir.path(), settings()).unwrap();
    let clinic = Clinic { record, dir };
    for nth in [0, 2] {
        assert_eq!(code(clinic.create(&body("", "booked", nth, "Practitioner/a"))), TAKEN);
    }
    clinic.create(&body("", "booked", 1, "Practitioner/a")).unwrap();
}

#[test]
fn whose_time_is_told_is_never_a_patients() {
    let clinic = Clinic::new();
    let day = (midnight(), Millis(midnight().0 + 1));
    for who in ["Patient/p", "RelatedPerson/r", "nonsense"] {
        let asked = clinic.session().taken(&[who.to_owned()], day);
        assert_eq!(code(asked.map(drop)), "access.denied", "{who}");
    }
}

/// Days are filled beside the ledger, so that what others write and fill at that moment must not be lost.
#[test]
fn whoever_wrote_is_told_of_it_whatever_others_fill_and_write() {
    let clinic = Clinic::new();
    let asked = |who: &str, day: i64| {
        let from = Millis(midnight().0 + day * 86_400_000);
        let told = clinic.session().taken(&[who.to_owned()], (from, Millis(from.0 + 86_400_000)));
        told.unwrap().wait().unwrap().remove(0).expect("so few can be told").len()
    };
    let busy = |desk: i64| {
        let who = format!("Practitioner/{desk}");
        for day in 0..24 {
            // Filled by now or in a moment, by several at once.
            asked(&format!("Practitioner/{}", (desk + day) % 6), day);
            let date = format!("2026-12-{:02}", day + 1);
            let one = |nth| body(&format!("y{desk}-{day}-{nth}"), "booked", nth, &who);
            for nth in 0..3 {
                clinic.put(&one(nth).replace("2026-12-01", &date)).unwrap();
                assert_eq!(asked(&who, day), usize::from(nth) + 1, "{who} on {date}");
            }
            let off = one(1).replace("2026-12-01", &date).replace("booked", "cancelled");
            clinic.put(&off).unwrap();
            assert_eq!(asked(&who, day), 2, "{who} on {date}");
        }
    };
    std::thread::scope(|scope| {
        for desk in 0..6 {
            scope.spawn(move || busy(desk));
        }
    });
    for (desk, day) in (0..6).flat_map(|desk| (0..24).map(move |day| (desk, day))) {
        assert_eq!(asked(&format!("Practitioner/{desk}"), day), 2, "{desk} on {day}");
    }
}

#[test]
fn what_reaches_over_midnight_takes_both_days_in_whichever_order_they_are_filled() {
    const WHO: &str = "Practitioner/a";
    let at = |id: &str, from: &str, to: &str| {
        appointment(id, "booked", ("from", "to"), &[WHO], "")
            .replace("2026-12-01Tfrom", &format!("2026-12-{from}"))
            .replace("2026-12-01Tto", &format!("2026-12-{to}"))
    };
    let night = |id: &str| at(id, "02T23:30", "03T00:30");
    // Days of December, from the first: which of them are asked about, one after the other.
    for order in [[1, 2, 3], [2, 1, 3], [3, 2, 1], [2, 3, 1], [0, 1, 2]] {
        let clinic = Clinic::new();
        let asked = |day: i64| {
            let from = Millis(midnight().0 + day * 86_400_000);
            let day = (from, Millis(from.0 + 86_400_000));
            let told = clinic.session().taken(&[WHO.to_owned()], day).unwrap().wait().unwrap();
            told.into_iter().next().unwrap().expect("so few can be told").len()
        };
        clinic.put(&night("n")).unwrap();
        clinic.put(&at("d", "03T09:00", "03T09:30")).unwrap();
        let has = |day| match day {
            1 => 1,
            2 => 2,
            _ => 0,
        };
        for day in order {
            assert_eq!(asked(day), has(day), "day {day} of {order:?}");
        }
        // Moved to where it reaches into a day that is not kept yet, and back.
        clinic.put(&at("n", "04T23:30", "05T00:30")).unwrap();
        assert_eq!([1, 2, 3, 4].map(asked), [0, 1, 1, 1], "{order:?}");
        clinic.put(&night("n")).unwrap();
        assert_eq!([1, 2, 3, 4, 5].map(asked), [1, 2, 0, 0, 0], "{order:?}");
    }
}

#[derive(Debug, Clone)]
enum Write {
    Put(u8, u8, usize, bool),
    Delete(u8),
    Import(u8, u8, usize),
}

fn write() -> impl Strategy<Value = Write> {
    prop_oneof![
        (0_u8..5, 0_u8..8, 0_usize..3, any::<bool>())
            .prop_map(|(id, n, who, off)| Write::Put(id, n, who, off)),
        (0_u8..5).prop_map(Write::Delete),
        (0_u8..5, 0_u8..8, 0_usize..3).prop_map(|(id, n, who)| Write::Import(id, n, who)),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 12, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn the_ledger_says_what_the_records_say(writes in proptest::collection::vec(write(), 1..25)) {
        let clinic = Clinic::new();
        for write in writes {
            match write {
                Write::Put(id, nth, who, off) => {
                    let status = if off { "cancelled" } else { "booked" };
                    // Refused where it is taken; the ledger has to agree either way.
                    drop(clinic.put(&body(&format!("x{id}"), status, nth, CLINICIANS[who])));
                }
                Write::Delete(id) => {
                    run(clinic.session().delete(of("Appointment"), &format!("x{id}"), None)).unwrap();
                }
                Write::Import(id, nth, who) => {
                    import(&clinic, &[body(&format!("x{id}"), "booked", nth, CLINICIANS[who])]);
                }
            }
            prop_assert_eq!(told(&clinic.session()), read(&clinic.session()));
        }
    }
}
