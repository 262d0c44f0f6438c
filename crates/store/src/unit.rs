//! Units of work: what a caller asks the writer to do, all or nothing.

use crate::body::Prepared;
use crate::item::ItemChange;
use crate::page::Hit;
use crate::relabel::Labelling;
use crate::scope::{Rights, Scope};
use base::{Fault, Millis};
use fhir::definitions::TypeId;
use search::query::Search;
use std::sync::Arc;

/// How a version came about (<https://hl7.org/fhir/R4/http.html#history>).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Method {
    /// `POST`
    Create,
    /// `PUT`
    Update,
    /// `DELETE`
    Delete,
}

/// One change.
#[derive(Debug)]
pub enum Op {
    /// Store a new record under an id that must not be in use.
    Create(Box<Prepared>),
    /// Store a version of a record.
    Update {
        /// The new content, its id set.
        content: Box<Prepared>,
        /// The version it must replace.
        if_match: Option<u64>,
        /// It may come into being by this.
        may_create: bool,
        /// Leave the record as it is when the content is the same (import).
        skip_same: bool,
    },
    /// Delete a record. Deleting what is not there or deleted already changes nothing.
    Delete {
        /// Its type.
        resource_type: TypeId,
        /// Its logical id.
        id: String,
        /// The version it must have.
        if_match: Option<u64>,
    },
}

/// What a condition found when the unit was prepared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Expectation {
    /// No record.
    None,
    /// Exactly this one, by logical id.
    One(String),
    /// Exactly these, by logical id, in any order.
    These(Vec<String>),
}

/// A condition the writer holds to: when the searched type changed since `as_of`, the search is run
/// again inside the transaction, and a different answer refuses the unit with
/// `record.write.precondition-failed` for the caller to try again.
#[derive(Debug)]
pub struct Guard {
    /// The search.
    pub search: Search,
    /// What it found.
    pub expected: Expectation,
    /// The commit it was run at.
    pub as_of: u64,
    /// What existed for whoever asked: a record outside it must not decide anything.
    pub scope: Scope,
}

/// Whether a record, as it is now, stands in the way of a unit.
pub type Judge = Arc<dyn Fn(&Hit) -> Result<bool, Fault> + Send + Sync>;

/// What must not have come about since a unit was prepared: a condition that the index cannot state,
/// such as that two times overlap. Whoever prepares the unit looks at everything there is; the writer
/// looks at what was written since, which is little, and so the condition holds at the commit. A unit
/// that finds something in its way is refused with `record.write.precondition-failed`.
#[derive(Clone)]
pub struct Watch {
    /// What is judged: records of this type, as they are now, that were written since.
    pub resource_type: TypeId,
    /// The commit of the snapshot on which everything before was looked at.
    pub as_of: u64,
    /// What exists for it: a record outside it must not decide anything.
    pub scope: Scope,
    /// Judges each.
    pub against: Judge,
}

impl std::fmt::Debug for Watch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Watch({:?} since {})", self.resource_type, self.as_of)
    }
}

/// Called once, on the writer's thread, after the sync or the refusal. Must not block.
pub type Done = Box<dyn FnOnce(Result<Receipt, Fault>) + Send>;

/// Makes the encoded audit events of a unit from what it did. They are stored in the unit's own
/// transaction and handed to the audit log after the sync.
pub type Events = Box<dyn FnOnce(&Receipt) -> Vec<Vec<u8>> + Send>;

/// Changes that happen together or not at all.
#[derive(Default)]
pub struct Unit {
    /// In the order they happen.
    pub ops: Vec<Op>,
    /// What must still hold.
    pub guards: Vec<Guard>,
    /// What must not have come about.
    pub watches: Vec<Watch>,
    /// Changes of items, made with the ops. One whose item has another version refuses the unit with
    /// `identity.item.conflict`.
    pub items: Vec<ItemChange>,
    /// A change of labels that follow the rules, made after the ops. Refused with
    /// `record.write.precondition-failed` when it was made for another state.
    pub labelling: Option<Labelling>,
    /// Its audit events.
    pub events: Option<Events>,
    /// What its caller may do; everything when not given.
    pub rights: Option<Arc<Rights>>,
}

impl std::fmt::Debug for Unit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (ops, guards, items) = (self.ops.len(), self.guards.len(), self.items.len());
        write!(f, "Unit({ops} ops, {guards} guards, {items} items)")
    }
}

impl Unit {
    /// What it costs the writer, in changes.
    pub(crate) const fn weight(&self) -> usize {
        let labels = match &self.labelling {
            Some(Labelling::Batch(batch)) => batch.rows.len(),
            _ => 0,
        };
        self.ops.len() + self.items.len() + labels
    }
}

/// What one op did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpResult {
    /// The record's type.
    pub resource_type: TypeId,
    /// Its logical id.
    pub id: String,
    /// Its version now (1, 2, …); 0 when a delete found nothing.
    pub version: u64,
    /// How the version came about.
    pub method: Method,
    /// A new version was written.
    pub changed: bool,
    /// An update brought a record into being (or back from deletion).
    pub created: bool,
}

/// What a unit did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// One for each op, in order.
    pub results: Vec<OpResult>,
    /// The sequence number of the last version written; the commit others may wait for.
    pub commit: u64,
    /// `meta.lastUpdated` of every version written.
    pub last_updated: Millis,
}
