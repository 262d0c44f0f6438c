//! A bulk load holds rows of the index back. Whatever happens to it, the tables end up the same as
//! those of a store that never held anything back.

#![expect(clippy::unwrap_used, reason = "a test helper fails its test")]

use crate::help::{Case, kind};
use base::error::code;
use rusqlite::Connection;
use std::fs;
use std::path::Path;
use store::{Op, Options, Scope, Store, Unit};
use testkit::clock::Turned;

const TABLES: &[&str] =
    &["name", "res", "ix", "ix_date", "ix_num", "ix_str", "ix_ident", "pt", "find"];

fn case(defer: bool) -> Case {
    let dir = tempfile::tempdir().unwrap();
    let clock = Turned::at(1_700_000_000_000);
    let options = Options { clock: clock.clone(), seed: 7, defer, ..Options::default() };
    let store = Store::open(dir.path(), options).unwrap();
    Case { store, clock, dir }
}

/// Every row of every table of the index, after the store was closed.
fn tables(dir: &Path) -> String {
    let conn = Connection::open(dir.join("records.sqlite")).unwrap();
    let mut out = String::new();
    for table in TABLES {
        let mut statement = conn.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = statement.column_count();
        let mut rows = statement.query([]).unwrap();
        while let Some(row) = rows.next().unwrap() {
            let values: Vec<String> =
                (0..columns).map(|i| format!("{:?}", row.get_ref(i).unwrap())).collect();
            out.push_str(&format!("{table}: {}\n", values.join(" ")));
        }
    }
    let held: i64 = conn
        .query_row("SELECT count(*) FROM meta WHERE key = 'held_from'", [], |r| r.get(0))
        .unwrap();
    assert_eq!(held, 0, "nothing is held back in a closed store");
    out
}

fn held_rows(dir: &Path) -> i64 {
    let conn = Connection::open(dir.join("records.sqlite")).unwrap();
    conn.query_row("SELECT (SELECT count(*) FROM res) - (SELECT count(*) FROM ix_date)", [], |r| {
        r.get(0)
    })
    .unwrap()
}

fn patient(n: u32) -> String {
    let id = uuid(n);
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","birthDate":"19{:02}-03-04","name":[{{"family":"Ng{n}"}}],
        "identifier":[{{"system":"urn:mrn","value":"M{n}"}}]}}"#,
        n % 90 + 10
    )
}

