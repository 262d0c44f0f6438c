//! The second factor that a role demands; what issuers may not do by a name; stolen passwords at the
//! sign-in.

use std::collections::HashSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use base::{Fault, Millis};
use identity::vouched::Vouched;
use identity::{
    Assurance, Breached, By, Caller, DeedKind, Demand, Enrolment, Ground, Identity, IssuerName,
    Kind, Of, Opened, Principal, Profile, Proof, Secret, Shelf as _, ShelfName, Standing, Step,
    Welcome, Why,
};
use parking_lot::Mutex;
use sha1::{Digest as _, Sha1};

use crate::factors::shown;
use crate::support::{Failing, HOME, MINUTE_MS, PASSWORD, START_MS, Site, code, profile, text};

const MISSING: &str = "identity.factor.missing";

fn demanded(roles: &[&str]) -> Site {
    let of = Of::Roles(roles.iter().map(|role| (*role).to_owned()).collect());
    Site::with(|settings| settings.second_factor = Demand { of, ..Demand::default() })
}

fn give(site: &Site, one: &Principal, roles: &[&str]) -> Principal {
    let roles = roles.iter().map(|role| (*role).to_owned()).collect();
    let wanted = Profile { roles, ..one.profile.clone() };
    site.identity.change(one.id, one.version, wanted).expect("changed")
}

fn confined(site: &Site, opened: &Opened) -> Caller {
    site.identity.find_confined(text(opened).expose(), None).expect("somebody")
}

fn find(site: &Site, opened: &Opened) -> Result<Caller, &'static str> {
    site.identity.find(text(opened).expose(), None).map_err(|fault| fault.code().name)
}

fn enrol(site: &Site, opened: &Opened) -> Enrolment {
    let caller = confined(site, opened);
    let enrolment = site.identity.enrol_totp(&caller).expect("a key");
    let now = base::Clock::now(site.clock.as_ref()).0;
    site.identity.confirm_totp(&caller, &shown(&enrolment, now)).expect("confirmed");
    enrolment
}

#[test]
fn a_session_without_a_demanded_factor_opens_nothing_until_one_is_registered() {
    let site = demanded(&["nurse"]);
    let ada = give(&site, &site.person("ada"), &["nurse"]);
    let opened = site.sign_in("ada");
    let told = site.shelf.inner.deeds().pop().expect("a deed");
    assert_eq!((told.kind, told.asker.by), (DeedKind::SignedInConfined, By::Principal(ada.id)));
    assert_eq!(find(&site, &opened).map(drop), Err(MISSING));
    assert_eq!(site.identity.standing(&ada).expect("told"), Standing::Missing);
    enrol(&site, &opened);
    let caller = find(&site, &opened).expect("whole");
    assert_eq!(caller.assurance, Assurance::Aal2);
    assert_eq!(site.identity.standing(&ada).expect("told"), Standing::Held);
    // A session of before, in another browser, shows it as well.
    let site = demanded(&["nurse"]);
    let ada = site.person("ada");
    let (one, two) = (site.sign_in("ada"), site.sign_in("ada"));
    let enrolment = enrol(&site, &one);
    give(&site, &ada, &["nurse"]);
    find(&site, &one).expect("it showed two");
    assert_eq!(find(&site, &two).map(drop), Err(MISSING));
    site.clock.turn(MINUTE_MS);
    let proof = Proof::Totp(shown(&enrolment, START_MS + MINUTE_MS));
    site.identity.step_up(&confined(&site, &two), &proof, HOME).expect("shown");
    find(&site, &two).expect("whole");
}

#[test]
fn a_role_that_is_given_later_confines_what_is_open_at_once() {
    let site = demanded(&["nurse"]);
    let ada = site.person("ada");
    let opened = site.sign_in("ada");
    find(&site, &opened).expect("nothing is demanded");
    let ada = give(&site, &ada, &["nurse"]);
    assert_eq!(find(&site, &opened).map(drop), Err(MISSING));
    give(&site, &ada, &[]);
    find(&site, &opened).expect("nothing is demanded any more");
}

