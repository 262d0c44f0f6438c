//! Versions, deletions, history, feed, counts, backup, reopening.

use crate::help::{case, kind, open};
use base::Millis;
use store::{Guard, HistoryQuery, Method, Op, Scope, Unit};

const ANN: &str = r#"{"resourceType":"Patient","id":"ann","meta":{"profile":["http://x/p"],"versionId":"99"},"active":true,"name":[{"family":"Ännä","given":["Ann"]}],"extension":[{"url":"http://x/e","valueDecimal":1.10}]}"#;

#[test]
fn a_resource_comes_back_with_its_digits_and_the_servers_meta() {
    let c = case();
    let receipt = c.put(ANN);
    assert_eq!(receipt.results[0].version, 1);
    assert!(receipt.results[0].created);
    assert_eq!(
        c.body("Patient", "ann").unwrap(),
        r#"{"resourceType":"Patient","id":"ann","meta":{"versionId":"1","lastUpdated":"2023-11-14T22:13:20.000Z","profile":["http://x/p"]},"active":true,"name":[{"family":"Ännä","given":["Ann"]}],"extension":[{"url":"http://x/e","valueDecimal":1.10}]}"#
    );
    assert_eq!(c.body("Patient", "bob"), None);
}

#[test]
fn versions_deletions_and_rebirths_are_linear() {
    let c = case();
    c.put(ANN);
    c.clock.turn(1000);
    c.put(&ANN.replace("true", "false"));
    c.clock.turn(1000);
    assert_eq!(c.delete("Patient", "ann").results[0].version, 3);
    assert!(!c.delete("Patient", "ann").results[0].changed);
    assert!(!c.delete("Patient", "nobody").results[0].changed);
    let scope = Scope::everything();
    {
        let reader = c.store.reader(&scope).unwrap();
        assert!(reader.read(kind("Patient"), "ann").unwrap().unwrap().deleted);
        let second = reader.vread(kind("Patient"), "ann", 2).unwrap().unwrap();
        assert!(String::from_utf8(second.body).unwrap().contains("\"active\":false"));
        assert_eq!(reader.vread(kind("Patient"), "ann", 9).unwrap(), None);
    }
    c.clock.turn(1000);
    let back = c.put(ANN);
    assert_eq!((back.results[0].version, back.results[0].created), (4, true));
    let history = |query: HistoryQuery| {
        let page = c.store.reader(&scope).unwrap().history(&query).unwrap();
        page.versions.iter().map(|v| (v.version, v.method)).collect::<Vec<_>>()
    };
    let all = HistoryQuery {
        resource_type: Some(kind("Patient")),
        id: Some("ann".to_owned()),
        count: 10,
        ..HistoryQuery::default()
    };
    let whole =
        vec![(4, Method::Update), (3, Method::Delete), (2, Method::Update), (1, Method::Update)];
    assert_eq!(history(all.clone()), whole);
    let of_type =
        HistoryQuery { resource_type: Some(kind("Patient")), count: 10, ..HistoryQuery::default() };
    assert_eq!(history(of_type), whole);
    assert_eq!(history(HistoryQuery { count: 10, ..HistoryQuery::default() }), whole);
    let start = 1_700_000_000_000;
    let since = HistoryQuery { since: Some(Millis(start + 2000)), ..all.clone() };
    assert_eq!(history(since).len(), 2);
    let at = HistoryQuery { at: Some((Millis(start + 1500), Millis(start + 1600))), ..all };
    assert_eq!(history(at), vec![(2, Method::Update)]);
    let changes = c.store.reader(&scope).unwrap().changes(1, 10).unwrap();
    assert_eq!(changes.iter().map(|c| c.version).collect::<Vec<_>>(), [2, 3, 4]);
}

