//! The approval page: what an app asks for, in words, each part to be left out, and two answers that
//! are equally easy to give (45 CFR 170.315(g)(10)(v)(A)(1)(ii)).

use super::authorize::over;
use super::call::{Call, form_target};
use super::sign_in::{field, need};
use super::{pages, people};
use crate::reply::Reply;
use base::Fault;
use base::error::code;
use console::{Lang, sign_in_words as words};
use identity::Caller;
use smart::{Ask, Scopes, own_patient};

/// The page.
pub(super) fn page(call: &Call, request: &str, ask: &Ask, caller: &Caller) -> Result<Reply, Fault> {
    let person = match &ask.shown.patient {
        Some(id) => Some(people::see(&people::session(call, caller)?, id, call.lang())?),
        None => None,
    };
    let own =
        own_patient(&caller.principal).is_some_and(|own| ask.shown.patient.as_deref() == Some(own));
    let view = pages::Approval {
        form: &call.form_text(),
        request,
        ask,
        user: &caller.principal.profile.display,
        patient: person.as_ref(),
        own,
        target: &form_target(&ask.redirect),
        lang: call.lang(),
    };
    Ok(pages::approval(&view))
}

/// Takes the answer and sends the browser back to the app.
pub(super) fn answer(call: &Call) -> Result<Reply, Fault> {
    let params = call.params()?;
    call.need_own_form(&params)?;
    let request = field(&params, "request");
    let caller = match need(call, request) {
        Ok(caller) => caller,
        Err(page) => return Ok(*page),
    };
    let ask = call.smart.waiting(request, call.browser()).ok_or_else(over)?;
    let back = match field(&params, "answer") {
        "deny" => call.smart.deny(request, call.browser())?,
        "approve" => {
            // Asked again, for what may be seen may have changed while the page was open.
            if let Some(id) = &ask.shown.patient {
                people::see(&people::session(call, &caller)?, id, call.lang())?;
            }
            let agreed: Vec<&str> = params.all("scope").collect();
            let agreed = Scopes::parse(&agreed.join(" ")).ok_or_else(bad)?;
            call.smart.approve(request, call.browser(), &caller, &agreed)?
        }
        _ => return Err(bad()),
    };
    Ok(call.go(back.expose()))
}

fn bad() -> Fault {
    Fault::new(&code::PARAMETER_INVALID, words::TOLD_ANSWER.of(Lang::En))
}
