//! Bundles: batch and transaction (<https://hl7.org/fhir/R4/http.html#transaction>). A door hands over
//! the bundle as it came and gets, for each entry in the order given, what to answer.

mod answer;
mod batch;
mod derive;
mod entry;
mod links;
mod narrative;
mod plan;
mod resolve;
mod stage;
mod transaction;

pub use answer::{Answer, BundleAnswer, BundleOptions, Content, Place};
pub(crate) use derive::id as derive_id;
pub(crate) use entry::{Entry, Target, Verb, parse as parse_entry};
pub(crate) use links::{Links, edits};
pub(crate) use plan::Ids;
pub(crate) use resolve::Cache;
pub(crate) use stage::{Done, Staged, Stager, Stopped};

use crate::session::Session;
use audit::Kind;
use base::Fault;
use base::error::code;
use fhir::{Document, Value};

impl Session {
    /// Carries out a batch or a transaction. Nearly all of its work is done on the thread that polls
    /// it first, so a server polls it where blocking is allowed.
    ///
    /// # Errors
    /// For a transaction every refusal of an entry, at `Bundle.entry[i]…`: then nothing was changed.
    /// For a batch only when the bundle itself is not one.
    pub async fn bundle(
        &self,
        body: Document,
        options: BundleOptions,
    ) -> Result<BundleAnswer, Fault> {
        let root = body.root();
        let is = |text: &str| root.get_str("type").as_deref() == Some(text);
        let kind = if is("transaction") { Kind::Transaction } else { Kind::Batch };
        let outcome = async {
            self.may_write_bundle(root)?;
            match kind {
                Kind::Transaction => self.transaction(root, &options).await,
                _ if is("batch") => self.batch(root, &options).await,
                _ => Err(Fault::at(
                    &code::BUNDLE_TYPE,
                    "its type is batch or transaction; store another bundle at /Bundle",
                    "Bundle.type",
                )),
            }
        };
        let outcome = outcome.await;
        outcome.map_err(|fault| self.refused(self.event(kind), fault))
    }

    fn may_write_bundle(&self, root: Value<'_>) -> Result<(), Fault> {
        if root.get_str("resourceType").as_deref() != Some("Bundle") {
            let text = "only a Bundle is carried out";
            return Err(Fault::at(&code::BUNDLE_TYPE, text, "resourceType"));
        }
        let most = self.limits().bundle_entries;
        let entries = root.get("entry").map_or(0, |entries| entries.items().count());
        if entries > most {
            let text = format!("a bundle may have {most} entries; this one has {entries}");
            return Err(Fault::at(&code::BUNDLE_TOO_MANY, text, "Bundle.entry"));
        }
        Ok(())
    }
}

/// The place of an entry in messages.
pub(crate) fn place(index: usize) -> String {
    format!("Bundle.entry[{index}]")
}
