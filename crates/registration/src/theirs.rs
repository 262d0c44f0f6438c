//! Records that are a patient's: one that a form names, refused when it is another's, and lists of them
//! that leave nothing out unsaid (<https://hl7.org/fhir/R4/search.html>).

use crate::read::text;
use crate::register::{parsed, type_named};
use base::Fault;
use base::error::code;
use record::{Found, Hit, Level, SearchHow, Session};

/// Records of one patient and type that are read for a list that must be whole.
const WHOLE_MAX: usize = 1_000;
/// Those that are read at a time.
const PAGE: &str = "100";

/// A record that a form names, of the patient the form was opened for. `member` is where it says whose it is.
///
/// # Errors
/// `registration.patient.other`; as a read.
pub(crate) async fn one(
    session: &Session,
    kind: &str,
    member: &str,
    about: &str,
    id: &str,
) -> Result<Hit, Fault> {
    let hit = session.read(type_named(kind)?, id, None)?.into_inner().await?;
    let whose = parsed(&hit)?.root().get(member).map(|one| text(one, "reference"));
    if whose.as_deref() == Some(format!("Patient/{about}").as_str()) {
        return Ok(hit);
    }
    let say = "the record belongs to another patient than the one the form was opened for";
    Err(Fault::new(&code::REGISTRATION_OTHER_PATIENT, say))
}

/// The first `count` of a patient's records of a type, and whether there are more.
///
/// # Errors
/// As a search.
pub(crate) async fn first(
    session: &Session,
    kind: &str,
    about: &str,
    query: &[(&str, &str)],
    count: usize,
) -> Result<(Vec<Hit>, bool), Fault> {
    let found = find(session, kind, pairs(about, query, &count.to_string())).await?;
    Ok((found.page.matches, found.next.is_some()))
}

/// All of a patient's records of a type.
///
/// # Errors
/// `search.query.too-costly` when they are more than anybody looks through: a list that is cut would hide
/// what is in force. As a search.
pub(crate) async fn all(
    session: &Session,
    kind: &str,
    about: &str,
    query: &[(&str, &str)],
) -> Result<Vec<Hit>, Fault> {
    let mut found = find(session, kind, pairs(about, query, PAGE)).await?;
    let mut all = std::mem::take(&mut found.page.matches);
    while let Some(next) = found.next.take() {
        if all.len() >= WHOLE_MAX {
            let say = format!("the patient has more than {WHOLE_MAX} of these records");
            return Err(Fault::new(&code::SEARCH_TOO_COSTLY, say));
        }
        found = find(session, kind, vec![("_cursor".to_owned(), next)]).await?;
        all.append(&mut found.page.matches);
    }
    Ok(all)
}

fn pairs(about: &str, query: &[(&str, &str)], count: &str) -> Vec<(String, String)> {
    let whose = format!("Patient/{about}");
    let own = [("patient", whose.as_str()), ("_count", count)];
    own.iter().chain(query).map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

async fn find(session: &Session, kind: &str, pairs: Vec<(String, String)>) -> Result<Found, Fault> {
    let level = Level::Type(type_named(kind)?);
    session.search(level, pairs, &SearchHow::default())?.into_inner().await
}
