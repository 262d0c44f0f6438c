//! What the benches work on: stores of generated resources, kept between calls since filling them
//! takes long, and samples of their ids and values, drawn anew each time.

use anyhow::{Context, bail};
use conformance::random::Random;
use serde_json::Value;
use std::fs::{self, File};
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

/// Resources of one generated patient, about; it decides how many are generated, not what is counted.
const PER_PATIENT: u64 = 115;
/// Samples to draw; enough that a run seldom asks the same twice.
pub(super) const SAMPLES: usize = 50_000;

/// A store with generated resources.
#[derive(Debug)]
pub(super) struct Stored {
    pub(super) data: PathBuf,
    pub(super) source: PathBuf,
    pub(super) count: u64,
}

/// Things that are stored, to ask for.
#[derive(Debug, Default)]
pub(super) struct Samples {
    /// `Type/id`.
    pub(super) records: Vec<String>,
    /// The reference of an observation's subject, and its `system|code`.
    pub(super) observed: Vec<(String, String)>,
}

/// Generates about this many resources into one file; tells how many there are.
pub(super) fn generate(binary: &Path, file: &Path, about: u64, seed: u64) -> anyhow::Result<u64> {
    if !file.is_file() {
        let part = file.with_extension("part");
        let patients = (about / PER_PATIENT).max(1).to_string();
        let done = Command::new(binary)
            .args(["generate", "--patients", &patients, "--seed", &seed.to_string(), "--out", "-"])
            .stdout(File::create(&part)?)
            .stderr(Stdio::null())
            .status()
            .context("generate did not start")?;
        if !done.success() {
            bail!("generate ended with {done}");
        }
        fs::rename(part, file)?;
    }
    lines(file)
}

/// Generates about this many resources into a folder, one file for each type.
pub(super) fn generate_types(binary: &Path, work: &Path, about: u64) -> anyhow::Result<PathBuf> {
    let folder = work.join(format!("generated-types-{about}"));
    if !folder.is_dir() {
        let part = folder.with_extension("part");
        let patients = (about / PER_PATIENT).max(1).to_string();
        let done = Command::new(binary)
            .args(["generate", "--patients", &patients, "--out"])
            .arg(&part)
            .stderr(Stdio::null())
            .status()
            .context("generate did not start")?;
        if !done.success() {
            bail!("generate ended with {done}");
        }
        fs::rename(part, &folder)?;
    }
    Ok(folder)
}

/// Lines of a file.
pub(super) fn lines(file: &Path) -> anyhow::Result<u64> {
    let mut count = 0;
    for_lines(file, |_| count += 1)?;
    Ok(count)
}

/// The words of a command that leave labels and encryption out.
pub(super) const PLAIN: &[&str] = &["--encryption", "off", "--labelling", "off"];

/// Imports a file or folder; tells how long it took, the process's start and end included.
pub(super) fn import(
    binary: &Path,
    source: &Path,
    data: &Path,
    words: &[&str],
) -> anyhow::Result<Duration> {
    let began = Instant::now();
    let output = Command::new(binary)
        .arg("import")
        .arg(source)
        .arg("--data")
        .arg(data)
        .args(words)
        .stdin(Stdio::null())
        .output()
        .context("import did not start")?;
    if !output.status.success() {
        let said = String::from_utf8_lossy(&output.stderr);
        let tail: Vec<&str> = said.lines().rev().take(5).collect();
        bail!("import ended with {}: {}", output.status, tail.join(" / "));
    }
    Ok(began.elapsed())
}

/// A store of about this many resources, made if it is not there.
pub(super) fn stored(binary: &Path, work: &Path, about: u64) -> anyhow::Result<Stored> {
    let source = work.join(format!("generated-{about}.ndjson"));
    let data = work.join(format!("stored-{about}"));
    let mark = work.join(format!("stored-{about}.done"));
    let count = generate(binary, &source, about, 1)?;
    if !mark.is_file() {
        if data.is_dir() {
            fs::remove_dir_all(&data)?;
        }
        let took = import(binary, &source, &data, &[])?;
        println!("stored {count} resources in {:.0} s", took.as_secs_f64());
        fs::write(mark, "")?;
    }
    Ok(Stored { data, source, count })
}

