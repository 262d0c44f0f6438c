//! Where candidates come from. Every filter that can name its candidates cheaply proposes a driver;
//! the one with the fewest is taken, and the rest are checked record by record. The access path of
//! each statement is fixed by its form.

use super::super::names::{ATOM_TYPE, Id};
use super::super::unavailable;
use super::Finder;
use super::check::Test;
use super::source::Source;
use super::span::Span;
use base::Fault;
use rusqlite::params;
use search::query::{Filter, Match};

/// Candidates so few that looking at each costs less than gathering a span beside them.
const FEW: u64 = super::span::FEW as u64;
/// Rows counted before a list is simply called long.
const PROBE: u64 = 2000;
/// What a list too long to count is taken for, against the number of records of a type.
const LONG: u64 = 50_000;
/// Candidates a driver may gather in memory.
pub(super) const GATHER: usize = 20_000;
/// Candidates so few that it gets no better.
const HANDFUL: u64 = 16;
/// What one patient's records of a type are taken for, until they are gathered.
const PATIENT_RECORDS: u64 = 32;
/// Lists merged by one driver.
const LISTS: usize = 2000;

/// A source of candidate records.
#[derive(Debug)]
pub(super) enum Driver {
    /// These records, ascending.
    Records(Vec<i64>),
    /// The records of these index lists (atom, value), merged.
    Lists(Vec<(u32, i64)>),
    /// These lists of the patient-compartment order.
    Patient { patient: i64, lists: Vec<(u32, i64)> },
}

/// The lists of one patient's records that hold all candidates.
#[derive(Debug)]
pub(super) struct PatientLists {
    pub(super) patient: i64,
    pub(super) lists: Vec<(u32, i64)>,
    /// What they are called in a plan.
    pub(super) name: String,
}

/// A driver with what it would cost and what to call it in a plan.
pub(super) struct Proposal {
    pub(super) driver: Driver,
    pub(super) estimate: u64,
    pub(super) name: String,
    /// It hands over every record of the types.
    pub(super) whole: bool,
}

/// What of a list is worth reading beside what is known already.
#[derive(Debug, Clone, Copy)]
pub(super) struct Worth {
    /// Of a list of more rows than these it suffices to know that.
    pub(super) rows: u64,
    /// The records it is asked about, from and to and with both; rows of others are not read.
    pub(super) from: i64,
    pub(super) to: i64,
}

impl Worth {
    /// Any list, whole.
    pub(super) const ANY: Self = Self { rows: u64::MAX, from: 0, to: i64::MAX };
}

/// Whether a filter names its records one by one, or by values that are looked up as they are.
fn names_few(filter: &Filter) -> bool {
    let is_exact = |one: &Match| matches!(one, Match::Token { .. } | Match::Reference { .. });
    match filter {
        Filter::Id { negate: false, .. } => true,
        Filter::Match { any, negate: false, .. } => any.iter().all(is_exact),
        _ => false,
    }
}

