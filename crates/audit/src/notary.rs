//! The notary: follows the log, holds each link to the chain once more, keeps the tree, and signs a
//! checkpoint every so many events or seconds. It reads behind the writer, from the files, so that no
//! request waits for it; and it signs only what is synced, so that no loss of power can take back an
//! event that a checkpoint covers.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use base::id::uuid_text;
use base::{Clock, Fault, Millis};
use keys::{Keyring, LogKey};
use parking_lot::{Condvar, Mutex};

use crate::chain::{Hash, Head};
use crate::checkpoint::{self, Checkpoint};
use crate::log::{Log, segment_path};
use crate::note::{NoteKey, Signer};
use crate::segment::{Step, Walk, list, unavailable};
use crate::tiles::Tiles;
use crate::tree::{Frontier, Salts};
use crate::verify::{Damage, Wrong};

/// Leaves that wait in memory take at most this.
const WAITING_BYTES_MAX: usize = 1 << 20;
/// How often it looks whether there is enough to sign.
const LOOK: Duration = Duration::from_millis(200);

/// The file in the log's directory with the key that verifies its checkpoints.
pub const KEY_FILE: &str = "key";

/// What a log is signed with.
#[derive(Debug, Clone)]
pub struct Seal {
    /// The log's name in its checkpoints, such as `plummer/` and the tenant's id.
    pub origin: String,
    /// Signs them.
    pub signer: Arc<dyn Signer>,
    /// Salts the leaves.
    pub salts: Salts,
    /// Opens the log where it is sealed.
    pub log: Option<LogKey>,
    /// A checkpoint is signed when so many events are not covered by one.
    pub every_events: u64,
    /// And when the first of them has waited so long.
    pub every_ms: u64,
}

impl Seal {
    /// Signed every 10,000 events or minute.
    #[must_use]
    pub fn new(origin: impl Into<String>, signer: Arc<dyn Signer>, salts: Salts) -> Self {
        Self {
            origin: origin.into(),
            signer,
            salts,
            log: None,
            every_events: 10_000,
            every_ms: 60_000,
        }
    }

    /// With the keys of a tenant: its signing key signs, its audit key makes the salts, its id names
    /// the log.
    ///
    /// # Errors
    /// When the cryptography fails.
    pub fn of(keyring: &Arc<Keyring>) -> Result<Self, Fault> {
        let origin = format!("plummer/{}", uuid_text(&keyring.tenant()));
        let signer: Arc<dyn Signer> = Arc::clone(keyring) as Arc<dyn Signer>;
        let seal = Self::new(origin, signer, Salts::new(keyring.audit_key()));
        Ok(Self { log: Some(keyring.log_key()?), ..seal })
    }

    /// What verifies its checkpoints.
    ///
    /// # Errors
    /// `audit.proof.invalid` when the origin cannot name a key.
    pub fn key(&self) -> Result<NoteKey, Fault> {
        NoteKey::log(self.origin.clone(), self.signer.public())
    }
}

/// Keeps the tree and the checkpoints of one log.
#[derive(Debug)]
pub struct Notary {
    dir: PathBuf,
    seal: Seal,
    tiles: Tiles,
    frontier: Frontier,
    head: Head,
    walk: Option<Walk>,
    /// The last checkpoint signed.
    last: Checkpoint,
    file: File,
}

impl Notary {
    /// Opens tree and checkpoints of the log in `dir`, or begins them. When files of the tree are
    /// missing it is made anew while following.
    ///
    /// # Errors
    /// `audit.corrupt` when the last checkpoint is not this key's, or speaks of events that are not
    /// there; `audit.unavailable` when files cannot be read or written.
    pub fn open(dir: &Path, seal: Seal, now: Millis) -> Result<Self, Fault> {
        let failed = |e| unavailable("the checkpoints of the audit log cannot be opened", &e);
        let found = checkpoint::last(dir).map_err(failed)?;
        let file = OpenOptions::new().create(true).append(true).open(dir.join(checkpoint::FILE));
        let file = file.map_err(failed)?;
        let (last, whole) = match found {
            Some((note, end)) => {
                let opened = checkpoint::open(&note, &seal.key()?);
                let opened = opened.map_err(|_unsigned| {
                    corrupt(0, Wrong::Checkpoint("not signed by this log's key"))
                })?;
                // What a crash left of the next one.
                file.set_len(end).map_err(failed)?;
                (opened, true)
            }
            None => {
                file.set_len(0).map_err(failed)?;
                let (origin, frontier) = (seal.origin.clone(), Frontier::default());
                let (root, chain) = (frontier.root(), Hash::GENESIS);
                (Checkpoint { origin, size: 0, root, chain, time: now }, false)
            }
        };
        let kept = Tiles::open(dir, last.size).map_err(failed)?;
        let kept = match kept {
            Some(tiles) => {
                let frontier = Frontier::of(&tiles, last.size).map_err(failed)?;
                (frontier.root() == last.root).then_some((tiles, frontier, last.head()))
            }
            None => None,
        };
        let (tiles, frontier, head) = match kept {
            Some(kept) => kept,
            None => {
                let tiles = Tiles::open(dir, 0).map_err(failed)?;
                let tiles = tiles.ok_or_else(|| failed(io::ErrorKind::UnexpectedEof.into()))?;
                (tiles, Frontier::default(), Head::default())
            }
        };
        // For whoever verifies without the tenant's keys; he should have it from elsewhere as well.
        let public = dir.join(KEY_FILE);
        std::fs::write(&public, format!("{}\n", seal.key()?)).map_err(failed)?;
        let mut notary =
            Self { dir: dir.to_owned(), seal, tiles, frontier, head, walk: None, last, file };
        if !whole {
            // A log that is signed has a checkpoint from its first moment, so that a missing file tells.
            notary.write(notary.last.clone())?;
            File::open(dir).and_then(|dir| dir.sync_all()).map_err(failed)?;
        }
        Ok(notary)
    }

