//! Booking, first half: for whom, which visit, and the first ten places that are free for it, over sites
//! and everything the visit needs. It begins anywhere: at a free place of the grid, at a patient's chart,
//! or with nothing. A name that is typed goes in the body of a POST; the address holds ids and days.

use super::desk::{self, Here};
use super::fields::{Input, input, select};
use super::{act, appointment, confirm, finding, whom};
use crate::answer::Answer;
use crate::days;
use crate::pages::{find, missing};
use crate::wait::wait;

use crate::parts::shell::shell_with;
use crate::parts::{
    Field, Icon, Kind, Tone, born, button, empty, field, hidden, link_button, notice, panel,
};
use crate::person::Person;
use crate::visit::Visit;
use crate::words::{self, Word};
use base::{Fault, Millis};
use jiff::civil::{Date, Time};
use maud::{Markup, html};
use scheduling::actor::Actor;
use scheduling::book::{self, Free, Query};
use scheduling::find::By;
use scheduling::time::{MINUTE_MS, Span, Weekday};
use scheduling::visit_type::VisitType;

/// Places that are shown at once.
const PLACES: usize = 10;
/// Days that are looked over when nobody says until when.
const AHEAD_DAYS: i32 = 60;
/// Minutes between the starts that are offered.
const STEP_MINUTES: u32 = 15;
/// Noon, where mornings end.
const NOON: Time = Time::constant(12, 0, 0, 0);
/// The days of the week, in the order of the catalogue.
pub(crate) const WEEK: [Weekday; 7] = [
    Weekday::Monday,
    Weekday::Tuesday,
    Weekday::Wednesday,
    Weekday::Thursday,
    Weekday::Friday,
    Weekday::Saturday,
    Weekday::Sunday,
];

/// What is asked for, as the address says it.
pub(crate) struct Wanted {
    pub(crate) patient: Option<String>,
    pub(crate) visit_type: String,
    pub(crate) site: Option<Actor>,
    pub(crate) with: Option<Actor>,
    pub(crate) from: Option<Date>,
    pub(crate) until: Option<Date>,
    /// At this time of the first day, when a place of the grid was pressed.
    pub(crate) time: Option<Time>,
    pub(crate) part: String,
    pub(crate) weekdays: Vec<Weekday>,
}

impl Wanted {
    pub(crate) fn of(visit: &Visit) -> Self {
        let said = |name: &str| Some(visit.parameter(name)).filter(|text| !text.is_empty());
        let all = visit.query.iter().filter(|(name, _)| name == "day");
        let weekday = |text: &str| WEEK.get(text.parse::<usize>().ok()?).copied();
        Self {
            patient: said("patient").filter(|id| fhir::reference::is_id(id)).map(str::to_owned),
            visit_type: said("type")
                .filter(|id| fhir::reference::is_id(id))
                .unwrap_or_default()
                .to_owned(),
            site: said("site").and_then(Actor::parse),
            with: said("with").and_then(Actor::parse).filter(|actor| !actor.is_patient()),
            from: said("date").and_then(|text| text.parse().ok()),
            until: said("until").and_then(|text| text.parse().ok()),
            time: said("time").and_then(|text| text.parse().ok()),
            part: said("part")
                .filter(|part| PARTS.iter().any(|(one, ..)| one == part))
                .unwrap_or_default()
                .to_owned(),
            weekdays: all.filter_map(|(_, text)| weekday(text)).collect(),
        }
    }

    /// What of it goes with every link and form, but for the patient.
    fn pairs(&self) -> Vec<(&'static str, String)> {
        let mut pairs = Vec::new();
        let mut add = |name, value: Option<String>| pairs.extend(value.map(|value| (name, value)));
        add("type", Some(self.visit_type.clone()).filter(|id| !id.is_empty()));
        add("site", self.site.as_ref().map(Actor::to_string));
        add("with", self.with.as_ref().map(Actor::to_string));
        add("date", self.from.map(|date| date.to_string()));
        add("until", self.until.map(|date| date.to_string()));
        add("time", self.time.map(|time| time.strftime("%H:%M").to_string()));
        add("part", Some(self.part.clone()).filter(|part| !part.is_empty()));
        for day in &self.weekdays {
            pairs.push(("day", day.to_monday_zero_offset().to_string()));
        }
        pairs
    }

    fn href(&self, patient: Option<&str>) -> String {
        let pairs = self.pairs();
        let pairs = pairs.iter().map(|(name, value)| (*name, value.as_str()));
        let all = patient.map(|id| ("patient", id)).into_iter().chain(pairs);
        let all: Vec<String> = all.map(|(name, value)| format!("{name}={value}")).collect();
        format!("/schedule/book?{}", all.join("&"))
    }
}

