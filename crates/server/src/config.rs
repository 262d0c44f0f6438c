//! How the server is set. The values come from the binary's table of settings; what makes no sense is
//! refused here, before a port is opened.

use crate::limit::Rates;
use crate::tls::TlsFiles;
use crate::waiver::Waiver;
use base::error::code;
use base::{Fault, Limits, Millis};
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

/// The server's settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where to listen: beyond loopback by TLS only, or under a waiver.
    pub listen: SocketAddr,
    /// The address callers know the FHIR API by, when it is not the one they ask at.
    pub base_url: Option<String>,
    /// Certificate and key; without them the port speaks plaintext.
    pub tls: Option<TlsFiles>,
    /// Milliseconds a TLS handshake may take.
    pub tls_handshake_ms: u64,
    /// Milliseconds between two looks at the TLS files.
    pub tls_look_ms: u64,
    /// Lets plaintext leave this machine, until a date.
    pub plaintext_waiver: Option<Waiver>,
    /// Open connections of one address; one more is closed at once.
    pub connections_per_address_max: u32,
    /// What one caller may take.
    pub rates: Rates,
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
    /// The time zone in which the house's days begin; the machine's without one.
    pub zone: Option<jiff::tz::TimeZone>,
    /// Origins of web pages that may call.
    pub cors_origins: Vec<String>,
    /// Every request needs a caller, who gets what the policies permit. Without, whoever reaches the
    /// port may do everything.
    pub guard: bool,
    /// `_explain=true` is answered.
    pub explain: bool,
    /// A conditional delete may delete several resources.
    pub delete_many: bool,
    /// What patients call the clinic, on the page behind a reminder's link.
    pub clinic: String,
    /// The IANA zone of visits that do not tell their own, there; UTC when empty.
    pub clinic_zone: String,
    /// To how many on the waiting list a freed time is offered at once, and the minutes each wave has.
    pub waves: (usize, u32),
    /// Offers go out as messages; else the desk is told whom to call.
    pub offers_by_message: bool,
    /// Freed times are offered by themselves.
    pub offers_by_itself: bool,
    /// Patients may say themselves that they are there, by a link or at a kiosk.
    pub self_arrival: bool,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            listen: SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 8080),
            base_url: None,
            tls: None,
            tls_handshake_ms: 10_000,
            tls_look_ms: 5000,
            plaintext_waiver: None,
            connections_per_address_max: 1024,
            rates: Rates::default(),
            body_bytes_max: Limits::default().json_bytes,
            timeout_ms: 60_000,
            requests_max: 1024,
            connections_max: 4096,
            search_threads: 8,
            idle_ms: 75_000,
            drain_ms: 10_000,
            zone: None,
            cors_origins: Vec::new(),
            guard: true,
            explain: false,
            delete_many: false,
            clinic: String::new(),
            clinic_zone: String::new(),
            waves: (3, 30),
            offers_by_message: false,
            offers_by_itself: false,
            self_arrival: false,
        }
    }
}

impl Config {
    /// Refuses what makes no sense, naming the setting.
    ///
    /// # Errors
    /// `server.parameter.invalid`.
    pub fn check(&self, now: Millis) -> Result<(), Fault> {
        let refuse = |setting: &str, what: &str| {
            Err(Fault::at(&code::PARAMETER_INVALID, what.to_owned(), setting.to_owned()))
        };
        // A waiver that is over is refused also where none is needed: nobody is to find it in force.
        if let Some(waiver) = &self.plaintext_waiver {
            waiver.check(now)?;
        }
        if !self.listen.ip().is_loopback() {
            if self.tls.is_none() && self.plaintext_waiver.is_none() {
                return refuse(
                    "listen",
                    "beyond loopback (127.0.0.1 or [::1]) the server speaks TLS only: set tls_certificate and tls_key, or give a dated plaintext_waiver",
                );
            }
            if self.base_url.is_none() {
                return refuse(
                    "base_url",
                    "beyond loopback the server must know its own name: set base_url, such as https://ehr.example/fhir",
                );
            }
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
            ("tls_handshake_ms", usize::try_from(self.tls_handshake_ms).unwrap_or(usize::MAX)),
            ("connections_per_address_max", self.connections_per_address_max as usize),
        ] {
            if value == 0 {
                return refuse(setting, "the value must be above zero");
            }
        }
        self.rates.check()?;
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
    pub fn own_host(&self) -> Option<&str> {
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

    /// 2026-11-22
    const NOW: Millis = Millis(1_795_305_600_000);

    fn refused(change: impl FnOnce(&mut Config)) -> Option<String> {
        let mut config = Config::default();
        change(&mut config);
        config.check(NOW).err().and_then(|f| f.issues.into_iter().next()?.expression)
    }

    #[test]
    fn the_defaults_make_sense() {
        assert_eq!(refused(|_| {}), None);
    }

    #[test]
    fn beyond_loopback_tls_or_a_waiver_is_asked_for() {
        for listen in ["0.0.0.0:8080", "192.168.1.2:80", "[::]:8080"] {
            let outside = |c: &mut Config| {
                c.listen = listen.parse().unwrap();
                c.base_url = Some("https://ehr.example/fhir".to_owned());
            };
            assert_eq!(refused(outside).as_deref(), Some("listen"));
            let tls = |c: &mut Config| {
                outside(c);
                c.tls = Some(TlsFiles {
                    certificate: "c.pem".into(),
                    key: "k.pem".into(),
                    client_ca: None,
                });
            };
            assert_eq!(refused(tls), None);
            let waived = |date: &'static str| {
                move |c: &mut Config| {
                    outside(c);
                    let text = format!("{date} the proxy of the machine room speaks TLS");
                    c.plaintext_waiver = Some(Waiver::parse(&text).unwrap());
                }
            };
            assert_eq!(refused(waived("2026-12-31")), None);
            assert_eq!(refused(waived("2026-11-21")).as_deref(), Some("plaintext_waiver"));
            let nameless = |c: &mut Config| {
                tls(c);
                c.base_url = None;
            };
            assert_eq!(refused(nameless).as_deref(), Some("base_url"));
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
        assert_eq!(refused(|c| c.rates.cost_per_s = 0).as_deref(), Some("rate_cost_per_s"));
    }
}
