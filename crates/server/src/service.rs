//! One request from its first byte to its log line: which door, within which bounds, under which id;
//! refusals as `OperationOutcome`, encodings, figures. What an interaction does stands in `rest/`.

use crate::ask::Ask;
use crate::desk;
use crate::door;
use crate::encoding;
use crate::health;
use crate::kiosk;
use crate::limit::{self, Caller, Cost, Permit, Refusal};
use crate::negotiate::Form;
use crate::origin::{self, Allowed};
use crate::protect;
use crate::reply::{Body, PLAIN, Reply};
use crate::rest;
use crate::route::{self, BASE_PATH, Interaction};
use crate::smart;
use crate::state::{PERMIT, State, internal};
use crate::visit_link;
use crate::wall;
use base::Fault;
use base::error::code;
use base::id::uuid_text;
use bytes::Bytes;
use fhir::definitions::{TypeId, r4};
use http::header::{
    ACCEPT_ENCODING, CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderName, VARY,
    WWW_AUTHENTICATE,
};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, request};
use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::body::Incoming;
use record::{Kind, Session, Source, Subject};
use std::convert::Infallible;
use std::future::Future;
use std::net::IpAddr;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::{Duration, Instant};
use tokio::runtime::Handle;
use tracing::{debug, info, warn};

static REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");
/// Answers above this size are compressed off the connection's thread.
const COMPRESS_INLINE_MAX: usize = 256 << 10;
/// Bodies above this size are parsed off the connection's thread, and so is what searches first.
const PARSE_INLINE_MAX: usize = 256 << 10;
/// A request that takes longer is logged though it went well.
const SLOW: Duration = Duration::from_secs(1);

/// What was learned of a request, for its log line and figures.
#[derive(Debug, Default, Clone, Copy)]
struct Seen {
    interaction: Option<Interaction>,
    resource_type: Option<TypeId>,
    code: Option<&'static str>,
}

/// Answers a request. It never fails: what goes wrong is an answer too.
pub(crate) async fn handle(
    state: Arc<State>,
    peer: IpAddr,
    request: Request<Incoming>,
) -> Result<Response<Body>, Infallible> {
    let started = Instant::now();
    let (_held, in_flight) = state.metrics.begin();
    let (parts, body) = request.into_parts();
    let given = parts.headers.get(&REQUEST_ID).and_then(|id| id.to_str().ok());
    let id = state.request_id(given);
    let wanted = parts.headers.get(ACCEPT_ENCODING).and_then(|_| encoding::wanted(&parts.headers));
    let mut seen = Seen::default();
    let path = parts.uri.path();
    let known = is_fhir(path).then(|| door::known(&state, &parts, peer));
    let visits = desk::serves(&state, &parts.method, path, &parts.headers);
    let guest = visits.then(|| desk::guest(&state, path, &parts.headers, peer));
    // Whom the limits know the caller as: the address, while nobody is known.
    let (caller, subject, turned_away) = match (known, &guest) {
        (Some(Ok(known)), _) => (known.caller, known.subject, None),
        (None, Some(guest)) => (guest.known_as.clone(), guest.subject.clone(), None),
        (other, _) => {
            let nobody = Subject::nobody().from(Source::of(peer));
            (door::stranger(&state, peer), nobody, other.and_then(Result::err))
        }
    };
    let session = state.record.session(subject, id);
    let permit = permit(&state, &caller, path);
    let admitted = admit(&state, &parts, in_flight);
    let visit = |guest, parts| desk::Ask { guest, session: session.clone(), peer, parts };
    let mut reply = match (&permit, admitted) {
        (Err(refusal), _) => {
            let tell = (is_fhir(parts.uri.path()) || visits) && !refusal.told;
            let fault = refusal.fault();
            let reply = refuse(&fault, PLAIN, &mut seen);
            let reply = match guest {
                Some(guest) => desk::refuse(&state, &visit(guest, parts), &fault, tell).await,
                None if tell => trail(&session, reply, &mut seen).await,
                None => reply,
            };
            reply.retry_after(refusal.retry_after_s)
        }
        (Ok(_), Err(fault)) if visits => {
            seen.code = Some(fault.code().name);
            match guest {
                Some(guest) => desk::refuse(&state, &visit(guest, parts), &fault, true).await,
                None => refuse(&fault, PLAIN, &mut seen),
            }
        }
        (Ok(_), Err(fault)) => {
            let reply = refuse(&fault, PLAIN, &mut seen);
            if is_fhir(parts.uri.path()) { trail(&session, reply, &mut seen).await } else { reply }
        }
        (Ok(permit), Ok(origin)) => {
            let path = parts.uri.path();
            let mut reply = if visit_link::serves(path) {
                let work = visit_link::answer(&state, &session, peer, parts, body);
                PERMIT.scope(Arc::clone(permit), work).await
            } else if path == kiosk::PATH {
                let work = kiosk::answer(&state, &session, peer, parts, body);
                PERMIT.scope(Arc::clone(permit), work).await
            } else if path == wall::PATH {
                let work = wall::answer(&state, &session, peer, parts, body);
                PERMIT.scope(Arc::clone(permit), work).await
            } else if smart::serves(&state, path) {
                smart::answer(&state, &session, peer, parts, body).await
            } else if let Some(guest) = guest {
                let work = desk::answer(&state, visit(guest, parts), body);
                PERMIT.scope(Arc::clone(permit), work).await
            } else if is_fhir(path) {
                let reply = match turned_away {
                    Some(fault) => refuse(&fault, PLAIN, &mut seen),
                    None => {
                        let origin = origin.as_ref();
                        let work = fhir(&state, session.clone(), parts, body, origin, &mut seen);
                        PERMIT.scope(Arc::clone(permit), work).await
                    }
                };
                trail(&session, reply, &mut seen).await
            } else {
                let watches = door::watches(&state, &parts.headers, peer);
                health::answer(&state, &parts.method, path, watches)
                    .unwrap_or_else(|fault| refuse(&fault, PLAIN, &mut seen))
            };
            if let Some(origin) = origin {
                origin.mark(&mut reply);
            }
            reply
        }
    };
    if reply.status == StatusCode::UNAUTHORIZED && !reply.headers.contains_key(WWW_AUTHENTICATE) {
        reply
            .headers
            .insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer realm=\"plummer\""));
    }
    let id = uuid_text(&id);
    reply.put(REQUEST_ID.clone(), &id);
    protect::every(&mut reply, state.is_strict());
    if let Ok(permit) = permit {
        // Time on the pool is charged there: waiting, also for a slow caller, costs nobody else.
        let steps = if seen.code == Some(code::SEARCH_TOO_COSTLY.name) {
            session.limits().search_steps
        } else {
            reply.steps
        };
        let cost = Cost { steps, bytes: reply.body.len() as u64, ms: 0 };
        permit.charge(cost, state.uptime_ms());
    }
    if let Some(wanted) = wanted {
        reply = compress(reply, wanted).await;
    }
    let (took, status) = (started.elapsed(), reply.status.as_u16());
    state.metrics.finish(seen.interaction, status, took, reply.body.len());
    log(&id, seen, status, took);
    Ok(reply.into_response())
}

