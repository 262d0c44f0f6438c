//! Vital signs in one line: what it was understood as before it is kept, with units, what is unusual at
//! the patient's age or far from the last value, and each trouble at its place in the line.

use super::summary::sign_name;
use super::{
    Open, about, carried, done, encounter, entry_id, feet, filled, framed, may, mendable,
    moment_of, open, refusal,
};
use crate::answer::Answer;
use crate::pages::missing;
use crate::parts::{
    Column, Field, Icon, Table, Tone, badge, error_summary, first_field, notice, panel, table,
};
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::code;
use charting::entry::{self, Trouble, Wrong};
use charting::vitals::{self as charted, Doubt, Preview, VitalsForm};
use maud::{Markup, html};

/// What the form is shown with.
#[derive(Default)]
struct Shown {
    preview: Option<Preview>,
    troubles: Vec<Trouble>,
    fault: Option<Fault>,
    /// What is remarked of stands beside what would be kept, and is to be looked at once more.
    asks: bool,
}

/// `/p/{id}/vitals`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if !may(visit, "Observation") {
        return Ok(missing::page(visit));
    }
    let Some(open) = open(visit)? else { return Ok(missing::page(visit)) };
    Ok(form(visit, &open, 200, &Shown::default()))
}

/// A line, to be looked at or to be kept.
pub(crate) fn keep(visit: &Visit) -> Result<Answer, Fault> {
    if visit.is_fragment() {
        return piece(visit);
    }
    let Some(open) = open(visit)? else { return Ok(missing::page(visit)) };
    let about = match about(visit) {
        Ok(about) => about,
        Err(fault) => {
            let shown = Shown { fault: Some(fault), ..Shown::default() };
            return Ok(form(visit, &open, 409, &shown));
        }
    };
    let line = visit.field("line");
    if let Err(troubles) = entry::read(line) {
        let shown = Shown { troubles, ..Shown::default() };
        return Ok(form(visit, &open, 422, &shown));
    }
    let preview = match wait(charted::preview(&visit.session, &about, line)) {
        Ok(preview) => preview,
        Err(fault) => {
            let fault = mendable(fault)?;
            let shown = Shown { fault: Some(fault), ..Shown::default() };
            return Ok(form(visit, &open, 409, &shown));
        }
    };
    let was_asked = visit.field("asked") == line && !line.is_empty();
    let asks = !preview.remarks.is_empty() && !was_asked;
    if visit.field("do") != "keep" || asks {
        let shown = Shown { preview: Some(preview), asks, ..Shown::default() };
        return Ok(form(visit, &open, 200, &shown));
    }
    let sent = VitalsForm {
        form: entry_id(visit),
        line: line.to_owned(),
        at: filled(visit, "at").map(|at| moment_of(visit, &at)),
    };
    match wait(charted::keep(&visit.session, &about, &sent)) {
        Ok(kept) => {
            let all: Vec<_> = kept.done.iter().map(|one| ("Observation", one)).collect();
            Ok(done(&open, "vitals", &all))
        }
        Err(fault) => {
            let status = fault.status();
            let fault = mendable(fault)?;
            let shown = Shown { fault: Some(fault), ..Shown::default() };
            Ok(form(visit, &open, status, &shown))
        }
    }
}

/// The piece that a script puts under the line while it is typed. The banner is on the page already.
fn piece(visit: &Visit) -> Result<Answer, Fault> {
    let line = visit.field("line");
    let shown = match entry::read(line) {
        Err(troubles) => Shown { troubles, ..Shown::default() },
        Ok(_) => {
            match about(visit).and_then(|of| wait(charted::preview(&visit.session, &of, line))) {
                Ok(preview) => Shown { preview: Some(preview), ..Shown::default() },
                Err(fault) => {
                    let say = super::say(&mendable(fault)?, visit.lang());
                    return Ok(Answer::html(200, html! { p { (say) } }));
                }
            }
        }
    };
    Ok(Answer::html(200, understood(visit, &shown)))
}

