//! Second factors: an authenticator is enrolled, asked for, used once a step, and recovered from.

use std::sync::Arc;

use base::Millis;
use hmac::{Hmac, Mac as _};
use identity::{
    Assurance, Awaited, Caller, CryptoRandom, Enrolment, FactorKind, Ground, Identity, Opened,
    Principal, Proof, Secret, Step,
};
use parking_lot::Mutex;
use sha1::Sha1;

use crate::support::{Counted, Failing, HOME, MINUTE_MS, PASSWORD, START_MS, Site, code, text};

/// What an authenticator shows: written apart from the crate, from the text it hands out.
pub(crate) fn shown(enrolment: &Enrolment, now_ms: i64) -> Secret {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let values = enrolment.key.expose().chars().map(|c| alphabet.find(c).expect("base32") as u64);
    let bits: Vec<u64> = values.collect();
    let mut key = Vec::new();
    for eight in bits.chunks(8) {
        let word = eight.iter().fold(0u64, |word, five| (word << 5) | five);
        key.extend_from_slice(&word.to_be_bytes()[3..]);
    }
    let mut mac = Hmac::<Sha1>::new_from_slice(&key).expect("a key");
    mac.update(&(now_ms / 30_000).to_be_bytes());
    let sum = mac.finalize().into_bytes();
    let at = usize::from(sum[19] & 15);
    let word = u32::from_be_bytes(sum[at..at + 4].try_into().expect("four")) & 0x7FFF_FFFF;
    Secret::new(format!("{:06}", word % 1_000_000))
}

struct Enrolled {
    site: Site,
    ada: Principal,
    opened: Opened,
    enrolment: Enrolment,
    codes: Vec<Secret>,
}

impl Enrolled {
    fn new() -> Self {
        let site = Site::new();
        let ada = site.person("ada");
        let opened = site.sign_in("ada");
        let caller = find(&site, &opened);
        let enrolment = site.identity.enrol_totp(&caller).expect("a key");
        let first = shown(&enrolment, START_MS);
        let codes = site.identity.confirm_totp(&caller, &first).expect("confirmed");
        site.clock.turn(MINUTE_MS);
        Self { site, ada, opened, enrolment, codes }
    }

    fn now(&self) -> i64 {
        base::Clock::now(self.site.clock.as_ref()).0
    }

    fn code(&self) -> Secret {
        shown(&self.enrolment, self.now())
    }

    fn awaited(&self) -> Awaited {
        match self.site.identity.begin("ada", &PASSWORD.into(), HOME).expect("the password") {
            Step::SecondFactor(awaited) => awaited,
            Step::Done(_) => panic!("a second factor is asked for"),
        }
    }

    fn finish(&self, awaited: &Awaited, proof: &Proof) -> Result<Opened, &'static str> {
        let done = self.site.identity.finish(awaited.handle.text().expose(), proof, HOME);
        done.map_err(|refusal| refusal.fault.code().name)
    }
}

fn find(site: &Site, opened: &Opened) -> Caller {
    site.identity.find(text(opened).expose(), None).expect("a caller")
}

const REFUSED: Result<(), &str> = Err("identity.sign-in.refused");

#[test]
fn an_enrolled_authenticator_is_asked_for_and_makes_two_factors() {
    let at = Enrolled::new();
    assert_eq!(find(&at.site, &at.opened).assurance, Assurance::Aal2, "it showed both");
    let awaited = at.awaited();
    assert_eq!(awaited.factors, [FactorKind::Totp, FactorKind::Recovery(10)]);
    assert_eq!(awaited.until, Millis(at.now() + 5 * MINUTE_MS));
    assert!(at.site.identity.find(awaited.handle.text().expose(), None).is_err(), "no session");
    let opened = at.finish(&awaited, &Proof::Totp(at.code())).expect("signed in");
    assert_eq!(opened.session.assurance, Assurance::Aal2);
    assert_eq!(find(&at.site, &opened).principal.id, at.ada.id);
}