/// What the caller may still take; health is told to everybody.
fn permit(state: &Arc<State>, caller: &Caller, path: &str) -> Result<Arc<Permit>, Refusal> {
    if path.starts_with("/health/") {
        return Ok(Arc::new(Permit::free()));
    }
    let admitted = state.meter.admit(caller, limit::Kind::of_path(path), state.uptime_ms());
    if let Err(refusal) = &admitted {
        state.metrics.limit(refusal.bound);
    }
    admitted.map(Arc::new)
}

/// The bounds every request must be within before anything is done for it.
fn admit(state: &State, parts: &request::Parts, in_flight: i64) -> Result<Option<Allowed>, Fault> {
    let health = parts.uri.path().starts_with("/health/");
    if state.is_draining() && !health {
        return Err(Fault::new(&code::SHUTTING_DOWN, "the server is shutting down"));
    }
    if usize::try_from(in_flight).unwrap_or(0) > state.config.requests_max && !health {
        state.metrics.turn_away();
        return Err(Fault::new(&code::OVERLOADED, "the server is at its limit; try again"));
    }
    origin::check_host(&parts.headers, &parts.uri, state.config.own_host())?;
    // Who may read its answers, the authorization server decides by itself.
    if visit_link::serves(parts.uri.path())
        || parts.uri.path() == kiosk::PATH
        || parts.uri.path() == wall::PATH
        || smart::serves(state, parts.uri.path())
        || desk::serves(state, &parts.method, parts.uri.path(), &parts.headers)
    {
        return Ok(None);
    }
    origin::check_origin(&parts.headers, &state.config.cors_origins, |origin| {
        smart::is_app(state, origin)
    })
}

/// Sees to it that every request leaves an audit event before its answer does: the gate writes its
/// own, and what never reached the gate is noted here. No audit, no answer.
async fn trail(session: &Session, reply: Reply, seen: &mut Seen) -> Reply {
    if session.noted() {
        return reply;
    }
    // Without an interaction it was turned away, or told what an address can do.
    let other = if reply.status.is_success() { Kind::Metadata } else { Kind::Refused };
    let kind = seen.interaction.map_or(other, Interaction::kind);
    let written = match session.note(kind, reply.status.as_u16()) {
        Ok(ticket) => ticket.written().await,
        Err(fault) => Err(fault),
    };
    match written {
        Ok(()) => reply,
        Err(fault) => refuse(&fault, PLAIN, seen),
    }
}

