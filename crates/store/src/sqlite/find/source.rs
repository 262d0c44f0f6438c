//! What one condition can name by itself: lists of the integer index, or records gathered from the
//! other tables, if they are few.

use super::super::unavailable;
use super::Finder;
use super::check::{Bounds, Leaf, Test};
use super::drive::GATHER;
use base::Fault;
use rusqlite::params;
use search::query::Prefix;

/// What a condition names.
pub(super) enum Source {
    /// Lists of the integer index, by atom and value.
    Lists(Vec<(u32, i64)>),
    /// These records.
    Records(Vec<i64>),
}

impl Finder<'_> {
    /// What one leaf can name.
    pub(super) fn leaf_source(&self, leaf: &Leaf) -> Result<Option<Source>, Fault> {
        let mut rids: Vec<i64> = Vec::new();
        let mut tests = vec![&leaf.test];
        while let Some(test) = tests.pop() {
            match test {
                Test::Any(inner) => tests.extend(inner),
                Test::Ints(values) => {
                    let mut lists = Vec::new();
                    for atom in &leaf.atoms {
                        lists.extend(values.iter().map(|v| (*atom, *v)));
                    }
                    return Ok(Some(Source::Lists(lists)));
                }
                Test::Ident { value: Some(value), .. } => {
                    for atom in &leaf.atoms {
                        let sql = "SELECT rid FROM ix_ident WHERE atom = ? AND value = ? LIMIT ?";
                        rids.extend(self.rids(sql, params![atom, value, GATHER + 1])?);
                    }
                }
                Test::StartsWith(text) => {
                    let end = format!("{text}\u{10FFFF}");
                    for atom in &leaf.atoms {
                        let sql = "SELECT rid FROM ix_str \
                                   WHERE atom = ? AND folded >= ? AND folded < ? LIMIT ?";
                        rids.extend(self.rids(sql, params![atom, text, end, GATHER + 1])?);
                    }
                }
                Test::Exact(text) => {
                    let folded = search::fold::fold(text);
                    for atom in &leaf.atoms {
                        let sql = "SELECT rid FROM ix_str \
                                   WHERE atom = ? AND folded = ? AND exact = ? LIMIT ?";
                        rids.extend(self.rids(sql, params![atom, folded, text, GATHER + 1])?);
                    }
                }
                Test::Date(prefix, low, high) => {
                    let (from, to) = match prefix {
                        Prefix::Eq => (*low, *high),
                        Prefix::Sa => (high.saturating_add(1), i64::MAX),
                        Prefix::Lt | Prefix::Eb => (i64::MIN, low.saturating_sub(1)),
                        Prefix::Ne | Prefix::Gt | Prefix::Ge | Prefix::Le | Prefix::Ap => {
                            return Ok(None);
                        }
                    };
                    for atom in &leaf.atoms {
                        let sql = "SELECT rid FROM ix_date \
                                   WHERE atom = ? AND low >= ? AND low <= ? LIMIT ?";
                        rids.extend(self.rids(sql, params![atom, from, to, GATHER + 1])?);
                    }
                }
                Test::Num(units) => {
                    for (unit, bounds) in units {
                        let (Some(unit), Bounds { low, high, outside: false, .. }) = (unit, bounds)
                        else {
                            return Ok(None);
                        };
                        for atom in &leaf.atoms {
                            let sql = "SELECT rid FROM ix_num \
                                       WHERE atom = ? AND unit = ? AND value >= ? AND value <= ? LIMIT ?";
                            rids.extend(
                                self.rids(sql, params![atom, unit, low, high, GATHER + 1])?,
                            );
                        }
                    }
                }
                Test::Ident { .. } | Test::Contains(_) => return Ok(None),
            }
            if rids.len() > GATHER {
                return Ok(None);
            }
        }
        Ok(Some(Source::Records(rids)))
    }

    /// Record numbers a statement answers, counted as work.
    pub(super) fn rids(&self, sql: &str, params: impl rusqlite::Params) -> Result<Vec<i64>, Fault> {
        let rids = super::super::names::numbers(self.conn, sql, params).map_err(unavailable)?;
        // Gathering is much cheaper than looking at records.
        self.step(rids.len() as u64 / 8)?;
        Ok(rids)
    }
}
