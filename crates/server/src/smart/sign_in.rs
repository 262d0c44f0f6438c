//! Signing in with a browser: name and password, then the second factor where there is one; and
//! signing out. A session is a new token each time, so none that was planted before is worth anything
//! (session fixation), and every refusal reads the same.

use super::call::{Call, clear_session, set_browser, set_session};
use super::{federated, pages};
use crate::reply::Reply;
use base::Fault;
use base::error::code;
use http::StatusCode;
use http::header::RETRY_AFTER;
use identity::{Asker, By, Opened, Proof, Refusal, Secret, Step};
use smart::Params;

/// The page, for who comes by themselves.
pub(super) fn page(call: &Call) -> Result<Reply, Fault> {
    if call.caller().is_some() {
        return Ok(call.go_own("apps"));
    }
    Ok(ask(call, "", None))
}

/// The page, for a request of an app or for one of our own pages.
pub(super) fn ask(call: &Call, next: &str, app: Option<&str>) -> Reply {
    show(call, next, app, None)
}

fn show(call: &Call, next: &str, app: Option<&str>, wrong: Option<&str>) -> Reply {
    // Who has no browser yet gets one, and the form is of that one.
    if call.browser().is_empty()
        && let Ok(browser) = call.smart.draw_browser()
    {
        let form = call.smart.form_text(browser.expose(), call.session_text());
        let mut reply = pages::sign_in(&form, next, app, wrong, &federated::offered(call));
        set_browser(&mut reply, browser.expose());
        return reply;
    }
    pages::sign_in(&call.form_text(), next, app, wrong, &federated::offered(call))
}

/// Takes a name and password, or a code.
pub(super) fn answer(call: &Call) -> Result<Reply, Fault> {
    let params = call.params()?;
    call.need_own_form(&params)?;
    let field = |name: &str| params.all(name).next().unwrap_or_default().to_owned();
    let next = field("next");
    let app =
        call.smart.waiting(&next, call.browser()).map(|ask| ask.app.registration.display.clone());
    let asker = Asker { by: By::Nobody, request: call.session.request(), source: Some(call.peer) };
    let identity = call.smart.identity().asked_by(asker);
    let handle = field("handle");
    if !handle.is_empty() {
        let typed = field("code");
        let digits = typed.chars().filter(|c| !c.is_whitespace()).collect::<String>();
        let proof = if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()) {
            Proof::Totp(Secret::new(digits))
        } else {
            Proof::Recovery(Secret::new(typed))
        };
        return match identity.finish(&handle, &proof, call.peer) {
            Ok(opened) => enter(call, &next, &opened),
            Err(refusal) => Ok(refused(&refusal, |wrong| {
                pages::second_factor(&call.form_text(), &next, &handle, Some(wrong))
            })),
        };
    }
    let password = Secret::new(field("password"));
    match identity.begin(&field("name"), &password, call.peer) {
        Ok(Step::Done(opened)) => enter(call, &next, &opened),
        Ok(Step::SecondFactor(awaited)) => {
            let handle = awaited.handle.text();
            Ok(pages::second_factor(&call.form_text(), &next, handle.expose(), None))
        }
        Err(refusal) => {
            Ok(refused(&refusal, |wrong| show(call, &next, app.as_deref(), Some(wrong))))
        }
    }
}

/// Ends the session of this browser.
pub(super) fn out(call: &Call) -> Result<Reply, Fault> {
    call.need_own_form(&call.params()?)?;
    if let Some(caller) = call.caller() {
        call.smart.identity().sign_out(&caller)?;
    }
    let mut reply = call.go_own("sign-in");
    clear_session(&mut reply);
    Ok(reply)
}

/// Gives the browser its session and sends it to where it wanted to go, which is one of our own pages
/// or the request that it holds: never an address that somebody sent along.
pub(super) fn enter(call: &Call, next: &str, opened: &Opened) -> Result<Reply, Fault> {
    // Whoever was signed in here before is not any more.
    if let Some(before) = call.caller() {
        call.smart.identity().revoke(before.session)?;
    }
    let mut reply = match next {
        "launch" => call.go_own("launch"),
        _ if call.smart.waiting(next, call.browser()).is_some() => {
            call.go_own(&format!("continue?request={next}"))
        }
        _ => call.go_own("apps"),
    };
    set_session(&mut reply, opened.token.text().expose());
    Ok(reply)
}

fn refused(refusal: &Refusal, page: impl FnOnce(&str) -> Reply) -> Reply {
    let fault = &refusal.fault;
    let told = [&code::SIGN_IN_REFUSED, &code::SIGN_IN_BACK_OFF, &code::OVERLOADED];
    if !told.iter().any(|code| code.name == fault.code().name) {
        return pages::failed(fault);
    }
    let say = fault.issues.first().map(|issue| issue.diagnostics.as_str()).unwrap_or_default();
    let mut reply = page(say);
    reply.status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    if let Some(seconds) = refusal.retry_after_s {
        reply.put(RETRY_AFTER, &seconds.to_string());
    }
    reply
}

/// Whether somebody is signed in, for pages of our own; else the page to sign in.
pub(super) fn need(call: &Call, next: &str) -> Result<identity::Caller, Box<Reply>> {
    call.caller().ok_or_else(|| Box::new(ask(call, next, None)))
}

/// The first value of a field.
pub(super) fn field<'p>(params: &'p Params, name: &'p str) -> &'p str {
    params.all(name).next().unwrap_or_default()
}
