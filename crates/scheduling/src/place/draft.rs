//! What a form says of a place, a person or a kind of visit: read from its fields and from a record, and
//! held to what booking needs. Hours are typed as people write them, `08:00-12:00, 13:00-17:00`.

use super::What;
use crate::actor::Role;
use crate::calendar::{Hours, read_hours};
use crate::read::ours;
use crate::time::{Time, Weekday, Zones};
use crate::visit_type::{VisitType, asks_well};
use fhir::Value;
use std::fmt::Write as _;

/// Letters of a field.
pub const TEXT_CHARS_MAX: usize = 200;
/// Letters of the hours of a day.
pub const HOURS_CHARS_MAX: usize = 100;
/// Times of one day at which somebody is there.
const SPANS_MAX: usize = 6;
/// Minutes of a visit.
const MINUTES_MAX: u32 = 1440;

/// The days of a week, as FHIR has them.
pub const DAYS: [&str; 7] = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];

/// What is wrong with a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrong {
    /// It is empty.
    Missing,
    /// It is too long, or has signs that are no letters.
    Odd,
    /// It is no IANA name of a zone.
    Zone,
    /// Hours that are not understood.
    Hours,
    /// No number of minutes from 1 to 1440.
    Minutes,
    /// Too many questions, too long ones, or one twice.
    Questions,
}

/// As what somebody works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Works {
    /// Sees patients, who are booked with them.
    #[default]
    Clinician,
    /// Helps at visits.
    Assistant,
    /// Interprets.
    Interpreter,
    /// In the office; nobody is booked with them.
    Office,
}

impl Works {
    /// All of them.
    pub const ALL: [Self; 4] = [Self::Clinician, Self::Assistant, Self::Interpreter, Self::Office];

    /// The word of the form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clinician => "clinician",
            Self::Assistant => "assistant",
            Self::Interpreter => "interpreter",
            Self::Office => "office",
        }
    }

    /// Reads the word.
    pub fn parse(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|works| works.name() == name)
    }

    /// The code of a `PractitionerRole`
    /// (<https://hl7.org/fhir/R4/valueset-practitioner-role.html>).
    pub(super) const fn code(self) -> &'static str {
        match self {
            Self::Clinician => "doctor",
            Self::Assistant => "nurse",
            Self::Interpreter => "interpreter",
            Self::Office => "ict",
        }
    }

    fn of_code(code: &str) -> Self {
        match code {
            "nurse" => Self::Assistant,
            "interpreter" => Self::Interpreter,
            "ict" | "pharmacist" | "researcher" => Self::Office,
            _ => Self::Clinician,
        }
    }
}

/// What a form says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Draft {
    /// What a house, a site, a room or a kind of visit is called.
    pub name: String,
    /// The family name of a person.
    pub family: String,
    /// The given names of a person.
    pub given: String,
    /// The zone of a site, by its IANA name.
    pub zone: String,
    /// Of a house or a site.
    pub phone: String,
    /// Street and number.
    pub line: String,
    /// City.
    pub city: String,
    /// State, as `WI`.
    pub state: String,
    /// Postal code.
    pub postal_code: String,
    /// The Organization that keeps a site, by id.
    pub house: String,
    /// The Location of a room or of work, by id.
    pub site: String,
    /// The Practitioner who works, by id.
    pub person: String,
    /// As what.
    pub works: Works,
    /// Hours by day, as they are typed; empty is closed, and for who works somewhere all seven empty are
    /// those of the site.
    pub hours: [String; 7],
    /// Minutes of a visit, as they are typed.
    pub minutes: String,
    /// With whom a visit is.
    pub with: Works,
    /// What patients are asked when they check in for a visit, a question on each line.
    pub questions: String,
    /// A visit needs a room.
    pub needs_room: bool,
    /// It is in use.
    pub is_active: bool,
}

