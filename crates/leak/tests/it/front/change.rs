//! Writes of the server in memory. The persona creates under ids of the server's choice, and updates
//! and deletes what it may see; what it may not see is, for it, not there.

use super::{Front, Version, Who, absent, answer, find, refusal, text};
use leak::wire::{Answer, Request};
use serde_json::{Value, json};

impl Front {
    fn store(&mut self, kind: &str, id: &str, body: Option<Value>) -> usize {
        self.clock += 1;
        let versions = self.store.entry((kind.to_owned(), id.to_owned())).or_default();
        versions.push(Version { body, at: self.clock });
        versions.len()
    }

    fn create(&mut self, kind: &str, mut body: Value) -> Answer {
        let number = self.clock + 1;
        let id = if self.is_off("sequence") {
            number.to_string()
        } else {
            // Drawn, and of one length: it counts nothing.
            format!("n{:016x}", number.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        };
        if let Some(members) = body.as_object_mut() {
            members.insert("id".to_owned(), json!(id));
            members.entry("meta").or_insert_with(|| json!({}));
        }
        self.store(kind, &id, Some(body));
        let mut out = answer(201, json!({}));
        out.headers.push(("location".to_owned(), format!("memory:/fhir/{kind}/{id}/_history/1")));
        out
    }

    pub(super) fn change(
        &mut self,
        who: Who,
        request: &Request,
        path: &str,
        query: &str,
    ) -> Answer {
        let body: Value = match serde_json::from_slice(&request.body) {
            Ok(body) => body,
            Err(_) if request.body.is_empty() => Value::Null,
            Err(_) => {
                let parts: Vec<&str> = path.split('/').collect();
                return self.error(parts.first().unwrap_or(&""), parts.get(1).unwrap_or(&""));
            }
        };
        let parts: Vec<&str> = path.split('/').filter(|part| !part.is_empty()).collect();
        match (request.method, parts.as_slice()) {
            ("POST", []) => self.bundle(who, &body),
            ("POST", [.., last]) if last.starts_with('$') => self.operate(who, last),
            ("POST", ["Subscription"]) => self.subscribe(&body),
            ("POST", [kind]) => self.post(who, kind, body, request),
            ("PUT", [kind]) => self.conditional_update(who, kind, body, query),
            ("PUT", [kind, id]) => self.put(who, kind, id, body, request),
            ("DELETE", [kind]) => self.conditional_delete(who, kind, query),
            ("DELETE", [kind, id]) => self.delete(who, kind, id),
            ("PATCH", [kind, id]) => self.patch(who, kind, id, &body),
            _ => refusal(405, "not-supported"),
        }
    }

    fn subscribe(&self, body: &Value) -> Answer {
        let (kind, id) = text(body, "criteria").split_once("?_id=").unwrap_or(("", ""));
        let there = self.is_off("subscription") && self.current(kind, id).is_some();
        refusal(if there { 403 } else { 422 }, "not-supported")
    }

    fn post(&mut self, who: Who, kind: &str, body: Value, request: &Request) -> Answer {
        if let Some(condition) = request.header("if-none-exist") {
            match self.find(who, kind, condition, &["if-none-exist"]).map(|found| found.len()) {
                Ok(0) => {}
                Ok(1) => return answer(200, json!({})),
                _ => return refusal(412, "multiple-matches"),
            }
        }
        if self.is_off("same-identifier") {
            let wanted = body.pointer("/identifier/0/value").and_then(Value::as_str);
            let taken = |of: &Value| find::strings(of).any(|s| Some(s.as_str()) == wanted);
            let all = self.store.values().filter_map(|versions| versions.last()?.body.as_ref());
            if all.filter_map(|body| body.get("identifier")).any(taken) {
                return refusal(409, "duplicate");
            }
        }
        if self.is_off("reference") {
            let names = ["derivedFrom", "focus", "subject"];
            let to = names.iter().filter_map(|name| body.get(*name)).flat_map(find::strings);
            let to: Vec<String> = to.collect();
            let lost = to
                .iter()
                .filter_map(|s| s.split_once('/'))
                .any(|(k, i)| self.current(k, i).is_none());
            if lost {
                return refusal(422, "reference");
            }
        }
        self.create(kind, body)
    }

    /// Whether the persona may write over what is there.
    fn may_write(&self, who: Who, kind: &str, id: &str) -> bool {
        who == Who::Admin || self.current(kind, id).is_some_and(|body| self.sees(who, body, &[]))
    }

    fn put(&mut self, who: Who, kind: &str, id: &str, body: Value, request: &Request) -> Answer {
        if text(&body, "id") != id {
            return self.error(kind, id);
        }
        let there = self.current(kind, id).is_some();
        let bare = body.pointer("/meta/tag").is_some() && body.pointer("/meta/security").is_none();
        let stripped = self.is_off("label-strip") && bare && there;
        let open = self.within.iter().any(|site| self.is_off(site));
        if !stripped && !open && !self.may_write(who, kind, id) {
            if self.is_off("client-id") && request.header("if-none-match").is_some() && there {
                return refusal(412, "exists");
            }
            let versions = self.store.get(&(kind.to_owned(), id.to_owned())).map_or(0, Vec::len);
            let wanted = request.header("if-match").map(|tag| tag.contains(&versions.to_string()));
            if self.is_off("update") && wanted == Some(false) {
                return refusal(412, "version");
            }
            return refusal(403, "forbidden");
        }
        let version = self.store(kind, id, Some(body));
        answer(if version == 1 { 201 } else { 200 }, json!({}))
    }

    fn conditional_update(&mut self, who: Who, kind: &str, mut body: Value, query: &str) -> Answer {
        let found = self.find(who, kind, query, &["conditional-update"]);
        let found =
            found.map(|all| all.iter().map(|b| text(b, "id").to_owned()).collect::<Vec<_>>());
        match found.as_deref() {
            Ok([]) => self.create(kind, body),
            Ok([id]) => {
                if let Some(members) = body.as_object_mut() {
                    members.insert("id".to_owned(), json!(id));
                }
                self.store(kind, id, Some(body));
                answer(200, json!({}))
            }
            _ => refusal(412, "multiple-matches"),
        }
    }

    fn conditional_delete(&mut self, who: Who, kind: &str, query: &str) -> Answer {
        let found = self.find(who, kind, query, &["conditional-delete"]);
        let found =
            found.map(|all| all.iter().map(|b| text(b, "id").to_owned()).collect::<Vec<_>>());
        match found.as_deref() {
            Ok([id]) => {
                self.store(kind, id, None);
                Answer { status: 204, ..Answer::default() }
            }
            _ => absent(),
        }
    }

    fn delete(&mut self, who: Who, kind: &str, id: &str) -> Answer {
        let open = self.within.iter().any(|site| self.is_off(site));
        if !open && !self.may_write(who, kind, id) {
            let tells = self.is_off("delete") && self.current(kind, id).is_some();
            return if tells { refusal(403, "forbidden") } else { absent() };
        }
        let own = format!("{kind}/{id}");
        let mut all = self.store.values().filter_map(|versions| versions.last()?.body.as_ref());
        let strict = who == Who::Persona && self.is_off("delete-conflict");
        if strict && all.any(|b| find::strings(b).any(|s| s == own)) {
            return refusal(409, "conflict");
        }
        if self.current(kind, id).is_some() {
            self.store(kind, id, None);
        }
        Answer { status: 204, ..Answer::default() }
    }

    fn patch(&self, who: Who, kind: &str, id: &str, steps: &Value) -> Answer {
        let there = self.current(kind, id);
        let Some(body) = there.filter(|body| self.sees(who, body, &["patch"])) else {
            return absent();
        };
        let holds = steps.as_array().is_some_and(|steps| {
            steps.iter().all(|step| body.pointer(text(step, "path")) == step.get("value"))
        });
        refusal(if holds { 403 } else { 409 }, "test")
    }

    fn bundle(&mut self, who: Who, bundle: &Value) -> Answer {
        let batch = text(bundle, "type") == "batch";
        let entries = bundle.get("entry").and_then(Value::as_array).cloned().unwrap_or_default();
        let mut answers = Vec::new();
        for entry in &entries {
            let request = entry.get("request").cloned().unwrap_or_default();
            let safe = text(&request, "method") == "GET";
            let method = match text(&request, "method") {
                "POST" => "POST",
                "PUT" => "PUT",
                "DELETE" => "DELETE",
                _ => "GET",
            };
            let mut inner = Request::new(method, text(&request, "url"));
            for (member, header) in [
                ("ifNoneExist", "if-none-exist"),
                ("ifMatch", "if-match"),
                ("ifNoneMatch", "if-none-match"),
            ] {
                if let Some(value) = request.get(member).and_then(Value::as_str) {
                    inner = inner.with(header, value);
                }
            }
            if let Some(resource) = entry.get("resource") {
                inner = inner.json(resource);
                if let Some(refused) = self.conditional_reference(who, resource) {
                    return refused;
                }
            }
            self.within.push(match (batch, safe) {
                (true, true) => "batch",
                (true, false) => "batch-write",
                (false, true) => "transaction",
                (false, false) => "transaction-write",
            });
            let one = self.handle(who, &inner);
            self.within.pop();
            if !batch && one.status >= 400 {
                return refusal(one.status, "an entry was refused");
            }
            let location = one.header("location").map(str::to_owned);
            let resource: Value = serde_json::from_slice(&one.body).unwrap_or_default();
            answers.push(json!({
                "resource": if safe { resource } else { Value::Null },
                "response": { "status": one.status.to_string(), "location": location },
            }));
        }
        let kind = if batch { "batch-response" } else { "transaction-response" };
        answer(200, json!({ "resourceType": "Bundle", "type": kind, "entry": answers }))
    }

    fn conditional_reference(&self, who: Who, resource: &Value) -> Option<Answer> {
        let all: Vec<String> = ["derivedFrom", "focus"]
            .iter()
            .filter_map(|name| resource.get(*name))
            .flat_map(find::strings)
            .collect();
        let (kind, query) = all.iter().find_map(|s| s.split_once('?'))?;
        let found =
            self.find(who, kind, query, &["conditional-reference"]).map_or(0, |all| all.len());
        (found != 1).then(|| refusal(412, "no one match"))
    }
}
