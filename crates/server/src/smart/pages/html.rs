//! HTML in the making, in one language: what this program wrote stands as it is, and everything else is escaped
//! for text and for attributes alike (OWASP cross-site scripting prevention, rules 1 and 2).

use console::{Lang, Word};

/// A piece of a page.
#[derive(Debug)]
pub(super) struct Html {
    text: String,
    lang: Lang,
}

impl Html {
    pub(super) const fn new(lang: Lang) -> Self {
        Self { text: String::new(), lang }
    }

    /// The language it is in.
    pub(super) const fn lang(&self) -> Lang {
        self.lang
    }

    /// Adds what stands in this program: nothing that came from outside lives that long.
    #[must_use]
    pub(super) fn raw(mut self, html: &'static str) -> Self {
        self.text.push_str(html);
        self
    }

    /// Adds a word of the catalogue.
    #[must_use]
    pub(super) fn say(self, word: Word) -> Self {
        let lang = self.lang;
        self.text(word.of(lang))
    }

    /// Adds a sentence of the catalogue, with each `{}` replaced by a piece.
    #[must_use]
    pub(super) fn fill(mut self, word: Word, pieces: &[Self]) -> Self {
        let mut parts = word.of(self.lang).split("{}");
        self = self.text(parts.next().unwrap_or_default());
        for (part, piece) in parts.zip(pieces) {
            self = self.join(piece).text(part);
        }
        self
    }

    /// Adds a text in bold.
    #[must_use]
    pub(super) fn bold(self, text: &str) -> Self {
        self.raw("<b>").text(text).raw("</b>")
    }

    /// Adds anything else, escaped.
    #[must_use]
    pub(super) fn text(mut self, text: &str) -> Self {
        for c in text.chars() {
            match c {
                '&' => self.text.push_str("&amp;"),
                '<' => self.text.push_str("&lt;"),
                '>' => self.text.push_str("&gt;"),
                '"' => self.text.push_str("&quot;"),
                '\'' => self.text.push_str("&#39;"),
                c => self.text.push(c),
            }
        }
        self
    }

    /// Adds another piece.
    #[must_use]
    pub(super) fn join(mut self, other: &Self) -> Self {
        self.text.push_str(&other.text);
        self
    }

    pub(super) fn done(self) -> String {
        self.text
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use console::sign_in_words as words;

    #[test]
    fn pieces_stand_in_the_places_of_a_sentence_and_what_they_hold_is_no_place() {
        let bold = |text| Html::new(Lang::Es).bold(text);
        let html = Html::new(Lang::Es).fill(words::AUTH_ASKS, &[bold("{}"), bold("<a>")]);
        let said = "La aplicación <b>{}</b>, de <b>&lt;a&gt;</b>, pide lo siguiente.";
        assert_eq!(html.done(), said);
    }
}
