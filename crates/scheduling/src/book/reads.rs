//! Reading for an act: searches and reads under the caller's own scope, each with its event. What was
//! read may decide at once; nothing of it leaves before all of its events are in the log, so an act waits
//! for the log once and not after each search.

use crate::time::Span;
use base::error::code;
use base::{Fault, Limits, Millis};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use fhir::reference::is_id;
use record::{Audited, Hit, Level, SearchHow, Session};

/// Records of one page.
const PAGE: usize = 1_000;

/// The reads of one act.
pub(crate) struct Reads<'s> {
    pub session: &'s Session,
    pending: Vec<Audited<()>>,
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
        Self { session, pending: Vec::new(), partial: false }
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
            let audited = self.session.search(Level::Type(of), asked, &SearchHow::default())?;
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
        let audited = self.session.read(of, id, None)?;
        Ok(self.keep(audited))
    }

    /// A version of a record.
    pub(crate) fn version(&mut self, kind: &str, id: &str, version: u64) -> Result<Hit, Fault> {
        let audited = self.session.read(type_of(kind)?, id, Some(version))?;
        Ok(self.keep(audited))
    }

    /// When some people, rooms and devices are taken, whoever may see by what. Who may not be told is
    /// told nothing, and then the answer is partial.
    pub(crate) fn taken(
        &mut self,
        whose: &[String],
        span: Span,
    ) -> Result<Vec<Vec<(Millis, Millis)>>, Fault> {
        if !self.session.may_search(type_of("Slot")?) {
            self.partial = true;
            return Ok(vec![Vec::new(); whose.len()]);
        }
        let audited = self.session.taken(whose, (span.start, span.end))?;
        let told = self.keep(audited);
        // What is not known to be free is not said to be: the answer is partial.
        self.partial |= told.iter().any(Option::is_none);
        Ok(told.into_iter().map(Option::unwrap_or_default).collect())
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
