//! Mutations: small damage to bytes, pieces moved, doubled and taken from other inputs, words of the
//! language put in, and numbers at the edges.

use conformance::random::Random;

/// Longer inputs are cut: what is wrong with a long input is mostly wrong with a short one.
const LENGTH_MAX: usize = 64 << 10;
/// Mutations of one mutant at most.
const STEPS_MAX: u64 = 6;
/// Numbers at the edges of types, and of decimals.
const EDGES: [&str; 14] = [
    "0",
    "-1",
    "255",
    "65536",
    "2147483647",
    "-2147483648",
    "4294967296",
    "9223372036854775807",
    "-9223372036854775808",
    "18446744073709551616",
    "1e400",
    "1E-400",
    "0.00000000000000000000000001",
    "99999999999999999999999999999999999999999",
];

/// Makes mutants.
#[derive(Debug)]
pub(crate) struct Mutator {
    random: Random,
    words: &'static [&'static str],
}

impl Mutator {
    pub(crate) fn new(random: Random, words: &'static [&'static str]) -> Self {
        Self { random, words }
    }

    /// A mutant of one of these.
    pub(crate) fn mutant(&mut self, corpus: &[Vec<u8>]) -> Vec<u8> {
        let mut input = self.random.pick(corpus).cloned().unwrap_or_default();
        for _ in 0..=self.random.below(STEPS_MAX) {
            self.step(&mut input, corpus);
        }
        input.truncate(LENGTH_MAX);
        input
    }

    fn step(&mut self, input: &mut Vec<u8>, corpus: &[Vec<u8>]) {
        let at = self.random.index(input.len() + 1);
        match self.random.below(12) {
            0 => {
                let bit = 1_u8 << self.random.below(8);
                if let Some(byte) = input.get_mut(at) {
                    *byte ^= bit;
                }
            }
            1 => {
                let byte = u8::try_from(self.random.below(256)).unwrap_or(0);
                input.insert(at, byte);
            }
            2 => drop(input.splice(self.piece(input, 8), [])),
            3 => drop(input.splice(self.piece(input, 256), [])),
            4 | 5 => {
                let word = self.random.pick(self.words).copied().unwrap_or("");
                let place = if self.random.once_in(2) { at..at } else { self.piece(input, 12) };
                input.splice(place, word.bytes());
            }
            6 => {
                let edge = self.random.pick(&EDGES).copied().unwrap_or("");
                let place = number(input, at).unwrap_or(at..at);
                input.splice(place, edge.bytes());
            }
            7 | 8 => {
                let piece = self.copy(input);
                input.splice(at..at, piece);
            }
            9 | 10 => {
                let other = self.random.pick(corpus).cloned().unwrap_or_default();
                let piece = self.copy(&other);
                let place = if self.random.once_in(2) { at..at } else { self.piece(input, 64) };
                input.splice(place, piece);
            }
            _ => {
                // Deep nesting and long repeats are what limits are for.
                let piece = self.copy(input);
                let times = 1 + self.random.index(80);
                let room = LENGTH_MAX / piece.len().max(1);
                input.splice(at..at, piece.repeat(times.min(room)));
            }
        }
    }

    /// A range of at most `most` bytes.
    fn piece(&mut self, input: &[u8], most: usize) -> std::ops::Range<usize> {
        let start = self.random.index(input.len() + 1);
        let length = self.random.index(most + 1);
        start..(start + length).min(input.len())
    }

    fn copy(&mut self, input: &[u8]) -> Vec<u8> {
        let piece = self.piece(input, 128);
        input.get(piece).unwrap_or(&[]).to_vec()
    }
}

/// The number around or after a place.
fn number(input: &[u8], at: usize) -> Option<std::ops::Range<usize>> {
    let digit = |b: &u8| b.is_ascii_digit();
    let start = at + input.get(at..)?.iter().position(digit)?;
    let length = input.get(start..)?.iter().take_while(|b| digit(b)).count();
    Some(start..start + length)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutants_are_many_bounded_and_repeatable() {
        let corpus = [b"{\"a\": 12}".to_vec(), Vec::new(), vec![b'x'; LENGTH_MAX]];
        let mut one = Mutator::new(Random::new(5), &["null"]);
        let mut two = Mutator::new(Random::new(5), &["null"]);
        let mut seen = std::collections::HashSet::new();
        for _ in 0..2000 {
            let mutant = one.mutant(&corpus);
            assert_eq!(mutant, two.mutant(&corpus));
            assert!(mutant.len() <= LENGTH_MAX);
            seen.insert(mutant);
        }
        assert!(seen.len() > 1500, "{}", seen.len());
        assert_eq!(number(b"ab123c", 0), Some(2..5));
        assert_eq!(number(b"abc", 0), None);
    }
}
