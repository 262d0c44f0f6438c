//! The console over HTTP: who gets in and how, what a page may show, what it tells the browser, and that
//! nothing of a patient stands in an address.

use crate::callers::{ROLES, signed_in};
use crate::client::{Answer, patient, read_log};
use crate::smart_site::{Making, Site, Visitor, value};
use audit::event::Kind;
use console::{Demo, DemoPerson, Who};
use identity::Secret;
use std::collections::HashSet;
use std::fmt::Write as _;

const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// A site with a demo of two people; the password of the second is not hers any more.
fn demo() -> Site {
    let person = |name: &str, password: &str| DemoPerson {
        name: name.to_owned(),
        role: "clinician".to_owned(),
        display: format!("{name} Someone"),
        password: Secret::new(password.to_owned()),
    };
    let people = vec![person("eve", "tulpen in rotterdam"), person("mallory", "an older password")];
    Site::with(Making { demo: Some(Demo { people }), ..Making::default() })
}

/// Presses the button of somebody of the demo.
fn press<'s>(site: &'s Site, who: &str, next: &str) -> (Visitor<'s>, Answer) {
    let mut visitor = Visitor::new(site);
    let page = visitor.send("GET", "/welcome", &[], "");
    let form = page.field("form").expect("a form");
    let fields = [("form", form.as_str()), ("who", who), ("next", next)];
    let fields = fields.map(|(n, v)| (n.to_owned(), v.to_owned()));
    let own = site.own.clone();
    let answer = visitor.post("/welcome", &fields, &[("Origin", &own)]);
    (visitor, answer)
}

/// Somebody who is signed in at a site without a demo.
fn eve(site: &Site) -> Visitor<'_> {
    let mut visitor = Visitor::new(site);
    visitor.open("/auth/sign-in");
    let page = visitor.sign_in_for("eve", "");
    assert_eq!(page.status, 200, "{}", page.text());
    visitor
}

fn find(visitor: &mut Visitor<'_>, typed: &str, headers: &[(&str, &str)]) -> Answer {
    let form = visitor.send("GET", "/find", &[], "").field("form").expect("a form");
    let fields = [("form", form.as_str()), ("q", typed)];
    visitor.post("/find", &fields.map(|(n, v)| (n.to_owned(), v.to_owned())), headers)
}

#[test]
fn one_click_signs_in_and_leads_to_today() {
    let site = demo();
    let (mut visitor, answer) = press(&site, "eve", "");
    let today = format!("{}/today", site.own);
    assert_eq!((answer.status, answer.header("location")), (303, Some(today.as_str())));
    let page = visitor.send("GET", "/today", &[], "");
    assert_eq!(page.status, 200);
    let text = page.text();
    assert!(text.contains("eve Someone") && text.contains("This is a demo."), "{text}");
    assert!(!text.contains("tulpen"), "no page holds a password");
    // Out again, to where somebody else can be chosen.
    let form = page.field("form").expect("a form");
    let out = visitor.post("/auth/sign-out", &[("form".to_owned(), form)], &[]);
    let welcome = format!("{}/welcome", site.own);
    assert_eq!(out.header("location"), Some(welcome.as_str()));
    assert_eq!(visitor.send("GET", "/today", &[], "").header("location"), Some(welcome.as_str()));
}

#[test]
fn one_click_leads_on_to_the_page_that_was_wanted_and_to_no_other_server() {
    let site = demo();
    let mut visitor = Visitor::new(&site);
    let sent = visitor.send("GET", "/p/ada", &[], "");
    let to = sent.header("location").expect("an address").to_owned();
    assert_eq!(to, format!("{}/welcome?next=/p/ada", site.own));
    for (next, expected) in [
        ("/p/ada", "/p/ada"),
        ("https://evil.example/", "/today"),
        ("//evil.example", "/today"),
        ("/\\evil.example", "/today"),
    ] {
        let (_, answer) = press(&site, "eve", next);
        let expected = format!("{}{expected}", site.own);
        assert_eq!(answer.header("location"), Some(expected.as_str()), "{next}");
    }
}

