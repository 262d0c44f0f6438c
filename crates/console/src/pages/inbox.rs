//! The inbox: what waits for whoever asks, grouped by patient, the gravest first. What is due and in which
//! order is the department's (`inbox`); here stands how it looks. What is plainly normal is filed from the
//! list; anything else is opened first.

pub(crate) mod act;
pub(crate) mod cover;
pub(crate) mod item;
pub(crate) mod today;

use crate::answer::Answer;
use crate::booking::type_id;
use crate::pages::missing;
use crate::parts::{
    Icon, Kind, Tone, badge, born, button, empty, hidden, icon, link_button, notice,
};
use crate::parts::{finds_patients, shell::shell_with};
use crate::person::Person;
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Lang, Word};
use crate::{days, live};
use base::{Fault, Millis};
use inbox::act::FILE_MAX;
use inbox::{Age, Group, Inbox, Item, Kind as What, Me, RESULT_DAYS, Rule, Stage, Weight, Whose};
use maud::{Markup, html};

/// Values of a result that a row shows.
const VALUES_MAX: usize = 3;
/// Letters of a message that a row shows.
const LETTERS_MAX: usize = 140;
const HOUR_MS: i64 = 3_600_000;

/// Whether there is an inbox for whoever asks: who sees patients, and may see what comes in.
pub(crate) fn is_shown(visit: &Visit) -> bool {
    let may = |kind: &str| type_id(kind).is_ok_and(|of| visit.session.may_search(of));
    finds_patients(visit) && ["Task", "Communication"].into_iter().any(may)
}

/// Who asks, as the department wants to know it.
pub(crate) fn me(visit: &Visit) -> Me {
    visit.caller.as_ref().map_or_else(Me::default, |caller| {
        let profile = &caller.principal.profile;
        Me {
            practitioner: profile.practitioner.clone(),
            sites: profile.sites.clone(),
            roles: profile.roles.clone(),
            display: profile.display.clone(),
        }
    })
}

/// The kinds that a list is narrowed to: as the address says them, and their words.
const KINDS: [(&str, What, Word); 3] = [
    ("results", What::Result, words::INBOX_RESULTS),
    ("messages", What::Message, words::INBOX_MESSAGES),
    ("tasks", What::Task, words::INBOX_TASKS),
];

/// `/inbox`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if !is_shown(visit) {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let after = live::mark(visit);
    let inbox = wait(inbox::gather(&visit.session, &me(visit)))?;
    let list = list(visit, &inbox, &after);
    if visit.is_fragment() {
        return Ok(Answer::html(200, list));
    }
    let body = html! {
        div.page-head.flow-head {
            div {
                h1 { (words::INBOX.of(lang)) }
                p.muted { (words::INBOX_ABOUT.of(lang)) }
            }
            @if visit.session.signer().is_some() {
                (link_button(Kind::Secondary, Some(Icon::People), words::INBOX_COVER.of(lang), "/inbox/cover"))
            }
        }
        (act::told(visit))
        (list)
    };
    let scripts = ["inbox.js", "live.js"];
    Ok(shell_with(visit, 200, words::INBOX.of(lang), &scripts, &body))
}

