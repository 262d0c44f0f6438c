//! Booking, second half: a place is held for ten minutes while its form is open, said by the clock, and
//! booked by one more press. The form has an id of its own, so that pressed twice it books once; a rule
//! that is in the way is told, and asked a reason for where it may be set aside.

use super::appointment::{REASON_MAX, span_words};
use super::desk::{self, Here};
use super::fields::{Input, area};
use super::finding;
use super::place::Wanted;
use super::whom;
use crate::answer::Answer;
use crate::pages::missing;
use crate::parts::shell::shell_with;
use crate::parts::{Icon, Kind, Tone, button, facts, hidden, link_button, notice, panel};
use crate::person::Person;
use crate::visit::Visit;
use crate::wait::wait;
use crate::words;
use base::error::code;
use base::{Fault, Millis, Phi};
use fhir::reference::is_id;
use maud::{Markup, html};
use scheduling::actor::{Actor, Role};
use scheduling::book::{self, Booking, COMMENT_MAX, Place};
use scheduling::time::Span;
use scheduling::visit_type::{NEEDS_MAX, VisitType};

/// A place as the fields of a form.
pub(crate) fn fields(place: &Place) -> Markup {
    html! {
        input type="hidden" name="type" value=(place.visit_type);
        input type="hidden" name="site" value=(place.site);
        input type="hidden" name="start" value=(place.start.0);
        @for (role, actor) in &place.with { input type="hidden" name="need" value=(need(*role, actor)); }
    }
}

fn need(role: Role, actor: &Actor) -> String {
    format!("{}.{actor}", role.as_str())
}

/// The page that books a place, held or not.
pub(crate) fn href(patient: &str, place: &Place, hold: Option<&str>) -> String {
    let mut href = format!(
        "/schedule/book/confirm?patient={patient}&type={}&site={}&start={}",
        place.visit_type, place.site, place.start.0
    );
    for (role, actor) in &place.with {
        href.push_str("&need=");
        href.push_str(&need(*role, actor));
    }
    if let Some(hold) = hold {
        href.push_str("&hold=");
        href.push_str(hold);
    }
    href
}

/// What an address or a form says of a place; none when it says too little.
fn read(pairs: &[(String, String)]) -> Option<(String, Place, Option<String>)> {
    let one =
        |name: &str| pairs.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str());
    let needs = pairs.iter().filter(|(key, _)| key == "need").take(NEEDS_MAX);
    let with = needs.filter_map(|(_, value)| {
        let (role, actor) = value.split_once('.')?;
        Some((Role::parse(role)?, Actor::parse(actor).filter(|actor| !actor.is_patient())?))
    });
    let place = Place {
        visit_type: one("type").filter(|id| is_id(id))?.to_owned(),
        site: one("site").and_then(Actor::parse)?,
        start: Millis(one("start")?.parse().ok()?),
        with: with.collect(),
        modality: None,
    };
    let hold = one("hold").filter(|id| is_id(id)).map(str::to_owned);
    Some((one("patient").filter(|id| is_id(id))?.to_owned(), place, hold))
}

/// A place that is not free, to be booked with a reason: who was asked for, and for what else the visit
/// needs whoever can be it first.
pub(crate) fn forced(
    here: &Here,
    kind: &VisitType,
    wanted: &Wanted,
    start: Millis,
) -> Option<Place> {
    let site =
        wanted.site.clone().or_else(|| here.sites.first().map(|site| site.location.clone()))?;
    let mut with: Vec<(Role, Actor)> = Vec::new();
    for need in &kind.needs {
        let fits = |one: &&book::Bookable| {
            one.roles.contains(&need.role)
                && one.sites.contains(&site)
                && (need.candidates.is_empty() || need.candidates.contains(&one.actor))
                && !with.iter().any(|(_, actor)| *actor == one.actor)
        };
        let all: Vec<_> = here.resources.iter().filter(fits).collect();
        let asked = all.iter().find(|one| wanted.with.as_ref() == Some(&one.actor));
        let chosen = asked.or_else(|| all.first()).map(|one| one.actor.clone());
        with.extend(chosen.map(|actor| (need.role, actor)));
    }
    let visit_type = kind.id.clone()?;
    Some(Place { visit_type, site, start, with, modality: None })
}

