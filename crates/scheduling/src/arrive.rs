//! Arriving without the desk: whether a patient may say themselves that they are there, and which visit of
//! today somebody means who stands at a kiosk. A kiosk asks for two identifiers and a third beside (Joint
//! Commission NPSG.01.01.01), lists nobody, and answers alike for whoever is unknown, whoever has no visit
//! there today, and whoever two records fit.

use crate::actor::Actor;
use crate::appointment::Appointment;
use crate::book;
use crate::flow::State;
use crate::occupied::Status;
use crate::remind::whom::holds_now;
use crate::remind::{Shown, type_of};
use crate::time::{DAY_MS, MINUTE_MS, Span, Zone, Zones};
use base::error::code::{SCHEDULING_STEP, SCHEDULING_VISIT_TYPE};
use base::{Fault, Limits, Millis};
use fhir::{Document, Value};
use record::{Hit, Level, Linked, SearchHow, Session};

/// How long before a visit one may say that one is there.
pub const EARLY_MINUTES: i64 = 120;
/// How long after its beginning.
pub const LATE_MINUTES: i64 = 60;
/// People who share a date of birth and the first letter of a name.
const ALIKE_MAX: usize = 60;
/// Digits of a phone number that are asked for.
pub const PHONE_DIGITS: usize = 4;

/// Whether one may say now that one is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Here {
    /// Now is the time.
    Now,
    /// It was said.
    Said,
    /// Too long before, or on another day.
    Early,
    /// Too late for a button: somebody at the desk has to look.
    Desk,
    /// The visit does not stand.
    Over,
}

/// Whether the patient of a visit may say at an instant that they are there.
pub fn here(shown: &Shown, now: Millis) -> Here {
    if shown.is_here {
        return Here::Said;
    }
    if !shown.is_booked {
        return Here::Over;
    }
    due(shown.start, now)
}

/// The same for a visit that is booked and begins then.
const fn due(start: Millis, now: Millis) -> Here {
    let until = start.0.saturating_sub(now.0);
    if until > EARLY_MINUTES * MINUTE_MS {
        return Here::Early;
    }
    if until < -LATE_MINUTES * MINUTE_MS { Here::Desk } else { Here::Now }
}

/// When a link that is sent for a visit ends: with the visit, and not before it is too late to say that one is
/// there.
pub(crate) fn link_ends(span: Span) -> Millis {
    span.end.max(Millis(span.start.0.saturating_add(LATE_MINUTES * MINUTE_MS)))
}

/// The patient is there. Said twice it is said once.
///
/// # Errors
/// `scheduling.flow.step` when it is not the time for it; `record.write.version-conflict`.
pub async fn arrive(session: &Session, linked: &Linked, shown: &Shown) -> Result<(), Fault> {
    match here(shown, session.now()) {
        Here::Said => Ok(()),
        Here::Now => {
            let id = &linked.appointment;
            book::next_state(session, id, shown.version, State::Arrived).await.map(drop)
        }
        Here::Early | Here::Desk | Here::Over => {
            Err(Fault::new(&SCHEDULING_STEP, "tell the desk that you are here"))
        }
    }
}

/// A question of the kind of visit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// The name of its field: of its words, so that an answer is of the question that was read, whatever is
    /// asked by the time that it comes.
    pub name: String,
    /// As the house wrote it.
    pub text: String,
}

impl Question {
    fn of(text: String) -> Self {
        // FNV-1a (<https://datatracker.ietf.org/doc/html/draft-eastlake-fnv>): names apart five texts of one list.
        let hash = text.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
            (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
        });
        Self { name: format!("q-{hash:016x}"), text }
    }
}

/// What the patient of a visit is asked beside; nothing for one of no kind, or of a kind that the house has no
/// more.
///
/// # Errors
/// As a read.
pub async fn questions(session: &Session, linked: &Linked) -> Result<Vec<Question>, Fault> {
    let of = type_of("Appointment")?;
    let read = session.read(of, &linked.appointment, None)?.into_inner().await?;
    let document = Document::parse(read.body, &Limits::default())?;
    let Some(kind) = Appointment::read(document.root())?.visit_type else { return Ok(Vec::new()) };
    match book::visit_type(session, &kind).await {
        Ok(kind) => Ok(kind.questions.into_iter().map(Question::of).collect()),
        Err(fault)
            if matches!(fault.status(), 404 | 410) || fault.code() == &SCHEDULING_VISIT_TYPE =>
        {
            Ok(Vec::new())
        }
        Err(fault) => Err(fault),
    }
}

/// What somebody at a kiosk says of themselves.
#[derive(Clone, PartialEq, Eq)]
pub struct Asked {
    initial: char,
    birth: String,
    phone: String,
}

/// It is about a person.
impl std::fmt::Debug for Asked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Asked(‹phi›)")
    }
}

