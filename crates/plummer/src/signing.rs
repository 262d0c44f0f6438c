//! The keys that the access log was signed with, for a command that checks or proves it
//! (45 CFR 164.312(c)(1)).

use crate::settings::Settings;
use anyhow::anyhow;
use audit::Seal;
use base::error::code;
use base::time::SystemClock;
use std::sync::Arc;

/// What the log of the data folder is signed with, if there are keys and no server holds them.
pub(crate) fn seal_if_free(settings: &Settings) -> anyhow::Result<Option<Seal>> {
    let data = settings.data();
    if !record::has_keys(&data) {
        return Ok(None);
    }
    match settings.encryption().keys(&data, Arc::new(SystemClock)) {
        Ok(keyring) => Ok(Some(Seal::of(&Arc::new(keyring)))),
        Err(fault) if fault.code() == &code::KEYS_STORE_LOCKED => Ok(None),
        Err(fault) => Err(anyhow!("{}: {fault}", data.display())),
    }
}
