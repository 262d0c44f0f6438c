//! Words of a `FHIRPath` expression (<http://hl7.org/fhirpath/N1/grammar.html>, lexical part): text to
//! tokens on demand, each with the offset it begins at.

use crate::parse::Stop;

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A plain or backticked identifier; keywords are plain identifiers.
    Identifier { name: String, quoted: bool },
    /// `'text'`
    String(String),
    /// `12`
    Integer(String),
    /// `1.50`
    Decimal(String),
    /// `@2015`, `@2015-02-04`
    Date(String),
    /// `@2015T`, `@2015-02-04T14:34Z`
    DateTime(String),
    /// `@T14:34`
    Time(String),
    /// `%name`
    External(String),
    /// `$this`, `$index`, `$total`: the word.
    Special(&'static str),
    /// An operator or bracket.
    Sign(&'static str),
    /// The text is over.
    End,
}

/// Reads tokens from a text.
#[derive(Debug)]
pub(crate) struct Lexer<'t> {
    text: &'t str,
    at: usize,
}

/// Longer signs first.
const SIGNS: [&str; 24] = [
    "<=", ">=", "!=", "!~", "<", ">", "=", "~", "+", "-", "*", "/", "&", "|", ".", ",", "(", ")",
    "[", "]", "{", "}", ":", ";",
];

impl<'t> Lexer<'t> {
    pub(crate) const fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn peek(&self) -> Option<char> {
        self.rest().chars().next()
    }

    /// The next token and where it begins.
    pub(crate) fn next(&mut self) -> Result<(usize, Token), Stop> {
        self.space()?;
        let start = self.at;
        let Some(first) = self.peek() else { return Ok((start, Token::End)) };
        let token = match first {
            'a'..='z' | 'A'..='Z' | '_' => {
                Token::Identifier { name: self.word().to_owned(), quoted: false }
            }
            '`' => Token::Identifier { name: self.quoted('`')?, quoted: true },
            // Some published expressions quote strings with double quotes' older form; N1 has none.
            '\'' => Token::String(self.quoted('\'')?),
            '0'..='9' => self.number(),
            '@' => self.temporal()?,
            '%' => {
                self.at += 1;
                Token::External(match self.peek() {
                    Some(quote @ ('`' | '\'')) => self.quoted(quote)?,
                    Some(c) if c.is_ascii_alphabetic() || c == '_' => self.word().to_owned(),
                    _ => return Err((start, "a name is expected after %")),
                })
            }
            '$' => {
                self.at += 1;
                Token::Special(match self.word() {
                    "this" => "this",
                    "index" => "index",
                    "total" => "total",
                    _ => return Err((start, "only $this, $index and $total exist")),
                })
            }
            _ => {
                let rest = self.rest();
                let Some(sign) = SIGNS.iter().find(|sign| rest.starts_with(**sign)) else {
                    return Err((start, "this character has no place here"));
                };
                self.at += sign.len();
                Token::Sign(sign)
            }
        };
        Ok((start, token))
    }

    fn space(&mut self) -> Result<(), Stop> {
        loop {
            let rest = self.rest();
            let blank = rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            self.at += blank;
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += rest.find(['\r', '\n']).unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let Some(end) = rest.find("*/") else {
                    return Err((self.at, "the comment does not end"));
                };
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn take(&mut self, accept: impl Fn(char) -> bool) -> &'t str {
        let rest = self.rest();
        let len = rest.find(|c| !accept(c)).unwrap_or(rest.len());
        self.at += len;
        rest.get(..len).unwrap_or_default()
    }

    fn word(&mut self) -> &'t str {
        self.take(|c| c.is_ascii_alphanumeric() || c == '_')
    }

    fn digits(&mut self) -> usize {
        self.take(|c| c.is_ascii_digit()).len()
    }

    fn since(&self, start: usize) -> String {
        self.text.get(start..self.at).unwrap_or_default().to_owned()
    }

    fn eat(&mut self, expected: char) -> bool {
        let found = self.peek() == Some(expected);
        if found {
            self.at += expected.len_utf8();
        }
        found
    }

