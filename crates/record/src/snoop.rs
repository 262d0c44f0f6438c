//! Signals of snooping over the access log, as a ranked list for the privacy officer
//! (45 CFR 164.308(a)(1)(ii)(D), review of activity). Rules alone are noisy, since most accesses have a
//! plain reason; so a sighting counts `unexplained × sensitivity × rarity`, and says the reason that is
//! held. What is done about one is the business of `review`.

mod ties;

pub(crate) use self::ties::Kept;

use crate::session::{Audited, Session};
use audit::{Decision, Entry, Event, Kind, Target, Wanted};
use base::error::code;
use base::{Fault, Millis};
use std::collections::{BTreeMap, HashMap, HashSet};

const DAY_MS: i64 = 86_400_000;
/// Accesses weighed for one list, unless the settings say otherwise.
pub(crate) const EVENTS_MAX: usize = 200_000;
/// An access that shows more patients than this is a list, not the opening of a record.
const OPENED_MAX: usize = 3;
/// Searches on one day without one record opened of what they showed.
const FISHING: usize = 10;
/// Broken glasses of one person that are many, and within how many milliseconds.
const GLASSES: (usize, i64) = (3, 7 * DAY_MS);
/// Patients on one day, at the least, and how many times one's own middling day, that are many.
const VOLUME: (usize, usize) = (30, 3);
/// Accesses that one's own hours are told from, and the part of them that makes an hour unusual.
const HOURS: (usize, usize) = (50, 50);
/// A sighting that counts less is not told.
pub(crate) const SCORE_MIN: u32 = 100;

/// What ties a member of the workforce to a patient.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Ties {
    /// An encounter or appointment with each other.
    pub treats: bool,
    /// They are the same person.
    pub same_person: bool,
    /// They have a surname in common.
    pub same_surname: bool,
    /// They live at the same address.
    pub same_address: bool,
    /// The patient works here too.
    pub co_worker: bool,
    /// The patient's record is marked as of a very important person.
    pub vip: bool,
}

/// Tells what ties people to each other.
pub trait Relations {
    /// What ties `actor` to `patient`.
    fn between(&self, actor: &str, patient: &str) -> Ties;
}

/// Why an access stands out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Signal {
    /// The own record.
    OwnRecord,
    /// A patient of the same surname.
    SameSurname,
    /// A patient at the same address.
    SameAddress,
    /// A patient who works here.
    CoWorker,
    /// A very important person.
    Vip,
    /// Access in an emergency.
    BrokenGlass,
    /// Many accesses in emergencies.
    ManyBrokenGlasses,
    /// Searches without opening what they showed.
    Fishing,
    /// Many more patients than on other days.
    Volume,
    /// At an hour at which this person is not here.
    OffShift,
}

impl Signal {
    /// All of them, in the order in which a sighting names them.
    pub const ALL: [Self; 10] = [
        Self::OwnRecord,
        Self::SameSurname,
        Self::SameAddress,
        Self::CoWorker,
        Self::Vip,
        Self::BrokenGlass,
        Self::OffShift,
        Self::Fishing,
        Self::Volume,
        Self::ManyBrokenGlasses,
    ];

    /// The signal of [`Signal::name`].
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|signal| signal.name() == name)
    }

    /// The words for it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::OwnRecord => "own record",
            Self::SameSurname => "same surname",
            Self::SameAddress => "same address",
            Self::CoWorker => "co-worker",
            Self::Vip => "very important person",
            Self::BrokenGlass => "broken glass",
            Self::ManyBrokenGlasses => "many broken glasses",
            Self::Fishing => "searches without opening",
            Self::Volume => "many patients",
            Self::OffShift => "unusual hour",
        }
    }

    /// How much it weighs.
    pub(crate) const fn weight(self) -> u32 {
        match self {
            Self::OwnRecord | Self::SameAddress | Self::ManyBrokenGlasses => 300,
            Self::SameSurname | Self::CoWorker | Self::BrokenGlass => 200,
            Self::Vip => 400,
            Self::Fishing | Self::Volume => 250,
            Self::OffShift => 120,
        }
    }
}

