//! [axe-core](https://github.com/dequelabs/axe-core), the rules of WCAG that a program can judge, run in
//! the page. It is nobody's dependency here: whoever tests fetches it and hands over its text.

use crate::page::Page;
use anyhow::{Context, bail};
use serde_json::Value;
use std::path::Path;

/// WCAG 2.0 to 2.2 at the levels A and AA.
const RUN: &str = "axe.run(document, {
  runOnly: { type: 'tag', values: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa'] },
  resultTypes: ['violations'],
}).then(told => ({
  asked: told.passes.length + told.violations.length,
  violations: told.violations.flatMap(rule => rule.nodes.map(node => ({
    rule: rule.id, help: rule.help, at: node.target.join(' '), html: node.html.slice(0, 160),
    why: [...node.any, ...node.all, ...node.none].map(check => check.message).join('; '),
  }))),
}))";

/// The library's text.
#[derive(Clone)]
pub struct Axe(String);

impl std::fmt::Debug for Axe {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Axe({} bytes)", self.0.len())
    }
}

/// One element that breaks one rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// The rule's name, such as `color-contrast`.
    pub rule: String,
    /// A selector of the element.
    pub at: String,
    /// What is wrong.
    pub why: String,
}

impl std::fmt::Display for Violation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} at {}: {}", self.rule, self.at, self.why)
    }
}

impl Axe {
    /// Reads it from `axe.min.js`.
    pub fn read(file: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read_to_string(file);
        Ok(Self(text.with_context(|| format!("cannot read {}", file.display()))?))
    }

    /// Every violation in the page as it is now.
    ///
    /// # Errors
    /// When it does not run, or judged by no rule at all, which would prove nothing.
    pub fn judge(&self, page: &Page) -> anyhow::Result<Vec<Violation>> {
        if page.js("typeof globalThis.axe")? != "object" {
            page.js(&format!("{};undefined", self.0))?;
        }
        let told = page.js(RUN)?;
        if told.get("asked").and_then(Value::as_u64).unwrap_or_default() == 0 {
            bail!("axe judged by no rule");
        }
        let all = told.get("violations").and_then(Value::as_array).context("no verdict")?;
        let text = |one: &Value, name: &str| {
            one.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
        };
        let all = all.iter().map(|one| Violation {
            rule: text(one, "rule"),
            at: text(one, "at"),
            why: format!("{} ({}) in {}", text(one, "help"), text(one, "why"), text(one, "html")),
        });
        Ok(all.collect())
    }
}
