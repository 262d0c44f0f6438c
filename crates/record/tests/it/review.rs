//! Cases of review: every broken glass has one, whatever crashed; what stands out becomes one and never
//! two; nobody decides about their own; and nothing that was decided is ever overwritten.

use crate::support::{Room, Turned, log_key, settings};
use audit::{Decision, Event, Files, Kind, Log, Options, Receipt, SegmentFile};
use base::error::code;
use base::{Clock as _, Code, Fault, Millis};
use identity::{Caller, Cost, Opened, PrincipalId, Profile, Step as SignIn};
use record::{
    Asked, Case, CaseFilter, CaseId, CaseKind, CaseState, Done, Outcome, Record, Session, Settings,
    Signal, Subject,
};
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use tempfile::TempDir;

const PASSWORD: &str = "four unrelated words here";
const REASON: &str = "unconscious in the emergency room";
const NOTE: &str = "spoke with the ward, the story holds";
const DAY_MS: i64 = 86_400_000;

struct House {
    record: Record,
    dir: TempDir,
    settings: Settings,
    clock: Arc<Turned>,
}

impl House {
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
        let Room { record, dir } = Room::with(|settings| *settings = own);
        let house = Self { record, dir, settings: again, clock };
        for id in ["ann", "bob"] {
            let text = format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#);
            let body = crate::support::doc(&text);
            let of = crate::support::of("Patient");
            crate::support::run(house.console().update(of, id, body, None, false)).unwrap();
        }
        house
    }

    /// As after a restart: everything is read from the disk.
    fn again(self) -> Self {
        let Self { record, dir, settings, clock } = self;
        drop(record);
        let record = Record::open(dir.path(), settings.clone()).unwrap();
        Self { record, dir, settings, clock }
    }

    fn console(&self) -> Session {
        self.record.session(Subject::operator(), [7; 16])
    }

    fn person(&self, name: &str, role: &str) -> PrincipalId {
        self.person_like(name, role, None)
    }

    fn person_like(&self, name: &str, role: &str, practitioner: Option<&str>) -> PrincipalId {
        let profile = Profile {
            name: name.to_owned(),
            display: "Somebody".to_owned(),
            roles: vec![role.to_owned()],
            practitioner: practitioner.map(str::to_owned),
            ..Profile::default()
        };
        self.record.identity().create_person(profile, &PASSWORD.into(), false).unwrap().id
    }

    fn sign_in(&self, name: &str) -> Opened {
        let home = std::net::Ipv4Addr::LOCALHOST.into();
        match self.record.identity().begin(name, &PASSWORD.into(), home).unwrap() {
            SignIn::Done(opened) => opened,
            SignIn::SecondFactor(_) => panic!("there is no second factor"),
        }
    }

    fn caller(&self, opened: &Opened) -> Caller {
        self.record.identity().find(opened.token.text().expose(), None).unwrap()
    }

    /// A session of somebody who signs in now.
    fn of(&self, name: &str) -> Session {
        let caller = self.caller(&self.sign_in(name));
        let subject = self.record.subject(&caller, None, Asked::default()).unwrap();
        self.record.session(subject, [8; 16])
    }

    fn cases(&self) -> Vec<Case> {
        self.console().cases(&CaseFilter::default()).unwrap().wait().unwrap()
    }

    fn only(&self) -> Case {
        let mut cases = self.cases();
        assert_eq!(cases.len(), 1, "{cases:?}");
        cases.remove(0)
    }

    fn events(self, kind: Kind) -> Vec<Event> {
        let Self { record, dir, .. } = self;
        let events = Room { record, dir }.events().into_iter();
        events.filter(|event| event.kind == kind).collect()
    }
}

fn refused<T: std::fmt::Debug>(outcome: Result<T, Fault>) -> &'static Code {
    outcome.unwrap_err().code()
}

