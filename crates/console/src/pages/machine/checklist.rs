//! What a new house does before it opens: each thing is measured, or confirmed by somebody with their name
//! and the time (45 CFR 164.308(a)(7)(ii)(A) and (D), 164.316(b)(2)(i)). And what it begins with: the demo
//! clinic, or nothing.

use super::{beside, jobs, watched};
use crate::answer::Answer;
use crate::days;
use crate::machine::{CheckItem, CheckState, Item, JobKind, Machine};
use crate::pages::missing;
use crate::parts::{Icon, Kind, Tone, badge, button, hidden, notice, panel, shell::shell_with};
use crate::visit::Visit;
use crate::words::{self, Word};
use base::Fault;
use base::error::code;
use maud::{Markup, html};

const HERE: &str = "/first/checklist";

/// `/first/checklist`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some(machine) = watched(visit) else { return Ok(missing::page(visit)) };
    if visit.is_fragment() {
        return Ok(Answer::html(200, loading(visit, machine.as_ref())));
    }
    shown(visit, machine.as_ref(), 200, None)
}

/// Confirms a thing, or takes that back.
pub(crate) fn confirm(visit: &Visit) -> Result<Answer, Fault> {
    let (Some(machine), Some(caller)) = (watched(visit), &visit.caller) else {
        return Ok(missing::page(visit));
    };
    let (item, is_done) = (visit.field("item"), visit.field("done") == "yes");
    match machine.confirm(item, is_done, &caller.principal.profile.display) {
        Ok(()) => {
            visit.session.note(record::Kind::HouseChecked, 303)?.written().wait()?;
            let said = if is_done { "confirmed" } else { "taken-back" };
            Ok(Answer::go(format!("{HERE}?said={said}")))
        }
        Err(fault) if fault.code().name == code::PARAMETER_INVALID.name => {
            shown(visit, machine.as_ref(), 422, Some(words::BEGIN_NOT_SAID))
        }
        Err(fault) => Err(fault),
    }
}

/// Begins to load the demo clinic.
pub(crate) fn demo(visit: &Visit) -> Result<Answer, Fault> {
    let Some(machine) = watched(visit) else { return Ok(missing::page(visit)) };
    match machine.load_demo() {
        Ok(()) => {
            visit.session.note(record::Kind::HouseChecked, 303)?.written().wait()?;
            Ok(Answer::go(HERE))
        }
        Err(fault) if fault.code().name == code::NOT_SUPPORTED.name => {
            shown(visit, machine.as_ref(), 409, Some(words::BEGIN_NOT_EMPTY))
        }
        Err(fault) => Err(fault),
    }
}

fn shown(
    visit: &Visit,
    machine: &dyn Machine,
    status: u16,
    wrong: Option<Word>,
) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let all = machine.checklist()?;
    let is_done =
        |one: &&CheckItem| matches!(one.state, CheckState::Measured | CheckState::Confirmed(..));
    let done = all.iter().filter(is_done).count();
    let said = match visit.parameter("said") {
        "confirmed" => Some(words::BEGIN_SAID),
        "taken-back" => Some(words::BEGIN_TAKEN_BACK),
        _ => None,
    };
    let is_loading = machine.jobs().iter().any(|job| job.kind == JobKind::Demo);
    let count = words::BEGIN_DONE_OF.with(lang, &done.to_string());
    let count = count.replacen("{}", &all.len().to_string(), 1);
    let body = html! {
        h1 { (words::BEGIN_CHECKLIST.of(lang)) }
        (beside(visit))
        @if let Some(said) = said { (notice(Tone::Ok, said.of(lang), &html! {})) }
        @if let Some(wrong) = wrong { (notice(Tone::Critical, wrong.of(lang), &html! {})) }
        @if is_loading { div #live data-refresh=(HERE) { (loading(visit, machine)) } }
        @else if machine.is_empty() { (choice(visit)) }
        (panel("checklist", words::BEGIN_BEFORE.of(lang), Some(&html! { span.muted { (count) } }), &html! {
            ul.it-list { @for one in &all { (item(visit, one)) } }
        }))
    };
    Ok(shell_with(visit, status, words::BEGIN_CHECKLIST.of(lang), &["machine.js"], &body))
}

