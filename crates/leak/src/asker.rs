//! Asks one persona's questions in one world and keeps what came back, canonical, in order. A probe is
//! a function that asks; the same probe asks the same things in both worlds.

use crate::canon::{Canon, Canonical};
use crate::mask::Mask;
use crate::wire::{Answer, Request, Wire};
use anyhow::Context;
use conformance::http::encode_query;
use std::time::Instant;

/// Somebody who is signed in on the pages that a server has for people.
#[derive(Debug, Clone)]
pub struct Browser {
    /// The address that the paths of pages are put behind.
    pub root: String,
    /// What the browser sends as `Cookie`.
    pub cookies: String,
    /// What its forms have to bring back, as a field and its value.
    pub form: (String, String),
}

/// The tokens of a run on one target. `None` asks as nobody.
#[derive(Debug, Clone, Default)]
pub struct Tokens {
    /// Of who sets up the worlds.
    pub admin: Option<String>,
    /// Of who asks.
    pub persona: Option<String>,
    /// The browser of who asks, where there are pages to ask for.
    pub browser: Option<Browser>,
}

/// One question and what remains of its answer.
#[derive(Debug, Clone)]
pub struct Exchange {
    /// The question, as both worlds would ask it.
    pub request: String,
    /// What remains of the answer.
    pub canonical: Canonical,
    /// How long the answer took.
    pub elapsed_us: u64,
    /// The answer itself, when the run is to show it.
    pub raw: Option<Answer>,
}

/// How far a run goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Effort {
    /// Hidden records one probe goes through.
    pub records: usize,
    /// Requests one pattern of a query becomes.
    pub queries: usize,
    /// Pages walked.
    pub pages: usize,
}

impl Effort {
    /// A whole run.
    pub const WHOLE: Self = Self { records: 20, queries: 16, pages: 40 };
    /// A run for every change.
    pub const QUICK: Self = Self { records: 8, queries: 6, pages: 8 };
}

/// The one who asks.
pub struct Asker<'w> {
    wire: &'w mut dyn Wire,
    tokens: Tokens,
    canon: Canon,
    /// How far to go.
    pub effort: Effort,
    /// An instant between set-up and change, in the server's own time.
    pub since: String,
    /// Which world this is.
    pub second: bool,
    /// Elements that are hidden.
    pub masks: Vec<Mask>,
    keep: bool,
    out: Vec<Exchange>,
    twins: Vec<(String, Canonical, Canonical)>,
    made: Vec<String>,
}

impl std::fmt::Debug for Asker<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Asker").field("asked", &self.out.len()).finish_non_exhaustive()
    }
}

impl<'w> Asker<'w> {
    /// Asks through `wire` with these tokens.
    pub fn new(wire: &'w mut dyn Wire, tokens: Tokens, canon: Canon, effort: Effort) -> Self {
        Self {
            wire,
            tokens,
            canon,
            effort,
            since: "2000-01-01T00:00:00Z".to_owned(),
            second: false,
            masks: Vec::new(),
            keep: false,
            out: Vec::new(),
            twins: Vec::new(),
            made: Vec::new(),
        }
    }

    /// Keeps whole answers, for a run that is to show them.
    pub fn keep_answers(&mut self, keep: bool) {
        self.keep = keep;
    }

    /// Reads.
    pub fn get(&mut self, path: &str) -> anyhow::Result<Answer> {
        self.ask(Request::get(path))
    }

    /// Asks as the persona.
    pub fn ask(&mut self, mut request: Request) -> anyhow::Result<Answer> {
        request.token.clone_from(&self.tokens.persona);
        self.ask_with(&request)
    }

    /// A request for a page, or for a piece of one, as the persona's browser sends it; a form when it
    /// has fields. Nothing when there are no pages here.
    pub fn page(
        &self,
        path: &str,
        fields: Option<&[(&str, &str)]>,
        piece: bool,
    ) -> Option<Request> {
        let browser = self.tokens.browser.as_ref()?;
        let address = format!("{}{path}", browser.root);
        let request = match fields {
            None => Request::get(address),
            Some(fields) => {
                let (name, value) = &browser.form;
                let all = fields.iter().copied().chain([(name.as_str(), value.as_str())]);
                let pairs: Vec<String> = all
                    .map(|(name, value)| {
                        format!(
                            "{name}={}",
                            encode_query(value).replace('&', "%26").replace('=', "%3D")
                        )
                    })
                    .collect();
                Request::new("POST", address)
                    .form(&pairs.join("&"))
                    .with("origin", browser.root.clone())
            }
        };
        let request = request.with("accept", "text/html").with("cookie", browser.cookies.clone());
        Some(if piece { request.with("x-fragment", "1") } else { request })
    }

