//! What an app was given narrows what its user, or the app itself, may reach (SMART App Launch 2.2,
//! scopes). It never widens: a scope of the store within the ways that the grant has.

use access::Action;
use fhir::definitions::{TypeId, r4};
use smart::{Allowed, Grant};
use std::collections::{BTreeMap, BTreeSet};
use store::Scope;

/// The part of a scope that a grant reaches with an action; `None` when it reaches nothing.
pub(crate) fn within(scope: &Scope, grant: &Grant, action: Action) -> Option<Scope> {
    let mut groups: BTreeMap<Option<String>, BTreeSet<TypeId>> = BTreeMap::new();
    for (id, name) in r4().resource_types() {
        match grant.allows(asked(action), name) {
            Allowed::None => {}
            Allowed::All => {
                groups.entry(None).or_default().insert(id);
            }
            Allowed::Ways(ways) => {
                // What a search would narrow further is not followed yet, and so not given.
                for way in ways.into_iter().filter(|way| way.query.is_none()) {
                    groups.entry(way.patient).or_default().insert(id);
                }
            }
        }
    }
    let ways: Vec<_> = groups.into_iter().collect();
    (!ways.is_empty()).then(|| scope.clone().within(&ways))
}

const fn asked(action: Action) -> smart::Action {
    match action {
        Action::Create => smart::Action::Create,
        Action::Update | Action::Amend | Action::Configure => smart::Action::Update,
        Action::Delete => smart::Action::Delete,
        Action::Search => smart::Action::Search,
        Action::Read | Action::History | Action::Export | Action::Print => smart::Action::Read,
    }
}
