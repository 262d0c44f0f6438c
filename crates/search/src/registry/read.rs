//! Reads a search parameter's FHIRPath expression as paths. Only the forms that search parameters
//! use are understood; any other is an error that names the form, so that no parameter is indexed
//! by half (<https://hl7.org/fhir/R4/searchparameter.html#expression>).

use super::path::{Step, type_named};
use fhir::definitions::TypeId;
use fhirpath::Expr;
use fhirpath::ast::{BinaryOp, Literal, TypeOp};

/// Where a path begins.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Start {
    /// `Patient.…`
    Type(TypeId),
    /// `%resource.…`
    Resource,
    /// `value.as(Quantity)` inside a composite; `id` of a parameter of all types.
    Here,
}

/// One path of an expression.
#[derive(Debug, Clone)]
pub(super) struct Read {
    /// Where it begins.
    pub(super) start: Start,
    /// Its steps.
    pub(super) steps: Vec<Step>,
    /// `where(resolve() is T)`
    pub(super) target: Option<TypeId>,
}

/// The paths of an expression: one for each member of its unions.
pub(super) fn read(expr: &Expr) -> Result<Vec<Read>, String> {
    match expr {
        Expr::Binary { op: BinaryOp::Union, left, right } => {
            let mut paths = read(left)?;
            paths.extend(read(right)?);
            Ok(paths)
        }
        Expr::Binary { op: BinaryOp::And, left, right } => holds(left, right),
        Expr::External(name) if name == "resource" => {
            Ok(vec![Read { start: Start::Resource, steps: Vec::new(), target: None }])
        }
        Expr::Member { of: None, name } => Ok(vec![first(name)]),
        Expr::Member { of: Some(of), name } => then(of, || Ok(Step::Member(name.clone()))),
        Expr::Item { of, index } => then(of, || match **index {
            Expr::Literal(Literal::Integer(n)) => {
                usize::try_from(n).map(Step::Nth).map_err(|e| format!("the index {n}: {e}"))
            }
            _ => Err(format!("the index {index}")),
        }),
        Expr::Type { op: TypeOp::As | TypeOp::OfType, of: Some(of), specifier, .. } => {
            then(of, || {
                type_named(&specifier.name)
                    .map(|t| Step::As(vec![t]))
                    .ok_or_else(|| format!("the type {}", specifier.name))
            })
        }
        Expr::Function { of, name, args } => function(of.as_deref(), name, args),
        _ => Err(format!("the form {expr}")),
    }
}

fn first(name: &str) -> Read {
    let kind = name.starts_with(|c: char| c.is_ascii_uppercase()).then(|| type_named(name));
    match kind.flatten() {
        Some(id) => Read { start: Start::Type(id), steps: Vec::new(), target: None },
        None => {
            Read { start: Start::Here, steps: vec![Step::Member(name.to_owned())], target: None }
        }
    }
}

fn then(of: &Expr, step: impl Fn() -> Result<Step, String>) -> Result<Vec<Read>, String> {
    let mut paths = read(of)?;
    for path in &mut paths {
        path.steps.push(step()?);
    }
    Ok(paths)
}

fn function(of: Option<&Expr>, name: &str, args: &[Expr]) -> Result<Vec<Read>, String> {
    let mut paths = match of {
        Some(of) => read(of)?,
        None => vec![Read { start: Start::Here, steps: Vec::new(), target: None }],
    };
    for path in &mut paths {
        match (name, args) {
            ("extension", [Expr::Literal(Literal::String(url))]) => {
                path.steps.push(Step::Member("extension".to_owned()));
                path.steps.push(Step::Equals { member: "url".to_owned(), value: url.clone() });
            }
            ("where", [condition]) => match condition_of(condition)? {
                Condition::Step(step) => path.steps.push(step),
                Condition::Target(target) => path.target = Some(target),
            },
            _ => return Err(format!("the function {name}")),
        }
    }
    Ok(paths)
}

enum Condition {
    Step(Step),
    Target(TypeId),
}

fn condition_of(condition: &Expr) -> Result<Condition, String> {
    match condition {
        Expr::Binary { op: BinaryOp::Equal, left, right } => match (&**left, &**right) {
            (Expr::Member { of: None, name }, Expr::Literal(Literal::String(value))) => {
                Ok(Condition::Step(Step::Equals { member: name.clone(), value: value.clone() }))
            }
            _ => Err(format!("the condition {condition}")),
        },
        Expr::Type { op: TypeOp::Is, of: Some(of), specifier, .. } => {
            match (&**of, type_named(&specifier.name)) {
                (Expr::Function { of: None, name, .. }, Some(target)) if name == "resolve" => {
                    Ok(Condition::Target(target))
                }
                _ => Err(format!("the condition {condition}")),
            }
        }
        Expr::Function { of: None, name, args } if name == "hasExtension" => {
            match args.as_slice() {
                [Expr::Literal(Literal::String(url))] => {
                    Ok(Condition::Step(Step::HasExtension(url.clone())))
                }
                _ => Err(format!("the condition {condition}")),
            }
        }
        _ => Err(format!("the condition {condition}")),
    }
}

/// `X.exists() and X != false`, the one boolean expression among the parameters.
fn holds(left: &Expr, right: &Expr) -> Result<Vec<Read>, String> {
    let refused = || "a conjunction other than X.exists() and X != false".to_owned();
    let Expr::Function { of: Some(present), name, args } = left else { return Err(refused()) };
    let Expr::Binary { op: BinaryOp::NotEqual, left: value, right: constant } = right else {
        return Err(refused());
    };
    let is_false = matches!(**constant, Expr::Literal(Literal::Boolean(false)));
    if name != "exists" || !args.is_empty() || present != value || !is_false {
        return Err(refused());
    }
    then(present, || Ok(Step::Holds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::registry::path::text;

    fn paths(expression: &str) -> Vec<String> {
        read(&fhirpath::parse(expression).unwrap())
            .unwrap()
            .iter()
            .map(|r| match r.start {
                Start::Type(root) => text(root, &r.steps),
                _ => panic!("no type"),
            })
            .collect()
    }

    #[test]
    fn spellings_become_one() {
        let one = ["Condition.onset.ofType(dateTime)"];
        assert_eq!(paths("(Condition.onset as dateTime)"), one);
        assert_eq!(paths("Condition.onset.as(DateTime)"), one);
        assert_eq!(paths("Condition.onset.ofType(dateTime)"), one);
        assert_eq!(paths("Patient.name | (Person.name | Patient.birthDate)").len(), 3);
    }

    #[test]
    fn a_resolved_type_restricts_the_parameter_not_the_path() {
        let read = read(&fhirpath::parse("Basic.subject.where(resolve() is Patient)").unwrap());
        let read = read.unwrap();
        assert_eq!(read[0].steps, [Step::Member("subject".to_owned())]);
        assert_eq!(read[0].target, type_named("Patient"));
    }

    #[test]
    fn unknown_forms_are_refused() {
        for bad in ["Patient.name.first()", "Patient.name.where(use = given)", "1 + 1"] {
            assert!(read(&fhirpath::parse(bad).unwrap()).is_err(), "{bad}");
        }
    }
}
