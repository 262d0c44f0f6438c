//! A site for tests: a turned clock, a shelf in memory, randomness that counts, apps that sign.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P384_SHA384_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use base::Fault;
use base::id::{Random as _, Seeded};
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use identity::{
    Caller, Cost, CryptoRandom, Identity, Kind, Memory, Principal, Profile, Secret, Step,
};
use parking_lot::Mutex;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};
use smart::{
    Fetch, Fetched, Ground, Issued, Params, Place, Proves, Refused, Registered, Registration,
    Scopes, Settings, Shown, Smart, Turned,
};
use testkit::clock::Turned as Clock;

pub(crate) const START_MS: i64 = 1_795_340_467_000;
pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(crate) const PASSWORD: &str = "tulpen in rotterdam";
pub(crate) const BACK: &str = "https://app.example/cb";
pub(crate) const STATE: &str = "state-of-sixteen-or-more";
/// The pair of RFC 7636, appendix B.
pub(crate) const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
pub(crate) const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";

/// Distinct bytes at every call. Never for anything but tests.
#[derive(Debug, Default)]
struct Counted(AtomicU64);

impl CryptoRandom for Counted {
    fn fill(&self, out: &mut [u8]) -> Result<(), Fault> {
        let mut bits = Seeded::new(self.0.fetch_add(1, Ordering::SeqCst));
        for byte in out {
            *byte = bits.next_u64().to_le_bytes()[0];
        }
        Ok(())
    }
}

/// Answers with whatever a test put there, and notes what was asked.
#[derive(Debug, Default)]
pub(crate) struct Posted {
    pub(crate) body: Mutex<String>,
    pub(crate) asked: Mutex<Vec<String>>,
}

impl Fetch for Posted {
    fn get(&self, url: &str, _bytes_max: usize) -> Result<Fetched, Fault> {
        self.asked.lock().push(url.to_owned());
        Ok(Fetched { body: self.body.lock().clone().into_bytes(), max_age_s: Some(30) })
    }
}

pub(crate) struct Site {
    pub(crate) clock: Arc<Clock>,
    pub(crate) shelf: Arc<Memory>,
    pub(crate) posted: Arc<Posted>,
    pub(crate) smart: Smart,
    pub(crate) place: Place,
    random: Arc<Counted>,
}

/// A key of an app, in ES384.
pub(crate) struct Signer {
    pair: EcdsaKeyPair,
    pub(crate) kid: String,
}

impl Signer {
    pub(crate) fn new(kid: &str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P384_SHA384_FIXED_SIGNING).expect("a key");
        Self { pair, kid: kid.to_owned() }
    }

    pub(crate) fn set(&self) -> String {
        let point = self.pair.public_key().as_ref();
        json!({ "keys": [{
            "kty": "EC", "crv": "P-384", "alg": "ES384", "use": "sig", "kid": self.kid,
            "x": URL_SAFE_NO_PAD.encode(&point[1..49]), "y": URL_SAFE_NO_PAD.encode(&point[49..]),
        }] })
        .to_string()
    }

    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let text = format!("{}.{}", part(header), part(claims));
        let signature = self.pair.sign(&SystemRandom::new(), text.as_bytes()).expect("signed");
        format!("{text}.{}", URL_SAFE_NO_PAD.encode(signature))
    }

    pub(crate) fn header(&self) -> Value {
        json!({ "alg": "ES384", "typ": "JWT", "kid": self.kid })
    }
}

pub(crate) fn part(value: &Value) -> String {
    URL_SAFE_NO_PAD.encode(value.to_string())
}

pub(crate) fn form(pairs: &[(&str, &str)]) -> Params {
    let pairs: Vec<_> = pairs.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())).collect();
    Params::parse(&search::parse::encode_query(&pairs)).expect("a form")
}

pub(crate) fn scopes(text: &str) -> Scopes {
    Scopes::parse(text).expect("scopes")
}

pub(crate) fn public(name: &str, list: &str) -> Registration {
    Registration {
        name: name.to_owned(),
        display: "Growth Chart".to_owned(),
        redirects: vec![BACK.to_owned()],
        launch_url: Some("https://app.example/launch".to_owned()),
        proves: Proves::Not,
        scopes: scopes(list),
        roles: Vec::new(),
        introspects: false,
        agent: false,
    }
}

pub(crate) fn service(name: &str, signer: &Signer) -> Registration {
    Registration {
        redirects: Vec::new(),
        launch_url: None,
        proves: Proves::Keys(signer.set()),
        ..public(name, "system/*.rs")
    }
}

