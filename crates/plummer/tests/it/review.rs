//! `plummer audit review`, as a privacy officer meets it: on a folder at rest and while it serves.

use crate::people::masked;
use crate::run::Place;
use crate::serve::Serving;
use base::{Clock, Millis};
use identity::{PrincipalId, Profile, Secret, Step};
use record::{Asked, Record, Settings};
use std::sync::Arc;
use std::time::{Duration, Instant};

const NOTE: &str = "spoke with the ward, the story holds";
const DAY_MS: i64 = 86_400_000;

/// The clock of some days ago.
#[derive(Debug)]
struct Ago(i64);

impl Clock for Ago {
    fn now(&self) -> Millis {
        Millis(base::time::SystemClock.now().0 - self.0 * DAY_MS)
    }
}

/// A data folder in which a clinician broke the glass some days ago, at rest.
fn broken(days: i64) -> Place {
    let place = Place::new();
    let settings = Settings { clock: Arc::new(Ago(days)), ..Settings::default() };
    let record = Record::open(&place.path("data"), settings).unwrap();
    let password = Secret::new("four unrelated words here".to_owned());
    let add = |name: &str, roles: &[&str]| -> PrincipalId {
        let profile = Profile {
            name: name.to_owned(),
            display: "Somebody".to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            ..Profile::default()
        };
        record.identity().create_person(profile, &password, false).unwrap().id
    };
    add("erin", &["clinician"]);
    add("paula", &["privacy-officer"]);
    add("petra", &["privacy-officer"]);
    add("otto", &["auditor"]);
    let home = std::net::Ipv4Addr::LOCALHOST.into();
    let Step::Done(opened) = record.identity().begin("erin", &password, home).unwrap() else {
        panic!("there is no second factor")
    };
    let caller = record.identity().find(opened.token.text().expose(), None).unwrap();
    let subject = record.subject(&caller, None, Asked::default()).unwrap();
    record.session(subject, [8; 16]).break_glass("ada", "unconscious, found in the river").unwrap();
    record.settle();
    drop(record);
    place
}

fn done(place: &Place, args: &[&str]) -> String {
    let said = place.run(args);
    assert!(said.ok, "{args:?}: {said:?}");
    said.out
}

fn refused(place: &Place, args: &[&str]) -> String {
    let said = place.run(args);
    assert!(!said.ok, "{args:?}: {said:?}");
    said.err
}

fn case(place: &Place) -> serde_json::Value {
    let line = done(place, &["audit", "review", "list", "--state", "all", "--format", "ndjson"]);
    assert_eq!(line.lines().count(), 1, "{line}");
    serde_json::from_str(&line).unwrap()
}

#[test]
fn a_case_is_shown_assigned_decided_and_opened_again_in_words_that_were_reviewed() {
    let place = broken(0);
    let id = case(&place)["id"].as_str().unwrap().to_owned();
    let mut text = String::new();
    let mut say = |args: &[&str]| {
        let all = [&["audit", "review"], args].concat();
        let said = place.run(&all);
        let shown = |text: &str| {
            // An id or an instant is masked where it stands as a word of its own.
            let parted = text.replace(',', " , ").replace('(', "( ").replace(')', " )");
            let joined = masked(&parted).replace(" , ", ",").replace("( ", "(").replace(" )", ")");
            joined.replace(&id, "<case>")
        };
        text.push_str(&format!("$ plummer {}\n", shown(&all.join(" ")).trim_end()));
        text.push_str(&shown(&said.out));
        text.push_str(&shown(&said.err));
        text.push('\n');
    };
    say(&["list"]);
    say(&["assign", &id, "--to", "petra", "--by", "paula"]);
    say(&["assign", &id, "--to", "otto", "--by", "paula"]);
    say(&["assign", &id, "--to", "erin", "--by", "paula"]);
    say(&["list", "--mine", "petra", "--format", "csv"]);
    say(&["list", "--mine", "paula"]);
    say(&["close", &id, "--outcome", "fine", "--note", NOTE, "--by", "petra"]);
    say(&["close", &id, "--outcome", "appropriate", "--note", "ok", "--by", "petra"]);
    say(&["close", &id, "--outcome", "appropriate", "--note", NOTE, "--by", "otto"]);
    say(&["close", &id, "--outcome", "appropriate", "--note", NOTE, "--by", "nobody"]);
    say(&["close", &id, "--outcome", "appropriate", "--note", NOTE, "--by", "petra"]);
    say(&["list"]);
    say(&["reopen", &id, "--note", "the ward's paper says otherwise", "--by", "paula"]);
    say(&["show", &id]);
    say(&["show", "0000000000000001"]);
    say(&["sweep"]);
    insta::assert_snapshot!("review", text);
    let steps = done(&place, &["audit", "show", "--kind", "case-changed"]);
    assert_eq!(steps.lines().filter(|line| line.contains("\"status\":200")).count(), 3, "{steps}");
    assert!(done(&place, &["audit", "verify"]).contains("sound"));
}

