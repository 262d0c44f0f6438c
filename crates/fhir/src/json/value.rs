//! [`Value`]: a cursor into a document.

use super::{Document, Kind, Node};
use std::borrow::Cow;

/// A place in a document. Copying it is free; it never outlives the document.
#[derive(Clone, Copy)]
pub struct Value<'a> {
    doc: &'a Document,
    at: u32,
}

impl std::fmt::Debug for Value<'_> {
    /// Prints kind and path, never content.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?} at {}", self.kind(), self.path())
    }
}

impl PartialEq for Value<'_> {
    /// Two cursors are equal when they stand at the same place of the same document.
    fn eq(&self, other: &Self) -> bool {
        std::ptr::eq(self.doc, other.doc) && self.at == other.at
    }
}

impl<'a> Value<'a> {
    pub(super) const fn new(doc: &'a Document, at: u32) -> Self {
        Self { doc, at }
    }

    fn node(self) -> &'a Node {
        const NULL: Node = Node {
            key_start: 0,
            start: 0,
            end: 0,
            next: 0,
            key_len: 0,
            kind: Kind::Null,
            escaped: false,
        };
        self.doc.nodes.get(self.at as usize).unwrap_or(&NULL)
    }

    fn slice(self, from: u32, to: u32) -> &'a str {
        self.doc.text.get(from as usize..to as usize).unwrap_or_default()
    }

    /// The document this value stands in.
    pub const fn document(self) -> &'a Document {
        self.doc
    }

    /// This value's position in document order: what [`super::Edits`] are keyed by.
    pub const fn index(self) -> u32 {
        self.at
    }

    /// The position after this value and everything in it.
    pub fn end_index(self) -> u32 {
        self.node().next
    }

    /// What the value is.
    pub fn kind(self) -> Kind {
        self.node().kind
    }

    /// `true` for an object.
    pub fn is_object(self) -> bool {
        self.kind() == Kind::Object
    }

    /// `true` for an array.
    pub fn is_array(self) -> bool {
        self.kind() == Kind::Array
    }

    /// The name under which this value stands in its object; `None` in an array or at the root.
    pub fn key(self) -> Option<&'a str> {
        let node = self.node();
        (node.key_len > 0)
            .then(|| self.slice(node.key_start, node.key_start + u32::from(node.key_len)))
    }

    /// The exact JSON text of the value, quotes and brackets included.
    pub fn raw(self) -> &'a str {
        let node = self.node();
        match node.kind {
            Kind::String => self.slice(node.start - 1, node.end + 1),
            _ => self.slice(node.start, node.end),
        }
    }

    /// The text of a string, unescaped; `None` for any other kind.
    pub fn as_str(self) -> Option<Cow<'a, str>> {
        let node = self.node();
        if node.kind != Kind::String {
            return None;
        }
        let raw = self.slice(node.start, node.end);
        Some(if node.escaped { Cow::Owned(unescape(raw)) } else { Cow::Borrowed(raw) })
    }

    /// The digits of a number exactly as written; `None` for any other kind.
    pub fn as_number(self) -> Option<&'a str> {
        (self.kind() == Kind::Number).then(|| self.raw())
    }

    /// A boolean; `None` for any other kind.
    pub fn as_bool(self) -> Option<bool> {
        match self.kind() {
            Kind::True => Some(true),
            Kind::False => Some(false),
            _ => None,
        }
    }

    /// The text of a primitive as a search or `FHIRPath` sees it: a string's text, a number's digits,
    /// `true` or `false`; `None` for containers and null.
    pub fn as_text(self) -> Option<Cow<'a, str>> {
        match self.kind() {
            Kind::String => self.as_str(),
            Kind::Number | Kind::True | Kind::False => Some(Cow::Borrowed(self.raw())),
            Kind::Object | Kind::Array | Kind::Null => None,
        }
    }

    /// The member of an object by name.
    pub fn get(self, name: &str) -> Option<Self> {
        self.members().find(|(key, _)| *key == name).map(|(_, value)| value)
    }

    /// A member that is a string, unescaped.
    pub fn get_str(self, name: &str) -> Option<Cow<'a, str>> {
        self.get(name).and_then(Value::as_str)
    }

    /// The members of an object in order; nothing for any other kind.
    pub fn members(self) -> Members<'a> {
        let end = if self.is_object() { self.node().next } else { 0 };
        Members { doc: self.doc, at: self.at + 1, end }
    }

    /// The items of an array in order; nothing for any other kind.
    pub fn items(self) -> Items<'a> {
        let end = if self.is_array() { self.node().next } else { 0 };
        Items { doc: self.doc, at: self.at + 1, end }
    }

    /// The items of an array, or the value itself when it is no array: the way FHIR elements repeat.
    pub fn each(self) -> Items<'a> {
        if self.is_array() {
            self.items()
        } else {
            Items { doc: self.doc, at: self.at, end: self.node().next }
        }
    }

    /// Every value of this subtree in document order, itself first.
    pub fn descendants(self) -> impl Iterator<Item = Value<'a>> {
        (self.at..self.node().next).map(move |at| Value::new(self.doc, at))
    }

    /// The place as a `FHIRPath` expression: `Patient.name[0].given[1]`, beginning with the
    /// `resourceType` of the outermost resource. For messages: it walks from the root.
    pub fn path(self) -> String {
        let root = Value::new(self.doc, 0);
        let mut path = root.get_str("resourceType").map_or_else(String::new, Cow::into_owned);
        let mut here = root;
        while here.at != self.at {
            let step = here
                .members()
                .map(|(key, child)| (Some(key), child))
                .chain(here.items().map(|child| (None, child)))
                .enumerate()
                .find(|(_, (_, child))| child.at <= self.at && self.at < child.node().next);
            let Some((index, (key, child))) = step else { break };
            match key {
                Some(key) => {
                    if !path.is_empty() {
                        path.push('.');
                    }
                    path.push_str(key);
                }
                None => path.push_str(&format!("[{index}]")),
            }
            here = child;
        }
        path
    }
}

