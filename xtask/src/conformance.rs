//! `cargo xtask conformance`: the public suites against a server that runs already, or against our own
//! on a fresh folder with the 120 patients imported. CONFORMANCE.md is the ledger.

use crate::{Command, root};
use anyhow::{Context, bail};
use conformance::http::Http;
use conformance::process::{Server, Start, build, program};
use conformance::searches::{Effort, Expected};
use conformance::{EXAMPLES, PATIENTS, SEARCHES, TEST_DATA, data, examples, ledger, searches};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Instant;

/// The row of this command in the table of commands.
pub(crate) const COMMAND: Command = Command {
    name: "conformance",
    usage: "[--target URL] [--release] [--suite searches|examples] [--accept]",
    about: "run the public suites against a server, or against our own with the 120 patients",
    run,
};

/// The ledger.
const LEDGER: &str = "CONFORMANCE.md";

fn run(words: &[String]) -> anyhow::Result<()> {
    let (mut target, mut suite, mut release, mut accept) = (None, None, false, false);
    let mut words = words.iter();
    while let Some(word) = words.next() {
        match word.as_str() {
            "--target" => target = Some(words.next().context("--target needs an address")?.clone()),
            "--suite" => suite = Some(words.next().context("--suite needs a name")?.clone()),
            "--release" => release = true,
            "--accept" => accept = true,
            other => bail!("unknown word `{other}`"),
        }
    }
    let wanted = |name: &str| suite.as_deref().is_none_or(|suite| suite == name);
    if !wanted("searches") && !wanted("examples") {
        bail!("the suites are searches and examples");
    }
    let mut own = None;
    let http = match &target {
        Some(url) => Http::new(url)?,
        None => own.insert(Own::start(release, wanted("searches"))?).server.http()?,
    };
    let mut wrong = 0;
    if wanted("searches") {
        wrong += run_searches(&http)?;
    }
    if wanted("examples") {
        wrong += run_examples(&mut http.another(), accept)?;
    }
    if let Some(own) = own {
        own.stop()?;
    }
    if wrong > 0 {
        bail!("{wrong} answers are wrong");
    }
    Ok(())
}

/// Our own server on a folder that is thrown away.
struct Own {
    server: Server,
    folder: PathBuf,
}

impl Own {
    fn start(release: bool, patients: bool) -> anyhow::Result<Self> {
        let binary =
            if release { build(&root(), "plummer", &["--release"])? } else { program(&root())? };
        let folder = std::env::temp_dir().join(format!("plummer-suite-{}", std::process::id()));
        let data = folder.join("data");
        fs::create_dir_all(&data)?;
        if patients {
            import(&binary, &data)?;
        }
        // Some examples are Consents that deny others to everybody: a guard would heed them.
        let open = [("PLUMMER_GUARD", "off".into())];
        let environment = if patients { &[] } else { open.as_slice() };
        let start = Start { binary: &binary, data: &data, words: &[], environment };
        Ok(Self { server: Server::start(&start)?, folder })
    }

    fn stop(self) -> anyhow::Result<()> {
        self.server.stop()?;
        Ok(fs::remove_dir_all(&self.folder)?)
    }
}

fn import(binary: &Path, folder: &Path) -> anyhow::Result<()> {
    let began = Instant::now();
    let done = std::process::Command::new(binary)
        .arg("import")
        .arg(shared(PATIENTS)?)
        .arg("--data")
        .arg(folder)
        .status()
        .context("the import did not start")?;
    if !done.success() {
        bail!("the import ended with {done}");
    }
    println!("imported the patients in {:.1} s", began.elapsed().as_secs_f64());
    Ok(())
}

fn run_searches(http: &Http) -> anyhow::Result<usize> {
    let expected = Expected::read(&shared(SEARCHES)?)?;
    let began = Instant::now();
    let report = searches::run(http, &expected, Effort::default());
    println!(
        "searches: {} of {} answers are right, for {} queries in 6 ways and {} patients, in {:.1} s",
        report.asked - report.wrong.len(),
        report.asked,
        expected.queries.len(),
        expected.patients.len(),
        began.elapsed().as_secs_f64(),
    );
    for line in &report.wrong {
        println!("  {line}");
    }
    Ok(report.wrong.len())
}

fn run_examples(http: &mut Http, accept: bool) -> anyhow::Result<usize> {
    let all = examples::read(&shared(EXAMPLES)?)?;
    let report = examples::run(http, &all);
    println!(
        "examples: {} of {} came back as they went, {} were refused, {} are wrong",
        report.kept,
        all.len(),
        report.refused.len(),
        report.wrong.len(),
    );
    for line in &report.wrong {
        println!("  {line}");
    }
    let path = root().join(LEDGER);
    let page = fs::read_to_string(&path).context(LEDGER)?;
    if accept {
        fs::write(&path, ledger::with_rows(&page, &report.refused)?)?;
        println!("wrote the refusals into {LEDGER}; say of each what it breaks");
        return Ok(report.wrong.len());
    }
    let departures = ledger::departures(&ledger::refused(&page)?, &report.refused);
    for line in &departures {
        println!("  {line}");
    }
    Ok(report.wrong.len() + departures.len())
}

fn shared(file: &str) -> anyhow::Result<PathBuf> {
    data(file).with_context(|| format!("{TEST_DATA} does not lead to {file}"))
}