#[test]
fn a_broken_glass_opens_its_case_in_the_same_commit() {
    let house = House::new();
    let er = house.person("er", "clinician");
    house.of("er").break_glass("ann", REASON).unwrap();
    let case = house.only();
    assert_eq!((case.kind, case.state), (CaseKind::BreakGlass, CaseState::Open));
    assert_eq!((case.actor, case.patient.as_deref()), (er.to_string(), Some("ann")));
    assert_eq!(case.signals, [Signal::BrokenGlass]);
    assert!((7 * DAY_MS..7 * DAY_MS + 10).contains(&(case.due.0 - case.opened.0)));
    let Done::Seen(seen) = &case.steps[0].done else { panic!("{:?}", case.steps) };
    assert_eq!((seen.reason.as_str(), seen.in_care), (REASON, Some(false)));
    let told = house.record.review_counts();
    assert_eq!((told.open, told.assigned, told.closed, told.overdue), (1, 0, 0, 0));
    let Room { record, dir } = Room { record: house.record, dir: house.dir };
    let events = Room { record, dir }.events();
    let commit = |kind: Kind| {
        let found: Vec<_> = events.iter().filter(|event| event.kind == kind).collect();
        assert_eq!(found.len(), 1);
        (found[0].commit_seq, found[0].actor.to_string())
    };
    assert!(commit(Kind::BreakGlass).0 > 0);
    assert_eq!(commit(Kind::BreakGlass), commit(Kind::CaseOpened), "one commit, by one person");
    assert!(events.iter().all(|e| e.kind != Kind::CaseOpened || e.patients.is_empty()));
}

/// A log whose disk fails when it is told to.
#[derive(Debug)]
struct Failing(AtomicBool);

#[derive(Debug)]
struct FailingFile(Arc<dyn SegmentFile>, Arc<Failing>);

#[derive(Debug)]
struct Layer(Arc<Failing>);

impl Files for Layer {
    fn create(&self, path: &Path) -> std::io::Result<Arc<dyn SegmentFile>> {
        Ok(Arc::new(FailingFile(audit::Disk.create(path)?, Arc::clone(&self.0))))
    }

    fn append(&self, path: &Path) -> std::io::Result<Arc<dyn SegmentFile>> {
        Ok(Arc::new(FailingFile(audit::Disk.append(path)?, Arc::clone(&self.0))))
    }

    fn sync_dir(&self, dir: &Path) -> std::io::Result<()> {
        audit::Disk.sync_dir(dir)
    }
}

impl SegmentFile for FailingFile {
    fn write_all(&self, bytes: &[u8]) -> std::io::Result<()> {
        match self.1.0.load(Ordering::Acquire) {
            true => Err(std::io::ErrorKind::StorageFull.into()),
            false => self.0.write_all(bytes),
        }
    }

    fn sync(&self) -> std::io::Result<()> {
        self.0.sync()
    }
}

#[test]
fn a_crash_between_the_break_and_its_answer_loses_neither_the_event_nor_the_case() {
    let failing = Arc::new(Failing(AtomicBool::new(false)));
    let layer = Arc::new(Layer(Arc::clone(&failing)));
    let house = House::with(|settings| settings.audit_files = layer);
    house.person("er", "clinician");
    let er = house.of("er");
    // What was appended before this reading is written when it is answered.
    assert!(house.cases().is_empty());
    failing.0.store(true, Ordering::Release);
    // The store has committed it, and the log's disk is full: as if the process died in between.
    assert_eq!(refused(er.break_glass("ann", REASON)), &code::AUDIT_UNAVAILABLE);
    drop(er);
    failing.0.store(false, Ordering::Release);
    let house = house.again();
    assert_eq!(house.only().kind, CaseKind::BreakGlass);
    assert_eq!(house.console().sweep_cases().unwrap().opened, 0, "its case is that one");
    assert_eq!(house.only().steps.len(), 1);
    assert_eq!(house.events(Kind::BreakGlass).len(), 1, "and it is in the log");
}

