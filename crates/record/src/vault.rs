//! Encryption at rest (45 CFR 164.312(a)(2)(iv)): where a data folder's keys are, when they are made,
//! and what may be done with them. Keys lie in `keys` of the data folder, all under a root key that
//! lies where the operator says.

use crate::gate::{Record, private_folder};
use crate::session::Session;
use audit::{Kind, Target};
use base::error::code;
use base::{Clock, Fault};
use fhir::definitions::r4;
use keys::{
    Argon, Certificate, Disk, Glance, Keyring, Kms, LogKey, Passphrase, Protection, RootKey,
    Standing, SystemRandom, Under,
};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use store::{Cipher, Form, Store};

/// Bytes a file with a passphrase may have.
const PASSPHRASE_BYTES_MAX: usize = 4096;
/// How often, and how far apart, another process is asked to let go of the keys.
const LOCK_TRIES: u32 = 10;
const LOCK_PAUSE: std::time::Duration = std::time::Duration::from_millis(20);

/// How a data folder is encrypted.
#[derive(Debug, Clone)]
pub struct Encryption {
    /// A new data folder is sealed. One that is there already stays what it is.
    pub on: bool,
    /// Where the root key is; `keys/root.key` of the data folder when not given.
    pub root_key: Option<PathBuf>,
    /// A file with the passphrase that the root key is sealed by.
    pub passphrase_file: Option<PathBuf>,
    /// Who holds the root key, when no file does.
    pub holder: Option<Arc<dyn Kms>>,
}

impl Default for Encryption {
    fn default() -> Self {
        Self { on: true, root_key: None, passphrase_file: None, holder: None }
    }
}

/// What a data folder is like at rest.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AtRest {
    /// Sealed, under a root key that lies apart from it, or is held elsewhere.
    Sealed,
    /// Sealed, under a root key that lies in the data folder: whoever takes the one has the other.
    SealedBesideRootKey,
    /// Plain, as `encryption = off` asks for.
    Off,
    /// Plain, from before encryption was on: `plummer keys encrypt` seals it.
    NotYetSealed,
}

impl AtRest {
    /// A word for health and logs.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Sealed => "sealed",
            Self::SealedBesideRootKey => "sealed, root key beside the data",
            Self::Off => "off",
            Self::NotYetSealed => "not yet sealed",
        }
    }

    /// Whether whoever runs the server should be told again.
    pub const fn is_weak(self) -> bool {
        !matches!(self, Self::Sealed)
    }
}

impl Encryption {
    /// The root key's file.
    pub fn root_path(&self, data: &Path) -> PathBuf {
        self.root_key.clone().unwrap_or_else(|| folder(data).join("root.key"))
    }

    /// The passphrase, if a file with one is named.
    ///
    /// # Errors
    /// When it cannot be read, is empty or too long, or others than its owner may read it.
    pub fn passphrase(&self) -> Result<Option<Passphrase>, Fault> {
        self.passphrase_file.as_deref().map(read_passphrase).transpose()
    }

    /// Who holds the root key; when a file does, it is opened.
    ///
    /// # Errors
    /// As [`RootKey::open`].
    pub fn root(&self, data: &Path) -> Result<Arc<dyn Kms>, Fault> {
        match &self.holder {
            Some(holder) => Ok(Arc::clone(holder)),
            None => self.root_in_file(data).map(|root| Arc::new(root) as Arc<dyn Kms>),
        }
    }

    /// Opens the root key's file.
    ///
    /// # Errors
    /// As [`RootKey::open`].
    pub fn root_in_file(&self, data: &Path) -> Result<RootKey, Fault> {
        RootKey::open(&Disk, &self.root_path(data), self.passphrase()?.as_ref())
    }

    /// Makes a root key where there is none, and its folder, if that is the data folder's own.
    ///
    /// # Errors
    /// As [`RootKey::create`].
    pub fn make_root(&self, data: &Path, clock: &dyn Clock) -> Result<RootKey, Fault> {
        let path = self.root_path(data);
        if self.root_key.is_none() {
            make_folder(data)?;
        }
        let passphrase = self.passphrase()?;
        let protection = match &passphrase {
            Some(passphrase) => Protection::Passphrase(passphrase, Argon::default()),
            None => Protection::Plain,
        };
        RootKey::create(&Disk, &path, protection, &SystemRandom, clock.now())
    }

