//! Which rules of labels are in force: the packs, the day, and the records that the site has tagged
//! (the Organization of a Part 2 programme, the Patient who is a VIP; 42 CFR 2.11, 45 CFR
//! 164.308(a)(1)(ii)(D)). The store keeps under which rules its records were labelled; when others come
//! into force, by a new program, a setting, a day or a tag, that and the event of it are one unit of
//! work, and from then on nothing is shown that the new rules may hide.

use crate::gate::{Gate, Settings};
use crate::session::{Audited, Session};
use access::Labels;
use audit::{Decision, Event, Kind, Source, Target};
use base::error::code;
use base::{Fault, Millis};
use fhir::definitions::r4;
use fhir::reference::is_id;
use parking_lot::{Mutex, RwLock};
use privacy::labelling::{Change, Epoch, Labeller, SHIPPED, Tagged};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use store::{Begin, ItemAct, ItemChange, Store, Unit};

/// The shelf that tags stand on. A key is `tag reference`, a body the instant it was put there.
const SHELF: &str = "labels";
/// Tags that a site may keep.
const TAGS_MAX: usize = 20_000;
/// No state: the rules of none apply.
const NO_STATE: &str = "";

/// What a record may be tagged as, and which records.
const TAGS: &[(&str, &[&str])] = &[
    ("part2-programme", PLACES),
    ("sud-counselling-notes", PLACES),
    ("psychotherapy-notes", PLACES),
    ("vip", &["Patient"]),
];
const PLACES: &[&str] = &[
    "Organization",
    "Location",
    "HealthcareService",
    "Practitioner",
    "PractitionerRole",
    "CareTeam",
    "Encounter",
    "EpisodeOfCare",
];

/// Records that say who and where, and nothing of a patient: they are not labelled for naming a
/// programme, which everybody must be able to find.
const DIRECTORY: &[&str] = &[
    "Organization",
    "OrganizationAffiliation",
    "Location",
    "HealthcareService",
    "Practitioner",
    "PractitionerRole",
    "Endpoint",
    "Schedule",
    "Slot",
];

/// Whether tags do not bear on records of a type.
pub(crate) fn is_directory(name: &str) -> bool {
    DIRECTORY.contains(&name)
}

/// The rules, opened once.
#[derive(Debug)]
pub(crate) struct Labelling {
    /// `None` when the labelling is switched off.
    pub(crate) labeller: Option<Labeller>,
    pub(crate) state: Arc<str>,
    in_force: RwLock<Arc<InForce>>,
    /// Until when, in milliseconds.
    until: AtomicI64,
    /// Held by whoever puts others into force.
    turn: Mutex<()>,
    /// Held by whoever goes over records.
    pub(crate) work: Mutex<()>,
    /// Why the last batch failed.
    pub(crate) failure: Mutex<Option<Fault>>,
}

/// The rules in force, as the store counts them.
#[derive(Debug, Default)]
pub(crate) struct InForce {
    pub(crate) epoch: u64,
    pub(crate) tagged: Tagged,
    rules: Epoch,
}

/// A record that the site has tagged.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tag {
    /// As what: `part2-programme`, `sud-counselling-notes`, `psychotherapy-notes`, `vip`.
    pub tag: String,
    /// `Type/id`.
    pub record: String,
    /// Since when, as an instant.
    pub since: String,
}

impl Labelling {
    /// Reads the packs and the tags, and compares them with what the store was labelled by.
    pub(crate) fn open(
        store: &Store,
        log: &audit::Log,
        settings: &Settings,
    ) -> Result<Self, Fault> {
        let labeller = match settings.labelling {
            true => {
                let mut packs = SHIPPED.to_vec();
                let own = settings.packs.iter();
                packs.extend(own.map(|(name, text)| (name.as_str(), text.as_str())));
                Some(Labeller::load(&packs)?)
            }
            false => {
                tracing::warn!(
                    "the labelling is off: what is written gets no label but those it brings"
                );
                None
            }
        };
        let made = Self {
            labeller,
            state: settings.home_state.clone().unwrap_or_else(|| NO_STATE.into()),
            in_force: RwLock::default(),
            until: AtomicI64::new(i64::MIN),
            turn: Mutex::default(),
            work: Mutex::default(),
            failure: Mutex::default(),
        };
        let now = settings.clock.now();
        *made.in_force.write() = Arc::new(InForce {
            epoch: store.label_state().epoch,
            tagged: tagged(&read(store)?),
            rules: Epoch::default(),
        });
        made.turn_to(store, log, now)?;
        Ok(made)
    }

