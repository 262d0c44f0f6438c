//! Loads N generated resources in large units and prints rates, sizes and search times: what the
//! store alone can do, without validation or HTTP. `cargo run --release -p store --example load -- N DIR`

#![expect(
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::cast_precision_loss,
    reason = "a measurement"
)]

use base::Limits;
use fhir::Document;
use fhir::definitions::r4;
use std::sync::mpsc::sync_channel;
use std::time::Instant;
use store::{Op, Options, PageRequest, Scope, Store, Unit};

fn main() {
    let mut args = std::env::args().skip(1);
    let wanted: usize = args.next().map_or(200_000, |n| n.parse().unwrap());
    let dir = args.next().unwrap_or_else(|| "load-data".to_owned());
    let dir = std::path::Path::new(&dir);
    let store = Store::open(dir, Options::default()).unwrap();
    let clinic = demo::Clinic::new(demo::Options::new(10_000_000, 1, (2026, 11, 22)));
    let (sender, receiver) = sync_channel::<Unit>(4);
    let started = Instant::now();
    let committer = {
        let store = store.clone();
        std::thread::spawn(move || {
            let (mut done, mut mark, mut last) = (0usize, 200_000, Instant::now());
            for unit in receiver {
                let ops = unit.ops.len();
                let (tx, rx) = sync_channel(1);
                store.submit(unit, Box::new(move |r| tx.send(r.map(drop)).unwrap()));
                rx.recv().unwrap().unwrap();
                done += ops;
                if done >= mark {
                    println!("{mark:>9}: {:.2} s for 200k", last.elapsed().as_secs_f64());
                    mark += 200_000;
                    last = Instant::now();
                }
            }
        })
    };
    let mut ops = Vec::new();
    let mut prepared = 0;
    let mut bytes = 0usize;
    let mut prepare = |r: demo::Resource| {
        bytes += r.json.len();
        let document = Document::parse_text(r.json, &Limits::default()).unwrap();
        let kind = r4().resource_type(r.resource_type).unwrap();
        let content = store.prepare(document.root(), kind, r.id, 0).unwrap();
        ops.push(Op::Update {
            content: Box::new(content),
            if_match: None,
            may_create: true,
            skip_same: false,
        });
        prepared += 1;
        if ops.len() >= 4000 {
            sender.send(Unit { ops: std::mem::take(&mut ops), ..Unit::default() }).unwrap();
        }
        prepared
    };
    // The whole clinic's shared part is large; the first pods' is enough to point at.
    for r in clinic.shared().take(20_000) {
        prepare(r);
    }
    let mut patient = 0;
    let mut some = Vec::new();
    loop {
        let mut all = 0;
        for r in clinic.patient(patient) {
            if r.resource_type == "Patient" && patient % 7 == 0 {
                some.push(r.id.clone());
            }
            all = prepare(r);
        }
        patient += 1;
        if all >= wanted {
            break;
        }
    }
    sender.send(Unit { ops, ..Unit::default() }).unwrap();
    drop(sender);
    committer.join().unwrap();
    let seconds = started.elapsed().as_secs_f64();
    let stats = store.stats();
    println!(
        "{prepared} resources of {} bytes in {seconds:.1} s = {:.0}/s; {} B each on disk (wal {} MB); writer busy {:.1} s",
        bytes / prepared,
        prepared as f64 / seconds,
        stats.file_bytes / prepared as u64,
        stats.wal_bytes >> 20,
        stats.writer_busy_micros as f64 / 1e6
    );
    let scope = Scope::everything();
    let ask = |url: &str, count: usize| {
        let (name, query) = url.split_once('?').unwrap();
        let level = search::parse::Level::Type(r4().resource_type(name).unwrap());
        let options = search::parse::Options {
            lenient: false,
            limits: Limits::default(),
            now: base::Millis(0),
            base_url: None,
            conditional: false,
            hidden: None,
        };
        let search =
            search::parse::parse(&level, &search::parse::decode_query(query).unwrap(), &options)
                .unwrap();
        let request =
            PageRequest { count, position: None, include_max: 1000, steps_max: 100_000_000 };
        store.reader(&scope).unwrap().search(&search, &request).unwrap()
    };
    let t = Instant::now();
    let mut n = 0;
    for id in some.iter().cycle().take(5000) {
        n += ask(&format!("Observation?patient={id}&code=8867-4&_sort=-date&_count=20"), 20)
            .matches
            .len();
    }
    println!(
        "patient+code: {:.1} us, {:.1} hits",
        t.elapsed().as_secs_f64() * 1e6 / 5000.0,
        n as f64 / 5000.0
    );
    let t = Instant::now();
    for id in some.iter().cycle().take(5000) {
        let hit =
            store.reader(&scope).unwrap().read(r4().resource_type("Patient").unwrap(), id).unwrap();
        assert!(hit.is_some());
    }
    println!("read: {:.1} us", t.elapsed().as_secs_f64() * 1e6 / 5000.0);
    for url in [
        "Observation?code=8867-4&_sort=-date",
        "Observation?code=8867-4&_total=accurate",
        "Patient?family=smi&gender=female",
        "Observation?patient.gender=female&code=8867-4",
        "Observation?date=2024-05-05&category=laboratory",
    ] {
        let t = Instant::now();
        let page = ask(url, 20);
        println!(
            "{url}: {:.2} ms, {} hits, total {:?}, steps {}, {:?}",
            t.elapsed().as_secs_f64() * 1e3,
            page.matches.len(),
            page.total,
            page.explain.steps,
            page.explain.plan
        );
    }
}
