//! Filing: the Task that says that a result was read, by whom, in which version of the report and of each
//! of its values, and when. What was not on the screen is not filed.

use super::{Change, FILE_MAX, by, held, state, theirs};
use crate::gather::reviews_of;
use crate::item::{Item, Kind, Seen, said};
use crate::read::{Reads, parsed};
use crate::reviews::{Review, VALUES, VERSION};
use crate::whom::Me;
use crate::write::{self, By};
use crate::{REVIEW, SYSTEM};
use base::Fault;
use base::error::code;
use fhir::write::Writer;

pub(super) fn filings(
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
        theirs(&item)?;
        if item.seen.values != seen.values {
            return Err(changed_values(&item.seen.values, &seen.values));
        }
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
        by.refer(out, "owner");
        out.key("executionPeriod").object().member("end", &by.now.to_instant()).end_object();
        out.key("input").array().object();
        write::own_code(out, "type", VERSION);
        write::refer(out, "valueReference", (&version, ""));
        out.end_object();
        if !item.seen.values.is_empty() {
            out.object();
            write::own_code(out, "type", VALUES);
            out.member("valueString", &said(&item.seen.values)).end_object();
        }
        out.end_array().end_object();
    };
    let mut all = reviews_of(reads, &item.seen.id)?;
    all.retain(|review| review.patient == item.patient);
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

/// What is refused when values are other than they were shown.
fn changed_values(now: &[u64], shown: &[u64]) -> Fault {
    let others = now.iter().zip(shown).filter(|(now, shown)| now != shown).count();
    let others = others.max(now.len().abs_diff(shown.len()));
    let say = format!("{others} of its values changed since the result was shown; read it again");
    Fault::at(&code::INBOX_CHANGED, say, "values")
}

pub(super) fn of_report(item: &Item) -> String {
    format!("DiagnosticReport/{}", item.seen.id)
}

pub(super) fn open_review(reads: &mut Reads<'_>, item: &Item) -> Result<Option<Review>, Fault> {
    let mut all = reviews_of(reads, &item.seen.id)?;
    all.retain(|review| review.is_open && review.patient == item.patient);
    Ok(all.pop())
}

/// A Task that reviews a report, but for its status and owner.
pub(super) fn new_review(by: &By, item: &Item, key: &str) -> Writer {
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
    by.refer(&mut out, "requester");
    out
}
