//! What is kept of broken glasses, so that a restart neither takes away an hour that was given nor gives
//! anybody a new day (45 CFR 164.312(a)(2)(ii)): one item for each principal, on a shelf of its own.

use super::Broken;
use base::error::code;
use base::{Fault, Millis};
use std::collections::HashMap;
use store::Store;

/// The shelf.
pub(super) const SHELF: &str = "glass";
const VERSION: u8 = 1;
/// Items of one scan.
const SCAN: usize = 500;
/// Breakings of one item; far more than one principal may have in a day.
const MANY_MAX: usize = 64;

/// One breaking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Breaking {
    pub(super) at: Millis,
    pub(super) session: [u8; 16],
    pub(super) broken: Broken,
}

/// The body of an item: a version, and for each breaking when (8), until when (8), the session (16), and
/// the patient's id behind its length (1).
pub(super) fn encode(all: &[Breaking]) -> Vec<u8> {
    let mut out = vec![VERSION];
    for one in all.iter().rev().take(MANY_MAX).rev() {
        out.extend_from_slice(&one.at.0.to_be_bytes());
        out.extend_from_slice(&one.broken.until.0.to_be_bytes());
        out.extend_from_slice(&one.session);
        let patient = one.broken.patient.as_bytes();
        // An id has at most 64 characters.
        out.push(u8::try_from(patient.len()).unwrap_or(u8::MAX));
        out.extend_from_slice(patient);
    }
    out
}

/// What [`encode`] made.
pub(super) fn decode(body: &[u8]) -> Result<Vec<Breaking>, Fault> {
    let odd = || Fault::new(&code::STORE_CORRUPT, "what is kept of broken glasses is not whole");
    let mut rest = body.strip_prefix(&[VERSION]).ok_or_else(odd)?;
    let mut all = Vec::new();
    while !rest.is_empty() {
        let (one, after) = breaking(rest).filter(|_| all.len() < MANY_MAX).ok_or_else(odd)?;
        all.push(one);
        rest = after;
    }
    Ok(all)
}

fn breaking(bytes: &[u8]) -> Option<(Breaking, &[u8])> {
    let (at, rest) = bytes.split_first_chunk::<8>()?;
    let (until, rest) = rest.split_first_chunk::<8>()?;
    let (session, rest) = rest.split_first_chunk::<16>()?;
    let (length, rest) = rest.split_first()?;
    let (patient, rest) = rest.split_at_checked(usize::from(*length))?;
    let patient = std::str::from_utf8(patient).ok()?.to_owned();
    let broken = Broken { patient, until: Millis(i64::from_be_bytes(*until)) };
    Some((Breaking { at: Millis(i64::from_be_bytes(*at)), session: *session, broken }, rest))
}

/// The glasses that are still broken, by session: of one session, the last.
pub(super) fn load(store: &Store, now: Millis) -> Result<HashMap<[u8; 16], Broken>, Fault> {
    let mut open = HashMap::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let found = store.item_scan(SHELF, b"", after.as_deref(), SCAN)?;
        let whole = found.len() == SCAN;
        after = found.last().map(|(key, _)| key.clone());
        for (_, item) in found {
            for one in decode(&item.body)? {
                open.insert(one.session, one.broken);
            }
        }
        if !whole {
            open.retain(|_, broken| broken.holds(now));
            return Ok(open);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn one(at: i64, session: u8, patient: &str) -> Breaking {
        let broken = Broken { patient: patient.to_owned(), until: Millis(at + 5) };
        Breaking { at: Millis(at), session: [session; 16], broken }
    }

    #[test]
    fn what_is_kept_is_what_was_broken() {
        let all = vec![one(1, 1, "ann"), one(2, 1, "bob"), one(-3, 2, "")];
        assert_eq!(decode(&encode(&all)).unwrap(), all);
        assert_eq!(decode(&encode(&[])).unwrap(), []);
        let many: Vec<_> = (0..80).map(|n| one(n, 1, "ann")).collect();
        assert_eq!(decode(&encode(&many)).unwrap(), many[16..]);
    }

    proptest! {
        #[test]
        fn strange_bodies_are_refused_and_never_panic(
            body in proptest::collection::vec(any::<u8>(), 0..200),
            cut: prop::sample::Index,
        ) {
            if let Ok(all) = decode(&body) {
                prop_assert_eq!(encode(&all), body);
            }
            let whole = encode(&[one(1, 1, "ann")]);
            let cut = 2 + cut.index(whole.len() - 2);
            prop_assert!(decode(&whole[..cut]).is_err());
        }
    }
}
