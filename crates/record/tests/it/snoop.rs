//! Signals of snooping: twenty accesses that should stand out among a fortnight of ordinary work, and do.

use crate::support::{Room, Turned};
use audit::{Event, Kind, Log, Options, Receipt, Target};
use base::Millis;
use base::time::SystemClock;
use identity::{Cost, Profile};
use record::{Case, CaseFilter, CaseKind, CaseState, Record, Settings, Sighting, Signal};
use std::sync::Arc;
use tempfile::TempDir;

const STAFF: usize = 12;
const DAYS: i64 = 10;
const DAY_MS: i64 = 86_400_000;
const BEGIN_MS: i64 = 20_000 * DAY_MS;

fn letters(n: usize) -> String {
    [n / 26, n % 26].iter().map(|n| char::from(b'a' + u8::try_from(*n).unwrap())).collect()
}

fn person(
    (kind, id): (&str, &str),
    family: &str,
    given: &str,
    birth: &str,
    street: &str,
    more: &str,
) -> String {
    format!(
        "{{\"resourceType\":\"{kind}\",\"id\":\"{id}\"{more},\"name\":[{{\"family\":\"{family}\",\"given\":[\"{given}\"]}}],\"birthDate\":\"{birth}\",\"address\":[{{\"line\":[\"{street}\"],\"postalCode\":\"12345\"}}]}}"
    )
}

fn staff(n: usize) -> String {
    let a = letters(n);
    person(
        ("Practitioner", &format!("dr-{n}")),
        &format!("Staff{a}q"),
        &format!("Giv{a}q"),
        &format!("1970-01-{:02}", n + 1),
        &format!("{n} Elm Street"),
        "",
    )
}

/// A patient like no member of the staff, but for what is given.
fn patient(
    id: &str,
    n: usize,
    family: Option<String>,
    street: Option<String>,
    more: &str,
) -> String {
    let a = letters(n);
    let family = family.unwrap_or_else(|| format!("Person{a}q"));
    let street = street.unwrap_or_else(|| format!("{n} Oak Avenue"));
    person(("Patient", id), &family, &format!("Call{a}q"), "1980-05-05", &street, more)
}

struct Diary {
    log: Log,
    day: i64,
}

impl Diary {
    fn note(
        &mut self,
        actor: &str,
        (day, hour): (i64, i64),
        kind: Kind,
        patients: &[&str],
        glass: Option<&str>,
    ) {
        let time = Millis(BEGIN_MS + day * DAY_MS + hour * 3_600_000 + self.day);
        self.day += 1;
        let mut event = Event::new(time, [3; 16], kind);
        // `helper for dr-5` is an agent that acts for him.
        let (actor, on_behalf_of) = match actor.split_once(" for ") {
            Some((agent, person)) => (agent, Some(person.to_owned())),
            None => (actor, None),
        };
        event.actor = actor.to_owned().into();
        event.targets.push(Target::of_type("Patient"));
        event.patients.extend(patients.iter().map(|id| (*id).to_owned()));
        let break_glass = glass.map(str::to_owned);
        let purpose = Some("TREAT".to_owned());
        let receipt = Receipt { purpose, break_glass, on_behalf_of, ..Receipt::default() };
        event.receipt = Some(Box::new(receipt));
        self.log.append(&event).unwrap();
    }
}

fn is(case: &Sighting, actor: usize, patient: Option<&str>, signal: Signal) -> bool {
    case.actor == format!("dr-{actor}")
        && case.patient.as_deref() == patient
        && case.signals.contains(&signal)
}

type Expected = Vec<(usize, Option<String>, Signal)>;

