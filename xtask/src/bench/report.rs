//! BENCHMARKS.md: one row for each bench, put in place of its last one.

use super::cases::middle_of;
use anyhow::{Context, bail};

const START: &str = "<!-- measured -->";
const END: &str = "<!-- end -->";

/// A measured row.
#[derive(Debug, Clone)]
pub(super) struct Row {
    /// The bench's name, and what it measured.
    pub(super) name: &'static str,
    pub(super) what: &'static str,
    /// What it should reach, in words.
    pub(super) goal: &'static str,
    /// One figure for each run, and how to print one.
    pub(super) figures: Vec<f64>,
    pub(super) unit: &'static str,
    /// Everything else worth stating.
    pub(super) also: String,
}

impl Row {
    /// The middle figure.
    pub(super) fn median(&self) -> f64 {
        middle_of(&self.figures)
    }

    /// The row of the table.
    fn line(&self, when: &str) -> String {
        let lowest = self.figures.iter().copied().fold(f64::INFINITY, f64::min);
        let highest = self.figures.iter().copied().fold(f64::NEG_INFINITY, f64::max);
        format!(
            "| `{}` | {} | {} | **{}** | {} to {} of {} | {} | {when} |",
            self.name,
            self.what,
            self.goal,
            number(self.median(), self.unit),
            number(lowest, ""),
            number(highest, self.unit),
            self.figures.len(),
            self.also,
        )
    }
}

/// A figure with as many digits as mean something.
pub(super) fn number(figure: f64, unit: &str) -> String {
    let text = if figure >= 1000.0 {
        let whole = format!("{figure:.0}");
        let mut out = String::new();
        for (i, c) in whole.chars().enumerate() {
            if i > 0 && (whole.len() - i) % 3 == 0 {
                out.push(',');
            }
            out.push(c);
        }
        out
    } else if figure >= 100.0 {
        format!("{figure:.0}")
    } else if figure >= 10.0 {
        format!("{figure:.1}")
    } else {
        format!("{figure:.2}")
    };
    format!("{text}{unit}")
}

/// The page with these rows in place of those of the same names.
pub(super) fn put(page: &str, rows: &[Row], when: &str) -> anyhow::Result<String> {
    let (before, rest) = page.split_once(START).context("the page has no table")?;
    let (old, after) = rest.split_once(END).context("the table has no end")?;
    let mut lines: Vec<String> = old.trim().lines().map(str::to_owned).collect();
    if lines.len() < 2 {
        bail!("the table has no head");
    }
    for row in rows {
        let start = format!("| `{}` |", row.name);
        let line = row.line(when);
        match lines.iter_mut().find(|line| line.starts_with(&start)) {
            Some(old) => *old = line,
            None => lines.push(line),
        }
    }
    Ok(format!("{before}{START}\n{}\n{END}{after}", lines.join("\n")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_takes_the_place_of_its_last_one() {
        let row = |figures: &[f64]| Row {
            name: "reads",
            what: "reads",
            goal: "20,000/s",
            figures: figures.to_vec(),
            unit: "/s",
            also: "p99 1.00 ms".to_owned(),
        };
        let page = "# x\n<!-- measured -->\n| a | b |\n|---|---|\n<!-- end -->\nafter\n";
        let once = put(page, &[row(&[1.0, 3.0, 2500.0])], "today").expect("a page");
        assert!(
            once.contains("**3.00/s** | 1.00 to 2,500/s of 3 | p99 1.00 ms | today |"),
            "{once}"
        );
        let twice = put(&once, &[row(&[5.0])], "later").expect("a page");
        assert!(twice.contains("**5.00/s**") && !twice.contains("today"), "{twice}");
        assert!(twice.starts_with("# x\n") && twice.ends_with("<!-- end -->\nafter\n"));
    }
}
