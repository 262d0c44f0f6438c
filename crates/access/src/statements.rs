//! A policy text, taken apart into its statements with their lines, so that each is parsed alone
//! and a fault names the place. Only strings and comments are understood here; the rest is Cedar's.

/// One statement, from its first annotation to its semicolon.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Statement<'t> {
    /// The line it begins at, from 1.
    pub(crate) line: usize,
    pub(crate) text: &'t str,
    /// Its operators, brackets and attributes, counted.
    pub(crate) weight: usize,
    /// How deep its brackets and conditions could be nested.
    pub(crate) depth: usize,
}

/// The statements of a text. What stands after the last semicolon is one more, if it says anything.
pub(crate) fn statements(text: &str) -> Vec<Statement<'_>> {
    #[derive(PartialEq)]
    enum At {
        Code,
        Text,
        Escape,
        Comment,
    }
    let mut found = Vec::new();
    let mut at = At::Code;
    let mut line = 1;
    let mut start: Option<(usize, usize)> = None;
    let mut before = ' ';
    let mut weight = 0;
    let (mut open, mut depth) = (0_usize, 0);
    for (offset, char) in text.char_indices() {
        match at {
            At::Comment => {
                if char == '\n' {
                    at = At::Code;
                }
            }
            At::Escape => at = At::Text,
            At::Text => match char {
                '\\' => at = At::Escape,
                '"' => at = At::Code,
                _ => {}
            },
            At::Code => {
                if char == '/' && before == '/' {
                    at = At::Comment;
                    // The first slash seemed to begin a statement.
                    if start.is_some_and(|(begin, _)| begin + 1 == offset) {
                        start = None;
                    }
                } else {
                    if start.is_none() && !char.is_whitespace() {
                        start = Some((offset, line));
                    }
                    let nests = matches!(char, '!' | '(' | '[' | '{' | '.' | '-')
                        || (matches!(char, '&' | '|') && before == char);
                    weight += usize::from(nests);
                    match char {
                        '(' | '[' | '{' => open += 1,
                        ')' | ']' | '}' => open = open.saturating_sub(1),
                        _ => {}
                    }
                    depth = depth.max(open);
                    if char == '"' {
                        at = At::Text;
                    } else if char == ';'
                        && let Some((begin, line)) = start.take()
                    {
                        let text = text.get(begin..=offset).unwrap_or_default();
                        found.push(statement(line, text, weight, depth));
                        (weight, open, depth) = (0, 0, 0);
                    }
                }
            }
        }
        if char == '\n' {
            line += 1;
        }
        // A slash that ended a comment's beginning does not begin another.
        before = if at == At::Code { char } else { ' ' };
    }
    if let Some((begin, line)) = start {
        found.push(statement(line, text.get(begin..).unwrap_or_default(), weight, depth));
    }
    found
}

fn statement(line: usize, text: &str, weight: usize, depth: usize) -> Statement<'_> {
    // A condition nests without any sign, so each counts as if it did.
    let conditions = text.matches("then").count();
    Statement { line, text, weight, depth: depth + conditions }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn statements_keep_their_lines_and_ignore_semicolons_in_strings_and_comments() {
        let text = "// one; two\n@id(\"a;b\\\";\")\npermit; // rest; x\n\n  forbid // ;\n;\n";
        let found = statements(text);
        assert_eq!(found.len(), 2, "{found:?}");
        assert_eq!((found[0].line, found[0].text), (2, "@id(\"a;b\\\";\")\npermit;"));
        assert_eq!((found[1].line, found[1].text), (5, "forbid // ;\n;"));
    }

    #[test]
    fn what_has_no_semicolon_is_a_statement_too() {
        assert_eq!(statements("permit").len(), 1);
        assert!(statements(" // nothing\n").is_empty());
    }
}
