//! What the tests share: randomness that repeats, a root key that needs no file, a keyring on a disk.

use std::path::Path;
use std::sync::{Arc, Mutex};

use base::id::{Random as _, Seeded};
use base::{Clock, Fault, Millis};
use keys::{CryptoRandom, Disk, Files, KeyId, Keyring, Kms, Options, Place, Secret, Standing};

pub(crate) const NOW: Millis = Millis(1_795_340_467_123);
pub(crate) const TENANT: [u8; 16] = [0x7e; 16];
pub(crate) const CASE: [u8; 16] = *b"case 7, dr. wren";

#[derive(Debug)]
pub(crate) struct Repeating(Mutex<Seeded>);

impl Repeating {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Mutex::new(Seeded::new(seed)))
    }
}

impl CryptoRandom for Repeating {
    fn fill(&self, out: &mut [u8]) -> Result<(), Fault> {
        let mut random = self.0.lock().unwrap();
        for chunk in out.chunks_mut(8) {
            let bytes = random.next_u64().to_be_bytes();
            chunk.copy_from_slice(&bytes[..chunk.len()]);
        }
        Ok(())
    }
}

#[derive(Debug)]
pub(crate) struct Still;

impl Clock for Still {
    fn now(&self) -> Millis {
        NOW
    }
}

/// A root key in memory; another number is another key. It binds what it wraps to the tenant, as those
/// elsewhere do.
#[derive(Debug)]
pub(crate) struct MemoryKms(pub(crate) u8);

impl MemoryKms {
    fn key(&self) -> Secret {
        Secret::take(&mut [self.0; 32])
    }
}

impl Kms for MemoryKms {
    fn key_id(&self) -> KeyId {
        self.key().id()
    }

    fn wrap(&self, key: &Secret, tenant: &[u8; 16]) -> Result<Vec<u8>, Fault> {
        Ok([keys::bound_to(tenant).as_bytes(), &keys::wrap_key(&self.key(), key)?].concat())
    }

    fn unwrap(&self, wrapped: &[u8], tenant: &[u8; 16]) -> Result<Secret, Fault> {
        let wrapped = wrapped.strip_prefix(keys::bound_to(tenant).as_bytes()).unwrap();
        Ok(keys::unwrap_key(&self.key(), wrapped.try_into().unwrap()).unwrap())
    }

    fn standing(&self) -> Standing {
        Standing { holder: "memory", ..Standing::default() }
    }
}

pub(crate) fn options(files: Arc<dyn Files>, seed: u64) -> Options {
    Options { clock: Arc::new(Still), random: Arc::new(Repeating::new(seed)), files }
}

pub(crate) fn create(dir: &Path) -> Keyring {
    Keyring::create(dir, &MemoryKms(1), TENANT, options(Arc::new(Disk), 1)).unwrap()
}

pub(crate) fn open(dir: &Path) -> Result<Keyring, Fault> {
    Keyring::open(dir, &MemoryKms(1), options(Arc::new(Disk), 2))
}

pub(crate) const fn place(patient: u64) -> Place {
    Place { record: patient, version: 1 }
}

/// A body sealed for a patient, by which the key is known again.
pub(crate) fn sealed(ring: &Keyring, patient: u64) -> Vec<u8> {
    let key = ring.patients().key(patient).unwrap();
    key.seal(place(patient), b"a body", &Repeating::new(patient)).unwrap()
}

pub(crate) fn opens(ring: &Keyring, patient: u64, sealed: &[u8]) -> Result<bool, Fault> {
    let key = ring.patients().key(patient)?;
    Ok(key.open(place(patient), sealed).is_ok_and(|plain| plain == b"a body"))
}
