//! What an import that was broken off had done: for each file, which of its documents are on the
//! disk. It is written after the commit, so it never claims too much; it may claim too little, and
//! then a document is loaded again, which changes nothing. A finished import forgets it.
//!
//! Names of files tell names of patients, so a sealed data folder's journal has blind tokens of them.

use crate::import::source::{FileKey, Item};
use keys::Keyring;
use std::collections::HashMap;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The journal of a data folder.
#[derive(Debug)]
pub(crate) struct Journal {
    path: PathBuf,
    held: Arc<Held>,
    out: Option<File>,
    names: Names,
}

/// How files are named in it: as they are, or by a token that only the data folder's keys make.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names(pub(crate) Option<Arc<Keyring>>);

/// What an earlier import left.
#[derive(Debug, Default)]
pub(crate) struct Held(HashMap<String, Vec<(u64, u64)>>, Names);

impl Journal {
    /// Opens the journal in `folder` and reads what an earlier import left there.
    pub(crate) fn open(folder: &Path, names: Names) -> io::Result<Self> {
        fs::create_dir_all(folder)?;
        let path = folder.join("journal");
        let mut done: HashMap<String, Vec<(u64, u64)>> = HashMap::new();
        if path.exists() {
            for line in fs::read_to_string(&path)?.lines() {
                // A line that a kill cut short claims nothing.
                if let Some((first, last, key)) = parse(line) {
                    done.entry(key.to_owned()).or_default().push((first, last));
                }
            }
        }
        let out = Some(OpenOptions::new().create(true).append(true).open(&path)?);
        Ok(Self { path, held: Arc::new(Held(done, names.clone())), out, names })
    }

    /// What an earlier import left.
    pub(crate) fn held(&self) -> Arc<Held> {
        Arc::clone(&self.held)
    }

    /// Notes documents of a commit, in order. Standard input cannot be read twice, so it is not noted.
    pub(crate) fn note<'i>(
        &mut self,
        documents: impl IntoIterator<Item = (&'i FileKey, u64)>,
    ) -> io::Result<()> {
        let mut text = String::new();
        let mut span: Option<(&FileKey, u64, u64)> = None;
        for (file, ordinal) in documents {
            span = match span {
                Some((f, first, last)) if f == file && last + 1 == ordinal => {
                    Some((f, first, ordinal))
                }
                earlier => {
                    write(&mut text, earlier, &self.names);
                    Some((file, ordinal, ordinal))
                }
            };
        }
        write(&mut text, span, &self.names);
        match &mut self.out {
            Some(out) => out.write_all(text.as_bytes()),
            None => Ok(()),
        }
    }

    /// Forgets: everything is stored.
    pub(crate) fn finish(mut self) -> io::Result<()> {
        self.out = None;
        fs::remove_file(&self.path)
    }
}

impl Held {
    /// Whether a document was stored by an earlier import.
    pub(crate) fn holds(&self, item: &Item) -> bool {
        if self.0.is_empty() {
            return false;
        }
        // A journal from before the folder was sealed names files as they are.
        let spans = self.0.get(&self.1.key(&item.file));
        let spans = spans.or_else(|| self.0.get(&Names(None).key(&item.file)));
        spans.is_some_and(|s| s.iter().any(|(a, b)| (*a..=*b).contains(&item.ordinal)))
    }
}

fn write(text: &mut String, span: Option<(&FileKey, u64, u64)>, names: &Names) {
    if let Some((file, first, last)) = span
        && !file.path.is_empty()
    {
        text.push_str(&format!("{first} {last} {} .\n", names.key(file)));
    }
}

impl Names {
    /// `size changed path`, or the token of that; a line break in a path cannot be told from the end of
    /// a line, so it goes.
    fn key(&self, file: &FileKey) -> String {
        let path = file.path.replace('\n', "\u{FFFD}");
        let plain = format!("{} {} {path}", file.bytes, file.changed_ms);
        match &self.0 {
            Some(keys) => {
                format!("{:016x}", keys.blind_index().token("import.file", plain.as_bytes()))
            }
            None => plain,
        }
    }
}

/// A whole line ends with a full stop.
fn parse(line: &str) -> Option<(u64, u64, &str)> {
    let line = line.strip_suffix(" .")?;
    let (first, rest) = line.split_once(' ')?;
    let (last, key) = rest.split_once(' ')?;
    Some((first.parse().ok()?, last.parse().ok()?, key))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_noted_is_held_by_the_next_import_alone() {
        let folder = std::env::temp_dir().join(format!("plummer-journal-{}", std::process::id()));
        let file = FileKey { path: "a b".to_owned(), bytes: 3, changed_ms: 4 };
        let mut journal = Journal::open(&folder, Names::default()).unwrap();
        journal.note([(&file, 0), (&file, 1), (&file, 2), (&file, 7)]).unwrap();
        journal.out.as_mut().unwrap().write_all(b"9 9 3 4 a").unwrap();
        let again = Journal::open(&folder, Names::default()).unwrap();
        let holds = |journal: &Journal, ordinal| {
            let file = Arc::new(file.clone());
            journal.held.holds(&Item { file, ordinal, place: String::new(), text: Vec::new() })
        };
        let held: Vec<u64> = (0..12).filter(|o| holds(&again, *o)).collect();
        assert_eq!(held, [0, 1, 2, 7]);
        assert!(!again.held.0.is_empty());
        again.finish().unwrap();
        assert!(Journal::open(&folder, Names::default()).unwrap().held.0.is_empty());
        let _ = fs::remove_dir_all(&folder);
    }
}
