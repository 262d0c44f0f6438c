//! What must not be seen: passwords, keys and codes, which print as `‹secret›` and are wiped when
//! dropped, and the source of randomness they are drawn from (NIST SP 800-63B 5.1).

use base::id::{Random, uuid_v7};
use base::{Fault, Millis};
use zeroize::Zeroize as _;

pub use keys::{CryptoRandom, SecretBytes as Key, SecretText as Secret};

/// A new version-7 UUID whose random part comes from the source of secrets.
pub(crate) fn new_uuid(now: Millis, random: &dyn CryptoRandom) -> Result<[u8; 16], Fault> {
    let mut drawn = [0; 16];
    random.fill(&mut drawn)?;
    let mut bits = Drawn(u128::from_le_bytes(drawn));
    drawn.zeroize();
    Ok(uuid_v7(now, &mut bits))
}

/// Hands out bits that were drawn before, for [`uuid_v7`] asks for exactly two words.
#[derive(Debug)]
struct Drawn(u128);

impl Random for Drawn {
    #[expect(clippy::cast_possible_truncation, reason = "the low word is what is wanted")]
    fn next_u64(&mut self) -> u64 {
        let word = self.0 as u64;
        self.0 >>= 64;
        word
    }
}
