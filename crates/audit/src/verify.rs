//! `verify`: reads the whole log and names the first event that is altered, missing, out of order or
//! cut off (170.315(d)(10)(ii): detection of alteration; 45 CFR 164.312(c)(2)).

use std::fmt;
use std::fs::TryLockError;
use std::path::Path;

use base::error::code;
use base::{Fault, Millis};
use keys::LogKey;

use crate::chain::{CommitMark, Hash, Head};
use crate::recover::{event_after, read_tail};
use crate::seals::{Seals, Trust};
use crate::segment::{Step, Walk, is_begun_only, list, unavailable};

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Report {
    /// Segments read, the damaged one included.
    pub segments: u64,
    /// Sound events.
    pub events: u64,
    /// Bytes of the sound events' frames and of the headers before them.
    pub bytes: u64,
    /// The time of the first sound event.
    pub first_time: Option<Millis>,
    /// The time of the last sound event.
    pub last_time: Option<Millis>,
    /// The last sound event.
    pub head: Head,
    /// How far the store's commits have come.
    pub mark: CommitMark,
    /// Checkpoints that hold, when a key was given to verify them by.
    pub checkpoints: u64,
    /// The last event that a checkpoint covers.
    pub signed: u64,
    /// The root of the tree at that checkpoint.
    pub root: Option<Hash>,
    /// Of the sound events, those that are sealed and were not opened: their links were held.
    pub shut: u64,
    /// The running server was writing an event after the head; it is not counted.
    pub writing: bool,
    /// The first thing that is wrong; everything after it is unproven.
    pub damage: Option<Damage>,
}

impl Report {
    /// Whether nothing is wrong.
    pub const fn is_sound(&self) -> bool {
        self.damage.is_none()
    }
}

/// The first thing that is wrong in a log, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Damage {
    /// The number of the first event that is bad or missing.
    pub seq: u64,
    /// The name of the segment file; none when no segment is left to hold the event.
    pub segment: Option<String>,
    /// Where in that file.
    pub offset: u64,
    /// What is wrong.
    pub wrong: Wrong,
}

/// What is wrong with an event or a segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// The event, its number's place or its hash was altered.
    Altered,
    /// Another event stands in its place.
    Number(u64),
    /// The file ends in the middle of it.
    Torn,
    /// Its length is more than an event's can be.
    Length,
    /// It is in the chain, but this program cannot read it.
    Event(&'static str),
    /// It is sealed, and what stands there is not what was sealed there.
    Sealed,
    /// It is sealed, and no key was given.
    Keyless,
    /// It is sealed under another key than the one given.
    OtherKey,
    /// The segment's header is unsound.
    Header(&'static str),
    /// The next segment begins with another event.
    Segment(u64),
    /// The log ends before it, though the anchor says that it went on.
    Truncated,
    /// The chain is sound in itself but is not the one that the anchor was taken from.
    Anchor,
    /// The chain is sound in itself, and the event is not the one that was signed.
    Signed,
    /// The chain is sound in itself; this event or one up to `until` is not the one that was signed.
    Rewritten {
        /// The last event that the signature covers.
        until: u64,
    },
    /// The checkpoint that should cover the event is wrong.
    Checkpoint(&'static str),
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Altered => f.write_str("altered: its hash does not follow from what is there"),
            Self::Number(found) => write!(f, "missing or moved: event {found} stands in its place"),
            Self::Torn => f.write_str("incomplete: the file ends inside it"),
            Self::Length => f.write_str("altered: its length is impossible"),
            Self::Event(what) => write!(f, "unreadable: {what} was expected"),
            Self::Sealed => {
                f.write_str("altered, and the chain made anew: it is not what was sealed there")
            }
            Self::Keyless => f.write_str("sealed, and the log's key is not here"),
            Self::OtherKey => f.write_str("sealed under another key"),
            Self::Header(what) => write!(f, "in a segment whose header is unsound: {what}"),
            Self::Segment(found) => {
                write!(f, "missing or moved: the next segment begins with event {found}")
            }
            Self::Truncated => f.write_str("missing: the log ends before it"),
            Self::Anchor => f.write_str("not the event the anchor was taken from"),
            Self::Signed => f.write_str("altered, and the chain made anew: another one was signed"),
            Self::Rewritten { until } => write!(
                f,
                "altered, or one up to event {until} is, and the chain made anew: others were signed"
            ),
            Self::Checkpoint(what) => {
                write!(f, "not proven: the checkpoint that should cover it is {what}")
            }
        }
    }
}

