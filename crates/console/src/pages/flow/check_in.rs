//! Checking somebody in: who it is, by two identifiers that they say themselves (Joint Commission
//! NPSG.01.01.01), whether address, phone and coverage are still right, and that they are there. Opened,
//! confirmed, arrived: three actions.

use super::act::take;
use super::card::{clock, said};
use crate::answer::Answer;
use crate::booking::booked;
use crate::booking::type_id;
use crate::days;
use crate::done::finish;
use crate::pages::registration::{self, consents};
use crate::pages::{missing, patient};
use crate::parts::{
    Icon, Kind, Tone, badge, born, button, error_summary, facts, hidden, icon, link_button, notice,
    panel, shell::shell,
};
use crate::person::{Person, Ways, concept, list, text};
use crate::route::part;
use crate::visit::Visit;
use crate::words::{self, Lang};
use ::registration::consent;
use base::{Fault, Limits, Millis};
use fhir::Document;
use maud::{Markup, html};
use record::{Level, SearchHow};
use scheduling::book::Visit as Booked;
use scheduling::flow::State;

/// Coverages that are shown of one patient.
const COVERAGES_MAX: usize = 6;

/// `/p/{id}/check-in/{appointment}`
pub(crate) fn page(visit: &Visit) -> Result<Answer, Fault> {
    shown(visit, false)
}

/// `POST /p/{id}/check-in/{appointment}`
pub(crate) fn arrive(visit: &Visit) -> Result<Answer, Fault> {
    if visit.field("confirmed") != "yes" {
        return shown(visit, true);
    }
    let (Ok(version), patient) = (visit.field("version").parse(), part(visit, 1)) else {
        return Ok(missing::page(visit));
    };
    take(visit, part(visit, 3), patient, version, State::Arrived)
}

fn shown(visit: &Visit, is_wrong: bool) -> Result<Answer, Fault> {
    let Some((person, hit)) = patient::see_whole(visit)? else { return Ok(missing::page(visit)) };
    let Some(of) = appointment(visit, &person.id)? else { return Ok(missing::page(visit)) };
    let lang = visit.lang();
    let chart = patient::chart(visit, &person.id)?;
    let coverage = coverage(visit, &person.id)?;
    let asks = Asks {
        ways: Ways::read(&hit, visit.now())?,
        may: registration::may_change(visit, &person.id)?,
        coverage: coverage.as_deref(),
        unsigned: unsigned(visit, &person.id)?,
    };
    let may = visit
        .session
        .changeable(type_id("Appointment")?, std::slice::from_ref(&of.id))?
        .contains(&of.id);
    let body = html! {
        (patient::head(visit, &person, &chart))
        @if is_wrong { (error_summary(lang, &[("confirmed", words::CHECK_IN_UNCONFIRMED.of(lang))])) }
        (super::entered::shown(visit, &person, &of, may)?)
        div.columns {
            div { (panel("check-in", words::CHECK_IN.of(lang), None, &main_part(visit, &person, &of, is_wrong, may))) }
            div {
                (panel("still", words::CHECK_IN_STILL.of(lang), None, &still(&person, &asks, lang)))
            }
        }
    };
    Ok(shell(visit, if is_wrong { 400 } else { 200 }, words::CHECK_IN.of(lang), &body))
}

/// The visit that the path names, when it is this patient's.
pub(super) fn appointment(visit: &Visit, patient: &str) -> Result<Option<Booked>, Fault> {
    let found = booked(visit, part(visit, 3))?;
    Ok(found.filter(|of| of.patient.as_ref().is_some_and(|whom| whom.id == patient)))
}

