//! The keys that the access log is sealed and was signed with, for a command that reads, checks or proves
//! it (45 CFR 164.312(c)(1)). They are taken at a glance, so that it is done beside a running server.

use crate::settings::Settings;
use anyhow::anyhow;
use audit::{NoteKey, Salts};
use base::id::uuid_text;
use keys::LogKey;

/// What reads the log of the data folder.
#[derive(Debug)]
pub(crate) struct LogKeys {
    /// Opens it.
    pub(crate) log: LogKey,
    /// Salts its tree.
    pub(crate) salts: Salts,
    /// Verifies its checkpoints.
    pub(crate) note: NoteKey,
}

/// The keys of the log of the data folder, if it has keys.
pub(crate) fn log_keys(settings: &Settings) -> anyhow::Result<Option<LogKeys>> {
    let data = settings.data();
    let glance = settings.encryption()?.glance(&data);
    let Some(glance) = glance.map_err(|fault| anyhow!("{}: {fault}", data.display()))? else {
        return Ok(None);
    };
    let origin = format!("plummer/{}", uuid_text(&glance.tenant()));
    Ok(Some(LogKeys {
        log: glance.log_key()?,
        salts: Salts::new(glance.audit_key()),
        note: NoteKey::log(origin, *glance.public())?,
    }))
}

/// What opens the log of the data folder where it is sealed.
pub(crate) fn log_key(settings: &Settings) -> anyhow::Result<Option<LogKey>> {
    let data = settings.data();
    let key = settings.encryption()?.log_key(&data);
    key.map_err(|fault| anyhow!("{}: {fault}", data.display()))
}
