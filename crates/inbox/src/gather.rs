//! What waits for somebody, gathered from the record under their own scope: results that nobody filed,
//! messages that nobody answered, tasks that are open. Nothing here is kept: it is asked anew each time.
//! For whom a result waits stands in `owner.rs`, what was filed in `reviews.rs`.

use crate::item::{Item, Kind, Line, Whose};
use crate::items::{message, result, since, task};
use crate::judge::line;
use crate::order::{Group, group};
use crate::owner::Owners;
use crate::read::{Reads, each, id_in, named, parsed, patient, text};
use crate::reviews::{Changed, Review, is_as_filed, last, named_values, reviewed};
use crate::whom::{Desks, Me, look};
use crate::{REVIEW, SYSTEM};
use base::error::code;
use base::{Fault, Millis};
use fhir::{Document, Value};
use record::{Hit, Session};
use std::collections::{BTreeMap, HashMap};

/// Days for which a result that nobody filed is asked after. An older one is in the chart, and in no inbox:
/// a house that begins with years of imported results would drown in them.
pub const RESULT_DAYS: i64 = 90;
/// Tasks and messages of one inbox.
const OPEN_MAX: usize = 200;
/// Results that are looked through for those nobody filed, of one question; and of one page of it.
const RESULTS_MAX: usize = 2_000;
const RESULTS_PAGE: usize = 500;
/// Values that are read at once.
const VALUES_MAX: usize = 500;
/// Statuses of a Task that is open.
pub(crate) const OPEN: &str = "requested,received,accepted,ready,in-progress,on-hold";
/// Statuses of a report that says something: all but that it was registered. That it will not come, or
/// was entered in error, is something too.
const SAYS: &str =
    "partial,preliminary,final,amended,corrected,appended,cancelled,entered-in-error,unknown";
/// The status of a message that nobody has dealt with; who answers or closes it sets `completed`.
pub(crate) const WAITING: &str = "in-progress";
const DAY_MS: i64 = 86_400_000;

/// What waits for somebody.
#[derive(Clone, Default)]
pub struct Inbox {
    /// By patient, gravest first.
    pub groups: Vec<Group>,
    /// The patients of it, by id, as far as the caller may see them.
    pub people: HashMap<String, Hit>,
    /// The pools and covers of whoever asks.
    pub desks: Desks,
    /// There is more than one inbox holds.
    pub partial: bool,
}

impl std::fmt::Debug for Inbox {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Inbox({} groups ‹phi›)", self.groups.len())
    }
}

impl Inbox {
    /// Every item, in order.
    pub fn items(&self) -> impl Iterator<Item = &Item> {
        self.groups.iter().flat_map(|group| &group.items)
    }
}

/// What waits for whoever asks.
///
/// # Errors
/// As a search.
pub async fn gather(session: &Session, me: &Me) -> Result<Inbox, Fault> {
    let mut reads = Reads::new(session);
    let outcome = all(&mut reads, me);
    let partial = reads.partial;
    let inbox = reads.settle(outcome).await?;
    Ok(Inbox { partial, ..inbox })
}

/// What waits about one patient, whoever it waits for.
///
/// # Errors
/// As a search.
pub async fn of_patient(session: &Session, me: &Me, id: &str) -> Result<Vec<Item>, Fault> {
    let mut reads = Reads::new(session);
    let outcome = about(&mut reads, me, id);
    reads.settle(outcome).await
}

/// One item as it is now, whoever it waits for, and with its patient; none of it when the caller may not
/// see its record. A task by which a result is reviewed is answered as the result.
///
/// # Errors
/// As a read.
pub async fn one(
    session: &Session,
    me: &Me,
    (kind, id): (Kind, &str),
) -> Result<(Item, Inbox), Fault> {
    let mut reads = Reads::new(session);
    let outcome = opened(&mut reads, me, kind, id);
    reads.settle(outcome).await
}