fn main_part(visit: &Visit, person: &Person, of: &Booked, is_wrong: bool, may: bool) -> Markup {
    let lang = visit.lang();
    let today = days::day_at(visit.now(), &visit.zone);
    let start = of.span.map(|span| span.start);
    let at = start.map(|start| clock(start, visit)).unwrap_or_default();
    let name = person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned());
    let other_day = start.filter(|start| days::day_at(*start, &visit.zone) != today);
    let state = of.state.unwrap_or(State::Booked);
    let is_expected = matches!(state, State::Booked | State::Confirmed | State::NoShow);
    html! {
        div.stack.check-in {
            (facts(&[
                (words::TIME.of(lang), html! { span.number { (at) } }),
                (words::CHECK_IN_VISIT.of(lang), html! { (of.title.expose()) " " (super::card::state(state, lang)) }),
            ]))
            @if let Some(day) = other_day {
                (notice(Tone::Warning, words::CHECK_IN_NOT_NOW.of(lang), &html! {
                    p { (words::CHECK_IN_OTHER_DAY.with(lang, &days::moment(day, &visit.zone, lang))) }
                }))
            }
            @if !is_expected {
                (notice(Tone::Ok, words::CHECK_IN_ALREADY.of(lang), &html! {
                    p { (words::CHECK_IN_ALREADY_WHY.with(lang, said(state).of(lang))) }
                }))
                div.row { (link_button(Kind::Secondary, Some(Icon::Back), words::FLOW_BACK.of(lang), "/flow")) }
            } @else if !may {
                (notice(Tone::Warning, words::CHECK_IN_NOT_YOURS.of(lang), &html! {}))
            } @else if other_day.is_none() {
                form.stack method="post" action=(visit.path) {
                    (hidden(visit))
                    input type="hidden" name="version" value=(of.version);
                    input type="hidden" name="patient" value=(person.id);
                    h3 { (words::CHECK_IN_WHO.of(lang)) }
                    p.hint { (words::CHECK_IN_ASK.of(lang)) }
                    p.check-in-who { strong { (name) } " " (born(person, today, lang)) }
                    div.field.is-wrong[is_wrong] {
                        @if is_wrong { p.error id="confirmed-error" { (icon(Icon::Critical)) span { (words::CHECK_IN_UNCONFIRMED.of(lang)) } } }
                        label.choice {
                            input #confirmed type="checkbox" name="confirmed" value="yes" required
                                aria-describedby=[is_wrong.then_some("confirmed-error")];
                            span { (words::CHECK_IN_CONFIRM.of(lang)) }
                        }
                    }
                    div.row {
                        (button(Kind::Primary, Some(Icon::Ok), words::CHECK_IN_ARRIVED.of(lang)))
                        (link_button(Kind::Quiet, None, words::FLOW_BACK.of(lang), "/flow"))
                    }
                }
                (super::entered::ask_link(visit, person, of))
            }
        }
    }
}

/// What somebody is asked whether it is still right.
struct Asks<'a> {
    ways: Ways,
    /// Whoever asks keeps what is known of the patient.
    may: bool,
    coverage: Option<&'a [Covered]>,
    /// What everybody signs and this patient has not; none where the role is not shown consents. With
    /// whether whoever asks may have it signed.
    unsigned: Option<(Vec<consent::Kind>, bool)>,
}

/// What everybody signs and this patient has not.
fn unsigned(visit: &Visit, patient: &str) -> Result<Option<(Vec<consent::Kind>, bool)>, Fault> {
    if !visit.session.may_search(type_id("Consent")?) {
        return Ok(None);
    }
    let held = finish(consent::in_force(&visit.session, patient))?;
    let due = finish(consent::due(&visit.session, patient, &held, false))?;
    let may = !due.is_empty() && !consents::may_sign(visit, patient)?.is_empty();
    Ok(Some((due, may)))
}

/// Ways to reach a patient: those that were asked for in confidence are told to who keeps them alone.
fn ways(all: &[String], is_secret: bool, may: bool, lang: Lang) -> Markup {
    // A number is not broken; an address is.
    let is_number = |one: &str| one.len() < 20;
    html! {
        @if is_secret && !may {
            (badge(Tone::Sensitive, Icon::Withheld, words::CHECK_IN_CONTACT_HIDDEN.of(lang)))
        } @else {
            @if is_secret { (badge(Tone::Sensitive, Icon::Shield, words::CHECK_IN_CONTACT_ONLY.of(lang))) }
            @for one in all { div.number[is_number(one)] { (one) } }
            @if all.is_empty() { span.muted { (words::NOT_KNOWN.of(lang)) } }
        }
    }
}

