//! A log that is sealed: nothing of its events stands in its files, it opens by its key alone, goes on
//! through restarts, torn writes and from a plain log, and is still a chain that anybody can follow.

use std::collections::HashMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use audit::segment::{FRAME_HEAD, SEALED_HEADER_BYTES, file_name};
use audit::{
    Event, Finder, Head, Log, Notary, Options, Salts, Seal, Trust, Wanted, Wrong, check_proof,
    prove, read, verify, verify_signed, verify_under,
};
use base::error::code;
use keys::{LogKey, Secret, SigningKey};
use proptest::prelude::*;

use crate::support::{NOW, event, fill, options, segments, small};

fn key(byte: u8) -> LogKey {
    LogKey::new(&Secret::take(&mut [byte; 32])).unwrap()
}

fn sealed() -> Options {
    Options { key: Some(key(1)), ..options() }
}

fn sealed_small() -> Options {
    Options { key: Some(key(1)), ..small() }
}

fn events(dir: &Path) -> Vec<Event> {
    read(dir, 1).unwrap().under(Some(key(1))).map(|entry| entry.unwrap().event).collect()
}

/// Number and range of each frame of a sealed segment.
fn frames(bytes: &[u8]) -> Vec<(u64, std::ops::Range<usize>)> {
    let mut found = Vec::new();
    let mut at = SEALED_HEADER_BYTES;
    while at < bytes.len() {
        let length = u32::from_be_bytes(bytes[at..at + 4].try_into().unwrap());
        let seq = u64::from_be_bytes(bytes[at + 4..at + 12].try_into().unwrap());
        let end = at + 44 + usize::try_from(length).unwrap();
        found.push((seq, at..end));
        at = end;
    }
    found
}

/// All bytes of the log's folder.
fn everything(dir: &Path) -> Vec<u8> {
    let files = fs::read_dir(dir).unwrap().map(|file| file.unwrap().path());
    files.flat_map(|path| fs::read(path).unwrap()).collect()
}

#[test]
fn nothing_of_an_event_stands_in_any_file_and_all_of_it_is_read_by_the_key() {
    for (how, there) in [(sealed_small(), false), (small(), true)] {
        let dir = tempfile::tempdir().unwrap();
        let own = how.key.clone();
        let head = fill(dir.path(), how, 40);
        let mut finder = Finder::new(dir.path()).under(own.clone());
        finder.catch_up().unwrap();
        let bytes = everything(dir.path());
        let planted = b"patient-3";
        assert_eq!(bytes.windows(planted.len()).any(|part| part == planted), there);
        let told: Vec<_> = read(dir.path(), 1).unwrap().under(own.clone()).collect();
        assert_eq!(told.len(), 40);
        assert_eq!(told[6].as_ref().unwrap().event, event(7));
        let report = verify_under(dir.path(), Some(head), own.as_ref()).unwrap();
        assert!(report.is_sound() && report.shut == 0 && report.head == head, "{report:?}");
        let wanted = Wanted {
            patient: Some("patient-3"),
            from: None,
            until: None,
            before: u64::MAX,
            count: 3,
            looks_max: 1000,
            fits: &|_| true,
        };
        // Also through the indexes that were kept.
        for mut finder in [finder, Finder::new(dir.path()).under(own)] {
            let page = finder.newest(&wanted).unwrap();
            assert_eq!(page.entries.iter().map(|e| e.seq).collect::<Vec<_>>(), [38, 31, 24]);
        }
    }
}

#[test]
fn without_its_key_a_sealed_log_is_refused_by_name_and_its_links_are_held_all_the_same() {
    let dir = tempfile::tempdir().unwrap();
    let head = fill(dir.path(), sealed_small(), 40);
    for other in [None, Some(key(2))] {
        let how = Options { key: other.clone(), ..small() };
        assert_eq!(Log::open(dir.path(), how).unwrap_err().code(), &code::AUDIT_KEY);
        let fault =
            read(dir.path(), 1).unwrap().under(other.clone()).find_map(Result::err).unwrap();
        assert_eq!(fault.code(), &code::AUDIT_KEY);
        let fault = Finder::new(dir.path()).under(other).catch_up().unwrap_err();
        assert_eq!(fault.code(), &code::AUDIT_KEY);
    }
    let report = verify(dir.path(), Some(head)).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.events, report.shut, report.head), (40, 40, head));
    let path = &segments(dir.path())[1];
    let mut bytes = fs::read(path).unwrap();
    let (seq, range) = frames(&bytes)[1].clone();
    bytes[range.start + FRAME_HEAD + 9] ^= 1;
    fs::write(path, bytes).unwrap();
    let damage = verify(dir.path(), None).unwrap().damage.unwrap();
    assert_eq!((damage.seq, damage.wrong), (seq, Wrong::Altered));
}

