//! A badge: an icon and a word in a colour. The colour says nothing that the word does not say too
//! (WCAG 2.2, 1.4.1).

use super::icon::{Icon, icon};
use maud::{Markup, html};

/// How grave something is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Tone {
    Neutral,
    Accent,
    Ok,
    Warning,
    Critical,
    Sensitive,
}

impl Tone {
    /// All of them, for the gallery.
    pub(crate) const ALL: [Self; 6] =
        [Self::Neutral, Self::Accent, Self::Ok, Self::Warning, Self::Critical, Self::Sensitive];

    /// Its class.
    pub(crate) const fn class(self) -> &'static str {
        match self {
            Self::Neutral => "is-neutral",
            Self::Accent => "is-accent",
            Self::Ok => "is-ok",
            Self::Warning => "is-warning",
            Self::Critical => "is-critical",
            Self::Sensitive => "is-sensitive",
        }
    }

    /// The icon that goes with it.
    pub(crate) const fn icon(self) -> Icon {
        match self {
            Self::Neutral | Self::Accent => Icon::Info,
            Self::Ok => Icon::Ok,
            Self::Warning => Icon::Warning,
            Self::Critical => Icon::Critical,
            Self::Sensitive => Icon::Shield,
        }
    }
}

/// A badge.
pub(crate) fn badge(tone: Tone, which: Icon, text: &str) -> Markup {
    html! { span.badge.(tone.class()) { (icon(which)) span { (text) } } }
}
