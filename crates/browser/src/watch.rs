//! What a page does besides what it shows: its requests with their bytes, and everything it does wrong.
//! An error that nobody sees is an error all the same, so each is held against the journey.

use crate::wire::Event;
use serde_json::Value;

/// A status from which on a page that somebody opens is the server's fault.
const SERVER_FAULT: u64 = 500;
/// A status from which on something that a page loads is missing.
const REFUSED: u64 = 400;
/// Characters of an issue's details that are told.
const DETAILS_SHOWN: usize = 400;

/// One request, as far as it came.
#[derive(Debug, Clone, Default)]
pub struct Request {
    id: String,
    /// Where to.
    pub address: String,
    /// `Document`, `Stylesheet`, `Script`, `Fetch`, …
    pub kind: String,
    /// The status of the answer; 0 before there is one.
    pub status: u64,
    /// Bytes of head and body as they were transferred; 0 from a cache.
    pub bytes: u64,
    /// Whether it has ended, well or not.
    pub ended: bool,
}

#[derive(Debug, Default)]
pub(crate) struct Watch {
    requests: Vec<Request>,
    faults: Vec<String>,
}

impl Watch {
    pub(crate) fn requests(&self) -> &[Request] {
        &self.requests
    }

    pub(crate) fn faults(&mut self) -> Vec<String> {
        std::mem::take(&mut self.faults)
    }

    pub(crate) fn take(&mut self, event: &Event) {
        let said = &event.params;
        match event.method.as_str() {
            "Runtime.exceptionThrown" => {
                let details = said.get("exceptionDetails").unwrap_or(said);
                let text = details.pointer("/exception/description");
                let text = text.or_else(|| details.get("text"));
                self.faults.push(format!("uncaught: {}", words(text)));
            }
            "Runtime.consoleAPICalled" if ["error", "assert"].contains(&word(said, "type")) => {
                let all = said.get("args").and_then(Value::as_array).into_iter().flatten();
                let all = all.map(|one| {
                    let value = one.get("value").or_else(|| one.get("description"));
                    value.map_or_else(String::new, |v| {
                        v.as_str().map_or_else(|| v.to_string(), str::to_owned)
                    })
                });
                self.faults.push(format!("console: {}", all.collect::<Vec<_>>().join(" ")));
            }
            "Log.entryAdded" => self.log(said.get("entry").unwrap_or(said)),
            "Audits.issueAdded" => self.issue(said.get("issue").unwrap_or(said)),
            "Inspector.targetCrashed" => self.faults.push("the page crashed".to_owned()),
            method if method.starts_with("Network.") => self.network(method, said),
            _ => {}
        }
    }

    fn log(&mut self, entry: &Value) {
        let source = word(entry, "source");
        // What the network says is judged by its own events, which tell a page from what it loads.
        let grave = word(entry, "level") == "error" && source != "network";
        if grave || source == "security" {
            self.faults.push(format!("{source}: {}", word(entry, "text")));
        }
    }

    fn issue(&mut self, issue: &Value) {
        let details = issue.get("details").map(Value::to_string).unwrap_or_default();
        let details: String = details.chars().take(DETAILS_SHOWN).collect();
        self.faults.push(format!("{}: {details}", word(issue, "code")));
    }

    fn network(&mut self, method: &str, said: &Value) {
        let id = word(said, "requestId");
        if method == "Network.requestWillBeSent" {
            // A redirect goes on under the same number; each of its steps is a request.
            if let Some(redirect) = said.get("redirectResponse")
                && let Some(before) = self.of(id)
            {
                before.status = number(redirect, "status");
                before.bytes = number(redirect, "encodedDataLength");
                before.ended = true;
            }
            self.requests.push(Request {
                id: id.to_owned(),
                address: words(said.pointer("/request/url")).to_owned(),
                kind: word(said, "type").to_owned(),
                ..Request::default()
            });
            return;
        }
        let Some(request) = self.of(id) else { return };
        let told = match method {
            "Network.responseReceived" => {
                let response = said.get("response").unwrap_or(said);
                request.status = number(response, "status");
                let most = if request.kind == "Document" { SERVER_FAULT } else { REFUSED };
                (request.status >= most).then(|| request.status.to_string())
            }
            "Network.loadingFinished" => {
                request.bytes = number(said, "encodedDataLength");
                request.ended = true;
                None
            }
            "Network.loadingFailed" => {
                request.ended = true;
                // What a page gives up because another takes its place was wanted so.
                let given_up = said.get("canceled").and_then(Value::as_bool) == Some(true);
                (!given_up).then(|| word(said, "errorText").to_owned())
            }
            _ => None,
        };
        if let Some(told) = told {
            let (kind, address) = (request.kind.clone(), request.address.clone());
            self.faults.push(format!("request: {told} for the {kind} {address}"));
        }
    }

