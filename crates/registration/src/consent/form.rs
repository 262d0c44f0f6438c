//! The house's forms: the wording that ships, or the house's own in its place. That is a Questionnaire
//! (<https://hl7.org/fhir/R4/questionnaire.html>), which is what R4 calls a form and, other than a
//! `DocumentReference`, a definition about no patient: everybody who works here may read it, its versions
//! are those of the record, and each of its paragraphs is an item that is displayed.

use super::Kind;
use super::text::{Tongue, VERSION, shipped};
use crate::read::{each, text};
use crate::register::{Seen, parsed, type_named};
use base::error::code;
use base::{Fault, Limits};
use fhir::Document;
use fhir::write::Writer;
use record::{Hit, Level, SearchHow, Session};

/// `Questionnaire.identifier.system`; the value is kind and language: `treatment.en`.
const FORMS: &str = "urn:plummer:consent-form";
/// Letters of a title.
const TITLE_MAX: usize = 200;
/// Letters of a text: ten sheets of paper.
const LETTERS_MAX: usize = 30_000;

/// A form, in a language.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Form {
    /// Of which kind.
    pub kind: Kind,
    /// In which language.
    pub tongue: Tongue,
    /// What it is called.
    pub title: String,
    /// What it says.
    pub paragraphs: Vec<String>,
    /// Its version, as each consent keeps it.
    pub edition: String,
    /// The record of the house's own wording, if there was ever one.
    pub own: Option<Seen>,
    /// It is the house's own wording.
    pub is_own: bool,
}

impl Form {
    /// The form that ships.
    pub fn shipped(kind: Kind, tongue: Tongue) -> Self {
        let (title, paragraphs) = parts(shipped(kind, tongue));
        let edition = VERSION.to_owned();
        Self { kind, tongue, title, paragraphs, edition, own: None, is_own: false }
    }

    /// Title and paragraphs with a blank line between, as they are edited.
    pub fn plain(&self) -> String {
        self.paragraphs.join("\n\n")
    }
}

/// What a form of a kind has to say, as it ships, whatever else the house says: of an authorization the
/// statements of 45 CFR 164.508(c)(2), of a consent to disclose Part 2 records those of 42 CFR 2.31(a).
/// Nobody but a person could tell whether other words say the same, so these stand word for word.
pub fn statutory(kind: Kind, tongue: Tongue) -> Vec<String> {
    // The first paragraph says what it is about; what follows these three is the house's to say.
    let count = if kind.has_elements() { 3 } else { 0 };
    Form::shipped(kind, tongue).paragraphs.into_iter().skip(1).take(count).collect()
}

/// Those of [`statutory`] that these paragraphs lack; how a line is broken is nothing.
fn lacking(kind: Kind, tongue: Tongue, paragraphs: &[String]) -> Vec<String> {
    let plain = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let said: Vec<String> = paragraphs.iter().map(|one| plain(one)).collect();
    statutory(kind, tongue).into_iter().filter(|one| !said.contains(&plain(one))).collect()
}

/// The form of a kind that is in force: the house's own where there is one that says something, and all
/// that the law has it say.
///
/// # Errors
/// As a search.
pub async fn of(session: &Session, kind: Kind, tongue: Tongue) -> Result<Form, Fault> {
    let mut form = Form::shipped(kind, tongue);
    let Some(hit) = found(session, kind, tongue).await? else { return Ok(form) };
    let document = parsed(&hit)?;
    let root = document.root();
    form.own = Some(Seen { id: hit.id.clone(), version: hit.version });
    let words: Vec<String> =
        each(root, "item").map(|item| text(item, "text")).filter(|text| !text.is_empty()).collect();
    let title = text(root, "title");
    let stands = lacking(kind, tongue, &words).is_empty();
    if text(root, "status") == "active" && !title.is_empty() && !words.is_empty() && stands {
        form.title = title;
        form.paragraphs = words;
        form.edition = format!("own-{}", hit.version);
        form.is_own = true;
    }
    Ok(form)
}

