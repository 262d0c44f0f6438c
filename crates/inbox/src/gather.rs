//! What waits for somebody, gathered from the record under their own scope: results that nobody filed,
//! messages that nobody answered, tasks that are open. Nothing here is kept: it is asked anew each time.
//!
//! A result waits for whoever ordered it (`DiagnosticReport.basedOn`, its requester); one that nobody here
//! ordered, for the patient's general practitioner; one that was handed on, for whom it was handed to.

use crate::clock::{Rule, due};
use crate::item::{Item, Kind, Seen, Weight, Whose};
use crate::judge::{gravest, line};
use crate::order::{Group, group};
use crate::read::{Reads, concept, each, has_code, id_in, instant, named, parsed, patient, text};
use crate::whom::{Desks, Me, look};
use crate::{REVIEW, SYSTEM};
use base::{Fault, Millis};
use fhir::{Document, Value};
use record::{Hit, Session};
use std::collections::{BTreeMap, HashMap};

/// Days for which a result that nobody filed is asked after. An older one is in the chart, and in no inbox:
/// a house that begins with years of imported results would drown in them.
pub const RESULT_DAYS: i64 = 90;
/// Tasks and messages of one inbox.
const OPEN_MAX: usize = 200;
/// Results that are looked through for those nobody filed.
const RESULTS_MAX: usize = 500;
/// Values that are read at once.
const VALUES_MAX: usize = 500;
/// Statuses of a Task that is open.
const OPEN: &str = "requested,received,accepted,ready,in-progress,on-hold";
/// Statuses of a report that says something.
const SAYS: &str = "preliminary,final,amended,corrected,appended";
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

/// A Task by which somebody reviews a result.
#[derive(Debug, Clone)]
pub(crate) struct Review {
    pub(crate) hit: Hit,
    pub(crate) report: String,
    pub(crate) owner: (String, String),
    pub(crate) is_open: bool,
    /// The version of the report that was filed; none when nothing was.
    pub(crate) filed: Option<u64>,
    note: String,
    returns: bool,
}

struct Gathering {
    now: Millis,
    desks: Desks,
    people: HashMap<String, Hit>,
    items: Vec<Item>,
}

fn all(reads: &mut Reads<'_>, me: &Me) -> Result<Inbox, Fault> {
    let now = reads.session.now();
    let desks = look(reads, me)?;
    let references = desks.references(now);
    let mut of = Gathering { now, desks, people: HashMap::new(), items: Vec::new() };
    if references.is_empty() {
        return Ok(Inbox { desks: of.desks, ..Inbox::default() });
    }
    let whom = references.join(",");
    let handed = of.tasks(reads, ("owner", whom.clone()))?;
    of.messages(reads, ("recipient", whom))?;
    let mut reports: BTreeMap<String, (Hit, Whose)> = BTreeMap::new();
    let mut reviews: Vec<Review> = Vec::new();
    let mut found = |of: &mut Gathering, whose: &Whose, (hits, beside): (Vec<Hit>, Vec<Hit>)| {
        for hit in hits {
            reports.entry(hit.id.clone()).or_insert_with(|| (hit, whose.clone()));
        }
        reviews.extend(of.beside(beside));
    };
    if !handed.is_empty() {
        let ids = ("_id", handed.join(","));
        let hits = reads.search("DiagnosticReport", &reports_of(now, &[ids], false))?;
        found(&mut of, &Whose::Own, hits);
    }
    for (reference, whose) in of.whom() {
        for query in [
            vec![("based-on:ServiceRequest.requester", reference.clone())],
            vec![
                ("based-on:missing", "true".to_owned()),
                ("patient.general-practitioner", reference),
            ],
        ] {
            let hits = reads.search("DiagnosticReport", &reports_of(now, &query, true))?;
            found(&mut of, &whose, hits);
        }
    }
    of.results(reads, reports.into_values().collect(), &reviews, false)?;
    let Gathering { desks, people, items, .. } = of;
    Ok(Inbox { groups: group(items), people, desks, partial: false })
}