/// Events put into the log of a closed house, as an older program left them.
fn noted(house: House, events: impl Fn(Millis) -> Vec<Event>) -> House {
    let House { record, dir, settings, clock } = house;
    drop(record);
    let options = Options {
        key: log_key(dir.path()),
        ..Options::new(Arc::clone(&clock) as Arc<dyn base::Clock>)
    };
    let log = Log::open(&dir.path().join("audit"), options).unwrap();
    for event in events(clock.now()) {
        log.append(&event).unwrap();
    }
    log.close().unwrap();
    let record = Record::open(dir.path(), settings.clone()).unwrap();
    House { record, dir, settings, clock }
}

fn glass(at: i64, actor: &str, patient: &str) -> Event {
    let mut event = Event::new(Millis(at), [3; 16], Kind::BreakGlass);
    event.actor = actor.to_owned().into();
    event.patients.push(patient.to_owned());
    let break_glass = Some(REASON.to_owned());
    event.receipt = Some(Box::new(Receipt { break_glass, ..Receipt::default() }));
    event
}

#[test]
fn a_glass_in_the_log_without_a_case_gets_one_however_old_and_a_refused_one_gets_none() {
    let house = noted(House::new(), |now| {
        let mut refused = glass(now.0 - 9, "dr-2", "ann");
        (refused.status, refused.decision) = (403, Decision::Deny);
        vec![glass(now.0 - 400 * DAY_MS, "dr-1", "ann"), refused]
    });
    assert!(house.cases().is_empty());
    assert_eq!(house.console().sweep_cases().unwrap().opened, 1);
    let case = house.only();
    assert_eq!((case.kind, case.actor.as_str()), (CaseKind::BreakGlass, "dr-1"));
    assert!(case.due > house.clock.now(), "nobody is late with what nobody could know of");
    let file = house.console().case(case.id).unwrap().wait().unwrap();
    assert_eq!((file.events.len(), file.more), (1, false));
    assert!(file.ties.is_some_and(|ties| !ties.treats));
    for _again in 0..2 {
        assert_eq!(house.console().sweep_cases().unwrap().opened, 0);
    }
    let house = house.again();
    assert_eq!(house.console().sweep_cases().unwrap().opened, 0);
    assert_eq!(house.only().steps.len(), 1);
}

#[test]
fn one_person_patient_and_day_is_one_case_and_another_glass_opens_a_closed_one() {
    let house = House::new();
    house.person("er", "clinician");
    let paula = house.person("paula", "privacy-officer");
    for _ in 0..2 {
        house.of("er").break_glass("ann", REASON).unwrap();
    }
    assert_eq!(house.only().steps.len(), 2, "each glass is a step");
    house.of("er").break_glass("bob", REASON).unwrap();
    assert_eq!(house.cases().len(), 2, "another patient is another case");
    let id = CaseId::of_for_tests(&house.cases(), "ann");
    let closed = house.console().close_case(id, Some(paula), Outcome::Appropriate, NOTE).unwrap();
    assert_eq!((closed.state, closed.outcome), (CaseState::Closed, Some(Outcome::Appropriate)));
    house.of("er").break_glass("ann", REASON).unwrap();
    let cases = house.cases();
    let case = cases.iter().find(|case| case.id == id).unwrap();
    assert_eq!((case.state, case.outcome, case.steps.len()), (CaseState::Open, None, 4));
    house.clock.turn(DAY_MS);
    house.of("er").break_glass("ann", REASON).unwrap();
    assert_eq!(house.cases().len(), 3, "another day is another case");
    assert_eq!(house.record.review_counts().open, 3);
}

trait Find {
    fn of_for_tests(cases: &[Case], patient: &str) -> CaseId;
}

impl Find for CaseId {
    fn of_for_tests(cases: &[Case], patient: &str) -> CaseId {
        cases.iter().find(|case| case.patient.as_deref() == Some(patient)).unwrap().id
    }
}