impl Draft {
    /// The fields of a form.
    pub fn read<'f>(field: impl Fn(&str) -> &'f str) -> Self {
        let text = |name: &str| field(name).trim().to_owned();
        Self {
            name: text("name"),
            family: text("family"),
            given: text("given"),
            zone: text("zone"),
            phone: text("phone"),
            line: text("line"),
            city: text("city"),
            state: text("state"),
            postal_code: text("postal_code"),
            house: text("house"),
            site: text("site"),
            person: text("person"),
            works: Works::parse(field("works")).unwrap_or_default(),
            hours: DAYS.map(text),
            minutes: text("minutes"),
            with: Works::parse(field("with")).unwrap_or_default(),
            questions: text("questions"),
            needs_room: field("needs_room") == "yes",
            is_active: field("is_active") == "yes",
        }
    }

    /// What a record says, as far as a form has a place for it.
    pub fn of(what: What, root: Value<'_>) -> Self {
        let text = |name: &str| root.get_str(name).unwrap_or_default().into_owned();
        let phone = each(root, "telecom").find(|one| is_phone(*one));
        let address = match what {
            What::House => each(root, "address").next(),
            _ => root.get("address").filter(|_| what == What::Site),
        };
        let part =
            |name: &str| address.and_then(|a| a.get_str(name)).unwrap_or_default().into_owned();
        let mut draft = Self {
            name: text("name"),
            phone: phone.and_then(|one| one.get_str("value")).unwrap_or_default().into_owned(),
            line: address.map(lines).unwrap_or_default(),
            city: part("city"),
            state: part("state"),
            postal_code: part("postalCode"),
            is_active: root.get("active").and_then(Value::as_bool).unwrap_or(true),
            ..Self::default()
        };
        match what {
            What::House => {}
            What::Site | What::Room => {
                draft.is_active = text("status") == "active";
                draft.house = id(root.get("managingOrganization"), "Organization");
                draft.site = id(root.get("partOf"), "Location");
                let zone = ours(root, "time-zone").next();
                let zone = zone.and_then(|zone| zone.get_str("valueCode"));
                draft.zone = zone.unwrap_or_default().into_owned();
                draft.hours = typed(&read_hours(root).unwrap_or_default());
            }
            What::Person => {
                let name = each(root, "name").next();
                let given = name.into_iter().flat_map(|name| each(name, "given"));
                let given: Vec<_> = given.filter_map(Value::as_str).collect();
                draft.given = given.join(" ");
                let family = name.and_then(|name| name.get_str("family"));
                draft.family = family.unwrap_or_default().into_owned();
                if draft.family.is_empty() {
                    let text = name.and_then(|name| name.get_str("text"));
                    draft.family = text.unwrap_or_default().into_owned();
                }
            }
            What::Work => {
                let person = root.get("practitioner");
                let shown = person.and_then(|person| person.get_str("display"));
                draft.name = shown.unwrap_or_default().into_owned();
                draft.person = id(person, "Practitioner");
                draft.house = id(root.get("organization"), "Organization");
                draft.site = id(each(root, "location").next(), "Location");
                let codings = each(root, "code").flat_map(|concept| each(concept, "coding"));
                let codes: Vec<_> = codings.filter_map(|one| one.get_str("code")).collect();
                draft.works = codes.first().map_or(Works::Clinician, |code| Works::of_code(code));
                draft.hours = typed(&read_hours(root).unwrap_or_default());
            }
            What::Visit => {
                let Ok(visit) = VisitType::read(root) else {
                    return Self { name: text("title"), is_active: false, ..draft };
                };
                let needs = |role| visit.needs.iter().any(|need| need.role == role);
                draft.with = match needs(Role::Clinician) {
                    true => Works::Clinician,
                    false => Works::Assistant,
                };
                draft.needs_room = needs(Role::Room);
                draft.minutes = visit.duration_minutes.to_string();
                draft.questions = visit.questions.join("\n");
                draft.name = visit.title;
                draft.is_active = visit.active;
            }
        }
        draft
    }

    /// What people read.
    pub fn title(&self) -> String {
        match (self.given.is_empty(), self.family.is_empty()) {
            (true, true) => self.name.clone(),
            _ => format!("{} {}", self.given, self.family).trim().to_owned(),
        }
    }

    /// Whether any hours are typed.
    pub fn has_hours(&self) -> bool {
        self.hours.iter().any(|day| !day.is_empty())
    }

    /// The hours of a week; none when a day of them is not understood.
    pub fn week(&self) -> Option<Vec<Hours>> {
        let mut all = Vec::new();
        for (at, day) in (0_i8..).zip(&self.hours) {
            let weekday = Weekday::from_monday_zero_offset(at).ok()?;
            for (from, until) in read_hours_of_day(day)? {
                all.push(Hours { weekday, from, until });
            }
        }
        Some(all)
    }

    /// What is wrong with it, by field.
    pub fn check(&self, what: What, zones: &Zones) -> Vec<(&'static str, Wrong)> {
        let mut wrong = Vec::new();
        let needed: &[(&'static str, &str)] = match what {
            What::House | What::Visit => &[("name", &self.name)],
            What::Site => &[("name", &self.name), ("zone", &self.zone)],
            What::Room => &[("name", &self.name), ("site", &self.site)],
            What::Person => &[("family", &self.family)],
            What::Work => &[("person", &self.person), ("site", &self.site)],
        };
        for (field, text) in needed {
            if text.is_empty() {
                wrong.push((*field, Wrong::Missing));
            }
        }
        for (field, text) in [
            ("name", &self.name),
            ("family", &self.family),
            ("given", &self.given),
            ("phone", &self.phone),
            ("line", &self.line),
            ("city", &self.city),
            ("state", &self.state),
            ("postal_code", &self.postal_code),
        ] {
            if text.chars().count() > TEXT_CHARS_MAX || text.chars().any(char::is_control) {
                wrong.push((field, Wrong::Odd));
            }
        }
        if what == What::Site && !self.zone.is_empty() && zones.find(&self.zone).is_err() {
            wrong.push(("zone", Wrong::Zone));
        }
        if matches!(what, What::Site | What::Work) {
            for (name, day) in DAYS.iter().zip(&self.hours) {
                if read_hours_of_day(day).is_none() {
                    wrong.push((*name, Wrong::Hours));
                }
            }
        }
        if what == What::Visit && self.length().is_none() {
            wrong.push(("minutes", Wrong::Minutes));
        }
        if what == What::Visit && !asks_well(&self.asks()) {
            wrong.push(("questions", Wrong::Questions));
        }
        wrong
    }

    /// The questions, one by one.
    pub(super) fn asks(&self) -> Vec<String> {
        let lines = self.questions.lines().map(str::trim).filter(|line| !line.is_empty());
        lines.map(str::to_owned).collect()
    }

    /// Minutes of a visit.
    pub(super) fn length(&self) -> Option<u32> {
        self.minutes.parse().ok().filter(|minutes| (1..=MINUTES_MAX).contains(minutes))
    }
}

