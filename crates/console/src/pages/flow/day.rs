//! What a board is made of: the visits of today as the department tells them, with the people and places
//! in them, narrowed by what was chosen.

use crate::booking::type_id;
use crate::days;
use crate::person::{Person, concept, list, text};
use crate::visit::Visit;
use crate::wait::wait;
use base::{Fault, Limits, Millis};
use fhir::Document;
use fhir::definitions::r4;
use record::Hit;
use scheduling::actor::Actor;
use scheduling::book::{self, Visit as Booked};
use scheduling::flow::State;
use scheduling::time::Span;
use std::collections::{BTreeMap, HashMap, HashSet};

/// Minutes after its time from which on somebody who is not there is late.
const LATE_MINUTES: i64 = 10;
/// Minutes in a state from which on somebody waits long, and very long: when a person in a waiting room
/// begins to ask, and when somebody has to go and see.
const LONG_MINUTES: [i64; 2] = [15, 30];
const MINUTE_MS: i64 = 60_000;

/// The visits of today.
#[derive(Default)]
pub(crate) struct Day {
    pub(crate) cards: Vec<Card>,
    pub(crate) people: HashMap<String, Person>,
    /// Whom and where one may choose: clinicians, rooms and sites that are in a visit of today.
    pub(crate) choices: [BTreeMap<String, String>; 3],
    pub(crate) partial: bool,
}

/// A visit.
pub(crate) struct Card {
    pub(crate) visit: Booked,
    pub(crate) state: State,
    pub(crate) start: Millis,
    /// With whom, by reference and name.
    pub(crate) clinicians: Vec<(String, String)>,
    pub(crate) rooms: Vec<(String, String)>,
    pub(crate) sites: Vec<(String, String)>,
    /// When the state began, where somebody saw it begin.
    pub(crate) since: Option<Millis>,
    /// Whoever asks may take its steps.
    pub(crate) may_change: bool,
}

/// What the board is narrowed by: references, or empty for all.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Chosen {
    pub(crate) clinician: String,
    pub(crate) room: String,
    pub(crate) site: String,
}

/// How pressing it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Press {
    Calm,
    Long,
    VeryLong,
}

impl Card {
    /// Minutes in the state; none when nobody saw it begin.
    pub(crate) fn minutes(&self, now: Millis) -> Option<i64> {
        self.since.map(|since| now.0.saturating_sub(since.0).max(0) / MINUTE_MS)
    }

    /// Minutes that somebody is late who is not there.
    pub(crate) fn late(&self, now: Millis) -> Option<i64> {
        let is_expected = matches!(self.state, State::Booked | State::Confirmed);
        let late = now.0.saturating_sub(self.start.0) / MINUTE_MS;
        (is_expected && late >= LATE_MINUTES).then_some(late)
    }

    /// Whether somebody has waited for long: of those who wait, not of those who are seen.
    pub(crate) fn press(&self, now: Millis) -> Press {
        let waits = matches!(self.state, State::Arrived | State::Roomed);
        match self.minutes(now).filter(|_| waits) {
            Some(minutes) if minutes >= LONG_MINUTES[1] => Press::VeryLong,
            Some(minutes) if minutes >= LONG_MINUTES[0] => Press::Long,
            _ => Press::Calm,
        }
    }

    fn fits(&self, chosen: &Chosen) -> bool {
        let is_in = |all: &[(String, String)], wanted: &str| {
            wanted.is_empty() || all.iter().any(|(of, _)| of == wanted)
        };
        is_in(&self.clinicians, &chosen.clinician)
            && is_in(&self.rooms, &chosen.room)
            && is_in(&self.sites, &chosen.site)
    }
}

impl Chosen {
    /// What an address or a form says. A text that is no reference chooses nothing.
    pub(crate) fn of(value: impl Fn(&str) -> String) -> Self {
        let get = |name: &str| Some(value(name)).filter(|text| Actor::parse(text).is_some());
        let get = |name: &str| get(name).unwrap_or_default();
        Self { clinician: get("clinician"), room: get("room"), site: get("site") }
    }

