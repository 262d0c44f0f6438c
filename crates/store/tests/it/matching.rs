//! Scopes that hold records to search parameters: the same store asked at every place where a record
//! outside the search could show through.

use crate::help::{Case, kind};
use crate::search::clinic;
use search::condition::Condition;
use std::sync::Arc;
use store::{HistoryQuery, Matching, Op, Rights, Scope, Unit, Way};

/// Any of these queries.
#[expect(clippy::expect_used, reason = "a test helper fails its test")]
fn matching(of: &str, queries: &[&str]) -> Arc<Matching> {
    let conditions = queries.iter().map(|query| Condition::parse(kind(of), query));
    Arc::new(conditions.collect::<Result<_, _>>().expect("conditions"))
}

/// Records of a type that match any of these queries, beside whole types.
fn scope(of: &str, queries: &[&str], whole: &[&str]) -> Scope {
    Scope::everything().within(&[
        Way { patient: None, types: [kind(of)].into(), matching: Some(matching(of, queries)) },
        Way { patient: None, types: whole.iter().map(|name| kind(name)).collect(), matching: None },
    ])
}

fn weights() -> Scope {
    let whole = ["Patient", "DiagnosticReport", "List"];
    scope("Observation", &["code=http://loinc.org|29463-7"], &whole)
}

fn observed(id: &str, code: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"coding":[{code}]}},"subject":{{"reference":"Patient/ann"}}}}"#
    )
}

const WEIGHT: &str = r#"{"system":"http://loinc.org","code":"29463-7"}"#;
const HEIGHT: &str = r#"{"system":"http://loinc.org","code":"8302-2"}"#;

