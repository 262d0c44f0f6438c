//! One page of the browser: sent somewhere, asked, waited for. Nothing sleeps for a fixed time; what is
//! awaited has words, and when it does not come the error says them, with what is there instead and a
//! picture of it.

use crate::watch::{Request, Watch};
use crate::wire::Wire;
use anyhow::{Context, bail};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

/// Between two looks at a condition.
const LOOK: Duration = Duration::from_millis(20);
/// Characters of a page's text that an error shows.
const TEXT_SHOWN: usize = 300;
/// The document is loaded and seen, and what asked for the focus at once has it. A browser paints and
/// grants the focus a moment after the load; a click before the one is thrown away, and a key before the
/// other goes elsewhere.
const SETTLED: &str = "(() => {
  if (document.readyState !== 'complete') return '';
  const seen = performance.getEntriesByType('paint').length > 0;
  if (!seen && document.body && document.body.innerText.trim()) return '';
  const wanted = [...document.querySelectorAll('[autofocus]')].find(e => !e.disabled && e.checkVisibility());
  const body = !document.activeElement || document.activeElement === document.body;
  return wanted && body ? '' : 'at ' + performance.timeOrigin;
})()";

/// A page in a context of its own.
#[derive(Debug)]
pub struct Page {
    wire: Arc<Wire>,
    session: String,
    context: String,
    root: String,
    evidence: PathBuf,
    settled: String,
    pub(crate) watch: Watch,
    pub(crate) done: Vec<String>,
    pub(crate) clicks: u32,
    pub(crate) keys: u32,
}

impl Page {
    pub(crate) fn open(
        wire: &Arc<Wire>,
        context: &str,
        root: &str,
        evidence: &std::path::Path,
    ) -> anyhow::Result<Self> {
        let place = json!({ "url": "about:blank", "browserContextId": context });
        let target = wire.call("", "Target.createTarget", place)?;
        let attach = json!({ "targetId": target.get("targetId"), "flatten": true });
        let session = wire.call("", "Target.attachToTarget", attach)?;
        let session = session.get("sessionId").and_then(Value::as_str).context("no session")?;
        let page = Self {
            wire: Arc::clone(wire),
            session: session.to_owned(),
            context: context.to_owned(),
            root: root.trim_end_matches('/').to_owned(),
            evidence: evidence.to_path_buf(),
            settled: String::new(),
            watch: Watch::default(),
            done: Vec::new(),
            clicks: 0,
            keys: 0,
        };
        for domain in ["Page", "Runtime", "Network", "Log", "DOM", "Accessibility", "Audits"] {
            page.call(&format!("{domain}.enable"), json!({}))?;
        }
        // Several pages live at once, and each is tested as if it were the one in front.
        page.call("Emulation.setFocusEmulationEnabled", json!({ "enabled": true }))?;
        page.size(1024, 768)?;
        Ok(page)
    }

    /// Another page that shares cookies and storage with this one: a second tab.
    pub fn tab(&self) -> anyhow::Result<Self> {
        Self::open(&self.wire, &self.context, &self.root, &self.evidence)
    }

    /// Calls any method of the protocol for this page.
    pub fn call(&self, method: &str, params: Value) -> anyhow::Result<Value> {
        self.wire.call(&self.session, method, params)
    }

    /// Goes to an address, relative to the page's root, and waits until it is loaded.
    ///
    /// # Errors
    /// Where nothing answers, or the document is not complete in time.
    pub fn go(&mut self, address: &str) -> anyhow::Result<()> {
        let whole = match address.starts_with('/') {
            true => format!("{}{address}", self.root),
            false => address.to_owned(),
        };
        self.done.push(format!("goes to {address}"));
        let answer = self.call("Page.navigate", json!({ "url": whole }))?;
        if let Some(error) = answer.get("errorText").and_then(Value::as_str) {
            bail!("{whole}: {error}");
        }
        self.settle()
    }

    /// Waits until the document is loaded and the focus is where the page puts it at first.
    pub fn settle(&mut self) -> anyhow::Result<()> {
        self.wait("the page to be loaded", |page| {
            let told = page.js(SETTLED)?;
            let told = told.as_str().unwrap_or_default();
            if !told.is_empty() && told != page.settled {
                told.clone_into(&mut page.settled);
            }
            Ok(!told.is_empty())
        })
    }

    /// As [`Page::settle`], once for each document: later the focus may rightly be nowhere.
    pub(crate) fn settle_once(&mut self) -> anyhow::Result<()> {
        let here = self.js("'at ' + performance.timeOrigin").unwrap_or_default();
        if here == self.settled.as_str() { Ok(()) } else { self.settle() }
    }

