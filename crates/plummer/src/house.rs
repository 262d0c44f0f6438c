//! What the server is told of the house around it: the doctor's findings, the settings in force, the disk,
//! long work, and what somebody said is done (45 CFR 164.308(a)(7)(ii), 164.308(a)(8)). It looks at files
//! of the data folder and never opens the store's: the server has it open, and closing it a second time
//! would take the server's locks with it (<https://www.sqlite.org/howtocorrupt.html>, 2.2).

use crate::doctor::stamp::Stamp;
use crate::doctor::{self, Weight, checks, gather};
use crate::import::demo;
use crate::settings::table::Setting as Row;
use crate::settings::{Settings, Source};
use base::error::code;
use base::time::SystemClock;
use base::{Clock as _, Fault, Millis};
use console::machine::{Finding, Grade, Item, Job, JobKind, JobState, Origin, Setting};
use record::Record;
use serde::{Deserialize, Serialize};
use server::{Config, House, HouseFacts};
use std::fs;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use tracing::warn;

/// How long what the doctor found holds: looking measures the disk, and may ask a key service.
const FRESH: Duration = Duration::from_secs(60);
/// Patients of a demo clinic that is chosen in a browser.
const DEMO_PATIENTS: u64 = 200;
/// What somebody said is done, in the data folder.
const SAID: &str = "checklist.json";
/// Bytes of it: a handful of names.
const SAID_BYTES_MAX: u64 = 64 << 10;
/// Settings that name a file which is looked at while serving.
const REREAD: [&str; 6] = [
    "tls_certificate",
    "tls_key",
    "tls_client_ca",
    "transit_token_file",
    "transit_secret_id_file",
    "policy_folder",
];
/// What the name of a setting ends in whose value is a secret. None is, today: secrets stand in files.
const SECRET: [&str; 4] = ["_secret", "_password", "_passphrase", "_pin"];
/// Findings that are about the value of a setting.
const RISKS: [(&str, &str); 10] = [
    ("settings.sync", "sync"),
    ("settings.cors", "cors_origins"),
    ("settings.exempt", "rate_exempt_roles"),
    ("settings.delete-many", "delete_many"),
    ("settings.explain", "explain"),
    ("settings.log", "log_filter"),
    ("settings.sessions", "session_idle_ms"),
    ("tls.plaintext", "plaintext_waiver"),
    ("tls.validity", "tls_certificate"),
    ("rest.key-place", "root_key"),
];

/// What was said of one thing.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    item: String,
    by: String,
    at_ms: i64,
}

/// How the loading of the demo clinic stands.
#[derive(Debug, Default)]
struct Loading {
    job: Mutex<Option<Job>>,
    fed: AtomicU64,
}

/// The house of a server.
#[derive(Debug)]
pub(crate) struct Household {
    settings: Settings,
    config: Config,
    data: PathBuf,
    record: Record,
    found: Mutex<Option<(Instant, Vec<Finding>)>>,
    /// Held while what was said is read and written anew.
    saying: Mutex<()>,
    loading: Arc<Loading>,
}

impl Household {
    /// The house of a record that is served by these settings.
    pub(crate) fn new(settings: &Settings, config: &Config, record: &Record) -> Self {
        Self {
            settings: settings.clone(),
            config: config.clone(),
            data: settings.data(),
            record: record.clone(),
            found: Mutex::default(),
            saying: Mutex::default(),
            loading: Arc::default(),
        }
    }

    fn said(&self) -> Result<Vec<Said>, Fault> {
        let path = self.data.join(SAID);
        let length = match fs::metadata(&path) {
            Ok(of) => of.len(),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
            Err(error) => return Err(unkept(&error)),
        };
        if length > SAID_BYTES_MAX {
            return Err(unkept(&std::io::ErrorKind::FileTooLarge.into()));
        }
        let text = fs::read_to_string(&path).map_err(|error| unkept(&error))?;
        serde_json::from_str(&text).map_err(|error| unkept(&error.into()))
    }

    fn keep(&self, all: &[Said]) -> std::io::Result<()> {
        let next = self.data.join(format!("{SAID}.next"));
        let mut options = fs::OpenOptions::new();
        let mut file = options.write(true).create(true).truncate(true).mode(0o600).open(&next)?;
        file.write_all(&serde_json::to_vec_pretty(all)?)?;
        file.sync_all()?;
        fs::rename(next, self.data.join(SAID))
    }
}

impl House for Household {
    fn findings(&self) -> Vec<Finding> {
        let mut found = self.found.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some((at, known)) = &*found
            && at.elapsed() < FRESH
        {
            return known.clone();
        }
        let facts = gather::of_server(&self.settings, &self.config, &self.record);
        let all: Vec<_> = checks::all(&facts).into_iter().map(shown).collect();
        *found = Some((Instant::now(), all.clone()));
        all
    }

    fn settings(&self) -> Vec<Setting> {
        let findings = self.findings();
        let risk = |name: &str| {
            let code = RISKS.iter().find(|(_, setting)| *setting == name)?.0;
            let bad = |one: &&Finding| one.code == code && one.grade >= Grade::Note;
            findings.iter().find(bad).cloned()
        };
        let all = self.settings.all();
        all.map(|(row, value, source)| setting(row, value.to_string(), source, risk(row.name)))
            .collect()
    }

    fn facts(&self) -> HouseFacts {
        HouseFacts {
            disk: gather::room(&self.data),
            memory_bytes: fs::read_to_string("/proc/self/status").ok().and_then(|t| resident(&t)),
            backup: Stamp::Backup.read(&self.data),
            verified: Stamp::Verified.read(&self.data),
        }
    }

