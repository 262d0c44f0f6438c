//! A check of an expression against the definitions, without data: a name that no type at its place
//! defines is a fault (what HL7 calls strict mode). Evaluation itself is lenient there, since one
//! expression of a search parameter spans many types.

use crate::ast::{BinaryOp, TypeOp};
use crate::evaluate::type_fault;
use crate::function::Function;
use crate::program::{External, Op, OwnType, Program};
use base::Fault;
use fhir::definitions::{TypeId, TypeKind, r4};

impl Program {
    /// Checks the expression for an input of the type.
    pub fn check(&self, input: TypeId) -> Result<(), Fault> {
        types(&self.root, &Scope { this: &Types::of(input), context: input }).map(drop)
    }
}

/// The types a collection's items may have; `None` when nothing is known about them.
#[derive(Debug, Clone)]
struct Types(Option<Vec<TypeId>>);

const ANY: Types = Types(None);

impl Types {
    /// Of an abstract resource nothing is known but what all resources have, so names are not checked.
    fn of(id: TypeId) -> Self {
        let open =
            r4().kind(id) == TypeKind::Resource && r4().resource_type(r4().name(id)).is_none();
        if open { ANY } else { Self(Some(vec![id])) }
    }

    fn or(self, other: Self) -> Self {
        match (self.0, other.0) {
            (Some(mut a), Some(b)) => {
                a.extend(b);
                a.sort_unstable();
                a.dedup();
                Self(Some(a))
            }
            _ => ANY,
        }
    }
}

struct Scope<'s> {
    this: &'s Types,
    context: TypeId,
}

fn focus(of: Option<&Op>, scope: &Scope<'_>) -> Result<Types, Fault> {
    of.map_or_else(|| Ok(scope.this.clone()), |of| types(of, scope))
}

fn types(op: &Op, scope: &Scope<'_>) -> Result<Types, Fault> {
    Ok(match op {
        Op::Member { of, name, own_type } => {
            let of = focus(of.as_deref(), scope)?;
            member(&of, name, *own_type)?
        }
        Op::Call { of, function, args, .. } => {
            let of = focus(of.as_deref(), scope)?;
            call(of, *function, args, scope)?
        }
        Op::Type { op, of, target } => {
            let of = focus(of.as_deref(), scope)?;
            match (op, target.fhir()) {
                (TypeOp::Is, _) | (_, None) => ANY,
                (TypeOp::As | TypeOp::OfType, Some(id)) => narrowed(&of, id),
            }
        }
        Op::ResolvesTo { of, .. } => focus(of.as_deref(), scope).map(|_| ANY)?,
        Op::Item { of, index } => {
            types(index, scope)?;
            types(of, scope)?
        }
        Op::Binary { op, left, right } => {
            let (left, right) = (types(left, scope)?, types(right, scope)?);
            if *op == BinaryOp::Union { left.or(right) } else { ANY }
        }
        Op::Negate(of) | Op::Plus(of) => types(of, scope).map(|_| ANY)?,
        Op::This => scope.this.clone(),
        Op::External(External::Context) => Types::of(scope.context),
        Op::External(_) | Op::Empty | Op::Literal(_) | Op::Index | Op::Total => ANY,
    })
}

/// A cast to a more general type keeps what is known.
fn narrowed(of: &Types, id: TypeId) -> Types {
    match &of.0 {
        Some(known) if known.iter().all(|k| r4().is_a(*k, id)) => of.clone(),
        _ => Types::of(id),
    }
}

fn member(of: &Types, name: &str, own_type: Option<OwnType>) -> Result<Types, Fault> {
    let Some(known) = &of.0 else { return Ok(ANY) };
    let mut found: Option<Types> = None;
    for id in known {
        let types = if own_type.is_some_and(|own| own.is_of(*id)) {
            Types::of(*id)
        } else if let Some(element) = r4().get(*id).element(name) {
            let each = element.types.iter().map(|t| Types::of(t.id));
            each.reduce(Types::or).unwrap_or(ANY)
        } else {
            continue;
        };
        found = Some(match found {
            Some(before) => before.or(types),
            None => types,
        });
    }
    found.ok_or_else(|| {
        let names: Vec<&str> = known.iter().map(|id| r4().name(*id)).collect();
        type_fault(format!("{name} is no element of {}", names.join(" or ")))
    })
}

