//! `$everything` of a Patient or an Encounter
//! (<https://hl7.org/fhir/R4/patient-operation-everything.html>,
//! <https://hl7.org/fhir/R4/encounter-operation-everything.html>; the designated record set of 45 CFR
//! 164.501 as far as it is stored): the compartment, page by page, each page with the records outside
//! it that it refers to.

use crate::cursor::Cursor;
use crate::find::{Found, SearchHow};
use crate::people;
use crate::session::{Audited, Session};
use crate::trail;
use access::Action;
use audit::Kind;
use base::Fault;
use base::error::code;
use fhir::definitions::{TypeId, r4};
use fhir::reference::{Reference, parse};
use search::parse::Level;
use search::query::{Filter, Match, Prefix, Search};
use search::registry::{AtomId, registry};
use std::collections::HashSet;
use store::{Hit, Page, Reader, Scoped};

/// The parameters of the operation.
#[derive(Debug, Clone, Default)]
pub struct EverythingParams {
    /// `_since`, `_type`, `_count`, `start`, `end`, decoded, in any order; or `_cursor` alone.
    pub pairs: Vec<(String, String)>,
}

impl Session {
    /// Everything about a Patient, or an Encounter.
    ///
    /// # Errors
    /// `record.read.not-found` or `record.read.gone` for the focus; codes `search.*` for parameters.
    pub fn everything(
        &self,
        focus_type: TypeId,
        id: &str,
        params: EverythingParams,
        how: &SearchHow,
    ) -> Result<Audited<Found>, Fault> {
        let mut event = self.event(Kind::Operation);
        event.targets.push(trail::target(focus_type, id, None));
        match self.gather(focus_type, id, params.pairs, how) {
            Ok(found) => {
                trail::shows(&mut event, found.page.matches.iter().chain(&found.page.included));
                self.audited(&event, found)
            }
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    fn gather(
        &self,
        focus_type: TypeId,
        id: &str,
        pairs: Vec<(String, String)>,
        how: &SearchHow,
    ) -> Result<Found, Fault> {
        let name = r4().name(focus_type);
        if !matches!(name, "Patient" | "Encounter") {
            let text = "$everything exists for Patient and Encounter";
            return Err(Fault::new(&code::NOT_SUPPORTED, text));
        }
        let level = vec![name.to_owned(), id.to_owned()];
        let sealed = pairs.iter().find(|(n, _)| n == crate::find::CURSOR).map(|(_, v)| v);
        let mut cursor = match sealed {
            Some(sealed) => Cursor::open(self, sealed)?,
            None => Cursor { everything: true, level: level.clone(), pairs, position: None },
        };
        if !cursor.everything || cursor.level != level {
            let text = "the link belongs to another search; follow it as it was given";
            return Err(Fault::new(&code::SEARCH_CURSOR, text));
        }
        // The focus must be there, and be visible.
        self.look(focus_type, id, None)?;
        let search = self.everything_search(focus_type, id, &cursor.pairs, how)?;
        let scope = self.scope(Action::Search)?;
        let reader = self.gate.store.reader(&scope)?;
        let mut page = reader.search(&search, &self.page_request(&search, cursor.position))?;
        // A link that is hidden leads nowhere.
        self.prune_all(&mut page.matches)?;
        self.supporting(&reader, name, &mut page)?;
        self.prune_all(&mut page.included)?;
        drop(reader);
        let mut link = |position| {
            cursor.position = position;
            cursor.seal(self)
        };
        let next = page.next.map(|at| link(Some(at)));
        let previous = page.previous.map(|at| link(Some(at)));
        let first = link(None);
        Ok(Found { page, search, first, next, previous })
    }

    fn everything_search(
        &self,
        focus_type: TypeId,
        id: &str,
        pairs: &[(String, String)],
        how: &SearchHow,
    ) -> Result<Search, Fault> {
        let (mut plain, mut types, mut dates) = (Vec::new(), None::<HashSet<TypeId>>, Vec::new());
        for (name, value) in pairs {
            match name.as_str() {
                "_since" => plain.push(("_lastUpdated".to_owned(), format!("ge{value}"))),
                "_count" | "_format" | "_pretty" | "_summary" | "_elements" | "_total" => {
                    plain.push((name.clone(), value.clone()));
                }
                "_type" => {
                    let named = value.split(',').map(|n| {
                        r4().resource_type(n).ok_or_else(|| {
                            let text = "the value names something that is not a resource type";
                            Fault::at(&code::SEARCH_VALUE, text, "_type")
                        })
                    });
                    let named: HashSet<TypeId> = named.collect::<Result<_, _>>()?;
                    types = Some(match types {
                        Some(earlier) => earlier.intersection(&named).copied().collect(),
                        None => named,
                    });
                }
                "start" | "end" => {
                    let range = fhir::date::parse(value).ok_or_else(|| {
                        Fault::at(&code::SEARCH_VALUE, "the value is not a date", name.clone())
                    })?;
                    let prefix = if name == "start" { Prefix::Ge } else { Prefix::Le };
                    dates.push(Match::Date { prefix, range });
                }
                _ => {
                    let text = "$everything takes _since, _type, _count, start and end";
                    return Err(Fault::at(&code::SEARCH_PARAMETER_UNKNOWN, text, name.clone()));
                }
            }
        }
        let level = Level::Compartment { focus_type, id: id.to_owned(), of: None };
        let mut search = search::parse::parse(&level, &plain, &self.options(how))?;
        // The self link says what was asked, not how it was carried out.
        search.understood = pairs.to_vec();
        if let Some(types) = types {
            search.types.retain(|of| types.contains(of));
            if search.types.is_empty() {
                // Nothing of these types belongs to the compartment; no type at all would mean any.
                search.filters.push(Filter::Id { any: Vec::new(), negate: false });
            }
        }
        if !dates.is_empty() {
            let atoms: Vec<AtomId> =
                search.types.iter().filter_map(|of| registry().primary_date(*of)).collect();
            for date in dates {
                // Records without a date of care (the patient, allergies ...) belong to any time.
                search.filters.push(Filter::Any(vec![
                    Filter::Match {
                        name: "date".to_owned(),
                        atoms: atoms.clone(),
                        any: vec![date],
                        negate: false,
                    },
                    Filter::Missing {
                        name: "date".to_owned(),
                        atoms: atoms.clone(),
                        missing: true,
                    },
                ]));
            }
        }
        Ok(search)
    }

    /// Adds what the page refers to and no compartment of its kind holds: practitioners,
    /// organizations, locations, medications, devices; for an encounter its patient as well.
    fn supporting(
        &self,
        reader: &Scoped<'_, Reader>,
        focus: &str,
        page: &mut Page,
    ) -> Result<(), Fault> {
        let mut known: HashSet<(TypeId, String)> =
            page.matches.iter().map(|hit| (hit.resource_type, hit.id.clone())).collect();
        let mut wanted = Vec::new();
        for hit in &page.matches {
            for (of, id) in references(hit) {
                let outside = registry().compartment("Patient", of).is_none()
                    || (focus == "Encounter" && r4().name(of) == "Patient");
                if outside && known.insert((of, id.clone())) {
                    wanted.push((of, id));
                }
            }
        }
        for (of, id) in wanted {
            if let Some(hit) = reader.read(of, &id)?.filter(|hit| !hit.deleted) {
                if page.included.len() >= self.limits().include_max {
                    let text = "ask for fewer records a page with _count";
                    return Err(Fault::new(&code::INCLUDE_TOO_MANY, text));
                }
                page.included.push(hit);
            }
        }
        Ok(())
    }
}

/// The records here that a stored version refers to.
fn references(hit: &Hit) -> Vec<(TypeId, String)> {
    let mut out = Vec::new();
    people::references(&hit.body, |text| {
        if let Some(Reference::Relative(target)) = parse(text)
            && let Some(of) = r4().resource_type(target.resource_type)
        {
            out.push((of, target.id.to_owned()));
        }
    });
    out
}
