//! Boxes made by hand: a good one, of which nothing is said, a bad one, of which everything is, and
//! for each check the good box with that one thing wrong.

use super::checks::{CHECKS, all};
use super::facts::{
    AtRest, Choices, Clock, Disk, Fact, Facts, Held, Modes, Open, Port, Reviews, RootKey, Second,
    Server, Sessions, Stolen, Swap, Transport,
};
use super::{Finding, Weight, json, text, worst};
use base::Millis;
use server::Validity;

const PAGE: &str = include_str!("../../../../docs/operators/doctor.md");
const DAY_MS: i64 = 86_400_000;
/// 2026-11-22
const NOW: Millis = Millis(1_795_305_600_000);

fn days(count: i64) -> Millis {
    Millis(NOW.0 + count * DAY_MS)
}

fn modes(path: &str, mode: u32) -> Modes {
    Modes { path: path.into(), mode, owner: 990 }
}

fn good() -> Facts {
    let key =
        RootKey { file: modes("/etc/plummer/root.key", 0o600), beside_data: false, sealed: true };
    let tls = server::Facts {
        validity: Validity { from: days(-10), until: days(80) },
        names_host: Some(true),
    };
    Facts {
        now: NOW,
        version: "1.2.3",
        data: Some(modes("/srv/plummer", 0o40700)),
        files: Fact::Known(Open { files: 12, ..Open::default() }),
        at_rest: Fact::Known(AtRest::Encrypted(key)),
        transport: Fact::Known(Transport::Tls(tls)),
        clock: Fact::Known(Clock::Kept),
        newest: Fact::Known(Millis(NOW.0 - 5000)),
        disk: Fact::Known(Disk {
            kind: "ext4".to_owned(),
            free_bytes: 300 << 30,
            size_bytes: 500 << 30,
            sync_us: Some((900, 4000)),
        }),
        ports: Fact::Known(vec![Port { number: 443, ours: true }]),
        swaps: Fact::Known(vec![Swap { name: "/dev/dm-1".to_owned(), safe: Fact::Known(true) }]),
        core_pattern: Fact::Known("core".to_owned()),
        server: Fact::Known(Server { owner: 990, core_bytes: 0, files_max: 65_536 }),
        choices: Choices {
            connections_max: 4096,
            exempt_roles: vec!["system".to_owned()],
            ..Choices::default()
        },
        sessions: Fact::Known(Sessions { idle_min: 15, whole_min: 600 }),
        second: Fact::Known(Second { demanded: 7, missing: 0 }),
        stolen: Fact::Known(Stolen::Made(days(-200))),
        backup: Fact::Known(Some(days(-1))),
        verified: Fact::Known(Some(days(-1))),
        reviews: Fact::Known(Reviews {
            undecided: 3,
            overdue: 0,
            overdue_break_glass: 0,
            overdue_by_ms: 0,
            failing: false,
        }),
        schema: Fact::Known((4, 4)),
    }
}

