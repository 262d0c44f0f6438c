//! Work: how a department changes records, as one unit through the gate. It is put down as a
//! transaction bundle and takes the way of every transaction (`bundle/`): the caller's rights,
//! validation, labels, consents, rules and audit are those of every write. Beside what a bundle can
//! say it has conditions on other records, which hold when it is committed.

use crate::bundle::{BundleAnswer, BundleOptions, Cache, Ids, Staged, Stager};
use crate::condition::{self, TRIES};
use crate::rule::Eyes;
use crate::session::Session;
use crate::write::raced;
use access::Action;
use audit::Kind;
use base::error::code;
use base::{Fault, Severity};
use fhir::definitions::{TypeId, r4};
use fhir::write::Writer;
use fhir::{Document, Value};
use search::parse::{Level, parse};
use store::{Expectation, Guard, PageRequest, Scope};

/// Records that one condition may name: a condition is about few, and the writer finds them again.
const NAMED_MAX: usize = 100;

/// A unit of work, being written down.
#[derive(Debug, Default)]
pub struct Work {
    entries: Vec<Entry>,
    conditions: Vec<Condition>,
}

#[derive(Debug)]
struct Entry {
    method: &'static str,
    url: String,
    full_url: Option<String>,
    if_match: Option<u64>,
    if_none_exist: Option<String>,
    body: Option<Vec<u8>>,
}

#[derive(Debug)]
struct Condition {
    resource_type: String,
    among: Vec<(String, String)>,
    expected: Vec<String>,
    eyes: Eyes,
    fault: Fault,
}

/// What must hold when work is committed, for [`Work::demand`].
#[derive(Debug, Clone)]
pub struct Conditions {
    /// The type searched.
    pub resource_type: String,
    /// Search parameters and values.
    pub among: Vec<(String, String)>,
    /// The search finds exactly the records of these logical ids; none, when empty.
    pub finds: Vec<String>,
    /// By whose eyes.
    pub eyes: Eyes,
    /// What the work is refused with when it does not hold.
    pub fault: Fault,
}

/// What a unit of work did: an answer for each change, in the order they were written down.
pub type Worked = BundleAnswer;

impl Work {
    /// Nothing yet.
    pub fn new() -> Self {
        Self::default()
    }

    /// Stores a new record. Answers what other documents of this work refer to it by.
    pub fn create(&mut self, resource_type: &str, body: Vec<u8>) -> String {
        // Names within the bundle alone: the gate gives the record an id of its own.
        let name = format!("urn:uuid:00000000-0000-4000-8000-{:012x}", self.entries.len());
        self.entries.push(Entry {
            method: "POST",
            url: resource_type.to_owned(),
            full_url: Some(name.clone()),
            if_match: None,
            if_none_exist: None,
            body: Some(body),
        });
        name
    }

    /// As [`Work::create`], unless a search finds a record of the type that was made by the same already:
    /// then that one is answered, with status 200. `unless` is the search, as of a conditional create.
    pub fn create_once(&mut self, resource_type: &str, body: Vec<u8>, unless: &str) -> String {
        let name = self.create(resource_type, body);
        if let Some(entry) = self.entries.last_mut() {
            entry.if_none_exist = Some(unless.to_owned());
        }
        name
    }

    /// Stores a version of a record: `if_match` is the version it replaces. There is no way to leave
    /// it out; work that was made from an older version is refused.
    pub fn update(&mut self, resource_type: &str, id: &str, if_match: u64, body: Vec<u8>) {
        self.entries.push(Entry {
            method: "PUT",
            url: format!("{resource_type}/{id}"),
            full_url: None,
            if_match: Some(if_match),
            if_none_exist: None,
            body: Some(body),
        });
    }

    /// Deletes a record that is at a version.
    pub fn delete(&mut self, resource_type: &str, id: &str, if_match: u64) {
        self.entries.push(Entry {
            method: "DELETE",
            url: format!("{resource_type}/{id}"),
            full_url: None,
            if_match: Some(if_match),
            if_none_exist: None,
            body: None,
        });
    }

    /// A condition on other records that must hold when the work is committed.
    pub fn demand(&mut self, conditions: Conditions) {
        let Conditions { resource_type, among, finds, eyes, fault } = conditions;
        self.conditions.push(Condition { resource_type, among, expected: finds, eyes, fault });
    }

    fn bundle(&self) -> Vec<u8> {
        let mut w = Writer::new();
        w.object().member("resourceType", "Bundle").member("type", "transaction");
        if !self.entries.is_empty() {
            w.key("entry").array();
            for entry in &self.entries {
                w.object();
                if let Some(name) = &entry.full_url {
                    w.member("fullUrl", name);
                }
                if let Some(body) = &entry.body {
                    w.key("resource").raw(body);
                }
                w.key("request").object().member("method", entry.method).member("url", &entry.url);
                if let Some(version) = entry.if_match {
                    w.member("ifMatch", &format!("W/\"{version}\""));
                }
                if let Some(unless) = &entry.if_none_exist {
                    w.member("ifNoneExist", unless);
                }
                w.end_object().end_object();
            }
            w.end_array();
        }
        w.end_object();
        w.finish()
    }
}

