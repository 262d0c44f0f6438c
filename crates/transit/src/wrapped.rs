//! A wrapped key as the service gives it: `vault:v`, the version of the key, a colon and base64. The
//! prefix is the same in every service that speaks this API.

/// The longest that is kept, which is what the tenant's file has room for.
pub(crate) const BYTES_MAX: usize = keys::TenantFile::WRAPPED_BYTES_MAX;

/// Under which version of the key a tenant's key was wrapped; `None` when it was not wrapped by such a
/// service.
#[must_use]
pub fn version(wrapped: &[u8]) -> Option<u32> {
    if wrapped.len() > BYTES_MAX {
        return None;
    }
    let rest = std::str::from_utf8(wrapped).ok()?.strip_prefix("vault:v")?;
    let (number, sealed) = rest.split_once(':')?;
    let is_base64 = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'/' | b'=');
    let sound = !sealed.is_empty() && sealed.bytes().all(is_base64);
    let plain = number.bytes().all(|b| b.is_ascii_digit()) && !number.starts_with('0');
    number.parse().ok().filter(|_| sound && plain)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_version_is_read_and_nothing_else_passes_for_one() {
        assert_eq!(version(b"vault:v1:AAEC+/8="), Some(1));
        assert_eq!(version(b"vault:v4294967295:QQ=="), Some(u32::MAX));
        for bad in [
            "",
            "vault:",
            "vault:v1",
            "vault:v1:",
            "vault:v0:QQ==",
            "vault:v01:QQ==",
            "vault:v+1:QQ==",
            "vault:v-1:QQ==",
            "vault:v4294967296:QQ==",
            "Vault:v1:QQ==",
            "vault:v1:QQ==\n",
            "vault:v1:Q\u{e9}",
            "bao:v1:QQ==",
        ] {
            assert_eq!(version(bad.as_bytes()), None, "{bad:?}");
        }
        let long = format!("vault:v1:{}", "A".repeat(BYTES_MAX));
        assert_eq!(version(long.as_bytes()), None);
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), n: u32) {
            let _: Option<u32> = version(&bytes);
            let text = format!("vault:v{n}:{}", String::from_utf8_lossy(&bytes));
            prop_assert!(version(text.as_bytes()).is_none_or(|found| found == n));
        }
    }
}
