//! The tree on disk, so that a proof need not read the whole log: each level of the tiles of
//! <https://c2sp.org/tlog-tiles> as one flat file. Level 0 holds the leaves, level 1 the roots of each
//! 256 of them, and so on. Nothing rests on these files: they are made anew from the log when they are
//! gone, and believed only as far as a signed checkpoint's root follows from them.

use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};

use crate::chain::Hash;
use crate::tree::{Nodes, node};

/// Levels of the binary tree between two files.
const HEIGHT: u32 = 8;
/// Hashes of one level that make one of the next.
const WIDTH: u64 = 1 << HEIGHT;
/// A tree of 2^64 leaves has this many files.
const LEVELS_MAX: u32 = 8;

/// The tree of a log, open for appending.
#[derive(Debug)]
pub(crate) struct Tiles {
    dir: PathBuf,
    levels: Vec<Level>,
}

#[derive(Debug)]
struct Level {
    file: File,
    /// Hashes, those not flushed yet included.
    count: u64,
    waiting: Vec<u8>,
    /// The last `count % 256` hashes.
    open: Vec<Hash>,
}

fn path(dir: &Path, level: usize) -> PathBuf {
    dir.join(format!("tiles.{level}"))
}

fn read_hashes(file: &File, from: u64, count: u64) -> io::Result<Vec<Hash>> {
    let mut bytes = Vec::new();
    let mut file = file;
    file.seek(SeekFrom::Start(from * 32))?;
    file.take(count * 32).read_to_end(&mut bytes)?;
    let (hashes, rest) = bytes.as_chunks::<32>();
    if hashes.len() as u64 != count || !rest.is_empty() {
        return Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the tree has no such hash"));
    }
    Ok(hashes.iter().map(|hash| Hash(*hash)).collect())
}

/// The root of a whole subtree from its leaves, whose number is a power of two.
fn fold(mut hashes: Vec<Hash>) -> Hash {
    while hashes.len() > 1 {
        hashes = hashes
            .chunks(2)
            .map(|pair| match pair {
                [left, right] => node(left, right),
                _ => Hash::default(),
            })
            .collect();
    }
    hashes.first().copied().unwrap_or_default()
}

impl Tiles {
    /// Opens the tree of the log in `dir` at its first `size` leaves; what is beyond is cut off. `None`
    /// when fewer are there.
    pub(crate) fn open(dir: &Path, size: u64) -> io::Result<Option<Self>> {
        let mut levels = Vec::new();
        for level in 0..LEVELS_MAX {
            let count = size >> (level * HEIGHT);
            if count == 0 && level > 0 {
                break;
            }
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .open(path(dir, levels.len()))?;
            if file.metadata()?.len() < count * 32 {
                return Ok(None);
            }
            file.set_len(count * 32)?;
            let open = read_hashes(&file, count / WIDTH * WIDTH, count % WIDTH)?;
            levels.push(Level { file, count, waiting: Vec::new(), open });
        }
        Ok(Some(Self { dir: dir.to_owned(), levels }))
    }

    /// Adds a leaf.
    pub(crate) fn push(&mut self, leaf: Hash) -> io::Result<()> {
        let mut hash = leaf;
        for at in 0.. {
            if at == self.levels.len() {
                let file = OpenOptions::new()
                    .read(true)
                    .write(true)
                    .create(true)
                    .truncate(true)
                    .open(path(&self.dir, at))?;
                let (waiting, open) = (Vec::new(), Vec::new());
                self.levels.push(Level { file, count: 0, waiting, open });
            }
            let Some(level) = self.levels.get_mut(at) else { break };
            level.waiting.extend_from_slice(&hash.0);
            level.open.push(hash);
            level.count += 1;
            if !level.count.is_multiple_of(WIDTH) {
                break;
            }
            hash = fold(std::mem::take(&mut level.open));
        }
        Ok(())
    }

    /// Bytes not written yet.
    pub(crate) fn waiting(&self) -> usize {
        self.levels.first().map_or(0, |level| level.waiting.len())
    }

