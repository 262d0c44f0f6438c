//! The first screen of a chart: what it shows, what it says of what it leaves out, and its one event.

use crate::support::{Room, code, of};
use audit::Kind;
use charting::summary::{AllergyState, Flag};
use charting::{Summary, sign::Sign};
use record::{Audited, Reach};

fn summary(session: &record::Session, patient: &str) -> Summary {
    Summary::of(session, patient).and_then(Audited::wait).unwrap()
}

fn allergy(room: &Room, id: &str, code: &str, clinical: &str, more: &str) {
    room.put(&format!(
        r#"{{"resourceType":"AllergyIntolerance","id":"{id}","clinicalStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/allergyintolerance-clinical","code":"{clinical}"}}]}},"code":{{"coding":[{{"system":"http://snomed.info/sct","code":"{code}","display":"{id}"}}]}},"patient":{{"reference":"Patient/ada"}}{more}}}"#
    ));
}

fn vital(room: &Room, id: &str, day: u32, loinc: &str, value: &str, unit: &str) {
    room.put(&format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","category":[{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/observation-category","code":"vital-signs"}}]}}],"code":{{"coding":[{{"system":"http://loinc.org","code":"{loinc}"}}]}},"subject":{{"reference":"Patient/ada"}},"effectiveDateTime":"2026-01-{day:02}T08:00:00Z","valueQuantity":{{"value":{value},"unit":"x","system":"http://unitsofmeasure.org","code":"{unit}"}}}}"#
    ));
}

#[test]
fn a_chart_of_the_demo_clinic_is_read_whole_with_one_event() {
    let (room, id) = Room::with_demo(3);
    let shown = summary(&room.operator(), &id);
    assert_eq!(shown.banner.id, id);
    let (family, given) = shown.banner.display.split_once(", ").unwrap();
    assert!(family == family.to_uppercase() && !given.is_empty());
    assert!(shown.banner.born.is_some() && !shown.banner.identifiers.is_empty());
    assert!(!shown.banner.general_practitioners[0].display.is_empty(), "the doctor has a name");
    let mine = [("patient", id.as_str()), ("_count", "1000")];
    assert_eq!(shown.visits.total, room.count("Encounter", &mine) as u64);
    assert_eq!(shown.documents.total, room.count("DocumentReference", &mine) as u64);
    assert_eq!(shown.visits.rows.len() as u64, shown.visits.total.min(10));
    assert!(shown.visits.rows.windows(2).all(|two| two[0].began >= two[1].began));
    let pressure = shown.vitals.rows.iter().find(|one| one.sign == Sign::Pressure).unwrap();
    assert_eq!(pressure.points[0].value.unit, "mmHg");
    assert!(pressure.points[0].second.is_some());
    assert!(shown.may_be_withheld().is_empty(), "the operator sees everything");
    let events = room.events();
    let of_chart: Vec<_> = events.iter().filter(|one| one.kind == Kind::ChartOpened).collect();
    assert_eq!(of_chart.len(), 1);
    assert_eq!(of_chart[0].targets[0].id.as_deref(), Some(id.as_str()));
    assert!(of_chart[0].patients.contains(&id) && of_chart[0].results > 20);
}

