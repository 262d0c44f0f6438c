//! Registration, identity and insurance through the console's door: what is carried over and refused, who
//! may, and that neither a name nor a picture goes where it should not.

use crate::callers::Signs;
use crate::client::Answer;
use crate::smart_site::{Site, Visitor};
use identity::{Profile, Secret, Step};
use std::fmt::Write as _;

/// A site of which the site north has a record already, as every site has that people work at.
pub(crate) fn north() -> Site {
    let site = Site::guarded();
    site.put(
        "Encounter/first",
        r#"{"resourceType":"Encounter","id":"first","status":"finished","class":{"code":"AMB"},"serviceProvider":{"reference":"Organization/north"}}"#,
    );
    site
}

/// Somebody of a role who works at the site north, in a browser of their own.
pub(crate) fn staff<'s>(site: &'s Site, name: &str, role: &str) -> Visitor<'s> {
    let identity = site.smart.identity();
    let password = Secret::new("four unrelated words here".to_owned());
    let profile = Profile {
        name: name.to_owned(),
        display: format!("{name} Someone"),
        roles: vec![role.to_owned()],
        sites: vec!["north".to_owned()],
        ..Profile::default()
    };
    identity.create_person(profile, &password, false).unwrap();
    let step = identity.begin(name, &password, std::net::Ipv4Addr::LOCALHOST.into()).unwrap();
    let Step::Done(opened) = step else { panic!("nobody has a second factor here") };
    let mut visitor = Visitor::new(site);
    visitor.plant("__Host-plummer-session", opened.token.text().expose());
    visitor
}

pub(crate) fn get(visitor: &mut Visitor<'_>, path: &str) -> Answer {
    visitor.send("GET", path, &[], "")
}

/// Sends the form of a page with these fields beside the hidden ones that a test does not name.
pub(crate) fn post(
    visitor: &mut Visitor<'_>,
    from: &str,
    to: &str,
    fields: &[(&str, &str)],
    headers: &[(&str, &str)],
) -> Answer {
    let page = get(visitor, from);
    let form = page.field("form").expect("a form");
    let mut all = vec![("form".to_owned(), form)];
    all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    visitor.post(to, &all, headers)
}

const BEA: [(&str, &str); 5] = [
    ("step", "save"),
    ("family", "Okafor"),
    ("given", "Bea"),
    ("birth_date", "14 mar 1961"),
    ("mobile", "(608) 555-0123"),
];

pub(crate) fn register(visitor: &mut Visitor<'_>, entry: &str, more: &[(&str, &str)]) -> Answer {
    let fields = [BEA.as_slice(), &[("entry", entry)], more].concat();
    post(visitor, "/register", "/register", &fields, &[])
}

/// The id of the patient of an address that a form was answered with.
pub(crate) fn id_in(answer: &Answer) -> String {
    let to = answer.header("location").unwrap_or_else(|| panic!("{}", answer.text())).to_owned();
    to.split("/p/").nth(1).expect("a patient").split('/').next().unwrap().to_owned()
}

