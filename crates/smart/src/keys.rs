//! The public keys of apps (RFC 7517): read from a JWK Set given at registration or fetched from the
//! one address that was registered, chosen by `kid` and kind alone
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/client-confidential-asymmetric.html>).

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, RSA_PKCS1_2048_8192_SHA256,
    RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256,
    RsaPublicKeyComponents, UnparsedPublicKey,
};
use base::{Fault, Millis};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use identity::PrincipalId;
use parking_lot::Mutex;
use serde::Deserialize;
use serde::de::IgnoredAny;
use sha2::{Digest as _, Sha256};

/// Bytes of a key set.
pub const SET_BYTES_MAX: usize = 32 << 10;
/// Keys of a key set.
const KEYS_MAX: usize = 32;
/// Bytes of a key's name.
pub(crate) const KID_BYTES_MAX: usize = 256;
/// Bytes of an RSA modulus: 2048 to 4096 bits.
const MODULUS_BYTES: std::ops::RangeInclusive<usize> = 256..=512;
/// The longest a fetched set is kept, whatever its address says: a key that is taken back is no
/// longer taken after so long.
const KEPT_MAX_MS: i64 = 5 * 60_000;
/// How long it is kept when its address says nothing.
const KEPT_MS: i64 = 60_000;
/// The least between two fetches for names that are not in a set which is good still: whoever makes up
/// names of keys makes this server ask no more often than this.
const UNKNOWN_MS: i64 = 10_000;
/// The least between two fetches for one app: an address may forbid that its set is kept at all, and then
/// nobody makes this server ask more often than this. Whoever comes meanwhile waits for the next fetch
/// and shares it, so that no flood of assertions, which cannot be told from good ones before there are
/// keys, uses up what the app itself needs.
const BETWEEN_MS: i64 = 2000;
/// Waiting at once for the set of one app; each keeps a thread of the server.
const WAITERS_MAX: u32 = 16;
/// After a fetch that failed, the app's address is left alone for so long.
const FAILED_MS: i64 = 30_000;

/// What signs. None of these is symmetric, and no other word is looked up anywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Algorithm {
    /// RSA PKCS#1 v1.5 with SHA-256.
    Rs256,
    /// RSA PKCS#1 v1.5 with SHA-384.
    Rs384,
    /// RSA PKCS#1 v1.5 with SHA-512.
    Rs512,
    /// RSA PSS with SHA-256.
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
    /// ECDSA on P-384 with SHA-384.
    Es384,
}

impl Algorithm {
    /// All, with their names (RFC 7518, 3.1).
    pub const ALL: [(&'static str, Self); 6] = [
        ("RS256", Self::Rs256),
        ("RS384", Self::Rs384),
        ("RS512", Self::Rs512),
        ("PS256", Self::Ps256),
        ("ES256", Self::Es256),
        ("ES384", Self::Es384),
    ];
    /// Those of an app's assertion.
    const OF_ASSERTIONS: [Self; 2] = [Self::Rs384, Self::Es384];

    /// The algorithm of a name.
    pub fn named(text: &str) -> Option<Self> {
        Self::ALL.iter().find(|(name, _)| *name == text).map(|(_, found)| *found)
    }

    /// That of a name which may sign an assertion.
    pub(crate) fn of_assertion(text: &str) -> Option<Self> {
        Self::named(text).filter(|found| Self::OF_ASSERTIONS.contains(found))
    }
}

enum Material {
    Rsa {
        n: Vec<u8>,
        e: Vec<u8>,
    },
    /// An uncompressed point.
    P256(Vec<u8>),
    /// An uncompressed point.
    P384(Vec<u8>),
}

impl Material {
    const fn fits(&self, of: Algorithm) -> bool {
        use Algorithm::{Es256, Es384, Ps256, Rs256, Rs384, Rs512};
        match self {
            Self::Rsa { .. } => matches!(of, Rs256 | Rs384 | Rs512 | Ps256),
            Self::P256(_) => matches!(of, Es256),
            Self::P384(_) => matches!(of, Es384),
        }
    }
}

/// A public key with its name.
struct PublicKey {
    kid: String,
    /// The one algorithm it is for, if it says so.
    only: Option<Algorithm>,
    material: Material,
}

impl PublicKey {
    fn verify(&self, of: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        if !self.is_for(of) {
            return false;
        }
        let rsa = match of {
            Algorithm::Rs256 => &RSA_PKCS1_2048_8192_SHA256,
            Algorithm::Rs384 => &RSA_PKCS1_2048_8192_SHA384,
            Algorithm::Rs512 => &RSA_PKCS1_2048_8192_SHA512,
            _ => &RSA_PSS_2048_8192_SHA256,
        };
        let on_curve = |how, point| UnparsedPublicKey::new(how, point).verify(message, signature);
        let verified = match &self.material {
            Material::Rsa { n, e } => {
                RsaPublicKeyComponents { n, e }.verify(rsa, message, signature)
            }
            Material::P256(point) => on_curve(&ECDSA_P256_SHA256_FIXED, point),
            Material::P384(point) => on_curve(&ECDSA_P384_SHA384_FIXED, point),
        };
        verified.is_ok()
    }

