//! A record in a temporary directory, and people who sign in to it.

use audit::Event;
use base::{Clock, Fault, Limits, Millis};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use identity::{Caller, Cost, Kind as Of, Profile};
use record::{Asked, Audited, Hit, Record, Session, Settings, Subject, Written};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use tempfile::TempDir;

/// A quarter past ten that morning.
pub(crate) const NOW: i64 = 1_795_428_900_000;

/// A clock that goes on by a millisecond with every look.
#[derive(Debug)]
pub(crate) struct Turned(AtomicI64);

impl Clock for Turned {
    fn now(&self) -> Millis {
        Millis(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

pub(crate) struct Room {
    pub(crate) record: Record,
    dir: TempDir,
}

pub(crate) fn settings() -> Settings {
    let mut settings = Settings {
        clock: Arc::new(Turned(AtomicI64::new(NOW))),
        sync: store::Sync::Relaxed,
        seed: Some(1),
        departments: vec![&registration::DEPARTMENT],
        ..Settings::default()
    };
    settings.identity.cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
    settings
}

impl Room {
    pub(crate) fn new() -> Self {
        Self::with(settings())
    }

    pub(crate) fn with(settings: Settings) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let record = Record::open(dir.path(), settings).unwrap();
        Self { record, dir }
    }

    pub(crate) fn operator(&self) -> Session {
        self.record.session(Subject::operator(), [7; 16])
    }

    /// Somebody of a role, who is this practitioner.
    pub(crate) fn person(&self, name: &str, role: &str, practitioner: &str) -> Caller {
        let identity = self.record.identity();
        let profile = Profile {
            name: name.to_owned(),
            display: format!("Dr {name}"),
            roles: vec![role.to_owned()],
            sites: vec!["north".to_owned()],
            practitioner: (!practitioner.is_empty()).then(|| practitioner.to_owned()),
            ..Profile::default()
        };
        let made = identity.create(Of::Person, profile).unwrap();
        let opened = identity.issue(made.id, 36_000_000, "a script").unwrap();
        identity.find(opened.token.text().expose(), None).unwrap()
    }

    pub(crate) fn as_of(&self, caller: &Caller) -> Session {
        let subject = self.record.subject(caller, None, Asked::default()).unwrap();
        self.record.session(subject, [3; 16])
    }

    /// Somebody of the front desk, and somebody of health information, both of the site north.
    pub(crate) fn desk(&self) -> Session {
        self.as_of(&self.person("fay", "front-desk", ""))
    }

    pub(crate) fn him(&self) -> Session {
        self.as_of(&self.person("hal", "him", ""))
    }

    pub(crate) fn put(&self, body: &str) -> Written {
        let body = doc(body);
        let of = of(&body.root().get_str("resourceType").unwrap());
        let id = body.root().get_str("id").unwrap().into_owned();
        run(self.operator().update(of, &id, body, None, false)).unwrap()
    }

    pub(crate) fn read(&self, kind: &str, id: &str) -> Hit {
        self.operator().read(of(kind), id, None).and_then(Audited::wait).unwrap()
    }

    pub(crate) fn body(&self, kind: &str, id: &str) -> String {
        String::from_utf8(self.read(kind, id).body).unwrap()
    }

    pub(crate) fn count(&self, kind: &str, query: &[(&str, &str)]) -> usize {
        let pairs = query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let level = record::Level::Type(of(kind));
        let found = self.operator().search(level, pairs, &record::SearchHow::default());
        found.and_then(Audited::wait).unwrap().page.matches.len()
    }

    /// Closes the record and reads its access log.
    pub(crate) fn events(self) -> Vec<Event> {
        let Self { record, dir } = self;
        drop(record);
        let key = record::Encryption::default().log_key(dir.path()).unwrap();
        let reader = audit::read(&dir.path().join("audit"), 1).unwrap().under(key);
        reader.map(|entry| entry.unwrap().event).collect()
    }
}

pub(crate) fn of(kind: &str) -> TypeId {
    r4().resource_type(kind).unwrap()
}

pub(crate) fn doc(text: &str) -> Document {
    Document::parse_text(text.to_owned(), &Limits::default()).unwrap()
}

/// What a fault is named.
pub(crate) fn code<T>(outcome: Result<T, Fault>) -> &'static str {
    match outcome {
        Ok(_) => "done",
        Err(fault) => fault.code().name,
    }
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