fn still(person: &Person, asks: &Asks<'_>, lang: Lang) -> Markup {
    let Asks { ways: of, may, coverage, unsigned } = asks;
    let signed = unsigned.as_ref().map(|(due, may)| {
        html! {
            @for kind in due { div.row {
                (consents::missing_one(*kind, lang))
                @if *may { (consents::to_sign(&person.id, *kind, Kind::Quiet, lang)) }
            } }
            @if due.is_empty() { (badge(Tone::Ok, Icon::Ok, words::CONSENT_DUE_NONE.of(lang))) }
        }
    });
    let covered = match coverage {
        None => badge(Tone::Sensitive, Icon::Withheld, words::WITHHELD.of(lang)),
        Some([]) => badge(Tone::Warning, Icon::Warning, words::CHECK_IN_NO_COVERAGE.of(lang)),
        Some(all) => html! { @for one in *all { div {
            (one.name())
            @if !one.member.is_empty() { " · " span.number { (words::CHECK_IN_MEMBER.with(lang, &one.member)) } }
            @if let Some(ended) = &one.ended {
                " " (badge(Tone::Critical, Icon::Warning, &words::CHECK_IN_ENDED.with(lang, &days::shown(ended, lang))))
            }
        } } },
    };
    let mut rows = vec![
        (
            words::CHECK_IN_ADDRESS.of(lang),
            ways(of.addresses.get(..1).unwrap_or_default(), of.is_address_secret, *may, lang),
        ),
        (words::CHECK_IN_PHONE.of(lang), ways(&of.phones, of.is_phone_secret, *may, lang)),
        (words::CHECK_IN_COVERAGE.of(lang), covered),
    ];
    rows.extend(signed.map(|signed| (words::CONSENTS.of(lang), signed)));
    facts(&rows)
}

/// A coverage.
#[derive(Clone, Default)]
struct Covered {
    payer: String,
    plan: String,
    member: String,
    /// The day it ended, when that is past.
    ended: Option<String>,
}

impl Covered {
    /// Who pays, and by what, as far as it is known.
    fn name(&self) -> String {
        let both = [self.payer.as_str(), self.plan.as_str()];
        both.into_iter().filter(|part| !part.is_empty()).collect::<Vec<_>>().join(", ")
    }
}

/// What pays for the patient; none where the role is not shown any.
fn coverage(visit: &Visit, patient: &str) -> Result<Option<Vec<Covered>>, Fault> {
    let of = type_id("Coverage")?;
    if !visit.session.may_search(of) {
        return Ok(None);
    }
    let pair = |name: &str, value: String| (name.to_owned(), value);
    let pairs = vec![
        pair("beneficiary", format!("Patient/{patient}")),
        pair("status", "active".to_owned()),
        pair("_count", COVERAGES_MAX.to_string()),
    ];
    let found = visit.session.search(Level::Type(of), pairs, &SearchHow::default())?.wait()?;
    let mut all = Vec::new();
    for hit in found.page.matches {
        let document = Document::parse(hit.body, &Limits::default())?;
        all.push(covered(&document, &today(visit.now(), visit)));
    }
    Ok(Some(all))
}

fn today(now: Millis, visit: &Visit) -> String {
    days::day_at(now, &visit.zone).to_string()
}

fn covered(document: &Document, today: &str) -> Covered {
    let root = document.root();
    let payer = list(root, "payor").map(|payor| text(payor, "display"));
    let ended = root.get("period").map(|period| text(period, "end"));
    Covered {
        payer: payer.filter(|name| !name.is_empty()).collect::<Vec<_>>().join(", "),
        plan: root.get("type").and_then(concept).unwrap_or_default(),
        member: text(root, "subscriberId"),
        ended: ended.filter(|end| !end.is_empty() && end.get(..10).is_some_and(|day| day < today)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_coverage_that_is_over_says_so_and_one_that_is_not_does_not() {
        let read = |end: &str| {
            let json = format!(
                r#"{{"payor":[{{"display":"Acme Health"}}],"subscriberId":"M-1","type":{{"text":"HMO"}},"period":{{"end":"{end}"}}}}"#
            );
            let document = Document::parse(json.into_bytes(), &Limits::default()).expect("JSON");
            covered(&document, "2026-11-23")
        };
        let over = read("2026-10-31");
        assert_eq!(over.name(), "Acme Health, HMO");
        let unnamed = Covered { plan: "HMO".to_owned(), ..Covered::default() };
        assert_eq!(unnamed.name(), "HMO");
        assert_eq!(over.ended.as_deref(), Some("2026-10-31"));
        assert_eq!(read("2026-11-23").ended, None, "it holds today");
    }
}