#[test]
fn whoever_is_under_review_neither_owns_nor_decides_the_case() {
    let house = House::new();
    // Both roles in one hand, and a second principal of the same practitioner.
    let erin = house.person_like("erin", "clinician", Some("dr-erin"));
    let twin = house.person_like("twin", "privacy-officer", Some("dr-erin"));
    let paula = house.person("paula", "privacy-officer");
    house.of("erin").break_glass("ann", REASON).unwrap();
    let identity = house.record.identity();
    let found = identity.principal(erin).unwrap();
    let both = vec!["clinician".to_owned(), "privacy-officer".to_owned()];
    let profile = Profile { roles: both, ..found.profile.clone() };
    identity.change(erin, found.version, profile).unwrap();
    let case = house.only();
    for (name, own) in [("erin", erin), ("twin", twin)] {
        for session in [house.of(name), house.console()] {
            let by = Some(own);
            for refusal in [
                refused(session.assign_case(case.id, by, paula, "")),
                refused(session.close_case(case.id, by, Outcome::Appropriate, NOTE)),
                refused(session.reopen_case(case.id, by, NOTE)),
            ] {
                assert_eq!(refusal, &code::CASE_OWN, "{name}");
            }
        }
        let given = house.console().assign_case(case.id, Some(paula), own, "");
        assert_eq!(refused(given), &code::CASE_OWN, "nor is it given to {name}");
    }
    assert_eq!(house.only().steps, case.steps, "nothing was changed");
    house.console().close_case(case.id, Some(paula), Outcome::Explained, NOTE).unwrap();
    let events = house.events(Kind::CaseChanged);
    let denied = events.iter().filter(|event| event.decision == Decision::Deny).count();
    assert_eq!((denied, events.len()), (14, 15), "and every attempt is in the log");
}

#[test]
fn an_auditor_sees_cases_and_takes_no_step_and_nobody_else_sees_any() {
    let house = House::new();
    house.person("er", "clinician");
    house.person("nina", "nurse");
    house.person("ivy", "it-administrator");
    let otto = house.person("otto", "auditor");
    let paula = house.person("paula", "privacy-officer");
    house.of("er").break_glass("ann", REASON).unwrap();
    let id = house.only().id;
    let seen = |name: &str| {
        let session = house.of(name);
        let listed = session.cases(&CaseFilter::default()).map(|cases| cases.value.len());
        let shown = session.case(id).map(|file| file.value.events.len());
        (listed.map_err(|fault| fault.code().name), shown.map_err(|fault| fault.code().name))
    };
    assert_eq!(seen("otto"), (Ok(1), Ok(1)));
    assert_eq!(seen("paula"), (Ok(1), Ok(1)));
    for name in ["er", "nina", "ivy"] {
        assert_eq!(seen(name), (Err("access.denied"), Err("access.denied")), "{name}");
    }
    let nobody = house.record.session(Subject::nobody(), [9; 16]);
    assert_eq!(refused(nobody.cases(&CaseFilter::default())), &code::ACCESS_DENIED);
    for name in ["otto", "er", "ivy"] {
        let session = house.of(name);
        for refusal in [
            refused(session.assign_case(id, None, paula, "")),
            refused(session.close_case(id, None, Outcome::Appropriate, NOTE)),
            refused(session.reopen_case(id, None, NOTE)),
            refused(session.sweep_cases()),
        ] {
            assert_eq!(refusal, &code::ACCESS_DENIED, "{name}");
        }
    }
    // Nor is one given to an auditor, or signed in an auditor's name, or in nobody's, or another's.
    let console = house.console();
    let to_otto = console.assign_case(id, Some(paula), otto, "");
    assert_eq!(refused(to_otto), &code::ACCESS_DENIED);
    let by_otto = console.close_case(id, Some(otto), Outcome::Appropriate, NOTE);
    assert_eq!(refused(by_otto), &code::ACCESS_DENIED);
    let by_nobody = console.close_case(id, None, Outcome::Appropriate, NOTE);
    assert_eq!(refused(by_nobody), &code::PARAMETER_INVALID);
    let in_anothers = house.of("otto").close_case(id, Some(paula), Outcome::Appropriate, NOTE);
    assert_eq!(refused(in_anothers), &code::ACCESS_DENIED);
    assert_eq!(house.only().steps.len(), 1);
    let done = house.of("paula").close_case(id, None, Outcome::Appropriate, NOTE).unwrap();
    let last = done.steps.last().unwrap();
    assert_eq!((last.by.as_deref(), last.at_console), (Some(paula.to_string().as_str()), false));
}

