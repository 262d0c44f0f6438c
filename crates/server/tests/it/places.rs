//! A new house over HTTP: claimed, set up by plain forms, and then the first patient registered and the
//! first visit booked by a front desk of a site of which nothing is stored yet. And what the forms refuse.

use crate::client::Answer;
use crate::machine::housed;
use crate::smart_site::{Site, Visitor};
use identity::{Profile, Secret, Step};

const PASSWORD: &str = "acht tulpen im regen";
const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

fn get(visitor: &mut Visitor<'_>, path: &str) -> Answer {
    visitor.send("GET", path, &[], "")
}

/// Sends the form of a page with these fields beside the hidden ones.
fn send(visitor: &mut Visitor<'_>, from: &str, to: &str, fields: &[(&str, &str)]) -> Answer {
    let page = get(visitor, from);
    let mut all: Vec<(String, String)> = Vec::new();
    for name in ["form", "entry", "about", "version"] {
        let is_given = fields.iter().any(|(field, _)| *field == name);
        if let Some(value) = page.field(name).filter(|_| !is_given) {
            all.push((name.to_owned(), value));
        }
    }
    all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    visitor.post(to, &all, &[])
}

/// Where an answer leads, without the origin.
fn path(site: &Site, answer: &Answer) -> String {
    let to = answer.header("location").unwrap_or_else(|| panic!("{}", answer.text()));
    to.strip_prefix(&site.own).expect("an address of ours").to_owned()
}

/// Adds a thing by its form; its id.
fn add(site: &Site, visitor: &mut Visitor<'_>, kind: &str, fields: &[(&str, &str)]) -> String {
    let here = format!("/admin/places/{kind}/new");
    let answer = send(visitor, &here, &here, &[fields, &[("is_active", "yes")]].concat());
    let to = path(site, &answer);
    let id = to.strip_suffix("?done=made").and_then(|to| to.rsplit('/').next());
    id.unwrap_or_else(|| panic!("{to}")).to_owned()
}

fn administrator(site: &Site) -> Visitor<'_> {
    let code = site.smart.identity().make_claim().unwrap().expect("nobody administers it");
    let mut visitor = Visitor::new(site);
    let fields = [
        ("code", code.expose()),
        ("name", "grace"),
        ("display", "Grace Hopper"),
        ("password", PASSWORD),
        ("again", PASSWORD),
    ];
    let answer = send(&mut visitor, "/first", "/first", &fields);
    assert_eq!(answer.status, 303, "{}", answer.text());
    visitor
}

/// Somebody who works for an organization.
fn staff<'s>(site: &'s Site, name: &str, role: &str, house: &str) -> Visitor<'s> {
    let identity = site.smart.identity();
    let password = Secret::new(PASSWORD.to_owned());
    let profile = Profile {
        name: name.to_owned(),
        display: format!("{name} Someone"),
        roles: vec![role.to_owned()],
        sites: vec![house.to_owned()],
        ..Profile::default()
    };
    identity.create_person(profile, &password, false).unwrap();
    let step = identity.begin(name, &password, std::net::Ipv4Addr::LOCALHOST.into()).unwrap();
    let Step::Done(opened) = step else { panic!("nobody has a second factor here") };
    let mut visitor = Visitor::new(site);
    visitor.plant("__Host-plummer-session", opened.token.text().expose());
    visitor
}

/// A house set up by forms: the ids of its organization, its site and its kind of visit.
fn set_up(site: &Site, admin: &mut Visitor<'_>) -> (String, String, String) {
    let house =
        add(site, admin, "house", &[("name", "Lakeside Clinics"), ("phone", "608 555 0100")]);
    let hours = DAYS.map(|day| (day, "0-12, 12:00-24:00"));
    let at = [
        ("name", "Main Street"),
        ("zone", "America/Chicago"),
        ("house", &house),
        ("line", "1 Main St"),
        ("city", "Madison"),
    ];
    let place = add(site, admin, "site", &[&at[..], &hours].concat());
    add(site, admin, "room", &[("name", "Room 1"), ("site", &place)]);
    let person = add(site, admin, "person", &[("given", "Maya Lin"), ("family", "Chen")]);
    let works = [("person", &*person), ("site", &place), ("house", &house), ("works", "clinician")];
    add(site, admin, "work", &works);
    let visit = [("name", "Follow-up"), ("minutes", "30"), ("with", "clinician")];
    let visit = add(site, admin, "visit", &visit);
    (house, place, visit)
}