/// Holds a place, and goes on to the page that books it.
pub(crate) fn hold(visit: &Visit) -> Result<Answer, Fault> {
    if !desk::books(visit) {
        return Ok(missing::page(visit));
    }
    let Some((patient, place, _)) = read(&visit.form) else { return Ok(missing::page(visit)) };
    let house = desk::house(visit);
    let form = visit.field("form_id");
    match wait(book::hold(&visit.session, &house, &place, Some(&patient), form)) {
        Ok(held) => Ok(Answer::go(href(&patient, &place, Some(&held.id)))),
        Err(fault) if finding::is_theirs(&fault) => Ok(Answer::go(format!(
            "/schedule/book?patient={patient}&type={}&site={}&gone=1",
            place.visit_type, place.site
        ))),
        Err(fault) => Err(fault),
    }
}

/// The page that books.
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    shown(visit, &visit.query, None)
}

/// Books.
pub(crate) fn book(visit: &Visit) -> Result<Answer, Fault> {
    if !desk::books(visit) {
        return Ok(missing::page(visit));
    }
    let Some((patient, place, hold)) = read(&visit.form) else { return Ok(missing::page(visit)) };
    let house = desk::house(visit);
    let text =
        |name: &str| Some(visit.field(name).trim().to_owned()).filter(|text| !text.is_empty());
    let booking = Booking {
        place: place.clone(),
        patient,
        form: visit.field("form_id").to_owned(),
        hold,
        reason: super::act::reason(visit),
        comment: text("comment").map(Phi::new),
        referral: None,
    };
    match wait(book::book(&visit.session, &house, &booking)) {
        Ok(done) => {
            let here = Here::read(visit)?;
            let date = here.zone(Some(&place.site)).wall(place.start).date();
            let (id, version) = (&done.visit.id, done.visit.version);
            let undo = done.undo.map_or_else(String::new, |undo| format!("&b={}", undo.before));
            let site = &place.site;
            Ok(Answer::go(format!(
                "/schedule?date={date}&site={site}&done=booked&of={id}&v={version}{undo}"
            )))
        }
        Err(fault) if finding::is_theirs(&fault) => shown(visit, &visit.form, Some(&fault)),
        Err(fault) => Err(fault),
    }
}

/// Gives a held place back.
pub(crate) fn release(visit: &Visit) -> Result<Answer, Fault> {
    if !desk::books(visit) {
        return Ok(missing::page(visit));
    }
    let Some((patient, place, hold)) = read(&visit.form) else { return Ok(missing::page(visit)) };
    if let Some(hold) = hold {
        match wait(book::release(&visit.session, &hold)) {
            Ok(()) => {}
            Err(fault) if finding::is_theirs(&fault) => {}
            Err(fault) => return Err(fault),
        }
    }
    let (kind, site) = (&place.visit_type, &place.site);
    Ok(Answer::go(format!("/schedule/book?patient={patient}&type={kind}&site={site}")))
}

fn shown(
    visit: &Visit,
    pairs: &[(String, String)],
    fault: Option<&Fault>,
) -> Result<Answer, Fault> {
    if !desk::books(visit) {
        return Ok(missing::page(visit));
    }
    let Some((id, place, hold)) = read(pairs) else { return Ok(missing::page(visit)) };
    let Some(person) = whom::person(visit, &id)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let here = Here::read(visit)?;
    let kind = match wait(book::visit_type(&visit.session, &place.visit_type)) {
        Ok(kind) => kind,
        Err(fault) if desk::is(&fault, &[&code::NOT_FOUND, &code::GONE]) => {
            return Ok(missing::page(visit));
        }
        Err(fault) => return Err(fault),
    };
    let held = match &hold {
        None => None,
        Some(hold) => wait(book::appointment(&visit.session, hold)).ok().and_then(|one| one.held),
    };
    let held = held.filter(|held| held.own && held.until > visit.now());
    let page = Page { visit, here: &here, place: &place, kind: &kind, person: &person, fault };
    let title = words::CAL_CONFIRM.of(lang);
    let zone = here.zone(Some(&place.site));
    let body = html! {
        (whom::head(visit, &person)?)
        h2.page-title { (title) }
        @if let Some(fault) = fault { (finding::summary(fault, &here, lang)) }
        @match &held {
            Some(held) => {
                @let until = zone.wall(held.until).strftime("%H:%M").to_string();
                (notice(Tone::Ok, &words::CAL_HELD_UNTIL.with(lang, &until), &html! { p { (words::CAL_HELD_WHY.of(lang)) } }))
            }
            None => (notice(Tone::Warning, words::CAL_NOT_HELD.of(lang), &html! { p { (words::CAL_NOT_HELD_WHY.of(lang)) } })),
        }
        (panel("confirm", words::CAL_FACTS.of(lang), None, &page.form(hold.as_deref().filter(|_| held.is_some()))))
        (page.back(hold.as_deref()))
    };
    Ok(shell_with(visit, fault.map_or(200, Fault::status), title, &[], &body))
}

