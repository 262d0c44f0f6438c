//! Holding a log against its signed checkpoints while it is verified: each signature, each root, and
//! the chain's hash under each.

use std::io;
use std::path::Path;

use keys::LogKey;

use crate::chain::{Hash, Head};
use crate::checkpoint::{self, Checkpoint, FILE, Next, Notes};
use crate::note::NoteKey;
use crate::tiles::Kept;
use crate::tree::{Frontier, Salts, empty_root};
use crate::verify::{Damage, Wrong};

/// Leaves since the last checkpoint that are remembered to name an altered event.
const LEAVES_MAX: usize = 1 << 20;

/// What a log is held against.
#[derive(Debug, Clone)]
pub struct Trust {
    /// Who signs its checkpoints.
    pub key: NoteKey,
    /// Who has the tenant's audit key holds the tree against them too; without it the chain's hashes
    /// in them are, which shows whether anything was altered as well.
    pub salts: Option<Salts>,
    /// Opens what is sealed; without it only the links of that are held.
    pub log: Option<LogKey>,
    /// Checkpoints kept elsewhere, in any order: by a witness, on paper, in another house.
    pub kept: Vec<Checkpoint>,
}

/// The checkpoints of a log, held against its events as they come.
#[derive(Debug)]
pub(crate) struct Seals<'t> {
    dir: &'t Path,
    trust: &'t Trust,
    notes: Notes,
    open: bool,
    /// The next checkpoint of the file, and where it begins there.
    next: Option<(Checkpoint, u64)>,
    /// Those kept elsewhere, the next one last.
    kept: Vec<Checkpoint>,
    frontier: Frontier,
    /// The leaves since the last checkpoint that held.
    leaves: Vec<Hash>,
    held: u64,
    signed: u64,
    root: Option<Hash>,
}

impl<'t> Seals<'t> {
    /// Opens the file and its first checkpoint.
    pub(crate) fn open(
        dir: &'t Path,
        trust: &'t Trust,
        open: bool,
    ) -> io::Result<Result<Self, Damage>> {
        let Some(notes) = Notes::open(dir)? else {
            return Ok(Err(in_file(1, 0, "missing: the log has no file of checkpoints")));
        };
        let mut kept = trust.kept.clone();
        kept.sort_by_key(|kept| std::cmp::Reverse(kept.size));
        let (frontier, leaves) = (Frontier::default(), Vec::new());
        let mut seals = Self {
            dir,
            trust,
            notes,
            open,
            next: None,
            kept,
            frontier,
            leaves,
            held: 0,
            signed: 0,
            root: None,
        };
        if let Some(damage) = seals.advance()? {
            return Ok(Err(damage));
        }
        match seals.next.take() {
            Some((first, _)) if first.size == 0 => {
                if first.root != empty_root() || first.chain != Hash::GENESIS {
                    return Ok(Err(in_file(1, 0, "not that of an empty log")));
                }
                seals.held = 1;
                let damage = seals.advance()?;
                Ok(damage.map_or(Ok(seals), Err))
            }
            _ => {
                Ok(Err(in_file(1, 0, "missing: the file does not begin with that of an empty log")))
            }
        }
    }

    /// Takes the next event, whose frame begins at `offset` of its segment.
    pub(crate) fn event(
        &mut self,
        head: Head,
        event: &[u8],
        offset: u64,
    ) -> io::Result<Option<Damage>> {
        if let Some(salts) = &self.trust.salts {
            let leaf = salts.leaf(head.seq, event);
            self.frontier.push(leaf);
            if self.leaves.len() < LEAVES_MAX {
                self.leaves.push(leaf);
            }
        }
        self.linked(head, offset, self.trust.salts.is_some())
    }

    /// Takes the next event, which is sealed and was not opened: it is no leaf of a tree then.
    pub(crate) fn shut_event(&mut self, head: Head, offset: u64) -> io::Result<Option<Damage>> {
        self.linked(head, offset, false)
    }

