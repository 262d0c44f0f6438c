//! `GET [base]/[type]/[id]/_history/[version]` (<https://hl7.org/fhir/R4/http.html#vread>).

use crate::ask::Ask;
use crate::reply::Reply;
use crate::rest::read;
use base::Fault;

/// Answers the version the address names.
pub(crate) async fn answer(ask: Ask) -> Result<Reply, Fault> {
    let version = ask.place.version;
    read::version(ask, version).await
}
