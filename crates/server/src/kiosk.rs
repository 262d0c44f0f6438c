//! `/kiosk`: the device in a waiting room. It is known by a cookie of its own, which is no sign-in and opens
//! nothing else; what it does stands in the log under its name. It finds one visit by what somebody says of
//! themselves and opens it by a link that ends soon (`arrival`); whoever is not found gets one answer, whyever.

use crate::arrival::{FORM_MAX, cookie, forget, go, prove, set_cookie};
use crate::desk;
use crate::reply::Reply;
use crate::state::State;
use crate::stranger::{answered, form};
use base::Fault;
use base::error::code;
use bytes::Bytes;
use console::{KioskPage, LANGUAGE, Visit};
use http::header::HeaderMap;
use http::{Method, request};
use hyper::body::Incoming;
use record::{Kiosk, Session, Source};
use scheduling::arrive::{Asked, birth_of, find};
use scheduling::time::{Zone, Zones};
use std::net::IpAddr;
use std::sync::Arc;

/// Where it is.
pub(crate) const PATH: &str = "/kiosk";
const COOKIE: &str = "__Host-plummer-kiosk";
/// A day, as the kiosk itself.
const COOKIE_S: i64 = 24 * 3600;
/// For how long a language is kept that somebody chose there.
const LANGUAGE_S: i64 = 20 * 60;

/// Makes the browser a kiosk.
pub(crate) fn enter(reply: &mut Reply, token: &str) {
    set_cookie(reply, COOKIE, token, COOKIE_S);
}

/// Whether a browser says that it is one. Whether it is, its token tells.
pub(crate) fn is_one(headers: &HeaderMap) -> bool {
    cookie(headers, COOKIE).is_some_and(|token| !token.is_empty())
}

/// Answers a kiosk, and leaves its trail.
pub(crate) async fn answer(
    state: &Arc<State>,
    session: &Session,
    peer: IpAddr,
    parts: request::Parts,
    body: Incoming,
) -> Reply {
    let work = move |of: Arc<State>, who: Session, parts: request::Parts, body: Bytes| async move {
        opened(&of, &who, peer, &parts, &body).await
    };
    let failed = |visit: &Visit, fault: &Fault| {
        let shows = match fault.code() == &code::LINK_OVER {
            true => KioskPage::No,
            false => KioskPage::Failed(fault.status()),
        };
        desk::page(&console::kiosk(visit, &shows))
    };
    answered(state, session, (parts, body), FORM_MAX, work, failed).await
}

/// Answers on the pool, in the name of the kiosk if it is one.
async fn opened(
    state: &State,
    session: &Session,
    peer: IpAddr,
    parts: &request::Parts,
    body: &Bytes,
) -> (Session, Result<Reply, Fault>) {
    let visit = desk::bare(state, session, parts);
    let token = cookie(&parts.headers, COOKIE).unwrap_or_default().to_owned();
    match state.record.kiosk(&token, Source::of(peer), session.request()) {
        Ok((opened, kiosk)) => {
            let at = At { state, visit: &visit, token: &token, kiosk: &kiosk, peer };
            let outcome = work(&at, &opened, parts, body).await;
            (opened, outcome)
        }
        Err(fault) => (session.clone(), Err(fault)),
    }
}

struct At<'a> {
    state: &'a State,
    visit: &'a Visit,
    token: &'a str,
    kiosk: &'a Kiosk,
    peer: IpAddr,
}

async fn work(
    at: &At<'_>,
    session: &Session,
    parts: &request::Parts,
    body: &Bytes,
) -> Result<Reply, Fault> {
    let page = |shows: KioskPage| desk::page(&console::kiosk(at.visit, &shows));
    if matches!(parts.method, Method::GET | Method::HEAD) {
        let query = at.visit.query.iter().find(|(name, _)| name == "done");
        let mut reply = page(match query.map(|(_, done)| done.as_str()) {
            Some("here") => KioskPage::Here,
            Some("desk") => KioskPage::Desk,
            Some("over") => KioskPage::Over,
            _ => KioskPage::Ask,
        });
        // Whoever comes next finds nothing of whoever was here.
        if cookie(&parts.headers, "__Host-plummer-arrival").is_some() {
            forget(&mut reply);
        }
        return Ok(reply);
    }
    if parts.method != Method::POST {
        return Err(Fault::new(&code::NOT_SUPPORTED, "use another method here"));
    }
    let form = form(body)?;
    let field = |name: &str| {
        form.iter().find(|(own, _)| own == name).map_or("", |(_, value)| value.as_str())
    };
    if let lang @ ("en" | "es") = field("lang") {
        let mut reply = go(PATH);
        set_cookie(&mut reply, LANGUAGE, lang, LANGUAGE_S);
        return Ok(reply);
    }
    let birth = birth_of(field("year"), field("month"), field("day")).unwrap_or_default();
    let Some(asked) = Asked::parse(field("initial"), &birth, field("phone")) else {
        return Ok(page(KioskPage::Unread));
    };
    if !at.state.record.count_kiosk_try(at.token)? {
        return Ok(page(KioskPage::Locked));
    }
    let zones = Zones::bundled();
    let home = zones.find(&at.state.config.clinic_zone).unwrap_or_else(|_none| Zone::utc());
    let Some(found) = find(session, &zones, &home, &at.kiosk.site, &asked).await? else {
        return Ok(page(KioskPage::NotFound));
    };
    let link = at.state.record.open_at_kiosk(at.token, session, &found)?;
    let (own, _) = at.state.record.follow(&link, Source::of(at.peer), session.request())?;
    let mut reply = go(&format!("/v/{link}/in/contact"));
    prove(&mut reply, &own, true);
    Ok(reply)
}
