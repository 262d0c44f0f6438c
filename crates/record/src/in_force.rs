//! The policies in force: what is shipped and what the site adds, loaded as a whole and put in force as
//! a whole. The store keeps which set it was, so that a set that differs from the last one leaves an
//! event in the access log, with its digest and its files, whether it came by a start or by a reload
//! (45 CFR 164.308(a)(4)(ii)(C), access modification; 164.312(b)).

use crate::gate::{Gate, Record, Settings};
use access::policies::{ROLES, WALLS};
use access::{Policies, Text};
use audit::{Event, Kind, Source, Target};
use base::error::code;
use base::{Fault, Millis};
use parking_lot::{Mutex, RwLock};
use sha2::{Digest as _, Sha256};
use std::borrow::Cow;
use std::sync::Arc;
use store::{ItemAct, ItemChange, Store, Unit};

/// Where the store keeps which set is in force.
const SHELF: &str = "policies";
const KEY: &[u8] = b"in-force";
/// The actor of what the owner of the data folder does at the machine's own console.
const OPERATOR: &str = "operator";

/// Which policies are in force.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing {
    /// Counts the sets that were in force; a receipt names it.
    pub epoch: u64,
    /// SHA-256 over the names and texts of the set, what is shipped included.
    pub digest: String,
    /// The files that the site adds.
    pub files: Vec<String>,
}

/// The set in force, and who may put another in its place.
#[derive(Debug)]
pub(crate) struct InForce {
    now: RwLock<(Arc<Policies>, Standing)>,
    /// One change at a time.
    changing: Mutex<()>,
}

/// What is said when a site had policies and its folder says nothing of them any more.
pub const POLICIES_MISSING: &str = "the folder with the policies of the site is gone or empty, and what they forbid would be permitted: put them back, or lay a file NONE.md into the folder to say that there are none any more";

/// The digest of a set: of the walls and roles of this program and the texts of a site.
pub(crate) fn digest(site: &[(String, String)]) -> [u8; 32] {
    let mut all = Sha256::new();
    let shipped = WALLS.iter().chain(ROLES).map(|text| (text.name, text.text));
    let site = site.iter().map(|(name, text)| (name.as_str(), text.as_str()));
    for (name, text) in shipped.chain(site) {
        for part in [name, text] {
            all.update((part.len() as u64).to_le_bytes());
            all.update(part);
        }
    }
    all.finalize().into()
}

