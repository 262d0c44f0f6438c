//! Reading for an act: searches and reads under the caller's own scope, each with its event. What was
//! read may decide at once; nothing of it leaves before all of its events are in the log, so an act waits
//! for the log once and not after each search.

use crate::time::Span;
use base::error::code;
use base::{Fault, Limits};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use fhir::reference::is_id;
use record::{Audited, Hit, Level, Look, SearchHow, Session, Taken};

/// Records of one page.
const PAGE: usize = 1_000;

/// The reads of one act.
pub(crate) struct Reads<'s> {
    pub session: &'s Session,
    pending: Vec<Audited<()>>,
    /// What reads of this moment see, within [`Reads::at_once`].
    look: Option<Look>,
    /// Something was not looked at: more than is read, a type that is not visible, what cannot be read.
    pub partial: bool,
}

/// Records found.
#[derive(Debug, Default)]
pub(crate) struct Found {
    pub matches: Vec<Hit>,
    pub included: Vec<Hit>,
}

impl<'s> Reads<'s> {
    pub(crate) const fn new(session: &'s Session) -> Self {
        Self { session, pending: Vec::new(), look: None, partial: false }
    }

    /// Reads that see one state of the record, so that what is judged is judged as of one moment. Nothing is
    /// written within.
    pub(crate) fn at_once<T>(
        &mut self,
        act: impl FnOnce(&mut Self) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        let outer = self.look.is_some();
        self.look.get_or_insert_default();
        let outcome = act(self);
        if !outer {
            self.look = None;
        }
        outcome
    }

    /// What a search finds, up to a number. A type that the caller may not search has nothing to find,
    /// and then the answer is partial.
    pub(crate) fn search(
        &mut self,
        kind: &str,
        pairs: &[(&str, String)],
        most: usize,
    ) -> Result<Found, Fault> {
        let of = type_of(kind)?;
        if !self.session.may_search(of) {
            self.partial = true;
            return Ok(Found::default());
        }
        let mut asked: Vec<(String, String)> =
            pairs.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        asked.push(("_count".to_owned(), most.min(PAGE).to_string()));
        let mut all = Found::default();
        loop {
            let how = SearchHow::default();
            let audited = match &mut self.look {
                Some(look) => self.session.search_in(look, Level::Type(of), asked, &how)?,
                None => self.session.search(Level::Type(of), asked, &how)?,
            };
            let found = self.keep(audited);
            all.matches.extend(found.page.matches);
            all.included.extend(found.page.included);
            match found.next {
                Some(next) if all.matches.len() < most => {
                    asked = vec![("_cursor".to_owned(), next)];
                }
                next => {
                    self.partial |= next.is_some();
                    return Ok(all);
                }
            }
        }
    }

    /// One record, or none that the caller may see.
    pub(crate) fn read(&mut self, kind: &str, id: &str) -> Result<Hit, Fault> {
        let of = type_of(kind)?;
        if !is_id(id) {
            return Err(Fault::new(&code::NOT_FOUND, "no record of this type has this id"));
        }
        let audited = match &mut self.look {
            Some(look) => self.session.read_in(look, of, id, None)?,
            None => self.session.read(of, id, None)?,
        };
        Ok(self.keep(audited))
    }

    /// A version of a record.
    pub(crate) fn version(&mut self, kind: &str, id: &str, version: u64) -> Result<Hit, Fault> {
        let audited = self.session.read(type_of(kind)?, id, Some(version))?;
        Ok(self.keep(audited))
    }

    /// What takes the time of some people, rooms and devices, whoever may see by what; none of somebody of
    /// whom it cannot be told, nor of anybody to who may not be told.
    pub(crate) fn taken(
        &mut self,
        whose: &[String],
        span: Span,
    ) -> Result<Vec<Option<Vec<Taken>>>, Fault> {
        if !self.session.may_search(type_of("Slot")?) {
            return Ok(vec![None; whose.len()]);
        }
        let audited = self.session.taken(whose, (span.start, span.end))?;
        Ok(self.keep(audited))
    }

    /// As [`Reads::settle`], on a thread that may wait.
    pub(crate) fn wait(self) -> Result<(), Fault> {
        self.pending.into_iter().try_for_each(Audited::wait)
    }

    fn keep<T>(&mut self, audited: Audited<T>) -> T {
        let Audited { value, ticket } = audited;
        self.pending.push(Audited { value: (), ticket });
        value
    }

    /// Waits until the log has all of it; then the outcome may leave, whichever it is.
    pub(crate) async fn settle<T>(self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        for one in self.pending {
            one.into_inner().await?;
        }
        outcome
    }
}

/// A stored body, parsed.
pub(crate) fn parsed(hit: &Hit) -> Result<Document, Fault> {
    Document::parse(hit.body.clone(), &Limits::default())
}

/// The number of a type.
pub(crate) fn type_of(kind: &str) -> Result<TypeId, Fault> {
    let odd = || Fault::new(&code::INTERNAL, "the department names a type that R4 has not");
    r4().resource_type(kind).ok_or_else(odd)
}
