//! A scope in the store's numbers: types, patients, sites and authors as integers, so that a record
//! is judged from its row alone, without a lookup and without an allocation.

use super::matching::Asked;
use super::names::{Id, find_uri};
use super::{Shared, unavailable};
use crate::pack::{self, FACT_AUTHOR, FACT_SITE, View};
use crate::scope::{Clause, Denial, Matching, Ones, Scope};
use base::Fault;
use rusqlite::Connection;
use smallvec::SmallVec;
use std::collections::HashMap;
use std::sync::Arc;

/// Which records exist for a reader.
#[derive(Debug)]
pub(super) struct Sight {
    everything: bool,
    known: Arc<Known>,
    asked: Asked,
}

/// What keeps its numbers.
#[derive(Debug, Default)]
struct Known {
    plain: Terms,
    released: Option<(i64, Terms)>,
    /// Labels a patient released.
    granted: HashMap<i64, i64>,
    denied: HashMap<i64, Vec<Refusal>>,
    /// Names that had no number yet.
    missing: Vec<Missing>,
    /// The commit at which some names had no number yet; none when all had one.
    open_at: Option<u64>,
}

/// A name without a number: nothing that is stored has it.
#[derive(Debug)]
enum Missing {
    /// Of a site or an author.
    Text(Arc<str>),
    /// Of a record, by the number of its type.
    Record(u16, Id),
}

impl Missing {
    fn has_come(&self, conn: &Connection, shared: &Shared) -> rusqlite::Result<bool> {
        Ok(match self {
            Self::Text(text) => find_uri(conn, text)?.is_some(),
            Self::Record(kind, id) => shared.find_name(conn, *kind, id)?.is_some(),
        })
    }
}

/// The labels of a record: those that it may have, and those that it surely has. They differ while it
/// waits to be labelled, and whatever hides it then holds for what it may turn out to be.
#[derive(Debug, Clone, Copy)]
pub(super) struct Marks {
    pub(super) may: i64,
    pub(super) must: i64,
}

impl Marks {
    /// Labels that are known.
    pub(super) const fn sure(labels: i64) -> Self {
        Self { may: labels, must: labels }
    }
}

/// Clauses, and which of them speak of a type.
#[derive(Debug, Default)]
struct Terms {
    terms: Vec<Term>,
    by_kind: Vec<SmallVec<[u16; 4]>>,
}

#[derive(Debug)]
struct Term {
    about: Vec<Vec<i64>>,
    not_about: Vec<i64>,
    somebody: Option<bool>,
    carried: i64,
    withheld: i64,
    site: Option<Numbers>,
    author: Option<Numbers>,
    /// Places of what is asked of the entries, all of it.
    matching: SmallVec<[usize; 1]>,
    /// Something beside type and labels is asked.
    looks: bool,
}

#[derive(Debug)]
struct Numbers {
    values: Vec<i64>,
    others: bool,
    absent: bool,
}

#[derive(Debug)]
struct Refusal {
    kinds: Option<Vec<u16>>,
    labels: i64,
    records: Vec<i64>,
}

/// What a row says of a record beside its type and labels.
#[derive(Debug, Default)]
pub(super) struct Facts {
    pub(super) patients: SmallVec<[i64; 4]>,
    pub(super) site: Option<i64>,
    pub(super) author: Option<i64>,
}

impl Facts {
    /// From packed entries.
    pub(super) fn of(packed: &[u8]) -> Self {
        let mut facts = Self::default();
        for view in pack::rows(packed) {
            match view {
                View::Patient { record } => facts.patients.push(record),
                View::Fact { fact: FACT_SITE, value } => facts.site = Some(value),
                View::Fact { fact: FACT_AUTHOR, value } => facts.author = Some(value),
                _ => {}
            }
        }
        facts
    }
}

impl Sight {
    /// The sight of the store's own maintenance.
    pub(super) fn everything() -> Self {
        Self { everything: true, known: Arc::default(), asked: Asked::default() }
    }

