//! The review of who has which role: each role of each person is certified, given, taken, or asked to be
//! taken, by somebody else, with a reason; and that is kept as evidence (45 CFR 164.308(a)(3)(ii)(B),
//! workforce clearance; 164.308(a)(4)(ii)(C), access modification; 164.316(b)(1)(ii)). One item for each
//! decision, under the principal and its number, put once and never replaced.

use crate::actor::denied;
use crate::session::{Audited, Session};
use audit::{Decision, Kind, Target};
use base::error::code;
use base::{Fault, Millis};
use identity::PrincipalId;
use std::collections::HashMap;
use store::{ItemAct, ItemChange, Unit};

/// The shelf.
const SHELF: &str = "access-review";
/// The first byte of a body: the form of what follows.
const VERSION: u8 = 1;
/// Items read at once.
const SCAN: usize = 500;
/// Decisions about one person: two a week for twenty years.
const DECISIONS_MAX: usize = 2_000;
/// Bytes of a reason.
const REASON_BYTES: std::ops::RangeInclusive<usize> = 3..=500;
/// Bytes of any text of an item.
const TEXT_BYTES_MAX: usize = 600;

/// What was decided about a role.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CertifyDone {
    /// It is still needed.
    Certified,
    /// It is not; an administrator is to take it away.
    ToTake,
    /// It was given.
    Given,
    /// It was taken away.
    Taken,
}

impl CertifyDone {
    /// Every one.
    pub const ALL: [Self; 4] = [Self::Certified, Self::ToTake, Self::Given, Self::Taken];

    /// The word for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Certified => "certified",
            Self::ToTake => "to-take",
            Self::Given => "given",
            Self::Taken => "taken",
        }
    }

    const fn code(self) -> u8 {
        match self {
            Self::Certified => 1,
            Self::ToTake => 2,
            Self::Given => 3,
            Self::Taken => 4,
        }
    }
}

/// A decision, as it was taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Certified {
    /// When.
    pub at: Millis,
    /// By whom: a principal.
    pub by: String,
    /// About which role.
    pub role: String,
    /// What.
    pub done: CertifyDone,
    /// Why.
    pub reason: String,
}

impl Session {
    /// Whether whoever asks may decide about roles of others: an administrator, or who decides cases of
    /// review.
    #[must_use]
    pub fn may_certify(&self) -> bool {
        self.administers().is_ok() || self.may_decide_cases()
    }

    /// Decides that somebody still needs a role, or that it is to be taken from them, when about them
    /// `known` decisions were read.
    ///
    /// # Errors
    /// `access.denied` for who may not decide; `access.case.own` about oneself; `identity.step-up.needed`;
    /// `identity.item.conflict` when somebody else decided since; `server.parameter.invalid` for a role
    /// they do not have, and without a reason.
    pub fn certify(
        &self,
        upon: PrincipalId,
        known: usize,
        role: &str,
        done: CertifyDone,
        reason: &str,
    ) -> Result<(), Fault> {
        let decided = self.certifying(upon).and_then(|()| {
            let reason = reasoned(reason)?;
            let principal = self.gate.directory.identity.principal(upon)?;
            let known_done = matches!(done, CertifyDone::Certified | CertifyDone::ToTake);
            if !known_done || !principal.profile.roles.iter().any(|own| own == role) {
                let say = "they do not have this role";
                return Err(Fault::at(&code::PARAMETER_INVALID, say, "role"));
            }
            Ok(reason)
        });
        match decided {
            Ok(reason) => self.put_certified(upon, Some(known), role, done, &reason),
            Err(fault) => {
                let mut event = self.event(Kind::AccessReviewed);
                event.targets.push(Target::resource("Principal", upon.to_string(), None));
                if [&code::ACCESS_DENIED, &code::CASE_OWN].contains(&fault.code()) {
                    event.decision = Decision::Deny;
                }
                Err(self.refused(event, fault))
            }
        }
    }

