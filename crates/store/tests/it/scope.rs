//! Invisible equals non-existent: the same store asked under narrowed scopes, at every place a record
//! could show through.

use crate::help::kind;
use crate::search::clinic;
use store::{HistoryQuery, Scope};

#[test]
fn a_type_outside_the_scope_shows_nowhere() {
    let c = clinic();
    let scope = Scope::everything().of_types([kind("Patient"), kind("Organization")]);
    let ids = |url: &str| c.ids_in(&scope, url);
    assert_eq!(ids("Patient"), "ann bob cy");
    assert_eq!(ids("Observation"), "", "base");
    assert_eq!(ids("Patient?general-practitioner.name=who"), "", "chain");
    assert_eq!(ids("Patient?organization.name=st"), "ann", "a chain inside the scope holds");
    assert_eq!(ids("Patient?_has:Observation:patient:code=29463-7"), "", "_has");
    assert_eq!(ids("Patient?_id=ann&_include=Patient:general-practitioner"), "ann", "include");
    assert_eq!(ids("Patient?_id=ann&_revinclude=Condition:patient"), "ann", "revinclude");
    assert_eq!(ids("Patient?_list=l1"), "", "_list");
    assert_eq!(ids("?_type=Patient,Condition"), "ann bob cy", "system");
    assert_eq!(c.total(&scope, "Observation"), 0, "count");
    assert_eq!(c.total(&scope, "?_type=Patient,Condition"), 3, "count of several");
    let reader = c.store.reader(&scope).unwrap();
    assert_eq!(reader.read(kind("Condition"), "c1").unwrap(), None);
    assert_eq!(reader.vread(kind("Condition"), "c1", 1).unwrap(), None);
    assert_eq!(reader.type_counts().unwrap().len(), 2);
    let all = HistoryQuery { count: 100, ..HistoryQuery::default() };
    assert_eq!(reader.history(&all).unwrap().versions.len(), 4, "history");
    assert_eq!(reader.changes(0, 100).unwrap().len(), 4, "feed");
    let one = HistoryQuery { resource_type: Some(kind("List")), id: Some("l1".into()), ..all };
    assert_eq!(reader.history(&one).unwrap_err().code().name, "record.read.not-found");
}

#[test]
fn a_patients_scope_is_that_compartment() {
    let c = clinic();
    let scope = Scope::everything().of_patient("ann");
    let ids = |url: &str| c.ids_in(&scope, url);
    assert_eq!(ids("Patient"), "ann");
    assert_eq!(ids("Observation"), "o1 o2 o3");
    assert_eq!(ids("Observation?_sort=-date"), "o3 o2 o1");
    assert_eq!(ids("Observation?patient=bob"), "");
    assert_eq!(ids("Observation?patient.gender=male"), "", "chain to another patient");
    assert_eq!(ids("Patient?_has:Observation:patient:code=85354-9"), "", "_has of another");
    assert_eq!(ids("Patient?_revinclude=Observation:subject"), "ann + o1 o2 o3");
    assert_eq!(ids("Organization"), "", "shared resources are in no compartment");
    assert_eq!(ids("Patient?organization.name=st"), "", "so a chain through them finds nothing");
    assert_eq!(c.total(&scope, "Observation?code=29463-7"), 1);
    assert_eq!(ids("Patient?identifier=1"), "ann");
    let nobody = Scope::everything().of_patient("nobody");
    assert_eq!(c.ids_in(&nobody, "Observation"), "");
    assert_eq!(c.total(&nobody, "Patient"), 0);
}

#[test]
fn a_record_moved_to_another_patient_does_not_leak_through_history() {
    let c = clinic();
    c.put(r#"{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/bob"},"code":{"text":"for bob only"}}"#);
    let query = HistoryQuery {
        resource_type: Some(kind("Condition")),
        id: Some("c1".into()),
        count: 10,
        ..HistoryQuery::default()
    };
    let bob = Scope::everything().of_patient("bob");
    let reader = c.store.reader(&bob).unwrap();
    let versions = reader.history(&query).unwrap().versions;
    assert_eq!(versions.iter().map(|v| v.version).collect::<Vec<_>>(), [2]);
    assert_eq!(reader.vread(kind("Condition"), "c1", 1).unwrap(), None, "it was ann's then");
    let ann = Scope::everything().of_patient("ann");
    let reader = c.store.reader(&ann).unwrap();
    assert_eq!(reader.read(kind("Condition"), "c1").unwrap(), None, "it is bob's now");
    assert_eq!(reader.history(&query).unwrap_err().code().name, "record.read.not-found");
    // A deletion is seen by whoever saw the record.
    c.delete("Condition", "c1");
    let reader = c.store.reader(&bob).unwrap();
    assert!(reader.read(kind("Condition"), "c1").unwrap().unwrap().deleted);
    assert_eq!(c.store.reader(&ann).unwrap().read(kind("Condition"), "c1").unwrap(), None);
}

#[test]
fn withheld_labels_hide_the_record_everywhere() {
    let c = clinic();
    let scope = Scope::everything().without_labels(1);
    let ids = |url: &str| c.ids_in(&scope, url);
    assert_eq!(ids("Observation?patient=ann"), "o1 o2");
    assert_eq!(ids("Observation?patient=ann&_sort=-date"), "o2 o1");
    assert_eq!(ids("Patient?_has:Observation:patient:date=2022"), "", "_has");
    assert_eq!(ids("Patient?_id=ann&_revinclude=Observation:subject"), "ann + o1 o2");
    assert_eq!(c.total(&scope, "Observation"), 4, "count of a type");
    assert_eq!(c.total(&scope, "Observation?code=29463-7"), 1, "count of a code");
    assert_eq!(ids("Observation?value-quantity=70"), "", "probing a value");
    let reader = c.store.reader(&scope).unwrap();
    assert_eq!(reader.read(kind("Observation"), "o3").unwrap(), None);
    assert_eq!(reader.vread(kind("Observation"), "o3", 1).unwrap(), None);
}

#[test]
fn narrowings_add_up() {
    let c = clinic();
    let scope = Scope::everything()
        .of_patient("ann")
        .of_types([kind("Observation"), kind("Condition")])
        .of_types([kind("Observation")])
        .without_labels(1);
    assert_eq!(c.ids_in(&scope, "?_type=Observation,Condition,Patient"), "o1 o2");
}
