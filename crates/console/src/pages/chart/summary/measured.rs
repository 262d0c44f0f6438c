//! What was measured, on the first page of a chart: the latest of each vital sign with the line of those
//! before, and results by report with their reference range and trend. A value outside of its range says
//! so in a word, not by a colour (WCAG 2.2, 1.4.1).

use super::lines::{Held, rest};
use crate::days;
use crate::parts::{
    Column, Icon, Kind, Spark, Table, Tone, badge, link_button, panel, spark, table, unbroken,
};
use crate::words::{self, Lang, Word};
use charting::Part;
use charting::sign::Sign;
use charting::summary::{Finding, Flag, Point, Report, Vital};
use maud::{Markup, html};
use record::Reach;

/// The name of a sign.
pub(in super::super) fn name(sign: Sign) -> Word {
    match sign {
        Sign::Pressure => words::CHART_PRESSURE,
        Sign::Pulse => words::CHART_PULSE,
        Sign::Temperature => words::CHART_TEMPERATURE,
        Sign::Breaths => words::CHART_BREATHS,
        Sign::Saturation => words::CHART_SATURATION,
        Sign::Weight => words::CHART_WEIGHT,
        Sign::Height => words::CHART_HEIGHT,
        Sign::BodyMass => words::CHART_BODY_MASS,
        Sign::Pain => words::CHART_PAIN,
        Sign::Glucose => words::CHART_GLUCOSE,
    }
}

/// The vital signs.
pub(super) fn vitals(held: &Held<'_>, part: &Part<Vital>) -> Markup {
    let lang = held.visit.lang();
    if part.reach == Reach::Nothing {
        return html! {};
    }
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [
        column(words::CHART_SIGN),
        column(words::CHART_LATEST),
        column(words::WHEN),
        column(words::CHART_TREND),
    ];
    let rows: Vec<Vec<Markup>> =
        part.rows.iter().filter_map(|vital| row(held, vital, lang)).collect();
    let enter = super::super::may(held.visit, "Observation").then(|| {
        let href = held.open.path("/vitals");
        link_button(Kind::Quiet, None, words::CHART_ENTER_VITALS.of(lang), &href)
    });
    let body = html! {
        @if rows.is_empty() && part.reach == Reach::Whole {
            p.foot.muted { (words::CHART_NO_VITALS.of(lang)) @if let Some(enter) = &enter { " " (enter) } }
        }
        @if !rows.is_empty() {
            (table(&Table { caption: words::CHART_VITALS.of(lang), columns: &columns, rows: &rows }))
        }
        @if rows.is_empty() && matches!(part.reach, Reach::Part(_)) { p.foot.muted { (words::CHART_UNTOLD.of(lang)) } }
    };
    panel("vitals", words::CHART_VITALS.of(lang), None, &body)
}

fn row(held: &Held<'_>, vital: &Vital, lang: Lang) -> Option<Vec<Markup>> {
    let latest = vital.points.first()?;
    let label = name(vital.sign).of(lang);
    Some(vec![
        html! { a href=(held.history("Observation", &latest.id)) { (label) } },
        html! { strong.number { (value(vital.sign, latest)) } },
        unbroken(&super::super::at(&latest.at, lang)),
        trend(vital, label, lang),
    ])
}

/// A value with its unit, and in the sign's own unit where that is another.
pub(in super::super) fn value(sign: Sign, point: &Point) -> String {
    let known = charting::sign::unit_of(&point.value.code);
    let (gap, unit) = match (sign, known) {
        (Sign::Pain, _) => ("", "/10"),
        (_, Some(unit)) => (unit.gap(), unit.shown),
        (_, None) => (" ", point.value.unit.as_str()),
    };
    let typed = match &point.second {
        Some(second) => format!("{}/{}{gap}{unit}", point.value.value, second.value),
        None => format!("{}{gap}{unit}", point.value.value),
    };
    let own = sign.unit();
    match point.number {
        Some(number) if point.value.code != own.code && sign != Sign::Pain => {
            format!("{typed} ({} {})", number.round(1), own.shown)
        }
        _ => typed,
    }
}

fn number(of: Option<fhirpath::Decimal>) -> Option<f64> {
    of?.to_string().parse().ok()
}

fn instant(at: &str) -> Option<i64> {
    fhir::date::parse(at).map(|range| range.low)
}

fn trend(vital: &Vital, label: &str, lang: Lang) -> Markup {
    let line = |of: fn(&Point) -> Option<fhirpath::Decimal>| -> Vec<(i64, f64)> {
        let points = vital.points.iter().rev();
        points.filter_map(|one| Some((instant(&one.at)?, number(of(one))?))).collect()
    };
    let lines = vec![line(|one| one.number), line(|one| one.second_number)];
    drawn(lines, (None, None), label, lang)
}

