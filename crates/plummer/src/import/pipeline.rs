//! The pipeline: one thread reads, several parse and prepare, and the calling thread commits in the
//! order of reading, notes the journal and keeps the account. Every queue between them is bounded, in
//! documents and by the window between the oldest and the newest that is under way.

use crate::import::journal::{Held, Journal, Names};
use crate::import::order;
use crate::import::receipt::{self, Receipt};
use crate::import::source::{FileKey, Item};
use crate::import::spool::{PackedItem, Spool, pack};
use crate::progress::{Progress, Step};
use anyhow::{Context as _, anyhow};
use base::{Fault, Limits};
use fhir::Document;
use record::{Import, ImportOptions, PreparedDocument, Session, Submitted};
use std::collections::{BTreeMap, VecDeque};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use std::sync::{Arc, Condvar, Mutex, PoisonError};

/// Documents between the oldest and the newest under way.
const WINDOW: u64 = 32_768;
/// Changes of one unit of work: pages of the index that many of them touch are written once.
const GROUP_CHANGES: usize = 12_000;
/// Bytes of text of one unit of work.
const GROUP_BYTES: usize = 48 << 20;
/// Units handed to the writer and not yet waited for.
const UNITS_AHEAD: usize = 2;

/// Hands documents to a sink until it answers `false` or there are no more.
pub(crate) type Feed<'f> =
    dyn FnMut(&mut dyn FnMut(Item) -> bool) -> anyhow::Result<()> + Send + 'f;

/// How an import is run.
#[derive(Debug)]
pub(crate) struct Plan {
    /// Go on past a bad resource.
    pub(crate) keep_going: bool,
    /// Threads that prepare.
    pub(crate) threads: usize,
    /// The folder for what is kept meanwhile.
    pub(crate) folder: PathBuf,
    /// Bytes there are to read from the disk; 0 when nobody knows.
    pub(crate) disk_bytes: u64,
    /// Keep a journal, so that an import that is broken off goes on where it was.
    pub(crate) journal: bool,
}

/// Bytes read and stored so far.
#[derive(Debug, Default)]
pub(crate) struct Meter {
    /// Bytes read from the disk.
    pub(crate) disk: AtomicU64,
    text_read: AtomicU64,
    text_settled: AtomicU64,
}

/// Runs an import to its end: documents that wait for others come again after them, until none is
/// left or nothing moves any more.
pub(crate) fn run(
    session: &Session,
    plan: &Plan,
    meter: &Meter,
    feed: &mut Feed<'_>,
) -> anyhow::Result<Receipt> {
    let import = session.import(ImportOptions { keep_going: plan.keep_going })?;
    let journal = match plan.journal {
        true => {
            let names = Names(session.keys().cloned());
            Some(Journal::open(&plan.folder, names).context("the import's journal")?)
        }
        false => None,
    };
    let held = journal.as_ref().map_or_else(Arc::default, Journal::held);
    let mut work = Work {
        plan,
        meter,
        import: &import,
        limits: *session.limits(),
        held,
        journal,
        receipt: Receipt::default(),
        spool: Spool::new(&plan.folder, 0),
        progress: Progress::begin("importing", "resources"),
        group: Vec::new(),
        group_changes: 0,
        group_bytes: 0,
        ahead: VecDeque::new(),
    };
    work.round(feed, Stage::First)?;
    let mut number = 0;
    while work.spool.len() > 0 && !work.receipt.stopped {
        number += 1;
        let waiting = work.spool.len();
        let mut before = std::mem::replace(&mut work.spool, Spool::new(&plan.folder, number));
        work.round(&mut |sink| Ok(before.drain(sink)?), Stage::Again)?;
        if work.spool.len() == waiting && !work.receipt.stopped {
            let mut stuck = std::mem::replace(&mut work.spool, Spool::new(&plan.folder, u32::MAX));
            work.round(&mut |sink| Ok(stuck.drain(sink)?), Stage::Last)?;
        }
    }
    work.progress.end();
    let Work { receipt, journal, .. } = work;
    if let Some(journal) = journal
        && !receipt.stopped
    {
        journal.finish().context("the import's journal")?;
    }
    Ok(receipt)
}

/// Which time a document comes by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    /// The first: what looks as if it must wait is not even parsed.
    First,
    /// Again, after others.
    Again,
    /// For good: what cannot be resolved now is refused.
    Last,
}