    /// Opens the keys of a data folder.
    ///
    /// # Errors
    /// When a key is missing, or is another, or the passphrase does not fit.
    pub fn keys(&self, data: &Path, clock: Arc<dyn Clock>) -> Result<Keyring, Fault> {
        if !has_keys(data) {
            let what =
                "the data folder's keys are not there: bring the folder `keys` that belongs to it";
            return Err(Fault::new(&code::STORE_KEY_MISSING, what));
        }
        let options = keys::Options { clock, ..keys::Options::default() };
        let root = self.root(data)?;
        for _ in 0..LOCK_TRIES {
            match Keyring::open(&folder(data), &*root, options.clone()) {
                // A process that is just ending, or beginning another, holds them for moments longer.
                Err(fault) if fault.code() == &code::KEYS_STORE_LOCKED => {
                    std::thread::sleep(LOCK_PAUSE);
                }
                opened => return opened,
            }
        }
        Keyring::open(&folder(data), &*root, options)
    }

    /// The keys that read the access log of a data folder, also while a server holds them; `None` when the
    /// folder has no keys.
    ///
    /// # Errors
    /// When a key is another, or the passphrase does not fit.
    pub fn glance(&self, data: &Path) -> Result<Option<Glance>, Fault> {
        if !has_keys(data) {
            return Ok(None);
        }
        Glance::take(&folder(data), &*self.root(data)?, &Disk).map(Some)
    }

    /// What opens the access log of a data folder where it is sealed, also while a server holds the keys.
    ///
    /// # Errors
    /// As [`Encryption::glance`].
    pub fn log_key(&self, data: &Path) -> Result<Option<LogKey>, Fault> {
        self.glance(data)?.map(|keys| keys.log_key()).transpose()
    }

    /// Opens the keys of a data folder, or makes them, and a root key of their own if none is named.
    ///
    /// # Errors
    /// As [`Encryption::keys`]. A root key that is named must be there.
    pub fn keys_or_new(&self, data: &Path, clock: Arc<dyn Clock>) -> Result<Keyring, Fault> {
        if has_keys(data) {
            return self.keys(data, clock);
        }
        make_folder(data)?;
        let own = self.root_key.is_none() && self.holder.is_none();
        let root = if own && !self.root_path(data).exists() {
            Arc::new(self.make_root(data, &*clock)?)
        } else {
            self.root(data)?
        };
        let mut tenant = [0; 16];
        keys::CryptoRandom::fill(&SystemRandom, &mut tenant)?;
        let options = keys::Options { clock, ..keys::Options::default() };
        Keyring::create(&folder(data), &*root, tenant, options)
    }

    /// What a data folder is opened with.
    pub(crate) fn open(
        &self,
        data: &Path,
        clock: &Arc<dyn Clock>,
    ) -> Result<(Option<Arc<Keyring>>, AtRest), Fault> {
        let ring = match store::form(&data.join("store"))? {
            Form::Sealed => self.keys(data, Arc::clone(clock))?,
            Form::Absent if self.on => self.keys_or_new(data, Arc::clone(clock))?,
            Form::Plain if self.on => return Ok((None, AtRest::NotYetSealed)),
            Form::Absent | Form::Plain => return Ok((None, AtRest::Off)),
        };
        let state = if self.is_beside(data) { AtRest::SealedBesideRootKey } else { AtRest::Sealed };
        Ok((Some(Arc::new(ring)), state))
    }
}

impl Encryption {
    /// Whether the root key lies in the data folder: whoever takes the one has the other.
    pub fn is_beside(&self, data: &Path) -> bool {
        let inside = || {
            let root = std::path::absolute(self.root_path(data))?;
            std::io::Result::Ok(root.starts_with(std::path::absolute(data)?))
        };
        self.holder.is_none() && inside().unwrap_or(false)
    }
}

/// What the keys of a data folder stand under, read without opening them; `None` when it has none.
///
/// # Errors
/// When they are damaged.
pub fn keys_under(data: &Path) -> Result<Option<Under>, Fault> {
    if !has_keys(data) {
        return Ok(None);
    }
    Under::read(&folder(data), &Disk).map(Some)
}

