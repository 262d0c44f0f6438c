//! The claim of the first start: once, for the first administrator, and never again.

use identity::{Kind, Profile};

use crate::support::{HOME, MINUTE_MS, PASSWORD, Site, code, profile};

const DAY_MS: i64 = 24 * 60 * MINUTE_MS;

#[test]
fn a_claim_makes_the_first_administrator_who_can_sign_in() {
    let site = Site::new();
    let claim = site.identity.make_claim().expect("drawn").expect("a code");
    assert_eq!(claim.expose().len(), 14);
    let made = site.identity.claim(&claim, profile("ada"), &PASSWORD.into(), HOME).expect("made");
    assert_eq!(
        (made.kind, made.profile.roles.as_slice()),
        (Kind::Person, &["it-administrator".to_owned()][..])
    );
    assert_eq!(site.identity.principal(made.id).expect("read"), made);
    site.sign_in("ada");
}

#[test]
fn a_claim_is_taken_once_and_none_is_made_again() {
    let site = Site::new();
    let claim = site.identity.make_claim().expect("drawn").expect("a code");
    site.identity.claim(&claim, profile("ada"), &PASSWORD.into(), HOME).expect("made");
    let again = site.identity.claim(&claim, profile("eve"), &PASSWORD.into(), HOME);
    assert_eq!(code(again), "identity.claim.invalid");
    assert!(site.identity.make_claim().expect("asked").is_none());
    let site = site.restarted();
    assert!(site.identity.make_claim().expect("asked").is_none());
    let again = site.identity.claim(&claim, profile("eve"), &PASSWORD.into(), HOME);
    assert_eq!(code(again), "identity.claim.invalid");
}

#[test]
fn an_administrator_made_otherwise_spends_the_claim_even_when_no_longer_one() {
    for later in [false, true] {
        let site = Site::new();
        let claim = site.identity.make_claim().expect("drawn").expect("a code");
        let wanted = Profile { roles: vec!["it-administrator".into()], ..profile("ada") };
        let first = if later { profile("ada") } else { wanted.clone() };
        let made = site.identity.create(Kind::Person, first).expect("made");
        let made = site.identity.change(made.id, made.version, wanted).expect("changed");
        let roles = vec!["it-administrator".into()];
        let other = Profile { roles, ..profile("bob") };
        let other = site.identity.create(Kind::Person, other).expect("made");
        site.identity.set_password(other.id, &PASSWORD.into(), None).expect("set");
        let made = site.identity.change(made.id, made.version, profile("ada")).expect("demoted");
        site.identity.disable(made.id, made.version, "left").expect("disabled");
        let late = site.identity.claim(&claim, profile("eve"), &PASSWORD.into(), HOME);
        assert_eq!(code(late), "identity.claim.invalid");
        assert!(site.identity.make_claim().expect("asked").is_none());
    }
}

#[test]
fn others_than_administrators_leave_the_claim_open() {
    let site = Site::new();
    let claim = site.identity.make_claim().expect("drawn").expect("a code");
    site.person("grace");
    site.identity.claim(&claim, profile("ada"), &PASSWORD.into(), HOME).expect("made");
}

#[test]
fn a_claim_ends_after_a_day_and_when_another_is_drawn() {
    let site = Site::new();
    let first = site.identity.make_claim().expect("drawn").expect("a code");
    let second = site.identity.make_claim().expect("drawn").expect("a code");
    let old = site.identity.claim(&first, profile("ada"), &PASSWORD.into(), HOME);
    assert_eq!(code(old), "identity.claim.invalid");
    site.clock.turn(DAY_MS);
    let late = site.identity.claim(&second, profile("ada"), &PASSWORD.into(), HOME);
    assert_eq!(code(late), "identity.claim.invalid");
    let third = site.identity.make_claim().expect("drawn").expect("a code");
    site.clock.turn(DAY_MS - 1);
    let typed = third.expose().to_lowercase().replace('-', " ");
    site.identity
        .claim(&typed.as_str().into(), profile("ada"), &PASSWORD.into(), HOME)
        .expect("made");
}

#[test]
fn a_claim_with_a_weak_password_or_a_bad_name_can_be_tried_again() {
    let site = Site::new();
    let claim = site.identity.make_claim().expect("drawn").expect("a code");
    for _ in 0..10 {
        let weak = site.identity.claim(&claim, profile("ada"), &"short".into(), HOME);
        assert_eq!(code(weak), "identity.password.weak");
        let bad = site.identity.claim(&claim, profile("a b"), &PASSWORD.into(), HOME);
        assert_eq!(code(bad), "server.parameter.invalid");
    }
    assert!(site.identity.list(None, 10).expect("a list").is_empty());
    site.identity.claim(&claim, profile("ada"), &PASSWORD.into(), HOME).expect("made");
}

#[test]
fn guesses_at_the_claim_are_slowed_and_bad_profiles_tell_them_nothing() {
    let site = Site::new();
    let claim = site.identity.make_claim().expect("drawn").expect("a code");
    for _ in 0..6 {
        let guess =
            site.identity.claim(&"2345-6789-ABCD".into(), profile("a b"), &"x".into(), HOME);
        assert_eq!(code(guess), "identity.claim.invalid");
    }
    let right = site.identity.claim(&claim, profile("ada"), &PASSWORD.into(), HOME);
    assert_eq!(right.expect_err("slowed").retry_after_s, Some(1));
}

#[test]
fn one_claim_used_at_one_moment_makes_one_administrator() {
    let site = Site::new();
    let claim = site.identity.make_claim().expect("drawn").expect("a code");
    let made = std::thread::scope(|scope| {
        let (site, claim) = (&site, &claim);
        let take = |n: u8| {
            move || site.identity.claim(claim, profile(&format!("a{n}")), &PASSWORD.into(), HOME)
        };
        let tries: Vec<_> = (0..4).map(|n| scope.spawn(take(n))).collect();
        tries.into_iter().filter_map(|t| t.join().expect("joined").ok()).count()
    });
    assert_eq!(made, 1);
    assert_eq!(site.identity.list(None, 10).expect("a list").len(), 1);
}
