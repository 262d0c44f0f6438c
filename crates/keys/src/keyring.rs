//! All keys of one tenant, opened: the folder with `tenant.keys` and `patients.keys`, and the way from
//! the root key down to each of them (NIST SP 800-57 part 1, 5.3 on periods of use and rotation).
//!
//! The tenant's key wraps and is never used for anything else; what it wraps each key under is a key
//! of its own, derived for that purpose, so that no wrapped key can stand in another's place. Rotation
//! rewraps: page key, audit key, tokens, signatures and patients' keys stay what they are.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use base::error::code;
use base::{Clock, Fault, Millis};
use parking_lot::Mutex;

use crate::blind::BlindIndex;
use crate::crypto::{WRAPPED_BYTES, derive, same, unwrap_key, wrap_key};
use crate::fault::{corrupt, unavailable};
use crate::files::{Disk, Files, Lock, Taken, clear, publish, unfinished};
use crate::kms::Kms;
use crate::log_key::LogKey;
use crate::patients::PatientKeys;
use crate::random::{CryptoRandom, SystemRandom};
use crate::secret::{KeyId, Secret};
use crate::sign::SigningKey;
use crate::tenant_file::{Kek, PURPOSES, TenantFile};

/// What a keyring stands on.
#[derive(Debug, Clone)]
pub struct Options {
    /// Tells when a key was made.
    pub clock: Arc<dyn Clock>,
    /// Where keys and nonces come from.
    pub random: Arc<dyn CryptoRandom>,
    /// Where the files are.
    pub files: Arc<dyn Files>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            clock: Arc::new(base::time::SystemClock),
            random: Arc::new(SystemRandom),
            files: Arc::new(Disk),
        }
    }
}

/// The keys of one tenant.
pub struct Keyring {
    dir: PathBuf,
    options: Options,
    tenant: [u8; 16],
    page: Secret,
    audit: Secret,
    blind: BlindIndex,
    signing: SigningKey,
    patients: PatientKeys,
    state: Mutex<State>,
    _lock: Box<dyn Lock>,
}

/// What a rotation changes.
struct State {
    file: TenantFile,
    kek: Secret,
}

impl Keyring {
    /// Makes the keys of a tenant in a folder that has none.
    pub fn create(
        dir: &Path,
        kms: &dyn Kms,
        tenant: [u8; 16],
        options: Options,
    ) -> Result<Self, Fault> {
        let lock = lock(&options, dir)?;
        let path = tenant_path(dir);
        let taken = options.files.exists(&path);
        if taken.map_err(|e| unavailable("looking for the tenant's keys", &e))? {
            let what = "there are keys of a tenant; they are never replaced";
            return Err(Fault::new(&code::KEYS_STORE_EXISTS, what));
        }
        let key = Secret::random(&*options.random)?;
        let kek = new_kek(kms, (&key, 1), &tenant, &options)?;
        let keys = [[0; WRAPPED_BYTES]; PURPOSES.len()];
        let mut file = TenantFile { tenant, root: kms.key_id(), older: None, kek, keys };
        for (place, purpose) in file.keys.iter_mut().zip(PURPOSES) {
            let wrapping = wrapping(&key, &tenant, purpose)?;
            *place = wrap_key(&wrapping, &Secret::random(&*options.random)?)?;
        }
        let patients = patients_path(dir);
        // The tenant's keys last: with them the folder is whole.
        PatientKeys::create(&*options.files, &patients, (1, &key), tenant, &*options.random)?;
        clear(&*options.files, &unfinished(&path)).map_err(|e| unavailable("making keys", &e))?;
        save(&options, dir, &file, Taken::Keep)?;
        Self::opened(dir, options, lock, file, key)
    }

    /// Opens the keys of a tenant. A rotation that a crash broke off is brought to its end.
    pub fn open(dir: &Path, kms: &dyn Kms, options: Options) -> Result<Self, Fault> {
        let lock = lock(&options, dir)?;
        let file = tenant_file(&*options.files, dir, kms)?;
        let key = kms.unwrap(&file.kek.wrapped, &file.tenant)?;
        let Some(older) = &file.older else { return Self::opened(dir, options, lock, file, key) };
        let number = PatientKeys::kek_of(&*options.files, &patients_path(dir))?;
        if number != older.number {
            let ring = Self::opened(dir, options, lock, file, key)?;
            ring.retire(&mut ring.state.lock())?;
            return Ok(ring);
        }
        let older = kms.unwrap(&older.wrapped, &file.tenant)?;
        let ring = Self::opened_with(dir, options, lock, file, key, &older)?;
        {
            let mut state = ring.state.lock();
            ring.patients.rewrap(state.file.kek.number, &state.kek)?;
            ring.retire(&mut state)?;
        }
        Ok(ring)
    }

