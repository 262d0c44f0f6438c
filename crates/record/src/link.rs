//! Links about one appointment, for its patient: whoever has the link may do about it what the patient may,
//! without signing in. The link's token has 128 bits and only its hash is kept (SHA-256). It ends when whoever
//! draws it says: one that is sent with the visit or when nobody can be late for it any more, one of an offer
//! with the beginning of what is offered, one that is handed out at the desk after twelve hours, one of a kiosk
//! after minutes or when whoever stands there leaves. It makes a subject of its own, which stands in the log by
//! a part of the hash and reaches that patient's appointments and flags and nothing else: it changes those and
//! sets these, such as that nobody is to be reminded (45 CFR 164.312(a)(1), (b)). Whoever also said the patient's
//! date of birth (`pre_check_in`) reaches the record of the patient, of which the pages show in part how they are
//! reached, and the kinds of visits, for what the house asks of all who come for one.
//!
//! A link of an offer reaches one record more: that of the round of offers it is of, by its identifier.

use crate::actor::denied;
use crate::errand::hex;
use crate::gate::{Gate, Record, seed_of_the_system};
use crate::session::{Session, Subject};
use crate::shelf::{closed_body, opened_body};
use crate::worker::Worker;
use audit::{Event, Kind, Source};
use base::error::code;
use base::id::{Seeded, uuid_v7};
use base::{Fault, Millis};
use fhir::definitions::{TypeId, r4};
use fhir::reference::is_id;
use search::condition::Condition;
use sha2::{Digest as _, Sha256};
use std::sync::Arc;
use std::time::Duration;
use store::{Clause, ItemAct, ItemChange, Rights, Scope, Unit};

const SHELF: &str = "visit-link";
/// The first byte of a body: the form of what follows.
const VERSION: u8 = 1;
/// That of a link that was drawn at a kiosk, and is opened there.
const AT_KIOSK: u8 = 2;
/// That of a link that was handed out at the desk.
const AT_DESK: u8 = 3;
/// The longest a link lives that is drawn for somebody who stands there.
const HANDED_MS: i64 = 12 * 3_600_000;
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
    /// It was drawn at a kiosk, which others use next.
    pub is_kiosk: bool,
    /// It was handed to somebody at the desk, who was looked at.
    pub is_handed: bool,
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
        self.drawn_link(about, None)
    }

    /// Draws a link for somebody who stands at the desk, to be scanned from its screen. It ends
    /// after twelve hours.
    ///
    /// # Errors
    /// `access.denied` for whoever may not change the appointment; `record.read.not-found` for whoever may
    /// not see it.
    pub fn hand_link(&self, appointment: &str, patient: &str) -> Result<String, Fault> {
        let of = type_of("Appointment")?;
        let mut event = self.event(Kind::TokenIssued);
        event.targets.push(crate::trail::target(of, appointment, None));
        event.patients.push(patient.to_owned());
        let drawn = (|| {
            self.sees_visit(appointment, patient)?;
            let ids = [appointment.to_owned()];
            if !self.changeable(of, &ids)?.contains(appointment) {
                return Err(denied());
            }
            let ends = Millis(self.now().0.saturating_add(HANDED_MS));
            let (appointment, patient) = (appointment.to_owned(), patient.to_owned());
            let (round, is_kiosk, is_handed) = (None, false, true);
            let about = Linked { appointment, patient, ends, round, is_kiosk, is_handed };
            self.drawn_link(&about, Some(event.clone()))
        })();
        drawn.map_err(|fault| self.refused(event, fault))
    }

    pub(crate) fn drawn_link(&self, about: &Linked, event: Option<Event>) -> Result<String, Fault> {
        if let Some(fault) = self.gate.log.failure() {
            return Err(fault);
        }
        let token = self.draw()?;
        let key = hashed(&token);
        let mut plain = vec![match (about.is_kiosk, about.is_handed) {
            (true, _) => AT_KIOSK,
            (false, true) => AT_DESK,
            (false, false) => VERSION,
        }];
        plain.extend_from_slice(&about.ends.0.to_be_bytes());
        plain.extend_from_slice(format!("{}/{}", about.appointment, about.patient).as_bytes());
        if let Some(round) = &about.round {
            plain.extend_from_slice(format!("/{round}").as_bytes());
        }
        let sealer = self.gate.settings.sealer.as_deref();
        let body = closed_body(sealer, SHELF, &key, 1, plain)?;
        let item = ItemChange { shelf: SHELF, key, replaces: None, act: ItemAct::Put(body) };
        let mut unit = Unit { items: vec![item], ..Unit::default() };
        if let Some(event) = event {
            unit.events = Some(Box::new(move |receipt| {
                vec![Event { time: receipt.last_updated, ..event }.encode()]
            }));
        }
        self.gate.store.commit(unit)?;
        Ok(token)
    }

    /// Forgets links and kiosks that are over, and what was entered for visits that are long over. Answers how
    /// many there were.
    ///
    /// # Errors
    /// `access.denied` for any but whoever is on the machine.
    pub fn forget_links(&self) -> Result<usize, Fault> {
        self.runs_errands()?;
        let ends = |key: &[u8], item: &store::Item| {
            self.gate.opened_link(key, item).ok().map(|linked| linked.ends)
        };
        let forgotten = self.gate.forget_over(SHELF, self.now(), &ends)?;
        Ok(forgotten + self.gate.forget_kiosks(self.now())? + self.forget_pre_check_ins()?)
    }
}

