//! The console's pages about the machine, and a house that nobody administers yet: who sees what, what is
//! kept, and that a claimed house knows nothing of claims any more.

use crate::callers::signed_in;
use crate::client::{Answer, read_log};
use crate::smart_site::{Making, Site, Visitor};
use base::{Fault, Millis};
use console::machine::{Finding, Grade, Item, Job, JobKind, JobState, Origin, Setting};
use server::{House, HouseFacts};
use std::sync::{Arc, Mutex};

/// A house made by hand.
#[derive(Debug, Default)]
pub(crate) struct Hut {
    said: Mutex<Vec<(Item, String, Millis)>>,
    jobs: Mutex<Vec<Job>>,
}

impl House for Hut {
    fn findings(&self) -> Vec<Finding> {
        let finding = |code, grade, found: &str, what_to_do: &str| Finding {
            code,
            grade,
            found: found.to_owned(),
            why: String::new(),
            what_to_do: what_to_do.to_owned(),
        };
        vec![
            finding(
                "backup.age",
                Grade::Critical,
                "no backup was ever made",
                "run `plummer backup`",
            ),
            finding("clock.kept", Grade::Unknown, "nobody tells whether the clock is kept", ""),
            finding("disk.space", Grade::Fine, "half of the disk is free", ""),
        ]
    }

    fn settings(&self) -> Vec<Setting> {
        let setting = |name, value: Option<&str>, origin| Setting {
            name,
            value: value.map(str::to_owned),
            origin,
            file: None,
            about: "what it does",
            kind: "text".to_owned(),
            default: "",
            is_reread: false,
            risk: None,
        };
        vec![
            setting("listen", Some("127.0.0.1:8080"), Origin::Default),
            setting("home_site", Some("north"), Origin::Environment),
            setting("mail_password", None, Origin::File),
        ]
    }

    fn facts(&self) -> HouseFacts {
        HouseFacts { disk: Some((50_000_000_000, 100_000_000_000)), ..HouseFacts::default() }
    }

    fn jobs(&self) -> Vec<Job> {
        self.jobs.lock().unwrap().clone()
    }

    fn confirmed(&self) -> Result<Vec<(Item, String, Millis)>, Fault> {
        Ok(self.said.lock().unwrap().clone())
    }

    fn confirm(&self, item: Item, said: Option<(String, Millis)>) -> Result<(), Fault> {
        let mut all = self.said.lock().unwrap();
        all.retain(|(one, ..)| *one != item);
        all.extend(said.map(|(by, at)| (item, by, at)));
        Ok(())
    }

    fn load_demo(&self) -> Result<(), Fault> {
        self.jobs.lock().unwrap().push(Job {
            kind: JobKind::Demo,
            state: JobState::Running,
            done: 50,
            all: Some(200),
            began: None,
            ended: None,
            code: None,
        });
        Ok(())
    }
}

/// A site in a house.
pub(crate) fn housed() -> Site {
    Site::with(Making { house: Some(Arc::new(Hut::default())), ..Making::default() })
}

/// Somebody in a browser.
fn visits<'s>(site: &'s Site, name: &str, role: &str) -> Visitor<'s> {
    let mut visitor = Visitor::new(site);
    visitor.plant("__Host-plummer-session", &signed_in(site, name, &[role]));
    visitor
}

/// Sends a form of a page, with its own text.
fn send(visitor: &mut Visitor<'_>, page: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
    let form = visitor.send("GET", page, &[], "").field("form").expect("a form");
    let own = [("form", form.as_str())];
    let all = own.iter().chain(fields).map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    visitor.post(to, &all.collect::<Vec<_>>(), &[])
}

const PAGES: [&str; 6] = [
    "/admin/health",
    "/admin/jobs",
    "/admin/configuration",
    "/admin/resources",
    "/admin/resources/Organization",
    "/first/checklist",
];

#[test]
fn who_watches_over_the_machine_sees_its_pages_and_to_others_they_are_not_there() {
    let site = housed();
    let mut administrator = visits(&site, "admin", "it-administrator");
    let mut clinician = visits(&site, "doc", "clinician");
    for path in PAGES {
        assert_eq!(administrator.send("GET", path, &[], "").status, 200, "{path}");
        let other = clinician.send("GET", path, &[], "");
        assert_eq!(other.status, 404, "{path}");
        assert!(!other.text().contains("backup"), "{path}");
    }
    assert!(!clinician.send("GET", "/today", &[], "").text().contains("/admin/health"));
}

