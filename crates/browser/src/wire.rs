//! The wire to a Chromium: messages of the [DevTools protocol](https://chromedevtools.github.io/devtools-protocol/)
//! over a pair of pipes, each message JSON with a NUL behind it (`--remote-debugging-pipe`).
//!
//! Pipes, not a port: nobody else on this machine can drive the browser, there is no handshake to
//! implement, and a Chromium whose pipe closes ends, however its driver died.

use anyhow::{Context, bail};
use serde_json::{Map, Value};
use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::io::{BufRead, BufReader, Read, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest message: a picture of a long page in base64 is tens of megabytes.
const MESSAGE_BYTES_MAX: u64 = 256 << 20;
/// Events of one session that wait to be read. A page that says more is at fault itself.
const EVENTS_MAX: usize = 20_000;
/// Between two messages.
const END: u8 = 0;

/// What the browser tells without being asked.
#[derive(Debug, Clone)]
pub struct Event {
    /// Its name, `Domain.event`.
    pub method: String,
    /// What it says.
    pub params: Value,
}

/// A connection. Several pages speak over it, each in a session of its own; the browser itself is the
/// session `""`.
pub struct Wire {
    shared: Arc<Shared>,
    out: Mutex<Box<dyn Write + Send>>,
    patience: Duration,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    news: Condvar,
}

#[derive(Default)]
struct State {
    last: u64,
    awaited: BTreeSet<u64>,
    answers: BTreeMap<u64, Value>,
    events: BTreeMap<String, VecDeque<Event>>,
    closed: Option<String>,
}

impl std::fmt::Debug for Wire {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Wire").field("patience", &self.patience).finish_non_exhaustive()
    }
}

impl Wire {
    /// Speaks over these two ends; no answer is waited for longer than `patience`. What arrives is
    /// read on a thread of its own until the other side closes.
    pub fn new(
        from: impl Read + Send + 'static,
        to: impl Write + Send + 'static,
        patience: Duration,
    ) -> Self {
        let shared = Arc::new(Shared::default());
        let reader = Arc::clone(&shared);
        std::thread::spawn(move || {
            let end = listen(&reader, from);
            let why = end.err().map_or_else(|| "the browser ended".to_owned(), |e| e.to_string());
            reader.lock().closed = Some(why);
            reader.news.notify_all();
        });
        Self { shared, out: Mutex::new(Box::new(to)), patience }
    }

    /// Calls a method and waits for its answer.
    ///
    /// # Errors
    /// What the browser answers as its error, that it ended, or that it did not answer in time: each
    /// with the method's name.
    pub fn call(&self, session: &str, method: &str, params: Value) -> anyhow::Result<Value> {
        let id = {
            let mut state = self.shared.lock();
            state.last += 1;
            let id = state.last;
            state.awaited.insert(id);
            id
        };
        let mut message = Map::new();
        message.insert("id".to_owned(), id.into());
        message.insert("method".to_owned(), method.into());
        message.insert("params".to_owned(), params);
        if !session.is_empty() {
            message.insert("sessionId".to_owned(), session.into());
        }
        let mut text = serde_json::to_vec(&message)?;
        text.push(END);
        {
            let mut out = self.out.lock().unwrap_or_else(PoisonError::into_inner);
            let sent = out.write_all(&text).and_then(|()| out.flush());
            sent.with_context(|| format!("{method}: the browser takes no more"))?;
        }
        let mut answer = self.answer(id, method)?;
        if let Some(error) = answer.get("error") {
            let said = error.get("message").and_then(Value::as_str).unwrap_or("no reason");
            bail!("{method}: {said}");
        }
        Ok(answer.get_mut("result").map(Value::take).unwrap_or_default())
    }

