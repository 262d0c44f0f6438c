//! What a service, or somebody in its place, may not do to us, and what it refuses us: each has its
//! name, and what will not change by asking is asked once.

use crate::place::{Place, TENANT};
use base::error::code;
use egress::Trust;
use keys::{Kms as _, Secret};
use std::os::unix::fs::PermissionsExt as _;
use std::time::Duration;

fn key() -> Secret {
    Secret::take(&mut [5; 32])
}

/// An answer of this status with headers and a body.
fn answer(status: u16, headers: &str, body: &str) -> Option<Vec<u8>> {
    let length = body.len();
    let text = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n{body}");
    Some(text.into_bytes())
}

#[test]
fn a_wrong_token_is_denied_and_not_shown_again() {
    let place = Place::new();
    place.fake.world().tokens.clear();
    let fault = place.transit().wrap(&key(), &TENANT).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_KMS_DENIED, "{fault}");
    assert_eq!((place.fake.world().asked.len(), place.waits()), (1, 0));
}

#[test]
fn a_policy_that_leaves_decrypting_out_is_denied() {
    let place = Place::new();
    place.fake.world().may = (true, false);
    let wrapped = place.transit().wrap(&key(), &TENANT).unwrap();
    let fault = place.transit().unwrap(&wrapped, &TENANT).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_KMS_DENIED, "{fault}");
}

#[test]
fn an_altered_wrapped_key_is_refused_wherever_it_was_altered() {
    let place = Place::new();
    let transit = place.transit();
    let wrapped = transit.wrap(&key(), &TENANT).unwrap();
    for at in [0, 6, 9, 20, wrapped.len() - 3] {
        let mut altered = wrapped.clone();
        altered[at] = if altered[at] == b'A' { b'B' } else { b'A' };
        let fault = transit.unwrap(&altered, &TENANT).unwrap_err();
        let codes = [&code::KEYS_KMS_REFUSED, &code::KEYS_STORE_CORRUPT];
        assert!(codes.contains(&fault.code()), "{at}: {fault}");
    }
    let fault = transit.unwrap(&[7; 40], &TENANT).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_STORE_CORRUPT, "what a file wrapped is not sent there");
    assert_eq!(place.waits(), 0);
}

#[test]
fn a_key_that_is_not_there_is_missing_and_none_is_made_by_asking() {
    let place = Place::new();
    place.fake.world().versions.clear();
    let fault = place.transit().wrap(&key(), &TENANT).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_KMS_MISSING, "{fault}");
    assert_eq!(place.count("/encrypt/"), 0);
    place.fake.world().versions.push(1);
    let wrapped = place.transit().wrap(&key(), &TENANT).unwrap();
    place.fake.world().versions.clear();
    let fault = place.transit().unwrap(&wrapped, &TENANT).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_KMS_MISSING, "{fault}");
}

#[test]
fn a_key_that_binds_nothing_to_a_tenant_is_not_used() {
    let place = Place::new();
    place.fake.world().derived = false;
    let fault = place.transit().wrap(&key(), &TENANT).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_KMS_UNFIT, "{fault}");
    assert_eq!(place.count("/encrypt/"), 0);
}

#[test]
fn a_slow_answer_is_given_up() {
    let place = Place::new();
    place.fake.world().slow = Duration::from_millis(900);
    let config = transit::Config { timeout_ms: 300, ..place.config() };
    let fault = place.with(config, &place.trust()).ask().unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_KMS_UNREACHABLE, "{fault}");
    assert!(fault.to_string().contains("longer than the limit"), "{fault}");
}

#[test]
fn an_answer_larger_than_any_should_be_is_refused() {
    let place = Place::new();
    place.fake.world().instead =
        answer(200, "", &format!("{{\"data\":\"{}\"}}", "x".repeat(70_000)));
    let fault = place.transit().ask().unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_KMS_ANSWER, "{fault}");
}

#[test]
fn a_redirect_is_named_and_not_followed() {
    let place = Place::new();
    let to = "Location: https://elsewhere.example/v1/transit/keys/plummer\r\n";
    place.fake.world().instead = answer(307, to, "");
    let fault = place.transit().wrap(&key(), &TENANT).unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_KMS_UNREACHABLE);
    assert!(fault.to_string().contains("points to another"), "{fault}");
    assert_eq!((place.fake.world().asked.len(), place.waits()), (1, 0));
}

#[test]
fn something_that_is_no_such_service_is_named() {
    let place = Place::new();
    for body in ["<html>Welcome</html>", "{}", "{\"data\":{\"type\":1}}"] {
        place.fake.world().instead = answer(200, "", body);
        let fault = place.transit().ask().unwrap_err();
        assert_eq!(fault.code(), &code::KEYS_KMS_ANSWER, "{body}: {fault}");
    }
    place.fake.world().instead = Some(b"SSH-2.0-OpenSSH_9.6\r\n".to_vec());
    let fault = place.transit().ask().unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_KMS_ANSWER, "{fault}");
}

#[test]
fn who_is_known_by_no_authority_of_the_site_is_shown_no_token() {
    let place = Place::new();
    let other = Place::new();
    for trust in [Trust::default(), other.trust()] {
        let fault = place.with(place.config(), &trust).wrap(&key(), &TENANT).unwrap_err();
        assert_eq!(fault.code(), &code::KEYS_KMS_UNREACHABLE);
        assert!(fault.to_string().contains("prove who it is"), "{fault}");
    }
    assert!(place.fake.world().asked.is_empty());
    assert_eq!(place.waits(), 0);
}

#[test]
fn a_name_that_leads_nowhere_is_unreachable_and_waited_for() {
    let place = Place::new();
    let address = "https://gone.hospital.example".to_owned();
    let transit = place.with(transit::Config { address, ..place.config() }, &place.trust());
    let fault = transit.wrap(&key(), &TENANT).unwrap_err();
    assert_eq!((fault.code(), place.waits()), (&code::KEYS_KMS_UNREACHABLE, 6));
}

#[test]
fn a_token_that_others_may_read_is_not_used() {
    let place = Place::new();
    let transit = place.transit();
    let path = place.secret("token", "good");
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
    let fault = transit.ask().unwrap_err();
    assert_eq!(fault.code(), &code::KEYS_ROOT_PERMISSIONS, "{fault}");
    for text in ["", "\n", "two\nlines", &"x".repeat(5000)] {
        place.secret("token", text);
        let fault = transit.ask().unwrap_err();
        assert_eq!(fault.code(), &code::KEYS_KMS_SECRET, "{text:.9}: {fault}");
        assert!(!fault.to_string().contains("two"), "{fault}");
    }
    assert!(place.fake.world().asked.is_empty());
}

#[test]
fn nothing_that_is_secret_is_printed() {
    let place = Place::new();
    let transit = place.transit();
    place.secret("token", "hvs.secret");
    place.fake.world().tokens = vec!["hvs.secret".to_owned()];
    transit.wrap(&key(), &TENANT).unwrap();
    place.fake.world().tokens.clear();
    let fault = transit.ask().unwrap_err();
    let told = format!("{transit:?} {:?} {fault} {fault:?}", transit.standing());
    assert!(!told.contains("hvs") && !told.contains("BQUF"), "{told}");
}
