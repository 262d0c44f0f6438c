//! The parts that an event's encoding is made of: numbers, texts, ids
//! (docs/internals/audit.md, "An event"). Reading takes anything and never panics.

use base::id::{uuid_bytes, uuid_text};

use crate::codec::Malformed;

/// An id: 16 bytes when it is a UUID in canonical text, else the text.
pub(crate) enum Id<'a> {
    Uuid([u8; 16]),
    Text(&'a str),
}

impl Id<'_> {
    pub(crate) fn into_text(self) -> String {
        match self {
            Self::Uuid(bytes) => uuid_text(&bytes),
            Self::Text(text) => text.to_owned(),
        }
    }
}

/// Reads the parts of an event, and knows where it is.
pub(crate) struct Cursor<'a> {
    pub(crate) bytes: &'a [u8],
    pub(crate) at: usize,
}

impl<'a> Cursor<'a> {
    pub(crate) const fn expected(&self, what: &'static str) -> Malformed {
        Malformed { at: self.at, what }
    }

    pub(crate) fn take(&mut self, length: usize) -> Result<&'a [u8], Malformed> {
        let rest = self.bytes.get(self.at..).unwrap_or_default();
        let taken = rest.get(..length).ok_or_else(|| self.expected("more bytes"))?;
        self.at += length;
        Ok(taken)
    }

    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], Malformed> {
        let taken = self.take(N)?;
        taken.try_into().ok().ok_or_else(|| self.expected("more bytes"))
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Malformed> {
        let [byte] = self.array()?;
        Ok(byte)
    }

    /// LEB128, at most 64 bits, no needless bytes.
    pub(crate) fn varint(&mut self) -> Result<u64, Malformed> {
        let mut value = 0u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if (shift == 63 && bits > 1) || (byte == 0 && shift > 0) {
                return Err(self.expected("a shortest number of 64 bits"));
            }
            value |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(self.expected("a shortest number of 64 bits"))
    }

    /// The length of a list that is there: never 0, and no list is longer than its bytes.
    pub(crate) fn count(&mut self) -> Result<u64, Malformed> {
        let count = self.varint()?;
        let left = (self.bytes.len() - self.at) as u64;
        if count == 0 || count > left { Err(self.expected("a list's length")) } else { Ok(count) }
    }

    pub(crate) fn text(&mut self, length: u64) -> Result<&'a str, Malformed> {
        let length = usize::try_from(length).ok().ok_or_else(|| self.expected("more bytes"))?;
        let bytes = self.take(length)?;
        std::str::from_utf8(bytes).ok().ok_or_else(|| self.expected("UTF-8"))
    }

    pub(crate) fn id(&mut self) -> Result<Option<Id<'a>>, Malformed> {
        match self.varint()? {
            0 => Ok(None),
            1 => Ok(Some(Id::Uuid(self.array()?))),
            n => {
                let text = self.text(n - 2)?;
                if uuid_bytes(text).is_some() {
                    return Err(self.expected("the short form of a UUID"));
                }
                Ok(Some(Id::Text(text)))
            }
        }
    }
}

pub(crate) fn put_varint(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    out.push(value.to_le_bytes()[0]);
}

pub(crate) fn put_text(out: &mut Vec<u8>, above: u64, text: &str) {
    put_varint(out, text.len() as u64 + above);
    out.extend_from_slice(text.as_bytes());
}

pub(crate) fn put_id(out: &mut Vec<u8>, id: Option<&str>) {
    let Some(id) = id else { return out.push(0) };
    if let Some(bytes) = uuid_bytes(id) {
        out.push(1);
        out.extend_from_slice(&bytes);
    } else {
        put_text(out, 2, id);
    }
}

pub(crate) const fn zigzag(value: i64) -> u64 {
    ((value << 1) ^ (value >> 63)).cast_unsigned()
}

pub(crate) const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}