/// A fortnight of a clinic with twenty snoops in it, at rest.
fn clinic() -> (TempDir, Settings, Expected) {
    let room = Room::new();
    for n in 0..STAFF {
        room.put(&staff(n)).unwrap();
        for p in 0..6 {
            let id = format!("p-{n}-{p}");
            room.put(&patient(&id, 20 + n * 6 + p, None, None, "")).unwrap();
            room.put(&format!(
                "{{\"resourceType\":\"Encounter\",\"id\":\"e-{n}-{p}\",\"status\":\"finished\",\"class\":{{\"code\":\"AMB\"}},\"subject\":{{\"reference\":\"Patient/{id}\"}},\"participant\":[{{\"individual\":{{\"reference\":\"Practitioner/dr-{n}\"}}}}]}}"
            ))
            .unwrap();
        }
    }
    let vip = ",\"meta\":{\"security\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActCode\",\"code\":\"VIP\"}]}";
    let mut expected = Expected::new();
    for n in 0..4 {
        let a = letters(n);
        room.put(&patient(&format!("name-{n}"), 200 + n, Some(format!("Staff{a}q")), None, ""))
            .unwrap();
        room.put(&patient(
            &format!("home-{n}"),
            210 + n,
            None,
            Some(format!("{n} Elm Street")),
            "",
        ))
        .unwrap();
        room.put(
            &staff(n)
                .replace("Practitioner", "Patient")
                .replace(&format!("dr-{n}"), &format!("self-{n}"))
                .replace("Elm", "Far"),
        )
        .unwrap();
        expected.push((n, Some(format!("name-{n}")), Signal::SameSurname));
        expected.push((n, Some(format!("home-{n}")), Signal::SameAddress));
        expected.push((n, Some(format!("self-{n}")), Signal::OwnRecord));
    }
    for n in 4..6 {
        room.put(&patient(&format!("vip-{n}"), 220 + n, None, None, vip)).unwrap();
        expected.push((n, Some(format!("vip-{n}")), Signal::Vip));
        // The record of number 10 or 11, opened by another.
        let other = staff(n + 6).replace("Practitioner", "Patient");
        let other = other.replace(&format!("dr-{}", n + 6), &format!("colleague-{n}"));
        room.put(&other).unwrap();
        expected.push((n, Some(format!("colleague-{n}")), Signal::CoWorker));
    }
    expected.extend([
        (6, None, Signal::Fishing),
        (7, None, Signal::Volume),
        (8, None, Signal::ManyBrokenGlasses),
        (9, Some("p-0-0".to_owned()), Signal::OffShift),
    ]);
    assert_eq!(expected.len(), 20);

    let Room { record, dir } = room;
    let settings = record.settings().clone();
    drop(record);
    let key = crate::support::log_key(dir.path());
    let options = Options { key, ..Options::new(Arc::new(SystemClock)) };
    let log = Log::open(&dir.path().join("audit"), options).unwrap();
    let mut diary = Diary { log, day: 0 };
    for day in 0..DAYS {
        for n in 0..STAFF {
            let actor = format!("dr-{n}");
            let own: Vec<String> = (0..6).map(|p| format!("p-{n}-{p}")).collect();
            let list: Vec<&str> = own.iter().map(String::as_str).collect();
            diary.note(&actor, (day, 8), Kind::Search, &list, None);
            for (p, id) in list.iter().enumerate() {
                diary.note(&actor, (day, 9 + i64::try_from(p).unwrap()), Kind::Read, &[id], None);
            }
        }
    }
    for (n, patient, signal) in &expected {
        // One of them has an agent look for him: it is his case all the same.
        let (actor, day) = match n {
            5 => ("helper for dr-5".to_owned(), 6),
            _ => (format!("dr-{n}"), 6),
        };
        match (signal, patient) {
            (Signal::OffShift, Some(patient)) => {
                diary.note(&actor, (day, 3), Kind::Read, &[patient], None)
            }
            (_, Some(patient)) => diary.note(&actor, (day, 10), Kind::Read, &[patient], None),
            (Signal::Fishing, None) => {
                for _ in 0..12 {
                    diary.note(&actor, (DAYS + 1, 11), Kind::Search, &["p-1-1", "p-2-2"], None);
                }
            }
            (Signal::Volume, None) => {
                for (who, p) in (0..STAFF).flat_map(|who| (0..4).map(move |p| (who, p))) {
                    diary.note(
                        &actor,
                        (DAYS + 1, 11),
                        Kind::Read,
                        &[&format!("p-{who}-{p}")],
                        None,
                    );
                }
            }
            (_, None) => {
                for p in 0..3 {
                    let patient = format!("p-1-{p}");
                    diary.note(&actor, (5 + p, 12), Kind::BreakGlass, &[&patient], Some("urgent"));
                    // While it is broken another record is read, as every day.
                    diary.note(&actor, (5 + p, 12), Kind::Read, &["p-8-1"], Some(""));
                }
            }
        }
    }
    diary.log.close().unwrap();
    (dir, settings, expected)
}

#[test]
fn a_sweep_makes_twenty_snoops_twenty_cases_and_none_of_them_twice() {
    let (dir, mut settings, expected) = clinic();
    settings.clock = Turned::at(BEGIN_MS + (DAYS + 4) * DAY_MS);
    let record = Record::open(dir.path(), settings.clone()).unwrap();
    let session = record.session(record::Subject::operator(), [9; 16]);
    assert_eq!(session.sweep_cases().unwrap().opened, 23);
    let found = session.cases(&CaseFilter::default()).unwrap().wait().unwrap();
    let (glasses, signals): (Vec<_>, Vec<_>) =
        found.iter().partition(|case| case.kind == CaseKind::BreakGlass);
    assert_eq!((signals.len(), glasses.len()), (20, 3), "{found:#?}");
    for (n, patient, signal) in &expected {
        let of = signals.iter().find(|case| {
            case.actor == format!("dr-{n}")
                && case.patient == *patient
                && case.signals.contains(signal)
        });
        let case = of.unwrap_or_else(|| panic!("dr-{n} {patient:?} {signal:?} has no case"));
        assert_eq!(case.state, CaseState::Open);
        let seen = case.seen().next().unwrap();
        assert!(seen.seq > 0 && seen.score >= 100 && !seen.reason.is_empty(), "{seen:?}");
        let file = session.case(case.id).unwrap().wait().unwrap();
        assert!(file.events.contains(&seen.seq), "{file:?}");
        let wait = case.due.0 - case.opened.0;
        assert!((29 * DAY_MS..=30 * DAY_MS).contains(&wait), "{wait}");
    }
    assert!(found.windows(2).all(|pair| pair[0].due <= pair[1].due), "the soonest due first");
    for _again in 0..2 {
        assert_eq!(session.sweep_cases().unwrap().opened, 0);
    }
    drop((session, record));
    let record = Record::open(dir.path(), settings).unwrap();
    let session = record.session(record::Subject::operator(), [9; 16]);
    assert_eq!(session.sweep_cases().unwrap().opened, 0);
    let found = session.cases(&CaseFilter::default()).unwrap().wait().unwrap();
    assert!(found.len() == 23 && found.iter().all(|case| case.steps.len() == 1));
}

