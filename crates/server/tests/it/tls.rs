//! TLS of the door: versions, certificates of callers, files that change, and callers that do not
//! finish a handshake.

use crate::client::{Answer, Running, patient};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{
    ClientConfig, ClientConnection, RootCertStore, StreamOwned, SupportedProtocolVersion,
};
use server::{Config, TlsFiles};
use std::io::{Read as _, Write as _};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// An authority, and a folder with what it signed.
struct Authority {
    dir: TempDir,
    issuer: CertifiedIssuer<'static, KeyPair>,
}

/// A certificate and its key as PEM.
struct Signed {
    certificate: String,
    key: String,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let issuer = CertifiedIssuer::self_signed(params, key).unwrap();
        Self { dir: tempfile::tempdir().unwrap(), issuer }
    }

    fn sign(&self, years: std::ops::Range<i32>) -> Signed {
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.not_before = rcgen::date_time_ymd(years.start, 1, 1);
        params.not_after = rcgen::date_time_ymd(years.end, 1, 1);
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        Signed { certificate: certificate.pem(), key: key.serialize_pem() }
    }

    /// Puts a certificate and its key where the server reads them, and the authority beside them.
    fn files(&self, signed: &Signed) -> TlsFiles {
        use std::os::unix::fs::PermissionsExt as _;
        let path = |name: &str| self.dir.path().join(name);
        std::fs::write(path("ca.pem"), self.issuer.pem()).unwrap();
        std::fs::write(path("tls.pem"), &signed.certificate).unwrap();
        std::fs::write(path("tls.key"), &signed.key).unwrap();
        let private = std::fs::Permissions::from_mode(0o600);
        std::fs::set_permissions(path("tls.key"), private).unwrap();
        TlsFiles { certificate: path("tls.pem"), key: path("tls.key"), client_ca: None }
    }

    fn client(&self, versions: &[&'static SupportedProtocolVersion]) -> Arc<ClientConfig> {
        self.client_with(versions, None)
    }

    fn client_with(
        &self,
        versions: &[&'static SupportedProtocolVersion],
        own: Option<&Signed>,
    ) -> Arc<ClientConfig> {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_slice(self.issuer.pem().as_bytes()).unwrap()).unwrap();
        let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
        let builder = ClientConfig::builder_with_provider(provider)
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(roots);
        let mut config = match own {
            None => builder.with_no_client_auth(),
            Some(signed) => {
                let chain = CertificateDer::from_pem_slice(signed.certificate.as_bytes()).unwrap();
                let key = PrivateKeyDer::from_pem_slice(signed.key.as_bytes()).unwrap();
                builder.with_client_auth_cert(vec![chain], key).unwrap()
            }
        };
        config.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Arc::new(config)
    }
}

fn ask(
    server: &Running,
    client: &Arc<ClientConfig>,
    head: &str,
    body: &str,
) -> std::io::Result<Answer> {
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::clone(client), name).unwrap();
    let mut stream = StreamOwned::new(connection, TcpStream::connect(server.address)?);
    let (length, bearer) = (body.len(), server.bearer());
    write!(
        stream,
        "{head} HTTP/1.1\r\nHost: localhost\r\nAuthorization: {bearer}\r\nConnection: close\r\nContent-Type: application/fhir+json\r\nContent-Length: {length}\r\n\r\n{body}"
    )?;
    let mut all = Vec::new();
    stream.read_to_end(&mut all)?;
    assert_eq!(stream.conn.alpn_protocol(), Some(b"http/1.1".as_slice()));
    Ok(Answer::parse(&all))
}

/// The serial number of the certificate a server shows.
fn shown(server: &Running, client: &Arc<ClientConfig>) -> Vec<u8> {
    let connection = ClientConnection::new(Arc::clone(client), "localhost".try_into().unwrap());
    let socket = TcpStream::connect(server.address).unwrap();
    let mut stream = StreamOwned::new(connection.unwrap(), socket);
    stream.flush().unwrap();
    while stream.conn.is_handshaking() {
        stream.conn.complete_io(&mut stream.sock).unwrap();
    }
    stream.conn.peer_certificates().unwrap()[0].to_vec()
}

const BOTH: [&SupportedProtocolVersion; 2] = [&rustls::version::TLS13, &rustls::version::TLS12];

fn serving(files: TlsFiles, more: impl FnOnce(&mut Config)) -> Running {
    Running::with(
        |config| {
            config.tls = Some(files);
            config.tls_look_ms = 20;
            more(config);
        },
        |_| {},
    )
}