    /// The sight of a scope at a snapshot, whose last commit is asked for only when it matters.
    pub(super) fn of(
        conn: &Connection,
        shared: &Shared,
        scope: &Scope,
        snapshot: impl Fn() -> Result<u64, Fault>,
    ) -> Result<Arc<Self>, Fault> {
        // Names keep their numbers; one that had none may have got one since.
        let holds = |made: &Arc<Self>| match made.known.open_at {
            None => Ok(true),
            Some(at) => snapshot().map(|now| at == now),
        };
        let made = match scope.compiled::<Self>() {
            Some(made) if holds(&made)? => match made.renewed(conn, shared)? {
                None => return Ok(made),
                Some(renewed) => Arc::new(renewed),
            },
            _ => Arc::new(Self::compile(conn, shared, scope, snapshot()?)?),
        };
        scope.keep(Arc::clone(&made));
        Ok(made)
    }

    /// The sight of a scope on the writer's own connection. What is looked up there may still be
    /// rolled back, so it is not kept.
    pub(super) fn of_writer(
        conn: &Connection,
        shared: &Shared,
        scope: &Scope,
    ) -> Result<Arc<Self>, Fault> {
        match scope.compiled::<Self>().filter(|made| made.known.open_at.is_none()) {
            Some(made) => {
                let renewed = made.renewed(conn, shared)?;
                Ok(renewed.map_or(made, Arc::new))
            }
            None => Self::compile(conn, shared, scope, 0).map(Arc::new),
        }
    }

