//! A root key on a token as a clinic meets it, by `SoftHSM`: it goes there by a command, and a start
//! needs token and PIN. Built where the program is built with `kms-pkcs11`.

use crate::run::Place;
#[cfg(feature = "kms-pkcs11")]
use std::{os::unix::fs::PermissionsExt as _, process::Command};

#[cfg(not(feature = "kms-pkcs11"))]
#[test]
fn a_program_that_cannot_speak_to_tokens_says_so() {
    let place = Place::new();
    let said = place.run(&["config", "check", "--root-key-holder", "pkcs11"]);
    assert!(!said.ok && said.err.contains("kms-pkcs11"), "{said:?}");
}

#[cfg(feature = "kms-pkcs11")]
#[test]
fn a_root_key_goes_to_a_token_and_comes_back() {
    let Some(module) = testkit::softhsm::module() else { return };
    let place = Place::new();
    let tokens = place.path("tokens");
    std::fs::create_dir(&tokens).unwrap();
    let config =
        place.write("softhsm2.conf", &format!("directories.tokendir = {}\n", tokens.display()));
    let raw = place.write("raw", &"k".repeat(32));
    let run = |command: &mut Command| {
        let out = command.env("SOFTHSM2_CONF", &config).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (out.status.success(), text(&out.stdout), text(&out.stderr))
    };
    let tool = |words: &[&str]| {
        let (ok, out, err) = run(Command::new("softhsm2-util").args(words));
        assert!(ok, "{out}{err}");
    };
    tool(&[
        "--init-token",
        "--free",
        "--label",
        "clinic",
        "--so-pin",
        "87654321",
        "--pin",
        "123456",
    ]);
    tool(&[
        "--import",
        raw.to_str().unwrap(),
        "--aes",
        "--token",
        "clinic",
        "--label",
        "plummer",
        "--id",
        "01",
        "--pin",
        "123456",
    ]);
    let pin = place.write("pin", "123456\n");
    std::fs::set_permissions(&pin, std::fs::Permissions::from_mode(0o600)).unwrap();
    let plummer = |words: &[&str], holder: &str| {
        let pin = pin.to_str().unwrap();
        let settings = [
            "--data",
            "data",
            "--root-key-holder",
            holder,
            "--pkcs11-module",
            module,
            "--pkcs11-token",
            "clinic",
            "--pkcs11-pin-file",
            pin,
        ];
        run(&mut place.command(&[words, &settings].concat()))
    };
    place.write("in.json", "{\"resourceType\":\"Patient\",\"id\":\"ada\"}");
    assert!(plummer(&["import", "in.json"], "file").0);
    let (ok, out, err) = plummer(&["keys", "move", "--to", "pkcs11"], "file");
    assert!(ok && out.contains("root_key_holder = \"pkcs11\""), "{out}{err}");
    std::fs::remove_file(place.path("data").join("keys/root.key")).unwrap();
    let (ok, out, err) = plummer(&["export", "one"], "pkcs11");
    assert!(ok, "{out}{err}");
    let (_, out, _) = plummer(&["keys", "show"], "pkcs11");
    assert!(out.contains("held by pkcs11: key plummer on token clinic"), "{out}");
    assert!(out.contains("yes; newest version 1") && out.contains("under   version 1"), "{out}");
    assert!(plummer(&["keys", "rewrap"], "pkcs11").0);

    place.write("pin", "000000");
    let (ok, _, err) = plummer(&["export", "two"], "pkcs11");
    assert!(!ok && err.contains("keys.kms.denied") && !err.contains("000000"), "{err}");
    place.write("pin", "123456");
    let (ok, out, err) = plummer(&["keys", "move", "--to", "file"], "pkcs11");
    assert!(ok, "{out}{err}");
    std::fs::remove_dir_all(&tokens).unwrap();
    assert!(plummer(&["export", "three"], "file").0);
    let (ok, out, err) = plummer(&["audit", "show", "--kind", "root-key-moved"], "file");
    assert!(ok && out.lines().count() == 2, "{out}{err}");
}
