//! What waits for whom: results, messages and tasks, under the caller's own scope, in order.

use crate::support::*;
use base::Millis;
use inbox::{Age, Kind, Weight, Whose};

#[test]
fn what_waits_is_grouped_by_patient_and_the_gravest_comes_first() {
    let room = Room::new();
    room.report("r-normal", "ada", "N", 60);
    room.report("r-high", "ada", "H", 5);
    room.report("r-critical", "ben", "HH", 1);
    room.task("t-1", "ada", "Practitioner/doc", "");
    room.message("m-1", "ben", "Practitioner/doc", "");
    let inbox = waits(&room.doctor());
    let of = |n: usize| inbox.groups[n].patient.as_deref();
    assert_eq!((of(0), of(1), inbox.groups.len()), (Some("ben"), Some("ada"), 2));
    assert_eq!(ids(&inbox), ["r-critical", "m-1", "r-high", "r-normal", "t-1"]);
    assert_eq!(item(&inbox, "r-critical").weight, Weight::Critical);
    assert!(item(&inbox, "r-normal").is_plain() && !item(&inbox, "r-high").is_plain());
    assert_eq!(item(&inbox, "r-critical").age(Millis(NOW)), Age::Soon, "an hour is all there is");
    assert_eq!(item(&inbox, "m-1").text, "May I eat before the test?");
    assert_eq!(inbox.people.len(), 2);
}

#[test]
fn a_value_without_flag_or_range_is_not_taken_for_a_normal_one() {
    let room = Room::new();
    room.report("r-1", "ada", "", 2);
    let inbox = waits(&room.doctor());
    assert_eq!(item(&inbox, "r-1").weight, Weight::Unjudged);
    assert!(!item(&inbox, "r-1").is_plain());
}

#[test]
fn what_another_ordered_or_was_handed_waits_for_them_alone() {
    let room = Room::new();
    room.report_of("r-1", "cleo", ("two", "N"), 2);
    room.report("r-2", "ada", "N", 2);
    room.task("t-1", "cleo", "Practitioner/two", "");
    assert_eq!(ids(&waits(&room.doctor())), ["r-2"]);
    assert_eq!(ids(&waits(&room.colleague())), ["t-1", "r-1"]);
    assert!(ids(&waits(&room.nurse())).is_empty());
}

#[test]
fn a_result_that_nobody_here_ordered_waits_for_the_general_practitioner() {
    let room = Room::new();
    let at = Millis(NOW - DAY).to_instant();
    let of = "DiagnosticReport";
    room.put(&format!(
        r#"{{"resourceType":"{of}","id":"r-out","status":"final","code":{{"text":"X-ray"}},"subject":{{"reference":"Patient/ada"}},"issued":"{at}","conclusion":"No fracture."}}"#
    ));
    let inbox = waits(&room.doctor());
    assert_eq!(ids(&inbox), ["r-out"]);
    assert_eq!(item(&inbox, "r-out").weight, Weight::Unjudged, "words are judged by nobody");
    assert_eq!(item(&inbox, "r-out").text, "No fracture.");
}

#[test]
fn what_is_done_or_long_ago_waits_no_more() {
    let room = Room::new();
    room.report("r-old", "ada", "H", 24 * 91);
    room.task("t-1", "ada", "Practitioner/doc", "");
    let done = room.body("Task", "t-1").replace("\"requested\"", "\"completed\"");
    room.put(&done);
    assert!(ids(&waits(&room.doctor())).is_empty());
}

