//! `plummer audit …`, as an auditor meets it.

use crate::run::Place;
use crate::serve::Serving;
use std::io::{Read as _, Write as _};
use std::net::TcpListener;
use std::sync::Arc;

/// A data folder whose server has answered a few requests and stopped.
fn sample() -> Place {
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    let patient = r#"{"resourceType":"Patient","id":"ada"}"#;
    for (method, path, body) in [
        ("PUT", "/fhir/Patient/ada", patient),
        ("GET", "/fhir/Patient/ada", ""),
        ("GET", "/fhir/Patient/none", ""),
        ("GET", "/fhir/Patient?_id=ada", ""),
    ] {
        server.ask(method, path, body);
    }
    assert!(server.stop());
    place
}

/// The readings of commands; the server's sweep is part of a commit.
fn readings(shown: &str) -> usize {
    shown.lines().filter(|line| !line.contains("\"commit\":")).count()
}

#[test]
fn a_stopped_servers_log_is_signed_to_its_end_and_verifies() {
    let place = sample();
    let said = place.run(&["audit", "verify"]);
    assert!(said.ok, "{said:?}");
    assert!(
        said.out.contains("chain and tree held against checkpoints signed by the tenant's key"),
        "{said:?}"
    );
    assert!(said.out.contains("sound"), "{said:?}");
    let shown = place.run(&["audit", "show", "--kind", "review"]);
    assert_eq!(readings(&shown.out), 2, "verifying and showing leave events: {shown:?}");
    // Only with another's key.
    let other = "plummer/x+41ce0c8e+AZ0cOvqfN4Zz2p5GbcPKnn5FwDXwIrfhVQTCeZMrUZ4u";
    assert!(!place.run(&["audit", "verify", "--key", other]).ok);
    let checkpoints = place.path("data/audit/checkpoints");
    let whole = std::fs::read(&checkpoints).unwrap();
    std::fs::remove_file(&checkpoints).unwrap();
    let said = place.run(&["audit", "verify"]);
    assert!(!said.ok && said.out.contains("DAMAGED"), "{said:?}");
    std::fs::write(&checkpoints, whole).unwrap();
    let segment = place.path("data/audit/00000000000000000001.audit");
    let mut bytes = std::fs::read(&segment).unwrap();
    bytes[150] ^= 1;
    std::fs::write(&segment, bytes).unwrap();
    let said = place.run(&["audit", "verify"]);
    assert!(!said.ok && said.out.contains("DAMAGED: event 1 in"), "{said:?}");
}

#[test]
fn an_older_copy_of_the_log_put_in_its_place_falls_short_of_what_the_sealed_store_remembers() {
    let place = sample();
    let audit = place.path("data/audit");
    let older: Vec<_> = std::fs::read_dir(&audit)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .map(|path| (std::fs::read(&path).unwrap(), path))
        .collect();
    let server = Serving::start(&place, &[]);
    server.ask("GET", "/fhir/Patient/ada", "");
    assert!(server.stop());
    let said = place.run(&["audit", "verify"]);
    assert!(said.ok && said.out.contains("compared with what the store remembers"), "{said:?}");
    std::fs::remove_dir_all(&audit).unwrap();
    std::fs::create_dir(&audit).unwrap();
    for (bytes, path) in older {
        std::fs::write(path, bytes).unwrap();
    }
    let said = place.run(&["audit", "verify"]);
    assert!(!said.ok && said.out.contains("DAMAGED"), "{said:?}");
}

#[test]
fn a_store_that_does_not_open_leaves_the_log_unproven() {
    let place = sample();
    let path = place.path("data/store/records.sqlite");
    let mut bytes = std::fs::read(&path).unwrap();
    bytes[2000] ^= 1;
    std::fs::write(&path, bytes).unwrap();
    // Whatever it has of the page goes before the file.
    let _ = std::fs::remove_file(place.path("data/store/records.sqlite-wal"));
    let said = place.run(&["audit", "verify"]);
    assert!(!said.ok && said.out.contains("store.corrupt"), "{said:?}");
    assert!(said.out.contains("NOT PROVEN"), "{said:?}");
    // Nor does one that is gone, another that anybody can make, or one that somebody holds.
    std::fs::remove_file(&path).unwrap();
    let said = place.run(&["audit", "verify"]);
    assert!(!said.ok && said.out.contains("NOT PROVEN"), "{said:?}");
    std::fs::write(&path, b"SQLite format 3\0").unwrap();
    let said = place.run(&["audit", "verify"]);
    assert!(!said.ok && said.out.contains("NOT PROVEN"), "{said:?}");
    let lock = std::fs::File::open(place.path("data/keys/lock")).unwrap();
    lock.lock().unwrap();
    let said = place.run(&["audit", "verify"]);
    assert!(!said.ok && said.out.contains("NOT PROVEN"), "{said:?}");
}

#[test]
fn a_running_server_tells_what_its_store_remembers() {
    let place = sample();
    let server = Serving::start(&place, &[]);
    let said = place.run(&["audit", "verify"]);
    assert!(said.ok && said.out.contains("as the running server says"), "{said:?}");
    assert!(server.stop());
}

