//! When a site and its people can be seen at all: opening hours, holidays by date of effect, and
//! blocks such as leave and sickness (`Location.hoursOfOperation`, `PractitionerRole.availableTime`,
//! <https://hl7.org/fhir/R4/practitionerrole.html>).

use crate::actor::Actor;
use crate::free::SpanSet;
use crate::read::{fault, of_type, ours, period, text};
use crate::time::{Date, Span, Time, Wall, Weekday, Zone, Zones};
use base::error::code::{SCHEDULING_CALENDAR as CODE, SCHEDULING_TIME};
use base::{Fault, Millis};
use fhir::Value;
use fhir::date::{OPEN_HIGH, OPEN_LOW};

/// Days of a calendar that are laid out at once; two years of booking ahead.
pub const DAYS_MAX: i32 = 732;

/// Hours on a day of the week, in the site's wall time. An end of midnight is the end of the day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Hours {
    /// The day.
    pub weekday: Weekday,
    /// From.
    pub from: Time,
    /// Until, and not with.
    pub until: Time,
}

/// When a holiday falls.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Falls {
    /// On one date of each year.
    Yearly {
        /// 1 to 12.
        month: i8,
        /// 1 to 31.
        day: i8,
    },
    /// On the nth weekday of a month; -1 is the last.
    Nth {
        /// 1 to 12.
        month: i8,
        /// The day of the week.
        weekday: Weekday,
        /// 1 to 5, or -1.
        nth: i8,
    },
    /// Once.
    On(Date),
}

/// A holiday, as data: what it is, when it falls, and since and until when that holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Holiday {
    /// What screens call it.
    pub name: &'static str,
    /// When it falls.
    pub falls: Falls,
    /// One that falls on Saturday is kept on the Friday before, on Sunday on the Monday after.
    pub moved: bool,
    /// First year of effect.
    pub from_year: i16,
    /// Last year of effect.
    pub until_year: Option<i16>,
}

const fn yearly(name: &'static str, month: i8, day: i8, from_year: i16) -> Holiday {
    Holiday { name, falls: Falls::Yearly { month, day }, moved: true, from_year, until_year: None }
}

const fn nth(name: &'static str, month: i8, weekday: Weekday, nth: i8, from_year: i16) -> Holiday {
    let falls = Falls::Nth { month, weekday, nth };
    Holiday { name, falls, moved: false, from_year, until_year: None }
}

/// The federal holidays of the United States as 5 U.S.C. 6103(a) has them since 1971, with the years in
/// which two were added later; (b) moves those that fall on a day off. A site takes of them what it
/// keeps.
pub const US_FEDERAL: [Holiday; 11] = [
    yearly("New Year's Day", 1, 1, 1971),
    nth("Birthday of Martin Luther King, Jr.", 1, Weekday::Monday, 3, 1986),
    nth("Washington's Birthday", 2, Weekday::Monday, 3, 1971),
    nth("Memorial Day", 5, Weekday::Monday, -1, 1971),
    yearly("Juneteenth National Independence Day", 6, 19, 2021),
    yearly("Independence Day", 7, 4, 1971),
    nth("Labor Day", 9, Weekday::Monday, 1, 1971),
    nth("Columbus Day", 10, Weekday::Monday, 2, 1971),
    yearly("Veterans Day", 11, 11, 1978),
    nth("Thanksgiving Day", 11, Weekday::Thursday, 4, 1971),
    yearly("Christmas Day", 12, 25, 1971),
];

impl Holiday {
    /// Whether it is kept on a date.
    pub fn is_on(&self, date: Date) -> bool {
        // One of the first of January can be kept in December.
        let years = [date.year(), date.year().saturating_add(1)];
        years.into_iter().any(|year| self.kept_in(year) == Some(date))
    }

    /// The date on which the holiday of a year is kept; that of New Year's Day can be of the year before.
    fn kept_in(&self, year: i16) -> Option<Date> {
        if year < self.from_year || self.until_year.is_some_and(|last| year > last) {
            return None;
        }
        let date = match self.falls {
            Falls::Yearly { month, day } => Date::new(year, month, day).ok()?,
            Falls::Nth { month, weekday, nth } => {
                Date::new(year, month, 1).ok()?.nth_weekday_of_month(nth, weekday).ok()?
            }
            Falls::On(date) => (date.year() == year).then_some(date)?,
        };
        match date.weekday() {
            Weekday::Saturday if self.moved => date.yesterday().ok(),
            Weekday::Sunday if self.moved => date.tomorrow().ok(),
            _ => Some(date),
        }
    }
}

