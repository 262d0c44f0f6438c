//! What is wrong with how a page is laid out, as measures that hold whatever the fonts of a machine are:
//! it scrolls sideways, its text is cut, controls lie over each other or are too small to hit
//! ([WCAG 2.2](https://www.w3.org/TR/WCAG22/) 1.4.10, 1.4.12, 2.5.8).

use crate::page::Page;
use anyhow::Context;
use serde_json::Value;

/// The measures, in the page's own language.
pub(crate) const MEASURE: &str = include_str!("measure.js");
/// Both edges of what can be hit, in CSS pixels.
const TARGET_PX: u32 = 24;
/// Faults of one kind that are told.
const TOLD: usize = 5;

impl Page {
    /// Everything wrong with the layout at this size.
    pub fn layout(&self) -> anyhow::Result<Vec<String>> {
        self.measured(&format!("m.sideways(), m.cut(), m.overlaps(), m.small({TARGET_PX})"))
    }

    /// What is lost when a reader widens the spacing of lines, words and letters.
    pub fn layout_spaced(&self) -> anyhow::Result<Vec<String>> {
        let found = self.measured("(m.spaced(true), []), m.sideways(), m.cut()");
        self.measured("(m.spaced(false), [])")?;
        found
    }

    /// What moves for somebody who asked that nothing does (WCAG 2.3.3, `prefers-reduced-motion`).
    pub fn moving(&self) -> anyhow::Result<Vec<String>> {
        self.measured("m.moving()")
    }

    fn measured(&self, what: &str) -> anyhow::Result<Vec<String>> {
        let ask = format!("(m => [{what}].flatMap(all => all.slice(0, {TOLD})))({MEASURE})");
        texts(&self.js(&ask)?)
    }
}

pub(crate) fn texts(told: &Value) -> anyhow::Result<Vec<String>> {
    let all = told.as_array().context("no list was told")?;
    Ok(all.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}
