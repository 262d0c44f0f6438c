//! The audit catalogue: every method on every form of address that the FHIR API has, called, and the
//! event it leaves (45 CFR 164.312(b)). The rows come from the table of routes, so a route that leaves
//! no event, or that nobody has looked at, fails here. `PLUMMER_BLESS=1` writes the catalogue anew.

use crate::client::{Running, patient};
use audit::{Entry, Event};
use server::route::{Interaction, ROUTES, Shape};
use std::fmt::Write as _;
use std::time::Duration;

/// The address that is called for a form. A new form must say its own.
const fn address(shape: Shape) -> &'static str {
    match shape {
        Shape::Metadata => "/metadata",
        Shape::Base => "/",
        Shape::SystemSearch => "/_search",
        Shape::SystemHistory => "/_history",
        Shape::Type => "/Patient",
        Shape::TypeSearch => "/Patient/_search",
        Shape::TypeHistory => "/Patient/_history",
        Shape::Instance => "/Patient/ada",
        Shape::InstanceHistory => "/Patient/ada/_history",
        Shape::Version => "/Patient/ada/_history/1",
        Shape::Compartment => "/Patient/ada/Observation",
        Shape::CompartmentSearch => "/Patient/ada/Observation/_search",
        Shape::Everything => "/Patient/ada/$everything",
        Shape::BreakGlass => "/Patient/ada/$break-glass",
        Shape::WhoSaw => "/Patient/ada/$who-saw",
        Shape::SystemOperation => "/$count-patients",
        Shape::TypeOperation => "/Patient/$say",
        Shape::InstanceOperation => "/Patient/ada/$change",
    }
}

