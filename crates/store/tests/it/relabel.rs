//! Labels that follow the rules: what waits is hidden from whoever what it may become would be hidden
//! from, at every place a record could show through; a batch is whole or not at all; no version is
//! written.

#![expect(clippy::unwrap_used, reason = "the helpers of these tests fail them")]

use crate::help::{Case, kind, open};
use crate::search::clinic;
use fhir::Document;
use std::collections::BTreeSet;
use store::{
    Begin, HistoryQuery, Labelling, Op, Receipt, Relabelled, Scope, Tagged, Unit, VersionLabels,
    Wishes, relabel::Batch,
};

/// Labels of these tests.
const A: u64 = 1 << 20;
const B: u64 = 1 << 21;

fn begin(c: &Case, begin: Begin) -> Receipt {
    let begin = Begin { replaces: c.store.label_state().epoch, note: "rules".into(), ..begin };
    let unit = Unit { labelling: Some(Labelling::Begin(begin)), ..Unit::default() };
    c.store.commit(unit).unwrap()
}

fn gains(c: &Case, gained: u64) {
    begin(c, Begin { gained, ..Begin::default() });
}

fn versions(c: &Case, limit: usize) -> Vec<VersionLabels> {
    let scope = Scope::everything();
    let state = c.store.label_state();
    c.store.reader(&scope).unwrap().versions(state.done, state.last, limit).unwrap().0
}

