//! Reminders: when they are due, and what they say. A text message is read by whoever holds the phone,
//! so it tells the clinic, the day, the hour and a link, and nothing of the patient or the visit
//! (45 CFR 164.502(b), 164.522(b)); [`Blanks`] has no room for more.
//!
//! Nothing is sent between nine in the evening and eight in the morning where the patient is (the hours
//! of 47 CFR 64.1200(c)(1)); a reminder that would be is sent earlier, the evening before.

mod answer;
mod ledger;
pub(crate) mod pass;
pub(crate) mod whom;

pub use answer::{Shown, cancel, confirm, no_more, show};
pub use ledger::{Entry, Outcome, listed};
pub(crate) use pass::type_of;
pub use pass::{ATTEMPTS_MAX, Carrier, Letter, Passed, Reminding, Undelivered, pass, try_again};
pub use whom::{CONTACT_SYSTEM, FLAG_SYSTEM, NO_REMINDERS, Way};

use crate::time::{Date, MINUTE_MS, Time, Wall, Zone};
use base::error::code::SCHEDULING_REMINDER;
use base::{Fault, Millis};
use std::fmt::Write as _;

/// Characters of a clinic's name in a message.
pub const CLINIC_CHARS_MAX: usize = 60;
/// Characters of a message: four parts of a text message.
pub const TEXT_CHARS_MAX: usize = 480;
/// Characters of an opaque token, least and most.
const TOKEN_CHARS: std::ops::RangeInclusive<usize> = 16..=128;

/// How long before the visit.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Lead {
    /// Days before, at the same time of the clock.
    Days(u16),
    /// Hours before, to the minute.
    Hours(u16),
}

impl Lead {
    /// The stable code: `d7`, `h2`.
    pub fn code(self) -> String {
        match self {
            Self::Days(days) => format!("d{days}"),
            Self::Hours(hours) => format!("h{hours}"),
        }
    }

    /// Reads the stable code, or what operators write: `7d`, `2h`.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let number = |digits: &str| {
            let plain = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            digits.parse::<u16>().ok().filter(|n| plain && *n > 0)
        };
        let of = |unit: char| text.strip_prefix(unit).or_else(|| text.strip_suffix(unit));
        let days = of('d').and_then(number).filter(|days| *days <= LEAD_DAYS_MAX).map(Self::Days);
        days.or_else(|| {
            of('h').and_then(number).filter(|hours| *hours <= 24 * LEAD_DAYS_MAX).map(Self::Hours)
        })
    }

    /// Milliseconds before the visit, an hour more for a day with a change of the clocks.
    pub(crate) fn most_ms(self) -> i64 {
        let hours = match self {
            Self::Days(days) => i64::from(days) * 24 + 1,
            Self::Hours(hours) => i64::from(hours),
        };
        hours * 60 * MINUTE_MS
    }
}

/// Days of the longest lead: what is told longer before is forgotten again.
pub const LEAD_DAYS_MAX: u16 = 60;

/// A week, two days and two hours before.
pub const LEADS: [Lead; 3] = [Lead::Days(7), Lead::Days(2), Lead::Hours(2)];

/// Hours in which nothing is sent, from the evening to the morning.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quiet {
    /// In the evening.
    pub from: Time,
    /// In the morning.
    pub until: Time,
}

impl Quiet {
    /// Nine in the evening to eight in the morning.
    pub const USUAL: Self =
        Self { from: Time::constant(21, 0, 0, 0), until: Time::constant(8, 0, 0, 0) };

    pub(crate) fn holds(self, time: Time) -> bool {
        if self.from <= self.until {
            self.from <= time && time < self.until
        } else {
            time >= self.from || time < self.until
        }
    }

    /// When they end by the clocks of a zone, if an instant is in them.
    pub(crate) fn ends(self, zone: &Zone, now: Millis) -> Result<Option<Millis>, Fault> {
        let wall = zone.wall(now);
        if !self.holds(wall.time()) {
            return Ok(None);
        }
        let today = zone.place(wall.date().to_datetime(self.until))?.instant;
        if today > now {
            return Ok(Some(today));
        }
        let tomorrow = wall.date().saturating_add(jiff::Span::new().days(1));
        zone.place(tomorrow.to_datetime(self.until)).map(|placed| Some(placed.instant))
    }
}

/// What becomes of a reminder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// It is sent.
    Due {
        /// When.
        at: Millis,
        /// It was to be in quiet hours and is sent before them.
        is_moved: bool,
    },
    /// Its moment had passed when the visit was booked: the booking itself told of it.
    PassedBeforeBooking,
    /// An earlier one goes out at the same moment.
    SameAsAnother,
}

