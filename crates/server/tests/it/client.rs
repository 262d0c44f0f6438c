//! A server on a port of its own, and a client that hides nothing of HTTP.

use base::Limits;
use base::id::Seeded;
use base::time::SystemClock;
use fhir::Document;
use identity::{Kind, Profile};
use record::{Record, Settings};
use server::{Config, Server};
use std::io::{Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::thread::JoinHandle;
use tempfile::TempDir;
use tokio::sync::oneshot;

/// A server that ends with the test.
pub(crate) struct Running {
    pub(crate) address: SocketAddr,
    pub(crate) record: Record,
    /// The token of a service that has all that the walls leave.
    token: String,
    /// Kept until the server has ended.
    dir: TempDir,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Running {
    pub(crate) fn start() -> Self {
        Self::with(|_| {}, |_| {})
    }

    pub(crate) fn with(
        config: impl FnOnce(&mut Config),
        settings: impl FnOnce(&mut Settings),
    ) -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut record = Settings {
            seed: Some(7),
            departments: vec![&crate::department::DEPARTMENT],
            ..Settings::default()
        };
        settings(&mut record);
        let record = Record::open(dir.path(), record).unwrap();
        let token = token(&record, Kind::Service, person("tests", &["system"]));
        let held = record.clone();
        let mut own = Config { listen: "127.0.0.1:0".parse().unwrap(), ..Config::default() };
        config(&mut own);
        let (stop, stopped) = oneshot::channel();
        let (told, address) = std::sync::mpsc::channel();
        let thread = std::thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_multi_thread()
                .worker_threads(2)
                .enable_all()
                .build()
                .unwrap();
            runtime.block_on(async {
                let random = Box::new(Seeded::new(3));
                let server =
                    Server::bind(record, own, Arc::new(SystemClock), random).await.unwrap();
                told.send(server.address()).unwrap();
                server.run(async { drop(stopped.await) }).await;
            });
        });
        let address = address.recv().unwrap();
        Self { address, record: held, token, dir, stop: Some(stop), thread: Some(thread) }
    }

    /// Asks the server to stop and waits until it has.
    pub(crate) fn stop(&mut self) {
        self.ask_to_stop();
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
        }
    }

    pub(crate) fn ask_to_stop(&mut self) {
        if let Some(stop) = self.stop.take() {
            let _ = stop.send(());
        }
    }

    /// A token of a principal made for the test.
    pub(crate) fn token(&self, kind: Kind, profile: Profile) -> String {
        token(&self.record, kind, profile)
    }

    /// What requests of the test say who they are by.
    pub(crate) fn bearer(&self) -> String {
        format!("Bearer {}", self.token)
    }

    /// Reads as whoever has a token.
    pub(crate) fn get_as(&self, token: &str, path: &str) -> Answer {
        self.send("GET", path, &[("Authorization", &format!("Bearer {token}"))], b"")
    }

    /// The events of the access log.
    pub(crate) fn audit_log(&self) -> audit::Reader {
        read_log(self.dir.path())
    }

    /// Stops the server and counts the events of its access log of this kind.
    pub(crate) fn events(&mut self, kind: &str) -> usize {
        // A refusal does not wait for its event; what is asked now waits for one that stands behind it.
        self.get("/metadata");
        self.stop();
        let all = read_log(self.dir.path());
        all.map(Result::unwrap).filter(|entry| entry.event.kind.name() == kind).count()
    }

    pub(crate) fn base(&self) -> String {
        format!("http://{}/fhir", self.address)
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.send("POST", path, &[("Content-Type", "application/fhir+json")], body.as_bytes())
    }

    pub(crate) fn put(&self, path: &str, body: &str) -> Answer {
        self.send("PUT", path, &[("Content-Type", "application/fhir+json")], body.as_bytes())
    }

    pub(crate) fn delete(&self, path: &str) -> Answer {
        self.send("DELETE", path, &[], b"")
    }

    /// Sends a request below the base of the FHIR API, or from the root when it begins with `//`.
    pub(crate) fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &[u8],
    ) -> Answer {
        let path = match path.strip_prefix('/').filter(|rest| rest.starts_with('/')) {
            Some(from_root) => from_root.to_owned(),
            None => format!("/fhir{path}"),
        };
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| *name == "Host") {
            head.push_str(&format!("Host: {}\r\n", self.address));
        }
        if !headers.iter().any(|(name, _)| *name == "Authorization") {
            head.push_str(&format!("Authorization: {}\r\n", self.bearer()));
        }
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            head.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() && !headers.iter().any(|(name, _)| *name == "Content-Length") {
            head.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        head.push_str("\r\n");
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(head.as_bytes()).unwrap();
        // The server may refuse before it has read all of the body.
        let _ = stream.write_all(body);
        let mut all = Vec::new();
        let _ = stream.read_to_end(&mut all);
        Answer::parse(&all)
    }
}

