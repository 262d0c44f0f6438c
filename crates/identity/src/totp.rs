//! Time-based one-time passwords (RFC 6238 over RFC 4226): HMAC-SHA-1, six digits, thirty seconds,
//! the form every authenticator reads. Which step was used is the caller's to keep, so that no code
//! is taken twice.

use base::Millis;
use hmac::{Hmac, Mac as _};
use sha1::Sha1;
use subtle::ConstantTimeEq as _;

use crate::secret::{Key, Secret};

/// Milliseconds of one step.
const STEP_MS: i64 = 30_000;
/// Steps by which the other clock may differ, either way.
const DRIFT_STEPS: i64 = 1;
/// Digits of a code.
const DIGITS: u32 = 6;
const BASE32: &[u8; 32] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";

/// The key shared with an authenticator: as many bytes as HMAC-SHA-1 is wide.
pub(crate) type TotpKey = Key<20>;

/// The step whose code `typed` is, if it is within the drift and after `last_step`.
///
/// Every step is computed whatever is typed, so that the time tells nothing.
pub(crate) fn accept(key: &TotpKey, typed: &str, now: Millis, last_step: i64) -> Option<i64> {
    let typed: String = typed.chars().filter(|c| *c != ' ').take(DIGITS as usize + 1).collect();
    let present = now.0.div_euclid(STEP_MS);
    let mut found = None;
    for step in present.saturating_sub(DRIFT_STEPS)..=present.saturating_add(DRIFT_STEPS) {
        let same: bool = code(key, step, DIGITS).as_bytes().ct_eq(typed.as_bytes()).into();
        if same && step > last_step && step >= 0 {
            found = found.or(Some(step));
        }
    }
    found
}

/// The code of a step: RFC 4226, section 5.3.
fn code(key: &TotpKey, step: i64, digits: u32) -> String {
    // HMAC takes a key of any length.
    let Ok(mut mac) = Hmac::<Sha1>::new_from_slice(key.expose()) else { return String::new() };
    mac.update(&step.to_be_bytes());
    let sum: [u8; 20] = mac.finalize().into_bytes().into();
    let at = usize::from(sum.last().copied().unwrap_or(0) & 15);
    let word = sum.iter().skip(at).take(4).fold(0u32, |word, byte| (word << 8) | u32::from(*byte));
    let number = (word & 0x7FFF_FFFF) % 10u32.pow(digits);
    format!("{number:0width$}", width = digits as usize)
}

/// The key as an authenticator takes it when it is typed in.
pub(crate) fn base32(key: &TotpKey) -> Secret {
    let mut text = String::with_capacity(32);
    for five in key.expose().chunks(5) {
        let bits = five.iter().fold(0u64, |bits, byte| (bits << 8) | u64::from(*byte));
        for shift in (0..8).rev() {
            let index = usize::try_from((bits >> (shift * 5)) & 31).unwrap_or(0);
            text.push(char::from(BASE32.get(index).copied().unwrap_or(b'A')));
        }
    }
    Secret::new(text)
}

/// The address an authenticator reads from a picture.
pub(crate) fn address(key: &TotpKey, issuer: &str, name: &str) -> Secret {
    let (issuer, name) = (escape(issuer), escape(name));
    let key = base32(key);
    Secret::new(format!(
        "otpauth://totp/{issuer}:{name}?secret={}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
        key.expose()
    ))
}

/// Percent-encodes all but the unreserved characters (RFC 3986, 2.3).
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~') {
            out.push(char::from(byte));
        } else {
            out.push_str(&format!("%{byte:02X}"));
        }
    }
    out
}

#[cfg(test)]
pub(crate) fn code_at(key: &TotpKey, now: Millis) -> String {
    code(key, now.0.div_euclid(STEP_MS), DIGITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> TotpKey {
        Key::new(*b"12345678901234567890")
    }

    #[test]
    fn the_vectors_of_rfc_6238_hold() {
        for (seconds, expected) in [
            (59, "94287082"),
            (1_111_111_109, "07081804"),
            (1_111_111_111, "14050471"),
            (1_234_567_890, "89005924"),
            (2_000_000_000, "69279037"),
            (20_000_000_000, "65353130"),
        ] {
            assert_eq!(code(&key(), seconds / 30, 8), expected, "{seconds}");
        }
    }

    #[test]
    fn the_vectors_of_rfc_4226_hold() {
        let expected = [
            "755224", "287082", "359152", "969429", "338314", "254676", "287922", "162583",
            "399871", "520489",
        ];
        for (step, expected) in (0..).zip(expected) {
            assert_eq!(code(&key(), step, 6), expected, "{step}");
        }
    }

    #[test]
    fn a_code_is_taken_one_step_early_or_late_and_no_further() {
        let now = Millis(1_111_111_109_000);
        let step = now.0 / STEP_MS;
        for (drift, taken) in [(-2, false), (-1, true), (0, true), (1, true), (2, false)] {
            let typed = code(&key(), step + drift, 6);
            let accepted = accept(&key(), &typed, now, 0);
            assert_eq!(accepted, taken.then_some(step + drift), "{drift}");
        }
    }

    #[test]
    fn a_used_step_and_those_before_it_are_refused() {
        let now = Millis(1_111_111_109_000);
        let step = now.0 / STEP_MS;
        assert_eq!(accept(&key(), &code(&key(), step, 6), now, step), None);
        assert_eq!(accept(&key(), &code(&key(), step - 1, 6), now, step), None);
        assert_eq!(accept(&key(), &code(&key(), step + 1, 6), now, step), Some(step + 1));
    }

    #[test]
    fn spaces_are_passed_over_and_anything_else_refused() {
        let now = Millis(1_111_111_109_000);
        let good = code_at(&key(), now);
        assert!(accept(&key(), &format!("{} {}", &good[..3], &good[3..]), now, 0).is_some());
        for bad in ["", "1", &format!("{good}0"), &good[..5], "００００００"] {
            assert_eq!(accept(&key(), bad, now, 0), None, "{bad}");
        }
    }

    #[test]
    fn the_address_is_what_authenticators_read() {
        assert_eq!(base32(&key()).expose(), "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ");
        assert_eq!(
            address(&key(), "Riverside Clinic", "ada@clinic.example").expose(),
            "otpauth://totp/Riverside%20Clinic:ada%40clinic.example?secret=\
             GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ&issuer=Riverside%20Clinic&algorithm=SHA1&digits=6&period=30"
        );
    }
}
