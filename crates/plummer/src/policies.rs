//! The policies of a site as files: the folder that is read at the start and at a reload, and what the
//! commands about policies do upon the record, in the server that holds the data folder or in the
//! command itself when none does (45 CFR 164.308(a)(4)(ii)(C), access modification).
//!
//! A file that is not understood is refused, not passed over: a policy that forbids, in a file with
//! the ending misspelt, would be missed by nobody.

use crate::wish::{Sort, Told, Wish};
use access::policies::TEXT_BYTES_MAX;
use base::error::code;
use base::id::uuid_v7;
use base::time::SystemClock;
use base::{Clock as _, Fault, Millis};
use fhir::definitions::r4;
use record::{Action, Purpose, Record, Why, WhyAsked};
use serde::{Deserialize, Serialize};
use std::io::Read as _;
use std::path::{Path, PathBuf};

/// The most files of a folder of policies.
const FILES_MAX: usize = 64;
/// Bytes of a file's name.
const NAME_BYTES_MAX: usize = 100;
/// The file by which a folder says that there are none.
const NONE: &str = "NONE.md";
/// What policies' files end in.
const ENDING: &str = ".cedar";

/// Texts with the names of their files.
pub(crate) type Texts = Vec<(String, String)>;

fn wrong(file: &str, say: impl Into<String>) -> Fault {
    Fault::at(&code::ACCESS_POLICY_INVALID, say, file)
}

/// The policies of a folder, in the order of their names. None when there is no such folder and none
/// `must` be there.
pub(crate) fn read(dir: &Path, must: bool) -> Result<Texts, Fault> {
    let shown = dir.display().to_string();
    let entries = match std::fs::read_dir(dir) {
        Ok(entries) => entries,
        Err(error) if error.kind() == std::io::ErrorKind::NotFound && !must => {
            return Ok(Texts::new());
        }
        Err(error) => {
            return Err(wrong(&shown, format!("the folder cannot be read: {}", error.kind())));
        }
    };
    private(dir, &shown)?;
    let mut names = Vec::new();
    for entry in entries {
        let entry =
            entry.map_err(|e| wrong(&shown, format!("the folder cannot be read: {}", e.kind())))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if let Some(name) = policy_file(name)? {
            names.push(name);
        }
    }
    names.sort_unstable();
    if names.len() > FILES_MAX {
        return Err(wrong(&shown, format!("it holds more than {FILES_MAX} files; join some")));
    }
    names.into_iter().map(|name| text(dir, &name).map(|text| (name, text))).collect()
}

/// Whether a folder says nothing of the site's policies: it is not there, or it is empty, as a volume that
/// is not mounted leaves it, and holds no [`NONE`].
pub(crate) fn says_nothing(dir: &Path) -> bool {
    let Ok(entries) = std::fs::read_dir(dir) else { return true };
    let says = |name: &std::ffi::OsStr| name == NONE || name.to_string_lossy().ends_with(ENDING);
    !entries.flatten().any(|entry| says(&entry.file_name()))
}

/// The name of a file with policies; none of one that has none and says so by its name.
fn policy_file(name: String) -> Result<Option<String>, Fault> {
    if name.starts_with('.') || name.ends_with(".md") {
        return Ok(None);
    }
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if name.len() > NAME_BYTES_MAX || !name.chars().all(plain) {
        let say =
            "a file's name is at most 100 letters, digits, hyphens, underscores and full stops";
        return Err(wrong(&name.escape_debug().to_string(), say));
    }
    match name.ends_with(ENDING) {
        true => Ok(Some(name)),
        false => {
            let say = "this is no policy file: name it …cedar if it is one, or move it elsewhere";
            Err(wrong(&name, say))
        }
    }
}

fn text(dir: &Path, name: &str) -> Result<String, Fault> {
    let path = dir.join(name);
    let cannot =
        |error: std::io::Error| wrong(name, format!("the file cannot be read: {}", error.kind()));
    private(&path, name)?;
    let mut bytes = Vec::new();
    let file = std::fs::File::open(&path).map_err(cannot)?;
    file.take(TEXT_BYTES_MAX as u64 + 1).read_to_end(&mut bytes).map_err(cannot)?;
    if bytes.len() > TEXT_BYTES_MAX {
        return Err(wrong(name, format!("it is longer than {TEXT_BYTES_MAX} bytes; split it")));
    }
    String::from_utf8(bytes).map_err(|_odd| wrong(name, "the file is not UTF-8; write it anew"))
}

/// Refuses what anybody on the machine may write: it says who sees what.
#[cfg(unix)]
pub(crate) fn private(path: &Path, shown: &str) -> Result<(), Fault> {
    use std::os::unix::fs::PermissionsExt as _;
    let found = std::fs::metadata(path);
    let mode = found.map_err(|e| wrong(shown, format!("it cannot be read: {}", e.kind())))?;
    match mode.permissions().mode() & 0o022 {
        0 => Ok(()),
        _ => Err(wrong(shown, "others than its owner may write it; chmod go-w")),
    }
}

