//! The page behind a reminder's link, over HTTP: to look changes nothing, an answer is a POST and is said
//! once, whoever has no link that holds is told one thing, and neither the page nor its headers give the
//! patient or the link away (45 CFR 164.502(b)).

use crate::client::{Answer, patient, read_log};
use crate::smart_site::Site;
use base::time::SystemClock;
use base::{Clock as _, Millis};
use record::{Linked, Subject};

const HOUR_MS: i64 = 3_600_000;
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// A site with a visit of tomorrow and a link to it.
struct Room {
    site: Site,
    token: String,
}

fn now() -> i64 {
    SystemClock.now().0
}

impl Room {
    fn new() -> Self {
        let site = Site::guarded();
        site.put("Patient/okafor-1961", &patient("okafor-1961", "Okafor"));
        let start = now() + 24 * HOUR_MS;
        let (begins, ends) = (Millis(start).to_instant(), Millis(start + HOUR_MS).to_instant());
        site.put(
            "Appointment/visit",
            &format!(
                r#"{{"resourceType":"Appointment","id":"visit","status":"booked","description":"Knee pain","start":"{begins}","end":"{ends}","participant":[{{"actor":{{"reference":"Patient/okafor-1961","display":"Bea Okafor"}},"status":"needs-action"}},{{"actor":{{"reference":"Practitioner/pr-eve","display":"Dr. Stone"}},"status":"accepted"}}]}}"#
            ),
        );
        let token = draw(&site, "visit", start);
        Self { site, token }
    }

    fn path(&self) -> String {
        format!("/v/{}", self.token)
    }

    fn get(&self) -> Answer {
        self.site.send("GET", &self.path(), &[], "")
    }

    fn post(&self, body: &str) -> Answer {
        self.site.send("POST", &self.path(), &[FORM], body)
    }

    fn stored(&self) -> Answer {
        self.site.ask(&self.site.all, "GET", "/Appointment/visit", "")
    }
}

fn draw(site: &Site, appointment: &str, ends: i64) -> String {
    let about = Linked {
        appointment: appointment.to_owned(),
        patient: "okafor-1961".to_owned(),
        ends: Millis(ends),
        round: None,
        is_kiosk: false,
        is_handed: false,
    };
    site.record.session(Subject::operator(), [1; 16]).draw_link(&about).unwrap()
}

/// Nothing of the patient or the visit is told, and the address stays a secret.
fn tells_nothing(answer: &Answer) {
    let text = answer.text();
    for part in ["Okafor", "Beatrice", "Knee", "Stone", "Patient/", "okafor", "pr-eve"] {
        assert!(!text.contains(part), "{part}: {text}");
    }
    assert_eq!(answer.header("set-cookie"), None);
    assert_eq!(answer.header("referrer-policy"), Some("no-referrer"));
    assert_eq!(answer.header("cache-control"), Some("no-store"));
    assert_eq!(answer.header("x-robots-tag"), Some("noindex, nofollow"));
}

#[test]
fn to_look_shows_the_hour_alone_and_changes_nothing() {
    let room = Room::new();
    let before = room.stored();
    for _ in 0..3 {
        let answer = room.get();
        assert_eq!(answer.status, 200, "{}", answer.text());
        assert!(answer.text().contains("Will you come?"), "{}", answer.text());
        assert!(answer.header("content-security-policy").is_some());
        tells_nothing(&answer);
    }
    assert_eq!(room.site.send("HEAD", &room.path(), &[], "").status, 200);
    assert_eq!(room.stored().header("etag"), before.header("etag"));
    // Asked in Spanish it answers so.
    let spanish = room.site.send("GET", &room.path(), &[("Accept-Language", "es")], "");
    assert!(spanish.text().contains("¿Vendrá usted?"), "{}", spanish.text());
}

#[test]
fn who_comes_says_so_once_however_often_the_button_is_pressed() {
    let room = Room::new();
    for _ in 0..2 {
        let answer = room.post("do=confirm");
        assert_eq!((answer.status, answer.header("location")), (303, Some(&*room.path())));
        tells_nothing(&answer);
    }
    assert!(room.get().text().contains("You have said that you will come"));
    assert_eq!(room.stored().at("participant.0.status"), "accepted");
    assert_eq!(room.stored().at("meta.versionId"), "2");
}

