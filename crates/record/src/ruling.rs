//! Rules asked: each write of a unit is put to the rules of its type on one snapshot, and what they
//! demand becomes part of the unit, where the writer holds it (`rule.rs`).

use crate::rule::{Also, Asking, Eyes, Forbid, Rule};
use crate::session::Session;
use crate::trail;
use access::Action;
use audit::{Event, Kind};
use base::error::code;
use base::{Fault, Severity};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use search::parse::{Level, parse};
use std::collections::HashSet;
use std::sync::Arc;
use store::{Hit, Method, Op, PageRequest, Reader, Receipt, Scope, Scoped, Unit, Watch};

/// Records that one condition of a rule looks at, at most: what a clinician has in two days is a
/// twentieth of it.
const CANDIDATES_MAX: usize = 2_000;
/// Of them at a time.
const CANDIDATES_PAGE: usize = 200;

/// What the access log tells of a write beside the write.
#[derive(Debug)]
pub(crate) struct Note {
    kind: Kind,
    resource_type: TypeId,
    id: String,
    patients: Vec<String>,
}

impl Note {
    /// Its event, when the record was changed.
    pub(crate) fn event(self, like: &Event, receipt: &Receipt) -> Option<Event> {
        let same = |r: &&store::OpResult| r.resource_type == self.resource_type && r.id == self.id;
        let result = receipt.results.iter().find(same).filter(|result| result.changed)?;
        let target = trail::target(self.resource_type, &self.id, Some(result.version));
        Some(Event {
            kind: self.kind,
            targets: vec![target],
            results: 1,
            bytes: 0,
            time: receipt.last_updated,
            patients: self.patients,
            ..like.clone()
        })
    }
}

