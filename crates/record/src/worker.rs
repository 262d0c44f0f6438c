//! A thread that does something from time to time for as long as its owner keeps it: it is asked to stop,
//! and waited for, when it is dropped.

use base::Fault;
use base::error::code;
use std::fmt;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

/// A thread at work.
pub struct Worker {
    stop: Arc<Stop>,
    thread: Option<JoinHandle<()>>,
}

/// Whether its owner has asked a worker to stop.
#[derive(Debug, Default)]
pub struct Stop {
    asked: Mutex<bool>,
    changed: Condvar,
}

impl Worker {
    /// Has `work` done on a thread of its own, of this name. It has to look at [`Stop`] between its steps.
    ///
    /// # Errors
    /// `internal` when there is no thread to be had.
    pub fn start(name: &str, work: impl FnOnce(&Stop) + Send + 'static) -> Result<Self, Fault> {
        let stop = Arc::new(Stop::default());
        let thread = std::thread::Builder::new().name(name.to_owned()).spawn({
            let stop = Arc::clone(&stop);
            move || work(&stop)
        });
        let thread = thread.map_err(|e| {
            Fault::new(&code::INTERNAL, format!("the thread {name} did not start: {}", e.kind()))
        })?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Stop {
    /// Whether the worker is to end.
    pub fn is_asked(&self) -> bool {
        *self.asked.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Waits that long, or until the worker is to end, which it answers.
    pub fn rest(&self, rest: Duration) -> bool {
        let asked = self.asked.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(asked, rest, |asked| !*asked);
        *waited.unwrap_or_else(PoisonError::into_inner).0
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        *self.stop.asked.lock().unwrap_or_else(PoisonError::into_inner) = true;
        self.stop.changed.notify_all();
        if let Some(thread) = self.thread.take() {
            // A panic there has been told by the panic hook; a worker's work is found again next time.
            let _ = thread.join();
        }
    }
}

impl fmt::Debug for Worker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.thread.as_ref().and_then(|thread| thread.thread().name());
        f.debug_tuple("Worker").field(&name.unwrap_or_default()).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc;

    #[test]
    fn a_worker_that_rests_is_ended_by_its_owner() {
        let (told, hears) = mpsc::channel();
        let worker = Worker::start("rests", move |stop| {
            told.send(stop.is_asked()).expect("heard");
            told.send(stop.rest(Duration::from_secs(3600))).expect("heard");
        });
        let worker = worker.expect("a thread");
        assert_eq!(hears.recv(), Ok(false));
        drop(worker);
        assert_eq!(hears.try_recv(), Ok(true), "it has ended when it is dropped");
    }

    #[test]
    fn a_worker_that_nobody_stops_goes_on_after_its_rest() {
        let (told, hears) = mpsc::channel();
        let _worker = Worker::start("goes-on", move |stop| {
            told.send(stop.rest(Duration::ZERO)).unwrap_or_default()
        });
        assert_eq!(hears.recv(), Ok(false));
    }
}
