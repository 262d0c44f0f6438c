//! Who asks, as a Consent names them: by references to records
//! (<https://hl7.org/fhir/R4/consent-definitions.html#Consent.provision.actor.reference>).

use access::{PrincipalKind, Who};
use std::collections::BTreeSet;

/// Whoever asks, and everybody on whose behalf.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The person or service in the end; permits are looked up for it.
    last: Named,
    /// Apps and agents between; a deny for one of them denies.
    between: Vec<Named>,
}

#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Named {
    references: BTreeSet<String>,
    /// The types of record of which `references` has all there are.
    complete: BTreeSet<&'static str>,
}

impl Actor {
    /// What is known from a principal alone: care teams, the own record, the site and the tenant.
    /// Which `Practitioner` a person is, the caller adds with [`Actor::is`].
    pub fn of(who: &Who) -> Self {
        let mut between = Vec::new();
        let mut here = who;
        while let Some(next) = &here.on_behalf_of {
            between.push(Named::of(here));
            here = next;
        }
        Self { last: Named::of(here), between }
    }

    /// The person in the end is this record too, and none else of its type (`Practitioner/7`).
    #[must_use]
    pub fn is(mut self, of: &'static str, id: &str) -> Self {
        self.last.references.insert(format!("{of}/{id}"));
        self.last.complete.insert(of);
        self
    }

    /// The person in the end is no record of that type: a patient is never a `Practitioner`.
    #[must_use]
    pub fn never(mut self, of: &'static str) -> Self {
        self.last.complete.insert(of);
        self
    }

    /// The person in the end may be anybody: nobody knows who reads a screen in a waiting room. A deny for any person,
    /// team or place may mean them, and no permit for one surely does.
    #[must_use]
    pub fn anybody(mut self) -> Self {
        self.last.references.clear();
        self.last.complete = BTreeSet::from(["Organization", "Device"]);
        self
    }

    /// Whether a permit for these is surely for this actor.
    pub(crate) fn surely(&self, references: &[String]) -> bool {
        references.iter().any(|reference| self.last.references.contains(reference))
    }

    /// Whether a deny for these might be meant for this actor.
    pub(crate) fn perhaps(&self, references: &[String]) -> bool {
        std::iter::once(&self.last).chain(&self.between).any(|named| named.perhaps(references))
    }
}

impl Named {
    fn of(who: &Who) -> Self {
        let mut references = BTreeSet::new();
        let mut add = |of: &str, ids: &[std::sync::Arc<str>]| {
            references.extend(ids.iter().map(|id| format!("{of}/{id}")));
        };
        add("CareTeam", &who.care_teams);
        add("Patient", &who.own_record);
        add("Location", &who.sites);
        add("Organization", &who.sites);
        add("Organization", std::slice::from_ref(&who.tenant));
        let mut complete = BTreeSet::from(["CareTeam", "Patient", "Location", "Organization"]);
        match who.kind {
            PrincipalKind::User => _ = complete.insert("Device"),
            PrincipalKind::Device => {
                references.insert(format!("Device/{}", who.id));
                complete.extend(["Device", "Practitioner", "PractitionerRole", "RelatedPerson"]);
            }
            PrincipalKind::App | PrincipalKind::Agent | PrincipalKind::Service => {
                complete.extend(["Practitioner", "PractitionerRole", "RelatedPerson"]);
            }
        }
        Self { references, complete }
    }

    fn perhaps(&self, references: &[String]) -> bool {
        references.iter().any(|reference| {
            let of = reference.split_once('/').map_or("", |(of, _)| of);
            self.references.contains(reference) || !self.complete.contains(of)
        })
    }
}
