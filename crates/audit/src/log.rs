//! The log, open for appending. Appending gives the event its number and its place in the chain under
//! a short lock and copies it to a buffer; `writer` brings the buffer to the disk.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use base::error::code;
use base::{Clock, Fault};
use keys::{CryptoRandom, LogKey, SystemRandom};
use parking_lot::{Condvar, Mutex};

use crate::chain::{CommitMark, Head};
use crate::codec::{EVENT_BYTES_MAX, outline};
use crate::event::Event;
use crate::files::{Disk, Files};
use crate::recover::recover;
use crate::sealing::{SEAL_EXTRA, Sealer};
use crate::segment::{
    FRAME_EXTRA, HEADER_BYTES, Header, SEALED_HEADER_BYTES, file_name, put_frame, unavailable,
};
use crate::ticket::{Progress, Ticket};
use crate::writer::{self, Syncing, Writer};

/// How long another process is given to let go of the log.
const LOCK_PATIENCE: Duration = Duration::from_millis(200);

/// How a log is opened.
#[derive(Debug, Clone)]
pub struct Options {
    /// Dates the segments.
    pub clock: Arc<dyn Clock>,
    /// The least time between two syncs: what a power cut may cost of the plain reads.
    pub sync_interval_ms: u64,
    /// A segment is ended before it would grow above this.
    pub segment_bytes: u64,
    /// Events that wait for the writer; when they take more than this, appending is refused.
    pub buffer_bytes: usize,
    /// What the store last kept of [`Log::anchor`]. The log does not open when it falls short of it.
    pub anchor: Option<Head>,
    /// The file layer to write through.
    pub files: Arc<dyn Files>,
    /// What new segments are sealed under; without it they are plain. A sealed log opens with it alone.
    pub key: Option<LogKey>,
    /// Draws what no two openings of the log may share.
    pub random: Arc<dyn CryptoRandom>,
}

impl Options {
    /// The defaults: 5 ms, 64 MiB, 16 MiB, no anchor, the machine's disk and randomness, not sealed.
    pub fn new(clock: Arc<dyn Clock>) -> Self {
        Self {
            clock,
            sync_interval_ms: 5,
            segment_bytes: 64 << 20,
            buffer_bytes: 16 << 20,
            anchor: None,
            files: Arc::new(Disk),
            key: None,
            random: Arc::new(SystemRandom),
        }
    }
}

/// An open log. One process holds it at a time; its threads end when it is dropped.
#[derive(Debug)]
pub struct Log {
    shared: Arc<Shared>,
    threads: Option<(JoinHandle<()>, JoinHandle<()>)>,
    torn_bytes: u64,
    /// Held for its lock.
    _lock: File,
}

/// What appenders and writers share.
#[derive(Debug)]
pub(crate) struct Shared {
    pub(crate) intake: Mutex<Intake>,
    pub(crate) work: Condvar,
    pub(crate) writer: Mutex<Writer>,
    pub(crate) syncing: Syncing,
    pub(crate) progress: Arc<Progress>,
    pub(crate) options: Options,
}

/// Events in their order, on their way to the writer.
#[derive(Debug, Default)]
pub(crate) struct Intake {
    pub(crate) head: Head,
    pub(crate) buffer: Vec<u8>,
    pub(crate) cuts: Vec<Cut>,
    /// The writing thread sleeps.
    pub(crate) idle: bool,
    /// It is asked to write.
    pub(crate) called: bool,
    pub(crate) closing: bool,
    mark: CommitMark,
    /// Length of the last segment once the buffer is written.
    segment_len: u64,
    sealer: Option<Sealer>,
}

/// Where in the buffer a new segment begins, and with what header.
#[derive(Debug)]
pub(crate) struct Cut {
    pub(crate) at: usize,
    pub(crate) header: Header,
}

