//! `PUT [base]/[type]/[id]`, with `If-Match`, `If-None-Match: *` or neither
//! (<https://hl7.org/fhir/R4/http.html#update>, `#concurrency`).

use crate::ask::Ask;
use crate::condition::{if_match, only_if_new};
use crate::reply::Reply;
use crate::rest::{binary, written};
use base::Fault;

/// Stores a new version.
pub(crate) async fn answer(mut ask: Ask) -> Result<Reply, Fault> {
    ask.only(&[])?;
    let of = ask.resource_type()?;
    let (version, new) = (if_match(&ask.headers)?, only_if_new(&ask.headers)?);
    let id = ask.place.id.clone();
    let document = binary::document(&mut ask, of, Some(&id))?;
    let done = ask.session.update(of, &id, document, version, new).await?;
    written::answer(&ask, done)
}