#[test]
fn no_token_is_issued_or_taken_of_somebody_without_a_demanded_factor() {
    let site = demanded(&["nurse"]);
    let ada = site.person("ada");
    let token = site.identity.issue(ada.id, MINUTE_MS, "before").expect("issued");
    find(&site, &token).expect("taken");
    let ada = give(&site, &ada, &["nurse"]);
    assert_eq!(find(&site, &token).map(drop), Err(MISSING));
    assert_eq!(code(site.identity.issue(ada.id, MINUTE_MS, "after")), MISSING);
    enrol(&site, &site.sign_in("ada"));
    find(&site, &token).expect("taken again");
    site.identity.issue(ada.id, MINUTE_MS, "after").expect("issued");
    site.identity.reset_factors(ada.id).expect("reset");
    assert_eq!(find(&site, &token).map(drop), Err(MISSING), "she has none any more");
}

#[test]
fn the_demand_holds_from_its_day_on_and_is_known_before() {
    let of = Of::AllBut(vec!["patient".to_owned()]);
    let from = Millis(START_MS + 10 * MINUTE_MS);
    let site = Site::with(|settings| {
        settings.second_factor = Demand { of, from: Some(from), new_sites: false };
    });
    let ada = give(&site, &site.person("ada"), &["biller"]);
    let opened = site.sign_in("ada");
    find(&site, &opened).expect("not yet");
    assert_eq!(site.identity.standing(&ada).expect("told"), Standing::MissingFrom(from));
    site.clock.turn(10 * MINUTE_MS);
    assert_eq!(find(&site, &opened).map(drop), Err(MISSING), "in the session that is open as well");
    assert_eq!(site.identity.standing(&ada).expect("told"), Standing::Missing);
}

#[test]
fn programs_and_machines_are_not_asked() {
    let site = demanded(&["nurse"]);
    for (kind, name) in [(Kind::Service, "lab"), (Kind::Device, "monitor"), (Kind::Agent, "agent")]
    {
        let made = site.identity.create(kind, profile(name)).expect("made");
        let made = give(&site, &made, &["nurse"]);
        let token = site.identity.issue(made.id, MINUTE_MS, "works").expect("issued");
        find(&site, &token).expect("no person");
        assert_eq!(site.identity.standing(&made).expect("told"), Standing::Free);
    }
}

#[test]
fn the_last_administrator_is_never_locked_out_by_the_demand() {
    let site = demanded(&["it-administrator"]);
    let claim = site.identity.make_claim().expect("drawn").expect("a code");
    let ada = site.identity.claim(&claim, profile("ada"), &PASSWORD.into(), HOME).expect("made");
    let opened = site.sign_in("ada");
    assert_eq!(find(&site, &opened).map(drop), Err(MISSING));
    enrol(&site, &opened);
    find(&site, &opened).expect("whole");
    // The phone is lost: at the machine's console the factors are forgotten, and she makes another.
    site.identity.reset_factors(ada.id).expect("reset");
    let opened = site.sign_in("ada");
    enrol(&site, &opened);
    find(&site, &opened).expect("whole");
}

