//! Facts, panels, tabs, filters and the way from page to page of a long list.

use super::icon::{Icon, icon};
use crate::words::{self, Lang};
use maud::{Markup, html};

/// Facts, each with what it is.
pub(crate) fn facts(all: &[(&str, Markup)]) -> Markup {
    html! {
        dl.facts { @for (label, value) in all { div { dt { (label) } dd { (value) } } } }
    }
}

/// A part of a page under a heading; `beside` stands at the end of its head.
pub(crate) fn panel(id: &str, title: &str, beside: Option<&Markup>, body: &Markup) -> Markup {
    html! {
        section.panel aria-labelledby=(id) {
            div.panel-head { h2 id=(id) { (title) } @if let Some(beside) = beside { (beside) } }
            (body)
        }
    }
}

/// One of the pages about a thing.
#[derive(Debug, Clone)]
pub(crate) struct Tab<'t> {
    pub(crate) label: &'t str,
    pub(crate) href: String,
    pub(crate) is_here: bool,
}

/// The pages about a thing: links, since each has an address of its own.
pub(crate) fn tabs(label: &str, all: &[Tab<'_>]) -> Markup {
    html! {
        nav.tabs aria-label=(label) { ul {
            @for tab in all {
                li { a href=(tab.href) aria-current=[tab.is_here.then_some("page")] { (tab.label) } }
            }
        } }
    }
}

/// A filter in force, or one to choose.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Chip<'c> {
    pub(crate) label: &'c str,
    pub(crate) is_on: bool,
}

/// What a list is narrowed by.
pub(crate) fn chips(label: &str, all: &[Chip<'_>]) -> Markup {
    html! {
        ul.chips aria-label=(label) {
            @for chip in all {
                li.chip.is-on[chip.is_on] {
                    @if chip.is_on { (icon(Icon::Ok)) }
                    (chip.label)
                }
            }
        }
    }
}

/// The way from page to page of a long list.
pub(crate) fn pages(lang: Lang, before: Option<&str>, after: Option<&str>) -> Markup {
    let step = |href: Option<&str>, word: words::Word, which: Icon| {
        html! {
            @match href {
                Some(href) => a.button.is-secondary href=(href) { (icon(which)) span { (word.of(lang)) } },
                None => span.button.is-secondary.is-off aria-disabled="true" { (icon(which)) span { (word.of(lang)) } },
            }
        }
    };
    html! {
        nav.pages aria-label=(words::PAGES.of(lang)) {
            (step(before, words::PAGE_BEFORE, Icon::Back))
            (step(after, words::PAGE_AFTER, Icon::Onward))
        }
    }
}

/// Words that break between each other and never inside: a date and a time.
pub(crate) fn unbroken(text: &str) -> Markup {
    html! {
        span.keep { @for (at, word) in text.split(' ').enumerate() { @if at > 0 { " " } span.number { (word) } } }
    }
}

/// A number that people copy; a script puts the button to work.
pub(crate) fn copyable(lang: Lang, text: &str) -> Markup {
    html! {
        span.copyable {
            span.number { (text) }
            button.copy type="button" hidden data-copy=(text) aria-label=(words::COPY.with(lang, text)) { (icon(Icon::Copy)) }
        }
    }
}
