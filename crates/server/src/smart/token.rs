//! The token endpoint (RFC 6749, 3.2). Answers are JSON and never kept by anybody.

use super::call::Call;
use crate::reply::Reply;
use base::Fault;
use http::StatusCode;
use http::header::WWW_AUTHENTICATE;
use identity::{Asker, By};
use smart::Refused;

const JSON: &str = "application/json";

/// Answers a request for a token.
pub(super) fn answer(call: &Call) -> Result<Reply, Fault> {
    let asker = Asker { by: By::Nobody, request: call.session.request(), source: Some(call.peer) };
    let issued = call.smart.token_asked(&call.params()?, call.authorization(), &call.place, asker);
    Ok(match issued {
        Ok(issued) => Reply::text(StatusCode::OK, JSON, issued.body().expose().to_owned()),
        Err(refused) => refusal(&refused),
    })
}

/// A refusal in the words of OAuth.
pub(super) fn refusal(refused: &Refused) -> Reply {
    if let Some(fault) = &refused.fault {
        tracing::warn!(code = fault.code().name, "an app could not be answered");
    }
    let status = StatusCode::from_u16(refused.status).unwrap_or(StatusCode::BAD_REQUEST);
    let mut reply = Reply::text(status, JSON, refused.body());
    if status == StatusCode::UNAUTHORIZED {
        reply.put(WWW_AUTHENTICATE, "Basic realm=\"plummer\"");
    }
    reply
}