struct Page<'p> {
    visit: &'p Visit,
    here: &'p Here,
    place: &'p Place,
    kind: &'p VisitType,
    person: &'p Person,
    fault: Option<&'p Fault>,
}

impl Page<'_> {
    fn carried(&self, hold: Option<&str>) -> Markup {
        html! {
            (hidden(self.visit))
            input type="hidden" name="patient" value=(self.person.id);
            (fields(self.place))
            @if let Some(hold) = hold { input type="hidden" name="hold" value=(hold); }
        }
    }

    fn form(&self, hold: Option<&str>) -> Markup {
        let (visit, lang, place) = (self.visit, self.visit.lang(), self.place);
        let zone = self.here.zone(Some(&place.site));
        let span = Span::of_minutes(place.start, self.kind.duration_minutes);
        let when = span.map(|span| span_words(span, zone, lang)).unwrap_or_default();
        let site = self.here.site(&place.site).map_or("", |site| site.name.as_str());
        let mut all = vec![
            (
                words::FOR.of(lang),
                html! { (self.kind.title) " · " (words::MINUTES.with(lang, &self.kind.duration_minutes.to_string())) },
            ),
            (
                words::WHEN.of(lang),
                html! { strong { (when) } div.muted { (super::zone_words(zone, visit, lang)) } },
            ),
            (
                words::WITH.of(lang),
                html! { @for (_, actor) in &place.with { div { (self.here.name(actor)) } } },
            ),
            (words::CAL_SITE.of(lang), html! { (site) }),
        ];
        if !self.kind.preparation.is_empty() {
            all.push((words::CAL_PREPARATION.of(lang), html! { (self.kind.preparation) }));
        }
        let asks = self.fault.is_some_and(finding::asks_reason);
        // What was typed is sent again under the same id only while nothing was booked by it.
        let form = match self.fault {
            Some(_) if !visit.field("form_id").is_empty() => visit.field("form_id").to_owned(),
            _ => desk::draw_form(visit),
        };
        html! {
            (facts(&all))
            form.cal-form.stack method="post" action="/schedule/book/confirm" {
                (self.carried(hold))
                input type="hidden" name="form_id" value=(form);
                @if asks {
                    (area(&Input { name: "reason", label: words::CAL_WHY_ANYWAY.of(lang), hint: words::CAL_WHY_ANYWAY_HINT.of(lang), value: visit.field("reason"), is_required: true, ..Input::default() }, REASON_MAX))
                }
                (area(&Input { name: "comment", label: words::CAL_COMMENT.of(lang), hint: words::CAL_COMMENT_HINT.of(lang), value: visit.field("comment"), ..Input::default() }, COMMENT_MAX))
                div { (button(Kind::Primary, Some(Icon::Today), if asks { words::CAL_BOOK_ANYWAY } else { words::CAL_BOOK_BUTTON }.of(lang))) }
            }
        }
    }

    /// The way back, which gives the place to others.
    fn back(&self, hold: Option<&str>) -> Markup {
        let lang = self.visit.lang();
        html! {
            @match hold {
                Some(hold) => form method="post" action="/schedule/book/release" {
                    (self.carried(Some(hold)))
                    (button(Kind::Quiet, Some(Icon::Back), words::CAL_GIVE_BACK.of(lang)))
                },
                None => (link_button(Kind::Quiet, Some(Icon::Back), words::CAL_OTHER_PLACE.of(lang), &format!("/schedule/book?patient={}&type={}", self.person.id, self.place.visit_type))),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decoded(href: &str) -> Vec<(String, String)> {
        search::parse::decode_query(href.split_once('?').expect("a query").1).expect("decodes")
    }

    #[test]
    fn a_place_survives_the_address_of_the_page_that_books_it() {
        let actor = |text| Actor::parse(text).expect("an actor");
        let place = Place {
            visit_type: "follow-up".to_owned(),
            site: actor("Location/l1"),
            start: Millis(1_795_000_000_000),
            with: vec![
                (Role::Clinician, actor("Practitioner/p.1")),
                (Role::Room, actor("Location/r")),
            ],
            modality: None,
        };
        let read_back = read(&decoded(&href("ada", &place, Some("h1")))).expect("read");
        assert_eq!(read_back, ("ada".to_owned(), place.clone(), Some("h1".to_owned())));
        let other = decoded(&href("ada", &place, None));
        assert_eq!(read(&other).expect("read").2, None);
        for name in ["patient", "type", "site", "start"] {
            let less: Vec<_> = other.iter().filter(|(key, _)| key != name).cloned().collect();
            assert!(read(&less).is_none(), "without {name}");
        }
    }
}
