//! Key sets of apps, fetched from the addresses they registered: over TLS by an authority of our own, in
//! a network that the test decides, so that nothing is asked that was not registered and nobody is made
//! to ask inside the house.

use crate::client::Answer;
use crate::smart_site::{Making, Site};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base::time::SystemClock;
use base::{Clock, Millis};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use egress::{Egress, Network, Origin, Pending, System, Trust};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use server::KeySets;
use smart::{Proves, Registration, Scopes};
use std::io::{Read, Write};
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::atomic::{AtomicI64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

const HOST: &str = "keys.example";
const URL: &str = "https://keys.example/jwks";
const PUBLIC: &str = "93.184.215.14";

/// The system's clock, moved on by a test.
#[derive(Debug, Default)]
struct Moved(AtomicI64);

impl Clock for Moved {
    fn now(&self) -> Millis {
        Millis(SystemClock.now().0 + self.0.load(Ordering::SeqCst))
    }
}

/// Every name is at one address, and every connection ends at one system of ours.
#[derive(Debug)]
struct Fake {
    found: IpAddr,
    system: SocketAddr,
    dialled: Mutex<Vec<SocketAddr>>,
}

impl Network for Fake {
    fn resolve<'a>(&'a self, _name: &'a str) -> Pending<'a, Vec<IpAddr>> {
        Box::pin(async { Ok(vec![self.found]) })
    }

    fn connect(&self, to: SocketAddr) -> Pending<'_, TcpStream> {
        self.dialled.lock().unwrap().push(to);
        Box::pin(TcpStream::connect(self.system))
    }
}

/// The system of an app, which answers as it is told.
struct Other {
    address: SocketAddr,
    answer: Arc<Mutex<Vec<u8>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Other {
    fn start(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let other = Self {
            address: listener.local_addr().unwrap(),
            answer: Arc::default(),
            asked: Arc::default(),
        };
        let (answer, asked) = (Arc::clone(&other.answer), Arc::clone(&other.asked));
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let stream = stream.unwrap();
                match &tls {
                    None => serve(stream, &answer, &asked),
                    Some(config) => {
                        let connection = ServerConnection::new(Arc::clone(config)).unwrap();
                        let mut stream = StreamOwned::new(connection, stream);
                        serve(&mut stream, &answer, &asked);
                        stream.conn.send_close_notify();
                        let _ = stream.flush();
                    }
                }
            }
        });
        other
    }

    /// From now on it answers so.
    fn says(&self, status: u16, headers: &str, body: &str) {
        let head =
            format!("HTTP/1.1 {status} X\r\n{headers}Content-Length: {}\r\n\r\n{body}", body.len());
        *self.answer.lock().unwrap() = head.into_bytes();
    }

    fn asked(&self) -> usize {
        self.asked.lock().unwrap().len()
    }
}

/// An empty answer is silence.
fn serve(mut stream: impl Read + Write, answer: &Mutex<Vec<u8>>, asked: &Mutex<Vec<String>>) {
    let (mut all, mut some) = (Vec::new(), [0; 4096]);
    while !all.windows(4).any(|w| w == b"\r\n\r\n") {
        match stream.read(&mut some) {
            Ok(0) | Err(_) => return,
            Ok(count) => all.extend_from_slice(&some[..count]),
        }
    }
    asked.lock().unwrap().push(String::from_utf8_lossy(&all).into_owned());
    let answer = answer.lock().unwrap().clone();
    if answer.is_empty() {
        std::thread::sleep(Duration::from_secs(4));
    }
    let _ = stream.write_all(&answer);
    let _ = stream.flush();
}

