//! Operations of departments: their addresses, parameters, definitions and events follow from what is
//! declared (<https://hl7.org/fhir/R4/operations.html>).

use crate::client::{Running, patient};
use fhir::write::Writer;
use record::{
    Action, Again, Agents, Answering, At, Department, Effect, Holds, Input, Kind, Level, Need,
    Operation, Output, Parameter, SearchHow, Session,
};

/// A department of the tests: an operation at each kind of address, two that read and one that changes.
pub(crate) static DEPARTMENT: Department = Department {
    name: "tests",
    about: "Says and counts.",
    operations: &[&COUNT, &SAY, &CHANGE],
    rules: &[],
};

const WORD: Parameter = Parameter {
    name: "word",
    holds: Holds::Text,
    min: 0,
    max: 2,
    about: "What is said.",
    parts: &[],
};

const READS: Operation = Operation {
    name: "count-patients",
    title: "Count patients",
    about: "Counts the patients there are.",
    at: At::System,
    input: &[],
    output: &[Parameter { name: "return", max: 1, min: 1, ..WORD }],
    needs: &[Need { action: Action::Search, resource_type: "Patient" }],
    purposes: &[],
    effect: Effect::Reads,
    agents: Agents::May,
    kind: Kind::Operation,
    run: count,
};

static COUNT: Operation = READS;

static SAY: Operation = Operation {
    name: "say",
    title: "Say a word",
    about: "Says a word again.",
    at: At::Type("Patient"),
    input: &[WORD],
    run: say,
    ..READS
};

static CHANGE: Operation = Operation {
    name: "change",
    title: "Change nothing",
    about: "Says a word again, as if it had changed something.",
    at: At::Instance(&["Patient"]),
    effect: Effect::Writes { again: Again::Same, confirm: "Change it?", undo: None },
    input: &[WORD],
    needs: &[Need { action: Action::Update, resource_type: "Patient" }],
    run: say,
    ..READS
};

fn count<'a>(session: &'a Session, _input: &'a Input) -> Answering<'a> {
    Box::pin(async move {
        let of = fhir::definitions::r4().resource_type("Patient").unwrap();
        let pairs = vec![("_summary".to_owned(), "count".to_owned())];
        let found = session.search(Level::Type(of), pairs, &SearchHow::default())?;
        let found = found.into_inner().await?;
        Ok(answered(&found.page.total.unwrap_or(0).to_string()))
    })
}

fn say<'a>(_session: &'a Session, input: &'a Input) -> Answering<'a> {
    Box::pin(async move { Ok(answered(&input.texts("word").collect::<Vec<_>>().join(" "))) })
}

fn answered(text: &str) -> Output {
    let mut w = Writer::new();
    w.object().member("resourceType", "Parameters").key("parameter").array();
    w.object().member("name", "return").member("valueString", &format!("said {text}"));
    w.end_object().end_array().end_object();
    Output { body: w.finish() }
}

fn parameters(all: &[(&str, &str)]) -> String {
    let one =
        |(name, value): &(&str, &str)| format!(r#"{{"name":"{name}","valueString":"{value}"}}"#);
    let all: Vec<String> = all.iter().map(one).collect();
    format!(r#"{{"resourceType":"Parameters","parameter":[{}]}}"#, all.join(","))
}

#[test]
fn an_operation_is_asked_at_its_address_by_query_and_by_body() {
    let server = Running::start();
    server.put("/Patient/ada", &patient("ada", "Ada"));
    let said =
        |answer: crate::client::Answer| (answer.status, answer.at("parameter.0.valueString"));
    assert_eq!(said(server.get("/$count-patients")), (200, "said 1".to_owned()));
    assert_eq!(said(server.post("/$count-patients", "")), (200, "said 1".to_owned()));
    let twice = server.get("/Patient/$say?word=a&word=b&_pretty=true");
    assert_eq!(said(twice), (200, "said a b".to_owned()));
    let body = parameters(&[("word", "c")]);
    assert_eq!(said(server.post("/Patient/$say", &body)), (200, "said c".to_owned()));
    assert_eq!(said(server.post("/Patient/ada/$change", &body)), (200, "said c".to_owned()));
}

#[test]
fn what_is_not_declared_is_refused_by_its_name() {
    let server = Running::start();
    for answer in [
        server.get("/Patient/$say?words=SECRET"),
        server.post("/Patient/$say", &parameters(&[("words", "SECRET")])),
    ] {
        assert_eq!((answer.status, answer.code()), (400, "record.operation.parameter".to_owned()));
        assert_eq!(answer.at("issue.0.expression.0"), "words");
        assert!(!String::from_utf8_lossy(&answer.body).contains("SECRET"));
    }
    let three = parameters(&[("word", "a"), ("word", "b"), ("word", "c")]);
    assert_eq!(server.post("/Patient/$say", &three).code(), "record.operation.parameter");
    let beside = server.post("/Patient/$say?word=a", &parameters(&[]));
    assert_eq!(beside.status, 400, "the parameters of a POST stand in its body");
    assert_eq!(server.post("/Patient/$say", "{").status, 400);
}

#[test]
fn what_changes_something_is_asked_with_post_and_where_it_is_declared() {
    let server = Running::start();
    let get = server.get("/Patient/ada/$change");
    assert_eq!((get.status, get.header("allow")), (405, Some("OPTIONS, POST")));
    for path in
        ["/$say", "/Observation/$say", "/Patient/ada/$say", "/Patient/$change", "/Patient/$none"]
    {
        let answer = server.post(path, "");
        assert_eq!(answer.code(), "server.interaction.not-supported", "{path}");
    }
    let options = server.send("OPTIONS", "/Patient/$say", &[], b"");
    assert_eq!(options.header("allow"), Some("GET, HEAD, OPTIONS, POST"));
}

#[test]
fn an_operation_is_described_and_listed() {
    let server = Running::start();
    let definition = server.get("/OperationDefinition/Patient-say");
    assert_eq!((definition.status, definition.at("code")), (200, "say".to_owned()));
    assert_eq!(definition.at("url"), format!("{}/OperationDefinition/Patient-say", server.base()));
    assert_eq!(definition.at("parameter.0.name"), "word");
    assert_eq!(server.get("/OperationDefinition/Patient-none").status, 404);
    let statement = server.get("/metadata");
    let text = String::from_utf8(statement.body).unwrap();
    for id in ["count-patients", "Patient-say", "Patient-change"] {
        let listed = format!("{}/OperationDefinition/{id}", server.base());
        assert!(text.contains(&listed), "{listed}");
    }
    assert!(!text.contains("urn:plummer:base"));
}

#[test]
fn an_operation_leaves_its_event_and_needs_what_it_declares() {
    let mut server = Running::start();
    server.post("/Patient/$say", &parameters(&[("word", "x")]));
    let auditor =
        server.token(identity::Kind::Service, crate::client::person("biller", &["auditor"]));
    let denied = server.get_as(&auditor, "/Patient/$say?word=x");
    assert_eq!((denied.status, denied.code()), (403, "access.denied".to_owned()));
    // A refusal does not wait for its event; what is asked now waits for one that stands behind it.
    server.get("/metadata");
    server.stop();
    let log = server.audit_log();
    let events: Vec<_> = log.map(|entry| entry.unwrap().event).collect();
    let own = |status: u16| events.iter().filter(|event| event.status == status).count();
    let carried_out = events.iter().filter(|event| event.kind == Kind::Operation);
    assert_eq!(carried_out.filter(|event| event.status == 200).count(), 1);
    assert_eq!(own(403), 1, "and a refusal leaves one too");
}
