//! One item, opened: under its patient's banner what it says, its values with those before them, its
//! clock, and what can be done with it. `e` files it; everything else is a form.

use super::act::{not_done, why};
use super::{carried, clock, is_shown, kind, marks, me, path, rule, title, weight};
use crate::answer::{Answer, is_nothing};
use crate::days;
use crate::pages::keep::pick;
use crate::pages::schedule::fields::{Input, area};
use crate::pages::{missing, patient};
use crate::parts::{
    Banner, Column, Icon, Kind, Table, Tone, badge, banner, button, facts, icon, link_button,
    notice, panel, shell::shell_with, table, unbroken,
};
use crate::person::Person;
use crate::route::part;
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Word};
use base::Fault;
use inbox::{Earlier, Inbox, Item, Kind as What, Seen, Weight, Whose};
use maud::{Markup, html};

/// Letters of a text.
const LETTERS_MAX: usize = 4_000;

/// `/inbox/{type}/{record}`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    shown(visit, 200, None)
}

/// The page again, with why nothing was done; what was typed is kept.
pub(super) fn refused(visit: &Visit, fault: &Fault) -> Result<Answer, Fault> {
    shown(visit, fault.status(), why(fault, visit.lang()))
}

fn shown(visit: &Visit, status: u16, say: Option<&'static str>) -> Result<Answer, Fault> {
    let Some(of) = What::of_type(part(visit, 1)).filter(|_| is_shown(visit)) else {
        return Ok(missing::page(visit));
    };
    let lang = visit.lang();
    let (item, around) = match wait(inbox::one(&visit.session, &me(visit), (of, part(visit, 2)))) {
        Ok(found) => found,
        Err(fault) if is_nothing(&fault) => return Ok(missing::page(visit)),
        // It was filed meanwhile: what is left is in the chart.
        Err(fault) if why(&fault, lang).is_some() => {
            let body = html! { (not_done(words::INBOX_WHY_HIDDEN, lang)) (back(visit)) };
            let title = words::INBOX.of(lang);
            let body = html! { div.page-head { h1 { (title) } } (body) };
            return Ok(shell_with(visit, 409, title, &[], &body));
        }
        Err(fault) => return Err(fault),
    };
    let earlier = wait(inbox::earlier(&visit.session, &item))?;
    let targets = wait(inbox::act::targets(&visit.session))?;
    let head = head(visit, &item, &around)?;
    let called = title(&item, lang);
    let body = html! {
        (head)
        @if let Some(say) = say {
            (notice(Tone::Critical, words::INBOX_NOT_DONE.of(lang), &html! { p { (say) } }))
        }
        div.inbox-item data-opened="" {
            div.stack {
                (panel("item", &called, Some(&html! { (clock(visit, &item)) }), &about(visit, &item)))
                @if !item.lines.is_empty() { (values(visit, &item, &earlier)) }
            }
            div.stack { (acts(visit, &item, &targets)) (back(visit)) }
        }
    };
    Ok(shell_with(visit, status, &called, &["inbox.js"], &body))
}

fn back(visit: &Visit) -> Markup {
    let label = words::INBOX_BACK.of(visit.lang());
    html! { div.row { (link_button(Kind::Quiet, Some(Icon::Back), label, "/inbox")) } }
}

/// The banner of the patient, or the heading of what is about nobody.
fn head(visit: &Visit, item: &Item, around: &Inbox) -> Result<Markup, Fault> {
    let lang = visit.lang();
    let person = item.patient.as_ref().and_then(|id| around.people.get(id));
    let Some(person) = person.map(Person::read).transpose()? else {
        return Ok(html! { div.page-head { h1 { (words::INBOX.of(lang)) } } });
    };
    let chart = patient::chart(visit, &person.id)?;
    let today = days::day_at(visit.now(), &visit.zone);
    Ok(html! {
        (banner(&Banner { person: &person, chart: &chart, today, lang }))
        p { a href={ "/p/" (person.id) } { (words::SUMMARY.of(lang)) } }
    })
}

fn about(visit: &Visit, item: &Item) -> Markup {
    let lang = visit.lang();
    let (which, word) = kind(item.seen.kind);
    let at = |at| days::moment(at, &visit.zone, lang);
    let due = html! { (unbroken(&at(item.due.at))) " " span.muted { (rule(item.due.rule, lang)) } };
    let mut all: Vec<(&str, Markup)> = vec![
        (
            words::INBOX_WHAT.of(lang),
            html! { (icon(which)) " " (word.of(lang)) " " (weight(item, lang)) },
        ),
        (words::INBOX_SINCE.of(lang), unbroken(&at(item.since))),
        (words::INBOX_DUE_BY.of(lang), due),
    ];
    if !item.from.is_empty() {
        all.push((words::INBOX_FROM.of(lang), html! { (item.from) }));
    }
    if item.whose == Whose::Own {
        all.push((words::INBOX_WHOSE.of(lang), html! { (words::INBOX_YOURS.of(lang)) }));
    }
    html! {
        (facts(&all))
        @if !item.text.is_empty() { p.inbox-words { (item.text) } }
        @if item.elsewhere > 0 {
            p.withheld { (icon(Icon::Info)) span { (words::INBOX_VALUES_ELSEWHERE.with(lang, &item.elsewhere.to_string())) } }
        }
        @if item.hidden > 0 {
            p.withheld { (icon(Icon::Withheld)) span { (words::INBOX_HIDDEN.with(lang, &item.hidden.to_string())) } }
        }
        div.foot { (marks(visit, item)) }
    }
}

