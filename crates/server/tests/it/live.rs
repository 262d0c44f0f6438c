//! Being told of changes over HTTP: who is told what, when a stream ends, and what it costs nobody.

use crate::callers::signed_in;
use crate::client::{patient, read_log};
use crate::smart_site::{Site, Visitor};
use audit::event::Kind;
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::time::Duration;

/// A stream that somebody has open. What it waits for comes, or the test fails after a while.
struct Stream {
    socket: TcpStream,
    seen: String,
}

impl Stream {
    fn open(site: &Site, token: &str, path: &str, headers: &[(&str, &str)]) -> Self {
        let host = site.own.split_once("://").unwrap().1;
        let mut head = format!(
            "GET {path} HTTP/1.1\r\nHost: {host}\r\nCookie: __Host-plummer-session={token}; __Host-plummer-browser=b\r\n"
        );
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        let mut socket = TcpStream::connect(site.address).unwrap();
        socket.write_all(format!("{head}\r\n").as_bytes()).unwrap();
        socket.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
        Self { socket, seen: String::new() }
    }

    /// One that has begun.
    fn begun(site: &Site, token: &str) -> Self {
        let mut stream = Self::open(site, token, "/events", &[]);
        stream.until("event: beat");
        assert!(stream.seen.starts_with("HTTP/1.1 200"), "{}", stream.seen);
        stream
    }

    fn more(&mut self) -> usize {
        let mut bytes = [0; 4096];
        let count = self.socket.read(&mut bytes).unwrap_or_else(|e| panic!("{e}: {}", self.seen));
        self.seen.push_str(&String::from_utf8_lossy(&bytes[..count]));
        count
    }

    fn until(&mut self, what: &str) {
        while !self.seen.contains(what) {
            assert!(self.more() > 0, "it ended without {what}: {}", self.seen);
        }
    }

    /// Whether it came to a proper end, and was not broken off.
    fn until_its_end(&mut self) {
        while !self.seen.ends_with("0\r\n\r\n") {
            assert!(self.more() > 0, "it was broken off: {}", self.seen);
        }
    }

    /// The mark of the last event.
    fn mark(&self) -> String {
        let at = self.seen.rfind("id: ").unwrap();
        self.seen[at + 4..].lines().next().unwrap().to_owned()
    }
}

fn appointment(id: &str, of: &str) -> String {
    format!(
        r#"{{"resourceType":"Appointment","id":"{id}","status":"booked","description":"About the rash","start":"2026-11-23T09:30:00Z","end":"2026-11-23T10:00:00Z","participant":[{{"actor":{{"reference":"Patient/{of}","display":"Ada Secret"}},"status":"accepted"}}]}}"#
    )
}

/// Two patients: eve is a clinician of the first, and the second is hidden from her.
fn site() -> (Site, String) {
    let site = Site::guarded();
    site.put("Patient/bea", &patient("bea", "Hidden"));
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/sign-in");
    visitor.sign_in_for("eve", "");
    let token = visitor.cookie("__Host-plummer-session").unwrap();
    (site, token)
}

#[test]
fn who_may_see_a_record_is_told_that_it_changed_and_nobody_else_and_nothing_of_it() {
    let (site, token) = site();
    let mut eve = Stream::begun(&site, &token);
    let other = signed_in(&site, "alex", &["it-administrator"]);
    let mut alex = Stream::begun(&site, &other);
    site.put("Appointment/of-bea", &appointment("of-bea", "bea"));
    site.put("Slot/free", r#"{"resourceType":"Slot","id":"free","schedule":{"reference":"Schedule/s"},"status":"free","start":"2026-11-23T09:30:00Z","end":"2026-11-23T10:00:00Z"}"#);
    site.put("Appointment/of-ada", &appointment("of-ada", "ada"));
    eve.until("\"Appointment\",\"of-ada\",1]");
    assert!(eve.seen.contains("\"visits\"") && eve.seen.contains("\"calendar\""), "{}", eve.seen);
    for hidden in ["of-bea", "Secret", "rash", "2026-11-23T09"] {
        assert!(!eve.seen.contains(hidden), "{hidden}: {}", eve.seen);
    }
    // Whoever may see no appointment has heard of none by the end of their stream.
    site.put("Appointment/later", &appointment("later", "ada"));
    eve.until("\"later\",1]");
    let identity = site.smart.identity();
    identity.sign_out(&identity.find_unused(&other).unwrap()).unwrap();
    alex.until_its_end();
    assert!(!alex.seen.contains("Appointment"), "{}", alex.seen);
}

#[test]
fn many_changes_are_told_as_one_wish_to_read_anew() {
    let (site, token) = site();
    let mut eve = Stream::begun(&site, &token);
    let entries: Vec<String> = (0..70)
        .map(|n| {
            let body = appointment(&format!("n{n}"), "ada");
            format!(
                r#"{{"resource":{body},"request":{{"method":"PUT","url":"Appointment/n{n}"}}}}"#
            )
        })
        .collect();
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
        entries.join(",")
    );
    assert_eq!(site.ask(&site.all, "POST", "", &bundle).status, 200);
    eve.until("event: reload");
    eve.until("\"visits\"");
    assert!(!eve.seen.contains("event: change"), "{}", eve.seen);
}