#[test]
fn steps_are_kept_in_order_with_who_and_why_and_closing_needs_a_note() {
    let house = House::new();
    house.person("er", "clinician");
    let paula = house.person("paula", "privacy-officer");
    let petra = house.person("petra", "privacy-officer");
    house.of("er").break_glass("ann", REASON).unwrap();
    let (id, console) = (house.only().id, house.console());
    let missing = CaseId::parse("0000000000000001").unwrap();
    let none = console.close_case(missing, Some(paula), Outcome::Appropriate, NOTE);
    assert_eq!(refused(none), &code::CASE_NOT_FOUND);
    assert_eq!(refused(console.reopen_case(id, Some(paula), NOTE)), &code::CASE_STATE);
    for odd in ["", "  short  ", "a note\nof two lines", &"x".repeat(2001)] {
        let closed = console.close_case(id, Some(paula), Outcome::Appropriate, odd);
        assert_eq!(refused(closed), &code::PARAMETER_INVALID, "{odd:?}");
    }
    let given = console.assign_case(id, Some(paula), petra, "").unwrap();
    assert_eq!((given.state, given.owner), (CaseState::Assigned, Some(petra.to_string())));
    let mine = CaseFilter { owner: Some(petra), ..CaseFilter::default() };
    assert_eq!(console.cases(&mine).unwrap().value.len(), 1);
    let not_mine = CaseFilter { owner: Some(paula), ..CaseFilter::default() };
    assert!(console.cases(&not_mine).unwrap().value.is_empty());
    house.of("petra").close_case(id, None, Outcome::Inconclusive, NOTE).unwrap();
    assert_eq!(refused(console.assign_case(id, Some(paula), petra, "")), &code::CASE_STATE);
    let twice = console.close_case(id, Some(paula), Outcome::Appropriate, NOTE);
    assert_eq!(refused(twice), &code::CASE_STATE);
    let again = "the ward sent the missing paper";
    let open = console.reopen_case(id, Some(paula), again).unwrap();
    assert_eq!((open.state, open.outcome, open.owner), (CaseState::Open, None, None));
    assert!(open.due.0 - house.clock.now().0 > 6 * DAY_MS, "a new time begins");
    console.close_case(id, Some(paula), Outcome::Inappropriate, NOTE).unwrap();
    drop(console);
    let house = house.again();
    let case = house.only();
    let told: Vec<_> = case
        .steps
        .iter()
        .map(|step| match &step.done {
            Done::Seen(_) => "seen".to_owned(),
            Done::Assigned { .. } => "assigned".to_owned(),
            Done::Closed { outcome, note, .. } => format!("{}: {note}", outcome.name()),
            Done::Noted { note, .. } => format!("noted: {note}"),
            Done::Reopened { note, .. } => format!("reopened: {note}"),
        })
        .collect();
    let expected = [
        "seen".to_owned(),
        "assigned".to_owned(),
        format!("inconclusive: {NOTE}"),
        format!("reopened: {again}"),
        format!("inappropriate: {NOTE}"),
    ];
    assert_eq!(told, expected);
    let by: Vec<_> = case.steps.iter().map(|step| (step.by.clone(), step.at_console)).collect();
    let (paula, petra) = (Some(paula.to_string()), Some(petra.to_string()));
    let expected = [
        (None, false),
        (paula.clone(), true),
        (petra, false),
        (paula.clone(), true),
        (paula.clone(), true),
    ];
    assert_eq!(by, expected);
    let events = house.events(Kind::CaseChanged);
    let done: Vec<_> = events.iter().filter(|event| event.status == 200).collect();
    assert_eq!(done.len(), 4);
    assert!(done.iter().all(|event| event.commit_seq > 0 && event.patients.is_empty()));
    let last = done.last().unwrap();
    assert_eq!(&*last.actor, "operator");
    assert_eq!(last.receipt.as_ref().unwrap().on_behalf_of, paula, "in whose name");
    assert!(last.targets.iter().any(|t| t.id.as_deref() == Some("inappropriate")));
}

