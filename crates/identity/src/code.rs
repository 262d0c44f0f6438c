//! Codes a person reads off and types in: twelve characters of an alphabet without look-alikes, in
//! groups of four, 60 bits. They serve as recovery codes and as the claim code, and are kept as
//! argon2id like all that is typed (NIST SP 800-63B 5.1.2, look-up secrets).

use base::Fault;
use zeroize::Zeroizing;

use crate::secret::{CryptoRandom, Key, Secret};

/// Digits and letters that are not taken for one another: no 0, 1, I or O. There are 32, so five
/// bits choose one without bias.
const ALPHABET: &[u8; 32] = b"23456789ABCDEFGHJKLMNPQRSTUVWXYZ";
/// Characters of a code.
const LENGTH: usize = 12;
/// Characters of a group.
const GROUP: usize = 4;
/// Bytes of typed text that are looked at.
const TYPED_MAX: usize = 64;

/// Draws a code, as it is printed: `K7PM-3XQ9-RTVA`.
pub(crate) fn draw(random: &dyn CryptoRandom) -> Result<Secret, Fault> {
    let drawn = Key::<LENGTH>::draw(random)?;
    let mut text = String::with_capacity(LENGTH + 2);
    for (at, byte) in drawn.expose().iter().enumerate() {
        if at > 0 && at % GROUP == 0 {
            text.push('-');
        }
        let letter = ALPHABET.get(usize::from(byte & 31)).copied().unwrap_or(b'2');
        text.push(char::from(letter));
    }
    Ok(Secret::new(text))
}

/// What is hashed of what was typed: the twelve characters, whatever their case and whatever spaces
/// or hyphens stand among them. `None` when it cannot be a code.
pub(crate) fn fold(typed: &str) -> Option<Zeroizing<String>> {
    if typed.len() > TYPED_MAX {
        return None;
    }
    let mut text = Zeroizing::new(String::with_capacity(TYPED_MAX));
    text.extend(typed.chars().filter(|c| !matches!(c, ' ' | '-')).map(|c| c.to_ascii_uppercase()));
    let sound = text.len() == LENGTH && text.bytes().all(|b| ALPHABET.contains(&b));
    sound.then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Same(u8);

    impl CryptoRandom for Same {
        fn fill(&self, out: &mut [u8]) -> Result<(), Fault> {
            for (at, byte) in out.iter_mut().enumerate() {
                *byte = self.0.wrapping_mul(7).wrapping_add(u8::try_from(at).unwrap_or(0));
            }
            Ok(())
        }
    }

    #[test]
    fn a_code_is_printed_in_groups_and_read_in_any_manner() {
        let code = draw(&Same(0)).expect("a code");
        assert_eq!(code.expose(), "2345-6789-ABCD");
        for typed in ["2345-6789-ABCD", "23456789abcd", " 2345 6789 abcd "] {
            assert_eq!(fold(typed).expect("a code").as_str(), "23456789ABCD", "{typed}");
        }
        for typed in ["", "2345-6789-ABC", "2345-6789-ABCDE", "1345-6789-ABCD", "2345-6789-ABCÖ"] {
            assert!(fold(typed).is_none(), "{typed}");
        }
        assert!(fold(&"-".repeat(100)).is_none());
    }

    #[test]
    fn every_byte_draws_a_character_of_the_alphabet() {
        for seed in 0..=255 {
            assert!(fold(draw(&Same(seed)).expect("a code").expose()).is_some());
        }
    }
}
