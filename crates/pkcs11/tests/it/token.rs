//! What a token holds for us, and what it is not asked twice.

use crate::place::{PIN, with_a_token};
use base::error::code;
use cryptoki::object::Attribute;
use keys::{Kms as _, Secret};
use pkcs11::{Config, version};
use std::path::PathBuf;

const TENANT: [u8; 16] = [0x7e; 16];

fn key() -> Secret {
    Secret::take(&mut [5; 32])
}

#[test]
fn a_key_is_wrapped_by_the_token_and_unwrapped_again_for_its_tenant_alone() {
    let name = "token::a_key_is_wrapped_by_the_token_and_unwrapped_again_for_its_tenant_alone";
    with_a_token(name, |place| {
        place.make("plummer", &[1], &[]);
        let token = place.token();
        let wrapped = token.wrap(&key(), &TENANT).unwrap();
        assert_eq!((wrapped.len(), version(&wrapped)), (73, Some(1)));
        assert!(!wrapped.windows(8).any(|w| w == [5; 8]), "the key is in the open");
        assert_ne!(wrapped, token.wrap(&key(), &TENANT).unwrap(), "a nonce is used once");
        assert_eq!(token.unwrap(&wrapped, &TENANT).unwrap().expose(), key().expose());
        let again = place.token();
        assert_eq!(again.unwrap(&wrapped, &TENANT).unwrap().expose(), key().expose());
        let other = token.unwrap(&wrapped, &[1; 16]).unwrap_err();
        assert_eq!(other.code(), &code::KEYS_KMS_REFUSED, "{other}");
        let standing = token.standing();
        assert_eq!((standing.holder, standing.version), ("pkcs11", Some(1)));
        assert_eq!(standing.name, "key plummer on token clinic");
    });
}

#[test]
fn an_altered_wrapped_key_is_refused_by_the_token_wherever_it_was_altered() {
    let name = "token::an_altered_wrapped_key_is_refused_by_the_token_wherever_it_was_altered";
    with_a_token(name, |place| {
        place.make("plummer", &[1], &[]);
        let token = place.token();
        let wrapped = token.wrap(&key(), &TENANT).unwrap();
        for at in 0..wrapped.len() {
            let mut altered = wrapped.clone();
            altered[at] ^= 1;
            let fault = token.unwrap(&altered, &TENANT).unwrap_err();
            let expected = match at {
                0..9 => &code::KEYS_STORE_CORRUPT,
                9..13 => &code::KEYS_KMS_MISSING,
                _ => &code::KEYS_KMS_REFUSED,
            };
            assert_eq!(fault.code(), expected, "byte {at}: {fault}");
        }
        assert_eq!(token.unwrap(&wrapped, &TENANT).unwrap().expose(), key().expose());
    });
}

#[test]
fn the_newest_key_of_the_label_wraps_and_an_older_one_still_unwraps() {
    let name = "token::the_newest_key_of_the_label_wraps_and_an_older_one_still_unwraps";
    with_a_token(name, |place| {
        place.make("plummer", &[9], &[]);
        place.make("another", &[200], &[]);
        let old = place.token().wrap(&key(), &TENANT).unwrap();
        place.make("plummer", &[1, 0], &[]);
        let token = place.token();
        let new = token.wrap(&key(), &TENANT).unwrap();
        assert_eq!((version(&old), version(&new)), (Some(9), Some(256)));
        for wrapped in [&old, &new] {
            assert_eq!(token.unwrap(wrapped, &TENANT).unwrap().expose(), key().expose());
        }
        assert_eq!(token.version_of(&new), token.standing().version);
        place.make("plummer", &[0, 9], &[]);
        let fault = place.token().ask().unwrap_err();
        assert_eq!(fault.code(), &code::KEYS_KMS_UNFIT, "two are number 9: {fault}");
    });
}

