//! What the console is told of the machine: the server's own figures, what the house around it finds out
//! (files, disks, settings), and in the words of `/health/ready` how the parts stand (45 CFR
//! 164.308(a)(1)(ii)(D)). And the one thing that can be done in a house that nobody administers yet.

use crate::health;
use crate::smart::call::Call;
use crate::state::State;
use base::error::code;
use base::{Fault, Millis};
use console::machine::{
    CheckItem, CheckState, Figures, Finding, Grade, Item, Job, JobKind, JobState, Machine, Setting,
    Unclaimed,
};
use identity::{Asker, By, Profile, Secret};
use record::Session;
use scheduling::place::What;
use std::fmt::Debug;
use std::net::IpAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;

/// Principals that are read at once, and in all: no house has more people than that who administer it.
const PEOPLE_PAGE: usize = 1000;
const PEOPLE_MAX: usize = 100_000;
/// Growth of less than this says nothing about a rate.
const GROWTH_LEAST_MS: u64 = 600_000;
/// The role that administers a house.
const ADMINISTERS: &str = "it-administrator";
/// The findings by which things of the checklist are measured.
const MEASURED: [(Item, &[&str]); 3] = [
    (Item::Tls, &["tls.plaintext", "tls.files", "tls.validity", "tls.host"]),
    (Item::Clock, &["clock.kept", "clock.behind"]),
    (Item::Backup, &["backup.age"]),
];

/// What the program around the server finds out and keeps.
pub trait House: Debug + Send + Sync {
    /// What the doctor finds.
    fn findings(&self) -> Vec<Finding>;
    /// The settings in force.
    fn settings(&self) -> Vec<Setting>;
    /// What the disk, the system and stamps in the data folder tell.
    fn facts(&self) -> HouseFacts;
    /// Long work that the program knows of.
    fn jobs(&self) -> Vec<Job>;
    /// What somebody said is done: which thing, who, and when.
    ///
    /// # Errors
    /// When it cannot be read.
    fn confirmed(&self) -> Result<Vec<(Item, String, Millis)>, Fault>;
    /// Keeps what somebody said, or that they took it back.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn confirm(&self, item: Item, said: Option<(String, Millis)>) -> Result<(), Fault>;
    /// Begins to load the demo clinic.
    ///
    /// # Errors
    /// When it is being loaded, or there are records that are not its own.
    fn load_demo(&self) -> Result<(), Fault>;
}

/// What the disk, the system and stamps tell.
#[derive(Debug, Clone, Copy, Default)]
pub struct HouseFacts {
    /// Bytes free and in all on the disk of the data folder.
    pub disk: Option<(u64, u64)>,
    /// Bytes of memory that this process holds.
    pub memory_bytes: Option<u64>,
    /// When the last backup was made.
    pub backup: Option<Millis>,
    /// When the access log was last verified and found sound.
    pub verified: Option<Millis>,
}

/// The machine as the console sees it.
#[derive(Debug)]
pub(super) struct Steward {
    state: Arc<State>,
    house: Arc<dyn House>,
    /// Of whoever asks: what is set up here is looked at as they may see it.
    session: Session,
}

impl Steward {
    /// The machine, when there is a house to tell of it.
    pub(super) fn of(call: &Call) -> Option<Arc<dyn Machine>> {
        let state = Arc::clone(&call.state);
        let house = Arc::clone(state.house.as_ref()?);
        Some(Arc::new(Self { state, house, session: call.session.clone() }))
    }

    fn administrators(&self) -> Result<usize, Fault> {
        let identity = self.state.record.identity();
        let (mut count, mut seen, mut after) = (0, 0, None);
        loop {
            let page = identity.list(after, PEOPLE_PAGE)?;
            let Some(last) = page.last() else { return Ok(count) };
            after = Some(last.id);
            seen += page.len();
            let able = page.iter().filter(|one| {
                let roles = &one.profile.roles;
                one.disabled.is_none()
                    && one.kind == identity::Kind::Person
                    && roles.iter().any(|role| role == ADMINISTERS)
            });
            count += able.count();
            if seen >= PEOPLE_MAX {
                return Ok(count);
            }
        }
    }

