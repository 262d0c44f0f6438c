//! One appointment: what it is, what became of it, and what can be done with it: moved, called off, marked
//! as not come to. Each form names the version it was made of and whom it is for; one that is stale comes
//! back with what was typed and with how the appointment stands now (RFC 9110, If-Match).

use super::act::Tried;
use super::desk::{self, Here};
use super::fields::{Input, area, input, select};
use super::{act, draw, finding, waitlist, zone_words};
use crate::answer::Answer;
use crate::booking::booked;
use crate::booking::type_id;
use crate::days;
use crate::pages::missing;
use crate::pages::patient::state;
use crate::parts::shell::shell_with;
use crate::parts::{
    Icon, Kind, Tone, badge, button, facts, hidden, link_button, notice, panel, toast, unbroken,
};
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Lang, Word};
use base::{Fault, Limits};
use fhir::Document;
use maud::{Markup, html};
use record::HistoryQuery;
use scheduling::actor::Actor;
use scheduling::appointment::Appointment;
use scheduling::book::{self, Visit as Booked};
use scheduling::flow::State;
use scheduling::occupied::Status;
use scheduling::time::{Span, Zone};

/// Versions of an appointment that are told of.
const VERSIONS_MAX: usize = 30;
/// Letters of a reason.
pub(crate) const REASON_MAX: usize = 500;

/// Why a visit is called off: the codes that a desk needs of
/// <https://terminology.hl7.org/CodeSystem-appointment-cancellation-reason.html>.
pub(crate) const REASONS: [(&str, Word); 11] = [
    ("pat", words::CAL_BY_PATIENT),
    ("pat-fb", words::CAL_BY_BETTER),
    ("pat-lt", words::CAL_BY_TRANSPORT),
    ("pat-mv", words::CAL_BY_MOVED),
    ("prov", words::CAL_BY_PROVIDER),
    ("prov-pers", words::CAL_BY_PERSONAL),
    ("oth-room", words::CAL_BY_ROOM),
    ("maint", words::CAL_BY_DEVICE),
    ("oth-weath", words::CAL_BY_WEATHER),
    ("oth-err", words::CAL_BY_ERROR),
    ("other", words::CAL_BY_OTHER),
];

/// The page.
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    shown(visit, part(visit, 1), None)
}

/// The page, with what came of a form when it could not be done.
pub(crate) fn shown(visit: &Visit, id: &str, tried: Option<&Tried<'_>>) -> Result<Answer, Fault> {
    if !desk::sees(visit) {
        return Ok(missing::page(visit));
    }
    let Some(booked) = booked(visit, id)? else { return Ok(missing::page(visit)) };
    let here = Here::read(visit)?;
    let lang = visit.lang();
    let page = Page { visit, booked: &booked, here: &here, zone: zone(&booked, &here) };
    let title = words::CAL_APPOINTMENT.of(lang);
    let body = html! {
        @if let Some(tried) = tried { (finding::summary(tried.fault, &here, lang)) }
        @if tried.is_none() { (told(visit, id)) @if let Some(freed) = waitlist::freed(visit)? { (freed) } }
        div.page-head {
            h1 { (page.name()) }
            p.muted { (title) " · " (page.when()) }
        }
        (panel("facts", words::CAL_FACTS.of(lang), Some(&page.state()), &page.facts()))
        (page.actions(tried))
        (panel("history", words::CAL_HISTORY.of(lang), None, &page.history()?))
    };
    let status = tried.map_or(200, |tried| tried.fault.status());
    Ok(shell_with(visit, status, title, &[], &body))
}

fn told(visit: &Visit, id: &str) -> Markup {
    let lang = visit.lang();
    let word = match visit.parameter("done") {
        "moved" => words::CAL_DONE_MOVED,
        "cancelled" => words::CAL_DONE_CANCELLED,
        "noshow" => words::CAL_DONE_NO_SHOW,
        "undone" => words::CAL_DONE_UNDONE,
        _ => return html! {},
    };
    toast(lang, word.of(lang), act::undo_form(visit, &format!("/appointments/{id}")).as_ref())
}

/// The zone an appointment is told in: its own, else that of where it is.
pub(crate) fn zone(booked: &Booked, here: &Here) -> Zone {
    let own = booked.zone.as_ref().and_then(|name| here.house.zones.find(name).ok());
    let site = booked.with.iter().find_map(|actor| here.site_of(actor));
    own.or_else(|| site.map(|site| site.zone.clone())).unwrap_or_else(|| here.house.zone.clone())
}

