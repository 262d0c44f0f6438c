//! Running the binary, with nothing of the caller's environment.

use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

/// A place of its own for a test.
pub(crate) struct Place {
    pub(crate) dir: TempDir,
}

/// What a command said.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) ok: bool,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Place {
    pub(crate) fn new() -> Self {
        Self { dir: tempfile::tempdir().unwrap() }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.path(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, text).unwrap();
        path
    }

    pub(crate) fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_plummer"));
        command.args(args).current_dir(self.dir.path()).env_clear();
        command
    }

    /// Copies the keys of the data folder `data` into another, as whoever restores a backup does.
    pub(crate) fn copy_keys(&self, to: &str) {
        let (from, to) = (self.path("data").join("keys"), self.path(to).join("keys"));
        std::fs::create_dir_all(&to).unwrap();
        for entry in std::fs::read_dir(from).unwrap() {
            let path = entry.unwrap().path();
            std::fs::copy(&path, to.join(path.file_name().unwrap())).unwrap();
        }
    }

    /// Runs a command in this place, on the data folder `data`.
    pub(crate) fn run(&self, args: &[&str]) -> Said {
        let mut all = args.to_vec();
        all.extend(["--data", "data"]);
        Said::of(self.command(&all).stdin(Stdio::null()).output().unwrap())
    }

    /// As [`Place::run`], with something on standard input.
    pub(crate) fn run_with(&self, args: &[&str], input: &[u8]) -> Said {
        use std::io::Write as _;
        let mut all = args.to_vec();
        all.extend(["--data", "data"]);
        let mut child = self
            .command(&all)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(input).unwrap();
        Said::of(child.wait_with_output().unwrap())
    }
}

impl Said {
    fn of(output: Output) -> Self {
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Self { ok: output.status.success(), out: text(output.stdout), err: text(output.stderr) }
    }
}

/// Every file below a folder, by name, with its lines sorted.
pub(crate) fn lines(folder: &Path) -> Vec<(String, Vec<String>)> {
    let mut all = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
        lines.sort();
        all.push((path.file_name().unwrap().to_str().unwrap().to_owned(), lines));
    }
    all.sort();
    all
}
