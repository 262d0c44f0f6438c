//! What other pages tell of the inbox: Today, how much waits and what is overdue; a chart, what waits about
//! its patient.

use super::{clock, is_shown, kind, marks, me, path, title, weight};
use crate::parts::{Icon, Tone, badge, icon, panel};
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Word};
use base::Fault;
use inbox::{Age, Item, Kind as What, Weight};
use maud::{Markup, html};

/// The part of Today; none for who has no inbox.
///
/// # Errors
/// As of any search.
pub(crate) fn part(visit: &Visit) -> Result<Option<Markup>, Fault> {
    if !is_shown(visit) {
        return Ok(None);
    }
    let (lang, now) = (visit.lang(), visit.now());
    let inbox = wait(inbox::gather(&visit.session, &me(visit)))?;
    let count = |is: &dyn Fn(&Item) -> bool| inbox.items().filter(|item| is(item)).count();
    let all = count(&|_| true);
    let of: [(Word, Icon, usize, &str); 5] = [
        (
            words::INBOX_CRITICAL,
            Icon::Critical,
            count(&|item| item.weight == Weight::Critical),
            "/inbox",
        ),
        (words::INBOX_TODAY_OVER, Icon::Clock, count(&|item| item.age(now) == Age::Over), "/inbox"),
        (
            words::INBOX_RESULTS,
            kind(What::Result).0,
            count(&|item| item.seen.kind == What::Result),
            "/inbox?kind=results",
        ),
        (
            words::INBOX_MESSAGES,
            kind(What::Message).0,
            count(&|item| item.seen.kind == What::Message),
            "/inbox?kind=messages",
        ),
        (
            words::INBOX_TASKS,
            kind(What::Task).0,
            count(&|item| item.seen.kind == What::Task),
            "/inbox?kind=tasks",
        ),
    ];
    let says = words::counted(lang, words::INBOX_TODAY_ONE, words::INBOX_TODAY_MANY, all);
    let beside = html! { span.muted { (says) } };
    let body = html! {
        ul.inbox-counts {
            @for (at, (word, which, count, href)) in of.iter().enumerate() {
                @let tone = match (at, count) { (0, 1..) => Tone::Critical, (1, 1..) => Tone::Warning, _ => Tone::Neutral };
                li.(tone.class()) { a href=(href) { (icon(*which)) span.number { (count) } " " (word.of(lang)) } }
            }
        }
    };
    Ok(Some(panel("inbox-today", words::INBOX.of(lang), Some(&beside), &body)))
}

/// The part of a chart: what waits about its patient, whoever it waits for.
///
/// # Errors
/// As of any search.
pub(crate) fn about(visit: &Visit, patient: &str) -> Result<Option<Markup>, Fault> {
    if !is_shown(visit) {
        return Ok(None);
    }
    let lang = visit.lang();
    let all = wait(inbox::of_patient(&visit.session, &me(visit), patient))?;
    // Of most patients nothing waits: a frame that says so would stand above every chart.
    if all.is_empty() {
        return Ok(None);
    }
    let body = html! {
        ul.inbox-rows { @for item in &all {
            li.inbox-row.is-short {
                div.inbox-what {
                    p {
                        span.inbox-kind { (icon(kind(item.seen.kind).0)) span.unseen { (kind(item.seen.kind).1.of(lang)) } }
                        a href=(path(item)) { (title(item, lang)) } " " (weight(item, lang))
                    }
                    (marks(visit, item))
                }
                div.inbox-when { (clock(visit, item)) }
            }
        } }
    };
    let beside =
        (!all.is_empty()).then(|| badge(Tone::Neutral, Icon::Inbox, &all.len().to_string()));
    Ok(Some(panel("waits", words::INBOX_CHART.of(lang), beside.as_ref(), &body)))
}
