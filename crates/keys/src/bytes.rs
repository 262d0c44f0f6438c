//! A cursor over the bytes of a key file: every read is bounded, nothing panics.

/// What is left to read.
pub(crate) struct Bytes<'a>(pub(crate) &'a [u8]);

/// What a decoder says of bytes that end too early.
pub(crate) const SHORT: &str = "is too short";

impl<'a> Bytes<'a> {
    pub(crate) fn array<const N: usize>(&mut self) -> Result<[u8; N], &'static str> {
        let (head, rest) = self.0.split_first_chunk().ok_or(SHORT)?;
        self.0 = rest;
        Ok(*head)
    }

    pub(crate) fn slice(&mut self, length: usize) -> Result<&'a [u8], &'static str> {
        let (head, rest) = self.0.split_at_checked(length).ok_or(SHORT)?;
        self.0 = rest;
        Ok(head)
    }

    pub(crate) fn u8(&mut self) -> Result<u8, &'static str> {
        self.array::<1>().map(|[byte]| byte)
    }

    pub(crate) fn u16(&mut self) -> Result<u16, &'static str> {
        self.array().map(u16::from_be_bytes)
    }

    pub(crate) fn u32(&mut self) -> Result<u32, &'static str> {
        self.array().map(u32::from_be_bytes)
    }

    pub(crate) fn i64(&mut self) -> Result<i64, &'static str> {
        self.array().map(i64::from_be_bytes)
    }

    /// The whole must have been read.
    pub(crate) const fn end(self) -> Result<(), &'static str> {
        if self.0.is_empty() { Ok(()) } else { Err("has bytes left over") }
    }
}

/// The bytes before their SHA-256, which stands in the last 32.
pub(crate) fn summed(bytes: &[u8]) -> Result<&[u8], &'static str> {
    let (body, sum) = bytes.split_last_chunk::<32>().ok_or(SHORT)?;
    if *sum != crate::crypto::sha256(&[body]) {
        return Err("does not match its checksum");
    }
    Ok(body)
}

/// Puts the SHA-256 of what stands in `out` behind it.
pub(crate) fn sum(out: &mut Vec<u8>) {
    let sum = crate::crypto::sha256(&[out]);
    out.extend_from_slice(&sum);
}