fn is_fhir(path: &str) -> bool {
    path.strip_prefix(BASE_PATH).is_some_and(|rest| rest.is_empty() || rest.starts_with('/'))
}

/// Answers a request of the FHIR API.
async fn fhir(
    state: &Arc<State>,
    session: Session,
    parts: request::Parts,
    body: Incoming,
    origin: Option<&Allowed>,
    seen: &mut Seen,
) -> Reply {
    if parts.method == Method::OPTIONS {
        return options(state, parts.uri.path(), origin)
            .unwrap_or_else(|fault| refuse(&fault, PLAIN, seen));
    }
    let ask = match Ask::new(Arc::clone(state), session, parts.method, &parts.uri, parts.headers) {
        Ok(ask) => ask,
        Err(fault) => {
            let mut reply = refuse(&fault, PLAIN, seen);
            if fault.status() == StatusCode::METHOD_NOT_ALLOWED.as_u16() {
                let path = parts.uri.path().strip_prefix(BASE_PATH).unwrap_or_default();
                if let Ok(place) = route::parse(path) {
                    reply = reply.allow(&place.allow(&state.record.settings().departments));
                }
            }
            return reply;
        }
    };
    seen.interaction = Some(ask.interaction);
    seen.resource_type = ask.place.resource_type;
    let form = ask.form;
    let limit = Duration::from_millis(state.config.timeout_ms);
    let work = Caught { state, inner: Box::pin(carry_out(ask, body)) };
    match tokio::time::timeout(limit, work).await {
        Ok(Ok(reply)) => reply,
        Ok(Err(fault)) => refuse(&fault, form, seen),
        Err(_) => {
            let what = "the request took longer than the limit; a change it asked for may or may not have been made";
            refuse(&Fault::new(&code::TIMEOUT, what), form, seen)
        }
    }
}

async fn carry_out(mut ask: Ask, body: Incoming) -> Result<Reply, Fault> {
    if !matches!(ask.method, Method::GET | Method::HEAD | Method::DELETE) {
        ask.body = read_body(&ask.state, &ask.headers, body).await?;
    }
    // Bundles and searches go to the pool by themselves.
    let on_pool = match ask.interaction {
        Interaction::ConditionalUpdate
        | Interaction::ConditionalDelete
        | Interaction::Operation => true,
        Interaction::Create | Interaction::Update => {
            ask.body.len() > PARSE_INLINE_MAX
                || ask.headers.contains_key("if-none-exist")
                || is_ruled(&ask)
        }
        // A rule looks around before a write is made.
        Interaction::Delete => is_ruled(&ask),
        _ => false,
    };
    if on_pool {
        let (state, runtime) = (Arc::clone(&ask.state), Handle::current());
        return state.on_acting(move || runtime.block_on(interact(ask))).await;
    }
    interact(ask).await
}

fn is_ruled(ask: &Ask) -> bool {
    ask.place.resource_type.is_some_and(|of| ask.session.is_ruled(of))
}

async fn interact(ask: Ask) -> Result<Reply, Fault> {
    if rest::access_log::is_asked(&ask) {
        return rest::access_log::answer(ask).await;
    }
    if let Some(reply) = rest::operation::definition(&ask) {
        return Ok(reply);
    }
    match ask.interaction {
        Interaction::Capabilities => rest::capabilities::answer(&ask).await,
        Interaction::Read => rest::read::answer(ask).await,
        Interaction::Vread => rest::vread::answer(ask).await,
        Interaction::Create => rest::create::answer(ask).await,
        Interaction::Update => rest::update::answer(ask).await,
        Interaction::ConditionalUpdate => rest::conditional_update::answer(ask).await,
        Interaction::Delete => rest::delete::answer(ask).await,
        Interaction::ConditionalDelete => rest::conditional_delete::answer(ask).await,
        Interaction::HistoryInstance | Interaction::HistoryType | Interaction::HistorySystem => {
            rest::history::answer(ask).await
        }
        Interaction::SearchType | Interaction::SearchSystem | Interaction::SearchCompartment => {
            rest::search::answer(ask).await
        }
        Interaction::Everything => rest::everything::answer(ask).await,
        Interaction::BreakGlass => rest::break_glass::answer(ask).await,
        Interaction::WhoSaw => rest::who_saw::answer(ask).await,
        Interaction::Bundle => rest::bundle::answer(ask).await,
        Interaction::Operation => rest::operation::answer(ask).await,
    }
}