    fn item(
        &self,
        item: Item,
        findings: &[Finding],
        said: &[(Item, String, Millis)],
    ) -> Result<CheckItem, Fault> {
        let by = said.iter().find(|(one, ..)| *one == item);
        let confirmed = by.map(|(_, who, at)| CheckState::Confirmed(who.clone(), *at));
        let plain =
            |state, found: String| CheckItem { item, state, found, what_to_do: String::new() };
        if item == Item::SecondAdministrator {
            let count = self.administrators()?;
            let state = if count > 1 { CheckState::Measured } else { CheckState::Open };
            return Ok(plain(
                state,
                match count {
                    1 => "one person can administer this site".to_owned(),
                    count => format!("{count} people can administer this site"),
                },
            ));
        }
        if item == Item::Places {
            let places = scheduling::place::listed(&self.session)?;
            let missing: Vec<&str> = places.missing().into_iter().map(told_missing).collect();
            let state = if missing.is_empty() { CheckState::Measured } else { CheckState::Open };
            let what_to_do = match missing.as_slice() {
                [] => String::new(),
                missing => format!("set up {} under Places and people", missing.join(", ")),
            };
            let count = |what| places.of(what).filter(|one| one.draft.is_active).count();
            let (sites, visits) = (count(What::Site), count(What::Visit));
            let found = format!("in use: sites {sites}, kinds of visit {visits}");
            return Ok(CheckItem { item, state, found, what_to_do });
        }
        let Some((_, codes)) = MEASURED.iter().find(|(one, _)| *one == item) else {
            return Ok(plain(confirmed.unwrap_or(CheckState::Unconfirmed), String::new()));
        };
        let about = findings.iter().filter(|finding| codes.contains(&finding.code));
        let Some(worst) = about.max_by_key(|finding| finding.grade) else {
            return Ok(plain(CheckState::Open, String::new()));
        };
        let config = &self.state.config;
        let is_plain = item == Item::Tls && self.state.tls.is_none();
        let is_proxied = config.base_url.as_deref().is_some_and(|url| url.starts_with("https://"));
        let state = match worst.grade {
            // What a proxy on this machine does, or what no machine could find out, somebody may know.
            Grade::Fine | Grade::Note if is_plain && is_proxied => {
                confirmed.unwrap_or(CheckState::Unconfirmed)
            }
            Grade::Unknown => confirmed.unwrap_or(CheckState::Unconfirmed),
            Grade::Fine | Grade::Note if !is_plain => CheckState::Measured,
            _ => CheckState::Open,
        };
        let what_to_do = match state == CheckState::Open && worst.what_to_do.is_empty() {
            true => "set tls_certificate and tls_key, or base_url where a proxy on this machine speaks TLS".to_owned(),
            false => worst.what_to_do.clone(),
        };
        Ok(CheckItem { item, state, found: worst.found.clone(), what_to_do })
    }
}

/// What is missing, in words.
const fn told_missing(what: What) -> &'static str {
    match what {
        What::Site => "a site with opening hours",
        What::Visit => "a kind of visit",
        _ => "somebody who sees patients there",
    }
}

impl Machine for Steward {
    fn findings(&self) -> Vec<Finding> {
        let mut all = health::findings(&self.state);
        all.extend(self.house.findings());
        all
    }

    fn figures(&self) -> Figures {
        let state = &self.state;
        let (stats, health) = (state.record.store_stats(), state.record.health());
        let (facts, reviews) = (self.house.facts(), state.record.review_counts());
        let uptime_ms = state.uptime_ms();
        let grown = stats.file_bytes.saturating_sub(state.began_bytes);
        let metrics = &state.metrics;
        let count = |number: i64| u64::try_from(number).unwrap_or(0);
        Figures {
            disk: facts.disk,
            grown: (uptime_ms >= GROWTH_LEAST_MS).then_some((grown, uptime_ms)),
            store_bytes: stats.file_bytes,
            wal_bytes: stats.wal_bytes,
            queue_units: stats.queue_units,
            writer_busy_permille: stats.writer_busy_micros.saturating_sub(state.began_busy_us)
                / uptime_ms.max(1),
            live: stats.live,
            versions: stats.last_commit,
            log_behind: health.last_commit.saturating_sub(health.audited_commit),
            signed_event: health.signed_event,
            verified: facts.verified,
            backup: facts.backup,
            certificate_until: state.tls.as_ref().map(|tls| tls.facts().validity.until),
            memory_bytes: facts.memory_bytes,
            uptime_ms,
            in_flight: count(metrics.in_flight()),
            connections: count(metrics.connections()),
            reviews: (reviews.open.saturating_add(reviews.assigned), reviews.overdue),
            requests: metrics.rates(),
            slow: state.record.slow_searches(),
        }
    }

