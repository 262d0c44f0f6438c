//! Reading the log back, for `plummer audit show` and export: event by event, each link checked, so
//! that an altered event is never shown as if it were sound.

use std::fmt;
use std::path::{Path, PathBuf};

use base::{Fault, Millis};
use keys::LogKey;

use crate::chain::{Hash, Head};
use crate::codec::Outline;
use crate::event::{Event, Kind};
use crate::segment::{Step, Walk, list, unavailable};
use crate::verify::{Damage, Wrong};

/// An event with its place in the chain.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
    /// The event.
    pub event: Event,
}

/// Which events to read; an empty filter reads all.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Filter {
    /// Not before this.
    pub from: Option<Millis>,
    /// Before this.
    pub until: Option<Millis>,
    /// Only what concerns this patient's logical id.
    pub patient: Option<String>,
    /// Only this kind.
    pub kind: Option<Kind>,
    /// Only this actor.
    pub actor: Option<String>,
}

impl fmt::Debug for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Filter").field("kind", &self.kind).finish_non_exhaustive()
    }
}

impl Filter {
    fn outline_fits(&self, outline: &Outline<'_>) -> bool {
        self.from.is_none_or(|from| outline.time >= from)
            && self.until.is_none_or(|until| outline.time < until)
            && self.kind.is_none_or(|kind| outline.kind == kind)
            && self
                .actor
                .as_deref()
                .is_none_or(|actor| outline.actor.unwrap_or(crate::event::ANONYMOUS) == actor)
    }

    fn event_fits(&self, event: &Event) -> bool {
        self.patient.as_deref().is_none_or(|patient| event.concerns(patient))
    }
}

/// Reads the log in `dir` from event `from_seq` on. It needs no lock; beside a running server it ends
/// at the last event that is whole.
///
/// # Errors
/// `audit.unavailable` when the directory cannot be read.
pub fn read(dir: &Path, from_seq: u64) -> Result<Reader, Fault> {
    let mut segments = list(dir).map_err(|e| unavailable("the audit log cannot be listed", &e))?;
    let before = segments.partition_point(|(first, _)| *first <= from_seq.max(1));
    segments.drain(..before.saturating_sub(1));
    segments.reverse();
    Ok(Reader { segments, walk: None, name: None, from_seq, filter: Filter::default(), key: None })
}

/// The events of a log, in order. After an error it ends.
#[derive(Debug)]
pub struct Reader {
    /// Those still to read, the next one last.
    segments: Vec<(u64, PathBuf)>,
    walk: Option<Walk>,
    name: Option<String>,
    from_seq: u64,
    filter: Filter,
    key: Option<LogKey>,
}

impl Reader {
    /// Opens what is sealed by this key; without it a sealed segment ends the reading with
    /// `audit.key.missing`.
    #[must_use]
    pub fn under(mut self, key: Option<LogKey>) -> Self {
        self.key = key;
        self
    }

    /// Reads only what fits.
    #[must_use]
    pub fn filter(mut self, filter: Filter) -> Self {
        self.filter = filter;
        self
    }

    fn find(&mut self) -> Result<Option<Entry>, Fault> {
        let failed = |e| unavailable("the audit log cannot be read", &e);
        loop {
            let Some(walk) = &mut self.walk else {
                let Some((first_seq, path)) = self.segments.pop() else { return Ok(None) };
                self.name = path.file_name().map(|n| n.to_string_lossy().into_owned());
                match Walk::open(&path, first_seq, self.key.as_ref()).map_err(failed)? {
                    Ok(walk) => self.walk = Some(walk),
                    // A segment that is being begun beside us holds nothing yet.
                    Err(_) if self.segments.is_empty() && is_empty(&path) => return Ok(None),
                    Err(wrong) => return Err(self.damage(first_seq, 0, wrong)),
                }
                continue;
            };
            let (seq, offset) = (walk.head.seq + 1, walk.offset);
            match walk.step().map_err(failed)? {
                Step::Link(link) => {
                    if link.head.seq < self.from_seq || !self.filter.outline_fits(&link.outline) {
                        continue;
                    }
                    let event = Event::decode(link.event)?;
                    if self.filter.event_fits(&event) {
                        return Ok(Some(Entry { seq, hash: link.head.hash, event }));
                    }
                }
                Step::Shut(_) => return Err(self.damage(seq, offset, Wrong::Keyless)),
                Step::End => {
                    let head = walk.head;
                    self.walk = None;
                    self.check_next(head)?;
                }
                Step::Flaw(Wrong::Torn) if self.segments.is_empty() => return Ok(None),
                Step::Flaw(wrong) => return Err(self.damage(seq, offset, wrong)),
            }
        }
    }

    fn check_next(&self, head: Head) -> Result<(), Fault> {
        match self.segments.last() {
            Some((first, _)) if *first != head.seq + 1 => {
                Err(self.damage(head.seq + 1, 0, Wrong::Segment(*first)))
            }
            _ => Ok(()),
        }
    }

    fn damage(&self, seq: u64, offset: u64, wrong: Wrong) -> Fault {
        let damage = Damage { seq, segment: self.name.clone(), offset, wrong };
        damage.fault()
    }
}

fn is_empty(path: &Path) -> bool {
    crate::segment::is_begun_only(path).unwrap_or(false)
}

impl Iterator for Reader {
    type Item = Result<Entry, Fault>;

    fn next(&mut self) -> Option<Self::Item> {
        let found = self.find();
        if !matches!(found, Ok(Some(_))) {
            self.walk = None;
            self.segments.clear();
        }
        found.transpose()
    }
}
