//! Makes N Patient records, named as those of the generated clinic are, and asks for them as a front
//! desk does: what loading costs, what a patient takes on the disk, and how long each kind of question
//! takes. `cargo run --release -p store --example find -- N DIR`

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    clippy::indexing_slicing,
    reason = "a measurement"
)]

use base::Limits;
use base::id::{Random as _, Seeded};
use fhir::Document;
use fhir::definitions::r4;
use search::people::ask::{Question, Seen};
use std::time::Instant;
use store::{Op, Options, PeopleAsk, Scope, Store, Unit};

const ALL: Seen = Seen { name: true, born: true, phone: true, identifier: true, member: true };
/// Charts of the generated clinic that names are taken from, as often as they occur there.
const CHARTS: u64 = 2000;
const ASKED_OF_EACH: usize = 300;

struct Person {
    family: String,
    given: String,
    born: (u64, u64, u64),
    phone: u64,
    number: u64,
}

fn main() {
    let mut args = std::env::args().skip(1);
    let wanted: u64 = args.next().map_or(1_000_000, |n| n.parse().unwrap());
    let dir = args.next().unwrap_or_else(|| "find-data".to_owned());
    let dir = std::path::Path::new(&dir);
    let mut random = Seeded::new(1);
    let names = names();
    let store = Store::open(dir, Options::bulk()).unwrap();
    let patient = r4().resource_type("Patient").unwrap();
    let mut people = Vec::new();
    let began = Instant::now();
    let mut ops = Vec::new();
    for n in 0..wanted {
        let person = person(&mut random, &names, n);
        let document = Document::parse_text(json(&person), &Limits::default()).unwrap();
        let content = store.prepare(document.root(), patient, format!("p{n}"), 0).unwrap();
        ops.push(Op::Create(Box::new(content)));
        if ops.len() == 4000 {
            store.commit(Unit { ops: std::mem::take(&mut ops), ..Unit::default() }).unwrap();
        }
        if n % (wanted / 1000).max(1) == 0 {
            people.push(person);
        }
    }
    store.commit(Unit { ops, ..Unit::default() }).unwrap();
    drop(store);
    let took = began.elapsed().as_secs_f64();
    let size = std::fs::metadata(dir.join("records.sqlite")).unwrap().len();
    println!(
        "{wanted} patients: {:.0}/s, {:.0} B each",
        wanted as f64 / took,
        size as f64 / wanted as f64
    );
    let store = Store::open(dir, Options::default()).unwrap();
    let mut all = Vec::new();
    for (kind, line) in KINDS {
        let mut times = Vec::new();
        let mut found = 0;
        for at in 0..ASKED_OF_EACH {
            let person = &people[at * 7 % people.len()];
            let question = Question::read(&line(person), 2026).unwrap();
            let ask =
                PeopleAsk { question: &question, seen: ALL, limit: 20, steps_max: 50_000_000 };
            let began = Instant::now();
            let answer = store.reader(&Scope::everything()).unwrap().people(&ask).unwrap();
            times.push(began.elapsed().as_secs_f64() * 1000.0);
            found += usize::from(!answer.found.is_empty());
        }
        all.extend(times.iter().copied());
        println!("{kind:<28} {}  found {found} of {ASKED_OF_EACH}", told(&mut times));
    }
    println!("all: {}", told(&mut all));
}

type Line = fn(&Person) -> String;

const KINDS: &[(&str, Line)] = &[
    ("one letter", |p| start(&p.family, 1)),
    ("two letters", |p| start(&p.family, 2)),
    ("three letters", |p| start(&p.family, 3)),
    ("s j", |p| format!("{} {}", start(&p.family, 1), start(&p.given, 1))),
    ("smi jo", |p| format!("{} {}", start(&p.family, 3), start(&p.given, 2))),
    ("jo smi", |p| format!("{} {}", start(&p.given, 2), start(&p.family, 3))),
    ("Smith, John", |p| format!("{}, {}", p.family, p.given)),
    ("John", |p| p.given.clone()),
    ("misspelt", |p| format!("{}{}, {}", p.family, 'e', p.given)),
    ("nobody", |p| format!("{}q {}", p.family, p.given)),
    ("3/14/61", |p| format!("{}/{}/{}", p.born.1, p.born.2, p.born.0)),
    ("smith 3/14/61", |p| format!("{} {}/{}/{}", p.family, p.born.1, p.born.2, p.born.0)),
    ("smi 1961", |p| format!("{} {}", start(&p.family, 3), p.born.0)),
    ("1961-03", |p| format!("{}-{:02}", p.born.0, p.born.1)),
    ("last four of a phone", |p| format!("{:04}", p.phone % 10_000)),
    ("smith 0142", |p| format!("{} {:04}", p.family, p.phone % 10_000)),
    ("MRN", |p| format!("M{:08}", p.number)),
];

fn start(text: &str, letters: usize) -> String {
    text.chars().take(letters).collect()
}

fn told(times: &mut [f64]) -> String {
    times.sort_by(f64::total_cmp);
    let at = |per_mille: usize| times[(times.len() - 1) * per_mille / 1000];
    format!("p50 {:.2} ms  p95 {:.2} ms  max {:.2} ms", at(500), at(950), at(1000))
}

/// Names as they occur: family and given.
fn names() -> Vec<(String, String)> {
    let clinic = demo::Clinic::new(demo::Options::new(10_000_000, 1, (2026, 11, 22)));
    let mut out = Vec::new();
    for n in 0..CHARTS {
        clinic.patient_into(n, &mut |kind, _, text| {
            if kind == "Patient" {
                let document = Document::parse_text(text.to_owned(), &Limits::default()).unwrap();
                let name = document.root().get("name").and_then(|n| n.each().next()).unwrap();
                let given = name.get("given").and_then(|g| g.each().next()?.as_str());
                out.push((
                    name.get_str("family").unwrap().into_owned(),
                    given.unwrap().into_owned(),
                ));
            }
        });
    }
    out
}

fn person(random: &mut Seeded, names: &[(String, String)], number: u64) -> Person {
    let mut below = |most: u64| random.next_u64() % most;
    let mut pick = || &names[usize::try_from(below(names.len() as u64)).unwrap()];
    let (family, given) = (pick().0.clone(), pick().1.clone());
    let born = (1930 + below(95), 1 + below(12), 1 + below(28));
    Person { family, given, born, phone: below(10_000_000_000), number }
}

fn json(p: &Person) -> String {
    format!(
        r#"{{"resourceType":"Patient","identifier":[{{"system":"urn:mrn","value":"M{:08}"}}],"name":[{{"family":"{}","given":["{}"]}}],"telecom":[{{"system":"phone","value":"{:010}"}}],"gender":"unknown","birthDate":"{}-{:02}-{:02}"}}"#,
        p.number, p.family, p.given, p.phone, p.born.0, p.born.1, p.born.2
    )
}
