//! What an app was given narrows what its user, or the app itself, may reach (SMART App Launch 2.2,
//! scopes). It never widens: a scope of the store within the ways that the grant has.
//!
//! The search parameters of a scope become conditions that the store judges each record by. A search
//! that is none for a type, which the authorization server does not grant, matches nothing of it.

use access::Action;
use fhir::definitions::{TypeId, r4};
use search::condition::{Condition, Value};
use search::registry::AtomId;
use smart::{Allowed, Grant};
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use store::{Scope, Way};

/// The values of conditions: of one of these lists all, of each any.
type Values = Vec<Vec<Vec<Value>>>;
/// Where those values stand.
type Atoms = Vec<Vec<Vec<AtomId>>>;
/// By patient and what is asked: of which types.
type Groups = BTreeMap<(Option<String>, Option<Values>), (BTreeSet<TypeId>, Atoms)>;

/// The part of a scope that a grant reaches with an action; `None` when it reaches nothing.
pub(crate) fn within(scope: &Scope, grant: &Grant, action: Action) -> Option<Scope> {
    // Types for which the same is asked are one way: their entries have places of their own, so the
    // places of one type say nothing of another.
    let mut groups = Groups::new();
    for (id, name) in r4().resource_types() {
        for (patient, asked) in ways(grant.allows(asked(action), name), id) {
            let (values, places) = asked.map(part).unzip();
            let (types, atoms) = groups.entry((patient, values)).or_default();
            types.insert(id);
            join(atoms, places.unwrap_or_default());
        }
    }
    let ways = groups.into_iter().map(|((patient, values), (types, atoms))| Way {
        patient,
        types,
        matching: values.map(|values| Arc::new(whole(values, atoms))),
    });
    let ways: Vec<_> = ways.collect();
    (!ways.is_empty()).then(|| scope.clone().within(&ways))
}

/// By patient: everything, or what meets one of these lists of conditions.
fn ways(allowed: Allowed, of: TypeId) -> BTreeMap<Option<String>, Option<Vec<Vec<Condition>>>> {
    let mut out = BTreeMap::new();
    match allowed {
        Allowed::None => {}
        Allowed::All => {
            out.insert(None, None);
        }
        Allowed::Ways(ways) => {
            for way in ways {
                let Some(query) = way.query else {
                    out.insert(way.patient, None);
                    continue;
                };
                let Ok(conditions) = Condition::parse(of, &query) else { continue };
                if let Some(any) = out.entry(way.patient).or_insert_with(|| Some(Vec::new())) {
                    any.push(conditions);
                }
            }
        }
    }
    out
}

/// Values and places apart.
fn part(any: Vec<Vec<Condition>>) -> (Values, Atoms) {
    let each = |all: Vec<Condition>| all.into_iter().map(|one| (one.any, one.atoms)).unzip();
    any.into_iter().map(each).unzip()
}

/// Values and places together.
fn whole(values: Values, atoms: Atoms) -> Vec<Vec<Condition>> {
    let each = |(all, places): (Vec<Vec<Value>>, Vec<Vec<AtomId>>)| {
        let pairs = all.into_iter().zip(places);
        pairs.map(|(any, atoms)| Condition { atoms, any }).collect()
    };
    values.into_iter().zip(atoms).map(each).collect()
}

/// Adds the places of one more type.
fn join(atoms: &mut Atoms, more: Atoms) {
    if atoms.is_empty() {
        *atoms = more;
        return;
    }
    for (all, more) in atoms.iter_mut().zip(more) {
        for (places, more) in all.iter_mut().zip(more) {
            places.extend(more);
        }
    }
}

