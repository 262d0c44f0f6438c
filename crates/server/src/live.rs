//! Streams that tell a browser which records changed (HTML, server-sent events:
//! <https://html.spec.whatwg.org/multipage/server-sent-events.html>): topics, ids and versions, as far as
//! whoever opened it may see them at that moment, and nothing of what is in a record.
//!
//! A stream keeps nothing. It wakes a few times a second, and when something was written it asks the gate
//! anew, as whoever the cookie stands for then: it ends with the sign-in, and when anything about the person
//! changed. Asking is no use of the sign-in, so a screen that nobody touches is signed out all the same
//! (45 CFR 164.312(a)(2)(iii)). A reader that is slow is told less often, and then of everything at once or
//! to read anew, so that nothing piles up here. Its answer has begun when it is opened, so it is no request
//! in flight, and it ends itself when the server stops.

use crate::reply::Reply;
use crate::smart::call::{Call, session_of};
use crate::state::State;
use base::Fault;
use base::error::code;
use bytes::Bytes;
use console::Live;
use fhir::definitions::r4;
use http::header::{CACHE_CONTROL, CONTENT_TYPE, HeaderName};
use http::{HeaderValue, Method, StatusCode};
use identity::{Caller, Profile, SessionId, SessionKind};
use record::{Asked, Following, Mark, Session, Source};
use std::collections::HashMap;
use std::fmt::Write as _;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;
use tokio::sync::mpsc::{self, Receiver, Sender};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Streams of one person. A browser has one for all its windows, and people have a few browsers: a desk, a
/// room, a telephone.
const PER_PERSON_MAX: u32 = 8;
/// Streams in all, as a share of the connections there may be: what people read comes by the others.
const SHARE_OF_CONNECTIONS: usize = 2;
/// How often a stream looks. A person sees no difference below it, and what is written in between is told
/// at once.
const LOOK: Duration = Duration::from_millis(250);
/// How often a stream says that it is there. Proxies give up a silent connection after a minute.
const BEAT: Duration = Duration::from_secs(15);
/// How long a stream lasts. The browser opens the next one by itself, and that leaves its own event.
const LASTS: Duration = Duration::from_secs(3600);
/// How long a browser waits before it opens a stream that broke off, in milliseconds.
const RETRY_MS: u32 = 3000;

/// Who has how many streams.
#[derive(Debug, Default)]
pub(crate) struct Streams(Mutex<Held>);

#[derive(Debug, Default)]
struct Held {
    by: HashMap<String, u32>,
    all: usize,
}

/// One of them, until it is dropped.
#[derive(Debug)]
struct Place {
    state: Arc<State>,
    who: String,
}

impl Streams {
    /// Counts a stream in.
    ///
    /// # Errors
    /// `server.streams.too-many` when the person has as many as they may; `server.busy` when all together
    /// have.
    fn enter(&self, who: &str, most: usize) -> Result<(), Fault> {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let own = held.by.get(who).copied().unwrap_or(0);
        if own >= PER_PERSON_MAX {
            let what = format!(
                "there are {PER_PERSON_MAX} streams of this person already; close a browser that is no longer needed"
            );
            return Err(Fault::new(&code::STREAMS_TOO_MANY, what));
        }
        if held.all >= most {
            let what = "the server has as many streams as it can; pages work without, and are read anew by hand";
            return Err(Fault::new(&code::OVERLOADED, what));
        }
        held.by.insert(who.to_owned(), own + 1);
        held.all += 1;
        Ok(())
    }

    fn leave(&self, who: &str) {
        let mut held = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        held.all = held.all.saturating_sub(1);
        match held.by.get_mut(who) {
            Some(own) if *own > 1 => *own -= 1,
            _ => drop(held.by.remove(who)),
        }
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.state.streams.leave(&self.who);
        self.state.metrics.streams(-1);
    }
}

/// What a stream is about.
struct Stream {
    state: Arc<State>,
    /// What the browser shows that it is signed in with.
    token: identity::Secret,
    peer: IpAddr,
    request: [u8; 16],
    live: Live,
    /// Who opened it, as they were then.
    profile: Profile,
    session: SessionId,
    mark: Mark,
    /// The mark that the browser came with was none: it may have missed something.
    has_missed: bool,
    _place: Place,
}

/// Opens a stream: its event first, then the beginning of an answer that goes on.
///
/// # Errors
/// When there are too many, and when the access log cannot be written.
pub(crate) fn open(call: &Call, caller: &Caller, live: Live) -> Result<Reply, Fault> {
    let (state, session) = (&call.state, &call.session);
    let who = caller.principal.id.to_string();
    state.streams.enter(&who, state.config.connections_max / SHARE_OF_CONNECTIONS)?;
    let place = Place { state: Arc::clone(state), who };
    state.metrics.streams(1);
    let after = call.parts.headers.get("last-event-id").and_then(|id| id.to_str().ok());
    let after = after.filter(|id| !id.is_empty()).unwrap_or(&live.after);
    let known = session.mark_of(after);
    session.note(record::Kind::Followed, 200)?.written().wait()?;
    let mut reply = Reply::empty(StatusCode::OK);
    let set = |reply: &mut Reply, name: HeaderName, value| {
        reply.headers.insert(name, HeaderValue::from_static(value));
    };
    set(&mut reply, CONTENT_TYPE, "text/event-stream; charset=utf-8");
    set(&mut reply, CACHE_CONTROL, "no-store");
    // A proxy that collects an answer before it hands it on would hand this one on never.
    set(&mut reply, HeaderName::from_static("x-accel-buffering"), "no");
    if call.parts.method == Method::HEAD {
        return Ok(reply);
    }
    let stream = Stream {
        state: Arc::clone(state),
        token: identity::Secret::new(session_of(&call.parts.headers).to_owned()),
        peer: call.peer,
        request: session.request(),
        has_missed: known.is_none() && !after.is_empty(),
        mark: known.unwrap_or_else(|| session.follow_from_now()),
        live,
        profile: caller.principal.profile.clone(),
        session: caller.session,
        _place: place,
    };
    // Room for one: what a slow reader has not taken is not written down, but looked up when it does.
    let (sender, receiver) = mpsc::channel(1);
    reply.live = Some(receiver);
    tokio::spawn(stream.run(sender));
    Ok(reply)
}

