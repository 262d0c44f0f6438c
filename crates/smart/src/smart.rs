//! The one object that holds the authorization server together: what it stands on, and what it keeps
//! in memory. What it can do stands in the files of each feature.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use base::{Clock, Fault, Millis};
use identity::{
    Asker, By, CryptoRandom, Deed, DeedKind, Identity, IssuerName, Principal, PrincipalId,
    SessionId, Shelf, Watch,
};
use parking_lot::{Mutex, MutexGuard, RwLock};

use crate::app::App;
use crate::authorize::{Coded, Pending};
use crate::families::{Families, Family};
use crate::form::FormKey;
use crate::grant::ByIssuer;
use crate::keys::{Fetch, Fetches};
use crate::launch::Launch;
use crate::signing::SigningKeys;
use crate::token::Digest;

const MINUTE_MS: i64 = 60_000;
const DAY_MS: i64 = 24 * 60 * MINUTE_MS;
/// How long it is believed that a principal may act before it is looked up again: what is disabled
/// has to end everywhere within five seconds.
const BELIEVED_MS: i64 = 1000;
/// Principals remembered.
const BELIEVED_MAX: usize = 100_000;

/// What the authorization server stands on.
#[derive(Debug, Clone)]
pub struct Ground {
    /// Where it keeps things.
    pub shelf: Arc<dyn Shelf>,
    /// Who there is.
    pub identity: Arc<Identity>,
    /// What tells it the time.
    pub clock: Arc<dyn Clock>,
    /// Where its tokens come from.
    pub random: Arc<dyn CryptoRandom>,
    /// How it asks registered addresses for key sets.
    pub fetch: Arc<dyn Fetch>,
}

/// What a site may decide. Times are milliseconds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// How long an access token of a user's grant is good.
    pub access_ms: i64,
    /// How long one of a service is; at most five minutes.
    pub service_access_ms: i64,
    /// How long a code may wait to be traded in.
    pub code_ms: i64,
    /// How long a user may look at the approval page.
    pub request_ms: i64,
    /// How long a launch may wait for its app.
    pub launch_ms: i64,
    /// For how long after its last use a grant can be refreshed. The ONC's test procedure of
    /// 170.315(g)(10) asks for three months at least.
    pub refresh_ms: i64,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            access_ms: 15 * MINUTE_MS,
            service_access_ms: 5 * MINUTE_MS,
            code_ms: MINUTE_MS,
            request_ms: 10 * MINUTE_MS,
            launch_ms: 5 * MINUTE_MS,
            refresh_ms: 100 * DAY_MS,
        }
    }
}

impl Settings {
    /// Refuses what makes no sense, by the name of the setting.
    pub fn check(&self) -> Result<(), Fault> {
        for (name, value, max) in [
            ("access_ms", self.access_ms, 60 * MINUTE_MS),
            ("service_access_ms", self.service_access_ms, 5 * MINUTE_MS),
            ("code_ms", self.code_ms, MINUTE_MS),
            ("request_ms", self.request_ms, 60 * MINUTE_MS),
            ("launch_ms", self.launch_ms, 60 * MINUTE_MS),
            ("refresh_ms", self.refresh_ms, 366 * DAY_MS),
        ] {
            if !(1000..=max).contains(&value) {
                let say = "Give a time of a second at least and within what its page says.";
                return Err(crate::address::wrong(name, say));
            }
        }
        Ok(())
    }
}

/// The authorization server.
///
/// There is one for a shelf. It may be shared between threads; it starts none and opens no file.
pub struct Smart {
    pub(crate) ground: Ground,
    pub(crate) settings: Settings,
    pub(crate) apps: RwLock<HashMap<PrincipalId, Arc<App>>>,
    pub(crate) families: Families,
    /// Ended in memory, and not on the shelf yet, because the disk refused; in whose name.
    pub(crate) unended: Mutex<Vec<(By, Family)>>,
    /// Requests that wait for their user.
    pub(crate) pending: Mutex<HashMap<Digest, Pending>>,
    /// Codes that wait for their app.
    pub(crate) codes: Mutex<HashMap<Digest, Coded>>,
    /// What the EHR showed when it started an app.
    pub(crate) launches: Mutex<HashMap<Digest, Launch>>,
    pub(crate) fetches: Fetches,
    pub(crate) signing: SigningKeys,
    pub(crate) form_key: FormKey,
    /// The sessions that delegations were given in.
    pub(crate) watches: RwLock<HashMap<SessionId, Watch>>,
    believed: RwLock<HashMap<PrincipalId, (Millis, Arc<Principal>)>>,
    /// Who has a second factor, believed for as long.
    holders: RwLock<HashMap<PrincipalId, (Millis, bool)>>,
    /// Held from the reading of an item to the change of memory that follows its commit.
    writing: Mutex<()>,
}

impl fmt::Debug for Smart {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Smart").field("apps", &self.apps.read().len()).finish_non_exhaustive()
    }
}

impl Smart {
    /// Reads apps and grants from the shelf and is ready.
    pub fn open(ground: Ground, settings: Settings) -> Result<Self, Fault> {
        settings.check()?;
        let smart = Self {
            form_key: FormKey::draw(ground.random.as_ref())?,
            ground,
            settings,
            apps: RwLock::default(),
            families: Families::default(),
            unended: Mutex::default(),
            pending: Mutex::default(),
            codes: Mutex::default(),
            launches: Mutex::default(),
            fetches: Fetches::default(),
            signing: SigningKeys::default(),
            watches: RwLock::default(),
            believed: RwLock::default(),
            holders: RwLock::default(),
            writing: Mutex::new(()),
        };
        smart.load_apps()?;
        smart.load_families()?;
        Ok(smart)
    }