fn loading(visit: &Visit, machine: &dyn Machine) -> Markup {
    let mut all = machine.jobs();
    all.retain(|job| job.kind == JobKind::Demo);
    jobs::list(visit, &all)
}

fn choice(visit: &Visit) -> Markup {
    let lang = visit.lang();
    panel(
        "choice",
        words::BEGIN_CHOICE.of(lang),
        None,
        &html! {
            div.pad.stack {
                p { (words::BEGIN_CHOICE_WHY.of(lang)) }
                form method="post" action="/first/demo" {
                    (hidden(visit))
                    (button(Kind::Secondary, Some(Icon::Plus), words::BEGIN_DEMO.of(lang)))
                }
                p.muted { (words::BEGIN_EMPTY.of(lang)) }
            }
        },
    )
}

fn item(visit: &Visit, one: &CheckItem) -> Markup {
    let lang = visit.lang();
    let (title, about) = says(one.item);
    let (tone, which, word) = match &one.state {
        CheckState::Measured => (Tone::Ok, Icon::Ok, words::BEGIN_MEASURED),
        CheckState::Confirmed(..) => (Tone::Ok, Icon::Person, words::BEGIN_CONFIRMED),
        CheckState::Open => (Tone::Warning, Icon::Warning, words::BEGIN_OPEN),
        CheckState::Unconfirmed => (Tone::Neutral, Icon::Info, words::BEGIN_UNCONFIRMED),
    };
    html! {
        li.it-finding {
            (badge(tone, which, word.of(lang)))
            div {
                h3.it-found {
                    @if one.item == Item::Places { a href="/admin/places" { (title.of(lang)) } } @else { (title.of(lang)) }
                }
                p.muted { (about.of(lang)) }
                @if !one.found.is_empty() { p lang="en" { (one.found) } }
                @if !one.what_to_do.is_empty() { p lang="en" { (crate::parts::icon(Icon::Onward)) (one.what_to_do) } }
                @if let CheckState::Confirmed(who, at) = &one.state {
                    p { (words::BEGIN_BY.with(lang, who)) " · " (days::moment(*at, &visit.zone, lang)) }
                }
            }
            @match &one.state {
                CheckState::Confirmed(..) => (said(visit, one.item, false)),
                CheckState::Unconfirmed => (said(visit, one.item, true)),
                _ => {}
            }
        }
    }
}

fn said(visit: &Visit, item: Item, is_done: bool) -> Markup {
    let lang = visit.lang();
    let (kind, which, word) = match is_done {
        true => (Kind::Secondary, Icon::Ok, words::BEGIN_SAY),
        false => (Kind::Quiet, Icon::Undo, words::BEGIN_TAKE_BACK),
    };
    html! {
        form method="post" action=(HERE) {
            (hidden(visit))
            input type="hidden" name="item" value=(item.name());
            input type="hidden" name="done" value=(if is_done { "yes" } else { "no" });
            (button(kind, Some(which), word.of(lang)))
            span.unseen { (says(item).0.of(lang)) }
        }
    }
}

const fn says(item: Item) -> (Word, Word) {
    match item {
        Item::Tls => (words::BEGIN_TLS, words::BEGIN_TLS_WHY),
        Item::Backup => (words::BEGIN_BACKUP, words::BEGIN_BACKUP_WHY),
        Item::Restore => (words::BEGIN_RESTORE, words::BEGIN_RESTORE_WHY),
        Item::SecondAdministrator => (words::BEGIN_SECOND, words::BEGIN_SECOND_WHY),
        Item::KeysEscrowed => (words::BEGIN_KEYS, words::BEGIN_KEYS_WHY),
        Item::Mail => (words::BEGIN_MAIL, words::BEGIN_MAIL_WHY),
        Item::Clock => (words::BEGIN_CLOCK, words::BEGIN_CLOCK_WHY),
        Item::Retention => (words::BEGIN_RETENTION, words::BEGIN_RETENTION_WHY),
        Item::Places => (words::BEGIN_PLACES, words::BEGIN_PLACES_WHY),
    }
}
