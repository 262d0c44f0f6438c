//! Operators between collections (<http://hl7.org/fhirpath/N1/#operations>): three-valued logic,
//! comparison, arithmetic, union and membership.

use crate::ast::BinaryOp;
use crate::compare::{self, Order};
use crate::decimal::Decimal;
use crate::evaluate::{Run, Scope, answer, one, operand, truth, type_fault};
use crate::item::{Collection, Item};
use crate::program::Op;
use crate::quantity::{AddFault, Quantity, add_duration};
use crate::set;
use base::Fault;
use std::borrow::Cow;
use std::cmp::Ordering;

pub(crate) fn binary<'a>(
    run: &Run<'a, '_>,
    op: BinaryOp,
    left: &'a Op,
    right: &'a Op,
    scope: Scope<'a, '_>,
) -> Result<Collection<'a>, Fault> {
    if let BinaryOp::And | BinaryOp::Or | BinaryOp::Xor | BinaryOp::Implies = op {
        return logic(run, op, left, right, scope);
    }
    let left = run.focus(Some(left), scope)?;
    let right = run.focus(Some(right), scope)?;
    match op {
        BinaryOp::Equal | BinaryOp::NotEqual => {
            run.charge(left.len().min(right.len()))?;
            let equal = compare::collections_equal(&left, &right);
            Ok(answer(equal.map(|equal| equal == (op == BinaryOp::Equal))))
        }
        BinaryOp::Equivalent | BinaryOp::NotEquivalent => {
            run.charge(left.len().saturating_mul(right.len()))?;
            let equivalent = compare::collections_equivalent(&left, &right);
            Ok(one(Item::Boolean(equivalent == (op == BinaryOp::Equivalent))))
        }
        BinaryOp::Less | BinaryOp::LessOrEqual | BinaryOp::Greater | BinaryOp::GreaterOrEqual => {
            ordered(op, &left, &right)
        }
        BinaryOp::Union => set::union(run, left.into_collection(), &right),
        BinaryOp::In => membership(run, &left, &right, "in"),
        BinaryOp::Contains => membership(run, &right, &left, "contains"),
        BinaryOp::Concatenate => {
            let text = |items: &[Item<'a>]| match operand(items, "&")? {
                None => Ok(Cow::Borrowed("")),
                Some(item) => item.as_text().ok_or_else(|| type_fault("& joins strings only")),
            };
            let (left, right) = (text(&left)?, text(&right)?);
            run.charge((left.len() + right.len()) / 16)?;
            Ok(one(Item::text(left.into_owned() + &right)))
        }
        _ => {
            let (Some(left), Some(right)) =
                (operand(&left, op.as_str())?, operand(&right, op.as_str())?)
            else {
                return Ok(Collection::new());
            };
            let (Some(left), Some(right)) = (left.system(), right.system()) else {
                return Err(unfit(op));
            };
            Ok(arithmetic(run, op, &left, &right)?.into_iter().collect())
        }
    }
}

fn unfit(op: BinaryOp) -> Fault {
    type_fault(format!("{} does not apply to operands of these types", op.as_str()))
}

/// <http://hl7.org/fhirpath/N1/#boolean-logic>. The right operand is not evaluated when the left decides.
fn logic<'a>(
    run: &Run<'a, '_>,
    op: BinaryOp,
    left: &'a Op,
    right: &'a Op,
    scope: Scope<'a, '_>,
) -> Result<Collection<'a>, Fault> {
    let left = truth(&run.focus(Some(left), scope)?)?;
    let decided = match (op, left) {
        (BinaryOp::And, Some(false)) => Some(false),
        (BinaryOp::Or, Some(true)) | (BinaryOp::Implies, Some(false)) => Some(true),
        _ => None,
    };
    if decided.is_some() {
        return Ok(answer(decided));
    }
    let right = truth(&run.focus(Some(right), scope)?)?;
    Ok(answer(match (op, left, right) {
        (BinaryOp::And, Some(true), other) | (BinaryOp::And, other, Some(true)) => other,
        (BinaryOp::And, _, Some(false)) => Some(false),
        (BinaryOp::Or, Some(false), other) | (BinaryOp::Or, other, Some(false)) => other,
        (BinaryOp::Or | BinaryOp::Implies, _, Some(true)) => Some(true),
        (BinaryOp::Implies, Some(true), other) => other,
        (BinaryOp::Xor, Some(left), Some(right)) => Some(left != right),
        _ => None,
    }))
}

