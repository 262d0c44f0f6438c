//! Conversions (<http://hl7.org/fhirpath/N1/#conversion>): `toX()` gives the value or nothing,
//! `convertsToX()` says whether it would.

use crate::call::Call;
use crate::decimal::Decimal;
use crate::evaluate::{Run, one, operand, type_fault};
use crate::function::{Conversion, Function};
use crate::item::{Collection, Item};
use crate::quantity::Quantity;
use crate::temporal::{Temporal, TemporalKind};
use crate::units;
use base::Fault;

pub(crate) fn call<'a>(
    run: &Run<'a, '_>,
    focus: &[Item<'a>],
    call: &Call<'a, '_>,
) -> Result<Collection<'a>, Fault> {
    let Some(item) = operand(focus, "a conversion")? else { return Ok(Collection::new()) };
    let (to, ask) = match call.function {
        Function::To(to) => (to, false),
        Function::ConvertsTo(to) => (to, true),
        _ => return Err(type_fault("no conversion")),
    };
    let mut converted = item.system().and_then(|item| convert(item, to));
    if to == Conversion::Quantity
        && let Some(Item::Quantity(value)) = &converted
        && let Some(unit) = operand(&run.argument(call, 0)?, "the unit of a conversion")?
    {
        let Some(unit) = unit.as_text() else {
            return Err(type_fault("the unit of a conversion is not a string"));
        };
        converted = into_unit(value, &unit).map(|q| Item::Quantity(Box::new(q)));
    }
    Ok(if ask { one(Item::Boolean(converted.is_some())) } else { converted.into_iter().collect() })
}

fn into_unit(value: &Quantity, unit: &str) -> Option<Quantity> {
    let from = units::canonical(value.code())?;
    let converted = from.convert(value.value, &units::canonical(unit)?)?;
    Some(Quantity::ucum(converted, unit))
}

fn convert(item: Item<'_>, to: Conversion) -> Option<Item<'_>> {
    match to {
        Conversion::Boolean => boolean(&item).map(Item::Boolean),
        Conversion::Integer => integer(&item).map(Item::Integer),
        Conversion::Decimal => decimal(&item).map(Item::Decimal),
        Conversion::String => item.to_text().map(Item::String),
        Conversion::Quantity => quantity(item).map(|q| Item::Quantity(Box::new(q))),
        Conversion::Date => temporal(&item, TemporalKind::Date, Temporal::date),
        Conversion::DateTime => temporal(&item, TemporalKind::DateTime, Temporal::date_time),
        Conversion::Time => temporal(&item, TemporalKind::Time, Temporal::time),
    }
}

fn boolean(item: &Item<'_>) -> Option<bool> {
    match item {
        Item::Boolean(value) => Some(*value),
        Item::Integer(0) => Some(false),
        Item::Integer(1) => Some(true),
        Item::Decimal(value) if *value == Decimal::ONE => Some(true),
        Item::Decimal(value) if value.is_zero() => Some(false),
        Item::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "t" | "yes" | "y" | "1" | "1.0" => Some(true),
            "false" | "f" | "no" | "n" | "0" | "0.0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn integer(item: &Item<'_>) -> Option<i64> {
    match item {
        Item::Integer(value) => Some(*value),
        Item::Boolean(value) => Some(i64::from(*value)),
        Item::String(text) => {
            let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
            let whole = !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit());
            whole.then(|| text.parse::<i32>().ok()).flatten().map(i64::from)
        }
        _ => None,
    }
}

fn decimal(item: &Item<'_>) -> Option<Decimal> {
    match item {
        Item::Integer(value) => Some(Decimal::from(*value)),
        Item::Decimal(value) => Some(*value),
        Item::Boolean(value) => Some(Decimal::from(i64::from(*value))),
        Item::String(text) if !text.contains(['e', 'E']) => {
            Decimal::parse(text.strip_prefix('+').unwrap_or(text))
        }
        _ => None,
    }
}

fn quantity(item: Item<'_>) -> Option<Quantity> {
    match item {
        Item::Quantity(value) => Some(*value),
        Item::String(text) => Quantity::parse(&text),
        other => decimal(&other).map(|value| Quantity::ucum(value, "1")),
    }
}

fn temporal<'a>(
    item: &Item<'a>,
    kind: TemporalKind,
    read: fn(&str) -> Option<Temporal>,
) -> Option<Item<'a>> {
    match item {
        Item::Temporal(value)
            if (value.kind() == TemporalKind::Time) == (kind == TemporalKind::Time) =>
        {
            Some(Item::Temporal(value.as_kind(kind)))
        }
        Item::String(text) => {
            let whole = || match kind {
                // A date with a time converts to its date.
                TemporalKind::Date => Temporal::date_time(text).map(|t| t.as_kind(kind)),
                TemporalKind::DateTime | TemporalKind::Time => None,
            };
            read(text).or_else(whole).map(Item::Temporal)
        }
        _ => None,
    }
}