/// An authority of our own, and what it signs for the host.
struct Authority(CertifiedIssuer<'static, KeyPair>);

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        Self(CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap())
    }

    fn trust(&self) -> Trust {
        Trust { web: false, own: Some(self.0.pem().into_bytes()) }
    }

    fn server(&self) -> Arc<ServerConfig> {
        let params = CertificateParams::new(vec![HOST.to_owned()]).unwrap();
        let key = KeyPair::generate().unwrap();
        let certificate = params.signed_by(&key, &self.0).unwrap();
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

struct Signer {
    key: EcdsaKeyPair,
    kid: &'static str,
}

fn part(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

impl Signer {
    fn new(kid: &'static str) -> Self {
        Self { key: EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).unwrap(), kid }
    }

    fn set(&self) -> String {
        let point = self.key.public_key().as_ref();
        let (x, y) = (part(&point[1..49]), part(&point[49..]));
        format!(
            r#"{{"keys":[{{"kty":"EC","crv":"P-384","alg":"ES384","kid":"{}","x":"{x}","y":"{y}"}}]}}"#,
            self.kid
        )
    }
}

/// A house with a service whose keys stand at an address.
struct House {
    site: Site,
    other: Other,
    network: Arc<Fake>,
    clock: Arc<Moved>,
    count: AtomicI64,
    // Dropped last: what is fetched is fetched on it.
    runtime: Runtime,
}

impl House {
    fn new() -> Self {
        Self::with(PUBLIC, true)
    }

    fn with(found: &str, trusted: bool) -> Self {
        let authority = Authority::new();
        let other = Other::start(Some(authority.server()));
        let trust = if trusted { authority.trust() } else { Trust::default() };
        Self::of(found, &trust, other, Vec::new())
    }

    fn of(found: &str, trust: &Trust, other: Other, private: Vec<Origin>) -> Self {
        let runtime = Runtime::new().unwrap();
        let network = Arc::new(Fake {
            found: found.parse().unwrap(),
            system: other.address,
            dialled: Mutex::default(),
        });
        let clock = Arc::new(Moved::default());
        let way: Arc<dyn Network> = Arc::clone(&network) as _;
        let egress = Egress::new(way, trust, Arc::new(SystemClock)).unwrap();
        let fetch = KeySets::new(egress, private, runtime.handle().clone());
        let making = Making {
            fetch: Arc::new(fetch),
            clock: Arc::clone(&clock) as _,
            search_threads: 1,
            ..Making::default()
        };
        let site = Site::with(making);
        Self { site, other, network, clock, count: AtomicI64::new(0), runtime }
    }

    /// A service whose keys stand there.
    fn service(&self, url: &str) -> String {
        let registration = Registration {
            name: format!("feed-{}", self.count.fetch_add(1, Ordering::SeqCst)),
            display: "Registry feed".to_owned(),
            redirects: Vec::new(),
            launch_url: None,
            proves: Proves::KeysAt(url.to_owned()),
            scopes: Scopes::parse("system/Patient.rs").unwrap(),
            roles: vec!["system".to_owned()],
            introspects: false,
            agent: false,
        };
        self.site.smart.register_app(registration).unwrap().app.id.to_string()
    }

    fn ask(&self, id: &str, signer: &Signer, kid: &str) -> Answer {
        let at = self.count.fetch_add(1, Ordering::SeqCst);
        let claims = format!(
            r#"{{"iss":"{id}","sub":"{id}","aud":"http://{}/auth/token","exp":{},"jti":"j{at}"}}"#,
            self.site.address,
            self.clock.now().0 / 1000 + 60
        );
        let header = part(format!(r#"{{"alg":"ES384","typ":"JWT","kid":"{kid}"}}"#).as_bytes());
        let text = format!("{header}.{}", part(claims.as_bytes()));
        let signature = signer.key.sign(&SystemRandom::new(), text.as_bytes()).unwrap();
        let fields = [
            ("grant_type", "client_credentials"),
            ("scope", "system/Patient.rs"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", &format!("{text}.{}", part(signature.as_ref()))),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()));
        let form = [("Content-Type", "application/x-www-form-urlencoded")];
        self.site.send("POST", "/auth/token", &form, &search::parse::encode_query(&fields))
    }

    fn status(&self, id: &str, signer: &Signer) -> u16 {
        self.ask(id, signer, signer.kid).status
    }
}

#[test]
fn a_rotated_key_is_fetched_and_one_that_was_taken_away_is_refused() {
    let (house, old, new) = (House::new(), Signer::new("old"), Signer::new("new"));
    let id = house.service(URL);
    house.other.says(200, "Cache-Control: max-age=120\r\n", &old.set());
    let token = house.ask(&id, &old, "old");
    assert_eq!(token.status, 200, "{}", token.text());
    let read = house.site.ask(&token.at("access_token"), "GET", "/Patient", "");
    assert_eq!(read.status, 200);
    assert_eq!(house.status(&id, &old), 200);
    assert_eq!(house.other.asked(), 1, "kept as long as its address says");
    let asked = house.other.asked.lock().unwrap()[0].to_lowercase();
    assert!(asked.starts_with("get /jwks http/1.1\r\n"), "{asked}");
    assert!(asked.contains("accept: application/json\r\n") && !asked.contains("authorization"));
    assert_eq!(house.network.dialled.lock().unwrap()[0].to_string(), format!("{PUBLIC}:443"));
    // Rotated: a name that is not known yet asks anew.
    house.other.says(200, "Cache-Control: max-age=120\r\n", &new.set());
    house.clock.0.fetch_add(10_000, Ordering::SeqCst);
    assert_eq!(house.status(&id, &new), 200);
    assert_eq!(house.status(&id, &old), 401);
    // Taken away: when what is kept is over, at the latest.
    house.other.says(200, "", r#"{"keys":[]}"#);
    house.clock.0.fetch_add(121_000, Ordering::SeqCst);
    assert_eq!(house.status(&id, &new), 401);
    // Whoever signs with another key under a known name is nobody.
    house.other.says(200, "", &new.set());
    house.clock.0.fetch_add(61_000, Ordering::SeqCst);
    assert_eq!(house.ask(&id, &old, "new").status, 401);
    assert_eq!(house.status(&id, &new), 200);
}

#[test]
fn a_flood_of_unknown_names_asks_once_in_an_interval() {
    let (house, own, foreign) = (House::new(), Signer::new("own"), Signer::new("foreign"));
    let id = house.service(URL);
    house.other.says(200, "Cache-Control: max-age=300\r\n", &own.set());
    for at in 0..20 {
        assert_eq!(house.ask(&id, &foreign, &format!("made-up-{at}")).status, 401);
    }
    assert_eq!(house.other.asked(), 1);
    house.clock.0.fetch_add(10_000, Ordering::SeqCst);
    for at in 20..40 {
        assert_eq!(house.ask(&id, &foreign, &format!("made-up-{at}")).status, 401);
    }
    assert_eq!(house.other.asked(), 2);
    assert_eq!(house.status(&id, &own), 200, "whoever has a key is not held up");
    assert_eq!(house.other.asked(), 2);
}

#[test]
fn an_address_that_fails_is_left_alone_for_a_while() {
    let (house, signer) = (House::new(), Signer::new("k1"));
    let id = house.service(URL);
    for (status, body) in [(500, signer.set()), (404, signer.set()), (200, "{".to_owned())] {
        house.other.says(status, "", &body);
        let before = house.other.asked();
        for _ in 0..5 {
            assert_eq!(house.status(&id, &signer), 401, "{status}");
        }
        assert_eq!(house.other.asked(), before + 1, "{status}");
        house.clock.0.fetch_add(30_000, Ordering::SeqCst);
    }
    house.other.says(200, "", &" ".repeat(33 << 10));
    assert_eq!(house.status(&id, &signer), 401, "larger than a key set is");
    house.other.says(200, "", &signer.set());
    house.clock.0.fetch_add(30_000, Ordering::SeqCst);
    assert_eq!(house.status(&id, &signer), 200);
}

/// Guard 41.
#[test]
fn attack_41_no_registered_address_makes_the_server_ask_inside_the_house() {
    let signer = Signer::new("k1");
    for found in ["127.0.0.1", "10.0.0.5", "169.254.169.254", "::1", "fd00::1", "fe80::1"] {
        let house = House::with(found, true);
        house.other.says(200, "", &signer.set());
        assert_eq!(house.status(&house.service(URL), &signer), 401, "{found}");
        assert!(house.network.dialled.lock().unwrap().is_empty(), "{found}");
    }
    let house = House::new();
    house.other.says(200, "", &signer.set());
    for url in [
        "https://127.0.0.1/jwks",
        "https://169.254.169.254/latest/meta-data/",
        "https://10.0.0.5/jwks",
        "http://127.0.0.1/jwks",
        "http://localhost/jwks",
    ] {
        assert_eq!(house.status(&house.service(url), &signer), 401, "{url}");
    }
    assert!(house.network.dialled.lock().unwrap().is_empty());
    // A redirect is an answer like any other, and no key set.
    for to in ["http://169.254.169.254/", "https://keys.example/other", "//127.0.0.1/"] {
        house.other.says(302, &format!("Location: {to}\r\n"), "");
        let before = house.network.dialled.lock().unwrap().len();
        assert_eq!(house.status(&house.service(URL), &signer), 401, "{to}");
        assert_eq!(house.network.dialled.lock().unwrap().len(), before + 1, "{to}");
    }
}

#[test]
fn whoever_cannot_prove_the_name_is_not_believed() {
    let signer = Signer::new("k1");
    let house = House::with(PUBLIC, false);
    house.other.says(200, "", &signer.set());
    assert_eq!(house.status(&house.service(URL), &signer), 401);
    assert_eq!(house.other.asked(), 0, "an authority that nobody believes");
    let house = House::new();
    house.other.says(200, "", &signer.set());
    assert_eq!(house.status(&house.service("https://other.example/jwks"), &signer), 401);
    assert_eq!(house.other.asked(), 0, "a certificate of another name");
}

#[test]
fn an_origin_in_the_house_is_asked_when_it_is_listed() {
    let signer = Signer::new("k1");
    let other = Other::start(None);
    other.says(200, "", &signer.set());
    let at = |port: u16| format!("http://127.0.0.1:{port}");
    let origin = at(other.address.port());
    let private = vec![Origin::parse(&origin).unwrap()];
    let house = House::of("127.0.0.1", &Trust::default(), other, private);
    assert_eq!(house.status(&house.service(&format!("{origin}/jwks")), &signer), 200);
    let beside = at(house.other.address.port() ^ 1);
    assert_eq!(house.status(&house.service(&format!("{beside}/jwks")), &signer), 401);
    assert_eq!(house.other.asked(), 1);
    // The machine's own network, as in service, goes the same way.
    let egress = Egress::new(Arc::new(System), &Trust::default(), Arc::new(SystemClock)).unwrap();
    let private = vec![Origin::parse(&origin).unwrap()];
    let fetch = KeySets::new(egress, private, house.runtime.handle().clone());
    let fetched = smart::Fetch::get(&fetch, &format!("{origin}/jwks"), 1 << 15).unwrap();
    assert_eq!(fetched.body, signer.set().into_bytes());
    assert_eq!(fetched.max_age_s, None);
}

#[test]
fn a_slow_address_holds_up_nobody_else() {
    let (house, signer) = (House::new(), Signer::new("k1"));
    let id = house.service(URL);
    let all = house.site.all.clone();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| assert_eq!(house.status(&id, &signer), 401));
        }
        while house.other.asked() == 0 {
            std::thread::sleep(Duration::from_millis(10));
        }
        // The one thread for searches is free.
        let began = Instant::now();
        assert_eq!(house.site.ask(&all, "GET", "/Patient?name=love", "").status, 200);
        assert!(began.elapsed() < Duration::from_secs(2), "{:?}", began.elapsed());
    });
    assert_eq!(house.other.asked(), 1, "several at once ask once");
}
