//! Contract tests of `pkcs11`, against `SoftHSM`.

#[cfg(test)]
mod place;
#[cfg(test)]
mod token;
