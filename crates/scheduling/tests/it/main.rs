//! The department through the gate.

mod demo_clinic;
mod desk;
mod occupancy;
mod support;
