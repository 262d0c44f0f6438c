//! One fact of a record and the values of it that a clause accepts: these, or all but these; and
//! whether a record without the fact is accepted. Closed under and, or, not.

use std::borrow::Borrow;
use std::sync::Arc;

/// A name that a guard holds: a tenant, site, user or patient.
pub type Name = Arc<str>;

/// Names, sorted, each once.
pub type Names = Set<Name>;

/// Values, sorted, each once, cheap to copy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Set<T>(Arc<[T]>);

impl<T: Ord + Clone> Set<T> {
    /// The values of an iterator.
    pub fn of(values: impl IntoIterator<Item = T>) -> Self {
        let mut values: Vec<T> = values.into_iter().collect();
        values.sort_unstable();
        values.dedup();
        Self(values.into())
    }

    /// No value.
    pub fn empty() -> Self {
        Self(Arc::new([]))
    }

    /// The values, in order.
    pub fn values(&self) -> &[T] {
        &self.0
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether `value` is one of them.
    pub fn holds<Q: Ord + ?Sized>(&self, value: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        // Most sets are a tenant, a site or two: equality looks at the length first, so a few of it
        // are cheaper than one comparison by order.
        if self.0.len() <= 4 {
            return self.0.iter().any(|held| held.borrow() == value);
        }
        self.0.binary_search_by(|held| held.borrow().cmp(value)).is_ok()
    }

    fn keep(&self, keep: impl Fn(&T) -> bool) -> Self {
        Self(self.0.iter().filter(|value| keep(value)).cloned().collect())
    }

    /// What both hold.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        self.keep(|value| other.holds(value))
    }

    /// What this holds and `other` does not.
    #[must_use]
    pub fn less(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        self.keep(|value| !other.holds(value))
    }

    /// What either holds.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        if other.is_empty() {
            return self.clone();
        }
        if self.is_empty() {
            return other.clone();
        }
        Self::of(self.0.iter().chain(other.0.iter()).cloned())
    }

    /// Whether `other` holds everything of this.
    pub fn within(&self, other: &Self) -> bool {
        self.0.iter().all(|value| other.holds(value))
    }
}

/// The values of one fact that are accepted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Choice<T> {
    pub(crate) values: Set<T>,
    /// All but the values, instead of the values.
    pub(crate) others: bool,
    /// Whether a record without the fact is accepted. For a fact that every record has it equals
    /// `others`, which the operations keep.
    pub(crate) absent: bool,
}

impl<T: Ord + Clone> Choice<T> {
    /// The values named.
    pub const fn values(&self) -> &Set<T> {
        &self.values
    }

    /// Whether all but the values are accepted, instead of the values.
    pub const fn others(&self) -> bool {
        self.others
    }

    /// Whether a record without the fact is accepted.
    pub const fn absent(&self) -> bool {
        self.absent
    }

    /// Whatever it is, and when it is missing.
    pub fn any() -> Self {
        Self { values: Set::empty(), others: true, absent: true }
    }

    /// One of these values.
    pub fn one_of(values: Set<T>) -> Self {
        Self { values, others: false, absent: false }
    }

    /// Whatever it is, but it must be there.
    pub fn present() -> Self {
        Self { values: Set::empty(), others: true, absent: false }
    }

    /// What this one refuses.
    #[must_use]
    pub fn not(&self) -> Self {
        Self { values: self.values.clone(), others: !self.others, absent: !self.absent }
    }

    /// What both accept.
    #[must_use]
    pub fn and(&self, other: &Self) -> Self {
        let (values, others) = match (self.others, other.others) {
            (false, false) => (self.values.and(&other.values), false),
            (false, true) => (self.values.less(&other.values), false),
            (true, false) => (other.values.less(&self.values), false),
            (true, true) => (self.values.or(&other.values), true),
        };
        Self { values, others, absent: self.absent && other.absent }
    }

    /// What either accepts.
    #[must_use]
    pub fn or(&self, other: &Self) -> Self {
        self.not().and(&other.not()).not()
    }

    /// Whether nothing is refused.
    pub fn is_any(&self) -> bool {
        self.others && self.absent && self.values.is_empty()
    }

    /// Whether nothing is accepted.
    pub fn is_none(&self) -> bool {
        !self.others && !self.absent && self.values.is_empty()
    }

    /// Whether `other` accepts everything that this one does.
    pub fn within(&self, other: &Self) -> bool {
        if self.absent && !other.absent {
            return false;
        }
        match (self.others, other.others) {
            (false, false) => self.values.within(&other.values),
            (false, true) => self.values.and(&other.values).is_empty(),
            // There are always values that no list names.
            (true, false) => false,
            (true, true) => other.values.within(&self.values),
        }
    }

    /// Whether the fact of a record is accepted.
    pub fn accepts<Q: Ord + ?Sized>(&self, fact: Option<&Q>) -> bool
    where
        T: Borrow<Q>,
    {
        match fact {
            None => self.absent,
            Some(value) => self.values.holds(value) != self.others,
        }
    }
}
