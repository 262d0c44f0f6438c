//! The one object that holds identity together: the shelf, the clock, randomness, and what is kept
//! in memory. What it can do stands in the files of each feature.

use std::collections::HashMap;
use std::fmt;
use std::sync::Arc;

use base::{Clock, Fault, Millis};
use parking_lot::{Mutex, MutexGuard};
use sha2::{Digest as _, Sha256};

use crate::backoff::{BackOff, NameKey};
use crate::breach::Breached;
use crate::ceremony::Ceremonies;
use crate::deed::Asker;
use crate::demand::{Demand, Of};
use crate::factor::Enrolling;
use crate::kdf::Kiln;
use crate::principal::{Principal, PrincipalId, SignInName};
use crate::secret::{CryptoRandom, Key, new_uuid};
use crate::session::{Session, State, Table};
use crate::settings::Settings;
use crate::shelf::{SCAN_MAX, Shelf, ShelfName};
use crate::sign_in::Halfway;
use crate::token::ByDigest;

/// Bytes of a typed name that are looked at.
const TYPED_MAX: usize = 1024;

/// What identity stands on.
#[derive(Debug, Clone)]
pub struct Ground {
    /// Where it keeps things.
    pub shelf: Arc<dyn Shelf>,
    /// What tells it the time.
    pub clock: Arc<dyn Clock>,
    /// Where its keys come from.
    pub random: Arc<dyn CryptoRandom>,
    /// The site's list of breached passwords, if it has one.
    pub breached: Option<Arc<dyn Breached>>,
}

/// Who may sign in, and who has.
///
/// There is one for a shelf. It may be shared between threads, and is cheap to copy; it starts none
/// and opens no file. [`Identity::asked_by`] makes the copy that acts in somebody's name.
#[derive(Clone)]
pub struct Identity {
    pub(crate) core: Arc<Core>,
    pub(crate) asker: Asker,
}

/// What all copies share.
pub(crate) struct Core {
    pub(crate) ground: Ground,
    pub(crate) settings: Settings,
    /// The demand of the settings, as far as it holds at this site.
    pub(crate) demand: Demand,
    pub(crate) kiln: Kiln,
    pub(crate) back_off: BackOff,
    pub(crate) table: Table,
    /// Sign-ins that wait for their second factor.
    pub(crate) halfway: Mutex<ByDigest<Halfway>>,
    /// Authenticators that wait for their first code.
    pub(crate) enrolling: Mutex<HashMap<PrincipalId, Enrolling>>,
    /// Passkeys that browsers were asked for.
    pub(crate) ceremonies: Ceremonies,
    /// Makes the table of waiting names useless to whoever reads memory or guesses collisions.
    salt: Key<32>,
    /// Held from the reading of an item to the change of memory that follows its commit.
    writing: Mutex<()>,
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Identity").field("sessions", &self.core.table.len()).finish_non_exhaustive()
    }
}

impl Identity {
    /// Reads the sessions of the shelf and is ready.
    pub fn open(ground: Ground, settings: Settings) -> Result<Self, Fault> {
        settings.check()?;
        let mut demand = settings.second_factor.clone();
        if demand.new_sites && !crate::claim::is_new_site(ground.shelf.as_ref())? {
            demand.of = Of::Nobody;
        }
        let core = Core {
            kiln: Kiln::new(settings.cost, settings.hashes_at_once)?,
            salt: Key::draw(ground.random.as_ref())?,
            back_off: BackOff::default(),
            table: Table::default(),
            halfway: Mutex::default(),
            enrolling: Mutex::default(),
            ceremonies: Ceremonies::default(),
            writing: Mutex::new(()),
            ground,
            settings,
            demand,
        };
        let identity = Self { core: Arc::new(core), asker: Asker::default() };
        identity.load()?;
        Ok(identity)
    }

    /// What it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.core.settings
    }

    fn load(&self) -> Result<(), Fault> {
        let now = self.now();
        let mut principals: HashMap<PrincipalId, Option<Arc<Principal>>> = HashMap::new();
        let mut after: Option<Vec<u8>> = None;
        loop {
            let page = self.core.ground.shelf.scan(
                ShelfName::Sessions,
                &[],
                after.as_deref(),
                SCAN_MAX,
            )?;
            let Some((last, _)) = page.last() else { return Ok(()) };
            after = Some(last.clone());
            for (key, item) in page {
                let (session, digest) = Session::decode(&key, &item.body)?;
                let known = principals.entry(session.principal);
                let principal = match known {
                    std::collections::hash_map::Entry::Occupied(entry) => entry.get().clone(),
                    std::collections::hash_map::Entry::Vacant(entry) => {
                        let read = self.load_principal(session.principal)?;
                        entry.insert(read.map(Arc::new)).clone()
                    }
                };
                // A session that is over is kept until it is swept; one of nobody never counts.
                let Some(principal) = principal else { continue };
                let ended = session.over(now, &self.core.settings) || principal.disabled.is_some();
                let (version, used) = (item.version, session.used);
                let state = State {
                    session,
                    principal,
                    version,
                    written_used: used,
                    written_at: now,
                    ended,
                };
                self.core.table.insert(digest, state);
            }
        }
    }

    pub(crate) fn now(&self) -> Millis {
        self.core.ground.clock.now()
    }

    pub(crate) fn random(&self) -> &dyn CryptoRandom {
        self.core.ground.random.as_ref()
    }

    pub(crate) fn uuid(&self, now: Millis) -> Result<[u8; 16], Fault> {
        new_uuid(now, self.random())
    }

    /// Changes are made one after the other: what was read stays true until memory has followed.
    pub(crate) fn write(&self) -> MutexGuard<'_, ()> {
        self.core.writing.lock()
    }

    pub(crate) fn load_principal(&self, id: PrincipalId) -> Result<Option<Principal>, Fault> {
        let item = self.core.ground.shelf.get(ShelfName::Principals, id.as_bytes())?;
        item.map(|item| Principal::decode(id, item.version, &item.body)).transpose()
    }

    /// What the back-off knows a typed name by, whether or not it is anybody's.
    pub(crate) fn name_key(&self, typed: &str) -> NameKey {
        let folded = SignInName::fold(typed);
        let text = folded.as_ref().map_or(typed, SignInName::as_str).as_bytes();
        let digest = Sha256::new()
            .chain_update(self.core.salt.expose())
            .chain_update(text.get(..TYPED_MAX).unwrap_or(text))
            .finalize();
        digest.first_chunk::<16>().copied().unwrap_or_default()
    }
}