pub(crate) async fn read_body(
    state: &State,
    headers: &HeaderMap,
    body: Incoming,
) -> Result<Bytes, Fault> {
    read_within(state, headers, body, state.config.body_bytes_max).await
}

/// Bytes of a form of the pages without files: a note of the chart at its longest, each of its bytes
/// written as three, and the fields around it.
pub(crate) const FORM_BYTES_MAX: usize = 256 << 10;

/// A body of at most so many bytes, unpacked or not; no more of it is read.
pub(crate) async fn read_within(
    state: &State,
    headers: &HeaderMap,
    body: Incoming,
    most: usize,
) -> Result<Bytes, Fault> {
    let most = most.min(state.config.body_bytes_max);
    let announced = headers.get(CONTENT_LENGTH).and_then(|v| v.to_str().ok()?.parse::<u64>().ok());
    if announced.is_some_and(|length| length > most as u64) {
        return Err(encoding::too_large(most));
    }
    let encoded = encoding::of_body(headers)?;
    let bytes = match Limited::new(body, most).collect().await {
        Ok(collected) => collected.to_bytes(),
        Err(error) if error.is::<LengthLimitError>() => return Err(encoding::too_large(most)),
        Err(_) => {
            let what = "the body ended before all of it had arrived";
            return Err(Fault::new(&code::BODY_ENCODING, what));
        }
    };
    state.metrics.read(bytes.len());
    Ok(match encoded {
        None => bytes,
        Some(encoding) => Bytes::from(encoding::decode(encoding, &bytes, most)?),
    })
}

/// `OPTIONS`: which methods an address has, and whether a page of another origin may use them.
fn options(state: &State, path: &str, origin: Option<&Allowed>) -> Result<Reply, Fault> {
    let place = route::parse(path.strip_prefix(BASE_PATH).unwrap_or_default())?;
    let departments = &state.record.settings().departments;
    if !place.operation.is_empty() {
        place.operation(departments)?;
    }
    let methods = place.allow(departments);
    let mut reply = Reply::empty(StatusCode::NO_CONTENT).allow(&methods);
    if let Some(origin) = origin {
        origin.preflight(&mut reply, &methods);
    }
    Ok(reply)
}

fn refuse(fault: &Fault, form: Form, seen: &mut Seen) -> Reply {
    seen.code = Some(fault.code().name);
    Reply::fault(fault, form)
}

async fn compress(mut reply: Reply, wanted: encoding::Encoding) -> Reply {
    reply.headers.append(VARY, HeaderValue::from_static("Accept-Encoding"));
    let textual = reply
        .headers
        .get(CONTENT_TYPE)
        .and_then(|t| t.to_str().ok())
        .is_some_and(|t| t.contains("json") || t.starts_with("text/"));
    if reply.body.len() <= encoding::SMALLEST || !textual {
        return reply;
    }
    let plain = reply.body.clone();
    let encoded = if plain.len() <= COMPRESS_INLINE_MAX {
        encoding::encode(wanted, &plain)
    } else {
        let work = tokio::task::spawn_blocking(move || encoding::encode(wanted, &plain));
        work.await.ok().flatten()
    };
    if let Some(encoded) = encoded {
        reply.body = Bytes::from(encoded);
        reply.put(CONTENT_ENCODING, wanted.name());
    }
    reply
}

fn log(request_id: &str, seen: Seen, status: u16, took: Duration) {
    let interaction = seen.interaction.map_or("other", Interaction::name);
    let resource_type = seen.resource_type.map_or("", |of| r4().name(of));
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    let code = seen.code.unwrap_or("");
    if status >= 500 {
        warn!(target: "request", request_id, interaction, resource_type, status, code, duration_ms, "failed");
    } else if took >= SLOW {
        info!(target: "request", request_id, interaction, resource_type, status, code, duration_ms, "answered slowly");
    } else {
        debug!(target: "request", request_id, interaction, resource_type, status, code, duration_ms, "answered");
    }
}

/// A request's work, whose panics end that request and nothing else.
struct Caught<'s, F> {
    state: &'s State,
    inner: Pin<Box<F>>,
}

impl<F: Future<Output = Result<Reply, Fault>>> Future for Caught<'_, F> {
    type Output = Result<Reply, Fault>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let this = &mut *self;
        let polled = catch_unwind(AssertUnwindSafe(|| this.inner.as_mut().poll(context)));
        polled.unwrap_or_else(|_| {
            this.state.metrics.panicked();
            Poll::Ready(Err(internal()))
        })
    }
}
