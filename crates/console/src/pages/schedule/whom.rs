//! The patient that a page of the schedule is about: read as the chart's pages read them, under the same
//! banner (NHS Common User Interface, patient banner).

use crate::booking::type_id;
use crate::days;
use crate::pages::patient::chart;
use crate::parts::{Banner, banner};
use crate::person::Person;
use crate::visit::Visit;
use base::Fault;
use base::error::code;
use fhir::reference::is_id;
use maud::Markup;

/// The patient of an id, if there is one for whoever asks.
///
/// # Errors
/// As a read.
pub(crate) fn person(visit: &Visit, id: &str) -> Result<Option<Person>, Fault> {
    if !is_id(id) {
        return Ok(None);
    }
    let nothing = [&code::NOT_FOUND, &code::GONE, &code::ACCESS_DENIED];
    let found = visit.session.read(type_id("Patient")?, id, None);
    match found {
        Ok(hit) => Person::read(&hit.wait()?).map(Some),
        Err(fault) if super::desk::is(&fault, &nothing) => Ok(None),
        Err(fault) => Err(fault),
    }
}

/// The banner.
///
/// # Errors
/// As a search.
pub(crate) fn head(visit: &Visit, person: &Person) -> Result<Markup, Fault> {
    let chart = chart(visit, &person.id)?;
    let today = days::day_at(visit.now(), &visit.zone);
    Ok(banner(&Banner { person, chart: &chart, today, lang: visit.lang() }))
}