/// Why a time is blocked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Why {
    /// The site keeps a holiday.
    Holiday,
    /// Planned leave.
    Leave,
    /// Sick.
    Sick,
    /// A meeting, teaching, time for papers.
    Other,
}

impl Why {
    /// The stable code.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Holiday => "holiday",
            Self::Leave => "leave",
            Self::Sick => "sick",
            Self::Other => "other",
        }
    }
}

/// Time in which somebody, or the whole site, is not there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Block {
    /// Who; `None` for the site.
    pub actor: Option<Actor>,
    /// When.
    pub span: Span,
    /// Why.
    pub why: Why,
}

impl Block {
    /// Whether it keeps an actor from being there.
    pub fn concerns(&self, actor: &Actor) -> bool {
        self.actor.as_ref().is_none_or(|who| who == actor)
    }
}

/// A place with a zone and hours.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Site {
    /// The Location it is.
    pub location: Actor,
    /// Its zone.
    pub zone: Zone,
    /// When it is open.
    pub hours: Vec<Hours>,
    /// What it keeps.
    pub holidays: Vec<Holiday>,
}

impl Site {
    /// Reads a Location: its `hoursOfOperation`, and its zone in an extension of ours, `time-zone`, since
    /// R4 has a place for the zone of an instant and none for that of a place. `SCHEDULING_CALENDAR`
    /// names the place that is not understood, `SCHEDULING_ZONE` tells of a zone that is none. A
    /// Location without a zone takes the one that is given. Which holidays it keeps is the caller's.
    pub fn read(
        root: Value<'_>,
        zones: &Zones,
        zone: &Zone,
        holidays: Vec<Holiday>,
    ) -> Result<Self, Fault> {
        of_type(&CODE, root, "Location")?;
        let id = text(&CODE, root, "id")?;
        let location = id.and_then(|id| Actor::parse(&format!("Location/{id}")));
        let location = location.ok_or_else(|| fault(&CODE, root, "the location has no id"))?;
        let zone = match ours(root, "time-zone").next() {
            None => zone.clone(),
            Some(extension) => match text(&CODE, extension, "valueCode")? {
                Some(name) => zones.find(&name)?,
                None => return Err(fault(&CODE, extension, "write the zone as a valueCode")),
            },
        };
        Ok(Self { location, zone, hours: read_hours(root)?, holidays })
    }

    /// The holiday that is kept on a date.
    pub fn holiday(&self, date: Date) -> Option<&Holiday> {
        self.holidays.iter().find(|h| h.is_on(date))
    }

    /// When the site is open within dates, both included: its hours without its holidays.
    pub fn open(&self, from: Date, until: Date) -> Result<SpanSet, Fault> {
        open_by_hours(&self.zone, &self.hours, from, until, |date| self.holiday(date).is_some())
    }
}

/// Hours of the week laid out over dates, both included, but for those that are left out. Hours mean
/// what the clocks of the zone show: a day on which they change has more or fewer of them.
pub fn open_by_hours(
    zone: &Zone,
    hours: &[Hours],
    from: Date,
    until: Date,
    left_out: impl Fn(Date) -> bool,
) -> Result<SpanSet, Fault> {
    let beyond = || Fault::new(&SCHEDULING_TIME, "lay out at most 732 days at once");
    let days = from.until(until).map_err(|_fault| beyond())?.get_days();
    if days >= DAYS_MAX {
        return Err(beyond());
    }
    let mut spans = Vec::new();
    for date in from.series(jiff::Span::new().days(1)).take_while(|date| *date <= until) {
        if left_out(date) {
            continue;
        }
        for part in hours.iter().filter(|h| h.weekday == date.weekday()) {
            spans.extend(hours_on(zone, date, part)?);
        }
    }
    Ok(SpanSet::from_spans(spans))
}

/// Hours on one date; none when the clocks skip all of them.
fn hours_on(zone: &Zone, date: Date, hours: &Hours) -> Result<Option<Span>, Fault> {
    let end: Wall = if hours.until == Time::midnight() {
        let next = date.tomorrow();
        next.map_err(|_fault| Fault::new(&SCHEDULING_TIME, "use a year from 1900 to 2200"))?
            .at(0, 0, 0, 0)
    } else {
        date.to_datetime(hours.until)
    };
    let (from, until) = (zone.place(date.to_datetime(hours.from))?, zone.place(end)?);
    Ok(Span::new(from.instant, until.instant))
}

