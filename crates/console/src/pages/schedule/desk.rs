//! The scheduling department as these pages ask it: who may see and book, by which clocks, and its work
//! done on the thread of the visit, which may block.

use crate::booking::type_id;
use crate::parts::finds_patients;
use crate::visit::Visit;
use crate::wait::wait;
use base::Fault;
use base::error::Code;
use jiff::civil::Date;
use scheduling::actor::Actor;
use scheduling::book::{self, Bookable, House, SiteHere};
use scheduling::time::{Zone, Zones};

/// Whether somebody looks after the schedule here: who is no patient, and may see appointments.
pub(crate) fn sees(visit: &Visit) -> bool {
    let may = |name| type_id(name).is_ok_and(|of| visit.session.may_search(of));
    finds_patients(visit) && may("Appointment") && may("Schedule")
}

/// Whether they may book.
pub(crate) fn books(visit: &Visit) -> bool {
    sees(visit) && type_id("Appointment").is_ok_and(|of| visit.session.may_create(of))
}

/// Whether they may change what is booked.
pub(crate) fn changes(visit: &Visit) -> bool {
    sees(visit) && type_id("Appointment").is_ok_and(|of| visit.session.may_update(of))
}

/// What the house says of booking.
pub(crate) fn house(visit: &Visit) -> House {
    let zones = Zones::bundled();
    let zone = visit.zone.iana_name().and_then(|name| zones.find(name).ok());
    House { zones, zone: zone.unwrap_or_else(Zone::utc), ..House::default() }
}

/// What can be booked here.
pub(crate) struct Here {
    pub(crate) house: House,
    pub(crate) sites: Vec<SiteHere>,
    pub(crate) resources: Vec<Bookable>,
    /// There are more than were read.
    pub(crate) more: bool,
}

impl Here {
    /// Reads it.
    ///
    /// # Errors
    /// As a search.
    pub(crate) fn read(visit: &Visit) -> Result<Self, Fault> {
        let house = house(visit);
        let sites = wait(book::sites(&visit.session, &house))?;
        let resources = wait(book::resources(&visit.session, &house, None))?;
        let more = sites.more || resources.more;
        Ok(Self { house, sites: sites.rows, resources: resources.rows, more })
    }

    /// The site of a Location.
    pub(crate) fn site(&self, location: &Actor) -> Option<&SiteHere> {
        self.sites.iter().find(|site| site.location == *location)
    }

    /// What a resource is called.
    pub(crate) fn name<'h>(&'h self, actor: &'h Actor) -> &'h str {
        let site = || self.site(actor).map(|site| site.name.as_str());
        let known = self.resource(actor).map(|one| one.name.as_str());
        known.or_else(site).unwrap_or_else(|| actor.as_str())
    }

    /// A resource.
    pub(crate) fn resource(&self, actor: &Actor) -> Option<&Bookable> {
        self.resources.iter().find(|one| one.actor == *actor)
    }

    /// The first site of a resource.
    pub(crate) fn site_of(&self, actor: &Actor) -> Option<&SiteHere> {
        self.resource(actor)?.sites.iter().find_map(|location| self.site(location))
    }

    /// The zone of a site; the house's for one that is not here.
    pub(crate) fn zone(&self, location: Option<&Actor>) -> &Zone {
        location.and_then(|at| self.site(at)).map_or(&self.house.zone, |site| &site.zone)
    }
}

/// Who is signed in, as somebody who can be booked.
pub(crate) fn own(visit: &Visit) -> Option<Actor> {
    let practitioner = visit.caller.as_ref()?.principal.profile.practitioner.as_ref()?;
    Actor::parse(&format!("Practitioner/{practitioner}"))
}

/// Today at a place.
pub(crate) fn today(visit: &Visit, zone: &Zone) -> Date {
    zone.wall(visit.now()).date()
}

/// The id of a form that is shown now: sent twice, it does its work once.
pub(crate) fn draw_form(visit: &Visit) -> String {
    let request = visit.session.request();
    let digits = request.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    let hex: String = digits.filter_map(|d| char::from_digit(u32::from(d), 16)).collect();
    format!("{hex}-{}", visit.now().0)
}

/// A code of the table, whichever fault has it.
pub(crate) fn is(fault: &Fault, codes: &[&'static Code]) -> bool {
    codes.iter().any(|code| code.name == fault.code().name)
}
