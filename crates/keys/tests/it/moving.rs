//! A root key goes from one holder to another: from a file to one elsewhere, back, and to a newer
//! version of itself. Wherever it breaks off, exactly one holder opens everything, and doing it again
//! ends it.

use std::path::Path;
use std::sync::Arc;

use base::Fault;
use base::error::code;
use keys::{Files as _, Keyring, Kms, Options, Protection, RootKey, Secret, Standing, Under};

use crate::simulated::Simulated;
use crate::support::{MemoryKms, NOW, Repeating, TENANT, opens, options, sealed};

const DIR: &str = "d";
const ROOT: &str = "root.key";

fn files(disk: &Simulated, seed: u64) -> Options {
    options(Arc::new(disk.clone()), seed)
}

fn open(disk: &Simulated, kms: &dyn Kms) -> Result<Keyring, Fault> {
    Keyring::open(Path::new(DIR), kms, files(disk, 5))
}

/// The root key's file, made where there is none.
fn file(disk: &Simulated) -> Result<RootKey, Fault> {
    if disk.exists(Path::new(ROOT)).unwrap() {
        return RootKey::open(disk, Path::new(ROOT), None);
    }
    RootKey::create(disk, Path::new(ROOT), Protection::Plain, &Repeating::new(3), NOW)
}

/// A folder with two patients under this root key, and what is sealed under the patients' keys.
fn begun(disk: &Simulated, kms: &dyn Kms) -> [Vec<u8>; 2] {
    let ring = Keyring::create(Path::new(DIR), kms, TENANT, files(disk, 1)).unwrap();
    ring.patients().ensure(&[1, 2]).unwrap();
    [sealed(&ring, 1), sealed(&ring, 2)]
}

fn holds(ring: &Keyring, bodies: &[Vec<u8>; 2]) {
    for (patient, body) in [1, 2].into_iter().zip(bodies) {
        assert!(opens(ring, patient, body).unwrap(), "patient {patient} has another key");
    }
}

/// Does it once to count its steps, then breaks it off at each of them, and does it again.
fn broken_off_anywhere(
    from: impl Fn(&Simulated) -> Box<dyn Kms>,
    to: impl Fn(&Simulated) -> Result<Box<dyn Kms>, Fault>,
) {
    let carry_out = |disk: &Simulated| -> Result<(), Fault> {
        let target = to(disk)?;
        let from = from(disk);
        // What a command asks first: it may have been done already.
        if Under::read(Path::new(DIR), disk)?.root == target.key_id() {
            return Ok(());
        }
        open(disk, &*from)?.change_root(&*from, &*target)
    };
    let start = || {
        let disk = Simulated::default();
        let bodies = begun(&disk, &*from(&disk));
        (disk, bodies)
    };
    let (whole, bodies) = start();
    let before = whole.operations();
    carry_out(&whole).unwrap();
    let steps = whole.operations() - before;
    assert!(steps > 4, "it has {steps} steps");
    holds(&open(&whole, &*to(&whole).unwrap()).unwrap(), &bodies);
    for crash in 1..=steps {
        for seed in 0..20 {
            let (disk, _) = start();
            disk.crash_after(crash);
            let _: Result<(), Fault> = carry_out(&disk);
            let disk = disk.after_crash(seed);
            let target = to(&disk).unwrap();
            let from = from(&disk);
            let opened = [&*from, &*target].map(|kms| {
                let ring = open(&disk, kms).map_err(|fault| fault.code().name)?;
                holds(&ring, &bodies);
                Ok(())
            });
            let other = Err(code::KEYS_ROOT_OTHER.name);
            assert!(opened == [Ok(()), other] || opened == [other, Ok(())], "{crash}: {opened:?}");
            carry_out(&disk).unwrap();
            holds(&open(&disk, &*target).unwrap(), &bodies);
        }
    }
}

#[test]
fn a_move_from_the_file_that_crashed_anywhere_leaves_one_holder_that_opens_all() {
    broken_off_anywhere(
        |disk| Box::new(file(disk).unwrap()),
        |_| Ok(Box::new(MemoryKms(2)) as Box<dyn Kms>),
    );
}

