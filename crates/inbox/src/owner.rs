//! For whom a result waits that nobody has handed on. In this order: whoever ordered it
//! (`DiagnosticReport.basedOn`, its requester); the general practitioner of its patient; and where neither
//! is anybody of this house, every clinician of the site, so that no result waits for nobody. An order of
//! an Organization is that of the clinicians who work there; one of the patient, a relative or a device,
//! one that is not here, and one by whom nobody can sign in, is nobody's.

use crate::item::Whose;
use crate::read::{Reads, each, id_in, named, parsed, text};
use crate::whom::{Desks, Me};
use base::{Fault, Millis};
use fhir::Value;
use record::Hit;
use std::collections::{HashMap, HashSet};

/// The role of who is asked when a result is nobody's.
const CLINICIAN: &str = "clinician";
/// Roles that the practitioners of one inbox have at sites.
const ROLES_MAX: usize = 200;

/// Who is who among those whom a result may wait for.
#[derive(Debug, Default)]
pub(crate) struct Owners {
    own: Option<String>,
    /// Whom whoever asks covers for: by reference, and what they are called.
    covered: HashMap<String, String>,
    /// The sites whose clinicians they are among, as references.
    sites: Vec<String>,
    is_clinician: bool,
    /// One record is looked at: what is not at hand is read.
    alone: bool,
    /// Orders at hand.
    orders: HashMap<String, Hit>,
    /// The Practitioner behind a `PractitionerRole`, by its id.
    roles: HashMap<String, Option<String>>,
    /// As whom somebody can sign in; looked up once, when it matters.
    there: Option<HashSet<String>>,
}

impl Owners {
    pub(crate) fn new(me: &Me, desks: &Desks, now: Millis, alone: bool) -> Self {
        let is_clinician = desks.own.is_some() && me.roles.iter().any(|role| role == CLINICIAN);
        let sites = me.sites.iter().map(|id| format!("Organization/{id}"));
        Self {
            own: desks.own.clone(),
            covered: desks.covered(now).into_iter().cloned().collect(),
            sites: sites.filter(|_| is_clinician).collect(),
            is_clinician,
            alone,
            ..Self::default()
        }
    }

    /// Whether results are asked for at all.
    pub(crate) const fn asks(&self) -> bool {
        self.own.is_some()
    }

    /// Keeps an order that came beside a report.
    pub(crate) fn keep(&mut self, order: Hit) {
        self.orders.insert(order.id.clone(), order);
    }

    /// The questions whose answers hold at least what waits for whoever asks: what they or their site
    /// ordered, what is about their own patients, and what is about patients without a general
    /// practitioner.
    pub(crate) fn questions(
        &mut self,
        reads: &mut Reads<'_>,
    ) -> Result<Vec<(&'static str, String)>, Fault> {
        let mut people: Vec<String> = self.own.iter().chain(self.covered.keys()).cloned().collect();
        if people.is_empty() {
            return Ok(Vec::new());
        }
        let query = [("practitioner", people.join(",")), ("_count", ROLES_MAX.to_string())];
        for hit in reads.search("PractitionerRole", &query)?.0 {
            let who = named(parsed(&hit)?.root().get("practitioner")).0;
            people.push(format!("PractitionerRole/{}", hit.id));
            self.roles.insert(hit.id, Some(who));
        }
        people.extend(self.sites.iter().cloned());
        let whom = people.join(",");
        let mut all = vec![
            ("based-on:ServiceRequest.requester", whom.clone()),
            ("patient.general-practitioner", whom),
        ];
        if self.is_clinician {
            all.push(("patient.general-practitioner:missing", "true".to_owned()));
        }
        Ok(all)
    }

    /// Whose a report is, about this patient.
    ///
    /// # Errors
    /// As a read.
    pub(crate) fn of(
        &mut self,
        reads: &mut Reads<'_>,
        report: Value<'_>,
        person: Option<Value<'_>>,
    ) -> Result<Whose, Fault> {
        let mut nearest = Whose::Nobody;
        for order in each(report, "basedOn") {
            let id = id_in(&text(order, "reference"), "ServiceRequest");
            let Some(id) = id else { continue };
            let hit = match self.orders.get(&id) {
                Some(hit) => Some(hit.clone()),
                // An order that the caller may not see tells nothing.
                None => self.read(reads, "ServiceRequest", &id),
            };
            let Some(hit) = hit else { continue };
            let whom = named(parsed(&hit)?.root().get("requester"));
            nearest = nearer(nearest, self.whose(reads, whom)?);
        }
        if nearest != Whose::Nobody {
            return Ok(nearest);
        }
        for own in person.into_iter().flat_map(|person| each(person, "generalPractitioner")) {
            nearest = nearer(nearest, self.whose(reads, named(Some(own)))?);
        }
        if nearest != Whose::Nobody || !self.is_clinician {
            return Ok(nearest);
        }
        let keeper = person.map(|person| named(person.get("managingOrganization")).0);
        let keeper = keeper.unwrap_or_default();
        Ok(match keeper.is_empty() || self.sites.is_empty() || self.sites.contains(&keeper) {
            true => Whose::Site,
            false => Whose::Nobody,
        })
    }

    /// Why what is somebody's waits for whoever asks.
    fn whose(
        &mut self,
        reads: &mut Reads<'_>,
        (reference, name): (String, String),
    ) -> Result<Whose, Fault> {
        let reference = match id_in(&reference, "PractitionerRole") {
            Some(id) => self.behind(reads, &id)?.unwrap_or_default(),
            None => reference,
        };
        if self.own.as_ref() == Some(&reference) {
            return Ok(Whose::Own);
        }
        if let Some(name) = self.covered.get(&reference) {
            return Ok(Whose::Covering(name.clone()));
        }
        if self.sites.contains(&reference) {
            return Ok(Whose::Site);
        }
        Ok(match self.is_there(reads, &reference)? {
            true => Whose::Other(name),
            false => Whose::Nobody,
        })
    }

    /// Whether something can wait for somebody: a pool, or a practitioner as whom somebody signs in.
    ///
    /// # Errors
    /// When the directory cannot be read.
    pub(crate) fn is_there(&mut self, reads: &Reads<'_>, reference: &str) -> Result<bool, Fault> {
        if id_in(reference, "CareTeam").is_some() {
            return Ok(true);
        }
        let Some(id) = id_in(reference, "Practitioner") else { return Ok(false) };
        let there = match self.there.take() {
            Some(there) => there,
            None => reads.session.practitioners()?,
        };
        Ok(self.there.insert(there).contains(&id))
    }

    /// The Practitioner in a role at a site.
    fn behind(&mut self, reads: &mut Reads<'_>, id: &str) -> Result<Option<String>, Fault> {
        if let Some(known) = self.roles.get(id) {
            return Ok(known.clone());
        }
        let who = match reads.read("PractitionerRole", id, None) {
            Ok(hit) => Some(named(parsed(&hit)?.root().get("practitioner")).0),
            Err(_hidden) => None,
        };
        self.roles.insert(id.to_owned(), who.clone());
        Ok(who)
    }

    /// A record that did not come beside a report, when one report is looked at; of many, what did not
    /// come is hidden or not here.
    pub(crate) fn read(&self, reads: &mut Reads<'_>, kind: &str, id: &str) -> Option<Hit> {
        if self.alone { reads.read(kind, id, None).ok() } else { None }
    }
}

fn nearer(one: Whose, other: Whose) -> Whose {
    if other.rank() < one.rank() { other } else { one }
}