/// The rest of an answer that goes on.
pub(crate) type Rest = Receiver<Bytes>;

impl Stream {
    async fn run(mut self, sender: Sender<Bytes>) {
        let mut looks = interval(LOOK);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let (began, mut beat) = (Instant::now(), None::<Instant>);
        loop {
            tokio::select! {
                () = sender.closed() => return,
                _ = looks.tick() => {}
            }
            if self.state.is_draining() || began.elapsed() >= LASTS {
                return;
            }
            let Some(session) = self.as_of_now() else { return };
            // Not yet taken: later there is more to tell, in one.
            let Ok(room) = sender.try_reserve() else { continue };
            let is_due = beat.is_none_or(|last| last.elapsed() >= BEAT);
            let text = if session.has_news(&self.mark) || self.has_missed {
                let (state, mark) = (Arc::clone(&self.state), self.mark);
                let (own, types) = (session.clone(), self.live.types());
                let look = state.on_pool(move || own.changes_since(&mark, &types)).await;
                // It ends rather than go on silent: the browser asks again, and is told what is wrong.
                let Ok(found) = look else { return };
                self.mark = found.mark;
                self.told(&session, &found)
            } else {
                String::new()
            };
            let text = match (text.is_empty(), is_due, beat) {
                (true, false, _) => continue,
                (true, true, None) => format!("retry: {RETRY_MS}\n{}", self.beat(&session)),
                (true, true, Some(_)) => self.beat(&session),
                (false, _, None) => format!("retry: {RETRY_MS}\n\n{text}"),
                (false, _, Some(_)) => text,
            };
            beat = Some(Instant::now());
            room.send(Bytes::from(text));
        }
    }

    /// A session of whoever the browser is signed in as now; none when that has ended, or when anything
    /// about them is no longer as it was.
    fn as_of_now(&self) -> Option<Session> {
        let smart = self.state.smart.as_ref()?;
        let caller = smart.identity().find_unused(self.token.expose()).ok()?;
        let same = caller.kind == SessionKind::SignIn
            && caller.session == self.session
            && caller.principal.profile == self.profile;
        if !same {
            return None;
        }
        let subject = self.state.record.subject(&caller, None, Asked::default()).ok()?;
        Some(self.state.record.session(subject.from(Source::of(self.peer)), self.request))
    }

    /// That the stream is there. It carries the mark, so that whoever comes back asks from here; it comes
    /// by the clock and looks the same whatever was written.
    fn beat(&self, session: &Session) -> String {
        format!("id: {}\nevent: beat\ndata: 1\n\n", session.mark_text(&self.mark))
    }

    /// What was found, as an event; empty when there is nothing to tell.
    fn told(&mut self, session: &Session, found: &Following) -> String {
        let missed = std::mem::take(&mut self.has_missed);
        if found.changes.is_empty() && !missed {
            return String::new();
        }
        let id = session.mark_text(&found.mark);
        if missed {
            return format!("id: {id}\nevent: reload\ndata: {{\"topics\":[\"*\"]}}\n\n");
        }
        let mut topics: Vec<&str> = Vec::new();
        let mut changed = String::new();
        for one in &found.changes {
            let name = r4().name(one.resource_type);
            for topic in self.live.topics_of(name) {
                if !topics.contains(&topic) {
                    topics.push(topic);
                }
            }
            let comma = if changed.is_empty() { "" } else { "," };
            // An id of FHIR and a name of R4 have no character that JSON would escape.
            let _ = write!(changed, "{comma}[\"{name}\",\"{}\",{}]", one.id, one.version);
        }
        let topics = topics.join("\",\"");
        if found.is_cut {
            return format!("id: {id}\nevent: reload\ndata: {{\"topics\":[\"{topics}\"]}}\n\n");
        }
        format!(
            "id: {id}\nevent: change\ndata: {{\"topics\":[\"{topics}\"],\"changed\":[{changed}]}}\n\n"
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn nobody_ever_has_more_streams_than_they_may_and_all_places_come_back(
            steps in proptest::collection::vec((0_u8..4, any::<bool>()), 0..200), most in 1_usize..20
        ) {
            let streams = Streams::default();
            let mut open: HashMap<u8, u32> = HashMap::new();
            for (who, enters) in steps {
                let name = who.to_string();
                let (own, all) = (open.get(&who).copied().unwrap_or(0), open.values().sum::<u32>());
                if enters {
                    let entered = streams.enter(&name, most);
                    let expected = match (own >= PER_PERSON_MAX, all as usize >= most) {
                        (true, _) => Err(code::STREAMS_TOO_MANY.name),
                        (false, true) => Err(code::OVERLOADED.name),
                        (false, false) => Ok(()),
                    };
                    prop_assert_eq!(entered.map_err(|fault| fault.code().name), expected);
                    if expected.is_ok() { *open.entry(who).or_default() += 1; }
                } else if own > 0 {
                    streams.leave(&name);
                    open.insert(who, own - 1);
                }
            }
            for (who, count) in &open {
                for _ in 0..*count { streams.leave(&who.to_string()); }
            }
            let held = streams.0.lock().unwrap();
            prop_assert!(held.by.is_empty() && held.all == 0, "nothing is left behind");
        }
    }
}
