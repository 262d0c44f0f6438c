//! The two worlds of one persona: what it may see, which is the same in both, and hidden records of
//! five fates that are not.
//!
//! | fate | first world | second world |
//! |---|---|---|
//! | still | there | the same |
//! | changed | says one thing | says another, two versions later |
//! | gone | there | deleted |
//! | new | never was | there |
//! | relabelled | one label | another besides; both hide it |

use crate::body::{AFTER, BEFORE, Look, Place, STILL, body, directory, set, to};
use crate::persona::{Link, Persona};
use conformance::random::Random;
use serde_json::{Value, json};

/// What becomes of a record between the worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// The same in both.
    Still,
    /// Other values.
    Changed,
    /// Deleted.
    Gone,
    /// Created.
    New,
    /// Other labels.
    Relabelled,
}

/// The fates of hidden records, and their names in ids.
const FATES: [(Fate, &str); 5] = [
    (Fate::Changed, "changed"),
    (Fate::Gone, "gone"),
    (Fate::New, "new"),
    // One more is made than is deleted, or counts would tell nothing.
    (Fate::New, "more"),
    (Fate::Relabelled, "marked"),
];

/// Reading comes first, and has hidden records of its own; what is written later shows in no read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Phase {
    /// Probes that change nothing.
    Reads,
    /// Probes that write.
    Writes,
}

/// Which of the two worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// The first.
    A,
    /// The second.
    B,
}

/// Why a record is hidden.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Why {
    /// It is not: the persona may see it.
    Seen,
    /// It is another patient, or about one.
    Other,
    /// Its type is hidden.
    Type,
    /// It carries a label that hides it.
    Label,
}

/// One record.
#[derive(Debug, Clone)]
pub struct Item {
    /// Its type.
    pub kind: &'static str,
    /// Its fate.
    pub fate: Fate,
    /// Which probes its fate is for.
    pub phase: Phase,
    /// Why it is hidden, if it is.
    pub why: Why,
    place: Place,
}

impl Item {
    /// Its id.
    pub fn id(&self) -> &str {
        &self.place.id
    }

    /// The identifier it has in the world before, or after.
    pub fn identifier(&self, side: Side) -> String {
        format!("{}-{}", self.place.id, self.look(side).letter)
    }

    /// `Type/id`.
    pub fn address(&self) -> String {
        format!("{}/{}", self.kind, self.place.id)
    }

    /// Its body, if it is there.
    pub fn body(&self, side: Side) -> Option<Value> {
        let there = match self.fate {
            Fate::Gone => side == Side::A,
            Fate::New => side == Side::B,
            Fate::Still | Fate::Changed | Fate::Relabelled => true,
        };
        there.then(|| body(self.kind, &self.labelled(side), &self.look(side)))
    }

    fn look(&self, side: Side) -> Look {
        match (self.fate, side) {
            (Fate::Still, _) => STILL,
            (Fate::New, _) | (Fate::Changed, Side::B) => AFTER,
            _ => BEFORE,
        }
    }

    fn labelled(&self, side: Side) -> Place {
        let mut place = self.place.clone();
        if self.fate != Fate::Relabelled || side == Side::A {
            place.labels.truncate(usize::from(self.why == Why::Label));
        }
        place
    }
}

/// The types of another patient's records.
const OTHERS: [&str; 18] = [
    "Patient",
    "Encounter",
    "Condition",
    "Observation",
    "DiagnosticReport",
    "MedicationRequest",
    "AllergyIntolerance",
    "Procedure",
    "DocumentReference",
    "Binary",
    "Coverage",
    "Appointment",
    "List",
    "Composition",
    "Communication",
    "RelatedPerson",
    "Account",
    "Claim",
];
/// The types of labelled records of the persona's own patient.
const LABELLED: [&str; 11] = [
    "Observation",
    "Condition",
    "Encounter",
    "DiagnosticReport",
    "MedicationRequest",
    "DocumentReference",
    "Coverage",
    "Appointment",
    "Account",
    "Claim",
    "Consent",
];
/// The types whose fates are for the probes that write.
const WRITTEN: [&str; 6] =
    ["Patient", "Observation", "Condition", "DocumentReference", "Coverage", "Appointment"];
