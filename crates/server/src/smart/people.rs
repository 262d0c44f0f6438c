//! What the pages ask of the record, as the user who is signed in: who may be chosen, and whether a
//! patient or an encounter may be seen. It goes through the gate like any other reader, and leaves the
//! same trail.

use super::call::Call;
use super::pages::in_words;
use base::error::code;
use base::{Fault, Limits};
use fhir::definitions::r4;
use fhir::{Document, Value};
use identity::Caller;
use record::{Asked, Level, SearchHow, Session, Source};
use search::parse::escaped;

/// Patients shown at once.
const SHOWN_MAX: usize = 20;

/// A patient, as the picker shows one.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Person {
    pub(super) id: String,
    pub(super) name: String,
    /// Birth date, sex and number: what tells two people of one name apart.
    pub(super) more: String,
}

/// It is about a person.
impl std::fmt::Debug for Person {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Person")
    }
}

/// The gate, opened for whoever is signed in.
pub(super) fn session(call: &Call, caller: &Caller) -> Result<Session, Fault> {
    let subject = call.state.record.subject(caller, None, Asked::default())?;
    let subject = subject.from(Source::of(call.peer));
    Ok(call.state.record.session(subject, call.session.request()))
}

/// A patient or an encounter, if the user may see it; what may not be seen is not there.
pub(super) fn see(session: &Session, of: &str, id: &str) -> Result<Person, Fault> {
    let type_id = r4().resource_type(of).ok_or_else(|| unknown(of))?;
    if !fhir::reference::is_id(id) {
        return Err(unknown(of));
    }
    let hit = session.read(type_id, id, None)?.wait()?;
    Ok(person(&hit.body, id))
}

/// An encounter of a patient; one of another patient is not there either.
pub(super) fn see_encounter(session: &Session, id: &str, patient: &str) -> Result<(), Fault> {
    let type_id = r4().resource_type("Encounter").ok_or_else(|| unknown("Encounter"))?;
    if !fhir::reference::is_id(id) {
        return Err(unknown("Encounter"));
    }
    let hit = session.read(type_id, id, None)?.wait()?;
    let document = Document::parse(hit.body, &Limits::default())?;
    let subject = document.root().get("subject").and_then(|s| s.get_str("reference"));
    let whose = subject.as_deref().and_then(|reference| reference.rsplit_once("Patient/"));
    if whose.is_some_and(|(_, id)| id == patient) { Ok(()) } else { Err(unknown("Encounter")) }
}

/// Patients whose names begin with what was typed.
pub(super) fn find(session: &Session, name: &str) -> Result<Vec<Person>, Fault> {
    let of = r4().resource_type("Patient").ok_or_else(|| unknown("Patient"))?;
    let mut pairs: Vec<_> =
        name.split_whitespace().take(4).map(|part| ("name".to_owned(), escaped(part))).collect();
    pairs.push(("_count".to_owned(), SHOWN_MAX.to_string()));
    pairs.push(("_sort".to_owned(), "family".to_owned()));
    let found = session.search(Level::Type(of), pairs, &SearchHow::default())?.wait()?;
    Ok(found.page.matches.iter().map(|hit| person(&hit.body, &hit.id)).collect())
}

fn person(body: &[u8], id: &str) -> Person {
    let document = Document::parse(body.to_vec(), &Limits::default()).ok();
    let root = document.as_ref().map(Document::root);
    let text = |value: Option<Value<'_>>, name: &str| {
        value.and_then(|v| v.get_str(name)).map(std::borrow::Cow::into_owned).unwrap_or_default()
    };
    let first = |name: &str| root.and_then(|r| r.get(name)).and_then(|list| list.items().next());
    let called = first("name");
    let mut name = text(called, "text");
    if name.is_empty() {
        let given = called.and_then(|called| called.get("given"));
        let mut parts: Vec<String> = given
            .iter()
            .flat_map(|given| given.items())
            .filter_map(|part| part.as_text().map(std::borrow::Cow::into_owned))
            .collect();
        parts.push(text(called, "family"));
        name = parts.join(" ").trim().to_owned();
    }
    if name.is_empty() {
        name = "without a name".to_owned();
    }
    let parts = [
        in_words(&text(root, "birthDate")),
        text(root, "gender"),
        text(first("identifier"), "value"),
    ];
    let more: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Person { id: id.to_owned(), name, more: more.join(" · ") }
}

fn unknown(of: &str) -> Fault {
    Fault::new(&code::NOT_FOUND, format!("there is no such {of} for you"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_is_shown_by_name_and_what_tells_them_apart() {
        let body = br#"{"resourceType":"Patient","id":"a","name":[{"family":"Lovelace","given":["Ada","King"]}],"birthDate":"1815-12-10","gender":"female","identifier":[{"value":"7"}]}"#;
        let ada = person(body, "a");
        assert_eq!(
            (ada.name.as_str(), ada.more.as_str()),
            ("Ada King Lovelace", "10-Dec-1815 · female · 7")
        );
        assert_eq!(person(b"{}", "a").name, "without a name");
        assert_eq!(format!("{ada:?}"), "Person");
    }
}
