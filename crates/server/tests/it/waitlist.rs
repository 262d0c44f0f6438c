//! The waiting list over HTTP, by forms and by links: put on, offered, taken, and that a form or a link of one
//! patient does nothing for another.

use crate::client::Answer;
use crate::schedule::{and, booked, carried, clinic, clinic_of, eve, path};
use crate::smart_site::{Making, Site, Visitor, cared_for, value};
use base::Clock as _;
use base::time::SystemClock;
use identity::{Kind, Profile, Secret};
use record::{Linked, Session, Subject};
use scheduling::book::waitlist::{self, Means, Offers};
use scheduling::book::{self, House};
use scheduling::waitlist::Waves;

/// Somebody else who comes, with a name that is known again.
fn and_bob(site: &Site) {
    site.put("Patient/bob", &cared_for("bob", "Barlow"));
}

/// Who keeps the book.
fn fay(site: &Site) -> Visitor<'_> {
    let profile = Profile {
        name: "fay".to_owned(),
        display: "Fay Someone".to_owned(),
        roles: vec!["front-desk".to_owned()],
        ..Profile::default()
    };
    let person = site.smart.identity().create(Kind::Person, profile).unwrap();
    let password = Secret::from("tulpen in rotterdam");
    site.smart.identity().set_password(person.id, &password, None).unwrap();
    let mut visitor = Visitor::new(site);
    visitor.open("/auth/sign-in");
    visitor.sign_in_for("fay", "");
    visitor
}

fn put_on(visitor: &mut Visitor<'_>, who: &str) -> Answer {
    let page = visitor.send("GET", &format!("/waitlist/add?patient={who}"), &[], "");
    let fields = carried(&page, &["form", "patient", "form_id"]);
    visitor.post(
        "/waitlist/add",
        &and(fields, &[("type", "talk"), ("urgency", "soon"), ("notice", "0"), ("day", "0")]),
        &[],
    )
}

/// Calls Ada's visit off; the page that says so.
fn called_off(site: &Site, visitor: &mut Visitor<'_>, day: &str) -> Answer {
    let id = value(day, "of").unwrap();
    let page = visitor.send("GET", &format!("/appointments/{id}"), &[], "");
    let fields = carried(&page, &["form", "version", "patient"]);
    let done = visitor.post(
        &format!("/appointments/{id}/cancel"),
        &and(fields, &[("because", "pat")]),
        &[],
    );
    visitor.send("GET", &path(site, &done), &[], "")
}

fn operator(site: &Site) -> Session {
    site.record.session(Subject::operator(), [5; 16])
}

fn wish(patient: &str) -> waitlist::Wish {
    waitlist::Wish {
        patient: patient.to_owned(),
        visit_type: "talk".to_owned(),
        urgency: scheduling::waitlist::Urgency::Routine,
        seen_by: None,
        sites: Vec::new(),
        with: Vec::new(),
        weekdays: Vec::new(),
        times: None,
        earliest: None,
        latest: None,
        notice_minutes: 0,
        instead_of: None,
    }
}

