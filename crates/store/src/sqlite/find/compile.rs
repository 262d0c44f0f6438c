//! From typed filters to checks: names become numbers, once per search.

use super::super::names::{ADDRESS, Id, find_uri, numbers};
use super::super::unavailable;
use super::Finder;
use super::check::{Bounds, Check, Leaf, Test};
use base::Fault;
use fhir::decimal::Decimal;
use fhir::definitions::TypeId;
use rusqlite::{OptionalExtension, params};
use search::query::{CompositeMatch, Filter, Match, Prefix, SystemMatch, UnitMatch};
use search::registry::{AtomId, Shape, registry};
use std::collections::HashSet;

impl Finder<'_> {
    /// The check of a filter on records of these types.
    pub(super) fn compile(&self, filter: &Filter, kinds: &[u16]) -> Result<Check, Fault> {
        Ok(match filter {
            Filter::Match { atoms, any, negate, .. } => {
                let mut leaves = Vec::new();
                for value in any {
                    self.leaves(atoms, value)?.into_iter().for_each(|leaf| join(&mut leaves, leaf));
                }
                let any = Check::Any(leaves.into_iter().map(Check::Leaf).collect());
                if *negate { Check::Not(Box::new(any)) } else { any }
            }
            Filter::Missing { atoms, missing, .. } => {
                let present = Check::Present(self.shared.numbers.atoms(atoms));
                if *missing { Check::Not(Box::new(present)) } else { present }
            }
            Filter::Composite { any, .. } => {
                let mut out = Vec::new();
                for one in any {
                    out.push(self.composite(one)?);
                }
                Check::Any(out)
            }
            Filter::Chain { atoms, targets, .. } => {
                let mut compiled = Vec::new();
                for (target, inner) in targets {
                    let kind = self.shared.numbers.of_type(*target);
                    compiled.push((kind, self.compile(inner, &[kind])?));
                }
                let atoms = self.shared.numbers.atoms(atoms);
                Check::Chain { atoms, targets: compiled, number: self.number() }
            }
            Filter::Has { source, atoms, filter } => {
                let kind = self.shared.numbers.of_type(*source);
                let check = Box::new(self.compile(filter, &[kind])?);
                let atoms = self.shared.numbers.atoms(atoms);
                Check::Has { kind, atoms, check, number: self.number() }
            }
            Filter::Id { any, negate } => {
                let set = Check::Record(self.records(any, kinds)?.into_iter().collect());
                if *negate { Check::Not(Box::new(set)) } else { set }
            }
            Filter::LastUpdated { any } => {
                let mut spans = Vec::new();
                for (prefix, range) in any {
                    self.spans(*prefix, range.low, range.high, &mut spans)?;
                }
                Check::Version(spans)
            }
            Filter::Type { any } => {
                Check::Kind(any.iter().map(|t| self.shared.numbers.of_type(*t)).collect())
            }
            Filter::InList { list } => {
                Check::Record(self.list_members(list)?.into_iter().collect())
            }
            Filter::Words { narrative_only, words } => {
                Check::Words { narrative_only: *narrative_only, words: words.clone() }
            }
            Filter::Compartment { focus_type, focus } => {
                self.compartment(*focus_type, focus, kinds)?
            }
            Filter::Any(filters) => Check::Any(
                filters.iter().map(|f| self.compile(f, kinds)).collect::<Result<_, _>>()?,
            ),
            Filter::All(filters) => Check::All(
                filters.iter().map(|f| self.compile(f, kinds)).collect::<Result<_, _>>()?,
            ),
        })
    }

    fn number(&self) -> usize {
        self.checks.set(self.checks.get() + 1);
        self.checks.get()
    }

    /// Record numbers of logical ids in these types.
    pub(super) fn records(&self, ids: &[String], kinds: &[u16]) -> Result<Vec<i64>, Fault> {
        let mut out = Vec::new();
        for id in ids {
            let id = Id::new(id);
            for kind in kinds {
                out.extend(self.shared.find_name(self.conn, *kind, &id).map_err(unavailable)?);
            }
        }
        Ok(out)
    }

    /// Records a `List` names in its entries, if the list can be seen.
    pub(super) fn list_members(&self, list: &str) -> Result<Vec<i64>, Fault> {
        let Some(id) = fhir::definitions::r4().resource_type("List") else { return Ok(Vec::new()) };
        let kind = self.shared.numbers.of_type(id);
        let rid = self.shared.find_name(self.conn, kind, &Id::new(list)).map_err(unavailable)?;
        let Some((rid, item)) = rid.zip(registry().parameter(id, "item")) else {
            return Ok(Vec::new());
        };
        let atoms = self.shared.numbers.atoms(&item.atoms);
        let members = self.record(rid, |record| {
            let rows = crate::pack::rows(record.packed);
            Ok(rows
                .filter_map(|view| match view {
                    crate::pack::View::Int { atom, value, .. } if atoms.contains(&atom) => {
                        Some(value)
                    }
                    _ => None,
                })
                .collect())
        })?;
        Ok(members.unwrap_or_default())
    }

    fn compartment(&self, focus_type: TypeId, focus: &str, kinds: &[u16]) -> Result<Check, Fault> {
        let numbers = &self.shared.numbers;
        let kind = numbers.of_type(focus_type);
        let rid = self.shared.find_name(self.conn, kind, &Id::new(focus)).map_err(unavailable)?;
        let Some(rid) = rid else { return Ok(Check::False) };
        if kind == self.shared.patient_type {
            return Ok(Check::Patient(rid));
        }
        let mut any = Vec::new();
        let name = fhir::definitions::r4().name(focus_type);
        for member in kinds {
            let Some(id) = numbers.type_id(*member) else { continue };
            let Some(found) = registry().compartment(name, id) else { continue };
            if found.focus {
                any.push(Check::Record(HashSet::from([rid])));
            }
            let atoms = numbers.atoms(found.atoms);
            any.push(Check::Leaf(Leaf { atoms, test: Test::Ints(HashSet::from([rid])) }));
        }
        Ok(Check::Any(any))
    }

    fn composite(&self, one: &CompositeMatch) -> Result<Check, Fault> {
        let mut parts = Vec::new();
        for part in &one.parts {
            let leaves = self.leaves(&part.atoms, &part.value)?;
            let mut atoms = Vec::new();
            let mut tests = Vec::new();
            for leaf in leaves {
                atoms.extend(leaf.atoms);
                tests.push(leaf.test);
            }
            // An atom has one shape, so a test meant for another shape's atoms never passes on it.
            parts.push((part.grouped, Leaf { atoms, test: Test::Any(tests) }));
        }
        Ok(Check::Together(parts))
    }

    fn with_shape(&self, atoms: &[AtomId], wanted: &[Shape]) -> Vec<u32> {
        atoms
            .iter()
            .filter(|a| wanted.contains(&registry().atom(**a).shape))
            .map(|a| self.shared.numbers.atom(*a))
            .collect()
    }

    /// The tests a value asks for, by the shapes of the atoms.
    pub(super) fn leaves(&self, atoms: &[AtomId], value: &Match) -> Result<Vec<Leaf>, Fault> {
        let mut out = Vec::new();
        let mut push = |atoms: Vec<u32>, test: Test| {
            if !atoms.is_empty() {
                out.push(Leaf { atoms, test });
            }
        };
        match value {
            Match::Token { system, code } => {
                let ints = self.with_shape(atoms, &[Shape::Token]);
                if !ints.is_empty() {
                    push(ints, Test::Ints(self.tokens(system, code.as_deref())?));
                }
                let idents = self.with_shape(atoms, &[Shape::Identifier]);
                if !idents.is_empty() {
                    push(idents, self.ident(system, code.clone(), None)?);
                }
            }
            Match::TokenText(text) => {
                push(self.with_shape(atoms, &[Shape::Token]), Test::Ints(self.token_texts(text)?));
            }
            Match::OfType { system, code, value } => {
                let types = self.tokens(&SystemMatch::Is(system.clone()), Some(code))?;
                let test = self.ident(&SystemMatch::Any, Some(value.clone()), Some(types))?;
                push(self.with_shape(atoms, &[Shape::Identifier]), test);
            }
            Match::StartsWith(text) => {
                push(self.with_shape(atoms, &[Shape::String]), Test::StartsWith(text.clone()));
            }
            Match::Contains(text) => {
                push(self.with_shape(atoms, &[Shape::String]), Test::Contains(text.clone()));
            }
            Match::Exact(text) => {
                push(self.with_shape(atoms, &[Shape::String]), Test::Exact(text.clone()));
            }
            Match::Reference { types, id } => {
                let kinds: Vec<u16> = if types.is_empty() {
                    self.shared.numbers.types().collect()
                } else {
                    types.iter().map(|t| self.shared.numbers.of_type(*t)).collect()
                };
                let found = self.records(std::slice::from_ref(id), &kinds)?;
                let test = Test::Ints(found.into_iter().collect());
                push(self.with_shape(atoms, &[Shape::Reference]), test);
            }
            Match::Address(text) => {
                let id = Id::Text(text.as_str().into());
                let found = self.shared.find_name(self.conn, ADDRESS, &id).map_err(unavailable)?;
                let test = Test::Ints(found.into_iter().collect());
                push(self.with_shape(atoms, &[Shape::Reference]), test);
            }
            Match::Date { prefix, range } => {
                let test = Test::Date(*prefix, range.low, range.high);
                push(self.with_shape(atoms, &[Shape::Date]), test);
            }
            Match::Number { prefix, value } => {
                let test = Test::Num(vec![(None, bounds(*prefix, *value))]);
                push(self.with_shape(atoms, &[Shape::Number]), test);
            }
            Match::Quantity { prefix, value, unit } => {
                let bounds = bounds(*prefix, *value);
                let test = match unit {
                    None => Test::Num(vec![(None, bounds)]),
                    Some(unit) => self.in_units(unit, bounds)?,
                };
                push(self.with_shape(atoms, &[Shape::Quantity, Shape::Number]), test);
            }
            Match::Uri(text) => {
                let found = find_uri(self.conn, text).map_err(unavailable)?;
                let test = Test::Ints(found.into_iter().collect());
                push(self.with_shape(atoms, &[Shape::Uri]), test);
            }
            Match::UriBelow(text) => {
                let below = format!("{}/", text.trim_end_matches('/'));
                let after = format!("{}0", text.trim_end_matches('/'));
                let found = numbers(
                    self.conn,
                    "SELECT id FROM uri WHERE text = ?1 OR (text >= ?2 AND text < ?3)",
                    params![text, below, after],
                )
                .map_err(unavailable)?;
                push(
                    self.with_shape(atoms, &[Shape::Uri]),
                    Test::Ints(found.into_iter().collect()),
                );
            }
            Match::UriAbove(text) => {
                let mut found = HashSet::new();
                let slashes = text.match_indices('/').map(|(at, _)| at);
                for end in slashes.chain([text.len()]) {
                    let above = text.get(..end).unwrap_or_default();
                    found.extend(find_uri(self.conn, above).map_err(unavailable)?);
                }
                push(self.with_shape(atoms, &[Shape::Uri]), Test::Ints(found));
            }
        }
        Ok(out)
    }

    fn system(&self, system: &SystemMatch) -> Result<Option<i64>, Fault> {
        Ok(match system {
            SystemMatch::Any => None,
            SystemMatch::Absent => Some(0),
            SystemMatch::Is(text) => Some(self.uri_or_unknown(text)?),
        })
    }

    fn uri_or_unknown(&self, text: &str) -> Result<i64, Fault> {
        find_uri(self.conn, text).map(|n| n.unwrap_or(-1)).map_err(unavailable)
    }

    fn ident(
        &self,
        system: &SystemMatch,
        value: Option<String>,
        of_type: Option<HashSet<i64>>,
    ) -> Result<Test, Fault> {
        Ok(Test::Ident { value, system: self.system(system)?, of_type })
    }

    /// Dictionary numbers of a token.
    fn tokens(&self, system: &SystemMatch, code: Option<&str>) -> Result<HashSet<i64>, Fault> {
        let system = self.system(system)?;
        let found = match (code, system) {
            (Some(code), None) => numbers(self.conn, "SELECT id FROM token WHERE code = ?", [code]),
            (Some(code), Some(system)) => numbers(
                self.conn,
                "SELECT id FROM token WHERE code = ? AND system = ?",
                params![code, system],
            ),
            (None, Some(system)) => {
                numbers(self.conn, "SELECT id FROM token WHERE system = ?", [system])
            }
            (None, None) => Ok(Vec::new()),
        };
        Ok(found.map_err(unavailable)?.into_iter().collect())
    }

    /// Dictionary numbers of the tokens whose text begins with, or has a word that begins with, the
    /// folded text.
    fn token_texts(&self, text: &str) -> Result<HashSet<i64>, Fault> {
        let run = || -> rusqlite::Result<HashSet<i64>> {
            let mut s = self.conn.prepare_cached("SELECT id, text FROM token WHERE text <> ''")?;
            let mut rows = s.query([])?;
            let mut out = HashSet::new();
            while let Some(row) = rows.next()? {
                let folded = search::fold::fold(row.get_ref(1)?.as_str().unwrap_or_default());
                let hit = folded.match_indices(text).any(|(at, _)| {
                    let before = folded.get(..at).and_then(|b| b.chars().next_back());
                    before.is_none_or(|c| !c.is_alphanumeric())
                });
                if hit {
                    out.insert(row.get(0)?);
                }
            }
            Ok(out)
        };
        run().map_err(unavailable)
    }

    /// The bounds in every unit that is, or is called, the one asked for.
    fn in_units(&self, unit: &UnitMatch, bounds: Bounds) -> Result<Test, Fault> {
        let mut units = self.tokens(&unit.system, Some(&unit.code))?;
        if unit.system == SystemMatch::Any {
            units.extend(
                numbers(self.conn, "SELECT id FROM token WHERE text = ?", [&unit.code])
                    .map_err(unavailable)?,
            );
        }
        let mut tests: Vec<_> = units.iter().map(|u| (Some(*u), bounds)).collect();
        // Values in other units of the same measure, each with the bounds converted. The units in use
        // are few, so no converted copy of any value needs to be stored.
        let ucum = match &unit.system {
            SystemMatch::Is(system) => system == search::unit::UCUM,
            SystemMatch::Any => true,
            SystemMatch::Absent => false,
        };
        if ucum {
            for (number, code) in self.units_in_use()? {
                if units.contains(&number) {
                    continue;
                }
                if let Some(factor) = search::unit::factor(&unit.code, &code) {
                    let (low, high) = (bounds.low * factor, bounds.high * factor);
                    tests.push((Some(number), Bounds { low, high, ..bounds }));
                }
            }
        }
        Ok(Test::Num(tests))
    }

    fn units_in_use(&self) -> Result<Vec<(i64, String)>, Fault> {
        let system = self.uri_or_unknown(search::unit::UCUM)?;
        let run = || -> rusqlite::Result<Vec<(i64, String)>> {
            self.conn
                .prepare_cached("SELECT id, code FROM token WHERE system = ?")?
                .query_map([system], |r| Ok((r.get(0)?, r.get(1)?)))?
                .collect()
        };
        run().map_err(unavailable)
    }

    /// Spans of version numbers written at times in relation to a span of time.
    fn spans(
        &self,
        prefix: Prefix,
        low: i64,
        high: i64,
        out: &mut Vec<(u64, u64)>,
    ) -> Result<(), Fault> {
        // Times rise with version numbers, so a time is found by halving.
        let from = self.first_at(low)?;
        let after = self.first_at(high.saturating_add(1))?;
        match prefix {
            Prefix::Eq | Prefix::Ap => out.push((from, after.saturating_sub(1))),
            Prefix::Ne => out.extend([(0, from.saturating_sub(1)), (after, u64::MAX)]),
            Prefix::Gt | Prefix::Sa => out.push((after, u64::MAX)),
            Prefix::Ge => out.push((from, u64::MAX)),
            Prefix::Lt | Prefix::Eb => out.push((0, from.saturating_sub(1))),
            Prefix::Le => out.push((0, after.saturating_sub(1))),
        }
        Ok(())
    }

    /// The first version number written at or after a time.
    fn first_at(&self, time: i64) -> Result<u64, Fault> {
        let run = || -> rusqlite::Result<u64> {
            let (mut low, mut high): (u64, u64) = (
                1,
                self.conn
                    .prepare_cached("SELECT max(vid) FROM ver")?
                    .query_row([], |r| r.get::<_, Option<u64>>(0))?
                    .unwrap_or(0)
                    + 1,
            );
            let mut probe = self
                .conn
                .prepare_cached("SELECT at FROM ver WHERE vid >= ? ORDER BY vid LIMIT 1")?;
            while low < high {
                let middle = low + (high - low) / 2;
                let at: Option<i64> = probe.query_row([middle], |r| r.get(0)).optional()?;
                if at.is_some_and(|at| at < time) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            Ok(low)
        };
        run().map_err(unavailable)
    }
}

