//! Finding: patients by what is known of them, and places by their names. The text that was typed goes in
//! the body of a POST and comes back in the page alone, so no name stands in an address, a log line, or
//! the history of a browser.

use crate::answer::Answer;
use crate::days;
use crate::parts::{
    Column, Field, Icon, Kind, Screen, Table, Tone, badge, born, button, empty, field,
    finds_patients, gender, hidden, icon, may_register, notice, places, shell, table,
};
use crate::person::Person;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::code;
use maud::{Markup, html};
use record::{Fits, PATIENTS_MAX, PatientRow, PatientsFound, SameName};

/// Patients listed below the find box: what is read at a glance.
const LISTED_MAX: usize = 8;

/// The page before anything is typed.
#[expect(clippy::unnecessary_wraps, reason = "it is a row of the table of routes")]
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    Ok(whole(visit, "", &html! { (help(visit)) }))
}

/// What was found, as a page or as the rows below the find box. `>` asks for places and actions alone,
/// `#` for the number of a record.
pub(crate) fn answer(visit: &Visit) -> Result<Answer, Fault> {
    let typed = visit.field("q").trim().to_owned();
    let only_places = typed.starts_with('>');
    let found = Found {
        patients: match finds_patients(visit) && !only_places {
            true => patients(visit, &typed)?,
            false => None,
        },
        screens: screens(visit, &typed),
        is_recent: typed.is_empty(),
        offers_new: may_register(visit) && !only_places && !typed.is_empty(),
    };
    if visit.is_fragment() {
        return Ok(Answer::html(200, rows(visit, &found)));
    }
    Ok(whole(visit, &typed, &results(visit, &typed, &found)))
}

/// What an answer shows.
struct Found {
    /// None where patients were not looked for.
    patients: Option<PatientsFound>,
    screens: Vec<Screen>,
    /// The patients are those whom this person opened last.
    is_recent: bool,
    /// Somebody who is not found can be registered.
    offers_new: bool,
}

/// Whom a line means; whom this person opened last when it is empty.
pub(crate) fn patients(visit: &Visit, typed: &str) -> Result<Option<PatientsFound>, Fault> {
    let session = &visit.session;
    if typed.is_empty() {
        let rows = session.recent_patients()?.wait()?;
        return Ok(Some(PatientsFound { rows, ..PatientsFound::default() }));
    }
    match session.find_patients(typed.trim_start_matches('#'), PATIENTS_MAX) {
        Ok(found) => found.wait().map(Some),
        // Nothing in it names anybody: nobody is found by it.
        Err(fault) if fault.code() == &code::FIND_UNREADABLE => Ok(None),
        Err(fault) => Err(fault),
    }
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
        (words::FIND_BY_NUMBER, "#L10000123"),
        (words::FIND_BY_PHONE, "(608) 555-0123 · 0123"),
        (words::FIND_BY_BOTH, "lee 3/14/61"),
        (words::FIND_ACTIONS, "> register"),
    ];
    html! {
        dl.facts.is-wide { @for (word, example) in examples { div { dt { (word.of(lang)) } dd { kbd { (example) } } } } }
    }
}