    /// Whether a name that had no number has got one: then what was compiled does not know what it
    /// speaks of, and says too little or, where it leaves something out, too much.
    pub(super) fn lags(&self, conn: &Connection, shared: &Shared) -> Result<bool, Fault> {
        for missing in &self.known.missing {
            if missing.has_come(conn, shared).map_err(unavailable)? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// With its conditions looked up again, when numbers were added since.
    pub(super) fn renewed(
        &self,
        conn: &Connection,
        shared: &Shared,
    ) -> Result<Option<Self>, Fault> {
        if self.asked.is_current(conn)? {
            return Ok(None);
        }
        let asked = self.asked.again(conn, shared)?;
        Ok(Some(Self { everything: self.everything, known: Arc::clone(&self.known), asked }))
    }

    fn compile(
        conn: &Connection,
        shared: &Shared,
        scope: &Scope,
        snapshot: u64,
    ) -> Result<Self, Fault> {
        if scope.is_everything() {
            return Ok(Self::everything());
        }
        let mut names = Lookup { conn, shared, missing: Vec::new(), asked: Vec::new() };
        let known = names.known(scope, snapshot).map_err(unavailable)?;
        let asked = Asked::make(conn, shared, names.asked)?;
        Ok(Self { everything: false, known: Arc::new(known), asked })
    }

    /// Nothing is narrowed.
    pub(super) const fn is_everything(&self) -> bool {
        self.everything
    }

    /// Whether records of a type can be seen at all.
    pub(super) fn sees_type(&self, kind: u16) -> bool {
        self.everything
            || self.known.plain.has(kind)
            || self.known.released.as_ref().is_some_and(|(_, terms)| terms.has(kind))
    }

    /// Whether a record can be seen.
    pub(super) fn sees(&self, rid: i64, kind: u16, labels: Marks, packed: &[u8]) -> bool {
        if self.everything {
            return true;
        }
        if self.known.denied.is_empty() && self.known.plain.plainly(kind, labels) {
            return true;
        }
        self.sees_facts(rid, kind, labels, &Facts::of(packed), packed)
    }

    /// As [`Sight::sees`], with the facts taken out already; the entries are looked at where something
    /// is asked of them, see [`Sight::asks_entries`].
    pub(super) fn sees_facts(
        &self,
        rid: i64,
        kind: u16,
        labels: Marks,
        facts: &Facts,
        packed: &[u8],
    ) -> bool {
        if self.everything {
            return true;
        }
        let known = &*self.known;
        let denied = |patient: &i64| {
            known.denied.get(patient).is_some_and(|refusals| {
                refusals.iter().any(|refusal| refusal.applies(rid, kind, labels))
            })
        };
        if !known.denied.is_empty() && facts.patients.iter().any(denied) {
            return false;
        }
        let accept = |terms: &Terms| {
            let mut fitting = terms.of(kind).filter(|term| term.labels(labels));
            fitting.any(|term| {
                term.accepts(facts) && term.matching.iter().all(|at| self.asked.holds(*at, packed))
            })
        };
        if accept(&known.plain) {
            return true;
        }
        let Some((releasable, terms)) = &known.released else { return false };
        let carried = labels.may & releasable;
        let grants = |patient: &i64| known.granted.get(patient).is_some_and(|g| carried & !g == 0);
        // Without a label that is sure, it is not known that consents are asked at all.
        labels.must & releasable != 0
            && !facts.patients.is_empty()
            && facts.patients.iter().all(grants)
            && accept(terms)
    }

    /// Whether anything is asked of the entries of a record.
    pub(super) fn asks_entries(&self) -> bool {
        !self.asked.is_empty()
    }

    /// Whether it asks anything of a record of this type that its past versions may have answered
    /// otherwise, beside its labels.
    pub(super) fn looks_at(&self, kind: u16) -> bool {
        !self.everything
            && (!self.known.denied.is_empty()
                || self.known.released.is_some()
                || self.known.plain.of(kind).any(|term| term.looks))
    }

    /// The patients to one of whom every visible record of a type belongs; `None` when there may be
    /// others.
    pub(super) fn patients(&self, kind: u16) -> Option<Vec<i64>> {
        if self.everything {
            return None;
        }
        let mut all = Vec::new();
        let released = self.known.released.iter().flat_map(|(_, terms)| terms.of(kind));
        for term in self.known.plain.of(kind).chain(released) {
            all.extend(term.about.iter().min_by_key(|set| set.len())?);
        }
        all.sort_unstable();
        all.dedup();
        Some(all)
    }
}

impl Terms {
    fn of(&self, kind: u16) -> impl Iterator<Item = &Term> {
        let numbers = self.by_kind.get(usize::from(kind));
        numbers.into_iter().flatten().filter_map(|at| self.terms.get(usize::from(*at)))
    }

    fn has(&self, kind: u16) -> bool {
        self.of(kind).next().is_some()
    }

    /// Whether type and labels alone suffice.
    fn plainly(&self, kind: u16, labels: Marks) -> bool {
        self.of(kind).any(|term| !term.looks && term.labels(labels))
    }
}

impl Term {
    const fn labels(&self, labels: Marks) -> bool {
        labels.may & self.withheld == 0 && labels.must & self.carried == self.carried
    }

    fn accepts(&self, facts: &Facts) -> bool {
        let patients = &facts.patients;
        let among = |set: &Vec<i64>| patients.iter().any(|p| set.binary_search(p).is_ok());
        self.somebody.is_none_or(|somebody| somebody != patients.is_empty())
            && self.about.iter().all(among)
            && !among(&self.not_about)
            && self.site.as_ref().is_none_or(|site| site.accept(facts.site))
            && self.author.as_ref().is_none_or(|author| author.accept(facts.author))
    }
}

impl Numbers {
    fn accept(&self, fact: Option<i64>) -> bool {
        fact.map_or(self.absent, |value| self.values.binary_search(&value).is_ok() != self.others)
    }
}

impl Refusal {
    fn applies(&self, rid: i64, kind: u16, labels: Marks) -> bool {
        self.kinds.as_ref().is_none_or(|kinds| kinds.contains(&kind))
            && (self.labels == 0 || labels.may & self.labels != 0)
            && (self.records.is_empty() || self.records.contains(&rid))
    }
}

/// Whether a scope is compiled for good.
pub(super) fn is_ready(scope: &Scope) -> bool {
    scope.compiled::<Sight>().is_some_and(|made| made.known.open_at.is_none())
}

/// Gives numbers for names, and notes those that had none.
struct Lookup<'c> {
    conn: &'c Connection,
    shared: &'c Shared,
    missing: Vec<Missing>,
    /// What is asked of entries, each once.
    asked: Vec<Arc<Matching>>,
}

impl Lookup<'_> {
    fn known(&mut self, scope: &Scope, snapshot: u64) -> rusqlite::Result<Known> {
        let plain = self.terms(&scope.clauses())?;
        let released = match scope.release() {
            Some((labels, clauses)) => Some((labels.cast_signed(), self.terms(clauses)?)),
            None => None,
        };
        let (mut granted, mut denied) = (HashMap::new(), HashMap::new());
        if let Some(wishes) = scope.wishes() {
            for (id, labels) in &wishes.granted {
                if let Some(rid) = self.patient(id)? {
                    granted.insert(rid, labels.cast_signed());
                }
            }
            for (id, denials) in &wishes.denied {
                if let Some(rid) = self.patient(id)? {
                    let refusals = denials.iter().map(|denial| self.refusal(denial));
                    denied.insert(rid, refusals.collect::<rusqlite::Result<Vec<_>>>()?);
                }
            }
        }
        let missing = std::mem::take(&mut self.missing);
        let open_at = (!missing.is_empty()).then_some(snapshot);
        Ok(Known { plain, released, granted, denied, missing, open_at })
    }

