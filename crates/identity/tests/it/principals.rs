//! Principals: unique, changed without overwriting each other, disabled for good at once.

use identity::{Kind, Principal, PrincipalId, Profile};
use proptest::prelude::*;

use crate::support::{HOME, MINUTE_MS, PASSWORD, START_MS, Site, code, profile, text};

#[test]
fn a_principal_is_made_and_read_back_as_it_was() {
    let site = Site::new();
    let whole = Profile {
        name: "J.Lovelace@clinic.example".into(),
        display: "Ada Lovelace".into(),
        roles: vec!["physician".into(), "researcher".into()],
        sites: vec!["riverside".into()],
        care_teams: vec!["ct-9".into()],
        practitioner: Some("prac-1".into()),
        patient: Some("pat-7".into()),
        represents: vec!["pat-8".into()],
    };
    let made = site.identity.create(Kind::Person, whole.clone()).expect("made");
    let read = site.identity.principal(made.id).expect("read");
    assert_eq!(read, made);
    assert_eq!((read.profile, read.kind, read.version), (whole, Kind::Person, 1));
    assert_eq!((read.created.0, read.disabled), (START_MS, None));
    assert_eq!(PrincipalId::parse(&made.id.to_string()), Some(made.id));
    assert_eq!(made.id.to_string().get(14..15), Some("7"), "a version-7 UUID");
}

#[test]
fn every_kind_can_be_made_and_only_persons_have_passwords() {
    let site = Site::new();
    for kind in [Kind::Service, Kind::Device, Kind::Agent, Kind::App] {
        let made = site.identity.create(kind, profile(&format!("{kind:?}-1"))).expect("made");
        assert_eq!(site.identity.principal(made.id).expect("read").kind, kind);
        let refused = site.identity.set_password(made.id, &PASSWORD.into(), None);
        assert_eq!(code(refused), "server.parameter.invalid");
    }
}

#[test]
fn nobody_is_there_from_the_start() {
    let site = Site::new();
    assert!(site.identity.list(None, 10).expect("a list").is_empty());
    for name in ["admin", "root", "administrator"] {
        assert!(site.identity.find_by_name(name).expect("looked").is_none());
    }
}

#[test]
fn a_name_belongs_to_one_whatever_its_case_and_form() {
    let site = Site::new();
    let made = site.identity.create(Kind::Person, profile("Straße")).expect("made");
    for same in ["straße", "STRASSE", "strasse", " Straße ", "ｓtrasse"] {
        assert_eq!(code(site.identity.create(Kind::App, profile(same))), "identity.login.taken");
        let found = site.identity.find_by_name(same).expect("looked").map(|p| p.id);
        assert_eq!(found, Some(made.id), "{same}");
    }
    assert!(site.identity.find_by_name("strase").expect("looked").is_none());
}

#[test]
fn a_profile_out_of_bounds_is_refused_by_its_member() {
    let site = Site::new();
    let base = || profile("ada");
    let many: Vec<String> = (0..257).map(|n| n.to_string()).collect();
    for (member, bad) in [
        ("name", profile("")),
        ("name", profile("two words")),
        ("name", profile(&"a".repeat(65))),
        ("name", profile(".ada")),
        ("name", profile("ada\u{202e}")),
        ("display", Profile { display: " ".into(), ..base() }),
        ("display", Profile { display: "a\nb".into(), ..base() }),
        ("roles", Profile { roles: vec![String::new()], ..base() }),
        ("roles", Profile { roles: many, ..base() }),
        ("sites", Profile { sites: vec!["a".into(), "a".into()], ..base() }),
        ("careTeams", Profile { care_teams: vec!["x".repeat(65)], ..base() }),
        ("practitioner", Profile { practitioner: Some("a/b".into()), ..base() }),
        ("patient", Profile { patient: Some(String::new()), ..base() }),
    ] {
        let fault = site.identity.create(Kind::Person, bad).expect_err(member);
        assert_eq!(fault.issues[0].expression.as_deref(), Some(member));
    }
    assert!(site.identity.list(None, 10).expect("a list").is_empty());
}

