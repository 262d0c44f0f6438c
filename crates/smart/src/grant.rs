//! What a user gave an app, or an administrator gave a service: who, to whom, which scopes, in which
//! patient's context; and the one pure question that is asked of it at every request
//! (<https://hl7.org/fhir/smart-app-launch/STU2.2/scopes-and-launch-context.html>).

use std::fmt;

use base::Millis;
use base::id::{uuid_bytes, uuid_text};
use identity::{IssuerName, PrincipalId, SessionId};
use serde::{Deserialize, Serialize};

use crate::reach::{About, Action};
use crate::scope::Scopes;

/// Which grant; it is shown to users and administrators and is no secret.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct GrantId(pub(crate) [u8; 16]);

impl GrantId {
    /// Reads the canonical text.
    pub fn parse(text: &str) -> Option<Self> {
        uuid_bytes(text).map(Self)
    }
}

impl fmt::Display for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&uuid_text(&self.0))
    }
}

impl fmt::Debug for GrantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What the app is told it was started with.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Shown {
    /// The logical id of the patient.
    #[serde(default)]
    pub patient: Option<String>,
    /// The logical id of the encounter.
    #[serde(default)]
    pub encounter: Option<String>,
    /// A word that EHR and app agreed on.
    #[serde(default)]
    pub intent: Option<String>,
    /// Whether the app has to show whose record it is.
    #[serde(default)]
    pub need_patient_banner: Option<bool>,
}

/// It names a patient: only its shape is printed.
impl fmt::Debug for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shown")
            .field("patient", &self.patient.is_some())
            .field("encounter", &self.encounter.is_some())
            .finish_non_exhaustive()
    }
}

/// What was given.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// Which.
    pub id: GrantId,
    /// To which app.
    pub app: PrincipalId,
    /// By which user; `None` when the app acts as itself.
    pub user: Option<PrincipalId>,
    /// For what.
    pub scopes: Scopes,
    /// In which context.
    pub shown: Shown,
    /// The record the user is, as `Practitioner/1`, when the app may know.
    pub fhir_user: Option<String>,
    /// The session the user gave it in.
    pub session: Option<SessionId>,
    /// By whose word the user was signed in, where it was an issuer's.
    pub issuer: Option<ByIssuer>,
    /// When it was given.
    pub created: Millis,
}

/// The issuer that vouched for a user who gave something.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ByIssuer {
    /// Which.
    pub name: IssuerName,
    /// Whether it had seen two factors; never where the user had one here.
    pub two_factors: bool,
}

/// One way in which a grant reaches records: all conditions hold at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Way {
    /// Only within this patient's compartment.
    pub patient: Option<String>,
    /// Only records that meet these conditions, `category=lab&status=final`
    /// ([`search::condition::Condition`]). What of it cannot be understood has to match nothing.
    pub query: Option<String>,
}

/// What a grant permits of an action on a type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Allowed {
    /// Nothing.
    None,
    /// Every record that the principal itself may reach.
    All,
    /// What at least one of these reaches.
    Ways(Vec<Way>),
}

impl Allowed {
    /// Within one patient's compartment and no further condition.
    pub fn in_patient(id: &str) -> Self {
        Self::Ways(vec![Way { patient: Some(id.to_owned()), query: None }])
    }

    /// What matches a search.
    pub fn with_query(query: &str) -> Self {
        Self::Ways(vec![Way { patient: None, query: Some(query.to_owned()) }])
    }
}