impl Log {
    /// Opens the log in `dir`, or begins one there; repairs the tail that a crash left.
    ///
    /// # Errors
    /// `audit.locked` when another process has it open, `audit.corrupt` when it is damaged or falls
    /// short of the anchor, `audit.key.missing` when it is sealed and the key is not its key,
    /// `audit.unavailable` when it cannot be read or written.
    pub fn open(dir: &Path, options: Options) -> Result<Self, Fault> {
        let failed = |e: io::Error| unavailable("the audit log cannot be opened", &e);
        fs::create_dir_all(dir).map_err(failed)?;
        let lock = lock(dir)?;
        let found = recover(dir, options.anchor, options.key.as_ref())?;
        let key = options.key.clone();
        let mut sealer =
            key.map(|key| Sealer::new(key, Arc::clone(&options.random))).transpose()?;
        // What a killed process wrote is in the file but perhaps not on the disk, and behind another
        // segment nobody looks for a torn end any more.
        if let Some((path, ..)) = &found.segment {
            options.files.append(path).and_then(|file| file.sync()).map_err(failed)?;
        }
        // What is plain is never added to where the log is sealed.
        let goes_on = found.segment.filter(|(_, last, _)| last.seal.is_some() == sealer.is_some());
        let (file, header, segment_len) = if let Some((path, header, length)) = goes_on {
            (options.files.append(&path).map_err(failed)?, header, length)
        } else {
            let header = Header {
                first_seq: found.head.seq + 1,
                created: options.clock.now(),
                mark: found.mark,
                previous: found.head.hash,
                seal: sealer.as_ref().map(Sealer::head).transpose()?,
            };
            // A plain one that was begun and holds nothing has the name of this one.
            match fs::remove_file(segment_path(dir, header.first_seq)) {
                Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(failed(error)),
                _ => {}
            }
            let file = writer::begin_segment(&*options.files, dir, &header).map_err(failed)?;
            (file, header, header.length() as u64)
        };
        if let Some(sealer) = &mut sealer {
            sealer.enter(&header)?;
        }
        file.sync().map_err(failed)?;
        let writer = Writer::new(Arc::clone(&options.files), dir.to_owned(), Arc::clone(&file));
        let intake =
            Intake { head: found.head, mark: found.mark, segment_len, sealer, ..Intake::default() };
        let shared = Arc::new(Shared {
            intake: Mutex::new(intake),
            work: Condvar::new(),
            writer: Mutex::new(writer),
            syncing: Syncing::new(file, found.head),
            progress: Arc::new(Progress::new(found.head)),
            options,
        });
        let threads = writer::spawn(&shared).map_err(failed)?;
        let torn_bytes = found.torn_bytes;
        Ok(Self { shared, threads: Some(threads), torn_bytes, _lock: lock })
    }

    /// Appends an event. Nothing that it tells of may leave the server before
    /// [`Ticket::written`] (or, for disclosures, [`Ticket::synced`]) is done.
    ///
    /// # Errors
    /// `audit.unavailable` when the log has failed or its writer is too far behind.
    pub fn append(&self, event: &Event) -> Result<Ticket, Fault> {
        self.append_checked(&event.encode(), event.commit_seq)
    }

    /// Appends an event that [`Event::encode`] made.
    ///
    /// # Errors
    /// As [`Log::append`], and `audit.corrupt` when the bytes are no event.
    pub fn append_encoded(&self, encoded: &[u8]) -> Result<Ticket, Fault> {
        let commit_seq = outline(encoded)?.commit_seq;
        self.append_checked(encoded, commit_seq)
    }

