//! Archives of the shared test data, and the errors of a text as the ledgers write them.

use base::{Limits, Severity};
use fhir::Document;
use validation::{Options, validate};

/// The files of an archive of the shared data, by path inside it.
pub(crate) fn archive(file: &str, mut each: impl FnMut(&str, String)) -> Option<()> {
    testkit::data::archive(file, |name, text| {
        each(name, text);
        true
    })
}

/// The errors of a text: `code place`, sorted, each once.
pub(crate) fn errors(text: &str, options: &Options) -> Vec<String> {
    let document = match Document::parse_text(text.to_owned(), &Limits::default()) {
        Ok(document) => document,
        Err(fault) => return vec![fault.code().name.to_owned()],
    };
    let mut errors: Vec<String> = validate(document.root(), options)
        .into_iter()
        .filter(|issue| issue.severity >= Severity::Error)
        .map(|issue| format!("{} {}", issue.code.name, issue.expression.unwrap_or_default()))
        .collect();
    errors.sort();
    errors.dedup();
    errors
}
