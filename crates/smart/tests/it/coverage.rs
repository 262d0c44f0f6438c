//! `docs/compliance/smart-coverage.md` says of each numbered requirement by which test it holds: none
//! is missing, and each test that is named is there. The requirements are public data beside the
//! repository; without them only the names are checked.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

const ARCHIVE: &str = "requirements/inferno-requirements.tar.gz";

struct Row {
    how: String,
    tests: Vec<String>,
    say: String,
}

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../..")
}

fn rows() -> BTreeMap<String, Row> {
    let path = root().join("docs/compliance/smart-coverage.md");
    let text = std::fs::read_to_string(path).expect("the table");
    let mut rows = BTreeMap::new();
    for line in text.lines().filter(|line| line.starts_with("| ") && !line.starts_with("| id ")) {
        let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
        let [id, how, tests, say] = cells.as_slice() else { panic!("four cells: {line}") };
        let tests = tests.split(", ").map(|name| name.trim_matches('`').to_owned());
        let row = Row {
            how: (*how).to_owned(),
            tests: tests.filter(|name| !name.is_empty()).collect(),
            say: (*say).to_owned(),
        };
        assert!(rows.insert((*id).to_owned(), row).is_none(), "{id} stands twice");
    }
    rows
}

/// All text of Rust below a folder.
fn sources(folder: &Path, into: &mut String) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, into);
        } else if path.extension().is_some_and(|end| end == "rs") {
            into.push_str(&std::fs::read_to_string(&path).expect("a source"));
        }
    }
}

#[test]
fn every_test_that_is_named_is_there_and_every_row_says_something() {
    let mut all = String::new();
    for folder in
        ["crates/smart/src", "crates/smart/tests", "crates/server/src/smart", "crates/server/tests"]
    {
        sources(&root().join(folder), &mut all);
    }
    let rows = rows();
    assert!(rows.len() > 200, "{}", rows.len());
    for (id, row) in rows {
        match row.how.as_str() {
            "test" => assert!(!row.tests.is_empty(), "{id} names no test"),
            "not offered" | "elsewhere" => assert!(!row.say.is_empty(), "{id} gives no reason"),
            how => panic!("{id}: {how}"),
        }
        for test in row.tests {
            assert!(all.contains(&format!("fn {test}(")), "{id}: there is no test {test}");
        }
    }
}

#[test]
fn every_requirement_that_binds_a_server_has_a_row() {
    let rows = rows();
    let mut seen = 0;
    let read = testkit::data::archive(ARCHIVE, |name, text| {
        let smart = name.ends_with("smart_app_launch_test_kit_requirements.csv");
        let onc = name.ends_with("onc_certification_g10_test_kit_requirements.csv");
        if smart || onc {
            let mut records = csv(text.trim_start_matches('\u{feff}')).into_iter();
            let head = records.next().expect("a head");
            let column = |name: &str| head.iter().position(|h| h == name).expect("a column");
            let (set, id, binds, who) =
                (column("Req Set"), column("ID"), column("Conformance"), column("Actors"));
            for record in records {
                let of_ours = onc || record[set].ends_with("_2.2.0");
                let shall = matches!(record[binds].as_str(), "SHALL" | "SHALL NOT");
                if of_ours && shall && record[who].contains("Server") {
                    seen += 1;
                    assert!(rows.contains_key(&record[id]), "{} has no row", record[id]);
                }
            }
        }
        true
    });
    if read.is_some() {
        assert_eq!(seen, rows.len(), "a row is of no requirement");
    }
}

/// Records of comma-separated values, with quoted fields that may hold lines.
fn csv(text: &str) -> Vec<Vec<String>> {
    let (mut records, mut record, mut field) = (Vec::new(), Vec::new(), String::new());
    let mut quoted = false;
    let mut letters = text.chars().peekable();
    while let Some(c) = letters.next() {
        match c {
            '"' if quoted && letters.peek() == Some(&'"') => {
                letters.next();
                field.push('"');
            }
            '"' => quoted = !quoted,
            ',' if !quoted => record.push(std::mem::take(&mut field)),
            '\n' if !quoted => {
                record.push(std::mem::take(&mut field));
                records.push(std::mem::take(&mut record));
            }
            '\r' if !quoted => {}
            c => field.push(c),
        }
    }
    if !field.is_empty() || !record.is_empty() {
        record.push(field);
        records.push(record);
    }
    records
}
