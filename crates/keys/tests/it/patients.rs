//! Patients' keys on a real disk: made once, found again, destroyed for good, and damage told.

use std::fs;

use base::error::code;
use proptest::prelude::*;

use crate::support::{CASE, NOW, create, open, opens, sealed};

#[test]
fn a_patient_has_one_key_however_often_it_is_asked_for() {
    let dir = tempfile::tempdir().unwrap();
    let ring = create(dir.path());
    assert_eq!(ring.patients().ensure(&[3, 4, 3]), Ok(2));
    let body = sealed(&ring, 3);
    assert_eq!(ring.patients().ensure(&[4, 5, 3]), Ok(1));
    assert!(opens(&ring, 3, &body).unwrap());
    assert_eq!(ring.patients().count(), 3);
    assert_eq!(ring.patients().key(6).unwrap_err().code(), &code::KEYS_PATIENT_MISSING);
    let sealed_for_3 = ring.patients().key(4).unwrap().open(crate::support::place(3), &body);
    assert!(sealed_for_3.is_err(), "another patient's key");
}

#[test]
fn a_shredded_key_is_gone_for_good_and_leaves_one_certificate() {
    let dir = tempfile::tempdir().unwrap();
    let ring = create(dir.path());
    ring.patients().ensure(&[3, 4]).unwrap();
    let body = sealed(&ring, 4);
    let certificate = ring.patients().shred(3, CASE, NOW).unwrap();
    assert_eq!((certificate.patient, certificate.when), (3, NOW));
    let again = ring.patients().shred(3, [0; 16], base::Millis(0)).unwrap();
    assert_eq!(again, certificate, "the first certificate stands");
    let gone = |ring: &keys::Keyring| {
        for fault in
            [ring.patients().key(3).unwrap_err(), ring.patients().ensure(&[3]).unwrap_err()]
        {
            assert_eq!(fault.code(), &code::KEYS_PATIENT_SHREDDED);
        }
        assert_eq!(ring.patients().certificates().unwrap(), [certificate]);
        assert!(opens(ring, 4, &body).unwrap());
        assert_eq!(ring.patients().count(), 1);
    };
    gone(&ring);
    drop(ring);
    let ring = open(dir.path()).unwrap();
    gone(&ring);
    ring.rotate(&crate::support::MemoryKms(1)).unwrap();
    gone(&ring);
    let never = ring.patients().shred(8, CASE, NOW).unwrap_err();
    assert_eq!(never.code(), &code::KEYS_PATIENT_MISSING);
    let signature = ring.signing_key().sign(&certificate.statement()).unwrap();
    assert!(ring.signing_key().public().verify(&certificate.statement(), &signature));
}

#[test]
fn many_patients_are_found_again() {
    let dir = tempfile::tempdir().unwrap();
    let ring = create(dir.path());
    let all: Vec<u64> = (0..20_000).map(|n| n * 977).collect();
    for batch in all.chunks(7000) {
        assert_eq!(ring.patients().ensure(batch), Ok(batch.len()));
    }
    let bodies: Vec<_> = all.iter().step_by(371).map(|p| (*p, sealed(&ring, *p))).collect();
    drop(ring);
    let ring = open(dir.path()).unwrap();
    assert_eq!(ring.patients().count(), 20_000);
    assert!(bodies.iter().all(|(p, body)| opens(&ring, *p, body).unwrap()));
    let too_many = vec![0; keys::RECORDS_PER_CALL_MAX + 1];
    assert!(ring.patients().ensure(&too_many).is_err());
}

