//! Signing in with a browser: name and password, then the second factor where there is one; or a
//! passkey alone; and signing out. A session is a new token each time, so none that was planted before
//! is worth anything (session fixation), and every refusal reads the same.

use super::call::{Call, clear_session, set_browser, set_session};
use super::told::told;
use super::{federated, pages};
use crate::reply::Reply;
use base::Fault;
use base::error::code;
use console::{Lang, sign_in_words as words};
use http::StatusCode;
use http::header::RETRY_AFTER;
use identity::{Asker, By, FactorKind, Identity, Opened, Proof, Refusal, Secret, Step};
use smart::Params;

/// The page, for who comes by themselves.
pub(super) fn page(call: &Call) -> Result<Reply, Fault> {
    if call.anybody().is_some() {
        return Ok(go_console(call, "/today"));
    }
    // Whoever came to a page of the console goes on to it.
    let params = call.params()?;
    let next = Some(field(&params, "next")).filter(|next| console::is_page(next));
    Ok(ask(call, next.unwrap_or_default(), None))
}

/// The page, for a request of an app or for one of our own pages.
pub(super) fn ask(call: &Call, next: &str, app: Option<&str>) -> Reply {
    show(call, next, app, None)
}

fn show(call: &Call, next: &str, app: Option<&str>, tried: Option<pages::Tried<'_>>) -> Reply {
    let (offered, lang) = (federated::offered(call), call.lang());
    // Who has no browser yet gets one, and the form is of that one.
    if call.browser().is_empty()
        && let Ok(browser) = call.smart.draw_browser()
    {
        let form = call.smart.form_text(browser.expose(), call.session_text());
        let mut reply = pages::sign_in(&form, next, app, tried, &offered, lang);
        set_browser(&mut reply, browser.expose());
        return reply;
    }
    pages::sign_in(&call.form_text(), next, app, tried, &offered, lang)
}

/// Takes a name and password, or a second factor.
pub(super) fn answer(call: &Call) -> Result<Reply, Fault> {
    let params = call.params()?;
    call.need_own_form(&params)?;
    let next = field(&params, "next");
    let app =
        call.smart.waiting(next, call.browser()).map(|ask| ask.app.registration.display.clone());
    let identity = asked_here(call);
    let handle = field(&params, "handle");
    let chooses = params.all("new").next().is_some();
    if !handle.is_empty() && !chooses {
        return match identity.finish(handle, &proof(&params), call.peer) {
            Ok(opened) => enter(call, next, &opened),
            Err(refusal) if must_change(&refusal) => {
                choose(call, next, Upon::Handle(handle), &refusal)
            }
            Err(refusal) => {
                refused(call, &refusal, |wrong| second(call, &identity, next, handle, Some(wrong)))
            }
        };
    }
    let mut name = field(&params, "name").to_owned();
    let mut password = Secret::new(field(&params, "password").to_owned());
    if chooses {
        let upon = if handle.is_empty() { Upon::Name(&name) } else { Upon::Handle(handle) };
        let chosen = Secret::new(field(&params, "new").to_owned());
        if field(&params, "again") != chosen.expose() {
            let say = words::TOLD_NOT_ALIKE.of(Lang::En);
            let fault = Fault::at(&code::PARAMETER_INVALID, say, "again");
            return choose(call, next, upon, &fault.into());
        }
        let done = match upon {
            Upon::Name(name) => {
                identity.change_password(name, &password, &chosen, call.peer).map(|()| name.into())
            }
            Upon::Handle(handle) => identity.choose_password(handle, &chosen, call.peer),
        };
        name = match done {
            Ok(name) => name,
            Err(refusal) => return choose(call, next, upon, &refusal),
        };
        password = chosen;
    }
    match identity.begin(&name, &password, call.peer) {
        Ok(Step::Done(opened)) => enter(call, next, &opened),
        Ok(Step::SecondFactor(awaited)) => {
            let handle = awaited.handle.text();
            let wanted = awaited.factors.contains(&FactorKind::Passkey);
            let no_party = wanted && call.party().is_none();
            let say = no_party.then_some(words::AUTH_PASSKEY_HOST.of(call.lang()));
            second(call, &identity, next, handle.expose(), say)
        }
        Err(refusal) if must_change(&refusal) => choose(call, next, Upon::Name(&name), &refusal),
        Err(refusal) => refused(call, &refusal, |wrong| {
            let tried = pages::Tried { name: &name, wrong };
            Ok(show(call, next, app.as_deref(), Some(tried)))
        }),
    }
}