#[test]
fn a_code_is_taken_once_whoever_sends_it_again() {
    let at = Enrolled::new();
    let (first, second) = (at.awaited(), at.awaited());
    let proof = Proof::Totp(at.code());
    at.finish(&first, &proof).expect("signed in");
    assert_eq!(at.finish(&second, &proof).map(drop), REFUSED, "the same code");
    assert_eq!(at.finish(&first, &proof).map(drop), REFUSED, "the same handle");
    let caller = find(&at.site, &at.opened);
    assert!(at.site.identity.step_up(&caller, &proof, HOME).is_err(), "nor for a step-up");
    at.site.clock.turn(30_000);
    at.finish(&second, &Proof::Totp(at.code())).expect("the next code");
}

#[test]
fn the_code_that_enrolled_is_used_up() {
    let site = Site::new();
    site.person("ada");
    let caller = find(&site, &site.sign_in("ada"));
    let enrolment = site.identity.enrol_totp(&caller).expect("a key");
    let first = shown(&enrolment, START_MS);
    site.identity.confirm_totp(&caller, &first).expect("confirmed");
    let Ok(Step::SecondFactor(awaited)) = site.identity.begin("ada", &PASSWORD.into(), HOME) else {
        panic!("a second factor is asked for")
    };
    let again = site.identity.finish(awaited.handle.text().expose(), &Proof::Totp(first), HOME);
    assert_eq!(code(again), "identity.sign-in.refused");
}

#[test]
fn the_same_code_at_the_same_moment_opens_one_session() {
    let at = Enrolled::new();
    let handles: Vec<_> = (0..4).map(|_| at.awaited()).collect();
    let proof = Proof::Totp(at.code());
    let opened = std::thread::scope(|scope| {
        let (at, proof) = (&at, &proof);
        let tries: Vec<_> =
            handles.iter().map(|awaited| scope.spawn(move || at.finish(awaited, proof))).collect();
        tries.into_iter().filter_map(|t| t.join().expect("joined").ok()).count()
    });
    assert_eq!(opened, 1);
}

#[test]
fn a_recovery_code_stands_in_once() {
    let at = Enrolled::new();
    let mut all: Vec<_> = at.codes.iter().map(|code| code.expose().to_owned()).collect();
    all.sort();
    all.dedup();
    assert_eq!(all.len(), 10);
    let proof = Proof::Recovery(at.codes[3].expose().to_lowercase().as_str().into());
    let opened = at.finish(&at.awaited(), &proof).expect("signed in");
    assert_eq!(opened.session.assurance, Assurance::Aal2);
    let left = at.site.identity.factors(at.ada.id).expect("factors");
    assert!(left.contains(&FactorKind::Recovery(9)));
    assert_eq!(at.finish(&at.awaited(), &proof).map(drop), REFUSED);
    at.finish(&at.awaited(), &Proof::Recovery(at.codes[4].clone())).expect("another one");
}

#[test]
fn new_recovery_codes_replace_the_old() {
    let at = Enrolled::new();
    let caller = find(&at.site, &at.opened);
    let new = at.site.identity.new_recovery_codes(&caller).expect("codes");
    assert_eq!(at.finish(&at.awaited(), &Proof::Recovery(at.codes[0].clone())).map(drop), REFUSED);
    at.finish(&at.awaited(), &Proof::Recovery(new[0].clone())).expect("signed in");
}

#[test]
fn a_wrong_factor_is_refused_and_after_five_the_password_is_asked_for_again() {
    let at = Enrolled::new();
    let awaited = at.awaited();
    for wrong in [
        Proof::Totp("000000x".into()),
        Proof::Totp("".into()),
        Proof::Recovery("2345-6789-ABCD".into()),
        Proof::Password(PASSWORD.into()),
    ] {
        assert_eq!(at.finish(&awaited, &wrong).map(drop), REFUSED, "{wrong:?}");
    }
    at.site.clock.turn(MINUTE_MS);
    assert_eq!(at.finish(&awaited, &Proof::Totp("1".into())).map(drop), REFUSED);
    at.site.clock.turn(MINUTE_MS);
    assert_eq!(at.finish(&awaited, &Proof::Totp(at.code())).map(drop), REFUSED, "it is void");
    at.site.clock.turn(MINUTE_MS);
    at.finish(&at.awaited(), &Proof::Totp(at.code())).expect("from the start");
}

