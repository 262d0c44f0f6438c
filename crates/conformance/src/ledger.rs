//! The ledger, CONFORMANCE.md: which of HL7's example instances are refused and for which rule. A run
//! must agree with it, so that a refusal is a decision somebody wrote down, and passes only grow.

use anyhow::{Context, bail};
use std::collections::BTreeMap;

const START: &str = "<!-- refused examples -->";
const END: &str = "<!-- end -->";

/// The refusals the ledger admits: instance to `code at expression`.
pub fn refused(page: &str) -> anyhow::Result<BTreeMap<String, String>> {
    let section = section(page)?;
    let rows = section.lines().filter_map(|line| line.strip_prefix("| `"));
    rows.map(|row| {
        let mut cells = row.split('`');
        let (name, rule) = (cells.next(), cells.nth(1));
        match (name, rule) {
            (Some(name), Some(rule)) => Ok((name.to_owned(), rule.to_owned())),
            _ => bail!("a row of another form: {row}"),
        }
    })
    .collect()
}

/// How a run departs from the ledger.
pub fn departures(
    ledger: &BTreeMap<String, String>,
    run: &BTreeMap<String, String>,
) -> Vec<String> {
    let mut out = Vec::new();
    for (name, rule) in run {
        match ledger.get(name) {
            None => {
                out.push(format!("{name} was refused ({rule}), which the ledger does not admit"))
            }
            Some(known) if known != rule => {
                out.push(format!("{name} was refused for {rule}, the ledger says {known}"));
            }
            Some(_) => {}
        }
    }
    let passed = ledger.keys().filter(|name| !run.contains_key(*name));
    out.extend(passed.map(|name| format!("{name} is kept now: take it off the ledger")));
    out
}

/// The page with rows for what a run refused; reasons written by people are kept.
pub fn with_rows(page: &str, run: &BTreeMap<String, String>) -> anyhow::Result<String> {
    let old = section(page)?;
    Ok(page.replacen(old, &format!("\n{}", rows(old, run)), 1))
}

fn rows(page: &str, run: &BTreeMap<String, String>) -> String {
    let old: Vec<&str> = page.lines().collect();
    let row = |(name, rule): (&String, &String)| {
        let start = format!("| `{name}` | `{rule}` |");
        let known = old.iter().find(|line| line.starts_with(&start));
        known.map_or_else(|| format!("{start} |\n"), |line| format!("{line}\n"))
    };
    let rows: String = run.iter().map(row).collect();
    format!("| instance | rule and place | what it breaks |\n|---|---|---|\n{rows}")
}

fn section(page: &str) -> anyhow::Result<&str> {
    let (_, rest) = page.split_once(START).context("CONFORMANCE.md has no list of refusals")?;
    let (section, _) = rest.split_once(END).context("the list of refusals has no end")?;
    Ok(section)
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: &str = "# x\n<!-- refused examples -->\n| instance | rule |\n|---|---|\n| `A-1` | `v.w at A.b` | no b |\n<!-- end -->\n";

    #[test]
    fn a_run_must_agree_with_the_page_both_ways() {
        let ledger = refused(PAGE).expect("a ledger");
        assert_eq!(departures(&ledger, &ledger), Vec::<String>::new());
        assert_eq!(departures(&ledger, &BTreeMap::new()).len(), 1);
        let other = BTreeMap::from([("A-1".to_owned(), "v.x at A.b".to_owned())]);
        assert_eq!(departures(&ledger, &other).len(), 1);
        assert_eq!(departures(&BTreeMap::new(), &other).len(), 1);
        let same = with_rows(PAGE, &ledger).expect("a page");
        assert!(same.contains("| `A-1` | `v.w at A.b` | no b |\n<!-- end -->"), "{same}");
        assert_eq!(refused(&with_rows(PAGE, &other).expect("a page")).expect("rows"), other);
        assert!(refused("# x\n").is_err());
    }
}
