//! An issuer that does as it is told, over TLS with an authority of its own: discovery, keys, and
//! codes traded for tokens; and a network on which its name leads to it.

use crate::client::Answer;
use crate::smart_site::{Federate, Site, System, Visitor, value};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base::Clock as _;
use base::time::SystemClock;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use egress::{Network, Pending, Trust};
use federation::{Federation, Ground, Issuer, Party, Way};
use identity::{PrincipalId, Secret};
use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, IsCa, KeyPair};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};
use std::collections::HashMap;
use std::io::Write as _;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::{Arc, Mutex};
use tokio::net::TcpStream;

/// Where the world believes the issuers to be.
const ADDRESSES: [(&str, [u8; 4]); 2] =
    [("id.example", [93, 184, 215, 14]), ("other.example", [93, 184, 215, 15])];
pub(crate) const SECRET: &str = "geheim: 100 % + mehr";

/// JSON as text with members that are put in, replaced or taken away.
pub(crate) type Members = Vec<(&'static str, Option<String>)>;

/// What the issuer does the next time.
pub(crate) struct Script {
    /// Members of the claims: JSON, or none to leave them out.
    pub(crate) claims: Members,
    /// Members of the header.
    pub(crate) header: Members,
    /// What is done to the token in the end.
    pub(crate) twist: fn(String, &Key) -> String,
    /// The key that signs.
    pub(crate) key: Key,
    /// The names under which keys are told; none leaves the key out.
    pub(crate) told: Option<String>,
    /// Says in its answers who it is.
    pub(crate) names_itself: bool,
    /// Takes any code, from whomever.
    pub(crate) careless: bool,
}

/// A key of an issuer.
#[derive(Clone)]
pub(crate) struct Key {
    pair: Arc<EcdsaKeyPair>,
    pub(crate) kid: String,
}

impl Key {
    pub(crate) fn new(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { pair: Arc::new(pair), kid: kid.to_owned() }
    }

    /// The uncompressed point.
    pub(crate) fn public(&self) -> &[u8] {
        self.pair.public_key().as_ref()
    }

    fn jwk(&self, kid: &str) -> String {
        let point = self.public();
        let (x, y) = (part(&point[1..33]), part(&point[33..]));
        format!(
            r#"{{"kty":"EC","crv":"P-256","use":"sig","alg":"ES256","kid":"{kid}","x":"{x}","y":"{y}"}}"#
        )
    }

    pub(crate) fn sign(&self, text: &str) -> String {
        part(self.pair.sign(&SystemRandom::new(), text.as_bytes()).unwrap())
    }
}

pub(crate) fn part(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A code that waits, and what it was given for.
struct Given {
    nonce: String,
    challenge: String,
    redirect: String,
}

struct Inside {
    name: String,
    script: Mutex<Script>,
    codes: Mutex<HashMap<String, Given>>,
    /// Heads and bodies of what was asked.
    asked: Mutex<Vec<String>>,
}

/// The issuer.
pub(crate) struct Fake {
    pub(crate) issuer: String,
    address: SocketAddr,
    authority: String,
    inside: Arc<Inside>,
}

impl Fake {
    pub(crate) fn start(host: &str) -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        let own = CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap();
        let tls = server_config(&own, host);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let issuer = format!("https://{host}/realm");
        let key = Key::new("first");
        let script = Script {
            claims: Vec::new(),
            header: Vec::new(),
            twist: |token, _| token,
            told: Some(key.kid.clone()),
            key,
            names_itself: true,
            careless: false,
        };
        let inside = Arc::new(Inside {
            name: issuer.clone(),
            script: Mutex::new(script),
            codes: Mutex::default(),
            asked: Mutex::default(),
        });
        let served = Arc::clone(&inside);
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let (served, tls) = (Arc::clone(&served), Arc::clone(&tls));
                std::thread::spawn(move || {
                    let connection = ServerConnection::new(tls).unwrap();
                    let mut stream = StreamOwned::new(connection, stream.unwrap());
                    let Some((head, body)) = read(&mut stream) else { return };
                    let (status, text) = served.answer(&head, &body);
                    served.asked.lock().unwrap().push(format!("{head}\r\n\r\n{body}"));
                    let reply = format!(
                        "HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n{text}",
                        text.len()
                    );
                    let _ = stream.write_all(reply.as_bytes());
                    stream.conn.send_close_notify();
                    let _ = stream.flush();
                });
            }
        });
        Self { issuer, address, authority: own.pem(), inside }
    }

    /// Changes what it does.
    pub(crate) fn script(&self, change: impl FnOnce(&mut Script)) {
        change(&mut self.inside.script.lock().unwrap());
    }

    /// Sets claims, each as JSON; none leaves one out.
    pub(crate) fn says(&self, claims: &[(&'static str, &str)]) {
        let claims = claims.iter().map(|(n, v)| (*n, (!v.is_empty()).then(|| (*v).to_owned())));
        self.script(|script| script.claims = claims.collect());
    }

    /// What it was asked at a path.
    pub(crate) fn asked(&self, path: &str) -> Vec<String> {
        let asked = self.inside.asked.lock().unwrap();
        let at = |line: &&String| line.split(' ').nth(1).is_some_and(|p| p == path);
        asked.iter().filter(at).cloned().collect()
    }

    /// Somebody signs in there: the query with which the browser comes back.
    pub(crate) fn agree(&self, address: &str) -> String {
        assert!(address.starts_with(&format!("{}/authorize?", self.issuer)), "{address}");
        let one = |name: &str| value(address, name).unwrap_or_else(|| panic!("{name}: {address}"));
        assert_eq!(one("response_type"), "code");
        assert_eq!(one("client_id"), "plummer");
        assert_eq!(one("code_challenge_method"), "S256");
        let given = Given {
            nonce: one("nonce"),
            challenge: one("code_challenge"),
            redirect: one("redirect_uri"),
        };
        let code = part(given.nonce.as_bytes());
        self.inside.codes.lock().unwrap().insert(code.clone(), given);
        let mut pairs = vec![("code".to_owned(), code), ("state".to_owned(), one("state"))];
        if self.inside.script.lock().unwrap().names_itself {
            pairs.push(("iss".to_owned(), self.issuer.clone()));
        }
        search::parse::encode_query(&pairs)
    }

    /// What a site says of it.
    pub(crate) fn settings(&self, name: &str, more: &str) -> Issuer {
        let text = format!(
            r#"{{"name":"{name}","label":"House {name}","issuer":"{}","client_id":"plummer",
            "algorithms":["ES256"],"scopes":["profile","groups"],
            "roles":[{{"claim":"groups","value":"nurses","role":"nurse"}},
                     {{"claim":"groups","value":"doctors","role":"clinician"}}]{more}}}"#,
            self.issuer
        );
        serde_json::from_str(&text).unwrap()
    }

    pub(crate) fn trust(&self) -> Trust {
        Trust { web: false, own: Some(self.authority.clone().into_bytes()) }
    }
}

