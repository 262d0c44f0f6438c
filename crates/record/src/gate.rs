//! The record room itself: the store and the access log opened together, and what was committed but
//! not yet logged when the process last ended is logged first (45 CFR 164.312(b), (c)).

use crate::actor::Actors;
use crate::consents::Consents;
use crate::department::Department;
use crate::directory::Directory;
use crate::glass::Glasses;
use crate::in_force::{self, InForce};
use crate::ledger::Ledger;
use crate::onlookers::Onlookers;
use crate::outbox::{Outbox, Relay};
use crate::recent::Recents;
use crate::review::{Queue, ReviewSettings};
use crate::rules::Labelling;
use crate::session::{Session, Subject};
use crate::shelf::Sealer;
use crate::slow::{Slow, SlowSearch};
use crate::vault::{AtRest, Encryption};
use audit::{Hash, Head, Log};
use base::error::code;
use base::id::{Seeded, uuid_v7};
use base::time::SystemClock;
use base::{Clock, Fault, Limits};
use fhir::definitions::TypeId;
use keys::Keyring;
use parking_lot::Mutex;
use privacy::elements::Elements;
use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher, Hasher};
use std::path::Path;
use std::sync::Arc;
use store::{Cipher, Options, Scope, Store};

/// How the record is kept.
#[derive(Debug, Clone)]
pub struct Settings {
    /// The bounds of everything.
    pub limits: Limits,
    /// `PUT` may create a resource under an id of the caller's choice.
    pub create_by_update: bool,
    /// How durable a commit is when it is acknowledged.
    pub sync: store::Sync,
    /// Tells the time.
    pub clock: Arc<dyn Clock>,
    /// Seeds the ids and the sealing of page links; drawn from the system when not given.
    pub seed: Option<u64>,
    /// Opened for a bulk load by one program alone: more memory, and larger units in one commit.
    pub bulk: bool,
    /// Bytes of memory for opened pages of a sealed store, at most.
    pub page_memory: u64,
    /// The site that records belong to when nothing else says where they are from.
    pub site: Option<Arc<str>>,
    /// What is written is labelled by the rule packs.
    pub labelling: bool,
    /// The state the site is in, as `CA`: whose rules label what is written. Without it, no state's.
    pub home_state: Option<Arc<str>>,
    /// Patients are told the names of who saw their record; otherwise what they are here.
    pub staff_named: bool,
    /// Rule packs of the site beside those that are shipped: each text with its name.
    pub packs: Vec<(String, String)>,
    /// What the site adds to the policies: each text with its name.
    pub policies: Vec<(String, String)>,
    /// The place where they should be is gone: refused, where there were some before.
    pub policies_missing: bool,
    /// The file layer of the access log; a test puts one in that fails.
    pub audit_files: Arc<dyn audit::Files>,
    /// How people sign in.
    pub identity: identity::Settings,
    /// Where keys and tokens come from; the operating system in production.
    pub random: Arc<dyn identity::CryptoRandom>,
    /// The site's list of stolen passwords, if it has one.
    pub breached: Option<Arc<dyn identity::Breached>>,
    /// Seals what identity keeps, once there are keys.
    pub sealer: Option<Arc<dyn Sealer>>,
    /// What the access log is signed with; without it, nothing signs it.
    pub seal: Option<audit::Seal>,
    /// How a new data folder is encrypted, and where the root key is.
    pub encryption: Encryption,
    /// How cases of review are opened.
    pub review: ReviewSettings,
    /// The departments of the house: their rules hold for every write.
    pub departments: Vec<&'static Department>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            limits: Limits::default(),
            create_by_update: true,
            sync: store::Sync::Full,
            clock: Arc::new(SystemClock),
            seed: None,
            bulk: false,
            page_memory: Options::default().opened_bytes,
            site: None,
            labelling: true,
            home_state: None,
            staff_named: false,
            packs: Vec::new(),
            policies: Vec::new(),
            policies_missing: false,
            audit_files: Arc::new(audit::Disk),
            identity: identity::Settings::default(),
            random: Arc::new(keys::SystemRandom),
            breached: None,
            sealer: None,
            seal: None,
            encryption: Encryption::default(),
            review: ReviewSettings::default(),
            departments: Vec::new(),
        }
    }
}

