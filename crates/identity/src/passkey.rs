//! Passkeys: keys of an authenticator that are made for one web site and show that their owner was
//! verified (W3C Web Authentication Level 3; 45 CFR 164.312(d); NIST SP 800-63B 5.1.9, phishing
//! resistance). For whom they are, how they are kept, and what is asked of a browser; its answer is
//! judged in `webauthn.rs`.

use std::fmt;

use base::{Fault, Millis};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::{Value, json};

use crate::body;
use crate::principal::{PrincipalId, Profile, invalid, printable};
use crate::refusal::refused;
use crate::secret::Secret;
use crate::webauthn::{self, ALGORITHMS, CREDENTIAL_BYTES_MAX, KEY_BYTES_MAX, Wanted};

/// Bytes of a passkey's name.
pub const PASSKEY_NAME_BYTES_MAX: usize = 64;
/// Passkeys of one principal. Each takes 3,100 bytes at most, so all factors fit an item.
pub const PASSKEYS_MAX: usize = 10;
/// Bytes of a host's name (RFC 1035, 2.3.4).
const HOST_BYTES_MAX: usize = 253;

/// For whom passkeys are: the origin of this server, as browsers know it. A passkey that was made for
/// another one shows nothing here, which is what makes it useless to a site that looks like this one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Party {
    /// As browsers write it: lower case, without the port that the scheme has anyway.
    origin: String,
    /// The host's name.
    id: String,
}

impl Party {
    /// The party at an origin, such as `https://ehr.example`. `None` where browsers offer no
    /// passkeys: at an address of numbers, and without TLS anywhere but at `localhost`.
    pub fn of(origin: &str) -> Option<Self> {
        let origin = origin.to_ascii_lowercase();
        let (scheme, rest) = origin.split_once("://")?;
        let (host, port) = match rest.split_once(':') {
            Some((host, port)) => (host, Some(port.parse::<u16>().ok()?)),
            None => (rest, None),
        };
        let usual = match scheme {
            "https" => 443,
            "http" if host == "localhost" || host.ends_with(".localhost") => 80,
            _ => return None,
        };
        if !is_host(host) {
            return None;
        }
        let origin = match port.filter(|port| *port != usual) {
            Some(port) => format!("{scheme}://{host}:{port}"),
            None => format!("{scheme}://{host}"),
        };
        Some(Self { origin, id: host.to_owned() })
    }

    /// The name that passkeys are bound to.
    pub fn id(&self) -> &str {
        &self.id
    }

    fn wants<'a>(&'a self, challenge: &'a [u8; 32]) -> Wanted<'a> {
        Wanted { origin: &self.origin, party: &self.id, challenge }
    }
}

/// Whether it is a name, in the letters that it is looked up by, and no number.
fn is_host(host: &str) -> bool {
    let fits = |c: u8| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-';
    let label = |label: &str| {
        (1..=63).contains(&label.len()) && label.bytes().all(fits) && !label.starts_with('-')
    };
    let last = host.rsplit('.').next().unwrap_or_default();
    host.len() <= HOST_BYTES_MAX
        && host.split('.').all(label)
        && last.starts_with(|c: char| c.is_ascii_lowercase())
}

/// Which passkey; it is shown in lists and is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct PasskeyId(pub(crate) [u8; 16]);

impl PasskeyId {
    /// Reads the canonical text.
    pub fn parse(text: &str) -> Option<Self> {
        base::id::uuid_bytes(text).map(Self)
    }
}

impl fmt::Display for PasskeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base::id::uuid_text(&self.0))
    }
}

impl fmt::Debug for PasskeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A passkey, as lists show it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasskeyInfo {
    /// Which.
    pub id: PasskeyId,
    /// What its owner calls it.
    pub name: String,
    /// The host it is bound to.
    pub party: String,
    /// Since when.
    pub since: Millis,
    /// When it was last shown.
    pub used: Option<Millis>,
}

/// What is asked of a browser: `options` for its credentials, and a handle to be sent back with what
/// it answers. It opens nothing by itself, and is taken once.
#[derive(Debug, Clone)]
pub struct Asked {
    /// To be sent back.
    pub handle: Secret,
    /// JSON of `CredentialCreationOptions` or `CredentialRequestOptions`, bytes as base64url.
    pub options: String,
    /// Until when.
    pub until: Millis,
}