/// One person and one patient, or one person alone, on one day.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sighting {
    /// The principal.
    pub actor: String,
    /// The patient, where it is about one.
    pub patient: Option<String>,
    /// The event by which it is named: `actor`, `patient` and day follow from it.
    pub seq: u64,
    /// The last event of it.
    pub last_seq: u64,
    /// When it happened first that day.
    pub first: Millis,
    /// Why it stands out.
    pub signals: Vec<Signal>,
    /// By what the list is ranked.
    pub score: u32,
    /// The reason that is held, in plain words.
    pub reason: &'static str,
}

/// Ranks what stands out among entries, in any order.
#[must_use]
pub fn sightings(entries: &[Entry], relations: &dyn Relations) -> Vec<Sighting> {
    sightings_since(entries, relations, Millis(i64::MIN))
}

/// As [`sightings`], of the days from that of `since` on; what came before tells what is usual.
fn sightings_since(entries: &[Entry], relations: &dyn Relations, since: Millis) -> Vec<Sighting> {
    let since = since.0.div_euclid(DAY_MS);
    let mut sorted: Vec<&Entry> = entries.iter().filter(|entry| counts(&entry.event)).collect();
    sorted.sort_by_key(|entry| entry.seq);
    let mut actors: BTreeMap<&str, Vec<&Entry>> = BTreeMap::new();
    for entry in sorted {
        actors.entry(whose(&entry.event)).or_default().push(entry);
    }
    let mut found = Vec::new();
    for (actor, own) in actors {
        about_patients(actor, &own, (relations, since), &mut found);
        about_actor(actor, &own, &mut found);
    }
    found.retain(|one| one.first.0.div_euclid(DAY_MS) >= since);
    found.sort_by(|a, b| b.score.cmp(&a.score).then(a.seq.cmp(&b.seq)));
    found
}

/// Whose deed an event is: what an agent does is weighed as what was done by whom it acts for.
pub(crate) fn whose(event: &Event) -> &str {
    let behalf = event.receipt.as_deref().and_then(|receipt| receipt.on_behalf_of.as_deref());
    behalf.unwrap_or(&event.actor)
}

/// Accesses of people to patients' data that were let through.
fn counts(event: &Event) -> bool {
    event.decision == Decision::Permit
        && event.status < 400
        && event.actor != audit::event::ANONYMOUS
        && matches!(
            event.kind,
            Kind::Read
                | Kind::Vread
                | Kind::Search
                | Kind::History
                | Kind::Operation
                | Kind::ChartOpened
                | Kind::BreakGlass
        )
}

fn day(entry: &Entry) -> i64 {
    entry.event.time.0.div_euclid(DAY_MS)
}

fn hour(entry: &Entry) -> i64 {
    entry.event.time.0.rem_euclid(DAY_MS) / 3_600_000
}

fn opens(entry: &Entry) -> bool {
    entry.event.kind != Kind::Search || entry.event.patients.len() <= OPENED_MAX
}

/// Whether the glass was broken by it. What is read while it is broken names no reason, for in that
/// hour other records are read too, which anybody may.
fn broke_glass(entry: &Entry) -> bool {
    let receipt = entry.event.receipt.as_deref();
    receipt.and_then(|receipt| receipt.break_glass.as_deref()).is_some_and(|why| !why.is_empty())
}