    /// Appends those of a commit's events that the log does not hold yet: all of them after a commit,
    /// the missing ones after a crash, none when it is called again. `events` are all the commit's
    /// events in their order, and commits must come in theirs: a commit below [`Log::last_commit_seq`]
    /// is taken to be in the log. Waits while the writer is behind; what is committed is not refused.
    ///
    /// The store may forget the events when [`Ticket::synced`] is done; `None` means that all were
    /// there, and [`Log::anchor`] tells when they are synced.
    ///
    /// # Errors
    /// `audit.unavailable` when the log has failed, `audit.corrupt` when an event is none of the commit.
    pub fn append_commit<E: AsRef<[u8]>>(
        &self,
        commit_seq: u64,
        events: &[E],
    ) -> Result<Option<Ticket>, Fault> {
        let mut bytes = 0;
        for event in events {
            if outline(event.as_ref())?.commit_seq != commit_seq || commit_seq == 0 {
                let what = format!("an event does not belong to commit {commit_seq}");
                return Err(Fault::new(&code::AUDIT_CORRUPT, what));
            }
            bytes += event.as_ref().len() + FRAME_EXTRA + SEAL_EXTRA;
        }
        loop {
            let mut intake = self.shared.intake.lock();
            self.check_alive()?;
            if !self.has_room(&intake, bytes) {
                let ticket = self.ticket(intake.head.seq);
                drop(intake);
                ticket.written().wait()?;
                continue;
            }
            let held = match commit_seq.cmp(&intake.mark.seq) {
                std::cmp::Ordering::Less => events.len(),
                std::cmp::Ordering::Equal => {
                    usize::try_from(intake.mark.events).unwrap_or(usize::MAX)
                }
                std::cmp::Ordering::Greater => 0,
            };
            let missing = events.get(held..).unwrap_or_default();
            if missing.is_empty() {
                return Ok(None);
            }
            for event in missing {
                self.push(&mut intake, event.as_ref(), commit_seq)?;
            }
            // Nobody waits for a commit's events, so the thread is called.
            self.shared.call_with(&mut intake);
            return Ok(Some(self.ticket(intake.head.seq)));
        }
    }

    /// The last event appended, perhaps not written yet.
    pub fn head(&self) -> Head {
        self.shared.intake.lock().head
    }

    /// The last event synced. The store keeps it and hands it to [`Options::anchor`] and `verify`.
    pub fn anchor(&self) -> Head {
        self.shared.progress.anchor()
    }

    /// Waits until everything appended so far is synced.
    ///
    /// # Errors
    /// `audit.unavailable` when the log has failed.
    pub fn flush(&self) -> Result<(), Fault> {
        self.ticket(self.head().seq).synced().wait()
    }

    /// Waits until everything appended so far is in the files: for whoever reads them next.
    ///
    /// # Errors
    /// `audit.unavailable` when the log has failed.
    pub fn catch_up(&self) -> Result<(), Fault> {
        self.ticket(self.head().seq).written().wait()
    }

    /// The highest commit number in the log; 0 when there is none.
    pub fn last_commit_seq(&self) -> u64 {
        self.last_commit().seq
    }

    /// The highest commit number in the log and how many of its events are there.
    pub fn last_commit(&self) -> CommitMark {
        self.shared.intake.lock().mark
    }

    /// How many bytes of an unfinished write were cut off when the log was opened.
    pub const fn torn_bytes(&self) -> u64 {
        self.torn_bytes
    }

    /// Why the log has failed, if it has.
    pub fn failure(&self) -> Option<Fault> {
        self.shared.progress.failure().cloned()
    }

    /// Writes and syncs what is appended, and closes.
    ///
    /// # Errors
    /// The failure of the log, if it has failed.
    pub fn close(mut self) -> Result<Head, Fault> {
        self.stop();
        self.failure().map_or_else(|| Ok(self.anchor()), Err)
    }

    fn append_checked(&self, encoded: &[u8], commit_seq: u64) -> Result<Ticket, Fault> {
        if encoded.len() > EVENT_BYTES_MAX {
            return Err(Fault::new(&code::AUDIT_UNAVAILABLE, "the event is longer than 4 MiB"));
        }
        let mut intake = self.shared.intake.lock();
        self.check_alive()?;
        if commit_seq != 0 && commit_seq < intake.mark.seq {
            let what = format!("commit {commit_seq} comes after commit {}", intake.mark.seq);
            return Err(Fault::new(&code::INTERNAL, what));
        }
        if !self.has_room(&intake, encoded.len() + FRAME_EXTRA + SEAL_EXTRA) {
            return Err(Fault::new(&code::AUDIT_UNAVAILABLE, "the audit log's writer is behind"));
        }
        self.push(&mut intake, encoded, commit_seq)?;
        Ok(self.ticket(intake.head.seq))
    }

