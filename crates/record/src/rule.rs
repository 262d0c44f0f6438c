//! Rules of departments: what must hold of every write of a type, through whichever door it comes
//! (REST, conditional, transaction, operation). A rule is asked with the document as it will be and
//! as it is, and answers what must not stand in its way when it is committed, or a fault. The gate
//! looks (`ruling.rs`), and the writer looks again at what was written since (`store::Watch`), so that
//! a rule holds however many write at once.
//!
//! Import is exempt: it restores what happened elsewhere, and history is not argued with. Whoever
//! imports is told so (docs/internals/operations.md).

use crate::ledger::Wanted;
use crate::session::{Session, Signer};
use access::Action;
use audit::Kind;
use base::{Fault, Limits, Millis};
use fhir::definitions::{TypeId, r4};
use fhir::{Document, Value};
use std::collections::HashSet;
use store::{Hit, Judge, Reader, Scope, Scoped};

/// A rule of a department.
#[derive(Debug, Clone, Copy)]
pub struct Rule {
    /// Its name: `department.subject`.
    pub name: &'static str,
    /// What it holds, in a sentence.
    pub about: &'static str,
    /// The types of which it is asked.
    pub types: &'static [&'static str],
    /// Asked for each write. It is asked again when something came between, so it must answer the
    /// same for the same question.
    pub ask: fn(&Asking<'_>) -> Result<Ruling, Fault>,
    /// How records of a type take time, when the rule is about time: then the gate keeps a ledger of it,
    /// and a [`Forbid`] that says whose time it wants is answered from there.
    pub claims: Option<Claims>,
}

/// Search parameters and values, as a door would give them.
pub type Among = Vec<(String, String)>;

/// How records of a type take time.
#[derive(Debug, Clone, Copy)]
pub struct Claims {
    /// The type.
    pub of: &'static str,
    /// What a record takes, whatever it is like: what says too little takes nothing.
    pub read: fn(Value<'_>) -> Vec<Claim>,
    /// A search that finds at least the records that take time of any of these and begin within a span.
    pub among: fn(&[&str], Millis, Millis) -> Among,
    /// For how long before a time what takes it may have begun, in milliseconds: a day at most, which is
    /// what the ledger keeps together.
    pub reach_ms: i64,
}

/// Time that a record takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Of whom or what, by reference.
    pub whose: String,
    /// From.
    pub start: Millis,
    /// Until, and not with.
    pub end: Millis,
    /// From when on it takes nothing any more by the clock.
    pub lapses: Option<Millis>,
    /// What is kept free before and after it, in milliseconds. No write is refused for it; whoever looks
    /// for time is told.
    pub kept_ms: (i64, i64),
    /// What it is taken for, as the department counts it.
    pub about: Option<String>,
}

/// By whose eyes records are looked at that may stand in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Eyes {
    /// The house's: every record decides. The refusal tells the caller no more than that there is one.
    House,
    /// The caller's: what they may not find decides nothing, and so a refusal tells them nothing new.
    Caller,
}

/// A condition on other records: that none stands in the way.
#[derive(Clone)]
pub struct Forbid {
    /// The type of the records that may stand in the way; one of the rule's own types.
    pub resource_type: &'static str,
    /// A search that finds at least those that do, narrow enough to be looked at one by one: search
    /// parameters and values, as a door would give them.
    pub among: Vec<(String, String)>,
    /// By whose eyes.
    pub eyes: Eyes,
    /// Whether a record stands in the way.
    pub against: Judge,
    /// Whose time is wanted, when `against` says no more than that it is not taken by another claim
    /// ([`Rule::claims`]): the ledger then spares the search.
    pub over: Option<Claim>,
    /// What the write is refused with when one does.
    pub fault: Fault,
}

impl std::fmt::Debug for Forbid {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Forbid({} by the eyes of the {:?})", self.resource_type, self.eyes)
    }
}

/// Another record that changes in the same unit of work, with the caller's rights as any of its
/// changes. Left out when the unit writes that record itself.
#[derive(Debug, Clone)]
pub struct Also {
    /// Its type.
    pub resource_type: &'static str,
    /// Its logical id.
    pub id: String,
    /// The document it becomes, with its id.
    pub body: Vec<u8>,
}

/// What a rule says of one write.
#[derive(Debug, Default)]
pub struct Ruling {
    /// What must not be.
    pub forbids: Vec<Forbid>,
    /// Records that must not change until the commit: those the ruling was made from.
    pub unchanged: Vec<(&'static str, String)>,
    /// What changes with it.
    pub also: Vec<Also>,
    /// What the access log must tell of it beside the write itself: an event each, in the same commit.
    pub notes: Vec<Kind>,
}

/// One write, as a rule is asked of it.
#[derive(Debug)]
pub struct Asking<'a> {
    pub(crate) session: &'a Session,
    /// The house's own look, at the snapshot all is decided on.
    pub(crate) reader: &'a Scoped<'a, Reader>,
    pub(crate) writes: &'a HashSet<(TypeId, String)>,
    /// The documents of this unit of the types that rules are of.
    pub(crate) fresh: &'a [Hit],
    /// The record's type.
    pub resource_type: &'static str,
    /// Its logical id.
    pub id: &'a str,
    /// The document it has, when there is one that the caller may see.
    pub before: Option<Value<'a>>,
    /// The document it will have; none when it is deleted.
    pub after: Option<Value<'a>>,
}

