//! Sessions and script tokens: they end on time, at once when revoked, and are cheap to keep.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering;

use base::Millis;
use identity::{Assurance, Kind, Proof, SessionKind, Settings};
use proptest::prelude::*;

use crate::support::{HOME, MINUTE_MS, PASSWORD, START_MS, Site, code, profile, text};

const HOUR_MS: i64 = 60 * MINUTE_MS;
const AWAY: IpAddr = IpAddr::V4(Ipv4Addr::new(192, 0, 2, 7));

#[test]
fn a_session_ends_when_it_is_idle_and_no_sooner() {
    let site = Site::new();
    site.person("ada");
    let opened = site.sign_in("ada");
    for _ in 0..3 {
        site.clock.turn(15 * MINUTE_MS - 1);
        site.identity.find(text(&opened).expose(), None).expect("in use");
    }
    site.clock.turn(15 * MINUTE_MS);
    assert_eq!(code(site.identity.find(text(&opened).expose(), None)), "identity.session.expired");
}

#[test]
fn a_session_in_use_ends_after_twelve_hours() {
    let site = Site::new();
    site.person("ada");
    let opened = site.sign_in("ada");
    assert_eq!(opened.session.ends, Millis(START_MS + 12 * HOUR_MS));
    for _ in 0..(12 * 6 - 1) {
        site.clock.turn(10 * MINUTE_MS);
        site.identity.find(text(&opened).expose(), None).expect("in use");
    }
    site.clock.turn(10 * MINUTE_MS);
    assert_eq!(code(site.identity.find(text(&opened).expose(), None)), "identity.session.expired");
}

#[test]
fn an_ended_session_stays_ended_when_the_clock_is_turned_back() {
    let site = Site::new();
    site.person("ada");
    let opened = site.sign_in("ada");
    site.clock.turn(15 * MINUTE_MS);
    assert!(site.identity.find(text(&opened).expose(), None).is_err());
    site.clock.turn(-15 * MINUTE_MS);
    assert!(site.identity.find(text(&opened).expose(), None).is_err());
}

#[test]
fn a_clock_turned_far_back_ends_sessions_rather_than_stretching_them() {
    let site = Site::new();
    site.person("ada");
    let opened = site.sign_in("ada");
    site.clock.turn(-MINUTE_MS);
    let caller = site.identity.find(text(&opened).expose(), None).expect("a small step is borne");
    assert_eq!(code(site.identity.need_step_up(&caller)), "identity.step-up.needed");
    site.clock.turn(-5 * MINUTE_MS);
    assert!(site.identity.find(text(&opened).expose(), None).is_err());
}

#[test]
fn a_step_up_is_fresh_for_five_minutes() {
    let site = Site::new();
    site.person("ada");
    let opened = site.sign_in("ada");
    let find = || site.identity.find(text(&opened).expose(), None).expect("a caller");
    site.clock.turn(5 * MINUTE_MS - 1);
    site.identity.need_step_up(&find()).expect("fresh");
    site.clock.turn(1);
    assert_eq!(code(site.identity.need_step_up(&find())), "identity.step-up.needed");
    let wrong = Proof::Password("wir essen um halb acht".into());
    let refused = site.identity.step_up(&find(), &wrong, HOME);
    assert_eq!(code(refused), "identity.sign-in.refused");
    let raised = site.identity.step_up(&find(), &Proof::Password(PASSWORD.into()), HOME);
    let raised = raised.expect("raised");
    site.identity.need_step_up(&raised).expect("fresh");
    assert_eq!(raised.assurance, Assurance::Aal1, "a password again is still one factor");
    assert_eq!(find(), raised);
}

