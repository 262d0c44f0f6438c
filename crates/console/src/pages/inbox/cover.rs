//! Who covers for whom: the covers that name whoever asks, a new one, and ending one before its time.

use super::act::why;
use super::{is_shown, me};
use crate::answer::{Answer, is_nothing};
use crate::days;
use crate::pages::chart::entry_id;
use crate::pages::keep::pick;
use crate::pages::missing;
use crate::pages::schedule::fields::{Input, input};
use crate::parts::{
    Choice, Column, Icon, Kind, Table, Tone, badge, button, choices, empty, hidden, link_button,
    notice, panel, shell::shell_with, table, toast, unbroken,
};
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Word};
use base::{Fault, Millis};
use inbox::cover::{CoverForm, begin as begun, desks, end as ended};
use inbox::whom::Cover;
use jiff::civil::Date;
use maud::{Markup, html};

/// `/inbox/cover`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    shown(visit, 200, None)
}

/// `POST /inbox/cover`
pub(crate) fn begin(visit: &Visit) -> Result<Answer, Fault> {
    if !is_there(visit) {
        return Ok(missing::page(visit));
    }
    let day = |name: &str, days: i32| {
        let day: Date = visit.field(name).parse().ok()?;
        let at = days::days_from(day, days).to_zoned(visit.zone.clone()).ok()?;
        Some(Millis(at.timestamp().as_millisecond()))
    };
    let form = CoverForm {
        form: entry_id(visit),
        other: visit.field("other").to_owned(),
        for_me: visit.field("whose") != "by-me",
        // A day that is none begins never, and the department refuses it by its field.
        from: day("from", 0).unwrap_or(Millis(i64::MAX)),
        until: day("until", 1).unwrap_or(Millis(i64::MIN)),
    };
    answered(visit, "begun", wait(begun(&visit.session, &form)))
}

/// `POST /inbox/cover/end`
pub(crate) fn end(visit: &Visit) -> Result<Answer, Fault> {
    if !is_there(visit) {
        return Ok(missing::page(visit));
    }
    let version = visit.field("version").parse().unwrap_or(0);
    let done = wait(ended(&visit.session, &me(visit), visit.field("id"), version));
    answered(visit, "ended", done)
}

/// Only a practitioner covers, or is covered for.
fn is_there(visit: &Visit) -> bool {
    is_shown(visit) && visit.session.signer().is_some()
}

fn answered(visit: &Visit, did: &str, done: Result<(), Fault>) -> Result<Answer, Fault> {
    match done {
        Ok(()) => Ok(Answer::go(format!("/inbox/cover?did={did}"))),
        Err(fault) => match why(&fault, visit.lang()) {
            Some(say) => shown(visit, fault.status(), Some(say)),
            None if is_nothing(&fault) => Ok(missing::page(visit)),
            None => Err(fault),
        },
    }
}

