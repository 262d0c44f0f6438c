//! Reading one record, now or as it was (<https://hl7.org/fhir/R4/http.html#read>).

use crate::at_once::Look;
use crate::session::{Audited, Session};
use crate::trail;
use access::Action;
use audit::Kind;
use base::Fault;
use base::error::code;
use fhir::definitions::TypeId;
use store::Hit;

impl Session {
    /// The current version of a record, or the version named.
    ///
    /// # Errors
    /// `record.read.not-found`, `record.read.gone`, `record.read.version-not-found`: each in the log
    /// as well.
    pub fn read(&self, of: TypeId, id: &str, version: Option<u64>) -> Result<Audited<Hit>, Fault> {
        self.read_in(&mut Look::default(), of, id, version)
    }

    /// As [`Session::read`], seeing what others of a look see.
    ///
    /// # Errors
    /// As there.
    pub fn read_in(
        &self,
        look: &mut Look,
        of: TypeId,
        id: &str,
        version: Option<u64>,
    ) -> Result<Audited<Hit>, Fault> {
        let kind = if version.is_some() { Kind::Vread } else { Kind::Read };
        let mut event = self.event(kind);
        match self.look_in(look, of, id, version) {
            Ok(mut hit) => {
                event.targets.push(trail::target(of, id, Some(hit.version)));
                trail::shows(&mut event, [&hit]);
                self.prune(&mut hit)?;
                self.audited(&event, hit)
            }
            Err(fault) => {
                event.targets.push(trail::target(of, id, version));
                Err(self.refused(event, fault))
            }
        }
    }

    /// A version without a trail, for what is part of something greater that leaves one.
    pub(crate) fn look(&self, of: TypeId, id: &str, version: Option<u64>) -> Result<Hit, Fault> {
        self.look_in(&mut Look::default(), of, id, version)
    }

    fn look_in(
        &self,
        look: &mut Look,
        of: TypeId,
        id: &str,
        version: Option<u64>,
    ) -> Result<Hit, Fault> {
        let scope = self.scope_of(Action::Read, of)?;
        let reader = look.reader(self, &scope)?;
        let found = match version {
            Some(version) => reader.vread(of, id, version)?,
            None => reader.read(of, id)?,
        };
        let is_there = match (version, &found) {
            (Some(_), None) => reader.read(of, id)?.is_some(),
            _ => false,
        };
        look.keep(reader);
        match found {
            Some(hit) if !hit.deleted => Ok(hit),
            Some(hit) => Err(Fault::new(
                &code::GONE,
                format!("the record was deleted; version {} is its deletion", hit.version),
            )),
            None if is_there => {
                Err(Fault::new(&code::VERSION_NOT_FOUND, "the record has no such version"))
            }
            None => Err(Fault::new(&code::NOT_FOUND, "no record of this type has this id")),
        }
    }
}
