//! What is asked by whoever has no sign-in but a link, or stands at a kiosk: a form is read within its bound by
//! the thread of the connection, and all that searches or writes for it is done on the pool, a bounded number at
//! a time and within the time of any request. Strangers come in any number; what they ask waits for its turn and
//! holds up nobody's connection.

use crate::desk;
use crate::reply::Reply;
use crate::service::read_within;
use crate::state::State;
use base::Fault;
use base::error::code;
use bytes::Bytes;
use console::Visit;
use http::header::{CACHE_CONTROL, REFERRER_POLICY};
use http::{HeaderValue, Method, request};
use hyper::body::Incoming;
use record::Session;
use search::parse::decode_query;
use std::sync::Arc;
use std::time::Duration;
use tokio::runtime::Handle;

/// Answers a stranger, and leaves the trail in the name of the session that the work was done in. What cannot be
/// done has a page of its own; neither is kept by the browser, nor told to where it goes next.
pub(crate) async fn answered<F: Future<Output = (Session, Result<Reply, Fault>)>>(
    state: &Arc<State>,
    session: &Session,
    (parts, body): (request::Parts, Incoming),
    form_max: usize,
    work: impl FnOnce(Arc<State>, Session, request::Parts, Bytes) -> F + Send + 'static,
    failed: impl FnOnce(&Visit, &Fault) -> Reply,
) -> Reply {
    let visit = desk::bare(state, session, &parts);
    let (of, who) = (Arc::clone(state), session.clone());
    let asked =
        on_pool(state, parts, body, form_max, move |parts, body| work(of, who, parts, body));
    let (session, outcome) = asked.await.unwrap_or_else(|fault| (session.clone(), Err(fault)));
    let reply = outcome.unwrap_or_else(|fault| failed(&visit, &fault));
    let mut reply = desk::trail(&session, &visit, reply).await;
    for (name, value) in [(REFERRER_POLICY, "no-referrer"), (CACHE_CONTROL, "no-store")] {
        reply.headers.insert(name, HeaderValue::from_static(value));
    }
    reply
}

/// Does work on the pool, with the body of what was posted: of anything else none is read.
///
/// # Errors
/// `server.body.too-large` and others of a body; `server.timeout`; `server.shutting-down`.
async fn on_pool<T: Send + 'static, F: Future<Output = T>>(
    state: &Arc<State>,
    parts: request::Parts,
    body: Incoming,
    form_max: usize,
    work: impl FnOnce(request::Parts, Bytes) -> F + Send + 'static,
) -> Result<T, Fault> {
    let asked = async {
        let body = match parts.method == Method::POST {
            true => read_within(state, &parts.headers, body, form_max).await?,
            false => Bytes::new(),
        };
        let runtime = Handle::current();
        state.on_pool(move || Ok(runtime.block_on(work(parts, body)))).await
    };
    let limit = Duration::from_millis(state.config.timeout_ms);
    tokio::time::timeout(limit, asked).await.unwrap_or_else(|_elapsed| {
        let what = "the request took longer than the limit; a change it asked for may or may not have been made";
        Err(Fault::new(&code::TIMEOUT, what))
    })
}

/// The fields of a form.
///
/// # Errors
/// `server.parameter.invalid` for what is none.
pub(crate) fn form(body: &Bytes) -> Result<Vec<(String, String)>, Fault> {
    let odd = || Fault::new(&code::PARAMETER_INVALID, "the form says nothing known");
    decode_query(std::str::from_utf8(body).map_err(|_utf8| odd())?)
}