/// A `ClientHello` that is whole but for its version, 3.`minor` (RFC 5246 section 7.4.1.2).
fn hello(minor: u8) -> Vec<u8> {
    let mut body = vec![3, minor];
    body.extend([7; 32]);
    // No session; ECDHE_ECDSA_WITH_AES_128_GCM_SHA256 or AES_128_CBC_SHA; no compression.
    body.extend([0, 0, 4, 0xC0, 0x2B, 0xC0, 0x09, 1, 0]);
    // Groups: P-256. Points: as they are. Signatures: ECDSA with SHA-256.
    let extensions = [0, 10, 0, 4, 0, 2, 0, 23, 0, 11, 0, 2, 1, 0, 0, 13, 0, 4, 0, 2, 4, 3];
    body.extend([0, u8::try_from(extensions.len()).unwrap()]);
    body.extend(extensions);
    let length = u8::try_from(body.len()).unwrap();
    let mut all = vec![0x16, 3, 1, 0, length + 4, 1, 0, 0, length];
    all.extend(body);
    all
}

/// Waits until something holds.
fn until(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(20), "it never came to be");
        std::thread::sleep(Duration::from_millis(10));
    }
}

fn metric(server: &Running, client: &Arc<ClientConfig>, name: &str) -> u64 {
    let text = ask(server, client, "GET /metrics", "").unwrap().body;
    let text = String::from_utf8(text).unwrap();
    let line = text.lines().find(|line| line.split(' ').next() == Some(name));
    line.and_then(|line| line.rsplit(' ').next()?.parse().ok()).unwrap_or_else(|| panic!("{text}"))
}

#[test]
fn both_versions_are_spoken_and_addresses_say_so() {
    let authority = Authority::new();
    let server = serving(authority.files(&authority.sign(2020..2090)), |_| {});
    for version in BOTH {
        let client = authority.client(&[version]);
        let made = ask(&server, &client, "POST /fhir/Patient", &patient("", "A")).unwrap();
        assert!(made.status == 201);
        let at = made.header("location").unwrap();
        assert!(at.starts_with("https://localhost/fhir/Patient/"), "{at}");
        assert_eq!(made.header("strict-transport-security"), None, "localhost is shared");
    }
    let client = authority.client(&BOTH);
    let health = ask(&server, &client, "GET /health/ready", "").unwrap();
    assert_eq!(health.at("transport.status"), "tls");
    assert_eq!(health.at("transport.certificate_until"), "2090-01-01T00:00:00.000Z");
    assert_eq!(metric(&server, &client, "plummer_tls_certificate_until_seconds"), 3_786_912_000);
}

#[test]
fn a_named_server_is_to_be_reached_by_tls_only() {
    let authority = Authority::new();
    let named = |c: &mut Config| c.base_url = Some("https://localhost/fhir".to_owned());
    let server = serving(authority.files(&authority.sign(2020..2090)), named);
    let answer = ask(&server, &authority.client(&BOTH), "GET /fhir/metadata", "").unwrap();
    assert_eq!(answer.header("strict-transport-security"), Some("max-age=31536000"));
    let health = ask(&server, &authority.client(&BOTH), "GET /health/ready", "").unwrap();
    assert_eq!(health.at("transport.certificate_names_host"), "true");
}

