//! Passkeys, with an authenticator in software: made by somebody with a fresh factor, shown as a second
//! factor, again, or alone; and everything about an answer that must not be taken.

use identity::{
    Assurance, Awaited, Caller, FactorKind, Opened, Party, PasskeyAsked, Principal, Proof, Secret,
    Step,
};
use proptest::prelude::*;
use testkit::authenticator::Authenticator;

use crate::support::{HOME, MINUTE_MS, PASSWORD, Site, code, text};

const HERE: &str = "https://ehr.example";
const REFUSED: Result<(), &str> = Err("identity.sign-in.refused");

fn party() -> Party {
    Party::of(HERE).expect("a party")
}

fn find(site: &Site, opened: &Opened) -> Caller {
    site.identity.find(text(opened).expose(), None).expect("found")
}

/// Ada, who has made a passkey with a device.
struct Made {
    site: Site,
    ada: Principal,
    device: Authenticator,
    opened: Opened,
    codes: Vec<Secret>,
}

/// Makes a passkey for whoever is signed in; the recovery codes that came with it.
fn make(
    site: &Site,
    opened: &Opened,
    device: &mut Authenticator,
) -> Result<Vec<Secret>, base::Fault> {
    let caller = find(site, opened);
    let asked = site.identity.ask_new_passkey(&caller, &party())?;
    let answer = device.make(&asked.options).as_str().into();
    site.identity.add_passkey(&caller, asked.handle.expose(), &answer, "Phone")
}

impl Made {
    fn new() -> Self {
        Self::on(Site::new())
    }

    fn on(site: Site) -> Self {
        let ada = site.person("ada");
        let opened = site.sign_in("ada");
        let mut device = Authenticator::at(HERE);
        let codes = make(&site, &opened, &mut device).expect("made");
        Self { site, ada, device, opened, codes }
    }

    fn caller(&self) -> Caller {
        find(&self.site, &self.opened)
    }

    fn awaited(&self) -> Awaited {
        match self.site.identity.begin("ada", &PASSWORD.into(), HOME).expect("the password") {
            Step::SecondFactor(awaited) => awaited,
            Step::Done(_) => panic!("a second factor is asked for"),
        }
    }

    fn second(&self, awaited: &Awaited) -> PasskeyAsked {
        let handle = awaited.handle.text();
        let asked = self.site.identity.ask_second_passkey(handle.expose(), &party());
        asked.expect("asked").expect("there is one")
    }

    fn finish(
        &self,
        awaited: &Awaited,
        asked: &PasskeyAsked,
        answer: &str,
    ) -> Result<Opened, &'static str> {
        let proof = Proof::Passkey { handle: asked.handle.clone(), answer: answer.into() };
        let done = self.site.identity.finish(awaited.handle.text().expose(), &proof, HOME);
        done.map_err(|refusal| refusal.fault.code().name)
    }

    /// Signs in with the password, and the passkey that `show` answers with.
    fn sign_in(
        &mut self,
        show: impl FnOnce(&mut Authenticator, &str) -> String,
    ) -> Result<Opened, &'static str> {
        let awaited = self.awaited();
        let asked = self.second(&awaited);
        let answer = show(&mut self.device, &asked.options);
        let done = self.finish(&awaited, &asked, &answer);
        self.site.clock.turn(MINUTE_MS);
        done
    }

    /// Signs in with the passkey alone.
    fn enter(
        &mut self,
        show: impl FnOnce(&mut Authenticator, &str) -> String,
    ) -> Result<Opened, &'static str> {
        let asked = self.site.identity.ask_any_passkey(&party()).expect("asked");
        let answer = show(&mut self.device, &asked.options);
        self.answer(&asked, &answer)
    }

    fn answer(&self, asked: &PasskeyAsked, answer: &str) -> Result<Opened, &'static str> {
        let done =
            self.site.identity.enter_with_passkey(asked.handle.expose(), &answer.into(), HOME);
        self.site.clock.turn(MINUTE_MS);
        done.map_err(|refusal| refusal.fault.code().name)
    }
}

