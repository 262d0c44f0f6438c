//! One event of the access log in words: who, what, to whom, why, from where, by which policy, and where it
//! stands in the chain (45 CFR 164.312(b); ASTM E2147, content of an audit log).

use super::decision;
use super::kinds::kind_word;
use crate::answer::Answer;
use crate::days;
use crate::pages::keep::called;
use crate::pages::{missing, sees};
use crate::parts::{Icon, Tone, badge, facts, panel, shell};
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Lang};
use base::Fault;
use maud::{Markup, html};
use record::{LogAsked, LogRow, LogRows, Source, Target};

/// Targets, or patients, of one event that are seen at once.
const OPEN_MAX: usize = 5;
/// Targets, or patients, of one event that a page lists beyond those: an import has thousands.
const LISTED_MAX: usize = 50;
/// Bytes of an event's JSON that a page shows.
const JSON_MAX: usize = 20_000;

/// `/audit/events/{id}`
pub(crate) fn event(visit: &Visit) -> Result<Answer, Fault> {
    let number: Option<u64> = part(visit, 2).parse().ok().filter(|number| *number > 0);
    let Some(number) = number.filter(|_| visit.session.may_read_whole_log()) else {
        return Ok(missing::page(visit));
    };
    let asked = LogAsked { seq: Some(number), count: 1, ..LogAsked::default() };
    let found = visit.session.log_rows(&asked)?.wait()?;
    let Some(row) = found.rows.first() else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let event = &row.event;
    let title = words::LOGS_EVENT.with(lang, &row.seq.to_string());
    let body = html! {
        div.head-row {
            div.page-head {
                h1 { (title) }
                p.row { (kind_word(event.kind).of(lang)) " " span.mono.muted { (event.kind.name()) } (decision(event.decision, event.status, lang)) }
            }
            a.button.is-quiet href="/audit" { (words::LOGS_BACK.of(lang)) }
        }
        div.columns {
            div {
                (panel("what", words::LOGS_HAPPENED.of(lang), None, &happened(visit, row, &found)))
                (panel("grounds", words::LOGS_GROUNDS.of(lang), None, &grounds(visit, row, &found)))
            }
            div {
                (panel("chain", words::LOGS_CHAIN.of(lang), None, &chain(visit, row, &found)))
                (panel("json", words::LOGS_JSON.of(lang), None, &html! {
                    @if row.json.len() > JSON_MAX { p.pad { (words::LOGS_JSON_LONG.of(lang)) } }
                    @else { details.pad { summary { (words::LOGS_JSON_SHOW.of(lang)) } pre.rule { (String::from_utf8_lossy(&row.json)) } } }
                }))
            }
        }
    };
    Ok(shell(visit, 200, &title, &body))
}

/// The first of a list, and the rest behind a word that says how many there are.
fn few<T>(all: &[T], lang: Lang, said: impl Fn(&T) -> Markup) -> Markup {
    let (first, rest) = all.split_at(all.len().min(OPEN_MAX));
    html! {
        @if all.is_empty() { span.muted { (words::KEEP_NONE.of(lang)) } }
        ul { @for one in first { li { (said(one)) } } }
        @if !rest.is_empty() {
            details {
                summary { (words::LOGS_MORE.with(lang, &rest.len().to_string())) }
                ul { @for one in rest.iter().take(LISTED_MAX) { li { (said(one)) } } }
                (more(rest.len(), lang))
            }
        }
    }
}

/// How many are not listed.
fn more(count: usize, lang: Lang) -> Markup {
    let more = count.saturating_sub(LISTED_MAX);
    html! { @if more > 0 { span.muted { (words::LOGS_MORE.with(lang, &more.to_string())) } } }
}