/// Puts the house's own wording in the place of the form, or that which ships again when `words` are
/// empty. What was signed before keeps the words it was signed with.
///
/// # Errors
/// `registration.value.invalid`, named by its field, `statutory` when a paragraph that the law asks for is
/// missing; `record.write.version-conflict` when somebody changed
/// it since it was shown; as a create and an update.
pub async fn keep(
    session: &Session,
    kind: Kind,
    tongue: Tongue,
    seen: Option<&Seen>,
    title: &str,
    words: &str,
) -> Result<(), Fault> {
    let title = title.split_whitespace().collect::<Vec<_>>().join(" ");
    let words = words.replace("\r\n", "\n");
    let odd = |say: &str, at: &str| {
        Err(Fault::at(&code::REGISTRATION_VALUE, say.to_owned(), at.to_owned()))
    };
    let is_plain = |text: &str| !text.contains(|c: char| c.is_control() && c != '\n');
    let is_back = words.trim().is_empty();
    if !is_back && (title.is_empty() || title.chars().count() > TITLE_MAX || !is_plain(&title)) {
        return odd("give a title, in 200 letters at most", "title");
    }
    if words.chars().count() > LETTERS_MAX || !is_plain(&words) {
        return odd("give the text, in 30,000 letters at most", "words");
    }
    let paragraphs: Vec<String> = words.split("\n\n").map(str::to_owned).collect();
    if !is_back && let Some(first) = lacking(kind, tongue, &paragraphs).first() {
        let say = format!("a paragraph that the law asks for has to stand word for word: {first}");
        return odd(&say, "statutory");
    }
    let now = found(session, kind, tongue).await?;
    let own = now.as_ref().map(|hit| Seen { id: hit.id.clone(), version: hit.version });
    if own.as_ref() != seen {
        let say = "somebody changed it since it was shown to you; look at it again";
        return Err(Fault::new(&code::VERSION_CONFLICT, say));
    }
    if own.is_none() && is_back {
        return Ok(());
    }
    let of = type_named("Questionnaire")?;
    let id = own.as_ref().map(|own| own.id.as_str());
    let body = Document::parse(body(kind, tongue, id, &title, &words), &Limits::default())?;
    match own {
        Some(own) => drop(session.update(of, &own.id, body, Some(own.version), false).await?),
        None => {
            let once = format!("identifier={FORMS}|{}", name(kind, tongue));
            drop(session.create(of, body, Some(once)).await?);
        }
    }
    Ok(())
}

fn body(kind: Kind, tongue: Tongue, id: Option<&str>, title: &str, words: &str) -> Vec<u8> {
    let is_back = words.trim().is_empty();
    let mut out = Writer::new();
    out.object().member("resourceType", "Questionnaire");
    if let Some(id) = id {
        out.member("id", id);
    }
    out.member("language", tongue.tag());
    out.key("identifier").array().object().member("system", FORMS);
    out.member("value", &name(kind, tongue)).end_object().end_array();
    if !title.is_empty() {
        out.member("title", title);
    }
    out.member("status", if is_back { "retired" } else { "active" });
    out.key("subjectType").array().string("Patient").end_array();
    if !is_back {
        out.key("item").array();
        let paragraphs = words.split("\n\n").map(str::trim).filter(|part| !part.is_empty());
        for (at, paragraph) in paragraphs.enumerate() {
            out.object().member("linkId", &format!("{}", at + 1)).member("text", paragraph);
            out.member("type", "display").end_object();
        }
        out.end_array();
    }
    out.end_object();
    out.finish()
}

async fn found(session: &Session, kind: Kind, tongue: Tongue) -> Result<Option<Hit>, Fault> {
    let of = type_named("Questionnaire")?;
    // Who may see no forms of the house is shown those that ship.
    if !session.may_search(of) {
        return Ok(None);
    }
    let pairs = vec![
        ("identifier".to_owned(), format!("{FORMS}|{}", name(kind, tongue))),
        ("_count".to_owned(), "1".to_owned()),
    ];
    let level = Level::Type(of);
    let found = session.search(level, pairs, &SearchHow::default())?.into_inner().await?;
    Ok(found.page.matches.into_iter().next())
}

fn name(kind: Kind, tongue: Tongue) -> String {
    format!("{}.{}", kind.code(), tongue.tag())
}

fn parts(plain: &str) -> (String, Vec<String>) {
    let mut parts = plain.split("\n\n").map(|part| part.trim().to_owned());
    let title = parts.next().unwrap_or_default();
    (title, parts.filter(|part| !part.is_empty()).collect())
}