impl Asked {
    /// Of the first letter of the family name, a whole date of birth as FHIR writes it, and the last four
    /// digits of the phone; none for what is none of that.
    pub fn parse(initial: &str, birth: &str, phone: &str) -> Option<Self> {
        let mut letters = initial.trim().chars();
        let initial = letters.next().filter(|letter| letter.is_alphabetic())?;
        if letters.next().is_some() {
            return None;
        }
        let birth = birth.trim();
        let whole = fhir::date::parse(birth).is_some() && birth.len() == "2000-01-01".len();
        let phone = phone.trim();
        let digits = phone.len() == PHONE_DIGITS && phone.bytes().all(|b| b.is_ascii_digit());
        (whole && digits).then(|| Self {
            initial,
            birth: birth.to_owned(),
            phone: phone.to_owned(),
        })
    }
}

/// A date of birth as FHIR writes it, of what was typed into three fields; none for what is no day.
pub fn birth_of(year: &str, month: &str, day: &str) -> Option<String> {
    let number = |text: &str, digits: usize| {
        let text = text.trim();
        let plain = (1..=digits).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_digit());
        text.parse::<i16>().ok().filter(|_| plain)
    };
    let (year, month, day) = (number(year, 4)?, number(month, 2)?, number(day, 2)?);
    let (month, day) = (i8::try_from(month).ok()?, i8::try_from(day).ok()?);
    let date = jiff::civil::Date::new(year, month, day).ok()?;
    (year >= 1800).then(|| date.to_string())
}

/// The visit of today that somebody means: the one for which it is time now; else the next; else one that they
/// are at already; else the last that they are too late for. `site` is the id of the Location where they stand; a
/// visit that tells no place is at every one.
///
/// # Errors
/// As a search.
pub async fn find(
    session: &Session,
    zones: &Zones,
    home: &Zone,
    site: &str,
    asked: &Asked,
) -> Result<Option<Linked>, Fault> {
    let pairs = [
        ("birthdate", asked.birth.clone()),
        ("family", asked.initial.to_string()),
        ("_count", ALIKE_MAX.to_string()),
    ];
    let (people, more) = search(session, "Patient", &pairs).await?;
    let now = session.now();
    let mut fits: Vec<String> = Vec::new();
    for hit in &people {
        let document = Document::parse(hit.body.clone(), &Limits::default())?;
        if is_in_use(document.root()) && has_phone(document.root(), &asked.phone, now) {
            fits.push(hit.id.clone());
        }
    }
    // Two whom the same words fit are told apart by a person.
    let [patient] = fits.as_slice() else { return Ok(None) };
    if more {
        return Ok(None);
    }
    let pairs = [
        ("patient", format!("Patient/{patient}")),
        ("date", format!("ge{}", Millis(now.0.saturating_sub(DAY_MS)).to_instant())),
        ("date", format!("lt{}", Millis(now.0.saturating_add(DAY_MS)).to_instant())),
        ("_sort", "date".to_owned()),
    ];
    let (visits, _) = search(session, "Appointment", &pairs).await?;
    let mut found: Option<((u8, i64), Linked)> = None;
    for hit in &visits {
        let document = Document::parse(hit.body.clone(), &Limits::default())?;
        let Ok(visit) = Appointment::read(document.root()) else { continue };
        let Some(span) = visit.span else { continue };
        let zone = visit.zone.as_deref().and_then(|name| zones.find(name).ok());
        let zone = zone.as_ref().unwrap_or(home);
        let is_today = zone.wall(span.start).date() == zone.wall(now).date();
        let here = stage(visit.status, span.start, now);
        let rank = match here {
            Here::Now => (0, span.start.0),
            Here::Early => (1, span.start.0),
            Here::Said => (2, span.start.0),
            Here::Desk => (3, span.start.0.saturating_neg()),
            Here::Over => continue,
        };
        let is_better = found.as_ref().is_none_or(|(other, _)| rank < *other);
        if !is_today || !is_better || !at_site(session, &visit, site).await? {
            continue;
        }
        let linked = Linked {
            appointment: hit.id.clone(),
            patient: patient.clone(),
            ends: span.end,
            round: None,
            is_kiosk: true,
            is_handed: false,
        };
        found = Some((rank, linked));
    }
    Ok(found.map(|(_, linked)| linked))
}

/// How a visit stands for whoever stands there. What is done with is over for them.
const fn stage(status: Status, start: Millis, now: Millis) -> Here {
    match status {
        Status::Booked => due(start, now),
        Status::Arrived | Status::CheckedIn => Here::Said,
        _ => Here::Over,
    }
}

/// Whether the record of a patient is in use: not out of it, nor merged into another.
fn is_in_use(patient: Value<'_>) -> bool {
    let mut links = patient.get("link").into_iter().flat_map(Value::items);
    patient.get("active").and_then(Value::as_bool) != Some(false)
        && !links.any(|link| link.get_str("type").as_deref() == Some("replaced-by"))
}

/// Whether a visit is at a site: at it, in a room of it, or nowhere in particular.
async fn at_site(session: &Session, visit: &Appointment, site: &str) -> Result<bool, Fault> {
    let of = |actor: &Actor| actor.resource_type() == "Location";
    let places = visit.participants.iter().filter_map(|one| one.actor.as_ref());
    let places: Vec<&str> = places.filter(|actor| of(actor)).map(Actor::id).collect();
    if site.is_empty() || places.is_empty() || places.contains(&site) {
        return Ok(true);
    }
    let pairs = [("_id", places.join(",")), ("partof", format!("Location/{site}"))];
    Ok(!search(session, "Location", &pairs).await?.0.is_empty())
}

