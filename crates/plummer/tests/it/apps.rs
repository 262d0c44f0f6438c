//! The apps of a site, as an operator registers them: on a folder at rest and in a running server.

use crate::people::masked;
use crate::run::Place;
use crate::serve::Serving;
use serde_json::Value;

const KEYS: &str = r#"{"keys":[{"kty":"EC","crv":"P-384","kid":"k1","alg":"ES384","x":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA","y":"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"}]}"#;
const CHART: [&str; 10] = [
    "app",
    "add",
    "chart",
    "--display",
    "Growth Chart",
    "--redirect",
    "https://app.example/cb",
    "--public",
    "--scope",
    "openid fhirUser launch/patient patient/*.rs",
];

fn json(place: &Place, args: &[&str]) -> Value {
    let said = place.run(&[args, &["--json"]].concat());
    assert!(said.ok, "{args:?}: {said:?}");
    serde_json::from_str(&said.out).unwrap()
}

/// As `masked`, and drawn secrets too.
fn shown(text: &str) -> String {
    let masked = masked(text);
    let line = |line: &str| match line.strip_prefix("secret: ") {
        Some(_) => "secret: <secret>\n".to_owned(),
        None => format!("{line}\n"),
    };
    masked.lines().map(line).collect()
}

#[test]
fn apps_and_services_are_kept_on_a_folder_at_rest() {
    let place = Place::new();
    place.write("keys.json", KEYS);
    place.write("private.json", &KEYS.replace("\"x\"", "\"d\":\"AAAA\",\"x\""));
    let mut text = String::new();
    let mut say = |args: &[&str]| {
        let said = place.run(args);
        text.push_str(&format!("$ plummer {}\n", args.join(" ")));
        text.push_str(&shown(&said.out));
        text.push_str(&shown(&said.err));
        text.push('\n');
    };
    say(&[&CHART[..], &["--launch", "https://app.example/launch"]].concat());
    say(&CHART);
    let web = ["app", "add", "web", "--display", "Portal", "--redirect", "https://web.example/cb"];
    say(&[&web[..], &["--secret", "--scope", "openid", "--scope", "user/*.rs"]].concat());
    let feed = ["app", "add", "feed", "--display", "Registry feed", "--scope", "system/Patient.rs"];
    say(&[&feed[..], &["--jwks", "keys.json"]].concat());
    say(&[&feed[..], &["--jwks", "keys.json", "--role", "system"]].concat());
    let other = ["app", "add", "other", "--display", "Other", "--role", "system"];
    say(&[&other[..], &["--scope", "system/Patient.rs", "--secret"]].concat());
    say(&[&other[..], &["--scope", "system/Patient.rs", "--jwks", "private.json"]].concat());
    say(&[&other[..], &["--scope", "system/Patient.rs", "--jwks", "none.json"]].concat());
    say(&[&other[..], &["--scope", "system/Patient.sr", "--jwks", "keys.json"]].concat());
    let url = ["--jwks-url", "https://other.example/keys.json"];
    say(&[&other[..], &["--scope", "system/*.rs"], &url].concat());
    let plain = ["--jwks-url", "http://other.example/keys.json"];
    say(&[&other[..], &["--scope", "system/*.rs"], &plain].concat());
    let lost = ["app", "add", "lost", "--display", "Lost", "--public", "--scope"];
    say(&[&lost[..], &["patient/*.rs"]].concat());
    say(&[&lost[..], &["patient/*.rs", "--redirect", "http://lost.example/cb"]].concat());
    say(&["app", "list"]);
    say(&["app", "show", "chart"]);
    say(&["app", "show", "FEED"]);
    say(&["app", "renew-secret", "web"]);
    say(&["app", "renew-secret", "chart"]);
    say(&["app", "disable", "chart", "--reason", "retired by its maker"]);
    say(&["app", "show", "chart"]);
    say(&["app", "enable", "chart"]);
    say(&["app", "show", "nobody"]);
    say(&["client", "add", "lab", "--display", "Laboratory"]);
    say(&["app", "show", "lab"]);
    insta::assert_snapshot!("apps", text);
}

#[test]
fn a_secret_is_told_once_and_another_replaces_it() {
    let place = Place::new();
    let web = ["app", "add", "web", "--display", "Portal", "--redirect", "https://web.example/cb"];
    let made = json(&place, &[&web[..], &["--secret", "--scope", "user/*.rs"]].concat());
    let secret = made["secret"].as_str().unwrap().to_owned();
    assert!(secret.len() > 40, "{secret}");
    let again = json(&place, &["app", "renew-secret", "web"]);
    assert_ne!(again["secret"], made["secret"]);
    assert_eq!(again["id"], made["id"]);
    let (listed, shown) = (json(&place, &["app", "list"]), json(&place, &["app", "show", "web"]));
    assert_eq!((&listed[0], &listed[0]["secret"]), (&shown, &Value::Null));
}

#[test]
fn an_app_registered_beside_a_running_server_is_known_to_it_at_once_and_shut_out_at_once() {
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    let made = json(&place, &CHART);
    let id = made["id"].as_str().unwrap();
    // What an app is asked before its user is: whether its address is registered.
    let ask = || {
        let path = format!(
            "/auth/authorize?response_type=code&client_id={id}&redirect_uri=https%3A%2F%2Fapp.example%2Fcb&state=state-of-sixteen-or-more"
        );
        server.ask("GET", &path, "")
    };
    let known = ask();
    assert!(known.contains("location: https://app.example/cb?error="), "{known}");
    assert!(place.run(&["app", "disable", "chart", "--reason", "stolen"]).ok);
    // It is believed for a second that an app may ask; what it was given ended already.
    std::thread::sleep(std::time::Duration::from_millis(1100));
    let gone = ask();
    assert!(gone.starts_with("HTTP/1.1 400") && !gone.contains("\nlocation:"), "{gone}");
    assert!(server.stop());
    let shown = json(&place, &["app", "show", "chart"]);
    assert_eq!(shown["disabled"][1], "stolen");
    let log = place.run(&["audit", "show", "--actor", "operator"]);
    assert!(log.ok && log.out.contains(id), "the log tells of it: {}", log.out);
    assert!(!log.out.contains("Growth Chart"));
}
