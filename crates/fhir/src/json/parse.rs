//! The parser: text to tape in one pass, iterative, bounded, exact about RFC 8259.

use super::{Kind, Node};
use base::error::code;
use base::{Code, Fault, Limits};

/// Why a text is not acceptable JSON, and where.
#[derive(Debug)]
pub struct ParseFault {
    code: &'static Code,
    what: &'static str,
    offset: usize,
    path: String,
}

impl From<ParseFault> for Fault {
    fn from(fault: ParseFault) -> Self {
        let diagnostics = format!("{} (at byte {})", fault.what, fault.offset);
        if fault.path.is_empty() {
            Self::new(fault.code, diagnostics)
        } else {
            Self::at(fault.code, diagnostics, fault.path)
        }
    }
}

/// Parses `text` into a tape.
pub(super) fn parse(text: &str, limits: &Limits) -> Result<Vec<Node>, ParseFault> {
    let mut nodes = Vec::with_capacity(text.len() / 16 + 4);
    parse_into(text, limits, &mut nodes)?;
    Ok(nodes)
}

/// Parses `text` into `nodes`, reusing its allocation.
pub(super) fn parse_into(
    text: &str,
    limits: &Limits,
    nodes: &mut Vec<Node>,
) -> Result<(), ParseFault> {
    nodes.clear();
    let limit = limits.json_bytes.min(u32::MAX as usize - 1);
    if text.len() > limit {
        return Err(ParseFault {
            code: &code::JSON_SIZE,
            what: "the document is too large",
            offset: text.len(),
            path: String::new(),
        });
    }
    let mut parser = Parser { bytes: text.as_bytes(), at: 0, nodes, open: Vec::new(), limits };
    match parser.run() {
        Ok(()) => Ok(()),
        Err((code, what)) => {
            let (offset, path) = (parser.at, parser.path());
            Err(ParseFault { code, what, offset, path })
        }
    }
}

type Stop = (&'static Code, &'static str);

struct Parser<'t, 'n> {
    bytes: &'t [u8],
    at: usize,
    nodes: &'n mut Vec<Node>,
    /// Indexes of the containers that are open, outermost first.
    open: Vec<u32>,
    limits: &'t Limits,
}

const fn syntax(what: &'static str) -> Stop {
    (&code::JSON_SYNTAX, what)
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "offsets and node counts fit u32: the text was checked to be shorter than u32::MAX"
)]
impl Parser<'_, '_> {
    fn run(&mut self) -> Result<(), Stop> {
        // Some writers begin a file with a byte order mark.
        if self.bytes.starts_with(&[0xEF, 0xBB, 0xBF]) {
            self.at = 3;
        }
        self.space();
        self.value(0, 0)?;
        while let Some(&container) = self.open.last() {
            self.step(container)?;
        }
        self.space();
        if self.at < self.bytes.len() {
            return Err(syntax("something follows the end of the document"));
        }
        Ok(())
    }

    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn space(&mut self) {
        while let Some(b' ' | b'\n' | b'\r' | b'\t') = self.peek() {
            self.at += 1;
        }
    }

    /// Parses the next member or item of the innermost open container, or closes it.
    fn step(&mut self, container: u32) -> Result<(), Stop> {
        let index = container as usize;
        let is_object = self.nodes.get(index).is_some_and(|n| n.kind == Kind::Object);
        let first = self.nodes.len() == index + 1;
        let closing = if is_object { b'}' } else { b']' };
        self.space();
        match self.peek() {
            Some(b) if b == closing => {
                self.at += 1;
                return self.close(index);
            }
            Some(b',') if !first => {
                self.at += 1;
                self.space();
            }
            None => return Err(syntax("the document ends inside an object or array")),
            Some(_) if !first => return Err(syntax("a comma or closing bracket is expected")),
            Some(_) => {}
        }
        if !is_object {
            return self.value(0, 0);
        }
        if self.peek() != Some(b'"') {
            return Err(syntax("a property name in quotes is expected"));
        }
        self.at += 1;
        let (key_start, key_end, escaped) = self.string()?;
        if escaped {
            return Err(syntax("a property name holds an escape; FHIR names need none"));
        }
        let Ok(key_len) = u16::try_from(key_end - key_start) else {
            return Err(syntax("a property name is longer than 65,535 bytes"));
        };
        if key_len == 0 {
            return Err(syntax("a property name is empty"));
        }
        self.space();
        if self.peek() != Some(b':') {
            return Err(syntax("a colon is expected after a property name"));
        }
        self.at += 1;
        self.space();
        self.value(key_start as u32, key_len)
    }

