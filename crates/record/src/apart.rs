//! Decisions that two records are not of one patient, so that a pair somebody looked at is not shown to
//! the next person again. It is no record of either patient (neither is told of the other); it stands on
//! a shelf, and each decision leaves an event that names both (45 CFR 164.312(b)).

use crate::actor::denied;
use crate::patients::patient_type;
use crate::session::Session;
use crate::shelf::{closed_body, opened_body};
use crate::trail;
use access::Action;
use audit::{Event, Kind};
use base::error::code;
use base::{Fault, Millis};
use fhir::definitions::TypeId;
use fhir::reference::is_id;
use store::{ItemAct, ItemChange};

/// The shelf.
const SHELF: &str = "apart";
/// Letters of a reason: a sentence or two, read beside a pair.
pub const REASON_CHARS_MAX: usize = 500;

/// That two records are not of one patient.
#[derive(Clone, PartialEq, Eq)]
pub struct Apart {
    /// When it was decided.
    pub at: Millis,
    /// By whom, as people read it.
    pub by: String,
    /// Why.
    pub reason: String,
    version: u64,
}

/// The reason is about patients.
impl std::fmt::Debug for Apart {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Apart(‹phi›)")
    }
}

impl Session {
    /// Whether one record is within what the caller may do. It leaves no event: what follows does.
    ///
    /// # Errors
    /// When the store fails.
    pub fn may_to(&self, action: Action, of: TypeId, id: &str) -> Result<bool, Fault> {
        let Ok(scope) = self.scope_of(action, of) else { return Ok(false) };
        let found = self.gate.store.reader(&scope)?.read(of, id)?;
        Ok(found.is_some_and(|hit| !hit.deleted))
    }

    /// Keeps that two patients are not one, with a reason.
    ///
    /// # Errors
    /// `access.denied` for whoever may not change both; `server.parameter.invalid` for a reason that is
    /// none; `identity.item.conflict` when another decides at the same moment.
    pub async fn keep_apart(&self, one: &str, other: &str, reason: &str) -> Result<(), Fault> {
        let event = self.apart_event(one, other);
        let outcome = async {
            let key = self.apart_key(one, other)?;
            let reason = reason.trim();
            if reason.is_empty() || reason.chars().count() > REASON_CHARS_MAX {
                let say = format!("say why, in {REASON_CHARS_MAX} letters at most");
                return Err(Fault::at(&code::PARAMETER_INVALID, say, "reason"));
            }
            let replaces = self.apart_at(&key)?.map(|found| found.version);
            let version = replaces.unwrap_or(0).saturating_add(1);
            let (caller, _) = self.in_person().ok_or_else(denied)?;
            let by = caller.principal.profile.display.replace('\n', " ");
            let mut plain = self.now().0.to_be_bytes().to_vec();
            plain.extend_from_slice(format!("{by}\n{reason}").as_bytes());
            let sealer = self.gate.settings.sealer.as_deref();
            let act = ItemAct::Put(closed_body(sealer, SHELF, &key, version, plain)?);
            let change = ItemChange { shelf: SHELF, key, replaces, act };
            self.put_items(vec![change], Some(event.clone())).await
        };
        outcome.await.map_err(|fault| self.refused(event.clone(), fault))
    }

    /// Takes such a decision back; the pair is looked at again. None to take back is nothing done.
    ///
    /// # Errors
    /// As [`Session::keep_apart`].
    pub async fn forget_apart(&self, one: &str, other: &str) -> Result<(), Fault> {
        let event = self.apart_event(one, other);
        let outcome = async {
            let key = self.apart_key(one, other)?;
            let Some(found) = self.apart_at(&key)? else { return Ok(()) };
            let replaces = Some(found.version);
            let change = ItemChange { shelf: SHELF, key, replaces, act: ItemAct::Remove };
            self.put_items(vec![change], Some(event.clone())).await
        };
        outcome.await.map_err(|fault| self.refused(event.clone(), fault))
    }

    /// What was decided of two patients, both of whom the caller may see.
    ///
    /// # Errors
    /// `record.read.not-found` when one may not be seen.
    pub fn kept_apart(&self, one: &str, other: &str) -> Result<Option<Apart>, Fault> {
        let of = patient_type();
        self.look(of, one, None)?;
        self.look(of, other, None)?;
        self.apart_at(&pair_key(one, other))
    }

    pub(crate) fn is_apart(&self, one: &str, other: &str) -> Result<bool, Fault> {
        Ok(self.gate.store.item_get(SHELF, &pair_key(one, other))?.is_some())
    }

    /// The key of a pair, for whoever may change both.
    fn apart_key(&self, one: &str, other: &str) -> Result<Vec<u8>, Fault> {
        let of = patient_type();
        let may = is_id(one)
            && is_id(other)
            && one != other
            && self.may_to(Action::Update, of, one)?
            && self.may_to(Action::Update, of, other)?;
        if may { Ok(pair_key(one, other)) } else { Err(denied()) }
    }

    fn apart_at(&self, key: &[u8]) -> Result<Option<Apart>, Fault> {
        let odd = || Fault::new(&code::STORE_CORRUPT, "a decision does not stand as it was kept");
        let Some(item) = self.gate.store.item_get(SHELF, key)? else { return Ok(None) };
        let sealer = self.gate.settings.sealer.as_deref();
        let plain = opened_body(sealer, SHELF, key, item.version, &item.body)?;
        let (at, text) = plain.split_first_chunk::<8>().ok_or_else(odd)?;
        let text = std::str::from_utf8(text).ok().ok_or_else(odd)?;
        let (by, reason) = text.split_once('\n').ok_or_else(odd)?;
        Ok(Some(Apart {
            at: Millis(i64::from_be_bytes(*at)),
            by: by.to_owned(),
            reason: reason.to_owned(),
            version: item.version,
        }))
    }

    fn apart_event(&self, one: &str, other: &str) -> Event {
        let mut event = self.event(Kind::DuplicateDecided);
        for id in [one, other].into_iter().filter(|id| is_id(id)) {
            event.targets.push(trail::target(patient_type(), id, None));
            event.patients.push(id.to_owned());
        }
        event
    }
}

/// The same whichever comes first.
fn pair_key(one: &str, other: &str) -> Vec<u8> {
    let (one, other) = if one <= other { (one, other) } else { (other, one) };
    format!("{one}/{other}").into_bytes()
}
