//! Putting somebody on the waiting list, changing what they wait for, and taking them off. The form names whom it
//! is for and the version it was made of; what cannot be put down comes back with what was typed.

use super::desk::{self, Here};
use super::fields::{Input, input, select};
use super::place::WEEK;
use super::waitlist::{landed, urgency_word};
use super::{finding, whom};
use crate::answer::{Answer, is_nothing};
use crate::booking::booked;
use crate::days;
use crate::pages::missing;
use crate::parts::shell::shell_with;
use crate::parts::{Choice, Icon, Kind, button, choices, empty, hidden, icon, link_button, panel};
use crate::person::Person;
use crate::route::part;
use crate::visit::Visit;
use crate::wait::wait;
use crate::words::{self, Word};
use base::error::code;
use base::{Fault, Millis};
use fhir::reference::is_id;
use jiff::civil::Date;
use maud::{Markup, html};
use scheduling::actor::Actor;
use scheduling::book::waitlist::{self, Waiting, Wish};
use scheduling::book::{self, Visit as Booked};
use scheduling::occupied::Status;
use scheduling::time::{Time, Weekday};
use scheduling::visit_type::VisitType;
use scheduling::waitlist::Urgency;

/// Hours of notice that can be chosen.
const NOTICES: [u32; 6] = [0, 2, 12, 24, 48, 72];

/// The form for somebody who is not on the list.
pub(crate) fn add(visit: &Visit) -> Result<Answer, Fault> {
    if !desk::books(visit) {
        return Ok(missing::page(visit));
    }
    let lang = visit.lang();
    let Some(person) = whom::person(visit, visit.parameter("patient"))? else {
        let title = words::WAIT_PUT.of(lang);
        let find = link_button(Kind::Primary, Some(Icon::Find), words::FIND.of(lang), "/find");
        let say = (words::WAIT_FIRST_WHOM.of(lang), words::WAIT_FIRST_WHOM_WHY.of(lang));
        let body = html! { h1 { (title) } (empty(Icon::Person, say.0, say.1, Some(&find))) };
        return Ok(shell_with(visit, 200, title, &[], &body));
    };
    Form::of(visit, &person, None, visit.parameter("instead"))?.page(None)
}

/// Puts somebody on the list.
pub(crate) fn put(visit: &Visit) -> Result<Answer, Fault> {
    if !desk::books(visit) {
        return Ok(missing::page(visit));
    }
    let Some(person) = whom::person(visit, visit.field("patient"))? else {
        return Ok(missing::page(visit));
    };
    let form = Form::of(visit, &person, None, visit.field("instead"))?;
    let done = form.wish().and_then(|wish| {
        wait(waitlist::put(&visit.session, &wish, visit.field("form_id"))).map(|_| "put")
    });
    form.landed(done)
}

/// The form for somebody who is on it.
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    let Some((one, person)) = found(visit)? else { return Ok(missing::page(visit)) };
    let instead = one.wish.instead_of.clone().unwrap_or_default();
    Form::of(visit, &person, Some(&one), &instead)?.page(None)
}

/// Changes what somebody waits for.
pub(crate) fn change(visit: &Visit) -> Result<Answer, Fault> {
    let Some((one, person)) = found(visit)? else { return Ok(missing::page(visit)) };
    let instead = one.wish.instead_of.clone().unwrap_or_default();
    let form = Form::of(visit, &person, Some(&one), &instead)?;
    let version = visit.field("version").parse().unwrap_or(0);
    let done = owned(visit, &person).and_then(|()| form.wish()).and_then(|wish| {
        wait(waitlist::change(&visit.session, &one.id, version, &wish)).map(|_| "changed")
    });
    form.landed(done)
}

/// Takes somebody off the list.
pub(crate) fn remove(visit: &Visit) -> Result<Answer, Fault> {
    let Some((one, person)) = found(visit)? else { return Ok(missing::page(visit)) };
    let version = visit.field("version").parse().unwrap_or(0);
    let done = owned(visit, &person)
        .and_then(|()| wait(waitlist::remove(&visit.session, &one.id, version)));
    landed(visit, done.map(|()| "removed"))
}

/// Two windows with two patients: the form says whom it was made for.
fn owned(visit: &Visit, person: &Person) -> Result<(), Fault> {
    match visit.field("patient") == person.id {
        true => Ok(()),
        false => Err(Fault::new(&code::VERSION_CONFLICT, "it is another patient's")),
    }
}