/// What a preparing thread made of a document.
enum Made {
    Resumed,
    Waits(PackedItem),
    Unreadable(Fault),
    Ready(Box<PreparedDocument>),
}

/// Where a document stands, when its text has gone on.
struct Mark {
    file: Arc<FileKey>,
    ordinal: u64,
    place: String,
    bytes: u64,
}

struct Work<'w> {
    plan: &'w Plan,
    meter: &'w Meter,
    import: &'w Import,
    limits: Limits,
    held: Arc<Held>,
    journal: Option<Journal>,
    receipt: Receipt,
    spool: Spool,
    progress: Progress,
    group: Vec<(Mark, PreparedDocument)>,
    group_changes: usize,
    group_bytes: usize,
    ahead: VecDeque<(Vec<Mark>, Submitted<'w>)>,
}

impl Work<'_> {
    fn round(&mut self, feed: &mut Feed<'_>, stage: Stage) -> anyhow::Result<()> {
        let threads = self.plan.threads.max(1);
        let (to_workers, work) = sync_channel::<(u64, Item)>(threads * 4);
        let (to_main, made) = sync_channel::<(u64, Mark, Made)>(threads * 16);
        let work = Arc::new(Mutex::new(work));
        let window = Window::default();
        let (meter, import, limits, held) =
            (self.meter, self.import, self.limits, Arc::clone(&self.held));
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let (work, to_main, held) = (Arc::clone(&work), to_main.clone(), Arc::clone(&held));
                scope.spawn(move || prepare(import, &limits, stage, &held, &work, &to_main));
            }
            // Only the workers hold the queue's end, so reading stops when they do.
            drop((work, to_main));
            let window = &window;
            let reader = scope.spawn(move || {
                let mut seq = 0;
                feed(&mut |item| {
                    if stage == Stage::First {
                        meter.text_read.fetch_add(item.text.len() as u64, Ordering::Relaxed);
                    }
                    let open = window.wait(seq) && to_workers.send((seq, item)).is_ok();
                    seq += 1;
                    open
                })
            });
            let settled = self.settle_in_order(made, window, stage);
            window.close();
            let read = reader.join().map_err(|_panic| anyhow!("the reading thread failed"))?;
            settled?;
            // What was read before the fault is stored; the fault is told.
            self.flush()?;
            self.settle(0)?;
            read
        })
    }

    /// Takes what the threads made, in the order of reading.
    fn settle_in_order(
        &mut self,
        made: Receiver<(u64, Mark, Made)>,
        window: &Window,
        stage: Stage,
    ) -> anyhow::Result<()> {
        let mut early = BTreeMap::new();
        let mut next = 0;
        for (seq, mark, what) in made {
            early.insert(seq, (mark, what));
            while let Some((mark, what)) = early.remove(&next) {
                next += 1;
                self.take(mark, what, stage)?;
                if self.receipt.stopped {
                    return Ok(());
                }
            }
            window.move_to(next);
            self.show();
        }
        Ok(())
    }

    fn take(&mut self, mark: Mark, made: Made, stage: Stage) -> anyhow::Result<()> {
        match made {
            Made::Resumed => {
                self.receipt.resumed += 1;
                self.meter.text_settled.fetch_add(mark.bytes, Ordering::Relaxed);
            }
            Made::Waits(packed) => self.spool.push(packed).context("documents that wait")?,
            Made::Unreadable(fault) => {
                self.receipt.unreadable(&mark.place, &fault);
                self.receipt.stopped = !self.plan.keep_going;
            }
            Made::Ready(document) if document.is_deferred() && stage != Stage::Last => {
                let text = document.into_document().text().as_bytes().to_vec();
                let Mark { file, ordinal, place, .. } = mark;
                let packed = pack(Item { file, ordinal, place, text })?;
                self.spool.push(packed).context("documents that wait")?;
            }
            Made::Ready(document) => {
                let bad = document.is_refused();
                self.group_changes += document.changes();
                self.group_bytes += usize::try_from(mark.bytes).unwrap_or(0);
                self.group.push((mark, *document));
                let full = self.group_changes >= GROUP_CHANGES
                    || self.group_bytes >= GROUP_BYTES
                    || self.group.len() >= GROUP_CHANGES;
                if full {
                    self.flush()?;
                }
                self.receipt.stopped |= bad && !self.plan.keep_going;
            }
        }
        Ok(())
    }

    /// Hands the group to the writer.
    fn flush(&mut self) -> anyhow::Result<()> {
        if self.group.is_empty() {
            return Ok(());
        }
        let (marks, documents) = std::mem::take(&mut self.group).into_iter().unzip();
        (self.group_changes, self.group_bytes) = (0, 0);
        self.ahead.push_back((marks, self.import.submit(documents)));
        self.settle(UNITS_AHEAD)
    }

    /// Waits until at most `ahead` units are under way.
    fn settle(&mut self, ahead: usize) -> anyhow::Result<()> {
        while self.ahead.len() > ahead {
            let Some((marks, unit)) = self.ahead.pop_front() else { break };
            let reports = unit.wait()?;
            for (mark, report) in marks.iter().zip(&reports) {
                self.receipt.add(&mark.place, report);
                self.meter.text_settled.fetch_add(mark.bytes, Ordering::Relaxed);
            }
            if let Some(journal) = &mut self.journal {
                // What was refused is to be refused again, and told again, by the next import.
                let whole =
                    marks.iter().zip(&reports).filter(|(_, report)| receipt::is_whole(report));
                let done = whole.map(|(mark, _)| (&*mark.file, mark.ordinal));
                journal.note(done).context("the import's journal")?;
            }
            self.show();
        }
        Ok(())
    }

    fn show(&mut self) {
        let read = self.meter.text_read.load(Ordering::Relaxed);
        let disk = self.meter.disk.load(Ordering::Relaxed);
        // What is packed unpacks to as much more as what was read so far.
        let all = match (self.plan.disk_bytes, disk) {
            (0, _) | (_, 0) => 0,
            (total, seen) => {
                let all = u128::from(read) * u128::from(total) / u128::from(seen);
                u64::try_from(all).unwrap_or(u64::MAX)
            }
        };
        let done = self.meter.text_settled.load(Ordering::Relaxed);
        self.progress.step(Step { count: self.receipt.resources(), done, all });
    }
}

