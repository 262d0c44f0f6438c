//! A broken glass outlives the program: the hour that was given is neither cut short nor begun anew by a
//! restart, and neither is the day's count.

use crate::support::{Room, Turned, of, settings};
use audit::Kind;
use base::error::code;
use identity::{Cost, Opened, Profile, Step};
use record::{Record, Session, Settings};
use std::sync::Arc;
use tempfile::TempDir;

const REASON: &str = "unconscious in the emergency room";
const PASSWORD: &str = "four unrelated words here";
const MINUTE: i64 = 60_000;

struct Ward {
    record: Record,
    dir: TempDir,
    settings: Settings,
    clock: Arc<Turned>,
}

impl Ward {
    fn new() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let clock = Turned::at(1_795_340_467_123);
        let mut own = settings();
        own.clock = Arc::clone(&clock) as Arc<dyn base::Clock>;
        own.identity.cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
        change(&mut own);
        let again = own.clone();
        let room = Room::with(|settings| *settings = own);
        for id in ["ann", "zq-bob"] {
            room.put(&format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#)).unwrap();
        }
        let Room { record, dir } = room;
        let profile = Profile {
            name: "er".to_owned(),
            display: "Somebody".to_owned(),
            roles: vec!["clinician".to_owned()],
            ..Profile::default()
        };
        record.identity().create_person(profile, &PASSWORD.into(), false).unwrap();
        Self { record, dir, settings: again, clock }
    }

    /// As after a restart: everything is read from the disk.
    fn again(self) -> Self {
        let Self { record, dir, settings, clock } = self;
        drop(record);
        let record = Record::open(dir.path(), settings.clone()).unwrap();
        Self { record, dir, settings, clock }
    }

    fn sign_in(&self) -> Opened {
        let home = std::net::Ipv4Addr::LOCALHOST.into();
        match self.record.identity().begin("er", &PASSWORD.into(), home).unwrap() {
            Step::Done(opened) => opened,
            Step::SecondFactor(_) => panic!("there is no second factor"),
        }
    }

    fn session(&self, opened: &Opened) -> Session {
        let caller = self.record.identity().find(opened.token.text().expose(), None).unwrap();
        let subject = self.record.subject(&caller, None, record::Asked::default()).unwrap();
        self.record.session(subject, [8; 16])
    }

    fn sees(&self, opened: &Opened, patient: &str) -> bool {
        self.session(opened).read(of("Patient"), patient, None).is_ok()
    }
}

#[test]
fn the_hour_goes_on_through_a_restart_and_ends_by_the_clock() {
    let ward = Ward::new();
    let (own, other) = (ward.sign_in(), ward.sign_in());
    assert!(!ward.sees(&own, "zq-bob"));
    ward.session(&own).break_glass("zq-bob", REASON).unwrap();
    assert!(ward.sees(&own, "zq-bob") && !ward.sees(&own, "ann") && !ward.sees(&other, "zq-bob"));
    for _ in 0..5 {
        ward.clock.turn(9 * MINUTE);
        assert!(ward.sees(&own, "zq-bob"));
    }
    let ward = ward.again();
    assert!(ward.sees(&own, "zq-bob"), "45 minutes of the hour are over");
    assert!(!ward.sees(&own, "ann"));
    let other = ward.sign_in();
    assert!(!ward.sees(&other, "zq-bob"), "it is broken for one session");
    ward.clock.turn(9 * MINUTE);
    assert!(ward.sees(&own, "zq-bob"));
    let ward = ward.again();
    ward.clock.turn(9 * MINUTE);
    assert!(!ward.sees(&own, "zq-bob"), "the hour is over, in the program that read it");
    let ward = ward.again();
    assert!(!ward.sees(&own, "zq-bob"), "and in one begun after it");
}

#[test]
fn the_days_count_goes_on_through_a_restart_and_is_begun_anew_after_a_day() {
    let mut ward = Ward::new();
    for n in 0..10 {
        let own = ward.sign_in();
        ward.session(&own).break_glass(["ann", "zq-bob"][n % 2], REASON).unwrap();
        if n % 3 == 0 {
            ward = ward.again();
        }
    }
    let own = ward.sign_in();
    let fault = ward.session(&own).break_glass("ann", REASON).unwrap_err();
    assert_eq!(fault.code(), &code::BREAK_GLASS_TOO_OFTEN);
    ward.clock.turn(24 * 60 * MINUTE);
    let own = ward.sign_in();
    ward.session(&own).break_glass("ann", REASON).unwrap();
    let Ward { record, dir, .. } = ward;
    let broken = Room { record, dir }.events();
    let broken: Vec<_> = broken.into_iter().filter(|e| e.kind == Kind::BreakGlass).collect();
    assert_eq!(broken.len(), 12, "the refusal too");
    assert!(broken.iter().filter(|event| event.commit_seq > 0).count() == 11, "with their change");
}

#[test]
fn two_glasses_broken_at_once_are_both_counted() {
    let ward = Ward::new();
    let opened: Vec<_> = (0..4).map(|_| ward.sign_in()).collect();
    std::thread::scope(|scope| {
        for own in &opened {
            scope.spawn(|| ward.session(own).break_glass("zq-bob", REASON).unwrap());
        }
    });
    let ward = ward.again();
    assert!(opened.iter().all(|own| ward.sees(own, "zq-bob")));
}

fn everything(folder: &std::path::Path, out: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            everything(&path, out)
        } else {
            out.extend(std::fs::read(path).unwrap())
        }
    }
}

#[test]
fn neither_the_reason_nor_whose_record_it_was_stands_readable_in_any_file() {
    for sealed in [true, false] {
        let ward = Ward::with(|settings| settings.encryption.on = sealed);
        let own = ward.sign_in();
        ward.session(&own).break_glass("zq-bob", "zqreason: found in the river").unwrap();
        assert!(ward.sees(&own, "zq-bob"));
        let Ward { record, dir, .. } = ward;
        drop(record);
        let mut bytes = Vec::new();
        everything(dir.path(), &mut bytes);
        for planted in ["zqreason", "zq-bob"] {
            let there = bytes.windows(planted.len()).any(|part| part == planted.as_bytes());
            assert_eq!(there, !sealed, "{planted}");
        }
    }
}