/// The list. A script fetches this part again when something comes in.
fn list(visit: &Visit, inbox: &Inbox, after: &str) -> Markup {
    let lang = visit.lang();
    let chosen = KINDS.iter().find(|(name, ..)| *name == visit.parameter("kind"));
    let is_in = |item: &Item| chosen.is_none_or(|(_, kind, _)| item.seen.kind == *kind);
    let count = |kind: Option<What>| {
        inbox.items().filter(|item| kind.is_none_or(|kind| item.seen.kind == kind)).count()
    };
    let groups: Vec<(&Group, Vec<&Item>)> = inbox
        .groups
        .iter()
        .map(|group| (group, group.items.iter().filter(|item| is_in(item)).collect()))
        .filter(|(_, items): &(_, Vec<_>)| !items.is_empty())
        .collect();
    // Whoever files goes on with the one behind it.
    let order: Vec<&str> =
        groups.iter().flat_map(|(_, items)| items).map(|item| item.seen.id.as_str()).collect();
    let from =
        chosen.map_or_else(|| "/inbox".to_owned(), |(name, ..)| format!("/inbox?kind={name}"));
    let way = |href: &str, word: Word, count: usize, is_here: bool| {
        html! { li { a href=(href) aria-current=[is_here.then_some("page")] {
            (word.of(lang)) " " span.lane-count.number { (count) }
        } } }
    };
    html! {
        div.stack #inbox data-live="inbox" data-from=(from) data-after=(after) data-now=(visit.now().0)
            data-off=(words::INBOX_LIVE_OFF.of(lang)) {
            nav.tabs aria-label=(words::INBOX_KINDS.of(lang)) { ul {
                (way("/inbox", words::INBOX_ALL, count(None), chosen.is_none()))
                @for (name, kind, word) in KINDS {
                    @let is_here = chosen.is_some_and(|(_, one, _)| *one == kind);
                    (way(&format!("/inbox?kind={name}"), word, count(Some(kind)), is_here))
                }
            } }
            @if inbox.partial {
                (notice(Tone::Warning, words::INBOX_PARTIAL.of(lang), &html! { p { (words::INBOX_PARTIAL_WHY.of(lang)) } }))
            }
            @for (of, items) in &groups { (group(visit, inbox, of, items, &order)) }
            @if groups.is_empty() {
                @let why = if chosen.is_some() { words::INBOX_NONE_OF_KIND } else { words::INBOX_EMPTY_WHY };
                section.panel { (empty(Icon::Inbox, words::INBOX_EMPTY.of(lang), why.of(lang), None)) }
            }
            p.muted.foot { (words::INBOX_RESULT_DAYS.with(lang, &RESULT_DAYS.to_string())) }
        }
    }
}

fn group(visit: &Visit, inbox: &Inbox, of: &Group, items: &[&Item], order: &[&str]) -> Markup {
    let lang = visit.lang();
    let person = of.patient.as_ref().and_then(|id| inbox.people.get(id));
    let person = person.and_then(|hit| Person::read(hit).ok());
    let id = format!("of-{}", of.patient.as_deref().unwrap_or("nobody"));
    let plain: Vec<&&Item> = items.iter().filter(|item| item.is_plain()).collect();
    // Of very many the first: the button says how many it files of how many.
    let some = plain.get(..FILE_MAX).unwrap_or(if plain.len() > 1 { &plain } else { &[] });
    let label = match plain.len() {
        count if count > FILE_MAX => {
            words::INBOX_FILE_FIRST.with(lang, &format!("{FILE_MAX}/{count}"))
        }
        count => words::INBOX_FILE_ALL.with(lang, &count.to_string()),
    };
    let today = days::day_at(visit.now(), &visit.zone);
    html! {
        section.panel.inbox-group aria-labelledby=(id) {
            div.panel-head {
                h2 id=(id) {
                    @match (&of.patient, &person) {
                        (_, Some(person)) => {
                            a href={ "/p/" (person.id) } { (person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned())) }
                            span.muted { " " (born(person, today, lang)) }
                        },
                        (Some(_), None) => (badge(Tone::Sensitive, Icon::Withheld, words::WITHHELD.of(lang))),
                        (None, None) => (words::INBOX_NO_PATIENT.of(lang)),
                    }
                }
                @if !some.is_empty() {
                    form method="post" action="/inbox/file" {
                        (carried(visit, of.patient.as_deref()))
                        @for item in some { input type="hidden" name="result" value=(item.seen.text()); }
                        (button(Kind::Quiet, Some(Icon::Ok), &label))
                    }
                }
            }
            ul.inbox-rows { @for item in items { (row(visit, item, order)) } }
        }
    }
}

fn row(visit: &Visit, item: &Item, order: &[&str]) -> Markup {
    let lang = visit.lang();
    let at = order.iter().position(|id| *id == item.seen.id);
    let next = at.and_then(|at| order.get(at + 1)).copied().unwrap_or_default();
    let title = title(item, lang);
    let (which, word) = kind(item.seen.kind);
    html! {
        li.inbox-row data-row="" {
            div.inbox-what {
                p {
                    span.inbox-kind { (icon(which)) span.unseen { (word.of(lang)) } }
                    a.inbox-title id={ "open-" (item.seen.id) } data-item="" href=(path(item)) { (title) }
                    " " (weight(item, lang))
                }
                @if !item.lines.is_empty() { (values(item)) }
                @if !item.text.is_empty() { p.inbox-text { (short(&item.text)) } }
                (marks(visit, item))
            }
            div.inbox-when { (clock(visit, item)) }
            div.inbox-act {
                @if item.is_plain() {
                    form method="post" action="/inbox/file" {
                        (carried(visit, item.patient.as_deref()))
                        input type="hidden" name="result" value=(item.seen.text());
                        input type="hidden" name="next" value=(next);
                        button.button.is-secondary type="submit" data-file="" aria-label=(words::INBOX_FILE_THIS.with(lang, &title)) {
                            (icon(Icon::Ok)) span { (words::INBOX_FILE.of(lang)) }
                        }
                    }
                } @else {
                    a.button.is-quiet href=(path(item)) tabindex="-1" aria-hidden="true" { span { (words::INBOX_OPEN.of(lang)) } }
                }
            }
        }
    }
}

