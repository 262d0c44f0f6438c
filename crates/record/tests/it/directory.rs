//! Identity on the record's store: what is acknowledged outlives a kill, revoking outlives everything,
//! and each change stands in the access log with whoever asked.

use crate::audit_trail::Failing;
use crate::support::{Room, settings};
use audit::{Decision, Event, Kind};
use identity::{Asker, By, Cost, Identity, Kind as Of, Opened, Principal, Profile, Step};
use record::{Record, Settings};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::IpAddr;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::Ordering;

const HOME: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 0, 0, 7));
const PASSWORD: &str = "acht tulpen im regen";
/// Where the process that is to be killed keeps its record.
const FOLDER: &str = "PLUMMER_TEST_KILLED";

fn cheap(settings: &mut Settings) {
    settings.identity.cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
}

fn person(identity: &Identity, name: &str) -> Principal {
    let profile =
        Profile { name: name.to_owned(), display: "Somebody".to_owned(), ..Profile::default() };
    let made = identity.create(Of::Person, profile).unwrap();
    identity.set_password(made.id, &PASSWORD.into(), None).unwrap();
    made
}

fn sign_in(identity: &Identity, name: &str) -> Opened {
    match identity.begin(name, &PASSWORD.into(), HOME).unwrap() {
        Step::Done(opened) => opened,
        Step::SecondFactor(_) => panic!("there is no second factor"),
    }
}

/// The events of identity, in the order of the log.
fn events(room: Room) -> Vec<Event> {
    let known = |event: &Event| event.kind.code() > Kind::Refused.code();
    room.events().into_iter().filter(known).collect()
}

fn kinds(events: &[Event]) -> Vec<Kind> {
    events.iter().map(|event| event.kind).collect()
}

#[test]
fn people_sessions_and_revocations_are_there_after_reopening() {
    let room = Room::with(cheap);
    let identity = room.record.identity();
    let ada = person(identity, "ada");
    let (kept, ended) = (sign_in(identity, "ada"), sign_in(identity, "ada"));
    assert!(identity.revoke(ended.session.id).unwrap());
    let room = room.reopened();
    let identity = room.record.identity();
    assert_eq!(identity.find_by_name("ADA").unwrap().unwrap().id, ada.id);
    assert_eq!(identity.find(kept.token.text().expose(), None).unwrap().principal.id, ada.id);
    assert!(identity.find(ended.token.text().expose(), None).is_err());
    assert_eq!(identity.sessions(ada.id).len(), 1);
}

#[test]
fn every_change_leaves_its_event_with_whoever_asked() {
    let room = Room::with(cheap);
    let identity = room.record.identity();
    let boss = person(identity, "boss");
    let asker = Asker { by: By::Principal(boss.id), request: [9; 16], source: Some(HOME) };
    let named = identity.asked_by(asker);
    let ada = person(&named, "ada");
    let opened = sign_in(identity, "ada");
    let wrong = identity.begin("ada", &"not the password".into(), HOME);
    assert!(wrong.is_err() && identity.begin("nobody", &"anything else".into(), HOME).is_err());
    let token = named.issue(ada.id, 1000, "a script").unwrap();
    assert!(named.revoke(token.session.id).unwrap());
    let caller = identity.find(opened.token.text().expose(), Some(HOME)).unwrap();
    identity.sign_out(&caller).unwrap();
    named.reset_factors(ada.id).unwrap();
    let gone = named.disable(ada.id, 1, "left the clinic").unwrap();
    named.enable(ada.id, gone.version).unwrap();
    let events = events(room);
    assert_eq!(
        kinds(&events)[2..],
        [
            Kind::UserCreate,
            Kind::PasswordSet,
            Kind::SignIn,
            Kind::SignInFailed,
            Kind::SignInFailed,
            Kind::TokenIssued,
            Kind::SessionRevoked,
            Kind::SignOut,
            Kind::FactorsReset,
            Kind::UserDisable,
            Kind::UserEnable,
        ]
    );
    let (boss, ada) = (boss.id.to_string(), ada.id.to_string());
    let target = |at: usize| events[at].targets.first().and_then(|target| target.id.clone());
    assert_eq!((&*events[2].actor, target(2)), (boss.as_str(), Some(ada.clone())));
    assert_eq!(events[2].request, [9; 16]);
    assert_eq!((&*events[4].actor, events[4].decision), (ada.as_str(), Decision::Permit));
    assert_eq!((&*events[5].actor, events[5].decision), ("anonymous", Decision::Deny));
    assert_eq!((target(5), target(6)), (Some(ada.clone()), None), "nobody's name is not kept");
    assert_eq!((&*events[9].actor, target(9)), (ada.as_str(), Some(ada.clone())));
    assert!(events[..5].iter().chain(&events[7..]).all(|event| event.commit_seq > 0));
}

