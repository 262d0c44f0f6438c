//! `/wall`: the board of the day on a screen that nobody is signed in on. The device is known by a cookie of its
//! own, which is no sign-in and opens nothing else; it shows initials and where somebody is, takes nothing, and
//! what it reads stands in the log under its name (45 CFR 164.312(a)(1), (b); 164.502(a)(1)(iii), what is seen in
//! passing is little).

use crate::arrival::{cookie, set_cookie};
use crate::desk;
use crate::reply::Reply;
use crate::state::State;
use crate::stranger::answered;
use base::Fault;
use base::error::code;
use bytes::Bytes;
use console::Visit;
use http::{Method, request};
use hyper::body::Incoming;
use record::{Session, Source};
use std::net::IpAddr;
use std::sync::Arc;

/// Where it is.
pub(crate) const PATH: &str = "/wall";
const COOKIE: &str = "__Host-plummer-wall";
/// A week, as the wall itself.
const COOKIE_S: i64 = 7 * 24 * 3600;

/// Makes the browser a wall.
pub(crate) fn enter(reply: &mut Reply, token: &str) {
    set_cookie(reply, COOKIE, token, COOKIE_S);
}

/// Answers a wall, and leaves its trail.
pub(crate) async fn answer(
    state: &Arc<State>,
    session: &Session,
    peer: IpAddr,
    parts: request::Parts,
    body: Incoming,
) -> Reply {
    let work = move |of: Arc<State>, who: Session, parts: request::Parts, _: Bytes| async move {
        shown(&of, &who, peer, &parts)
    };
    let failed = |visit: &Visit, fault: &Fault| {
        let is_none = fault.code() == &code::LINK_OVER;
        desk::page(&console::no_wall(visit, (!is_none).then(|| fault.status())))
    };
    answered(state, session, (parts, body), 0, work, failed).await
}

/// The board, in the name of the wall if it is one.
fn shown(
    state: &State,
    session: &Session,
    peer: IpAddr,
    parts: &request::Parts,
) -> (Session, Result<Reply, Fault>) {
    let token = cookie(&parts.headers, COOKIE).unwrap_or_default();
    let (opened, wall) = match state.record.wall(token, Source::of(peer), session.request()) {
        Ok(opened) => opened,
        Err(fault) => return (session.clone(), Err(fault)),
    };
    if !matches!(parts.method, Method::GET | Method::HEAD) {
        return (opened, Err(Fault::new(&code::NOT_SUPPORTED, "use another method here")));
    }
    let visit = desk::bare(state, &opened, parts);
    let answer = console::wall(&visit, &wall.site).map(|answer| desk::page(&answer));
    (opened, answer)
}