    /// Asks with the token the request has.
    pub fn ask_with(&mut self, request: &Request) -> anyhow::Result<Answer> {
        let began = Instant::now();
        let answer = self.wire.ask(request)?;
        let elapsed_us = u64::try_from(began.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.note_made(request, &answer);
        let mut canonical = self.canon.answer(&answer);
        let mut shown = self.canon.request(&request.shown()).replace(&self.since, "‹since›");
        if let Some(browser) =
            self.tokens.browser.as_ref().filter(|_| request.header("cookie").is_some())
        {
            // What a form brings back is of the sign-in, and each world has its own.
            canonical =
                canonical.replaced(&browser.form.1, "‹form›").replaced(&browser.root, "‹root›");
            shown = shown.replace(&browser.form.1, "‹form›").replace(&browser.root, "");
        }
        self.out.push(Exchange {
            request: shown,
            canonical,
            elapsed_us,
            raw: self.keep.then(|| answer.clone()),
        });
        Ok(answer)
    }

    /// Asks two things that an outsider must not be able to tell apart: one about a hidden record,
    /// one about an id nobody ever had.
    pub fn twin(
        &mut self,
        hidden: Request,
        never: Request,
        ids: (&str, &str),
    ) -> anyhow::Result<()> {
        let of = |mut request: Request| {
            request.token.clone_from(&self.tokens.persona);
            request
        };
        let (hidden, never) = (of(hidden), of(never));
        self.twin_with(&hidden, &never, ids)
    }

    /// The same, with what the requests bring of who asks.
    pub fn twin_with(
        &mut self,
        hidden: &Request,
        never: &Request,
        ids: (&str, &str),
    ) -> anyhow::Result<()> {
        let shown = self.canon.request(&hidden.shown());
        self.ask_with(hidden)?;
        let left = self.out.last().map(|e| e.canonical.replaced(ids.0, "‹id›"));
        self.ask_with(never)?;
        let right = self.out.last().map(|e| e.canonical.replaced(ids.1, "‹id›"));
        let (left, right) = left.zip(right).context("two answers")?;
        if left != right {
            self.twins.push((shown, left, right));
        }
        Ok(())
    }

    /// Names the last question otherwise: what it named is different in the two worlds by right.
    pub fn rename_last(&mut self, request: &str) {
        if let Some(last) = self.out.last_mut() {
            request.clone_into(&mut last.request);
        }
    }

    /// Asks as the administrator; nothing of it is compared.
    pub fn admin(&mut self, mut request: Request) -> anyhow::Result<Answer> {
        request.token.clone_from(&self.tokens.admin);
        self.wire.ask(&request)
    }

    /// Notes a fact that was worked out from answers, to be compared like one.
    pub fn note(&mut self, what: &str, fact: &str) {
        let leaves =
            vec![("status".to_owned(), "noted".to_owned()), ("fact".to_owned(), fact.to_owned())];
        self.out.push(Exchange {
            request: what.to_owned(),
            canonical: Canonical { leaves },
            elapsed_us: 0,
            raw: None,
        });
    }

    /// Follows `next` links from an answer, to the end or as far as the run goes.
    pub fn follow(&mut self, first: Answer) -> anyhow::Result<()> {
        let mut answer = first;
        for _ in 0..self.effort.pages {
            let Some(next) = next_link(&answer) else { return Ok(()) };
            answer = self.get(&next)?;
        }
        Ok(())
    }

    /// Takes away what the persona created since the last call.
    pub fn clean_up(&mut self) -> anyhow::Result<()> {
        for address in std::mem::take(&mut self.made).into_iter().rev() {
            self.admin(Request::new("DELETE", address))?;
        }
        Ok(())
    }

    /// What was asked since the last call.
    pub fn take(&mut self) -> (Vec<Exchange>, Vec<(String, Canonical, Canonical)>) {
        (std::mem::take(&mut self.out), std::mem::take(&mut self.twins))
    }

    fn note_made(&mut self, request: &Request, answer: &Answer) {
        if request.is_safe() || !(200..300).contains(&answer.status) {
            return;
        }
        let mut locations: Vec<String> = Vec::new();
        if answer.status == 201 {
            locations.extend(answer.header("location").map(str::to_owned));
        }
        if let Ok(bundle) = answer.json() {
            let entries = bundle.get("entry").and_then(|e| e.as_array()).cloned();
            for entry in entries.unwrap_or_default() {
                let made = entry.pointer("/response/status").and_then(|s| s.as_str());
                if made.is_some_and(|status| status.starts_with("201")) {
                    let place = entry.pointer("/response/location").and_then(|l| l.as_str());
                    locations.extend(place.map(str::to_owned));
                }
            }
        }
        for location in locations {
            let path = location.split("/_history").next().unwrap_or("");
            let mut parts = path.rsplit('/');
            if let (Some(id), Some(kind)) = (parts.next(), parts.next()) {
                self.made.push(format!("{kind}/{id}"));
            }
        }
    }
}

/// The link to the next page.
pub fn next_link(answer: &Answer) -> Option<String> {
    let bundle = answer.json().ok()?;
    let links = bundle.get("link")?.as_array()?;
    let next = links.iter().find(|l| l.get("relation").is_some_and(|r| r == "next"))?;
    next.get("url")?.as_str().map(str::to_owned)
}
