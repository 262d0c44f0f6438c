//! The list of stolen passwords, from the public form to a password that is refused.

use crate::run::Place;

const STOLEN: &str = "acht tulpen im regen";
/// The SHA-1 of that, and of others.
const HASHES: [&str; 4] = [
    "70CE9873B2C1E384B0549E0D504B0AD93AB86B81",
    "FE05BCDCDC4928012781A5F1A2A77CBB5398E106",
    "AD782ECDAC770FC6EB9A62E44F90873FB97FB26B",
    "B802F384302CB24FBAB0A44997E820BF2E8507BB",
];

/// The public form of some passwords, each seen ten times.
fn published(place: &Place) -> String {
    let mut lines = HASHES.map(|hash| format!("{hash}:10\r\n"));
    lines.sort();
    place.write("published.txt", &lines.concat()).display().to_string()
}

#[test]
fn a_password_of_the_list_is_refused_from_the_moment_it_is_imported() {
    let place = Place::new();
    let add = |name: &str| {
        let add = ["user", "add", name, "--display", "Ada Lovelace", "--role", "nurse"];
        place.run_with(&add, format!("{STOLEN}\n").as_bytes())
    };
    assert!(add("before").ok, "there is no list");
    let file = published(&place);
    let made = place.run(&["password-list", "import", &file]);
    assert!(made.ok && made.out.contains("4 hashes") && !made.out.contains(HASHES[0]), "{made:?}");
    let refused = add("after");
    assert!(!refused.ok && refused.err.contains("stolen elsewhere"), "{refused:?}");
    let show = place.run(&["password-list", "show", "--json"]);
    let show: serde_json::Value = serde_json::from_str(&show.out).unwrap();
    assert_eq!((show["entries"].as_u64(), show["minCount"].as_u64()), (Some(4), Some(1)));
    assert!(place.run(&["password-list", "check"]).out.contains("is whole"));
    // By standard input, and only what was seen often: nothing is left, and the list of before stays.
    let text = std::fs::read(&file).unwrap();
    let rare = place.run_with(&["password-list", "import", "-", "--min-count", "11"], &text);
    assert!(!rare.ok && rare.err.contains("no line was taken in"), "{rare:?}");
    assert!(!add("again").ok, "the list of before is in force");
    assert!(!place.path("data/breached-passwords.making").exists());
}

#[test]
fn a_list_that_is_damaged_or_none_stops_the_start_by_its_name() {
    let place = Place::new();
    let file = published(&place);
    assert!(place.run(&["user", "add", "ada", "--display", "Ada", "--no-password"]).ok);
    assert!(place.run(&["password-list", "import", &file]).ok);
    let list = place.path("data/breached-passwords");
    let whole = std::fs::read(&list).unwrap();
    let mut altered = whole.clone();
    altered[20] ^= 1;
    for bad in [&whole[..5000], &altered, b"no list at all"] {
        std::fs::write(&list, bad).unwrap();
        for args in [&["user", "list"][..], &["password-list", "show"]] {
            let said = place.run(args);
            assert!(!said.ok && said.err.contains("identity.password-list.damaged"), "{said:?}");
        }
        let doctor = place.run(&["doctor"]);
        assert!(doctor.out.contains("FAULT    passwords.stolen"), "{doctor:?}");
    }
    let ntlm = place.write("ntlm.txt", &format!("{}:1\n", "A".repeat(32))).display().to_string();
    let said = place.run(&["password-list", "import", &ntlm]);
    assert!(!said.ok && said.err.contains("NTLM"), "{said:?}");
}
