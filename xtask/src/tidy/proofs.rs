//! The tests that pages of docs/compliance cite as proof exist: a control whose test was renamed or
//! taken away is no longer proven (45 CFR 164.316(b)(1), documentation).

use super::{File, Finding};

/// Finds citations `` `module::test` `` and `` `module::*` `` that name no test.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let tests: Vec<&File> =
        files.iter().filter(|f| f.path.ends_with(".rs") && f.text.contains("#[test]")).collect();
    let mut findings = Vec::new();
    for file in files.iter().filter(|f| f.path.starts_with("docs/compliance/hipaa")) {
        for (number, line) in (1..).zip(file.text.lines()) {
            for (module, test) in citations(line) {
                if !tests.iter().any(|f| proves(f, module, test)) {
                    let text = format!("`{module}::{test}` is no test");
                    findings.push(Finding::error(&file.path, number, text));
                }
            }
        }
    }
    findings
}

/// `module::test` in backticks.
pub(super) fn citations(line: &str) -> impl Iterator<Item = (&str, &str)> {
    line.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::"))
}

/// Whether a file holds that test.
pub(super) fn proves(file: &File, module: &str, test: &str) -> bool {
    let name = file.path.rsplit('/').next().and_then(|name| name.strip_suffix(".rs"));
    name == Some(module) && (test == "*" || file.text.contains(&format!("fn {test}(")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_citation_names_a_test_that_is_there() {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let page = "| a | b | `store` `scope::one`; `scope::two`, `gone::*` |";
        let files = [
            file("docs/compliance/hipaa.md", page),
            file("crates/store/tests/it/scope.rs", "#[test]\nfn one() {}"),
        ];
        let found: Vec<String> = check(&files).into_iter().map(|f| f.to_string()).collect();
        assert_eq!(found.len(), 2, "{found:?}");
        assert!(found[0].contains("`scope::two`") && found[1].contains("`gone::*`"));
    }
}
