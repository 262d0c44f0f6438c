//! What problems, allergies and medications have in common: each is in a list, is added once, is changed
//! only as it was last read (`If-Match`), ends with a reason, and is marked as entered in error but never
//! deleted. A mistake that vanished could not be learnt from, nor answered for (45 CFR 164.526).

use crate::guard::{About, Held};
use crate::read::{Concept, concept, each, parsed};
use crate::summary::{ask, type_named};
use crate::write::{self, Done, Entries};
use base::Fault;
use base::error::code;
use fhir::Value;
use fhir::write::Writer;
use record::{Level, SearchHow, Session};

/// Suggestions of one type-ahead.
pub const SUGGESTIONS_MAX: usize = 12;
/// Records that suggestions are drawn from: enough that what is common here comes first.
const DRAWN: &str = "60";
/// Records of a list that are looked through for the same again.
const LIST: &str = "200";

/// A record that is to be changed, as whoever changes it saw it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Seen {
    /// Its logical id.
    pub id: String,
    /// The version that was on the screen.
    pub version: u64,
}

/// The record, held to the stated patient and to the version that was seen.
pub(crate) async fn hold(
    session: &Session,
    about: &About,
    kind: &str,
    seen: &Seen,
) -> Result<Held, Fault> {
    about.stands(session).await?;
    let held = about.holds(session, kind, &seen.id).await?;
    if held.hit.version != seen.version {
        let text = "somebody changed it since it was shown to you; look at it again";
        return Err(Fault::new(&code::VERSION_CONFLICT, text));
    }
    Ok(held)
}

/// Carries out the one change of a record.
pub(crate) async fn replace(
    session: &Session,
    kind: &str,
    held: &Held,
    mut out: Writer,
) -> Result<Done, Fault> {
    out.end_object();
    let mut entries = Entries::new();
    entries.update(kind, held, &out.finish());
    one(entries.commit(session).await?)
}

pub(crate) fn one(done: Vec<Done>) -> Result<Done, Fault> {
    let nothing = || Fault::new(&code::INTERNAL, "a transaction was answered with no entry");
    done.into_iter().next().ok_or_else(nothing)
}

/// A resource begun anew from a stored one, but for some members.
pub(crate) fn from(held: &Held, but: &[&str]) -> Writer {
    let mut out = Writer::new();
    out.object();
    write::keep(&mut out, held.document.root(), but);
    out
}

/// `note`, with what stood there and what is added.
pub(crate) fn noted(out: &mut Writer, session: &Session, root: Option<Value<'_>>, text: &str) {
    out.key("note").array();
    for note in root.into_iter().flat_map(|root| each(root, "note")) {
        out.raw(note.raw().as_bytes());
    }
    out.object();
    if let Some(signer) = session.signer() {
        out.key("authorReference").object();
        out.member("reference", &format!("Practitioner/{}", signer.practitioner)).end_object();
    }
    out.member("time", &session.now().to_instant()).member("text", text).end_object();
    out.end_array();
}

/// `recorder` or `informationSource`, when somebody of the house enters it.
pub(crate) fn by(out: &mut Writer, session: &Session, name: &str) {
    if let Some(signer) = session.signer() {
        out.key(name).object();
        out.member("reference", &format!("Practitioner/{}", signer.practitioner)).end_object();
    }
}

/// The records of a list that count: whether one of them, as far as the caller sees, is the same again.
///
/// # Errors
/// `charting.record.duplicate`.
pub(crate) async fn once(
    session: &Session,
    about: &About,
    (kind, query): (&str, &[(&str, &str)]),
    form: &str,
    named: impl Fn(Value<'_>) -> bool,
) -> Result<(), Fault> {
    let again = session.chart(&about.patient, |chart| {
        let mut query = query.to_vec();
        query.push(("_count", LIST));
        let found = ask(chart, kind, &query)?;
        Ok(found.page.matches.iter().filter_map(parsed).any(|document| {
            let root = document.root();
            // The same form, sent twice, is no second entry.
            let mine = |one: Value<'_>| one.get_str("value").as_deref() == Some(form);
            !each(root, "identifier").any(mine) && named(root)
        }))
    })?;
    if again.into_inner().await? {
        let text =
            "the chart has an active one of these; change that one, or say that this is another";
        return Err(Fault::new(&code::CHART_DUPLICATE, text));
    }
    Ok(())
}

/// What was charted here before under words that begin like these, what is most common first; then words
/// of our own. No licensed code system is shipped: a code comes from a record that has it.
///
/// # Errors
/// As a search.
pub async fn suggest(
    session: &Session,
    (kind, parameter): (&str, &str),
    typed: &str,
    own: &[&str],
) -> Result<Vec<Concept>, Fault> {
    let typed = typed.trim();
    if typed.chars().count() < 2 {
        return Ok(Vec::new());
    }
    let escaped: String = typed
        .chars()
        .flat_map(|c| match c {
            ',' | '$' | '|' | '\\' => vec!['\\', c],
            c => vec![c],
        })
        .collect();
    let pairs =
        vec![(format!("{parameter}:text"), escaped), ("_count".to_owned(), DRAWN.to_owned())];
    let level = Level::Type(type_named(kind)?);
    let found = session.search(level, pairs, &SearchHow::default())?.into_inner().await?;
    let mut counted: Vec<(usize, Concept)> = Vec::new();
    for document in found.page.matches.iter().filter_map(parsed) {
        let what = concept(document.root(), element(kind));
        match counted.iter_mut().find(|(_, one)| one.same(&what)) {
            Some((times, _)) => *times += 1,
            None if what.text.is_empty() => {}
            None => counted.push((1, what)),
        }
    }
    counted.sort_by_key(|(times, _)| std::cmp::Reverse(*times));
    let folded = typed.to_lowercase();
    let own = own.iter().filter(|word| word.to_lowercase().starts_with(&folded));
    let own = own.map(|word| Concept { text: (*word).to_owned(), codings: Vec::new() });
    let mut all: Vec<Concept> = counted.into_iter().map(|(_, what)| what).collect();
    for one in own {
        if !all.iter().any(|other| other.same(&one)) {
            all.push(one);
        }
    }
    all.truncate(SUGGESTIONS_MAX);
    Ok(all)
}

fn element(kind: &str) -> &'static str {
    if kind.starts_with("Medication") { "medicationCodeableConcept" } else { "code" }
}

/// A concept that somebody chose or typed.
pub(crate) fn chosen(what: &Concept) -> Result<(), Fault> {
    const CODINGS_MAX: usize = 10;
    write::typed(&what.text, "what")?;
    let whole = |one: &crate::Coding| !one.code.is_empty() && one.code.len() <= 200;
    if what.codings.len() > CODINGS_MAX || !what.codings.iter().all(whole) {
        return Err(Fault::at(&code::CHART_VALUE, "its codes are not whole", "what"));
    }
    Ok(())
}

/// A date of care: as much of it as is known, not in the future.
pub(crate) fn dated(text: &str, session: &Session, field: &str) -> Result<(), Fault> {
    let bad = |say: &str| Err(Fault::at(&code::CHART_VALUE, say, field));
    match fhir::date::parse(text) {
        Some(_) if !fhir::date::is_date_time(text) => bad("a time is given with its zone"),
        Some(range) if range.low > session.now().0.saturating_add(86_400_000) => {
            bad("it lies in the future; what is charted has happened")
        }
        Some(_) => Ok(()),
        None => bad("give a year, a month or a date"),
    }
}