/// A passkey as it stands among the factors.
#[derive(Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Kept {
    #[serde(with = "body::bytes")]
    pub(crate) id: [u8; 16],
    pub(crate) name: String,
    pub(crate) party: String,
    /// What the authenticator knows it by.
    #[serde(serialize_with = "write", deserialize_with = "unpack")]
    pub(crate) credential: Vec<u8>,
    /// The public key, in the form of COSE.
    #[serde(serialize_with = "write", deserialize_with = "unpack")]
    key: Vec<u8>,
    /// How often it was shown, where the authenticator counts.
    counter: u32,
    /// Whether it may be copied to other devices.
    eligible: bool,
    pub(crate) since_ms: i64,
    #[serde(default)]
    pub(crate) used_ms: Option<i64>,
}

impl fmt::Debug for Kept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Kept").field("since_ms", &self.since_ms).finish_non_exhaustive()
    }
}

impl Kept {
    pub(crate) fn info(&self) -> PasskeyInfo {
        PasskeyInfo {
            id: PasskeyId(self.id),
            name: self.name.clone(),
            party: self.party.clone(),
            since: Millis(self.since_ms),
            used: self.used_ms.map(Millis),
        }
    }

    pub(crate) fn sound(&self) -> bool {
        is_name(&self.name)
            && is_host(&self.party)
            && (1..=CREDENTIAL_BYTES_MAX).contains(&self.credential.len())
            && self.key.len() <= KEY_BYTES_MAX
    }
}

/// Refuses what cannot be the name of a passkey.
pub(crate) fn named(name: &str) -> Result<String, Fault> {
    let name = name.trim();
    if is_name(name) {
        return Ok(name.to_owned());
    }
    Err(invalid("name", "Give the passkey a name of 1 to 64 bytes, such as the device it is on."))
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && printable(name, PASSKEY_NAME_BYTES_MAX)
}

/// What a browser was asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ask {
    Make,
    Show,
}

/// The options that ask for a new passkey. None that is there already is made again on the same
/// authenticator. One that the authenticator finds by itself is preferred, for it signs its owner in
/// without a password; any other is a second factor.
pub(crate) fn making(
    (party, issuer, timeout_ms): (&Party, &str, i64),
    (id, profile): (PrincipalId, &Profile),
    there: &[&Kept],
    challenge: &[u8; 32],
) -> String {
    let algorithms = ALGORITHMS.map(|number| json!({ "type": "public-key", "alg": number }));
    let asked = json!({ "publicKey": {
        "rp": { "id": party.id, "name": issuer },
        "user": {
            "id": URL_SAFE_NO_PAD.encode(id.as_bytes()),
            "name": profile.name,
            "displayName": profile.display,
        },
        "challenge": URL_SAFE_NO_PAD.encode(challenge),
        "pubKeyCredParams": algorithms,
        "timeout": timeout_ms,
        "excludeCredentials": credentials(there),
        "authenticatorSelection": {
            "residentKey": "preferred",
            "requireResidentKey": false,
            "userVerification": "required",
        },
        "attestation": "none",
    } });
    asked.to_string()
}

/// The options that ask for one of these, or for any that the browser finds.
pub(crate) fn showing(
    (party, _, timeout_ms): (&Party, &str, i64),
    there: &[&Kept],
    challenge: &[u8; 32],
) -> String {
    let asked = json!({ "publicKey": {
        "challenge": URL_SAFE_NO_PAD.encode(challenge),
        "timeout": timeout_ms,
        "rpId": party.id,
        "allowCredentials": credentials(there),
        "userVerification": "required",
    } });
    asked.to_string()
}

fn credentials(there: &[&Kept]) -> Value {
    let one = |kept: &&Kept| json!({ "type": "public-key", "id": URL_SAFE_NO_PAD.encode(&kept.credential) });
    there.iter().map(one).collect()
}

/// The passkey that was made, if it is what was asked for.
pub(crate) fn made(
    party: &Party,
    challenge: &[u8; 32],
    answer: &Secret,
    (id, name, now): ([u8; 16], String, Millis),
) -> Result<Kept, Fault> {
    let made = webauthn::made(answer.expose(), party.wants(challenge)).ok_or_else(refused)?;
    Ok(Kept {
        id,
        name,
        party: party.id.clone(),
        credential: made.credential,
        key: made.key,
        counter: made.counter,
        eligible: made.eligible,
        since_ms: now.0,
        used_ms: None,
    })
}

