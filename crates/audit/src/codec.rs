//! Events as bytes. The encoding is canonical: an event has exactly one, and bytes that are any
//! event's are read back to the same bytes. The decoder takes anything and never panics.
//!
//! `docs/internals/audit.md` states the layout; the worked example there is a test below.

use std::borrow::Cow;
use std::fmt;

use base::error::code;
use base::id::uuid_bytes;
use base::{Fault, Millis};

use crate::event::{ANONYMOUS, Decision, Event, Kind, Source, Target};
use crate::receipt::Receipt;
use crate::wire::{Cursor, Id, put_id, put_text, put_varint, unzigzag, zigzag};

/// The longest encoding of one event. A transaction of 20,000 entries takes 1.7 MB at most.
pub const EVENT_BYTES_MAX: usize = 4 << 20;

const VERSION: u8 = 1;
const DENY: u8 = 1;
const ACTOR: u8 = 1 << 1;
const QUERY: u8 = 1 << 2;
const SOURCE: u8 = 1 << 3;
const TARGETS: u8 = 1 << 4;
const PATIENTS: u8 = 1 << 5;
const COMMIT: u8 = 1 << 6;
const RECEIPT: u8 = 1 << 7;
// Of a receipt's own flags.
const POLICIES: u8 = 1;
const EPOCH: u8 = 1 << 1;
const PURPOSE: u8 = 1 << 2;
const BEHALF: u8 = 1 << 3;
const SESSION: u8 = 1 << 4;
const CLIENT: u8 = 1 << 5;
const BREAK_GLASS: u8 = 1 << 6;
const FLAGS_AT: usize = 2;

/// Bytes that are no event, and where they stop being one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Malformed {
    /// Offset into the bytes.
    pub at: usize,
    /// What was expected there.
    pub what: &'static str,
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {} of the event", self.what, self.at)
    }
}

impl std::error::Error for Malformed {}

impl From<Malformed> for Fault {
    fn from(malformed: Malformed) -> Self {
        Self::new(&code::AUDIT_CORRUPT, malformed.to_string())
    }
}

impl Event {
    /// The event's one encoding.
    pub fn encode(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(96 + self.patients.len() * 17 + self.targets.len() * 20);
        self.encode_into(&mut out);
        out
    }

    /// Appends the event's encoding to `out`.
    pub fn encode_into(&self, out: &mut Vec<u8>) {
        let mut flags = if self.decision == Decision::Deny { DENY } else { 0 };
        for (bit, present) in [
            (ACTOR, self.actor != ANONYMOUS),
            (QUERY, self.query.is_some()),
            (SOURCE, self.source.is_some()),
            (TARGETS, !self.targets.is_empty()),
            (PATIENTS, !self.patients.is_empty()),
            (RECEIPT, self.grounds().is_some()),
            (COMMIT, self.commit_seq != 0),
        ] {
            flags |= if present { bit } else { 0 };
        }
        out.extend_from_slice(&[VERSION, self.kind.code(), flags]);
        out.extend_from_slice(&self.request);
        put_varint(out, zigzag(self.time.0));
        put_varint(out, u64::from(self.status));
        put_varint(out, self.results);
        put_varint(out, self.bytes);
        if flags & ACTOR != 0 {
            put_text(out, 0, &self.actor);
        }
        if let Some(query) = &self.query {
            out.extend_from_slice(query);
        }
        if let Some(source) = self.source {
            out.push(source.code());
        }
        if flags & TARGETS != 0 {
            put_varint(out, self.targets.len() as u64);
            let mut previous: Option<&str> = None;
            for target in &self.targets {
                if previous == Some(&*target.resource_type) {
                    out.push(0);
                } else {
                    put_text(out, 1, &target.resource_type);
                }
                put_id(out, target.id.as_deref());
                put_varint(out, target.version.map_or(0, |v| u64::from(v) + 1));
                previous = Some(&target.resource_type);
            }
        }
        if flags & PATIENTS != 0 {
            put_varint(out, self.patients.len() as u64);
            for id in &self.patients {
                put_id(out, Some(id));
            }
        }
        if let Some(receipt) = self.grounds() {
            put_receipt(out, receipt);
        }
        if flags & COMMIT != 0 {
            put_varint(out, self.commit_seq);
        }
    }

