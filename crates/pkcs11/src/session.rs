//! A session on the token: the module loaded, the token found by its label, the PIN shown once, and the
//! keys of our label with what makes them fit.

use base::error::code;
use cryptoki::context::{CInitializeArgs, CInitializeFlags, Pkcs11};
use cryptoki::error::{Error, RvError};
use cryptoki::mechanism::Mechanism;
use cryptoki::mechanism::aead::GcmParams;
use cryptoki::object::{Attribute, AttributeType, KeyType, ObjectClass, ObjectHandle};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use keys::{Secret, SecretText};
use parking_lot::Mutex;
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use zeroize::Zeroizing;

use crate::trouble::{Trouble, refused};
use crate::wrapped::{NONCE_BYTES, SEALED_BYTES, Wrapped};

/// Keys of one label that are looked at.
const KEYS_MAX: usize = 64;
const TAG_BITS: u64 = 128;

/// A key of our label.
#[derive(Debug)]
pub(crate) struct Key {
    /// What its `CKA_ID` comes to; 0 when it has none.
    pub(crate) number: u32,
    handle: ObjectHandle,
}

/// An open session of somebody who showed the PIN.
pub(crate) struct Open {
    session: Session,
}

impl Open {
    /// Opens one. A module that is loaded already is used as it is.
    pub(crate) fn new(module: &Path, token: &str, pin: &SecretText) -> Result<Self, Trouble> {
        let library = library(module)?;
        let flags = CInitializeFlags::OS_LOCKING_OK;
        match library.initialize(CInitializeArgs::new(flags)) {
            Ok(()) | Err(Error::Pkcs11(RvError::CryptokiAlreadyInitialized, _)) => {}
            Err(error) => return Err(error.into()),
        }
        let mut found = None;
        for slot in library.get_slots_with_token()? {
            // One that cannot be asked is somebody else's trouble.
            let Ok(info) = library.get_token_info(slot) else { continue };
            if info.label() != token {
                continue;
            }
            if found.replace((slot, info)).is_some() {
                let what = "two tokens have the label of pkcs11_token";
                return Err(Trouble::new(&code::KEYS_KMS_UNFIT, what));
            }
        }
        let Some((slot, info)) = found else {
            let what = "no token that is there has the label of pkcs11_token";
            return Err(Trouble::new(&code::KEYS_KMS_UNREACHABLE, what));
        };
        if info.user_pin_locked() {
            let what = "the token's PIN is locked: its security officer unlocks it";
            return Err(Trouble::new(&code::KEYS_KMS_DENIED, what));
        }
        if info.user_pin_final_try() {
            let what = "the token gives its PIN one more try, which this program leaves to a person: sign in by hand first";
            return Err(Trouble::new(&code::KEYS_KMS_DENIED, what));
        }
        let session = library.open_ro_session(slot)?;
        let pin = AuthPin::from(pin.expose().to_owned());
        match session.login(UserType::User, Some(&pin)) {
            Ok(()) | Err(Error::Pkcs11(RvError::UserAlreadyLoggedIn, _)) => Ok(Self { session }),
            Err(error) => Err(error.into()),
        }
    }

    /// The keys of this label, by their numbers; each is fit, or none is used.
    pub(crate) fn keys(&self, label: &str) -> Result<Vec<Key>, Trouble> {
        let template = [
            Attribute::Class(ObjectClass::SECRET_KEY),
            Attribute::Label(label.as_bytes().to_vec()),
        ];
        let handles = self.session.find_objects(&template)?;
        if handles.is_empty() {
            let what = "the token has no key with the label of pkcs11_key";
            return Err(Trouble::new(&code::KEYS_KMS_MISSING, what));
        }
        if handles.len() > KEYS_MAX {
            return Err(Trouble::new(
                &code::KEYS_KMS_UNFIT,
                "the token has too many keys of this label",
            ));
        }
        let mut keys = Vec::with_capacity(handles.len());
        for handle in handles {
            keys.push(Key { number: self.fit(handle)?, handle });
        }
        keys.sort_by_key(|key| key.number);
        if keys.windows(2).any(|pair| matches!(pair, [a, b] if a.number == b.number)) {
            let what =
                "two keys of this label have the same CKA_ID, so that nobody can tell them apart";
            return Err(Trouble::new(&code::KEYS_KMS_UNFIT, what));
        }
        Ok(keys)
    }

