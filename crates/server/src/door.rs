//! Who calls: the token of a request becomes a caller, and the caller a subject of the record
//! (45 CFR 164.312(a)(2)(i), (d)). Without one, the API tells what it can do and nothing else.

use crate::limit::{Caller, Who};
use crate::route::BASE_PATH;
use crate::state::State;
use base::Fault;
use base::error::code;
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method, request};
use record::{Asked, Purpose, Source, Subject};
use std::net::IpAddr;

/// The header that says why something is asked: a code of HL7 v3-PurposeOfUse.
pub(crate) const PURPOSE: &str = "x-purpose-of-use";

/// Whoever sends a request.
pub(crate) struct Known {
    /// To the record.
    pub(crate) subject: Subject,
    /// To the limits.
    pub(crate) caller: Caller,
}

/// Who sends a request of the FHIR API.
pub(crate) fn known(state: &State, parts: &request::Parts, peer: IpAddr) -> Result<Known, Fault> {
    let source = Source::of(peer);
    let stranger =
        |subject: Subject| Known { subject: subject.from(source), caller: stranger(state, peer) };
    if !state.config.guard {
        return Ok(stranger(Subject::operator()));
    }
    let Some(token) = token(&parts.headers)? else {
        if is_open(&parts.method, parts.uri.path()) {
            return Ok(stranger(Subject::nobody()));
        }
        let what = "this needs a caller: send Authorization: Bearer and a token";
        return Err(Fault::new(&code::SIGN_IN_NEEDED, what));
    };
    let (caller, grant, agent) = match &state.smart {
        Some(smart) => {
            let found = smart.find(token, Some(peer))?;
            (found.caller, found.grant, found.agent)
        }
        None => (state.record.identity().find(token, Some(peer))?, None, None),
    };
    let asked = asked(&parts.headers)?;
    if let Some(agent) = agent {
        let subject = state.record.subject_of_agent(&agent, &caller, grant, asked)?;
        // Its own budget, whomever it acts for, and never without bounds.
        let who = Who::Principal(agent.id.to_string());
        let caller = Caller { who, roles: Vec::new() };
        return Ok(Known { subject: subject.from(source), caller });
    }
    let subject = state.record.subject(&caller, grant, asked)?.from(source);
    let who = Who::Principal(caller.principal.id.to_string());
    let caller = Caller { who, roles: caller.principal.profile.roles.clone() };
    Ok(Known { subject, caller })
}

/// Who is told figures of the whole: somebody on this machine, or whose role it is to watch over it.
pub(crate) fn watches(state: &State, headers: &HeaderMap, peer: IpAddr) -> bool {
    if peer.to_canonical().is_loopback() {
        return true;
    }
    let Ok(Some(token)) = token(headers) else { return false };
    let found = state.record.identity().find(token, Some(peer));
    found.is_ok_and(|caller| {
        let roles = &caller.principal.profile.roles;
        roles.iter().any(|role| matches!(role.as_str(), "it-administrator" | "system"))
    })
}

/// Somebody of whom the address alone is known. Without the guard, whoever is on this machine runs it.
pub(crate) fn stranger(state: &State, peer: IpAddr) -> Caller {
    let mut caller = Caller::of_address(peer);
    if state.config.guard {
        caller.roles.clear();
    }
    caller
}

/// What anybody may ask.
fn is_open(method: &Method, path: &str) -> bool {
    let read = matches!(*method, Method::GET | Method::HEAD);
    *method == Method::OPTIONS || read && path.strip_prefix(BASE_PATH) == Some("/metadata")
}

/// The bearer token of a request (RFC 6750 2.1).
fn token(headers: &HeaderMap) -> Result<Option<&str>, Fault> {
    let mut given = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = given.next() else { return Ok(None) };
    let bad = |what| Err(Fault::new(&code::HEADER_INVALID, what));
    if given.next().is_some() {
        return bad("there is more than one Authorization header");
    }
    let Some((scheme, token)) = value.to_str().ok().and_then(|text| text.split_once(' ')) else {
        return bad("Authorization: Bearer and a token is what is understood here");
    };
    if !scheme.eq_ignore_ascii_case("bearer") {
        return bad("Authorization: Bearer and a token is what is understood here");
    }
    Ok(Some(token.trim()))
}

fn asked(headers: &HeaderMap) -> Result<Asked, Fault> {
    let Some(value) = headers.get(PURPOSE) else { return Ok(Asked::default()) };
    let purpose = value.to_str().ok().and_then(Purpose::of_code);
    if purpose.is_none() {
        let known: Vec<&str> = Purpose::ALL.into_iter().map(Purpose::as_str).collect();
        let what = format!("X-Purpose-Of-Use is one of {}", known.join(", "));
        return Err(Fault::new(&code::HEADER_INVALID, what));
    }
    Ok(Asked { purpose })
}
