//! The service as a [`Kms`]: keys are wrapped under a key derived for the tenant, by whoever shows a
//! token. At start it is asked again for a while when it is not there yet; what it refuses for good is
//! told at once.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use base::error::code;
use base::{Clock, Fault, Millis};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use egress::{Network, Trust};
use keys::{Disk, KeyId, Kms, Secret, SecretText, Standing, bound_to, named_key};
use parking_lot::Mutex;
use serde::Serialize;
use tracing::warn;
use zeroize::Zeroizing;

use crate::answer::{self, Key, Leased, Trouble};
use crate::asking::{Asking, Pause, SENT_BYTES_MAX};
use crate::config::{Config, Proof};
use crate::wrapped::version;

/// Waits between one question and the same again: sixteen seconds in all, beside what answers take.
const PAUSES_MS: [u64; 6] = [250, 500, 1000, 2000, 4000, 8000];
/// A token is not used for so long before its end.
const SPARE_MS: i64 = 30_000;

/// A token, and until when it is used.
struct Held {
    token: SecretText,
    until: Millis,
}

/// A root key in a transit service.
pub struct Transit {
    config: Config,
    asking: Asking,
    clock: Arc<dyn Clock>,
    pause: Arc<dyn Pause>,
    held: Mutex<Option<Held>>,
    standing: Mutex<Standing>,
}

impl fmt::Debug for Transit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Transit").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Transit {
    /// A service that is asked so. Nothing is asked yet.
    ///
    /// # Errors
    /// `keys.kms.unfit` when the settings make no sense, `egress.answer.untrusted` when the authorities
    /// cannot be used.
    pub fn new(
        config: Config,
        network: Arc<dyn Network>,
        trust: &Trust,
        clock: Arc<dyn Clock>,
        pause: Arc<dyn Pause>,
    ) -> Result<Self, Fault> {
        let origin = config.check()?;
        let name = format!("{}/keys/{} at {origin}", config.mount, config.key);
        let standing = Standing { holder: "transit", name, ..Standing::default() };
        let asking = Asking::new(origin, &config, network, trust, Arc::clone(&clock))?;
        let standing = Mutex::new(standing);
        Ok(Self { config, asking, clock, pause, held: Mutex::new(None), standing })
    }

    /// Asks until there is an answer, or asking again is of no use.
    fn patiently<T>(&self, once: impl Fn() -> Result<T, Trouble>) -> Result<T, Fault> {
        let mut pauses = PAUSES_MS.into_iter();
        loop {
            let trouble = match self.noted(once()) {
                Ok(value) => return Ok(value),
                Err(trouble) => trouble,
            };
            let Some(pause_ms) = pauses.next().filter(|_| trouble.again) else {
                return Err(trouble.fault);
            };
            let code = trouble.fault.code().name;
            warn!(code, pause_ms, "whoever holds the root key cannot be used yet; asking again");
            self.pause.pause(Duration::from_millis(pause_ms));
        }
    }

    /// Remembers how it went, for who asks how the holder stands.
    fn noted<T>(&self, asked: Result<T, Trouble>) -> Result<T, Trouble> {
        let mut standing = self.standing.lock();
        match &asked {
            Ok(_) => {
                standing.answered = Some(self.clock.now());
                standing.failure = None;
            }
            Err(trouble) => standing.failure = Some(trouble.fault.clone()),
        }
        drop(standing);
        asked
    }

    /// Carries something out with a token. One that was got earlier may have been ended since; then a
    /// new one is asked for, once.
    fn as_us<T>(
        &self,
        carry_out: impl Fn(Option<&SecretText>) -> Result<T, Trouble>,
    ) -> Result<T, Trouble> {
        match &self.config.proof {
            Proof::Agent => carry_out(None),
            Proof::Token(file) => carry_out(Some(&file.read(&Disk)?)),
            Proof::Role { .. } => {
                let now = self.clock.now();
                let held =
                    self.held.lock().as_ref().filter(|h| h.until > now).map(|h| h.token.clone());
                if let Some(token) = held {
                    match carry_out(Some(&token)) {
                        Err(trouble) if trouble.is(&code::KEYS_KMS_DENIED) => {}
                        done => return done,
                    }
                }
                carry_out(Some(&self.sign_in()?))
            }
        }
    }

    /// Asks for a token, and keeps it for as long as it is good.
    fn sign_in(&self) -> Result<SecretText, Trouble> {
        *self.held.lock() = None;
        let Proof::Role { mount, id, secret } = &self.config.proof else {
            return Err(Trouble::lasting(&code::KEYS_KMS_UNFIT, "there is no role to sign in as"));
        };
        let secret = secret.read(&Disk)?;
        let body = written(&AsRole { role_id: id, secret_id: secret.expose() })?;
        let target = self.config.target(&format!("auth/{mount}/login"))?;
        let answer = self.asking.exchange(target, None, Some(body))?;
        let Leased { token, seconds } = answer::token(&answer)?;
        let until = Millis(self.clock.now().0 + i64::from(seconds) * 1000 - SPARE_MS);
        *self.held.lock() = Some(Held { token: token.clone(), until });
        Ok(token)
    }

    fn address(&self, what: &str) -> Result<egress::Target, Fault> {
        self.config.target(&format!("{}/{what}/{}", self.config.mount, self.config.key))
    }

    /// What the service tells of the key.
    fn key(&self, token: Option<&SecretText>) -> Result<Key, Trouble> {
        answer::key(&self.asking.exchange(self.address("keys")?, token, None)?)
    }

    fn look(&self, token: Option<&SecretText>) -> Result<(), Trouble> {
        let version = self.key(token)?.version()?;
        self.standing.lock().version = Some(version);
        Ok(())
    }

    fn seal(
        &self,
        token: Option<&SecretText>,
        key: &Secret,
        tenant: &[u8; 16],
    ) -> Result<Vec<u8>, Trouble> {
        // First, since who may create would else make a key by using a wrong name.
        self.look(token)?;
        let plaintext = Zeroizing::new(STANDARD.encode(key.expose()));
        let context = STANDARD.encode(bound_to(tenant));
        let body = written(&Encrypt { plaintext: &plaintext, context: &context })?;
        let answer = self.asking.exchange(self.address("encrypt")?, token, Some(body))?;
        answer::ciphertext(&answer)
    }

    fn open(
        &self,
        token: Option<&SecretText>,
        wrapped: &str,
        under: u32,
        tenant: &[u8; 16],
    ) -> Result<Secret, Trouble> {
        let context = STANDARD.encode(bound_to(tenant));
        let body = written(&Decrypt { ciphertext: wrapped, context: &context })?;
        let answer = self.asking.exchange(self.address("decrypt")?, token, Some(body))?;
        // Services differ in which of the two tells that something was altered.
        if matches!(answer.status, 400 | 500) {
            let key = self.key(token)?;
            key.version()?;
            return Err(key.why_not(under));
        }
        answer::plaintext(&answer)
    }
}

