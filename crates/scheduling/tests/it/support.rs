//! A record with the department's rules, and appointments to write into it.

use base::{Fault, Limits};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use record::{Record, Session, Settings, Subject, Written};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use tempfile::TempDir;

pub(crate) struct Clinic {
    pub(crate) record: Record,
    pub(crate) dir: TempDir,
}

pub(crate) static DEPARTMENT: record::Department = scheduling::DEPARTMENT;

pub(crate) fn settings() -> Settings {
    Settings {
        // What is tested is who gets the slot, not whether a disk keeps it.
        sync: record::Sync::Relaxed,
        seed: Some(11),
        departments: vec![&DEPARTMENT],
        ..Settings::default()
    }
}

impl Clinic {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let record = Record::open(dir.path(), settings()).unwrap();
        Self { record, dir }
    }

    pub(crate) fn session(&self) -> Session {
        self.record.session(Subject::operator(), [7; 16])
    }

    pub(crate) fn create(&self, body: &str) -> Result<Written, Fault> {
        let document = doc(body);
        let of = of(&document.root().get_str("resourceType").unwrap());
        run(self.session().create(of, document, None))
    }

    pub(crate) fn put(&self, body: &str) -> Result<Written, Fault> {
        let document = doc(body);
        let of = of(&document.root().get_str("resourceType").unwrap());
        let id = document.root().get_str("id").unwrap().into_owned();
        run(self.session().update(of, &id, document, None, false))
    }

    pub(crate) fn transaction(&self, entries: &[String]) -> Result<record::BundleAnswer, Fault> {
        let text = format!(
            r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
            entries.join(",")
        );
        run(self.session().bundle(doc(&text), record::BundleOptions::default()))
    }

    /// The status a record has.
    pub(crate) fn status(&self, kind: &str, id: &str) -> String {
        let hit = self.session().read(of(kind), id, None).unwrap().wait().unwrap();
        let document = Document::parse(hit.body, &Limits::default()).unwrap();
        document.root().get_str("status").unwrap().into_owned()
    }

    pub(crate) fn count(&self, kind: &str, query: &[(&str, &str)]) -> u64 {
        let mut pairs: Vec<_> =
            query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        pairs.push(("_summary".to_owned(), "count".to_owned()));
        let how = record::SearchHow::default();
        let found = self.session().search(record::Level::Type(of(kind)), pairs, &how).unwrap();
        found.wait().unwrap().page.total.unwrap()
    }

    /// Closes the record and reads its access log.
    pub(crate) fn events(self) -> Vec<audit::Event> {
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

/// An appointment with these actors; `id` may be empty.
pub(crate) fn appointment(
    id: &str,
    status: &str,
    (start, end): (&str, &str),
    actors: &[&str],
    more: &str,
) -> String {
    let id = if id.is_empty() { String::new() } else { format!(r#""id":"{id}","#) };
    let actors: Vec<String> = actors
        .iter()
        .map(|actor| format!(r#"{{"actor":{{"reference":"{actor}"}},"status":"accepted"}}"#))
        .collect();
    format!(
        r#"{{"resourceType":"Appointment",{id}"status":"{status}","start":"2026-12-01T{start}:00Z","end":"2026-12-01T{end}:00Z","participant":[{}]{more}}}"#,
        actors.join(",")
    )
}

pub(crate) fn entry(method: &str, url: &str, resource: &str) -> String {
    let resource = match resource {
        "" => String::new(),
        resource => format!(r#""resource":{resource},"#),
    };
    format!(r#"{{{resource}"request":{{"method":"{method}","url":"{url}"}}}}"#)
}

/// The code a write was refused with.
pub(crate) fn code<T: std::fmt::Debug>(outcome: Result<T, Fault>) -> &'static str {
    outcome.unwrap_err().code().name
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

/// Runs a future on this thread.
pub(crate) fn run<F: Future>(future: F) -> F::Output {
    let mut future = pin!(future);
    let waker = Waker::from(Arc::new(Unpark(thread::current())));
    let mut context = Context::from_waker(&waker);
    loop {
        match future.as_mut().poll(&mut context) {
            Poll::Ready(output) => return output,
            Poll::Pending => thread::park(),
        }
    }
}
