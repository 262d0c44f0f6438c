//! Invisible equals non-existent: the same store asked under narrowed scopes, at every place a record
//! could show through.

use crate::help::kind;
use crate::search::clinic;
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Clause, Denial, HistoryQuery, Ones, Op, Rights, Scope, Unit, Wishes};

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
fn a_record_that_was_deleted_and_written_anew_is_found_among_its_patients() {
    let c = clinic();
    let scope = Scope::everything().of_patient("ann");
    // Dated and not: a record without a date stands behind all others.
    for date in ["", r#","effectiveDateTime":"2024-05-06""#] {
        let json = format!(
            r#"{{"resourceType":"Observation","id":"anew","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/ann"}}{date}}}"#
        );
        c.put(&json);
        c.delete("Observation", "anew");
        assert_eq!(c.ids_in(&scope, "Observation?_id=anew"), "", "{date}");
        c.put(&json);
        assert_eq!(c.ids_in(&scope, "Observation?_id=anew"), "anew", "{date}");
        assert_eq!(c.ids_in(&Scope::everything(), "Observation?patient=ann&_id=anew"), "anew");
        c.delete("Observation", "anew");
    }
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

fn set(ids: &[&str]) -> Arc<BTreeSet<Arc<str>>> {
    Arc::new(ids.iter().map(|id| Arc::<str>::from(*id)).collect())
}

#[test]
fn a_scope_is_any_of_its_clauses() {
    let c = clinic();
    let of_ann = Clause { about: vec![set(&["ann"])], ..Clause::default() };
    let people = Clause {
        types: Some([kind("Patient")].into()),
        not_about: ["cy".into()].into(),
        ..Clause::default()
    };
    let scope = Scope::any_of(vec![of_ann.clone(), people]);
    assert_eq!(c.ids_in(&scope, "Patient"), "ann bob");
    assert_eq!(c.ids_in(&scope, "Observation"), "o1 o2 o3");
    assert_eq!(c.total(&scope, "Patient"), 2);
    assert_eq!(c.ids_in(&scope, "Observation?patient.name=b"), "", "bob's records stay hidden");
    let both =
        Clause { about: vec![set(&["ann", "bob"]), set(&["bob", "cy"])], ..Clause::default() };
    assert_eq!(c.ids_in(&Scope::any_of(vec![both]), "Patient"), "bob", "at least one of each set");
    assert_eq!(c.ids_in(&Scope::nothing(), "Patient"), "");
    assert!(Scope::any_of(vec![of_ann, Clause::default()]).is_everything());
    let nobody = Clause { somebody: Some(false), ..Clause::default() };
    assert_eq!(c.ids_in(&Scope::any_of(vec![nobody]), "?_type=Patient,Organization"), "org");
}

#[test]
fn a_patient_who_comes_later_is_seen_by_a_scope_that_named_her_before() {
    let c = clinic();
    let of_new = Clause { about: vec![set(&["new"])], ..Clause::default() };
    let scope = Scope::any_of(vec![of_new]);
    assert_eq!(c.ids_in(&scope, "Patient"), "");
    c.put(r#"{"resourceType":"Patient","id":"new"}"#);
    assert_eq!(c.ids_in(&scope, "Patient"), "new");
}

#[test]
fn what_patients_release_and_deny_counts_for_each_of_them() {
    let c = clinic();
    // o3 carries label bit 1.
    let plain = Clause { withheld: 1, ..Clause::default() };
    let scope = |wishes: Wishes| {
        Scope::any_of(vec![plain.clone()])
            .released(1, vec![Clause::default()])
            .heeding(Arc::new(wishes))
    };
    assert_eq!(c.ids_in(&scope(Wishes::default()), "Observation?patient=ann"), "o1 o2");
    let granted = |id: &str| Wishes { granted: [(id.to_owned(), 1)].into(), ..Wishes::default() };
    assert_eq!(c.ids_in(&scope(granted("ann")), "Observation?patient=ann"), "o1 o2 o3");
    assert_eq!(c.ids_in(&scope(granted("bob")), "Observation?patient=ann"), "o1 o2", "bob's word");
    let deny = |denial: Denial| Wishes {
        granted: [("ann".to_owned(), 1)].into(),
        denied: [("ann".to_owned(), vec![denial])].into(),
    };
    let of_type = Denial { types: Some([kind("Condition")].into()), ..Denial::default() };
    let scope_of_type = scope(deny(of_type));
    assert_eq!(c.ids_in(&scope_of_type, "Observation?patient=ann"), "o1 o2 o3");
    assert_eq!(c.ids_in(&scope_of_type, "Condition?patient=ann"), "");
    assert_eq!(c.ids_in(&scope(deny(Denial::default())), "Patient"), "bob cy", "everything of ann");
    let label = Denial { labels: 1, ..Denial::default() };
    assert_eq!(c.ids_in(&scope(deny(label)), "Observation?patient=ann"), "o1 o2");
    let one =
        Denial { records: [(kind("Observation"), "o1".to_owned())].into(), ..Denial::default() };
    assert_eq!(c.ids_in(&scope(deny(one)), "Observation?patient=ann"), "o2 o3");
    assert_eq!(c.total(&scope(granted("ann")), "Observation"), 5);
}

#[test]
fn site_and_author_are_facts_beside_the_content() {
    let c = clinic();
    let write = |id: &str, site: Option<&str>, author: Option<&str>| {
        let text = format!(r#"{{"resourceType":"Basic","id":"{id}","code":{{"text":"x"}}}}"#);
        let document = fhir::Document::parse(text.into_bytes(), &base::Limits::default()).unwrap();
        let mut content =
            c.store.prepare(document.root(), kind("Basic"), id.to_owned(), 0).unwrap();
        content.site = site.map(Into::into);
        content.author = author.map(Into::into);
        let op = Op::Update {
            content: Box::new(content),
            if_match: None,
            may_create: true,
            skip_same: false,
        };
        c.store.commit(Unit { ops: vec![op], ..Unit::default() }).unwrap();
    };
    write("b1", Some("north"), Some("user-1"));
    write("b2", Some("south"), Some("user-2"));
    write("b3", None, None);
    let of_site = |values: &[&str], others, absent| {
        let values = values.iter().map(|v| Arc::<str>::from(*v)).collect();
        Scope::any_of(vec![Clause {
            sites: Some(Ones { values, others, absent }),
            ..Clause::default()
        }])
    };
    assert_eq!(c.ids_in(&of_site(&["north"], false, false), "Basic"), "b1");
    assert_eq!(c.ids_in(&of_site(&["north"], true, false), "Basic"), "b2");
    assert_eq!(c.ids_in(&of_site(&["north"], false, true), "Basic"), "b1 b3");
    let of_author = Scope::any_of(vec![Clause {
        authors: Some(Ones { values: ["user-1".into()].into(), others: false, absent: false }),
        ..Clause::default()
    }]);
    assert_eq!(c.ids_in(&of_author, "Basic"), "b1");
    // Another writer does not become the author; a record moves with its site.
    write("b1", Some("south"), Some("user-2"));
    assert_eq!(c.ids_in(&of_author, "Basic"), "b1");
    assert_eq!(c.ids_in(&of_site(&["south"], false, false), "Basic"), "b1 b2");
    let reader = c.store.reader(&of_author).unwrap();
    assert!(reader.vread(kind("Basic"), "b1", 1).unwrap().is_some());
    c.delete("Basic", "b1");
    let reader = c.store.reader(&of_author).unwrap();
    assert!(reader.read(kind("Basic"), "b1").unwrap().unwrap().deleted);
    assert_eq!(
        c.store
            .reader(&of_site(&["north"], false, false))
            .unwrap()
            .read(kind("Basic"), "b1")
            .unwrap(),
        None
    );
}

#[test]
fn the_writer_holds_changes_to_the_rights_of_their_caller() {
    let c = clinic();
    let about =
        |ids: &[&str]| Scope::any_of(vec![Clause { about: vec![set(ids)], ..Clause::default() }]);
    let rights = Arc::new(Rights {
        see: about(&["ann", "bob"]),
        create: about(&["ann"]),
        update: about(&["ann"]),
        delete: Scope::nothing(),
        names_ids: false,
    });
    c.store.ready(&rights).unwrap();
    let put = |id: &str, subject: &str, may_create| {
        let text = format!(
            r#"{{"resourceType":"Condition","id":"{id}","subject":{{"reference":"Patient/{subject}"}}}}"#
        );
        let document = fhir::Document::parse(text.into_bytes(), &base::Limits::default()).unwrap();
        let content =
            c.store.prepare(document.root(), kind("Condition"), id.to_owned(), 0).unwrap();
        let content = Box::new(content);
        let op = match may_create {
            true => Op::Create(content),
            false => Op::Update { content, if_match: None, may_create: true, skip_same: false },
        };
        let unit = Unit { ops: vec![op], rights: Some(Arc::clone(&rights)), ..Unit::default() };
        c.store.commit(unit).map_err(|f| f.code().name)
    };
    assert!(put("new-a", "ann", true).is_ok());
    assert_eq!(put("new-b", "bob", true).unwrap_err(), "access.denied");
    assert!(put("c1", "ann", false).is_ok());
    assert_eq!(put("c1", "bob", false).unwrap_err(), "access.denied", "not out of one's reach");
    c.put(r#"{"resourceType":"Condition","id":"of-bob","subject":{"reference":"Patient/bob"}}"#);
    c.put(r#"{"resourceType":"Condition","id":"of-cy","subject":{"reference":"Patient/cy"}}"#);
    assert_eq!(put("of-bob", "ann", false).unwrap_err(), "access.denied", "nor into it");
    // Hidden and absent are one: neither can be had by its id.
    let hidden = put("of-cy", "ann", false).unwrap_err();
    assert_eq!(hidden, put("of-nobody", "ann", false).unwrap_err());
    assert_eq!(hidden, "record.write.create-by-update-off");
    let delete = |id: &str| {
        let op = Op::Delete { resource_type: kind("Condition"), id: id.to_owned(), if_match: None };
        let unit = Unit { ops: vec![op], rights: Some(Arc::clone(&rights)), ..Unit::default() };
        c.store.commit(unit).map(|r| r.results[0].changed).map_err(|f| f.code().name)
    };
    assert_eq!(delete("c1"), Err("access.denied"));
    assert_eq!(delete("of-cy"), Ok(false), "nothing there to delete");
    assert_eq!(delete("of-nobody"), Ok(false));
    // A refused unit leaves nothing of its other changes.
    assert_eq!(c.ids("Condition?_id=new-b"), "");
}

#[test]
fn the_first_record_of_a_site_is_held_to_rights_that_name_the_site() {
    let c = clinic();
    let of_sites = |values: &[&str], others, absent| {
        let values = values.iter().map(|v| Arc::<str>::from(*v)).collect();
        let sites = Some(Ones { values, others, absent });
        Scope::any_of(vec![Clause { sites, ..Clause::default() }])
    };
    let create = |rights: &Arc<Rights>, id: &str, site: &str| {
        let text = format!(r#"{{"resourceType":"Basic","id":"{id}","code":{{"text":"x"}}}}"#);
        let document = fhir::Document::parse(text.into_bytes(), &base::Limits::default()).unwrap();
        let mut content =
            c.store.prepare(document.root(), kind("Basic"), id.to_owned(), 0).unwrap();
        content.site = Some(site.into());
        let unit = Unit {
            ops: vec![Op::Create(Box::new(content))],
            rights: Some(Arc::clone(rights)),
            ..Unit::default()
        };
        c.store.ready(rights).unwrap();
        c.store.commit(unit).map(drop).map_err(|fault| fault.code().name)
    };
    let rights = |create: Scope| {
        let nothing = Scope::nothing;
        let (see, update, delete) = (nothing(), nothing(), nothing());
        Arc::new(Rights { see, create, update, delete, names_ids: false })
    };
    let north = rights(of_sites(&["new-north"], false, false));
    assert_eq!(create(&north, "b1", "new-south"), Err("access.denied"), "another's");
    assert_eq!(create(&north, "b2", "new-north"), Ok(()), "its own, of which there was none");
    assert_eq!(create(&north, "b3", "new-south"), Err("access.denied"));
    // What a policy leaves out is left out of the first record, too.
    let but_west = rights(of_sites(&["new-west"], true, true));
    assert_eq!(create(&but_west, "b4", "new-west"), Err("access.denied"));
    assert_eq!(create(&but_west, "b5", "new-east"), Ok(()));
}

#[test]
fn a_patient_who_comes_with_the_unit_is_held_to_rights_that_name_her() {
    let c = clinic();
    let create = |clause: Clause, id: &str| {
        let text = format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#);
        let document = fhir::Document::parse(text.into_bytes(), &base::Limits::default()).unwrap();
        let content = c.store.prepare(document.root(), kind("Patient"), id.to_owned(), 0).unwrap();
        let nothing = Scope::nothing;
        let create = Scope::any_of(vec![clause]);
        let (see, update, delete) = (nothing(), nothing(), nothing());
        let rights = Rights { see, create, update, delete, names_ids: true };
        let ops = vec![Op::Create(Box::new(content))];
        let unit = Unit { ops, rights: Some(Arc::new(rights)), ..Unit::default() };
        c.store.commit(unit).map(drop).map_err(|fault| fault.code().name)
    };
    let not_about = |id: &str| Clause { not_about: (*set(&[id])).clone(), ..Clause::default() };
    assert_eq!(create(not_about("dee"), "dee"), Err("access.denied"), "never seen, and left out");
    assert_eq!(create(not_about("dee"), "eli"), Ok(()));
    let about = |id: &str| Clause { about: vec![set(&[id])], ..Clause::default() };
    assert_eq!(create(about("fay"), "gus"), Err("access.denied"));
    assert_eq!(create(about("fay"), "fay"), Ok(()));
}
