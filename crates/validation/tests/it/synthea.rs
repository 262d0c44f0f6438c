//! Two sets of generated patients, 131,085 resources: none has an error. A debug build takes every
//! twentieth bundle.

use crate::data::{archive, errors};
use validation::Options;

fn all_valid(file: &str) {
    let mut count = 0;
    let mut refused = Vec::new();
    let found = archive(file, |path, text| {
        if !path.ends_with(".json") && !path.ends_with(".ndjson") {
            return;
        }
        count += 1;
        if !cfg!(debug_assertions) || count % 20 == 1 {
            let errors = errors(&text, &Options::default());
            refused.extend(errors.first().map(|error| format!("{path}: {error}")));
        }
    });
    if found.is_some() {
        assert!(count > 100, "{count} bundles only");
        assert!(refused.is_empty(), "{}", refused.join("\n"));
    }
}

#[test]
fn patients_with_us_core_profiles() {
    all_valid("synthea/synthea-r4-uscore-120p.tar.zst");
}

#[test]
fn patients_without_profiles() {
    all_valid("synthea/synthea-r4-plain-100p.tar.zst");
}