    fn linked(&mut self, head: Head, offset: u64, leaves: bool) -> io::Result<Option<Damage>> {
        while self.kept.last().is_some_and(|kept| kept.size <= head.seq) {
            let Some(kept) = self.kept.pop().filter(|kept| kept.size == head.seq) else { continue };
            if let Some(damage) = self.hold(&kept, head, offset)? {
                return Ok(Some(damage));
            }
        }
        let Some((next, at)) = self.next.take_if(|(next, _)| next.size == head.seq) else {
            return Ok(None);
        };
        if let Some(damage) = self.hold(&next, head, offset)? {
            return Ok(Some(damage));
        }
        if leaves && self.frontier.root() != next.root {
            let what = "of another tree: the salts are not those that it was made with";
            return Ok(Some(in_file(self.signed + 1, at, what)));
        }
        (self.held, self.signed, self.root) = (self.held + 1, next.size, Some(next.root));
        self.leaves.clear();
        self.advance()
    }

    /// Checkpoints that held, the last event they cover, and the root there.
    pub(crate) const fn so_far(&self) -> (u64, u64, Option<Hash>) {
        (self.held, self.signed, self.root)
    }

    /// Whether a checkpoint covers events beyond `seq`.
    pub(crate) fn covers_more_than(&self, seq: u64) -> bool {
        let kept = self.kept.iter();
        self.next.iter().map(|(next, _)| next).chain(kept).any(|checkpoint| checkpoint.size > seq)
    }

    /// Holds the chain against a checkpoint; names the altered event as closely as can be.
    fn hold(&self, checkpoint: &Checkpoint, head: Head, offset: u64) -> io::Result<Option<Damage>> {
        if checkpoint.chain == head.hash {
            return Ok(None);
        }
        let first = self.signed + 1;
        let (seq, wrong) = match self.first_altered(checkpoint)? {
            Some(seq) => (seq, Wrong::Signed),
            None if first == head.seq => (first, Wrong::Signed),
            None => (first, Wrong::Rewritten { until: head.seq }),
        };
        Ok(Some(Damage { seq, segment: None, offset, wrong }))
    }

    /// The first event whose leaf is not the one kept, when those kept lead to what was signed.
    fn first_altered(&self, checkpoint: &Checkpoint) -> io::Result<Option<u64>> {
        let count = checkpoint.size - self.signed;
        if self.leaves.len() as u64 != count {
            return Ok(None);
        }
        let Ok(kept) = Kept::open(self.dir) else { return Ok(None) };
        let mut frontier = match Frontier::of(&kept, self.signed) {
            Ok(frontier) if self.root.is_none_or(|root| frontier.root() == root) => frontier,
            _ => return Ok(None),
        };
        let Ok(leaves) = kept.leaves(self.signed, count) else { return Ok(None) };
        leaves.iter().for_each(|leaf| frontier.push(*leaf));
        if frontier.root() != checkpoint.root {
            return Ok(None);
        }
        let at = leaves.iter().zip(&self.leaves).position(|(kept, found)| kept != found);
        Ok(at.map(|at| self.signed + 1 + at as u64))
    }

    /// Reads the next checkpoint of the file.
    fn advance(&mut self) -> io::Result<Option<Damage>> {
        let at = self.notes.offset;
        let wrong = |what| Ok(Some(in_file(self.signed + 1, at, what)));
        let note = match self.notes.next()? {
            Next::End => return Ok(None),
            // The server is writing it.
            Next::Torn if self.open => return Ok(None),
            Next::Torn => return wrong("incomplete: the file ends inside it"),
            Next::Odd => return wrong("altered: it is no signed note"),
            Next::Note(note) => note,
        };
        let Ok(checkpoint) = checkpoint::open(&note, &self.trust.key) else {
            return wrong("altered, or not signed by the log's key");
        };
        if checkpoint.size <= self.signed && self.held > 0 {
            return wrong("out of its order");
        }
        self.next = Some((checkpoint, at));
        Ok(None)
    }
}

fn in_file(seq: u64, offset: u64, what: &'static str) -> Damage {
    Damage { seq, segment: Some(FILE.to_owned()), offset, wrong: Wrong::Checkpoint(what) }
}
