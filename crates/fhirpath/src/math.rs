//! Mathematics (<http://hl7.org/fhirpath/N1/#math>) and what belongs to precision: `lowBoundary`,
//! `highBoundary`, `precision` and `comparable` of the version after N1.

use crate::call::Call;
use crate::compare;
use crate::decimal::Decimal;
use crate::evaluate::{Run, operand, type_fault};
use crate::function::Function;
use crate::item::{Collection, Item};
use crate::operator::integer;
use crate::quantity::Quantity;
use crate::set::whole;
use base::Fault;

/// Digits behind the point that boundaries and rounding may ask for.
const DIGITS_MAX: i64 = 31;

pub(crate) fn call<'a>(
    run: &Run<'a, '_>,
    focus: &[Item<'a>],
    call: &Call<'a, '_>,
) -> Result<Collection<'a>, Fault> {
    let Some(item) = operand(focus, "a function of numbers")? else { return Ok(Collection::new()) };
    let Some(item) = item.system() else { return Err(no_number()) };
    let argument = run.argument(call, 0)?;
    let result = match call.function {
        Function::LowBoundary => boundary(&item, whole(&argument, "lowBoundary()")?, false)?,
        Function::HighBoundary => boundary(&item, whole(&argument, "highBoundary()")?, true)?,
        Function::Precision => precision(&item)?,
        Function::Comparable => {
            let Some(other) = operand(&argument, "comparable()")? else {
                return Ok(Collection::new());
            };
            let (Some(a), Some(b)) = (compare::quantity(&item), compare::quantity(other)) else {
                return Err(no_number());
            };
            Some(Item::Boolean(a.comparable(&b)))
        }
        function => number(function, &item, &argument, !call.args.is_empty())?,
    };
    Ok(result.into_iter().collect())
}

fn no_number() -> Fault {
    type_fault("a function of numbers is called on something else")
}

fn number<'a>(
    function: Function,
    item: &Item<'a>,
    argument: &[Item<'a>],
    given: bool,
) -> Result<Option<Item<'a>>, Fault> {
    if let (Function::Abs, Item::Quantity(q)) = (function, item) {
        let quantity = Quantity { value: q.value.abs(), unit: q.unit.clone() };
        return Ok(Some(Item::Quantity(Box::new(quantity))));
    }
    let value = compare::number(item).ok_or_else(no_number)?;
    let other = match operand(argument, "a function of numbers")? {
        None if given => return Ok(None),
        None => None,
        Some(other) => Some(compare::number(other).ok_or_else(no_number)?),
    };
    let is_integer = matches!(item, Item::Integer(_));
    let to_integer = |d: Decimal| integer(d.to_integer());
    let base = other.unwrap_or(Decimal::ZERO);
    Ok(match function {
        Function::Abs if is_integer => to_integer(value.abs()),
        Function::Abs => Some(Item::Decimal(value.abs())),
        Function::Ceiling => to_integer(value.ceiling(0)),
        Function::Floor => to_integer(value.floor(0)),
        Function::Truncate => to_integer(value.truncate()),
        Function::Exp => value.exp().map(Item::Decimal),
        Function::Ln => value.ln().map(Item::Decimal),
        Function::Log => value.log(base).map(Item::Decimal),
        Function::Sqrt => value.sqrt().map(Item::Decimal),
        Function::Power => match value.power(base) {
            Some(power) if is_integer && power.scale() == 0 && base.scale() == 0 => {
                to_integer(power)
            }
            power => power.map(Item::Decimal),
        },
        Function::Round => {
            let digits = base.to_integer().filter(|d| (0..=DIGITS_MAX).contains(d));
            let digits = digits.and_then(|d| u32::try_from(d).ok());
            let digits = digits.ok_or_else(|| type_fault("round() needs 0 to 31 digits"))?;
            Some(Item::Decimal(value.round(digits)))
        }
        _ => return Err(no_number()),
    })
}

/// The lowest or highest value that this one may mean at its precision, to a number of digits.
fn boundary<'a>(
    item: &Item<'a>,
    digits: Option<i64>,
    high: bool,
) -> Result<Option<Item<'a>>, Fault> {
    let decimal = |value: Decimal| {
        let digits = digits.unwrap_or(8);
        let digits = u32::try_from(digits).ok().filter(|_| digits <= DIGITS_MAX)?;
        let edge = value.boundary(if high { 1 } else { -1 })?;
        let edge = if high { edge.ceiling(digits) } else { edge.floor(digits) };
        edge.widen(digits)
    };
    Ok(match item {
        Item::Integer(value) => decimal(Decimal::from(*value)).map(Item::Decimal),
        Item::Decimal(value) => decimal(*value).map(Item::Decimal),
        Item::Quantity(q) => decimal(q.value)
            .map(|value| Item::Quantity(Box::new(Quantity { value, unit: q.unit.clone() }))),
        Item::Temporal(value) => value.boundary(digits, high).map(Item::Temporal),
        _ => return Err(type_fault("boundaries exist of numbers, quantities and dates only")),
    })
}

fn precision<'a>(item: &Item<'a>) -> Result<Option<Item<'a>>, Fault> {
    Ok(match item {
        Item::Integer(_) => Some(Item::Integer(0)),
        Item::Decimal(value) => Some(Item::Integer(i64::from(value.scale()))),
        Item::Quantity(q) => Some(Item::Integer(i64::from(q.value.scale()))),
        Item::Temporal(value) => Some(Item::Integer(value.digits())),
        _ => return Err(type_fault("precision exists of numbers, quantities and dates only")),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn boundaries_are_half_a_digit_away() {
        let edge = |text: &str, digits, high| {
            let item = Item::Decimal(Decimal::parse(text).unwrap());
            boundary(&item, digits, high).unwrap().map(|i| i.to_text().unwrap().into_owned())
        };
        assert_eq!(edge("1.587", None, false).as_deref(), Some("1.58650000"));
        assert_eq!(edge("-1.587", Some(2), false).as_deref(), Some("-1.59"));
        assert_eq!(edge("1.587", Some(0), true).as_deref(), Some("2"));
        assert_eq!(edge("1.587", Some(-1), true), None);
        assert_eq!(edge("1.587", Some(32), true), None);
    }
}
