//! The issuers of the settings, with the secrets and authorities that their files hold, ready to be
//! asked through the way out. A secret comes from a file that its owner alone may read: never from
//! the settings themselves, the environment or the command line.

use crate::settings::Settings;
use ::federation::{Federation, Ground, Issuer, Party, Way};
use anyhow::{Context as _, anyhow, bail};
use base::time::SystemClock;
use egress::{Egress, System, Trust};
use identity::Secret;
use keys::SystemRandom;
use std::fs;
use std::io::Read as _;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::sync::Arc;
use tokio::runtime::Handle;
use zeroize::Zeroizing;

/// Bytes of a secret's file.
const SECRET_BYTES_MAX: u64 = 4096;
/// Bytes of a file of authorities.
const AUTHORITIES_BYTES_MAX: u64 = 1 << 20;

/// The issuers of the settings; none when there are none.
pub(crate) fn open(settings: &Settings, runtime: &Handle) -> anyhow::Result<Option<Federation>> {
    if settings.issuers().is_empty() {
        return Ok(None);
    }
    let mut parties = Vec::new();
    for issuer in settings.issuers() {
        let (secret, trust) = (secret(issuer)?, trust(issuer)?);
        let clock = Arc::new(SystemClock);
        let way = Way::new(issuer, Arc::new(System), &trust, clock, runtime.clone());
        let way = way.map_err(|fault| anyhow!("the issuer {}: {fault}", issuer.name))?;
        parties.push(Party { issuer: issuer.clone(), secret, ask: Arc::new(way) });
    }
    let ground = Ground {
        clock: Arc::new(SystemClock),
        random: Arc::new(SystemRandom),
        administrator_role: identity::Settings::default().administrator_role,
    };
    Ok(Some(Federation::new(ground, parties)?))
}

/// Refuses files that cannot be used, without asking anybody.
pub(crate) fn check(settings: &Settings) -> anyhow::Result<()> {
    for issuer in settings.issuers() {
        secret(issuer)?;
        let usable = Egress::new(Arc::new(System), &trust(issuer)?, Arc::new(SystemClock));
        usable.map_err(|fault| anyhow!("authorities of the issuer {}: {fault}", issuer.name))?;
    }
    Ok(())
}

fn secret(issuer: &Issuer) -> anyhow::Result<Option<Secret>> {
    let Some(path) = &issuer.client_secret_file else { return Ok(None) };
    let what = || format!("client_secret_file of the issuer {}: {}", issuer.name, path.display());
    let mode = fs::metadata(path).with_context(what)?.permissions().mode();
    if mode & 0o077 != 0 {
        bail!("{} may be read by others; its mode should be 0600", what());
    }
    let bytes = Zeroizing::new(read(path, SECRET_BYTES_MAX).with_context(what)?);
    let text = std::str::from_utf8(&bytes).with_context(what)?;
    let text = text.strip_suffix('\n').unwrap_or(text);
    if text.is_empty() || text.chars().any(char::is_control) {
        bail!("{} should hold the secret in one line", what());
    }
    Ok(Some(Secret::from(text)))
}

fn trust(issuer: &Issuer) -> anyhow::Result<Trust> {
    let Some(path) = &issuer.authorities else { return Ok(Trust::default()) };
    let what = || format!("authorities of the issuer {}: {}", issuer.name, path.display());
    let own = Some(read(path, AUTHORITIES_BYTES_MAX).with_context(what)?);
    Ok(Trust { web: false, own })
}

fn read(path: &Path, most: u64) -> anyhow::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    fs::File::open(path)?.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        bail!("the file is larger than {most} bytes");
    }
    Ok(bytes)
}
