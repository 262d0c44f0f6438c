//! The page of attacks (docs/compliance/attacks.md): each of the fifty numbers has its row, each test a row
//! names is there, and each test named after an attack stands in the row of its number.

use super::proofs::{citations, proves};
use super::{File, Finding};
use std::collections::BTreeSet;

const PAGE: &str = "docs/compliance/attacks.md";
const NUMBERS: u32 = 50;
const NAMED: &str = "fn attack_";

/// Finds rows that are missing or twice, tests that are no more, and tests that no row names.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let Some(page) = files.iter().find(|file| file.path == PAGE) else {
        return vec![Finding::error(PAGE, 1, "the page of attacks is missing")];
    };
    let tests: Vec<&File> =
        files.iter().filter(|f| f.path.ends_with(".rs") && f.text.contains("#[test]")).collect();
    let mut findings = Vec::new();
    let mut rows = BTreeSet::new();
    let mut named = BTreeSet::new();
    for (line, text) in (1..).zip(page.text.lines()) {
        let Some(number) = number_of(text) else { continue };
        if number == 0 || number > NUMBERS || !rows.insert(number) {
            let text = format!("attack {number} is none, or has a row already");
            findings.push(Finding::error(PAGE, line, text));
        }
        let mut proofs = 0;
        for (module, test) in citations(text) {
            proofs += 1;
            if !tests.iter().any(|file| proves(file, module, test)) {
                let text = format!("`{module}::{test}` is no test");
                findings.push(Finding::error(PAGE, line, text));
            }
            if number_in(test).is_some_and(|of| of != number) {
                let text = format!("`{test}` is of another attack than {number}");
                findings.push(Finding::error(PAGE, line, text));
            }
            named.insert(test);
        }
        if proofs == 0 && !text.contains("not yet: ") {
            let text = format!("attack {number} has no test, and no reason why not");
            findings.push(Finding::error(PAGE, line, text));
        }
    }
    for number in (1..=NUMBERS).filter(|number| !rows.contains(number)) {
        findings.push(Finding::error(PAGE, 1, format!("attack {number} has no row")));
    }
    for file in tests {
        for (line, text) in (1..).zip(file.text.lines()) {
            let Some(name) = text.trim_start().strip_prefix(NAMED) else { continue };
            let name = format!("attack_{}", name.split('(').next().unwrap_or_default());
            if !named.contains(name.as_str()) {
                let text = format!("`{name}` stands in no row of {PAGE}");
                findings.push(Finding::error(&file.path, line, text));
            }
        }
    }
    findings
}

/// The number of a row.
fn number_of(line: &str) -> Option<u32> {
    line.strip_prefix("| ")?.split(' ').next()?.parse().ok()
}

/// The number in the name of a test.
fn number_in(test: &str) -> Option<u32> {
    test.strip_prefix("attack_")?.split('_').next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    fn rows(but: &[&str]) -> String {
        (but.len() + 1..=50).fold(but.join("\n"), |page, number| {
            format!("{page}\n| {number} | x | not yet: there is no door | |")
        })
    }

    fn found(page: &str, test: &str) -> Vec<String> {
        let files = [file(PAGE, page), file("crates/x/tests/it/door.rs", test)];
        check(&files).into_iter().map(|finding| finding.to_string()).collect()
    }

    #[test]
    fn every_number_has_a_row_with_a_test_or_a_reason() {
        let test = "#[test]\nfn attack_01_it_is_held() {}";
        let good = rows(&["| 1 | x | held | `door::attack_01_it_is_held` |"]);
        assert_eq!(found(&good, test), Vec::<String>::new());
        for (row, told) in [
            ("| 1 | x | held | |", "has no test, and no reason"),
            ("| 1 | x | held | `door::attack_01_it_was_held` |", "is no test"),
            ("| 2 | x | held | `door::attack_01_it_is_held` |", "of another attack than 2"),
            ("| 51 | x | held | `door::attack_01_it_is_held` |", "attack 51 is none"),
        ] {
            let found = found(&rows(&[row]), test);
            assert!(found.iter().any(|finding| finding.contains(told)), "{row}: {found:?}");
        }
    }

    #[test]
    fn a_test_named_after_an_attack_stands_in_its_row() {
        let found = found(&rows(&[]), "#[test]\nfn attack_01_it_is_held() {}");
        assert!(found.iter().any(|f| f.contains("stands in no row")), "{found:?}");
    }
}