impl Session {
    /// Carries out work as one unit. `make` writes it down from what it reads; when something that it
    /// was made from changed before the commit it is asked again, at most 16 times.
    ///
    /// Nearly all of it is done on the thread that polls it first, as of a bundle.
    ///
    /// # Errors
    /// What `make` answers; the fault of a condition that does not hold; as [`Session::bundle`] of a
    /// transaction.
    pub async fn carry_out(
        &self,
        kind: Kind,
        mut make: impl FnMut(&Self) -> Result<Work, Fault>,
    ) -> Result<Worked, Fault> {
        let outcome = async {
            for _ in 0..TRIES {
                match self.attempt(kind, make(self)?).await {
                    Err(fault) if is_changed(&fault) => {}
                    outcome => return outcome,
                }
            }
            Err(raced())
        };
        let outcome = outcome.await;
        outcome.map_err(|fault| self.refused(self.event(kind), fault))
    }

    async fn attempt(&self, kind: Kind, mut work: Work) -> Result<Worked, Fault> {
        if work.entries.len() > self.limits().bundle_entries {
            let text =
                format!("one unit of work may have {} changes", self.limits().bundle_entries);
            return Err(Fault::new(&code::BUNDLE_TOO_MANY, text));
        }
        // Looked at before the work is staged: what changes in between, the writer finds changed.
        let guards = work.conditions.iter().map(|condition| self.hold(condition));
        let guards = guards.collect::<Result<Vec<Guard>, Fault>>()?;
        let whole = self.made_whole(&mut work)?;
        let document = Document::parse(work.bundle(), self.limits())?;
        let root = document.root();
        self.may_write_entries(root)?;
        let warnings = validation::validate(root, &validation::Options::default());
        if warnings.iter().any(|issue| issue.severity >= Severity::Error) {
            return Err(Fault { issues: warnings });
        }
        let options = BundleOptions { representation: true, ..BundleOptions::default() };
        let entries = self.entries(root, &options)?;
        let cache = Cache::default();
        let (ids, whole) = (Ids::New, whole.as_slice());
        let stager = Stager { session: self, ids, cache: &cache, kind, keep_texts: true, whole };
        let Staged { mut unit, event, done } = stager.stage(&entries)?;
        unit.guards.extend(guards);
        let receipt = self.commit(unit, event).await?;
        self.answers(&entries, done, &receipt, &warnings, &options).await
    }

    /// Puts back into updates what their subject is not shown: a department changes what it was asked to
    /// change, and leaves the rest as it is. Only of the very version that the update names, so that what
    /// is put back is what would have been there. Answers which records that was done for.
    fn made_whole(&self, work: &mut Work) -> Result<Vec<(TypeId, String)>, Fault> {
        let mut whole = Vec::new();
        for entry in &mut work.entries {
            let (Some(version), Some(body)) = (entry.if_match, &entry.body) else { continue };
            let Some((name, id)) = entry.url.split_once('/') else { continue };
            let Some(of) = r4().resource_type(name).filter(|_| entry.method == "PUT") else {
                continue;
            };
            if let Some(body) = self.with_hidden(of, id, version, body)? {
                whole.push((of, id.to_owned()));
                entry.body = Some(body);
            }
        }
        Ok(whole)
    }

    /// A condition looked at, and the guard that holds it.
    fn hold(&self, condition: &Condition) -> Result<Guard, Fault> {
        let Some(of) = r4().resource_type(&condition.resource_type) else {
            return Err(Fault::new(&code::INTERNAL, "a condition names a type that R4 has not"));
        };
        if condition.expected.len() > NAMED_MAX {
            let text = format!("a condition may name {NAMED_MAX} records");
            return Err(Fault::new(&code::BUNDLE_TOO_MANY, text));
        }
        let (scope, hidden) = match condition.eyes {
            Eyes::House => (Scope::everything(), None),
            Eyes::Caller => (self.scope(Action::Search)?, self.hidden()),
        };
        let options = self.condition_options(hidden);
        let search = parse(&Level::Type(of), &condition.among, &options)?;
        if search.filters.is_empty() {
            let text = "without a search parameter every record would match";
            return Err(Fault::new(&code::CONDITION_MISSING, text));
        }
        let page = PageRequest {
            count: condition.expected.len().saturating_add(1),
            position: None,
            include_max: 0,
            steps_max: self.limits().search_steps,
        };
        let reader = self.gate.store.reader(&scope)?;
        let as_of = reader.snapshot()?;
        let found = reader.search(&search, &page)?.matches.into_iter().map(|hit| hit.id);
        let mut found: Vec<String> = found.collect();
        let mut expected = condition.expected.clone();
        found.sort_unstable();
        expected.sort_unstable();
        expected.dedup();
        if found != expected {
            return Err(condition.fault.clone());
        }
        Ok(Guard { search, expected: Expectation::These(expected), as_of, scope })
    }
}

/// Whether a fault says that what the work was made from has changed.
fn is_changed(fault: &Fault) -> bool {
    condition::is_raced(fault) || fault.code() == &code::VERSION_CONFLICT
}

/// A member of a document, for departments that write the next version of one: all others stay as
/// they are, byte for byte.
///
/// # Errors
/// `fhir.resource.not-object` when the document has no such member.
pub fn with_member(document: Value<'_>, name: &str, text: &str) -> Result<Vec<u8>, Fault> {
    let Some(member) = document.get(name) else {
        let what = format!("the document has no {name}");
        return Err(Fault::new(&code::RESOURCE_NOT_OBJECT, what));
    };
    let mut quoted = Vec::with_capacity(text.len() + 2);
    fhir::write::quote(text, &mut quoted);
    let mut edits = fhir::json::Edits::new();
    let quoted = String::from_utf8(quoted).unwrap_or_default();
    edits.insert(member.index(), fhir::json::Edit::Replace(quoted));
    let mut out = Vec::with_capacity(document.raw().len());
    fhir::json::minify(document, &edits, &mut out);
    Ok(out)
}
