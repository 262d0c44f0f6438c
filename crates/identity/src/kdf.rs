//! What a person types is kept as argon2id (RFC 9106; NIST SP 800-63B 5.1.1.2), with the cost it
//! was made at beside it, and no more of it runs at once than memory was set aside for.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use argon2::{Algorithm, Argon2, Block, Params, Version};
use base::Fault;
use base::error::code;
use serde::{Deserialize, Serialize};
use zeroize::Zeroize as _;

use crate::body;
use crate::secret::{CryptoRandom, Key};

/// Memory one hash may ask for, so that a damaged item cannot take the machine.
const MEMORY_KIB_MAX: u32 = 1 << 20;
/// Passes one hash may ask for.
const PASSES_MAX: u32 = 64;
/// Lanes one hash may ask for.
const LANES_MAX: u32 = 16;

/// What one hash costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cost {
    /// Memory, in KiB.
    #[serde(rename = "m")]
    pub memory_kib: u32,
    /// Passes over it.
    #[serde(rename = "t")]
    pub passes: u32,
    /// Lanes.
    #[serde(rename = "p")]
    pub lanes: u32,
}

impl Default for Cost {
    /// 64 MiB in three passes: the second choice of RFC 9106, with one lane, since a server has
    /// other work for its other cores.
    fn default() -> Self {
        Self { memory_kib: 64 << 10, passes: 3, lanes: 1 }
    }
}

impl Cost {
    /// The least there is, for tests.
    pub const LEAST: Self = Self { memory_kib: 8, passes: 1, lanes: 1 };

    pub(crate) fn params(self) -> Option<Params> {
        let bounded = self.memory_kib <= MEMORY_KIB_MAX
            && self.passes <= PASSES_MAX
            && self.lanes <= LANES_MAX;
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(32)).ok();
        params.filter(|_| bounded)
    }

    /// How many hashes of this cost fit in so many bytes; at least one.
    pub fn at_once(self, memory_bytes: usize) -> usize {
        let each = usize::try_from(self.memory_kib).unwrap_or(usize::MAX).saturating_mul(1024);
        (memory_bytes / each.max(1)).max(1)
    }
}

/// The hash of one typed secret, with what it takes to repeat it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Hash {
    pub(crate) cost: Cost,
    #[serde(with = "body::bytes")]
    pub(crate) salt: [u8; 16],
    #[serde(with = "body::key")]
    pub(crate) hash: Key<32>,
}

impl Hash {
    pub(crate) fn sound(&self) -> bool {
        self.cost.params().is_some()
    }
}

/// Runs argon2id, at most so many at once.
#[derive(Debug)]
pub(crate) struct Kiln {
    cost: Cost,
    slots: Arc<AtomicUsize>,
}

impl Kiln {
    /// One that hashes at `cost`, with so many slots. A caller with more work than slots waits
    /// before it comes here (a semaphore of the same count); here it is refused, not queued.
    pub(crate) fn new(cost: Cost, slots: usize) -> Result<Self, Fault> {
        if cost.params().is_none() || slots == 0 {
            return Err(crate::principal::invalid(
                "cost",
                "The cost of a password is out of bounds.",
            ));
        }
        Ok(Self { cost, slots: Arc::new(AtomicUsize::new(slots)) })
    }

    /// What a new hash costs.
    pub(crate) const fn cost(&self) -> Cost {
        self.cost
    }

    /// Takes a slot, to be held while hashing.
    pub(crate) fn enter(&self) -> Result<Slot, Fault> {
        let taken = self
            .slots
            .fetch_update(Ordering::AcqRel, Ordering::Acquire, |free| free.checked_sub(1));
        if taken.is_err() {
            let say = "Too many people are signing in at this moment. Try again in a few seconds.";
            return Err(Fault::new(&code::OVERLOADED, say));
        }
        Ok(Slot(Arc::clone(&self.slots)))
    }