/// Its name in a form, its word, and from when until when it is; a whole day without.
type PartOfDay = (&'static str, Word, Option<(Time, Time)>);

/// Parts of the day.
const PARTS: [PartOfDay; 3] = [
    ("", words::CAL_ANY_TIME, None),
    ("am", words::CAL_MORNINGS, Some((Time::midnight(), NOON))),
    ("pm", words::CAL_AFTERNOONS, Some((NOON, Time::midnight()))),
];

/// The page.
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    shown(visit, None)
}

/// The page with the patients that were found.
pub(crate) fn answer(visit: &Visit) -> Result<Answer, Fault> {
    shown(visit, Some(visit.field("q").trim()))
}

fn shown(visit: &Visit, typed: Option<&str>) -> Result<Answer, Fault> {
    if !desk::books(visit) {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let here = Here::read(visit)?;
    let types = wait(book::visit_types(&visit.session))?.rows;
    let mut wanted = Wanted::of(visit);
    if !types.iter().any(|one| one.id.as_deref() == Some(wanted.visit_type.as_str())) {
        wanted.visit_type = types.first().and_then(|one| one.id.clone()).unwrap_or_default();
    }
    let person = wanted.patient.as_ref().map(|id| whom::person(visit, id)).transpose()?.flatten();
    let title = words::CAL_BOOK.of(lang);
    let finder =
        Finder { visit, here: &here, types: &types, wanted: &wanted, person: person.as_ref() };
    let places = if types.is_empty() {
        let say = (words::CAL_NO_TYPES.of(lang), words::CAL_NO_TYPES_WHY.of(lang));
        empty(Icon::Today, say.0, say.1, None)
    } else {
        finder.places()?
    };
    let body = html! {
        @if let Some(person) = &person { (whom::head(visit, person)?) h2.page-title { (title) } }
        @else { h1 { (title) } (panel("whom", words::CAL_FOR_WHOM.of(lang), None, &finder.whom(typed)?)) }
        @if visit.parameter("gone") == "1" {
            (notice(Tone::Warning, words::CAL_SAYS_TAKEN.of(lang), &html! { p { (words::CAL_GONE_WHY.of(lang)) } }))
        }
        @if !types.is_empty() { (panel("what", words::CAL_WHAT_WHEN.of(lang), None, &finder.form())) }
        (places)
    };
    Ok(shell_with(visit, 200, title, &[], &body))
}

struct Finder<'f> {
    visit: &'f Visit,
    here: &'f Here,
    types: &'f [VisitType],
    wanted: &'f Wanted,
    person: Option<&'f Person>,
}