#[test]
fn a_plain_log_goes_on_sealed_and_never_plain_again() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), options(), 5);
    let plain = fs::read(dir.path().join(file_name(1))).unwrap();
    let head = fill(dir.path(), sealed(), 5);
    assert_eq!(head.seq, 10);
    assert_eq!(segments(dir.path()).len(), 2, "a new segment, for the old one stays plain");
    assert_eq!(fs::read(dir.path().join(file_name(1))).unwrap(), plain);
    assert_eq!(events(dir.path()).len(), 10);
    assert!(verify_under(dir.path(), Some(head), Some(&key(1))).unwrap().is_sound());
    // Whoever has no key puts a plain segment behind.
    let forged = tempfile::tempdir().unwrap();
    fill(forged.path(), options(), 1);
    let mut header =
        audit::segment::Header::decode(&fs::read(forged.path().join(file_name(1))).unwrap()[..104])
            .unwrap();
    (header.first_seq, header.previous) = (11, head.hash);
    fs::write(dir.path().join(file_name(11)), header.encode()).unwrap();
    let damage = verify_under(dir.path(), None, Some(&key(1))).unwrap().damage.unwrap();
    assert!(matches!(damage.wrong, Wrong::Header(_)), "{damage:?}");
    assert_eq!(Log::open(dir.path(), sealed()).unwrap_err().code(), &code::AUDIT_CORRUPT);
}

#[test]
fn a_plain_segment_that_holds_nothing_makes_room_for_a_sealed_one() {
    let dir = tempfile::tempdir().unwrap();
    drop(Log::open(dir.path(), options()).unwrap());
    fill(dir.path(), sealed(), 3);
    assert_eq!(segments(dir.path()).len(), 1);
    assert_eq!(verify(dir.path(), None).unwrap().shut, 3);
}

#[test]
fn whoever_makes_the_chain_anew_without_the_key_is_found_by_who_has_it() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), sealed(), 6);
    let path = &segments(dir.path())[0];
    let whole = fs::read(path).unwrap();
    let all = frames(&whole);
    // The third event in the place of the second, all links made anew.
    let mut forged = whole[..SEALED_HEADER_BYTES].to_vec();
    let (mut hash, mut seq) = (audit::Hash::GENESIS, 0);
    for place in [0, 2, 2, 3, 4, 5] {
        let stored = &whole[all[place].1.start + FRAME_HEAD..all[place].1.end - 32];
        seq += 1;
        hash = hash.link(seq, stored);
        forged.extend(u32::try_from(stored.len()).unwrap().to_be_bytes());
        forged.extend(seq.to_be_bytes());
        forged.extend(stored);
        forged.extend(hash.0);
    }
    fs::write(path, forged).unwrap();
    assert!(verify(dir.path(), None).unwrap().is_sound(), "the links alone cannot tell");
    let damage = verify_under(dir.path(), None, Some(&key(1))).unwrap().damage.unwrap();
    assert_eq!((damage.seq, damage.wrong), (2, Wrong::Sealed));
}

#[test]
fn a_header_that_was_altered_opens_nothing() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), sealed(), 3);
    let path = &segments(dir.path())[0];
    let bytes = fs::read(path).unwrap();
    let mut header = audit::segment::Header::decode(&bytes[..SEALED_HEADER_BYTES]).unwrap();
    header.created.0 += 1;
    fs::write(path, [header.encode(), bytes[SEALED_HEADER_BYTES..].to_vec()].concat()).unwrap();
    let damage = verify_under(dir.path(), None, Some(&key(1))).unwrap().damage.unwrap();
    assert_eq!((damage.seq, damage.wrong), (1, Wrong::Sealed));
    assert_eq!(Log::open(dir.path(), sealed()).unwrap_err().code(), &code::AUDIT_CORRUPT);
}

/// A segment's salt, the run, and the event's number.
type Nonce = (Vec<u8>, Vec<u8>, u64);