/// Adds a test to others of which any suffices. Values of the same atoms are one set, so that a record's
/// entries are gone through once, however many values are asked for.
fn join(leaves: &mut Vec<Leaf>, leaf: Leaf) {
    let same = leaves.iter_mut().find(|other| {
        other.atoms == leaf.atoms
            && matches!((&other.test, &leaf.test), (Test::Ints(_), Test::Ints(_)))
    });
    match (same, leaf) {
        (Some(Leaf { test: Test::Ints(values), .. }), Leaf { test: Test::Ints(more), .. }) => {
            values.extend(more);
        }
        (_, leaf) => leaves.push(leaf),
    }
}

/// The bounds of a number search (<https://hl7.org/fhir/R4/search.html#number>): equality works on
/// the precision written, comparisons on the exact value, approximation on a tenth either way.
pub(super) fn bounds(prefix: Prefix, value: Decimal) -> Bounds {
    let exact = value.to_f64();
    let (low, high) = value.implicit_range();
    let all = Bounds {
        low: f64::NEG_INFINITY,
        low_open: false,
        high: f64::INFINITY,
        high_open: false,
        outside: false,
    };
    match prefix {
        Prefix::Eq => Bounds { low, high, high_open: true, ..all },
        Prefix::Ne => Bounds { low, high, high_open: true, outside: true, ..all },
        Prefix::Gt | Prefix::Sa => Bounds { low: exact, low_open: true, ..all },
        Prefix::Ge => Bounds { low: exact, ..all },
        Prefix::Lt | Prefix::Eb => Bounds { high: exact, high_open: true, ..all },
        Prefix::Le => Bounds { high: exact, ..all },
        Prefix::Ap => {
            let tenth = exact.abs() / 10.0;
            Bounds { low: exact - tenth, high: exact + tenth, ..all }
        }
    }
}
