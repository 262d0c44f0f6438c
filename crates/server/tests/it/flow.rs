//! The day's visits over HTTP: the board, its steps and their undo, the wall, and checking somebody in.

use crate::client::{Answer, patient};
use crate::smart_site::{Site, Visitor};
use base::Clock as _;
use base::Millis;
use base::time::SystemClock;

const FRAGMENT: [(&str, &str); 2] = [("X-Fragment", "1"), ("X-Live", "1")];

/// A visit of today: it begins now.
fn visit(id: &str, of: &str, status: &str) -> String {
    let now = SystemClock.now();
    let end = Millis(now.0 + 30 * 60_000);
    format!(
        r#"{{"resourceType":"Appointment","id":"{id}","status":"{status}","description":"Follow-up","start":"{}","end":"{}","participant":[{{"actor":{{"reference":"Patient/{of}"}},"required":"required","status":"needs-action"}},{{"actor":{{"reference":"Practitioner/pr-eve"}},"status":"accepted"}}]}}"#,
        now.to_instant(),
        end.to_instant()
    )
}

fn site() -> Site {
    let site = Site::guarded();
    site.put("Practitioner/pr-eve", r#"{"resourceType":"Practitioner","id":"pr-eve","name":[{"family":"Stone","given":["Eve"],"prefix":["Dr."]}]}"#);
    site.put("Patient/bea", &patient("bea", "Hidden"));
    site.put("Appointment/of-ada", &visit("of-ada", "ada", "booked"));
    site
}

fn eve(site: &Site) -> Visitor<'_> {
    let mut visitor = Visitor::new(site);
    visitor.open("/auth/sign-in");
    visitor.sign_in_for("eve", "");
    visitor
}

fn send(visitor: &mut Visitor<'_>, path: &str, fields: &[(&str, &str)]) -> Answer {
    let form = visitor.send("GET", "/settings", &[], "").field("form").expect("a form");
    let mut all = vec![("form".to_owned(), form)];
    all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    visitor.post(path, &all, &[])
}

fn step(visitor: &mut Visitor<'_>, version: &str, to: &str) -> Answer {
    let fields = [("id", "of-ada"), ("patient", "ada"), ("version", version), ("to", to)];
    send(visitor, "/flow/step", &fields)
}

/// The column in which somebody stands, by its id.
fn lane_of(page: &str, name: &str) -> Option<String> {
    let before = &page[..page.find(name)?];
    let at = before.rfind("<section class=\"lane lane-")? + "<section class=\"lane lane-".len();
    before[at..].split('"').next().map(str::to_owned)
}

fn version(site: &Site) -> String {
    let text = site.ask(&site.all, "GET", "/Appointment/of-ada", "").text();
    let at = text.find("\"versionId\":\"").expect("a version") + 13;
    text[at..].split('"').next().unwrap().to_owned()
}

#[test]
fn a_visit_goes_from_column_to_column_and_each_step_can_be_taken_back() {
    let site = site();
    let mut eve = eve(&site);
    let board = eve.send("GET", "/flow", &[], "").text();
    assert_eq!(lane_of(&board, "LOVELACE, Ann").as_deref(), Some("expected"), "{board}");
    assert!(board.contains("Dr. Eve Stone") && board.contains("/p/ada/check-in/of-ada"));
    for (to, lane) in
        [("arrived", "arrived"), ("roomed", "roomed"), ("with-clinician", "with"), ("done", "done")]
    {
        let answer = step(&mut eve, &version(&site), to);
        assert_eq!(answer.status, 303, "{}", answer.text());
        let page = eve.follow(answer).text();
        assert_eq!(lane_of(&page, "LOVELACE, Ann").as_deref(), Some(lane), "{to}");
        assert!(page.contains("action=\"/flow/undo\""), "{to}");
        assert!(lane == "done" || page.contains("data-since="), "{to}: minutes are counted");
    }
    // The last one back, by the form of the page.
    let page = {
        let answer = step(&mut eve, &version(&site), "done");
        eve.follow(answer)
    };
    drop(page);
    let now = version(&site);
    let before = (now.parse::<u64>().unwrap() - 1).to_string();
    let fields = [("id", "of-ada"), ("version", now.as_str()), ("before", before.as_str())];
    let answer = send(&mut eve, "/flow/undo", &fields);
    let page = eve.follow(answer).text();
    assert_eq!(lane_of(&page, "LOVELACE, Ann").as_deref(), Some("with"), "{page}");
    assert!(page.contains("Taken back."));
}

#[test]
fn a_visit_that_was_changed_meanwhile_is_not_changed_over_somebodys_head() {
    let site = site();
    let mut eve = eve(&site);
    let seen = version(&site);
    assert_eq!(step(&mut eve, &seen, "arrived").status, 303);
    // Another window still shows the visit as expected.
    let answer = step(&mut eve, &seen, "no-show");
    let page = eve.follow(answer).text();
    assert!(page.contains("The visit was changed meanwhile"), "{page}");
    assert_eq!(lane_of(&page, "LOVELACE, Ann").as_deref(), Some("arrived"));
    // The same button twice is one step.
    let now = version(&site);
    let answer = step(&mut eve, &seen, "arrived");
    assert!(!eve.follow(answer).text().contains("was changed meanwhile"));
    assert_eq!(version(&site), now);
}

#[test]
fn a_form_about_another_patient_than_the_visit_is_refused() {
    let site = site();
    let mut eve = eve(&site);
    let before = version(&site);
    let fields =
        [("id", "of-ada"), ("patient", "bea"), ("version", before.as_str()), ("to", "arrived")];
    assert_eq!(send(&mut eve, "/flow/step", &fields).status, 409);
    assert_eq!(eve.send("GET", "/p/bea/check-in/of-ada", &[], "").status, 404);
    assert_eq!(version(&site), before);
}

