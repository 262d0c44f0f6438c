//! The inbox over HTTP: the list, one item, filing and its undo, covers, and what is in nobody's inbox.

use crate::client::{Answer, patient};
use crate::smart_site::{Site, Visitor};
use base::time::SystemClock;
use base::{Clock as _, Millis};

const FRAGMENT: [(&str, &str); 2] = [("X-Fragment", "1"), ("X-Live", "1")];

fn ago(hours: i64) -> String {
    Millis(SystemClock.now().0 - hours * 3_600_000).to_instant()
}

/// Eve treats Ada and not Bea; three results, a message and a task wait.
fn site() -> Site {
    let site = Site::guarded();
    for (id, name) in [("pr-eve", "Stone"), ("pr-mallory", "Flint")] {
        site.put(
            &format!("Practitioner/{id}"),
            &format!(
                r#"{{"resourceType":"Practitioner","id":"{id}","active":true,"name":[{{"family":"{name}","given":["Eve"]}}]}}"#
            ),
        );
    }
    site.put("Patient/bea", &patient("bea", "Hidden"));
    let team = |id: &str, of: &str| {
        format!(
            r#"{{"resourceType":"CareTeam","id":"{id}","status":"active","subject":{{"reference":"Patient/{of}"}},"participant":[{{"member":{{"reference":"Practitioner/pr-eve"}}}}]}}"#
        )
    };
    site.put("CareTeam/care", &team("care", "ada"));
    for (id, of, flag, hours) in [
        ("fine", "ada", "N", 30),
        ("fine-two", "ada", "N", 20),
        ("high", "ada", "HH", 2),
        ("secret", "bea", "HH", 1),
    ] {
        result(&site, id, of, flag, hours);
    }
    site.put(
        "Task/call",
        &format!(
            r#"{{"resourceType":"Task","id":"call","status":"requested","intent":"order","description":"Call about the referral","for":{{"reference":"Patient/ada"}},"authoredOn":"{}","owner":{{"reference":"Practitioner/pr-eve"}}}}"#,
            ago(24 * 9)
        ),
    );
    site.put(
        "Communication/ask",
        &format!(
            r#"{{"resourceType":"Communication","id":"ask","status":"in-progress","subject":{{"reference":"Patient/ada"}},"sent":"{}","sender":{{"reference":"Patient/ada"}},"recipient":[{{"reference":"Practitioner/pr-eve"}}],"payload":[{{"contentString":"May I <b>eat</b> before?"}}]}}"#,
            ago(5)
        ),
    );
    site
}

