//! `GET [base]/[type]/[id]` (<https://hl7.org/fhir/R4/http.html#read>).

use crate::ask::Ask;
use crate::condition::not_modified;
use crate::reply::Reply;
use crate::rest::binary;
use crate::subset::Part;
use base::Fault;
use http::StatusCode;

/// Answers the current version. The store answers a point read faster than a thread can be changed,
/// so it is done where it stands.
pub(crate) async fn answer(ask: Ask) -> Result<Reply, Fault> {
    version(ask, None).await
}

/// Answers a version, the current one when none is named.
pub(super) async fn version(ask: Ask, version: Option<u64>) -> Result<Reply, Fault> {
    let of = ask.resource_type()?;
    let part = if ask.pairs.is_empty() {
        Part::Whole
    } else {
        ask.only(&["_summary", "_elements"])?;
        Part::read(ask.one("_summary")?, ask.one("_elements")?)?
    };
    let hit = ask.session.read(of, &ask.place.id, version)?.into_inner().await?;
    if not_modified(&ask.headers, hit.version, hit.last_updated)? {
        return Ok(Reply::empty(StatusCode::NOT_MODIFIED).version(hit.version, hit.last_updated));
    }
    if binary::is_binary(of) && !ask.form.named && part == Part::Whole {
        return binary::raw(&hit, ask.limits());
    }
    let body = match part {
        Part::Whole => hit.body,
        part => {
            let mut out = Vec::with_capacity(hit.body.len());
            part.write(&hit.body, ask.limits(), &mut out)?;
            out
        }
    };
    Ok(Reply::resource(StatusCode::OK, ask.form, body).version(hit.version, hit.last_updated))
}