#[test]
fn a_case_that_waits_too_long_is_counted_as_overdue_until_it_is_decided() {
    let house = House::with(|settings| settings.review.break_glass_due_days = 2);
    house.person("er", "clinician");
    let paula = house.person("paula", "privacy-officer");
    house.of("er").break_glass("ann", REASON).unwrap();
    house.clock.turn(2 * DAY_MS - 60_000);
    assert_eq!(house.record.review_counts().overdue, 0);
    let overdue = CaseFilter { overdue: true, ..CaseFilter::default() };
    assert!(house.console().cases(&overdue).unwrap().value.is_empty());
    house.clock.turn(3_600_000);
    let told = house.record.review_counts();
    assert_eq!((told.overdue, told.overdue_break_glass), (1, 1));
    assert!((3_500_000..3_600_000).contains(&told.overdue_by_ms), "{told:?}");
    let house = house.again();
    let listed = house.console().cases(&overdue).unwrap().value;
    assert_eq!((listed.len(), house.record.review_counts().overdue), (1, 1));
    let id = listed[0].id;
    house.console().assign_case(id, Some(paula), paula, "").unwrap();
    assert_eq!(house.record.review_counts().overdue, 1, "to have it is not to have decided it");
    house.console().close_case(id, Some(paula), Outcome::Appropriate, NOTE).unwrap();
    let told = house.record.review_counts();
    assert_eq!((told.overdue, told.open, told.assigned, told.closed), (0, 0, 0, 1));
    assert!(house.console().cases(&overdue).unwrap().value.is_empty());
    let events = house.events(Kind::CaseRead);
    assert_eq!(events.len(), 3, "each look is in the log");
}

#[test]
fn two_who_decide_at_once_are_told_and_one_decision_stands() {
    let house = House::new();
    house.person("er", "clinician");
    let paula = house.person("paula", "privacy-officer");
    house.of("er").break_glass("ann", REASON).unwrap();
    let id = house.only().id;
    let outcomes: Vec<_> = std::thread::scope(|scope| {
        let one = |_| {
            let console = house.console();
            scope.spawn(move || console.close_case(id, Some(paula), Outcome::Explained, NOTE))
        };
        let threads: Vec<_> = (0..6).map(one).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| outcome.is_ok()).count(), 1);
    for fault in outcomes.iter().filter_map(|outcome| outcome.as_ref().err()) {
        assert!([&code::CASE_STATE, &code::ITEM_CONFLICT].contains(&fault.code()), "{fault}");
    }
    assert_eq!(house.only().steps.len(), 2);
}