/// How the record fares.
#[derive(Debug, Clone)]
pub struct Health {
    /// Why the access log failed, when it did: then nothing is read or changed any more.
    pub audit: Option<Fault>,
    /// The commit number the store is at.
    pub last_commit: u64,
    /// The highest commit number the access log holds.
    pub audited_commit: u64,
    /// Why the access log is not signed any more, when it should be.
    pub notary: Option<Fault>,
    /// The last event that a signed checkpoint covers; 0 when nothing is signed.
    pub signed_event: u64,
    /// Why the store can no longer write, when it cannot.
    pub store: Option<Fault>,
    /// How durable commits are.
    pub sync: store::Sync,
    /// What the data folder is like at rest.
    pub at_rest: AtRest,
}

/// The record, open. Cheap to copy; closed when the last copy and session are gone.
#[derive(Debug, Clone)]
pub struct Record {
    pub(crate) gate: Arc<Gate>,
}

/// What every session shares.
#[derive(Debug)]
pub(crate) struct Gate {
    pub(crate) store: Store,
    pub(crate) log: Arc<Log>,
    pub(crate) settings: Settings,
    pub(crate) in_force: InForce,
    pub(crate) actors: Actors,
    pub(crate) glasses: Glasses,
    pub(crate) reviews: Queue,
    pub(crate) directory: Directory,
    pub(crate) consents: Arc<Consents>,
    pub(crate) onlookers: Onlookers,
    pub(crate) elements: Elements,
    pub(crate) labelling: Labelling,
    /// Finds events of the log.
    pub(crate) finder: Mutex<audit::Finder>,
    /// Signs the log; ends before the log does.
    pub(crate) notary: Mutex<Option<audit::Notarizing>>,
    pub(crate) keys: Option<Arc<Keyring>>,
    pub(crate) at_rest: AtRest,
    /// Whether reminders could not be sent lately; nothing where none are.
    pub(crate) reminders: Mutex<Option<bool>>,
    /// Held while the drafts of an author are counted.
    pub(crate) drafts: Mutex<()>,
    /// The slowest searches of the last hour.
    pub(crate) slow: Slow,
    /// Whose time is taken, as rules about time ask.
    pub(crate) ledger: std::sync::Mutex<Ledger>,
    /// Whom people opened last, as far as it was looked at.
    pub(crate) recents: Recents,
    /// Held for its thread.
    _outbox: Outbox,
}