#[test]
fn whom_one_may_not_see_is_on_no_board() {
    let site = site();
    site.put("Appointment/of-bea", &visit("of-bea", "bea", "arrived").replace("pr-eve", "pr-none"));
    let mut eve = eve(&site);
    for path in ["/flow", "/flow/wall?names=1", "/today"] {
        let page = eve.send("GET", path, &[], "").text();
        assert!(page.contains("LOVELACE"), "{path}");
        for hidden in ["HIDDEN", "of-bea", "/p/bea"] {
            assert!(!page.contains(hidden), "{path}: {hidden}");
        }
    }
}

#[test]
fn the_wall_shows_initials_and_nothing_by_which_somebody_is_known() {
    let site = site();
    let mut eve = eve(&site);
    let wall = eve.send("GET", "/flow/wall", &[], "").text();
    assert!(wall.contains("A.L."), "{wall}");
    for known in ["LOVELACE", "Ann", "/p/ada", "Follow-up", "action=\"/flow"] {
        assert!(!wall.contains(known), "{known}");
    }
    let named = eve.send("GET", "/flow/wall?names=1", &[], "").text();
    assert!(named.contains("LOVELACE, Ann") && !named.contains("/p/ada"));
}

#[test]
fn a_script_is_given_the_part_that_stirred_and_no_sign_in_page() {
    let site = site();
    let mut eve = eve(&site);
    for (path, id) in [("/flow", "flow"), ("/flow/wall", "flow"), ("/today", "today-visits")] {
        let part = eve.send("GET", path, &FRAGMENT, "").text();
        assert!(part.starts_with("<div") && part.contains(&format!("id=\"{id}\"")), "{part}");
        assert!(part.contains("data-live=\"visits\"") && !part.contains("<html"), "{path}");
    }
    assert_eq!(Visitor::new(&site).send("GET", "/flow", &FRAGMENT, "").status, 401);
}

#[test]
fn who_checks_somebody_in_confirms_who_it_is() {
    let site = site();
    let mut eve = eve(&site);
    let path = "/p/ada/check-in/of-ada";
    let page = eve.send("GET", path, &[], "").text();
    for part in ["LOVELACE, Ann", "Is it this person?", "No coverage is recorded"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let seen = version(&site);
    let unsure = send(&mut eve, path, &[("version", &seen)]);
    assert_eq!(unsure.status, 400);
    assert!(unsure.text().contains("Confirm that it is this person"), "{}", unsure.text());
    assert_eq!(version(&site), seen, "nothing was done");
    let answer = send(&mut eve, path, &[("version", &seen), ("confirmed", "yes")]);
    let page = eve.follow(answer).text();
    assert_eq!(lane_of(&page, "LOVELACE, Ann").as_deref(), Some("arrived"), "{page}");
    assert!(eve.send("GET", path, &[], "").text().contains("Already checked in"));
    let today = eve.send("GET", "/today", &[], "").text();
    assert!(today.contains("1 waiting"), "{today}");
}

#[test]
fn who_is_not_shown_what_a_visit_is_for_takes_its_steps_and_leaves_that_as_it_is() {
    let site = site();
    let token = crate::callers::signed_in(&site, "robin", &["front-desk"]);
    let mut desk = Visitor::new(&site);
    desk.plant("__Host-plummer-session", &token);
    let board = desk.send("GET", "/flow", &[], "").text();
    assert!(board.contains("LOVELACE, Ann") && !board.contains("Follow-up"), "{board}");
    let path = "/p/ada/check-in/of-ada";
    let seen = version(&site);
    let answer = send(&mut desk, path, &[("version", &seen), ("confirmed", "yes")]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let page = desk.follow(answer).text();
    assert_eq!(lane_of(&page, "LOVELACE, Ann").as_deref(), Some("arrived"), "{page}");
    assert!(!page.contains("Follow-up"), "nor is it told by the answer");
    let stored = site.ask(&site.all, "GET", "/Appointment/of-ada", "").text();
    assert!(stored.contains("\"description\":\"Follow-up\""), "{stored}");
    assert!(!stored.contains("SUBSETTED"), "{stored}");
    // And back again.
    let (now, before) = (version(&site), seen);
    let fields = [("id", "of-ada"), ("version", now.as_str()), ("before", before.as_str())];
    let answer = send(&mut desk, "/flow/undo", &fields);
    let page = desk.follow(answer).text();
    assert_eq!(lane_of(&page, "LOVELACE, Ann").as_deref(), Some("expected"), "{page}");
    let stored = site.ask(&site.all, "GET", "/Appointment/of-ada", "").text();
    assert!(stored.contains("\"description\":\"Follow-up\""), "{stored}");
}

#[test]
fn a_visit_stands_alike_wherever_it_is_shown() {
    let site = crate::arrival::made(crate::smart_site::Making::default());
    let mut eve = eve(&site);
    let mut pages = || {
        ["/today", "/p/lou/check-in/of-lou", "/p/lou", "/appointments/of-lou"]
            .map(|path| (path, eve.send("GET", path, &[], "").text()))
    };
    for (path, page) in pages() {
        assert!(page.contains("<span>Booked</span>"), "{path}: {page}");
        assert!(!page.contains("confirmed by the patient"), "{path}");
    }
    let stored = site.ask(&site.all, "GET", "/Appointment/of-lou", "").text();
    let said = stored.replacen("\"needs-action\"", "\"accepted\"", 1);
    assert_eq!(site.ask(&site.all, "PUT", "/Appointment/of-lou", &said).status, 200);
    for (path, page) in pages() {
        assert!(page.contains("<span>Booked</span>"), "{path}: {page}");
        assert!(page.contains("confirmed by the patient"), "{path}: {page}");
    }
}
