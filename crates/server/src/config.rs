//! How the server is set. The values come from the binary's table of settings; what makes no sense is
//! refused here, before a port is opened.

use base::error::code;
use base::{Fault, Limits};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The server's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where to listen. Loopback only, until people can sign in.
    pub listen: SocketAddr,
    /// The address callers know the FHIR API by, when it is not the one they ask at.
    pub base_url: Option<String>,
    /// Bytes of a request's body, packed and unpacked.
    pub body_bytes_max: usize,
    /// Milliseconds a request may take, its body's arrival included.
    pub timeout_ms: u64,
    /// Requests worked on at a time; one more is turned away.
    pub requests_max: usize,
    /// Open connections; one more waits.
    pub connections_max: usize,
    /// Searches, histories and bundles worked on at a time; others of them wait their turn.
    pub search_threads: usize,
    /// Milliseconds an unused connection stays open.
    pub idle_ms: u64,
    /// Milliseconds requests in flight get to finish when the server stops.
    pub drain_ms: u64,
    /// Origins of web pages that may call.
    pub cors_origins: Vec<String>,
    /// Every request needs a caller, who gets what the policies permit. Without, whoever reaches the
    /// port may do everything.
    pub guard: bool,
    /// `_explain=true` is answered.
    pub explain: bool,
    /// A conditional delete may delete several resources.
    pub delete_many: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            base_url: None,
            body_bytes_max: Limits::default().json_bytes,
            timeout_ms: 60_000,
            requests_max: 1024,
            connections_max: 4096,
            search_threads: 8,
            idle_ms: 75_000,
            drain_ms: 10_000,
            cors_origins: Vec::new(),
            guard: true,
            explain: false,
            delete_many: false,
        }
    }
}

impl Config {
    /// Refuses what makes no sense, naming the setting.
    pub fn check(&self) -> Result<(), Fault> {
        let refuse = |setting: &str, what: &str| {
            Err(Fault::at(&code::PARAMETER_INVALID, what.to_owned(), setting.to_owned()))
        };
        if !self.listen.ip().is_loopback() {
            return refuse(
                "listen",
                "the server listens on loopback only (127.0.0.1 or [::1]): nobody can sign in yet, so whoever reaches the port reads every record",
            );
        }
        if !self.guard && !self.listen.ip().is_loopback() {
            return refuse("guard", "without the guard the server listens on loopback only");
        }
        if let Some(url) = &self.base_url
            && (host_of(url).is_none() || url.ends_with('/') || url.contains(['?', '#', ' ']))
        {
            return refuse(
                "base_url",
                "the base address is http:// or https://, a host, and a path without a slash at its end",
            );
        }
        for (setting, value) in [
            ("body_bytes_max", self.body_bytes_max),
            ("timeout_ms", usize::try_from(self.timeout_ms).unwrap_or(usize::MAX)),
            ("requests_max", self.requests_max),
            ("connections_max", self.connections_max),
            ("search_threads", self.search_threads),
            ("idle_ms", usize::try_from(self.idle_ms).unwrap_or(usize::MAX)),
        ] {
            if value == 0 {
                return refuse(setting, "the value must be above zero");
            }
        }
        let plain = |origin: &String| {
            host_of(origin).is_some_and(|host| origin.ends_with(host) || origin.contains("]:"))
        };
        let shaped = |origin: &String| plain(origin) || origin.matches(':').count() == 2;
        if !self.cors_origins.iter().all(|o| host_of(o).is_some() && shaped(o)) {
            return refuse(
                "cors_origins",
                "an origin is http:// or https://, a host and perhaps a port, nothing more",
            );
        }
        Ok(())
    }

    /// The host of the base address.
    pub(crate) fn own_host(&self) -> Option<&str> {
        self.base_url.as_deref().and_then(host_of)
    }
}

/// The host of an http or https address, without its port.
fn host_of(url: &str) -> Option<&str> {
    let rest = url.strip_prefix("http://").or_else(|| url.strip_prefix("https://"))?;
    let authority = rest.split('/').next()?;
    let host = crate::origin::without_port(authority);
    let fine = !host.is_empty() && !host.contains(['@', '*', ' ']);
    fine.then_some(host)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(change: impl FnOnce(&mut Config)) -> Option<String> {
        let mut config = Config::default();
        change(&mut config);
        config.check().err().and_then(|f| f.issues.into_iter().next()?.expression)
    }

    #[test]
    fn the_defaults_make_sense() {
        assert_eq!(refused(|_| {}), None);
    }

    #[test]
    fn only_loopback_is_listened_on() {
        for listen in ["0.0.0.0:8080", "192.168.1.2:80", "[::]:8080"] {
            let listen = listen.parse().unwrap();
            assert_eq!(refused(|c| c.listen = listen).as_deref(), Some("listen"));
        }
        assert_eq!(refused(|c| c.listen = "[::1]:0".parse().unwrap()), None);
    }

    #[test]
    fn addresses_must_be_whole() {
        for bad in ["ehr.example", "https://", "https://ehr.example/fhir/", "ftp://x/y"] {
            let url = Some(bad.to_owned());
            assert_eq!(refused(|c| c.base_url = url).as_deref(), Some("base_url"), "{bad}");
        }
        assert_eq!(refused(|c| c.base_url = Some("https://ehr.example:1/fhir".into())), None);
        for bad in ["*", "app.example", "https://app.example/path"] {
            let list = vec![bad.to_owned()];
            assert_eq!(refused(|c| c.cors_origins = list).as_deref(), Some("cors_origins"));
        }
        assert_eq!(refused(|c| c.cors_origins = vec!["http://localhost:3000".into()]), None);
        assert_eq!(refused(|c| c.requests_max = 0).as_deref(), Some("requests_max"));
    }
}
