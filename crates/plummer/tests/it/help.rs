//! The help texts, as files that a person can read and review.

use crate::run::Place;

#[test]
fn the_help_of_every_command_is_as_reviewed() {
    let place = Place::new();
    let mut text = String::new();
    let commands: &[&[&str]] = &[
        &[],
        &["serve"],
        &["import"],
        &["export"],
        &["generate"],
        &["backup"],
        &["restore"],
        &["user"],
        &["user", "add"],
        &["user", "list"],
        &["user", "show"],
        &["user", "grant"],
        &["user", "revoke-role"],
        &["user", "disable"],
        &["user", "enable"],
        &["user", "password"],
        &["user", "reset-factors"],
        &["user", "sessions"],
        &["role"],
        &["role", "list"],
        &["role", "show"],
        &["policy"],
        &["policy", "check"],
        &["policy", "show"],
        &["policy", "diff"],
        &["policy", "why"],
        &["policy", "simulate"],
        &["client"],
        &["client", "add"],
        &["client", "list"],
        &["client", "disable"],
        &["client", "enable"],
        &["client", "keys"],
        &["app"],
        &["app", "add"],
        &["app", "list"],
        &["app", "show"],
        &["app", "renew-secret"],
        &["app", "disable"],
        &["app", "enable"],
        &["token"],
        &["token", "issue"],
        &["token", "list"],
        &["token", "revoke"],
        &["claim"],
        &["password-list"],
        &["password-list", "import"],
        &["password-list", "show"],
        &["password-list", "check"],
        &["audit"],
        &["audit", "verify"],
        &["audit", "show"],
        &["audit", "review"],
        &["audit", "review", "list"],
        &["audit", "review", "show"],
        &["audit", "review", "assign"],
        &["audit", "review", "close"],
        &["audit", "review", "reopen"],
        &["audit", "review", "sweep"],
        &["doctor"],
        &["tls"],
        &["tls", "self-signed"],
        &["config"],
    ];
    for command in commands {
        let mut args = command.to_vec();
        args.push("-h");
        let output = place.command(&args).output().unwrap();
        assert!(output.status.success(), "{command:?}");
        text.push_str(&format!("$ plummer {}\n", args.join(" ")));
        text.push_str(&String::from_utf8(output.stdout).unwrap());
        text.push('\n');
    }
    insta::assert_snapshot!("help", text);
}

#[test]
fn the_long_help_lists_every_setting() {
    let place = Place::new();
    let help = place.command(&["serve", "--help"]).output().unwrap();
    let help = String::from_utf8(help.stdout).unwrap();
    for flag in ["--listen", "--sync", "--search-steps-max", "--cors-origins", "--log-format"] {
        assert!(help.contains(flag), "{flag}");
    }
}
