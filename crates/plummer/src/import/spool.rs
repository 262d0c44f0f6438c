//! Documents that wait for others, compressed: in memory up to a bound, above it in a file of the
//! data folder that is gone when the import ends. There they are sealed under a key that nothing but
//! this process ever has, so what a kill leaves of the file says nothing (45 CFR 164.312(a)(2)(iv)).

use crate::import::source::{FileKey, Item};
use keys::{DataKey, Place, Secret, SystemRandom};
use std::fs::{File, OpenOptions};
use std::io::{self, Read as _, Seek as _, SeekFrom, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Compressed bytes kept in memory.
const MEMORY_BYTES_MAX: usize = 256 << 20;
const ZSTD_LEVEL: i32 = 1;

/// What waits.
#[derive(Debug)]
pub(crate) struct Spool {
    waiting: Vec<Waiting>,
    memory_bytes: usize,
    file: Option<Spilled>,
    path: PathBuf,
}

/// The file, its length, and the key that is gone with it.
#[derive(Debug)]
struct Spilled {
    file: File,
    end: u64,
    key: DataKey,
}

#[derive(Debug)]
struct Waiting {
    file: Arc<FileKey>,
    ordinal: u64,
    place: String,
    packed: Packed,
}

/// A document made ready to wait.
#[derive(Debug)]
pub(crate) struct PackedItem {
    item: Item,
    bytes: Vec<u8>,
}

/// Compresses a document; done on the threads that prepare, not on the one that commits.
pub(crate) fn pack(mut item: Item) -> io::Result<PackedItem> {
    let bytes = zstd::bulk::compress(&item.text, ZSTD_LEVEL)?;
    item.text = Vec::new();
    Ok(PackedItem { item, bytes })
}

#[derive(Debug)]
enum Packed {
    Memory(Vec<u8>),
    File { offset: u64, bytes: u64 },
}

impl Spool {
    /// An empty spool, whose file, if it comes to that, lies in `folder`.
    pub(crate) fn new(folder: &Path, round: u32) -> Self {
        let path = folder.join(format!("waiting-{}-{round}", std::process::id()));
        Self { waiting: Vec::new(), memory_bytes: 0, file: None, path }
    }

    /// How many documents wait.
    pub(crate) const fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Adds a document.
    pub(crate) fn push(&mut self, packed: PackedItem) -> io::Result<()> {
        let PackedItem { item, bytes } = packed;
        let packed = if self.memory_bytes + bytes.len() <= MEMORY_BYTES_MAX {
            self.memory_bytes += bytes.len();
            Packed::Memory(bytes)
        } else {
            self.spill(&bytes)?
        };
        let Item { file, ordinal, place, .. } = item;
        self.waiting.push(Waiting { file, ordinal, place, packed });
        Ok(())
    }

    /// Gives all documents back, in the order they came, and is empty then.
    pub(crate) fn drain(&mut self, sink: &mut dyn FnMut(Item) -> bool) -> io::Result<()> {
        let mut file = self.file.take();
        self.memory_bytes = 0;
        for waiting in std::mem::take(&mut self.waiting) {
            let bytes = match waiting.packed {
                Packed::Memory(bytes) => bytes,
                Packed::File { offset, bytes } => {
                    let mut sealed = Vec::new();
                    let Some(Spilled { file, key, .. }) = &mut file else {
                        return Err(io::Error::other("the file of waiting documents is gone"));
                    };
                    file.seek(SeekFrom::Start(offset))?;
                    file.take(bytes).read_to_end(&mut sealed)?;
                    key.open(place_at(offset), &sealed).map_err(io::Error::other)?
                }
            };
            let text = zstd::decode_all(bytes.as_slice())?;
            let Waiting { file, ordinal, place, .. } = waiting;
            if !sink(Item { file, ordinal, place, text }) {
                break;
            }
        }
        if file.is_some() {
            std::fs::remove_file(&self.path)?;
        }
        Ok(())
    }

    fn spill(&mut self, packed: &[u8]) -> io::Result<Packed> {
        if self.file.is_none() {
            if let Some(folder) = self.path.parent() {
                std::fs::create_dir_all(folder)?;
            }
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(true);
            let key = Secret::random(&SystemRandom).and_then(|key| DataKey::new(&key));
            let key = key.map_err(io::Error::other)?;
            self.file = Some(Spilled { file: options.open(&self.path)?, end: 0, key });
        }
        let Some(Spilled { file, end, key }) = &mut self.file else {
            return Err(io::Error::other("the file of waiting documents is gone"));
        };
        let offset = *end;
        let sealed = key.seal(place_at(offset), packed, &SystemRandom).map_err(io::Error::other)?;
        file.write_all(&sealed)?;
        *end += sealed.len() as u64;
        Ok(Packed::File { offset, bytes: sealed.len() as u64 })
    }
}

/// Where a sealed document stands, which its seal covers.
const fn place_at(offset: u64) -> Place {
    Place { record: 0, version: offset }
}

impl Drop for Spool {
    fn drop(&mut self) {
        if self.file.is_some() {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn item(ordinal: u64) -> Item {
        let file = FileKey { path: "f".to_owned(), bytes: 1, changed_ms: 2 };
        let text = ordinal.to_string().repeat(100).into_bytes();
        Item { file: Arc::new(file), ordinal, place: format!("f:{ordinal}"), text }
    }

    #[test]
    fn documents_come_back_in_order_from_memory_and_file() {
        let folder = std::env::temp_dir().join(format!("plummer-spool-{}", std::process::id()));
        let mut spool = Spool::new(&folder, 1);
        for ordinal in 0..10 {
            if ordinal == 5 {
                spool.memory_bytes = MEMORY_BYTES_MAX;
            }
            spool.push(pack(item(ordinal)).unwrap()).unwrap();
        }
        assert!(spool.path.exists());
        let mut back = Vec::new();
        spool
            .drain(&mut |item| {
                assert_eq!(item.text, item.ordinal.to_string().repeat(100).into_bytes());
                back.push(item.ordinal);
                true
            })
            .unwrap();
        assert_eq!(back, (0..10).collect::<Vec<_>>());
        assert_eq!(spool.len(), 0);
        assert!(!spool.path.exists());
        let _ = std::fs::remove_dir(&folder);
    }
}
