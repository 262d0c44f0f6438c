//! `cargo xtask tidy`: the rules of the house that no compiler checks (STYLE.md tells their reasons).
//!
//! Each rule is a function from text to findings, tested beside it on a good and a bad example.
//! An error fails the run; a warning is only listed.

mod attacks;
mod codes;
mod floors;
mod lexer;
mod limits;
mod links;
mod pictures;
mod places;
mod proofs;
mod source;
mod supply;
mod words;

use crate::{Command, root};
use anyhow::{Context, bail};
use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::Path;
use words::Refused;

/// The row of this command in the table of commands.
pub(crate) const COMMAND: Command = Command {
    name: "tidy",
    usage: "",
    about: "check the rules of the house that no compiler checks",
    run,
};

/// One thing a rule found.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Finding {
    path: String,
    line: usize,
    weight: Weight,
    text: String,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Weight {
    Warning,
    Error,
}

impl Finding {
    fn error(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { path: path.to_owned(), line, weight: Weight::Error, text: text.into() }
    }

    fn warning(path: &str, line: usize, text: impl Into<String>) -> Self {
        Self { weight: Weight::Warning, ..Self::error(path, line, text) }
    }
}

impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weight = match self.weight {
            Weight::Warning => "warning",
            Weight::Error => "error",
        };
        write!(f, "{weight}: {}:{}: {}", self.path, self.line, self.text)
    }
}

/// A text file of the workspace, its path relative to the root and with forward slashes.
#[derive(Debug)]
struct File {
    path: String,
    text: String,
}

/// Folders that hold nothing of ours.
const SKIPPED: [&str; 4] = [".git", "target", "node_modules", "plummer-data"];
/// Where the table of error codes stands, and where each code has its page.
const CODES: &str = "crates/base/src/error.rs";
/// Where the refused words stand.
const GLOSSARY: &str = "GLOSSARY.md";

fn run(words: &[String]) -> anyhow::Result<()> {
    if !words.is_empty() {
        bail!("expected no arguments");
    }
    let root = root();
    let mut paths = BTreeSet::new();
    let mut files = Vec::new();
    walk(&root, "", &mut paths, &mut files)?;
    let mut findings = check(&paths, &files)?;
    findings.extend(floors::check_workspace(&root)?);
    findings.sort_by(|a, b| (a.weight, &a.path, a.line).cmp(&(b.weight, &b.path, b.line)));
    for finding in &findings {
        println!("{finding}");
    }
    let errors = findings.iter().filter(|f| f.weight == Weight::Error).count();
    let warnings = findings.len() - errors;
    println!("tidy: {} files, {errors} errors, {warnings} warnings", files.len());
    if errors > 0 {
        bail!("the house is not tidy");
    }
    Ok(())
}

/// Every rule that needs no more than the files.
fn check(paths: &BTreeSet<String>, files: &[File]) -> anyhow::Result<Vec<Finding>> {
    let text_of = |path: &str| {
        let file = files.iter().find(|f| f.path == path);
        file.map(|f| f.text.as_str()).with_context(|| format!("{path} is missing"))
    };
    let refused = Refused::parse(text_of(GLOSSARY)?)?;
    let mut findings = codes::check(text_of(CODES)?, files);
    findings.extend(limits::check(text_of(limits::LIMITS)?, files));
    findings.extend(links::check(paths, files));
    findings.extend(pictures::check(paths, files));
    findings.extend(proofs::check(files));
    findings.extend(attacks::check(files));
    findings.extend(supply::check(files));
    findings.extend(places::release_notes(paths));
    for file in files {
        findings.extend(places::check(file));
        if file.path.ends_with(".rs") {
            findings.extend(source::check(file, &refused));
        }
    }
    Ok(findings)
}

fn walk(
    folder: &Path,
    prefix: &str,
    paths: &mut BTreeSet<String>,
    files: &mut Vec<File>,
) -> anyhow::Result<()> {
    let entries = fs::read_dir(folder).with_context(|| format!("cannot list /{prefix}"))?;
    for entry in entries {
        let entry = entry?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if SKIPPED.contains(&name.as_str()) {
            continue;
        }
        let path = if prefix.is_empty() { name } else { format!("{prefix}/{name}") };
        paths.insert(path.clone());
        if entry.file_type()?.is_dir() {
            walk(&entry.path(), &path, paths, files)?;
        } else if let Ok(text) = fs::read_to_string(entry.path()) {
            files.push(File { path, text });
        }
    }
    Ok(())
}
