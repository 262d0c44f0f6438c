//! A FHIR server in memory, as small as the bench's questions allow. Whatever it shows passes a guard
//! that has a name; one guard can be off, and then what the persona may not see passes there. What is
//! hidden it works out from the bodies, as a server must, and not from the bench's own list.

mod change;
mod find;
mod pages;

use leak::Persona;
use leak::persona::DIRECTORY;
use leak::wire::{Answer, Request, Wire};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Admin,
    Persona,
}

/// Names of guards passed at one place.
pub(crate) type Sites<'s> = &'s [&'s str];

#[derive(Debug, Clone)]
pub(crate) struct Version {
    body: Option<Value>,
    at: u64,
}

#[derive(Debug)]
pub(crate) struct Front {
    persona: &'static Persona,
    own: String,
    off: Option<&'static str>,
    store: BTreeMap<(String, String), Vec<Version>>,
    clock: u64,
    cursors: Vec<(Who, String, usize)>,
    /// Guards of what the present request is part of.
    within: Vec<&'static str>,
}

#[expect(clippy::needless_pass_by_value, reason = "bodies are made where they are handed over")]
pub(crate) fn answer(status: u16, body: Value) -> Answer {
    let headers = vec![("content-type".to_owned(), "application/fhir+json".to_owned())];
    Answer { status, headers, body: body.to_string().into_bytes() }
}

pub(crate) fn refusal(status: u16, code: &str) -> Answer {
    answer(status, json!({ "resourceType": "OperationOutcome", "issue": [{ "code": code }] }))
}

/// What is not there, and what may not be seen.
pub(crate) fn absent() -> Answer {
    refusal(404, "not-found")
}

impl Front {
    pub(crate) fn new(persona: &'static Persona, own: &str, off: Option<&'static str>) -> Self {
        Self {
            persona,
            own: own.to_owned(),
            off,
            store: BTreeMap::new(),
            clock: 0,
            cursors: Vec::new(),
            within: Vec::new(),
        }
    }

    /// Whether the guard of this name is off.
    pub(crate) fn is_off(&self, site: &str) -> bool {
        self.off == Some(site)
    }

    fn hides(&self, body: &Value) -> bool {
        let kind = text(body, "resourceType");
        let labels = body.pointer("/meta/security").and_then(Value::as_array);
        let labelled =
            labels.is_some_and(|all| all.iter().any(|l| self.persona.hides_label(text(l, "code"))));
        if labelled || self.persona.hides_type(kind) || kind == "AuditEvent" {
            return true;
        }
        if !self.persona.others || DIRECTORY.contains(&kind) {
            return false;
        }
        let other = |r: &String| r.strip_prefix("Patient/").is_some_and(|id| id != self.own);
        let members = ["subject", "patient", "beneficiary", "securityContext", "participant"];
        let strings = members.iter().filter_map(|m| body.get(*m)).flat_map(find::strings);
        strings.collect::<Vec<_>>().iter().any(other)
            || kind == "Patient" && text(body, "id") != self.own
    }

    /// Whether a body may be shown at a place that these guards watch.
    pub(crate) fn sees(&self, who: Who, body: &Value, sites: Sites<'_>) -> bool {
        let open = |site: &&str| self.is_off(site);
        who == Who::Admin
            || !self.hides(body)
            || sites.iter().any(open)
            || self.within.iter().any(open)
    }

    pub(crate) fn current(&self, kind: &str, id: &str) -> Option<&Value> {
        let versions = self.store.get(&(kind.to_owned(), id.to_owned()))?;
        versions.last()?.body.as_ref()
    }

    /// A body as it is shown: with its version and time, and without what the persona may not see.
    pub(crate) fn shown(&self, who: Who, version: &Version, number: usize) -> Value {
        let mut body = version.body.clone().unwrap_or_default();
        if let Some(meta) = body.get_mut("meta").and_then(Value::as_object_mut) {
            meta.insert("versionId".to_owned(), json!(number.to_string()));
            meta.insert("lastUpdated".to_owned(), json!(format!("t{:06}", version.at)));
        }
        if who == Who::Persona
            && self.masks(text(&body, "resourceType"), "birthDate")
            && let Some(members) = body.as_object_mut()
        {
            members.remove("birthDate");
        }
        body
    }

    /// Whether an element is hidden from the persona.
    pub(crate) fn masks(&self, kind: &str, element: &str) -> bool {
        self.persona.key == "front-desk"
            && (kind, element) == ("Patient", "birthDate")
            && !self.is_off("element")
    }

    fn handle(&mut self, who: Who, request: &Request) -> Answer {
        let extra = |name: &str| request.headers.iter().any(|(n, _)| n.starts_with(name));
        let depth = self.within.len();
        if extra("x-") {
            self.within.push("header");
        }
        if extra("accept-encoding") || request.path.contains("_pretty") {
            self.within.push("encoding");
        }
        if request.path.contains('?')
            && (extra("if-none-match") || extra("if-modified-since") || request.method == "HEAD")
            && request.is_safe()
        {
            self.within.push("search-validator");
        }
        if extra("prefer") && request.header("prefer") == Some("handling=lenient") {
            self.within.push("lenient");
        }
        let (path, query) = request.path.split_once('?').unwrap_or((&request.path, ""));
        let answer = if request.is_safe() {
            self.look(who, request, path, query)
        } else if path.ends_with("_search") {
            let form = String::from_utf8_lossy(&request.body).into_owned();
            let query =
                [query, &form].into_iter().filter(|q| !q.is_empty()).collect::<Vec<_>>().join("&");
            self.within.push("post-search");
            self.search(who, path.trim_end_matches("_search").trim_end_matches('/'), &query)
        } else {
            self.change(who, request, path, query)
        };
        self.within.truncate(depth);
        answer
    }

    fn look(&mut self, who: Who, request: &Request, path: &str, query: &str) -> Answer {
        if query.contains("_cursor=") {
            return self.page(who, query);
        }
        let plain = plain(path);
        if plain != path || query.is_empty() && request.path.ends_with('?') {
            return match plain.split('/').collect::<Vec<_>>().as_slice() {
                [kind, id] if self.is_off("address") => self.read(who, kind, id, &["address"]),
                _ => absent(),
            };
        }
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        let head = request.method == "HEAD";
        match parts.as_slice() {
            _ if request.method == "OPTIONS" => self.options(&parts),
            ["metadata"] => {
                let mut says = json!({ "resourceType": "CapabilityStatement" });
                if self.is_off("capability")
                    && let Some(members) = says.as_object_mut()
                {
                    members.insert("description".to_owned(), json!(self.store.len()));
                }
                answer(200, says)
            }
            ["AuditEvent", ..] => {
                let total = if self.is_off("access-log") { self.clock } else { 0 };
                answer(
                    200,
                    json!({ "resourceType": "Bundle", "type": "searchset", "total": total }),
                )
            }
            ["_history"] => self.history(who, None, None, &["history-system"], query),
            [kind, "_history"] => self.history(who, Some(kind), None, &["history-type"], query),
            [kind, id, "$everything"] => self.everything(who, kind, id),
            [.., last] if last.starts_with('$') => self.operate(who, last),
            [kind, id, "_history"] => {
                let sites: &[&str] = if head { &["head"] } else { &["history-instance"] };
                self.history(who, Some(kind), Some(id), sites, query)
            }
            [kind, id, "_history", version] => {
                let sites: &[&str] = if head { &["head"] } else { &["vread"] };
                match version.parse::<usize>() {
                    Ok(number) if number < 1_000 => self.vread(who, kind, id, number, sites),
                    _ => self.error(kind, id),
                }
            }
            [kind, id]
                if query.is_empty()
                    || query.starts_with("_elements=")
                    || query.starts_with("_summary=") =>
            {
                let conditional =
                    request.headers.iter().any(|(n, _)| n.starts_with("if-") || n == "range");
                let bytes = *kind == "Binary" && request.header("accept").is_some();
                let sites: &[&str] = match (head, conditional, bytes) {
                    (true, _, _) => &["head"],
                    (_, true, _) => &["conditional-read"],
                    (_, _, true) => &["binary"],
                    _ => &["read"],
                };
                if query == "_elements=" {
                    return self.error(kind, id);
                }
                let mut answer = self.read(who, kind, id, sites);
                if head {
                    answer.body.clear();
                }
                answer
            }
            [kind, id] => self.error(kind, id),
            [kind, id, inner]
                if inner.chars().next().is_some_and(|c| c.is_uppercase() || c == '*') =>
            {
                if matches!(*kind, "Patient" | "Practitioner" | "Encounter") && *inner != "Nonsense"
                {
                    self.compartment(who, kind, id, inner, query)
                } else {
                    self.error(kind, id)
                }
            }
            [kind] => self.search(who, kind, query),
            [] => self.search(who, "", query),
            _ => absent(),
        }
    }

    fn read(&self, who: Who, kind: &str, id: &str, sites: Sites<'_>) -> Answer {
        let key = (kind.to_owned(), id.to_owned());
        let Some(versions) = self.store.get(&key) else { return absent() };
        let Some(version) = versions.last() else { return absent() };
        let last = versions.iter().rev().find_map(|version| version.body.as_ref());
        if !last.is_some_and(|body| self.sees(who, body, sites)) {
            let tells = self.is_off("not-found") && version.body.is_some();
            return if tells { refusal(403, "forbidden") } else { absent() };
        }
        if version.body.is_none() {
            return refusal(410, "deleted");
        }
        let mut out = answer(200, self.shown(who, version, versions.len()));
        out.headers.push(("etag".to_owned(), format!("W/\"{}\"", versions.len())));
        out
    }

    fn vread(&self, who: Who, kind: &str, id: &str, number: usize, sites: Sites<'_>) -> Answer {
        let versions = self.store.get(&(kind.to_owned(), id.to_owned()));
        let found = versions.and_then(|all| all.get(number.checked_sub(1)?));
        match found {
            Some(version)
                if version.body.as_ref().is_some_and(|body| self.sees(who, body, sites)) =>
            {
                answer(200, self.shown(who, version, number))
            }
            _ => absent(),
        }
    }

    fn history(
        &self,
        who: Who,
        kind: Option<&str>,
        id: Option<&str>,
        sites: Sites<'_>,
        query: &str,
    ) -> Answer {
        let mut sites = sites.to_vec();
        if query.contains("_since") || query.contains("_at=") {
            sites.push("history-since");
        }
        let mut entries = Vec::new();
        for ((k, i), versions) in &self.store {
            if kind.is_some_and(|kind| kind != k) || id.is_some_and(|id| id != i) {
                continue;
            }
            for (number, version) in (1..).zip(versions) {
                if version.body.as_ref().is_some_and(|body| self.sees(who, body, &sites)) {
                    entries.push(json!({ "resource": self.shown(who, version, number) }));
                }
            }
        }
        if id.is_some() && entries.is_empty() {
            return absent();
        }
        answer(
            200,
            json!({ "resourceType": "Bundle", "type": "history", "total": entries.len(), "entry": entries }),
        )
    }

    fn options(&self, parts: &[&str]) -> Answer {
        let there = match parts {
            [kind, id] => self.current(kind, id).is_some(),
            _ => false,
        };
        let allow = if self.is_off("options") && there { "GET, PUT, DELETE" } else { "GET" };
        let mut out = Answer { status: 204, ..Answer::default() };
        out.headers.push(("allow".to_owned(), allow.to_owned()));
        out
    }

    /// What a malformed request is told.
    fn error(&self, kind: &str, id: &str) -> Answer {
        let there = self.is_off("error-text") && self.current(kind, id).is_some();
        refusal(400, if there { "a parameter this record does not take" } else { "a parameter" })
    }

    fn everything(&self, who: Who, kind: &str, id: &str) -> Answer {
        let first = self.read(who, kind, id, &["everything"]);
        if first.status != 200 {
            return absent();
        }
        let name = format!("{kind}/{id}");
        let all =
            self.store.values().filter_map(|versions| Some((versions.last()?, versions.len())));
        let entries: Vec<Value> = all
            .filter(|(version, _)| {
                let Some(body) = &version.body else { return false };
                find::strings(body).any(|s| s == name) && self.sees(who, body, &["everything"])
            })
            .map(|(version, number)| json!({ "resource": self.shown(who, version, number) }))
            .collect();
        answer(200, json!({ "resourceType": "Bundle", "type": "searchset", "entry": entries }))
    }

    /// Operations: a count of what each would look at.
    fn operate(&self, who: Who, name: &str) -> Answer {
        let site = match name {
            "$lastn" => "operation",
            "$graphql" => "graphql",
            "$export" => "export",
            _ => return refusal(404, "not-supported"),
        };
        let bodies = self.store.values().filter_map(|versions| versions.last()?.body.as_ref());
        let count = bodies.filter(|body| self.sees(who, body, &[site])).count();
        answer(200, json!({ "resourceType": "Parameters", "count": count }))
    }
}

impl Wire for Front {
    fn ask(&mut self, request: &Request) -> anyhow::Result<Answer> {
        if let Some(path) = request.path.strip_prefix(pages::ROOT) {
            return Ok(self.page_for_people(request, path));
        }
        let who = match request.token.as_deref() {
            Some("admin") => Who::Admin,
            Some("persona") => Who::Persona,
            _ if self.is_off("token") => Who::Admin,
            _ => return Ok(refusal(401, "login")),
        };
        Ok(self.handle(who, request))
    }

    fn base(&self) -> &'static str {
        "memory:/fhir"
    }
}

pub(crate) fn text<'v>(of: &'v Value, name: &str) -> &'v str {
    of.get(name).and_then(Value::as_str).unwrap_or("")
}

/// An address as a careless router reads it: decoded, without dots, blanks and empty parts.
fn plain(path: &str) -> String {
    let mut bytes = Vec::new();
    let mut rest = path.bytes();
    while let Some(byte) = rest.next() {
        let pair = (byte == b'%').then(|| {
            let digits = [rest.next().unwrap_or(b'0'), rest.next().unwrap_or(b'0')];
            u8::from_str_radix(&String::from_utf8_lossy(&digits), 16).unwrap_or(b'?')
        });
        bytes.push(pair.unwrap_or(byte));
    }
    let decoded = String::from_utf8_lossy(&bytes).into_owned();
    let mut parts: Vec<&str> = Vec::new();
    for part in decoded.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                parts.pop();
            }
            other => parts.push(other.trim_matches(['\0', ' '])),
        }
    }
    parts.join("/")
}
