//! As much of CBOR as an authenticator speaks (RFC 8949; CTAP 2, section 8: definite lengths, nothing
//! nested deep): read strictly, in place, within bounds, and never further than what is asked for.

/// Containers within each other.
const DEPTH_MAX: usize = 4;

/// Reads items one after the other.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    /// What was not read yet.
    pub(crate) const fn rest(&self) -> &'a [u8] {
        self.0
    }

    /// How many pairs a map has.
    pub(crate) fn map(&mut self) -> Option<u64> {
        self.of(5)
    }

    pub(crate) fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.of(2)?;
        self.take(length)
    }

    pub(crate) fn text(&mut self) -> Option<&'a str> {
        let length = self.of(3)?;
        std::str::from_utf8(self.take(length)?).ok()
    }

    pub(crate) fn int(&mut self) -> Option<i64> {
        match self.head()? {
            (0, value) => i64::try_from(value).ok(),
            (1, value) => i64::try_from(value).ok().map(|value| -1 - value),
            _ => None,
        }
    }

    /// Passes over one item, whatever it is.
    pub(crate) fn skip(&mut self) -> Option<()> {
        self.skip_within(DEPTH_MAX)
    }

    fn skip_within(&mut self, depth: usize) -> Option<()> {
        let items = match self.head()? {
            // A number, or a simple value: its head is all of it.
            (0 | 1 | 7, _) => 0,
            (2 | 3, length) => return self.take(length).map(drop),
            (4, items) => items,
            (5, pairs) => pairs.checked_mul(2)?,
            _ => return None,
        };
        let depth = if items == 0 { depth } else { depth.checked_sub(1)? };
        // Each item takes a byte at least, so a false count ends with the bytes.
        for _ in 0..items {
            self.skip_within(depth)?;
        }
        Some(())
    }

    fn of(&mut self, major: u8) -> Option<u64> {
        let before = self.0;
        match self.head()? {
            (found, value) if found == major => Some(value),
            _ => {
                self.0 = before;
                None
            }
        }
    }

    /// The kind of the next item, and its number. A length that is not said is refused.
    fn head(&mut self) -> Option<(u8, u64)> {
        let (first, rest) = self.0.split_first()?;
        self.0 = rest;
        let width = match first & 31 {
            value @ 0..=23 => return Some((first >> 5, u64::from(value))),
            24 => 1,
            25 => 2,
            26 => 4,
            27 => 8,
            _ => return None,
        };
        let bytes = self.take(width)?;
        let value = bytes.iter().fold(0u64, |value, byte| (value << 8) | u64::from(*byte));
        Some((first >> 5, value))
    }

    fn take(&mut self, length: u64) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(usize::try_from(length).ok()?)?;
        self.0 = rest;
        Some(taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_authenticators_say_is_read() {
        let mut reader = Reader::new(b"\xA2\x63fmt\x20\x01\x44\x01\x02\x03\x04rest");
        assert_eq!(reader.map(), Some(2));
        assert_eq!((reader.text(), reader.int()), (Some("fmt"), Some(-1)));
        assert_eq!((reader.int(), reader.bytes()), (Some(1), Some(&[1, 2, 3, 4][..])));
        assert_eq!(reader.rest(), b"rest");
        assert_eq!(Reader::new(b"\x39\x01\x00").int(), Some(-257));
        assert_eq!(Reader::new(b"\x59\x01\x00").bytes(), None, "fewer than it says");
        assert_eq!(Reader::new(b"\x5F\x41\x00\xFF").bytes(), None, "no length");
    }

    #[test]
    fn one_item_is_passed_over_whole() {
        for whole in [
            &b"\xA1\x63sig\x44\x01\x02\x03\x04"[..],
            b"\x82\xF5\xFA\x00\x00\x00\x00",
            b"\xA0",
            b"\x1A\x00\x00\x00\x01",
            b"\x81\x81\x81\x81\x00",
        ] {
            let mut reader = Reader::new(whole);
            assert_eq!(reader.skip(), Some(()), "{whole:?}");
            assert!(reader.rest().is_empty(), "{whole:?}");
        }
        assert_eq!(Reader::new(b"\x81\x81\x81\x81\x81\x00").skip(), None, "nested too deep");
        assert_eq!(Reader::new(b"\x9B\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF").skip(), None);
        assert_eq!(Reader::new(b"\xC1\x00").skip(), None, "a tag");
    }

    proptest! {
        #[test]
        fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut reader = Reader::new(&bytes);
            while reader.skip().is_some() && !reader.rest().is_empty() {}
            let mut reader = Reader::new(&bytes);
            let _ = (reader.map(), reader.text(), reader.int(), reader.bytes());
        }
    }
}