#[test]
fn a_torn_tail_is_cut_off_and_a_hole_in_the_last_write_is_marked() {
    let dir = tempfile::tempdir().unwrap();
    let ring = create(dir.path());
    ring.patients().ensure(&[1]).unwrap();
    let body = sealed(&ring, 1);
    ring.patients().ensure(&(2..32).collect::<Vec<_>>()).unwrap();
    let kept = sealed(&ring, 31);
    drop(ring);
    let path = dir.path().join("patients.keys");
    let mut bytes = fs::read(&path).unwrap();
    bytes[512..1024].fill(0);
    bytes.extend_from_slice(&[0; 100]);
    fs::write(&path, &bytes).unwrap();
    let ring = open(dir.path()).unwrap();
    assert_eq!(ring.patients().torn_bytes(), 512 + 100);
    assert!(opens(&ring, 1, &body).unwrap() && opens(&ring, 31, &kept).unwrap());
    assert_eq!(ring.patients().count(), 31 - 8);
    // What the crash took had not been acknowledged, and is made anew.
    assert_eq!(ring.patients().ensure(&(1..32).collect::<Vec<_>>()), Ok(8));
    drop(ring);
    let ring = open(dir.path()).unwrap();
    assert_eq!((ring.patients().torn_bytes(), ring.patients().count()), (0, 31));
    assert!((1..32).all(|patient| ring.patients().key(patient).is_ok()));
}

#[test]
fn what_was_acknowledged_before_the_last_write_is_never_tidied_away() {
    let dir = tempfile::tempdir().unwrap();
    let ring = create(dir.path());
    for patient in 0..20 {
        ring.patients().ensure(&[patient]).unwrap();
    }
    drop(ring);
    let path = dir.path().join("patients.keys");
    let whole = fs::read(&path).unwrap();
    for slot in 1..=19 {
        for fill in [0, 0xFF] {
            let mut bytes = whole.clone();
            bytes[slot * 64..slot * 64 + 64].fill(fill);
            fs::write(&path, &bytes).unwrap();
            let fault = open(dir.path()).unwrap_err();
            assert_eq!(fault.code(), &code::KEYS_STORE_CORRUPT, "slot {slot}, {fill}");
            assert_eq!(fs::read(&path).unwrap(), bytes, "nothing is mended");
        }
    }
}

#[test]
fn records_cannot_be_exchanged_or_brought_back() {
    let dir = tempfile::tempdir().unwrap();
    let ring = create(dir.path());
    ring.patients().ensure(&[1, 2, 3]).unwrap();
    let path = dir.path().join("patients.keys");
    let before = fs::read(&path).unwrap();
    ring.patients().shred(2, CASE, NOW).unwrap();
    drop(ring);
    let whole = fs::read(&path).unwrap();
    let mut exchanged = whole.clone();
    exchanged[64..128].copy_from_slice(&whole[192..256]);
    exchanged[192..256].copy_from_slice(&whole[64..128]);
    fs::write(&path, &exchanged).unwrap();
    assert_eq!(open(dir.path()).unwrap_err().code(), &code::KEYS_STORE_CORRUPT);
    let mut brought_back = whole;
    brought_back[128..192].copy_from_slice(&before[128..192]);
    fs::write(&path, &brought_back).unwrap();
    let ring = open(dir.path()).unwrap();
    let fault = ring.patients().key(2).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_PATIENT_SHREDDED, "the certificate stands against it");
    drop(ring);
    assert!(!fs::read(&path).unwrap().windows(40).any(|w| w == &before[144..184]));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, ..ProptestConfig::default() })]

    #[test]
    fn any_bytes_open_or_are_refused(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 0..6),
        cut: Option<prop::sample::Index>,
        tail in proptest::collection::vec(any::<u8>(), 0..200),
    ) {
        let dir = tempfile::tempdir().unwrap();
        let ring = create(dir.path());
        ring.patients().ensure(&[1, 2, 3]).unwrap();
        ring.patients().shred(2, CASE, NOW).unwrap();
        drop(ring);
        let path = dir.path().join("patients.keys");
        let mut bytes = fs::read(&path).unwrap();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        bytes.extend_from_slice(&tail);
        fs::write(&path, &bytes).unwrap();
        if let Ok(ring) = open(dir.path()) {
            drop(ring);
            prop_assert!(open(dir.path()).unwrap().patients().torn_bytes() == 0, "mended once");
        }
    }
}
