//! Equality, equivalence and order of items and collections
//! (<http://hl7.org/fhirpath/N1/#equality>). `None` stands for the empty answer.

use crate::decimal::Decimal;
use crate::item::Item;
use fhir::{Kind, Value};
use std::cmp::Ordering;

/// `=` of two items; `None` when precision or units leave it open.
pub(crate) fn equal(a: &Item<'_>, b: &Item<'_>) -> Option<bool> {
    if let (Item::Node(x), Item::Node(y)) = (a, b)
        && let (Some(v), Some(w)) = (x.value(), y.value())
        && (v == w || (!x.is_primitive() && !y.is_primitive()))
    {
        let quantities = x.class() == crate::item::Class::Quantity && x.class() == y.class();
        if v == w || !quantities {
            return Some(v == w || same_json(v, w, false));
        }
    }
    let (Some(a), Some(b)) = (a.system(), b.system()) else {
        return Some(same_places(a, b, false));
    };
    match (&a, &b) {
        (Item::Boolean(x), Item::Boolean(y)) => Some(x == y),
        (Item::String(x), Item::String(y)) => Some(x == y),
        (Item::Integer(x), Item::Integer(y)) => Some(x == y),
        (Item::Temporal(x), Item::Temporal(y)) if x.comparable(y) => {
            x.order(y).map(|ordering| ordering == Ordering::Equal)
        }
        (Item::Type(x), Item::Type(y)) => Some(x == y),
        _ => match (quantity(&a), quantity(&b), number(&a), number(&b)) {
            (_, _, Some(x), Some(y)) => Some(x == y),
            (Some(x), Some(y), _, _) => match x.order(&y) {
                Some(ordering) => Some(ordering == Ordering::Equal),
                None if x.comparable(&y) => None,
                None => Some(false),
            },
            _ => Some(false),
        },
    }
}

/// `~` of two items.
pub(crate) fn equivalent(a: &Item<'_>, b: &Item<'_>) -> bool {
    if let (Item::Node(x), Item::Node(y)) = (a, b)
        && let (Some(v), Some(w)) = (x.value(), y.value())
        && !x.is_primitive()
        && !y.is_primitive()
        && x.system().is_none()
    {
        return v == w || same_json(v, w, true);
    }
    let (Some(a), Some(b)) = (a.system(), b.system()) else {
        return same_places(a, b, true);
    };
    match (&a, &b) {
        (Item::String(x), Item::String(y)) => same_words(x, y),
        (Item::Temporal(x), Item::Temporal(y)) => {
            x.kind() == y.kind() && x.order(y) == Some(Ordering::Equal)
        }
        _ => match (number(&a), number(&b), quantity(&a), quantity(&b)) {
            (Some(x), Some(y), ..) => near(x, y),
            (_, _, Some(x), Some(y)) => x.equivalent(&y),
            _ => equal(&a, &b) == Some(true),
        },
    }
}

/// `=` of two collections: item by item in order.
pub(crate) fn collections_equal(a: &[Item<'_>], b: &[Item<'_>]) -> Option<bool> {
    if a.is_empty() || b.is_empty() {
        return None;
    }
    if a.len() != b.len() {
        return Some(false);
    }
    let mut open = false;
    for (x, y) in a.iter().zip(b) {
        match equal(x, y) {
            Some(true) => {}
            Some(false) => return Some(false),
            None => open = true,
        }
    }
    if open { None } else { Some(true) }
}

/// `~` of two collections: in any order.
pub(crate) fn collections_equivalent(a: &[Item<'_>], b: &[Item<'_>]) -> bool {
    if a.len() != b.len() {
        return false;
    }
    let mut rest: Vec<&Item<'_>> = b.iter().collect();
    a.iter().all(|x| {
        rest.iter().position(|y| equivalent(x, y)).map(|at| rest.swap_remove(at)).is_some()
    })
}

/// Whether two values can be put in order, and their order when it is known.
pub(crate) enum Order {
    /// Their order.
    Known(Ordering),
    /// Precision or units leave it open.
    Open,
    /// Values of these types have no order.
    Never,
}

