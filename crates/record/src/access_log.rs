//! The access log through the gate (170.315(d)(3); 45 CFR 164.528): searched as `AuditEvent`, newest
//! first. Whoever reads the log leaves an event in it.
//!
//! Clients may store `AuditEvent`s of their own, as they store any record; those are read by their ids
//! and can be neither changed nor deleted. A search of `AuditEvent` answers from the log alone: the
//! log's events are chained and signed, and nobody must take for one of them what a client wrote.

use crate::balp::{self, ID_PREFIX, Shown, Teller, audit_event, event_id};
use crate::session::{Audited, Session};
use crate::trail;
use access::Action;
use audit::{Decision, Event, Kind, Target, Wanted};
use base::error::code;
use base::{Fault, Millis};
use fhir::definitions::r4;
use std::collections::HashSet;
use store::{Op, Unit};

/// Tells sealed places in the log from others.
const LOG: &[u8] = b"L";
/// Events looked at for one page. A page may then hold fewer than asked for, and a link to the next.
const LOOKS_MAX: u64 = 200_000;
const AUDIT_EVENT: &str = "AuditEvent";

/// The parameters that a search of the log takes, but for those that decide the page.
pub const LOG_PARAMETERS: [&str; 9] =
    ["_id", "action", "agent", "date", "entity", "outcome", "patient", "subtype", "type"];

/// A page of the log.
#[derive(Debug, Clone)]
pub struct LogPage {
    /// Each event's id and its `AuditEvent` as JSON.
    pub events: Vec<(String, Vec<u8>)>,
    /// Goes on behind this page.
    pub next: Option<String>,
    /// The patients that the events name, for the event of this reading.
    patients: Vec<String>,
}

/// What is asked of the log.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct LogQuery {
    pub(crate) patient: Option<String>,
    pub(crate) agent: Option<String>,
    pub(crate) from: Option<Millis>,
    pub(crate) until: Option<Millis>,
    pub(crate) kind: Option<(Option<String>, String)>,
    pub(crate) subtype: Option<(Option<String>, String)>,
    pub(crate) action: Option<String>,
    pub(crate) entity: Option<(String, String)>,
    pub(crate) outcome: Option<String>,
    pub(crate) seq: Option<(u64, Option<usize>)>,
    pub(crate) count: Option<usize>,
    pub(crate) cursor: Option<String>,
}

impl LogQuery {
    /// Reads decoded pairs; what is not understood is refused.
    pub(crate) fn parse(pairs: &[(String, String)]) -> Result<Self, Fault> {
        let mut query = Self::default();
        for (name, value) in pairs {
            query.take(name, value)?;
        }
        Ok(query)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        let odd = |what: &str| Fault::at(&code::SEARCH_VALUE, what.to_owned(), name.to_owned());
        if value.is_empty() || value.contains(',') {
            return Err(odd("the access log takes one value for a parameter"));
        }
        match name {
            "patient" => {
                let id = value.strip_prefix("Patient/").unwrap_or(value);
                once(name, &mut self.patient, id.to_owned())?;
            }
            "agent" => {
                // Principals are not records; a type before the id, if there is one, says nothing.
                let id = value.rsplit_once('/').map_or(value, |(_, id)| id);
                once(name, &mut self.agent, id.to_owned())?;
            }
            "date" => self.date(name, value)?,
            "type" => once(name, &mut self.kind, token(value))?,
            "subtype" => once(name, &mut self.subtype, token(value))?,
            "action" => once(name, &mut self.action, token(value).1)?,
            "outcome" => once(name, &mut self.outcome, token(value).1)?,
            "entity" => {
                let parts =
                    value.split_once('/').filter(|(of, id)| !of.is_empty() && !id.is_empty());
                let (of, id) = parts.ok_or_else(|| odd("the value is a type and an id"))?;
                once(name, &mut self.entity, (of.to_owned(), id.to_owned()))?;
            }
            "_id" => {
                let seq =
                    number(value).ok_or_else(|| odd("the value is no id of the access log"))?;
                once(name, &mut self.seq, seq)?;
            }
            "_count" => {
                let count = value.parse().map_err(|_odd| odd("the value is a number"))?;
                once(name, &mut self.count, count)?;
            }
            "_sort" if value == "-date" => {}
            "_sort" => return Err(odd("the access log is told newest first: -date")),
            "_cursor" => once(name, &mut self.cursor, value.to_owned())?,
            _ => {
                let what = "the access log takes patient, agent, date, type, subtype, action, entity, outcome, _id, _count and _sort";
                return Err(Fault::at(&code::SEARCH_PARAMETER_UNKNOWN, what, name.to_owned()));
            }
        }
        Ok(())
    }

