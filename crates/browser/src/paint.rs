//! How long until something is seen: the first paint of a page, and from a key to what it causes
//! ([Paint Timing](https://www.w3.org/TR/paint-timing/)). On a shared machine these vary; what a page
//! transfers does not, and is the figure to hold in every run.

use crate::page::Page;
use crate::watch::Request;
use anyhow::Context;
use serde_json::Value;
use std::time::Duration;

/// Tells when the condition holds and has been painted, from the key that came first.
const AFTER_KEY: &str = "globalThis.__painted = new Promise(told => {
  addEventListener('keydown', key => {
    const look = () => {
      let there = false;
      try { there = CONDITION; } catch {}
      if (!there) return requestAnimationFrame(look);
      // What was changed before this frame is on the screen when the next task runs.
      requestAnimationFrame(() => { const c = new MessageChannel();
        c.port1.onmessage = () => told(performance.now() - key.timeStamp); c.port2.postMessage(0); });
    };
    look();
  }, { capture: true, once: true });
}); undefined";
const FIRST: &str =
    "(performance.getEntriesByName('first-contentful-paint')[0] || {}).startTime ?? null";
const LOADED: &str = "performance.getEntriesByType('navigation')[0].loadEventEnd";

/// What the load of a page cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paint {
    /// Until the first text or picture was seen.
    pub first: Duration,
    /// Until everything was loaded.
    pub loaded: Duration,
    /// Bytes transferred, heads included.
    pub bytes: u64,
    /// Requests.
    pub requests: usize,
}

impl Page {
    /// What a load of this address costs in this page, with whatever its cache has.
    pub fn load(&mut self, address: &str) -> anyhow::Result<Paint> {
        let before = self.requests()?.len();
        self.go(address)?;
        self.wait("the first paint", |page| Ok(!page.js(FIRST)?.is_null()))?;
        self.wait("all that is loaded", |page| {
            // What a page is told from the server has no end.
            let ends = |request: &&Request| request.kind != "EventSource";
            Ok(page.requests()?.iter().skip(before).filter(ends).all(|request| request.ended))
        })?;
        let (first, loaded) = (millis(&self.js(FIRST)?)?, millis(&self.js(LOADED)?)?);
        let all = self.requests()?.iter().skip(before);
        let (bytes, requests) = (all.clone().map(|request| request.bytes).sum(), all.count());
        Ok(Paint { first, loaded, bytes, requests })
    }

    /// From the stroke of a key until `condition`, an expression of JavaScript, holds and is painted.
    pub fn key_to_paint(&mut self, key: &str, condition: &str) -> anyhow::Result<Duration> {
        self.js(&AFTER_KEY.replace("CONDITION", condition))?;
        self.press(key)?;
        millis(&self.js("globalThis.__painted")?)
    }
}

fn millis(value: &Value) -> anyhow::Result<Duration> {
    let millis = value.as_f64().context("no time was told")?;
    Duration::try_from_secs_f64(millis / 1000.0).context("a time before the start")
}
