//! From what the policies decide to what the store enforces: a guard of `access`, over facts of a
//! record, becomes a scope of `store`, clause by clause (45 CFR 164.312(a)(1), 164.502(b)).

use access::{Choice, Decision, Guard, Labels, Name};
use fhir::definitions::{TypeId, r4};
use std::collections::BTreeSet;
use std::sync::Arc;
use store::{Clause, Ones, Scope};

/// The tenant whose store this is. One store holds one tenant.
pub const TENANT: &str = "main";

/// The scope of what decisions let through, any of them; `None` when they let nothing through. Of
/// each pair the first is made without any patient's consent, the second as if all had consented.
pub(crate) fn scope<'d>(
    decisions: impl IntoIterator<Item = (&'d Decision, &'d Decision)>,
) -> Option<Scope> {
    let (mut plain, mut released) = (Vec::new(), Vec::new());
    for (without, with) in decisions {
        plain.extend(of_decision(without));
        released.extend(of_decision(with));
    }
    if plain.is_empty() && released.is_empty() {
        return None;
    }
    let held = plain.iter().fold(0, |all, clause| all | clause.withheld);
    let kept = released.iter().fold(u64::MAX, |all, clause| all & clause.withheld);
    let releasable = held & !kept;
    let scope = Scope::any_of(plain);
    Some(if releasable == 0 { scope } else { scope.released(releasable, released) })
}

fn of_decision(decision: &Decision) -> Vec<Clause> {
    match decision {
        Decision::Denied(_) => Vec::new(),
        Decision::Allowed { guard, .. } => of_guard(guard),
    }
}

/// The clauses of a guard that records of this tenant can meet.
pub(crate) fn of_guard(guard: &Guard) -> Vec<Clause> {
    guard.clauses().iter().filter_map(of_clause).collect()
}

fn of_clause(clause: &access::Clause) -> Option<Clause> {
    if !clause.tenant().accepts(Some(TENANT)) {
        return None;
    }
    let patients = clause.patients();
    let vip = Labels::named("VIP").unwrap_or(Labels::NONE);
    let (mut carried, mut withheld) = (clause.carried(), clause.withheld());
    match clause.vip() {
        // Without a label for it, nobody is watched.
        Some(true) if vip.is_empty() => return None,
        Some(true) => carried = carried | vip,
        Some(false) => withheld = withheld | vip,
        None => {}
    }
    let names = |names: &access::Names| names.values().iter().cloned().collect::<BTreeSet<_>>();
    Some(Clause {
        types: types(clause.kinds()),
        about: patients.touches().iter().map(|set| Arc::new(names(set))).collect(),
        not_about: names(patients.avoids()),
        somebody: patients.somebody(),
        carried: carried.bits(),
        withheld: withheld.bits(),
        sites: ones(clause.site()),
        authors: ones(clause.author()),
        matching: Vec::new(),
    })
}

fn types(kinds: &Choice<TypeId>) -> Option<BTreeSet<TypeId>> {
    if kinds.is_any() {
        return None;
    }
    let all = r4().resource_types().map(|(id, _)| id);
    Some(all.filter(|id| kinds.accepts(Some(id))).collect())
}

fn ones(choice: &Choice<Name>) -> Option<Ones> {
    if choice.is_any() {
        return None;
    }
    Some(Ones {
        values: choice.values().values().iter().cloned().collect(),
        others: choice.others(),
        absent: choice.absent(),
    })
}

#[cfg(test)]
mod tests;