    /// The number of a key that may hold a root: AES of 256 bits that cannot be taken out.
    fn fit(&self, handle: ObjectHandle) -> Result<u32, Trouble> {
        let asked = [
            AttributeType::KeyType,
            AttributeType::ValueLen,
            AttributeType::Sensitive,
            AttributeType::Extractable,
            AttributeType::Encrypt,
            AttributeType::Decrypt,
            AttributeType::Id,
        ];
        let (mut aes, mut long, mut kept, mut inside, mut may) =
            (false, false, false, false, [false; 2]);
        let mut number = 0;
        for attribute in self.session.get_attributes(handle, &asked)? {
            match attribute {
                Attribute::KeyType(kind) => aes = kind == KeyType::AES,
                Attribute::ValueLen(bytes) => long = *bytes == 32,
                Attribute::Sensitive(sensitive) => kept = sensitive,
                Attribute::Extractable(extractable) => inside = !extractable,
                Attribute::Encrypt(may_encrypt) => may[0] = may_encrypt,
                Attribute::Decrypt(may_decrypt) => may[1] = may_decrypt,
                Attribute::Id(id) => number = numbered(&id)?,
                _ => {}
            }
        }
        let unfit = |what| Err(Trouble::new(&code::KEYS_KMS_UNFIT, what));
        match () {
            () if !aes || !long => unfit("the key is not AES of 256 bits"),
            () if !kept || !inside => unfit(
                "the key can be taken out of the token: make one that is sensitive and not extractable",
            ),
            () if may != [true; 2] => unfit("the key may not encrypt and decrypt"),
            () => Ok(number),
        }
    }

    /// Encrypts a key. A token that draws the nonce itself puts it where ours stood.
    pub(crate) fn seal(
        &self,
        by: &Key,
        key: &Secret,
        mut nonce: [u8; NONCE_BYTES],
        bound: &str,
    ) -> Result<Wrapped, Trouble> {
        let sealed = {
            let params = GcmParams::new(&mut nonce, bound.as_bytes(), TAG_BITS.into())?;
            self.session.encrypt(&Mechanism::AesGcm(params), by.handle, key.expose())?
        };
        let odd = |_| Trouble::new(&code::KEYS_KMS_ANSWER, "the token wrapped to an odd length");
        let sealed: [u8; SEALED_BYTES] = sealed.as_slice().try_into().map_err(odd)?;
        Ok(Wrapped { number: by.number, nonce, sealed })
    }

    /// Decrypts a key.
    pub(crate) fn open(&self, by: &Key, wrapped: &Wrapped, bound: &str) -> Result<Secret, Trouble> {
        let mut nonce = wrapped.nonce;
        let params = GcmParams::new(&mut nonce, bound.as_bytes(), TAG_BITS.into())?;
        let opened = self.session.decrypt(&Mechanism::AesGcm(params), by.handle, &wrapped.sealed);
        let opened = Zeroizing::new(opened.map_err(|error| {
            if refused(&error) {
                let what = "the tenant's key was altered, or is another tenant's, or was wrapped by another key of this label";
                return Trouble::new(&code::KEYS_KMS_REFUSED, what);
            }
            Trouble::from(error)
        })?);
        let odd = |_| Trouble::new(&code::KEYS_KMS_ANSWER, "the token unwrapped to an odd length");
        let mut key = Zeroizing::new(<[u8; 32]>::try_from(opened.as_slice()).map_err(odd)?);
        Ok(Secret::take(&mut key))
    }
}

/// The libraries that were loaded. They stay as long as the process: one may have threads of its own,
/// which would go on in memory that was given back.
static LIBRARIES: Mutex<BTreeMap<PathBuf, Pkcs11>> = Mutex::new(BTreeMap::new());

/// A module, loaded once.
fn library(module: &Path) -> Result<Pkcs11, Trouble> {
    let mut all = LIBRARIES.lock();
    if let Some(loaded) = all.get(module) {
        return Ok(loaded.clone());
    }
    let loaded = Pkcs11::new(module)?;
    all.insert(module.to_owned(), loaded.clone());
    Ok(loaded)
}

/// What a `CKA_ID` comes to: at most four bytes are a number.
fn numbered(id: &[u8]) -> Result<u32, Trouble> {
    if id.len() > 4 {
        let what = "the key's CKA_ID has more than four bytes: give it a number, such as 01";
        return Err(Trouble::new(&code::KEYS_KMS_UNFIT, what));
    }
    Ok(id.iter().fold(0, |number, byte| number << 8 | u32::from(*byte)))
}
