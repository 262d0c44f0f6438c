//! The benches, one function each: what is measured, on what, and what else is told of it.

use super::load::{Outcome, Work, as_f64};
use super::nginx::Nginx;
use super::report::{Row, number};
use super::work::{Bundles, Creates, Gets, latest};
use super::{Bench, data, load, machine, parts, target};
use anyhow::{Context, bail};
use conformance::http::Http;
use conformance::process::Server;
use std::fs;
use std::path::Path;
use std::time::Duration;

/// A bench.
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) run: fn(&mut Bench) -> anyhow::Result<Row>,
}

/// All of them, in the order they run: those that change the shared store come last.
pub(super) const CASES: &[Case] = &[
    Case { name: "import", run: import },
    Case { name: "transactions", run: transactions },
    Case { name: "start", run: start },
    Case { name: "memory", run: memory },
    Case { name: "disk", run: disk },
    Case { name: "reads", run: reads },
    Case { name: "nginx", run: nginx },
    Case { name: "search", run: search },
    Case { name: "guarded", run: guarded },
    Case { name: "guarded-import", run: guarded_import },
    Case { name: "verify", run: parts::verify },
    Case { name: "sign-in", run: parts::sign_in },
    Case { name: "find", run: parts::find },
    Case { name: "creates", run: creates },
    Case { name: "flat", run: flat },
    Case { name: "grown", run: grown },
];

/// The folder of the long import's store, and the file that says that it is whole and what to ask it.
const GROWN: &str = "flat";
const GROWN_MARK: &str = "flat.json";
pub(super) const CONNECTIONS: usize = 64;
/// Files nginx serves: all of them stay open, and a process may have so many.
const FILES_MAX: usize = 4000;
const BUNDLE_CLIENTS: usize = 8;
/// A bundle may take long; the run ends when all are in.
const PATIENCE: Duration = Duration::from_secs(600);
/// Resources of a type from which on its share of the disk means something.
const COMMON: u64 = 1000;
/// What log-structured engines reached with the same records and syncs when engines were compared
/// before this one was built.
const LOG_STRUCTURED: f64 = 20_000.0;
/// How long a server rests before its idle memory is read.
const REST: Duration = Duration::from_secs(3);

pub(super) fn names() -> String {
    CASES.iter().map(|case| case.name).collect::<Vec<_>>().join(", ")
}

fn import(bench: &mut Bench) -> anyhow::Result<Row> {
    let archive =
        conformance::data(conformance::PATIENTS).context("the 120 patients are needed")?;
    let mut figures = Vec::new();
    for _ in 0..bench.runs {
        let folder = bench.fresh("import")?;
        let took = data::import(&bench.binary, &archive, &folder, &[])?;
        figures.push(as_f64(conformance::PATIENTS_RESOURCES) / took.as_secs_f64());
        let server = bench.serve(&folder)?;
        let stored = count_all(&server)?;
        server.stop()?;
        if stored != conformance::PATIENTS_RESOURCES {
            bail!("{stored} resources are stored");
        }
    }
    Ok(Row {
        name: "import",
        what: "`plummer import` of the 120 patients (92,114 resources, 216 MB)",
        goal: "12,000 resources/s",
        figures,
        unit: "/s",
        also: "validated and searchable; the process's start and end included".to_owned(),
    })
}

fn transactions(bench: &mut Bench) -> anyhow::Result<Row> {
    let bundles = data::bundles(&bench.work)?;
    let others: Vec<(Vec<u8>, u64)> =
        bundles.others.into_iter().map(counted).collect::<Result<_, _>>()?;
    let (mut figures, mut p50, mut p99, mut errors) = (Vec::new(), Vec::new(), Vec::new(), 0);
    for _ in 0..bench.runs {
        let folder = bench.fresh("transactions")?;
        let server = bench.serve(&folder)?;
        for bundle in &bundles.first {
            server.http()?.put("POST", "", bundle)?.ok()?;
        }
        let mut work = Bundles::new(&others, BUNDLE_CLIENTS);
        let outcome = load::run(&target(&server)?, BUNDLE_CLIENTS, PATIENCE, &mut work)?;
        server.stop()?;
        figures.push(outcome.rate());
        p50.push(outcome.ms(500));
        p99.push(outcome.ms(990));
        errors += outcome.errors;
    }
    if errors > 0 {
        bail!("{errors} bundles were refused");
    }
    Ok(Row {
        name: "transactions",
        what: "transaction bundles over HTTP, 8 clients: the 120 patients, 766 resources a bundle",
        goal: "6,000 resources/s",
        figures,
        unit: "/s",
        also: format!("a bundle: p50 {} ms, p99 {} ms", middle(&p50), middle(&p99)),
    })
}

