//! A series: the same visit again and again. Every occurrence is shown before anything is booked, with
//! what is in its way, the holidays of the site and what the clocks do; whoever books chooses among them,
//! and each becomes an appointment of its own. What is refused meanwhile is told, and the rest is booked.

use super::desk::{self, Here};
use super::fields::{Input, input, select};
use super::place::WEEK;
use super::{appointment, finding, whom};
use crate::answer::Answer;
use crate::days;
use crate::pages::missing;
use crate::parts::shell::shell_with;
use crate::parts::{Icon, Kind, Tone, badge, button, hidden, notice, panel};
use crate::person::Person;
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Lang, Word};
use base::error::code;
use base::{Fault, Millis};
use jiff::civil::Date;
use maud::{Markup, html};
use scheduling::actor::Actor;
use scheduling::book::{self, Booking, Place, Query, SiteHere};
use scheduling::calendar::{Site, US_FEDERAL};
use scheduling::find::By;
use scheduling::rules::Verdict;
use scheduling::series::{End, Every, Line, Occurrence, Recurrence, preview};
use scheduling::time::{MINUTE_MS, Remark, Span};
use scheduling::visit_type::VisitType;

/// Occurrences that one form lays out: a visit a week for a year.
const OCCURRENCES_MAX: u32 = 52;

/// How it recurs, in words.
const EVERY: [(&str, Word); 3] =
    [("weeks", words::CAL_WEEKS), ("days", words::CAL_DAYS_STEP), ("months", words::CAL_MONTHS)];

/// An occurrence with the place that is free for it.
struct Row {
    line: Line,
    place: Option<Place>,
}

/// The page: the question, and when it was asked its preview.
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    shown(visit, None)
}

/// Books what was chosen.
pub(crate) fn book(visit: &Visit) -> Result<Answer, Fault> {
    let Some(plan) = Plan::of(visit, &visit.form)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let chosen = |number: u32| {
        let mut all = visit.form.iter().filter(|(name, _)| name == "take");
        all.any(|(_, value)| value.parse() == Ok(number))
    };
    let form = visit.field("form_id");
    let (mut made, mut refused) = (0_usize, Vec::new());
    for row in plan.rows(visit)? {
        let Line::Occurrence(one) = &row.line else { continue };
        if !chosen(one.number) {
            continue;
        }
        let when = appointment::span_words(one.span, &plan.site.zone, lang);
        let Some(place) = row.place else {
            refused.push((when, words::CAL_SAYS_TAKEN.of(lang)));
            continue;
        };
        let booking = Booking {
            place,
            patient: plan.person.id.clone(),
            // Sent twice, each occurrence is still booked once.
            form: format!("{form}-{}", one.number),
            hold: None,
            reason: None,
            comment: None,
            referral: None,
        };
        match wait(book::book(&visit.session, &plan.here.house, &booking)) {
            Ok(_) => made += 1,
            Err(fault) if finding::is_theirs(&fault) => {
                refused.push((when, finding::says(&fault, lang)));
            }
            Err(fault) => return Err(fault),
        }
    }
    if refused.is_empty() && made > 0 {
        let (site, date) = (&plan.site.location, plan.recurrence.from);
        return Ok(Answer::go(format!("/schedule?date={date}&site={site}&done=series")));
    }
    shown(visit, Some((made, &refused)))
}

/// What is asked for, read of an address or a form.
struct Plan {
    here: Here,
    person: Person,
    kind: VisitType,
    site: SiteHere,
    with: Option<Actor>,
    recurrence: Recurrence,
}

