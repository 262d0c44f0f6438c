//! Who holds the root key, as the settings name it: a file, a transit service, or a token. The latter
//! two are made here and asked nothing yet (docs/operators/encryption.md).

use crate::settings::Settings;
use anyhow::{Context as _, anyhow, bail};
use base::time::SystemClock;
use keys::{Kms, SecretFile};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use transit::{Config, Proof, Sleep, Transit};

/// Milliseconds that one exchange with a transit service may take.
const TRANSIT_TIMEOUT_MS: u64 = 5000;
/// Where the service manager puts what it brings.
const CREDENTIALS: &str = "CREDENTIALS_DIRECTORY";

/// Who holds the root key by this word; `None` when a file does.
pub(crate) fn of(settings: &Settings, word: &str) -> anyhow::Result<Option<Arc<dyn Kms>>> {
    match word {
        "transit" => Ok(Some(Arc::new(transit(settings)?))),
        "pkcs11" => token(settings),
        _ => Ok(None),
    }
}

fn transit(settings: &Settings) -> anyhow::Result<Transit> {
    let address = settings.text("transit_address");
    if address.is_empty() {
        bail!(
            "transit_address: the root key is to be held by a transit service, and none is named"
        );
    }
    let token = secret(settings, "transit_token_file")?;
    let role = settings.text("transit_role_id");
    let proof = match (token, secret(settings, "transit_secret_id_file")?) {
        (Some(token), None) if role.is_empty() => Proof::Token(token),
        (None, Some(secret)) if !role.is_empty() => {
            Proof::Role { mount: settings.text("transit_role_mount"), id: role, secret }
        }
        (None, None) if role.is_empty() => Proof::Agent,
        _ => bail!(
            "transit_token_file, or transit_role_id and transit_secret_id_file: one of the two is what the service knows us by"
        ),
    };
    let trust = match settings.text("transit_ca").as_str() {
        "" => settings.trust()?,
        path => {
            let own = std::fs::read(path).with_context(|| format!("transit_ca: {path}"))?;
            egress::Trust { web: false, own: Some(own) }
        }
    };
    let config = Config {
        address,
        mount: settings.text("transit_mount"),
        key: settings.text("transit_key"),
        namespace: settings.text("transit_namespace"),
        proof,
        timeout_ms: TRANSIT_TIMEOUT_MS,
    };
    let (network, clock) = (Arc::new(egress::System), Arc::new(SystemClock));
    Transit::new(config, network, &trust, clock, Arc::new(Sleep))
        .map_err(|fault| anyhow!("{fault}"))
}

/// A key on a token.
#[cfg(feature = "kms-pkcs11")]
fn token(settings: &Settings) -> anyhow::Result<Option<Arc<dyn Kms>>> {
    let needed = |name: &'static str| match settings.text(name) {
        text if text.is_empty() => {
            bail!("{name}: the root key is to be held by a token, and it is not set")
        }
        text => Ok(text),
    };
    let config = pkcs11::Config {
        module: PathBuf::from(needed("pkcs11_module")?),
        token: needed("pkcs11_token")?,
        key: needed("pkcs11_key")?,
        pin: secret(settings, "pkcs11_pin_file")?.context("pkcs11_pin_file: no PIN is named")?,
    };
    let random = Arc::new(keys::SystemRandom);
    Ok(Some(Arc::new(pkcs11::Token::new(config, Arc::new(SystemClock), random))))
}

/// This program cannot: loading a maker's library is built in where it is asked for.
#[cfg(not(feature = "kms-pkcs11"))]
fn token(_settings: &Settings) -> anyhow::Result<Option<Arc<dyn Kms>>> {
    bail!("root_key_holder: this program was built without pkcs11 (the feature kms-pkcs11)")
}

/// The file that a setting names: a path, or `credential:NAME` of what the service manager brought.
pub(crate) fn secret(settings: &Settings, name: &str) -> anyhow::Result<Option<SecretFile>> {
    let text = settings.text(name);
    let Some(credential) = text.strip_prefix("credential:") else {
        return Ok(Some(text).filter(|t| !t.is_empty()).map(|t| SecretFile::new(PathBuf::from(t))));
    };
    let plain = Path::new(credential).file_name().is_some_and(|name| name == credential);
    if !plain {
        bail!("{name}: a credential's name has no slash in it");
    }
    let folder = std::env::var_os(CREDENTIALS).with_context(|| {
        format!("{name}: {CREDENTIALS} is not set: nobody brought a credential")
    })?;
    Ok(Some(SecretFile::credential(PathBuf::from(folder).join(credential))))
}
