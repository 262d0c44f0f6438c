//! Searches with known totals (<https://hl7.org/fhir/R4/search.html>), asked in every way that must
//! give the same answer: as a count, as an exact total, and by walking all pages and counting distinct
//! records; by GET and by POST. Then what each of some patients has, type by type, as a search and in
//! the patient's compartment.

use crate::http::{FHIR_JSON, Http, encode_query};
use anyhow::{Context, bail};
use serde::Deserialize;
use std::collections::{BTreeMap, HashSet};
use std::path::Path;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

/// The file of expectations.
#[derive(Debug, Deserialize)]
pub struct Expected {
    /// Searches and their totals.
    pub queries: Vec<Query>,
    /// What some of the patients have.
    pub patients: Vec<Patient>,
}

/// One search.
#[derive(Debug, Deserialize)]
pub struct Query {
    /// `Type?name=value&…`, written for people.
    pub query: String,
    /// How many records match.
    pub total: u64,
}

/// One patient.
#[derive(Debug, Deserialize)]
pub struct Patient {
    /// `system|value`.
    pub patient_identifier: String,
    /// Type to count.
    pub counts: BTreeMap<String, u64>,
}

impl Expected {
    /// Reads the file.
    pub fn read(path: &Path) -> anyhow::Result<Self> {
        let text = std::fs::read(path).with_context(|| path.display().to_string())?;
        Ok(serde_json::from_slice(&text)?)
    }
}

/// What a run found.
#[derive(Debug, Default)]
pub struct Report {
    /// Questions asked.
    pub asked: usize,
    /// Questions with a wrong answer, each in a sentence.
    pub wrong: Vec<String>,
}

/// How much to do at once.
#[derive(Debug, Clone, Copy)]
pub struct Effort {
    /// Connections, each with one request at a time.
    pub connections: usize,
    /// Records a page when walking.
    pub page: u64,
}

impl Default for Effort {
    fn default() -> Self {
        Self { connections: 4, page: 1000 }
    }
}

/// A way to ask for the number of matches.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Count,
    Total,
    Walk,
}

const WAYS: [(Way, bool); 6] = [
    (Way::Count, false),
    (Way::Total, false),
    (Way::Walk, false),
    (Way::Count, true),
    (Way::Total, true),
    (Way::Walk, true),
];

/// Asks everything.
pub fn run(http: &Http, expected: &Expected, effort: Effort) -> Report {
    let mut tasks: Vec<Task<'_>> = Vec::new();
    for query in &expected.queries {
        tasks.extend(WAYS.iter().map(|(way, post)| Task::Query(query, *way, *post)));
    }
    // The longest walks first, so that no connection is left with one at the end.
    tasks.sort_by_key(|task| match task {
        Task::Query(query, Way::Walk, _) => std::cmp::Reverse(query.total),
        _ => std::cmp::Reverse(0),
    });
    tasks.extend(expected.patients.iter().map(Task::Patient));
    let (next, report) = (AtomicUsize::new(0), Mutex::new(Report::default()));
    thread::scope(|scope| {
        for _ in 0..effort.connections.max(1) {
            scope.spawn(|| {
                let mut http = http.another();
                while let Some(task) = tasks.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let (asked, wrong) = task.run(&mut http, effort.page);
                    if let Ok(mut report) = report.lock() {
                        report.asked += asked;
                        report.wrong.extend(wrong);
                    }
                }
            });
        }
    });
    report.into_inner().unwrap_or_default()
}

#[derive(Debug)]
enum Task<'e> {
    Query(&'e Query, Way, bool),
    Patient(&'e Patient),
}

impl Task<'_> {
    fn run(&self, http: &mut Http, page: u64) -> (usize, Vec<String>) {
        match self {
            Self::Query(query, way, post) => {
                let method = if *post { "POST" } else { "GET" };
                let (kind, words) = split(&query.query);
                let wrong = match ask(http, kind, &words, *way, *post, page) {
                    Ok(total) if total == query.total => None,
                    Ok(total) => Some(format!("{total} instead of {}", query.total)),
                    Err(error) => Some(format!("{error:#}")),
                };
                let wrong = wrong.map(|why| format!("{method} {way:?} {}: {why}", query.query));
                (1, wrong.into_iter().collect())
            }
            Self::Patient(patient) => ask_patient(http, patient),
        }
    }
}

/// The type, and the query without the result parameters this file adds itself.
fn split(query: &str) -> (&str, String) {
    let (kind, words) = query.split_once('?').unwrap_or((query, ""));
    let words = words.split('&').filter(|word| *word != "_summary=count" && !word.is_empty());
    (kind, words.collect::<Vec<_>>().join("&"))
}

