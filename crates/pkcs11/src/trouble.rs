//! What a module answers in place of what it was asked, told apart by what helps: put the token back,
//! another PIN, another key. Its own words are its codes, which say nothing of a key or a PIN.

use base::Fault;
use base::error::{Code, code};
use cryptoki::error::{Error, RvError};

/// Why something was not done.
#[derive(Debug)]
pub(crate) struct Trouble {
    pub(crate) fault: Fault,
    /// The session is gone; with another it may be done.
    pub(crate) lost: bool,
    /// The PIN was shown and refused. It is not shown again: a token counts.
    pub(crate) pin: bool,
}

impl Trouble {
    pub(crate) fn new(code: &'static Code, what: impl Into<String>) -> Self {
        Self { fault: Fault::new(code, what), lost: false, pin: false }
    }
}

impl From<Fault> for Trouble {
    fn from(fault: Fault) -> Self {
        Self { fault, lost: false, pin: false }
    }
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Self {
        use RvError::{
            CryptokiNotInitialized, DeviceRemoved, FunctionNotSupported, KeyFunctionNotPermitted,
            KeySizeRange, KeyTypeInconsistent, MechanismInvalid, MechanismParamInvalid, PinExpired,
            PinIncorrect, PinInvalid, PinLenRange, PinLocked, SessionClosed, SessionHandleInvalid,
            TokenNotPresent, TokenNotRecognized, UserNotLoggedIn, UserPinNotInitialized,
        };
        let found = match &error {
            Error::Pkcs11(found, _) => found,
            Error::LibraryLoading(_) | Error::MissingSymbol(_) => {
                let what = "pkcs11_module is no library that can be loaded and speaks PKCS #11";
                return Self::new(&code::KEYS_KMS_UNFIT, what);
            }
            _ => return Self::new(&code::KEYS_KMS_ANSWER, format!("the token's module: {error}")),
        };
        let what = format!("the token's module answered {error}");
        match found {
            PinIncorrect | PinInvalid | PinLenRange | PinExpired | PinLocked => {
                Self { pin: true, ..Self::new(&code::KEYS_KMS_DENIED, what) }
            }
            UserPinNotInitialized => Self::new(&code::KEYS_KMS_DENIED, what),
            SessionHandleInvalid
            | SessionClosed
            | UserNotLoggedIn
            | DeviceRemoved
            | TokenNotPresent
            | TokenNotRecognized
            | CryptokiNotInitialized => {
                Self { lost: true, ..Self::new(&code::KEYS_KMS_UNREACHABLE, what) }
            }
            KeyFunctionNotPermitted
            | KeyTypeInconsistent
            | KeySizeRange
            | MechanismInvalid
            | MechanismParamInvalid
            | FunctionNotSupported => Self::new(&code::KEYS_KMS_UNFIT, what),
            _ => Self::new(&code::KEYS_KMS_UNREACHABLE, what),
        }
    }
}

/// What a token answers to something that was altered, or that another key or tenant wrapped. Tokens
/// differ in how they call it, and some call it a general failure.
pub(crate) fn refused(error: &Error) -> bool {
    use RvError::{
        DataInvalid, DataLenRange, EncryptedDataInvalid, EncryptedDataLenRange, FunctionFailed,
        GeneralError,
    };
    matches!(
        error,
        Error::Pkcs11(
            DataInvalid
                | DataLenRange
                | EncryptedDataInvalid
                | EncryptedDataLenRange
                | FunctionFailed
                | GeneralError,
            _
        )
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use cryptoki::context::Function;

    #[test]
    fn each_answer_has_one_remedy() {
        for (found, code, lost, pin) in [
            (RvError::PinIncorrect, &code::KEYS_KMS_DENIED, false, true),
            (RvError::PinLocked, &code::KEYS_KMS_DENIED, false, true),
            (RvError::SessionHandleInvalid, &code::KEYS_KMS_UNREACHABLE, true, false),
            (RvError::DeviceRemoved, &code::KEYS_KMS_UNREACHABLE, true, false),
            (RvError::DeviceError, &code::KEYS_KMS_UNREACHABLE, false, false),
            (RvError::MechanismInvalid, &code::KEYS_KMS_UNFIT, false, false),
        ] {
            let trouble = Trouble::from(Error::Pkcs11(found, Function::Login));
            assert_eq!(
                (trouble.fault.code(), trouble.lost, trouble.pin),
                (code, lost, pin),
                "{found:?}"
            );
        }
        assert!(refused(&Error::Pkcs11(RvError::EncryptedDataInvalid, Function::Decrypt)));
        assert!(!refused(&Error::Pkcs11(RvError::SessionClosed, Function::Decrypt)));
    }
}
