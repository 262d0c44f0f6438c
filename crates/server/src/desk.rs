//! The door to the console (crate `console`): HTTP in, a visit to a page, HTTP out. Who calls is told by
//! the cookie of the sign-in pages, as in `smart/call.rs`; a form is held to its origin, browser and
//! session before any page hears of it (OWASP cross-site request forgery prevention), and every answer
//! leaves its event first (45 CFR 164.312(b)).

mod people;

mod machine;

pub use machine::{House, HouseFacts};

use crate::limit;
use crate::live;
use crate::multipart;
use crate::reply::Reply;
use crate::route::BASE_PATH;
use crate::service::{FORM_BYTES_MAX, read_within};
use crate::smart::call::{Call, set_browser};
use crate::smart::{self, sign_in};
use crate::state::State;
use base::Fault;
use base::error::code;
use console::{Answer, Body, Visit};
use http::header::{
    ACCEPT, CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG,
    IF_NONE_MATCH, REFERRER_POLICY, SET_COOKIE, VARY,
};
use http::{HeaderMap, HeaderValue, Method, StatusCode, request};
use hyper::body::Incoming;
use identity::{Asker, By, Step};
use machine::{Beginning, Steward};
use record::{Asked, Kind, Session, Source, Subject};
use search::parse::decode_query;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

const HTML: HeaderValue = HeaderValue::from_static("text/html; charset=utf-8");
/// A year: the address of an asset changes with its content.
const FOR_GOOD: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");
/// The role that is told how the server is.
const WATCHES: &str = "it-administrator";
/// The one page of a house that nobody administers yet.
const FIRST: &str = "/first";

/// Whoever visits, as far as their browser tells.
pub(crate) struct Guest {
    /// Who is signed in, with all the factors that their role demands.
    caller: Option<identity::Caller>,
    /// Somebody is, but a factor is missing.
    is_confined: bool,
    /// To the record.
    pub(crate) subject: Subject,
    /// To the limits.
    pub(crate) known_as: limit::Caller,
    /// Who it is could not be found out.
    fault: Option<Fault>,
}

/// Whether an address is the console's: one of its own, or one that is nobody's and that a person's
/// browser asks for.
pub(crate) fn serves(state: &State, method: &Method, path: &str, headers: &HeaderMap) -> bool {
    let is_device = path == crate::kiosk::PATH || path == crate::wall::PATH;
    if state.smart.is_none() || smart::serves(state, path) || is_device {
        return false;
    }
    let elsewhere = [BASE_PATH, "/auth/", "/v/", "/health/", "/metrics"];
    let by_browser = || {
        let accept = headers.get(ACCEPT).and_then(|accept| accept.to_str().ok());
        accept.is_some_and(|accept| accept.contains("text/html"))
    };
    console::serves(path)
        || (*method == Method::GET
            && !elsewhere.iter().any(|other| path.starts_with(other))
            && by_browser())
}

/// Who visits.
pub(crate) fn guest(state: &State, path: &str, headers: &HeaderMap, peer: IpAddr) -> Guest {
    let stranger = |fault| Guest {
        caller: None,
        is_confined: false,
        subject: Subject::nobody().from(Source::of(peer)),
        known_as: crate::door::stranger(state, peer),
        fault,
    };
    let Some(smart) = &state.smart else { return stranger(None) };
    // What a script asks by itself keeps nobody signed in who has gone away.
    let found = match path == console::EVENTS || headers.contains_key(console::LIVE) {
        true => smart::call::signed_in_unused(smart, headers),
        false => smart::call::signed_in(smart, headers, peer),
    };
    let Some(caller) = found else { return stranger(None) };
    if smart.identity().need_second_factor(&caller).is_err() {
        return Guest { is_confined: true, ..stranger(None) };
    }
    match state.record.subject(&caller, None, Asked::default()) {
        Ok(subject) => Guest {
            subject: subject.from(Source::of(peer)),
            known_as: limit::Caller {
                who: limit::Who::Principal(caller.principal.id.to_string()),
                roles: caller.principal.profile.roles.clone(),
            },
            caller: Some(caller),
            is_confined: false,
            fault: None,
        },
        Err(fault) => stranger(Some(fault)),
    }
}

/// One request of the console.
pub(crate) struct Ask {
    pub(crate) guest: Guest,
    pub(crate) session: Session,
    pub(crate) peer: IpAddr,
    pub(crate) parts: request::Parts,
}

/// Answers a visit, and leaves its trail.
pub(crate) async fn answer(state: &Arc<State>, ask: Ask, body: Incoming) -> Reply {
    let session = ask.session.clone();
    let bare = bare_visit(state, &ask);
    let limit = Duration::from_millis(state.config.timeout_ms);
    let reply = match tokio::time::timeout(limit, work(state, ask, body)).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(fault)) => page(&console::failed(&bare, &fault)),
        Err(_) => {
            let what = "the request took longer than the limit; a change it asked for may or may not have been made";
            page(&console::failed(&bare, &Fault::new(&code::TIMEOUT, what)))
        }
    };
    trail(&session, &bare, reply).await
}

