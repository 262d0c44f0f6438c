//! “Apps that can see my record”: what the user gave, to whom, since when, and a button that ends it
//! at once (SMART's management endpoint).

use super::call::Call;
use super::pages;
use super::sign_in::{field, need};
use crate::reply::Reply;
use base::Fault;
use smart::GrantId;

/// The page.
pub(super) fn page(call: &Call) -> Result<Reply, Fault> {
    let caller = match need(call, "apps") {
        Ok(caller) => caller,
        Err(page) => return Ok(*page),
    };
    let given = call.smart.given_by(caller.principal.id);
    let (lang, zone) = (call.lang(), &call.state.zone);
    Ok(pages::applications(&call.form_text(), &caller.principal, &given, zone, lang))
}

/// Ends one grant.
pub(super) fn answer(call: &Call) -> Result<Reply, Fault> {
    let params = call.params()?;
    call.need_own_form(&params)?;
    let caller = match need(call, "apps") {
        Ok(caller) => caller,
        Err(page) => return Ok(*page),
    };
    if let Some(id) = GrantId::parse(field(&params, "grant")) {
        call.smart.revoke_given(caller.principal.id, id)?;
    }
    Ok(call.go_own("apps"))
}
