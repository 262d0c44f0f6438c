//! Sending the log elsewhere as it is written: syslog messages (RFC 5424) in frames (RFC 6587, RFC 5425)
//! to a collector, from the event where it last stopped. A collector in other hands keeps what an
//! intruder here would like to be gone.
//!
//! Syslog has no acknowledgement: an event counts as sent when the connection took it, so a collector
//! that fails may miss the last ones, and one that is connected anew may see some twice. Their numbers
//! and hashes tell.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base::Fault;
use base::error::code;
use keys::LogKey;

use crate::chain::{Hash, Head};
use crate::event::Event;
use crate::notary::{begin, find};
use crate::read::Entry;
use crate::segment::{Step, Walk, is_begun_only, unavailable};
use crate::syslog::frame;
use crate::verify::{Damage, Wrong};

/// Bytes that are sent before the position is kept.
const BATCH_BYTES: usize = 256 << 10;

/// What takes frames: a connection, by TLS or not.
pub trait Sink {
    /// Hands over whole frames.
    fn send(&mut self, frames: &[u8]) -> io::Result<()>;
}

impl<W: Write> Sink for W {
    fn send(&mut self, frames: &[u8]) -> io::Result<()> {
        self.write_all(frames)?;
        self.flush()
    }
}

/// How far a collector has been sent the log; kept in the log's directory.
#[derive(Debug)]
pub struct Position {
    path: PathBuf,
    head: Head,
}

impl Position {
    /// The position of the collector called `name`: letters, digits, hyphens and full stops of it count.
    ///
    /// # Errors
    /// `audit.unavailable` when it cannot be read.
    pub fn open(dir: &Path, name: &str) -> Result<Self, Fault> {
        let kept = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-');
        let name: String = name.chars().map(|c| if kept(c) { c } else { '_' }).collect();
        let path = dir.join(format!("sent.{name}"));
        let head = match std::fs::read_to_string(&path) {
            Ok(text) => parse(&text).ok_or_else(|| {
                let what = format!("{} is not a position in the log", path.display());
                Fault::new(&code::AUDIT_UNAVAILABLE, what)
            })?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => Head::default(),
            Err(error) => return Err(unavailable("the position cannot be read", &error)),
        };
        Ok(Self { path, head })
    }

    /// The last event sent.
    #[must_use]
    pub const fn head(&self) -> Head {
        self.head
    }

    fn keep(&mut self, head: Head) -> io::Result<()> {
        let new = self.path.with_extension("new");
        let mut file = std::fs::File::create(&new)?;
        file.write_all(format!("{} {}\n", head.seq, head.hash).as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&new, &self.path)?;
        self.head = head;
        Ok(())
    }
}

fn parse(text: &str) -> Option<Head> {
    let (seq, hash) = text.trim_end().split_once(' ')?;
    Some(Head { seq: seq.parse().ok()?, hash: Hash::from_hex(hash)? })
}

/// Follows one log for one collector.
#[derive(Debug)]
pub struct Forwarder {
    dir: PathBuf,
    host: String,
    position: Position,
    /// Where reading has come to; at most a batch beyond the position.
    walk: Option<Walk>,
    key: Option<LogKey>,
}

impl Forwarder {
    /// Goes on from `position`. `host` names this machine in the messages.
    #[must_use]
    pub fn new(dir: &Path, position: Position, host: impl Into<String>) -> Self {
        Self { dir: dir.to_owned(), host: host.into(), position, walk: None, key: None }
    }

    /// Opens what is sealed by this key.
    #[must_use]
    pub fn under(mut self, key: Option<LogKey>) -> Self {
        self.key = key;
        self
    }

    /// The last event sent.
    #[must_use]
    pub const fn sent(&self) -> Head {
        self.position.head
    }

    /// Sends what is there and not sent yet; answers how many events.
    ///
    /// # Errors
    /// `audit.unavailable` when the sink or the disk fails: it goes on from the position kept;
    /// `audit.corrupt` when the log is damaged, or is not the one that was sent before.
    pub fn forward(&mut self, sink: &mut dyn Sink) -> Result<u64, Fault> {
        let mut count = 0;
        loop {
            let mut batch = Vec::new();
            let read = self.gather(&mut batch);
            let (head, events) = match read {
                Ok(read) => read,
                Err(fault) => {
                    self.walk = None;
                    return Err(fault);
                }
            };
            if events == 0 {
                return Ok(count);
            }
            let sent = sink.send(&batch).and_then(|()| self.position.keep(head));
            if let Err(error) = sent {
                // What was read and not sent is read again.
                self.walk = None;
                return Err(unavailable("the collector cannot be sent the audit log", &error));
            }
            count += events;
        }
    }

    /// The next frames, up to the size of a batch.
    fn gather(&mut self, batch: &mut Vec<u8>) -> Result<(Head, u64), Fault> {
        let failed = |e| unavailable("the audit log cannot be read", &e);
        let (mut head, mut events) = (self.position.head, 0);
        while batch.len() < BATCH_BYTES {
            let Some(walk) = &mut self.walk else {
                self.walk = Some(find(&self.dir, self.position.head, self.key.as_ref())?);
                continue;
            };
            match walk.step().map_err(failed)? {
                Step::Link(link) => {
                    let event = Event::decode(link.event)?;
                    head = link.head;
                    let entry = Entry { seq: head.seq, hash: head.hash, event };
                    batch.extend_from_slice(&frame(&entry, &self.host));
                    events += 1;
                }
                Step::End => {
                    // The last segment, begun and without an event yet.
                    if walk.header.first_seq > walk.head.seq {
                        break;
                    }
                    let next = crate::log::segment_path(&self.dir, walk.head.seq + 1);
                    if is_begun_only(&next).unwrap_or(true) {
                        break;
                    }
                    self.walk = {
                        let (first, head) = (walk.head.seq + 1, walk.head);
                        Some(begin(&self.dir, first, head, self.key.as_ref())?)
                    };
                }
                Step::Shut(head) => {
                    let wrong = Wrong::Keyless;
                    let damage = Damage { seq: head.seq, segment: None, offset: 0, wrong };
                    return Err(damage.fault());
                }
                // It is being written.
                Step::Flaw(Wrong::Torn) => break,
                Step::Flaw(wrong) => {
                    let damage = Damage { seq: head.seq + 1, segment: None, offset: 0, wrong };
                    return Err(damage.fault());
                }
            }
        }
        Ok((head, events))
    }
}
