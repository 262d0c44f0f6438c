//! A server with an authorization server, an app, two people and a patient; and a visitor who goes
//! from page to page as a browser does, with cookies and forms.

use crate::client::{Answer, patient};
use base::id::Seeded;
use base::time::SystemClock;
use base::{Clock, Fault};
use identity::{Cost, CryptoRandom, Kind, Profile, Secret, Step};
use record::{Record, Settings};
use server::{Config, Server};
use smart::{Fetch, Ground, NoFetch, Proves, Registration, Scopes, Smart};
use std::collections::BTreeMap;
use std::io::{Read as _, Write as _};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use tempfile::TempDir;
use tokio::sync::oneshot;

pub(crate) const BACK: &str = "https://app.example/cb";
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const PASSWORD: &str = "tulpen in rotterdam";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// Randomness of the operating system.
#[derive(Debug)]
pub(crate) struct System;

impl CryptoRandom for System {
    fn fill(&self, out: &mut [u8]) -> Result<(), Fault> {
        std::fs::File::open("/dev/urandom").unwrap().read_exact(out).unwrap();
        Ok(())
    }
}

/// What makes the issuers of a site, on the server's own runtime.
pub(crate) type Federate = Box<dyn FnOnce(tokio::runtime::Handle) -> federation::Federation + Send>;

pub(crate) struct Site {
    pub(crate) address: SocketAddr,
    /// Its origin, as browsers know it.
    pub(crate) own: String,
    pub(crate) app: String,
    pub(crate) smart: Arc<Smart>,
    /// The record itself, as whoever is on the machine has it.
    pub(crate) record: Record,
    /// The token of a service that has all that the walls leave.
    pub(crate) all: String,
    pub(crate) dir: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What a site is made of.
pub(crate) struct Making {
    pub(crate) guard: bool,
    pub(crate) fetch: Arc<dyn Fetch>,
    pub(crate) clock: Arc<dyn Clock>,
    /// That of the record.
    pub(crate) record_clock: Arc<dyn Clock>,
    pub(crate) search_threads: usize,
    /// People may sign in by passwords.
    pub(crate) local: bool,
    pub(crate) federate: Option<Federate>,
    pub(crate) origin: Option<String>,
    /// Of which roles a second factor is demanded.
    pub(crate) demand: &'static [&'static str],
    /// What else is set.
    pub(crate) tune: fn(&mut Config),
    /// Who can be signed in as by one click.
    pub(crate) demo: Option<console::Demo>,
    /// What is around the server.
    pub(crate) house: Option<Arc<dyn server::House>>,
    /// And from when.
    pub(crate) demand_from: Option<base::Millis>,
}

impl Default for Making {
    fn default() -> Self {
        let search_threads = Config::default().search_threads;
        Self {
            guard: true,
            fetch: Arc::new(NoFetch),
            clock: Arc::new(SystemClock),
            record_clock: Arc::new(SystemClock),
            search_threads,
            local: true,
            federate: None,
            origin: None,
            demand: &[],
            demo: None,
            house: None,
            tune: |_| {},
            demand_from: None,
        }
    }
}

impl Site {
    /// A site whose FHIR door lets in whoever comes, for what is of the authorization server alone.
    pub(crate) fn start() -> Self {
        Self::with(Making { guard: false, ..Making::default() })
    }

    /// A site at which people sign in by issuers, too; and by nothing else unless `local`.
    pub(crate) fn federated(local: bool, make: Federate) -> Self {
        let federate = Some(make);
        Self::with(Making { guard: false, local, federate, ..Making::default() })
    }

    /// A site that has a name of its own, which passkeys need.
    pub(crate) fn named(origin: &str) -> Self {
        Self::with(Making { origin: Some(origin.to_owned()), ..Making::default() })
    }

    /// A site that asks everybody who they are.
    pub(crate) fn guarded() -> Self {
        Self::with(Making::default())
    }