fn call(of: Types, function: Function, args: &[Op], scope: &Scope<'_>) -> Result<Types, Fault> {
    use Function as F;
    let per_item = match function {
        F::Where | F::All | F::Exists | F::Select | F::Sort | F::Trace => true,
        // What these come back to may be of any type.
        F::Repeat | F::Aggregate | F::Iif => return Ok(ANY),
        _ => false,
    };
    let inner = Scope { this: if per_item { &of } else { scope.this }, context: scope.context };
    let mut argument = ANY;
    for arg in args {
        argument = types(arg, &inner)?;
    }
    Ok(match function {
        F::Where
        | F::Sort
        | F::Trace
        | F::First
        | F::Last
        | F::Single
        | F::Tail
        | F::Skip
        | F::Take
        | F::Distinct
        | F::Intersect
        | F::Exclude
        | F::CheckModifiers => of,
        F::Select => argument,
        F::Union | F::Combine => of.or(argument),
        F::Extension => r4().type_id("Extension").map_or(ANY, Types::of),
        _ => ANY,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(type_name: &str, text: &str) -> Result<(), Fault> {
        Program::compile(text).unwrap().check(r4().type_id(type_name).unwrap())
    }

    #[test]
    fn names_that_nothing_defines_are_faults() {
        for (type_name, bad) in [
            ("Patient", "name.given1"),
            ("Patient", "Encounter.name"),
            ("Patient", "name.where(usee = 'official')"),
            ("Patient", "name.first().periods.start"),
            ("Observation", "valueQuantity.unit"),
            ("Observation", "(value as Period).unit"),
            ("Observation", "value.ofType(Quantity).start"),
        ] {
            let fault = check(type_name, bad).unwrap_err();
            assert_eq!(fault.status(), 422, "{bad}");
        }
        for (type_name, good) in [
            ("Patient", "Patient.name.given | contact.name.family"),
            ("Patient", "contained.whatever"),
            ("Patient", "managingOrganization.resolve().anything"),
            ("Observation", "value.unit"),
            ("Observation", "component.value.ofType(Quantity).value"),
            ("Questionnaire", "item.item.linkId"),
            ("Patient", "extension('x').value.code"),
        ] {
            assert_eq!(check(type_name, good), Ok(()), "{good}");
        }
    }

    /// The types of the place an invariant is stated on.
    fn at(id: TypeId, path: &str) -> Vec<TypeId> {
        let Some((name, rest)) = path.split_once('.').or((!path.is_empty()).then_some((path, "")))
        else {
            return vec![id];
        };
        let element = r4().get(id).element(name.trim_end_matches("[x]")).unwrap();
        element.types.iter().flat_map(|t| at(t.id, rest)).collect()
    }

    #[test]
    fn the_invariants_of_r4_pass_but_for_its_own_mistakes() {
        let (mut checked, mut wrong) = (0, Vec::new());
        for id in r4().types() {
            for invariant in &r4().get(id).invariants {
                let program = Program::compile(invariant.expression).unwrap();
                for id in at(id, invariant.path) {
                    if let Err(fault) = program.check(id) {
                        wrong.push(format!("{}: {}", invariant.key, fault.issues[0].diagnostics));
                    }
                    checked += 1;
                }
            }
        }
        wrong.sort();
        assert!(checked > 240, "only {checked}");
        // A ChargeItemDefinition has no name; ras-1 is stated on a choice and means its Range.
        let known = [
            "cid-0: name is no element of ChargeItemDefinition",
            "ras-1: low is no element of decimal",
        ];
        assert_eq!(wrong, known);
    }
}