#[test]
fn a_change_asks_for_the_version_it_was_made_for() {
    let site = Site::new();
    let made = site.identity.create(Kind::Person, profile("ada")).expect("made");
    site.clock.turn(MINUTE_MS);
    let mut wanted = made.profile.clone();
    wanted.roles.push("nurse".into());
    let changed = site.identity.change(made.id, made.version, wanted.clone()).expect("changed");
    assert_eq!((changed.version, changed.changed.0), (2, START_MS + MINUTE_MS));
    assert_eq!(site.identity.principal(made.id).expect("read"), changed);
    let stale = site.identity.change(made.id, made.version, wanted);
    assert_eq!(code(stale), "identity.item.conflict");
    let nobody = PrincipalId::new([9; 16]);
    assert_eq!(code(site.identity.change(nobody, 1, profile("x"))), "identity.principal.not-found");
}

#[test]
fn a_name_given_up_is_free_and_the_new_one_taken() {
    let site = Site::new();
    let ada = site.person("ada");
    site.person("grace");
    let taken = site.identity.change(ada.id, 1, profile("GRACE"));
    assert_eq!(code(taken), "identity.login.taken");
    let renamed = site.identity.change(ada.id, 1, profile("countess")).expect("renamed");
    assert_eq!(
        code(site.identity.begin("ada", &PASSWORD.into(), HOME)),
        "identity.sign-in.refused"
    );
    site.sign_in("countess");
    site.identity.create(Kind::Person, profile("Ada")).expect("the old name is free");
    let back = site.identity.change(renamed.id, renamed.version, profile("ada"));
    assert_eq!(code(back), "identity.login.taken");
}

#[test]
fn a_change_of_roles_is_seen_by_open_sessions_at_once() {
    let site = Site::new();
    let ada = site.person("ada");
    let opened = site.sign_in("ada");
    let roles = vec!["nurse".to_owned()];
    let wanted = Profile { roles: roles.clone(), ..profile("ada") };
    site.identity.change(ada.id, ada.version, wanted).expect("changed");
    let caller = site.identity.find(text(&opened).expose(), None).expect("a caller");
    assert_eq!(caller.principal.profile.roles, roles);
}

#[test]
fn disabling_ends_everything_and_enabling_brings_nothing_back() {
    let site = Site::new();
    let ada = site.person("ada");
    let (first, second) = (site.sign_in("ada"), site.sign_in("ada"));
    let script = site.identity.issue(ada.id, MINUTE_MS, "a script").expect("issued");
    assert_eq!(code(site.identity.disable(ada.id, 1, " ")), "server.parameter.invalid");
    let off = site.identity.disable(ada.id, ada.version, "left on Friday").expect("disabled");
    assert_eq!(off.disabled.as_ref().map(|d| d.at_ms), Some(START_MS));
    for opened in [&first, &second, &script] {
        assert!(site.identity.find(text(opened).expose(), None).is_err());
    }
    assert!(site.identity.sessions(ada.id).is_empty());
    assert_eq!(
        code(site.identity.begin("ada", &PASSWORD.into(), HOME)),
        "identity.sign-in.refused"
    );
    assert_eq!(code(site.identity.issue(ada.id, 1000, "x")), "identity.principal.disabled");
    let set = site.identity.set_password(ada.id, &PASSWORD.into(), None);
    assert_eq!(code(set), "identity.principal.disabled");

    let site = site.restarted();
    assert!(site.identity.find(text(&first).expose(), None).is_err());
    site.identity.enable(ada.id, off.version).expect("enabled");
    assert!(site.identity.find(text(&first).expose(), None).is_err());
    site.sign_in("ada");
}

#[test]
fn a_list_is_paged_in_the_order_of_making() {
    let site = Site::new();
    let mut made = Vec::new();
    for n in 0..25 {
        site.clock.turn(1);
        made.push(site.identity.create(Kind::Person, profile(&format!("p{n}"))).expect("made").id);
    }
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page: Vec<Principal> = site.identity.list(after, 10).expect("a page");
        let Some(last) = page.last() else { break };
        after = Some(last.id);
        seen.extend(page.iter().map(|p| p.id));
    }
    assert_eq!(seen, made);
}

