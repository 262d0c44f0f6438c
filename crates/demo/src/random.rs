//! Chance and identity: every draw and every id is a pure function of (seed, space, kind, n), so a
//! patient is the same whoever asks, in whatever order, on however many cores. Ids are shaped as
//! version-8 UUIDs (RFC 9562 section 5.8: vendor-made bits), because nothing in them is a time.

use base::id::{Random, Seeded, uuid_text};

/// The space of ids and draws that belong to the whole clinic.
pub(crate) const SHARED: u64 = u64::MAX;
/// Added to a pod's number to make its space.
pub(crate) const POD: u64 = 1 << 62;
/// Added to a block's number to make its space (families are drawn per block).
pub(crate) const BLOCK: u64 = 1 << 61;

/// A stream of draws.
#[derive(Debug, Clone)]
pub(crate) struct Rng(Seeded);

impl Rng {
    /// The stream for one purpose in one space.
    pub(crate) fn of(seed: u64, space: u64, purpose: &str) -> Self {
        Self(Seeded::new(mix(mix(seed, space), hash(purpose))))
    }

    /// A number in `0..n` (0 when `n` is 0).
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        let wide = u128::from(self.0.next_u64()) * u128::from(n);
        u64::try_from(wide >> 64).unwrap_or(0)
    }

    /// A number in `low..=high`.
    pub(crate) fn range(&mut self, low: i64, high: i64) -> i64 {
        let span = u64::try_from(high - low + 1).unwrap_or(0);
        low + i64::try_from(self.below(span)).unwrap_or(0)
    }

    /// True in `p` of a thousand draws.
    pub(crate) fn chance(&mut self, p: i64) -> bool {
        self.range(0, 999) < p
    }

    /// A bell-shaped draw around zero, in thousandths of a standard deviation, within ±3,464.
    pub(crate) fn bell(&mut self) -> i64 {
        let sum: i64 = (0..4).map(|_| self.range(-1000, 1000)).sum();
        sum * 866 / 1000
    }

    /// A value around `mid` with standard deviation `sd`.
    pub(crate) fn around(&mut self, mid: i64, sd: i64) -> i64 {
        mid + self.bell() * sd / 1000
    }

    /// One of a list that has at least one element.
    #[expect(clippy::indexing_slicing, reason = "the draw is below the length of a non-empty list")]
    pub(crate) fn pick<'a, T>(&mut self, list: &'a [T]) -> &'a T {
        &list[usize::try_from(self.below(u64::try_from(list.len()).unwrap_or(0))).unwrap_or(0)]
    }

    /// The position in `weights` of a draw in proportion to them.
    pub(crate) fn weighted(&mut self, weights: &[i64]) -> usize {
        let mut rest = self.range(0, weights.iter().sum::<i64>() - 1);
        for (i, w) in weights.iter().enumerate() {
            rest -= w;
            if rest < 0 {
                return i;
            }
        }
        0
    }
}

/// The id of resource `n` of a kind in a space.
pub(crate) fn ident(seed: u64, space: u64, kind: &str, n: u64) -> String {
    let mut random = Seeded::new(mix(mix(mix(seed, space), hash(kind)), n));
    let high = (random.next_u64() & 0xFFFF_FFFF_FFFF_0FFF) | 0x8000;
    let low = (random.next_u64() >> 2) | 0x8000_0000_0000_0000;
    let mut bytes = [0u8; 16];
    for (slot, byte) in
        bytes.iter_mut().zip(high.to_be_bytes().into_iter().chain(low.to_be_bytes()))
    {
        *slot = byte;
    }
    uuid_text(&bytes)
}

/// Folds `b` into `a`, every bit of either reaching every bit of the answer.
pub(crate) fn mix(a: u64, b: u64) -> u64 {
    Seeded::new(a.rotate_left(29) ^ b.wrapping_mul(0xD6E8_FEB8_6659_FD93)).next_u64()
}

fn hash(text: &str) -> u64 {
    text.bytes()
        .fold(0xCBF2_9CE4_8422_2325, |h, b| (h ^ u64::from(b)).wrapping_mul(0x0000_0100_0000_01B3))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn draws_stay_in_range_and_repeat() {
        let mut a = Rng::of(1, 2, "x");
        let mut b = Rng::of(1, 2, "x");
        for _ in 0..2000 {
            let v = a.range(-3, 9);
            assert!((-3..=9).contains(&v));
            assert_eq!(v, b.range(-3, 9));
        }
        assert_ne!(Rng::of(1, 2, "y").below(u64::MAX), Rng::of(1, 2, "x").below(u64::MAX));
        assert!((0..5000).all(|_| a.bell().abs() <= 3464));
    }

    #[test]
    fn ids_are_uuids_and_differ_by_every_part() {
        let one = ident(1, 2, "Patient", 3);
        assert_eq!(one.len(), 36);
        assert_eq!(one.get(14..15), Some("8"));
        for other in [
            ident(2, 2, "Patient", 3),
            ident(1, 3, "Patient", 3),
            ident(1, 2, "Person", 3),
            ident(1, 2, "Patient", 4),
        ] {
            assert_ne!(one, other);
        }
    }
}