/// When the reminders of a visit go out, by the clocks of the zone where the patient is. One that falls
/// into quiet hours goes out a minute before they begin.
pub fn due(
    start: Millis,
    zone: &Zone,
    leads: &[Lead],
    quiet: Quiet,
    booked_at: Millis,
) -> Result<Vec<(Lead, Fate)>, Fault> {
    let mut all: Vec<(Lead, Fate)> = Vec::with_capacity(leads.len());
    for lead in leads {
        let exact = match lead {
            Lead::Hours(hours) => {
                Millis(start.0.saturating_sub(i64::from(*hours) * 60 * MINUTE_MS))
            }
            Lead::Days(days) => {
                let wall = zone.wall(start);
                zone.place(
                    wall.date()
                        .saturating_sub(jiff::Span::new().days(i64::from(*days)))
                        .to_datetime(wall.time()),
                )?
                .instant
            }
        };
        let at = out_of_quiet(exact, zone, quiet)?;
        let taken =
            all.iter().any(|(_, fate)| matches!(fate, Fate::Due { at: other, .. } if *other == at));
        let fate = if at <= booked_at {
            Fate::PassedBeforeBooking
        } else if taken {
            Fate::SameAsAnother
        } else {
            Fate::Due { at, is_moved: at != exact }
        };
        all.push((*lead, fate));
    }
    Ok(all)
}

fn out_of_quiet(at: Millis, zone: &Zone, quiet: Quiet) -> Result<Millis, Fault> {
    let wall: Wall = zone.wall(at);
    if !quiet.holds(wall.time()) {
        return Ok(at);
    }
    let evening_before = quiet.from > quiet.until && wall.time() < quiet.until;
    let date: Date = if evening_before {
        wall.date().saturating_sub(jiff::Span::new().days(1))
    } else {
        wall.date()
    };
    let begins = zone.place(date.to_datetime(quiet.from))?.instant;
    Ok(Millis(begins.0.saturating_sub(MINUTE_MS)))
}

/// The language of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Language {
    /// English.
    English,
    /// Spanish.
    Spanish,
}

impl Language {
    /// By BCP 47 tag, such as `es-MX`; English for all that has no text of its own.
    pub fn of_tag(tag: &str) -> Self {
        let is_spanish = tag.split('-').next().is_some_and(|l| l.eq_ignore_ascii_case("es"));
        if is_spanish { Self::Spanish } else { Self::English }
    }

    /// The text that stands when a site has none of its own.
    pub fn template(self) -> Template {
        Template {
            text: match self {
                Self::English => {
                    "{clinic}: you have an appointment on {date} at {time}. Confirm or cancel: {link}"
                }
                Self::Spanish => {
                    "{clinic}: usted tiene una cita el {date} a las {time}. Confirme o cancele: {link}"
                }
            }
            .to_owned(),
        }
    }

    /// What somebody who waits is offered a freed time with.
    pub(crate) fn offer(self) -> Template {
        let text = match self {
            Self::English => {
                "{clinic}: a time is free on {date} at {time}. The first who says yes has it: {link}"
            }
            Self::Spanish => {
                "{clinic}: hay una hora libre el {date} a las {time}. Es de quien primero diga que sí: {link}"
            }
        };
        Template { text: text.to_owned() }
    }

    /// What whoever said yes first is told.
    pub(crate) fn yours(self) -> Template {
        let text = match self {
            Self::English => "{clinic}: {date} at {time} is yours. See or cancel it: {link}",
            Self::Spanish => {
                "{clinic}: la hora del {date} a las {time} es suya. Véala o cancélela: {link}"
            }
        };
        Template { text: text.to_owned() }
    }

    /// What those are told who were asked when another said yes.
    pub(crate) fn gone(self) -> Template {
        let text = match self {
            Self::English => {
                "{clinic}: {date} at {time} is taken by now. You stay on the waiting list: {link}"
            }
            Self::Spanish => {
                "{clinic}: la hora del {date} a las {time} ya está ocupada. Usted sigue en la lista de espera: {link}"
            }
        };
        Template { text: text.to_owned() }
    }