/// What somebody shows who chooses a password in the place of another.
#[derive(Debug, Clone, Copy)]
pub(super) enum Upon<'c> {
    /// Name and password once more.
    Name(&'c str),
    /// The handle of a sign-in whose second factor was shown.
    Handle(&'c str),
}

fn must_change(refusal: &Refusal) -> bool {
    refusal.fault.code() == &code::PASSWORD_MUST_CHANGE
}

/// The page on which a password is chosen, with what has to be done first or was wrong.
fn choose(call: &Call, next: &str, upon: Upon<'_>, refusal: &Refusal) -> Result<Reply, Fault> {
    let wrong = !must_change(refusal);
    let lang = call.lang();
    refused(call, refusal, |say| {
        Ok(pages::choose_password(&call.form_text(), next, upon, (say, wrong), lang))
    })
}

/// The page of the second step, which asks for a passkey where there is one.
pub(super) fn second(
    call: &Call,
    identity: &Identity,
    next: &str,
    handle: &str,
    wrong: Option<&str>,
) -> Result<Reply, Fault> {
    // A handle that is void asks for no passkey; what is sent with it is refused all the same.
    let asked = call.party().map(|party| identity.ask_second_passkey(handle, &party));
    let asked = asked.and_then(Result::ok).flatten();
    let (form, script) = (call.form_text(), call.script());
    let view = pages::Scripted { form: &form, script: &script, lang: call.lang() };
    Ok(pages::second_factor(&view, next, handle, asked.as_ref(), wrong))
}

/// Asks for any passkey, and takes it.
pub(super) fn passkey(call: &Call) -> Result<Reply, Fault> {
    let params = call.params()?;
    call.need_own_form(&params)?;
    let next = field(&params, "next");
    let handle = field(&params, "asked");
    if handle.is_empty() {
        return any_passkey(call, next, None);
    }
    let answer = Secret::new(field(&params, "answer").to_owned());
    match asked_here(call).enter_with_passkey(handle, &answer, call.peer) {
        Ok(opened) => enter(call, next, &opened),
        Err(refusal) => refused(call, &refusal, |wrong| any_passkey(call, next, Some(wrong))),
    }
}

fn any_passkey(call: &Call, next: &str, wrong: Option<&str>) -> Result<Reply, Fault> {
    let Some(party) = call.party() else {
        return Err(needs_name());
    };
    let asked = call.smart.identity().ask_any_passkey(&party)?;
    let (form, script) = (call.form_text(), call.script());
    let view = pages::Scripted { form: &form, script: &script, lang: call.lang() };
    Ok(pages::passkey(&view, next, &asked, wrong))
}

/// A passkey is asked for or made where browsers have none.
pub(super) fn needs_name() -> Fault {
    Fault::new(&code::NOT_SUPPORTED, words::TOLD_NAMED_HOST.of(Lang::En))
}

/// Identity, asked by whoever is on the other side of this request.
fn asked_here(call: &Call) -> Identity {
    let asker = Asker { by: By::Nobody, request: call.session.request(), source: Some(call.peer) };
    call.smart.identity().asked_by(asker)
}

/// What a form shows: a passkey, a code, or a recovery code.
pub(super) fn proof(params: &Params) -> Proof {
    let asked = field(params, "asked");
    if !asked.is_empty() {
        let answer = field(params, "answer").to_owned();
        return Proof::Passkey { handle: asked.into(), answer: Secret::new(answer) };
    }
    let typed = field(params, "code");
    let digits = typed.chars().filter(|c| !c.is_whitespace()).collect::<String>();
    if digits.len() == 6 && digits.bytes().all(|b| b.is_ascii_digit()) {
        return Proof::Totp(Secret::new(digits));
    }
    Proof::Recovery(Secret::new(typed.to_owned()))
}

/// Ends the session of this browser.
pub(super) fn out(call: &Call) -> Result<Reply, Fault> {
    call.need_own_form(&call.params()?)?;
    if let Some(caller) = call.anybody() {
        call.smart.identity().sign_out(&caller)?;
    }
    let mut reply = match call.state.demo {
        Some(_) => go_console(call, "/welcome"),
        None => call.go_own("sign-in"),
    };
    clear_session(&mut reply);
    Ok(reply)
}

/// Gives the browser its session and sends it to where it wanted to go, which is one of our own pages
/// or the request that it holds: never an address that somebody sent along.
pub(crate) fn enter(call: &Call, next: &str, opened: &Opened) -> Result<Reply, Fault> {
    // Whoever was signed in here before is not any more.
    if let Some(before) = call.anybody() {
        call.smart.identity().revoke(before.session)?;
    }
    let mut reply = match next {
        "launch" | "factors" | "apps" => call.go_own(next),
        page if console::is_page(page) => go_console(call, page),
        _ if call.smart.waiting(next, call.browser()).is_some() => {
            call.go_own(&format!("continue?request={next}"))
        }
        _ => go_console(call, "/today"),
    };
    set_session(&mut reply, opened.token.text().expose());
    Ok(reply)
}

/// Sends the browser to a page of the console.
fn go_console(call: &Call, page: &str) -> Reply {
    call.go(&format!("{}{page}", call.place.root))
}

/// The page again, with what was wrong; another fault is told as it is.
pub(super) fn refused(
    call: &Call,
    refusal: &Refusal,
    page: impl FnOnce(&str) -> Result<Reply, Fault>,
) -> Result<Reply, Fault> {
    let fault = &refusal.fault;
    let shown = [
        &code::SIGN_IN_REFUSED,
        &code::SIGN_IN_BACK_OFF,
        &code::PASSWORD_MUST_CHANGE,
        &code::PASSWORD_WEAK,
        &code::PARAMETER_INVALID,
        &code::OVERLOADED,
    ];
    if !shown.iter().any(|code| code.name == fault.code().name) {
        return Ok(pages::failed(fault, call.lang()));
    }
    let mut reply = page(&told(fault, call.lang()))?;
    reply.status = StatusCode::from_u16(fault.status()).unwrap_or(StatusCode::UNAUTHORIZED);
    if let Some(seconds) = refusal.retry_after_s {
        reply.put(RETRY_AFTER, &seconds.to_string());
    }
    Ok(reply)
}

/// Whether somebody is signed in, for pages of our own; else the page to sign in, or the one where the
/// second factor is registered that their role demands.
pub(super) fn need(call: &Call, next: &str) -> Result<identity::Caller, Box<Reply>> {
    match call.caller() {
        Some(caller) => Ok(caller),
        None if call.anybody().is_some() => Err(Box::new(call.go_own("factors"))),
        None => Err(Box::new(ask(call, next, None))),
    }
}

/// As [`need`], for the pages of factors: also somebody who showed one where two are demanded.
pub(super) fn need_anybody(call: &Call) -> Result<identity::Caller, Box<Reply>> {
    call.anybody().ok_or_else(|| Box::new(ask(call, "factors", None)))
}

/// The first value of a field.
pub(super) fn field<'p>(params: &'p Params, name: &'p str) -> &'p str {
    params.all(name).next().unwrap_or_default()
}