#[test]
fn a_principal_prints_nothing_about_the_person() {
    let site = Site::new();
    let mut wanted = profile("lovelace");
    wanted.patient = Some("pat-7".into());
    let made = site.identity.create(Kind::Person, wanted).expect("made");
    let made = site.identity.disable(made.id, 1, "sick leave").expect("disabled");
    let printed = format!("{made:?}");
    for hidden in ["lovelace", "pat-7", "Somebody", "sick"] {
        assert!(!printed.contains(hidden), "{printed}");
    }
}

proptest! {
    #[test]
    fn folding_a_name_twice_changes_nothing(typed in "\\PC{0,70}") {
        if let Some(name) = identity::SignInName::fold(&typed) {
            prop_assert_eq!(identity::SignInName::fold(name.as_str()), Some(name));
        }
    }

    #[test]
    fn letters_of_any_script_fold_the_same_in_either_case(typed in "\\p{L}{1,20}") {
        let folded = identity::SignInName::fold(&typed);
        if folded.is_some() {
            prop_assert_eq!(&identity::SignInName::fold(&typed.to_lowercase()), &folded);
            prop_assert_eq!(identity::SignInName::fold(&typed.to_uppercase()), folded);
        }
    }
}

#[test]
fn the_last_administrator_can_be_neither_disabled_nor_stripped() {
    let site = Site::new();
    let administers = |name: &str| Profile {
        roles: vec![site.settings.administrator_role.clone(), "nurse".to_owned()],
        ..profile(name)
    };
    let make = |name: &str, password: bool| {
        let made = site.identity.create(Kind::Person, administers(name)).expect("made");
        if password {
            site.identity.set_password(made.id, &PASSWORD.into(), None).expect("set");
        }
        made
    };
    let last = "identity.administrator.last";
    let disable = |one: &Principal| {
        let done = site.identity.disable(one.id, one.version, "left");
        done.map_err(|fault| fault.code().name)
    };
    let strip = |one: &Principal| {
        let profile = Profile { roles: vec!["nurse".to_owned()], ..one.profile.clone() };
        site.identity.change(one.id, one.version, profile).map_err(|fault| fault.code().name)
    };
    let ada = make("ada", true);
    // Neither a program nor somebody who cannot sign in administers a site.
    site.identity.create(Kind::Service, administers("robot")).expect("made");
    let bob = make("bob", false);
    assert_eq!((disable(&ada).err(), strip(&ada).err()), (Some(last), Some(last)));
    let renamed = Profile { display: "Ada King".to_owned(), ..ada.profile.clone() };
    let ada = site.identity.change(ada.id, ada.version, renamed).expect("any other change");
    site.identity.reset_password(bob.id, &"handed over in person".into()).expect("reset");
    assert_eq!(disable(&ada).err(), Some(last), "bob has not been here yet");
    site.identity.set_password(bob.id, &PASSWORD.into(), None).expect("set");
    let ada = disable(&ada).expect("bob is there");
    assert_eq!((disable(&bob).err(), strip(&bob).err()), (Some(last), Some(last)));
    site.identity.enable(ada.id, ada.version).expect("enabled");
    strip(&bob).expect("ada is there");
}

#[test]
fn a_person_is_made_with_a_password_or_not_at_all() {
    let site = Site::new();
    let make = |password: &str| {
        let made = site.identity.create_person(profile("ada"), &password.into(), true);
        made.map(|one| one.id).map_err(|fault| fault.code().name)
    };
    assert_eq!(make("short"), Err("identity.password.weak"));
    assert_eq!(site.identity.find_by_name("ada").expect("read"), None);
    let id = make(PASSWORD).expect("made");
    let state = site.identity.password_state(id).expect("state").expect("one");
    assert!(state.must_change);
    assert_eq!(make(PASSWORD), Err("identity.login.taken"));
}
