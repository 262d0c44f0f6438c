//! The second factor that a role demands (45 CFR 164.312(d), person or entity authentication; NIST SP
//! 800-63B 4.2): of whom, since when, and what somebody without one may do, which is to register one.
//!
//! It is asked of a session at each use, not when it opens: a role that is given later holds at once,
//! and a session that showed one factor is worth nothing from then on until it shows a second.

use base::{Fault, Millis};

use crate::identity::Identity;
use crate::principal::{
    Kind, LABEL_BYTES_MAX, LIST_MAX, Principal, PrincipalId, invalid, printable,
};
use crate::refusal::factor_missing;
use crate::session::{Assurance, Caller, SessionKind};

/// Of which people a second factor is demanded.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub enum Of {
    /// Of nobody.
    #[default]
    Nobody,
    /// Of whoever has one of these roles.
    Roles(Vec<String>),
    /// Of whoever has a role that is none of these.
    AllBut(Vec<String>),
}

/// What a site demands.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Demand {
    /// Of whom.
    pub of: Of,
    /// From this moment; before it, people are told and nobody is held up.
    pub from: Option<Millis>,
    /// Only at a site that got its first administrator when there was such a demand: others are not
    /// surprised by a newer program.
    pub new_sites: bool,
}

/// How a principal stands to the demand.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// Nothing is demanded.
    Free,
    /// It is, and there is a second factor here.
    Held,
    /// It is, there is none here, and an issuer vouches for the person: it has to have seen two.
    ByIssuer,
    /// It is, and there is none.
    Missing,
    /// It will be from then on, and there is none.
    MissingFrom(Millis),
}

impl Demand {
    /// Refuses what makes no sense.
    pub(crate) fn check(&self) -> Result<(), Fault> {
        let (Of::Roles(roles) | Of::AllBut(roles)) = &self.of else { return Ok(()) };
        let label = |text: &String| !text.is_empty() && printable(text, LABEL_BYTES_MAX);
        if roles.len() > LIST_MAX || !roles.iter().all(label) {
            let say = "Name at most 256 roles, each in at most 64 bytes.";
            return Err(invalid("second_factor", say));
        }
        Ok(())
    }

    /// Whether it is about a principal at all: programs and machines are not people.
    fn concerns(&self, one: &Principal) -> bool {
        let mut roles = one.profile.roles.iter();
        one.kind == Kind::Person
            && match &self.of {
                Of::Nobody => false,
                Of::Roles(named) => roles.any(|role| named.contains(role)),
                Of::AllBut(named) => roles.any(|role| !named.contains(role)),
            }
    }

    /// Whether it holds for a principal now.
    fn holds(&self, one: &Principal, now: Millis) -> bool {
        self.concerns(one) && self.from.is_none_or(|from| from <= now)
    }
}

impl Identity {
    /// Who sends a request with this token, also when the session may do nothing but register a second
    /// factor. For the pages where that is done; everybody else asks [`Identity::find`].
    pub fn find_confined(
        &self,
        token: &str,
        source: Option<std::net::IpAddr>,
    ) -> Result<Caller, Fault> {
        self.look_up(token, source)
    }

    /// Refuses a caller whose role demands a second factor that was not shown; of a script token, that
    /// its person does not have.
    pub fn need_second_factor(&self, caller: &Caller) -> Result<(), Fault> {
        let shown = match caller.kind {
            SessionKind::SignIn => {
                caller.assurance >= Assurance::Aal2 || !self.demands(&caller.principal)
            }
            SessionKind::Script => {
                !self.demands(&caller.principal) || self.holds_factor(caller.principal.id)?
            }
        };
        if shown { Ok(()) } else { Err(factor_missing()) }
    }

    /// Whether a second factor is demanded of a principal now.
    pub fn demands(&self, one: &Principal) -> bool {
        self.core.demand.holds(one, self.now())
    }

    /// Whether a principal has a second factor here.
    pub fn holds_factor(&self, id: PrincipalId) -> Result<bool, Fault> {
        Ok(self.load_factors(id)?.1.required())
    }

    /// How a principal stands to the demand.
    pub fn standing(&self, one: &Principal) -> Result<Standing, Fault> {
        let demand = &self.core.demand;
        if !demand.concerns(one) {
            return Ok(Standing::Free);
        }
        if self.holds_factor(one.id)? {
            return Ok(Standing::Held);
        }
        Ok(match demand.from.filter(|from| self.now() < *from) {
            _ if !self.links(one.id)?.is_empty() => Standing::ByIssuer,
            Some(from) => Standing::MissingFrom(from),
            None => Standing::Missing,
        })
    }
}

/// The fault of somebody of whom a second factor is demanded, and who showed one.
pub fn missing() -> Fault {
    factor_missing()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::principal::Profile;

    fn with(kind: Kind, roles: &[&str]) -> Principal {
        Principal {
            id: PrincipalId::new([1; 16]),
            kind,
            profile: Profile {
                roles: roles.iter().map(|role| (*role).to_owned()).collect(),
                ..Profile::default()
            },
            disabled: None,
            created: Millis(0),
            changed: Millis(0),
            version: 1,
        }
    }

    #[test]
    fn a_demand_is_about_people_with_its_roles_from_its_day_on() {
        let named = |names: &[&str]| names.iter().map(|n| (*n).to_owned()).collect::<Vec<_>>();
        let nurses = Demand { of: Of::Roles(named(&["nurse"])), ..Demand::default() };
        let staff = Demand { of: Of::AllBut(named(&["patient"])), ..Demand::default() };
        let holds =
            |demand: &Demand, kind, roles: &[&str]| demand.holds(&with(kind, roles), Millis(5));
        assert!(holds(&nurses, Kind::Person, &["biller", "nurse"]));
        assert!(!holds(&nurses, Kind::Person, &["biller"]));
        assert!(
            holds(&staff, Kind::Person, &["patient", "biller"]),
            "one of the staff, and a patient"
        );
        assert!(!holds(&staff, Kind::Person, &["patient"]));
        assert!(!holds(&staff, Kind::Person, &[]));
        for kind in [Kind::Service, Kind::Device, Kind::Agent, Kind::App] {
            assert!(!holds(&staff, kind, &["nurse"]), "{kind:?} is no person");
        }
        assert!(!holds(&Demand::default(), Kind::Person, &["nurse"]));
        let later = Demand { from: Some(Millis(6)), ..nurses };
        assert!(!holds(&later, Kind::Person, &["nurse"]));
        assert!(later.holds(&with(Kind::Person, &["nurse"]), Millis(6)));
    }
}