fn start(bench: &mut Bench) -> anyhow::Result<Row> {
    let stored = data::stored(&bench.binary, &bench.work, bench.stored)?;
    let mut figures = Vec::new();
    for _ in 0..bench.runs {
        let server = bench.serve(&stored.data)?;
        figures.push(server.to_ready().as_secs_f64());
        server.stop()?;
    }
    let also = format!("{} resources stored, the machine's cache warm", stored.count);
    Ok(Row { name: "start", what: "start to ready", goal: "0.5 s", figures, unit: " s", also })
}

fn memory(bench: &mut Bench) -> anyhow::Result<Row> {
    let stored = data::stored(&bench.binary, &bench.work, bench.stored)?;
    let (mut figures, mut anonymous) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs {
        let server = bench.serve(&stored.data)?;
        std::thread::sleep(REST);
        let (all, own) = machine::memory(server.id())?;
        figures.push(as_f64(all) / 1e6);
        anonymous.push(as_f64(own) / 1e6);
        server.stop()?;
    }
    Ok(Row {
        name: "memory",
        what: "idle memory (resident, 3 s after ready)",
        goal: "80 MB",
        figures,
        unit: " MB",
        also: format!(
            "{} MB of it not backed by files; {} stored",
            middle(&anonymous),
            stored.count
        ),
    })
}

fn disk(bench: &mut Bench) -> anyhow::Result<Row> {
    let stored = data::stored(&bench.binary, &bench.work, bench.stored)?;
    // A stop puts the write-ahead log into the file.
    bench.serve(&stored.data)?.stop()?;
    let size = machine::size_of(&stored.data)?;
    let mut parts = Vec::new();
    for entry in fs::read_dir(&stored.data)? {
        let entry = entry?;
        if entry.metadata()?.is_dir() {
            let bytes = as_f64(machine::size_of(&entry.path())?) / as_f64(stored.count);
            parts.push(format!("{} {bytes:.0} B", entry.file_name().to_string_lossy()));
        }
    }
    parts.sort();
    let json = as_f64(fs::metadata(&stored.source)?.len()) / as_f64(stored.count);
    let types = disk_by_type(bench)?;
    Ok(Row {
        name: "disk",
        what: "disk a resource, index, history and audit included",
        goal: "1,000 B",
        figures: vec![as_f64(size) / as_f64(stored.count)],
        unit: " B",
        also: format!(
            "{}; as JSON {json:.0} B; {} stored; each type alone: {types}",
            parts.join(", "),
            stored.count
        ),
    })
}

/// What a resource of each common type takes, alone in a store of its own.
fn disk_by_type(bench: &Bench) -> anyhow::Result<String> {
    let mut types = Vec::new();
    let source = data::generate_types(&bench.binary, &bench.work, bench.stored / 4)?;
    for entry in fs::read_dir(&source)? {
        let file = entry?.path();
        let name = file.file_stem().unwrap_or_default().to_string_lossy().into_owned();
        let count = data::lines(&file)?;
        if count < COMMON {
            continue;
        }
        let folder = bench.fresh("type")?;
        data::import(&bench.binary, &file, &folder, &[])?;
        types.push((as_f64(machine::size_of(&folder)?) / as_f64(count), name));
    }
    types.sort_by(|a, b| b.0.total_cmp(&a.0));
    let said: Vec<String> =
        types.iter().map(|(bytes, name)| format!("{name} {bytes:.0} B")).collect();
    Ok(said.join(", "))
}

fn reads(bench: &mut Bench) -> anyhow::Result<Row> {
    let stored = data::stored(&bench.binary, &bench.work, bench.stored)?;
    let samples = seen(bench, &stored)?;
    let paths = samples.records.iter().map(|record| format!("/fhir/{record}"));
    let mut work = Gets::new(paths, (50, 0), CONNECTIONS, bench.random.fork());
    let measured = measure_server(bench, &stored.data, &mut work)?;
    Ok(Row {
        name: "reads",
        what: "reads over HTTP, 64 connections, random ids",
        goal: "20,000/s, p99 10 ms",
        figures: measured.rates,
        unit: "/s",
        also: format!("{}; {} stored", measured.also, stored.count),
    })
}

