//! `SoftHSM`, a token in software (package `softhsm2`): where its library is. A test without it says so
//! and passes, unless `PLUMMER_REQUIRE_DATA=1` asks it to fail, as CI does.

#![expect(clippy::print_stderr, reason = "a test that is skipped says so loudly")]

use std::path::Path;

/// Where systems put the library.
const MODULES: [&str; 4] = [
    "/usr/lib/softhsm/libsofthsm2.so",
    "/usr/lib64/pkcs11/libsofthsm2.so",
    "/usr/local/lib/softhsm/libsofthsm2.so",
    "/opt/homebrew/lib/softhsm/libsofthsm2.so",
];

/// The library, if it is installed.
pub fn module() -> Option<&'static str> {
    let found = MODULES.into_iter().find(|path| Path::new(path).exists());
    if found.is_none() {
        let required = std::env::var_os("PLUMMER_REQUIRE_DATA").is_some_and(|v| v == "1");
        assert!(!required, "PLUMMER_REQUIRE_DATA is set, but SoftHSM (softhsm2) is not installed");
        eprintln!("SKIPPED: SoftHSM (softhsm2) is not installed, so no token is spoken to");
    }
    found
}
