//! An answer before it becomes HTTP: status, body, and the headers FHIR gives a meaning
//! (<https://hl7.org/fhir/R4/http.html>).

use crate::condition::{etag, http_date};
use crate::live::Rest;
use crate::negotiate::{FHIR_JSON, Form};
use base::{Fault, Limits, Millis};
use bytes::Bytes;
use fhir::{Document, json, outcome};
use http::header::{
    ALLOW, CONTENT_LOCATION, CONTENT_TYPE, ETAG, HeaderName, LAST_MODIFIED, LOCATION, RETRY_AFTER,
};
use http::{HeaderMap, HeaderValue, Response, StatusCode};
use http_body_util::Full;
use hyper::body::{Frame, SizeHint};
use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

/// The body of every answer.
#[derive(Debug)]
pub(crate) enum Body {
    /// All of it at once.
    Whole(Full<Bytes>),
    /// Piece by piece, until whoever sends ends.
    Live(Rest),
}

impl hyper::body::Body for Body {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        match &mut *self {
            Self::Whole(whole) => Pin::new(whole).poll_frame(context),
            Self::Live(rest) => {
                rest.poll_recv(context).map(|next| next.map(|b| Ok(Frame::data(b))))
            }
        }
    }

    fn is_end_stream(&self) -> bool {
        match self {
            Self::Whole(whole) => whole.is_end_stream(),
            Self::Live(_) => false,
        }
    }

    fn size_hint(&self) -> SizeHint {
        match self {
            Self::Whole(whole) => whole.size_hint(),
            Self::Live(_) => SizeHint::default(),
        }
    }
}

/// An answer.
#[derive(Debug)]
pub(crate) struct Reply {
    /// The status.
    pub(crate) status: StatusCode,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body.
    pub(crate) body: Bytes,
    /// Steps of the store it took, where they are counted.
    pub(crate) steps: u64,
    /// What follows the body for as long as the answer goes on.
    pub(crate) live: Option<Rest>,
}

impl Reply {
    /// An answer without a body.
    pub(crate) fn empty(status: StatusCode) -> Self {
        Self {
            status,
            headers: HeaderMap::with_capacity(8),
            body: Bytes::new(),
            steps: 0,
            live: None,
        }
    }

    /// An answer with a resource, indented if asked for.
    pub(crate) fn resource(status: StatusCode, form: Form, body: Vec<u8>) -> Self {
        let mut reply = Self::empty(status);
        reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static(form.media_type));
        reply.body = Bytes::from(if form.pretty { indented(body) } else { body });
        reply
    }

    /// The answer to a refusal.
    pub(crate) fn fault(fault: &Fault, form: Form) -> Self {
        let status = StatusCode::from_u16(fault.status());
        let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let mut reply = Self::resource(status, form, outcome::of(fault));
        if status == StatusCode::SERVICE_UNAVAILABLE {
            reply.headers.insert(RETRY_AFTER, HeaderValue::from_static("1"));
        }
        reply
    }

    /// Plain text.
    pub(crate) fn text(status: StatusCode, media_type: &'static str, body: String) -> Self {
        let mut reply = Self::empty(status);
        reply.headers.insert(CONTENT_TYPE, HeaderValue::from_static(media_type));
        reply.body = Bytes::from(body);
        reply
    }

    /// States which version the answer is about.
    #[must_use]
    pub(crate) fn version(mut self, version: u64, last_updated: Millis) -> Self {
        self.put(ETAG, &etag(version));
        self.put(LAST_MODIFIED, &http_date(last_updated));
        self
    }

    /// States where the version that was made lies.
    #[must_use]
    pub(crate) fn location(mut self, address: &str) -> Self {
        self.put(LOCATION, address);
        self
    }

    /// States which version the body is.
    #[must_use]
    pub(crate) fn content_location(mut self, address: &str) -> Self {
        self.put(CONTENT_LOCATION, address);
        self
    }

    /// States what it took of the store.
    #[must_use]
    pub(crate) const fn cost(mut self, steps: u64) -> Self {
        self.steps = steps;
        self
    }

    /// States when a request that was refused may come again.
    #[must_use]
    pub(crate) fn retry_after(mut self, seconds: u64) -> Self {
        self.put(RETRY_AFTER, &seconds.to_string());
        self
    }

    /// States the methods of an address.
    #[must_use]
    pub(crate) fn allow(mut self, methods: &str) -> Self {
        self.put(ALLOW, methods);
        self
    }

    /// Sets a header; a text that cannot stand in one is left out.
    pub(crate) fn put(&mut self, name: HeaderName, text: &str) {
        if let Ok(value) = HeaderValue::from_str(text) {
            self.headers.insert(name, value);
        }
    }

    /// The HTTP response.
    pub(crate) fn into_response(self) -> Response<Body> {
        let body = match self.live {
            None => Body::Whole(Full::new(self.body)),
            Some(rest) => Body::Live(rest),
        };
        let mut response = Response::new(body);
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// The form refusals take before the caller's wish is known.
pub(crate) const PLAIN: Form = Form { media_type: FHIR_JSON, named: false, pretty: false };

fn indented(body: Vec<u8>) -> Vec<u8> {
    let limits = Limits { json_bytes: usize::MAX, json_elements: usize::MAX, ..Limits::default() };
    match Document::parse(body.clone(), &limits) {
        Ok(document) => {
            let mut out = Vec::with_capacity(body.len() * 2);
            json::pretty(document.root(), &mut out);
            out.push(b'\n');
            out
        }
        // White space is a courtesy; the content comes first.
        Err(_) => body,
    }
}
