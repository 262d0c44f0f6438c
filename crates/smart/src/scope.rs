//! Scopes, read and compared: those over records, and the few that ask for context or identity; and
//! lists of them
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html>).
//!
//! What is not understood is never granted: a scope that does not parse is left out, and the app
//! learns of it from the scopes it gets.

use std::fmt;

use crate::reach::{About, Reach};

/// Bytes of one list of scopes.
pub const TEXT_BYTES_MAX: usize = 16 << 10;
/// Scopes of one list.
pub const COUNT_MAX: usize = 256;

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
            "patient/Observation.rs?code=1&code=2&code=3&code=4&code=5&code=6&code=7&code=8&code=9",
            "patient/Observation.rs?made-up=1",
            "patient/Observation.rs?category:not=laboratory",
            "patient/Observation.rs?subject.name=a",
            "patient/Observation.rs?date=gt2020",
            "patient/Observation.rs?_id=1",
            "patient/Patient.rs?category=laboratory",
            "patient/*.rs?made-up=1",
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
        assert_eq!(
            within("patient/*.rs?category=a", "patient/Patient.rs"),
            "",
            "no parameter of it"
        );
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