#[test]
fn a_change_that_cannot_be_logged_is_not_made() {
    let failing = Failing::default();
    let files = Arc::new(failing.clone());
    let room = Room::with(|settings| {
        cheap(settings);
        settings.audit_files = files;
    });
    let identity = room.record.identity();
    let ada = person(identity, "ada");
    let opened = sign_in(identity, "ada");
    assert_eq!(
        identity.disable(ada.id, 7, "stale").unwrap_err().code().name,
        "identity.item.conflict"
    );
    failing.0.store(true, Ordering::SeqCst);
    // The first to meet the failure finds it: a sign-in that fails and cannot be logged.
    let met = identity.begin("ada", &"not the password".into(), HOME);
    let unlogged = |code: &str| code == "audit.unavailable" || code == "identity.sign-in.refused";
    assert!(unlogged(met.unwrap_err().fault.code().name));
    while room.record.health().audit.is_none() {
        std::thread::yield_now();
    }
    assert_eq!(identity.issue(ada.id, 1000, "x").unwrap_err().code().name, "audit.unavailable");
    let token = opened.token.text();
    // What takes access away is done, and told of when the log is there again.
    assert!(identity.revoke(opened.session.id).unwrap());
    assert!(identity.find(token.expose(), None).is_err());
    let room = room.reopened();
    assert!(room.record.identity().sessions(ada.id).is_empty());
    assert!(room.record.identity().find(token.expose(), None).is_err());
    let kinds = kinds(&events(room));
    let logged = [Kind::UserCreate, Kind::PasswordSet, Kind::SignIn, Kind::SessionRevoked];
    assert_eq!(kinds, logged, "and the token was not issued");
}

#[test]
fn what_was_acknowledged_outlives_a_kill() {
    let dir = tempfile::tempdir().unwrap();
    for _ in 0..3 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "directory::a_process_that_is_killed", "--ignored", "--nocapture"])
            .env(FOLDER, dir.path())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut told = Vec::new();
        for line in BufReader::new(child.stdout.take().unwrap()).lines() {
            let line = line.unwrap();
            told.extend(line.strip_prefix("made ").map(str::to_owned));
            if told.len() == 20 {
                break;
            }
        }
        child.kill().unwrap();
        child.wait().unwrap();
        assert_eq!(told.len(), 20, "the process ended too early");
        let record = opened(dir.path());
        let identity = record.identity();
        for line in &told {
            let (name, token) = line.split_once(' ').unwrap();
            let one = identity.find_by_name(name).unwrap().expect("acknowledged");
            assert_eq!(identity.find(token, None).unwrap().principal.id, one.id);
        }
        // Half made is not made: whoever is there has a name that leads to them.
        let all = identity.list(None, 1000).unwrap();
        for one in &all {
            let found = identity.find_by_name(&one.profile.name).unwrap();
            assert_eq!(found.map(|found| found.id), Some(one.id));
        }
        drop(record);
        let log = audit::read(&dir.path().join("audit"), 1).unwrap();
        let log = log.under(crate::support::log_key(dir.path()));
        let kinds = log.map(|entry| entry.unwrap().event.kind);
        let made = kinds.filter(|kind| *kind == Kind::UserCreate);
        assert_eq!(made.count(), all.len(), "each has its event, and none has two");
    }
}

fn opened(dir: &Path) -> Record {
    let mut settings = settings();
    settings.clock = Arc::new(base::time::SystemClock);
    cheap(&mut settings);
    Record::open(dir, settings).unwrap()
}

#[test]
#[ignore = "the process of what_was_acknowledged_outlives_a_kill"]
fn a_process_that_is_killed() {
    let Some(dir) = std::env::var_os(FOLDER) else { return };
    let record = opened(Path::new(&dir));
    let identity = record.identity();
    let before = identity.list(None, 1000).unwrap().len();
    for n in before..before + 1000 {
        let name = format!("one{n}");
        let profile = Profile { name: name.clone(), display: name.clone(), ..Profile::default() };
        let one = identity.create(Of::Service, profile).unwrap();
        let token = identity.issue(one.id, 3_600_000, "a script").unwrap();
        let line = format!("made {name} {}\n", token.token.text().expose());
        std::io::stdout().write_all(line.as_bytes()).unwrap();
    }
}