/// What the persona's own patient has, the same in both worlds.
const OWN: [&str; 18] = [
    "Encounter",
    "Condition",
    "Observation",
    "DiagnosticReport",
    "MedicationRequest",
    "AllergyIntolerance",
    "Procedure",
    "DocumentReference",
    "Binary",
    "Coverage",
    "Appointment",
    "List",
    "Composition",
    "Communication",
    "RelatedPerson",
    "Account",
    "Claim",
    "Consent",
];
/// Who and where, in every world. `me` is the persona's own, if it is a practitioner; `dr` is
/// somebody else, who treats both patients that may be seen and patients that may not.
const SHARED: [(&str, &str); 6] = [
    ("Practitioner", "me"),
    ("Practitioner", "dr"),
    ("Organization", "org"),
    ("Organization", "org2"),
    ("Location", "loc"),
    ("Location", "loc2"),
];
/// Values of visible Observations, with room between them for hidden ones.
const VALUES: [f64; 3] = [3.0, 5.0, 8.0];

/// The world of one persona.
#[derive(Debug, Clone)]
pub struct World {
    /// Who asks.
    pub persona: &'static Persona,
    /// What every id of this world begins with; also its tag.
    pub prefix: String,
    /// The persona's own patient.
    pub own: String,
    /// The letter of the round, for names of what the persona writes.
    pub round: char,
    /// Which probes are asked now.
    pub phase: Phase,
    items: Vec<Item>,
    foreign_own: bool,
    seed: u64,
}

impl World {
    /// The world of a persona under a seed. `own` is the id of a patient the server has already, for
    /// a persona whose token is bound to one.
    pub fn new(persona: &'static Persona, seed: u64, own: Option<&str>) -> Self {
        let prefix = Self::prefix(persona, seed);
        let mut world = Self {
            persona,
            own: own.map_or_else(|| Self::own_id(persona, seed), str::to_owned),
            prefix,
            round: 'a',
            phase: Phase::Reads,
            items: Vec::new(),
            foreign_own: own.is_some(),
            seed,
        };
        for phase in [Phase::Reads, Phase::Writes] {
            if persona.others {
                world.hidden_group(Why::Other, phase, &OTHERS);
            }
            world.hidden_group(Why::Type, phase, &OTHERS);
            world.hidden_group(Why::Label, phase, &LABELLED);
        }
        world.visible();
        world
    }

    /// The prefix of a persona's world.
    pub fn prefix(persona: &Persona, seed: u64) -> String {
        let index = crate::persona::PERSONAS.iter().position(|p| p.key == persona.key);
        format!("lk{:05x}-{:02}", seed & 0xf_ffff, index.map_or(0, |i| i + 1))
    }

    /// The id of the patient a persona's token must be about, before its world is made.
    pub fn own_id(persona: &Persona, seed: u64) -> String {
        format!("{}-own", Self::prefix(persona, seed))
    }

    fn hidden_group(&mut self, why: Why, phase: Phase, kinds: &[&'static str]) {
        let letter = if phase == Phase::Reads { 'r' } else { 'w' };
        let group = match why {
            Why::Other => "far",
            Why::Type => "typ",
            Why::Label | Why::Seen => "lab",
        };
        for (fate, name) in FATES {
            let id = |kind: &str| {
                format!("{}-{group}-{letter}-{name}-{}", self.prefix, kind.to_lowercase())
            };
            let hidden: Vec<&'static str> = kinds
                .iter()
                .copied()
                .filter(|kind| phase == Phase::Reads || WRITTEN.contains(kind))
                .filter(|kind| match why {
                    Why::Type => *kind != "Patient" && self.persona.hides_type(kind),
                    _ => true,
                })
                .collect();
            let other =
                |kind: &str, else_: String| if hidden.contains(&kind) { id(kind) } else { else_ };
            let still = |kind: &str| format!("{}-own-{}", self.prefix, kind.to_lowercase());
            let (first, second) = self.persona.label_pair();
            let mut items = Vec::new();
            for kind in &hidden {
                let patient = if why == Why::Other { id("Patient") } else { self.own.clone() };
                let place = Place {
                    prefix: self.prefix.clone(),
                    id: id(kind),
                    patient,
                    site: if why == Why::Other { "2" } else { "" },
                    observation: other("Observation", still("Observation")),
                    condition: other("Condition", still("Condition")),
                    encounter: if why == Why::Label {
                        still("Encounter")
                    } else {
                        other("Encounter", still("Encounter"))
                    },
                    binary: other("Binary", still("Binary")),
                    labels: if why == Why::Label { vec![first, second] } else { vec![second] },
                };
                items.push(Item { kind, fate, phase, why, place });
            }
            self.items.append(&mut items);
        }
    }

    /// What the persona's own patient has. Some of it points at hidden records, as notes do.
    fn visible(&mut self) {
        let observation = self.changed("Observation");
        let condition = self.changed("Condition");
        let mut items: Vec<Item> = Vec::new();
        let mut add = |kind: &'static str, name: String, observation: &str, condition: &str| {
            let place = Place {
                prefix: self.prefix.clone(),
                id: name,
                patient: self.own.clone(),
                site: "",
                observation: observation.to_owned(),
                condition: condition.to_owned(),
                encounter: format!("{}-own-encounter", self.prefix),
                binary: format!("{}-own-binary", self.prefix),
                labels: Vec::new(),
            };
            let why = if self.persona.hides_type(kind) { Why::Type } else { Why::Seen };
            items.push(Item { kind, fate: Fate::Still, phase: Phase::Reads, why, place });
        };
        for kind in OWN {
            let id = format!("{}-own-{}", self.prefix, kind.to_lowercase());
            add(kind, id, &observation, &condition);
        }
        let between = format!("{}-own-observation", self.prefix);
        add("DiagnosticReport", format!("{}-own-report", self.prefix), &between, &condition);
        add("Provenance", format!("{}-own-provenance", self.prefix), &observation, &condition);
        self.items.append(&mut items);
    }

