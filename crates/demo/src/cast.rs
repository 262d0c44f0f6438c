//! The cast: who of the clinic would sign in for each part that people play there, so that a demo
//! can be looked at through different eyes. Names and ids; passwords are nobody's business here.

use crate::Clinic;
use crate::people::Role;
use crate::staff::{SITE_NURSES, site_of};

/// Patients looked at for the parts of a patient and of a parent.
const LOOKED_AT_MAX: u64 = 500;

/// One part of the cast.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Part {
    /// The role, as policies name it.
    pub role: &'static str,
    /// What people call them.
    pub display: String,
    /// The Organization they work at, by its id.
    pub site: Option<String>,
    /// The Practitioner they are, by its id.
    pub practitioner: Option<String>,
    /// The Patient they are, by its id.
    pub patient: Option<String>,
    /// The Patients they speak for, by their ids.
    pub represents: Vec<String>,
}

/// Those who work in the house and are on no schedule.
const OFFICE: [(&str, &str); 6] = [
    ("front-desk", "Robin Okafor"),
    ("biller", "Sam Whitfield"),
    ("him", "Dana Lindqvist"),
    ("privacy-officer", "Priya Raman"),
    ("it-administrator", "Alex Novak"),
    ("auditor", "Morgan Castellano"),
];

impl Clinic {
    /// One person for each part that people play in this clinic. A very small clinic may have no
    /// child to speak for, and so no proxy.
    pub fn cast(&self) -> Vec<Part> {
        let site = |number: u64| Some(self.site_ids(number).organization);
        let blank = |role: &'static str, display: String| Part {
            role,
            display,
            site: None,
            practitioner: None,
            patient: None,
            represents: Vec::new(),
        };
        let mut cast: Vec<Part> = [("clinician", 0), ("nurse", SITE_NURSES)]
            .into_iter()
            .map(|(role, seat)| {
                let staff = self.staff(0, seat);
                let practitioner = Some(staff.id);
                Part { site: site(site_of(seat)), practitioner, ..blank(role, staff.name) }
            })
            .collect();
        cast.extend(OFFICE.map(|(role, name)| {
            // Patients are the clinic's, not one site's, and whoever receives them works for all of it.
            let site = if role == "front-desk" { Some(self.clinic_id()) } else { site(0) };
            Part { site, ..blank(role, name.into()) }
        }));
        let living = |i: &u64| self.person(*i).death.is_none();
        let patients = || (0..self.options.patients.min(LOOKED_AT_MAX)).filter(living);
        cast.extend(patients().find(|i| self.person(*i).role == Role::Head).map(|i| {
            let patient = Some(self.patient_id(i));
            Part { patient, ..blank("patient", self.person(i).full_name()) }
        }));
        cast.extend(patients().find_map(|i| {
            let child = self.person(i);
            let parent = child.parents().next().map(|first| self.person(first))?;
            let small = child.age(self.today) < 12 && parent.death.is_none();
            let represents = vec![self.patient_id(i)];
            small.then(|| Part { represents, ..blank("proxy", parent.full_name()) })
        }));
        cast
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Options;

    #[test]
    fn everybody_of_the_cast_is_in_the_clinic() {
        let clinic = Clinic::new(Options::new(60, 1, (2026, 3, 2)));
        let ids: std::collections::HashSet<_> =
            clinic.resources().map(|r| format!("{}/{}", r.resource_type, r.id)).collect();
        let cast = clinic.cast();
        let roles: Vec<_> = cast.iter().map(|part| part.role).collect();
        let office = OFFICE.map(|(role, _)| role);
        assert_eq!((&roles[..2], &roles[2..8]), (&["clinician", "nurse"][..], &office[..]));
        assert_eq!(&roles[8..], ["patient", "proxy"]);
        for part in &cast {
            let named = |kind: &str, id: &String| assert!(ids.contains(&format!("{kind}/{id}")));
            part.site.iter().for_each(|id| named("Organization", id));
            part.practitioner.iter().for_each(|id| named("Practitioner", id));
            part.patient.iter().chain(&part.represents).for_each(|id| named("Patient", id));
            assert!(!part.display.is_empty());
        }
    }

    #[test]
    fn the_cast_does_not_change_as_the_clinic_grows() {
        let of = |patients| Clinic::new(Options::new(patients, 1, (2026, 3, 2))).cast();
        assert_eq!(of(60), of(900));
        assert!(of(0).iter().all(|part| part.patient.is_none()));
    }
}
