//! How fast the demo clinic is made, on one core: `cargo run --release -p demo --example demo_rate --
//! 20000`. Prints resources and bytes per second and the counts by type.

use std::collections::BTreeMap;
use std::time::Instant;

use demo::{Clinic, Options};

#[expect(clippy::print_stdout, reason = "printing is what the example is for")]
fn main() {
    let patients = std::env::args().nth(1).and_then(|n| n.parse().ok()).unwrap_or(10_000);
    let clinic = Clinic::new(Options::new(patients, 1, (2026, 11, 23)));
    let mut counts: BTreeMap<&'static str, (u64, u64)> = BTreeMap::new();
    let began = Instant::now();
    let mut count = |kind: &'static str, _: &str, json: &str| {
        let entry = counts.entry(kind).or_default();
        entry.0 += 1;
        entry.1 += u64::try_from(json.len()).unwrap_or(0);
    };
    clinic.shared_into(&mut count);
    for i in 0..patients {
        clinic.patient_into(i, &mut count);
    }
    let seconds = began.elapsed().as_millis().max(1);
    let (resources, bytes) = counts.values().fold((0, 0), |a, c| (a.0 + c.0, a.1 + c.1));
    for (kind, (n, size)) in &counts {
        println!(
            "{kind:24} {n:>10} {:>7.2}/patient {:>6} bytes each",
            ratio(*n, patients),
            size / n
        );
    }
    println!(
        "{resources} resources, {:.1} per patient, {} bytes each; {} ms, {} resources/s",
        ratio(resources, patients),
        bytes / resources.max(1),
        seconds,
        u128::from(resources) * 1000 / seconds
    );
}

#[expect(clippy::cast_precision_loss, reason = "two digits are shown")]
fn ratio(a: u64, b: u64) -> f64 {
    a as f64 / b.max(1) as f64
}