struct Gathering {
    now: Millis,
    desks: Desks,
    people: HashMap<String, Hit>,
    owners: Owners,
    items: Vec<Item>,
}

/// Of which time reports are asked for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Window {
    /// Whenever it was.
    Any,
    /// Issued lately.
    Issued,
    /// Of a report that does not say when it was issued: written here lately.
    Written,
}

fn all(reads: &mut Reads<'_>, me: &Me) -> Result<Inbox, Fault> {
    let mut of = Gathering::new(reads, me, false)?;
    let references = of.desks.references(of.now);
    if references.is_empty() && !of.owners.asks() {
        return Ok(Inbox { desks: of.desks, ..Inbox::default() });
    }
    let mut handed = Vec::new();
    if !references.is_empty() {
        let whom = references.join(",");
        handed = of.tasks(reads, ("owner", whom.clone()))?;
        of.messages(reads, ("recipient", whom))?;
    }
    let mut reports: BTreeMap<String, Hit> = BTreeMap::new();
    let mut reviews: Vec<Review> = Vec::new();
    for some in handed.chunks(VALUES_MAX) {
        let ids = ("_id", some.join(","));
        reviews.extend(of.reports(reads, (&[ids], Window::Any), &mut reports)?);
    }
    for query in of.owners.questions(reads)? {
        for window in [Window::Issued, Window::Written] {
            let query = std::slice::from_ref(&query);
            match of.reports(reads, (query, window), &mut reports) {
                Ok(found) => reviews.extend(found),
                // One question that costs too much does not keep the answers of the others back; that
                // something is missing is said.
                Err(fault) if fault.code() == &code::SEARCH_TOO_COSTLY => reads.partial = true,
                Err(fault) => return Err(fault),
            }
        }
    }
    of.results(reads, reports.into_values().collect(), &reviews, false)?;
    let Gathering { desks, people, items, .. } = of;
    Ok(Inbox { groups: group(items), people, desks, partial: false })
}

fn about(reads: &mut Reads<'_>, me: &Me, id: &str) -> Result<Vec<Item>, Fault> {
    let mut of = Gathering::new(reads, me, false)?;
    let whom = ("patient", format!("Patient/{id}"));
    of.tasks(reads, whom.clone())?;
    of.messages(reads, whom.clone())?;
    let mut reports = BTreeMap::new();
    let mut reviews = Vec::new();
    for window in [Window::Issued, Window::Written] {
        let query = std::slice::from_ref(&whom);
        reviews.extend(of.reports(reads, (query, window), &mut reports)?);
    }
    of.results(reads, reports.into_values().collect(), &reviews, true)?;
    Ok(group(of.items).into_iter().flat_map(|group| group.items).collect())
}

pub(crate) fn opened(
    reads: &mut Reads<'_>,
    me: &Me,
    kind: Kind,
    id: &str,
) -> Result<(Item, Inbox), Fault> {
    let mut hit = reads.read(kind.resource_type(), id, None)?;
    let mut kind = kind;
    if kind == Kind::Task
        && let Some(report) = reviewed(parsed(&hit)?.root())
    {
        hit = reads.read("DiagnosticReport", &report, None)?;
        kind = Kind::Result;
    }
    let mut of = Gathering::new(reads, me, true)?;
    let document = parsed(&hit)?;
    let root = document.root();
    let about = patient(root);
    let whose = of.whose_is(root, kind);
    match kind {
        Kind::Task => of.items.push(task(&hit, root, whose)),
        Kind::Message => of.items.push(message(&hit, root, whose)),
        Kind::Result => {
            let reviews = reviews_of(reads, &hit.id)?;
            of.results(reads, vec![hit], &reviews, true)?;
        }
    }
    let gone = || Fault::new(&code::INBOX_STATE, "it was filed and waits no more");
    let item = of.items.first().cloned().ok_or_else(gone)?;
    if let Some(patient) = about
        && !of.people.contains_key(&patient)
        && let Ok(person) = reads.read("Patient", &patient, None)
    {
        of.people.insert(patient, person);
    }
    let Gathering { desks, people, .. } = of;
    Ok((item, Inbox { people, desks, ..Inbox::default() }))
}

