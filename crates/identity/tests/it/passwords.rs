//! Passwords: judged when set, hashed at a cost that can be raised, checked against a site's list.

use std::io::Cursor;
use std::sync::Arc;

use identity::{Breached, Cost, Ground, Identity, Kind, Settings, SortedHashes, Step};
use proptest::prelude::*;
use sha1::{Digest as _, Sha1};

use crate::support::{HOME, PASSWORD, Site, code, profile, text};

#[test]
fn a_weak_password_is_refused_with_what_to_do_and_without_itself() {
    let site = Site::with(|s| s.site_names.push("Riverside".into()));
    let ada = site.identity.create(Kind::Person, profile("lovelace")).expect("made");
    let long = "x7Kp mQ2v ".repeat(26);
    for (bad, part) in [
        ("short", "at least 12"),
        (long.as_str(), "at most 256"),
        ("my-lovelace-kx7#", "without your name"),
        ("kx7#mq-riverside", "name of the site"),
        ("qwertyuiop12", "everyday words"),
    ] {
        let fault = site.identity.set_password(ada.id, &bad.into(), None).expect_err(bad);
        assert_eq!(fault.code().name, "identity.password.weak");
        let said = fault.to_string();
        assert!(said.contains(part) && !said.contains(bad), "{said}");
    }
    assert_eq!(code(site.identity.begin("lovelace", &"".into(), HOME)), "identity.sign-in.refused");
}

#[test]
fn a_new_password_ends_the_other_sessions_and_the_old_password() {
    let site = Site::new();
    let ada = site.person("ada");
    let (kept, other) = (site.sign_in("ada"), site.sign_in("ada"));
    let script = site.identity.issue(ada.id, 1000, "a script").expect("issued");
    let new = "wir essen um halb acht".into();
    site.identity.set_password(ada.id, &new, Some(kept.session.id)).expect("set");
    assert!(site.identity.find(text(&kept).expose(), None).is_ok());
    assert!(site.identity.find(text(&other).expose(), None).is_err());
    assert!(site.identity.find(text(&script).expose(), None).is_ok(), "tokens of programs stay");
    assert_eq!(
        code(site.identity.begin("ada", &PASSWORD.into(), HOME)),
        "identity.sign-in.refused"
    );
    assert!(matches!(site.identity.begin("ada", &new, HOME), Ok(Step::Done(_))));
}

#[test]
fn a_password_is_the_same_on_every_keyboard() {
    let site = Site::new();
    let ada = site.identity.create(Kind::Person, profile("ada")).expect("made");
    site.identity.set_password(ada.id, &"Zu\u{308}rich liegt am See".into(), None).expect("set");
    assert!(site.identity.begin("ada", &"Zürich liegt am See".into(), HOME).is_ok());
}

