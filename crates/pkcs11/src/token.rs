//! The token as a [`Kms`]. A session that is gone is opened anew once; a PIN that was refused is never
//! shown again by this process until the file holds another, since a token that counts would lock itself.

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;

use base::error::code;
use base::{Clock, Fault};
use keys::{
    CryptoRandom, Disk, KeyId, Kms, Secret, SecretFile, SecretText, Standing, bound_to, named_key,
};
use parking_lot::Mutex;

use crate::session::{Key, Open};
use crate::trouble::Trouble;
use crate::wrapped::{NONCE_BYTES, Wrapped};

/// Where the token is, and what the key is called there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// The library that speaks to it.
    pub module: PathBuf,
    /// The token's label.
    pub token: String,
    /// The key's label.
    pub key: String,
    /// The PIN of the token's user.
    pub pin: SecretFile,
}

/// A root key on a token.
pub struct Token {
    config: Config,
    clock: Arc<dyn Clock>,
    random: Arc<dyn CryptoRandom>,
    inside: Mutex<Inside>,
    standing: Mutex<Standing>,
}

/// What is between one call and the next.
#[derive(Default)]
struct Inside {
    open: Option<Open>,
}

/// Where a token is: its module and its label.
type Where = (PathBuf, String);

/// The PINs that were refused, by token: whoever else of this process speaks to it shows them no more.
static REFUSED: Mutex<BTreeMap<Where, (SecretText, Fault)>> = Mutex::new(BTreeMap::new());

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Token {
    /// A token that is reached so. Nothing is loaded yet.
    pub fn new(config: Config, clock: Arc<dyn Clock>, random: Arc<dyn CryptoRandom>) -> Self {
        let name = format!("key {} on token {}", config.key, config.token);
        let standing = Standing { holder: "pkcs11", name, ..Standing::default() };
        let (inside, standing) = (Mutex::default(), Mutex::new(standing));
        Self { config, clock, random, inside, standing }
    }

    /// Does something with a session and the keys of our label; with another session, once, when the one
    /// at hand is gone.
    fn with<T>(&self, act: impl Fn(&Open, &[Key]) -> Result<T, Trouble>) -> Result<T, Fault> {
        let mut inside = self.inside.lock();
        let had = inside.open.is_some();
        let mut done = self.once(&mut inside, &act);
        if had && done.as_ref().is_err_and(|trouble| trouble.lost) {
            inside.open = None;
            done = self.once(&mut inside, &act);
        }
        if done.is_err() {
            inside.open = None;
        }
        drop(inside);
        let mut standing = self.standing.lock();
        match &done {
            Ok(_) => {
                standing.answered = Some(self.clock.now());
                standing.failure = None;
            }
            Err(trouble) => standing.failure = Some(trouble.fault.clone()),
        }
        done.map_err(|trouble| trouble.fault)
    }

    fn once<T>(
        &self,
        inside: &mut Inside,
        act: impl Fn(&Open, &[Key]) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        let open = match inside.open.take() {
            Some(open) => open,
            None => self.open()?,
        };
        let keys = open.keys(&self.config.key)?;
        self.standing.lock().version = keys.last().map(|key| key.number);
        let done = act(&open, &keys);
        inside.open = Some(open);
        done
    }

    fn open(&self) -> Result<Open, Trouble> {
        let pin = self.config.pin.read(&Disk)?;
        let at = (self.config.module.clone(), self.config.token.clone());
        // Held while the PIN is shown, so that two who begin at once do not both show a wrong one.
        let mut all = REFUSED.lock();
        if let Some((refused, fault)) = all.get(&at)
            && refused.expose() == pin.expose()
        {
            return Err(fault.clone().into());
        }
        all.remove(&at);
        Open::new(&self.config.module, &self.config.token, &pin).inspect_err(|trouble| {
            if trouble.pin {
                all.insert(at, (pin, trouble.fault.clone()));
            }
        })
    }
}

impl Kms for Token {
    /// Known by its names; the module is not among them, for it may move.
    fn key_id(&self) -> KeyId {
        named_key(&["pkcs11", &self.config.token, &self.config.key])
    }

    fn wrap(&self, key: &Secret, tenant: &[u8; 16]) -> Result<Vec<u8>, Fault> {
        let mut nonce = [0; NONCE_BYTES];
        self.random.fill(&mut nonce)?;
        let bound = bound_to(tenant);
        self.with(|open, keys| {
            let newest = keys.last().ok_or_else(missing)?;
            Ok(open.seal(newest, key, nonce, &bound)?.encode())
        })
    }

    fn unwrap(&self, wrapped: &[u8], tenant: &[u8; 16]) -> Result<Secret, Fault> {
        let wrapped = Wrapped::decode(wrapped)?;
        let bound = bound_to(tenant);
        self.with(|open, keys| {
            let by = keys.iter().find(|key| key.number == wrapped.number);
            open.open(by.ok_or_else(missing)?, &wrapped, &bound)
        })
    }

    fn ask(&self) -> Result<(), Fault> {
        self.with(|_, _| Ok(()))
    }

    fn version_of(&self, wrapped: &[u8]) -> Option<u32> {
        crate::version(wrapped)
    }

    fn standing(&self) -> Standing {
        self.standing.lock().clone()
    }
}

fn missing() -> Trouble {
    let what =
        "the token has keys of this label, and not the one that the tenant's key was wrapped by";
    Trouble::new(&code::KEYS_KMS_MISSING, what)
}