    fn matching(&mut self, matching: &Arc<Matching>) -> usize {
        if let Some(at) = self.asked.iter().position(|known| known == matching) {
            return at;
        }
        self.asked.push(Arc::clone(matching));
        self.asked.len() - 1
    }

    fn terms(&mut self, clauses: &[Clause]) -> rusqlite::Result<Terms> {
        let numbers = &self.shared.numbers;
        let last = numbers.types().max().unwrap_or(0);
        let mut out = Terms::default();
        out.by_kind.resize(usize::from(last) + 1, SmallVec::new());
        // A number of a clause is two bytes; a scope with more clauses than that shows less.
        for (at, clause) in (0u16..=u16::MAX).zip(clauses) {
            out.terms.push(self.term(clause)?);
            for kind in numbers.types() {
                let sees = clause.types.as_ref().is_none_or(|types| {
                    numbers.type_id(kind).is_some_and(|id| types.contains(&id))
                });
                if let Some(list) = out.by_kind.get_mut(usize::from(kind)).filter(|_| sees) {
                    list.push(at);
                }
            }
        }
        Ok(out)
    }

    fn term(&mut self, clause: &Clause) -> rusqlite::Result<Term> {
        let about = clause.about.iter().map(|set| self.patients(set.iter()));
        let about = about.collect::<rusqlite::Result<Vec<_>>>()?;
        let not_about = self.patients(clause.not_about.iter())?;
        let site = self.ones(clause.sites.as_ref())?;
        let author = self.ones(clause.authors.as_ref())?;
        let looks = !about.is_empty()
            || !clause.not_about.is_empty()
            || clause.somebody.is_some()
            || !clause.matching.is_empty()
            || site.is_some()
            || author.is_some();
        let matching = clause.matching.iter().map(|asked| self.matching(asked)).collect();
        Ok(Term {
            about,
            not_about,
            somebody: clause.somebody,
            carried: clause.carried.cast_signed(),
            withheld: clause.withheld.cast_signed(),
            site,
            author,
            matching,
            looks,
        })
    }

    fn refusal(&mut self, denial: &Denial) -> rusqlite::Result<Refusal> {
        let numbers = &self.shared.numbers;
        let kinds = denial
            .types
            .as_ref()
            .map(|types| types.iter().map(|id| numbers.of_type(*id)).collect::<Vec<_>>());
        let mut records = Vec::new();
        for (kind, id) in &denial.records {
            records.push(self.record(numbers.of_type(*kind), id)?.unwrap_or(-1));
        }
        Ok(Refusal { kinds, labels: denial.labels.cast_signed(), records })
    }

    fn patient(&mut self, id: &str) -> rusqlite::Result<Option<i64>> {
        self.record(self.shared.patient_type, id)
    }

    fn record(&mut self, kind: u16, id: &str) -> rusqlite::Result<Option<i64>> {
        let id = Id::new(id);
        let found = self.shared.find_name(self.conn, kind, &id)?;
        if found.is_none() {
            self.missing.push(Missing::Record(kind, id));
        }
        Ok(found)
    }

    fn patients<'i>(
        &mut self,
        ids: impl Iterator<Item = &'i Arc<str>>,
    ) -> rusqlite::Result<Vec<i64>> {
        let mut out = Vec::new();
        for id in ids {
            out.extend(self.patient(id)?);
        }
        out.sort_unstable();
        Ok(out)
    }

    fn ones(&mut self, ones: Option<&Ones>) -> rusqlite::Result<Option<Numbers>> {
        let Some(ones) = ones else { return Ok(None) };
        let mut values = Vec::new();
        for text in &ones.values {
            match find_uri(self.conn, text)? {
                Some(found) => values.push(found),
                None => self.missing.push(Missing::Text(Arc::clone(text))),
            }
        }
        values.sort_unstable();
        Ok(Some(Numbers { values, others: ones.others, absent: ones.absent }))
    }
}
