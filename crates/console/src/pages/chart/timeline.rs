//! The chart in the order of time, and one visit of it. Each has an address of its own that says which
//! filters are in force and behind which row the page begins, and names nobody.

use super::summary::{sign_name, sign_value};
use super::{Open, at, framed, may, open, told};
use crate::answer::Answer;
use crate::booking;
use crate::days;
use crate::pages::missing;
use crate::parts::{Icon, Kind, Tone, badge, button, empty, facts, icon, link_button, panel};
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::Fault;
use base::error::code;
use charting::timeline::{self, Filter, Happened, Item, Place, Row, Timeline};
use fhir::reference::is_id;
use maud::{Markup, html};
use record::Reach;

/// `/p/{id}/timeline`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some(open) = open(visit)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let filter = filter(visit);
    let after = Some(visit.parameter("after")).filter(|text| !text.is_empty());
    // A place that is none is the beginning: an address that was cut still leads somewhere.
    let after = after.and_then(|text| Place::of(text).ok());
    let found = match timeline::page(&visit.session, &open.person.id, &filter, after.as_ref()) {
        Ok(found) => found.wait()?,
        Err(fault) if fault.code().name == code::SEARCH_VALUE.name => {
            Timeline { rows: Vec::new(), total: Some(0), next: None, withheld: Vec::new() }
        }
        Err(fault) => return Err(fault),
    };
    let body = html! {
        (told(visit, &open))
        (narrowing(visit, &open, &filter, &found))
        (panel("timeline", words::CHART_TIMELINE.of(lang), Some(&count(&found, lang)), &html! {
            (rows(&open, &found, lang))
            (withheld(&found, lang))
        }))
        (onward(visit, &open, &found, after.is_some()))
    };
    Ok(framed(visit, (200, words::CHART_TIMELINE.of(lang)), &open, &body))
}

/// `/p/{id}/encounters/{encounter}`
pub(crate) fn encounter(visit: &Visit) -> Result<Answer, Fault> {
    let Some(open) = open(visit)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let id = part(visit, 3);
    let found = timeline::visit(&visit.session, &open.person.id, id)?.wait()?;
    let Some(one) = found else { return Ok(missing::page(visit)) };
    let filter = Filter { visit: Some(id.to_owned()), ..Filter::default() };
    let mut found = timeline::page(&visit.session, &open.person.id, &filter, None)?.wait()?;
    found.rows.retain(|row| row.items.iter().all(|item| item.kind != "Encounter"));
    let names: Vec<&str> = one.who.iter().map(|who| who.display.as_str()).collect();
    let reasons: Vec<&str> = one.reasons.iter().map(|reason| reason.text.as_str()).collect();
    let title = [one.kind.text.as_str(), reasons.first().copied().unwrap_or_default(), &one.class]
        .into_iter()
        .find(|text| !text.is_empty())
        .unwrap_or(words::CHART_VISIT.of(lang));
    let unknown = || html! { span.muted { (words::NOT_KNOWN.of(lang)) } };
    let plain = |text: &str| {
        if text.is_empty() {
            unknown()
        } else {
            html! { (text) }
        }
    };
    let until = if one.ended.is_empty() { String::new() } else { at(&one.ended, lang) };
    let about = facts(&[
        (words::CHART_BEGAN.of(lang), plain(&at(&one.began, lang))),
        (words::CHART_ENDED.of(lang), plain(&until)),
        (words::STATE.of(lang), plain(&status(&one.status, lang))),
        (words::CHART_CLASS.of(lang), plain(&one.class)),
        (words::CHART_REASON.of(lang), plain(&reasons.join(", "))),
        (words::CHART_WHO.of(lang), plain(&names.join(", "))),
    ]);
    let query = format!("?encounter={id}");
    let body = html! {
        (told(visit, &open))
        div.row.chart-actions {
            @if may(visit, "Observation") {
                (link_button(Kind::Secondary, Some(Icon::Health), words::CHART_ENTER_VITALS.of(lang), &open.path(&format!("/vitals{query}"))))
            }
            @if may(visit, "DocumentReference") && visit.session.signer().is_some() {
                (link_button(Kind::Secondary, Some(Icon::Pen), words::CHART_WRITE_NOTE.of(lang), &open.path(&format!("/write{query}"))))
            }
            (link_button(Kind::Quiet, Some(Icon::Clock), words::CHART_HISTORY.of(lang), &open.path(&format!("/history/Encounter/{id}"))))
        }
        (panel("visit", title, None, &about))
        (panel("of-visit", words::CHART_OF_THIS_VISIT.of(lang), None, &html! {
            (rows(&open, &found, lang))
            (withheld(&found, lang))
            @if found.next.is_some() {
                p.foot { a href=(open.path(&format!("/timeline{query}"))) { (words::CHART_ALL_OF_VISIT.of(lang)) } }
            }
        }))
    };
    Ok(framed(visit, (200, title), &open, &body))
}