/// Somebody with a name and roles.
pub(crate) fn person(name: &str, roles: &[&str]) -> Profile {
    Profile {
        name: name.to_owned(),
        display: name.to_owned(),
        roles: roles.iter().map(|role| (*role).to_owned()).collect(),
        ..Profile::default()
    }
}

fn token(record: &Record, kind: Kind, profile: Profile) -> String {
    let identity = record.identity();
    let principal = identity.create(kind, profile).unwrap();
    identity.issue(principal.id, 3_600_000, "a test").unwrap().token.text().expose().to_owned()
}

impl Drop for Running {
    fn drop(&mut self) {
        self.ask_to_stop();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

impl Answer {
    pub(crate) fn parse(all: &[u8]) -> Self {
        let end = all.windows(4).position(|w| w == b"\r\n\r\n").expect("a whole head");
        let head = String::from_utf8(all[..end].to_vec()).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| {
                let (name, value) = line.split_once(':').unwrap();
                (name.to_lowercase(), value.trim().to_owned())
            })
            .collect();
        Self { status, headers, body: all[end + 4..].to_vec() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n == name).map(|(_, v)| v.as_str())
    }

    pub(crate) fn json(&self) -> Document {
        Document::parse(self.body.clone(), &Limits::default()).unwrap_or_else(|fault| {
            panic!("{fault}: {}", String::from_utf8_lossy(&self.body));
        })
    }

    /// The text at a path such as `entry.0.resource.id`; empty when there is nothing.
    pub(crate) fn at(&self, path: &str) -> String {
        let document = self.json();
        let mut here = document.root();
        for step in path.split('.') {
            let next = match step.parse::<usize>() {
                Ok(index) => here.items().nth(index),
                Err(_) => here.get(step),
            };
            match next {
                Some(next) => here = next,
                None => return String::new(),
            }
        }
        here.as_text().map_or_else(|| here.raw().to_owned(), std::borrow::Cow::into_owned)
    }

    /// The error code of a refusal.
    pub(crate) fn code(&self) -> String {
        assert_eq!(self.at("resourceType"), "OperationOutcome");
        self.at("issue.0.details.coding.0.code")
    }

    /// How many entries a bundle has.
    pub(crate) fn entries(&self) -> usize {
        self.json().root().get("entry").map_or(0, |entries| entries.items().count())
    }

    /// The address of a link of a bundle, below the base.
    pub(crate) fn link(&self, relation: &str) -> Option<String> {
        let document = self.json();
        let links = document.root().get("link")?;
        let link = links.items().find(|l| l.get_str("relation").as_deref() == Some(relation))?;
        let url = link.get_str("url")?.into_owned();
        Some(url.split_once("/fhir").map_or(url.clone(), |(_, path)| path.to_owned()))
    }
}

/// A small patient.
pub(crate) fn patient(id: &str, family: &str) -> String {
    let id = if id.is_empty() { String::new() } else { format!("\"id\":\"{id}\",") };
    format!(
        "{{\"resourceType\":\"Patient\",{id}\"name\":[{{\"family\":\"{family}\",\"given\":[\"Ann\"]}}],\"maritalStatus\":{{\"text\":\"M\"}},\"identifier\":[{{\"system\":\"urn:mrn\",\"value\":\"{family}-1\"}}]}}"
    )
}

/// The events of the access log of a data folder, also beside its server.
pub(crate) fn read_log(data: &std::path::Path) -> audit::Reader {
    let key = record::Encryption::default().log_key(data).unwrap();
    audit::read(&data.join("audit"), 1).unwrap().under(key)
}
