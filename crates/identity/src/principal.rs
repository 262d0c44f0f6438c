//! Who there is: persons, services, devices, agents and apps, each with an id of its own and a name
//! that nobody else has (45 CFR 164.312(a)(2)(i), unique user identification). None is shared, and
//! none is there from the start.

use std::fmt;

use base::error::code;
use base::id::{uuid_bytes, uuid_text};
use base::{Fault, Millis};
use serde::{Deserialize, Serialize};
use unicode_normalization::UnicodeNormalization as _;

use crate::body::{self, Body};

/// Scalar values of a sign-in name.
pub const NAME_CHARS_MAX: usize = 64;
/// Bytes of a display name.
pub const DISPLAY_BYTES_MAX: usize = 200;
/// Roles, sites or care teams of one principal.
pub const LIST_MAX: usize = 256;
/// Bytes of one name of a role, site or care team.
pub const LABEL_BYTES_MAX: usize = 64;
/// Bytes of the reason for disabling.
pub const REASON_BYTES_MAX: usize = 500;

/// What kind of actor a principal is. Only a person signs in with a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// A human being.
    Person,
    /// A program of the site, such as an interface channel.
    Service,
    /// A machine, such as a monitor or an analyser.
    Device,
    /// An AI agent, which acts as itself.
    Agent,
    /// An OAuth client.
    App,
}

/// The id of a principal: a version-7 UUID that is never used again.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PrincipalId([u8; 16]);

impl PrincipalId {
    /// Wraps sixteen bytes.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Reads the canonical text.
    pub fn parse(text: &str) -> Option<Self> {
        uuid_bytes(text).map(Self)
    }

    /// Its bytes, which are its key on the shelves.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&uuid_text(&self.0))
    }
}

impl fmt::Debug for PrincipalId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// A sign-in name as it is compared: NFKC, without case.
#[derive(Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct SignInName(String);

impl SignInName {
    /// Folds what was typed, or `None` when it cannot be anybody's name: it is empty, too long, or
    /// holds anything but letters, digits and `.`, `_`, `-`, `+`, `@`, `'`.
    pub fn fold(typed: &str) -> Option<Self> {
        if typed.len() > NAME_CHARS_MAX * 4 {
            return None;
        }
        let mut folded: String = typed.trim().nfkc().collect();
        // Most are folded at once; a few (`ẞ`, by way of `ß`, to `ss`) need another round.
        let settled = (0..4).any(|_| {
            let again = fold_once(&folded);
            let same = again == folded;
            folded = again;
            same
        });
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '.' | '_' | '-' | '+' | '@' | '\'');
        let count = folded.chars().count();
        let sound = settled
            && (1..=NAME_CHARS_MAX).contains(&count)
            && folded.chars().all(fits)
            && folded.starts_with(char::is_alphanumeric);
        sound.then_some(Self(folded))
    }

    /// The folded text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SignInName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("‹name›")
    }
}

/// What an administrator writes about a principal. Changing it replaces the whole.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Profile {
    /// The sign-in name, as it is to be shown; [`SignInName`] is what must be unique.
    pub name: String,
    /// What people read.
    pub display: String,
    /// Names of roles; what they permit is not identity's business.
    #[serde(default)]
    pub roles: Vec<String>,
    /// Sites the principal works at.
    #[serde(default)]
    pub sites: Vec<String>,
    /// Care teams the principal is part of.
    #[serde(default)]
    pub care_teams: Vec<String>,
    /// The logical id of the Practitioner this person is.
    #[serde(default)]
    pub practitioner: Option<String>,
    /// The logical id of the Patient this person is.
    #[serde(default)]
    pub patient: Option<String>,
    /// The logical ids of the Patients this person speaks for (45 CFR 164.502(g)).
    #[serde(default)]
    pub represents: Vec<String>,
}

/// A profile is about a person: only its shape is printed.
impl fmt::Debug for Profile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Profile").field("roles", &self.roles.len()).finish_non_exhaustive()
    }
}

impl Profile {
    /// The name as it is compared, when every member is within its bounds; else the first that is
    /// not, by its name.
    pub fn check(&self) -> Result<SignInName, Fault> {
        let Some(name) = SignInName::fold(&self.name) else {
            return Err(invalid(
                "name",
                "A sign-in name has 1 to 64 letters, digits or . _ - + @ ' and begins with a letter or digit.",
            ));
        };
        let display = self.display.trim();
        if display.is_empty() || !printable(&self.display, DISPLAY_BYTES_MAX) {
            return Err(invalid("display", "Give a name to show, of at most 200 bytes."));
        }
        let lists =
            [("roles", &self.roles), ("sites", &self.sites), ("careTeams", &self.care_teams)];
        for (member, list) in lists {
            let label = |text: &String| !text.is_empty() && printable(text, LABEL_BYTES_MAX);
            let twice =
                list.iter().enumerate().any(|(at, a)| list.iter().skip(at + 1).any(|b| a == b));
            if list.len() > LIST_MAX || !list.iter().all(label) || twice {
                return Err(invalid(
                    member,
                    "Name each once, in at most 64 bytes, and at most 256.",
                ));
            }
        }
        for (member, id) in [("practitioner", &self.practitioner), ("patient", &self.patient)] {
            let fits = |c: u8| c.is_ascii_alphanumeric() || c == b'-' || c == b'.';
            let sound = |id: &String| (1..=64).contains(&id.len()) && id.bytes().all(fits);
            if !id.iter().all(sound) {
                return Err(invalid(member, "Give the logical id of a resource."));
            }
        }
        Ok(name)
    }
}

