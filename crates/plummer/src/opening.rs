//! Opening the record for a command, with words for whoever finds it in use.

use crate::command::policy;
use crate::settings::Settings;
use anyhow::{anyhow, bail};
use base::Clock as _;
use base::error::code;
use base::id::{Random, Seeded, uuid_v7};
use base::time::SystemClock;
use record::{Record, Session, Source, Subject};
use std::hash::{BuildHasher, RandomState};

/// Stands in a data folder while a backup is put into it: until what was revoked since is ended in it, it
/// is nothing to work with.
pub(crate) const RESTORING: &str = "restoring";

/// Opens the record of the data folder.
pub(crate) fn record(settings: &Settings) -> anyhow::Result<Record> {
    whole(settings)?;
    open(settings, settings.record()?)
}

/// Opens a record that is being restored.
pub(crate) fn restoring(settings: &Settings) -> anyhow::Result<Record> {
    open(settings, settings.record()?)
}

fn whole(settings: &Settings) -> anyhow::Result<()> {
    let data = settings.data();
    match data.join(RESTORING).exists() {
        false => Ok(()),
        true => bail!(
            "{}: a restore was broken off; remove its folders `store` and `audit` and the file `{RESTORING}`, and restore again",
            data.display()
        ),
    }
}

/// Opens the record of the data folder for a load.
pub(crate) fn bulk(settings: &Settings) -> anyhow::Result<Record> {
    whole(settings)?;
    open(settings, record::Settings { bulk: true, ..settings.record()? })
}

fn open(settings: &Settings, how: record::Settings) -> anyhow::Result<Record> {
    let data = settings.data();
    Record::open(&data, how).map_err(|fault| {
        let locked =
            [code::STORE_LOCKED.name, code::AUDIT_LOCKED.name, code::KEYS_STORE_LOCKED.name];
        if locked.contains(&fault.code().name) {
            anyhow!(
                "{}: another process, probably a running server, has {} open; stop it, or use its HTTP API",
                fault.code().name,
                data.display()
            )
        } else if fault.code().name.starts_with("access.policy.") {
            let dir = settings.policies().path;
            let faults = policy::faults(&fault, &dir);
            anyhow!("{faults}\nmend them, then `plummer policy check` says whether all is well")
        } else {
            anyhow!("{}: {fault}", data.display())
        }
    })
}

/// The gate, opened for a command.
pub(crate) fn session(record: &Record) -> Session {
    let request = uuid_v7(SystemClock.now(), &mut random());
    record.session(Subject::operator().from(Source::Local), request)
}

/// Numbers for the ids of requests. They name, they do not protect.
pub(crate) fn random() -> Seeded {
    let seed = RandomState::new().hash_one(std::process::id());
    let mut seeded = Seeded::new(seed);
    seeded.next_u64();
    seeded
}