    fn opened(
        dir: &Path,
        options: Options,
        lock: Box<dyn Lock>,
        file: TenantFile,
        key: Secret,
    ) -> Result<Self, Fault> {
        let number = PatientKeys::kek_of(&*options.files, &patients_path(dir))?;
        if number != file.kek.number {
            let what = format!(
                "patients.keys stands under key {number} of the tenant, not the one in use"
            );
            return Err(corrupt(what));
        }
        let for_patients = Secret::take(&mut { *key.expose() });
        Self::opened_with(dir, options, lock, file, key, &for_patients)
    }

    fn opened_with(
        dir: &Path,
        options: Options,
        lock: Box<dyn Lock>,
        file: TenantFile,
        kek: Secret,
        for_patients: &Secret,
    ) -> Result<Self, Fault> {
        let [page, audit, blind, signing] = unwrap_all(&file, &kek)?;
        let path = patients_path(dir);
        let (files, random) = (&options.files, &options.random);
        Ok(Self {
            patients: PatientKeys::open(files, &path, for_patients, file.tenant, random)?,
            dir: dir.to_owned(),
            options,
            tenant: file.tenant,
            page,
            audit,
            blind: BlindIndex::new(&blind),
            signing: SigningKey::new(&signing)?,
            state: Mutex::new(State { file, kek }),
            _lock: lock,
        })
    }

    /// Whose keys these are.
    pub const fn tenant(&self) -> [u8; 16] {
        self.tenant
    }

    /// The key of the store's pages. It stays the same for the life of the tenant.
    pub const fn page_key(&self) -> &Secret {
        &self.page
    }

    /// The key of the access log. It stays the same for the life of the tenant.
    pub const fn audit_key(&self) -> &Secret {
        &self.audit
    }

    /// What the files of the access log are sealed under.
    ///
    /// # Errors
    /// When the cryptography fails.
    pub fn log_key(&self) -> Result<LogKey, Fault> {
        LogKey::new(&self.audit)
    }

    /// Makes blind tokens.
    pub const fn blind_index(&self) -> &BlindIndex {
        &self.blind
    }

    /// Signs for the tenant.
    pub const fn signing_key(&self) -> &SigningKey {
        &self.signing
    }

    /// The patients' keys.
    pub const fn patients(&self) -> &PatientKeys {
        &self.patients
    }

    /// The number of the tenant's key in use, from 1.
    pub fn generation(&self) -> u32 {
        self.state.lock().file.kek.number
    }

    /// The root key that all of this stands under.
    pub fn root(&self) -> KeyId {
        self.state.lock().file.root
    }

    /// Puts a new key of the tenant in place of the one in use, and forgets that: copies of
    /// `patients.keys` made before can then not be opened with what is here. Wraps every key anew, and
    /// touches none.
    pub fn rotate(&self, kms: &dyn Kms) -> Result<(), Fault> {
        let mut state = self.state.lock();
        self.same_root(&state, kms)?;
        if state.file.older.is_none() {
            let key = Secret::random(&*self.options.random)?;
            let number = state.file.kek.number.checked_add(1);
            let number = number.ok_or_else(|| corrupt("the tenant has had too many keys"))?;
            let kek = new_kek(kms, (&key, number), &self.tenant, &self.options)?;
            let mut file = state.file.clone();
            file.older = Some(std::mem::replace(&mut file.kek, kek));
            let keys = unwrap_all(&state.file, &state.kek)?;
            for ((place, purpose), kept) in file.keys.iter_mut().zip(PURPOSES).zip(&keys) {
                *place = wrap_key(&wrapping(&key, &self.tenant, purpose)?, kept)?;
            }
            // Both keys are durable before anything stands under the new one.
            save(&self.options, &self.dir, &file, Taken::Replace)?;
            *state = State { file, kek: key };
        }
        self.patients.rewrap(state.file.kek.number, &state.kek)?;
        self.retire(&mut state)
    }

    /// Puts the tenant under another root key, or under the newest version of the same. Of another, the
    /// old root key opens nothing here any more.
    pub fn change_root(&self, from: &dyn Kms, to: &dyn Kms) -> Result<(), Fault> {
        let mut state = self.state.lock();
        self.same_root(&state, from)?;
        let mut file = state.file.clone();
        file.root = to.key_id();
        for kek in file.older.iter_mut().chain([&mut file.kek]) {
            kek.wrapped = wrapped(to, &from.unwrap(&kek.wrapped, &self.tenant)?, &self.tenant)?;
        }
        save(&self.options, &self.dir, &file, Taken::Replace)?;
        state.file = file;
        Ok(())
    }

    /// Forgets the tenant's key that was in use before.
    fn retire(&self, state: &mut State) -> Result<(), Fault> {
        let file = TenantFile { older: None, ..state.file.clone() };
        save(&self.options, &self.dir, &file, Taken::Replace)?;
        state.file = file;
        Ok(())
    }

    fn same_root(&self, state: &State, kms: &dyn Kms) -> Result<(), Fault> {
        if state.file.root == kms.key_id() {
            return Ok(());
        }
        Err(Fault::new(&code::KEYS_ROOT_OTHER, "the keys stand under another root key"))
    }
}

