//! After a crash: every write answered for is there with its content and version, none is half there,
//! histories have no gaps, searches find what reads show, and every write has its event in the audit
//! log. What the server kept of unanswered writes becomes part of the ledger.

use super::ledger::{Ledger, Open, Record, State, marker, search};
use anyhow::{Context, bail};
use conformance::http::Http;
use serde_json::Value;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::path::Path;
use std::process::Command;

/// Holds the server against the ledger for these records and everything left open. Returns what is
/// wrong, and how many questions it took.
pub(super) fn records(
    http: &mut Http,
    ledger: &mut Ledger,
    keys: &BTreeSet<String>,
) -> anyhow::Result<(Vec<String>, usize)> {
    let mut wrong = std::mem::take(&mut ledger.wrong);
    let mut asked = 0;
    // Creates whose answer never came may have made a record that no caller knows.
    let mut keys = keys.clone();
    let mut opened: Vec<Open> = std::mem::take(&mut ledger.open);
    let transactions = std::mem::take(&mut ledger.transactions);
    opened.extend(transactions.iter().flat_map(|t| t.created.iter().cloned()));
    let mut kept: HashSet<String> = HashSet::new();
    for open in opened {
        let found = find(http, open.kind, &open.marker)?;
        asked += 1;
        if found.len() > 1 {
            wrong.push(format!("{} {} is there {} times", open.kind, open.marker, found.len()));
        }
        for key in found {
            ledger.leave_open(&key, State::Live(open.marker.clone()));
            kept.insert(open.marker.clone());
            keys.insert(key);
        }
    }
    for key in &keys {
        let record = ledger.records.entry(key.clone()).or_default();
        asked += 1;
        match record_of(http, key, record, &mut wrong)? {
            Some(versions) => {
                let open = std::mem::take(&mut record.open);
                kept.extend(open.iter().filter_map(|state| match state {
                    State::Live(marker) if versions.values().any(|s| s == state) => {
                        Some(marker.clone())
                    }
                    _ => None,
                }));
                record.versions = versions;
                asked += index_agrees(http, key, record, &mut wrong)?;
            }
            None => drop(ledger.records.remove(key)),
        }
    }
    for transaction in transactions {
        let markers = transaction.created.iter().map(|open| &open.marker);
        let all: Vec<_> = markers.chain(transaction.changed.iter().map(|(_, m)| m)).collect();
        let there = all.iter().filter(|marker| kept.contains(**marker)).count();
        if there != 0 && there != all.len() {
            wrong.push(format!("a transaction is half there: {there} of {} entries", all.len()));
        }
    }
    for condition in std::mem::take(&mut ledger.conditions) {
        let found = find(http, condition.kind, &condition.marker)?;
        asked += 1;
        if found.len() > 1 {
            wrong.push(format!(
                "a conditional create made {} records: {}",
                found.len(),
                condition.marker
            ));
        }
    }
    for refused in std::mem::take(&mut ledger.refused) {
        asked += 1;
        if !find(http, refused.kind, &refused.marker)?.is_empty() {
            wrong.push(format!("a booking that was refused is there: {}", refused.marker));
        }
    }
    Ok((wrong, asked))
}

/// The numbers of each type agree with the ledger of all records ever made.
pub(super) fn counts(http: &mut Http, ledger: &Ledger) -> anyhow::Result<Vec<String>> {
    let mut wrong = Vec::new();
    for kind in ["Appointment", "Observation", "Patient"] {
        let start = format!("{kind}/");
        let live = ledger.records.iter().filter(|(key, record)| {
            key.starts_with(&start) && matches!(record.last(), Some((_, State::Live(_))))
        });
        let known = u64::try_from(live.count())?;
        let answer = http.get(&format!("{kind}?_summary=count"))?.ok()?.json()?;
        let total = answer.get("total").and_then(Value::as_u64);
        if total != Some(known) {
            wrong.push(format!("{kind}: {total:?} are counted, {known} were made"));
        }
    }
    Ok(wrong)
}

/// The log verifies, and holds an event for each of the writes answered for, from event `from` on.
/// Tells the number of the last event.
pub(super) fn audit(
    binary: &Path,
    data: &Path,
    answered: &[(String, u64)],
    from: u64,
    wrong: &mut Vec<String>,
) -> anyhow::Result<u64> {
    let run = |words: &[&str]| {
        let mut command = Command::new(binary);
        command.arg("audit").args(words).arg("--data").arg(data);
        command.output().context("audit did not start")
    };
    let verified = run(&["verify"])?;
    if !verified.status.success() {
        let said = [verified.stdout, verified.stderr].concat();
        wrong.push(format!("the audit log does not verify: {}", String::from_utf8_lossy(&said)));
    }
    let shown = run(&["show", "--from-seq", &from.to_string()])?;
    if !shown.status.success() {
        bail!("audit show: {}", String::from_utf8_lossy(&shown.stderr));
    }
    let mut events: HashSet<(String, u64)> = HashSet::new();
    let mut last = 0;
    for line in String::from_utf8_lossy(&shown.stdout).lines() {
        let number = line.strip_prefix("{\"seq\":").and_then(|rest| rest.split(',').next());
        last = number.and_then(|n| n.parse().ok()).context("an event without its number")?;
        // Reads name no commit; skipping them unparsed keeps a long drill short.
        if !line.contains("\"commit\":") {
            continue;
        }
        let event: Value = serde_json::from_str(line).context("a line of audit show")?;
        let targets = event.get("targets").and_then(Value::as_array);
        for target in targets.into_iter().flatten() {
            let text = |name: &str| target.get(name).and_then(Value::as_str).unwrap_or("");
            let version = target.get("version").and_then(Value::as_u64).unwrap_or(0);
            events.insert((format!("{}/{}", text("type"), text("id")), version));
        }
    }
    for write in answered.iter().filter(|write| !events.contains(*write)) {
        wrong.push(format!("{} version {} has no event in the audit log", write.0, write.1));
    }
    Ok(last)
}