/// What was sealed under which nonce, in what stands in the log now: a nonce is the run of a frame and its
/// place in its segment, whose header has the salt.
fn hold(dir: &Path, known: &mut HashMap<Nonce, Vec<u8>>) {
    for path in segments(dir) {
        let bytes = fs::read(path).unwrap();
        let salt = bytes[80..96].to_vec();
        for (seq, range) in frames(&bytes) {
            let stored = &bytes[range.start + FRAME_HEAD..range.end - 32];
            let nonce = (salt.clone(), stored[..8].to_vec(), seq);
            let first = known.entry(nonce).or_insert_with(|| stored.to_vec());
            assert_eq!(first, stored, "two texts under one nonce");
        }
    }
}

#[test]
fn no_nonce_is_used_twice_by_restarts_torn_writes_and_copies_taken_back() {
    let dir = tempfile::tempdir().unwrap();
    let mut known = HashMap::new();
    for round in 0..12 {
        fill(dir.path(), sealed_small(), 3 + round % 5);
        hold(dir.path(), &mut known);
        // The last event is lost, and its number given to another.
        let path = segments(dir.path()).pop().unwrap();
        let bytes = fs::read(&path).unwrap();
        let (seq, last) = frames(&bytes).pop().unwrap();
        fs::write(&path, &bytes[..last.start + 20]).unwrap();
        assert_eq!(fill(dir.path(), sealed_small(), 1).seq, seq);
        hold(dir.path(), &mut known);
        // An older copy of the log is put back, and goes on otherwise.
        fs::write(&path, &bytes[..last.start]).unwrap();
        fill(dir.path(), sealed_small(), 2);
        hold(dir.path(), &mut known);
    }
    assert!(known.len() > 60);
    assert!(verify_under(dir.path(), None, Some(&key(1))).unwrap().is_sound());
}

#[test]
fn a_sealed_log_cut_anywhere_in_its_last_write_opens_with_what_is_whole() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), sealed(), 5);
    let path = &segments(dir.path())[0];
    let whole = fs::read(path).unwrap();
    let frames = frames(&whole);
    for cut in frames[3].1.start..whole.len() {
        fs::write(path, &whole[..cut]).unwrap();
        let kept = frames.iter().filter(|(_, range)| range.end <= cut).count() as u64;
        let log = Log::open(dir.path(), sealed()).unwrap();
        assert_eq!(log.head().seq, kept);
        log.append(&event(9)).unwrap();
        drop(log);
        let report = verify_under(dir.path(), None, Some(&key(1))).unwrap();
        assert!(report.is_sound() && report.events == kept + 1, "{report:?}");
    }
    let third = frames[2].1.start;
    for (at, byte) in [(1, 0x20), (2, 0x40), (3, 0xFF)] {
        let mut altered = whole.clone();
        altered[third + at] = byte;
        fs::write(path, &altered).unwrap();
        let fault = Log::open(dir.path(), sealed()).unwrap_err();
        assert_eq!(fault.code(), &code::AUDIT_CORRUPT, "byte {at}");
        assert_eq!(fs::read(path).unwrap(), altered, "left as it was found");
    }
}

#[test]
fn an_event_of_a_sealed_log_is_proven_to_someone_without_any_key_of_it() {
    let dir = tempfile::tempdir().unwrap();
    let head = fill(dir.path(), sealed_small(), 40);
    let salts = Salts::new(&Secret::take(&mut [9; 32]));
    let signer = Arc::new(SigningKey::new(&Secret::take(&mut [3; 32])).unwrap());
    let seal =
        Seal { log: Some(key(1)), ..Seal::new("plummer.example/audit", signer, salts.clone()) };
    let note = seal.key().unwrap();
    Notary::open(dir.path(), seal, NOW).unwrap().advance(head, NOW).unwrap();
    let proof = prove(dir.path(), Some(&key(1)), &salts, &note, 7).unwrap();
    assert_eq!(check_proof(&proof, &note, &[]).unwrap().event, event(7));
    let fault = prove(dir.path(), None, &salts, &note, 7).unwrap_err();
    assert_eq!(fault.code(), &code::AUDIT_KEY);
    for (salts, log) in [(Some(salts), Some(key(1))), (None, None)] {
        let trust = Trust { key: note.clone(), salts, log, kept: Vec::new() };
        let report = verify_signed(dir.path(), Some(head), &trust).unwrap();
        assert!(report.is_sound() && report.signed == 40, "{report:?}");
    }
}