/// Reads `hoursOfOperation` of a Location, or `availableTime` of a `PractitionerRole` or
/// `HealthcareService`; `SCHEDULING_CALENDAR` names the place that is not understood.
pub fn read_hours(root: Value<'_>) -> Result<Vec<Hours>, Fault> {
    let mut all = Vec::new();
    for (list, from, until) in [
        ("hoursOfOperation", "openingTime", "closingTime"),
        ("availableTime", "availableStartTime", "availableEndTime"),
    ] {
        for item in root.get(list).into_iter().flat_map(Value::items) {
            let whole = item.get("allDay").and_then(Value::as_bool).unwrap_or(false);
            let (from, until) = if whole {
                (Time::midnight(), Time::midnight())
            } else {
                (time(item, from)?, time(item, until)?)
            };
            if until <= from && until != Time::midnight() {
                return Err(fault(&CODE, item, "hours past midnight are written as two days"));
            }
            for day in item.get("daysOfWeek").into_iter().flat_map(Value::items) {
                let weekday = day.as_str().and_then(|code| weekday(&code));
                let weekday =
                    weekday.ok_or_else(|| fault(&CODE, day, "write mon, tue and so on"))?;
                all.push(Hours { weekday, from, until });
            }
        }
    }
    Ok(all)
}

/// Reads `notAvailable` of a `PractitionerRole` or `HealthcareService` as blocks of an actor, within a
/// window. A period without an end is leave that nobody knows the end of: it lasts until the end of the
/// window. Dates are days of the zone, the last one included.
pub fn read_blocks(
    root: Value<'_>,
    actor: &Actor,
    zone: &Zone,
    window: Span,
) -> Result<Vec<Block>, Fault> {
    let mut blocks = Vec::new();
    for item in root.get("notAvailable").into_iter().flat_map(Value::items) {
        let Some(during) = item.get("during") else {
            return Err(fault(&CODE, item, "say when, in during"));
        };
        // Leave that lies wholly beyond the window is no fault.
        let open = Span { start: Millis(OPEN_LOW), end: Millis(OPEN_HIGH) };
        let away = period(&CODE, during, open, |date| zone.day(date))?;
        let within = away.common(window);
        blocks.extend(within.map(|span| Block {
            actor: Some(actor.clone()),
            span,
            why: Why::Leave,
        }));
    }
    Ok(blocks)
}

/// The time that blocks take from an actor.
pub fn blocked(blocks: &[Block], actor: &Actor) -> SpanSet {
    blocks.iter().filter(|b| b.concerns(actor)).map(|b| b.span).collect()
}

fn time(item: Value<'_>, name: &str) -> Result<Time, Fault> {
    let read = text(&CODE, item, name)?.filter(|t| fhir::date::is_time(t));
    read.and_then(|t| t.parse().ok())
        .ok_or_else(|| fault(&CODE, item, &format!("write {name} as hh:mm:ss")))
}

