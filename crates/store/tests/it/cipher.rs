//! Encryption at rest: what is planted in records is found in no file, what is altered is never served,
//! and a patient whose key was destroyed is read nowhere, old backups included.

#![expect(clippy::unwrap_used, reason = "a test helper fails its test")]

use crate::help::{Case, case, keyring, kind, open, open_as};
use base::Millis;
use base::error::code;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Cipher, HistoryQuery, Scope};
use testkit::clock::Turned;

/// Texts that stand nowhere else.
fn canaries(n: usize) -> Vec<String> {
    let mut state = 0x9E37_79B9_7F4A_7C15_u64;
    let mut next = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state >> 24
    };
    (0..n).map(|_| format!("qz{:010x}{:010x}", next(), next())).collect()
}

fn plant(c: &Case, canaries: &[String]) {
    for (at, five) in canaries.chunks(5).enumerate() {
        let [name, identifier, note, code, display] = five else { continue };
        let patient = format!(
            r#"{{"resourceType":"Patient","id":"{name}","identifier":[{{"system":"http://x/{identifier}","value":"{identifier}"}}],"name":[{{"family":"{name}","text":"{note}"}}]}}"#
        );
        let observation = format!(
            r#"{{"resourceType":"Observation","id":"o{at}","status":"final","subject":{{"reference":"Patient/{name}"}},"note":[{{"text":"{note}"}}],"code":{{"coding":[{{"system":"http://x","code":"{code}","display":"{display}"}}]}}}}"#
        );
        c.try_put(&[&patient, &observation]).unwrap();
        assert_eq!(c.ids(&format!("Patient?family={name}")), *name);
        assert_eq!(c.ids(&format!("Observation?code={code}")), format!("o{at}"));
    }
}

fn files(dir: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in std::fs::read_dir(dir).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() { out.extend(files(&path)) } else { out.push(path) }
    }
    out
}

/// How many of the canaries stand in the files of a folder, as they are.
fn found(dir: &Path, canaries: &[String]) -> usize {
    let wanted: HashSet<&[u8]> = canaries.iter().map(|c| c.as_bytes()).collect();
    let mut hits = HashSet::new();
    for file in files(dir) {
        let bytes = std::fs::read(file).unwrap();
        for window in bytes.windows(22).filter(|w| w.starts_with(b"qz")) {
            if wanted.contains(window) {
                hits.insert(window.to_vec());
            }
        }
    }
    hits.len()
}

#[test]
fn a_thousand_planted_texts_are_found_in_no_file_unless_encryption_is_off() {
    let texts = canaries(1000);
    for sealed in [true, false] {
        let mut c = case();
        if !sealed {
            let dir = tempfile::tempdir().unwrap();
            c.store = open_as(dir.path(), &c.clock, None).unwrap();
            c.dir = dir;
        }
        plant(&c, &texts);
        // The log holds it now; a moment after it is in the file as well.
        let in_the_log = found(c.dir.path(), &texts);
        c.store.backup(&c.dir.path().join("copy.sqlite"), &mut |_, _| {}).unwrap();
        let dir = c.dir;
        drop(c.store);
        let closed = found(dir.path(), &texts);
        if sealed {
            assert_eq!((in_the_log, closed), (0, 0));
        } else {
            assert!(
                in_the_log > 900 && closed > 900,
                "{in_the_log} {closed}: the search finds nothing"
            );
        }
    }
}

#[test]
fn no_flipped_bit_of_the_file_is_served_and_every_one_is_named() {
    let c = case();
    let texts = canaries(200);
    plant(&c, &texts);
    let (dir, clock) = (c.dir, c.clock);
    drop(c.store);
    let path = dir.path().join("records.sqlite");
    let sound = std::fs::read(&path).unwrap();
    let pages = sound.len() / 4096;
    assert_eq!(sound.len() % 4096, 0);
    let mut named = 0;
    for page in 0..pages {
        let mut altered = sound.clone();
        altered[page * 4096 + (page * 37) % 4096] ^= 1 << (page % 8);
        std::fs::write(&path, &altered).unwrap();
        let result = open(dir.path(), &clock).and_then(|store| {
            let scope = Scope::everything();
            let reader = store.reader(&scope)?;
            for at in 0..texts.len() / 5 {
                if let Some(hit) = reader.read(kind("Observation"), &format!("o{at}"))? {
                    let text = String::from_utf8_lossy(&hit.body).into_owned();
                    assert!(text.contains(&texts[at * 5 + 2]), "altered text was served");
                }
            }
            let all = HistoryQuery { count: 10_000, ..HistoryQuery::default() };
            reader.history(&all).map(drop)
        });
        if let Err(fault) = result {
            let altered = [code::STORE_CORRUPT.name, code::STORE_KEY_OTHER.name];
            assert!(altered.contains(&fault.code().name), "page {page}: {fault}");
            named += 1;
        }
    }
    // Pages that these reads do not touch are not looked at, but most are.
    assert!(named > pages / 4, "{named} of {pages}");
}

