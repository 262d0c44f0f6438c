//! “How I sign in”: somebody's own passkeys, authenticator and recovery codes (45 CFR 164.312(d)).
//! Whoever changes them showed a factor within the last minutes; else the page of `confirm` asks for it
//! again, and leads back.

use super::call::Call;
use super::pages::{self, Factors, Scripted};
use super::sign_in::{field, need_anybody, needs_name, proof, refused};
use super::told::told;
use crate::reply::Reply;
use base::Fault;
use base::error::code;
use console::{Lang, sign_in_words as words};
use http::StatusCode;
use identity::{Asker, By, Caller, FactorKind, Identity, PasskeyId, Proof, Secret, Standing};
use smart::Params;

/// The page.
pub(super) fn page(call: &Call) -> Result<Reply, Fault> {
    let caller = match need_anybody(call) {
        Ok(caller) => caller,
        Err(page) => return Ok(*page),
    };
    // Who has a second factor, and showed one only, shows it; who has none makes one.
    let identity = call.smart.identity();
    let shows = is_confined(call, &caller) && identity.holds_factor(caller.principal.id)?;
    if shows { Ok(call.go_own("confirm")) } else { show(call, &caller, None) }
}

/// Whether the session opens nothing else than these pages.
fn is_confined(call: &Call, caller: &Caller) -> bool {
    call.smart.identity().need_second_factor(caller).is_err()
}

fn show(call: &Call, caller: &Caller, first: Option<&str>) -> Result<Reply, Fault> {
    let identity = call.smart.identity();
    let due = match identity.standing(&caller.principal)? {
        Standing::MissingFrom(day) => Some(day),
        _ => None,
    };
    let kinds = identity.factors(caller.principal.id)?;
    let party = call.party();
    let form = call.form_text();
    let codes = kinds.iter().map(|kind| match kind {
        FactorKind::Recovery(left) => *left,
        _ => 0,
    });
    Ok(pages::factors(&Factors {
        form: &form,
        user: &caller.principal.profile.display,
        first,
        confined: is_confined(call, caller),
        due,
        passkeys: &identity.passkeys(caller.principal.id)?,
        party: party.as_ref().map(identity::Party::id),
        authenticator: kinds.contains(&FactorKind::Totp),
        codes: codes.sum(),
        zone: &call.state.zone,
        lang: call.lang(),
    }))
}

/// Does what a form of the page asks for.
pub(super) fn answer(call: &Call) -> Result<Reply, Fault> {
    let params = call.params()?;
    call.need_own_form(&params)?;
    let caller = match need_anybody(call) {
        Ok(caller) => caller,
        Err(page) => return Ok(*page),
    };
    let identity = of(call, &caller);
    match act(call, &identity, &caller, &params) {
        Err(fault) if fault.code() == &code::STEP_UP_NEEDED => Ok(call.go_own("confirm")),
        Err(fault) if fault.code() == &code::PARAMETER_INVALID => {
            let mut reply = show(call, &caller, Some(&told(&fault, call.lang())))?;
            reply.status = StatusCode::BAD_REQUEST;
            Ok(reply)
        }
        done => done,
    }
}

fn act(call: &Call, identity: &Identity, caller: &Caller, params: &Params) -> Result<Reply, Fault> {
    match field(params, "do") {
        "new" => make(call, identity, caller, None),
        "add" => {
            let answer = Secret::new(field(params, "answer").to_owned());
            let (handle, name) = (field(params, "asked"), field(params, "name"));
            match identity.add_passkey(caller, handle, &answer, name) {
                Ok(codes) if codes.is_empty() => Ok(call.go_own("factors")),
                Ok(codes) => Ok(pages::codes(&codes, call.lang())),
                Err(fault) if fault.code() == &code::SIGN_IN_REFUSED => {
                    let say = words::AUTH_PASSKEY_AGAIN.of(call.lang());
                    make(call, identity, caller, Some(say))
                }
                Err(fault) => Err(fault),
            }
        }
        "rename" => {
            identity.rename_passkey(caller, which(params)?, field(params, "name"))?;
            Ok(call.go_own("factors"))
        }
        "remove" => {
            identity.remove_passkey(caller, which(params)?)?;
            Ok(call.go_own("factors"))
        }
        "authenticator" => {
            let given = identity.enrol_totp(caller)?;
            Ok(pages::authenticator(&call.form_text(), &given, None, call.lang()))
        }
        "code" => {
            let typed: String =
                field(params, "code").chars().filter(|c| !c.is_whitespace()).collect();
            match identity.confirm_totp(caller, &Secret::new(typed)) {
                Ok(codes) => Ok(pages::codes(&codes, call.lang())),
                Err(fault) if fault.code() == &code::SIGN_IN_REFUSED => {
                    let (say, lang) = (Some(words::AUTH_APP_CODES_AGAIN), call.lang());
                    let given = identity.enrol_totp(caller)?;
                    let mut reply = pages::authenticator(&call.form_text(), &given, say, lang);
                    reply.status = StatusCode::UNAUTHORIZED;
                    Ok(reply)
                }
                Err(fault) => Err(fault),
            }
        }
        "codes" => Ok(pages::codes(&identity.new_recovery_codes(caller)?, call.lang())),
        _ => Err(Fault::at(&code::PARAMETER_INVALID, words::TOLD_BUTTON.of(Lang::En), "do")),
    }
}

