//! What the product is built of: every crate that is not ours comes from the registry, in the version and
//! with the checksum of the committed lock file, so that none can be exchanged on the way (NIST SSDF
//! PW.4; attack 46).

use super::{File, Finding};

const LOCK: &str = "Cargo.lock";

/// Finds crates from elsewhere, and those without a checksum.
pub(super) fn check(files: &[File]) -> Vec<Finding> {
    let Some(lock) = files.iter().find(|file| file.path == LOCK) else {
        return vec![Finding::error(LOCK, 1, "the lock file is not committed")];
    };
    let mut findings = Vec::new();
    for package in lock.text.split("[[package]]").skip(1) {
        let value = |key: &str| {
            let line = package.lines().find_map(|line| line.strip_prefix(key));
            line.and_then(|rest| rest.strip_prefix(" = \"")).map(|rest| rest.trim_end_matches('"'))
        };
        let name = value("name").unwrap_or_default();
        match value("source") {
            // Ours: a folder of the workspace.
            None => {}
            Some(source) if !source.starts_with("registry+") => {
                findings.push(Finding::error(LOCK, 1, format!("{name} is not of the registry")));
            }
            Some(_) if value("checksum").is_none_or(|sum| sum.len() != 64) => {
                findings.push(Finding::error(LOCK, 1, format!("{name} has no checksum")));
            }
            Some(_) => {}
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(text: &str) -> usize {
        check(&[File { path: LOCK.to_owned(), text: text.to_owned() }]).len()
    }

    #[test]
    fn attack_46_every_dependency_comes_from_the_registry_with_a_checksum() {
        let sum = "a".repeat(64);
        let own = "[[package]]\nname = \"x\"\nversion = \"1\"\n";
        let good = format!("{own}source = \"registry+r\"\nchecksum = \"{sum}\"\n");
        assert_eq!(found(own), 0);
        assert_eq!(found(&good), 0);
        assert_eq!(found(&good.replace("registry+r", "git+r#1")), 1);
        assert_eq!(found(&format!("{own}source = \"registry+r\"\n")), 1);
        assert_eq!(check(&[]).len(), 1);
        let path = crate::root().join(LOCK);
        let committed = std::fs::read_to_string(path).expect("a lock file");
        assert!(committed.matches("[[package]]").count() > 100);
        assert_eq!(found(&committed), 0);
    }
}
