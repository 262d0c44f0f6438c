//! The page of limits tells every limit of `base::limits` with the default it has in the code.

use super::lexer::{Kind, Token, tokens};
use super::{File, Finding};
use std::collections::BTreeMap;

/// Where the limits stand, and where operators read of them.
pub(super) const LIMITS: &str = "crates/base/src/limits.rs";
const PAGE: &str = "docs/operators/limits.md";

/// Holds the defaults against the rows `` | `name` | default | … `` of the page.
pub(super) fn check(code: &str, files: &[File]) -> Vec<Finding> {
    let defaults = defaults(code);
    if defaults.is_empty() {
        return vec![Finding::error(LIMITS, 1, "no defaults could be read here")];
    }
    let page = files.iter().find(|f| f.path == PAGE).map_or("", |f| f.text.as_str());
    let rows: BTreeMap<_, _> = page.lines().filter_map(row).collect();
    let missing = defaults.iter().filter(|(name, value)| rows.get(*name) != Some(*value));
    let missing = missing.map(|(name, value)| {
        Finding::error(PAGE, 1, format!("should have a row `{name}` with the default {value}"))
    });
    let orphaned = rows.keys().filter(|name| !defaults.contains_key(*name));
    let orphaned = orphaned.map(|name| {
        Finding::error(PAGE, 1, format!("has a row `{name}`, and there is no such limit"))
    });
    missing.chain(orphaned).collect()
}

fn row(line: &str) -> Option<(String, u64)> {
    let mut cells = line.strip_prefix("| `")?.split('|').map(str::trim);
    let name = cells.next()?.strip_suffix('`')?.to_owned();
    let digits: String = cells.next()?.chars().filter(char::is_ascii_digit).collect();
    Some((name, digits.parse().ok()?))
}

/// The fields `name: 20_000,` or `name: 128 << 20,` of `impl Default for Limits`.
fn defaults(code: &str) -> BTreeMap<String, u64> {
    let all: Vec<Token<'_>> =
        tokens(code).into_iter().filter(|t| t.kind != Kind::Comment).collect();
    let start = all.windows(3).position(|w| {
        w.iter().zip(["Default", "for", "Limits"]).all(|(token, text)| token.is(text))
    });
    let body = start.and_then(|at| all.get(at..)).unwrap_or_default();
    let fields = body.split(|t| t.is(",") || t.is("{") || t.is("}"));
    fields.filter_map(field).collect()
}

fn field(tokens: &[Token<'_>]) -> Option<(String, u64)> {
    let number = |token: &Token<'_>| token.text.replace('_', "").parse::<u64>().ok();
    match tokens {
        [name, colon, value] if colon.is(":") => Some((name.text.to_owned(), number(value)?)),
        [name, colon, value, a, b, shift] if colon.is(":") && a.is("<") && b.is("<") => {
            let shift = u32::try_from(number(shift)?).ok()?;
            Some((name.text.to_owned(), number(value)?.checked_shl(shift)?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CODE: &str = "struct Limits { a: usize, }\nimpl Default for Limits {\n fn default() -> Self {\n Self { depth: 64, bytes: 128 << 20, /* x */ rows: 20_000, }\n }\n}";

    fn findings(page: &str) -> usize {
        check(CODE, &[File { path: PAGE.to_owned(), text: page.to_owned() }]).len()
    }

    #[test]
    fn a_page_that_tells_all_is_tidy() {
        let page = "| limit | default |\n| `depth` | 64 | x |\n| `bytes` | 134,217,728 | x |\n| `rows` | 20,000 |\n";
        assert_eq!(findings(page), 0);
        assert_eq!(findings(&page.replace("64", "65")), 1);
        assert_eq!(findings(&page.replace("`rows`", "`lines`")), 2);
        assert_eq!(findings(""), 3);
    }

    #[test]
    fn code_without_defaults_is_an_error() {
        assert_eq!(check("struct Limits;", &[]).len(), 1);
    }
}
