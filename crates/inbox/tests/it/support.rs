//! A record in a temporary directory with a clinician, a colleague, a nurse, a desk and two patients; and
//! what waits there.

use audit::Event;
use base::{Clock, Fault, Limits, Millis};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use identity::{Cost, Kind as Of, Profile};
use inbox::{Inbox, Item, Kind, Me, Seen};
use record::{Asked, Audited, Hit, Level, Record, SearchHow, Session, Settings, Subject};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::task::{Context, Poll, Waker};
use tempfile::TempDir;

/// 23 November 2026, a quarter past ten.
pub(crate) const NOW: i64 = 1_795_428_900_000;
pub(crate) const MINUTE: i64 = 60_000;
pub(crate) const DAY: i64 = 86_400_000;

/// A clock that goes on by a millisecond with every look, and as far as it is turned.
#[derive(Debug)]
pub(crate) struct Turned(AtomicI64);

impl Clock for Turned {
    fn now(&self) -> Millis {
        Millis(self.0.fetch_add(1, Ordering::Relaxed))
    }
}

pub(crate) struct Room {
    record: Record,
    clock: Arc<Turned>,
    dir: TempDir,
}

/// Who signs in: the session, and who they are to the inbox.
pub(crate) type Person = (Session, Me);

impl Room {
    pub(crate) fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let clock = Arc::new(Turned(AtomicI64::new(NOW)));
        let mut settings = Settings {
            clock: Arc::<Turned>::clone(&clock),
            sync: store::Sync::Relaxed,
            seed: Some(1),
            departments: vec![&inbox::DEPARTMENT],
            ..Settings::default()
        };
        settings.identity.cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
        let record = Record::open(dir.path(), settings).unwrap();
        let room = Self { record, clock, dir };
        for (id, family) in [("doc", "House"), ("two", "Watson"), ("nurse", "Day")] {
            room.put(&format!(
                r#"{{"resourceType":"Practitioner","id":"{id}","active":true,"name":[{{"family":"{family}","given":["Dora"]}}]}}"#
            ));
        }
        room.put(r#"{"resourceType":"Organization","id":"north","name":"North"}"#);
        for (id, own) in [("ada", "doc"), ("ben", "doc"), ("cleo", "two")] {
            room.put(&format!(
                r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"{id}"}}],"generalPractitioner":[{{"reference":"Practitioner/{own}"}},{{"reference":"Practitioner/nurse"}}]}}"#
            ));
        }
        room
    }

    pub(crate) fn turn(&self, ms: i64) {
        self.clock.0.fetch_add(ms, Ordering::Relaxed);
    }

    pub(crate) fn operator(&self) -> Session {
        self.record.session(Subject::operator(), [7; 16])
    }

    fn person(&self, name: &str, role: &str, practitioner: Option<&str>) -> Person {
        let identity = self.record.identity();
        let me = Me {
            practitioner: practitioner.map(str::to_owned),
            sites: vec!["north".to_owned()],
            roles: vec![role.to_owned()],
            display: name.to_owned(),
        };
        let profile = Profile {
            name: name.to_owned(),
            display: name.to_owned(),
            roles: me.roles.clone(),
            sites: me.sites.clone(),
            practitioner: me.practitioner.clone(),
            ..Profile::default()
        };
        let made = identity.create(Of::Person, profile).unwrap();
        let opened = identity.issue(made.id, 36_000_000, "a script").unwrap();
        let caller = identity.find(opened.token.text().expose(), None).unwrap();
        let subject = self.record.subject(&caller, None, Asked::default()).unwrap();
        (self.record.session(subject, [3; 16]), me)
    }

    /// The clinician who treats Ada and Ben.
    pub(crate) fn doctor(&self) -> Person {
        self.person("dora", "clinician", Some("doc"))
    }

    /// The clinician who treats Cleo.
    pub(crate) fn colleague(&self) -> Person {
        self.person("joan", "clinician", Some("two"))
    }

    /// A clinician who treats nobody yet, and their roles.
    pub(crate) fn stranger(&self, name: &str, role: &str) -> Person {
        self.put(&format!(
            r#"{{"resourceType":"Practitioner","id":"{name}","active":true,"name":[{{"family":"{name}"}}]}}"#
        ));
        self.person(name, role, Some(name))
    }

    pub(crate) fn nurse(&self) -> Person {
        self.person("flo", "nurse", Some("nurse"))
    }

    pub(crate) fn desk(&self) -> Person {
        self.person("robin", "front-desk", None)
    }

    pub(crate) fn put(&self, body: &str) {
        let body = Document::parse_text(body.to_owned(), &Limits::default()).unwrap();
        let kind = of(&body.root().get_str("resourceType").unwrap());
        let id = body.root().get_str("id").unwrap().into_owned();
        drop(run(self.operator().update(kind, &id, body, None, false)).unwrap());
    }

    /// A report that the doctor ordered, with one value, of so many hours ago.
    pub(crate) fn report(&self, id: &str, patient: &str, flag: &str, hours: i64) {
        self.report_of(id, patient, ("doc", flag), hours);
    }

    pub(crate) fn report_of(&self, id: &str, patient: &str, (doc, flag): (&str, &str), hours: i64) {
        let at = Millis(NOW - hours * 60 * MINUTE).to_instant();
        let flag = match flag {
            "" => String::new(),
            flag => format!(r#","interpretation":[{{"coding":[{{"code":"{flag}"}}]}}]"#),
        };
        self.put(&format!(
            r#"{{"resourceType":"ServiceRequest","id":"{id}-o","status":"completed","intent":"order","subject":{{"reference":"Patient/{patient}"}},"requester":{{"reference":"Practitioner/{doc}"}}}}"#
        ));
        self.put(&format!(
            r#"{{"resourceType":"Observation","id":"{id}-v","status":"final","code":{{"text":"Potassium"}},"subject":{{"reference":"Patient/{patient}"}},"issued":"{at}","valueQuantity":{{"value":4.2,"unit":"mmol/L"}}{flag}}}"#
        ));
        self.put(&report(id, patient, "final", &at));
    }

    pub(crate) fn task(&self, id: &str, patient: &str, owner: &str, rest: &str) {
        let at = Millis(NOW - DAY).to_instant();
        self.put(&format!(
            r#"{{"resourceType":"Task","id":"{id}","status":"requested","intent":"order","description":"Call","for":{{"reference":"Patient/{patient}"}},"authoredOn":"{at}","owner":{{"reference":"{owner}"}}{rest}}}"#
        ));
    }

    pub(crate) fn message(&self, id: &str, patient: &str, recipient: &str, rest: &str) {
        let at = Millis(NOW - DAY).to_instant();
        self.put(&format!(
            r#"{{"resourceType":"Communication","id":"{id}","status":"in-progress","subject":{{"reference":"Patient/{patient}"}},"sent":"{at}","sender":{{"reference":"Patient/{patient}"}},"recipient":[{{"reference":"{recipient}"}}],"payload":[{{"contentString":"May I eat before the test?"}}]{rest}}}"#
        ));
    }

    /// A Task as a principal writes it through a door, and what came of it.
    pub(crate) fn write(&self, session: &Session, body: &str) -> &'static str {
        let body = Document::parse_text(body.to_owned(), &Limits::default()).unwrap();
        let kind = of(&body.root().get_str("resourceType").unwrap());
        match body.root().get_str("id").map(|id| id.into_owned()) {
            Some(id) => code(run(session.update(kind, &id, body, None, false))),
            None => code(run(session.create(kind, body, None))),
        }
    }

    /// A pool of these members.
    pub(crate) fn pool(&self, id: &str, category: &str, members: &str) {
        self.put(&format!(
            r#"{{"resourceType":"CareTeam","id":"{id}","status":"active","category":[{{"coding":[{{"system":"urn:plummer:inbox","code":"{category}"}}]}}],"name":"Pool {id}","participant":[{members}]}}"#
        ));
    }

    pub(crate) fn body(&self, kind: &str, id: &str) -> String {
        let hit = self.operator().read(of(kind), id, None).and_then(Audited::wait).unwrap();
        String::from_utf8(hit.body).unwrap()
    }

    pub(crate) fn found(&self, kind: &str, query: &[(&str, &str)]) -> Vec<Hit> {
        let pairs = query.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
        let found = self.operator().search(Level::Type(of(kind)), pairs, &SearchHow::default());
        found.and_then(Audited::wait).unwrap().page.matches
    }

    /// Closes the record and reads its access log.
    pub(crate) fn events(self) -> Vec<Event> {
        let Self { record, dir, .. } = self;
        drop(record);
        let key = record::Encryption::default().log_key(dir.path()).unwrap();
        let reader = audit::read(&dir.path().join("audit"), 1).unwrap().under(key);
        reader.map(|entry| entry.unwrap().event).collect()
    }
}

