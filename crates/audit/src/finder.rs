//! Finding events, newest first, without reading the whole log: by patient through the index of each
//! segment, by time through its blocks. What is shown is read from the log itself, block by block, and
//! each link of a block is checked.

use std::fs::File;
use std::io::{self, Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::{Fault, Millis};
use keys::{CryptoRandom, LogKey, SystemRandom};

use crate::chain::{Hash, Head};
use crate::codec::{patient_number, patient_numbers};
use crate::event::Event;
use crate::index::{BLOCK, Block, Postings, keep, load};
use crate::read::Entry;
use crate::sealing::Opener;
use crate::segment::{FRAME_HEAD, Header, Step, Walk, frame_head, list, unavailable};
use crate::verify::{Damage, Wrong};

/// What is looked for.
#[derive(Clone, Copy)]
pub struct Wanted<'a> {
    /// Only what concerns this patient.
    pub patient: Option<&'a str>,
    /// Not before this.
    pub from: Option<Millis>,
    /// Before this.
    pub until: Option<Millis>,
    /// Only events with a smaller number.
    pub before: u64,
    /// At most so many.
    pub count: usize,
    /// Events looked at before it stops short; it goes on from there with the next page.
    pub looks_max: u64,
    /// Anything else.
    pub fits: &'a dyn Fn(&Event) -> bool,
}

impl std::fmt::Debug for Wanted<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wanted").field("count", &self.count).finish_non_exhaustive()
    }
}

/// What was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Page {
    /// The events, newest first.
    pub entries: Vec<Entry>,
    /// Go on before this event; `None` when there is nothing more.
    pub next: Option<u64>,
}

/// Finds events of one log. It reads beside whoever writes.
#[derive(Debug)]
pub struct Finder {
    dir: PathBuf,
    segments: Vec<Indexed>,
    /// Reads on in the last segment.
    walk: Option<Walk>,
    key: Option<LogKey>,
    random: Arc<dyn CryptoRandom>,
    /// Keeps no index on the disk: another finder of this process does.
    looks_only: bool,
}

#[derive(Debug)]
struct Indexed {
    path: PathBuf,
    first: u64,
    /// Events that are indexed.
    events: u64,
    /// Bytes that are indexed.
    length: u64,
    blocks: Vec<Block>,
    postings: Postings,
}

impl Indexed {
    fn end(&self) -> u64 {
        self.first + self.events
    }
}

impl Finder {
    /// For the log in `dir`. Indexes are made and loaded when something is first looked for.
    #[must_use]
    pub fn new(dir: &Path) -> Self {
        Self {
            dir: dir.to_owned(),
            segments: Vec::new(),
            walk: None,
            key: None,
            random: Arc::new(SystemRandom),
            looks_only: false,
        }
    }

    /// Opens what is sealed by this key, and seals the indexes it makes.
    #[must_use]
    pub fn under(mut self, key: Option<LogKey>) -> Self {
        self.key = key;
        self
    }

    /// Another of the same log: for a long look, that others need not wait for.
    #[must_use]
    pub fn beside(&self) -> Self {
        let (key, random) = (self.key.clone(), Arc::clone(&self.random));
        Self { random, looks_only: true, ..Self::new(&self.dir).under(key) }
    }

