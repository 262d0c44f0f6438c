//! Links that are sent to a patient about one appointment: whoever has the link may do about it what the
//! patient may, without signing in. The link's token has 128 bits; only its hash is kept (SHA-256), it ends
//! when the visit begins, and it makes a subject of its own, which reaches that patient's appointments and
//! nothing else, and stands in the log by a part of the hash (45 CFR 164.312(a)(1), (b)).
//!
//! A link of an offer reaches one record more: that of the round of offers it is of, by its identifier.

use crate::errand::hex;
use crate::gate::{Gate, Record};
use crate::session::{Session, Subject};
use crate::shelf::{closed_body, opened_body};
use audit::Source;
use base::error::code;
use base::{Fault, Millis};
use fhir::definitions::{TypeId, r4};
use fhir::reference::is_id;
use search::condition::Condition;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use store::{Clause, ItemAct, ItemChange, Rights, Scope, Unit};

const SHELF: &str = "visit-link";
/// The first byte of a body: the form of what follows.
const VERSION: u8 = 1;
/// Bytes of a hash that name the subject in the log.
const NAMED: usize = 8;
/// Links looked at for their end at a time.
const SWEEP: usize = 1_000;

/// What a link is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Linked {
    /// The Appointment, by logical id.
    pub appointment: String,
    /// Its patient, by logical id.
    pub patient: String,
    /// The first instant at which it opens nothing.
    pub ends: Millis,
    /// The key of the round of offers it answers ([`ROUND`]); none for a reminder's link.
    pub round: Option<String>,
}

/// The system of the identifier of the record that a round of offers is kept in.
pub const ROUND: &str = "urn:plummer:waitlist-round";
/// Letters, digits, `-` and `.` of a round's key.
const ROUND_KEY_MAX: usize = 90;

/// Whether a text is a round's key.
pub fn is_round(key: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.');
    (1..=ROUND_KEY_MAX).contains(&key.len()) && key.bytes().all(plain)
}

impl Session {
    /// Draws a link's token. It is told once: only its hash is kept.
    ///
    /// # Errors
    /// `access.denied` for any but whoever is on the machine.
    pub fn draw_link(&self, about: &Linked) -> Result<String, Fault> {
        self.runs_errands()?;
        let token = self.draw()?;
        let key = hashed(&token);
        let mut plain = vec![VERSION];
        plain.extend_from_slice(&about.ends.0.to_be_bytes());
        plain.extend_from_slice(format!("{}/{}", about.appointment, about.patient).as_bytes());
        if let Some(round) = &about.round {
            plain.extend_from_slice(format!("/{round}").as_bytes());
        }
        let sealer = self.gate.settings.sealer.as_deref();
        let body = closed_body(sealer, SHELF, &key, 1, plain)?;
        let item = ItemChange { shelf: SHELF, key, replaces: None, act: ItemAct::Put(body) };
        self.gate.store.commit(Unit { items: vec![item], ..Unit::default() })?;
        Ok(token)
    }

    /// Forgets links that are over. Answers how many.
    ///
    /// # Errors
    /// `access.denied` for any but whoever is on the machine.
    pub fn forget_links(&self) -> Result<usize, Fault> {
        self.runs_errands()?;
        let now = self.now();
        let (mut after, mut forgotten) = (None, 0);
        loop {
            let found = self.gate.store.item_scan(SHELF, b"", after.as_deref(), SWEEP)?;
            let Some((last, _)) = found.last() else { return Ok(forgotten) };
            after = Some(last.clone());
            let mut items = Vec::new();
            for (key, item) in &found {
                if self.gate.opened_link(key, item)?.ends <= now {
                    let replaces = Some(item.version);
                    let act = ItemAct::Remove;
                    items.push(ItemChange { shelf: SHELF, key: key.clone(), replaces, act });
                }
            }
            forgotten += items.len();
            if !items.is_empty() {
                self.gate.store.commit(Unit { items, ..Unit::default() })?;
            }
        }
    }
}

impl Record {
    /// Opens a link: a session in its name, and what it is about.
    ///
    /// # Errors
    /// `record.link.over` for one that is over, and for one that never was: nobody is told which.
    pub fn follow(
        &self,
        token: &str,
        source: Source,
        request: [u8; 16],
    ) -> Result<(Session, Linked), Fault> {
        let over = || Fault::new(&code::LINK_OVER, "this link is over; call the clinic");
        let key = hashed(token);
        let item = self.gate.store.item_get(SHELF, &key)?.ok_or_else(over)?;
        let linked = self.gate.opened_link(&key, &item)?;
        if linked.ends <= self.gate.settings.clock.now() {
            return Err(over());
        }
        let name = hex(key.get(..NAMED).unwrap_or_default());
        let rights = rights(&linked.patient, linked.round.as_deref())?;
        let subject = Subject::of_link(format!("link-{name}"), rights).from(source);
        Ok((self.session(subject, request), linked))
    }
}

impl Gate {
    fn opened_link(&self, key: &[u8], item: &store::Item) -> Result<Linked, Fault> {
        let odd = || Fault::new(&code::STORE_CORRUPT, "a link does not stand as it was kept");
        let sealer = self.settings.sealer.as_deref();
        let plain = opened_body(sealer, SHELF, key, item.version, &item.body)?;
        let rest = plain.strip_prefix(&[VERSION]).ok_or_else(odd)?;
        let (ends, rest) = rest.split_first_chunk::<8>().ok_or_else(odd)?;
        let rest = std::str::from_utf8(rest).ok().ok_or_else(odd)?;
        let (appointment, rest) = rest.split_once('/').ok_or_else(odd)?;
        let (patient, round) = match rest.split_once('/') {
            Some((patient, round)) => (patient, Some(round)),
            None => (rest, None),
        };
        if !is_id(appointment) || !is_id(patient) || !round.is_none_or(is_round) {
            return Err(odd());
        }
        Ok(Linked {
            appointment: appointment.to_owned(),
            patient: patient.to_owned(),
            ends: Millis(i64::from_be_bytes(*ends)),
            round: round.map(str::to_owned),
        })
    }
}

/// Sees and changes the patient's appointments and the round that is answered, and may ask to be left alone.
fn rights(patient: &str, round: Option<&str>) -> Result<Rights, Fault> {
    let (appointment, flag) = (type_of("Appointment")?, type_of("Flag")?);
    let of =
        |types: &[TypeId]| Scope::everything().of_types(types.iter().copied()).of_patient(patient);
    let (mut see, mut update) = (of(&[appointment, flag]), of(&[appointment]));
    if let Some(round) = round {
        let odd = |_fault| Fault::new(&code::INTERNAL, "a round's identifier is no condition");
        let asked = format!("identifier={ROUND}|{round}");
        let named = Condition::parse(appointment, &asked).map_err(odd)?;
        let own = Scope::any_of(vec![Clause {
            types: Some([appointment].into()),
            matching: vec![Arc::new(vec![named])],
            ..Clause::default()
        }]);
        (see, update) = (see.or(&own), update.or(&own));
    }
    Ok(Rights { see, create: of(&[flag]), update, delete: Scope::nothing(), names_ids: false })
}

fn type_of(name: &str) -> Result<TypeId, Fault> {
    let odd = || Fault::new(&code::INTERNAL, "the links name a type that R4 has not");
    r4().resource_type(name).ok_or_else(odd)
}

fn hashed(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

impl Subject {
    /// Whoever has a link.
    pub(crate) fn of_link(name: String, rights: Rights) -> Self {
        Self::nobody().named(name, Arc::new(rights))
    }
}
