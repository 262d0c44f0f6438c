//! Forms: fields with their labels, hints and errors, choices, buttons, and the summary of what is wrong
//! (WCAG 2.2, 1.3.5, 3.3.1 to 3.3.3). A field keeps what was typed.

use super::icon::{Icon, icon};
use crate::visit::Visit;
use crate::words::{self, Lang};
use maud::{Markup, html};

/// What a button is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// What the page is for; one to a page.
    Primary,
    /// Anything else.
    Secondary,
    /// It cannot be taken back.
    Danger,
    /// In a row of a table, or in the margin.
    Quiet,
}

impl Kind {
    /// All of them, for the gallery.
    pub(crate) const ALL: [Self; 4] = [Self::Primary, Self::Secondary, Self::Danger, Self::Quiet];

    const fn class(self) -> &'static str {
        match self {
            Self::Primary => "is-primary",
            Self::Secondary => "is-secondary",
            Self::Danger => "is-danger",
            Self::Quiet => "is-quiet",
        }
    }
}

/// A button that sends its form.
pub(crate) fn button(kind: Kind, which: Option<Icon>, label: &str) -> Markup {
    html! {
        button.button.(kind.class()) type="submit" {
            @if let Some(which) = which { (icon(which)) }
            span { (label) }
        }
    }
}

/// A link that looks like a button.
pub(crate) fn link_button(kind: Kind, which: Option<Icon>, label: &str, href: &str) -> Markup {
    html! {
        a.button.(kind.class()) href=(href) {
            @if let Some(which) = which { (icon(which)) }
            span { (label) }
        }
    }
}

/// What every form of ours brings back.
pub(crate) fn hidden(visit: &Visit) -> Markup {
    html! { input type="hidden" name="form" value=(visit.form_text); }
}

/// A field for a text.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Field<'f> {
    pub(crate) id: &'f str,
    pub(crate) name: &'f str,
    pub(crate) label: &'f str,
    pub(crate) hint: &'f str,
    pub(crate) error: &'f str,
    pub(crate) value: &'f str,
    pub(crate) is_disabled: bool,
}

/// A field with its label, hint and error.
pub(crate) fn field(field: &Field<'_>) -> Markup {
    drawn(field, false)
}

/// The field that a page is opened for: the cursor stands in it.
pub(crate) fn first_field(field: &Field<'_>) -> Markup {
    drawn(field, true)
}

fn drawn(field: &Field<'_>, is_first: bool) -> Markup {
    let (hint, error) = (format!("{}-hint", field.id), format!("{}-error", field.id));
    let mut described = Vec::new();
    if !field.hint.is_empty() {
        described.push(hint.as_str());
    }
    if !field.error.is_empty() {
        described.push(error.as_str());
    }
    let described = Some(described.join(" ")).filter(|text| !text.is_empty());
    let is_wrong = !field.error.is_empty();
    html! {
        div.field.is-wrong[is_wrong] {
            label for=(field.id) { (field.label) }
            @if !field.hint.is_empty() { p.hint id=(hint) { (field.hint) } }
            @if is_wrong { p.error id=(error) { (icon(Icon::Critical)) span { (field.error) } } }
            input type="text" id=(field.id) name=(field.name) value=(field.value) autocomplete="off"
                spellcheck="false" aria-describedby=[described] aria-invalid=[is_wrong.then_some("true")]
                disabled[field.is_disabled] autofocus[is_first];
        }
    }
}

/// One of several.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Choice<'c> {
    pub(crate) value: &'c str,
    pub(crate) label: &'c str,
    pub(crate) is_chosen: bool,
}

/// A choice of one among several.
pub(crate) fn choices(legend: &str, name: &str, all: &[Choice<'_>]) -> Markup {
    html! {
        fieldset.choices {
            legend { (legend) }
            @for choice in all {
                label.choice {
                    input type="radio" name=(name) value=(choice.value) checked[choice.is_chosen];
                    span { (choice.label) }
                }
            }
        }
    }
}

/// What is wrong with a form, at its head, each leading to its field.
pub(crate) fn error_summary(lang: Lang, wrong: &[(&str, &str)]) -> Markup {
    html! {
        div.notice.is-critical role="alert" tabindex="-1" {
            (icon(Icon::Critical))
            div {
                p.notice-title { (words::FORM_WRONG.of(lang)) }
                ul { @for (id, say) in wrong { li { a href={ "#" (id) } { (say) } } } }
            }
        }
    }
}