    /// Waits until something holds. A look that fails, as while one document gives way to another, is
    /// taken as "not yet".
    ///
    /// # Errors
    /// When it does not hold in time: with what was awaited, what is there, and a picture.
    pub fn wait(
        &mut self,
        what: &str,
        mut holds: impl FnMut(&mut Self) -> anyhow::Result<bool>,
    ) -> anyhow::Result<()> {
        let began = Instant::now();
        loop {
            self.listen()?;
            let looked = holds(self);
            if matches!(looked, Ok(true)) {
                return Ok(());
            }
            if began.elapsed() > self.wire.patience() {
                let last = looked.err().map(|e| format!(" (last: {e:#})")).unwrap_or_default();
                return Err(
                    self.fault(&format!("waited {:?} for {what}{last}", self.wire.patience()))
                );
            }
            self.wire.rest(LOOK);
        }
    }

    /// Waits until the page's text holds `text`.
    pub fn reads(&mut self, text: &str) -> anyhow::Result<()> {
        self.wait(&format!("the text “{text}”"), |page| Ok(page.text()?.contains(text)))
    }

    /// The text that is shown, as somebody would copy it.
    pub fn text(&self) -> anyhow::Result<String> {
        let text = self.js("document.body ? document.body.innerText : ''")?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// The address.
    pub fn address(&self) -> anyhow::Result<String> {
        Ok(self.js("location.href")?.as_str().unwrap_or_default().to_owned())
    }

    /// What an expression of JavaScript comes to; a promise is awaited.
    ///
    /// # Errors
    /// What it throws.
    pub fn js(&self, expression: &str) -> anyhow::Result<Value> {
        let ask = json!({
            "expression": expression, "awaitPromise": true, "returnByValue": true, "userGesture": true,
        });
        value(self.call("Runtime.evaluate", ask)?)
    }

    /// What a function comes to, called on an object of the page.
    pub fn js_on(&self, object: &str, function: &str, words: &[Value]) -> anyhow::Result<Value> {
        let words: Vec<Value> = words.iter().map(|word| json!({ "value": word })).collect();
        let ask = json!({
            "objectId": object, "functionDeclaration": function, "arguments": words,
            "awaitPromise": true, "returnByValue": true, "userGesture": true,
        });
        value(self.call("Runtime.callFunctionOn", ask)?)
    }

    /// A script that runs first in every document from now on.
    pub fn first(&self, script: &str) -> anyhow::Result<()> {
        self.call("Page.addScriptToEvaluateOnNewDocument", json!({ "source": script }))?;
        Ok(())
    }

    /// Takes in what the browser told since, and answers its dialogs, which would hold everything up.
    pub fn listen(&mut self) -> anyhow::Result<()> {
        for event in self.wire.events(&self.session)? {
            if event.method == "Page.javascriptDialogOpening" {
                self.call("Page.handleJavaScriptDialog", json!({ "accept": true }))?;
            }
            self.watch.take(&event);
        }
        Ok(())
    }

    /// Every request so far, of every document.
    pub fn requests(&mut self) -> anyhow::Result<&[Request]> {
        self.listen()?;
        Ok(self.watch.requests())
    }

    /// What the page did wrong so far: errors of the console, exceptions, violations of its policy,
    /// requests that failed. They are forgotten, so that one who expects them can ask for them.
    pub fn faults(&mut self) -> anyhow::Result<Vec<String>> {
        self.listen()?;
        Ok(self.watch.faults())
    }

    /// What went wrong, with where the page is, what it shows, and a picture.
    pub fn fault(&self, what: &str) -> anyhow::Error {
        let address = self.address().unwrap_or_default();
        // An address that a form sent is long, and says nothing behind its path.
        let place = address.split(['?', '#']).next().unwrap_or_default();
        let text: String =
            self.text().unwrap_or_default().replace('\n', " ").chars().take(TEXT_SHOWN).collect();
        let picture = self.evidence().map_or_else(
            |error| format!("no picture: {error:#}"),
            |file| format!("picture: {}", file.display()),
        );
        let done = said_once(&self.done);
        anyhow::anyhow!("{what}\n  at {place}\n  reading “{text}”\n  after: {done}\n  {picture}")
    }

    fn evidence(&self) -> anyhow::Result<PathBuf> {
        std::fs::create_dir_all(&self.evidence)?;
        let taken = std::fs::read_dir(&self.evidence)?.count();
        let file = self.evidence.join(format!("fault-{}-{taken}.png", std::process::id()));
        std::fs::write(&file, self.png()?)?;
        Ok(file)
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // Cookies and storage go with the last page; an error means that the browser has ended.
        let _ = self.call("Page.close", json!({}));
    }
}

/// What was done, with what was done again and again told once.
fn said_once(done: &[String]) -> String {
    let all = done.chunk_by(|a, b| a == b).filter_map(|same| {
        let first = same.first()?;
        Some(if same.len() > 1 { format!("{first} {} times", same.len()) } else { first.clone() })
    });
    all.collect::<Vec<_>>().join("; ")
}

/// The value of an evaluation, or what it threw.
fn value(mut answer: Value) -> anyhow::Result<Value> {
    if let Some(thrown) = answer.get("exceptionDetails") {
        let said = thrown.pointer("/exception/description").or_else(|| thrown.get("text"));
        bail!("the page threw: {}", said.and_then(Value::as_str).unwrap_or("something"));
    }
    Ok(answer.pointer_mut("/result/value").map(Value::take).unwrap_or_default())
}
