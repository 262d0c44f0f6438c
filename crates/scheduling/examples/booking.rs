//! What a guarded booking costs: appointments of 20 clinicians in a month of a clinic, booked one
//! after the other and by 64 threads at once, with the rules and without.
//! `cargo run --release -p scheduling --example booking`

#![expect(clippy::print_stdout, clippy::unwrap_used, reason = "an example for a person to read")]

use base::Limits;
use fhir::Document;
use fhir::definitions::r4;
use record::{Record, Settings, Subject};
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::{self, Thread};
use std::time::{Duration, Instant};

static DEPARTMENT: record::Department = scheduling::DEPARTMENT;

const CLINICIANS: usize = 20;
const DAYS: usize = 28;
const PER_DAY: usize = 24;
const TIMES: usize = 1_280;

fn main() {
    for (name, ruled) in [("without rules", false), ("with rules", true)] {
        let dir = tempfile::tempdir().unwrap();
        let departments = if ruled { vec![&DEPARTMENT] } else { Vec::new() };
        let record =
            Record::open(dir.path(), Settings { departments, ..Settings::default() }).unwrap();
        fill(&record);
        for threads in [1, 64] {
            let mut took = book(&record, threads);
            took.sort();
            let at =
                |percent: usize| took.get(took.len() * percent / 100).copied().unwrap_or_default();
            println!(
                "{name}, {threads} threads, {} bookings: p50 {:?}, p99 {:?}",
                took.len(),
                at(50),
                at(99)
            );
        }
    }
}

/// The book as it stands, by import: nine of ten times are taken.
fn fill(record: &Record) {
    let import =
        record.session(Subject::operator(), [1; 16]).import(record::ImportOptions::default());
    let import = import.unwrap();
    let mut texts = Vec::new();
    for clinician in 0..CLINICIANS {
        for day in 0..DAYS {
            for nth in 0..PER_DAY * 9 / 10 {
                texts.push(appointment(clinician, day, nth, texts.len()));
            }
        }
    }
    for some in texts.chunks(500) {
        let documents = some.iter().map(|text| import.prepare(parse(text))).collect();
        import.submit(documents).wait().unwrap();
    }
}

/// Books the free times, each by one of the threads.
fn book(record: &Record, threads: usize) -> Vec<Duration> {
    let next = AtomicUsize::new(if threads == 1 { 0 } else { TIMES / 10 });
    let until = if threads == 1 { TIMES / 10 } else { TIMES };
    let work = || {
        let mut took = Vec::new();
        loop {
            let at = next.fetch_add(1, Ordering::Relaxed);
            if at >= until {
                return took;
            }
            let (clinician, day) = (at % CLINICIANS, at / CLINICIANS % DAYS);
            let nth = PER_DAY * 9 / 10 + at / (CLINICIANS * DAYS);
            let text = appointment(clinician, day, nth, 100_000 + at);
            let session = record.session(Subject::operator(), [2; 16]);
            let of = r4().resource_type("Appointment").unwrap();
            let began = Instant::now();
            if run(session.create(of, parse(&text), None)).is_ok() {
                took.push(began.elapsed());
            }
        }
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect()
    })
}

fn appointment(clinician: usize, day: usize, nth: usize, patient: usize) -> String {
    let (day, minute) = (day + 1, 8 * 60 + nth * 20);
    let time =
        |minute: usize| format!("2027-02-{day:02}T{:02}:{:02}:00Z", minute / 60, minute % 60);
    format!(
        r#"{{"resourceType":"Appointment","status":"booked","start":"{}","end":"{}","participant":[{{"actor":{{"reference":"Practitioner/c{clinician}"}},"status":"accepted"}},{{"actor":{{"reference":"Patient/p{patient}"}},"status":"accepted"}}]}}"#,
        time(minute),
        time(minute + 20)
    )
}

fn parse(text: &str) -> Document {
    Document::parse_text(text.to_owned(), &Limits::default()).unwrap()
}

struct Unpark(Thread);

impl Wake for Unpark {
    fn wake(self: Arc<Self>) {
        self.0.unpark();
    }
}

fn run<F: Future>(future: F) -> F::Output {
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