#[test]
fn a_password_that_was_changed_is_not_got_round() {
    let site = demo();
    let (mut visitor, answer) = press(&site, "mallory", "");
    let back = format!("{}/welcome?changed=1", site.own);
    assert_eq!(answer.header("location"), Some(back.as_str()));
    assert!(visitor.cookie("__Host-plummer-session").is_none());
    let page = visitor.send("GET", "/welcome?changed=1", &[], "");
    assert!(page.text().contains("was changed since"));
    let (_, answer) = press(&site, "nobody of the demo", "");
    assert_eq!(answer.status, 400);
}

#[test]
fn without_a_demo_there_is_nobody_to_be() {
    let site = Site::guarded();
    assert_eq!(site.send("GET", "/welcome", &[], "").status, 404);
    let mut visitor = eve(&site);
    let page = visitor.send("GET", "/today", &[], "");
    assert!(!page.text().contains("This is a demo."));
    let form = page.field("form").expect("a form");
    let fields = [("form", form.as_str()), ("who", "mallory")];
    let fields = fields.map(|(n, v)| (n.to_owned(), v.to_owned()));
    assert_eq!(visitor.post("/welcome", &fields, &[]).status, 404);
}

#[test]
fn who_signs_in_comes_to_today_or_to_where_they_wanted() {
    let site = Site::guarded();
    let mut visitor = Visitor::new(&site);
    let page = visitor.open("/p/ada");
    assert!(page.text().contains("Sign-in name"));
    assert_eq!(page.field("next").as_deref(), Some("/p/ada"));
    let page = visitor.sign_in_for("eve", "/p/ada");
    assert!(page.text().contains("LOVELACE, Ann"), "{}", page.text());
    let root = visitor.send("GET", "/", &[], "");
    assert_eq!(root.header("location"), Some(format!("{}/today", site.own).as_str()));
}

