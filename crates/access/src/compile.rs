//! From an expression over a record to a guard. The same walk serves twice: at load it only looks
//! whether the guard can say what the policy says (the principal and the context stand for whatever
//! they may be), and at a decision it makes the guard from what partial evaluation left.
//!
//! One walk for both, so that what was accepted at load compiles at run time.

use cedar_policy::pst::{BinaryOp, Expr, Literal, UnaryOp, Var};
use fhir::definitions::r4;

use crate::choice::{Choice, Name, Set};
use crate::guard::Guard;
use crate::label::Labels;

/// Why an expression has no guard.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Beyond {
    /// It says something that a guard cannot.
    Form(String),
    /// It could err when it is evaluated.
    MayFail(String),
    /// It needs more clauses than a guard may have.
    TooMany,
}

/// A fact of a record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fact {
    Tenant,
    Kind,
    Patients,
    Site,
    Labels,
    Author,
    Vip,
}

/// A side of an operator.
enum Side<'e> {
    Fact(Fact),
    /// Values that are known: one, or a set.
    Known(Vec<&'e Literal>),
    /// Of the principal, the action or the context, at load.
    Open,
}

/// How an expression is read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Mode {
    /// Whether it could be compiled, whoever asks.
    Load,
    /// The guard of what is left for one who asks.
    Residual,
}

/// The records for which `expr` is `yes`.
pub(crate) fn guard(expr: &Expr, yes: bool, mode: Mode) -> Result<Guard, Beyond> {
    if mode == Mode::Load && !speaks_of_record(expr) {
        sound(expr)?;
        return Ok(Guard::everything());
    }
    match expr {
        Expr::Literal(Literal::Bool(value)) => Ok(all_or_none(*value == yes)),
        Expr::UnaryOp { op: UnaryOp::Not, expr } => guard(expr, !yes, mode),
        Expr::UnaryOp { op: UnaryOp::IsEmpty, expr } => match fact(expr) {
            Some(Fact::Labels) if yes => Ok(Guard::withholding(!Labels::NONE)),
            Some(Fact::Labels) => any_of(all_labels().each().map(Guard::carrying), mode),
            Some(Fact::Patients) => Ok(Guard::with_patients(!yes)),
            _ => Err(form("isEmpty() is for resource.labels and resource.patients")),
        },
        Expr::BinaryOp { op: op @ (BinaryOp::And | BinaryOp::Or), left, right } => {
            let (left, right) = (guard(left, yes, mode)?, guard(right, yes, mode)?);
            join(&left, &right, (*op == BinaryOp::And) == yes, mode)
        }
        Expr::BinaryOp { op, left, right } => compare(*op, left, right, yes, mode),
        Expr::IfThenElse { cond, then_expr, else_expr } => {
            let then_guard =
                join(&guard(cond, true, mode)?, &guard(then_expr, yes, mode)?, true, mode)?;
            let else_guard =
                join(&guard(cond, false, mode)?, &guard(else_expr, yes, mode)?, true, mode)?;
            join(&then_guard, &else_guard, false, mode)
        }
        Expr::GetAttr { .. } if fact(expr) == Some(Fact::Vip) => Ok(Guard::vip(yes)),
        Expr::HasAttr { expr, attrs } if is_record(expr) && attrs.tail.is_empty() => {
            let known = if yes { Choice::present() } else { Choice::present().not() };
            match attrs.head.as_str() {
                "site" => Ok(Guard::sites(known)),
                "author" => Ok(Guard::authors(known)),
                // The schema gives every record the others.
                name => {
                    named(name).map(|_| all_or_none(yes)).ok_or_else(|| form("unknown attribute"))
                }
            }
        }
        Expr::Is { expr, entity_type, in_expr: None } if is_record(expr) => {
            Ok(all_or_none((entity_type.to_string() == "Record") == yes))
        }
        Expr::ResidualError => Err(Beyond::MayFail("part of it always errs".to_owned())),
        _ => Err(form("this form of a condition over a record has no place in an index")),
    }
}

