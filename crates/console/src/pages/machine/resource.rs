//! One resource: as a form, as JSON, and how it came to be what it is, with the difference of any two
//! versions (<https://hl7.org/fhir/R4/http.html#history>). Each reading is the caller's, and leaves its
//! event.

use super::resources::{asked_type, caption};
use super::tree;
use crate::answer::{Answer, is_nothing};
use crate::days;
use crate::pages::missing;
use crate::parts::{
    Column, Icon, Tab, Table, Tone, badge, copyable, panel, shell, table, tabs, unbroken,
};
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Word};
use base::{Fault, Limits};
use charting::lines::{Change, diff};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use fhir::json::pretty;
use maud::{Markup, html};
use record::{HistoryQuery, Hit, Method};

/// Versions that are listed.
const VERSIONS_MAX: usize = 50;
/// Lines around a change that are shown.
const AROUND: usize = 3;

/// `/admin/resources/{type}/{id}`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some(of) = asked_type(visit) else { return Ok(missing::page(visit)) };
    let id = part(visit, 3).to_owned();
    let done = match visit.parameter("view") {
        "json" => one(visit, of, &id, true),
        "history" => history(visit, of, &id),
        "diff" => difference(visit, of, &id),
        _ => one(visit, of, &id, false),
    };
    match done {
        Ok((title, body)) => Ok(shell(visit, 200, &title, &body)),
        Err(fault) if is_nothing(&fault) || fault.status() == 404 => Ok(missing::page(visit)),
        Err(fault) => Err(fault),
    }
}

fn read(
    visit: &Visit,
    of: TypeId,
    id: &str,
    version: Option<u64>,
) -> Result<(Hit, Document), Fault> {
    let hit = visit.session.read(of, id, version)?.wait()?;
    let document = Document::parse(hit.body.clone(), &Limits::default())?;
    Ok((hit, document))
}

fn one(visit: &Visit, of: TypeId, id: &str, is_json: bool) -> Result<(String, Markup), Fault> {
    let lang = visit.lang();
    let version = visit.parameter("version").parse().ok();
    let (hit, document) = read(visit, of, id, version)?;
    let (name, root) = (r4().name(of), document.root());
    let title = format!("{name}/{id}");
    let view = match is_json {
        true => tree::json(root, lang),
        false => tree::form(root, name, lang),
    };
    let which = if is_json { words::IT_JSON } else { words::IT_FORM };
    let body = html! {
        (head(visit, of, id, &caption(root)))
        p { (words::IT_VERSION.of(lang)) " " span.number { (hit.version) } " · "
            (days::moment(hit.last_updated, &visit.zone, lang))
            @if version.is_some() { " " (badge(Tone::Warning, Icon::Clock, words::IT_OF_THEN.of(lang))) }
        }
        (panel("view", which.of(lang), None, &html! { div.pad { (view) } }))
    };
    Ok((title, body))
}

fn head(visit: &Visit, of: TypeId, id: &str, caption: &str) -> Markup {
    let lang = visit.lang();
    let (name, here) = (r4().name(of), visit.parameter("view"));
    let tab = |word: Word, view: &str| Tab {
        label: word.of(lang),
        href: match view {
            "" => format!("/admin/resources/{name}/{id}"),
            view => format!("/admin/resources/{name}/{id}?view={view}"),
        },
        is_here: here == view || (view == "history" && here == "diff"),
    };
    html! {
        div.page-head {
            h1 { (name) }
            p.muted { (copyable(lang, id)) @if !caption.is_empty() { " · " (caption) } }
        }
        p { a href={ "/admin/resources/" (name) } { (words::IT_ALL_OF_TYPE.with(lang, name)) } }
        (tabs(name, &[tab(words::IT_FORM, ""), tab(words::IT_JSON, "json"), tab(words::IT_HISTORY, "history")]))
    }
}

