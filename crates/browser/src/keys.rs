//! Keys by their names, as [UI Events](https://www.w3.org/TR/uievents-key/) gives them, in the terms in
//! which the protocol presses them: `Tab`, `Shift+Tab`, `Control+k`, `/`.

use anyhow::bail;

/// A key that is pressed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Key {
    pub(crate) key: String,
    pub(crate) code: String,
    pub(crate) number: u32,
    pub(crate) modifiers: u32,
    /// What it writes, if anything.
    pub(crate) text: Option<String>,
}

const SHIFT: u32 = 8;
const MODIFIERS: [(&str, u32); 4] = [("Alt", 1), ("Control", 2), ("Meta", 4), ("Shift", SHIFT)];
/// Name, number on Windows, which browsers still tell, and what it writes.
const NAMED: [(&str, u32, Option<&str>); 14] = [
    ("Tab", 9, None),
    ("Enter", 13, Some("\r")),
    ("Escape", 27, None),
    ("Backspace", 8, None),
    ("Delete", 46, None),
    ("ArrowLeft", 37, None),
    ("ArrowUp", 38, None),
    ("ArrowRight", 39, None),
    ("ArrowDown", 40, None),
    ("Home", 36, None),
    ("End", 35, None),
    ("PageUp", 33, None),
    ("PageDown", 34, None),
    ("F2", 113, None),
];

impl Key {
    /// Reads `Modifier+…+Key`.
    ///
    /// # Errors
    /// A name that is no key: a test that presses nothing would prove nothing.
    pub(crate) fn parse(name: &str) -> anyhow::Result<Self> {
        let (mut rest, mut modifiers) = (name, 0);
        while let Some((modifier, after)) = rest.split_once('+')
            && !after.is_empty()
        {
            let Some((_, bit)) = MODIFIERS.iter().find(|(known, _)| *known == modifier) else {
                bail!("{name}: {modifier} is no modifier");
            };
            modifiers |= bit;
            rest = after;
        }
        // With Control and the like a key does something; it writes nothing.
        let writes = modifiers & !SHIFT == 0;
        if let Some((key, number, text)) = NAMED.iter().find(|(known, ..)| *known == rest) {
            let text = text.filter(|_| writes).map(str::to_owned);
            let (key, code) = ((*key).to_owned(), (*key).to_owned());
            return Ok(Self { key, code, number: *number, modifiers, text });
        }
        let rest = if rest == "Space" { " " } else { rest };
        let mut all = rest.chars();
        let (Some(c), None) = (all.next(), all.next()) else { bail!("{name} is no key") };
        let upper = c.to_ascii_uppercase();
        let code = match c {
            ' ' => "Space".to_owned(),
            '/' => "Slash".to_owned(),
            '.' => "Period".to_owned(),
            c if c.is_ascii_alphabetic() => format!("Key{upper}"),
            c if c.is_ascii_digit() => format!("Digit{c}"),
            _ => String::new(),
        };
        let number = match c {
            '/' => 191,
            '.' => 190,
            _ if code.is_empty() => 0,
            _ => u32::from(upper),
        };
        let text = writes.then(|| c.to_string());
        Ok(Self { key: c.to_string(), code, number, modifiers, text })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_writes_unless_a_modifier_makes_it_a_command() {
        let key = Key::parse("k").expect("a key");
        assert_eq!((key.code.as_str(), key.number, key.text.as_deref()), ("KeyK", 75, Some("k")));
        let key = Key::parse("Control+k").expect("a key");
        assert_eq!((key.modifiers, key.text), (2, None));
        let key = Key::parse("Control+Shift+Tab").expect("a key");
        assert_eq!((key.key.as_str(), key.modifiers), ("Tab", 10));
        assert_eq!(Key::parse("+").expect("a key").text.as_deref(), Some("+"));
        assert_eq!(Key::parse("Space").expect("a key").text.as_deref(), Some(" "));
    }

    #[test]
    fn what_is_no_key_is_refused() {
        for wrong in ["", "Entr", "Ctrl+k", "kk"] {
            assert!(Key::parse(wrong).is_err(), "{wrong}");
        }
    }
}