/// What the address narrows the timeline to.
fn filter(visit: &Visit) -> Filter {
    let chosen = |name: &str| visit.query.iter().any(|(key, value)| key == "kind" && value == name);
    let kinds = Happened::ALL.into_iter().filter(|kind| chosen(kind.name())).collect();
    let day = |name: &str| visit.parameter(name).parse::<jiff::civil::Date>().ok();
    let bound = |day: Option<jiff::civil::Date>| {
        day.and_then(|day| days::bounds(day, &visit.zone)).map(|(start, _)| start)
    };
    let after_last = day("until").map(|day| days::days_from(day, 1));
    let (author, encounter) = (visit.parameter("author"), visit.parameter("encounter"));
    Filter {
        kinds,
        from: bound(day("from")),
        before: bound(after_last),
        author: author
            .strip_prefix("Practitioner/")
            .filter(|id| is_id(id))
            .map(|_| author.to_owned()),
        visit: is_id(encounter).then(|| encounter.to_owned()),
    }
}

/// The form that narrows it.
fn narrowing(visit: &Visit, open: &Open, filter: &Filter, found: &Timeline) -> Markup {
    let lang = visit.lang();
    let mut authors: Vec<(&str, &str)> = Vec::new();
    for who in found.rows.iter().flat_map(|row| &row.who) {
        let is_new = !authors.iter().any(|(reference, _)| *reference == who.reference);
        if who.reference.starts_with("Practitioner/") && !who.display.is_empty() && is_new {
            authors.push((&who.reference, &who.display));
        }
    }
    authors.sort_by_key(|(_, display)| *display);
    let chosen = filter.author.as_deref().unwrap_or_default();
    let is_known = authors.iter().any(|(reference, _)| *reference == chosen);
    html! {
        form.narrow-by method="get" action=(open.path("/timeline")) {
            fieldset.kinds {
                legend { (words::CHART_KINDS.of(lang)) }
                @for kind in Happened::ALL {
                    label.kind { input type="checkbox" name="kind" value=(kind.name()) checked[filter.kinds.contains(&kind)]; span { (word(kind).of(lang)) } }
                }
            }
            div.row {
                label.inline { span { (words::CHART_FROM.of(lang)) } input type="date" name="from" value=(visit.parameter("from")); }
                label.inline { span { (words::CHART_UNTIL_DAY.of(lang)) } input type="date" name="until" value=(visit.parameter("until")); }
                label.inline { span { (words::CHART_BY.of(lang)) }
                    select name="author" {
                        option value="" { (words::CHART_ANYBODY.of(lang)) }
                        @if !chosen.is_empty() && !is_known { option value=(chosen) selected { (words::CHART_CHOSEN.of(lang)) } }
                        @for (reference, display) in &authors { option value=(reference) selected[*reference == chosen] { (display) } }
                    }
                }
                @if let Some(of) = &filter.visit { input type="hidden" name="encounter" value=(of); }
                (button(Kind::Secondary, Some(Icon::Find), words::CHART_SHOW.of(lang)))
                @if is_narrowed(filter) { (link_button(Kind::Quiet, Some(Icon::Close), words::CHART_SHOW_ALL.of(lang), &open.path("/timeline"))) }
            }
        }
    }
}

