//! Fields of these forms beside those for a text: a date, a time, one of a list, a longer text. Each has
//! its label, hint and error as any other (WCAG 2.2, 1.3.1, 3.3.1), and keeps what was typed.

use crate::parts::{Icon, icon};
use maud::{Markup, html};

/// A field.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Input<'f> {
    /// Its id and name.
    pub(crate) name: &'f str,
    pub(crate) label: &'f str,
    pub(crate) hint: &'f str,
    pub(crate) error: &'f str,
    pub(crate) value: &'f str,
    pub(crate) is_required: bool,
}

fn frame(of: &Input<'_>, inside: &Markup) -> Markup {
    let (hint, error) = (format!("{}-hint", of.name), format!("{}-error", of.name));
    html! {
        div.field.is-wrong[!of.error.is_empty()] {
            label for=(of.name) { (of.label) }
            @if !of.hint.is_empty() { p.hint id=(hint) { (of.hint) } }
            @if !of.error.is_empty() { p.error id=(error) { (icon(Icon::Critical)) span { (of.error) } } }
            (inside)
        }
    }
}

fn described(of: &Input<'_>) -> Option<String> {
    let mut ids = Vec::new();
    if !of.hint.is_empty() {
        ids.push(format!("{}-hint", of.name));
    }
    if !of.error.is_empty() {
        ids.push(format!("{}-error", of.name));
    }
    Some(ids.join(" ")).filter(|ids| !ids.is_empty())
}

/// A field of a kind that browsers know: `date`, `time`, `number`.
pub(crate) fn input(kind: &str, of: &Input<'_>) -> Markup {
    let step = (kind == "time").then_some("300");
    let wrong = (!of.error.is_empty()).then_some("true");
    let inside = html! {
        input type=(kind) id=(of.name) name=(of.name) value=(of.value) step=[step] required[of.is_required]
            aria-describedby=[described(of)] aria-invalid=[wrong] autocomplete="off";
    };
    frame(of, &inside)
}

/// A longer text.
pub(crate) fn area(of: &Input<'_>, letters: usize) -> Markup {
    let wrong = (!of.error.is_empty()).then_some("true");
    let inside = html! {
        textarea id=(of.name) name=(of.name) rows="2" maxlength=(letters) required[of.is_required]
            aria-describedby=[described(of)] aria-invalid=[wrong] autocomplete="off" { (of.value) }
    };
    frame(of, &inside)
}

/// One of a list, each with its value and words.
pub(crate) fn select(of: &Input<'_>, all: &[(String, String)]) -> Markup {
    let wrong = (!of.error.is_empty()).then_some("true");
    let inside = html! {
        select id=(of.name) name=(of.name) required[of.is_required] aria-describedby=[described(of)] aria-invalid=[wrong] {
            @for (value, words) in all { option value=(value) selected[value == of.value] { (words) } }
        }
    };
    frame(of, &inside)
}