    fn of(&mut self, id: &str) -> Option<&mut Request> {
        self.requests.iter_mut().rev().find(|request| request.id == id)
    }
}

fn word<'v>(value: &'v Value, name: &str) -> &'v str {
    words(value.get(name))
}

fn words(value: Option<&Value>) -> &str {
    value.and_then(Value::as_str).unwrap_or_default()
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes and codes that Chromium writes as 12.0; what is no size becomes 0"
)]
fn number(value: &Value, name: &str) -> u64 {
    value.get(name).and_then(Value::as_f64).map_or(0, |number| number as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn told(events: &[(&str, Value)]) -> Watch {
        let mut watch = Watch::default();
        for (method, params) in events {
            watch.take(&Event { method: (*method).to_owned(), params: params.clone() });
        }
        watch
    }

    fn sent(id: &str, kind: &str) -> (&'static str, Value) {
        let request = json!({ "url": format!("http://h/{id}") });
        ("Network.requestWillBeSent", json!({ "requestId": id, "type": kind, "request": request }))
    }

    fn answered(id: &str, status: u64) -> (&'static str, Value) {
        let response = json!({ "status": status });
        ("Network.responseReceived", json!({ "requestId": id, "response": response }))
    }

    #[test]
    fn a_refused_page_is_no_fault_but_a_refused_part_of_one_is() {
        let mut watch = told(&[sent("a", "Document"), answered("a", 401)]);
        assert!(watch.faults().is_empty());
        let mut watch = told(&[sent("a", "Document"), answered("a", 500)]);
        assert_eq!(watch.faults(), ["request: 500 for the Document http://h/a"]);
        let mut watch = told(&[sent("b", "Stylesheet"), answered("b", 404)]);
        assert_eq!(watch.faults().len(), 1);
        assert!(watch.faults().is_empty(), "told once");
    }

    #[test]
    fn each_step_of_a_redirect_is_a_request_with_its_bytes() {
        let (method, mut again) = sent("a", "Document");
        again["redirectResponse"] = json!({ "status": 303, "encodedDataLength": 120.0 });
        let finished = json!({ "requestId": "a", "encodedDataLength": 880 });
        let watch = told(&[
            sent("a", "Document"),
            (method, again),
            answered("a", 200),
            ("Network.loadingFinished", finished),
        ]);
        let all: Vec<_> = watch.requests().iter().map(|r| (r.status, r.bytes, r.ended)).collect();
        assert_eq!(all, [(303, 120, true), (200, 880, true)]);
    }

    #[test]
    fn errors_that_nobody_sees_are_faults() {
        let thrown = json!({ "exceptionDetails": { "text": "Uncaught", "exception": { "description": "Error: x" } } });
        let mut watch = told(&[
            ("Runtime.exceptionThrown", thrown),
            (
                "Runtime.consoleAPICalled",
                json!({ "type": "error", "args": [{ "value": "a" }, { "value": 1 }] }),
            ),
            ("Runtime.consoleAPICalled", json!({ "type": "log", "args": [{ "value": "b" }] })),
            (
                "Log.entryAdded",
                json!({ "entry": { "source": "network", "level": "error", "text": "n" } }),
            ),
            (
                "Log.entryAdded",
                json!({ "entry": { "source": "security", "level": "info", "text": "s" } }),
            ),
            (
                "Audits.issueAdded",
                json!({ "issue": { "code": "ContentSecurityPolicyIssue", "details": {} } }),
            ),
        ]);
        let all =
            ["uncaught: Error: x", "console: a 1", "security: s", "ContentSecurityPolicyIssue: {}"];
        assert_eq!(watch.faults(), all);
    }
}
