//! What a grid of a day, week or month shows, one appointment, and free places.

use super::{Grid, House, Places, Query, Visit};
use crate::actor::Actor;
use crate::time::{Date, Zone};
use base::Fault;
use record::Session;

/// A grid: rows of resources over dates of a zone, both included.
///
/// # Errors
/// `scheduling.find.invalid` for more than 60 resources or 42 days; as a search.
pub async fn day(
    session: &Session,
    house: &House,
    (from, until): (Date, Date),
    zone: &Zone,
    resources: &[Actor],
) -> Result<Grid, Fault> {
    let _ = (session, house, from, until, zone, resources);
    unimplemented!()
}

/// One appointment as screens show it.
///
/// # Errors
/// As a read; `scheduling.calendar.invalid` for one that cannot be understood.
pub async fn appointment(session: &Session, id: &str) -> Result<Visit, Fault> {
    let _ = (session, id);
    unimplemented!()
}

/// The first free places for a visit, across sites and resources.
///
/// # Errors
/// `scheduling.find.invalid` when the question makes no sense; as a search.
pub async fn find(session: &Session, house: &House, query: &Query) -> Result<Places, Fault> {
    let _ = (session, house, query);
    unimplemented!()
}