#[test]
fn a_passkey_that_was_made_is_asked_for_and_opens_with_two_factors() {
    let mut at = Made::new();
    assert_eq!(at.codes.len(), 10, "recovery codes came with the first factor");
    assert_eq!(at.caller().assurance, Assurance::Aal2, "the session that made it is raised");
    let kinds = at.site.identity.factors(at.ada.id).expect("factors");
    assert_eq!(kinds, [FactorKind::Passkey, FactorKind::Recovery(10)]);
    let opened = at.sign_in(Authenticator::show).expect("signed in");
    assert_eq!(opened.session.assurance, Assurance::Aal2);
    let listed = at.site.identity.passkeys(at.ada.id).expect("a list");
    assert_eq!((listed[0].name.as_str(), listed[0].party.as_str()), ("Phone", "ehr.example"));
    assert!(listed[0].used.is_some());
    // The password and a recovery code still do.
    let awaited = at.awaited();
    let proof = Proof::Recovery(at.codes[0].clone());
    at.site.identity.finish(awaited.handle.text().expose(), &proof, HOME).expect("signed in");
}

#[test]
fn a_passkey_alone_signs_in_with_two_factors() {
    let mut at = Made::new();
    let opened = at.enter(Authenticator::show).expect("signed in");
    assert_eq!((opened.session.principal, opened.session.assurance), (at.ada.id, Assurance::Aal2));
    at.site.identity.need_step_up(&find(&at.site, &opened)).expect("fresh");
    let again = at.enter(Authenticator::show).expect("again");
    assert_ne!(opened.session.id, again.session.id);
}

#[test]
fn a_passkey_outlives_a_restart_and_challenges_do_not() {
    let mut at = Made::new();
    let asked = at.site.identity.ask_any_passkey(&party()).expect("asked");
    let Made { site, ada, device, opened, codes } = at;
    at = Made { site: site.restarted(), ada, device, opened, codes };
    let answer = at.device.show(&asked.options);
    assert_eq!(at.answer(&asked, &answer).map(drop), REFUSED);
    at.enter(Authenticator::show).expect("signed in");
}

#[test]
fn where_people_enter_by_issuers_alone_a_passkey_of_here_opens_nothing() {
    let mut at = Made::new();
    at.enter(Authenticator::show).expect("signed in");
    at.site.settings.local = false;
    let Made { site, ada, device, opened, codes } = at;
    at = Made { site: site.restarted(), ada, device, opened, codes };
    assert_eq!(at.enter(Authenticator::show).map(drop), REFUSED);
}

#[test]
fn a_page_of_another_origin_gets_nothing_that_is_taken_here() {
    let mut at = Made::new();
    for wrong in [
        "https://ehr.example.evil.example",
        "https://evil.example",
        "http://ehr.example",
        "https://ehr.example:8443",
        "https://sub.ehr.example",
    ] {
        at.device.origin = wrong.to_owned();
        assert_eq!(at.sign_in(Authenticator::show).map(drop), REFUSED, "{wrong}");
        assert_eq!(at.enter(Authenticator::show_any).map(drop), REFUSED, "{wrong}");
        let fresh = at.site.person(&format!("p{}", wrong.len()));
        let opened = at.site.sign_in(&fresh.profile.name);
        let made = make(&at.site, &opened, &mut at.device);
        assert_eq!(made.map(drop).map_err(|f| f.code().name), REFUSED, "{wrong}");
    }
    at.device.origin = HERE.to_owned();
    at.sign_in(Authenticator::show).expect("signed in");
}

#[test]
fn what_was_signed_for_another_party_is_refused() {
    let mut at = Made::new();
    at.device.party = Some("evil.example".to_owned());
    assert_eq!(at.sign_in(Authenticator::show).map(drop), REFUSED);
    assert_eq!(at.enter(Authenticator::show).map(drop), REFUSED);
    let made = make(&at.site, &at.opened, &mut at.device);
    assert_eq!(code(made), "identity.sign-in.refused");
    at.device.party = None;
    at.sign_in(Authenticator::show).expect("signed in");
}