impl Plan {
    /// None when it is not asked yet, or not of anybody here.
    fn of(visit: &Visit, pairs: &[(String, String)]) -> Result<Option<Self>, Fault> {
        if !desk::books(visit) {
            return Ok(None);
        }
        let one = |name: &str| {
            let found = pairs.iter().find(|(key, value)| key == name && !value.is_empty());
            found.map(|(_, value)| value.as_str())
        };
        let (Some(patient), Some(kind), Some(date), Some(time)) =
            (one("patient"), one("type"), one("date"), one("time"))
        else {
            return Ok(None);
        };
        let Some(person) = whom::person(visit, patient)? else { return Ok(None) };
        let kind = match wait(book::visit_type(&visit.session, kind)) {
            Ok(kind) => kind,
            Err(fault) if desk::is(&fault, &[&code::NOT_FOUND, &code::GONE]) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        let here = Here::read(visit)?;
        let with = one("with").and_then(Actor::parse).filter(|actor| !actor.is_patient());
        let named = one("site").and_then(Actor::parse).and_then(|site| here.site(&site));
        let of_them = || with.as_ref().and_then(|actor| here.site_of(actor));
        let Some(site) = named.or_else(of_them).or_else(|| here.sites.first()).cloned() else {
            return Ok(None);
        };
        let wrong = |says: &str| Fault::new(&code::SCHEDULING_SERIES, says);
        let from: Date = date.parse().map_err(|_fault| wrong("give the first day"))?;
        let time = time.parse().map_err(|_fault| wrong("give a time"))?;
        let step: u16 =
            one("step").unwrap_or("1").parse().map_err(|_fault| wrong("the step is 1 to 100"))?;
        let count: u32 =
            one("count").unwrap_or("6").parse().map_err(|_fault| wrong("say how many"))?;
        if count > OCCURRENCES_MAX {
            return Err(wrong("a series of this form has at most 52 occurrences"));
        }
        let days = pairs.iter().filter(|(name, _)| name == "day");
        let mut on: Vec<_> =
            days.filter_map(|(_, day)| WEEK.get(day.parse::<usize>().ok()?).copied()).collect();
        if on.is_empty() {
            on.push(from.weekday());
        }
        let every = match one("every") {
            Some("days") => Every::Days(step),
            Some("months") => Every::MonthDay { step, day: from.day() },
            _ => Every::Weeks { step, on },
        };
        let recurrence = Recurrence { from, time, every, end: End::Count(count) };
        Ok(Some(Self { here, person, kind, site, with, recurrence }))
    }

    /// The occurrences, each with the place that is free for it.
    fn rows(&self, visit: &Visit) -> Result<Vec<Row>, Fault> {
        let site = Site {
            location: self.site.location.clone(),
            zone: self.site.zone.clone(),
            hours: Vec::new(),
            holidays: US_FEDERAL.to_vec(),
        };
        let minutes = self.kind.duration_minutes;
        let lines = preview(&self.recurrence, &site, minutes, |_, _| Verdict::default())?;
        let mut rows = Vec::with_capacity(lines.len());
        for line in lines {
            let place = match &line {
                Line::Occurrence(one) => self.free(visit, one)?,
                Line::NoSuchDay { .. } => None,
            };
            rows.push(Row { line, place });
        }
        Ok(rows)
    }

    /// The place that is free for an occurrence.
    fn free(&self, visit: &Visit, one: &Occurrence) -> Result<Option<Place>, Fault> {
        let start = one.span.start;
        let Some(window) = Span::new(start, Millis(start.0.saturating_add(MINUTE_MS))) else {
            return Ok(None);
        };
        let query = Query {
            visit_type: self.kind.id.clone().unwrap_or_default(),
            patient: Some(self.person.id.clone()),
            window,
            sites: vec![self.site.location.clone()],
            with: self.with.iter().cloned().collect(),
            modality: None,
            weekdays: Vec::new(),
            times: None,
            by: By::Site,
            language: None,
            patient_zone: None,
            step_minutes: 1,
            count: 1,
            one_per_start: true,
            instead_of: None,
        };
        let found = match wait(book::find(&visit.session, &self.here.house, &query)) {
            Ok(found) => found,
            Err(fault) if finding::is_theirs(&fault) => return Ok(None),
            Err(fault) => return Err(fault),
        };
        Ok(found.places.into_iter().next().map(|free| free.place))
    }
}

fn shown(visit: &Visit, told: Option<(usize, &[(String, &str)])>) -> Result<Answer, Fault> {
    if !desk::books(visit) {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let pairs = if told.is_some() { &visit.form } else { &visit.query };
    let field =
        |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, v)| v.as_str());
    let Some(person) = whom::person(visit, field("patient"))? else {
        return Ok(missing::page(visit));
    };
    let here = Here::read(visit)?;
    let types = wait(book::visit_types(&visit.session))?.rows;
    let (plan, fault) = match Plan::of(visit, pairs) {
        Ok(plan) => (plan, None),
        Err(fault) if finding::is_theirs(&fault) => (None, Some(fault)),
        Err(fault) => return Err(fault),
    };
    let (rows, fault) = match plan.as_ref().map(|plan| plan.rows(visit)) {
        Some(Ok(rows)) => (rows, fault),
        Some(Err(wrong)) if finding::is_theirs(&wrong) => (Vec::new(), Some(wrong)),
        Some(Err(fault)) => return Err(fault),
        None => (Vec::new(), fault),
    };
    let title = words::CAL_SERIES_BOOK.of(lang);
    let form = question(visit, &here, &types, pairs);
    let body = html! {
        (whom::head(visit, &person)?)
        h2.page-title { (title) }
        @if let Some(fault) = &fault { (finding::summary(fault, &here, lang)) }
        @if let Some((made, refused)) = told {
            (notice(Tone::Warning, &words::CAL_SERIES_MADE.with(lang, &made.to_string()), &html! {
                ul { @for (when, says) in refused { li { (when) " · " (says) } } }
            }))
        }
        (panel("series", words::CAL_WHAT_WHEN.of(lang), None, &form))
        @if let Some(plan) = &plan { @if !rows.is_empty() && told.is_none() {
            (panel("preview", words::CAL_PREVIEW.of(lang), None, &occurrences(visit, plan, &rows)))
        } }
    };
    let status = fault.as_ref().map_or(200, Fault::status);
    Ok(shell_with(visit, status, title, &[], &body))
}

