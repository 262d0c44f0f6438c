//! Mixed writes by several callers at once, each keeping a ledger of what it was answered, until the
//! server dies under them.

use super::desk::{self, Place};
use super::ledger::{Ledger, Open, State, Transaction, body, search};
use anyhow::Context;
use conformance::http::{Answer, Http};
use conformance::random::Random;
use serde_json::{Value, json};
use std::sync::atomic::{AtomicBool, Ordering};

/// Records all callers change at once.
pub(super) const SHARED: [&str; 3] = ["Patient/shared-1", "Patient/shared-2", "Patient/shared-3"];
/// Resources a transaction creates at most.
const CREATES_MAX: u64 = 6;
const KINDS: [&str; 2] = ["Observation", "Patient"];

/// One caller.
#[derive(Debug)]
pub(super) struct Caller {
    pub(super) http: Http,
    pub(super) random: Random,
    /// Begins its markers, so that none is used twice.
    pub(super) name: String,
    /// The records that it alone changes.
    pub(super) own: Vec<String>,
    /// Places that all callers book.
    pub(super) places: Vec<Place>,
    /// The visits it booked in this run: which, at which place, and whether by its Slot.
    pub(super) booked: Vec<(String, usize, bool)>,
    pub(super) ledger: Ledger,
    pub(super) count: u64,
}

impl Caller {
    /// Writes until told to stop or the server is gone.
    pub(super) fn run(mut self, stop: &AtomicBool) -> Ledger {
        while !stop.load(Ordering::Relaxed) {
            if self.act().is_err() {
                break;
            }
        }
        self.ledger
    }

    /// One act. An error means that its answer did not come.
    fn act(&mut self) -> anyhow::Result<()> {
        match self.random.below(20) {
            0..=3 => self.create(),
            4..=7 => self.update(),
            8 => self.update_shared(),
            9 => self.delete(),
            10..=12 => self.transaction(),
            13 | 14 => self.create_conditionally(),
            15..=17 => self.book(),
            18 => self.cancel(),
            _ => self.read_own(),
        }
    }

    fn create(&mut self) -> anyhow::Result<()> {
        let (kind, marker) = (self.kind(), self.marker());
        let body = body(kind, None, &marker, self.subject().as_deref()).to_string();
        self.ledger.open.push(Open { kind, marker: marker.clone() });
        let answer = self.http.put("POST", kind, body.as_bytes())?;
        self.ledger.open.pop();
        if self.expect(&answer, &[201], "create") {
            self.created(&answer, kind, &marker, 1);
        }
        Ok(())
    }

    fn update(&mut self) -> anyhow::Result<()> {
        let Some(key) = self.random.pick(&self.own).cloned() else { return self.create() };
        let known =
            self.ledger.records.get(&key).and_then(|r| r.last()).map(|(v, s)| (v, s.clone()));
        let Some((version, state)) = known else { return Ok(()) };
        let marker = self.marker();
        let match_last = format!("W/\"{version}\"");
        let guarded = state != State::Gone && self.random.once_in(2);
        let guard: &[(&str, &str)] = if guarded { &[("if-match", &match_last)] } else { &[] };
        if let Some(answer) = self.put(&key, &marker, guard)? {
            self.check_version(&key, "update", &answer, version + 1);
            self.ledger.answer(&key, version + 1, &State::Live(marker));
        }
        Ok(())
    }

    /// All callers change these, so only the answer tells the version.
    fn update_shared(&mut self) -> anyhow::Result<()> {
        let key = SHARED.get(self.random.index(SHARED.len())).copied().unwrap_or(SHARED[0]);
        let marker = self.marker();
        if let Some(answer) = self.put(key, &marker, &[])? {
            match answer.version() {
                Some(version) => self.ledger.answer(key, version, &State::Live(marker)),
                None => self.ledger.wrong.push(format!("update {key}: no version")),
            }
        }
        Ok(())
    }

    fn put(
        &mut self,
        key: &str,
        marker: &str,
        more: &[(&str, &str)],
    ) -> anyhow::Result<Option<Answer>> {
        let (kind, id) = key.split_once('/').context("a key")?;
        let body = body(kind, Some(id), marker, None).to_string();
        let mut headers = vec![("content-type", conformance::http::FHIR_JSON)];
        headers.extend(more);
        let answer = match self.http.send("PUT", key, &headers, body.as_bytes()) {
            Ok(answer) => answer,
            Err(error) => {
                self.ledger.leave_open(key, State::Live(marker.to_owned()));
                return Err(error);
            }
        };
        Ok(self.expect(&answer, &[200, 201], "update").then_some(answer))
    }

