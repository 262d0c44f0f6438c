//! `DELETE [base]/[type]/[id]` (<https://hl7.org/fhir/R4/http.html#delete>). Deleting what is not
//! there, or not there any more, changes nothing and goes well.

use crate::ask::Ask;
use crate::condition::{Return, if_match};
use crate::reply::Reply;
use crate::rest::written;
use base::Fault;
use http::StatusCode;
use record::Deleted;

/// Deletes a resource; its history stays.
pub(crate) async fn answer(ask: Ask) -> Result<Reply, Fault> {
    ask.only(&[])?;
    let of = ask.resource_type()?;
    let version = if_match(&ask.headers)?;
    let done = ask.session.delete(of, &ask.place.id, version).await?;
    told(&ask, &done)
}

/// Answers what a delete did.
pub(super) fn told(ask: &Ask, done: &Deleted) -> Result<Reply, Fault> {
    let reply = match ask.prefer()?.answer {
        Some(Return::Outcome) => {
            let what = match done.count {
                0 => "there was nothing to delete".to_owned(),
                1 => "one resource was deleted".to_owned(),
                n => format!("{n} resources were deleted"),
            };
            Reply::resource(StatusCode::OK, ask.form, written::done(&what))
        }
        _ => Reply::empty(StatusCode::NO_CONTENT),
    };
    Ok(match done.version {
        Some(version) => reply.version(version, done.last_updated),
        None => reply,
    })
}