    fn is_for(&self, of: Algorithm) -> bool {
        self.material.fits(of) && self.only.is_none_or(|only| only == of)
    }
}

/// A key set, as far as it can be used here.
pub struct KeySet(Vec<PublicKey>);

impl fmt::Debug for KeySet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeySet({})", self.0.len())
    }
}

#[derive(Deserialize)]
struct RawSet {
    keys: Vec<RawKey>,
}

#[derive(Deserialize)]
struct RawKey {
    kty: String,
    kid: Option<String>,
    #[serde(rename = "use")]
    usage: Option<String>,
    key_ops: Option<Vec<String>>,
    alg: Option<String>,
    crv: Option<String>,
    n: Option<String>,
    e: Option<String>,
    x: Option<String>,
    y: Option<String>,
    d: Option<IgnoredAny>,
    p: Option<IgnoredAny>,
    k: Option<IgnoredAny>,
}

impl KeySet {
    /// Reads a set of an app, as [`KeySet::parse_for`] does.
    pub(crate) fn parse(json: &[u8]) -> Option<Self> {
        Self::parse_for(json, &Algorithm::OF_ASSERTIONS)
    }

    /// Reads a set. Keys that are for none of these algorithms are left out; a secret key in it, or a
    /// set that is none, refuses the whole.
    pub fn parse_for(json: &[u8], algorithms: &[Algorithm]) -> Option<Self> {
        if json.len() > SET_BYTES_MAX {
            return None;
        }
        let set: RawSet = serde_json::from_slice(json).ok()?;
        let secret = |key: &RawKey| key.d.is_some() || key.p.is_some() || key.k.is_some();
        if set.keys.len() > KEYS_MAX || set.keys.iter().any(secret) {
            return None;
        }
        let wanted = |key: &PublicKey| algorithms.iter().any(|of| key.is_for(*of));
        Some(Self(set.keys.into_iter().filter_map(usable).filter(wanted).collect()))
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether a key of this name is in it.
    pub fn knows(&self, kid: &str) -> bool {
        self.0.iter().any(|key| key.kid == kid)
    }

    /// Whether a key of this name and kind verifies the signature.
    pub fn verify(&self, kid: &str, of: Algorithm, message: &[u8], signature: &[u8]) -> bool {
        self.0.iter().any(|key| key.kid == kid && key.verify(of, message, signature))
    }
}

fn usable(key: RawKey) -> Option<PublicKey> {
    let kid = key.kid.filter(|kid| (1..=KID_BYTES_MAX).contains(&kid.len()))?;
    let verifies = key.usage.as_deref().is_none_or(|usage| usage == "sig")
        && key.key_ops.as_ref().is_none_or(|ops| ops.iter().any(|op| op == "verify"));
    let only = match key.alg.as_deref() {
        Some(name) => Some(Algorithm::named(name)?),
        None => None,
    };
    if !verifies {
        return None;
    }
    let bytes = |text: Option<String>| URL_SAFE_NO_PAD.decode(text?).ok();
    let material = match (key.kty.as_str(), key.crv.as_deref()) {
        ("RSA", None) => {
            let (n, e) = (bytes(key.n)?, bytes(key.e)?);
            if !MODULUS_BYTES.contains(&n.len()) || !(1..=8).contains(&e.len()) {
                return None;
            }
            Material::Rsa { n, e }
        }
        ("EC", Some("P-256")) => Material::P256(point(&bytes(key.x)?, &bytes(key.y)?, 32)?),
        ("EC", Some("P-384")) => Material::P384(point(&bytes(key.x)?, &bytes(key.y)?, 48)?),
        _ => return None,
    };
    Some(PublicKey { kid, only, material })
}

/// The uncompressed point of two coordinates of this many bytes.
fn point(x: &[u8], y: &[u8], bytes: usize) -> Option<Vec<u8>> {
    (x.len() == bytes && y.len() == bytes).then(|| [&[4], x, y].concat())
}

/// What was fetched.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fetched {
    /// The body.
    pub body: Vec<u8>,
    /// For how many seconds it may be kept, by its `Cache-Control`; `Some(0)` for `no-store` and
    /// `no-cache`, `None` when nothing is said.
    pub max_age_s: Option<u32>,
}