#[test]
fn a_form_registers_once_and_its_patient_has_a_number_and_no_name_in_an_address() {
    let site = Site::guarded();
    let mut fay = staff(&site, "fay", "front-desk");
    let first = register(&mut fay, "form-1", &[]);
    assert_eq!(first.status, 303, "{}", first.text());
    let to = first.header("location").unwrap().to_lowercase();
    assert!(to.ends_with("/details?done=registered") && !to.contains("okafor"), "{to}");
    let again = register(&mut fay, "form-1", &[]);
    assert!(again.header("location").unwrap().ends_with("?done=again"));
    assert_eq!(id_in(&first), id_in(&again));
    let page = get(&mut fay, &format!("/p/{}/details?done=registered", id_in(&first))).text();
    for part in
        ["OKAFOR, Bea", "14-Mar-1961", "Registered. The record has its number.", "000000013"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
}

#[test]
fn what_was_typed_to_find_somebody_is_carried_over_and_what_was_typed_wrong_is_kept() {
    let site = Site::guarded();
    let mut fay = staff(&site, "fay", "front-desk");
    let typed = [("q", "okafor, bea 3/14/1961 608 555 0123")];
    let page = post(&mut fay, "/find", "/register", &typed, &[]);
    for (field, value) in [
        ("family", "Okafor"),
        ("given", "Bea"),
        ("birth_date", "14-Mar-1961"),
        ("mobile", "6085550123"),
    ] {
        assert_eq!(page.field(field).as_deref(), Some(value), "{field}");
    }
    let odd =
        [("step", "save"), ("family", "Okafor"), ("birth_date", "the day before"), ("email", "x")];
    let page = post(&mut fay, "/register", "/register", &odd, &[]);
    assert_eq!(page.status, 422);
    let text = page.text();
    assert!(text.contains("Give a date, such as") && text.contains("Give an address such as"));
    assert_eq!(page.field("birth_date").as_deref(), Some("the day before"));
}

#[test]
fn who_looks_like_somebody_here_is_shown_as_one_types_and_not_registered_without_a_reason() {
    let site = Site::guarded();
    let mut fay = staff(&site, "fay", "front-desk");
    let first = id_in(&register(&mut fay, "form-1", &[]));
    let piece = post(&mut fay, "/register", "/register", &BEA, &[("X-Fragment", "1")]);
    let text = piece.text();
    assert!(text.starts_with("<section") && text.contains("Very likely the same"), "{text}");
    assert!(text.contains(&format!("/p/{first}")) && text.contains("Same date of birth"));
    let second = register(&mut fay, "form-2", &[]);
    assert_eq!(second.status, 409);
    assert!(second.text().contains("Somebody here looks the same"));
    assert_eq!(second.field("family").as_deref(), Some("Okafor"), "what was typed is kept");
    let second = id_in(&register(&mut fay, "form-2", &[("reason", "Twins of one name")]));
    assert_ne!(first, second);
    let mut hal = staff(&site, "hal", "him");
    let page = get(&mut hal, &format!("/p/{second}/compare/{first}")).text();
    assert!(page.contains("Twins of one name") && page.contains("fay Someone"), "{page}");
    assert!(!get(&mut hal, "/duplicates").text().contains("OKAFOR"), "it is decided");
}

#[test]
fn a_pair_is_merged_found_as_merged_and_parted_by_who_may_and_nobody_else() {
    let site = Site::guarded();
    let mut fay = staff(&site, "fay", "front-desk");
    let first = id_in(&register(&mut fay, "form-1", &[]));
    let other = id_in(&register(&mut fay, "form-2", &[("reason", "not sure")]));
    let mut hal = staff(&site, "hal", "him");
    let here = format!("/p/{first}/compare/{other}");
    let pair = [("about", first.as_str()), ("other", other.as_str())];
    let versions = [("version", "1"), ("other_version", "1")];
    let taken = post(&mut hal, &here, &here, &[&pair[..], &[("do", "together")]].concat(), &[]);
    assert_eq!(taken.status, 303, "{}", taken.text());
    assert!(get(&mut hal, "/duplicates").text().contains("OKAFOR"));
    let merge = [&pair[..], &versions, &[("do", "merge"), ("keep", first.as_str())]].concat();
    let refused = post(&mut fay, "/find", &here, &merge, &[]);
    assert_eq!(refused.status, 403, "{}", refused.text());
    let nothing = [&pair[..], &versions, &[("do", "merge")]].concat();
    assert_eq!(post(&mut hal, &here, &here, &nothing, &[]).status, 422);
    let done = post(&mut hal, &here, &here, &merge, &[]);
    assert_eq!(done.status, 303, "{}", done.text());
    let page = get(&mut hal, &format!("{here}?done=merged")).text();
    assert!(page.contains("These records are merged") && page.contains("Part them again"));
    let found = post(&mut hal, "/find", "/find", &[("q", "okafor")], &[]).text();
    assert!(found.contains("Merged into another record"), "{found}");
    assert!(get(&mut hal, &format!("/p/{other}")).text().contains("merged into another"));
    // Compared before, merged since: the form of the first time does nothing.
    assert_eq!(post(&mut hal, &here, &here, &merge, &[]).status, 409);
    let part = [&pair[..], &[("version", "2"), ("other_version", "2"), ("do", "part")]].concat();
    assert_eq!(post(&mut hal, &here, &here, &part, &[]).status, 303);
    let found = post(&mut hal, "/find", "/find", &[("q", "okafor")], &[]).text();
    assert!(!found.contains("Merged into another record"));
}

#[test]
fn a_form_of_a_version_that_is_no_more_shows_both_and_loses_nothing() {
    let site = Site::guarded();
    let mut fay = staff(&site, "fay", "front-desk");
    let id = id_in(&register(&mut fay, "form-1", &[]));
    let edit = format!("/p/{id}/details/edit");
    let page = get(&mut fay, &edit);
    assert_eq!(page.field("version").as_deref(), Some("1"));
    let sent = |city: &'static str| {
        [&BEA[1..], &[("about", id.as_str()), ("version", "1"), ("city", city)]].concat()
    };
    assert_eq!(post(&mut fay, &edit, &edit, &sent("Reno"), &[]).status, 303);
    let late = post(&mut fay, &edit, &edit, &sent("Tulsa"), &[]);
    assert_eq!(late.status, 409);
    assert!(late.text().contains("By now the record says: Reno"), "{}", late.text());
    assert_eq!(late.field("city").as_deref(), Some("Tulsa"));
    assert_eq!(late.field("version").as_deref(), Some("2"));
    let history = get(&mut fay, &format!("/p/{id}/details")).text();
    assert!(history.contains("What changed") && history.contains("<ins>Reno</ins>"), "{history}");
    // A form of another patient changes nobody.
    let other = [&BEA[1..], &[("about", "somebody"), ("version", "2")]].concat();
    assert_eq!(post(&mut fay, &edit, &edit, &other, &[]).status, 404);
}

