//! The schedule over HTTP, by forms alone: booked once however often the form is sent, moved, taken back,
//! called off with a reason; and that whom a role may not see is not named.

use crate::client::{Answer, patient};
use crate::smart_site::{Site, Visitor, value};
use base::Clock as _;
use base::time::SystemClock;

const ZONE: &str = r#""extension":[{"url":"https://plummer.health/fhir/StructureDefinition/time-zone","valueCode":"America/Chicago"}]"#;
const DAYS: &str = r#""daysOfWeek":["mon","tue","wed","thu","fri","sat","sun"]"#;
const OURS: &str = "https://plummer.health/fhir/StructureDefinition";

/// A site with one clinician, who is there all day, and one kind of visit.
pub(crate) fn clinic() -> Site {
    clinic_of(Site::guarded())
}

/// The same, of a site that is set up so.
pub(crate) fn clinic_of(site: Site) -> Site {
    let location = format!(
        r#"{{"resourceType":"Location","id":"main","name":"Main Street","status":"active",{ZONE},"physicalType":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/location-physical-type","code":"bu"}}]}},"hoursOfOperation":[{{{DAYS},"allDay":true}}]}}"#
    );
    let role = format!(
        r#"{{"resourceType":"PractitionerRole","id":"role-eve","active":true,"practitioner":{{"reference":"Practitioner/pr-eve","display":"Dr. Eve Stone"}},"location":[{{"reference":"Location/main"}}],"code":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/practitioner-role","code":"doctor"}}]}}],"availableTime":[{{{DAYS},"allDay":true}}]}}"#
    );
    let talk = format!(
        r#"{{"resourceType":"ActivityDefinition","id":"talk","title":"Follow-up","status":"active","kind":"Appointment","timingDuration":{{"value":30,"unit":"min","system":"http://unitsofmeasure.org","code":"min"}},"extension":[{{"url":"{OURS}/needed-resource","extension":[{{"url":"role","valueCode":"clinician"}}]}}]}}"#
    );
    site.put("Location/main", &location);
    site.put("Practitioner/pr-eve", r#"{"resourceType":"Practitioner","id":"pr-eve"}"#);
    site.put("PractitionerRole/role-eve", &role);
    site.put("ActivityDefinition/talk", &talk);
    site
}

pub(crate) fn eve(site: &Site) -> Visitor<'_> {
    let mut visitor = Visitor::new(site);
    visitor.open("/auth/sign-in");
    visitor.sign_in_for("eve", "");
    visitor
}

/// The fields of a form, as a browser would send them back.
pub(crate) fn carried(page: &Answer, names: &[&str]) -> Vec<(String, String)> {
    let one = |name: &&str| {
        let value = page.field(name);
        ((*name).to_owned(), value.unwrap_or_else(|| panic!("{name}: {}", page.text())))
    };
    names.iter().map(one).collect()
}

pub(crate) fn and(
    mut fields: Vec<(String, String)>,
    more: &[(&str, &str)],
) -> Vec<(String, String)> {
    fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields
}

/// Where an answer leads, as a path.
pub(crate) fn path(site: &Site, answer: &Answer) -> String {
    let to = answer.header("location").unwrap_or_else(|| panic!("{}", answer.text()));
    to.strip_prefix(&site.own).expect("an address of ours").to_owned()
}

const HOLD: [&str; 7] = ["form", "patient", "form_id", "type", "site", "start", "need"];

/// Books the first free time for Ada, sending the last form twice; the page it leads to.
pub(crate) fn booked(site: &Site, visitor: &mut Visitor<'_>) -> String {
    let page =
        visitor.send("GET", "/schedule/book?patient=ada&type=talk&site=Location/main", &[], "");
    assert!(page.text().contains("LOVELACE, Ann"), "{}", page.text());
    let held = visitor.post("/schedule/book/hold", &carried(&page, &HOLD), &[]);
    let page = visitor.send("GET", &path(site, &held), &[], "");
    assert!(page.text().contains("Held until "), "{}", page.text());
    let fields = carried(&page, &[&HOLD[..], &["hold"]].concat());
    let first = visitor.post("/schedule/book/confirm", &fields, &[]);
    let again = visitor.post("/schedule/book/confirm", &fields, &[]);
    assert_eq!((first.status, again.status), (303, 303), "{} {}", first.text(), again.text());
    assert_eq!(value(&path(site, &first), "of"), value(&path(site, &again), "of"), "booked once");
    path(site, &first)
}

