//! The pages about people over HTTP: who is shown them, what a form changes and what it refuses, that two
//! who work on one thing are told, and that neither a name nor a password stands where it should not.

use crate::client::{Answer, read_log};
use crate::smart_site::{Site, Visitor, value};
use audit::event::Kind;
use identity::{PrincipalId, Profile, Secret};

const PASSWORD: &str = "tulpen in rotterdam";

fn person(site: &Site, name: &str, roles: &[&str]) -> PrincipalId {
    let profile = Profile {
        name: name.to_owned(),
        display: format!("{name} Somebody"),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        practitioner: Some(format!("pr-{name}")),
        ..Profile::default()
    };
    let made = site.smart.identity().create_person(profile, &Secret::from(PASSWORD), false);
    made.unwrap().id
}

fn visitor<'s>(site: &'s Site, name: &str) -> Visitor<'s> {
    let mut visitor = Visitor::new(site);
    visitor.open("/auth/sign-in");
    assert_eq!(visitor.sign_in_for(name, "").status, 200);
    visitor
}

/// Sends a form of a page, with what the page put into it.
fn send(visitor: &mut Visitor<'_>, page: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
    let form = visitor.send("GET", page, &[], "").field("form").expect("a form");
    let all = [("form", form.as_str())].into_iter().chain(fields.iter().copied());
    let all: Vec<_> = all.map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
    visitor.post(to, &all, &[])
}

fn version(site: &Site, id: PrincipalId) -> String {
    site.smart.identity().principal(id).unwrap().version.to_string()
}

fn roles(site: &Site, id: PrincipalId) -> Vec<String> {
    site.smart.identity().principal(id).unwrap().profile.roles
}

#[test]
fn an_administrator_makes_a_person_whose_first_password_is_shown_once_and_opens_its_change_alone() {
    let site = Site::guarded();
    person(&site, "root", &["it-administrator"]);
    let mut root = visitor(&site, "root");
    let fields = [("display", "Maya Chen"), ("name", "maya"), ("role", "nurse")];
    let page = send(&mut root, "/admin/users/new", "/admin/users/new", &fields);
    assert_eq!(page.status, 200, "{}", page.text());
    let text = page.text();
    let drawn = text.split("data-copy=\"").nth(2).unwrap().split('"').next().unwrap().to_owned();
    let made = site.smart.identity().find_by_name("maya").unwrap().unwrap();
    assert_eq!(made.profile.roles, ["nurse"]);
    let one = root.send("GET", &format!("/admin/users/{}", made.id), &[], "").text();
    assert!(one.contains("Invited") && !one.contains(&drawn));
    let mut maya = Visitor::new(&site);
    maya.open("/auth/sign-in");
    let answer = maya.post_sign_in("maya", &drawn, "");
    assert!(maya.cookie("__Host-plummer-session").is_none(), "{}", answer.text());
    // Sent twice, nothing is made twice; what was typed stays.
    let again = send(&mut root, "/admin/users/new", "/admin/users/new", &fields);
    assert_eq!(again.status, 409);
    let text = again.text();
    assert!(text.contains("has this sign-in name already") && text.contains("value=\"Maya Chen\""));
    let odd = [("display", "X"), ("name", "!"), ("role", "")];
    assert_eq!(send(&mut root, "/admin/users/new", "/admin/users/new", &odd).status, 400);
}

