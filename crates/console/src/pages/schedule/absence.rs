//! Somebody is away for a day: all their visits go to others who can have them at the same time. Who goes
//! where is shown before anything moves (`scheduling::bulk`), whoever has no place is told of, since
//! somebody has to telephone them, and for a while all of it can be taken back at once.

use super::desk::{self, Here};
use super::fields::{Input, input, select};
use super::{appointment, finding, waitlist};
use crate::answer::Answer;
use crate::pages::missing;
use crate::parts::shell::shell_with;
use crate::parts::{
    Column, Field, Icon, Kind, Table, Tone, badge, button, empty, field, hidden, link_button,
    notice, panel, table, toast,
};
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Word};
use base::{Fault, Phi};
use fhir::reference::is_id;
use jiff::civil::Date;
use maud::{Markup, html};
use scheduling::actor::Actor;
use scheduling::book::{self, Bookable, Entry, Grid, Move, Undo, Visit as Booked};
use scheduling::bulk::{plan, same_time_with};
use scheduling::diary::{Diary, Placement};
use scheduling::occupied::Status;
use scheduling::time::{MINUTE_MS, Zone};
use std::collections::BTreeMap;

/// Visits that one form moves: two full days. Their ids stand in one address afterwards.
const MOVES_MAX: usize = 40;

/// One visit of who is away, and who can have it.
struct Row {
    booked: Booked,
    to: Option<Actor>,
}

/// The page.
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    if !desk::changes(visit) {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let here = Here::read(visit)?;
    let away = Actor::parse(visit.parameter("with")).filter(|actor| here.resource(actor).is_some());
    let named = Actor::parse(visit.parameter("site"));
    let site =
        away.as_ref().and_then(|actor| here.site_of(actor).map(|s| s.location.clone())).or(named);
    let zone = here.zone(site.as_ref()).clone();
    let today = desk::today(visit, &zone);
    let date = visit.parameter("date").parse().unwrap_or(today);
    let title = words::CAL_ABSENCE.of(lang);
    let preview = match &away {
        None => html! {},
        Some(away) => preview(visit, &here, away, date, &zone)?,
    };
    let body = html! {
        (told(visit, &away, date))
        div.page-head { h1 { (title) } p.muted { (words::CAL_ABSENCE_WHY.of(lang)) } }
        (panel("who", words::CAL_WHO_AWAY.of(lang), None, &question(visit, &here, site.as_ref(), away.as_ref(), date)))
        (preview)
    };
    Ok(shell_with(visit, 200, title, &[], &body))
}

