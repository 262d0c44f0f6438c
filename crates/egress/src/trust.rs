//! Whom we believe: the roots of the web as Mozilla keeps them, which are the same on every machine
//! and change with a release that somebody can review, and authorities of the organisation's own, from
//! a file. The machine's own store is not asked: it differs from machine to machine, and whoever may
//! add to it could read what we send.

use base::error::code;
use base::{Clock, Fault};
use rustls::client::Resumption;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::time_provider::TimeProvider;
use rustls::version::{TLS12, TLS13};
use rustls::{ClientConfig, RootCertStore};
use std::sync::Arc;
use std::time::Duration;

/// Certificates of one text of authorities.
const CERTIFICATES_MAX: usize = 256;

/// Whom we believe.
#[derive(Debug, Clone)]
pub struct Trust {
    /// The authorities of the public web.
    pub web: bool,
    /// Authorities of our own, in PEM.
    pub own: Option<Vec<u8>>,
}

impl Default for Trust {
    fn default() -> Self {
        Self { web: true, own: None }
    }
}

impl Trust {
    /// How we speak TLS to others: 1.2 at least, HTTP/1.1 inside, and each session anew, so that no
    /// ticket links one request to another.
    pub(crate) fn config(&self, clock: Arc<dyn Clock>) -> Result<ClientConfig, Fault> {
        let mut roots = RootCertStore::empty();
        if self.web {
            roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned());
        }
        if let Some(pem) = &self.own {
            let mut count = 0;
            for certificate in CertificateDer::pem_slice_iter(pem).take(CERTIFICATES_MAX) {
                let certificate =
                    certificate.map_err(|_quoting| unusable("the authorities are no PEM"))?;
                roots
                    .add(certificate)
                    .map_err(|error| unusable(&format!("an authority cannot be used: {error}")))?;
                count += 1;
            }
            if count == 0 {
                return Err(unusable("the file of authorities holds no certificate"));
            }
        }
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let mut config = ClientConfig::builder_with_details(provider, Arc::new(TimeOf(clock)))
            .with_protocol_versions(&[&TLS13, &TLS12])
            .map_err(|error| unusable(&format!("TLS cannot be set up: {error}")))?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        config.resumption = Resumption::disabled();
        Ok(config)
    }
}

fn unusable(what: &str) -> Fault {
    Fault::new(&code::EGRESS_UNTRUSTED, what)
}

/// The house's clock as the library asks it.
#[derive(Debug)]
struct TimeOf(Arc<dyn Clock>);

impl TimeProvider for TimeOf {
    fn current_time(&self) -> Option<UnixTime> {
        let seconds = u64::try_from(self.0.now().0 / 1000).ok()?;
        Some(UnixTime::since_unix_epoch(Duration::from_secs(seconds)))
    }
}