/// What every form of the inbox brings back: that it is ours, and for which patient it was opened.
pub(super) fn carried(visit: &Visit, patient: Option<&str>) -> Markup {
    html! {
        (hidden(visit))
        input type="hidden" name="patient" value=(patient.unwrap_or_default());
        @if KINDS.iter().any(|(name, ..)| *name == visit.parameter("kind")) {
            input type="hidden" name="kind" value=(visit.parameter("kind"));
        }
    }
}

/// Where an item is opened.
pub(super) fn path(item: &Item) -> String {
    format!("/inbox/{}/{}", item.seen.kind.resource_type(), item.seen.id)
}

/// What an item is called.
pub(super) fn title(item: &Item, lang: Lang) -> String {
    match item.title.as_str() {
        "" => kind(item.seen.kind).1.of(lang).to_owned(),
        title => title.to_owned(),
    }
}

pub(super) const fn kind(of: What) -> (Icon, Word) {
    match of {
        What::Result => (Icon::Health, words::INBOX_ONE_RESULT),
        What::Message => (Icon::Mail, words::INBOX_ONE_MESSAGE),
        What::Task => (Icon::Ok, words::INBOX_ONE_TASK),
    }
}

/// How grave, in a word; of what is plain nothing, so that the rest stands out.
pub(super) fn weight(item: &Item, lang: Lang) -> Markup {
    let is_result = item.seen.kind == What::Result;
    html! {
        @match (item.weight, is_result) {
            (Weight::Critical, true) => (badge(Tone::Critical, Icon::Critical, words::INBOX_CRITICAL.of(lang))),
            (Weight::Critical, false) => (badge(Tone::Critical, Icon::Critical, words::INBOX_URGENT.of(lang))),
            (Weight::Abnormal, true) => (badge(Tone::Warning, Icon::Warning, words::INBOX_ABNORMAL.of(lang))),
            (Weight::Abnormal, false) => (badge(Tone::Warning, Icon::Warning, words::INBOX_URGENT.of(lang))),
            (Weight::Unjudged, _) => (badge(Tone::Neutral, Icon::Info, words::INBOX_UNJUDGED.of(lang))),
            (Weight::Normal, true) => span.muted { (words::INBOX_NORMAL.of(lang)) },
            (Weight::Normal, false) => {},
        }
    }
}

/// The values that stand out, else the first ones.
fn values(item: &Item) -> Markup {
    let odd = |line: &&inbox::Line| line.weight.is_some_and(|weight| weight != Weight::Normal);
    let odd: Vec<_> = item.lines.iter().filter(odd).collect();
    let all = if odd.is_empty() { item.lines.iter().collect() } else { odd };
    html! {
        p.inbox-values {
            @for line in all.iter().take(VALUES_MAX) {
                span { (line.what) " " strong.number { (line.value) } @if !line.flag.is_empty() && line.flag != "N" { " " (line.flag) } }
            }
            @if all.len() > VALUES_MAX { span.muted { "+" (all.len() - VALUES_MAX) } }
        }
    }
}

fn short(text: &str) -> String {
    match text.char_indices().nth(LETTERS_MAX) {
        Some((at, _)) => format!("{}…", text.get(..at).unwrap_or_default()),
        None => text.to_owned(),
    }
}