    fn delete(&mut self) -> anyhow::Result<()> {
        let Some(key) = self.random.pick(&self.own).cloned() else { return Ok(()) };
        let last = self.ledger.records.get(&key).and_then(|r| r.last());
        let Some((version, State::Live(_))) = last else { return Ok(()) };
        match self.http.send("DELETE", &key, &[], b"") {
            Ok(answer) => {
                if self.expect(&answer, &[200, 204], "delete") {
                    self.ledger.answer(&key, version + 1, &State::Gone);
                }
                Ok(())
            }
            Err(error) => {
                self.ledger.leave_open(&key, State::Gone);
                Err(error)
            }
        }
    }

    /// Creates several resources and changes one record, all or nothing.
    fn transaction(&mut self) -> anyhow::Result<()> {
        let (mut entries, mut created) = (Vec::new(), Vec::new());
        for _ in 0..=self.random.below(CREATES_MAX) {
            let (kind, marker) = (self.kind(), self.marker());
            let resource = body(kind, None, &marker, self.subject().as_deref());
            entries.push(
                json!({ "resource": resource, "request": { "method": "POST", "url": kind } }),
            );
            created.push(Open { kind, marker });
        }
        let mut changed = None;
        if let Some(key) = self.random.pick(&self.own).cloned() {
            let marker = self.marker();
            let (kind, id) = key.split_once('/').context("a key")?;
            let resource = body(kind, Some(id), &marker, None);
            entries
                .push(json!({ "resource": resource, "request": { "method": "PUT", "url": key } }));
            changed = Some((key, marker));
        }
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": entries });
        let answer = match self.http.put("POST", "", bundle.to_string().as_bytes()) {
            Ok(answer) => answer,
            Err(error) => {
                if let Some((key, marker)) = &changed {
                    self.ledger.leave_open(key, State::Live(marker.clone()));
                }
                self.ledger.transactions.push(Transaction { created, changed });
                return Err(error);
            }
        };
        if self.expect(&answer, &[200], "transaction") {
            self.took(&answer, &created, changed.as_ref());
        }
        Ok(())
    }

    /// Notes every entry of an answered transaction.
    fn took(&mut self, answer: &Answer, created: &[Open], changed: Option<&(String, String)>) {
        let answer = answer.json().unwrap_or_default();
        let entries = answer.get("entry").and_then(Value::as_array).cloned().unwrap_or_default();
        let known = created.len() + usize::from(changed.is_some());
        if entries.len() != known {
            let text =
                format!("a transaction of {known} entries was answered by {}", entries.len());
            self.ledger.wrong.push(text);
        }
        let markers = created.iter().map(|open| &open.marker);
        for (entry, marker) in entries.iter().zip(markers.chain(changed.iter().map(|(_, m)| m))) {
            let location = entry.pointer("/response/location").and_then(Value::as_str);
            let Some((key, version)) = location.and_then(place_of) else {
                self.ledger.wrong.push(format!("an entry without a place: {location:?}"));
                continue;
            };
            if version == 1 {
                self.own.push(key.clone());
            }
            self.ledger.answer(&key, version, &State::Live(marker.clone()));
        }
    }

    /// Creates if none exists, sometimes twice.
    fn create_conditionally(&mut self) -> anyhow::Result<()> {
        let (kind, marker) = (self.kind(), self.marker());
        let body = body(kind, None, &marker, None).to_string();
        let query = search(kind, &marker);
        let query = query.split_once('?').map_or("", |(_, query)| query);
        let headers = [("content-type", conformance::http::FHIR_JSON), ("if-none-exist", query)];
        self.ledger.conditions.push(Open { kind, marker: marker.clone() });
        self.ledger.open.push(Open { kind, marker: marker.clone() });
        let first = self.http.send("POST", kind, &headers, body.as_bytes())?;
        self.ledger.open.pop();
        if !self.expect(&first, &[201], "conditional create") {
            return Ok(());
        }
        self.created(&first, kind, &marker, 1);
        if self.random.once_in(2) {
            let again = self.http.send("POST", kind, &headers, body.as_bytes())?;
            self.expect(&again, &[200], "conditional create again");
        }
        Ok(())
    }

    /// Asks for a place that others ask for too: one of them gets it.
    fn book(&mut self) -> anyhow::Result<()> {
        let (at, by_slot) = (self.random.index(self.places.len().max(1)), self.random.once_in(2));
        let Some(place) = self.places.get(at) else { return Ok(()) };
        let kind = "Appointment";
        let marker = format!("{}-v{}", self.name, self.count);
        self.count += 1;
        let body = desk::visit(None, &marker, place, "booked", by_slot).to_string();
        self.ledger.open.push(Open { kind, marker: marker.clone() });
        let answer = self.http.put("POST", kind, body.as_bytes())?;
        self.ledger.open.pop();
        // The place is somebody's: refused is right, and then no such visit may be there.
        if answer.status == 409 {
            self.ledger.refused.push(Open { kind, marker });
            return Ok(());
        }
        if self.expect(&answer, &[201], "booking") {
            match answer.header("location").and_then(place_of) {
                Some((key, 1)) => {
                    self.ledger.answer(&key, 1, &State::Live(marker));
                    self.booked.push((key, at, by_slot));
                }
                other => self.ledger.wrong.push(format!("a booking was answered with {other:?}")),
            }
        }
        Ok(())
    }

