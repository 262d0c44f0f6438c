//! What is done with items: filing, answering, handing on, taking, giving back, and taking it back.

use crate::support::*;
use base::Millis;
use inbox::Kind;
use inbox::act::{Act, act, file, undo};
use record::Kind as Told;

fn forward(to: &str) -> Act {
    Act::Forward { to: to.to_owned(), note: "please".to_owned() }
}

#[test]
fn a_filed_result_waits_no_more_and_says_who_read_which_version() {
    let room = Room::new();
    room.report("r-1", "ada", "N", 2);
    let doctor = room.doctor();
    let (session, me) = &doctor;
    let done = run(file(session, me, "ada", (&[seen(Kind::Result, "r-1", 1)], false))).unwrap();
    assert!(ids(&waits(&doctor)).is_empty());
    let [took] = &done.took[..] else { panic!("one task") };
    let task = room.body("Task", &took.id);
    for part in
        ["\"completed\"", "DiagnosticReport/r-1/_history/1", "Practitioner/doc", "Patient/ada"]
    {
        assert!(task.contains(part), "{part}");
    }
    assert!(
        room.body("DiagnosticReport", "r-1").contains("\"versionId\":\"1\""),
        "it stays as it was"
    );
    // Pressed twice, it is filed once.
    let again = run(file(session, me, "ada", (&[seen(Kind::Result, "r-1", 1)], false)));
    assert_eq!(code(again), "inbox.item.state");
    assert_eq!(room.found("Task", &[("focus", "DiagnosticReport/r-1")]).len(), 1);
    let events = room.events();
    let acts = events.iter().filter(|event| {
        event.kind == Told::Operation && event.targets.iter().any(|one| one.version.is_some())
    });
    assert_eq!(acts.count(), 1, "one event of one act");
}

#[test]
fn what_is_not_plainly_normal_is_filed_by_itself_once_it_was_opened() {
    let room = Room::new();
    room.report("r-1", "ada", "N", 2);
    room.report("r-2", "ada", "H", 2);
    room.report("r-3", "ada", "", 2);
    let doctor = room.doctor();
    let (session, me) = &doctor;
    let of = |id: &str| seen(Kind::Result, id, 1);
    for all in [vec![of("r-1"), of("r-2")], vec![of("r-2")], vec![of("r-3")]] {
        assert_eq!(code(run(file(session, me, "ada", (&all, false)))), "inbox.result.unopened");
    }
    let both = [of("r-1"), of("r-2")];
    assert_eq!(code(run(file(session, me, "ada", (&both, true)))), "inbox.result.unopened");
    assert_eq!(ids(&waits(&doctor)).len(), 3, "none of them was filed");
    run(file(session, me, "ada", (&[of("r-2")], true))).unwrap();
    run(file(session, me, "ada", (&[of("r-1")], false))).unwrap();
    assert_eq!(ids(&waits(&doctor)), ["r-3"]);
}

#[test]
fn several_of_one_patient_are_filed_at_once_and_another_patients_never() {
    let room = Room::new();
    for id in ["r-1", "r-2", "r-3"] {
        room.report(id, "ada", "N", 2);
    }
    room.report("r-4", "ben", "N", 2);
    let doctor = room.doctor();
    let (session, me) = &doctor;
    let of = |id: &str| seen(Kind::Result, id, 1);
    let mixed = [of("r-1"), of("r-4")];
    assert_eq!(code(run(file(session, me, "ada", (&mixed, false)))), "charting.patient.other");
    let all = [of("r-1"), of("r-2"), of("r-3")];
    let done = run(file(session, me, "ada", (&all, false))).unwrap();
    assert_eq!((done.took.len(), ids(&waits(&doctor))), (3, vec!["r-4"]));
    // All of them come back by one undo, and can be filed again.
    run(undo(session, "ada", &done.undo)).unwrap();
    assert_eq!(ids(&waits(&doctor)).len(), 4);
    run(file(session, me, "ada", (&all, false))).unwrap();
    assert_eq!(ids(&waits(&doctor)), ["r-4"]);
}