fn about(reads: &mut Reads<'_>, me: &Me, id: &str) -> Result<Vec<Item>, Fault> {
    let now = reads.session.now();
    let desks = look(reads, me)?;
    let mut of = Gathering { now, desks, people: HashMap::new(), items: Vec::new() };
    let whom = ("patient", format!("Patient/{id}"));
    of.tasks(reads, whom.clone())?;
    of.messages(reads, whom.clone())?;
    let (hits, beside) = reads.search("DiagnosticReport", &reports_of(now, &[whom], true))?;
    let reviews = of.beside(beside);
    let reports = hits.into_iter().map(|hit| (hit, Whose::Other(String::new()))).collect();
    of.results(reads, reports, &reviews, true)?;
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
    let now = reads.session.now();
    let desks = look(reads, me)?;
    let mut of = Gathering { now, desks, people: HashMap::new(), items: Vec::new() };
    let document = parsed(&hit)?;
    let root = document.root();
    let whose = of.whose_is(root, kind);
    match kind {
        Kind::Task => of.items.push(task(&hit, root, whose)),
        Kind::Message => of.items.push(message(&hit, root, whose)),
        Kind::Result => {
            let whose = of.ordered_by(reads, root)?;
            let reviews = reviews_of(reads, &hit.id)?;
            of.results(reads, vec![(hit, whose)], &reviews, true)?;
        }
    }
    let of_filed = |of: &Gathering| of.items.first().cloned();
    let gone = || Fault::new(&base::error::code::INBOX_STATE, "it was filed and waits no more");
    let item = of_filed(&of).ok_or_else(gone)?;
    if let Some(patient) = &item.patient
        && let Ok(person) = reads.read("Patient", patient, None)
    {
        of.people.insert(patient.clone(), person);
    }
    let Gathering { desks, people, .. } = of;
    Ok((item, Inbox { people, desks, ..Inbox::default() }))
}

