//! Who may sign in, as an operator keeps it: the first start, people, programs and tokens, on a folder
//! at rest and in a running server.

use crate::run::{Place, Said};
use crate::serve::Serving;
use std::collections::BTreeSet;

const PASSWORD: &[u8] = b"acht tulpen im regen\n";

/// Runs a command and holds it to success.
fn done(place: &Place, args: &[&str]) -> String {
    let said = place.run(args);
    assert!(said.ok, "{args:?}: {said:?}");
    said.out
}

fn with_password(place: &Place, args: &[&str]) -> Said {
    place.run_with(args, PASSWORD)
}

/// A refusal, by its message.
fn refused(said: &Said) -> String {
    assert!(!said.ok, "{said:?}");
    said.err.clone()
}

/// Ids and instants in a text, replaced by what they are.
pub(crate) fn masked(text: &str) -> String {
    let id = |word: &str| word.len() == 36 && word.chars().filter(|c| *c == '-').count() == 4;
    let instant = |word: &str| word.len() == 24 && word.ends_with('Z');
    let shown = |word: &str| {
        let bare = word.trim_end_matches(':');
        match () {
            () if id(bare) => word.replace(bare, "<id>"),
            () if instant(bare) => word.replace(bare, "<instant>"),
            () => word.to_owned(),
        }
    };
    let line = |line: &str| line.split(' ').map(shown).collect::<Vec<_>>().join(" ") + "\n";
    text.lines().map(line).collect()
}

#[test]
fn the_first_start_prints_a_code_that_makes_one_administrator() {
    let place = Place::new();
    let mut server = Serving::start(&place, &[]);
    let told = server.told(7);
    let code = told[2].trim().to_owned();
    assert!(told[0].contains("The console is at"), "{told:?}");
    assert!(told[1].contains("Nobody administers") && code.len() == 14, "{told:?}");
    assert!(
        told[3].contains("/first in a browser") && told[5].contains("plummer claim NAME"),
        "{told:?}"
    );
    let claim = |name: &str, code: &str| {
        let input = format!("{code}\nacht tulpen im regen\n");
        place.run_with(&["claim", name, "--display", "Ada Lovelace"], input.as_bytes())
    };
    let wrong = claim("ada", "AAAA-BBBB-CCCC");
    assert!(refused(&wrong).contains("identity.claim.invalid"), "{wrong:?}");
    let made = claim("ada", &code);
    assert!(made.ok && made.out.contains("it-administrator"), "{made:?}");
    assert!(refused(&claim("eve", &code)).contains("identity.claim.invalid"));
    assert!(refused(&place.run(&["claim", "--new"])).contains("has been an administrator"));
    assert!(!made.out.contains("tulpen") && !made.err.contains("tulpen"));
    assert!(server.stop());
    let mut again = Serving::start(&place, &[]);
    assert!(done(&place, &["user", "list"]).contains("Ada Lovelace"));
    let rest = again.rest();
    assert!(rest.starts_with("The console is at") && rest.lines().count() == 1, "no code: {rest}");
    let kinds = ["claim-drawn", "sign-in-failed", "claimed"];
    for kind in kinds {
        let shown = done(&place, &["audit", "show", "--kind", kind]);
        assert!(!shown.is_empty() && !shown.contains("Lovelace"), "{kind}");
    }
}

#[test]
fn another_code_can_be_drawn_and_replaces_the_first() {
    let place = Place::new();
    let mut server = Serving::start(&place, &[]);
    let first = server.told(5)[1].trim().to_owned();
    let second = done(&place, &["claim", "--new"]);
    assert_ne!(first, second.trim());
    let claim = |code: &str| {
        let input = format!("{code}\nacht tulpen im regen\n");
        place.run_with(&["claim", "ada", "--display", "Ada"], input.as_bytes())
    };
    assert!(!claim(&first).ok && claim(second.trim()).ok);
}