fn history(visit: &Visit, of: TypeId, id: &str) -> Result<(String, Markup), Fault> {
    let lang = visit.lang();
    let query = HistoryQuery {
        resource_type: Some(of),
        id: Some(id.to_owned()),
        count: VERSIONS_MAX,
        ..HistoryQuery::default()
    };
    let page = visit.session.history(query)?.wait()?;
    let name = r4().name(of);
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [
        column(words::IT_VERSION),
        column(words::WHEN),
        column(words::IT_BY),
        column(words::IT_COMPARE),
    ];
    let row = |hit: &Hit| {
        let by = match hit.method {
            Method::Create => words::IT_CREATED,
            Method::Update => words::IT_CHANGED,
            Method::Delete => words::IT_DELETED,
        };
        let base = format!("/admin/resources/{name}/{id}");
        let before = hit.version.saturating_sub(1);
        vec![
            html! { @if hit.deleted { span.number { (hit.version) } }
            @else { a.number href={ (base) "?view=json&version=" (hit.version) } { (hit.version) } } },
            unbroken(&days::moment(hit.last_updated, &visit.zone, lang)),
            html! { (by.of(lang)) },
            html! { @if before > 0 && !hit.deleted {
                a href={ (base) "?view=diff&a=" (before) "&b=" (hit.version) } { (words::IT_WITH_BEFORE.of(lang)) }
            } @else { "–" } },
        ]
    };
    let rows: Vec<_> = page.versions.iter().map(row).collect();
    let body = html! {
        (head(visit, of, id, ""))
        (panel("history", words::IT_HISTORY.of(lang), None, &html! {
            (table(&Table { caption: words::IT_HISTORY.of(lang), columns: &columns, rows: &rows }))
            @if page.next.is_some() { p.foot.muted { (words::NEWEST_ONLY.with(lang, &VERSIONS_MAX.to_string())) } }
        }))
    };
    Ok((format!("{name}/{id}"), body))
}

fn difference(visit: &Visit, of: TypeId, id: &str) -> Result<(String, Markup), Fault> {
    let lang = visit.lang();
    let number =
        |name: &str| visit.parameter(name).parse::<u64>().ok().filter(|number| *number > 0);
    let (Some(old), Some(new)) = (number("a"), number("b")) else {
        return history(visit, of, id);
    };
    let (_, before) = read(visit, of, id, Some(old))?;
    let (_, after) = read(visit, of, id, Some(new))?;
    let text = |document: &Document| {
        let mut out = Vec::new();
        pretty(document.root(), &mut out);
        String::from_utf8_lossy(&out).into_owned()
    };
    let (before, after) = (text(&before), text(&after));
    let lines = diff(&before, &after);
    let title = words::IT_DIFFERENCE.with(lang, &old.to_string());
    let title = title.replacen("{}", &new.to_string(), 1);
    let changed = lines.iter().filter(|(change, _)| *change != Change::Same).count();
    let body = html! {
        (head(visit, of, id, ""))
        (panel("difference", &title, None, &html! { div.pad {
            @if changed == 0 { p { (words::IT_SAME.of(lang)) } } @else { (changes(&lines, lang)) }
        } }))
    };
    Ok((format!("{}/{id}", r4().name(of)), body))
}

fn changes(lines: &[(Change, &str)], lang: words::Lang) -> Markup {
    let is_near = |at: usize| {
        let around = lines.iter().skip(at.saturating_sub(AROUND)).take(2 * AROUND + 1);
        around.into_iter().any(|(change, _)| *change != Change::Same)
    };
    let mut was_near = true;
    let mut shown = Vec::new();
    for (at, (change, line)) in lines.iter().enumerate() {
        let near = is_near(at);
        if near {
            shown.push(match change {
                Change::Same => html! { span.it-line { "  " (line) "\n" } },
                Change::Added => html! { ins.it-line { span.unseen { (words::IT_ADDED.of(lang)) } "+ " (line) "\n" } },
                Change::Removed => html! { del.it-line { span.unseen { (words::IT_REMOVED.of(lang)) } "− " (line) "\n" } },
            });
        } else if was_near {
            shown.push(html! { span.it-line.muted { "⋯\n" } });
        }
        was_near = near;
    }
    html! { pre.it-json { @for line in &shown { (line) } } }
}
