//! Writing an open log, and its two threads. Whoever writes takes all that waits and writes it at once;
//! meanwhile the next batch gathers, so batches grow with the load and are single events when idle.
//! Callers that wait for their events write them themselves, with those of all others, because waking
//! a thread and being woken by it costs more than the write; the writing thread does it for those that
//! do not wait, and begins new segments. The syncer makes durable what was written, at most once per
//! interval, beside the writer, so that waiting for a write never means waiting for the disk.

use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use base::Fault;
use base::error::code;
use parking_lot::{Condvar, Mutex};

use crate::chain::Head;
use crate::files::{Files, SegmentFile};
use crate::log::{Cut, Intake, Shared, segment_path};
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

/// Starts both threads: the writing one and the syncing one.
pub(crate) fn spawn(shared: &Arc<Shared>) -> io::Result<(JoinHandle<()>, JoinHandle<()>)> {
    let interval = Duration::from_millis(shared.options.sync_interval_ms);
    let syncer = {
        let shared = Arc::clone(shared);
        thread::Builder::new().name("audit-sync".to_owned()).spawn(move || {
            let guard = PanicGuard(Arc::clone(&shared.progress));
            shared.syncing.run(interval, &guard.0);
        })
    }?;
    let writer = {
        let shared = Arc::clone(shared);
        thread::Builder::new().name("audit-write".to_owned()).spawn(move || {
            let guard = PanicGuard(Arc::clone(&shared.progress));
            shared.run();
            drop(guard);
        })
    };
    match writer {
        Ok(writer) => Ok((writer, syncer)),
        Err(error) => {
            shared.syncing.close();
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
            self.0.fail(ended());
        }
    }
}

fn ended() -> Fault {
    Fault::new(&code::AUDIT_UNAVAILABLE, "a thread of the audit log ended")
}

/// Whoever writes to the log holds this: the writing thread, or a caller that waits anyway.
#[derive(Debug)]
pub(crate) struct Writer {
    files: Arc<dyn Files>,
    dir: PathBuf,
    file: Arc<dyn SegmentFile>,
    /// Kept for their memory.
    batch: Vec<u8>,
    cuts: Vec<Cut>,
}

/// Batches one caller writes for others before it calls the thread.
const ROUNDS_MAX: usize = 4;

impl Shared {
    /// Writes what waits, unless somebody else is at it. Whoever finds the writer taken may go and
    /// wait: the holder looks at the buffer once more after letting go.
    pub(crate) fn help(&self) {
        for _ in 0..ROUNDS_MAX {
            let Some(mut writer) = self.writer.try_lock() else { return };
            let next_segment = !self.intake.lock().cuts.is_empty();
            if next_segment {
                // That takes two syncs, which no caller's thread should wait for.
                break;
            }
            // A panic in the file layer is the log's failure, not the caller's.
            if catch_unwind(AssertUnwindSafe(|| self.write_waiting(&mut writer))).is_err() {
                self.progress.fail(ended());
            }
            drop(writer);
            if self.intake.lock().buffer.is_empty() {
                return;
            }
        }
        self.call();
    }

    /// Has the thread write what waits.
    pub(crate) fn call(&self) {
        self.call_with(&mut self.intake.lock());
    }

    pub(crate) fn call_with(&self, intake: &mut Intake) {
        intake.called = true;
        if std::mem::take(&mut intake.idle) {
            self.work.notify_one();
        }
    }

    /// The thread: writes when called, and what was left when the log is closed.
    fn run(&self) {
        loop {
            let closing = {
                let mut intake = self.intake.lock();
                while !intake.called && !intake.closing {
                    intake.idle = true;
                    self.work.wait(&mut intake);
                }
                intake.idle = false;
                intake.called = false;
                intake.closing
            };
            loop {
                // At the end this also waits for a caller that is still writing.
                self.write_waiting(&mut self.writer.lock());
                if self.progress.failure().is_some() {
                    return;
                }
                if self.intake.lock().buffer.is_empty() {
                    break;
                }
            }
            if closing {
                return;
            }
        }
    }

    fn write_waiting(&self, writer: &mut Writer) {
        // A failed sync fails the log for writers too.
        if self.progress.failure().is_some() {
            return;
        }
        let (mut batch, mut cuts) =
            (std::mem::take(&mut writer.batch), std::mem::take(&mut writer.cuts));
        let head = {
            let mut intake = self.intake.lock();
            std::mem::swap(&mut intake.buffer, &mut batch);
            std::mem::swap(&mut intake.cuts, &mut cuts);
            intake.head
        };
        if let Err(error) = writer.drain(self, &batch, &cuts, head) {
            self.progress.fail(unavailable("the audit log cannot be written", &error));
        }
        batch.clear();
        batch.shrink_to(SPARE_BYTES);
        cuts.clear();
        (writer.batch, writer.cuts) = (batch, cuts);
    }
}

impl Writer {
    pub(crate) const fn new(
        files: Arc<dyn Files>,
        dir: PathBuf,
        file: Arc<dyn SegmentFile>,
    ) -> Self {
        Self { files, dir, file, batch: Vec::new(), cuts: Vec::new() }
    }

    fn drain(&mut self, shared: &Shared, batch: &[u8], cuts: &[Cut], head: Head) -> io::Result<()> {
        let mut from = 0;
        for cut in cuts {
            let end = Head { seq: cut.header.first_seq - 1, hash: cut.header.previous };
            self.write(shared, batch.get(from..cut.at).unwrap_or_default(), end)?;
            // Synced before the next begins: only the last segment can ever be torn.
            self.file.sync()?;
            shared.progress.reached(Stage::Synced, end);
            self.file = begin_segment(&*self.files, &self.dir, &cut.header)?;
            shared.syncing.state.lock().file = Arc::clone(&self.file);
            from = cut.at;
        }
        self.write(shared, batch.get(from..).unwrap_or_default(), head)
    }

    fn write(&self, shared: &Shared, bytes: &[u8], head: Head) -> io::Result<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.file.write_all(bytes)?;
        shared.progress.reached(Stage::Written, head);
        shared.syncing.written(head);
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
