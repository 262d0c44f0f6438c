//! Finds the outside test data and unpacks archives of it in memory.

use std::io::Read;
use std::path::{Path, PathBuf};

/// The file below `PLUMMER_TEST_DATA`, or beside the workspace. Without the data a test says so and
/// stops, unless `PLUMMER_REQUIRE_DATA=1` asks it to fail.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let beside = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../../shared/data");
    let root = std::env::var_os("PLUMMER_TEST_DATA").map_or(beside, PathBuf::from);
    let path = root.join(name);
    if path.exists() {
        return Some(path);
    }
    assert!(
        std::env::var_os("PLUMMER_REQUIRE_DATA").is_none_or(|v| v != "1"),
        "the test data {name} is missing"
    );
    #[expect(clippy::print_stderr, reason = "what is not tested must be seen")]
    {
        eprintln!("NOT TESTED: the test data {name} is missing");
    }
    None
}

/// The files of a `.tar.gz` by their names.
pub(crate) fn unpack(path: &Path) -> Vec<(String, Vec<u8>)> {
    let file = std::fs::File::open(path).unwrap();
    let mut archive = tar::Archive::new(flate2::read::GzDecoder::new(file));
    let mut files = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path().unwrap().file_name().unwrap().to_string_lossy().into_owned();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.push((name, bytes));
    }
    files
}
