//! The root key's file: made once, read by its owner alone, and by no guess.

use std::fs;

use base::error::code;
use keys::{Argon, Disk, Kms as _, Passphrase, Protection, RootFile, RootKey, Secret};
use proptest::prelude::*;

use crate::support::{NOW, Repeating, TENANT};

const CHEAP: Argon = Argon { memory_kib: 8, passes: 1, lanes: 1 };

fn phrase(text: &str) -> Passphrase {
    Passphrase::new(text.as_bytes().to_vec())
}

#[test]
fn a_root_key_wraps_today_and_unwraps_tomorrow() {
    let dir = tempfile::tempdir().unwrap();
    let (path, right) = (dir.path().join("root.key"), phrase("seven swans"));
    for protection in [Protection::Plain, Protection::Passphrase(&right, CHEAP)] {
        let root = RootKey::create(&Disk, &path, protection, &Repeating::new(1), NOW).unwrap();
        let key = Secret::take(&mut [3; 32]);
        let wrapped = root.wrap(&key, &TENANT).unwrap();
        let again = RootKey::open(&Disk, &path, Some(&right)).unwrap();
        assert_eq!(again.key_id(), root.key_id());
        assert_eq!(again.unwrap(&wrapped, &TENANT).unwrap().expose(), key.expose());
        let fault = again.unwrap(&wrapped[1..], &TENANT).unwrap_err();
        assert_eq!(fault.code(), &code::KEYS_STORE_CORRUPT);
        assert!(!dir.path().join("root.key.new").exists());
        fs::remove_file(&path).unwrap();
    }
}

#[test]
fn a_root_key_is_never_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("root.key");
    let create =
        |seed| RootKey::create(&Disk, &path, Protection::Plain, &Repeating::new(seed), NOW);
    create(1).unwrap();
    let before = fs::read(&path).unwrap();
    assert_eq!(create(2).unwrap_err().code(), &code::KEYS_ROOT_EXISTS);
    assert_eq!(fs::read(&path).unwrap(), before);
}

#[test]
fn a_passphrase_is_asked_for_and_must_be_the_right_one() {
    let dir = tempfile::tempdir().unwrap();
    let (path, right) = (dir.path().join("root.key"), phrase("seven swans"));
    let protection = Protection::Passphrase(&right, CHEAP);
    RootKey::create(&Disk, &path, protection, &Repeating::new(1), NOW).unwrap();
    let wrong = RootKey::open(&Disk, &path, Some(&phrase("eight swans"))).unwrap_err();
    assert_eq!(wrong.code(), &code::KEYS_PASSPHRASE_WRONG);
    let none = RootKey::open(&Disk, &path, None).unwrap_err();
    assert_eq!(none.code(), &code::KEYS_PASSPHRASE_MISSING);
}

#[cfg(unix)]
#[test]
fn a_root_key_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("root.key");
    RootKey::create(&Disk, &path, Protection::Plain, &Repeating::new(1), NOW).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
    for mode in [0o640, 0o604, 0o620, 0o602, 0o666] {
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        let fault = RootKey::open(&Disk, &path, None).unwrap_err();
        assert_eq!(fault.code(), &code::KEYS_ROOT_PERMISSIONS, "{mode:o}");
    }
    fs::set_permissions(&path, fs::Permissions::from_mode(0o400)).unwrap();
    RootKey::open(&Disk, &path, None).unwrap();
}

#[test]
fn a_root_key_that_is_missing_cut_or_too_long_is_unreadable() {
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("root.key");
    let unreadable = || {
        let fault = RootKey::open(&Disk, &path, None).unwrap_err();
        assert_eq!(fault.code(), &code::KEYS_ROOT_UNREADABLE, "{fault}");
    };
    unreadable();
    RootKey::create(&Disk, &path, Protection::Plain, &Repeating::new(1), NOW).unwrap();
    let whole = fs::read(&path).unwrap();
    for bytes in [&whole[..whole.len() - 1], &[&whole[..], &[0; 100]].concat(), b""] {
        fs::write(&path, bytes).unwrap();
        unreadable();
    }
}

fn files() -> [Vec<u8>; 2] {
    let key = Secret::take(&mut [7; 32]);
    let sealed = RootFile::sealed(&key, NOW, &phrase("x"), CHEAP, &Repeating::new(1)).unwrap();
    [RootFile::plain(&key, NOW).encode(), sealed.encode()]
}

#[test]
fn every_byte_of_the_file_is_guarded() {
    for file in files() {
        assert_eq!(RootFile::decode(&file).unwrap().encode(), file);
        assert!(file.len() <= RootFile::BYTES_MAX);
        for at in 0..file.len() {
            let mut altered = file.clone();
            altered[at] ^= 0x10;
            assert!(RootFile::decode(&altered).is_err(), "byte {at}");
        }
    }
}

/// The worked example of `docs/internals/keys.md`.
#[test]
fn the_worked_example_of_a_root_key_holds() {
    let [plain, _] = files();
    let hex: String = plain.iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(plain.len(), 104);
    assert_eq!(hex[48..80], *"c57371edccdff0eecb3d7e713ecae7c2");
    assert_eq!(hex[144..], *"098fe5228fb40e936d371adab8e0ac496208728e529036e0e84111f45015e262");
}

#[test]
fn costs_of_argon2id_are_bounded_where_they_are_made() {
    let key = Secret::take(&mut [7; 32]);
    for (memory_kib, passes, lanes) in
        [(7, 1, 1), (1 << 23, 1, 1), (8, 0, 1), (8, 65, 1), (8, 1, 0)]
    {
        let argon = Argon { memory_kib, passes, lanes };
        assert!(RootFile::sealed(&key, NOW, &phrase("x"), argon, &Repeating::new(1)).is_err());
    }
}

proptest! {
    /// Whoever can write the file can write its checksum too: what is behind it is bounded as well.
    #[test]
    fn any_bytes_are_refused_or_are_the_one_encoding(
        mut bytes in proptest::collection::vec(any::<u8>(), 0..200), form in 0..4u32, proper: bool,
    ) {
        if proper {
            bytes.splice(..0, [b"plumkey\n".as_slice(), &[0, 0, 0, 1], &form.to_be_bytes()].concat());
            let sum = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, &bytes);
            bytes.extend_from_slice(sum.as_ref());
        }
        if let Ok(file) = RootFile::decode(&bytes) {
            prop_assert_eq!(file.encode(), bytes);
        }
    }
}