fn result(site: &Site, id: &str, of: &str, flag: &str, hours: i64) {
    let at = ago(hours);
    site.put(
        &format!("ServiceRequest/{id}-o"),
        &format!(
            r#"{{"resourceType":"ServiceRequest","id":"{id}-o","status":"completed","intent":"order","subject":{{"reference":"Patient/{of}"}},"requester":{{"reference":"Practitioner/pr-eve"}}}}"#
        ),
    );
    site.put(
        &format!("Observation/{id}-v"),
        &format!(
            r#"{{"resourceType":"Observation","id":"{id}-v","status":"final","code":{{"text":"Potassium"}},"subject":{{"reference":"Patient/{of}"}},"issued":"{at}","valueQuantity":{{"value":6.3,"unit":"mmol/L"}},"interpretation":[{{"coding":[{{"code":"{flag}"}}]}}]}}"#
        ),
    );
    site.put(
        &format!("DiagnosticReport/{id}"),
        &format!(
            r#"{{"resourceType":"DiagnosticReport","id":"{id}","basedOn":[{{"reference":"ServiceRequest/{id}-o"}}],"status":"final","code":{{"text":"Report {id}"}},"subject":{{"reference":"Patient/{of}"}},"issued":"{at}","result":[{{"reference":"Observation/{id}-v"}}]}}"#
        ),
    );
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

fn page(visitor: &mut Visitor<'_>, path: &str) -> String {
    visitor.send("GET", path, &[], "").text()
}

#[test]
fn the_list_shows_what_waits_the_gravest_first_and_nothing_of_whom_one_may_not_see() {
    let site = site();
    let mut eve = eve(&site);
    let list = page(&mut eve, "/inbox");
    let at = |text: &str| list.find(text).unwrap_or_else(|| panic!("{text}: {list}"));
    assert!(at("LOVELACE, Ann") < at("Report high") && at("Report high") < at("Report fine<"));
    assert!(at("6.3 mmol/L") < at("Report fine<"));
    for part in ["Critical", "Overdue", "Call about the referral", "File 2 normal results"] {
        at(part);
    }
    assert!(list.contains("May I &lt;b&gt;eat&lt;/b&gt; before?"), "what somebody wrote is text");
    for path in ["/inbox", "/inbox?kind=results", "/today"] {
        let shown = page(&mut eve, path);
        for hidden in ["HIDDEN", "secret", "/p/bea"] {
            assert!(!shown.contains(hidden), "{path}: {hidden}");
        }
    }
    let tasks = page(&mut eve, "/inbox?kind=tasks");
    assert!(tasks.contains("Call about") && !tasks.contains("Report high"));
    let part = eve.send("GET", "/inbox", &FRAGMENT, "").text();
    assert!(part.starts_with("<div") && part.contains("data-live=\"inbox\""), "{part}");
    assert!(page(&mut eve, "/today").contains("5 items"));
    assert!(page(&mut eve, "/p/ada").contains("Waits about this patient"));
}

#[test]
fn a_normal_result_is_filed_by_one_press_and_comes_back_by_another() {
    let site = site();
    let mut eve = eve(&site);
    let fields = [("patient", "ada"), ("result", "fine:1:1"), ("next", "high")];
    let answer = send(&mut eve, "/inbox/file", &fields);
    assert!(answer.header("location").is_some_and(|to| to.ends_with("#open-high")), "{answer:?}");
    let to = answer.header("location").expect("a way on").replace("#open-high", "");
    let list = page(&mut eve, &to);
    assert!(list.contains("Filed.") && !list.contains("Report fine<"), "{list}");
    let at = to.find("undo=").expect("an undo") + 5;
    let undo = to[at..].split('&').next().expect("its records").to_owned();
    let wrong = send(&mut eve, "/inbox/undo", &[("patient", "bea"), ("undo", &undo)]);
    assert!(eve.follow(wrong).text().contains("another patient"));
    let answer = send(&mut eve, "/inbox/undo", &[("patient", "ada"), ("undo", &undo)]);
    let list = eve.follow(answer).text();
    assert!(list.contains("Taken back.") && list.contains("Report fine<"), "{list}");
}

#[test]
fn what_is_critical_is_filed_from_its_own_page_alone() {
    let site = site();
    let mut eve = eve(&site);
    let both = [("patient", "ada"), ("result", "fine:1:1"), ("result", "high:1:1")];
    let answer = send(&mut eve, "/inbox/file", &both);
    let list = eve.follow(answer).text();
    assert!(list.contains("Open a result that is not plainly normal"), "{list}");
    assert!(list.contains("Report fine<"), "neither was filed");
    let opened = page(&mut eve, "/inbox/DiagnosticReport/high");
    for part in ["LOVELACE, Ann", "Report high", "6.3 mmol/L", "HH", "a rule of the house"] {
        assert!(opened.contains(part), "{part}: {opened}");
    }
    let path = "/inbox/DiagnosticReport/high";
    let stale = [("act", "file"), ("patient", "ada"), ("version", "7")];
    let answer = send(&mut eve, path, &stale);
    assert_eq!(answer.status, 412);
    assert!(answer.text().contains("Somebody changed it"));
    // A value that was corrected while the page was open is not filed unseen, and is marked.
    let value = site.ask(&site.all, "GET", "/Observation/high-v", "").text();
    let value = value.replace("6.3", "7.1");
    assert_eq!(site.ask(&site.all, "PUT", "/Observation/high-v", &value).status, 200);
    let fields =
        |values| [("act", "file"), ("patient", "ada"), ("version", "1"), ("values", values)];
    let answer = send(&mut eve, path, &fields("1"));
    assert_eq!(answer.status, 409);
    let shown = answer.text();
    assert!(shown.contains("7.1 mmol/L") && shown.contains("Changed just now"), "{shown}");
    let answer = send(&mut eve, path, &fields("2"));
    assert!(!eve.follow(answer).text().contains("Report high"));
    assert_eq!(eve.send("GET", path, &[], "").status, 409, "it waits no more");
}

#[test]
fn values_before_have_a_column_where_there_are_any() {
    let site = site();
    let mut eve = eve(&site);
    let path = "/inbox/DiagnosticReport/high";
    assert!(!page(&mut eve, path).contains("Before<"), "nothing was measured before");
    let value = |id: &str, at: String, value: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"text":"Leukocytes","coding":[{{"system":"http://loinc.org","code":"6690-2"}}]}},"subject":{{"reference":"Patient/ada"}},"issued":"{at}","valueQuantity":{{"value":{value},"unit":"10*3/uL"}},"interpretation":[{{"coding":[{{"code":"HH"}}]}}]}}"#
        )
    };
    site.put("Observation/old", &value("old", ago(900), "7.5"));
    let now = value("high-v", ago(2), "30.1");
    assert_eq!(site.ask(&site.all, "PUT", "/Observation/high-v", &now).status, 200);
    let opened = page(&mut eve, path);
    for part in ["Before<", "30.1 10³/µL", "7.5 10³/µL"] {
        assert!(opened.contains(part), "{part}: {opened}");
    }
}

