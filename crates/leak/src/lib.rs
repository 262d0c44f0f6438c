//! The leak bench: asks a FHIR server the same questions in two worlds that differ only in what the
//! one who asks may not see, and holds every answer of the one to the other, byte by byte
//! (noninterference; 45 CFR 164.312(a)(1), 164.502(b), 42 CFR 2.13). It speaks FHIR R4 and OAuth over
//! HTTP and knows nothing of ours, so that it can judge any server. docs/internals/leak.md tells the
//! method, the families and what it cannot see.

pub mod asker;
pub mod body;
pub mod canon;
pub mod catalog;
pub mod diff;
pub mod flat;
pub mod mask;
pub mod persona;
pub mod report;
pub mod run;
pub mod template;
pub mod timing;
pub mod token;
pub mod wire;
pub mod world;

pub use asker::{Browser, Effort, Tokens};
pub use catalog::{FAMILIES, Family};
pub use persona::{PERSONAS, Persona};
pub use report::Report;
pub use run::{Options, People, Targets, run};