/// That a principal may do nothing any more, why, and since when.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Disabled {
    /// Since when, milliseconds since 1970.
    pub at_ms: i64,
    /// Why, in an administrator's words.
    pub reason: String,
}

/// The reason may speak of a person.
impl fmt::Debug for Disabled {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Disabled").field("at_ms", &self.at_ms).finish_non_exhaustive()
    }
}

/// Somebody or something that may act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Principal {
    /// Which.
    pub id: PrincipalId,
    /// Of what kind; it never changes.
    pub kind: Kind,
    /// What administrators wrote.
    pub profile: Profile,
    /// Whether it may not act.
    pub disabled: Option<Disabled>,
    /// When it was made.
    pub created: Millis,
    /// When it was last changed.
    pub changed: Millis,
    /// Names this state; a change must repeat it.
    pub version: u64,
}

/// How a principal stands on its shelf.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Stored {
    kind: Kind,
    profile: Profile,
    #[serde(default)]
    disabled: Option<Disabled>,
    created_ms: i64,
    changed_ms: i64,
}

impl Body for Stored {
    fn sound(&self) -> bool {
        self.profile.check().is_ok()
            && self.disabled.iter().all(|d| printable(&d.reason, REASON_BYTES_MAX))
    }
}

impl Principal {
    pub(crate) fn encode(&self) -> Result<Vec<u8>, Fault> {
        body::encode(&Stored {
            kind: self.kind,
            profile: self.profile.clone(),
            disabled: self.disabled.clone(),
            created_ms: self.created.0,
            changed_ms: self.changed.0,
        })
    }

    pub(crate) fn decode(id: PrincipalId, version: u64, bytes: &[u8]) -> Result<Self, Fault> {
        let stored: Stored = body::decode(bytes)?;
        Ok(Self {
            id,
            kind: stored.kind,
            profile: stored.profile,
            disabled: stored.disabled,
            created: Millis(stored.created_ms),
            changed: Millis(stored.changed_ms),
            version,
        })
    }
}

/// Upper case and back joins what lower case alone keeps apart: `ß` and `ss`, `ς` and `σ`.
fn fold_once(text: &str) -> String {
    let upper = text.chars().flat_map(char::to_uppercase);
    upper.flat_map(char::to_lowercase).nfkc().collect()
}

/// The fault of a member that is out of bounds. It never repeats the value.
pub(crate) fn invalid(member: &str, say: &str) -> Fault {
    Fault::at(&code::PARAMETER_INVALID, say, member)
}

/// Whether a text is within its bytes and has no control characters, which could forge a log line.
pub(crate) fn printable(text: &str, bytes_max: usize) -> bool {
    text.len() <= bytes_max && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_character_folds_the_same_in_either_case_and_twice() {
        for c in '\0'..=char::MAX {
            let text = c.to_string();
            let Some(folded) = SignInName::fold(&text) else { continue };
            assert_eq!(SignInName::fold(folded.as_str()).as_ref(), Some(&folded), "{c:?} twice");
            for other in [text.to_lowercase(), text.to_uppercase()] {
                let other = SignInName::fold(&other);
                assert!(other.is_none() || other.as_ref() == Some(&folded), "{c:?}: {other:?}");
            }
        }
    }

    #[test]
    fn the_worked_example_holds() {
        let principal = Principal {
            id: PrincipalId::new([0x11; 16]),
            kind: Kind::Person,
            profile: Profile {
                name: "Ada".to_owned(),
                display: "Ada Lovelace".to_owned(),
                roles: vec!["nurse".to_owned()],
                ..Profile::default()
            },
            disabled: None,
            created: Millis(1_795_340_467_000),
            changed: Millis(1_795_340_467_000),
            version: 1,
        };
        let bytes = principal.encode().expect("encoded");
        let json = r#"{"kind":"person","profile":{"name":"Ada","display":"Ada Lovelace","roles":["nurse"],"sites":[],"care_teams":[],"practitioner":null,"patient":null},"disabled":null,"created_ms":1795340467000,"changed_ms":1795340467000}"#;
        assert_eq!(bytes.split_first(), Some((&1, json.as_bytes())));
        assert_eq!(Principal::decode(principal.id, 1, &bytes).expect("decoded"), principal);
    }
}
