//! The authorization endpoint (RFC 6749, 3.1), by GET and POST, and the page to which every step of
//! deciding returns: sign-in, then the patient, then the approval.

use super::call::{Call, set_browser};
use super::told::said;
use super::{approval, pages, patient, people, sign_in};
use crate::reply::Reply;
use base::Fault;
use base::error::code;
use console::{Lang, sign_in_words as words};
use smart::{Turned, own_patient};

/// Checks and keeps a request, and sends the browser on.
pub(super) fn answer(call: &Call) -> Result<Reply, Fault> {
    let params = call.params()?;
    // Each request gets a browser of its own: one that another site began cannot join in.
    let fresh = call.smart.draw_browser()?;
    let browser = if call.browser().is_empty() { fresh.expose() } else { call.browser() };
    let begun = match call.smart.begin(&params, browser, &call.place) {
        // A text that is none of ours stood in the cookie.
        Err(Turned::Page(_)) if browser != fresh.expose() => {
            let begun = call.smart.begin(&params, fresh.expose(), &call.place);
            begun.map(|request| (request, true))
        }
        begun => begun.map(|request| (request, browser == fresh.expose())),
    };
    match begun {
        Ok((request, drawn)) => {
            let mut reply = call.go_own(&format!("continue?request={}", request.expose()));
            if drawn {
                set_browser(&mut reply, fresh.expose());
            }
            Ok(reply)
        }
        Err(Turned::Back(address)) => Ok(call.go(&address)),
        Err(Turned::Page(say)) => {
            let lang = call.lang();
            let say =
                said(say, lang).unwrap_or_else(|| words::AUTH_UNKNOWN_APP.of(lang).to_owned());
            Ok(pages::notice(words::AUTH_UNKNOWN_APP, &say, lang))
        }
        Err(Turned::Failed(fault)) => Err(fault),
    }
}

/// The next step of a request.
pub(super) fn resume(call: &Call) -> Result<Reply, Fault> {
    let params = call.params()?;
    let request = params.all("request").next().unwrap_or_default();
    let Some(ask) = call.smart.waiting(request, call.browser()) else { return Err(over()) };
    let Some(caller) = call.caller() else {
        if call.anybody().is_some() {
            return Ok(call.go_own("factors"));
        }
        return Ok(sign_in::ask(call, request, Some(&ask.app.registration.display)));
    };
    if ask.launched_by.is_some_and(|by| by != caller.principal.id) {
        let lang = call.lang();
        let say = words::AUTH_OTHER_STARTED_SAY.of(lang);
        return Ok(pages::notice(words::AUTH_OTHER_STARTED, say, lang));
    }
    if !ask.needs_patient() {
        return approval::page(call, request, &ask, &caller);
    }
    let session = people::session(call, &caller)?;
    match own_patient(&caller.principal) {
        Some(own) => {
            people::see(&session, own, call.lang())?;
            call.smart.choose_patient(request, call.browser(), &caller, own)?;
            let ask = call.smart.waiting(request, call.browser()).ok_or_else(over)?;
            approval::page(call, request, &ask, &caller)
        }
        None => Ok(patient::page(call, request, &ask, None)),
    }
}

/// The request was answered, took too long, or began in another browser.
pub(super) fn over() -> Fault {
    Fault::new(&code::SESSION_EXPIRED, words::TOLD_OVER.of(Lang::En))
}