    /// A fresh hash of `typed` at the present cost.
    pub(crate) fn hash(
        &self,
        typed: &str,
        random: &dyn CryptoRandom,
        slot: &Slot,
    ) -> Result<Hash, Fault> {
        let mut salt = [0; 16];
        random.fill(&mut salt)?;
        self.hash_with(typed, salt, slot)
    }

    pub(crate) fn hash_with(
        &self,
        typed: &str,
        salt: [u8; 16],
        slot: &Slot,
    ) -> Result<Hash, Fault> {
        Ok(Hash { cost: self.cost, salt, hash: run(typed, &salt, self.cost, slot)? })
    }

    /// Whether `typed` is what was hashed. Without a hash it does the same work and says no.
    pub(crate) fn verify(
        &self,
        typed: &str,
        against: Option<&Hash>,
        slot: &Slot,
    ) -> Result<bool, Fault> {
        let (cost, salt) = against.map_or((self.cost, [0; 16]), |hash| (hash.cost, hash.salt));
        let made = run(typed, &salt, cost, slot)?;
        Ok(against.is_some_and(|hash| hash.hash == made))
    }
}

/// The right to hash, given back when dropped.
#[derive(Debug)]
pub(crate) struct Slot(Arc<AtomicUsize>);

impl Drop for Slot {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::AcqRel);
    }
}

pub(crate) fn run(
    typed: &str,
    salt: &[u8; 16],
    cost: Cost,
    _held: &Slot,
) -> Result<Key<32>, Fault> {
    let params = cost.params().ok_or_else(body::damaged)?;
    let mut blocks = vec![Block::default(); params.block_count()];
    let argon = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
    let mut out = [0; 32];
    let done = argon.hash_password_into_with_memory(typed.as_bytes(), salt, &mut out, &mut blocks);
    blocks.iter_mut().for_each(Block::zeroize);
    done.ok().ok_or_else(|| Fault::new(&code::INTERNAL, "A password could not be hashed."))?;
    Ok(Key::new(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slots_bound_what_runs_at_once() {
        let kiln = Kiln::new(Cost::LEAST, 2).expect("a kiln");
        let (first, second) = (kiln.enter().expect("one"), kiln.enter().expect("two"));
        assert_eq!(kiln.enter().expect_err("full").code().name, "server.busy");
        drop(first);
        let third = kiln.enter().expect("a slot was given back");
        assert!(kiln.enter().is_err());
        drop((second, third));
        assert!(kiln.enter().is_ok());
    }

    #[test]
    fn memory_tells_how_many_fit() {
        assert_eq!(Cost::default().at_once(256 << 20), 4);
        assert_eq!(Cost::default().at_once(1), 1);
    }

    #[test]
    fn a_hash_holds_its_own_cost_and_salt() {
        let dear = Cost { memory_kib: 32, passes: 2, lanes: 1 };
        let kiln = Kiln::new(dear, 1).expect("a kiln");
        let slot = kiln.enter().expect("a slot");
        let made = kiln.hash_with("correct horse", [3; 16], &slot).expect("a hash");
        drop(slot);
        let cheap = Kiln::new(Cost::LEAST, 1).expect("a kiln");
        let slot = cheap.enter().expect("a slot");
        assert!(cheap.verify("correct horse", Some(&made), &slot).expect("verified"));
        assert!(!cheap.verify("correct horsf", Some(&made), &slot).expect("verified"));
        assert!(!cheap.verify("correct horse", None, &slot).expect("verified"));
    }

    #[test]
    fn a_cost_out_of_bounds_is_refused() {
        for cost in [
            Cost { memory_kib: MEMORY_KIB_MAX + 1, passes: 1, lanes: 1 },
            Cost { memory_kib: 64, passes: PASSES_MAX + 1, lanes: 1 },
            Cost { memory_kib: 4, passes: 1, lanes: 1 },
            Cost { memory_kib: 8, passes: 0, lanes: 1 },
        ] {
            assert!(Kiln::new(cost, 1).is_err(), "{cost:?}");
        }
        assert!(Kiln::new(Cost::LEAST, 0).is_err());
    }
}
