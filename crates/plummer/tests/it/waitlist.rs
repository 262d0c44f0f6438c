//! The waiting list of a server that runs: a visit is called off, and the letter of the offer is in the hands of the
//! mail server, wherever the process is killed on the way.

use crate::run::Place;
use crate::serve::Serving;
use base::Clock as _;
use base::time::SystemClock;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use jiff::civil::{Date, Weekday};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp};
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

const OURS: &str = "https://plummer.health/fhir/StructureDefinition/";
/// A look is at most half a minute behind a write; a busy machine takes longer.
const PATIENCE: Duration = Duration::from_secs(150);

/// A letter as the mail server has it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Letter {
    id: String,
    to: String,
    text: String,
}

/// A mail server of the test's own.
struct Post {
    port: u16,
    letters: Arc<Mutex<Vec<Letter>>>,
    /// It takes letters and does not say so.
    is_silent: Arc<AtomicBool>,
}

impl Post {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let (letters, is_silent) = (Arc::<Mutex<Vec<Letter>>>::default(), Arc::default());
        let (kept, silent) = (Arc::clone(&letters), Arc::clone(&is_silent));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (kept, silent) = (Arc::clone(&kept), Arc::clone(&silent));
                std::thread::spawn(move || talk(stream, &kept, &silent));
            }
        });
        Self { port, letters, is_silent }
    }

    /// The letters that one whose text says so is among.
    fn wait_for(&self, says: &str) -> Vec<Letter> {
        let begun = Instant::now();
        loop {
            let all = self.letters.lock().unwrap().clone();
            if all.iter().any(|letter| letter.text.contains(says)) {
                return all;
            }
            assert!(begun.elapsed() < PATIENCE, "no letter says {says}: {all:?}");
            std::thread::sleep(Duration::from_millis(50));
        }
    }
}

fn talk(mut stream: TcpStream, kept: &Mutex<Vec<Letter>>, is_silent: &AtomicBool) {
    let lines = BufReader::new(stream.try_clone().unwrap()).lines();
    let mut mail: Option<Vec<String>> = None;
    if stream.write_all(b"220 mail.example ESMTP\r\n").is_err() {
        return;
    }
    for line in lines {
        let Ok(line) = line else { return };
        let answer = match &mut mail {
            Some(lines) if line == "." => {
                kept.lock().unwrap().push(read(lines));
                mail = None;
                if is_silent.load(Ordering::SeqCst) {
                    std::thread::sleep(PATIENCE);
                    return;
                }
                "250 fine"
            }
            Some(lines) => {
                lines.push(line);
                continue;
            }
            None if line == "DATA" => {
                mail = Some(Vec::new());
                "354 go on"
            }
            None if line == "QUIT" => return,
            None => "250 fine",
        };
        if stream.write_all(format!("{answer}\r\n").as_bytes()).is_err() {
            return;
        }
    }
}

fn read(mail: &[String]) -> Letter {
    let head = |name: &str| {
        let line = mail.iter().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().to_owned()
    };
    let body = mail.iter().skip_while(|line| !line.is_empty()).map(String::as_str);
    let text = STANDARD.decode(body.collect::<String>()).unwrap();
    Letter { id: head("Message-ID:"), to: head("To:"), text: String::from_utf8(text).unwrap() }
}

/// A zone in which it is day now: nothing is sent by night.
fn zone_of_day(now: Timestamp) -> &'static str {
    let is_day = |name: &&str| {
        let zone = TimeZone::get(name).unwrap();
        (9..20).contains(&now.to_zoned(zone).hour())
    };
    ["America/Chicago", "Europe/Berlin", "Asia/Tokyo"].into_iter().find(is_day).unwrap()
}

/// Ten o'clock there, on a day of the next week that is no holiday of the United States (5 U.S.C. 6103): those that
/// move are on Mondays and Thursdays, and what is kept for others is kept on Mondays and Fridays.
fn ten_o_clock(now: Timestamp, zone: &str) -> Timestamp {
    let today = now.to_zoned(TimeZone::get(zone).unwrap()).date();
    let is_fit = |day: &Date| {
        matches!(day.weekday(), Weekday::Tuesday | Weekday::Wednesday)
            && ![(1, 1), (6, 19), (7, 4), (11, 11), (12, 25)].contains(&(day.month(), day.day()))
    };
    let mut days = (2..10).map(|n| today.saturating_add(Span::new().days(n)));
    let day = days.find(is_fit).unwrap();
    day.at(10, 0, 0, 0).in_tz(zone).unwrap().timestamp()
}

/// A visit of Ann.
fn visit(start: Timestamp, status: &str) -> String {
    let end = start + Duration::from_secs(1_800);
    format!(
        r#"{{"resourceType":"Appointment","id":"visit","status":"{status}","start":"{start}","end":"{end}","extension":[{{"url":"{OURS}visit-type","valueReference":{{"reference":"ActivityDefinition/talk"}}}}],"participant":[{{"actor":{{"reference":"Patient/ann"}},"status":"accepted","required":"required"}},{{"actor":{{"reference":"Practitioner/a"}},"status":"accepted","required":"required"}},{{"actor":{{"reference":"Location/main"}},"status":"accepted","required":"information-only"}}]}}"#
    )
}

