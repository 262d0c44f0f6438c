//! What a patient enters before a visit, by a link or at a kiosk, until the desk takes it up: a text that is
//! no record, changes none, and is found by no search. It stands on a shelf of the store under its
//! appointment; whoever reads it may read that appointment and its patient, whoever keeps it may change the
//! appointment as well, and each time leaves its event (45 CFR 164.312(a)(1), (b)). It is forgotten a week after
//! the visit, as that stands when it is looked: one that was put off keeps it.
//!
//! Before anything is shown or taken, whoever has the link says the patient's date of birth, a second thing
//! beside the link itself (Joint Commission NPSG.01.01.01, two identifiers). Tries are counted before they are
//! looked at and kept on the disk, so that neither many at once nor a restart gives more of them. They are
//! counted for the visit, whichever link they come by; a link that was handed out at the desk has its own count,
//! so that whoever has another can neither use it up nor win by it. A patient whose date of birth is not known
//! is answered as a wrong one is.

use crate::actor::denied;
use crate::gate::Record;
use crate::link::{Linked, hashed};
use crate::session::{Audited, Session, Subject};
use crate::shelf::{closed_body, opened_body};
use crate::trail;
use audit::{Event, Kind};
use base::error::code;
use base::{Fault, Limits, Millis};
use fhir::definitions::{TypeId, r4};
use fhir::reference::is_id;
use fhir::{Document, Value};
use std::fmt;
use store::{ItemAct, ItemChange, Unit};

const SHELF: &str = "pre-check-in";
const TRIES: &str = "visit-link-try";
/// The first byte of a body: the form of what follows.
const VERSION: u8 = 1;
/// Tells proofs from other sealed texts.
const PROOF: u8 = b'B';
/// Wrong dates of birth after which none is asked for any more.
pub const BIRTH_TRIES_MAX: u8 = 5;
/// Letters of a date of birth that says the day.
const WHOLE_DATE: usize = 10;
/// Bytes of what a patient enters: a few lines.
pub const PRE_CHECK_IN_BYTES_MAX: usize = 16 << 10;
/// For how long what was entered is kept after its visit, for a desk that did not get to it.
const KEPT_MS: i64 = 7 * 24 * 3_600_000;

/// What a patient entered before a visit.
#[derive(Clone, PartialEq, Eq)]
pub struct PreCheckIn {
    /// 1 when first kept, one more each time.
    pub version: u64,
    /// When it was last kept.
    pub changed: Millis,
    /// The text, as the department that asked wrote it.
    pub text: String,
}

/// It is about a person: only its size is printed.
impl fmt::Debug for PreCheckIn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PreCheckIn {{ version: {}, bytes: {} }}", self.version, self.text.len())
    }
}

/// What came of saying a date of birth.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Said {
    /// It is the patient's.
    Right,
    /// It is not, or nobody knows whose.
    Wrong,
    /// It was not looked at: there were too many that were wrong.
    Locked,
}

impl Record {
    /// Holds a date of birth, as FHIR writes a whole one, against that of the patient of a link.
    ///
    /// # Errors
    /// When the log failed, or the store.
    pub fn say_birth(
        &self,
        session: &Session,
        token: &str,
        linked: &Linked,
        birth: &str,
    ) -> Result<Audited<Said>, Fault> {
        if let Some(fault) = self.gate.log.failure() {
            return Err(fault);
        }
        let said = self.said(session, &tries_of(token, linked), linked, birth)?;
        let kind = if said == Said::Right { Kind::StepUp } else { Kind::SignInFailed };
        let mut event = session.event(kind);
        if said != Said::Right {
            event.status = 401;
            event.decision = audit::Decision::Deny;
        }
        event.patients.push(linked.patient.clone());
        event.targets.push(trail::target(type_of("Appointment")?, &linked.appointment, None));
        session.audited(&event, said)
    }

    fn said(
        &self,
        session: &Session,
        key: &[u8],
        linked: &Linked,
        birth: &str,
    ) -> Result<Said, Fault> {
        if !self.count_try(key, linked)? {
            return Ok(Said::Locked);
        }
        let own = self.session(Subject::operator(), session.request());
        let stands = match own.look(type_of("Patient")?, &linked.patient, None) {
            Ok(hit) => {
                let document = Document::parse(hit.body, &Limits::default())?;
                document.root().get_str("birthDate").map(std::borrow::Cow::into_owned)
            }
            Err(fault) if matches!(fault.status(), 404 | 410) => None,
            Err(fault) => return Err(fault),
        };
        // By a year alone nobody proves anything.
        let stands = stands.filter(|stands| stands.len() == WHOLE_DATE);
        if stands.is_none_or(|stands| stands != birth) {
            return Ok(Said::Wrong);
        }
        self.forget_tries(key)?;
        Ok(Said::Right)
    }

