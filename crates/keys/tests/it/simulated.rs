//! A disk in memory that can be killed or lose its power at any of its operations, and keeps of what
//! was not synced whatever the seed says: whole or torn, in sectors, in any selection.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use base::id::{Random, Seeded};
use keys::{Files, KeyFile, Lock};

const SECTOR: usize = 512;

#[derive(Debug, Clone)]
enum Change {
    Write(usize, Vec<u8>),
    Length(usize),
}

#[derive(Debug, Clone)]
enum Name {
    Set(PathBuf, usize),
    Gone(PathBuf),
}

#[derive(Debug, Default, Clone)]
struct Inode {
    data: Vec<u8>,
    durable: Vec<u8>,
    pending: Vec<Change>,
}

#[derive(Debug, Default)]
struct World {
    inodes: Vec<Inode>,
    names: BTreeMap<PathBuf, usize>,
    durable: BTreeMap<PathBuf, usize>,
    pending: Vec<Name>,
    locks: BTreeSet<PathBuf>,
    /// Operations that change anything, until the crash.
    left: Option<usize>,
    done: usize,
}

/// The disk.
#[derive(Debug, Clone, Default)]
pub(crate) struct Simulated(Arc<Mutex<World>>);

fn apply(data: &mut Vec<u8>, change: &Change) {
    match change {
        Change::Write(at, bytes) => {
            data.resize(data.len().max(at + bytes.len()), 0);
            data[*at..at + bytes.len()].copy_from_slice(bytes);
        }
        Change::Length(length) => data.resize(*length, 0),
    }
}

fn dead() -> io::Error {
    io::Error::other("the power is gone")
}

impl World {
    fn alive(&self) -> io::Result<()> {
        if self.left == Some(0) { Err(dead()) } else { Ok(()) }
    }

    /// Counts an operation; the one at which the crash is has its effect, and fails.
    fn step(&mut self) -> io::Result<bool> {
        self.alive()?;
        self.done += 1;
        let left = self.left.as_mut();
        Ok(left.is_some_and(|left| {
            *left -= 1;
            *left == 0
        }))
    }

    fn name(&mut self, name: Name) {
        set(&mut self.names, &name);
        self.pending.push(name);
    }
}

fn set(names: &mut BTreeMap<PathBuf, usize>, name: &Name) {
    match name {
        Name::Set(path, inode) => names.insert(path.clone(), *inode),
        Name::Gone(path) => names.remove(path),
    };
}

fn end(crashed: bool) -> io::Result<()> {
    if crashed { Err(dead()) } else { Ok(()) }
}

impl Simulated {
    fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }

    /// The crash comes after so many more operations.
    pub(crate) fn crash_after(&self, operations: usize) {
        self.world().left = Some(operations);
    }

    /// Operations so far.
    pub(crate) fn operations(&self) -> usize {
        self.world().done
    }

    /// A file's bytes as a thief of the disk would find them.
    pub(crate) fn bytes(&self, path: &Path) -> Vec<u8> {
        let world = self.world();
        world.names.get(path).map(|inode| world.inodes[*inode].data.clone()).unwrap_or_default()
    }

    /// Every byte of every file that a name leads to.
    pub(crate) fn all_bytes(&self) -> Vec<u8> {
        let world = self.world();
        world.names.values().flat_map(|inode| world.inodes[*inode].data.clone()).collect()
    }

    /// The disk as it is found after the crash.
    pub(crate) fn after_crash(&self, seed: u64) -> Self {
        let mut random = Seeded::new(seed);
        let world = self.world();
        let killed = random.next_u64().is_multiple_of(2);
        let inodes: Vec<_> =
            world.inodes.iter().map(|i| survivor(i, killed, &mut random)).collect();
        let mut names = world.durable.clone();
        let kept =
            if killed { world.pending.len() } else { below(&mut random, world.pending.len() + 1) };
        for name in &world.pending[..kept] {
            set(&mut names, name);
        }
        let inodes = inodes
            .into_iter()
            .map(|data| Inode { durable: data.clone(), data, pending: Vec::new() })
            .collect();
        let durable = names.clone();
        Self(Arc::new(Mutex::new(World { inodes, names, durable, ..World::default() })))
    }
}

fn below(random: &mut Seeded, bound: usize) -> usize {
    usize::try_from(random.next_u64() % bound.max(1) as u64).unwrap()
}

