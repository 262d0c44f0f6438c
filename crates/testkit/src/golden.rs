//! Texts that are kept beside a test and read in review: whatever changes them shows there.
//! `PLUMMER_BLESS=1` writes them anew.

use std::fmt::Write as _;
use std::path::Path;

/// Lines told of a difference; a table of a thousand lines says no more for being told whole.
const TOLD_MAX: usize = 20;

/// Holds a text against the one kept as `tests/golden/<name>` of the crate at `manifest`
/// (`env!("CARGO_MANIFEST_DIR")`), or writes it.
///
/// # Panics
/// When they differ, telling the lines that do.
#[track_caller]
pub fn hold(manifest: &str, name: &str, text: &str) {
    let path = Path::new(manifest).join("tests/golden").join(name);
    if std::env::var_os("PLUMMER_BLESS").is_some() {
        let folder = path.parent().unwrap_or(&path);
        let written = std::fs::create_dir_all(folder).and_then(|()| std::fs::write(&path, text));
        assert!(written.is_ok(), "{name} cannot be written: {written:?}");
    }
    let kept = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        kept == text,
        "{name} differs; if that is meant, run again with PLUMMER_BLESS=1\n{}",
        difference(&kept, text)
    );
}

/// The lines that one text has and the other has not, in their order.
fn difference(kept: &str, text: &str) -> String {
    let mut out = String::new();
    let mut told = 0;
    for (mark, of, other) in [('-', kept, text), ('+', text, kept)] {
        let other: std::collections::HashSet<&str> = other.lines().collect();
        for line in of.lines().filter(|line| !other.contains(line)) {
            told += 1;
            if told <= TOLD_MAX {
                let _ = writeln!(out, "{mark} {line}");
            }
        }
    }
    match told {
        0 => "the same lines in another order, or another number of them".to_owned(),
        _ if told > TOLD_MAX => {
            let _ = writeln!(out, "and {} lines more", told - TOLD_MAX);
            out
        }
        _ => out,
    }
}

#[cfg(test)]
mod tests {
    use super::difference;

    #[test]
    fn only_the_lines_that_differ_are_told_and_not_too_many() {
        assert_eq!(difference("a\nb\nc\n", "a\nB\nc\n"), "- b\n+ B\n");
        assert!(difference("a\nb\n", "b\na\n").contains("another order"));
        let many: String = (0..50).map(|n| format!("{n}\n")).collect();
        assert_eq!(difference("", &many).lines().count(), 21);
    }
}
