//! The receipt of an import: what became of every resource. It names places and codes, never values.

use crate::progress::grouped;
use base::Fault;
use fhir::definitions::{TypeId, r4};
use fhir::write::Writer;
use record::{ImportOutcome, ImportReport};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::time::Duration;

/// Refusals that are listed one by one; all are counted.
const LISTED_MAX: usize = 1000;

/// What became of the resources of one type.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// A version was stored.
    pub(crate) stored: u64,
    /// The record had this content already.
    pub(crate) unchanged: u64,
    /// It was to be created, and was there: by a condition, or from an earlier load.
    pub(crate) existing: u64,
    /// Deleted, as asked.
    pub(crate) deleted: u64,
    /// Refused.
    pub(crate) refused: u64,
    /// Left out because another resource of the transaction was refused.
    pub(crate) left_out: u64,
}

/// One refusal.
#[derive(Debug, Clone)]
struct Refusal {
    code: &'static str,
    title: &'static str,
    source: String,
    entry: Option<usize>,
    resource_type: Option<&'static str>,
    place: Option<String>,
}

/// The account of an import.
#[derive(Debug, Default)]
pub(crate) struct Receipt {
    types: BTreeMap<&'static str, Counts>,
    refusals: Vec<Refusal>,
    /// Documents read and accounted for.
    pub(crate) documents: u64,
    /// Documents an earlier, broken-off import had stored.
    pub(crate) resumed: u64,
    /// Files of no kind that is read.
    pub(crate) passed_over: u64,
    /// It ended at the first bad resource.
    pub(crate) stopped: bool,
}

/// Whether nothing of a document was refused or left out.
pub(crate) fn is_whole(report: &ImportReport) -> bool {
    report.entries.iter().all(|entry| {
        !matches!(
            entry.outcome,
            ImportOutcome::Refused(_) | ImportOutcome::Deferred(_) | ImportOutcome::Skipped
        )
    })
}

impl Receipt {
    /// Adds a document's report.
    pub(crate) fn add(&mut self, source: &str, report: &ImportReport) {
        self.documents += 1;
        for entry in &report.entries {
            let name = entry.resource_type.map_or("unknown", |of: TypeId| r4().name(of));
            let counts = self.types.entry(name).or_default();
            match &entry.outcome {
                ImportOutcome::Stored => counts.stored += 1,
                ImportOutcome::Unchanged => counts.unchanged += 1,
                ImportOutcome::Existing => counts.existing += 1,
                ImportOutcome::Deleted => counts.deleted += 1,
                ImportOutcome::Skipped => counts.left_out += 1,
                ImportOutcome::Refused(fault) | ImportOutcome::Deferred(fault) => {
                    counts.refused += 1;
                    let of = entry.resource_type.map(|of| r4().name(of));
                    self.refuse(source, entry.index, of, fault);
                }
            }
        }
    }

    /// Adds a document that could not be read as one.
    pub(crate) fn unreadable(&mut self, source: &str, fault: &Fault) {
        self.documents += 1;
        self.types.entry("unknown").or_default().refused += 1;
        self.refuse(source, None, None, fault);
    }

    fn refuse(
        &mut self,
        source: &str,
        entry: Option<usize>,
        resource_type: Option<&'static str>,
        fault: &Fault,
    ) {
        for issue in &fault.issues {
            if self.refusals.len() < LISTED_MAX {
                self.refusals.push(Refusal {
                    code: issue.code.name,
                    title: issue.code.title,
                    source: source.to_owned(),
                    entry,
                    resource_type,
                    place: issue.expression.clone(),
                });
            }
        }
    }

    /// All types together.
    pub(crate) fn total(&self) -> Counts {
        let mut total = Counts::default();
        for counts in self.types.values() {
            total.stored += counts.stored;
            total.unchanged += counts.unchanged;
            total.existing += counts.existing;
            total.deleted += counts.deleted;
            total.refused += counts.refused;
            total.left_out += counts.left_out;
        }
        total
    }

    /// Nothing was refused.
    pub(crate) fn is_clean(&self) -> bool {
        let total = self.total();
        total.refused == 0 && total.left_out == 0 && !self.stopped
    }

