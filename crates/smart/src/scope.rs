//! Scopes, read and compared: `patient/Observation.rs?category=…` and its older form
//! `patient/Observation.read`, wildcards, and the few that ask for context or identity
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html>).
//!
//! What is not understood is never granted: a scope that does not parse is left out, and the app
//! learns of it from the scopes it gets.

use std::fmt;

use fhir::definitions::r4;

/// Bytes of one list of scopes.
pub const TEXT_BYTES_MAX: usize = 16 << 10;
/// Scopes of one list.
pub const COUNT_MAX: usize = 256;
/// Parameters of one granular scope.
const PARAMETERS_MAX: usize = 8;
/// Parameters that every type has and that say something of the record itself; all others that begin
/// with `_` decide how an answer looks.
const COMMON: [&str; 6] = ["_id", "_lastUpdated", "_profile", "_security", "_source", "_tag"];

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
    fn parse(text: &str) -> Option<Self> {
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
        if query.is_some_and(|query| version_1 || !sound_query(query)) {
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
        if query.as_deref().is_some_and(|query| !sound_query(query)) {
            return None;
        }
        let version_1 = self.version_1 && query.is_none() && actions.version_1().is_some();
        Some(Self { about: self.about, of, actions, query, version_1 })
    }

    /// The part of it that is about one type.
    #[must_use]
    pub fn part(&self, of: &str) -> Self {
        Self { of: Some(of.to_owned()), ..self.clone() }
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

/// Whether a granular scope's parameters are ones that a record can match.
fn sound_query(query: &str) -> bool {
    let mut count = 0;
    query.split('&').all(|pair| {
        count += 1;
        let Some((name, value)) = pair.split_once('=') else { return false };
        let base = name.split([':', '.']).next().unwrap_or_default();
        let letters = |c: u8| c.is_ascii_alphanumeric() || matches!(c, b'_' | b'-' | b':' | b'.');
        count <= PARAMETERS_MAX
            && !value.is_empty()
            && !base.is_empty()
            && name.bytes().all(letters)
            && (!base.starts_with('_') || COMMON.contains(&base))
    })
}

/// One scope.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Scope {
    /// Over records.
    Reach(Reach),
    /// Who the user is, by an identity token.
    OpenId,
    /// Which record the user is.
    FhirUser,
    /// As `fhirUser`, in the words of version 1.
    Profile,
    /// The context of the EHR it was started from.
    Launch,
    /// A patient to be chosen.
    LaunchPatient,
    /// An encounter of the context.
    LaunchEncounter,
    /// Refreshing until it is revoked.
    Offline,
    /// Refreshing while the user stays signed in.
    Online,
}

/// Those that are one word.
const WORDS: [(Scope, &str); 8] = [
    (Scope::OpenId, "openid"),
    (Scope::FhirUser, "fhirUser"),
    (Scope::Profile, "profile"),
    (Scope::Launch, "launch"),
    (Scope::LaunchPatient, "launch/patient"),
    (Scope::LaunchEncounter, "launch/encounter"),
    (Scope::Offline, "offline_access"),
    (Scope::Online, "online_access"),
];

impl Scope {
    /// One scope; `None` when it is not one that is understood here.
    pub fn parse(text: &str) -> Option<Self> {
        let word = WORDS.iter().find(|(_, word)| *word == text);
        word.map(|(scope, _)| scope.clone()).or_else(|| Reach::parse(text).map(Self::Reach))
    }
}

impl fmt::Display for Scope {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Self::Reach(reach) = self {
            return fmt::Display::fmt(reach, f);
        }
        let word = WORDS.iter().find(|(scope, _)| scope == self);
        f.write_str(word.map_or("", |(_, word)| word))
    }
}

/// A list of scopes, each once.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Scopes(Vec<Scope>);

impl Scopes {
    /// Reads a list parted by spaces, leaving out what is not understood. `None` when it is too long
    /// or holds bytes that no scope may have (RFC 6749, 3.3).
    pub fn parse(text: &str) -> Option<Self> {
        let fits = |c: u8| matches!(c, 0x20 | 0x21 | 0x23..=0x5B | 0x5D..=0x7E);
        if text.len() > TEXT_BYTES_MAX || !text.bytes().all(fits) {
            return None;
        }
        let words = text.split(' ').filter(|word| !word.is_empty());
        if words.clone().count() > COUNT_MAX {
            return None;
        }
        Some(Self::of(words.filter_map(Scope::parse)))
    }