fn with_reports() -> Case {
    let c = clinic();
    for (id, result) in [("d1", "o1"), ("d3", "o3")] {
        c.put(&format!(
            r#"{{"resourceType":"DiagnosticReport","id":"{id}","status":"final","code":{{"text":"x"}},"result":[{{"reference":"Observation/{result}"}}]}}"#
        ));
    }
    c.put(r#"{"resourceType":"List","id":"l2","status":"current","mode":"working","entry":[{"item":{"reference":"Observation/o1"}},{"item":{"reference":"Observation/o3"}}]}"#);
    c
}

#[test]
fn what_does_not_match_shows_nowhere() {
    let c = with_reports();
    let scope = weights();
    for (url, expected) in [
        ("Observation", "o3 o4"),
        ("Observation?code=8302-2", ""),
        ("Observation?code=8302-2,29463-7", "o3 o4"),
        ("Observation?code:not=29463-7", ""),
        ("Observation?_id=o1,o3", "o3"),
        ("Observation?_sort=date", "o4 o3"),
        ("Observation?_sort=-date", "o3 o4"),
        ("Observation?_sort=-_lastUpdated", "o4 o3"),
        ("Observation?patient=ann", "o3"),
        ("Observation?patient=ann&_sort=-date", "o3"),
        ("Observation?value-quantity=gt1", "o3 o4"),
        ("Observation?date=ge2000", "o3 o4"),
        ("Observation?_list=l2", "o3"),
        ("Observation?_content=final", "o3 o4"),
        ("Patient?_has:Observation:patient:code=8302-2", ""),
        ("Patient?_has:Observation:patient:code=29463-7", "ann bob"),
        ("Patient?_has:Observation:patient:value-quantity=170", ""),
        ("Patient?_id=ann&_revinclude=Observation:subject", "ann + o3"),
        ("DiagnosticReport?result.code=8302-2", ""),
        ("DiagnosticReport?result.code=29463-7", "d3"),
        ("DiagnosticReport?_include=DiagnosticReport:result", "d1 d3 + o3"),
        ("DiagnosticReport?result.subject.name=m", "d3"),
        ("?_type=Observation", "o3 o4"),
        ("Condition", ""),
    ] {
        assert_eq!(c.ids_in(&scope, url), expected, "{url}");
    }
    assert_eq!(c.total(&scope, "Observation"), 2);
    assert_eq!(c.total(&scope, "Observation?code=8302-2"), 0);
    assert_eq!(c.total(&scope, "Observation?patient=ann"), 1);
    let reader = c.store.reader(&scope).unwrap();
    assert_eq!(reader.read(kind("Observation"), "o1").unwrap(), None);
    assert_eq!(reader.vread(kind("Observation"), "o1", 1).unwrap(), None);
    assert!(reader.read(kind("Observation"), "o3").unwrap().is_some());
    let counts = reader.type_counts().unwrap();
    assert!(counts.contains(&(kind("Observation"), 2)), "{counts:?}");
    let all = HistoryQuery { count: 100, ..HistoryQuery::default() };
    let seen = |page: Vec<store::Hit>| {
        let of = page.into_iter().filter(|hit| hit.resource_type == kind("Observation"));
        of.map(|hit| hit.id).collect::<Vec<_>>()
    };
    assert_eq!(seen(reader.history(&all).unwrap().versions), ["o4", "o3"]);
    let of_type = HistoryQuery { resource_type: Some(kind("Observation")), ..all };
    assert_eq!(seen(reader.history(&of_type).unwrap().versions), ["o4", "o3"]);
    let one = HistoryQuery { id: Some("o1".into()), ..of_type };
    assert_eq!(reader.history(&one).unwrap_err().code().name, "record.read.not-found");
    let changes = reader.changes(0, 100).unwrap();
    let of = changes.iter().filter(|change| change.resource_type == kind("Observation"));
    assert_eq!(of.map(|change| change.id.as_str()).collect::<Vec<_>>(), ["o3", "o4"]);
}

#[test]
fn all_parameters_must_hold_and_one_of_the_queries() {
    let c = clinic();
    c.put(&observed("bare", r#"{"code":"29463-7"}"#));
    for (queries, expected) in [
        (&["code=29463-7"][..], "o3 o4 bare"),
        (&["code=http://loinc.org|29463-7"], "o3 o4"),
        (&["code=|29463-7"], "bare"),
        (&["code=http://unheard.of|29463-7"], ""),
        (&["code=29463-7,85354-9"], "o3 o4 bp bare"),
        (&["code=29463-7&subject=Patient/ann"], "o3 bare"),
        (&["code=29463-7&status=amended"], ""),
        (&["code=29463-7&code=8302-2"], ""),
        (&["code=85354-9", "code=8302-2&subject=ann"], "o1 o2 bp"),
        (&["subject=Patient/nobody"], ""),
        (&["_security=R"], "o3"),
    ] {
        let scope = scope("Observation", queries, &[]);
        assert_eq!(c.ids_in(&scope, "Observation"), expected, "{queries:?}");
        assert_eq!(
            c.total(&scope, "Observation"),
            expected.split_whitespace().count() as u64,
            "{queries:?}"
        );
    }
    let by_uri = scope("ValueSet", &["url=http://x.org/a/b"], &[]);
    assert_eq!(c.ids_in(&by_uri, "ValueSet"), "vs");
    let by_identifier = scope("Patient", &["identifier=urn:mrn|1"], &[]);
    assert_eq!(c.ids_in(&by_identifier, "Patient"), "ann");
    let unheard = scope("Patient", &["identifier=urn:unheard|1"], &[]);
    assert_eq!(c.ids_in(&unheard, "Patient"), "");
    for matching in [vec![], vec![vec![]]] {
        let nothing = Scope::everything().within(&[Way {
            patient: None,
            types: [kind("Observation")].into(),
            matching: Some(Arc::new(matching)),
        }]);
        assert_eq!(c.ids_in(&nothing, "Observation"), "", "asking nothing shows nothing");
    }
}

#[test]
fn a_scope_knows_codes_and_records_that_came_after_it() {
    let c = clinic();
    let scope = weights();
    assert_eq!(c.ids_in(&scope, "Observation"), "o3 o4");
    // The same code with another text is another number.
    c.put(&observed("new", r#"{"system":"http://loinc.org","code":"29463-7","display":"Weight"}"#));
    assert_eq!(c.ids_in(&scope, "Observation"), "o3 o4 new");
    let of_new = self::scope("Observation", &["subject=Patient/dan"], &[]);
    assert_eq!(c.ids_in(&of_new, "Observation"), "");
    c.put(&observed("dans", WEIGHT).replace("Patient/ann", "Patient/dan"));
    assert_eq!(c.ids_in(&of_new, "Observation"), "dans");
    let of_system = self::scope("Observation", &["code=urn:new|1"], &[]);
    assert_eq!(c.ids_in(&of_system, "Observation"), "");
    c.put(&observed("sys", r#"{"system":"urn:new","code":"1"}"#));
    assert_eq!(c.ids_in(&of_system, "Observation"), "sys");
}

#[test]
fn a_past_version_is_judged_by_what_it_said_then() {
    let c = clinic();
    let scope = weights();
    let of = |id: &str| HistoryQuery {
        resource_type: Some(kind("Observation")),
        id: Some(id.to_owned()),
        count: 10,
        ..HistoryQuery::default()
    };
    let versions = |id: &str| {
        let reader = c.store.reader(&scope).unwrap();
        let page = reader.history(&of(id)).map_err(|fault| fault.code().name)?;
        Ok::<_, &str>(page.versions.iter().map(|hit| hit.version).collect::<Vec<_>>())
    };
    let vread = |id: &str, version| {
        c.store.reader(&scope).unwrap().vread(kind("Observation"), id, version).unwrap().is_some()
    };
    c.put(&observed("o1", WEIGHT));
    assert_eq!(versions("o1"), Ok(vec![2]), "it was a height before");
    assert!(!vread("o1", 1) && vread("o1", 2));
    c.put(&observed("o1", WEIGHT).replace("final", "amended"));
    assert_eq!(versions("o1"), Ok(vec![3, 2]));
    c.put(&observed("o3", HEIGHT));
    assert_eq!(versions("o3"), Err("record.read.not-found"), "it is a height now");
    assert!(!vread("o3", 1) && !vread("o3", 2));
    // A deletion says nothing any more, so it does not exist within a search.
    c.delete("Observation", "o4");
    assert_eq!(versions("o4"), Err("record.read.not-found"));
    let reader = c.store.reader(&scope).unwrap();
    assert_eq!(reader.read(kind("Observation"), "o4").unwrap(), None);
    let everybody = Scope::everything().of_types([kind("Observation")]);
    let deleted = c.store.reader(&everybody).unwrap().read(kind("Observation"), "o4").unwrap();
    assert!(deleted.unwrap().deleted, "without a search it is seen");
    c.put(&observed("o4", WEIGHT));
    assert_eq!(versions("o4"), Ok(vec![3, 1]), "all but the deletion between");
    let all = HistoryQuery { count: 100, ..HistoryQuery::default() };
    let seen = c.store.reader(&scope).unwrap().history(&all).unwrap().versions;
    let of_observations = seen.iter().filter(|hit| hit.resource_type == kind("Observation"));
    let seen: Vec<_> = of_observations.map(|hit| (hit.id.as_str(), hit.version)).collect();
    assert_eq!(seen, [("o4", 3), ("o1", 3), ("o1", 2), ("o4", 1)]);
}

#[test]
fn a_page_begun_before_shows_no_record_as_it_was_outside_the_search() {
    let c = clinic();
    let scope = weights();
    for id in ["w1", "w2", "w3"] {
        c.put(&observed(id, WEIGHT));
    }
    let first = c.page(&scope, "Observation?_sort=_id", 1, None).unwrap();
    assert_eq!(first.matches[0].id, "o3");
    // One that was seen then and is not now; one that is now and was not then.
    c.put(&observed("w1", HEIGHT));
    c.put(&observed("o2", WEIGHT));
    let rest = c.page(&scope, "Observation?_sort=_id", 10, first.next).unwrap();
    let ids: Vec<_> = rest.matches.iter().map(|hit| hit.id.as_str()).collect();
    assert_eq!(ids, ["o4", "w2", "w3"]);
}

#[test]
fn a_change_must_match_before_and_after() {
    let c = clinic();
    let weights = weights();
    let rights = Arc::new(Rights {
        see: Scope::everything().of_types([kind("Observation")]),
        create: weights.clone(),
        update: weights.clone(),
        delete: weights,
        names_ids: false,
    });
    c.store.ready(&rights).unwrap();
    let content = |id: &str, code: &str| {
        let text = observed(id, code);
        let document = fhir::Document::parse(text.into_bytes(), &base::Limits::default()).unwrap();
        Box::new(c.store.prepare(document.root(), kind("Observation"), id.to_owned(), 0).unwrap())
    };
    let commit = |ops| {
        let unit = Unit { ops, rights: Some(Arc::clone(&rights)), ..Unit::default() };
        c.store.commit(unit).map(drop).map_err(|fault| fault.code().name)
    };
    let create = |id: &str, code: &str| commit(vec![Op::Create(content(id, code))]);
    let update = |id: &str, code: &str| {
        let content = content(id, code);
        let op = Op::Update { content, if_match: None, may_create: false, skip_same: false };
        commit(vec![op])
    };
    let delete = |id: &str| {
        let resource_type = kind("Observation");
        commit(vec![Op::Delete { resource_type, id: id.to_owned(), if_match: None }])
    };
    let denied = Err("access.denied");
    assert_eq!(create("n1", WEIGHT), Ok(()));
    assert_eq!(create("n2", HEIGHT), denied);
    // A text that the store has never seen is a number that comes into being with the record.
    let spoken = r#"{"system":"http://loinc.org","code":"29463-7","display":"Weight"}"#;
    assert_eq!(create("n3", spoken), Ok(()));
    let respoken = spoken.replace("Weight", "Body weight");
    assert_eq!(
        commit(vec![
            Op::Create(content("n4", &respoken)),
            Op::Create(content("n5", &respoken.replace("Body", "Clothed")))
        ]),
        Ok(())
    );
    assert_eq!(update("n1", HEIGHT), denied, "not out of the search");
    assert_eq!(update("o1", WEIGHT), denied, "nor into it");
    assert_eq!(update("o3", WEIGHT), Ok(()));
    assert_eq!(update("n4", &respoken.replace("Body", "Dry")), Ok(()));
    assert_eq!(delete("o1"), denied);
    assert_eq!(delete("n3"), Ok(()));
    assert_eq!(c.ids("Observation?code=29463-7"), "o3 o4 n1 n4 n5");
    assert_eq!(c.ids("Observation?_id=o1,n2"), "o1", "what was refused left nothing");
}

#[test]
fn ways_of_several_patients_and_searches_are_joined() {
    let c = clinic();
    let way = |patient: &str, queries: Option<&[&str]>| Way {
        patient: Some(patient.to_owned()),
        types: [kind("Observation")].into(),
        matching: queries.map(|queries| matching("Observation", queries)),
    };
    let scope = Scope::everything().within(&[way("ann", Some(&["code=8302-2"])), way("bob", None)]);
    assert_eq!(c.ids_in(&scope, "Observation"), "o1 o2 o4 bp");
    // Narrowed once more, both must hold.
    let both = scope.within(&[way("ann", Some(&["status=final"]))]);
    assert_eq!(c.ids_in(&both, "Observation"), "o1 o2");
    let none = both.within(&[way("ann", Some(&["code=29463-7"]))]);
    assert_eq!(c.ids_in(&none, "Observation"), "");
}