    pub(crate) fn with(making: Making) -> Self {
        let (demand, from) = (making.demand, making.demand_from);
        let Making {
            guard,
            search_threads,
            local,
            federate,
            fetch,
            clock,
            record_clock,
            origin,
            tune,
            demo,
            house,
            ..
        } = making;
        let of = identity::Of::Roles(demand.iter().map(|role| (*role).to_owned()).collect());
        let second_factor = identity::Demand { of, from, new_sites: false };
        let base_url = origin.as_ref().map(|origin| format!("{origin}/fhir"));
        let dir = tempfile::tempdir().unwrap();
        let record = Record::open(
            dir.path(),
            Settings {
                seed: Some(7),
                clock: record_clock,
                identity: cheap(local, second_factor),
                departments: vec![&crate::department::DEPARTMENT, &inbox::DEPARTMENT],
                ..Settings::default()
            },
        )
        .unwrap();
        let smart = Arc::new(smart(&record, fetch, clock));
        for name in ["eve", "mallory"] {
            let profile = Profile {
                name: name.to_owned(),
                display: format!("{name} Someone"),
                roles: vec!["clinician".to_owned()],
                practitioner: Some(format!("pr-{name}")),
                ..Profile::default()
            };
            let person = smart.identity().create(Kind::Person, profile).unwrap();
            smart.identity().set_password(person.id, &Secret::from(PASSWORD), None).unwrap();
        }
        let registration = Registration {
            name: "chart".to_owned(),
            display: "Growth Chart".to_owned(),
            redirects: vec![BACK.to_owned()],
            launch_url: Some("https://app.example/launch".to_owned()),
            proves: Proves::Not,
            scopes: Scopes::parse("openid fhirUser launch launch/patient launch/encounter patient/*.cruds user/*.cruds offline_access").unwrap(),
            roles: Vec::new(),
            introspects: false,
            agent: false,
        };
        let app = smart.register_app(registration).unwrap().app.id.to_string();
        let all = Profile {
            name: "tests".to_owned(),
            display: "Tests".to_owned(),
            roles: vec!["system".to_owned()],
            ..Profile::default()
        };
        let all = smart.identity().create(Kind::Service, all).unwrap().id;
        let all = smart.identity().issue(all, 3_600_000, "a test").unwrap().token;
        let (stop, stopped) = oneshot::channel();
        let (told, address) = std::sync::mpsc::channel();
        let own = Arc::clone(&smart);
        let served = record.clone();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let listen = "127.0.0.1:0".parse().unwrap();
                let mut config =
                    Config { listen, guard, search_threads, base_url, ..Config::default() };
                // A test signs in more often than people do.
                config.rates.sign_in_burst = 10_000;
                tune(&mut config);
                let random = Box::new(Seeded::new(3));
                let server =
                    Server::bind(served, config, Arc::new(SystemClock), random).await.unwrap();
                let mut server = server.with_smart(own).unwrap();
                if let Some(federate) = federate {
                    let federation = federate(tokio::runtime::Handle::current());
                    server = server.with_federation(Arc::new(federation)).unwrap();
                }
                if let Some(demo) = demo {
                    server = server.with_demo(demo).unwrap();
                }
                if let Some(house) = house {
                    server = server.with_house(house).unwrap();
                }
                told.send(server.address()).unwrap();
                server.run(async { drop(stopped.await) }).await;
            });
        });
        let address = address.recv().unwrap();
        let (stop, thread) = (Some(stop), Some(thread));
        let all = all.text().expose().to_owned();
        let own = origin.unwrap_or_else(|| format!("http://{address}"));
        let site = Self { address, own, app, smart, record, all, dir, stop, thread };
        // Whose general practitioners they are, clinicians may see.
        let cared = patient("ada", "Lovelace").replacen(
            "{",
            "{\"generalPractitioner\":[{\"reference\":\"Practitioner/pr-eve\"},{\"reference\":\"Practitioner/pr-mallory\"}],",
            1,
        );
        site.put("Patient/ada", &cared);
        site
    }

    /// Puts a new record there, whatever it is.
    pub(crate) fn put(&self, path: &str, body: &str) {
        let answer = self.ask(&self.all, "PUT", &format!("/{path}"), body);
        assert_eq!(answer.status, 201, "{}", answer.text());
    }

    /// Holds that a record is there.
    pub(crate) fn unchanged(&self, path: &str) {
        assert_eq!(self.ask(&self.all, "GET", path, "").status, 200, "{path}");
    }

    /// Asks the FHIR door with a token.
    pub(crate) fn ask(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        let bearer = format!("Bearer {token}");
        let headers = [("Content-Type", "application/fhir+json"), ("Authorization", &*bearer)];
        self.send(method, &format!("/fhir{path}"), &headers, body)
    }

    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let host = self.own.split_once("://").unwrap().1;
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\nHost: {host}\r\n");
        for (name, value) in headers {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        head.push_str(&format!("Content-Length: {}\r\n\r\n{body}", body.len()));
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        let mut all = Vec::new();
        stream.read_to_end(&mut all).unwrap();
        Answer::parse(&all)
    }

    /// The address with which an app asks.
    pub(crate) fn authorize(&self, scopes: &str) -> String {
        let scopes = search::parse::encode_query(&[("scope".to_owned(), scopes.to_owned())]);
        let back = BACK.replace(':', "%3A").replace('/', "%2F");
        format!(
            "/auth/authorize?response_type=code&client_id={}&redirect_uri={back}&{scopes}&state=state-of-sixteen-or-more&aud=http%3A%2F%2F{}%2Ffhir&code_challenge={CHALLENGE}&code_challenge_method=S256",
            self.app, self.address
        )
    }

    pub(crate) fn trade(&self, code: &str) -> Answer {
        let body = format!(
            "grant_type=authorization_code&client_id={}&code={code}&redirect_uri={BACK}&code_verifier={VERIFIER}",
            self.app
        );
        self.send("POST", "/auth/token", &[FORM], &body)
    }

    pub(crate) fn refresh(&self, token: &str) -> Answer {
        let body = format!("grant_type=refresh_token&client_id={}&refresh_token={token}", self.app);
        self.send("POST", "/auth/token", &[FORM], &body)
    }

    /// Gives somebody a second factor; one of the recovery codes.
    pub(crate) fn enrol(&self, name: &str) -> String {
        let identity = self.smart.identity();
        let home = IpAddr::V4(Ipv4Addr::LOCALHOST);
        let Step::Done(opened) = identity.begin(name, &Secret::from(PASSWORD), home).unwrap()
        else {
            panic!("no factor yet")
        };
        let caller = identity.find(opened.token.text().expose(), Some(home)).unwrap();
        crate::smart_totp::enrol(identity, &caller)
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Passwords that cost nothing.
fn cheap(local: bool, second_factor: identity::Demand) -> identity::Settings {
    let cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
    identity::Settings { cost, local, second_factor, ..identity::Settings::default() }
}

/// A patient of these clinicians: whose general practitioners they are, they may see.
pub(crate) fn cared_for(id: &str, family: &str) -> String {
    patient(id, family).replacen(
        "{",
        "{\"generalPractitioner\":[{\"reference\":\"Practitioner/pr-eve\"},{\"reference\":\"Practitioner/pr-mallory\"}],",
        1,
    )
}

/// On the record's own shelf, with the record's own people.
fn smart(record: &Record, fetch: Arc<dyn Fetch>, clock: Arc<dyn Clock>) -> Smart {
    let ground = Ground {
        shelf: record.shelf(),
        identity: Arc::clone(record.identity()),
        clock,
        random: Arc::new(System),
        fetch,
    };
    Smart::open(ground, smart::Settings::default()).unwrap()
}

impl Answer {
    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The value of a field of the page.
    pub(crate) fn field(&self, name: &str) -> Option<String> {
        let text = self.text();
        let at = text.find(&format!("name=\"{name}\" value=\""))?;
        let rest = &text[at + format!("name=\"{name}\" value=\"").len()..];
        rest.split('"').next().map(str::to_owned)
    }

    fn action(&self) -> Option<String> {
        let text = self.text();
        let at = text.find("action=\"")? + "action=\"".len();
        text[at..].split('"').next().map(|action| format!("/auth/{action}"))
    }
}

/// Somebody with a browser.
pub(crate) struct Visitor<'s> {
    site: &'s Site,
    cookies: BTreeMap<String, String>,
    pub(crate) set_cookies: Vec<String>,
    pub(crate) form: String,
    pub(crate) request: String,
    action: String,
}

