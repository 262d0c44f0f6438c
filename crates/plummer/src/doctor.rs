//! The doctor: what is weak about this box and its settings, each finding with a code that stays, what
//! was found, why it matters and what to do (45 CFR 164.308(a)(8)). The checks are pure functions of
//! facts (`facts.rs`, `checks.rs`); `gather.rs` finds the facts out, and changes nothing but for a file
//! of some bytes by which it measures the disk.

pub(crate) mod checks;
pub(crate) mod facts;
pub(crate) mod gather;
mod proc;
pub(crate) mod stamp;

use fhir::write::Writer;
use std::fmt::Write as _;

/// How grave a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Weight {
    /// As it should be.
    Fine,
    /// It could not be found out.
    Unknown,
    /// Worth knowing.
    Note,
    /// Mend it this week.
    Warning,
    /// Mend it tonight.
    Fault,
}

impl Weight {
    /// As the report writes it.
    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::Fine => "fine",
            Self::Unknown => "unknown",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Fault => "fault",
        }
    }
}

/// What one check found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Finding {
    /// Its code: a thing and what is asked of it. It stays.
    pub(crate) code: &'static str,
    pub(crate) weight: Weight,
    /// What was found.
    pub(crate) found: String,
    /// Why it matters, and what to do; empty when all is well.
    pub(crate) why: &'static str,
    pub(crate) what_to_do: String,
}

/// The report as text: the gravest first, what is fine in one line.
pub(crate) fn text(findings: &[Finding]) -> String {
    let mut out = String::new();
    let mut sorted: Vec<_> = findings.iter().collect();
    sorted.sort_by_key(|finding| std::cmp::Reverse(finding.weight));
    for finding in sorted.iter().filter(|finding| finding.weight != Weight::Fine) {
        let _ = writeln!(
            out,
            "{:8} {}: {}",
            finding.weight.word().to_uppercase(),
            finding.code,
            finding.found
        );
        if !finding.why.is_empty() {
            let _ = writeln!(out, "         {}", finding.why);
        }
        if !finding.what_to_do.is_empty() {
            let _ = writeln!(out, "         → {}", finding.what_to_do);
        }
    }
    let fine: Vec<_> = sorted.iter().filter(|f| f.weight == Weight::Fine).map(|f| f.code).collect();
    if !fine.is_empty() {
        let _ = writeln!(out, "FINE     {}", fine.join(", "));
    }
    let count = |weight| findings.iter().filter(|f| f.weight == weight).count();
    let _ = writeln!(
        out,
        "{} faults, {} warnings, {} notes, {} unknown, {} fine",
        count(Weight::Fault),
        count(Weight::Warning),
        count(Weight::Note),
        count(Weight::Unknown),
        count(Weight::Fine)
    );
    out
}

/// The report for a program.
pub(crate) fn json(findings: &[Finding]) -> String {
    let mut w = Writer::new();
    w.object().member("worst", worst(findings).word()).key("findings").array();
    for finding in findings {
        w.object().member("code", finding.code).member("weight", finding.weight.word());
        w.member("found", &finding.found);
        if !finding.why.is_empty() {
            w.member("why", finding.why);
        }
        if !finding.what_to_do.is_empty() {
            w.member("do", &finding.what_to_do);
        }
        w.end_object();
    }
    w.end_array().end_object();
    String::from_utf8(w.finish()).unwrap_or_default()
}

/// The gravest of all.
pub(crate) fn worst(findings: &[Finding]) -> Weight {
    findings.iter().map(|finding| finding.weight).max().unwrap_or(Weight::Fine)
}

#[cfg(test)]
mod tests;
