//! What all requests share: the record, the settings, the figures, and the pool on which searches,
//! histories and bundles are worked on. Single reads and writes stay on the thread of their
//! connection: they cost less than a change of threads.

use crate::config::Config;
use crate::desk::House;
use crate::limit::{Connections, Cost, Meter, Permit};
use crate::live::Streams;
use crate::metrics::Metrics;
use crate::tls::Tls;
use base::error::code;
use base::id::{Random, uuid_bytes, uuid_v7};
use base::{Clock, Fault, Millis};
use bytes::Bytes;
use jiff::tz::TimeZone;
use record::Record;
use scheduling::waitlist::send::Standing;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;

/// Requests that may wait for other systems at once: four for each of sixteen issuers, and sixteen for
/// each of four apps with key sets, so that one which is silent keeps no other from being asked.
const WAITING_MAX: usize = 128;
/// For every two searches that are worked on at a time, so many acts that write: much of an act's time is its
/// wait for the disk. Twice as many do no more in a second, and make each wait longer for its turn.
const ACTS_FOR_TWO: usize = 3;
/// Acts at once, however many searches: the runtime has 512 threads for work that waits, and others need some.
const ACTS_MAX: usize = 256;

tokio::task_local! {
    /// The permit of the request a task works on: work on the pool is charged to it, and holds it
    /// until it is done, also when the caller has gone away and nobody waits any more.
    pub(crate) static PERMIT: Arc<Permit>;
}

/// Shared by every connection.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) record: Record,
    pub(crate) config: Config,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Arc<dyn Clock>,
    /// TLS, when the port speaks it.
    pub(crate) tls: Option<Tls>,
    /// How many connections each address holds.
    pub(crate) connections: Connections,
    /// Who is told of changes as they happen.
    pub(crate) streams: Streams,
    /// What callers have taken lately.
    pub(crate) meter: Arc<Meter>,
    /// When the server was made.
    pub(crate) started: Millis,
    /// The capability statement without its addresses, once it was asked for.
    pub(crate) capabilities: OnceLock<Vec<Bytes>>,
    began: Instant,
    /// The authorization server of apps, if there is one.
    pub(crate) smart: Option<Arc<smart::Smart>>,
    /// The issuers by which people may sign in, if there are any.
    pub(crate) federation: Option<Arc<federation::Federation>>,
    /// The people of a demo, if this is one.
    pub(crate) demo: Option<Arc<console::Demo>>,
    /// How the looks at the waiting list go, where there are any.
    pub(crate) waitlist: Option<Arc<Standing>>,
    /// What is around the server: files, disks, settings.
    pub(crate) house: Option<Arc<dyn House>>,
    /// Somebody administers the house, or has.
    pub(crate) is_claimed: AtomicBool,
    /// Bytes of the store when the server was made.
    pub(crate) began_bytes: u64,
    /// Microseconds that its writer had been busy by then.
    pub(crate) began_busy_us: u64,
    /// In which time zone days begin here.
    pub(crate) zone: TimeZone,
    random: Mutex<Box<dyn Random>>,
    pool: Arc<Semaphore>,
    /// Work that looks around and then writes.
    acting: Arc<Semaphore>,
    /// Work that may wait for another system.
    waiting: Arc<Semaphore>,
    draining: AtomicBool,
}