#[test]
fn who_cannot_come_gives_the_time_back_and_the_link_does_no_more_for_the_visit() {
    let room = Room::new();
    assert_eq!(room.post("do=cancel").status, 303);
    assert_eq!(room.post("do=cancel").status, 303, "said twice it is said once");
    let page = room.get();
    assert!(page.text().contains("This appointment is cancelled"), "{}", page.text());
    assert!(!page.text().contains("Will you come?"));
    let late = room.post("do=confirm");
    assert!(late.status >= 400, "{}", late.status);
    tells_nothing(&late);
    let stored = room.stored();
    assert_eq!(stored.at("status"), "cancelled");
    assert_eq!(stored.at("cancelationReason.coding.0.code"), "pat");
}

#[test]
fn who_wants_no_more_reminders_is_left_alone() {
    let room = Room::new();
    for _ in 0..2 {
        assert_eq!(room.post("do=stop").status, 303);
    }
    assert!(room.get().text().contains("You will get no more reminders"));
    let flags = room.site.ask(&room.site.all, "GET", "/Flag?patient=okafor-1961", "");
    assert_eq!(flags.at("total"), "1", "{}", flags.text());
}

#[test]
fn a_link_that_is_over_and_one_that_never_was_are_told_alike() {
    let room = Room::new();
    let ended = draw(&room.site, "visit", now() - 1);
    let gone = draw(&room.site, "no-such-visit", now() + HOUR_MS);
    let mut other = room.token.clone().into_bytes();
    other[3] = if other[3] == b'a' { b'b' } else { b'a' };
    let other = String::from_utf8(other).unwrap();
    let cut = &room.token[..room.token.len() - 1];
    let long = "a".repeat(2_000);
    let mut told = Vec::new();
    for token in [&*ended, &gone, &other, cut, &long, "x", "%2e%2e", "..", "a/b"] {
        for method in ["GET", "POST"] {
            let body = if method == "POST" { "do=cancel" } else { "" };
            let answer = room.site.send(method, &format!("/v/{token}"), &[FORM], body);
            assert_eq!(answer.status, 404, "{method} {token}");
            tells_nothing(&answer);
            assert!(!answer.text().contains(token) || token.len() < 3, "{token}");
            told.push(answer.text());
        }
    }
    told.dedup();
    assert_eq!(told.len(), 1, "nobody is told which");
    assert_eq!(room.stored().at("status"), "booked");
}

#[test]
fn hostile_forms_change_nothing_and_are_not_read_to_their_end() {
    let room = Room::new();
    let before = room.stored();
    let long = format!("do=cancel&x={}", "a".repeat(1 << 10));
    let huge = "do=cancel&".repeat(60_000);
    for (body, status) in [
        ("", 400),
        ("do=", 400),
        ("do=delete", 400),
        ("x=cancel", 400),
        ("do=%ff%fe", 400),
        ("{\"do\":\"cancel\"}", 400),
        (&*long, 413),
        (&*huge, 413),
    ] {
        let answer = room.post(body);
        assert_eq!(answer.status, status, "{}", &body[..body.len().min(40)]);
        tells_nothing(&answer);
    }
    // A form that unpacks to more than it says is no longer one.
    let bomb = [FORM, ("Content-Encoding", "gzip")];
    assert!(room.site.send("POST", &room.path(), &bomb, "do=cancel").status >= 400);
    for method in ["PUT", "DELETE", "PATCH"] {
        let answer = room.site.send(method, &room.path(), &[FORM], "do=cancel");
        assert!(answer.status >= 400, "{method}");
    }
    assert_eq!(room.stored().header("etag"), before.header("etag"));
}

#[test]
fn what_is_done_by_a_link_stands_in_the_log_under_the_link() {
    let room = Room::new();
    assert_eq!(room.post("do=confirm").status, 303);
    assert_eq!(room.site.send("GET", "/v/nothing-of-ours", &[], "").status, 404);
    let log = read_log(room.site.dir.path()).map(Result::unwrap);
    let by_link: Vec<_> = log.filter(|entry| entry.event.actor.starts_with("link-")).collect();
    assert!(!by_link.is_empty());
    for entry in by_link {
        assert!(!entry.event.actor.contains(&room.token), "the token itself is kept nowhere");
        assert!(entry.event.patients.iter().all(|id| id == "okafor-1961"));
    }
}
