//! Waiting for an event to be written or synced: as a future for a server, blocking for a command. No
//! runtime is needed; the writer wakes whoever waits.

use std::future::Future;
use std::pin::Pin;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};

use base::Fault;
use parking_lot::Mutex;

use crate::chain::Head;
use crate::log::Shared;

/// The receipt of an appended event. Who waits for it helps to write; when one is dropped before its
/// event is written, the writing thread is called.
#[derive(Debug, Clone)]
pub struct Ticket {
    pub(crate) seq: u64,
    pub(crate) shared: Arc<Shared>,
}

impl Drop for Ticket {
    fn drop(&mut self) {
        if self.shared.progress.state(Stage::Written, self.seq).is_none() {
            self.shared.call();
        }
    }
}

impl Ticket {
    /// The event's number.
    pub const fn seq(&self) -> u64 {
        self.seq
    }

    /// Done when the event is in the file: the process may be killed, the event stays.
    pub fn written(&self) -> Wait {
        self.wait(Stage::Written)
    }

    /// Done when the event is on the disk: the power may fail, the event stays.
    pub fn synced(&self) -> Wait {
        self.wait(Stage::Synced)
    }

    fn wait(&self, stage: Stage) -> Wait {
        Wait { ticket: self.clone(), stage, step: Step::New, waker: None }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stage {
    Written,
    Synced,
}

/// Waits for one event; an error means that the log failed before the event was safe.
#[derive(Debug)]
#[must_use = "an event is not safe until it was waited for"]
pub struct Wait {
    ticket: Ticket,
    stage: Stage,
    step: Step,
    waker: Option<Waker>,
}

/// What a waiter has done for its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Step {
    New,
    /// Let others append theirs first, so that one write serves many.
    Yielded,
    /// Wrote, or found somebody writing.
    Helped,
}

impl Wait {
    /// Blocks the calling thread until done.
    pub fn wait(mut self) -> Result<(), Fault> {
        if let Some(done) = self.done() {
            return done;
        }
        let waker = Waker::from(Arc::new(Unpark(thread::current())));
        let mut context = Context::from_waker(&waker);
        loop {
            match Pin::new(&mut self).poll(&mut context) {
                Poll::Ready(done) => return done,
                Poll::Pending => thread::park(),
            }
        }
    }

    fn done(&self) -> Option<Result<(), Fault>> {
        self.ticket.shared.progress.state(self.stage, self.ticket.seq)
    }
}

impl Future for Wait {
    type Output = Result<(), Fault>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        if let Some(done) = self.done() {
            return Poll::Ready(done);
        }
        let waker = context.waker();
        match self.step {
            Step::New => {
                self.step = Step::Yielded;
                waker.wake_by_ref();
                return Poll::Pending;
            }
            Step::Yielded => {
                self.step = Step::Helped;
                self.ticket.shared.help();
            }
            Step::Helped => {}
        }
        let (stage, seq) = (self.stage, self.ticket.seq);
        if !self.waker.as_ref().is_some_and(|known| known.will_wake(waker)) {
            self.waker = Some(waker.clone());
            if let Some(done) = self.ticket.shared.progress.register(stage, seq, waker) {
                return Poll::Ready(done);
            }
        }
        Poll::Pending
    }
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// How far the log has come, and who waits for it to come further.
#[derive(Debug, Default)]
pub(crate) struct Progress {
    written: AtomicU64,
    synced: AtomicU64,
    failed: OnceLock<Fault>,
    /// The last synced link, to anchor on.
    anchor: Mutex<Head>,
    waiting: Mutex<Waiting>,
}

#[derive(Debug, Default)]
struct Waiting {
    written: Vec<(u64, Waker)>,
    synced: Vec<(u64, Waker)>,
}

impl Waiting {
    const fn at(&mut self, stage: Stage) -> &mut Vec<(u64, Waker)> {
        match stage {
            Stage::Written => &mut self.written,
            Stage::Synced => &mut self.synced,
        }
    }
}

impl Progress {
    /// Starts where a log was opened: all of it synced.
    pub(crate) fn new(head: Head) -> Self {
        Self {
            written: AtomicU64::new(head.seq),
            synced: AtomicU64::new(head.seq),
            anchor: Mutex::new(head),
            ..Self::default()
        }
    }

    /// Publishes that everything up to `head` has reached a stage.
    pub(crate) fn reached(&self, stage: Stage, head: Head) {
        match stage {
            Stage::Written => self.written.fetch_max(head.seq, Ordering::Release),
            Stage::Synced => {
                // Two threads sync, at the change of a segment; the further one counts.
                let mut anchor = self.anchor.lock();
                if head.seq > anchor.seq {
                    *anchor = head;
                }
                self.synced.fetch_max(head.seq, Ordering::Release)
            }
        };
        // The store stands before the lock and `register` looks again under it: no wake-up is lost.
        let woken: Vec<Waker> = {
            let mut waiting = self.waiting.lock();
            waiting.at(stage).extract_if(.., |(seq, _)| *seq <= head.seq).map(|w| w.1).collect()
        };
        woken.into_iter().for_each(Waker::wake);
    }

