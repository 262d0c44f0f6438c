//! A wrapped key, byte by byte: which key of the token wrapped it, the nonce, and what came of it.
//! `docs/internals/keys.md` has it as a table.

use base::Fault;
use base::error::code;

const MAGIC: &[u8; 8] = b"plumhsm\n";
const VERSION: u8 = 1;
/// Bytes of a nonce.
pub(crate) const NONCE_BYTES: usize = 12;
/// Bytes of a key under AES-GCM, its tag behind it.
pub(crate) const SEALED_BYTES: usize = 32 + 16;
const BYTES: usize = 8 + 1 + 4 + NONCE_BYTES + SEALED_BYTES;

/// A wrapped key, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Wrapped {
    /// The number of the key that wrapped it.
    pub(crate) number: u32,
    pub(crate) nonce: [u8; NONCE_BYTES],
    pub(crate) sealed: [u8; SEALED_BYTES],
}

impl Wrapped {
    pub(crate) fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(BYTES);
        out.extend_from_slice(MAGIC);
        out.push(VERSION);
        out.extend_from_slice(&self.number.to_be_bytes());
        out.extend_from_slice(&self.nonce);
        out.extend_from_slice(&self.sealed);
        out
    }

    pub(crate) fn decode(bytes: &[u8]) -> Result<Self, Fault> {
        let parts = || {
            let rest = bytes.strip_prefix(MAGIC)?.strip_prefix(&[VERSION])?;
            let (number, rest) = rest.split_first_chunk()?;
            let (nonce, sealed) = rest.split_first_chunk()?;
            let number = u32::from_be_bytes(*number);
            Some(Self { number, nonce: *nonce, sealed: sealed.try_into().ok()? })
        };
        let what = "the tenant's key was not wrapped by a token";
        parts().ok_or_else(|| Fault::new(&code::KEYS_STORE_CORRUPT, what))
    }
}

/// By which key of its label a tenant's key was wrapped; `None` when no token wrapped it.
#[must_use]
pub fn version(wrapped: &[u8]) -> Option<u32> {
    Wrapped::decode(wrapped).ok().map(|wrapped| wrapped.number)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn the_worked_example_of_a_key_wrapped_by_a_token_is_as_the_page_says() {
        let wrapped = Wrapped { number: 2, nonce: [3; 12], sealed: [4; 48] };
        let hex: String = wrapped.encode().iter().map(|b| format!("{b:02x}")).collect();
        let page = include_str!("../../../docs/internals/keys.md");
        // Beside the bytes stands what they are.
        let bytes = page.lines().filter_map(|line| line.split("   ").next());
        let on_page: String = bytes.flat_map(str::split_whitespace).collect();
        assert!(on_page.contains(&hex[..50]), "{}", &hex[..50]);
        assert_eq!(wrapped.encode().len(), BYTES);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..100)) {
            let _: Option<u32> = version(&bytes);
            let begun = [&MAGIC[..], &[VERSION], &bytes].concat();
            if let Ok(wrapped) = Wrapped::decode(&begun) {
                prop_assert_eq!(wrapped.encode(), begun);
            }
        }

        #[test]
        fn what_is_written_is_read(number: u32, nonce: [u8; 12], byte: u8) {
            let wrapped = Wrapped { number, nonce, sealed: [byte; 48] };
            prop_assert_eq!(Wrapped::decode(&wrapped.encode()).unwrap(), wrapped);
        }
    }
}