#[test]
fn an_event_is_proven_to_someone_without_the_log() {
    let place = sample();
    let shown = place.run(&["audit", "show"]).out;
    let about = shown.lines().find(|line| line.contains("Patient")).unwrap();
    let number = about.split(['"', ':', ',']).find_map(|word| word.parse::<u64>().ok()).unwrap();
    let proof = place.run(&["audit", "prove", "--event", &number.to_string()]);
    assert!(proof.ok, "{proof:?}");
    let file = place.write("elsewhere/proof", &proof.out);
    let key = std::fs::read_to_string(place.path("data/audit/key")).unwrap();
    let check = |place: &Place, file: &std::path::Path| {
        place.run(&["audit", "check-proof", file.to_str().unwrap(), "--key", key.trim()])
    };
    let said = check(&place, &file);
    assert!(said.ok && said.out.contains(&format!("proven: event {number}")), "{said:?}");
    assert!(said.out.contains("Patient"), "{said:?}");
    let forged = place.write(
        "elsewhere/forged",
        &proof.out.replace(&format!("index {}\n", number - 1), &format!("index {number}\n")),
    );
    let said = check(&place, &forged);
    assert!(!said.ok && said.out.contains("NOT PROVEN"), "{said:?}");
    assert!(!place.run(&["audit", "prove", "--event", "9999"]).ok);
}

#[test]
fn a_reading_beside_a_server_leaves_an_event_and_beside_another_process_shows_nothing() {
    let place = sample();
    let readings = |place: &Place| {
        let shown = place.run(&["audit", "show", "--kind", "review"]);
        assert!(shown.ok && shown.err.is_empty(), "{shown:?}");
        shown.out.lines().count()
    };
    let server = Serving::start(&place, &[]);
    let before = readings(&place);
    assert_eq!(readings(&place), before + 1, "each reading is in the log before it shows anything");
    let of = place.run(&["audit", "report", "--patient", "ada"]);
    assert!(of.ok && of.out.contains("review"), "the patient's own accounting has it: {of:?}");
    assert!(server.stop());
    let lock = std::fs::File::open(place.path("data/audit/lock")).unwrap();
    lock.lock().unwrap();
    let said = place.run(&["audit", "show"]);
    assert!(!said.ok && said.out.is_empty() && said.err.contains("audit.locked"), "{said:?}");
}

#[test]
fn a_report_is_chosen_sorted_and_told_in_three_forms() {
    let place = sample();
    let said = place.run(&["audit", "report", "--sort", "status:desc", "--format", "csv"]);
    let mut lines = said.out.lines();
    assert!(lines.next().unwrap().starts_with("seq,time,actor"), "{said:?}");
    assert!(lines.next().unwrap().contains(",failed,404,"), "{said:?}");
    let text = place.run(&["audit", "report", "--patient", "ada", "--outcome", "ok"]);
    assert!(text.out.contains("3 events") || text.out.contains("4 events"), "{text:?}");
    assert!(!place.run(&["audit", "report", "--sort", "wat"]).ok);
    assert!(!place.run(&["audit", "report", "--format", "pdf"]).ok);
}

#[test]
fn signals_are_printed_and_their_reading_is_logged() {
    let place = sample();
    let said = place.run(&["audit", "signals"]);
    // Nobody has signed in: what nobody did stands out for nobody.
    assert!(said.ok && said.out == "0 sightings\n", "{said:?}");
    assert_eq!(readings(&place.run(&["audit", "show", "--kind", "review"]).out), 2);
    assert!(!place.run(&["audit", "signals", "--from", "yesterday"]).ok);
}

#[test]
fn an_export_is_lines_of_what_was_asked_for() {
    let place = sample();
    let balp = place.run(&["audit", "export", "--format", "balp", "--patient", "ada"]);
    assert!(balp.out.lines().count() >= 3, "{balp:?}");
    assert!(balp.out.lines().all(|line| line.starts_with("{\"resourceType\":\"AuditEvent\"")));
    let syslog = place.run(&["audit", "export", "--format", "rfc5424"]);
    assert!(syslog.out.lines().all(|line| line.starts_with('<') && line.contains(" plummer - ")));
}

#[test]
fn the_log_is_sent_by_tls_once_and_only_to_whom_the_certificate_names() {
    let place = sample();
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let ca = place.write("ca.pem", &made.cert.pem());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let key = rustls::pki_types::PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let config = Arc::new(config);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let collecting = std::thread::spawn(move || {
        let mut all = Vec::new();
        for _ in 0..3 {
            let (socket, _) = listener.accept().unwrap();
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).unwrap();
            let mut stream = rustls::StreamOwned::new(connection, socket);
            let mut bytes = Vec::new();
            // A client that goes away without a word ends what it sent.
            let _ = stream.read_to_end(&mut bytes);
            let _ = stream.flush();
            all.push(String::from_utf8(bytes).unwrap());
        }
        all
    });
    let send = |host: &str| {
        let to = format!("tls://{host}:{port}");
        place.run(&["audit", "send", "--to", &to, "--ca", ca.to_str().unwrap()])
    };
    let first = send("localhost");
    assert!(first.ok && first.out.contains("sent up to event"), "{first:?}");
    let second = send("localhost");
    assert!(second.ok, "{second:?}");
    assert!(!send("127.0.0.1").ok, "the certificate does not name the address");
    let got = collecting.join().unwrap();
    let count = |text: &str| text.matches("[plummer@32473 ").count();
    // What the second sends is the event of its own reading.
    assert!(count(&got[0]) >= 5 && count(&got[1]) == 1 && count(&got[2]) == 0, "{got:?}");
    assert!(
        !place.run(&["audit", "send", "--to", "tcp://192.0.2.1:514"]).ok,
        "plain TCP stays here"
    );
}
