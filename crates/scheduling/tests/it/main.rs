//! The contract of scheduling: what holds whatever is booked, held, moved, offered or laid out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

mod bulk;
mod common;
mod diary;
mod fhir_form;
mod find;
mod roster;
mod rules;
mod series;
mod waitlist;
#[cfg(test)]
mod demo_clinic;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod occupancy;
#[cfg(test)]
mod support;