#[test]
fn a_freed_time_goes_by_telephone_to_who_waits() {
    let site = clinic();
    and_bob(&site);
    let mut visitor = fay(&site);
    let empty = visitor.send("GET", "/waitlist", &[], "");
    assert!(empty.text().contains("Nobody waits"), "{}", empty.text());
    let refused = {
        let page = visitor.send("GET", "/waitlist/add?patient=bob", &[], "");
        let fields = carried(&page, &["form", "patient", "form_id"]);
        let odd = [("type", "talk"), ("from_time", "11:00"), ("until_time", "10:00")];
        visitor.post("/waitlist/add", &and(fields, &odd), &[])
    };
    assert_eq!(refused.status, 422, "{}", refused.text());
    assert!(refused.text().contains("value=\"11:00\""), "what was typed is kept");
    // On every day of the week, so that it does not matter on which this runs.
    let page = visitor.send("GET", "/waitlist/add?patient=bob", &[], "");
    let fields = carried(&page, &["form", "patient", "form_id"]);
    let fields = and(fields, &[("type", "talk"), ("urgency", "urgent")]);
    let put = visitor.post("/waitlist/add", &fields, &[]);
    let again = visitor.post("/waitlist/add", &fields, &[]);
    assert_eq!((put.status, again.status), (303, 303), "{} {}", put.text(), again.text());
    assert_eq!(path(&site, &put), "/waitlist?done=put");
    let list = visitor.send("GET", "/waitlist", &[], "");
    assert_eq!(
        list.text().matches("BARLOW, Ann").count(),
        2,
        "once, and for who hears: {}",
        list.text()
    );
    let twice = put_on(&mut visitor, "bob");
    assert_eq!(twice.status, 422, "{}", twice.text());

    let day = booked(&site, &mut visitor);
    let freed = called_off(&site, &mut visitor, &day);
    assert!(freed.text().contains("1 person waits whom the freed time suits."), "{}", freed.text());
    let fields = vec![
        ("form".to_owned(), freed.field("form").unwrap()),
        ("of".to_owned(), freed.field("of").unwrap()),
        ("v".to_owned(), freed.field("v").unwrap()),
    ];
    let offered = visitor.post("/waitlist/offer", &fields, &[]);
    assert_eq!(path(&site, &offered), "/waitlist?done=offered");
    let again = visitor.post("/waitlist/offer", &fields, &[]);
    assert_eq!(path(&site, &again), "/waitlist?done=offered", "the same round");
    let page = visitor.send("GET", "/waitlist", &[], "");
    assert!(page.text().contains("Call now, hold until "), "{}", page.text());
    let grid = visitor.send("GET", day.split("&done").next().unwrap(), &[], "");
    assert!(grid.text().contains("Offered to who waits"), "{}", grid.text());
    // The page of the cancellation, read again, leads to what is out.
    let told = visitor.send(
        "GET",
        &format!(
            "/schedule?site=Location/main&done=cancelled&of={}&v={}",
            fields[1].1, fields[2].1
        ),
        &[],
        "",
    );
    assert!(
        told.text().contains("The freed time is offered to those who wait."),
        "{}",
        told.text()
    );

    let carried = carried(&page, &["form", "key", "entry"]);
    let other = [("patient", "ada"), ("do", "yes")];
    let other = visitor.post("/waitlist/answer", &and(carried.clone(), &other), &[]);
    assert_eq!(other.status, 412, "{}", other.text());
    let yes = and(carried.clone(), &[("patient", "bob"), ("do", "yes")]);
    let taken = visitor.post("/waitlist/answer", &yes, &[]);
    assert_eq!(path(&site, &taken), "/waitlist?done=taken");
    let late = visitor.post("/waitlist/answer", &yes, &[]);
    assert_eq!(late.status, 409, "{}", late.text());
    let page = visitor.send("GET", &format!("/appointments/{}", carried[2].1), &[], "");
    assert!(
        page.text().contains("BARLOW, Ann") && page.text().contains("Booked"),
        "{}",
        page.text()
    );
    let list = visitor.send("GET", "/waitlist", &[], "");
    let mut clinician = eve(&site);
    let mine = clinician.send("GET", "/waitlist", &[], "");
    assert!(!mine.text().contains("Has it"), "who does not keep the book sees no round");
    assert!(
        list.text().contains("Nobody waits") && list.text().contains("Has it"),
        "{}",
        list.text()
    );
}

#[test]
fn an_entry_is_changed_and_taken_off_at_its_version_and_for_its_patient() {
    let site = clinic();
    and_bob(&site);
    let mut visitor = fay(&site);
    assert_eq!(put_on(&mut visitor, "bob").status, 303);
    let list = visitor.send("GET", "/waitlist", &[], "");
    let at = list.text().find("href=\"/waitlist/").unwrap() + "href=\"".len();
    let entry = list.text()[at..].split('"').next().unwrap().to_owned();
    let page = visitor.send("GET", &entry, &[], "");
    assert!(page.text().contains("value=\"0\" checked"), "Monday: {}", page.text());
    let fields = carried(&page, &["form", "version"]);
    let more = [("type", "talk"), ("urgency", "urgent"), ("from_time", "15:30")];
    let other = and(and(fields.clone(), &more), &[("patient", "ada")]);
    assert_eq!(visitor.post(&entry, &other, &[]).status, 412);
    let own = and(and(fields, &more), &[("patient", "bob")]);
    let changed = visitor.post(&entry, &own, &[]);
    assert_eq!(path(&site, &changed), "/waitlist?done=changed");
    assert_eq!(visitor.post(&entry, &own, &[]).status, 412, "the version is stale");
    let list = visitor.send("GET", "/waitlist", &[], "");
    assert!(list.text().contains("15:30–23:59") && list.text().contains("As soon as possible"));
    let page = visitor.send("GET", &entry, &[], "");
    let fields = and(carried(&page, &["form", "version"]), &[("patient", "bob")]);
    let removed = visitor.post(&format!("{entry}/remove"), &fields, &[]);
    assert_eq!(path(&site, &removed), "/waitlist?done=removed");
    assert_eq!(visitor.send("GET", &entry, &[], "").status, 404);
}

