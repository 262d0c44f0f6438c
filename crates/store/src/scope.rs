//! What a caller may see. A scope is decided elsewhere (crates `access` and `record`); the store
//! only enforces it, everywhere: a record outside the scope does not exist for base rows, chains,
//! `_has`, includes, sort keys, counts and history (45 CFR 164.312(a)(1); 164.502(b)).
//!
//! A scope is any of its [`Clause`]s; a clause is all of its demands on a record. Beside them stand
//! two things that hold for one patient at a time: what the patient released ([`Scope::released`]),
//! and what the patient denied ([`Scope::denied`]).

use fhir::definitions::TypeId;
use parking_lot::Mutex;
use search::condition::Condition;
use std::any::Any;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::sync::Arc;

/// Which values of a fact that a record may lack.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ones {
    /// These.
    pub values: BTreeSet<Arc<str>>,
    /// All but these, instead of these.
    pub others: bool,
    /// Also a record without the fact.
    pub absent: bool,
}

/// What a record's own index entries must say: all conditions of one of these lists. An empty list of
/// lists is met by nothing.
///
/// A record that was deleted has no entries, so its deletion does not exist for whoever is held to
/// conditions; a past version is judged by the entries it had.
pub type Matching = Vec<Vec<Condition>>;

/// Demands on a record, all of which must hold.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Clause {
    /// Of one of these types; of any when not given.
    pub types: Option<BTreeSet<TypeId>>,
    /// Of each of these sets of Patient ids, the record is in the compartment of at least one.
    pub about: Vec<Arc<BTreeSet<Arc<str>>>>,
    /// In the compartment of none of these patients.
    pub not_about: BTreeSet<Arc<str>>,
    /// In somebody's compartment, or in nobody's.
    pub somebody: Option<bool>,
    /// Label bits the record must all carry.
    pub carried: u64,
    /// Label bits of which it may carry none.
    pub withheld: u64,
    /// Which sites' records.
    pub sites: Option<Ones>,
    /// Which authors' records.
    pub authors: Option<Ones>,
    /// What the record's entries must say, each of them.
    pub matching: Vec<Arc<Matching>>,
}

/// One of the ways into which a scope is narrowed by [`Scope::within`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Only in the compartment of the patient with this logical id.
    pub patient: Option<String>,
    /// Only records of these types.
    pub types: BTreeSet<TypeId>,
    /// Only records whose entries say this.
    pub matching: Option<Arc<Matching>>,
}

impl Clause {
    fn is_any(&self) -> bool {
        *self == Self::default()
    }
}

/// What one patient said nobody in this scope shall see.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Denial {
    /// Of these types; of any when not given.
    pub types: Option<BTreeSet<TypeId>>,
    /// Only records that carry one of these label bits; any record when 0.
    pub labels: u64,
    /// Only these records (type and logical id); any when empty.
    pub records: BTreeSet<(TypeId, String)>,
}

/// What patients said about their records, for one actor and purpose.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Wishes {
    /// Labels under which a patient's records may be shown, by Patient id.
    pub granted: BTreeMap<String, u64>,
    /// What a patient denied, by Patient id.
    pub denied: BTreeMap<String, Vec<Denial>>,
}

#[derive(Default)]
struct Inner {
    /// Nothing is narrowed by clauses when not given.
    clauses: Option<Vec<Clause>>,
    /// The labels that a patient may release, and the clauses that hold for what is released.
    released: Option<(u64, Vec<Clause>)>,
    wishes: Option<Arc<Wishes>>,
    /// What an engine made of it. Names keep their numbers, so it holds as long as the scope.
    compiled: Mutex<Option<Arc<dyn Any + Send + Sync>>>,
}

/// How much of one patient's records of a type a scope can reach.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Extent {
    /// All there are.
    Whole,
    /// Those that the rules do not keep back, if there are any they do. The bits are the labels that
    /// nothing in the scope lets through.
    Part(u64),
    /// None, whatever there are.
    Nothing,
}

/// A filter on records. Cheap to copy; [`Scope::everything`] narrows nothing.
#[derive(Clone, Default)]
pub struct Scope(Arc<Inner>);

impl fmt::Debug for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0.clauses {
            None if self.is_everything() => f.write_str("Scope(everything)"),
            clauses => {
                write!(f, "Scope({} clauses)", clauses.as_ref().map_or(1, Vec::len))
            }
        }
    }
}

