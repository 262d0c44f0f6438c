//! `plummer doctor` on this very machine: what it says depends on it, how it says it does not.

use crate::run::Place;
use crate::serve::Serving;
use std::os::unix::fs::PermissionsExt as _;
use std::process::Output;

fn doctor(place: &Place, more: &[&str]) -> (Option<i32>, String) {
    let mut args = vec!["doctor", "--data", "data"];
    args.extend(more);
    let Output { status, stdout, .. } = place.command(&args).output().unwrap();
    (status.code(), String::from_utf8(stdout).unwrap())
}

/// The weight of a finding, from the report as JSON.
fn weight(report: &str, code: &str) -> String {
    let document = fhir::Document::parse(report.as_bytes().to_vec(), &base::Limits::default());
    let document = document.unwrap_or_else(|_| panic!("{report}"));
    let findings = document.root().get("findings").unwrap();
    let finding = findings.items().find(|f| f.get_str("code").as_deref() == Some(code)).unwrap();
    finding.get_str("weight").unwrap().into_owned()
}

#[test]
fn a_running_server_is_seen_and_what_is_wrong_is_found() {
    let place = Place::new();
    let server = Serving::start(&place, &[]);
    let (code, report) = doctor(&place, &["--json"]);
    assert_eq!(code, Some(2), "no backup was ever made: {report}");
    for (code, expected) in [
        ("backup.age", "fault"),
        ("audit.verified", "warning"),
        ("data.modes", "fine"),
        ("data.files", "fine"),
        ("data.owner", "fine"),
        ("settings.sync", "fine"),
        ("tls.plaintext", "fine"),
        ("clock.behind", "fine"),
        ("server.files", weight(&report, "server.files").as_str()),
    ] {
        assert_eq!(weight(&report, code), expected, "{code}: {report}");
    }
    if cfg!(target_os = "linux") {
        assert_ne!(weight(&report, "server.owner"), "unknown", "it sees the process");
        let core = weight(&report, "memory.core");
        assert!(["fine", "note"].contains(&core.as_str()), "the server limits itself: {report}");
    }
    assert!(place.run(&["backup", "copy"]).ok && place.run(&["audit", "verify"]).ok);
    let private = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(place.path("data"), private).unwrap();
    let (code, report) = doctor(&place, &["--json", "--sync", "relaxed"]);
    assert_eq!(code, Some(2));
    for (code, expected) in [
        ("backup.age", "fine"),
        ("audit.verified", "fine"),
        ("data.modes", "fault"),
        ("settings.sync", "fault"),
    ] {
        assert_eq!(weight(&report, code), expected, "{code}: {report}");
    }
    drop(server);
    let left = std::fs::read_dir(place.path("data")).unwrap().flatten();
    assert!(left.into_iter().all(|e| !e.file_name().to_string_lossy().starts_with("doctor-")));
}

#[test]
fn a_report_is_text_and_ends_with_how_many_there_are() {
    let place = Place::new();
    let (code, report) = doctor(&place, &[]);
    assert!(code.is_some_and(|code| (0..=2).contains(&code)));
    let last = report.lines().last().unwrap();
    assert!(last.contains(" faults, ") && last.ends_with(" fine"), "{report}");
    assert!(!place.path("data").exists(), "looking makes nothing");
    let (code, report) = doctor(&place, &["--listen", "0.0.0.0:0"]);
    assert_eq!(code, Some(2));
    assert!(report.contains("FAULT    tls.files: ") && report.contains("speaks TLS only"));
}