    /// What a mail of an offer is headed with.
    pub(crate) const fn offer_subject(self) -> &'static str {
        match self {
            Self::English => "A free time",
            Self::Spanish => "Una hora libre",
        }
    }

    /// The tag of its texts.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Spanish => "es",
        }
    }

    /// What a mail is headed with.
    pub const fn subject(self) -> &'static str {
        match self {
            Self::English => "Your appointment",
            Self::Spanish => "Su cita",
        }
    }

    /// A day, without the year.
    pub fn date(self, date: Date) -> String {
        let day = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
        let month = usize::try_from(date.month() - 1).unwrap_or_default();
        let of = |names: &[&'static str], at: usize| names.get(at).copied().unwrap_or_default();
        match self {
            Self::English => {
                format!("{}, {} {}", of(&DAYS_EN, day), of(&MONTHS_EN, month), date.day())
            }
            Self::Spanish => {
                format!("{} {} de {}", of(&DAYS_ES, day), date.day(), of(&MONTHS_ES, month))
            }
        }
    }

    /// A time of the day.
    pub fn time(self, time: Time) -> String {
        match self {
            Self::English => {
                let hour = match time.hour() % 12 {
                    0 => 12,
                    hour => hour,
                };
                let half = if time.hour() < 12 { "AM" } else { "PM" };
                format!("{hour}:{:02} {half}", time.minute())
            }
            Self::Spanish => format!("{:02}:{:02}", time.hour(), time.minute()),
        }
    }
}

const DAYS_EN: [&str; 7] =
    ["Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"];
const DAYS_ES: [&str; 7] =
    ["lunes", "martes", "miércoles", "jueves", "viernes", "sábado", "domingo"];
const MONTHS_EN: [&str; 12] = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
];
const MONTHS_ES: [&str; 12] = [
    "enero",
    "febrero",
    "marzo",
    "abril",
    "mayo",
    "junio",
    "julio",
    "agosto",
    "septiembre",
    "octubre",
    "noviembre",
    "diciembre",
];

/// A link by which a patient answers, without signing in. Whoever opens it sees a page that asks; the
/// answer is a POST, since phones and mail servers open links by themselves.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    address: String,
}

impl Link {
    /// From the site's own address (`https://clinic.example`) and an opaque token of 16 to 128 letters,
    /// digits, `-` and `_`; `SCHEDULING_REMINDER` for anything else.
    pub fn new(origin: &str, token: &str) -> Result<Self, Fault> {
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if !TOKEN_CHARS.contains(&token.len()) || !token.chars().all(plain) {
            return Err(invalid("the token is of 16 to 128 letters, digits, - and _"));
        }
        let host = origin.strip_prefix("https://").unwrap_or_default().trim_end_matches('/');
        let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | ':');
        if host.is_empty() || !host.chars().all(plain) {
            return Err(invalid("the link begins with https and the site's host, without a path"));
        }
        Ok(Self { address: format!("https://{host}/v/{token}") })
    }

    /// The address.
    pub fn as_str(&self) -> &str {
        &self.address
    }
}

/// What a message can tell.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Blanks<'a> {
    /// The clinic's name, as its patients know it; not that of a department.
    pub clinic: &'a str,
    /// What the clocks of the site show at the visit.
    pub wall: Wall,
    /// Where to answer.
    pub link: &'a Link,
}

/// The text of a message, with places for [`Blanks`] and for nothing else.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Template {
    text: String,
}

impl Template {
    /// A site's own text; `SCHEDULING_REMINDER` when it has a place for anything but `{clinic}`,
    /// `{date}`, `{time}` and `{link}`, when it lacks the date, the time or the link, or is too long.
    pub fn parse(text: &str) -> Result<Self, Fault> {
        if text.chars().count() > TEXT_CHARS_MAX || text.chars().any(char::is_control) {
            return Err(invalid("a message is one line of at most 480 characters"));
        }
        for blank in ["{date}", "{time}", "{link}"] {
            if !text.contains(blank) {
                return Err(invalid("a message tells {date}, {time} and {link}"));
            }
        }
        let mut rest = text.to_owned();
        for blank in ["{clinic}", "{date}", "{time}", "{link}"] {
            rest = rest.replace(blank, " ");
        }
        if rest.contains(['{', '}']) {
            return Err(invalid(
                "a message has no other places than {clinic}, {date}, {time} and {link}",
            ));
        }
        Ok(Self { text: text.to_owned() })
    }

