//! The attack list, by number (docs/compliance/attacks.md): each test is an attack that was once made on
//! some server of this kind, and the name says what became of it here.

mod absent;
mod bytes;
mod hidden;
mod insiders;
mod queries;
pub(crate) mod world;
mod writes;