/// How reports are asked for: with their patients and the tasks that review them.
fn reports_of(
    now: Millis,
    query: &[(&'static str, String)],
    lately: bool,
) -> Vec<(&'static str, String)> {
    let since = Millis(now.0.saturating_sub(RESULT_DAYS * DAY_MS)).to_instant();
    let mut all = query.to_vec();
    if lately {
        all.push(("issued", format!("ge{since}")));
        all.push(("_sort", "-issued".to_owned()));
    }
    all.push(("status", SAYS.to_owned()));
    all.push(("_include", "DiagnosticReport:patient".to_owned()));
    all.push(("_revinclude", "Task:focus".to_owned()));
    all.push(("_count", RESULTS_MAX.to_string()));
    all
}

/// The tasks that review a report.
pub(crate) fn reviews_of(reads: &mut Reads<'_>, report: &str) -> Result<Vec<Review>, Fault> {
    let query = [
        ("focus", format!("DiagnosticReport/{report}")),
        ("code", format!("{SYSTEM}|{REVIEW}")),
        ("_count", OPEN_MAX.to_string()),
    ];
    let (hits, _) = reads.search("Task", &query)?;
    Ok(hits.into_iter().filter_map(review).collect())
}

impl Gathering {
    /// Those whose results are asked for: oneself, and whom one covers for.
    fn whom(&self) -> Vec<(String, Whose)> {
        let own = self.desks.own.iter().map(|reference| (reference.clone(), Whose::Own));
        let covered = self.desks.covered(self.now).into_iter();
        own.chain(covered.map(|(id, name)| (id.clone(), Whose::Covering(name.clone())))).collect()
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
            None => Whose::Other(name.to_owned()),
        }
    }

    fn whose_is(&self, root: Value<'_>, kind: Kind) -> Whose {
        if kind == Kind::Task {
            let (reference, name) = named(root.get("owner"));
            return self.whose(&reference, &name);
        }
        // One of several recipients: the nearest to whoever asks.
        let rank = |whose: &Whose| match whose {
            Whose::Own => 0,
            Whose::Covering(_) => 1,
            Whose::Pool(_) => 2,
            Whose::Other(_) => 3,
        };
        let all = each(root, "recipient").map(|one| {
            let (reference, name) = named(Some(one));
            self.whose(&reference, &name)
        });
        all.min_by_key(rank).unwrap_or_else(|| Whose::Other(String::new()))
    }

    /// Who ordered a report, and so whose it is.
    fn ordered_by(&self, reads: &mut Reads<'_>, root: Value<'_>) -> Result<Whose, Fault> {
        let order =
            each(root, "basedOn").find_map(|one| id_in(&text(one, "reference"), "ServiceRequest"));
        let reference = match order {
            Some(id) => match reads.read("ServiceRequest", &id, None) {
                Ok(hit) => named(parsed(&hit)?.root().get("requester")),
                // An order that the caller may not see tells nothing.
                Err(_hidden) => Default::default(),
            },
            None => match patient(root).map(|id| reads.read("Patient", &id, None)) {
                Some(Ok(hit)) => {
                    let person = parsed(&hit)?;
                    let mut all = each(person.root(), "generalPractitioner");
                    let is_mine = |one: &Value<'_>| {
                        let reference = text(*one, "reference");
                        !matches!(self.whose(&reference, ""), Whose::Other(_))
                    };
                    named(all.find(is_mine))
                }
                _ => Default::default(),
            },
        };
        Ok(self.whose(&reference.0, &reference.1))
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
                "Task" => reviews.extend(review(hit)),
                _ => {}
            }
        }
        reviews
    }

    /// Adds the reports that nobody has filed; with `all`, those that others have as well.
    fn results(
        &mut self,
        reads: &mut Reads<'_>,
        reports: Vec<(Hit, Whose)>,
        reviews: &[Review],
        all: bool,
    ) -> Result<(), Fault> {
        let mut by: HashMap<&str, Vec<&Review>> = HashMap::new();
        for review in reviews {
            by.entry(&review.report).or_default().push(review);
        }
        let is_filed = |hit: &Hit| by.get(hit.id.as_str()).is_some_and(|all| last(all).is_some());
        let changed = match reports.iter().any(|(hit, _)| is_filed(hit)) {
            true => corrected_values(reads, self.now)?,
            false => HashMap::new(),
        };
        let mut waits: Vec<(Hit, Document, Whose, Option<Review>, bool)> = Vec::new();
        for (hit, whose) in reports {
            let document = parsed(&hit)?;
            let of = by.get(hit.id.as_str()).map(Vec::as_slice).unwrap_or_default();
            let open = of.iter().copied().find(|review| review.is_open).cloned();
            let filed = last(of);
            let since_filed = |(version, at): (u64, Millis)| {
                let later = |id: String| changed.get(&id).is_some_and(|changed| *changed > at);
                hit.version > version || values_of(document.root()).any(later)
            };
            // What was filed as it stands waits no more; a correction brings it back.
            if open.is_none() && filed.is_some_and(|filed| !since_filed(filed)) {
                continue;
            }
            let whose = match &open {
                Some(review) => match self.whose(&review.owner.0, &review.owner.1) {
                    // It was handed to somebody else, and waits for them.
                    Whose::Other(_) if !all => continue,
                    whose => whose,
                },
                None => whose,
            };
            waits.push((hit, document, whose, open, filed.is_some()));
        }
        let mut ids: Vec<String> =
            waits.iter().flat_map(|(_, document, ..)| values_of(document.root())).collect();
        ids.sort();
        ids.dedup();
        let mut values: HashMap<String, crate::Line> = HashMap::new();
        for some in ids.chunks(VALUES_MAX) {
            let query = [("_id", some.join(",")), ("_count", VALUES_MAX.to_string())];
            for hit in reads.search("Observation", &query)?.0 {
                let read = line(&hit.id, parsed(&hit)?.root());
                values.insert(hit.id, read);
            }
        }
        for (hit, document, whose, open, again) in waits {
            let item = result(&hit, document.root(), whose, &values);
            let is_handed = open.is_some();
            let (note, returns) = open.map(|one| (one.note, one.returns)).unwrap_or_default();
            self.items.push(Item { again, note, returns: is_handed && returns, ..item });
        }
        Ok(())
    }
}