#[test]
fn health_tells_the_gravest_first_with_what_to_do_in_the_words_of_the_doctor() {
    let site = housed();
    let mut visitor = visits(&site, "admin", "it-administrator");
    let page = visitor.send("GET", "/admin/health", &[], "");
    let text = page.text();
    for part in
        ["no backup was ever made", "run `plummer backup`", "1 critical", "50.0 GB", "store.status"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    let piece = visitor.send("GET", "/admin/health", &[("X-Fragment", "1")], "").text();
    assert!(piece.starts_with("<div class=\"it-head\">") && !piece.contains("<html"), "{piece}");
}

#[test]
fn a_setting_is_told_with_its_source_and_a_secret_is_not_told() {
    let site = housed();
    let text = visits(&site, "admin", "it-administrator")
        .send("GET", "/admin/configuration", &[], "")
        .text();
    let row = |name: &str| {
        let at = text.find(&format!("id=\"setting-{name}\"")).unwrap_or_else(|| panic!("{name}"));
        text[at..].split("</tr>").next().unwrap().to_owned()
    };
    assert!(row("home_site").contains("north") && row("home_site").contains("Environment"));
    assert!(row("mail_password").contains("Secret, not shown"), "{}", row("mail_password"));
    assert!(row("listen").contains("At the next start"));
}

#[test]
fn a_resource_is_looked_at_as_form_as_json_and_by_its_versions_under_ones_own_scope() {
    let site = housed();
    let org = |name: &str| {
        format!(
            "{{\"resourceType\":\"Organization\",\"id\":\"o1\",\"name\":\"{name}\",\"partOf\":{{\"reference\":\"Organization/o2\"}}}}"
        )
    };
    site.put(
        "Organization/o2",
        &org("House")
            .replace("\"o1\"", "\"o2\"")
            .replace(",\"partOf\":{\"reference\":\"Organization/o2\"}", ""),
    );
    site.put("Organization/o1", &org("North Ward"));
    assert_eq!(site.ask(&site.all, "PUT", "/Organization/o1", &org("South Ward")).status, 200);
    let mut visitor = visits(&site, "admin", "it-administrator");
    let mut page = |path: &str| visitor.send("GET", path, &[], "");
    let here = "/admin/resources/Organization/o1";
    let form = page(here).text();
    assert!(form.contains("South Ward") && form.contains("string 0..1"), "{form}");
    assert!(form.contains("href=\"/admin/resources/Organization/o2\""), "{form}");
    assert!(page(&format!("{here}?view=json&version=1")).text().contains("North Ward"));
    let history = page(&format!("{here}?view=history")).text();
    assert!(history.contains("view=diff&amp;a=1&amp;b=2"), "{history}");
    let diff = page(&format!("{here}?view=diff&a=1&b=2")).text();
    let (removed, added) = (diff.find("<del").expect("a line"), diff.find("<ins").expect("a line"));
    assert!(
        diff[removed..].contains("North Ward") && diff[added..].contains("South Ward"),
        "{diff}"
    );
    // What is about a patient is not there, whether it is or not.
    for path in [
        "/admin/resources/Patient",
        "/admin/resources/Patient/ada",
        "/admin/resources/Nothing",
        "/admin/resources/Organization/zzz",
    ] {
        assert_eq!(page(path).status, 404, "{path}");
    }
    let ask = [("name0", "name"), ("value0", "south"), ("name1", ""), ("value1", "")];
    let to = "/admin/resources/Organization";
    let found = send(&mut visitor, to, to, &ask);
    assert_eq!((found.status, found.header("location")), (200, None));
    assert!(found.text().contains("South Ward") && !found.text().contains(">House<"));
    let wrong = send(
        &mut visitor,
        to,
        to,
        &[("name0", "address"), ("value0", "x"), ("name1", "wat"), ("value1", "kept")],
    );
    assert_eq!(wrong.status, 400, "{}", wrong.text());
    assert!(wrong.text().contains("value=\"kept\""), "what was typed is kept");
}

#[test]
fn what_is_confirmed_is_kept_with_a_name_and_what_is_measured_cannot_be_confirmed() {
    let site = housed();
    let mut visitor = visits(&site, "admin", "it-administrator");
    let here = "/first/checklist";
    let said = send(&mut visitor, here, here, &[("item", "restore"), ("done", "yes")]);
    assert_eq!(
        said.header("location"),
        Some(format!("{}{here}?said=confirmed", site.own).as_str())
    );
    let text = visitor.send("GET", here, &[], "").text();
    assert!(text.contains("Confirmed by "), "{text}");
    // A backup is measured; the clock was not found out, so somebody may say what it is like.
    for (item, status) in
        [("backup", 422), ("second-administrator", 422), ("made-up", 422), ("clock", 303)]
    {
        let answer = send(&mut visitor, here, here, &[("item", item), ("done", "yes")]);
        assert_eq!(answer.status, status, "{item}");
    }
    send(&mut visitor, here, here, &[("item", "restore"), ("done", "no")]);
    send(&mut visitor, here, here, &[("item", "clock"), ("done", "no")]);
    assert!(!visitor.send("GET", here, &[], "").text().contains("Confirmed by "));
    let log = read_log(site.dir.path()).map(Result::unwrap);
    let kinds = log.filter(|entry| entry.event.kind == audit::event::Kind::HouseChecked);
    assert_eq!(kinds.count(), 4);
    // There are records here, so no demo clinic is put among them.
    assert_eq!(send(&mut visitor, here, "/first/demo", &[]).status, 409);
}

/// The fields of a claim.
fn claim<'f>(code: &'f str, password: &'f str, again: &'f str) -> [(&'f str, &'f str); 5] {
    [
        ("code", code),
        ("name", "grace"),
        ("display", "Grace Hopper"),
        ("password", password),
        ("again", again),
    ]
}