/// Reads the hours of a day: `08:00-12:00, 13:00-17:00`, in their order; nothing is closed. None for what
/// is not understood. `24:00` and `00:00` at the end are the end of the day.
pub fn read_hours_of_day(text: &str) -> Option<Vec<(Time, Time)>> {
    if text.len() > HOURS_CHARS_MAX {
        return None;
    }
    let mut all: Vec<(Time, Time)> = Vec::new();
    for part in text.split([',', ';']).map(str::trim) {
        if part.is_empty() && text.trim().is_empty() {
            continue;
        }
        let (from, until) = part.split_once(['-', '–'])?;
        let from = time(from)?;
        let until = if until.trim() == "24:00" { Time::midnight() } else { time(until)? };
        let is_after = until > from || until == Time::midnight();
        let fits = all.last().is_none_or(|(_, last)| *last <= from && *last != Time::midnight());
        if !is_after || !fits || all.len() >= SPANS_MAX {
            return None;
        }
        all.push((from, until));
    }
    Some(all)
}

/// `8`, `8:00` or `08:00`.
fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.trim().split_once(':').unwrap_or((text.trim(), "0"));
    let number = |digits: &str| {
        let plain = (1..=2).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_digit());
        digits.parse::<i8>().ok().filter(|_| plain)
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

