//! What a caller may change of what they see (45 CFR 164.312(a)(1)): so that a page offers nothing that
//! would only be refused. It is asked of records that the caller was shown, reads nothing of them and
//! leaves no event; the writer decides by itself when something is changed.

use crate::session::Session;
use access::Action;
use base::Fault;
use base::error::code;
use fhir::definitions::TypeId;
use std::collections::HashSet;

impl Session {
    /// Those of these records that the caller could update now, by logical id.
    ///
    /// # Errors
    /// When the store or a patient's Consent cannot be read.
    pub fn changeable(&self, of: TypeId, ids: &[String]) -> Result<HashSet<String>, Fault> {
        let scope = match self.scope_of(Action::Update, of) {
            Ok(scope) => scope,
            Err(fault) if fault.code() == &code::ACCESS_DENIED => return Ok(HashSet::new()),
            Err(fault) => return Err(fault),
        };
        let reader = self.gate.store.reader(&scope)?;
        let mut changeable = HashSet::new();
        for id in ids {
            if reader.shows(of, id)? {
                changeable.insert(id.clone());
            }
        }
        Ok(changeable)
    }
}