/// The folder of a data folder's keys.
fn folder(data: &Path) -> PathBuf {
    data.join("keys")
}

/// Whether a data folder has keys of its own.
pub fn has_keys(data: &Path) -> bool {
    folder(data).join("tenant.keys").exists()
}

fn make_folder(data: &Path) -> Result<(), Fault> {
    let failed = |e: std::io::Error| {
        Fault::new(&code::KEYS_UNAVAILABLE, format!("the folder of keys cannot be made: {e}"))
    };
    private_folder(&folder(data)).map_err(failed)?;
    std::fs::File::open(data).and_then(|f| f.sync_all()).map_err(failed)
}

/// Reads a passphrase from a file; a line feed at its end is not part of it.
///
/// # Errors
/// When it cannot be read, is empty or too long, or others than its owner may read it.
pub fn read_passphrase(path: &Path) -> Result<Passphrase, Fault> {
    use keys::Files as _;
    let missing = |what: &str| Fault::new(&code::KEYS_PASSPHRASE_MISSING, what.to_owned());
    let failed = |e: std::io::Error| missing(&format!("the passphrase's file cannot be read: {e}"));
    if !Disk.is_private(path).map_err(failed)? {
        let what = "others than its owner may read the passphrase's file; give it mode 0600";
        return Err(Fault::new(&code::KEYS_ROOT_PERMISSIONS, what));
    }
    let mut bytes = Disk.read(path, PASSPHRASE_BYTES_MAX).map_err(failed)?;
    while bytes.last().is_some_and(|last| matches!(last, b'\n' | b'\r')) {
        bytes.pop();
    }
    if bytes.is_empty() {
        return Err(missing("the passphrase's file is empty"));
    }
    Ok(Passphrase::new(bytes))
}

/// What the store of a data folder remembers of its access log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Remembered {
    /// The last event it was told of, and that event's hash.
    Event(u64, [u8; 32]),
    /// Nothing: no event was ever anchored.
    Nothing,
    /// There is no store.
    Absent,
    /// Another process has it open: a running server tells what it remembers when asked.
    InUse,
}

/// Asks the store of a data folder that is not served what it remembers of the access log.
///
/// # Errors
/// When the store is there and cannot be opened, for any reason but that another process has it.
pub fn remembered(
    data: &Path,
    encryption: &Encryption,
    clock: &Arc<dyn Clock>,
) -> Result<Remembered, Fault> {
    let dir = data.join("store");
    let ask = || -> Result<Remembered, Fault> {
        let cipher = match store::form(&dir)? {
            // Keys are made with a sealed store: where there are keys and no such store, the one that
            // would contradict a log cut short is not there.
            Form::Absent if has_keys(data) => {
                let what = "the folder has keys and no store: bring the store that belongs to it";
                return Err(Fault::new(&code::STORE_UNAVAILABLE, what));
            }
            Form::Plain if has_keys(data) => {
                let what = "the folder has keys and its store is not sealed: it is another store, or `plummer keys encrypt` was broken off";
                return Err(Fault::new(&code::STORE_KEY_OTHER, what));
            }
            Form::Absent => return Ok(Remembered::Absent),
            Form::Plain => None,
            Form::Sealed => Some(Cipher::of(Arc::new(encryption.keys(data, Arc::clone(clock))?))?),
        };
        let options =
            store::Options { cipher, clock: Arc::clone(clock), ..store::Options::default() };
        remembered_by(&Store::open(&dir, options)?)
    };
    let in_use = [code::STORE_LOCKED.name, code::KEYS_STORE_LOCKED.name];
    match ask() {
        Err(fault) if in_use.contains(&fault.code().name) => Ok(Remembered::InUse),
        asked => asked,
    }
}

fn remembered_by(store: &Store) -> Result<Remembered, Fault> {
    Ok(match store.audit_anchor()? {
        Some((event, hash)) => Remembered::Event(event, hash),
        None => Remembered::Nothing,
    })
}

