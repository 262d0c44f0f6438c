//! Errands: work of a department that outlives the process, such as a message to be sent. An errand is a
//! short text under a key, with a version, on a shelf of the store; it is no record, and names records and
//! people by their ids alone. What is told of it stands in the log with it or not at all (45 CFR 164.312(b)).

use crate::actor::denied;
use crate::gate::Record;
use crate::session::Session;
use crate::shelf::{closed_body, opened_body};
use crate::trail;
use audit::{Event, Kind};
use base::Fault;
use base::error::code;
use fhir::definitions::TypeId;
use std::fmt::Write as _;
use store::{ItemAct, ItemChange, Unit};

const SHELF: &str = "errand";
/// Bytes of a text: a line of ids and numbers.
pub const ERRAND_BYTES_MAX: usize = 4 << 10;
/// Bytes of a key.
const KEY_MAX: usize = 200;
/// Errands read at once.
pub const ERRANDS_MAX: usize = 1_000;

/// One errand, as it was kept last.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Errand {
    /// Its key: letters, digits, `-`, `.` and `/`.
    pub key: String,
    /// 1 when first kept, one more each time.
    pub version: u64,
    /// The text.
    pub text: String,
}

/// What the log is told of an errand.
#[derive(Debug, Clone)]
pub struct Telling {
    /// What was done.
    pub kind: Kind,
    /// With which outcome, as a status of HTTP.
    pub status: u16,
    /// Upon which record.
    pub record: (TypeId, String),
    /// Of which patient, by logical id.
    pub patient: String,
}

impl Session {
    /// An errand, if there is one.
    ///
    /// # Errors
    /// `access.denied` for any but whoever is on the machine.
    pub fn errand(&self, key: &str) -> Result<Option<Errand>, Fault> {
        self.runs_errands()?;
        let found = self.gate.store.item_get(SHELF, key.as_bytes())?;
        found.map(|item| self.opened_errand(key.as_bytes(), &item)).transpose()
    }

    /// Errands whose keys begin so, by key, those behind `after`; [`ERRANDS_MAX`] at most.
    ///
    /// # Errors
    /// As [`Session::errand`].
    pub fn errands(&self, prefix: &str, after: Option<&str>) -> Result<Vec<Errand>, Fault> {
        self.runs_errands()?;
        let after = after.map(str::as_bytes);
        let found = self.gate.store.item_scan(SHELF, prefix.as_bytes(), after, ERRANDS_MAX)?;
        found.iter().map(|(key, item)| self.opened_errand(key, item)).collect()
    }

    /// Keeps an errand, in place of a version or as a new one; without a text it is done with. Answers its
    /// version now. It is on the disk then, and what is told with it.
    ///
    /// # Errors
    /// `store.item.conflict` when it is not of that version; `access.denied` as above; when the log failed.
    pub fn keep_errand(
        &self,
        key: &str,
        replaces: Option<u64>,
        text: Option<&str>,
        tells: Option<Telling>,
    ) -> Result<u64, Fault> {
        self.runs_errands()?;
        if let Some(fault) = self.gate.log.failure() {
            return Err(fault);
        }
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'.' | b'/');
        let fits = !key.is_empty() && key.len() <= KEY_MAX && key.bytes().all(plain);
        if !fits || text.is_some_and(|text| text.len() > ERRAND_BYTES_MAX) {
            return Err(Fault::new(&code::INTERNAL, "an errand is larger than it may be"));
        }
        let version = replaces.unwrap_or(0).saturating_add(1);
        let act = match text {
            None => ItemAct::Remove,
            Some(text) => {
                let sealer = self.gate.settings.sealer.as_deref();
                let plain = text.as_bytes().to_vec();
                ItemAct::Put(closed_body(sealer, SHELF, key.as_bytes(), version, plain)?)
            }
        };
        let item = ItemChange { shelf: SHELF, key: key.as_bytes().to_vec(), replaces, act };
        let mut unit = Unit { items: vec![item], ..Unit::default() };
        if let Some(tells) = tells {
            let mut event = self.event(tells.kind);
            event.status = tells.status;
            event.targets.push(trail::target(tells.record.0, &tells.record.1, None));
            event.patients.push(tells.patient);
            unit.events = Some(Box::new(move |receipt| {
                vec![Event { time: receipt.last_updated, ..event }.encode()]
            }));
        }
        self.gate.store.commit(unit)?;
        Ok(version)
    }

    /// 128 bits that nobody can guess, as 32 letters and digits.
    ///
    /// # Errors
    /// When the system gives none.
    pub fn draw(&self) -> Result<String, Fault> {
        let mut bytes = [0; 16];
        self.gate.settings.random.fill(&mut bytes)?;
        Ok(hex(&bytes))
    }

    pub(crate) fn runs_errands(&self) -> Result<(), Fault> {
        if self.rights().is_some() { Err(denied()) } else { Ok(()) }
    }

    fn opened_errand(&self, key: &[u8], item: &store::Item) -> Result<Errand, Fault> {
        let odd = |_| Fault::new(&code::STORE_CORRUPT, "an errand does not stand as it was kept");
        let sealer = self.gate.settings.sealer.as_deref();
        let text = opened_body(sealer, SHELF, key, item.version, &item.body)?;
        Ok(Errand {
            key: String::from_utf8(key.to_vec()).map_err(odd)?,
            version: item.version,
            text: String::from_utf8(text).map_err(odd)?,
        })
    }
}

impl Record {
    /// Keeps in mind, for whoever watches, whether reminders of visits could not be sent lately.
    pub fn tell_reminders(&self, failing: bool) {
        *self.gate.reminders.lock() = Some(failing);
    }

    /// Whether reminders of visits could not be sent lately; nothing where none are sent.
    pub fn reminders_failing(&self) -> Option<bool> {
        *self.gate.reminders.lock()
    }
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut out = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        // To a string nothing fails.
        let _ = write!(out, "{byte:02x}");
    }
    out
}
