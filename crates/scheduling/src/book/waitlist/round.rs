//! A round of offers, as the record has it: the hold of the freed time, with all that happened to the round in
//! an extension. What is out follows by playing it again through the engine ([`crate::waitlist::Round`]), so a
//! program that was killed goes on where it was; and since each event is a version of this one record, two who
//! say yes at one moment meet at its version, and one of them is told that the time is gone.

use super::entry::document;
use crate::actor::Actor;
use crate::appointment::Presence;
use crate::book::document::{WAITLIST_ROUND as EXTENSION, kept};
use crate::book::load::Loaded;
use crate::occupied::Status;
use crate::read::{OURS, ours, part};
use crate::time::Span;
use crate::waitlist::{Effect, Event, Offer, ROUND_MAX, Round, State, Waves};
use base::error::code::SCHEDULING_CALENDAR;
use base::{Fault, Millis, Phi};
use fhir::write::Writer;
use fhir::{Document, Value};
use record::{ROUND, is_round};

/// How offers are made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// By messages with a link, sent by this house.
    Messages,
    /// By the desk, which calls and writes the answers down.
    Desk,
}

impl Means {
    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Messages => "messages",
            Self::Desk => "desk",
        }
    }

    fn parse(text: &str) -> Option<Self> {
        [Self::Messages, Self::Desk].into_iter().find(|one| one.as_str() == text)
    }
}

/// What of a round does not change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Begun {
    pub means: Means,
    pub waves: Waves,
    pub at: Millis,
    /// The Slots that are filled when it is booked; free until then.
    pub slots: Vec<String>,
    /// Ids of those who are asked, next first.
    pub ranked: Vec<String>,
    /// Nobody is asked before whoever sends the messages looks.
    pub rests: bool,
    /// How many more it suits, who are not asked.
    pub left: u32,
}

/// A freed time that is being offered, or was.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Offers {
    /// The id of the Appointment that holds the time.
    pub id: String,
    /// Its version.
    pub version: u64,
    /// What names the round in links and forms.
    pub key: String,
    /// When.
    pub span: Span,
    /// The zone of the site.
    pub zone: Option<String>,
    /// With whom and what, the site not among them.
    pub with: Vec<Actor>,
    /// The Location of the site.
    pub site: Option<Actor>,
    /// For which visit, in words.
    pub title: Phi<String>,
    /// How offers are made.
    pub means: Means,
    /// Until when the time is held; none when the round is over.
    pub until: Option<Millis>,
    /// Where it stands.
    pub state: State,
    /// Those who were asked, in their order, and what became of it.
    pub asked: Vec<(String, Offer)>,
    /// How many more it suits, who are not asked in this round.
    pub left: u32,
    /// The next are asked when whoever sends the messages looks: not at night.
    pub rests: bool,
    /// When somebody has to look again.
    pub due: Option<Millis>,
    /// Everything that was to be done since it began, in order.
    pub effects: Vec<Effect>,
    pub(super) begun: Begun,
    pub(super) events: Vec<(Event, Millis)>,
}

impl Offers {
    /// Whether answers are taken still.
    pub fn is_open(&self) -> bool {
        self.state == State::Open
    }

    /// What became of the offer to somebody; none when none was made.
    pub fn offer(&self, entry: &str) -> Option<Offer> {
        self.asked.iter().find(|(id, _)| id == entry).map(|(_, offer)| *offer)
    }

    /// Those who wait for an answer to be asked for, in their order.
    pub fn open(&self) -> impl Iterator<Item = &str> {
        let open = |(_, offer): &&(String, Offer)| matches!(offer, Offer::Open { .. });
        self.asked.iter().filter(open).map(|(id, _)| id.as_str())
    }

    /// Reads a round and plays it again; none for an appointment that is no round.
    pub(super) fn of(loaded: &Loaded) -> Result<Option<Self>, Fault> {
        let (root, read) = (loaded.document.root(), &loaded.read);
        let Some(own) = ours(root, EXTENSION).next() else { return Ok(None) };
        let odd = || Fault::new(&SCHEDULING_CALENDAR, "a round of offers cannot be understood");
        let key = key(root).ok_or_else(odd)?;
        let span = read.span.ok_or_else(odd)?;
        let (begun, events) = parsed(own).ok_or_else(odd)?;
        let (round, effects) = played(span.start, &begun, &events)?;
        let is_site = |one: &&crate::appointment::Participant| {
            one.required == Some(Presence::InformationOnly)
        };
        let there: Vec<_> = read.participants.iter().collect();
        let site = there.iter().copied().find(is_site).and_then(|one| one.actor.clone());
        let with = there.iter().copied().filter(|one| !is_site(one));
        // A round whose hold somebody ended by another way is over.
        let state = match (read.status, round.state()) {
            (Status::Pending, _) | (_, State::Taken { .. } | State::Exhausted) => {
                round.state().clone()
            }
            _ => State::Withdrawn,
        };
        Ok(Some(Self {
            id: loaded.hit.id.clone(),
            version: loaded.hit.version,
            key,
            span,
            zone: read.zone.clone(),
            with: with.filter_map(|one| one.actor.clone()).collect(),
            site,
            title: Phi::new(crate::book::document::title(root)),
            means: begun.means,
            until: kept(root).map(|kept| kept.until),
            asked: begun
                .ranked
                .iter()
                .filter_map(|id| Some((id.clone(), round.offer(id)?)))
                .collect(),
            left: begun.left,
            rests: state == State::Open && round.is_resting(),
            due: round.due().filter(|_| state == State::Open),
            state,
            effects,
            begun,
            events,
        }))
    }

