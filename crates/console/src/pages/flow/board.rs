//! The board: a column for each state, earliest visit first; and the wall, the same without names or
//! anything to press, to be read from the other side of a room.

use super::card::{Manner, card};
use super::day::{self, Chosen, Day};
use crate::answer::Answer;
use crate::booking::type_id;
use crate::days;
use crate::live;
use crate::pages::missing;
use crate::parts::{Icon, Kind, Tone, empty, icon, link_button, notice, toast};
use crate::parts::{bare, button, hidden, shell::shell_with, shell::walled};
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::Fault;
use maud::{Markup, html};
use scheduling::flow::State;
use std::collections::BTreeMap;

/// The columns: a heading, and the states that stand below it.
const LANES: &[(&str, Word, &[State])] = &[
    ("expected", words::FLOW_EXPECTED, &[State::Booked, State::Confirmed]),
    ("arrived", words::FLOW_ARRIVED, &[State::Arrived]),
    ("roomed", words::FLOW_ROOMED, &[State::Roomed]),
    ("with", words::FLOW_WITH, &[State::WithClinician]),
    ("done", words::FLOW_DONE, &[State::Done]),
];
/// Visits of one column on a wall: nobody turns the pages of one.
const WALL_MAX: usize = 8;
/// Who does not come stands below, closed.
const GONE: &[State] = &[State::NoShow, State::Cancelled];

/// Whether there is a board for whoever asks: who may see visits, and comes for none of their own.
pub(crate) fn is_shown(visit: &Visit) -> bool {
    crate::parts::finds_patients(visit)
        && type_id("Appointment").is_ok_and(|of| visit.session.may_search(of))
}

/// `/flow`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if !is_shown(visit) {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let chosen = Chosen::of(|name| visit.parameter(name).to_owned());
    let after = live::mark(visit);
    let day = day::today(visit, &chosen, None)?;
    let lanes = lanes(visit, &day, &chosen, Manner::Desk, &after);
    if visit.is_fragment() {
        return Ok(Answer::html(200, lanes));
    }
    let today = days::day_at(visit.now(), &visit.zone);
    let body = html! {
        div.page-head.flow-head {
            div {
                h1 { (words::FLOW_BOARD.of(lang)) }
                p.muted { (days::long(today, lang)) " · " (words::FLOW_ABOUT.of(lang)) }
            }
            (link_button(Kind::Secondary, Some(Icon::Gallery), words::FLOW_WALL.of(lang), &chosen.path("/flow/wall", &[])))
        }
        (said(visit, &chosen))
        (filters(visit, &day, &chosen))
        (lanes)
    };
    Ok(shell_with(visit, 200, words::FLOW_BOARD.of(lang), &["live.js"], &body))
}