    /// Whether a link asks for no date of birth any more.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_birth_locked(&self, token: &str, linked: &Linked) -> Result<bool, Fault> {
        let tries = self.tries(&tries_of(token, linked))?;
        Ok(tries.is_some_and(|(_, count)| count >= BIRTH_TRIES_MAX))
    }

    fn tries(&self, key: &[u8]) -> Result<Option<(u64, u8)>, Fault> {
        let odd = || Fault::new(&code::STORE_CORRUPT, "tries do not stand as they were kept");
        let Some(item) = self.gate.store.item_get(TRIES, key)? else { return Ok(None) };
        let sealer = self.gate.settings.sealer.as_deref();
        let plain = opened_body(sealer, TRIES, key, item.version, &item.body)?;
        let count = plain.get(9).copied().ok_or_else(odd)?;
        Ok(Some((item.version, count)))
    }

    /// Counts a try as wrong, before it is looked at. Not when there are too many.
    fn count_try(&self, key: &[u8], linked: &Linked) -> Result<bool, Fault> {
        let ends = Millis(linked.ends.0.saturating_add(KEPT_MS));
        loop {
            let before = self.tries(key)?;
            let count = before.map_or(0, |(_, count)| count);
            if count >= BIRTH_TRIES_MAX {
                return Ok(false);
            }
            let replaces = before.map(|(version, _)| version);
            let version = replaces.unwrap_or(0).saturating_add(1);
            let mut plain = vec![VERSION];
            plain.extend_from_slice(&ends.0.to_be_bytes());
            plain.push(count.saturating_add(1));
            plain.extend_from_slice(linked.appointment.as_bytes());
            let sealer = self.gate.settings.sealer.as_deref();
            let act = ItemAct::Put(closed_body(sealer, TRIES, key, version, plain)?);
            let item = ItemChange { shelf: TRIES, key: key.to_vec(), replaces, act };
            match self.gate.store.commit(Unit { items: vec![item], ..Unit::default() }) {
                Ok(_) => return Ok(true),
                // Another try came between: it is counted, and this one behind it.
                Err(fault) if fault.code() == &code::ITEM_CONFLICT => {}
                Err(fault) => return Err(fault),
            }
        }
    }

    fn forget_tries(&self, key: &[u8]) -> Result<(), Fault> {
        let Some((version, _)) = self.tries(key)? else { return Ok(()) };
        let replaces = Some(version);
        let item = ItemChange { shelf: TRIES, key: key.to_vec(), replaces, act: ItemAct::Remove };
        match self.gate.store.commit(Unit { items: vec![item], ..Unit::default() }) {
            Err(fault) if fault.code() != &code::ITEM_CONFLICT => Err(fault),
            _ => Ok(()),
        }
    }
}

impl Session {
    /// What a browser keeps when the date of birth was right: until when it holds, sealed for this link alone.
    pub fn birth_proof(&self, until: Millis) -> String {
        let mut plain = vec![PROOF];
        plain.extend_from_slice(&until.0.to_be_bytes());
        self.seal_link(&plain)
    }

    /// Whether a text is a proof of this link that holds still.
    pub(crate) fn proves_birth(&self, text: &str) -> bool {
        let Some(plain) = self.open_link(text) else { return false };
        let until = plain.strip_prefix(&[PROOF]).and_then(|rest| rest.try_into().ok());
        until.is_some_and(|until| self.now() < Millis(i64::from_be_bytes(until)))
    }