/// How a registered address is asked for its key set. Whoever implements it sees to it that nothing
/// inside the house is reached: resolve once, pin, deny private ranges, follow no redirect, read at
/// most `bytes_max`, and give up after a few seconds.
pub trait Fetch: Send + Sync + fmt::Debug {
    /// Asks `url` by GET for `application/json`.
    fn get(&self, url: &str, bytes_max: usize) -> Result<Fetched, Fault>;

    /// Lets so many milliseconds pass before an address is asked again.
    fn pause(&self, ms: u64) {
        std::thread::sleep(Duration::from_millis(ms));
    }
}

/// Nothing is fetched: apps whose keys stand at an address cannot prove themselves.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoFetch;

impl Fetch for NoFetch {
    fn get(&self, _url: &str, _bytes_max: usize) -> Result<Fetched, Fault> {
        let say =
            "Addresses of key sets are not asked by this server. Register the key set itself.";
        Err(Fault::new(&base::error::code::NOT_SUPPORTED, say))
    }
}

/// What is known of one app's address.
#[derive(Debug, Default)]
struct Kept {
    /// What was fetched, at what time, and until when it is taken.
    set: Option<(Arc<KeySet>, Millis, Millis)>,
    asked: Option<Asked>,
    /// The names of the keys of the last set, never the keys: what a set says that may not be kept is not,
    /// but a name that was not in it a moment ago is no reason to ask again.
    names: Option<Vec<[u8; 32]>>,
    /// How many fetches have begun.
    begun: u64,
    /// What the last one brought, for those who came before it began; gone with the last of them.
    shared: Option<(u64, Option<Arc<KeySet>>)>,
    /// How many wait.
    waiters: u32,
}

/// How an address was asked.
#[derive(Debug, Clone, Copy)]
struct Asked {
    /// When it was last.
    at: Millis,
    /// Until when it is left alone, after it failed.
    rests: Millis,
}

impl Kept {
    /// The set, as long as it may be taken. A clock that was turned back makes it old.
    fn fresh(&self, now: Millis) -> Option<&Arc<KeySet>> {
        self.set.as_ref().filter(|(_, at, until)| *at <= now && now < *until).map(|(set, ..)| set)
    }