    /// Whose sign-ins it stands on.
    pub fn identity(&self) -> &Identity {
        &self.ground.identity
    }

    /// What it was opened with.
    pub const fn settings(&self) -> &Settings {
        &self.settings
    }

    pub(crate) fn now(&self) -> Millis {
        self.ground.clock.now()
    }

    pub(crate) fn random(&self) -> &dyn CryptoRandom {
        self.ground.random.as_ref()
    }

    /// Changes are made one after the other: what was read stays true until memory has followed.
    pub(crate) fn write(&self) -> MutexGuard<'_, ()> {
        self.writing.lock()
    }

    /// What is told to the access log of a change.
    pub(crate) const fn deed(kind: DeedKind, by: By, upon: Option<PrincipalId>) -> Deed {
        let asker = Asker { by, request: [0; 16], source: None };
        Deed { kind, asker, upon, ..Deed::UPKEEP }
    }

    /// A principal, if there is one and it may act; as of a second ago at most.
    pub(crate) fn able(&self, id: PrincipalId) -> Result<Option<Arc<Principal>>, Fault> {
        let now = self.now();
        let fresh = |at: Millis| (0..BELIEVED_MS).contains(&now.0.saturating_sub(at.0));
        if let Some((at, principal)) = self.believed.read().get(&id)
            && fresh(*at)
        {
            return Ok(Some(Arc::clone(principal)).filter(|p| p.disabled.is_none()));
        }
        self.able_now(id)
    }

    /// A principal, if there is one and it may act; as of now.
    pub(crate) fn able_now(&self, id: PrincipalId) -> Result<Option<Arc<Principal>>, Fault> {
        let read = match self.ground.identity.principal(id) {
            Ok(principal) => principal,
            Err(fault) if fault.code() == &base::error::code::PRINCIPAL_NOT_FOUND => {
                return Ok(None);
            }
            Err(fault) => return Err(fault),
        };
        let mut believed = self.believed.write();
        // The same principal is handed out as long as nothing about it changes.
        let known = believed.get(&id).filter(|(_, known)| **known == read);
        let principal = known.map_or_else(|| Arc::new(read), |(_, known)| Arc::clone(known));
        if believed.len() >= BELIEVED_MAX {
            believed.clear();
        }
        believed.insert(id, (self.now(), Arc::clone(&principal)));
        Ok(Some(principal).filter(|p| p.disabled.is_none()))
    }

    /// Whether a user may still give what they gave: they may act, and have the second factor that their
    /// role demands.
    pub(crate) fn may_give(&self, user: PrincipalId, by: Option<ByIssuer>) -> Result<bool, Fault> {
        match self.able(user)? {
            Some(user) => self.has_factors(&user, by),
            None => Ok(false),
        }
    }

    /// Whether a user has the second factor that their role demands: here, or at the issuer by whose
    /// word they were signed in when they gave something. As of a second ago at most.
    pub(crate) fn has_factors(
        &self,
        user: &Principal,
        by: Option<ByIssuer>,
    ) -> Result<bool, Fault> {
        let identity = &self.ground.identity;
        if by.is_some_and(|by| by.two_factors) || !identity.demands(user) {
            return Ok(true);
        }
        let now = self.now();
        let fresh = |at: Millis| (0..BELIEVED_MS).contains(&now.0.saturating_sub(at.0));
        if let Some((at, holds)) = self.holders.read().get(&user.id)
            && fresh(*at)
        {
            return Ok(*holds);
        }
        let holds = identity.holds_factor(user.id)?;
        let mut holders = self.holders.write();
        if holders.len() >= BELIEVED_MAX {
            holders.clear();
        }
        holders.insert(user.id, (now, holds));
        Ok(holds)
    }

    /// Ends what users gave when an issuer vouched for them that is none of these; how much.
    pub fn revoke_issuers_but(&self, known: &[IssuerName]) -> Result<usize, Fault> {
        self.revoke_where(|grant| grant.issuer.is_some_and(|by| !known.contains(&by.name)))
    }

    /// Forgets what is over: requests, codes, launches, used assertions, and grants that can no
    /// longer be refreshed; how many grants. To be called every few minutes.
    pub fn sweep(&self) -> Result<usize, Fault> {
        let now = self.now();
        self.pending.lock().retain(|_, pending| now < pending.until);
        self.codes.lock().retain(|_, coded| now < coded.until);
        self.launches.lock().retain(|_, launch| now < launch.until);
        self.sweep_delegations()?;
        self.sweep_assertions(now)?;
        self.sweep_families(now)
    }

    fn sweep_assertions(&self, now: Millis) -> Result<(), Fault> {
        use identity::{Change, ShelfName};
        let shelf = &self.ground.shelf;
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = shelf.scan(ShelfName::AppAssertions, &[], after.as_deref(), 1000)?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            let mut changes = Vec::new();
            for (key, item) in page {
                let ends: i64 = crate::item::decode(&item.body)?;
                if ends < now.0.saturating_sub(MINUTE_MS) {
                    changes.push(Change::remove(ShelfName::AppAssertions, &key, item.version));
                }
            }
            if !changes.is_empty() {
                shelf.commit(changes, Deed::UPKEEP)?;
            }
        }
    }
}