/// The same bytes as files, from nginx, and how many times as fast that is as we are.
fn nginx(bench: &mut Bench) -> anyhow::Result<Row> {
    let stored = data::stored(&bench.binary, &bench.work, bench.stored)?;
    let samples = seen(bench, &stored)?;
    let every = (samples.records.len() / FILES_MAX).max(1);
    let paths = samples.records.iter().step_by(every).take(FILES_MAX).map(|r| format!("/fhir/{r}"));
    let paths: Vec<String> = paths.collect();
    let folder = bench.fresh("nginx")?;
    let server = bench.serve(&stored.data)?;
    let mut http =
        Http::new(&format!("http://{}", target(&server)?.authority))?.with_token(server.token());
    for path in &paths {
        let file = folder.join(path.trim_start_matches('/'));
        fs::create_dir_all(file.parent().context("a folder")?)?;
        fs::write(file, http.get(path)?.ok()?.body)?;
    }
    server.stop()?;
    let random = bench.random.fork();
    let mut ours = Gets::new(paths.iter().cloned(), (50, 0), CONNECTIONS, random.clone());
    let mut theirs = Gets::new(paths.iter().cloned(), (50, 0), CONNECTIONS, random);
    let (mut figures, mut rates) = (Vec::new(), Vec::new());
    // In turns, so that what else the machine does hits both alike.
    let files = Nginx::start(&folder)?;
    let server = bench.serve(&stored.data)?;
    for _ in 0..bench.runs {
        let mine = load::run(&target(&server)?, CONNECTIONS, bench.length, &mut ours)?;
        let other = load::run(
            &load::Target { authority: files.authority.clone(), header: String::new() },
            CONNECTIONS,
            bench.length,
            &mut theirs,
        )?;
        if mine.errors + other.errors > 0 {
            bail!("{} and {} answers were wrong", mine.errors, other.errors);
        }
        figures.push(mine.rate() / other.rate());
        rates.push(other.rate());
    }
    server.stop()?;
    files.stop()?;
    Ok(Row {
        name: "nginx",
        what: "reads, as a share of nginx serving the same bytes as files",
        goal: "0.4",
        figures,
        unit: "",
        also: format!("nginx {}/s", middle(&rates)),
    })
}

fn search(bench: &mut Bench) -> anyhow::Result<Row> {
    let stored = data::stored(&bench.binary, &bench.work, bench.stored)?;
    let samples = seen(bench, &stored)?;
    let paths = samples.observed.iter().map(|(subject, code)| latest(subject, code));
    // An answer holds one observation at least; its instant and links may differ by some bytes.
    let mut work = Gets::new(paths, (500, 64), CONNECTIONS, bench.random.fork());
    let measured = measure_server(bench, &stored.data, &mut work)?;
    Ok(Row {
        name: "search",
        what: "`Observation?patient=&code=&_sort=-date&_count=20`, 64 connections",
        goal: "6,000/s, p99 15 ms",
        figures: measured.rates,
        unit: "/s",
        also: format!("{}; {} stored", measured.also, stored.count),
    })
}

fn creates(bench: &mut Bench) -> anyhow::Result<Row> {
    let stored = data::stored(&bench.binary, &bench.work, bench.stored)?;
    let samples = seen(bench, &stored)?;
    let subjects = samples.observed.iter().map(|(subject, _)| subject.as_str()).collect();
    let mut work = Creates::new(subjects, bench.random.fork());
    let measured = measure_server(bench, &stored.data, &mut work)?;
    let written = number(measured.written, " B");
    let limit = measured.rates.iter().sum::<f64>()
        / as_f64(u64::try_from(measured.rates.len())?)
        / LOG_STRUCTURED;
    Ok(Row {
        name: "creates",
        what: "single creates over HTTP, 64 clients, each durable",
        goal: "5,000/s, p99 40 ms",
        figures: measured.rates,
        unit: "/s",
        also: format!(
            "{}; {written} written a create; {limit:.2} of the 20,000/s of log-structured engines; {} stored before",
            measured.also, stored.count
        ),
    })
}

/// The rate of the fifth part of a long import as a share of the first's.
fn flat(bench: &mut Bench) -> anyhow::Result<Row> {
    const PARTS: u64 = 5;
    let mark = bench.work.join(GROWN_MARK);
    if mark.is_file() {
        fs::remove_file(&mark)?;
    }
    let folder = bench.fresh(GROWN)?;
    let (mut rates, mut observed) = (Vec::new(), Vec::new());
    for part in 1..=PARTS {
        let source = bench.work.join(format!("generated-{}-{part}.ndjson", bench.flat / PARTS));
        let count = data::generate(&bench.binary, &source, bench.flat / PARTS, part)?;
        let took = data::import(&bench.binary, &source, &folder, &[])?;
        rates.push(as_f64(count) / took.as_secs_f64());
        println!(
            "part {part}: {count} resources, {}/s",
            number(as_f64(count) / took.as_secs_f64(), "")
        );
        let part = data::Stored { data: folder.clone(), source, count };
        observed.extend(data::sample(&part, &mut bench.random)?.observed);
        fs::remove_file(part.source)?;
    }
    fs::write(mark, serde_json::to_vec(&observed)?)?;
    let (first, last) = rates.first().zip(rates.last()).context("no parts")?;
    let all: Vec<String> = rates.iter().map(|rate| number(*rate, "")).collect();
    Ok(Row {
        name: "flat",
        what: "import rate of the fifth part of generated resources as a share of the first's",
        goal: "0.8",
        figures: vec![last / first],
        unit: "",
        also: format!("{} resources in 5 parts: {} a second", bench.flat, all.join(", ")),
    })
}

