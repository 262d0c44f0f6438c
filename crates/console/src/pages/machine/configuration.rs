//! How the server is set: every setting with its value, where the value comes from, what it does, and what
//! is risky about it. It is read here and changed where it was set; a secret is never told, nor its length
//! (45 CFR 164.308(a)(1)(ii)(B)).

use super::health::to_mend;
use super::{beside, watched};
use crate::answer::Answer;
use crate::machine::{Origin, Setting};
use crate::pages::missing;
use crate::parts::{Column, Icon, Table, Tone, badge, panel, shell, table};
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::Fault;
use maud::{Markup, html};

/// `/admin/configuration`
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some(machine) = watched(visit) else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let all = machine.settings();
    let (set, left): (Vec<_>, Vec<_>) =
        all.iter().partition(|setting| setting.origin != Origin::Default);
    let risks: Vec<_> =
        all.iter().filter_map(|setting| Some((setting, setting.risk.as_ref()?))).collect();
    let body = html! {
        h1 { (words::IT_CONFIGURATION.of(lang)) }
        (beside(visit))
        p { (words::IT_CONFIGURATION_WHY.of(lang)) }
        @if !risks.is_empty() {
            (panel("risks", words::IT_RISKS.of(lang), None, &html! {
                ul.it-list { @for (_, risk) in &risks { (to_mend(risk, lang)) } }
            }))
        }
        (panel("set", words::IT_SET.of(lang), Some(&count(set.len())), &rows(&set, words::IT_SET, lang)))
        (panel("defaults", words::IT_DEFAULTS.of(lang), Some(&count(left.len())), &rows(&left, words::IT_DEFAULTS, lang)))
    };
    Ok(shell(visit, 200, words::IT_CONFIGURATION.of(lang), &body))
}

fn count(count: usize) -> Markup {
    html! { span.muted.number { (count) } }
}

fn rows(all: &[&Setting], caption: Word, lang: Lang) -> Markup {
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [
        column(words::IT_SETTING),
        column(words::IT_VALUE),
        column(words::IT_ORIGIN),
        column(words::IT_TAKEN),
    ];
    let rows: Vec<_> = all.iter().map(|setting| row(setting, lang)).collect();
    html! {
        @if rows.is_empty() { p.pad.muted { (words::IT_NONE_SET.of(lang)) } }
        @else { (table(&Table { caption: caption.of(lang), columns: &columns, rows: &rows })) }
        p.foot.muted { (words::IT_DOCUMENTED.of(lang)) " " code { "docs/operators/configuration.md" } }
    }
}

fn row(setting: &Setting, lang: Lang) -> Vec<Markup> {
    let origin = match setting.origin {
        Origin::Default => words::IT_BY_DEFAULT,
        Origin::File => words::IT_BY_FILE,
        Origin::Environment => words::IT_BY_ENVIRONMENT,
        Origin::Flag => words::IT_BY_FLAG,
    };
    let taken = if setting.is_reread { words::IT_REREAD } else { words::IT_AT_START };
    vec![
        html! { div.it-setting { code id={ "setting-" (setting.name) } { (setting.name) }
        p.muted lang="en" { (setting.about) } p.it-kind lang="en" { (setting.kind) } } },
        html! { @match setting.value.as_deref() {
            None => (badge(Tone::Sensitive, Icon::Withheld, words::IT_SECRET.of(lang))),
            Some("") => span.muted { (words::IT_EMPTY.of(lang)) },
            Some(value) => code.it-text { (value) },
        }
        @if setting.origin != Origin::Default && !setting.default.is_empty() {
            p.muted { (words::IT_DEFAULT_IS.of(lang)) " " code { (setting.default) } }
        } },
        html! { (origin.of(lang)) @if let Some(file) = &setting.file { " " code.it-text { (file) } } },
        html! { (taken.of(lang)) },
    ]
}
