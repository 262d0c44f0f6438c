//! The tree: a Merkle tree over the events as RFC 6962, 2.1, builds it, so that one event can be shown
//! to be in the log without showing any other, and one state of the log to be the beginning of another.
//! Proofs are checked as RFC 9162, 2.1.3.2 and 2.1.4.2, say.

use std::io;

use hmac::{Hmac, Mac as _};
use keys::Secret;
use sha2::{Digest as _, Sha256};

use crate::chain::Hash;

/// Bytes of an event's salt.
pub const SALT_BYTES: usize = 16;
/// A proof never has more hashes: the path through a tree of 2^64 leaves.
pub const PATH_MAX: usize = 128;

/// The salts of the events: HMAC-SHA-256 of the event's number under a key of the tenant's, cut to 16
/// bytes. They are kept nowhere. A proof tells the one salt of its event; the hashes of its
/// neighbours, which it tells too, cannot be guessed at without theirs.
#[derive(Clone)]
pub struct Salts(Hmac<Sha256>);

impl Salts {
    /// The salts under the tenant's audit key.
    #[must_use]
    pub fn new(audit_key: &Secret) -> Self {
        // HMAC takes a key of any length.
        let derive = |key: &[u8]| Hmac::<Sha256>::new_from_slice(key).ok();
        let derived = derive(audit_key.expose()).map(|mut mac| {
            mac.update(b"plummer audit salts 1\n");
            mac.finalize().into_bytes()
        });
        let mac = derived.and_then(|key| derive(&key));
        Self(mac.unwrap_or_else(|| Hmac::new(&hmac::digest::Key::<Hmac<Sha256>>::default())))
    }

    /// The salt of event number `seq`.
    #[must_use]
    pub fn of(&self, seq: u64) -> [u8; SALT_BYTES] {
        let mut mac = self.0.clone();
        mac.update(&seq.to_be_bytes());
        mac.finalize().into_bytes().first_chunk().copied().unwrap_or_default()
    }

    /// The leaf of an event.
    #[must_use]
    pub fn leaf(&self, seq: u64, event: &[u8]) -> Hash {
        leaf(&self.of(seq), seq, event)
    }
}

impl std::fmt::Debug for Salts {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("‹secret›")
    }
}

/// The hash of a leaf: `SHA-256(0x00 || salt || number || event)`.
#[must_use]
pub fn leaf(salt: &[u8; SALT_BYTES], seq: u64, event: &[u8]) -> Hash {
    let mut sha = Sha256::new();
    // One update for what is short: the hasher then copies once.
    let mut head = [0u8; 1 + SALT_BYTES + 8];
    let (_, rest) = head.split_at_mut(1);
    let (to_salt, to_seq) = rest.split_at_mut(SALT_BYTES);
    to_salt.copy_from_slice(salt);
    to_seq.copy_from_slice(&seq.to_be_bytes());
    sha.update(head);
    sha.update(event);
    Hash(sha.finalize().into())
}

/// The hash of two hashes: `SHA-256(0x01 || left || right)`.
#[must_use]
pub fn node(left: &Hash, right: &Hash) -> Hash {
    let mut sha = Sha256::new();
    sha.update([1]);
    sha.update(left.0);
    sha.update(right.0);
    Hash(sha.finalize().into())
}

/// The root of the tree without leaves.
#[must_use]
pub fn empty_root() -> Hash {
    Hash(Sha256::digest(b"").into())
}

/// The right edge of a growing tree: all that is needed to add leaves and to tell the root.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    /// The roots of the whole subtrees, the largest first: one for each bit of the size.
    roots: Vec<Hash>,
}

impl Frontier {
    /// How many leaves there are.
    #[must_use]
    pub const fn size(&self) -> u64 {
        self.size
    }

    /// Adds a leaf.
    pub fn push(&mut self, leaf: Hash) {
        let (mut hash, mut bits) = (leaf, self.size);
        while bits & 1 == 1 {
            if let Some(left) = self.roots.pop() {
                hash = node(&left, &hash);
            }
            bits >>= 1;
        }
        self.roots.push(hash);
        self.size += 1;
    }

    /// The root.
    #[must_use]
    pub fn root(&self) -> Hash {
        let folded = self.roots.iter().rev().copied().reduce(|right, left| node(&left, &right));
        folded.unwrap_or_else(empty_root)
    }

    /// The frontier of the first `size` leaves of a tree that is kept.
    ///
    /// # Errors
    /// When the tree cannot be read.
    pub fn of(nodes: &dyn Nodes, size: u64) -> io::Result<Self> {
        let (mut roots, mut begin) = (Vec::new(), 0);
        for level in (0..u64::BITS).rev() {
            if size >> level & 1 == 1 {
                roots.push(nodes.subtree(level, begin >> level)?);
                begin += 1 << level;
            }
        }
        Ok(Self { size, roots })
    }
}