#[test]
fn an_unclaimed_house_answers_one_page_and_whoever_has_the_code_administers_it() {
    const PASSWORD: &str = "acht tulpen im regen";
    let site = housed();
    let code = site.smart.identity().make_claim().unwrap().expect("nobody administers it");
    let mut visitor = Visitor::new(&site);
    let first = format!("{}/first", site.own);
    for path in ["/", "/today", "/find", "/p/ada", "/admin/health", "/first/checklist"] {
        let answer = visitor.send("GET", path, &[], "");
        assert_eq!(answer.header("location"), Some(first.as_str()), "{path}");
        assert!(answer.body.is_empty(), "{path}");
    }
    assert_eq!(site.send("GET", "/health/live", &[], "").status, 200);
    for (fields, status, says) in [
        (claim("AAAA-BBBB-CCCC", PASSWORD, PASSWORD), 401, "This code is not taken"),
        (claim(code.expose(), PASSWORD, "another"), 422, "are not the same"),
        (claim(code.expose(), "password", "password"), 422, "too easily guessed"),
        (claim("", PASSWORD, PASSWORD), 422, "Fill this in"),
    ] {
        let answer = send(&mut visitor, "/first", "/first", &fields);
        let text = answer.text();
        assert_eq!(answer.status, status, "{says}");
        assert!(text.contains(says) && text.contains("value=\"grace\""), "{says}: {text}");
        assert!(
            !text.contains(PASSWORD) && !text.contains(code.expose()),
            "no secret is shown again"
        );
        assert!(visitor.cookie("__Host-plummer-session").is_none());
    }
    let made = send(&mut visitor, "/first", "/first", &claim(code.expose(), PASSWORD, PASSWORD));
    let next = format!("{}/first/checklist", site.own);
    assert_eq!(
        (made.status, made.header("location")),
        (303, Some(next.as_str())),
        "{}",
        made.text()
    );
    let page = visitor.send("GET", "/first/checklist", &[], "");
    assert!(page.text().contains("Grace Hopper"), "{}", page.text());
}

#[test]
fn a_claimed_house_answers_first_as_what_is_not_there() {
    let site = housed();
    let code = site.smart.identity().make_claim().unwrap().expect("nobody administers it");
    signed_in(&site, "admin", &["it-administrator"]);
    let mut visitor = Visitor::new(&site);
    visitor.open("/auth/sign-in");
    let (here, nowhere) = (
        visitor.send("GET", "/first", &[], ""),
        visitor.send("GET", "/nowhere", &[("Accept", "text/html")], ""),
    );
    assert_eq!((here.status, here.text()), (404, nowhere.text()));
    let password = "acht tulpen im regen";
    let form = site.smart.form_text(&visitor.cookie("__Host-plummer-browser").unwrap(), "");
    let fields = claim(code.expose(), password, password);
    let all = [("form", form.as_str())];
    let all = all.iter().chain(&fields).map(|(n, v)| ((*n).to_owned(), (*v).to_owned()));
    let answer = visitor.post("/first", &all.collect::<Vec<_>>(), &[]);
    assert_eq!(answer.status, 404);
    assert!(visitor.cookie("__Host-plummer-session").is_none());
    assert!(site.smart.identity().find_by_name("grace").unwrap().is_none());
}
