//! What patients said, at work: the stored Consents compiled (`privacy::consent`), kept current with
//! every commit that touches one, and turned into what the store heeds (45 CFR 164.508, 164.522(a);
//! 42 CFR 2.31). A revocation holds for whatever is asked after it was answered.

use crate::actor::KEEPERS;
use crate::labelling::tagged;
use access::{Purpose, Who};
use base::{Fault, Limits, Millis};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use parking_lot::{Mutex, RwLock};
use privacy::consent::{self, PatientRules, Question, Releases};
use privacy::labelling::Tagged;
use search::parse::{Level, Options, parse};
use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, LazyLock};
use store::{Denial, Op, PageRequest, Scope, Store, Wishes};

static ALL_TYPES: LazyLock<BTreeSet<TypeId>> =
    LazyLock::new(|| r4().resource_types().map(|(of, _)| of).collect());

/// The Consents of a store.
#[derive(Debug)]
pub(crate) struct Consents {
    of: TypeId,
    limits: Limits,
    releases: RwLock<Releases>,
    /// The records that patients paid for, for the labelling.
    self_paid: RwLock<Arc<Tagged>>,
    /// Ids that were written and are not read again yet; `stale` says that there are some.
    written: Mutex<BTreeSet<String>>,
    stale: AtomicBool,
}

/// What patients said, for one caller, until time or a Consent may change it.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) wishes: Arc<Wishes>,
    epoch: u64,
    from: Millis,
    good_until: Millis,
}

impl Heard {
    /// The same answer, of the same state of consents.
    pub(crate) fn is(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.wishes, &other.wishes)
            && (self.epoch, self.from) == (other.epoch, other.from)
    }
}

/// What is asked of them.
#[derive(Debug)]
pub(crate) struct Hearing<'h> {
    pub(crate) who: &'h Who,
    /// The Practitioner the caller is.
    pub(crate) practitioner: Option<&'h str>,
    /// Nobody knows who the person in the end is.
    pub(crate) anybody: bool,
    /// The purposes, any of which the caller may have.
    pub(crate) purposes: &'h [Purpose],
    /// Records are handed out.
    pub(crate) release: bool,
    /// Records come into being: what is denied to be seen may be written.
    pub(crate) make: bool,
    pub(crate) now: Millis,
}

impl Consents {
    /// Reads all of a store.
    pub(crate) fn open(store: &Store, limits: Limits, now: Millis) -> Result<Self, Fault> {
        let of = r4().resource_type("Consent").unwrap_or(TypeId(u16::MAX));
        let options = Options {
            lenient: false,
            limits,
            now,
            base_url: None,
            conditional: false,
            hidden: None,
        };
        let search = parse(&Level::Type(of), &[], &options)?;
        let everything = Scope::everything();
        let reader = store.reader(&everything)?;
        let mut releases = Releases::default();
        let mut request = PageRequest {
            count: limits.page_max,
            position: None,
            include_max: 0,
            steps_max: limits.search_steps,
        };
        loop {
            let page = reader.search(&search, &request)?;
            for hit in page.matches {
                let document = Document::parse(hit.body, &limits)?;
                releases.put(&hit.id, document.root());
            }
            match page.next {
                Some(next) => request.position = Some(next),
                None => break,
            }
        }
        Ok(Self {
            of,
            limits,
            self_paid: RwLock::new(Arc::new(tagged(releases.self_paid()))),
            releases: RwLock::new(releases),
            written: Mutex::default(),
            stale: AtomicBool::new(false),
        })
    }

    /// The Consents that ops touch.
    pub(crate) fn among(&self, ops: &[Op]) -> Vec<String> {
        let id = |op: &Op| match op {
            Op::Create(content) | Op::Update { content, .. } => {
                (content.resource_type == self.of).then(|| content.id.clone())
            }
            Op::Delete { resource_type, id, .. } => (*resource_type == self.of).then(|| id.clone()),
        };
        ops.iter().filter_map(id).collect()
    }

    /// These were handed to the writer, and it is done with them: called before anybody is told.
    pub(crate) fn touched(&self, ids: Vec<String>) {
        if ids.is_empty() {
            return;
        }
        let mut written = self.written.lock();
        written.extend(ids);
        self.stale.store(true, Ordering::Release);
    }

    /// What patients said to this; `before` when nothing has changed since.
    pub(crate) fn hear(
        &self,
        store: &Store,
        hearing: &Hearing<'_>,
        before: Option<&Heard>,
    ) -> Result<Heard, Fault> {
        if self.stale.load(Ordering::Acquire) {
            self.catch_up(store)?;
        }
        let releases = self.releases.read();
        let still = |heard: &&Heard| {
            heard.epoch == releases.epoch() && (heard.from..heard.good_until).contains(&hearing.now)
        };
        if let Some(heard) = before.filter(still) {
            return Ok(heard.clone());
        }
        let mut actor = consent::Actor::of(hearing.who);
        // The person in the end: whom an agent acts for.
        let chain = std::iter::successors(Some(hearing.who), |one| one.on_behalf_of.as_deref());
        let patient = chain.last().is_some_and(|one| !one.own_record.is_empty());
        match hearing.practitioner {
            Some(id) => actor = actor.is("Practitioner", id),
            None if patient => actor = actor.never("Practitioner"),
            None => {}
        }
        if hearing.anybody {
            actor = actor.anybody();
        }
        let mut heard = Heard {
            wishes: Arc::default(),
            epoch: releases.epoch(),
            from: hearing.now,
            good_until: Millis(i64::MAX),
        };
        let mut all: Option<Wishes> = None;
        for purpose in hearing.purposes {
            let question = Question {
                actor: &actor,
                purpose: *purpose,
                release: hearing.release,
                now: hearing.now,
            };
            let rules = releases.rules(&question);
            heard.good_until = heard.good_until.min(rules.good_until);
            let mut own = wishes(rules, hearing.who, *purpose);
            if hearing.make {
                own.denied.clear();
            }
            all = Some(match all {
                None => own,
                Some(others) => strictest(others, own),
            });
        }
        let all = all.unwrap_or_default();
        // The same answer keeps the scopes that were made of it.
        heard.wishes = match before {
            Some(before) if *before.wishes == all => Arc::clone(&before.wishes),
            _ => Arc::new(all),
        };
        Ok(heard)
    }

