//! `POST [base]/[type]`, with `If-None-Exist` or without
//! (<https://hl7.org/fhir/R4/http.html#create>, `#ccreate`).

use crate::ask::Ask;
use crate::negotiate::text_of;
use crate::reply::Reply;
use crate::rest::{binary, written};
use base::Fault;
use http::header::HeaderName;

static IF_NONE_EXIST: HeaderName = HeaderName::from_static("if-none-exist");

/// Stores a new resource, or answers the one the condition finds.
pub(crate) async fn answer(mut ask: Ask) -> Result<Reply, Fault> {
    ask.only(&[])?;
    let of = ask.resource_type()?;
    let condition = match ask.headers.get(&IF_NONE_EXIST) {
        Some(value) => Some(text_of(value, &IF_NONE_EXIST)?.to_owned()),
        None => None,
    };
    let document = binary::document(&mut ask, of, None)?;
    let done = ask.session.create(of, document, condition).await?;
    written::answer(&ask, done)
}
