//! The differences as lines of a history: what changed, from what, to what. A data type that is said in
//! one breath (a concept, a quantity, a name) is told as a whole when its words changed, and element by
//! element when only what the words leave out did.

use super::{Edit, Step, Tree, apply, compared, edits};
use crate::read::hidden;
use crate::words;
use base::{Fault, Limits};
use fhir::{Document, Value};

/// Lines of one comparison; a history that shows more is not read.
pub const LINES_MAX: usize = 500;

/// One line of a difference.
#[derive(Clone, PartialEq, Eq)]
pub struct Line {
    /// The element's path, as a developer writes it: `name[0].family`.
    pub path: String,
    /// The same for everybody else: `name 1, family`.
    pub what: String,
    /// What stood there, in words; `None` when nothing did.
    pub before: Option<String>,
    /// What stands there now; `None` when nothing does.
    pub after: Option<String>,
    /// How many exact edits it stands for.
    pub edits: usize,
}

hidden!(Line);

impl Line {
    /// The line as one sentence.
    pub fn words(&self) -> String {
        let what = &self.what;
        match (&self.before, &self.after) {
            (None, Some(after)) => format!("{what} added: {after}"),
            (Some(before), None) => format!("{what} removed: {before}"),
            (Some(before), Some(after)) => format!("{what} changed from {before} to {after}"),
            (None, None) => format!("{what} changed"),
        }
    }
}

/// The differences between two versions as lines, and whether there are more than [`LINES_MAX`].
///
/// # Errors
/// As [`edits`].
pub fn lines(before: Value<'_>, after: Value<'_>) -> Result<(Vec<Line>, bool), Fault> {
    let all = edits(before, after)?;
    let mut tree = compared(before)?;
    let mut lines: Vec<Line> = Vec::new();
    let mut shape_of_last: Option<Vec<Step>> = None;
    for edit in &all {
        if lines.len() > LINES_MAX {
            break;
        }
        let path = match edit {
            Edit::Add(path, _) | Edit::Remove(path) | Edit::Replace(path, _) => path.clone(),
        };
        // Further edits within a data type that was told as a whole change what it became.
        let shape = shape(&tree, &path);
        let old = said(tree.at(&shape));
        let old_part = said(tree.at(&path));
        let whole = if shape == path { edit_only(edit) } else { None };
        tree = apply(tree, std::slice::from_ref(edit)).unwrap_or(Tree::List(Vec::new()));
        let told = shape.len() < path.len();
        if let Some(last) =
            lines.last_mut().filter(|_| told && shape_of_last.as_ref() == Some(&shape))
        {
            last.after = said(tree.at(&shape));
            last.edits += 1;
            continue;
        }
        let line = if told {
            shape_of_last = Some(shape.clone());
            Line::at(&shape, old, said(tree.at(&shape)))
        } else {
            shape_of_last = None;
            let new = match edit {
                Edit::Remove(_) => None,
                Edit::Add(..) | Edit::Replace(..) => whole.or_else(|| said(tree.at(&path))),
            };
            let old = if matches!(edit, Edit::Add(..)) { None } else { old_part };
            Line::at(&path, old, new)
        };
        lines.push(line);
    }
    // Words that did not change say that nothing did: then the place itself is named.
    for line in lines.iter_mut().filter(|line| line.before == line.after) {
        line.what.push_str(" (in its details)");
    }
    let more = lines.len() > LINES_MAX;
    lines.truncate(LINES_MAX);
    Ok((lines, more))
}

impl Line {
    fn at(path: &[Step], before: Option<String>, after: Option<String>) -> Self {
        let (mut plain, mut what) = (String::new(), String::new());
        for step in path {
            match step {
                Step::Member(name) => {
                    let (dot, comma) = if plain.is_empty() { ("", "") } else { (".", ", ") };
                    plain.push_str(dot);
                    plain.push_str(name);
                    what.push_str(comma);
                    what.push_str(&words::spaced(name));
                }
                Step::Item(at) => {
                    plain.push_str(&format!("[{at}]"));
                    what.push_str(&format!(" {}", at + 1));
                }
            }
        }
        if what.is_empty() {
            "the resource".clone_into(&mut what);
        }
        Self { path: plain, what, before, after, edits: 1 }
    }
}

fn edit_only(edit: &Edit) -> Option<String> {
    match edit {
        Edit::Add(_, value) | Edit::Replace(_, value) => said(Some(value)),
        Edit::Remove(_) => None,
    }
}

/// The path of the outermost data type around an element that is said in one breath; else of the element.
fn shape(tree: &Tree, path: &[Step]) -> Vec<Step> {
    let shapes = (1..path.len()).filter_map(|length| path.get(..length));
    let found = shapes.into_iter().find(|above| {
        tree.at(above).is_some_and(|value| {
            parsed(value).is_some_and(|document| words::is_shape(document.root()))
        })
    });
    found.unwrap_or(path).to_vec()
}

fn parsed(tree: &Tree) -> Option<Document> {
    // No data type that is said in one breath has more members.
    matches!(tree, Tree::Object(members) if members.len() <= 12)
        .then(|| Document::parse_text(tree.json(), &Limits::default()).ok())
        .flatten()
}

fn said(tree: Option<&Tree>) -> Option<String> {
    let document = Document::parse_text(tree?.json(), &Limits::default()).ok()?;
    Some(words::of(document.root()))
}
