//! The demo clinic's way into a data folder. A mark in the folder says whose records these are, so
//! the demo is never mixed with anybody's real ones.

use crate::import::pipeline::{self, Meter, Plan};
use crate::import::source::{FileKey, Item};
use crate::opening;
use crate::progress::grouped;
use ::demo::{Clinic, Options};
use anyhow::{Context as _, bail};
use base::Clock as _;
use base::time::SystemClock;
use fhir::definitions::r4;
use record::Record;
use std::fs;
use std::io::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

const MARK: &str = "demo";
const SEED: u64 = 1;

/// Loads the demo clinic, unless the folder holds it already. Answers the clinic that is there.
///
/// `fed` counts the patients that were handed on.
pub(crate) fn load(
    record: &Record,
    data: &Path,
    patients: u64,
    fed: &AtomicU64,
) -> anyhow::Result<Clinic> {
    let mark = data.join(MARK);
    let told = fs::read_to_string(&mark).unwrap_or_default();
    if told.trim() == "loaded" {
        // It may have been made with another number of patients.
        let live = record.store_stats().live.into_iter();
        let there =
            live.filter(|(of, _)| r4().name(*of) == "Patient").map(|(_, count)| count).sum();
        return Ok(Clinic::new(Options::at(there, SEED, SystemClock.now())));
    }
    let empty = record.store_stats().live.iter().all(|(_, count)| *count == 0);
    if !empty && told.is_empty() {
        bail!(
            "{} holds records that are not the demo's; name another folder by --data",
            data.display()
        );
    }
    fs::write(&mark, "loading\n").with_context(|| format!("cannot write {}", mark.display()))?;
    let clinic = Clinic::new(Options::at(patients, SEED, SystemClock.now()));
    let threads = std::thread::available_parallelism().map_or(2, usize::from);
    let folder = data.join("import");
    let plan = Plan { keep_going: false, threads, folder, disk_bytes: 0, journal: false };
    let started = std::time::Instant::now();
    let file = Arc::new(FileKey { path: String::new(), bytes: 0, changed_ms: 0 });
    let receipt =
        pipeline::run(&opening::session(record), &plan, &Meter::default(), &mut |sink| {
            let (mut ordinal, mut open) = (0, true);
            let mut each = |resource_type: &'static str, id: &str, json: &str| {
                let (file, place) = (Arc::clone(&file), format!("demo/{resource_type}/{id}"));
                let text = json.as_bytes().to_vec();
                open = open && sink(Item { file, ordinal, place, text });
                ordinal += 1;
            };
            clinic.shared_into(&mut each);
            for patient in 0..clinic.patients() {
                clinic.patient_into(patient, &mut each);
                fed.store(patient + 1, Ordering::Relaxed);
            }
            Ok(())
        })?;
    if !receipt.is_clean() {
        bail!("the demo clinic was refused:\n{}", receipt.text(started.elapsed()));
    }
    fs::write(&mark, "loaded\n")?;
    let (all, took) = (grouped(receipt.resources()), started.elapsed());
    writeln!(
        std::io::stderr(),
        "made the demo clinic: {patients} patients, {all} resources in {}.{:03} s",
        took.as_secs(),
        took.subsec_millis()
    )?;
    Ok(clinic)
}
