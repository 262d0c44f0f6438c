//! Extraction's rate: median microseconds, and entries, of a resource, over the Synthea bundles of the shared
//! data, by type. `cargo run --release -p search --example search_rate`; `PLUMMER_TEST_DATA` says where the
//! data is.

#![expect(clippy::print_stdout, reason = "an example prints what it measured")]

use base::Limits;
use fhir::definitions::r4;
use fhir::json::Document;
use search::extract::extract;
use search::registry::registry;
use std::collections::BTreeMap;
use std::error::Error;
use std::io::Read;
use std::time::Instant;

#[derive(Default)]
struct Sum {
    resources: u32,
    bytes: usize,
    entries: usize,
    times: Vec<f64>,
}

fn main() -> Result<(), Box<dyn Error>> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let root = std::env::var_os("PLUMMER_TEST_DATA").unwrap_or_else(|| beside.into());
    let path = std::path::PathBuf::from(root).join("synthea/synthea-r4-uscore-120p.tar.zst");
    let mut archive = tar::Archive::new(zstd::Decoder::new(std::fs::File::open(path)?)?);
    let mut sums: BTreeMap<String, Sum> = BTreeMap::new();
    let mut documents = Vec::new();
    for file in archive.entries()?.take(30) {
        let mut text = String::new();
        file?.read_to_string(&mut text)?;
        let Ok(bundle) = Document::parse_text(text, &Limits::default()) else { continue };
        for entry in bundle.root().get("entry").into_iter().flat_map(|e| e.items()) {
            let Some(resource) = entry.get("resource") else { continue };
            let text = resource.raw().to_owned();
            documents.push(Document::parse_text(text, &Limits::default())?);
        }
    }
    let begun = Instant::now();
    let atoms = registry().atoms().len();
    println!("registry: {atoms} atoms in {:.1} ms", begun.elapsed().as_secs_f64() * 1e3);
    // The first round compiles the programs.
    for round in 0..2 {
        sums.clear();
        let mut out = Vec::new();
        for document in &documents {
            let root = document.root();
            let name = root.get_str("resourceType").unwrap_or_default();
            let Some(of) = r4().resource_type(&name) else { continue };
            out.clear();
            let begun = Instant::now();
            extract(root, of, &mut out);
            let time = begun.elapsed().as_secs_f64() * 1e6;
            let sum = sums.entry(name.into_owned()).or_default();
            sum.resources += 1;
            sum.bytes += document.text().len();
            sum.entries += out.len();
            sum.times.push(time);
        }
        if round == 0 {
            continue;
        }
        println!(
            "{:<26} {:>9} {:>7} {:>8} {:>8}",
            "type", "resources", "bytes", "entries", "median"
        );
        for (name, sum) in &sums {
            let mut times = sum.times.clone();
            times.sort_by(f64::total_cmp);
            let each = times.get(times.len() / 2).copied().unwrap_or_default();
            let count = usize::try_from(sum.resources)?;
            let (bytes, entries) = (sum.bytes / count, sum.entries / count);
            println!("{name:<26} {count:>9} {bytes:>7} {entries:>8} {each:>8.2}");
        }
    }
    Ok(())
}
