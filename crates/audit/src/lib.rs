//! The access log: who touched whose record, when, and with what outcome.
//!
//! Append-only, hash-chained, in its own directory of segment files, independent of the database:
//! 45 CFR 164.312(b) (audit controls), 164.312(c) (integrity), 170.315(d)(2), (3) and (10), ASTM
//! E2147. It owns the event and its encoding ([`event`]), the file format ([`segment`]), appending
//! ([`log`]), waiting ([`ticket`]), start-up repair (`recover`), tamper detection ([`verify()`]) and
//! reading back ([`read()`]). `docs/internals/audit.md` gives the format byte by byte.
//!
//! It never holds clinical content: ids, counts and a digest of the query, nothing else. It knows
//! neither FHIR nor HTTP nor SQL.
//!
//! The rule it exists for: *no audit, no access*. Bytes leave the server only after
//! [`Ticket::written`]; a change is audited by an event kept in the change's own transaction and
//! handed over with [`Log::append_commit`] after it.

pub mod chain;
pub mod checkpoint;
mod codec;
pub mod copy;
pub mod event;
pub mod files;
pub mod finder;
pub mod forward;
mod index;
mod json;
pub mod log;
pub mod notary;
pub mod note;
pub mod proof;
pub mod read;
pub mod receipt;
mod recover;
pub mod report;
mod sealing;
mod seals;
pub mod segment;
pub mod syslog;
pub mod ticket;
mod tiles;
pub mod tree;
pub mod verify;
mod wire;
pub mod witness;
mod writer;

pub use chain::{CommitMark, Hash, Head};
pub use checkpoint::Checkpoint;
pub use codec::{EVENT_BYTES_MAX, Malformed, stamp_commit};
pub use event::{Decision, Event, Kind, Source, Target, query_digest};
pub use files::{Disk, Files, SegmentFile};
pub use finder::{Finder, Page, Wanted};
pub use log::{Log, Options};
pub use notary::{Notarizing, Notary, Seal};
pub use note::{NoteKey, Signer};
pub use proof::{Proven, check_continued, check_proof, prove, prove_continued};
pub use read::{Entry, Filter, Reader, read};
pub use receipt::Receipt;
pub use sealing::SEAL_EXTRA;
pub use seals::Trust;
pub use ticket::{Ticket, Wait};
pub use tree::Salts;
pub use verify::{Damage, Report, Wrong, verify, verify_signed, verify_under};
