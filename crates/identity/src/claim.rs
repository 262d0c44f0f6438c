//! The first start: a claim code that is printed once on the server's own console makes the first
//! administrator, and no default password ever exists (45 CFR 164.312(a)(2)(i)). Once there has been
//! an administrator, no claim is ever taken again.

use std::net::IpAddr;

use base::{Fault, Millis};
use serde::{Deserialize, Serialize};

use crate::body::{self, Body};
use crate::code as codes;
use crate::deed::DeedKind;
use crate::identity::Identity;
use crate::kdf::Hash;
use crate::principal::{Kind, Principal, Profile};
use crate::refusal::{Refusal, claim_invalid};
use crate::secret::Secret;
use crate::shelf::{Change, Shelf, ShelfName};

/// The one key of its shelf.
const KEY: &[u8] = b"first";
/// What the back-off counts attempts under: no folded name holds a space.
const BACK_OFF: &str = "the claim";

/// How the claim stands on its shelf: waiting while it has a hash, else spent for ever.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    #[serde(default)]
    waiting: Option<Waiting>,
    /// The site got, or gets, its first administrator under a program that demands second factors.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    demands: bool,
}

impl Stored {
    /// Whether the site began, or begins, under a program that demands second factors.
    fn is_new(before: Option<&Self>) -> bool {
        before.is_none_or(|before| before.demands || before.waiting.is_some())
    }
}

#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Waiting {
    hash: Hash,
    until_ms: i64,
}

impl Body for Stored {
    fn sound(&self) -> bool {
        self.waiting.iter().all(|waiting| waiting.hash.sound())
    }
}

impl Identity {
    /// Draws a claim code, to be printed on the console and nowhere else, or `None` when there has
    /// been an administrator. One drawn before is no longer taken.
    pub fn make_claim(&self) -> Result<Option<Secret>, Fault> {
        if self.load_claim()?.1.is_some_and(|before| before.waiting.is_none()) {
            return Ok(None);
        }
        let code = codes::draw(self.random())?;
        let folded = codes::fold(code.expose()).ok_or_else(claim_invalid)?;
        let slot = self.core.kiln.enter()?;
        let hash = self.core.kiln.hash(&folded, self.random(), &slot)?;
        drop(slot);
        let _writing = self.write();
        let (version, before) = self.load_claim()?;
        if before.is_some_and(|before| before.waiting.is_none()) {
            return Ok(None);
        }
        let until_ms = self.now().0.saturating_add(self.core.settings.claim_ms);
        let body =
            body::encode(&Stored { waiting: Some(Waiting { hash, until_ms }), demands: true })?;
        self.core.ground.shelf.commit(
            vec![Change::put(ShelfName::Claims, KEY, version, body)],
            self.deed(DeedKind::ClaimDrawn, None),
        )?;
        Ok(Some(code))
    }

    /// Whether a claim code was drawn and nobody has administered the site yet: the one state in which a
    /// claim can be taken, and in which there is nothing else to be done here.
    ///
    /// # Errors
    /// When the shelf cannot be read.
    pub fn is_unclaimed(&self) -> Result<bool, Fault> {
        Ok(self.load_claim()?.1.is_some_and(|stored| stored.waiting.is_some()))
    }

    /// Makes the first administrator, with a password, and spends the claim, all in one commit.
    pub fn claim(
        &self,
        typed: &Secret,
        mut profile: Profile,
        password: &Secret,
        source: IpAddr,
    ) -> Result<Principal, Refusal> {
        if !profile.roles.contains(&self.core.settings.administrator_role) {
            profile.roles.push(self.core.settings.administrator_role.clone());
        }
        let nobody = || Ok(None);
        self.counted(self.name_key(BACK_OFF), source, nobody, || {
            let now = self.now();
            let folded = codes::fold(typed.expose()).ok_or_else(claim_invalid)?;
            let (_, stored) = self.load_claim()?;
            let waiting = stored.and_then(|stored| stored.waiting).filter(|w| w.holds(now));
            let slot = self.core.kiln.enter()?;
            let hash = waiting.as_ref().map(|waiting| &waiting.hash);
            let right = self.core.kiln.verify(&folded, hash, &slot)?;
            drop(slot);
            let Some(waiting) = waiting.filter(|_| right) else { return Err(claim_invalid()) };
            let (principal, password) = {
                let (principal, _) = self.prepare(Kind::Person, profile.clone())?;
                let password = self.hashed(&principal, password, false)?;
                (principal, password)
            };
            let _writing = self.write();
            let (_, stored) = self.load_claim()?;
            if stored.and_then(|stored| stored.waiting).is_none_or(|w| w.hash != waiting.hash) {
                return Err(claim_invalid());
            }
            let (principal, mut changes) = self.prepare(Kind::Person, principal.profile)?;
            let key = principal.id.as_bytes();
            changes.push(Change::put(ShelfName::Passwords, key, None, password));
            let deed = self.deed(DeedKind::Claimed, Some(principal.id)).from(source);
            self.core.ground.shelf.commit(changes, deed)?;
            Ok((principal, true))
        })
    }

    /// The change that spends the claim, when a profile makes an administrator and it is not spent.
    pub(crate) fn spend_claim(&self, profile: &Profile) -> Result<Option<Change>, Fault> {
        if !profile.roles.contains(&self.core.settings.administrator_role) {
            return Ok(None);
        }
        let (version, stored) = self.load_claim()?;
        if stored.as_ref().is_some_and(|stored| stored.waiting.is_none()) {
            return Ok(None);
        }
        let demands = Stored::is_new(stored.as_ref());
        let body = body::encode(&Stored { waiting: None, demands })?;
        Ok(Some(Change::put(ShelfName::Claims, KEY, version, body)))
    }

    fn load_claim(&self) -> Result<(Option<u64>, Option<Stored>), Fault> {
        load(self.core.ground.shelf.as_ref())
    }
}

fn load(shelf: &dyn Shelf) -> Result<(Option<u64>, Option<Stored>), Fault> {
    match shelf.get(ShelfName::Claims, KEY)? {
        Some(item) => Ok((Some(item.version), Some(body::decode(&item.body)?))),
        None => Ok((None, None)),
    }
}

/// Whether a site got its first administrator under a program that demands second factors, or has
/// none yet.
pub(crate) fn is_new_site(shelf: &dyn Shelf) -> Result<bool, Fault> {
    Ok(Stored::is_new(load(shelf)?.1.as_ref()))
}

impl Waiting {
    fn holds(&self, now: Millis) -> bool {
        now.0 < self.until_ms
    }
}
