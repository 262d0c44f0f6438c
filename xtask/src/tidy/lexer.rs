//! A small lexer for Rust (<https://doc.rust-lang.org/reference/tokens.html>): enough to tell
//! identifiers, string literals and comments apart, so that a rule about code is not fooled by prose.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An identifier or keyword.
    Ident,
    /// The inside of a string literal of any sort, escapes untouched.
    Str,
    /// A comment with its slashes.
    Comment,
    /// One character of punctuation.
    Punct,
    /// A number, character or lifetime.
    Other,
}

/// A token and the line it begins on, counted from 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    pub(super) line: usize,
}

impl Token<'_> {
    /// Whether this is the identifier or punctuation `text`.
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Ident | Kind::Punct) && self.text == text
    }
}

/// Cuts `text` into tokens. Never fails: what it does not know becomes punctuation.
pub(super) fn tokens(text: &str) -> Vec<Token<'_>> {
    let (mut out, mut rest, mut line) = (Vec::new(), text, 1);
    while let Some(first) = rest.chars().next() {
        let (kind, inner, length) = token(rest, first);
        if let Some(kind) = kind {
            out.push(Token { kind, text: inner, line });
        }
        let (taken, after) = rest.split_at_checked(length.max(1)).unwrap_or((rest, ""));
        line += taken.matches('\n').count();
        rest = after;
    }
    out
}

/// The tokens before the unit tests (`#[cfg(test)] mod`): what ships.
pub(super) fn shipped<'t, 'a>(tokens: &'t [Token<'a>]) -> &'t [Token<'a>] {
    let code: Vec<usize> = (0..tokens.len())
        .filter(|&i| tokens.get(i).is_some_and(|t| t.kind != Kind::Comment))
        .collect();
    let mark = ["#", "[", "cfg", "(", "test", ")", "]"];
    let start = code.windows(mark.len() + 1).find(|window| {
        let is =
            |at: Option<&usize>, text| at.and_then(|&i| tokens.get(i)).is_some_and(|t| t.is(text));
        mark.iter().enumerate().all(|(n, text)| is(window.get(n), text))
            && ["mod", "#"].iter().any(|text| is(window.get(mark.len()), text))
    });
    let end = start.and_then(|window| window.first()).copied().unwrap_or(tokens.len());
    tokens.get(..end).unwrap_or(tokens)
}

/// The kind (`None` for blank space), the text that counts, and the bytes taken from `rest`.
fn token(rest: &str, first: char) -> (Option<Kind>, &str, usize) {
    if first.is_whitespace() {
        return (None, "", run_length(rest, char::is_whitespace));
    }
    if rest.starts_with("//") {
        let length = rest.find('\n').unwrap_or(rest.len());
        return (Some(Kind::Comment), rest.get(..length).unwrap_or(rest), length);
    }
    if rest.starts_with("/*") {
        let length = block_comment(rest);
        return (Some(Kind::Comment), rest.get(..length).unwrap_or(rest), length);
    }
    if let Some((inner, length)) = string(rest) {
        return (Some(Kind::Str), inner, length);
    }
    if first == '\'' {
        let length = quote(rest);
        return (Some(Kind::Other), rest.get(..length).unwrap_or(rest), length);
    }
    if is_word(first) {
        let kind = if first.is_ascii_digit() { Kind::Other } else { Kind::Ident };
        let length = run_length(rest, is_word);
        return (Some(kind), rest.get(..length).unwrap_or(rest), length);
    }
    let length = first.len_utf8();
    (Some(Kind::Punct), rest.get(..length).unwrap_or(rest), length)
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

fn run_length(rest: &str, belongs: impl Fn(char) -> bool) -> usize {
    rest.find(|c| !belongs(c)).unwrap_or(rest.len())
}

fn block_comment(rest: &str) -> usize {
    let (mut depth, mut at) = (0usize, 0);
    loop {
        let tail = rest.get(at..).unwrap_or("");
        if tail.starts_with("/*") {
            depth += 1;
            at += 2;
        } else if tail.starts_with("*/") {
            depth = depth.saturating_sub(1);
            at += 2;
        } else {
            match tail.chars().next() {
                Some(c) => at += c.len_utf8(),
                None => return rest.len(),
            }
        }
        if depth == 0 {
            return at;
        }
    }
}

/// A string literal at the start of `rest`: its inside and its whole length.
fn string(rest: &str) -> Option<(&str, usize)> {
    for prefix in ["br", "cr", "r", "b", "c", ""] {
        let Some(tail) = rest.strip_prefix(prefix) else { continue };
        let raw = prefix.ends_with('r');
        let hashes = if raw { run_length(tail, |c| c == '#') } else { 0 };
        let Some(body) = tail.get(hashes..).and_then(|t| t.strip_prefix('"')) else { continue };
        let (inner, close) = if raw {
            let close = format!("\"{}", "#".repeat(hashes));
            (body.find(&close).unwrap_or(body.len()), close.len())
        } else {
            (closing(body, '"'), 1)
        };
        let length = (prefix.len() + hashes + 1 + inner + close).min(rest.len());
        return Some((body.get(..inner)?, length));
    }
    None
}

/// Where the unescaped `end` stands in `body`.
fn closing(body: &str, end: char) -> usize {
    let mut escaped = false;
    for (at, c) in body.char_indices() {
        if c == end && !escaped {
            return at;
        }
        escaped = c == '\\' && !escaped;
    }
    body.len()
}

/// The length of the character literal or lifetime that begins with a quote.
fn quote(rest: &str) -> usize {
    let body = rest.get(1..).unwrap_or("");
    let mut chars = body.chars();
    match (chars.next(), chars.next()) {
        (Some('\\'), _) => closing(body, '\'') + 2,
        (Some(c), Some('\'')) => c.len_utf8() + 2,
        _ => run_length(body, is_word) + 1,
    }
    .min(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(kind: Kind, text: &str) -> Vec<&str> {
        tokens(text).into_iter().filter(|t| t.kind == kind).map(|t| t.text).collect()
    }

    #[test]
    fn strings_of_every_sort_are_strings() {
        let text = r####"f("a\"b", r"c\", r#"d"e"#, b"f", br##"g"#h"##, c"i")"####;
        assert_eq!(of(Kind::Str, text), [r#"a\"b"#, r"c\", r#"d"e"#, "f", r##"g"#h"##, "i"]);
    }

    #[test]
    fn characters_and_lifetimes_do_not_open_strings() {
        let text = r#"fn f<'a>(x: &'a str) { ('"', '\'', '\\', 'é', b'"', "real") }"#;
        assert_eq!(of(Kind::Str, text), ["real"]);
    }

    #[test]
    fn comments_nest_and_hold_no_code() {
        let text = "a /* b /* c */ \"d */ e // f \"g\nh";
        assert_eq!(of(Kind::Ident, text), ["a", "e", "h"]);
        assert_eq!(of(Kind::Comment, text).len(), 2);
        assert_eq!(tokens(text).last().map(|t| t.line), Some(2));
    }

    #[test]
    fn what_ships_ends_at_the_tests() {
        let text = "fn a() {}\n#[cfg(test)]\nmod tests { fn b() {} }";
        let all = tokens(text);
        let shipped: Vec<_> = shipped(&all).iter().map(|t| t.text).collect();
        assert_eq!(shipped, ["fn", "a", "(", ")", "{", "}"]);
    }

    #[test]
    fn broken_text_ends() {
        for text in ["\"open", "r#\"open", "/* open", "'", "'\\", "b'", "🦀", "r#fn"] {
            assert!(!tokens(text).is_empty(), "{text}");
        }
    }
}
