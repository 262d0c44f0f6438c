//! The patient banner: whose record this is, on every page and every printed sheet about a patient (NHS
//! Common User Interface, patient banner: PAB-0042, PAB-0019; WCAG 2.2, 3.2.3). `FAMILY, Given`, `Born
//! dd-Mmm-yyyy (age)`, no colons, "Not known" where nothing is recorded; what the caller's role is not
//! shown says so, so that nobody takes it for nothing.

use super::badge::{Tone, badge};
use super::icon::{Icon, icon};
use super::list::{copyable, unbroken};
use crate::days;
use crate::person::Person;
use crate::words::{self, Lang, Word};
use jiff::civil::Date;
use maud::{Markup, html};

/// What of a patient's chart the banner warns of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chart {
    /// Allergies with whether each is grave; `None` where the role is not shown any.
    pub(crate) allergies: Option<Vec<(String, bool)>>,
    /// It was recorded that there are none.
    pub(crate) has_no_allergies: bool,
    /// Nothing is shown, and not all could be: that nothing is recorded cannot be said.
    pub(crate) is_untold: bool,
    /// Some of it may be withheld from this caller, whoever the patient is.
    pub(crate) may_withhold: bool,
    /// Consents in force, each with whether it denies something; none where none may be shown.
    pub(crate) consents: Vec<(String, bool)>,
    /// Who may act for the patient, each with by what right.
    pub(crate) proxies: Vec<(String, Word)>,
    /// Alerts; `None` where the role is not shown any.
    pub(crate) alerts: Option<Vec<String>>,
    /// There are more than were read.
    pub(crate) is_partial: bool,
}

/// What a banner is made of.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Banner<'b> {
    pub(crate) person: &'b Person,
    pub(crate) chart: &'b Chart,
    pub(crate) today: Date,
    pub(crate) lang: Lang,
}

/// The banner. Its name is the heading of the page.
pub(crate) fn banner(of: &Banner<'_>) -> Markup {
    let (person, lang) = (of.person, of.lang);
    let name = person.name().unwrap_or_else(|| words::NO_NAME.of(lang).to_owned());
    html! {
        section.patient aria-label=(words::BANNER.of(lang)) data-patient=(person.id) {
            div.patient-who {
                @match &person.photo {
                    Some(photo) => img.photo src=(photo) alt="" width="40" height="40";,
                    None => span.monogram aria-hidden="true" { (person.initials()) },
                }
                div.patient-name {
                    h1 { (name) }
                    @if person.died.is_some() { (badge(Tone::Neutral, Icon::Info, &died(person, lang))) }
                    @if !person.is_active && person.died.is_none() {
                        (badge(Tone::Warning, Icon::Warning, words::NOT_ACTIVE.of(lang)))
                    }
                }
            }
            dl.patient-facts {
                div { dt { (words::BORN.of(lang)) } dd { (born(person, of.today, lang)) } }
                div { dt { (words::GENDER.of(lang)) } dd { (gender(person, lang)) } }
                div {
                    dt { (words::RECORD_NUMBER.of(lang)) }
                    dd { @match person.record_number() {
                        Some(number) => (copyable(lang, &number.value)),
                        None => (unknown(lang)),
                    } }
                }
                @for other in others(person) {
                    div.is-minor { dt { (other.kind) } dd { (other.value) } }
                }
            }
            div.patient-risks {
                div.risk { span.risk-name { (icon(Icon::Allergy)) (words::ALLERGIES.of(lang)) } (allergies(of.chart, lang)) }
                div.risk { span.risk-name { (icon(Icon::Alert)) (words::ALERTS.of(lang)) } (alerts(of.chart, lang)) }
                @if !of.chart.consents.is_empty() {
                    div.risk { span.risk-name { (icon(Icon::Shield)) (words::CHART_CONSENTS.of(lang)) }
                        a.flags href={ "/p/" (person.id) "/consents" } { @for (consent, denies) in &of.chart.consents {
                            (badge(if *denies { Tone::Sensitive } else { Tone::Neutral }, Icon::Shield, consent))
                        } }
                    }
                }
                @if !of.chart.proxies.is_empty() {
                    div.risk { span.risk-name { (icon(Icon::People)) (words::PROXY_BANNER.of(lang)) }
                        a.flags href={ "/p/" (person.id) "/people" } { @for (name, right) in &of.chart.proxies {
                            (badge(Tone::Neutral, Icon::Person, &format!("{name} ({})", right.of(lang))))
                        } }
                    }
                }
                @if of.chart.may_withhold {
                    div.risk { span.risk-name { (icon(Icon::Withheld)) (words::CHART_MAY_WITHHOLD.of(lang)) } }
                }
            }
        }
    }
}

/// Numbers beside that of the record which say what they are: two at most, the page tells all.
fn others(person: &Person) -> impl Iterator<Item = &crate::person::Identifier> {
    let own = person.record_number();
    person
        .identifiers
        .iter()
        .filter(move |one| Some(*one) != own && !one.kind.is_empty() && one.value.len() <= 24)
        .take(2)
}

/// The date of birth with the age.
pub(crate) fn born(person: &Person, today: Date, lang: Lang) -> Markup {
    if person.born.is_empty() {
        return unknown(lang);
    }
    let until = person.died.as_deref().filter(|died| died.len() >= 10);
    let on = until.and_then(|died| died.get(..10)?.parse().ok()).unwrap_or(today);
    let age = days::age(&person.born, on, lang);
    let day = days::shown(&person.born, lang);
    unbroken(&age.map_or_else(|| day.clone(), |age| format!("{day} ({age})")))
}

/// The gender in words.
pub(crate) fn gender(person: &Person, lang: Lang) -> Markup {
    crate::person::gender(&person.gender)
        .map_or_else(|| unknown(lang), |word| html! { (word.of(lang)) })
}

fn unknown(lang: Lang) -> Markup {
    html! { span.muted { (words::NOT_KNOWN.of(lang)) } }
}

fn died(person: &Person, lang: Lang) -> String {
    match person.died.as_deref() {
        Some(when) if !when.is_empty() => words::DIED_ON.with(lang, &days::shown(when, lang)),
        _ => words::DIED.of(lang).to_owned(),
    }
}

fn withheld(lang: Lang) -> Markup {
    badge(Tone::Sensitive, Icon::Withheld, words::WITHHELD.of(lang))
}

fn allergies(chart: &Chart, lang: Lang) -> Markup {
    let Some(all) = &chart.allergies else { return withheld(lang) };
    html! {
        @for (name, is_grave) in all {
            @if *is_grave { (badge(Tone::Critical, Icon::Critical, &words::GRAVE.with(lang, name))) }
            @else { (badge(Tone::Warning, Icon::Warning, name)) }
        }
        @if chart.is_partial { span.muted { (words::AND_MORE.of(lang)) } }
        @if all.is_empty() {
            @if chart.has_no_allergies { span { (words::NO_KNOWN_ALLERGIES.of(lang)) } }
            @else if chart.is_untold { span.muted { (words::CHART_UNTOLD.of(lang)) } }
            @else { span.muted { (words::ALLERGIES_NOT_RECORDED.of(lang)) } }
        }
    }
}

fn alerts(chart: &Chart, lang: Lang) -> Markup {
    let Some(all) = &chart.alerts else { return withheld(lang) };
    html! {
        @for alert in all { (badge(Tone::Warning, Icon::Alert, alert)) }
        @if all.is_empty() { span.muted { (words::NO_ALERTS.of(lang)) } }
    }
}