    /// The rules in force. When a day has come on which others are, they are put into force first.
    pub(crate) fn in_force(&self, gate: &Gate) -> Result<Arc<InForce>, Fault> {
        let now = gate.settings.clock.now();
        if now.0 >= self.until.load(Ordering::Acquire) {
            let _turn = self.turn.lock();
            if now.0 >= self.until.load(Ordering::Acquire) {
                self.turn_to(&gate.store, &gate.log, now)?;
            }
        }
        Ok(Arc::clone(&self.in_force.read()))
    }

    /// Puts the rules of an instant into force, if the store knows others.
    fn turn_to(&self, store: &Store, log: &audit::Log, now: Millis) -> Result<(), Fault> {
        let present = Arc::clone(&self.in_force.read());
        let rules = self.epoch(now, &present.tagged);
        let note = store.label_note()?;
        let epoch = if note.as_deref() == Some(rules.text().as_str()) {
            store.label_state().epoch
        } else {
            let event = event(now);
            // No audit, no access: rules that nobody would learn of are not put into force.
            if let Some(fault) = log.failure() {
                return Err(fault);
            }
            self.begin(store, &rules, Vec::new(), event)?
        };
        *self.in_force.write() = Arc::new(InForce { epoch, tagged: present.tagged.clone(), rules });
        let next = self.labeller.as_ref().and_then(|labeller| labeller.next_change(now));
        self.until.store(next.map_or(i64::MAX, |at| at.0), Ordering::Release);
        Ok(())
    }

    /// A short name of the rules in force.
    pub(crate) fn digest(&self) -> String {
        self.in_force.read().rules.digest()
    }

    fn epoch(&self, now: Millis, tagged: &Tagged) -> Epoch {
        let labeller = self.labeller.as_ref();
        labeller.map(|labeller| labeller.epoch(now, &self.state, tagged)).unwrap_or_default()
    }

    /// Has every record gone over again under the same rules.
    pub(crate) fn again(&self, gate: &Gate, mut event: Event) -> Result<(), Fault> {
        if let Some(fault) = gate.log.failure() {
            return Err(fault);
        }
        if self.labeller.is_none() {
            let what = "the labelling is off (labelling = off): nothing would go over the records";
            return Err(Fault::new(&code::PRECONDITION_FAILED, what));
        }
        self.in_force(gate)?;
        let _turn = self.turn.lock();
        let present = Arc::clone(&self.in_force.read());
        let replaces = present.epoch;
        let gained = Labels::UNLABELLED.bits();
        let begin = Begin { replaces, note: present.rules.text(), gained, ..Begin::default() };
        event.results = gate.store.last_commit();
        let unit = Unit {
            labelling: Some(store::Labelling::Begin(begin)),
            events: Some(Box::new(move |receipt| {
                vec![Event { time: receipt.last_updated, ..event }.encode()]
            })),
            ..Unit::default()
        };
        gate.store.commit(unit)?;
        let (tagged, rules) = (present.tagged.clone(), present.rules.clone());
        let epoch = replaces.saturating_add(1);
        *self.in_force.write() = Arc::new(InForce { epoch, tagged, rules });
        Ok(())
    }

    /// Begins an epoch of the store; answers its number.
    fn begin(
        &self,
        store: &Store,
        rules: &Epoch,
        items: Vec<ItemChange>,
        mut event: Event,
    ) -> Result<u64, Fault> {
        let before = store.label_note()?;
        let change = match &self.labeller {
            Some(_) => rules.since(before.as_deref().and_then(Epoch::parse).as_ref()),
            // Without a labelling nobody goes over anything, and what is there stays as it is.
            None => Change::default(),
        };
        let replaces = store.label_state().epoch;
        let begin = Begin {
            replaces,
            note: rules.text(),
            gained: change.gained.bits(),
            lost: change.lost.bits(),
            of_patients: change.of_patients.bits(),
            patients: change.patients,
        };
        let mut unit = Unit { items, ..Unit::default() };
        // A store that is new has nothing that could wait, and nobody asks when its rules began.
        if store.last_commit() > 0 || !unit.items.is_empty() {
            event.results = store.last_commit();
            unit.events = Some(Box::new(move |receipt| {
                vec![Event { time: receipt.last_updated, ..event }.encode()]
            }));
        }
        unit.labelling = Some(store::Labelling::Begin(begin));
        store.commit(unit)?;
        Ok(replaces.saturating_add(1))
    }
}

/// An event of the rules that nobody asked for: a new program or a new day brought them.
fn event(now: Millis) -> Event {
    let mut event = Event::new(now, [0; 16], Kind::LabelRules);
    event.status = 200;
    event.decision = Decision::Permit;
    event.source = Some(Source::Local);
    event
}

