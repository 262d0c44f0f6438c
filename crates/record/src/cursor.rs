//! Page links: what a search asked and where its next page begins, sealed (encrypted and
//! authenticated) by the store, so that a link tells nothing, cannot be altered, and a query sent in
//! a body never appears in an address (45 CFR 164.312(e)).

use crate::session::Session;
use base::Fault;
use base::error::code;
use fhir::definitions::{TypeId, r4};
use search::parse::Level;
use store::Position;

const VERSION: u8 = 1;

/// What a link leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Cursor {
    /// A search, or `$everything` of one record.
    pub everything: bool,
    /// Names and ids of the level; types by name, for numbers may change from build to build.
    pub level: Vec<String>,
    /// The query, decoded.
    pub pairs: Vec<(String, String)>,
    /// Where the page begins; the first page when `None`.
    pub position: Option<Position>,
}

impl Cursor {
    /// The opaque text.
    pub(crate) fn seal(&self, session: &Session) -> String {
        session.seal_link(&self.encode())
    }

    /// Opens a text that [`Cursor::seal`] made.
    pub(crate) fn open(session: &Session, text: &str) -> Result<Self, Fault> {
        session.open_link(text).as_deref().and_then(Self::decode).ok_or_else(|| {
            Fault::new(&code::SEARCH_CURSOR, "begin again from the first page of the search")
        })
    }

    fn encode(&self) -> Vec<u8> {
        let mut out = vec![VERSION, u8::from(self.everything)];
        put(&mut out, self.level.len() as u64);
        self.level.iter().for_each(|text| put_text(&mut out, text));
        put(&mut out, self.pairs.len() as u64);
        for (name, value) in &self.pairs {
            put_text(&mut out, name);
            put_text(&mut out, value);
        }
        match self.position {
            None => out.push(0),
            Some(position) => {
                out.push(if position.backward { 2 } else { 1 });
                put(&mut out, position.snapshot);
                put(&mut out, position.record.cast_unsigned());
            }
        }
        out
    }

    fn decode(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes;
        if byte(&mut rest)? != VERSION {
            return None;
        }
        let everything = byte(&mut rest)? == 1;
        let mut level = Vec::new();
        for _ in 0..take(&mut rest)? {
            level.push(take_text(&mut rest)?);
        }
        let mut pairs = Vec::new();
        for _ in 0..take(&mut rest)? {
            pairs.push((take_text(&mut rest)?, take_text(&mut rest)?));
        }
        let position = match byte(&mut rest)? {
            0 => None,
            direction => Some(Position {
                backward: direction == 2,
                snapshot: take(&mut rest)?,
                record: take(&mut rest)?.cast_signed(),
            }),
        };
        rest.is_empty().then_some(Self { everything, level, pairs, position })
    }
}

/// A level as a cursor keeps it.
pub(crate) fn level_parts(level: &Level) -> Vec<String> {
    let name = |of: &TypeId| r4().name(*of).to_owned();
    match level {
        Level::System => Vec::new(),
        Level::Type(of) => vec![name(of)],
        Level::Compartment { focus_type, id, of } => {
            vec![name(focus_type), id.clone(), of.as_ref().map(name).unwrap_or_default()]
        }
    }
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7F) as u8);
}

fn put_text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(*first)
}

fn take(rest: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..64).step_by(7) {
        let b = byte(rest)?;
        value |= u64::from(b & 0x7F) << shift;
        if b & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

fn take_text(rest: &mut &[u8]) -> Option<String> {
    let length = usize::try_from(take(rest)?).ok()?;
    let (text, after) = rest.split_at_checked(length)?;
    *rest = after;
    String::from_utf8(text.to_vec()).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn payloads_round_trip(
            everything: bool,
            level in proptest::collection::vec(".*", 0..4),
            pairs in proptest::collection::vec((".*", ".*"), 0..5),
            position in proptest::option::of((any::<u64>(), any::<i64>(), any::<bool>())),
        ) {
            let position = position
                .map(|(snapshot, record, backward)| Position { snapshot, record, backward });
            let cursor = Cursor { everything, level, pairs, position };
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }

        #[test]
        fn other_bytes_are_refused_without_a_panic(bytes: Vec<u8>) {
            if let Some(cursor) = Cursor::decode(&bytes) {
                prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
            }
        }
    }
}
