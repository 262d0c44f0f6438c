//! The names that policies speak of: roles, sites, care teams, and states of the USA. A matrix or a
//! comparison of two sets asks for a stand-in of each, so that no policy is left out of it because
//! nobody in it has the name.

use std::collections::BTreeSet;

use cedar_policy::pst::{EntityOrSlot, Expr, Literal, PrincipalConstraint};

use crate::choice::Name;
use crate::compile;

/// Names in policies.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Named {
    /// Roles.
    pub roles: BTreeSet<Name>,
    /// Sites.
    pub sites: BTreeSet<Name>,
    /// Care teams.
    pub care_teams: BTreeSet<Name>,
    /// Users, where a policy names one.
    pub users: BTreeSet<Name>,
    /// What could be a state: two capital letters.
    pub states: BTreeSet<Name>,
}

impl Named {
    /// Adds those of others.
    pub(crate) fn add(&mut self, other: Self) {
        self.roles.extend(other.roles);
        self.sites.extend(other.sites);
        self.care_teams.extend(other.care_teams);
        self.users.extend(other.users);
        self.states.extend(other.states);
    }

    /// Those of either.
    #[must_use]
    pub(crate) fn and(&self, other: &Self) -> Self {
        let mut both = self.clone();
        both.add(other.clone());
        both
    }

    /// Adds those in the scope of a policy.
    pub(crate) fn of_principal(&mut self, principal: &PrincipalConstraint) {
        match principal {
            PrincipalConstraint::Eq(EntityOrSlot::Entity(uid))
            | PrincipalConstraint::In(EntityOrSlot::Entity(uid))
            | PrincipalConstraint::IsIn(_, EntityOrSlot::Entity(uid)) => {
                self.entity(&uid.ty.to_string(), &uid.eid);
            }
            _ => {}
        }
    }

    /// Adds those in a condition.
    pub(crate) fn of(&mut self, expr: &Expr) {
        match expr {
            Expr::Literal(Literal::EntityUID(uid)) => self.entity(&uid.ty.to_string(), &uid.eid),
            Expr::Literal(Literal::String(text))
                if text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_uppercase()) =>
            {
                self.states.insert(text.as_str().into());
            }
            _ => {}
        }
        for part in compile::parts(expr).unwrap_or_default() {
            self.of(part);
        }
    }

    fn entity(&mut self, kind: &str, id: &str) {
        let names = match kind {
            "Role" => &mut self.roles,
            "Site" => &mut self.sites,
            "CareTeam" => &mut self.care_teams,
            "User" => &mut self.users,
            _ => return,
        };
        names.insert(id.into());
    }
}