#[test]
fn what_is_confidential_is_shown_to_who_keeps_it_and_withheld_with_a_word_from_others() {
    let site = Site::guarded();
    site.put(
        "Patient/hidden",
        r#"{"resourceType":"Patient","id":"hidden","name":[{"family":"Noether"}],"managingOrganization":{"reference":"Organization/north"},"address":[{"city":"Lund"},{"extension":[{"url":"http://hl7.org/fhir/StructureDefinition/iso21090-AD-use","valueCode":"CONF"}],"line":["9 Quiet St"]}],"telecom":[{"extension":[{"url":"urn:plummer:confidential","valueBoolean":true}],"system":"phone","value":"608 555 0199"}]}"#,
    );
    // A nurse sees the patients of the site, and keeps no addresses.
    let mut nan = staff(&site, "nan", "nurse");
    for path in ["/p/hidden", "/p/hidden/details"] {
        let text = get(&mut nan, path).text();
        assert!(text.contains("Confidential"), "{path}: {text}");
        assert!(!text.contains("Quiet") && !text.contains("0199"), "{path}: {text}");
    }
    assert!(get(&mut nan, "/p/hidden/details").text().contains("withheld from your role"));
    assert_eq!(get(&mut nan, "/p/hidden/details/edit").status, 404);
    let mut hal = staff(&site, "hal", "him");
    let text = get(&mut hal, "/p/hidden/details").text();
    assert!(text.contains("9 Quiet St") && text.contains("608 555 0199"), "{text}");
}

