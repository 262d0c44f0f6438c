//! What a page says beside its content: a notice, that there is nothing, a question before something
//! grave, and that something was done and can be undone.

use super::badge::Tone;
use super::icon::{Icon, icon};
use crate::words::{self, Lang};
use maud::{Markup, html};

/// A notice in the page. What went wrong interrupts a reader of the screen, the rest does not.
pub(crate) fn notice(tone: Tone, title: &str, body: &Markup) -> Markup {
    let role = if tone == Tone::Critical { "alert" } else { "status" };
    html! {
        div.notice.(tone.class()) role=(role) {
            (icon(tone.icon()))
            div { p.notice-title { (title) } (body) }
        }
    }
}

/// There is nothing to show: what would stand here, and what can be done.
pub(crate) fn empty(which: Icon, title: &str, body: &str, action: Option<&Markup>) -> Markup {
    html! {
        div.empty {
            (icon(which))
            p.empty-title { (title) }
            p.muted { (body) }
            @if let Some(action) = action { div.row { (action) } }
        }
    }
}

/// A question in front of the page; open when the page is made with it, or by a script.
pub(crate) fn dialog(id: &str, title: &str, body: &Markup, is_open: bool) -> Markup {
    let label = format!("{id}-title");
    html! {
        dialog.dialog id=(id) aria-labelledby=(label) open[is_open] {
            h2 id=(label) { (title) }
            (body)
        }
    }
}

/// Something was done; the form undoes it.
pub(crate) fn toast(lang: Lang, text: &str, undo: Option<&Markup>) -> Markup {
    html! {
        div.toast role="status" {
            (icon(Icon::Ok))
            p { (text) }
            @if let Some(undo) = undo { (undo) }
            button.button.is-quiet type="button" data-close="" aria-label=(words::CLOSE.of(lang)) {
                (icon(Icon::Close))
            }
        }
    }
}