impl Damage {
    /// What a reader is told: that it is damage, or only that the key is missing.
    pub(crate) fn fault(&self) -> Fault {
        let code = match self.wrong {
            Wrong::Keyless | Wrong::OtherKey => &code::AUDIT_KEY,
            _ => &code::AUDIT_CORRUPT,
        };
        Fault::new(code, self.to_string())
    }
}

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "audit event {} is {}", self.seq, self.wrong)?;
        match &self.segment {
            Some(segment) => write!(f, " ({segment}, byte {})", self.offset),
            None => Ok(()),
        }
    }
}

/// Reads every segment of the log in `dir` and checks each link. With an anchor, which the store
/// keeps, it also finds a log that was cut off or rewritten. It may run beside the server.
///
/// # Errors
/// `audit.unavailable` when the log cannot be read; damage is not an error but the report.
pub fn verify(dir: &Path, anchor: Option<Head>) -> Result<Report, Fault> {
    run(dir, anchor, None, None)
}

/// As [`verify`], and opens what is sealed: then nobody without the key can have written it anew.
///
/// # Errors
/// As [`verify`].
pub fn verify_under(
    dir: &Path,
    anchor: Option<Head>,
    key: Option<&LogKey>,
) -> Result<Report, Fault> {
    run(dir, anchor, None, key)
}

/// As [`verify`], and holds the log against its signed checkpoints: then nobody without the signing
/// key can have written it anew, and with the salts the altered event is named.
///
/// # Errors
/// As [`verify`].
pub fn verify_signed(dir: &Path, anchor: Option<Head>, trust: &Trust) -> Result<Report, Fault> {
    run(dir, anchor, Some(trust), trust.log.as_ref())
}

fn run(
    dir: &Path,
    anchor: Option<Head>,
    trust: Option<&Trust>,
    key: Option<&LogKey>,
) -> Result<Report, Fault> {
    let failed = |e| unavailable("the audit log cannot be read", &e);
    let mut report = Report::default();
    let segments = list(dir).map_err(failed)?;
    let mut seals = None;
    if let Some(trust) = trust {
        match Seals::open(dir, trust, is_open(dir)).map_err(failed)? {
            Ok(opened) => seals = Some(opened),
            Err(damage) => {
                report.damage = Some(damage);
                return Ok(report);
            }
        }
    }
    let mut opening = Opening { anchor, key, sealed: false };
    for (i, (first_seq, path)) in segments.iter().enumerate() {
        report.segments += 1;
        let name = || path.file_name().map(|n| n.to_string_lossy().into_owned());
        let found = match segment(&mut report, *first_seq, path, &mut opening, seals.as_mut()) {
            Ok(found) => found,
            Err(Stop::Failed(error)) => return Err(failed(error)),
            Err(Stop::Seal(damage)) => {
                let damage = *damage;
                report.damage = Some(Damage { segment: damage.segment.or_else(name), ..damage });
                break;
            }
        };
        let Some((seq, offset, wrong)) = found else { continue };
        let reached = anchor.is_none_or(|anchor| report.head.seq >= anchor.seq);
        if i + 1 == segments.len() && reached && is_open(dir) {
            report.writing = is_being_written(path, seq, offset, wrong).map_err(failed)?;
        }
        if !report.writing {
            report.damage = Some(Damage { seq, segment: name(), offset, wrong });
            break;
        }
    }
    if let Some(seals) = seals {
        (report.checkpoints, report.signed, report.root) = seals.so_far();
        let grown = || list(dir).is_ok_and(|now| now.len() > segments.len());
        if report.is_sound()
            && seals.covers_more_than(report.head.seq)
            && !(is_open(dir) && grown())
        {
            report.damage = Some(missing(report.head.seq + 1));
        }
    }
    if report.is_sound() && anchor.is_some_and(|anchor| report.head.seq < anchor.seq) {
        report.damage = Some(missing(report.head.seq + 1));
    }
    Ok(report)
}