#[test]
fn a_message_is_answered_and_an_empty_answer_keeps_what_was_there() {
    let site = site();
    let mut eve = eve(&site);
    let path = "/inbox/Communication/ask";
    let fields = |text| [("act", "reply"), ("patient", "ada"), ("version", "1"), ("text", text)];
    assert_eq!(send(&mut eve, path, &fields(" ")).status, 422);
    let answer = send(&mut eve, path, &fields("No, come fasting."));
    let list = eve.follow(answer).text();
    assert!(list.contains("Answered, and closed.") && !list.contains("/inbox/Communication/ask"));
    let found = site.ask(&site.all, "GET", "/Communication?patient=Patient/ada", "").text();
    assert!(found.contains("No, come fasting."), "{found}");
}

#[test]
fn an_item_that_may_not_be_seen_is_answered_as_none() {
    let site = site();
    let mut eve = eve(&site);
    for path in [
        "/inbox/DiagnosticReport/secret",
        "/inbox/DiagnosticReport/nobody",
        "/inbox/Observation/high-v",
        "/inbox/Patient/ada",
    ] {
        assert_eq!(eve.send("GET", path, &[], "").status, 404, "{path}");
        let fields = [("act", "file"), ("patient", "bea"), ("version", "1")];
        assert_eq!(send(&mut eve, path, &fields).status, 404, "{path}");
    }
    let other = [("act", "close"), ("patient", "bea"), ("version", "1")];
    assert_eq!(send(&mut eve, "/inbox/Task/call", &other).status, 409, "another patient's form");
    for (name, role) in [("biller", "biller"), ("it", "it-administrator")] {
        let token = crate::callers::signed_in(&site, name, &[role]);
        let mut other = Visitor::new(&site);
        other.plant("__Host-plummer-session", &token);
        assert_eq!(other.send("GET", "/inbox", &[], "").status, 404, "{role}");
    }
}

#[test]
fn a_cover_is_begun_and_ended_on_its_page() {
    let site = site();
    let mut eve = eve(&site);
    let today = ago(0)[..10].to_owned();
    let of = |until| {
        [("whose", "for-me"), ("other", "pr-mallory"), ("from", today.as_str()), ("until", until)]
    };
    assert_eq!(send(&mut eve, "/inbox/cover", &of("2020-01-01")).status, 422);
    let answer = send(&mut eve, "/inbox/cover", &of("2099-01-01"));
    assert_eq!(answer.status, 422, "longer than a year");
    let answer = send(&mut eve, "/inbox/cover", &of(&today));
    let shown = eve.follow(answer).text();
    assert!(shown.contains("Eve Flint") && shown.contains("End it now"), "{shown}");
    let at = shown.find("name=\"id\" value=\"").expect("an id") + 17;
    let id = shown[at..].split('"').next().expect("its end").to_owned();
    let answer = send(&mut eve, "/inbox/cover/end", &[("id", &id), ("version", "1")]);
    assert!(!eve.follow(answer).text().contains("End it now"));
}