/// The last filing among reviews: of which version of the report, and when.
fn last(all: &[&Review]) -> Option<(u64, Millis)> {
    let filed = all.iter().filter_map(|one| one.filed.map(|v| (v, one.hit.last_updated)));
    filed.max()
}

/// Values that were corrected lately, and when.
fn corrected_values(reads: &mut Reads<'_>, now: Millis) -> Result<HashMap<String, Millis>, Fault> {
    let since = Millis(now.0.saturating_sub(RESULT_DAYS * DAY_MS)).to_instant();
    let query = [
        ("status", "corrected,amended,entered-in-error".to_owned()),
        ("_lastUpdated", format!("ge{since}")),
        ("_count", VALUES_MAX.to_string()),
    ];
    let (hits, _) = reads.search("Observation", &query)?;
    Ok(hits.into_iter().map(|hit| (hit.id, hit.last_updated)).collect())
}

/// The ids of the values that a report names.
fn values_of<'v>(root: Value<'v>) -> impl Iterator<Item = String> + use<'v> {
    each(root, "result").filter_map(|one| id_in(&text(one, "reference"), "Observation"))
}

/// The report that a task reviews, when that is what it is for.
pub(crate) fn reviewed(root: Value<'_>) -> Option<String> {
    root.get("code").filter(|code| has_code(*code, REVIEW))?;
    id_in(&text(root.get("focus")?, "reference"), "DiagnosticReport")
}

fn review(hit: Hit) -> Option<Review> {
    let document = parsed(&hit).ok()?;
    let root = document.root();
    let report = reviewed(root)?;
    let status = text(root, "status");
    let version = || {
        let inputs = each(root, "input").filter_map(|one| one.get("valueReference"));
        let mut versions = inputs.filter_map(|one| {
            let reference = text(one, "reference");
            reference.rsplit_once("/_history/").and_then(|(_, version)| version.parse().ok())
        });
        versions.next()
    };
    Some(Review {
        report,
        owner: named(root.get("owner")),
        is_open: OPEN.split(',').any(|one| one == status),
        filed: (status == "completed").then(version).flatten(),
        note: last_note(root),
        returns: returns(root),
        hit,
    })
}

/// The code of the input of a task that says where it was taken from.
pub(crate) const TAKEN_FROM: &str = "taken-from";

/// Whether an input of a task says where it was taken from.
pub(crate) fn is_taken_from(input: Value<'_>) -> bool {
    input.get("type").is_some_and(|of| has_code(of, TAKEN_FROM))
}

/// Whether a task says where it was taken from.
fn returns(root: Value<'_>) -> bool {
    each(root, "input").any(is_taken_from)
}

fn last_note(root: Value<'_>) -> String {
    each(root, "note").last().map(|note| text(note, "text")).unwrap_or_default()
}

fn task(hit: &Hit, root: Value<'_>, whose: Whose) -> Item {
    let priority = text(root, "priority");
    let weight = match priority.as_str() {
        "stat" => Weight::Critical,
        "asap" | "urgent" => Weight::Abnormal,
        _ => Weight::Normal,
    };
    let code = root.get("code");
    let is = |name: &str| code.is_some_and(|code| has_code(code, name));
    let rule = match priority.as_str() {
        _ if is("access-request") => Rule::Access,
        _ if is("amendment-request") => Rule::Amendment,
        _ if is("accounting-request") => Rule::Accounting,
        "stat" => Rule::Stat,
        "asap" => Rule::Asap,
        "urgent" => Rule::Urgent,
        _ => Rule::Routine,
    };
    let stated = root.get("restriction").and_then(|one| one.get("period"));
    let stated = stated.and_then(|period| instant(period, &["end"]));
    let since = instant(root, &["authoredOn", "lastModified"]).unwrap_or(hit.last_updated);
    let description = text(root, "description");
    let called = code.map(concept).unwrap_or_default();
    let title = if description.is_empty() { called } else { description };
    Item {
        due: due(rule, since, stated),
        from: named(root.get("requester")).1,
        note: last_note(root),
        returns: returns(root),
        ..blank((Kind::Task, hit), patient(root), title, (weight, since), whose)
    }
}

