//! The revocation endpoint (RFC 7009): the answer is the same whether there was anything to take
//! back.

use super::call::Call;
use super::token::refusal;
use crate::reply::Reply;
use base::Fault;
use http::StatusCode;

/// Takes a token back.
pub(super) fn answer(call: &Call) -> Result<Reply, Fault> {
    let done = call.smart.revoke_token(&call.params()?, call.authorization(), &call.place);
    Ok(match done {
        Ok(()) => Reply::text(StatusCode::OK, "application/json", "{}".to_owned()),
        Err(refused) => refusal(&refused),
    })
}
