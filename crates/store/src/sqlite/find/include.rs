//! Bodies of a page's matches, and the resources it includes, each seen through the same sight.

use super::super::read::Reader;
use super::order::Found;
use super::{Finder, range};
use crate::pack::{self, View};
use crate::page::{Page, PageRequest};
use base::Fault;
use base::error::code;
use search::query::{Include, Search};
use std::collections::HashSet;

/// Rounds of `:iterate`.
const ROUNDS: usize = 16;

/// An included record, or a match, from which includes go on.
struct Origin {
    rid: i64,
    kind: u16,
    refs: Vec<(u32, i64)>,
}

/// Reads the bodies of the matches and gathers what they include.
pub(super) fn load(
    finder: &Finder<'_>,
    reader: &Reader,
    search: &Search,
    page: &PageRequest,
    found: &Found,
    out: &mut Page,
) -> Result<(), Fault> {
    out.matches.reserve(found.matches.len());
    for candidate in &found.matches {
        if let Some(version) = reader.version(candidate.vid)? {
            out.matches.extend(version.hit_if_kept(&reader.shared)?);
        }
    }
    if search.include.is_empty() && search.revinclude.is_empty() {
        return Ok(());
    }
    let mut seen: HashSet<i64> = found.matches.iter().map(|c| c.rid).collect();
    let mut frontier = Vec::new();
    for candidate in &found.matches {
        frontier.extend(origin(finder, candidate.rid)?.map(|(o, _)| o));
    }
    let mut vids = Vec::new();
    for round in 0..ROUNDS {
        let first = round == 0;
        let mut targets: Vec<(i64, Option<u16>)> = Vec::new();
        for from in &frontier {
            for include in search.include.iter().filter(|i| first || i.iterate) {
                forward(finder, include, from, &mut targets);
            }
            for include in search.revinclude.iter().filter(|i| first || i.iterate) {
                backward(finder, include, from, &mut targets)?;
            }
        }
        frontier = Vec::new();
        for (rid, kind) in targets {
            if seen.contains(&rid) {
                continue;
            }
            let Some((next, vid)) = origin(finder, rid)? else { continue };
            if kind.is_some_and(|k| k != next.kind) {
                continue;
            }
            seen.insert(rid);
            vids.push(vid);
            if vids.len() > page.include_max {
                return Err(Fault::new(
                    &code::INCLUDE_TOO_MANY,
                    format!(
                        "the page would include more than {} resources; ask for fewer with _count",
                        page.include_max
                    ),
                ));
            }
            frontier.push(next);
        }
        if frontier.is_empty() {
            break;
        }
    }
    for vid in vids {
        if let Some(version) = reader.version(vid)? {
            out.included.extend(version.hit_if_kept(&reader.shared)?);
        }
    }
    Ok(())
}

/// A record that can be seen, with its references.
fn origin(finder: &Finder<'_>, rid: i64) -> Result<Option<(Origin, u64)>, Fault> {
    finder.record(rid, |record| {
        let refs = pack::rows(record.packed)
            .filter_map(|view| match view {
                View::Int { atom, value, .. } => Some((atom, value)),
                _ => None,
            })
            .collect();
        Ok((Origin { rid, kind: record.kind, refs }, record.vid))
    })
}

fn forward(
    finder: &Finder<'_>,
    include: &Include,
    from: &Origin,
    targets: &mut Vec<(i64, Option<u16>)>,
) {
    let numbers = &finder.shared.numbers;
    if numbers.of_type(include.source) != from.kind {
        return;
    }
    let atoms = numbers.atoms(&include.atoms);
    let kind = include.target.map(|t| numbers.of_type(t));
    for (atom, value) in &from.refs {
        if atoms.contains(atom) {
            targets.push((*value, kind));
        }
    }
}

fn backward(
    finder: &Finder<'_>,
    include: &Include,
    from: &Origin,
    targets: &mut Vec<(i64, Option<u16>)>,
) -> Result<(), Fault> {
    let numbers = &finder.shared.numbers;
    if include.target.is_some_and(|t| numbers.of_type(t) != from.kind) {
        return Ok(());
    }
    let source = numbers.of_type(include.source);
    for atom in numbers.atoms(&include.atoms) {
        let mut range = range::Range::new(atom, from.rid);
        while let Some(rid) = range.next(finder, false)? {
            targets.push((rid, Some(source)));
        }
    }
    Ok(())
}