#[test]
fn a_stream_ends_with_the_sign_in_and_when_the_role_is_another() {
    let (site, token) = site();
    let mut eve = Stream::begun(&site, &token);
    let identity = site.smart.identity();
    let caller = identity.find_unused(&token).unwrap();
    identity.sign_out(&caller).unwrap();
    eve.until_its_end();
    let again =
        site.send("GET", "/events", &[("Cookie", &format!("__Host-plummer-session={token}"))], "");
    assert_eq!(again.status, 401, "a script is not led to a page to sign in on");

    let token = signed_in(&site, "nora", &["nurse"]);
    let mut nora = Stream::begun(&site, &token);
    let principal = identity.find_unused(&token).unwrap().principal;
    let mut profile = principal.profile.clone();
    profile.roles = vec!["front-desk".to_owned()];
    identity.change(principal.id, principal.version, profile).unwrap();
    nora.until_its_end();
}

#[test]
fn a_person_has_eight_streams_and_a_place_comes_back_when_one_is_closed() {
    let (site, token) = site();
    let mut open: Vec<Stream> = (0..8).map(|_| Stream::begun(&site, &token)).collect();
    let mut ninth = Stream::open(&site, &token, "/events", &[]);
    ninth.until("server.streams.too-many");
    assert!(ninth.seen.starts_with("HTTP/1.1 429"), "{}", ninth.seen);
    // Others are not kept from theirs.
    drop(Stream::begun(&site, &signed_in(&site, "nora", &["nurse"])));
    drop(open.pop());
    for _ in 0..200 {
        let mut again = Stream::open(&site, &token, "/events", &[]);
        again.until("\r\n\r\n");
        if again.seen.starts_with("HTTP/1.1 200") {
            return;
        }
        std::thread::sleep(Duration::from_millis(50));
    }
    panic!("the place did not come back");
}

#[test]
fn who_comes_back_is_told_what_they_missed_and_a_mark_is_good_for_its_owner_alone() {
    let (site, token) = site();
    let eve = Stream::begun(&site, &token);
    let mark = eve.mark();
    drop(eve);
    site.put("Appointment/missed", &appointment("missed", "ada"));
    let mut back = Stream::open(&site, &token, "/events", &[("Last-Event-ID", &mark)]);
    back.until("\"missed\",1]");
    let mut by_page = Stream::open(&site, &token, &format!("/events?after={mark}"), &[]);
    by_page.until("\"missed\",1]");
    for bad in [mark.as_str(), "made-up"] {
        let mut other = Stream::open(
            &site,
            &signed_in(&site, &format!("nora{}", bad.len()), &["nurse"]),
            "/events",
            &[("Last-Event-ID", bad)],
        );
        other.until("event: reload");
        assert!(!other.seen.contains("missed"), "{}", other.seen);
    }
}

#[test]
fn a_stream_leaves_one_event_however_much_is_told() {
    let (site, token) = site();
    let request = "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0097";
    let mut eve = Stream::open(&site, &token, "/events", &[("X-Request-Id", request)]);
    eve.until("event: beat");
    for n in 0..3 {
        site.put(&format!("Appointment/a{n}"), &appointment(&format!("a{n}"), "ada"));
        eve.until(&format!("\"a{n}\",1]"));
    }
    let id = base::id::uuid_bytes(request).unwrap();
    let log = read_log(site.dir.path()).map(Result::unwrap).map(|entry| entry.event);
    let own: Vec<_> = log.filter(|event| event.request == id).map(|event| event.kind).collect();
    assert_eq!(own, [Kind::Followed]);
}

#[test]
fn streams_do_not_hold_up_the_end_of_the_server() {
    let (site, token) = site();
    let mut eve = Stream::begun(&site, &token);
    // It waits for what is in flight, and a stream is ended properly long before that is given up.
    drop(site);
    eve.until_its_end();
}

#[test]
fn what_a_script_asks_by_itself_is_no_use_of_the_sign_in() {
    let (site, token) = site();
    let identity = site.smart.identity();
    let caller = identity.find_unused(&token).unwrap();
    let used = || {
        let all = identity.sessions(caller.principal.id);
        all.iter().find(|session| session.id == caller.session).unwrap().used
    };
    let cookie = format!("__Host-plummer-session={token}");
    let ask = |headers: &[(&str, &str)]| {
        let mut all = vec![("Cookie", cookie.as_str())];
        all.extend(headers);
        assert_eq!(site.send("GET", "/settings", &all, "").status, 200);
    };
    let before = used();
    std::thread::sleep(Duration::from_millis(5));
    let mut eve = Stream::begun(&site, &token);
    assert_eq!(used(), before, "a browser opens a stream by itself");
    site.put("Appointment/told", &appointment("told", "ada"));
    eve.until("\"told\",1]");
    ask(&[("X-Live", "1")]);
    assert_eq!(used(), before, "neither the stream nor what is fetched for it is a use");
    std::thread::sleep(Duration::from_millis(5));
    ask(&[]);
    assert!(used() > before, "a person who opens a page uses their sign-in");
}