#[test]
fn no_known_allergies_is_told_from_not_recorded() {
    let room = Room::with_ada();
    let state = || summary(&room.operator(), "ada").allergy_state;
    assert_eq!(state(), AllergyState::NotRecorded);
    allergy(&room, "none-drugs", "409137002", "active", "");
    assert_eq!(state(), AllergyState::NoneKnownOfAKind);
    allergy(&room, "none", "716186003", "active", "");
    assert_eq!(state(), AllergyState::NoneKnown);
    allergy(&room, "old", "91936005", "resolved", "");
    assert_eq!(state(), AllergyState::NoneKnown, "a resolved allergy is none");
    allergy(&room, "mild", "91935009", "active", r#","criticality":"low""#);
    allergy(&room, "grave", "91930004", "active", r#","criticality":"high""#);
    let shown = summary(&room.operator(), "ada");
    assert_eq!(shown.allergy_state, AllergyState::Some);
    let order: Vec<&str> = shown.allergies.rows.iter().map(|one| one.to.text.as_str()).collect();
    assert_eq!(order[..2], ["grave", "mild"]);
    assert_eq!(order.last(), Some(&"old"));
}

#[test]
fn a_sign_that_was_last_measured_long_ago_is_still_shown() {
    let room = Room::with_ada();
    vital(&room, "height", 1, "8302-2", "70", "[in_i]");
    for n in 0..160 {
        vital(&room, &format!("pulse{n}"), 2 + n % 25, "8867-4", "70", "/min");
    }
    let shown = summary(&room.operator(), "ada");
    let of = |sign| shown.vitals.rows.iter().find(|one| one.sign == sign);
    assert_eq!(of(Sign::Pulse).unwrap().points.len(), 12);
    assert!(of(Sign::Pulse).unwrap().more);
    let height = of(Sign::Height).unwrap();
    assert_eq!(
        (height.points[0].value.value.as_str(), height.points[0].value.code.as_str()),
        ("70", "[in_i]")
    );
    assert_eq!(
        height.points[0].number.unwrap().to_string(),
        "177.8",
        "converted to draw, kept as it was"
    );
    assert!(of(Sign::Weight).is_none());
    assert_eq!(shown.vitals.total, 161);
}

#[test]
fn results_are_flagged_and_what_a_report_names_and_does_not_show_is_counted() {
    let room = Room::with_ada();
    let lab = |id: &str, value: &str, more: &str| {
        room.put(&format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","category":[{{"coding":[{{"code":"laboratory"}}]}}],"code":{{"text":"{id}"}},"subject":{{"reference":"Patient/ada"}},"effectiveDateTime":"2026-02-01","valueQuantity":{{"value":{value},"code":"mmol/L","system":"http://unitsofmeasure.org"}}{more}}}"#
        ));
    };
    let range = r#","referenceRange":[{"low":{"value":3.5,"code":"mmol/L"},"high":{"value":5.1,"code":"mmol/L"}}]"#;
    lab("sodium", "4", range);
    lab("potassium", "5.2", range);
    lab("chloride", "9.9", r#","referenceRange":[{"high":{"value":1,"code":"mg/dL"}}]"#);
    lab("said", "4", &format!(r#","interpretation":[{{"coding":[{{"code":"HH"}}]}}]{range}"#));
    lab("loose", "1", range);
    room.put(
        r#"{"resourceType":"DiagnosticReport","id":"r","status":"final","code":{"text":"Salts"},"subject":{"reference":"Patient/ada"},"effectiveDateTime":"2026-02-01","result":[{"reference":"Observation/sodium"},{"reference":"Observation/potassium"},{"reference":"Observation/chloride"},{"reference":"Observation/said"},{"reference":"Observation/gone"}]}"#,
    );
    let shown = summary(&room.operator(), "ada");
    let [report, loose] = shown.results.rows.as_slice() else { panic!("a report and the rest") };
    let flag = |name: &str| report.findings.iter().find(|one| one.what.text == name).unwrap().flag;
    assert_eq!(flag("sodium"), Flag::Normal);
    assert_eq!(flag("potassium"), Flag::High);
    assert_eq!(flag("chloride"), Flag::Unknown, "a range in another unit says nothing");
    assert_eq!(flag("said"), Flag::Critical, "what the laboratory said stands above its range");
    assert_eq!((report.abnormal(), report.not_shown), (2, 1));
    assert!(report.findings[0].flag.is_abnormal());
    assert_eq!((loose.findings.len(), loose.findings[0].flag), (1, Flag::Low));
}

#[test]
fn what_may_be_withheld_is_said_the_same_whether_or_not_there_is_any() {
    let room = Room::with_ada();
    let doctor = room.doctor();
    let condition = |id: &str, patient: &str, label: &str| {
        room.put(&format!(
            r#"{{"resourceType":"Condition","id":"{id}","meta":{{"security":[{label}]}},"clinicalStatus":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/condition-clinical","code":"active"}}]}},"code":{{"text":"{id}"}},"subject":{{"reference":"Patient/{patient}"}}}}"#
        ));
    };
    let part2 =
        r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"42CFRPart2"}"#;
    let normal =
        r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"N"}"#;
    condition("asthma", "ada", normal);
    condition("guarded", "ada", part2);
    condition("other", "ben", normal);
    let (ada, ben) = (summary(&doctor, "ada"), summary(&doctor, "ben"));
    assert_eq!(ada.problems.rows.len(), 1, "what is guarded is not shown");
    assert_eq!(ada.problems.total, 1, "nor counted");
    let Reach::Part(labels) = &ada.problems.reach else { panic!("some may be withheld") };
    assert!(labels.contains(&"42CFRPart2"), "and which is said: {labels:?}");
    assert_eq!(ada.may_be_withheld(), ben.may_be_withheld(), "whatever the chart holds");
    assert_eq!(ada.allergy_state, AllergyState::NotTold, "nothing shown is not nothing recorded");
    assert_eq!(summary(&room.operator(), "ada").problems.rows.len(), 2);
}

#[test]
fn parts_that_a_role_never_sees_say_so_and_a_chart_of_a_stranger_is_not_there() {
    let room = Room::with_ada();
    allergy(&room, "grave", "91930004", "active", "");
    let desk = room.as_of(&room.person("robin", "front-desk", ""));
    let seen = summary(&desk, "ada");
    assert_eq!(seen.allergies.reach, Reach::Nothing);
    assert_eq!((seen.allergies.rows.len(), seen.allergies.total), (0, 0));
    assert_eq!(seen.allergy_state, AllergyState::NotTold);
    assert!(seen.visits.masked || seen.visits.reach == Reach::Nothing);
    assert!(!seen.banner.display.is_empty());
    room.put(
        r#"{"resourceType":"Patient","id":"cat","generalPractitioner":[{"reference":"Practitioner/nobody"}]}"#,
    );
    let stranger = room.as_of(&room.person("sam", "clinician", "nobody"));
    assert_eq!(code(Summary::of(&stranger, "ada")), "record.read.not-found");
    assert_eq!(code(Summary::of(&stranger, "no-such")), "record.read.not-found");
    let read = stranger.read(of("Patient"), "ada", None);
    assert_eq!(code(read), "record.read.not-found", "as a read of the patient answers");
    // The log is whole once nobody holds the record open.
    drop((desk, stranger));
    let refused =
        room.events().into_iter().filter(|one| one.kind == Kind::ChartOpened && one.status == 404);
    assert_eq!(refused.count(), 2);
}