#[cfg(not(unix))]
pub(crate) fn private(_path: &Path, _shown: &str) -> Result<(), Fault> {
    Ok(())
}

/// A question of `policy why`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WantedWhy {
    pub(crate) user: String,
    pub(crate) action: String,
    pub(crate) kind: String,
    pub(crate) id: Option<String>,
    pub(crate) patient: Option<String>,
    pub(crate) purpose: Option<String>,
    pub(crate) fresh: bool,
    pub(crate) at_ms: Option<i64>,
}

/// Which policies are in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownStanding {
    pub(crate) epoch: u64,
    pub(crate) digest: String,
    pub(crate) files: Vec<String>,
    /// Another set than before.
    pub(crate) changed: bool,
}

/// A policy that had a part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownRule {
    pub(crate) id: String,
    /// Its file and line.
    pub(crate) place: String,
    pub(crate) law: Option<String>,
    pub(crate) wall: bool,
}

/// What the policies say for one purpose.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownPurpose {
    pub(crate) purpose: String,
    pub(crate) permitted: bool,
    pub(crate) permits: Vec<ShownRule>,
    pub(crate) forbids: Vec<ShownRule>,
    pub(crate) instead: Vec<String>,
}

/// Why.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownWhy {
    pub(crate) permitted: bool,
    pub(crate) epoch: u64,
    pub(crate) digest: String,
    pub(crate) purposes: Vec<ShownPurpose>,
    pub(crate) ties: Vec<String>,
    pub(crate) reaches: String,
    pub(crate) notes: Vec<String>,
}

/// What differs alike.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownTally {
    pub(crate) roles: String,
    pub(crate) action: String,
    #[serde(rename = "type")]
    pub(crate) kind: String,
    pub(crate) rule: String,
    pub(crate) times: u64,
    pub(crate) people: usize,
    pub(crate) first_event: u64,
}

/// What other policies would have changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct ShownSimulated {
    pub(crate) events: u64,
    pub(crate) replayed: u64,
    pub(crate) alike: u64,
    pub(crate) refused: Vec<ShownTally>,
    pub(crate) narrowed: Vec<ShownTally>,
    pub(crate) permitted: Vec<ShownTally>,
    pub(crate) not_asked: Vec<(String, u64)>,
    pub(crate) partial: Vec<String>,
}

/// Whether a wish is carried out here.
pub(crate) const fn is_about_policies(wish: &Wish) -> bool {
    matches!(
        wish,
        Wish::PolicyStanding
            | Wish::PolicyReload
            | Wish::PolicyWhy { .. }
            | Wish::PolicySimulate { .. }
    )
}

/// Where the policies of a site are, and whether they must be there.
#[derive(Debug, Clone)]
pub(crate) struct Folder {
    pub(crate) path: PathBuf,
    pub(crate) must: bool,
}

/// Does what is wished, in the name of whoever owns the data folder.
pub(crate) fn carry_out(record: &Record, folder: &Folder, wish: Wish) -> Result<Told, Fault> {
    let session = || crate::opening::session(record);
    match wish {
        Wish::PolicyStanding => Ok(Told::Standing(standing(record.standing(), false))),
        Wish::PolicyReload => {
            // Where there were policies, a folder that is gone or empty is a mishap.
            let had = !record.standing().files.is_empty();
            let texts = read(&folder.path, folder.must || had)?;
            if had && says_nothing(&folder.path) {
                return Err(Fault::new(&code::ACCESS_POLICY_INVALID, record::POLICIES_MISSING));
            }
            let request = uuid_v7(SystemClock.now(), &mut crate::opening::random());
            let (now, changed) = record.reload_policies(&texts, request)?;
            Ok(Told::Standing(standing(now, changed)))
        }
        Wish::PolicyWhy { asked } => {
            let why = session().why(&question(record, &asked)?)?.wait()?;
            Ok(Told::Why(Box::new(shown(&why))))
        }
        Wish::PolicySimulate { dir, from_ms, until_ms } => {
            let texts = read(&dir, true)?;
            let found = session().simulate(&texts, from_ms.map(Millis), until_ms.map(Millis));
            Ok(Told::Simulated(Box::new(simulated(found?.wait()?))))
        }
        _ => Err(Fault::new(&code::INTERNAL, "this wish is not about policies")),
    }
}

