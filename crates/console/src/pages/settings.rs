//! How pages look and behave in this browser: colours, language, single keys (WCAG 2.2, 2.1.4). The choice
//! stands in cookies that hold one word each, so it is known before the first stroke is painted.

use crate::answer::Answer;
use crate::parts::{Choice, Icon, Kind, Tone, button, choices, hidden, notice, panel, shell};
use crate::visit::{KEYS, LANGUAGE, THEME, Theme, Visit};
use crate::words::{self, Lang};
use base::Fault;
use maud::html;

/// The page.
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let themes = Theme::ALL.map(|theme| Choice {
        value: theme.name(),
        label: match theme {
            Theme::System => words::THEME_SYSTEM.of(lang),
            Theme::Light => words::THEME_LIGHT.of(lang),
            Theme::Dark => words::THEME_DARK.of(lang),
        },
        is_chosen: visit.theme() == theme,
    });
    let languages = Lang::ALL.map(|one| Choice {
        value: one.tag(),
        label: one.own_name(),
        is_chosen: one == lang,
    });
    let keys = [("on", words::KEYS_ON_CHOICE, true), ("off", words::KEYS_OFF_CHOICE, false)].map(
        |(value, word, is_on)| Choice {
            value,
            label: word.of(lang),
            is_chosen: visit.has_keys() == is_on,
        },
    );
    let form = html! {
        form.stack method="post" action="/settings" {
            (hidden(visit))
            (choices(words::THEME.of(lang), "theme", &themes))
            (choices(words::LANGUAGE.of(lang), "language", &languages))
            (choices(words::KEYS.of(lang), "keys", &keys))
            div.row { (button(Kind::Primary, Some(Icon::Ok), words::SAVE.of(lang))) }
        }
    };
    let body = html! {
        h1 { (words::SETTINGS.of(lang)) }
        @if visit.parameter("saved") == "1" {
            (notice(Tone::Ok, words::SAVED.of(lang), &html! { p { (words::SAVED_WHERE.of(lang)) } }))
        }
        div.narrow { (panel("looks", words::LOOKS.of(lang), None, &form)) }
    };
    Ok(shell(visit, 200, words::SETTINGS.of(lang), &body))
}

/// Takes the choice; what is none of the choices stays as it was.
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn change(visit: &Visit) -> Result<Answer, Fault> {
    let mut answer = Answer::go("/settings?saved=1");
    let theme = Theme::from_name(visit.field("theme")).map(Theme::name);
    let language = Lang::from_tag(visit.field("language")).map(Lang::tag);
    let keys = ["on", "off"].into_iter().find(|value| *value == visit.field("keys"));
    for (name, value) in [(THEME, theme), (LANGUAGE, language), (KEYS, keys)] {
        answer.choices.extend(value.map(|value| (name, value)));
    }
    Ok(answer)
}
