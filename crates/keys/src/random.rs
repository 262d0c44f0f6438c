//! Randomness for keys and nonces, as a parameter. `base::id::Random` is for ids; this is for
//! secrets, may fail, and must come from an approved generator (NIST SP 800-90A) in production.

use std::fmt::Debug;

use base::Fault;

use crate::fault::crypto;

/// A source of random bytes fit for keys.
pub trait CryptoRandom: Send + Sync + Debug {
    /// Fills `out`, or fails; after a failure `out` may be used for nothing.
    fn fill(&self, out: &mut [u8]) -> Result<(), Fault>;
}

/// The crypto library's generator, seeded by the operating system.
#[derive(Debug, Clone, Copy, Default)]
pub struct SystemRandom;

impl CryptoRandom for SystemRandom {
    fn fill(&self, out: &mut [u8]) -> Result<(), Fault> {
        aws_lc_rs::rand::fill(out).map_err(|_unspecified| crypto("drawing random bytes"))
    }
}
