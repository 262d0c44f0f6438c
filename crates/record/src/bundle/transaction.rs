//! A transaction: validated as a whole, staged on one snapshot, committed as one unit, and its reads
//! answered afterwards (<https://hl7.org/fhir/R4/http.html#transaction>). All or nothing: a refusal
//! of any write changes nothing. A read that finds nothing is answered in its entry; by then the
//! writes are done.

use super::answer::{Answer, BundleAnswer, BundleOptions, Content, Place};
use super::entry::{self, Entry};
use super::stage::{Done, Staged, Stager};
use super::{Cache, Ids, place};
use crate::condition::{self, TRIES};
use crate::session::Session;
use crate::write::raced;
use audit::Kind;
use base::{Fault, Issue, Severity};
use fhir::Value;
use fhir::definitions::r4;
use store::{Hit, Method, OpResult, Receipt};

impl Session {
    pub(crate) async fn transaction(
        &self,
        root: Value<'_>,
        options: &BundleOptions,
    ) -> Result<BundleAnswer, Fault> {
        self.may_write_entries(root)?;
        let warnings = validation::validate(root, &validation::Options::default());
        if warnings.iter().any(|issue| issue.severity >= Severity::Error) {
            return Err(Fault { issues: warnings });
        }
        let entries = self.entries(root, options)?;
        let cache = Cache::default();
        let stager = Stager {
            session: self,
            ids: Ids::New,
            cache: &cache,
            kind: Kind::Transaction,
            keep_texts: options.representation,
            whole: &[],
        };
        for _ in 0..TRIES {
            let Staged { unit, event, done } = stager.stage(&entries)?;
            match self.commit(unit, event).await {
                Err(fault) if condition::is_raced(&fault) => {}
                Err(fault) => return Err(fault),
                Ok(receipt) => {
                    return self.answers(&entries, done, &receipt, &warnings, options).await;
                }
            }
        }
        Err(raced())
    }

    pub(crate) fn may_write_entries(&self, root: Value<'_>) -> Result<(), Fault> {
        self.may_write()?;
        for (index, entry) in root.get("entry").iter().flat_map(|e| e.items()).enumerate() {
            if let Some(resource) = entry.get("resource") {
                let checked = self.check_size(resource);
                checked.map_err(|fault| fault.within(&format!("{}.resource", place(index))))?;
            }
        }
        Ok(())
    }

    pub(crate) fn entries<'d>(
        &self,
        root: Value<'d>,
        options: &BundleOptions,
    ) -> Result<Vec<Entry<'d>>, Fault> {
        let entries = root.get("entry").into_iter().flat_map(Value::items).enumerate();
        let base_url = options.how.base_url.as_deref();
        entries.map(|(index, value)| entry::parse(value, index, base_url)).collect()
    }

    pub(crate) async fn answers(
        &self,
        entries: &[Entry<'_>],
        done: Vec<Done>,
        receipt: &Receipt,
        warnings: &[Issue],
        options: &BundleOptions,
    ) -> Result<BundleAnswer, Fault> {
        let mut answers = Vec::with_capacity(entries.len());
        for (entry, done) in entries.iter().zip(done) {
            let mut answer = match done {
                Done::Op { at, text } => match receipt.results.get(at) {
                    Some(result) => {
                        let mut answer = written(result, receipt, text)?;
                        if let Content::Resource(hit) = &mut answer.content {
                            self.prune(hit)?;
                        }
                        answer
                    }
                    None => Answer::of_status(204),
                },
                Done::Existing(of, id) => {
                    let hit = self.read(of, &id, None)?.into_inner().await?;
                    Answer::of_hit(200, hit, options.representation)
                }
                Done::Nothing => Answer::of_status(204),
                Done::Read => self.answer_read(entry, options).await,
            };
            if options.outcome {
                let prefix = format!("{}.", place(entry.index));
                let own = |issue: &&Issue| {
                    issue.expression.as_ref().is_some_and(|at| at.starts_with(&prefix))
                };
                answer.issues.extend(warnings.iter().filter(own).cloned());
            }
            answers.push(answer);
        }
        Ok(BundleAnswer { transaction: true, entries: answers })
    }
}

/// The answer to an entry that was an op.
fn written(result: &OpResult, receipt: &Receipt, text: Option<Vec<u8>>) -> Result<Answer, Fault> {
    let place = Place {
        resource_type: result.resource_type,
        id: result.id.clone(),
        version: result.version,
    };
    let status = match result.method {
        Method::Delete => 204,
        Method::Create => 201,
        Method::Update if result.created => 201,
        Method::Update => 200,
    };
    let Some(text) = text else {
        return Ok(Answer {
            place: (result.version > 0).then_some(place),
            last_modified: result.changed.then_some(receipt.last_updated),
            ..Answer::of_status(status)
        });
    };
    let name = r4().name(result.resource_type);
    let time = receipt.last_updated;
    let hit = Hit {
        resource_type: result.resource_type,
        body: store::body::resource_text(name, &result.id, result.version, time, &text)?,
        id: place.id,
        version: result.version,
        last_updated: time,
        method: result.method,
        deleted: false,
    };
    Ok(Answer::of_hit(status, hit, true))
}