/// A round that two are asked in, and their links.
fn round(site: &Site, visitor: &mut Visitor<'_>) -> (Offers, [String; 2]) {
    and_bob(site);
    site.put("Patient/cy", &cared_for("cy", "Cole"));
    let session = operator(site);
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let day = booked(site, visitor);
    runtime.block_on(async {
        for who in ["bob", "cy"] {
            waitlist::put(&session, &wish(who), &format!("w-{who}")).await.unwrap();
        }
        let id = value(&day, "of").unwrap();
        let shown = book::appointment(&session, &id).await.unwrap();
        let done = book::cancel(&session, &id, shown.version, "pat").await.unwrap();
        let freed = waitlist::freed(&session, &id, done.visit.version).await.unwrap().unwrap();
        let waves = Waves { size: 2, minutes: 30 };
        let house = House::default();
        let begun = waitlist::begin(&session, &house, &freed, waves, Means::Messages);
        let begun = begun.await.unwrap().unwrap();
        // As whoever sends the messages does.
        let offers = waitlist::look(&session, &begun.key).await.unwrap();
        let link = |nth: usize, patient: &str| {
            let linked = Linked {
                appointment: offers.asked[nth].0.clone(),
                patient: patient.to_owned(),
                ends: offers.span.start,
                round: Some(offers.key.clone()),
                is_kiosk: false,
                is_handed: false,
            };
            format!("/v/{}", session.draw_link(&linked).unwrap())
        };
        let links = [link(0, "bob"), link(1, "cy")];
        (offers, links)
    })
}

#[test]
fn the_first_link_that_says_yes_has_the_time_and_shows_nothing_of_the_patient() {
    let site = clinic();
    let mut visitor = fay(&site);
    let (offers, [bob, cy]) = round(&site, &mut visitor);
    assert!(offers.span.start > SystemClock.now());
    let say = |link: &str, act: &str| {
        site.send("POST", link, &[("Content-Type", "application/x-www-form-urlencoded")], act)
    };
    let page = site.send("GET", &bob, &[], "");
    let text = page.text();
    assert!(text.contains("A free time") && text.contains("Yes, I take it"), "{text}");
    for hidden in ["BARLOW", "Barlow", "Eve Stone", "Follow-up", "bob"] {
        assert!(!text.contains(hidden), "{hidden}: {text}");
    }
    assert_eq!(say(&bob, "do=confirm").status, 400, "an answer of another kind of link");
    assert_eq!(say(&cy, "do=yes").status, 303);
    assert!(site.send("GET", &cy, &[], "").text().contains("The time is yours."));
    assert_eq!(say(&cy, "do=yes").status, 303, "said twice is said once");
    assert_eq!(say(&bob, "do=yes").status, 303);
    let late = site.send("GET", &bob, &[], "");
    assert!(late.text().contains("This time is gone."), "{}", late.text());
    let list = visitor.send("GET", "/waitlist", &[], "");
    assert!(
        list.text().contains("BARLOW, Ann") && list.text().contains("Has it"),
        "{}",
        list.text()
    );
}