    /// The id of a hidden record of this type that changes.
    fn changed(&self, kind: &str) -> String {
        let found =
            self.items.iter().filter(|item| item.kind == kind && item.fate == Fate::Changed);
        found
            .max_by_key(|item| (item.phase == Phase::Reads, item.why == Why::Label))
            .map_or_else(|| format!("{}-none", self.prefix), |item| item.id().to_owned())
    }

    /// The hidden records of a type (of all types, for `*`) that the present probes are about.
    pub fn hidden<'w>(&'w self, kind: &'w str) -> impl Iterator<Item = &'w Item> {
        self.items
            .iter()
            .filter(move |item| item.fate != Fate::Still && item.phase == self.phase)
            .filter(move |item| kind == "*" || item.kind == kind)
    }

    /// At most so many hidden records, of all fates and of as many types as may be.
    pub fn sample(&self, most: usize) -> Vec<&Item> {
        let mut all: Vec<&Item> = self.hidden("*").collect();
        let mut random = Random::new(self.seed);
        for i in (1..all.len()).rev() {
            all.swap(i, random.index(i + 1));
        }
        // A patient is always among them: the rest is about one.
        all.sort_by_key(|item| item.kind != "Patient");
        all.truncate(most);
        all
    }

    /// A name for what the persona writes, told apart between the rounds.
    pub fn scratch(&self, name: &str) -> String {
        format!("{}-r{}-{name}", self.prefix, self.round)
    }

    /// An id nobody ever had.
    pub fn never(&self) -> String {
        format!("{}-none", self.prefix)
    }

    /// A place for a record of the persona's own patient.
    pub fn own_place(&self, id: &str) -> Place {
        Place {
            prefix: self.prefix.clone(),
            id: id.to_owned(),
            patient: self.own.clone(),
            site: "",
            observation: format!("{}-own-observation", self.prefix),
            condition: format!("{}-own-condition", self.prefix),
            encounter: format!("{}-own-encounter", self.prefix),
            binary: format!("{}-own-binary", self.prefix),
            labels: Vec::new(),
        }
    }

    /// An id that nobody had, as long as that of a hidden record.
    pub fn nobodys(id: &str) -> String {
        let of = if id.contains("-w-") { "-w-" } else { "-r-" };
        id.replacen(of, "-q-", 1)
    }

    /// A record of the persona's own patient with this id, that nothing hidden is in.
    pub fn own_body(&self, kind: &str, id: &str) -> Value {
        body(kind, &self.own_place(id), &STILL)
    }

    /// The transactions that make the first world.
    pub fn set_up(&self) -> Vec<Value> {
        let mut all: Vec<Value> = Vec::new();
        for (kind, name) in SHARED {
            all.push(directory(kind, &self.prefix, &format!("{}-{name}", self.prefix)));
        }
        if !self.foreign_own {
            all.push(self.own_body("Patient", &self.own));
        }
        if self.persona.link == Link::Care {
            all.push(json!({ "resourceType": "CareTeam", "id": self.shared("team"),
                "status": "active", "subject": to("Patient", &self.own),
                "participant": [{ "member": to("Practitioner", &self.shared("me")) }] }));
        }
        // Hidden records first: a server that asks references to resolve finds what is pointed at.
        let bodies = |still: bool| {
            let of = self.items.iter().filter(move |item| (item.fate == Fate::Still) == still);
            of.filter_map(|item| item.body(Side::A)).map(|body| self.derived(body))
        };
        all.extend(bodies(false));
        all.extend(bodies(true));
        for (n, value) in VALUES.iter().enumerate() {
            let mut body = self.own_body("Observation", &format!("{}-own-value{n}", self.prefix));
            if let Some(quantity) = body.get_mut("valueQuantity") {
                set(quantity, "value", json!(value));
            }
            set(&mut body, "effectiveDateTime", json!(format!("2021-0{}-01", 3 * n + 1)));
            all.push(body);
        }
        all.chunks(200).map(|chunk| transaction(chunk.iter().map(put))).collect()
    }

