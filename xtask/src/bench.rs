//! `cargo xtask bench`: the figures of BENCHMARKS.md, measured on the release binary over loopback in
//! its durable mode, with the disk's sync rate in the same run. Each figure is the median of several
//! runs, stated with the lowest and the highest.

mod cases;
mod data;
mod desk;
mod histogram;
mod load;
mod machine;
mod nginx;
mod parts;
mod report;
mod work;

use crate::{Command, root};
use anyhow::{Context, bail};
use cases::CASES;
use conformance::process::{Server, Start, build};
use conformance::random::Random;
use report::Row;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// The row of this command in the table of commands.
pub(crate) const COMMAND: Command = Command {
    name: "bench",
    usage: "[names] [--runs N] [--seconds S] [--stored N] [--flat N] [--patients N] [--seed S] [--work DIR] [--binary FILE] [--write]",
    about: "measure the release binary; with --write put the rows into BENCHMARKS.md",
    run,
};

const PAGE: &str = "BENCHMARKS.md";

/// How to measure.
#[derive(Debug)]
struct Bench {
    binary: PathBuf,
    /// Where stores are kept between calls.
    work: PathBuf,
    runs: usize,
    length: Duration,
    /// Resources in the store for reads, searches and creates.
    stored: u64,
    /// Resources of the long import.
    flat: u64,
    /// Patients of the clinic that the desk is measured on.
    patients: u64,
    random: Random,
}

fn run(words: &[String]) -> anyhow::Result<()> {
    let mut bench = Bench {
        binary: PathBuf::new(),
        work: std::env::temp_dir().join("plummer-bench"),
        runs: 5,
        length: Duration::from_secs(10),
        stored: 1_000_000,
        flat: 5_000_000,
        patients: 1_000_000,
        random: Random::new(1),
    };
    let (mut names, mut write) = (Vec::new(), false);
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        let mut value = || rest.next().with_context(|| format!("{word} needs a value"));
        match word.as_str() {
            "--runs" => bench.runs = value()?.parse()?,
            "--seconds" => bench.length = Duration::from_secs(value()?.parse()?),
            "--stored" => bench.stored = value()?.parse()?,
            "--flat" => bench.flat = value()?.parse()?,
            "--patients" => bench.patients = value()?.parse()?,
            "--seed" => bench.random = Random::new(value()?.parse()?),
            "--work" => bench.work = value()?.into(),
            "--binary" => bench.binary = value()?.into(),
            "--write" => write = true,
            name if CASES.iter().any(|case| case.name == name) => names.push(name),
            name if desk::is_name(name) => names.push(name),
            other => bail!("no bench `{other}`; there are {}, {}", cases::names(), desk::NAME),
        }
    }
    if bench.runs == 0 || bench.patients == 0 {
        bail!("no runs and no patients, no figures");
    }
    fs::create_dir_all(&bench.work)?;
    bench.work = bench.work.canonicalize()?;
    if bench.binary.as_os_str().is_empty() {
        bench.binary = build(&root(), "plummer", &["--release"])?;
    }
    let (append, overwrite) = machine::sync_rates(&bench.work)?;
    let sync = format!("fdatasync {append:.0}/s appending, {overwrite:.0}/s overwriting 4 KiB");
    println!("{}\n{sync}\n", machine::describe()?);
    let mut rows = Vec::new();
    for case in CASES.iter().filter(|case| names.is_empty() || names.contains(&case.name)) {
        println!("== {}", case.name);
        match (case.run)(&mut bench) {
            Ok(row) => {
                println!(
                    "{}: {} ({})\n",
                    row.what,
                    report::number(row.median(), row.unit),
                    row.also
                );
                rows.push(row);
            }
            // One that cannot run here must not cost the figures of the others.
            Err(error) => println!("{} was not measured: {error:#}\n", case.name),
        }
    }
    if names.is_empty() || names.iter().any(|name| desk::is_name(name)) {
        match desk::run(&mut bench, &names) {
            Ok(measured) => rows.extend(measured),
            Err(error) => println!("the desk was not measured: {error:#}\n"),
        }
    }
    // Where the stores and the binary lay says nothing to whoever repeats it.
    let mut asked = String::new();
    let mut rest = words.iter();
    while let Some(word) = rest.next() {
        if matches!(word.as_str(), "--work" | "--binary") {
            rest.next();
        } else {
            asked.push(' ');
            asked.push_str(word);
        }
    }
    let when = format!(
        "{}, {}, {sync}, commit {}, `cargo xtask bench{asked}`",
        machine::today()?,
        machine::describe()?,
        machine::commit(),
    );
    finish(&rows, &when, write)
}

fn finish(rows: &[Row], when: &str, write: bool) -> anyhow::Result<()> {
    let path = root().join(PAGE);
    let page = report::put(&fs::read_to_string(&path).context(PAGE)?, rows, when)?;
    if write {
        fs::write(path, page)?;
        println!("wrote {} rows into {PAGE}", rows.len());
    }
    if rows.is_empty() {
        bail!("nothing was measured");
    }
    Ok(())
}

impl Bench {
    /// A server on this folder, in its durable mode, which is the default.
    fn serve(&self, data: &Path) -> anyhow::Result<Server> {
        let start = Start { binary: &self.binary, data, words: &[], environment: &[] };
        Server::start(&start)
    }

    /// A server that asks nobody who they are.
    fn serve_open(&self, data: &Path) -> anyhow::Result<Server> {
        // What was imported without labels is to stay without them.
        let off = |name| (name, "off".into());
        let environment = [off("PLUMMER_GUARD"), off("PLUMMER_LABELLING")];
        let start = Start { binary: &self.binary, data, words: &[], environment: &environment };
        Server::start(&start)
    }

    /// An empty folder of this name.
    fn fresh(&self, name: &str) -> anyhow::Result<PathBuf> {
        let data = self.work.join(name);
        if data.is_dir() {
            fs::remove_dir_all(&data)?;
        }
        Ok(data)
    }
}

/// Where a server is, and what it wants to be told with every request.
fn target(server: &Server) -> anyhow::Result<load::Target> {
    let rest = server.url().strip_prefix("http://").context("an address")?;
    let authority = rest.split('/').next().unwrap_or(rest).to_owned();
    let header = server.token().map(|token| format!("authorization: Bearer {token}\r\n"));
    Ok(load::Target { authority, header: header.unwrap_or_default() })
}
