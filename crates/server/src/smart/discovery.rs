//! Discovery and the keys that verify identity tokens, readable by anybody
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html>). Always JSON, whatever `Accept`
//! says.

use super::call::Call;
use crate::reply::Reply;
use base::Fault;
use http::StatusCode;

const JSON: &str = "application/json";

/// `/.well-known/smart-configuration`.
pub(super) fn smart(call: &Call) -> Result<Reply, Fault> {
    Ok(Reply::text(StatusCode::OK, JSON, call.smart.smart_configuration(&call.place)))
}

/// `/.well-known/openid-configuration`.
pub(super) fn openid(call: &Call) -> Result<Reply, Fault> {
    Ok(Reply::text(StatusCode::OK, JSON, call.smart.openid_configuration(&call.place)))
}

/// The public halves of the keys that sign.
pub(super) fn keys(call: &Call) -> Result<Reply, Fault> {
    Ok(Reply::text(StatusCode::OK, JSON, call.smart.signing_set()?))
}
