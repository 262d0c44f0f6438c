//! How the bench reaches a server: one request, one answer, as whoever holds the token
//! (RFC 6750, <https://www.rfc-editor.org/rfc/rfc6750>). A test puts a server in memory behind the
//! same trait.

use anyhow::Context;
pub use conformance::http::Answer;
use conformance::http::{FHIR_JSON, Http};
use std::thread;
use std::time::{Duration, Instant};

/// Times a request is sent again to a server that says it is busy.
const PATIENCE: u32 = 20;
/// The longest wait a server may ask for.
const WAIT_MAX: Duration = Duration::from_secs(30);
/// A connection unused for longer is opened anew: the server may have closed it meanwhile.
const IDLE_MAX: Duration = Duration::from_secs(3);

/// One request. Its path is relative to the base address, or a whole address the server gave.
#[derive(Debug, Clone)]
pub struct Request {
    /// The verb.
    pub method: &'static str,
    /// Path and query.
    pub path: String,
    /// Further headers.
    pub headers: Vec<(String, String)>,
    /// The body; empty for none.
    pub body: Vec<u8>,
    /// The bearer token; `None` asks as nobody.
    pub token: Option<String>,
}

impl Request {
    /// A request without a body.
    pub fn new(method: &'static str, path: impl Into<String>) -> Self {
        Self { method, path: path.into(), headers: Vec::new(), body: Vec::new(), token: None }
    }

    /// A GET.
    pub fn get(path: impl Into<String>) -> Self {
        Self::new("GET", path)
    }

    /// With one more header.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl Into<String>) -> Self {
        self.headers.push((name.to_owned(), value.into()));
        self
    }

    /// With a body of FHIR JSON.
    #[must_use]
    pub fn json(mut self, body: &serde_json::Value) -> Self {
        self.body = body.to_string().into_bytes();
        if self.header("content-type").is_none() {
            self.headers.push(("content-type".to_owned(), FHIR_JSON.to_owned()));
        }
        self
    }

    /// With the fields of a form.
    #[must_use]
    pub fn form(mut self, fields: &str) -> Self {
        self.body = fields.as_bytes().to_vec();
        self.with("content-type", "application/x-www-form-urlencoded")
    }

    /// A header, by its name in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    }

    /// Whether it changes nothing.
    pub fn is_safe(&self) -> bool {
        matches!(self.method, "GET" | "HEAD" | "OPTIONS")
    }

    /// Verb, path, telling headers and body, for a report; who asks is no part of it.
    pub fn shown(&self) -> String {
        let mut out = format!("{} {}", self.method, self.path);
        let is_shown = |name: &str| !matches!(name, "content-type" | "cookie" | "origin");
        for (name, value) in self.headers.iter().filter(|(name, _)| is_shown(name)) {
            out.push_str(&format!(" [{name}: {value}]"));
        }
        if !self.body.is_empty() {
            out.push(' ');
            out.push_str(&String::from_utf8_lossy(&self.body));
        }
        out
    }
}

/// A way to a server.
pub trait Wire {
    /// Sends a request and waits for its answer.
    fn ask(&mut self, request: &Request) -> anyhow::Result<Answer>;
    /// The base address, which answers may quote.
    fn base(&self) -> &str;
}

/// A server reached over HTTP/1.1.
#[derive(Debug)]
pub struct Remote {
    http: Http,
    base: String,
    used: Instant,
}

impl Remote {
    /// For a base address such as `http://127.0.0.1:8080/fhir`.
    pub fn new(url: &str) -> anyhow::Result<Self> {
        let base = url.trim_end_matches('/').to_owned();
        let http = Http::new(&base)
            .with_context(|| format!("{base}: for a server behind TLS, put a proxy before it"))?;
        Ok(Self { http, base, used: Instant::now() })
    }

    fn once(&mut self, request: &Request) -> anyhow::Result<Answer> {
        if self.used.elapsed() > IDLE_MAX {
            self.http = self.http.another();
        }
        self.used = Instant::now();
        let bearer = request.token.as_ref().map(|token| format!("Bearer {token}"));
        let mut headers: Vec<(&str, &str)> = Vec::with_capacity(request.headers.len() + 2);
        if request.header("accept").is_none() {
            headers.push(("accept", FHIR_JSON));
        }
        if let Some(bearer) = &bearer {
            headers.push(("authorization", bearer));
        }
        headers.extend(request.headers.iter().map(|(n, v)| (n.as_str(), v.as_str())));
        self.http.send(request.method, &request.path, &headers, &request.body)
    }
}

impl Wire for Remote {
    fn ask(&mut self, request: &Request) -> anyhow::Result<Answer> {
        let mut broken = 0;
        let mut tries = 0;
        loop {
            match self.once(request) {
                // Too many requests: the bench is the one that is in a hurry.
                Ok(answer) if matches!(answer.status, 429 | 503) && tries < PATIENCE => {
                    let asked = answer.header("retry-after").and_then(|v| v.parse().ok());
                    let wait = Duration::from_secs(asked.unwrap_or(1))
                        .clamp(Duration::from_millis(200), WAIT_MAX);
                    tries += 1;
                    thread::sleep(wait);
                }
                // A kept connection may be closed at any time; what changes nothing is asked again.
                Err(_) if request.is_safe() && broken < 2 => broken += 1,
                other => return other.with_context(|| request.method.to_owned()),
            }
        }
    }

    fn base(&self) -> &str {
        &self.base
    }
}
