//! The introspection endpoint (RFC 7662).

use super::call::Call;
use super::token::refusal;
use crate::reply::Reply;
use base::Fault;
use http::StatusCode;

/// Tells what a token is.
pub(super) fn answer(call: &Call) -> Result<Reply, Fault> {
    let told = call.smart.introspect(&call.params()?, call.authorization(), &call.place);
    Ok(match told {
        Ok(body) => Reply::text(StatusCode::OK, "application/json", body),
        Err(refused) => refusal(&refused),
    })
}