/// The members of an object.
#[derive(Debug, Clone)]
pub struct Members<'a> {
    doc: &'a Document,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Members<'a> {
    type Item = (&'a str, Value<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let value = Value::new(self.doc, self.at);
        self.at = value.node().next;
        Some((value.key().unwrap_or_default(), value))
    }
}

/// The items of an array.
#[derive(Debug, Clone)]
pub struct Items<'a> {
    doc: &'a Document,
    at: u32,
    end: u32,
}

impl<'a> Iterator for Items<'a> {
    type Item = Value<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.at >= self.end {
            return None;
        }
        let value = Value::new(self.doc, self.at);
        self.at = value.node().next;
        Some(value)
    }
}

/// Undoes JSON escapes of a string the parser accepted.
fn unescape(raw: &str) -> String {
    let mut out = String::with_capacity(raw.len());
    let mut chars = raw.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            out.push(c);
            continue;
        }
        match chars.next() {
            Some('b') => out.push('\u{8}'),
            Some('f') => out.push('\u{c}'),
            Some('n') => out.push('\n'),
            Some('r') => out.push('\r'),
            Some('t') => out.push('\t'),
            Some('u') => {
                let high = unit(&mut chars);
                if (0xD800..0xDC00).contains(&high) {
                    chars.next();
                    chars.next();
                    let low = unit(&mut chars);
                    let joined = 0x1_0000 + ((high - 0xD800) << 10) + low.wrapping_sub(0xDC00);
                    out.push(char::from_u32(joined).unwrap_or('\u{FFFD}'));
                } else {
                    out.push(char::from_u32(high).unwrap_or('\u{FFFD}'));
                }
            }
            Some(other) => out.push(other),
            None => {}
        }
    }
    out
}

fn unit(chars: &mut std::str::Chars<'_>) -> u32 {
    chars.by_ref().take(4).filter_map(|c| c.to_digit(16)).fold(0, |unit, digit| unit * 16 + digit)
}
