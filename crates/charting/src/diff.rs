//! What changed between two versions of a resource, element by element and in words, for the page of its
//! history (<https://hl7.org/fhir/R4/http.html#history>). Two forms: [`edits`] is exact, and applied to
//! the one version gives the other; [`lines`] says the same as a person would.
//!
//! `meta.versionId` and `meta.lastUpdated` differ between any two versions and are left out. The order of
//! members says nothing in JSON and counts as no difference; the order of items does.

mod tree;
mod words;

pub use tree::Tree;
pub use words::{LINES_MAX, Line, lines};

use base::Fault;
use base::error::code;
use fhir::Value;

/// Elements of a resource that is compared. Real ones have hundreds.
pub const ELEMENTS_MAX: usize = 100_000;
/// Pairs of items that are held against each other when lists are aligned; longer ones are compared item
/// by item from the front.
pub(crate) const PAIRS_MAX: usize = 250_000;

/// A step to an element.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A member of an object.
    Member(String),
    /// An item of a list, from 0.
    Item(usize),
}

/// One difference.
#[derive(Clone, PartialEq, Eq)]
pub enum Edit {
    /// A member or item that was not there: for an item, where it stands then.
    Add(Vec<Step>, Tree),
    /// A member or item that is no more.
    Remove(Vec<Step>),
    /// Another value.
    Replace(Vec<Step>, Tree),
}

impl std::fmt::Debug for Edit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, path) = match self {
            Self::Add(path, _) => ("Add", path),
            Self::Remove(path) => ("Remove", path),
            Self::Replace(path, _) => ("Replace", path),
        };
        write!(f, "{name}({} steps)", path.len())
    }
}

/// The differences, each made for what those before it left behind; none when the two say the same.
///
/// # Errors
/// `charting.value.invalid` for a resource of more than [`ELEMENTS_MAX`] elements.
pub fn edits(before: Value<'_>, after: Value<'_>) -> Result<Vec<Edit>, Fault> {
    let (before, after) = (compared(before)?, compared(after)?);
    let mut found = Vec::new();
    between(&before, &after, &mut Vec::new(), &mut found);
    Ok(found)
}

/// A resource as it is compared.
///
/// # Errors
/// As [`edits`].
pub fn compared(resource: Value<'_>) -> Result<Tree, Fault> {
    let elements = resource.end_index().saturating_sub(resource.index());
    if usize::try_from(elements).unwrap_or(usize::MAX) > ELEMENTS_MAX {
        let text = "the resource has too many elements to be compared";
        return Err(Fault::new(&code::CHART_VALUE, text));
    }
    let mut tree = Tree::of(resource);
    if let Some(meta) = tree.member_mut("meta") {
        meta.take_out("versionId");
        meta.take_out("lastUpdated");
        if matches!(meta, Tree::Object(members) if members.is_empty()) {
            tree.take_out("meta");
        }
    }
    Ok(tree)
}

/// Carries edits out; `None` when they were made for another tree.
pub fn apply(mut to: Tree, edits: &[Edit]) -> Option<Tree> {
    for edit in edits {
        match edit {
            Edit::Add(path, value) => to.add(path, value.clone())?,
            Edit::Remove(path) => to.remove(path)?,
            Edit::Replace(path, value) => *to.at_mut(path)? = value.clone(),
        }
    }
    Some(to)
}

fn between(before: &Tree, after: &Tree, path: &mut Vec<Step>, found: &mut Vec<Edit>) {
    if before.same(after) {
        return;
    }
    match (before, after) {
        (Tree::Object(old), Tree::Object(new)) => {
            for (name, _) in old.iter().filter(|(name, _)| after.member(name).is_none()) {
                found.push(Edit::Remove(with(path, Step::Member(name.clone()))));
            }
            for (name, value) in new {
                path.push(Step::Member(name.clone()));
                match before.member(name) {
                    Some(old) => between(old, value, path, found),
                    None => found.push(Edit::Add(path.clone(), value.clone())),
                }
                path.pop();
            }
        }
        (Tree::List(old), Tree::List(new)) => lists(old, new, path, found),
        _ => found.push(Edit::Replace(path.clone(), after.clone())),
    }
}

/// Lists: what stays the same stays; between, items are paired in their order and the rest added or
/// removed. `at` is where the next item stands in the list as the edits so far leave it.
fn lists(old: &[Tree], new: &[Tree], path: &mut Vec<Step>, found: &mut Vec<Edit>) {
    let mut at = 0;
    for piece in tree::aligned(old, new) {
        match piece {
            tree::Piece::Same => at += 1,
            tree::Piece::Both(one, two) => {
                path.push(Step::Item(at));
                between(one, two, path, found);
                path.pop();
                at += 1;
            }
            tree::Piece::Old => found.push(Edit::Remove(with(path, Step::Item(at)))),
            tree::Piece::New(two) => {
                found.push(Edit::Add(with(path, Step::Item(at)), two.clone()));
                at += 1;
            }
        }
    }
}

fn with(path: &[Step], step: Step) -> Vec<Step> {
    let mut path = path.to_vec();
    path.push(step);
    path
}
