//! The schedule: a day of a site with a column for each person and room, or a week of one of them. Each
//! site keeps its own time and says which; what whoever asks may not see stands as taken and no more
//! (FHIR R4 Schedule, Slot and Appointment, <https://hl7.org/fhir/R4/schedule.html>).

pub(crate) mod absence;
pub(crate) mod act;
pub(crate) mod appointment;
mod asked;
pub(crate) mod confirm;
pub(crate) mod desk;
pub(crate) mod draw;
pub(crate) mod fields;
mod finding;
mod grid;
pub(crate) mod place;
pub(crate) mod series;
pub(crate) mod waiting;
pub(crate) mod waitlist;
mod whom;

use crate::answer::Answer;
use crate::days;
use crate::pages::missing;
use crate::parts::shell::shell_with;
use crate::parts::{
    Icon, Kind, Tab, Tone, button, empty, hidden, icon, link_button, notice, tabs, toast,
};
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Lang, Word};
use asked::{Asked, RESOURCES_MAX, View};
use base::Fault;
use desk::Here;
use draw::{Column, Entry, Grid, What};
use fhir::reference::is_id;
use grid::{Minutes, beside, clock, hours, without};
use jiff::civil::Date;
use maud::{Markup, html};
use scheduling::actor::Actor;
use scheduling::book::{self, Bookable, Entry as Taken, Row, SiteHere};
use scheduling::calendar::Why;
use scheduling::occupied::Status;
use scheduling::time::{Span, Zone};

/// Free time that is too short to begin anything in.
const FREE_MIN: u16 = 5;

/// The page.
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if !desk::sees(visit) {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let here = Here::read(visit)?;
    let asked = Asked::of(visit);
    let Some(site) = site(visit, &here, &asked) else {
        let say = (words::CAL_NO_SITES.of(lang), words::CAL_NO_SITES_WHY.of(lang));
        let body = html! { h1 { (words::CAL_SCHEDULE.of(lang)) } (empty(Icon::Today, say.0, say.1, None)) };
        return Ok(shell_with(visit, 200, words::CAL_SCHEDULE.of(lang), &[], &body));
    };
    let today = desk::today(visit, &site.zone);
    let date = asked.date.unwrap_or(today);
    let shown = Shown { visit, here: &here, asked: &asked, site, date, today };
    let (grid, left_out, partial) = match asked.view {
        View::Day => shown.day()?,
        View::Week => shown.week()?,
    };
    let clocks = clocks(&site.zone, date, asked.view, lang);
    let body = html! {
        (told(visit, &asked))
        @if let Some(freed) = waitlist::freed(visit)? { (freed) }
        div.page-head {
            h1 { (words::CAL_SCHEDULE.of(lang)) }
            p.lead { (shown.title()) }
            p.muted { (site.name) " · " (zone_words(&site.zone, visit, lang)) }
        }
        (shown.tools())
        @if let Some(clocks) = clocks { (notice(Tone::Warning, clocks, &html! { p { (words::CAL_CLOCKS_WHY.of(lang)) } })) }
        @if grid.columns.is_empty() {
            (empty(Icon::Today, words::CAL_NOBODY.of(lang), words::CAL_NOBODY_WHY.of(lang), None))
        } @else {
            (draw::grid(&grid, lang))
        }
        @if left_out > 0 { p.muted { (words::counted(lang, words::CAL_ONE_LEFT_OUT, words::CAL_MANY_LEFT_OUT, left_out)) } }
        @if partial || here.more { p.row.muted { (icon(Icon::Info)) (words::CAL_PARTIAL_WHY.of(lang)) } }
        (draw::legend(lang))
        @if desk::changes(visit) { (move_form(visit, &asked)) }
    };
    Ok(shell_with(visit, 200, words::CAL_SCHEDULE.of(lang), &["calendar.js"], &body))
}

/// The way from a patient's page to booking for them, for who may.
pub(crate) fn follow_up(visit: &Visit, id: &str) -> Option<Markup> {
    let word = words::CAL_FOLLOW_UP.of(visit.lang());
    let href = format!("/schedule/book?patient={id}");
    desk::books(visit).then(|| link_button(Kind::Secondary, Some(Icon::Plus), word, &href))
}