/// `/flow/wall`
pub(crate) fn wall(visit: &Visit) -> Result<Answer, Fault> {
    if !is_shown(visit) {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let chosen = Chosen::of(|name| visit.parameter(name).to_owned());
    let names = visit.parameter("names") == "1";
    let after = live::mark(visit);
    let day = day::today(visit, &chosen, None)?;
    let lanes = lanes(visit, &day, &chosen, Manner::Wall { names }, &after);
    if visit.is_fragment() {
        return Ok(Answer::html(200, lanes));
    }
    let (other, word) = match names {
        true => (chosen.path("/flow/wall", &[]), words::FLOW_INITIALS),
        false => (chosen.path("/flow/wall", &[("names", "1")]), words::FLOW_NAMES),
    };
    let site = day.choices[2].get(&chosen.site);
    let body = html! {
        div.wall {
            div.flow-head {
                h1 { (site.map_or_else(|| words::FLOW_BOARD.of(lang), String::as_str)) }
                div.row {
                    button.button.is-secondary type="button" data-full="" hidden { (icon(Icon::Gallery)) span { (words::FLOW_FULL.of(lang)) } }
                    (link_button(Kind::Secondary, Some(Icon::Eye), word.of(lang), &other))
                    (link_button(Kind::Secondary, Some(Icon::Back), words::FLOW_BACK.of(lang), &chosen.path("/flow", &[])))
                }
            }
            (lanes)
        }
    };
    Ok(shell_with(visit, 200, words::FLOW_BOARD.of(lang), &["live.js"], &body))
}

/// `/wall`: the board on a device that nobody is signed in on, of one site or of all. It shows initials alone,
/// leads nowhere, and is fetched again every half minute; without a script the browser does that.
///
/// # Errors
/// As of any search.
pub(crate) fn device(visit: &Visit, site: &str) -> Result<Answer, Fault> {
    let lang = visit.lang();
    let site = Some(site).filter(|site| !site.is_empty()).map(|site| format!("Location/{site}"));
    let chosen = Chosen { site: site.unwrap_or_default(), ..Chosen::default() };
    let day = day::today(visit, &chosen, None)?;
    let lanes = lanes(visit, &day, &chosen, Manner::Device, "");
    if visit.is_fragment() {
        return Ok(Answer::html(200, lanes));
    }
    let name = day.choices[2].get(&chosen.site);
    let title = name.map_or_else(|| words::FLOW_BOARD.of(lang), String::as_str);
    Ok(walled(visit, 200, title, &html! { div.wall { h1 { (title) } (lanes) } }))
}

/// The same device when it shows no board: it is none, or something went wrong.
pub(crate) fn no_device(visit: &Visit, status: Option<u16>) -> Answer {
    let lang = visit.lang();
    // What passes is tried again; a device that is none asks no more.
    if let Some(status) = status {
        let title = words::WALL_FAILED.of(lang);
        let body = html! { h1 { (title) } p role="status" { (words::WALL_OFF.of(lang)) } };
        return walled(visit, status, title, &body);
    }
    let title = words::WALL_NO.of(lang);
    let body = html! {
        h1 { (title) }
        p role="status" { (words::WALL_NO_SAY.of(lang)) }
        div.row { (link_button(Kind::Secondary, None, words::WALL_STAFF.of(lang), "/kiosk/begin")) }
    };
    bare(visit, 403, title, &body)
}

/// The columns. A script fetches this part again when a visit changes.
fn lanes(visit: &Visit, day: &Day, chosen: &Chosen, manner: Manner, after: &str) -> Markup {
    let lang = visit.lang();
    let from = match manner {
        Manner::Desk => chosen.path("/flow", &[]),
        Manner::Wall { names: true } => chosen.path("/flow/wall", &[("names", "1")]),
        Manner::Wall { names: false } => chosen.path("/flow/wall", &[]),
        Manner::Device => "/wall".to_owned(),
    };
    let is_device = manner == Manner::Device;
    let off = if is_device { words::WALL_OFF } else { words::FLOW_LIVE_OFF };
    let of = |states: &[State]| -> Vec<_> {
        day.cards.iter().filter(|card| states.contains(&card.state)).collect()
    };
    let gone = of(GONE);
    html! {
        div #flow data-live=[(!is_device).then_some("visits")] data-wall=[is_device.then_some("30")] data-from=(from)
            data-after=(after) data-now=(visit.now().0) data-minutes=(words::FLOW_MINUTES.of(lang)) data-off=(off.of(lang)) {
            @if day.partial { (notice(Tone::Warning, words::FLOW_PARTIAL.of(lang), &html! {})) }
            @if day.cards.is_empty() { (nothing(visit, chosen, is_device)) } @else {
                div.lanes {
                    @for (id, word, states) in LANES {
                        @let cards = of(states);
                        section.lane.(format!("lane-{id}")) aria-labelledby={ "lane-" (id) } {
                            h2 id={ "lane-" (id) } { (word.of(lang)) " " span.lane-count.number { (cards.len()) } }
                            @if cards.is_empty() { p.muted.lane-none { (words::FLOW_NOBODY.of(lang)) } } @else {
                                @let most = if manner == Manner::Desk { usize::MAX } else { WALL_MAX };
                                ul { @for one in cards.iter().take(most) { (card(visit, day, one, chosen, manner)) } }
                                @if cards.len() > most {
                                    p.lane-none { (words::FLOW_AND_MORE.with(lang, &(cards.len() - most).to_string())) }
                                }
                            }
                        }
                    }
                }
                @if !gone.is_empty() && manner == Manner::Desk {
                    details.gone id="gone" {
                        summary { (words::FLOW_GONE.of(lang)) " " span.lane-count.number { (gone.len()) } }
                        ul { @for one in gone { (card(visit, day, one, chosen, manner)) } }
                    }
                }
            }
        }
    }
}

fn nothing(visit: &Visit, chosen: &Chosen, is_device: bool) -> Markup {
    let lang = visit.lang();
    let is_narrowed = *chosen != Chosen::default() && !is_device;
    let why = if is_narrowed { words::FLOW_NONE_CHOSEN } else { words::FLOW_EMPTY_WHY };
    let all = html! { (link_button(Kind::Secondary, None, words::FLOW_ALL.of(lang), "/flow")) };
    html! {
        section.panel {
            (empty(Icon::Today, words::FLOW_EMPTY.of(lang), why.of(lang), is_narrowed.then_some(&all)))
        }
    }
}

/// What was done just now, and its undo.
fn said(visit: &Visit, chosen: &Chosen) -> Markup {
    let lang = visit.lang();
    let told = visit.parameter("said");
    let number = |name: &str| visit.parameter(name).parse::<u64>().ok();
    let undo = match (number("version"), number("before")) {
        (Some(version), Some(before)) if !visit.parameter("id").is_empty() => Some(html! {
            form method="post" action="/flow/undo" {
                (hidden(visit))
                input type="hidden" name="id" value=(visit.parameter("id"));
                input type="hidden" name="version" value=(version);
                input type="hidden" name="before" value=(before);
                @for (name, value) in chosen.pairs() { input type="hidden" name=(name) value=(value); }
                (button(Kind::Quiet, Some(Icon::Undo), words::FLOW_UNDO.of(lang)))
            }
        }),
        _ => None,
    };
    html! {
        @match (told, State::parse(told)) {
            (_, Some(state)) => {
                (toast(lang, &words::FLOW_MOVED.with(lang, super::card::said(state).of(lang)), undo.as_ref()))
            },
            ("undone", _) => (toast(lang, words::FLOW_UNDONE.of(lang), None)),
            ("changed", _) => (notice(Tone::Critical, words::FLOW_CHANGED.of(lang), &html! { p { (words::FLOW_CHANGED_WHY.of(lang)) } })),
            ("step", _) => (notice(Tone::Critical, words::FLOW_CHANGED.of(lang), &html! { p { (words::FLOW_STEP_WRONG.of(lang)) } })),
            _ => {},
        }
    }
}

fn filters(visit: &Visit, day: &Day, chosen: &Chosen) -> Markup {
    let lang = visit.lang();
    let [clinicians, rooms, sites] = &day.choices;
    let all = [
        ("site", words::FLOW_SITE, sites, &chosen.site),
        ("clinician", words::FLOW_CLINICIAN, clinicians, &chosen.clinician),
        ("room", words::FLOW_ROOM, rooms, &chosen.room),
    ];
    html! {
        form.flow-filters method="get" action="/flow" {
            @for (name, word, choices, value) in all {
                // One alone is no choice.
                @if choices.len() > 1 || !value.is_empty() { (choice(name, word, choices, value, lang)) }
            }
            @if day.choices.iter().any(|choices| choices.len() > 1) {
                (button(Kind::Secondary, None, words::FLOW_SHOW.of(lang)))
            }
        }
    }
}

fn choice(
    name: &str,
    word: Word,
    all: &BTreeMap<String, String>,
    value: &str,
    lang: Lang,
) -> Markup {
    let mut sorted: Vec<_> = all.iter().collect();
    sorted.sort_by_key(|(_, shown)| shown.as_str());
    html! {
        div.field {
            label for={ "flow-" (name) } { (word.of(lang)) }
            select id={ "flow-" (name) } name=(name) {
                option value="" { (words::FLOW_ALL.of(lang)) }
                @for (reference, shown) in sorted {
                    option value=(reference) selected[reference == value] { (shown) }
                }
            }
        }
    }
}
