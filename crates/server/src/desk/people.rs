//! What the console asks about people beside the record, answered by the authorization server: what they
//! gave to apps, and its end. Who may ask was held by the record's gate before (SMART App Launch,
//! management of what was given).

use crate::smart::scopes::sentence;
use base::Fault;
use console::{GivenApp, Lang, People};
use identity::{By, PrincipalId};
use smart::{Given, GrantId, Scope, Smart};
use std::net::IpAddr;
use std::sync::Arc;

/// The people's side of one visit.
pub(super) struct Visited {
    pub(super) smart: Arc<Smart>,
    pub(super) peer: IpAddr,
    /// In which what apps may do is said.
    pub(super) lang: Lang,
}

impl People for Visited {
    fn source(&self) -> IpAddr {
        self.peer
    }

    fn given(&self, user: PrincipalId) -> Vec<GivenApp> {
        self.smart.given_by(user).into_iter().map(|given| told(given, self.lang)).collect()
    }

    fn end_given(&self, by: PrincipalId, user: PrincipalId, id: &str) -> Result<bool, Fault> {
        let Some(id) = GrantId::parse(id) else { return Ok(false) };
        let by = By::Principal(by);
        let wanted = |grant: &smart::Grant| grant.id == id && grant.user == Some(user);
        self.smart.revoke_by(by, wanted).map(|count| count > 0)
    }
}

fn told(given: Given, lang: Lang) -> GivenApp {
    let launches = |scope: &Scope| {
        matches!(scope, Scope::Launch | Scope::LaunchPatient | Scope::LaunchEncounter)
    };
    let scopes = given.grant.scopes.iter().filter(|scope| !launches(scope));
    GivenApp {
        id: given.grant.id.to_string(),
        app: given.display,
        is_agent: given.agent,
        may: scopes.map(|scope| sentence(scope, false, lang)).collect(),
        since: given.grant.created,
        used: given.used,
        ends: given.ends,
    }
}