    fn date(&mut self, name: &str, value: &str) -> Result<(), Fault> {
        let at = value.find(|c: char| c.is_ascii_digit()).unwrap_or(0);
        let (prefix, text) = value.split_at(at);
        let Some(range) = fhir::date::parse(text) else {
            return Err(Fault::at(&code::SEARCH_VALUE, "the value is not a date", name.to_owned()));
        };
        // `high` is the last instant that the value means.
        let (low, after) = (Millis(range.low), Millis(range.high.saturating_add(1)));
        let (from, until) = match prefix {
            "" | "eq" => (Some(low), Some(after)),
            "ge" => (Some(low), None),
            "gt" | "sa" => (Some(after), None),
            "le" => (None, Some(after)),
            "lt" | "eb" => (None, Some(low)),
            _ => {
                let what = "a date of the access log takes eq, ge, gt, le, lt, sa and eb";
                return Err(Fault::at(&code::SEARCH_PREFIX, what, name.to_owned()));
            }
        };
        self.from = self.from.max(from);
        self.until = match (self.until, until) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        Ok(())
    }

    pub(crate) fn fits(&self, event: &Event) -> bool {
        let is = |asked: &Option<(Option<String>, String)>, system: &str, code: &str| {
            asked
                .as_ref()
                .is_none_or(|(of, own)| own == code && of.as_deref().is_none_or(|of| of == system))
        };
        let coded = balp::coded(event);
        // The code `search` stands for every search, `history` for every history.
        let family = coded.subtype.1.split('-').next().unwrap_or_default();
        self.agent.as_deref().is_none_or(|agent| {
            let behalf = event.receipt.as_deref().and_then(|r| r.on_behalf_of.as_deref());
            event.actor == agent || behalf == Some(agent)
        }) && is(&self.kind, &coded.system, coded.code)
            && (is(&self.subtype, coded.subtype.0, coded.subtype.1)
                || is(&self.subtype, coded.subtype.0, family))
            && self.action.as_deref().is_none_or(|action| action == coded.action)
            && self.outcome.as_deref().is_none_or(|asked| asked == balp::outcome(event))
            && self.entity.as_ref().is_none_or(|(of, id)| {
                let target = |t: &Target| t.resource_type == *of && t.id.as_deref() == Some(id);
                event.targets.iter().any(target)
                    || (of == "Patient" && event.patients.iter().any(|own| own == id))
            })
    }
}

fn once<T>(name: &str, slot: &mut Option<T>, value: T) -> Result<(), Fault> {
    match slot.replace(value) {
        None => Ok(()),
        Some(_) => {
            let what = "the parameter may stand once";
            Err(Fault::at(&code::PARAMETER_INVALID, what, name.to_owned()))
        }
    }
}

fn token(value: &str) -> (Option<String>, String) {
    match value.split_once('|') {
        Some((system, code)) => (Some(system.to_owned()), code.to_owned()),
        None => (None, value.to_owned()),
    }
}

/// The number in an id of the log, and the place of the patient.
fn number(id: &str) -> Option<(u64, Option<usize>)> {
    let rest = id.strip_prefix(ID_PREFIX)?;
    let (seq, place) = match rest.split_once('-') {
        Some((seq, place)) => (seq, Some(place.parse().ok()?)),
        None => (rest, None),
    };
    Some((seq.parse().ok().filter(|seq| *seq > 0)?, place))
}