    fn check_alive(&self) -> Result<(), Fault> {
        self.shared.progress.failure().map_or(Ok(()), |fault| Err(fault.clone()))
    }

    fn has_room(&self, intake: &Intake, bytes: usize) -> bool {
        intake.buffer.is_empty() || intake.buffer.len() + bytes <= self.shared.options.buffer_bytes
    }

    /// Gives an event its place. When it cannot be sealed, the log has failed: nothing is written plain.
    fn push(&self, intake: &mut Intake, event: &[u8], commit_seq: u64) -> Result<(), Fault> {
        self.put(intake, event, commit_seq)
            .inspect_err(|fault| self.shared.progress.fail(fault.clone()))
    }

    fn put(&self, intake: &mut Intake, event: &[u8], commit_seq: u64) -> Result<(), Fault> {
        let options = &self.shared.options;
        let (header_bytes, extra) = match intake.sealer {
            Some(_) => (SEALED_HEADER_BYTES, FRAME_EXTRA + SEAL_EXTRA),
            None => (HEADER_BYTES, FRAME_EXTRA),
        };
        let length = (extra + event.len()) as u64;
        let seq = intake.head.seq + 1;
        let empty = intake.segment_len == header_bytes as u64;
        if !empty && intake.segment_len + length > options.segment_bytes {
            let header = Header {
                first_seq: seq,
                created: options.clock.now(),
                mark: intake.mark,
                previous: intake.head.hash,
                seal: intake.sealer.as_ref().map(Sealer::head).transpose()?,
            };
            if let Some(sealer) = &mut intake.sealer {
                sealer.enter(&header)?;
            }
            intake.cuts.push(Cut { at: intake.buffer.len(), header });
            intake.segment_len = header_bytes as u64;
        }
        let (buffer, sealer) = (&mut intake.buffer, intake.sealer.as_ref());
        let hash = put_frame(buffer, &intake.head.hash, seq, event, sealer)?;
        intake.head = Head { seq, hash };
        intake.mark.note(commit_seq);
        intake.segment_len += length;
        Ok(())
    }

    fn ticket(&self, seq: u64) -> Ticket {
        Ticket { seq, shared: Arc::clone(&self.shared) }
    }

    fn stop(&mut self) {
        let Some((writer, syncer)) = self.threads.take() else { return };
        self.shared.intake.lock().closing = true;
        self.shared.work.notify_one();
        // A thread that panicked has failed the log already.
        let _ = writer.join();
        self.shared.syncing.close();
        let _ = syncer.join();
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.stop();
    }
}

fn lock(dir: &Path) -> Result<File, Fault> {
    let path = dir.join("lock");
    let file = File::options().create(true).append(true).open(path);
    let file = file.map_err(|e| unavailable("the audit log cannot be locked", &e))?;
    let began = Instant::now();
    loop {
        match file.try_lock() {
            Ok(()) => return Ok(file),
            // A process that is just ending, or beginning another, holds it for moments longer.
            Err(TryLockError::WouldBlock) if began.elapsed() < LOCK_PATIENCE => {
                std::thread::sleep(LOCK_PATIENCE / 10);
            }
            Err(TryLockError::WouldBlock) => {
                let text = "another process has the audit log open";
                return Err(Fault::new(&code::AUDIT_LOCKED, text));
            }
            Err(TryLockError::Error(e)) => {
                return Err(unavailable("the audit log cannot be locked", &e));
            }
        }
    }
}

/// The path of a segment.
pub(crate) fn segment_path(dir: &Path, first_seq: u64) -> std::path::PathBuf {
    dir.join(file_name(first_seq))
}