/// Answers a visit that was turned away before it began.
pub(crate) async fn refuse(state: &State, ask: &Ask, fault: &Fault, is_told: bool) -> Reply {
    let bare = bare_visit(state, ask);
    let reply = page(&console::failed(&bare, fault));
    if is_told { trail(&ask.session, &bare, reply).await } else { reply }
}

/// No audit, no answer.
pub(crate) async fn trail(session: &Session, bare: &Visit, reply: Reply) -> Reply {
    if session.noted() {
        return reply;
    }
    let status = reply.status.as_u16();
    let kind = if status < 400 { Kind::Page } else { Kind::Refused };
    let written = match session.note(kind, status) {
        Ok(ticket) => ticket.written().await,
        Err(fault) => Err(fault),
    };
    match written {
        Ok(()) => reply,
        Err(fault) => page(&console::failed(bare, &fault)),
    }
}

async fn work(state: &Arc<State>, ask: Ask, body: Incoming) -> Result<Reply, Fault> {
    let Ask { guest, session, peer, parts } = ask;
    if let Some(fault) = guest.fault {
        return Err(fault);
    }
    let nothing = || Fault::new(&code::UNKNOWN_ROUTE, "there is nothing here");
    let smart = state.smart.clone().ok_or_else(nothing)?;
    let path = parts.uri.path().to_owned();
    let methods = console::allow(&path);
    let is_read = matches!(parts.method, Method::GET | Method::HEAD);
    if !methods.is_empty() && !methods.contains(&parts.method.as_str()) {
        let visit = Visit { caller: guest.caller, ..bare(state, &session, &parts) };
        let fault = Fault::new(&code::NOT_SUPPORTED, "use another method here");
        return Ok(page(&console::failed(&visit, &fault)).allow(&methods.join(", ")));
    }
    let body = match is_read {
        true => bytes::Bytes::new(),
        false => {
            let most = multipart::within(&parts.headers)?.unwrap_or(FORM_BYTES_MAX);
            read_within(state, &parts.headers, body, most).await?
        }
    };
    let place = smart::place(state, &parts.headers)?;
    let call = Call { state: Arc::clone(state), smart, session, peer, parts, body, place };
    call.need_own_origin()?;
    if guest.is_confined && !path.starts_with("/assets/") {
        return Ok(call.go_own("factors"));
    }
    state.on_pool(move || visited(&call, guest.caller, is_read)).await
}

/// The work of a visit, on the pool.
fn visited(call: &Call, caller: Option<identity::Caller>, is_read: bool) -> Result<Reply, Fault> {
    let mut visit = bare(&call.state, &call.session, &call.parts);
    let watches = caller
        .as_ref()
        .is_some_and(|caller| caller.principal.profile.roles.iter().any(|role| role == WATCHES));
    visit.health = (watches && visit.path == "/today").then(|| call.state.record.health());
    visit.people = caller.as_ref().map(|_| {
        let (smart, lang) = (Arc::clone(&call.smart), call.lang());
        let people = people::Visited { smart, peer: call.peer, lang };
        Arc::new(people) as Arc<dyn console::People>
    });
    visit.machine = watches.then(|| Steward::of(call)).flatten();
    visit.unclaimed = Beginning::of(call)?;
    visit.origin.clone_from(&call.place.root);
    let is_asset = visit.path.starts_with("/assets/");
    if visit.unclaimed.is_some() && visit.path != FIRST && !is_asset {
        return Ok(call.go(&format!("{}{FIRST}", call.place.root)));
    }
    visit.caller = caller;
    if !is_read {
        if let Some(form) = multipart::form(&call.parts.headers, &call.body)? {
            call.need_own_form(&form.params()?)?;
            (visit.form, visit.files) = (form.fields, form.files);
        } else {
            call.need_own_form(&call.params()?)?;
            let text = std::str::from_utf8(&call.body).unwrap_or_default();
            visit.form = decode_query(text)?;
        }
    }
    // Who has no browser yet gets one, and the forms are of that one.
    let drawn = match call.browser().is_empty() {
        true => Some(call.smart.draw_browser()?),
        false => None,
    };
    let browser = drawn.as_ref().map_or(call.browser(), |drawn| drawn.expose());
    visit.form_text = call.smart.form_text(browser, call.session_text());
    let answer = console::answer(&visit)?;
    let mut reply = match answer.body {
        Body::Go(ref path) => call.go(&format!("{}{path}", call.place.root)),
        Body::Enter { ref name, ref password, ref next } => enter(call, name, password, next)?,
        Body::Kiosk(ref token) => {
            let mut reply = device(call, visit.caller.as_ref(), crate::kiosk::PATH)?;
            crate::kiosk::enter(&mut reply, token);
            reply
        }
        Body::Wall(ref token) => {
            let mut reply = device(call, visit.caller.as_ref(), crate::wall::PATH)?;
            crate::wall::enter(&mut reply, token);
            reply
        }
        Body::Live(live) => {
            let nobody = || Fault::new(&code::SIGN_IN_NEEDED, "the sign-in has ended");
            return live::open(call, &visit.caller.ok_or_else(nobody)?, live);
        }
        Body::Html(_) | Body::Asset { .. } | Body::Picture { .. } | Body::File { .. } => {
            page(&answer)
        }
    };
    if matches!(answer.body, Body::Asset { .. }) {
        return Ok(unchanged(call, reply));
    }
    if let Some(drawn) = drawn {
        set_browser(&mut reply, drawn.expose());
    }
    for (name, value) in answer.choices {
        let text =
            format!("{name}={value}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=31536000");
        if let Ok(value) = HeaderValue::from_str(&text) {
            reply.headers.append(SET_COOKIE, value);
        }
    }
    Ok(reply)
}

