//! Signed checkpoints, the tree and its proofs: every way to falsify a signed log, and that `verify`
//! names the first event it touched, even when the chain was made anew.

use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use audit::checkpoint::{FILE, open};
use audit::note::cosign;
use audit::{
    Damage, Head, Log, Notary, NoteKey, Options, Salts, Seal, Trust, Wrong, check_continued,
    check_proof, prove, prove_continued, read, verify, verify_signed, witness,
};
use base::error::code;
use keys::{Secret, SigningKey};
use proptest::prelude::*;

use crate::support::{NOW, Still, event, frames, options, segments, small};

const EVENTS: u64 = 40;
const ORIGIN: &str = "plummer.example/audit";

fn signer(seed: u8) -> SigningKey {
    SigningKey::new(&Secret::take(&mut [seed; 32])).unwrap()
}

fn seal(seed: u8) -> Seal {
    let salts = Salts::new(&Secret::take(&mut [9; 32]));
    Seal::new(ORIGIN, Arc::new(signer(seed)), salts)
}

fn trust() -> Trust {
    let seal = seal(1);
    Trust { key: seal.key().unwrap(), salts: Some(seal.salts), log: None, kept: Vec::new() }
}

/// A log of 40 events in small segments, signed at 0, 10, 20, 30 and 40.
fn sample() -> (tempfile::TempDir, Head) {
    let dir = tempfile::tempdir().unwrap();
    let head = write(dir.path(), |n| n);
    (dir, head)
}

fn write(dir: &Path, number: impl Fn(u64) -> u64) -> Head {
    let log = Log::open(dir, small()).unwrap();
    let mut notary = Notary::open(dir, seal(1), NOW).unwrap();
    for n in 1..=EVENTS {
        log.append(&event(number(n))).unwrap();
        if n % 10 == 0 {
            log.flush().unwrap();
            notary.advance(log.anchor(), NOW).unwrap();
        }
    }
    log.close().unwrap()
}

fn damage(dir: &Path, trust: &Trust) -> Damage {
    verify_signed(dir, None, trust).unwrap().damage.expect("the damage is found")
}

fn is_found(dir: &Path, seq: u64, wrong: Wrong) {
    let found = damage(dir, &trust());
    assert_eq!((found.seq, found.wrong), (seq, wrong), "{found}");
}

/// Writes the events anew, with a chain that is sound, and keeps the signed files of the true log.
fn forge(dir: &Path, numbers: impl IntoIterator<Item = u64>) {
    for segment in segments(dir) {
        fs::remove_file(segment).unwrap();
    }
    let log = Log::open(dir, small()).unwrap();
    for n in numbers {
        log.append(&event(n)).unwrap();
    }
    log.close().unwrap();
    assert!(verify(dir, None).unwrap().is_sound(), "the chain alone cannot tell");
}

