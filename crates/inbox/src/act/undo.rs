//! Taking back what was done. An act leaves what it wrote, sealed for whoever did it: so nobody takes back
//! what another did, what was done elsewhere, or what was done long ago, and only as it was left.

use super::{Change, Done, Took, UNDO_MAX, UNDO_MINUTES, about, carry_out, changed, state};
use crate::read::{Reads, parsed, patient};
use crate::write;
use base::{Fault, Millis};
use fhir::reference::is_id;
use record::Session;

/// What a seal is for.
const USE: &str = "inbox.undo";
const MINUTE_MS: i64 = 60_000;
/// The types that acts write, as a seal says them.
const KINDS: [&str; 2] = ["Task", "Communication"];

/// Takes back what was done: a record gets the version before again, one that was made is marked as
/// entered in error. Nothing is deleted. `sealed` is what the act left ([`Done::undo`]).
///
/// # Errors
/// `inbox.item.state` for what another did, and after half an hour; `record.write.version-conflict` when
/// it went on since; `charting.patient.other`; as a write.
pub async fn undo(session: &Session, patient: &str, sealed: &str) -> Result<Done, Fault> {
    let nothing = || state("there is nothing of yours to take back");
    let plain = session.open_own(USE, sealed).ok_or_else(nothing)?;
    let did = Did::parse(&plain).ok_or_else(nothing)?;
    about(Some(&did.patient), patient)?;
    let age = session.now().0.saturating_sub(did.at.0);
    if !(0..=UNDO_MINUTES * MINUTE_MS).contains(&age) {
        return Err(state("it was done too long ago to be taken back"));
    }
    let mut reads = Reads::new(session);
    let outcome = did.took.iter().map(|one| back(&mut reads, patient, one)).collect();
    let changes: Vec<Change> = reads.settle(outcome).await?;
    carry_out(session, patient, changes).await
}

/// Seals what an act wrote, for whoever did it.
pub(super) fn seal(session: &Session, patient: &str, took: &[Took]) -> String {
    if took.is_empty() {
        return String::new();
    }
    let did = Did { at: session.now(), patient: patient.to_owned(), took: took.to_vec() };
    session.seal_own(USE, &did.text())
}

/// An act: when, about whom, and what it wrote.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Did {
    at: Millis,
    patient: String,
    took: Vec<Took>,
}

impl Did {
    fn text(&self) -> String {
        let mut text = format!("{} {}", self.at.0, self.patient);
        for took in &self.took {
            let kind = KINDS.iter().position(|kind| *kind == took.kind).unwrap_or(KINDS.len());
            text.push_str(&format!(" {kind}:{}:{}", took.id, took.version));
        }
        text
    }

    fn parse(text: &str) -> Option<Self> {
        let mut parts = text.split(' ');
        let (at, patient) = (Millis(parts.next()?.parse().ok()?), parts.next()?.to_owned());
        let one = |part: &str| {
            let mut parts = part.split(':');
            let kind = KINDS.get(parts.next()?.parse::<usize>().ok()?)?;
            let (id, version) = (parts.next()?, parts.next()?.parse().ok()?);
            let took = Took { kind: (*kind).to_owned(), id: id.to_owned(), version };
            (is_id(id) && parts.next().is_none()).then_some(took)
        };
        let took: Option<Vec<Took>> = parts.take(UNDO_MAX + 1).map(one).collect();
        let took = took.filter(|all| !all.is_empty() && all.len() <= UNDO_MAX)?;
        Some(Self { at, patient, took })
    }
}

fn back(reads: &mut Reads<'_>, of: &str, took: &Took) -> Result<Change, Fault> {
    let kind = KINDS.into_iter().find(|kind| *kind == took.kind);
    let kind = kind.ok_or_else(|| state("there is nothing to take back"))?;
    let hit = reads.read(kind, &took.id, None)?;
    let document = parsed(&hit)?;
    let root = document.root();
    about(patient(root).as_deref(), of)?;
    // Whoever changed it since, in whatever way, labels and tags too, made another version.
    if hit.version != took.version {
        return Err(changed());
    }
    let body = if hit.version == 1 {
        let mut out = write::from(root, &["status"]);
        out.member("status", "entered-in-error").end_object();
        out.finish()
    } else {
        let before = reads.read(kind, &took.id, Some(hit.version - 1))?;
        let before = parsed(&before)?;
        let mut out = write::from(before.root(), &["meta"]);
        // Its tags stay; a label that the act set stays too, as only who keeps the record takes one off.
        if let Some(meta) = root.get("meta") {
            out.key("meta").raw(meta.raw().as_bytes());
        }
        out.end_object();
        out.finish()
    };
    Ok(Change::Update { kind, hit, body })
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_an_act_wrote_comes_back(
            at in any::<i64>(), patient in "[A-Za-z0-9.-]{0,20}",
            all in proptest::collection::vec((0_usize..2, "[A-Za-z0-9.-]{1,36}", any::<u64>()), 1..UNDO_MAX),
        ) {
            let took = all.into_iter().map(|(kind, id, version)| Took { kind: KINDS[kind].to_owned(), id, version });
            let did = Did { at: Millis(at), patient, took: took.collect() };
            prop_assert_eq!(Did::parse(&did.text()), Some(did));
        }

        #[test]
        fn whatever_it_says_it_is_read_or_left(text in "\\PC{0,60}|[0-9a-z: ]{0,60}") {
            if let Some(did) = Did::parse(&text) {
                prop_assert!(did.took.iter().all(|one| is_id(&one.id)));
            }
        }
    }
}
