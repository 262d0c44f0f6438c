//! A line of values over time, as big as a word, drawn as SVG. It says nothing that the words beside it do
//! not say (WCAG 2.2, 1.1.1): its label tells how many values, the lowest, the highest and the last.

use maud::{Markup, html};
use std::fmt::Write as _;

const WIDTH: f64 = 96.0;
const HEIGHT: f64 = 24.0;
/// Room for the last value's dot.
const EDGE: f64 = 3.0;

/// What is drawn.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spark {
    /// Lines, each of instants and values, oldest first.
    pub(crate) lines: Vec<Vec<(i64, f64)>>,
    /// Within what values should lie.
    pub(crate) range: (Option<f64>, Option<f64>),
    /// What it shows, in words.
    pub(crate) label: String,
}

/// Draws it; nothing of fewer than two values.
pub(crate) fn spark(of: &Spark) -> Markup {
    let points = || of.lines.iter().flatten().filter(|(_, value)| value.is_finite());
    if of.lines.iter().all(|line| line.len() < 2) {
        return html! {};
    }
    let bound = |fold: fn(f64, f64) -> f64, first: f64, range: Option<f64>| {
        points().map(|(_, value)| *value).chain(range).fold(first, fold)
    };
    let (low, high) = (
        bound(f64::min, f64::INFINITY, of.range.0),
        bound(f64::max, f64::NEG_INFINITY, of.range.1),
    );
    let from = points().map(|(at, _)| *at).min().unwrap_or(0);
    let span = points().map(|(at, _)| at.saturating_sub(from)).max().unwrap_or(0).max(1);
    // A drawing: what is lost of a number here is less than a stroke is wide.
    #[expect(clippy::cast_precision_loss, reason = "days on a line of ninety points")]
    let x = |at: i64| EDGE + (at.saturating_sub(from)) as f64 / span as f64 * (WIDTH - 2.0 * EDGE);
    let tall = (high - low).max(f64::EPSILON);
    let y = |value: f64| match high > low {
        true => EDGE + (high - value) / tall * (HEIGHT - 2.0 * EDGE),
        false => HEIGHT / 2.0,
    };
    let path = |line: &[(i64, f64)]| {
        let mut text = String::new();
        for (at, value) in line.iter().filter(|(_, value)| value.is_finite()) {
            let _ = write!(text, "{:.1},{:.1} ", x(*at), y(*value));
        }
        text
    };
    let band = match of.range {
        (None, None) => None,
        (bottom, top) => {
            let (top, bottom) = (top.map_or(0.0, y), bottom.map_or(HEIGHT, y));
            Some((format!("{top:.1}"), format!("{:.1}", (bottom - top).max(0.5))))
        }
    };
    html! {
        svg.spark viewBox="0 0 96 24" role="img" aria-label=(of.label) focusable="false" {
            @if let Some((top, tall)) = &band { rect.spark-range x="0" width="96" y=(top) height=(tall) {} }
            @for line in &of.lines {
                polyline points=(path(line)) {}
                @if let Some((at, value)) = line.last() {
                    circle cx=(format!("{:.1}", x(*at))) cy=(format!("{:.1}", y(*value))) r="2" {}
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn one_value_is_no_line_and_two_are() {
        let of = |line: Vec<(i64, f64)>| Spark { lines: vec![line], ..Spark::default() };
        assert!(spark(&of(vec![(0, 1.0)])).0.is_empty());
        let drawn = spark(&of(vec![(0, 1.0), (10, 3.0)])).0;
        assert!(drawn.contains("3.0,21.0 93.0,3.0"), "{drawn}");
    }

    proptest! {
        #[test]
        fn any_values_are_drawn_within_the_picture(
            line in proptest::collection::vec((any::<i64>(), -1e6..1e6_f64), 2..12),
            low in proptest::option::of(-1e6..1e6_f64),
        ) {
            let drawn = spark(&Spark { lines: vec![line], range: (low, None), label: String::new() }).0;
            prop_assert!(!drawn.contains("NaN") && !drawn.contains("inf"), "{}", drawn);
        }
    }
}