    /// Gives a place back.
    fn cancel(&mut self) -> anyhow::Result<()> {
        let last = self.booked.len().checked_sub(1).map(|last| self.random.index(last + 1));
        let Some(at) = last else { return self.book() };
        let (key, place, by_slot) = self.booked.swap_remove(at);
        let (Some(place), Some((_, id))) = (self.places.get(place), key.split_once('/')) else {
            return Ok(());
        };
        let marker = format!("{}-v{}", self.name, self.count);
        self.count += 1;
        let body = desk::visit(Some(id), &marker, place, "cancelled", by_slot).to_string();
        let headers = [("content-type", conformance::http::FHIR_JSON), ("if-match", "W/\"1\"")];
        match self.http.send("PUT", &key, &headers, body.as_bytes()) {
            Ok(answer) => {
                if self.expect(&answer, &[200], "cancelling") {
                    self.ledger.answer(&key, 2, &State::Live(marker));
                }
                Ok(())
            }
            Err(error) => {
                self.ledger.leave_open(&key, State::Live(marker));
                Err(error)
            }
        }
    }

    /// What was answered for must be read at once.
    fn read_own(&mut self) -> anyhow::Result<()> {
        let Some(key) = self.random.pick(&self.own).cloned() else { return Ok(()) };
        let last = self.ledger.records.get(&key).and_then(|r| r.last());
        let Some((version, state)) = last.map(|(v, s)| (v, s.clone())) else { return Ok(()) };
        let answer = self.http.get(&key)?;
        let right = match &state {
            State::Gone => answer.status == 410,
            State::Live(marker) => {
                let body = answer.json().unwrap_or_default();
                answer.version() == Some(version)
                    && super::ledger::marker(&body).as_ref() == Some(marker)
            }
        };
        if !right {
            let text = format!("{key} reads as {} {:?}", answer.status, answer.version());
            self.ledger.wrong.push(format!("{text}, not as version {version}, {state:?}"));
        }
        Ok(())
    }

    /// Whether the answer is one of those expected; any other is noted.
    fn expect(&mut self, answer: &Answer, expected: &[u16], act: &str) -> bool {
        let right = expected.contains(&answer.status);
        if !right {
            let said = String::from_utf8_lossy(answer.body.get(..300).unwrap_or(&answer.body));
            self.ledger.wrong.push(format!("{act} was answered by {}: {said}", answer.status));
        }
        right
    }

    fn created(&mut self, answer: &Answer, kind: &str, marker: &str, version: u64) {
        match answer.header("location").and_then(place_of) {
            Some((key, v)) if v == version && key.starts_with(kind) => {
                self.own.push(key.clone());
                self.ledger.answer(&key, version, &State::Live(marker.to_owned()));
            }
            other => self.ledger.wrong.push(format!("a create was answered with {other:?}")),
        }
    }

    fn check_version(&mut self, key: &str, act: &str, answer: &Answer, version: u64) {
        if answer.version() != Some(version) {
            let text = format!("{act} {key}: {:?} instead of {version}", answer.version());
            self.ledger.wrong.push(text);
        }
    }

    fn kind(&mut self) -> &'static str {
        KINDS.get(self.random.index(KINDS.len())).copied().unwrap_or("Patient")
    }

    /// A patient of its own that is there, for observations to be about.
    fn subject(&mut self) -> Option<String> {
        let key = self.random.pick(&self.own)?;
        let last = self.ledger.records.get(key)?.last();
        let there = matches!(last, Some((_, State::Live(_))));
        (there && key.starts_with("Patient/")).then(|| key.clone())
    }

    fn marker(&mut self) -> String {
        self.count += 1;
        format!("{}-{}", self.name, self.count)
    }
}

/// `Type/id` and version of a place such as `http://host/fhir/Type/id/_history/3`.
fn place_of(location: &str) -> Option<(String, u64)> {
    let (record, version) = location.split_once("/_history/")?;
    let mut words = record.rsplit('/');
    let (id, kind) = (words.next()?, words.next()?);
    Some((format!("{kind}/{id}"), version.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_tells_record_and_version() {
        let whole = Some(("Patient/7".to_owned(), 3));
        assert_eq!(place_of("http://h:1/fhir/Patient/7/_history/3"), whole);
        assert_eq!(place_of("Patient/7/_history/3"), whole);
        assert_eq!(place_of("Patient/7"), None);
    }
}