fn ordered<'a>(
    op: BinaryOp,
    left: &[Item<'a>],
    right: &[Item<'a>],
) -> Result<Collection<'a>, Fault> {
    let (Some(left), Some(right)) = (operand(left, op.as_str())?, operand(right, op.as_str())?)
    else {
        return Ok(Collection::new());
    };
    match compare::order(left, right) {
        Order::Known(ordering) => Ok(one(Item::Boolean(match op {
            BinaryOp::Less => ordering == Ordering::Less,
            BinaryOp::LessOrEqual => ordering != Ordering::Greater,
            BinaryOp::Greater => ordering == Ordering::Greater,
            _ => ordering != Ordering::Less,
        }))),
        Order::Open => Ok(Collection::new()),
        Order::Never => Err(unfit(op)),
    }
}

fn membership<'a>(
    run: &Run<'a, '_>,
    item: &[Item<'a>],
    of: &[Item<'a>],
    what: &str,
) -> Result<Collection<'a>, Fault> {
    let Some(item) = operand(item, what)? else { return Ok(Collection::new()) };
    run.charge(of.len())?;
    Ok(one(Item::Boolean(of.iter().any(|other| compare::equal(item, other) == Some(true)))))
}

/// What does not fit an integer of 32 bits is empty, as the specification says of overflow.
pub(crate) fn integer<'a>(value: Option<i64>) -> Option<Item<'a>> {
    value.filter(|v| i32::try_from(*v).is_ok()).map(Item::Integer)
}

fn arithmetic<'a>(
    run: &Run<'a, '_>,
    op: BinaryOp,
    left: &Item<'a>,
    right: &Item<'a>,
) -> Result<Option<Item<'a>>, Fault> {
    use BinaryOp::{Add, Div, Divide, Mod, Multiply, Subtract};
    match (left, right) {
        (Item::Integer(a), Item::Integer(b)) => {
            let (a, b) = (*a, *b);
            Ok(match op {
                Add => integer(a.checked_add(b)),
                Subtract => integer(a.checked_sub(b)),
                Multiply => integer(a.checked_mul(b)),
                Div => integer(a.checked_div(b)),
                Mod => integer(a.checked_rem(b)),
                _ => Decimal::from(a).checked_div(Decimal::from(b)).map(Item::Decimal),
            })
        }
        (Item::String(a), Item::String(b)) if op == Add => {
            run.charge((a.len() + b.len()) / 16)?;
            Ok(Some(Item::text(format!("{a}{b}"))))
        }
        (Item::Temporal(date), Item::Quantity(by)) if matches!(op, Add | Subtract) => {
            match add_duration(*date, by, op == Subtract) {
                Ok(date) => Ok(Some(Item::Temporal(date))),
                Err(AddFault::Range) => Ok(None),
                Err(AddFault::Unit) => Err(type_fault(
                    "only a calendar duration, or a UCUM unit of weeks or shorter, can be added to a date",
                )),
            }
        }
        _ => {
            if let (Some(a), Some(b)) = (compare::number(left), compare::number(right)) {
                return Ok(match op {
                    Add => a.checked_add(b),
                    Subtract => a.checked_sub(b),
                    Multiply => a.checked_mul(b),
                    Divide => a.checked_div(b),
                    Mod => a.checked_rem(b),
                    _ => return Ok(a.div_whole(b).and_then(|d| integer(d.to_integer()))),
                }
                .map(Item::Decimal));
            }
            let (Some(a), Some(b)) = (compare::quantity(left), compare::quantity(right)) else {
                return Err(unfit(op));
            };
            let result: Option<Quantity> = match op {
                Add => a.add(&b),
                Subtract => a.add(&Quantity { value: b.value.negate(), unit: b.unit }),
                Multiply => a.mul(&b),
                Divide => a.div(&b),
                _ => return Err(unfit(op)),
            };
            Ok(result.map(|q| Item::Quantity(Box::new(q))))
        }
    }
}

/// `-x`
pub(crate) fn negate<'a>(items: &[Item<'a>]) -> Result<Collection<'a>, Fault> {
    let Some(item) = operand(items, "-")? else { return Ok(Collection::new()) };
    Ok(match item.system() {
        Some(Item::Integer(value)) => integer(value.checked_neg()).into_iter().collect(),
        Some(Item::Decimal(value)) => one(Item::Decimal(value.negate())),
        Some(Item::Quantity(mut value)) => {
            value.value = value.value.negate();
            one(Item::Quantity(value))
        }
        _ => return Err(type_fault("a sign applies to numbers and quantities only")),
    })
}

/// `+x`
pub(crate) fn plus(items: Collection<'_>) -> Result<Collection<'_>, Fault> {
    negate(&items)?;
    Ok(items)
}