#[test]
fn people_are_kept_on_a_folder_at_rest() {
    let place = Place::new();
    let mut text = String::new();
    let mut say = |args: &[&str], input: &[u8]| {
        let said = place.run_with(args, input);
        text.push_str(&format!("$ plummer {}\n", args.join(" ")));
        text.push_str(&masked(&said.out));
        text.push_str(&masked(&said.err));
        text.push('\n');
    };
    let boss = ["user", "add", "boss", "--display", "Grace Hopper", "--role", "it-administrator"];
    say(&[&boss[..], &["--permanent"]].concat(), PASSWORD);
    let ada = ["user", "add", "ada", "--display", "Ada Lovelace", "--role", "nurse"];
    say(&[&ada[..], &["--site", "riverside", "--practitioner", "prac-1"]].concat(), PASSWORD);
    say(&ada, PASSWORD);
    say(&["user", "add", "bob", "--display", "Bob", "--role", "nurze"], PASSWORD);
    say(&["user", "add", "bob", "--display", "Bob"], b"short\n");
    say(&["user", "list"], b"");
    say(&["user", "grant", "ADA", "clinician", "auditor"], b"");
    say(&["user", "revoke-role", "ada", "nurse"], b"");
    say(&["user", "revoke-role", "ada", "nurse"], b"");
    say(&["user", "show", "ada"], b"");
    say(&["user", "disable", "boss", "--reason", "left"], b"");
    say(&["user", "revoke-role", "boss", "it-administrator"], b"");
    say(&["user", "disable", "ada", "--reason", "left the clinic"], b"");
    say(&["user", "show", "ada"], b"");
    say(&["user", "password", "ada"], PASSWORD);
    say(&["user", "enable", "ada"], b"");
    say(&["user", "password", "ada", "--permanent"], PASSWORD);
    say(&["user", "password", "ada"], b"");
    say(&["user", "reset-factors", "ada"], b"");
    say(&["user", "passkeys", "ada"], b"");
    say(&["user", "passkeys", "ada", "--remove", "her-phone"], b"");
    say(
        &["user", "passkeys", "ada", "--remove", "0190aaaa-bbbb-7ccc-8ddd-eeeeffff0000", "--json"],
        b"",
    );
    say(&["user", "sessions", "ada"], b"");
    say(&["user", "show", "nobody"], b"");
    say(&["client", "add", "lab", "--display", "Laboratory feed", "--role", "system"], b"");
    say(&["client", "add", "m1", "--display", "Monitor 1", "--kind", "device"], b"");
    say(&["client", "list"], b"");
    say(&["client", "keys", "lab"], b"");
    say(&["client", "keys", "ada"], b"");
    say(&["user", "show", "lab"], b"");
    say(&["client", "disable", "m1", "--reason", "broken"], b"");
    say(&["token", "issue", "--user", "lab", "--ttl", "91d"], b"");
    say(&["token", "issue", "--user", "m1", "--ttl", "1h"], b"");
    say(&["token", "list"], b"");
    insta::assert_snapshot!("people", text);
}

#[test]
fn the_roles_are_listed_and_shown_as_reviewed() {
    let place = Place::new();
    let mut text = done(&place, &["role", "list"]);
    text.push_str(&done(&place, &["role", "show", "auditor"]));
    assert!(refused(&place.run(&["role", "show", "king"])).contains("no role"));
    assert!(!place.path("data").exists(), "no data folder is needed, and none is made");
    insta::assert_snapshot!("roles", text);
}

#[test]
fn a_drawn_password_is_printed_once_and_json_is_for_programs() {
    let place = Place::new();
    let args = ["user", "add", "ada", "--display", "Ada", "--draw", "--json"];
    let made: serde_json::Value = serde_json::from_str(&done(&place, &args)).unwrap();
    assert_eq!((&made["name"], &made["password"]), (&"ada".into(), &"to be changed".into()));
    let drawn = made["drawn"].as_str().unwrap().to_owned();
    assert_eq!(drawn.len(), 14);
    let listed = done(&place, &["user", "list", "--json"]);
    assert!(!listed.contains(&drawn));
    let listed: serde_json::Value = serde_json::from_str(&listed).unwrap();
    assert_eq!(listed[0]["id"], made["id"]);
    let issue = ["token", "issue", "--user", "ada", "--ttl", "1h", "--json"];
    let issued: serde_json::Value = serde_json::from_str(&done(&place, &issue)).unwrap();
    assert!(issued["token"].as_str().unwrap().starts_with("plm_"));
    assert_eq!(issued["session"]["name"], "ada");
}