fn is_narrowed(filter: &Filter) -> bool {
    !filter.kinds.is_empty()
        || filter.from.is_some()
        || filter.before.is_some()
        || filter.author.is_some()
        || filter.visit.is_some()
}

fn count(found: &Timeline, lang: Lang) -> Markup {
    html! {
        @if let Some(total) = found.total {
            span.muted { (words::CHART_RECORDS.with(lang, &total.to_string())) }
        }
    }
}

fn onward(visit: &Visit, open: &Open, found: &Timeline, is_later: bool) -> Markup {
    let lang = visit.lang();
    let query: Vec<String> = visit
        .query
        .iter()
        .filter(|(name, value)| {
            matches!(name.as_str(), "kind" | "from" | "until" | "author" | "encounter")
                && !value.is_empty()
                && value.bytes().all(|b| b.is_ascii_alphanumeric() || b"-./".contains(&b))
        })
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let way = |after: Option<String>| {
        let all: Vec<String> = query.iter().cloned().chain(after).collect();
        open.path(&format!("/timeline?{}", all.join("&")))
    };
    html! {
        @if found.next.is_some() || is_later {
            nav.pages aria-label=(words::PAGES.of(lang)) {
                @if is_later { (link_button(Kind::Secondary, Some(Icon::Back), words::CHART_NEWEST.of(lang), &way(None))) }
                @if let Some(next) = &found.next {
                    (link_button(Kind::Secondary, Some(Icon::Onward), words::CHART_OLDER.of(lang), &way(Some(format!("after={}", next.text())))))
                }
            }
        }
    }
}

fn withheld(found: &Timeline, lang: Lang) -> Markup {
    let of = |is: fn(&Reach) -> bool| -> Vec<&str> {
        let kinds = found.withheld.iter().filter(|(_, reach)| is(reach));
        kinds.map(|(kind, _)| word(*kind).of(lang)).collect()
    };
    let (none, some) =
        (of(|reach| *reach == Reach::Nothing), of(|reach| matches!(reach, Reach::Part(_))));
    html! {
        @if !none.is_empty() { p.foot.muted.withheld { (icon(Icon::Withheld)) span { (words::WITHHELD.of(lang)) " " (none.join(" · ")) } } }
        @if !some.is_empty() { p.foot.muted.withheld { (icon(Icon::Withheld)) span { (words::CHART_MAY_WITHHOLD.of(lang)) " " (some.join(" · ")) } } }
    }
}

fn rows(open: &Open, found: &Timeline, lang: Lang) -> Markup {
    let mut last = String::new();
    let groups: Vec<(Option<String>, &Row)> = found
        .rows
        .iter()
        .map(|row| {
            let day = match row.at.as_str() {
                "" => words::CHART_NO_DATE.of(lang).to_owned(),
                at => days::shown(at, lang),
            };
            let head = (day != last).then(|| day.clone());
            last = day;
            (head, row)
        })
        .collect();
    html! {
        @if groups.is_empty() {
            (empty(Icon::Clock, words::CHART_NOTHING.of(lang), words::CHART_NOTHING_WHY.of(lang), None))
        }
        ol.timeline {
            @for (day, row) in groups {
                @if let Some(day) = day { li.timeline-day { h3 { (day) } } }
                li.timeline-row {
                    span.timeline-time { (days::wall_time(&row.at)) }
                    span.timeline-kind { (one_of(row.happened).of(lang)) }
                    div.timeline-what {
                        @for item in &row.items { (record(open, item, lang)) }
                        @let names: Vec<&str> = row.who.iter().map(|who| who.display.as_str()).filter(|name| !name.is_empty()).collect();
                        @if !names.is_empty() { span.line-more { (names.join(", ")) } }
                    }
                }
            }
        }
    }
}