/// The patient that an event names without having shown it.
fn named_patient(event: &Event) -> Option<&String> {
    let named = event.targets.iter().filter(|target| target.resource_type == "Patient");
    named.filter_map(|target| target.id.as_ref()).next()
}

/// Whether an id is one of the log's events rather than of a stored record.
#[must_use]
pub fn is_log_id(id: &str) -> bool {
    number(id).is_some()
}

impl Session {
    /// A page of the access log, newest first, by the parameters of `AuditEvent` named in the error of
    /// an unknown one; or the page behind a `_cursor`, given along with the same parameters.
    ///
    /// # Errors
    /// Codes `search.*` for what is not understood; `access.denied` for who may not read the log.
    pub fn access_log(&self, pairs: &[(String, String)]) -> Result<Audited<LogPage>, Fault> {
        let mut event = self.event(Kind::Review);
        event.targets.push(Target::of_type(AUDIT_EVENT));
        event.query = (!pairs.is_empty()).then(|| trail::digest(pairs));
        let found = LogQuery::parse(pairs).and_then(|query| {
            event.patients.extend(query.patient.clone());
            self.look_in_log(&query)
        });
        match found {
            Ok(page) => {
                for patient in &page.patients {
                    if !event.patients.contains(patient) {
                        event.patients.push(patient.clone());
                    }
                }
                event.results = page.events.len() as u64;
                event.bytes = page.events.iter().map(|(_, body)| body.len() as u64).sum();
                self.audited(&event, page)
            }
            Err(fault) => {
                if fault.code() == &code::ACCESS_DENIED {
                    event.decision = Decision::Deny;
                }
                Err(self.refused(event, fault))
            }
        }
    }

    /// One event of the log by its id.
    ///
    /// # Errors
    /// `record.read.not-found` when there is none, or who asks may not see it.
    pub fn access_log_event(&self, id: &str) -> Result<Audited<Vec<u8>>, Fault> {
        let mut event = self.event(Kind::Review);
        event.targets.push(Target::resource(AUDIT_EVENT, id, None));
        let query = LogQuery { seq: number(id), ..LogQuery::default() };
        let found = match query.seq {
            Some(_) => self.look_in_log(&query),
            None => Ok(LogPage { events: Vec::new(), next: None, patients: Vec::new() }),
        };
        match found.map(|mut page| page.events.pop().map(|(_, body)| (body, page.patients))) {
            Ok(Some((body, patients))) => {
                event.patients = patients;
                (event.results, event.bytes) = (1, body.len() as u64);
                self.audited(&event, body)
            }
            Ok(None) | Err(_) => {
                let fault = Fault::new(&code::NOT_FOUND, "the access log has no such event");
                Err(self.refused(event, fault))
            }
        }
    }

    /// Leaves the event of a reading that whoever owns the data folder makes of the log's files.
    ///
    /// # Errors
    /// `access.denied` for any other; `audit.unavailable` when the log failed.
    pub fn log_was_read(&self, patient: Option<&str>) -> Result<(), Fault> {
        if self.rights().is_some() {
            return Err(crate::actor::denied());
        }
        let mut event = self.event(Kind::Review);
        event.patients.extend(patient.map(str::to_owned));
        self.gate.log.append(&event)?.synced().wait()
    }