/// Leaves a folder as a killed process would: with its log.
fn killed(c: &Case) -> tempfile::TempDir {
    let copy = tempfile::tempdir().unwrap();
    for file in files(c.dir.path()) {
        let to = copy.path().join(file.strip_prefix(c.dir.path()).unwrap());
        std::fs::create_dir_all(to.parent().unwrap()).unwrap();
        std::fs::copy(&file, to).unwrap();
    }
    copy
}

fn count(dir: &Path, clock: &Arc<Turned>) -> Result<u64, base::Fault> {
    let store = open(dir, clock)?;
    let live = store.stats().live;
    Ok(live.iter().map(|(_, n)| n).sum())
}

#[test]
fn a_damaged_log_is_named_and_a_torn_end_is_not() {
    let c = case();
    for at in 0..30 {
        c.put(&format!(r#"{{"resourceType":"Patient","id":"p{at}"}}"#));
    }
    let clock = Arc::clone(&c.clock);
    let whole = killed(&c);
    assert_eq!(count(whole.path(), &clock).unwrap(), 30);
    let frames = {
        let left = killed(&c);
        let log = std::fs::metadata(left.path().join("records.sqlite-wal")).unwrap().len();
        (log - 32) / 4120
    };
    assert!(frames > 60, "{frames}");
    let flip = |frame: u64, inside: u64| {
        let left = killed(&c);
        let path = left.path().join("records.sqlite-wal");
        let mut log = std::fs::read(&path).unwrap();
        log[usize::try_from(32 + frame * 4120 + inside).unwrap()] ^= 4;
        std::fs::write(&path, log).unwrap();
        left
    };
    for (frame, inside) in [(0, 3), (7, 24), (20, 4119), (frames / 2, 2000)] {
        let fault = count(flip(frame, inside).path(), &clock).unwrap_err();
        assert_eq!(fault.code().name, code::STORE_CORRUPT.name, "frame {frame}");
    }
    let head = killed(&c);
    let path = head.path().join("records.sqlite-wal");
    let mut log = std::fs::read(&path).unwrap();
    log[17] ^= 1;
    std::fs::write(&path, log).unwrap();
    assert_eq!(count(head.path(), &clock).unwrap_err().code().name, code::STORE_CORRUPT.name);
    // The last transaction not written whole: it is undone, as a power cut leaves it.
    assert_eq!(count(flip(frames - 1, 100).path(), &clock).unwrap(), 29);
    let cut = killed(&c);
    let path = cut.path().join("records.sqlite-wal");
    let file = std::fs::OpenOptions::new().write(true).open(&path).unwrap();
    file.set_len(32 + (frames - 1) * 4120 + 1000).unwrap();
    assert_eq!(count(cut.path(), &clock).unwrap(), 29);
}

#[test]
fn a_first_page_torn_by_a_loss_of_power_in_a_checkpoint_comes_back_from_the_log() {
    let c = case();
    for at in 0..30 {
        c.put(&format!(r#"{{"resourceType":"Patient","id":"p{at}"}}"#));
    }
    let tear = |dir: &Path, sectors: std::ops::Range<usize>| {
        let path = dir.join("records.sqlite");
        let mut pages = std::fs::read(&path).unwrap();
        pages[sectors.start * 512..sectors.end * 512].fill(0x55);
        std::fs::write(&path, pages).unwrap();
    };
    for sectors in [0..1, 0..7, 3..5] {
        let left = killed(&c);
        tear(left.path(), sectors.clone());
        assert_eq!(count(left.path(), &c.clock).unwrap(), 30, "{sectors:?}");
        // It is whole from then on.
        assert_eq!(count(left.path(), &c.clock).unwrap(), 30, "{sectors:?}");
        // A log that was damaged tells nothing, and nothing is written.
        let damaged = killed(&c);
        tear(damaged.path(), sectors.clone());
        let log = damaged.path().join("records.sqlite-wal");
        let mut bytes = std::fs::read(&log).unwrap();
        bytes[32 + 7 * 4120 + 24] ^= 4;
        std::fs::write(&log, bytes).unwrap();
        let torn = std::fs::read(damaged.path().join("records.sqlite")).unwrap();
        let fault = count(damaged.path(), &c.clock).unwrap_err();
        assert!(fault.to_string().contains("log was altered"), "{fault}");
        assert!(std::fs::read(damaged.path().join("records.sqlite")).unwrap() == torn);
        // Without a log that tells what stood there, it is damage.
        tear(left.path(), sectors);
        let fault = count(left.path(), &c.clock).unwrap_err();
        assert_eq!(fault.code().name, code::STORE_CORRUPT.name);
    }
}

#[test]
fn what_two_crashes_leave_of_the_log_opens() {
    let put = |c: &Case, at: u32| {
        c.put(&format!(
            r#"{{"resourceType":"Patient","id":"p{at}","name":[{{"family":"f{at}"}}]}}"#
        ))
    };
    let frames = |dir: &Path| {
        let log = std::fs::metadata(dir.join("records.sqlite-wal")).unwrap().len();
        (log - 32) / 4120
    };
    let tear = |dir: &Path, frame: u64| {
        let path = dir.join("records.sqlite-wal");
        let mut log = std::fs::read(&path).unwrap();
        log[usize::try_from(32 + frame * 4120 + 500).unwrap()] ^= 1;
        std::fs::write(&path, log).unwrap();
    };
    let c = case();
    for at in 0..10 {
        put(&c, at);
    }
    // A large last transaction, torn near its beginning: most of it stays behind in the log. Not so
    // large that a dictionary is trained, which is a transaction of its own.
    let before = frames(c.dir.path());
    let many: Vec<String> = (100..400)
        .map(|at| {
            format!(r#"{{"resourceType":"Patient","id":"p{at}","name":[{{"family":"f{at}"}}]}}"#)
        })
        .collect();
    c.try_put(&many.iter().map(String::as_str).collect::<Vec<_>>()).unwrap();
    let left = killed(&c);
    let all = frames(left.path());
    assert!(all > before + 20, "{before} {all}");
    tear(left.path(), before + 1);
    let store = open(left.path(), &c.clock).unwrap();
    let again = Case { store, clock: Arc::clone(&c.clock), dir: left };
    assert_eq!(again.store.stats().live.iter().map(|(_, n)| n).sum::<u64>(), 10);
    // A small one is written over the beginning of what stayed, and torn as well.
    put(&again, 10);
    let left = killed(&again);
    assert_eq!(frames(left.path()), all, "the rest of the first crash is still there");
    tear(left.path(), before + 1);
    assert_eq!(count(left.path(), &c.clock).unwrap(), 10);
    // Without the second tear it is there.
    assert_eq!(count(killed(&again).path(), &c.clock).unwrap(), 11);
}

#[test]
fn other_keys_and_no_keys_and_a_plain_store_are_named() {
    let c = case();
    c.put(r#"{"resourceType":"Patient","id":"a"}"#);
    let (dir, clock) = (c.dir, c.clock);
    drop(c.store);
    let name = |cipher| open_as(dir.path(), &clock, cipher).unwrap_err().code().name;
    let other = tempfile::tempdir().unwrap();
    assert_eq!(name(Some(Cipher::of(keyring(other.path())).unwrap())), code::STORE_KEY_OTHER.name);
    assert_eq!(name(None), code::STORE_KEY_MISSING.name);
    let plain = tempfile::tempdir().unwrap();
    drop(open_as(plain.path(), &clock, None).unwrap());
    let fault = open(plain.path(), &clock).unwrap_err();
    assert_eq!(fault.code().name, code::STORE_KEY_OTHER.name);
}

#[test]
fn a_shredded_patient_is_read_in_no_copy_and_others_are() {
    let dir = tempfile::tempdir().unwrap();
    let ring = keyring(dir.path());
    let clock = Turned::at(1_700_000_000_000);
    let store = open_as(dir.path(), &clock, Some(Cipher::of(Arc::clone(&ring)).unwrap())).unwrap();
    let c = Case { store, clock, dir };
    for id in ["ann", "bob"] {
        c.put(&format!(r#"{{"resourceType":"Patient","id":"{id}"}}"#));
        c.put(&format!(
            r#"{{"resourceType":"Observation","id":"o-{id}","status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/{id}"}}}}"#
        ));
    }
    // About two: under the key of the house.
    c.put(r#"{"resourceType":"Appointment","id":"both","status":"booked","participant":[{"actor":{"reference":"Patient/ann"},"status":"accepted"},{"actor":{"reference":"Patient/bob"},"status":"accepted"}]}"#);
    let backup = c.dir.path().join("older.sqlite");
    c.store.backup(&backup, &mut |_, _| {}).unwrap();
    let ann = c.store.record_number(kind("Patient"), "ann").unwrap().unwrap();
    assert_eq!(ring.patients().count(), 3, "ann, bob, and the house");
    ring.patients().shred(ann, [0; 16], Millis(1)).unwrap();
    let scope = Scope::everything();
    let read = |store: &store::Store, of: &str, id: &str| {
        let reader = store.reader(&scope).unwrap();
        reader.read(kind(of), id).map(|hit| hit.is_some()).map_err(|f| f.code().name)
    };
    let gone = Err(code::KEYS_PATIENT_SHREDDED.name);
    let look = |store: &store::Store| {
        assert_eq!(read(store, "Patient", "ann"), gone);
        assert_eq!(read(store, "Observation", "o-ann"), gone);
        assert_eq!(read(store, "Observation", "o-bob"), Ok(true));
        assert_eq!(read(store, "Appointment", "both"), Ok(true));
    };
    look(&c.store);
    assert_eq!(c.ids("Observation?status=final"), "o-bob", "a page goes on without it");
    // Nothing new is written about her, and what comes with it is refused whole.
    let more = r#"{"resourceType":"Observation","id":"new","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/ann"}}"#;
    let good = r#"{"resourceType":"Patient","id":"cas"}"#;
    let fault = c.try_put(&[good, more]).unwrap_err();
    assert_eq!(fault.code().name, code::KEYS_PATIENT_SHREDDED.name);
    assert_eq!(read(&c.store, "Patient", "cas"), Ok(false));
    // The backup from before the shredding is as blind.
    drop(c.store);
    let restored = tempfile::tempdir().unwrap();
    let cipher = Cipher::of(Arc::clone(&ring)).unwrap();
    assert_eq!(
        store::restore(&backup, restored.path(), None).unwrap_err().code().name,
        code::STORE_KEY_MISSING.name
    );
    store::restore(&backup, restored.path(), Some(&cipher)).unwrap();
    look(&open_as(restored.path(), &c.clock, Some(cipher)).unwrap());
}

#[test]
fn a_large_transaction_that_spills_and_a_rolled_back_one_leave_sealed_frames_only() {
    // A cache of a few pages makes the engine write pages twice in one transaction, and then set the
    // checksums of the frames between right.
    let dir = tempfile::tempdir().unwrap();
    let clock = Turned::at(1_700_000_000_000);
    let cipher = Some(Cipher::of(keyring(dir.path())).unwrap());
    let options = store::Options {
        clock: clock.clone(),
        cipher,
        cache_bytes: 16 << 10,
        ..store::Options::default()
    };
    let c = Case { store: store::Store::open(dir.path(), options).unwrap(), clock, dir };
    for round in 0..3 {
        let ops = (0..400)
            .map(|at| {
                c.op(&format!(
                    r#"{{"resourceType":"Patient","id":"p{at}","name":[{{"family":"f{round}"}}]}}"#
                ))
            })
            .collect();
        c.store.commit(store::Unit { ops, ..store::Unit::default() }).unwrap();
    }
    let left = killed(&c);
    assert_eq!(count(left.path(), &c.clock).unwrap(), 400);
    let again = open(left.path(), &c.clock).unwrap();
    let scope = Scope::everything();
    for at in 0..400 {
        let hit = again.reader(&scope).unwrap().read(kind("Patient"), &format!("p{at}")).unwrap();
        assert!(String::from_utf8(hit.unwrap().body).unwrap().contains("f2"));
    }
}