fn screens(visit: &Visit, typed: &str) -> Vec<Screen> {
    let lang = visit.lang();
    let folded = search::fold::fold(typed);
    let wanted = folded.trim_start_matches('>').trim();
    if wanted.is_empty() {
        // `>` alone lists all there is.
        return if typed.starts_with('>') { places(visit) } else { Vec::new() };
    }
    let typed = wanted;
    let fits = |screen: &Screen| {
        let name = search::fold::fold(screen.word.of(lang));
        name.split(' ').any(|word| word.starts_with(typed)) || name.starts_with(typed)
    };
    places(visit).into_iter().filter(fits).collect()
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

/// What has to be seen before somebody is taken for another.
pub(crate) fn marks(row: &PatientRow, lang: Lang) -> Markup {
    let warn = |word: Word| badge(Tone::Warning, Icon::Warning, word.of(lang));
    html! {
        @match row.warning {
            Some(SameName::Same) => (warn(words::SAME_NAME)),
            Some(SameName::SoundsAlike) => (warn(words::FIND_SOUNDS_ALIKE)),
            None => {}
        }
        @match row.fits {
            Fits::Nickname => (badge(Tone::Neutral, Icon::Info, words::FIND_BY_NICKNAME.of(lang))),
            Fits::Sound => (badge(Tone::Neutral, Icon::Info, words::FIND_BY_SOUND.of(lang))),
            Fits::Exactly | Fits::Beginning => {}
        }
        @if row.replaced_by.is_some() { (badge(Tone::Warning, Icon::Warning, words::FIND_MERGED.of(lang))) }
        @else if row.deceased { (badge(Tone::Neutral, Icon::Info, words::DIED.of(lang))) }
        @else if !row.active { (badge(Tone::Neutral, Icon::Info, words::NOT_ACTIVE.of(lang))) }
    }
}

fn phone(row: &PatientRow, lang: Lang) -> Markup {
    html! { @match &row.phone_end {
        Some(end) => span.number { "··· " (end) },
        None => span.muted { (words::NOT_KNOWN.of(lang)) },
    } }
}

fn results(visit: &Visit, typed: &str, found: &Found) -> Markup {
    let lang = visit.lang();
    html! {
        @if !found.screens.is_empty() {
            ul.places { @for screen in &found.screens { li { a href=(screen.path) { (icon(screen.icon)) span { (screen.word.of(lang)) } } } } }
        }
        @match &found.patients {
            Some(patients) => { (people(visit, patients, found.is_recent)) }
            None => { @if found.screens.is_empty() { (empty(Icon::Find, words::NOTHING_FOUND.of(lang), words::NOTHING_FOUND_WHY.of(lang), None)) } }
        }
        @if found.offers_new { (offer(visit, typed)) }
    }
}

/// The way on for whoever is not found: what was typed is carried over, in a form and not in an address.
fn offer(visit: &Visit, typed: &str) -> Markup {
    let lang = visit.lang();
    html! {
        form.offer method="post" action="/register" {
            (hidden(visit))
            input type="hidden" name="q" value=(typed);
            p.muted { (words::REGISTER_OFFER.of(lang)) }
            (button(Kind::Secondary, Some(Icon::Plus), words::REGISTER.of(lang)))
        }
    }
}

fn people(visit: &Visit, found: &PatientsFound, is_recent: bool) -> Markup {
    let lang = visit.lang();
    let today = days::day_at(visit.now(), &visit.zone);
    if found.rows.is_empty() {
        if is_recent {
            return help(visit);
        }
        let (title, say) = (words::NOBODY_FOUND.of(lang), words::NOBODY_FOUND_WHY.of(lang));
        return html! { div role="status" { (empty(Icon::Person, title, say, None)) } };
    }
    let rows: Vec<Vec<Markup>> = found
        .rows
        .iter()
        .map(|row| {
            let person = Person::of_row(row);
            vec![
                html! { a href={ "/p/" (person.id) } { (name(&person, lang)) } " " (marks(row, lang)) },
                born(&person, today, lang),
                gender(&person, lang),
                number(&person, lang),
                phone(row, lang),
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
    let count = match is_recent {
        true => words::FIND_RECENT.of(lang).to_owned(),
        false => words::counted(lang, words::ONE_PATIENT, words::MANY_PATIENTS, found.rows.len()),
    };
    html! {
        @if found.by_name_alone {
            (notice(Tone::Warning, words::FIND_NAME_ALONE.of(lang), &html! { p { (words::FIND_NAME_ALONE_WHY.of(lang)) } }))
        } @else if found.rows.iter().any(|row| row.warning == Some(SameName::Same)) {
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
fn rows(visit: &Visit, found: &Found) -> Markup {
    let lang = visit.lang();
    let today = days::day_at(visit.now(), &visit.zone);
    let none = PatientsFound::default();
    let patients = found.patients.as_ref().unwrap_or(&none);
    let people = patients.rows.iter().take(LISTED_MAX);
    let group = if found.is_recent { words::FIND_RECENT } else { words::PATIENTS };
    let count = people.len() + found.screens.len() + usize::from(found.offers_new);
    let more = patients.more || patients.rows.len() > LISTED_MAX;
    html! {
        div.list role="listbox" aria-label=(words::FOUND.of(lang)) data-said=(words::counted(lang, words::ONE_FOUND, words::MANY_FOUND, count)) {
            @if patients.by_name_alone { p.muted.none { (words::FIND_NAME_ALONE.of(lang)) } }
            @if !patients.rows.is_empty() {
                div role="group" aria-label=(group.of(lang)) {
                    @for (at, row) in people.enumerate() {
                        @let person = Person::of_row(row);
                        a.option role="option" tabindex="-1" id={ "found-p" (at) } href={ "/p/" (person.id) } {
                            span.option-name { (name(&person, lang)) " " (marks(row, lang)) }
                            span.muted { (born(&person, today, lang)) " · " (number(&person, lang)) }
                        }
                    }
                }
            }
            @if !found.screens.is_empty() {
                div role="group" aria-label=(words::PLACES.of(lang)) {
                    @for (at, screen) in found.screens.iter().enumerate() {
                        a.option role="option" tabindex="-1" id={ "found-s" (at) } href=(screen.path) {
                            span.option-name { (icon(screen.icon)) (screen.word.of(lang)) }
                        }
                    }
                }
            }
            @if found.offers_new {
                div role="group" aria-label=(words::FIND_ACTIONS.of(lang)) {
                    a.option role="option" tabindex="-1" id="found-new" href="/register" data-send="" {
                        span.option-name { (icon(Icon::Plus)) (words::REGISTER.of(lang)) }
                    }
                }
            }
            @if count == 0 { p.muted.none { (words::NOTHING_FOUND.of(lang)) } }
            @else if more { p.muted.none { (words::ENTER_FOR_ALL.of(lang)) } }
        }
    }
}