    /// What there is to say without asking; `None` when the address has to be asked.
    fn answer(&self, kid: &str, now: Millis) -> Option<Option<Arc<KeySet>>> {
        let fresh = self.fresh(now);
        let known = fresh.is_some_and(|set| set.knows(kid));
        let since = |at: Millis| now.0.saturating_sub(at.0);
        let waits = self.asked.filter(|asked| asked.at <= now).is_some_and(|asked| {
            let strange = fresh.is_some()
                || self.names.as_ref().is_some_and(|names| !names.contains(&digest(kid)));
            now < asked.rests || (strange && since(asked.at) < UNKNOWN_MS)
        });
        (known || waits).then(|| fresh.cloned())
    }

    /// How long the address is left alone yet.
    fn pause_ms(&self, now: Millis) -> i64 {
        let since = self.asked.map_or(BETWEEN_MS, |asked| now.0.saturating_sub(asked.at.0));
        // One who came before the last fetch began has waited for it, and shares the one after it; a
        // clock that was turned back holds nobody up.
        BETWEEN_MS.saturating_sub(since.max(0)).clamp(0, BETWEEN_MS)
    }

    /// Notes that the address is asked.
    fn ask(&mut self, now: Millis) {
        self.asked = Some(Asked { at: now, rests: now });
        self.begun += 1;
    }
}

fn digest(kid: &str) -> [u8; 32] {
    Sha256::digest(kid).into()
}

/// One app's address, asked by one at a time.
#[derive(Debug, Default)]
struct Slot {
    kept: Mutex<Kept>,
    asking: Mutex<()>,
}

/// One of those who wait for an address.
struct Waiter<'a>(&'a Slot);

impl Drop for Waiter<'_> {
    fn drop(&mut self) {
        let mut kept = self.0.kept.lock();
        kept.waiters = kept.waiters.saturating_sub(1);
        if kept.waiters == 0 {
            kept.shared = None;
        }
    }
}

/// The key sets that were fetched, by app.
#[derive(Debug, Default)]
pub(crate) struct Fetches(Mutex<HashMap<PrincipalId, Arc<Slot>>>);

impl Fetches {
    /// The set of an app, fetched when none is kept or a name in it is not known, as often as one app
    /// may make that happen. It waits for the address; whoever calls it does so where that holds up
    /// nobody else.
    pub(crate) fn set(
        &self,
        fetch: &dyn Fetch,
        app: PrincipalId,
        url: &str,
        kid: &str,
        now: Millis,
    ) -> Option<Arc<KeySet>> {
        let slot = Arc::clone(self.0.lock().entry(app).or_default());
        let (asking, came) = {
            let mut kept = slot.kept.lock();
            if let Some(answer) = kept.answer(kid, now) {
                return answer;
            }
            let asking = slot.asking.try_lock();
            // Somebody asks already, and what is kept is good: a name that is not in it can wait.
            let good = asking.is_none() && kept.fresh(now).is_some();
            if good || kept.waiters >= WAITERS_MAX {
                return kept.fresh(now).cloned();
            }
            kept.waiters += 1;
            (asking, kept.begun)
        };
        let _waiter = Waiter(&slot);
        let _asking = asking.unwrap_or_else(|| slot.asking.lock());
        let pause_ms = {
            let kept = slot.kept.lock();
            // A fetch that began after this one came is as new as one of its own would be.
            if let Some((_, set)) = kept.shared.as_ref().filter(|(begun, _)| *begun > came) {
                return set.clone();
            }
            if let Some(answer) = kept.answer(kid, now) {
                return answer;
            }
            kept.pause_ms(now)
        };
        if pause_ms > 0 {
            fetch.pause(pause_ms.unsigned_abs());
        }
        let now = Millis(now.0.saturating_add(pause_ms));
        slot.kept.lock().ask(now);
        // What others read is not locked meanwhile: another app's keys do not wait for a slow address.
        let fetched = fetch.get(url, SET_BYTES_MAX).ok();
        let found = fetched.and_then(|f| Some((Arc::new(KeySet::parse(&f.body)?), f.max_age_s)));
        let mut kept = slot.kept.lock();
        let Some((set, said_s)) = found else {
            // What was fetched before is taken for as long as it was good for, and no longer.
            kept.asked = Some(Asked { at: now, rests: Millis(now.0.saturating_add(FAILED_MS)) });
            let before = kept.fresh(now).cloned();
            kept.shared = Some((kept.begun, before.clone()));
            return before;
        };
        let said_ms = said_s.map_or(KEPT_MS, |said| i64::from(said).saturating_mul(1000));
        let until = Millis(now.0.saturating_add(said_ms.min(KEPT_MAX_MS)));
        kept.set = (now < until).then(|| (Arc::clone(&set), now, until));
        kept.names = Some(set.0.iter().map(|key| digest(&key.kid)).collect());
        kept.shared = Some((kept.begun, Some(Arc::clone(&set))));
        Some(set)
    }

