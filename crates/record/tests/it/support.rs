//! A record in a temporary directory, with a clock that tests turn and futures run on the spot.

use base::{Clock, Fault, Limits, Millis};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use record::{
    Answer, Audited, BundleAnswer, BundleOptions, Found, Hit, Level, Record, SearchHow, Session,
    Settings, Subject, Written,
};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use tempfile::TempDir;

/// A clock that goes on by a millisecond with every look.
#[derive(Debug)]
pub(crate) struct Turned(AtomicI64);

impl Turned {
    pub(crate) fn at(ms: i64) -> Arc<Self> {
        Arc::new(Self(AtomicI64::new(ms)))
    }

    pub(crate) fn turn(&self, ms: i64) {
        self.0.fetch_add(ms, Ordering::Relaxed);
    }
}

impl Clock for Turned {
    fn now(&self) -> Millis {
        Millis(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

pub(crate) struct Room {
    pub(crate) record: Record,
    pub(crate) dir: TempDir,
}

impl Room {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut settings = settings();
        change(&mut settings);
        let record = Record::open(dir.path(), settings).unwrap();
        Self { record, dir }
    }

    pub(crate) fn session(&self) -> Session {
        self.record.session(Subject::operator(), [7; 16])
    }

    /// Closes the record and opens it again.
    pub(crate) fn reopened(self) -> Self {
        let Self { record, dir } = self;
        drop(record);
        let record = Record::open(dir.path(), settings()).unwrap();
        Self { record, dir }
    }

    /// Closes the record and reads its access log.
    pub(crate) fn events(self) -> Vec<audit::Event> {
        let Self { record, dir } = self;
        drop(record);
        let reader = audit::read(&dir.path().join("audit"), 1).unwrap().under(log_key(dir.path()));
        reader.map(|entry| entry.unwrap().event).collect()
    }

    pub(crate) fn create(&self, body: &str) -> Written {
        let body = doc(body);
        let of = of(&body.root().get_str("resourceType").unwrap());
        run(self.session().create(of, body, None)).unwrap()
    }

    pub(crate) fn put(&self, body: &str) -> Result<Written, Fault> {
        let body = doc(body);
        let of = of(&body.root().get_str("resourceType").unwrap());
        let id = body.root().get_str("id").unwrap().into_owned();
        run(self.session().update(of, &id, body, None, false))
    }

    pub(crate) fn bundle(&self, body: &str) -> Result<BundleAnswer, Fault> {
        run(self.session().bundle(doc(body), BundleOptions::default()))
    }

    /// Entries as a transaction.
    pub(crate) fn transaction(&self, entries: &[String]) -> Result<Vec<Answer>, Fault> {
        let body = bundle("transaction", entries);
        self.bundle(&body).map(|answer| answer.entries)
    }

    pub(crate) fn read(&self, kind: &str, id: &str) -> Result<Hit, Fault> {
        self.session().read(of(kind), id, None).and_then(Audited::wait)
    }

    /// The body of a record, parsed.
    pub(crate) fn body(&self, kind: &str, id: &str) -> Document {
        Document::parse(self.read(kind, id).unwrap().body, &Limits::default()).unwrap()
    }

    pub(crate) fn search(&self, kind: &str, query: &str) -> Found {
        let pairs = search::parse::decode_query(query).unwrap();
        let how = SearchHow::default();
        self.session().search(Level::Type(of(kind)), pairs, &how).and_then(Audited::wait).unwrap()
    }

    /// How many records of a type match.
    pub(crate) fn count(&self, kind: &str, query: &str) -> u64 {
        let query = format!("{query}&_summary=count");
        self.search(kind, query.trim_start_matches('&')).page.total.unwrap()
    }
}

pub(crate) fn settings() -> Settings {
    Settings {
        clock: Arc::new(Turned(AtomicI64::new(1_800_000_000_000))),
        sync: store::Sync::Relaxed,
        seed: Some(1),
        ..Settings::default()
    }
}

pub(crate) fn of(kind: &str) -> TypeId {
    r4().resource_type(kind).unwrap()
}

pub(crate) fn doc(text: &str) -> Document {
    Document::parse_text(text.to_owned(), &Limits::default()).unwrap()
}

pub(crate) fn bundle(kind: &str, entries: &[String]) -> String {
    format!(r#"{{"resourceType":"Bundle","type":"{kind}","entry":[{}]}}"#, entries.join(","))
}

/// An entry: `fullUrl` unless empty, more members of `request`, the resource unless empty.
pub(crate) fn entry(full_url: &str, method: &str, url: &str, more: &str, resource: &str) -> String {
    let full_url = match full_url {
        "" => String::new(),
        url => format!(r#""fullUrl":"{url}","#),
    };
    let resource = match resource {
        "" => String::new(),
        resource => format!(r#""resource":{resource},"#),
    };
    format!(r#"{{{full_url}{resource}"request":{{"method":"{method}","url":"{url}"{more}}}}}"#)
}

pub(crate) fn patient(extra: &str) -> String {
    format!(r#"{{"resourceType":"Patient"{extra}}}"#)
}

pub(crate) fn observation(subject: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","status":"final","code":{{"text":"x"}},"subject":{{"reference":"{subject}"}}}}"#
    )
}

/// Code and place of the first issue.
pub(crate) fn told(fault: &Fault) -> (&'static str, Option<&str>) {
    (fault.code().name, fault.issues[0].expression.as_deref())
}

/// Runs a future on this thread.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    struct Unpark(std::thread::Thread);
    impl Wake for Unpark {
        fn wake(self: Arc<Self>) {
            self.0.unpark();
        }
    }
    let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
    let mut context = Context::from_waker(&waker);
    let mut future = pin!(future);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => std::thread::park(),
        }
    }
}

/// What opens the access log of a data folder.
pub(crate) fn log_key(data: &std::path::Path) -> Option<keys::LogKey> {
    record::Encryption::default().log_key(data).unwrap()
}
