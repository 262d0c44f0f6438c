//! The packed entries of a record: everything the index holds of it, in one short text beside the
//! record. Searches check conditions on it, sorts read their keys from it, updates and deletions
//! learn from it what to take out of the index.
//!
//! A row is a head (atom × 16 + tag, plus 8 when a group follows), the group if any, and the value;
//! all integers are LEB128 varints, signed ones zigzag.

/// One index row of a record.
#[derive(Debug, Clone, PartialEq)]
pub enum Row {
    /// Token, reference or uri, by dictionary number.
    Int {
        /// The store's atom number.
        atom: u32,
        /// The dictionary number.
        value: i64,
        /// The repeat, for composites.
        group: u16,
    },
    /// A span of milliseconds.
    Date {
        /// The store's atom number.
        atom: u32,
        /// First millisecond.
        low: i64,
        /// Last millisecond.
        high: i64,
        /// The repeat, for composites.
        group: u16,
    },
    /// A number, or a quantity in a unit.
    Num {
        /// The store's atom number.
        atom: u32,
        /// Dictionary number of the unit; 0 for plain numbers.
        unit: i64,
        /// The value.
        value: f64,
        /// The repeat, for composites.
        group: u16,
    },
    /// A text, folded and as written.
    Str {
        /// The store's atom number.
        atom: u32,
        /// Folded.
        folded: String,
        /// As written.
        exact: String,
        /// The repeat, for composites.
        group: u16,
    },
    /// An identifier.
    Ident {
        /// The store's atom number.
        atom: u32,
        /// Its value.
        value: String,
        /// Dictionary number of its system; 0 for none.
        system: i64,
        /// Dictionary number of its type; 0 for none.
        of_type: i64,
    },
    /// The record is in this patient's compartment.
    Patient {
        /// The patient's record number.
        record: i64,
    },
    /// Something known of the record that is not in it.
    Fact {
        /// What: [`FACT_SITE`] or [`FACT_AUTHOR`].
        fact: u32,
        /// Its dictionary number.
        value: i64,
    },
}

/// The site the record belongs to.
pub const FACT_SITE: u32 = 1;
/// The principal who wrote its first version.
pub const FACT_AUTHOR: u32 = 2;

/// A row read in place.
#[derive(Debug, Clone, Copy, PartialEq)]
#[expect(missing_docs, reason = "the fields are those of `Row`")]
pub enum View<'p> {
    Int { atom: u32, value: i64, group: u16 },
    Date { atom: u32, low: i64, high: i64, group: u16 },
    Num { atom: u32, unit: i64, value: f64, group: u16 },
    Str { atom: u32, folded: &'p str, exact: &'p str, group: u16 },
    Ident { atom: u32, value: &'p str, system: i64, of_type: i64 },
    Patient { record: i64 },
    Fact { fact: u32, value: i64 },
}

const INT: u64 = 0;
const DATE: u64 = 1;
const NUM: u64 = 2;
const STR: u64 = 3;
const IDENT: u64 = 4;
const PATIENT: u64 = 5;
const FACT: u64 = 6;
const GROUPED: u64 = 8;

/// Packs rows.
pub fn pack(rows: &[Row]) -> Vec<u8> {
    let mut out = Vec::with_capacity(rows.len() * 10);
    for row in rows {
        match row {
            Row::Int { atom, value, group } => {
                head(&mut out, *atom, INT, *group);
                put(&mut out, zigzag(*value));
            }
            Row::Date { atom, low, high, group } => {
                head(&mut out, *atom, DATE, *group);
                put(&mut out, zigzag(*low));
                put(&mut out, zigzag(high.wrapping_sub(*low)));
            }
            Row::Num { atom, unit, value, group } => {
                head(&mut out, *atom, NUM, *group);
                put(&mut out, zigzag(*unit));
                out.extend_from_slice(&value.to_bits().to_le_bytes());
            }
            Row::Str { atom, folded, exact, group } => {
                head(&mut out, *atom, STR, *group);
                text(&mut out, folded);
                // Most texts fold to themselves; an empty second text says so.
                text(&mut out, if folded == exact { "" } else { exact });
            }
            Row::Ident { atom, value, system, of_type } => {
                head(&mut out, *atom, IDENT, 0);
                text(&mut out, value);
                put(&mut out, zigzag(*system));
                put(&mut out, zigzag(*of_type));
            }
            Row::Patient { record } => {
                head(&mut out, 0, PATIENT, 0);
                put(&mut out, zigzag(*record));
            }
            Row::Fact { fact, value } => {
                head(&mut out, *fact, FACT, 0);
                put(&mut out, zigzag(*value));
            }
        }
    }
    out
}

/// Reads packed rows. Ends early on bytes that [`pack`] did not write.
#[derive(Debug, Clone)]
pub struct Rows<'p> {
    rest: &'p [u8],
}

/// The rows of a packed text.
pub const fn rows(packed: &[u8]) -> Rows<'_> {
    Rows { rest: packed }
}

impl<'p> Iterator for Rows<'p> {
    type Item = View<'p>;