impl Session {
    /// The rules of all departments.
    fn rules(&self) -> impl Iterator<Item = &'static Rule> {
        self.gate.settings.departments.iter().flat_map(|department| department.rules)
    }

    /// Whether a rule is asked of writes of a type: such a write looks around before it is made.
    pub fn is_ruled(&self, of: TypeId) -> bool {
        let name = r4().name(of);
        self.rules().any(|rule| rule.types.contains(&name))
    }

    /// Puts a unit to the rules: adds what they demand, or refuses it. Answers what the access log is to
    /// tell beside.
    pub(crate) fn ruled(&self, unit: &mut Unit) -> Result<Vec<Note>, Fault> {
        self.keeps_links(unit)?;
        if !unit.ops.iter().any(|op| self.is_ruled(record_of(op).0)) {
            return Ok(Vec::new());
        }
        let house = Scope::everything();
        let reader = self.gate.store.reader(&house)?;
        // Taken first: what comes between is judged twice rather than not at all.
        let as_of = reader.snapshot()?;
        let writes: HashSet<(TypeId, String)> =
            unit.ops.iter().map(record_of).map(|(of, id)| (of, id.to_owned())).collect();
        let mut fresh = Vec::new();
        for op in &unit.ops {
            fresh.extend(self.as_it_will_be(op)?);
        }
        let written = Arc::new(writes);
        let (mut watches, mut notes) = (Vec::new(), Vec::new());
        let mut also: Vec<Also> = Vec::new();
        for op in &unit.ops {
            let (of, id) = record_of(op);
            let name = r4().name(of);
            if !self.is_ruled(of) {
                continue;
            }
            let before = self.as_it_is(of, id)?;
            let after = fresh.iter().find(|hit| hit.resource_type == of && hit.id == id);
            let after = after.map(|hit| Document::parse(hit.body.clone(), self.limits()));
            let after = after.transpose()?;
            if before.is_some() {
                watches.push(unchanged(of, id, as_of));
            }
            let asking = Asking {
                session: self,
                reader: &reader,
                writes: &written,
                fresh: &fresh,
                resource_type: name,
                id,
                before: before.as_ref().map(Document::root),
                after: after.as_ref().map(Document::root),
            };
            for rule in self.rules().filter(|rule| rule.types.contains(&name)) {
                let ruling = (rule.ask)(&asking)?;
                for forbid in ruling.forbids {
                    if asking.is_met(&forbid)? {
                        return Err(forbid.fault);
                    }
                    watches.push(self.watch(forbid, as_of, Arc::clone(&written))?);
                }
                for (kind, id) in ruling.unchanged {
                    watches.extend(r4().resource_type(kind).map(|of| unchanged(of, &id, as_of)));
                }
                let other = |also: &Also| !asking.is_written(also.resource_type, &also.id);
                also.extend(ruling.also.into_iter().filter(other));
                notes.extend(ruling.notes.into_iter().map(|kind| Note {
                    kind,
                    resource_type: of,
                    id: id.to_owned(),
                    patients: patients_of(op),
                }));
            }
        }
        drop(reader);
        for also in also {
            unit.ops.push(self.also(&also)?);
            watches.extend(
                r4().resource_type(also.resource_type).map(|of| unchanged(of, &also.id, as_of)),
            );
        }
        unit.watches.append(&mut watches);
        Ok(notes)
    }

    /// Whether a record that a reader sees, and that this unit does not write anyway, stands in the way.
    pub(crate) fn any_against(
        &self,
        reader: &Scoped<'_, Reader>,
        forbid: &Forbid,
        writes: &HashSet<(TypeId, String)>,
    ) -> Result<bool, Fault> {
        let Some(of) = r4().resource_type(forbid.resource_type) else { return Ok(false) };
        let options = self.condition_options(None);
        let search = parse(&Level::Type(of), &forbid.among, &options)?;
        let mut request = PageRequest {
            count: CANDIDATES_PAGE,
            position: None,
            include_max: 0,
            steps_max: self.limits().search_steps,
        };
        let mut seen = 0;
        loop {
            let page = reader.search(&search, &request)?;
            seen += page.matches.len();
            for hit in page.matches {
                let own = writes.contains(&(hit.resource_type, hit.id.clone()));
                if !own && (forbid.against)(&hit)? {
                    return Ok(true);
                }
            }
            match page.next {
                None => return Ok(false),
                Some(_) if seen >= CANDIDATES_MAX => {
                    let text = format!(
                        "more than {CANDIDATES_MAX} records would have to be looked at before this \
                         may be written"
                    );
                    return Err(Fault::new(&code::SEARCH_TOO_COSTLY, text));
                }
                Some(next) => request.position = Some(next),
            }
        }
    }

    fn watch(
        &self,
        forbid: Forbid,
        as_of: u64,
        written: Arc<HashSet<(TypeId, String)>>,
    ) -> Result<Watch, Fault> {
        let of = r4().resource_type(forbid.resource_type).ok_or_else(unknown_type)?;
        let scope = match forbid.eyes {
            Eyes::House => Scope::everything(),
            Eyes::Caller => self.scope(Action::Search).unwrap_or_else(|_| Scope::nothing()),
        };
        let judge = forbid.against;
        let against = move |hit: &Hit| {
            Ok(!written.contains(&(hit.resource_type, hit.id.clone())) && judge(hit)?)
        };
        Ok(Watch { resource_type: of, as_of, scope, against: Arc::new(against) })
    }

    /// The document a record will have, if rules ask for its type.
    fn as_it_will_be(&self, op: &Op) -> Result<Option<Hit>, Fault> {
        let (Op::Create(content) | Op::Update { content, .. }) = op else { return Ok(None) };
        if !self.is_ruled(content.resource_type) {
            return Ok(None);
        }
        let (name, now) = (r4().name(content.resource_type), self.now());
        let body = store::body::resource_text(name, &content.id, 1, now, &content.text)?;
        Ok(Some(Hit {
            resource_type: content.resource_type,
            id: content.id.clone(),
            version: 1,
            last_updated: now,
            method: Method::Update,
            deleted: false,
            body,
        }))
    }

    /// The document a record has, for a caller who may see it: of any other, nothing may be told.
    pub(crate) fn as_it_is(&self, of: TypeId, id: &str) -> Result<Option<Document>, Fault> {
        let Ok(scope) = self.scope_of(Action::Read, of) else { return Ok(None) };
        let hit = self.gate.store.reader(&scope)?.read(of, id)?.filter(|hit| !hit.deleted);
        hit.map(|hit| Document::parse(hit.body, self.limits())).transpose()
    }

    /// What a rule changes beside, validated and labelled as every write is.
    fn also(&self, also: &Also) -> Result<Op, Fault> {
        let of = r4().resource_type(also.resource_type).ok_or_else(unknown_type)?;
        let document = Document::parse(also.body.clone(), self.limits())?;
        let issues = validation::validate(document.root(), &validation::Options::default());
        if issues.iter().any(|issue| issue.severity >= Severity::Error) {
            return Err(Fault { issues });
        }
        let content = self.prepare(of, also.id.clone(), document.root(), true)?;
        Ok(Op::Update {
            content: Box::new(content),
            if_match: None,
            may_create: false,
            skip_same: false,
        })
    }
}

/// A record that must not change until the commit.
pub(crate) fn unchanged(of: TypeId, id: &str, as_of: u64) -> Watch {
    let id = id.to_owned();
    let against = move |hit: &Hit| Ok(hit.id == id);
    Watch { resource_type: of, as_of, scope: Scope::everything(), against: Arc::new(against) }
}

fn record_of(op: &Op) -> (TypeId, &str) {
    match op {
        Op::Create(content) | Op::Update { content, .. } => (content.resource_type, &content.id),
        Op::Delete { resource_type, id, .. } => (*resource_type, id),
    }
}

fn patients_of(op: &Op) -> Vec<String> {
    let mut patients = crate::people::Patients::default();
    if let Op::Create(content) | Op::Update { content, .. } = op {
        patients.of_prepared(content);
    }
    patients.into_ids()
}

fn unknown_type() -> Fault {
    Fault::new(&code::INTERNAL, "a rule names a type that FHIR R4 does not have")
}