/// To the page of a device. Nobody is signed in there, and whoever made it one is not any more.
fn device(call: &Call, caller: Option<&identity::Caller>, path: &str) -> Result<Reply, Fault> {
    if let Some(caller) = caller {
        call.smart.identity().sign_out(caller)?;
    }
    let mut reply = call.go(&format!("{}{path}", call.place.root));
    smart::call::clear_session(&mut reply);
    Ok(reply)
}

/// Signs somebody of the demo in, as the form of the sign-in page would.
fn enter(call: &Call, name: &str, password: &identity::Secret, next: &str) -> Result<Reply, Fault> {
    let asker = Asker { by: By::Nobody, request: call.session.request(), source: Some(call.peer) };
    match call.smart.identity().asked_by(asker).begin(name, password, call.peer) {
        Ok(Step::Done(opened)) => sign_in::enter(call, next, &opened),
        // A second factor was added: that is shown where passwords are typed.
        Ok(Step::SecondFactor(_)) => Ok(call.go_own("sign-in")),
        Err(refusal) if refusal.fault.code() == &code::SIGN_IN_REFUSED => {
            Ok(call.go(&format!("{}/welcome?changed=1", call.place.root)))
        }
        Err(refusal) => Err(refusal.fault),
    }
}

/// What a browser has already is not sent again.
fn unchanged(call: &Call, mut reply: Reply) -> Reply {
    let known = call.parts.headers.get(IF_NONE_MATCH);
    if known.is_some() && known == reply.headers.get(ETAG) {
        reply.status = StatusCode::NOT_MODIFIED;
        reply.body = bytes::Bytes::new();
    }
    reply
}

/// A page or an asset as an answer.
pub(crate) fn page(answer: &Answer) -> Reply {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let mut reply = Reply::empty(status);
    match &answer.body {
        Body::Html(html) => {
            reply.body = bytes::Bytes::from(html.clone());
            reply.headers.insert(CONTENT_TYPE, HTML);
            let policy = HeaderValue::from_static(console::POLICY);
            reply.headers.insert(CONTENT_SECURITY_POLICY, policy);
            // Not none: a form's origin would then be told as null, and could not be checked.
            let referrer = HeaderValue::from_static("same-origin");
            reply.headers.insert(REFERRER_POLICY, referrer);
            reply.headers.insert(VARY, HeaderValue::from_static("X-Fragment"));
        }
        Body::Asset { media_type, content, etag } => {
            reply.body = bytes::Bytes::from_static(content);
            reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            reply.headers.insert(CACHE_CONTROL, FOR_GOOD);
            reply.put(ETAG, etag);
        }
        Body::Picture { media_type, content } => {
            reply.body = bytes::Bytes::from(content.clone());
            reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            // It is somebody else's content, and must not act as one of ours.
            crate::protect::foreign(&mut reply);
        }
        Body::File { media_type, name, content } => {
            reply.body = bytes::Bytes::from(content.clone());
            reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
            reply.put(CONTENT_DISPOSITION, &format!("attachment; filename=\"{name}\""));
        }
        Body::Go(_) | Body::Enter { .. } | Body::Kiosk(_) | Body::Wall(_) | Body::Live(_) => {}
    }
    reply
}

fn bare_visit(state: &State, ask: &Ask) -> Visit {
    bare(state, &ask.session, &ask.parts)
}

/// A visit of which nothing but the request is known.
pub(crate) fn bare(state: &State, session: &Session, parts: &request::Parts) -> Visit {
    Visit {
        session: session.clone(),
        caller: None,
        method: parts.method.clone(),
        path: parts.uri.path().to_owned(),
        query: parts.uri.query().and_then(|query| decode_query(query).ok()).unwrap_or_default(),
        form: Vec::new(),
        files: Vec::new(),
        headers: parts.headers.clone(),
        form_text: String::new(),
        origin: String::new(),
        zone: state.zone.clone(),
        demo: state.demo.clone(),
        health: None,
        people: None,
        machine: None,
        unclaimed: None,
        waves: state.config.waves,
        offers_by_message: state.config.offers_by_message,
        offers_by_itself: state.config.offers_by_itself,
    }
}