/// The site that is shown: the one asked for, else that of whoever is asked for, else one's own, else
/// the first.
fn site<'h>(visit: &Visit, here: &'h Here, asked: &Asked) -> Option<&'h SiteHere> {
    let named = asked.site.as_ref().and_then(|site| here.site(site));
    let of = |actor: &Actor| here.site_of(actor);
    named
        .or_else(|| asked.with.iter().find_map(of))
        .or_else(|| desk::own(visit).as_ref().and_then(of))
        .or_else(|| here.sites.first())
}

/// The zone of a site, in words.
pub(crate) fn zone_words(zone: &Zone, visit: &Visit, lang: Lang) -> String {
    let minutes = zone.offset_s(visit.now()) / 60;
    let sign = if minutes < 0 { '−' } else { '+' };
    let offset = format!("UTC{sign}{:02}:{:02}", minutes.abs() / 60, minutes.abs() % 60);
    words::CAL_ZONE.with(lang, &format!("{} ({offset})", zone.name()))
}

/// That the clocks change within what is shown.
fn clocks(zone: &Zone, date: Date, view: View, lang: Lang) -> Option<&'static str> {
    let (from, days) = match view {
        View::Day => (date, 1),
        View::Week => (monday(date), 7),
    };
    let changes = (0..days).any(|nth| {
        let day = zone.day(days::days_from(from, nth));
        day.is_ok_and(|day| zone.offset_s(day.start) != zone.offset_s(day.end))
    });
    changes.then(|| words::CAL_CLOCKS.of(lang))
}

fn monday(date: Date) -> Date {
    days::days_from(date, -i32::from(date.weekday().to_monday_zero_offset()))
}

/// What was done before this page, with the way back.
fn told(visit: &Visit, asked: &Asked) -> Markup {
    let lang = visit.lang();
    let word = match visit.parameter("done") {
        "booked" => words::CAL_DONE_BOOKED,
        "moved" => words::CAL_DONE_MOVED,
        "cancelled" => words::CAL_DONE_CANCELLED,
        "noshow" => words::CAL_DONE_NO_SHOW,
        "undone" => words::CAL_DONE_UNDONE,
        "series" => words::CAL_DONE_SERIES,
        _ => return html! {},
    };
    let undo = act::undo_form(visit, &asked.href());
    let of = visit.parameter("of");
    // What was booked is not looked for in the grid by whoever booked it.
    let next = html! {
        @if let Some(undo) = &undo { (undo) }
        @if is_id(of) && visit.parameter("done") == "booked" {
            (link_button(Kind::Secondary, None, words::CAL_OPEN_BOOKED.of(lang), &format!("/appointments/{of}")))
        }
    };
    toast(lang, word.of(lang), Some(&next))
}

struct Shown<'s> {
    visit: &'s Visit,
    here: &'s Here,
    asked: &'s Asked,
    site: &'s SiteHere,
    date: Date,
    today: Date,
}