#[test]
fn a_visit_is_booked_once_moved_taken_back_and_called_off_by_forms_alone() {
    let site = clinic();
    let mut visitor = eve(&site);
    let day = booked(&site, &mut visitor);
    let id = value(&day, "of").expect("an id");
    let page = visitor.send("GET", &day, &[], "");
    let text = page.text();
    for part in ["The appointment is booked.", "LOVELACE, Ann", "Dr. Eve Stone", "America/Chicago"]
    {
        assert!(text.contains(part), "{part}: {text}");
    }
    assert!(text.contains(&format!("href=\"/appointments/{id}\"")), "{text}");
    assert!(!day.to_lowercase().contains("lovelace"), "no name in an address");

    // Moved to the day after, then back.
    let page = visitor.send("GET", &format!("/appointments/{id}"), &[], "");
    let fields = carried(&page, &["form", "version", "patient", "time", "from"]);
    let was = page.field("date").or_else(|| value_of_input(&page, "date")).expect("a date");
    let date: jiff::civil::Date = was.parse().expect("a date");
    let next = date.tomorrow().expect("a day").to_string();
    let moved = visitor.post(
        &format!("/appointments/{id}/move"),
        &and(fields.clone(), &[("date", &next), ("with", "Practitioner/pr-eve")]),
        &[],
    );
    let page = visitor.send("GET", &path(&site, &moved), &[], "");
    assert!(page.text().contains("The appointment was moved."), "{}", page.text());
    let undone = visitor.post(
        &format!("/appointments/{id}/undo"),
        &carried(&page, &["form", "version", "before", "back"]),
        &[],
    );
    let page = visitor.send("GET", &path(&site, &undone), &[], "");
    assert!(page.text().contains("It was undone."), "{}", page.text());

    // The form of before is stale now: nothing is lost, and it says so.
    let stale = visitor.post(
        &format!("/appointments/{id}/move"),
        &and(fields, &[("date", &next), ("with", "Practitioner/pr-eve")]),
        &[],
    );
    assert_eq!(stale.status, 412, "{}", stale.text());
    assert!(stale.text().contains("Somebody changed this appointment meanwhile"));
    assert!(stale.text().contains(&format!("value=\"{next}\"")), "what was typed is kept");

    // Called off with a reason, and not without one.
    let fields = carried(&page, &["form", "version", "patient"]);
    let path_of = format!("/appointments/{id}/cancel");
    let refused = visitor.post(&path_of, &and(fields.clone(), &[("because", "")]), &[]);
    assert!(refused.text().contains("Choose a reason."), "{}", refused.text());
    let done = visitor.post(&path_of, &and(fields, &[("because", "pat-lt")]), &[]);
    let page = visitor.send("GET", &path(&site, &done), &[], "");
    assert!(page.text().contains("The appointment was cancelled."), "{}", page.text());
    assert!(page.text().contains("The patient has no transport"));
}

fn value_of_input(page: &Answer, name: &str) -> Option<String> {
    let text = page.text();
    let at = text.find(&format!("id=\"{name}\" name=\"{name}\" value=\""))?;
    text[at..].split("value=\"").nth(1)?.split('"').next().map(str::to_owned)
}

#[test]
fn a_form_that_was_made_for_another_patient_moves_nothing() {
    let site = clinic();
    let mut visitor = eve(&site);
    let day = booked(&site, &mut visitor);
    let id = value(&day, "of").expect("an id");
    let page = visitor.send("GET", &format!("/appointments/{id}"), &[], "");
    let fields = carried(&page, &["form", "version"]);
    let more = [("patient", "somebody-else"), ("because", "pat")];
    let answer = visitor.post(&format!("/appointments/{id}/cancel"), &and(fields, &more), &[]);
    assert_eq!(answer.status, 412, "{}", answer.text());
    let page = visitor.send("GET", &format!("/appointments/{id}"), &[], "");
    assert!(!page.text().contains("Cancelled"), "{}", page.text());
}

#[test]
fn whom_a_role_may_not_see_is_not_named_in_the_schedule() {
    let site = clinic();
    // Neither patient nor clinician has anything to do with eve.
    site.put("Patient/bea", &patient("bea", "Hidden"));
    site.put("Practitioner/other", r#"{"resourceType":"Practitioner","id":"other"}"#);
    let role = format!(
        r#"{{"resourceType":"PractitionerRole","id":"role-other","active":true,"practitioner":{{"reference":"Practitioner/other","display":"Dr. Olga Moss"}},"location":[{{"reference":"Location/main"}}],"code":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/practitioner-role","code":"doctor"}}]}}],"availableTime":[{{{DAYS},"allDay":true}}]}}"#
    );
    site.put("PractitionerRole/role-other", &role);
    // About noon there, summer and winter.
    let zone = jiff::tz::TimeZone::fixed(jiff::tz::offset(-6));
    let now = jiff::Timestamp::from_millisecond(SystemClock.now().0).expect("a time");
    let date = now.to_zoned(zone.clone()).date().tomorrow().expect("a day");
    let noon = date.at(12, 0, 0, 0).to_zoned(zone).expect("noon").timestamp();
    let end = noon + jiff::SignedDuration::from_mins(30);
    let visit = format!(
        r#"{{"resourceType":"Appointment","id":"theirs","status":"booked","start":"{noon}","end":"{end}","participant":[{{"actor":{{"reference":"Patient/bea"}},"status":"accepted"}},{{"actor":{{"reference":"Practitioner/other"}},"status":"accepted"}}]}}"#
    );
    site.put("Appointment/theirs", &visit);
    let mut visitor = eve(&site);
    let page = visitor.send("GET", &format!("/schedule?date={date}&site=Location/main"), &[], "");
    let text = page.text();
    assert!(page.status == 200 && text.contains("Dr. Olga Moss"), "{text}");
    for secret in ["HIDDEN", "Hidden", "/p/bea", "/appointments/theirs"] {
        assert!(!text.contains(secret), "{secret}: {text}");
    }
    assert_eq!(visitor.send("GET", "/appointments/theirs", &[], "").status, 404);
}
