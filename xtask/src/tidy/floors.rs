//! The floors of the house (ARCHITECTURE.md): which crate may use which, as the root manifest's
//! `[workspace.metadata.floors]` says and as `cargo metadata` finds it done.

use super::Finding;
use anyhow::{Context, bail};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::Command;

/// The floor whose crates do not know each other.
const APART: &str = "departments";
/// The crates behind the gate, and who above the record room may use them all the same: the binary
/// opens them at start.
const BEHIND_THE_GATE: [&str; 2] = ["store", "audit"];
const OPENER: &str = "plummer";
/// The floor of the gate.
const GATE: &str = "record";
/// The list of crates that stand outside the product.
const TOOLS: &str = "tools";
const MANIFEST: &str = "Cargo.toml";
/// The crates with lints of their own: one replaces functions of the C library, for `xtask crash`; the
/// other fills SQLite's tables of C functions.
const OWN_LINTS: [&str; 2] = ["powerloss", "vfs"];

/// Asks cargo for the packages and holds them against the plan.
pub(super) fn check_workspace(root: &Path) -> anyhow::Result<Vec<Finding>> {
    let answer = Command::new("cargo")
        .args(["metadata", "--format-version", "1", "--no-deps", "--locked"])
        .current_dir(root)
        .output()
        .context("cargo metadata did not start")?;
    if !answer.status.success() {
        bail!("cargo metadata: {}", String::from_utf8_lossy(&answer.stderr).trim());
    }
    let metadata: Value = serde_json::from_slice(&answer.stdout)?;
    let plan = Plan::read(&metadata)?;
    let packages = packages(&metadata);
    let mut findings = plan.check(&packages);
    for package in packages.iter().filter(|package| !OWN_LINTS.contains(&package.name.as_str())) {
        let manifest = fs::read_to_string(root.join(&package.folder).join(MANIFEST))?;
        findings.extend(check_manifest(&format!("{}/{MANIFEST}", package.folder), &manifest));
    }
    Ok(findings)
}

/// Where each crate stands.
#[derive(Debug)]
struct Plan {
    /// Crate to floor name, floor rank and place within the floor.
    places: BTreeMap<String, Place>,
    /// Crates written twice.
    twice: Vec<String>,
}

#[derive(Debug, Clone)]
struct Place {
    floor: String,
    rank: usize,
    index: usize,
}

#[derive(Debug, Default)]
struct Package {
    name: String,
    folder: String,
    has_build_script: bool,
    /// Name and whether it is used by tests alone.
    uses: Vec<(String, bool)>,
}

impl Plan {
    fn read(metadata: &Value) -> anyhow::Result<Self> {
        let floors = metadata.pointer("/metadata/floors").context("no metadata.floors")?;
        let list = |name: &str| -> anyhow::Result<Vec<String>> {
            let names = floors.get(name).and_then(Value::as_array);
            let names = names.with_context(|| format!("floors.{name} is not a list"))?;
            Ok(names.iter().filter_map(Value::as_str).map(str::to_owned).collect())
        };
        let mut order = list("order")?;
        order.push(TOOLS.to_owned());
        let (mut places, mut twice) = (BTreeMap::new(), Vec::new());
        for (rank, floor) in order.iter().enumerate() {
            for (index, name) in list(floor)?.into_iter().enumerate() {
                let place = Place { floor: floor.clone(), rank, index };
                if places.insert(name.clone(), place).is_some() {
                    twice.push(name);
                }
            }
        }
        Ok(Self { places, twice })
    }

    fn check(&self, packages: &[Package]) -> Vec<Finding> {
        let twice = self.twice.iter();
        let mut findings: Vec<_> = twice
            .map(|name| Finding::error(MANIFEST, 1, format!("`{name}` stands on two floors")))
            .collect();
        for name in self.places.keys().filter(|n| packages.iter().all(|p| p.name != **n)) {
            let text = format!("the floors name `{name}`, and there is no such crate");
            findings.push(Finding::error(MANIFEST, 1, text));
        }
        for package in packages {
            let manifest = format!("{}/{MANIFEST}", package.folder);
            let Some(from) = self.places.get(&package.name) else {
                let text = format!("`{}` stands on no floor of the root manifest", package.name);
                findings.push(Finding::error(&manifest, 1, text));
                continue;
            };
            if package.has_build_script {
                let text = "has a build script; compile data with an xtask and commit it";
                findings.push(Finding::error(&manifest, 1, text));
            }
            for (used, for_tests) in &package.uses {
                let Some(to) = self.places.get(used) else { continue };
                let behind = BEHIND_THE_GATE.contains(&used.as_str()) && package.name != OPENER;
                let why = refusal(from, to, *for_tests).or_else(|| {
                    let above = !for_tests && from.floor != GATE && from.floor != TOOLS;
                    (behind && above).then(|| "go through the gate, `record`".to_owned())
                });
                if let Some(why) = why {
                    let text = format!("`{}` may not use `{used}`: {why}", package.name);
                    findings.push(Finding::error(&manifest, 1, text));
                }
            }
        }
        findings
    }
}

/// Why an arrow may not be drawn, if it may not.
fn refusal(from: &Place, to: &Place, for_tests: bool) -> Option<String> {
    if to.floor == TOOLS {
        let allowed = for_tests || (from.floor == TOOLS && to.index < from.index);
        return (!allowed).then(|| "tools are for tests alone".to_owned());
    }
    if to.rank < from.rank {
        return None;
    }
    if to.rank > from.rank {
        return Some(format!("it stands higher, on `{}`", to.floor));
    }
    if from.floor == APART {
        return Some("departments do not know each other".to_owned());
    }
    (to.index >= from.index).then(|| format!("it stands later in `{}`", to.floor))
}