#[test]
fn a_patient_is_shown_under_the_callers_own_scope() {
    let site = Site::guarded();
    let page = eve(&site).send("GET", "/p/ada", &[], "");
    let text = page.text();
    assert_eq!(page.status, 200);
    for part in ["LOVELACE, Ann", "Lovelace-1", "Not known", "None is shown to you"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(!text.contains("Who saw this record"), "a clinician is not shown the log");
}

#[test]
fn what_may_not_be_seen_is_answered_as_what_is_not_there_to_the_byte() {
    let site = Site::guarded();
    // No clinician of hers is eve.
    site.put("Patient/bea", &patient("bea", "Hidden"));
    let mut visitor = eve(&site);
    for (hidden, missing) in [("/p/bea", "/p/zzz"), ("/p/bea/accesses", "/p/zzz/accesses")] {
        let (hidden, missing) =
            (visitor.send("GET", hidden, &[], ""), visitor.send("GET", missing, &[], ""));
        assert_eq!((hidden.status, missing.status), (404, 404));
        assert_eq!(hidden.text(), missing.text());
        let plain = |answer: &Answer| {
            let mut all = answer.headers.clone();
            all.retain(|(name, _)| !matches!(name.as_str(), "date" | "x-request-id"));
            all
        };
        assert_eq!(plain(&hidden), plain(&missing));
        assert!(!hidden.text().contains("Hidden"));
    }
    assert!(!find(&mut visitor, "hidden", &[]).text().contains("HIDDEN"));
}

#[test]
fn a_patient_is_found_by_what_is_known_of_them_and_no_name_stands_in_an_address() {
    let site = Site::guarded();
    let ada = patient("born", "Noether").replacen(
        '{',
        "{\"birthDate\":\"1882-03-23\",\"telecom\":[{\"system\":\"phone\",\"value\":\"(608) 555-0123\"}],\"generalPractitioner\":[{\"reference\":\"Practitioner/pr-eve\"}],",
        1,
    );
    site.put("Patient/born", &ada);
    let mut visitor = eve(&site);
    for typed in
        ["noeth", "Noether, Ann", "23 mar 1882", "3/23/1882 noe", "Noether-1", "608 555 0123"]
    {
        let page = find(&mut visitor, typed, &[]);
        assert_eq!((page.status, page.header("location")), (200, None), "{typed}");
        let text = page.text();
        assert!(text.contains("NOETHER, Ann") && text.contains("/p/born"), "{typed}: {text}");
        for part in text.split("href=\"").chain(text.split("action=\"")).skip(1) {
            let address = part.split('"').next().unwrap().to_lowercase();
            assert!(!address.contains("noeth") && !address.contains("1882"), "{address}");
        }
    }
    let page = find(&mut visitor, "nobody at all", &[]);
    assert!(page.text().contains("No patient was found for you"));
    // What is asked for by an address is not looked for.
    let page = visitor.send("GET", "/find?q=noether", &[], "");
    assert!(!page.text().contains("NOETHER"));
}

#[test]
fn a_script_is_given_the_rows_alone_and_a_browser_without_one_the_page() {
    let site = Site::guarded();
    let mut visitor = eve(&site);
    let rows = find(&mut visitor, "love", &[("X-Fragment", "1")]);
    assert_eq!((rows.status, rows.header("vary")), (200, Some("X-Fragment")));
    let text = rows.text();
    assert!(text.starts_with("<div class=\"list\" role=\"listbox\"") && text.contains("LOVELACE"));
    let page = find(&mut visitor, "love", &[]).text();
    assert!(page.starts_with("<!DOCTYPE html>") && page.contains("LOVELACE"));
}

#[test]
fn people_of_one_name_are_marked_as_such() {
    let site = Site::guarded();
    let twin = |id: &str| {
        patient(id, "Twin").replacen(
            '{',
            "{\"generalPractitioner\":[{\"reference\":\"Practitioner/pr-eve\"}],",
            1,
        )
    };
    site.put("Patient/t1", &twin("t1"));
    site.put("Patient/t2", &twin("t2"));
    let mut visitor = eve(&site);
    assert!(find(&mut visitor, "twin", &[]).text().contains("Same name"));
    assert!(!find(&mut visitor, "love", &[]).text().contains("Same name"));
}

#[test]
fn no_form_is_taken_without_its_own_text_or_from_another_origin() {
    let site = Site::guarded();
    let mut visitor = eve(&site);
    let form = visitor.send("GET", "/settings", &[], "").field("form").expect("a form");
    let fields = |form: &str, value: &str| {
        vec![("form".to_owned(), form.to_owned()), ("theme".to_owned(), value.to_owned())]
    };
    for (form, headers) in [
        ("", vec![]),
        ("made-up", vec![]),
        (form.as_str(), vec![("Origin", "https://evil.example")]),
        (form.as_str(), vec![("Origin", "null")]),
    ] {
        let answer = visitor.post("/settings", &fields(form, "dark"), &headers);
        assert!((400..500).contains(&answer.status), "{form} {headers:?}: {}", answer.status);
        assert!(visitor.cookie("__Host-plummer-theme").is_none(), "{form} {headers:?}");
    }
    // Another's form is not ours either.
    let other = eve(&site).send("GET", "/settings", &[], "").field("form").expect("a form");
    assert_eq!(visitor.post("/settings", &fields(&other, "dark"), &[]).status, 401);
    let answer = visitor.post("/settings", &fields(&form, "dark"), &[("Origin", &site.own)]);
    assert_eq!(answer.status, 303);
    let page = visitor.send("GET", "/settings?saved=1", &[], "");
    assert!(page.text().contains("data-theme=\"dark\"") && page.text().contains("Saved"));
    visitor.plant("__Host-plummer-theme", "\"><script>");
    assert!(visitor.send("GET", "/settings", &[], "").text().contains("data-theme=\"system\""));
}

#[test]
fn pages_are_in_the_language_that_was_chosen_or_that_the_browser_asks_for() {
    let site = Site::guarded();
    let mut visitor = eve(&site);
    let spanish = ("Accept-Language", "es-MX,es;q=0.9,en;q=0.8");
    assert!(visitor.send("GET", "/today", &[spanish], "").text().contains("<html lang=\"es\""));
    visitor.plant("__Host-plummer-language", "en");
    assert!(visitor.send("GET", "/today", &[spanish], "").text().contains("<html lang=\"en\""));
}

#[test]
fn files_of_pages_are_kept_for_good_and_another_version_of_one_is_not_there() {
    let site = Site::guarded();
    let page = eve(&site).send("GET", "/today", &[], "").text();
    let addresses: HashSet<&str> =
        page.split('"').filter(|part| part.starts_with("/assets/")).collect();
    assert_eq!(addresses.len(), 5, "{addresses:?}");
    for address in addresses {
        let answer = site.send("GET", address, &[], "");
        assert_eq!(answer.status, 200, "{address}");
        let kept = answer.header("cache-control").expect("a rule");
        assert!(kept.contains("immutable"), "{kept}");
        let etag = answer.header("etag").expect("a name").to_owned();
        let again = site.send("GET", address, &[("If-None-Match", &etag)], "");
        assert_eq!((again.status, again.body.len()), (304, 0));
        let other = address.replacen("/assets/", "/assets/0", 1);
        assert_eq!(site.send("GET", &other, &[], "").status, 404);
    }
    assert!(
        !page.contains("style=") && !page.contains("<script>") && !page.contains("javascript:")
    );
    assert!(!page.contains(" onclick") && !page.contains("<style"));
}

#[test]
fn who_lacks_a_second_factor_sees_no_page() {
    let site = Site::with(Making { demand: &["clinician"], ..Making::default() });
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/sign-in");
    visitor.sign_in_for("eve", "");
    let factors = format!("{}/auth/factors", site.own);
    for path in ["/", "/today", "/p/ada", "/find", "/settings", "/gallery"] {
        let answer = visitor.send("GET", path, &[], "");
        assert_eq!(answer.header("location"), Some(factors.as_str()), "{path}");
        assert!(answer.body.is_empty());
    }
}

#[test]
fn a_token_that_is_no_browsers_opens_no_page() {
    let site = Site::guarded();
    let bearer = format!("Bearer {}", site.all);
    let cookie = format!("__Host-plummer-session={}", site.all);
    for headers in [[("Authorization", bearer.as_str())], [("Cookie", cookie.as_str())]] {
        let answer = site.send("GET", "/p/ada", &headers, "");
        assert_eq!(answer.status, 303, "{headers:?}");
        let to = answer.header("location").expect("an address");
        assert_eq!(value(to, "next").as_deref(), Some("/p/ada"));
    }
}

/// The events that requests with this id left. A refusal does not wait for its own; the log is in order,
/// so what an answer waits for that is asked afterwards stands behind it.
fn kinds(site: &Site, request: &str) -> Vec<&'static str> {
    assert_eq!(site.send("GET", "/fhir/metadata", &[], "").status, 200);
    let id = base::id::uuid_bytes(request).expect("an id");
    let log = read_log(site.dir.path()).map(Result::unwrap);
    log.filter(|entry| entry.event.request == id).map(|entry| entry.event.kind.name()).collect()
}