#[test]
fn a_passkey_of_another_address_of_this_server_is_not_asked_for() {
    let mut at = Made::new();
    let other = Party::of("https://other.example").expect("a party");
    let awaited = at.awaited();
    let handle = awaited.handle.text();
    let asked = at.site.identity.ask_second_passkey(handle.expose(), &other).expect("asked");
    assert!(asked.is_none());
    // Nor taken when it says that it was made there.
    let asked = at.site.identity.ask_any_passkey(&other).expect("asked");
    at.device.origin = "https://other.example".to_owned();
    let answer = at.device.show(&asked.options);
    assert_eq!(at.answer(&asked, &answer).map(drop), REFUSED);
}

#[test]
fn an_answer_is_taken_once() {
    let mut at = Made::new();
    at.device.counter = None;
    let asked = at.site.identity.ask_any_passkey(&party()).expect("asked");
    let answer = at.device.show(&asked.options);
    at.answer(&asked, &answer).expect("the first time");
    assert_eq!(at.answer(&asked, &answer).map(drop), REFUSED, "its challenge is used up");
    let other = at.site.identity.ask_any_passkey(&party()).expect("asked");
    assert_eq!(at.answer(&other, &answer).map(drop), REFUSED, "to another challenge");
    let (awaited, answer) = (at.awaited(), at.device.show(&asked.options));
    let asked = at.second(&awaited);
    assert_eq!(at.finish(&awaited, &asked, &answer).map(drop), REFUSED);
}

#[test]
fn an_answer_that_comes_late_is_refused() {
    let mut at = Made::new();
    let asked = at.site.identity.ask_any_passkey(&party()).expect("asked");
    let answer = at.device.show(&asked.options);
    at.site.clock.turn(5 * MINUTE_MS);
    assert_eq!(at.answer(&asked, &answer).map(drop), REFUSED);
}

#[test]
fn a_counter_that_does_not_grow_is_refused() {
    let mut at = Made::new();
    at.sign_in(Authenticator::show).expect("one");
    at.sign_in(Authenticator::show).expect("two");
    at.device.counter = Some(1);
    assert_eq!(at.sign_in(Authenticator::show).map(drop), REFUSED, "the same again");
    at.device.counter = Some(0);
    assert_eq!(at.enter(Authenticator::show).map(drop), REFUSED, "back");
    at.device.counter = None;
    assert_eq!(at.sign_in(Authenticator::show).map(drop), REFUSED, "gone");
    at.device.counter = Some(2);
    at.sign_in(Authenticator::show).expect("three");
}

#[test]
fn two_challenges_at_once_do_not_let_a_counter_stand() {
    let mut at = Made::new();
    let (one, two) = (at.awaited(), at.awaited());
    let (first, second) = (at.second(&one), at.second(&two));
    let a = at.device.show(&first.options);
    at.device.counter = Some(0);
    let b = at.device.show(&second.options);
    at.finish(&one, &first, &a).expect("the first");
    assert_eq!(at.finish(&two, &second, &b).map(drop), REFUSED, "a copy with the same counter");
}

#[test]
fn a_passkey_without_a_counter_is_taken() {
    let mut at = Made::new();
    at.device.counter = None;
    at.sign_in(Authenticator::show).expect("one");
    at.sign_in(Authenticator::show).expect("two");
}

#[test]
fn the_passkey_of_somebody_else_is_refused() {
    let mut at = Made::new();
    at.site.person("bea");
    let opened = at.site.sign_in("bea");
    let mut hers = Authenticator::at(HERE);
    make(&at.site, &opened, &mut hers).expect("made");
    assert_eq!(at.sign_in(|_, options| hers.show_any(options)).map(drop), REFUSED);
    let opened = at.enter(|_, options| hers.show_any(options)).expect("as herself");
    assert_ne!(opened.session.principal, at.ada.id);
    // A challenge that one person was asked is not answered for another.
    let asked = at.site.identity.ask_own_passkey(&find(&at.site, &opened), &party());
    let asked = asked.expect("asked").expect("there is one");
    let (awaited, answer) = (at.awaited(), at.device.show_any(&asked.options));
    assert_eq!(at.finish(&awaited, &asked, &answer).map(drop), REFUSED);
    // Nor is one that was asked of nobody who is known.
    let asked = at.site.identity.ask_any_passkey(&party()).expect("asked");
    let answer = at.device.show(&asked.options);
    assert_eq!(at.finish(&awaited, &asked, &answer).map(drop), REFUSED);
}

