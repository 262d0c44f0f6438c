//! The server as a process: it greets, answers, holds its folder, and ends in order.

use crate::run::Place;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::process::{Child, ChildStdout, Command, Stdio};

/// A server process that ends with the test.
pub(crate) struct Serving {
    child: Child,
    out: BufReader<ChildStdout>,
    address: String,
    token: String,
}

impl Serving {
    pub(crate) fn start(place: &Place, more: &[&str]) -> Self {
        let data = more.iter().skip_while(|word| **word != "--data").nth(1).unwrap_or(&"data");
        let mut args = vec!["serve", "--listen", "127.0.0.1:0"];
        args.extend(more);
        if !more.contains(&"--data") {
            args.extend(["--data", "data"]);
        }
        let mut child =
            place.command(&args).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut line = String::new();
        out.read_line(&mut line).unwrap();
        let address = line.trim().strip_prefix("Plummer serves http://");
        let address = address.and_then(|a| a.strip_suffix("/fhir")).unwrap_or_else(|| {
            let mut error = String::new();
            let _ = child.stderr.take().unwrap().read_to_string(&mut error);
            panic!("{line}{error}");
        });
        let token = token(place, data);
        Self { address: address.to_owned(), child, out, token }
    }

    pub(crate) fn ask(&self, method: &str, path: &str, body: &str) -> String {
        let token = format!("Authorization: Bearer {}\r\n", self.token);
        self.sent(method, path, (&format!("{token}Content-Type: application/fhir+json"), body))
    }

    /// Posts a form, as somebody who is not signed in.
    pub(crate) fn ask_form(&self, path: &str, form: &str) -> String {
        self.sent("POST", path, ("Content-Type: application/x-www-form-urlencoded", form))
    }

    fn sent(&self, method: &str, path: &str, (heads, body): (&str, &str)) -> String {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        let request = format!(
            "{method} {path} HTTP/1.1\r\nHost: {}\r\n{heads}\r\nConnection: close\r\nContent-Length: {}\r\n\r\n{body}",
            self.address,
            body.len()
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }

    /// The next lines it says on its console.
    pub(crate) fn told(&mut self, count: usize) -> Vec<String> {
        let line = |_| {
            let mut line = String::new();
            self.out.read_line(&mut line).unwrap();
            line.trim_end().to_owned()
        };
        (0..count).map(line).collect()
    }

    /// Asks it to end, and reads what it said that was not read yet.
    pub(crate) fn rest(&mut self) -> String {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut rest = String::new();
        self.out.read_to_string(&mut rest).unwrap();
        self.child.wait().unwrap();
        rest
    }

    /// Asks it to end as the system does, and says whether it ended well.
    pub(crate) fn stop(mut self) -> bool {
        let pid = self.child.id().to_string();
        assert!(Command::new("kill").args(["-TERM", &pid]).status().unwrap().success());
        let mut rest = String::new();
        let _ = self.out.read_to_string(&mut rest);
        self.child.wait().unwrap().success()
    }
}

/// The token of a service that has all that the walls leave.
fn token(place: &Place, data: &str) -> String {
    let call = |words: &[&str]| {
        let words: Vec<&str> = words.iter().copied().chain(["--json", "--data", data]).collect();
        let out = place.command(&words).output().unwrap();
        assert!(out.status.success(), "{}", String::from_utf8_lossy(&out.stderr));
        String::from_utf8(out.stdout).unwrap()
    };
    let name = format!("tests-{}", std::process::id());
    if !call(&["client", "list"]).contains(&name) {
        call(&["client", "add", &name, "--display", "Tests", "--role", "system"]);
    }
    let issued = call(&["token", "issue", "--user", &name, "--ttl", "1h"]);
    let at = issued.find("plm_").unwrap();
    issued.get(at..at + 47).unwrap().to_owned()
}

impl Drop for Serving {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn what_was_written_is_there_after_an_end_in_order() {
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    let body = "{\"resourceType\":\"Patient\",\"id\":\"a\"}";
    assert!(server.ask("PUT", "/fhir/Patient/a", body).starts_with("HTTP/1.1 201"));
    let refused = place.run(&["import", "-"]);
    assert!(!refused.ok && refused.err.contains(".locked"), "{refused:?}");
    assert!(server.stop());
    let server = Serving::start(&place, &[]);
    assert!(server.ask("GET", "/fhir/Patient/a", "").contains("\"id\":\"a\""));
    drop(server);
    let verified = place.run(&["audit", "verify"]);
    assert!(verified.ok && verified.out.contains("sound"), "{verified:?}");
    let shown = place.run(&["audit", "show", "--kind", "read"]);
    assert_eq!(shown.out.lines().count(), 1, "{shown:?}");
}

#[cfg(target_os = "linux")]
#[test]
fn somebody_forgets_links_that_are_over_also_where_nobody_is_reminded() {
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    let tasks = std::fs::read_dir(format!("/proc/{}/task", server.child.id())).unwrap();
    let names: Vec<String> = tasks
        .filter_map(|task| std::fs::read_to_string(task.unwrap().path().join("comm")).ok())
        .map(|name| name.trim().to_owned())
        .collect();
    // What it forgets, the tests of the record and of scheduling tell.
    assert!(names.iter().any(|name| name == "record-links"), "{names:?}");
    assert!(!names.iter().any(|name| name == "reminders"), "{names:?}");
}

#[test]
fn other_addresses_are_refused_at_start() {
    let place = Place::new();
    let said = place.run(&["serve", "--listen", "0.0.0.0:0"]);
    assert!(!said.ok && said.err.contains("speaks TLS only"), "{said:?}");
    assert!(!place.path("data").exists(), "nothing was opened");
}

#[test]
fn the_demo_is_made_once_and_never_mixed_with_other_records() {
    let place = Place::new();
    let demo = ["--demo", "--demo-patients", "3"];
    let server = Serving::start(&place, &demo);
    let count = server.ask("GET", "/fhir/Patient?_summary=count", "");
    assert!(count.contains("\"total\":3"), "{count}");
    assert!(server.stop());
    let server = Serving::start(&place, &demo);
    assert!(server.ask("GET", "/fhir/Patient?_summary=count", "").contains("\"total\":3"));
    assert!(server.stop());

    let other = Place::new();
    other.write("in.json", "{\"resourceType\":\"Patient\",\"id\":\"real\"}");
    assert!(other.run(&["import", "in.json"]).ok);
    let said = other.run(&["serve", "--demo", "--listen", "127.0.0.1:0"]);
    assert!(!said.ok && said.err.contains("not the demo's"), "{said:?}");
}

#[test]
#[cfg(unix)]
fn the_data_folder_is_its_owners_alone() {
    use std::os::unix::fs::PermissionsExt as _;
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    let mode = std::fs::metadata(place.path("data")).unwrap().permissions().mode();
    assert_eq!(mode & 0o077, 0, "{mode:o}");
    drop(server);
}