impl PartialEq for Scope {
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
            || (self.0.clauses == other.0.clauses
                && self.0.released == other.0.released
                && self.0.wishes == other.0.wishes)
    }
}

impl Eq for Scope {}

impl Scope {
    /// All records.
    pub fn everything() -> Self {
        Self::default()
    }

    /// No record.
    pub fn nothing() -> Self {
        Self::any_of(Vec::new())
    }

    /// Records that meet one of these clauses.
    pub fn any_of(clauses: Vec<Clause>) -> Self {
        if clauses.iter().any(Clause::is_any) {
            return Self::everything();
        }
        Self(Arc::new(Inner { clauses: Some(clauses), ..Inner::default() }))
    }

    /// Records whose patients have all released the labels of `releasable` that they carry meet one
    /// of these clauses instead.
    #[must_use]
    pub fn released(self, releasable: u64, clauses: Vec<Clause>) -> Self {
        let clauses = Some((releasable, clauses));
        self.changed(|inner| inner.released = clauses)
    }

    /// With what patients said: what is released, and what is denied whatever the clauses say.
    #[must_use]
    pub fn heeding(self, wishes: Arc<Wishes>) -> Self {
        if wishes.granted.is_empty() && wishes.denied.is_empty() {
            return self;
        }
        self.changed(|inner| inner.wishes = Some(wishes))
    }

    /// Only records of these types.
    #[must_use]
    pub fn of_types(self, types: impl IntoIterator<Item = TypeId>) -> Self {
        let given: BTreeSet<TypeId> = types.into_iter().collect();
        self.narrowed(|clause| {
            clause.types = Some(match clause.types.take() {
                Some(present) => present.intersection(&given).copied().collect(),
                None => given.clone(),
            });
        })
        .changed(|inner| {
            // What is left with no type reaches nothing, and says nothing of what the rest reaches.
            let possible =
                |clause: &Clause| clause.types.as_ref().is_none_or(|all| !all.is_empty());
            if let Some(clauses) = &mut inner.clauses {
                clauses.retain(possible);
            }
            if let Some((_, clauses)) = &mut inner.released {
                clauses.retain(possible);
            }
        })
    }

    /// Only records in the compartment of the patient with this logical id, the patient included.
    #[must_use]
    pub fn of_patient(self, id: impl Into<String>) -> Self {
        let set = Arc::new(BTreeSet::from([Arc::<str>::from(id.into())]));
        // What is in nobody's compartment is not in this one's.
        let possible = |clause: &Clause| clause.somebody != Some(false);
        self.narrowed(|clause| clause.about.push(Arc::clone(&set))).changed(|inner| {
            if let Some(clauses) = &mut inner.clauses {
                clauses.retain(possible);
            }
            if let Some((_, clauses)) = &mut inner.released {
                clauses.retain(possible);
            }
        })
    }

    /// Nothing can be seen.
    pub fn is_nothing(&self) -> bool {
        let none = |clauses: &Vec<Clause>| clauses.is_empty();
        self.0.clauses.as_ref().is_some_and(none)
            && self.0.released.as_ref().is_none_or(|(_, clauses)| none(clauses))
    }

    /// What a patient denied does not count, as in an emergency.
    #[must_use]
    pub fn forgiving(self, patient: &str) -> Self {
        let held = self.0.wishes.as_ref().filter(|wishes| wishes.denied.contains_key(patient));
        let Some(mut wishes) = held.map(|wishes| Wishes::clone(wishes)) else { return self };
        wishes.denied.remove(patient);
        self.changed(|inner| inner.wishes = Some(Arc::new(wishes)))
    }

    /// What either reaches. What patients said keeps its force over what this one reaches, and
    /// `other` is taken as it is.
    #[must_use]
    pub fn or(self, other: &Self) -> Self {
        let more = other.clauses();
        self.changed(|inner| {
            if let Some(clauses) = &mut inner.clauses {
                clauses.extend(more);
            }
        })
    }