/// The entry that the path names, and its patient, for who may change it.
fn found(visit: &Visit) -> Result<Option<(Waiting, Person)>, Fault> {
    let id = part(visit, 1);
    if !desk::changes(visit) || !is_id(id) {
        return Ok(None);
    }
    let one = match wait(waitlist::waiting(&visit.session, id)) {
        Ok(one) => one,
        Err(fault) if is_nothing(&fault) || fault.code() == &code::SCHEDULING_OFFER => {
            return Ok(None);
        }
        Err(fault) => return Err(fault),
    };
    Ok(whom::person(visit, &one.whom.id)?.map(|person| (one, person)))
}

struct Form<'f> {
    visit: &'f Visit,
    here: Here,
    types: Vec<VisitType>,
    person: &'f Person,
    one: Option<&'f Waiting>,
    /// The later visit that an earlier one stands in for.
    instead: Option<Booked>,
}

impl<'f> Form<'f> {
    fn of(
        visit: &'f Visit,
        person: &'f Person,
        one: Option<&'f Waiting>,
        instead: &str,
    ) -> Result<Self, Fault> {
        let here = Here::read(visit)?;
        let types = wait(book::visit_types(&visit.session))?.rows;
        let theirs = |one: &Booked| one.patient.as_ref().is_some_and(|whom| whom.id == person.id);
        let instead = booked(visit, instead)?.filter(theirs);
        // What an entry stood for may be called off by now, or over: it is waited on without it.
        let stands = |later: &Booked| {
            one.is_none()
                || (matches!(later.status, Status::Proposed | Status::Pending | Status::Booked)
                    && later.span.is_some_and(|span| span.start > visit.now()))
        };
        let instead = instead.filter(stands);
        Ok(Self { visit, here, types, person, one, instead })
    }

    fn landed(&self, done: Result<&'static str, Fault>) -> Result<Answer, Fault> {
        match done {
            Err(fault) if finding::is_theirs(&fault) => self.page(Some(&fault)),
            done => landed(self.visit, done),
        }
    }

    fn page(&self, tried: Option<&Fault>) -> Result<Answer, Fault> {
        let (visit, lang) = (self.visit, self.visit.lang());
        let title = match self.one {
            None => words::WAIT_PUT.of(lang),
            Some(_) => words::WAIT_CHANGE.of(lang),
        };
        let body = html! {
            @if let Some(fault) = tried { (self.wrong(fault)) }
            (whom::head(visit, self.person)?)
            h2.page-title { (title) }
            @if self.types.is_empty() {
                (empty(Icon::Today, words::CAL_NO_TYPES.of(lang), words::CAL_NO_TYPES_WHY.of(lang), None))
            } @else {
                (panel("wish", words::WAIT_SUITS.of(lang), None, &self.form(tried.is_some())))
            }
            @if let Some(one) = self.one {
                form.row method="post" action={ "/waitlist/" (one.id) "/remove" } {
                    (self.carried())
                    (button(Kind::Danger, Some(Icon::Close), words::WAIT_REMOVE.of(lang)))
                }
            }
        };
        let status = tried.map_or(200, Fault::status);
        Ok(shell_with(visit, status, title, &[], &body))
    }

    fn wrong(&self, fault: &Fault) -> Markup {
        let lang = self.visit.lang();
        if fault.code() != &code::SCHEDULING_CALENDAR {
            return finding::summary(fault, &self.here, lang);
        }
        html! {
            div.notice.is-critical role="alert" tabindex="-1" {
                (icon(Icon::Critical))
                p.notice-title { (words::WAIT_SAYS_INVALID.of(lang)) }
            }
        }
    }

    /// What every form about it brings back: whom it is for, and which version.
    fn carried(&self) -> Markup {
        html! {
            (hidden(self.visit))
            input type="hidden" name="patient" value=(self.person.id);
            @if let Some(one) = self.one { input type="hidden" name="version" value=(one.version); }
        }
    }

