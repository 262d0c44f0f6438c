//! `/v/[token]`: the page behind a reminder's link, for whoever has it. It is bounded by address like all that
//! strangers ask; the token makes the session (`record::Record::follow`), so that what is done by it stands in
//! the log under the link and reaches nothing else. A GET shows, a POST does (RFC 9110 section 9.2.1).

use crate::arrival::{self, Asked};
use crate::desk;
use crate::kiosk;
use crate::reply::Reply;
use crate::state::State;
use crate::stranger::{self, answered};
use base::Fault;
use base::error::code;
use bytes::Bytes;
use console::{LinkPage, Visit};
use http::header::{HeaderName, LOCATION};
use http::{HeaderValue, Method, StatusCode, request};
use hyper::body::Incoming;
use record::{Session, Source};
use scheduling::book::waitlist;
use scheduling::remind::{self, Shown};
use scheduling::time::{Zone, Zones};
use std::net::IpAddr;
use std::sync::Arc;

/// Where links lead.
const PREFIX: &str = "/v/";
/// Bytes of a form: one word.
const FORM_MAX: usize = 1 << 10;
static ROBOTS: HeaderName = HeaderName::from_static("x-robots-tag");

/// Whether an address is that of a link.
pub(crate) fn serves(path: &str) -> bool {
    path.starts_with(PREFIX)
}

/// Answers a link, and leaves its trail.
pub(crate) async fn answer(
    state: &Arc<State>,
    session: &Session,
    peer: IpAddr,
    parts: request::Parts,
    body: Incoming,
) -> Reply {
    let is_kiosk = kiosk::is_one(&parts.headers);
    let form_max = if is_arrival(parts.uri.path()) { arrival::FORM_MAX } else { FORM_MAX };
    let work = move |of: Arc<State>, who: Session, parts: request::Parts, body: Bytes| async move {
        opened(&of, &who, peer, &parts, &body).await
    };
    let failed = |visit: &Visit, fault: &Fault| {
        let is_over = fault.code() == &code::LINK_OVER;
        // Who goes back there after leaving, or stayed too long, would have a page on which nothing helps.
        if is_over && is_kiosk {
            let mut reply = arrival::go("/kiosk?done=over");
            arrival::forget(&mut reply);
            return reply;
        }
        let shows = if is_over { LinkPage::Over } else { LinkPage::Failed(fault.status()) };
        desk::page(&console::link(visit, &shows))
    };
    let mut reply = answered(state, session, (parts, body), form_max, work, failed).await;
    // The address is a secret: it is told to nobody, kept nowhere, and found by nobody.
    reply.headers.insert(ROBOTS.clone(), HeaderValue::from_static("noindex, nofollow"));
    reply
}

/// The token of an address, and the path behind `/in`, if that is asked for.
fn place(path: &str) -> (&str, Option<&str>) {
    let place = path.strip_prefix(PREFIX).unwrap_or_default();
    match place.split_once("/in") {
        Some((token, rest)) if rest.is_empty() || rest.starts_with('/') => (token, Some(rest)),
        _ => (place, None),
    }
}

fn is_arrival(path: &str) -> bool {
    place(path).1.is_some()
}

/// Answers on the pool.
async fn opened(
    state: &State,
    session: &Session,
    peer: IpAddr,
    parts: &request::Parts,
    body: &Bytes,
) -> (Session, Result<Reply, Fault>) {
    let visit = desk::bare(state, session, parts);
    let path = parts.uri.path().to_owned();
    let (token, step) = place(&path);
    let (session, linked) = match state.record.follow(token, Source::of(peer), session.request()) {
        Ok(opened) => opened,
        Err(fault) => return (session.clone(), Err(fault)),
    };
    let outcome = match step {
        // Nobody calls a visit off at a device that others use next.
        None if linked.is_kiosk => Ok(arrival::go("/kiosk")),
        None => work(state, &visit, (&session, &linked), parts, body).await,
        Some(step) => {
            let asked = Asked { visit: &visit, token, step, linked: &linked };
            arrival::answer(state, &asked, &session, parts, body).await
        }
    };
    (session, outcome)
}

async fn work(
    state: &State,
    visit: &Visit,
    (session, linked): (&Session, &record::Linked),
    parts: &request::Parts,
    body: &Bytes,
) -> Result<Reply, Fault> {
    let zones = Zones::bundled();
    let home = zones.find(&state.config.clinic_zone).unwrap_or_else(|_none| Zone::utc());
    if let Some(round) = &linked.round {
        let shown = waitlist::shown(session, &zones, &home, linked).await?;
        return match parts.method {
            Method::GET | Method::HEAD => {
                let clinic = state.config.clinic.as_str();
                Ok(desk::page(&console::link(visit, &LinkPage::Offer { clinic, shown: &shown })))
            }
            Method::POST => {
                let is_yes = match act(body)?.as_str() {
                    "yes" => true,
                    "no" => false,
                    _ => return Err(odd()),
                };
                match waitlist::answer(session, round, &linked.appointment, is_yes).await {
                    // Another was quicker, or they cannot have it: the page that comes says which.
                    Err(fault) if !tells(&fault) => Err(fault),
                    Ok(_) | Err(_) => Ok(again(parts)),
                }
            }
            _ => Err(Fault::new(&code::NOT_SUPPORTED, "use another method here")),
        };
    }
    let shown = remind::show(session, &zones, &home, linked).await?;
    match parts.method {
        Method::GET | Method::HEAD => Ok(shows(state, visit, session, &shown)),
        Method::POST => {
            match act(body)?.as_str() {
                "confirm" => remind::confirm(session, linked, &shown).await?,
                "cancel" => remind::cancel(session, linked, &shown).await?,
                "stop" => remind::no_more(session, linked).await?,
                _ => return Err(odd()),
            }
            Ok(again(parts))
        }
        _ => Err(Fault::new(&code::NOT_SUPPORTED, "use another method here")),
    }
}

/// Whether the page of an offer tells by itself why an answer to it was refused.
fn tells(fault: &Fault) -> bool {
    [&code::SCHEDULING_OFFER, &code::SCHEDULING_BLOCKED].contains(&fault.code())
}

/// What the form says is to be done.
fn act(body: &Bytes) -> Result<String, Fault> {
    let act = stranger::form(body)?.into_iter().find(|(name, _)| name == "do").map(|(_, act)| act);
    act.ok_or_else(odd)
}

fn odd() -> Fault {
    Fault::new(&code::PARAMETER_INVALID, "the form says nothing known")
}

/// The page of the link, read anew.
fn again(parts: &request::Parts) -> Reply {
    let mut reply = Reply::empty(StatusCode::SEE_OTHER);
    reply.put(LOCATION, parts.uri.path());
    reply
}

fn shows(state: &State, visit: &Visit, session: &Session, shown: &Shown) -> Reply {
    let is_open = shown.is_ahead(session.now());
    let clinic = state.config.clinic.as_str();
    desk::page(&console::link(visit, &LinkPage::Visit { clinic, shown, is_open }))
}