/// A tree that is kept.
pub trait Nodes {
    /// The root of the whole subtree of `2^level` leaves that begins with leaf `index << level`.
    fn subtree(&self, level: u32, index: u64) -> io::Result<Hash>;
}

/// The greatest power of two below `n`, which is above 1.
const fn split(n: u64) -> u64 {
    1 << (u64::BITS - 1 - (n - 1).leading_zeros())
}

/// The root of `count` leaves from `begin` on.
fn range(nodes: &dyn Nodes, begin: u64, count: u64) -> io::Result<Hash> {
    if count == 0 {
        return Ok(empty_root());
    }
    if count.is_power_of_two() {
        let level = count.trailing_zeros();
        return nodes.subtree(level, begin >> level);
    }
    let left = split(count);
    Ok(node(&range(nodes, begin, left)?, &range(nodes, begin + left, count - left)?))
}

/// The root of the first `size` leaves.
///
/// # Errors
/// When the tree cannot be read.
pub fn root(nodes: &dyn Nodes, size: u64) -> io::Result<Hash> {
    range(nodes, 0, size)
}

/// The path from leaf `index` to the root of the first `size` leaves.
///
/// # Errors
/// When the tree cannot be read, or has no such leaf.
pub fn inclusion(nodes: &dyn Nodes, index: u64, size: u64) -> io::Result<Vec<Hash>> {
    if index >= size {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the tree has no such leaf"));
    }
    let (mut path, mut at, mut begin, mut count) = (Vec::new(), index, 0, size);
    while count > 1 {
        let left = split(count);
        if at < left {
            path.push(range(nodes, begin + left, count - left)?);
            count = left;
        } else {
            path.push(range(nodes, begin, left)?);
            (at, begin, count) = (at - left, begin + left, count - left);
        }
    }
    path.reverse();
    Ok(path)
}

/// Whether `path` leads from leaf `index` to `root`, the root of `size` leaves.
#[must_use]
pub fn includes(leaf: Hash, index: u64, size: u64, path: &[Hash], root: &Hash) -> bool {
    if index >= size {
        return false;
    }
    let (mut at, mut last, mut hash) = (index, size - 1, leaf);
    for step in path {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            hash = node(step, &hash);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            hash = node(&hash, step);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && hash == *root
}

/// That the first `old` leaves are the beginning of the first `new`.
///
/// # Errors
/// When the tree cannot be read, or has fewer leaves.
pub fn consistency(nodes: &dyn Nodes, old: u64, new: u64) -> io::Result<Vec<Hash>> {
    if old > new {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "the older tree is the larger"));
    }
    let mut proof = Vec::new();
    if old == 0 || old == new {
        return Ok(proof);
    }
    let (mut old, mut begin, mut count, mut whole) = (old, 0, new, true);
    while old != count {
        let left = split(count);
        if old <= left {
            proof.push(range(nodes, begin + left, count - left)?);
            count = left;
        } else {
            proof.push(range(nodes, begin, left)?);
            (old, begin, count, whole) = (old - left, begin + left, count - left, false);
        }
    }
    if !whole {
        proof.push(range(nodes, begin, count)?);
    }
    proof.reverse();
    Ok(proof)
}