#[test]
fn a_raised_cost_makes_the_hash_anew_at_the_next_sign_in() {
    let mut site = Site::new();
    let ada = site.person("ada");
    let stored = |site: &Site| {
        let item = identity::Shelf::get(
            site.shelf.as_ref(),
            identity::ShelfName::Passwords,
            ada.id.as_bytes(),
        );
        let item = item.expect("read").expect("an item");
        (item.version, String::from_utf8(item.body).expect("text"))
    };
    assert!(stored(&site).1.contains(r#""cost":{"m":8,"t":1,"p":1}"#));
    site.settings.cost = Cost { memory_kib: 16, passes: 2, lanes: 1 };
    let site = site.restarted();
    let wrong = site.identity.begin("ada", &"wir essen um halb acht".into(), HOME);
    assert_eq!(code(wrong), "identity.sign-in.refused");
    assert_eq!(stored(&site).0, 1, "a wrong password changes nothing");
    site.sign_in("ada");
    let (version, body) = stored(&site);
    assert_eq!(version, 2);
    assert!(body.contains(r#""cost":{"m":16,"t":2,"p":1}"#), "{body}");
    site.sign_in("ada");
    assert_eq!(stored(&site).0, 2, "once");
}

#[test]
fn a_password_of_the_sites_list_is_refused() {
    let site = Site::new();
    let listed = "correct horse battery staple";
    let list = lines(&[hash(listed), hash("x"), hash("y")], 40);
    let ground = Ground {
        shelf: Arc::<crate::support::Failing>::clone(&site.shelf),
        clock: Arc::<testkit::clock::Turned>::clone(&site.clock),
        random: Arc::<crate::support::Counted>::clone(&site.random),
        breached: Some(Arc::new(SortedHashes::new(Cursor::new(list)))),
    };
    let settings = Settings { cost: Cost::LEAST, ..Settings::default() };
    let identity = Identity::open(ground, settings).expect("opened");
    let ada = identity.create(Kind::Person, profile("ada")).expect("made");
    let fault = identity.set_password(ada.id, &listed.into(), None).expect_err("listed");
    assert!(fault.to_string().contains("stolen elsewhere"), "{fault}");
    identity.set_password(ada.id, &PASSWORD.into(), None).expect("not listed");
}

fn hash(text: &str) -> [u8; 20] {
    Sha1::digest(text.as_bytes()).into()
}

/// Sorted lines of so many digits, as they are published.
fn lines(hashes: &[[u8; 20]], digits: usize) -> Vec<u8> {
    let hex = |hash: &[u8; 20]| hash.iter().map(|b| format!("{b:02X}")).collect::<String>();
    let mut all: Vec<String> = hashes.iter().map(|h| hex(h)[..digits].to_owned()).collect();
    all.sort();
    all.dedup();
    let count = |at: usize| at * at * 7919;
    let lines = all.iter().enumerate().map(|(at, hex)| format!("{hex}:{}\r\n", count(at)));
    lines.collect::<String>().into_bytes()
}

fn look(list: &[u8], hash: &[u8; 20]) -> Result<bool, &'static str> {
    SortedHashes::new(Cursor::new(list)).holds(hash).map_err(|fault| fault.code().name)
}

#[test]
fn every_hash_of_a_long_list_is_found_and_its_neighbours_are_not() {
    let hashes: Vec<_> = (0..5000).map(|n| hash(&n.to_string())).collect();
    let list = lines(&hashes, 40);
    for hash in &hashes {
        assert_eq!(look(&list, hash), Ok(true));
        for step in [1, 255] {
            let mut near = *hash;
            near[19] = near[19].wrapping_add(step);
            assert_eq!(look(&list, &near), Ok(hashes.contains(&near)));
        }
    }
    assert_eq!(look(&list, &[0; 20]), Ok(false));
    assert_eq!(look(&list, &[255; 20]), Ok(false));
    assert_eq!(look(&[], &[255; 20]), Ok(false), "an empty list");
}

#[test]
fn a_list_that_is_none_is_said_to_be_none() {
    let text = b"the quick brown fox jumps over the lazy dog\n".repeat(1000);
    assert_eq!(look(&text, &[7; 20]), Err("identity.password-list.damaged"));
    assert_eq!(
        look(b"ABCDEF:1\n", &[7; 20]),
        Err("identity.password-list.damaged"),
        "too short a prefix"
    );
    let mut mixed = lines(&[hash("a")], 40);
    mixed.extend(b"FFFFFFFFFFFF:1\n");
    assert_eq!(
        look(&mixed, &[255; 20]),
        Err("identity.password-list.damaged"),
        "prefixes of two lengths"
    );
}

proptest! {
    #[test]
    fn a_list_of_any_size_and_width_finds_what_it_holds(
        seeds in proptest::collection::vec(any::<u16>(), 0..900),
        digits in (5usize..=20).prop_map(|n| n * 2),
        asked: u16,
        ended: bool,
    ) {
        let hashes: Vec<_> = seeds.iter().map(|n| hash(&n.to_string())).collect();
        let mut list = lines(&hashes, digits);
        if !ended {
            // The last line of a file may lack its end.
            list.truncate(list.len().saturating_sub(2));
        }
        prop_assert_eq!(look(&list, &hash(&asked.to_string())), Ok(seeds.contains(&asked)));
        if let Some(seed) = seeds.first() {
            prop_assert_eq!(look(&list, &hash(&seed.to_string())), Ok(true));
        }
    }

    #[test]
    fn any_bytes_as_a_list_are_searched_without_panic(
        bytes in proptest::collection::vec(
            prop_oneof![4 => proptest::sample::select(&b"0123456789ABCDEF:\r\n"[..]), 1 => any::<u8>()],
            0..20_000,
        ),
        hash: [u8; 20],
    ) {
        let _ = look(&bytes, &hash);
    }

    #[test]
    fn an_altered_list_is_searched_without_panic(
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..20),
        hash in any::<[u8; 20]>(),
    ) {
        let hashes: Vec<_> = (0..400).map(|n: u32| self::hash(&n.to_string())).collect();
        let mut list = lines(&hashes, 40);
        for (at, byte) in edits {
            let at = at.index(list.len());
            list[at] = byte;
        }
        let _ = look(&list, &hash);
    }

    #[test]
    fn any_text_as_a_password_is_judged_without_panic(text in "\\PC{0,300}") {
        let site = Site::new();
        let ada = site.identity.create(Kind::Person, profile("ada")).expect("made");
        if site.identity.set_password(ada.id, &text.as_str().into(), None).is_ok() {
            prop_assert!(site.identity.begin("ada", &text.as_str().into(), HOME).is_ok());
        }
    }
}

#[test]
fn a_password_set_by_another_opens_nothing_but_its_own_change() {
    let site = Site::new();
    let ada = site.person("ada");
    let opened = site.sign_in("ada");
    let (given, own) = ("handed over in person", "etwas ganz anderes");
    site.identity.reset_password(ada.id, &given.into()).expect("reset");
    assert!(site.identity.find(text(&opened).expose(), None).is_err(), "sign-ins are ended");
    assert!(site.identity.password_state(ada.id).expect("state").expect("one").must_change);
    let told = |name: &str, password: &str| {
        site.identity.begin(name, &password.into(), HOME).map_err(|r| r.fault.code().name).err()
    };
    assert_eq!(told("ada", given), Some("identity.password.must-change"));
    assert_eq!(told("ada", PASSWORD), Some("identity.sign-in.refused"));
    let change = |old: &str, new: &str| {
        let done = site.identity.change_password("ADA", &old.into(), &new.into(), HOME);
        done.map_err(|refusal| refusal.fault.code().name)
    };
    assert_eq!(change("not the one given", own), Err("identity.sign-in.refused"));
    assert_eq!(change(given, given), Err("identity.password.weak"));
    assert_eq!(change(given, "short"), Err("identity.password.weak"));
    assert_eq!(change(given, own), Ok(()));
    assert_eq!(
        change(own, given),
        Err("identity.sign-in.refused"),
        "only one that must be changed"
    );
    site.clock.turn(60_000);
    assert_eq!(told("ada", own), None);
    let state = site.identity.password_state(ada.id).expect("state").expect("one");
    assert!(!state.must_change);
}

#[test]
fn a_password_that_must_be_changed_stays_so_after_a_restart_and_another_cost() {
    let mut site = Site::new();
    let ada = site.person("ada");
    site.identity.reset_password(ada.id, &"handed over in person".into()).expect("reset");
    site.settings.cost = Cost { memory_kib: 16, passes: 2, lanes: 1 };
    let site = site.restarted();
    for _ in 0..2 {
        let refusal = site.identity.begin("ada", &"handed over in person".into(), HOME);
        assert_eq!(
            refusal.expect_err("refused").fault.code().name,
            "identity.password.must-change"
        );
    }
}

#[test]
fn drawn_passwords_are_good_enough_to_be_set() {
    let site = Site::new();
    let ada = site.person("ada");
    let drawn = site.identity.draw_password().expect("drawn");
    site.identity.reset_password(ada.id, &drawn).expect("set");
}