/// The whole history of a record held against what is known; nothing when there is no such record.
fn record_of(
    http: &mut Http,
    key: &str,
    known: &Record,
    wrong: &mut Vec<String>,
) -> anyhow::Result<Option<BTreeMap<u64, State>>> {
    let Some(history) = history(http, key)? else {
        if !known.versions.is_empty() {
            wrong.push(format!(
                "{key} is gone: {} versions were answered for",
                known.versions.len()
            ));
        }
        return Ok(None);
    };
    let mut versions = BTreeMap::new();
    for (version, state) in history {
        if versions.insert(version, state).is_some() {
            wrong.push(format!("{key} has version {version} twice"));
        }
    }
    let last = versions.last_key_value().map_or(0, |(version, _)| *version);
    if !versions.keys().copied().eq(1..=last) {
        wrong.push(format!("{key} has a gap in its versions up to {last}"));
    }
    let mut open = known.open.clone();
    for (version, state) in &versions {
        match known.versions.get(version) {
            Some(answered) if answered == state => {}
            Some(answered) => {
                wrong.push(format!("{key} version {version} is {state:?}, not {answered:?}"))
            }
            None => match open.iter().position(|open| open == state) {
                Some(at) => drop(open.remove(at)),
                None => wrong.push(format!("{key} version {version} was never written: {state:?}")),
            },
        }
    }
    for version in known.versions.keys().filter(|version| !versions.contains_key(*version)) {
        wrong.push(format!("{key} lost version {version}, which was answered for"));
    }
    Ok(Some(versions))
}

/// Every version of a record, by walking its history.
fn history(http: &mut Http, key: &str) -> anyhow::Result<Option<Vec<(u64, State)>>> {
    let mut answer = http.get(&format!("{key}/_history?_count=1000"))?;
    if answer.status == 404 {
        return Ok(None);
    }
    let mut out = Vec::new();
    loop {
        let page = answer.ok()?.json()?;
        for entry in page.get("entry").and_then(Value::as_array).into_iter().flatten() {
            let etag = entry.pointer("/response/etag").and_then(Value::as_str).unwrap_or("");
            let named = etag.trim_start_matches("W/").trim_matches('"');
            let held = entry.pointer("/resource/meta/versionId").and_then(Value::as_str);
            let version = held.unwrap_or(named).parse();
            let version = version.with_context(|| format!("{key}: a version without number"))?;
            let state = match entry.get("resource") {
                Some(resource) => match marker(resource) {
                    Some(marker) => State::Live(marker),
                    None => State::Live(format!("content that nobody sent: {resource}")),
                },
                None => State::Gone,
            };
            out.push((version, state));
        }
        let links = page.get("link").and_then(Value::as_array);
        let next =
            links.into_iter().flatten().find(|l| l.get("relation").is_some_and(|r| r == "next"));
        let Some(url) = next.and_then(|next| next.get("url")).and_then(Value::as_str) else {
            return Ok(Some(out));
        };
        answer = http.get(url)?;
    }
}

/// The record reads as its last version, and is found by that version's marker and by no other.
fn index_agrees(
    http: &mut Http,
    key: &str,
    record: &Record,
    wrong: &mut Vec<String>,
) -> anyhow::Result<usize> {
    let Some((version, state)) = record.last() else { return Ok(0) };
    let (kind, _) = key.split_once('/').context("a key")?;
    let read = http.get(key)?;
    let right = match state {
        State::Gone => read.status == 410,
        State::Live(known) => {
            read.status == 200
                && read.version() == Some(version)
                && marker(&read.json()?).as_ref() == Some(known)
        }
    };
    if !right {
        wrong.push(format!(
            "{key} reads as {} {:?}, its last version is {version}",
            read.status,
            read.version()
        ));
    }
    let mut asked = 1;
    // The last two are enough: an entry left behind by a change would be one of them.
    for (at, older) in record.versions.iter().rev().take(2) {
        let State::Live(marker) = older else { continue };
        let found = find(http, kind, marker)?;
        asked += 1;
        let expected: &[&str] = if *at == version { &[key] } else { &[] };
        if found != expected {
            wrong.push(format!("the marker of {key} version {at} of {version} finds {found:?}"));
        }
    }
    Ok(asked)
}

/// The records with a marker.
fn find(http: &mut Http, kind: &str, marker: &str) -> anyhow::Result<Vec<String>> {
    let page = http.get(&search(kind, marker))?.ok()?.json()?;
    let entries = page.get("entry").and_then(Value::as_array).into_iter().flatten();
    let ids = entries.filter_map(|entry| entry.pointer("/resource/id").and_then(Value::as_str));
    Ok(ids.map(|id| format!("{kind}/{id}")).collect())
}