    /// For a person.
    pub(crate) fn text(&self, took: Duration) -> String {
        let mut out = String::new();
        let _ = writeln!(
            out,
            "{:<28} {:>10} {:>10} {:>10} {:>10}",
            "type", "stored", "unchanged", "existing", "refused"
        );
        let total = self.total();
        let rows = self.types.iter().map(|(name, counts)| (*name, *counts));
        for (name, c) in rows.chain([("all", total)]) {
            let _ = writeln!(
                out,
                "{name:<28} {:>10} {:>10} {:>10} {:>10}",
                grouped(c.stored),
                grouped(c.unchanged),
                grouped(c.existing),
                grouped(c.refused)
            );
        }
        for (count, what) in [
            (total.deleted, "deleted, as asked"),
            (total.left_out, "left out: another resource of their transaction was refused"),
            (self.resumed, "documents were stored by an earlier import that was broken off"),
            (self.passed_over, "files passed over: not JSON, NDJSON or tar"),
        ] {
            if count > 0 {
                let _ = writeln!(out, "{} {what}", grouped(count));
            }
        }
        for refusal in &self.refusals {
            let _ = write!(out, "refused {}", refusal.source);
            if let Some(entry) = refusal.entry {
                let _ = write!(out, " entry {entry}");
            }
            if let Some(of) = refusal.resource_type {
                let _ = write!(out, " {of}");
            }
            let _ = write!(out, ": {}: {}", refusal.code, refusal.title);
            if let Some(place) = &refusal.place {
                let _ = write!(out, " (at {place})");
            }
            out.push('\n');
        }
        if self.stopped {
            out.push_str("stopped at the first bad resource; --keep-going goes on past it\n");
        }
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
        let all = self.resources();
        let _ = writeln!(
            out,
            "{} resources of {} documents in {}.{:03} s, {} resources/s",
            grouped(all),
            grouped(self.documents),
            ms / 1000,
            ms % 1000,
            grouped(all.saturating_mul(1000) / ms)
        );
        out
    }

    /// Resources accounted for.
    pub(crate) fn resources(&self) -> u64 {
        let t = self.total();
        t.stored + t.unchanged + t.existing + t.deleted + t.refused + t.left_out
    }

    /// For a program.
    pub(crate) fn json(&self, took: Duration) -> Vec<u8> {
        let integer = |n: u64| i64::try_from(n).unwrap_or(i64::MAX);
        let ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX).max(1);
        let counts = |w: &mut Writer, c: Counts| {
            w.key("stored").integer(integer(c.stored));
            w.key("unchanged").integer(integer(c.unchanged));
            w.key("existing").integer(integer(c.existing));
            w.key("deleted").integer(integer(c.deleted));
            w.key("refused").integer(integer(c.refused));
            w.key("left_out").integer(integer(c.left_out));
        };
        let mut w = Writer::new();
        w.object().key("stopped").boolean(self.stopped);
        w.key("documents").integer(integer(self.documents));
        w.key("resumed_documents").integer(integer(self.resumed));
        w.key("passed_over_files").integer(integer(self.passed_over));
        w.key("resources").integer(integer(self.resources()));
        w.key("elapsed_ms").integer(integer(ms));
        w.key("resources_per_second").integer(integer(self.resources() * 1000 / ms));
        w.key("total").object();
        counts(&mut w, self.total());
        w.end_object().key("types").object();
        for (name, c) in &self.types {
            w.key(name).object();
            counts(&mut w, *c);
            w.end_object();
        }
        w.end_object().key("refusals").array();
        for refusal in &self.refusals {
            w.object().member("code", refusal.code).member("source", &refusal.source);
            if let Some(entry) = refusal.entry {
                w.key("entry").integer(i64::try_from(entry).unwrap_or(i64::MAX));
            }
            if let Some(of) = refusal.resource_type {
                w.member("type", of);
            }
            if let Some(place) = &refusal.place {
                w.member("place", place);
            }
            w.end_object();
        }
        w.end_array().end_object();
        let mut out = w.finish();
        out.push(b'\n');
        out
    }
}