    /// What was entered before a visit, if anything was. The appointment is that patient's.
    ///
    /// # Errors
    /// `record.read.not-found` when the caller may not see the appointment or the patient, and when it is
    /// another patient's.
    pub fn pre_check_in(
        &self,
        appointment: &str,
        patient: &str,
    ) -> Result<Audited<Option<PreCheckIn>>, Fault> {
        let mut event = self.pre_check_in_event(Kind::DraftRead, appointment, patient)?;
        let read = || -> Result<Option<PreCheckIn>, Fault> {
            self.sees_visit(appointment, patient)?;
            let found = self.gate.store.item_get(SHELF, appointment.as_bytes())?;
            let opened = found.map(|item| self.opened_pre_check_in(appointment, &item));
            // What was entered for another patient, before the appointment was given to this one.
            let opened = opened.transpose()?;
            Ok(opened.filter(|(whose, _)| whose == patient).map(|(_, entered)| entered))
        };
        match read() {
            Ok(entered) => {
                event.results = u64::from(entered.is_some());
                self.audited(&event, entered)
            }
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    /// Keeps what was entered, in place of a version or as the first; without a text it is done with.
    /// Answers its version now; it is on the disk then.
    ///
    /// # Errors
    /// `record.draft.changed` when it is not of that version; `record.draft.too-large`; as
    /// [`Session::pre_check_in`]; `access.denied` when the caller may not change the appointment.
    pub async fn keep_pre_check_in(
        &self,
        about: &Linked,
        replaces: Option<u64>,
        text: Option<&str>,
    ) -> Result<u64, Fault> {
        let kind = if text.is_some() { Kind::DraftKept } else { Kind::DraftDropped };
        let event = self.pre_check_in_event(kind, &about.appointment, &about.patient)?;
        let kept = self.put_pre_check_in(event.clone(), about, replaces, text).await;
        kept.map_err(|fault| self.refused(event, fault))
    }

    async fn put_pre_check_in(
        &self,
        event: Event,
        about: &Linked,
        replaces: Option<u64>,
        text: Option<&str>,
    ) -> Result<u64, Fault> {
        if let Some(fault) = self.gate.log.failure() {
            return Err(fault);
        }
        let visit_ends = self.sees_visit(&about.appointment, &about.patient)?;
        let ids = std::slice::from_ref(&about.appointment);
        if !self.changeable(type_of("Appointment")?, ids)?.contains(&about.appointment) {
            return Err(denied());
        }
        let key = about.appointment.as_bytes().to_vec();
        // What another patient entered, before the appointment was given to this one, is written over.
        let replaces = match (replaces, self.gate.store.item_get(SHELF, &key)?) {
            (None, Some(item)) => {
                let (whose, _) = self.opened_pre_check_in(&about.appointment, &item)?;
                (whose != about.patient).then_some(item.version)
            }
            (replaces, _) => replaces,
        };
        let version = replaces.unwrap_or(0).saturating_add(1);
        let act = match text {
            None => ItemAct::Remove,
            Some(text) => {
                if text.len() > PRE_CHECK_IN_BYTES_MAX {
                    let say = format!("it has {PRE_CHECK_IN_BYTES_MAX} bytes at most");
                    return Err(Fault::new(&code::DRAFT_TOO_LARGE, say));
                }
                // A link may be over long before its visit.
                let ends = visit_ends.unwrap_or(about.ends).max(about.ends);
                let ends = ends.0.saturating_add(KEPT_MS);
                let mut plain = vec![VERSION];
                plain.extend_from_slice(&ends.to_be_bytes());
                plain.extend_from_slice(&self.now().0.to_be_bytes());
                plain.extend_from_slice(format!("{}/{text}", about.patient).as_bytes());
                let sealer = self.gate.settings.sealer.as_deref();
                ItemAct::Put(closed_body(sealer, SHELF, &key, version, plain)?)
            }
        };
        let item = ItemChange { shelf: SHELF, key, replaces, act };
        let mut unit = Unit { items: vec![item], ..Unit::default() };
        unit.events = Some(Box::new(move |receipt| {
            vec![Event { time: receipt.last_updated, ..event }.encode()]
        }));
        let (sender, receiver) = tokio::sync::oneshot::channel();
        self.gate.store.submit(unit, Box::new(move |outcome| drop(sender.send(outcome))));
        let closed = |_| Err(Fault::new(&code::SHUTTING_DOWN, "the store has closed"));
        receiver.await.unwrap_or_else(closed).map_err(changed)?;
        Ok(version)
    }

    /// Whoever may read an appointment and its patient; what another patient's appointment holds is none.
    /// Answers when the visit is over, where it says so.
    pub(crate) fn sees_visit(
        &self,
        appointment: &str,
        patient: &str,
    ) -> Result<Option<Millis>, Fault> {
        let hit = self.look(type_of("Appointment")?, appointment, None)?;
        self.look(type_of("Patient")?, patient, None)?;
        let document = Document::parse(hit.body, &Limits::default())?;
        let whose = format!("Patient/{patient}");
        let participants = document.root().get("participant").into_iter().flat_map(Value::items);
        let mut actors = participants.filter_map(|one| one.get("actor")?.get_str("reference"));
        match actors.any(|actor| actor == whose) {
            true => Ok(over_at(document.root())),
            false => Err(Fault::new(&code::NOT_FOUND, "no record of this type has this id")),
        }
    }

    fn pre_check_in_event(
        &self,
        kind: Kind,
        appointment: &str,
        patient: &str,
    ) -> Result<Event, Fault> {
        let mut event = self.event(kind);
        event.targets.push(trail::target(type_of("Appointment")?, appointment, None));
        event.patients.push(patient.to_owned());
        Ok(event)
    }

    fn opened_pre_check_in(
        &self,
        appointment: &str,
        item: &store::Item,
    ) -> Result<(String, PreCheckIn), Fault> {
        let odd = || Fault::new(&code::STORE_CORRUPT, "what was entered is not as it was kept");
        let sealer = self.gate.settings.sealer.as_deref();
        let key = appointment.as_bytes();
        let plain = opened_body(sealer, SHELF, key, item.version, &item.body)?;
        let rest = plain.strip_prefix(&[VERSION]).ok_or_else(odd)?;
        let (_, rest) = rest.split_first_chunk::<8>().ok_or_else(odd)?;
        let (changed, rest) = rest.split_first_chunk::<8>().ok_or_else(odd)?;
        let rest = std::str::from_utf8(rest).ok().ok_or_else(odd)?;
        let (whose, text) = rest.split_once('/').ok_or_else(odd)?;
        let changed = Millis(i64::from_be_bytes(*changed));
        let entered = PreCheckIn { version: item.version, changed, text: text.to_owned() };
        Ok((whose.to_owned(), entered))
    }

    /// Forgets what was entered for visits that are long over, and the tries of their links. What would be
    /// over by the time that was kept with it is not while its visit, as it stands now, is not long over.
    pub(crate) fn forget_pre_check_ins(&self) -> Result<usize, Fault> {
        let mut forgotten = 0;
        for shelf in [SHELF, TRIES] {
            let ends = |key: &[u8], item: &store::Item| -> Option<Millis> {
                let sealer = self.gate.settings.sealer.as_deref();
                let plain = opened_body(sealer, shelf, key, item.version, &item.body).ok()?;
                let (ends, rest) = plain.strip_prefix(&[VERSION])?.split_first_chunk::<8>()?;
                let ends = Millis(i64::from_be_bytes(*ends));
                if self.now() < ends {
                    return Some(ends);
                }
                let appointment = if shelf == SHELF { key } else { rest.get(1..)? };
                let named = std::str::from_utf8(appointment).ok().filter(|id| is_id(id));
                let Some(appointment) = named else { return Some(ends) };
                let visit = self.visit_ends(appointment).ok()?;
                Some(visit.map_or(ends, |visit| ends.max(Millis(visit.0.saturating_add(KEPT_MS)))))
            };
            forgotten += self.gate.forget_over(shelf, self.now(), &ends)?;
        }
        Ok(forgotten)
    }

    /// When a visit is over as it stands; nothing for one that is gone or does not say.
    fn visit_ends(&self, appointment: &str) -> Result<Option<Millis>, Fault> {
        match self.look(type_of("Appointment")?, appointment, None) {
            Ok(hit) => {
                let document = Document::parse(hit.body, &Limits::default())?;
                Ok(over_at(document.root()))
            }
            Err(fault) if matches!(fault.status(), 404 | 410) => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

/// Under what tries are counted.
fn tries_of(token: &str, linked: &Linked) -> Vec<u8> {
    match linked.is_handed {
        true => hashed(token),
        false => hashed(&format!("{}/{}", linked.appointment, linked.patient)),
    }
}

/// When an appointment is over.
fn over_at(appointment: Value<'_>) -> Option<Millis> {
    let end = appointment.get_str("end").or_else(|| appointment.get_str("start"))?;
    fhir::date::parse(&end).map(|end| Millis(end.low))
}

fn changed(fault: Fault) -> Fault {
    if fault.code() != &code::ITEM_CONFLICT {
        return fault;
    }
    Fault::new(&code::DRAFT_CHANGED, "it was changed since it was shown; look at it again")
}

pub(crate) fn type_of(name: &str) -> Result<TypeId, Fault> {
    let odd = || Fault::new(&code::INTERNAL, "R4 has no such type");
    r4().resource_type(name).ok_or_else(odd)
}
