//! A scope over records: whose, of which type, for which actions, matching which search; in the two
//! versions it is written in
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html>).

use std::fmt;

use fhir::definitions::r4;
use search::condition::Condition;

/// Whose data a scope is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum About {
    /// The one patient in context.
    Patient,
    /// Whatever the user may reach.
    User,
    /// Whatever the app itself may reach, without a user.
    System,
}

impl About {
    const fn word(self) -> &'static str {
        match self {
            Self::Patient => "patient",
            Self::User => "user",
            Self::System => "system",
        }
    }
}

/// What is done to records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Action {
    /// A new record.
    Create,
    /// One record, one version of it, or its history.
    Read,
    /// A new version, a patch, or a new record under an id of the caller's choice.
    Update,
    /// The deletion of one record.
    Delete,
    /// A search, or the history of a type or of everything.
    Search,
}

impl Action {
    const ALL: [(Self, char); 5] = [
        (Self::Create, 'c'),
        (Self::Read, 'r'),
        (Self::Update, 'u'),
        (Self::Delete, 'd'),
        (Self::Search, 's'),
    ];

    const fn bit(self) -> u8 {
        match self {
            Self::Create => 1,
            Self::Read => 2,
            Self::Update => 4,
            Self::Delete => 8,
            Self::Search => 16,
        }
    }
}

/// A set of actions.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Actions(u8);

impl Actions {
    /// All five.
    pub const ALL: Self = Self(31);
    /// What version 1 calls `read`.
    pub const READ: Self = Self(2 | 16);
    /// What version 1 calls `write`.
    pub const WRITE: Self = Self(1 | 4 | 8);

    /// Whether an action is among them.
    pub const fn has(self, action: Action) -> bool {
        self.0 & action.bit() != 0
    }

    /// What both have; `None` when that is nothing.
    pub const fn meet(self, other: Self) -> Option<Self> {
        let both = self.0 & other.0;
        if both == 0 { None } else { Some(Self(both)) }
    }

    /// The letters of version 2: some of `cruds`, in that order, each once.
    fn parse(text: &str) -> Option<Self> {
        let mut letters = text.chars().peekable();
        let mut bits = 0;
        for (action, letter) in Action::ALL {
            if letters.next_if_eq(&letter).is_some() {
                bits |= action.bit();
            }
        }
        (bits != 0 && letters.next().is_none()).then_some(Self(bits))
    }

    const fn version_1(self) -> Option<&'static str> {
        match self {
            Self::READ => Some("read"),
            Self::WRITE => Some("write"),
            Self::ALL => Some("*"),
            _ => None,
        }
    }
}

/// A scope over records.
#[derive(Debug, Clone)]
pub struct Reach {
    /// Whose.
    pub about: About,
    /// Of which type; `None` for every type there is or will be.
    pub of: Option<String>,
    /// What may be done.
    pub actions: Actions,
    /// The search parameters a record must match, as they were written; `None` for every record.
    pub query: Option<String>,
    /// Whether it was written in version 1, and is answered so.
    version_1: bool,
}

/// The same meaning, in whichever version and order it was written.
impl PartialEq for Reach {
    fn eq(&self, other: &Self) -> bool {
        self.about == other.about
            && self.of == other.of
            && self.actions == other.actions
            && self.parameters() == other.parameters()
    }
}

impl Eq for Reach {}

impl Reach {
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (about, rest) = text.split_once('/')?;
        let about = match about {
            "patient" => About::Patient,
            "user" => About::User,
            "system" => About::System,
            _ => return None,
        };
        let (what, query) = match rest.split_once('?') {
            Some((what, query)) => (what, Some(query)),
            None => (rest, None),
        };
        let (of, actions) = what.split_once('.')?;
        let of = match of {
            "*" => None,
            name => {
                r4().resource_type(name)?;
                Some(name.to_owned())
            }
        };
        let (actions, version_1) = match actions {
            "read" => (Actions::READ, true),
            "write" => (Actions::WRITE, true),
            "*" => (Actions::ALL, true),
            letters => (Actions::parse(letters)?, false),
        };
        if query.is_some_and(|query| version_1 || !is_condition(of.as_deref(), query)) {
            return None;
        }
        Some(Self { about, of, actions, query: query.map(str::to_owned), version_1 })
    }

    /// The parameters in an order of their own, each once: all must hold.
    fn parameters(&self) -> Vec<&str> {
        let mut all: Vec<_> = self.query.iter().flat_map(|query| query.split('&')).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What both permit; `None` when that is nothing. It is written as `self` was.
    pub fn meet(&self, other: &Self) -> Option<Self> {
        if self.about != other.about {
            return None;
        }
        let of = match (&self.of, &other.of) {
            (Some(a), Some(b)) if a != b => return None,
            (Some(of), _) | (None, Some(of)) => Some(of.clone()),
            (None, None) => None,
        };
        let actions = self.actions.meet(other.actions)?;
        let own = self.parameters();
        let more: Vec<_> = other.parameters().into_iter().filter(|p| !own.contains(p)).collect();
        let query = match (&self.query, more.is_empty()) {
            (query, true) => query.clone(),
            (None, false) => Some(more.join("&")),
            (Some(query), false) => Some(format!("{query}&{}", more.join("&"))),
        };
        let whole = |one: &Self| one.query == query && one.of == of;
        // The parameters of one may be none of the other's type, and together too many.
        if let Some(query) = query.as_deref().filter(|_| !whole(self) && !whole(other))
            && !is_condition(of.as_deref(), query)
        {
            return None;
        }
        let version_1 = self.version_1 && query.is_none() && actions.version_1().is_some();
        Some(Self { about: self.about, of, actions, query, version_1 })
    }

    /// The part of it that is about one type; `None` when its search is none of that type.
    pub fn part(&self, of: &str) -> Option<Self> {
        let fits = self.query.as_deref().is_none_or(|query| is_condition(Some(of), query));
        fits.then(|| Self { of: Some(of.to_owned()), ..self.clone() })
    }

    /// The part of it that matches a search.
    #[must_use]
    pub fn narrowed(&self, query: &str) -> Self {
        Self { query: Some(query.to_owned()), version_1: false, ..self.clone() }
    }

    /// Whether everything `other` permits is permitted here too.
    pub fn covers(&self, other: &Self) -> bool {
        other.meet(self).as_ref() == Some(other)
    }
}

/// In the version it was asked for.
impl fmt::Display for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let of = self.of.as_deref().unwrap_or("*");
        write!(f, "{}/{of}.", self.about.word())?;
        match self.actions.version_1().filter(|_| self.version_1) {
            Some(word) => f.write_str(word)?,
            None => {
                for (action, letter) in Action::ALL {
                    if self.actions.has(action) {
                        write!(f, "{letter}")?;
                    }
                }
            }
        }
        match &self.query {
            Some(query) => write!(f, "?{query}"),
            None => Ok(()),
        }
    }
}

/// Whether a granular scope's parameters are ones that a record of its type, or of some type, can be
/// held to.
fn is_condition(of: Option<&str>, query: &str) -> bool {
    match of {
        Some(name) => {
            r4().resource_type(name).is_some_and(|of| Condition::parse(of, query).is_ok())
        }
        None => r4().resource_types().any(|(of, _)| Condition::parse(of, query).is_ok()),
    }
}