/// `<`, `>` and their kin.
pub(crate) fn order(a: &Item<'_>, b: &Item<'_>) -> Order {
    let (Some(a), Some(b)) = (a.system(), b.system()) else { return Order::Never };
    let known = |ordering: Option<Ordering>| ordering.map_or(Order::Open, Order::Known);
    match (&a, &b) {
        (Item::String(x), Item::String(y)) => Order::Known(x.cmp(y)),
        (Item::Integer(x), Item::Integer(y)) => Order::Known(x.cmp(y)),
        (Item::Temporal(x), Item::Temporal(y)) if x.comparable(y) => known(x.order(y)),
        _ => match (number(&a), number(&b), quantity(&a), quantity(&b)) {
            (Some(x), Some(y), ..) => Order::Known(x.cmp(&y)),
            (_, _, Some(x), Some(y)) => known(x.order(&y)),
            _ => Order::Never,
        },
    }
}

/// The number an item is.
pub(crate) fn number(item: &Item<'_>) -> Option<Decimal> {
    match item.system()? {
        Item::Integer(value) => Some(Decimal::from(value)),
        Item::Decimal(value) => Some(value),
        _ => None,
    }
}

/// The quantity an item is; a number is one of unit `1`.
pub(crate) fn quantity(item: &Item<'_>) -> Option<crate::quantity::Quantity> {
    match item.system()? {
        Item::Quantity(value) => Some(*value),
        other => number(&other).map(|value| crate::quantity::Quantity::ucum(value, "1")),
    }
}

/// Places that have no System value: equal when their JSON is.
fn same_places(a: &Item<'_>, b: &Item<'_>, loosely: bool) -> bool {
    let (Item::Node(a), Item::Node(b)) = (a, b) else { return false };
    match (a.value(), b.value(), a.sibling(), b.sibling()) {
        (Some(v), Some(w), ..) | (None, None, Some(v), Some(w)) => {
            v == w || same_json(v, w, loosely)
        }
        _ => false,
    }
}

/// Equal when rounded to the less precise of both, zeros at the end not counted.
fn near(x: Decimal, y: Decimal) -> bool {
    let (x, y) = (x.trim(), y.trim());
    let scale = x.scale().min(y.scale());
    x.round(scale) == y.round(scale)
}

/// Equal but for case and the amount of white space.
fn same_words(x: &str, y: &str) -> bool {
    let words =
        |text: &str| text.split_whitespace().map(str::to_lowercase).collect::<Vec<_>>().join(" ");
    x == y || words(x) == words(y)
}

/// Whether two JSON values say the same; members in any order. The depth is bounded by the parser's.
fn same_json(a: Value<'_>, b: Value<'_>, loosely: bool) -> bool {
    match (a.kind(), b.kind()) {
        (Kind::Object, Kind::Object) => {
            // Equivalence ignores ids of elements, which name a place rather than say something.
            let members =
                |v: Value<'_>| v.members().filter(|(k, _)| !loosely || *k != "id").count();
            members(a) == members(b)
                && a.members().filter(|(k, _)| !loosely || *k != "id").all(|(key, value)| {
                    b.get(key).is_some_and(|other| same_json(value, other, loosely))
                })
        }
        (Kind::Array, Kind::Array) => {
            let mut rest: Vec<Value<'_>> = b.items().collect();
            if a.items().count() != rest.len() {
                return false;
            }
            if !loosely {
                return a.items().zip(rest).all(|(x, y)| same_json(x, y, false));
            }
            a.items().all(|x| {
                let at = rest.iter().position(|y| same_json(x, *y, true));
                at.map(|at| rest.swap_remove(at)).is_some()
            })
        }
        (Kind::Number, Kind::Number) => match (Decimal::parse(a.raw()), Decimal::parse(b.raw())) {
            (Some(x), Some(y)) if loosely => near(x, y),
            (Some(x), Some(y)) => x == y,
            _ => a.raw() == b.raw(),
        },
        (Kind::String, Kind::String) => match (a.as_str(), b.as_str()) {
            (Some(x), Some(y)) if loosely => same_words(&x, &y),
            (x, y) => x == y,
        },
        (x, y) => x == y,
    }
}
