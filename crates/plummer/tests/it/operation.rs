//! `plummer operation`: the operations of departments, listed, described and carried out on a folder at
//! rest.

use crate::run::Place;

#[test]
fn operations_are_listed_described_and_carried_out() {
    let place = Place::new();
    let said = |args: &[&str]| {
        let output = place.run(args);
        (output.ok, output.out + &output.err)
    };
    let (_, list) = said(&["operation", "list"]);
    assert!(list.contains("Appointment-find") && list.contains("/Appointment/$book"), "{list}");
    let (_, shown) = said(&["operation", "show", "Appointment-find"]);
    assert!(shown.contains("\"code\":\"find\""), "{shown}");
    let (done, unknown) = said(&["operation", "show", "Patient-none"]);
    assert!(!done && unknown.contains("Appointment-hold"), "{unknown}");
    place.write("visit.ndjson", r#"{"resourceType":"ActivityDefinition","id":"v","title":"Talk","status":"active","kind":"Appointment","timingDuration":{"value":30,"code":"min","system":"http://unitsofmeasure.org","unit":"min"},"participant":[{"type":"practitioner"}]}"#);
    let (done, imported) = said(&["import", "visit.ndjson"]);
    assert!(done, "{imported}");
    let asked = ["start=2026-12-01", "end=2026-12-02", "visit-type=ActivityDefinition/v"];
    let (done, found) = said(&[&["operation", "call", "Appointment-find"][..], &asked].concat());
    assert!(done && found.contains("\"total\":0"), "nobody works here: {found}");
    let (done, refused) = said(&["operation", "call", "Appointment-find", "when=now"]);
    assert!(!done && refused.contains("record.operation.parameter"), "{refused}");
}