/// Every address of the console, by every role, with the events it leaves. The rows come from the
/// console's own table, so an address that nobody has looked at fails here.
#[test]
fn every_page_is_answered_as_reviewed_for_every_role_and_leaves_its_event() {
    let site = crate::machine::housed();
    let mut callers = vec![("nobody".to_owned(), String::new())];
    for role in ROLES {
        callers.push((role.to_owned(), signed_in(&site, &format!("in-{role}"), &[role])));
    }
    let mut text = "# Every address of the console, and how each kind of caller who is signed in in a browser is answered: the\n# status, the events left, and who. Patients are Ada's own; the patient is Ada. A form without its own\n# text is refused, so what a POST does is told by tests of its own.\n\n".to_owned();
    let mut number = 0;
    for route in console::ROUTES {
        let who = match route.who {
            Who::Anybody => "anybody",
            Who::SignedIn => "signed in",
        };
        writeln!(text, "{} {} ({who})", route.method, route.path).unwrap();
        let path = route.path.replace("{id}", "ada").replace("{hash}", "0").replace("{name}", "x");
        let path = path.replace("{type}", "Organization");
        let path = path.replace("{appointment}", "of-ada");
        let is_place = path.starts_with("/admin/places");
        // A chart: none of these records is there.
        let path = path
            .replace("{encounter}", "e1")
            .replace("{what}", "problem")
            .replace("{type}", "Condition")
            .replace("{record}", "c1")
            .replace("{note}", "n1")
            .replace("{kind}", if is_place { "site" } else { "treatment" })
            .replace("{language}", "en")
            .replace("{consent}", "c1");
        let mut said: Vec<(String, Vec<&str>)> = Vec::new();
        for (name, token) in &callers {
            number += 1;
            let request = format!("00000000-0000-7000-8000-00000000{number:04x}");
            let cookie = format!("__Host-plummer-session={token}; __Host-plummer-browser=b");
            let headers = [FORM, ("Cookie", cookie.as_str()), ("X-Request-Id", request.as_str())];
            // What does not end is asked for its head.
            let method = if path == console::EVENTS { "HEAD" } else { route.method };
            let answer = site.send(method, &path, &headers, "form=none");
            let events = kinds(&site, &request);
            assert!(!events.is_empty(), "{} {path} left no event of {name}", route.method);
            let outcome = format!("{} {}", answer.status, events.join(","));
            match said.iter_mut().find(|(known, _)| *known == outcome) {
                Some((_, names)) => names.push(name),
                None => said.push((outcome, vec![name])),
            }
        }
        for (outcome, mut names) in said {
            if names.len() == callers.len() {
                names = vec!["everybody"];
            }
            writeln!(text, "  {outcome:<64} {}", names.join("; ")).unwrap();
        }
    }
    testkit::golden::hold(env!("CARGO_MANIFEST_DIR"), "console.txt", &text);
}