fn weight(n: u32, of: u32, kg: u32) -> String {
    let subject = uuid(of);
    format!(
        r#"{{"resourceType":"Observation","id":"w{n}","status":"final","code":{{"text":"Weight"}},
        "subject":{{"reference":"Patient/{subject}"}},"effectiveDateTime":"2020-01-{:02}",
        "valueQuantity":{{"value":{kg},"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}}}"#,
        n % 28 + 1
    )
}

/// Ids in no order, as imported records have them.
fn uuid(n: u32) -> String {
    let mixed = n.wrapping_mul(0x9E37_79B1);
    format!("{mixed:08x}-0000-4000-8000-{n:012x}")
}

/// What loads do: references before their targets, refusals, records again with other content.
fn load(case: &Case) {
    for n in 0..40 {
        // Every fourth is pointed at before it is there; number 39 never is.
        if n % 4 == 3 {
            case.put(&weight(n, n, 60 + n));
        }
        if n != 39 {
            case.put(&patient(n));
        }
        case.put(&weight(100 + n, n, 80 + n));
    }
}

fn refuse_and_point(case: &Case) {
    // The unit names patient 50 first and is refused by patient 1, who is there already.
    let create = |json: &str| {
        let Op::Update { content, .. } = case.op(json) else { unreachable!() };
        Op::Create(content)
    };
    let ops = vec![create(&patient(50)), create(&patient(1))];
    let refused = case.store.commit(Unit { ops, ..Unit::default() }).unwrap_err();
    assert_eq!(refused.code(), &code::PRECONDITION_FAILED);
    case.put(&weight(200, 50, 70));
}

fn change(case: &Case) {
    case.put(&weight(100, 0, 81));
    case.put(&weight(100, 1, 82));
    case.delete("Observation", "w101");
    case.put(&weight(101, 2, 83));
    case.delete("Patient", &uuid(5));
    case.put(&weight(300, 5, 90));
}

fn ordinary() -> String {
    let case = case(false);
    load(&case);
    refuse_and_point(&case);
    change(&case);
    let Case { store, dir, .. } = case;
    drop(store);
    tables(dir.path())
}

#[test]
fn a_closed_load_has_the_same_index() {
    let bulk = case(true);
    load(&bulk);
    refuse_and_point(&bulk);
    assert!(held_rows(bulk.dir.path()) > 50, "rows are held back meanwhile");
    change(&bulk);
    let Case { store, dir, .. } = bulk;
    drop(store);
    assert_eq!(tables(dir.path()), ordinary());
}

#[test]
fn a_killed_load_is_finished_when_the_store_is_opened() {
    for stage in 0..3 {
        let bulk = case(true);
        load(&bulk);
        if stage > 0 {
            refuse_and_point(&bulk);
        }
        if stage > 1 {
            change(&bulk);
        }
        // What a kill leaves: the files as they are, without a last word of the process.
        let left = tempfile::tempdir().unwrap();
        for name in ["records.sqlite", "records.sqlite-wal"] {
            fs::copy(bulk.dir.path().join(name), left.path().join(name)).unwrap();
        }
        let clock = Turned::at(1_700_000_000_000);
        let options = Options { clock: clock.clone(), seed: 7, ..Options::default() };
        let store = Store::open(left.path(), options).unwrap();
        let again = Case { store, clock, dir: left };
        assert_eq!(again.ids("Patient?birthdate=1911-03-04"), uuid(1), "stage {stage}");
        if stage < 1 {
            refuse_and_point(&again);
        }
        if stage < 2 {
            change(&again);
        }
        let Case { store, dir, .. } = again;
        drop(store);
        assert_eq!(tables(dir.path()), ordinary(), "stage {stage}");
    }
}

#[test]
fn a_load_that_cannot_commit_goes_on_with_what_is_stored() {
    let bulk = case(true);
    load(&bulk);
    let conn = Connection::open(bulk.dir.path().join("records.sqlite")).unwrap();
    conn.execute_batch(
        "CREATE TRIGGER no BEFORE INSERT ON old BEGIN SELECT RAISE(ABORT, 'no'); END",
    )
    .unwrap();
    let failed = bulk.try_put(&[&weight(100, 0, 81)]).unwrap_err();
    assert_eq!(failed.code(), &code::STORE_UNAVAILABLE);
    conn.execute_batch("DROP TRIGGER no").unwrap();
    drop(conn);
    refuse_and_point(&bulk);
    change(&bulk);
    let Case { store, dir, .. } = bulk;
    drop(store);
    assert_eq!(tables(dir.path()), ordinary());
}

#[test]
fn records_held_back_are_found() {
    let bulk = case(true);
    load(&bulk);
    // By name and by identifier without putting anything in …
    assert!(bulk.body("Patient", &uuid(7)).is_some());
    assert_eq!(bulk.ids("Patient?identifier=urn:mrn|M7"), uuid(7));
    assert_eq!(bulk.ids(&format!("Patient?_id={}", uuid(7))), uuid(7));
    assert!(held_rows(bulk.dir.path()) > 50);
    // … and by anything else after it was put in, on the reader that asks.
    let scope = Scope::everything();
    let reader = bulk.store.reader(&scope).unwrap();
    let before = reader.snapshot().unwrap();
    let asked = search::parse::decode_query("family=ng7&birthdate=gt1911").unwrap();
    let level = search::parse::Level::Type(kind("Patient"));
    let asked = search::parse::parse(&level, &asked, &crate::help::strict()).unwrap();
    let page =
        store::PageRequest { count: 10, position: None, include_max: 0, steps_max: 1_000_000 };
    let found: Vec<String> =
        reader.search(&asked, &page).unwrap().matches.into_iter().map(|hit| hit.id).collect();
    assert_eq!(found, [uuid(7)]);
    assert!(reader.snapshot().unwrap() >= before);
    assert_eq!(held_rows(bulk.dir.path()), 0);
    assert_eq!(bulk.ids("Observation?value-quantity=117|http://unitsofmeasure.org|kg"), "w137");
}

#[test]
fn a_guard_sees_what_is_held_back() {
    let bulk = case(true);
    load(&bulk);
    for (url, there) in
        [("family=ng7", true), ("identifier=urn:mrn|M7", true), ("family=no", false)]
    {
        let asked = search::parse::decode_query(url).unwrap();
        let level = search::parse::Level::Type(kind("Patient"));
        let guard = store::Guard {
            search: search::parse::parse(&level, &asked, &crate::help::strict()).unwrap(),
            expected: store::Expectation::None,
            as_of: 0,
            scope: Scope::everything(),
        };
        let unit = Unit {
            ops: vec![bulk.op(&weight(400, 1, 70))],
            guards: vec![guard],
            ..Unit::default()
        };
        assert_eq!(bulk.store.commit(unit).is_err(), there, "{url}");
    }
}
