//! Candidates of a driver, handed over in the order of their record numbers.

use super::super::unavailable;
use super::Finder;
use super::drive::Driver;
use base::Fault;
use rusqlite::params;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};

/// One index list, read in chunks in either direction.
#[derive(Debug)]
pub(super) struct Range {
    atom: u32,
    value: i64,
    buffer: VecDeque<i64>,
    last: Option<i64>,
    chunk: usize,
    done: bool,
}

impl Range {
    pub(super) const fn new(atom: u32, value: i64) -> Self {
        Self { atom, value, buffer: VecDeque::new(), last: None, chunk: 32, done: false }
    }

    fn from(atom: u32, value: i64, after: Option<i64>) -> Self {
        Self { last: after, ..Self::new(atom, value) }
    }

    /// The next record number, each once.
    pub(super) fn next(
        &mut self,
        finder: &Finder<'_>,
        backward: bool,
    ) -> Result<Option<i64>, Fault> {
        if self.buffer.is_empty() && !self.done {
            self.fill(finder, backward)?;
        }
        Ok(self.buffer.pop_front())
    }

    fn fill(&mut self, finder: &Finder<'_>, backward: bool) -> Result<(), Fault> {
        let (sql, from) = if backward {
            (
                "SELECT rid FROM ix WHERE atom = ? AND value = ? AND rid < ? ORDER BY rid DESC LIMIT ?",
                self.last.unwrap_or(i64::MAX),
            )
        } else {
            (
                "SELECT rid FROM ix WHERE atom = ? AND value = ? AND rid > ? ORDER BY rid LIMIT ?",
                self.last.unwrap_or(0),
            )
        };
        let run = || -> rusqlite::Result<Vec<i64>> {
            let mut s = finder.conn.prepare_cached(sql)?;
            s.query_map(params![self.atom, self.value, from, self.chunk], |r| r.get(0))?.collect()
        };
        let mut rids = run().map_err(unavailable)?;
        finder.step(rids.len() as u64)?;
        self.done = rids.len() < self.chunk;
        self.last = rids.last().copied();
        // A record stands in a list once for each repeat that holds the value.
        rids.dedup();
        self.buffer.extend(rids);
        self.chunk = (self.chunk * 4).min(1024);
        Ok(())
    }
}

impl Finder<'_> {
    /// Hands over every candidate behind `after`, in order of record number (falling when
    /// `backward`), until told to stop.
    pub(super) fn each(
        &self,
        driver: &Driver,
        after: Option<i64>,
        backward: bool,
        take: &mut dyn FnMut(i64) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let sorted;
        let rids = match driver {
            Driver::Lists(lists) => return self.merge(lists, after, backward, take),
            Driver::Records(rids) => rids,
            Driver::Patient { patient, lists } => {
                let mut rids = Vec::new();
                for (atom, value) in lists {
                    let sql = "SELECT rid FROM pt WHERE patient = ? AND atom = ? AND value = ?";
                    rids.extend(self.rids(sql, params![patient, atom, value])?);
                }
                rids.sort_unstable();
                rids.dedup();
                sorted = rids;
                &sorted
            }
        };
        let behind = |rid: &i64| match after {
            None => true,
            Some(after) if backward => *rid < after,
            Some(after) => *rid > after,
        };
        let mut forward = rids.iter().filter(|r| behind(r));
        let mut falling = rids.iter().rev().filter(|r| behind(r));
        while let Some(rid) = if backward { falling.next() } else { forward.next() } {
            if !take(*rid)? {
                break;
            }
        }
        Ok(())
    }

    fn merge(
        &self,
        lists: &[(u32, i64)],
        after: Option<i64>,
        backward: bool,
        take: &mut dyn FnMut(i64) -> Result<bool, Fault>,
    ) -> Result<(), Fault> {
        let mut ranges: Vec<Range> =
            lists.iter().map(|(a, v)| Range::from(*a, *v, after)).collect();
        // Record numbers are positive, so their negatives order a falling merge.
        let key = |rid: i64| if backward { -rid } else { rid };
        let mut heap = BinaryHeap::with_capacity(ranges.len());
        for (at, range) in ranges.iter_mut().enumerate() {
            if let Some(rid) = range.next(self, backward)? {
                heap.push(Reverse((key(rid), at)));
            }
        }
        let mut last = None;
        while let Some(Reverse((rid, at))) = heap.pop() {
            if last != Some(rid) {
                last = Some(rid);
                if !take(key(rid))? {
                    break;
                }
            }
            if let Some(range) = ranges.get_mut(at)
                && let Some(next) = range.next(self, backward)?
            {
                heap.push(Reverse((key(next), at)));
            }
        }
        Ok(())
    }
}