    /// Indexes what was written since. A query does this by itself; done beside the server's work it
    /// spares the first query the wait.
    ///
    /// # Errors
    /// `audit.unavailable` when the log cannot be read; `audit.corrupt` when it is damaged.
    pub fn catch_up(&mut self) -> Result<(), Fault> {
        let failed = |e| unavailable("the audit log cannot be indexed", &e);
        let listed = list(&self.dir).map_err(failed)?;
        for (at, (first, path)) in listed.iter().enumerate() {
            let ended = at + 1 < listed.len();
            let is_kept = |known: &Indexed| matches!(known.postings, Postings::Kept { .. });
            if at + 1 < self.segments.len() || self.segments.get(at).is_some_and(is_kept) {
                continue;
            }
            if at == self.segments.len() {
                if ended {
                    let length = path.metadata().map_err(failed)?.len();
                    let header = File::open(path).and_then(|mut file| Header::read(&mut file));
                    let kept = match header.map_err(failed)? {
                        Ok(header) => load(path, header.sum(), length, self.key.as_ref()),
                        Err(_) => Ok(None),
                    };
                    if let Some((events, blocks, postings)) = kept.map_err(failed)? {
                        let (path, first) = (path.clone(), *first);
                        self.segments.push(Indexed {
                            path,
                            first,
                            events,
                            length,
                            blocks,
                            postings,
                        });
                        continue;
                    }
                }
                let length = match Walk::open(path, *first, self.key.as_ref()).map_err(failed)? {
                    Ok(walk) => self.walk.insert(walk).offset,
                    Err(wrong @ (Wrong::Keyless | Wrong::OtherKey)) => {
                        return Err(corrupt(*first, wrong));
                    }
                    // A segment that is being begun holds nothing yet.
                    Err(_) if !ended => return Ok(()),
                    Err(wrong) => return Err(corrupt(*first, wrong)),
                };
                self.segments.push(Indexed {
                    path: path.clone(),
                    first: *first,
                    events: 0,
                    length,
                    blocks: Vec::new(),
                    postings: Postings::Growing(Vec::new()),
                });
            }
            self.read_on(ended)?;
        }
        Ok(())
    }

    /// Indexes the last segment to its end.
    fn read_on(&mut self, ended: bool) -> Result<(), Fault> {
        let failed = |e| unavailable("the audit log cannot be indexed", &e);
        let under = self.key.as_ref().map(|key| (key, &*self.random));
        let (Some(walk), Some(segment)) = (&mut self.walk, self.segments.last_mut()) else {
            return Ok(());
        };
        let Postings::Growing(postings) = &mut segment.postings else { return Ok(()) };
        loop {
            let offset = walk.offset;
            match walk.step().map_err(failed)? {
                Step::Link(link) => {
                    let time = link.outline.time;
                    if segment.events.is_multiple_of(BLOCK) {
                        segment.blocks.push(Block { offset, from: time, until: time });
                    } else if let Some(block) = segment.blocks.last_mut() {
                        block.from = block.from.min(time);
                        block.until = block.until.max(time);
                    }
                    let place = u32::try_from(segment.events).unwrap_or(u32::MAX);
                    patient_numbers(link.event, |number| postings.push((number, place)))?;
                    segment.events += 1;
                }
                Step::Shut(head) => return Err(corrupt(head.seq, Wrong::Keyless)),
                Step::End => break,
                Step::Flaw(Wrong::Torn) if !ended => break,
                Step::Flaw(wrong) => return Err(corrupt(segment.end(), wrong)),
            }
        }
        segment.length = walk.offset;
        if !ended {
            return Ok(());
        }
        postings.sort_unstable();
        postings.dedup();
        if !self.looks_only {
            // What was found stays until it is kept: when the disk refuses, it is kept another time.
            let (path, length, events) = (&segment.path, segment.length, segment.events);
            let (of, blocks) = (walk.header.sum(), &segment.blocks);
            segment.postings = keep(path, of, (length, events), blocks, postings, under)?;
        }
        self.walk = None;
        Ok(())
    }

    /// The newest events that fit.
    ///
    /// # Errors
    /// As [`Finder::catch_up`].
    pub fn newest(&mut self, wanted: &Wanted<'_>) -> Result<Page, Fault> {
        let failed = |e| unavailable("the audit log cannot be read", &e);
        self.catch_up()?;
        let mut page = Page::default();
        let mut looks = 0;
        for segment in self.segments.iter().rev().filter(|segment| segment.first < wanted.before) {
            let places = match wanted.patient {
                Some(patient) => {
                    Some(segment.postings.find(patient_number(patient)).map_err(failed)?)
                }
                None => None,
            };
            for (at, block) in segment.blocks.iter().enumerate().rev() {
                let first = segment.first + at as u64 * BLOCK;
                let outside = wanted.from.is_some_and(|from| block.until < from)
                    || wanted.until.is_some_and(|until| block.from >= until)
                    || first >= wanted.before;
                let end = (first + BLOCK).min(segment.end());
                let places = places.as_ref().map(|all| within(all, segment.first, first, end));
                if outside || places.is_some_and(<[u32]>::is_empty) {
                    continue;
                }
                let next = segment.blocks.get(at + 1).map_or(segment.length, |next| next.offset);
                let span = block.offset..next;
                let events = read_block(&segment.path, span, first, self.key.as_ref());
                let events = events.map_err(failed)?;
                let events = events.map_err(|(seq, wrong)| corrupt(seq, wrong))?;
                for (head, event) in
                    events.iter().rev().filter(|(head, _)| head.seq < wanted.before)
                {
                    let place = |seq: u64| u32::try_from(seq - segment.first).unwrap_or(u32::MAX);
                    if places.is_some_and(|all| all.binary_search(&place(head.seq)).is_err()) {
                        continue;
                    }
                    if page.entries.len() == wanted.count || looks >= wanted.looks_max {
                        page.next = Some(head.seq + 1);
                        return Ok(page);
                    }
                    looks += 1;
                    let event = Event::decode(event)?;
                    if wanted.take(&event) {
                        page.entries.push(Entry { seq: head.seq, hash: head.hash, event });
                    }
                }
            }
        }
        Ok(page)
    }
}

