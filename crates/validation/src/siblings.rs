//! `_name` beside `name`: ids and extensions of primitives
//! (<https://hl7.org/fhir/R4/json.html#primitive>). Rare, so it is a second look at the object.

use crate::table::{Shape, Slot, Table};
use crate::walk::{Found, Walk};
use base::error::code;
use fhir::{Kind, Value};

impl<'a> Walk<'a, '_> {
    /// Checks the siblings of an object; `nulls` are the elements whose arrays hold a null, which
    /// must be explained by a sibling.
    pub(crate) fn siblings(
        &mut self,
        object: Value<'a>,
        table: &'static Table,
        found: &mut Found,
        nulls: u128,
    ) {
        let values = found.elements;
        let mut seen = 0;
        for (name, child) in object.members() {
            let Some(plain) = name.strip_prefix('_') else { continue };
            if self.is_full() {
                return;
            }
            let Some(slot) = table.names.get(plain).filter(|slot| may_have_sibling(slot)) else {
                found.unknown = true;
                self.unknown(name, child, table);
                continue;
            };
            let partner = if values & slot.bit == 0 { None } else { object.get(plain) };
            if seen & slot.bit != 0 || (values & slot.bit != 0 && partner.is_none()) {
                self.second_choice(child, slot);
            }
            seen |= slot.bit;
            found.elements |= slot.bit;
            if slot.repeats {
                self.sibling_array(child, partner, slot);
            } else if child.is_object() {
                self.sibling(child, partner.is_some());
            } else {
                self.wrong_kind(child, slot, "an object beside the value");
            }
        }
        let orphans = nulls & !seen;
        if orphans == 0 {
            return;
        }
        for (name, child) in object.members() {
            if table.names.get(name).is_some_and(|slot| slot.bit & orphans != 0)
                && let Some(null) = child.items().find(|item| item.kind() == Kind::Null)
            {
                self.null(null);
            }
        }
    }

    fn sibling_array(&mut self, array: Value<'a>, partner: Option<Value<'a>>, slot: &Slot) {
        if !array.is_array() {
            return self.wrong_kind(array, slot, "an array beside the values");
        }
        if array.items().next().is_none() {
            return self.error(&code::ELEMENT_EMPTY, array, "an array is never empty");
        }
        // The arrays need not be of one length: some writers leave out what would be null at the end.
        let mut values = partner.map(Value::items);
        for item in array.items() {
            if self.is_full() {
                return;
            }
            let value = values.as_mut().and_then(Iterator::next);
            let has_value = value.is_some_and(|v| v.kind() != Kind::Null);
            match item.kind() {
                Kind::Object => self.sibling(item, has_value),
                Kind::Null if has_value => {}
                _ => self.wrong_kind(item, slot, "an object or null beside the value"),
            }
        }
        let mut rest = values.into_iter().flatten();
        if let Some(null) = rest.find(|value| value.kind() == Kind::Null) {
            self.null(null);
        }
    }
}

fn may_have_sibling(slot: &Slot) -> bool {
    matches!(slot.shape, Shape::Primitive(primitive) if !primitive.is_bare())
}