#[test]
fn a_task_of_the_law_is_due_by_the_law() {
    let room = Room::new();
    let code = |code: &str| {
        format!(r#","code":{{"coding":[{{"system":"urn:plummer:inbox","code":"{code}"}}]}}"#)
    };
    room.task("t-access", "ada", "Practitioner/doc", &code("access-request"));
    room.task("t-amend", "ada", "Practitioner/doc", &code("amendment-request"));
    let stated = r#","restriction":{"period":{"end":"2026-11-22T10:00:00Z"}}"#;
    room.task("t-stated", "ada", "Practitioner/doc", stated);
    let inbox = waits(&room.doctor());
    let days = |id: &str| (item(&inbox, id).due.at.0 - item(&inbox, id).since.0) / DAY;
    assert_eq!((days("t-access"), days("t-amend")), (30, 60));
    assert_eq!(item(&inbox, "t-stated").age(Millis(NOW)), Age::Over);
}

#[test]
fn a_pool_is_its_members_and_a_desk_sees_what_is_labelled_for_it_alone() {
    let room = Room::new();
    room.pool("nurses", "pool", r#"{"member":{"reference":"Practitioner/nurse"}},{"member":{"reference":"Practitioner/two"},"period":{"end":"2026-11-01"}}"#);
    let role = r#"{"role":[{"coding":[{"system":"urn:plummer:inbox","code":"front-desk"}]}],"member":{"reference":"Organization/north"}}"#;
    room.pool("front", "desk-pool", role);
    room.task("t-1", "ada", "CareTeam/nurses", "");
    room.task("t-2", "ada", "CareTeam/front", "");
    let label = r#","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"M"}]}"#;
    room.task("t-3", "ada", "CareTeam/front", label);
    room.report("r-1", "ada", "HH", 1);
    let _doctor = room.doctor();
    let nurse = waits(&room.nurse());
    assert_eq!(ids(&nurse), ["t-1"]);
    assert_eq!(item(&nurse, "t-1").whose, Whose::Pool("Pool nurses".to_owned()));
    assert!(ids(&waits(&room.colleague())).is_empty(), "a membership that is over is none");
    let desk = waits(&room.desk());
    assert_eq!(ids(&desk), ["t-3"], "nothing that is not labelled for it, and no result");
    assert_eq!(room.found("Task", &[("owner", "CareTeam/front")]).len(), 2);
}

#[test]
fn a_chart_is_told_what_is_open_for_its_patient_whoever_has_it() {
    let room = Room::new();
    room.report("r-1", "ada", "H", 1);
    room.task("t-1", "ada", "Practitioner/two", "");
    room.task("t-2", "ben", "Practitioner/doc", "");
    let (session, me) = room.doctor();
    let open = run(inbox::of_patient(&session, &me, "ada")).unwrap();
    let shown: Vec<_> = open.iter().map(|item| item.seen.id.as_str()).collect();
    assert_eq!(shown, ["r-1", "t-1"]);
    let (one, _) = run(inbox::one(&session, &me, (Kind::Result, "r-1"))).unwrap();
    assert_eq!((one.whose, one.lines.len()), (Whose::Own, 1));
    let (other, me) = room.colleague();
    assert_eq!(code(run(inbox::one(&other, &me, (Kind::Result, "none")))), "record.read.not-found");
}

#[test]
fn whoever_may_see_nothing_of_a_patient_has_nothing_of_theirs_waiting() {
    let room = Room::new();
    // Handed to the colleague, who does not treat Ada: a task opens no record.
    room.task("t-1", "ada", "Practitioner/two", "");
    room.message("m-1", "ada", "Practitioner/two", "");
    assert!(ids(&waits(&room.colleague())).is_empty());
    room.put(r#"{"resourceType":"Patient","id":"ada","generalPractitioner":[{"reference":"Practitioner/two"}]}"#);
}

/// A report with one normal value, and what else is said of it.
fn bare(room: &Room, id: &str, status: &str, rest: &str) {
    room.put(&format!(
        r#"{{"resourceType":"Observation","id":"{id}-v","status":"final","code":{{"text":"Potassium"}},"subject":{{"reference":"Patient/ada"}},"valueInteger":4,"interpretation":[{{"coding":[{{"code":"N"}}]}}]}}"#
    ));
    room.put(&format!(
        r#"{{"resourceType":"DiagnosticReport","id":"{id}","status":"{status}","code":{{"text":"x"}},"subject":{{"reference":"Patient/ada"}},"result":[{{"reference":"Observation/{id}-v"}}]{rest}}}"#
    ));
}

fn issued() -> String {
    format!(r#","issued":"{}""#, Millis(NOW - DAY).to_instant())
}

#[test]
fn a_result_waits_whatever_its_status_and_whether_it_says_when_it_was_issued() {
    let room = Room::new();
    for status in ["partial", "preliminary", "cancelled", "unknown", "appended"] {
        bare(&room, status, status, &issued());
    }
    bare(&room, "wrong", "entered-in-error", &issued());
    bare(&room, "ordered", "registered", &issued());
    bare(&room, "unissued", "final", "");
    bare(&room, "long-ago", "final", r#","effectiveDateTime":"2019-03-04""#);
    let doctor = room.doctor();
    let inbox = waits(&doctor);
    let mut all = ids(&inbox);
    all.sort_unstable();
    assert_eq!(all, ["appended", "cancelled", "partial", "preliminary", "unissued", "unknown"]);
    let plain: Vec<_> = inbox.items().filter(|item| item.is_plain()).collect();
    assert_eq!(plain.len(), 1, "and only what is final and whole is plain");
    // One that somebody filed, and that was then withdrawn, comes back.
    let (session, me) = &doctor;
    run(inbox::act::file(session, me, "ada", (&[seen(Kind::Result, "unissued", 1)], false)))
        .unwrap();
    bare(&room, "unissued", "entered-in-error", "");
    assert!(item(&waits(&doctor), "unissued").again);
}

#[test]
fn what_says_more_than_its_values_is_opened_first() {
    let room = Room::new();
    bare(&room, "plain", "final", &issued());
    for (id, more) in [
        ("words", r#","conclusion":"Please repeat.""#),
        ("coded", r#","conclusionCode":[{"text":"Hyperkalaemia"}]"#),
        ("paper", r#","presentedForm":[{"contentType":"application/pdf","title":"x"}]"#),
    ] {
        bare(&room, id, "final", &format!("{}{more}", issued()));
    }
    room.put(&room.body("DiagnosticReport", "words").replace(
        r#""result":["#,
r##""contained":[{"resourceType":"Observation","id":"own","status":"final","code":{"text":"y"},"valueInteger":9,"interpretation":[{"coding":[{"code":"HH"}]}]}],"result":[{"reference":"#own"},{"reference":"https://lab.example/Observation/9"},"##,
    ));
    let inbox = waits(&room.doctor());
    for id in ["words", "coded", "paper"] {
        assert!(!item(&inbox, id).is_plain(), "{id}");
    }
    assert!(item(&inbox, "plain").is_plain());
    let words = item(&inbox, "words");
    assert_eq!((words.weight, words.elsewhere, words.hidden), (Weight::Critical, 1, 0));
    assert_eq!(item(&inbox, "coded").text, "Hyperkalaemia");
}

/// An order by somebody, and the report of it.
fn ordered(room: &Room, id: &str, requester: &str) {
    room.put(&format!(
        r#"{{"resourceType":"ServiceRequest","id":"{id}-o","status":"completed","intent":"order","subject":{{"reference":"Patient/ada"}}{requester}}}"#
    ));
    let order = format!(r#"{},"basedOn":[{{"reference":"ServiceRequest/{id}-o"}}]"#, issued());
    bare(room, id, "final", &order);
}

#[test]
fn whoever_ordered_it_a_result_waits_for_somebody() {
    let room = Room::new();
    room.put(r#"{"resourceType":"PractitionerRole","id":"at-north","practitioner":{"reference":"Practitioner/two"}}"#);
    room.put(
        r#"{"resourceType":"Practitioner","id":"left","active":false,"name":[{"family":"Left"}]}"#,
    );
    room.put(r#"{"resourceType":"Patient","id":"ada","generalPractitioner":[{"reference":"Practitioner/doc"},{"reference":"Practitioner/two"}]}"#);
    let by = |reference: &str| format!(r#","requester":{{"reference":"{reference}"}}"#);
    ordered(&room, "role", &by("PractitionerRole/at-north"));
    ordered(&room, "site", &by("Organization/north"));
    ordered(&room, "self", &by("Patient/ada"));
    ordered(&room, "left", &by("Practitioner/left"));
    ordered(&room, "none", "");
    bare(
        &room,
        "away",
        "final",
        &format!(
            r#"{},"basedOn":[{{"reference":"https://lab.example/ServiceRequest/1"}}]"#,
            issued()
        ),
    );
    let (doctor, two) = (room.doctor(), room.colleague());
    let sorted = |inbox: &inbox::Inbox| {
        let mut all: Vec<String> = ids(inbox).into_iter().map(str::to_owned).collect();
        all.sort_unstable();
        all
    };
    let theirs = waits(&doctor);
    assert_eq!(
        sorted(&theirs),
        ["away", "left", "none", "self", "site"],
        "but not what the other ordered"
    );
    assert_eq!(item(&theirs, "site").whose, Whose::Site);
    assert_eq!(item(&theirs, "self").whose, Whose::Own, "their patient's own order");
    assert_eq!(sorted(&waits(&two)), ["away", "left", "none", "role", "self", "site"]);
    // The page of each says the same as the list.
    let (session, me) = &doctor;
    for (id, whose) in
        [("site", Whose::Site), ("left", Whose::Own), ("role", Whose::Other(String::new()))]
    {
        let (one, _) = run(inbox::one(session, me, (Kind::Result, id))).unwrap();
        assert_eq!(one.whose, whose, "{id}");
    }
}

#[test]
fn a_result_that_is_nobodys_waits_for_every_clinician_of_the_site() {
    let room = Room::new();
    room.put(r#"{"resourceType":"Patient","id":"dan","name":[{"family":"dan"}],"managingOrganization":{"reference":"Organization/north"}}"#);
    room.put(r#"{"resourceType":"Patient","id":"eli","name":[{"family":"eli"}],"managingOrganization":{"reference":"Organization/south"}}"#);
    for of in ["dan", "eli"] {
        room.put(&format!(
            r#"{{"resourceType":"DiagnosticReport","id":"r-{of}","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{of}"}}{}}}"#,
            issued()
        ));
    }
    room.put(r#"{"resourceType":"CareTeam","id":"team","status":"active","subject":{"reference":"Patient/dan"},"participant":[{"member":{"reference":"Practitioner/doc"}},{"member":{"reference":"Practitioner/two"}},{"member":{"reference":"Practitioner/nurse"}}]}"#);
    room.put(r#"{"resourceType":"CareTeam","id":"team-2","status":"active","subject":{"reference":"Patient/eli"},"participant":[{"member":{"reference":"Practitioner/doc"}}]}"#);
    let (doctor, two, nurse) = (room.doctor(), room.colleague(), room.nurse());
    for one in [&doctor, &two] {
        assert_eq!(ids(&waits(one)), ["r-dan"], "of another site it is not theirs");
    }
    assert!(ids(&waits(&nurse)).is_empty());
    assert_eq!(item(&waits(&two), "r-dan").whose, Whose::Site);
    // Who takes it has it, and nobody else.
    let none = inbox::Seen { values: Vec::new(), ..seen(Kind::Result, "r-dan", 1) };
    run(inbox::act::act(&two.0, &two.1, "dan", (&none, &inbox::Act::Take))).unwrap();
    assert!(ids(&waits(&doctor)).is_empty());
    assert_eq!(item(&waits(&two), "r-dan").whose, Whose::Own);
}