#[test]
fn a_move_back_into_a_file_that_crashed_anywhere_leaves_one_holder_that_opens_all() {
    broken_off_anywhere(
        |_| Box::new(MemoryKms(2)),
        |disk| file(disk).map(|root| Box::new(root) as Box<dyn Kms>),
    );
}

/// A holder that has versions: what it wraps tells under which.
#[derive(Debug)]
struct Versions(u8);

impl Kms for Versions {
    fn key_id(&self) -> keys::KeyId {
        MemoryKms(1).key_id()
    }

    fn wrap(&self, key: &Secret, tenant: &[u8; 16]) -> Result<Vec<u8>, Fault> {
        let wrapped = MemoryKms(self.0).wrap(key, tenant)?;
        Ok([&[self.0][..], &wrapped].concat())
    }

    fn unwrap(&self, wrapped: &[u8], tenant: &[u8; 16]) -> Result<Secret, Fault> {
        MemoryKms(wrapped[0]).unwrap(&wrapped[1..], tenant)
    }

    fn standing(&self) -> Standing {
        Standing::default()
    }
}

#[test]
fn a_rewrapping_that_crashed_anywhere_leaves_the_one_version_or_the_other() {
    let start = || {
        let disk = Simulated::default();
        let bodies = begun(&disk, &Versions(1));
        (disk, bodies)
    };
    let rewrap =
        |disk: &Simulated| open(disk, &Versions(1))?.change_root(&Versions(1), &Versions(2));
    let (whole, _) = start();
    let before = whole.operations();
    rewrap(&whole).unwrap();
    let steps = whole.operations() - before;
    let mut seen = [false; 2];
    for crash in 1..=steps {
        for seed in 0..20 {
            let (disk, bodies) = start();
            disk.crash_after(crash);
            let _: Result<(), Fault> = rewrap(&disk);
            let disk = disk.after_crash(seed);
            let version = Under::read(Path::new(DIR), &disk).unwrap().wrapped[0];
            seen[usize::from(version) - 1] = true;
            holds(&open(&disk, &Versions(2)).unwrap(), &bodies);
        }
    }
    assert_eq!(seen, [true; 2]);
}

/// A holder that was permitted to wrap and nothing else.
#[derive(Debug)]
struct OneWay;

impl Kms for OneWay {
    fn key_id(&self) -> keys::KeyId {
        MemoryKms(9).key_id()
    }

    fn wrap(&self, key: &Secret, tenant: &[u8; 16]) -> Result<Vec<u8>, Fault> {
        MemoryKms(9).wrap(key, tenant)
    }

    fn unwrap(&self, _wrapped: &[u8], _tenant: &[u8; 16]) -> Result<Secret, Fault> {
        Err(Fault::new(&code::KEYS_KMS_DENIED, "not permitted"))
    }

    fn standing(&self) -> Standing {
        Standing::default()
    }
}

#[test]
fn a_holder_that_wraps_and_would_not_unwrap_is_found_out_before_anything_rests_on_it() {
    let disk = Simulated::default();
    let bodies = begun(&disk, &MemoryKms(1));
    let was = disk.bytes(&Path::new(DIR).join("tenant.keys"));
    let ring = open(&disk, &MemoryKms(1)).unwrap();
    let fault = ring.change_root(&MemoryKms(1), &OneWay).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_KMS_DENIED);
    assert_eq!(disk.bytes(&Path::new(DIR).join("tenant.keys")), was);
    drop(ring);
    holds(&open(&disk, &MemoryKms(1)).unwrap(), &bodies);
    let empty = Simulated::default();
    let fault = Keyring::create(Path::new(DIR), &OneWay, TENANT, files(&empty, 1)).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_KMS_DENIED);
    assert!(!empty.exists(&Path::new(DIR).join("tenant.keys")).unwrap());
}

#[test]
fn what_keys_stand_under_is_read_without_opening_them() {
    let disk = Simulated::default();
    begun(&disk, &Versions(1));
    let under = Under::read(Path::new(DIR), &disk).unwrap();
    assert_eq!((under.root, under.number, under.made), (MemoryKms(1).key_id(), 1, NOW));
    assert_eq!(under.wrapped[0], 1);
}
