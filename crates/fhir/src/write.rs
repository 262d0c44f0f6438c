//! A small JSON writer for what the product itself says: outcomes, bundles, capabilities.

/// Appends JSON to a buffer, placing commas itself. The caller closes what it opens.
#[derive(Debug, Default)]
pub struct Writer {
    out: Vec<u8>,
    comma: bool,
}

impl Writer {
    /// An empty writer.
    pub fn new() -> Self {
        Self::default()
    }

    /// A writer that appends to `out`.
    pub const fn onto(out: Vec<u8>) -> Self {
        Self { out, comma: false }
    }

    /// What was written.
    pub fn finish(self) -> Vec<u8> {
        self.out
    }

    /// Bytes so far.
    pub fn len(&self) -> usize {
        self.out.len()
    }

    /// Nothing written yet.
    pub fn is_empty(&self) -> bool {
        self.out.is_empty()
    }

    fn separate(&mut self) {
        if self.comma {
            self.out.push(b',');
        }
        self.comma = true;
    }

    /// Writes a member's name; a value must follow.
    pub fn key(&mut self, name: &str) -> &mut Self {
        self.separate();
        quote(name, &mut self.out);
        self.out.push(b':');
        self.comma = false;
        self
    }

    /// Opens an object.
    pub fn object(&mut self) -> &mut Self {
        self.separate();
        self.out.push(b'{');
        self.comma = false;
        self
    }

    /// Closes an object.
    pub fn end_object(&mut self) -> &mut Self {
        self.out.push(b'}');
        self.comma = true;
        self
    }

    /// Opens an array.
    pub fn array(&mut self) -> &mut Self {
        self.separate();
        self.out.push(b'[');
        self.comma = false;
        self
    }

    /// Closes an array.
    pub fn end_array(&mut self) -> &mut Self {
        self.out.push(b']');
        self.comma = true;
        self
    }

    /// A string value, escaped.
    pub fn string(&mut self, text: &str) -> &mut Self {
        self.separate();
        quote(text, &mut self.out);
        self
    }

    /// JSON text written as it is: a number, a boolean, or a whole subtree.
    pub fn raw(&mut self, json: &[u8]) -> &mut Self {
        self.separate();
        self.out.extend_from_slice(json);
        self
    }

    /// An integer.
    pub fn integer(&mut self, value: i64) -> &mut Self {
        self.raw(value.to_string().as_bytes())
    }

    /// A boolean.
    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.raw(if value { b"true" } else { b"false" })
    }

    /// `"name": "text"`
    pub fn member(&mut self, name: &str, text: &str) -> &mut Self {
        self.key(name).string(text)
    }
}

/// Appends `text` as a JSON string, quotes included.
pub fn quote(text: &str, out: &mut Vec<u8>) {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    out.push(b'"');
    let mut clean = 0;
    for (at, byte) in text.bytes().enumerate() {
        if byte >= 0x20 && byte != b'"' && byte != b'\\' {
            continue;
        }
        out.extend_from_slice(text.as_bytes().get(clean..at).unwrap_or_default());
        clean = at + 1;
        match byte {
            b'"' => out.extend_from_slice(b"\\\""),
            b'\\' => out.extend_from_slice(b"\\\\"),
            b'\n' => out.extend_from_slice(b"\\n"),
            b'\r' => out.extend_from_slice(b"\\r"),
            b'\t' => out.extend_from_slice(b"\\t"),
            other => {
                out.extend_from_slice(b"\\u00");
                for nibble in [other >> 4, other & 15] {
                    out.push(HEX.get(usize::from(nibble)).copied().unwrap_or(b'0'));
                }
            }
        }
    }
    out.extend_from_slice(text.as_bytes().get(clean..).unwrap_or_default());
    out.push(b'"');
}