#[test]
fn every_kind_of_console_answer_has_the_headers_as_reviewed() {
    const CHANGING: [&str; 6] =
        ["date", "x-request-id", "location", "content-length", "etag", "set-cookie"];
    let site = Site::guarded();
    let mut visitor = eve(&site);
    let page = visitor.send("GET", "/today", &[], "");
    let style = page.text().split('"').find(|part| part.ends_with(".css")).unwrap().to_owned();
    let form = page.field("form").unwrap();
    let settings = [("form".to_owned(), form), ("theme".to_owned(), "light".to_owned())];
    let answers = [
        ("a page", page),
        ("a piece", find(&mut visitor, "love", &[("X-Fragment", "1")])),
        ("nothing there", visitor.send("GET", "/p/none", &[], "")),
        ("nothing anywhere", visitor.send("GET", "/wat", &[("Accept", "text/html")], "")),
        ("on to another", visitor.send("GET", "/", &[], "")),
        ("a choice", visitor.post("/settings", &settings, &[])),
        ("no such method", visitor.send("DELETE", "/today", &[], "")),
        ("a file", site.send("GET", &style, &[], "")),
        (
            "another origin",
            visitor.send("GET", "/today", &[("Origin", "https://evil.example")], ""),
        ),
    ];
    let mut out = String::new();
    for (what, answer) in answers {
        writeln!(out, "{what}: {}", answer.status).unwrap();
        let mut headers = answer.headers.clone();
        headers.sort();
        for (name, value) in headers {
            let value = if CHANGING.contains(&name.as_str()) { "…" } else { &value };
            writeln!(out, "  {name}: {value}").unwrap();
        }
        out.push('\n');
    }
    testkit::golden::hold(env!("CARGO_MANIFEST_DIR"), "console-headers.txt", &out);
}

#[test]
fn a_page_that_shows_a_patient_leaves_the_event_of_the_reading() {
    let site = Site::guarded();
    let mut visitor = eve(&site);
    let request = "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0042";
    visitor.send("GET", "/p/ada", &[("X-Request-Id", request)], "");
    let id = base::id::uuid_bytes(request).unwrap();
    let log = read_log(site.dir.path()).map(Result::unwrap);
    let own: Vec<_> = log.map(|entry| entry.event).filter(|e| e.request == id).collect();
    let read = own.iter().find(|event| event.kind == Kind::Read).expect("a reading");
    assert_eq!(read.patients, ["ada"]);
    assert_ne!(read.actor, audit::event::ANONYMOUS);
}