#[test]
fn older_versions_and_plaintext_are_refused() {
    let authority = Authority::new();
    let server = serving(authority.files(&authority.sign(2020..2090)), |_| {});
    let answered = |minor| {
        let mut stream = TcpStream::connect(server.address).unwrap();
        stream.write_all(&hello(minor)).unwrap();
        let mut head = [0; 7];
        stream.read_exact(&mut head).unwrap();
        (head[0], head[5], head[6])
    };
    // A handshake record with a ServerHello; then alerts, fatal: protocol_version.
    assert_eq!((answered(3).0, answered(3).1), (0x16, 2), "TLS 1.2");
    assert_eq!(answered(2), (0x15, 2, 70), "TLS 1.1");
    assert_eq!(answered(1), (0x15, 2, 70), "TLS 1.0");
    let mut stream = TcpStream::connect(server.address).unwrap();
    stream.write_all(b"GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut all = Vec::new();
    let _ = stream.read_to_end(&mut all);
    assert!(!all.starts_with(b"HTTP/"), "{}", String::from_utf8_lossy(&all));
}

#[test]
fn changed_files_are_taken_and_bad_ones_are_not() {
    let authority = Authority::new();
    let first = authority.sign(2020..2090);
    let server = serving(authority.files(&first), |_| {});
    let client = authority.client(&BOTH);
    let before = shown(&server, &client);
    let kept = ask(&server, &client, "GET /fhir/metadata", "").unwrap();
    assert_eq!(kept.status, 200);
    // A certificate whose key has not come yet, one that is over, and no certificate at all.
    let second = authority.sign(2021..2091);
    let mixed = Signed { certificate: second.certificate.clone(), key: first.key.clone() };
    let broken = Signed { certificate: "nothing".to_owned(), key: first.key };
    for (bad, failures) in [(mixed, 1), (authority.sign(2001..2002), 2), (broken, 3)] {
        authority.files(&bad);
        // Both files are written one after the other, so a look may fall between them.
        until(|| metric(&server, &client, "plummer_tls_reloads_failed_total") >= failures);
        assert_eq!(shown(&server, &client), before);
    }
    authority.files(&second);
    until(|| shown(&server, &client) != before);
    assert!(metric(&server, &client, "plummer_tls_reloads_total") >= 1);
    assert_eq!(ask(&server, &client, "GET /fhir/metadata", "").unwrap().status, 200);
}

#[test]
fn callers_show_certificates_when_an_authority_is_set() {
    let authority = Authority::new();
    let mut files = authority.files(&authority.sign(2020..2090));
    files.client_ca = Some(authority.dir.path().join("ca.pem"));
    let server = serving(files, |_| {});
    let own = authority.sign(2020..2090);
    for version in BOTH {
        let known = authority.client_with(&[version], Some(&own));
        let health = ask(&server, &known, "GET /health/ready", "").unwrap();
        assert_eq!(health.at("transport.callers_show_certificates"), "true");
        let nobody = authority.client(&[version]);
        assert!(ask(&server, &nobody, "GET /fhir/metadata", "").is_err());
        let over = authority.client_with(&[version], Some(&authority.sign(2001..2002)));
        assert!(ask(&server, &over, "GET /fhir/metadata", "").is_err());
        let stranger = Authority::new().sign(2020..2090);
        let stranger = authority.client_with(&[version], Some(&stranger));
        assert!(ask(&server, &stranger, "GET /fhir/metadata", "").is_err());
    }
}

#[test]
fn a_handshake_that_never_ends_is_ended() {
    let authority = Authority::new();
    let quick = |c: &mut Config| c.tls_handshake_ms = 100;
    let mut server = serving(authority.files(&authority.sign(2020..2090)), quick);
    let mut silent = TcpStream::connect(server.address).unwrap();
    let mut all = Vec::new();
    silent.read_to_end(&mut all).unwrap();
    assert!(all.is_empty());
    // One byte now and then does not help.
    let mut slow = TcpStream::connect(server.address).unwrap();
    let began = Instant::now();
    while slow.write_all(&[0x16]).is_ok() {
        assert!(began.elapsed() < Duration::from_secs(20));
        std::thread::sleep(Duration::from_millis(20));
    }
    let client = authority.client(&BOTH);
    assert!(metric(&server, &client, "plummer_tls_handshakes_failed_total") >= 2);
    // An end in order does not wait for a handshake that has not come to anything.
    let quick = |c: &mut Config| c.tls_handshake_ms = 600_000;
    let mut patient = serving(authority.files(&authority.sign(2020..2090)), quick);
    let _silent = TcpStream::connect(patient.address).unwrap();
    std::thread::sleep(Duration::from_millis(100));
    let began = Instant::now();
    patient.stop();
    assert!(began.elapsed() < Duration::from_secs(5));
    server.stop();
}

#[test]
fn files_that_cannot_be_used_are_refused_at_start_by_name() {
    use std::os::unix::fs::PermissionsExt as _;
    let authority = Authority::new();
    let clock: Arc<dyn base::Clock> = Arc::new(base::time::SystemClock);
    let inspect = |files: &TlsFiles| match server::inspect(files, Some("localhost"), &clock) {
        Ok(facts) => format!("{:?}", facts.names_host),
        Err(fault) => {
            assert_eq!(fault.code().name, "server.tls.unusable");
            fault.to_string()
        }
    };
    let good = authority.sign(2020..2090);
    let files = authority.files(&good);
    assert_eq!(inspect(&files), "Some(true)");
    let other = TlsFiles { client_ca: Some("nowhere.pem".into()), ..files.clone() };
    assert!(inspect(&other).contains("nowhere.pem cannot be read"));
    std::fs::set_permissions(&files.key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(inspect(&files).contains("everybody on this machine may read"));
    let wrong = authority.sign(2020..2090);
    authority.files(&Signed { certificate: good.certificate.clone(), key: wrong.key });
    assert!(inspect(&files).contains("do not go together"));
    let swapped = Signed { certificate: good.key.clone(), key: good.certificate.clone() };
    authority.files(&swapped);
    let told = inspect(&files);
    assert!(told.contains("holds no certificate in PEM"), "{told}");
    assert!(!told.contains("PRIVATE"), "no text of the file is quoted");
    authority.files(&Signed { certificate: good.certificate, key: "x".repeat(2 << 20) });
    assert!(inspect(&files).contains("larger than"));
}
