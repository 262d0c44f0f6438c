//! The door of the authorization server (<https://hl7.org/fhir/smart-app-launch/STU2.2/>): endpoints
//! of apps below `/auth`, the pages on which people sign in, see to how they do, choose a patient
//! and decide, and discovery below the FHIR base. What is decided is decided in the crate `smart`;
//! here it is HTTP.
//!
//! Cookies are `__Host-`, `HttpOnly`, `Secure`, and `SameSite=Lax` rather than `Strict`: an app
//! sends the browser here from another site, and with `Strict` nobody would be signed in when they
//! arrive. Nothing is changed by a `GET`, and each form holds a text of its browser and session; but
//! for the return from an issuer, which is a `GET` by its nature and is held to the state and the
//! browser that it began with.

mod applications;
mod approval;
mod authorize;
pub(crate) mod call;
mod discovery;
mod factors;
mod federated;
mod introspect;
mod launch;
mod pages;
mod patient;
mod people;
mod revoke;
pub(crate) mod scopes;
pub(crate) mod sign_in;
mod token;
mod told;

use crate::reply::Reply;
use crate::route::BASE_PATH;
use crate::service::{FORM_BYTES_MAX, read_within};
use crate::state::State;
use base::Fault;
use base::error::code;
use call::Call;
use console::{Lang, sign_in_words as words};
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_MAX_AGE, HOST, HeaderName, ORIGIN, PRAGMA, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, request};
use hyper::body::Incoming;
use record::{Kind, Session};
use smart::Place;
use std::net::IpAddr;
use std::sync::Arc;

/// Below this the authorization server answers.
const ROOT: &str = "/auth/";

/// Which pages of other origins may read an answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Readers {
    /// All: it tells nothing but what the server is.
    Anybody,
    /// Those of registered apps.
    Apps,
    /// None: it is a page for people.
    Nobody,
}

type Answer = fn(&Call) -> Result<Reply, Fault>;

/// One address: its methods, who may read it, and what answers.
struct Row {
    path: &'static str,
    get: Option<Answer>,
    post: Option<Answer>,
    readers: Readers,
}

const fn row(
    path: &'static str,
    get: Option<Answer>,
    post: Option<Answer>,
    readers: Readers,
) -> Row {
    Row { path, get, post, readers }
}

/// Everything the authorization server answers.
static ROUTES: &[Row] = &[
    row("authorize", Some(authorize::answer), Some(authorize::answer), Readers::Nobody),
    row("continue", Some(authorize::resume), None, Readers::Nobody),
    row("sign-in", Some(sign_in::page), Some(sign_in::answer), Readers::Nobody),
    row("oidc", None, Some(federated::begin), Readers::Nobody),
    row("passkey", None, Some(sign_in::passkey), Readers::Nobody),
    row("passkey.js", Some(pages::script), None, Readers::Nobody),
    row("factors", Some(factors::page), Some(factors::answer), Readers::Nobody),
    row("confirm", Some(factors::confirm), Some(factors::confirmed), Readers::Nobody),
    row("sign-out", None, Some(sign_in::out), Readers::Nobody),
    row("patient", None, Some(patient::answer), Readers::Nobody),
    row("approval", None, Some(approval::answer), Readers::Nobody),
    row("apps", Some(applications::page), Some(applications::answer), Readers::Nobody),
    row("launch", Some(launch::page), Some(launch::answer), Readers::Nobody),
    row("style.css", Some(pages::style), None, Readers::Nobody),
    row("token", None, Some(token::answer), Readers::Apps),
    row("introspect", None, Some(introspect::answer), Readers::Apps),
    row("revoke", None, Some(revoke::answer), Readers::Apps),
    row("jwks", Some(discovery::keys), None, Readers::Anybody),
];

/// Discovery stands below the FHIR base.
static WELL_KNOWN: &[Row] = &[
    row("smart-configuration", Some(discovery::smart), None, Readers::Anybody),
    row("openid-configuration", Some(discovery::openid), None, Readers::Anybody),
];

/// Every method and address that the authorization server answers, for a table that must name each.
pub fn addresses() -> Vec<(Method, String)> {
    let below = |root: String, rows: &'static [Row]| {
        rows.iter().flat_map(move |row| {
            let ways = [(Method::GET, row.get), (Method::POST, row.post)];
            let path = format!("{root}{}", row.path);
            ways.into_iter().filter(|(_, way)| way.is_some()).map(move |(m, _)| (m, path.clone()))
        })
    };
    let own = below(ROOT.to_owned(), ROUTES);
    let back = (Method::GET, format!("{ROOT}{}issuer", BACK.path));
    own.chain([back]).chain(below(format!("{BASE_PATH}/.well-known/"), WELL_KNOWN)).collect()
}

/// Where issuers send browsers back to: each has an address of its own (RFC 9700, 4.4).
static BACK: Row = row("oidc-", Some(federated::back), None, Readers::Nobody);

fn find(path: &str) -> Option<&'static Row> {
    if let Some(name) = path.strip_prefix(ROOT) {
        if name.strip_prefix(BACK.path).is_some_and(|issuer| !issuer.is_empty()) {
            return Some(&BACK);
        }
        return ROUTES.iter().find(|row| row.path == name);
    }
    let name = path.strip_prefix(BASE_PATH)?.strip_prefix("/.well-known/")?;
    WELL_KNOWN.iter().find(|row| row.path == name)
}

/// Whether an address is the authorization server's.
pub(crate) fn serves(state: &State, path: &str) -> bool {
    state.smart.is_some() && find(path).is_some()
}