    /// Ends the log: every waiter, and every later one that is not yet served, gets the fault.
    pub(crate) fn fail(&self, fault: Fault) {
        tracing::error!(fault = %fault, "the audit log failed; nothing may be read or changed");
        // The first fault stands; a second one tells nothing new.
        let _ = self.failed.set(fault);
        let woken = std::mem::take(&mut *self.waiting.lock());
        woken.written.into_iter().chain(woken.synced).for_each(|(_, waker)| waker.wake());
    }

    pub(crate) fn failure(&self) -> Option<&Fault> {
        self.failed.get()
    }

    pub(crate) fn anchor(&self) -> Head {
        *self.anchor.lock()
    }

    fn state(&self, stage: Stage, seq: u64) -> Option<Result<(), Fault>> {
        let reached = match stage {
            Stage::Written => self.written.load(Ordering::Acquire),
            Stage::Synced => self.synced.load(Ordering::Acquire),
        };
        if reached >= seq {
            return Some(Ok(()));
        }
        self.failed.get().map(|fault| Err(fault.clone()))
    }

    fn register(&self, stage: Stage, seq: u64, waker: &Waker) -> Option<Result<(), Fault>> {
        let mut waiting = self.waiting.lock();
        let state = self.state(stage, seq);
        if state.is_none() {
            waiting.at(stage).push((seq, waker.clone()));
        }
        state
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::files::{Disk, SegmentFile};
    use crate::log::Options;
    use crate::writer::{Syncing, Writer};
    use base::error::code;
    use std::io;

    /// A file that takes everything and keeps nothing.
    #[derive(Debug)]
    struct Nowhere;

    impl SegmentFile for Nowhere {
        fn write_all(&self, _bytes: &[u8]) -> io::Result<()> {
            Ok(())
        }

        fn sync(&self) -> io::Result<()> {
            Ok(())
        }
    }

    /// A log without threads, at this event.
    fn log_at(seq: u64) -> Arc<Shared> {
        let head = Head { seq, ..Head::default() };
        let file: Arc<dyn SegmentFile> = Arc::new(Nowhere);
        Arc::new(Shared {
            intake: Mutex::default(),
            work: parking_lot::Condvar::new(),
            writer: Mutex::new(Writer::new(Arc::new(Disk), "".into(), Arc::clone(&file))),
            syncing: Syncing::new(file, head),
            progress: Arc::new(Progress::new(head)),
            options: Options::new(Arc::new(base::time::SystemClock)),
        })
    }

    fn ticket(shared: &Arc<Shared>, seq: u64) -> Ticket {
        Ticket { seq, shared: Arc::clone(shared) }
    }

    fn poll(wait: &mut Wait) -> Poll<Result<(), Fault>> {
        Pin::new(wait).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_future_is_ready_at_its_own_stage_and_number() {
        let shared = log_at(0);
        let progress = &shared.progress;
        let ticket = ticket(&shared, 2);
        let (mut written, mut synced) = (ticket.written(), ticket.synced());
        assert!(poll(&mut written).is_pending() && poll(&mut synced).is_pending());
        progress.reached(Stage::Written, Head { seq: 1, ..Head::default() });
        assert!(poll(&mut written).is_pending());
        progress.reached(Stage::Written, Head { seq: 2, ..Head::default() });
        assert_eq!(poll(&mut written), Poll::Ready(Ok(())));
        assert!(poll(&mut synced).is_pending());
        progress.reached(Stage::Synced, Head { seq: 9, ..Head::default() });
        assert_eq!(poll(&mut synced), Poll::Ready(Ok(())));
    }

    #[test]
    fn a_failure_reaches_those_who_wait_but_not_what_is_safe() {
        let shared = log_at(5);
        let progress = &shared.progress;
        let blocked = thread::spawn({
            let ticket = ticket(&shared, 6);
            move || ticket.written().wait()
        });
        while progress.waiting.lock().written.is_empty() {
            thread::yield_now();
        }
        progress.fail(Fault::new(&code::AUDIT_UNAVAILABLE, "disk full"));
        assert_eq!(blocked.join().unwrap().unwrap_err().code(), &code::AUDIT_UNAVAILABLE);
        assert_eq!(ticket(&shared, 5).synced().wait(), Ok(()));
    }

    #[test]
    fn a_ticket_dropped_too_early_calls_the_writing_thread() {
        let shared = log_at(5);
        drop(ticket(&shared, 5));
        assert!(!shared.intake.lock().called);
        drop(ticket(&shared, 6));
        assert!(shared.intake.lock().called);
    }
}