/// The same records in a store without labels and encryption, made if it is not there.
pub(super) fn plain(binary: &Path, work: &Path, stored: &Stored) -> anyhow::Result<PathBuf> {
    let name = stored.data.file_name().and_then(|name| name.to_str()).context("a name")?;
    let (data, mark) =
        (work.join(format!("{name}-plain")), work.join(format!("{name}-plain.done")));
    if !mark.is_file() {
        if data.is_dir() {
            fs::remove_dir_all(&data)?;
        }
        import(binary, &stored.source, &data, PLAIN)?;
        fs::write(mark, "")?;
    }
    Ok(data)
}

/// Draws samples evenly from the file a store was filled from.
pub(super) fn sample(stored: &Stored, random: &mut Random) -> anyhow::Result<Samples> {
    let every = (stored.count / u64::try_from(SAMPLES)?).max(1);
    let mut samples = Samples::default();
    let mut failed = None;
    for_lines(&stored.source, |line| {
        if failed.is_none() && random.once_in(every) {
            failed = samples.take(line).err();
        }
    })?;
    match failed {
        Some(error) => Err(error),
        None if samples.records.is_empty() || samples.observed.is_empty() => bail!("no samples"),
        None => Ok(samples),
    }
}

impl Samples {
    fn take(&mut self, line: &[u8]) -> anyhow::Result<()> {
        let resource: Value = serde_json::from_slice(line)?;
        let text = |path: &str| resource.pointer(path).and_then(Value::as_str);
        let (Some(kind), Some(id)) = (text("/resourceType"), text("/id")) else {
            bail!("a generated resource without type and id");
        };
        self.records.push(format!("{kind}/{id}"));
        let coding = (text("/code/coding/0/system"), text("/code/coding/0/code"));
        if let ("Observation", Some(subject), (Some(system), Some(code))) =
            (kind, text("/subject/reference"), coding)
        {
            self.observed.push((subject.to_owned(), format!("{system}|{code}")));
        }
        Ok(())
    }
}

/// The bundles of the 120 patients, as bytes.
#[derive(Debug, Default)]
pub(super) struct Bundles {
    /// Those the others refer to.
    pub(super) first: Vec<Vec<u8>>,
    pub(super) others: Vec<Vec<u8>>,
}

/// Unpacks the bundles of the 120 patients.
pub(super) fn bundles(work: &Path) -> anyhow::Result<Bundles> {
    let archive =
        conformance::data(conformance::PATIENTS).context("the 120 patients are needed")?;
    let folder = work.join("patients");
    if !folder.is_dir() {
        let part = work.join("patients.part");
        fs::create_dir_all(&part)?;
        let done = Command::new("tar")
            .arg("--zstd")
            .arg("-xf")
            .arg(archive)
            .arg("-C")
            .arg(&part)
            .status()?;
        if !done.success() {
            bail!("tar ended with {done}");
        }
        fs::rename(part, &folder)?;
    }
    let mut bundles = Bundles::default();
    let mut files = Vec::new();
    for entry in fs::read_dir(&folder)? {
        for file in fs::read_dir(entry?.path())? {
            files.push(file?.path());
        }
    }
    files.sort();
    for file in files {
        let leads = file.file_name().is_some_and(|name| name.to_string_lossy().starts_with("0-"));
        let part = if leads { &mut bundles.first } else { &mut bundles.others };
        part.push(fs::read(&file)?);
    }
    Ok(bundles)
}

fn for_lines(file: &Path, mut each: impl FnMut(&[u8])) -> anyhow::Result<()> {
    let mut reader = BufReader::with_capacity(1 << 20, File::open(file)?);
    let mut line = Vec::new();
    while reader.read_until(b'\n', &mut line)? > 0 {
        each(&line);
        line.clear();
    }
    Ok(())
}
