//! What browsers were asked and have not answered: challenges of passkeys, each for one person and one
//! answer, in bounded memory and for a few minutes (Web Authentication Level 3, 13.4.3: a challenge is
//! kept by the server and used once). A restart forgets them; the page asks anew.

use base::Millis;
use parking_lot::Mutex;

use crate::passkey::{Ask, Party};
use crate::principal::PrincipalId;
use crate::token::{ByDigest, Token, TokenDigest};

/// Challenges of people who are known, in all.
const KNOWN_MAX: usize = 4096;
/// Of one of them.
const EACH_MAX: usize = 8;
/// Challenges of people who are not known yet. Anybody may ask for one, so the oldest leaves for the
/// next one, and those of people who are known have room of their own.
const UNKNOWN_MAX: usize = 4096;

/// One challenge.
pub(crate) struct Ceremony {
    /// Who was asked; none where the passkey is to say it.
    pub(crate) of: Option<PrincipalId>,
    pub(crate) party: Party,
    pub(crate) ask: Ask,
    pub(crate) challenge: [u8; 32],
    pub(crate) until: Millis,
}

/// All that are waited for.
#[derive(Default)]
pub(crate) struct Ceremonies {
    known: Mutex<ByDigest<Ceremony>>,
    unknown: Mutex<ByDigest<Ceremony>>,
}

impl Ceremonies {
    /// Waits for an answer to one more. Whether there is room.
    pub(crate) fn wait(&self, handle: &Token, ceremony: Ceremony, now: Millis) -> bool {
        let (table, of) = match ceremony.of {
            Some(id) => (&self.known, Some(id)),
            None => (&self.unknown, None),
        };
        let mut table = table.lock();
        let max = if of.is_some() { EACH_MAX } else { UNKNOWN_MAX };
        if table.len() >= KNOWN_MAX.min(UNKNOWN_MAX) {
            table.retain(|_, ceremony| now < ceremony.until);
        }
        let own = |ceremony: &Ceremony| ceremony.of == of;
        if table.values().filter(|one| own(one)).count() >= max {
            let oldest = table.iter().filter(|(_, one)| own(one)).min_by_key(|(_, one)| one.until);
            let oldest: Option<TokenDigest> = oldest.map(|(digest, _)| *digest);
            oldest.and_then(|digest| table.remove(&digest));
        }
        if table.len() >= KNOWN_MAX {
            return false;
        }
        table.insert(handle.digest(), ceremony);
        true
    }

    /// Takes one out: whatever becomes of it, it is not answered twice.
    pub(crate) fn take(&self, handle: &str, now: Millis) -> Option<Ceremony> {
        let digest = Token::parse(handle)?.digest();
        let known = self.known.lock().remove(&digest);
        let found = known.or_else(|| self.unknown.lock().remove(&digest));
        found.filter(|ceremony| now < ceremony.until)
    }

    /// Forgets those of one person.
    pub(crate) fn forget(&self, id: PrincipalId) {
        self.known.lock().retain(|_, ceremony| ceremony.of != Some(id));
    }

    /// Forgets those that took too long.
    pub(crate) fn sweep(&self, now: Millis) {
        for table in [&self.known, &self.unknown] {
            table.lock().retain(|_, ceremony| now < ceremony.until);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Key;

    fn token(n: usize) -> Token {
        let mut bytes = [0; 32];
        bytes[..8].copy_from_slice(&n.to_le_bytes());
        Token::of(Key::new(bytes))
    }

    fn one(of: Option<PrincipalId>, until: usize) -> Ceremony {
        let until = i64::try_from(until).expect("soon");
        let party = Party::of("https://ehr.example").expect("a party");
        Ceremony { of, party, ask: Ask::Show, challenge: [7; 32], until: Millis(until) }
    }

    fn take(all: &Ceremonies, n: usize, now: i64) -> bool {
        all.take(token(n).text().expose(), Millis(now)).is_some()
    }

    #[test]
    fn a_challenge_is_taken_once_and_in_time() {
        let all = Ceremonies::default();
        let id = PrincipalId::new([1; 16]);
        for n in 0..3 {
            assert!(all.wait(&token(n), one(Some(id), 10), Millis(0)));
        }
        assert!(take(&all, 0, 9) && !take(&all, 0, 9), "once");
        assert!(!take(&all, 1, 10), "too late");
        all.forget(id);
        assert!(!take(&all, 2, 9), "forgotten");
    }

    #[test]
    fn whoever_asks_for_many_loses_only_their_own() {
        let all = Ceremonies::default();
        let (ada, bea) = (PrincipalId::new([1; 16]), PrincipalId::new([2; 16]));
        assert!(all.wait(&token(0), one(Some(bea), 10), Millis(0)));
        for n in 1..=9 {
            assert!(all.wait(&token(n), one(Some(ada), 10 + n), Millis(0)));
        }
        assert!(!take(&all, 1, 0), "the first of nine left");
        assert!(take(&all, 2, 0) && take(&all, 0, 0));
        for n in 0..UNKNOWN_MAX + 1 {
            assert!(all.wait(&token(100 + n), one(None, 10 + n), Millis(0)));
        }
        assert!(!take(&all, 100, 0) && take(&all, 101, 0), "strangers push out strangers");
        assert!(all.unknown.lock().len() <= UNKNOWN_MAX);
    }
}
