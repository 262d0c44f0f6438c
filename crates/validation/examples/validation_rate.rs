//! Measures validation: `cargo run --release -p validation --example validation_rate -- FILE…` with JSON files,
//! one resource or bundle each. Prints the rate of parsing and of validating, and what was refused.

use base::{Limits, Severity};
use fhir::Document;
use std::collections::BTreeMap;
use std::time::{Duration, Instant};
use validation::{Options, validate};

#[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "a tool that prints figures")]
fn main() -> Result<(), Box<dyn std::error::Error>> {
    let limits = Limits::default();
    let (mut files, mut resources, mut bytes) = (0_u32, 0_u32, 0_usize);
    let (mut parsing, mut validating) = (Duration::ZERO, Duration::ZERO);
    let mut refused: BTreeMap<String, u32> = BTreeMap::new();
    for path in std::env::args_os().skip(1) {
        let text = std::fs::read(&path)?;
        bytes += text.len();
        let start = Instant::now();
        let document = Document::parse(text, &limits);
        parsing += start.elapsed();
        let Ok(document) = document else {
            *refused.entry("not JSON".to_owned()).or_default() += 1;
            continue;
        };
        files += 1;
        let entries = document.root().get("entry").map_or(0, |e| e.items().count());
        resources += u32::try_from(entries.max(1))?;
        let mut issues = Vec::new();
        // The best of five: the machine has other things to do.
        validating += (0..5)
            .map(|_| {
                let start = Instant::now();
                issues = validate(document.root(), &Options::default());
                start.elapsed()
            })
            .min()
            .unwrap_or_default();
        for issue in issues.iter().filter(|i| i.severity >= Severity::Error) {
            let place = issue.expression.as_deref().unwrap_or_default();
            let line = format!("{} at {place}: {}", issue.code.name, issue.diagnostics);
            *refused.entry(line).or_default() += 1;
        }
    }
    for (line, count) in &refused {
        println!("{count:6}  {line}");
    }
    let megabytes = bytes as f64 / 1e6;
    println!("{files} files, {resources} resources, {megabytes:.1} MB");
    for (what, time) in [("parse", parsing), ("validate", validating)] {
        let each = time.as_secs_f64() * 1e6 / f64::from(resources.max(1));
        println!("{what}: {each:.2} µs/resource, {:.0} MB/s", megabytes / time.as_secs_f64());
    }
    Ok(())
}