    /// The last checkpoint signed.
    #[must_use]
    pub const fn last(&self) -> &Checkpoint {
        &self.last
    }

    /// Follows the log up to `anchor`, which is synced, and signs a checkpoint if there is anything new.
    ///
    /// # Errors
    /// `audit.corrupt` when the log does not follow from what was signed; `audit.unavailable` when it
    /// cannot be read, or the checkpoint not be written.
    pub fn advance(&mut self, anchor: Head, now: Millis) -> Result<(), Fault> {
        let failed = |e| unavailable("the checkpoints of the audit log cannot be written", &e);
        if self.head.seq < self.last.size && anchor.seq >= self.last.size {
            // The tree is being made anew; it must come to what was signed.
            self.follow(self.last.size)?;
            if self.frontier.root() != self.last.root || self.head != self.last.head() {
                let until = self.last.size;
                return Err(corrupt(1, Wrong::Rewritten { until }));
            }
        }
        if anchor.seq < self.last.size {
            return Err(corrupt(anchor.seq + 1, Wrong::Truncated));
        }
        self.follow(anchor.seq)?;
        self.tiles.flush().map_err(failed)?;
        if self.frontier.size() > self.last.size {
            self.write(Checkpoint {
                origin: self.seal.origin.clone(),
                size: self.frontier.size(),
                root: self.frontier.root(),
                chain: self.head.hash,
                time: now,
            })?;
        }
        Ok(())
    }

    fn write(&mut self, checkpoint: Checkpoint) -> Result<(), Fault> {
        let failed = |e| unavailable("the checkpoints of the audit log cannot be written", &e);
        let mut note = checkpoint.sign(&*self.seal.signer)?;
        note.push('\n');
        self.file.write_all(note.as_bytes()).map_err(failed)?;
        self.file.sync_data().map_err(failed)?;
        self.last = checkpoint;
        Ok(())
    }

    fn follow(&mut self, to: u64) -> Result<(), Fault> {
        let failed = |e| unavailable("the audit log cannot be read", &e);
        while self.head.seq < to {
            let Some(walk) = &mut self.walk else {
                self.walk = Some(find(&self.dir, self.head, self.seal.log.as_ref())?);
                continue;
            };
            match walk.step().map_err(failed)? {
                Step::Link(link) => {
                    let leaf = self.seal.salts.leaf(link.head.seq, link.event);
                    self.head = link.head;
                    self.frontier.push(leaf);
                    self.tiles.push(leaf).map_err(failed)?;
                }
                Step::End => {
                    let first = self.head.seq + 1;
                    self.walk = Some(begin(&self.dir, first, self.head, self.seal.log.as_ref())?);
                }
                Step::Shut(_) => return Err(corrupt(self.head.seq + 1, Wrong::Keyless)),
                Step::Flaw(wrong) => return Err(corrupt(self.head.seq + 1, wrong)),
            }
            if self.tiles.waiting() > WAITING_BYTES_MAX {
                self.tiles.flush().map_err(failed)?;
            }
        }
        Ok(())
    }