#[test]
fn whoever_was_not_verified_is_refused() {
    let mut at = Made::new();
    at.device.verifies = false;
    assert_eq!(at.sign_in(Authenticator::show).map(drop), REFUSED);
    assert_eq!(at.enter(Authenticator::show).map(drop), REFUSED);
    at.site.person("bea");
    let opened = at.site.sign_in("bea");
    let made = make(&at.site, &opened, &mut at.device);
    assert_eq!(made.map(drop).map_err(|f| f.code().name), REFUSED);
}

#[test]
fn a_removed_passkey_opens_nothing_and_what_it_opened_ends() {
    let mut at = Made::new();
    let elsewhere = at.enter(Authenticator::show).expect("signed in");
    let caller = find(&at.site, &at.opened);
    let asked = at.site.identity.ask_any_passkey(&party()).expect("asked");
    let which = at.site.identity.passkeys(at.ada.id).expect("a list")[0].id;
    at.site.identity.remove_passkey(&caller, which).expect("removed");
    assert!(at.site.identity.find(text(&elsewhere).expose(), None).is_err(), "it ended");
    find(&at.site, &at.opened);
    let answer = at.device.show(&asked.options);
    assert_eq!(at.answer(&asked, &answer).map(drop), REFUSED);
    assert!(at.site.identity.factors(at.ada.id).expect("factors").is_empty(), "the codes as well");
    at.site.sign_in("ada");
    let again = at.site.identity.remove_passkey(&caller, which);
    assert_eq!(code(again), "server.parameter.invalid");
}

#[test]
fn the_last_factor_that_a_role_demands_is_not_removed_by_its_owner() {
    let of = identity::Of::Roles(vec!["nurse".to_owned()]);
    let demand = identity::Demand { of, ..identity::Demand::default() };
    let at = Made::on(Site::with(|settings| settings.second_factor = demand));
    let which = at.site.identity.passkeys(at.ada.id).expect("a list")[0].id;
    let roles = vec!["nurse".to_owned()];
    let profile = identity::Profile { roles, ..at.ada.profile.clone() };
    at.site.identity.change(at.ada.id, at.ada.version, profile).expect("changed");
    let remove = || at.site.identity.remove_passkey(&find(&at.site, &at.opened), which);
    assert_eq!(code(remove()), "server.parameter.invalid");
    make(&at.site, &at.opened, &mut Authenticator::at(HERE)).expect("another");
    remove().expect("the other is left");
    assert_eq!(at.site.identity.passkeys(at.ada.id).expect("a list").len(), 1);
}

#[test]
fn an_administrator_removes_one_passkey_and_the_sign_ins_end() {
    let at = Made::new();
    let which = at.site.identity.passkeys(at.ada.id).expect("a list")[0].id;
    at.site.identity.remove_passkey_of(at.ada.id, which).expect("removed");
    assert!(at.site.identity.find(text(&at.opened).expose(), None).is_err());
}

#[test]
fn a_passkey_is_named_by_its_owner_with_a_fresh_factor() {
    let at = Made::new();
    let which = at.site.identity.passkeys(at.ada.id).expect("a list")[0].id;
    at.site.identity.rename_passkey(&at.caller(), which, " Key ring ").expect("renamed");
    assert_eq!(at.site.identity.passkeys(at.ada.id).expect("a list")[0].name, "Key ring");
    assert_eq!(
        code(at.site.identity.rename_passkey(&at.caller(), which, "")),
        "server.parameter.invalid"
    );
    at.site.clock.turn(5 * MINUTE_MS);
    let stale = at.caller();
    let identity = &at.site.identity;
    assert_eq!(code(identity.rename_passkey(&stale, which, "x")), "identity.step-up.needed");
    assert_eq!(code(identity.remove_passkey(&stale, which)), "identity.step-up.needed");
    assert_eq!(code(identity.ask_new_passkey(&stale, &party())), "identity.step-up.needed");
}

