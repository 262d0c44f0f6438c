//! The keys that sign the access log, in the folder `keys` of the data folder: made at the first start
//! (45 CFR 164.312(c)(1)). The root key lies beside them, so they keep out who can read the log, not
//! who can read the whole folder; a witness keeps those to the truth as well.

use anyhow::anyhow;
use audit::Seal;
use base::Clock as _;
use base::error::code;
use base::time::SystemClock;
use keys::{CryptoRandom as _, Disk, Keyring, Options, Protection, RootKey, SystemRandom};
use std::path::{Path, PathBuf};
use std::sync::Arc;

fn folder(data: &Path) -> PathBuf {
    data.join("keys")
}

/// What the log of a data folder is signed with; keys are made if there are none.
pub(crate) fn seal(data: &Path) -> anyhow::Result<Seal> {
    let folder = folder(data);
    let root_path = folder.join("root.key");
    let root = if root_path.exists() {
        RootKey::open(&Disk, &root_path, None)?
    } else {
        record::private_folder(&folder)?;
        RootKey::create(&Disk, &root_path, Protection::Plain, &SystemRandom, SystemClock.now())?
    };
    let keyring = if folder.join("tenant.keys").exists() {
        Keyring::open(&folder, &root, Options::default())
    } else {
        let mut tenant = [0; 16];
        SystemRandom.fill(&mut tenant)?;
        Keyring::create(&folder, &root, tenant, Options::default())
    };
    Ok(Seal::of(&Arc::new(keyring.map_err(|fault| refused(data, &fault))?)))
}

/// As [`seal`], if there are keys and no server holds them.
pub(crate) fn seal_if_free(data: &Path) -> anyhow::Result<Option<Seal>> {
    if !folder(data).join("tenant.keys").exists() {
        return Ok(None);
    }
    match RootKey::open(&Disk, &folder(data).join("root.key"), None)
        .and_then(|root| Keyring::open(&folder(data), &root, Options::default()))
    {
        Ok(keyring) => Ok(Some(Seal::of(&Arc::new(keyring)))),
        Err(fault) if fault.code() == &code::KEYS_STORE_LOCKED => Ok(None),
        Err(fault) => Err(refused(data, &fault)),
    }
}

fn refused(data: &Path, fault: &base::Fault) -> anyhow::Error {
    if fault.code() == &code::KEYS_STORE_LOCKED {
        return anyhow!(
            "{}: another process, probably a running server, has {} open; stop it, or use its HTTP API",
            fault.code().name,
            data.display()
        );
    }
    anyhow!("{}: {fault}", data.display())
}