    fn close(&mut self, index: usize) -> Result<(), Stop> {
        let next = self.nodes.len() as u32;
        let end = self.at as u32;
        let mut is_object = false;
        if let Some(node) = self.nodes.get_mut(index) {
            node.next = next;
            node.end = end;
            is_object = node.kind == Kind::Object;
        }
        self.open.pop();
        if is_object { self.refuse_duplicates(index) } else { Ok(()) }
    }

    /// RFC 8259 leaves duplicate names undefined, and readers differ, so nobody may rely on them.
    fn refuse_duplicates(&self, index: usize) -> Result<(), Stop> {
        let key = |n: &Node| {
            let from = n.key_start as usize;
            self.bytes.get(from..from + n.key_len as usize).unwrap_or_default()
        };
        let end = self.nodes.len();
        let mut seen: [&[u8]; 32] = [&[]; 32];
        let mut count = 0usize;
        let mut at = index + 1;
        while let Some(node) = self.nodes.get(at).filter(|_| at < end) {
            let name = key(node);
            if let Some(slot) = seen.get_mut(count) {
                *slot = name;
            }
            if count < seen.len() {
                let earlier = seen.get(..count).unwrap_or_default();
                if earlier.iter().any(|e| e.len() == name.len() && *e == name) {
                    return Err((&code::JSON_DUPLICATE, "a property name stands twice"));
                }
            }
            count += 1;
            at = node.next as usize;
        }
        if count > seen.len() {
            let mut names = std::collections::HashSet::with_capacity(count);
            let mut at = index + 1;
            while let Some(node) = self.nodes.get(at).filter(|_| at < end) {
                if !names.insert(key(node)) {
                    return Err((&code::JSON_DUPLICATE, "a property name stands twice"));
                }
                at = node.next as usize;
            }
        }
        Ok(())
    }

    fn value(&mut self, key_start: u32, key_len: u16) -> Result<(), Stop> {
        if self.nodes.len() >= self.limits.json_elements {
            return Err((&code::JSON_ELEMENTS, "the document has too many elements"));
        }
        let begin = self.at;
        let Some(byte) = self.peek() else {
            return Err(syntax("a value is expected, but the document ends"));
        };
        let mut node = Node {
            key_start,
            start: begin as u32,
            end: 0,
            next: self.nodes.len() as u32 + 1,
            key_len,
            kind: Kind::Null,
            escaped: false,
        };
        match byte {
            b'{' | b'[' => {
                if self.open.len() >= self.limits.json_depth {
                    return Err((&code::JSON_DEPTH, "the document is nested too deeply"));
                }
                node.kind = if byte == b'{' { Kind::Object } else { Kind::Array };
                self.at += 1;
                self.open.push(self.nodes.len() as u32);
                self.nodes.push(node);
                return Ok(());
            }
            b'"' => {
                self.at += 1;
                let (start, end, escaped) = self.string()?;
                node.kind = Kind::String;
                node.escaped = escaped;
                node.start = start as u32;
                node.end = end as u32;
                self.nodes.push(node);
                return Ok(());
            }
            b'-' | b'0'..=b'9' => {
                node.kind = Kind::Number;
                self.number()?;
            }
            b't' => {
                node.kind = Kind::True;
                self.word(b"true")?;
            }
            b'f' => {
                node.kind = Kind::False;
                self.word(b"false")?;
            }
            b'n' => self.word(b"null")?,
            _ => return Err(syntax("a value is expected")),
        }
        node.end = self.at as u32;
        self.nodes.push(node);
        Ok(())
    }

    fn word(&mut self, word: &'static [u8]) -> Result<(), Stop> {
        if self.bytes.get(self.at..).is_some_and(|rest| rest.starts_with(word)) {
            self.at += word.len();
            Ok(())
        } else {
            Err(syntax("a value is expected"))
        }
    }

