//! Single writes (<https://hl7.org/fhir/R4/http.html#create>, `#update`, `#delete`, and their
//! conditional forms): validated first, stored by one unit of work, answered after the sync.

use crate::condition::{self, TRIES};
use crate::labels::labels_of;
use crate::people::Patients;
use crate::session::Session;
use crate::trail;
use audit::{Event, Kind};
use base::error::code;
use base::{Fault, Issue, Millis};
use fhir::definitions::{TypeId, r4};
use fhir::reference::is_id;
use fhir::{Document, Value};
use store::{Guard, Hit, Method, Op, PageRequest, Prepared, Receipt, Unit};

/// What a create or update did.
#[derive(Debug, Clone)]
pub struct Written {
    /// The record as it is now, complete.
    pub hit: Hit,
    /// It came into being by this.
    pub created: bool,
    /// A version was written. Not when a conditional create found the record there.
    pub changed: bool,
    /// What validation remarked without refusing.
    pub warnings: Vec<Issue>,
}

/// What a delete did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleted {
    /// Records deleted by this; 0 when there was none, or none any more.
    pub count: usize,
    /// The version that is the deletion, when one record was named and ever existed.
    pub version: Option<u64>,
    /// When.
    pub last_updated: Millis,
}

impl Session {
    /// Stores a new record under an id of the server's choice; with `if_none_exist`, only when the
    /// search it holds matches nothing. When it matches one record, that one is answered.
    ///
    /// # Errors
    /// Codes of `fhir.*` and `validation.*` for the body; `record.write.multiple-matches`.
    pub async fn create(
        &self,
        of: TypeId,
        body: Document,
        if_none_exist: Option<String>,
    ) -> Result<Written, Fault> {
        self.create_value(of, body.root(), if_none_exist.as_deref()).await
    }

    /// Stores a version of a record under the id given.
    ///
    /// # Errors
    /// As [`Session::create`]; `record.write.version-conflict` when `if_match` is not its version;
    /// `record.write.precondition-failed` when it exists against `if_none_match_star`;
    /// `record.write.create-by-update-off`.
    pub async fn update(
        &self,
        of: TypeId,
        id: &str,
        body: Document,
        if_match: Option<u64>,
        if_none_match_star: bool,
    ) -> Result<Written, Fault> {
        self.update_value(of, id, body.root(), if_match, if_none_match_star).await
    }

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

