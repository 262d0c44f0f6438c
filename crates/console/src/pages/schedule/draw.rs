//! The grid as HTML: for each column a list in the order of time, each appointment a link that says who
//! comes, when, for what and how it stands, so that it reads well without being seen (WCAG 2.2, 1.3.1,
//! 2.4.4); the sheet puts them where the clock says. On a narrow page the lists stand below each other.

use super::grid::{Minutes, Placed, classes, clock};
use crate::parts::{Icon, Tone, icon};
use crate::words::{self, Lang};
use jiff::civil::Date;
use maud::{Markup, html};
use scheduling::time::MINUTE_MS;

/// A grid: the columns of one site, or the days of one resource, by one clock.
#[derive(Debug)]
pub(crate) struct Grid {
    /// What it is a grid of.
    pub(crate) label: String,
    /// The first hour shown, and the first that is not.
    pub(crate) hours: (u16, u16),
    /// The columns.
    pub(crate) columns: Vec<Column>,
}

/// One column.
#[derive(Debug, Default)]
pub(crate) struct Column {
    /// Names the column in this grid.
    pub(crate) key: String,
    /// Whose time it is.
    pub(crate) actor: String,
    /// At which site.
    pub(crate) site: String,
    /// On which date.
    pub(crate) date: Date,
    pub(crate) title: String,
    pub(crate) note: String,
    /// Where more of it is.
    pub(crate) href: String,
    /// The minute that it is now, on the day that is today.
    pub(crate) now: Option<u16>,
    /// Time in which nobody is there.
    pub(crate) shut: Vec<Minutes>,
    /// Time that can be booked, and the page that begins it.
    pub(crate) free: Vec<(Minutes, String)>,
    pub(crate) items: Vec<Placed<What>>,
}

/// What takes time.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum What {
    /// An appointment.
    Visit(Entry),
    /// Something that whoever asks may not see.
    Busy,
    /// Nobody is there: why.
    Block(String),
    /// Kept for somebody who is deciding.
    Hold {
        /// How much longer, in milliseconds.
        left_ms: i64,
        /// It is of whoever asks.
        is_mine: bool,
        /// It is kept for those on the waiting list who are asked.
        is_offered: bool,
    },
}

/// An appointment as the grid shows one.
#[derive(Clone, PartialEq, Eq, Default)]
pub(crate) struct Entry {
    pub(crate) id: String,
    pub(crate) version: u64,
    /// Who comes; none where that may not be seen.
    pub(crate) name: Option<String>,
    pub(crate) kind: String,
    pub(crate) status: String,
    /// From and until by the clock of the site, as it is and not as it is drawn.
    pub(crate) time: String,
    /// It may be moved from here.
    pub(crate) moves: bool,
}

/// They are about a person.
impl std::fmt::Debug for What {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("What")
    }
}

/// How an appointment stands: tone, icon and word
/// (<https://hl7.org/fhir/R4/valueset-appointmentstatus.html>).
pub(crate) fn state_of(status: &str, lang: Lang) -> (Tone, Icon, &str) {
    let (tone, which, word) = match status {
        "booked" => (Tone::Accent, Icon::Today, words::BOOKED),
        "pending" | "proposed" | "waitlist" => (Tone::Warning, Icon::Clock, words::PENDING),
        "arrived" => (Tone::Ok, Icon::Person, words::ARRIVED),
        "checked-in" => (Tone::Ok, Icon::Home, words::CAL_CHECKED_IN),
        "fulfilled" => (Tone::Neutral, Icon::Ok, words::FULFILLED),
        "cancelled" => (Tone::Neutral, Icon::Close, words::CANCELLED),
        "noshow" => (Tone::Critical, Icon::Warning, words::NO_SHOW),
        _ => return (Tone::Neutral, Icon::Info, status),
    };
    (tone, which, word.of(lang))
}

/// A grid.
pub(crate) fn grid(of: &Grid, lang: Lang) -> Markup {
    let (first, last) = of.hours;
    let now = of.columns.iter().find_map(|column| column.now);
    let shows = |minute: u16| first * 60 <= minute && minute < last * 60;
    let hours = format!("hours-{}", last - first);
    html! {
        div.cal role="region" aria-label=(of.label) tabindex="0" data-first=(first) data-last=(last) {
            div.cal-axis aria-hidden="true" {
                div.cal-head {}
                ul.cal-body.(hours) {
                    @for hour in first..last { li.{ "h-" (hour - first) } { (clock(hour * 60)) } }
                    @if let Some(now) = now.filter(|now| shows(*now)) {
                        li.cal-at.cal-now.(point(now, first)) { (clock(now)) }
                    }
                }
            }
            @for one in &of.columns { (column(one, of.hours, &hours, lang)) }
        }
    }
}

fn point(minute: u16, first: u16) -> String {
    classes(Minutes { from: minute, until: minute }, first)
}

