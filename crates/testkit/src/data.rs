//! The shared test data: public files nobody here wrote. They are found through `PLUMMER_TEST_DATA`,
//! else in a folder beside the repository. A test without them says so and passes, unless
//! `PLUMMER_REQUIRE_DATA=1` asks it to fail, as CI does.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so loudly")]
#![expect(clippy::panic, reason = "a test helper fails its test")]

use std::io::Read;
use std::path::{Path, PathBuf};

/// The path of a file of the shared data, if it is there.
pub fn find(file: &str) -> Option<PathBuf> {
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
pub fn text(file: &str) -> Option<String> {
    let path = find(file)?;
    Some(std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
}

/// Opens an archive file for reading through its compression (`.gz`, `.tgz`, `.zst`, or none).
pub fn open(path: &Path) -> Box<dyn Read> {
    let file = std::fs::File::open(path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    match path.extension().and_then(|e| e.to_str()) {
        Some("gz" | "tgz") => Box::new(flate2::read::GzDecoder::new(file)),
        Some("zst") => {
            Box::new(zstd::Decoder::new(file).unwrap_or_else(|e| panic!("{}: {e}", path.display())))
        }
        _ => Box::new(file),
    }
}

/// Hands over the text files of a tar archive with their names, until `each` answers false. `None`
/// when the archive is missing.
pub fn archive(file: &str, mut each: impl FnMut(&str, String) -> bool) -> Option<()> {
    let path = find(file)?;
    let fail = |e: std::io::Error| -> ! { panic!("{}: {e}", path.display()) };
    let mut archive = tar::Archive::new(open(&path));
    let entries = archive.entries().unwrap_or_else(|e| fail(e));
    for entry in entries {
        let mut entry = entry.unwrap_or_else(|e| fail(e));
        if !entry.header().entry_type().is_file() {
            continue;
        }
        let name = entry.path().unwrap_or_else(|e| fail(e)).to_string_lossy().into_owned();
        let mut text = String::new();
        if entry.read_to_string(&mut text).is_ok() && !each(&name, text) {
            break;
        }
    }
    Some(())
}

/// All files of a tar archive as bytes, by their names without folders.
pub fn unpack(path: &Path) -> Vec<(String, Vec<u8>)> {
    let fail = |e: std::io::Error| -> ! { panic!("{}: {e}", path.display()) };
    let mut files = Vec::new();
    for entry in tar::Archive::new(open(path)).entries().unwrap_or_else(|e| fail(e)) {
        let mut entry = entry.unwrap_or_else(|e| fail(e));
        if entry.header().entry_type().is_file() {
            let path = entry.path().unwrap_or_else(|e| fail(e));
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            drop(path);
            let mut bytes = Vec::new();
            entry.read_to_end(&mut bytes).unwrap_or_else(|e| fail(e));
            files.push((name, bytes));
        }
    }
    files
}