#[test]
fn the_running_server_sweeps_by_itself() {
    let house = noted(House::new(), |now| vec![glass(now.0 - 1000, "dr-1", "ann")]);
    // The mark goes up in steps; a step that ends with a day is not the end of the sweep.
    let start = house.clock.now();
    let keeper = house.record.keep_reviews(std::time::Duration::from_secs(3600)).unwrap();
    let began = std::time::Instant::now();
    while house.record.review_counts().swept.is_none_or(|at| at < start) {
        assert!(began.elapsed().as_secs() < 30, "nothing was swept");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    drop(keeper);
    // One that is stopped at once leaves the rest to the next, and nothing is done twice. A server that
    // is only restarted sweeps when it is due, and not before.
    let swept = || house.record.review_counts().swept;
    let first = swept();
    house.clock.turn(3_500_000);
    for _ in 0..3 {
        drop(house.record.keep_reviews(std::time::Duration::from_secs(3600)).unwrap());
    }
    let keeper = house.record.keep_reviews(std::time::Duration::from_secs(3600)).unwrap();
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(swept(), first);
    drop(keeper);
    house.clock.turn(100_000);
    let keeper = house.record.keep_reviews(std::time::Duration::from_secs(3600)).unwrap();
    while swept() == first {
        assert!(began.elapsed().as_secs() < 60, "what was due was not swept");
        std::thread::sleep(std::time::Duration::from_millis(5));
    }
    drop(keeper);
    assert_eq!(house.console().sweep_cases().unwrap().opened, 0);
    let told = house.record.review_counts();
    assert!(told.swept.is_some() && !told.is_failing);
    assert_eq!(house.only().kind, CaseKind::BreakGlass);
}

fn search(at: i64, actor: &str, patient: &str) -> Event {
    let mut event = Event::new(Millis(at), [4; 16], Kind::Search);
    event.actor = actor.to_owned().into();
    event.patients.push(patient.to_owned());
    event
}

#[test]
fn a_sweep_passes_a_day_that_cannot_be_weighed_and_weighs_the_days_after_it() {
    let house = House::with(|settings| settings.review.accesses_max = 15);
    let house = noted(house, |now| {
        let day = now.0.div_euclid(DAY_MS) * DAY_MS;
        let mut events = Vec::new();
        // More on one day than can be weighed, and on the days around it more than a span may have.
        for n in 0..16 {
            events.push(search(day - 9 * DAY_MS + n, "dr-0", "ann"));
        }
        for days in [12, 11, 3, 2, 1] {
            for n in 0..12 {
                events.push(search(day - days * DAY_MS + n, &format!("dr-{days}"), "bob"));
            }
        }
        events.sort_by_key(|event| event.time);
        events
    });
    let told = house.console().sweep_cases().unwrap();
    assert_eq!((told.opened, told.passed), (5, 1), "one case of searches for each other day");
    let counts = house.record.review_counts();
    assert_eq!((counts.days_unweighed, counts.is_failing, counts.open), (1, false, 5));
    assert!(counts.swept.is_some_and(|at| at.0 > house.clock.now().0 - 60_000), "up to now");
    let told = house.console().sweep_cases().unwrap();
    assert_eq!((told.opened, told.passed), (0, 0), "what was passed is passed once");
    let events = house.events(Kind::Review);
    let passed: Vec<_> = events.iter().filter(|event| event.status != 200).collect();
    assert_eq!((events.len(), passed.len()), (3, 1));
    assert!(passed[0].targets.iter().any(|t| t.id.as_deref().is_some_and(|id| id.len() == 10)));
}

#[test]
fn a_case_of_what_an_agent_did_shows_what_the_agent_did() {
    let house = noted(House::new(), |now| {
        let day = now.0.div_euclid(DAY_MS) * DAY_MS - DAY_MS;
        let by_agent = |n| {
            let mut event = search(day + n, "agent-1", "ann");
            let on_behalf_of = Some("dr-1".to_owned());
            event.receipt = Some(Box::new(Receipt { on_behalf_of, ..Receipt::default() }));
            event
        };
        (0..12).map(by_agent).chain([search(day + 20, "dr-2", "ann")]).collect()
    });
    assert_eq!(house.console().sweep_cases().unwrap().opened, 1);
    let case = house.only();
    assert_eq!((case.actor.as_str(), case.signals.as_slice()), ("dr-1", &[Signal::Fishing][..]));
    let file = house.console().case(case.id).unwrap().wait().unwrap();
    assert_eq!(file.events.len(), 12, "{file:?}");
}

#[test]
fn many_glasses_are_told_of_whoever_had_three_before_and_of_each_day_once() {
    let house = noted(House::new(), |now| {
        let day = now.0.div_euclid(DAY_MS) * DAY_MS;
        let ago = |days: i64, n: i64| glass(day - days * DAY_MS + n, "dr-1", "ann");
        // Three in the days before those that are swept, three in three weeks, and many at once.
        let before = [ago(40, 0), ago(39, 0), ago(38, 0)];
        let seldom = [ago(27, 0), ago(20, 0), ago(13, 0)];
        let many = [ago(3, 0), ago(3, 1), ago(3, 2), ago(3, 3), ago(2, 0)];
        before.into_iter().chain(seldom).chain(many).collect()
    });
    house.console().sweep_cases().unwrap();
    let cases = house.cases();
    let mut many: Vec<_> = cases
        .iter()
        .filter(|case| case.signals.contains(&Signal::ManyBrokenGlasses))
        .map(|case| house.clock.now().0.div_euclid(DAY_MS) - case.from.0.div_euclid(DAY_MS))
        .collect();
    many.sort_unstable();
    assert_eq!(many, [2, 3], "{cases:#?}");
    assert_eq!(house.console().sweep_cases().unwrap().opened, 0);
}

#[test]
fn what_is_done_after_a_case_was_closed_opens_it_again_and_what_was_known_does_not() {
    let searches = |from: i64, n: i64| -> Vec<Event> {
        (0..n).map(|n| search(from + n, "dr-1", "ann")).collect()
    };
    let house = noted(House::new(), |now| searches(now.0, 11));
    let paula = house.person("paula", "privacy-officer");
    house.clock.turn(60_000);
    assert_eq!(house.console().sweep_cases().unwrap().opened, 1);
    // More of the same before it is decided is known to whoever decides.
    let house = noted(house, |now| searches(now.0, 2));
    let id = house.only().id;
    house.console().close_case(id, Some(paula), Outcome::Explained, NOTE).unwrap();
    assert_eq!(house.console().sweep_cases().unwrap().opened, 0);
    assert_eq!(house.only().state, CaseState::Closed);
    let house = noted(house, |now| searches(now.0, 1));
    house.clock.turn(60_000);
    assert_eq!(house.console().sweep_cases().unwrap().opened, 1);
    assert_eq!((house.only().state, house.only().steps.len()), (CaseState::Open, 3));
    assert_eq!(house.console().sweep_cases().unwrap().opened, 0, "it is told once");
}

#[test]
fn nobody_sees_the_case_that_is_about_them_whatever_their_profile_says_by_now() {
    let house = House::new();
    let erin = house.person_like("erin", "clinician", Some("dr-erin"));
    house.person_like("twin", "privacy-officer", Some("dr-erin"));
    let self_same = house.person("self", "privacy-officer");
    house.person("paula", "privacy-officer");
    let otto = house.person("otto", "auditor");
    house.of("erin").break_glass("ann", REASON).unwrap();
    let change = |id: PrincipalId, change: &dyn Fn(&mut Profile)| {
        let found = house.record.identity().principal(id).unwrap();
        let mut profile = found.profile.clone();
        change(&mut profile);
        house.record.identity().change(id, found.version, profile).unwrap();
    };
    // Erin is said to be another practitioner by now, and is a patient here, as "self" is the same one.
    change(erin, &|profile| {
        profile.practitioner = Some("dr-other".to_owned());
        profile.patient = Some("bob".to_owned());
        profile.roles.push("auditor".to_owned());
    });
    change(self_same, &|profile| profile.patient = Some("bob".to_owned()));
    change(otto, &|profile| profile.patient = Some("ann".to_owned()));
    let id = house.only().id;
    let listed = |name: &str| house.of(name).cases(&CaseFilter::default()).unwrap().value.len();
    for name in ["erin", "twin", "self"] {
        assert_eq!(listed(name), 0, "{name}");
        assert_eq!(
            refused(house.of(name).case(id).map(|file| file.value.case.id)),
            &code::CASE_OWN
        );
        let closed = house.of(name).close_case(id, None, Outcome::Appropriate, NOTE);
        assert!([&code::CASE_OWN, &code::ACCESS_DENIED].contains(&refused(closed)), "{name}");
    }
    for name in ["paula", "otto"] {
        assert_eq!(listed(name), 1, "{name}");
        assert_eq!(house.of(name).case(id).unwrap().value.case.id, id);
    }
    let events = house.events(Kind::CaseRead);
    let denied = events.iter().filter(|event| event.decision == Decision::Deny).count();
    assert_eq!(denied, 3, "each look is in the log");
}