#[test]
fn what_a_role_may_not_do_is_not_there_for_it() {
    let site = Site::guarded();
    for (role, expected) in [
        ("front-desk", [200, 404]),
        ("him", [200, 200]),
        ("biller", [404, 404]),
        ("clinician", [404, 404]),
        ("auditor", [404, 404]),
    ] {
        let mut visitor = staff(&site, &format!("a-{role}"), role);
        let found = ["/register", "/duplicates"].map(|path| get(&mut visitor, path).status);
        assert_eq!(found, expected, "{role}");
        let today = get(&mut visitor, "/today").text();
        assert_eq!(today.contains("href=\"/register\""), expected[0] == 200, "{role}");
    }
}

#[test]
fn the_box_lists_whom_one_opened_last_and_places_by_a_sign() {
    let site = Site::guarded();
    let mut fay = staff(&site, "fay", "front-desk");
    let id = id_in(&register(&mut fay, "form-1", &[]));
    let rows = |visitor: &mut Visitor<'_>, typed: &str| {
        post(visitor, "/find", "/find", &[("q", typed)], &[("X-Fragment", "1")]).text()
    };
    assert!(!rows(&mut fay, "").contains("OKAFOR"));
    assert_eq!(get(&mut fay, &format!("/p/{id}")).status, 200);
    assert!(rows(&mut fay, "").contains("Opened last") && rows(&mut fay, "").contains("OKAFOR"));
    let mut gus = staff(&site, "gus", "front-desk");
    assert!(!rows(&mut gus, "").contains("OKAFOR"), "everybody has their own");
    let places = rows(&mut fay, "> reg");
    assert!(places.contains("href=\"/register\"") && !places.contains("OKAFOR"), "{places}");
    let by_number = rows(&mut fay, "#000000013");
    assert!(by_number.contains("OKAFOR"), "{by_number}");
    let by_nickname = rows(&mut fay, "beatrice okafor");
    assert!(by_nickname.contains("data-send"), "somebody new is offered: {by_nickname}");
}

fn multipart(form: &str, fields: &[(&str, &str)], file: &str) -> String {
    let mut body = String::new();
    for (name, value) in [&[("form", form)], fields].concat() {
        write!(body, "--B\r\nContent-Disposition: form-data; name=\"{name}\"\r\n\r\n{value}\r\n")
            .unwrap();
    }
    write!(body, "--B\r\nContent-Disposition: form-data; name=\"front\"; filename=\"a.jpg\"\r\nContent-Type: image/jpeg\r\n\r\n{file}\r\n--B--\r\n").unwrap();
    body
}

#[test]
fn a_card_is_kept_by_its_content_and_shown_to_who_may_see_the_insurance() {
    const CARD: &str = "RIFF\u{4}\u{0}\u{0}\u{0}WEBPVP8 ";
    let site = Site::guarded();
    let mut fay = staff(&site, "fay", "front-desk");
    let id = id_in(&register(&mut fay, "form-1", &[]));
    let here = format!("/p/{id}/insurance");
    let form = get(&mut fay, &here).field("form").unwrap();
    let fields =
        [("about", id.as_str()), ("entry", "card-1"), ("payer", "Acme Health"), ("number", "X1")];
    let kind = ("Content-Type", "multipart/form-data; boundary=B");
    let sent = |visitor: &mut Visitor<'_>, form: &str, file: &str| {
        visitor.send("POST", &here, &[kind], &multipart(form, &fields, file))
    };
    assert_eq!(sent(&mut fay, "made-up", CARD).status, 401, "it is held to its own form");
    let odd = sent(&mut fay, &form, "<script>alert(1)</script>");
    assert_eq!(odd.status, 422);
    assert!(odd.text().contains("Give a JPEG, PNG or WebP picture"));
    assert_eq!(odd.field("payer").as_deref(), Some("Acme Health"), "what was typed is kept");
    let done = sent(&mut fay, &form, CARD);
    assert_eq!(done.status, 303, "{}", done.text());
    assert_eq!(sent(&mut fay, &form, CARD).status, 303);
    let page = get(&mut fay, &here).text();
    assert_eq!(page.matches("Acme Health").count(), 1, "sent twice, kept once: {page}");
    let at = page.split("img src=\"").nth(1).expect("a picture").split('"').next().unwrap();
    let picture = get(&mut fay, at);
    assert_eq!((picture.status, picture.header("content-type")), (200, Some("image/webp")));
    assert_eq!(picture.text(), CARD);
    let policy = picture.header("content-security-policy").unwrap();
    assert!(policy.contains("sandbox"), "{policy}");
    assert_ne!(picture.header("cache-control"), None);
    // Under another patient's address there is none, and none for who sees no insurance.
    assert_eq!(get(&mut fay, &at.replace(&id, "ada")).status, 404);
    assert_eq!(get(&mut fay, &at.replace("front", "back")).status, 404);
    let mut ann = staff(&site, "ann", "auditor");
    assert_eq!(get(&mut ann, at).status, 404);
    let which = at.split('/').nth(4).unwrap();
    let end = [("about", id.as_str()), ("which", which), ("version", "1")];
    let ended = post(&mut fay, &here, &format!("{here}/end"), &end, &[]);
    assert_eq!(ended.status, 303);
    assert!(get(&mut fay, &here).text().contains("Put in force again"));
}

