//! Who may call from where. Until people sign in, the only wall is the machine itself, so a web page
//! of somebody else must not reach through a browser on this machine: the `Host` asked for must be
//! this machine's (against DNS rebinding), and a page of another origin must be on the list (CORS,
//! <https://fetch.spec.whatwg.org/#http-cors-protocol>). The list is empty by default.

use crate::reply::Reply;
use base::Fault;
use base::error::code;
use http::header::{
    ACCESS_CONTROL_ALLOW_HEADERS, ACCESS_CONTROL_ALLOW_METHODS, ACCESS_CONTROL_ALLOW_ORIGIN,
    ACCESS_CONTROL_EXPOSE_HEADERS, ACCESS_CONTROL_MAX_AGE, HOST, ORIGIN, VARY,
};
use http::{HeaderMap, HeaderValue, Uri};
use std::net::IpAddr;

/// The origin of the page that calls, when it is one that may.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Allowed(HeaderValue);

/// Refuses a `Host` that is not this machine; `own` is the host of the configured base address.
pub(crate) fn check_host(headers: &HeaderMap, uri: &Uri, own: Option<&str>) -> Result<(), Fault> {
    let host =
        uri.host().or_else(|| headers.get(HOST).and_then(|h| h.to_str().ok()).map(without_port));
    let Some(host) = host else {
        return Err(Fault::at(&code::HEADER_INVALID, "the request names no host", "Host"));
    };
    let bare = host.trim_start_matches('[').trim_end_matches(']');
    let ours = bare.eq_ignore_ascii_case("localhost")
        || bare.parse::<IpAddr>().is_ok_and(|ip| ip.is_loopback())
        || own.is_some_and(|own| own.eq_ignore_ascii_case(host));
    if ours {
        return Ok(());
    }
    let what =
        "this server answers to its own name only: localhost, or the configured base address";
    Err(Fault::at(&code::UNKNOWN_ROUTE, what, "Host"))
}

/// Refuses a page of another origin that is neither on the list nor an app's.
pub(crate) fn check_origin(
    headers: &HeaderMap,
    listed: &[String],
    of_app: impl Fn(&HeaderValue) -> bool,
) -> Result<Option<Allowed>, Fault> {
    let Some(origin) = headers.get(ORIGIN) else { return Ok(None) };
    let text = origin.to_str().unwrap_or_default();
    if listed.iter().any(|l| l == text) || of_app(origin) {
        return Ok(Some(Allowed(origin.clone())));
    }
    let same = headers.get(HOST).and_then(|h| h.to_str().ok()).is_some_and(|host| {
        text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")) == Some(host)
    });
    if same {
        return Ok(None);
    }
    let what = "web pages of other origins may call only when the setting cors_origins lists them";
    Err(Fault::at(&code::HEADER_INVALID, what, "Origin"))
}

impl Allowed {
    /// Lets the page read the answer.
    pub(crate) fn mark(&self, reply: &mut Reply) {
        let headers = &mut reply.headers;
        headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, self.0.clone());
        headers.insert(
            ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static(
                "ETag, Location, Content-Location, Last-Modified, X-Request-Id",
            ),
        );
        headers.append(VARY, HeaderValue::from_static("Origin"));
    }

    /// Answers a page that asks before it calls.
    pub(crate) fn preflight(&self, reply: &mut Reply, methods: &str) {
        reply.put(ACCESS_CONTROL_ALLOW_METHODS, methods);
        reply.put(
            ACCESS_CONTROL_ALLOW_HEADERS,
            "Accept, Authorization, Content-Type, If-Match, If-None-Match, If-None-Exist, If-Modified-Since, Prefer, X-Request-Id",
        );
        reply.put(ACCESS_CONTROL_MAX_AGE, "600");
    }
}

/// A `Host` header without its port, brackets of an IPv6 address kept.
pub(crate) fn without_port(host: &str) -> &str {
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|b| b.is_ascii_digit()) => name,
        _ => host,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &'static str, origin: Option<&'static str>) -> HeaderMap {
        let mut headers = HeaderMap::new();
        headers.insert(HOST, HeaderValue::from_static(host));
        if let Some(origin) = origin {
            headers.insert(ORIGIN, HeaderValue::from_static(origin));
        }
        headers
    }

    #[test]
    fn only_names_of_this_machine_are_answered() {
        let uri = Uri::from_static("/fhir/metadata");
        let answers = |host, own| check_host(&headers(host, None), &uri, own).is_ok();
        for host in ["localhost", "localhost:8080", "127.0.0.1:1", "[::1]:8080", "LOCALHOST"] {
            assert!(answers(host, None), "{host}");
        }
        assert!(!answers("evil.example:8080", None));
        assert!(!answers("10.0.0.1", None));
        assert!(answers("ehr.example", Some("ehr.example")));
        assert!(check_host(&HeaderMap::new(), &uri, None).is_err());
    }

    #[test]
    fn pages_of_other_origins_must_be_listed() {
        let list = ["https://app.example".to_owned()];
        let check = |origin| check_origin(&headers("localhost:80", origin), &list, |_| false);
        assert_eq!(check(None), Ok(None));
        assert_eq!(check(Some("http://localhost:80")), Ok(None));
        assert!(check(Some("https://app.example")).is_ok_and(|o| o.is_some()));
        assert!(check(Some("https://evil.example")).is_err());
        assert!(check(Some("null")).is_err());
    }
}