#[test]
fn a_case_that_is_overdue_rings_in_doctor_health_and_metrics_until_it_is_decided() {
    let place = broken(30);
    let id = case(&place)["id"].as_str().unwrap().to_owned();
    let server = Serving::start(&place, &[]);
    assert!(done(&place, &["audit", "review", "list", "--overdue"]).contains("open, overdue"));
    let finding = |place: &Place| {
        let said = place.run(&["doctor", "--json"]).out;
        let report: serde_json::Value = serde_json::from_str(&said).unwrap();
        let all = report["findings"].as_array().unwrap().clone();
        let found = all.into_iter().find(|finding| finding["code"] == "audit.reviews").unwrap();
        (found["weight"].as_str().unwrap().to_owned(), found["found"].as_str().unwrap().to_owned())
    };
    let (weight, found) = finding(&place);
    assert_eq!(weight, "fault", "{found}");
    assert_eq!(
        found,
        "1 cases of review are overdue, 1 of them broken glasses, the oldest by 23 days"
    );
    let health = server.ask("GET", "/health/ready", "");
    assert!(health.contains(r#""open":1,"assigned":0,"overdue":1}"#), "{health}");
    let metrics = server.ask("GET", "/metrics", "");
    for line in [
        "plummer_review_cases{state=\"open\"} 1",
        "plummer_review_cases_overdue 1",
        "plummer_review_cases_overdue_break_glass 1",
        "plummer_review_sweep_failed 0",
    ] {
        assert!(metrics.contains(line), "{line}: {metrics}");
    }
    // The heads of an answer hold drawn digits, which may spell a name.
    let body = |answer: &str| answer.split_once("\r\n\r\n").unwrap().1.to_owned();
    for text in [&body(&health), &body(&metrics), &found] {
        assert!(!["ada", "erin", &id].iter().any(|name| text.contains(*name)), "counts alone");
    }
    let close = ["close", &id, "--outcome", "explained", "--note", NOTE, "--by", "paula"];
    done(&place, &[&["audit", "review"], &close[..]].concat());
    assert_eq!(finding(&place).0, "fine");
    assert!(server.ask("GET", "/metrics", "").contains("plummer_review_cases_overdue 0"));
    assert!(refused(&place, &["audit", "review", "list", "--state", "late"]).contains("undecided"));
    assert!(server.stop());
    let (weight, found) = finding(&place);
    assert_eq!(weight, "unknown", "{found}");
    assert_eq!(case(&place)["outcome"], "explained");
}

#[test]
fn a_server_sweeps_when_it_starts() {
    let place = broken(0);
    let server = Serving::start(&place, &[]);
    let began = Instant::now();
    // The sweep leaves its reading in the log.
    while !done(&place, &["audit", "show", "--kind", "review"]).contains("AuditEvent") {
        assert!(began.elapsed() < Duration::from_secs(30), "nothing was swept");
        std::thread::sleep(Duration::from_millis(20));
    }
    assert_eq!(case(&place)["history"], serde_json::Value::Null, "a list tells no history");
    assert_eq!(case(&place)["signals"][0], "broken glass");
    assert!(server.stop());
}