/// A Patient of the FHIR door that says it is another's.
fn linked(id: &str, other: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","managingOrganization":{{"reference":"Organization/north"}},"link":[{{"other":{{"reference":"Patient/{other}"}},"type":"replaced-by"}}]}}"#
    )
}

#[test]
fn no_door_links_patients_for_who_may_not_merge_them() {
    let site = Site::guarded();
    for id in ["one", "two"] {
        let plain = linked(id, "x").split(",\"link\"").next().unwrap().to_owned() + "}";
        site.put(&format!("Patient/{id}"), &plain);
    }
    let token = |name: &str, role: &str| {
        let profile = Profile {
            name: name.to_owned(),
            display: name.to_owned(),
            roles: vec![role.to_owned()],
            sites: vec!["north".to_owned()],
            ..Profile::default()
        };
        let identity = site.smart.identity();
        let person = identity.create(identity::Kind::Person, profile).unwrap();
        identity.issue(person.id, 3_600_000, "a test").unwrap().token.text().expose().to_owned()
    };
    let (desk, him) = (token("fay", "front-desk"), token("hal", "him"));
    let agent = Signs::agent(&site, "phone-line", "user/*.cruds");
    let agent = agent.acts_for(&site, &him, "user/*.cruds");
    let body = linked("one", "two");
    let entry = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{{"resource":{body},"request":{{"method":"PUT","url":"Patient/one"}}}}]}}"#
    );
    for (who, token) in [("the desk", &desk), ("a service", &site.all), ("an agent", &agent)] {
        assert_eq!(site.ask(token, "PUT", "/Patient/one", &body).status, 403, "{who}");
        assert_eq!(site.ask(token, "POST", "", &entry).status, 403, "{who}");
    }
    let nobody = site.ask(&desk, "PUT", "/Patient/one", &linked("one", "nobody"));
    let other = site.ask(&desk, "PUT", "/Patient/one", &body);
    let told = |answer: &Answer| {
        (
            answer.status,
            answer.at("issue.0.details.coding.0.code"),
            answer.at("issue.0.diagnostics"),
        )
    };
    assert_eq!(told(&nobody), told(&other), "there or not, it is one refusal");
    assert_eq!(site.ask(&him, "POST", "", &entry).status, 200);
    // Nor is what is linked parted.
    let plain = body.split(",\"link\"").next().unwrap().to_owned() + "}";
    assert_eq!(site.ask(&desk, "PUT", "/Patient/one", &plain).status, 403);
    assert_eq!(site.ask(&him, "PUT", "/Patient/one", &plain).status, 200);
}