fn values(visit: &Visit, item: &Item, earlier: &Earlier) -> Markup {
    let lang = visit.lang();
    let has_flag = |line: &inbox::Line| line.weight.is_some_and(|w| w != Weight::Normal);
    // After a refusal: what is not as it was when the form was made.
    let sent = visit.field("values");
    let shown = Seen::parse(What::Result, &format!("x:0:{sent}")).filter(|_| !sent.is_empty());
    let is_new = |line: &inbox::Line| match (&shown, line.at) {
        (Some(shown), Some(at)) => shown.values.get(at) != Some(&line.version),
        _ => false,
    };
    let before_of =
        |line: &inbox::Line| earlier.get(&line.code).map(Vec::as_slice).unwrap_or_default();
    let has_before = item.lines.iter().any(|line| !before_of(line).is_empty());
    let rows: Vec<Vec<Markup>> = item
        .lines
        .iter()
        .map(|line| {
            let before = before_of(line);
            let (tone, which) = match line.weight {
                Some(Weight::Critical) => (Tone::Critical, Icon::Critical),
                Some(Weight::Abnormal) => (Tone::Warning, Icon::Warning),
                _ => (Tone::Neutral, Icon::Info),
            };
            let flag = if line.flag.is_empty() { words::INBOX_UNJUDGED.of(lang) } else { &line.flag };
            let mut row = vec![
                html! { (line.what)
                    @if is_new(line) { " " (badge(Tone::Critical, Icon::Warning, words::INBOX_JUST_CHANGED.of(lang))) }
                    @if line.corrected { " " (badge(Tone::Warning, Icon::Pencil, words::INBOX_CORRECTED.of(lang))) } },
                html! { strong.number { (line.value) } },
                html! { @if has_flag(line) { (badge(tone, which, flag)) } @else { span.muted { (line.flag) } } },
                html! { span.number { (line.range) } },
            ];
            // Where nothing was measured before, there is no column for it.
            if has_before {
                row.push(html! { span.inbox-before { @for (at, one) in before {
                    span { span.number { (one.value) } " " span.muted { (unbroken(&days::long(days::day_at(*at, &visit.zone), lang))) } }
                } } });
            }
            row
        })
        .collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let mut columns = vec![
        words::INBOX_WHAT,
        words::INBOX_VALUE,
        words::INBOX_FLAG,
        words::INBOX_RANGE,
        words::INBOX_BEFORE,
    ];
    if !has_before {
        columns.pop();
    }
    let columns: Vec<_> = columns.into_iter().map(column).collect();
    let caption = words::INBOX_VALUE.of(lang);
    let body = table(&Table { caption, columns: &columns, rows: &rows });
    panel("values", words::INBOX_ONE_RESULT.of(lang), None, &body)
}

/// What can be done with it. The server decides again whether it may.
fn acts(visit: &Visit, item: &Item, targets: &[(String, String)]) -> Markup {
    let lang = visit.lang();
    let is_ours = item.is_theirs();
    let is_others = matches!(item.whose, Whose::Other(_));
    let owns = visit.session.signer().is_some();
    let is_taken = item.taken.is_some() || item.returns;
    let takes = owns && !is_taken && !is_others && item.whose != Whose::Own;
    let form = |act: &str, inside: &Markup| {
        html! {
            form.stack method="post" action=(path(item)) {
                (carried(visit, item.patient.as_deref()))
                input type="hidden" name="version" value=(item.seen.version);
                @if !item.seen.values.is_empty() { input type="hidden" name="values" value=(item.seen.values_text()); }
                input type="hidden" name="act" value=(act);
                (inside)
            }
        }
    };
    let typed = |name: &'static str, word: Word, hint: &'static str, is_required: bool| {
        let value = visit.field(name);
        area(
            &Input { name, label: word.of(lang), hint, value, is_required, ..Input::default() },
            LETTERS_MAX,
        )
    };
    let mut to = vec![(String::new(), words::INBOX_CHOOSE.of(lang).to_owned())];
    to.extend(targets.iter().cloned());
    html! {
        @if is_others { section.panel { p.foot { (words::INBOX_OTHERS.of(lang)) } } }
        @if item.seen.kind == What::Result && owns && item.hidden == 0 && !is_others {
            section.panel {
                (form("file", &html! {
                    button.button.is-primary type="submit" data-file="" { (icon(Icon::Ok)) span { (words::INBOX_FILE.of(lang)) } kbd.far aria-hidden="true" { "e" } }
                }))
            }
        }
        @if item.seen.kind == What::Message {
            section.panel { (form("reply", &html! {
                (typed("text", words::INBOX_REPLY, words::INBOX_REPLY_HINT.of(lang), true))
                div.row { (button(Kind::Primary, Some(Icon::Mail), words::INBOX_SEND.of(lang))) }
            })) }
        }
        @if takes { section.panel { (form("take", &button(Kind::Secondary, Some(Icon::Person), words::INBOX_TAKE.of(lang)))) } }
        @if item.returns && is_ours && owns {
            section.panel { (form("back", &button(Kind::Secondary, Some(Icon::Undo), words::INBOX_GIVE_BACK.of(lang)))) }
        }
        @if item.seen.kind != What::Result {
            @let word = if item.seen.kind == What::Task { words::INBOX_CLOSE } else { words::INBOX_CLOSE_MESSAGE };
            section.panel { (form("close", &html! {
                div.row { button.button.is-secondary type="submit" data-file="" { (icon(Icon::Ok)) span { (word.of(lang)) } kbd.far aria-hidden="true" { "e" } } }
            })) }
        }
        @if !is_others { section.panel {
            (form("forward", &html! {
                (pick("to", words::INBOX_TO.of(lang), &to, visit.field("to"), ""))
                (typed("note", words::INBOX_NOTE, "", false))
                div.row { (button(Kind::Secondary, Some(Icon::Onward), words::INBOX_FORWARD.of(lang))) }
            }))
        } }
    }
}