#[test]
fn a_standard_demand_holds_at_sites_that_began_with_it_and_surprises_no_other() {
    let standard = |settings: &mut identity::Settings| {
        let of = Of::Roles(vec!["it-administrator".to_owned()]);
        settings.second_factor = Demand { of, from: None, new_sites: true };
    };
    let site = Site::with(standard);
    let claim = site.identity.make_claim().expect("drawn").expect("a code");
    site.identity.claim(&claim, profile("ada"), &PASSWORD.into(), HOME).expect("made");
    assert_eq!(find(&site, &site.sign_in("ada")).map(drop), Err(MISSING));
    let site = site.restarted();
    assert_eq!(find(&site, &site.sign_in("ada")).map(drop), Err(MISSING), "after a start as well");
    // As an older program left it: the claim is spent, and nothing is said of a demand.
    let spent = site.shelf.get(ShelfName::Claims, b"first").expect("read").expect("an item");
    let before = [b"\x01".as_slice(), br#"{"waiting":null}"#].concat();
    let put = identity::Change::put(ShelfName::Claims, b"first", Some(spent.version), before);
    site.shelf.commit(vec![put], identity::Deed::UPKEEP).expect("put");
    let site = site.restarted();
    find(&site, &site.sign_in("ada")).expect("an older site is not surprised");
}

fn vouched(name: &str, subject: u8) -> Vouched {
    Vouched {
        issuer: IssuerName::parse("st-elsewhere").expect("a name"),
        subject: [subject; 32],
        name: Some(name.to_owned()),
        display: None,
        roles: vec!["nurse".to_owned()],
        sites: Vec::new(),
        governs_roles: vec!["nurse".to_owned()],
        governs_sites: Vec::new(),
        links: true,
        creates: false,
        second_factor: false,
        shown: Some(Millis(START_MS)),
    }
}

fn welcomed(site: &Site, vouched: &Vouched) -> Opened {
    match site.identity.vouch(vouched, HOME).expect("asked") {
        Welcome::In(Step::Done(opened)) => opened,
        other => panic!("not signed in: {other:?}"),
    }
}

#[test]
fn an_issuer_counts_as_two_factors_only_where_it_saw_two() {
    let site = demanded(&["nurse"]);
    let ada = site.person("ada");
    let one = welcomed(&site, &vouched("ada", 1));
    assert_eq!(find(&site, &one).map(drop), Err(MISSING));
    let ada = site.identity.principal(ada.id).expect("read");
    assert_eq!(site.identity.standing(&ada).expect("told"), Standing::ByIssuer);
    let two = welcomed(&site, &Vouched { second_factor: true, ..vouched("ada", 1) });
    find(&site, &two).expect("it saw two");
    assert_eq!(find(&site, &one).map(drop), Err(MISSING), "the other session did not");
}

#[test]
fn a_name_that_only_folds_to_somebodys_links_nobody() {
    for (here, there) in [
        ("fiona", "\u{fb01}ona"),
        ("strasse", "straße"),
        ("ada1", "ada\u{00b9}"),
        ("kate", "\u{212a}ate"),
        ("sigma", "\u{ff53}igma"),
    ] {
        let site = Site::new();
        site.person(here);
        for links in [vouched(there, 1), Vouched { creates: true, ..vouched(there, 1) }] {
            let welcome = site.identity.vouch(&links, HOME).expect("asked");
            assert!(matches!(welcome, Welcome::Not(Why::NameUnlike)), "{there}: {welcome:?}");
        }
        // Whom the name belongs to, to the letter, is linked; case is what issuers do not tell apart.
        welcomed(&site, &vouched(&here.to_uppercase(), 2));
    }
}

#[test]
fn what_an_issuer_opened_ends_when_the_site_no_longer_names_it() {
    let site = Site::new();
    site.person("ada");
    let (by_issuer, own) = (welcomed(&site, &vouched("ada", 1)), site.sign_in("ada"));
    let named = [IssuerName::parse("st-elsewhere").expect("a name")];
    assert_eq!(site.identity.revoke_issuers_but(&named), Ok(0));
    find(&site, &by_issuer).expect("still named");
    assert_eq!(site.identity.revoke_issuers_but(&[]), Ok(1));
    assert_eq!(find(&site, &by_issuer).map(drop), Err("identity.token.invalid"));
    find(&site, &own).expect("opened here");
}

/// A list that grows, and that can fail.
#[derive(Debug, Default)]
struct Growing {
    hashes: Mutex<HashSet<[u8; 20]>>,
    broken: AtomicBool,
}

impl Growing {
    fn add(&self, password: &str) {
        self.hashes.lock().insert(Sha1::digest(password).into());
    }
}

impl Breached for Growing {
    fn holds(&self, sha1: &[u8; 20]) -> Result<bool, Fault> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Fault::new(&base::error::code::PASSWORD_LIST_DAMAGED, "It is damaged."));
        }
        Ok(self.hashes.lock().contains(sha1))
    }
}

fn listed() -> (Site, Arc<Growing>) {
    let (site, list) = (Site::new(), Arc::new(Growing::default()));
    let ground = Ground {
        shelf: Arc::<Failing>::clone(&site.shelf),
        clock: Arc::<testkit::clock::Turned>::clone(&site.clock),
        random: Arc::<crate::support::Counted>::clone(&site.random),
        breached: Some(Arc::<Growing>::clone(&list)),
    };
    let identity = Identity::open(ground, site.settings.clone()).expect("opened");
    (Site { identity, ..site }, list)
}

const ANOTHER: &str = "wir essen um halb acht";

fn begin(site: &Site, password: &str) -> Result<Step, &'static str> {
    let done = site.identity.begin("ada", &password.into(), HOME);
    done.map_err(|refusal| refusal.fault.code().name)
}

fn change(site: &Site, old: &str, new: &str) -> Result<(), &'static str> {
    let done = site.identity.change_password("ada", &old.into(), &new.into(), HOME);
    done.map_err(|refusal| refusal.fault.code().name)
}

fn choose(site: &Site, handle: &str, new: &str) -> Result<String, &'static str> {
    let done = site.identity.choose_password(handle, &new.into(), HOME);
    done.map_err(|refusal| refusal.fault.code().name)
}