impl Record {
    /// Forgets from time to time what [`Session::forget_links`] forgets, on a thread of its own; at once first.
    ///
    /// # Errors
    /// When there is no thread to be had.
    pub fn keep_links(&self, every: Duration) -> Result<Worker, Fault> {
        let gate = Arc::downgrade(&self.gate);
        let mut random = Seeded::new(seed_of_the_system());
        Worker::start("record-links", move |stop| {
            loop {
                let Some(gate) = gate.upgrade() else { return };
                let request = uuid_v7(gate.now(), &mut random);
                let subject = Arc::new(Subject::operator().from(Source::Local));
                let session = Session { subject, request, noted: Arc::default(), gate };
                if let Err(fault) = session.forget_links() {
                    let code = fault.code().name;
                    tracing::error!(code, "links that are over could not be forgotten");
                }
                drop(session);
                if stop.rest(every) {
                    return;
                }
            }
        })
    }

    /// Opens a link: a session in its name, and what it is about.
    ///
    /// # Errors
    /// `record.link.over` for one that is over, for one that never was, and for one of a kiosk whose patient
    /// denied meanwhile that whoever stands there sees the visit: nobody is told which.
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
        let name = format!("link-{}", hex(key.get(..NAMED).unwrap_or_default()));
        let rights = Arc::new(rights(&linked.patient, linked.round.as_deref(), false)?);
        let subject = Subject::of_link(name, rights).from(source);
        let session = self.session(subject, request);
        // Who has a link of their own is the patient, whom nothing of theirs is denied (164.524). Who stands at a
        // kiosk said three things that others may know.
        if linked.is_kiosk && self.is_denied_there(&session, &linked)? {
            return Err(over());
        }
        Ok((session, linked))
    }

    /// The same session once the patient's date of birth was said, by the proof that the browser kept: it
    /// sees, beside the visit, how the patient is reached. None for a proof that is none, or over.
    ///
    /// # Errors
    /// When R4 has lost a type.
    pub fn follow_proven(
        &self,
        session: &Session,
        linked: &Linked,
        proof: &str,
    ) -> Result<Option<Session>, Fault> {
        if !session.proves_birth(proof) {
            return Ok(None);
        }
        let mut subject = Subject::of_link(
            session.who().to_owned(),
            Arc::new(rights(&linked.patient, linked.round.as_deref(), true)?),
        );
        subject.source = session.subject.source;
        let mut proven = self.session(subject, session.request());
        proven.noted = Arc::clone(&session.noted);
        Ok(Some(proven))
    }

    /// Whether a visit that was opened at a kiosk is one that its patient denied to whoever stands there.
    fn is_denied_there(&self, session: &Session, linked: &Linked) -> Result<bool, Fault> {
        let seen = rights(&linked.patient, None, true)?;
        let Some(see) = self.gate.screens()?.left_of(&seen.see, &linked.patient) else {
            return Ok(false);
        };
        let subject = Subject::of_link(session.who().to_owned(), Arc::new(Rights { see, ..seen }));
        let heeding = self.session(subject, session.request());
        match heeding.sees_visit(&linked.appointment, &linked.patient) {
            Ok(_) => Ok(false),
            Err(fault) if matches!(fault.status(), 404 | 410) => Ok(true),
            Err(fault) => Err(fault),
        }
    }

    /// Ends a link before its time. One that is over already is over.
    ///
    /// # Errors
    /// When the store fails.
    pub fn end_link(&self, token: &str) -> Result<(), Fault> {
        let key = hashed(token);
        let Some(item) = self.gate.store.item_get(SHELF, &key)? else { return Ok(()) };
        let replaces = Some(item.version);
        let item = ItemChange { shelf: SHELF, key, replaces, act: ItemAct::Remove };
        match self.gate.store.commit(Unit { items: vec![item], ..Unit::default() }) {
            Err(fault) if fault.code() != &code::ITEM_CONFLICT => Err(fault),
            _ => Ok(()),
        }
    }
}

