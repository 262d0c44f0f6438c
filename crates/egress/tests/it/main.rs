//! The contract of the way out: what it reaches, what it refuses, and what it gives away to whom.

#[cfg(test)]
mod answers;
#[cfg(test)]
mod place;
#[cfg(test)]
mod reach;
#[cfg(test)]
mod trust;