    /// The receipt, when it says anything.
    fn grounds(&self) -> Option<&Receipt> {
        self.receipt.as_deref().filter(|receipt| !receipt.is_empty())
    }

    /// Reads an event back. Takes any bytes; refuses all that [`Event::encode`] would not write.
    pub fn decode(bytes: &[u8]) -> Result<Self, Malformed> {
        let mut lists = Lists::default();
        let head = walk(bytes, &mut lists)?;
        Ok(Self {
            time: head.time,
            actor: head.actor.map_or(Cow::Borrowed(ANONYMOUS), |a| Cow::Owned(a.to_owned())),
            request: head.request,
            kind: head.kind,
            targets: lists.targets,
            patients: lists.patients,
            status: head.status,
            decision: head.decision,
            results: head.results,
            bytes: head.bytes,
            query: head.query,
            source: head.source,
            receipt: lists.receipt.map(Box::new),
            commit_seq: head.commit_seq,
        })
    }
}

/// Names the commit in an encoded event that has none yet, so that a request can encode its event
/// before the store's writer knows the commit's number.
pub fn stamp_commit(encoded: &mut Vec<u8>, commit_seq: u64) -> Result<(), Malformed> {
    let outline = outline(encoded)?;
    if outline.commit_seq != 0 || commit_seq == 0 {
        return Err(Malformed { at: FLAGS_AT, what: "an event without a commit" });
    }
    if let Some(flags) = encoded.get_mut(FLAGS_AT) {
        *flags |= COMMIT;
    }
    put_varint(encoded, commit_seq);
    Ok(())
}

/// What an event says apart from its lists.
#[derive(Debug)]
pub(crate) struct Outline<'a> {
    pub(crate) time: Millis,
    pub(crate) kind: Kind,
    pub(crate) decision: Decision,
    pub(crate) request: [u8; 16],
    pub(crate) status: u16,
    pub(crate) results: u64,
    pub(crate) bytes: u64,
    pub(crate) actor: Option<&'a str>,
    pub(crate) query: Option<[u8; 8]>,
    pub(crate) source: Option<Source>,
    pub(crate) commit_seq: u64,
}

/// Checks the whole event and returns its outline, without allocating.
pub(crate) fn outline(bytes: &[u8]) -> Result<Outline<'_>, Malformed> {
    walk(bytes, &mut Nothing)
}

/// Calls `each` with a number for each patient that an event concerns: those shown, and those named as
/// a target. Another id may have the same number.
pub(crate) fn patient_numbers(bytes: &[u8], each: impl FnMut(u64)) -> Result<(), Malformed> {
    walk(bytes, &mut Numbers(each)).map(|_| ())
}

/// The number of a patient's id (FNV-1a of it as it stands in an event).
pub(crate) fn patient_number(id: &str) -> u64 {
    uuid_bytes(id).map_or_else(|| fnv(id.as_bytes()), |bytes| fnv(&bytes))
}

fn fnv(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xCBF2_9CE4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01B3)
    })
}

struct Numbers<F>(F);

impl<F: FnMut(u64)> Numbers<F> {
    fn add(&mut self, id: &Id<'_>) {
        (self.0)(match id {
            Id::Uuid(bytes) => fnv(bytes),
            Id::Text(text) => fnv(text.as_bytes()),
        });
    }
}

impl<F: FnMut(u64)> Visit for Numbers<F> {
    fn target(&mut self, resource_type: &str, id: Option<Id<'_>>, _: Option<u32>) {
        if let Some(id) = id.filter(|_| resource_type == "Patient") {
            self.add(&id);
        }
    }

