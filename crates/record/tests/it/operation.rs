//! Operations: what is declared is what is taken, what the caller lacks is refused before anything
//! runs, and every call leaves an event.

use crate::support::*;
use audit::Kind;
use base::error::code;
use base::{Fault, Limits};
use record::{
    Action, Again, Agents, Answering, At, Effect, Holds, Input, Need, Operation, Output, Parameter,
    Session, Subject,
};
use store::Scope;

const fn parameter(name: &'static str, holds: Holds, min: u16, max: u16) -> Parameter {
    Parameter { name, holds, min, max, about: "What the test says.", parts: &[] }
}

fn echo<'a>(_: &'a Session, input: &'a Input) -> Answering<'a> {
    Box::pin(async move {
        if input.is("fail") {
            return Err(Fault::new(&code::NOT_FOUND, "as it was asked"));
        }
        let text: Vec<&str> = input.texts("reason").collect();
        let text = format!("{}{}", text.join("+"), input.integer("times").unwrap_or(0));
        Ok(Output { body: text.into_bytes() })
    })
}

static ECHO: Operation = Operation {
    name: "echo",
    title: "Say it again",
    about: "Says again what it is told.",
    at: At::Instance(&["Patient"]),
    input: &[
        parameter("reason", Holds::Text, 1, 2),
        parameter("times", Holds::Integer, 0, 1),
        parameter("fail", Holds::Boolean, 0, 1),
        parameter("when", Holds::DateTime, 0, 1),
        parameter("who", Holds::Reference, 0, 1),
        parameter("what", Holds::Resource("Patient"), 0, 1),
    ],
    output: &[parameter("return", Holds::Text, 1, 1)],
    needs: &[Need { action: Action::Update, resource_type: "Patient" }],
    purposes: &[],
    effect: Effect::Writes {
        again: Again::Keyed("reason"),
        confirm: "Say it?",
        undo: Some("It cannot be unsaid."),
    },
    agents: Agents::Never,
    kind: Kind::Operation,
    run: echo,
};

fn target() -> (Option<&'static str>, Option<String>) {
    (Some("Patient"), Some("p".to_owned()))
}

fn given(text: &str) -> Result<Input, Fault> {
    let document = doc(text);
    Input::of_parameters(&ECHO, target(), Some(document.root()), &Limits::default())
}

fn one(name: &str, value: &str) -> String {
    format!(r#"{{"name":"{name}",{value}}}"#)
}

fn parameters(all: &[String]) -> String {
    format!(r#"{{"resourceType":"Parameters","parameter":[{}]}}"#, all.join(","))
}

fn reason() -> String {
    one("reason", r#""valueString":"because""#)
}

#[test]
fn what_is_not_declared_is_refused_by_its_name_and_never_by_its_value() {
    for (odd, place) in [
        (one("strange", r#""valueString":"SECRET""#), "strange"),
        (one("a strange <b>", r#""valueString":"SECRET""#), "Parameters.parameter"),
        (one("times", r#""valueString":"SECRET""#), "times"),
        (one("times", r#""valueInteger":1.5"#), "times"),
        (one("fail", r#""valueInteger":1"#), "fail"),
        (one("when", r#""valueDateTime":"SECRET""#), "when"),
        (one("who", r#""valueReference":{"reference":"Nobody/1"}"#), "who"),
        (one("what", r#""resource":{"resourceType":"Group"}"#), "what"),
        (one("reason", r#""valueString":" ""#), "reason"),
        (one("reason", r#""valueString":"a","valueCode":"b""#), "reason"),
        (reason() + "," + &reason(), "reason"),
    ] {
        let fault = given(&parameters(&[reason(), odd.clone()])).unwrap_err();
        assert_eq!(told(&fault), ("record.operation.parameter", Some(place)), "{odd}");
        assert!(!fault.to_string().contains("SECRET"), "{fault}");
    }
    let missing = given(r#"{"resourceType":"Parameters"}"#).unwrap_err();
    assert_eq!(told(&missing), ("record.operation.parameter", Some("reason")));
    let other = given(&patient("")).unwrap_err();
    assert_eq!(told(&other), ("fhir.resource.type-mismatch", Some("resourceType")));
}

#[test]
fn the_query_gives_the_same_as_the_body() {
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let input = Input::of_query(
        &ECHO,
        target(),
        &[
            pair("reason", "because"),
            pair("times", "3"),
            pair("fail", "false"),
            pair("_pretty", "true"),
        ],
    )
    .unwrap();
    assert_eq!(
        (input.text("reason"), input.integer("times"), input.is("fail")),
        (Some("because"), Some(3), false)
    );
    let odd =
        Input::of_query(&ECHO, target(), &[pair("what", "{}"), pair("reason", "x")]).unwrap_err();
    assert_eq!(told(&odd), ("record.operation.parameter", Some("what")));
}

#[test]
fn a_call_runs_and_leaves_an_event_with_its_record() {
    let room = Room::new();
    let input = given(&parameters(&[reason(), one("times", r#""valueInteger":2"#)])).unwrap();
    let output = run(room.session().call(&ECHO, &input)).unwrap();
    assert_eq!(output.body, b"because2");
    let fails = given(&parameters(&[reason(), one("fail", r#""valueBoolean":true"#)])).unwrap();
    run(room.session().call(&ECHO, &fails)).unwrap_err();
    let events = room.events();
    let own: Vec<u16> =
        events.iter().filter(|e| e.kind == Kind::Operation).map(|e| e.status).collect();
    assert_eq!(own, [200, 404]);
    let event = events.iter().find(|e| e.kind == Kind::Operation).unwrap();
    assert_eq!(event.targets[0].id.as_deref(), Some("p"));
}

#[test]
fn who_lacks_the_permission_is_refused_before_anything_runs() {
    let room = Room::new();
    let confined = Subject::operator().confined(Scope::nothing());
    let session = room.record.session(confined, [9; 16]);
    let input = given(&parameters(&[reason()])).unwrap();
    let fault = run(session.call(&ECHO, &input)).unwrap_err();
    assert_eq!(fault.code(), &code::ACCESS_DENIED);
    drop(session);
    let events = room.events();
    assert!(events.iter().any(|event| event.kind == Kind::Operation && event.status == 403));
}

#[test]
fn the_definition_says_what_is_declared_and_is_valid() {
    let text = ECHO.definition("https://clinic.example/fhir");
    let document = doc(std::str::from_utf8(&text).unwrap());
    let root = document.root();
    let errors: Vec<_> = validation::validate(root, &validation::Options::default())
        .into_iter()
        .filter(|issue| issue.severity >= base::Severity::Error)
        .collect();
    assert_eq!(errors, []);
    let says = |name: &str| root.get_str(name).unwrap().into_owned();
    assert_eq!(says("id"), "Patient-echo");
    assert_eq!(says("url"), "https://clinic.example/fhir/OperationDefinition/Patient-echo");
    assert_eq!(says("name"), "SayItAgain");
    assert!(says("description").ends_with("It cannot be unsaid."));
    assert_eq!(root.get("parameter").unwrap().items().count(), ECHO.input.len() + 1);
    assert!(ECHO.is_at(Some("Patient"), true));
    assert!(!ECHO.is_at(Some("Patient"), false) && !ECHO.is_at(None, false));
    assert_eq!(ECHO.addresses(), ["/Patient/[id]/$echo"]);
}
