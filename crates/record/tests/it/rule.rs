//! Rules of departments: asked of every write through whichever door, held at the commit, and not
//! asked of an import.

use crate::support::*;
use audit::Kind;
use base::Fault;
use base::error::code;
use fhir::{Document, Value};
use record::{
    Also, Asking, Department, Eyes, Forbid, Hit, ImportOptions, Rule, Ruling, with_member,
};
use std::sync::Arc;

static DESK: Department = Department {
    name: "desk",
    about: "One Basic for each code.",
    operations: &[],
    rules: &[Rule {
        name: "desk.once",
        about: "No two records have one author, and each counts its Flag.",
        types: &["Basic"],
        ask,
        claims: None,
    }],
};

/// No two Basics have the same author; the Flag of the author is switched on with it, and a Basic of
/// author `x` is noted.
fn ask(asking: &Asking<'_>) -> Result<Ruling, Fault> {
    let author = |document: Value<'_>| {
        document.get("author").and_then(|a| a.get_str("reference")).map(|text| text.into_owned())
    };
    let mut ruling = Ruling::default();
    let Some(own) = asking.after.and_then(author) else { return Ok(ruling) };
    if asking.before.and_then(author).as_ref() == Some(&own) {
        return Ok(ruling);
    }
    let (limits, wanted) = (*asking.limits(), own.clone());
    let against = move |hit: &Hit| {
        let other = Document::parse(hit.body.clone(), &limits)?;
        Ok(other.root().get("author").and_then(|a| a.get_str("reference")).as_deref()
            == Some(&wanted))
    };
    ruling.forbids.push(Forbid {
        resource_type: "Basic",
        among: vec![("author".to_owned(), own.clone())],
        eyes: Eyes::House,
        against: Arc::new(against),
        over: None,
        fault: Fault::new(&code::DOUBLE_BOOKED, "the author has one already"),
    });
    if own == "Practitioner/x" {
        ruling.notes.push(Kind::Overbooked);
    }
    if let Some(flag) = asking.read("Flag", "f")? {
        let body = with_member(flag.root(), "status", "inactive")?;
        ruling.also.push(Also { resource_type: "Flag", id: "f".to_owned(), body });
    }
    Ok(ruling)
}

fn room() -> Room {
    Room::with(|settings| settings.departments = vec![&DESK])
}

fn basic(id: &str, author: &str) -> String {
    format!(
        r#"{{"resourceType":"Basic","id":"{id}","code":{{"text":"x"}},"author":{{"reference":"Practitioner/{author}"}}}}"#
    )
}

fn flag() -> String {
    r#"{"resourceType":"Flag","id":"f","status":"active","code":{"text":"x"},"subject":{"reference":"Patient/p"}}"#.to_owned()
}

const REFUSED: &str = "scheduling.appointment.double-booked";

#[test]
fn a_rule_is_asked_at_every_door_and_a_refusal_changes_nothing() {
    let room = room();
    room.put(&basic("one", "a")).unwrap();
    room.put(&basic("one", "a")).unwrap();
    assert_eq!(told(&room.put(&basic("two", "a")).unwrap_err()).0, REFUSED);
    let posted = entry("", "POST", "Basic", "", &basic("", "a").replace(r#""id":"","#, ""));
    assert_eq!(told(&room.transaction(&[posted]).unwrap_err()).0, REFUSED);
    let twice = [("x1", "b"), ("x2", "b")]
        .map(|(id, author)| entry("", "PUT", &format!("Basic/{id}"), "", &basic(id, author)));
    assert_eq!(told(&room.transaction(&twice).unwrap_err()).0, REFUSED);
    assert_eq!(room.count("Basic", ""), 1);
    assert!(!room.session().is_ruled(of("Flag")));
    assert!(room.session().is_ruled(of("Basic")));
}

#[test]
fn an_import_is_exempt() {
    let room = room();
    let import = room.session().import(ImportOptions::default()).unwrap();
    let texts = [basic("one", "a"), basic("two", "a")];
    let prepared = texts.iter().map(|text| import.prepare(doc(text))).collect();
    import.submit(prepared).wait().unwrap();
    assert_eq!(room.count("Basic", ""), 2);
}

#[test]
fn what_a_rule_changes_beside_is_in_the_commit_and_in_the_log_and_not_in_the_answer() {
    let room = room();
    room.put(&flag()).unwrap();
    let answers =
        room.transaction(&[entry("", "PUT", "Basic/one", "", &basic("one", "a"))]).unwrap();
    assert_eq!(answers.len(), 1);
    assert_eq!(room.read("Flag", "f").unwrap().version, 2);
    assert!(room.body("Flag", "f").root().get_str("status").as_deref() == Some("inactive"));
    let events = room.events();
    let event = events.iter().rfind(|event| event.kind == Kind::Transaction).unwrap();
    let targets: Vec<_> = event.targets.iter().map(|target| &*target.resource_type).collect();
    assert_eq!(targets, ["Basic", "Flag"]);
}

#[test]
fn what_the_unit_writes_itself_a_rule_does_not_write() {
    let room = room();
    room.put(&flag()).unwrap();
    let own = flag().replace("active", "entered-in-error");
    room.transaction(&[
        entry("", "PUT", "Basic/one", "", &basic("one", "a")),
        entry("", "PUT", "Flag/f", "", &own),
    ])
    .unwrap();
    let body = room.body("Flag", "f");
    assert_eq!(body.root().get_str("status").as_deref(), Some("entered-in-error"));
}

#[test]
fn a_note_is_an_event_of_its_own_and_only_of_what_was_done() {
    let room = room();
    room.put(&basic("one", "x")).unwrap();
    room.put(&basic("two", "x")).unwrap_err();
    let events = room.events();
    let notes: Vec<_> = events.iter().filter(|e| e.kind == Kind::Overbooked).collect();
    let [note] = notes.as_slice() else { panic!("{} notes", notes.len()) };
    assert_eq!(note.targets[0].id.as_deref(), Some("one"));
    assert_eq!(note.targets[0].version, Some(1));
}