fn happened(visit: &Visit, row: &LogRow, found: &LogRows) -> Markup {
    let lang = visit.lang();
    let event = &row.event;
    let source = event.source.map(|source| match source {
        Source::Local => words::LOGS_LOCAL,
        Source::Loopback => words::LOGS_LOOPBACK,
        Source::Private => words::LOGS_PRIVATE,
        Source::Public => words::LOGS_PUBLIC,
    });
    let none = || html! { span.muted { (words::KEEP_NONE.of(lang)) } };
    facts(&[
        (
            words::WHEN.of(lang),
            html! { (days::moment(event.time, &visit.zone, lang)) " " span.muted.mono { (event.time.to_instant()) } },
        ),
        (
            words::WHO.of(lang),
            html! { (called(visit, &found.names, &event.actor)) " · " a href={ "/audit?who=" (event.actor) } { (words::LOGS_ALL_BY.of(lang)) } },
        ),
        (words::LOGS_WHENCE.of(lang), source.map_or_else(none, |word| html! { (word.of(lang)) })),
        (words::LOGS_TO.of(lang), few(&event.targets, lang, |one| target(visit, one, found))),
        (
            words::LOGS_PATIENTS.of(lang),
            few(
                &event.patients,
                lang,
                |id| html! { a.mono.row-action href={ "/audit?patient=" (id) } { (id) } },
            ),
        ),
        (
            words::LOGS_ANSWER.of(lang),
            html! { (words::LOGS_STATUS.with(lang, &event.status.to_string())) " · " (words::LOGS_RESULTS.with(lang, &event.results.to_string())) " · " (words::LOGS_BYTES.with(lang, &event.bytes.to_string())) },
        ),
        (
            words::LOGS_REQUEST.of(lang),
            html! { a.mono href={ "/audit?request=" (row.request) } { (row.request) } },
        ),
    ])
}

/// What an event was done to.
pub(super) fn target(visit: &Visit, one: &Target, found: &LogRows) -> Markup {
    let id = one.id.as_deref().unwrap_or_default();
    html! {
        @match &*one.resource_type {
            "Principal" if !id.is_empty() => { a href={ "/admin/users/" (id) } { (called(visit, &found.names, id)) } },
            "Case" if !id.is_empty() => { a.mono href={ "/review/" (id) } { "Case/" (id) } },
            of if id.is_empty() => span.mono { (of) },
            of => span.mono { (of) "/" (id) @if let Some(version) = one.version { " v" (version) } },
        }
    }
}

fn grounds(visit: &Visit, row: &LogRow, found: &LogRows) -> Markup {
    let lang = visit.lang();
    let Some(receipt) = row.event.receipt.as_deref() else {
        return html! { p.foot.muted { (words::LOGS_NO_GROUNDS.of(lang)) } };
    };
    let none = || html! { span.muted { (words::KEEP_NONE.of(lang)) } };
    let id = |id: &Option<String>| id.as_ref().map_or_else(none, |id| html! { span.mono { (id) } });
    let purpose = receipt.purpose.as_deref().map_or_else(none, |code| {
        html! { @if let Some(word) = sees::purpose_of(code) { (word.of(lang)) " " } span.mono.muted { (code) } }
    });
    html! {
        @if let Some(reason) = &receipt.break_glass {
            p.foot { (badge(Tone::Critical, Icon::Critical, words::EMERGENCY.of(lang))) " " (reason) }
        }
        (facts(&[
            (words::LOGS_PURPOSE.of(lang), purpose),
            (words::LOGS_POLICIES.of(lang), match receipt.policies.is_empty() { true => html! { span.muted { (words::LOGS_POLICIES_ROLE.of(lang)) } }, false => html! { span.mono { (receipt.policies.join(", ")) } } }),
            (words::SEES_EPOCH.of(lang), html! { span.number { (receipt.epoch) } }),
            (words::LOGS_BEHALF.of(lang), receipt.on_behalf_of.as_deref().map_or_else(none, |id| called(visit, &found.names, id))),
            (words::LOGS_SESSION.of(lang), id(&receipt.session)),
            (words::LOGS_CLIENT.of(lang), id(&receipt.client)),
        ]))
    }
}

fn chain(visit: &Visit, row: &LogRow, found: &LogRows) -> Markup {
    let lang = visit.lang();
    let signed = found.standing.signed.is_some_and(|signed| row.seq <= signed);
    let (tone, which, word) = match signed {
        true => (Tone::Ok, Icon::Ok, words::LOGS_IS_SIGNED),
        false => (Tone::Warning, Icon::Clock, words::LOGS_NOT_SIGNED),
    };
    html! {
        (facts(&[
            (words::LOGS_SIGNATURE.of(lang), badge(tone, which, word.of(lang))),
            (words::LOGS_COMMIT.of(lang), html! { span.number { (row.event.commit_seq) } }),
            (words::LOGS_HASH.of(lang), html! { span.mono.long { (row.hash) } }),
        ]))
        div.foot.row {
            @if row.seq > 1 { a.row-action href={ "/audit/events/" (row.seq - 1) } { (words::PAGE_BEFORE.of(lang)) } }
            @if row.seq < found.standing.last { a.row-action href={ "/audit/events/" (row.seq + 1) } { (words::PAGE_AFTER.of(lang)) } }
        }
    }
}