    fn next(&mut self) -> Option<View<'p>> {
        if self.rest.is_empty() {
            return None;
        }
        let head = self.take()?;
        let atom = u32::try_from(head >> 4).ok()?;
        let group = if head & GROUPED == 0 { 0 } else { u16::try_from(self.take()?).ok()? };
        Some(match head & 7 {
            INT => View::Int { atom, value: unzigzag(self.take()?), group },
            DATE => {
                let low = unzigzag(self.take()?);
                let high = low.wrapping_add(unzigzag(self.take()?));
                View::Date { atom, low, high, group }
            }
            NUM => {
                let unit = unzigzag(self.take()?);
                let (bits, rest) = self.rest.split_first_chunk::<8>()?;
                self.rest = rest;
                View::Num { atom, unit, value: f64::from_bits(u64::from_le_bytes(*bits)), group }
            }
            STR => {
                let folded = self.text()?;
                let exact = self.text()?;
                let exact = if exact.is_empty() { folded } else { exact };
                View::Str { atom, folded, exact, group }
            }
            IDENT => {
                let value = self.text()?;
                let system = unzigzag(self.take()?);
                View::Ident { atom, value, system, of_type: unzigzag(self.take()?) }
            }
            PATIENT => View::Patient { record: unzigzag(self.take()?) },
            FACT => View::Fact { fact: atom, value: unzigzag(self.take()?) },
            _ => return None,
        })
    }
}

impl<'p> Rows<'p> {
    fn take(&mut self) -> Option<u64> {
        let mut value = 0u64;
        for (i, byte) in self.rest.iter().enumerate().take(10) {
            value |= u64::from(byte & 0x7F) << (7 * i);
            if byte & 0x80 == 0 {
                self.rest = self.rest.get(i + 1..)?;
                return Some(value);
            }
        }
        self.rest = &[];
        None
    }

    fn text(&mut self) -> Option<&'p str> {
        let len = usize::try_from(self.take()?).ok()?;
        let (head, rest) = self.rest.split_at_checked(len)?;
        self.rest = rest;
        std::str::from_utf8(head).ok()
    }
}

impl Row {
    /// The row, read in place.
    pub fn view(&self) -> View<'_> {
        match self {
            Self::Int { atom, value, group } => {
                View::Int { atom: *atom, value: *value, group: *group }
            }
            Self::Date { atom, low, high, group } => {
                View::Date { atom: *atom, low: *low, high: *high, group: *group }
            }
            Self::Num { atom, unit, value, group } => {
                View::Num { atom: *atom, unit: *unit, value: *value, group: *group }
            }
            Self::Str { atom, folded, exact, group } => {
                View::Str { atom: *atom, folded, exact, group: *group }
            }
            Self::Ident { atom, value, system, of_type } => {
                View::Ident { atom: *atom, value, system: *system, of_type: *of_type }
            }
            Self::Patient { record } => View::Patient { record: *record },
            Self::Fact { fact, value } => View::Fact { fact: *fact, value: *value },
        }
    }
}

impl View<'_> {
    /// The row, owned.
    pub fn to_row(self) -> Row {
        match self {
            Self::Int { atom, value, group } => Row::Int { atom, value, group },
            Self::Date { atom, low, high, group } => Row::Date { atom, low, high, group },
            Self::Num { atom, unit, value, group } => Row::Num { atom, unit, value, group },
            Self::Str { atom, folded, exact, group } => {
                Row::Str { atom, folded: folded.to_owned(), exact: exact.to_owned(), group }
            }
            Self::Ident { atom, value, system, of_type } => {
                Row::Ident { atom, value: value.to_owned(), system, of_type }
            }
            Self::Patient { record } => Row::Patient { record },
            Self::Fact { fact, value } => Row::Fact { fact, value },
        }
    }

    /// The atom it belongs to; 0 for compartment rows and facts.
    pub const fn atom(self) -> u32 {
        match self {
            Self::Int { atom, .. }
            | Self::Date { atom, .. }
            | Self::Num { atom, .. }
            | Self::Str { atom, .. }
            | Self::Ident { atom, .. } => atom,
            Self::Patient { .. } | Self::Fact { .. } => 0,
        }
    }
}

fn head(out: &mut Vec<u8>, atom: u32, tag: u64, group: u16) {
    let grouped = if group == 0 { 0 } else { GROUPED };
    put(out, u64::from(atom) << 4 | grouped | tag);
    if group > 0 {
        put(out, u64::from(group));
    }
}

fn text(out: &mut Vec<u8>, text: &str) {
    put(out, text.len() as u64);
    out.extend_from_slice(text.as_bytes());
}

fn put(out: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        out.push((value & 0x7F) as u8 | 0x80);
        value >>= 7;
    }
    out.push((value & 0x7F) as u8);
}

const fn zigzag(value: i64) -> u64 {
    (value.cast_unsigned() << 1) ^ (value >> 63).cast_unsigned()
}

const fn unzigzag(value: u64) -> i64 {
    (value >> 1).cast_signed() ^ -((value & 1).cast_signed())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_come_back() {
        let given = vec![
            Row::Int { atom: 16, value: -5, group: 0 },
            Row::Int { atom: 70_000, value: i64::MAX, group: 3 },
            Row::Date { atom: 2, low: i64::MIN, high: i64::MAX, group: 0 },
            Row::Num { atom: 2, unit: 9, value: -0.25, group: 1 },
            Row::Str { atom: 4, folded: "jose".into(), exact: "José".into(), group: 0 },
            Row::Str { atom: 4, folded: "ann".into(), exact: "ann".into(), group: 0 },
            Row::Ident { atom: 4, value: "x|y".into(), system: 3, of_type: 0 },
            Row::Patient { record: 12 },
            Row::Fact { fact: FACT_AUTHOR, value: 70 },
        ];
        let packed = pack(&given);
        assert_eq!(rows(&packed).map(View::to_row).collect::<Vec<_>>(), given);
    }

    #[test]
    fn damage_ends_the_rows_without_a_panic() {
        let packed =
            pack(&[Row::Str { atom: 4, folded: "ab".into(), exact: "Ab".into(), group: 0 }]);
        for cut in 0..packed.len() {
            for byte in [0u8, 0x7F, 0xFF] {
                let mut damaged = packed.get(..cut).unwrap().to_vec();
                damaged.push(byte);
                let _ = rows(&damaged).count();
            }
        }
    }
}
