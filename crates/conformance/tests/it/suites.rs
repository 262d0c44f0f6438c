//! Each suite on a fresh folder, over real HTTP, against the program as a child process. They need the
//! shared data: without it they say so and stop, and fail where it is required.

use conformance::http::Http;
use conformance::process::{Server, Start, program};
use conformance::searches::{Effort, Expected};
use conformance::{EXAMPLES, PATIENTS, SEARCHES, TEST_DATA, data, examples, ledger, searches};
use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

const REQUIRE_DATA: &str = "PLUMMER_REQUIRE_DATA";

fn root() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// The files, if the shared data is at hand.
fn shared<const N: usize>(files: [&str; N]) -> Option<[PathBuf; N]> {
    let found: Vec<PathBuf> = files.iter().filter_map(|file| data(file)).collect();
    let found = found.try_into().ok();
    if found.is_none() {
        assert!(std::env::var_os(REQUIRE_DATA).is_none(), "{TEST_DATA} does not lead to {files:?}");
        #[expect(clippy::print_stderr, reason = "what is not tested is said loudly")]
        {
            eprintln!("NOT TESTED: {TEST_DATA} does not lead to {files:?}");
        }
    }
    found
}

fn serve(program: &Path, data: &Path, environment: &[(&'static str, OsString)]) -> (Server, Http) {
    let start = Start { binary: program, data, words: &[], environment };
    let server = Server::start(&start).expect("a server");
    let http = server.http().expect("its address");
    (server, http)
}

#[test]
fn every_search_gives_its_total_in_every_way_it_can_be_asked() {
    let Some([patients, expected]) = shared([PATIENTS, SEARCHES]) else { return };
    let program = program(root()).expect("the program");
    let folder = tempfile::tempdir().expect("a folder");
    let data = folder.path().join("data");
    let imported = Command::new(&program)
        .arg("import")
        .arg(&patients)
        .arg("--data")
        .arg(&data)
        .output()
        .expect("an import");
    let receipt = String::from_utf8_lossy(&imported.stdout).into_owned();
    let said = String::from_utf8_lossy(&imported.stderr);
    assert!(imported.status.success(), "{receipt}{said}");
    let expected = Expected::read(&expected).expect("the expectations");
    assert_eq!((expected.queries.len(), expected.patients.len()), (180, 40));
    let (server, mut http) = serve(&program, &data, &[]);
    let all = http.get("?_summary=count").and_then(|a| a.ok()?.json()).expect("a count");
    assert_eq!(all.get("total"), Some(&conformance::PATIENTS_RESOURCES.into()));
    let report = searches::run(&http, &expected, Effort::default());
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n"));
    assert!(report.asked > 6 * 180 + 40, "{}", report.asked);
    assert!(server.stop().expect("an end").success());
}

#[test]
fn every_example_comes_back_as_it_went_or_is_refused_as_the_ledger_says() {
    let Some([archive]) = shared([EXAMPLES]) else { return };
    let folder = tempfile::tempdir().expect("a folder");
    let program = program(root()).expect("the program");
    // Some examples are Consents that deny others to everybody: a guard would heed them.
    let open = [("PLUMMER_GUARD", OsString::from("off"))];
    let (server, mut http) = serve(&program, &folder.path().join("data"), &open);
    let examples = examples::read(&archive).expect("the examples");
    assert_eq!(examples.len(), 721);
    let report = examples::run(&mut http, &examples);
    assert!(report.wrong.is_empty(), "{}", report.wrong.join("\n"));
    assert_eq!(report.kept + report.refused.len(), examples.len());
    let page = std::fs::read_to_string(root().join("CONFORMANCE.md")).expect("the ledger");
    let known: BTreeMap<_, _> = ledger::refused(&page).expect("a list");
    let departures = ledger::departures(&known, &report.refused);
    assert!(departures.is_empty(), "{}", departures.join("\n"));
    assert!(server.stop().expect("an end").success());
}
