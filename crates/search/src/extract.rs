//! Extraction: all index entries of a resource in one walk over its JSON. A program is a trie of
//! member names, compiled once per type from the paths of its atoms; no FHIRPath runs at write time.
//! `tests/it/parity.rs` holds it equal to the FHIRPath evaluator.

pub(crate) mod compile;
pub(crate) mod convert;

use crate::entry::{Entry, EntryValue};
use crate::registry::{AtomId, Shape, registry};
use convert::Convert;
use fhir::definitions::TypeId;
use fhir::json::Value;
use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};

/// Appends the entries of a resource, each once, in document order.
pub fn extract<'a>(resource: Value<'a>, of: TypeId, out: &mut Vec<Entry<'a>>) {
    let from = out.len();
    if let Some(program) = registry().program(of) {
        program.run(resource, out);
    }
    dedup(out, from);
}

/// The entries of one value of a type, kept in a shape: for values that were found by other means
/// than a program. A `code` then has no system, for that stands with its element.
pub fn convert<'a>(value: Value<'a>, of: TypeId, shape: Shape, push: impl FnMut(EntryValue<'a>)) {
    if let Some(convert) = Convert::of(shape, of, None) {
        convert.apply(value, push);
    }
}

/// A compiled extraction program.
#[derive(Debug, Default)]
pub(crate) struct Program {
    nodes: Vec<Node>,
    holds: Vec<Holds>,
}

/// The members of one object that lead somewhere, sorted by length and name.
#[derive(Debug, Default)]
struct Node {
    members: Vec<(&'static str, Vec<Branch>)>,
}

/// What to do with each value of a member.
#[derive(Debug)]
struct Branch {
    conditions: Vec<Condition>,
    leaves: Vec<Leaf>,
    child: Option<usize>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Condition {
    Equals { member: String, value: String },
    HasExtension(String),
    Nth(usize),
}

#[derive(Debug)]
struct Leaf {
    atom: AtomId,
    convert: Convert,
    grouped: bool,
}

/// An atom that says whether a choice has a value other than `false`; it has an entry either way.
#[derive(Debug)]
struct Holds {
    atom: AtomId,
    members: Vec<&'static str>,
}

impl Program {
    fn run<'a>(&self, resource: Value<'a>, out: &mut Vec<Entry<'a>>) {
        self.object(0, resource, 0, out);
        for holds in &self.holds {
            let value = holds.members.iter().find_map(|name| resource.get(name));
            let code = value.is_some_and(|v| v.as_text().is_some() && v.as_bool() != Some(false));
            let code = Cow::Borrowed(if code { "true" } else { "false" });
            let value = EntryValue::Token { system: Cow::Borrowed(""), code, text: None };
            out.push(Entry { atom: holds.atom, group: 0, value });
        }
    }

    /// `group` is the repeat of the member of the resource that is being walked; 0 at the resource.
    fn object<'a>(&self, at: usize, object: Value<'a>, group: u16, out: &mut Vec<Entry<'a>>) {
        let Some(node) = self.nodes.get(at) else { return };
        for (name, member) in object.members() {
            let Some(branches) = node.find(name) else { continue };
            for (n, value) in member.each().enumerate() {
                let group = match group {
                    0 => u16::try_from(n + 1).unwrap_or(u16::MAX),
                    group => group,
                };
                for branch in branches {
                    if branch.conditions.iter().all(|c| c.holds(value, n)) {
                        self.branch(branch, value, group, out);
                    }
                }
            }
        }
    }

    fn branch<'a>(&self, branch: &Branch, value: Value<'a>, group: u16, out: &mut Vec<Entry<'a>>) {
        for leaf in &branch.leaves {
            let group = if leaf.grouped { group } else { 0 };
            leaf.convert.apply(value, |value| out.push(Entry { atom: leaf.atom, group, value }));
        }
        if let Some(child) = branch.child {
            self.object(child, value, group, out);
        }
    }
}

impl Node {
    fn find(&self, name: &str) -> Option<&[Branch]> {
        let at = self
            .members
            .binary_search_by(|(own, _)| (own.len(), *own).cmp(&(name.len(), name)))
            .ok()?;
        self.members.get(at).map(|(_, branches)| branches.as_slice())
    }
}

impl Condition {
    fn holds(&self, value: Value<'_>, n: usize) -> bool {
        match self {
            Self::Equals { member, value: text } => {
                value.get(member).and_then(Value::as_text).is_some_and(|t| t == text.as_str())
            }
            Self::HasExtension(url) => value
                .get("extension")
                .into_iter()
                .flat_map(Value::each)
                .any(|e| e.get_str("url").is_some_and(|u| u == url.as_str())),
            Self::Nth(nth) => n == *nth,
        }
    }
}

/// Above this many entries, equal ones are found by hash instead of one by one.
const FEW: usize = 48;

fn dedup(out: &mut Vec<Entry<'_>>, from: usize) {
    let Some(new) = out.get(from..) else { return };
    let mut repeated = Vec::new();
    if new.len() <= FEW {
        for (i, entry) in new.iter().enumerate() {
            if new.iter().take(i).any(|earlier| earlier == entry) {
                repeated.push(from + i);
            }
        }
    } else {
        let mut seen: HashMap<u64, usize> = HashMap::with_capacity(new.len());
        for (i, entry) in new.iter().enumerate() {
            let first = *seen.entry(fingerprint(entry)).or_insert(i);
            // Different entries with one fingerprint are both kept: a repeat costs a little room.
            if first < i && new.get(first) == Some(entry) {
                repeated.push(from + i);
            }
        }
    }
    if repeated.is_empty() {
        return;
    }
    let mut at = 0;
    out.retain(|_| {
        at += 1;
        repeated.binary_search(&(at - 1)).is_err()
    });
}

fn fingerprint(entry: &Entry<'_>) -> u64 {
    let mut hash = DefaultHasher::new();
    (entry.atom, entry.group).hash(&mut hash);
    match &entry.value {
        EntryValue::Token { system, code, text } => (system, code, text).hash(&mut hash),
        EntryValue::Identifier { system, value, of_type } => {
            (system, value, of_type).hash(&mut hash);
        }
        EntryValue::String(text) | EntryValue::Address(text) | EntryValue::Uri(text) => {
            text.hash(&mut hash);
        }
        EntryValue::Reference { resource_type, id } => (resource_type, id).hash(&mut hash),
        EntryValue::Date { low, high } => (low, high).hash(&mut hash),
        // -0.0 equals 0.0 but has other bits: the two are kept apart, which is harmless.
        EntryValue::Number(number) => number.to_bits().hash(&mut hash),
        EntryValue::Quantity { value, system, code, unit } => {
            (value.to_bits(), system, code, unit).hash(&mut hash);
        }
    }
    hash.finish()
}
