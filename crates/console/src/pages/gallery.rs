//! The gallery: every part in every state, as pages show it. Who changes a part looks here first; tests of
//! contrast and of keys walk over this page. The people on it are invented.

use crate::answer::Answer;
use crate::days;
use crate::pages::patient::state;
use crate::parts::{
    Banner, Chart, Chip, Choice, Column, Field, Icon, Kind, Spark, Tab, Table, Tone, badge, banner,
    button, chips, choices, copyable, dialog, empty, error_summary, facts, field, icon,
    link_button, notice, pages, panel, shell, spark, table, tabs, toast, unbroken,
};
use crate::person::{Identifier, Person};
use crate::visit::Visit;
use crate::words::{self, Lang};
use base::Fault;
use maud::{Markup, html};

/// The page.
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let body = html! {
        div.page-head { h1 { (words::GALLERY.of(lang)) } p.muted { (words::GALLERY_WHY.of(lang)) } }
        (section(lang, "banners", words::BANNER, &banners(visit)))
        (section(lang, "badges", words::GALLERY_BADGES, &badges(lang)))
        (section(lang, "buttons", words::GALLERY_BUTTONS, &buttons(lang)))
        (section(lang, "notices", words::GALLERY_NOTICES, &notices(lang)))
        (section(lang, "forms", words::GALLERY_FORMS, &forms(lang)))
        (section(lang, "lists", words::GALLERY_LISTS, &lists(lang)))
        (section(lang, "icons", words::GALLERY_ICONS, &icons()))
    };
    Ok(shell(visit, 200, words::GALLERY.of(lang), &body))
}

fn section(lang: Lang, id: &str, title: words::Word, body: &Markup) -> Markup {
    panel(id, title.of(lang), None, &html! { div.pad.stack { (body) } })
}

fn invented() -> Person {
    Person {
        id: "example".to_owned(),
        family: "Okonkwo-Fairweather".to_owned(),
        given: vec!["Amara".to_owned(), "Jo".to_owned()],
        born: "1961-03-14".to_owned(),
        gender: "female".to_owned(),
        is_active: true,
        identifiers: vec![Identifier {
            kind: String::new(),
            value: "L10000123".to_owned(),
            is_record_number: true,
        }],
        ..Person::default()
    }
}

fn banners(visit: &Visit) -> Markup {
    let lang = visit.lang();
    let today = days::day_at(visit.now(), &visit.zone);
    let person = invented();
    let full = Chart {
        allergies: Some(vec![("Penicillin".to_owned(), true), ("Latex".to_owned(), false)]),
        alerts: Some(vec!["Falls".to_owned()]),
        consents: vec![("Research".to_owned(), false), ("Substance use".to_owned(), true)],
        proxies: vec![("Ann Noether".to_owned(), words::PROXY_ATTORNEY)],
        may_withhold: true,
        ..Chart::default()
    };
    let none = Chart {
        allergies: Some(Vec::new()),
        alerts: Some(Vec::new()),
        has_no_allergies: true,
        ..Chart::default()
    };
    let died = Person { died: Some("2026-02-01".to_owned()), ..person.clone() };
    html! {
        (banner(&Banner { person: &person, chart: &full, today, lang }))
        (banner(&Banner { person: &died, chart: &none, today, lang }))
        (banner(&Banner { person: &Person::default(), chart: &Chart::default(), today, lang }))
    }
}

fn badges(lang: Lang) -> Markup {
    let tones = [
        words::TONE_NEUTRAL,
        words::TONE_ACCENT,
        words::TONE_OK,
        words::TONE_WARNING,
        words::TONE_CRITICAL,
        words::TONE_SENSITIVE,
    ];
    html! {
        div.row { @for (tone, word) in Tone::ALL.into_iter().zip(tones) { (badge(tone, tone.icon(), word.of(lang))) } }
        div.row { @for status in ["booked", "pending", "arrived", "fulfilled", "cancelled", "noshow"] { (state(status, false, lang)) } (state("booked", true, lang)) }
    }
}

fn buttons(lang: Lang) -> Markup {
    let names =
        [words::BUTTON_PRIMARY, words::BUTTON_SECONDARY, words::BUTTON_DANGER, words::BUTTON_QUIET];
    html! {
        div.row { @for (kind, word) in Kind::ALL.into_iter().zip(names) { form method="get" action="/gallery" { (button(kind, None, word.of(lang))) } } }
        div.row { @for (kind, word) in Kind::ALL.into_iter().zip(names) { (link_button(kind, Some(Icon::Plus), word.of(lang), "/gallery")) } }
        div.row { button.button.is-primary type="button" disabled { (words::BUTTON_OFF.of(lang)) } }
    }
}

fn notices(lang: Lang) -> Markup {
    let say = html! { p { (words::EXAMPLE_TEXT.of(lang)) } };
    let action = link_button(Kind::Secondary, Some(Icon::Find), words::FIND.of(lang), "/find");
    let undo = html! { form method="get" action="/gallery" { (button(Kind::Quiet, Some(Icon::Undo), words::UNDO.of(lang))) } };
    html! {
        @for tone in Tone::ALL { (notice(tone, words::EXAMPLE_TITLE.of(lang), &say)) }
        (error_summary(lang, &[("wrong", words::EXAMPLE_ERROR.of(lang))]))
        (empty(Icon::Today, words::NOBODY_COMES.of(lang), words::NOBODY_COMES_WHY.of(lang), Some(&action)))
        div.held { (toast(lang, words::SAVED.of(lang), Some(&undo))) }
        div.held { (dialog("example", words::EXAMPLE_TITLE.of(lang), &html! {
            (say)
            div.row { form method="dialog" { (button(Kind::Danger, None, words::BUTTON_DANGER.of(lang))) } }
        }, true)) }
    }
}

