//! What the pages about people, access and review have in common: the wish to be sure who asks, what
//! somebody is called, choices, what went wrong with a form, and files for spreadsheets (RFC 4180).

use crate::answer::Answer;
use crate::booking::type_id;
use crate::days;
use crate::parts::{Icon, Kind, Tone, icon, link_button, notice, unbroken};
use crate::person::{list, said_name, text};
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::error::code;
use base::{Fault, Limits, Millis};
use fhir::reference::is_id;
use fhir::{Document, Value};
use identity::PrincipalId;
use maud::{Markup, html};
use record::{Level, SearchHow};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv4Addr};

/// Sites whose names are looked up for one page.
const SITES_MAX: usize = 100;

/// What went wrong with a form, at which field.
#[derive(Debug, Clone, Default)]
pub(crate) struct Wrong {
    pub(crate) status: u16,
    /// The id of the field; of the whole form when it is empty.
    pub(crate) field: String,
    pub(crate) say: String,
    /// A factor has to be shown first.
    pub(crate) is_stale: bool,
}

impl Wrong {
    /// What somebody can do something about; another fault is one of the whole page.
    pub(crate) fn of(visit: &Visit, fault: Fault) -> Result<Self, Fault> {
        let lang = visit.lang();
        let word = match fault.code() {
            known if known == &code::STEP_UP_NEEDED => words::KEEP_STALE,
            known if known == &code::ITEM_CONFLICT => words::KEEP_CONFLICT,
            known if known == &code::ADMINISTRATOR_LAST => words::KEEP_LAST_ADMIN,
            known if known == &code::NAME_TAKEN => words::KEEP_NAME_TAKEN,
            known if known == &code::CASE_OWN => words::KEEP_OWN,
            known if known == &code::CASE_STATE => words::KEEP_CASE_STATE,
            known if known == &code::ACCESS_DENIED => words::FAILED_DENIED,
            known if known == &code::PARAMETER_INVALID => words::KEEP_FIELD,
            known if known == &code::PRINCIPAL_DISABLED => words::KEEP_LOCKED,
            _ => return Err(fault),
        };
        let issue = fault.issues.first();
        let mut field = issue.and_then(|issue| issue.expression.clone()).unwrap_or_default();
        if fault.code() == &code::NAME_TAKEN {
            "name".clone_into(&mut field);
        }
        let say = match field.as_str() {
            "name" if fault.code() == &code::PARAMETER_INVALID => words::KEEP_FIELD_NAME,
            "display" => words::KEEP_FIELD_DISPLAY,
            "reason" => words::KEEP_FIELD_REASON,
            "note" => words::KEEP_FIELD_NOTE,
            "role" => words::KEEP_FIELD_ROLE,
            _ => word,
        };
        let is_stale = fault.code() == &code::STEP_UP_NEEDED;
        Ok(Self { status: fault.status(), field, say: say.of(lang).to_owned(), is_stale })
    }

    /// A field that was not filled in as it has to be.
    pub(crate) fn at(lang: Lang, field: &str, word: Word) -> Self {
        let say = word.of(lang).to_owned();
        Self { status: 400, field: field.to_owned(), say, is_stale: false }
    }

    /// What is wrong with one field.
    pub(crate) fn on(wrong: Option<&Self>, field: &str) -> String {
        let here = wrong.filter(|wrong| !wrong.field.is_empty() && wrong.field == field);
        here.map(|wrong| wrong.say.clone()).unwrap_or_default()
    }
}

/// At the head of a page: what was wrong, or that a factor has to be shown before anything is changed.
pub(crate) fn told(visit: &Visit, wrong: Option<&Wrong>, changes: bool) -> Markup {
    let lang = visit.lang();
    let stale = wrong.is_some_and(|wrong| wrong.is_stale) || (changes && !visit.session.is_fresh());
    html! {
        @if let Some(wrong) = wrong.filter(|wrong| !wrong.is_stale) {
            div.notice.is-critical role="alert" tabindex="-1" {
                (icon(Icon::Critical))
                div {
                    p.notice-title { (words::FORM_WRONG.of(lang)) }
                    ul { li {
                        @if wrong.field.is_empty() { (wrong.say) }
                        @else { a href={ "#" (wrong.field) } { (wrong.say) } }
                    } }
                }
            }
        }
        @if stale {
            (notice(Tone::Warning, words::KEEP_STALE.of(lang), &html! {
                p { @if wrong.is_some() { (words::KEEP_STALE_TRIED.of(lang)) } @else { (words::KEEP_STALE_WHY.of(lang)) } }
                p.row {
                    // What was typed is kept in this tab.
                    @if wrong.is_some() {
                        a.button.is-secondary href={ "/auth/confirm?next=" (visit.path) } target="_blank" rel="noopener" { (words::KEEP_CONFIRM.of(lang)) }
                    } @else {
                        (link_button(Kind::Secondary, Some(Icon::Key), words::KEEP_CONFIRM.of(lang), &format!("/auth/confirm?next={}", visit.path)))
                    }
                }
            }))
        }
    }
}

/// From where the visit comes.
pub(crate) fn source(visit: &Visit) -> IpAddr {
    visit.people.as_ref().map_or(IpAddr::V4(Ipv4Addr::LOCALHOST), |people| people.source())
}

/// Who is signed in.
pub(crate) fn own_id(visit: &Visit) -> Option<PrincipalId> {
    visit.caller.as_ref().map(|caller| caller.principal.id)
}