#[test]
fn a_token_issued_beside_a_running_server_is_revoked_in_it_at_once() {
    let place = Place::new();
    done(&place, &["client", "add", "lab", "--display", "Laboratory", "--role", "system"]);
    let server = Serving::start(&place, &[]);
    let issued = place.run(&["token", "issue", "--user", "lab", "--ttl", "1h", "--note", "night"]);
    assert!(issued.ok && issued.out.trim().starts_with("plm_"), "{issued:?}");
    assert_eq!(issued.out.lines().count(), 1, "the token alone is on standard output");
    // The list is the running server's own memory: it holds the folder.
    let listed = done(&place, &["token", "list", "--user", "lab"]);
    assert!(listed.contains("night") && !listed.contains(issued.out.trim()), "{listed}");
    let id = listed.lines().nth(1).and_then(|line| line.split(' ').next()).unwrap().to_owned();
    assert_eq!(done(&place, &["token", "revoke", &id]), "ended 1\n");
    assert!(!done(&place, &["token", "list"]).contains(&id), "it is no longer listed");
    assert!(!place.run(&["token", "revoke", &id]).ok, "it is gone");
    // Shutting somebody out ends what they have.
    done(&place, &["token", "issue", "--user", "lab", "--ttl", "1h"]);
    done(&place, &["client", "disable", "lab", "--reason", "stolen"]);
    assert_eq!(done(&place, &["client", "keys", "lab"]).lines().count(), 1);
    assert!(server.stop());
    assert!(!done(&place, &["token", "list"]).contains("Laboratory"), "and stays ended");
    for kind in ["token-issued", "session-revoked", "user-disable"] {
        let shown = done(&place, &["audit", "show", "--kind", kind, "--actor", "operator"]);
        assert!(!shown.is_empty(), "{kind}");
        assert!(!shown.contains("Laboratory") && !shown.contains("plm_"), "{kind}: {shown}");
    }
}

#[test]
fn an_agent_is_let_act_for_somebody_listed_and_stopped_at_once() {
    let place = Place::new();
    let line = ["client", "add", "line", "--display", "Phone Line", "--kind", "agent"];
    done(&place, &[&line[..], &["--role", "agent"]].concat());
    done(&place, &["client", "add", "desk", "--display", "Front Desk", "--role", "front-desk"]);
    let issue = ["token", "issue", "--agent", "line", "--for", "desk", "--ttl", "1h"];
    let issue = |more: &[&str]| place.run(&[&issue[..], more].concat());
    let scope = ["--scope", "user/Appointment.rs"];
    // With a server and without one.
    for running in [false, true] {
        let server = running.then(|| Serving::start(&place, &[]));
        let issued = issue(&scope);
        assert!(issued.ok && issued.out.trim().starts_with("pla_"), "{issued:?}");
        let listed = done(&place, &["token", "list", "--user", "desk"]);
        assert!(listed.contains("delegation") && !listed.contains(issued.out.trim()), "{listed}");
        assert!(listed.contains("for desk: user/Appointment.rs"), "{listed}");
        let id = listed.lines().nth(1).and_then(|line| line.split(' ').next()).unwrap();
        assert_eq!(done(&place, &["token", "revoke", id]), "ended 1\n");
        assert!(!place.run(&["token", "revoke", id]).ok, "it is gone");
        // Shutting out either ends what stood on it, for good.
        for (shut_out, name) in [("agent", "line"), ("person", "desk")] {
            assert!(issue(&scope).ok, "{shut_out}");
            done(&place, &["client", "disable", name, "--reason", "a test"]);
            done(&place, &["client", "enable", name]);
            let listed = done(&place, &["token", "list"]);
            assert!(!listed.contains("delegation"), "{running} {shut_out}: {listed}");
        }
        assert!(server.is_none_or(Serving::stop));
    }
    for kind in ["delegated", "delegation-ended"] {
        let shown = done(&place, &["audit", "show", "--kind", kind, "--actor", "operator"]);
        assert!(!shown.is_empty() && !shown.contains("pla_"), "{kind}: {shown}");
    }
    assert!(!issue(&[]).ok, "without a scope");
    assert!(refused(&issue(&["--scope", "system/*.rs"])).contains("scope"));
    assert!(!place.run(&["token", "issue", "--agent", "line", "--ttl", "1h"]).ok, "for nobody");
}

