//! Searches and entries as text a person can read, for the golden files.

use fhir::definitions::r4;
use search::entry::{Entry, EntryValue};
use search::query::{Filter, Include, Match, Search, SortBy, Summary, SystemMatch, Total};
use search::registry::{AtomId, registry};

/// An atom without the type's name.
pub(crate) fn atom(id: AtomId) -> &'static str {
    registry().atom(id).key.split_once('|').map_or("", |(_, rest)| rest)
}

fn atoms(ids: &[AtomId]) -> String {
    match ids {
        ids if ids.len() > 6 => format!("{} atoms", ids.len()),
        ids => ids.iter().map(|a| atom(*a)).collect::<Vec<_>>().join(" , "),
    }
}

/// Checks a golden file: a line beginning with `?` is a question, the indented lines beneath it the
/// answer. `UPDATE_GOLDEN=1` writes the answers anew.
pub(crate) fn golden(file: &str, golden: &str, answer: impl Fn(&str) -> Vec<String>) {
    let mut text = String::new();
    for line in golden.lines().filter(|line| !line.starts_with(' ')) {
        text.push_str(line);
        text.push('\n');
        for part in line.strip_prefix("? ").map(&answer).unwrap_or_default() {
            text.push_str("    ");
            text.push_str(&part);
            text.push('\n');
        }
    }
    if std::env::var_os("UPDATE_GOLDEN").is_some() {
        let path = format!("{}/tests/it/golden/{file}", env!("CARGO_MANIFEST_DIR"));
        std::fs::write(path, &text).unwrap();
        return;
    }
    let differs = text.lines().zip(golden.lines()).find(|(a, b)| a != b);
    assert_eq!(differs, None, "{file}: UPDATE_GOLDEN=1 writes it anew");
    assert_eq!(text.lines().count(), golden.lines().count());
}

/// Everything a search asks.
pub(crate) fn search(search: &Search) -> Vec<String> {
    let mut out: Vec<String> = search.filters.iter().map(filter).collect();
    for key in &search.sort {
        let by = match &key.by {
            SortBy::Atoms { atoms: ids, kind } => format!("{} {}", kind.as_str(), atoms(ids)),
            other => format!("{other:?}"),
        };
        out.push(format!("sort {by}{}", if key.descending { " descending" } else { "" }));
    }
    out.extend(search.count.map(|n| format!("count {n}")));
    if search.total != Total::Unasked {
        out.push(format!("total {:?}", search.total));
    }
    if search.summary != Summary::False {
        out.push(format!("summary {:?}", search.summary));
    }
    if !search.elements.is_empty() {
        out.push(format!("elements {}", search.elements.join(" ")));
    }
    out.extend(search.include.iter().map(|i| format!("include {}", include(i))));
    out.extend(search.revinclude.iter().map(|i| format!("revinclude {}", include(i))));
    out.extend(search.ignored.iter().map(|i| format!("ignored: {}", i.diagnostics)));
    out
}

fn include(include: &Include) -> String {
    let target = include.target.map_or("", |t| r4().name(t));
    let iterate = if include.iterate { " iterate" } else { "" };
    format!("{} {} -> {target}{iterate}", r4().name(include.source), atoms(&include.atoms))
}

fn filter(of: &Filter) -> String {
    match of {
        Filter::Match { atoms: ids, any, negate, .. } => {
            let any: Vec<String> = any.iter().map(value).collect();
            format!("{}{} {}", if *negate { "not " } else { "" }, atoms(ids), any.join(" or "))
        }
        Filter::Missing { atoms: ids, missing, .. } => format!("missing={missing} {}", atoms(ids)),
        Filter::Composite { any, .. } => {
            let one = |c: &search::query::CompositeMatch| {
                let parts = c.parts.iter().map(|p| {
                    let grouped = if p.grouped { "*" } else { "" };
                    format!("{}{grouped} {}", atoms(&p.atoms), value(&p.value))
                });
                format!("({})", parts.collect::<Vec<_>>().join(" and "))
            };
            any.iter().map(one).collect::<Vec<_>>().join(" or ")
        }
        Filter::Chain { atoms: ids, targets, .. } => {
            let targets =
                targets.iter().map(|(of, f)| format!("{}[{}]", r4().name(*of), filter(f)));
            format!("{} -> {}", atoms(ids), targets.collect::<Vec<_>>().join(" or "))
        }
        Filter::Has { source, atoms: ids, filter: inner } => {
            format!("<- {} {} [{}]", r4().name(*source), atoms(ids), filter(inner))
        }
        Filter::Any(all) => all.iter().map(filter).collect::<Vec<_>>().join(" OR "),
        Filter::All(all) => all.iter().map(filter).collect::<Vec<_>>().join(" AND "),
        Filter::Type { any } => {
            format!("type {}", any.iter().map(|t| r4().name(*t)).collect::<Vec<_>>().join(" or "))
        }
        Filter::Compartment { focus_type, focus } => {
            format!("in compartment {}/{focus}", r4().name(*focus_type))
        }
        other => format!("{other:?}"),
    }
}

fn system(of: &SystemMatch) -> &str {
    match of {
        SystemMatch::Any => "*",
        SystemMatch::Absent => "-",
        SystemMatch::Is(system) => system,
    }
}

fn value(of: &Match) -> String {
    match of {
        Match::Token { system: s, code } => {
            format!("{}|{}", system(s), code.as_deref().unwrap_or("*"))
        }
        Match::Reference { types, id } => {
            let names: Vec<_> = types.iter().map(|t| r4().name(*t)).collect();
            format!("{}/{id}", if names.is_empty() { "*".to_owned() } else { names.join("+") })
        }
        Match::Date { prefix, range } => format!("{prefix:?} {}..{}", range.low, range.high),
        Match::Number { prefix, value } => {
            format!("{prefix:?} {}e-{}", value.mantissa(), value.scale())
        }
        Match::Quantity { prefix, value, unit } => {
            let unit = unit.as_ref().map(|u| format!(" {}|{}", system(&u.system), u.code));
            format!(
                "{prefix:?} {}e-{}{}",
                value.mantissa(),
                value.scale(),
                unit.unwrap_or_default()
            )
        }
        other => format!("{other:?}"),
    }
}

/// One entry.
pub(crate) fn entry(of: &Entry<'_>) -> String {
    let group = if of.group > 0 { format!(" #{}", of.group) } else { String::new() };
    let value = match &of.value {
        EntryValue::Token { system, code, text } => {
            format!("{system}|{code} {}", text.as_deref().unwrap_or_default())
        }
        other => format!("{other:?}"),
    };
    format!("{}{group} {}", atom(of.atom), value.trim_end())
}