    /// Only what one of these ways reaches.
    #[must_use]
    pub fn within(self, ways: &[Way]) -> Self {
        let each = |clauses: &[Clause]| -> Vec<Clause> {
            let narrowed = clauses.iter().flat_map(|clause| {
                ways.iter().map(|way| {
                    let mut clause = clause.clone();
                    clause.types = Some(match clause.types.take() {
                        Some(present) => present.intersection(&way.types).copied().collect(),
                        None => way.types.clone(),
                    });
                    if let Some(id) = &way.patient {
                        let set = BTreeSet::from([Arc::<str>::from(id.as_str())]);
                        clause.about.push(Arc::new(set));
                    }
                    clause.matching.extend(way.matching.clone());
                    clause
                })
            });
            narrowed.filter(|c| c.types.as_ref().is_none_or(|t| !t.is_empty())).collect()
        };
        let clauses = each(&self.clauses());
        self.changed(|inner| {
            inner.clauses = Some(clauses);
            if let Some((_, released)) = &mut inner.released {
                *released = each(released);
            }
        })
    }

    /// Only records that carry none of these label bits.
    #[must_use]
    pub fn without_labels(self, labels: u64) -> Self {
        if labels == 0 {
            return self;
        }
        self.narrowed(|clause| clause.withheld |= labels)
    }

    /// Nothing is narrowed.
    pub fn is_everything(&self) -> bool {
        self.0.clauses.is_none() && self.0.wishes.is_none()
    }

    /// Whether a record of a type could be seen at all.
    pub fn sees_type(&self, id: TypeId) -> bool {
        let has = |clauses: &[Clause]| {
            clauses.iter().any(|c| c.types.as_ref().is_none_or(|types| types.contains(&id)))
        };
        self.0.clauses.as_ref().is_none_or(|clauses| has(clauses))
            || self.0.released.as_ref().is_some_and(|(_, clauses)| has(clauses))
    }

    /// Whether every record of a type is seen, but for what its labels or patients keep back.
    pub fn sees_all_of(&self, id: TypeId) -> bool {
        let free = |clause: &Clause| {
            clause.types.as_ref().is_none_or(|types| types.contains(&id))
                && *clause
                    == Clause {
                        types: clause.types.clone(),
                        withheld: clause.withheld,
                        ..Clause::default()
                    }
        };
        self.0.clauses.as_ref().is_none_or(|clauses| clauses.iter().any(free))
    }

    /// How much of one patient's records of a type this scope can reach, told from the scope alone: no
    /// record and no wish of the patient is looked at, so the answer is the same whatever the chart holds.
    pub fn extent(&self, of: TypeId, patient: &str) -> Extent {
        let Some(clauses) = &self.0.clauses else {
            return if self.0.wishes.is_none() { Extent::Whole } else { Extent::Part(0) };
        };
        let bears = |clause: &&Clause| {
            clause.types.as_ref().is_none_or(|types| types.contains(&of))
                && clause.somebody != Some(false)
                && clause.about.iter().all(|set| set.contains(patient))
        };
        let mut bearing = clauses.iter().filter(bears).peekable();
        if bearing.peek().is_none() {
            let released = self.0.released.as_ref();
            let some = released.is_some_and(|(_, clauses)| clauses.iter().any(|c| bears(&c)));
            return if some { Extent::Part(0) } else { Extent::Nothing };
        }
        let mut withheld = u64::MAX;
        for clause in bearing {
            let free = Clause {
                types: clause.types.clone(),
                about: clause.about.clone(),
                somebody: clause.somebody,
                ..Clause::default()
            };
            if *clause == free && self.0.wishes.is_none() {
                return Extent::Whole;
            }
            withheld &= clause.withheld;
        }
        Extent::Part(withheld)
    }

    /// The patients to one of whom every record that is seen belongs; `None` when there may be others.
    pub fn patients(&self) -> Option<BTreeSet<Arc<str>>> {
        let mut all = BTreeSet::new();
        for clause in self.0.clauses.as_ref()? {
            let set = clause.about.iter().min_by_key(|set| set.len())?;
            all.extend(set.iter().cloned());
        }
        Some(all)
    }

    /// The labels that a patient may release, when it makes a difference to this scope.
    pub fn releasable(&self) -> Option<u64> {
        self.0.released.as_ref().map(|(labels, _)| *labels)
    }

    /// The clauses; one that demands nothing stands for everything.
    pub(crate) fn clauses(&self) -> Vec<Clause> {
        self.0.clauses.clone().unwrap_or_else(|| vec![Clause::default()])
    }

    pub(crate) fn release(&self) -> Option<(u64, &[Clause])> {
        self.0.released.as_ref().map(|(labels, clauses)| (*labels, clauses.as_slice()))
    }

