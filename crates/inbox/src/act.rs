//! What is done with an item: file, answer, hand on, take, give back, close; and take back what was done.
//! Each is one unit of work with one event, made from the version that was on the screen, for the patient
//! the form was opened for, by whoever is signed in and under no other name.
//!
//! That a result was reviewed is a Task of its own (<https://hl7.org/fhir/R4/task.html>): its focus is the
//! report, its input the very version that was read, its owner whoever reviewed it. The report stays as
//! the laboratory wrote it, and a corrected one has a version that nobody has filed.

mod filing;
mod handing;
mod message;
mod undo;

use crate::SYSTEM;
use crate::cover::{called, nobody};
use crate::gather::opened;
use crate::item::{Item, Kind, Seen, Whose};
use crate::read::{Reads, parsed, text, type_of};
use crate::whom::{DESK, Desks, Me, POOL};
use crate::write::{By, typed};
use base::Fault;
use base::error::code;
use record::{Hit, Kind as Told, Session, Work, Worked};

pub use undo::undo;

/// For how long what was done can be taken back, as a step of a visit.
pub const UNDO_MINUTES: i64 = 30;
/// Results that are filed at once: more than one patient ever has waiting.
pub const FILE_MAX: usize = 50;
/// Records that one undo takes back: those of one filing.
pub const UNDO_MAX: usize = FILE_MAX;

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
    /// What was written; empty when the same had been done before.
    pub took: Vec<Took>,
    /// Takes it back ([`undo`]), for whoever did it and nobody else; empty when nothing was written.
    pub undo: String,
}

enum Change {
    Create { kind: &'static str, body: Vec<u8>, unless: Option<String> },
    Update { kind: &'static str, hit: Hit, body: Vec<u8> },
}

/// Files results of one patient. Several at once only when each is plainly normal; any other is filed by
/// itself, once it was `opened`.
///
/// # Errors
/// `inbox.result.unopened`, `inbox.result.changed`, `inbox.item.state`, `inbox.person.missing`;
/// `charting.patient.other`; `record.write.version-conflict`; as a write.
pub async fn file(
    session: &Session,
    me: &Me,
    patient: &str,
    (all, is_opened): (&[Seen], bool),
) -> Result<Done, Fault> {
    let mut reads = Reads::new(session);
    let outcome = filing::filings(&mut reads, me, patient, (all, is_opened));
    let changes = reads.settle(outcome).await?;
    carry_out(session, patient, changes).await
}

/// Does something with one item.
///
/// # Errors
/// As [`file`], and `inbox.value.invalid`, `inbox.target.unseen`.
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
    carry_out(session, patient, changes).await
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
        let pools = [POOL, DESK].map(|code| format!("{SYSTEM}|{code}")).join(",");
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

/// Who acts. A person who is a practitioner by that; any other, where somebody may act without being one,
/// by the id of the access log and what they are called: it was a person, and no organization.
fn by(reads: &Reads<'_>, me: &Me, must_own: bool) -> Result<By, Fault> {
    let (now, who) = (reads.session.now(), reads.session.who().to_owned());
    if let Some(signer) = reads.session.signer() {
        let own = Some(format!("Practitioner/{}", signer.practitioner));
        return Ok(By { own, name: signer.display, who, now });
    }
    if must_own || me.reference().is_none() {
        return Err(nobody());
    }
    Ok(By { own: None, name: me.display.clone(), who, now })
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

/// What waits for another person is theirs to deal with; whoever covers for them is among those it waits
/// for.
fn theirs(item: &Item) -> Result<(), Fault> {
    match item.whose {
        Whose::Other(_) => {
            Err(state("it waits for somebody else: cover for them first, or ask them"))
        }
        _ => Ok(()),
    }
}

fn changes(
    reads: &mut Reads<'_>,
    me: &Me,
    patient: &str,
    (seen, act): (&Seen, &Act),
) -> Result<Vec<Change>, Fault> {
    let (item, desks) = held(reads, me, patient, seen)?;
    let by = by(reads, me, matches!(act, Act::Take))?;
    if matches!(act, Act::Take | Act::Forward { .. }) {
        theirs(&item)?;
    }
    let item = (&item, &desks);
    match (seen.kind, act) {
        (_, Act::File) => Err(state("only results are filed")),
        (Kind::Message, Act::Reply(say)) => {
            message::reply(reads, &by, item, typed(say, "text", true)?)
        }
        (_, Act::Reply(_)) => Err(state("only a message is answered")),
        (Kind::Message, act) => message::message(reads, &by, item, act).map(|one| vec![one]),
        (_, act) => handing::task(reads, &by, item, act).map(|one| vec![one]),
    }
}

async fn carry_out(session: &Session, patient: &str, changes: Vec<Change>) -> Result<Done, Fault> {
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
    let took = took(made.await?, &changes)?;
    let undo = undo::seal(session, patient, &took);
    Ok(Done { took, undo })
}

fn took(worked: Worked, changes: &[Change]) -> Result<Vec<Took>, Fault> {
    let mut all = Vec::new();
    for (answer, change) in worked.entries.into_iter().zip(changes) {
        let odd = || Fault::new(&code::INTERNAL, "a change was made and not answered");
        let place = answer.place.ok_or_else(odd)?;
        let kind = match change {
            // It had been made before, by somebody who pressed the same.
            Change::Create { .. } if answer.status != 201 => continue,
            Change::Create { kind, .. } | Change::Update { kind, .. } => (*kind).to_owned(),
        };
        all.push(Took { kind, id: place.id, version: place.version });
    }
    Ok(all)
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