/// The policies of a site beside what is shipped.
///
/// # Errors
/// Codes `access.policy.*`, each with file and line.
pub fn load_policies(epoch: u64, site: &[(String, String)]) -> Result<Policies, Fault> {
    let texts: Vec<Text<'_>> = site.iter().map(|(name, text)| Text { name, text }).collect();
    Policies::load(epoch, &texts)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// Which set was in force last, as the store keeps it.
struct Kept {
    /// Of its item.
    version: u64,
    epoch: u64,
    digest: [u8; 32],
    /// It had files of the site.
    own: bool,
}

fn kept(store: &Store) -> Result<Option<Kept>, Fault> {
    let Some(item) = store.item_get(SHELF, KEY)? else { return Ok(None) };
    let odd = || {
        let say = "The store does not say as this program does which policies were in force.";
        Fault::new(&code::STORE_CORRUPT, say)
    };
    let (epoch, digest) = item.body.split_first_chunk::<8>().ok_or_else(odd)?;
    let (digest, own) = digest.split_first_chunk::<32>().ok_or_else(odd)?;
    let own = match own {
        [own @ (0 | 1)] => *own == 1,
        _ => return Err(odd()),
    };
    let epoch = u64::from_le_bytes(*epoch);
    Ok(Some(Kept { version: item.version, epoch, digest: *digest, own }))
}

/// Keeps which set is in force, with its event in the same unit.
fn keep(
    store: &Store,
    replaces: Option<u64>,
    standing: &Standing,
    digest: [u8; 32],
    event: Option<Event>,
) -> Result<(), Fault> {
    let own = u8::from(!standing.files.is_empty());
    let body = [standing.epoch.to_le_bytes().as_slice(), &digest, &[own]].concat();
    let item = ItemChange { shelf: SHELF, key: KEY.to_vec(), replaces, act: ItemAct::Put(body) };
    let mut unit = Unit { items: vec![item], ..Unit::default() };
    if let Some(event) = event {
        unit.events = Some(Box::new(move |receipt| {
            vec![Event { time: receipt.last_updated, ..event }.encode()]
        }));
    }
    store.commit(unit).map(drop)
}

/// The event that another set came into force.
fn event(now: Millis, request: [u8; 16], standing: &Standing) -> Event {
    let mut event = Event::new(now, request, Kind::PolicyChange);
    event.source = Some(Source::Local);
    event.targets.push(Target::resource("Policies", standing.digest.clone(), None));
    let files = standing.files.iter();
    event.targets.extend(files.map(|name| Target::resource("PolicyFile", name.clone(), None)));
    let receipt = audit::Receipt { epoch: standing.epoch, ..audit::Receipt::default() };
    event.receipt = Some(Box::new(receipt));
    event
}

impl InForce {
    /// Puts the set of the settings in force. Who changed the files since the last start cannot be
    /// known; that they did is in the log before anything is answered.
    pub(crate) fn open(
        store: &Store,
        settings: &Settings,
        policies: Policies,
        request: [u8; 16],
    ) -> Result<Self, Fault> {
        let digest = digest(&settings.policies);
        let files = settings.policies.iter().map(|(name, _)| name.clone()).collect();
        let kept = kept(store)?;
        if settings.policies_missing && kept.as_ref().is_some_and(|kept| kept.own) {
            return Err(Fault::new(&code::ACCESS_POLICY_INVALID, POLICIES_MISSING));
        }
        let changed = kept.as_ref().is_none_or(|kept| kept.digest != digest);
        let epoch = kept.as_ref().map_or(0, |kept| kept.epoch) + u64::from(changed);
        let standing = Standing { epoch, digest: hex(&digest), files };
        if changed {
            // A new record with what is shipped has changed nothing.
            let tells = kept.is_some() || !settings.policies.is_empty();
            let event = tells.then(|| event(settings.clock.now(), request, &standing));
            keep(store, kept.map(|kept| kept.version), &standing, digest, event)?;
        }
        let policies = Arc::new(policies.of_epoch(epoch));
        Ok(Self { now: RwLock::new((policies, standing)), changing: Mutex::default() })
    }

    /// The set in force.
    pub(crate) fn policies(&self) -> Arc<Policies> {
        Arc::clone(&self.now.read().0)
    }

    pub(crate) fn standing(&self) -> Standing {
        self.now.read().1.clone()
    }
}

impl Gate {
    /// The set in force.
    pub(crate) fn policies(&self) -> Arc<Policies> {
        self.in_force.policies()
    }
}

impl Record {
    /// Which policies are in force.
    pub fn standing(&self) -> Standing {
        self.gate.in_force.standing()
    }

    /// The policies in force, to look at.
    pub fn policies(&self) -> Arc<Policies> {
        self.gate.policies()
    }

    /// Puts other policies of the site in force, for whoever owns the data folder: all of them or none.
    /// The event is on the disk before the first decision under them. Every request that begins
    /// afterwards is decided under them, whatever its session was decided under before; one that has
    /// begun ends under those it began with. Answers what is in force now, and whether it is another set.
    ///
    /// # Errors
    /// Codes `access.policy.*`: then the set in force stays.
    pub fn reload_policies(
        &self,
        site: &[(String, String)],
        request: [u8; 16],
    ) -> Result<(Standing, bool), Fault> {
        let gate = &self.gate;
        let _one = gate.in_force.changing.lock();
        let before = gate.in_force.standing();
        let digest = digest(site);
        // Asked of the store, not of memory: nothing may pass it by.
        let kept = kept(&gate.store)?;
        let policies = load_policies(before.epoch + 1, site)?;
        if hex(&digest) == before.digest {
            return Ok((before, false));
        }
        if let Some(fault) = gate.log.failure() {
            return Err(fault);
        }
        let files = site.iter().map(|(name, _)| name.clone()).collect();
        let standing = Standing { epoch: before.epoch + 1, digest: hex(&digest), files };
        let mut event = event(gate.settings.clock.now(), request, &standing);
        event.actor = Cow::Borrowed(OPERATOR);
        keep(&gate.store, kept.map(|kept| kept.version), &standing, digest, Some(event))?;
        *gate.in_force.now.write() = (Arc::new(policies), standing.clone());
        tracing::warn!(epoch = standing.epoch, "other policies are in force");
        Ok((standing, true))
    }
}