impl Asking<'_> {
    /// The present instant.
    pub fn now(&self) -> Millis {
        self.session.now()
    }

    /// The bounds of documents.
    pub fn limits(&self) -> &Limits {
        self.session.limits()
    }

    /// A record as it is, whoever asks: for the ruling alone, nothing of it may reach an answer.
    ///
    /// # Errors
    /// When the store fails.
    pub fn read(&self, resource_type: &str, id: &str) -> Result<Option<Document>, Fault> {
        let Some(of) = r4().resource_type(resource_type) else { return Ok(None) };
        match self.reader.read(of, id)?.filter(|hit| !hit.deleted) {
            Some(hit) => Document::parse(hit.body, self.limits()).map(Some),
            None => Ok(None),
        }
    }

    /// A record as it is, when the caller may see it: a refusal that depends on it tells them nothing new.
    ///
    /// # Errors
    /// When the store fails.
    pub fn seen(&self, resource_type: &str, id: &str) -> Result<Option<Document>, Fault> {
        let Some(of) = r4().resource_type(resource_type) else { return Ok(None) };
        self.session.as_it_is(of, id)
    }

    /// Whether any of the people that `is` picks would be shown a record that the caller sees.
    ///
    /// # Errors
    /// As [`Session::is_shown_to`].
    pub fn is_shown_to(
        &self,
        is: impl Fn(&identity::Profile) -> bool,
        resource_type: &str,
        id: &str,
    ) -> Result<bool, Fault> {
        let Some(of) = r4().resource_type(resource_type) else { return Ok(false) };
        self.session.is_shown_to(is, (of, id), None)
    }

    /// Who signs what is written: a person who is a practitioner of the house, and no app or agent for
    /// them.
    pub fn signer(&self) -> Option<Signer> {
        self.session.signer()
    }

    /// Whether an agent writes, for whomever.
    pub fn is_agent(&self) -> bool {
        self.session.is_agent()
    }

    /// Whether the house itself writes: whoever is on the machine, or another system of the site that
    /// brings records with their ids.
    pub fn is_house(&self) -> bool {
        self.session.names_ids()
    }

    /// Whether the same unit of work writes this record too.
    pub fn is_written(&self, resource_type: &str, id: &str) -> bool {
        let of = r4().resource_type(resource_type);
        of.is_some_and(|of| self.writes.contains(&(of, id.to_owned())))
    }

    /// Whether the caller may do something to records of a type at all.
    pub fn may(&self, action: Action, resource_type: &str) -> bool {
        let Some(of) = r4().resource_type(resource_type) else { return false };
        self.session.scope_of(action, of).is_ok()
    }

    /// Whether something stands in the way at this moment: asked when what follows depends on it. The
    /// forbid still has to be part of the ruling to hold at the commit.
    ///
    /// # Errors
    /// When the search is not understood, or finds too many.
    pub fn is_met(&self, forbid: &Forbid) -> Result<bool, Fault> {
        let within = |hit: &Hit| {
            !(hit.id == self.id && r4().name(hit.resource_type) == self.resource_type)
                && r4().name(hit.resource_type) == forbid.resource_type
        };
        for hit in self.fresh.iter().filter(|hit| within(hit)) {
            if (forbid.against)(hit)? {
                return Ok(true);
            }
        }
        // What nobody takes, nobody takes in anybody's eyes; by whom it is taken only the house may see.
        match (self.ledger_says(forbid)?, forbid.eyes) {
            (Some(false), _) => return Ok(false),
            (Some(true), Eyes::House) => return Ok(true),
            (Some(true), Eyes::Caller) | (None, _) => {}
        }
        match forbid.eyes {
            Eyes::House => self.session.any_against(self.reader, forbid, self.writes),
            Eyes::Caller => {
                let scope = self.session.scope(Action::Search).unwrap_or_else(|_| Scope::nothing());
                let reader = self.session.gate.store.reader(&scope)?;
                self.session.any_against(&reader, forbid, self.writes)
            }
        }
    }

    fn ledger_says(&self, forbid: &Forbid) -> Result<Option<bool>, Fault> {
        let of = r4().resource_type(forbid.resource_type);
        let (Some(of), Some(over)) = (of, &forbid.over) else { return Ok(None) };
        let wanted = Wanted { of, whose: &over.whose, start: over.start, end: over.end };
        self.session.gate.takes(&wanted, self.writes, self.now())
    }
}