/// A preparing thread.
fn prepare(
    import: &Import,
    limits: &Limits,
    stage: Stage,
    held: &Held,
    work: &Mutex<Receiver<(u64, Item)>>,
    to_main: &SyncSender<(u64, Mark, Made)>,
) {
    loop {
        let next = work.lock().unwrap_or_else(PoisonError::into_inner).recv();
        let Ok((seq, mut item)) = next else { return };
        let mark = Mark {
            file: Arc::clone(&item.file),
            ordinal: item.ordinal,
            place: item.place.clone(),
            bytes: item.text.len() as u64,
        };
        let made = if stage == Stage::First && held.holds(&item) {
            Made::Resumed
        } else if stage == Stage::First && order::must_wait(&item.text) {
            match pack(item) {
                Ok(packed) => Made::Waits(packed),
                Err(_) => Made::Unreadable(Fault::new(
                    &base::error::code::INTERNAL,
                    "the document cannot be packed",
                )),
            }
        } else {
            match Document::parse(std::mem::take(&mut item.text), limits) {
                Ok(document) if stage == Stage::Last => {
                    Made::Ready(Box::new(import.prepare_last(document)))
                }
                Ok(document) => Made::Ready(Box::new(import.prepare(document))),
                Err(fault) => Made::Unreadable(fault),
            }
        };
        if to_main.send((seq, mark, made)).is_err() {
            return;
        }
    }
}

/// Keeps the reader from running away while an earlier document takes long.
#[derive(Debug, Default)]
struct Window {
    next: Mutex<u64>,
    moved: Condvar,
}

impl Window {
    /// Waits for room; `false` when it is closed.
    fn wait(&self, seq: u64) -> bool {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        while *next != u64::MAX && seq >= *next + WINDOW {
            next = self.moved.wait(next).unwrap_or_else(PoisonError::into_inner);
        }
        *next != u64::MAX
    }

    fn move_to(&self, seq: u64) {
        let mut next = self.next.lock().unwrap_or_else(PoisonError::into_inner);
        if *next != u64::MAX {
            *next = seq;
        }
        self.moved.notify_all();
    }

    fn close(&self) {
        self.move_to(u64::MAX);
    }
}
