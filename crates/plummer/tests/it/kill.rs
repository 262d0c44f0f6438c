//! An import that is killed goes on where it was, and loses nothing.

use crate::run::Place;
use base::Limits;
use fhir::Document;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn a_killed_import_goes_on_where_it_was() {
    // On a busy machine a small clinic can be in before anybody looks; then a larger one is tried.
    let (place, total) = [60, 240, 960]
        .into_iter()
        .find_map(killed_import)
        .expect("each of the imports ended before it could be killed");

    let said = place.run(&["import", "clinic", "--receipt", "receipt.json"]);
    assert!(said.ok, "{said:?}");
    let text = std::fs::read_to_string(place.path("receipt.json")).unwrap();
    let receipt = Document::parse_text(text, &Limits::default()).unwrap();
    let number = |name: &str| -> usize { receipt.root().get(name).unwrap().raw().parse().unwrap() };
    assert!(number("resumed_documents") > 0);
    assert_eq!(number("resumed_documents") + number("resources"), total);

    let out = place.run(&["export", "out"]);
    assert!(out.out.starts_with(&grouped(total)), "{out:?}");
    let verified = place.run(&["audit", "verify"]);
    assert!(verified.ok, "{verified:?}");
}

/// A folder in which the import of that many patients was killed after its first commit, and how
/// many resources there are to import; nothing if the import ended first.
#[expect(clippy::unwrap_used, reason = "it is a part of the test above")]
fn killed_import(patients: usize) -> Option<(Place, usize)> {
    let place = Place::new();
    let patients = patients.to_string();
    let args = ["generate", "--patients", &patients, "--today", "2026-03-02", "--out", "clinic"];
    assert!(place.run(&args).ok);
    let total: usize = std::fs::read_dir(place.path("clinic"))
        .unwrap()
        .map(|file| std::fs::read_to_string(file.unwrap().path()).unwrap().lines().count())
        .sum();
    let mut child = place
        .command(&["import", "clinic", "--data", "data"])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let journal = place.path("data/import/journal");
    let begun = Instant::now();
    while std::fs::metadata(&journal).map_or(0, |meta| meta.len()) == 0 {
        assert!(begun.elapsed() < Duration::from_secs(60), "no commit in a minute");
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "the import failed: {status}");
            return None;
        }
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    // It may have ended between the look and the signal.
    (!child.wait().unwrap().success()).then_some((place, total))
}

/// `12,345`
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let (head, tail) = digits.split_at(digits.len().saturating_sub(3));
    if head.is_empty() { tail.to_owned() } else { format!("{head},{tail}") }
}
