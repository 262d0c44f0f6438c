//! `DELETE [base]/[type]?[criteria]` (<https://hl7.org/fhir/R4/http.html#cdelete>).

use crate::ask::Ask;
use crate::reply::Reply;
use crate::rest::delete;
use base::Fault;
use search::parse::encode_query;

/// Deletes what the criteria find: one resource, or several where the settings allow it.
pub(crate) async fn answer(ask: Ask) -> Result<Reply, Fault> {
    let of = ask.resource_type()?;
    let criteria = encode_query(&ask.criteria());
    let many = ask.state.config.delete_many;
    let done = ask.session.conditional_delete(of, &criteria, many).await?;
    delete::told(&ask, &done)
}
