//! What is done with an item: file, answer, hand on, take, give back, close; and take back what was done.
//! Each is one unit of work with one event, made from the version that was on the screen, for the patient
//! the form was opened for, by whoever is signed in and under no other name.
//!
//! That a result was reviewed is a Task of its own (<https://hl7.org/fhir/R4/task.html>): its focus is the
//! report, its input the very version that was read, its owner whoever reviewed it. The report stays as
//! the laboratory wrote it, and a corrected one has a version that nobody has filed.

use crate::cover::{called, nobody};
use crate::gather::{Review, TAKEN_FROM, WAITING, is_taken_from, opened, reviewed, reviews_of};
use crate::item::{Item, Kind, Seen, Whose};
use crate::read::{Reads, each, has_code, named, parsed, patient, text, type_of};
use crate::whom::{DESK, Desks, Me};
use crate::write::{self, typed};
use crate::{REVIEW, SYSTEM};
use base::error::code;
use base::{Fault, Millis};
use fhir::Value;
use fhir::reference::{Reference, parse};
use fhir::write::Writer;
use record::{Hit, Kind as Told, Session, Work, Worked};

/// For how long what was done can be taken back, as a step of a visit.
pub const UNDO_MINUTES: i64 = 30;
/// Results that are filed at once: more than one patient ever has waiting.
pub const FILE_MAX: usize = 50;
/// Records that one undo takes back: those of one filing.
pub const UNDO_MAX: usize = FILE_MAX;
const MINUTE_MS: i64 = 60_000;

/// What is done with one item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Act {
    /// A result was read by whoever asks, and nothing more is to be done.
    File,
    /// A message is answered, and so closed.
    Reply(String),
    /// It is handed to a practitioner or a pool.
    Forward {
        /// `Practitioner/1` or `CareTeam/1`.
        to: String,
        /// A note that goes along.
        note: String,
    },
    /// Whoever asks takes it from a pool, or from whom they cover for.
    Take,
    /// They give it back to where they took it from.
    GiveBack,
    /// A message or task is done.
    Close(String),
}

/// A version that an act wrote, to take it back by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Took {
    /// `Task` or `Communication`.
    pub kind: String,
    /// Its logical id.
    pub id: String,
    /// The version that was written.
    pub version: u64,
}

/// What became of an act.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Done {
    /// What can be taken back; empty when the same had been done before.
    pub undo: Vec<Took>,
}

