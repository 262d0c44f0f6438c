//! What the connections of this process to one database share: locks, and the index of its log. A node
//! is found by the database's path and gone with its last connection.

use crate::locks::{Held, Level, Locks, SLOTS};
use crate::memory::Regions;
use parking_lot::Mutex;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, LazyLock, Weak};

/// One database.
#[derive(Debug, Default)]
pub(crate) struct Node {
    locks: Mutex<Locks>,
    pub(crate) regions: Mutex<Regions>,
}

static NODES: LazyLock<Mutex<HashMap<PathBuf, Weak<Node>>>> = LazyLock::new(Mutex::default);

/// One connection's part in it.
#[derive(Debug)]
pub(crate) struct Seat {
    pub(crate) node: Arc<Node>,
    held: Held,
}

impl Seat {
    /// Takes part in the database of this path.
    pub(crate) fn take(path: &Path) -> Self {
        let mut nodes = NODES.lock();
        nodes.retain(|_, node| node.strong_count() > 0);
        let known = nodes.get(path).and_then(Weak::upgrade);
        let node = known.unwrap_or_else(|| {
            let node = Arc::new(Node::default());
            nodes.insert(path.to_owned(), Arc::downgrade(&node));
            node
        });
        Self { node, held: Held::default() }
    }

    pub(crate) fn raise(&mut self, to: Level) -> bool {
        self.node.locks.lock().raise(&mut self.held, to)
    }

    pub(crate) fn lower(&mut self, to: Level) {
        self.node.locks.lock().lower(&mut self.held, to);
    }

    pub(crate) fn is_reserved(&self) -> bool {
        self.node.locks.lock().is_reserved()
    }

    pub(crate) fn take_slots(&mut self, first: usize, n: usize, write: bool) -> bool {
        self.node.locks.lock().take(&mut self.held, first, n, write)
    }

    pub(crate) fn give_slots(&mut self, first: usize, n: usize) {
        self.node.locks.lock().give(&mut self.held, first, n);
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut locks = self.node.locks.lock();
        locks.give(&mut self.held, 0, SLOTS);
        locks.lower(&mut self.held, Level::None);
    }
}
