//! Items: small bodies under a shelf and a key, each with a version, which other rooms keep beside the
//! record (who may sign in, what they have open). An item is no record: it belongs to no patient, is
//! in no index, search or history, and the store does not know what it says (45 CFR 164.312(c)(1):
//! versions keep two changes from overwriting each other unseen).

use std::fmt;

/// Bytes of one key.
pub const ITEM_KEY_BYTES_MAX: usize = 512;
/// Bytes of one body: the 64 KiB of a shelf's own bound, and what sealing adds.
pub const ITEM_BODY_BYTES_MAX: usize = 65 << 10;
/// Items of one answer of [`crate::Store::item_scan`].
pub const ITEM_SCAN_MAX: usize = 1000;

/// What stands under a key.
#[derive(Clone, PartialEq, Eq)]
pub struct Item {
    /// 1 when it is first put, one more with each put.
    pub version: u64,
    /// Its bytes.
    pub body: Vec<u8>,
}

/// Bodies may hold keys, so only their length is printed.
impl fmt::Debug for Item {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Item {{ version: {}, bytes: {} }}", self.version, self.body.len())
    }
}

/// What a change does to its item.
#[derive(Clone, PartialEq, Eq)]
pub enum ItemAct {
    /// Puts a body there.
    Put(Vec<u8>),
    /// Takes the item away.
    Remove,
    /// Leaves it as it is, and holds the unit to its version.
    Keep,
}

/// Bodies are not printed.
impl fmt::Debug for ItemAct {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Put(_) => "Put",
            Self::Remove => "Remove",
            Self::Keep => "Keep",
        })
    }
}

/// One change of one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ItemChange {
    /// On which shelf.
    pub shelf: &'static str,
    /// Under which key.
    pub key: Vec<u8>,
    /// The version it was made for; `None` when there must be no item.
    pub replaces: Option<u64>,
    /// What to do.
    pub act: ItemAct,
}

impl ItemChange {
    /// Whether key and body are within their bounds.
    pub(crate) fn fits(&self) -> bool {
        let body = match &self.act {
            ItemAct::Put(body) => body.len(),
            ItemAct::Remove | ItemAct::Keep => 0,
        };
        (1..=ITEM_KEY_BYTES_MAX).contains(&self.key.len()) && body <= ITEM_BODY_BYTES_MAX
    }
}
