//! After any crash every acknowledged key is there and every shredded key is gone: a model beside the
//! keyring, on a disk that is killed or loses its power at any of its operations, also while it mends.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::Arc;

use base::Fault;
use base::error::code;
use keys::{Keyring, Protection, RootKey};
use proptest::prelude::*;

use crate::simulated::Simulated;
use crate::support::{CASE, MemoryKms, NOW, Repeating, TENANT, opens, options, sealed};

#[derive(Debug, Clone)]
enum Act {
    Ensure(Vec<u64>),
    Shred(u64),
    Rotate,
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        5 => proptest::collection::vec(0..60u64, 1..40).prop_map(Act::Ensure),
        4 => (0..60u64).prop_map(Act::Shred),
        1 => Just(Act::Rotate),
    ]
}

#[derive(Debug, Default)]
struct Model {
    /// Acknowledged keys, known again by a body sealed under each.
    live: BTreeMap<u64, Vec<u8>>,
    /// Acknowledged as shredded.
    gone: BTreeSet<u64>,
    /// Shredded without an answer: there, or gone.
    doubtful: BTreeSet<u64>,
    /// The wrapped keys of those that are gone, as the file had them.
    wrapped: Vec<(u64, Vec<u8>)>,
}

const DIR: &str = "d";

/// The wrapped key of a patient, read from the file as a thief would.
fn wrapped(disk: &Simulated, patient: u64) -> Option<Vec<u8>> {
    let bytes = disk.bytes(&Path::new(DIR).join("patients.keys"));
    let mut slots = bytes.chunks_exact(64).skip(1);
    let slot = slots.find(|s| s[0] == 1 && s[8..16] == patient.to_be_bytes())?;
    Some(slot[16..56].to_vec())
}

impl Model {
    fn carry_out(&mut self, ring: &Keyring, disk: &Simulated, act: &Act) -> Result<(), Fault> {
        match act {
            Act::Ensure(patients) => {
                let whole: Vec<_> =
                    patients.iter().copied().filter(|p| !self.gone.contains(p)).collect();
                match ring.patients().ensure(&whole) {
                    // One that was shredded without an answer turned out to be gone.
                    Err(fault) if fault.code() == &code::KEYS_PATIENT_SHREDDED => {
                        assert!(whole.iter().any(|p| self.doubtful.contains(p)));
                    }
                    done => {
                        done?;
                        for patient in whole {
                            self.live.entry(patient).or_insert_with(|| sealed(ring, patient));
                        }
                    }
                }
            }
            Act::Shred(patient) => {
                let was = wrapped(disk, *patient);
                match ring.patients().shred(*patient, CASE, NOW) {
                    Ok(certificate) => {
                        assert_eq!((certificate.patient, certificate.reference), (*patient, CASE));
                        self.live.remove(patient);
                        self.doubtful.remove(patient);
                        self.gone.insert(*patient);
                        self.wrapped.extend(was.map(|was| (*patient, was)));
                    }
                    Err(fault) if fault.code() == &code::KEYS_PATIENT_MISSING => {
                        assert!(!self.live.contains_key(patient));
                    }
                    Err(fault) => {
                        self.doubtful.insert(*patient);
                        return Err(fault);
                    }
                }
            }
            Act::Rotate => ring.rotate(&MemoryKms(1))?,
        }
        Ok(())
    }

    fn holds(&self, ring: &Keyring, disk: &Simulated) {
        for (patient, body) in &self.live {
            match opens(ring, *patient, body) {
                Ok(same) => assert!(same, "patient {patient} has another key"),
                Err(fault) => assert!(
                    self.doubtful.contains(patient) && fault.code() == &code::KEYS_PATIENT_SHREDDED,
                    "patient {patient}: {fault}"
                ),
            }
        }
        let certificates = ring.patients().certificates().unwrap();
        for patient in &self.gone {
            let fault = ring.patients().key(*patient).unwrap_err();
            assert_eq!(fault.code(), &code::KEYS_PATIENT_SHREDDED, "patient {patient}: {fault}");
            assert!(certificates.iter().any(|c| c.patient == *patient && c.reference == CASE));
        }
        self.nothing_shredded_is_on(disk);
    }

