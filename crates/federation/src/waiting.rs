//! Sign-ins that are under way: each for one browser, one issuer and ten minutes, answered once
//! (RFC 6749, 10.12; RFC 9700, 4.7; guard 28). They stand in memory, a bounded number; a restart
//! forgets them, and whoever was in the middle begins again.

use base::{Fault, Millis};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{CryptoRandom, Key, Secret};
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use std::collections::HashMap;
use subtle::ConstantTimeEq as _;

use crate::doubt::Doubt;

/// Sign-ins under way at once; one more ends the oldest.
const WAITING_MAX: usize = 10_000;
/// How long one may take.
const LIFE_MS: i64 = 10 * 60_000;
/// Bytes of what the door wants to be told again.
pub(crate) const NEXT_BYTES_MAX: usize = 256;

/// One sign-in under way.
#[derive(Debug, Clone)]
pub(crate) struct Waiting {
    pub(crate) issuer: usize,
    pub(crate) nonce: Secret,
    pub(crate) verifier: Secret,
    /// Where the issuer sends the browser back to, exactly.
    pub(crate) redirect: String,
    /// What the door wants to be told again.
    pub(crate) next: String,
    browser: [u8; 32],
    until: Millis,
}

/// What was drawn for one.
pub(crate) struct Drawn {
    pub(crate) state: Secret,
    pub(crate) browser: Secret,
    pub(crate) nonce: Secret,
    pub(crate) verifier: Secret,
}

impl Drawn {
    pub(crate) fn draw(random: &dyn CryptoRandom) -> Result<Self, Fault> {
        let text = || -> Result<Secret, Fault> {
            let key: Key<32> = Key::draw(random)?;
            Ok(Secret::new(URL_SAFE_NO_PAD.encode(key.expose())))
        };
        Ok(Self { state: text()?, browser: text()?, nonce: text()?, verifier: text()? })
    }
}

/// All of them, by the digest of their state.
#[derive(Debug, Default)]
pub(crate) struct Table(Mutex<HashMap<[u8; 32], Waiting>>);

impl Table {
    /// Keeps one.
    pub(crate) fn keep(
        &self,
        drawn: &Drawn,
        issuer: usize,
        redirect: &str,
        next: &str,
        now: Millis,
    ) {
        let waiting = Waiting {
            issuer,
            nonce: drawn.nonce.clone(),
            verifier: drawn.verifier.clone(),
            redirect: redirect.to_owned(),
            next: next.to_owned(),
            browser: digest(drawn.browser.expose()),
            until: Millis(now.0.saturating_add(LIFE_MS)),
        };
        let mut table = self.0.lock();
        table.retain(|_, waiting| waiting.waits(now));
        if table.len() >= WAITING_MAX {
            let oldest = table.iter().min_by_key(|(_, waiting)| waiting.until).map(|(key, _)| *key);
            oldest.and_then(|key| table.remove(&key));
        }
        table.insert(digest(drawn.state.expose()), waiting);
    }

    /// Takes out the one of this state, if it began in this browser. It is answered once, whatever
    /// comes of it.
    pub(crate) fn take(&self, state: &str, browser: &str, now: Millis) -> Result<Waiting, Doubt> {
        let waiting = self.0.lock().remove(&digest(state)).filter(|waiting| waiting.waits(now));
        let waiting = waiting.ok_or(Doubt::State)?;
        if bool::from(waiting.browser.ct_eq(&digest(browser))) {
            Ok(waiting)
        } else {
            Err(Doubt::Browser)
        }
    }
}

impl Waiting {
    /// Also not when the clock was turned back by more than it may take.
    fn waits(&self, now: Millis) -> bool {
        (1..=LIFE_MS).contains(&self.until.0.saturating_sub(now.0))
    }
}

fn digest(text: &str) -> [u8; 32] {
    Sha256::digest(text).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::atomic::{AtomicU64, Ordering};

    #[derive(Debug, Default)]
    struct Counted(AtomicU64);

    impl CryptoRandom for Counted {
        fn fill(&self, out: &mut [u8]) -> Result<(), Fault> {
            let n = self.0.fetch_add(1, Ordering::SeqCst).to_le_bytes();
            out.iter_mut().zip(n.iter().cycle()).for_each(|(slot, byte)| *slot = *byte);
            Ok(())
        }
    }

    #[test]
    fn a_state_is_answered_once_in_its_browser_and_in_time() {
        let (table, random) = (Table::default(), Counted::default());
        let begin = |now: i64| {
            let drawn = Drawn::draw(&random).expect("drawn");
            table.keep(&drawn, 0, "https://ehr.example/back", "", Millis(now));
            (drawn.state.expose().to_owned(), drawn.browser.expose().to_owned())
        };
        let take = |state: &str, browser: &str, now: i64| {
            table.take(state, browser, Millis(now)).map(|waiting| waiting.redirect)
        };
        let (state, browser) = begin(0);
        assert_eq!(take("another", &browser, 1), Err(Doubt::State));
        assert!(take(&state, &browser, 1).is_ok());
        assert_eq!(take(&state, &browser, 1), Err(Doubt::State), "once");
        let (state, browser) = begin(0);
        assert_eq!(take(&state, "another", 1), Err(Doubt::Browser));
        assert_eq!(take(&state, &browser, 1), Err(Doubt::State), "a wrong browser ends it");
        let (state, browser) = begin(0);
        assert_eq!(take(&state, &browser, LIFE_MS), Err(Doubt::State), "too late");
        let (state, browser) = begin(LIFE_MS * 3);
        assert_eq!(take(&state, &browser, 0), Err(Doubt::State), "the clock was turned back");
    }

    #[test]
    fn the_table_is_bounded_and_the_oldest_leaves() {
        let (table, random) = (Table::default(), Counted::default());
        let first = Drawn::draw(&random).expect("drawn");
        table.keep(&first, 0, "", "", Millis(0));
        for _ in 0..WAITING_MAX {
            table.keep(&Drawn::draw(&random).expect("drawn"), 0, "", "", Millis(1));
        }
        assert_eq!(table.0.lock().len(), WAITING_MAX);
        let taken = table.take(first.state.expose(), first.browser.expose(), Millis(1));
        assert_eq!(taken.map(|_| ()), Err(Doubt::State));
    }
}
