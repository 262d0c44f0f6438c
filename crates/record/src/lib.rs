//! The gate: the only way to a record. A [`Session`] reads, searches and writes for one subject and
//! request; every write is validated before anything else, every access is audited before its answer
//! may leave (45 CFR 164.312(b)), and nobody goes round it. It knows neither HTTP nor SQL: doors put
//! its answers into their own words. docs/internals/record.md walks through it.

mod access_log;
mod accounting;
mod actor;
mod apart;
mod at_once;
mod balp;
mod bundle;
mod care;
mod certify;
mod changeable;
mod chart;
mod colleague;
mod condition;
mod conditional;
mod consents;
mod cursor;
mod department;
mod directory;
mod draft;
mod duplicates;
mod errand;
mod everything;
mod find;
mod follow;
mod gate;
mod glass;
mod grant;
mod history;
mod import;
mod in_force;
mod kiosk;
mod labelling;
mod labels;
mod ledger;
mod link;
mod links;
mod log_rows;
mod mask;
mod matching;
mod members;
mod number;
mod onlookers;
mod operation;
mod outbox;
mod patients;
mod people;
mod pre_check_in;
mod reach;
mod read;
mod recent;
mod relabel;
mod review;
mod rule;
mod rules;
mod ruling;
mod session;
mod shelf;
mod simulate;
mod site;
mod slow;
mod snoop;
mod taken;
mod trail;
mod vault;
mod why;
mod work;
mod worker;
mod write;

pub use access::{Action, Policies, Purpose};
pub use access_log::{LOG_PARAMETERS, LogPage, is_log_id};
pub use accounting::{Access, Accounting, act_in_words, purpose_in_words};
pub use actor::Asked;
pub use apart::{Apart, REASON_CHARS_MAX};
pub use at_once::Look;
pub use audit::{Decision, Event, Kind, Source, Target};
pub use balp::{Shown, Teller, audit_event, event_id};
pub use bundle::{Answer, BundleAnswer, BundleOptions, Content, Place};
pub use certify::{Certified, CertifyDone};
pub use chart::{ChartPart, OpenChart, Reach};
pub use department::Department;
pub use draft::{DRAFT_BYTES_MAX, DRAFTS_MAX, Draft};
pub use duplicates::{Duplicate, Pair, Pairs};
pub use errand::{ERRAND_BYTES_MAX, ERRANDS_MAX, Errand, Telling};
pub use everything::EverythingParams;
pub use find::{Found, SearchHow};
pub use follow::{Followed, Following, Mark};
pub use gate::{Health, Record, Settings, private_folder};
pub use glass::Broken;
pub use identity::Profile;
pub use import::{
    Import, ImportEntry, ImportOptions, ImportOutcome, ImportReport, PreparedDocument, Submitted,
};
pub use in_force::{POLICIES_MISSING, Standing, load_policies};
pub use kiosk::{KIOSK_TRIES_MAX, Kiosk};
pub use labels::labels_of;
pub use link::{Linked, ROUND, is_round};
pub use log_rows::{LogAsked, LogRow, LogRows, LogStanding};
pub use matching::{Features, Grade, Reason, Score, WEIGHTS, compare};
pub use members::{Member, Members};
pub use operation::{
    Again, Agents, Answering, At, Effect, Given, Holds, Input, Need, Operation, Output, Parameter,
};
pub use patients::{Fits, PATIENTS_MAX, PatientIdentifier, PatientRow, PatientsFound, SameName};
pub use pre_check_in::{BIRTH_TRIES_MAX, PRE_CHECK_IN_BYTES_MAX, PreCheckIn, Said};
pub use privacy::labelling::BASIS as LABEL_BASIS;
pub use privacy::{proxy, reach as contact};
pub use reach::TENANT;
pub use relabel::{Keeper, Standing as LabelStanding};
pub use review::{
    Case, CaseFile, CaseFilter, CaseId, CaseKind, CaseState, Done, Outcome, ReviewCounts,
    ReviewSettings, Reviewing, Seen, Step, Swept, Turn,
};
pub use rule::{Also, Among, Asking, Claim, Claims, Eyes, Forbid, Rule, Ruling};
pub use rules::Tag;
pub use search::parse::Level;
pub use session::{Audited, Session, Signer, Subject};
pub use shelf::Sealer;
pub use simulate::{Simulated, Tally};
pub use slow::SlowSearch;
pub use snoop::{Relations, Sighting, Signal, Ties, sightings};
pub use store::{HistoryPage, HistoryQuery, Hit, Judge, Method, Page, Scope, Sync};
pub use taken::Taken;
pub use vault::{
    AtRest, Encryption, Remembered, encrypt, has_keys, keys_under, read_passphrase, remembered,
    restore,
};
pub use why::{Why, WhyAsked, WhyPurpose};
pub use work::{Conditions, Work, Worked, with_member};
pub use worker::{Stop, Worker};
pub use write::{Deleted, Written};
