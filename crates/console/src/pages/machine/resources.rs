//! What is stored, by type, and a search of one type by the parameters of its registry
//! (<https://hl7.org/fhir/R4/search.html>). The caller's own scope decides what is found, and each search
//! leaves its event. What is searched for is posted: a value may be a name, and no address holds one.

use super::figures::grouped;
use super::{beside, watched};
use crate::answer::{Answer, is_nothing};
use crate::days;
use crate::pages::missing;
use crate::parts::{
    Column, Icon, Kind, Table, Tone, badge, button, empty, hidden, notice, panel, shell, table,
    unbroken,
};
use crate::person;
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Word};
use base::{Fault, Limits};
use fhir::definitions::{TypeId, r4};
use fhir::{Document, Value};
use maud::{Markup, html};
use record::{Found, Hit, Level, SearchHow};
use search::registry::{Parameter, registry};

/// Pairs of parameter and value that the form has.
const PAIRS: usize = 3;
/// Rows of a page.
const ROWS: usize = 20;
/// Bytes of a value that is searched for.
const VALUE_BYTES_MAX: usize = 400;

/// `/admin/resources`
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn types(visit: &Visit) -> Result<Answer, Fault> {
    let Some(machine) = watched(visit) else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let live = machine.figures().live;
    let count = |of: TypeId| live.iter().find(|(one, _)| *one == of).map_or(0, |(_, count)| *count);
    let all: Vec<_> = r4().resource_types().map(|(of, name)| (name, of, count(of))).collect();
    let (mine, others): (Vec<_>, Vec<_>) =
        all.into_iter().partition(|(_, of, _)| visit.session.may_search(*of));
    let stored: Vec<_> = others.iter().filter(|(.., count)| *count > 0).collect();
    let columns = [
        Column { label: words::IT_TYPE.of(lang), is_figure: false },
        Column { label: words::IT_RECORDS.of(lang), is_figure: true },
    ];
    let cells = |name: Markup, count: u64| vec![name, html! { span.number { (grouped(count)) } }];
    let shown: Vec<_> = mine
        .iter()
        .map(|(name, _, count)| {
            cells(html! { a href={ "/admin/resources/" (name) } { (name) } }, *count)
        })
        .collect();
    let closed: Vec<_> =
        stored.iter().map(|(name, _, count)| cells(html! { (name) }, *count)).collect();
    let caption = words::IT_RESOURCES.of(lang);
    let body = html! {
        h1 { (words::IT_RESOURCES.of(lang)) }
        (beside(visit))
        div.columns {
            (panel("mine", words::IT_MAY_SEE.of(lang), None, &html! {
                (table(&Table { caption, columns: &columns, rows: &shown }))
            }))
            (panel("others", words::IT_MAY_NOT.of(lang), None, &html! {
                p.foot.muted { (words::IT_MAY_NOT_WHY.of(lang)) }
                @if !closed.is_empty() { (table(&Table { caption, columns: &columns, rows: &closed })) }
            }))
        }
    };
    Ok(shell(visit, 200, words::IT_RESOURCES.of(lang), &body))
}

/// The type that an address names, when whoever asks may search it.
pub(super) fn asked_type(visit: &Visit) -> Option<TypeId> {
    watched(visit)?;
    let of = r4().resource_type(part(visit, 2))?;
    visit.session.may_search(of).then_some(of)
}

/// `/admin/resources/{type}`
pub(crate) fn newest(visit: &Visit) -> Result<Answer, Fault> {
    let Some(of) = asked_type(visit) else { return Ok(missing::page(visit)) };
    shown(visit, of, &[])
}

/// The same, searched.
pub(crate) fn search(visit: &Visit) -> Result<Answer, Fault> {
    let Some(of) = asked_type(visit) else { return Ok(missing::page(visit)) };
    let asked: Vec<(String, String)> = (0..PAIRS)
        .map(|at| {
            let value = visit.field(&format!("value{at}")).trim();
            (visit.field(&format!("name{at}")).to_owned(), value.to_owned())
        })
        .filter(|(name, value)| !name.is_empty() && !value.is_empty())
        .collect();
    shown(visit, of, &asked)
}

fn shown(visit: &Visit, of: TypeId, asked: &[(String, String)]) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let name = r4().name(of);
    let (status, wrong, result) = match find(visit, of, asked) {
        Ok(found) => (200, None, Some(results(visit, of, &found, asked))),
        Err(fault) if is_nothing(&fault) => return Ok(missing::page(visit)),
        // What was typed makes no sense as a search: that is said above the form, which keeps it.
        Err(fault) if fault.status() < 500 => (fault.status(), Some(wrong(&fault, lang)), None),
        Err(fault) => return Err(fault),
    };
    let body = html! {
        h1 { (name) }
        p { a href="/admin/resources" { (words::IT_ALL_TYPES.of(lang)) } }
        @if let Some(wrong) = wrong { (wrong) }
        (panel("ask", words::IT_SEARCH.of(lang), None, &form(visit, of, asked)))
        @if let Some(result) = result { (result) }
    };
    Ok(shell(visit, status, name, &body))
}

