//! New ids. A server-assigned FHIR id is a version-7 UUID (RFC 9562): it begins with the time, so
//! new records lie beside each other in every index. Time and randomness come in as parameters.

use crate::time::Millis;

/// A source of random bits. Production seeds it from the operating system; tests from a number.
pub trait Random: Send + std::fmt::Debug {
    /// Sixty-four fresh bits.
    fn next_u64(&mut self) -> u64;
}

/// A small deterministic generator (SplitMix64): for tests, sampling and synthetic data, never for
/// secrets.
#[derive(Debug, Clone)]
pub struct Seeded(u64);

impl Seeded {
    /// Starts at `seed`; equal seeds give equal sequences.
    pub const fn new(seed: u64) -> Self {
        Self(seed)
    }
}

impl Random for Seeded {
    fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
}

/// The sixteen bytes of a version-7 UUID made of `now` and `random`.
pub fn uuid_v7(now: Millis, random: &mut dyn Random) -> [u8; 16] {
    let ms = now.0.cast_unsigned() & 0xFFFF_FFFF_FFFF;
    let (a, b) = (random.next_u64(), random.next_u64());
    let high = (ms << 16) | 0x7000 | (a & 0x0FFF);
    let low = (b >> 2) | 0x8000_0000_0000_0000;
    let mut bytes = [0; 16];
    for (slot, byte) in
        bytes.iter_mut().zip(high.to_be_bytes().into_iter().chain(low.to_be_bytes()))
    {
        *slot = byte;
    }
    bytes
}

/// The canonical lower-case text of sixteen UUID bytes.
pub fn uuid_text(bytes: &[u8; 16]) -> String {
    const HEX: [char; 16] =
        ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'a', 'b', 'c', 'd', 'e', 'f'];
    let mut out = String::with_capacity(36);
    for (i, byte) in bytes.iter().enumerate() {
        if matches!(i, 4 | 6 | 8 | 10) {
            out.push('-');
        }
        for nibble in [byte >> 4, byte & 15] {
            out.push(HEX.get(usize::from(nibble)).copied().unwrap_or('0'));
        }
    }
    out
}

/// The sixteen bytes of a UUID in canonical lower-case text, or `None` if it is any other text.
pub fn uuid_bytes(text: &str) -> Option<[u8; 16]> {
    if text.len() != 36 {
        return None;
    }
    let mut bytes = [0u8; 16];
    let mut slots = bytes.iter_mut();
    let mut high: Option<u8> = None;
    for (i, c) in text.bytes().enumerate() {
        if matches!(i, 8 | 13 | 18 | 23) {
            if c != b'-' {
                return None;
            }
            continue;
        }
        let nibble = match c {
            b'0'..=b'9' => c - b'0',
            b'a'..=b'f' => c - b'a' + 10,
            _ => return None,
        };
        match high.take() {
            None => high = Some(nibble << 4),
            Some(h) => *slots.next()? = h | nibble,
        }
    }
    Some(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn uuids_round_trip_and_sort_by_time() {
        let mut random = Seeded::new(7);
        let a = uuid_text(&uuid_v7(Millis(1_000), &mut random));
        let b = uuid_text(&uuid_v7(Millis(2_000), &mut random));
        assert!(a < b);
        assert_eq!(a.get(14..15), Some("7"));
        assert_eq!(uuid_bytes(&a).map(|x| uuid_text(&x)), Some(a));
        assert_eq!(uuid_bytes("ABCDEF00-0000-0000-0000-000000000000"), None, "upper case is text");
    }
}
