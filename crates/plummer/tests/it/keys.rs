//! Encryption at rest as a clinic meets it: nothing planted is found in the data folder, keys are made,
//! changed and destroyed by commands, and a folder that was plain is sealed.

use crate::run::Place;
use crate::serve::Serving;
use std::collections::HashSet;
use std::path::Path;

/// Bytes of every file below a folder, the root key's among them.
fn everything(folder: &Path, out: &mut Vec<u8>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            everything(&path, out);
        } else if path.extension().is_none_or(|e| e != "sock") {
            out.extend(std::fs::read(path).unwrap());
        }
    }
}

fn canary(kind: &str, n: usize) -> String {
    format!("zq{kind}{:08x}", n.wrapping_mul(2_654_435_761) & 0xFFFF_FFFF)
}

/// 250 patients: ids, names, identifiers, notes and codes, five texts of each that stand nowhere else.
fn clinic() -> String {
    let mut out = String::new();
    for n in 0..250 {
        let (name, number) = (canary("name", n), canary("iden", n));
        let (note, code) = (canary("note", n), canary("code", n));
        let id = canary(IDS, n);
        out.push_str(&format!(
            "{{\"resourceType\":\"Patient\",\"id\":\"{id}\",\"identifier\":[{{\"value\":\"{number}\"}}],\"name\":[{{\"family\":\"{name}\"}}]}}\n\
             {{\"resourceType\":\"Observation\",\"id\":\"o{n}\",\"status\":\"final\",\"subject\":{{\"reference\":\"Patient/{id}\"}},\"code\":{{\"coding\":[{{\"code\":\"{code}\"}}]}},\"note\":[{{\"text\":\"{note}\"}}]}}\n"
        ));
    }
    out
}

/// What ids are made of. The access log names patients by them.
const IDS: &str = "pati";
const VALUES: [&str; 4] = ["name", "iden", "note", "code"];

fn hits(place: &Place, kinds: &[&str]) -> usize {
    let mut bytes = Vec::new();
    everything(&place.path("data"), &mut bytes);
    let planted: HashSet<String> =
        (0..250).flat_map(|n| kinds.iter().map(move |k| canary(k, n))).collect();
    let length = canary("name", 0).len();
    let found: HashSet<&str> = bytes
        .windows(length)
        .filter(|w| w.starts_with(b"zq"))
        .filter_map(|w| std::str::from_utf8(w).ok())
        .filter(|text| planted.contains(*text))
        .collect();
    found.len()
}

#[test]
fn a_killed_server_leaves_none_of_a_thousand_texts_behind_unless_encryption_is_off() {
    for off in [false, true] {
        let place = Place::new();
        let mut more = vec!["--log-filter", "debug"];
        if off {
            more.extend(["--encryption", "off"]);
        }
        place.write("in.ndjson", &clinic());
        let imported = place.run(&[&["import", "in.ndjson"], &more[2..]].concat());
        assert!(imported.ok, "{imported:?}");
        let server = Serving::start(&place, &more);
        for n in 0..20 {
            let found =
                server.ask("GET", &format!("/fhir/Patient?family={}", canary("name", n)), "");
            assert!(found.contains(&canary("iden", n)), "{found}");
            let id = canary(IDS, n);
            let body = format!(
                "{{\"resourceType\":\"Patient\",\"id\":\"{id}\",\"name\":[{{\"family\":\"{}\"}}],\"identifier\":[{{\"value\":\"{}\"}}]}}",
                canary("name", n),
                canary("iden", n)
            );
            assert!(server.ask("PUT", &format!("/fhir/Patient/{id}"), &body).contains("200 OK"));
        }
        drop(server);
        let (found, ids) = (hits(&place, &VALUES), hits(&place, &[IDS]));
        if off {
            assert!(found > 500, "the search finds only {found} where nothing is hidden");
            assert_eq!(ids, 250, "the log names every patient");
        } else {
            assert_eq!((found, ids), (0, 0));
        }
    }
}