fn column(of: &Column, (first, last): (u16, u16), hours: &str, lang: Lang) -> Markup {
    let head = format!("cal-{}", of.key);
    let clip =
        |at: Minutes| Minutes { from: at.from.max(first * 60), until: at.until.min(last * 60) };
    let shown = |at: &Minutes| at.from < at.until;
    let shut = of.shut.iter().map(|at| clip(*at)).filter(shown);
    let free = of.free.iter().map(|(at, href)| (clip(*at), href)).filter(|(at, _)| shown(at));
    let free = free.map(|(at, href)| (at.from, place_to_book(at, href, first, lang)));
    let items = of.items.iter().map(|one| (one.at.from, item(one, first, lang)));
    // Read one after the other, the column is in the order of time.
    let mut lines: Vec<(u16, Markup)> = free.chain(items).collect();
    lines.sort_by_key(|(from, _)| *from);
    html! {
        section.cal-col.is-today[of.now.is_some()] aria-labelledby=(head) {
            div.cal-head {
                h3 id=(head) { @if of.href.is_empty() { (of.title) } @else { a href=(of.href) { (of.title) } } }
                p.muted { (of.note) }
            }
            ol.cal-body.(hours) data-actor=(of.actor) data-site=(of.site) data-date=(of.date) data-title=(of.title) {
                @for at in shut { li.cal-at.cal-shut.(classes(at, first)) aria-hidden="true" {} }
                @for (_, line) in &lines { (line) }
                @if let Some(now) = of.now.filter(|now| first * 60 <= *now && *now < last * 60) {
                    li.cal-at.cal-now.(point(now, first)) aria-hidden="true" {}
                }
                @if of.items.is_empty() && of.free.is_empty() {
                    li.unseen { (words::CAL_NOTHING_HERE.of(lang)) }
                }
            }
        }
    }
}

fn place_to_book(at: Minutes, href: &str, first: u16, lang: Lang) -> Markup {
    html! {
        li.cal-at.(classes(at, first)) data-from=(at.from) {
            a.cal-free href=(href) data-book="" {
                span { (words::CAL_FREE.of(lang)) " " (clock(at.from)) "–" (clock(at.until)) }
            }
        }
    }
}

fn item(of: &Placed<What>, first: u16, lang: Lang) -> Markup {
    let mut place = classes(of.at, first);
    if of.lanes > 1 {
        place.push_str(&format!(" lane-{} of-{}", of.lane, of.lanes));
    }
    let span = format!("{}–{}", clock(of.at.from), clock(of.at.until));
    match &of.what {
        What::Visit(entry) => visit(entry, of.at, &place, lang),
        What::Busy => html! {
            li.cal-at.(place) { div.cal-card.cal-busy { (line(Icon::Withheld, words::CAL_BUSY.of(lang), &span)) } }
        },
        What::Block(why) => html! {
            li.cal-at.(place) { div.cal-card.cal-block.is-neutral { (line(Icon::Close, why, &span)) } }
        },
        What::Hold { left_ms, is_mine, is_offered } => {
            let word = match (is_offered, is_mine) {
                (true, _) => words::WAIT_HELD,
                (false, true) => words::CAL_HELD_BY_YOU,
                (false, false) => words::CAL_HELD,
            };
            let minutes = (left_ms / MINUTE_MS).max(1);
            let left = words::CAL_MINUTES_LEFT.with(lang, &minutes.to_string());
            // What is offered is held anew with each wave; any other hold goes when its time has passed.
            let gone = (!is_offered).then_some(left_ms);
            html! {
                li.cal-at.(place) data-left=[gone] { div.cal-card.cal-hold.is-warning {
                    @if *is_offered { a href="/waitlist" { (line(Icon::Clock, word.of(lang), &span)) } }
                    @else { (line(Icon::Clock, word.of(lang), &span)) }
                    span.cal-line { span.cal-type { (left) } }
                } }
            }
        }
    }
}

fn line(which: Icon, text: &str, span: &str) -> Markup {
    html! { span.cal-line { (icon(which)) span.cal-name { (text) } span.unseen { " " (span) } } }
}

fn visit(entry: &Entry, at: Minutes, place: &str, lang: Lang) -> Markup {
    let (tone, which, state) = state_of(&entry.status, lang);
    let is_over = matches!(entry.status.as_str(), "cancelled" | "noshow");
    let name = entry.name.as_deref().unwrap_or(words::CAL_BUSY.of(lang));
    let whole = format!("{} · {name} · {} · {state}", entry.time, entry.kind);
    html! {
        li.cal-at.(place) data-id=(entry.id) data-version=(entry.version) data-from=(at.from) data-long=(at.long()) data-moves[entry.moves] {
            a.cal-card.(tone.class()).is-over[is_over] href={ "/appointments/" (entry.id) } title=(whole) draggable="false" {
                span.cal-line { (icon(which)) span.cal-name { (name) } " " }
                span.cal-line { span.number { (entry.time.get(..5).unwrap_or_default()) } span.unseen { (entry.time.get(5..).unwrap_or_default()) }
                    " " span.cal-type { (entry.kind) } " " span.cal-state { (state) } }
            }
        }
    }
}

/// What the looks of the grid mean.
pub(crate) fn legend(lang: Lang) -> Markup {
    html! {
        ul.row aria-label=(words::CAL_LEGEND.of(lang)) {
            @for status in ["booked", "pending", "checked-in", "arrived", "fulfilled", "noshow"] {
                @let (tone, which, word) = state_of(status, lang);
                li { (crate::parts::badge(tone, which, word)) }
            }
        }
    }
}