#[test]
fn a_revoked_session_is_over_at_once_and_after_a_restart() {
    let site = Site::new();
    let ada = site.person("ada");
    let (first, second) = (site.sign_in("ada"), site.sign_in("ada"));
    assert!(site.identity.revoke(first.session.id).expect("revoked"));
    assert!(!site.identity.revoke(first.session.id).expect("nothing left"));
    assert_eq!(code(site.identity.find(text(&first).expose(), None)), "identity.token.invalid");
    let site = site.restarted();
    assert_eq!(code(site.identity.find(text(&first).expose(), None)), "identity.token.invalid");
    site.identity.find(text(&second).expose(), None).expect("the other stays");
    assert_eq!(site.identity.revoke_all(ada.id).expect("revoked"), 1);
    assert!(site.identity.find(text(&second).expose(), None).is_err());
}

#[test]
fn a_failing_disk_cannot_keep_a_session_alive() {
    let site = Site::new();
    let ada = site.person("ada");
    let (first, second) = (site.sign_in("ada"), site.sign_in("ada"));
    site.shelf.broken.store(true, Ordering::SeqCst);
    assert_eq!(code(site.identity.revoke(first.session.id)), "store.unavailable");
    assert!(site.identity.find(text(&first).expose(), None).is_err());
    assert_eq!(code(site.identity.disable(ada.id, 1, "left")), "store.unavailable");
    assert!(site.identity.find(text(&second).expose(), None).is_err());
    site.shelf.broken.store(false, Ordering::SeqCst);
    assert!(site.identity.revoke(first.session.id).expect("now durable"));
    site.identity.disable(ada.id, 1, "left").expect("disabled");
}

#[test]
fn a_list_tells_last_use_and_source_exactly() {
    let site = Site::new();
    let ada = site.person("ada");
    site.person("grace");
    let opened = site.sign_in("ada");
    site.clock.turn(1);
    let newer = site.sign_in("ada");
    site.sign_in("grace");
    site.clock.turn(777);
    site.identity.find(text(&opened).expose(), Some(AWAY)).expect("a caller");
    let list = site.identity.sessions(ada.id);
    assert_eq!(
        list.iter().map(|s| s.id).collect::<Vec<_>>(),
        [newer.session.id, opened.session.id]
    );
    assert_eq!((list[1].used.0, list[1].source), (START_MS + 778, Some(AWAY)));
    assert_eq!((list[0].used.0, list[0].source), (START_MS + 1, Some(HOME)));
}

#[test]
fn a_session_costs_at_most_one_write_a_minute() {
    let site = Site::new();
    site.person("ada");
    let opened = site.sign_in("ada");
    let before = site.shelf.inner.commits();
    for _ in 0..600 {
        site.clock.turn(1000);
        site.identity.find(text(&opened).expose(), None).expect("in use");
        site.identity.write_touches().expect("written");
    }
    assert_eq!(site.shelf.inner.commits() - before, 10, "ten minutes");
    site.clock.turn(MINUTE_MS);
    assert_eq!(site.identity.write_touches().expect("written"), 0, "unused, unwritten");
}

#[test]
fn the_last_use_is_found_again_after_a_restart() {
    for written in [false, true] {
        let site = Site::new();
        let ada = site.person("ada");
        let opened = site.sign_in("ada");
        site.clock.turn(10 * MINUTE_MS);
        site.identity.find(text(&opened).expose(), Some(AWAY)).expect("in use");
        if written {
            assert_eq!(site.identity.write_all_touches().expect("written"), 1);
        }
        let site = site.restarted();
        site.clock.turn(14 * MINUTE_MS);
        // Without the write the session is taken to be older than it is, never younger.
        assert_eq!(site.identity.find(text(&opened).expose(), None).is_ok(), written);
        assert_eq!(site.identity.sessions(ada.id).len(), usize::from(written));
    }
}

