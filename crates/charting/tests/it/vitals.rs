//! Vital signs kept: what becomes of a line in the record, the remarks, and whom it may be about.

use crate::support::{Room, code, run};
use charting::sign::Sign;
use charting::vitals::{Doubt, VitalsForm, keep, preview};
use charting::{About, Summary};
use record::Audited;

fn form(id: &str, line: &str) -> VitalsForm {
    VitalsForm { form: id.to_owned(), line: line.to_owned(), at: None }
}

#[test]
fn a_line_becomes_observations_of_the_profile_in_the_units_typed() {
    let room = Room::with_ada();
    let nurse = room.as_of(&room.person("nora", "nurse", "two"));
    let ada = About::patient("ada");
    let kept = run(keep(&nurse, &ada, &form("f1", "bp 128/82 t 98.4 wt 180lb ht 5'10\" spo2 98")))
        .unwrap();
    assert_eq!(kept.done.len(), 6, "five and the body mass index");
    let body = |n: usize| room.body("Observation", &kept.done[n].place.id);
    for part in [
        r#""valueQuantity":{"value":128,"unit":"mmHg","system":"http://unitsofmeasure.org","code":"mm[Hg]"}"#,
        r#""code":"85354-9""#,
        r#""code":"8462-4""#,
        r#""code":"vital-signs""#,
        r#""subject":{"reference":"Patient/ada"}"#,
        r#""performer":[{"reference":"Practitioner/two"}]"#,
    ] {
        assert!(body(0).contains(part), "{part}");
    }
    assert!(body(1).contains(r#""value":98.4,"unit":"°F""#));
    assert!(body(2).contains(r#""code":"[lb_av]""#));
    assert!(body(4).contains("2708-6") && body(4).contains("59408-5"));
    let mass = body(5);
    assert!(mass.contains(r#""value":25.8"#) && mass.contains(r#""code":"kg/m2""#));
    let weight = format!(r#"{{"reference":"Observation/{}"}}"#, kept.done[2].place.id);
    assert!(mass.contains(&weight), "and says what it comes of");
    let shown = Summary::of(&nurse, "ada").and_then(Audited::wait).unwrap();
    assert_eq!(shown.vitals.rows.len(), 6);
    let of =
        |sign| shown.vitals.rows.iter().find(|one| one.sign == sign).unwrap().points[0].clone();
    assert_eq!(of(Sign::Weight).number.unwrap().round(1).to_string(), "81.6");
    assert_eq!(of(Sign::Pressure).second_number.unwrap().to_string(), "82");
}

#[test]
fn a_form_that_is_sent_twice_is_entered_once_and_in_another_chart_it_is_another() {
    let room = Room::with_ada();
    let doctor = room.doctor();
    let send =
        |patient: &str| run(keep(&doctor, &About::patient(patient), &form("f1", "hr 71"))).unwrap();
    let (first, again, other) = (send("ada"), send("ada"), send("ben"));
    assert!(first.done[0].new && !again.done[0].new && other.done[0].new);
    assert_eq!(first.done[0].place, again.done[0].place);
    assert_ne!(first.done[0].place.id, other.done[0].place.id);
    assert_eq!(room.count("Observation", &[("patient", "ada")]), 1);
}

#[test]
fn a_line_with_a_trouble_keeps_nothing() {
    let room = Room::with_ada();
    let doctor = room.doctor();
    let ada = About::patient("ada");
    let fault = run(keep(&doctor, &ada, &form("f1", "hr 71 wt 180 xx"))).unwrap_err();
    let places: Vec<_> = fault.issues.iter().map(|one| one.expression.clone().unwrap()).collect();
    assert_eq!(places, ["line[6..12]", "line[13..15]"]);
    assert!(fault.issues.iter().all(|one| one.code.name == "charting.entry.not-understood"));
    let text = format!("{fault:?}");
    assert!(!text.contains("180"), "what was typed is not told again");
    assert_eq!(code(run(keep(&doctor, &ada, &form("f1", "")))), "charting.entry.not-understood");
    assert_eq!(code(run(keep(&doctor, &ada, &form("", "hr 71")))), "server.parameter.invalid");
    for at in ["2031-01-01T00:00:00Z", "2026-13-01", "yesterday"] {
        let form = VitalsForm { at: Some(at.to_owned()), ..form("f1", "hr 71") };
        assert_eq!(code(run(keep(&doctor, &ada, &form))), "charting.value.invalid", "{at}");
    }
    assert_eq!(room.count("Observation", &[("patient", "ada")]), 0);
}

#[test]
fn a_value_far_from_the_last_or_from_the_usual_is_remarked_on_and_kept_all_the_same() {
    let room = Room::with_ada();
    let doctor = room.doctor();
    let ada = About::patient("ada");
    run(keep(&doctor, &ada, &form("f1", "wt 80kg hr 71 ht 178cm"))).unwrap();
    let remarks = |line: &str| {
        let seen = run(preview(&doctor, &ada, line)).unwrap();
        seen.remarks.into_iter().map(|one| (one.sign, one.what)).collect::<Vec<_>>()
    };
    assert_eq!(remarks("wt 180lb hr 75"), [], "180 lb is 81.6 kg");
    assert_eq!(remarks("wt 90kg"), [(Sign::Weight, Doubt::Changed)]);
    assert_eq!(remarks("hr 190"), [(Sign::Pulse, Doubt::High), (Sign::Pulse, Doubt::Changed)]);
    assert_eq!(remarks("bp 90/85"), [(Sign::Pressure, Doubt::PulsePressure)]);
    assert_eq!(
        remarks("wt 82kg ht 1 m"),
        [(Sign::Height, Doubt::Changed), (Sign::BodyMass, Doubt::BodyMass)]
    );
    assert!(run(keep(&doctor, &ada, &form("f2", "hr 190"))).unwrap().done[0].new);
}

#[test]
fn the_vitals_of_a_child_are_held_to_its_age() {
    let room = Room::with_ada();
    room.put(r#"{"resourceType":"Patient","id":"kid","birthDate":"2022-11-01","generalPractitioner":[{"reference":"Practitioner/doc"}]}"#);
    let doctor = room.doctor();
    let remarks = |patient: &str, line: &str| {
        let seen = run(preview(&doctor, &About::patient(patient), line)).unwrap();
        seen.remarks.into_iter().map(|one| (one.sign, one.what)).collect::<Vec<_>>()
    };
    let line = "104/60 138 rr 30";
    assert_eq!(remarks("ada", line), []);
    assert_eq!(remarks("kid", line), [(Sign::Pressure, Doubt::High)], "of four years");
    assert_eq!(
        remarks("kid", "76/40 150"),
        [(Sign::Pressure, Doubt::Low), (Sign::Pulse, Doubt::High)]
    );
}

#[test]
fn vitals_for_a_visit_of_another_patient_are_refused_by_name() {
    let room = Room::with_ada();
    for id in ["ada", "ben"] {
        room.put(&format!(
            r#"{{"resourceType":"Encounter","id":"visit-{id}","status":"in-progress","class":{{"code":"AMB"}},"subject":{{"reference":"Patient/{id}"}}}}"#
        ));
    }
    let doctor = room.doctor();
    let about =
        |encounter: &str| About { patient: "ada".into(), encounter: Some(encounter.into()) };
    let fault = run(keep(&doctor, &about("visit-ben"), &form("f1", "hr 71")));
    assert_eq!(code(fault), "charting.patient.other");
    assert_eq!(room.count("Observation", &[]), 0);
    let kept = run(keep(&doctor, &about("visit-ada"), &form("f1", "hr 71"))).unwrap();
    assert!(room.body("Observation", &kept.done[0].place.id).contains("Encounter/visit-ada"));
    let gone = run(keep(&doctor, &About::patient("nobody"), &form("f1", "hr 71")));
    assert_eq!(code(gone), "record.read.not-found");
}