impl Session {
    /// Tags a record, or takes the tag off; answers whether that changed anything. For whoever is on
    /// the machine itself.
    ///
    /// # Errors
    /// `server.parameter.invalid` for a tag that there is not, or a record that cannot have it;
    /// `access.denied`.
    pub fn tag(&self, tag: &str, record: &str, on: bool) -> Result<bool, Fault> {
        if self.rights().is_some() {
            return Err(crate::actor::denied());
        }
        check(tag, record)?;
        if let Some(fault) = self.gate.log.failure() {
            return Err(fault);
        }
        let (store, labelling) = (&self.gate.store, &self.gate.labelling);
        labelling.in_force(&self.gate)?;
        let _turn = labelling.turn.lock();
        let key = format!("{tag} {record}").into_bytes();
        let there = store.item_get(SHELF, &key)?;
        if there.is_some() == on {
            return Ok(false);
        }
        let present = Arc::clone(&labelling.in_force.read());
        let mut tagged = present.tagged.clone();
        let tags = tagged.entry(record.to_owned()).or_default();
        tags.retain(|own| own != tag);
        if on {
            tags.push(tag.to_owned());
        }
        tagged.retain(|_, tags| !tags.is_empty());
        if tagged.len() > TAGS_MAX {
            let text = format!("a site may tag {TAGS_MAX} records");
            return Err(Fault::at(&code::PARAMETER_INVALID, text, "record"));
        }
        let now = self.now();
        let act = match on {
            true => ItemAct::Put(now.to_instant().into_bytes()),
            false => ItemAct::Remove,
        };
        let replaces = there.map(|item| item.version);
        let rules = labelling.epoch(now, &tagged);
        let mut event = self.event(Kind::LabelRules);
        let (of, id) = record.split_once('/').unwrap_or_default();
        event.targets.push(Target::resource(of.to_owned(), id, None));
        if of == "Patient" {
            event.patients.push(id.to_owned());
        }
        event.status = if on { 201 } else { 200 };
        let items = vec![ItemChange { shelf: SHELF, key, replaces, act }];
        let epoch = labelling.begin(store, &rules, items, event)?;
        *labelling.in_force.write() = Arc::new(InForce { epoch, tagged, rules });
        Ok(true)
    }

    /// The records that are tagged. Who is a VIP is itself to be guarded, so this is a reading of the
    /// records it names.
    ///
    /// # Errors
    /// `access.denied`, and when they cannot be read.
    pub fn tags(&self) -> Result<Audited<Vec<Tag>>, Fault> {
        let mut event = self.event(Kind::Review);
        if self.rights().is_some() {
            event.decision = Decision::Deny;
            return Err(self.refused(event, crate::actor::denied()));
        }
        let tags = read(&self.gate.store)?;
        for (of, id) in tags.iter().filter_map(|tag| tag.record.split_once('/')) {
            match of {
                "Patient" => event.patients.push(id.to_owned()),
                _ => event.targets.push(Target::resource(of.to_owned(), id, None)),
            }
        }
        event.results = tags.len() as u64;
        self.audited(&event, tags)
    }
}

fn check(tag: &str, record: &str) -> Result<(), Fault> {
    let Some((_, types)) = TAGS.iter().find(|(own, _)| *own == tag) else {
        let names: Vec<&str> = TAGS.iter().map(|(own, _)| *own).collect();
        let text = format!("a tag is one of {}", names.join(", "));
        return Err(Fault::at(&code::PARAMETER_INVALID, text, "tag"));
    };
    let fits = record.split_once('/').is_some_and(|(of, id)| {
        types.contains(&of) && is_id(id) && r4().resource_type(of).is_some()
    });
    if fits {
        return Ok(());
    }
    let text = format!("this tag is for a record such as {}/its-id", types.join(", "));
    Err(Fault::at(&code::PARAMETER_INVALID, text, "record"))
}

/// All tags of a store.
fn read(store: &Store) -> Result<Vec<Tag>, Fault> {
    let mut all = Vec::new();
    let mut after: Option<Vec<u8>> = None;
    loop {
        let page = store.item_scan(SHELF, b"", after.as_deref(), store::item::ITEM_SCAN_MAX)?;
        let Some((last, _)) = page.last() else { return Ok(all) };
        after = Some(last.clone());
        for (key, item) in page {
            let text = |bytes: Vec<u8>| {
                let what = "a tag of the labelling cannot be read";
                let text = String::from_utf8(bytes).ok();
                text.ok_or_else(|| Fault::new(&code::STORE_CORRUPT, what))
            };
            let (key, since) = (text(key)?, text(item.body)?);
            let Some((tag, record)) = key.split_once(' ') else { continue };
            all.push(Tag { tag: tag.to_owned(), record: record.to_owned(), since });
        }
    }
}

fn tagged(tags: &[Tag]) -> Tagged {
    let mut all = Tagged::new();
    for Tag { tag, record, .. } in tags {
        all.entry(record.clone()).or_default().push(tag.clone());
    }
    all
}
