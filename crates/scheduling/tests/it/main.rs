//! The contract of scheduling: what holds whatever is booked, held, moved, offered or laid out.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "a test that cannot go on fails")]

#[cfg(test)]
mod arrive;
#[cfg(test)]
mod book;
mod bulk;
mod common;
#[cfg(test)]
mod demo_clinic;
#[cfg(test)]
mod desk;
mod diary;
mod fhir_form;
mod find;
#[cfg(test)]
mod ledger;
#[cfg(test)]
mod occupancy;
#[cfg(test)]
mod offers;
#[cfg(test)]
mod offers_sound;
#[cfg(test)]
mod remind;
mod roster;
mod rules;
mod series;
#[cfg(test)]
mod support;
mod waitlist;