    fn form(&self, is_typed: bool) -> Markup {
        let (visit, lang) = (self.visit, self.visit.lang());
        let wish = self.one.map(|one| &one.wish);
        // What was typed comes back; else what is kept.
        let told = |name: &str, kept: Option<String>| match is_typed {
            true => visit.field(name).to_owned(),
            false => kept.unwrap_or_default(),
        };
        let day = |at: Option<Millis>| at.map(|at| days::day_at(at, &visit.zone).to_string());
        let clock = |time: Time| time.strftime("%H:%M").to_string();
        let first = |all: &[Actor]| all.first().map(Actor::to_string);
        let later = self.instead.as_ref().and_then(|later| later.visit_type.clone());
        let kind = told("type", wish.map(|w| w.visit_type.clone()).or(later));
        let urgency = told("urgency", wish.map(|w| w.urgency.as_str().to_owned()));
        let see_by = told("see_by", wish.and_then(|w| day(w.seen_by)));
        let site = told("site", wish.and_then(|w| first(&w.sites)));
        let with = told("with", wish.and_then(|w| first(&w.with)));
        let from = told("from", wish.and_then(|w| day(w.earliest)));
        let until = told("until", wish.and_then(|w| day(w.latest)));
        let times = wish.and_then(|w| w.times);
        let from_time = told("from_time", times.map(|(from, _)| clock(from)));
        let until_time = told("until_time", times.map(|(_, until)| clock(until)));
        let notice = told("notice", wish.map(|w| w.notice_minutes.div_ceil(60).to_string()));
        let on = |at: usize, day: &Weekday| match is_typed {
            true => {
                visit.form.iter().any(|(name, value)| name == "day" && *value == at.to_string())
            }
            false => wish.is_some_and(|w| w.weekdays.contains(day)),
        };
        let any = |word: Word| (String::new(), word.of(lang).to_owned());
        let types: Vec<(String, String)> = self
            .types
            .iter()
            .filter_map(|one| Some((one.id.clone()?, one.title.clone())))
            .collect();
        let mut sites = vec![any(words::CAL_ANY_SITE)];
        sites.extend(self.here.sites.iter().map(|s| (s.location.to_string(), s.name.clone())));
        let mut who = vec![any(words::CAL_ANYBODY)];
        let people =
            self.here.resources.iter().filter(|r| r.actor.resource_type() == "Practitioner");
        who.extend(people.map(|one| (one.actor.to_string(), one.name.clone())));
        let mut hours = NOTICES.to_vec();
        hours.extend(notice.parse::<u32>().ok().filter(|hours| !NOTICES.contains(hours)));
        let notices: Vec<(String, String)> = hours
            .iter()
            .map(|hours| match hours {
                0 => ("0".to_owned(), words::WAIT_NOTICE_NONE.of(lang).to_owned()),
                more => (more.to_string(), words::WAIT_NOTICE_HOURS.with(lang, &more.to_string())),
            })
            .collect();
        let chosen = Urgency::parse(&urgency).unwrap_or(Urgency::Routine);
        let urgencies = Urgency::ALL.map(|one| Choice {
            value: one.as_str(),
            label: urgency_word(one).of(lang),
            is_chosen: one == chosen,
        });
        let action = match self.one {
            None => "/waitlist/add".to_owned(),
            Some(one) => format!("/waitlist/{}", one.id),
        };
        html! {
            form.cal-form.stack method="post" action=(action) {
                (self.carried())
                @if self.one.is_none() { input type="hidden" name="form_id" value=(desk::draw_form(visit)); }
                @if self.instead.is_none() && wish.is_some_and(|wish| wish.instead_of.is_some()) {
                    p { (words::WAIT_INSTEAD_OVER.of(lang)) }
                }
                @if let Some(later) = &self.instead {
                    input type="hidden" name="instead" value=(later.id);
                    p { (words::WAIT_INSTEAD.of(lang)) " " strong.number { (self.later(later)) } }
                }
                (select(&Input { name: "type", label: words::CAL_VISIT.of(lang), value: &kind, ..Input::default() }, &types))
                (choices(words::WAIT_URGENCY.of(lang), "urgency", &urgencies))
                div.pair {
                    (input("date", &Input { name: "see_by", label: words::WAIT_SEE_BY.of(lang), hint: words::WAIT_SEE_BY_HINT.of(lang), value: &see_by, ..Input::default() }))
                    (select(&Input { name: "notice", label: words::WAIT_NOTICE.of(lang), value: &notice, ..Input::default() }, &notices))
                }
                div.pair {
                    (select(&Input { name: "site", label: words::CAL_SITE.of(lang), value: &site, ..Input::default() }, &sites))
                    (select(&Input { name: "with", label: words::WITH.of(lang), value: &with, ..Input::default() }, &who))
                }
                div.pair {
                    (input("date", &Input { name: "from", label: words::WAIT_FROM_DAY.of(lang), value: &from, ..Input::default() }))
                    (input("date", &Input { name: "until", label: words::WAIT_UNTIL_DAY.of(lang), value: &until, ..Input::default() }))
                }
                div.pair {
                    (input("time", &Input { name: "from_time", label: words::WAIT_FROM_TIME.of(lang), value: &from_time, ..Input::default() }))
                    (input("time", &Input { name: "until_time", label: words::WAIT_UNTIL_TIME.of(lang), value: &until_time, ..Input::default() }))
                }
                fieldset { legend { (words::CAL_DAYS.of(lang)) } div.cal-pick {
                    @for (nth, (called, day)) in words::WEEKDAYS.of(lang).split(' ').zip(WEEK).enumerate() {
                        label { input type="checkbox" name="day" value=(nth) checked[on(nth, &day)]; span { (called) } }
                    }
                } }
                div { (button(Kind::Primary, None, if self.one.is_some() { words::WAIT_KEEP } else { words::WAIT_PUT }.of(lang))) }
            }
        }
    }