/// A request with everything that is asked of one.
pub(crate) struct Request {
    pub(crate) pairs: Vec<(&'static str, String)>,
}

impl Request {
    pub(crate) fn set(mut self, name: &'static str, value: &str) -> Self {
        self = self.without(name);
        self.pairs.push((name, value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &'static str) -> Self {
        self.pairs.retain(|(n, _)| *n != name);
        self
    }

    pub(crate) fn params(&self) -> Params {
        let pairs: Vec<_> = self.pairs.iter().map(|(n, v)| (*n, v.as_str())).collect();
        form(&pairs)
    }
}

impl Site {
    pub(crate) fn new() -> Self {
        let clock = Clock::at(START_MS);
        let (shelf, random) = (Arc::new(Memory::new()), Arc::new(Counted::default()));
        let posted = Arc::new(Posted::default());
        let smart = open(&clock, &shelf, &random, &posted);
        let place = Place::of("https://ehr.example/fhir").expect("a place");
        Self { clock, shelf, posted, smart, place, random }
    }

    /// As after a restart: everything in memory is read anew.
    pub(crate) fn restarted(self) -> Self {
        let smart = open(&self.clock, &self.shelf, &self.random, &self.posted);
        Self { smart, ..self }
    }

    /// As after a restart with another setting: a second factor is demanded of these roles.
    pub(crate) fn demanding(self, roles: &[&str]) -> Self {
        let of = identity::Of::Roles(roles.iter().map(|role| (*role).to_owned()).collect());
        let demand = identity::Demand { of, ..identity::Demand::default() };
        let smart = open_with(&self.clock, &self.shelf, &self.random, &self.posted, demand);
        Self { smart, ..self }
    }

    pub(crate) fn person(&self, name: &str, change: impl FnOnce(&mut Profile)) -> Principal {
        let mut profile = Profile {
            name: name.to_owned(),
            display: format!("{name} Someone"),
            practitioner: Some(format!("pr-{name}")),
            ..Profile::default()
        };
        change(&mut profile);
        let identity = self.smart.identity();
        let person = identity.create(Kind::Person, profile).expect("made");
        identity.set_password(person.id, &Secret::from(PASSWORD), None).expect("set");
        person
    }

    pub(crate) fn sign_in(&self, name: &str) -> Caller {
        let identity = self.smart.identity();
        let step = identity.begin(name, &Secret::from(PASSWORD), HOME).expect("known");
        let Step::Done(opened) = step else { panic!("no second factor was set") };
        identity.find(opened.token.text().expose(), Some(HOME)).expect("signed in")
    }

    pub(crate) fn app(&self, registration: Registration) -> Registered {
        self.smart.register_app(registration).expect("registered")
    }

    pub(crate) fn request(&self, app: &Registered, list: &str) -> Request {
        let pairs = [
            ("response_type", "code"),
            ("client_id", &app.app.id.to_string()),
            ("redirect_uri", BACK),
            ("scope", list),
            ("state", STATE),
            ("aud", "https://ehr.example/fhir"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        Request { pairs: pairs.map(|(n, v)| (n, v.to_owned())).to_vec() }
    }

    /// The error that an app is told of.
    pub(crate) fn turned(&self, request: &Request) -> String {
        let browser = self.smart.draw_browser().expect("drawn");
        match self.smart.begin(&request.params(), browser.expose(), &self.place) {
            Err(Turned::Back(address)) => {
                assert!(address.starts_with(BACK), "{address}");
                value(&address, "error").expect("an error")
            }
            Err(Turned::Page(_)) => "page".to_owned(),
            Err(Turned::Failed(fault)) => panic!("{fault}"),
            Ok(_) => "taken".to_owned(),
        }
    }

    /// The code that a user's agreement gives.
    pub(crate) fn code(
        &self,
        caller: &Caller,
        request: &Request,
        patient: Option<&str>,
        agreed: &str,
    ) -> String {
        let browser = self.smart.draw_browser().expect("drawn");
        let browser = browser.expose();
        let asked = self.smart.begin(&request.params(), browser, &self.place).expect("taken");
        let asked = asked.expose();
        if let Some(patient) = patient {
            self.smart.choose_patient(asked, browser, caller, patient).expect("chosen");
        }
        let back = self.smart.approve(asked, browser, caller, &scopes(agreed)).expect("approved");
        assert_eq!(value(back.expose(), "state").as_deref(), Some(STATE));
        assert_eq!(value(back.expose(), "iss").as_deref(), Some("https://ehr.example/fhir"));
        value(back.expose(), "code").expect("a code")
    }

    /// Trades a code in, as a public app does.
    pub(crate) fn trade(&self, app: &Registered, code: &str) -> Result<Issued, Refused> {
        self.token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
            ("client_id", &app.app.id.to_string()),
        ])
    }

    pub(crate) fn refresh(&self, app: &Registered, token: &str) -> Result<Issued, Refused> {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("refresh_token", token),
            ("client_id", &app.app.id.to_string()),
        ])
    }

