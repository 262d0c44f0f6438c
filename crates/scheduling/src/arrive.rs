//! Arriving without the desk: whether a patient may say themselves that they are there, and which visit of
//! today somebody means who stands at a kiosk. A kiosk asks for two identifiers and a third beside (Joint
//! Commission NPSG.01.01.01), lists nobody, and answers alike for whoever is unknown, whoever has no visit
//! there today, and whoever two records fit.

use crate::actor::Actor;
use crate::appointment::Appointment;
use crate::book;
use crate::flow::State;
use crate::occupied::Status;
use crate::remind::{Shown, type_of};
use crate::time::{DAY_MS, MINUTE_MS, Zone, Zones};
use base::error::code::SCHEDULING_STEP;
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
    let until = shown.start.0.saturating_sub(now.0);
    if until > EARLY_MINUTES * MINUTE_MS {
        return Here::Early;
    }
    if until < -LATE_MINUTES * MINUTE_MS { Here::Desk } else { Here::Now }
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

/// The visit of today that somebody means, the next one when there are several. `site` is the id of the
/// Location where they stand; a visit that tells no place is at every one.
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
    let mut fits: Vec<String> = Vec::new();
    for hit in &people {
        let document = Document::parse(hit.body.clone(), &Limits::default())?;
        if has_phone(document.root(), &asked.phone) {
            fits.push(hit.id.clone());
        }
    }
    // Two whom the same words fit are told apart by a person.
    let [patient] = fits.as_slice() else { return Ok(None) };
    if more {
        return Ok(None);
    }
    let now = session.now();
    let pairs = [
        ("patient", format!("Patient/{patient}")),
        ("date", format!("ge{}", Millis(now.0.saturating_sub(DAY_MS)).to_instant())),
        ("date", format!("lt{}", Millis(now.0.saturating_add(DAY_MS)).to_instant())),
        ("_sort", "date".to_owned()),
    ];
    let (visits, _) = search(session, "Appointment", &pairs).await?;
    let mut found: Option<(bool, Linked)> = None;
    for hit in &visits {
        let document = Document::parse(hit.body.clone(), &Limits::default())?;
        let Ok(visit) = Appointment::read(document.root()) else { continue };
        let Some(span) = visit.span else { continue };
        let zone = visit.zone.as_deref().and_then(|name| zones.find(name).ok());
        let zone = zone.as_ref().unwrap_or(home);
        let is_today = zone.wall(span.start).date() == zone.wall(now).date();
        let is_here = matches!(visit.status, Status::Arrived | Status::CheckedIn);
        let stands = visit.status == Status::Booked || is_here;
        if !is_today || !stands || !at_site(session, &visit, site).await? {
            continue;
        }
        let linked = Linked {
            appointment: hit.id.clone(),
            patient: patient.clone(),
            ends: span.end,
            round: None,
            is_kiosk: true,
        };
        // The next that was not said to be there yet; else one that was.
        if found.as_ref().is_none_or(|(was_here, _)| *was_here && !is_here) {
            found = Some((is_here, linked));
        }
    }
    Ok(found.map(|(_, linked)| linked))
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

/// Whether a patient has a phone number that ends so, of those that are theirs today.
fn has_phone(patient: Value<'_>, last: &str) -> bool {
    let telecom = patient.get("telecom").into_iter().flat_map(Value::items);
    let phones = telecom.filter(|point| {
        let of = |name: &str| point.get_str(name).unwrap_or_default().into_owned();
        matches!(of("system").as_str(), "phone" | "sms") && of("use") != "old"
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
    fn a_phone_that_was_theirs_once_is_not_asked_for() {
        let has = |json: &str| {
            let document = Document::parse(json.as_bytes().to_vec(), &Limits::default()).unwrap();
            has_phone(document.root(), "0142")
        };
        assert!(has(r#"{"telecom":[{"system":"phone","value":"(312) 555-0142"}]}"#));
        assert!(!has(r#"{"telecom":[{"system":"phone","use":"old","value":"555-0142"}]}"#));
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