/// An operator between a fact of the record and something else.
fn compare(
    op: BinaryOp,
    left: &Expr,
    right: &Expr,
    yes: bool,
    mode: Mode,
) -> Result<Guard, Beyond> {
    let (left, right) = (side(left, mode)?, side(right, mode)?);
    match (op, left, right) {
        (BinaryOp::NotEq, Side::Fact(fact), known) | (BinaryOp::NotEq, known, Side::Fact(fact)) => {
            equal(fact, &known, !yes)
        }
        (BinaryOp::Eq, Side::Fact(fact), known) | (BinaryOp::Eq, known, Side::Fact(fact)) => {
            equal(fact, &known, yes)
        }
        // Tenants and sites stand in no hierarchy, so `in` is equality.
        (BinaryOp::In, Side::Fact(fact @ (Fact::Tenant | Fact::Site)), known) => {
            equal(fact, &known, yes)
        }
        (BinaryOp::Contains, known, Side::Fact(fact)) => equal(fact, &known, yes),
        (BinaryOp::Contains | BinaryOp::ContainsAny, Side::Fact(fact), known)
        | (BinaryOp::ContainsAny, known, Side::Fact(fact)) => meets(fact, &known, yes, mode),
        (BinaryOp::ContainsAll, Side::Fact(fact), known) => holds(fact, &known, yes, mode),
        (BinaryOp::ContainsAll, known, Side::Fact(Fact::Labels)) => {
            let others = match &known {
                Side::Known(values) => !labels(values)?,
                _ => return opened(&known),
            };
            if yes {
                return Ok(Guard::withholding(others));
            }
            any_of((others & all_labels()).each().map(Guard::carrying), mode)
        }
        _ => Err(form("this operator over a record has no place in an index")),
    }
}

/// Records whose fact is one of the values, or is none of them.
fn equal(fact: Fact, known: &Side<'_>, yes: bool) -> Result<Guard, Beyond> {
    let Side::Known(values) = known else { return opened(known) };
    of_its_type(fact, values)?;
    let names = || values.iter().filter_map(|value| name(value)).collect::<Vec<_>>();
    let turn = |choice: Choice<Name>| if yes { choice } else { choice.not() };
    Ok(match fact {
        Fact::Tenant => Guard::tenants(turn(Choice::one_of(Set::of(names())))),
        Fact::Kind => {
            let mut kinds = Vec::new();
            for text in names() {
                let kind = r4().resource_type(&text).ok_or_else(|| {
                    form(&format!(
                        "resource.kind is compared with \"{text}\", which is no resource type of R4"
                    ))
                })?;
                kinds.push(kind);
            }
            let kinds = Choice::one_of(Set::of(kinds));
            Guard::kinds(if yes { kinds } else { kinds.not() })
        }
        Fact::Site | Fact::Author => {
            // A record without the fact is asked for it only after `has`, which says that it is
            // there; the equality itself is silent about the rest.
            let choice = turn(Choice::one_of(Set::of(names()))).and(&Choice::present());
            if fact == Fact::Site { Guard::sites(choice) } else { Guard::authors(choice) }
        }
        Fact::Vip => match values.as_slice() {
            [Literal::Bool(value)] => Guard::vip(*value == yes),
            _ => return Err(form("resource.vip is compared with what is no boolean")),
        },
        Fact::Patients | Fact::Labels => {
            return Err(form(
                "resource.patients and resource.labels are sets: use contains, containsAny or containsAll",
            ));
        }
    })
}

/// Refuses an entity of a type that the fact never has: it would be compared by its id alone.
fn of_its_type(fact: Fact, values: &[&Literal]) -> Result<(), Beyond> {
    let expected = match fact {
        Fact::Tenant => "Tenant",
        Fact::Site => "Site",
        Fact::Author => "User",
        Fact::Patients => "Patient",
        Fact::Kind | Fact::Labels | Fact::Vip => "",
    };
    let fits = values.iter().all(|value| match value {
        Literal::EntityUID(uid) => uid.ty.to_string() == expected,
        Literal::String(_) => expected.is_empty() && fact != Fact::Vip,
        Literal::Bool(_) => fact == Fact::Vip,
        _ => false,
    });
    if fits { Ok(()) } else { Err(form("a fact of the record is compared with another type")) }
}