fn shown(visit: &Visit, status: u16, say: Option<&'static str>) -> Result<Answer, Fault> {
    if !is_there(visit) {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let desks = wait(desks(&visit.session, &me(visit)))?;
    let targets = wait(inbox::act::targets(&visit.session))?;
    let people = targets.into_iter().filter_map(|(reference, name)| {
        Some((reference.strip_prefix("Practitioner/")?.to_owned(), name))
    });
    let own = visit.session.signer().map(|signer| signer.practitioner);
    let people: Vec<(String, String)> = people.filter(|(id, _)| Some(id) != own.as_ref()).collect();
    let title = words::INBOX_COVER.of(lang);
    let told = match visit.parameter("did") {
        "begun" => Some(words::INBOX_COVER_BEGUN),
        "ended" => Some(words::INBOX_COVER_ENDED),
        _ => None,
    };
    let pools: Vec<&str> = desks.pools.iter().map(|pool| pool.name.as_str()).collect();
    let body = html! {
        div.page-head { h1 { (title) } p.muted { (words::INBOX_COVER_ABOUT.of(lang)) } }
        @if let Some(word) = told { (toast(lang, word.of(lang), None)) }
        @if let Some(say) = say {
            (notice(Tone::Critical, words::INBOX_NOT_DONE.of(lang), &html! { p { (say) } }))
        }
        (panel("covers", title, None, &covers(visit, &desks.covers)))
        @if visit.session.may_create(crate::booking::type_id("CareTeam")?) {
            (panel("new", words::INBOX_COVER_NEW.of(lang), None, &form(visit, &people)))
        }
        @if !pools.is_empty() {
            (panel("pools", words::INBOX_POOLS.of(lang), None, &html! { p.foot { (pools.join(" · ")) } }))
        }
        div.row { (link_button(Kind::Quiet, Some(Icon::Back), words::INBOX_BACK.of(lang), "/inbox")) }
    };
    Ok(shell_with(visit, status, title, &[], &body))
}

fn covers(visit: &Visit, all: &[Cover]) -> Markup {
    let lang = visit.lang();
    if all.is_empty() {
        return empty(Icon::People, words::INBOX_COVER_NONE.of(lang), "", None);
    }
    let now = visit.now();
    let day = |at: Millis| days::long(days::day_at(at, &visit.zone), lang);
    let rows: Vec<Vec<Markup>> = all
        .iter()
        .map(|cover| {
            let holds = cover.holds(now);
            let word = if holds { words::INBOX_COVER_HOLDS } else { words::INBOX_COVER_LATER };
            let (tone, which) =
                if holds { (Tone::Ok, Icon::Ok) } else { (Tone::Neutral, Icon::Clock) };
            vec![
                html! { (cover.of.1) },
                html! { (cover.by.1) },
                unbroken(&day(cover.from)),
                // The last whole day, as it was entered.
                unbroken(&day(Millis(cover.until.0.saturating_sub(1)))),
                html! { div.row {
                    (badge(tone, which, word.of(lang)))
                    form method="post" action="/inbox/cover/end" {
                        (hidden(visit))
                        input type="hidden" name="id" value=(cover.id);
                        input type="hidden" name="version" value=(cover.version);
                        (button(Kind::Quiet, Some(Icon::Close), words::INBOX_COVER_END.of(lang)))
                    }
                } },
            ]
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [
        words::INBOX_COVER_OF,
        words::INBOX_COVER_BY,
        words::INBOX_COVER_FROM,
        words::INBOX_COVER_UNTIL,
        words::STATE,
    ]
    .map(column);
    table(&Table { caption: words::INBOX_COVER.of(lang), columns: &columns, rows: &rows })
}

fn form(visit: &Visit, people: &[(String, String)]) -> Markup {
    let lang = visit.lang();
    let today = days::day_at(visit.now(), &visit.zone).to_string();
    let by_me = visit.field("whose") == "by-me";
    let choice = |value, word: Word, is_chosen| Choice { value, label: word.of(lang), is_chosen };
    let whose = [
        choice("for-me", words::INBOX_COVER_FOR_ME, !by_me),
        choice("by-me", words::INBOX_COVER_BY_ME, by_me),
    ];
    let mut all = vec![(String::new(), words::INBOX_CHOOSE.of(lang).to_owned())];
    all.extend_from_slice(people);
    let date = |name: &'static str, word: Word| {
        let value = match visit.field(name) {
            "" => today.as_str(),
            sent => sent,
        };
        input(
            "date",
            &Input { name, label: word.of(lang), value, is_required: true, ..Input::default() },
        )
    };
    html! {
        form.stack method="post" action="/inbox/cover" {
            (hidden(visit))
            input type="hidden" name="entry" value=(entry_id(visit));
            (choices(words::INBOX_COVER_WHO.of(lang), "whose", &whose))
            (pick("other", words::INBOX_COVER_OTHER.of(lang), &all, visit.field("other"), ""))
            div.row { (date("from", words::INBOX_COVER_FROM)) (date("until", words::INBOX_COVER_UNTIL)) }
            div.row { (button(Kind::Primary, Some(Icon::Ok), words::INBOX_COVER_BEGIN.of(lang))) }
        }
    }
}