fn about_patients(
    actor: &str,
    own: &[&Entry],
    (relations, since): (&dyn Relations, i64),
    out: &mut Vec<Sighting>,
) {
    let (mut hours, mut days) =
        (HashMap::<i64, usize>::new(), HashMap::<&str, HashSet<i64>>::new());
    let mut opened: BTreeMap<(i64, &str), Vec<&Entry>> = BTreeMap::new();
    for entry in own {
        *hours.entry(hour(entry)).or_default() += 1;
        for patient in entry.event.patients.iter().filter(|_| opens(entry)) {
            days.entry(patient).or_default().insert(day(entry));
            opened.entry((day(entry), patient)).or_default().push(entry);
        }
    }
    for ((day, patient), entries) in opened {
        if day < since {
            continue;
        }
        let Some(first) = entries.first() else { continue };
        let ties = relations.between(actor, patient);
        let glass = entries.iter().any(|entry| broke_glass(entry));
        let unusual = own.len() >= HOURS.0
            && entries
                .iter()
                .any(|entry| hours.get(&hour(entry)).copied().unwrap_or(0) * HOURS.1 < own.len());
        let mut signals = Vec::new();
        for (signal, there) in [
            // Nobody treats himself: that one is in treatment here explains nothing.
            (Signal::OwnRecord, ties.same_person),
            (Signal::SameSurname, ties.same_surname && !ties.same_person && !ties.treats),
            (Signal::SameAddress, ties.same_address && !ties.same_person && !ties.treats),
            (Signal::CoWorker, ties.co_worker && !ties.same_person && !ties.treats),
            (Signal::Vip, ties.vip && !ties.treats),
            (Signal::BrokenGlass, glass),
            (Signal::OffShift, unusual && !ties.treats),
        ] {
            if there {
                signals.push(signal);
            }
        }
        let (unexplained, reason) = explained(ties, glass, first);
        // Who opens a record again and again has some business with it.
        let often = days.get(patient).map_or(0, HashSet::len) >= 5;
        let rarity = if often && !ties.same_person { 4 } else { 10 };
        let weight: u32 = signals.iter().map(|signal| signal.weight()).sum();
        let score = weight * unexplained * rarity / 100;
        if score >= SCORE_MIN {
            let (patient, seq) = (Some(patient.to_owned()), first.seq);
            let last_seq = entries.last().map_or(seq, |last| last.seq);
            let (actor, first) = (actor.to_owned(), first.event.time);
            out.push(Sighting { actor, patient, seq, last_seq, first, signals, score, reason });
        }
    }
}

/// How much of an access no reason explains, in tenths, and the reason that is held.
fn explained(ties: Ties, glass: bool, first: &Entry) -> (u32, &'static str) {
    let purpose = first.event.receipt.as_deref().and_then(|receipt| receipt.purpose.as_deref());
    match purpose {
        _ if ties.same_person => (10, "none: the record is this person's own"),
        _ if glass => (8, "an emergency was stated"),
        _ if ties.treats => (1, "an encounter or appointment with each other"),
        Some("HPAYMT" | "HOPERAT") => (5, "payment or the running of the clinic was stated"),
        Some("TREAT") => (9, "treatment was stated, and nothing here shows it"),
        _ => (10, "none is recorded"),
    }
}