fn forms(lang: Lang) -> Markup {
    let plain =
        Field { id: "plain", name: "plain", label: words::NAME.of(lang), ..Field::default() };
    let hint = Field { id: "hint", name: "hint", hint: words::FIND_HINT.of(lang), ..plain };
    let wrong = Field {
        id: "wrong",
        name: "wrong",
        error: words::EXAMPLE_ERROR.of(lang),
        value: "31-Feb",
        ..plain
    };
    let off = Field { id: "off", name: "off", value: "Ada", is_disabled: true, ..plain };
    let all = [
        Choice { value: "a", label: words::THEME_LIGHT.of(lang), is_chosen: true },
        Choice { value: "b", label: words::THEME_DARK.of(lang), is_chosen: false },
    ];
    html! {
        div.narrow.stack {
            @for one in [plain, hint, wrong, off] { (field(&one)) }
            (choices(words::THEME.of(lang), "example", &all))
        }
    }
}

fn lists(lang: Lang) -> Markup {
    let rows: Vec<Vec<Markup>> = [("Ada", "12"), ("Grace", "1,024")]
        .into_iter()
        .map(|(name, figure)| vec![html! { a href="/gallery" { (name) } }, html! { (figure) }])
        .collect();
    let columns = [
        Column { label: words::NAME.of(lang), is_figure: false },
        Column { label: words::COMMITS.of(lang), is_figure: true },
    ];
    let all = [(words::SUMMARY, true), (words::WHO_SAW, false)].map(|(word, is_here)| Tab {
        label: word.of(lang),
        href: "/gallery".to_owned(),
        is_here,
    });
    html! {
        (tabs(words::GALLERY.of(lang), &all))
        (chips(words::UNDERSTOOD.of(lang), &[
            Chip { label: words::BOOKED.of(lang), is_on: true },
            Chip { label: words::CANCELLED.of(lang), is_on: false },
        ]))
        (table(&Table { caption: words::GALLERY_LISTS.of(lang), columns: &columns, rows: &rows }))
        (pages(lang, None, Some("/gallery")))
        (facts(&[
            (words::NUMBERS.of(lang), copyable(lang, "L10000123")),
            (words::WHEN.of(lang), unbroken(&format!("{} 09:30", days::shown("2026-03-14", lang)))),
            (words::SPOKEN.of(lang), html! { span.muted { (words::NOT_KNOWN.of(lang)) } }),
            (words::COMMITS.of(lang), drawn(lang, (None, None))),
            (words::COMMITS.of(lang), drawn(lang, (Some(12.0), Some(16.0)))),
        ]))
        (pages(lang, Some("/gallery"), None))
    }
}

fn drawn(lang: Lang, range: (Option<f64>, Option<f64>)) -> Markup {
    let lines = vec![vec![(0, 11.0), (1, 14.0), (2, 13.5), (4, 17.0), (6, 15.0)]];
    spark(&Spark { lines, range, label: words::EXAMPLE_TEXT.of(lang).to_owned() })
}

fn icons() -> Markup {
    html! {
        ul.icons { @for (name, which) in Icon::ALL { li { (icon(*which)) span { (name) } } } }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;

    const PAGE: &str = include_str!("gallery.rs");
    /// What shows nothing of its own: the token of a form, words that stand in a banner, the field that has
    /// the focus (one page has one), pages for whoever has not signed in, and names.
    const APART: [&str; 10] = [
        "hidden",
        "born",
        "gender",
        "first_field",
        "shell_with",
        "bare",
        "arriving",
        "walled",
        "role_name",
        "role_names",
    ];

    /// The files of the parts.
    fn sources() -> Vec<(String, String)> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/parts");
        let files = fs::read_dir(folder).expect("the parts").map(|one| one.expect("a file").path());
        let text = |path: &Path| fs::read_to_string(path).expect("a source");
        files.map(|path| (path.display().to_string(), text(&path))).collect()
    }

    #[test]
    fn every_part_is_in_the_gallery() {
        let shown = PAGE.split("mod tests").next().expect("the page");
        let mut found = 0;
        for (file, text) in sources() {
            for rest in text.split("pub(crate) fn ").skip(1) {
                let name = rest.split(['(', '<']).next().expect("a name");
                let head = rest.split('{').next().expect("a head");
                let draws = head.contains("-> Markup") || head.contains("-> Answer");
                if !rest.starts_with(name) || !draws || APART.contains(&name) {
                    continue;
                }
                found += 1;
                let called = [format!("({name}("), format!(" {name}(")];
                let is_shown = called.iter().any(|call| shown.contains(call.as_str()));
                assert!(is_shown, "{name} of {file} is not in the gallery: show it in every state");
            }
        }
        assert!(found > 15, "only {found} parts were found");
    }

    #[test]
    fn every_state_that_is_listed_is_all_there_is() {
        for (file, text) in sources() {
            for rest in text.split("pub(crate) enum ").skip(1) {
                let (name, body) = rest.split_once('{').expect("an enum");
                let name = name.trim();
                let body = body.split('}').next().expect("its end");
                // Icons list themselves.
                if name == "Icon" {
                    continue;
                }
                let all = format!("{name}::ALL");
                assert!(
                    PAGE.contains(&all),
                    "{name} of {file}: the gallery does not go through all"
                );
                let list = text.split("const ALL").nth(1).and_then(|rest| rest.split(';').nth(1));
                let list = list.unwrap_or_default();
                let states = body.lines().map(|line| line.trim().trim_end_matches(','));
                for state in states.filter(|line| !line.is_empty() && !line.starts_with('/')) {
                    assert!(list.contains(&format!("Self::{state}")), "{name}::{state} of {file}");
                }
            }
        }
    }
}