impl Wanted<'_> {
    fn take(&self, event: &Event) -> bool {
        self.from.is_none_or(|from| event.time >= from)
            && self.until.is_none_or(|until| event.time < until)
            && self.patient.is_none_or(|patient| event.concerns(patient))
            && (self.fits)(event)
    }
}

/// Of places in a segment that begins with event `origin`, those of events from `first` to before `end`.
fn within(places: &[u32], origin: u64, first: u64, end: u64) -> &[u32] {
    let low = places.partition_point(|place| origin + u64::from(*place) < first);
    let high = places.partition_point(|place| origin + u64::from(*place) < end);
    places.get(low..high).unwrap_or_default()
}

type Events = Vec<(Head, Vec<u8>)>;

/// The events of a block, each link checked from the hash that stands before the first.
fn read_block(
    path: &Path,
    span: std::ops::Range<u64>,
    first: u64,
    key: Option<&LogKey>,
) -> io::Result<Result<Events, (u64, Wrong)>> {
    let mut file = File::open(path)?;
    // The hash before: at the end of the frame before, or in the header.
    let header = match Header::read(&mut file)? {
        Ok(header) => header,
        Err(what) => return Ok(Err((first, Wrong::Header(what)))),
    };
    let opener = match Opener::of(&header, key) {
        Ok(opener) => opener,
        Err(wrong) => return Ok(Err((first, wrong))),
    };
    let before =
        if span.start == header.length() as u64 { 40 } else { span.start.saturating_sub(32) };
    let mut previous = [0; 32];
    file.seek(SeekFrom::Start(before))?;
    file.read_exact(&mut previous)?;
    file.seek(SeekFrom::Start(span.start))?;
    let (mut bytes, mut plain) = (Vec::new(), Vec::new());
    file.take(span.end.saturating_sub(span.start)).read_to_end(&mut bytes)?;
    let (mut rest, mut hash, mut events) = (bytes.as_slice(), Hash(previous), Vec::new());
    let mut seq = first;
    while !rest.is_empty() {
        let frame = frame_head(rest).and_then(|(length, found)| {
            let body = rest.get(FRAME_HEAD..)?;
            let (stored, after) = body.split_at_checked(length)?;
            let (stated, after) = after.split_first_chunk::<32>()?;
            Some((found, stored, stated, after))
        });
        let Some((found, stored, stated, after)) = frame else {
            return Ok(Err((seq, Wrong::Torn)));
        };
        let previous = hash;
        hash = previous.link(seq, stored);
        if found != seq {
            return Ok(Err((seq, Wrong::Number(found))));
        }
        if hash.0 != *stated {
            return Ok(Err((seq, Wrong::Altered)));
        }
        match opener.open(&previous, seq, stored, &mut plain) {
            Ok(event) => events.push((Head { seq, hash }, event.to_vec())),
            Err(wrong) => return Ok(Err((seq, wrong))),
        }
        (rest, seq) = (after, seq + 1);
    }
    Ok(Ok(events))
}

fn corrupt(seq: u64, wrong: Wrong) -> Fault {
    Damage { seq, segment: None, offset: 0, wrong }.fault()
}
