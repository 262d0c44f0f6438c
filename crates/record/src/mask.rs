//! What of a record the subject does not need to see is left out on every way out, and cannot be
//! searched by (45 CFR 164.502(b), 164.514(d)(2)). For whom nothing is hidden, this costs a look.

use crate::session::Session;
use base::Fault;
use base::error::code;
use fhir::Document;
use fhir::definitions::TypeId;
use fhir::write::Writer;
use search::parse::Hides;
use std::sync::Arc;
use store::{Hit, Scope};

impl Session {
    /// What parameters of searches must not read.
    pub(crate) fn hidden(&self) -> Option<Arc<dyn Hides>> {
        self.mask().map(|mask| Arc::clone(mask) as Arc<dyn Hides>)
    }

    /// Leaves out of a record what is hidden from the subject.
    pub(crate) fn prune(&self, hit: &mut Hit) -> Result<(), Fault> {
        let Some(mask) = self.mask().filter(|_| !hit.body.is_empty()) else { return Ok(()) };
        if let Some(body) = mask.prune(hit.resource_type, &hit.body, self.limits())? {
            hit.body = body;
        }
        Ok(())
    }

    /// As [`Session::prune`], for many.
    pub(crate) fn prune_all<'h>(
        &self,
        hits: impl IntoIterator<Item = &'h mut Hit>,
    ) -> Result<(), Fault> {
        if self.mask().is_none() {
            return Ok(());
        }
        hits.into_iter().try_for_each(|hit| self.prune(hit))
    }

    /// Refuses an update that would delete what the subject is not shown: whoever sends back what was
    /// read sends it without. A record that is not there, or not there for the subject, is the
    /// writer's to refuse.
    pub(crate) fn keeps_hidden(&self, of: TypeId, id: &str) -> Result<(), Fault> {
        let Some(mask) = self.mask().filter(|mask| mask.hides_some(of)) else { return Ok(()) };
        let scope = self.scope(access::Action::Read).unwrap_or_else(|_| Scope::nothing());
        let reader = self.gate.store.reader(&scope)?;
        let Some(hit) = reader.read(of, id)?.filter(|hit| !hit.deleted) else { return Ok(()) };
        if mask.prune(of, &hit.body, self.limits())?.is_none() {
            return Ok(());
        }
        let text = "the record holds elements that you are not shown, and an update would delete \
                    them; have somebody change it who sees the whole record";
        Err(Fault::new(&code::PRIVACY_HIDDEN_KEPT, text))
    }

    /// An update of a version with what of that version is hidden from the subject put back; `None` when
    /// nothing is hidden, and when it cannot be put back safely: where a part of an element is hidden,
    /// where the update says something there itself, or there is a narrative, which tells of all of it.
    /// Then [`Session::keeps_hidden`] has the word.
    pub(crate) fn with_hidden(
        &self,
        of: TypeId,
        id: &str,
        version: u64,
        body: &[u8],
    ) -> Result<Option<Vec<u8>>, Fault> {
        let Some(mask) = self.mask().filter(|mask| mask.hides_some(of)) else { return Ok(None) };
        let scope = self.scope(access::Action::Read).unwrap_or_else(|_| Scope::nothing());
        let reader = self.gate.store.reader(&scope)?;
        let stored = reader.read(of, id)?.filter(|hit| !hit.deleted && hit.version == version);
        let Some(stored) = stored else { return Ok(None) };
        let Some(shown) = mask.prune(of, &stored.body, self.limits())? else { return Ok(None) };
        let parse = |text: &[u8]| Document::parse(text.to_vec(), self.limits());
        let (stored, shown, new) = (parse(&stored.body)?, parse(&shown)?, parse(body)?);
        let mut hidden = Vec::new();
        for (name, value) in stored.root().members() {
            match shown.root().get(name) {
                // The tag of what is left out stands there.
                _ if name == "meta" => {}
                Some(one) if one.raw() == value.raw() => {}
                None if name != "text" && new.root().get(name).is_none() => {
                    hidden.push((name, value));
                }
                _ => return Ok(None),
            }
        }
        let mut w = Writer::new();
        w.object();
        for (name, value) in new.root().members().chain(hidden) {
            w.key(name).raw(value.raw().as_bytes());
        }
        w.end_object();
        Ok(Some(w.finish()))
    }
}