fn question(visit: &Visit, here: &Here, types: &[VisitType], pairs: &[(String, String)]) -> Markup {
    let lang = visit.lang();
    let field =
        |name: &str| pairs.iter().find(|(key, _)| key == name).map_or("", |(_, v)| v.as_str());
    let or = |name: &str, other: &str| match field(name) {
        "" => other.to_owned(),
        value => value.to_owned(),
    };
    let kinds: Vec<_> =
        types.iter().filter_map(|one| Some((one.id.clone()?, one.title.clone()))).collect();
    let mut who = vec![(String::new(), words::CAL_ANYBODY.of(lang).to_owned())];
    who.extend(here.resources.iter().map(|one| (one.actor.to_string(), one.name.clone())));
    let sites: Vec<_> =
        here.sites.iter().map(|site| (site.location.to_string(), site.name.clone())).collect();
    let every: Vec<_> =
        EVERY.iter().map(|(code, word)| ((*code).to_owned(), word.of(lang).to_owned())).collect();
    let (date, time) = (field("date"), or("time", "09:00"));
    let (step, count) = (or("step", "1"), or("count", "6"));
    let days = words::WEEKDAYS.of(lang);
    html! {
        form.cal-form.stack method="get" action="/schedule/series" {
            input type="hidden" name="patient" value=(field("patient"));
            div.pair {
                (select(&Input { name: "type", label: words::CAL_VISIT.of(lang), value: field("type"), ..Input::default() }, &kinds))
                (select(&Input { name: "site", label: words::CAL_SITE.of(lang), value: field("site"), ..Input::default() }, &sites))
                (select(&Input { name: "with", label: words::WITH.of(lang), value: field("with"), ..Input::default() }, &who))
            }
            div.pair {
                (input("date", &Input { name: "date", label: words::CAL_FIRST_DAY.of(lang), value: date, is_required: true, ..Input::default() }))
                (input("time", &Input { name: "time", label: words::TIME.of(lang), value: &time, is_required: true, ..Input::default() }))
                (input("number", &Input { name: "step", label: words::CAL_EVERY.of(lang), value: &step, is_required: true, ..Input::default() }))
                (select(&Input { name: "every", label: words::CAL_UNIT.of(lang), value: field("every"), ..Input::default() }, &every))
                (input("number", &Input { name: "count", label: words::CAL_TIMES.of(lang), value: &count, is_required: true, ..Input::default() }))
            }
            fieldset { legend { (words::CAL_DAYS_OF_WEEKS.of(lang)) } div.cal-pick {
                @for (nth, day) in days.split(' ').enumerate() {
                    @let on = pairs.iter().any(|(name, value)| name == "day" && value.parse() == Ok(nth));
                    label { input type="checkbox" name="day" value=(nth) checked[on]; span { (day) } }
                }
            } }
            div { (button(Kind::Secondary, None, words::CAL_SHOW_ALL_OF_IT.of(lang))) }
        }
    }
}

fn occurrences(visit: &Visit, plan: &Plan, rows: &[Row]) -> Markup {
    let lang = visit.lang();
    let carried = visit.query.iter().filter(|(name, _)| CARRIED.contains(&name.as_str()));
    html! {
        form method="post" action="/schedule/series" {
            (hidden(visit))
            input type="hidden" name="form_id" value=(desk::draw_form(visit));
            @for (name, value) in carried { input type="hidden" name=(name) value=(value); }
            ol.cal-places { @for row in rows { li { (occurrence(plan, row, lang)) } } }
            div.pad { (button(Kind::Primary, Some(Icon::Today), words::CAL_SERIES_BUTTON.of(lang))) }
        }
    }
}

/// The fields that the question and the booking share.
const CARRIED: [&str; 10] =
    ["patient", "type", "site", "with", "date", "time", "step", "every", "count", "day"];

fn occurrence(plan: &Plan, row: &Row, lang: Lang) -> Markup {
    let one = match &row.line {
        Line::Occurrence(one) => one,
        Line::NoSuchDay { year, month } => {
            let month = days::shown(&format!("{year}-{month:02}"), lang);
            return html! { span.muted { (words::CAL_NO_SUCH_DAY.with(lang, &month)) } };
        }
    };
    let when = appointment::span_words(one.span, &plan.site.zone, lang);
    let who = row.place.as_ref().map(|place| {
        let names = place.with.iter().map(|(_, actor)| plan.here.name(actor));
        names.collect::<Vec<_>>().join(", ")
    });
    html! {
        label.row {
            input type="checkbox" name="take" value=(one.number) checked[row.place.is_some()] disabled[row.place.is_none()];
            span.number { (when) }
            @if let Some(who) = who { span.muted { (who) } }
        }
        div.row {
            @if row.place.is_none() { (badge(Tone::Critical, Icon::Close, words::CAL_NOT_FREE.of(lang))) }
            @else { (badge(Tone::Ok, Icon::Ok, words::CAL_FREE.of(lang))) }
            @if let Some(holiday) = one.holiday { (badge(Tone::Warning, Icon::Alert, &words::CAL_HOLIDAY.with(lang, holiday))) }
            @if one.clocks.is_some() { (badge(Tone::Warning, Icon::Clock, words::CAL_CLOCKS_SINCE.of(lang))) }
            @if let Some(Remark::Skipped { .. }) = one.placed.remark { (badge(Tone::Warning, Icon::Clock, words::CAL_SKIPPED.of(lang))) }
        }
    }
}
