//! `Phi<T>`: a value about a person. It prints as `‹phi›` so that no log line, error text or panic
//! message can carry it (45 CFR 164.312(a), minimum necessary 164.502(b)).

use std::fmt;

/// Wraps a value about a person. `Debug` and `Display` print `‹phi›`; reading it is explicit.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct Phi<T>(T);

impl<T> Phi<T> {
    /// Wraps a value.
    pub const fn new(value: T) -> Self {
        Self(value)
    }

    /// Reads the value. The name is long so that a reviewer sees every place that does.
    pub const fn expose(&self) -> &T {
        &self.0
    }

    /// Takes the value out.
    pub fn into_exposed(self) -> T {
        self.0
    }
}

impl<T> fmt::Debug for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹phi›")
    }
}

impl<T> fmt::Display for Phi<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹phi›")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_nothing_of_its_content() {
        let name = Phi::new("Ada Lovelace".to_owned());
        assert_eq!(format!("{name} {name:?}"), "‹phi› ‹phi›");
        assert_eq!(name.expose(), "Ada Lovelace");
    }
}