/// What goes with the address: the query and the body.
fn content(interaction: Interaction, method: &str) -> (&'static str, String) {
    let form = || "_id=ada".to_owned();
    match interaction {
        Interaction::Update => ("", patient("ada", "Again")),
        Interaction::Create => ("", patient("x", "New")),
        Interaction::ConditionalUpdate => {
            ("?family=Nobody", patient("x", "Cond").replace("\"id\":\"x\",", ""))
        }
        Interaction::ConditionalDelete => ("?family=Nobody2", String::new()),
        Interaction::SearchType | Interaction::SearchSystem if method == "POST" => ("", form()),
        Interaction::SearchCompartment if method == "POST" => ("", "code=1".to_owned()),
        Interaction::SearchType => ("?family=Ada", String::new()),
        Interaction::SearchSystem => ("?_type=Patient&_id=ada", String::new()),
        Interaction::Bundle => ("", bundle("batch")),
        Interaction::BreakGlass => ("", r#"{"resourceType":"Parameters"}"#.to_owned()),
        Interaction::Capabilities
        | Interaction::Read
        | Interaction::Vread
        | Interaction::Delete
        | Interaction::HistoryInstance
        | Interaction::HistoryType
        | Interaction::HistorySystem
        | Interaction::SearchCompartment
        | Interaction::Everything
        | Interaction::Operation
        | Interaction::WhoSaw => ("", String::new()),
    }
}

fn bundle(kind: &str) -> String {
    format!(
        "{{\"resourceType\":\"Bundle\",\"type\":\"{kind}\",\"entry\":[{{\"resource\":{},\"request\":{{\"method\":\"PUT\",\"url\":\"Patient/bea\"}}}},{{\"request\":{{\"method\":\"GET\",\"url\":\"Patient/ada\"}}}}]}}",
        patient("bea", "Bea")
    )
}

struct Catalogue {
    server: Running,
    text: String,
    calls: u8,
}

impl Catalogue {
    /// Calls an address and writes down what it left. An event that is part of a commit is in the log
    /// a moment after the answer.
    fn call(&mut self, name: &str, method: &str, path: &str, headers: &[(&str, &str)], body: &str) {
        self.calls += 1;
        let request = format!("00000000-0000-7000-8000-0000000000{:02x}", self.calls);
        let form = path.split('?').next().unwrap().ends_with("_search");
        let media =
            if form { "application/x-www-form-urlencoded" } else { "application/fhir+json" };
        let mut all = vec![("X-Request-Id", request.as_str()), ("Content-Type", media)];
        all.extend_from_slice(headers);
        let answer = self.server.send(method, path, &all, body.as_bytes());
        let bytes = base::id::uuid_bytes(&request).unwrap();
        let (mut events, mut there) = (Vec::new(), false);
        for _ in 0..100 {
            let log = self.server.audit_log();
            let own = log.map(Result::unwrap).filter(|entry: &Entry| entry.event.request == bytes);
            events = own.map(|entry| entry.event).collect();
            // Once more after the first was there: a bundle leaves several.
            if std::mem::replace(&mut there, !events.is_empty()) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
        assert!(!events.is_empty(), "{method} {path} ({name}) left no event");
        for (at, event) in events.iter().enumerate() {
            let call = if at == 0 { format!("{method} {name}") } else { String::new() };
            let status = if at == 0 { answer.status.to_string() } else { String::new() };
            writeln!(self.text, "{call:<48} {status:<4} {}", shape_of(event)).unwrap();
        }
    }
}

/// What an event says, without what differs from run to run.
fn shape_of(event: &Event) -> String {
    let target = event.targets.iter().map(|target| {
        let id = if target.id.is_some() { "/id" } else { "" };
        let version = if target.version.is_some() { "/version" } else { "" };
        format!("{}{id}{version}", target.resource_type)
    });
    let targets: Vec<_> = target.collect();
    let mut said = format!(
        "{} {} {} targets={}",
        event.kind.name(),
        event.decision.name(),
        event.status,
        if targets.is_empty() { "-".to_owned() } else { targets.join(",") }
    );
    for (word, there) in [
        ("patients", !event.patients.is_empty()),
        ("results", event.results > 0),
        ("query", event.query.is_some()),
        ("source", event.source.is_some()),
        ("commit", event.commit_seq > 0),
    ] {
        if there {
            write!(said, " {word}").unwrap();
        }
    }
    said
}

#[test]
fn every_route_and_verb_leaves_its_event() {
    let server = Running::start();
    server.put("/Patient/ada", &patient("ada", "Ada"));
    let mut log = Catalogue { server, text: String::new(), calls: 0 };
    log.text.push_str("# Every method on every form of address of the FHIR API: the answer's status, and the events left:\n# kind, decision, status, targets, and which other fields are filled in.\n\n");
    // What deletes comes last: the others look at the record.
    let (deletes, others): (Vec<_>, Vec<_>) =
        ROUTES.iter().partition(|row| row.interaction == Interaction::Delete);
    for row in others.into_iter().chain(deletes) {
        let (query, body) = content(row.interaction, row.method.as_str());
        let name = format!("{} {}", row.shape.template(), row.interaction.name());
        let path = format!("{}{query}", address(row.shape));
        log.call(&name, row.method.as_str(), &path, &[], &body);
        if row.method == http::Method::GET {
            log.call(&name, "HEAD", &path, &[], "");
        }
    }
    log.text.push('\n');
    for row in ROUTES {
        let name = row.shape.template();
        if !log.text.contains(&format!("OPTIONS {name} ")) {
            log.call(name, "OPTIONS", address(row.shape), &[], "");
        }
    }
    log.text.push('\n');
    log.call("/AuditEvent search of this log", "GET", "/AuditEvent?patient=bea", &[], "");
    log.call("/AuditEvent/[id] read of this log", "GET", "/AuditEvent/log-1", &[], "");
    log.call("/AuditEvent/[id] delete", "DELETE", "/AuditEvent/own", &[], "");
    log.call("/ transaction", "POST", "/", &[], &bundle("transaction"));
    log.call(
        "/[type] create on a condition, found",
        "POST",
        "/Patient",
        &[("If-None-Exist", "_id=bea")],
        &patient("x", "X"),
    );
    log.call("/[type]/[id] read of what was deleted", "GET", "/Patient/ada", &[], "");
    log.call("/[type]/[id] read of what never was", "GET", "/Patient/none", &[], "");
    log.call(
        "/[type]/[id] update that does not validate",
        "PUT",
        "/Patient/ada",
        &[],
        "{\"resourceType\":\"Patient\",\"id\":\"ada\",\"wat\":1}",
    );
    log.call("/[type] search not understood", "GET", "/Patient?wat=1", &[], "");
    log.call("/[type]/[id] patch", "PATCH", "/Patient/ada", &[], "[]");
    log.call("an address there is not", "GET", "/wat", &[], "");
    log.call("a type there is not", "GET", "/Patientt/1", &[], "");
    log.call("a body that is no JSON", "POST", "/Patient", &[], "{");
    log.call("another origin", "GET", "/Patient/bea", &[("Origin", "https://evil.example")], "");
    log.call("another host", "GET", "/Patient/bea", &[("Host", "evil.example")], "");
    testkit::golden::hold(env!("CARGO_MANIFEST_DIR"), "audit-catalogue.txt", &log.text);
}