impl Shown<'_> {
    fn title(&self) -> String {
        let lang = self.visit.lang();
        let one = self.asked.with.first().filter(|_| self.asked.view == View::Week);
        match one {
            Some(actor) => {
                let week = words::CAL_WEEK_OF
                    .with(lang, &days::shown(&monday(self.date).to_string(), lang));
                format!("{} · {week}", self.here.name(actor))
            }
            None => capital(&days::long(self.date, lang)),
        }
    }

    /// A day: a column for each resource of the site.
    fn day(&self) -> Result<(Grid, usize, bool), Fault> {
        let lang = self.visit.lang();
        let named = |one: &&Bookable| self.asked.with.contains(&one.actor);
        let at_site = |one: &&Bookable| one.sites.contains(&self.site.location);
        let mut resources: Vec<&Bookable> = match self.asked.with.is_empty() {
            true => self.here.resources.iter().filter(at_site).collect(),
            false => self.here.resources.iter().filter(named).collect(),
        };
        // One's own column first, then people before rooms and devices.
        let own = desk::own(self.visit);
        resources.sort_by_key(|one| (own.as_ref() != Some(&one.actor), one.roles.first().copied()));
        let too_many = resources.len() > RESOURCES_MAX;
        resources.truncate(RESOURCES_MAX);
        let actors: Vec<Actor> = resources.iter().map(|one| one.actor.clone()).collect();
        let dates = (self.date, self.date);
        let session = &self.visit.session;
        let read = wait(book::day(session, &self.here.house, dates, &self.site.zone, &actors))?;
        let mut columns = Vec::new();
        let mut left_out = 0;
        for row in &read.rows {
            // Who has nothing on this day takes no room, unless they were asked for.
            if row.open.is_empty() && row.entries.is_empty() && self.asked.with.is_empty() {
                left_out += 1;
                continue;
            }
            let mut column = self.column(row, self.date, columns.len());
            column.title.clone_from(&row.resource.name);
            column.note = match row.resource.specialty.is_empty() {
                true => role_word(&row.resource).of(lang).to_owned(),
                false => row.resource.specialty.clone(),
            };
            let week = Asked {
                view: View::Week,
                with: vec![row.resource.actor.clone()],
                ..self.asked.on(Some(self.date))
            };
            column.href = week.href();
            columns.push(column);
        }
        Ok((self.grid(columns), left_out, read.partial || too_many))
    }

    /// A week: a column for each day of one resource.
    fn week(&self) -> Result<(Grid, usize, bool), Fault> {
        let lang = self.visit.lang();
        let from = monday(self.date);
        let until = days::days_from(from, 6);
        let session = &self.visit.session;
        let (house, zone) = (&self.here.house, &self.site.zone);
        let read = wait(book::day(session, house, (from, until), zone, &self.asked.with))?;
        let mut columns = Vec::new();
        for row in read.rows.iter().take(1) {
            for nth in 0..7 {
                let date = days::days_from(from, nth);
                let mut column = self.column(row, date, columns.len());
                // A weekend on which nobody works takes no room.
                let is_empty = column.items.is_empty() && column.free.is_empty();
                if nth >= 5 && is_empty {
                    continue;
                }
                column.title = capital(&days::long(date, lang));
                let count = column.items.iter().filter(|one| matches!(one.what, What::Visit(_)));
                column.note = words::counted(
                    lang,
                    words::ONE_APPOINTMENT,
                    words::MANY_APPOINTMENTS,
                    count.count(),
                );
                let day = Asked { view: View::Day, with: Vec::new(), ..self.asked.on(Some(date)) };
                column.href = day.href();
                columns.push(column);
            }
        }
        Ok((self.grid(columns), 0, read.partial))
    }

    fn grid(&self, columns: Vec<Column>) -> Grid {
        let free = columns.iter().flat_map(|column| column.free.iter().map(|(at, _)| *at));
        let taken = columns.iter().flat_map(|column| column.items.iter().map(|one| one.at));
        let all: Vec<Minutes> = free.chain(taken).collect();
        // A block of a whole day says nothing of the hours that are worth showing.
        let whole = |at: &Minutes| at.long() >= grid::DAY - 60;
        let hours = hours(all.iter().copied().filter(|at| !whole(at)));
        Grid { label: self.title(), hours, columns }
    }

    fn column(&self, row: &Row, date: Date, nth: usize) -> Column {
        let zone = &self.site.zone;
        let on = |span: Span| Minutes::of(span, date, zone);
        let open: Vec<Minutes> = row.open.iter().filter_map(|span| on(*span)).collect();
        let mut items = Vec::new();
        let mut taken: Vec<Minutes> = Vec::new();
        for entry in &row.entries {
            let (span, what, takes) = match entry {
                Taken::Withheld(span) => (*span, What::Busy, true),
                Taken::Blocked { span, why, .. } => {
                    (*span, What::Block(why_word(*why).of(self.visit.lang()).to_owned()), true)
                }
                Taken::Visit(one) => {
                    if one.status == Status::Cancelled && !self.asked.cancelled {
                        continue;
                    }
                    let Some(span) = one.span else { continue };
                    (span, self.entry(one, span), one.status.occupies())
                }
            };
            let Some(at) = on(span) else { continue };
            if takes {
                taken.push(at);
            }
            items.push((at, what));
        }
        let now = (date == self.today).then(|| {
            let wall = zone.wall(self.visit.now());
            u16::try_from(i32::from(wall.hour()) * 60 + i32::from(wall.minute())).unwrap_or(0)
        });
        let past = match (date < self.today, now) {
            (true, _) => Some(grid::DAY),
            (false, now) => now.map(|now| now.div_ceil(15) * 15),
        };
        taken.extend(past.filter(|until| *until > 0).map(|until| Minutes { from: 0, until }));
        let books = desk::books(self.visit);
        let free = without(&open, &taken).into_iter().filter(|at| at.long() >= FREE_MIN && books);
        Column {
            key: nth.to_string(),
            actor: row.resource.actor.to_string(),
            site: self.site.location.to_string(),
            date,
            now,
            shut: without(&[Minutes { from: 0, until: grid::DAY }], &open),
            free: free.map(|at| (at, self.book_href(row, date, at.from))).collect(),
            items: beside(items),
            ..Column::default()
        }
    }

    fn book_href(&self, row: &Row, date: Date, from: u16) -> String {
        let (site, with) = (&self.site.location, &row.resource.actor);
        format!("/schedule/book?site={site}&with={with}&date={date}&time={}", clock(from))
    }

    fn entry(&self, one: &book::Visit, span: Span) -> What {
        let now = self.visit.now();
        if let Some(held) = &one.held {
            let is_offered = one.is_offered;
            let left_ms = held.until.0.saturating_sub(now.0).max(0);
            return What::Hold { left_ms, is_mine: held.own, is_offered };
        }
        let lang = self.visit.lang();
        let name = match &one.patient {
            None => Some(words::CAL_NO_PATIENT.of(lang).to_owned()),
            Some(whom) => whom.name.as_ref().map(|name| name.expose().clone()),
        };
        if name.is_none() {
            return What::Busy;
        }
        let zone = &self.site.zone;
        let wall = |at| zone.wall(at).strftime("%H:%M").to_string();
        let moves = matches!(one.status, Status::Booked | Status::Pending | Status::Proposed);
        What::Visit(Entry {
            id: one.id.clone(),
            version: one.version,
            name,
            kind: one.title.expose().clone(),
            status: one.status.as_str().to_owned(),
            time: format!("{}–{}", wall(span.start), wall(span.end)),
            moves: moves && desk::changes(self.visit),
        })
    }

    /// What is shown, and the ways to show something else.
    fn tools(&self) -> Markup {
        let (asked, lang) = (self.asked, self.visit.lang());
        let step = match asked.view {
            View::Day => 1,
            View::Week => 7,
        };
        let on = |days: i32| asked.on(Some(days::days_from(self.date, days))).href();
        let at_site = |one: &&Bookable| one.sites.contains(&self.site.location);
        let sites: Vec<Tab<'_>> = self
            .here
            .sites
            .iter()
            .map(|site| Tab {
                label: &site.name,
                href: Asked {
                    view: View::Day,
                    site: Some(site.location.clone()),
                    with: Vec::new(),
                    ..asked.clone()
                }
                .href(),
                is_here: site.location == self.site.location,
            })
            .collect();
        let arrow = |which: Icon, word: Word, href: String| {
            html! { a.button.is-secondary href=(href) aria-label=(word.of(lang)) { (icon(which)) } }
        };
        let (before, after) = match asked.view {
            View::Day => (words::CAL_DAY_BEFORE, words::CAL_DAY_AFTER),
            View::Week => (words::CAL_WEEK_BEFORE, words::CAL_WEEK_AFTER),
        };
        let own = desk::own(self.visit).filter(|own| self.here.resource(own).is_some());
        html! {
            @if sites.len() > 1 { (tabs(words::CAL_SITES.of(lang), &sites)) }
            div.cal-tools {
                div.row {
                    (arrow(Icon::Back, before, on(-step)))
                    (link_button(Kind::Secondary, None, words::CAL_TODAY.of(lang), &asked.on(None).href()))
                    (arrow(Icon::Onward, after, on(step)))
                }
                form.row method="get" action="/schedule" {
                    @if asked.view == View::Week { input type="hidden" name="view" value="week"; }
                    input type="hidden" name="site" value=(self.site.location);
                    label.unseen for="cal-date" { (words::CAL_DATE.of(lang)) }
                    input #cal-date type="date" name="date" value=(self.date) required;
                    @if asked.view == View::Week {
                        @for actor in &asked.with { input type="hidden" name="with" value=(actor); }
                    } @else {
                        details.menu {
                            summary { span { (words::CAL_WHO.of(lang)) } (icon(Icon::Down)) }
                            div.menu-body.pad { fieldset.cal-pick {
                                legend { (words::CAL_WHO_HINT.of(lang)) }
                                @for one in self.here.resources.iter().filter(at_site).take(RESOURCES_MAX) {
                                    label { input type="checkbox" name="with" value=(one.actor) checked[asked.with.contains(&one.actor)]; span { (one.name) } }
                                }
                                label { input type="checkbox" name="cancelled" value="1" checked[asked.cancelled]; span { (words::CAL_SHOW_CANCELLED.of(lang)) } }
                            } }
                        }
                    }
                    (button(Kind::Secondary, None, words::CAL_SHOW.of(lang)))
                }
                div.row.push {
                    @if asked.view == View::Week {
                        (link_button(Kind::Secondary, Some(Icon::Today), words::CAL_DAY.of(lang), &Asked { view: View::Day, with: Vec::new(), ..asked.clone() }.href()))
                    } @else if let Some(own) = own {
                        (link_button(Kind::Secondary, Some(Icon::Today), words::CAL_MY_WEEK.of(lang), &Asked { view: View::Week, with: vec![own], ..asked.clone() }.href()))
                    }
                    @if desk::changes(self.visit) {
                        (link_button(Kind::Secondary, Some(Icon::Person), words::CAL_ABSENCE.of(lang), &format!("/schedule/absence?site={}&date={}", self.site.location, self.date)))
                    }
                    (link_button(Kind::Secondary, Some(Icon::Clock), words::WAIT_LIST.of(lang), "/waitlist"))
                    @if desk::books(self.visit) {
                        (link_button(Kind::Primary, Some(Icon::Plus), words::CAL_BOOK.of(lang), &format!("/schedule/book?site={}&date={}", self.site.location, self.date.max(self.today))))
                    }
                }
            }
        }
    }
}