#[test]
fn a_password_that_was_stolen_meanwhile_has_to_be_changed_at_the_sign_in() {
    let (site, list) = listed();
    let ada = site.person("ada");
    assert!(matches!(begin(&site, PASSWORD), Ok(Step::Done(_))));
    list.add(PASSWORD);
    assert_eq!(begin(&site, PASSWORD).map(drop), Err("identity.password.must-change"));
    let told = site.shelf.inner.deeds().pop().expect("a deed");
    assert_eq!((told.kind, told.upon), (DeedKind::PasswordBreached, Some(ada.id)));
    assert_eq!(begin(&site, "wrong password").map(drop), Err("identity.sign-in.refused"));
    assert_eq!(change(&site, PASSWORD, PASSWORD), Err("identity.password.weak"));
    assert_eq!(change(&site, PASSWORD, ANOTHER), Ok(()));
    assert!(matches!(begin(&site, ANOTHER), Ok(Step::Done(_))));
}

#[test]
fn with_a_second_factor_a_stolen_password_is_changed_after_that_was_shown_alone() {
    let (site, list) = listed();
    site.person("ada");
    let enrolment = enrol(&site, &site.sign_in("ada"));
    list.add(PASSWORD);
    // Whoever stole it can neither sign in with it nor lock its owner out.
    assert_eq!(change(&site, PASSWORD, ANOTHER), Err("identity.sign-in.refused"));
    let Ok(Step::SecondFactor(awaited)) = begin(&site, PASSWORD) else { panic!("asked for two") };
    site.clock.turn(MINUTE_MS);
    let proof = Proof::Totp(shown(&enrolment, START_MS + MINUTE_MS));
    let done = site.identity.finish(awaited.handle.text().expose(), &proof, HOME);
    assert_eq!(code(done), "identity.password.must-change");
    // From then on as before: whoever has the password alone changes nothing with it.
    assert_eq!(change(&site, PASSWORD, ANOTHER), Err("identity.sign-in.refused"));
    let handle = awaited.handle.text();
    assert_eq!(choose(&site, handle.expose(), PASSWORD), Err("identity.password.weak"));
    assert_eq!(choose(&site, handle.expose(), ANOTHER), Ok("ada".to_owned()));
    assert!(matches!(begin(&site, ANOTHER), Ok(Step::SecondFactor(_))));
    let again = choose(&site, handle.expose(), "drei esel im november");
    assert_eq!(again, Err("identity.sign-in.refused"), "the handle is worth one change");
}

#[test]
fn a_handle_chooses_no_password_before_the_second_factor_was_shown() {
    let site = Site::new();
    let ada = site.person("ada");
    let enrolment = enrol(&site, &site.sign_in("ada"));
    let given = "handed over in person";
    site.identity.reset_password(ada.id, &given.into()).expect("reset");
    // Where there is a second factor, one that somebody else set is changed after it as well, and
    // whoever has it alone is not told that it has to be.
    assert_eq!(change(&site, given, ANOTHER), Err("identity.sign-in.refused"));
    let Ok(Step::SecondFactor(awaited)) = begin(&site, given) else { panic!("asked for two") };
    let handle = awaited.handle.text();
    assert_eq!(choose(&site, handle.expose(), ANOTHER), Err("identity.sign-in.refused"));
    site.clock.turn(MINUTE_MS);
    let proof = Proof::Totp(shown(&enrolment, START_MS + MINUTE_MS));
    let done = site.identity.finish(handle.expose(), &proof, HOME);
    assert_eq!(code(done), "identity.password.must-change");
    let Ok(Step::SecondFactor(other)) = begin(&site, given) else { panic!("asked for two") };
    let strange = choose(&site, other.handle.text().expose(), ANOTHER);
    assert_eq!(strange, Err("identity.sign-in.refused"), "what another sign-in showed");
    assert_eq!(choose(&site, handle.expose(), ANOTHER), Ok("ada".to_owned()));
    assert!(matches!(begin(&site, ANOTHER), Ok(Step::SecondFactor(_))));
}

#[test]
fn a_damaged_list_keeps_nobody_out_and_takes_no_new_password() {
    let (site, list) = listed();
    let ada = site.person("ada");
    list.broken.store(true, Ordering::SeqCst);
    assert!(matches!(begin(&site, PASSWORD), Ok(Step::Done(_))));
    let set = site.identity.set_password(ada.id, &Secret::from(ANOTHER), None);
    assert_eq!(code(set), "identity.password-list.damaged");
}
