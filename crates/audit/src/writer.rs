//! The two threads of an open log. The writer takes all that waits and writes it at once; while it
//! writes, the next batch gathers, so batches grow with the load and are single events when idle. The
//! syncer makes durable what was written, at most once per interval, beside the writer, so that
//! waiting for a write never means waiting for the disk.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use base::Fault;
use base::error::code;
use parking_lot::{Condvar, Mutex};

use crate::chain::Head;
use crate::files::{Files, SegmentFile};
use crate::log::{Cut, Shared, segment_path};
use crate::segment::{Header, unavailable};
use crate::ticket::{Progress, Stage};

/// Above this a drained buffer is given back to the system.
const SPARE_BYTES: usize = 1 << 20;

/// Creates a segment and makes its header and its name durable before any event follows.
pub(crate) fn begin_segment(
    files: &dyn Files,
    dir: &Path,
    header: &Header,
) -> io::Result<Arc<dyn SegmentFile>> {
    let file = files.create(&segment_path(dir, header.first_seq))?;
    file.write_all(&header.encode())?;
    file.sync()?;
    files.sync_dir(dir)?;
    Ok(file)
}

/// Starts both threads.
pub(crate) fn spawn(
    writer: Writer,
    sync_interval_ms: u64,
    progress: Arc<Progress>,
) -> io::Result<(JoinHandle<()>, JoinHandle<()>)> {
    let (syncing, shared) = (Arc::clone(&writer.syncing), Arc::clone(&writer.shared));
    let interval = Duration::from_millis(sync_interval_ms);
    let syncer = {
        let syncing = Arc::clone(&syncing);
        thread::Builder::new().name("audit-sync".to_owned()).spawn(move || {
            let guard = PanicGuard(Arc::clone(&progress));
            syncing.run(interval, &guard.0);
        })
    }?;
    let writer = thread::Builder::new().name("audit-write".to_owned()).spawn(move || {
        let guard = PanicGuard(Arc::clone(&shared.progress));
        writer.run();
        drop(guard);
    });
    match writer {
        Ok(writer) => Ok((writer, syncer)),
        Err(error) => {
            syncing.close();
            // It had nothing to sync and nothing to say.
            let _ = syncer.join();
            Err(error)
        }
    }
}

/// A thread that panics fails the log, so that nobody waits for it for ever.
struct PanicGuard(Arc<Progress>);

impl Drop for PanicGuard {
    fn drop(&mut self) {
        if thread::panicking() {
            self.0.fail(Fault::new(&code::AUDIT_UNAVAILABLE, "a thread of the audit log ended"));
        }
    }
}

/// The writing thread.
pub(crate) struct Writer {
    pub(crate) shared: Arc<Shared>,
    pub(crate) syncing: Arc<Syncing>,
    pub(crate) files: Arc<dyn Files>,
    pub(crate) dir: PathBuf,
    pub(crate) file: Arc<dyn SegmentFile>,
}

impl Writer {
    fn run(mut self) {
        let mut batch = Vec::new();
        let mut cuts = Vec::new();
        loop {
            let head = {
                let mut intake = self.shared.intake.lock();
                while intake.buffer.is_empty() && !intake.closing {
                    intake.idle = true;
                    self.shared.work.wait(&mut intake);
                }
                intake.idle = false;
                if intake.buffer.is_empty() {
                    return;
                }
                std::mem::swap(&mut intake.buffer, &mut batch);
                std::mem::swap(&mut intake.cuts, &mut cuts);
                intake.head
            };
            // A failed sync fails the log for the writer too.
            if self.shared.progress.failure().is_some() {
                return;
            }
            if let Err(error) = self.drain(&batch, &cuts, head) {
                let fault = unavailable("the audit log cannot be written", &error);
                return self.shared.progress.fail(fault);
            }
            batch.clear();
            batch.shrink_to(SPARE_BYTES);
            cuts.clear();
        }
    }

    fn drain(&mut self, batch: &[u8], cuts: &[Cut], head: Head) -> io::Result<()> {
        let mut from = 0;
        for cut in cuts {
            let end = Head { seq: cut.header.first_seq - 1, hash: cut.header.previous };
            self.write(batch.get(from..cut.at).unwrap_or_default(), end)?;
            // Synced before the next begins: only the last segment can ever be torn.
            self.file.sync()?;
            self.shared.progress.reached(Stage::Synced, end);
            self.file = begin_segment(&*self.files, &self.dir, &cut.header)?;
            self.syncing.state.lock().file = Arc::clone(&self.file);
            from = cut.at;
        }
        self.write(batch.get(from..).unwrap_or_default(), head)
    }

    fn write(&self, bytes: &[u8], head: Head) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.file.write_all(bytes)?;
        self.shared.progress.reached(Stage::Written, head);
        self.syncing.written(head);
        Ok(())
    }
}

/// What the writer tells the syncer.
#[derive(Debug)]
pub(crate) struct Syncing {
    state: Mutex<State>,
    work: Condvar,
}

#[derive(Debug)]
struct State {
    file: Arc<dyn SegmentFile>,
    written: Head,
    idle: bool,
    closing: bool,
}

impl Syncing {
    pub(crate) const fn new(file: Arc<dyn SegmentFile>, written: Head) -> Self {
        let state = State { file, written, idle: false, closing: false };
        Self { state: Mutex::new(state), work: Condvar::new() }
    }

    /// Syncs the rest at once and ends the thread.
    pub(crate) fn close(&self) {
        self.state.lock().closing = true;
        self.work.notify_one();
    }

    fn written(&self, head: Head) {
        let mut state = self.state.lock();
        state.written = head;
        if std::mem::take(&mut state.idle) {
            self.work.notify_one();
        }
    }

    fn run(&self, interval: Duration, progress: &Progress) {
        let mut due = Instant::now();
        loop {
            let (file, head) = {
                let mut state = self.state.lock();
                while state.written.seq <= progress.anchor().seq && !state.closing {
                    state.idle = true;
                    self.work.wait(&mut state);
                }
                state.idle = false;
                if state.written.seq <= progress.anchor().seq || progress.failure().is_some() {
                    return;
                }
                while !state.closing && !self.work.wait_until(&mut state, due).timed_out() {}
                (Arc::clone(&state.file), state.written)
            };
            due = Instant::now() + interval;
            if let Err(error) = file.sync() {
                // Never tried again: after a failed sync the system may have dropped the bytes.
                let fault = unavailable("the audit log cannot be synced", &error);
                return progress.fail(fault);
            }
            progress.reached(Stage::Synced, head);
        }
    }
}
