//! TLS as an operator sets it up: a certificate of one's own, a port beyond loopback, a waiver.

use crate::run::Place;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject as _;
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, Stdio};
use std::sync::Arc;

/// A process that ends with the test.
struct Ending(Child);

impl Drop for Ending {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts a server and answers the first line it says, or what it says of why not.
fn serve(place: &Place, more: &[&str]) -> (Ending, String) {
    let mut args = vec!["serve", "--data", "data"];
    args.extend(more);
    let mut command = place.command(&args);
    let child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let mut child = Ending(child);
    let mut line = String::new();
    BufReader::new(child.0.stdout.take().unwrap()).read_line(&mut line).unwrap();
    if line.is_empty() {
        child.0.stderr.take().unwrap().read_to_string(&mut line).unwrap();
    }
    (child, line)
}

#[test]
fn a_certificate_of_ones_own_is_made_once_and_served_with() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let made = place.run(&["tls", "self-signed", "--out", "own"]);
    assert!(made.ok && made.out.contains("tls_key = \"own/tls.key\""), "{made:?}");
    let mode = std::fs::metadata(place.path("own/tls.key")).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let again = place.run(&["tls", "self-signed", "--out", "own"]);
    assert!(!again.ok, "a key is never replaced");
    let too_long = place.run(&["tls", "self-signed", "--out", "other", "--days", "365"]);
    assert!(!too_long.ok && !place.path("other").exists());

    let files = ["--tls-certificate", "own/tls.pem", "--tls-key", "own/tls.key"];
    let check = |more: &[&str]| {
        let mut args = vec!["config", "check"];
        args.extend(files.iter().chain(more));
        place.run(&args)
    };
    assert!(check(&["--base-url", "https://localhost/fhir"]).ok);
    let named = check(&["--base-url", "https://ehr.example/fhir"]);
    assert!(!named.ok && named.err.contains("not for the host"), "{named:?}");

    let mut args = vec!["--listen", "0.0.0.0:0", "--base-url", "https://localhost/fhir"];
    args.extend(files);
    let (_serving, line) = serve(&place, &args);
    let address = line.trim().strip_prefix("Plummer serves https://0.0.0.0:");
    let port = address.and_then(|a| a.strip_suffix("/fhir")).unwrap_or_else(|| panic!("{line}"));
    let mut roots = RootCertStore::empty();
    let pem = std::fs::read(place.path("own/tls.pem")).unwrap();
    roots.add(CertificateDer::from_pem_slice(&pem).unwrap()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = "localhost".try_into().unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let socket = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    let mut stream = StreamOwned::new(connection, socket);
    stream
        .write_all(b"GET /fhir/metadata HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        .unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(answer.contains("strict-transport-security: max-age="));
}

#[test]
fn a_server_whose_greeting_nobody_reads_serves_all_the_same() {
    let place = Place::new();
    let mut command = place.command(&["serve", "--data", "data", "--listen", "127.0.0.1:0"]);
    let mut child = Ending(command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap());
    drop(child.0.stdout.take());
    let mut log = BufReader::new(child.0.stderr.take().unwrap());
    let mut line = String::new();
    while !line.contains("the greeting could not be written") {
        line.clear();
        assert_ne!(log.read_line(&mut line).unwrap(), 0, "it ended");
    }
    assert!(place.run(&["policy", "standing"]).ok, "it answers");
    assert!(child.0.try_wait().unwrap().is_none());
}

#[test]
fn files_that_are_no_certificate_keep_the_port_shut() {
    let place = Place::new();
    place.write("tls.pem", "no certificate");
    place.write("tls.key", "no key");
    let files = ["--tls-certificate", "tls.pem", "--tls-key", "tls.key", "--listen", "127.0.0.1:0"];
    let (_ended, said) = serve(&place, &files);
    assert!(said.contains("tls.pem holds no certificate in PEM"), "{said}");
    let mut args = vec!["config", "check"];
    args.extend(files);
    assert!(!place.run(&args).ok);
}

#[test]
fn plaintext_leaves_the_machine_only_under_a_waiver_that_is_told() {
    let place = Place::new();
    let day = |days: i64| {
        use base::Clock as _;
        let now = base::time::SystemClock.now().0 + days * 86_400_000;
        base::Millis(now).to_instant().get(..10).unwrap().to_owned()
    };
    let outside = ["--listen", "0.0.0.0:0", "--base-url", "http://ehr.example/fhir"];
    let with = |waiver: &str| {
        let mut args = outside.to_vec();
        args.extend(["--plaintext-waiver", waiver]);
        serve(&place, &args)
    };
    let (_ended, said) = serve(&place, &outside);
    assert!(said.contains("speaks TLS only"), "{said}");
    let (_ended, said) = with(&format!("{} the proxy on the next machine", day(-1)));
    assert!(said.contains("the waiver is over"), "{said}");
    let (_ended, said) = with(&format!("{} the proxy on the next machine", day(500)));
    assert!(said.contains("within a year"), "{said}");
    let (mut serving, said) = with(&format!("{} the proxy on the next machine", day(30)));
    assert!(said.starts_with("Plummer serves http://0.0.0.0:"), "{said}");
    let _ = serving.0.kill();
    let mut log = String::new();
    serving.0.stderr.take().unwrap().read_to_string(&mut log).unwrap();
    assert!(
        log.contains("TLS is waived") && log.contains("the proxy on the next machine"),
        "{log}"
    );
}
