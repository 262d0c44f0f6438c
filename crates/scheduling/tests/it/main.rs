//! The department through the gate.

#[cfg(test)]
mod demo_clinic;
#[cfg(test)]
mod desk;
#[cfg(test)]
mod occupancy;
#[cfg(test)]
mod support;
