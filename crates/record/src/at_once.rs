//! One look: searches and reads of an act that see one state of the record, each with its own scope and
//! its own event. Beside that they agree it is cheaper: what one has opened the next need not open again.
//! Nothing that is written meanwhile is seen, so a look ends before the act writes.

use crate::session::Session;
use base::Fault;
use store::{Reader, Scope, Scoped, Snapshot};

/// What the reads of an act see; nothing yet when it is new.
#[derive(Debug, Default)]
pub struct Look(Option<Snapshot>);

impl Look {
    /// A reader of it.
    pub(crate) fn reader<'s>(
        &mut self,
        session: &Session,
        scope: &'s Scope,
    ) -> Result<Scoped<'s, Reader>, Fault> {
        match self.0.take() {
            Some(snapshot) => session.gate.store.reader_at(snapshot, scope),
            None => session.gate.store.reader(scope),
        }
    }

    /// For the next one.
    pub(crate) fn keep(&mut self, reader: Scoped<'_, Reader>) {
        self.0 = Some(reader.into_snapshot());
    }
}
