//! Searching (<https://hl7.org/fhir/R4/search.html>): a page of matches with what they include, links
//! to the pages around it, and one audit event that names the patients shown.

use crate::at_once::Look;
use crate::cursor::{Cursor, level_parts};
use crate::session::{Audited, Session};
use crate::trail;
use access::Action;
use audit::{Kind, Target};
use base::Fault;
use base::error::code;
use fhir::definitions::{TypeId, r4};
use search::parse::{Level, Options};
use search::query::Search;
use std::time::Instant;
use store::{Page, PageRequest, Position, Scope};

/// How to read a search, as the door was asked to.
#[derive(Debug, Clone, Default)]
pub struct SearchHow {
    /// `Prefer: handling=lenient`: unknown parameters are left out, with a warning each.
    pub lenient: bool,
    /// The server's own base address, under which absolute references are local.
    pub base_url: Option<String>,
}

/// What a search found.
#[derive(Debug)]
pub struct Found {
    /// The page.
    pub page: Page,
    /// The search as understood: its parameters for the self link, its warnings, what part of each
    /// resource to answer.
    pub search: Search,
    /// The `_cursor` of the first page.
    pub first: String,
    /// The `_cursor` of the next page, unless this is the last.
    pub next: Option<String>,
    /// The `_cursor` of the page before, unless this is the first.
    pub previous: Option<String>,
}

/// The parameter that holds the opaque link.
pub(crate) const CURSOR: &str = "_cursor";

impl Session {
    /// Whether any record of a type could be found. A door asks it before it offers, or asks for, what
    /// could only be refused; it tells nothing of what is there, and leaves no event.
    #[must_use]
    pub fn may_search(&self, of: TypeId) -> bool {
        self.scope_of(Action::Search, of).is_ok()
    }

    /// Whether any record of a type could be made by the caller, as [`Session::may_search`] tells of finding.
    #[must_use]
    pub fn may_create(&self, of: TypeId) -> bool {
        self.scope_of(Action::Create, of).is_ok()
    }

    /// Whether any record of a type could be changed by the caller.
    #[must_use]
    pub fn may_update(&self, of: TypeId) -> bool {
        self.scope_of(Action::Update, of).is_ok()
    }

    /// Searches. When `pairs` hold a `_cursor`, it alone says what is searched: a page link needs
    /// nothing else, and an address never holds the parameters of a search sent
    /// in a body.
    ///
    /// # Errors
    /// Codes `search.*` for what is not understood or would cost too much.
    pub fn search(
        &self,
        level: Level,
        pairs: Vec<(String, String)>,
        how: &SearchHow,
    ) -> Result<Audited<Found>, Fault> {
        self.search_in(&mut Look::default(), level, pairs, how)
    }

    /// As [`Session::search`], seeing what others of a look see.
    ///
    /// # Errors
    /// As there.
    pub fn search_in(
        &self,
        look: &mut Look,
        level: Level,
        pairs: Vec<(String, String)>,
        how: &SearchHow,
    ) -> Result<Audited<Found>, Fault> {
        let mut event = self.event(Kind::Search);
        event.query = (!pairs.is_empty()).then(|| trail::digest(&pairs));
        let names: Vec<String> = pairs.iter().map(|(name, _)| name.clone()).collect();
        let began = Instant::now();
        let outcome = self.find_in(look, &level, pairs, how);
        let took = began.elapsed();
        match &outcome {
            // A page behind the first is known by the parameters of the first.
            Ok((found, pairs)) => {
                let names = pairs.iter().map(|(name, _)| name.as_str());
                self.weigh(&level, names, took, Ok(&found.page.explain));
            }
            Err(fault) => self.weigh(&level, names.iter().map(String::as_str), took, Err(fault)),
        }
        event.targets = level_targets(level);
        match outcome {
            Ok((found, pairs)) => {
                event.query = (!pairs.is_empty()).then(|| trail::digest(&pairs));
                trail::shows(&mut event, found.page.matches.iter().chain(&found.page.included));
                self.audited(&event, found)
            }
            Err(fault) => Err(self.refused(event, fault)),
        }
    }

    pub(crate) fn find(
        &self,
        level: &Level,
        pairs: Vec<(String, String)>,
        how: &SearchHow,
    ) -> Result<(Found, Vec<(String, String)>), Fault> {
        self.find_in(&mut Look::default(), level, pairs, how)
    }

    fn find_in(
        &self,
        look: &mut Look,
        level: &Level,
        pairs: Vec<(String, String)>,
        how: &SearchHow,
    ) -> Result<(Found, Vec<(String, String)>), Fault> {
        let sealed = pairs.iter().find(|(name, _)| name == CURSOR).map(|(_, value)| value);
        let mut cursor = match sealed {
            Some(sealed) => self.follow(sealed, level)?,
            None => Cursor { everything: false, level: level_parts(level), pairs, position: None },
        };
        let search = search::parse::parse(level, &cursor.pairs, &self.options(how))?;
        let scope = self.search_scope(level)?;
        let reader = look.reader(self, &scope)?;
        let mut page = reader.search(&search, &self.page_request(&search, cursor.position))?;
        look.keep(reader);
        self.prune_all(page.matches.iter_mut().chain(&mut page.included))?;
        let link = |cursor: &mut Cursor, position| {
            cursor.position = position;
            cursor.seal(self)
        };
        let next = page.next.map(|at| link(&mut cursor, Some(at)));
        let previous = page.previous.map(|at| link(&mut cursor, Some(at)));
        let first = link(&mut cursor, None);
        Ok((Found { page, search, first, next, previous }, cursor.pairs))
    }

    /// What a search at a level may find. A type of which nothing could be seen is refused.
    fn search_scope(&self, level: &Level) -> Result<Scope, Fault> {
        match level {
            Level::System | Level::Compartment { of: None, .. } => self.scope(Action::Search),
            Level::Type(of) | Level::Compartment { of: Some(of), .. } => {
                self.scope_of(Action::Search, *of)
            }
        }
    }

    fn follow(&self, sealed: &str, level: &Level) -> Result<Cursor, Fault> {
        let cursor = Cursor::open(self, sealed)?;
        if cursor.everything || cursor.level != level_parts(level) {
            let text = "the link belongs to another search; follow it as it was given";
            return Err(Fault::new(&code::SEARCH_CURSOR, text));
        }
        Ok(cursor)
    }

    /// How queries of this session are read.
    pub(crate) fn options(&self, how: &SearchHow) -> Options {
        Options {
            lenient: how.lenient,
            limits: *self.limits(),
            now: self.now(),
            base_url: how.base_url.clone(),
            conditional: false,
            hidden: self.hidden(),
        }
    }

    /// The bounds of a page of a search.
    pub(crate) fn page_request(&self, search: &Search, position: Option<Position>) -> PageRequest {
        let limits = self.limits();
        PageRequest {
            count: search.count.unwrap_or(limits.page_default).min(limits.page_max),
            position,
            include_max: limits.include_max,
            steps_max: limits.search_steps,
        }
    }
}

fn level_targets(level: Level) -> Vec<Target> {
    match level {
        Level::System => Vec::new(),
        Level::Type(of) => vec![Target::of_type(r4().name(of))],
        Level::Compartment { focus_type, id, of } => {
            let mut targets = vec![trail::target(focus_type, &id, None)];
            targets.extend(of.map(|of| Target::of_type(r4().name(of))));
            targets
        }
    }
}