/// The number of matches, asked one way.
fn ask(
    http: &mut Http,
    kind: &str,
    words: &str,
    way: Way,
    post: bool,
    page: u64,
) -> anyhow::Result<u64> {
    let result = match way {
        Way::Count => "_summary=count".to_owned(),
        Way::Total => "_total=accurate&_count=1".to_owned(),
        Way::Walk => format!("_count={page}"),
    };
    let query = if words.is_empty() { result } else { format!("{words}&{result}") };
    let query = encode_query(&query);
    let first = if post {
        let form = [("content-type", "application/x-www-form-urlencoded"), ("accept", FHIR_JSON)];
        http.send("POST", &format!("{kind}/_search"), &form, query.as_bytes())?
    } else {
        http.get(&format!("{kind}?{query}"))?
    };
    let mut bundle: Bundle = serde_json::from_slice(&first.ok()?.body)?;
    if way == Way::Count && !bundle.entry.is_empty() {
        bail!("a count with {} entries", bundle.entry.len());
    }
    if way != Way::Walk {
        return bundle.total.context("no total");
    }
    let mut seen = HashSet::new();
    loop {
        if u64::try_from(bundle.entry.len())? > page {
            bail!("a page of {} entries", bundle.entry.len());
        }
        for entry in bundle.entry {
            if entry.search.is_some_and(|search| search.mode.is_some_and(|mode| mode != "match")) {
                bail!("an entry that is no match");
            }
            let record = entry.resource;
            if record.kind != kind {
                bail!("a {} among {kind}", record.kind);
            }
            if !seen.insert(record.id) {
                bail!("a record came twice after {} records", seen.len());
            }
        }
        let Some(next) = bundle.link.into_iter().find(|link| link.relation == "next") else {
            return Ok(u64::try_from(seen.len())?);
        };
        bundle = serde_json::from_slice(&http.get(&next.url)?.ok()?.body)?;
    }
}

fn ask_patient(http: &mut Http, patient: &Patient) -> (usize, Vec<String>) {
    let identifier = &patient.patient_identifier;
    let id = match find_patient(http, identifier) {
        Ok(id) => id,
        Err(error) => return (1, vec![format!("patient {identifier}: {error:#}")]),
    };
    let mut wrong = Vec::new();
    for (kind, count) in &patient.counts {
        let asked = [
            ("by patient", format!("{kind}?patient=Patient/{id}&_summary=count")),
            ("in the compartment", format!("Patient/{id}/{kind}?_summary=count")),
        ];
        for (how, path) in asked {
            match count_at(http, &path) {
                Ok(total) if total == *count => {}
                Ok(total) => {
                    wrong.push(format!("{kind} {how} of {identifier}: {total} instead of {count}"))
                }
                Err(error) => wrong.push(format!("{kind} {how} of {identifier}: {error:#}")),
            }
        }
    }
    (1 + 2 * patient.counts.len(), wrong)
}

fn find_patient(http: &mut Http, identifier: &str) -> anyhow::Result<String> {
    let query = encode_query(&format!("identifier={identifier}"));
    let bundle: Bundle =
        serde_json::from_slice(&http.get(&format!("Patient?{query}"))?.ok()?.body)?;
    match bundle.entry.as_slice() {
        [one] => Ok(one.resource.id.clone()),
        entries => bail!("{} patients have this identifier", entries.len()),
    }
}

fn count_at(http: &mut Http, path: &str) -> anyhow::Result<u64> {
    let bundle: Bundle = serde_json::from_slice(&http.get(path)?.ok()?.body)?;
    bundle.total.context("no total")
}

/// The parts of a searchset that count.
#[derive(Debug, Deserialize)]
struct Bundle {
    total: Option<u64>,
    #[serde(default)]
    link: Vec<Link>,
    #[serde(default)]
    entry: Vec<Entry>,
}

#[derive(Debug, Deserialize)]
struct Link {
    relation: String,
    url: String,
}

#[derive(Debug, Deserialize)]
struct Entry {
    search: Option<Mode>,
    resource: Record,
}

#[derive(Debug, Deserialize)]
struct Mode {
    mode: Option<String>,
}

#[derive(Debug, Deserialize)]
struct Record {
    #[serde(rename = "resourceType")]
    kind: String,
    id: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_query_is_split_from_its_result_parameters() {
        assert_eq!(split("Claim?_summary=count"), ("Claim", String::new()));
        assert_eq!(split("Claim?a=b&_summary=count&c=d"), ("Claim", "a=b&c=d".to_owned()));
    }

    #[test]
    fn a_server_that_is_not_there_is_wrong_about_everything() {
        let http = Http::new("http://127.0.0.1:9/fhir").expect("an address");
        let expected = Expected {
            queries: vec![Query { query: "Patient?gender=male".to_owned(), total: 1 }],
            patients: Vec::new(),
        };
        let report = run(&http, &expected, Effort::default());
        assert_eq!((report.asked, report.wrong.len()), (6, 6));
    }
}