fn question(record: &Record, asked: &WantedWhy) -> Result<WhyAsked, Fault> {
    let odd = |what: &'static str, say: &str| Fault::at(&code::PARAMETER_INVALID, say, what);
    let named =
        crate::directory::find(&crate::directory::operator(record), Sort::Any, &asked.user)?;
    let actions = Action::ALL.map(Action::as_str).join(", ");
    let action = Action::ALL.into_iter().find(|action| action.as_str() == asked.action);
    let kind = r4().resource_type(&asked.kind);
    let purpose = match &asked.purpose {
        None => None,
        Some(purpose) => {
            let say = "the purpose is a code of v3-PurposeOfUse, such as TREAT";
            Some(Purpose::of_code(purpose).ok_or_else(|| odd("purpose", say))?)
        }
    };
    Ok(WhyAsked {
        who: named.id,
        action: action.ok_or_else(|| odd("action", &format!("the actions are {actions}")))?,
        kind: kind.ok_or_else(|| odd("type", "this is no resource type of R4"))?,
        id: asked.id.clone(),
        patient: asked.patient.clone(),
        purpose,
        fresh: asked.fresh,
        at: asked.at_ms.map(Millis),
    })
}

fn standing(of: record::Standing, changed: bool) -> ShownStanding {
    ShownStanding { epoch: of.epoch, digest: of.digest, files: of.files, changed }
}

fn shown(why: &Why) -> ShownWhy {
    let rules = |rules: &[std::sync::Arc<access::Rule>]| {
        let rule = |rule: &std::sync::Arc<access::Rule>| ShownRule {
            id: rule.id.to_string(),
            place: format!("{}:{}", rule.text, rule.line),
            law: rule.law.as_deref().map(str::to_owned),
            wall: rule.wall,
        };
        rules.iter().map(rule).collect()
    };
    let purposes = why.purposes.iter().map(|one| ShownPurpose {
        purpose: one.purpose.as_str().to_owned(),
        permitted: one.says.permitted,
        permits: rules(&one.says.permits),
        forbids: rules(&one.says.forbids),
        instead: one.instead.clone(),
    });
    ShownWhy {
        permitted: why.permitted,
        epoch: why.standing.epoch,
        digest: why.standing.digest.clone(),
        purposes: purposes.collect(),
        ties: why.ties.iter().map(|tie| (*tie).to_owned()).collect(),
        reaches: why.reaches.clone(),
        notes: why.notes.clone(),
    }
}

fn simulated(found: record::Simulated) -> ShownSimulated {
    let tallies = |all: Vec<record::Tally>| {
        let tally = |one: record::Tally| ShownTally {
            roles: one.roles,
            action: one.action.to_owned(),
            kind: one.kind.to_owned(),
            rule: one.rule,
            times: one.times,
            people: one.people,
            first_event: one.first_event,
        };
        all.into_iter().map(tally).collect()
    };
    let not_asked = found.not_asked.into_iter().map(|(why, times)| (why.to_owned(), times));
    ShownSimulated {
        events: found.events,
        replayed: found.replayed,
        alike: found.alike,
        refused: tallies(found.refused),
        narrowed: tallies(found.narrowed),
        permitted: tallies(found.permitted),
        not_asked: not_asked.collect(),
        partial: found.partial,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(files: &[(&str, &str)]) -> tempfile::TempDir {
        let dir = tempfile::tempdir().unwrap();
        for (name, text) in files {
            std::fs::write(dir.path().join(name), text).unwrap();
        }
        dir
    }

    #[test]
    fn files_are_read_in_the_order_of_their_names_and_notes_are_left_alone() {
        let dir = folder(&[("b.cedar", "2"), ("a.cedar", "1"), ("README.md", "x"), (".git", "x")]);
        let read = read(dir.path(), true).unwrap();
        let names: Vec<_> = read.iter().map(|(name, text)| format!("{name}={text}")).collect();
        assert_eq!(names, ["a.cedar=1", "b.cedar=2"]);
    }

    #[test]
    fn a_folder_that_is_not_there_is_refused_where_it_must_be() {
        let dir = folder(&[]);
        let gone = dir.path().join("policies");
        assert_eq!(read(&gone, false).unwrap(), Texts::new());
        assert_eq!(read(&gone, true).unwrap_err().code(), &code::ACCESS_POLICY_INVALID);
    }

    #[test]
    fn a_file_that_is_not_understood_is_refused_and_not_passed_over() {
        for name in ["night.ceder", "night.cedar.bak", "policies.json", "night one.cedar"] {
            let fault = read(folder(&[(name, "")]).path(), true).unwrap_err();
            assert!(fault.to_string().contains(name), "{fault}");
        }
        let long = "x".repeat(TEXT_BYTES_MAX + 1);
        assert!(read(folder(&[("a.cedar", &long)]).path(), true).is_err());
        let dir = folder(&[]);
        std::fs::write(dir.path().join("a.cedar"), [0xff, 0xfe]).unwrap();
        assert!(read(dir.path(), true).unwrap_err().to_string().contains("UTF-8"));
    }

    #[cfg(unix)]
    #[test]
    fn what_anybody_may_write_is_refused() {
        use std::os::unix::fs::PermissionsExt as _;
        let dir = folder(&[("a.cedar", "")]);
        let path = dir.path().join("a.cedar");
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o646)).unwrap();
        assert!(read(dir.path(), true).unwrap_err().to_string().contains("chmod go-w"));
    }
}
