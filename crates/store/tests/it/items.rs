//! Items beside the record: versions, all or nothing with the rest of a unit, and several units of
//! one commit.

#![expect(clippy::unwrap_used, reason = "a test helper fails its test")]

use crate::help::{Case, case, open};
use store::{ItemAct, ItemChange, Unit};

fn put(key: &[u8], replaces: Option<u64>, body: &[u8]) -> ItemChange {
    change(key, replaces, ItemAct::Put(body.to_vec()))
}

fn change(key: &[u8], replaces: Option<u64>, act: ItemAct) -> ItemChange {
    ItemChange { shelf: "name", key: key.to_vec(), replaces, act }
}

impl Case {
    fn items(&self, items: Vec<ItemChange>) -> Result<u64, &'static str> {
        let done = self.store.commit(Unit { items, ..Unit::default() });
        done.map(|receipt| receipt.commit).map_err(|fault| fault.code().name)
    }

    fn version(&self, key: &[u8]) -> Option<u64> {
        self.store.item_get("name", key).unwrap().map(|item| item.version)
    }
}

const CONFLICT: Result<u64, &str> = Err("identity.item.conflict");
const ANN: &str = r#"{"resourceType":"Patient","id":"ann","active":true}"#;

#[test]
fn an_item_is_put_replaced_kept_and_removed_by_its_version() {
    let c = case();
    assert!(c.items(vec![put(b"a", None, b"one")]).is_ok());
    assert!(c.items(vec![put(b"a", Some(1), b"two")]).is_ok());
    let item = c.store.item_get("name", b"a").unwrap().unwrap();
    assert_eq!((item.version, item.body.as_slice()), (2, b"two".as_slice()));
    assert_eq!(c.store.item_get("claim", b"a").unwrap(), None, "shelves are apart");
    for stale in [None, Some(1), Some(3)] {
        assert_eq!(c.items(vec![put(b"a", stale, b"x")]), CONFLICT);
        assert_eq!(c.items(vec![change(b"a", stale, ItemAct::Keep)]), CONFLICT);
        assert_eq!(c.items(vec![change(b"a", stale, ItemAct::Remove)]), CONFLICT);
    }
    assert_eq!(c.items(vec![change(b"b", None, ItemAct::Remove)]), CONFLICT, "nothing to remove");
    assert!(c.items(vec![change(b"a", Some(2), ItemAct::Keep)]).is_ok());
    assert!(c.items(vec![change(b"a", Some(2), ItemAct::Remove)]).is_ok());
    assert_eq!(c.version(b"a"), None);
}

#[test]
fn a_unit_with_items_records_and_events_happens_whole_or_not_at_all() {
    let c = case();
    let unit = |replaces| Unit {
        ops: vec![c.op(ANN)],
        items: vec![put(b"a", None, b"1"), put(b"b", replaces, b"1")],
        events: Some(Box::new(|_| vec![vec![7]])),
        ..Unit::default()
    };
    let refused = c.store.commit(unit(Some(3))).unwrap_err();
    assert_eq!(refused.code().name, "identity.item.conflict");
    assert_eq!((c.body("Patient", "ann"), c.version(b"a")), (None, None));
    assert!(c.store.unaudited().unwrap().is_empty());
    let commit = c.store.commit(unit(None)).unwrap().commit;
    assert!(c.body("Patient", "ann").is_some());
    assert_eq!((c.version(b"a"), c.version(b"b")), (Some(1), Some(1)));
    assert_eq!(c.store.unaudited().unwrap(), vec![(commit, vec![vec![7]])]);
    // And a record that is refused takes the items with it.
    let delete = store::Op::Delete {
        resource_type: crate::help::kind("Patient"),
        id: "ann".into(),
        if_match: Some(9),
    };
    let items = vec![put(b"a", Some(1), b"2")];
    assert!(c.store.commit(Unit { ops: vec![delete], items, ..Unit::default() }).is_err());
    assert_eq!(c.version(b"a"), Some(1));
}