#[test]
fn who_cannot_have_the_time_is_told_why_and_the_next_has_it() {
    let site = clinic();
    let mut visitor = fay(&site);
    let (offers, [bob, cy]) = round(&site, &mut visitor);
    let say = |link: &str, act: &str| {
        site.send("POST", link, &[("Content-Type", "application/x-www-form-urlencoded")], act)
    };
    let (start, end) = (offers.span.start.to_instant(), offers.span.end.to_instant());
    let other = format!(
        r#"{{"resourceType":"Appointment","id":"else","status":"booked","start":"{start}","end":"{end}","participant":[{{"actor":{{"reference":"Patient/bob"}},"status":"accepted"}},{{"actor":{{"reference":"Practitioner/other"}},"status":"accepted"}}]}}"#
    );
    site.put("Practitioner/other", r#"{"resourceType":"Practitioner","id":"other"}"#);
    site.put("Appointment/else", &other);
    assert_eq!(say(&bob, "do=yes").status, 303);
    let page = site.send("GET", &bob, &[], "");
    assert!(page.text().contains("You have another appointment at this time."), "{}", page.text());
    assert!(!page.text().contains("value=\"yes\"") && page.text().contains("value=\"no\""));
    // The desk, which says yes for them, is told the same.
    let page = visitor.send("GET", "/waitlist", &[], "");
    let fields = carried(&page, &["form", "key"]);
    let (entry, _) = &offers.asked[0];
    let yes = [("entry", entry.as_str()), ("patient", "bob"), ("do", "yes")];
    let refused = visitor.post("/waitlist/answer", &and(fields, &yes), &[]);
    assert_eq!(refused.status, 409, "{}", refused.text());
    let says = "The patient has another appointment at this time";
    assert!(refused.text().contains(says), "{}", refused.text());
    assert_eq!(say(&cy, "do=yes").status, 303);
    assert!(site.send("GET", &cy, &[], "").text().contains("The time is yours."));
}

#[test]
fn where_times_are_offered_by_themselves_the_pages_say_so() {
    let tune = |config: &mut server::Config| config.offers_by_itself = true;
    let site = clinic_of(Site::with(Making { tune, ..Making::default() }));
    and_bob(&site);
    let mut visitor = fay(&site);
    assert_eq!(put_on(&mut visitor, "bob").status, 303);
    let day = booked(&site, &mut visitor);
    let freed = called_off(&site, &mut visitor, &day);
    let text = freed.text();
    assert!(
        text.contains("It is offered by itself") && text.contains("href=\"/waitlist\""),
        "{text}"
    );
    let away = visitor.send(
        "GET",
        "/schedule/absence?with=Practitioner/pr-eve&date=2030-03-04&done=bulk&m=a~2~1",
        &[],
        "",
    );
    assert!(
        away.text().contains("not offered to the waiting list by themselves"),
        "{}",
        away.text()
    );
}

#[test]
fn what_the_desk_offers_by_message_is_not_said_to_be_asked_before_it_is() {
    let tune = |config: &mut server::Config| config.offers_by_message = true;
    let site = clinic_of(Site::with(Making { tune, ..Making::default() }));
    and_bob(&site);
    let mut visitor = fay(&site);
    assert_eq!(put_on(&mut visitor, "bob").status, 303);
    let day = booked(&site, &mut visitor);
    let freed = called_off(&site, &mut visitor, &day);
    let offered = visitor.post("/waitlist/offer", &carried(&freed, &["form", "of", "v"]), &[]);
    assert_eq!(path(&site, &offered), "/waitlist?done=rests");
    let page = visitor.send("GET", "/waitlist?done=rests", &[], "");
    for said in ["It is offered by message: soon", "The next are asked soon", "By message"] {
        assert!(page.text().contains(said), "{said}: {}", page.text());
    }
    assert!(!page.text().contains("Asked, answer until"), "{}", page.text());
}

#[test]
fn an_entry_whose_later_visit_is_called_off_is_still_changed_by_its_form() {
    let site = clinic();
    let mut visitor = fay(&site);
    let day = booked(&site, &mut visitor);
    let id = value(&day, "of").unwrap();
    let page = visitor.send("GET", &format!("/waitlist/add?patient=ada&instead={id}"), &[], "");
    let fields = carried(&page, &["form", "patient", "form_id", "instead"]);
    let put = visitor.post("/waitlist/add", &and(fields, &[("type", "talk")]), &[]);
    assert_eq!(put.status, 303, "{}", put.text());
    called_off(&site, &mut visitor, &day);
    let list = visitor.send("GET", "/waitlist", &[], "");
    let at = list.text().find("href=\"/waitlist/").unwrap() + "href=\"".len();
    let entry = list.text()[at..].split('"').next().unwrap().to_owned();
    let page = visitor.send("GET", &entry, &[], "");
    assert!(page.text().contains("wanted earlier no longer stands"), "{}", page.text());
    let fields = and(carried(&page, &["form", "patient", "version"]), &[("type", "talk")]);
    let changed = visitor.post(&entry, &fields, &[]);
    assert_eq!(changed.status, 303, "{}", changed.text());
}