impl Record {
    /// Opens the record kept in `dir`, or begins one there: the store in `store`, the access log in
    /// `audit`.
    ///
    /// # Errors
    /// When either is locked, damaged or written by a newer version.
    pub fn open(dir: &Path, settings: Settings) -> Result<Self, Fault> {
        let policies = in_force::load_policies(1, &settings.policies)?;
        private_folder(dir).map_err(|e| {
            Fault::new(&code::STORE_UNAVAILABLE, format!("the data folder cannot be made: {e}"))
        })?;
        let (keys, at_rest) = settings.encryption.open(dir, &settings.clock)?;
        let relay = Arc::new(Relay::default());
        let hook = Arc::clone(&relay);
        let store = Store::open(
            &dir.join("store"),
            Options {
                clock: Arc::clone(&settings.clock),
                sync: settings.sync,
                seed: settings.seed.unwrap_or_else(seed_of_the_system),
                cipher: keys.clone().map(Cipher::of).transpose()?,
                opened_bytes: settings.page_memory,
                on_commit: Some(Arc::new(move |commit, events| hook.committed(commit, events))),
                ..if settings.bulk { Options::bulk() } else { Options::default() }
            },
        )?;
        let mut options = audit::Options::new(Arc::clone(&settings.clock));
        options.files = Arc::clone(&settings.audit_files);
        options.anchor = store.audit_anchor()?.map(|(seq, hash)| Head { seq, hash: Hash(hash) });
        options.key = keys.as_ref().map(|keys| keys.log_key()).transpose()?;
        let log_key = options.key.clone();
        let log = Arc::new(Log::open(&dir.join("audit"), options)?);
        // The folders themselves must outlive a loss of power, before anything in them is promised.
        sync_folders(dir).map_err(|e| {
            Fault::new(&code::STORE_UNAVAILABLE, format!("the data folder cannot be synced: {e}"))
        })?;
        let outbox = Outbox::open(relay, &store, &log, settings.clock.now())?;
        let seal = match (&settings.seal, &keys) {
            (Some(seal), _) => Some(audit::Seal { log: log_key.clone(), ..seal.clone() }),
            (None, keys) => keys.as_ref().map(audit::Seal::of).transpose()?,
        };
        let notary = match seal {
            None => None,
            Some(seal) => {
                let notary = audit::Notary::open(&dir.join("audit"), seal, settings.clock.now())?;
                Some(notary.spawn(Arc::clone(&log), Arc::clone(&settings.clock))?)
            }
        };
        let finder = Mutex::new(audit::Finder::new(&dir.join("audit")).under(log_key));
        let glasses = Glasses::open(&store, settings.clock.now())?;
        let reviews = Queue::open(&store)?;
        let request = {
            let mut random = Seeded::new(settings.seed.unwrap_or_else(seed_of_the_system));
            uuid_v7(settings.clock.now(), &mut random)
        };
        let in_force = InForce::open(&store, &settings, policies, request)?;
        let directory = Directory::open(&store, &log, &settings)?;
        let consents = Consents::open(&store, settings.limits, settings.clock.now())?;
        let elements = Elements::shipped()?;
        let labelling = Labelling::open(&store, &log, &settings)?;
        Ok(Self {
            gate: Arc::new(Gate {
                store,
                log,
                settings,
                in_force,
                actors: Actors::default(),
                glasses,
                reviews,
                directory,
                consents: Arc::new(consents),
                onlookers: Onlookers::default(),
                elements,
                labelling,
                finder,
                notary: Mutex::new(notary),
                keys,
                at_rest,
                reminders: Mutex::default(),
                drafts: Mutex::default(),
                slow: Slow::default(),
                ledger: std::sync::Mutex::default(),
                recents: Recents::default(),
                _outbox: outbox,
            }),
        })
    }

    /// A session for one request.
    pub fn session(&self, subject: Subject, request: [u8; 16]) -> Session {
        Session {
            gate: Arc::clone(&self.gate),
            subject: Arc::new(subject),
            request,
            noted: Arc::default(),
        }
    }

    /// Has the last events of the access log signed, when it is signed at all, and ends that: before a
    /// process ends, which may not drop its last copy of the record.
    pub fn settle(&self) {
        drop(self.gate.notary.lock().take());
    }

    /// Forgets the pages that were read to open it all, few of which are needed again, and gives the memory
    /// back to the machine.
    ///
    /// # Errors
    /// When the store fails.
    pub fn forget_pages(&self) -> Result<(), Fault> {
        self.gate.store.forget_pages()
    }

    /// Figures of the store.
    pub fn store_stats(&self) -> store::Stats {
        self.gate.store.stats()
    }

    /// The slowest searches of the last hour, the slowest first.
    pub fn slow_searches(&self) -> Vec<SlowSearch> {
        self.gate.slow.of_the_hour(self.gate.settings.clock.now())
    }

