//! The store: versions, bodies, search index, history and change feed. It is handed a [`Scope`] with
//! every read and never knows who asks.
//!
//! One engine stands today, `sqlite/`; another stands beside it with equal file names when it comes.
//! docs/internals/store.md lists every table key by key.

pub mod body;
pub mod compress;
pub mod item;
pub mod pack;
pub mod page;
pub mod payload;
pub mod people;
pub mod relabel;
pub mod scope;
pub mod unit;

mod sqlite;

pub use body::Prepared;
pub use item::{Item, ItemAct, ItemChange};
pub use page::{
    Change, Explain, Followed, HistoryPage, HistoryQuery, Hit, Page, PageRequest, Position,
};
pub use payload::{Cipher, Payloads};
pub use people::{Alike, People, PeopleAsk, Person};
pub use relabel::{Begin, LabelState, Labelling, Relabelled, Tagged, VersionLabels};
pub use scope::{Clause, Denial, Extent, Matching, Ones, Rights, Scope, Scoped, Way, Wishes};
pub use sqlite::{
    CommitHook, Form, HeldEvents, KnownFacts, Options, Reader, Snapshot, Stats, Store, Sync,
    encrypt, form, restore,
};
pub use unit::{Done, Expectation, Guard, Judge, Method, Op, OpResult, Receipt, Unit, Watch};
pub use vfs::give_back_memory;