fn drawn(
    lines: Vec<Vec<(i64, f64)>>,
    range: (Option<f64>, Option<f64>),
    label: &str,
    lang: Lang,
) -> Markup {
    let lines: Vec<Vec<(i64, f64)>> = lines.into_iter().filter(|line| line.len() > 1).collect();
    let Some(first) = lines.first() else { return html! { span.muted { "–" } } };
    let low = first.iter().map(|(_, value)| *value).fold(f64::INFINITY, f64::min);
    let high = first.iter().map(|(_, value)| *value).fold(f64::NEG_INFINITY, f64::max);
    let round = |value: f64| format!("{}", (value * 10.0).round() / 10.0);
    let said = words::CHART_TREND_SAID.with(lang, label);
    let said = said.replacen("{}", &first.len().to_string(), 1);
    let label = said.replacen("{}", &round(low), 1).replacen("{}", &round(high), 1);
    spark(&Spark { lines, range, label })
}

/// Results by report.
pub(super) fn results(held: &Held<'_>, part: &Part<Report>) -> Markup {
    let lang = held.visit.lang();
    if part.reach == Reach::Nothing {
        return html! {};
    }
    let all: Vec<&Finding> = part.rows.iter().flat_map(|report| &report.findings).collect();
    let body = html! {
        @for (at, report) in part.rows.iter().enumerate() {
            // The newest is open; of the others it says how many of their results somebody has to look at.
            details.report open[at < 2] {
                summary {
                    span.report-what { (called(report, lang)) }
                    @if report.abnormal() > 0 { (badge(Tone::Warning, Icon::Warning, &words::CHART_ABNORMAL.with(lang, &report.abnormal().to_string()))) }
                    @if matches!(report.status.as_str(), "preliminary" | "registered" | "partial") {
                        (badge(Tone::Neutral, Icon::Clock, words::CHART_PRELIMINARY.of(lang)))
                    }
                    @if matches!(report.status.as_str(), "corrected" | "amended") {
                        (badge(Tone::Warning, Icon::Info, words::CHART_CORRECTED.of(lang)))
                    }
                    span.line-when { (days::shown(&report.at, lang)) }
                }
                @if !report.conclusion.is_empty() { p.foot { (report.conclusion) } }
                @if !report.findings.is_empty() { (findings(held, report, &all)) }
                @if report.not_shown > 0 {
                    p.foot.muted { (words::CHART_NOT_SHOWN.with(lang, &report.not_shown.to_string())) }
                }
                @if !report.id.is_empty() {
                    p.foot { a href=(held.history("DiagnosticReport", &report.id)) { (words::CHART_HISTORY.of(lang)) } }
                }
            }
        }
        @if part.rows.is_empty() && part.reach == Reach::Whole { p.foot.muted { (words::CHART_NO_RESULTS.of(lang)) } }
        (rest(part, lang))
    };
    panel("results", words::CHART_RESULTS.of(lang), None, &body)
}

fn called(report: &Report, lang: Lang) -> String {
    match (report.id.is_empty(), report.what.text.as_str()) {
        (true, _) => words::CHART_LOOSE.of(lang).to_owned(),
        (false, "") => words::NOT_KNOWN.of(lang).to_owned(),
        (false, text) => text.to_owned(),
    }
}

fn findings(held: &Held<'_>, report: &Report, all: &[&Finding]) -> Markup {
    let lang = held.visit.lang();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [
        column(words::CHART_TEST),
        column(words::CHART_RESULT),
        column(words::CHART_RANGE),
        column(words::CHART_TREND),
    ];
    let rows: Vec<Vec<Markup>> = report
        .findings
        .iter()
        .map(|one| {
            vec![
                html! { a href=(held.history("Observation", &one.id)) { (one.what.text) } },
                html! { strong.number.is-measured[one.quantity.is_some()] { (one.value) } @if let Some(flag) = flag(one.flag, lang) { " " (flag) } },
                html! { span.muted.number.is-measured[one.quantity.is_some()] { (one.range) } },
                course(one, all, lang),
            ]
        })
        .collect();
    table(&Table { caption: &called(report, lang), columns: &columns, rows: &rows })
}

/// How a result stands, in a word.
pub(in super::super) fn flag(flag: Flag, lang: Lang) -> Option<Markup> {
    let (tone, which, word) = match flag {
        Flag::Critical => (Tone::Critical, Icon::Critical, words::CHART_CRITICAL),
        Flag::Low => (Tone::Warning, Icon::Down, words::CHART_LOW),
        Flag::High => (Tone::Warning, Icon::Up, words::CHART_HIGH),
        Flag::Abnormal => (Tone::Warning, Icon::Warning, words::CHART_ODD),
        Flag::Normal | Flag::Unknown => return None,
    };
    Some(badge(tone, which, word.of(lang)))
}

/// The values of the same test in the reports that are shown, in the same unit.
fn course(of: &Finding, all: &[&Finding], lang: Lang) -> Markup {
    let Some(quantity) = &of.quantity else { return html! { span.muted { "–" } } };
    let mut line: Vec<(i64, f64)> = all
        .iter()
        .filter(|one| one.what.same(&of.what))
        .filter_map(|one| {
            let other = one.quantity.as_ref().filter(|other| other.code == quantity.code)?;
            Some((instant(&one.at)?, number(other.number())?))
        })
        .collect();
    line.sort_by_key(|(at, _)| *at);
    line.dedup();
    drawn(vec![line], (number(of.bounds.0), number(of.bounds.1)), &of.what.text, lang)
}