enum Change {
    Create { kind: &'static str, body: Vec<u8>, unless: Option<String> },
    Update { kind: &'static str, hit: Hit, body: Vec<u8> },
}

/// Files results of one patient. Several at once only when each is plainly normal; any other is filed by
/// itself, once it was `opened`.
///
/// # Errors
/// `inbox.result.unopened`, `inbox.item.state`, `inbox.person.missing`; `charting.patient.other`;
/// `record.write.version-conflict`; as a write.
pub async fn file(
    session: &Session,
    me: &Me,
    patient: &str,
    (all, is_opened): (&[Seen], bool),
) -> Result<Done, Fault> {
    let mut reads = Reads::new(session);
    let outcome = filings(&mut reads, me, patient, (all, is_opened));
    let changes = reads.settle(outcome).await?;
    carry_out(session, changes).await
}

/// Does something with one item.
///
/// # Errors
/// As [`file`], and `inbox.value.invalid`.
pub async fn act(
    session: &Session,
    me: &Me,
    patient: &str,
    (seen, act): (&Seen, &Act),
) -> Result<Done, Fault> {
    if *act == Act::File {
        return file(session, me, patient, (std::slice::from_ref(seen), true)).await;
    }
    let mut reads = Reads::new(session);
    let outcome = changes(&mut reads, me, patient, (seen, act));
    let changes = reads.settle(outcome).await?;
    carry_out(session, changes).await
}

/// Takes back what was done: a record gets the version before again, one that was made is marked as
/// entered in error. Nothing is deleted.
///
/// # Errors
/// `inbox.item.state` after half an hour; `record.write.version-conflict` when it went on since;
/// `charting.patient.other`; as a write.
pub async fn undo(session: &Session, patient: &str, all: &[Took]) -> Result<Done, Fault> {
    if all.is_empty() || all.len() > UNDO_MAX {
        return Err(state("there is nothing to take back"));
    }
    let mut reads = Reads::new(session);
    let outcome = all.iter().map(|one| back(&mut reads, patient, one)).collect();
    let changes: Vec<Change> = reads.settle(outcome).await?;
    carry_out(session, changes).await
}

/// To whom something can be handed: the pools there are and the practitioners of the house, by reference
/// and name; two hundred of each at most.
///
/// # Errors
/// As a search.
pub async fn targets(session: &Session) -> Result<Vec<(String, String)>, Fault> {
    const MOST: &str = "200";
    let mut reads = Reads::new(session);
    let outcome = (|| {
        let mut all = Vec::new();
        let pools = [crate::whom::POOL, DESK].map(|code| format!("{SYSTEM}|{code}")).join(",");
        let query =
            [("category", pools), ("status", "active".to_owned()), ("_count", MOST.to_owned())];
        for hit in reads.search("CareTeam", &query)?.0 {
            all.push((format!("CareTeam/{}", hit.id), text(parsed(&hit)?.root(), "name")));
        }
        all.sort_by(|one, two| one.1.cmp(&two.1));
        let mut people = Vec::new();
        let query = [("active", "true".to_owned()), ("_count", MOST.to_owned())];
        for hit in reads.search("Practitioner", &query)?.0 {
            people.push((format!("Practitioner/{}", hit.id), called(parsed(&hit)?.root())));
        }
        people.retain(|(_, name)| !name.is_empty());
        people.sort_by(|one, two| one.1.cmp(&two.1));
        all.extend(people);
        Ok(all)
    })();
    reads.settle(outcome).await
}

/// Whoever acts: by reference and name.
struct By {
    reference: String,
    name: String,
    now: Millis,
}

fn by(reads: &Reads<'_>, me: &Me, must_own: bool) -> Result<By, Fault> {
    let now = reads.session.now();
    if let Some(signer) = reads.session.signer() {
        let reference = format!("Practitioner/{}", signer.practitioner);
        return Ok(By { reference, name: signer.display, now });
    }
    let reference = me.reference().filter(|_| !must_own).ok_or_else(nobody)?;
    Ok(By { reference, name: me.display.clone(), now })
}

/// The item as it is, held to the patient and to the version that was on the screen.
fn held(
    reads: &mut Reads<'_>,
    me: &Me,
    patient: &str,
    seen: &Seen,
) -> Result<(Item, Desks), Fault> {
    let (item, inbox) = opened(reads, me, seen.kind, &seen.id)?;
    about(item.patient.as_deref(), patient)?;
    if item.seen.kind != seen.kind || item.seen.version != seen.version {
        return Err(changed());
    }
    Ok((item, inbox.desks))
}

fn filings(
    reads: &mut Reads<'_>,
    me: &Me,
    patient: &str,
    (all, is_opened): (&[Seen], bool),
) -> Result<Vec<Change>, Fault> {
    if all.is_empty() || all.len() > FILE_MAX {
        let say = format!("choose 1 to {FILE_MAX} results");
        return Err(Fault::at(&code::INBOX_VALUE, say, "result"));
    }
    let by = by(reads, me, true)?;
    let mut changes = Vec::new();
    for (at, seen) in all.iter().enumerate() {
        if seen.kind != Kind::Result {
            return Err(state("only results are filed; close a task or a message"));
        }
        if all.iter().skip(at + 1).any(|other| other.id == seen.id) {
            continue;
        }
        let (item, _) = held(reads, me, patient, seen)?;
        if item.hidden > 0 {
            return Err(state(
                "the report has values that are not shown to you; hand it to somebody who may see them",
            ));
        }
        if !(item.is_plain() || is_opened && all.len() == 1) {
            let say = "open it first: only results that are plainly normal are filed from the list";
            return Err(Fault::new(&code::INBOX_UNOPENED, say));
        }
        changes.push(filing(reads, &by, &item)?);
    }
    Ok(changes)
}

fn filing(reads: &mut Reads<'_>, by: &By, item: &Item) -> Result<Change, Fault> {
    let version = format!("{}/_history/{}", of_report(item), item.seen.version);
    let finish = |out: &mut Writer| {
        out.member("status", "completed").member("lastModified", &by.now.to_instant());
        write::refer(out, "owner", (&by.reference, &by.name));
        out.key("executionPeriod").object().member("end", &by.now.to_instant()).end_object();
        out.key("input").array().object();
        write::own_code(out, "type", "reviewed-version");
        write::refer(out, "valueReference", (&version, ""));
        out.end_object().end_array().end_object();
    };
    let mut all = reviews_of(reads, &item.seen.id)?;
    let before = all.iter().filter(|review| review.filed.is_some()).count();
    all.retain(|review| review.is_open);
    match all.pop() {
        Some(review) => {
            let document = parsed(&review.hit)?;
            let but = ["status", "lastModified", "owner", "executionPeriod", "input"];
            let mut out = write::from(document.root(), &but);
            finish(&mut out);
            Ok(Change::Update { kind: "Task", hit: review.hit, body: out.finish() })
        }
        None => {
            // The same version is filed once more when one of its values was corrected since.
            let key = format!("{}.{}.{before}", item.seen.id, item.seen.version);
            let mut out = new_review(by, item, &key);
            finish(&mut out);
            let unless = Some(format!("identifier={SYSTEM}|{key}&status=completed"));
            Ok(Change::Create { kind: "Task", body: out.finish(), unless })
        }
    }
}

fn of_report(item: &Item) -> String {
    format!("DiagnosticReport/{}", item.seen.id)
}

fn open_review(reads: &mut Reads<'_>, item: &Item) -> Result<Option<Review>, Fault> {
    let mut all = reviews_of(reads, &item.seen.id)?;
    all.retain(|review| review.is_open);
    Ok(all.pop())
}

/// A Task that reviews a report, but for its status and owner.
fn new_review(by: &By, item: &Item, key: &str) -> Writer {
    let mut out = Writer::new();
    out.object().member("resourceType", "Task");
    out.key("identifier").array().object().member("system", SYSTEM).member("value", key);
    out.end_object().end_array();
    out.member("intent", "order");
    write::own_code(&mut out, "code", REVIEW);
    out.member("description", &item.title);
    write::refer(&mut out, "focus", (&of_report(item), ""));
    if let Some(patient) = &item.patient {
        write::refer(&mut out, "for", (&format!("Patient/{patient}"), ""));
    }
    out.member("authoredOn", &by.now.to_instant());
    write::refer(&mut out, "requester", (&by.reference, &by.name));
    out
}

fn changes(
    reads: &mut Reads<'_>,
    me: &Me,
    patient: &str,
    (seen, act): (&Seen, &Act),
) -> Result<Vec<Change>, Fault> {
    let (item, desks) = held(reads, me, patient, seen)?;
    let by = by(reads, me, matches!(act, Act::Take))?;
    match (seen.kind, act) {
        (_, Act::File) => Err(state("only results are filed")),
        (Kind::Message, Act::Reply(say)) => reply(reads, &by, &item, typed(say, "text", true)?),
        (_, Act::Reply(_)) => Err(state("only a message is answered")),
        (Kind::Message, act) => message(reads, &by, &item, act).map(|one| vec![one]),
        (_, act) => task(reads, &by, (&item, &desks), act).map(|one| vec![one]),
    }
}

/// To whom something is handed, and whether that is a pool of the front desk.
fn target(reads: &mut Reads<'_>, to: &str) -> Result<(String, String, bool), Fault> {
    let bad = || Fault::at(&code::INBOX_VALUE, "choose a person or a pool", "to");
    let Some(Reference::Relative(found)) = parse(to) else { return Err(bad()) };
    let kind = match found.resource_type {
        "Practitioner" => "Practitioner",
        "CareTeam" => "CareTeam",
        _ => return Err(bad()),
    };
    let hit = reads.read(kind, found.id, None).map_err(|_hidden| bad())?;
    let document = parsed(&hit)?;
    let root = document.root();
    let is = |code: &str| each(root, "category").any(|one| has_code(one, code));
    let is_pool = is(DESK) || is(crate::whom::POOL);
    match kind {
        "CareTeam" if !is_pool || text(root, "status") != "active" => Err(bad()),
        "CareTeam" => Ok((to.to_owned(), text(root, "name"), is(DESK))),
        _ => Ok((to.to_owned(), called(root), false)),
    }
}

/// The next version of a task, or of the task by which a result is reviewed.
fn task(
    reads: &mut Reads<'_>,
    by: &By,
    (item, desks): (&Item, &Desks),
    act: &Act,
) -> Result<Change, Fault> {
    let hit = match item.seen.kind {
        Kind::Task => Some(reads.read("Task", &item.seen.id, None)?),
        _ => open_review(reads, item)?.map(|review| review.hit),
    };
    let Some(hit) = hit else { return begin_review(reads, by, (item, desks), act) };
    let document = parsed(&hit)?;
    let root = document.root();
    let open = ["requested", "received", "accepted", "ready", "in-progress", "on-hold"];
    if !open.contains(&text(root, "status").as_str()) {
        return Err(state("it is done already"));
    }
    let (owner, name) = named(root.get("owner"));
    let is_mine = owner == by.reference;
    let but = ["status", "lastModified", "owner", "input", "note"];
    let mut out = write::from(root, &but);
    let mut desk = false;
    let (status, to, returns, say) = match act {
        Act::Take if is_mine => return Err(state("it is yours already")),
        Act::Take => {
            ("accepted", (by.reference.clone(), by.name.clone()), Returns::To(owner, name), "")
        }
        Act::GiveBack => {
            let before = each(root, "input").find(|one| is_mine && is_taken_from(*one));
            let before = named(before.and_then(|one| one.get("valueReference")));
            if before.0.is_empty() {
                return Err(state("it was not taken from anybody; hand it on instead"));
            }
            ("requested", before, Returns::Nowhere, "")
        }
        Act::Forward { to, note } => {
            let (reference, name, is_desk) = target(reads, to)?;
            if is_desk && item.seen.kind == Kind::Result {
                return Err(state("results are not handed to the front desk; send a task"));
            }
            desk = is_desk;
            ("requested", (reference, name), Returns::Nowhere, typed(note, "note", false)?)
        }
        Act::Close(_) if item.seen.kind == Kind::Result => {
            return Err(state("a result is filed, and not closed"));
        }
        Act::Close(note) => {
            // Who did it owns it; a pool is nobody.
            let owner = match by.reference.starts_with("Practitioner/") {
                true => (by.reference.clone(), by.name.clone()),
                false => (owner, name),
            };
            ("completed", owner, Returns::AsWas, typed(note, "note", false)?)
        }
        Act::File | Act::Reply(_) => return Err(state("this is not done with a task")),
    };
    if desk {
        out = write::from(root, &[&but[..], &["meta"]].concat());
        write::for_desk(&mut out, Some(root));
    }
    out.member("status", status).member("lastModified", &by.now.to_instant());
    if !to.0.is_empty() {
        write::refer(&mut out, "owner", (&to.0, &to.1));
    }
    returns.write(&mut out, Some(root));
    write::noted(&mut out, Some(root), &by.reference, by.now, say);
    out.end_object();
    Ok(Change::Update { kind: "Task", hit, body: out.finish() })
}

/// Where a task goes back to: an input of it, since R4 lets no `CareTeam` be the recipient of a restriction.
enum Returns {
    To(String, String),
    Nowhere,
    AsWas,
}

impl Returns {
    fn write(&self, out: &mut Writer, root: Option<Value<'_>>) {
        let keeps = matches!(self, Self::AsWas);
        let is_kept = |one: &Value<'_>| keeps || !is_taken_from(*one);
        let before: Vec<Value<'_>> =
            root.into_iter().flat_map(|root| each(root, "input")).filter(is_kept).collect();
        let to = match self {
            Self::To(reference, name) if !reference.is_empty() => Some((reference, name)),
            _ => None,
        };
        if before.is_empty() && to.is_none() {
            return;
        }
        out.key("input").array();
        for one in before {
            out.raw(one.raw().as_bytes());
        }
        if let Some((reference, name)) = to {
            out.object();
            write::own_code(out, "type", TAKEN_FROM);
            write::refer(out, "valueReference", (reference, name));
            out.end_object();
        }
        out.end_array();
    }
}

/// A task for a result that had none: it is handed on, or taken from whom one covers for.
fn begin_review(
    reads: &mut Reads<'_>,
    by: &By,
    (item, desks): (&Item, &Desks),
    act: &Act,
) -> Result<Change, Fault> {
    let key = format!("handed.{}", item.seen.id);
    let mut out = new_review(by, item, &key);
    out.member("lastModified", &by.now.to_instant());
    match (act, &item.whose) {
        (Act::Take, Whose::Covering(name)) => {
            let covered = desks.covered(by.now).into_iter().find(|one| one.1 == *name);
            let (reference, name) = covered.ok_or_else(|| state("the cover is over"))?;
            out.member("status", "accepted");
            write::refer(&mut out, "owner", (&by.reference, &by.name));
            Returns::To(reference.clone(), name.clone()).write(&mut out, None);
        }
        (Act::Take, Whose::Own) => return Err(state("it is yours already")),
        (Act::Forward { to, note }, _) => {
            let (reference, name, is_desk) = target(reads, to)?;
            if is_desk {
                return Err(state("results are not handed to the front desk; send a task"));
            }
            out.member("status", "requested");
            write::refer(&mut out, "owner", (&reference, &name));
            let say = typed(note, "note", false)?;
            write::noted(&mut out, None, &by.reference, by.now, say);
        }
        _ => return Err(state("nobody has taken it")),
    }
    out.end_object();
    let unless = format!("identifier={SYSTEM}|{key}&status=requested,accepted,in-progress");
    Ok(Change::Create { kind: "Task", body: out.finish(), unless: Some(unless) })
}

/// The next version of a message.
fn message(reads: &mut Reads<'_>, by: &By, item: &Item, act: &Act) -> Result<Change, Fault> {
    let hit = reads.read("Communication", &item.seen.id, None)?;
    let document = parsed(&hit)?;
    let root = document.root();
    waits(root)?;
    let all: Vec<(String, String)> = each(root, "recipient").map(|one| named(Some(one))).collect();
    let is_mine = all.iter().any(|(reference, _)| *reference == by.reference);
    let me = (by.reference.clone(), by.name.clone());
    let mut desk = false;
    let (status, whom, say) = match act {
        Act::Take if is_mine => return Err(state("it is yours already")),
        Act::Take if item.taken.is_some() => return Err(state("somebody else has taken it")),
        Act::Take => (WAITING, [all, vec![me]].concat(), ""),
        Act::GiveBack if !is_mine || all.len() < 2 => {
            return Err(state("it was not taken from anybody; hand it on instead"));
        }
        Act::GiveBack => (WAITING, all.into_iter().filter(|one| one.0 != me.0).collect(), ""),
        Act::Forward { to, note } => {
            let (reference, name, is_desk) = target(reads, to)?;
            desk = is_desk;
            (WAITING, vec![(reference, name)], typed(note, "note", false)?)
        }
        Act::Close(note) => ("completed", all, typed(note, "note", false)?),
        Act::File | Act::Reply(_) => return Err(state("this is not done with a message")),
    };
    let mut but = vec!["status", "recipient", "note"];
    but.extend(desk.then_some("meta"));
    let mut out = write::from(root, &but);
    if desk {
        write::for_desk(&mut out, Some(root));
    }
    out.member("status", status);
    if !whom.is_empty() {
        out.key("recipient").array();
        for (reference, name) in &whom {
            write::refer_item(&mut out, (reference, name));
        }
        out.end_array();
    }
    write::noted(&mut out, Some(root), &by.reference, by.now, say);
    out.end_object();
    Ok(Change::Update { kind: "Communication", hit, body: out.finish() })
}

/// The answer to a message, and the message closed.
fn reply(reads: &mut Reads<'_>, by: &By, item: &Item, say: &str) -> Result<Vec<Change>, Fault> {
    let hit = reads.read("Communication", &item.seen.id, None)?;
    let document = parsed(&hit)?;
    let root = document.root();
    waits(root)?;
    let mut closed = write::from(root, &["status"]);
    closed.member("status", "completed").end_object();
    let about = item.patient.as_ref().map(|id| format!("Patient/{id}"));
    let (to, name) = match named(root.get("sender")) {
        (to, _) if to.is_empty() => (about.clone().unwrap_or_default(), String::new()),
        sender => sender,
    };
    if to.is_empty() {
        return Err(state("it says neither who sent it nor whom it is about"));
    }
    // What goes to somebody of the house waits for them; what goes out is said.
    let is_inside = ["Practitioner/", "CareTeam/"].iter().any(|kind| to.starts_with(kind));
    let mut out = Writer::new();
    out.object().member("resourceType", "Communication");
    if !by.reference.starts_with("Practitioner/") {
        write::for_desk(&mut out, None);
    }
    out.key("inResponseTo").array();
    write::refer_item(&mut out, (&format!("Communication/{}", hit.id), ""));
    out.end_array().member("status", if is_inside { WAITING } else { "completed" });
    for name in ["category", "topic", "encounter"] {
        if let Some(value) = root.get(name) {
            out.key(name).raw(value.raw().as_bytes());
        }
    }
    if let Some(about) = &about {
        write::refer(&mut out, "subject", (about, ""));
    }
    out.member("sent", &by.now.to_instant());
    out.key("recipient").array();
    write::refer_item(&mut out, (&to, &name));
    out.end_array();
    write::refer(&mut out, "sender", (&by.reference, &by.name));
    out.key("payload").array().object().member("contentString", say).end_object().end_array();
    out.end_object();
    Ok(vec![
        Change::Update { kind: "Communication", hit, body: closed.finish() },
        Change::Create { kind: "Communication", body: out.finish(), unless: None },
    ])
}

fn waits(root: Value<'_>) -> Result<(), Fault> {
    if text(root, "status") == WAITING {
        return Ok(());
    }
    Err(state("it was answered or closed already"))
}

fn back(reads: &mut Reads<'_>, of: &str, took: &Took) -> Result<Change, Fault> {
    let kind = match took.kind.as_str() {
        "Task" => "Task",
        "Communication" => "Communication",
        _ => return Err(state("there is nothing to take back")),
    };
    let hit = reads.read(kind, &took.id, None)?;
    let document = parsed(&hit)?;
    let root = document.root();
    about(patient(root).as_deref(), of)?;
    if hit.version != took.version {
        return Err(changed());
    }
    if reads.session.now().0.saturating_sub(hit.last_updated.0) > UNDO_MINUTES * MINUTE_MS {
        return Err(state("it was done too long ago to be taken back"));
    }
    let body = if hit.version == 1 {
        // Only what an inbox made: nobody's order ends by an undo.
        let is_ours = reviewed(root).is_some() || each(root, "inResponseTo").next().is_some();
        if !is_ours {
            return Err(state("it was not made here"));
        }
        let mut out = write::from(root, &["status"]);
        out.member("status", "entered-in-error").end_object();
        out.finish()
    } else {
        let before = reads.read(kind, &took.id, Some(hit.version - 1))?;
        let before = parsed(&before)?;
        let mut out = write::from(before.root(), &["meta"]);
        out.end_object();
        out.finish()
    };
    Ok(Change::Update { kind, hit, body })
}

async fn carry_out(session: &Session, changes: Vec<Change>) -> Result<Done, Fault> {
    let mut again = false;
    let made = session.carry_out(Told::Operation, |session| {
        let mut work = Work::new();
        for change in &changes {
            match change {
                Change::Create { kind, body, unless: Some(unless) } => {
                    work.create_once(kind, body.clone(), unless);
                }
                Change::Create { kind, body, unless: None } => {
                    work.create(kind, body.clone());
                }
                Change::Update { kind, hit, body } => {
                    // Made anew when something came between: if that was this record, whoever asks has
                    // to look at it first.
                    let of = type_of(kind)?;
                    if again && session.read(of, &hit.id, None)?.value.version != hit.version {
                        return Err(changed());
                    }
                    work.update(kind, &hit.id, hit.version, body.clone());
                }
            }
        }
        again = true;
        Ok(work)
    });
    took(made.await?, &changes)
}

fn took(worked: Worked, changes: &[Change]) -> Result<Done, Fault> {
    let mut undo = Vec::new();
    for (answer, change) in worked.entries.into_iter().zip(changes) {
        let odd = || Fault::new(&code::INTERNAL, "a change was made and not answered");
        let place = answer.place.ok_or_else(odd)?;
        let kind = match change {
            // It had been made before, by somebody who pressed the same.
            Change::Create { .. } if answer.status != 201 => continue,
            Change::Create { kind, .. } | Change::Update { kind, .. } => (*kind).to_owned(),
        };
        undo.push(Took { kind, id: place.id, version: place.version });
    }
    Ok(Done { undo })
}

/// Holds what a record is about to what the form was opened for; empty for nobody.
fn about(found: Option<&str>, stated: &str) -> Result<(), Fault> {
    if found.unwrap_or_default() == stated {
        return Ok(());
    }
    let text = "the form was opened for another patient than the item is about; nothing was done";
    Err(Fault::new(&code::CHART_OTHER_PATIENT, text))
}

fn state(text: &str) -> Fault {
    Fault::new(&code::INBOX_STATE, text)
}

fn changed() -> Fault {
    Fault::new(&code::VERSION_CONFLICT, "somebody changed it since it was shown to you; look again")
}
