//! What became of one record: its versions, and what changed between two of them, in words.

use super::{framed, open};
use crate::answer::{Answer, is_nothing};
use crate::days;
use crate::pages::missing;
use crate::parts::{Column, Kind, Table, Tone, button, notice, panel, table};
use crate::route::part;
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Word};
use base::Fault;
use base::error::code;
use charting::diff::Line;
use charting::past::{self, Past};
use maud::{Markup, html};

/// `/p/{id}/history/{type}/{record}`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some(open) = open(visit)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let (kind, id) = (part(visit, 3), part(visit, 4));
    let number = |name: &str| visit.parameter(name).parse::<u64>().ok();
    let wanted = number("old").zip(number("new")).map(|(a, b)| (a.min(b), a.max(b)));
    let read = |wanted| wait(past::of(&visit.session, &open.person.id, (kind, id), wanted));
    let past = match read(wanted) {
        Ok(past) => past,
        // Versions that are not there: what is there is shown.
        Err(fault) if fault.code().name == code::VERSION_NOT_FOUND.name => read(None)?,
        Err(fault) if fault.code().name == code::CHART_OTHER_PATIENT.name || is_nothing(&fault) => {
            return Ok(missing::page(visit));
        }
        Err(fault) => return Err(fault),
    };
    let title = match past.what.as_str() {
        "" => words::CHART_HISTORY.of(lang).to_owned(),
        what => words::CHART_HISTORY_OF.with(lang, what),
    };
    let body = html! {
        div.columns {
            div { (panel("changes", &title, None, &changes(visit, &past))) }
            div { (panel("versions", words::CHART_VERSIONS.of(lang), None, &versions(visit, &past))) }
        }
    };
    Ok(framed(visit, (200, &title), &open, &body))
}

fn changes(visit: &Visit, past: &Past) -> Markup {
    let lang = visit.lang();
    let Some((old, new)) = past.compared else {
        return html! { p.foot.muted { (words::CHART_NEVER_CHANGED.of(lang)) } };
    };
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns =
        [column(words::CHART_WHAT), column(words::CHART_BEFORE), column(words::CHART_AFTER)];
    let side = |text: Option<&str>, is_old: bool| {
        html! {
            @match (text, is_old) {
                (Some(text), true) => del { (text) },
                (Some(text), false) => ins { (text) },
                (None, _) => span.muted { (words::CHART_NOT_THERE.of(lang)) },
            }
        }
    };
    let row = |line: &Line| {
        vec![
            html! { (line.what) },
            side(line.before.as_deref(), true),
            side(line.after.as_deref(), false),
        ]
    };
    let rows: Vec<Vec<Markup>> = past.lines.iter().map(row).collect();
    let caption = words::CHART_BETWEEN.with(lang, &old.to_string());
    let caption = caption.replacen("{}", &new.to_string(), 1);
    html! {
        p.foot.muted { (caption) }
        @if rows.is_empty() { p.foot { (words::CHART_SAME.of(lang)) } }
        @else { div.differences { (table(&Table { caption: &caption, columns: &columns, rows: &rows })) } }
        @if past.cut { (notice(Tone::Warning, words::CHART_CUT.of(lang), &html! {})) }
    }
}

fn versions(visit: &Visit, past: &Past) -> Markup {
    let lang = visit.lang();
    let (old, new) = past.compared.unwrap_or_default();
    html! {
        form method="get" action=(visit.path) {
            ul.versions {
                li.muted aria-hidden="true" { span { (words::CHART_OLD.of(lang)) } span { (words::CHART_NEW.of(lang)) } }
                @for one in &past.versions {
                    li {
                        @for (name, chosen, word) in [("old", old, words::CHART_OLD), ("new", new, words::CHART_NEW)] {
                            label {
                                input type="radio" name=(name) value=(one.number) checked[one.number == chosen] disabled[one.deleted];
                                span.unseen { (word.of(lang)) " " (one.number) }
                            }
                        }
                        span { strong { (one.number) } " " span.muted { (days::moment(one.at, &visit.zone, lang)) }
                            @if one.deleted { " " (words::CHART_DELETED.of(lang)) } }
                    }
                }
            }
            @if past.more { p.foot.muted { (words::CHART_MORE_VERSIONS.of(lang)) } }
            div.row.pad { (button(Kind::Secondary, None, words::CHART_COMPARE.of(lang))) }
        }
    }
}