fn message(hit: &Hit, root: Value<'_>, whose: Whose) -> Item {
    let is_urgent = matches!(text(root, "priority").as_str(), "urgent" | "asap" | "stat");
    let (weight, rule) = match is_urgent {
        true => (Weight::Abnormal, Rule::UrgentMessage),
        false => (Weight::Normal, Rule::Message),
    };
    let since = instant(root, &["sent", "received"]).unwrap_or(hit.last_updated);
    let topic = root.get("topic").map(concept).unwrap_or_default();
    let category = || each(root, "category").map(concept).next().unwrap_or_default();
    let title = if topic.is_empty() { category() } else { topic };
    let parts: Vec<String> = each(root, "payload")
        .map(|one| text(one, "contentString"))
        .filter(|text| !text.is_empty())
        .collect();
    // Who of a pool has taken it stands among the recipients beside the pool.
    let all: Vec<(String, String)> = each(root, "recipient").map(|one| named(Some(one))).collect();
    let has_pool = all.iter().any(|(reference, _)| reference.starts_with("CareTeam/"));
    let person = all.into_iter().find(|(reference, _)| reference.starts_with("Practitioner/"));
    Item {
        text: parts.join("\n\n"),
        due: due(rule, since, None),
        from: named(root.get("sender")).1,
        note: last_note(root),
        returns: has_pool && person.is_some(),
        taken: person.filter(|_| has_pool),
        ..blank((Kind::Message, hit), patient(root), title, (weight, since), whose)
    }
}

fn result(hit: &Hit, root: Value<'_>, whose: Whose, values: &HashMap<String, crate::Line>) -> Item {
    let named_values: Vec<String> = values_of(root).collect();
    let mut lines: Vec<crate::Line> =
        named_values.iter().filter_map(|id| values.get(id).cloned()).collect();
    let hidden = named_values.len() - lines.len();
    let weight = gravest(lines.iter().filter_map(|line| line.weight));
    // What stands out is read first.
    lines.sort_by_key(|line| line.weight);
    let corrected = matches!(text(root, "status").as_str(), "amended" | "corrected")
        || lines.iter().any(|line| line.corrected);
    let since = instant(root, &["issued", "effectiveDateTime"]).unwrap_or(hit.last_updated);
    let rule = match weight {
        Weight::Critical => Rule::Critical,
        Weight::Abnormal | Weight::Unjudged => Rule::Abnormal,
        Weight::Normal => Rule::Result,
    };
    let title = root.get("code").map(concept).unwrap_or_default();
    Item {
        text: text(root, "conclusion"),
        due: due(rule, since, None),
        from: each(root, "performer").map(|one| named(Some(one)).1).next().unwrap_or_default(),
        lines,
        hidden,
        corrected,
        ..blank((Kind::Result, hit), patient(root), title, (weight, since), whose)
    }
}

fn blank(
    (kind, hit): (Kind, &Hit),
    patient: Option<String>,
    title: String,
    (weight, since): (Weight, Millis),
    whose: Whose,
) -> Item {
    Item {
        seen: Seen { kind, id: hit.id.clone(), version: hit.version },
        patient,
        title,
        text: String::new(),
        from: String::new(),
        weight,
        since,
        due: due(Rule::Routine, since, None),
        whose,
        taken: None,
        returns: false,
        lines: Vec::new(),
        hidden: 0,
        corrected: false,
        again: false,
        note: String::new(),
    }
}
