//! Signing in with a name and a password: one refusal for every reason, and waiting.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::atomic::Ordering;

use identity::{Assurance, Kind, Refusal, SessionKind, Step};

use crate::support::{HOME, MINUTE_MS, PASSWORD, START_MS, Site, code, profile, text};

fn address(n: u8) -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 0, 0, n))
}

fn refusal(site: &Site, name: &str, password: &str, source: IpAddr) -> Refusal {
    site.identity.begin(name, &password.into(), source).expect_err("refused")
}

#[test]
fn the_right_password_opens_a_session_of_one_factor() {
    let site = Site::new();
    let ada = site.person("ada");
    let opened = site.sign_in("ADA");
    let session = &opened.session;
    assert_eq!((session.principal, session.kind), (ada.id, SessionKind::SignIn));
    assert_eq!((session.assurance, session.created.0), (Assurance::Aal1, START_MS));
    let caller = site.identity.find(text(&opened).expose(), Some(HOME)).expect("a caller");
    assert_eq!(caller.principal.id, ada.id);
    assert_eq!(caller.session, session.id);
    site.identity.need_step_up(&caller).expect("a sign-in is fresh");
}

#[test]
fn every_refusal_is_the_same() {
    let site = Site::new();
    site.person("ada");
    let off = site.person("disabled");
    site.identity.disable(off.id, off.version, "left").expect("disabled");
    site.identity.create(Kind::Person, profile("without")).expect("made");
    site.identity.create(Kind::Service, profile("channel")).expect("made");
    let wrong = refusal(&site, "ada", "wir essen um halb acht", address(1));
    assert_eq!(wrong.fault.code().name, "identity.sign-in.refused");
    assert_eq!(wrong.retry_after_s, None);
    let long = "x".repeat(5000);
    for (n, (name, password)) in [
        ("nobody", PASSWORD),
        ("disabled", PASSWORD),
        ("without", PASSWORD),
        ("without", ""),
        ("channel", PASSWORD),
        ("channel", ""),
        ("", ""),
        ("two words", PASSWORD),
        (long.as_str(), PASSWORD),
        ("nobody2", long.as_str()),
        ("ada", long.as_str()),
        ("ada", ""),
    ]
    .into_iter()
    .enumerate()
    {
        let n = u8::try_from(n).expect("few") + 2;
        assert_eq!(refusal(&site, name, password, address(n)), wrong, "{name}");
    }
}

#[test]
fn names_that_are_nobodys_wait_like_those_that_are_somebodys() {
    let site = Site::new();
    site.person("ada");
    for name in ["ada", "nobody"] {
        for n in 0..6 {
            let said = refusal(&site, name, "wrong wrong wrong", address(n));
            assert_eq!(said.retry_after_s, None, "{name}, attempt {n}");
        }
    }
    let (ada, nobody) = (
        refusal(&site, "ada", "wrong wrong wrong", address(50)),
        refusal(&site, "nobody", "wrong wrong wrong", address(51)),
    );
    assert_eq!(ada, nobody);
    assert_eq!(ada.fault.code().name, "identity.sign-in.back-off");
    assert_eq!((ada.fault.status(), ada.retry_after_s), (429, Some(1)));
    let right = refusal(&site, "ada", PASSWORD, address(52));
    assert_eq!(right.retry_after_s, Some(1), "the right password waits as well");
    site.clock.turn(1000);
    site.sign_in("ada");
    for n in 60..66 {
        let said = refusal(&site, "ada", "wrong wrong wrong", address(n));
        assert_eq!(said.retry_after_s, None, "a sign-in begins the count anew");
    }
}

#[test]
fn an_address_that_tries_many_names_waits() {
    let site = Site::new();
    for n in 0..21 {
        assert_eq!(refusal(&site, &format!("guess{n}"), "x", HOME).retry_after_s, None);
    }
    assert_eq!(refusal(&site, "another", "x", HOME).retry_after_s, Some(1));
}

#[test]
fn many_attempts_at_once_are_each_counted() {
    let site = Site::new();
    site.person("ada");
    let looked = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..32)
            .map(|n| {
                let site = &site;
                scope.spawn(move || refusal(site, "ada", "wrong wrong wrong", address(n)))
            })
            .collect();
        tries.into_iter().map(|t| t.join().expect("joined")).collect::<Vec<_>>()
    });
    let judged = looked.iter().filter(|said| said.retry_after_s.is_none()).count();
    assert_eq!(judged, 6, "five free ones and the one that began the wait");
}

#[test]
fn a_failing_disk_costs_nobody_an_attempt() {
    let site = Site::new();
    site.person("ada");
    site.shelf.broken.store(true, Ordering::SeqCst);
    for n in 0..30 {
        let said = refusal(&site, "ada", PASSWORD, HOME);
        assert_eq!(said.fault.code().name, "store.unavailable", "attempt {n}");
    }
    site.shelf.broken.store(false, Ordering::SeqCst);
    site.sign_in("ada");
    assert_eq!(site.identity.sessions(site.identity.list(None, 1).expect("a list")[0].id).len(), 1);
}

#[test]
fn no_more_passwords_are_hashed_at_once_than_there_is_memory_for() {
    let site = Site::with(|s| {
        s.hashes_at_once = 1;
        s.cost = identity::Cost { memory_kib: 16 << 10, passes: 2, lanes: 1 };
    });
    site.person("ada");
    let said: Vec<_> = std::thread::scope(|scope| {
        let tries: Vec<_> = (0..8)
            .map(|n| {
                let site = &site;
                scope.spawn(move || site.identity.begin("ada", &PASSWORD.into(), address(n)))
            })
            .collect();
        tries.into_iter().map(|t| t.join().expect("joined")).collect()
    });
    assert!(said.iter().any(|answer| matches!(answer, Ok(Step::Done(_)))));
    let busy = said.into_iter().filter_map(Result::err).map(|r| r.fault.code().name);
    assert!(busy.clone().all(|name| name == "server.busy"));
    assert!(busy.count() > 0, "eight at once do not fit in one slot");
}

#[test]
fn the_wait_never_grows_above_a_quarter_of_an_hour() {
    let site = Site::new();
    for n in 0..40 {
        site.clock.turn(15 * MINUTE_MS);
        assert_eq!(refusal(&site, "ada", "x", address(n)).retry_after_s, None);
    }
    assert_eq!(refusal(&site, "ada", "x", address(99)).retry_after_s, Some(900));
}

#[test]
fn refusals_are_told_in_one_sentence_without_what_was_sent() {
    let site = Site::new();
    site.person("ada");
    let said = refusal(&site, "ada", "wrong wrong wrong", HOME).to_string();
    for hidden in ["ada", "wrong wrong", "exist", "unknown"] {
        assert!(!said.contains(hidden), "{said}");
    }
    assert_eq!(code(site.identity.find("plm_x", None)), "identity.token.invalid");
}