#[test]
fn a_step_up_by_passkey_is_fresh() {
    let mut at = Made::new();
    at.site.clock.turn(5 * MINUTE_MS);
    let stale = at.caller();
    assert_eq!(code(at.site.identity.need_step_up(&stale)), "identity.step-up.needed");
    let asked = at.site.identity.ask_own_passkey(&stale, &party()).expect("asked").expect("one");
    let answer = at.device.show(&asked.options).as_str().into();
    let proof = Proof::Passkey { handle: asked.handle, answer };
    let raised = at.site.identity.step_up(&stale, &proof, HOME).expect("raised");
    at.site.identity.need_step_up(&raised).expect("fresh");
    assert_eq!(code(at.site.identity.step_up(&stale, &proof, HOME)), "identity.sign-in.refused");
    let password = Proof::Password(PASSWORD.into());
    assert_eq!(code(at.site.identity.step_up(&stale, &password, HOME)), "identity.sign-in.refused");
}

#[test]
fn a_disabled_person_is_not_let_in_by_a_passkey() {
    let mut at = Made::new();
    at.site.identity.disable(at.ada.id, 1, "left").expect("disabled");
    assert_eq!(at.enter(Authenticator::show).map(drop), REFUSED);
}

#[test]
fn a_person_has_ten_passkeys_and_no_more() {
    let at = Made::new();
    for _ in 1..10 {
        make(&at.site, &at.opened, &mut Authenticator::at(HERE)).expect("made");
    }
    let more = make(&at.site, &at.opened, &mut Authenticator::at(HERE));
    assert_eq!(code(more), "server.parameter.invalid");
    at.site.identity.passkeys(at.ada.id).expect("they fit an item");
}

#[test]
fn what_a_passkey_says_is_not_printed() {
    let mut at = Made::new();
    let asked = at.site.identity.ask_any_passkey(&party()).expect("asked");
    let answer = at.device.show(&asked.options);
    let proof = Proof::Passkey { handle: asked.handle, answer: answer.as_str().into() };
    let printed = format!("{proof:?} {:?}", at.site.identity);
    assert!(!printed.contains("clientDataJSON") && !printed.contains("plm_"), "{printed}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_a_browser_sends_is_refused_and_nothing_panics(
        cut in 0usize..2000,
        byte in any::<u8>(),
        junk in "[\\[{\"a:,}\\]0-9e.-]{0,300}",
        object in proptest::collection::vec(any::<u8>(), 0..300),
    ) {
        use base64::Engine as _;
        use base64::engine::general_purpose::URL_SAFE_NO_PAD as B64;
        let mut at = Made::new();
        let asked = at.site.identity.ask_any_passkey(&party()).expect("asked");
        let mut bent = at.device.show(&asked.options).into_bytes();
        let spot = cut % bent.len();
        let before = bent[spot];
        bent[spot] = byte;
        let bent = String::from_utf8_lossy(&bent).into_owned();
        if before != byte {
            // A change within what is not looked at (the name of a member that is not needed) may pass.
            let _ = at.answer(&asked, &bent);
        }
        prop_assert_eq!(at.answer(&asked, &junk).map(drop), REFUSED);
        let caller = find(&at.site, &at.opened);
        if let Ok(asked) = at.site.identity.ask_new_passkey(&caller, &party()) {
            let good = at.device.make(&asked.options);
            let mut whole: serde_json::Value = serde_json::from_str(&good).expect("JSON");
            whole["response"]["attestationObject"] = B64.encode(&object).into();
            let answer = whole.to_string().as_str().into();
            prop_assert!(at.site.identity.add_passkey(&caller, asked.handle.expose(), &answer, "x").is_err());
        }
    }
}
