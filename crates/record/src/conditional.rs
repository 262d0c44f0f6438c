//! Conditional update and delete (<https://hl7.org/fhir/R4/http.html#cond-update>,
//! `#delete`), and what conditional creates share with them: a search decides, a guard holds it to its answer, and a
//! lost race is tried again.

use crate::condition::{self, TRIES};
use crate::people::Patients;
use crate::session::Session;
use crate::write::{Deleted, Written, deleted, raced};
use access::Action;
use audit::{Kind, Target};
use base::Fault;
use base::error::code;
use fhir::definitions::{TypeId, r4};
use fhir::{Document, Value};
use search::query::Search;
use store::{Guard, Op, PageRequest, Unit};

/// What a condition matches, whose it is, and what holds it to that.
struct ToDelete {
    ids: Vec<String>,
    patients: Vec<String>,
    guards: Vec<Guard>,
}

impl Session {
    /// Updates the one record that a search matches, or creates one.
    ///
    /// # Errors
    /// As [`Session::update`]; `record.write.multiple-matches`.
    pub async fn conditional_update(
        &self,
        of: TypeId,
        query: &str,
        body: Document,
        if_match: Option<u64>,
    ) -> Result<Written, Fault> {
        self.conditional_update_value(of, query, body.root(), if_match).await
    }

    /// Deletes what a search matches: at most one record, or all of them when `multiple`.
    ///
    /// # Errors
    /// `record.write.multiple-matches` when there are more than one, or more than a bundle may have.
    pub async fn conditional_delete(
        &self,
        of: TypeId,
        query: &str,
        multiple: bool,
    ) -> Result<Deleted, Fault> {
        let mut event = self.event(Kind::Delete);
        event.status = 204;
        event.targets.push(Target::of_type(r4().name(of)));
        let outcome = async {
            self.may_write()?;
            let search = self.condition(of, query)?;
            for _ in 0..TRIES {
                let ToDelete { ids, patients, guards } = self.to_delete(&search, multiple)?;
                event.patients = patients;
                let ops = ids.iter().map(|id| Op::Delete {
                    resource_type: of,
                    id: id.clone(),
                    if_match: None,
                });
                let unit = Unit { ops: ops.collect(), guards, ..Unit::default() };
                match self.commit(unit, event.clone()).await {
                    Err(fault) if condition::is_raced(&fault) => {}
                    Err(fault) => return Err(fault),
                    Ok(receipt) => return Ok(deleted(&receipt)),
                }
            }
            Err(raced())
        };
        let outcome = outcome.await;
        outcome.map_err(|fault| self.refused(event, fault))
    }

    pub(crate) async fn conditional_update_value(
        &self,
        of: TypeId,
        query: &str,
        body: Value<'_>,
        if_match: Option<u64>,
    ) -> Result<Written, Fault> {
        let mut event = self.event(Kind::Update);
        event.targets.push(Target::of_type(r4().name(of)));
        let outcome = async {
            self.may_write()?;
            let warnings = self.check(of, body)?;
            let search = self.condition(of, query)?;
            let own = body.get_str("id");
            for _ in 0..TRIES {
                let (found, guard) = self.decide(&search)?;
                let id = self.id_for_conditional(found, own.as_deref())?;
                self.keeps_hidden(of, &id)?;
                let content = self.prepare(of, id, body, true)?;
                let (event, warnings) = (event.clone(), warnings.clone());
                let make =
                    |content| Op::Update { content, if_match, may_create: true, skip_same: false };
                match self.put_update(make, content, vec![guard], event, warnings).await {
                    Err(fault) if condition::is_raced(&fault) => {}
                    other => return other,
                }
            }
            Err(raced())
        };
        let outcome = outcome.await;
        outcome.map_err(|fault| self.refused(event, fault))
    }

    /// The id a conditional update stores under (<https://hl7.org/fhir/R4/http.html#cond-update>).
    pub(crate) fn id_for_conditional(
        &self,
        found: Option<String>,
        own: Option<&str>,
    ) -> Result<String, Fault> {
        match (found, own) {
            (Some(found), Some(own)) if found != own => Err(Fault::at(
                &code::RESOURCE_ID_MISMATCH,
                "the body's id is not that of the record the condition matches",
                "id",
            )),
            (Some(found), _) => Ok(found),
            (None, Some(_)) if !self.may_name_ids() => Err(Fault::new(
                &code::CREATE_BY_UPDATE_OFF,
                "nothing matches, and the body names an id; leave it out",
            )),
            (None, Some(own)) => Ok(own.to_owned()),
            (None, None) => Ok(self.gate.store.new_id()),
        }
    }

    /// Runs a condition on a fresh snapshot: what it found, and the guard that holds it.
    pub(crate) fn decide(&self, search: &Search) -> Result<(Option<String>, Guard), Fault> {
        let scope = self.scope(Action::Search)?;
        let reader = self.gate.store.reader(&scope)?;
        let found = self.matches(&reader, search)?.at_most_one()?;
        let guard = condition::guard(search.clone(), found.as_deref(), &reader)?;
        Ok((found, guard))
    }

    /// `If-None-Match: *`: the guard that there is no such record, or the refusal.
    pub(crate) fn absent(&self, of: TypeId, id: &str) -> Result<Guard, Fault> {
        let scope = self.scope_of(Action::Read, of)?;
        let reader = self.gate.store.reader(&scope)?;
        if reader.read(of, id)?.is_some_and(|hit| !hit.deleted) {
            let text = "the record exists; If-None-Match: * asks that it does not";
            return Err(Fault::new(&code::PRECONDITION_FAILED, text));
        }
        condition::guard(condition::by_id(of, id), None, &reader)
    }

    fn to_delete(&self, search: &Search, multiple: bool) -> Result<ToDelete, Fault> {
        let scope = self.scope(Action::Search)?;
        let reader = self.gate.store.reader(&scope)?;
        let limits = self.limits();
        let (mut ids, mut patients) = (Vec::new(), Patients::default());
        let mut request = PageRequest {
            count: if multiple { limits.page_max } else { 2 },
            position: None,
            include_max: 0,
            steps_max: limits.search_steps,
        };
        loop {
            let page = reader.search(search, &request)?;
            for hit in page.matches {
                patients.of_hit(&hit);
                ids.push(hit.id);
            }
            if (!multiple && ids.len() > 1) || ids.len() > limits.bundle_entries {
                let text = "the condition matches more records than may be deleted at once";
                return Err(Fault::new(&code::MULTIPLE_MATCHES, text));
            }
            match page.next.filter(|_| multiple) {
                Some(next) => request.position = Some(next),
                None => {
                    let one = ids.first().map(String::as_str);
                    let guard = || condition::guard(search.clone(), one, &reader);
                    let guards = if multiple { Vec::new() } else { vec![guard()?] };
                    let patients = patients.into_ids();
                    return Ok(ToDelete { ids, patients, guards });
                }
            }
        }
    }
}