    fn later(&self, later: &Booked) -> String {
        let zone = super::appointment::zone(later, &self.here);
        let words = |span| super::appointment::span_words(span, &zone, self.visit.lang());
        later.span.map(words).unwrap_or_default()
    }

    /// What the form says.
    fn wish(&self) -> Result<Wish, Fault> {
        let visit = self.visit;
        let odd = |says: &str| Fault::new(&code::SCHEDULING_CALENDAR, says);
        let said = |name: &str| Some(visit.field(name).trim()).filter(|text| !text.is_empty());
        let day = |name: &str| -> Result<Option<Date>, Fault> {
            said(name).map(|text| text.parse().map_err(|_fault| odd("give a day"))).transpose()
        };
        let zone = &self.here.house.zone;
        let begins =
            |date: Option<Date>| date.map(|d| zone.day(d).map(|day| day.start)).transpose();
        let ends = |date: Option<Date>| {
            date.map(|d| zone.day(d).map(|day| Millis(day.end.0.saturating_sub(1)))).transpose()
        };
        let time = |name: &str| -> Result<Option<Time>, Fault> {
            said(name).map(|text| text.parse().map_err(|_fault| odd("give a time"))).transpose()
        };
        let times = match (time("from_time")?, time("until_time")?) {
            (None, None) => None,
            (from, until) => Some((
                from.unwrap_or(Time::midnight()),
                until.unwrap_or(Time::constant(23, 59, 0, 0)),
            )),
        };
        let actor = |name: &str| said(name).and_then(Actor::parse).filter(|a| !a.is_patient());
        let kept = self.one.map(|one| &one.wish);
        // Of several that another system put down the form shows the first.
        let all = |name: &str, kept: Option<&Vec<Actor>>| match (actor(name), kept) {
            (Some(one), Some(kept)) if kept.first() == Some(&one) => kept.clone(),
            (one, _) => Vec::from_iter(one),
        };
        let chosen = visit.form.iter().filter(|(name, _)| name == "day");
        let weekday = |text: &str| WEEK.get(text.parse::<usize>().ok()?).copied();
        let hours = said("notice").and_then(|text| text.parse::<u32>().ok()).unwrap_or(0);
        Ok(Wish {
            patient: self.person.id.clone(),
            visit_type: said("type").filter(|id| is_id(id)).unwrap_or_default().to_owned(),
            urgency: Urgency::parse(visit.field("urgency")).unwrap_or(Urgency::Routine),
            seen_by: ends(day("see_by")?)?,
            sites: all("site", kept.map(|wish| &wish.sites)),
            with: all("with", kept.map(|wish| &wish.with)),
            weekdays: chosen.filter_map(|(_, text)| weekday(text)).collect(),
            times,
            earliest: begins(day("from")?)?,
            latest: ends(day("until")?)?,
            notice_minutes: hours.saturating_mul(60),
            instead_of: self.instead.as_ref().map(|later| later.id.clone()),
        })
    }
}
