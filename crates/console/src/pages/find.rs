//! Finding: patients by what is known of them, and places by their names. The text that was typed goes in
//! the body of a POST and comes back in the page alone, so no name stands in an address, a log line, or
//! the history of a browser.

use crate::answer::Answer;
use crate::days;
use crate::lookup::{Asked, People, find_people};
use crate::parts::{
    Chip, Column, Field, Icon, Kind, Screen, Table, Tone, badge, born, button, chips, empty, field,
    finds_patients, gender, hidden, icon, notice, places, shell, table,
};
use crate::person::Person;
use crate::visit::Visit;
use crate::words::{self, Lang};
use base::Fault;
use jiff::civil::Date;
use maud::{Markup, html};
use std::collections::HashMap;

/// The page before anything is typed.
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    Ok(whole(visit, "", &html! { (help(visit)) }))
}

/// What was found, as a page or as the rows below the find box.
pub(crate) fn answer(visit: &Visit) -> Result<Answer, Fault> {
    let typed = visit.field("q").trim().to_owned();
    let today = days::day_at(visit.now(), &visit.zone);
    let asked = Asked::of(&typed, today);
    let finds = finds_patients(visit) && !asked.is_empty();
    let found = if finds { Some(find_people(&visit.session, &asked)?) } else { None };
    let screens = screens(visit, &typed);
    if visit.is_fragment() {
        return Ok(Answer::html(200, rows(visit.lang(), found.as_ref(), &screens, today)));
    }
    let body = html! { (results(visit, &asked, found.as_ref(), &screens, today)) };
    Ok(whole(visit, &typed, &body))
}

fn whole(visit: &Visit, typed: &str, below: &Markup) -> Answer {
    let lang = visit.lang();
    let finds = finds_patients(visit);
    let (label, hint) = match finds {
        true => (words::FIND_LABEL, words::FIND_HINT),
        false => (words::FIND_BOX_PLACES, words::FIND_HINT_PLACES),
    };
    let body = html! {
        h1 { @if finds { (words::PATIENTS.of(lang)) } @else { (words::PLACES.of(lang)) } }
        form.finder method="post" action="/find" {
            (hidden(visit))
            (field(&Field {
                id: "q", name: "q", label: label.of(lang), hint: hint.of(lang), value: typed, ..Field::default()
            }))
            (button(Kind::Primary, Some(Icon::Find), words::FIND.of(lang)))
        }
        (below)
    };
    shell(visit, 200, words::FIND.of(lang), &body)
}

fn help(visit: &Visit) -> Markup {
    let lang = visit.lang();
    if !finds_patients(visit) {
        return html! {};
    }
    let examples = [
        (words::FIND_BY_NAME, "okafor am"),
        (words::FIND_BY_BIRTH, "14 mar 1961 · 3/14/61 · 1961-03-14"),
        (words::FIND_BY_NUMBER, "L10000123"),
        (words::FIND_BY_PHONE, "(608) 555-0123"),
        (words::FIND_BY_BOTH, "lee 3/14/61"),
    ];
    html! {
        dl.facts.is-wide { @for (word, example) in examples { div { dt { (word.of(lang)) } dd { kbd { (example) } } } } }
    }
}

fn screens(visit: &Visit, typed: &str) -> Vec<Screen> {
    let lang = visit.lang();
    let typed = search::fold::fold(typed);
    let typed = typed.trim_start_matches('>').trim();
    if typed.is_empty() {
        return Vec::new();
    }
    let fits = |screen: &Screen| {
        let name = search::fold::fold(screen.word.of(lang));
        name.split(' ').any(|word| word.starts_with(typed)) || name.starts_with(typed)
    };
    places(visit).into_iter().filter(fits).collect()
}

/// Who shares a name with another that was found: those are taken for each other.
fn namesakes(people: &[Person]) -> HashMap<String, usize> {
    let mut count = HashMap::new();
    for person in people {
        *count.entry(person.sounds_like()).or_insert(0) += 1;
    }
    count.retain(|_, times| *times > 1);
    count
}

fn name(person: &Person, lang: Lang) -> String {
    person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned())
}

fn number(person: &Person, lang: Lang) -> Markup {
    html! {
        @match person.record_number() {
            Some(number) => span.number { (number.value) },
            None => span.muted { (words::NOT_KNOWN.of(lang)) },
        }
    }
}

fn marks(person: &Person, namesakes: &HashMap<String, usize>, lang: Lang) -> Markup {
    html! {
        @if namesakes.contains_key(&person.sounds_like()) {
            (badge(Tone::Warning, Icon::Warning, words::SAME_NAME.of(lang)))
        }
        @if person.died.is_some() { (badge(Tone::Neutral, Icon::Info, words::DIED.of(lang))) }
        @else if !person.is_active { (badge(Tone::Neutral, Icon::Info, words::NOT_ACTIVE.of(lang))) }
    }
}

fn results(
    visit: &Visit,
    asked: &Asked,
    found: Option<&People>,
    screens: &[Screen],
    today: Date,
) -> Markup {
    let lang = visit.lang();
    let understood = understood(asked, lang);
    let understood: Vec<_> = understood.iter().map(|label| Chip { label, is_on: true }).collect();
    html! {
        @if !screens.is_empty() {
            ul.places { @for screen in screens { li { a href=(screen.path) { (icon(screen.icon)) span { (screen.word.of(lang)) } } } } }
        }
        @match found {
            Some(found) => {
                @if !understood.is_empty() { (chips(words::UNDERSTOOD.of(lang), &understood)) }
                (people(visit, found, today))
            }
            None => { @if screens.is_empty() { (empty(Icon::Find, words::NOTHING_FOUND.of(lang), words::NOTHING_FOUND_WHY.of(lang), None)) } }
        }
    }
}