#[test]
fn guesses_at_the_second_factor_make_the_name_wait() {
    let at = Enrolled::new();
    let (first, second) = (at.awaited(), at.awaited());
    for awaited in [&first, &first, &first, &second, &second, &second] {
        assert_eq!(at.finish(awaited, &Proof::Totp("1".into())).map(drop), REFUSED);
    }
    let right = at.finish(&second, &Proof::Totp(at.code())).map(drop);
    assert_eq!(right, Err("identity.sign-in.back-off"));
    let again = at.site.identity.begin("ada", &PASSWORD.into(), HOME);
    assert_eq!(code(again), "identity.sign-in.back-off", "the right password does not clear it");
    at.site.clock.turn(1000);
    let third = at.awaited();
    assert_eq!(at.finish(&third, &Proof::Totp("1".into())).map(drop), REFUSED);
    let again = at.site.identity.begin("ada", &PASSWORD.into(), HOME).expect_err("refused");
    assert_eq!(again.retry_after_s, Some(2), "nor did it when it was let through");
}

#[test]
fn many_halves_of_sign_ins_of_one_principal_end_the_first() {
    let at = Enrolled::new();
    let first = at.awaited();
    at.site.clock.turn(1);
    let others: Vec<_> = (0..8).map(|_| at.awaited()).collect();
    assert_eq!(at.finish(&first, &Proof::Totp(at.code())).map(drop), REFUSED);
    at.finish(&others[0], &Proof::Totp(at.code())).expect("signed in");
}

#[test]
fn the_second_step_is_waited_for_five_minutes() {
    let at = Enrolled::new();
    let (soon, late) = (at.awaited(), at.awaited());
    at.site.clock.turn(5 * MINUTE_MS - 1);
    at.finish(&soon, &Proof::Totp(at.code())).expect("in time");
    at.site.clock.turn(MINUTE_MS);
    assert_eq!(at.finish(&late, &Proof::Totp(at.code())).map(drop), REFUSED);
}

#[test]
fn what_changes_between_the_steps_ends_the_sign_in() {
    let at = Enrolled::new();
    let awaited = at.awaited();
    at.site.identity.set_password(at.ada.id, &"wir essen um halb acht".into(), None).expect("set");
    assert_eq!(at.finish(&awaited, &Proof::Totp(at.code())).map(drop), REFUSED);

    let at = Enrolled::new();
    let awaited = at.awaited();
    let off = at.site.identity.disable(at.ada.id, 1, "left").expect("disabled");
    at.site.identity.enable(at.ada.id, off.version).expect("enabled");
    assert_eq!(at.finish(&awaited, &Proof::Totp(at.code())).map(drop), REFUSED);
}

#[test]
fn changing_factors_asks_for_a_fresh_one() {
    let at = Enrolled::new();
    at.site.clock.turn(5 * MINUTE_MS);
    let stale = find(&at.site, &at.opened);
    let identity = &at.site.identity;
    assert_eq!(code(identity.enrol_totp(&stale)), "identity.step-up.needed");
    assert_eq!(code(identity.new_recovery_codes(&stale)), "identity.step-up.needed");
    let password = identity.step_up(&stale, &Proof::Password(PASSWORD.into()), HOME);
    assert_eq!(code(password), "identity.sign-in.refused", "the second factor is asked for");
    let raised = identity.step_up(&stale, &Proof::Totp(at.code()), HOME).expect("raised");
    assert_eq!(raised.stepped_up_at, Some(Millis(at.now())));
    identity.enrol_totp(&raised).expect("fresh");
    assert_eq!(find(&at.site, &at.opened), raised, "later requests see it");
}

