//! The table of error codes and its pages: each code has `docs/errors/<code>.md` that tells the same
//! status and issue type, what happened, and what to do; and no page outlives its code.

use super::lexer::{Kind, Token, tokens};
use super::{CODES, File, Finding};

const PAGES: &str = "docs/errors/";
/// The list of all codes, which is a page without a code.
const INDEX: &str = "docs/errors/README.md";
/// The headings of a page, in order.
const PARTS: [&str; 3] = ["## What happened", "## What to do", "## What to do tonight"];

/// A row of the table in `base::error`.
#[derive(Debug, PartialEq, Eq)]
struct Row {
    name: String,
    status: String,
    issue: String,
    title: String,
    line: usize,
}

/// Holds the table against the pages.
pub(super) fn check(table: &str, files: &[File]) -> Vec<Finding> {
    let rows = rows(table);
    if rows.is_empty() {
        return vec![Finding::error(CODES, 1, "no `codes!` table could be read here")];
    }
    let mut findings = Vec::new();
    for row in &rows {
        let path = format!("{PAGES}{}.md", row.name);
        match files.iter().find(|f| f.path == path) {
            None => {
                let text = format!("`{}` has no page {path}", row.name);
                findings.push(Finding::error(CODES, row.line, text));
            }
            Some(page) => findings.extend(check_page(row, page)),
        }
    }
    findings.extend(check_index(&rows, files));
    let pages = files.iter().filter(|f| f.path.starts_with(PAGES) && f.path != INDEX);
    for page in pages {
        let name = page.path.strip_prefix(PAGES).and_then(|p| p.strip_suffix(".md"));
        if rows.iter().all(|row| Some(row.name.as_str()) != name) {
            findings.push(Finding::error(&page.path, 1, "no error code has this name"));
        }
    }
    findings
}

fn check_page(row: &Row, page: &File) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut expect = |line: usize, wanted: &str| {
        if page.text.lines().nth(line - 1) != Some(wanted) {
            findings.push(Finding::error(&page.path, line, format!("should read `{wanted}`")));
        }
    };
    expect(1, &format!("# {}", row.name));
    expect(3, &format!("HTTP {} · issue type `{}`", row.status, row.issue));
    let headings: Vec<_> = page.text.lines().filter(|line| line.starts_with("## ")).collect();
    if headings != PARTS {
        let text = format!("should have the parts {}", PARTS.join(", "));
        findings.push(Finding::error(&page.path, 1, text));
    }
    findings
}

/// The list names every code, with its status and title, in the order of the table.
fn check_index(rows: &[Row], files: &[File]) -> Option<Finding> {
    let index = files.iter().find(|f| f.path == INDEX).map_or("", |f| f.text.as_str());
    let listed: Vec<_> = index.lines().filter(|line| line.starts_with("| [")).collect();
    let mut wanted = rows
        .iter()
        .map(|row| format!("| [{0}]({0}.md) | {1} | {2} |", row.name, row.status, row.title));
    let differs =
        wanted.by_ref().enumerate().find(|(i, line)| listed.get(*i) != Some(&line.as_str()));
    if let Some((_, line)) = differs {
        return Some(Finding::error(INDEX, 1, format!("should have, in its place, `{line}`")));
    }
    (listed.len() > rows.len()).then(|| Finding::error(INDEX, 1, "lists more codes than there are"))
}

/// The rows `NAME = "code", status, "issue", "title";` of the `codes!` call.
fn rows(table: &str) -> Vec<Row> {
    let all = tokens(table);
    let all: Vec<Token<'_>> = all.into_iter().filter(|t| t.kind != Kind::Comment).collect();
    let call = all
        .windows(3)
        .position(|w| w.iter().zip(["codes", "!", "{"]).all(|(token, text)| token.is(text)));
    let Some(start) = call else { return Vec::new() };
    let body = all.get(start + 3..).unwrap_or_default();
    let end = body.iter().position(|t| t.is("}")).unwrap_or(body.len());
    let body = body.get(..end).unwrap_or_default();
    body.split(|t| t.is(";")).filter_map(row).collect()
}

fn row(tokens: &[Token<'_>]) -> Option<Row> {
    let mut texts = tokens.iter().filter(|t| t.kind == Kind::Str);
    let name = texts.next()?;
    let status = tokens.iter().find(|t| t.kind == Kind::Other)?;
    Some(Row {
        name: name.text.to_owned(),
        status: status.text.to_owned(),
        issue: texts.next()?.text.to_owned(),
        title: texts.next()?.text.to_owned(),
        line: name.line,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const TABLE: &str = "macro_rules! codes { (x) => {} }\n/// says\ncodes! {\n    GONE = \"record.read.gone\", 410, \"deleted\", \"it; went\";\n}\n";
    const PAGE: &str = "# record.read.gone\n\nHTTP 410 · issue type `deleted`\n\n## What happened\n\nx\n\n## What to do\n\nx\n\n## What to do tonight\n\nx\n";

    fn page(path: &str, text: &str) -> File {
        File { path: path.to_owned(), text: text.to_owned() }
    }

    #[test]
    fn the_table_is_read() {
        let rows = rows(TABLE);
        assert_eq!(rows.len(), 1);
        let row = rows.first().expect("one row");
        assert_eq!((row.name.as_str(), row.line), ("record.read.gone", 4));
        assert_eq!((row.status.as_str(), row.issue.as_str()), ("410", "deleted"));
    }

    fn with_index(name: &str, text: &str) -> Vec<File> {
        let index = "| code |\n| [record.read.gone](record.read.gone.md) | 410 | it; went |\n";
        vec![page(&format!("docs/errors/{name}.md"), text), page(INDEX, index)]
    }

    #[test]
    fn a_code_with_its_page_is_tidy() {
        assert_eq!(check(TABLE, &with_index("record.read.gone", PAGE)), []);
    }

    #[test]
    fn missing_orphaned_and_wrong_pages_are_found() {
        assert_eq!(check(TABLE, &[]).len(), 2, "neither page nor index");
        assert_eq!(check(TABLE, &with_index("record.read.lost", PAGE)).len(), 2);
        let wrong = PAGE.replace("410", "404").replace("## What to do tonight", "## Tonight");
        assert_eq!(check(TABLE, &with_index("record.read.gone", &wrong)).len(), 2);
    }

    #[test]
    fn an_index_that_differs_is_found() {
        let mut files = with_index("record.read.gone", PAGE);
        for (from, to) in
            [("410", "404"), ("| [", "| x |\n| ["), ("|\n", "|\n| [x](x.md) | 400 | x |\n")]
        {
            let good = files[1].text.clone();
            files[1].text = good.replace(from, to);
            let found = check(TABLE, &files).len();
            assert_eq!(found, usize::from(to != "| x |\n| ["), "{to}");
            files[1].text = good;
        }
    }

    #[test]
    fn a_file_without_the_table_is_an_error() {
        assert_eq!(check("fn main() {}", &[]).len(), 1);
    }
}