fn rewrite(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

#[test]
fn a_signed_log_is_sound_to_the_last_checkpoint() {
    let (dir, head) = sample();
    let report = verify_signed(dir.path(), Some(head), &trust()).unwrap();
    assert!(report.is_sound(), "{report:?}");
    assert_eq!((report.checkpoints, report.signed, report.events), (5, EVENTS, EVENTS));
    let without_salts = Trust { salts: None, ..trust() };
    assert!(verify_signed(dir.path(), Some(head), &without_salts).unwrap().is_sound());
}

#[test]
fn tamper_1_an_altered_byte() {
    let (dir, _) = sample();
    let path = &segments(dir.path())[1];
    let (seq, range) = frames(&fs::read(path).unwrap())[1].clone();
    rewrite(path, |bytes| bytes[range.start + 20] ^= 1);
    is_found(dir.path(), seq, Wrong::Altered);
}

#[test]
fn tamper_2_an_altered_event_under_a_new_chain() {
    let (dir, _) = sample();
    forge(dir.path(), (1..=EVENTS).map(|n| if n == 17 { 99 } else { n }));
    is_found(dir.path(), 17, Wrong::Signed);
    // Without the tree's files, or without the salts, the checkpoint tells between which two.
    let without_salts = Trust { salts: None, ..trust() };
    assert_eq!(damage(dir.path(), &without_salts).seq, 11);
    fs::remove_file(dir.path().join("tiles.0")).unwrap();
    is_found(dir.path(), 11, Wrong::Rewritten { until: 20 });
}

#[test]
fn tamper_3_a_deleted_event() {
    let (dir, _) = sample();
    let path = &segments(dir.path())[1];
    let (seq, range) = frames(&fs::read(path).unwrap())[1].clone();
    rewrite(path, |bytes| drop(bytes.drain(range)));
    is_found(dir.path(), seq, Wrong::Number(seq + 1));
    let (dir, _) = sample();
    forge(dir.path(), (1..=EVENTS).filter(|n| *n != 17));
    is_found(dir.path(), 17, Wrong::Signed);
}

#[test]
fn tamper_4_swapped_events() {
    let (dir, _) = sample();
    let swap = |n| match n {
        23 => 25,
        25 => 23,
        n => n,
    };
    forge(dir.path(), (1..=EVENTS).map(swap));
    is_found(dir.path(), 23, Wrong::Signed);
}

#[test]
fn tamper_5_a_truncated_log_without_any_anchor() {
    let (dir, _) = sample();
    let path = segments(dir.path()).pop().unwrap();
    let (seq, range) = frames(&fs::read(&path).unwrap()).pop().unwrap();
    rewrite(&path, |bytes| bytes.truncate(range.start));
    assert!(verify(dir.path(), None).unwrap().is_sound(), "the chain alone cannot tell");
    is_found(dir.path(), seq, Wrong::Truncated);
}

#[test]
fn tamper_6_a_tail_rolled_back_with_its_checkpoints() {
    let (dir, head) = sample();
    let notes = fs::read_to_string(dir.path().join(FILE)).unwrap();
    let kept = open(
        notes
            .trim_end_matches('\n')
            .rsplit_once("\n\nplummer")
            .map(|(_, last)| format!("plummer{last}\n"))
            .unwrap()
            .as_str(),
        &trust().key,
    )
    .unwrap();
    assert_eq!(kept.size, EVENTS);
    // Back to what it was at event 20, signed files and all.
    let cut = notes.match_indices("\n\nplummer").nth(2).unwrap().0;
    fs::write(dir.path().join(FILE), &notes[..cut + 2]).unwrap();
    forge(dir.path(), 1..=20);
    assert!(verify_signed(dir.path(), None, &trust()).unwrap().is_sound(), "nothing here can tell");
    let anchored = verify_signed(dir.path(), Some(head), &trust()).unwrap().damage.unwrap();
    assert_eq!((anchored.seq, anchored.wrong), (21, Wrong::Truncated));
    let elsewhere = Trust { kept: vec![kept], ..trust() };
    assert_eq!(damage(dir.path(), &elsewhere).wrong, Wrong::Truncated);
}

#[test]
fn tamper_7_a_replaced_segment() {
    let (dir, _) = sample();
    let other = tempfile::tempdir().unwrap();
    write(other.path(), |n| n + 3);
    let path = segments(dir.path())[2].clone();
    let first = frames(&fs::read(&path).unwrap())[0].0;
    fs::copy(&segments(other.path())[2], &path).unwrap();
    assert_eq!(damage(dir.path(), &trust()).seq, first);
}

#[test]
fn tamper_8_an_inserted_event() {
    let (dir, _) = sample();
    forge(dir.path(), (1..=16).chain([99]).chain(17..=EVENTS));
    is_found(dir.path(), 17, Wrong::Signed);
}

#[test]
fn tamper_9_a_duplicated_event() {
    let (dir, _) = sample();
    forge(dir.path(), (1..=16).chain([16]).chain(17..=EVENTS));
    is_found(dir.path(), 17, Wrong::Signed);
}

#[test]
fn tamper_10_every_flipped_byte_of_the_checkpoints() {
    let (dir, _) = sample();
    let path = dir.path().join(FILE);
    let whole = fs::read(&path).unwrap();
    for at in 0..whole.len() {
        rewrite(&path, |bytes| bytes[at] ^= 1 << (at % 7));
        let found = damage(dir.path(), &trust());
        assert_eq!(found.segment.as_deref(), Some(FILE), "byte {at}: {found}");
        assert!(matches!(found.wrong, Wrong::Checkpoint(_)), "byte {at}: {found}");
        assert!(found.seq % 10 == 1 && found.offset <= at as u64, "byte {at}: {found}");
        fs::write(&path, &whole).unwrap();
    }
    rewrite(&path, |bytes| bytes.truncate(whole.len() - 1));
    is_found(dir.path(), 31, Wrong::Checkpoint("incomplete: the file ends inside it"));
}

#[test]
fn tamper_11_missing_checkpoints() {
    let (dir, _) = sample();
    let path = dir.path().join(FILE);
    let whole = fs::read_to_string(&path).unwrap();
    fs::remove_file(&path).unwrap();
    assert!(damage(dir.path(), &trust()).to_string().contains("has no file of checkpoints"));
    let second = whole.find("\n\nplummer").unwrap() + 2;
    fs::write(&path, &whole[second..]).unwrap();
    assert!(damage(dir.path(), &trust()).to_string().contains("does not begin"));
    fs::write(&path, format!("{}{}", &whole[..second], &whole[..second])).unwrap();
    is_found(dir.path(), 1, Wrong::Checkpoint("out of its order"));
}

#[test]
fn tamper_12_checkpoints_signed_by_another_key() {
    let (dir, _) = sample();
    let path = dir.path().join(FILE);
    fs::remove_file(&path).unwrap();
    drop(Notary::open(dir.path(), seal(2), NOW).unwrap());
    assert!(damage(dir.path(), &trust()).to_string().contains("not signed by the log's key"));
    let fault = Notary::open(dir.path(), seal(1), NOW).unwrap_err();
    assert_eq!(fault.code(), &code::AUDIT_CORRUPT);
}

#[test]
fn tamper_13_other_salts() {
    let (dir, _) = sample();
    let other = Trust { salts: Some(Salts::new(&Secret::take(&mut [8; 32]))), ..trust() };
    let found = damage(dir.path(), &other);
    assert!(found.to_string().contains("the salts are not those"), "{found}");
    assert_eq!(found.seq, 1);
}

#[test]
fn tamper_14_altered_files_of_the_tree_change_nothing_that_is_proven() {
    let (dir, head) = sample();
    rewrite(&dir.path().join("tiles.0"), |bytes| bytes[40] ^= 1);
    assert!(verify_signed(dir.path(), Some(head), &trust()).unwrap().is_sound());
    let key = trust().key;
    let fault = prove(dir.path(), None, &seal(1).salts, &key, 1).unwrap_err();
    assert_eq!(fault.code(), &code::AUDIT_CORRUPT);
    // The notary makes the tree anew.
    let mut notary = Notary::open(dir.path(), seal(1), NOW).unwrap();
    notary.advance(head, NOW).unwrap();
    drop(notary);
    let proof = prove(dir.path(), None, &seal(1).salts, &key, 1).unwrap();
    check_proof(&proof, &key, &[]).unwrap();
}

#[test]
fn the_notary_does_not_sign_a_log_that_was_written_anew() {
    let (dir, _) = sample();
    forge(dir.path(), (1..=EVENTS + 5).map(|n| if n == 17 { 99 } else { n }));
    let head = Log::open(dir.path(), options()).unwrap().head();
    let mut notary = Notary::open(dir.path(), seal(1), NOW).unwrap();
    assert_eq!(notary.advance(head, NOW).unwrap_err().code(), &code::AUDIT_CORRUPT);
    fs::remove_file(dir.path().join("tiles.0")).unwrap();
    let mut notary = Notary::open(dir.path(), seal(1), NOW).unwrap();
    assert_eq!(notary.advance(head, NOW).unwrap_err().code(), &code::AUDIT_CORRUPT);
    let mut notary = Notary::open(dir.path(), seal(1), NOW).unwrap();
    let short = Head { seq: 12, ..head };
    assert_eq!(notary.advance(short, NOW).unwrap_err().code(), &code::AUDIT_CORRUPT);
}

#[test]
fn a_log_from_before_is_signed_from_its_first_event() {
    let dir = tempfile::tempdir().unwrap();
    let head = crate::support::fill(dir.path(), small(), 25);
    let mut notary = Notary::open(dir.path(), seal(1), NOW).unwrap();
    notary.advance(head, NOW).unwrap();
    let report = verify_signed(dir.path(), Some(head), &trust()).unwrap();
    assert!(report.is_sound() && report.signed == 25, "{report:?}");
}

#[test]
fn a_torn_checkpoint_is_cut_off_and_signed_again() {
    let (dir, head) = sample();
    let path = dir.path().join(FILE);
    let whole = fs::read(&path).unwrap();
    for cut in [1, 2, 40, 150] {
        fs::write(&path, &whole[..whole.len() - cut]).unwrap();
        let mut notary = Notary::open(dir.path(), seal(1), NOW).unwrap();
        assert_eq!(notary.last().size, 30);
        notary.advance(head, NOW).unwrap();
        assert_eq!(fs::read(&path).unwrap(), whole, "equal keys and clocks sign alike");
    }
}

#[test]
fn the_thread_signs_by_number_by_time_and_at_the_end() {
    let dir = tempfile::tempdir().unwrap();
    let log = Arc::new(Log::open(dir.path(), options()).unwrap());
    let how = Seal { every_events: 100, every_ms: 3_600_000, ..seal(1) };
    let running = Notary::open(dir.path(), how, NOW).unwrap();
    let running = running.spawn(Arc::clone(&log), Arc::new(Still)).unwrap();
    let wait = |size: u64, running: &audit::Notarizing| {
        for _ in 0..200 {
            if running.last().size >= size {
                return;
            }
            std::thread::sleep(Duration::from_millis(25));
        }
        panic!("nothing was signed at {size}: {:?}", running.failure());
    };
    for n in 1..=150 {
        log.append(&event(n)).unwrap();
    }
    log.flush().unwrap();
    wait(100, &running);
    log.append(&event(151)).unwrap();
    drop(running);
    let report = verify_signed(dir.path(), None, &trust()).unwrap();
    assert!(report.is_sound() && report.signed == 151, "{report:?}");
    let how = Seal { every_events: 1_000_000, every_ms: 50, ..seal(1) };
    let running = Notary::open(dir.path(), how, NOW).unwrap();
    let running = running.spawn(Arc::clone(&log), Arc::new(Still)).unwrap();
    log.append(&event(152)).unwrap().synced().wait().unwrap();
    wait(152, &running);
}

#[test]
fn an_event_is_proven_offline_and_nothing_else_is() {
    let (dir, _) = sample();
    let (key, salts) = (trust().key, seal(1).salts);
    for seq in 1..=EVENTS {
        let proof = prove(dir.path(), None, &salts, &key, seq).unwrap();
        let proven = check_proof(&proof, &key, &[]).unwrap();
        assert_eq!((proven.seq, &proven.event), (seq, &event(seq)));
        assert_eq!(proven.checkpoint.size, seq.div_ceil(10) * 10);
        assert!(
            check_proof(&proof.replace(&format!("index {}", seq - 1), "index 39"), &key, &[])
                .is_err()
                || seq == 40
        );
    }
    assert_eq!(prove(dir.path(), None, &salts, &key, 41).unwrap_err().code(), &code::AUDIT_PROOF);
    assert_eq!(prove(dir.path(), None, &salts, &key, 0).unwrap_err().code(), &code::AUDIT_PROOF);
    let proof = prove(dir.path(), None, &salts, &key, 7).unwrap();
    let other = NoteKey::log(ORIGIN, signer(2).public()).unwrap();
    assert!(check_proof(&proof, &other, &[]).is_err(), "another log's key");
}

#[test]
fn a_proof_shows_no_neighbour() {
    let (dir, _) = sample();
    let proof = prove(dir.path(), None, &seal(1).salts, &trust().key, 7).unwrap();
    let neighbour = read(dir.path(), 8).unwrap().next().unwrap().unwrap();
    // Whoever guesses the neighbour right cannot see it: its leaf is not that of the event alone.
    use base64::Engine as _;
    let encode = |bytes: &[u8]| base64::engine::general_purpose::STANDARD.encode(bytes);
    let sibling = seal(1).salts.leaf(8, &neighbour.event.encode());
    assert!(proof.contains(&encode(&sibling.0)), "the path begins with the neighbour's leaf");
    let guessed = audit::tree::leaf(&[0; 16], 8, &neighbour.event.encode());
    assert!(!proof.contains(&encode(&guessed.0)));
    assert!(!proof.contains(&encode(&neighbour.hash.0)));
}

#[test]
fn a_later_checkpoint_continues_an_earlier_one_provably() {
    let (dir, _) = sample();
    let notes = fs::read_to_string(dir.path().join(FILE)).unwrap();
    let all: Vec<_> = notes
        .split("\n\nplummer")
        .map(|note| {
            format!("plummer{}\n", note.trim_start_matches("plummer").trim_end_matches('\n'))
        })
        .map(|note| open(&note, &trust().key).unwrap())
        .collect();
    assert_eq!(all.iter().map(|c| c.size).collect::<Vec<_>>(), [0, 10, 20, 30, 40]);
    for (i, old) in all.iter().enumerate() {
        for new in &all[i..] {
            let proof = prove_continued(dir.path(), old, new).unwrap();
            assert!(check_continued(old, new, &proof));
            let mut forged = new.clone();
            forged.root.0[0] ^= 1;
            // Anything continues the empty log.
            assert!(old.size == 0 || !check_continued(old, &forged, &proof));
        }
    }
}

#[test]
fn a_witness_holds_the_log_to_what_it_saw() {
    let (dir, _) = sample();
    let notes = fs::read_to_string(dir.path().join(FILE)).unwrap();
    let cut = notes.match_indices("\n\nplummer").nth(2).unwrap().0;
    let second = &notes[notes[..cut].rfind("\n\nplummer").unwrap() + 2..cut + 1];
    let text = &second[..second.rfind("\n\n").unwrap() + 1];
    let seen = NoteKey::witness("witness.example", signer(5).public()).unwrap();
    let cosigned =
        format!("{second}{}", cosign(text, "witness.example", 1_795_340_467, &signer(5)).unwrap());
    let key = trust().key;
    assert!(witness::import(dir.path(), second, &key, &seen).is_err(), "not cosigned yet");
    let checkpoint = witness::import(dir.path(), &cosigned, &key, &seen).unwrap();
    assert_eq!(checkpoint.size, 20);
    let kept = witness::cosigned(dir.path(), &key, std::slice::from_ref(&seen)).unwrap();
    assert_eq!(kept, [checkpoint]);
    let stranger = NoteKey::witness("witness.example", signer(6).public()).unwrap();
    assert!(witness::cosigned(dir.path(), &key, &[stranger]).unwrap().is_empty());
    // The one who has the log's key, and writes everything anew.
    for file in ["tiles.0", FILE] {
        fs::remove_file(dir.path().join(file)).unwrap();
    }
    forge(dir.path(), (1..=EVENTS).map(|n| if n == 17 { 99 } else { n }));
    let head = Log::open(dir.path(), options()).unwrap().head();
    Notary::open(dir.path(), seal(1), NOW).unwrap().advance(head, NOW).unwrap();
    assert!(verify_signed(dir.path(), None, &trust()).unwrap().is_sound());
    let witnessed = Trust { kept, ..trust() };
    let found = damage(dir.path(), &witnessed);
    assert_eq!((found.seq, found.wrong), (1, Wrong::Rewritten { until: 20 }), "{found}");
}

#[test]
fn a_signed_log_verifies_while_it_is_written() {
    let dir = tempfile::tempdir().unwrap();
    let how = Options { segment_bytes: 50_000, ..options() };
    let log = Arc::new(Log::open(dir.path(), how).unwrap());
    let mut notary = Notary::open(dir.path(), seal(1), NOW).unwrap();
    std::thread::scope(|scope| {
        let writing = scope.spawn(|| {
            for n in 0..4_000 {
                log.append(&event(n)).unwrap();
                if n % 50 == 0 {
                    log.flush().unwrap();
                    notary.advance(log.anchor(), NOW).unwrap();
                }
            }
        });
        while !writing.is_finished() {
            let report = verify_signed(dir.path(), None, &trust()).unwrap();
            assert!(report.is_sound(), "{:?}", report.damage);
        }
    });
}

proptest! {
    #[test]
    fn no_text_makes_a_proof_or_a_note_panic(
        text in "\\PC{0,200}",
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<char>()), 1..4),
    ) {
        thread_local!(static PROOF: String = {
            let (dir, _) = sample();
            prove(dir.path(), None, &seal(1).salts, &trust().key, 7).unwrap()
        });
        let key = trust().key;
        prop_assert!(check_proof(&text, &key, &[]).is_err());
        prop_assert!(open(&text, &key).is_err());
        let _ = NoteKey::parse(&text);
        PROOF.with(|proof| {
            let mut altered: Vec<char> = proof.chars().collect();
            for (at, with) in edits {
                let at = at.index(altered.len());
                altered[at] = with;
            }
            let altered: String = altered.into_iter().collect();
            if let Ok(proven) = check_proof(&altered, &key, &[]) {
                assert_eq!(proven.event, event(7));
            }
        });
    }
}