fn about_actor(actor: &str, own: &[&Entry], out: &mut Vec<Sighting>) {
    let mut days: BTreeMap<i64, Vec<&Entry>> = BTreeMap::new();
    for entry in own {
        days.entry(day(entry)).or_default().push(entry);
    }
    let patients = |entries: &[&Entry]| -> usize {
        let opened = entries.iter().filter(|entry| opens(entry));
        opened.flat_map(|entry| &entry.event.patients).collect::<HashSet<_>>().len()
    };
    let mut sizes: Vec<usize> = days.values().map(|entries| patients(entries)).collect();
    sizes.sort_unstable();
    let middling = sizes.get(sizes.len() / 2).copied().unwrap_or(0);
    let mut push = |first: &Entry, last: Option<&&Entry>, signal: Signal, reason| {
        out.push(Sighting {
            actor: actor.to_owned(),
            patient: None,
            seq: first.seq,
            last_seq: last.map_or(first.seq, |last| last.seq),
            first: first.event.time,
            signals: vec![signal],
            score: signal.weight(),
            reason,
        });
    };
    for entries in days.values() {
        let Some(first) = entries.first() else { continue };
        let searched: Vec<_> =
            entries.iter().filter(|entry| entry.event.kind == Kind::Search).collect();
        let shown: HashSet<&String> = searched.iter().flat_map(|e| &e.event.patients).collect();
        let opened = entries.iter().filter(|entry| entry.event.kind != Kind::Search);
        let any_opened = opened.flat_map(|e| &e.event.patients).any(|id| shown.contains(id));
        if searched.len() >= FISHING && !any_opened {
            push(
                first,
                searched.last().copied(),
                Signal::Fishing,
                "none: nothing of what was found was opened",
            );
        }
        let many = patients(entries);
        // A middling day is told from others than this one.
        if many >= VOLUME.0 && days.len() >= 3 && many >= VOLUME.1 * middling {
            push(
                first,
                entries.last(),
                Signal::Volume,
                "none: it is many times this person's middling day",
            );
        }
    }
    // Named by the one that made it many, the first of its day, which is the same whatever comes after
    // it and, but for the days just before, whatever came before.
    let broken: Vec<_> = own.iter().filter(|entry| broke_glass(entry)).collect();
    let mut told = None;
    for many in broken.windows(GLASSES.0) {
        let (Some(first), Some(last)) = (many.first(), many.last()) else { continue };
        let near = last.event.time.0.saturating_sub(first.event.time.0) < GLASSES.1;
        if near && told.replace(day(last)) != Some(day(last)) {
            let today = broken.iter().rfind(|entry| day(entry) == day(last));
            push(
                last,
                today.copied(),
                Signal::ManyBrokenGlasses,
                "emergencies were stated, one after the other",
            );
        }
    }
}

impl Session {
    /// What stands out in the log from `from` on until before `until`, ranked. Reading it leaves an event.
    ///
    /// # Errors
    /// `access.denied` for who may not read the log; `search.query.too-costly` for too long a span.
    pub fn review_list(
        &self,
        from: Option<Millis>,
        until: Option<Millis>,
    ) -> Result<Audited<Vec<Sighting>>, Fault> {
        let mut event = self.event(Kind::Review);
        event.targets.push(Target::of_type("AuditEvent"));
        match self.gather_sightings(from, until, Millis(i64::MIN), &|| false) {
            Ok(found) => {
                event.results = found.len() as u64;
                let named: HashSet<_> =
                    found.iter().filter_map(|one| one.patient.clone()).collect();
                event.patients.extend(named);
                event.patients.sort();
                self.audited(&event, found)
            }
            Err(fault) => {
                if fault.code() == &code::ACCESS_DENIED {
                    event.decision = Decision::Deny;
                }
                Err(self.refused(event, fault))
            }
        }
    }

    /// What stands out on the days from that of `since` on, without an event of its own; for whoever may
    /// read the log. Of no use once `stop` said so.
    pub(crate) fn gather_sightings(
        &self,
        from: Option<Millis>,
        until: Option<Millis>,
        since: Millis,
        stop: &dyn Fn() -> bool,
    ) -> Result<Vec<Sighting>, Fault> {
        self.may_read_log(None)?;
        let wanted = Wanted {
            patient: None,
            from,
            until,
            before: u64::MAX,
            count: self.gate.settings.review.accesses_max,
            looks_max: u64::MAX,
            fits: &counts,
        };
        self.gate.log.catch_up()?;
        let page = self.gate.finder_beside()?.newest(&wanted)?;
        if page.next.is_some() {
            let what =
                "there are more accesses than can be weighed at once; ask for a shorter time";
            return Err(Fault::new(&code::SEARCH_TOO_COSTLY, what));
        }
        Ok(sightings_since(&page.entries, &Kept::of(self, stop), since))
    }
}