#[test]
fn a_unit_happens_whole_or_not_at_all() {
    let c = case();
    c.put(ANN);
    let stale = Op::Delete { resource_type: kind("Patient"), id: "ann".into(), if_match: Some(7) };
    let ops = vec![c.op(r#"{"resourceType":"Patient","id":"bob"}"#), stale];
    let refused = c.store.commit(Unit { ops, ..Unit::default() }).unwrap_err();
    assert_eq!(refused.code().name, "record.write.version-conflict");
    assert_eq!(c.body("Patient", "bob"), None);
    let twice = c.try_put(&[ANN, ANN]).unwrap_err();
    assert_eq!(twice.code().name, "record.bundle.duplicate");
}

#[test]
fn the_same_content_is_left_alone_when_asked() {
    let c = case();
    c.put(ANN);
    let Op::Update { content, .. } = c.op(ANN) else { unreachable!() };
    let op = Op::Update { content, if_match: None, may_create: true, skip_same: true };
    let receipt = c.store.commit(Unit { ops: vec![op], ..Unit::default() }).unwrap();
    assert_eq!((receipt.results[0].changed, receipt.results[0].version), (false, 1));
}

#[test]
fn a_guard_refuses_when_another_write_came_between() {
    let c = case();
    let pairs = search::parse::decode_query("family=anna").unwrap();
    let search = || {
        let level = search::parse::Level::Type(kind("Patient"));
        search::parse::parse(&level, &pairs, &crate::help::strict()).unwrap()
    };
    let unit = |id: &str, as_of: u64| Unit {
        ops: vec![c.op(&ANN.replace("\"ann\"", &format!("\"{id}\"")))],
        guards: vec![Guard {
            search: search(),
            expected: store::Expectation::None,
            as_of,
            scope: Scope::everything(),
        }],
        ..Unit::default()
    };
    let as_of = c.store.last_commit();
    let (one, two) = (unit("a", as_of), unit("b", as_of));
    assert!(c.store.commit(one).is_ok());
    let refused = c.store.commit(two).unwrap_err();
    assert_eq!(refused.code().name, "record.write.precondition-failed");
}

#[test]
fn everything_is_there_after_reopening_and_in_a_backup() {
    let c = case();
    c.put(ANN);
    c.put(&ANN.replace("true", "false"));
    c.put(r#"{"resourceType":"Patient","id":"bob","link":[{"other":{"reference":"Patient/eve"},"type":"seealso"}]}"#);
    let last = c.store.last_commit();
    let copy = c.dir.path().join("copy.sqlite");
    let mut steps = 0;
    c.store.backup(&copy, &mut |_, _| steps += 1).unwrap();
    assert!(steps > 0);
    c.delete("Patient", "bob");
    let other = tempfile::tempdir().unwrap();
    store::restore(&copy, other.path()).unwrap();
    assert!(store::restore(&copy, other.path()).is_err(), "never over a store");
    let restored = open(other.path(), &c.clock).unwrap();
    assert_eq!(restored.last_commit(), last);
    let scope = Scope::everything();
    let counts = restored.reader(&scope).unwrap().type_counts().unwrap();
    assert_eq!(counts, vec![(kind("Patient"), 2)]);
    let dir = c.dir;
    let locked = open(dir.path(), &c.clock).unwrap_err();
    assert_eq!(locked.code().name, "store.locked");
    drop(c.store);
    let again = open(dir.path(), &c.clock).unwrap();
    assert_eq!(again.last_commit(), last + 1);
    assert_eq!(again.reader(&scope).unwrap().type_counts().unwrap(), vec![(kind("Patient"), 1)]);
}

#[test]
fn events_wait_in_the_outbox_until_they_are_safe() {
    let c = case();
    let unit = Unit {
        ops: vec![c.op(ANN)],
        events: Some(Box::new(|r| vec![vec![u8::try_from(r.results.len()).unwrap()], vec![9]])),
        ..Unit::default()
    };
    let commit = c.store.commit(unit).unwrap().commit;
    assert_eq!(c.store.unaudited().unwrap(), vec![(commit, vec![vec![1], vec![9]])]);
    c.store.audited(commit);
    c.store.anchor_audit(5, [3; 32]);
    c.put(&ANN.replace("ann", "bob"));
    assert_eq!(c.store.unaudited().unwrap(), vec![]);
    assert_eq!(c.store.audit_anchor().unwrap(), Some((5, [3; 32])));
    // A unit that changes nothing has a commit number of its own all the same.
    let nothing = || Unit {
        ops: vec![Op::Delete { resource_type: kind("Patient"), id: "no".into(), if_match: None }],
        events: Some(Box::new(|_| vec![vec![7]])),
        ..Unit::default()
    };
    let (a, b) = (c.store.commit(nothing()).unwrap(), c.store.commit(nothing()).unwrap());
    assert!(a.commit < b.commit);
    assert_eq!(c.store.unaudited().unwrap().len(), 2);
}

#[test]
fn a_panic_in_a_callback_refuses_later_writes_instead_of_hanging_them() {
    let c = case();
    c.put(ANN);
    let unit = Unit {
        ops: vec![c.op(&ANN.replace("\"ann\"", "\"bob\""))],
        events: Some(Box::new(|_| panic!("a callback gone wrong"))),
        ..Unit::default()
    };
    assert_eq!(c.store.commit(unit).unwrap_err().code().name, "store.unavailable");
    let later = c.try_put(&[&ANN.replace("\"ann\"", "\"cy\"")]).unwrap_err();
    assert_eq!(later.code().name, "store.unavailable");
    assert!(c.store.failure().is_some());
    // What was acknowledged is there, the broken unit is not, and a restart writes again.
    assert!(c.body("Patient", "ann").is_some() && c.body("Patient", "bob").is_none());
    drop(c.store);
    let again = open(c.dir.path(), &c.clock).unwrap();
    assert!(again.failure().is_none());
    assert_eq!(again.last_commit(), 1);
}
