//! What an authenticator shows (RFC 6238), for a visitor who has one.

use aws_lc_rs::hmac;
use base::Clock as _;
use base::time::SystemClock;
use identity::{Caller, Identity, Secret};

/// Enrols an authenticator for whoever is signed in; one of the recovery codes.
pub(crate) fn enrol(identity: &Identity, caller: &Caller) -> String {
    let enrolment = identity.enrol_totp(caller).unwrap();
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let values: Vec<u64> =
        enrolment.key.expose().chars().map(|c| alphabet.find(c).unwrap() as u64).collect();
    let mut key = Vec::new();
    for eight in values.chunks(8) {
        let word = eight.iter().fold(0u64, |word, five| (word << 5) | five);
        key.extend_from_slice(&word.to_be_bytes()[3..]);
    }
    let now = SystemClock.now().0 / 1000;
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &key);
    let sum = hmac::sign(&key, &(now / 30).to_be_bytes());
    let sum = sum.as_ref();
    let at = usize::from(sum[19] & 15);
    let word = u32::from_be_bytes(sum[at..at + 4].try_into().unwrap()) & 0x7FFF_FFFF;
    let code = Secret::new(format!("{:06}", word % 1_000_000));
    identity.confirm_totp(caller, &code).unwrap()[0].expose().to_owned()
}