    /// The evidence: every decision about everybody, oldest first under each. Looking leaves an event.
    ///
    /// # Errors
    /// `access.denied` for who may not look at people.
    pub fn certified(&self) -> Result<Audited<HashMap<String, Vec<Certified>>>, Fault> {
        let mut event = self.event(Kind::PeopleRead);
        event.targets.push(Target::of_type("Principal"));
        let may = if self.may_see_people() { Ok(()) } else { Err(denied()) };
        match may.and_then(|()| self.all_certified()) {
            Ok(all) => {
                event.results = all.values().map(|one| one.len() as u64).sum();
                self.audited(&event, all)
            }
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    fn certifying(&self, upon: PrincipalId) -> Result<(), Fault> {
        if !self.may_certify() {
            return Err(denied());
        }
        let (caller, _) = self.in_person().ok_or_else(denied)?;
        if caller.principal.id == upon {
            let say = "somebody else has to review one's own access";
            return Err(Fault::new(&code::CASE_OWN, say));
        }
        self.gate.directory.identity.need_step_up(caller)
    }

    pub(crate) fn put_certified(
        &self,
        upon: PrincipalId,
        known: Option<usize>,
        role: &str,
        done: CertifyDone,
        reason: &str,
    ) -> Result<(), Fault> {
        if let Some(fault) = self.gate.log.failure() {
            return Err(fault);
        }
        let held = self.certified_of(upon)?.len();
        if known.is_some_and(|known| known != held) {
            let say =
                "somebody else decided about them since you read it; look at it before you go on";
            return Err(Fault::new(&code::ITEM_CONFLICT, say));
        }
        if held >= DECISIONS_MAX {
            let say = format!("about one person at most {DECISIONS_MAX} decisions are kept");
            return Err(Fault::at(&code::PARAMETER_INVALID, say, "role"));
        }
        let by = self.whose_rights().unwrap_or_default();
        let one = Certified {
            at: self.now(),
            by,
            role: role.to_owned(),
            done,
            reason: reason.to_owned(),
        };
        let number = u32::try_from(held + 1).map_err(|_many| odd())?;
        let mut event = self.event(Kind::AccessReviewed);
        event.targets.push(Target::resource("Principal", upon.to_string(), None));
        event.targets.push(Target::resource("Role", role, Some(number)));
        event.targets.push(Target::resource("Decision", done.name(), None));
        let encoded = event.encode();
        let unit = Unit {
            items: vec![ItemChange {
                shelf: SHELF,
                key: key(upon, number),
                replaces: None,
                act: ItemAct::Put(encode(&one)),
            }],
            events: Some(Box::new(move |_| vec![encoded])),
            ..Unit::default()
        };
        self.gate.store.commit(unit)?;
        self.gate.log.flush()
    }

    pub(crate) fn certified_of(&self, upon: PrincipalId) -> Result<Vec<Certified>, Fault> {
        let prefix = upon.as_bytes();
        let found = self.gate.store.item_scan(SHELF, prefix, None, DECISIONS_MAX)?;
        found.iter().map(|(_, item)| decode(&item.body)).collect()
    }

    pub(crate) fn all_certified(&self) -> Result<HashMap<String, Vec<Certified>>, Fault> {
        let mut all: HashMap<String, Vec<Certified>> = HashMap::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let found = self.gate.store.item_scan(SHELF, b"", after.as_deref(), SCAN)?;
            let Some((last, _)) = found.last() else { return Ok(all) };
            after = Some(last.clone());
            for (key, item) in &found {
                let id = key.first_chunk::<16>().ok_or_else(odd)?;
                let id = PrincipalId::new(*id).to_string();
                all.entry(id).or_default().push(decode(&item.body)?);
            }
        }
    }
}

/// A reason, within its bounds.
pub(crate) fn reasoned(said: &str) -> Result<String, Fault> {
    let said = said.trim();
    if !REASON_BYTES.contains(&said.len()) || said.chars().any(char::is_control) {
        let say = "say in 3 to 500 bytes, on one line, why";
        return Err(Fault::at(&code::PARAMETER_INVALID, say, "reason"));
    }
    Ok(said.to_owned())
}

fn key(upon: PrincipalId, number: u32) -> Vec<u8> {
    [upon.as_bytes().as_slice(), &number.to_be_bytes()].concat()
}

fn odd() -> Fault {
    Fault::new(&code::STORE_CORRUPT, "a decision about a role does not stand as it was kept")
}

/// A version, when (8), what (1), and three texts, each behind its length (2).
fn encode(one: &Certified) -> Vec<u8> {
    let mut out = vec![VERSION];
    out.extend_from_slice(&one.at.0.to_be_bytes());
    out.push(one.done.code());
    for text in [&one.by, &one.role, &one.reason] {
        let mut end = text.len().min(TEXT_BYTES_MAX);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let text = text.get(..end).unwrap_or_default();
        out.extend_from_slice(&u16::try_from(text.len()).unwrap_or(0).to_be_bytes());
        out.extend_from_slice(text.as_bytes());
    }
    out
}

fn decode(body: &[u8]) -> Result<Certified, Fault> {
    read(body).ok_or_else(odd)
}

fn read(body: &[u8]) -> Option<Certified> {
    let rest = body.strip_prefix(&[VERSION])?;
    let (at, rest) = rest.split_first_chunk::<8>()?;
    let (&what, mut rest) = rest.split_first()?;
    let done = CertifyDone::ALL.into_iter().find(|done| done.code() == what)?;
    let mut text = || {
        let (length, behind) = rest.split_first_chunk::<2>()?;
        let length = usize::from(u16::from_be_bytes(*length));
        let (text, behind) =
            behind.split_at_checked(length).filter(|_| length <= TEXT_BYTES_MAX)?;
        rest = behind;
        std::str::from_utf8(text).ok().map(str::to_owned)
    };
    let (by, role, reason) = (text()?, text()?, text()?);
    let at = Millis(i64::from_be_bytes(*at));
    rest.is_empty().then_some(Certified { at, by, role, done, reason })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_decision_reads_back_as_it_was_taken() {
        for done in CertifyDone::ALL {
            let one = Certified {
                at: Millis(-5),
                by: "paula".to_owned(),
                role: "nurse".to_owned(),
                done,
                reason: "still on the ward, Zürich".to_owned(),
            };
            assert_eq!(decode(&encode(&one)).unwrap(), one);
        }
        assert!(reasoned("no").is_err() && reasoned("two\nlines").is_err());
        assert_eq!(reasoned("  left the ward ").unwrap(), "left the ward");
    }

    proptest! {
        #[test]
        fn strange_bodies_are_refused_and_never_panic(
            body in proptest::collection::vec(any::<u8>(), 0..80),
        ) {
            if let Some(one) = read(&body) {
                prop_assert_eq!(encode(&one), body);
            }
        }
    }
}