impl Inside {
    fn answer(&self, head: &str, body: &str) -> (u16, String) {
        let path = head.split(' ').nth(1).unwrap_or_default();
        let script = self.script.lock().unwrap();
        let name = &self.name;
        match path.strip_prefix("/realm").unwrap_or_default() {
            "/.well-known/openid-configuration" => (
                200,
                format!(
                    r#"{{"issuer":"{name}","authorization_endpoint":"{name}/authorize","token_endpoint":"{name}/token","jwks_uri":"{name}/keys","response_types_supported":["code"],"code_challenge_methods_supported":["S256"],"authorization_response_iss_parameter_supported":{}}}"#,
                    script.names_itself
                ),
            ),
            "/keys" => {
                let keys = script.told.iter().map(|kid| script.key.jwk(kid)).collect::<String>();
                (200, format!(r#"{{"keys":[{keys}]}}"#))
            }
            "/token" => self.trade(&script, head, body),
            _ => (404, "{}".to_owned()),
        }
    }

    fn trade(&self, script: &Script, head: &str, body: &str) -> (u16, String) {
        let one = |name: &str| value(&format!("?{body}"), name).unwrap_or_default();
        let refused = || (400, r#"{"error":"invalid_grant"}"#.to_owned());
        let basic = head.lines().find_map(|line| line.strip_prefix("authorization: Basic "));
        let basic = basic.and_then(|text| STANDARD.decode(text).ok()).unwrap_or_default();
        let secret = search::parse::encode_query(&[("x".to_owned(), SECRET.to_owned())]);
        let proof = format!("plummer:{}", secret.trim_start_matches("x="));
        if String::from_utf8(basic).ok() != Some(proof) {
            return (401, r#"{"error":"invalid_client"}"#.to_owned());
        }
        let given = self.codes.lock().unwrap().remove(&one("code"));
        let Some(given) = given else { return refused() };
        let hash =
            aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, one("code_verifier").as_bytes());
        let right = part(hash.as_ref()) == given.challenge && one("redirect_uri") == given.redirect;
        if !right && !script.careless {
            return refused();
        }
        let access = "an-access-token";
        let hash = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, access.as_bytes());
        let now = SystemClock.now().0 / 1000;
        let claims: Members = vec![
            ("iss", Some(format!("\"{}\"", self.name))),
            ("sub", Some("\"subject-1\"".to_owned())),
            ("aud", Some("\"plummer\"".to_owned())),
            ("exp", Some((now + 300).to_string())),
            ("iat", Some(now.to_string())),
            ("auth_time", Some(now.to_string())),
            ("nonce", Some(format!("\"{}\"", given.nonce))),
            ("at_hash", Some(format!("\"{}\"", part(&hash.as_ref()[..16])))),
            ("preferred_username", Some("\"grace\"".to_owned())),
            ("name", Some("\"Grace Hopper\"".to_owned())),
            ("groups", Some("[\"nurses\"]".to_owned())),
        ];
        let header: Members = vec![
            ("alg", Some("\"ES256\"".to_owned())),
            ("typ", Some("\"JWT\"".to_owned())),
            ("kid", Some(format!("\"{}\"", script.key.kid))),
        ];
        let text = format!(
            "{}.{}",
            part(object(header, &script.header)),
            part(object(claims, &script.claims))
        );
        let token = format!("{text}.{}", script.key.sign(&text));
        let token = (script.twist)(token, &script.key);
        (
            200,
            format!(r#"{{"access_token":"{access}","token_type":"Bearer","id_token":"{token}"}}"#),
        )
    }
}

/// An object of members, some of them overridden.
fn object(mut members: Members, over: &Members) -> String {
    for (name, value) in over {
        members.retain(|(own, _)| own != name);
        members.push((name, value.clone()));
    }
    let members = members.into_iter().filter_map(|(n, v)| Some(format!("\"{n}\":{}", v?)));
    format!("{{{}}}", members.collect::<Vec<_>>().join(","))
}

fn read(stream: &mut impl std::io::Read) -> Option<(String, String)> {
    let mut all = Vec::new();
    let mut some = [0; 4096];
    loop {
        if let Some(at) = all.windows(4).position(|w| w == b"\r\n\r\n") {
            let head = String::from_utf8_lossy(&all[..at]).into_owned();
            let length = head
                .lines()
                .find_map(|l| l.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
            if all.len() >= at + 4 + length.unwrap_or(0) {
                return Some((head, String::from_utf8_lossy(&all[at + 4..]).into_owned()));
            }
        }
        match stream.read(&mut some) {
            Ok(0) | Err(_) => return None,
            Ok(count) => all.extend_from_slice(&some[..count]),
        }
    }
}

fn server_config(own: &CertifiedIssuer<'static, KeyPair>, host: &str) -> Arc<ServerConfig> {
    let mut params = CertificateParams::new(vec![host.to_owned()]).unwrap();
    params.not_before = rcgen::date_time_ymd(2020, 1, 1);
    params.not_after = rcgen::date_time_ymd(2090, 1, 1);
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, own).unwrap();
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

/// A network on which names lead to the issuers of a test.
#[derive(Debug)]
struct World(HashMap<IpAddr, SocketAddr>);

impl Network for World {
    fn resolve<'a>(&'a self, name: &'a str) -> Pending<'a, Vec<IpAddr>> {
        let found = ADDRESSES.iter().find(|(host, _)| *host == name);
        let found = found.map(|(_, address)| vec![IpAddr::from(*address)]);
        let none = || std::io::Error::from(std::io::ErrorKind::NotFound);
        Box::pin(async move { found.ok_or_else(none) })
    }

    fn connect(&self, to: SocketAddr) -> Pending<'_, TcpStream> {
        let real = self.0.get(&to.ip()).copied();
        Box::pin(async move {
            assert_eq!(to.port(), 443);
            TcpStream::connect(real.ok_or(std::io::ErrorKind::ConnectionRefused)?).await
        })
    }
}

/// The issuers of a site, each with what the site says of it and whom it believes.
pub(crate) fn federate(parties: Vec<(&Fake, Issuer, Trust)>) -> Federate {
    let world = parties.iter().map(|(fake, _, _)| {
        let host = fake.issuer.strip_prefix("https://").and_then(|t| t.split('/').next());
        let (_, address) = ADDRESSES.iter().find(|(name, _)| Some(*name) == host).unwrap();
        (IpAddr::from(*address), fake.address)
    });
    let world = Arc::new(World(world.collect()));
    let parties: Vec<_> = parties.into_iter().map(|(_, issuer, trust)| (issuer, trust)).collect();
    Box::new(move |runtime| {
        let party = |(issuer, trust): (Issuer, Trust)| {
            let (network, clock) = (Arc::clone(&world) as _, Arc::new(SystemClock));
            let way = Way::new(&issuer, network, &trust, clock, runtime.clone()).unwrap();
            Party { issuer, secret: Some(Secret::from(SECRET)), ask: Arc::new(way) }
        };
        let ground = Ground {
            clock: Arc::new(SystemClock),
            random: Arc::new(System),
            administrator_role: "it-administrator".to_owned(),
        };
        Federation::new(ground, parties.into_iter().map(party).collect()).unwrap()
    })
}

/// A site with one issuer, of which it says this as well.
pub(crate) fn site(fake: &Fake, more: &str) -> Site {
    Site::federated(true, federate(vec![(fake, fake.settings("st", more), fake.trust())]))
}

impl Site {
    /// The roles of whoever has a sign-in name.
    pub(crate) fn roles(&self, name: &str) -> Vec<String> {
        self.smart.identity().find_by_name(name).unwrap().unwrap().profile.roles
    }

    pub(crate) fn id(&self, name: &str) -> PrincipalId {
        self.smart.identity().find_by_name(name).unwrap().unwrap().id
    }

    /// Gives somebody other roles.
    pub(crate) fn give(&self, name: &str, roles: &[&str]) {
        let one = self.smart.identity().find_by_name(name).unwrap().unwrap();
        let roles = roles.iter().map(|role| (*role).to_owned()).collect();
        let profile = identity::Profile { roles, ..one.profile };
        self.smart.identity().change(one.id, one.version, profile).unwrap();
    }

    /// What the access log holds of an act, as kinds and targets.
    pub(crate) fn logged(&self, kind: audit::event::Kind) -> Vec<String> {
        let of = |entry: audit::Entry| {
            let event = entry.event;
            (event.kind == kind).then(|| {
                let targets = event.targets.iter().map(|t| match t.resource_type.as_ref() {
                    "Issuer" => format!("Issuer/{}", t.id.clone().unwrap_or_default()),
                    other => other.to_owned(),
                });
                format!("{} {}", event.status, targets.collect::<Vec<_>>().join(","))
            })
        };
        for _ in 0..100 {
            let all = crate::client::read_log(self.dir.path()).map(Result::unwrap);
            let found: Vec<_> = all.filter_map(of).collect();
            if !found.is_empty() {
                return found;
            }
            std::thread::sleep(std::time::Duration::from_millis(10));
        }
        Vec::new()
    }
}

impl Visitor<'_> {
    /// Presses the button of an issuer: where the browser is sent.
    pub(crate) fn choose(&mut self, issuer: &str, next: &str) -> Answer {
        if self.form.is_empty() {
            self.open("/auth/sign-in");
        }
        let fields =
            [("form", self.form.clone()), ("issuer", issuer.to_owned()), ("next", next.to_owned())];
        let fields: Vec<_> = fields.into_iter().map(|(n, v)| (n.to_owned(), v)).collect();
        self.post("/auth/oidc", &fields, &[])
    }

    /// The whole way by the issuer `st`: the page on which it ends.
    pub(crate) fn by(&mut self, fake: &Fake) -> Answer {
        let sent = self.choose("st", "");
        let back = fake.agree(sent.header("location").expect("an address"));
        self.come_back("st", &back)
    }

    /// Comes back from an issuer.
    pub(crate) fn come_back(&mut self, issuer: &str, query: &str) -> Answer {
        let answer = self.send("GET", &format!("/auth/oidc-{issuer}?{query}"), &[], "");
        self.follow(answer)
    }
}