/// How reports are asked for: with their patients, their orders and the tasks that review them.
fn reports_of(
    now: Millis,
    query: &[(&'static str, String)],
    window: Window,
) -> Vec<(&'static str, String)> {
    let since = format!("ge{}", earliest(now).to_instant());
    let mut all = query.to_vec();
    match window {
        Window::Any => {}
        Window::Issued => {
            all.push(("issued", since));
            all.push(("_sort", "-issued".to_owned()));
        }
        Window::Written => {
            all.push(("issued:missing", "true".to_owned()));
            all.push(("_lastUpdated", since));
        }
    }
    all.push(("status", SAYS.to_owned()));
    all.push(("_include", "DiagnosticReport:patient".to_owned()));
    all.push(("_include", "DiagnosticReport:based-on:ServiceRequest".to_owned()));
    all.push(("_revinclude", "Task:focus".to_owned()));
    all.push(("_count", RESULTS_PAGE.to_string()));
    all
}

/// The earliest instant of a result that is asked after.
fn earliest(now: Millis) -> Millis {
    Millis(now.0.saturating_sub(RESULT_DAYS * DAY_MS))
}

/// The tasks that review a report.
pub(crate) fn reviews_of(reads: &mut Reads<'_>, report: &str) -> Result<Vec<Review>, Fault> {
    let query = [
        ("focus", format!("DiagnosticReport/{report}")),
        ("code", format!("{SYSTEM}|{REVIEW}")),
        ("_count", OPEN_MAX.to_string()),
    ];
    let (hits, _) = reads.search("Task", &query)?;
    Ok(hits.into_iter().filter_map(Review::of).collect())
}

impl Gathering {
    /// For whoever asks; of one record alone, what is not at hand is read.
    fn new(reads: &mut Reads<'_>, me: &Me, alone: bool) -> Result<Self, Fault> {
        let now = reads.session.now();
        let desks = look(reads, me)?;
        let owners = Owners::new(me, &desks, now, alone);
        Ok(Self { now, desks, people: HashMap::new(), owners, items: Vec::new() })
    }

    /// Asks for reports, and keeps them once each; answers the reviews beside them.
    fn reports(
        &mut self,
        reads: &mut Reads<'_>,
        (query, window): (&[(&'static str, String)], Window),
        into: &mut BTreeMap<String, Hit>,
    ) -> Result<Vec<Review>, Fault> {
        let query = reports_of(self.now, query, window);
        let (hits, beside) = reads.search_all("DiagnosticReport", &query, RESULTS_MAX)?;
        for hit in hits {
            // What was written here lately may be of years ago.
            let is_old = || Ok::<_, Fault>(since(&hit, parsed(&hit)?.root()) < earliest(self.now));
            if window == Window::Written && is_old()? {
                continue;
            }
            into.insert(hit.id.clone(), hit);
        }
        Ok(self.beside(beside))
    }

    /// Why something that is somebody's waits for whoever asks.
    fn whose(&self, reference: &str, name: &str) -> Whose {
        if self.desks.own.as_deref() == Some(reference) {
            return Whose::Own;
        }
        let pool = |id: &str| self.desks.pools.iter().find(|pool| pool.id == id);
        if let Some(pool) = id_in(reference, "CareTeam").and_then(|id| pool(&id)) {
            return Whose::Pool(pool.name.clone());
        }
        let covered = self.desks.covered(self.now);
        match covered.into_iter().find(|(one, _)| one == reference) {
            Some((_, name)) => Whose::Covering(name.clone()),
            None if reference.is_empty() => Whose::Nobody,
            None => Whose::Other(name.to_owned()),
        }
    }

    fn whose_is(&self, root: Value<'_>, kind: Kind) -> Whose {
        if kind == Kind::Task {
            let (reference, name) = named(root.get("owner"));
            return self.whose(&reference, &name);
        }
        // One of several recipients: the nearest to whoever asks.
        let all = each(root, "recipient").map(|one| {
            let (reference, name) = named(Some(one));
            self.whose(&reference, &name)
        });
        all.min_by_key(Whose::rank).unwrap_or(Whose::Nobody)
    }

    /// The open tasks; answers the reports that were handed on to whoever asks.
    fn tasks(
        &mut self,
        reads: &mut Reads<'_>,
        whom: (&'static str, String),
    ) -> Result<Vec<String>, Fault> {
        let query = [
            whom,
            ("status", OPEN.to_owned()),
            ("_include", "Task:patient".to_owned()),
            ("_sort", "authored-on".to_owned()),
            ("_count", OPEN_MAX.to_string()),
        ];
        let (hits, beside) = reads.search("Task", &query)?;
        self.beside(beside);
        let mut handed = Vec::new();
        for hit in hits {
            let document = parsed(&hit)?;
            let root = document.root();
            match reviewed(root) {
                Some(report) => handed.push(report),
                None => self.items.push(task(&hit, root, self.whose_is(root, Kind::Task))),
            }
        }
        Ok(handed)
    }

    fn messages(
        &mut self,
        reads: &mut Reads<'_>,
        whom: (&'static str, String),
    ) -> Result<(), Fault> {
        let query = [
            whom,
            ("status", WAITING.to_owned()),
            ("_include", "Communication:patient".to_owned()),
            ("_sort", "sent".to_owned()),
            ("_count", OPEN_MAX.to_string()),
        ];
        let (hits, beside) = reads.search("Communication", &query)?;
        self.beside(beside);
        for hit in hits {
            let document = parsed(&hit)?;
            let root = document.root();
            self.items.push(message(&hit, root, self.whose_is(root, Kind::Message)));
        }
        Ok(())
    }

    /// What came beside the matches: patients are kept, reviews answered.
    fn beside(&mut self, all: Vec<Hit>) -> Vec<Review> {
        let mut reviews = Vec::new();
        for hit in all {
            match fhir::definitions::r4().name(hit.resource_type) {
                "Patient" => drop(self.people.insert(hit.id.clone(), hit)),
                "ServiceRequest" => self.owners.keep(hit),
                "Task" => reviews.extend(Review::of(hit)),
                _ => {}
            }
        }
        reviews
    }

    /// Adds the reports that nobody has filed; with `all`, those that others have as well.
    fn results(
        &mut self,
        reads: &mut Reads<'_>,
        reports: Vec<Hit>,
        reviews: &[Review],
        all: bool,
    ) -> Result<(), Fault> {
        let mut by: HashMap<&str, Vec<&Review>> = HashMap::new();
        for review in reviews {
            by.entry(&review.report).or_default().push(review);
        }
        let mut read: Vec<(Hit, Document, Vec<&Review>)> = Vec::new();
        for hit in reports {
            let document = parsed(&hit)?;
            let about = patient(document.root());
            let mut of = by.get(hit.id.as_str()).cloned().unwrap_or_default();
            // A review for another patient than the report's is none of it.
            of.retain(|review| review.patient == about);
            read.push((hit, document, of));
        }
        let changed = changed_values(reads, &read)?;
        let mut waits: Vec<(Hit, Document, Whose, Option<&Review>, bool)> = Vec::new();
        for (hit, document, of) in read {
            let root = document.root();
            let filed = last(&of, hit.version);
            let open = of.iter().copied().find(|review| review.is_open);
            let is_filed =
                filed.is_some_and(|filed| is_as_filed(filed, hit.version, root, &changed));
            // What was filed as it stands waits no more; a correction brings it back. What was withdrawn
            // before anybody read it tells nobody anything.
            let is_withdrawn = text(root, "status") == "entered-in-error";
            if open.is_none() && (is_filed || is_withdrawn && filed.is_none()) {
                continue;
            }
            let whose = self.whose_result(reads, root, open)?;
            // It was handed to somebody else, or is another's from the beginning, and waits for them.
            if all || whose.is_theirs() {
                waits.push((hit, document, whose, open, filed.is_some()));
            }
        }
        let values = self.values(reads, &waits)?;
        for (hit, document, whose, open, again) in waits {
            let item = result(&hit, document.root(), whose, &values);
            let (note, returns) =
                open.map(|one| (one.note.clone(), one.returns)).unwrap_or_default();
            self.items.push(Item { again, note, returns, ..item });
        }
        Ok(())
    }

    /// Whose a result is: of whom it was handed to, while somebody can sign in as them; else as orders and
    /// general practitioners say.
    fn whose_result(
        &mut self,
        reads: &mut Reads<'_>,
        root: Value<'_>,
        open: Option<&Review>,
    ) -> Result<Whose, Fault> {
        if let Some(review) = open {
            let whose = self.whose(&review.owner.0, &review.owner.1);
            let is_there = match whose {
                Whose::Other(_) => self.owners.is_there(reads, &review.owner.0)?,
                Whose::Nobody => false,
                _ => true,
            };
            if is_there {
                return Ok(whose);
            }
        }
        let person = match patient(root) {
            Some(id) if self.people.contains_key(&id) => self.people.get(&id).cloned(),
            Some(id) => self.owners.read(reads, "Patient", &id),
            None => None,
        };
        let person = person.as_ref().map(parsed).transpose()?;
        self.owners.of(reads, root, person.as_ref().map(Document::root))
    }

    /// The values of those that wait.
    fn values(
        &self,
        reads: &mut Reads<'_>,
        waits: &[(Hit, Document, Whose, Option<&Review>, bool)],
    ) -> Result<HashMap<String, Line>, Fault> {
        let mut ids: Vec<String> =
            waits.iter().flat_map(|(_, document, ..)| named_values(document.root())).collect();
        ids.sort();
        ids.dedup();
        let mut values: HashMap<String, Line> = HashMap::new();
        for some in ids.chunks(VALUES_MAX) {
            let query = [("_id", some.join(",")), ("_count", VALUES_MAX.to_string())];
            for hit in reads.search("Observation", &query)?.0 {
                let read = line(&hit.id, parsed(&hit)?.root());
                values.insert(hit.id, Line { version: hit.version, ..read });
            }
        }
        Ok(values)
    }
}

/// Of the values of filed reports, those that were written since the first of them was filed.
fn changed_values(
    reads: &mut Reads<'_>,
    reports: &[(Hit, Document, Vec<&Review>)],
) -> Result<Changed, Fault> {
    let (mut ids, mut first) = (Vec::new(), Millis(i64::MAX));
    for (hit, document, of) in reports {
        let Some(filed) = last(of, hit.version).filter(|filed| filed.version == hit.version) else {
            continue;
        };
        first = first.min(filed.at);
        ids.extend(named_values(document.root()));
    }
    ids.sort();
    ids.dedup();
    let since = Millis(first.0.max(0)).to_instant();
    let mut changed = Changed::new();
    for some in ids.chunks(VALUES_MAX) {
        let query = [
            ("_id", some.join(",")),
            ("_lastUpdated", format!("ge{since}")),
            ("_count", VALUES_MAX.to_string()),
        ];
        for hit in reads.search("Observation", &query)?.0 {
            let status = text(parsed(&hit)?.root(), "status");
            let is_corrected = crate::judge::CORRECTED.contains(&status.as_str());
            changed.insert(hit.id, (hit.version, hit.last_updated, is_corrected));
        }
    }
    Ok(changed)
}