    fn patient(&mut self, id: Id<'_>) {
        self.add(&id);
    }

    fn receipt(&mut self, _: Grounds<'_>) {}
    fn policy(&mut self, _: &str) {}
}

trait Visit {
    fn target(&mut self, resource_type: &str, id: Option<Id<'_>>, version: Option<u32>);
    fn patient(&mut self, id: Id<'_>);
    fn receipt(&mut self, receipt: Grounds<'_>);
    fn policy(&mut self, id: &str);
}

struct Nothing;

impl Visit for Nothing {
    fn target(&mut self, _: &str, _: Option<Id<'_>>, _: Option<u32>) {}
    fn patient(&mut self, _: Id<'_>) {}
    fn receipt(&mut self, _: Grounds<'_>) {}
    fn policy(&mut self, _: &str) {}
}

#[derive(Default)]
struct Lists {
    targets: Vec<Target>,
    patients: Vec<String>,
    receipt: Option<Receipt>,
}

/// A receipt but for its policies.
#[derive(Default)]
struct Grounds<'a> {
    epoch: u64,
    purpose: Option<&'a str>,
    on_behalf_of: Option<Id<'a>>,
    session: Option<Id<'a>>,
    client: Option<Id<'a>>,
    break_glass: Option<&'a str>,
}

impl Visit for Lists {
    fn target(&mut self, resource_type: &str, id: Option<Id<'_>>, version: Option<u32>) {
        let resource_type = Cow::Owned(resource_type.to_owned());
        self.targets.push(Target { resource_type, id: id.map(Id::into_text), version });
    }

    fn patient(&mut self, id: Id<'_>) {
        self.patients.push(id.into_text());
    }

    fn policy(&mut self, id: &str) {
        self.receipt.get_or_insert_default().policies.push(id.to_owned());
    }

    fn receipt(&mut self, grounds: Grounds<'_>) {
        let receipt = self.receipt.get_or_insert_default();
        receipt.epoch = grounds.epoch;
        receipt.purpose = grounds.purpose.map(str::to_owned);
        receipt.on_behalf_of = grounds.on_behalf_of.map(Id::into_text);
        receipt.session = grounds.session.map(Id::into_text);
        receipt.client = grounds.client.map(Id::into_text);
        receipt.break_glass = grounds.break_glass.map(str::to_owned);
    }
}

fn walk<'a>(bytes: &'a [u8], visit: &mut impl Visit) -> Result<Outline<'a>, Malformed> {
    let mut c = Cursor { bytes, at: 0 };
    if bytes.len() > EVENT_BYTES_MAX {
        return Err(c.expected("at most 4 MiB"));
    }
    if c.byte()? != VERSION {
        return Err(Malformed { at: 0, what: "event format version 1" });
    }
    let kind = Kind::from_code(c.byte()?).ok_or_else(|| c.expected("a known kind"))?;
    let flags = c.byte()?;
    let mut outline = Outline {
        kind,
        decision: if flags & DENY == 0 { Decision::Permit } else { Decision::Deny },
        request: c.array()?,
        time: Millis(unzigzag(c.varint()?)),
        status: u16::try_from(c.varint()?).ok().ok_or_else(|| c.expected("a status"))?,
        results: c.varint()?,
        bytes: c.varint()?,
        actor: None,
        query: None,
        source: None,
        commit_seq: 0,
    };
    if flags & ACTOR != 0 {
        let length = c.varint()?;
        let actor = c.text(length)?;
        if actor == ANONYMOUS {
            return Err(c.expected("an actor with a name"));
        }
        outline.actor = Some(actor);
    }
    if flags & QUERY != 0 {
        outline.query = Some(c.array()?);
    }
    if flags & SOURCE != 0 {
        let source = Source::from_code(c.byte()?);
        outline.source = Some(source.ok_or_else(|| c.expected("a known source"))?);
    }
    if flags & TARGETS != 0 {
        let mut previous: Option<&str> = None;
        for _ in 0..c.count()? {
            let length = c.varint()?;
            let resource_type = match length {
                0 => previous.ok_or_else(|| c.expected("a resource type"))?,
                n => c.text(n - 1)?,
            };
            if length != 0 && previous == Some(resource_type) {
                return Err(c.expected("the sign for the same type"));
            }
            previous = Some(resource_type);
            let id = c.id()?;
            let version = match c.varint()? {
                0 => None,
                n => Some(u32::try_from(n - 1).ok().ok_or_else(|| c.expected("a version"))?),
            };
            visit.target(resource_type, id, version);
        }
    }
    if flags & PATIENTS != 0 {
        for _ in 0..c.count()? {
            let id = c.id()?;
            visit.patient(id.ok_or_else(|| c.expected("a patient's id"))?);
        }
    }
    if flags & RECEIPT != 0 {
        receipt(&mut c, visit)?;
    }
    if flags & COMMIT != 0 {
        outline.commit_seq = c.varint()?;
        if outline.commit_seq == 0 {
            return Err(c.expected("a commit above 0"));
        }
    }
    if c.at == bytes.len() { Ok(outline) } else { Err(c.expected("the end")) }
}

fn receipt<'a>(c: &mut Cursor<'a>, visit: &mut impl Visit) -> Result<(), Malformed> {
    let flags = c.byte()?;
    if flags == 0 || flags >= BREAK_GLASS << 1 {
        return Err(c.expected("known flags of a receipt"));
    }
    let mut grounds = Grounds::default();
    if flags & POLICIES != 0 {
        for _ in 0..c.count()? {
            let length = c.varint()?;
            let id = c.text(length)?;
            visit.policy(id);
        }
    }
    if flags & EPOCH != 0 {
        grounds.epoch = c.varint()?;
        if grounds.epoch == 0 {
            return Err(c.expected("an epoch above 0"));
        }
    }
    if flags & PURPOSE != 0 {
        let length = c.varint()?;
        grounds.purpose = Some(c.text(length)?);
    }
    for (flag, slot) in [
        (BEHALF, &mut grounds.on_behalf_of),
        (SESSION, &mut grounds.session),
        (CLIENT, &mut grounds.client),
    ] {
        if flags & flag != 0 {
            let id = c.id()?;
            *slot = Some(id.ok_or_else(|| c.expected("an id"))?);
        }
    }
    if flags & BREAK_GLASS != 0 {
        let length = c.varint()?;
        grounds.break_glass = Some(c.text(length)?);
    }
    visit.receipt(grounds);
    Ok(())
}

fn put_receipt(out: &mut Vec<u8>, receipt: &Receipt) {
    let mut flags = 0;
    for (bit, present) in [
        (POLICIES, !receipt.policies.is_empty()),
        (EPOCH, receipt.epoch != 0),
        (PURPOSE, receipt.purpose.is_some()),
        (BEHALF, receipt.on_behalf_of.is_some()),
        (SESSION, receipt.session.is_some()),
        (CLIENT, receipt.client.is_some()),
        (BREAK_GLASS, receipt.break_glass.is_some()),
    ] {
        flags |= if present { bit } else { 0 };
    }
    out.push(flags);
    if flags & POLICIES != 0 {
        put_varint(out, receipt.policies.len() as u64);
        receipt.policies.iter().for_each(|id| put_text(out, 0, id));
    }
    if flags & EPOCH != 0 {
        put_varint(out, receipt.epoch);
    }
    if let Some(purpose) = &receipt.purpose {
        put_text(out, 0, purpose);
    }
    for id in [&receipt.on_behalf_of, &receipt.session, &receipt.client].into_iter().flatten() {
        put_id(out, Some(id));
    }
    if let Some(reason) = &receipt.break_glass {
        put_text(out, 0, reason);
    }
}