    pub(crate) fn token(&self, pairs: &[(&str, &str)]) -> Result<Issued, Refused> {
        self.smart.token(&form(pairs), None, &self.place)
    }

    /// The whole dance of a public app, for a patient who is chosen.
    pub(crate) fn dance(&self, app: &Registered, caller: &Caller, list: &str) -> Value {
        let code = self.code(caller, &self.request(app, list), Some("ada"), list);
        body(&self.trade(app, &code).expect("traded"))
    }

    pub(crate) fn claims(&self, app: &Registered, jti: &str) -> Value {
        let id = app.app.id.to_string();
        let exp = self.now_s() + 240;
        json!({ "iss": id, "sub": id, "aud": self.place.at("token"), "exp": exp, "jti": jti })
    }

    pub(crate) fn now_s(&self) -> i64 {
        use base::Clock as _;
        self.clock.now().0 / 1000
    }

    pub(crate) fn by_assertion(&self, assertion: &str) -> Result<Issued, Refused> {
        self.token(&[
            ("grant_type", "client_credentials"),
            ("scope", "system/*.rs"),
            ("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"),
            ("client_assertion", assertion),
        ])
    }

    pub(crate) fn is_good(&self, access: &str) -> bool {
        self.smart.find(access, Some(HOME)).is_ok()
    }
}

fn open(
    clock: &Arc<Clock>,
    shelf: &Arc<Memory>,
    random: &Arc<Counted>,
    posted: &Arc<Posted>,
) -> Smart {
    // A role that nobody has but in the tests of it.
    let of = identity::Of::Roles(vec!["watched".to_owned()]);
    open_with(clock, shelf, random, posted, identity::Demand { of, ..identity::Demand::default() })
}

fn open_with(
    clock: &Arc<Clock>,
    shelf: &Arc<Memory>,
    random: &Arc<Counted>,
    posted: &Arc<Posted>,
    second_factor: identity::Demand,
) -> Smart {
    let cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
    let settings = identity::Settings { cost, second_factor, ..identity::Settings::default() };
    let ground = identity::Ground {
        shelf: Arc::clone(shelf) as _,
        clock: Arc::clone(clock) as _,
        random: Arc::clone(random) as _,
        breached: None,
    };
    let identity = Identity::open(ground, settings).expect("opened");
    let ground = Ground {
        shelf: Arc::clone(shelf) as _,
        identity: Arc::new(identity),
        clock: Arc::clone(clock) as _,
        random: Arc::clone(random) as _,
        fetch: Arc::clone(posted) as _,
    };
    Smart::open(ground, Settings::default()).expect("opened")
}

pub(crate) fn body(issued: &Issued) -> Value {
    serde_json::from_str(issued.body().expose()).expect("JSON")
}

pub(crate) fn text(body: &Value, name: &str) -> String {
    body.get(name).and_then(Value::as_str).unwrap_or_default().to_owned()
}

/// The value of a parameter of an address.
pub(crate) fn value(address: &str, name: &str) -> Option<String> {
    let query = address.split_once('?')?.1;
    let pairs = search::parse::decode_query(query).expect("a query");
    pairs.into_iter().find(|(n, _)| n == name).map(|(_, v)| v)
}

pub(crate) fn basic(app: &Registered) -> String {
    let secret = app.secret.as_ref().expect("a secret");
    format!("Basic {}", STANDARD.encode(format!("{}:{}", app.app.id, secret.expose())))
}

pub(crate) fn shown(patient: &str) -> Shown {
    Shown { patient: Some(patient.to_owned()), ..Shown::default() }
}

/// What an authenticator shows at a moment (RFC 6238).
pub(crate) fn totp(key: &Secret, now_s: i64) -> Secret {
    use aws_lc_rs::hmac;
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567";
    let values: Vec<_> = key.expose().chars().map(|c| alphabet.find(c).unwrap() as u64).collect();
    let word = |eight: &[u64]| eight.iter().fold(0, |word, five| (word << 5) | five);
    let bytes: Vec<u8> =
        values.chunks(8).flat_map(|eight| word(eight).to_be_bytes()[3..].to_vec()).collect();
    let key = hmac::Key::new(hmac::HMAC_SHA1_FOR_LEGACY_USE_ONLY, &bytes);
    let sum = hmac::sign(&key, &(now_s / 30).to_be_bytes());
    let sum = sum.as_ref();
    let at = usize::from(sum[19] & 15);
    let four: [u8; 4] = sum[at..at + 4].try_into().unwrap();
    Secret::new(format!("{:06}", (u32::from_be_bytes(four) & 0x7fff_ffff) % 1_000_000))
}

pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(Sha256::digest(verifier))
}