    /// The round after more events at one moment; the fault of one that is not in order.
    pub(super) fn after(&self, events: &[Event], at: Millis) -> Result<Round, Fault> {
        let (mut round, _) = played(self.span.start, &self.begun, &self.events)?;
        for event in events {
            round.on(event, at).0?;
        }
        Ok(round)
    }
}

fn played(
    starts: Millis,
    begun: &Begun,
    events: &[(Event, Millis)],
) -> Result<(Round, Vec<Effect>), Fault> {
    let (mut round, mut effects) =
        Round::of(starts, begun.ranked.clone(), begun.waves, begun.at, begun.rests)?;
    for (event, at) in events {
        // One that was refused then is refused again, and what time did by then is done again.
        let (_, more) = round.on(event, *at);
        effects.extend(more);
    }
    Ok((round, effects))
}

/// The key of the round that an appointment is.
fn key(root: Value<'_>) -> Option<String> {
    let mut all = root.get("identifier").into_iter().flat_map(Value::items);
    let own = all.find(|one| one.get_str("system").as_deref() == Some(ROUND))?;
    own.get_str("value").filter(|key| is_round(key)).map(std::borrow::Cow::into_owned)
}

fn parsed(own: Value<'_>) -> Option<(Begun, Vec<(Event, Millis)>)> {
    let all = || own.get("extension").into_iter().flat_map(Value::items);
    let named =
        |name: &'static str| all().filter(move |p| p.get_str("url").as_deref() == Some(name));
    let number = |name| part(own, name)?.get("valueInteger")?.as_number()?.parse::<u32>().ok();
    let instant = |of: Value<'_>, name| {
        let text = part(of, name)?.get_str("valueInstant")?;
        fhir::date::parse(&text).map(|range| Millis(range.low))
    };
    let ids = |name: &'static str| -> Vec<String> {
        let ids = named(name).filter_map(|p| p.get_str("valueId").map(|id| id.into_owned()));
        ids.collect()
    };
    let size = usize::try_from(number("size")?).ok()?;
    let ranked = ids("entry");
    if ranked.len() > ROUND_MAX {
        return None;
    }
    let begun = Begun {
        means: Means::parse(&part(own, "means")?.get_str("valueCode")?)?,
        waves: Waves { size, minutes: number("minutes")? },
        at: instant(own, "begun")?,
        slots: ids("slot"),
        ranked,
        rests: part(own, "rests")
            .and_then(|p| p.get("valueBoolean"))
            .is_some_and(|rests| rests.raw() == "true"),
        left: number("left").unwrap_or(0),
    };
    let mut events = Vec::new();
    for one in named("event") {
        let entry = || Some(part(one, "entry")?.get_str("valueId")?.into_owned());
        let event = match &*part(one, "what")?.get_str("valueCode")? {
            "accepted" => Event::Accepted { entry: entry()? },
            "declined" => Event::Declined { entry: entry()? },
            "tick" => Event::Tick,
            "rest" => Event::Rest,
            "withdrawn" => Event::Withdrawn,
            _ => return None,
        };
        events.push((event, instant(one, "at")?));
    }
    Some((begun, events))
}

/// A document of what is to be written upon: all of `old`, with the round as it is now.
pub(super) fn onto(
    key: &str,
    begun: &Begun,
    events: &[(Event, Millis)],
    old: Option<Value<'_>>,
) -> Result<Document, Fault> {
    let mut w = Writer::new();
    w.object().member("resourceType", "Appointment");
    for (name, member) in old.into_iter().flat_map(Value::members) {
        if !matches!(name, "resourceType" | "meta" | "extension") {
            w.key(name).raw(member.raw().as_bytes());
        }
    }
    if old.is_none() {
        w.key("identifier").array().object();
        w.member("system", ROUND).member("value", key).end_object().end_array();
    }
    w.key("extension").array();
    for other in old.and_then(|o| o.get("extension")).into_iter().flat_map(Value::items) {
        let url = other.get_str("url").unwrap_or_default();
        if url.strip_prefix(OURS) != Some(EXTENSION) {
            w.raw(other.raw().as_bytes());
        }
    }
    w.object().key("extension").array();
    w.object().member("url", "means").member("valueCode", begun.means.as_str()).end_object();
    let size = i64::try_from(begun.waves.size).unwrap_or(1);
    let minutes = i64::from(begun.waves.minutes);
    for (name, number) in [("size", size), ("minutes", minutes), ("left", i64::from(begun.left))] {
        w.object().member("url", name).key("valueInteger").integer(number).end_object();
    }
    if begun.rests {
        w.object().member("url", "rests").key("valueBoolean").boolean(true).end_object();
    }
    w.object().member("url", "begun").member("valueInstant", &begun.at.to_instant()).end_object();
    for (name, ids) in [("slot", &begun.slots), ("entry", &begun.ranked)] {
        for id in ids {
            // Ids and no references: who waits is in nobody else's compartment.
            w.object().member("url", name).member("valueId", id).end_object();
        }
    }
    for (event, at) in events {
        let (what, entry) = match event {
            Event::Accepted { entry } => ("accepted", Some(entry)),
            Event::Declined { entry } => ("declined", Some(entry)),
            Event::Tick => ("tick", None),
            Event::Rest => ("rest", None),
            Event::Withdrawn => ("withdrawn", None),
        };
        w.object().key("extension").array();
        w.object().member("url", "what").member("valueCode", what).end_object();
        w.object().member("url", "at").member("valueInstant", &at.to_instant()).end_object();
        if let Some(entry) = entry {
            w.object().member("url", "entry").member("valueId", entry).end_object();
        }
        w.end_array().member("url", "event").end_object();
    }
    w.end_array().member("url", &format!("{OURS}{EXTENSION}")).end_object();
    w.end_array();
    document(w)
}
