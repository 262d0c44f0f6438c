//! Drafts: what somebody is writing and has not signed, kept on the server so that neither a crash nor
//! an ended session loses it. A draft is no record: nobody but its author reads it, no search finds it,
//! and it is part of no designated record set until it is signed (45 CFR 164.501). It stands on a shelf
//! of the store, durable when [`Session::keep_draft`] has answered. Beginning, reading and dropping one
//! leave their events; keeping it again does not, since its author writes on in what the log says they
//! began, and a page that keeps it each few seconds would bury what the log is read for.

use crate::actor::denied;
use crate::session::{Audited, Session};
use crate::shelf::{closed_body, opened_body};
use crate::trail;
use audit::{Event, Kind};
use base::error::code;
use base::{Fault, Millis};
use fhir::definitions::r4;
use fhir::reference::is_id;
use std::fmt;
use store::{ItemAct, ItemChange, Unit};

/// The shelf.
const SHELF: &str = "draft";
/// The first byte of a body: the form of what follows.
const VERSION: u8 = 1;
/// Bytes of the text of one draft: what an item holds, less the head and what sealing adds.
pub const DRAFT_BYTES_MAX: usize = 60 << 10;
/// Drafts of one author. More than anybody finishes; it keeps a program that went wrong from filling
/// the disk.
pub const DRAFTS_MAX: usize = 200;

/// What somebody is writing.
#[derive(Clone, PartialEq, Eq)]
pub struct Draft {
    /// About which patient, by logical id.
    pub patient: String,
    /// Which draft: letters, digits, hyphens and full stops, 64 at most.
    pub name: String,
    /// 1 when first kept, one more each time.
    pub version: u64,
    /// When it was last kept.
    pub changed: Millis,
    /// The text.
    pub text: String,
}

/// What is written is about a person: only its size is printed.
impl fmt::Debug for Draft {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Draft {{ version: {}, bytes: {} }}", self.version, self.text.len())
    }
}

impl Session {
    /// Keeps a draft of the caller's: a new one with `replaces` none, else in place of that version.
    /// Answers its version now; it is on the disk then.
    ///
    /// # Errors
    /// `record.draft.changed` when another window has kept it since; `record.draft.too-large`,
    /// `record.draft.too-many`; `record.read.not-found` for a patient whom the caller may not see;
    /// `access.denied` for anybody who did not sign in.
    pub async fn keep_draft(
        &self,
        patient: &str,
        name: &str,
        replaces: Option<u64>,
        text: &str,
    ) -> Result<u64, Fault> {
        let event = self.draft_event(Kind::DraftKept, patient);
        let kept = self.put_draft(event.clone(), (patient, name), replaces, Some(text)).await;
        kept.map_err(|fault| self.refused(event, fault))
    }

    /// Throws a draft of the caller's away. It may be about a patient whom the caller sees no more.
    ///
    /// # Errors
    /// `record.draft.changed` when it is not of that version, or there is none.
    pub async fn drop_draft(&self, patient: &str, name: &str, replaces: u64) -> Result<(), Fault> {
        let event = self.draft_event(Kind::DraftDropped, patient);
        let done = self.put_draft(event.clone(), (patient, name), Some(replaces), None).await;
        done.map(drop).map_err(|fault| self.refused(event, fault))
    }