fn record(open: &Open, item: &Item, lang: Lang) -> Markup {
    let href = match item.kind {
        "Encounter" => open.path(&format!("/encounters/{}", item.id)),
        "DocumentReference" => open.path(&format!("/notes/{}", item.id)),
        kind => open.path(&format!("/history/{kind}/{}", item.id)),
    };
    // A vital sign is called and written as in the summary, and a kind of visit as everywhere else.
    let measured = item.measured.as_ref();
    let kind = booking::kind_word(&item.booked_as).map(|word| word.of(lang));
    let what = match (measured, item.what.as_str()) {
        (Some((sign, _)), _) => sign_name(*sign).of(lang),
        (None, "") => words::NOT_KNOWN.of(lang),
        (None, _) if item.detail.is_empty() => kind.unwrap_or(&item.what),
        (None, what) => what,
    };
    let detail = match (measured, item.kind) {
        (Some((sign, point)), _) => sign_value(*sign, point),
        (None, "Condition") if !item.detail.is_empty() => {
            words::CHART_SINCE.with(lang, &days::shown(&item.detail, lang))
        }
        (None, _) if item.detail.is_empty() => String::new(),
        (None, _) => kind.unwrap_or(&item.detail).to_owned(),
    };
    html! {
        div.timeline-item {
            a href=(href) { (what) }
            @if !detail.is_empty() { " " span.timeline-detail { (detail) } }
            @if item.status == "entered-in-error" { " " (badge(Tone::Critical, Icon::Close, words::CHART_IN_ERROR.of(lang))) }
            @if item.status == "cancelled" || item.status == "noshow" { " " (crate::pages::patient::state(&item.status, false, lang)) }
        }
    }
}

/// The kinds as filters call them.
fn word(kind: Happened) -> Word {
    match kind {
        Happened::Visit => words::CHART_VISITS,
        Happened::Document => words::CHART_DOCUMENTS,
        Happened::Result => words::CHART_RESULTS,
        Happened::Measured => words::CHART_MEASURED,
        Happened::Problem => words::CHART_PROBLEMS,
        Happened::Allergy => words::ALLERGIES,
        Happened::Medication => words::CHART_MEDICATIONS,
        Happened::Immunisation => words::CHART_IMMUNISATIONS,
        Happened::Procedure => words::CHART_PROCEDURES,
        Happened::Appointment => words::CHART_APPOINTMENTS,
    }
}

/// The kinds as rows call them.
fn one_of(kind: Happened) -> Word {
    match kind {
        Happened::Visit => words::CHART_VISIT,
        Happened::Document => words::CHART_DOCUMENT,
        Happened::Result => words::CHART_RESULT,
        Happened::Measured => words::CHART_MEASURED,
        Happened::Problem => words::CHART_PROBLEM,
        Happened::Allergy => words::CHART_ALLERGY,
        Happened::Medication => words::CHART_MEDICATION,
        Happened::Immunisation => words::CHART_IMMUNISATION,
        Happened::Procedure => words::CHART_PROCEDURE,
        Happened::Appointment => words::CHART_APPOINTMENT,
    }
}

/// The status of a visit (<https://hl7.org/fhir/R4/valueset-encounter-status.html>).
fn status(status: &str, lang: Lang) -> String {
    let word = match status {
        "planned" => words::CHART_PLANNED,
        "arrived" | "triaged" | "in-progress" | "onleave" => words::CHART_GOES_ON,
        "finished" => words::CHART_FINISHED,
        "cancelled" => words::CANCELLED,
        "entered-in-error" => words::CHART_IN_ERROR,
        other => return other.to_owned(),
    };
    word.of(lang).to_owned()
}