/// The form that a drag or its keys fill in and send; without a script the page of the appointment has
/// the same.
fn move_form(visit: &Visit, asked: &Asked) -> Markup {
    let lang = visit.lang();
    html! {
        p.muted.cal-keys { (words::CAL_MOVE_KEYS.of(lang)) }
        form #cal-move method="post" action="/schedule" hidden data-how=(words::CAL_MOVE_HOW.of(lang)) data-kept=(words::CAL_MOVE_KEPT.of(lang)) {
            (hidden(visit))
            input type="hidden" name="back" value=(asked.href());
            @for name in ["version", "date", "time", "from", "with", "site"] { input type="hidden" name=(name); }
        }
        p #cal-said.cal-said.toast role="status" {}
    }
}

/// Why somebody is not there.
pub(crate) const fn why_word(why: Why) -> Word {
    match why {
        Why::Holiday => words::CAL_WHY_HOLIDAY,
        Why::Leave => words::CAL_WHY_LEAVE,
        Why::Sick => words::CAL_WHY_SICK,
        Why::Other => words::CAL_WHY_OTHER,
    }
}

/// As what somebody or something is booked first.
pub(crate) fn role_word(of: &Bookable) -> Word {
    use scheduling::actor::Role;
    match of.roles.first() {
        Some(Role::Clinician) => words::CLINICIAN,
        Some(Role::Assistant) => words::NURSE,
        Some(Role::Interpreter) => words::CAL_INTERPRETER,
        Some(Role::Device) => words::CAL_DEVICE,
        Some(Role::Room) | None => words::CAL_ROOM,
    }
}

fn capital(text: &str) -> String {
    let mut letters = text.chars();
    letters.next().map_or_else(String::new, |first| first.to_uppercase().chain(letters).collect())
}
