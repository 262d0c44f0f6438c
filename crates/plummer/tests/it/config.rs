//! Settings as an operator sets them.

use crate::run::Place;

#[test]
fn values_are_shown_with_their_source() {
    let place = Place::new();
    place.write("plummer.toml", "page_max = 50\ncors_origins = [\"https://a.example\"]\n");
    let args = ["config", "show", "--config", "plummer.toml", "--page-default", "10"];
    let output = place.command(&args).env("PLUMMER_SYNC", "relaxed").output().unwrap();
    let out = String::from_utf8(output.stdout).unwrap();
    let line = |name: &str| out.lines().find(|l| l.starts_with(name)).unwrap().to_owned();
    assert!(line("page_max ").ends_with("= 50  (plummer.toml)"), "{out}");
    assert!(line("page_default ").ends_with("= 10  (flag)"));
    assert!(line("sync ").ends_with("= relaxed  (environment)"));
    assert!(line("listen ").ends_with("(default)"));
    assert!(line("cors_origins ").contains("https://a.example"));
}

#[test]
fn what_makes_no_sense_is_refused_by_name() {
    let place = Place::new();
    place.write("wrong.toml", "lisen = \"127.0.0.1:1\"\n");
    place.write("type.toml", "page_max = [1]\n");
    for (args, told) in [
        (vec!["--config", "wrong.toml"], "did you mean listen?"),
        (vec!["--config", "type.toml"], "page_max"),
        (vec!["--config", "none.toml"], "cannot read none.toml"),
        (vec!["--listen", "0.0.0.0:8080"], "speaks TLS only"),
        (vec!["--plaintext-waiver", "2020-01-31 the proxy speaks TLS"], "the waiver is over"),
        (vec!["--tls-key", "tls.key"], "tls_key needs tls_certificate"),
        (vec!["--listen", "somewhere"], "listen"),
        (vec!["--page-default", "100", "--page-max", "10"], "page_default is above page_max"),
        (vec!["--base-url", "ehr.example"], "base_url"),
        (vec!["--cors-origins", "*"], "cors_origins"),
    ] {
        let mut all = vec!["config", "check"];
        all.extend(args);
        let said = place.run(&all);
        assert!(!said.ok && said.err.contains(told), "{all:?}: {said:?}");
    }
    assert!(place.run(&["config", "check"]).ok);
}

const ISSUER: &str = r#"
base_url = "https://ehr.example/fhir"
[[oidc]]
name = "st"
label = "St. Elsewhere"
issuer = "https://id.example/realm"
client_id = "plummer"
client_secret_file = "secret"
link = true
roles = [{ claim = "groups", value = "nurses", role = "nurse" }]
"#;

#[test]
fn an_issuer_is_checked_before_anybody_is_sent_there() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    place.write("secret", "geheim\n");
    let mode = |mode: u32| {
        let permissions = std::fs::Permissions::from_mode(mode);
        std::fs::set_permissions(place.path("secret"), permissions).unwrap();
    };
    let check = |text: &str| {
        place.write("plummer.toml", text);
        place.run(&["config", "check", "--config", "plummer.toml"])
    };
    mode(0o600);
    let said = check(ISSUER);
    assert!(said.ok, "{said:?}");
    let said = check(&format!("local_sign_in = false\n{ISSUER}"));
    assert!(said.ok, "{said:?}");
    for (from, to, told) in [
        ("base_url = \"https://", "base_url = \"http://", "base_url by https"),
        ("https://id.example/realm", "http://id.example/realm", "issuer of the issuer st"),
        ("role = \"nurse\"", "role = \"nurze\"", "nurze is no role"),
        ("role = \"nurse\"", "role = \"it-administrator\"", "no issuer makes one"),
        ("link = true", "link = false", "nobody could ever sign in"),
        ("link = true", "lnk = true", "lnk"),
        ("client_secret_file = \"secret\"", "client_secret = \"geheim\"", "client_secret"),
        ("\"secret\"", "\"nowhere\"", "nowhere"),
    ] {
        let said = check(&ISSUER.replacen(from, to, 1));
        assert!(!said.ok && said.err.contains(told), "{to}: {said:?}");
        assert!(!said.err.contains("geheim"), "{said:?}");
    }
    let said = check("local_sign_in = false\n");
    assert!(!said.ok && said.err.contains("nobody could sign in"), "{said:?}");
    mode(0o644);
    let said = check(ISSUER);
    assert!(!said.ok && said.err.contains("may be read by others"), "{said:?}");
}

#[test]
fn the_version_is_told() {
    let place = Place::new();
    let version = format!("plummer {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(place.run(&["version"]).out, version);
}