/// What is left of a file: after a kill all of it, with its last write cut anywhere; after a loss of
/// power what was synced, and of the rest such sectors as it happened.
fn survivor(inode: &Inode, killed: bool, random: &mut Seeded) -> Vec<u8> {
    let mut data = inode.durable.clone();
    let last = inode.pending.len();
    for (n, change) in inode.pending.iter().enumerate() {
        match change {
            Change::Write(at, bytes) if killed => {
                let keep = if n + 1 == last { below(random, bytes.len() + 1) } else { bytes.len() };
                apply(&mut data, &Change::Write(*at, bytes[..keep].to_vec()));
            }
            Change::Write(at, bytes) => {
                let mut from = 0;
                while from < bytes.len() {
                    let to = bytes.len().min((at + from) / SECTOR * SECTOR + SECTOR - at);
                    if random.next_u64().is_multiple_of(2) {
                        apply(&mut data, &Change::Write(at + from, bytes[from..to].to_vec()));
                    }
                    from = to;
                }
                if random.next_u64().is_multiple_of(2) {
                    data.resize(data.len().max(at + bytes.len()), 0);
                }
            }
            Change::Length(_) if killed || random.next_u64().is_multiple_of(2) => {
                apply(&mut data, change);
            }
            Change::Length(_) => {}
        }
    }
    data
}

#[derive(Debug)]
struct Open(Simulated, usize);

#[derive(Debug)]
struct Held(Simulated, PathBuf);

impl Lock for Held {}

impl Drop for Held {
    fn drop(&mut self) {
        self.0.world().locks.remove(&self.1);
    }
}

impl Files for Simulated {
    fn read(&self, path: &Path, most: usize) -> io::Result<Vec<u8>> {
        let world = self.world();
        world.alive()?;
        let inode = world.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        let data = world.inodes[*inode].data.clone();
        if data.len() > most { Err(io::ErrorKind::InvalidData.into()) } else { Ok(data) }
    }

    fn is_private(&self, _: &Path) -> io::Result<bool> {
        Ok(true)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        let world = self.world();
        world.alive().map(|()| world.names.contains_key(path))
    }

    fn open(&self, path: &Path) -> io::Result<Arc<dyn KeyFile>> {
        let world = self.world();
        world.alive()?;
        let inode = *world.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(Arc::new(Open(self.clone(), inode)))
    }

    fn create(&self, path: &Path) -> io::Result<Arc<dyn KeyFile>> {
        let mut world = self.world();
        let crashed = world.step()?;
        if world.names.contains_key(path) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = world.inodes.len();
        world.inodes.push(Inode::default());
        world.name(Name::Set(path.to_owned(), inode));
        end(crashed).map(|()| Arc::new(Open(self.clone(), inode)) as Arc<dyn KeyFile>)
    }

    fn link(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.world();
        let crashed = world.step()?;
        if world.names.contains_key(to) {
            return Err(io::ErrorKind::AlreadyExists.into());
        }
        let inode = *world.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        world.name(Name::Set(to.to_owned(), inode));
        end(crashed)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut world = self.world();
        let crashed = world.step()?;
        let inode = *world.names.get(from).ok_or(io::ErrorKind::NotFound)?;
        // One step of the journal of a file system: both names or neither.
        world.name(Name::Set(to.to_owned(), inode));
        set(&mut world.names, &Name::Gone(from.to_owned()));
        end(crashed)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut world = self.world();
        let crashed = world.step()?;
        world.name(Name::Gone(path.to_owned()));
        end(crashed)
    }

    fn sync_dir(&self, _: &Path) -> io::Result<()> {
        let mut world = self.world();
        end(world.step()?)?;
        world.durable = world.names.clone();
        world.pending.clear();
        Ok(())
    }

    fn lock(&self, path: &Path) -> io::Result<Box<dyn Lock>> {
        let mut world = self.world();
        if !world.locks.insert(path.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Box::new(Held(self.clone(), path.to_owned())))
    }
}

impl Open {
    fn change(&self, change: Change) -> io::Result<()> {
        let mut world = self.0.world();
        let crashed = world.step()?;
        let inode = &mut world.inodes[self.1];
        apply(&mut inode.data, &change);
        inode.pending.push(change);
        end(crashed)
    }
}

impl KeyFile for Open {
    fn read_at(&self, out: &mut [u8], offset: u64) -> io::Result<usize> {
        let world = self.0.world();
        world.alive()?;
        let data = world.inodes[self.1].data.get(usize::try_from(offset).unwrap()..);
        let data = data.unwrap_or_default();
        let n = data.len().min(out.len());
        out[..n].copy_from_slice(&data[..n]);
        Ok(n)
    }

    fn write_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.change(Change::Write(usize::try_from(offset).unwrap(), bytes.to_vec()))
    }

    fn length(&self) -> io::Result<u64> {
        Ok(self.0.world().inodes[self.1].data.len() as u64)
    }

    fn set_length(&self, length: u64) -> io::Result<()> {
        self.change(Change::Length(usize::try_from(length).unwrap()))
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = self.0.world();
        end(world.step()?)?;
        let inode = &mut world.inodes[self.1];
        inode.durable = inode.data.clone();
        inode.pending.clear();
        Ok(())
    }
}