const fn asked(action: Action) -> smart::Action {
    match action {
        Action::Create => smart::Action::Create,
        Action::Update | Action::Amend | Action::Configure | Action::Merge => smart::Action::Update,
        Action::Delete => smart::Action::Delete,
        Action::Search => smart::Action::Search,
        Action::Read | Action::History | Action::Export | Action::Print => smart::Action::Read,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use base::Millis;
    use identity::PrincipalId;
    use smart::{GrantId, Scopes, Shown};

    fn given(scopes: &str, patient: Option<&str>) -> Grant {
        Grant {
            id: GrantId::parse("44444444-4444-4444-4444-444444444444").expect("an id"),
            app: PrincipalId::new([2; 16]),
            user: Some(PrincipalId::new([3; 16])),
            scopes: Scopes::parse(scopes).expect("scopes"),
            shown: Shown { patient: patient.map(str::to_owned), ..Shown::default() },
            fhir_user: None,
            session: None,
            issuer: None,
            created: Millis(0),
        }
    }

    fn kind(name: &str) -> TypeId {
        r4().resource_type(name).expect("a type")
    }

    fn way(patient: Option<&str>, names: &[&str], queries: &[&str]) -> Way {
        let each = |query: &&str| Condition::parse(kind(names[0]), query).expect("conditions");
        let matching: Vec<_> = queries.iter().map(each).collect();
        Way {
            patient: patient.map(str::to_owned),
            types: names.iter().map(|name| kind(name)).collect(),
            matching: (!matching.is_empty()).then(|| Arc::new(matching)),
        }
    }

    fn narrowed(scopes: &str, patient: Option<&str>, action: Action) -> Option<Scope> {
        within(&Scope::everything(), &given(scopes, patient), action)
    }

    #[test]
    fn the_searches_of_a_type_are_one_way_each_kept() {
        let scopes = "patient/Observation.rs?category=a|lab&status=final patient/Observation.rs?category=a|vital-signs patient/Patient.r";
        let got = narrowed(scopes, Some("ada"), Action::Search).expect("a scope");
        let queries = ["category=a|lab&status=final", "category=a|vital-signs"];
        let expected = Scope::everything().within(&[way(Some("ada"), &["Observation"], &queries)]);
        assert_eq!(got, expected);
        let got = narrowed(scopes, Some("ada"), Action::Read).expect("a scope");
        let ways =
            [way(Some("ada"), &["Patient"], &[]), way(Some("ada"), &["Observation"], &queries)];
        assert_eq!(got, Scope::everything().within(&ways));
        assert_eq!(narrowed(scopes, Some("ada"), Action::Update), None);
    }

    #[test]
    fn the_whole_of_a_compartment_makes_its_searches_needless() {
        let scopes = "patient/Observation.rs?category=lab patient/Observation.read";
        let got = narrowed(scopes, Some("ada"), Action::Read).expect("a scope");
        assert_eq!(got, Scope::everything().within(&[way(Some("ada"), &["Observation"], &[])]));
    }

    #[test]
    fn over_every_type_a_search_holds_for_those_that_have_its_parameter() {
        let got = narrowed("user/*.rs?category=lab", None, Action::Read).expect("a scope");
        for (name, sees) in [("Observation", true), ("DiagnosticReport", true), ("Patient", false)]
        {
            assert_eq!(got.sees_type(kind(name)), sees, "{name}");
        }
        assert!(!got.sees_all_of(kind("Observation")));
        // However many types there are, what is asked of them alike is asked once.
        let got = narrowed("user/*.rs?_tag=a|b", None, Action::Read).expect("a scope");
        assert_eq!(format!("{got:?}"), "Scope(1 clauses)");
        assert!(got.sees_type(kind("Patient")) && got.sees_type(kind("Basic")));
    }

    #[test]
    fn what_cannot_be_a_condition_permits_nothing() {
        for query in ["made-up=1", "category:not=lab", "subject.name=a", "date=gt2020", "_id=1"] {
            let scope = format!("user/Observation.cruds?{query}");
            for action in [Action::Read, Action::Search, Action::Update, Action::Create] {
                assert_eq!(narrowed(&scope, None, action), None, "{query}");
            }
        }
    }
}