impl Grant {
    /// What it permits of an action on a type. It only narrows: what the user, or the service, may
    /// not do by policy stays forbidden.
    ///
    /// A scope of a patient without a patient in context, of a user without one, or of a system where
    /// there is a user, permits nothing.
    pub fn allows(&self, action: Action, of: &str) -> Allowed {
        let mut ways = Vec::new();
        for reach in self.scopes.reaches() {
            let fits = reach.actions.has(action) && reach.of.as_deref().is_none_or(|t| t == of);
            let patient = match (reach.about, &self.shown.patient, self.user) {
                (About::Patient, Some(id), Some(_)) => Some(id.clone()),
                (About::User, _, Some(_)) | (About::System, _, None) => None,
                _ => continue,
            };
            if !fits {
                continue;
            }
            let way = Way { patient, query: reach.query.clone() };
            if way.patient.is_none() && way.query.is_none() {
                return Allowed::All;
            }
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
        // The whole of a patient's compartment makes a part of it needless.
        let whole: Vec<_> = ways.iter().filter(|w| w.query.is_none()).cloned().collect();
        ways.retain(|way| way.query.is_none() || !whole.iter().any(|w| w.patient == way.patient));
        if ways.is_empty() { Allowed::None } else { Allowed::Ways(ways) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grant(scopes: &str, patient: Option<&str>, user: bool) -> Grant {
        Grant {
            id: GrantId([1; 16]),
            app: PrincipalId::new([2; 16]),
            user: user.then(|| PrincipalId::new([3; 16])),
            scopes: Scopes::parse(scopes).expect("scopes"),
            shown: Shown { patient: patient.map(str::to_owned), ..Shown::default() },
            fhir_user: None,
            session: None,
            issuer: None,
            created: Millis(0),
        }
    }

    #[test]
    fn a_patients_scope_reaches_that_patient_and_no_more() {
        let given = grant("patient/Observation.read", Some("ada"), true);
        assert_eq!(given.allows(Action::Read, "Observation"), Allowed::in_patient("ada"));
        assert_eq!(given.allows(Action::Search, "Observation"), Allowed::in_patient("ada"));
        assert_eq!(given.allows(Action::Create, "Observation"), Allowed::None);
        assert_eq!(given.allows(Action::Read, "Patient"), Allowed::None);
    }

    #[test]
    fn a_scope_without_its_context_permits_nothing() {
        for (scopes, patient, user) in [
            ("patient/*.cruds", None, true),
            ("patient/*.cruds", Some("ada"), false),
            ("user/*.cruds", Some("ada"), false),
            ("system/*.cruds", Some("ada"), true),
        ] {
            let given = grant(scopes, patient, user);
            assert_eq!(given.allows(Action::Read, "Patient"), Allowed::None, "{scopes}");
        }
    }

    /// Guard 30: `.read` is `.rs` and nothing else, and a search parameter is never dropped.
    #[test]
    fn attack_30_versions_permit_the_same_and_a_granular_scope_keeps_its_query() {
        for (old, new) in [("read", "rs"), ("write", "cud"), ("*", "cruds")] {
            let old = grant(&format!("user/Condition.{old}"), None, true);
            let new = grant(&format!("user/Condition.{new}"), None, true);
            for action in
                [Action::Create, Action::Read, Action::Update, Action::Delete, Action::Search]
            {
                assert_eq!(old.allows(action, "Condition"), new.allows(action, "Condition"));
            }
        }
        let read_only = grant("user/Condition.r", None, true);
        assert_eq!(read_only.allows(Action::Search, "Condition"), Allowed::None);
        let granular = grant("user/Observation.rs?category=lab", None, true);
        for action in [Action::Read, Action::Search] {
            assert_eq!(granular.allows(action, "Observation"), Allowed::with_query("category=lab"));
        }
        let both = grant("patient/Observation.rs?category=lab", Some("ada"), true);
        let way = Way { patient: Some("ada".into()), query: Some("category=lab".into()) };
        assert_eq!(both.allows(Action::Read, "Observation"), Allowed::Ways(vec![way]));
    }

    #[test]
    fn several_scopes_are_joined_and_the_whole_makes_its_parts_needless() {
        let given = grant(
            "patient/Observation.rs?category=lab patient/Observation.rs?category=vital-signs",
            Some("ada"),
            true,
        );
        let Allowed::Ways(ways) = given.allows(Action::Search, "Observation") else {
            panic!("two ways")
        };
        assert_eq!(ways.len(), 2);
        let given = grant("patient/Observation.rs?category=lab patient/*.read", Some("ada"), true);
        assert_eq!(given.allows(Action::Search, "Observation"), Allowed::in_patient("ada"));
        let given = grant("patient/Observation.rs user/Observation.rs", Some("ada"), true);
        assert_eq!(given.allows(Action::Search, "Observation"), Allowed::All);
        let system = grant("system/*.rs", None, false);
        assert_eq!(system.allows(Action::Read, "Patient"), Allowed::All);
    }

    #[test]
    fn a_context_does_not_print_whom_it_is_about() {
        let given = grant("openid", Some("ada-1815"), true);
        assert!(!format!("{given:?}").contains("ada-1815"));
    }
}