/// How the text was read, so that a wrong reading is seen.
fn understood(asked: &Asked, lang: Lang) -> Vec<String> {
    let mut all: Vec<String> =
        asked.names.iter().map(|name| words::READ_NAME.with(lang, name)).collect();
    all.extend(
        asked
            .born
            .iter()
            .map(|day| words::READ_BORN.with(lang, &days::shown(&day.to_string(), lang))),
    );
    all.extend(asked.number.iter().map(|number| words::READ_NUMBER.with(lang, number)));
    all.extend(asked.phone.iter().map(|phone| words::READ_PHONE.with(lang, phone)));
    all
}

fn people(visit: &Visit, found: &People, today: Date) -> Markup {
    let lang = visit.lang();
    if found.people.is_empty() {
        let (title, say) = (words::NOBODY_FOUND.of(lang), words::NOBODY_FOUND_WHY.of(lang));
        return html! { div role="status" { (empty(Icon::Person, title, say, None)) } };
    }
    let namesakes = namesakes(&found.people);
    let rows: Vec<Vec<Markup>> = found
        .people
        .iter()
        .map(|person| {
            vec![
                html! { a href={ "/p/" (person.id) } { (name(person, lang)) } " " (marks(person, &namesakes, lang)) },
                born(person, today, lang),
                gender(person, lang),
                number(person, lang),
                html! { @match person.telecom.iter().find(|one| one.system == "phone") {
                    Some(phone) => span.number { (phone.value) },
                    None => span.muted { (words::NOT_KNOWN.of(lang)) },
                } },
            ]
        })
        .collect();
    let column = |label| Column { label, is_figure: false };
    let columns = [
        column(words::NAME.of(lang)),
        column(words::BORN.of(lang)),
        column(words::GENDER.of(lang)),
        column(words::RECORD_NUMBER.of(lang)),
        column(words::PHONE.of(lang)),
    ];
    let count = words::counted(lang, words::ONE_PATIENT, words::MANY_PATIENTS, found.people.len());
    html! {
        @if !namesakes.is_empty() {
            (notice(Tone::Warning, words::SAME_NAME.of(lang), &html! { p { (words::SAME_NAME_WHY.of(lang)) } }))
        }
        section.panel aria-labelledby="people" {
            div.panel-head { h2 #people { (count) } }
            (table(&Table { caption: words::PATIENTS.of(lang), columns: &columns, rows: &rows }))
            @if found.more { p.foot.muted { (words::MORE_FOUND.of(lang)) } }
        }
    }
}

/// The rows below the find box: a list to choose from with the arrow keys.
fn rows(lang: Lang, found: Option<&People>, screens: &[Screen], today: Date) -> Markup {
    let none = People::default();
    let people = found.unwrap_or(&none);
    let namesakes = namesakes(&people.people);
    let count = people.people.len() + screens.len();
    html! {
        div.list role="listbox" aria-label=(words::FOUND.of(lang)) data-said=(words::counted(lang, words::ONE_FOUND, words::MANY_FOUND, count)) {
            @if !people.people.is_empty() {
                div role="group" aria-label=(words::PATIENTS.of(lang)) {
                    @for (at, person) in people.people.iter().take(8).enumerate() {
                        a.option role="option" tabindex="-1" id={ "found-p" (at) } href={ "/p/" (person.id) } {
                            span.option-name { (name(person, lang)) " " (marks(person, &namesakes, lang)) }
                            span.muted { (born(person, today, lang)) " · " (number(person, lang)) }
                        }
                    }
                }
            }
            @if !screens.is_empty() {
                div role="group" aria-label=(words::PLACES.of(lang)) {
                    @for (at, screen) in screens.iter().enumerate() {
                        a.option role="option" tabindex="-1" id={ "found-s" (at) } href=(screen.path) {
                            span.option-name { (icon(screen.icon)) (screen.word.of(lang)) }
                        }
                    }
                }
            }
            @if count == 0 { p.muted.none { (words::NOTHING_FOUND.of(lang)) } }
            @else if people.more || people.people.len() > 8 { p.muted.none { (words::ENTER_FOR_ALL.of(lang)) } }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(id: &str, family: &str, given: &str) -> Person {
        let given = vec![given.to_owned()];
        Person { id: id.to_owned(), family: family.to_owned(), given, ..Person::default() }
    }

    #[test]
    fn people_of_one_name_are_marked_whatever_the_accents() {
        let all =
            [person("a", "Muñoz", "Ana"), person("b", "MUNOZ", "ana"), person("c", "Lee", "Jo")];
        let namesakes = namesakes(&all);
        assert_eq!(namesakes.len(), 1);
        assert!(namesakes.contains_key(&all[0].sounds_like()));
    }

    #[test]
    fn a_row_shows_what_is_known_and_escapes_what_was_stored() {
        let people = People { people: vec![person("a", "<script>", "x")], more: true };
        let html = rows(Lang::En, Some(&people), &[], jiff::civil::date(2026, 1, 1)).into_string();
        assert!(html.contains("&lt;SCRIPT&gt;, x") && !html.contains("<script"), "{html}");
        assert!(html.contains("Not known") && html.contains("/p/a"));
        assert!(html.contains("1 result"));
    }
}