fn form(visit: &Visit, open: &Open, status: u16, shown: &Shown) -> Answer {
    let lang = visit.lang();
    let line = visit.field("line");
    let is_at_wrong = shown.fault.as_ref().is_some_and(|fault| {
        fault.issues.iter().any(|one| one.expression.as_deref() == Some("at"))
    });
    let line_error = match (shown.troubles.is_empty(), &shown.fault) {
        (false, _) => words::CHART_LINE_WRONG.of(lang),
        (true, Some(fault)) if fault.code().name == code::CHART_ENTRY.name => {
            words::CHART_LINE_EMPTY.of(lang)
        }
        _ => "",
    };
    let at_error = if is_at_wrong { words::CHART_TIME_WRONG.of(lang) } else { "" };
    let wrong: Vec<(&str, &str)> = [("line", line_error), ("at", at_error)]
        .into_iter()
        .filter(|(_, say)| !say.is_empty())
        .collect();
    let label = if shown.asks { words::CHART_KEEP_ALL_THE_SAME } else { words::CHART_KEEP };
    let body = html! {
        @if !wrong.is_empty() { (error_summary(lang, &wrong)) }
        @if let Some(fault) = shown.fault.as_ref().filter(|_| wrong.is_empty()) { (refusal(visit, open, fault)) }
        div.narrow { (panel("vitals", words::CHART_ENTER_VITALS.of(lang), None, &html! {
            form.stack.chart-form method="post" action=(open.path("/vitals")) data-preview="understood" {
                (carried(visit, open, &entry_id(visit), encounter(visit)))
                @if shown.asks { input type="hidden" name="asked" value=(line); }
                (first_field(&Field { id: "line", name: "line", label: words::CHART_LINE.of(lang), hint: words::CHART_LINE_HINT.of(lang), error: line_error, value: line, ..Field::default() }))
                div #understood aria-live="polite" { (understood(visit, shown)) }
                div.field {
                    label for="at" { (words::CHART_MEASURED_AT.of(lang)) }
                    p.hint { (words::CHART_MEASURED_AT_HINT.of(lang)) }
                    @if !at_error.is_empty() { p.error { (at_error) } }
                    input.short type="datetime-local" id="at" name="at" value=(visit.field("at"));
                }
                (feet(visit, open, &html! {
                    button.button.is-primary type="submit" name="do" value="keep" { span { (label.of(lang)) } }
                    button.button.is-secondary type="submit" name="do" value="check" { span { (words::CHART_CHECK.of(lang)) } }
                }))
            }
        })) }
        p.muted { (words::CHART_BOUNDS_SOURCE.of(lang)) }
    };
    framed(visit, (status, words::CHART_ENTER_VITALS.of(lang)), open, &body)
}

fn understood(visit: &Visit, shown: &Shown) -> Markup {
    let lang = visit.lang();
    let line = visit.field("line");
    html! {
        @if !shown.troubles.is_empty() {
            ul.troubles { @for trouble in &shown.troubles {
                li { (badge(Tone::Critical, Icon::Critical, line.get(trouble.at.clone()).unwrap_or_default())) " " (wrong(trouble.what).of(lang)) }
            } }
        }
        @if let Some(preview) = &shown.preview { @if !preview.entered.is_empty() {
            @if shown.asks {
                (notice(Tone::Warning, words::CHART_LOOK_TWICE.of(lang), &html! { p { (words::CHART_LOOK_TWICE_WHY.of(lang)) } }))
            }
            (values(preview, lang))
        } }
    }
}

fn values(preview: &Preview, lang: Lang) -> Markup {
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns =
        [column(words::CHART_SIGN), column(words::UNDERSTOOD), column(words::CHART_REMARK)];
    let remarks = |sign: charting::sign::Sign| {
        let remarks = preview.remarks.iter().filter(|one| one.sign == sign);
        let mut of: Vec<Word> = remarks.map(|one| doubt(one.what)).collect();
        // Of a pressure both values may be high.
        of.dedup();
        html! { @for word in of { (badge(Tone::Warning, Icon::Warning, word.of(lang))) " " } }
    };
    let mut rows: Vec<Vec<Markup>> = preview
        .entered
        .iter()
        .map(|one| {
            vec![
                html! { (sign_name(one.sign).of(lang)) },
                html! { strong.number { (one.words()) } },
                remarks(one.sign),
            ]
        })
        .collect();
    if let Some(mass) = preview.body_mass {
        rows.push(vec![
            html! { (words::CHART_BODY_MASS.of(lang)) },
            html! { span.number { (mass) " kg/m²" } " " span.muted { (words::CHART_FOLLOWS.of(lang)) } },
            remarks(charting::sign::Sign::BodyMass),
        ]);
    }
    table(&Table { caption: words::UNDERSTOOD.of(lang), columns: &columns, rows: &rows })
}

fn doubt(what: Doubt) -> Word {
    match what {
        Doubt::Low => words::CHART_DOUBT_LOW,
        Doubt::High => words::CHART_DOUBT_HIGH,
        Doubt::Changed => words::CHART_DOUBT_CHANGED,
        Doubt::NotCompared => words::CHART_DOUBT_NOT_COMPARED,
        Doubt::PulsePressure => words::CHART_DOUBT_PULSE_PRESSURE,
        Doubt::BodyMass => words::CHART_DOUBT_BODY,
    }
}

fn wrong(what: Wrong) -> Word {
    match what {
        Wrong::TooLong => words::CHART_WRONG_LONG,
        Wrong::Name => words::CHART_WRONG_NAME,
        Wrong::NoValue => words::CHART_WRONG_NO_VALUE,
        Wrong::Value => words::CHART_WRONG_VALUE,
        Wrong::Comma => words::CHART_WRONG_COMMA,
        Wrong::UnknownUnit => words::CHART_WRONG_UNIT,
        Wrong::UnitMissing => words::CHART_WRONG_UNIT_MISSING,
        Wrong::Twice => words::CHART_WRONG_TWICE,
        Wrong::Impossible => words::CHART_WRONG_IMPOSSIBLE,
        Wrong::Reversed => words::CHART_WRONG_REVERSED,
    }
}
