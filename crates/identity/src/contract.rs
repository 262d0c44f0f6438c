//! What [`crate::Shelf`] promises, as a check that every implementation runs in its own tests.

use base::error::code;

use crate::deed::Deed;
use crate::shelf::{BODY_BYTES_MAX, Change, KEY_BYTES_MAX, SCAN_MAX, Shelf, ShelfName};

type Held = Result<(), &'static str>;

const SHELF: ShelfName = ShelfName::Principals;

/// Holds an empty shelf to its promises; the first that is broken is told. It leaves items behind.
pub fn check(shelf: &dyn Shelf) -> Result<(), &'static str> {
    versions(shelf)?;
    atomicity(shelf)?;
    order(shelf)?;
    bounds(shelf)
}

fn hold(holds: bool, promise: &'static str) -> Held {
    if holds { Ok(()) } else { Err(promise) }
}

fn version(shelf: &dyn Shelf, key: &[u8]) -> Option<u64> {
    shelf.get(SHELF, key).ok().flatten().map(|item| item.version)
}

fn put(shelf: &dyn Shelf, key: &[u8], replaces: Option<u64>, body: &[u8]) -> bool {
    shelf.commit(vec![Change::put(SHELF, key, replaces, body.to_vec())], Deed::UPKEEP).is_ok()
}

fn versions(shelf: &dyn Shelf) -> Held {
    hold(version(shelf, b"v").is_none(), "the shelf is empty at first")?;
    hold(put(shelf, b"v", None, b"one"), "an item is put where there is none")?;
    hold(version(shelf, b"v") == Some(1), "the first version is 1")?;
    hold(put(shelf, b"v", Some(1), b"two"), "an item is replaced by its version")?;
    let read = shelf.get(SHELF, b"v").ok().flatten();
    let read = read.map(|item| (item.version, item.body));
    hold(read == Some((2, b"two".to_vec())), "the new body stands there, one version on")?;
    for stale in [None, Some(1), Some(3)] {
        let refused =
            shelf.commit(vec![Change::put(SHELF, b"v", stale, b"x".to_vec())], Deed::UPKEEP);
        let named = refused.err().is_some_and(|fault| fault.code() == &code::ITEM_CONFLICT);
        hold(named, "another version is refused with identity.item.conflict")?;
    }
    hold(
        shelf.commit(vec![Change::keep(SHELF, b"v", Some(2))], Deed::UPKEEP).is_ok(),
        "a version is kept",
    )?;
    hold(version(shelf, b"v") == Some(2), "keeping a version does not change it")?;
    hold(
        shelf.commit(vec![Change::remove(SHELF, b"v", 1)], Deed::UPKEEP).is_err(),
        "removing asks the version",
    )?;
    hold(
        shelf.commit(vec![Change::remove(SHELF, b"v", 2)], Deed::UPKEEP).is_ok(),
        "an item is removed",
    )?;
    hold(version(shelf, b"v").is_none(), "a removed item is not there")?;
    let elsewhere = shelf.get(ShelfName::Names, b"v").ok().flatten();
    hold(elsewhere.is_none(), "shelves are apart")
}

fn atomicity(shelf: &dyn Shelf) -> Held {
    hold(put(shelf, b"a", None, b"1"), "an item is put")?;
    let changes = vec![
        Change::put(SHELF, b"b", None, b"1".to_vec()),
        Change::put(SHELF, b"a", Some(1), b"2".to_vec()),
        Change::keep(SHELF, b"c", Some(1)),
    ];
    hold(
        shelf.commit(changes, Deed::UPKEEP).is_err(),
        "a keep of what is not there refuses the commit",
    )?;
    hold(version(shelf, b"b").is_none(), "a refused commit puts nothing")?;
    hold(version(shelf, b"a") == Some(1), "a refused commit changes nothing")?;
    let changes = vec![
        Change::put(SHELF, b"b", None, b"1".to_vec()),
        Change::remove(SHELF, b"a", 1),
        Change::keep(SHELF, b"c", None),
    ];
    hold(shelf.commit(changes, Deed::UPKEEP).is_ok(), "several changes are made together")?;
    let both = (version(shelf, b"a"), version(shelf, b"b"));
    hold(both == (None, Some(1)), "all of them are made")
}

fn order(shelf: &dyn Shelf) -> Held {
    let keys: [&[u8]; 5] = [b"p", b"p\0", b"pa", b"p\xFF", b"q"];
    for key in keys.iter().rev() {
        hold(put(shelf, key, None, key), "an item is put")?;
    }
    let scan = |prefix: &[u8], after: Option<&[u8]>, limit: usize| -> Vec<Vec<u8>> {
        let items = shelf.scan(SHELF, prefix, after, limit).unwrap_or_default();
        items.into_iter().filter(|(key, item)| item.body == *key).map(|(key, _)| key).collect()
    };
    let firsts = keys.get(..4).unwrap_or_default();
    hold(scan(b"p", None, 10) == firsts, "a scan has the keys of its prefix, by their bytes")?;
    hold(scan(b"p", None, 2) == firsts.get(..2).unwrap_or_default(), "a scan keeps its limit")?;
    let rest = firsts.get(2..).unwrap_or_default();
    hold(scan(b"p", Some(b"p\0"), 10) == rest, "a scan goes on behind a key")?;
    hold(scan(b"p", Some(b"p\0x"), 10) == rest, "and behind a key that is not there")?;
    hold(scan(b"p", Some(b"a"), 10) == firsts, "a key before the prefix changes nothing")?;
    hold(scan(b"p", Some(b"q"), 10).is_empty(), "a key behind the prefix leaves nothing")
}

fn bounds(shelf: &dyn Shelf) -> Held {
    hold(put(shelf, &[1; KEY_BYTES_MAX], None, &[1; BODY_BYTES_MAX]), "the limits fit")?;
    hold(!put(shelf, &[1; KEY_BYTES_MAX + 1], None, b"1"), "a longer key is refused")?;
    hold(!put(shelf, b"", None, b"1"), "an empty key is refused")?;
    hold(!put(shelf, b"long", None, &[1; BODY_BYTES_MAX + 1]), "a longer body is refused")?;
    let twice = vec![Change::keep(SHELF, b"z", None), Change::keep(SHELF, b"z", None)];
    hold(shelf.commit(twice, Deed::UPKEEP).is_err(), "a key that stands twice is refused")?;
    for n in 0..=SCAN_MAX {
        hold(put(shelf, format!("many-{n:06}").as_bytes(), None, b"1"), "an item is put")?;
    }
    let found = shelf.scan(SHELF, b"many-", None, usize::MAX).map(|items| items.len());
    hold(found == Ok(SCAN_MAX), "a scan is bounded")
}
