//! Reading for the inbox: searches under the caller's own scope, each with its event, and FHIR documents
//! taken apart. What was read may decide at once; nothing of it leaves before its events are in the log.

use base::error::code;
use base::{Fault, Limits, Millis};
use fhir::definitions::{TypeId, r4};
use fhir::reference::{Reference, is_id, parse};
use fhir::{Document, Value};
use record::{Audited, Hit, Level, SearchHow, Session};

/// What one look has read, and what of it the log still has to take.
pub(crate) struct Reads<'s> {
    pub(crate) session: &'s Session,
    waits: Vec<Audited<()>>,
    /// There is more than was read.
    pub(crate) partial: bool,
    /// The link to what follows the page that was read last.
    next: Option<String>,
}

impl<'s> Reads<'s> {
    pub(crate) const fn new(session: &'s Session) -> Self {
        Self { session, waits: Vec::new(), partial: false, next: None }
    }

    /// The first page of what a search finds, what it includes behind. Of a type that the caller may not
    /// search there is nothing to find.
    pub(crate) fn search(
        &mut self,
        kind: &str,
        query: &[(&str, String)],
    ) -> Result<(Vec<Hit>, Vec<Hit>), Fault> {
        let of = type_of(kind)?;
        if !self.session.may_search(of) {
            self.next = None;
            return Ok((Vec::new(), Vec::new()));
        }
        let pairs = query.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let Audited { value, ticket } =
            self.session.search(Level::Type(of), pairs, &SearchHow::default())?;
        self.waits.push(Audited { value: (), ticket });
        self.partial |= value.next.is_some();
        self.next = value.next;
        Ok((value.page.matches, value.page.included))
    }

    /// As [`Reads::search`], page by page, at most so many.
    pub(crate) fn search_all(
        &mut self,
        kind: &str,
        query: &[(&str, String)],
        most: usize,
    ) -> Result<(Vec<Hit>, Vec<Hit>), Fault> {
        let was = self.partial;
        let (mut matches, mut included) = self.search(kind, query)?;
        while let Some(next) = self.next.take() {
            if matches.len() >= most {
                self.partial = true;
                return Ok((matches, included));
            }
            self.partial = was;
            let page = self.search(kind, &[("_cursor", next)])?;
            matches.extend(page.0);
            included.extend(page.1);
        }
        Ok((matches, included))
    }

    /// One record, or a version of it.
    pub(crate) fn read(
        &mut self,
        kind: &str,
        id: &str,
        version: Option<u64>,
    ) -> Result<Hit, Fault> {
        if !is_id(id) {
            return Err(Fault::new(&code::NOT_FOUND, "no record of this type has this id"));
        }
        let Audited { value, ticket } = self.session.read(type_of(kind)?, id, version)?;
        self.waits.push(Audited { value: (), ticket });
        Ok(value)
    }

    /// Waits until the log has all of it; then the outcome may leave, whichever it is.
    pub(crate) async fn settle<T>(self, outcome: Result<T, Fault>) -> Result<T, Fault> {
        for one in self.waits {
            one.into_inner().await?;
        }
        outcome
    }
}

/// The number of a type.
pub(crate) fn type_of(kind: &str) -> Result<TypeId, Fault> {
    let odd = || Fault::new(&code::INTERNAL, "the inbox names a type that R4 has not");
    r4().resource_type(kind).ok_or_else(odd)
}

/// A stored body, parsed. The store parsed it once, within the same limits.
pub(crate) fn parsed(hit: &Hit) -> Result<Document, Fault> {
    Document::parse(hit.body.clone(), &Limits::default())
}

/// A text member, or nothing.
pub(crate) fn text(value: Value<'_>, name: &str) -> String {
    value.get_str(name).map(|text| text.into_owned()).unwrap_or_default()
}

/// The items of a repeating member.
pub(crate) fn each<'v>(value: Value<'v>, name: &str) -> impl Iterator<Item = Value<'v>> + use<'v> {
    value.get(name).into_iter().flat_map(Value::items)
}

/// A concept in words: its text, else what one of its codings is called, else a code.
pub(crate) fn concept(value: Value<'_>) -> String {
    let of = |name: &str| each(value, "coding").map(|one| text(one, name)).find(|t| !t.is_empty());
    let own = Some(text(value, "text")).filter(|text| !text.is_empty());
    own.or_else(|| of("display")).or_else(|| of("code")).unwrap_or_default()
}

/// Whether a concept has one of our own codes.
pub(crate) fn has_code(concept: Value<'_>, code: &str) -> bool {
    let is = |one: Value<'_>| text(one, "system") == crate::SYSTEM && text(one, "code") == code;
    each(concept, "coding").any(is)
}

/// What a reference says: `Practitioner/1` and how it calls them.
pub(crate) fn named(value: Option<Value<'_>>) -> (String, String) {
    value.map_or_else(Default::default, |one| (text(one, "reference"), text(one, "display")))
}

/// The id in a relative reference to a type.
pub(crate) fn id_in(reference: &str, kind: &str) -> Option<String> {
    match parse(reference)? {
        Reference::Relative(target) if target.resource_type == kind => Some(target.id.to_owned()),
        _ => None,
    }
}

/// The patient that a record is about.
pub(crate) fn patient(root: Value<'_>) -> Option<String> {
    let about = ["subject", "patient", "for"].iter().find_map(|name| root.get(name))?;
    id_in(&text(about, "reference"), "Patient")
}

/// The instant that the first of these members begins at.
pub(crate) fn instant(root: Value<'_>, names: &[&str]) -> Option<Millis> {
    let found = names.iter().map(|name| text(root, name)).find(|text| !text.is_empty())?;
    fhir::date::parse(&found).map(|range| Millis(range.low))
}
