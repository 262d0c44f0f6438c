//! What there is to book here: sites, people, rooms, devices and visit types.

use super::{Bookable, House, Listed, SiteHere};
use crate::actor::Actor;
use crate::visit_type::VisitType;
use base::Fault;
use record::Session;

/// The sites of the house: Locations in use that are no room and no part of another.
///
/// # Errors
/// As a search.
pub async fn sites(session: &Session, house: &House) -> Result<Listed<SiteHere>, Fault> {
    let _ = (session, house);
    unimplemented!()
}

/// Who and what can be booked, of a site or of all: people by their PractitionerRole, rooms by their
/// Location, devices.
///
/// # Errors
/// As a search.
pub async fn resources(
    session: &Session,
    house: &House,
    site: Option<&Actor>,
) -> Result<Listed<Bookable>, Fault> {
    let _ = (session, house, site);
    unimplemented!()
}

/// The visit types that are booked now.
///
/// # Errors
/// As a search. What cannot be read is left out, and then there is `more`.
pub async fn visit_types(session: &Session) -> Result<Listed<VisitType>, Fault> {
    let _ = session;
    unimplemented!()
}

/// One visit type, in use or not.
///
/// # Errors
/// As a read; `scheduling.visit-type.invalid`.
pub async fn visit_type(session: &Session, id: &str) -> Result<VisitType, Fault> {
    let _ = (session, id);
    unimplemented!()
}