#[test]
fn a_key_that_can_be_taken_out_or_is_weak_is_not_used() {
    let name = "token::a_key_that_can_be_taken_out_or_is_weak_is_not_used";
    with_a_token(name, |place| {
        let token = place.token();
        assert_eq!(token.ask().unwrap_err().code(), &code::KEYS_KMS_MISSING);
        for (wrong, word) in [
            (Attribute::Extractable(true), "taken out"),
            (Attribute::Sensitive(false), "taken out"),
            (Attribute::ValueLen(16.into()), "256 bits"),
            (Attribute::Decrypt(false), "may not"),
        ] {
            place.make("plummer", &[1], std::slice::from_ref(&wrong));
            let fault = token.wrap(&key(), &TENANT).unwrap_err();
            assert_eq!(fault.code(), &code::KEYS_KMS_UNFIT, "{wrong:?}: {fault}");
            assert!(fault.to_string().contains(word), "{fault}");
            place.clear();
        }
        place.make("plummer", &[1; 5], &[]);
        assert_eq!(token.ask().unwrap_err().code(), &code::KEYS_KMS_UNFIT, "no number");
        place.clear();
        place.make("plummer", &[], &[]);
        assert_eq!(version(&token.wrap(&key(), &TENANT).unwrap()), Some(0), "one without an id");
    });
}

#[test]
fn a_pin_that_was_refused_is_not_shown_again_until_there_is_another() {
    let name = "token::a_pin_that_was_refused_is_not_shown_again_until_there_is_another";
    with_a_token(name, |place| {
        place.make("plummer", &[1], &[]);
        let token = place.token();
        place.secret("000000");
        let fault = token.ask().unwrap_err();
        assert_eq!(fault.code(), &code::KEYS_KMS_DENIED, "{fault}");
        assert!(!fault.to_string().contains("000000"), "{fault}");
        // The token would take it now, and is not asked.
        let session = place.operator();
        session.set_pin(&PIN.to_owned().into(), &"000000".to_owned().into()).unwrap();
        drop(session);
        assert_eq!(token.ask().unwrap_err().code(), &code::KEYS_KMS_DENIED);
        place.secret("000000\n");
        assert_eq!(token.ask().unwrap_err().code(), &code::KEYS_KMS_DENIED, "it is the same PIN");
        let other = place.token();
        place.secret("000000");
        let again = other.ask().unwrap_err();
        assert_eq!(again.code(), &code::KEYS_KMS_DENIED, "nor by another of this process");
        place.secret("111111");
        drop(other);
        assert_eq!(token.ask().unwrap_err().code(), &code::KEYS_KMS_DENIED, "another, also wrong");
        place.secret("000000");
        token.ask().unwrap();
    });
}

/// Linux tells what is loaded.
#[cfg(target_os = "linux")]
#[test]
fn a_module_stays_loaded_when_what_it_was_asked_failed() {
    let name = "token::a_module_stays_loaded_when_what_it_was_asked_failed";
    with_a_token(name, |place| {
        let maps = || std::fs::read_to_string("/proc/self/maps").unwrap();
        let is_loaded = || maps().contains("libsofthsm2");
        assert!(!is_loaded());
        let token = place.token();
        assert_eq!(token.ask().unwrap_err().code(), &code::KEYS_KMS_MISSING);
        drop(token);
        assert!(is_loaded(), "its threads would go on in memory that was given back");
    });
}

#[test]
fn a_session_that_is_gone_is_opened_anew_once() {
    let name = "token::a_session_that_is_gone_is_opened_anew_once";
    with_a_token(name, |place| {
        place.make("plummer", &[1], &[]);
        let token = place.token();
        let wrapped = token.wrap(&key(), &TENANT).unwrap();
        place.pull();
        assert_eq!(token.unwrap(&wrapped, &TENANT).unwrap().expose(), key().expose());
        place.pull();
        place.secret("000000");
        assert_eq!(token.unwrap(&wrapped, &TENANT).unwrap_err().code(), &code::KEYS_KMS_DENIED);
        assert_eq!(token.standing().failure.unwrap().code(), &code::KEYS_KMS_DENIED);
        place.secret(PIN);
        assert_eq!(token.unwrap(&wrapped, &TENANT).unwrap().expose(), key().expose());
    });
}

#[test]
fn a_token_or_module_that_is_not_there_is_named() {
    let name = "token::a_token_or_module_that_is_not_there_is_named";
    with_a_token(name, |place| {
        for (config, expected) in [
            (Config { token: "other".to_owned(), ..place.config() }, &code::KEYS_KMS_UNREACHABLE),
            (
                Config { module: PathBuf::from("/nowhere.so"), ..place.config() },
                &code::KEYS_KMS_UNFIT,
            ),
            (Config { key: "other".to_owned(), ..place.config() }, &code::KEYS_KMS_MISSING),
        ] {
            let fault = place.with(config).ask().unwrap_err();
            assert_eq!(fault.code(), expected, "{fault}");
        }
        let told = format!("{:?}", place.token());
        assert!(!told.contains(PIN), "{told}");
    });
}
