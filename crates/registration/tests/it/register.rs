//! Registering: once for each form, with a number of its own, and never over somebody who is here.

use crate::support::{Room, code, of, run};
use record::{Audited, Level, SearchHow};
use registration::intake::Intake;
use registration::register::{Registered, change, possible, register};
use registration::{Seen, number};
use std::collections::BTreeSet;

fn ada() -> Intake {
    Intake {
        family: "Lovelace".into(),
        given: "Ada".into(),
        birth_date: "1961-03-14".into(),
        gender: "female".into(),
        mobile: "(608) 555-0123".into(),
        ..Intake::default()
    }
}

fn id(outcome: Registered) -> String {
    match outcome {
        Registered::Done { id, .. } => id,
        Registered::Alike(found) => panic!("{} are alike", found.len()),
    }
}

#[test]
fn a_form_that_is_sent_twice_registers_once() {
    let room = Room::new();
    let desk = room.desk();
    let first = run(register(&desk, &ada(), "form-1", "")).unwrap();
    let again = run(register(&desk, &ada(), "form-1", "")).unwrap();
    let Registered::Done { id: same, is_new } = again else { panic!("alike") };
    assert_eq!((id(first), false), (same, is_new));
    assert_eq!(room.count("Patient", &[]), 1);
}

#[test]
fn every_record_has_a_number_of_its_own_however_many_register_at_once() {
    let room = Room::new();
    let desk = room.desk();
    std::thread::scope(|scope| {
        for at in 0..12 {
            let desk = desk.clone();
            scope.spawn(move || {
                let letter = char::from(b'a' + at);
                let name: String = std::iter::repeat_n(letter, 6).collect();
                let one = Intake {
                    family: name.clone(),
                    given: name,
                    birth_date: format!("19{}-01-0{}", 30 + 4 * at, 1 + at % 9),
                    ..Intake::default()
                };
                id(run(register(&desk, &one, &format!("form-{at}"), "")).unwrap());
            });
        }
    });
    let level = Level::Type(of("Patient"));
    let found = room.operator().search(level, Vec::new(), &SearchHow::default());
    let found = found.and_then(Audited::wait).unwrap().page.matches;
    let numbers: BTreeSet<String> = found
        .iter()
        .map(|hit| {
            let body = String::from_utf8(hit.body.clone()).unwrap();
            let rest = body.split(number::SYSTEM).nth(1).unwrap();
            rest.split("\"value\":\"").nth(1).unwrap().split('"').next().unwrap().to_owned()
        })
        .collect();
    assert_eq!((found.len(), numbers.len()), (12, 12), "{numbers:?}");
    assert!(numbers.iter().all(|one| number::is_record_number(one)), "{numbers:?}");
}

#[test]
fn somebody_who_is_here_is_not_registered_again_without_a_reason_that_is_kept() {
    let room = Room::new();
    let desk = room.desk();
    let first = id(run(register(&desk, &ada(), "form-1", "")).unwrap());
    let twin = Intake { given: "Adah".into(), ..ada() };
    let Registered::Alike(found) = run(register(&desk, &twin, "form-2", " ")).unwrap() else {
        panic!("registered")
    };
    assert_eq!(found[0].row.id, first);
    assert!(!found[0].reasons.is_empty());
    assert_eq!(room.count("Patient", &[]), 1);
    let second = id(run(register(&desk, &twin, "form-2", "her twin sister")).unwrap());
    assert_ne!(first, second);
    let kept = desk.kept_apart(&second, &first).unwrap().expect("a decision");
    assert_eq!((kept.reason.as_str(), kept.by.as_str()), ("her twin sister", "Dr fay"));
    // Decided is decided: the review shows the pair to nobody again.
    let him = room.him();
    let pairs = him.duplicate_pairs(None).and_then(Audited::wait).unwrap();
    assert!(pairs.pairs.is_empty() && pairs.looked_at == 2, "{}", pairs.looked_at);
    run(him.forget_apart(&first, &second)).unwrap();
    let pairs = him.duplicate_pairs(None).and_then(Audited::wait).unwrap();
    assert_eq!(pairs.pairs.len(), 1);
}

#[test]
fn a_form_with_something_wrong_registers_nobody_and_says_where() {
    let room = Room::new();
    let desk = room.desk();
    let odd = Intake { email: "nowhere".into(), ..ada() };
    let refused = run(register(&desk, &odd, "form-1", ""));
    assert_eq!(code(refused), "registration.value.invalid");
    assert_eq!(code(run(register(&desk, &ada(), "a/b", ""))), "server.parameter.invalid");
    assert_eq!(room.count("Patient", &[]), 0);
    assert!(run(possible(&desk, &Intake::default(), "")).unwrap().is_empty());
}

#[test]
fn who_may_not_create_patients_draws_no_number() {
    let room = Room::new();
    let biller = room.as_of(&room.person("bo", "biller", ""));
    assert_eq!(code(run(register(&biller, &ada(), "form-1", ""))), "access.denied");
    let first = id(run(register(&room.desk(), &ada(), "form-2", "")).unwrap());
    assert!(room.body("Patient", &first).contains(&number::record_number(1)));
}

#[test]
fn a_change_is_made_of_the_version_that_was_seen_and_no_other() {
    let room = Room::new();
    let desk = room.desk();
    let one = id(run(register(&desk, &ada(), "form-1", "")).unwrap());
    let seen = Seen { id: one.clone(), version: 1 };
    let king = Intake { family: "King".into(), ..ada() };
    assert_eq!(run(change(&desk, &seen, &king)).unwrap(), 2);
    let late = run(change(&desk, &seen, &Intake { city: "Reno".into(), ..ada() }));
    assert_eq!(code(late), "record.write.version-conflict");
    let body = room.body("Patient", &one);
    assert!(body.contains("King") && !body.contains("Reno"));
    // The same again is no new version.
    assert_eq!(run(change(&desk, &Seen { version: 2, ..seen }, &king)).unwrap(), 2);
}

#[test]
fn the_patients_opened_last_come_first_and_only_ones_own() {
    let room = Room::new();
    let desk = room.desk();
    let mut all = Vec::new();
    for (at, family) in ["Adler", "Brandt", "Cortez"].iter().enumerate() {
        let one = Intake {
            family: (*family).into(),
            birth_date: format!("19{}-05-06", 40 + 20 * at),
            ..Intake::default()
        };
        all.push(id(run(register(&desk, &one, &format!("form-{at}"), "")).unwrap()));
    }
    for at in [0, 1, 2, 0, 0] {
        desk.remember_patient(&all[at]);
    }
    // What is kept is kept in order: a write that waits stands behind those that did not.
    run(desk.draw_number(of("Patient"))).unwrap();
    let ids =
        |found: Vec<record::PatientRow>| found.into_iter().map(|row| row.id).collect::<Vec<_>>();
    let recent = ids(desk.recent_patients().and_then(Audited::wait).unwrap());
    assert_eq!(recent.first(), Some(&all[0]));
    assert!(recent.len() <= 3);
    assert!(room.him().recent_patients().and_then(Audited::wait).unwrap().is_empty());
}
