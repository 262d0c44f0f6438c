//! `plummer generate`: a synthetic clinic as NDJSON. Equal seeds, patients and days give equal bytes.

use crate::cli::Generate;
use crate::progress::{Progress, Step};
use anyhow::{Context as _, bail};
use base::Clock as _;
use base::time::SystemClock;
use demo::{Clinic, Options};
use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::ExitCode;

const BUFFER_BYTES: usize = 1 << 18;

/// Writes the clinic.
pub(crate) fn run(args: &Generate) -> anyhow::Result<ExitCode> {
    let clinic = Clinic::new(options(args)?);
    let mut progress = Progress::begin("generating", "resources");
    if args.out == Path::new("-") {
        let stdout = std::io::stdout().lock();
        let mut out = BufWriter::with_capacity(BUFFER_BYTES, stdout);
        write(&clinic, &mut progress, &mut |_, json| {
            out.write_all(json.as_bytes())?;
            out.write_all(b"\n")
        })?;
        out.flush()?;
        return Ok(ExitCode::SUCCESS);
    }
    std::fs::create_dir_all(&args.out)
        .with_context(|| format!("cannot make {}", args.out.display()))?;
    let mut files: BTreeMap<&'static str, BufWriter<File>> = BTreeMap::new();
    let count = write(&clinic, &mut progress, &mut |resource_type, json| {
        let file = match files.get_mut(resource_type) {
            Some(file) => file,
            None => {
                let path = args.out.join(format!("{resource_type}.ndjson"));
                let file = BufWriter::with_capacity(BUFFER_BYTES, File::create(path)?);
                files.entry(resource_type).or_insert(file)
            }
        };
        file.write_all(json.as_bytes())?;
        file.write_all(b"\n")
    })?;
    for file in files.values_mut() {
        file.flush()?;
    }
    let ms = progress.elapsed().as_millis();
    writeln!(std::io::stderr(), "{count} resources of {} patients in {ms} ms", args.patients)?;
    Ok(ExitCode::SUCCESS)
}

type Sink<'s> = &'s mut dyn FnMut(&'static str, &str) -> std::io::Result<()>;

fn write(clinic: &Clinic, progress: &mut Progress, sink: Sink<'_>) -> anyhow::Result<u64> {
    let (mut count, mut failed) = (0, None);
    let mut each = |resource_type: &'static str, _: &str, json: &str| {
        count += 1;
        if failed.is_none() {
            failed = sink(resource_type, json).err();
        }
    };
    clinic.shared_into(&mut each);
    for patient in 0..clinic.patients() {
        clinic.patient_into(patient, &mut each);
        if patient % 64 == 0 {
            let step = Step { count: 0, done: patient, all: clinic.patients() };
            progress.step(step);
        }
    }
    progress.end();
    match failed {
        Some(error) => Err(error).context("cannot write the resources"),
        None => Ok(count),
    }
}

fn options(args: &Generate) -> anyhow::Result<Options> {
    let Some(today) = &args.today else {
        return Ok(Options::at(args.patients, args.seed, SystemClock.now()));
    };
    let parts: Vec<i64> = today.split('-').filter_map(|part| part.parse().ok()).collect();
    match parts.as_slice() {
        [year, month, day] if fhir::date::is_date(today) => {
            Ok(Options::new(args.patients, args.seed, (*year, *month, *day)))
        }
        _ => bail!("--today {today}: a day is written YYYY-MM-DD"),
    }
}
