//! An import that is killed goes on where it was, and loses nothing.

use crate::run::Place;
use base::Limits;
use fhir::Document;
use std::process::Stdio;
use std::time::{Duration, Instant};

#[test]
fn a_killed_import_goes_on_where_it_was() {
    let place = Place::new();
    let args = ["generate", "--patients", "60", "--today", "2026-03-02", "--out", "clinic"];
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
        assert!(child.try_wait().unwrap().is_none(), "it ended before it could be killed");
        std::thread::sleep(Duration::from_millis(2));
    }
    child.kill().unwrap();
    child.wait().unwrap();

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

/// `12,345`
fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let (head, tail) = digits.split_at(digits.len().saturating_sub(3));
    if head.is_empty() { tail.to_owned() } else { format!("{head},{tail}") }
}