/// A time in words: the day, from and until.
pub(crate) fn span_words(span: Span, zone: &Zone, lang: Lang) -> String {
    let (from, until) = (zone.wall(span.start), zone.wall(span.end));
    format!(
        "{} {}–{}",
        days::long(from.date(), lang),
        from.strftime("%H:%M"),
        until.strftime("%H:%M")
    )
}

struct Page<'p> {
    visit: &'p Visit,
    booked: &'p Booked,
    here: &'p Here,
    zone: Zone,
}

impl Page<'_> {
    fn name(&self) -> String {
        let lang = self.visit.lang();
        match &self.booked.patient {
            None => words::CAL_NO_PATIENT.of(lang).to_owned(),
            Some(whom) => match &whom.name {
                Some(name) => name.expose().clone(),
                None => words::WITHHELD.of(lang).to_owned(),
            },
        }
    }

    fn when(&self) -> String {
        let lang = self.visit.lang();
        let span = self.booked.span;
        span.map_or_else(
            || words::CAL_NO_TIME.of(lang).to_owned(),
            |span| span_words(span, &self.zone, lang),
        )
    }

    fn state(&self) -> Markup {
        let lang = self.visit.lang();
        let is_confirmed = self.booked.state == Some(State::Confirmed);
        html! { div.row {
            (state(self.booked.status.as_str(), is_confirmed, lang))
            @if self.booked.overridden { (badge(Tone::Warning, Icon::Warning, words::CAL_OVERRIDDEN.of(lang))) }
            @if let Some(held) = &self.booked.held {
                (badge(Tone::Warning, Icon::Clock, &words::CAL_HELD_UNTIL.with(lang, &self.zone.wall(held.until).strftime("%H:%M").to_string())))
            }
        } }
    }

    fn facts(&self) -> Markup {
        let (lang, booked) = (self.visit.lang(), self.booked);
        let who = html! {
            @match &booked.patient {
                Some(whom) if whom.name.is_some() => a href={ "/p/" (whom.id) } { (self.name()) },
                Some(_) => (badge(Tone::Sensitive, Icon::Withheld, words::WITHHELD.of(lang))),
                None => (words::CAL_NO_PATIENT.of(lang)),
            }
        };
        let with = html! { @for actor in &booked.with { div { (self.here.name(actor)) } } };
        let when = html! { div { (self.when()) } div.muted { (zone_words(&self.zone, self.visit, lang)) } };
        let kept = html! {
            @if let Some(span) = booked.span { (words::MINUTES.with(lang, &span.minutes().to_string())) }
            @if booked.buffers != (0, 0) { div.muted { (buffers(booked.buffers, lang)) } }
        };
        let mut all = vec![
            (words::PATIENT.of(lang), who),
            (words::WHEN.of(lang), when),
            (words::CAL_LENGTH.of(lang), kept),
            (words::WITH.of(lang), with),
        ];
        // Who may not read why somebody comes is not told.
        if !booked.title.expose().is_empty() {
            all.push((words::FOR.of(lang), html! { (booked.title.expose()) }));
        }
        if let Some(reason) = &booked.cancel_reason {
            all.push((words::CAL_REASON.of(lang), html! { (reason_words(reason, lang)) }));
        }
        if booked.series.is_some() {
            all.push((words::CAL_SERIES.of(lang), html! { (words::CAL_OF_SERIES.of(lang)) }));
        }
        facts(&all)
    }

    /// What every form about it brings back: which version, and whom it is for.
    fn carried(&self) -> Markup {
        html! {
            (hidden(self.visit))
            input type="hidden" name="version" value=(self.booked.version);
            @if let Some(whom) = &self.booked.patient { input type="hidden" name="patient" value=(whom.id); }
        }
    }

    fn actions(&self, tried: Option<&Tried<'_>>) -> Markup {
        let (lang, booked) = (self.visit.lang(), self.booked);
        if !desk::changes(self.visit) {
            return html! {};
        }
        let is_open = matches!(booked.status, Status::Booked | Status::Pending | Status::Proposed);
        let has_begun = booked.span.is_some_and(|span| span.start <= self.visit.now());
        let earlier = booked.patient.as_ref().filter(|whom| whom.name.is_some());
        let earlier = earlier.filter(|_| is_open && !has_begun && booked.held.is_none());
        html! {
            @if let Some(whom) = earlier {
                div { (link_button(Kind::Secondary, Some(Icon::Clock), words::WAIT_EARLIER_PLEASE.of(lang), &format!("/waitlist/add?patient={}&instead={}", whom.id, booked.id))) }
            }
            @if is_open && booked.held.is_none() {
                div.cal-actions {
                    (panel("move", words::CAL_MOVE.of(lang), None, &self.move_form(tried)))
                    (panel("cancel", words::CAL_CANCEL.of(lang), None, &self.cancel_form(tried)))
                    @if has_begun { (panel("no-show", words::NO_SHOW.of(lang), None, &self.no_show_form())) }
                }
            } @else if booked.held.is_none() {
                (notice(Tone::Neutral, words::CAL_CLOSED.of(lang), &html! { p { (words::CAL_CLOSED_WHY.of(lang)) } }))
            }
        }
    }

    fn move_form(&self, tried: Option<&Tried<'_>>) -> Markup {
        let (lang, booked) = (self.visit.lang(), self.booked);
        let tried = tried.filter(|tried| tried.what == "move");
        let wall = booked.span.map(|span| self.zone.wall(span.start));
        let typed = |name: &str, now: String| match tried {
            Some(_) => self.visit.field(name).to_owned(),
            None => now,
        };
        let date = typed("date", wall.map_or_else(String::new, |wall| wall.date().to_string()));
        let time =
            typed("time", wall.map_or_else(String::new, |w| w.strftime("%H:%M").to_string()));
        let from = self.replaced();
        let asks = tried.is_some_and(|tried| finding::asks_reason(tried.fault));
        let href = format!("/appointments/{}/move", booked.id);
        html! {
            form.cal-form.stack method="post" action=(href) {
                (self.carried())
                @if let Some(tried) = tried { input type="hidden" name="back" value=(tried.back); }
                div.pair {
                    (input("date", &Input { name: "date", label: words::CAL_DATE.of(lang), value: &date, is_required: true, ..Input::default() }))
                    (input("time", &Input { name: "time", label: words::TIME.of(lang), value: &time, is_required: true, ..Input::default() }))
                }
                @if let Some(from) = from {
                    @let with = typed("with", from.to_string());
                    input type="hidden" name="from" value=(from);
                    (select(&Input { name: "with", label: words::WITH.of(lang), value: &with, ..Input::default() }, &self.others(from)))
                }
                @if asks {
                    (area(&Input { name: "reason", label: words::CAL_WHY_ANYWAY.of(lang), hint: words::CAL_WHY_ANYWAY_HINT.of(lang), value: self.visit.field("reason"), is_required: true, ..Input::default() }, REASON_MAX))
                }
                div { (button(Kind::Primary, None, if asks { words::CAL_MOVE_ANYWAY } else { words::CAL_MOVE_BUTTON }.of(lang))) }
            }
        }
    }

    /// Whom the visit is with first: who can be exchanged for another.
    fn replaced(&self) -> Option<&Actor> {
        let known = self.booked.with.iter().find(|actor| {
            let one = self.here.resource(actor);
            one.is_some_and(|one| one.roles.contains(&scheduling::actor::Role::Clinician))
        });
        known.or_else(|| self.booked.with.iter().find(|actor| self.here.resource(actor).is_some()))
    }

    /// Who could have it instead, each at their site.
    fn others(&self, from: &Actor) -> Vec<(String, String)> {
        let roles = self.here.resource(from).map(|one| one.roles.clone()).unwrap_or_default();
        let fits = |one: &&book::Bookable| one.roles.iter().any(|role| roles.contains(role));
        let said = |one: &book::Bookable| {
            let site = one.sites.iter().find_map(|at| self.here.site(at));
            let site = site.filter(|_| self.here.sites.len() > 1);
            let name = site
                .map_or_else(|| one.name.clone(), |site| format!("{} · {}", one.name, site.name));
            (one.actor.to_string(), name)
        };
        self.here.resources.iter().filter(fits).map(said).collect()
    }

    fn cancel_form(&self, tried: Option<&Tried<'_>>) -> Markup {
        let lang = self.visit.lang();
        let tried = tried.filter(|tried| tried.what == "cancel");
        let mut all = vec![(String::new(), words::CAL_CHOOSE.of(lang).to_owned())];
        all.extend(
            REASONS.iter().map(|(code, word)| ((*code).to_owned(), word.of(lang).to_owned())),
        );
        let (value, error) = match tried {
            Some(_) => (self.visit.field("because"), words::CAL_CHOOSE_REASON.of(lang)),
            None => ("", ""),
        };
        html! {
            form.cal-form.stack method="post" action={ "/appointments/" (self.booked.id) "/cancel" } {
                (self.carried())
                (select(&Input { name: "because", label: words::CAL_REASON.of(lang), value, error: if value.is_empty() { error } else { "" }, is_required: true, ..Input::default() }, &all))
                div { (button(Kind::Danger, Some(Icon::Close), words::CAL_CANCEL_BUTTON.of(lang))) }
            }
        }
    }

    fn no_show_form(&self) -> Markup {
        let lang = self.visit.lang();
        html! {
            form.cal-form.stack method="post" action={ "/appointments/" (self.booked.id) "/no-show" } {
                (self.carried())
                p.muted { (words::CAL_NO_SHOW_WHY.of(lang)) }
                div { (button(Kind::Secondary, Some(Icon::Warning), words::CAL_NO_SHOW_BUTTON.of(lang))) }
            }
        }
    }

    /// What became of it, newest first: each version with what it changed.
    fn history(&self) -> Result<Markup, Fault> {
        let lang = self.visit.lang();
        let query = HistoryQuery {
            resource_type: Some(type_id("Appointment")?),
            id: Some(self.booked.id.clone()),
            count: VERSIONS_MAX + 1,
            ..HistoryQuery::default()
        };
        let read = self.visit.session.history(query)?.wait()?;
        let versions: Vec<_> = read
            .versions
            .iter()
            .map(|hit| {
                let document = Document::parse(hit.body.clone(), &Limits::default()).ok();
                let of = document.and_then(|document| Appointment::read(document.root()).ok());
                (hit.last_updated, of)
            })
            .collect();
        Ok(html! {
            ol.cal-places {
                @for (nth, (at, now)) in versions.iter().enumerate().take(VERSIONS_MAX) {
                    @let before = versions.get(nth + 1).and_then(|(_, of)| of.as_ref());
                    li {
                        div { @match now {
                            Some(now) => { @for line in self.changed(before, now) { div { (line) } } }
                            None => (words::CAL_CHANGED_OTHER.of(lang)),
                        } }
                        span.muted { (unbroken(&days::moment(*at, &self.visit.zone, lang))) }
                    }
                }
            }
            @if versions.len() > VERSIONS_MAX { p.foot.muted { (words::FIRST_ONLY.with(lang, &VERSIONS_MAX.to_string())) } }
        })
    }

    fn changed(&self, before: Option<&Appointment>, now: &Appointment) -> Vec<String> {
        let lang = self.visit.lang();
        let state = |of: &Appointment| draw::state_of(of.status.as_str(), lang).2.to_owned();
        let time = |of: &Appointment| of.span.map(|span| span_words(span, &self.zone, lang));
        let with = |of: &Appointment| -> Vec<String> {
            let actors = of.participants.iter().filter_map(|one| one.actor.as_ref());
            let known = actors.filter(|actor| self.here.resource(actor).is_some());
            known.map(|actor| self.here.name(actor).to_owned()).collect()
        };
        let Some(before) = before else {
            let made = words::CAL_MADE.with(lang, &state(now));
            return vec![match time(now) {
                Some(time) => format!("{made} · {time}"),
                None => made,
            }];
        };
        let mut lines = Vec::new();
        if before.status != now.status {
            let reason = now.cancel_reason.as_deref().map(|reason| reason_words(reason, lang));
            let reason = reason.map_or_else(String::new, |reason| format!(" · {reason}"));
            lines.push(format!("{} → {}{reason}", state(before), state(now)));
        }
        if before.span != now.span {
            let or = |time: Option<String>| {
                time.unwrap_or_else(|| words::CAL_NO_TIME.of(lang).to_owned())
            };
            lines.push(format!("{} → {}", or(time(before)), or(time(now))));
        }
        if with(before) != with(now) {
            lines.push(format!("{} → {}", with(before).join(", "), with(now).join(", ")));
        }
        if lines.is_empty() {
            lines.push(words::CAL_CHANGED_OTHER.of(lang).to_owned());
        }
        lines
    }
}

/// A reason in words; a code that no page knows stays as it is.
pub(crate) fn reason_words(code: &str, lang: Lang) -> String {
    let known = REASONS.iter().find(|(one, _)| *one == code);
    known.map_or_else(|| code.to_owned(), |(_, word)| word.of(lang).to_owned())
}

fn buffers((before, after): (u32, u32), lang: Lang) -> String {
    let minutes = |minutes: u32| words::MINUTES.with(lang, &minutes.to_string());
    words::CAL_BUFFERS.with(lang, &format!("{} + {}", minutes(before), minutes(after)))
}
