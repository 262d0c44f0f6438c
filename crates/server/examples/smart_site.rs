//! A server with a few patients, a person and two apps, for the clients of `tests/clients/smart`
//! (`cargo xtask clients`): it prints what they need to know as one line of JSON and serves until its
//! input ends. Nothing of it survives.

use base::Fault;
use base::id::Seeded;
use base::time::SystemClock;
use identity::{CryptoRandom, Kind, Profile, Secret};
use record::{Record, Settings};
use server::{Config, Server};
use smart::{Ground, NoFetch, Proves, Registered, Registration, Scopes, Smart};
use std::io::{Read as _, Write as _};
use std::path::Path;
use std::sync::Arc;

const PASSWORD: &str = "tulpen in rotterdam";

/// Randomness of the operating system.
#[derive(Debug)]
struct System;

impl CryptoRandom for System {
    fn fill(&self, out: &mut [u8]) -> Result<(), Fault> {
        let filled = std::fs::File::open("/dev/urandom").and_then(|mut file| file.read_exact(out));
        filled.map_err(|error| Fault::new(&base::error::code::INTERNAL, error.to_string()))
    }
}

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let words: Vec<String> = std::env::args().skip(1).collect();
    let [folder, port, keys] = words.as_slice() else {
        return Err("usage: smart_site FOLDER PORT-OF-THE-APP JWKS-FILE".into());
    };
    let folder = Path::new(folder);
    let record = Record::open(folder, Settings::default())?;
    let smart = Arc::new(open(&record)?);
    person(&smart)?;
    let (public, service) = apps(&smart, port, std::fs::read_to_string(keys)?)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    runtime.block_on(async {
        // What a token reaches is the guard's; here it is enough that it is asked for and given.
        let config =
            Config { listen: "127.0.0.1:0".parse()?, guard: false, ..Config::default() };
        let random = Box::new(Seeded::new(7));
        let server = Server::bind(record, config, Arc::new(SystemClock), random).await?;
        let server = server.with_smart(smart)?;
        let base = format!("http://{}/fhir", server.address());
        writeln!(
            std::io::stdout(),
            "{{\"base\":\"{base}\",\"public\":\"{}\",\"service\":\"{}\",\"user\":\"eve\",\"password\":\"{PASSWORD}\"}}",
            public.app.id,
            service.app.id
        )?;
        let ended = tokio::task::spawn_blocking(|| {
            let mut rest = Vec::new();
            let _ = std::io::stdin().read_to_end(&mut rest);
        });
        server.run(async { drop(ended.await) }).await;
        Ok(())
    })
}

fn open(record: &Record) -> Result<Smart, Fault> {
    let ground = Ground {
        shelf: record.shelf(),
        identity: Arc::clone(record.identity()),
        clock: Arc::new(SystemClock),
        random: Arc::new(System),
        fetch: Arc::new(NoFetch),
    };
    Smart::open(ground, smart::Settings::default())
}

fn person(smart: &Smart) -> Result<(), Fault> {
    let profile = Profile {
        name: "eve".to_owned(),
        display: "Dr. Eve Someone".to_owned(),
        roles: vec!["clinician".to_owned()],
        practitioner: Some("eve".to_owned()),
        ..Profile::default()
    };
    let person = smart.identity().create(Kind::Person, profile)?;
    smart.identity().set_password(person.id, &Secret::from(PASSWORD), None)
}

fn apps(smart: &Smart, port: &str, keys: String) -> Result<(Registered, Registered), Fault> {
    let scopes = |text: &str| Scopes::parse(text).unwrap_or_default();
    let public = smart.register_app(Registration {
        name: "growth-chart".to_owned(),
        display: "Growth Chart".to_owned(),
        redirects: vec![format!("http://localhost:{port}/index.html")],
        launch_url: Some(format!("http://localhost:{port}/launch.html")),
        proves: Proves::Not,
        scopes: scopes("launch launch/patient openid fhirUser patient/*.rs offline_access"),
        roles: Vec::new(),
        introspects: false,
        agent: false,
    })?;
    let service = smart.register_app(Registration {
        name: "loader".to_owned(),
        display: "Nightly loader".to_owned(),
        redirects: Vec::new(),
        launch_url: None,
        proves: Proves::Keys(keys),
        scopes: scopes("system/*.rs"),
        roles: Vec::new(),
        introspects: false,
        agent: false,
    })?;
    Ok((public, service))
}