#[test]
fn a_new_house_is_set_up_by_forms_and_its_front_desk_registers_and_books_the_first_visit() {
    let site = housed();
    let mut admin = administrator(&site);
    let before = get(&mut admin, "/first/checklist").text();
    assert!(before.contains("set up a site with opening hours"), "{before}");
    assert!(before.contains("href=\"/admin/places\""));
    let (house, place, visit) = set_up(&site, &mut admin);
    let places = get(&mut admin, "/admin/places").text();
    for part in ["Visits can be booked", "Main Street", "Room 1", "Maya Lin Chen", "Follow-up"] {
        assert!(places.contains(part), "{part}: {places}");
    }
    let after = get(&mut admin, "/first/checklist").text();
    assert!(!after.contains("under Places and people"), "{after}");
    // Nothing is stored yet of the organization that the desk works for.
    let mut fay = staff(&site, "fay", "front-desk", &house);
    let who = [
        ("step", "save"),
        ("family", "Okafor"),
        ("given", "Bea"),
        ("birth_date", "14 mar 1961"),
        ("mobile", "(608) 555-0123"),
    ];
    let registered = send(&mut fay, "/register", "/register", &who);
    assert_eq!(registered.status, 303, "{}", registered.text());
    let patient = path(&site, &registered).split('/').nth(2).unwrap().to_owned();
    let book = format!("/schedule/book?patient={patient}&type={visit}&site=Location/{place}");
    let page = get(&mut fay, &book);
    assert!(page.text().contains("OKAFOR, Bea"), "{}", page.text());
    let names = ["form", "patient", "form_id", "type", "site", "start", "need"];
    let carried = |page: &Answer, names: &[&str]| -> Vec<(String, String)> {
        let one = |name: &&str| page.field(name).map(|value| ((*name).to_owned(), value));
        names
            .iter()
            .map(|name| one(name).unwrap_or_else(|| panic!("{name}: {}", page.text())))
            .collect()
    };
    let held = fay.post("/schedule/book/hold", &carried(&page, &names), &[]);
    let page = get(&mut fay, &path(&site, &held));
    let fields = carried(&page, &[&names[..], &["hold"]].concat());
    let booked = fay.post("/schedule/book/confirm", &fields, &[]);
    assert_eq!(booked.status, 303, "{}", booked.text());
    let found =
        site.ask(&site.all, "GET", &format!("/Appointment?patient={patient}&status=booked"), "");
    assert_eq!(found.at("total"), "1", "{}", found.text());
    // What is the house's is not another's: a desk of another site neither sees her nor writes there.
    let mut sue = staff(&site, "sue", "front-desk", "elsewhere");
    assert_eq!(get(&mut sue, &format!("/p/{patient}")).status, 404);
    assert_eq!(get(&mut fay, &format!("/p/{patient}")).status, 200);
    // And the first record of that one is its own, as that of the first was.
    let other = [("step", "save"), ("family", "Novak"), ("given", "Jan"), ("birth_date", "1959")];
    assert_eq!(send(&mut sue, "/register", "/register", &other).status, 303);
}

#[test]
fn a_desk_of_a_new_site_writes_nothing_of_another_by_the_fhir_door() {
    let site = Site::guarded();
    let profile = Profile {
        name: "fay".to_owned(),
        display: "Fay".to_owned(),
        roles: vec!["front-desk".to_owned()],
        sites: vec!["new-north".to_owned()],
        ..Profile::default()
    };
    let identity = site.smart.identity();
    let fay = identity.create(identity::Kind::Person, profile).unwrap();
    let token = identity.issue(fay.id, 3_600_000, "a test").unwrap().token;
    let token = token.text().expose().to_owned();
    let of = |house: &str| {
        format!(
            r#"{{"resourceType":"Patient","managingOrganization":{{"reference":"Organization/{house}"}}}}"#
        )
    };
    assert_eq!(site.ask(&token, "POST", "/Patient", &of("new-south")).status, 403);
    assert_eq!(site.ask(&token, "POST", "/Patient", &of("new-north")).status, 201);
    assert_eq!(site.ask(&token, "POST", "/Patient", &of("new-south")).status, 403);
}