    /// The message; `SCHEDULING_REMINDER` when the clinic's name or the whole is too long.
    pub fn fill(&self, language: Language, blanks: &Blanks<'_>) -> Result<String, Fault> {
        let clinic = blanks.clinic.trim();
        let named = (1..=CLINIC_CHARS_MAX).contains(&clinic.chars().count());
        if !named || clinic.chars().any(char::is_control) {
            return Err(invalid("the clinic's name has 1 to 60 characters"));
        }
        let mut out = String::with_capacity(self.text.len() + 64);
        let mut rest = self.text.as_str();
        // In one pass, so that braces in a clinic's name are no places.
        while let Some((before, tail)) = rest.split_once('{') {
            out.push_str(before);
            let Some((blank, tail)) = tail.split_once('}') else { break };
            let written = match blank {
                "clinic" => out.write_str(clinic),
                "date" => out.write_str(&language.date(blanks.wall.date())),
                "time" => out.write_str(&language.time(blanks.wall.time())),
                _ => out.write_str(blanks.link.as_str()),
            };
            written.map_err(|_fault| invalid("the message could not be written"))?;
            rest = tail;
        }
        out.push_str(rest);
        if out.chars().count() > TEXT_CHARS_MAX {
            return Err(invalid("a message is one line of at most 480 characters"));
        }
        Ok(out)
    }
}

fn invalid(says: &str) -> Fault {
    Fault::new(&SCHEDULING_REMINDER, says)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::Zones;
    use jiff::civil::datetime;

    fn zone() -> Zone {
        Zones::bundled().find("America/New_York").unwrap()
    }

    fn at(wall: Wall) -> Millis {
        zone().place(wall).unwrap().instant
    }

    #[test]
    fn reminders_keep_the_clock_across_daylight_saving_and_stay_out_of_quiet_hours() {
        let start = at(datetime(2026, 3, 10, 9, 30, 0, 0));
        let fates = due(start, &zone(), &LEADS, Quiet::USUAL, Millis(0)).unwrap();
        let wall = |n: usize| match fates[n].1 {
            Fate::Due { at, is_moved } => (zone().wall(at).to_string(), is_moved),
            other => panic!("{other:?}"),
        };
        assert_eq!(wall(0), ("2026-03-03T09:30:00".to_owned(), false));
        assert_eq!(wall(1), ("2026-03-08T09:30:00".to_owned(), false));
        assert_eq!(wall(2), ("2026-03-09T20:59:00".to_owned(), true), "half past seven is quiet");
    }

    #[test]
    fn what_passed_before_the_booking_is_said_and_two_do_not_go_at_once() {
        let start = at(datetime(2026, 5, 5, 8, 0, 0, 0));
        let booked = at(datetime(2026, 5, 2, 12, 0, 0, 0));
        let leads = [Lead::Days(7), Lead::Days(2), Lead::Hours(2), Lead::Hours(3)];
        let fates: Vec<_> = due(start, &zone(), &leads, Quiet::USUAL, booked)
            .unwrap()
            .into_iter()
            .map(|(_, f)| f)
            .collect();
        assert_eq!(fates[0], Fate::PassedBeforeBooking);
        assert!(matches!(fates[2], Fate::Due { is_moved: true, .. }));
        assert_eq!(fates[3], Fate::SameAsAnother);
    }

    #[test]
    fn a_message_tells_clinic_day_hour_and_link_in_the_patients_language() {
        let link = Link::new("https://clinic.example/", "0123456789abcdef").unwrap();
        let wall = datetime(2026, 11, 25, 14, 5, 0, 0);
        let blanks = Blanks { clinic: "Lake {date} Clinic", wall, link: &link };
        let english = Language::English.template().fill(Language::English, &blanks).unwrap();
        assert_eq!(
            english,
            "Lake {date} Clinic: you have an appointment on Wednesday, November 25 at 2:05 PM. Confirm or cancel: https://clinic.example/v/0123456789abcdef"
        );
        let spanish = Language::of_tag("es-MX");
        let text = spanish.template().fill(spanish, &blanks).unwrap();
        assert!(text.contains("miércoles 25 de noviembre a las 14:05"), "{text}");
        for language in [Language::English, Language::Spanish] {
            assert_eq!(Template::parse(&language.template().text), Ok(language.template()));
        }
    }

    #[test]
    fn a_template_with_a_place_for_the_patient_is_refused() {
        for bad in [
            "{patient}: {date} {time} {link}",
            "{date} {time}",
            "{date} {time} {link} {",
            "{date} {time} {link}\n",
            "{date} {time} {link} {visit}",
        ] {
            assert_eq!(
                Template::parse(bad).unwrap_err().code().name,
                "scheduling.reminder.invalid"
            );
        }
        for (origin, token) in [
            ("http://clinic.example", "0123456789abcdef"),
            ("https://clinic.example/x", "0123456789abcdef"),
            ("https://", "0123456789abcdef"),
            ("https://clinic.example", "short"),
            ("https://clinic.example", "0123456789abcde/"),
        ] {
            assert!(Link::new(origin, token).is_err(), "{origin} {token}");
        }
    }
}