fn make(
    call: &Call,
    identity: &Identity,
    caller: &Caller,
    wrong: Option<&str>,
) -> Result<Reply, Fault> {
    let Some(party) = call.party() else {
        return Err(needs_name());
    };
    let asked = identity.ask_new_passkey(caller, &party)?;
    let (form, script) = (call.form_text(), call.script());
    let view = Scripted { form: &form, script: &script, lang: call.lang() };
    let mut reply = pages::new_passkey(&view, &asked, wrong);
    if wrong.is_some() {
        reply.status = StatusCode::UNAUTHORIZED;
    }
    Ok(reply)
}

fn which(params: &Params) -> Result<PasskeyId, Fault> {
    let say = words::TOLD_WHICH.of(Lang::En);
    let bad = || Fault::at(&code::PARAMETER_INVALID, say, "passkey");
    PasskeyId::parse(field(params, "passkey")).ok_or_else(bad)
}

/// The page that asks for a factor again.
pub(super) fn confirm(call: &Call) -> Result<Reply, Fault> {
    let params = call.params()?;
    match need_anybody(call) {
        Ok(caller) => ask_again(call, &caller, next_of(&params), None),
        Err(page) => Ok(*page),
    }
}

/// The page of the console that led here, and is gone back to.
fn next_of(params: &Params) -> &str {
    Some(field(params, "next")).filter(|next| console::is_page(next)).unwrap_or_default()
}

fn ask_again(
    call: &Call,
    caller: &Caller,
    next: &str,
    wrong: Option<&str>,
) -> Result<Reply, Fault> {
    let identity = call.smart.identity();
    let asked = match call.party() {
        Some(party) => identity.ask_own_passkey(caller, &party)?,
        None => None,
    };
    let codes = !identity.factors(caller.principal.id)?.is_empty();
    let (form, script) = (call.form_text(), call.script());
    let view = Scripted { form: &form, script: &script, lang: call.lang() };
    let why = is_confined(call, caller).then_some(words::AUTH_DEMANDED);
    Ok(pages::confirm(&view, asked.as_ref(), codes, why, wrong, next))
}

/// Takes it, and leads back.
pub(super) fn confirmed(call: &Call) -> Result<Reply, Fault> {
    let params = call.params()?;
    call.need_own_form(&params)?;
    let caller = match need_anybody(call) {
        Ok(caller) => caller,
        Err(page) => return Ok(*page),
    };
    let password = field(&params, "password");
    let shown = match password.is_empty() {
        true => proof(&params),
        false => Proof::Password(Secret::new(password.to_owned())),
    };
    match of(call, &caller).step_up(&caller, &shown, call.peer) {
        Ok(_) => Ok(match next_of(&params) {
            "" => call.go_own("factors"),
            next => call.go(&format!("{}{next}", call.place.root)),
        }),
        Err(refusal) => {
            refused(call, &refusal, |wrong| ask_again(call, &caller, next_of(&params), Some(wrong)))
        }
    }
}

/// Identity, asked by whoever is signed in.
fn of(call: &Call, caller: &Caller) -> Identity {
    let by = By::Principal(caller.principal.id);
    let asker = Asker { by, request: call.session.request(), source: Some(call.peer) };
    call.smart.identity().asked_by(asker)
}