/// Records whose set shares a value with the values.
fn meets(fact: Fact, known: &Side<'_>, yes: bool, mode: Mode) -> Result<Guard, Beyond> {
    let Side::Known(values) = known else { return opened(known) };
    of_its_type(fact, values)?;
    match fact {
        Fact::Labels if yes => any_of(labels(values)?.each().map(Guard::carrying), mode),
        Fact::Labels => Ok(Guard::withholding(labels(values)?)),
        Fact::Patients => {
            let set = Set::of(values.iter().filter_map(|value| name(value)));
            Ok(if yes { Guard::touching(set) } else { Guard::avoiding(set) })
        }
        _ => Err(form("contains and containsAny are for resource.labels and resource.patients")),
    }
}

/// Records whose set holds all of the values.
fn holds(fact: Fact, known: &Side<'_>, yes: bool, mode: Mode) -> Result<Guard, Beyond> {
    let Side::Known(values) = known else { return opened(known) };
    of_its_type(fact, values)?;
    match fact {
        Fact::Labels if yes => Ok(Guard::carrying(labels(values)?)),
        Fact::Labels => any_of(labels(values)?.each().map(Guard::withholding), mode),
        Fact::Patients => {
            let mut all = if yes { Guard::everything() } else { Guard::nothing() };
            for one in values.iter().filter_map(|value| name(value)) {
                let one = Set::of([one]);
                let one = if yes { Guard::touching(one) } else { Guard::avoiding(one) };
                all = join(&all, &one, yes, mode)?;
            }
            Ok(all)
        }
        _ => Err(form("containsAll is for resource.labels and resource.patients")),
    }
}

/// A side that is known later: at load anything is, at a decision nothing.
fn opened(side: &Side<'_>) -> Result<Guard, Beyond> {
    match side {
        Side::Open => Ok(Guard::everything()),
        _ => Err(form("one fact of the record is compared with another")),
    }
}

fn join(one: &Guard, two: &Guard, both: bool, mode: Mode) -> Result<Guard, Beyond> {
    if mode == Mode::Load {
        // Only the form matters, and guards made of stand-ins say nothing.
        return Ok(Guard::everything());
    }
    let joined = if both { one.and(two) } else { one.or(two) };
    joined.map_err(|_too_many| Beyond::TooMany)
}

fn any_of(guards: impl Iterator<Item = Guard>, mode: Mode) -> Result<Guard, Beyond> {
    let mut any = Guard::nothing();
    for guard in guards {
        any = join(&any, &guard, false, mode)?;
    }
    Ok(any)
}

fn side(expr: &Expr, mode: Mode) -> Result<Side<'_>, Beyond> {
    if let Some(fact) = fact(expr) {
        return Ok(Side::Fact(fact));
    }
    match expr {
        Expr::Literal(literal) => Ok(Side::Known(vec![literal])),
        Expr::Set(values) => {
            let literals: Option<Vec<_>> = values
                .iter()
                .map(|value| match value.as_ref() {
                    Expr::Literal(literal) => Some(literal),
                    _ => None,
                })
                .collect();
            match literals {
                Some(literals) => Ok(Side::Known(literals)),
                None if mode == Mode::Load && !speaks_of_record(expr) => {
                    sound(expr).map(|()| Side::Open)
                }
                None => Err(form("a set is made of something that is not known")),
            }
        }
        _ if mode == Mode::Load && !speaks_of_record(expr) => sound(expr).map(|()| Side::Open),
        _ => Err(form("a fact of the record is used in a way that an index cannot follow")),
    }
}

fn fact(expr: &Expr) -> Option<Fact> {
    match expr {
        Expr::GetAttr { expr, attr } if is_record(expr) => named(attr),
        _ => None,
    }
}

fn named(attribute: &str) -> Option<Fact> {
    Some(match attribute {
        "tenant" => Fact::Tenant,
        "kind" => Fact::Kind,
        "patients" => Fact::Patients,
        "site" => Fact::Site,
        "labels" => Fact::Labels,
        "author" => Fact::Author,
        "vip" => Fact::Vip,
        _ => return None,
    })
}