/// Whether `proof` shows that the tree of `old` leaves is the beginning of that of `new`.
#[must_use]
pub fn consistent(old: (u64, &Hash), new: (u64, &Hash), proof: &[Hash]) -> bool {
    let ((old_size, old_root), (new_size, new_root)) = (old, new);
    if old_size > new_size {
        return false;
    }
    if old_size == 0 || old_size == new_size {
        let same =
            if old_size == new_size { old_root == new_root } else { *old_root == empty_root() };
        return proof.is_empty() && same;
    }
    let (mut at, mut last) = (old_size - 1, new_size - 1);
    while at & 1 == 1 {
        (at, last) = (at >> 1, last >> 1);
    }
    let (first, rest) = if old_size.is_power_of_two() {
        (old_root, proof)
    } else {
        let Some((first, rest)) = proof.split_first() else { return false };
        (first, rest)
    };
    let (mut from_old, mut from_new) = (*first, *first);
    for step in rest {
        if last == 0 {
            return false;
        }
        if at & 1 == 1 || at == last {
            from_old = node(step, &from_old);
            from_new = node(step, &from_new);
            while at & 1 == 0 && at != 0 {
                (at, last) = (at >> 1, last >> 1);
            }
        } else {
            from_new = node(&from_new, step);
        }
        (at, last) = (at >> 1, last >> 1);
    }
    last == 0 && from_old == *old_root && from_new == *new_root
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The definition of RFC 6962, 2.1, word for word.
    fn mth(leaves: &[Hash]) -> Hash {
        match leaves {
            [] => empty_root(),
            [one] => *one,
            many => {
                let (left, right) =
                    many.split_at(usize::try_from(split(many.len() as u64)).unwrap());
                node(&mth(left), &mth(right))
            }
        }
    }

    struct Memory(Vec<Hash>);

    impl Nodes for Memory {
        fn subtree(&self, level: u32, index: u64) -> io::Result<Hash> {
            let begin = usize::try_from(index << level).unwrap();
            Ok(mth(&self.0[begin..begin + (1 << level)]))
        }
    }

    fn leaves(count: u64) -> Vec<Hash> {
        (0..count).map(|n| leaf(&[7; 16], n, b"event")).collect()
    }

    fn hex(text: &str) -> Hash {
        Hash::from_hex(text).unwrap()
    }

    /// The vectors of the Certificate Transparency reference code.
    #[test]
    fn roots_agree_with_the_vectors_of_certificate_transparency() {
        let inputs: [&[u8]; 8] = [
            b"",
            &[0x00],
            &[0x10],
            &[0x20, 0x21],
            &[0x30, 0x31],
            &[0x40, 0x41, 0x42, 0x43],
            &[0x50, 0x51, 0x52, 0x53, 0x54, 0x55, 0x56, 0x57],
            &[
                0x60, 0x61, 0x62, 0x63, 0x64, 0x65, 0x66, 0x67, 0x68, 0x69, 0x6a, 0x6b, 0x6c, 0x6d,
                0x6e, 0x6f,
            ],
        ];
        let mut frontier = Frontier::default();
        let mut roots = Vec::new();
        for input in inputs {
            let bytes: Vec<u8> = std::iter::once(0).chain(input.iter().copied()).collect();
            frontier.push(Hash(Sha256::digest(bytes).into()));
            roots.push(frontier.root());
        }
        assert_eq!(
            roots[0],
            hex("6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d")
        );
        assert_eq!(
            roots[1],
            hex("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125")
        );
        assert_eq!(
            roots[7],
            hex("5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328")
        );
        assert_eq!(
            empty_root(),
            hex("e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855")
        );
    }

    #[test]
    fn every_leaf_of_every_small_tree_is_proven_and_no_other() {
        for size in 1..=40 {
            let all = leaves(size);
            let memory = Memory(all.clone());
            let mut frontier = Frontier::default();
            all.iter().for_each(|leaf| frontier.push(*leaf));
            let root = mth(&all);
            assert_eq!(frontier.root(), root);
            assert_eq!(Frontier::of(&memory, size).unwrap(), frontier);
            for (index, leaf) in (0..).zip(&all) {
                let path = inclusion(&memory, index, size).unwrap();
                assert!(includes(*leaf, index, size, &path, &root));
                for other in (0..size).filter(|other| *other != index) {
                    assert!(
                        !includes(*leaf, other, size, &path, &root),
                        "{index} of {size} as {other}"
                    );
                }
                let mut longer = path.clone();
                longer.push(root);
                assert!(!includes(*leaf, index, size, &longer, &root));
                if let Some((_, shorter)) = path.split_first() {
                    assert!(!includes(*leaf, index, size, shorter, &root));
                }
            }
        }
    }

    #[test]
    fn every_beginning_of_every_small_tree_is_proven_and_no_other() {
        let all = leaves(40);
        for new in 0..=40u64 {
            let memory = Memory(all[..usize::try_from(new).unwrap()].to_vec());
            let new_root = mth(&memory.0);
            for old in 0..=new {
                let old_root = mth(&all[..usize::try_from(old).unwrap()]);
                let proof = consistency(&memory, old, new).unwrap();
                assert!(consistent((old, &old_root), (new, &new_root), &proof), "{old} of {new}");
                let other = node(&old_root, &old_root);
                assert!(!consistent((old, &other), (new, &new_root), &proof));
                if old != 0 {
                    assert!(!consistent((old, &old_root), (new, &other), &proof));
                    for at in 0..proof.len() {
                        let mut altered = proof.clone();
                        altered[at].0[3] ^= 1;
                        assert!(!consistent((old, &old_root), (new, &new_root), &altered));
                    }
                }
            }
        }
    }

    #[test]
    fn salts_differ_by_event_and_by_key_and_enter_the_leaf() {
        let salts = Salts::new(&Secret::take(&mut [1; 32]));
        let others = Salts::new(&Secret::take(&mut [2; 32]));
        assert_eq!(salts.of(7), Salts::new(&Secret::take(&mut [1; 32])).of(7));
        assert_ne!(salts.of(7), salts.of(8));
        assert_ne!(salts.of(7), others.of(7));
        assert_ne!(salts.leaf(7, b"e"), others.leaf(7, b"e"));
        assert_eq!(salts.leaf(7, b"e"), leaf(&salts.of(7), 7, b"e"));
        assert_eq!(format!("{salts:?}"), "‹secret›");
    }
}
