//! The pages about the machine, for who watches over it: how it is, what works for long, how it is set,
//! what is stored, and what a new house does first (45 CFR 164.308(a)(1)(ii)(D)). To any other they are
//! not there.

pub(crate) mod begin;
pub(crate) mod checklist;
pub(crate) mod configuration;
pub(crate) mod figures;
pub(crate) mod health;
pub(crate) mod jobs;
pub(crate) mod places;
pub(crate) mod resource;
pub(crate) mod resources;
mod tree;

use crate::machine::{Finding, Grade, Machine};
use crate::parts::{Icon, Tab, Tone, badge, tabs};
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use maud::Markup;
use std::sync::Arc;

/// The machine, when whoever asks watches over it.
pub(crate) fn watched(visit: &Visit) -> Option<&Arc<dyn Machine>> {
    visit.caller.as_ref()?;
    visit.machine.as_ref()
}

/// The pages beside each other.
pub(crate) fn beside(visit: &Visit) -> Markup {
    let lang = visit.lang();
    let tab = |word: Word, href: &str| Tab {
        label: word.of(lang),
        href: href.to_owned(),
        is_here: visit.path == href,
    };
    tabs(
        words::IT_PLACES.of(lang),
        &[
            tab(words::IT_HEALTH, "/admin/health"),
            tab(words::IT_JOBS, "/admin/jobs"),
            tab(words::IT_CONFIGURATION, "/admin/configuration"),
            tab(words::IT_RESOURCES, "/admin/resources"),
            tab(words::PLACES_SET_UP, "/admin/places"),
            tab(words::BEGIN_CHECKLIST, "/first/checklist"),
        ],
    )
}

/// How grave something is, as a badge.
pub(crate) fn grade(of: Grade, lang: Lang) -> Markup {
    let (tone, which, word) = look(of);
    badge(tone, which, word.of(lang))
}

const fn look(of: Grade) -> (Tone, Icon, Word) {
    match of {
        Grade::Fine => (Tone::Ok, Icon::Ok, words::IT_FINE),
        Grade::Unknown => (Tone::Neutral, Icon::Info, words::IT_UNKNOWN),
        Grade::Note => (Tone::Accent, Icon::Info, words::IT_NOTE),
        Grade::Warning => (Tone::Warning, Icon::Warning, words::IT_WARNING),
        Grade::Critical => (Tone::Critical, Icon::Critical, words::IT_CRITICAL),
    }
}

/// What a check found, as a badge; nothing when it was not made.
pub(crate) fn standing(findings: &[Finding], code: &str, lang: Lang) -> Option<Markup> {
    let found = findings.iter().find(|finding| finding.code == code)?;
    Some(grade(found.grade, lang))
}