fn labels(values: &[&Literal]) -> Result<Labels, Beyond> {
    let mut mask = Labels::NONE;
    for text in values.iter().filter_map(|value| name(value)) {
        let label = Labels::named(&text).ok_or_else(|| {
            form(&format!("\"{text}\" is no label that records carry (known: {})", Labels::KNOWN))
        })?;
        mask = mask | label;
    }
    Ok(mask)
}

const fn all_labels() -> Labels {
    Labels::KNOWN
}

/// The name in a literal: a string, or an entity's id.
fn name(literal: &Literal) -> Option<Name> {
    match literal {
        Literal::String(text) => Some(text.as_str().into()),
        Literal::EntityUID(uid) => Some(uid.eid.as_str().into()),
        _ => None,
    }
}

fn all_or_none(all: bool) -> Guard {
    if all { Guard::everything() } else { Guard::nothing() }
}

fn is_record(expr: &Expr) -> bool {
    matches!(expr, Expr::Var(Var::Resource))
}

fn form(why: &str) -> Beyond {
    Beyond::Form(why.to_owned())
}

/// The parts of an expression; `None` for a form that is not known here.
pub(crate) fn parts(expr: &Expr) -> Option<Vec<&Expr>> {
    Some(match expr {
        Expr::Literal(_) | Expr::Var(_) | Expr::Slot(_) | Expr::ResidualError => Vec::new(),
        Expr::UnaryOp { expr, .. }
        | Expr::GetAttr { expr, .. }
        | Expr::HasAttr { expr, .. }
        | Expr::Like { expr, .. } => vec![expr],
        Expr::BinaryOp { left, right, .. } => vec![left, right],
        Expr::Is { expr, in_expr, .. } => {
            let mut parts: Vec<&Expr> = vec![expr];
            parts.extend(in_expr.as_deref());
            parts
        }
        Expr::IfThenElse { cond, then_expr, else_expr } => vec![cond, then_expr, else_expr],
        Expr::Set(values) => values.iter().map(AsRef::as_ref).collect(),
        Expr::Record(fields) => fields.values().map(AsRef::as_ref).collect(),
        _ => return None,
    })
}

fn speaks_of_record(expr: &Expr) -> bool {
    is_record(expr) || parts(expr).is_none_or(|parts| parts.into_iter().any(speaks_of_record))
}

/// Whether evaluating it cannot err, given that it passed strict validation: that leaves arithmetic
/// (overflow), extension functions, tags, and attributes of entities that may not be there.
fn sound(expr: &Expr) -> Result<(), Beyond> {
    match expr {
        Expr::UnaryOp { op: UnaryOp::Not | UnaryOp::IsEmpty, .. } => {}
        Expr::UnaryOp { .. } => return Err(fails("arithmetic or an extension function")),
        Expr::BinaryOp { op, .. } => match op {
            BinaryOp::Eq
            | BinaryOp::NotEq
            | BinaryOp::Less
            | BinaryOp::LessEq
            | BinaryOp::Greater
            | BinaryOp::GreaterEq
            | BinaryOp::And
            | BinaryOp::Or
            | BinaryOp::In
            | BinaryOp::Contains
            | BinaryOp::ContainsAll
            | BinaryOp::ContainsAny => {}
            _ => return Err(fails("arithmetic, a tag or an extension function")),
        },
        Expr::GetAttr { expr: of, .. } | Expr::HasAttr { expr: of, .. } if !is_given(of) => {
            return Err(fails("an attribute of something that may not be there"));
        }
        _ => {}
    }
    let parts = parts(expr).ok_or_else(|| fails("a form that is not known"))?;
    parts.into_iter().try_for_each(sound)
}

/// The principal, or the context: entities and records that every question brings.
fn is_given(expr: &Expr) -> bool {
    matches!(expr, Expr::Var(Var::Principal | Var::Context))
}

fn fails(what: &str) -> Beyond {
    Beyond::MayFail(format!("it uses {what}"))
}
