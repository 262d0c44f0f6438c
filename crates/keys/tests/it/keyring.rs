//! The way from the root key down, on a real disk: opening, rotating, and who may not.

use std::fs;
use std::sync::Arc;

use base::Fault;
use base::error::code;
use keys::{Disk, Keyring, TenantFile};
use proptest::prelude::*;

use crate::support::{MemoryKms, TENANT, create, open, opens, options, sealed};

fn fingerprint(ring: &Keyring) -> impl PartialEq + std::fmt::Debug + use<> {
    let keys = (ring.page_key().id(), ring.audit_key().id());
    (keys, ring.blind_index().token("mrn", b"1"), ring.signing_key().public(), ring.tenant())
}

#[test]
fn the_keys_of_a_tenant_are_the_same_after_a_restart_a_rotation_and_another_root() {
    let dir = tempfile::tempdir().unwrap();
    let ring = create(dir.path());
    let (first, patients) = (fingerprint(&ring), [5, 1 << 40, u64::MAX]);
    ring.patients().ensure(&patients).unwrap();
    let bodies = patients.map(|p| sealed(&ring, p));
    let same = |ring: &Keyring| {
        assert_eq!(fingerprint(ring), first);
        assert!(patients.iter().zip(&bodies).all(|(p, body)| opens(ring, *p, body).unwrap()));
    };
    drop(ring);
    let ring = open(dir.path()).unwrap();
    same(&ring);
    ring.rotate(&MemoryKms(1)).unwrap();
    assert_eq!(ring.generation(), 2);
    same(&ring);
    ring.patients().ensure(&[9]).unwrap();
    let later = sealed(&ring, 9);
    drop(ring);
    let ring = open(dir.path()).unwrap();
    same(&ring);
    assert!(opens(&ring, 9, &later).unwrap());
    ring.change_root(&MemoryKms(1), &MemoryKms(2)).unwrap();
    drop(ring);
    assert_eq!(open(dir.path()).unwrap_err().code(), &code::KEYS_ROOT_OTHER);
    same(&Keyring::open(dir.path(), &MemoryKms(2), options(Arc::new(Disk), 3)).unwrap());
}

#[test]
fn the_four_keys_of_a_tenant_are_four() {
    let dir = tempfile::tempdir().unwrap();
    let ring = create(dir.path());
    assert_ne!(ring.page_key().id(), ring.audit_key().id());
    let other = tempfile::tempdir().unwrap();
    let options = options(Arc::new(Disk), 9);
    let other = Keyring::create(other.path(), &MemoryKms(1), TENANT, options).unwrap();
    assert_ne!(ring.page_key().id(), other.page_key().id(), "another tenant has others");
}

#[test]
fn a_rotation_makes_older_copies_of_the_patients_keys_useless() {
    let dir = tempfile::tempdir().unwrap();
    let ring = create(dir.path());
    ring.patients().ensure(&[5]).unwrap();
    let path = dir.path().join("patients.keys");
    let copy = fs::read(&path).unwrap();
    ring.rotate(&MemoryKms(1)).unwrap();
    drop(ring);
    fs::write(&path, copy).unwrap();
    assert_eq!(open(dir.path()).unwrap_err().code(), &code::KEYS_STORE_CORRUPT);
}

#[test]
fn keys_are_opened_by_one_process_and_made_once() {
    let dir = tempfile::tempdir().unwrap();
    let ring = create(dir.path());
    assert_eq!(open(dir.path()).unwrap_err().code(), &code::KEYS_STORE_LOCKED);
    drop(ring);
    let again = Keyring::create(dir.path(), &MemoryKms(1), TENANT, options(Arc::new(Disk), 1));
    assert_eq!(again.unwrap_err().code(), &code::KEYS_STORE_EXISTS);
    open(dir.path()).unwrap();
}

#[test]
fn patients_keys_without_the_tenants_are_not_made_anew() {
    let dir = tempfile::tempdir().unwrap();
    create(dir.path()).patients().ensure(&[5]).unwrap();
    fs::remove_file(dir.path().join("tenant.keys")).unwrap();
    assert_eq!(open(dir.path()).unwrap_err().code(), &code::KEYS_UNAVAILABLE);
    let again: Result<_, Fault> =
        Keyring::create(dir.path(), &MemoryKms(1), TENANT, options(Arc::new(Disk), 1));
    assert_eq!(again.unwrap_err().code(), &code::KEYS_STORE_CORRUPT);
}

#[test]
fn every_byte_of_the_tenants_file_is_guarded_and_a_lost_patients_file_is_missed() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path()));
    let path = dir.path().join("tenant.keys");
    let file = fs::read(&path).unwrap();
    assert_eq!(TenantFile::decode(&file).unwrap().encode(), file);
    for at in 0..file.len() {
        let mut altered = file.clone();
        altered[at] ^= 1;
        assert!(TenantFile::decode(&altered).is_err(), "byte {at}");
    }
    fs::remove_file(dir.path().join("patients.keys")).unwrap();
    assert_eq!(open(dir.path()).unwrap_err().code(), &code::KEYS_UNAVAILABLE);
}

/// Each key is wrapped for its own purpose: one that was put in another's place does not unwrap.
#[test]
fn a_key_in_anothers_place_is_refused_though_the_checksum_fits() {
    let dir = tempfile::tempdir().unwrap();
    drop(create(dir.path()));
    let path = dir.path().join("tenant.keys");
    let mut file = fs::read(&path).unwrap();
    let keys = file.len() - 32 - 4 * 40;
    let (page, audit) = (file[keys..keys + 40].to_vec(), file[keys + 40..keys + 80].to_vec());
    file[keys..keys + 40].copy_from_slice(&audit);
    file[keys + 40..keys + 80].copy_from_slice(&page);
    let end = file.len() - 32;
    let sum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &file[..end]);
    file[end..].copy_from_slice(sum.as_ref());
    fs::write(&path, &file).unwrap();
    let fault = open(dir.path()).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_STORE_CORRUPT);
    assert!(fault.to_string().contains("page"), "{fault}");
}

proptest! {
    #[test]
    fn any_bytes_are_refused_or_are_the_one_encoding(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..400), count in 0..4u8, proper: bool,
    ) {
        if proper {
            let head = [b"plumten\n".as_slice(), &[0, 0, 0, 1], &[5; 32], &[count]].concat();
            bytes.splice(..0, head);
            let sum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
            bytes.extend_from_slice(sum.as_ref());
        }
        if let Ok(file) = TenantFile::decode(&bytes) {
            prop_assert_eq!(file.encode(), bytes);
        }
    }
}

#[test]
fn a_glance_reads_the_log_beside_whoever_holds_the_keys_and_through_a_rotation() {
    let dir = tempfile::tempdir().unwrap();
    let ring = create(dir.path());
    let same = || {
        let glance = keys::Glance::take(dir.path(), &MemoryKms(1), &Disk).unwrap();
        assert_eq!(glance.log_key().unwrap().name(), ring.log_key().unwrap().name());
        assert_eq!(glance.tenant(), TENANT);
        assert_eq!(*glance.public(), ring.signing_key().public());
    };
    same();
    ring.rotate(&MemoryKms(1)).unwrap();
    same();
    let fault = keys::Glance::take(dir.path(), &MemoryKms(2), &Disk).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_ROOT_OTHER);
}