    /// What was fetched for an app is no longer so: it was registered anew.
    pub(crate) fn forget(&self, app: PrincipalId) {
        self.0.lock().remove(&app);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

    fn rsa(kid: &str, more: &str) -> String {
        let n = URL_SAFE_NO_PAD.encode([0xC5; 256]);
        format!(r#"{{"kty":"RSA","kid":"{kid}","n":"{n}","e":"AQAB"{more}}}"#)
    }

    fn count(keys: &[String]) -> Option<usize> {
        let json = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
        KeySet::parse(json.as_bytes()).map(|set| set.0.len())
    }

    #[test]
    fn only_keys_for_the_two_algorithms_are_used_and_a_secret_one_refuses_the_set() {
        assert_eq!(count(&[rsa("a", "")]), Some(1));
        assert_eq!(
            count(&[rsa("a", r#","use":"sig","alg":"RS384","key_ops":["verify"]"#)]),
            Some(1)
        );
        for more in [
            r#","use":"enc""#,
            r#","alg":"RS256""#,
            r#","alg":"none""#,
            r#","key_ops":["encrypt"]"#,
            r#","crv":"P-384""#,
        ] {
            assert_eq!(count(&[rsa("a", more)]), Some(0), "{more}");
        }
        assert_eq!(count(&[rsa("a", r#","d":"AQAB""#)]), None, "a private key");
        assert_eq!(count(&[r#"{"kty":"oct","kid":"a","k":"AQAB"}"#.into()]), None, "a shared key");
        assert_eq!(count(&[rsa("", "")]), Some(0), "no name");
        assert_eq!(
            count(&[r#"{"kty":"RSA","kid":"a","n":"AQAB","e":"AQAB"}"#.into()]),
            Some(0),
            "short"
        );
        let many: Vec<_> = (0..=KEYS_MAX).map(|n| rsa(&n.to_string(), "")).collect();
        assert_eq!(count(&many), None);
        assert!(KeySet::parse(b"[]").is_none());
        assert!(KeySet::parse(&vec![b' '; SET_BYTES_MAX + 1]).is_none());
    }

    #[derive(Debug, Default)]
    struct Counting {
        calls: AtomicU32,
        kid: Mutex<String>,
        max_age_s: Option<u32>,
        failing: Mutex<bool>,
        slow: bool,
        paused_ms: AtomicU64,
    }

    impl Fetch for Counting {
        fn get(&self, url: &str, _bytes_max: usize) -> Result<Fetched, Fault> {
            self.calls.fetch_add(1, Ordering::SeqCst);
            if *self.failing.lock() {
                return NoFetch.get(url, 0);
            }
            if self.slow {
                std::thread::sleep(Duration::from_millis(50));
            }
            let body = format!(r#"{{"keys":[{}]}}"#, rsa(&self.kid.lock(), ""));
            Ok(Fetched { body: body.into_bytes(), max_age_s: self.max_age_s })
        }

        fn pause(&self, ms: u64) {
            self.paused_ms.fetch_add(ms, Ordering::SeqCst);
        }
    }

    /// Guard 27.
    #[test]
    fn attack_27_a_removed_key_is_forgotten_and_unknown_names_flood_nobody() {
        let fetch = Counting { max_age_s: Some(3600), ..Counting::default() };
        *fetch.kid.lock() = "old".to_owned();
        let (fetches, app) = (Fetches::default(), PrincipalId::new([1; 16]));
        let set = |kid: &str, at: i64| fetches.set(&fetch, app, "https://a/jwks", kid, Millis(at));
        assert!(set("old", 0).is_some_and(|set| set.knows("old")));
        *fetch.kid.lock() = "new".to_owned();
        assert!(set("old", KEPT_MAX_MS - 1).is_some_and(|set| set.knows("old")));
        assert_eq!(fetch.calls.load(Ordering::SeqCst), 1, "kept");
        // A name that is not known asks again, which brings the rotated key at once.
        assert!(set("new", KEPT_MAX_MS - 1).is_some_and(|set| set.knows("new")));
        assert!(!set("old", KEPT_MAX_MS - 1).is_some_and(|set| set.knows("old")));
        let later = KEPT_MAX_MS * 3;
        assert!(!set("old", later).is_some_and(|set| set.knows("old")));
        let before = fetch.calls.load(Ordering::SeqCst);
        for n in 0..100 {
            let _ = set(&format!("unknown-{n}"), later + n * UNKNOWN_MS / 100);
        }
        assert_eq!(fetch.calls.load(Ordering::SeqCst), before, "once in an interval");
        assert!(!set("unknown", later + UNKNOWN_MS).is_some_and(|set| set.knows("unknown")));
        assert_eq!(fetch.calls.load(Ordering::SeqCst), before + 1);
        assert!(set("new", later + UNKNOWN_MS + 1).is_some_and(|set| set.knows("new")));
    }

    #[test]
    fn a_set_is_kept_as_long_as_its_address_says_and_no_longer_than_the_ceiling() {
        for (said_s, kept_ms) in
            [(Some(1), 1000), (Some(45), 45_000), (None, KEPT_MS), (Some(u32::MAX), KEPT_MAX_MS)]
        {
            let fetch = Counting { max_age_s: said_s, ..Counting::default() };
            *fetch.kid.lock() = "a".to_owned();
            let (fetches, app) = (Fetches::default(), PrincipalId::new([1; 16]));
            for (at, calls) in [(0, 1), (kept_ms - 1, 1), (kept_ms, 2), (-1, 3)] {
                assert!(fetches.set(&fetch, app, "https://a/jwks", "a", Millis(at)).is_some());
                assert_eq!(fetch.calls.load(Ordering::SeqCst), calls, "{said_s:?} at {at}");
            }
        }
    }

    #[test]
    fn what_may_not_be_kept_is_not_and_still_floods_nobody() {
        let fetch = Counting { max_age_s: Some(0), ..Counting::default() };
        *fetch.kid.lock() = "a".to_owned();
        let (fetches, app) = (Fetches::default(), PrincipalId::new([1; 16]));
        let set = |at: i64| fetches.set(&fetch, app, "https://a/jwks", "a", Millis(at)).is_some();
        let paused = || fetch.paused_ms.load(Ordering::SeqCst);
        assert!(set(0) && set(BETWEEN_MS));
        assert_eq!((fetch.calls.load(Ordering::SeqCst), paused()), (2, 0));
        assert!(set(BETWEEN_MS + 500), "it waits rather than being refused");
        assert_eq!((fetch.calls.load(Ordering::SeqCst), paused()), (3, 1500));
        let slot = Arc::clone(&fetches.0.lock()[&app]);
        let kept = slot.kept.lock();
        assert!(kept.set.is_none() && kept.shared.is_none(), "nothing of it is kept");
    }

    #[test]
    fn a_flood_of_assertions_starves_nobody_whose_set_may_not_be_kept() {
        let fetch = Counting { max_age_s: Some(0), slow: true, ..Counting::default() };
        *fetch.kid.lock() = "a".to_owned();
        let (fetches, app) = (Fetches::default(), PrincipalId::new([1; 16]));
        let set = |kid: &str, at: i64| fetches.set(&fetch, app, "https://a/jwks", kid, Millis(at));
        assert!(set("a", 0).is_some());
        // Names that were not in the set a moment ago are refused without asking.
        for n in 0..100 {
            assert!(set(&format!("unknown-{n}"), 1 + n).is_none());
        }
        assert_eq!(fetch.calls.load(Ordering::SeqCst), 1);
        // Those who know the name come together, the app among them: all share one fetch.
        std::thread::scope(|scope| {
            let all: Vec<_> =
                (0..12).map(|n| scope.spawn(move || set("a", 5000 + n).is_some())).collect();
            assert!(all.into_iter().all(|one| one.join().expect("joined")));
        });
        let calls = fetch.calls.load(Ordering::SeqCst);
        assert!((2..=4).contains(&calls), "{calls} fetches");
        assert!(set("a", 5100).is_some(), "and the app is answered afterwards as well");
        // A key that is changed is taken, once the name has been unknown for a while.
        *fetch.kid.lock() = "b".to_owned();
        assert!(set("b", 5100 + BETWEEN_MS + UNKNOWN_MS).is_some_and(|set| set.knows("b")));
    }

    #[test]
    fn an_address_that_failed_is_left_alone_and_what_it_said_ends() {
        let fetch = Counting { max_age_s: Some(60), ..Counting::default() };
        *fetch.kid.lock() = "a".to_owned();
        let (fetches, app) = (Fetches::default(), PrincipalId::new([1; 16]));
        let set = |kid: &str, at: i64| {
            fetches
                .set(&fetch, app, "https://a/jwks", kid, Millis(at))
                .is_some_and(|s| s.knows(kid))
        };
        assert!(set("a", 0));
        *fetch.failing.lock() = true;
        assert!(!set("b", 50_000));
        assert!(set("a", 50_001), "what was fetched is good for its time");
        assert!(!set("a", 60_000), "and no longer");
        assert_eq!(fetch.calls.load(Ordering::SeqCst), 2);
        assert!(!set("a", 50_000 + FAILED_MS - 1));
        assert_eq!(fetch.calls.load(Ordering::SeqCst), 2, "left alone");
        *fetch.failing.lock() = false;
        assert!(set("a", 50_000 + FAILED_MS));
        assert_eq!(fetch.calls.load(Ordering::SeqCst), 3);
    }

    #[test]
    fn many_at_once_ask_once() {
        let fetch = Counting { slow: true, ..Counting::default() };
        *fetch.kid.lock() = "a".to_owned();
        let (fetches, app) = (Fetches::default(), PrincipalId::new([1; 16]));
        let ask = || fetches.set(&fetch, app, "https://a/jwks", "a", Millis(0));
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(|| assert!(ask().is_some_and(|set| set.knows("a"))));
            }
        });
        assert_eq!(fetch.calls.load(Ordering::SeqCst), 1);
    }

    proptest! {
        #[test]
        fn any_bytes_are_a_set_or_refused(
            bytes in prop_oneof![
                proptest::collection::vec(any::<u8>(), 0..200),
                "\\{\"keys\":\\[(\\{\"kty\":\"(RSA|EC)\",\"kid\":\"a\",\"[nexy]\":\"[A-Za-z0-9_-]{0,20}\"\\})?\\]\\}".prop_map(String::into_bytes),
            ],
        ) {
            if let Some(set) = KeySet::parse(&bytes) {
                prop_assert!(!set.verify("a", Algorithm::Rs384, b"message", b"signature"));
                prop_assert!(!set.verify("a", Algorithm::Es384, b"message", &[0; 96]));
            }
        }
    }
}