#[test]
fn a_form_names_its_version_makes_one_thing_and_is_taken_back_by_history() {
    let site = housed();
    let mut admin = administrator(&site);
    let new = "/admin/places/person/new";
    let fields = [("family", "Chen"), ("given", "Maya"), ("is_active", "yes"), ("entry", "form-1")];
    let first = path(&site, &send(&mut admin, new, new, &fields));
    assert_eq!(path(&site, &send(&mut admin, new, new, &fields)), first, "sent twice, made once");
    let here = first.split('?').next().unwrap().to_owned();
    let person = here.rsplit('/').next().unwrap().to_owned();
    let hours = [("name", "Main"), ("zone", "America/Chicago"), ("mon", "8-17")];
    let place = add(&site, &mut admin, "site", &hours);
    let work = add(&site, &mut admin, "work", &[("person", &*person), ("site", &place)]);
    let schedule =
        site.ask(&site.all, "GET", &format!("/Schedule?actor=Practitioner/{person}"), "");
    assert_eq!(schedule.at("total"), "1", "{}", schedule.text());
    // A new name stands wherever she works.
    let change = |version: &'static str, family: &'static str| {
        [("family", family), ("given", "Maya"), ("is_active", "yes"), ("version", version)]
    };
    assert_eq!(send(&mut admin, &here, &here, &change("1", "Chen-Okafor")).status, 303);
    let role = || site.ask(&site.all, "GET", &format!("/PractitionerRole/{work}"), "").text();
    assert!(role().contains("Maya Chen-Okafor"), "{}", role());
    let stale = send(&mut admin, &here, &here, &change("1", "Stale"));
    assert_eq!(stale.status, 409);
    assert_eq!(stale.field("family").as_deref(), Some("Stale"), "what was typed is kept");
    let back = send(&mut admin, &here, &here, &[("do", "back"), ("version", "2")]);
    assert!(path(&site, &back).ends_with("?done=back"));
    assert!(role().contains("Maya Chen\""), "{}", role());
    assert_eq!(get(&mut admin, &here).field("version").as_deref(), Some("3"), "nothing is lost");
    // What a form has no place for stays.
    let path = format!("/Practitioner/{person}");
    let stored = site.ask(&site.all, "GET", &path, "").text();
    let more = stored.replacen("\"active\"", "\"gender\":\"female\",\"active\"", 1);
    assert_eq!(site.ask(&site.all, "PUT", &path, &more).status, 200);
    assert_eq!(send(&mut admin, &here, &here, &change("4", "Chen")).status, 303);
    assert!(site.ask(&site.all, "GET", &path, "").text().contains("\"gender\":\"female\""));
}

#[test]
fn what_is_not_complete_is_told_at_its_field_and_kept_and_what_is_not_there_is_not_there() {
    let site = housed();
    let mut admin = administrator(&site);
    let new = "/admin/places/site/new";
    let odd = [("name", ""), ("zone", "Mars/Base"), ("mon", "17-8"), ("city", "Madison")];
    let answer = send(&mut admin, new, new, &odd);
    let text = answer.text();
    assert_eq!(answer.status, 422);
    for part in ["Write an IANA name", "Write hours such as", "Fill this in"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert_eq!(answer.field("mon").as_deref(), Some("17-8"));
    let visit = [("name", "X"), ("minutes", "9999")];
    let at = "/admin/places/visit/new";
    assert_eq!(send(&mut admin, at, at, &visit).status, 422);
    let house = add(&site, &mut admin, "house", &[("name", "Lakeside")]);
    let here = format!("/admin/places/house/{house}");
    let named = [("name", "X"), ("is_active", "yes")];
    // Of another thing than the address says, of no form of ours, of what there is none of.
    let other = [&named[..], &[("about", "another")]].concat();
    assert_eq!(send(&mut admin, &here, &here, &other).status, 404);
    let own = [("form", "made-up"), ("about", &*house), ("version", "1")];
    assert_eq!(send(&mut admin, &here, &here, &[&named[..], &own].concat()).status, 401);
    for path in ["/admin/places/house/zzz", "/admin/places/moon/new", "/admin/places/room/ada"] {
        assert_eq!(get(&mut admin, path).status, 404, "{path}");
    }
    let mut fay = staff(&site, "fay", "front-desk", &house);
    for path in ["/admin/places", new, &here] {
        assert_eq!(get(&mut fay, path).status, 404, "{path}");
        let form = get(&mut fay, "/today").field("form").expect("a form");
        let fields = [("form".to_owned(), form), ("name".to_owned(), "X".to_owned())];
        if path != "/admin/places" {
            assert_eq!(fay.post(path, &fields, &[]).status, 404, "{path}");
        }
    }
    assert!(get(&mut admin, &here).text().contains("Lakeside"));
}