impl Finder<'_> {
    /// The driver of a conjunction of filters, and whether it may hand over many records.
    pub(super) fn driver(
        &self,
        filters: &[Filter],
        kinds: &[u16],
    ) -> Result<(Driver, bool), Fault> {
        if let Some(PatientLists { patient, lists, name }) = self.patient_lists(filters, kinds)? {
            self.note(|| format!("from the patient's records by {name}"));
            return Ok((Driver::Patient { patient, lists }, false));
        }
        let best = self.general_driver(filters, kinds)?;
        Ok((best.driver, best.estimate > PROBE))
    }

    fn general_driver(&self, filters: &[Filter], kinds: &[u16]) -> Result<Proposal, Fault> {
        let mut best = Proposal {
            estimate: self.live(kinds),
            driver: Driver::Lists(kinds.iter().map(|k| (ATOM_TYPE, i64::from(*k))).collect()),
            name: "the types".to_owned(),
            whole: true,
        };
        // What names records one by one costs some rows to ask; a span is gathered only when none is short.
        for filter in filters.iter().filter(|filter| names_few(filter)) {
            if best.estimate <= FEW {
                break;
            }
            if let Some(proposal) =
                self.propose(filter, kinds, Worth { rows: FEW, ..Worth::ANY })?
                && proposal.estimate <= FEW
            {
                best = proposal;
            }
        }
        let span = if best.estimate > FEW { self.span(filters)? } else { None };
        let worth = span.as_ref().map_or(Worth::ANY, Span::worth);
        let few = span.as_ref().is_some_and(Span::is_few);
        for filter in filters {
            if best.estimate <= HANDFUL || few {
                break;
            }
            if span.as_ref().is_some_and(|span| span.covers(filter)) {
                continue;
            }
            // A list that is longer than the best so far is not taken.
            let rows = if best.whole { worth.rows } else { worth.rows.min(best.estimate) };
            if let Some(proposal) = self.propose(filter, kinds, Worth { rows, ..worth })?
                // A list of unknown length is still shorter than the list of everything.
                && (proposal.estimate < best.estimate || best.whole)
            {
                best = proposal;
            }
        }
        if let Some(span) = span {
            best = self.within(span, best)?;
        }
        if let Some(proposal) = self.of_sight(kinds, best.estimate)? {
            best = proposal;
        }
        self.note(|| format!("from {} (about {} candidates)", best.name, best.estimate));
        Ok(best)
    }

    /// When the scope is a few patients' records and filters name more: those records.
    fn of_sight(&self, kinds: &[u16], most: u64) -> Result<Option<Proposal>, Fault> {
        let mut rids = Vec::new();
        for kind in kinds {
            let Some(patients) = self.sight.patients(*kind) else { return Ok(None) };
            if patients.len() as u64 * PATIENT_RECORDS > most {
                return Ok(None);
            }
            if *kind == self.shared.patient_type {
                rids.extend(patients);
                continue;
            }
            for patient in patients {
                rids.extend(self.patient_records(patient, &[*kind])?);
                if rids.len() > GATHER {
                    return Ok(None);
                }
            }
        }
        rids.sort_unstable();
        rids.dedup();
        let proposal = gathered(rids, "scope");
        Ok((proposal.estimate < most).then_some(proposal))
    }

    /// Live records of types, before the scope.
    pub(super) fn live(&self, kinds: &[u16]) -> u64 {
        let live = self.shared.live.read();
        kinds.iter().filter_map(|k| live.get(k)).map(|n| n.unsigned_abs()).sum()
    }

    /// When the filters name one patient, or the scope does: the lists of the patient-compartment
    /// order that hold all candidates.
    pub(super) fn patient_lists(
        &self,
        filters: &[Filter],
        kinds: &[u16],
    ) -> Result<Option<PatientLists>, Fault> {
        let [kind] = kinds else { return Ok(None) };
        if *kind == self.shared.patient_type {
            return Ok(None);
        }
        let Some(patient) = self.one_patient(filters, *kind)? else { return Ok(None) };
        let order = self.shared.patient_order(*kind);
        for filter in filters {
            let Filter::Match { name, atoms, any, negate: false } = filter else { continue };
            let atoms = self.shared.numbers.atoms(atoms);
            if atoms.is_empty() || any.len() > 16 || !atoms.iter().all(|a| order.atoms.contains(a))
            {
                continue;
            }
            let Filter::Match { atoms: ids, .. } = filter else { continue };
            let mut lists = Vec::new();
            for value in any {
                for leaf in self.leaves(ids, value)? {
                    let Test::Ints(values) = leaf.test else { continue };
                    for atom in &leaf.atoms {
                        lists.extend(values.iter().map(|v| (*atom, *v)));
                    }
                }
            }
            if lists.len() <= 64 {
                return Ok(Some(PatientLists { patient, lists, name: name.clone() }));
            }
        }
        let lists = vec![(ATOM_TYPE, i64::from(*kind))];
        Ok(Some(PatientLists { patient, lists, name: "type".to_owned() }))
    }

    fn one_patient(&self, filters: &[Filter], kind: u16) -> Result<Option<i64>, Fault> {
        let Some(id) = self.shared.numbers.type_id(kind) else { return Ok(None) };
        let compartment = search::registry::registry().patient_compartment(id);
        for filter in filters {
            match filter {
                Filter::Compartment { focus_type, focus }
                    if self.shared.numbers.of_type(*focus_type) == self.shared.patient_type =>
                {
                    return self
                        .shared
                        .find_name(self.conn, self.shared.patient_type, &Id::new(focus))
                        .map_err(unavailable);
                }
                Filter::Match { atoms, any, negate: false, .. } => {
                    let [Match::Reference { types, id }] = any.as_slice() else { continue };
                    let may_be_patient = types.is_empty()
                        || types
                            .iter()
                            .any(|t| self.shared.numbers.of_type(*t) == self.shared.patient_type);
                    if !may_be_patient
                        || types.len() > 1
                        || !atoms.iter().all(|a| compartment.contains(a))
                    {
                        continue;
                    }
                    let found = self
                        .shared
                        .find_name(self.conn, self.shared.patient_type, &Id::new(id))
                        .map_err(unavailable)?;
                    if types.len() == 1 {
                        return Ok(found);
                    }
                    // An id without a type may be some other type's too; then nothing is known.
                    let kinds: Vec<u16> = self.shared.numbers.types().collect();
                    if found.is_some() && self.records(std::slice::from_ref(id), &kinds)?.len() == 1
                    {
                        return Ok(found);
                    }
                }
                _ => {}
            }
        }
        Ok(match self.sight.patients(kind).as_deref() {
            Some([patient]) => Some(*patient),
            _ => None,
        })
    }

    /// What a filter can name, of what is worth reading.
    fn propose(
        &self,
        filter: &Filter,
        kinds: &[u16],
        worth: Worth,
    ) -> Result<Option<Proposal>, Fault> {
        match filter {
            Filter::Match { name, atoms, any, negate: false } => {
                let mut leaves = Vec::new();
                for value in any {
                    leaves.extend(self.leaves(atoms, value)?);
                }
                self.union(leaves.iter().map(|l| self.leaf_source(l)), name, worth)
            }
            Filter::Composite { name, any } => {
                let mut parts = Vec::new();
                for one in any {
                    let Some(first) = one.parts.first() else { return Ok(None) };
                    parts.extend(self.leaves(&first.atoms, &first.value)?);
                }
                self.union(parts.iter().map(|l| self.leaf_source(l)), name, worth)
            }
            Filter::Id { any, negate: false } => {
                let mut rids = self.records(any, kinds)?;
                rids.sort_unstable();
                rids.dedup();
                Ok(Some(gathered(rids, "_id")))
            }
            Filter::InList { list } => {
                let mut rids = self.list_members(list)?;
                rids.sort_unstable();
                rids.dedup();
                Ok(Some(gathered(rids, "_list")))
            }
            Filter::Chain { name, atoms, targets } => {
                let mut lists = Vec::new();
                for (target, inner) in targets {
                    let kind = self.shared.numbers.of_type(*target);
                    let Some(found) = self.gather(inner, kind, LISTS)? else { return Ok(None) };
                    for rid in found {
                        for atom in self.shared.numbers.atoms(atoms) {
                            lists.push((atom, rid));
                        }
                    }
                }
                if lists.len() > LISTS {
                    return Ok(None);
                }
                self.lists(lists, name, worth).map(Some)
            }
            Filter::Has { source, atoms, filter } => {
                let kind = self.shared.numbers.of_type(*source);
                let Some(found) = self.gather(filter, kind, GATHER)? else { return Ok(None) };
                let atoms = self.shared.numbers.atoms(atoms);
                let mut rids = Vec::new();
                for rid in found {
                    self.record(rid, |record| {
                        for view in crate::pack::rows(record.packed) {
                            if let crate::pack::View::Int { atom, value, .. } = view
                                && atoms.contains(&atom)
                            {
                                rids.push(value);
                            }
                        }
                        Ok(())
                    })?;
                }
                rids.sort_unstable();
                rids.dedup();
                Ok(Some(gathered(rids, "_has")))
            }
            Filter::Compartment { focus_type, focus } => {
                let kind = self.shared.numbers.of_type(*focus_type);
                let found =
                    self.shared.find_name(self.conn, kind, &Id::new(focus)).map_err(unavailable)?;
                let Some(rid) = found else { return Ok(Some(gathered(Vec::new(), "compartment"))) };
                if kind == self.shared.patient_type {
                    return self
                        .patient_records(rid, kinds)
                        .map(|r| Some(gathered(r, "compartment")));
                }
                let mut lists = Vec::new();
                let name = fhir::definitions::r4().name(*focus_type);
                for member in kinds {
                    let Some(id) = self.shared.numbers.type_id(*member) else { continue };
                    let Some(c) = search::registry::registry().compartment(name, id) else {
                        continue;
                    };
                    if c.focus {
                        return Ok(None);
                    }
                    lists.extend(self.shared.numbers.atoms(c.atoms).into_iter().map(|a| (a, rid)));
                }
                self.lists(lists, "compartment", worth).map(Some)
            }
            Filter::All(filters) => {
                let mut best: Option<Proposal> = None;
                for inner in filters {
                    if let Some(p) = self.propose(inner, kinds, worth)?
                        && best.as_ref().is_none_or(|b| p.estimate < b.estimate)
                    {
                        best = Some(p);
                    }
                }
                Ok(best)
            }
            Filter::Any(filters) => {
                let mut rids = Vec::new();
                for inner in filters {
                    let Some(p) = self.propose(inner, kinds, Worth::ANY)? else { return Ok(None) };
                    if p.estimate > PROBE {
                        return Ok(None);
                    }
                    self.each(&p.driver, None, false, &mut |rid| {
                        rids.push(rid);
                        Ok(true)
                    })?;
                }
                rids.sort_unstable();
                rids.dedup();
                Ok(Some(gathered(rids, "one of several")))
            }
            Filter::LastUpdated { .. } => {
                let super::check::Check::Version(spans) = self.compile(filter, kinds)? else {
                    return Ok(None);
                };
                let mut rids = Vec::new();
                for (low, high) in spans {
                    let sql = "SELECT rid FROM ver WHERE vid >= ? AND vid <= ? LIMIT ?";
                    let high = high.min(i64::MAX.unsigned_abs());
                    rids.extend(self.rids(sql, params![low, high, GATHER + 1])?);
                    if rids.len() > GATHER {
                        return Ok(None);
                    }
                }
                rids.sort_unstable();
                rids.dedup();
                Ok(Some(gathered(rids, "_lastUpdated")))
            }
            Filter::Match { .. }
            | Filter::Missing { .. }
            | Filter::Id { .. }
            | Filter::Type { .. }
            | Filter::Words { .. } => Ok(None),
        }
    }

    /// All records of a type for which a filter holds, if they can be found from few candidates.
    fn gather(&self, filter: &Filter, kind: u16, most: usize) -> Result<Option<Vec<i64>>, Fault> {
        if !self.sight.sees_type(kind) {
            return Ok(Some(Vec::new()));
        }
        let proposal = match self.propose(filter, &[kind], Worth::ANY)? {
            Some(p) => p,
            None if self.live(&[kind]) <= PROBE => Proposal {
                driver: Driver::Lists(vec![(ATOM_TYPE, i64::from(kind))]),
                estimate: self.live(&[kind]),
                name: String::new(),
                whole: true,
            },
            None => return Ok(None),
        };
        if proposal.estimate > most as u64 {
            return Ok(None);
        }
        let check = self.compile(filter, &[kind])?;
        let mut out = Vec::new();
        self.each(&proposal.driver, None, false, &mut |rid| {
            if self.record(rid, |r| Ok(r.kind == kind && self.holds(&check, r)?))? == Some(true) {
                out.push(rid);
            }
            Ok(out.len() <= most)
        })?;
        Ok((out.len() <= most).then_some(out))
    }

    /// Every record of a patient's compartment in these types, ascending.
    fn patient_records(&self, patient: i64, kinds: &[u16]) -> Result<Vec<i64>, Fault> {
        let mut rids = Vec::new();
        for kind in kinds {
            let run = || -> rusqlite::Result<Vec<i64>> {
                self.conn
                    .prepare_cached(
                        "SELECT rid FROM pt WHERE patient = ? AND atom = ? AND value = ?",
                    )?
                    .query_map(params![patient, ATOM_TYPE, kind], |r| r.get(0))?
                    .collect()
            };
            rids.extend(run().map_err(unavailable)?);
        }
        self.step(rids.len() as u64)?;
        rids.sort_unstable();
        rids.dedup();
        Ok(rids)
    }

    /// Joins what leaves propose; nothing when one of them cannot.
    fn union(
        &self,
        sources: impl Iterator<Item = Result<Option<Source>, Fault>>,
        name: &str,
        worth: Worth,
    ) -> Result<Option<Proposal>, Fault> {
        let mut lists = Vec::new();
        let mut rids: Vec<i64> = Vec::new();
        let mut gathers = false;
        for source in sources {
            match source? {
                None => return Ok(None),
                Some(Source::Lists(more)) => lists.extend(more),
                Some(Source::Records(more)) => {
                    gathers = true;
                    rids.extend(more);
                }
            }
        }
        if lists.len() > LISTS || rids.len() > GATHER {
            return Ok(None);
        }
        if !gathers {
            return self.lists(lists, name, worth).map(Some);
        }
        let lists_driver = self.lists(lists, name, Worth::ANY)?;
        if lists_driver.estimate > PROBE {
            return Ok(None);
        }
        self.each(&lists_driver.driver, None, false, &mut |rid| {
            rids.push(rid);
            Ok(true)
        })?;
        rids.sort_unstable();
        rids.dedup();
        Ok(Some(gathered(rids, name)))
    }

    fn lists(&self, lists: Vec<(u32, i64)>, name: &str, worth: Worth) -> Result<Proposal, Fault> {
        let mut estimate = 0;
        let each = if lists.len() > 64 { 50 } else { PROBE.min(worth.rows) };
        for list in lists.iter().take(64) {
            estimate += self.probe(*list, each, worth)?;
            if estimate > worth.rows {
                break;
            }
        }
        if lists.len() > 64 {
            // Long unions are guessed from their first lists.
            estimate = estimate * lists.len() as u64 / 64;
        }
        let name = format!("`{name}`");
        Ok(Proposal { driver: Driver::Lists(lists), estimate, name, whole: false })
    }

    /// Rows of an index list that are asked about, counted up to a bound.
    fn probe(&self, (atom, value): (u32, i64), most: u64, worth: Worth) -> Result<u64, Fault> {
        let run = || -> rusqlite::Result<u64> {
            self.conn
                .prepare_cached(
                    "SELECT count(*) FROM (SELECT 1 FROM ix \
                     WHERE atom = ? AND value = ? AND rid >= ? AND rid <= ? LIMIT ?)",
                )?
                .query_row(params![atom, value, worth.from, worth.to, most], |r| r.get(0))
        };
        let counted = run().map_err(unavailable)?;
        // A list that fills the probe may be any length: it ranks behind every counted one.
        Ok(if counted >= most { LONG.max(most) } else { counted })
    }
}

pub(super) fn gathered(rids: Vec<i64>, name: &str) -> Proposal {
    Proposal {
        estimate: rids.len() as u64,
        driver: Driver::Records(rids),
        name: format!("`{name}`, gathered"),
        whole: false,
    }
}