async fn search(
    session: &Session,
    kind: &str,
    pairs: &[(&str, String)],
) -> Result<(Vec<Hit>, bool), Fault> {
    let pairs = pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
    let level = Level::Type(type_of(kind)?);
    let found = session.search(level, pairs, &SearchHow::default())?.into_inner().await?;
    Ok((found.page.matches, found.next.is_some()))
}

/// Whether a patient has a phone number that ends so, of those that are theirs now.
fn has_phone(patient: Value<'_>, last: &str, now: Millis) -> bool {
    let telecom = patient.get("telecom").into_iter().flat_map(Value::items);
    let phones = telecom.filter(|point| {
        let of = |name: &str| point.get_str(name).unwrap_or_default().into_owned();
        matches!(of("system").as_str(), "phone" | "sms")
            && of("use") != "old"
            && holds_now(*point, now)
    });
    let mut values = phones.filter_map(|point| point.get_str("value"));
    values.any(|value| {
        let digits: String = value.chars().filter(char::is_ascii_digit).collect();
        digits.ends_with(last)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_is_asked_at_a_kiosk_is_whole_or_nothing() {
        assert!(Asked::parse("L", "1980-03-09", "0142").is_some());
        assert!(Asked::parse(" Ñ ", "1980-03-09", "0142").is_some());
        for (initial, birth, phone) in [
            ("", "1980-03-09", "0142"),
            ("Lo", "1980-03-09", "0142"),
            ("*", "1980-03-09", "0142"),
            ("L", "1980", "0142"),
            ("L", "1980-13-09", "0142"),
            ("L", "1980-03-09", "142"),
            ("L", "1980-03-09", "01x2"),
        ] {
            assert_eq!(Asked::parse(initial, birth, phone), None, "{initial} {birth} {phone}");
        }
    }

    #[test]
    fn a_date_of_birth_is_a_day() {
        assert_eq!(birth_of("1980", "3", "09").as_deref(), Some("1980-03-09"));
        for (year, month, day) in
            [("80", "3", "9"), ("1980", "2", "30"), ("1980", "", "9"), ("+980", "3", "9")]
        {
            assert_eq!(birth_of(year, month, day), None, "{year} {month} {day}");
        }
    }

    #[test]
    fn a_record_that_was_merged_into_another_is_nobody_s() {
        let is = |json: &str| {
            let document = Document::parse(json.as_bytes().to_vec(), &Limits::default()).unwrap();
            is_in_use(document.root())
        };
        assert!(is("{}") && is(r#"{"active":true,"link":[{"type":"seealso"}]}"#));
        assert!(is(r#"{"link":[{"type":"replaces"}]}"#), "the one that stays");
        assert!(!is(r#"{"active":false}"#) && !is(r#"{"link":[{"type":"replaced-by"}]}"#));
    }

    #[test]
    fn a_link_outlives_a_short_visit_until_it_is_too_late_to_arrive() {
        let start = Millis(1_796_133_600_000);
        let until = |minutes: i64| Millis(start.0 + minutes * MINUTE_MS);
        let span = |minutes| Span { start, end: until(minutes) };
        assert_eq!(link_ends(span(90)), until(90));
        let ends = link_ends(span(15));
        assert_eq!(due(start, Millis(ends.0 - 1)), Here::Now);
        assert_eq!(
            due(start, Millis(ends.0 + 1)),
            Here::Desk,
            "when it is over, nothing is left to say"
        );
    }

    #[test]
    fn a_phone_that_was_theirs_once_is_not_asked_for() {
        let has = |json: &str| {
            let document = Document::parse(json.as_bytes().to_vec(), &Limits::default()).unwrap();
            has_phone(document.root(), "0142", Millis(1_796_133_600_000))
        };
        assert!(has(r#"{"telecom":[{"system":"phone","value":"(312) 555-0142"}]}"#));
        assert!(!has(r#"{"telecom":[{"system":"phone","use":"old","value":"555-0142"}]}"#));
        let of = |period: &str| {
            has(&format!(
                r#"{{"telecom":[{{"system":"phone","value":"555-0142","period":{period}}}]}}"#
            ))
        };
        assert!(of(r#"{"start":"2020-01-01"}"#) && of(r#"{"end":"2027"}"#));
        assert!(!of(r#"{"end":"2026-11-30"}"#) && !of(r#"{"start":"2027-01-01"}"#));
        assert!(!has(r#"{"telecom":[{"system":"email","value":"a0142"}]}"#));
        assert!(!has("{}"));
    }

    proptest! {
        #[test]
        fn nothing_that_is_typed_breaks_it(a in "\\PC{0,12}", b in "\\PC{0,12}", c in "\\PC{0,12}") {
            if let Some(date) = birth_of(&a, &b, &c) {
                prop_assert!(fhir::date::parse(&date).is_some());
            }
            drop(Asked::parse(&a, &b, &c));
        }
    }
}