impl Gate {
    fn opened_link(&self, key: &[u8], item: &store::Item) -> Result<Linked, Fault> {
        let odd = || Fault::new(&code::STORE_CORRUPT, "a link does not stand as it was kept");
        let sealer = self.settings.sealer.as_deref();
        let plain = opened_body(sealer, SHELF, key, item.version, &item.body)?;
        let (form, rest) = plain.split_first().ok_or_else(odd)?;
        if ![VERSION, AT_KIOSK, AT_DESK].contains(form) {
            return Err(odd());
        }
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
            is_kiosk: *form == AT_KIOSK,
            is_handed: *form == AT_DESK,
        })
    }

    /// Removes what is over from a shelf. What cannot be read stays, for whoever looks into that.
    pub(crate) fn forget_over(
        &self,
        shelf: &'static str,
        now: Millis,
        ends: &dyn Fn(&[u8], &store::Item) -> Option<Millis>,
    ) -> Result<usize, Fault> {
        let (mut after, mut forgotten): (Option<Vec<u8>>, usize) = (None, 0);
        loop {
            let found = self.store.item_scan(shelf, b"", after.as_deref(), SWEEP)?;
            let Some((last, _)) = found.last() else { return Ok(forgotten) };
            after = Some(last.clone());
            let over =
                found.iter().filter(|(key, item)| ends(key, item).is_some_and(|at| at <= now));
            let items: Vec<ItemChange> = over
                .map(|(key, item)| {
                    let (key, replaces) = (key.clone(), Some(item.version));
                    ItemChange { shelf, key, replaces, act: ItemAct::Remove }
                })
                .collect();
            forgotten += items.len();
            if !items.is_empty() {
                self.store.commit(Unit { items, ..Unit::default() })?;
            }
        }
    }
}

/// Sees and changes the patient's appointments and the round that is answered, and may ask to be left alone;
/// sees who the patient is once that was proven.
fn rights(patient: &str, round: Option<&str>, is_proven: bool) -> Result<Rights, Fault> {
    let (appointment, flag) = (type_of("Appointment")?, type_of("Flag")?);
    let of =
        |types: &[TypeId]| Scope::everything().of_types(types.iter().copied()).of_patient(patient);
    let mut seen = vec![appointment, flag];
    if is_proven {
        seen.push(type_of("Patient")?);
    }
    let (mut see, mut update) = (of(&seen), of(&[appointment]));
    if is_proven {
        // What the house asks of all who come for the same: it is about nobody.
        let kinds = type_of("ActivityDefinition")?;
        see = see.or(&Scope::everything().of_types([kinds]));
    }
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

pub(crate) fn hashed(token: &str) -> Vec<u8> {
    Sha256::digest(token.as_bytes()).to_vec()
}

impl Subject {
    /// Whoever has a link.
    pub(crate) fn of_link(name: String, rights: Arc<Rights>) -> Self {
        Self::nobody().named(name, rights)
    }
}