    fn look_in_log(&self, query: &LogQuery) -> Result<LogPage, Fault> {
        self.may_read_log(query.patient.as_deref())?;
        let keeps = self.may_read_log(None).is_ok();
        if !keeps && query.agent.is_some() {
            let what = "the accesses to one's own record are not searched by who it was";
            return Err(Fault::at(&code::ACCESS_DENIED, what, "agent"));
        }
        let limits = self.limits();
        let before = match (&query.cursor, query.seq) {
            (Some(cursor), _) => self.log_place(cursor)?,
            (None, Some((seq, _))) => seq + 1,
            (None, None) => u64::MAX,
        };
        let count = match query.seq {
            Some(_) => 1,
            None => query.count.unwrap_or(limits.page_default).min(limits.page_max),
        };
        let wanted = Wanted {
            patient: query.patient.as_deref(),
            from: query.from,
            until: query.until,
            before,
            count,
            looks_max: if query.seq.is_some() { 1 } else { LOOKS_MAX },
            fits: &|event| query.fits(event),
        };
        self.gate.log.catch_up()?;
        let page = self.gate.finder.lock().newest(&wanted)?;
        let mut events = Vec::with_capacity(page.entries.len());
        let (mut patients, mut known) = (Vec::new(), HashSet::new());
        let named = self.gate.settings.staff_named;
        let words = |id: &str| self.name_of(id, named);
        let teller = if keeps { Teller::ids(SERVER) } else { Teller::words(SERVER, &words) };
        for entry in &page.entries {
            let shown = match (&query.patient, query.seq) {
                (Some(patient), _) => Shown::Only(patient),
                (None, Some((seq, _))) if seq != entry.seq => continue,
                (None, Some((_, Some(place)))) => {
                    let own = match place.checked_sub(1) {
                        Some(at) => entry.event.patients.get(at),
                        None => named_patient(&entry.event),
                    };
                    match own {
                        Some(patient) => Shown::Only(patient),
                        None => continue,
                    }
                }
                (None, _) => Shown::All,
            };
            let named = entry.event.patients.iter().map(String::as_str);
            for patient in
                named.filter(|id| matches!(shown, Shown::All) || shown == Shown::Only(id))
            {
                if known.insert(patient.to_owned()) {
                    patients.push(patient.to_owned());
                }
            }
            events.push((event_id(entry, shown), audit_event(entry, shown, &teller)));
        }
        let next = page
            .next
            .filter(|_| query.seq.is_none())
            .map(|before| self.seal_link(&[LOG, &before.to_le_bytes()].concat()));
        Ok(LogPage { events, next, patients })
    }

    /// Opens a sealed place in the log.
    fn log_place(&self, link: &str) -> Result<u64, Fault> {
        let plain = self.open_link(link).unwrap_or_default();
        let number = plain.strip_prefix(LOG).and_then(|bytes| bytes.try_into().ok());
        number.map(u64::from_le_bytes).ok_or_else(|| {
            Fault::new(&code::SEARCH_CURSOR, "begin again from the first page of the access log")
        })
    }

    /// Whom a policy lets read `AuditEvent` may read the log; a patient, what concerns that patient (45
    /// CFR 164.528). Not who speaks for a patient: the log also tells of what such a one may not see,
    /// as an adolescent's own visits.
    pub(crate) fn may_read_log(&self, patient: Option<&str>) -> Result<(), Fault> {
        if patient.is_some_and(|patient| self.is_own_record(patient)) {
            return Ok(());
        }
        let kind = r4().resource_type(AUDIT_EVENT);
        match kind.is_some_and(|kind| {
            self.scope(Action::Search).is_ok_and(|scope| scope.sees_all_of(kind))
        }) {
            true => Ok(()),
            false => {
                Err(Fault::new(&code::ACCESS_DENIED, "this subject may not read the access log"))
            }
        }
    }

    /// Refuses to change or delete an `AuditEvent`: what was recorded stays as it was.
    pub(crate) fn keeps_audit_events(&self, unit: &Unit) -> Result<(), Fault> {
        for op in &unit.ops {
            let changed = match op {
                Op::Delete { resource_type, .. } => is_audit_event(*resource_type),
                Op::Update { content, .. } => {
                    is_audit_event(content.resource_type)
                        && self.look(content.resource_type, &content.id, None).is_ok()
                }
                Op::Create(_) => false,
            };
            if changed {
                let what = "an AuditEvent can be created and read, not changed or deleted";
                return Err(Fault::new(&code::NOT_SUPPORTED, what));
            }
        }
        Ok(())
    }
}

/// How this server names itself in what it says of its log.
const SERVER: &str = "plummer";

fn is_audit_event(of: fhir::definitions::TypeId) -> bool {
    r4().name(of) == AUDIT_EVENT
}