/// What a browser says it shows, not yet judged.
pub(crate) struct Shown(webauthn::Shown);

impl Shown {
    pub(crate) fn read(answer: &Secret) -> Result<Self, Fault> {
        webauthn::shown(answer.expose()).map(Self).ok_or_else(refused)
    }

    /// Whose it says it is.
    pub(crate) fn owner(&self) -> Option<PrincipalId> {
        let said = self.0.owner.as_deref()?;
        said.try_into().ok().map(PrincipalId::new)
    }

    /// What the back-off knows it by.
    pub(crate) fn key(&self) -> String {
        format!("passkey {}", URL_SAFE_NO_PAD.encode(&self.0.credential))
    }

    /// Whether it says it belongs to somebody else.
    pub(crate) fn denies(&self, id: PrincipalId) -> bool {
        self.0.owner.as_deref().is_some_and(|said| said != id.as_bytes())
    }

    pub(crate) fn is(&self, kept: &Kept) -> bool {
        kept.credential == self.0.credential
    }

    /// Whether it is right for this key, which then has its new counter.
    pub(crate) fn proves(
        &self,
        party: &Party,
        challenge: &[u8; 32],
        kept: &mut Kept,
        now: Millis,
    ) -> bool {
        let (wanted, counter) = (party.wants(challenge), kept.counter);
        let judged = self.0.judge(wanted, &kept.key, counter, kept.eligible);
        let Some(counter) = judged.filter(|_| kept.party == party.id) else { return false };
        kept.counter = counter;
        kept.used_ms = Some(now.0);
        true
    }
}

fn write<S: Serializer>(bytes: &[u8], to: S) -> Result<S::Ok, S::Error> {
    to.serialize_str(&URL_SAFE_NO_PAD.encode(bytes))
}

fn unpack<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<u8>, D::Error> {
    let text = String::deserialize(from)?;
    URL_SAFE_NO_PAD.decode(text).map_err(serde::de::Error::custom)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The worked example of `docs/internals/identity.md`.
    #[test]
    fn the_worked_example_holds() {
        let kept = Kept {
            id: [0x22; 16],
            name: "Phone".to_owned(),
            party: "ehr.example".to_owned(),
            credential: vec![1, 2, 3],
            key: vec![0xA0],
            counter: 7,
            eligible: false,
            since_ms: 1_795_340_467_000,
            used_ms: None,
        };
        let text = r#"{"id":"IiIiIiIiIiIiIiIiIiIiIg","name":"Phone","party":"ehr.example","credential":"AQID","key":"oA","counter":7,"eligible":false,"since_ms":1795340467000,"used_ms":null}"#;
        assert_eq!(serde_json::to_string(&kept).expect("text"), text);
        assert!(serde_json::from_str::<Kept>(text).expect("a passkey").sound());
    }

    #[test]
    fn a_party_is_a_name_with_tls_or_this_machine() {
        for (origin, id, written) in [
            ("https://ehr.example", "ehr.example", "https://ehr.example"),
            ("https://EHR.example:443", "ehr.example", "https://ehr.example"),
            ("https://ehr.example:8443", "ehr.example", "https://ehr.example:8443"),
            ("http://localhost:8080", "localhost", "http://localhost:8080"),
            ("http://clinic.localhost:80", "clinic.localhost", "http://clinic.localhost"),
        ] {
            let party = Party::of(origin).expect(origin);
            assert_eq!((party.id(), &*party.origin), (id, written));
        }
        for origin in [
            "http://ehr.example",
            "https://192.0.2.7",
            "http://127.0.0.1:8080",
            "https://[::1]",
            "http://localhost.example",
            "https://ehr.example:port",
            "https://ehr_example",
            "https://ehr..example",
            "https://klinik\u{fc}.example",
            "https://ehr.example@evil.example",
            "ehr.example",
            "",
        ] {
            assert_eq!(Party::of(origin), None, "{origin}");
        }
    }

    #[test]
    fn a_passkey_has_a_name_that_can_be_shown() {
        assert_eq!(named("  Phone ").expect("a name"), "Phone");
        for bad in ["", "  ", "a\nb", &"x".repeat(65)] {
            assert!(named(bad).is_err(), "{bad:?}");
        }
    }
}