#[test]
fn a_result_that_is_corrected_after_it_was_filed_comes_back() {
    let room = Room::new();
    room.report("r-1", "ada", "N", 2);
    room.report("r-2", "ada", "N", 2);
    let doctor = room.doctor();
    let (session, me) = &doctor;
    let both = [seen(Kind::Result, "r-1", 1), seen(Kind::Result, "r-2", 1)];
    run(file(session, me, "ada", (&both, false))).unwrap();
    room.turn(MINUTE);
    room.put(&report("r-1", "ada", "corrected", &Millis(NOW).to_instant()));
    // Of the other the value alone is corrected, as some laboratories do.
    let value = room.body("Observation", "r-2-v").replace("\"final\"", "\"corrected\"");
    room.put(&value.replace("4.2", "6.4"));
    let inbox = waits(&doctor);
    assert_eq!(ids(&inbox).len(), 2);
    for id in ["r-1", "r-2"] {
        let item = item(&inbox, id);
        assert!(item.again && item.corrected && !item.is_plain(), "{id}");
    }
    let old = [seen(Kind::Result, "r-1", 1)];
    assert_eq!(code(run(file(session, me, "ada", (&old, true)))), "record.write.version-conflict");
    run(file(session, me, "ada", (&[seen(Kind::Result, "r-1", 2)], true))).unwrap();
    let unseen = [result("r-2", 1, &[1])];
    assert_eq!(code(run(file(session, me, "ada", (&unseen, true)))), "inbox.result.changed");
    run(file(session, me, "ada", (&[result("r-2", 1, &[2])], true))).unwrap();
    assert!(ids(&waits(&doctor)).is_empty());
}

#[test]
fn an_answer_closes_the_message_and_goes_to_who_asked() {
    let room = Room::new();
    room.message("m-1", "ada", "Practitioner/doc", "");
    let doctor = room.doctor();
    let (session, me) = &doctor;
    let message = seen(Kind::Message, "m-1", 1);
    let empty = Act::Reply("  ".to_owned());
    assert_eq!(code(run(act(session, me, "ada", (&message, &empty)))), "inbox.value.invalid");
    let say = Act::Reply("No. Come fasting.".to_owned());
    let done = run(act(session, me, "ada", (&message, &say))).unwrap();
    assert!(ids(&waits(&doctor)).is_empty());
    let reply = done.took.iter().find(|one| one.id != "m-1").unwrap();
    let body = room.body("Communication", &reply.id);
    for part in ["Communication/m-1", "Come fasting.", "Patient/ada", "Practitioner/doc"] {
        assert!(body.contains(part), "{part}");
    }
    run(undo(session, "ada", &done.undo)).unwrap();
    assert_eq!(ids(&waits(&doctor)), ["m-1"]);
    assert!(room.body("Communication", &reply.id).contains("entered-in-error"));
}