impl State {
    pub(crate) fn new(
        record: Record,
        config: Config,
        clock: Arc<dyn Clock>,
        mut random: Box<dyn Random>,
    ) -> Result<Self, Fault> {
        let tls = match &config.tls {
            None => None,
            Some(files) => Some(Tls::open(files.clone(), config.own_host(), Arc::clone(&clock))?),
        };
        let stats = record.store_stats();
        let zone = config.zone.clone().unwrap_or_else(TimeZone::system);
        let meter = Arc::new(Meter::new(config.rates.clone(), random.next_u64()));
        let pool = Arc::new(Semaphore::new(config.search_threads));
        let acts = (config.search_threads.saturating_mul(ACTS_FOR_TWO) / 2).clamp(2, ACTS_MAX);
        let acting = Arc::new(Semaphore::new(acts));
        Ok(Self {
            record,
            config,
            metrics: Metrics::default(),
            tls,
            connections: Connections::default(),
            streams: Streams::default(),
            meter,
            began: Instant::now(),
            started: clock.now(),
            clock,
            capabilities: OnceLock::new(),
            smart: None,
            federation: None,
            demo: None,
            waitlist: None,
            house: None,
            is_claimed: AtomicBool::new(false),
            began_bytes: stats.file_bytes,
            began_busy_us: stats.writer_busy_micros,
            zone,
            random: Mutex::new(random),
            pool,
            acting,
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            draining: AtomicBool::new(false),
        })
    }

    /// Milliseconds since the server was made, by a clock that never goes back.
    pub(crate) fn uptime_ms(&self) -> u64 {
        millis(self.began.elapsed())
    }

    /// Whether a browser may be told to come by TLS only. Not on a development machine, where the rule
    /// would hold for everything else that is served on `localhost`.
    pub(crate) const fn is_strict(&self) -> bool {
        self.tls.is_some() && self.config.base_url.is_some()
    }

    /// What addresses of ours begin with, as seen from the port.
    pub(crate) const fn scheme(&self) -> &'static str {
        if self.tls.is_some() { "https" } else { "http" }
    }

    /// The id of a request: the caller's, when it is a UUID, or a new one.
    pub(crate) fn request_id(&self, given: Option<&str>) -> [u8; 16] {
        if let Some(id) = given.and_then(|text| uuid_bytes(&text.to_ascii_lowercase())) {
            return id;
        }
        let mut random = self.random.lock().unwrap_or_else(PoisonError::into_inner);
        uuid_v7(self.clock.now(), &mut **random)
    }

    /// Requests that come from now on are refused.
    pub(crate) fn drain(&self) {
        self.draining.store(true, Ordering::Relaxed);
    }

    pub(crate) fn is_draining(&self) -> bool {
        self.draining.load(Ordering::Relaxed)
    }

    /// Does longer work off the connections' threads, a bounded number at a time.
    pub(crate) async fn on_pool<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.on(&self.pool, work).await
    }

    /// Does work that looks around and then writes. It holds its place while it waits for the disk, which
    /// many can do at once, and writers who wait together are written together.
    pub(crate) async fn on_acting<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.on(&self.acting, work).await
    }

    /// Does work that may wait for another system, on threads that searches do not need: however slow
    /// that system is, nobody else waits for it.
    pub(crate) async fn beside_pool<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        self.on(&self.waiting, work).await
    }

    async fn on<T: Send + 'static>(
        &self,
        pool: &Arc<Semaphore>,
        work: impl FnOnce() -> Result<T, Fault> + Send + 'static,
    ) -> Result<T, Fault> {
        let closed = |_| Fault::new(&code::SHUTTING_DOWN, "the server is shutting down");
        let permit = Arc::clone(pool).acquire_owned().await.map_err(closed)?;
        let (caller, uptime) = (PERMIT.try_with(Arc::clone).ok(), self.began);
        let done = tokio::task::spawn_blocking(move || {
            let began = Instant::now();
            let answer = work();
            drop(permit);
            if let Some(caller) = caller {
                let ms = millis(began.elapsed());
                caller.charge(Cost { ms, ..Cost::default() }, millis(uptime.elapsed()));
            }
            answer
        });
        done.await.unwrap_or_else(|_| {
            self.metrics.panicked();
            Err(internal())
        })
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// The fault of code that failed in an unforeseen way.
pub(crate) fn internal() -> Fault {
    let what = "the request failed inside the server; the log names it by its X-Request-Id";
    Fault::new(&code::INTERNAL, what)
}
