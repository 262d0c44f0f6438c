//! A batch: every entry by itself, with its own refusal (<https://hl7.org/fhir/R4/http.html#transaction>).
//! Writes run side by side, so that they share commits; reads come after them.

use super::answer::{Answer, BundleAnswer, BundleOptions, Content, Place};
use super::entry::{self, Entry, Target, Verb, version_tag};
use crate::everything::EverythingParams;
use crate::session::Session;
use crate::write::{Deleted, Written};
use base::error::code;
use base::{Fault, Millis, Severity};
use fhir::Value;
use search::parse::{Level, decode_query};
use std::pin::Pin;
use std::task::Poll;
use store::{HistoryQuery, Hit};

/// Writes of one batch under way at a time.
const SIDE_BY_SIDE: usize = 64;

type Pending<'a> = Pin<Box<dyn Future<Output = Answer> + Send + 'a>>;

impl Session {
    pub(crate) async fn batch(
        &self,
        root: Value<'_>,
        options: &BundleOptions,
    ) -> Result<BundleAnswer, Fault> {
        let shallow = validation::Options { shallow_bundle: true, ..Default::default() };
        let issues = validation::validate(root, &shallow);
        if issues.iter().any(|issue| issue.severity >= Severity::Error) {
            return Err(Fault { issues });
        }
        let base_url = options.how.base_url.as_deref();
        let entries: Vec<Result<Entry<'_>, Fault>> = root
            .get("entry")
            .into_iter()
            .flat_map(Value::items)
            .enumerate()
            .map(|(index, value)| entry::parse(value, index, base_url))
            .collect();
        let mut answers: Vec<Option<Answer>> = Vec::new();
        answers.resize_with(entries.len(), || None);
        let writes = entries.iter().enumerate().filter_map(|(at, entry)| match entry {
            Ok(entry) if entry.verb < Verb::Get => Some((at, entry)),
            _ => None,
        });
        let writes: Vec<_> = writes.collect();
        for some in writes.chunks(SIDE_BY_SIDE) {
            let pending: Vec<Pending<'_>> = some
                .iter()
                .map(|(_, entry)| Box::pin(self.answer_write(entry, options)) as Pending<'_>)
                .collect();
            for ((at, _), answer) in some.iter().zip(all(pending).await) {
                if let Some(slot) = answers.get_mut(*at) {
                    *slot = Some(answer);
                }
            }
        }
        let mut out = Vec::with_capacity(entries.len());
        for (entry, answer) in entries.into_iter().zip(answers) {
            out.push(match (entry, answer) {
                (_, Some(answer)) => answer,
                (Ok(entry), None) => self.answer_read(&entry, options).await,
                (Err(fault), None) => Answer::of_fault(fault),
            });
        }
        Ok(BundleAnswer { transaction: false, entries: out })
    }

    async fn answer_write(&self, entry: &Entry<'_>, options: &BundleOptions) -> Answer {
        match self.write_entry(entry, options).await {
            Ok(answer) => answer,
            Err(fault) => Answer::of_fault(located(fault, entry.index)),
        }
    }

    async fn write_entry(
        &self,
        entry: &Entry<'_>,
        options: &BundleOptions,
    ) -> Result<Answer, Fault> {
        match (entry.verb, &entry.target, entry.resource) {
            (Verb::Post, Target::Type(of, _), Some((body, _))) => {
                let written = self.create_value(*of, body, entry.if_none_exist.as_deref()).await?;
                Ok(stored(written, options))
            }
            (Verb::Put, Target::Instance(of, id), Some((body, _))) => {
                let star = entry.if_none_match.as_deref() == Some("*");
                Ok(stored(self.update_value(*of, id, body, entry.if_match, star).await?, options))
            }
            (Verb::Put, Target::Type(of, Some(query)), Some((body, _))) => {
                let written =
                    self.conditional_update_value(*of, query, body, entry.if_match).await?;
                Ok(stored(written, options))
            }
            (Verb::Delete, Target::Instance(of, id), _) => {
                let deleted = self.delete(*of, id, entry.if_match).await?;
                let place = |version| Place { resource_type: *of, id: id.clone(), version };
                Ok(removed(&deleted, deleted.version.map(place)))
            }
            (Verb::Delete, Target::Type(of, Some(query)), _) => {
                Ok(removed(&self.conditional_delete(*of, query, false).await?, None))
            }
            _ => Err(Fault::at(
                &code::BUNDLE_ENTRY,
                "the url leads to nothing that can be asked for with this method",
                "request.url",
            )),
        }
    }

    /// A GET or HEAD of a batch or transaction.
    pub(crate) async fn answer_read(&self, entry: &Entry<'_>, options: &BundleOptions) -> Answer {
        match self.read_entry(entry, options).await {
            Ok(answer) if entry.verb == Verb::Head => Answer { content: Content::None, ..answer },
            Ok(answer) => answer,
            Err(fault) => Answer::of_fault(located(fault, entry.index)),
        }
    }

    async fn read_entry(
        &self,
        entry: &Entry<'_>,
        options: &BundleOptions,
    ) -> Result<Answer, Fault> {
        let how = &options.how;
        let found = match &entry.target {
            Target::Instance(of, id) => {
                let hit = self.read(*of, id, None)?.into_inner().await?;
                let known = is_known(entry, &hit);
                return Ok(Answer::of_hit(if known { 304 } else { 200 }, hit, !known));
            }
            Target::Version(of, id, version) => {
                let hit = self.read(*of, id, Some(*version))?.into_inner().await?;
                return Ok(Answer::of_hit(200, hit, true));
            }
            Target::History(of, id, query) => {
                let query = history_query(*of, id.as_deref(), query)?;
                let page = self.history(query)?.into_inner().await?;
                let content = Content::History(Box::new(page));
                return Ok(Answer { content, ..Answer::of_status(200) });
            }
            Target::Everything(of, id, query) => {
                let params = EverythingParams { pairs: decode_query(query)? };
                self.everything(*of, id, params, how)?
            }
            Target::System(query) => self.search(Level::System, decode_query(query)?, how)?,
            Target::Type(of, query) => {
                let pairs = decode_query(query.as_deref().unwrap_or_default())?;
                self.search(Level::Type(*of), pairs, how)?
            }
            Target::Compartment(focus_type, id, of, query) => {
                let level = Level::Compartment { focus_type: *focus_type, id: id.clone(), of: *of };
                self.search(level, decode_query(query)?, how)?
            }
        };
        let content = Content::Found(Box::new(found.into_inner().await?));
        Ok(Answer { content, ..Answer::of_status(200) })
    }
}

/// `ifNoneMatch` and `ifModifiedSince` of a read.
fn is_known(entry: &Entry<'_>, hit: &Hit) -> bool {
    match (&entry.if_none_match, entry.if_modified_since) {
        (Some(tag), _) => version_tag(tag) == Some(hit.version),
        (None, Some(since)) => hit.last_updated <= since,
        (None, None) => false,
    }
}

/// `_since`, `_at`, `_count` and `_before` of a history.
fn history_query(
    resource_type: Option<fhir::definitions::TypeId>,
    id: Option<&str>,
    query: &str,
) -> Result<HistoryQuery, Fault> {
    let id = id.map(str::to_owned);
    let mut out = HistoryQuery { resource_type, id, ..HistoryQuery::default() };
    for (name, value) in decode_query(query)? {
        let bad =
            || Fault::at(&code::PARAMETER_INVALID, "the value cannot be understood", name.clone());
        let span = || fhir::date::parse(&value).ok_or_else(bad);
        match name.as_str() {
            "_since" => out.since = Some(Millis(span()?.low)),
            "_at" => {
                let span = span()?;
                out.at = Some((Millis(span.low), Millis(span.high)));
            }
            "_count" => out.count = value.parse().map_err(|_e| bad())?,
            "_before" => out.before = Some(value.parse().map_err(|_e| bad())?),
            "_format" | "_pretty" => {}
            _ => {
                let text = "a history takes _since, _at and _count";
                return Err(Fault::at(&code::PARAMETER_INVALID, text, name));
            }
        }
    }
    Ok(out)
}

/// The place of a fault, unless validation has named it from the bundle's root already.
fn located(fault: Fault, index: usize) -> Fault {
    let place = super::place(index);
    let absolute = |at: &String| at.starts_with("Bundle.");
    if fault.issues.iter().all(|issue| issue.expression.as_ref().is_some_and(absolute)) {
        return fault;
    }
    fault.within(&place)
}

fn stored(written: Written, options: &BundleOptions) -> Answer {
    let status = if written.created { 201 } else { 200 };
    let mut answer = Answer::of_hit(status, written.hit, options.representation);
    if options.outcome {
        answer.issues = written.warnings;
    }
    answer
}

fn removed(deleted: &Deleted, place: Option<Place>) -> Answer {
    let last_modified = (deleted.count > 0).then_some(deleted.last_updated);
    Answer { place, last_modified, ..Answer::of_status(204) }
}

/// Waits for all, in order.
async fn all(mut pending: Vec<Pending<'_>>) -> Vec<Answer> {
    let mut done: Vec<Option<Answer>> = Vec::new();
    done.resize_with(pending.len(), || None);
    std::future::poll_fn(|context| {
        let mut waiting = false;
        for (future, slot) in pending.iter_mut().zip(&mut done) {
            if slot.is_none() {
                match future.as_mut().poll(context) {
                    Poll::Ready(answer) => *slot = Some(answer),
                    Poll::Pending => waiting = true,
                }
            }
        }
        if waiting { Poll::Pending } else { Poll::Ready(()) }
    })
    .await;
    done.into_iter().flatten().collect()
}