    /// Whether any record of a type was written after a commit; which, and what it says, is not told.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn is_written_since(&self, of: TypeId, commit: u64) -> Result<bool, Fault> {
        let everything = Scope::everything();
        let reader = self.gate.store.reader(&everything)?;
        Ok(reader.written_since(of, commit, 0)?.is_none())
    }

    /// How the record fares.
    pub fn health(&self) -> Health {
        let (signed_event, notary) = match &*self.gate.notary.lock() {
            Some(notary) => (notary.last().size, notary.failure()),
            None => (0, None),
        };
        Health {
            audit: self.gate.log.failure(),
            notary,
            signed_event,
            store: self.gate.store.failure(),
            last_commit: self.gate.store.last_commit(),
            audited_commit: self.gate.log.last_commit_seq(),
            sync: self.gate.settings.sync,
            at_rest: self.gate.at_rest,
        }
    }

    /// What it was opened with.
    pub fn settings(&self) -> &Settings {
        &self.gate.settings
    }
}

impl Session {
    /// Copies the store to `to`, consistently, while it serves, sealed as it is. `progress` is told pages
    /// done and in all. Answers the last commit that the copy has.
    ///
    /// # Errors
    /// When the copy cannot be written, or the access log failed.
    pub fn backup(&self, to: &Path, progress: &mut dyn FnMut(u64, u64)) -> Result<u64, Fault> {
        let event = self.event(audit::Kind::Backup);
        // A copy of everything leaves the house: its event is on the disk first.
        self.gate.log.append(&event)?.synced().wait()?;
        self.gate.store.backup(to, progress)
    }

    /// Leaves the event that a backup was put back, first of what happens in the copy: `resources` are in
    /// it (45 CFR 164.308(a)(7)(ii)(B)).
    ///
    /// # Errors
    /// `access.denied` for any but who is on the machine; when the access log failed.
    pub fn restored(&self, resources: u64) -> Result<(), Fault> {
        if self.rights().is_some() {
            return Err(crate::actor::denied());
        }
        let mut event = self.event(audit::Kind::Restore);
        event.results = resources;
        self.gate.log.append(&event)?.synced().wait()
    }

    /// Copies the access log of the data folder `data` to the folder `to`, sealed as it is, up to the
    /// events of `commit`: what belongs to a copy of the store that has come to it.
    ///
    /// # Errors
    /// As [`audit::copy::copy`].
    pub fn backup_log(&self, data: &Path, to: &Path, commit: u64) -> Result<(), Fault> {
        let written = self.gate.log.head().seq;
        self.gate.log.catch_up()?;
        let key = self.gate.keys.as_ref().map(|keys| keys.log_key()).transpose()?;
        audit::copy::copy(&data.join("audit"), to, key.as_ref(), commit, written).map(drop)
    }
}

impl Gate {
    /// A finder of one's own, for a look at the whole log that nobody else's need wait for.
    pub(crate) fn finder_beside(&self) -> Result<audit::Finder, Fault> {
        let mut finder = self.finder.lock();
        // What the other would index is indexed before, so that it is done once.
        finder.catch_up()?;
        Ok(finder.beside())
    }
}

/// Random bits of the operating system, by the way the standard library draws them for its maps.
pub(crate) fn seed_of_the_system() -> u64 {
    RandomState::new().build_hasher().finish()
}

/// Syncs a folder and the entry it has in the folder above.
fn sync_folders(dir: &Path) -> std::io::Result<()> {
    let dir = std::path::absolute(dir)?;
    for folder in [Some(dir.as_path()), dir.parent()].into_iter().flatten() {
        std::fs::File::open(folder)?.sync_all()?;
    }
    Ok(())
}

/// Makes a folder that only its owner may look into, with all folders above it. One that is there
/// already keeps the access its owner gave it (45 CFR 164.312(a)(1)).
pub fn private_folder(dir: &Path) -> std::io::Result<()> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    {
        use std::os::unix::fs::DirBuilderExt as _;
        builder.mode(0o700);
    }
    builder.create(dir)
}
