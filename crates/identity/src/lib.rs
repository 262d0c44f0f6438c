//! Who may sign in, and how: principals, passwords, passkeys and other second factors, sessions, script
//! tokens, and the claim of the first start.
//!
//! 45 CFR 164.312(a)(2)(i) (unique user identification), (a)(2)(iii) (automatic log-off), 164.312(d)
//! (authentication), 164.308(a)(5)(ii)(C) (log-in monitoring), NIST SP 800-63B. What a principal may
//! *do* is not said here: roles, sites and care teams are names that it carries.
//!
//! It knows neither HTTP nor SQL nor FHIR, starts no thread and opens no file. What it keeps stands
//! on a [`Shelf`]; `docs/internals/identity.md` gives the format of every item, and what all this
//! does not protect against.
//!
//! Two rules it exists for: *what a person types is kept as argon2id and what is drawn as SHA-256,
//! so nobody who reads the store can sign in*; and *no answer tells whether a name is anybody's*.

mod backoff;
mod body;
pub mod breach;
mod cbor;
mod ceremony;
mod claim;
mod code;
pub mod contract;
pub mod deed;
pub mod demand;
mod directory;
pub mod factor;
pub mod identity;
pub mod issuer;
mod kdf;
pub mod packed;
pub mod packing;
pub mod passkey;
mod passkeys;
mod password;
pub mod principal;
mod refusal;
pub mod secret;
pub mod session;
mod sessions;
pub mod settings;
pub mod shelf;
pub mod sign_in;
mod token;
mod totp;
pub mod vouched;
mod weak;
mod webauthn;

pub use breach::{Breached, SortedHashes};
pub use deed::{Asker, By, Deed, DeedKind};
pub use demand::{Demand, Of, Standing};
pub use factor::{Enrolment, FactorKind, Proof};
pub use identity::{Ground, Identity};
pub use issuer::IssuerName;
pub use kdf::Cost;
pub use packed::{Packed, ReadAt};
pub use passkey::{Asked as PasskeyAsked, Party, PasskeyId, PasskeyInfo};
pub use password::PasswordState;
pub use principal::{Disabled, Kind, Principal, PrincipalId, Profile, SignInName};
pub use refusal::Refusal;
pub use secret::{CryptoRandom, Key, Secret};
pub use session::{Assurance, Caller, Opened, Session, SessionId, SessionKind, Watch};
pub use settings::Settings;
pub use shelf::{Act, Change, Item, Memory, Shelf, ShelfName};
pub use sign_in::{Awaited, Step};
pub use token::Token;
pub use vouched::{Vouched, Welcome, Why};
