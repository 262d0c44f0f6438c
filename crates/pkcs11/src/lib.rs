//! The root key on a token or HSM, spoken to by PKCS #11 (OASIS PKCS #11 v3.1; 45 CFR
//! 164.312(a)(2)(iv); NIST SP 800-57 part 1, key-encrypting keys). The token encrypts and decrypts a
//! tenant's key by AES-256 in GCM, bound to the tenant, and never gives out the key that it does so
//! with: one that could be taken out is not used.
//!
//! The module that speaks to the token is a library of whoever made the token, loaded when it is first
//! needed; it runs in this process and is trusted like this program. Only `cryptoki` says `unsafe`.

mod session;
mod token;
mod trouble;
mod wrapped;

pub use token::{Config, Token};
pub use wrapped::version;
