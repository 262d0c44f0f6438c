//! Cursors: sealed with AES-256-GCM under a key of this store, so that they can be neither read nor
//! made by anybody else, and hold nothing a URL may not show.

use aes_gcm::aead::{Aead, KeyInit};
use aes_gcm::{Aes256Gcm, Key, Nonce};
use base::id::Random;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rusqlite::{Connection, OptionalExtension};

/// The store's key, made at its first opening.
pub(super) fn key(conn: &Connection, random: &mut dyn Random) -> rusqlite::Result<[u8; 32]> {
    let stored: Option<[u8; 32]> = conn
        .query_row("SELECT value FROM meta WHERE key = 'cursor_key'", [], |r| r.get(0))
        .optional()?;
    if let Some(key) = stored {
        return Ok(key);
    }
    let mut key = [0u8; 32];
    // The system's source decides; the seeded one only adds, so that tests need no system source.
    if getrandom::fill(&mut key).is_err() {
        for chunk in key.chunks_mut(8) {
            for (slot, byte) in chunk.iter_mut().zip(random.next_u64().to_le_bytes()) {
                *slot = byte;
            }
        }
    }
    conn.execute("INSERT INTO meta (key, value) VALUES ('cursor_key', ?)", [key.as_slice()])?;
    Ok(key)
}

/// Seals.
pub(super) fn seal(key: &[u8; 32], salt: u64, plain: &[u8]) -> String {
    let mut nonce = [0u8; 12];
    if getrandom::fill(&mut nonce).is_err() {
        for (slot, byte) in nonce.iter_mut().zip(salt.to_le_bytes()) {
            *slot = byte;
        }
    }
    let cipher = Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key));
    let mut out = nonce.to_vec();
    if let Ok(sealed) = cipher.encrypt(Nonce::from_slice(&nonce), plain) {
        out.extend(sealed);
    }
    URL_SAFE_NO_PAD.encode(out)
}

/// Opens; `None` when it was not sealed with this key.
pub(super) fn unseal(key: &[u8; 32], text: &str) -> Option<Vec<u8>> {
    let bytes = URL_SAFE_NO_PAD.decode(text).ok()?;
    let (nonce, sealed) = bytes.split_first_chunk::<12>()?;
    let cipher = Aes256Gcm::new(Key::<Aes256Gcm>::from_slice(key));
    cipher.decrypt(Nonce::from_slice(nonce), sealed).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_same_key_opens_and_nothing_is_readable() {
        let text = seal(&[7; 32], 1, b"name=secretive");
        assert_eq!(unseal(&[7; 32], &text).as_deref(), Some(&b"name=secretive"[..]));
        assert_eq!(unseal(&[8; 32], &text), None);
        let mut changed = text.clone().into_bytes();
        changed[20] ^= 1;
        assert_eq!(unseal(&[7; 32], &String::from_utf8_lossy(&changed)), None);
        assert!(!text.contains("secret"));
    }
}
