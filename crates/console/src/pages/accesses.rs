//! Who saw this record: the accesses to one patient's data in plain words, for the patient and for who may
//! read the access log (45 CFR 164.528; 170.315(d)(3)). Looking leaves an event, too.

use crate::answer::{Answer, is_nothing};
use crate::days;
use crate::pages::{missing, patient};
use crate::parts::{Column, Icon, Table, Tone, badge, empty, panel, shell, table};
use crate::visit::Visit;
use crate::words::{self, Word};
use base::{Fault, Millis};
use maud::{Markup, html};
use record::Access;

/// How far back it is told without being asked for more.
const DAYS_BACK: i64 = 90;
/// Rows of one page.
const ROWS_MAX: usize = 200;
const DAY_MS: i64 = 86_400_000;

/// `/p/{id}/accesses`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some(person) = patient::see(visit)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let from = Millis(visit.now().0.saturating_sub(DAYS_BACK * DAY_MS));
    let told = match visit.session.who_saw(&person.id, Some(from), None) {
        Ok(told) => told.wait()?,
        // Who may see the patient and not the log is told so; the patient is no secret to them.
        Err(fault) if is_nothing(&fault) => return Ok(missing::page(visit)),
        Err(fault) => return Err(fault),
    };
    let chart = patient::chart(visit, &person.id)?;
    let shown = told.accesses.iter().take(ROWS_MAX);
    let rows: Vec<Vec<Markup>> = shown.map(|access| row(visit, access)).collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [column(words::WHEN), column(words::WHO), column(words::DID), column(words::WHY)];
    let say = words::SAW_SINCE.with(lang, &DAYS_BACK.to_string());
    let body = html! {
        (patient::head(visit, &person, &chart))
        (panel("accesses", words::WHO_SAW.of(lang), None, &html! {
            p.foot.muted { (say) }
            @if rows.is_empty() {
                (empty(Icon::Eye, words::NOBODY_SAW.of(lang), words::NOBODY_SAW_WHY.of(lang), None))
            } @else {
                (table(&Table { caption: words::WHO_SAW.of(lang), columns: &columns, rows: &rows }))
            }
            @if told.accesses.len() > ROWS_MAX {
                p.foot.muted { (words::NEWEST_ONLY.with(lang, &ROWS_MAX.to_string())) }
            }
        }))
    };
    Ok(shell(visit, 200, words::WHO_SAW.of(lang), &body))
}

fn row(visit: &Visit, access: &Access) -> Vec<Markup> {
    let lang = visit.lang();
    vec![
        html! { span.keep { (days::moment(access.last, &visit.zone, lang)) }
        @if access.times > 1 { span.muted { " " (words::TIMES.with(lang, &access.times.to_string())) } } },
        html! { (access.name) @if let Some(app) = &access.app { span.muted { " " (words::BY_APP.with(lang, app)) } } },
        html! { (access.did)
        @if access.refused { " " (badge(Tone::Neutral, Icon::Close, words::REFUSED.of(lang))) } },
        html! { (access.reason)
        @if access.emergency { " " (badge(Tone::Critical, Icon::Critical, words::EMERGENCY.of(lang))) } },
    ]
}
