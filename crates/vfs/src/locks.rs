//! The locks of one database among the connections of this process: the five of the rollback journal
//! (<https://www.sqlite.org/lockingv3.html>) and the eight of the write-ahead log
//! (<https://www.sqlite.org/walformat.html>, 2.3). Nothing here is `unsafe`.

/// Locks of the write-ahead log.
pub(crate) const SLOTS: usize = 8;

/// What a connection holds of a database.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Level {
    #[default]
    None,
    Shared,
    Reserved,
    Pending,
    Exclusive,
}

impl Level {
    /// SQLite's number for it (`SQLITE_LOCK_…`).
    pub(crate) const fn of(number: i32) -> Self {
        match number {
            0 => Self::None,
            1 => Self::Shared,
            2 => Self::Reserved,
            3 => Self::Pending,
            _ => Self::Exclusive,
        }
    }
}

/// What one connection holds; it is given back when the connection closes.
#[derive(Debug, Default)]
pub(crate) struct Held {
    pub(crate) level: Level,
    shared: [bool; SLOTS],
    exclusive: [bool; SLOTS],
}

/// What all connections hold together.
#[derive(Debug, Default)]
pub(crate) struct Locks {
    readers: u32,
    /// Somebody is to write: one at most.
    reserved: bool,
    /// Somebody waits until readers are gone, and no new ones come.
    pending: bool,
    exclusive: bool,
    slot_readers: [u32; SLOTS],
    slot_writer: [bool; SLOTS],
}

impl Locks {
    /// Raises what a connection holds; false when somebody else stands in the way.
    pub(crate) fn raise(&mut self, held: &mut Held, wanted: Level) -> bool {
        if wanted <= held.level {
            return true;
        }
        if held.level == Level::None {
            if self.pending || self.exclusive {
                return false;
            }
            self.readers += 1;
            held.level = Level::Shared;
        }
        if wanted >= Level::Reserved && held.level == Level::Shared {
            if self.reserved {
                return false;
            }
            self.reserved = true;
            held.level = Level::Reserved;
        }
        if wanted >= Level::Pending && held.level == Level::Reserved {
            self.pending = true;
            held.level = Level::Pending;
        }
        if wanted == Level::Exclusive && held.level == Level::Pending {
            if self.readers > 1 {
                return false;
            }
            self.exclusive = true;
            held.level = Level::Exclusive;
        }
        true
    }

    /// Lowers what a connection holds to reading, or to nothing.
    pub(crate) fn lower(&mut self, held: &mut Held, to: Level) {
        if held.level >= Level::Reserved && to < Level::Reserved {
            self.reserved = false;
            self.pending &= held.level < Level::Pending;
            self.exclusive &= held.level < Level::Exclusive;
            held.level = Level::Shared;
        }
        if held.level >= Level::Shared && to == Level::None {
            self.readers = self.readers.saturating_sub(1);
            held.level = Level::None;
        }
    }

    /// Whether somebody is to write.
    pub(crate) const fn is_reserved(&self) -> bool {
        self.reserved
    }

    /// Takes locks of the log for reading or writing; all of them or none.
    pub(crate) fn take(&mut self, held: &mut Held, first: usize, n: usize, write: bool) -> bool {
        let slots = first..first.saturating_add(n).min(SLOTS);
        let free = slots.clone().all(|slot| {
            let own = u32::from(is(&held.shared, slot));
            let written = is(&self.slot_writer, slot) && !is(&held.exclusive, slot);
            let read = self.slot_readers.get(slot).copied().unwrap_or(0) > own;
            !(written || (write && read))
        });
        if free {
            for slot in slots {
                if write {
                    put(&mut self.slot_writer, slot, true);
                    put(&mut held.exclusive, slot, true);
                } else if !is(&held.shared, slot) {
                    put(&mut held.shared, slot, true);
                    if let Some(readers) = self.slot_readers.get_mut(slot) {
                        *readers += 1;
                    }
                }
            }
        }
        free
    }

    /// Gives locks of the log back, whichever a connection holds of them.
    pub(crate) fn give(&mut self, held: &mut Held, first: usize, n: usize) {
        for slot in first..first.saturating_add(n).min(SLOTS) {
            if is(&held.exclusive, slot) {
                put(&mut held.exclusive, slot, false);
                put(&mut self.slot_writer, slot, false);
            }
            if is(&held.shared, slot) {
                put(&mut held.shared, slot, false);
                if let Some(readers) = self.slot_readers.get_mut(slot) {
                    *readers = readers.saturating_sub(1);
                }
            }
        }
    }
}

fn is(of: &[bool; SLOTS], slot: usize) -> bool {
    of.get(slot).copied().unwrap_or(false)
}

fn put(of: &mut [bool; SLOTS], slot: usize, value: bool) {
    if let Some(place) = of.get_mut(slot) {
        *place = value;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_writer_stands_beside_readers_and_alone_when_it_writes() {
        let (mut all, mut a, mut b) = (Locks::default(), Held::default(), Held::default());
        assert!(all.raise(&mut a, Level::Shared) && all.raise(&mut b, Level::Shared));
        assert!(all.raise(&mut a, Level::Reserved));
        assert!(!all.raise(&mut b, Level::Reserved), "a second writer");
        assert!(!all.raise(&mut a, Level::Exclusive), "a reader is still there");
        let mut c = Held::default();
        assert!(!all.raise(&mut c, Level::Shared), "no new reader while one waits");
        all.lower(&mut b, Level::None);
        assert!(all.raise(&mut a, Level::Exclusive));
        all.lower(&mut a, Level::None);
        assert!(all.raise(&mut c, Level::Shared));
    }

    proptest! {
        /// Whatever three connections do, a slot that is written by one is held by no other.
        #[test]
        fn a_written_slot_has_one_holder(
            steps in proptest::collection::vec((0usize..3, 0usize..8, 1usize..4, 0u8..3), 0..200),
        ) {
            let mut all = Locks::default();
            let mut held: [Held; 3] = Default::default();
            for (who, first, n, what) in steps {
                match what {
                    0 => drop(all.take(&mut held[who], first, n, false)),
                    1 => drop(all.take(&mut held[who], first, n, true)),
                    _ => all.give(&mut held[who], first, n),
                }
                for slot in 0..SLOTS {
                    let writers = held.iter().filter(|h| h.exclusive[slot]).count();
                    let others = held.iter().filter(|h| h.shared[slot] && !h.exclusive[slot]).count();
                    prop_assert!(writers == 0 || (writers == 1 && others == 0));
                    prop_assert_eq!(all.slot_writer[slot], writers == 1);
                    let readers = held.iter().filter(|h| h.shared[slot]).count();
                    prop_assert_eq!(all.slot_readers[slot] as usize, readers);
                }
            }
        }
    }
}