#[test]
fn a_role_is_given_by_the_form_that_was_read_and_a_stale_one_is_told() {
    let site = Site::guarded();
    person(&site, "root", &["it-administrator"]);
    let nina = person(&site, "nina", &["nurse"]);
    let mut root = visitor(&site, "root");
    let at = format!("/admin/users/{nina}");
    let before = version(&site, nina);
    let grant = |version: &str, reason: &'static str| {
        [
            ("do", "grant".to_owned()),
            ("version", version.to_owned()),
            ("role", "him".to_owned()),
            ("reason", reason.to_owned()),
        ]
    };
    let sent = grant(&before, "stands in for Otto");
    let sent: Vec<_> = sent.iter().map(|(n, v)| (*n, v.as_str())).collect();
    let done = send(&mut root, &at, &at, &sent);
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(roles(&site, nina), ["nurse", "him"]);
    let page = root.follow(done).text();
    assert!(page.contains("They have the role Health information now.") && page.contains("Undo"));
    assert!(page.contains("stands in for Otto"), "the evidence");
    let stale = send(
        &mut root,
        &at,
        &at,
        &[("do", "take"), ("version", &before), ("role", "him"), ("reason", "back again")],
    );
    assert_eq!(stale.status, 409);
    assert!(stale.text().contains("Somebody else changed this since you read it"));
    assert_eq!(roles(&site, nina), ["nurse", "him"]);
    let now = version(&site, nina);
    let bare = send(
        &mut root,
        &at,
        &at,
        &[("do", "take"), ("version", &now), ("role", "him"), ("reason", "")],
    );
    assert_eq!(bare.status, 400);
}

#[test]
fn who_is_locked_is_out_at_once_and_nobody_locks_themselves() {
    let site = Site::guarded();
    let root_id = person(&site, "root", &["it-administrator"]);
    let nina = person(&site, "nina", &["nurse"]);
    let mut root = visitor(&site, "root");
    let mut nurse = visitor(&site, "nina");
    let at = format!("/admin/users/{nina}");
    let lock = |version: String| {
        [("do", "lock".to_owned()), ("version", version), ("reason", "left the house".to_owned())]
    };
    let sent = lock(version(&site, nina));
    let sent: Vec<_> = sent.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(send(&mut root, &at, &at, &sent).status, 303);
    assert_eq!(nurse.send("GET", "/today", &[], "").status, 303, "signed out");
    assert!(root.send("GET", &at, &[], "").text().contains("left the house"));
    let own = format!("/admin/users/{root_id}");
    let sent = lock(version(&site, root_id));
    let sent: Vec<_> = sent.iter().map(|(n, v)| (*n, v.as_str())).collect();
    assert_eq!(send(&mut root, &own, &own, &sent).status, 403);
    assert_eq!(root.send("GET", "/today", &[], "").status, 200, "still here");
}

#[test]
fn who_may_not_is_answered_as_if_there_were_no_such_page() {
    let site = Site::guarded();
    let nina = person(&site, "nina", &["nurse"]);
    person(&site, "ada-auditor", &["auditor"]);
    let mut nurse = visitor(&site, "nina");
    let one = format!("/admin/users/{nina}");
    for path in [
        "/admin/users",
        "/admin/users/new",
        one.as_str(),
        "/admin/access",
        "/admin/access/review",
        "/admin/access/export",
        "/audit",
        "/audit/export",
        "/audit/events/1",
        "/review",
        "/review/0000000000000000",
    ] {
        assert_eq!(nurse.send("GET", path, &[], "").status, 404, "{path}");
    }
    let page = nurse.send("GET", "/today", &[], "").text();
    assert!(!page.contains("/admin/users") && !page.contains("\"/audit\""), "not offered");
    // An auditor looks at all of it, and is offered no change.
    let mut auditor = visitor(&site, "ada-auditor");
    for path in
        ["/admin/users", one.as_str(), "/admin/access", "/admin/access/review", "/audit", "/review"]
    {
        let page = auditor.send("GET", path, &[], "");
        assert_eq!(page.status, 200, "{path}");
        assert!(
            !page.text().contains("value=\"lock\"") && !page.text().contains("Still needed"),
            "{path}"
        );
    }
    let sent = [("do", "lock"), ("version", "1"), ("reason", "left the house")];
    let form = auditor.send("GET", "/admin/users", &[], "").field("form").unwrap();
    let mut all = vec![("form".to_owned(), form)];
    all.extend(sent.map(|(n, v)| (n.to_owned(), v.to_owned())));
    assert_eq!(auditor.post(&one, &all, &[]).status, 404);
    assert!(site.smart.identity().principal(nina).unwrap().disabled.is_none());
}