#[test]
fn a_plain_folder_says_so_and_is_sealed_by_a_command() {
    let place = Place::new();
    place.write("in.ndjson", &clinic());
    assert!(place.run(&["import", "in.ndjson", "--encryption", "off"]).ok);
    let before = place.run(&["export", "before"]);
    assert!(before.ok, "{before:?}");
    let sealed = place.run(&["keys", "encrypt"]);
    assert!(sealed.ok && sealed.out.contains("sealed 500 versions"), "{sealed:?}");
    assert_eq!(hits(&place, &VALUES), 0);
    assert!(place.run(&["export", "after"]).ok);
    for file in ["Patient.ndjson", "Observation.ndjson"] {
        let read = |folder: &str| std::fs::read_to_string(place.path(folder).join(file)).unwrap();
        assert!(read("before") == read("after"), "{file} is another after sealing");
    }
    assert!(!place.run(&["keys", "encrypt"]).ok, "once is enough");
}

#[test]
fn a_root_key_lies_apart_under_a_passphrase_and_is_changed() {
    let place = Place::new();
    let secret = |name: &str, text: &str| {
        let path = place.write(name, text);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o600);
        std::fs::set_permissions(&path, mode).unwrap();
        path.to_str().unwrap().to_owned()
    };
    let (one, two) = (secret("one", "correct horse\n"), secret("two", "battery staple\n"));
    let root = place.path("apart.key").to_str().unwrap().to_owned();
    let with = |words: &[&str], passphrase: &str| {
        let more = ["--root-key", &root, "--root-key-passphrase-file", passphrase];
        place.run(&[words, &more].concat())
    };
    place.write("in.json", "{\"resourceType\":\"Patient\",\"id\":\"a\"}");
    let early = with(&["import", "in.json"], &one);
    assert!(!early.ok && early.err.contains("keys.root.unreadable"), "{early:?}");
    assert!(with(&["keys", "init"], &one).ok);
    assert!(!with(&["keys", "init"], &one).ok, "never replaced");
    assert!(with(&["import", "in.json"], &one).ok);
    assert!(!place.path("data").join("keys/root.key").exists());
    let wrong = with(&["export", "out"], &two);
    assert!(wrong.err.contains("keys.passphrase.wrong"), "{wrong:?}");
    let changed = with(&["keys", "passphrase", "--new-passphrase-file", &two], &one);
    assert!(changed.ok, "{changed:?}");
    assert!(!with(&["export", "out"], &one).ok);
    let rotated = with(&["keys", "rotate"], &two);
    assert!(rotated.ok && rotated.out.contains("number 2"), "{rotated:?}");
    assert!(with(&["export", "out2"], &two).ok);
    let shown = with(&["keys", "show"], &two);
    assert!(shown.out.contains("sealed by a passphrase"), "{shown:?}");
    let missing = place.run(&["export", "out3"]);
    assert!(missing.err.contains("keys.root.unreadable"), "{missing:?}");
}

#[test]
fn a_shredded_patient_is_gone_from_the_folder_and_from_its_older_backup() {
    let place = Place::new();
    place.write("in.ndjson", &clinic());
    assert!(place.run(&["import", "in.ndjson"]).ok);
    assert!(place.run(&["backup", "older"]).ok);
    assert!(!place.run(&["keys", "shred", "--patient", &canary(IDS, 7)]).ok, "not without --yes");
    let done = place.run(&["keys", "shred", "--patient", &canary(IDS, 7), "--yes"]);
    assert!(done.ok && done.out.contains("certificate"), "{done:?}");
    let listed = place.run(&["keys", "certificates"]);
    assert_eq!(listed.out.lines().count(), 1, "{listed:?}");
    assert!(!place.run(&["keys", "shred", "--patient", "nobody", "--yes"]).ok);
    place.copy_keys("back");
    let restored = place.command(&["restore", "older", "--data", "back"]).output().unwrap();
    assert!(restored.status.success());
    for data in ["data", "back"] {
        let server = Serving::start(&place, &["--data", data]);
        let gone = server.ask("GET", "/fhir/Observation/o7", "");
        assert!(
            gone.starts_with("HTTP/1.1 410") && gone.contains("keys.patient.shredded"),
            "{gone}"
        );
        assert!(server.ask("GET", "/fhir/Observation/o8", "").starts_with("HTTP/1.1 200"));
        assert!(server.stop());
    }
}