    /// The same as pairs of an address.
    pub(crate) fn pairs(&self) -> Vec<(String, String)> {
        [("site", &self.site), ("clinician", &self.clinician), ("room", &self.room)]
            .into_iter()
            .filter(|(_, value)| !value.is_empty())
            .map(|(name, value)| (name.to_owned(), value.clone()))
            .collect()
    }

    /// A path with it.
    pub(crate) fn path(&self, path: &str, more: &[(&str, &str)]) -> String {
        let mut pairs = self.pairs();
        pairs.extend(more.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
        match pairs.is_empty() {
            true => path.to_owned(),
            false => format!("{path}?{}", search::parse::encode_query(&pairs)),
        }
    }
}

/// The visits of today, as far as whoever asks may see them: all, or those of one clinician alone, and then
/// no other is read.
///
/// # Errors
/// As of any search.
pub(crate) fn today(visit: &Visit, chosen: &Chosen, own: Option<&Actor>) -> Result<Day, Fault> {
    let today = days::day_at(visit.now(), &visit.zone);
    let Some(span) = span_of(visit, today) else { return Ok(Day::default()) };
    let board = wait(book::board(&visit.session, span, own))?;
    let mut day = Day { partial: board.partial, ..Day::default() };
    let mut names = HashMap::new();
    let mut rooms = HashSet::new();
    for hit in &board.actors {
        let kind = r4().name(hit.resource_type);
        let reference = format!("{kind}/{}", hit.id);
        if kind == "Patient" {
            day.people.insert(hit.id.clone(), Person::read(hit)?);
        } else if let Some(name) = name_of(hit, kind, &mut rooms)? {
            names.insert(reference, name);
        }
    }
    let ids: Vec<String> = board.visits.iter().map(|one| one.id.clone()).collect();
    let changeable = visit.session.changeable(type_id("Appointment")?, &ids)?;
    for one in board.visits {
        let (Some(state), Some(span)) = (one.state, one.span) else { continue };
        let since = one.steps.last().filter(|step| step.to == state).map(|step| step.at);
        let named = |fits: &dyn Fn(&Actor) -> bool| -> Vec<(String, String)> {
            let all = one.with.iter().filter(|actor| fits(actor));
            all.filter_map(|actor| {
                Some((actor.as_str().to_owned(), names.get(actor.as_str())?.clone()))
            })
            .collect()
        };
        let is_place = |actor: &Actor| actor.resource_type() == "Location";
        let card = Card {
            clinicians: named(&|a| {
                matches!(a.resource_type(), "Practitioner" | "PractitionerRole")
            }),
            rooms: named(&|a| is_place(a) && rooms.contains(a.as_str())),
            sites: named(&|a| is_place(a) && !rooms.contains(a.as_str())),
            may_change: changeable.contains(&one.id),
            start: span.start,
            visit: one,
            state,
            since,
        };
        let [clinicians, in_rooms, sites] = &mut day.choices;
        clinicians.extend(card.clinicians.iter().cloned());
        in_rooms.extend(card.rooms.iter().cloned());
        sites.extend(card.sites.iter().cloned());
        if card.fits(chosen) {
            day.cards.push(card);
        }
    }
    Ok(day)
}

fn span_of(visit: &Visit, day: jiff::civil::Date) -> Option<Span> {
    let at = |day: jiff::civil::Date| {
        let start = day.to_zoned(visit.zone.clone()).ok()?;
        Some(Millis(start.timestamp().as_millisecond()))
    };
    Span::new(at(day)?, at(day.tomorrow().ok()?)?)
}

/// What somebody or something is called; a room is remembered as one.
fn name_of(hit: &Hit, kind: &str, rooms: &mut HashSet<String>) -> Result<Option<String>, Fault> {
    let document = Document::parse(hit.body.clone(), &Limits::default())?;
    let root = document.root();
    if kind == "Location" {
        let is = |code: &str| {
            let of = root.get("physicalType").into_iter().flat_map(|of| list(of, "coding"));
            of.into_iter().any(|coding| text(coding, "code") == code)
        };
        if is("ro") || (root.get("partOf").is_some() && !is("si") && !is("bu")) {
            rooms.insert(format!("Location/{}", hit.id));
        }
        return Ok(Some(text(root, "name")).filter(|name| !name.is_empty()));
    }
    let name = list(root, "name").next().or_else(|| root.get("name"));
    let named = name.map(|name| {
        let whole = text(name, "text");
        if !whole.is_empty() {
            return whole;
        }
        let prefix = list(name, "prefix").find_map(|part| part.as_text());
        let given = list(name, "given").find_map(|part| part.as_text());
        let parts = [prefix.unwrap_or_default(), given.unwrap_or_default()];
        let mut all: Vec<String> = parts.into_iter().map(|part| part.into_owned()).collect();
        all.push(text(name, "family"));
        all.retain(|part| !part.is_empty());
        all.join(" ")
    });
    Ok(named.filter(|name| !name.is_empty()).or_else(|| root.get("type").and_then(concept)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Phi;
    use proptest::prelude::*;
    use scheduling::occupied::Status;

    pub(in crate::pages::flow) fn card(state: State, start: i64, since: Option<i64>) -> Card {
        let visit = Booked {
            id: "a".to_owned(),
            version: 1,
            status: Status::Booked,
            state: Some(state),
            span: Span::of_minutes(Millis(start * MINUTE_MS), 30),
            zone: None,
            buffers: (0, 0),
            patient: None,
            with: Vec::new(),
            visit_type: None,
            title: Phi::new(String::new()),
            overridden: false,
            series: None,
            steps: Vec::new(),
            held: None,
            is_offered: false,
            cancel_reason: None,
        };
        Card {
            visit,
            state,
            start: Millis(start * MINUTE_MS),
            clinicians: vec![("Practitioner/p".to_owned(), "Dr. Lee".to_owned())],
            rooms: Vec::new(),
            sites: Vec::new(),
            since: since.map(|minute| Millis(minute * MINUTE_MS)),
            may_change: true,
        }
    }

    #[test]
    fn who_is_not_there_ten_minutes_after_the_time_is_late_and_who_waits_for_long_is_marked() {
        let at = |minute: i64| Millis(minute * MINUTE_MS);
        assert_eq!(card(State::Booked, 0, None).late(at(9)), None);
        assert_eq!(card(State::Confirmed, 0, None).late(at(12)), Some(12));
        assert_eq!(card(State::Arrived, 0, Some(0)).late(at(12)), None, "they are there");
        let waiting = card(State::Arrived, 0, Some(10));
        let press = |minute| waiting.press(at(minute));
        assert_eq!((press(24), press(25), press(40)), (Press::Calm, Press::Long, Press::VeryLong));
        assert_eq!(card(State::WithClinician, 0, Some(0)).press(at(90)), Press::Calm);
        assert_eq!(card(State::Arrived, 0, None).minutes(at(5)), None, "nobody saw it begin");
    }

    proptest! {
        #[test]
        fn whatever_an_address_says_chooses_nothing_or_a_reference(text in "\\PC{0,30}") {
            let chosen = Chosen::of(|_| text.clone());
            prop_assert!(chosen.clinician.is_empty() || Actor::parse(&text).is_some());
            let again = search::parse::decode_query(&search::parse::encode_query(&chosen.pairs()));
            let again = again.unwrap();
            let get = |name: &str| {
                again.iter().find(|(n, _)| n == name).map(|(_, v)| v.clone()).unwrap_or_default()
            };
            prop_assert_eq!(Chosen::of(get), chosen);
        }
    }
}