    /// Deletes a record. Deleting what is not there changes nothing.
    ///
    /// # Errors
    /// `record.write.version-conflict` when `if_match` is not its version.
    pub async fn delete(
        &self,
        of: TypeId,
        id: &str,
        if_match: Option<u64>,
    ) -> Result<Deleted, Fault> {
        let mut event = self.event(Kind::Delete);
        event.status = 204;
        event.targets.push(trail::target(of, id, None));
        let outcome = async {
            self.may_write()?;
            let mut patients = Patients::default();
            if let Ok(before) = self.look(of, id, None) {
                patients.of_hit(&before);
            }
            event.patients = patients.into_ids();
            let op = Op::Delete { resource_type: of, id: id.to_owned(), if_match };
            let unit = Unit { ops: vec![op], ..Unit::default() };
            let receipt = self.commit(unit, event.clone()).await?;
            Ok(deleted(&receipt))
        };
        let outcome = outcome.await;
        outcome.map_err(|fault| self.refused(event, fault))
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
        event.targets.push(audit::Target::of_type(r4().name(of)));
        let outcome = async {
            self.may_write()?;
            let search = self.condition(of, query)?;
            for _ in 0..TRIES {
                let (ids, patients, as_of) = self.to_delete(&search, multiple)?;
                event.patients = patients;
                let one = ids.first().map(String::as_str);
                let guards = match multiple {
                    true => Vec::new(),
                    false => vec![condition::guard(search.clone(), one, as_of)],
                };
                let ops = ids.iter().map(|id| Op::Delete {
                    resource_type: of,
                    id: id.clone(),
                    if_match: None,
                });
                let unit = Unit { ops: ops.collect(), guards, events: None };
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

    pub(crate) async fn create_value(
        &self,
        of: TypeId,
        body: Value<'_>,
        if_none_exist: Option<&str>,
    ) -> Result<Written, Fault> {
        let mut event = self.event(Kind::Create);
        event.targets.push(audit::Target::of_type(r4().name(of)));
        event.status = 201;
        let outcome = async {
            self.may_write()?;
            let warnings = self.check(of, body)?;
            let search = if_none_exist.map(|text| self.condition(of, text)).transpose()?;
            for _ in 0..TRIES {
                let guards = match &search {
                    None => Vec::new(),
                    Some(search) => match self.decide(search)? {
                        (Some(id), _) => return self.existing(of, &id, warnings).await,
                        (None, guard) => vec![guard],
                    },
                };
                let content = self.prepare(of, self.gate.store.new_id(), body)?;
                match self.put(Op::Create, content, guards, event.clone()).await {
                    Err(fault) if condition::is_raced(&fault) => {}
                    Err(fault) => return Err(fault),
                    Ok(hit) => return Ok(Written { hit, created: true, changed: true, warnings }),
                }
            }
            Err(raced())
        };
        let outcome = outcome.await;
        outcome.map_err(|fault| self.refused(event, fault))
    }

    pub(crate) async fn update_value(
        &self,
        of: TypeId,
        id: &str,
        body: Value<'_>,
        if_match: Option<u64>,
        if_none_match_star: bool,
    ) -> Result<Written, Fault> {
        let mut event = self.event(Kind::Update);
        event.targets.push(trail::target(of, id, None));
        let outcome = async {
            self.may_write()?;
            same_id(body, id)?;
            let warnings = self.check(of, body)?;
            let guards = match if_none_match_star {
                true => vec![self.absent(of, id)?],
                false => Vec::new(),
            };
            let content = self.prepare(of, id.to_owned(), body)?;
            let may_create = self.gate.settings.create_by_update;
            let make = |content| Op::Update { content, if_match, may_create, skip_same: false };
            self.put_update(make, content, guards, event.clone(), warnings).await
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
        event.targets.push(audit::Target::of_type(r4().name(of)));
        let outcome = async {
            self.may_write()?;
            let warnings = self.check(of, body)?;
            let search = self.condition(of, query)?;
            let own = body.get_str("id");
            for _ in 0..TRIES {
                let (found, guard) = self.decide(&search)?;
                let id = self.id_for_conditional(found, own.as_deref())?;
                let content = self.prepare(of, id, body)?;
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
            (None, Some(_)) if !self.gate.settings.create_by_update => Err(Fault::new(
                &code::CREATE_BY_UPDATE_OFF,
                "nothing matches, and the body names an id; leave it out",
            )),
            (None, Some(own)) => Ok(own.to_owned()),
            (None, None) => Ok(self.gate.store.new_id()),
        }
    }

    /// Runs a condition on a fresh snapshot: what it found, and the guard that holds it.
    fn decide(&self, search: &search::query::Search) -> Result<(Option<String>, Guard), Fault> {
        let reader = self.gate.store.reader(&self.subject.scope)?;
        let found = self.matches(&reader, search)?.at_most_one()?;
        let guard = condition::guard(search.clone(), found.as_deref(), reader.snapshot());
        Ok((found, guard))
    }

    /// `If-None-Match: *`: the guard that there is no such record, or the refusal.
    pub(crate) fn absent(&self, of: TypeId, id: &str) -> Result<Guard, Fault> {
        let reader = self.gate.store.reader(&self.subject.scope)?;
        if reader.read(of, id)?.is_some_and(|hit| !hit.deleted) {
            let text = "the record exists; If-None-Match: * asks that it does not";
            return Err(Fault::new(&code::PRECONDITION_FAILED, text));
        }
        Ok(condition::guard(condition::by_id(of, id), None, reader.snapshot()))
    }

    /// A conditional create that found its record there.
    async fn existing(&self, of: TypeId, id: &str, warnings: Vec<Issue>) -> Result<Written, Fault> {
        let hit = self.look(of, id, None)?;
        let mut event = self.event(Kind::Create);
        event.targets.push(trail::target(of, id, Some(hit.version)));
        trail::shows(&mut event, [&hit]);
        self.gate.log.append(&event)?.written().await?;
        Ok(Written { hit, created: false, changed: false, warnings })
    }

    /// Validates a body against the type asked for and the limits; answers the warnings.
    pub(crate) fn check(&self, of: TypeId, body: Value<'_>) -> Result<Vec<Issue>, Fault> {
        type_of(body, Some(of))?;
        self.check_size(body)?;
        let issues = validation::validate(body, &validation::Options::default());
        match issues.iter().any(|i| i.severity >= base::Severity::Error) {
            true => Err(Fault { issues }),
            false => Ok(issues),
        }
    }

    pub(crate) fn check_size(&self, body: Value<'_>) -> Result<(), Fault> {
        let most = self.limits().resource_bytes;
        if body.raw().len() > most {
            let text = format!("a resource may have {most} bytes");
            return Err(Fault::new(&code::RESOURCE_TOO_LARGE, text));
        }
        Ok(())
    }

    /// Everything that can be done to a body before the writer.
    pub(crate) fn prepare(
        &self,
        of: TypeId,
        id: String,
        body: Value<'_>,
    ) -> Result<Prepared, Fault> {
        self.gate.store.prepare(body, of, id, labels_of(body))
    }

    async fn put_update(
        &self,
        make: impl FnOnce(Box<Prepared>) -> Op,
        content: Prepared,
        guards: Vec<Guard>,
        event: Event,
        warnings: Vec<Issue>,
    ) -> Result<Written, Fault> {
        let hit = self.put(make, content, guards, event).await?;
        let created = hit.method == Method::Create;
        Ok(Written { hit: Hit { method: Method::Update, ..hit }, created, changed: true, warnings })
    }

    /// Commits one content and answers it as stored. The method of the answer is `Create` when the
    /// record came into being.
    async fn put(
        &self,
        make: impl FnOnce(Box<Prepared>) -> Op,
        content: Prepared,
        guards: Vec<Guard>,
        mut event: Event,
    ) -> Result<Hit, Fault> {
        let mut patients = Patients::default();
        patients.of_prepared(&content);
        event.patients = patients.into_ids();
        event.bytes = content.text.len() as u64;
        let (of, id, text) = (content.resource_type, content.id.clone(), content.text.clone());
        let unit = Unit { ops: vec![make(Box::new(content))], guards, events: None };
        let receipt = self.commit(unit, event).await?;
        let result = receipt.results.first();
        let version = result.map_or(1, |r| r.version);
        let body =
            store::body::resource_text(r4().name(of), &id, version, receipt.last_updated, &text)?;
        Ok(Hit {
            resource_type: of,
            id,
            version,
            last_updated: receipt.last_updated,
            method: match result {
                Some(result) if result.created => Method::Create,
                _ => Method::Update,
            },
            deleted: false,
            body,
        })
    }

    /// Hands a unit to the writer and waits for the sync. Its audit event is stored with it; a unit
    /// that turns out to change nothing leaves its event in the log at once.
    pub(crate) async fn commit(&self, unit: Unit, event: Event) -> Result<Receipt, Fault> {
        let idle = event.clone();
        let receiver = self.submit(unit, event);
        let closed = |_| Err(Fault::new(&code::SHUTTING_DOWN, "the store has closed"));
        let receipt = receiver.await.unwrap_or_else(closed)?;
        if receipt.results.iter().all(|r| !r.changed) {
            self.gate.log.append(&idle)?.written().await?;
        }
        Ok(receipt)
    }

    /// As [`Session::commit`], without waiting.
    pub(crate) fn submit(
        &self,
        mut unit: Unit,
        event: Event,
    ) -> tokio::sync::oneshot::Receiver<Result<Receipt, Fault>> {
        unit.events = Some(Box::new(move |receipt| {
            let targets = trail::changed(&receipt.results);
            if targets.is_empty() {
                return Vec::new();
            }
            let results = targets.len() as u64;
            let created = receipt.results.first().is_some_and(|r| r.created);
            let status = if event.kind == Kind::Update && created { 201 } else { event.status };
            let time = receipt.last_updated;
            vec![Event { targets, results, time, status, ..event }.encode()]
        }));
        let (sender, receiver) = tokio::sync::oneshot::channel();
        // The caller may have gone away; the change stands all the same.
        let done = Box::new(move |outcome| drop(sender.send(outcome)));
        self.gate.store.submit(unit, done);
        receiver
    }

    fn to_delete(
        &self,
        search: &search::query::Search,
        multiple: bool,
    ) -> Result<(Vec<String>, Vec<String>, u64), Fault> {
        let reader = self.gate.store.reader(&self.subject.scope)?;
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
                None => return Ok((ids, patients.into_ids(), reader.snapshot())),
            }
        }
    }
}

fn deleted(receipt: &Receipt) -> Deleted {
    Deleted {
        count: receipt.results.iter().filter(|r| r.changed).count(),
        version: match receipt.results.as_slice() {
            [one] => Some(one.version).filter(|v| *v > 0),
            _ => None,
        },
        last_updated: receipt.last_updated,
    }
}

/// The type a body says it has; a fault when it is none or not the one asked for.
pub(crate) fn type_of(body: Value<'_>, wanted: Option<TypeId>) -> Result<TypeId, Fault> {
    let Some(name) = body.get_str("resourceType") else {
        let text = "a resource is a JSON object that names its type in resourceType";
        return Err(Fault::new(&code::RESOURCE_NOT_OBJECT, text));
    };
    match (r4().resource_type(&name), wanted) {
        (Some(of), Some(wanted)) if of != wanted => Err(Fault::at(
            &code::RESOURCE_TYPE_MISMATCH,
            format!("the address asks for {}, the body is another type", r4().name(wanted)),
            "resourceType",
        )),
        (Some(of), _) => Ok(of),
        (None, _) => Err(Fault::at(
            // In a body it is the sender's mistake, not an address that leads nowhere.
            &code::RESOURCE_TYPE_MISMATCH,
            "resourceType names no resource type of FHIR R4",
            "resourceType",
        )),
    }
}

/// The body of an update carries the id of its address.
pub(crate) fn same_id(body: Value<'_>, id: &str) -> Result<(), Fault> {
    if !is_id(id) {
        let text = "an id has 1 to 64 letters, digits, hyphens and full stops";
        return Err(Fault::new(&code::RESOURCE_ID_INVALID, text));
    }
    match body.get_str("id") {
        Some(own) if own == id => Ok(()),
        Some(_) => {
            let text = "the id in the body differs from the one in the address";
            Err(Fault::at(&code::RESOURCE_ID_MISMATCH, text, "id"))
        }
        None => {
            let text = "the body of an update carries the id of its address";
            Err(Fault::at(&code::RESOURCE_ID_MISSING, text, "id"))
        }
    }
}

/// What an interaction is refused with that lost every race.
pub(crate) fn raced() -> Fault {
    let text = "other requests keep changing what the condition matches; try again";
    Fault::new(&code::PRECONDITION_FAILED, text)
}