    /// Follows `log` on a thread of its own until what is returned is dropped.
    ///
    /// # Errors
    /// `audit.unavailable` when no thread can be had.
    pub fn spawn(self, log: Arc<Log>, clock: Arc<dyn Clock>) -> Result<Notarizing, Fault> {
        let shared = Arc::new(Shared {
            stop: Mutex::new(false),
            wake: Condvar::new(),
            last: Mutex::new((self.last.clone(), None)),
        });
        let thread = thread::Builder::new().name("audit-notary".to_owned()).spawn({
            let shared = Arc::clone(&shared);
            move || run(self, &log, &*clock, &shared)
        });
        let thread = thread.map_err(|e| unavailable("the audit log's notary cannot begin", &e))?;
        Ok(Notarizing { shared, thread: Some(thread) })
    }
}

/// A notary at work. It signs what is left and ends when it is dropped.
#[derive(Debug)]
pub struct Notarizing {
    shared: Arc<Shared>,
    thread: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    stop: Mutex<bool>,
    wake: Condvar,
    last: Mutex<(Checkpoint, Option<Fault>)>,
}

impl Notarizing {
    /// The last checkpoint signed.
    #[must_use]
    pub fn last(&self) -> Checkpoint {
        self.shared.last.lock().0.clone()
    }

    /// Why nothing is signed any more, when it is so.
    #[must_use]
    pub fn failure(&self) -> Option<Fault> {
        self.shared.last.lock().1.clone()
    }
}

impl Drop for Notarizing {
    fn drop(&mut self) {
        *self.shared.stop.lock() = true;
        self.shared.wake.notify_all();
        if let Some(thread) = self.thread.take() {
            // A notary that panicked signs nothing more, which `verify` shows.
            let _ = thread.join();
        }
    }
}

fn run(mut notary: Notary, log: &Log, clock: &dyn Clock, shared: &Shared) {
    let every = Duration::from_millis(notary.seal.every_ms);
    let mut waiting_since: Option<Instant> = None;
    loop {
        let stopping = {
            let mut stop = shared.stop.lock();
            if !*stop {
                shared.wake.wait_for(&mut stop, LOOK.min(every));
            }
            *stop
        };
        if stopping {
            // What was appended last is to be covered too; a failed log has said so itself.
            let _ = log.flush();
        }
        let uncovered = log.anchor().seq.saturating_sub(notary.last.size);
        if uncovered == 0 {
            waiting_since = None;
        } else {
            let since = *waiting_since.get_or_insert_with(Instant::now);
            if stopping || uncovered >= notary.seal.every_events || since.elapsed() >= every {
                waiting_since = None;
                if let Err(fault) = notary.advance(log.anchor(), clock.now()) {
                    tracing::error!(fault = %fault, "the audit log is not signed any more");
                    shared.last.lock().1 = Some(fault);
                    return;
                }
                shared.last.lock().0.clone_from(&notary.last);
            }
        }
        if stopping {
            return;
        }
    }
}

/// A walk that has come to `head`.
pub(crate) fn find(dir: &Path, head: Head, key: Option<&LogKey>) -> Result<Walk, Fault> {
    let failed = |e| unavailable("the audit log cannot be read", &e);
    let segments = list(dir).map_err(failed)?;
    let at = segments.partition_point(|(first, _)| *first <= head.seq.max(1));
    let Some((first, path)) = at.checked_sub(1).and_then(|at| segments.get(at)) else {
        return Err(corrupt(1, Wrong::Truncated));
    };
    let opened = Walk::open(path, *first, key).map_err(failed)?;
    let mut walk = opened.map_err(|wrong| corrupt(*first, wrong))?;
    while walk.head.seq < head.seq {
        let seq = walk.head.seq + 1;
        match walk.step().map_err(failed)? {
            Step::Link(_) => {}
            Step::Shut(_) => return Err(corrupt(seq, Wrong::Keyless)),
            Step::End => return Err(corrupt(seq, Wrong::Truncated)),
            Step::Flaw(wrong) => return Err(corrupt(seq, wrong)),
        }
    }
    match walk.head == head {
        true => Ok(walk),
        false => Err(corrupt(head.seq, Wrong::Anchor)),
    }
}

/// A walk of the segment that begins with event `first`, after `head`.
pub(crate) fn begin(
    dir: &Path,
    first: u64,
    head: Head,
    key: Option<&LogKey>,
) -> Result<Walk, Fault> {
    let path = segment_path(dir, first);
    let opened = Walk::open(&path, first, key);
    let opened = opened.map_err(|e| unavailable("the audit log cannot be read", &e))?;
    let walk = opened.map_err(|wrong| corrupt(first, wrong))?;
    match walk.header.previous == head.hash {
        true => Ok(walk),
        false => Err(corrupt(first, Wrong::Header("does not follow from the one before"))),
    }
}

fn corrupt(seq: u64, wrong: Wrong) -> Fault {
    Damage { seq, segment: None, offset: 0, wrong }.fault()
}