/// What a tenant's keys stand under, read without opening anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Under {
    /// The root key.
    pub root: KeyId,
    /// The number of the tenant's key in use, from 1.
    pub number: u32,
    /// When that key was made.
    pub made: Millis,
    /// How the root key's holder wrapped it.
    pub wrapped: Vec<u8>,
}

impl Under {
    /// Reads it from the folder of keys.
    ///
    /// # Errors
    /// When the tenant's keys are not there, or are damaged.
    pub fn read(dir: &Path, files: &dyn Files) -> Result<Self, Fault> {
        let TenantFile { root, kek: Kek { number, created, wrapped }, .. } = decoded(files, dir)?;
        Ok(Self { root, number, made: created, wrapped })
    }
}

impl fmt::Debug for Keyring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Keyring({:?})", self.patients)
    }
}

/// The tenant's file, which must stand under this root key.
pub(crate) fn tenant_file(
    files: &dyn Files,
    dir: &Path,
    kms: &dyn Kms,
) -> Result<TenantFile, Fault> {
    let file = decoded(files, dir)?;
    if file.root != kms.key_id() {
        let what = format!("the keys stand under root key {}, not {}", file.root, kms.key_id());
        return Err(Fault::new(&code::KEYS_ROOT_OTHER, what));
    }
    Ok(file)
}

fn decoded(files: &dyn Files, dir: &Path) -> Result<TenantFile, Fault> {
    let bytes = match files.read(&tenant_path(dir), TenantFile::BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(e) if e.kind() == io::ErrorKind::InvalidData => {
            return Err(corrupt("tenant.keys is too long"));
        }
        Err(e) => return Err(unavailable("reading the tenant's keys", &e)),
    };
    TenantFile::decode(&bytes).map_err(|what| corrupt(format!("tenant.keys {what}")))
}

fn tenant_path(dir: &Path) -> PathBuf {
    dir.join("tenant.keys")
}

fn patients_path(dir: &Path) -> PathBuf {
    dir.join("patients.keys")
}

fn lock(options: &Options, dir: &Path) -> Result<Box<dyn Lock>, Fault> {
    options.files.lock(&dir.join("lock")).map_err(|e| match e.kind() {
        io::ErrorKind::WouldBlock => {
            Fault::new(&code::KEYS_STORE_LOCKED, "another process has these keys open")
        }
        _ => unavailable("locking the keys", &e),
    })
}

fn save(options: &Options, dir: &Path, file: &TenantFile, taken: Taken) -> Result<(), Fault> {
    let bytes = file.encode();
    publish(&*options.files, &tenant_path(dir), taken, |new| {
        new.write_at(&bytes, 0).map_err(|e| unavailable("writing the tenant's keys", &e))
    })?;
    Ok(())
}

fn new_kek(
    kms: &dyn Kms,
    (key, number): (&Secret, u32),
    tenant: &[u8; 16],
    options: &Options,
) -> Result<Kek, Fault> {
    Ok(Kek { number, created: options.clock.now(), wrapped: wrapped(kms, key, tenant)? })
}

/// Wraps a tenant's key, and sees it open again: a holder that wraps and would not unwrap loses
/// everything, and is found out before anything rests on it.
fn wrapped(kms: &dyn Kms, key: &Secret, tenant: &[u8; 16]) -> Result<Vec<u8>, Fault> {
    let wrapped = kms.wrap(key, tenant)?;
    if !(1..=TenantFile::WRAPPED_BYTES_MAX).contains(&wrapped.len()) {
        let what = "the root key's holder gave a key of an odd length";
        return Err(Fault::new(&code::KEYS_UNAVAILABLE, what));
    }
    if !same(kms.unwrap(&wrapped, tenant)?.expose(), key.expose()) {
        let what = "the root key's holder unwraps another key than it wrapped";
        return Err(Fault::new(&code::KEYS_UNAVAILABLE, what));
    }
    Ok(wrapped)
}

/// What a key of the tenant is wrapped under: a key for this purpose and tenant alone.
fn wrapping(kek: &Secret, tenant: &[u8; 16], purpose: &str) -> Result<Secret, Fault> {
    derive(kek, tenant, &format!("plummer/1/tenant.keys/{purpose}"))
}

pub(crate) fn unwrap_all(
    file: &TenantFile,
    kek: &Secret,
) -> Result<[Secret; PURPOSES.len()], Fault> {
    let one = |wrapped: &[u8; WRAPPED_BYTES], purpose: &str| {
        let wrapping = wrapping(kek, &file.tenant, purpose)?;
        unwrap_key(&wrapping, wrapped)
            .ok_or_else(|| corrupt(format!("the {purpose} key of tenant.keys was altered")))
    };
    let ([a, b, c, d], [page, audit, blind, signing]) = (&file.keys, PURPOSES);
    Ok([one(a, page)?, one(b, audit)?, one(c, blind)?, one(d, signing)?])
}
