//! The pictures of the screens and the page that lists them (docs/screens/README.md): each screen has its
//! three, none is of a screen that is no more, and the page is the one that the tool writes.

use super::{File, Finding};
use crate::browse::index;
use crate::browse::pictures::FOLDER;
use std::collections::BTreeSet;

/// Finds what is missing, left over or old.
pub(super) fn check(paths: &BTreeSet<String>, files: &[File]) -> Vec<Finding> {
    let path = format!("{FOLDER}/{}", index::FILE);
    let page = files.iter().find(|file| file.path == path).map(|file| file.text.as_str());
    index::faults(paths, page).into_iter().map(|told| Finding::error(&path, 1, told)).collect()
}