fn weekday(code: &str) -> Option<Weekday> {
    let all = ["mon", "tue", "wed", "thu", "fri", "sat", "sun"];
    let at = all.iter().position(|name| *name == code)?;
    Weekday::from_monday_zero_offset(i8::try_from(at).ok()?).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::time::HOUR_MS;
    use base::Limits;
    use fhir::Document;
    use jiff::civil::date;

    fn site() -> Site {
        let hours = |weekday| Hours {
            weekday,
            from: Time::constant(8, 0, 0, 0),
            until: Time::constant(17, 0, 0, 0),
        };
        Site {
            location: Actor::parse("Location/1").unwrap(),
            zone: Zones::bundled().find("America/New_York").unwrap(),
            hours: [Weekday::Thursday, Weekday::Friday].map(hours).to_vec(),
            holidays: US_FEDERAL.to_vec(),
        }
    }

    #[test]
    fn holidays_follow_their_years_of_effect_and_move_off_weekends() {
        let on = |y, m, d| site().holiday(date(y, m, d)).map(|h| h.name);
        assert_eq!(on(2026, 11, 26), Some("Thanksgiving Day"));
        assert_eq!(on(2020, 6, 19), None, "not yet a holiday");
        assert_eq!(on(2026, 6, 19), Some("Juneteenth National Independence Day"));
        assert_eq!(on(2026, 7, 3), Some("Independence Day"), "the Fourth is a Saturday");
        assert_eq!(on(2026, 7, 4), None);
        assert_eq!(on(2021, 12, 31), Some("New Year's Day"), "of 2022, which began on a Saturday");
        assert_eq!(on(2026, 5, 25), Some("Memorial Day"));
    }

    #[test]
    fn a_site_is_open_in_its_hours_and_not_on_its_holidays() {
        let open = site().open(date(2026, 11, 23), date(2026, 11, 29)).unwrap();
        assert_eq!(open.ms(), 9 * HOUR_MS, "Friday alone: Thursday is Thanksgiving");
        assert_eq!(
            open.iter().next().map(|s| s.start.to_instant()).as_deref(),
            Some("2026-11-27T13:00:00.000Z")
        );
        let fault = site().open(date(2026, 1, 1), date(2029, 1, 1)).unwrap_err();
        assert_eq!(fault.code().name, "scheduling.time.invalid");
    }

    fn parse(text: &str) -> Document {
        Document::parse_text(text.to_owned(), &Limits::default()).unwrap()
    }

    #[test]
    fn hours_are_read_and_a_day_that_changes_clocks_has_its_own_length() {
        let doc = parse(
            r#"{"resourceType":"Location","hoursOfOperation":[{"daysOfWeek":["sun"],"allDay":true}]}"#,
        );
        let hours = read_hours(doc.root()).unwrap();
        let day = |d| open_by_hours(&site().zone, &hours, d, d, |_| false).unwrap().ms() / HOUR_MS;
        assert_eq!((day(date(2026, 3, 8)), day(date(2026, 3, 15))), (23, 24));
        for bad in [
            r#"{"daysOfWeek":["sun"],"openingTime":"22:00:00","closingTime":"06:00:00"}"#,
            r#"{"daysOfWeek":["so"],"allDay":true}"#,
            r#"{"daysOfWeek":["sun"],"openingTime":"8"}"#,
        ] {
            let doc =
                parse(&format!(r#"{{"resourceType":"Location","hoursOfOperation":[{bad}]}}"#));
            assert_eq!(
                read_hours(doc.root()).unwrap_err().code().name,
                "scheduling.calendar.invalid"
            );
        }
    }

    #[test]
    fn a_location_tells_its_zone_or_takes_the_one_given() {
        let read = |zone: &str| {
            let doc = parse(&format!(
                r#"{{"resourceType":"Location","id":"1","extension":[{{"url":"https://plummer.health/fhir/StructureDefinition/time-zone",{zone}}}]}}"#
            ));
            Site::read(doc.root(), &Zones::bundled(), &site().zone, Vec::new())
        };
        assert_eq!(read(r#""valueCode":"America/Denver""#).unwrap().zone.name(), "America/Denver");
        let code = |zone| read(zone).unwrap_err().code().name;
        assert_eq!(code(r#""valueCode":"MST""#), "scheduling.zone.unknown");
        assert_eq!(code(r#""valueString":"x""#), "scheduling.calendar.invalid");
        let plain = parse(r#"{"resourceType":"Location","id":"1"}"#);
        let plain = Site::read(plain.root(), &Zones::bundled(), &site().zone, Vec::new()).unwrap();
        assert_eq!(plain.zone.name(), "America/New_York");
    }

    #[test]
    fn leave_without_an_end_lasts_to_the_end_of_the_window() {
        let doc = parse(
            r#"{"resourceType":"PractitionerRole","notAvailable":[{"description":"x","during":{"start":"2026-11-24T00:00:00Z"}}]}"#,
        );
        let actor = Actor::parse("Practitioner/1").unwrap();
        let window = Span::new(Millis(0), Millis(4_000_000_000_000)).unwrap();
        let blocks = read_blocks(doc.root(), &actor, &site().zone, window).unwrap();
        assert_eq!(blocked(&blocks, &actor).iter().next().unwrap().end, window.end);
        let days = r#"{"resourceType":"PractitionerRole","notAvailable":[{"description":"x","during":{"start":"2026-11-24","end":"2026-11-25"}}]}"#;
        let days = read_blocks(parse(days).root(), &actor, &site().zone, window).unwrap();
        let away = blocked(&days, &actor).iter().next().unwrap();
        assert_eq!(
            (away.start.to_instant(), away.ms()),
            ("2026-11-24T05:00:00.000Z".to_owned(), 48 * HOUR_MS)
        );
        assert!(blocked(&blocks, &Actor::parse("Practitioner/2").unwrap()).is_empty());
    }
}