    /// Looked at as a thief would who takes the disk before anything is opened on it again.
    fn nothing_shredded_is_on(&self, disk: &Simulated) {
        let found = disk.all_bytes();
        for (patient, wrapped) in &self.wrapped {
            let there = found.windows(wrapped.len()).any(|w| w == wrapped);
            assert!(!there, "the wrapped key of patient {patient} is on the disk");
        }
    }
}

fn open(disk: &Simulated, seed: u64) -> Result<Keyring, Fault> {
    Keyring::open(Path::new(DIR), &MemoryKms(1), options(Arc::new(disk.clone()), seed))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, ..ProptestConfig::default() })]

    #[test]
    fn no_crash_loses_an_acknowledged_key_or_brings_a_shredded_one_back(
        lives in proptest::collection::vec(
            (proptest::collection::vec(act(), 1..12), 1..60usize, 1..12usize, any::<u64>()), 1..5,
        ),
    ) {
        let mut disk = Simulated::default();
        let mut model = Model::default();
        let files = options(Arc::new(disk.clone()), 0);
        drop(Keyring::create(Path::new(DIR), &MemoryKms(1), TENANT, files).unwrap());
        for (n, (acts, crash, crash_in_mending, seed)) in lives.into_iter().enumerate() {
            let ring = open(&disk, seed).unwrap();
            model.holds(&ring, &disk);
            disk.crash_after(crash);
            for act in &acts {
                if model.carry_out(&ring, &disk, act).is_err() {
                    break;
                }
            }
            drop(ring);
            disk = disk.after_crash(seed ^ n as u64);
            model.nothing_shredded_is_on(&disk);
            // The mending may crash too, and is begun again.
            disk.crash_after(crash_in_mending);
            drop(open(&disk, seed));
            disk = disk.after_crash(seed.rotate_left(7));
        }
        let ring = open(&disk, 99).unwrap();
        model.holds(&ring, &disk);
    }
}

#[test]
fn a_creation_that_crashed_anywhere_can_be_begun_again() {
    let whole = Simulated::default();
    let create = |disk: &Simulated, seed| {
        Keyring::create(
            Path::new(DIR),
            &MemoryKms(1),
            TENANT,
            options(Arc::new(disk.clone()), seed),
        )
    };
    drop(create(&whole, 1).unwrap());
    for crash in 1..=whole.operations() {
        for seed in 0..20 {
            let disk = Simulated::default();
            disk.crash_after(crash);
            drop(create(&disk, 1).unwrap_err());
            let disk = disk.after_crash(seed);
            match create(&disk, 2) {
                Ok(ring) => drop(ring),
                Err(fault) => assert_eq!(fault.code(), &code::KEYS_STORE_EXISTS, "{fault}"),
            }
            let ring = open(&disk, 3).unwrap();
            ring.patients().ensure(&[1]).unwrap();
        }
    }
}

#[test]
fn a_root_key_whose_making_crashed_is_there_whole_or_not_at_all() {
    let create = |disk: &Simulated, seed| {
        let random = Repeating::new(seed);
        RootKey::create(disk, Path::new("root.key"), Protection::Plain, &random, NOW)
    };
    let whole = Simulated::default();
    create(&whole, 1).unwrap();
    for crash in 1..=whole.operations() {
        for seed in 0..20 {
            let disk = Simulated::default();
            disk.crash_after(crash);
            drop(create(&disk, 1).unwrap_err());
            let disk = disk.after_crash(seed);
            match create(&disk, 2) {
                Ok(_) => {}
                Err(fault) => assert_eq!(fault.code(), &code::KEYS_ROOT_EXISTS, "{fault}"),
            }
            RootKey::open(&disk, Path::new("root.key"), None).unwrap();
        }
    }
}

#[test]
fn after_a_failed_write_no_key_is_given_out_as_durable() {
    let disk = Simulated::default();
    let files = options(Arc::new(disk.clone()), 0);
    let ring = Keyring::create(Path::new(DIR), &MemoryKms(1), TENANT, files).unwrap();
    ring.patients().ensure(&[1]).unwrap();
    disk.crash_after(1);
    for _ in 0..2 {
        let fault = ring.patients().ensure(&[2]).unwrap_err();
        assert_eq!(fault.code(), &code::KEYS_UNAVAILABLE);
    }
    assert_eq!(ring.patients().key(2).unwrap_err().code(), &code::KEYS_PATIENT_MISSING);
}
