//! A hospital's network with the service in it, an authority of its own, a clock that is turned, and
//! waits that are only counted.

use crate::fake::Fake;
use base::{Clock, Millis};
use egress::{Network, Pending, Trust};
use keys::SecretFile;
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::ServerConfig;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use std::net::{IpAddr, SocketAddr};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};
use std::time::Duration;
use tempfile::TempDir;
use tokio::net::TcpStream;
use transit::{Config, Pause, Proof, Transit};

pub(crate) const TENANT: [u8; 16] = [0x7e; 16];
const NAME: &str = "bao.hospital.example";

/// A clock that the test turns; it begins on 2026-11-22.
#[derive(Debug)]
pub(crate) struct Turned(Mutex<i64>);

impl Clock for Turned {
    fn now(&self) -> Millis {
        Millis(*self.0.lock().unwrap())
    }
}

/// The network: the service's name, and nothing else, leads to it.
#[derive(Debug)]
struct House(SocketAddr);

impl Network for House {
    fn resolve<'a>(&'a self, name: &'a str) -> Pending<'a, Vec<IpAddr>> {
        let known = name == NAME;
        Box::pin(async move {
            if known { Ok(vec!["10.20.30.40".parse().unwrap()]) } else { Ok(Vec::new()) }
        })
    }

    fn connect(&self, _to: SocketAddr) -> Pending<'_, TcpStream> {
        Box::pin(TcpStream::connect(self.0))
    }
}

/// What happens at which wait.
type Then = (usize, Box<dyn FnOnce() + Send>);

/// Waits that are only counted; at one of them something may happen.
#[derive(Default)]
pub(crate) struct Counted {
    pub(crate) waited: Mutex<Vec<Duration>>,
    pub(crate) then: Mutex<Option<Then>>,
}

impl std::fmt::Debug for Counted {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Counted")
    }
}

impl Pause for Counted {
    fn pause(&self, how_long: Duration) {
        let mut waited = self.waited.lock().unwrap();
        waited.push(how_long);
        let mut then = self.then.lock().unwrap();
        if let Some((_, act)) = then.take_if(|(at, _)| *at == waited.len()) {
            act();
        }
    }
}

/// All of it.
pub(crate) struct Place {
    pub(crate) fake: Fake,
    pub(crate) clock: Arc<Turned>,
    pub(crate) pauses: Arc<Counted>,
    dir: TempDir,
    authority: CertifiedIssuer<'static, KeyPair>,
}

impl Place {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let authority = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self {
            fake: Fake::start(Some(server(&authority))),
            clock: Arc::new(Turned(Mutex::new(1_795_305_600_000))),
            pauses: Arc::new(Counted::default()),
            dir: tempfile::tempdir().unwrap(),
            authority,
        }
    }

    /// A file with a secret, for its owner alone.
    pub(crate) fn secret(&self, name: &str, text: &str) -> PathBuf {
        let path = self.dir.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        path
    }

    pub(crate) fn config(&self) -> Config {
        Config {
            address: format!("https://{NAME}:8200"),
            mount: "transit".to_owned(),
            key: "plummer".to_owned(),
            namespace: String::new(),
            proof: Proof::Token(SecretFile::new(self.secret("token", "good\n"))),
            timeout_ms: 3000,
        }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust { web: false, own: Some(self.authority.pem().into_bytes()) }
    }

    pub(crate) fn with(&self, config: Config, trust: &Trust) -> Transit {
        let network = Arc::new(House(self.fake.address));
        let (clock, pauses) = (Arc::clone(&self.clock), Arc::clone(&self.pauses));
        Transit::new(config, network, trust, clock, pauses).unwrap()
    }

    pub(crate) fn transit(&self) -> Transit {
        self.with(self.config(), &self.trust())
    }

    pub(crate) fn turn(&self, ms: i64) {
        *self.clock.0.lock().unwrap() += ms;
    }

    /// How often a path was asked for.
    pub(crate) fn count(&self, path: &str) -> usize {
        self.fake.world().asked.iter().filter(|line| line.contains(path)).count()
    }

    pub(crate) fn waits(&self) -> usize {
        self.pauses.waited.lock().unwrap().len()
    }
}

fn server(authority: &CertifiedIssuer<'static, KeyPair>) -> Arc<ServerConfig> {
    let mut params = CertificateParams::new(vec![NAME.to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2026, 1, 1);
    params.not_after = rcgen::date_time_ymd(2028, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, authority).unwrap();
    let chain = vec![CertificateDer::from_pem_slice(certificate.pem().as_bytes()).unwrap()];
    let key = PrivateKeyDer::from_pem_slice(key.serialize_pem().as_bytes()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(chain, key)
        .unwrap();
    Arc::new(config)
}