/// The search on the store of the long import, as a share of the search on the smaller one.
fn grown(bench: &mut Bench) -> anyhow::Result<Row> {
    let stored = data::stored(&bench.binary, &bench.work, bench.stored)?;
    let mark = bench.work.join(GROWN_MARK);
    if !mark.is_file() {
        flat(bench)?;
    }
    let observed: Vec<(String, String)> = serde_json::from_slice(&fs::read(&mark)?)?;
    let samples = seen(bench, &stored)?;
    let work = |bench: &mut Bench, observed: &[(String, String)]| {
        let paths = observed.iter().map(|(subject, code)| latest(subject, code));
        Gets::new(paths, (500, 64), CONNECTIONS, bench.random.fork())
    };
    let mut few = work(bench, &samples.observed);
    let mut many = work(bench, &observed);
    let (small, large) = (bench.serve(&stored.data)?, bench.serve(&bench.work.join(GROWN))?);
    let count = count_all(&large)?;
    let (mut figures, mut rates, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    // The first turn warms both.
    for turn in 0..=bench.runs {
        // In turns, so that what else the machine does hits both alike.
        let one = load::run(&target(&small)?, CONNECTIONS, bench.length, &mut few)?;
        let five = load::run(&target(&large)?, CONNECTIONS, bench.length, &mut many)?;
        if one.errors + five.errors > 0 {
            bail!("{} and {} answers were wrong", one.errors, five.errors);
        }
        if turn > 0 {
            figures.push(five.rate() / one.rate());
            rates.push(five.rate());
            p99.push(five.ms(990));
        }
    }
    small.stop()?;
    large.stop()?;
    Ok(Row {
        name: "grown",
        what: "that search on the store of the long import, as a share of the rate above",
        goal: "0.85",
        figures,
        unit: "",
        also: format!("{}/s, p99 {} ms; {count} stored", middle(&rates), middle(&p99)),
    })
}

/// Reads with guard, labels and encryption, as a share of those without, in turns.
fn guarded(bench: &mut Bench) -> anyhow::Result<Row> {
    let stored = data::stored(&bench.binary, &bench.work, bench.stored)?;
    let plain = data::plain(&bench.binary, &bench.work, &stored)?;
    let samples = seen(bench, &stored)?;
    let paths = || samples.records.iter().map(|record| format!("/fhir/{record}"));
    let mut asked = Gets::new(paths(), (50, 64), CONNECTIONS, bench.random.fork());
    let mut open = Gets::new(paths(), (50, 64), CONNECTIONS, bench.random.fork());
    let (with, without) = (bench.serve(&stored.data)?, bench.serve_open(&plain)?);
    let (mut figures, mut rates, mut p99) = (Vec::new(), Vec::new(), Vec::new());
    // The first turn warms both.
    for turn in 0..=bench.runs {
        let one = load::run(&target(&with)?, CONNECTIONS, bench.length, &mut asked)?;
        let other = load::run(&target(&without)?, CONNECTIONS, bench.length, &mut open)?;
        if one.errors + other.errors > 0 {
            bail!("{} and {} answers were wrong", one.errors, other.errors);
        }
        if turn > 0 {
            figures.push(one.rate() / other.rate());
            rates.push(one.rate());
            p99.push(one.ms(990));
        }
    }
    with.stop()?;
    without.stop()?;
    Ok(Row {
        name: "guarded",
        what: "reads with guard and encryption on, as a share of those with both off; the access log is on in both",
        goal: "0.8",
        figures,
        unit: "",
        also: format!("{}/s, p99 {} ms with both on", middle(&rates), middle(&p99)),
    })
}

/// The import with labels and encryption, as a share of that without, in turns.
fn guarded_import(bench: &mut Bench) -> anyhow::Result<Row> {
    let stored = data::stored(&bench.binary, &bench.work, bench.stored)?;
    let (mut figures, mut rates) = (Vec::new(), Vec::new());
    for _ in 0..bench.runs.min(3) {
        let folder = bench.fresh("guarded-import")?;
        let with = data::import(&bench.binary, &stored.source, &folder, &[])?;
        let folder = bench.fresh("guarded-import")?;
        let without = data::import(&bench.binary, &stored.source, &folder, data::PLAIN)?;
        figures.push(without.as_secs_f64() / with.as_secs_f64());
        rates.push(as_f64(stored.count) / with.as_secs_f64());
    }
    Ok(Row {
        name: "guarded-import",
        what: "rate of the import of generated resources with labels and encryption on, as a share of that with both off",
        goal: "0.75",
        figures,
        unit: "",
        also: format!("{}/s with both on", middle(&rates)),
    })
}

/// Samples of a store that the guard shows: a few records lie behind walls, for a service too.
pub(super) fn seen(bench: &mut Bench, stored: &data::Stored) -> anyhow::Result<data::Samples> {
    let mut samples = data::sample(stored, &mut bench.random)?;
    let server = bench.serve(&stored.data)?;
    let mut http = server.http()?;
    let all = samples.records.len();
    let mut shown = Vec::with_capacity(all);
    for record in samples.records {
        if http.get(&record)?.status == 200 {
            shown.push(record);
        }
    }
    server.stop()?;
    if shown.len() * 100 < all * 98 {
        bail!("the guard shows {} of {all} records", shown.len());
    }
    samples.records = shown;
    Ok(samples)
}

/// Rates of several runs against one server, and what is said of all of them.
struct Measured {
    rates: Vec<f64>,
    also: String,
    /// Bytes the server wrote to the disk, a request.
    written: f64,
}

fn measure_server(bench: &Bench, folder: &Path, work: &mut dyn Work) -> anyhow::Result<Measured> {
    let server = bench.serve(folder)?;
    let at = &target(&server)?;
    // What a cold cache costs is another question.
    load::run(at, CONNECTIONS, bench.length / 4, work)?;
    let mut outcomes: Vec<Outcome> = Vec::new();
    let (cpu, bytes) = (machine::cpu_time(server.id())?, machine::bytes_written(server.id())?);
    for _ in 0..bench.runs {
        let outcome = load::run(at, CONNECTIONS, bench.length, work)?;
        let errors = outcome.errors;
        println!(
            "{}/s, p50 {:.2} p99 {:.2} p999 {:.2} ms, {errors} errors, driver {:.1} µs a request",
            number(outcome.rate(), ""),
            outcome.ms(500),
            outcome.ms(990),
            outcome.ms(999),
            outcome.driver_cpu.as_secs_f64() * 1e6,
        );
        if errors > 0 {
            bail!("{errors} of {} answers were wrong", outcome.requests);
        }
        outcomes.push(outcome);
    }
    let cpu = machine::cpu_time(server.id())?.saturating_sub(cpu);
    let bytes = machine::bytes_written(server.id())?.saturating_sub(bytes);
    server.stop()?;
    let requests = as_f64(outcomes.iter().map(|outcome| outcome.requests).sum());
    let quantile =
        |thousandths| middle(&outcomes.iter().map(|o| o.ms(thousandths)).collect::<Vec<_>>());
    let driver: Vec<f64> = outcomes.iter().map(|o| o.driver_cpu.as_secs_f64() * 1e6).collect();
    let also = format!(
        "p50 {} p99 {} p999 {} ms; processor a request: server {:.0} µs, driver {} µs",
        quantile(500),
        quantile(990),
        quantile(999),
        cpu.as_secs_f64() * 1e6 / requests,
        middle(&driver),
    );
    let rates = outcomes.iter().map(Outcome::rate).collect();
    Ok(Measured { rates, also, written: as_f64(bytes) / requests })
}

fn middle(figures: &[f64]) -> String {
    number(middle_of(figures), "")
}

/// The middle one.
pub(super) fn middle_of(figures: &[f64]) -> f64 {
    let mut sorted = figures.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

/// A bundle and how many entries it has.
fn counted(bundle: Vec<u8>) -> anyhow::Result<(Vec<u8>, u64)> {
    let value: serde_json::Value = serde_json::from_slice(&bundle)?;
    let entries = value.get("entry").and_then(|entry| entry.as_array()).map_or(0, Vec::len);
    Ok((bundle, u64::try_from(entries)?))
}

/// Records of all types, by asking for each type the server says it has.
fn count_all(server: &Server) -> anyhow::Result<u64> {
    let mut http = server.http()?;
    let bundle = http.get("?_summary=count")?.ok()?.json()?;
    bundle.get("total").and_then(serde_json::Value::as_u64).context("no total of all types")
}