    fn jobs(&self) -> Vec<Job> {
        let demo = self.loading.job.lock().unwrap_or_else(PoisonError::into_inner).clone();
        let fed = self.loading.fed.load(Ordering::Relaxed);
        let demo = demo.map(|job| Job { done: fed, ..job });
        // A finished import forgets its journal.
        let journal = self.data.join("import/journal");
        let broken_off = fs::metadata(journal).is_ok_and(|of| of.len() > 0);
        let import = broken_off.then_some(Job {
            kind: JobKind::Import,
            state: JobState::Paused,
            done: 0,
            all: None,
            began: None,
            ended: None,
            code: None,
        });
        demo.into_iter().chain(import).collect()
    }

    fn confirmed(&self) -> Result<Vec<(Item, String, Millis)>, Fault> {
        let item = |name: &str| Item::ALL.into_iter().find(|item| item.name() == name);
        let said = self.said()?.into_iter();
        Ok(said.filter_map(|one| Some((item(&one.item)?, one.by, Millis(one.at_ms)))).collect())
    }

    fn confirm(&self, item: Item, said: Option<(String, Millis)>) -> Result<(), Fault> {
        let _one = self.saying.lock().unwrap_or_else(PoisonError::into_inner);
        let mut all = self.said()?;
        all.retain(|one| one.item != item.name());
        let item = item.name().to_owned();
        all.extend(said.map(|(by, at)| Said { item, by, at_ms: at.0 }));
        self.keep(&all).map_err(|error| unkept(&error))
    }

    fn load_demo(&self) -> Result<(), Fault> {
        let mut job = self.loading.job.lock().unwrap_or_else(PoisonError::into_inner);
        if job.as_ref().is_some_and(|job| job.state == JobState::Running) {
            return Err(Fault::new(&code::NOT_SUPPORTED, "the demo clinic is being loaded"));
        }
        self.loading.fed.store(0, Ordering::Relaxed);
        *job = Some(Job {
            kind: JobKind::Demo,
            state: JobState::Running,
            done: 0,
            all: Some(DEMO_PATIENTS),
            began: Some(SystemClock.now()),
            ended: None,
            code: None,
        });
        let (record, data) = (self.record.clone(), self.data.clone());
        let loading = Arc::clone(&self.loading);
        let work = move || {
            let loaded = demo::load(&record, &data, DEMO_PATIENTS, &loading.fed);
            if loaded.is_err() {
                warn!("the demo clinic could not be loaded");
            }
            let mut job = loading.job.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(job) = &mut *job {
                job.ended = Some(SystemClock.now());
                job.state = if loaded.is_ok() { JobState::Done } else { JobState::Failed };
                job.code = loaded.is_err().then_some(code::INTERNAL.name);
            }
        };
        if std::thread::Builder::new().name("demo".to_owned()).spawn(work).is_err() {
            *job = None;
            return Err(Fault::new(&code::INTERNAL, "no thread for the demo clinic"));
        }
        Ok(())
    }
}

/// Of the error its kind alone is logged: what stands in the file are names.
fn unkept(error: &std::io::Error) -> Fault {
    warn!(kind = %error.kind(), file = SAID, "what was said to be done cannot be read or kept");
    let what = "what was said to be done cannot be read or kept; look at checklist.json in the data folder";
    Fault::new(&code::INTERNAL, what)
}

fn shown(found: doctor::Finding) -> Finding {
    let grade = match found.weight {
        Weight::Fine => Grade::Fine,
        Weight::Unknown => Grade::Unknown,
        Weight::Note => Grade::Note,
        Weight::Warning => Grade::Warning,
        Weight::Fault => Grade::Critical,
    };
    let why = found.why.to_owned();
    Finding { code: found.code, grade, found: found.found, why, what_to_do: found.what_to_do }
}

fn setting(row: &Row, value: String, source: &Source, risk: Option<Finding>) -> Setting {
    let (origin, file) = match source {
        Source::Default => (Origin::Default, None),
        Source::File(path) => (Origin::File, Some(path.display().to_string())),
        Source::Environment => (Origin::Environment, None),
        Source::Flag => (Origin::Flag, None),
    };
    Setting {
        name: row.name,
        value: (!is_secret(row.name)).then_some(value),
        origin,
        file,
        about: row.doc,
        kind: row.kind.describe(),
        default: row.default,
        is_reread: REREAD.contains(&row.name),
        risk,
    }
}

fn is_secret(name: &str) -> bool {
    SECRET.iter().any(|end| name.ends_with(end))
}

/// Bytes of memory that a process holds, by its status (proc(5), `VmRSS`).
fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    kib.checked_mul(1024)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::table::TABLE;

    #[test]
    fn the_memory_of_a_process_is_read_out_of_its_status() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t   2048 kB\nThreads:\t1\n"), Some(2_097_152));
        assert_eq!(resident("Name:\tx\n"), None);
        assert_eq!(resident("VmRSS:\t99999999999999999999 kB"), None);
    }

    #[test]
    fn every_risk_and_every_reread_file_is_of_a_setting_that_there_is() {
        let is_known = |name: &str| TABLE.iter().any(|row| row.name == name);
        for (code, name) in RISKS {
            assert!(is_known(name), "{name}");
            assert!(checks::CHECKS.iter().any(|check| check.code == code), "{code}");
        }
        assert!(REREAD.iter().all(|name| is_known(name)));
    }

    #[test]
    fn the_value_of_a_secret_is_not_told() {
        let row = Row {
            name: "mail_password",
            kind: crate::settings::table::Kind::Text,
            default: "",
            doc: "",
            common: false,
        };
        let told = setting(&row, "hunter2".to_owned(), &Source::Environment, None);
        assert_eq!((told.value, told.origin), (None, Origin::Environment));
    }
}