#[test]
fn the_log_is_narrowed_by_an_address_without_a_name_and_handed_out_as_a_file() {
    let site = Site::guarded();
    let nina = person(&site, "nina", &["nurse"]);
    person(&site, "paula", &["privacy-officer"]);
    visitor(&site, "nina").send("GET", "/audit", &[], "");
    let mut paula = visitor(&site, "paula");
    let to = send(&mut paula, "/audit", "/audit", &[("who", "nina"), ("decision", "deny")]);
    let address = to.header("location").unwrap().to_owned();
    assert!(address.ends_with(&format!("/audit?who={nina}&decision=deny")), "{address}");
    let page = paula.follow(to).text();
    assert!(page.contains("nina Somebody") && page.contains("Turned away"), "{page}");
    let by_name = paula.send("GET", "/audit?who=nina&decision=deny", &[], "").text();
    assert!(by_name.contains("nina Somebody") && by_name.contains("Turned away"), "{by_name}");
    let odd = send(&mut paula, "/audit", "/audit", &[("who", "nobody here")]);
    assert_eq!((odd.status, odd.header("location")), (400, None));
    assert!(odd.text().contains("Nobody signs in by this name."));
    let number = page.split("/audit/events/").nth(1).unwrap().split('"').next().unwrap();
    let one = paula.send("GET", &format!("/audit/events/{number}"), &[], "");
    assert!(one.text().contains("On what grounds") && one.text().contains("Hash"));
    let path = format!("/audit/export?format=csv&who={nina}");
    let file = paula.send("GET", &path, &[], "");
    assert_eq!(file.header("content-disposition"), Some("attachment; filename=\"access-log.csv\""));
    let text = file.text();
    assert!(text.starts_with("number,time,who") && text.contains("nina"), "{text}");
    let lines = paula.send("GET", &path.replace("csv", "ndjson"), &[], "").text();
    assert!(lines.lines().count() > 1 && lines.lines().all(|line| line.contains("\"AuditEvent\"")));
}

#[test]
fn two_who_work_on_one_case_are_told_and_nobody_sees_the_case_about_themselves() {
    let site = Site::guarded();
    for name in ["paula", "petra"] {
        person(&site, name, &["privacy-officer"]);
    }
    let both = person(&site, "er", &["clinician", "privacy-officer"]);
    site.put("Patient/bea", &crate::client::patient("bea", "Hidden"));
    let opened = match site
        .smart
        .identity()
        .begin("er", &Secret::from(PASSWORD), std::net::Ipv4Addr::LOCALHOST.into())
        .unwrap()
    {
        identity::Step::Done(opened) => opened,
        identity::Step::SecondFactor(_) => panic!("there is no second factor"),
    };
    let reason = r#"{"resourceType":"Parameters","parameter":[{"name":"reason","valueString":"unconscious in the emergency room"}]}"#;
    let broken =
        site.ask(opened.token.text().expose(), "POST", "/Patient/bea/$break-glass", reason);
    assert_eq!(broken.status, 200, "{}", broken.text());
    let mut paula = visitor(&site, "paula");
    let list = paula.send("GET", "/review", &[], "").text();
    assert!(list.contains("Broken glass") && list.contains("er Somebody"), "{list}");
    let id = list.split("href=\"/review/").nth(1).unwrap().split('"').next().unwrap().to_owned();
    let at = format!("/review/{id}");
    let mut petra = visitor(&site, "petra");
    let ask = |note| [("do", "ask"), ("known", "1"), ("note", note)];
    assert_eq!(send(&mut paula, &at, &at, &ask("asked by phone, due on Friday")).status, 303);
    let late = send(&mut petra, &at, &at, &ask("asked by letter, due on Monday"));
    assert_eq!(late.status, 409);
    let text = late.text();
    assert!(
        text.contains("Somebody else changed this")
            && text.contains("asked by letter, due on Monday"),
        "what was typed stays"
    );
    assert!(text.contains("asked by phone, due on Friday"), "what stands now is shown");
    let bare =
        send(&mut petra, &at, &at, &[("do", "close"), ("known", "2"), ("note", "too short")]);
    assert_eq!(bare.status, 400, "no outcome");
    let done = [
        ("do", "close"),
        ("known", "2"),
        ("outcome", "explained"),
        ("note", "the ward confirms it"),
    ];
    assert_eq!(send(&mut petra, &at, &at, &done).status, 303);
    let closed = petra.send("GET", "/review?state=closed", &[], "").text();
    assert!(closed.contains(&id) && closed.contains("Explained"));
    // The one it is about decides cases, too, and finds none.
    let mut own = visitor(&site, "er");
    assert_eq!(own.send("GET", &at, &[], "").status, 404);
    assert!(!own.send("GET", "/review?state=closed", &[], "").text().contains(&id));
    assert!(own.send("GET", &format!("/admin/users/{both}"), &[], "").status == 200);
}

