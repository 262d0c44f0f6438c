//! The shared test data: public files that are not in the repository. They are found through
//! `PLUMMER_TEST_DATA`, else beside the repository; a test without them says so and passes, unless
//! `PLUMMER_REQUIRE_DATA=1`.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so loudly")]

use std::io::Read;
use std::path::PathBuf;

/// The path of a file of the shared data, if it is there.
fn find(file: &str) -> Option<PathBuf> {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/data");
    let root = std::env::var_os("PLUMMER_TEST_DATA").unwrap_or_else(|| beside.into());
    let path = PathBuf::from(root).join(file);
    if path.exists() {
        return Some(path);
    }
    let required = std::env::var_os("PLUMMER_REQUIRE_DATA").is_some_and(|v| v == "1");
    assert!(!required, "PLUMMER_REQUIRE_DATA is set, but {} is missing", path.display());
    eprintln!("SKIPPED: {} is missing; set PLUMMER_TEST_DATA", path.display());
    None
}

/// The text of a file of the shared data.
pub(crate) fn text(file: &str) -> Option<String> {
    Some(std::fs::read_to_string(find(file)?).expect("the file is text"))
}

/// The files of an archive (`.tar.gz` or `.tar.zst`), by path inside it, until `each` answers false.
pub(crate) fn archive(file: &str, mut each: impl FnMut(&str, String) -> bool) -> Option<()> {
    let path = find(file)?;
    let packed = std::fs::File::open(path).expect("the archive opens");
    let unpacked: Box<dyn Read> = if file.ends_with(".gz") {
        Box::new(flate2::read::GzDecoder::new(packed))
    } else {
        Box::new(zstd::Decoder::new(packed).expect("the archive is zstd"))
    };
    let mut archive = tar::Archive::new(unpacked);
    for entry in archive.entries().expect("the archive is tar") {
        let mut entry = entry.expect("an entry");
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path().expect("a name").to_string_lossy().into_owned();
        let mut text = String::new();
        if entry.read_to_string(&mut text).is_ok() && !each(&name, text) {
            break;
        }
    }
    Some(())
}
