//! What ties a member of the workforce to a patient, as the record has it: names, birth dates and
//! addresses, and visits and appointments with each other (45 CFR 164.308(a)(1)(ii)(D)). It is what most
//! accesses are explained by.

use super::{Relations, Ties};
use crate::find::SearchHow;
use crate::session::Session;
use fhir::Document;
use fhir::definitions::r4;
use identity::PrincipalId;
use search::parse::Level;
use std::cell::RefCell;
use std::collections::HashMap;

/// Ties as the store knows them: an actor is the `Practitioner` that its profile names, or else the one
/// of the same id.
pub(crate) struct Kept<'s> {
    session: &'s Session,
    /// Nothing more is looked up once it says so; what was told by then is of no use.
    stop: &'s dyn Fn() -> bool,
    known: RefCell<HashMap<(String, String), Ties>>,
    people: RefCell<HashMap<(&'static str, String), Person>>,
    practitioners: RefCell<HashMap<String, String>>,
}

/// What is compared of a person.
#[derive(Debug, Clone, Default)]
struct Person {
    surnames: Vec<String>,
    given: Vec<String>,
    birth: Option<String>,
    addresses: Vec<String>,
    vip: bool,
}

impl<'s> Kept<'s> {
    /// As a session may see them: of one that sees everything.
    pub(crate) fn of(session: &'s Session, stop: &'s dyn Fn() -> bool) -> Self {
        Self {
            session,
            stop,
            known: RefCell::default(),
            people: RefCell::default(),
            practitioners: RefCell::default(),
        }
    }

    fn practitioner(&self, actor: &str) -> String {
        if let Some(known) = self.practitioners.borrow().get(actor) {
            return known.clone();
        }
        let identity = &self.session.gate.directory.identity;
        let principal = PrincipalId::parse(actor).and_then(|id| identity.principal(id).ok());
        let named = principal.and_then(|principal| principal.profile.practitioner);
        let practitioner = named.unwrap_or_else(|| actor.to_owned());
        self.practitioners.borrow_mut().insert(actor.to_owned(), practitioner.clone());
        practitioner
    }

    fn person(&self, kind: &'static str, id: &str) -> Person {
        if let Some(known) = self.people.borrow().get(&(kind, id.to_owned())) {
            return known.clone();
        }
        let person = self.read(kind, id).unwrap_or_default();
        self.people.borrow_mut().insert((kind, id.to_owned()), person.clone());
        person
    }

    fn read(&self, kind: &str, id: &str) -> Option<Person> {
        let of = r4().resource_type(kind)?;
        let hit = self.session.look(of, id, None).ok()?;
        let document = Document::parse(hit.body, self.session.limits()).ok()?;
        let root = document.root();
        let plain = |text: &str| text.trim().to_lowercase();
        let mut person =
            Person { birth: root.get_str("birthDate").map(Into::into), ..Person::default() };
        for name in root.get("name").into_iter().flat_map(|names| names.items()) {
            person.surnames.extend(name.get_str("family").map(|family| plain(&family)));
            for given in name.get("given").into_iter().flat_map(|given| given.items()) {
                person.given.extend(given.as_str().map(|given| plain(&given)));
            }
        }
        for address in root.get("address").into_iter().flat_map(|all| all.items()) {
            let lines = address.get("line").into_iter().flat_map(|lines| lines.items());
            let lines: Vec<_> =
                lines.filter_map(|line| line.as_str().map(|line| plain(&line))).collect();
            let place = address.get_str("postalCode").or_else(|| address.get_str("city"));
            if let Some(place) = place.filter(|_| !lines.is_empty()) {
                person.addresses.push(format!("{} {}", lines.join(" "), plain(&place)));
            }
        }
        let labels = root.get("meta").and_then(|meta| meta.get("security"));
        let mut codes = labels.into_iter().flat_map(|labels| labels.items());
        person.vip =
            codes.any(|label| matches!(label.get_str("code").as_deref(), Some("VIP" | "CEL")));
        Some(person)
    }

    fn together(&self, actor: &str, patient: &str) -> bool {
        ["Encounter", "Appointment"].iter().any(|kind| {
            let pairs = [
                ("patient", patient.to_owned()),
                ("practitioner", format!("Practitioner/{actor}")),
                ("_count", "1".to_owned()),
            ];
            let pairs: Vec<_> =
                pairs.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
            self.finds(kind, &pairs).unwrap_or(false)
        })
    }

    fn finds(&self, kind: &str, pairs: &[(String, String)]) -> Option<bool> {
        let level = Level::Type(r4().resource_type(kind)?);
        let options = self.session.options(&SearchHow::default());
        let search = search::parse::parse(&level, pairs, &options).ok()?;
        let scope = self.session.scope(access::Action::Search).ok()?;
        let reader = self.session.gate.store.reader(&scope).ok()?;
        let page = reader.search(&search, &self.session.page_request(&search, None)).ok()?;
        Some(!page.matches.is_empty())
    }
}

impl Relations for Kept<'_> {
    fn between(&self, actor: &str, patient: &str) -> Ties {
        let pair = (actor.to_owned(), patient.to_owned());
        if let Some(known) = self.known.borrow().get(&pair) {
            return *known;
        }
        if (self.stop)() {
            return Ties::default();
        }
        let ties = self.found(actor, patient);
        self.known.borrow_mut().insert(pair, ties);
        ties
    }
}

impl Kept<'_> {
    fn found(&self, actor: &str, patient: &str) -> Ties {
        let actor = &self.practitioner(actor);
        let (staff, own) = (self.person("Practitioner", actor), self.person("Patient", patient));
        let shared = |a: &[String], b: &[String]| a.iter().any(|one| b.contains(one));
        let same_surname = shared(&staff.surnames, &own.surnames);
        let same = same_surname
            && shared(&staff.given, &own.given)
            && staff.birth.is_some()
            && staff.birth == own.birth;
        let named = own.surnames.first().zip(own.given.first());
        let co_worker = named.is_some_and(|(surname, given)| {
            let pairs = [("family", surname), ("given", given)];
            let pairs: Vec<_> = pairs.into_iter().map(|(n, v)| (n.to_owned(), v.clone())).collect();
            self.finds("Practitioner", &pairs).unwrap_or(false)
        });
        Ties {
            treats: self.together(actor, patient),
            same_person: same,
            same_surname,
            same_address: shared(&staff.addresses, &own.addresses),
            co_worker,
            vip: own.vip,
        }
    }
}
