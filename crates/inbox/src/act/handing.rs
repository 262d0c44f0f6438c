//! Handing on, taking and giving back: the next version of a Task, or the Task by which a result is to be
//! reviewed. Where it was taken from is an input of it.

use super::filing::{new_review, open_review};
use super::{Act, Change, state};
use crate::SYSTEM;
use crate::cover::called;
use crate::item::{Item, Kind, Whose};
use crate::read::{Reads, each, has_code, named, parsed, text, type_of};
use crate::reviews::{TAKEN_FROM, is_taken_from};
use crate::whom::{DESK, Desks, POOL, has_member};
use crate::write::{self, By, typed};
use base::Fault;
use base::error::code;
use fhir::Value;
use fhir::reference::{Reference, parse};
use fhir::write::Writer;
use record::Profile;

/// To whom something is handed: reference, name, and whether that is a pool of the front desk. Refused
/// when nobody there would be shown it: then it would wait for neither.
pub(super) fn target(
    reads: &mut Reads<'_>,
    item: &Item,
    to: &str,
) -> Result<(String, String, bool), Fault> {
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
    let (is_desk, is_pool) = (is(DESK), is(DESK) || is(POOL));
    if is_desk && item.seen.kind == Kind::Result {
        return Err(state("results are not handed to the front desk; send a task"));
    }
    let of = (type_of(item.seen.kind.resource_type())?, item.seen.id.as_str());
    let now = reads.session.now();
    let is_seen = match kind {
        "CareTeam" if !is_pool || text(root, "status") != "active" => return Err(bad()),
        "CareTeam" => {
            let label = is_desk.then_some("M");
            let is_member = |profile: &Profile| has_member(root, profile, now);
            reads.session.is_shown_to(is_member, of, label)?
        }
        _ => {
            let is_them = |profile: &Profile| profile.practitioner.as_deref() == Some(found.id);
            reads.session.is_shown_to(is_them, of, None)?
        }
    };
    if !is_seen {
        let say = "whom it is handed to would not be shown it; hand it to somebody who treats the patient";
        return Err(Fault::at(&code::INBOX_UNSEEN, say, "to"));
    }
    let name = if kind == "CareTeam" { text(root, "name") } else { called(root) };
    Ok((to.to_owned(), name, is_desk))
}

/// The next version of a task, or of the task by which a result is reviewed.
pub(super) fn task(
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
    let is_mine = by.is(&owner);
    let but = ["status", "lastModified", "owner", "input", "note"];
    let mut out = write::from(root, &but);
    let mut desk = false;
    let (status, to, returns, say) = match act {
        Act::Take if is_mine => return Err(state("it is yours already")),
        Act::Take => ("accepted", by.owner()?, Returns::To(owner, name), ""),
        Act::GiveBack => {
            let before = each(root, "input").find(|one| is_mine && is_taken_from(*one));
            let before = named(before.and_then(|one| one.get("valueReference")));
            if before.0.is_empty() {
                return Err(state("it was not taken from anybody; hand it on instead"));
            }
            ("requested", before, Returns::Nowhere, "")
        }
        Act::Forward { to, note } => {
            let (reference, name, is_desk) = target(reads, item, to)?;
            desk = is_desk;
            ("requested", (reference, name), Returns::Nowhere, typed(note, "note", false)?)
        }
        Act::Close(_) if item.seen.kind == Kind::Result => {
            return Err(state("a result is filed, and not closed"));
        }
        Act::Close(note) => {
            // Who did it owns it; a pool is nobody.
            let owner = by.owner().unwrap_or((owner, name));
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
    write::noted(&mut out, Some(root), by, say);
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
            by.refer(&mut out, "owner");
            Returns::To(reference.clone(), name.clone()).write(&mut out, None);
        }
        (Act::Take, Whose::Site | Whose::Nobody) => {
            out.member("status", "accepted");
            by.refer(&mut out, "owner");
        }
        (Act::Take, Whose::Own) => return Err(state("it is yours already")),
        (Act::Forward { to, note }, _) => {
            let (reference, name, _) = target(reads, item, to)?;
            out.member("status", "requested");
            write::refer(&mut out, "owner", (&reference, &name));
            let say = typed(note, "note", false)?;
            write::noted(&mut out, None, by, say);
        }
        _ => return Err(state("nobody has taken it")),
    }
    out.end_object();
    let unless = format!("identifier={SYSTEM}|{key}&status=requested,accepted,in-progress");
    Ok(Change::Create { kind: "Task", body: out.finish(), unless: Some(unless) })
}