#[test]
fn units_of_one_commit_see_the_items_of_those_before_them() {
    let c = case();
    c.put(ANN);
    let before = c.store.stats();
    let (sender, answers) = std::sync::mpsc::channel();
    // While the writer is with the first, the others come together.
    let slow = Unit {
        items: vec![put(b"slow", None, b"")],
        events: Some(Box::new(|_| {
            std::thread::sleep(std::time::Duration::from_millis(100));
            Vec::new()
        })),
        ..Unit::default()
    };
    c.store.submit(slow, Box::new(|_| {}));
    for version in 0..50u64 {
        // Each is right only after the one before it; each is sent twice, and the second is wrong.
        for _ in 0..2 {
            let replaces = Some(version).filter(|v| *v > 0);
            let unit = Unit { items: vec![put(b"n", replaces, b"x")], ..Unit::default() };
            let sender = sender.clone();
            c.store.submit(unit, Box::new(move |done| sender.send(done.is_ok()).unwrap()));
        }
    }
    drop(sender);
    let right = answers.iter().filter(|right| *right).count();
    assert_eq!((right, c.version(b"n")), (50, Some(50)));
    let after = c.store.stats();
    assert!(after.commits - before.commits < 10, "they were put into few commits");
}

#[test]
fn a_scan_walks_one_shelf_by_prefix_in_the_order_of_bytes() {
    let c = case();
    let keys: [&[u8]; 5] = [b"p", b"p\0", b"pa", b"p\xFF", b"q"];
    c.items(keys.iter().rev().map(|key| put(key, None, key)).collect()).unwrap();
    let other = ItemChange { shelf: "claim", ..put(b"pb", None, b"") };
    c.items(vec![other]).unwrap();
    let scan = |prefix: &[u8], after: Option<&[u8]>, limit| -> Vec<Vec<u8>> {
        let found = c.store.item_scan("name", prefix, after, limit).unwrap();
        found.into_iter().map(|(key, item)| (key, item.body)).map(|(key, _)| key).collect()
    };
    assert_eq!(scan(b"p", None, 9), keys[..4]);
    assert_eq!(scan(b"p", None, 2), keys[..2]);
    assert_eq!(scan(b"p", Some(b"p\0"), 9), keys[2..4]);
    assert_eq!(scan(b"p", Some(b"a"), 9), keys[..4]);
    assert_eq!(scan(b"", None, 9), keys);
    assert!(scan(b"p", Some(b"q"), 9).is_empty() && scan(b"p", None, 0).is_empty());
}

#[test]
fn what_is_out_of_bounds_or_stands_twice_is_refused() {
    let c = case();
    assert_eq!(c.items(vec![put(b"", None, b"")]), CONFLICT);
    assert_eq!(c.items(vec![put(&[1; 513], None, b"")]), CONFLICT);
    assert_eq!(c.items(vec![put(b"a", None, &[1; (65 << 10) + 1])]), CONFLICT);
    assert_eq!(c.items(vec![put(b"a", None, b"1"), put(b"a", None, b"2")]), CONFLICT);
    assert!(c.items(vec![put(&[1; 512], None, &[1; 65 << 10])]).is_ok());
}

#[test]
fn items_are_there_after_reopening_and_in_a_backup() {
    let c = case();
    c.put(ANN);
    c.items(vec![put(b"a", None, b"one")]).unwrap();
    let copy = c.dir.path().join("copy.sqlite");
    c.store.backup(&copy, &mut |_, _| {}).unwrap();
    let Case { store, clock, dir } = c;
    drop(store);
    let again = open(dir.path(), &clock).unwrap();
    assert_eq!(again.item_get("name", b"a").unwrap().unwrap().body, b"one");
    drop(again);
    let second = dir.path().join("second");
    let cipher = store::Cipher::of(crate::help::keyring(dir.path())).unwrap();
    store::restore(&copy, &second, Some(&cipher)).unwrap();
    let restored = crate::help::open_as(&second, &clock, Some(cipher)).unwrap();
    assert_eq!(restored.item_get("name", b"a").unwrap().unwrap().body, b"one");
}