    fn digits(&mut self) -> usize {
        let from = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_digit()) {
            self.at += 1;
        }
        self.at - from
    }

    fn number(&mut self) -> Result<(), Stop> {
        if self.peek() == Some(b'-') {
            self.at += 1;
        }
        if self.peek() == Some(b'0') {
            self.at += 1;
            if self.peek().is_some_and(|b| b.is_ascii_digit()) {
                return Err(syntax("a number begins with a superfluous zero"));
            }
        } else if self.digits() == 0 {
            return Err(syntax("a digit is expected"));
        }
        if self.peek() == Some(b'.') {
            self.at += 1;
            if self.digits() == 0 {
                return Err(syntax("a digit is expected after the decimal point"));
            }
        }
        if let Some(b'e' | b'E') = self.peek() {
            self.at += 1;
            if let Some(b'+' | b'-') = self.peek() {
                self.at += 1;
            }
            if self.digits() == 0 {
                return Err(syntax("a digit is expected in the exponent"));
            }
        }
        Ok(())
    }

    /// Scans a string whose opening quote was consumed; leaves `at` behind the closing one.
    fn string(&mut self) -> Result<(usize, usize, bool), Stop> {
        let start = self.at;
        let mut escaped = false;
        loop {
            let rest = self.bytes.get(self.at..).unwrap_or_default();
            let Some(step) = rest.iter().position(|&b| b == b'"' || b == b'\\' || b < 0x20) else {
                self.at = self.bytes.len();
                return Err(syntax("the document ends inside a string"));
            };
            self.at += step;
            match self.peek() {
                Some(b'"') => {
                    let end = self.at;
                    self.at += 1;
                    return Ok((start, end, escaped));
                }
                Some(b'\\') => {
                    escaped = true;
                    self.escape()?;
                }
                _ => return Err(syntax("a control character stands unescaped in a string")),
            }
        }
    }

    fn escape(&mut self) -> Result<(), Stop> {
        self.at += 1;
        match self.peek() {
            Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => {
                self.at += 1;
                Ok(())
            }
            Some(b'u') => {
                let unit = self.unit()?;
                if (0xDC00..0xE000).contains(&unit) {
                    return Err(syntax("a low surrogate stands alone in a string"));
                }
                if (0xD800..0xDC00).contains(&unit) {
                    let low = if self.peek() == Some(b'\\')
                        && self.bytes.get(self.at + 1) == Some(&b'u')
                    {
                        self.at += 1;
                        self.unit()?
                    } else {
                        0
                    };
                    if !(0xDC00..0xE000).contains(&low) {
                        return Err(syntax("a high surrogate stands alone in a string"));
                    }
                }
                Ok(())
            }
            _ => Err(syntax("an unknown escape stands in a string")),
        }
    }

    /// Reads `uXXXX`, standing on the `u`.
    fn unit(&mut self) -> Result<u32, Stop> {
        self.at += 1;
        let mut unit = 0;
        for _ in 0..4 {
            let digit = match self.peek() {
                Some(b @ b'0'..=b'9') => u32::from(b - b'0'),
                Some(b @ b'a'..=b'f') => u32::from(b - b'a') + 10,
                Some(b @ b'A'..=b'F') => u32::from(b - b'A') + 10,
                _ => return Err(syntax("four hexadecimal digits are expected after \\u")),
            };
            unit = unit * 16 + digit;
            self.at += 1;
        }
        Ok(unit)
    }

    /// The path of the place the parser stands at: names of open containers, never content.
    fn path(&self) -> String {
        let mut path = String::new();
        for (level, &container) in self.open.iter().enumerate() {
            let Some(node) = self.nodes.get(container as usize) else { break };
            // The child of this container that leads to the place is the last one begun.
            let inner = self.open.get(level + 1).copied();
            let mut at = container as usize + 1;
            let mut last: Option<usize> = None;
            let mut count = 0usize;
            while at < self.nodes.len() {
                last = Some(at);
                if inner == Some(at as u32) {
                    break;
                }
                count += 1;
                at = self.nodes.get(at).map_or(usize::MAX, |n| n.next as usize);
            }
            let Some(child) = last.and_then(|l| self.nodes.get(l)) else { break };
            if node.kind == Kind::Array {
                let index = if inner.is_some() { count } else { count.saturating_sub(1) };
                path.push_str(&format!("[{index}]"));
            } else {
                let from = child.key_start as usize;
                let name = self.bytes.get(from..from + child.key_len as usize).unwrap_or_default();
                if !path.is_empty() {
                    path.push('.');
                }
                path.push_str(&String::from_utf8_lossy(name));
            }
        }
        path
    }
}