    /// A list of these, each once.
    pub fn of(scopes: impl IntoIterator<Item = Scope>) -> Self {
        let mut list: Vec<Scope> = Vec::new();
        for scope in scopes {
            if !list.contains(&scope) {
                list.push(scope);
            }
        }
        Self(list)
    }

    /// All of them.
    pub fn iter(&self) -> impl Iterator<Item = &Scope> {
        self.0.iter()
    }

    /// Those over records.
    pub fn reaches(&self) -> impl Iterator<Item = &Reach> {
        self.0.iter().filter_map(|scope| match scope {
            Scope::Reach(reach) => Some(reach),
            _ => None,
        })
    }

    /// Whether this one is in the list.
    pub fn has(&self, scope: &Scope) -> bool {
        self.0.contains(scope)
    }

    /// Whether any is over the one patient in context.
    pub fn about_patient(&self) -> bool {
        self.reaches().any(|reach| reach.about == About::Patient)
    }

    /// Whether there is none.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Those that `keep` chooses.
    #[must_use]
    pub fn filtered(&self, keep: impl Fn(&Scope) -> bool) -> Self {
        Self(self.0.iter().filter(|scope| keep(scope)).cloned().collect())
    }

    /// What is both asked for here and in `allowed`, written as it was asked for.
    #[must_use]
    pub fn within(&self, allowed: &Self) -> Self {
        let mut list = Vec::new();
        for scope in &self.0 {
            let Scope::Reach(asked) = scope else {
                if allowed.has(scope) {
                    list.push(scope.clone());
                }
                continue;
            };
            let mut met: Vec<Reach> = allowed.reaches().filter_map(|a| asked.meet(a)).collect();
            if let Some(whole) = met.iter().find(|reach| *reach == asked) {
                met = vec![whole.clone()];
            }
            list.extend(met.into_iter().map(Scope::Reach));
        }
        Self::of(list.into_iter().take(COUNT_MAX))
    }

    /// Whether everything in `other` is permitted here too.
    pub fn covers(&self, other: &Self) -> bool {
        other.iter().all(|scope| match scope {
            Scope::Reach(reach) => self.reaches().any(|own| own.covers(reach)),
            word => self.has(word),
        })
    }
}

impl fmt::Display for Scopes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, scope) in self.0.iter().enumerate() {
            if at > 0 {
                f.write_str(" ")?;
            }
            fmt::Display::fmt(scope, f)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn scopes(text: &str) -> Scopes {
        Scopes::parse(text).expect("a list")
    }

    fn within(asked: &str, allowed: &str) -> String {
        scopes(asked).within(&scopes(allowed)).to_string()
    }

    #[test]
    fn both_versions_are_read_and_answered_as_they_were_asked() {
        for text in [
            "patient/Observation.read",
            "patient/Observation.rs",
            "user/*.*",
            "system/*.cruds",
            "patient/*.write",
            "user/Condition.cud",
            "patient/Observation.rs?category=http://terminology.hl7.org/CodeSystem/observation-category|vital-signs",
            "openid fhirUser profile launch launch/patient launch/encounter offline_access online_access",
        ] {
            assert_eq!(scopes(text).to_string(), text);
        }
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for text in [
            "patient/Observation.sr",
            "patient/Observation.rr",
            "patient/Observation.",
            "patient/Observation",
            "patient/observation.rs",
            "patient/Made_Up.rs",
            "Patient/Observation.rs",
            "patients/Observation.rs",
            "patient/Observation.READ",
            "patient/Observation.read?category=x",
            "patient/Observation.rs?",
            "patient/Observation.rs?category",
            "patient/Observation.rs?category=",
            "patient/Observation.rs?_include=Observation:subject",
            "patient/Observation.rs?_has:Group:member:_id=1",
            "patient/Observation.rs?a=1&a=2&a=3&a=4&a=5&a=6&a=7&a=8&a=9",
            "launch/imagingstudy",
            "*",
            "patient/*",
        ] {
            assert_eq!(scopes(text), Scopes::default(), "{text}");
        }
        assert_eq!(scopes("nothing patient/Patient.r").to_string(), "patient/Patient.r");
    }

