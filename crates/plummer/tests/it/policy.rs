//! The policies of a site, as an operator keeps them: files that are checked, compared, in force,
//! reloaded and asked about, on a folder at rest and in a running server.

use crate::people::masked;
use crate::run::Place;
use crate::serve::Serving;

const STUDENT: &str = "// Students look on.\n@id(\"site-student\")\npermit (principal in Role::\"student\", action == Action::\"read\", resource)\nwhen { context.purpose == \"HOPERAT\" && resource.kind == \"Patient\" };\n";
const CLOSED: &str = "@id(\"site-closed\")\nforbid (principal in Role::\"system\", action, resource)\nwhen { resource.kind == \"Patient\" };\n";
const BAD: &str = "@id(\"a\")\nforbid (principal, action, resource) when { resource.vip };\n\npermit (principal, action, resource);\n@id(\"b\") forbid;\n";

/// A text with what differs from run to run taken out.
fn still(text: &str) -> String {
    let masked = masked(text);
    let line = |line: &str| match line.split_once("digest") {
        Some((before, _)) => format!("{before}digest <digest>\n"),
        None => format!("{line}\n"),
    };
    masked.lines().map(line).collect()
}

#[test]
fn policies_are_checked_compared_and_asked_about_as_reviewed() {
    let place = Place::new();
    place.write("bad/night.cedar", BAD);
    place.write("bad/more.cedar", "@id(\"a\") forbid (principal, action, resource);");
    place.write("old/student.cedar", STUDENT);
    place.write("new/student.cedar", &STUDENT.replace("\"Patient\"", "\"Appointment\""));
    place.write("less/closed.cedar", CLOSED);
    place.write("none/README.md", "nothing");
    let mut text = String::new();
    let mut say = |args: &[&str], ok: bool| {
        let said = place.run(args);
        assert_eq!(said.ok, ok, "{args:?} {said:?}");
        text.push_str(&format!("$ plummer {}\n", args.join(" ")));
        text.push_str(&still(&said.out));
        text.push_str(&still(&said.err));
        text.push('\n');
    };
    say(&["policy", "check", "bad"], false);
    say(&["policy", "check", "bad", "--json"], false);
    say(&["policy", "check", "old"], true);
    say(&["policy", "check", "gone"], false);
    say(&["policy", "diff", "old", "new"], false);
    say(&["policy", "diff", "old", "old"], true);
    say(&["policy", "diff", "none", "less"], true);
    say(&["policy", "show", "old", "--role", "student", "--type", "Patient"], true);
    say(&["policy", "show", "old", "--role", "king"], false);
    assert!(!place.path("data").exists(), "no data folder is needed, and none is made");
    insta::assert_snapshot!("policy", text);
}

#[test]
fn a_start_with_a_bad_policy_is_refused_and_says_where_and_what_to_do() {
    let place = Place::new();
    place.write("data/policies/night.cedar", BAD);
    for args in [
        &["serve", "--listen", "127.0.0.1:0"][..],
        &["user", "add", "a", "--display", "A", "--no-password"],
    ] {
        let said = place.run(args);
        assert!(!said.ok, "{said:?}");
        assert!(said.err.contains("night.cedar:4: access.policy.unnamed"), "{said:?}");
        assert!(said.err.contains("plummer policy check"), "{said:?}");
    }
    place.write("data/policies/night.cedar", "");
    place.write("data/policies/late.ceder", CLOSED);
    let said = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(!said.ok && said.err.contains("late.ceder: access.policy.invalid"), "{said:?}");
    let named = place.run(&["policy", "check", "--policy-folder", "elsewhere"]);
    assert!(!named.ok, "a folder that was named must be there: {named:?}");
}