#[test]
fn a_review_of_access_is_kept_as_evidence_and_who_asks_for_a_role_to_go_takes_nothing() {
    let site = Site::guarded();
    let paula = person(&site, "paula", &["privacy-officer"]);
    let nina = person(&site, "nina", &["nurse"]);
    let mut officer = visitor(&site, "paula");
    let at = "/admin/access/review";
    let (who, own) = (nina.to_string(), paula.to_string());
    let decide = |who: &str, known: &str, does: &str, role: &str| {
        [
            ("who", who),
            ("known", known),
            ("version", "1"),
            ("role", role),
            ("do", does),
            ("reason", "left the ward in May"),
        ]
        .map(|(n, v)| (n, v.to_owned()))
    };
    let mut sent = |fields: [(&'static str, String); 6]| {
        let fields = fields.each_ref().map(|(n, v)| (*n, v.as_str()));
        send(&mut officer, at, at, &fields)
    };
    assert_eq!(sent(decide(&who, "0", "certify", "nurse")).status, 303);
    assert_eq!(sent(decide(&who, "0", "take", "nurse")).status, 409, "decided since");
    assert_eq!(sent(decide(&who, "1", "take", "nurse")).status, 303);
    assert_eq!(sent(decide(&own, "0", "certify", "privacy-officer")).status, 403, "one's own");
    assert_eq!(roles(&site, nina), ["nurse"]);
    let file = officer.send("GET", "/admin/access/export?state=to-take", &[], "").text();
    let rows: Vec<_> = file.lines().skip(1).collect();
    assert_eq!(rows.len(), 2, "{file}");
    assert!(
        rows[0].contains("certified,paula")
            && rows[1].contains("to-take,paula,left the ward in May")
    );
    let events = read_log(site.dir.path()).map(Result::unwrap);
    let decided = events.filter(|entry| entry.event.kind == Kind::AccessReviewed).count();
    assert_eq!(decided, 3, "two that were kept, and the one about oneself");
}

#[test]
fn why_somebody_sees_something_is_told_with_the_policies_and_no_name_stands_in_an_address() {
    let site = Site::guarded();
    person(&site, "paula", &["privacy-officer"]);
    let mut paula = visitor(&site, "paula");
    let asked = [("who", "eve"), ("action", "read"), ("record", "Patient"), ("patient", "ada")];
    let page = send(&mut paula, "/admin/access", "/admin/access", &asked);
    let text = page.text();
    assert_eq!((page.status, page.header("location")), (200, None));
    assert!(
        text.contains("Permitted")
            && text.contains("treats the patient")
            && text.contains("clinician"),
        "{text}"
    );
    let asked =
        [("who", "eve"), ("action", "delete"), ("record", "Condition/none"), ("patient", "")];
    let page = send(&mut paula, "/admin/access", "/admin/access", &asked);
    assert_eq!(page.status, 400);
    assert!(
        page.text().contains("No record of this type has this id.")
            && page.text().contains("value=\"eve\"")
    );
    for (record, patient) in [("Nothing", ""), ("Condition/a b", ""), ("", "a b")] {
        let asked = [("who", "eve"), ("action", "read"), ("record", record), ("patient", patient)];
        assert_eq!(send(&mut paula, "/admin/access", "/admin/access", &asked).status, 400);
    }
}

#[test]
fn a_session_is_ended_by_its_owner_or_an_administrator_and_by_nobody_else() {
    let site = Site::guarded();
    person(&site, "root", &["it-administrator"]);
    let nina = person(&site, "nina", &["nurse"]);
    let mut first = visitor(&site, "nina");
    let mut second = visitor(&site, "nina");
    let mut stranger = visitor(&site, "eve");
    let open = site.smart.identity().sessions(nina);
    let (newest, oldest) = (open[0].id.to_string(), open[1].id.to_string());
    let at = "/admin/sessions";
    assert_eq!(send(&mut stranger, at, at, &[("do", "own"), ("session", &oldest)]).status, 303);
    let who = nina.to_string();
    let ends = [("do", "end"), ("who", who.as_str()), ("session", &oldest)];
    assert_eq!(send(&mut stranger, at, at, &ends).status, 403);
    assert_eq!(first.send("GET", "/today", &[], "").status, 200, "not ended by strangers");
    assert_eq!(send(&mut second, at, at, &[("do", "own"), ("session", &oldest)]).status, 303);
    assert_eq!(first.send("GET", "/today", &[], "").status, 303, "ended by its owner");
    let ends = [("do", "end"), ("who", who.as_str()), ("session", &newest)];
    let mut root = visitor(&site, "root");
    assert_eq!(send(&mut root, at, at, &ends).status, 303);
    assert_eq!(second.send("GET", "/today", &[], "").status, 303, "ended by an administrator");
    let page = stranger.send("GET", at, &[], "").text();
    assert!(page.contains("Where you are signed in") && !page.contains("Everybody"));
}

#[test]
fn confirming_leads_back_to_the_page_it_was_asked_for_and_to_no_other_server() {
    let site = Site::guarded();
    let mut eve = visitor(&site, "eve");
    for (next, expected) in [
        ("/admin/users", "/admin/users"),
        ("//evil.example", "/auth/factors"),
        ("https://evil.example/", "/auth/factors"),
        ("", "/auth/factors"),
    ] {
        let page = eve.send("GET", &format!("/auth/confirm?next={next}"), &[], "");
        let kept = page.field("next").unwrap_or_default();
        assert_eq!(kept.is_empty(), expected == "/auth/factors", "{next}");
        let form = page.field("form").unwrap();
        let fields = [("form", form.as_str()), ("next", next), ("password", PASSWORD)];
        let fields = fields.map(|(n, v)| (n.to_owned(), v.to_owned()));
        let answer = eve.post("/auth/confirm", &fields, &[]);
        let to = answer.header("location").expect("an address");
        assert_eq!(to, format!("{}{expected}", site.own), "{next}");
        assert!(value(to, "next").is_none());
    }
}

#[test]
fn a_long_list_of_people_has_pages_and_what_was_typed_stays_over_them() {
    let site = Site::guarded();
    person(&site, "root", &["it-administrator"]);
    let identity = site.smart.identity();
    for number in 0..230 {
        let name = format!("nurse-{number:03}");
        let display = format!("Nurse {number:03}");
        let profile = Profile { name, display, ..Profile::default() };
        identity.create(identity::Kind::Person, profile).unwrap();
    }
    let mut root = visitor(&site, "root");
    let here = "/admin/users";
    let page = |root: &mut Visitor<'_>, at: &str| {
        send(root, here, here, &[("q", "nurse"), ("page", at)]).text()
    };
    let has = |text: &str, number: usize| text.contains(&format!(">Nurse {number:03}<"));
    let first = page(&mut root, "0");
    assert!(first.contains("1 to 100 of 230") && has(&first, 0) && has(&first, 99));
    assert!(!has(&first, 100) && first.contains("name=\"q\" value=\"nurse\""));
    let last = page(&mut root, "2");
    assert!(last.contains("201 to 230 of 230") && has(&last, 229) && !has(&last, 199));
    // Behind the last, and what is no number, is a page all the same.
    assert!(has(&page(&mut root, "99999999999999999999"), 0));
    assert!(has(&page(&mut root, "77"), 229));
    let narrowed = send(&mut root, here, here, &[("q", "nurse 007")]).text();
    assert!(has(&narrowed, 7) && !narrowed.contains(" of 230"));
}