/// What somebody is called; an id that is nobody's stays one.
pub(crate) fn called(visit: &Visit, names: &HashMap<String, (String, String)>, id: &str) -> Markup {
    let lang = visit.lang();
    html! {
        @match names.get(id) {
            Some((display, name)) => { (display) " " span.muted { (name) } },
            None if id == "operator" => (words::KEEP_OPERATOR.of(lang)),
            None if id == "anonymous" => (words::KEEP_NOBODY.of(lang)),
            None => span.mono { (id) },
        }
    }
}

/// What sites are called: those that are organizations whom the caller may see. Another stays an id.
pub(crate) fn sites_of<'s>(
    visit: &Visit,
    ids: impl IntoIterator<Item = &'s String>,
) -> Result<HashMap<String, String>, Fault> {
    let mut ids: Vec<&String> = ids.into_iter().filter(|id| is_id(id)).collect();
    ids.sort();
    ids.dedup();
    ids.truncate(SITES_MAX);
    let of = type_id("Organization")?;
    if ids.is_empty() || !visit.session.may_search(of) {
        return Ok(HashMap::new());
    }
    let all: Vec<&str> = ids.iter().map(|id| id.as_str()).collect();
    let pairs =
        vec![("_id".to_owned(), all.join(",")), ("_count".to_owned(), SITES_MAX.to_string())];
    let found = visit.session.search(Level::Type(of), pairs, &SearchHow::default())?.wait()?;
    let mut names = HashMap::new();
    for hit in found.page.matches {
        let document = Document::parse(hit.body, &Limits::default())?;
        let name = text(document.root(), "name");
        if !name.is_empty() {
            names.insert(hit.id, name);
        }
    }
    Ok(names)
}

/// Organizations that somebody may be said to work for, with their names: those that the caller may see,
/// the first hundred by name.
pub(crate) fn organizations(visit: &Visit) -> Result<Vec<(String, String)>, Fault> {
    listed(visit, "Organization", "name", |root| text(root, "name"))
}

/// Practitioners that somebody may be said to be, with their names: those that the caller may see, the
/// first hundred by family name.
pub(crate) fn practitioners(visit: &Visit) -> Result<Vec<(String, String)>, Fault> {
    listed(visit, "Practitioner", "family", |root| {
        list(root, "name").next().map(said_name).unwrap_or_default()
    })
}

fn listed(
    visit: &Visit,
    kind: &'static str,
    sort: &str,
    name: impl Fn(Value<'_>) -> String,
) -> Result<Vec<(String, String)>, Fault> {
    let of = type_id(kind)?;
    if !visit.session.may_search(of) {
        return Ok(Vec::new());
    }
    let pairs = [("_sort", sort), ("_count", "100")];
    let pairs = pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec();
    let found = visit.session.search(Level::Type(of), pairs, &SearchHow::default())?.wait()?;
    let mut all = Vec::new();
    for hit in found.page.matches {
        let document = Document::parse(hit.body, &Limits::default())?;
        all.push((hit.id, name(document.root())));
    }
    Ok(all)
}

/// Sites by their names, as far as those are known.
pub(crate) fn site_list(names: &HashMap<String, String>, ids: &[String]) -> String {
    let all: Vec<&str> = ids.iter().map(|id| names.get(id).unwrap_or(id).as_str()).collect();
    all.join(", ")
}

/// An instant, or that it is not known.
pub(crate) fn when(visit: &Visit, at: Option<Millis>, never: Word) -> Markup {
    html! {
        @match at {
            Some(at) => (unbroken(&days::moment(at, &visit.zone, visit.lang()))),
            None => span.muted { (never.of(visit.lang())) },
        }
    }
}

/// A choice from a list.
pub(crate) fn pick(
    id: &str,
    label: &str,
    all: &[(String, String)],
    chosen: &str,
    error: &str,
) -> Markup {
    let error_id = format!("{id}-error");
    let is_wrong = !error.is_empty();
    html! {
        div.field.pick.is-wrong[is_wrong] {
            label for=(id) { (label) }
            @if is_wrong { p.error id=(error_id) { (icon(Icon::Critical)) span { (error) } } }
            select id=(id) name=(id) aria-invalid=[is_wrong.then_some("true")]
                aria-describedby=[is_wrong.then_some(error_id.as_str())] {
                @for (value, says) in all { option value=(value) selected[value == chosen] { (says) } }
            }
        }
    }
}

/// A hidden value of a form.
pub(crate) fn kept(name: &str, value: &str) -> Markup {
    html! { input type="hidden" name=(name) value=(value); }
}

/// Rows for a spreadsheet (RFC 4180). What a spreadsheet would take for a formula is made text.
pub(crate) fn csv(name: &str, rows: &[Vec<String>]) -> Answer {
    let mut out = String::new();
    for row in rows {
        let cells: Vec<String> = row.iter().map(|cell| escaped(cell)).collect();
        out.push_str(&cells.join(","));
        out.push_str("\r\n");
    }
    Answer::file("text/csv; charset=utf-8", name.to_owned(), out.into_bytes())
}

fn escaped(cell: &str) -> String {
    let odd = cell.starts_with(['=', '+', '-', '@', '\t', '\r']);
    let text = format!("{}{}", if odd { "'" } else { "" }, cell.replace('"', "\"\""));
    if text.contains(['"', ',', '\n', '\r']) { format!("\"{text}\"") } else { text }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cell_is_quoted_where_it_has_to_be_and_is_never_a_formula() {
        assert_eq!(escaped("plain"), "plain");
        assert_eq!(escaped("a, \"b\""), "\"a, \"\"b\"\"\"");
        assert_eq!(escaped("=cmd()"), "'=cmd()");
        assert_eq!(escaped("-1,2"), "\"'-1,2\"");
    }
}