    /// Whether a digit follows the character the lexer stands on.
    fn digit_follows(&self) -> bool {
        self.rest().chars().nth(1).is_some_and(|c| c.is_ascii_digit())
    }

    fn number(&mut self) -> Token {
        let start = self.at;
        self.digits();
        if self.peek() == Some('.') && self.digit_follows() {
            self.at += 1;
            self.digits();
            return Token::Decimal(self.since(start));
        }
        Token::Integer(self.since(start))
    }

    /// `@` and a date, date and time, or time. Only the shape is read here: whether the month exists
    /// is the compiler's question.
    fn temporal(&mut self) -> Result<Token, Stop> {
        const SHAPE: &str = "a date, date and time, or time is expected after @";
        let begin = self.at;
        self.at += 1;
        let start = self.at;
        if self.eat('T') {
            let start = self.at;
            if !self.time_of_day() {
                return Err((begin, SHAPE));
            }
            if matches!(self.peek(), Some('Z')) {
                return Err((self.at, "a time of day has no time zone"));
            }
            return Ok(Token::Time(self.since(start)));
        }
        if self.digits() != 4 {
            return Err((begin, SHAPE));
        }
        for _ in 0..2 {
            if self.peek() == Some('-') && self.digit_follows() {
                self.at += 1;
                if self.digits() != 2 {
                    return Err((begin, SHAPE));
                }
            } else {
                break;
            }
        }
        if !self.eat('T') {
            return Ok(Token::Date(self.since(start)));
        }
        if self.peek().is_some_and(|c| c.is_ascii_digit()) {
            if !self.time_of_day() {
                return Err((begin, SHAPE));
            }
            if !self.eat('Z') && matches!(self.peek(), Some('+' | '-')) && self.zone_follows() {
                self.at += "+00:00".len();
            }
        }
        Ok(Token::DateTime(self.since(start)))
    }

    fn zone_follows(&self) -> bool {
        let zone = self.rest().as_bytes().get(1..6).unwrap_or_default();
        zone.len() == 5
            && zone
                .iter()
                .enumerate()
                .all(|(i, b)| if i == 2 { *b == b':' } else { b.is_ascii_digit() })
    }

    /// `hh`, `hh:mm`, `hh:mm:ss`, `hh:mm:ss.fff`
    fn time_of_day(&mut self) -> bool {
        if self.digits() != 2 {
            return false;
        }
        for _ in 0..2 {
            if self.peek() != Some(':') || !self.digit_follows() {
                return true;
            }
            self.at += 1;
            if self.digits() != 2 {
                return false;
            }
        }
        if self.peek() == Some('.') && self.digit_follows() {
            self.at += 1;
            self.digits();
        }
        true
    }

    fn quoted(&mut self, quote: char) -> Result<String, Stop> {
        let start = self.at;
        self.at += quote.len_utf8();
        let mut out = String::new();
        loop {
            out.push_str(self.take(|c| c != quote && c != '\\'));
            let at = self.at;
            match self.peek() {
                None => return Err((start, "the quotation does not end")),
                Some('\\') => {
                    self.at += 1;
                    out.push(self.escape().ok_or((at, "an unknown escape stands here"))?);
                }
                Some(_) => {
                    self.at += quote.len_utf8();
                    return Ok(out);
                }
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let c = self.peek()?;
        self.at += c.len_utf8();
        Some(match c {
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'f' => '\u{c}',
            '\'' | '"' | '`' | '\\' | '/' => c,
            'u' => {
                let high = self.unit()?;
                if !(0xD800..0xDC00).contains(&high) {
                    return char::from_u32(high);
                }
                // A character beyond the basic plane comes as two escapes, as in JSON.
                if !(self.eat('\\') && self.eat('u')) {
                    return None;
                }
                let low = self.unit().filter(|low| (0xDC00..0xE000).contains(low))?;
                char::from_u32(0x1_0000 + ((high - 0xD800) << 10) + (low - 0xDC00))?
            }
            _ => return None,
        })
    }

    fn unit(&mut self) -> Option<u32> {
        let hex = self.rest().get(..4)?;
        if !hex.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(hex, 16).ok()
    }
}