impl<'s> Visitor<'s> {
    pub(crate) fn new(site: &'s Site) -> Self {
        Self {
            site,
            cookies: BTreeMap::new(),
            set_cookies: Vec::new(),
            form: String::new(),
            request: String::new(),
            action: String::new(),
        }
    }

    pub(crate) fn cookie(&self, name: &str) -> Option<String> {
        self.cookies.get(name).cloned()
    }

    pub(crate) fn plant(&mut self, name: &str, value: &str) {
        self.cookies.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let cookies: Vec<_> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let cookies = cookies.join("; ");
        let mut all = headers.to_vec();
        if !cookies.is_empty() {
            all.push(("Cookie", &cookies));
        }
        let answer = self.site.send(method, path, &all, body);
        for (name, value) in &answer.headers {
            if name == "set-cookie" {
                self.set_cookies.push(value.clone());
                let pair = value.split(';').next().unwrap();
                let (name, text) = pair.split_once('=').unwrap();
                match text {
                    "" => self.cookies.remove(name),
                    text => self.cookies.insert(name.to_owned(), text.to_owned()),
                };
            }
        }
        answer
    }

    /// Follows redirects within the server, as a browser does.
    pub(crate) fn follow(&mut self, mut answer: Answer) -> Answer {
        let own = self.site.own.clone();
        for _ in 0..5 {
            let Some(path) = answer.header("location").and_then(|to| to.strip_prefix(&own)) else {
                break;
            };
            let path = path.to_owned();
            if let Some(request) = value(&path, "request") {
                self.request = request;
            }
            answer = self.send("GET", &path, &[], "");
        }
        if let Some(form) = answer.field("form") {
            self.form = form;
            self.action = answer.action().unwrap();
        }
        answer
    }

