//! A site for tests: a turned clock, a shelf in memory, randomness that counts, cheap passwords.

use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use base::id::{Random as _, Seeded};
use base::{Fault, error::code};
use identity::{
    Change, Cost, CryptoRandom, Deed, Ground, Identity, Item, Kind, Memory, Opened, Principal,
    Profile, Secret, Settings, Shelf, ShelfName, Step,
};
use testkit::clock::Turned;

pub(crate) const START_MS: i64 = 1_795_340_467_000;
pub(crate) const MINUTE_MS: i64 = 60_000;
pub(crate) const HOME: IpAddr = IpAddr::V4(Ipv4Addr::LOCALHOST);
pub(crate) const PASSWORD: &str = "tulpen in rotterdam";

/// Distinct bytes at every call. Never for anything but tests.
#[derive(Debug, Default)]
pub(crate) struct Counted(AtomicU64);

impl CryptoRandom for Counted {
    fn fill(&self, out: &mut [u8]) -> Result<(), Fault> {
        let mut bits = Seeded::new(self.0.fetch_add(1, Ordering::SeqCst));
        for byte in out {
            *byte = bits.next_u64().to_le_bytes()[0];
        }
        Ok(())
    }
}

/// A shelf whose disk can fail.
#[derive(Debug, Default)]
pub(crate) struct Failing {
    pub(crate) inner: Memory,
    pub(crate) broken: AtomicBool,
}

impl Shelf for Failing {
    fn get(&self, shelf: ShelfName, key: &[u8]) -> Result<Option<Item>, Fault> {
        self.inner.get(shelf, key)
    }

    fn scan(
        &self,
        shelf: ShelfName,
        prefix: &[u8],
        after: Option<&[u8]>,
        limit: usize,
    ) -> Result<Vec<(Vec<u8>, Item)>, Fault> {
        self.inner.scan(shelf, prefix, after, limit)
    }

    fn commit(&self, changes: Vec<Change>, deed: Deed) -> Result<(), Fault> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Fault::new(&code::STORE_UNAVAILABLE, "The disk is gone."));
        }
        self.inner.commit(changes, deed)
    }

    fn note(&self, deed: Deed) -> Result<(), Fault> {
        if self.broken.load(Ordering::SeqCst) {
            return Err(Fault::new(&code::AUDIT_UNAVAILABLE, "The log is gone."));
        }
        self.inner.note(deed)
    }
}

pub(crate) struct Site {
    pub(crate) clock: Arc<Turned>,
    pub(crate) shelf: Arc<Failing>,
    pub(crate) random: Arc<Counted>,
    pub(crate) settings: Settings,
    pub(crate) identity: Identity,
}

impl Site {
    pub(crate) fn new() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let mut settings =
            Settings { cost: Cost::LEAST, hashes_at_once: 64, ..Settings::default() };
        change(&mut settings);
        let (clock, shelf) = (Turned::at(START_MS), Arc::new(Failing::default()));
        let random = Arc::new(Counted::default());
        let identity = open(&clock, &shelf, &random, &settings);
        Self { clock, shelf, random, settings, identity }
    }

    /// The same site after its program was started anew.
    pub(crate) fn restarted(self) -> Self {
        let identity = open(&self.clock, &self.shelf, &self.random, &self.settings);
        Self { identity, ..self }
    }

    pub(crate) fn person(&self, name: &str) -> Principal {
        let made = self.identity.create(Kind::Person, profile(name)).expect("a principal");
        self.identity.set_password(made.id, &PASSWORD.into(), None).expect("a password");
        made
    }

    pub(crate) fn sign_in(&self, name: &str) -> Opened {
        match self.identity.begin(name, &PASSWORD.into(), HOME).expect("signed in") {
            Step::Done(opened) => opened,
            Step::SecondFactor(_) => panic!("no second factor is expected"),
        }
    }
}

fn open(
    clock: &Arc<Turned>,
    shelf: &Arc<Failing>,
    random: &Arc<Counted>,
    settings: &Settings,
) -> Identity {
    let ground = Ground {
        shelf: Arc::<Failing>::clone(shelf),
        clock: Arc::<Turned>::clone(clock),
        random: Arc::<Counted>::clone(random),
        breached: None,
    };
    Identity::open(ground, settings.clone()).expect("opened")
}

pub(crate) fn profile(name: &str) -> Profile {
    Profile { name: name.to_owned(), display: "Somebody".to_owned(), ..Profile::default() }
}

pub(crate) fn text(opened: &Opened) -> Secret {
    opened.token.text()
}

/// The code of a fault that must be one.
pub(crate) fn code<T, E: Into<Fault>>(answer: Result<T, E>) -> &'static str {
    match answer {
        Ok(_) => panic!("this should have been refused"),
        Err(fault) => fault.into().code().name,
    }
}