#[test]
fn a_copy_is_the_log_as_it_stands_and_ends_at_its_commit() {
    let dir = tempfile::tempdir().unwrap();
    let log = Log::open(dir.path(), sealed_small()).unwrap();
    for n in 1..=30 {
        let mut event = event(n);
        event.commit_seq = n;
        log.append(&event).unwrap();
    }
    log.close().unwrap();
    let to = tempfile::tempdir().unwrap();
    let head = audit::copy::copy(dir.path(), to.path(), Some(&key(1)), 23, 30).unwrap();
    assert_eq!(head.seq, 23);
    let anchored = read(dir.path(), 23).unwrap().under(Some(key(1))).next().unwrap().unwrap();
    assert_eq!(head, Head { seq: 23, hash: anchored.hash });
    assert!(verify_under(to.path(), Some(head), Some(&key(1))).unwrap().is_sound());
    assert_eq!(events(to.path())[22].commit_seq, 23);
    let none = tempfile::tempdir().unwrap();
    let fault = audit::copy::copy(dir.path(), none.path(), None, 23, 30).unwrap_err();
    assert_eq!(fault.code(), &code::AUDIT_KEY);
    let path = &segments(dir.path())[0];
    let mut bytes = fs::read(path).unwrap();
    let at = bytes.len() - 60;
    bytes[at] ^= 1;
    fs::write(path, bytes).unwrap();
    let bad = tempfile::tempdir().unwrap();
    assert!(audit::copy::copy(dir.path(), bad.path(), Some(&key(1)), 23, 30).is_err());
}

#[test]
fn a_log_that_ends_before_what_was_written_is_not_copied_as_if_it_were_whole() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), sealed_small(), 40);
    let copy = |written| {
        let to = tempfile::tempdir().unwrap();
        audit::copy::copy(dir.path(), to.path(), Some(&key(1)), u64::MAX, written)
    };
    assert_eq!(copy(40).unwrap().seq, 40);
    let last = segments(dir.path()).pop().unwrap();
    let length = last.metadata().unwrap().len();
    fs::OpenOptions::new().write(true).open(&last).unwrap().set_len(length - 10).unwrap();
    // Beside a server the last event may be half written, but never one that was.
    assert_eq!(copy(39).unwrap().seq, 39);
    assert_eq!(copy(40).unwrap_err().code(), &code::AUDIT_CORRUPT);
    fs::remove_file(&last).unwrap();
    assert_eq!(copy(40).unwrap_err().code(), &code::AUDIT_CORRUPT);
}

#[test]
fn an_index_of_another_segment_under_the_same_key_is_not_taken() {
    let (own, other) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    for dir in [&own, &other] {
        fill(dir.path(), sealed_small(), 40);
        Finder::new(dir.path()).under(Some(key(1))).catch_up().unwrap();
    }
    let index = |dir: &Path| dir.join(file_name(1)).with_extension("index");
    let strange = fs::read(index(other.path())).unwrap();
    fs::write(index(own.path()), &strange).unwrap();
    Finder::new(own.path()).under(Some(key(1))).catch_up().unwrap();
    assert_ne!(fs::read(index(own.path())).unwrap(), strange);
}

#[test]
fn an_index_that_was_altered_is_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    fill(dir.path(), sealed_small(), 40);
    Finder::new(dir.path()).under(Some(key(1))).catch_up().unwrap();
    let index = dir.path().join(file_name(1)).with_extension("index");
    let whole = fs::read(&index).unwrap();
    for at in [0, 8, 24, whole.len() - 1] {
        let mut altered = whole.clone();
        altered[at] ^= 1;
        fs::write(&index, &altered).unwrap();
        Finder::new(dir.path()).under(Some(key(1))).catch_up().unwrap();
        assert_ne!(fs::read(&index).unwrap(), altered, "byte {at}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(60))]
    #[test]
    fn a_changed_byte_of_a_sealed_log_is_found_by_who_has_the_key(
        at: prop::sample::Index,
        flip in 1u8..,
    ) {
        let dir = tempfile::tempdir().unwrap();
        let head = fill(dir.path(), sealed(), 8);
        let path = &segments(dir.path())[0];
        let mut bytes = fs::read(path).unwrap();
        let at = at.index(bytes.len());
        bytes[at] ^= flip;
        fs::write(path, &bytes).unwrap();
        let report = verify_under(dir.path(), Some(head), Some(&key(1))).unwrap();
        prop_assert!(!report.is_sound());
        let anchored = Options { anchor: Some(head), ..sealed() };
        // A header that was altered may name another key.
        let fault = Log::open(dir.path(), anchored).unwrap_err();
        prop_assert!(fault.code() == &code::AUDIT_CORRUPT || fault.code() == &code::AUDIT_KEY);
    }
}