    pub(crate) fn open(&mut self, path: &str) -> Answer {
        let answer = self.send("GET", path, &[], "");
        self.follow(answer)
    }

    pub(crate) fn post(
        &mut self,
        path: &str,
        fields: &[(String, String)],
        headers: &[(&str, &str)],
    ) -> Answer {
        let body = search::parse::encode_query(fields);
        let mut all = vec![FORM];
        all.extend(headers);
        self.send("POST", path, &all, &body)
    }

    /// Sends the form of the page that is open.
    pub(crate) fn send_form(&mut self, fields: &[(&str, &str)]) -> Answer {
        let mut all = vec![
            ("form".to_owned(), self.form.clone()),
            ("request".to_owned(), self.request.clone()),
        ];
        all.extend(fields.iter().map(|(n, v)| ((*n).to_owned(), (*v).to_owned())));
        let action = self.action.clone();
        let origin = self.site.own.clone();
        let answer = self.post(&action, &all, &[("Origin", &origin)]);
        self.follow(answer)
    }

    pub(crate) fn answer(&mut self, answer: &str, scopes: &[&str]) -> Answer {
        let mut fields = vec![("answer", answer)];
        fields.extend(scopes.iter().map(|scope| ("scope", *scope)));
        self.send_form(&fields)
    }

    pub(crate) fn sign_in(&mut self, name: &str) -> Answer {
        let next = self.request.clone();
        self.sign_in_for(name, &next)
    }

    pub(crate) fn sign_in_for(&mut self, name: &str, next: &str) -> Answer {
        let answer = self.post_sign_in(name, PASSWORD, next);
        self.follow(answer)
    }

    pub(crate) fn sign_in_raw(&mut self, name: &str, next: &str) -> Answer {
        self.post_sign_in(name, PASSWORD, next)
    }

    pub(crate) fn sign_in_with(&mut self, name: &str, form: &str) -> Answer {
        self.form = form.to_owned();
        self.sign_in(name)
    }

    pub(crate) fn post_sign_in(&mut self, name: &str, password: &str, next: &str) -> Answer {
        let form = self.form.clone();
        let fields =
            [("form", form.as_str()), ("next", next), ("name", name), ("password", password)];
        let fields: Vec<_> = fields.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec();
        self.post("/auth/sign-in", &fields, &[])
    }
}

/// The value of a parameter of an address.
pub(crate) fn value(address: &str, name: &str) -> Option<String> {
    let query = address.split_once('?')?.1;
    let pairs = search::parse::decode_query(query).unwrap();
    pairs.into_iter().find(|(n, _)| n == name).map(|(_, v)| v)
}