fn packages(metadata: &Value) -> Vec<Package> {
    let text = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_str).unwrap_or_default().to_owned()
    };
    let list = |value: &Value, key: &str| {
        value.get(key).and_then(Value::as_array).cloned().unwrap_or_default()
    };
    let root = text(metadata, "workspace_root").replace('\\', "/");
    let one = |package: &Value| {
        let manifest = text(package, "manifest_path").replace('\\', "/");
        let folder = manifest.strip_prefix(&root).unwrap_or(&manifest);
        let folder = folder.strip_suffix(MANIFEST).unwrap_or(folder).trim_matches('/');
        let scripts = list(package, "targets");
        let mut scripts = scripts.iter().flat_map(|target| list(target, "kind"));
        let uses = list(package, "dependencies");
        let uses = uses.iter().filter(|used| used.get("path").is_some());
        Package {
            name: text(package, "name"),
            folder: folder.to_owned(),
            has_build_script: scripts.any(|kind| kind == "custom-build"),
            uses: uses.map(|used| (text(used, "name"), text(used, "kind") == "dev")).collect(),
        }
    };
    list(metadata, "packages").iter().map(one).collect()
}

/// Every crate takes the workspace's lints.
fn check_manifest(path: &str, manifest: &str) -> Option<Finding> {
    let mut lines = manifest.lines().map(str::trim).skip_while(|line| *line != "[lints]").skip(1);
    let taken = lines.next() == Some("workspace = true");
    (!taken).then(|| Finding::error(path, 1, "lacks `[lints]` with `workspace = true`"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn plan() -> Plan {
        let metadata = json!({"metadata": {"floors": {
            "order": ["foundation", "record", "departments", "doors"],
            "foundation": ["base"], "record": ["store", "gate"],
            "departments": ["billing", "imaging"], "doors": ["plummer"], "tools": ["testkit", "xtask"],
        }}});
        Plan::read(&metadata).expect("the plan is well formed")
    }

    fn verdicts(name: &str, used: &str, for_tests: bool) -> usize {
        let all = ["base", "store", "gate", "billing", "imaging", "plummer", "testkit", "xtask"];
        let packages: Vec<_> = all
            .iter()
            .map(|n| Package {
                name: (*n).to_owned(),
                uses: if *n == name { vec![(used.to_owned(), for_tests)] } else { vec![] },
                ..Package::default()
            })
            .collect();
        plan().check(&packages).len()
    }

    #[test]
    fn arrows_point_down() {
        for (name, used) in
            [("store", "base"), ("gate", "store"), ("billing", "gate"), ("xtask", "store")]
        {
            assert_eq!(verdicts(name, used, false), 0, "{name} -> {used}");
        }
        for (name, used) in [("base", "store"), ("store", "gate"), ("gate", "billing")] {
            assert_eq!(verdicts(name, used, false), 1, "{name} -> {used}");
            assert_eq!(verdicts(name, used, true), 1, "{name} -> {used}, for tests");
        }
    }

    #[test]
    fn departments_stand_apart_whatever_their_order() {
        assert_eq!(verdicts("imaging", "billing", false), 1);
        assert_eq!(verdicts("billing", "imaging", false), 1);
    }

    #[test]
    fn nobody_goes_round_the_gate() {
        assert_eq!(verdicts("billing", "store", false), 1);
        assert_eq!(verdicts("gate", "store", false), 0);
        assert_eq!(verdicts("plummer", "store", false), 0, "it opens the store");
    }

    #[test]
    fn tools_are_for_tests() {
        assert_eq!(verdicts("store", "testkit", true), 0);
        assert_eq!(verdicts("store", "testkit", false), 1);
        assert_eq!(verdicts("xtask", "testkit", false), 0);
    }

    #[test]
    fn strangers_and_ghosts_are_found() {
        let stranger = Package { name: "loft".to_owned(), ..Package::default() };
        let findings = plan().check(&[stranger]);
        assert!(findings.iter().any(|f| f.text.contains("`loft` stands on no floor")));
        assert!(findings.iter().any(|f| f.text.contains("no such crate")));
    }

    #[test]
    fn cargo_metadata_is_read() {
        let metadata = json!({"workspace_root": "/w", "packages": [{
            "name": "store", "manifest_path": "/w/crates/store/Cargo.toml",
            "targets": [{"kind": ["lib"]}, {"kind": ["custom-build"]}],
            "dependencies": [
                {"name": "base", "kind": null, "path": "/w/crates/base"},
                {"name": "testkit", "kind": "dev", "path": "/w/crates/testkit"},
                {"name": "zstd", "kind": null},
            ],
        }]});
        let packages = packages(&metadata);
        let store = packages.first().expect("one package");
        assert_eq!(store.folder, "crates/store");
        assert!(store.has_build_script);
        assert_eq!(store.uses, [("base".to_owned(), false), ("testkit".to_owned(), true)]);
    }

    #[test]
    fn lints_are_taken_from_the_workspace() {
        assert_eq!(check_manifest("a", "[package]\n\n[lints]\nworkspace = true\n"), None);
        assert!(check_manifest("a", "[package]\nname = \"a\"\n").is_some());
    }
}
