//! What is handed out as a text and kept as its SHA-256: access tokens, refresh tokens, codes,
//! handles of launches and of requests that wait for their user (RFC 6749, 10.3 to 10.5; RFC 6750,
//! 5.2). Each kind begins differently, so none can be used as another.

use std::fmt;

use base::Fault;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::{CryptoRandom, Key, Secret};
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;
use zeroize::{Zeroize as _, Zeroizing};

use crate::grant::GrantId;

/// What a text is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Use {
    /// Calling the API.
    Access,
    /// Asking for the next access token.
    Refresh,
    /// Trading in at the token endpoint, once.
    Code,
    /// Naming what the EHR showed when it started the app.
    Launch,
    /// Naming a request that waits for its user.
    Request,
    /// Proving a confidential app, as its password.
    AppSecret,
    /// Knowing a browser again before anybody has signed in.
    Browser,
}

impl Use {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Access => "pla_",
            Self::Refresh => "plr_",
            Self::Code => "plc_",
            Self::Launch => "pll_",
            Self::Request => "plq_",
            Self::AppSecret => "pls_",
            Self::Browser => "plb_",
        }
    }
}

/// Whether a text looks like an access token of an app rather than one of a session.
pub fn is_access(text: &str) -> bool {
    text.starts_with(Use::Access.prefix())
}

/// The text of `bytes`, for its holder.
fn print(of: Use, bytes: &[u8]) -> Secret {
    let mut text = String::with_capacity(80);
    text.push_str(of.prefix());
    URL_SAFE_NO_PAD.encode_string(bytes, &mut text);
    Secret::new(text)
}

fn read<const N: usize>(of: Use, text: &str) -> Option<Zeroizing<[u8; N]>> {
    let text = text.strip_prefix(of.prefix())?;
    if text.len() != (N * 4).div_ceil(3) {
        return None;
    }
    // The engine takes one text for each value: bits left over must be zero.
    let bytes = Zeroizing::new(URL_SAFE_NO_PAD.decode(text).ok()?);
    bytes.as_slice().try_into().ok().map(Zeroizing::new)
}

/// Draws a text and says what is kept of it.
pub(crate) fn draw(of: Use, random: &dyn CryptoRandom) -> Result<(Secret, Digest), Fault> {
    let key = Key::<32>::draw(random)?;
    let digest = Digest::of(key.expose());
    Ok((print(of, key.expose()), digest))
}

/// What is kept of a text, if it has the form of its kind.
pub(crate) fn digest(of: Use, text: &str) -> Option<Digest> {
    read::<32>(of, text).map(|bytes| Digest::of(bytes.as_slice()))
}

/// A refresh token, which names its grant so that all of a family are found together.
pub(crate) fn draw_refresh(
    grant: GrantId,
    random: &dyn CryptoRandom,
) -> Result<(Secret, Digest), Fault> {
    let key = Key::<32>::draw(random)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(48));
    bytes.extend_from_slice(&grant.0);
    bytes.extend_from_slice(key.expose());
    Ok((print(Use::Refresh, &bytes), Digest::of(&bytes)))
}

/// Which grant a refresh token is of, and what is kept of it.
pub(crate) fn refresh(text: &str) -> Option<(GrantId, Digest)> {
    let mut bytes = read::<48>(Use::Refresh, text)?;
    let grant = bytes.first_chunk::<16>().copied()?;
    let digest = Digest::of(bytes.as_slice());
    bytes.zeroize();
    Some((GrantId(grant), digest))
}

/// The SHA-256 of a text's bytes.
#[derive(Clone, Copy)]
pub(crate) struct Digest(pub(crate) [u8; 32]);

impl Digest {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }
}

impl PartialEq for Digest {
    fn eq(&self, other: &Self) -> bool {
        self.0.ct_eq(&other.0).into()
    }
}

impl Eq for Digest {}

/// What equality looks at, at once.
impl std::hash::Hash for Digest {
    fn hash<H: std::hash::Hasher>(&self, state: &mut H) {
        state.write(&self.0);
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹secret›")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const ALL: [Use; 7] = [
        Use::Access,
        Use::Refresh,
        Use::Code,
        Use::Launch,
        Use::Request,
        Use::AppSecret,
        Use::Browser,
    ];

    #[test]
    fn a_text_of_one_kind_is_none_of_another() {
        for of in ALL {
            let text = print(of, &[7; 32]);
            for other in ALL {
                assert_eq!(digest(other, text.expose()).is_some(), of == other, "{of:?} {other:?}");
            }
        }
    }

    #[test]
    fn there_is_one_text_for_each_value() {
        let good = print(Use::Code, &[0xA5; 32]).expose().to_owned();
        let taken = ('A'..='Z')
            .chain('a'..='z')
            .chain('0'..='9')
            .map(|c| format!("{}{c}", &good[..good.len() - 1]))
            .filter(|text| digest(Use::Code, text).is_some())
            .filter(|text| digest(Use::Code, text) == digest(Use::Code, &good));
        assert_eq!(taken.count(), 1);
        assert_eq!(digest(Use::Code, &format!("{good}=")), None);
        assert_eq!(format!("{:?}", digest(Use::Code, &good)), "Some(‹secret›)");
    }

    #[test]
    fn a_refresh_token_names_its_grant() {
        let bytes: Vec<u8> = (0..48).collect();
        let (grant, kept) = refresh(print(Use::Refresh, &bytes).expose()).expect("read");
        assert_eq!(grant.0.as_slice(), &bytes[..16]);
        assert_eq!(kept, Digest::of(&bytes));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in "(pl[arclqsb]_)?.{0,70}") {
            let _ = refresh(&text);
            for of in ALL {
                let _ = digest(of, &text);
            }
        }
    }
}