/// A report in a status, issued at an instant.
pub(crate) fn report(id: &str, patient: &str, status: &str, at: &str) -> String {
    format!(
        r#"{{"resourceType":"DiagnosticReport","id":"{id}","basedOn":[{{"reference":"ServiceRequest/{id}-o"}}],"status":"{status}","code":{{"text":"Electrolytes"}},"subject":{{"reference":"Patient/{patient}"}},"issued":"{at}","result":[{{"reference":"Observation/{id}-v"}}]}}"#
    )
}

pub(crate) fn of(kind: &str) -> TypeId {
    r4().resource_type(kind).unwrap()
}

pub(crate) fn waits((session, me): &Person) -> Inbox {
    run(inbox::gather(session, me)).unwrap()
}

/// The ids of what waits, in order.
pub(crate) fn ids(inbox: &Inbox) -> Vec<&str> {
    inbox.items().map(|item| item.seen.id.as_str()).collect()
}

pub(crate) fn item<'i>(inbox: &'i Inbox, id: &str) -> &'i Item {
    inbox.items().find(|item| item.seen.id == id).unwrap()
}

pub(crate) fn seen(kind: Kind, id: &str, version: u64) -> Seen {
    // A report of these tests has one value.
    let values = if kind == Kind::Result { vec![1] } else { Vec::new() };
    Seen { kind, id: id.to_owned(), version, values }
}

/// A result as it is seen, with the versions of its values.
pub(crate) fn result(id: &str, version: u64, values: &[u64]) -> Seen {
    Seen { values: values.to_vec(), ..seen(Kind::Result, id, version) }
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
    let mut future = pin!(future);
    let mut context = Context::from_waker(Waker::noop());
    loop {
        if let Poll::Ready(output) = future.as_mut().poll(&mut context) {
            return output;
        }
        std::thread::yield_now();
    }
}