    fn settings(&self) -> Vec<Setting> {
        self.house.settings()
    }

    fn jobs(&self) -> Vec<Job> {
        let labels = self.state.record.labels();
        let reviews = self.state.record.review_counts();
        let relabel = Job {
            kind: JobKind::Relabel,
            state: match (&labels.failure, labels.waiting) {
                (Some(_), _) => JobState::Failed,
                (None, 0) => JobState::Idle,
                (None, _) => JobState::Running,
            },
            done: labels.done,
            all: Some(labels.done.saturating_add(labels.waiting)).filter(|_| labels.waiting > 0),
            began: None,
            ended: None,
            code: labels.failure.as_ref().map(|fault| fault.code().name),
        };
        let sweep = Job {
            kind: JobKind::Sweep,
            state: match (reviews.is_failing, reviews.swept) {
                (true, _) => JobState::Failed,
                (false, Some(_)) => JobState::Done,
                (false, None) => JobState::Idle,
            },
            done: reviews.open.saturating_add(reviews.assigned).saturating_add(reviews.closed),
            all: None,
            began: None,
            ended: reviews.swept,
            code: None,
        };
        let mut all = self.house.jobs();
        all.extend([relabel, sweep]);
        all
    }

    fn checklist(&self) -> Result<Vec<CheckItem>, Fault> {
        let (findings, said) = (self.house.findings(), self.house.confirmed()?);
        Item::ALL.into_iter().map(|item| self.item(item, &findings, &said)).collect()
    }

    fn confirm(&self, item: &str, is_done: bool, by: &str) -> Result<(), Fault> {
        let of_this_name = |one: &Item| one.name() == item;
        let Some(item) = Item::ALL.into_iter().find(of_this_name) else {
            let what = "the checklist has no such thing";
            return Err(Fault::at(&code::PARAMETER_INVALID, what, "item"));
        };
        let is_unknown = || {
            let of_item = self.checklist()?.into_iter().find(|one| one.item == item);
            let said = |state: &CheckState| {
                matches!(state, CheckState::Unconfirmed | CheckState::Confirmed(..))
            };
            Ok::<_, Fault>(of_item.is_some_and(|one| said(&one.state)))
        };
        if !item.is_said() && !is_unknown()? {
            let what = "this is measured; nobody has to say so";
            return Err(Fault::at(&code::PARAMETER_INVALID, what, "item"));
        }
        self.house.confirm(item, is_done.then(|| (by.to_owned(), self.state.clock.now())))
    }

    fn is_empty(&self) -> bool {
        self.state.record.store_stats().live.iter().all(|(_, count)| *count == 0)
    }

    fn load_demo(&self) -> Result<(), Fault> {
        if self.is_empty() {
            return self.house.load_demo();
        }
        let what = "there are records here; the demo clinic is loaded into an empty house only";
        Err(Fault::new(&code::NOT_SUPPORTED, what))
    }
}

/// A house that nobody administers yet, asked by one visitor.
#[derive(Debug)]
pub(super) struct Beginning {
    state: Arc<State>,
    request: [u8; 16],
    peer: IpAddr,
}

impl Beginning {
    /// The house of a call, while it is unclaimed. Once it is claimed, nobody asks again.
    pub(super) fn of(call: &Call) -> Result<Option<Arc<dyn Unclaimed>>, Fault> {
        let state = &call.state;
        if state.house.is_none() || state.is_claimed.load(Ordering::Acquire) {
            return Ok(None);
        }
        if !state.record.identity().is_unclaimed()? {
            state.is_claimed.store(true, Ordering::Release);
            return Ok(None);
        }
        let (state, request) = (Arc::clone(state), call.session.request());
        Ok(Some(Arc::new(Self { state, request, peer: call.peer })))
    }
}

impl Unclaimed for Beginning {
    fn claim(
        &self,
        code: &Secret,
        name: &str,
        display: &str,
        password: &Secret,
    ) -> Result<(), Fault> {
        let asker = Asker { by: By::Nobody, request: self.request, source: Some(self.peer) };
        let identity = self.state.record.identity().asked_by(asker);
        let (name, display) = (name.to_owned(), display.to_owned());
        let profile = Profile { name, display, ..Profile::default() };
        identity.claim(code, profile, password, self.peer).map_err(|refusal| refusal.fault)?;
        Ok(())
    }
}
