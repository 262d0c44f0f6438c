//! The patient picker of a standalone launch: a name is typed, matches are shown, one is chosen. What
//! is typed travels in a form's body, never in an address.

use super::authorize::over;
use super::call::Call;
use super::pages;
use super::people::{self, Person};
use super::sign_in::{field, need};
use crate::reply::Reply;
use base::Fault;
use smart::Ask;

/// The page.
pub(super) fn page(
    call: &Call,
    request: &str,
    ask: &Ask,
    found: Option<(&str, &[Person])>,
) -> Reply {
    let app = &ask.app.registration.display;
    pages::patient(&call.form_text(), request, app, found, call.lang())
}

/// Searches, or takes the choice.
pub(super) fn answer(call: &Call) -> Result<Reply, Fault> {
    let params = call.params()?;
    call.need_own_form(&params)?;
    let request = field(&params, "request");
    let caller = match need(call, request) {
        Ok(caller) => caller,
        Err(page) => return Ok(*page),
    };
    let ask = call.smart.waiting(request, call.browser()).ok_or_else(over)?;
    let session = people::session(call, &caller)?;
    let chosen = field(&params, "patient");
    if chosen.is_empty() {
        let name = field(&params, "name");
        let found = people::find(&session, name, call.lang())?;
        return Ok(page(call, request, &ask, Some((name, &found))));
    }
    people::see(&session, chosen, call.lang())?;
    call.smart.choose_patient(request, call.browser(), &caller, chosen)?;
    Ok(call.go_own(&format!("continue?request={request}")))
}
