//! A patient's chart in the console: what is entered there is kept once, in the right chart and no other,
//! under the rights of whoever enters it; and what is shown says what it leaves out.

use crate::client::{Answer, patient, read_log};
use crate::smart_site::{Site, Visitor};

/// A site with a chart: Ada's, with a visit and a problem that has a code; and Ben's, also eve's to see.
fn charted() -> Site {
    let site = Site::guarded();
    let ben = patient("ben", "Babbage").replacen(
        '{',
        "{\"generalPractitioner\":[{\"reference\":\"Practitioner/pr-eve\"}],",
        1,
    );
    site.put("Patient/ben", &ben);
    for (id, of) in [("visit-ada", "ada"), ("visit-ben", "ben")] {
        site.put(&format!("Encounter/{id}"), &format!(r#"{{"resourceType":"Encounter","id":"{id}","status":"finished","class":{{"code":"AMB"}},"subject":{{"reference":"Patient/{of}"}},"period":{{"start":"2026-01-05T09:00:00Z"}},"reasonCode":[{{"text":"Cough of {of}"}}],"participant":[{{"individual":{{"reference":"Practitioner/pr-eve","display":"Eve Someone"}}}}]}}"#));
    }
    site.put("Condition/asthma", r#"{"resourceType":"Condition","id":"asthma","clinicalStatus":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}]},"code":{"coding":[{"system":"http://hl7.org/fhir/sid/icd-10-cm","code":"J45.909"}],"text":"Asthma"},"subject":{"reference":"Patient/ben"},"recordedDate":"2026-01-05"}"#);
    site
}

fn eve(site: &Site) -> Visitor<'_> {
    let mut visitor = Visitor::new(site);
    visitor.open("/auth/sign-in");
    let page = visitor.sign_in_for("eve", "");
    assert_eq!(page.status, 200, "{}", page.text());
    visitor
}

/// A field of a form that a page shows, by its name.
fn shown(page: &str, name: &str) -> String {
    let mark = format!("name=\"{name}\" value=\"");
    let from = page.find(&mark).unwrap_or_else(|| panic!("no {name} in {page}")) + mark.len();
    page[from..].split('"').next().unwrap().to_owned()
}

/// What every form of the page at a path brings back, with more.
fn form(visitor: &mut Visitor<'_>, path: &str, more: &[(&str, &str)]) -> Vec<(String, String)> {
    let page = visitor.send("GET", path, &[], "").text();
    let mut fields: Vec<(String, String)> = ["form", "patient", "entry"]
        .iter()
        .map(|name| ((*name).to_owned(), shown(&page, name)))
        .collect();
    fields.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    fields
}

fn set(fields: &mut [(String, String)], name: &str, value: &str) {
    fields.iter_mut().find(|(one, _)| one == name).unwrap().1 = value.to_owned();
}

/// Where an answer leads, below the site.
fn to(answer: &Answer) -> String {
    let address = answer.header("location").unwrap_or_else(|| panic!("{}", answer.text()));
    let at = address.find("/p/").expect("a page of a patient");
    address[at..].to_owned()
}

#[test]
fn a_line_of_vital_signs_is_previewed_kept_shown_and_taken_back() {
    let site = charted();
    let mut visitor = eve(&site);
    let mut fields = form(
        &mut visitor,
        "/p/ada/vitals",
        &[("line", "120/80 72 36.8 98% 70kg"), ("do", "check")],
    );
    let piece = visitor.post("/p/ada/vitals", &fields, &[("X-Fragment", "1")]).text();
    assert!(
        !piece.contains("<html") && piece.contains("120/80 mmHg") && piece.contains("36.8 °C"),
        "{piece}"
    );
    assert!(
        !visitor.send("GET", "/p/ada", &[], "").text().contains("120/80"),
        "a look keeps nothing"
    );
    set(&mut fields, "do", "keep");
    let kept = visitor.post("/p/ada/vitals", &fields, &[]);
    assert_eq!(kept.status, 303, "{}", kept.text());
    let to = to(&kept);
    assert!(to.starts_with("/p/ada?did=vitals&undo=Observation:"), "{to}");
    let page = visitor.send("GET", &to, &[], "").text();
    assert!(page.contains("120/80 mmHg") && page.contains("The vital signs were kept."), "{page}");
    // Sent once more, it is entered once; with another value it says that the value was not kept.
    visitor.post("/p/ada/vitals", &fields, &[]);
    set(&mut fields, "line", "120/80 72 36.8 98% 71kg");
    let again = visitor.post("/p/ada/vitals", &fields, &[]);
    assert_eq!(self::to(&again), "/p/ada?did=dropped");
    let told = visitor.send("GET", "/p/ada?did=dropped", &[], "").text();
    assert!(told.contains("What you sent last was not kept") && told.contains("70 kg"), "{told}");
    let undo: Vec<(String, String)> = page
        .split("name=\"record\" value=\"")
        .skip(1)
        .map(|part| ("record".to_owned(), part.split('"').next().unwrap().to_owned()))
        .chain([("form".into(), shown(&page, "form")), ("patient".into(), "ada".into())])
        .collect();
    assert_eq!(undo.len(), 7);
    let undone = visitor.post("/p/ada/undo", &undo, &[]);
    assert_eq!(self::to(&undone), "/p/ada?did=undone", "{}", undone.text());
    assert!(!visitor.send("GET", "/p/ada", &[], "").text().contains("120/80"));
}

#[test]
fn what_is_unusual_is_asked_about_once_and_what_is_not_understood_is_marked_at_its_place() {
    let site = charted();
    let mut visitor = eve(&site);
    let mut fields = form(&mut visitor, "/p/ada/vitals", &[("line", "hr 190"), ("do", "keep")]);
    let asked = visitor.post("/p/ada/vitals", &fields, &[]);
    let text = asked.text();
    assert_eq!(asked.status, 200);
    assert!(text.contains("Look at it twice") && text.contains("High for this age"), "{text}");
    assert_eq!(shown(&text, "asked"), "hr 190");
    fields.push(("asked".into(), "hr 190".into()));
    assert_eq!(visitor.post("/p/ada/vitals", &fields, &[]).status, 303);
    let mut wrong =
        form(&mut visitor, "/p/ada/vitals", &[("line", "hr 71 wt 180"), ("do", "keep")]);
    let page = visitor.post("/p/ada/vitals", &wrong, &[]);
    let text = page.text();
    assert_eq!(page.status, 422);
    assert!(
        text.contains("<span>wt 180</span>") && text.contains("value=\"hr 71 wt 180\""),
        "{text}"
    );
    set(&mut wrong, "line", "hr 71");
    wrong.push(("asked".into(), "hr 71".into()));
    wrong.push(("at".into(), "2031-01-01T10:00".into()));
    let late = visitor.post("/p/ada/vitals", &wrong, &[]);
    assert_eq!(late.status, 422);
    assert!(late.text().contains("Give a day and time that have been."));
}

#[test]
fn a_form_of_one_chart_that_is_sent_to_another_is_refused_by_name_and_keeps_nothing() {
    let site = charted();
    let mut visitor = eve(&site);
    let fields = form(&mut visitor, "/p/ada/vitals", &[("line", "hr 71"), ("do", "keep")]);
    let refused = visitor.post("/p/ben/vitals", &fields, &[]);
    let text = refused.text();
    assert_eq!(refused.status, 409);
    for part in ["another patient", "LOVELACE, Ann", "BABBAGE, Ann", "charting.patient.other"] {
        assert!(text.contains(part), "{part}: {text}");
    }
    // The same of a visit, of a change and of an undo.
    let mut fields = form(
        &mut visitor,
        "/p/ada/vitals",
        &[("line", "hr 71"), ("do", "keep"), ("encounter", "visit-ben")],
    );
    assert_eq!(visitor.post("/p/ada/vitals", &fields, &[]).status, 409);
    set(&mut fields, "patient", "ada");
    fields.push(("record".into(), "Condition:asthma:1".into()));
    assert_eq!(visitor.post("/p/ada/undo", &fields, &[]).status, 409);
    let change = form(
        &mut visitor,
        "/p/ben/change/Condition/asthma",
        &[("do", "error"), ("reason", "x"), ("version", "1")],
    );
    assert_eq!(visitor.post("/p/ada/change/Condition/asthma", &change, &[]).status, 409);
    for id in ["ada", "ben"] {
        let text = visitor.send("GET", &format!("/p/{id}"), &[], "").text();
        // As a value; ids hold any digits.
        assert!(![">71<", ">71 ", " 71 "].iter().any(|value| text.contains(value)), "{text}");
    }
    assert_eq!(visitor.send("GET", "/p/ada/change/Condition/asthma", &[], "").status, 404);
}

#[test]
fn a_problem_is_added_with_the_code_it_had_here_or_as_free_text_changed_and_ended() {
    let site = charted();
    let mut visitor = eve(&site);
    let fields = form(&mut visitor, "/p/ada/add/problem", &[("what", "asth")]);
    let offered = visitor.post("/p/ada/suggest/problem", &fields, &[("X-Fragment", "1")]).text();
    assert!(offered.contains("data-text=\"Asthma\"") && offered.contains("J45.909"), "{offered}");
    let fields = form(
        &mut visitor,
        "/p/ada/add/problem",
        &[("what", "Asthma"), ("coded", "yes"), ("since", "14-Mar-2019")],
    );
    let added = visitor.post("/p/ada/add/problem", &fields, &[]);
    let id = to(&added).split(':').nth(1).unwrap().to_owned();
    let stored = site.ask(&site.all, "GET", &format!("/Condition/{id}"), "").text();
    assert!(stored.contains("J45.909") && stored.contains("2019-03-14"), "{stored}");
    // No form says which codes there are.
    let fields = form(&mut visitor, "/p/ada/add/problem", &[("what", "Gout"), ("coded", "yes")]);
    assert_eq!(visitor.post("/p/ada/add/problem", &fields, &[]).status, 303);
    let page = visitor.send("GET", "/p/ada", &[], "").text();
    assert!(page.contains("Gout") && page.contains("free text"), "{page}");
    let mut twice =
        form(&mut visitor, "/p/ada/add/problem", &[("what", "asthma"), ("note", "typed")]);
    let asked = visitor.post("/p/ada/add/problem", &twice, &[]);
    assert_eq!(asked.status, 409);
    assert!(
        asked.text().contains("This is another one") && asked.text().contains("value=\"typed\"")
    );
    twice.push(("another".into(), "yes".into()));
    assert_eq!(visitor.post("/p/ada/add/problem", &twice, &[]).status, 303);
    // Two windows: the second is told what changed, and what it typed stands there.
    let path = format!("/p/ada/change/Condition/{id}");
    let more = [("do", "edit"), ("note", "By spirometry"), ("version", "1"), ("since", "2018")];
    let first = form(&mut visitor, &path, &more);
    let mut second = first.clone();
    set(&mut second, "note", "A second thought");
    assert_eq!(visitor.post(&path, &first, &[]).status, 303);
    let stale = visitor.post(&path, &second, &[]);
    let text = stale.text();
    assert_eq!(stale.status, 412);
    assert!(text.contains("A second thought") && text.contains("?old=1&amp;new=2"), "{text}");
    assert_eq!(shown(&text, "version"), "2");
    let end =
        form(&mut visitor, &path, &[("do", "end"), ("reason", "No attacks"), ("version", "2")]);
    assert_eq!(visitor.post(&path, &end, &[]).status, 303);
    let history =
        visitor.send("GET", &format!("/p/ada/history/Condition/{id}?old=1&new=3"), &[], "").text();
    assert!(history.contains("clinical status") && history.contains("resolved"), "{history}");
    assert!(!history.contains("{&quot;") && !history.contains("\"coding\""), "in words, not JSON");
    assert_eq!(visitor.send("GET", &format!("/p/ben/history/Condition/{id}"), &[], "").status, 404);
}

#[test]
fn allergies_and_medications_are_entered_and_none_known_ends_with_the_first() {
    let site = charted();
    let mut visitor = eve(&site);
    let none = form(&mut visitor, "/p/ada/add/allergy", &[("do", "none")]);
    assert_eq!(visitor.post("/p/ada/add/allergy", &none, &[]).status, 303);
    assert!(visitor.send("GET", "/p/ada", &[], "").text().contains("No known allergies"));
    let more = [("what", "Penicillin"), ("criticality", "high"), ("reactions", "Hives, swelling")];
    let fields = form(&mut visitor, "/p/ada/add/allergy", &more);
    assert_eq!(visitor.post("/p/ada/add/allergy", &fields, &[]).status, 303);
    let page = visitor.send("GET", "/p/ada", &[], "").text();
    assert!(page.contains("Penicillin, high risk") && page.contains("Hives, swelling"), "{page}");
    let fields = form(
        &mut visitor,
        "/p/ada/add/medication",
        &[("what", "Metformin"), ("dosage", "1 each morning")],
    );
    let added = visitor.post("/p/ada/add/medication", &fields, &[]);
    let id = to(&added).split(':').nth(1).unwrap().to_owned();
    let path = format!("/p/ada/change/MedicationStatement/{id}");
    let stop = form(&mut visitor, &path, &[("do", "end"), ("reason", ""), ("version", "1")]);
    let asked = visitor.post(&path, &stop, &[]);
    assert_eq!(asked.status, 422);
    assert!(asked.text().contains("Say why, in some words."), "{}", asked.text());
    let stop = form(&mut visitor, &path, &[("do", "end"), ("reason", "Nausea"), ("version", "1")]);
    assert_eq!(visitor.post(&path, &stop, &[]).status, 303);
    let page = visitor.send("GET", "/p/ada", &[], "").text();
    assert!(!page.contains("1 each morning"), "{page}");
}

#[test]
fn a_draft_is_kept_as_it_grows_with_one_event_and_is_signed_once() {
    let site = charted();
    let mut visitor = eve(&site);
    let page = visitor.send("GET", "/p/ada/write?kind=11506-3&encounter=visit-ada", &[], "").text();
    assert!(page.contains("[copied from the chart") && page.contains("Plan:"), "{page}");
    let mut fields = form(
        &mut visitor,
        "/p/ada/write?encounter=visit-ada",
        &[
            ("kind", "11506-3"),
            ("title", "Cough"),
            ("text", "First"),
            ("version", "0"),
            ("do", "draft"),
            ("encounter", "visit-ada"),
        ],
    );
    let entry = fields[2].1.clone();
    for (text, version) in [("First", 1), ("First and second", 2), ("First, second, third", 3)] {
        set(&mut fields, "text", text);
        let said = visitor.post("/p/ada/write", &fields, &[("X-Fragment", "1")]);
        assert!(said.text().contains(&format!("data-version=\"{version}\"")), "{}", said.text());
        set(&mut fields, "version", &version.to_string());
    }
    let again = visitor.send("GET", &format!("/p/ada/write?draft={entry}"), &[], "").text();
    assert!(again.contains("First, second, third") && again.contains("value=\"Cough\""), "{again}");
    assert!(visitor.send("GET", "/p/ada/write", &[], "").text().contains("Your drafts"));
    // Another window that has an older version overwrites nothing.
    let mut stale = fields.clone();
    set(&mut stale, "version", "1");
    assert_eq!(visitor.post("/p/ada/write", &stale, &[("X-Fragment", "1")]).status, 409);
    set(&mut stale, "text", "Typed in another window");
    let told = visitor.post("/p/ada/write", &stale, &[]).text();
    assert!(
        told.contains("Another window kept this draft") && told.contains("Typed in another window")
    );
    assert_ne!(shown(&told, "entry"), entry, "it goes on as a draft of its own");
    set(&mut fields, "do", "sign");
    let signed = visitor.post("/p/ada/write", &fields, &[]);
    let note = to(&signed);
    assert!(note.starts_with("/p/ada/notes/"), "{note}");
    let text = visitor.send("GET", &note, &[], "").text();
    assert!(text.contains("First, second, third") && text.contains("As signed"), "{text}");
    assert!(!visitor.send("GET", "/p/ada/write", &[], "").text().contains("Your drafts"));
    let path = note.split('?').next().unwrap().to_owned();
    let fields = form(&mut visitor, &path, &[("do", "addend"), ("text", "And a fourth")]);
    assert_eq!(visitor.post(&path, &fields, &[]).status, 303);
    assert!(visitor.send("GET", &path, &[], "").text().contains("And a fourth"));
    assert_eq!(visitor.send("GET", &path.replace("/ada/", "/ben/"), &[], "").status, 404);
    drop(visitor);
    let log = read_log(site.dir.path()).map(Result::unwrap);
    let kept = log.filter(|entry| {
        entry.event.kind == audit::event::Kind::DraftKept && entry.event.status < 400
    });
    assert_eq!(kept.count(), 1, "one for the draft, not one each time it is kept");
}

#[test]
fn the_timeline_a_visit_and_a_printed_chart_have_addresses_of_their_own() {
    let site = charted();
    let mut visitor = eve(&site);
    for n in 0..120 {
        site.put(&format!("Observation/o{n}"), &format!(r#"{{"resourceType":"Observation","id":"o{n}","status":"final","code":{{"text":"Count {n}"}},"subject":{{"reference":"Patient/ada"}},"encounter":{{"reference":"Encounter/visit-ada"}},"effectiveDateTime":"2025-03-{:02}T10:{:02}:00Z","valueString":"fine"}}"#, n % 28 + 1, n % 60));
    }
    let page = visitor.send("GET", "/p/ada/timeline", &[], "").text();
    assert!(page.contains("121 records") && page.contains("Cough of ada"), "{page}");
    let next = page.split("href=\"").find(|part| part.contains("after=")).expect("an older page");
    let next = next.split('"').next().unwrap().replace("&amp;", "&");
    let older = visitor.send("GET", &next, &[], "").text();
    let count = |text: &str| text.matches("class=\"timeline-item\"").count();
    assert_eq!((count(&page), count(&older)), (100, 21));
    let visits = visitor.send("GET", "/p/ada/timeline?kind=visits", &[], "").text();
    assert_eq!(count(&visits), 1);
    let none = visitor.send("GET", "/p/ada/timeline?kind=visits&from=2026-02-01", &[], "").text();
    assert!(none.contains("Nothing to show"));
    let visit = visitor.send("GET", "/p/ada/encounters/visit-ada", &[], "").text();
    assert!(
        visit.contains("Cough of ada")
            && visit.contains("Eve Someone")
            && visit.contains("Count 7")
    );
    assert_eq!(visitor.send("GET", "/p/ada/encounters/visit-ben", &[], "").status, 404);
    let print = visitor.send("GET", "/p/ada/print", &[], "").text();
    let head = print.split("<thead").nth(1).and_then(|rest| rest.split("</thead>").next()).unwrap();
    assert!(head.contains("LOVELACE, Ann"), "the banner is the head of every sheet: {head}");
}

#[test]
fn who_may_not_write_is_offered_nothing_and_what_is_withheld_is_said() {
    let site = charted();
    let mut visitor = Visitor::new(&site);
    let token = crate::callers::signed_in(&site, "fred", &["front-desk"]);
    visitor.plant("__Host-plummer-session", &token);
    let page = visitor.send("GET", "/p/ada", &[], "");
    let text = page.text();
    assert_eq!(page.status, 200, "{text}");
    assert!(!text.contains("Add a problem") && !text.contains("Write a note"), "{text}");
    assert!(text.contains("Withheld from your role") && text.contains("Problems"), "{text}");
    for path in ["/p/ada/add/problem", "/p/ada/write", "/p/ada/vitals", "/p/ada/change/Condition/x"]
    {
        assert_eq!(visitor.send("GET", path, &[], "").status, 404, "{path}");
    }
}
