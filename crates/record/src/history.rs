//! What became of records (<https://hl7.org/fhir/R4/http.html#history>).

use crate::session::{Audited, Session};
use crate::trail;
use access::Action;
use audit::{Kind, Target};
use base::Fault;
use base::error::code;
use fhir::definitions::r4;
use store::{HistoryPage, HistoryQuery};

/// Tells sealed places in a history from those of a search.
const HISTORY: u8 = b'H';

impl Session {
    /// A page of the history of a record, a type or everything; newest first. A `count` of 0 asks for
    /// the default, one above the limit is lowered to it.
    ///
    /// # Errors
    /// `record.read.not-found` when the record named has never been.
    pub fn history(&self, mut query: HistoryQuery) -> Result<Audited<HistoryPage>, Fault> {
        let limits = self.limits();
        query.count = match query.count {
            0 => limits.page_default,
            count => count.min(limits.page_max),
        };
        let mut event = self.event(Kind::History);
        event.targets.extend(query.resource_type.map(|of| match &query.id {
            Some(id) => trail::target(of, id, None),
            None => Target::of_type(r4().name(of)),
        }));
        match self.versions(&query) {
            Ok(page) => {
                trail::shows(&mut event, &page.versions);
                self.audited(&event, page)
            }
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    /// The place a page begins behind as opaque text: the bare number would tell how much is written.
    pub fn history_link(&self, before: u64) -> String {
        let mut plain = vec![HISTORY];
        plain.extend(before.to_le_bytes());
        self.seal_link(&plain)
    }

    /// Opens what [`Session::history_link`] made.
    ///
    /// # Errors
    /// `search.page.cursor` for any other text.
    pub fn history_begin(&self, link: &str) -> Result<u64, Fault> {
        let plain = self.open_link(link).unwrap_or_default();
        let number = plain.strip_prefix(&[HISTORY]).and_then(|bytes| bytes.try_into().ok());
        number.map(u64::from_le_bytes).ok_or_else(|| {
            Fault::new(&code::SEARCH_CURSOR, "begin again from the first page of the history")
        })
    }

    fn versions(&self, query: &HistoryQuery) -> Result<HistoryPage, Fault> {
        let scope = match query.resource_type {
            Some(of) => self.scope_of(Action::History, of)?,
            None => self.scope(Action::History)?,
        };
        let mut page = self.gate.store.reader(&scope)?.history(query)?;
        self.prune_all(&mut page.versions)?;
        Ok(page)
    }
}