#[test]
fn people_are_added_and_listed_while_a_server_holds_the_folder() {
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    let ada = ["user", "add", "ada", "--display", "Ada Lovelace", "--role", "it-administrator"];
    assert!(with_password(&place, &ada).ok);
    assert!(done(&place, &["user", "list"]).contains("Ada Lovelace"));
    assert!(refused(&place.run(&["import", "-"])).contains(".locked"), "it does hold it");
    assert!(server.stop());
    assert!(done(&place, &["user", "list"]).contains("Ada Lovelace"));
}

#[test]
fn nothing_is_made_by_a_look_at_a_folder_that_is_not_there() {
    let place = Place::new();
    for args in [&["user", "list"][..], &["token", "list"], &["claim", "--new"]] {
        assert!(refused(&place.run(args)).contains("holds no record"), "{args:?}");
    }
    assert!(!place.path("data").exists());
}

#[test]
fn passwords_are_no_arguments() {
    let place = Place::new();
    let args = ["user", "add", "ada", "--display", "Ada", "--password", "acht tulpen im regen"];
    assert!(refused(&place.run(&args)).contains("unexpected argument"));
}

#[test]
fn the_demo_has_a_person_for_each_role_with_passwords_drawn_at_each_start() {
    let place = Place::new();
    let demo = ["--demo", "--demo-patients", "60"];
    let start = || {
        let mut server = Serving::start(&place, &demo);
        let told = server.told(19);
        assert!(server.stop());
        told
    };
    let first = start();
    let row = |line: &String| -> Vec<String> {
        line.split_whitespace().take(2).map(str::to_owned).collect()
    };
    let people: Vec<_> = first[3..13].iter().map(row).collect();
    let roles: Vec<_> = people.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(
        roles,
        [
            "clinician",
            "nurse",
            "front-desk",
            "biller",
            "him",
            "privacy-officer",
            "it-administrator",
            "auditor",
            "patient",
            "proxy"
        ]
    );
    assert!(first.iter().any(|line| line.contains("curl -H 'Authorization: Bearer plm_")));
    let passwords: BTreeSet<_> = people.iter().map(|row| row[1].clone()).collect();
    assert_eq!(passwords.len(), 10, "each has one of their own");
    let second: BTreeSet<_> = start()[3..13].iter().map(|line| row(line)[1].clone()).collect();
    assert!(passwords.is_disjoint(&second), "and another at the next start");
    let shown = |name: &str| -> serde_json::Value {
        serde_json::from_str(&done(&place, &["user", "show", name, "--json"])).unwrap()
    };
    assert!(shown("clinician")["practitioner"].is_string());
    assert!(shown("patient")["patient"].is_string());
    assert_eq!(shown("proxy")["represents"].as_array().unwrap().len(), 1);
    let tokens = done(&place, &["token", "list", "--json"]);
    let tokens: serde_json::Value = serde_json::from_str(&tokens).unwrap();
    let demo = |token: &&serde_json::Value| token["name"] == "demo-script";
    let demo = tokens.as_array().unwrap().iter().filter(demo).count();
    assert_eq!(demo, 1, "that of the first start is over");
}

#[test]
fn a_restored_folder_knows_everybody_and_no_token() {
    let place = Place::new();
    done(&place, &["client", "add", "lab", "--display", "Laboratory"]);
    done(&place, &["token", "issue", "--user", "lab", "--ttl", "1h"]);
    done(&place, &["client", "add", "line", "--display", "Phone Line", "--kind", "agent"]);
    let agent = ["token", "issue", "--agent", "line", "--for", "lab", "--scope", "user/*.rs"];
    done(&place, &[&agent[..], &["--ttl", "1h"]].concat());
    done(&place, &["backup", "copy", "--keys-to", "new/keys"]);
    std::fs::copy(place.path("data/keys/root.key"), place.path("new/keys/root.key")).unwrap();
    let restored = place.command(&["restore", "copy", "--data", "new"]).output().unwrap();
    assert!(restored.status.success(), "{restored:?}");
    let of = |args: &[&str]| {
        let said = place.command(&[args, &["--data", "new"]].concat()).output().unwrap();
        String::from_utf8(said.stdout).unwrap()
    };
    assert!(of(&["client", "list"]).contains("Laboratory"));
    assert_eq!(of(&["token", "list"]).lines().count(), 1, "only the heading");
    assert_eq!(done(&place, &["token", "list"]).lines().count(), 3, "where it was issued it is");
}