#[test]
fn a_script_token_lives_as_long_as_was_said_and_can_never_step_up() {
    let site = Site::new();
    let made = site.identity.create(Kind::Service, profile("channel")).expect("made");
    let day = 24 * HOUR_MS;
    for (ttl, note) in [(0, "x"), (-1, "x"), (90 * day + 1, "x"), (day, " "), (day, "a\nb")] {
        assert_eq!(code(site.identity.issue(made.id, ttl, note)), "server.parameter.invalid");
    }
    let opened = site.identity.issue(made.id, 90 * day, "nightly import").expect("issued");
    assert_eq!((opened.session.kind, opened.session.source), (SessionKind::Script, None));
    site.clock.turn(90 * day - 1);
    let caller = site.identity.find(text(&opened).expose(), None).expect("no idle limit");
    assert_eq!(caller.assurance, Assurance::Aal1);
    assert_eq!(code(site.identity.need_step_up(&caller)), "identity.step-up.needed");
    let up = site.identity.step_up(&caller, &Proof::Password(PASSWORD.into()), HOME);
    assert_eq!(code(up), "identity.step-up.needed");
    assert_eq!(site.identity.sessions(made.id)[0].note, "nightly import");
    site.clock.turn(1);
    assert_eq!(code(site.identity.find(text(&opened).expose(), None)), "identity.session.expired");
}

#[test]
fn one_more_sign_in_ends_the_session_unused_for_longest() {
    let site = Site::with(|s| s.sessions_each_max = 3);
    let ada = site.person("ada");
    let all: Vec<_> = (0..3)
        .map(|_| {
            site.clock.turn(1);
            site.sign_in("ada")
        })
        .collect();
    site.clock.turn(1);
    site.identity.find(text(&all[0]).expose(), None).expect("in use");
    let fourth = site.sign_in("ada");
    let alive = |at: usize| site.identity.find(text(&all[at]).expose(), None).is_ok();
    assert_eq!([alive(0), alive(1), alive(2)], [true, false, true]);
    assert!(site.identity.find(text(&fourth).expose(), None).is_ok());
    for n in 0..3 {
        site.identity.issue(ada.id, 1000, &format!("token {n}")).expect("issued");
    }
    assert_eq!(code(site.identity.issue(ada.id, 1000, "one more")), "server.parameter.invalid");
}

#[test]
fn a_full_table_makes_room_of_what_is_over_and_else_refuses() {
    let site = Site::with(|s| s.sessions_max = 3);
    for name in ["a", "b", "c", "d"] {
        site.person(name);
    }
    let first = site.sign_in("a");
    site.clock.turn(10 * MINUTE_MS);
    site.sign_in("b");
    site.sign_in("c");
    assert_eq!(code(site.identity.begin("d", &PASSWORD.into(), HOME)), "server.busy");
    site.identity.find(text(&first).expose(), None).expect("still there");
    site.clock.turn(15 * MINUTE_MS);
    site.sign_in("d");
    assert_eq!(code(site.identity.find(text(&first).expose(), None)), "identity.token.invalid");
}

#[test]
fn a_sweep_takes_off_the_shelf_what_is_over() {
    let site = Site::new();
    let ada = site.person("ada");
    site.sign_in("ada");
    site.clock.turn(14 * MINUTE_MS);
    let later = site.sign_in("ada");
    site.clock.turn(MINUTE_MS);
    assert_eq!(site.identity.sweep().expect("swept"), 1);
    assert_eq!(site.identity.sweep().expect("swept"), 0);
    let key = ada.id.as_bytes();
    let left =
        identity::Shelf::scan(site.shelf.as_ref(), identity::ShelfName::Sessions, key, None, 10);
    assert_eq!(left.expect("a scan").len(), 1);
    site.identity.find(text(&later).expose(), None).expect("still there");
}

#[test]
fn what_makes_no_sense_is_not_opened() {
    let site = Site::new();
    let ground = identity::Ground {
        shelf: std::sync::Arc::<crate::support::Failing>::clone(&site.shelf),
        clock: std::sync::Arc::<testkit::clock::Turned>::clone(&site.clock),
        random: std::sync::Arc::<crate::support::Counted>::clone(&site.random),
        breached: None,
    };
    let settings = Settings { idle_ms: 0, ..Settings::default() };
    assert_eq!(code(identity::Identity::open(ground, settings)), "server.parameter.invalid");
}

proptest! {
    #[test]
    fn any_text_is_no_token(text in "(plm_)?[A-Za-z0-9_-]{0,50}|\\PC{0,60}") {
        let site = Site::new();
        prop_assert!(site.identity.find(&text, None).is_err());
    }
}