#[test]
fn what_is_handed_on_waits_for_the_other_and_comes_back_by_an_undo() {
    let room = Room::new();
    room.report("r-1", "cleo", "H", 2);
    room.put(r#"{"resourceType":"Patient","id":"cleo","generalPractitioner":[{"reference":"Practitioner/two"},{"reference":"Practitioner/doc"}]}"#);
    room.task("t-1", "cleo", "Practitioner/doc", "");
    let (doctor, two) = (room.doctor(), room.colleague());
    let (session, me) = &doctor;
    let result = seen(Kind::Result, "r-1", 1);
    let task = seen(Kind::Task, "t-1", 1);
    for bad in ["Practitioner/none", "Patient/ada", "nobody", "CareTeam/x"] {
        let handed = run(act(session, me, "cleo", (&task, &forward(bad))));
        assert_eq!(code(handed), "inbox.value.invalid", "{bad}");
    }
    let first = run(act(session, me, "cleo", (&result, &forward("Practitioner/two")))).unwrap();
    run(act(session, me, "cleo", (&task, &forward("Practitioner/two")))).unwrap();
    assert!(ids(&waits(&doctor)).is_empty());
    let theirs = waits(&two);
    assert_eq!(ids(&theirs), ["r-1", "t-1"]);
    assert_eq!(item(&theirs, "r-1").note, "please");
    run(undo(session, "cleo", &first.undo)).unwrap();
    assert_eq!(ids(&waits(&doctor)), ["r-1"]);
    assert_eq!(ids(&waits(&two)), ["t-1"]);
    // Handed on again, it is filed by the other, and for both.
    run(act(session, me, "cleo", (&result, &forward("Practitioner/two")))).unwrap();
    run(file(&two.0, &two.1, "cleo", (&[result], true))).unwrap();
    assert!(ids(&waits(&doctor)).is_empty());
}

#[test]
fn of_a_pool_one_takes_it_and_may_give_it_back() {
    let room = Room::new();
    room.pool("nurses", "pool", r#"{"member":{"reference":"Practitioner/nurse"}},{"member":{"reference":"Practitioner/doc"}}"#);
    room.task("t-1", "ada", "CareTeam/nurses", "");
    room.message("m-1", "ada", "CareTeam/nurses", "");
    let (nurse, doctor) = (room.nurse(), room.doctor());
    let (session, me) = &nurse;
    run(act(session, me, "ada", (&seen(Kind::Task, "t-1", 1), &Act::Take))).unwrap();
    run(act(session, me, "ada", (&seen(Kind::Message, "m-1", 1), &Act::Take))).unwrap();
    let theirs = waits(&doctor);
    assert_eq!(ids(&theirs), ["m-1"], "a task has one owner; a message says who took it");
    assert_eq!(item(&theirs, "m-1").taken.as_ref().unwrap().0, "Practitioner/nurse");
    let late = run(act(&doctor.0, &doctor.1, "ada", (&seen(Kind::Message, "m-1", 2), &Act::Take)));
    assert_eq!(code(late), "inbox.item.state");
    run(act(session, me, "ada", (&seen(Kind::Task, "t-1", 2), &Act::GiveBack))).unwrap();
    run(act(session, me, "ada", (&seen(Kind::Message, "m-1", 2), &Act::GiveBack))).unwrap();
    let theirs = waits(&doctor);
    assert_eq!(ids(&theirs).len(), 2);
    assert!(theirs.items().all(|item| item.taken.is_none()));
    let close = Act::Close("called".to_owned());
    run(act(session, me, "ada", (&seen(Kind::Task, "t-1", 3), &close))).unwrap();
    assert!(room.body("Task", "t-1").contains("Practitioner/nurse"), "who did it owns it");
    assert_eq!(ids(&waits(&doctor)), ["m-1"]);
}

#[test]
fn what_was_done_is_taken_back_within_half_an_hour_and_only_as_it_was_left() {
    let room = Room::new();
    room.report("r-1", "ada", "N", 2);
    room.task("t-1", "ada", "Practitioner/doc", "");
    let doctor = room.doctor();
    let (session, me) = &doctor;
    let filed = run(file(session, me, "ada", (&[seen(Kind::Result, "r-1", 1)], false))).unwrap();
    assert_eq!(code(run(undo(session, "ben", &filed.undo))), "charting.patient.other");
    assert_eq!(code(run(undo(session, "ada", "made-up"))), "inbox.item.state");
    // What one did another does not take back, and a version that went on nobody does.
    let (nurse, _) = room.nurse();
    assert_eq!(code(run(undo(&nurse, "ada", &filed.undo))), "inbox.item.state");
    let taken =
        run(act(session, me, "ada", (&seen(Kind::Task, "t-1", 1), &forward("Practitioner/nurse"))));
    let taken = taken.unwrap();
    let tagged =
        room.body("Task", "t-1").replace("\"meta\":{", "\"meta\":{\"tag\":[{\"code\":\"x\"}],");
    room.put(&tagged);
    let late = run(undo(session, "ada", &taken.undo));
    assert_eq!(code(late), "record.write.version-conflict", "a tag was set since");
    room.turn(31 * MINUTE);
    assert_eq!(code(run(undo(session, "ada", &filed.undo))), "inbox.item.state", "too late");
    assert!(ids(&waits(&doctor)).is_empty());
}

#[test]
fn nobody_files_what_they_may_not_see_and_a_nurse_no_result_of_a_stranger() {
    let room = Room::new();
    room.report("r-1", "ada", "N", 2);
    let (stranger, me) = room.colleague();
    let one = [seen(Kind::Result, "r-1", 1)];
    let refused = run(file(&stranger, &me, "ada", (&one, true)));
    assert_eq!(code(refused), "record.read.not-found", "as if it were not there");
    let (desk, me) = room.desk();
    let refused = code(run(file(&desk, &me, "ada", (&one, true))));
    assert!(["inbox.person.missing", "access.denied"].contains(&refused), "{refused}");
    assert!(room.found("Task", &[("focus", "DiagnosticReport/r-1")]).is_empty());
}

#[test]
fn the_desk_answers_what_was_handed_to_it_and_gets_no_results() {
    let room = Room::new();
    let role = r#"{"role":[{"coding":[{"system":"urn:plummer:inbox","code":"front-desk"}]}],"member":{"reference":"Organization/north"}}"#;
    room.pool("front", "desk-pool", role);
    room.message("m-1", "ada", "Practitioner/doc", "");
    room.report("r-1", "ada", "N", 2);
    let (doctor, desk) = (room.doctor(), room.desk());
    let (session, me) = &doctor;
    let to_desk = forward("CareTeam/front");
    let refused = run(act(session, me, "ada", (&seen(Kind::Result, "r-1", 1), &to_desk)));
    assert_eq!(code(refused), "inbox.item.state");
    assert!(ids(&waits(&desk)).is_empty());
    run(act(session, me, "ada", (&seen(Kind::Message, "m-1", 1), &to_desk))).unwrap();
    assert_eq!(ids(&waits(&desk)), ["m-1"]);
    let say = Act::Reply("Yes, at nine.".to_owned());
    run(act(&desk.0, &desk.1, "ada", (&seen(Kind::Message, "m-1", 2), &say))).unwrap();
    assert!(ids(&waits(&desk)).is_empty());
}

#[test]
fn what_another_person_has_is_taken_filed_or_handed_on_by_nobody_who_does_not_cover() {
    let room = Room::new();
    room.put(r#"{"resourceType":"Patient","id":"ada","generalPractitioner":[{"reference":"Practitioner/doc"},{"reference":"Practitioner/two"}]}"#);
    room.report("r-1", "ada", "H", 2);
    room.task("t-1", "ada", "Practitioner/doc", "");
    room.message("m-1", "ada", "Practitioner/doc", "");
    let (_doctor, two) = (room.doctor(), room.colleague());
    let (session, me) = &two;
    for one in
        [seen(Kind::Result, "r-1", 1), seen(Kind::Task, "t-1", 1), seen(Kind::Message, "m-1", 1)]
    {
        for act_of in [Act::Take, forward("Practitioner/two")] {
            let refused = run(act(session, me, "ada", (&one, &act_of)));
            assert_eq!(code(refused), "inbox.item.state", "{one:?} {act_of:?}");
        }
    }
    let filed = run(file(session, me, "ada", (&[seen(Kind::Result, "r-1", 1)], true)));
    assert_eq!(code(filed), "inbox.item.state");
}

#[test]
fn what_is_handed_to_somebody_who_would_not_see_it_stays() {
    let room = Room::new();
    room.pool("strangers", "pool", r#"{"member":{"reference":"Practitioner/two"}}"#);
    room.pool("nurses", "pool", r#"{"member":{"reference":"Practitioner/nurse"}}"#);
    room.report("r-1", "ada", "H", 2);
    room.task("t-1", "ada", "Practitioner/doc", "");
    room.message("m-1", "ada", "Practitioner/doc", "");
    let (doctor, _two) = (room.doctor(), room.colleague());
    let (session, me) = &doctor;
    let all =
        [seen(Kind::Result, "r-1", 1), seen(Kind::Task, "t-1", 1), seen(Kind::Message, "m-1", 1)];
    // A colleague who does not treat Ada, a pool of such, and a nurse as whom nobody signs in yet.
    for to in ["Practitioner/two", "CareTeam/strangers", "Practitioner/nurse", "CareTeam/nurses"] {
        for one in &all {
            let handed = run(act(session, me, "ada", (one, &forward(to))));
            assert_eq!(code(handed), "inbox.target.unseen", "{to} {one:?}");
        }
    }
    assert_eq!(ids(&waits(&doctor)).len(), 3, "all of it still waits for who had it");
    let nurse = room.nurse();
    run(act(session, me, "ada", (&all[0], &forward("CareTeam/nurses")))).unwrap();
    assert_eq!(ids(&waits(&nurse)), ["r-1"]);
}

#[test]
fn a_message_to_several_is_handed_on_by_each_for_themselves() {
    let room = Room::new();
    room.put(r#"{"resourceType":"Patient","id":"ada","generalPractitioner":[{"reference":"Practitioner/doc"},{"reference":"Practitioner/two"},{"reference":"Practitioner/nurse"}]}"#);
    room.message("m-1", "ada", "Practitioner/doc", "");
    let both = room.body("Communication", "m-1").replace(
        r#""recipient":[{"reference":"Practitioner/doc"}]"#,
        r#""recipient":[{"reference":"Practitioner/doc"},{"reference":"Practitioner/two"}]"#,
    );
    room.put(&both);
    let (doctor, two, nurse) = (room.doctor(), room.colleague(), room.nurse());
    let one = (&seen(Kind::Message, "m-1", 2), &forward("Practitioner/nurse"));
    run(act(&doctor.0, &doctor.1, "ada", one)).unwrap();
    assert!(ids(&waits(&doctor)).is_empty());
    assert_eq!((ids(&waits(&two)), ids(&waits(&nurse))), (vec!["m-1"], vec!["m-1"]));
}

#[test]
fn who_answers_is_a_person_even_at_the_desk_and_the_answer_comes_back_to_the_desk() {
    let room = Room::new();
    let role = r#"{"role":[{"coding":[{"system":"urn:plummer:inbox","code":"front-desk"}]}],"member":{"reference":"Organization/north"}}"#;
    room.pool("front", "desk-pool", role);
    let label = r#","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"M"}]}"#;
    room.message("m-1", "ada", "CareTeam/front", label);
    let asked = room.body("Communication", "m-1");
    room.put(&asked.replace(
        r#""sender":{"reference":"Patient/ada"}"#,
        r#""sender":{"reference":"Practitioner/doc"}"#,
    ));
    let (doctor, desk) = (room.doctor(), room.desk());
    let say = Act::Reply("At nine.".to_owned());
    let done = run(act(&desk.0, &desk.1, "ada", (&seen(Kind::Message, "m-1", 2), &say))).unwrap();
    let reply = done.took.iter().find(|one| one.id != "m-1").unwrap();
    let body = room.body("Communication", &reply.id);
    assert!(body.contains("robin") && !body.contains("Organization/north"), "{body}");
    assert_eq!(ids(&waits(&doctor)), [reply.id.as_str()]);
    let thanks = Act::Reply("Thank you.".to_owned());
    run(act(&doctor.0, &doctor.1, "ada", (&seen(Kind::Message, &reply.id, 1), &thanks))).unwrap();
    assert_eq!(
        waits(&desk).items().map(|item| item.text.as_str()).collect::<Vec<_>>(),
        ["Thank you."]
    );
}

#[test]
fn at_the_desk_a_practitioner_answers_under_the_desks_label_too() {
    let room = Room::new();
    room.pool("front", "desk-pool", r#"{"member":{"reference":"Practitioner/pat"}}"#);
    let label = r#","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"M"}]}"#;
    room.message("m-1", "ada", "CareTeam/front", label);
    let pat = room.stranger("pat", "front-desk");
    let say = Act::Reply("At nine.".to_owned());
    let done = run(act(&pat.0, &pat.1, "ada", (&seen(Kind::Message, "m-1", 1), &say))).unwrap();
    let reply = done.took.iter().find(|one| one.id != "m-1").unwrap();
    assert!(room.body("Communication", &reply.id).contains(r#""code":"M""#));
}

#[test]
fn a_value_that_changed_while_the_page_was_open_is_not_filed_unseen() {
    let room = Room::new();
    room.report("r-1", "ada", "N", 2);
    let doctor = room.doctor();
    let (session, me) = &doctor;
    let shown = item(&waits(&doctor), "r-1").seen.clone();
    assert_eq!(shown.values, [1]);
    // Without a word that it was corrected: another version is another value.
    room.put(&room.body("Observation", "r-1-v").replace("4.2", "6.4"));
    for opened in [false, true] {
        let filed = run(file(session, me, "ada", (std::slice::from_ref(&shown), opened)));
        assert_eq!(code(filed), "inbox.result.changed");
    }
    let now = item(&waits(&doctor), "r-1").seen.clone();
    let done = run(file(session, me, "ada", (&[now], true))).unwrap();
    let task = room.body("Task", &done.took[0].id);
    assert!(task.contains("reviewed-values") && task.contains("executionPeriod"), "{task}");
    assert!(ids(&waits(&doctor)).is_empty());
    room.put(&room.body("Observation", "r-1-v").replace("6.4", "6.8"));
    assert!(item(&waits(&doctor), "r-1").again, "and it comes back when it changes once more");
}

#[test]
fn of_more_than_five_hundred_corrected_values_none_is_overlooked() {
    let room = Room::new();
    room.report("r-1", "ada", "N", 2);
    let doctor = room.doctor();
    run(file(&doctor.0, &doctor.1, "ada", (&[seen(Kind::Result, "r-1", 1)], false))).unwrap();
    room.turn(MINUTE);
    room.put(&room.body("Observation", "r-1-v").replace("\"final\"", "\"corrected\""));
    room.turn(MINUTE);
    for n in 0..520 {
        room.put(&format!(
            r#"{{"resourceType":"Observation","id":"c-{n}","status":"corrected","code":{{"text":"x"}},"subject":{{"reference":"Patient/ada"}},"valueInteger":1}}"#
        ));
    }
    assert_eq!(ids(&waits(&doctor)), ["r-1"]);
}