    /// Writes what was added.
    pub(crate) fn flush(&mut self) -> io::Result<()> {
        for level in &mut self.levels {
            let written = level.count * 32 - level.waiting.len() as u64;
            level.file.seek(SeekFrom::Start(written))?;
            level.file.write_all(&level.waiting)?;
            level.waiting.clear();
        }
        Ok(())
    }
}

impl Nodes for Tiles {
    fn subtree(&self, level: u32, index: u64) -> io::Result<Hash> {
        let files = self.levels.iter().map(|level| &level.file);
        subtree(files.collect::<Vec<_>>().as_slice(), level, index)
    }
}

/// The tree of a log, for reading beside the one who writes it.
#[derive(Debug)]
pub(crate) struct Kept(Vec<File>);

impl Kept {
    /// Opens what files there are.
    pub(crate) fn open(dir: &Path) -> io::Result<Self> {
        let mut files = Vec::new();
        for level in 0..LEVELS_MAX as usize {
            match File::open(path(dir, level)) {
                Ok(file) => files.push(file),
                Err(error) if error.kind() == io::ErrorKind::NotFound => break,
                Err(error) => return Err(error),
            }
        }
        Ok(Self(files))
    }

    /// The leaves from `begin` on.
    pub(crate) fn leaves(&self, begin: u64, count: u64) -> io::Result<Vec<Hash>> {
        match self.0.first() {
            Some(file) => read_hashes(file, begin, count),
            None => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

impl Nodes for Kept {
    fn subtree(&self, level: u32, index: u64) -> io::Result<Hash> {
        subtree(self.0.iter().collect::<Vec<_>>().as_slice(), level, index)
    }
}

fn subtree(files: &[&File], level: u32, index: u64) -> io::Result<Hash> {
    let (tile, rest) = (level / HEIGHT, level % HEIGHT);
    match usize::try_from(tile).ok().and_then(|tile| files.get(tile)) {
        Some(file) => Ok(fold(read_hashes(file, index << rest, 1 << rest)?)),
        None => Err(io::Error::new(io::ErrorKind::UnexpectedEof, "the tree has no such level")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::{Frontier, consistency, consistent, includes, inclusion, leaf, root};

    #[test]
    fn the_tree_on_disk_has_the_roots_and_proofs_of_the_tree() {
        let dir = tempfile::tempdir().unwrap();
        let mut tiles = Tiles::open(dir.path(), 0).unwrap().unwrap();
        let (mut frontier, mut roots) = (Frontier::default(), vec![Frontier::default().root()]);
        const SIZE: u64 = 70_000;
        for n in 0..SIZE {
            let hash = leaf(&[3; 16], n, b"event");
            tiles.push(hash).unwrap();
            frontier.push(hash);
            roots.push(frontier.root());
            if n % 9_999 == 0 {
                tiles.flush().unwrap();
            }
        }
        tiles.flush().unwrap();
        let kept = Kept::open(dir.path()).unwrap();
        let at = |size: u64| roots[usize::try_from(size).unwrap()];
        for size in [1, 2, 255, 256, 257, 511, 513, 65_535, 65_536, 65_537, SIZE] {
            assert_eq!(root(&kept, size).unwrap(), at(size), "{size}");
            let index = size * 2 / 3;
            let path = inclusion(&kept, index, size).unwrap();
            assert!(includes(leaf(&[3; 16], index, b"event"), index, size, &path, &at(size)));
            let proof = consistency(&tiles, size, SIZE).unwrap();
            assert!(consistent((size, &at(size)), (SIZE, &at(SIZE)), &proof));
        }
        drop(tiles);
        assert!(Tiles::open(dir.path(), SIZE + 1).unwrap().is_none(), "fewer are there");
        let mut again = Tiles::open(dir.path(), 65_700).unwrap().unwrap();
        assert_eq!(Frontier::of(&again, 65_700).unwrap().root(), at(65_700));
        for n in 65_700..SIZE {
            again.push(leaf(&[3; 16], n, b"event")).unwrap();
        }
        again.flush().unwrap();
        assert_eq!(root(&again, SIZE).unwrap(), at(SIZE));
    }
}