/// The next batch: records whose text has `word` get the label.
fn batch(c: &Case, limit: usize, word: &str, label: u64) -> Option<Batch> {
    let state = c.store.label_state();
    if !state.is_waiting() {
        return None;
    }
    let found = versions(c, limit);
    let upto = match found.last() {
        Some(last) if found.len() == limit => last.number,
        _ => state.last,
    };
    let mut rows = Vec::new();
    for version in found {
        let Some(hit) = version.hit else { continue };
        if hit.deleted {
            rows.push(Relabelled { number: version.number, labels: None });
            continue;
        }
        let text = String::from_utf8(hit.body).unwrap();
        if !text.contains(word) {
            continue;
        }
        let security = format!(r#"[{{"system":"urn:l","code":"L{label}"}}]"#);
        let shown = text.replacen("\"meta\":{", &format!("\"meta\":{{\"security\":{security},"), 1);
        let document = Document::parse_text(shown, &base::Limits::default()).unwrap();
        let labels = version.labels | label;
        let content = c.store.prepare(document.root(), hit.resource_type, hit.id, labels).unwrap();
        let content = version.is_present.then(|| Box::new(content));
        let tagged = Tagged { labels, security: Some(security), content };
        rows.push(Relabelled { number: version.number, labels: Some(tagged) });
    }
    Some(Batch { epoch: state.epoch, after: state.done, upto, rows })
}

fn commit(c: &Case, batch: Batch) -> Result<Receipt, base::Fault> {
    c.store.commit(Unit { labelling: Some(Labelling::Batch(batch)), ..Unit::default() })
}

fn finish(c: &Case, word: &str, label: u64) {
    while let Some(next) = batch(c, 3, word, label) {
        commit(c, next).unwrap();
    }
}

/// Everything that a scope can learn in these ways, as one text.
fn shows(c: &Case, scope: &Scope) -> String {
    let mut out = Vec::new();
    for url in [
        "Observation",
        "Observation?patient=ann&_sort=-date",
        "Observation?code=8302-2",
        "Observation?patient.gender=female",
        "Patient?_has:Observation:patient:code=8302-2",
        "Patient?_id=ann&_revinclude=Observation:subject",
        "Observation?_id=o1&_include=Observation:subject",
        "?_type=Patient,Observation,Condition",
        "Observation?_security=urn:l|L1048576",
    ] {
        out.push(c.ids_in(scope, url));
        out.push(c.total(scope, url).to_string());
    }
    let reader = c.store.reader(scope).unwrap();
    for (of, id) in [("Observation", "o1"), ("Patient", "ann"), ("Condition", "c1")] {
        out.push(format!("{:?}", reader.read(kind(of), id).unwrap().map(|hit| hit.body)));
        out.push(format!("{:?}", reader.vread(kind(of), id, 1).unwrap().map(|hit| hit.version)));
    }
    let query = HistoryQuery { count: 100, ..HistoryQuery::default() };
    let history = reader.history(&query).unwrap().versions;
    out.push(history.iter().map(|hit| format!("{}/{}", hit.id, hit.version)).collect());
    out.push(reader.changes(0, 100).unwrap().len().to_string());
    out.push(format!("{:?}", reader.type_counts().unwrap()));
    out.join("\n")
}

#[test]
fn what_waits_is_hidden_from_whom_a_label_it_may_gain_would_bind_and_from_nobody_else() {
    let c = clinic();
    let (bound, free) =
        (Scope::everything().without_labels(A), Scope::everything().without_labels(B));
    let before = shows(&c, &free);
    gains(&c, A);
    assert_eq!(c.ids_in(&bound, "Observation"), "");
    assert_eq!(c.ids_in(&bound, "Patient"), "");
    assert_eq!(c.total(&bound, "?_type=Patient,Observation"), 0);
    let reader = c.store.reader(&bound).unwrap();
    assert_eq!(reader.read(kind("Observation"), "o1").unwrap(), None);
    assert_eq!(reader.vread(kind("Observation"), "o1", 1).unwrap(), None);
    assert!(
        reader
            .history(&HistoryQuery { count: 9, ..HistoryQuery::default() })
            .unwrap()
            .versions
            .is_empty()
    );
    assert!(reader.changes(0, 9).unwrap().is_empty());
    assert!(reader.type_counts().unwrap().is_empty());
    assert_eq!(shows(&c, &free), before, "nobody else sees less");
    finish(&c, "8302-2", A);
    assert_eq!(c.ids_in(&bound, "Observation"), "o3 o4 bp");
    assert_eq!(c.ids_in(&bound, "Patient"), "ann bob cy");
    assert!(!c.store.label_state().is_waiting());
}

#[test]
fn at_no_step_of_the_work_is_anything_shown_that_will_be_hidden() {
    // Two worlds: in one the records that will be hidden were never there.
    let (with, without) = (clinic(), clinic());
    for id in ["o1", "o2"] {
        without.delete("Observation", id);
    }
    let bound = Scope::everything().without_labels(A);
    let in_the_end: BTreeSet<String> =
        without.ids_in(&bound, "Observation").split(' ').map(str::to_owned).collect();
    gains(&with, A);
    let mut steps = 0;
    loop {
        let seen = with.ids_in(&bound, "Observation");
        let seen: BTreeSet<String> =
            seen.split(' ').filter(|id| !id.is_empty()).map(str::to_owned).collect();
        assert!(seen.is_subset(&in_the_end), "after {steps} batches: {seen:?}");
        let by_value = with.ids_in(&bound, "Observation?value-quantity=170");
        assert_eq!(by_value, "", "after {steps} batches");
        assert_eq!(with.total(&bound, "Observation?code=8302-2"), 0);
        assert_eq!(with.ids_in(&bound, "Patient?_has:Observation:patient:code=8302-2"), "");
        let Some(next) = batch(&with, 2, "8302-2", A) else { break };
        commit(&with, next).unwrap();
        steps += 1;
    }
    assert!(steps > 5);
    assert_eq!(with.ids_in(&bound, "Observation"), "o3 o4 bp");
}

#[test]
fn a_search_that_began_before_a_batch_holds_what_waited_at_its_beginning() {
    let c = clinic();
    let bound = Scope::everything().without_labels(A);
    gains(&c, A);
    let reader = c.store.reader(&bound).unwrap();
    finish(&c, "8302-2", A);
    // Its snapshot has the old masks, so it must not take the new state for its own.
    assert_eq!(reader.read(kind("Observation"), "o1").unwrap(), None);
    assert_eq!(reader.read(kind("Observation"), "o4").unwrap(), None);
    drop(reader);
    let reader = c.store.reader(&bound).unwrap();
    assert_eq!(reader.read(kind("Observation"), "o1").unwrap(), None);
    assert!(reader.read(kind("Observation"), "o4").unwrap().is_some());
}

#[test]
fn a_change_for_one_patient_withholds_that_patients_records_alone() {
    let c = clinic();
    let bound = Scope::everything().without_labels(A);
    let patients = vec!["ann".to_owned(), "no-such".to_owned()];
    begin(&c, Begin { of_patients: A, patients, ..Begin::default() });
    assert_eq!(c.ids_in(&bound, "Patient"), "bob cy");
    assert_eq!(c.ids_in(&bound, "Observation"), "o4 bp");
    assert_eq!(c.ids_in(&bound, "List"), "", "what is about nobody may speak of ann");
    finish(&c, "8302-2", A);
    assert_eq!(c.ids_in(&bound, "Observation"), "o3 o4 bp");
    assert_eq!(c.ids_in(&bound, "List"), "l1");
}

#[test]
fn a_label_that_may_go_is_not_counted_on() {
    let c = clinic();
    let only = store::Clause { carried: 1, ..store::Clause::default() };
    let only = Scope::any_of(vec![only]);
    assert_eq!(c.ids_in(&only, "Observation"), "o3");
    begin(&c, Begin { lost: 1, ..Begin::default() });
    assert_eq!(c.ids_in(&only, "Observation"), "", "who sees it for its label waits");
    let not = Scope::everything().without_labels(1);
    assert_eq!(c.ids_in(&not, "Observation?code=29463-7"), "o4", "and who is kept from it too");
    finish(&c, "nothing", A);
    assert_eq!(c.ids_in(&only, "Observation"), "o3");
}

#[test]
fn a_denial_of_a_label_holds_for_what_may_gain_it_and_a_grant_does_not_free_it() {
    let c = clinic();
    let denial = store::Denial { labels: A, ..store::Denial::default() };
    let wishes = Wishes { denied: [("ann".to_owned(), vec![denial])].into(), ..Wishes::default() };
    let denied = Scope::everything().heeding(wishes.into());
    let wishes = Wishes { granted: [("ann".to_owned(), A)].into(), ..Wishes::default() };
    let clause = store::Clause { withheld: A, ..store::Clause::default() };
    let granted = Scope::any_of(vec![clause])
        .released(A, vec![store::Clause { somebody: Some(true), ..store::Clause::default() }])
        .heeding(wishes.into());
    assert_eq!(c.ids_in(&denied, "Observation"), "o1 o2 o3 o4 bp");
    gains(&c, A);
    assert_eq!(c.ids_in(&denied, "Observation"), "o4 bp");
    assert_eq!(
        c.ids_in(&granted, "Observation"),
        "",
        "it is not known that there is a label to free"
    );
    finish(&c, "8302-2", A);
    assert_eq!(c.ids_in(&denied, "Observation"), "o3 o4 bp");
    assert_eq!(c.ids_in(&granted, "Observation"), "o1 o2 o3 o4 bp");
}

#[test]
fn no_version_is_written_and_the_new_labels_are_shown_and_found() {
    let c = clinic();
    let before = c.body("Observation", "o1").unwrap();
    gains(&c, A);
    finish(&c, "8302-2", A);
    let after = c.body("Observation", "o1").unwrap();
    let security = r#""security":[{"system":"urn:l","code":"L1048576"}]"#;
    assert!(after.contains(security), "{after}");
    assert_eq!(after.replace(&format!(",{security}"), ""), before);
    assert_eq!(c.ids("Observation?_security=urn:l|L1048576"), "o1 o2");
    assert_eq!(c.ids("Observation?_security=R"), "o3");
    let everything = Scope::everything();
    let reader = c.store.reader(&everything).unwrap();
    let query = HistoryQuery { count: 100, ..HistoryQuery::default() };
    let history = reader.history(&query).unwrap().versions;
    assert_eq!(history.len(), 14);
    assert!(history.iter().any(|hit| String::from_utf8_lossy(&hit.body).contains("L1048576")));
    // An import of the same content leaves the record as it is.
    let text = after.replace("\"versionId\":\"1\",", "");
    let Op::Update { content, .. } = c.op(&text) else { panic!("an update") };
    let same = Op::Update { content, if_match: None, may_create: true, skip_same: true };
    let receipt = c.store.commit(Unit { ops: vec![same], ..Unit::default() }).unwrap();
    assert!(!receipt.results[0].changed);
}

#[test]
fn past_versions_and_deletions_get_their_labels_too() {
    let c = clinic();
    c.put(r#"{"resourceType":"Condition","id":"c1","subject":{"reference":"Patient/ann"},"code":{"text":"corrected"}}"#);
    c.delete("Observation", "o1");
    let bound = Scope::everything().without_labels(A);
    gains(&c, A);
    finish(&c, "44054006", A);
    let reader = c.store.reader(&bound).unwrap();
    assert!(reader.vread(kind("Condition"), "c1", 2).unwrap().is_some());
    assert_eq!(reader.vread(kind("Condition"), "c1", 1).unwrap(), None, "the past has its label");
    drop(reader);
    gains(&c, B);
    finish(&c, "8302-2", B);
    let other = Scope::everything().without_labels(B);
    let reader = c.store.reader(&other).unwrap();
    assert_eq!(reader.read(kind("Observation"), "o1").unwrap(), None, "its deletion is hidden too");
    let query = HistoryQuery { count: 100, ..HistoryQuery::default() };
    assert!(!reader.history(&query).unwrap().versions.iter().any(|hit| hit.id == "o1"));
}

#[test]
fn work_that_is_killed_goes_on_where_it_was() {
    let mut c = clinic();
    let bound = Scope::everything().without_labels(A);
    gains(&c, A);
    for _ in 0..2 {
        commit(&c, batch(&c, 3, "8302-2", A).unwrap()).unwrap();
    }
    let state = c.store.label_state();
    assert_eq!((state.done, state.last, state.changed), (6, 14, 1));
    // A batch that was made ready and never written is as if it had never been.
    drop(batch(&c, 3, "8302-2", A));
    let Case { store, clock, dir } = c;
    drop(store);
    c = Case { store: open(dir.path(), &clock).unwrap(), clock, dir };
    assert_eq!(c.store.label_state(), state);
    assert_eq!(c.store.label_note().unwrap().as_deref(), Some("rules"));
    assert_eq!(c.ids_in(&bound, "Observation"), "");
    assert_eq!(c.ids_in(&bound, "Patient"), "ann bob cy", "what was gone over is shown");
    finish(&c, "8302-2", A);
    assert_eq!(c.ids_in(&bound, "Observation"), "o3 o4 bp");
    assert_eq!(c.store.label_state().changed, 2);
}

#[test]
fn a_batch_made_for_another_state_is_refused_whole() {
    let c = clinic();
    gains(&c, A);
    let (one, two) = (batch(&c, 3, "8302-2", A).unwrap(), batch(&c, 3, "8302-2", A).unwrap());
    commit(&c, one).unwrap();
    let refused = commit(&c, two).unwrap_err();
    assert_eq!(refused.code().name, "record.write.precondition-failed");
    let old = batch(&c, 3, "8302-2", A).unwrap();
    gains(&c, B);
    assert!(commit(&c, old).is_err(), "the rules are others");
    let state = c.store.label_state();
    assert_eq!((state.done, state.gained), (0, A | B), "what waited may still gain what it might");
    let stale = Begin { replaces: state.epoch - 1, gained: A, ..Begin::default() };
    let unit = Unit { labelling: Some(Labelling::Begin(stale)), ..Unit::default() };
    assert!(c.store.commit(unit).is_err());
}

#[test]
fn what_was_labelled_under_the_rules_before_waits_when_it_comes_late() {
    let c = clinic();
    let bound = Scope::everything().without_labels(A);
    let observation = |id: &str| {
        format!(
            r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"text":"8302-2"}}}}"#
        )
    };
    let prepared = |id: &str, epoch: u64| {
        let Op::Update { mut content, .. } = c.op(&observation(id)) else { panic!("an update") };
        content.label_epoch = Some(epoch);
        Op::Update { content, if_match: None, may_create: true, skip_same: false }
    };
    let epoch = c.store.label_state().epoch;
    let (late, later) = (prepared("late", epoch), prepared("later", epoch));
    gains(&c, A);
    finish(&c, "8302-2", A);
    c.store.commit(Unit { ops: vec![late], ..Unit::default() }).unwrap();
    assert!(c.store.label_state().is_waiting());
    assert_eq!(c.ids_in(&bound, "Observation?_id=late"), "");
    c.store.commit(Unit { ops: vec![prepared("now", epoch + 1)], ..Unit::default() }).unwrap();
    assert_eq!(
        c.ids_in(&bound, "Observation?_id=now"),
        "now",
        "what is labelled now does not wait"
    );
    finish(&c, "8302-2", A);
    assert_eq!(c.ids_in(&bound, "Observation?_id=late"), "");
    gains(&c, B);
    let refused = c.store.commit(Unit { ops: vec![later], ..Unit::default() }).unwrap_err();
    assert_eq!(refused.code().name, "record.write.precondition-failed");
}

