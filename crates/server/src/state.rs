//! What all requests share: the record, the settings, the figures, and the pool on which searches,
//! histories and bundles are worked on. Single reads and writes stay on the thread of their
//! connection: they cost less than a change of threads.

use crate::config::Config;
use crate::metrics::Metrics;
use base::error::code;
use base::id::{Random, uuid_bytes, uuid_v7};
use base::{Clock, Fault, Millis};
use bytes::Bytes;
use record::Record;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use tokio::sync::Semaphore;

/// Shared by every connection.
#[derive(Debug)]
pub(crate) struct State {
    pub(crate) record: Record,
    pub(crate) config: Config,
    pub(crate) metrics: Metrics,
    pub(crate) clock: Arc<dyn Clock>,
    /// When the server was made.
    pub(crate) started: Millis,
    /// The capability statement without its addresses, once it was asked for.
    pub(crate) capabilities: OnceLock<Bytes>,
    /// The authorization server of apps, if there is one.
    pub(crate) smart: Option<Arc<smart::Smart>>,
    random: Mutex<Box<dyn Random>>,
    pool: Arc<Semaphore>,
    draining: AtomicBool,
}

impl State {
    pub(crate) fn new(
        record: Record,
        config: Config,
        clock: Arc<dyn Clock>,
        random: Box<dyn Random>,
    ) -> Self {
        let pool = Arc::new(Semaphore::new(config.search_threads));
        Self {
            record,
            config,
            metrics: Metrics::default(),
            started: clock.now(),
            clock,
            capabilities: OnceLock::new(),
            smart: None,
            random: Mutex::new(random),
            pool,
            draining: AtomicBool::new(false),
        }
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
        let closed = |_| Fault::new(&code::SHUTTING_DOWN, "the server is shutting down");
        let permit = Arc::clone(&self.pool).acquire_owned().await.map_err(closed)?;
        let done = tokio::task::spawn_blocking(move || {
            let answer = work();
            drop(permit);
            answer
        });
        done.await.unwrap_or_else(|_| {
            self.metrics.panicked();
            Err(internal())
        })
    }
}

/// The fault of code that failed in an unforeseen way.
pub(crate) fn internal() -> Fault {
    let what = "the request failed inside the server; the log names it by its X-Request-Id";
    Fault::new(&code::INTERNAL, what)
}