/// Seals a plain data folder's store. Nobody else may have it open.
///
/// # Errors
/// When it is not plain, or cannot be read or written; it is then what it was.
pub fn encrypt(
    data: &Path,
    encryption: &Encryption,
    clock: &Arc<dyn Clock>,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<u64, Fault> {
    let ring = Arc::new(encryption.keys_or_new(data, Arc::clone(clock))?);
    store::encrypt(&data.join("store"), &Cipher::of(ring)?, progress)
}

/// Puts a backup of a store into an empty data folder. Of a sealed one, the keys must be there first.
///
/// # Errors
/// As [`store::restore`], and `store.key.missing` when the keys are not there.
pub fn restore(
    file: &Path,
    data: &Path,
    encryption: &Encryption,
    clock: &Arc<dyn Clock>,
) -> Result<(), Fault> {
    let from = file.parent().unwrap_or_else(|| Path::new("."));
    let cipher = match store::form(from)? {
        Form::Sealed => Some(Cipher::of(Arc::new(encryption.keys(data, Arc::clone(clock))?))?),
        Form::Absent | Form::Plain => None,
    };
    store::restore(file, &data.join("store"), cipher.as_ref())
}

impl Record {
    /// How whoever holds the root key stands, when no file does. Nobody is asked.
    pub fn root_key(&self) -> Option<Standing> {
        self.gate.settings.encryption.holder.as_ref().map(|holder| holder.standing())
    }

    /// What it is like at rest.
    pub fn at_rest(&self) -> AtRest {
        self.gate.at_rest
    }

    /// The keys it is sealed under.
    pub fn keys(&self) -> Option<&Arc<Keyring>> {
        self.gate.keys.as_ref()
    }

    /// What its store remembers of the access log.
    ///
    /// # Errors
    /// When it cannot be read.
    pub fn remembered(&self) -> Result<Remembered, Fault> {
        remembered_by(&self.gate.store)
    }
}

impl Session {
    /// The keys the record is sealed under.
    pub fn keys(&self) -> Option<&Arc<Keyring>> {
        self.gate.keys.as_ref()
    }

    /// Puts the record's keys under another root key, or under the newest version of the same one. The
    /// event is on the disk before it is done; when it fails, a second one says so.
    ///
    /// # Errors
    /// When the record is not sealed, either holder refuses, or the access log failed. The keys then stand
    /// where they stood.
    pub fn change_root(&self, from: &dyn Kms, to: &dyn Kms) -> Result<(), Fault> {
        self.may_write()?;
        let Some(keys) = self.gate.keys.as_ref() else {
            let what = "the record is not sealed, so it has no root key";
            return Err(Fault::new(&code::STORE_KEY_MISSING, what));
        };
        // Who is not there, or has no key that is fit, is found out before anything is said.
        to.ask()?;
        let same = from.key_id() == to.key_id();
        let kind = if same { Kind::RootKeyRewrapped } else { Kind::RootKeyMoved };
        let mut event = self.event(kind);
        let id = to.key_id().to_string();
        event.targets = vec![Target::resource("RootKey", id, to.standing().version)];
        self.gate.log.append(&event)?.synced().wait()?;
        let done = keys.change_root(from, to);
        if let Err(fault) = &done {
            event.time = self.now();
            event.status = fault.status();
            self.gate.log.append(&event)?.synced().wait()?;
        }
        done
    }

    /// Destroys a patient's key, and with it the content of every version about this patient alone, in
    /// every copy of the record. There is no way back.
    ///
    /// # Errors
    /// When the record is not sealed, there is no such patient, or the access log failed.
    pub fn shred(&self, patient: &str) -> Result<Certificate, Fault> {
        self.may_write()?;
        let keys = self.gate.keys.as_ref().ok_or_else(|| {
            Fault::new(
                &code::STORE_KEY_MISSING,
                "the record is not sealed, so no key can be destroyed",
            )
        })?;
        let of = r4().resource_type("Patient");
        let number = match of {
            Some(of) => self.gate.store.record_number(of, patient)?,
            None => None,
        };
        let number = number
            .ok_or_else(|| Fault::new(&code::NOT_FOUND, "there is no patient with this id"))?;
        let mut event = self.event(Kind::Operation);
        event.patients = vec![patient.to_owned()];
        // What cannot be undone is in the log first, and on the disk.
        self.gate.log.append(&event)?.synced().wait()?;
        keys.patients().shred(number, self.request, self.now())
    }
}