impl Finder<'_> {
    /// Who comes: the find box of this form, and who was found.
    fn whom(&self, typed: Option<&str>) -> Result<Markup, Fault> {
        let (visit, lang) = (self.visit, self.visit.lang());
        let today = days::day_at(visit.now(), &visit.zone);
        let found = match typed.map(str::trim) {
            Some(typed) if !typed.is_empty() => {
                Some(find::patients(visit, typed)?.unwrap_or_default())
            }
            _ => None,
        };
        let name =
            |person: &Person| person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned());
        let number = |person: &Person| person.record_number().map(|number| number.value.clone());
        Ok(html! {
            form.finder.pad method="post" action=(self.wanted.href(None)) {
                (hidden(visit))
                (field(&Field { id: "q", name: "q", label: words::FIND_LABEL.of(lang), hint: words::FIND_HINT.of(lang), value: typed.unwrap_or_default(), ..Field::default() }))
                (button(Kind::Primary, Some(Icon::Find), words::FIND.of(lang)))
            }
            @if let Some(found) = &found {
                @if found.rows.is_empty() {
                    div role="status" { (empty(Icon::Person, words::NOBODY_FOUND.of(lang), words::NOBODY_FOUND_WHY.of(lang), None)) }
                }
                ul.cal-places { @for row in &found.rows {
                    @let person = Person::of_row(row);
                    li {
                        div { strong { (name(&person)) } " " span.muted { (born(&person, today, lang)) @if let Some(number) = number(&person) { " · " (number) } } " " (find::marks(row, lang)) }
                        (link_button(Kind::Secondary, None, words::CAL_BOOK_THEM.of(lang), &self.wanted.href(Some(&person.id))))
                    }
                } }
                @if found.more { p.foot.muted { (words::MORE_FOUND.of(lang)) } }
            }
        })
    }

    /// What is looked for.
    fn form(&self) -> Markup {
        let (lang, wanted) = (self.visit.lang(), self.wanted);
        let types: Vec<(String, String)> = self
            .types
            .iter()
            .filter_map(|one| {
                let minutes = words::MINUTES.with(lang, &one.duration_minutes.to_string());
                Some((one.id.clone()?, format!("{} · {minutes}", one.title)))
            })
            .collect();
        let any = |word: Word| (String::new(), word.of(lang).to_owned());
        let mut sites = vec![any(words::CAL_ANY_SITE)];
        sites.extend(self.here.sites.iter().map(|s| (s.location.to_string(), s.name.clone())));
        let mut who = vec![any(words::CAL_ANYBODY)];
        let at = |one: &&book::Bookable| {
            wanted.site.as_ref().is_none_or(|site| one.sites.contains(site))
        };
        who.extend(
            self.here
                .resources
                .iter()
                .filter(at)
                .map(|one| (one.actor.to_string(), one.name.clone())),
        );
        let parts: Vec<(String, String)> = PARTS
            .iter()
            .map(|(code, word, _)| ((*code).to_owned(), word.of(lang).to_owned()))
            .collect();
        let text = |date: Option<Date>| date.map_or_else(String::new, |date| date.to_string());
        let (from, until) = (text(wanted.from), text(wanted.until));
        let actor = |actor: Option<&Actor>| actor.map_or_else(String::new, Actor::to_string);
        let (site, with) = (actor(wanted.site.as_ref()), actor(wanted.with.as_ref()));
        let days = words::WEEKDAYS.of(lang);
        html! {
            form.cal-form.stack method="get" action="/schedule/book" {
                @if let Some(id) = &wanted.patient { input type="hidden" name="patient" value=(id); }
                div.pair {
                    (select(&Input { name: "type", label: words::CAL_VISIT.of(lang), value: &wanted.visit_type, ..Input::default() }, &types))
                    (select(&Input { name: "site", label: words::CAL_SITE.of(lang), value: &site, ..Input::default() }, &sites))
                    (select(&Input { name: "with", label: words::WITH.of(lang), value: &with, ..Input::default() }, &who))
                }
                div.pair {
                    (input("date", &Input { name: "date", label: words::CAL_FROM.of(lang), value: &from, ..Input::default() }))
                    (input("date", &Input { name: "until", label: words::CAL_UNTIL.of(lang), value: &until, ..Input::default() }))
                    (select(&Input { name: "part", label: words::CAL_PART.of(lang), value: &wanted.part, ..Input::default() }, &parts))
                }
                fieldset { legend { (words::CAL_DAYS.of(lang)) } div.cal-pick {
                    @for (nth, day) in days.split(' ').enumerate().take(5) {
                        @let on = wanted.weekdays.iter().any(|one| usize::try_from(one.to_monday_zero_offset()) == Ok(nth));
                        label { input type="checkbox" name="day" value=(nth) checked[on]; span { (day) } }
                    }
                } }
                div.row {
                    (button(Kind::Secondary, Some(Icon::Find), words::CAL_FIND_PLACES.of(lang)))
                    @if let Some(id) = &wanted.patient {
                        (link_button(Kind::Quiet, None, words::CAL_SERIES_BOOK.of(lang), &format!("/schedule/series?patient={id}&type={}", wanted.visit_type)))
                    }
                }
            }
        }
    }

    fn query(&self, window: Span, count: usize) -> Query {
        let wanted = self.wanted;
        let times =
            PARTS.iter().find(|(code, ..)| *code == wanted.part).and_then(|(.., times)| *times);
        Query {
            visit_type: wanted.visit_type.clone(),
            patient: wanted.patient.clone(),
            window,
            sites: wanted.site.iter().cloned().collect(),
            with: wanted.with.iter().cloned().collect(),
            modality: None,
            weekdays: wanted.weekdays.clone(),
            times,
            by: By::Site,
            language: None,
            patient_zone: None,
            step_minutes: STEP_MINUTES,
            count,
            one_per_start: false,
            instead_of: None,
        }
    }

    /// The first free places, the one that was pressed before them.
    fn places(&self) -> Result<Markup, Fault> {
        let (visit, lang, wanted) = (self.visit, self.visit.lang(), self.wanted);
        let zone = self.here.zone(wanted.site.as_ref());
        let today = desk::today(visit, zone);
        let from = wanted.from.filter(|date| *date >= today).unwrap_or(today);
        let until = wanted.until.filter(|date| *date >= from);
        let until = until.unwrap_or_else(|| days::days_from(from, AHEAD_DAYS));
        let begin = zone.day(from)?.start.max(visit.now());
        let Some(window) = Span::new(begin, zone.day(until)?.end) else {
            return Ok(html! {});
        };
        let mut pressed = None;
        if let Some(time) = wanted.time.filter(|_| wanted.from == Some(from)) {
            let text = time.strftime("%H:%M").to_string();
            let start = act::start(&from.to_string(), &text, zone)?.instant;
            let exact = Span::new(start, Millis(start.0.saturating_add(MINUTE_MS)));
            let asked = exact.map(|at| Query { step_minutes: 1, ..self.query(at, 1) });
            let found = match asked {
                Some(asked) => wait(book::find(&visit.session, &self.here.house, &asked)),
                None => return Ok(html! {}),
            };
            pressed = Some((
                start,
                match found {
                    Ok(found) => found.places.into_iter().next(),
                    Err(fault) if finding::is_theirs(&fault) => None,
                    Err(fault) => return Err(fault),
                },
            ));
        }
        let asked = self.query(window, PLACES);
        let found = match wait(book::find(&visit.session, &self.here.house, &asked)) {
            Ok(found) => found,
            Err(fault) if finding::is_theirs(&fault) => {
                return Ok(finding::summary(&fault, self.here, lang));
            }
            Err(fault) => return Err(fault),
        };
        Ok(html! {
            @if let Some((start, place)) = &pressed { (panel("pressed", words::CAL_THIS_PLACE.of(lang), None, &self.pressed(*start, place.as_ref()))) }
            (panel("places", words::CAL_FIRST_FREE.of(lang), None, &html! {
                @if found.places.is_empty() {
                    (empty(Icon::Today, words::CAL_NO_PLACES.of(lang), words::CAL_NO_PLACES_WHY.of(lang), None))
                } @else {
                    ul.cal-places { @for free in &found.places { li { (self.place(free)) } } }
                    @if found.more { p.foot.muted { (words::CAL_MORE_PLACES.of(lang)) } }
                }
                @if found.partial { p.foot.muted { (words::CAL_PARTIAL_WHY.of(lang)) } }
            }))
        })
    }

    /// The place of the grid that was pressed: free, or to be booked with a reason.
    fn pressed(&self, start: Millis, free: Option<&Free>) -> Markup {
        let lang = self.visit.lang();
        if let Some(free) = free {
            return html! { ul.cal-places { li { (self.place(free)) } } };
        }
        let Some(kind) = self
            .types
            .iter()
            .find(|one| one.id.as_deref() == Some(self.wanted.visit_type.as_str()))
        else {
            return html! {};
        };
        let zone = self.here.zone(self.wanted.site.as_ref());
        let span = Span::of_minutes(start, kind.duration_minutes);
        let when = span.map(|span| appointment::span_words(span, zone, lang)).unwrap_or_default();
        let place = confirm::forced(self.here, kind, self.wanted, start);
        html! {
            div.pad.stack {
                (notice(Tone::Warning, words::CAL_NOT_FREE.of(lang), &html! { p { (when) } p { (words::CAL_NOT_FREE_WHY.of(lang)) } }))
                @if let (Some(person), Some(place)) = (self.person, place) {
                    div { (link_button(Kind::Secondary, None, words::CAL_ANYWAY.of(lang), &confirm::href(&person.id, &place, None))) }
                }
            }
        }
    }

    /// A free place, with the button that holds it.
    fn place(&self, free: &Free) -> Markup {
        let (visit, lang) = (self.visit, self.visit.lang());
        let when = appointment::span_words(free.span, &free.zone, lang);
        let who: Vec<&str> =
            free.place.with.iter().map(|(_, actor)| self.here.name(actor)).collect();
        let site = self.here.site(&free.place.site).map_or("", |site| site.name.as_str());
        html! {
            div { strong.number { (when) } div.muted { (who.join(", ")) " · " (site) @if free.zone != self.here.house.zone { " · " (free.zone.name()) } } }
            @match self.person {
                Some(person) => form method="post" action="/schedule/book/hold" {
                    (hidden(visit))
                    input type="hidden" name="patient" value=(person.id);
                    input type="hidden" name="form_id" value=(desk::draw_form(visit));
                    (confirm::fields(&free.place))
                    button.button.is-secondary type="submit" aria-label=(format!("{} · {when} · {}", words::CAL_CHOOSE_PLACE.of(lang), who.join(", "))) { (words::CAL_CHOOSE_PLACE.of(lang)) }
                },
                None => span.muted { (words::CAL_FIRST_WHOM.of(lang)) },
            }
        }
    }
}