    /// A draft of the caller's, if there is one.
    ///
    /// # Errors
    /// As [`Session::keep_draft`] of who asks and about whom.
    pub fn draft(&self, patient: &str, name: &str) -> Result<Audited<Option<Draft>>, Fault> {
        let mut event = self.draft_event(Kind::DraftRead, patient);
        let read = || -> Result<Option<Draft>, Fault> {
            let key = self.draft_key(patient, name)?;
            self.sees_patient(patient)?;
            let Some(item) = self.gate.store.item_get(SHELF, &key)? else { return Ok(None) };
            self.opened_draft(&key, &item).map(Some)
        };
        match read() {
            Ok(draft) => {
                event.results = u64::from(draft.is_some());
                self.audited(&event, draft)
            }
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    /// All drafts of the caller, newest first. Of patients whom the caller sees no more none is listed.
    ///
    /// # Errors
    /// `access.denied` for anybody who did not sign in.
    pub fn drafts(&self) -> Result<Audited<Vec<Draft>>, Fault> {
        let mut event = self.event(Kind::DraftRead);
        let read = || -> Result<Vec<Draft>, Fault> {
            let prefix = self.author_key()?;
            let mut drafts = Vec::new();
            for (key, item) in self.gate.store.item_scan(SHELF, &prefix, None, DRAFTS_MAX)? {
                let draft = self.opened_draft(&key, &item)?;
                if self.sees_patient(&draft.patient).is_ok() {
                    drafts.push(draft);
                }
            }
            drafts.sort_by_key(|draft| std::cmp::Reverse(draft.changed));
            Ok(drafts)
        };
        match read() {
            Ok(drafts) => {
                event.results = drafts.len() as u64;
                for draft in &drafts {
                    if !event.patients.contains(&draft.patient) {
                        event.patients.push(draft.patient.clone());
                    }
                }
                self.audited(&event, drafts)
            }
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    async fn put_draft(
        &self,
        event: Event,
        place: (&str, &str),
        replaces: Option<u64>,
        text: Option<&str>,
    ) -> Result<u64, Fault> {
        if let Some(fault) = self.gate.log.failure() {
            return Err(fault);
        }
        if replaces.is_none() {
            return self.begin(event, place, text.unwrap_or_default());
        }
        let (unit, version) = self.draft_unit(event, place, replaces, text)?;
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.gate.store.submit(unit, Box::new(move |outcome| drop(sender.send(outcome))));
        let closed = |_| Err(Fault::new(&code::SHUTTING_DOWN, "the store has closed"));
        receiver.await.unwrap_or_else(closed).map_err(changed)?;
        Ok(version)
    }

    /// The first version of a draft. What is counted must stand before the next is counted, so two
    /// windows that begin drafts at one moment do so one after the other.
    fn begin(&self, event: Event, place: (&str, &str), text: &str) -> Result<u64, Fault> {
        let (unit, version) = self.draft_unit(event, place, None, Some(text))?;
        let prefix = self.author_key()?;
        let counting = self.gate.drafts.lock();
        let held = self.gate.store.item_scan(SHELF, &prefix, None, DRAFTS_MAX)?;
        if held.len() >= DRAFTS_MAX {
            let say = format!("sign or throw away some of your {DRAFTS_MAX} drafts");
            return Err(Fault::new(&code::DRAFT_TOO_MANY, say));
        }
        self.gate.store.commit(unit).map_err(changed)?;
        drop(counting);
        Ok(version)
    }

    fn draft_unit(
        &self,
        event: Event,
        (patient, name): (&str, &str),
        replaces: Option<u64>,
        text: Option<&str>,
    ) -> Result<(Unit, u64), Fault> {
        let key = self.draft_key(patient, name)?;
        let version = replaces.unwrap_or(0).saturating_add(1);
        let act = match text {
            None => ItemAct::Remove,
            Some(text) => {
                self.sees_patient(patient)?;
                if text.len() > DRAFT_BYTES_MAX {
                    let say = format!("a draft has {DRAFT_BYTES_MAX} bytes at most");
                    return Err(Fault::new(&code::DRAFT_TOO_LARGE, say));
                }
                let mut plain = vec![VERSION];
                plain.extend_from_slice(&self.now().0.to_be_bytes());
                plain.extend_from_slice(text.as_bytes());
                let sealer = self.gate.settings.sealer.as_deref();
                ItemAct::Put(closed_body(sealer, SHELF, &key, version, plain)?)
            }
        };
        let is_told = replaces.is_none() || matches!(act, ItemAct::Remove);
        let mut unit = Unit {
            items: vec![ItemChange { shelf: SHELF, key, replaces, act }],
            ..Unit::default()
        };
        if is_told {
            unit.events = Some(Box::new(move |receipt| {
                vec![Event { time: receipt.last_updated, ..event }.encode()]
            }));
        }
        Ok((unit, version))
    }

    fn draft_event(&self, kind: Kind, patient: &str) -> Event {
        let mut event = self.event(kind);
        if let Some(of) = r4().resource_type("Patient").filter(|_| is_id(patient)) {
            event.targets.push(trail::target(of, patient, None));
            event.patients.push(patient.to_owned());
        }
        event
    }

    /// A draft about somebody whose record is closed to its author would be a window into it.
    fn sees_patient(&self, patient: &str) -> Result<(), Fault> {
        let unknown = || Fault::new(&code::NOT_FOUND, "no record of this type has this id");
        let of = r4().resource_type("Patient").ok_or_else(unknown)?;
        self.look(of, patient, None).map(drop)
    }

    /// Keys of one author begin alike, and no other's do.
    fn author_key(&self) -> Result<Vec<u8>, Fault> {
        let (_, actor) = self.in_person().ok_or_else(denied)?;
        Ok(format!("{}/", actor.id).into_bytes())
    }

    fn draft_key(&self, patient: &str, name: &str) -> Result<Vec<u8>, Fault> {
        let mut key = self.author_key()?;
        for (part, at) in [(patient, "patient"), (name, "name")] {
            if !is_id(part) {
                let say = "it has 1 to 64 letters, digits, hyphens and full stops";
                return Err(Fault::at(&code::PARAMETER_INVALID, say, at));
            }
        }
        key.extend_from_slice(format!("{patient}/{name}").as_bytes());
        Ok(key)
    }

    fn opened_draft(&self, key: &[u8], item: &store::Item) -> Result<Draft, Fault> {
        let odd = || Fault::new(&code::STORE_CORRUPT, "a draft does not stand as it was kept");
        let sealer = self.gate.settings.sealer.as_deref();
        let plain = opened_body(sealer, SHELF, key, item.version, &item.body)?;
        let rest = plain.strip_prefix(&[VERSION]).ok_or_else(odd)?;
        let (at, text) = rest.split_first_chunk::<8>().ok_or_else(odd)?;
        let mut parts = std::str::from_utf8(key).ok().ok_or_else(odd)?.split('/').skip(1);
        let (patient, name) = parts.next().zip(parts.next()).ok_or_else(odd)?;
        Ok(Draft {
            patient: patient.to_owned(),
            name: name.to_owned(),
            version: item.version,
            changed: Millis(i64::from_be_bytes(*at)),
            text: std::str::from_utf8(text).ok().ok_or_else(odd)?.to_owned(),
        })
    }
}

fn changed(fault: Fault) -> Fault {
    if fault.code() != &code::ITEM_CONFLICT {
        return fault;
    }
    let say = "another window has kept or signed this draft since; look at it before you go on";
    Fault::new(&code::DRAFT_CHANGED, say)
}