fn find(visit: &Visit, of: TypeId, asked: &[(String, String)]) -> Result<Found, Fault> {
    let pair = |name: &str, value: String| (name.to_owned(), value);
    let cursor = visit.field("cursor");
    let pairs = match cursor.is_empty() {
        false => vec![pair("_cursor", cursor.to_owned())],
        true => {
            let mut pairs = asked.to_vec();
            pairs.push(pair("_count", ROWS.to_string()));
            pairs.push(pair("_sort", "-_lastUpdated".to_owned()));
            pairs
        }
    };
    if pairs.iter().any(|(_, value)| cursor.is_empty() && value.len() > VALUE_BYTES_MAX) {
        let what = "a value is too long to be searched for";
        return Err(Fault::new(&base::error::code::PARAMETER_INVALID, what));
    }
    visit.session.search(Level::Type(of), pairs, &SearchHow::default())?.wait()
}

fn wrong(fault: &Fault, lang: words::Lang) -> Markup {
    let said = fault.issues.first().map(|issue| issue.diagnostics.clone()).unwrap_or_default();
    notice(
        Tone::Critical,
        words::IT_NOT_SEARCHED.of(lang),
        &html! { p lang="en" { (said) } p.muted { code { (fault.code().name) } } },
    )
}

fn form(visit: &Visit, of: TypeId, asked: &[(String, String)]) -> Markup {
    let lang = visit.lang();
    let all: &[Parameter] = registry().parameters(of);
    html! {
        form.stack.pad method="post" action={ "/admin/resources/" (r4().name(of)) } {
            (hidden(visit))
            @for at in 0..PAIRS {
                @let chosen = asked.get(at).map_or("", |(name, _)| name.as_str());
                div.it-pair {
                    div.field {
                        label for={ "name" (at) } { (words::IT_PARAMETER.of(lang)) }
                        select id={ "name" (at) } name={ "name" (at) } {
                            option value="" { (words::IT_NO_PARAMETER.of(lang)) }
                            @for one in all {
                                option value=(one.code) selected[one.code == chosen] { (one.code) " · " (one.kind.as_str()) }
                            }
                        }
                    }
                    div.field {
                        label for={ "value" (at) } { (words::IT_VALUE.of(lang)) }
                        input type="text" id={ "value" (at) } name={ "value" (at) } autocomplete="off" spellcheck="false"
                            maxlength=(VALUE_BYTES_MAX) value=(asked.get(at).map_or("", |(_, value)| value.as_str()));
                    }
                }
            }
            div.row { (button(Kind::Primary, Some(Icon::Find), words::IT_SEARCH.of(lang))) }
        }
    }
}

fn results(visit: &Visit, of: TypeId, found: &Found, asked: &[(String, String)]) -> Markup {
    let lang = visit.lang();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [
        column(words::IT_ID),
        column(words::IT_SAYS),
        column(words::IT_VERSION),
        column(words::IT_UPDATED),
    ];
    let rows: Vec<_> = found.page.matches.iter().map(|hit| row(visit, of, hit)).collect();
    let step = |cursor: &Option<String>, word: Word, which: Icon| {
        html! { @if let Some(cursor) = cursor {
            form method="post" action={ "/admin/resources/" (r4().name(of)) } {
                (hidden(visit))
                input type="hidden" name="cursor" value=(cursor);
                @for (at, (name, value)) in asked.iter().enumerate() {
                    input type="hidden" name={ "name" (at) } value=(name);
                    input type="hidden" name={ "value" (at) } value=(value);
                }
                (button(Kind::Secondary, Some(which), word.of(lang)))
            }
        } }
    };
    let title = if asked.is_empty() { words::IT_NEWEST } else { words::IT_FOUND_RECORDS };
    panel(
        "results",
        title.of(lang),
        None,
        &html! {
            @if rows.is_empty() {
                (empty(Icon::Find, words::IT_NOTHING_FOUND.of(lang), words::IT_NOTHING_FOUND_WHY.of(lang), None))
            } @else {
                (table(&Table { caption: title.of(lang), columns: &columns, rows: &rows }))
            }
            @if found.previous.is_some() || found.next.is_some() {
                nav.row.pad aria-label=(words::PAGES.of(lang)) {
                    (step(&found.previous, words::PAGE_BEFORE, Icon::Back))
                    (step(&found.next, words::PAGE_AFTER, Icon::Onward))
                }
            }
        },
    )
}

fn row(visit: &Visit, of: TypeId, hit: &Hit) -> Vec<Markup> {
    let lang = visit.lang();
    let document = Document::parse(hit.body.clone(), &Limits::default()).ok();
    let says = document.as_ref().map(|one| caption(one.root())).unwrap_or_default();
    vec![
        html! { a href={ "/admin/resources/" (r4().name(of)) "/" (hit.id) } { code { (hit.id) } } },
        html! { @if says.is_empty() { (badge(Tone::Neutral, Icon::Info, words::IT_NO_NAME.of(lang))) } @else { (says) } },
        html! { span.number { (hit.version) } },
        unbroken(&days::moment(hit.last_updated, &visit.zone, lang)),
    ]
}

/// What a record calls itself, where it does: its title, name, or what it is about.
pub(super) fn caption(root: Value<'_>) -> String {
    for member in ["title", "name", "display", "description"] {
        let found = person::text(root, member);
        if !found.is_empty() {
            return found;
        }
    }
    let concept = |member: &str| root.get(member).and_then(person::concept);
    concept("code").or_else(|| concept("type")).unwrap_or_default()
}