/// Whose it is, where that is not plain, and what happened to it.
pub(super) fn marks(visit: &Visit, item: &Item) -> Markup {
    let lang = visit.lang();
    let own =
        visit.caller.as_ref().and_then(|caller| caller.principal.profile.practitioner.as_ref());
    let is_own = |reference: &str| own.is_some_and(|id| reference == format!("Practitioner/{id}"));
    let mut all: Vec<Markup> = Vec::new();
    match &item.whose {
        Whose::Pool(name) => all.push(badge(Tone::Neutral, Icon::People, name)),
        Whose::Covering(name) => {
            all.push(badge(Tone::Sensitive, Icon::Person, &words::INBOX_COVERING.with(lang, name)));
        }
        Whose::Other(name) if name.is_empty() => {
            all.push(badge(Tone::Neutral, Icon::Person, words::INBOX_ELSEWHERE_UNKNOWN.of(lang)));
        }
        Whose::Other(name) => {
            all.push(badge(Tone::Neutral, Icon::Person, &words::INBOX_ELSEWHERE.with(lang, name)));
        }
        Whose::Site => all.push(badge(Tone::Neutral, Icon::People, words::INBOX_SITE.of(lang))),
        Whose::Nobody => all.push(badge(Tone::Warning, Icon::Person, words::INBOX_NOBODY.of(lang))),
        Whose::Own => {}
    }
    let stage = match item.stage {
        Stage::Preliminary => Some(words::INBOX_PRELIMINARY),
        Stage::Cancelled => Some(words::INBOX_CANCELLED),
        Stage::Withdrawn => Some(words::INBOX_WITHDRAWN),
        Stage::Final => None,
    };
    if let Some(word) = stage {
        all.push(badge(Tone::Warning, Icon::Info, word.of(lang)));
    }
    match &item.taken {
        Some((who, _)) if is_own(who) => {
            all.push(badge(Tone::Accent, Icon::Person, words::INBOX_TAKEN_BY_YOU.of(lang)));
        }
        Some((_, name)) => {
            all.push(badge(Tone::Neutral, Icon::Person, &words::INBOX_TAKEN.with(lang, name)));
        }
        None => {}
    }
    if item.corrected {
        all.push(badge(Tone::Warning, Icon::Pencil, words::INBOX_CORRECTED.of(lang)));
    }
    if item.again {
        all.push(badge(Tone::Warning, Icon::Undo, words::INBOX_AGAIN.of(lang)));
    }
    html! {
        @if !all.is_empty() { p.inbox-marks { @for one in &all { (one) " " } } }
        @if !item.note.is_empty() { p.inbox-note { (icon(Icon::Pen)) (item.note) } }
    }
}

/// How long it waits, and how it stands to its clock.
pub(super) fn clock(visit: &Visit, item: &Item) -> Markup {
    let (lang, now) = (visit.lang(), visit.now());
    html! {
        @match item.age(now) {
            Age::Over => (badge(Tone::Critical, Icon::Clock, words::INBOX_OVER.of(lang))),
            Age::Soon => (badge(Tone::Warning, Icon::Clock, words::INBOX_SOON.of(lang))),
            Age::InTime => {},
        }
        " " span.muted.keep { (waited(Millis(now.0.saturating_sub(item.since.0)), lang)) }
    }
}

/// A span in words, as coarse as people say it.
fn waited(span: Millis, lang: Lang) -> String {
    let hours = span.0.max(0) / HOUR_MS;
    match (hours, hours / 24) {
        (0, _) => words::INBOX_NOW.of(lang).to_owned(),
        (1, _) => words::INBOX_ONE_HOUR.of(lang).to_owned(),
        (hours, 0) => words::INBOX_HOURS.with(lang, &hours.to_string()),
        (_, 1) => words::INBOX_ONE_DAY.of(lang).to_owned(),
        (_, days) => words::INBOX_DAYS.with(lang, &days.to_string()),
    }
}

/// By which rule an item is due: a law, the task itself, or the house.
pub(super) fn rule(of: Rule, lang: Lang) -> String {
    match (of.law(), of) {
        (Some(law), _) => words::INBOX_RULE_LAW.with(lang, law),
        (None, Rule::Stated) => words::INBOX_RULE_STATED.of(lang).to_owned(),
        (None, _) => words::INBOX_RULE_HOUSE.of(lang).to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_span_is_said_as_people_say_it() {
        let of = |hours: i64| waited(Millis(hours * HOUR_MS), Lang::En);
        assert_eq!(
            [of(0), of(1), of(5), of(24), of(49)],
            ["under an hour", "1 hour", "5 hours", "1 day", "2 days"]
        );
        assert_eq!(of(-3), "under an hour", "a clock that was set back");
    }

    proptest! {
        #[test]
        fn a_long_text_is_cut_between_letters(text in "\\PC{0,300}") {
            let cut = short(&text);
            prop_assert!(cut.chars().count() <= LETTERS_MAX + 1);
            prop_assert!(text.starts_with(cut.trim_end_matches('…')));
        }
    }
}
