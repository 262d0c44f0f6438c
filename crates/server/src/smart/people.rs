//! What the pages ask of the record, as the user who is signed in: who may be chosen, and whether a
//! patient or an encounter may be seen. It goes through the gate like any other reader, and leaves the
//! same trail.

use super::call::Call;
use base::error::code;
use base::{Fault, Limits};
use console::{Lang, Word, sign_in_words as words};
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

/// A patient, if the user may see them; who may not be seen is not there.
pub(super) fn see(session: &Session, id: &str, lang: Lang) -> Result<Person, Fault> {
    let unknown = || unknown(words::TOLD_NO_PATIENT);
    let type_id = r4().resource_type("Patient").ok_or_else(unknown)?;
    if !fhir::reference::is_id(id) {
        return Err(unknown());
    }
    let hit = session.read(type_id, id, None)?.wait()?;
    Ok(person(&hit.body, id, lang))
}

/// An encounter of a patient; one of another patient is not there either.
pub(super) fn see_encounter(session: &Session, id: &str, patient: &str) -> Result<(), Fault> {
    let unknown = || unknown(words::TOLD_NO_ENCOUNTER);
    let type_id = r4().resource_type("Encounter").ok_or_else(unknown)?;
    if !fhir::reference::is_id(id) {
        return Err(unknown());
    }
    let hit = session.read(type_id, id, None)?.wait()?;
    let document = Document::parse(hit.body, &Limits::default())?;
    let subject = document.root().get("subject").and_then(|s| s.get_str("reference"));
    let whose = subject.as_deref().and_then(|reference| reference.rsplit_once("Patient/"));
    if whose.is_some_and(|(_, id)| id == patient) { Ok(()) } else { Err(unknown()) }
}

/// Patients whose names begin with what was typed.
pub(super) fn find(session: &Session, name: &str, lang: Lang) -> Result<Vec<Person>, Fault> {
    let unknown = || unknown(words::TOLD_NO_PATIENT);
    let of = r4().resource_type("Patient").ok_or_else(unknown)?;
    let mut pairs: Vec<_> =
        name.split_whitespace().take(4).map(|part| ("name".to_owned(), escaped(part))).collect();
    pairs.push(("_count".to_owned(), SHOWN_MAX.to_string()));
    pairs.push(("_sort".to_owned(), "family".to_owned()));
    let found = session.search(Level::Type(of), pairs, &SearchHow::default())?.wait()?;
    Ok(found.page.matches.iter().map(|hit| person(&hit.body, &hit.id, lang)).collect())
}

fn person(body: &[u8], id: &str, lang: Lang) -> Person {
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
        name = words::AUTH_UNNAMED.of(lang).to_owned();
    }
    let gender = console::gender(&text(root, "gender"));
    let parts = [
        console::shown(&text(root, "birthDate"), lang),
        gender.map(|word| word.of(lang).to_owned()).unwrap_or_default(),
        text(first("identifier"), "value"),
    ];
    let more: Vec<_> = parts.into_iter().filter(|part| !part.is_empty()).collect();
    Person { id: id.to_owned(), name, more: more.join(" · ") }
}

fn unknown(say: Word) -> Fault {
    Fault::new(&code::NOT_FOUND, say.of(Lang::En))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_patient_is_shown_by_name_and_what_tells_them_apart() {
        let body = br#"{"resourceType":"Patient","id":"a","name":[{"family":"Lovelace","given":["Ada","King"]}],"birthDate":"1815-12-10","gender":"female","identifier":[{"value":"7"}]}"#;
        let ada = person(body, "a", Lang::En);
        assert_eq!(
            (ada.name.as_str(), ada.more.as_str()),
            ("Ada King Lovelace", "10-Dec-1815 · Female · 7")
        );
        assert_eq!(person(body, "a", Lang::Es).more, "10-dic-1815 · Femenino · 7");
        assert_eq!(person(b"{}", "a", Lang::En).name, "without a name");
        assert_eq!(format!("{ada:?}"), "Person");
    }
}
