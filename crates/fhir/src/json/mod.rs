//! JSON as FHIR needs it (<https://hl7.org/fhir/R4/json.html>, RFC 8259): a document keeps its text
//! and a flat tape of nodes over it, so decimals keep their digits, members their order, and a
//! cursor ([`Value`]) costs nothing to copy.

mod parse;
mod render;
mod value;

pub use parse::ParseFault;
pub use render::{Edit, Edits, minify, pretty};
pub use value::{Items, Members, Value};

use base::{Fault, Limits};

/// What a JSON value is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// `{…}`
    Object,
    /// `[…]`
    Array,
    /// `"…"`
    String,
    /// A number; its text is kept as written.
    Number,
    /// `true`
    True,
    /// `false`
    False,
    /// `null`
    Null,
}

/// One node of the tape. Offsets are bytes into the document's text.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node {
    /// Where the member's name begins, after its quote; 0 with `key_len` 0 when there is none.
    pub(crate) key_start: u32,
    /// Where the value begins (for strings: after the quote).
    pub(crate) start: u32,
    /// Where the value ends (for strings: before the quote).
    pub(crate) end: u32,
    /// The node after this one's subtree.
    pub(crate) next: u32,
    /// Bytes of the member's name.
    pub(crate) key_len: u16,
    pub(crate) kind: Kind,
    /// The string holds a backslash.
    pub(crate) escaped: bool,
}

/// A parsed JSON document.
#[derive(Clone)]
pub struct Document {
    pub(crate) text: String,
    pub(crate) nodes: Vec<Node>,
}

impl std::fmt::Debug for Document {
    /// Prints sizes only: a document may hold patient data.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Document({} bytes, {} nodes)", self.text.len(), self.nodes.len())
    }
}

impl Document {
    /// Parses bytes that should be UTF-8 JSON, within the limits. Never panics; a fault names the
    /// JSON path and byte offset but never quotes the content.
    pub fn parse(bytes: Vec<u8>, limits: &Limits) -> Result<Self, Fault> {
        let text = match String::from_utf8(bytes) {
            Ok(text) => text,
            Err(error) => {
                let at = error.utf8_error().valid_up_to();
                return Err(Fault::new(
                    &base::error::code::JSON_UTF8,
                    format!("the byte at offset {at} does not belong to a UTF-8 sequence"),
                ));
            }
        };
        Self::parse_text(text, limits)
    }

    /// Parses text, as [`Document::parse`] does.
    pub fn parse_text(text: String, limits: &Limits) -> Result<Self, Fault> {
        match parse::parse(&text, limits) {
            Ok(nodes) => Ok(Self { text, nodes }),
            Err(fault) => Err(fault.into()),
        }
    }

    /// Parses text and keeps the tape's allocation of `self`, for loops over many documents.
    pub fn reparse(&mut self, text: &str, limits: &Limits) -> Result<(), Fault> {
        let mut nodes = std::mem::take(&mut self.nodes);
        parse::parse_into(text, limits, &mut nodes).map_err(Fault::from)?;
        self.nodes = nodes;
        self.text.clear();
        self.text.push_str(text);
        Ok(())
    }

    /// The outermost value.
    pub fn root(&self) -> Value<'_> {
        Value::new(self, 0)
    }

    /// The text as it was given.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// Number of values in the document, containers included.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Never true: a document has at least one value.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }
}