/// Hours as they are typed, by day.
fn typed(all: &[Hours]) -> [String; 7] {
    let mut days: [String; 7] = Default::default();
    let mut sorted = all.to_vec();
    sorted.sort_by_key(|one| one.from);
    for one in sorted {
        let at = usize::try_from(one.weekday.to_monday_zero_offset()).unwrap_or_default();
        let Some(day) = days.get_mut(at) else { continue };
        let until = match one.until == Time::midnight() {
            true => "24:00".to_owned(),
            false => one.until.strftime("%H:%M").to_string(),
        };
        let between = if day.is_empty() { "" } else { ", " };
        let _ = write!(day, "{between}{}-{until}", one.from.strftime("%H:%M"));
    }
    days
}

pub(super) fn each<'v>(value: Value<'v>, name: &str) -> impl Iterator<Item = Value<'v>> + use<'v> {
    value.get(name).into_iter().flat_map(Value::items)
}

pub(super) fn is_phone(one: Value<'_>) -> bool {
    one.get_str("system").as_deref() == Some("phone")
}

fn lines(address: Value<'_>) -> String {
    let lines: Vec<_> = each(address, "line").filter_map(Value::as_str).collect();
    lines.join(", ")
}

/// The id of a reference to a type.
fn id(reference: Option<Value<'_>>, of: &str) -> String {
    let text = reference.and_then(|one| one.get_str("reference")).unwrap_or_default();
    let id = text.strip_prefix(of).and_then(|rest| rest.strip_prefix('/'));
    id.unwrap_or_default().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn hours_are_read_as_people_write_them_and_shown_as_they_are_read() {
        for (typed_as, shown) in [
            ("8-17", "08:00-17:00"),
            (" 08:00 – 12:00 , 13:00-17:30", "08:00-12:00, 13:00-17:30"),
            ("22:00-24:00", "22:00-24:00"),
            ("00:00-00:00", "00:00-24:00"),
            ("", ""),
        ] {
            let draft =
                Draft { hours: std::array::from_fn(|_| typed_as.to_owned()), ..Draft::default() };
            let week = draft.week().unwrap_or_else(|| panic!("{typed_as}"));
            assert_eq!(typed(&week), std::array::from_fn(|_| shown.to_owned()), "{typed_as}");
        }
        for bad in [
            "8",
            "17-8",
            "8-12,11-13",
            "8-24,9-10",
            "a-b",
            "8-12,",
            "25-26",
            "8:0x-9",
            "-",
            "8-9-10",
        ] {
            assert_eq!(read_hours_of_day(bad), None, "{bad}");
        }
        let many = ["1-2"; 20].join(",");
        assert_eq!(read_hours_of_day(&many), None);
    }

    #[test]
    fn questions_stand_one_on_a_line_and_are_few_short_and_different() {
        let wrong = |questions: &str| {
            let form = |name: &str| match name {
                "name" => "Physical",
                "minutes" => "30",
                "questions" => questions,
                _ => "",
            };
            let form = |name: &str| form(name).to_owned();
            let all: Vec<(String, String)> =
                ["name", "minutes", "questions"].map(|name| (name.to_owned(), form(name))).into();
            let draft = Draft::read(|name| {
                all.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str())
            });
            draft.check(What::Visit, &Zones::bundled())
        };
        assert_eq!(wrong(""), []);
        assert_eq!(wrong("Do you smoke?\r\n\r\n Do you fast? \r\n"), []);
        for odd in ["a\nb\nc\nd\ne\nf", "same?\nsame?", &"x".repeat(161), "a\u{7}b"] {
            assert_eq!(wrong(odd), [("questions", Wrong::Questions)], "{odd}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_hours_or_not_and_hours_are_in_their_order(text in "[0-9:,;– -]{0,120}") {
            for pair in read_hours_of_day(&text).unwrap_or_default().windows(2) {
                prop_assert!(pair[0].1 <= pair[1].0);
            }
        }

        #[test]
        fn any_form_is_read_and_checked(text in "\\PC{0,250}") {
            let draft = Draft::read(|_| &text);
            let zones = Zones::bundled();
            for what in What::ALL {
                let _ = draft.check(what, &zones);
            }
        }
    }
}