fn put(server: &Serving, path: &str, body: &str) {
    let answer = server.ask("PUT", &format!("/fhir/{path}"), body);
    let fine = answer.starts_with("HTTP/1.1 201") || answer.starts_with("HTTP/1.1 200");
    assert!(fine, "{path}: {answer}");
}

/// A clinician who is there on all days, a visit of Ann, and Bob, who waits.
fn furnish(server: &Serving, zone: &str, (now, start): (Timestamp, Timestamp)) {
    let days = r#""daysOfWeek":["mon","tue","wed","thu","fri","sat","sun"],"allDay":true"#;
    put(
        server,
        "Location/main",
        &format!(
            r#"{{"resourceType":"Location","id":"main","name":"Main","status":"active","extension":[{{"url":"{OURS}time-zone","valueCode":"{zone}"}}],"hoursOfOperation":[{{{days}}}]}}"#
        ),
    );
    put(server, "Practitioner/a", r#"{"resourceType":"Practitioner","id":"a"}"#);
    put(
        server,
        "PractitionerRole/role-a",
        &format!(
            r#"{{"resourceType":"PractitionerRole","id":"role-a","active":true,"practitioner":{{"reference":"Practitioner/a"}},"location":[{{"reference":"Location/main"}}],"code":[{{"coding":[{{"code":"doctor"}}]}}],"availableTime":[{{{days}}}]}}"#
        ),
    );
    put(
        server,
        "ActivityDefinition/talk",
        &format!(
            r#"{{"resourceType":"ActivityDefinition","id":"talk","title":"Talk","status":"active","kind":"Appointment","timingDuration":{{"value":30,"unit":"min","system":"http://unitsofmeasure.org","code":"min"}},"extension":[{{"extension":[{{"url":"role","valueCode":"clinician"}}],"url":"{OURS}needed-resource"}}]}}"#
        ),
    );
    for id in ["ann", "bob"] {
        let body = format!(
            r#"{{"resourceType":"Patient","id":"{id}","telecom":[{{"system":"email","value":"{id}@mail.example"}}]}}"#
        );
        put(server, &format!("Patient/{id}"), &body);
    }
    put(
        server,
        "Appointment/waits",
        &format!(
            r#"{{"resourceType":"Appointment","id":"waits","status":"waitlist","created":"{now}","extension":[{{"url":"{OURS}visit-type","valueReference":{{"reference":"ActivityDefinition/talk"}}}}],"participant":[{{"actor":{{"reference":"Patient/bob"}},"status":"needs-action","required":"required"}}]}}"#
        ),
    );
    put(server, "Appointment/visit", &visit(start, "booked"));
}

#[test]
fn a_freed_time_reaches_who_waits_wherever_the_server_is_killed() {
    let now = Timestamp::from_millisecond(SystemClock.now().0).unwrap();
    let (place, post) = (Place::new(), Post::start());
    let zone = zone_of_day(now);
    let at = ten_o_clock(now, zone);
    place.write(
        "own.toml",
        &format!(
            "reminders = true\nreminders_clinic = \"Lake Clinic\"\nreminders_zone = \"{zone}\"\nreminders_address = \"https://clinic.example\"\nreminders_leads = [\"1h\"]\nwaitlist_offers = true\nmail_host = \"127.0.0.1\"\nmail_port = {}\nmail_security = \"none\"\nmail_from = \"desk@clinic.example\"\n",
            post.port
        ),
    );
    let start = || Serving::start(&place, &["--config", "own.toml"]);
    let server = start();
    furnish(&server, zone, (now, at));
    drop(server);
    // One that comes up looks at once: what was freed before that was promised to nobody. Then the visit is called
    // off, and the server is killed before it looks again.
    post.is_silent.store(true, Ordering::SeqCst);
    let server = start();
    std::thread::sleep(Duration::from_secs(5));
    put(&server, "Appointment/visit", &visit(at, "cancelled"));
    drop(server);
    // The next finds what was freed, and is killed with the letter in the hands of the mail server.
    let server = start();
    let first = post.wait_for("a time is free").remove(0);
    drop(server);
    assert_eq!(first.to, "<bob@mail.example>");
    post.is_silent.store(false, Ordering::SeqCst);
    post.letters.lock().unwrap().clear();
    // The last does not know whether it went out: it goes out again, as the same message.
    let server = start();
    let again = post.wait_for("a time is free");
    assert_eq!((again.len(), &again[0].id, &again[0].to), (1, &first.id, &first.to));
    let link = again[0].text.split("https://clinic.example").nth(1).unwrap().trim();
    let page = server.ask("GET", link, "");
    assert!(page.contains("Lake Clinic") && !page.contains("bob"), "{page}");
    let yes = server.ask_form(link, "do=yes");
    assert!(yes.starts_with("HTTP/1.1 303"), "{yes}");
    let entry = server.ask("GET", "/fhir/Appointment/waits", "");
    assert!(entry.contains(r#""status":"booked""#), "{entry}");
    let all = post.wait_for("is yours");
    assert_eq!(all.iter().filter(|letter| letter.text.contains("is yours")).count(), 1);
    let health = server.ask("GET", "/health/ready", "");
    assert!(health.contains(r#""waitlist":{"status":"looking","faulty":0}"#), "{health}");
    assert!(server.stop());
}
