//! The FHIR REST door (<https://hl7.org/fhir/R4/http.html>): HTTP in, calls of the gate, HTTP out.
//! Headers and addresses are its business; what may be read or changed is decided in `record`.

mod arrival;
mod ask;
mod base64;
mod bundle;
mod capability;
mod certificate;
mod condition;
mod config;
mod desk;
mod door;
mod encoding;
mod health;
mod key_sets;
mod kiosk;
pub mod limit;
mod listen;
mod live;
mod metrics;
mod multipart;
mod negotiate;
mod origin;
mod pace;
mod protect;
mod reply;
mod rest;
pub mod route;
mod service;
mod smart;
mod state;
mod stranger;
mod subset;
mod tls;
mod visit_link;
mod waiver;
mod wall;

pub use certificate::Validity;
pub use config::Config;
pub use desk::{House, HouseFacts};
pub use health::HEALTH;
pub use key_sets::KeySets;
pub use listen::Server;
pub use smart::addresses as auth_addresses;
pub use tls::{Facts, Standing, TlsFiles, inspect};
pub use waiver::Waiver;
