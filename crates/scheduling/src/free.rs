//! [`SpanSet`]: sets of time as sorted spans that neither overlap nor touch, and their arithmetic.
//! Free time is open time less busy time; every question about it is one pass over sorted spans.

use crate::time::Span;
use base::Millis;

/// A set of time.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct SpanSet {
    spans: Vec<Span>,
}

impl SpanSet {
    /// No time.
    pub const fn new() -> Self {
        Self { spans: Vec::new() }
    }

    /// The time of any of the spans, in whatever order they come.
    pub fn from_spans(spans: impl IntoIterator<Item = Span>) -> Self {
        let mut all: Vec<_> = spans.into_iter().collect();
        if !all.is_sorted() {
            all.sort_unstable();
        }
        let mut spans: Vec<Span> = Vec::with_capacity(all.len());
        for span in all {
            match spans.last_mut() {
                Some(last) if span.start <= last.end => last.end = last.end.max(span.end),
                _ => spans.push(span),
            }
        }
        Self { spans }
    }

    /// The spans, earliest first.
    pub fn iter(&self) -> impl Iterator<Item = Span> + '_ {
        self.spans.iter().copied()
    }

    /// No time at all.
    pub const fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Time in all.
    pub fn ms(&self) -> i64 {
        self.spans.iter().map(|s| s.ms()).sum()
    }

    /// Whether an instant is in it.
    pub fn holds(&self, instant: Millis) -> bool {
        let at = self.spans.partition_point(|s| s.end <= instant);
        self.spans.get(at).is_some_and(|s| s.start <= instant)
    }

    /// Whether a span is wholly in it.
    pub fn covers(&self, span: Span) -> bool {
        let at = self.spans.partition_point(|s| s.end <= span.start);
        self.spans.get(at).is_some_and(|s| s.covers(span))
    }

    /// Whether any of a span is in it.
    pub fn overlaps(&self, span: Span) -> bool {
        let at = self.spans.partition_point(|s| s.end <= span.start);
        self.spans.get(at).is_some_and(|s| s.overlaps(span))
    }

    /// What of it lies within a window, without looking at the rest.
    #[must_use]
    pub fn within(&self, window: Span) -> Self {
        let from = self.spans.partition_point(|s| s.end <= window.start);
        let rest = self.spans.get(from..).unwrap_or_default();
        let near = rest.iter().take_while(|s| s.start < window.end);
        Self { spans: near.filter_map(|s| s.common(window)).collect() }
    }

    /// What is in either.
    #[must_use]
    pub fn union(&self, other: &Self) -> Self {
        Self::from_spans(self.iter().chain(other.iter()))
    }

    /// What is in both.
    #[must_use]
    pub fn common(&self, other: &Self) -> Self {
        let (mut a, mut b) = (self.iter().peekable(), other.iter().peekable());
        let mut spans = Vec::new();
        while let (Some(x), Some(y)) = (a.peek().copied(), b.peek().copied()) {
            spans.extend(x.common(y));
            if x.end <= y.end {
                a.next();
            } else {
                b.next();
            }
        }
        Self { spans }
    }

    /// What is in this one and not in the other.
    #[must_use]
    pub fn without(&self, other: &Self) -> Self {
        let mut spans = Vec::with_capacity(self.spans.len());
        let mut holes = other.iter().peekable();
        for span in self.iter() {
            let mut from = span.start;
            while let Some(hole) = holes.peek().copied() {
                if hole.start >= span.end {
                    break;
                }
                spans.extend(Span::new(from, hole.start.min(span.end)));
                from = from.max(hole.end);
                if hole.end > span.end {
                    break;
                }
                holes.next();
            }
            spans.extend(Span::new(from, span.end));
        }
        Self { spans }
    }

    /// The instants at which something of this length can begin and lie wholly in the set.
    #[must_use]
    pub fn starts(&self, length_ms: i64) -> Self {
        let last = |s: &Span| Millis(s.end.0.saturating_sub(length_ms).saturating_add(1));
        Self { spans: self.spans.iter().filter_map(|s| Span::new(s.start, last(s))).collect() }
    }

    /// The instants at which something cannot begin that needs `before_ms` before them and `after_ms`
    /// after them outside the set.
    #[must_use]
    pub fn hindered(&self, before_ms: i64, after_ms: i64) -> Self {
        let first = |s: Span| Millis(s.start.0.saturating_sub(after_ms).saturating_add(1));
        let end = |s: Span| Millis(s.end.0.saturating_add(before_ms));
        Self::from_spans(self.iter().filter_map(|s| Span::new(first(s), end(s))))
    }
}

impl FromIterator<Span> for SpanSet {
    fn from_iter<I: IntoIterator<Item = Span>>(spans: I) -> Self {
        Self::from_spans(spans)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn set(pairs: &[(i64, i64)]) -> SpanSet {
        pairs.iter().filter_map(|(a, b)| Span::new(Millis(*a), Millis(a + b))).collect()
    }

    fn bits(set: &SpanSet) -> Vec<bool> {
        (0..80).map(|at| set.holds(Millis(at))).collect()
    }

    fn pairs() -> impl Strategy<Value = Vec<(i64, i64)>> {
        proptest::collection::vec((0_i64..60, 0_i64..12), 0..10)
    }

    proptest! {
        #[test]
        fn arithmetic_agrees_with_a_row_of_bits(a in pairs(), b in pairs(), from in 0_i64..70, len in 1_i64..12, before in 0_i64..5) {
            let (x, y) = (set(&a), set(&b));
            let mut row = vec![false; 80];
            for (start, length) in &a {
                for at in *start..start + length {
                    row[usize::try_from(at).unwrap()] = true;
                }
            }
            prop_assert_eq!(bits(&x), row.clone());
            prop_assert_eq!(x.ms(), i64::try_from(row.iter().filter(|b| **b).count()).unwrap());
            let other = bits(&y);
            let zip = |f: fn(bool, bool) -> bool| row.iter().zip(&other).map(|(p, q)| f(*p, *q)).collect::<Vec<_>>();
            prop_assert_eq!(bits(&x.union(&y)), zip(|p, q| p || q));
            prop_assert_eq!(bits(&x.common(&y)), zip(|p, q| p && q));
            prop_assert_eq!(bits(&x.without(&y)), zip(|p, q| p && !q));
            let span = Span::new(Millis(from), Millis(from + len)).unwrap();
            let inside: Vec<_> = (from..from + len).map(|at| x.holds(Millis(at))).collect();
            prop_assert_eq!(x.covers(span), inside.iter().all(|b| *b));
            prop_assert_eq!(x.overlaps(span), inside.iter().any(|b| *b));
            prop_assert_eq!(x.starts(len).holds(Millis(from)), x.covers(span));
            prop_assert_eq!(x.hindered(before, len).holds(Millis(from)), x.overlaps(span.padded(before, 0)));
            for clean in [x.union(&y), x.common(&y), x.without(&y), x.within(span), x.starts(len)] {
                prop_assert!(clean.iter().zip(clean.iter().skip(1)).all(|(p, q)| p.end < q.start));
            }
        }
    }
}
