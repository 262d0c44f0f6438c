//! One request to the authorization server: its parameters, its browser's cookies, and who is signed
//! in there. The session's cookie holds a token of `identity`; the other tells a browser from
//! another before anybody has signed in.

use crate::limit::ISSUER_PATHS;
use crate::reply::Reply;
use crate::state::State;
use base::Fault;
use base::error::code;
use bytes::Bytes;
use console::{Lang, sign_in_words as words};
use http::header::{AUTHORIZATION, CONTENT_TYPE, COOKIE, LOCATION, ORIGIN, SET_COOKIE};
use http::{HeaderMap, HeaderValue, Method, StatusCode, request};
use identity::{Caller, Party, SessionKind};
use record::Session;
use smart::{Params, Place, Smart};
use std::net::IpAddr;
use std::sync::Arc;

const SESSION: &str = "__Host-plummer-session";
const BROWSER: &str = "__Host-plummer-browser";
/// For ten minutes: what a sign-in by an issuer began in.
const ELSEWHERE: &str = "__Host-plummer-oidc";
const FORM: &str = "application/x-www-form-urlencoded";

/// A request.
#[derive(Debug)]
pub(crate) struct Call {
    pub(crate) state: Arc<State>,
    pub(crate) smart: Arc<Smart>,
    pub(crate) session: Session,
    pub(crate) peer: IpAddr,
    pub(crate) parts: request::Parts,
    pub(crate) body: Bytes,
    pub(crate) place: Place,
}

impl Call {
    /// The parameters: of a POST those of its form, else those of the address.
    pub(crate) fn params(&self) -> Result<Params, Fault> {
        let bad = || {
            let what = "send parameters as a form: name=value, each once, percent-encoded";
            Fault::new(&code::PARAMETER_INVALID, what)
        };
        if self.parts.method != Method::POST {
            return Params::parse(self.parts.uri.query().unwrap_or_default()).ok_or_else(bad);
        }
        let kind = self.parts.headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok());
        let kind = kind.and_then(|kind| kind.split(';').next()).unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case(FORM) {
            let what = "send application/x-www-form-urlencoded";
            return Err(Fault::at(&code::UNSUPPORTED_MEDIA, what, "Content-Type"));
        }
        std::str::from_utf8(&self.body).ok().and_then(Params::parse).ok_or_else(bad)
    }

    /// Whether another system may have to be asked: an issuer, or for the keys of an app that proves
    /// itself by a signature.
    pub(crate) fn may_ask_out(&self) -> bool {
        if self.parts.uri.path().starts_with(ISSUER_PATHS) {
            return true;
        }
        let signed = |params: Params| !matches!(params.one("client_assertion"), Ok(None));
        self.parts.method == Method::POST && self.params().is_ok_and(signed)
    }

    /// The one `Authorization` header.
    pub(crate) fn authorization(&self) -> Option<&str> {
        let mut all = self.parts.headers.get_all(AUTHORIZATION).iter();
        let first = all.next()?.to_str().ok();
        first.filter(|_| all.next().is_none())
    }

    fn cookie(&self, name: &str) -> Option<&str> {
        cookie(&self.parts.headers, name)
    }

    /// The language of the pages that answer it.
    pub(crate) fn lang(&self) -> Lang {
        console::language(&self.parts.headers)
    }

    /// What the browser is known again by; empty when it is not.
    pub(crate) fn browser(&self) -> &str {
        self.cookie(BROWSER).unwrap_or_default()
    }

    /// What this browser began a sign-in by an issuer with; empty when it did not.
    pub(crate) fn elsewhere(&self) -> &str {
        self.cookie(ELSEWHERE).unwrap_or_default()
    }

    /// The token of the session's cookie; empty when there is none.
    pub(crate) fn session_text(&self) -> &str {
        self.cookie(SESSION).unwrap_or_default()
    }

    /// Who is signed in in this browser, with all the factors that their role demands.
    pub(crate) fn caller(&self) -> Option<Caller> {
        let whole = |caller: &Caller| self.smart.identity().need_second_factor(caller).is_ok();
        self.anybody().filter(whole)
    }

    /// Who is signed in in this browser, also with one factor where two are demanded: for the pages where
    /// a second is registered or shown, and for signing out.
    pub(crate) fn anybody(&self) -> Option<Caller> {
        signed_in(&self.smart, &self.parts.headers, self.peer)
    }

    /// For whom passkeys are made and shown here: this server's own origin, by its settings. None where
    /// browsers have no passkeys.
    pub(crate) fn party(&self) -> Option<Party> {
        smart::address::origin_of(&self.place.root).and_then(Party::of)
    }

    /// Where the one script of the pages stands.
    pub(crate) fn script(&self) -> String {
        self.place.at("passkey.js")
    }

    /// The text for this browser's forms.
    pub(crate) fn form_text(&self) -> String {
        self.smart.form_text(self.browser(), self.session_text())
    }

    /// Refuses a form that is not one of this browser's and session's.
    pub(crate) fn need_own_form(&self, params: &Params) -> Result<(), Fault> {
        let given = params.all("form").next().unwrap_or_default();
        if self.smart.is_own_form(self.browser(), self.session_text(), given) {
            return Ok(());
        }
        Err(Fault::new(&code::SESSION_EXPIRED, words::TOLD_FORM_OLD.of(Lang::En)))
    }

    /// Refuses what a page of another origin sends.
    pub(crate) fn need_own_origin(&self) -> Result<(), Fault> {
        let Some(origin) = self.parts.headers.get(ORIGIN) else { return Ok(()) };
        let own = smart::address::origin_of(&self.place.root);
        if origin.to_str().ok().is_some_and(|origin| Some(origin) == own) {
            return Ok(());
        }
        Err(Fault::at(&code::HEADER_INVALID, words::TOLD_FOREIGN.of(Lang::En), "Origin"))
    }

    /// Sends the browser on. What it sent is not sent again.
    pub(crate) fn go(&self, address: &str) -> Reply {
        let mut reply = Reply::empty(StatusCode::SEE_OTHER);
        reply.put(LOCATION, address);
        reply
    }

    /// Sends the browser to another of our own pages.
    pub(crate) fn go_own(&self, page: &str) -> Reply {
        self.go(&self.place.at(page))
    }
}