#[test]
fn what_stands_out_by_less_than_the_bound_is_no_case() {
    let (dir, mut settings, _) = clinic();
    settings.clock = Turned::at(BEGIN_MS + (DAYS + 4) * DAY_MS);
    settings.review.score_min = 300;
    let record = Record::open(dir.path(), settings).unwrap();
    let session = record.session(record::Subject::operator(), [9; 16]);
    session.sweep_cases().unwrap();
    let found = session.cases(&CaseFilter::default()).unwrap().wait().unwrap();
    let glasses = found.iter().filter(|case| case.kind == CaseKind::BreakGlass).count();
    assert_eq!(glasses, 3, "a broken glass has no bound");
    assert!(found.len() > 3 && found.len() < 23, "{}", found.len());
    let weak = |case: &&Case| case.kind == CaseKind::Signal && case.score < 300;
    assert_eq!(found.iter().filter(weak).count(), 0);
}

#[test]
fn twenty_snoops_are_twenty_sightings_and_ordinary_work_is_none() {
    let (dir, settings, expected) = clinic();
    let record = Record::open(dir.path(), settings).unwrap();
    let session = record.session(record::Subject::operator(), [9; 16]);
    let found = session.review_list(None, None).unwrap().wait().unwrap();
    for (n, patient, signal) in &expected {
        let told = found.iter().any(|one| is(one, *n, patient.as_deref(), *signal));
        assert!(told, "dr-{n} {patient:?} {signal:?} is not in the list: {found:#?}");
    }
    // The three broken glasses are told one by one as well; nothing else is.
    let others: Vec<_> = found
        .iter()
        .filter(|case| !expected.iter().any(|(n, p, s)| is(case, *n, p.as_deref(), *s)))
        .collect();
    assert!(others.iter().all(|case| case.signals == [Signal::BrokenGlass]), "{others:#?}");
    assert_eq!(others.len(), 3);
    assert!(found.windows(2).all(|pair| pair[0].score >= pair[1].score), "ranked");
    let own = found.iter().find(|case| case.patient.as_deref() == Some("self-0")).unwrap();
    assert_eq!(own.reason, "none: the record is this person's own");
    let early =
        session.review_list(None, Some(Millis(BEGIN_MS + 5 * DAY_MS))).unwrap().wait().unwrap();
    assert!(early.is_empty(), "five ordinary days: {early:#?}");
}

#[test]
fn people_are_told_apart_by_the_practitioner_that_their_profile_names() {
    let cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
    let room = Room::with(|settings| settings.identity.cost = cost);
    room.put(&staff(0)).unwrap();
    room.put(&patient("name-0", 200, Some("Staffaaq".to_owned()), None, "")).unwrap();
    let add = |name: &str, practitioner: Option<&str>| {
        let profile = Profile {
            name: name.to_owned(),
            display: "Somebody".to_owned(),
            roles: vec!["clinician".to_owned()],
            practitioner: practitioner.map(str::to_owned),
            ..Profile::default()
        };
        let password = "four unrelated words here".into();
        room.record.identity().create_person(profile, &password, false).unwrap().id.to_string()
    };
    let (known, unknown) = (add("known", Some("dr-0")), add("unknown", None));
    let Room { record, dir } = room;
    let settings = record.settings().clone();
    drop(record);
    let key = crate::support::log_key(dir.path());
    let options = Options { key, ..Options::new(Arc::new(SystemClock)) };
    let log = Log::open(&dir.path().join("audit"), options).unwrap();
    let mut diary = Diary { log, day: 0 };
    for actor in [&known, &unknown] {
        diary.note(actor, (6, 10), Kind::Read, &["name-0"], None);
    }
    diary.log.close().unwrap();
    let record = Record::open(dir.path(), settings).unwrap();
    let session = record.session(record::Subject::operator(), [9; 16]);
    let found = session.review_list(None, None).unwrap().wait().unwrap();
    let told: Vec<_> = found.iter().map(|one| (&one.actor, one.signals.as_slice())).collect();
    assert_eq!(told, [(&known, [Signal::SameSurname].as_slice())]);
}