/// Answers a request of the authorization server, and leaves its trail.
pub(crate) async fn answer(
    state: &Arc<State>,
    session: &Session,
    peer: IpAddr,
    parts: request::Parts,
    body: Incoming,
) -> Reply {
    let Some(row) = find(parts.uri.path()) else {
        return pages::failed(&nothing(), console::language(&parts.headers));
    };
    // Programs are told in one language.
    let lang = match row.readers {
        Readers::Nobody => console::language(&parts.headers),
        Readers::Anybody | Readers::Apps => Lang::En,
    };
    let origin = parts.headers.get(ORIGIN).cloned();
    let done = work(state, session, peer, row, parts, body).await;
    let mut reply = done.unwrap_or_else(|fault| pages::failed(&fault, lang));
    share(state, row, origin, &mut reply);
    reply.headers.insert(PRAGMA, HeaderValue::from_static("no-cache"));
    // No audit, no answer.
    if !session.noted() {
        let status = reply.status.as_u16();
        let kind = match (status, row.post.is_some()) {
            (400..500, _) => Kind::Refused,
            (_, true) => Kind::Operation,
            (_, false) => Kind::Metadata,
        };
        let written = match session.note(kind, status) {
            Ok(ticket) => ticket.written().await,
            Err(fault) => Err(fault),
        };
        if let Err(fault) = written {
            return pages::failed(&fault, lang);
        }
    }
    reply
}

async fn work(
    state: &Arc<State>,
    session: &Session,
    peer: IpAddr,
    row: &'static Row,
    parts: request::Parts,
    body: Incoming,
) -> Result<Reply, Fault> {
    let answer = match parts.method {
        Method::GET | Method::HEAD => row.get,
        Method::POST => row.post,
        Method::OPTIONS => return Ok(preflight(row)),
        _ => None,
    };
    let Some(answer) = answer else {
        // No page of ours asks so: it is a program.
        let fault = Fault::new(&code::NOT_SUPPORTED, "use another method here");
        let reply = pages::failed(&fault, Lang::En);
        return Ok(reply.allow(&methods(row)));
    };
    let body = match parts.method {
        Method::POST => read_within(state, &parts.headers, body, FORM_BYTES_MAX).await?,
        _ => bytes::Bytes::new(),
    };
    let place = place(state, &parts.headers)?;
    let smart = state.smart.clone().ok_or_else(nothing)?;
    let own = Arc::clone(state);
    let session = session.clone();
    let call = Call { state: own, smart, session, peer, parts, body, place };
    // A form of a foreign page is turned away before anything is done for it; an app may begin a
    // request by a form of its own, which changes nothing here.
    if row.readers == Readers::Nobody && row.path != "authorize" {
        call.need_own_origin()?;
    }
    match call.may_ask_out() {
        true => state.beside_pool(move || answer(&call)).await,
        false => state.on_pool(move || answer(&call)).await,
    }
}

fn nothing() -> Fault {
    Fault::new(&code::UNKNOWN_ROUTE, words::TOLD_NOTHING.of(Lang::En))
}

/// The addresses of this server as the caller knows them.
pub(crate) fn place(state: &State, headers: &HeaderMap) -> Result<Place, Fault> {
    let base = match &state.config.base_url {
        Some(base) => base.clone(),
        // The host was checked to be this machine's before anything else.
        None => match headers.get(HOST).and_then(|host| host.to_str().ok()) {
            Some(host) => format!("http://{host}{BASE_PATH}"),
            None => format!("http://{}{BASE_PATH}", state.config.listen),
        },
    };
    Place::of(&base).ok_or_else(|| {
        let what = "apps can be signed in only when base_url ends in /fhir";
        Fault::at(&code::NOT_SUPPORTED, what, "base_url")
    })
}

fn methods(row: &Row) -> String {
    let mut methods = vec!["OPTIONS"];
    if row.get.is_some() {
        methods.extend(["GET", "HEAD"]);
    }
    if row.post.is_some() {
        methods.push("POST");
    }
    methods.sort_unstable();
    methods.join(", ")
}

fn preflight(row: &Row) -> Reply {
    let mut reply = Reply::empty(StatusCode::NO_CONTENT).allow(&methods(row));
    if row.readers != Readers::Nobody {
        reply.put(ACCESS_CONTROL_ALLOW_METHODS, &methods(row));
        reply.put(ACCESS_CONTROL_ALLOW_HEADERS, "Accept, Authorization, Content-Type");
        reply.put(ACCESS_CONTROL_MAX_AGE, "600");
    }
    reply
}

/// Lets the pages that may read an answer read it (CORS).
fn share(state: &State, row: &Row, origin: Option<HeaderValue>, reply: &mut Reply) {
    match row.readers {
        Readers::Anybody => {
            let any = HeaderValue::from_static("*");
            reply.headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, any);
        }
        Readers::Apps => {
            reply.headers.append(VARY, HeaderValue::from_static("Origin"));
            if let Some(origin) = origin.filter(|origin| is_app(state, origin)) {
                reply.headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, origin);
            }
        }
        Readers::Nobody => {}
    }
}

/// Whether a page of this origin belongs to an app that is registered.
pub(crate) fn is_app(state: &State, origin: &HeaderValue) -> bool {
    let known =
        |smart: &Arc<smart::Smart>| origin.to_str().is_ok_and(|origin| smart.is_app_origin(origin));
    state.smart.as_ref().is_some_and(known)
}

/// Headers of every page for people.
pub(crate) static REFERRER: HeaderName = HeaderName::from_static("referrer-policy");