#[test]
fn what_is_deleted_while_it_waits_waits_on() {
    let c = clinic();
    let bound = Scope::everything().without_labels(A);
    gains(&c, A);
    c.delete("Observation", "o1");
    let reader = c.store.reader(&bound).unwrap();
    assert_eq!(reader.read(kind("Observation"), "o1").unwrap(), None);
    drop(reader);
    finish(&c, "8302-2", A);
    let reader = c.store.reader(&bound).unwrap();
    assert_eq!(reader.read(kind("Observation"), "o1").unwrap(), None, "as what it deleted");
}

#[test]
fn nobody_who_sees_less_than_everything_reads_for_the_labelling() {
    let c = clinic();
    let scope = Scope::everything().without_labels(A);
    assert!(c.store.reader(&scope).unwrap().versions(0, 9, 9).is_err());
}

#[test]
fn an_update_that_loses_labels_set_after_it_looked_is_raced() {
    let c = clinic();
    let text = |label: &str| {
        format!(
            r#"{{"resourceType":"Condition","id":"c1","meta":{{"security":[{{"code":"{label}"}}]}},"subject":{{"reference":"Patient/ann"}}}}"#
        )
    };
    let update = |label: &str, follows: u64| {
        let Op::Update { mut content, .. } = c.op(&text(label)) else { panic!("an update") };
        content.follows = Some(follows);
        let op = Op::Update { content, if_match: None, may_create: true, skip_same: false };
        c.store.commit(Unit { ops: vec![op], ..Unit::default() })
    };
    update("R", 1).unwrap();
    let raced = update("x", 1).unwrap_err();
    assert_eq!(raced.code().name, "record.write.precondition-failed");
    update("R", 1).unwrap();
    update("x", 3).unwrap();
}
