//! What every answer tells a browser, whatever it holds: keep nothing, guess no type, load nothing,
//! show it in no frame, tell nobody where you came from (OWASP Secure Headers; attacks 31 and 32 of
//! the guard's list). An answer that needs another content policy has set it already, and keeps it.

use crate::reply::Reply;
use http::header::{
    CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_SECURITY_POLICY, HeaderName, REFERRER_POLICY,
    STRICT_TRANSPORT_SECURITY, X_CONTENT_TYPE_OPTIONS, X_FRAME_OPTIONS,
};
use http::{HeaderMap, HeaderValue};

static RESOURCE_POLICY: HeaderName = HeaderName::from_static("cross-origin-resource-policy");
static PERMISSIONS_POLICY: HeaderName = HeaderName::from_static("permissions-policy");

/// Data is no page: nothing in it may run, load or be framed.
const DATA: &str = "default-src 'none'; frame-ancestors 'none'";
/// Stored content that somebody sent: besides, it is no part of our origin.
const FOREIGN: &str = "sandbox; default-src 'none'; frame-ancestors 'none'";
/// A year. Names below ours are not ours to speak for.
const HSTS: &str = "max-age=31536000";
/// What a page could ask a browser for.
const NO_DEVICES: &str = "accelerometer=(), camera=(), display-capture=(), geolocation=(), microphone=(), payment=(), publickey-credentials-get=(), usb=()";

/// Puts the headers that every answer has.
pub(crate) fn every(reply: &mut Reply, by_tls: bool) {
    let headers = &mut reply.headers;
    put(headers, X_CONTENT_TYPE_OPTIONS, "nosniff");
    // The answer is about patients: no disk of a shared workstation may keep it. What holds none of them,
    // a file of the console, has said so already.
    headers.entry(CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.entry(CONTENT_SECURITY_POLICY).or_insert(HeaderValue::from_static(DATA));
    put(headers, X_FRAME_OPTIONS, "DENY");
    // A page with a form says otherwise: a browser that tells no referrer tells no origin either.
    headers.entry(REFERRER_POLICY).or_insert(HeaderValue::from_static("no-referrer"));
    put(headers, RESOURCE_POLICY.clone(), "same-origin");
    headers.entry(PERMISSIONS_POLICY.clone()).or_insert(HeaderValue::from_static(NO_DEVICES));
    if by_tls {
        // Not over plaintext, where anybody could have written it (RFC 6797 section 7.2).
        put(headers, STRICT_TRANSPORT_SECURITY, HSTS);
    }
}

/// Marks content that somebody stored and that a browser would otherwise show as ours.
pub(crate) fn foreign(reply: &mut Reply) {
    put(&mut reply.headers, CONTENT_SECURITY_POLICY, FOREIGN);
    put(&mut reply.headers, CONTENT_DISPOSITION, "attachment");
}

fn put(headers: &mut HeaderMap, name: HeaderName, value: &'static str) {
    headers.insert(name, HeaderValue::from_static(value));
}
