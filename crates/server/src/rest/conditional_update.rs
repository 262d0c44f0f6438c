//! `PUT [base]/[type]?[criteria]` (<https://hl7.org/fhir/R4/http.html#cond-update>).

use crate::ask::Ask;
use crate::condition::if_match;
use crate::reply::Reply;
use crate::rest::{binary, written};
use base::Fault;
use search::parse::encode_query;

/// Updates the one resource the criteria find, or creates it.
pub(crate) async fn answer(mut ask: Ask) -> Result<Reply, Fault> {
    let of = ask.resource_type()?;
    let version = if_match(&ask.headers)?;
    let criteria = encode_query(&ask.criteria());
    let document = binary::document(&mut ask, of, None)?;
    let done = ask.session.conditional_update(of, &criteria, document, version).await?;
    written::answer(&ask, done)
}
