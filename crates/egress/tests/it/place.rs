//! A network that a test decides, and another system that answers as it is told.

use base::{Clock, Millis};
use bytes::Bytes;
use egress::{Egress, Network, Origin, Pending, Policy, Purpose, Reply, Request, Target, Trust};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;

/// An address on the internet, as far as the tests go.
pub(crate) const PUBLIC: &str = "93.184.215.14";

/// 2026-11-22
#[derive(Debug)]
struct Standing;

impl Clock for Standing {
    fn now(&self) -> Millis {
        Millis(1_795_305_600_000)
    }
}

/// A network in which every connection ends at one system of ours, wherever it was meant to go.
#[derive(Debug, Default)]
pub(crate) struct Fake {
    /// What the resolver says, question after question; then the last again.
    pub(crate) answers: Mutex<VecDeque<Vec<IpAddr>>>,
    pub(crate) resolved: Mutex<Vec<String>>,
    pub(crate) dialled: Mutex<Vec<SocketAddr>>,
    pub(crate) system: Mutex<Option<SocketAddr>>,
}

impl Fake {
    pub(crate) fn answering(answers: &[&[&str]]) -> Arc<Self> {
        let answers = answers.iter().map(|all| all.iter().map(|a| a.parse().unwrap()).collect());
        Arc::new(Self { answers: Mutex::new(answers.collect()), ..Self::default() })
    }

    pub(crate) fn dialled(&self) -> Vec<String> {
        self.dialled.lock().unwrap().iter().map(ToString::to_string).collect()
    }
}

impl Network for Fake {
    fn resolve<'a>(&'a self, name: &'a str) -> Pending<'a, Vec<IpAddr>> {
        self.resolved.lock().unwrap().push(name.to_owned());
        let mut answers = self.answers.lock().unwrap();
        let answer = if answers.len() > 1 { answers.pop_front() } else { answers.front().cloned() };
        let none = || std::io::Error::from(std::io::ErrorKind::NotFound);
        Box::pin(async move { answer.ok_or_else(none) })
    }

    fn connect(&self, to: SocketAddr) -> Pending<'_, TcpStream> {
        self.dialled.lock().unwrap().push(to);
        let system = *self.system.lock().unwrap();
        Box::pin(async move {
            let system = system.ok_or(std::io::ErrorKind::ConnectionRefused)?;
            TcpStream::connect(system).await
        })
    }
}

/// Another system: it answers each connection with the next text and keeps what it was asked.
#[derive(Debug)]
pub(crate) struct Other {
    pub(crate) address: SocketAddr,
    pub(crate) asked: Arc<Mutex<Vec<String>>>,
}

impl Other {
    pub(crate) fn plain(answers: Vec<Vec<u8>>) -> Self {
        Self::start(answers, None)
    }

    pub(crate) fn tls(answers: Vec<Vec<u8>>, config: Arc<ServerConfig>) -> Self {
        Self::start(answers, Some(config))
    }

    fn start(answers: Vec<Vec<u8>>, tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let asked = Arc::new(Mutex::new(Vec::new()));
        let kept = Arc::clone(&asked);
        std::thread::spawn(move || {
            for answer in answers {
                let (stream, _) = listener.accept().unwrap();
                match &tls {
                    None => serve(stream, &answer, &kept),
                    Some(config) => {
                        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        let mut stream = StreamOwned::new(connection, stream);
                        serve(&mut stream, &answer, &kept);
                        stream.conn.send_close_notify();
                        let _ = stream.flush();
                    }
                }
            }
        });
        Self { address, asked }
    }

    pub(crate) fn asked(&self) -> Vec<String> {
        self.asked.lock().unwrap().clone()
    }
}

/// What was asked is kept before it is answered: who has the answer may look at once.
fn serve(mut stream: impl Read + Write, answer: &[u8], kept: &Mutex<Vec<String>>) {
    let mut all = Vec::new();
    let mut some = [0; 4096];
    while !all.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut some) {
            Ok(0) | Err(_) => break,
            Ok(count) => all.extend_from_slice(&some[..count]),
        }
    }
    kept.lock().unwrap().push(String::from_utf8_lossy(&all).to_lowercase());
    if answer == b"silence" {
        std::thread::sleep(std::time::Duration::from_secs(5));
    } else {
        let _ = stream.write_all(answer);
        let _ = stream.flush();
    }
}

/// An answer of a status with headers and a body.
pub(crate) fn answer(status: u16, headers: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// An authority of our own, and what it signed.
pub(crate) struct Authority {
    issuer: CertifiedIssuer<'static, KeyPair>,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let issuer = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        Self { issuer }
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust { web: false, own: Some(self.issuer.pem().into_bytes()) }
    }

    pub(crate) fn server(&self, name: &str, years: std::ops::Range<i32>) -> Arc<ServerConfig> {
        let mut params = CertificateParams::new(vec![name.to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
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
}

pub(crate) fn origin(text: &str) -> Origin {
    Origin::parse(text).unwrap()
}

/// A policy that permits these origins at public addresses.
pub(crate) fn listing(origins: &[&str]) -> Policy {
    Policy { origins: origins.iter().map(|o| origin(o)).collect(), ..Policy::default() }
}

pub(crate) fn ask_with(
    network: &Arc<Fake>,
    trust: &Trust,
    policy: &Policy,
    request: Request,
) -> Result<Reply, String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let network = Arc::clone(network) as Arc<dyn Network>;
    let egress = Egress::new(network, trust, Arc::new(Standing)).unwrap();
    let asked = runtime.block_on(egress.ask(Purpose("test"), policy, request));
    asked.map_err(|fault| fault.code().name.to_owned())
}

/// Asks, and answers the body or the code of the refusal.
pub(crate) fn ask(network: &Arc<Fake>, policy: &Policy, text: &str) -> Result<Bytes, String> {
    let target = Target::parse(text).map_err(|fault| fault.code().name.to_owned())?;
    ask_with(network, &Trust::default(), policy, Request::get(target)).map(|reply| reply.body)
}