#[test]
fn a_running_server_takes_other_policies_at_once_all_or_none() {
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    let body = "{\"resourceType\":\"Patient\",\"id\":\"a\"}";
    assert!(server.ask("PUT", "/fhir/Patient/a", body).starts_with("HTTP/1.1 201"));
    let read = |server: &Serving| server.ask("GET", "/fhir/Patient/a", "")[9..12].to_owned();
    assert_eq!(read(&server), "200");
    place.write("data/policies/closed.cedar", CLOSED);
    place.write("data/policies/bad.cedar", BAD);
    let said = place.run(&["policy", "reload"]);
    assert!(!said.ok && said.err.contains("bad.cedar:4"), "{said:?}");
    assert_eq!(read(&server), "200", "nothing of it came in");
    std::fs::remove_file(place.path("data/policies/bad.cedar")).unwrap();
    let simulated = place.run(&["policy", "simulate", "--policies", "data/policies"]);
    assert!(simulated.ok && simulated.out.contains("forbidden by site-closed"), "{simulated:?}");
    let said = place.run(&["policy", "reload"]);
    assert!(said.ok && said.out.contains("epoch: 2"), "{said:?}");
    assert_eq!(read(&server), "403");
    let why =
        place.run(&["policy", "why", "--user", "nobody", "--action", "read", "--patient", "a"]);
    assert!(!why.ok && why.err.contains("principal.not-found"), "{why:?}");
    let name = format!("tests-{}", std::process::id());
    let why = ["policy", "why", "--user", &name, "--action", "read", "--patient", "a"];
    let said = place.run(&why);
    assert!(said.ok && said.out.starts_with("refused\n"), "{said:?}");
    assert!(said.out.contains("site-closed forbids it (closed.cedar:1)"), "{said:?}");
    let json = place.run(&[&why[..], &["--json"]].concat());
    assert!(json.ok && json.out.contains("\"permitted\":false"), "{json:?}");
    assert!(server.stop());
    // The next start has the same set, and nothing to tell.
    let server = Serving::start(&place, &[]);
    let standing = place.run(&["policy", "standing"]);
    assert!(standing.out.contains("epoch: 2") && standing.out.contains("closed.cedar"));
    assert!(server.stop());
    // A folder that is gone would permit what was forbidden.
    std::fs::rename(place.path("data/policies"), place.path("elsewhere")).unwrap();
    let said = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(!said.ok && said.err.contains("the policies of the site is gone"), "{said:?}");
    // So would one that is empty, as a volume that is not mounted leaves it, unless it says so.
    std::fs::create_dir(place.path("data/policies")).unwrap();
    let said = place.run(&["serve", "--listen", "127.0.0.1:0"]);
    assert!(!said.ok && said.err.contains("gone or empty"), "{said:?}");
    std::fs::remove_dir(place.path("data/policies")).unwrap();
    std::fs::rename(place.path("elsewhere"), place.path("data/policies")).unwrap();
    // On the folder at rest.
    let said = place.run(&why);
    assert!(said.ok && said.out.starts_with("refused\n"), "{said:?}");
    let shown = place.run(&["audit", "show", "--kind", "policy-change"]);
    assert_eq!(shown.out.lines().count(), 1, "{shown:?}");
    assert!(shown.out.contains("\"actor\":\"operator\"") && shown.out.contains("closed.cedar"));
    let asked = place.run(&["audit", "show", "--kind", "policy-asked"]);
    assert_eq!(asked.out.lines().count(), 4, "{asked:?}");
    std::fs::remove_file(place.path("data/policies/closed.cedar")).unwrap();
    place.write("data/policies/NONE.md", "Open again since the new law.");
    let server = Serving::start(&place, &[]);
    assert_eq!(read(&server), "200");
    assert!(server.stop());
}

#[test]
fn a_role_that_the_site_made_can_be_given() {
    let place = Place::new();
    let add = ["user", "add", "ada", "--display", "Ada", "--role", "student", "--no-password"];
    assert!(!place.run(&add).ok);
    place.write("data/policies/student.cedar", STUDENT);
    let said = place.run(&add);
    assert!(said.ok && said.out.contains("student"), "{said:?}");
    let why = ["policy", "why", "--user", "ada", "--action", "read", "--type", "Patient"];
    let said = place.run(&why);
    assert!(said.ok && said.out.contains("site-student permits it (student.cedar:2)"), "{said:?}");
}