/// Who is signed in in the browser that sends these headers, also with one factor where two are demanded.
pub(crate) fn signed_in(smart: &Smart, headers: &HeaderMap, peer: IpAddr) -> Option<Caller> {
    let token = cookie(headers, SESSION).unwrap_or_default();
    let found = smart.identity().find_confined(token, Some(peer)).ok();
    // A script token is no browser's, wherever it was put.
    found.filter(|caller| caller.kind == SessionKind::SignIn)
}

/// As [`signed_in`], where nobody is known to sit before the screen: it is no use of the sign-in.
pub(crate) fn signed_in_unused(smart: &Smart, headers: &HeaderMap) -> Option<Caller> {
    let found = smart.identity().find_unused(session_of(headers)).ok();
    found.filter(|caller| caller.kind == SessionKind::SignIn)
}

/// What a browser shows that it is signed in with; empty when it is not.
pub(crate) fn session_of(headers: &HeaderMap) -> &str {
    cookie(headers, SESSION).unwrap_or_default()
}

fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let texts = headers.get_all(COOKIE).iter().filter_map(|v| v.to_str().ok());
    let mut pairs = texts.flat_map(|text| text.split(';')).filter_map(|p| p.split_once('='));
    pairs.find(|(n, _)| n.trim() == name).map(|(_, value)| value.trim())
}

/// Gives the browser something to be known by.
pub(crate) fn set_browser(reply: &mut Reply, text: &str) {
    set_cookie(reply, BROWSER, text, "");
}

/// Lets the browser begin a sign-in by an issuer; *Lax*, since it comes back from there.
pub(crate) fn set_elsewhere(reply: &mut Reply, text: &str) {
    set_cookie(reply, ELSEWHERE, text, "; Max-Age=600");
}

/// It came back.
pub(crate) fn clear_elsewhere(reply: &mut Reply) {
    set_cookie(reply, ELSEWHERE, "", "; Max-Age=0");
}

/// Signs the browser in.
pub(crate) fn set_session(reply: &mut Reply, text: &str) {
    set_cookie(reply, SESSION, text, "");
}

/// Signs the browser out.
pub(crate) fn clear_session(reply: &mut Reply) {
    set_cookie(reply, SESSION, "", "; Max-Age=0");
}

fn set_cookie(reply: &mut Reply, name: &str, value: &str, more: &str) {
    let text = format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax{more}");
    if let Ok(mut value) = HeaderValue::from_str(&text) {
        value.set_sensitive(true);
        reply.headers.append(SET_COOKIE, value);
    }
}

/// What a page's policy has to name for a form whose answer leads to this address: browsers hold
/// redirects to it as well.
pub(crate) fn form_target(address: &str) -> String {
    match smart::address::origin_of(address) {
        Some(origin) => origin.to_owned(),
        None => address.split_once(':').map(|(s, _)| format!("{s}:")).unwrap_or_default(),
    }
}