    #[test]
    fn a_list_that_is_too_long_or_holds_other_bytes_is_refused() {
        assert_eq!(Scopes::parse(&"openid ".repeat(COUNT_MAX + 1)), None);
        assert_eq!(Scopes::parse(&"x".repeat(TEXT_BYTES_MAX + 1)), None);
        for text in ["a\tb", "a\"b", "a\\b", "ä", "a\nb"] {
            assert_eq!(Scopes::parse(text), None, "{text}");
        }
    }

    #[test]
    fn a_list_is_narrowed_to_what_is_allowed() {
        assert_eq!(
            within("patient/*.read", "patient/Patient.rs patient/Observation.cruds"),
            "patient/Patient.read patient/Observation.read"
        );
        assert_eq!(within("patient/Observation.*", "patient/*.rs"), "patient/Observation.read");
        assert_eq!(within("patient/Observation.cruds", "patient/*.crs"), "patient/Observation.crs");
        assert_eq!(within("patient/Observation.*", "patient/*.r"), "patient/Observation.r");
        assert_eq!(within("user/Observation.rs", "patient/*.rs"), "");
        assert_eq!(within("openid offline_access", "openid"), "openid");
        assert_eq!(within("patient/*.rs", "patient/*.rs patient/Patient.rs"), "patient/*.rs");
        // A granular registration binds whoever asks for the whole.
        assert_eq!(
            within("patient/Observation.read", "patient/Observation.rs?category=lab"),
            "patient/Observation.rs?category=lab"
        );
        assert_eq!(
            within("patient/Observation.rs?code=1", "patient/Observation.rs?category=lab"),
            "patient/Observation.rs?code=1&category=lab"
        );
    }

    #[test]
    fn what_covers_permits_no_less() {
        let covers = |a: &str, b: &str| scopes(a).covers(&scopes(b));
        assert!(covers("patient/*.read", "patient/Observation.rs"));
        assert!(covers("patient/Observation.rs", "patient/Observation.rs?category=lab"));
        assert!(!covers("patient/Observation.rs?category=lab", "patient/Observation.rs"));
        assert!(!covers("patient/Observation.rs", "patient/Observation.cruds"));
        assert!(!covers("patient/Observation.read", "patient/*.read"));
        assert!(!covers("patient/Observation.read", "user/Observation.read"));
        assert!(!covers("openid", "openid offline_access"));
    }

    proptest! {
        #[test]
        fn no_text_makes_the_parser_panic(
            text in prop_oneof![
                any::<String>(),
                "(patient|user|system|launch|x)/?(\\*|Observation|Patient|[A-Za-z]{0,8})?\\.?[cruds*]{0,6}(read|write)?(\\?[a-z_:=&%.|]{0,20})?( .{0,20})?",
            ],
        ) {
            if let Some(list) = Scopes::parse(&text) {
                // What it prints is read back as the same.
                let again = Scopes::parse(&list.to_string());
                prop_assert_eq!(again.as_ref(), Some(&list));
                // What is met by everything of its kind is itself.
                prop_assert_eq!(&list.within(&list), &list);
                prop_assert!(list.covers(&list));
            }
        }

        #[test]
        fn both_versions_of_a_meaning_are_equal(
            about in "patient|user|system",
            of in "\\*|Observation|Patient|Condition",
            (old, new) in prop_oneof![Just(("read", "rs")), Just(("write", "cud")), Just(("*", "cruds"))],
            other in "[cruds]{1,5}",
        ) {
            let old = scopes(&format!("{about}/{of}.{old}"));
            let same = scopes(&format!("{about}/{of}.{new}"));
            prop_assert_eq!(&old, &same);
            prop_assert!(old.covers(&same) && same.covers(&old));
            let other = scopes(&format!("{about}/{of}.{other}"));
            if other.to_string() != same.to_string() {
                prop_assert_ne!(&old, &other);
            }
        }

        #[test]
        fn narrowing_never_permits_more(
            asked in list(), allowed in list(),
        ) {
            let (asked, allowed) = (scopes(&asked), scopes(&allowed));
            let met = asked.within(&allowed);
            prop_assert!(asked.covers(&met), "{asked} | {met}");
            prop_assert!(allowed.covers(&met), "{allowed} | {met}");
        }
    }

    fn list() -> impl Strategy<Value = String> {
        let one = "(patient|user)/(\\*|Observation|Patient)\\.(read|write|\\*|c?r?u?d?s|r)(\\?(code=1|category=a|code=1&category=b))?";
        proptest::collection::vec(one, 0..5).prop_map(|list| list.join(" "))
    }
}