#[derive(Serialize)]
struct AsRole<'a> {
    role_id: &'a str,
    secret_id: &'a str,
}

#[derive(Serialize)]
struct Encrypt<'a> {
    plaintext: &'a str,
    context: &'a str,
}

#[derive(Serialize)]
struct Decrypt<'a> {
    ciphertext: &'a str,
    context: &'a str,
}

/// The body of a request. It may hold a key, so it is never grown out of a smaller place.
fn written(body: &impl Serialize) -> Result<Zeroizing<Vec<u8>>, Trouble> {
    let mut out = Zeroizing::new(Vec::with_capacity(SENT_BYTES_MAX));
    serde_json::to_writer(&mut *out, body)
        .map_err(|_quoting| Trouble::lasting(&code::KEYS_KMS_UNFIT, "nothing can be asked so"))?;
    Ok(out)
}

impl Kms for Transit {
    /// Known by its names; the origin is not among them, for a service may move.
    fn key_id(&self) -> KeyId {
        let Config { namespace, mount, key, .. } = &self.config;
        named_key(&["transit", namespace, mount, key])
    }

    fn wrap(&self, key: &Secret, tenant: &[u8; 16]) -> Result<Vec<u8>, Fault> {
        self.patiently(|| self.as_us(|token| self.seal(token, key, tenant)))
    }

    fn unwrap(&self, wrapped: &[u8], tenant: &[u8; 16]) -> Result<Secret, Fault> {
        let text = version(wrapped).zip(std::str::from_utf8(wrapped).ok());
        let Some((under, text)) = text else {
            let what = "the tenant's key was not wrapped by a transit service";
            return Err(Fault::new(&code::KEYS_STORE_CORRUPT, what));
        };
        self.patiently(|| self.as_us(|token| self.open(token, text, under, tenant)))
    }

    fn ask(&self) -> Result<(), Fault> {
        self.noted(self.as_us(|token| self.look(token))).map_err(|trouble| trouble.fault)
    }

    fn version_of(&self, wrapped: &[u8]) -> Option<u32> {
        version(wrapped)
    }

    fn standing(&self) -> Standing {
        self.standing.lock().clone()
    }
}
