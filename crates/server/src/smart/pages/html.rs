//! HTML in the making: what this program wrote stands as it is, and everything else is escaped for
//! text and for attributes alike (OWASP cross-site scripting prevention, rules 1 and 2).

/// A piece of a page.
#[derive(Debug, Default)]
pub(super) struct Html(String);

impl Html {
    pub(super) fn new() -> Self {
        Self::default()
    }

    /// Adds what stands in this program: nothing that came from outside lives that long.
    #[must_use]
    pub(super) fn raw(mut self, html: &'static str) -> Self {
        self.0.push_str(html);
        self
    }

    /// Adds anything else, escaped.
    #[must_use]
    pub(super) fn text(mut self, text: &str) -> Self {
        for c in text.chars() {
            match c {
                '&' => self.0.push_str("&amp;"),
                '<' => self.0.push_str("&lt;"),
                '>' => self.0.push_str("&gt;"),
                '"' => self.0.push_str("&quot;"),
                '\'' => self.0.push_str("&#39;"),
                c => self.0.push(c),
            }
        }
        self
    }

    /// Adds another piece.
    #[must_use]
    pub(super) fn join(mut self, other: &Self) -> Self {
        self.0.push_str(&other.0);
        self
    }

    pub(super) fn done(self) -> String {
        self.0
    }
}