#[test]
fn an_authenticator_that_never_answers_changes_nothing() {
    let site = Site::new();
    let ada = site.person("ada");
    let caller = find(&site, &site.sign_in("ada"));
    assert_eq!(
        code(site.identity.confirm_totp(&caller, &"123456".into())),
        "identity.sign-in.refused"
    );
    let enrolment = site.identity.enrol_totp(&caller).expect("a key");
    assert_eq!(code(site.identity.confirm_totp(&caller, &"1".into())), "identity.sign-in.refused");
    site.clock.turn(5 * MINUTE_MS - 1);
    let now = base::Clock::now(site.clock.as_ref()).0;
    assert!(site.identity.factors(ada.id).expect("factors").is_empty());
    site.sign_in("ada");
    site.clock.turn(1);
    let late = site.identity.confirm_totp(&caller, &shown(&enrolment, now));
    assert_eq!(code(late), "identity.step-up.needed");
}

#[test]
fn an_administrator_resets_lost_factors_and_the_sessions_end() {
    let at = Enrolled::new();
    let awaited = at.awaited();
    at.site.identity.reset_factors(at.ada.id).expect("reset");
    assert!(at.site.identity.find(text(&at.opened).expose(), None).is_err());
    assert_eq!(at.finish(&awaited, &Proof::Totp(at.code())).map(drop), REFUSED);
    at.site.sign_in("ada");
}

#[test]
fn factors_outlive_a_restart_and_halves_of_sign_ins_do_not() {
    let at = Enrolled::new();
    let awaited = at.awaited();
    let Enrolled { site, ada, opened, enrolment, codes } = at;
    let at = Enrolled { site: site.restarted(), ada, opened, enrolment, codes };
    assert_eq!(at.finish(&awaited, &Proof::Totp(at.code())).map(drop), REFUSED);
    assert_eq!(find(&at.site, &at.opened).assurance, Assurance::Aal2);
    at.finish(&at.awaited(), &Proof::Totp(at.code())).expect("signed in");
}

/// Does something once, when randomness is next asked for.
#[derive(Default)]
struct Meanwhile {
    inner: Counted,
    then: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl std::fmt::Debug for Meanwhile {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Meanwhile")
    }
}

impl CryptoRandom for Meanwhile {
    fn fill(&self, out: &mut [u8]) -> Result<(), base::Fault> {
        let then = self.then.lock().take();
        if let Some(then) = then {
            then();
        }
        self.inner.fill(out)
    }
}

#[test]
fn a_factor_that_another_session_adds_meanwhile_is_not_replaced_by_one_factor() {
    let site = Site::new();
    let ada = site.person("ada");
    let random = Arc::new(Meanwhile::default());
    // Numbers that the site has not drawn.
    (0..1000).for_each(|_| random.fill(&mut [0]).expect("drawn"));
    let ground = Ground {
        shelf: Arc::<Failing>::clone(&site.shelf),
        clock: Arc::<testkit::clock::Turned>::clone(&site.clock),
        random: Arc::<Meanwhile>::clone(&random),
        breached: None,
    };
    let identity = Arc::new(Identity::open(ground, site.settings.clone()).expect("opened"));
    let signed_in = || match identity.begin("ada", &PASSWORD.into(), HOME).expect("known") {
        Step::Done(opened) => identity.find(text(&opened).expose(), None).expect("a caller"),
        Step::SecondFactor(_) => panic!("no second factor yet"),
    };
    let (thief, owner) = (signed_in(), signed_in());
    let planted = identity.enrol_totp(&thief).expect("a key");
    let then = Arc::clone(&identity);
    *random.then.lock() = Some(Box::new(move || {
        let own = then.enrol_totp(&owner).expect("a key");
        then.confirm_totp(&owner, &shown(&own, START_MS)).expect("confirmed");
    }));
    let done = identity.confirm_totp(&thief, &shown(&planted, START_MS));
    assert_eq!(code(done), "identity.step-up.needed");
    site.clock.turn(MINUTE_MS);
    let Ok(Step::SecondFactor(awaited)) = identity.begin("ada", &PASSWORD.into(), HOME) else {
        panic!("asked for the owner's")
    };
    let proof = Proof::Totp(shown(&planted, START_MS + MINUTE_MS));
    let done = identity.finish(awaited.handle.text().expose(), &proof, HOME);
    assert_eq!(code(done), "identity.sign-in.refused");
    assert!(identity.holds_factor(ada.id).expect("read"));
}