    pub(crate) fn wishes(&self) -> Option<&Wishes> {
        self.0.wishes.as_deref()
    }

    /// What an engine made of it, if it is that engine's.
    pub(crate) fn compiled<T: Any + Send + Sync>(&self) -> Option<Arc<T>> {
        self.0.compiled.lock().clone()?.downcast().ok()
    }

    pub(crate) fn keep<T: Any + Send + Sync>(&self, compiled: Arc<T>) {
        *self.0.compiled.lock() = Some(compiled);
    }

    fn narrowed(self, narrow: impl Fn(&mut Clause)) -> Self {
        self.changed(|inner| {
            inner
                .clauses
                .get_or_insert_with(|| vec![Clause::default()])
                .iter_mut()
                .for_each(&narrow);
            if let Some((_, clauses)) = &mut inner.released {
                clauses.iter_mut().for_each(&narrow);
            }
        })
    }

    fn changed(self, change: impl FnOnce(&mut Inner)) -> Self {
        let mut inner = Inner {
            clauses: self.0.clauses.clone(),
            released: self.0.released.clone(),
            wishes: self.0.wishes.clone(),
            compiled: Mutex::default(),
        };
        change(&mut inner);
        Self(Arc::new(inner))
    }
}

/// What a caller may do to records, beside seeing them. The writer holds each change to it, inside
/// the transaction that makes it, so that no race lets one through.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rights {
    /// What exists for the caller.
    pub see: Scope,
    /// What may come into being.
    pub create: Scope,
    /// What may be changed, before and after the change.
    pub update: Scope,
    /// What may be deleted.
    pub delete: Scope,
    /// Whether the caller may name the id of what comes into being. Whoever may can find out that an
    /// id is taken by a record that is hidden from it.
    pub names_ids: bool,
}

impl Rights {
    /// Everything.
    pub fn everything() -> Self {
        Self { names_ids: true, ..Self::default() }
    }
}

/// Something that reads records, bound to a scope. The only way to reach a table of records from
/// outside the engine is through one of these, so no read path exists that forgets the caller.
///
/// Items ([`crate::Item`]) are no records and are read without a scope: they have no type, patient or
/// label to be seen by, and no search, chain or history reaches their table.
#[derive(Debug)]
pub struct Scoped<'s, T> {
    pub(crate) inner: T,
    pub(crate) scope: &'s Scope,
}

impl<'s, T> Scoped<'s, T> {
    /// Binds.
    pub(crate) const fn new(inner: T, scope: &'s Scope) -> Self {
        Self { inner, scope }
    }

    /// The scope it is bound to.
    pub const fn scope(&self) -> &'s Scope {
        self.scope
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use fhir::definitions::r4;

    #[test]
    fn an_extent_is_told_from_the_scope_and_not_from_what_patients_said() {
        let of = |name: &str| r4().resource_type(name).unwrap();
        let (condition, flag) = (of("Condition"), of("Flag"));
        let about = Arc::new(BTreeSet::from([Arc::<str>::from("ada")]));
        let clause = Clause {
            types: Some(BTreeSet::from([condition])),
            about: vec![about],
            ..Clause::default()
        };
        assert_eq!(Scope::everything().extent(condition, "ada"), Extent::Whole);
        assert_eq!(Scope::nothing().extent(condition, "ada"), Extent::Nothing);
        let free = Scope::any_of(vec![clause.clone()]);
        assert_eq!(free.extent(condition, "ada"), Extent::Whole);
        assert_eq!(free.extent(flag, "ada"), Extent::Nothing);
        assert_eq!(free.extent(condition, "ben"), Extent::Nothing);
        let labelled = |bits| Clause { withheld: bits, ..clause.clone() };
        let two = Scope::any_of(vec![labelled(0b110), labelled(0b011)]);
        assert_eq!(
            two.extent(condition, "ada"),
            Extent::Part(0b010),
            "what no clause lets through"
        );
        // Ben denied something: of Ada the same is told as of Ben, for whom it would be true.
        let denied = BTreeMap::from([("ben".to_owned(), Vec::new())]);
        let wishes = Arc::new(Wishes { granted: BTreeMap::new(), denied });
        assert_eq!(free.heeding(Arc::clone(&wishes)).extent(condition, "ada"), Extent::Part(0));
        assert_eq!(Scope::everything().heeding(wishes).extent(flag, "ada"), Extent::Part(0));
    }
}
