//! Single writes (<https://hl7.org/fhir/R4/http.html#create>, `#update`, `#delete`): validated
//! first, stored by one unit of work, answered after the sync.

use crate::condition::{self, TRIES};
use crate::people::Patients;
use crate::ruling::Note;
use crate::session::Session;
use crate::site;
use crate::trail;
use audit::{Event, Kind};
use base::error::code;
use base::{Fault, Issue, Millis};
use fhir::definitions::{TypeId, r4};
use fhir::reference::is_id;
use fhir::{Document, Value};
use std::sync::Arc;
use store::{Guard, Hit, Method, Op, Prepared, Receipt, Unit};

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
            for _ in 0..TRIES {
                let op = Op::Delete { resource_type: of, id: id.to_owned(), if_match };
                let unit = Unit { ops: vec![op], ..Unit::default() };
                match self.commit(unit, event.clone()).await {
                    // What a rule looked at changed in between.
                    Err(fault) if condition::is_raced(&fault) => {}
                    outcome => return outcome.map(|receipt| deleted(&receipt)),
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
                let content = self.prepare(of, self.gate.store.new_id(), body, false)?;
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
            let may_create = self.may_name_ids();
            let make = |content| Op::Update { content, if_match, may_create, skip_same: false };
            for _ in 0..TRIES {
                let guards = match if_none_match_star {
                    true => vec![self.absent(of, id)?],
                    false => Vec::new(),
                };
                self.keeps_hidden(of, id)?;
                let content = self.prepare(of, id.to_owned(), body, true)?;
                let (event, warnings) = (event.clone(), warnings.clone());
                match self.put_update(make, content, guards, event, warnings).await {
                    // Labels, or the rules of them, changed in between.
                    Err(fault) if condition::is_raced(&fault) => {}
                    outcome => return outcome,
                }
            }
            Err(raced())
        };
        let outcome = outcome.await;
        outcome.map_err(|fault| self.refused(event, fault))
    }

    /// A conditional create that found its record there.
    async fn existing(&self, of: TypeId, id: &str, warnings: Vec<Issue>) -> Result<Written, Fault> {
        let mut hit = self.look(of, id, None)?;
        let mut event = self.event(Kind::Create);
        event.targets.push(trail::target(of, id, Some(hit.version)));
        trail::shows(&mut event, [&hit]);
        self.gate.log.append(&event)?.written().await?;
        self.prune(&mut hit)?;
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

    /// Everything that can be done to a body before the writer. `replaces` when there may be a version
    /// before.
    pub(crate) fn prepare(
        &self,
        of: TypeId,
        id: String,
        body: Value<'_>,
        replaces: bool,
    ) -> Result<Prepared, Fault> {
        let mut content = self.labelled(of, id, body, replaces)?;
        let (author, site) = self.writer();
        content.author = author;
        content.site = site::of(of, body).or(site).or_else(|| self.gate.settings.site.clone());
        Ok(content)
    }

    /// Whether an update may bring a record into being under the id it names.
    pub(crate) fn may_name_ids(&self) -> bool {
        self.gate.settings.create_by_update && self.names_ids()
    }

    pub(crate) async fn put_update(
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
        let unit = Unit { ops: vec![make(Box::new(content))], guards, ..Unit::default() };
        let receipt = self.commit(unit, event).await?;
        let result = receipt.results.first();
        let version = result.map_or(1, |r| r.version);
        let body =
            store::body::resource_text(r4().name(of), &id, version, receipt.last_updated, &text)?;
        let mut hit = Hit {
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
        };
        self.prune(&mut hit)?;
        Ok(hit)
    }

    /// Hands a unit to the writer and waits for the sync. Its audit event is stored with it; a unit
    /// that turns out to change nothing leaves its event in the log at once.
    pub(crate) async fn commit(&self, mut unit: Unit, event: Event) -> Result<Receipt, Fault> {
        self.keeps_audit_events(&unit)?;
        let own = unit.ops.len();
        let notes = self.ruled(&mut unit)?;
        let idle = event.clone();
        let receiver = self.submit_noted(unit, event, notes);
        let closed = |_| Err(Fault::new(&code::SHUTTING_DOWN, "the store has closed"));
        let mut receipt = receiver.await.unwrap_or_else(closed)?;
        // What rules changed beside is in the log, and nothing that was asked for.
        receipt.results.truncate(own);
        if receipt.results.iter().all(|r| !r.changed) {
            self.gate.log.append(&idle)?.written().await?;
        }
        Ok(receipt)
    }

    /// As [`Session::commit`], without waiting, and without the rules of departments.
    pub(crate) fn submit(
        &self,
        unit: Unit,
        event: Event,
    ) -> tokio::sync::oneshot::Receiver<Result<Receipt, Fault>> {
        self.submit_noted(unit, event, Vec::new())
    }

    fn submit_noted(
        &self,
        mut unit: Unit,
        event: Event,
        notes: Vec<Note>,
    ) -> tokio::sync::oneshot::Receiver<Result<Receipt, Fault>> {
        unit.rights = self.rights();
        unit.events = Some(Box::new(move |receipt| {
            let targets = trail::changed(&receipt.results);
            if targets.is_empty() {
                return Vec::new();
            }
            let results = targets.len() as u64;
            let created = receipt.results.first().is_some_and(|r| r.created);
            let status = if event.kind == Kind::Update && created { 201 } else { event.status };
            let time = receipt.last_updated;
            let noted = notes.into_iter().filter_map(|note| note.event(&event, receipt));
            let mut events: Vec<_> = noted.map(|event| event.encode()).collect();
            events.insert(0, Event { targets, results, time, status, ..event }.encode());
            events
        }));
        let (sender, receiver) = tokio::sync::oneshot::channel();
        // The caller may have gone away; the change stands all the same.
        let consents = Arc::clone(&self.gate.consents);
        let touched = consents.among(&unit.ops);
        let done = Box::new(move |outcome| {
            // Whoever is told that a consent was revoked finds it revoked.
            consents.touched(touched);
            drop(sender.send(outcome));
        });
        self.gate.store.submit(unit, done);
        receiver
    }
}

pub(crate) fn deleted(receipt: &Receipt) -> Deleted {
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