const fn missing(seq: u64) -> Damage {
    Damage { seq, segment: None, offset: 0, wrong: Wrong::Truncated }
}

/// Whether what looks wrong at the end of an open log is an event or a header that the server has
/// begun to write: cut off by the end of the file, and nothing after it.
fn is_being_written(path: &Path, seq: u64, offset: u64, wrong: Wrong) -> std::io::Result<bool> {
    match wrong {
        Wrong::Torn => Ok(!event_after(&read_tail(path, offset)?, seq)),
        Wrong::Header(_) => is_begun_only(path),
        _ => Ok(false),
    }
}

/// Whether a server has the log open.
fn is_open(dir: &Path) -> bool {
    let lock = std::fs::File::open(dir.join("lock"));
    lock.is_ok_and(|lock| matches!(lock.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// What segments are held against, one after the other.
struct Opening<'a> {
    anchor: Option<Head>,
    key: Option<&'a LogKey>,
    /// The segment before was sealed.
    sealed: bool,
}

/// Said of a plain segment behind a sealed one: whoever has not the key could have put it there.
pub(crate) const PLAIN_AGAIN: &str = "it is plain, and the one before it is sealed";

type Found = Option<(u64, u64, Wrong)>;

/// Why a segment is not read to its end.
enum Stop {
    Failed(std::io::Error),
    Seal(Box<Damage>),
}

impl From<std::io::Error> for Stop {
    fn from(error: std::io::Error) -> Self {
        Self::Failed(error)
    }
}

fn segment(
    report: &mut Report,
    first_seq: u64,
    path: &Path,
    opening: &mut Opening<'_>,
    mut seals: Option<&mut Seals<'_>>,
) -> Result<Found, Stop> {
    let expected = report.head.seq + 1;
    if first_seq != expected {
        return Ok(Some((expected, 0, Wrong::Segment(first_seq))));
    }
    let mut walk = match Walk::open_links(path, first_seq, opening.key)? {
        Ok(walk) => walk,
        Err(wrong) => return Ok(Some((expected, 0, wrong))),
    };
    if opening.sealed && walk.header.seal.is_none() {
        return Ok(Some((expected, 0, Wrong::Header(PLAIN_AGAIN))));
    }
    opening.sealed = walk.header.seal.is_some();
    if walk.header.previous != report.head.hash {
        return Ok(Some((expected, 0, Wrong::Header("does not follow from the one before"))));
    }
    // Who cannot open events cannot count their commits.
    if report.shut == 0 && walk.header.mark != report.mark {
        return Ok(Some((expected, 0, Wrong::Header("miscounts the store's commits"))));
    }
    loop {
        let offset = walk.offset;
        match walk.step()? {
            Step::Link(link) => {
                let anchored = opening.anchor.filter(|anchor| anchor.seq == link.head.seq);
                if anchored.is_some_and(|anchor| anchor.hash != link.head.hash) {
                    return Ok(Some((link.head.seq, offset, Wrong::Anchor)));
                }
                report.first_time.get_or_insert(link.outline.time);
                report.last_time = Some(link.outline.time);
                report.events += 1;
                report.head = link.head;
                if let Some(seals) = &mut seals
                    && let Some(damage) = seals.event(link.head, link.event, offset)?
                {
                    return Err(Stop::Seal(Box::new(damage)));
                }
            }
            Step::Shut(head) => {
                if opening.anchor.is_some_and(|a| a.seq == head.seq && a.hash != head.hash) {
                    return Ok(Some((head.seq, offset, Wrong::Anchor)));
                }
                report.events += 1;
                report.shut += 1;
                report.head = head;
                if let Some(seals) = &mut seals
                    && let Some(damage) = seals.shut_event(head, offset)?
                {
                    return Err(Stop::Seal(Box::new(damage)));
                }
            }
            Step::End => break,
            Step::Flaw(wrong) => {
                report.bytes += offset;
                report.mark = walk.mark;
                return Ok(Some((report.head.seq + 1, offset, wrong)));
            }
        }
    }
    report.bytes += walk.offset;
    report.mark = walk.mark;
    Ok(None)
}