    /// The visible Observation is derived from a hidden one: a chain leads from it.
    fn derived(&self, mut body: Value) -> Value {
        let own = format!("{}-own-observation", self.prefix);
        if body.get("id").is_some_and(|id| *id == own) {
            let from = to("Observation", &self.changed("Observation"));
            set(&mut body, "derivedFrom", json!([from]));
        }
        body
    }

    /// The transactions that make the second world of a phase of the first.
    pub fn change(&self, phase: Phase) -> Vec<Value> {
        let of = |fates: &'static [Fate]| {
            let items = self.items.iter();
            items.filter(move |item| item.phase == phase && fates.contains(&item.fate))
        };
        // One version between, so that their number tells too.
        let between = of(&[Fate::Changed]).filter_map(|item| {
            let mut body = item.body(Side::A)?;
            set(&mut body, "language", json!("en"));
            Some(put(&body))
        });
        let after = of(&[Fate::Changed, Fate::New, Fate::Relabelled]);
        let after = after.filter_map(|item| item.body(Side::B).as_ref().map(put));
        let gone = of(&[Fate::Gone])
            .map(|item| json!({ "request": { "method": "DELETE", "url": item.address() } }));
        vec![transaction(between), transaction(after.chain(gone))]
    }

    /// What the administrator takes away at the end: everything.
    pub fn addresses(&self) -> Vec<String> {
        let mut all: Vec<String> = self.items.iter().rev().map(Item::address).collect();
        all.extend((0..VALUES.len()).map(|n| format!("Observation/{}-own-value{n}", self.prefix)));
        if self.persona.link == Link::Care {
            all.push(format!("CareTeam/{}", self.shared("team")));
        }
        if !self.foreign_own {
            all.push(format!("Patient/{}", self.own));
        }
        all.extend(SHARED.iter().map(|(kind, name)| format!("{kind}/{}", self.shared(name))));
        all
    }

    /// The id of one of the shared records: `me` is the persona's practitioner, `org` its site.
    pub fn shared(&self, name: &str) -> String {
        format!("{}-{name}", self.prefix)
    }
}

fn put(body: &Value) -> Value {
    let word = |name: &str| body.get(name).and_then(Value::as_str).unwrap_or("");
    let url = format!("{}/{}", word("resourceType"), word("id"));
    json!({ "resource": body, "request": { "method": "PUT", "url": url } })
}

fn transaction(entries: impl Iterator<Item = Value>) -> Value {
    let entries: Vec<Value> = entries.collect();
    json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::persona::PERSONAS;
    use std::collections::BTreeSet;

    #[test]
    fn every_persona_has_hidden_records_of_every_fate_in_both_phases() {
        for persona in &PERSONAS {
            let mut world = World::new(persona, 7, None);
            for phase in [Phase::Reads, Phase::Writes] {
                world.phase = phase;
                for (fate, name) in FATES {
                    assert!(world.hidden("*").any(|i| i.fate == fate), "{} {name}", persona.key);
                }
                assert!(world.hidden("Observation").count() >= 4, "{}", persona.key);
            }
            let ids: Vec<String> = world.items.iter().map(Item::address).collect();
            assert_eq!(ids.iter().collect::<BTreeSet<_>>().len(), ids.len(), "{}", persona.key);
            assert!(world.items.iter().all(|item| item.id().len() <= 64));
        }
    }

    #[test]
    fn what_may_be_seen_is_the_same_in_both_worlds() {
        for persona in &PERSONAS {
            let world = World::new(persona, 7, None);
            for item in &world.items {
                if item.why == Why::Seen {
                    assert_eq!(item.body(Side::A), item.body(Side::B), "{}", item.id());
                } else if item.fate != Fate::Still {
                    assert_ne!(item.body(Side::A), item.body(Side::B), "{}", item.id());
                }
            }
        }
    }
}