/// The good box with one thing wrong, and the check that finds it.
type Wrong = (&'static str, Weight, fn(&mut Facts));

fn disk(facts: &mut Facts, change: fn(&mut Disk)) {
    if let Fact::Known(disk) = &mut facts.disk {
        change(disk);
    }
}

fn server(facts: &mut Facts, change: fn(&mut Server)) {
    if let Fact::Known(server) = &mut facts.server {
        change(server);
    }
}

fn tls(facts: &mut Facts, change: fn(&mut server::Facts)) {
    if let Fact::Known(Transport::Tls(tls)) = &mut facts.transport {
        change(tls);
    }
}

fn key(facts: &mut Facts, change: fn(&mut RootKey)) {
    if let Fact::Known(AtRest::Encrypted(key)) = &mut facts.at_rest {
        change(key);
    }
}

fn reviews(facts: &mut Facts, change: fn(&mut Reviews)) {
    if let Fact::Known(reviews) = &mut facts.reviews {
        change(reviews);
    }
}

/// A root key that a service holds, with one thing wrong.
fn held(facts: &mut Facts, change: fn(&mut Held)) {
    let mut held = Held {
        holder: "transit",
        name: "transit/keys/plummer at https://bao.example".to_owned(),
        newest: Some(2),
        under: Some(2),
        trouble: None,
    };
    change(&mut held);
    facts.at_rest = Fact::Known(AtRest::Held(held));
}

fn waiver(facts: &mut Facts, end: Millis) {
    facts.transport = Fact::Known(Transport::Waived { date: "2026-12-31".to_owned(), end });
}

const WRONGS: &[Wrong] = &[
    ("data.modes", Weight::Fault, |f| f.data = Some(modes("/srv/plummer", 0o40755))),
    ("data.modes", Weight::Fault, |f| f.data = Some(modes("/srv/plummer", 0o40750))),
    ("data.files", Weight::Warning, |f| {
        let first = Some("store/records.sqlite".into());
        f.files = Fact::Known(Open { files: 12, open: 2, first, strange: 0 });
    }),
    ("data.owner", Weight::Warning, |f| {
        if let Fact::Known(files) = &mut f.files {
            files.strange = 3;
        }
    }),
    ("data.owner", Weight::Fault, |f| server(f, |s| s.owner = 991)),
    ("server.owner", Weight::Warning, |f| server(f, |s| s.owner = 0)),
    ("rest.encryption", Weight::Fault, |f| f.at_rest = Fact::Known(AtRest::Plain)),
    ("rest.encryption", Weight::Fault, |f| f.at_rest = Fact::Known(AtRest::KeyMissing)),
    ("rest.key-modes", Weight::Fault, |f| key(f, |k| k.file.mode = 0o640)),
    ("rest.key-place", Weight::Warning, |f| key(f, |k| k.beside_data = true)),
    ("rest.key-place", Weight::Fault, |f| {
        key(f, |k| (k.beside_data, k.sealed) = (true, false));
    }),
    ("rest.key-holder", Weight::Fault, |f| held(f, |h| h.trouble = Some("sealed".to_owned()))),
    ("rest.key-holder", Weight::Note, |f| held(f, |h| h.newest = Some(3))),
    ("tls.files", Weight::Fault, |f| {
        f.transport = Fact::Known(Transport::Broken("tls.pem cannot be read".to_owned()));
    }),
    ("tls.validity", Weight::Warning, |f| tls(f, |t| t.validity.until = days(20))),
    ("tls.validity", Weight::Fault, |f| tls(f, |t| t.validity.until = days(-1))),
    ("tls.host", Weight::Fault, |f| tls(f, |t| t.names_host = Some(false))),
    ("tls.host", Weight::Note, |f| tls(f, |t| t.names_host = None)),
    ("tls.plaintext", Weight::Warning, |f| waiver(f, days(39))),
    ("tls.plaintext", Weight::Fault, |f| waiver(f, NOW)),
    ("clock.kept", Weight::Warning, |f| f.clock = Fact::Known(Clock::Free)),
    ("clock.behind", Weight::Fault, |f| f.newest = Fact::Known(days(1))),
    ("disk.space", Weight::Fault, |f| disk(f, |d| d.free_bytes = 1 << 29)),
    ("disk.space", Weight::Warning, |f| disk(f, |d| d.free_bytes = 9 << 30)),
    ("disk.rate", Weight::Warning, |f| disk(f, |d| d.sync_us = Some((30_000, 40_000)))),
    ("disk.rate", Weight::Fault, |f| disk(f, |d| d.sync_us = Some((300_000, 400_000)))),
    ("disk.kind", Weight::Fault, |f| disk(f, |d| d.kind = "tmpfs".to_owned())),
    ("disk.kind", Weight::Fault, |f| disk(f, |d| d.kind = "nfs4".to_owned())),
    ("ports.open", Weight::Warning, |f| {
        f.ports = Fact::Known(vec![Port { number: 5432, ours: false }]);
    }),
    ("memory.swap", Weight::Fault, |f| {
        let safe = Fact::Known(false);
        f.swaps = Fact::Known(vec![Swap { name: "/dev/sda2".to_owned(), safe }]);
    }),
    ("memory.swap", Weight::Warning, |f| {
        let safe = Fact::Unknown("a file");
        f.swaps = Fact::Known(vec![Swap { name: "/swapfile".to_owned(), safe }]);
    }),
    ("memory.core", Weight::Fault, |f| server(f, |s| s.core_bytes = u64::MAX)),
    ("memory.core", Weight::Note, |f| f.core_pattern = Fact::Known("|/opt/keep".to_owned())),
    ("server.files", Weight::Warning, |f| server(f, |s| s.files_max = 1024)),
    ("settings.sync", Weight::Fault, |f| f.choices.relaxed = true),
    ("settings.cors", Weight::Warning, |f| {
        f.choices.plain_origins = vec!["http://app.example".to_owned()];
    }),
    ("settings.exempt", Weight::Warning, |f| f.choices.exempt_roles.push("clinician".to_owned())),
    ("settings.delete-many", Weight::Warning, |f| f.choices.delete_many = true),
    ("settings.explain", Weight::Note, |f| f.choices.explain = true),
    ("settings.log", Weight::Note, |f| f.choices.log_debug = true),
    ("settings.sessions", Weight::Warning, |f| {
        f.sessions = Fact::Known(Sessions { idle_min: 60, whole_min: 600 });
    }),
    ("settings.sessions", Weight::Warning, |f| {
        f.sessions = Fact::Known(Sessions { idle_min: 15, whole_min: 1000 });
    }),
    ("sign-in.second-factor", Weight::Warning, |f| {
        f.second = Fact::Known(Second { demanded: 7, missing: 2 });
    }),
    ("sign-in.second-factor", Weight::Note, |f| {
        f.second = Fact::Known(Second { demanded: 0, missing: 0 });
    }),
    ("passwords.stolen", Weight::Note, |f| f.stolen = Fact::Known(Stolen::None)),
    ("passwords.stolen", Weight::Warning, |f| f.stolen = Fact::Known(Stolen::Made(days(-400)))),
    ("passwords.stolen", Weight::Warning, |f| f.stolen = Fact::Known(Stolen::Made(days(1)))),
    ("passwords.stolen", Weight::Fault, |f| {
        f.stolen = Fact::Known(Stolen::Damaged("breached_passwords: cut off".to_owned()));
    }),
    ("backup.age", Weight::Fault, |f| f.backup = Fact::Known(None)),
    ("backup.age", Weight::Fault, |f| f.backup = Fact::Known(Some(days(-7)))),
    ("backup.age", Weight::Warning, |f| f.backup = Fact::Known(Some(days(-2)))),
    ("backup.age", Weight::Warning, |f| f.backup = Fact::Known(Some(days(1)))),
    ("audit.verified", Weight::Warning, |f| f.verified = Fact::Known(None)),
    ("audit.verified", Weight::Warning, |f| f.verified = Fact::Known(Some(days(-9)))),
    ("audit.reviews", Weight::Warning, |f| reviews(f, |r| r.failing = true)),
    ("audit.reviews", Weight::Warning, |f| {
        reviews(f, |r| (r.overdue, r.overdue_by_ms) = (2, 40 * DAY_MS));
    }),
    ("audit.reviews", Weight::Warning, |f| {
        reviews(f, |r| (r.overdue, r.overdue_break_glass, r.overdue_by_ms) = (2, 1, DAY_MS));
    }),
    ("audit.reviews", Weight::Fault, |f| {
        reviews(f, |r| {
            (r.overdue, r.overdue_break_glass, r.overdue_by_ms) = (3, 1, 15 * DAY_MS);
        });
    }),
    ("version.schema", Weight::Fault, |f| f.schema = Fact::Known((5, 4))),
    ("version.schema", Weight::Note, |f| f.schema = Fact::Known((3, 4))),
];

fn told(findings: &[Finding]) -> Vec<(&'static str, Weight)> {
    let told = findings.iter().filter(|f| f.weight != Weight::Fine);
    told.map(|f| (f.code, f.weight)).collect()
}

#[test]
fn of_a_good_box_nothing_is_said() {
    let findings = all(&good());
    assert_eq!(told(&findings), []);
    assert_eq!(worst(&findings), Weight::Fine);
}

#[test]
fn each_thing_that_is_wrong_is_found_by_its_check_alone() {
    for (at, (code, weight, spoil)) in WRONGS.iter().enumerate() {
        let mut facts = good();
        spoil(&mut facts);
        assert_eq!(told(&all(&facts)), [(*code, *weight)], "{at}");
    }
    for check in CHECKS {
        assert!(WRONGS.iter().any(|(code, _, _)| *code == check.code), "{}", check.code);
    }
}

/// A box on which nobody ever looked at anything: the worst of every check that fit together.
fn bad() -> Facts {
    let mut facts = good();
    let spoil: Vec<&Wrong> = WRONGS
        .iter()
        .filter(|(code, weight, _)| {
            let worst = WRONGS.iter().filter(|(c, _, _)| c == code).map(|(_, w, _)| w).max();
            let elsewhere = matches!(
                *code,
                "tls.files" | "tls.plaintext" | "rest.encryption" | "rest.key-holder"
            );
            // A server that runs as root may write the files of anybody.
            (Some(weight) == worst || *code == "data.owner") && !elsewhere
        })
        .collect();
    for (_, _, spoil) in spoil {
        spoil(&mut facts);
    }
    facts
}

#[test]
fn of_a_bad_box_everything_is_found() {
    let findings = all(&bad());
    let told = told(&findings);
    // What excludes another: a certificate that cannot be read has no dates, a key held elsewhere no file.
    assert_eq!(told.len(), CHECKS.len() - 4);
    assert!(told.len() >= 20 && told.iter().all(|(_, weight)| *weight >= Weight::Note));
    assert_eq!(worst(&findings), Weight::Fault);
    insta::assert_snapshot!("bad_box", text(&findings));
    insta::assert_snapshot!("bad_box_json", json(&findings).replace("},{", "},\n{"));
}

#[test]
fn what_is_not_known_is_said_to_be_so_and_never_fine() {
    let why = "nobody tells";
    let facts = Facts {
        files: Fact::Unknown(why),
        at_rest: Fact::Unknown(why),
        transport: Fact::Unknown(why),
        clock: Fact::Unknown(why),
        newest: Fact::Unknown(why),
        disk: Fact::Unknown(why),
        ports: Fact::Unknown(why),
        swaps: Fact::Unknown(why),
        core_pattern: Fact::Unknown(why),
        server: Fact::Unknown(why),
        sessions: Fact::Unknown(why),
        second: Fact::Unknown(why),
        stolen: Fact::Unknown(why),
        backup: Fact::Unknown(why),
        verified: Fact::Unknown(why),
        reviews: Fact::Unknown(why),
        schema: Fact::Unknown(why),
        ..good()
    };
    let findings = all(&facts);
    for finding in &findings {
        let known = finding.code.starts_with("settings.") && finding.code != "settings.sessions";
        if !known && finding.code != "data.modes" {
            assert_eq!((finding.weight, finding.found.as_str()), (Weight::Unknown, why));
        }
    }
    assert_eq!(worst(&findings), Weight::Unknown);
}

#[test]
fn the_page_has_a_row_for_each_check() {
    for check in CHECKS {
        assert!(PAGE.contains(&format!("\n| `{}` | ", check.code)), "{}", check.code);
    }
    assert_eq!(PAGE.matches("\n| `").count(), CHECKS.len(), "and no others");
}
