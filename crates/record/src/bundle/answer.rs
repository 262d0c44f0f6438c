//! What a bundle is answered with, entry by entry (<https://hl7.org/fhir/R4/http.html#trules>). The
//! door writes it down as a Bundle of type `batch-response` or `transaction-response`.

use crate::find::{Found, SearchHow};
use base::{Fault, Issue, Millis};
use fhir::definitions::TypeId;
use store::{HistoryPage, Hit};

/// How a bundle is to be carried out and answered.
#[derive(Debug, Clone, Default)]
pub struct BundleOptions {
    /// `Prefer: return=representation`: the resources as they are after the write.
    pub representation: bool,
    /// `Prefer: return=OperationOutcome`: what validation remarked.
    pub outcome: bool,
    /// How searches among the entries are read.
    pub how: SearchHow,
}

/// The answers, one for each entry, in the order of the entries.
#[derive(Debug)]
pub struct BundleAnswer {
    /// A transaction; else a batch.
    pub transaction: bool,
    /// The answers.
    pub entries: Vec<Answer>,
}

/// The answer to one entry.
#[derive(Debug)]
pub struct Answer {
    /// The HTTP status it would have had by itself.
    pub status: u16,
    /// The version it wrote or read: `location` and `etag`.
    pub place: Option<Place>,
    /// `lastModified`
    pub last_modified: Option<Millis>,
    /// `outcome`: why it was refused, or what was remarked.
    pub issues: Vec<Issue>,
    /// `resource`
    pub content: Content,
}

/// A version of a record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its type.
    pub resource_type: TypeId,
    /// Its logical id.
    pub id: String,
    /// Its version.
    pub version: u64,
}

/// What an entry is answered with.
#[derive(Debug, Default)]
pub enum Content {
    /// Nothing.
    #[default]
    None,
    /// A resource.
    Resource(Box<Hit>),
    /// A search, to be written as a searchset.
    Found(Box<Found>),
    /// A history, to be written as such.
    History(Box<HistoryPage>),
}

impl Answer {
    /// An answer of a status alone.
    pub(crate) const fn of_status(status: u16) -> Self {
        Self {
            status,
            place: None,
            last_modified: None,
            issues: Vec::new(),
            content: Content::None,
        }
    }

    /// A refusal.
    pub(crate) fn of_fault(fault: Fault) -> Self {
        let status = fault.status();
        Self { issues: fault.issues, ..Self::of_status(status) }
    }

    /// A version, with or without its content.
    pub(crate) fn of_hit(status: u16, hit: Hit, with_content: bool) -> Self {
        Self {
            place: Some(Place {
                resource_type: hit.resource_type,
                id: hit.id.clone(),
                version: hit.version,
            }),
            last_modified: Some(hit.last_updated),
            content: match with_content {
                true => Content::Resource(Box::new(hit)),
                false => Content::None,
            },
            ..Self::of_status(status)
        }
    }
}