    /// The records that patients paid for and keep from the payer.
    pub(crate) fn self_paid(&self, store: &Store) -> Result<Arc<Tagged>, Fault> {
        if self.stale.load(Ordering::Acquire) {
            self.catch_up(store)?;
        }
        Ok(Arc::clone(&self.self_paid.read()))
    }

    /// Reads again what was written.
    fn catch_up(&self, store: &Store) -> Result<(), Fault> {
        // Whoever comes meanwhile waits here, and never asks the releases as they were.
        let mut releases = self.releases.write();
        let ids = {
            let mut written = self.written.lock();
            self.stale.store(false, Ordering::Release);
            std::mem::take(&mut *written)
        };
        let outcome = self.read_again(store, &ids, &mut releases);
        *self.self_paid.write() = Arc::new(tagged(releases.self_paid()));
        if outcome.is_err() {
            self.touched(ids.into_iter().collect());
        }
        outcome
    }

    fn read_again(
        &self,
        store: &Store,
        ids: &BTreeSet<String>,
        releases: &mut Releases,
    ) -> Result<(), Fault> {
        let everything = Scope::everything();
        let reader = store.reader(&everything)?;
        for id in ids {
            match reader.read(self.of, id)?.filter(|hit| !hit.deleted) {
                Some(hit) => {
                    let document = Document::parse(hit.body, &self.limits)?;
                    releases.put(id, document.root());
                }
                None => releases.remove(id),
            }
        }
        Ok(())
    }
}

/// In the words of the store. What is granted for some types only is left out: less is shown.
fn wishes(rules: PatientRules, who: &Who, purpose: Purpose) -> Wishes {
    let mut wishes = Wishes { granted: rules.granted.into_iter().collect(), ..Wishes::default() };
    // A restriction is on treatment, payment and operations (164.522(a)); whoever watches over
    // privacy must find the consent itself to keep it.
    if purpose == Purpose::Compliance {
        return wishes;
    }
    let keeps = each(who, |one| one.roles.iter().any(|role| KEEPERS.contains(&&**role)));
    for (patient, denials) in rules.denied {
        // It does not keep patients from their own record (164.524); an agent is none.
        if each(who, |one| one.own_record.iter().any(|own| **own == *patient)) {
            continue;
        }
        let each = denials.into_iter().filter_map(|one| denial(one, keeps));
        let denials: Vec<Denial> = each.collect();
        if !denials.is_empty() {
            wishes.denied.insert(patient, denials);
        }
    }
    wishes
}

/// Whether something holds of whoever asks and of everybody they act for.
fn each(who: &Who, holds: impl Fn(&Who) -> bool) -> bool {
    std::iter::successors(Some(who), |one| one.on_behalf_of.as_deref()).all(holds)
}

/// `None` when it names only records of no type that is stored: without records it would mean any.
/// Whoever keeps consents is denied none of them, unless it is named: a Consent that denies everything
/// must be found to be followed, and to be taken back.
fn denial(mut denial: consent::Denial, keeps: bool) -> Option<Denial> {
    let named = !denial.records.is_empty();
    let record = |text: &String| {
        let (of, id) = text.split_once('/')?;
        Some((r4().resource_type(of)?, id.to_owned()))
    };
    let records: BTreeSet<_> = denial.records.iter().filter_map(record).collect();
    if named && records.is_empty() {
        return None;
    }
    if keeps && !named {
        let types = denial.types.take().unwrap_or_else(|| ALL_TYPES.clone());
        let others = types.into_iter().filter(|of| Some(*of) != r4().resource_type("Consent"));
        denial.types = Some(others.collect());
    }
    if denial.types.as_ref().is_some_and(BTreeSet::is_empty) {
        return None;
    }
    Some(Denial { types: denial.types, labels: denial.labels, records })
}

/// What holds whichever of two purposes it is: granted by both, denied by either.
fn strictest(mut one: Wishes, two: Wishes) -> Wishes {
    one.granted.retain(|patient, labels| {
        *labels &= two.granted.get(patient).copied().unwrap_or_default();
        *labels != 0
    });
    for (patient, denials) in two.denied {
        let own = one.denied.entry(patient).or_default();
        for denial in denials {
            if !own.contains(&denial) {
                own.push(denial);
            }
        }
    }
    one
}
