//! Messages: answered, handed on, taken, given back and closed. A message has several recipients, and
//! whoever hands it on moves their own part of it alone.

use super::handing::target;
use super::{Act, Change, state};
use crate::gather::WAITING;
use crate::item::{Item, Whose};
use crate::read::{Reads, each, id_in, named, parsed, text};
use crate::whom::Desks;
use crate::write::{self, By, PERSON, typed};
use base::Fault;
use fhir::Value;
use fhir::write::Writer;

/// The next version of a message.
pub(super) fn message(
    reads: &mut Reads<'_>,
    by: &By,
    (item, desks): (&Item, &Desks),
    act: &Act,
) -> Result<Change, Fault> {
    let hit = reads.read("Communication", &item.seen.id, None)?;
    let document = parsed(&hit)?;
    let root = document.root();
    waits(root)?;
    let all = recipients(root);
    let is_mine = all.iter().any(|(reference, _)| by.is(reference));
    let mut desk = false;
    let (status, whom, say) = match act {
        Act::Take if is_mine => return Err(state("it is yours already")),
        Act::Take if item.taken.is_some() => return Err(state("somebody else has taken it")),
        Act::Take => (WAITING, [all, vec![by.owner()?]].concat(), ""),
        Act::GiveBack if !is_mine || all.len() < 2 => {
            return Err(state("it was not taken from anybody; hand it on instead"));
        }
        Act::GiveBack => (WAITING, all.into_iter().filter(|one| !by.is(&one.0)).collect(), ""),
        Act::Forward { to, note } => {
            let (reference, name, is_desk) = target(reads, item, to)?;
            desk = is_desk;
            let is_moved = |one: &str| match item.whose {
                Whose::Own => by.is(one) || is_pool(desks, one),
                Whose::Pool(_) => is_pool(desks, one),
                Whose::Covering(_) => desks.covered(by.now).iter().any(|of| of.0 == one),
                _ => false,
            };
            // Whom it waits for beside, it goes on to wait for.
            let mut whom = all;
            whom.retain(|one| !is_moved(&one.0) && one.0 != reference);
            whom.push((reference, name));
            (WAITING, whom, typed(note, "note", false)?)
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
    write::noted(&mut out, Some(root), by, say);
    out.end_object();
    Ok(Change::Update { kind: "Communication", hit, body: out.finish() })
}

/// The answer to a message, and the message closed.
pub(super) fn reply(
    reads: &mut Reads<'_>,
    by: &By,
    (item, desks): (&Item, &Desks),
    say: &str,
) -> Result<Vec<Change>, Fault> {
    let hit = reads.read("Communication", &item.seen.id, None)?;
    let document = parsed(&hit)?;
    let root = document.root();
    waits(root)?;
    let mut closed = write::from(root, &["status"]);
    closed.member("status", "completed").end_object();
    let about = item.patient.as_ref().map(|id| format!("Patient/{id}"));
    let (to, name, to_desk) = answer_to(reads, root, about.as_deref())?;
    // What goes to somebody of the house waits for them; what goes out is said.
    let is_inside = ["Practitioner", "CareTeam"].iter().any(|kind| id_in(&to, kind).is_some());
    // What the desk says, and what is said to it, it may see, whoever sits there.
    let of_desk = |one: &(String, String)| {
        let mut pools = desks.pools.iter().filter(|pool| pool.is_desk);
        pools.any(|pool| one.0 == format!("CareTeam/{}", pool.id))
    };
    let mut out = Writer::new();
    out.object().member("resourceType", "Communication");
    if to_desk || by.own.is_none() || recipients(root).iter().any(of_desk) {
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
    by.refer(&mut out, "sender");
    out.key("payload").array().object().member("contentString", say).end_object().end_array();
    out.end_object();
    Ok(vec![
        Change::Update { kind: "Communication", hit, body: closed.finish() },
        Change::Create { kind: "Communication", body: out.finish(), unless: None },
    ])
}

/// To whom an answer goes: to whoever sent the message; of somebody who is no practitioner, to the pool
/// that they answered for; of nobody, to the patient. And whether that is the desk.
fn answer_to(
    reads: &mut Reads<'_>,
    root: Value<'_>,
    about: Option<&str>,
) -> Result<(String, String, bool), Fault> {
    let sender = root.get("sender");
    let (to, name) = named(sender);
    let identifier = sender.and_then(|sender| sender.get("identifier"));
    let is_person = identifier.is_some_and(|one| text(one, "system") == PERSON);
    if !to.is_empty() && !is_person {
        return Ok((to, name, false));
    }
    if !is_person {
        let nobody = || state("it says neither who sent it nor whom it is about");
        return about.map(|about| (about.to_owned(), String::new(), false)).ok_or_else(nobody);
    }
    let before =
        each(root, "inResponseTo").find_map(|one| id_in(&text(one, "reference"), "Communication"));
    if let Some(before) = before {
        let asked = parsed(&reads.read("Communication", &before, None)?)?;
        let mut all = recipients(asked.root()).into_iter();
        if let Some((pool, name)) = all.find(|one| id_in(&one.0, "CareTeam").is_some()) {
            return Ok((pool, name, true));
        }
    }
    Err(state("whoever sent it has no inbox of their own; hand it on to their pool"))
}

fn recipients(root: Value<'_>) -> Vec<(String, String)> {
    each(root, "recipient").map(|one| named(Some(one))).collect()
}

fn is_pool(desks: &Desks, reference: &str) -> bool {
    id_in(reference, "CareTeam").is_some_and(|id| desks.pools.iter().any(|pool| pool.id == id))
}

fn waits(root: Value<'_>) -> Result<(), Fault> {
    if text(root, "status") == WAITING {
        return Ok(());
    }
    Err(state("it was answered or closed already"))
}
