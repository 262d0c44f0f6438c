//! The values before a result: a number says little without its course.

use crate::item::{Item, Line};
use crate::judge::line;
use crate::read::{Reads, instant, parsed};
use base::{Fault, Millis};
use record::Session;
use std::collections::HashMap;

/// Earlier values that are shown of each.
pub const EARLIER_MAX: usize = 5;
/// Values that are looked through.
const VALUES_MAX: usize = 200;

/// Of each code of a result, the values before it: when, and what, latest first.
pub type Earlier = HashMap<String, Vec<(Millis, Line)>>;

/// The values before those of a result.
///
/// # Errors
/// As a search.
pub async fn earlier(session: &Session, item: &Item) -> Result<Earlier, Fault> {
    let mut codes: Vec<&str> = item.lines.iter().map(|line| line.code.as_str()).collect();
    // A code with a comma, or without a system, would ask for something else.
    codes.retain(|code| code.contains("://") && !code.contains([',', '\\', '$']));
    codes.sort_unstable();
    codes.dedup();
    let (Some(patient), false) = (&item.patient, codes.is_empty()) else {
        return Ok(Earlier::new());
    };
    let mut reads = Reads::new(session);
    let query = [
        ("patient", format!("Patient/{patient}")),
        ("code", codes.join(",")),
        ("_sort", "-date".to_owned()),
        ("_count", VALUES_MAX.to_string()),
    ];
    let outcome = reads.search("Observation", &query).and_then(|(hits, _)| {
        let mut all = Earlier::new();
        for hit in hits {
            let document = parsed(&hit)?;
            let at = instant(document.root(), &["effectiveDateTime", "issued"]);
            let read = line(&hit.id, document.root());
            let is_own = item.lines.iter().any(|line| line.id == read.id);
            let of = all.entry(read.code.clone()).or_default();
            if let (false, Some(at)) = (is_own || of.len() >= EARLIER_MAX, at) {
                of.push((at, read));
            }
        }
        Ok(all)
    });
    reads.settle(outcome).await
}
