//! The access log for people who look into it: rows of whole events, newest first, with who somebody is,
//! and how the log itself stands (45 CFR 164.308(a)(1)(ii)(D), information system activity review; ASTM
//! E2147). It is for who may read the whole log; whoever looks leaves an event in it.

use crate::balp::{Shown, Teller, audit_event};
use crate::session::{Audited, Session};
use audit::{Decision, Event, Kind, Target, Wanted};
use base::error::code;
use base::id::uuid_text;
use base::{Fault, Millis};
use identity::PrincipalId;
use std::collections::HashMap;

/// Events looked at for one page: a few tenths of a second. A page that stops there says so.
const LOOKS_MAX: u64 = 200_000;
/// Rows of one page at most.
const ROWS_MAX: usize = 1_000;

/// What is asked of the log. What is empty narrows nothing.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct LogAsked {
    /// By this principal, or on whose behalf.
    pub who: Option<String>,
    /// Of this patient.
    pub patient: Option<String>,
    /// Of this kind.
    pub kind: Option<Kind>,
    /// Permitted, or refused.
    pub decision: Option<Decision>,
    /// Of the request with this id.
    pub request: Option<[u8; 16]>,
    /// Upon this principal, session or case: the id of a target.
    pub upon: Option<String>,
    /// Not before this.
    pub from: Option<Millis>,
    /// Before this.
    pub until: Option<Millis>,
    /// Only events with a smaller number: the page behind another.
    pub before: Option<u64>,
    /// This event alone.
    pub seq: Option<u64>,
    /// Rows of the page.
    pub count: usize,
}

/// It names a patient.
impl std::fmt::Debug for LogAsked {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("LogAsked").field("count", &self.count).finish_non_exhaustive()
    }
}

/// An event, as people look at it.
#[derive(Debug, Clone)]
pub struct LogRow {
    /// Its number.
    pub seq: u64,
    /// Its hash, which the next event carries, in hexadecimal.
    pub hash: String,
    /// What happened.
    pub event: Event,
    /// Its request, as the answer's header named it.
    pub request: String,
    /// As an `AuditEvent` in JSON.
    pub json: Vec<u8>,
}

/// How the log stands.
#[derive(Debug, Clone)]
pub struct LogStanding {
    /// The number of the last event.
    pub last: u64,
    /// The last event that is surely on the disk.
    pub synced: u64,
    /// The last event that a signed checkpoint covers; none where the log is not signed.
    pub signed: Option<u64>,
    /// Why nothing can be written any more.
    pub failure: Option<Fault>,
    /// Why nothing is signed any more.
    pub unsigned: Option<Fault>,
}

/// A page.
#[derive(Debug, Clone)]
pub struct LogRows {
    /// The events, newest first.
    pub rows: Vec<LogRow>,
    /// Go on before this event; none when there is nothing more.
    pub next: Option<u64>,
    /// It stopped before it was full, since there is so much to look through; `next` goes on.
    pub is_partial: bool,
    /// Who the ids in the rows are: what people read, and the sign-in name.
    pub names: HashMap<String, (String, String)>,
    /// How the log stands.
    pub standing: LogStanding,
}

impl LogAsked {
    fn fits(&self, event: &Event) -> bool {
        let behalf =
            || event.receipt.as_deref().and_then(|receipt| receipt.on_behalf_of.as_deref());
        self.who.as_deref().is_none_or(|who| event.actor == who || behalf() == Some(who))
            && self.kind.is_none_or(|kind| event.kind == kind)
            && self.decision.is_none_or(|decision| event.decision == decision)
            && self.request.is_none_or(|request| event.request == request)
            && self.upon.as_deref().is_none_or(|id| {
                event.targets.iter().any(|target| target.id.as_deref() == Some(id))
            })
    }
}

impl Session {
    /// Whether whoever asks may read the whole access log.
    #[must_use]
    pub fn may_read_whole_log(&self) -> bool {
        self.may_read_log(None).is_ok()
    }

    /// A page of the log.
    ///
    /// # Errors
    /// `access.denied` for who may not read the whole log; when it cannot be read.
    pub fn log_rows(&self, asked: &LogAsked) -> Result<Audited<LogRows>, Fault> {
        let mut event = self.event(Kind::Review);
        event.targets.push(Target::of_type("AuditEvent"));
        event.patients.extend(asked.patient.clone());
        match self.looked(asked) {
            Ok(found) => {
                for patient in found.rows.iter().flat_map(|row| &row.event.patients) {
                    if !event.patients.contains(patient) {
                        event.patients.push(patient.clone());
                    }
                }
                event.results = found.rows.len() as u64;
                event.bytes = found.rows.iter().map(|row| row.json.len() as u64).sum();
                self.audited(&event, found)
            }
            Err(fault) => {
                if fault.code() == &code::ACCESS_DENIED {
                    event.decision = Decision::Deny;
                }
                Err(self.refused(event, fault))
            }
        }
    }

    fn looked(&self, asked: &LogAsked) -> Result<LogRows, Fault> {
        self.may_read_log(None)?;
        let one = asked.seq.is_some();
        let before = match asked.seq {
            Some(seq) => seq.saturating_add(1),
            None => asked.before.unwrap_or(u64::MAX),
        };
        let count = if one { 1 } else { asked.count.clamp(1, ROWS_MAX) };
        let wanted = Wanted {
            patient: asked.patient.as_deref(),
            from: asked.from,
            until: asked.until,
            before,
            count,
            looks_max: if one { 1 } else { LOOKS_MAX },
            fits: &|event| asked.fits(event),
        };
        self.gate.log.catch_up()?;
        let page = self.gate.finder_beside()?.newest(&wanted)?;
        let teller = Teller::ids("plummer");
        let mut names = HashMap::new();
        let mut rows = Vec::with_capacity(page.entries.len());
        for entry in page.entries {
            if asked.seq.is_some_and(|seq| seq != entry.seq) {
                continue;
            }
            let json = audit_event(&entry, Shown::All, &teller);
            let behalf = entry.event.receipt.as_deref().and_then(|r| r.on_behalf_of.clone());
            let upon = entry.event.targets.iter().filter(|t| t.resource_type == "Principal");
            let ids = [Some(entry.event.actor.to_string()), behalf].into_iter().flatten();
            for id in ids.chain(upon.filter_map(|target| target.id.clone())) {
                self.known_as(id, &mut names);
            }
            rows.push(LogRow {
                seq: entry.seq,
                hash: entry.hash.to_string(),
                request: uuid_text(&entry.event.request),
                event: entry.event,
                json,
            });
        }
        let next = page.next.filter(|_| !one);
        let is_partial = next.is_some() && rows.len() < count;
        Ok(LogRows { rows, next, is_partial, names, standing: self.log_standing() })
    }

    /// Adds who an id is, when it is somebody's here.
    pub(crate) fn known_as(&self, id: String, names: &mut HashMap<String, (String, String)>) {
        if names.contains_key(&id) {
            return;
        }
        let principal =
            PrincipalId::parse(&id).and_then(|id| self.gate.directory.identity.principal(id).ok());
        if let Some(principal) = principal {
            let profile = principal.profile;
            names.insert(id, (profile.display, profile.name));
        }
    }

    fn log_standing(&self) -> LogStanding {
        let (signed, unsigned) = match &*self.gate.notary.lock() {
            Some(notary) => (Some(notary.last().size), notary.failure()),
            None => (None, None),
        };
        LogStanding {
            last: self.gate.log.head().seq,
            synced: self.gate.log.anchor().seq,
            signed,
            failure: self.gate.log.failure(),
            unsigned,
        }
    }
}
