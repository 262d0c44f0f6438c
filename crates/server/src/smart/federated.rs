//! Signing in by an issuer: a browser is sent there by a form of ours, and taken back at an address
//! that is that issuer's alone (`OpenID` Connect Core 1.0, 3.1). What is decided is decided in the
//! crate `federation`; here it is HTTP.

use super::call::{Call, clear_elsewhere, set_elsewhere};
use super::pages::{self, Offered};
use super::sign_in;
use crate::reply::Reply;
use base::Fault;
use base::error::code;
use console::{Lang, sign_in_words as words};
use federation::{Arrived, Federation};
use identity::{Asker, By, Step};

/// What the addresses to come back to begin with.
const BACK: &str = "oidc-";

/// What the sign-in page offers beside name and password.
pub(super) fn offered(call: &Call) -> Offered<'_> {
    let issuers = call.state.federation.iter().flat_map(|federation| federation.issuers());
    Offered {
        issuers: issuers.collect(),
        own: call.smart.identity().settings().local,
        passkeys: call.party().is_some(),
    }
}

/// Sends the browser to an issuer. It is a form of this browser's, so no foreign page begins it.
pub(super) fn begin(call: &Call) -> Result<Reply, Fault> {
    let params = call.params()?;
    call.need_own_form(&params)?;
    let (name, next) = (sign_in::field(&params, "issuer"), sign_in::field(&params, "next"));
    let back = call.place.at(&format!("{BACK}{name}"));
    let begun = match federation(call)?.begin(name, &back, next) {
        Ok(begun) => begun,
        Err(fault) => return Ok(pages::not_signed_in(&fault, call.lang())),
    };
    let mut reply = call.go(begun.address.expose());
    set_elsewhere(&mut reply, begun.browser.expose());
    Ok(reply)
}

/// Takes the browser back, and signs its user in or does not.
pub(super) fn back(call: &Call) -> Result<Reply, Fault> {
    let path = call.parts.uri.path();
    let name = path.rsplit_once('/').and_then(|(_, last)| last.strip_prefix(BACK));
    let asker = Asker { by: By::Nobody, request: call.session.request(), source: Some(call.peer) };
    let identity = call.smart.identity().asked_by(asker);
    let name = name.unwrap_or_default();
    let params = call.params()?;
    let came = federation(call)?.finish(&identity, name, &params, call.elsewhere(), call.peer);
    let mut reply = match came {
        Ok(Arrived { next, step: Step::Done(opened) }) => sign_in::enter(call, &next, &opened)?,
        Ok(Arrived { next, step: Step::SecondFactor(awaited) }) => {
            let handle = awaited.handle.text();
            sign_in::second(call, &identity, &next, handle.expose(), None)?
        }
        Err(fault) => pages::not_signed_in(&fault, call.lang()),
    };
    clear_elsewhere(&mut reply);
    Ok(reply)
}

fn federation(call: &Call) -> Result<&Federation, Fault> {
    let none = || Fault::new(&code::UNKNOWN_ROUTE, words::TOLD_NOTHING.of(Lang::En));
    call.state.federation.as_deref().ok_or_else(none)
}
