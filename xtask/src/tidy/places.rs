//! What no file of the house may hold: the path of one person's machine, or the address of one
//! registry; and what the house must always hold: a release note for what is new.

use super::{File, Finding};
use std::collections::BTreeSet;

/// Written by cargo, in which each source names its registry.
const LOCK: &str = "Cargo.lock";
const NOTES: &str = "release-notes/unreleased/";

/// Beginnings of paths that exist on one machine only. Assembled, so that this file is tidy.
const MACHINES: [&str; 6] = [
    concat!("/ho", "me/"),
    concat!("/ro", "ot/"),
    concat!("/Us", "ers/"),
    concat!("/wo", "rk/"),
    concat!("/tm", "p/"),
    concat!("C:\\", "Users\\"),
];
const REGISTRIES: [&str; 4] = [
    concat!("crates", ".io"),
    concat!("registry.npm", "js.org"),
    concat!("py", "pi.org"),
    concat!("python", "hosted.org"),
];

/// Finds machine paths and registry hosts.
pub(super) fn check(file: &File) -> Vec<Finding> {
    if file.path == LOCK {
        return Vec::new();
    }
    let mut findings = Vec::new();
    for (number, line) in file.text.lines().enumerate() {
        if let Some(start) = MACHINES.iter().find(|start| holds(line, start)) {
            let text = format!("names a place on one machine (`{start}…`)");
            findings.push(Finding::error(&file.path, number + 1, text));
        }
        if let Some(host) = REGISTRIES.iter().find(|host| line.contains(**host)) {
            let text = format!("names a registry (`{host}`)");
            findings.push(Finding::error(&file.path, number + 1, text));
        }
    }
    findings
}

/// There is a note of what the next release brings.
pub(super) fn release_notes(paths: &BTreeSet<String>) -> Option<Finding> {
    let any = paths.iter().any(|path| path.starts_with(NOTES) && path.ends_with(".md"));
    (!any).then(|| Finding::error(NOTES, 1, "holds no note of what the next release brings"))
}

/// Whether `line` holds `start` where a path can begin, not amid a longer path or an address.
fn holds(line: &str, start: &str) -> bool {
    line.match_indices(start).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        before
            .is_none_or(|c| !c.is_alphanumeric() && !matches!(c, '.' | '_' | '-' | '}' | ')' | '>'))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn findings(text: &str) -> usize {
        check(&File { path: "a.md".to_owned(), text: text.to_owned() }).len()
    }

    #[test]
    fn machine_paths_and_registries_are_found() {
        for [a, b] in [
            ["see /ho", "me/ada/x"],
            ["`/tm", "p/x`"],
            ["\"/wo", "rk/a\""],
            ["https://crates", ".io/x"],
        ] {
            assert_eq!(findings(&format!("{a}{b}")), 1, "{a}{b}");
        }
    }

    #[test]
    fn addresses_and_relative_paths_are_left_alone() {
        for [a, b] in [
            ["hospital.example/ho", "me/"],
            ["docs/wo", "rk/x"],
            ["${TMPDIR}/tm", "p/x"],
            ["contact", " point: ho"],
        ] {
            assert_eq!(findings(&format!("{a}{b}")), 0, "{a}{b}");
        }
    }

    #[test]
    fn the_lock_file_may_name_its_registry() {
        let text = format!("source = \"registry+crates{}\"", ".io-index");
        assert!(check(&File { path: LOCK.to_owned(), text }).is_empty());
    }

    #[test]
    fn a_release_note_must_stand() {
        let with = BTreeSet::from(["release-notes/unreleased/0001-x.md".to_owned()]);
        assert_eq!(release_notes(&with), None);
        assert!(release_notes(&BTreeSet::from(["release-notes/v1.md".to_owned()])).is_some());
    }
}
