//! What holds of reviews, covers and pools through every door: who may write them, and of what.

use crate::support::*;
use base::Millis;
use inbox::Kind;
use inbox::act::file;
use inbox::cover::{CoverForm, begin, desks};

/// A review as a door is handed it.
struct Body {
    status: &'static str,
    owner: &'static str,
    of: &'static str,
    patient: &'static str,
    intent: &'static str,
    version: u64,
    values: &'static str,
    label: &'static str,
}

/// The doctor files r-1.
const FILED: Body = Body {
    status: "completed",
    owner: "Practitioner/doc",
    of: "r-1",
    patient: "ada",
    intent: "order",
    version: 1,
    values: "1",
    label: "",
};

/// So that the front desk may write it.
const M: &str = r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"M"}]},"#;

impl Body {
    fn text(&self) -> String {
        let Self { status, owner, of, patient, intent, version, values, label } = self;
        let code = |code: &str| {
            format!(r#"{{"coding":[{{"system":"urn:plummer:inbox","code":"{code}"}}]}}"#)
        };
        let (review, read, all) =
            (code("review-result"), code("reviewed-version"), code("reviewed-values"));
        format!(
            r#"{{"resourceType":"Task",{label}"status":"{status}","intent":"{intent}","code":{review},"focus":{{"reference":"DiagnosticReport/{of}"}},"for":{{"reference":"Patient/{patient}"}},"owner":{{"reference":"{owner}"}},"executionPeriod":{{"end":"2026-11-23T10:15:00Z"}},"input":[{{"type":{read},"valueReference":{{"reference":"DiagnosticReport/{of}/_history/{version}"}}}},{{"type":{all},"valueString":"{values}"}}]}}"#
        )
    }
}

#[test]
fn a_review_through_a_door_is_written_by_who_may_file_and_by_nobody_else() {
    let room = Room::new();
    room.report("r-1", "ada", "HH", 2);
    room.report("r-2", "ben", "N", 2);
    let (doctor, desk, two) = (room.doctor(), room.desk(), room.colleague());
    let pat = room.stranger("pat", "front-desk");
    let of_desk = Body { label: M, ..FILED };
    assert_eq!(room.write(&desk.0, &of_desk.text()), "access.denied", "the desk");
    let as_own = Body { owner: "Practitioner/pat", label: M, ..FILED };
    assert_eq!(room.write(&pat.0, &as_own.text()), "access.denied", "a practitioner at the desk");
    let open = Body { status: "requested", owner: "Practitioner/pat", label: M, ..FILED };
    assert_eq!(room.write(&pat.0, &open.text()), "access.denied", "who would hide it by taking it");
    let stranger = Body { owner: "Practitioner/two", ..FILED };
    assert_eq!(room.write(&two.0, &stranger.text()), "access.denied", "who does not treat Ada");
    for (odd, why) in [
        (Body { owner: "Practitioner/two", ..FILED }, "for another"),
        (Body { patient: "ben", ..FILED }, "another patient than the report's"),
        (Body { of: "r-2", ..FILED }, "another report than the patient's"),
        (Body { intent: "proposal", ..FILED }, "a proposal"),
        (Body { status: "requested", owner: "Patient/ada", ..FILED }, "hidden with nobody"),
    ] {
        assert_eq!(room.write(&doctor.0, &odd.text()), "inbox.review.invalid", "{why}");
    }
    let unseen = Body { status: "requested", owner: "Practitioner/two", ..FILED };
    assert_eq!(room.write(&doctor.0, &unseen.text()), "inbox.target.unseen", "hidden with another");
    for (version, values) in [(9, "1"), (1, "2"), (1, "x"), (1, "1-1")] {
        let unread = Body { version, values, ..FILED };
        assert_eq!(
            room.write(&doctor.0, &unread.text()),
            "inbox.result.changed",
            "{version} {values}"
        );
    }
    assert_eq!(ids(&waits(&doctor)), ["r-1", "r-2"], "nothing of it hid a result");
    assert_eq!(room.write(&doctor.0, &FILED.text()), "done");
    assert_eq!(ids(&waits(&doctor)), ["r-2"]);
}

#[test]
fn a_review_that_counts_for_nothing_hides_nothing_though_it_was_imported() {
    let room = Room::new();
    room.report("r-1", "ada", "HH", 2);
    let doctor = room.doctor();
    for (n, odd) in [
        Body { patient: "ben", ..FILED },
        Body { intent: "proposal", ..FILED },
        Body { status: "draft", ..FILED },
        Body { owner: "Organization/north", ..FILED },
        Body { version: 9, ..FILED },
        Body { status: "requested", owner: "Practitioner/gone", ..FILED },
    ]
    .into_iter()
    .enumerate()
    {
        // As the house itself writes, which no rule holds.
        let id = format!(r#"{{"resourceType":"Task","id":"odd-{n}","#);
        room.put(&odd.text().replacen(r#"{"resourceType":"Task","#, &id, 1));
        assert_eq!(ids(&waits(&doctor)), ["r-1"], "{n}");
    }
}

#[test]
fn a_review_stays_the_review_of_its_report() {
    let room = Room::new();
    room.report("r-1", "ada", "N", 2);
    room.report("r-2", "ada", "N", 2);
    let doctor = room.doctor();
    let (session, me) = &doctor;
    let done = run(file(session, me, "ada", (&[seen(Kind::Result, "r-1", 1)], false))).unwrap();
    let task = room.body("Task", &done.took[0].id);
    let other = task.replace("DiagnosticReport/r-1", "DiagnosticReport/r-2");
    assert_eq!(room.write(session, &other), "inbox.review.invalid");
    let none = task.replace("review-result", "something-else");
    assert_eq!(room.write(session, &none), "inbox.review.invalid");
    let back = task.replace("\"completed\"", "\"entered-in-error\"");
    assert_eq!(room.write(session, &back), "done");
    assert_eq!(ids(&waits(&doctor)).len(), 2);
}

fn form(other: &str, days: i64) -> CoverForm {
    let (from, until) = (Millis(NOW - MINUTE), Millis(NOW + days * DAY));
    CoverForm { form: "form-1".to_owned(), other: other.to_owned(), for_me: true, from, until }
}

#[test]
fn a_cover_is_shortened_by_one_of_the_two_and_by_no_third() {
    let room = Room::new();
    let (doctor, two) = (room.doctor(), room.colleague());
    let third = room.stranger("third", "clinician");
    run(begin(&doctor.0, &form("two", 5))).unwrap();
    let id = run(desks(&two.0, &two.1)).unwrap().covers[0].id.clone();
    let cover = room.body("CareTeam", &id);
    let end = |days: i64| Millis(NOW + days * DAY).to_instant();
    let shorter = cover.replace(&end(5), &end(3));
    assert_eq!(room.write(&third.0, &shorter), "access.denied", "a third");
    assert_eq!(room.write(&third.0, &cover.replace("\"active\"", "\"inactive\"")), "access.denied");
    for odd in [
        cover.replace(&end(5), &end(9)),
        cover.replace("Practitioner/doc", "Practitioner/third"),
        cover.replace("\"cover\"", "\"pool\""),
    ] {
        assert_eq!(room.write(&two.0, &odd), "access.denied", "{odd}");
    }
    assert_eq!(room.write(&two.0, &shorter), "done", "who covers");
    let ended = room.body("CareTeam", &id).replace("\"active\"", "\"inactive\"");
    assert_eq!(room.write(&doctor.0, &ended), "done", "who is covered for");
    assert_eq!(
        room.write(&doctor.0, &room.body("CareTeam", &id).replace("\"inactive\"", "\"active\"")),
        "access.denied"
    );
    // Between two others, and without an end, there is none.
    let new = |body: &str| body.replacen(&format!(r#""id":"{id}","#), "", 1);
    assert_eq!(room.write(&third.0, &new(&cover)), "access.denied");
}

#[test]
fn a_pool_is_changed_by_its_members() {
    let room = Room::new();
    let (doctor, two) = (room.doctor(), room.colleague());
    room.pool("nurses", "pool", r#"{"member":{"reference":"Practitioner/two"}}"#);
    let gone = room.body("CareTeam", "nurses").replace("\"active\"", "\"inactive\"");
    assert_eq!(room.write(&doctor.0, &gone), "access.denied");
    assert_eq!(room.write(&two.0, &gone), "done");
}

#[test]
fn covers_that_lapsed_crowd_out_none_that_holds() {
    let room = Room::new();
    let (doctor, two) = (room.doctor(), room.colleague());
    for n in 0..120 {
        let period = r#""period":{"start":"2020-01-01","end":"2020-02-01"}"#;
        let one = |role: &str, who: &str| {
            format!(
                r#"{{"role":[{{"coding":[{{"system":"urn:plummer:inbox","code":"{role}"}}]}}],"member":{{"reference":"Practitioner/{who}"}},{period}}}"#
            )
        };
        let people = [one("covered", "doc"), one("covering", "two")].join(",");
        room.put(&format!(
            r#"{{"resourceType":"CareTeam","id":"zz-{n}","status":"active","category":[{{"coding":[{{"system":"urn:plummer:inbox","code":"cover"}}]}}],{period},"participant":[{people}]}}"#
        ));
    }
    run(begin(&doctor.0, &form("two", 5))).unwrap();
    assert_eq!(run(desks(&two.0, &two.1)).unwrap().covers.len(), 1);
}