/// Moves what was shown and chosen.
pub(crate) fn carry_out(visit: &Visit) -> Result<Answer, Fault> {
    if !desk::changes(visit) {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let here = Here::read(visit)?;
    let Some(away) = Actor::parse(visit.field("with")) else { return Ok(missing::page(visit)) };
    let reason = visit.field("reason").trim();
    let (mut moved, mut refused) = (Vec::new(), Vec::new());
    let chosen = visit.form.iter().filter(|(name, _)| name == "move").take(MOVES_MAX);
    for (_, text) in chosen {
        let mut parts = text.splitn(3, '~');
        let (Some(id), Some(version), Some(to)) = (parts.next(), parts.next(), parts.next()) else {
            continue;
        };
        let (Ok(version), Some(to)) = (version.parse(), Actor::parse(to)) else { continue };
        if !is_id(id) {
            continue;
        }
        let booked = wait(book::appointment(&visit.session, id))?;
        let Some(span) = booked.span else { continue };
        let asked = Move {
            id: id.to_owned(),
            version,
            start: span.start,
            instead: vec![(away.clone(), to)],
            reason: (!reason.is_empty()).then(|| Phi::new(reason.to_owned())),
        };
        match wait(book::move_to(&visit.session, &here.house, &asked)) {
            Ok(done) => moved.extend(done.undo),
            Err(fault) if finding::is_theirs(&fault) => {
                let zone = appointment::zone(&booked, &here);
                let when = appointment::span_words(span, &zone, lang);
                let rules = finding::rules(&fault, &here, lang).join(", ");
                refused.push((
                    id.to_owned(),
                    when,
                    format!("{} {rules}", finding::says(&fault, lang)),
                ));
            }
            Err(fault) => return Err(fault),
        }
    }
    let date: String =
        visit.field("date").parse::<Date>().map_or_else(|_| String::new(), |d| d.to_string());
    let mut href = format!("/schedule/absence?with={away}&date={date}&done=bulk");
    for one in &moved {
        href.push_str(&format!("&m={}~{}~{}", one.id, one.version, one.before));
    }
    if refused.is_empty() {
        return Ok(Answer::go(href));
    }
    let title = words::CAL_ABSENCE.of(lang);
    let body = html! {
        h1 { (title) }
        (notice(Tone::Warning, &words::CAL_BULK_SOME.with(lang, &moved.len().to_string()), &html! {
            ul { @for (id, when, says) in &refused { li { a href={ "/appointments/" (id) } { (when) } " · " (says) } } }
        }))
        div { (link_button(Kind::Secondary, Some(Icon::Onward), words::CAL_ONWARD.of(lang), &href)) }
    };
    Ok(shell_with(visit, 409, title, &[], &body))
}

/// Takes back all that one form moved.
pub(crate) fn undo(visit: &Visit) -> Result<Answer, Fault> {
    if !desk::changes(visit) {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let (mut back, mut stays) = (0_usize, 0_usize);
    for one in moves(&visit.form) {
        match wait(book::undo(&visit.session, &one)) {
            Ok(_) => back += 1,
            Err(fault) if finding::is_theirs(&fault) => stays += 1,
            Err(fault) => return Err(fault),
        }
    }
    let with =
        Actor::parse(visit.field("with")).map_or_else(String::new, |actor| actor.to_string());
    let date: String =
        visit.field("date").parse::<Date>().map_or_else(|_| String::new(), |d| d.to_string());
    if stays == 0 {
        return Ok(Answer::go(format!("/schedule/absence?with={with}&date={date}&done=undone")));
    }
    let title = words::CAL_ABSENCE.of(lang);
    let say = words::CAL_UNDO_SOME.with(lang, &stays.to_string());
    let body = html! {
        h1 { (title) }
        (notice(Tone::Warning, &say, &html! { p { (words::CAL_UNDONE_COUNT.with(lang, &back.to_string())) } }))
        div { (link_button(Kind::Secondary, Some(Icon::Onward), words::CAL_ONWARD.of(lang), &format!("/schedule/absence?with={with}&date={date}"))) }
    };
    Ok(shell_with(visit, 409, title, &[], &body))
}

/// The moves that an address or a form names: id, version, and the version before.
fn moves(pairs: &[(String, String)]) -> Vec<Undo> {
    let all = pairs.iter().filter(|(name, _)| name == "m").take(MOVES_MAX);
    all.filter_map(|(_, text)| {
        let mut parts = text.splitn(3, '~');
        let id = parts.next().filter(|id| is_id(id))?.to_owned();
        let (version, before) = (parts.next()?.parse().ok()?, parts.next()?.parse().ok()?);
        Some(Undo { id, version, before })
    })
    .collect()
}

fn told(visit: &Visit, away: &Option<Actor>, date: Date) -> Markup {
    let lang = visit.lang();
    let done = moves(&visit.query);
    match visit.parameter("done") {
        "bulk" => {
            let undo = html! {
                form method="post" action="/schedule/absence/undo" {
                    (hidden(visit))
                    @if let Some(away) = away { input type="hidden" name="with" value=(away); }
                    input type="hidden" name="date" value=(date);
                    @for one in &done { input type="hidden" name="m" value={ (one.id) "~" (one.version) "~" (one.before) }; }
                    (button(Kind::Secondary, Some(Icon::Undo), words::UNDO.of(lang)))
                }
            };
            let says =
                words::counted(lang, words::CAL_ONE_MOVED, words::CAL_MANY_MOVED, done.len());
            html! {
                (toast(lang, &says, (!done.is_empty()).then_some(&undo)))
                @if let Some(away) = waitlist::away(visit).filter(|_| !done.is_empty()) { (away) }
            }
        }
        "undone" => toast(lang, words::CAL_DONE_UNDONE.of(lang), None),
        _ => html! {},
    }
}

fn question(
    visit: &Visit,
    here: &Here,
    site: Option<&Actor>,
    away: Option<&Actor>,
    date: Date,
) -> Markup {
    let lang = visit.lang();
    let at = |one: &&Bookable| site.is_none_or(|site| one.sites.contains(site));
    let mut who = vec![(String::new(), words::CAL_CHOOSE.of(lang).to_owned())];
    who.extend(
        here.resources.iter().filter(at).map(|one| (one.actor.to_string(), one.name.clone())),
    );
    let value = away.map_or_else(String::new, Actor::to_string);
    html! {
        form.cal-form.stack method="get" action="/schedule/absence" {
            @if let Some(site) = site { input type="hidden" name="site" value=(site); }
            div.pair {
                (select(&Input { name: "with", label: words::CAL_WHO_AWAY.of(lang), value: &value, is_required: true, ..Input::default() }, &who))
                (input("date", &Input { name: "date", label: words::CAL_DATE.of(lang), value: &date.to_string(), is_required: true, ..Input::default() }))
                (button(Kind::Secondary, None, words::CAL_SHOW.of(lang)))
            }
        }
    }
}

fn preview(
    visit: &Visit,
    here: &Here,
    away: &Actor,
    date: Date,
    zone: &Zone,
) -> Result<Markup, Fault> {
    let lang = visit.lang();
    let rows = rows(visit, here, away, date, zone)?;
    if rows.is_empty() {
        return Ok(empty(
            Icon::Ok,
            words::CAL_NOTHING_TO_MOVE.of(lang),
            words::CAL_NOTHING_TO_MOVE_WHY.of(lang),
            None,
        ));
    }
    let stranded = rows.iter().filter(|row| row.to.is_none()).count();
    let shown: Vec<Vec<Markup>> = rows.iter().map(|row| cells(visit, here, row, zone)).collect();
    let column = |word: Word| Column { label: word.of(lang), is_figure: false };
    let columns = [
        column(words::TIME),
        column(words::PATIENT),
        column(words::FOR),
        column(words::CAL_GOES_TO),
    ];
    let body = html! {
        form method="post" action="/schedule/absence" {
            (hidden(visit))
            input type="hidden" name="with" value=(away);
            input type="hidden" name="date" value=(date);
            (table(&Table { caption: words::CAL_PREVIEW.of(lang), columns: &columns, rows: &shown }))
            @if stranded > 0 { p.foot.muted { (words::counted(lang, words::CAL_ONE_STRANDED, words::CAL_MANY_STRANDED, stranded)) } }
            @if stranded < rows.len() {
                div.pad.stack {
                    (field(&Field { id: "reason", name: "reason", label: words::CAL_WHY_MOVED.of(lang), hint: words::CAL_WHY_MOVED_HINT.of(lang), value: words::CAL_WHY_SICK.of(lang), ..Field::default() }))
                    div { (button(Kind::Primary, Some(Icon::Onward), words::CAL_MOVE_ALL.of(lang))) }
                }
            }
        }
    };
    Ok(panel("preview", words::CAL_PREVIEW.of(lang), None, &body))
}

fn cells(visit: &Visit, here: &Here, row: &Row, zone: &Zone) -> Vec<Markup> {
    let lang = visit.lang();
    let booked = &row.booked;
    let span = booked.span.map(|span| {
        let wall = |at| zone.wall(at).strftime("%H:%M").to_string();
        format!("{}–{}", wall(span.start), wall(span.end))
    });
    let name = booked.patient.as_ref().and_then(|whom| whom.name.as_ref());
    vec![
        html! { a href={ "/appointments/" (booked.id) } { span.number { (span.unwrap_or_default()) } } },
        html! { @match name {
            Some(name) => (name.expose()),
            None => (badge(Tone::Sensitive, Icon::Withheld, words::CAL_BUSY.of(lang))),
        } },
        html! { (booked.title.expose()) },
        html! { @match &row.to {
            Some(to) => label.row {
                input type="checkbox" name="move" value={ (booked.id) "~" (booked.version) "~" (to) } checked;
                span { (here.name(to)) }
            },
            None => (badge(Tone::Critical, Icon::Phone, words::CAL_NO_ONE_FREE.of(lang))),
        } },
    ]
}

/// The visits of who is away, and by the plan of the department who can have each.
fn rows(
    visit: &Visit,
    here: &Here,
    away: &Actor,
    date: Date,
    zone: &Zone,
) -> Result<Vec<Row>, Fault> {
    let sites = here.resource(away).map(|one| one.sites.clone()).unwrap_or_default();
    let near = |one: &&Bookable| one.sites.iter().any(|site| sites.contains(site));
    let mut actors = vec![away.clone()];
    let others = here.resources.iter().filter(near).map(|one| one.actor.clone());
    actors.extend(others.filter(|actor| actor != away).take(super::asked::RESOURCES_MAX));
    let read = wait(book::day(&visit.session, &here.house, (date, date), zone, &actors))?;
    let (diary, mut visits) = diary(&read, visit)?;
    let roles = here.resource(away).map(|one| one.roles.clone()).unwrap_or_default();
    let pool: Vec<&book::Row> = read
        .rows
        .iter()
        .filter(|row| row.resource.roles.iter().any(|role| roles.contains(role)))
        .collect();
    let window = read.span;
    let made = plan(&diary, std::slice::from_ref(away), window, visit.now(), |_, from| {
        let open = |row: &&&book::Row| row.open.iter().any(|open| open.covers(from.span));
        let blocked = |row: &&&book::Row| {
            !row.entries.iter().any(|entry| match entry {
                Entry::Blocked { span, .. } | Entry::Withheld(span) => span.overlaps(from.span),
                Entry::Visit(_) => false,
            })
        };
        let free: Vec<Actor> = pool
            .iter()
            .filter(open)
            .filter(blocked)
            .map(|row| row.resource.actor.clone())
            .collect();
        same_time_with(from, std::slice::from_ref(away), &free)
    })?;
    let mut rows = Vec::new();
    for one in &made.moves {
        let to = one.to.actors.iter().find(|actor| !one.from.actors.contains(actor)).cloned();
        rows.extend(visits.remove(&one.id).map(|booked| Row { booked, to }));
    }
    rows.extend(
        made.stranded
            .iter()
            .filter_map(|id| visits.remove(id).map(|booked| Row { booked, to: None })),
    );
    rows.sort_by_key(|row| row.booked.span);
    Ok(rows)
}

/// The day as the plan asks for it, with the visits in it. What has begun stays where it is.
fn diary(read: &Grid, visit: &Visit) -> Result<(Diary, BTreeMap<String, Booked>), Fault> {
    let now = visit.now();
    let mut visits: BTreeMap<String, Booked> = BTreeMap::new();
    for entry in read.rows.iter().flat_map(|row| &row.entries) {
        if let Entry::Visit(one) = entry {
            visits.insert(one.id.clone(), one.clone());
        }
    }
    let mut diary = Diary::new();
    let known = |actor: &&Actor| read.rows.iter().any(|row| row.resource.actor == **actor);
    for (id, one) in &visits {
        let (Some(span), true) = (one.span, one.status.occupies()) else { continue };
        let (before, after) = one.buffers;
        let placement = Placement {
            span,
            buffers_ms: (i64::from(before) * MINUTE_MS, i64::from(after) * MINUTE_MS),
            actors: one.with.iter().filter(known).cloned().collect(),
        };
        // What is booked over others already takes part as far as it can.
        if let Err(fault) = diary.book(id, placement, now)
            && !finding::is_theirs(&fault)
        {
            return Err(fault);
        }
    }
    visits.retain(|_, one| {
        let ahead = one.span.is_some_and(|span| span.start > now);
        ahead && one.held.is_none() && matches!(one.status, Status::Booked | Status::Pending)
    });
    Ok((diary, visits))
}