    fn answer(&self, id: u64, method: &str) -> anyhow::Result<Value> {
        let until = Instant::now() + self.patience;
        let mut state = self.shared.lock();
        loop {
            if let Some(answer) = state.answers.remove(&id) {
                return Ok(answer);
            }
            if let Some(why) = &state.closed {
                bail!("{method}: {why}");
            }
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                state.awaited.remove(&id);
                bail!("{method}: no answer in {:?}", self.patience);
            }
            state = self.shared.wait(state, left);
        }
    }

    /// Takes what a session was told since it was last asked.
    ///
    /// # Errors
    /// When the browser ended, or more waited than is kept.
    pub fn events(&self, session: &str) -> anyhow::Result<Vec<Event>> {
        let mut state = self.shared.lock();
        let events: Vec<Event> =
            state.events.get_mut(session).map(std::mem::take).unwrap_or_default().into();
        if events.len() >= EVENTS_MAX {
            bail!("the page caused more than {EVENTS_MAX} events at once");
        }
        match &state.closed {
            Some(why) if events.is_empty() => bail!("{why}"),
            _ => Ok(events),
        }
    }

    /// Waits until anything arrives, at most so long.
    pub fn rest(&self, most: Duration) {
        let state = self.shared.lock();
        drop(self.shared.wait(state, most));
    }

    /// How long an answer may take.
    pub fn patience(&self) -> Duration {
        self.patience
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn wait<'s>(&self, state: MutexGuard<'s, State>, most: Duration) -> MutexGuard<'s, State> {
        self.news.wait_timeout(state, most).unwrap_or_else(PoisonError::into_inner).0
    }

    fn take(&self, mut message: Value) {
        let mut state = self.lock();
        if let Some(id) = message.get("id").and_then(Value::as_u64) {
            // An answer that nobody waits for any more came too late.
            if state.awaited.remove(&id) {
                state.answers.insert(id, message);
            }
        } else if let Some(method) = message.get("method").and_then(Value::as_str) {
            let method = method.to_owned();
            let session = message.get("sessionId").and_then(Value::as_str).unwrap_or_default();
            let events = state.events.entry(session.to_owned()).or_default();
            if events.len() < EVENTS_MAX {
                let params = message.get_mut("params").map(Value::take).unwrap_or_default();
                events.push_back(Event { method, params });
            }
        }
        drop(state);
        self.news.notify_all();
    }
}

fn listen(shared: &Shared, from: impl Read) -> anyhow::Result<()> {
    let mut from = BufReader::with_capacity(1 << 16, from);
    let mut text = Vec::new();
    while frame(&mut from, &mut text, MESSAGE_BYTES_MAX)? {
        let message = serde_json::from_slice(&text).context("the browser sent no JSON")?;
        shared.take(message);
    }
    Ok(())
}

/// Reads one message into `text`, without its end; false when there is none any more.
fn frame(from: &mut impl BufRead, text: &mut Vec<u8>, most: u64) -> anyhow::Result<bool> {
    text.clear();
    from.take(most + 1).read_until(END, text).context("the pipe from the browser broke")?;
    match text.pop() {
        None => Ok(false),
        Some(END) => Ok(true),
        Some(_) if text.len() as u64 >= most => bail!("a message of more than {most} bytes"),
        Some(_) => bail!("the browser ended within a message"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn frames(bytes: &[u8], most: u64) -> (Vec<Vec<u8>>, Option<String>) {
        let (mut from, mut text, mut all) = (BufReader::new(bytes), Vec::new(), Vec::new());
        loop {
            match frame(&mut from, &mut text, most) {
                Ok(true) => all.push(text.clone()),
                Ok(false) => return (all, None),
                Err(error) => return (all, Some(error.to_string())),
            }
        }
    }

    #[test]
    fn a_message_that_is_too_long_or_breaks_off_is_an_error() {
        assert_eq!(frames(b"ab\0c\0", 2), (vec![b"ab".to_vec(), b"c".to_vec()], None));
        assert!(frames(b"abc\0", 2).1.expect("an error").contains("more than 2 bytes"));
        assert!(frames(b"a\0b", 8).1.expect("an error").contains("within a message"));
    }

    proptest! {
        #[test]
        fn messages_are_parted_wherever_the_pipe_cuts(
            messages in prop::collection::vec(prop::collection::vec(1_u8.., 0..40), 0..8),
            size in 1_usize..7,
        ) {
            let bytes: Vec<u8> =
                messages.iter().flat_map(|m| m.iter().copied().chain([END])).collect();
            let (mut from, mut text) = (BufReader::with_capacity(size, bytes.as_slice()), Vec::new());
            for message in &messages {
                prop_assert!(frame(&mut from, &mut text, 64).expect("a message"));
                prop_assert_eq!(&text, message);
            }
            prop_assert!(!frame(&mut from, &mut text, 64).expect("the end"));
        }
    }
}
