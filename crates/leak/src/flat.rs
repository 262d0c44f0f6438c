//! A JSON text as the list of its leaves, each with its path and its very bytes (RFC 8259). Order and
//! the digits of numbers are kept, so that two answers that differ in either are told apart; a parser
//! that makes maps and floats would lose both.

use std::fmt::Write;

/// One leaf: a string, number, literal, or an empty object or array.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaf {
    /// Where it stands: `entry[0].resource.id`.
    pub path: String,
    /// Its bytes in the text, quotes and escapes with them.
    pub raw: String,
}

impl Leaf {
    /// What the leaf says, if it is a string.
    pub fn text(&self) -> Option<String> {
        self.raw.starts_with('"').then(|| serde_json::from_str(&self.raw).ok()).flatten()
    }
}

/// The leaves of a text in their order; `None` when it is no JSON, or nested more than 128 deep.
pub fn flatten(bytes: &[u8]) -> Option<Vec<Leaf>> {
    // The library judges; what follows may then take the grammar for granted, and its depth as bounded.
    serde_json::from_slice::<serde_json::Value>(bytes).ok()?;
    let mut walk = Walk { bytes, at: 0, out: Vec::new(), path: String::new() };
    walk.value()?;
    Some(walk.out)
}

struct Walk<'b> {
    bytes: &'b [u8],
    at: usize,
    out: Vec<Leaf>,
    path: String,
}

impl Walk<'_> {
    fn peek(&mut self) -> Option<u8> {
        while self.bytes.get(self.at).is_some_and(u8::is_ascii_whitespace) {
            self.at += 1;
        }
        self.bytes.get(self.at).copied()
    }

    /// Takes the byte if it comes next.
    fn takes(&mut self, byte: u8) -> bool {
        let next = self.peek() == Some(byte);
        self.at += usize::from(next);
        next
    }

    fn value(&mut self) -> Option<()> {
        match self.peek()? {
            b'{' => self.object(),
            b'[' => self.array(),
            b'"' => {
                let raw = self.string()?;
                self.leaf(raw);
                Some(())
            }
            _ => {
                let start = self.at;
                let ends = |b: &u8| matches!(b, b',' | b']' | b'}') || b.is_ascii_whitespace();
                while self.bytes.get(self.at).is_some_and(|b| !ends(b)) {
                    self.at += 1;
                }
                let raw = self.slice(start)?;
                self.leaf(raw);
                Some(())
            }
        }
    }

    fn object(&mut self) -> Option<()> {
        self.at += 1;
        if self.takes(b'}') {
            self.leaf("{}".to_owned());
            return Some(());
        }
        loop {
            self.peek()?;
            let name = self.string()?;
            let length = self.path.len();
            if length > 0 {
                self.path.push('.');
            }
            self.path.push_str(name.trim_matches('"'));
            if !self.takes(b':') {
                return None;
            }
            self.value()?;
            self.path.truncate(length);
            if self.takes(b'}') {
                return Some(());
            }
            if !self.takes(b',') {
                return None;
            }
        }
    }

    fn array(&mut self) -> Option<()> {
        self.at += 1;
        if self.takes(b']') {
            self.leaf("[]".to_owned());
            return Some(());
        }
        for index in 0_usize.. {
            let length = self.path.len();
            write!(self.path, "[{index}]").ok()?;
            self.value()?;
            self.path.truncate(length);
            if self.takes(b']') {
                return Some(());
            }
            if !self.takes(b',') {
                return None;
            }
        }
        None
    }

    /// The string that begins here, with its quotes.
    fn string(&mut self) -> Option<String> {
        let start = self.at;
        self.at += 1;
        loop {
            match self.bytes.get(self.at)? {
                b'\\' => self.at += 2,
                b'"' => {
                    self.at += 1;
                    return self.slice(start);
                }
                _ => self.at += 1,
            }
        }
    }

    fn slice(&self, start: usize) -> Option<String> {
        let bytes = self.bytes.get(start..self.at)?;
        Some(String::from_utf8_lossy(bytes).into_owned())
    }

    fn leaf(&mut self, raw: String) {
        self.out.push(Leaf { path: self.path.clone(), raw });
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn pairs(text: &str) -> Vec<(String, String)> {
        let leaves = flatten(text.as_bytes()).expect("JSON");
        leaves.into_iter().map(|leaf| (leaf.path, leaf.raw)).collect()
    }

    #[test]
    fn keeps_order_digits_and_empty_things() {
        let found = pairs(r#" {"b":[1.00,{"x":"a\"b"}], "a":{}, "c":[] , "d":null}"#);
        let found: Vec<_> = found.iter().map(|(p, r)| format!("{p}={r}")).collect();
        assert_eq!(found, ["b[0]=1.00", r#"b[1].x="a\"b""#, "a={}", "c=[]", "d=null"]);
        assert_ne!(pairs(r#"{"a":1,"b":2}"#), pairs(r#"{"b":2,"a":1}"#));
        assert_eq!(flatten(b"[1,"), None);
        assert_eq!(flatten(b"not found"), None);
    }

    proptest! {
        #[test]
        fn never_panics_on_any_bytes(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = flatten(&bytes);
        }

        #[test]
        fn takes_what_the_library_takes(text in r#"[\[\]{},:"a\\1 ]{0,24}"#) {
            let judged = serde_json::from_str::<serde_json::Value>(&text).is_ok();
            prop_assert_eq!(flatten(text.as_bytes()).is_some(), judged);
        }
    }
}
