//! What is asked of the schedule: a day or a week, of which site and of whom, as its address says it. An
//! address holds ids and days, and is written anew of what was understood, so that a form can lead back to
//! where it came from and nowhere else.

use crate::days;
use crate::visit::Visit;
use jiff::civil::Date;
use scheduling::actor::Actor;
use search::parse::decode_query;

/// Resources of one grid: two large clinics, or all that anybody can look over.
pub(crate) const RESOURCES_MAX: usize = 40;
/// Years about today that can be looked at; another is a slip of the keyboard.
const YEARS: i16 = 5;

/// How much of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum View {
    Day,
    Week,
}

/// What is asked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) view: View,
    /// None is today, wherever that is.
    pub(crate) date: Option<Date>,
    /// The Location; all sites without one.
    pub(crate) site: Option<Actor>,
    /// Whose time; all without any.
    pub(crate) with: Vec<Actor>,
    /// What was cancelled is shown too.
    pub(crate) cancelled: bool,
}

impl Asked {
    /// By the address of a visit.
    pub(crate) fn of(visit: &Visit) -> Self {
        Self::read(&visit.query, days::day_at(visit.now(), &visit.zone))
    }

    /// Of the field in which a form keeps where it came from.
    pub(crate) fn back(visit: &Visit) -> Self {
        let text = visit.field("back");
        let pairs = decode_query(text.strip_prefix("/schedule?").unwrap_or_default());
        Self::read(&pairs.unwrap_or_default(), days::day_at(visit.now(), &visit.zone))
    }

    fn read(pairs: &[(String, String)], today: Date) -> Self {
        let all = |name: &'static str| pairs.iter().filter(move |(key, _)| key == name);
        let date = all("date").find_map(|(_, value)| value.parse::<Date>().ok());
        let near = |date: &Date| (date.year() - today.year()).abs() <= YEARS;
        let site = all("site").find_map(|(_, value)| Actor::parse(value));
        let mut with: Vec<Actor> = Vec::new();
        for actor in all("with").filter_map(|(_, value)| Actor::parse(value)) {
            if !actor.is_patient() && !with.contains(&actor) && with.len() < RESOURCES_MAX {
                with.push(actor);
            }
        }
        let is_week = all("view").any(|(_, value)| value == "week") && with.len() == 1;
        Self {
            view: if is_week { View::Week } else { View::Day },
            date: date.filter(near),
            site: site.filter(|site| site.resource_type() == "Location"),
            with,
            cancelled: all("cancelled").any(|(_, value)| value == "1"),
        }
    }

    /// Its address.
    pub(crate) fn href(&self) -> String {
        let mut pairs = Vec::new();
        if self.view == View::Week {
            pairs.push("view=week".to_owned());
        }
        pairs.extend(self.date.map(|date| format!("date={date}")));
        pairs.extend(self.site.as_ref().map(|site| format!("site={site}")));
        pairs.extend(self.with.iter().map(|actor| format!("with={actor}")));
        if self.cancelled {
            pairs.push("cancelled=1".to_owned());
        }
        format!("/schedule?{}", pairs.join("&"))
    }

    /// Its address, with what was done there: the page says so, and offers to undo it.
    pub(crate) fn done(&self, what: &str, id: &str, version: u64) -> String {
        let href = self.href();
        let and = if href.ends_with('?') { "" } else { "&" };
        format!("{href}{and}done={what}&of={id}&v={version}")
    }

    /// The same on another date.
    pub(crate) fn on(&self, date: Option<Date>) -> Self {
        Self { date, ..self.clone() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const TODAY: Date = jiff::civil::date(2026, 11, 23);

    fn read(text: &str) -> Asked {
        Asked::read(&decode_query(text).unwrap_or_default(), TODAY)
    }

    #[test]
    fn what_is_asked_survives_its_address() {
        let text = "view=week&date=2026-11-24&site=Location/l1&with=Practitioner/p1&cancelled=1";
        let asked = read(text);
        assert_eq!(asked.view, View::Week);
        assert_eq!(asked.href(), format!("/schedule?{text}"));
        let two = read("view=week&with=Practitioner/p1&with=Location/r1&with=Practitioner/p1");
        assert_eq!((two.view, two.with.len()), (View::Day, 2), "a week is of one");
    }

    #[test]
    fn what_is_no_day_and_nobody_to_book_is_left_out() {
        let asked = read("date=1026-11-24&site=Patient/a&with=Patient/a&with=x&with=//evil");
        assert_eq!(asked.href(), "/schedule?");
        assert_eq!(asked.done("moved", "a1", 3), "/schedule?done=moved&of=a1&v=3");
    }

    proptest! {
        #[test]
        fn an_address_leads_back_to_the_schedule_whatever_was_sent(text in "\\PC{0,60}") {
            let href = read(&text).href();
            prop_assert!(href.starts_with("/schedule?"));
            prop_assert!(href.bytes().all(|b| b.is_ascii_alphanumeric() || b"/?=&-._".contains(&b)));
            prop_assert_eq!(read(href.trim_start_matches("/schedule?")).href(), href);
        }
    }
}
