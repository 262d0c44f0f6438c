//! Subsetting, combining and comparing collections
//! (<http://hl7.org/fhirpath/N1/#subsetting>, <http://hl7.org/fhirpath/N1/#combining>).

use crate::compare::equal;
use crate::evaluate::{Run, operand, type_fault};
use crate::item::{Collection, Item};
use base::Fault;
use std::cmp::Ordering;

fn holds(items: &[Item<'_>], item: &Item<'_>) -> bool {
    items.iter().any(|other| equal(item, other) == Some(true))
}

/// Appends the items that are not there yet.
fn merge<'a>(run: &Run<'a, '_>, out: &mut Collection<'a>, items: &[Item<'a>]) -> Result<(), Fault> {
    for item in items {
        run.charge(out.len() + 1)?;
        if !holds(out, item) {
            out.push(item.clone());
        }
    }
    Ok(())
}

/// Both collections without duplicates.
pub(crate) fn union<'a>(
    run: &Run<'a, '_>,
    left: Collection<'a>,
    right: &[Item<'a>],
) -> Result<Collection<'a>, Fault> {
    let mut out = distinct(run, left)?;
    merge(run, &mut out, right)?;
    Ok(out)
}

pub(crate) fn distinct<'a>(
    run: &Run<'a, '_>,
    items: Collection<'a>,
) -> Result<Collection<'a>, Fault> {
    if items.len() < 2 {
        return Ok(items);
    }
    let mut out = Collection::new();
    merge(run, &mut out, &items)?;
    Ok(out)
}

/// One after the other, duplicates kept.
pub(crate) fn combine<'a>(
    run: &Run<'a, '_>,
    mut left: Collection<'a>,
    right: &[Item<'a>],
) -> Result<Collection<'a>, Fault> {
    run.charge(left.len() + right.len())?;
    left.extend(right.iter().cloned());
    Ok(left)
}

pub(crate) fn intersect<'a>(
    run: &Run<'a, '_>,
    left: &[Item<'a>],
    right: &[Item<'a>],
) -> Result<Collection<'a>, Fault> {
    let mut out = Collection::new();
    for item in left {
        run.charge(right.len() + out.len() + 1)?;
        if holds(right, item) && !holds(&out, item) {
            out.push(item.clone());
        }
    }
    Ok(out)
}

pub(crate) fn exclude<'a>(
    run: &Run<'a, '_>,
    left: &[Item<'a>],
    right: &[Item<'a>],
) -> Result<Collection<'a>, Fault> {
    run.charge(left.len().saturating_mul(right.len()))?;
    Ok(left.iter().filter(|item| !holds(right, item)).cloned().collect())
}

/// Whether every item of the first is in the second.
pub(crate) fn subset(
    run: &Run<'_, '_>,
    inner: &[Item<'_>],
    outer: &[Item<'_>],
) -> Result<bool, Fault> {
    run.charge(inner.len().saturating_mul(outer.len()))?;
    Ok(inner.iter().all(|item| holds(outer, item)))
}

/// `skip` (from) and `take` (upto): negative numbers count as zero.
pub(crate) fn slice<'a>(items: &[Item<'a>], from: i64, upto: Option<i64>) -> Collection<'a> {
    let count = |n: i64| usize::try_from(n.max(0)).unwrap_or(usize::MAX);
    let rest = items.iter().skip(count(from));
    rest.take(upto.map_or(usize::MAX, count)).cloned().collect()
}

/// An argument that must be a single integer.
pub(crate) fn whole(items: &[Item<'_>], what: &str) -> Result<Option<i64>, Fault> {
    match operand(items, what)? {
        None => Ok(None),
        Some(item) => item
            .as_integer()
            .map(Some)
            .ok_or_else(|| type_fault(format!("{what} needs an integer as its argument"))),
    }
}

/// Sorts by merging, stable. Values without an order among themselves make the comparison no total
/// order; the library's sort may panic on such, this one only leaves them where they fall.
pub(crate) fn sorted<T>(rows: Vec<T>, compare: &mut dyn FnMut(&T, &T) -> Ordering) -> Vec<T> {
    if rows.len() < 2 {
        return rows;
    }
    let mut left = rows;
    let right = left.split_off(left.len() / 2);
    let mut left = sorted(left, compare).into_iter().peekable();
    let mut right = sorted(right, compare).into_iter().peekable();
    let mut out = Vec::with_capacity(left.len() + right.len());
    loop {
        let take_right = match (left.peek(), right.peek()) {
            (Some(l), Some(r)) => compare(l, r) == Ordering::Greater,
            (None, None) => return out,
            (l, _) => l.is_none(),
        };
        out.extend(if take_right { right.next() } else { left.next() });
    }
}
