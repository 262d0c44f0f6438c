//! Relative links of Markdown files (<https://spec.commonmark.org/0.31.2/#links>) lead somewhere: to
//! a file of the house, and to a heading that it has. So do pages named in the comments of code.

use super::lexer::{Kind, tokens};
use super::{File, Finding};
use std::collections::BTreeSet;

/// Finds links that lead nowhere. `paths` holds every file and folder.
pub(super) fn check(paths: &BTreeSet<String>, files: &[File]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in files.iter().filter(|f| f.path.ends_with(".md")) {
        for (line, link) in links(&file.text) {
            if let Some(why) = dead(paths, files, &file.path, link) {
                findings.push(Finding::error(&file.path, line, format!("`{link}` {why}")));
            }
        }
    }
    for file in files.iter().filter(|f| f.path.ends_with(".rs")) {
        for (line, page) in named_pages(&file.text) {
            if !paths.contains(page) {
                findings.push(Finding::error(&file.path, line, format!("`{page}` does not exist")));
            }
        }
    }
    findings
}

/// The `docs/….md` that comments of Rust code name.
fn named_pages(text: &str) -> Vec<(usize, &str)> {
    let comments = tokens(text).into_iter().filter(|t| t.kind == Kind::Comment);
    let is_path = |c: char| c.is_ascii_alphanumeric() || matches!(c, '/' | '.' | '-' | '_');
    comments
        .flat_map(|t| t.text.split(move |c| !is_path(c)).map(move |word| (t.line, word)))
        .filter(|(_, word)| word.starts_with("docs/"))
        .filter_map(|(line, word)| {
            word.rfind(".md").and_then(|end| Some((line, word.get(..end + 3)?)))
        })
        .collect()
}

fn dead(paths: &BTreeSet<String>, files: &[File], from: &str, link: &str) -> Option<String> {
    let outside = ["http://", "https://", "mailto:"];
    if outside.iter().any(|scheme| link.starts_with(scheme)) {
        return None;
    }
    let (path, anchor) = link.split_once('#').map_or((link, None), |(p, a)| (p, Some(a)));
    let target = if path.is_empty() { Some(from.to_owned()) } else { resolve(from, path) };
    let Some(target) = target.filter(|t| t.is_empty() || paths.contains(t)) else {
        return Some("leads to no file".to_owned());
    };
    let anchor = anchor?;
    let text = files.iter().find(|f| f.path == target).map_or("", |f| f.text.as_str());
    let found = prose(text).any(|(_, line)| slug(line).as_deref() == Some(anchor));
    (!found).then(|| format!("leads to no heading of {target}"))
}

/// The path from the root that `link`, written in `from`, means; `None` when it leaves the house.
fn resolve(from: &str, link: &str) -> Option<String> {
    let folder = from.rsplit_once('/').map_or("", |(folder, _)| folder);
    let mut parts: Vec<&str> = folder.split('/').filter(|p| !p.is_empty()).collect();
    for part in link.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop()?;
            }
            name => parts.push(name),
        }
    }
    Some(parts.join("/"))
}

/// The lines outside fenced code, with their numbers.
fn prose(text: &str) -> impl Iterator<Item = (usize, &str)> {
    let mut fenced = false;
    text.lines().enumerate().filter_map(move |(number, line)| {
        let fence = line.trim_start().starts_with("```");
        fenced ^= fence;
        (!fenced && !fence).then_some((number + 1, line))
    })
}

/// The targets of `[text](target)`, outside code.
fn links(text: &str) -> Vec<(usize, &str)> {
    let mut out = Vec::new();
    for (number, line) in prose(text) {
        // Every second piece between backticks is code.
        for piece in line.split('`').enumerate().filter(|(i, _)| i % 2 == 0).map(|(_, p)| p) {
            for after in piece.split("](").skip(1) {
                if let Some((target, _)) = after.split_once(')') {
                    out.push((number, target.split_whitespace().next().unwrap_or("")));
                }
            }
        }
    }
    out
}

/// The anchor of a heading: lower case, hyphens for spaces, punctuation dropped.
fn slug(line: &str) -> Option<String> {
    let title = line.trim_start_matches('#');
    if title.len() == line.len() || !title.starts_with(' ') {
        return None;
    }
    let kept = title.trim().chars().filter(|c| c.is_alphanumeric() || matches!(c, ' ' | '-' | '_'));
    Some(kept.map(|c| if c == ' ' { '-' } else { c }).flat_map(char::to_lowercase).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn dead_links(text: &str) -> Vec<String> {
        let file = |path: &str, text: &str| File { path: path.to_owned(), text: text.to_owned() };
        let files = [
            file("docs/a.md", text),
            file("docs/b.md", "# The `one` writer\n```\n# not a heading\n```\n"),
        ];
        let paths = ["docs", "docs/a.md", "docs/b.md", "README.md"];
        let paths = paths.into_iter().map(str::to_owned).collect();
        check(&paths, &files).into_iter().map(|f| f.text).collect()
    }

    #[test]
    fn living_links_are_left_alone() {
        let text = "[a](b.md) [b](../README.md) [c](b.md#the-one-writer) [d](https://x.example/y)\n[e](../docs/) `[f](gone.md)`\n```\n[g](gone.md)\n```\n";
        assert_eq!(dead_links(text), Vec::<String>::new());
    }

    #[test]
    fn dead_links_are_found() {
        let text = "[a](gone.md) [`b`](b.md#not-a-heading) [c](../../x.md) [d](#nowhere)";
        assert_eq!(dead_links(text).len(), 4);
    }

    #[test]
    fn pages_named_in_code_exist() {
        let text =
            "//! See docs/a.md, (docs/gone.md).\nconst A: &str = \"docs/b.md\"; // `docs/b.md`\n";
        assert_eq!(named_pages(text), [(1, "docs/a.md"), (1, "docs/gone.md"), (2, "docs/b.md")]);
        let file = File { path: "a.rs".to_owned(), text: text.to_owned() };
        let paths = BTreeSet::from(["docs/a.md".to_owned(), "docs/b.md".to_owned()]);
        assert_eq!(check(&paths, &[file]).len(), 1);
    }
}
