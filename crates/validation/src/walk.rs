//! The walk: every member of every object is looked up in its type's table and checked in document
//! order (<https://hl7.org/fhir/R4/json.html>). Depth is bounded by the parser, cost by the length
//! of the document and the number of issues told.

use crate::Options;
use crate::container::Container;
use crate::report::quoted;
use crate::table::{Codes, Rule, Shape, Slot, Table, element_table, table};
use base::Issue;
use base::error::code;
use fhir::definitions::r4;
use fhir::{Kind, Value};

/// A walk over one document.
pub(crate) struct Walk<'a, 'o> {
    pub(crate) options: &'o Options,
    pub(crate) issues: Vec<Issue>,
    pub(crate) warnings: usize,
    /// The resource that holds what is walked now, and what it contains.
    pub(crate) container: Container<'a>,
    /// Conditional references are allowed here.
    pub(crate) in_transaction: bool,
}

/// What an object was found to have.
#[derive(Clone, Copy)]
pub(crate) struct Found {
    /// Elements that are there, be it only by their `_name` sibling.
    pub(crate) elements: u128,
    /// Members that the type does not have.
    pub(crate) unknown: bool,
}

impl<'a, 'o> Walk<'a, 'o> {
    pub(crate) fn new(options: &'o Options) -> Self {
        Self {
            options,
            issues: Vec::new(),
            warnings: 0,
            container: Container::default(),
            in_transaction: options.in_transaction,
        }
    }

    /// Walks a resource and answers what is wrong.
    pub(crate) fn run(mut self, resource: Value<'a>) -> Vec<Issue> {
        self.resource(resource);
        self.issues
    }

    /// A resource of its own: the outermost, an entry's, a parameter's.
    fn resource(&mut self, value: Value<'a>) {
        let Some(table) = self.resource_table(value) else { return };
        let outer = std::mem::replace(&mut self.container, Container::of(value));
        let in_transaction = self.in_transaction;
        if table.rule == Rule::Bundle {
            self.in_transaction |= value.get_str("type").as_deref() == Some("transaction");
        }
        self.object(value, table);
        self.unused_contained();
        self.in_transaction = in_transaction;
        self.container = outer;
    }

    /// The table of a resource by its `resourceType`.
    pub(crate) fn resource_table(&mut self, value: Value<'a>) -> Option<&'static Table> {
        if !value.is_object() {
            let text = "a resource is a JSON object";
            self.error(&code::RESOURCE_NOT_OBJECT, value, text);
            return None;
        }
        let Some(name) = value.get_str("resourceType") else {
            let text = "a resource names its type in the string resourceType";
            self.error(&code::RESOURCE_NOT_OBJECT, value, text);
            return None;
        };
        let id = r4().resource_type(&name);
        if id.is_none() {
            let text = format!("{} is not a resource type of R4", quoted(&name));
            self.error(&code::RESOURCE_TYPE_UNKNOWN, value, text);
        }
        id.map(table)
    }

    /// The members of an object and the rules of its type.
    pub(crate) fn object(&mut self, value: Value<'a>, table: &'static Table) {
        let found = self.members(value, table);
        match table.rule {
            Rule::Plain => self.not_empty(value, table, found),
            Rule::Extension => {
                self.not_empty(value, table, found);
                self.extension(value, table, found);
            }
            Rule::Reference => {
                self.not_empty(value, table, found);
            }
            Rule::Entry => {
                self.not_empty(value, table, found);
                self.entry(value);
            }
            Rule::Bundle | Rule::Resource => {}
        }
        let missing = table.required & !found.elements;
        if missing != 0 {
            self.missing(value, table, missing);
        }
    }

    /// The `_name` sibling of a primitive: an `Element` with id and extensions.
    pub(crate) fn sibling(&mut self, value: Value<'a>, has_value: bool) {
        let table = element_table();
        let found = self.members(value, table);
        if found.elements == 0 || !has_value {
            self.not_empty(value, table, found);
        }
    }

    /// ele-1: an element has a value or children, and an id is no child.
    fn not_empty(&mut self, value: Value<'a>, table: &Table, found: Found) {
        if found.elements & !table.id != 0 || found.unknown {
            return;
        }
        if found.elements == 0 {
            self.error(&code::ELEMENT_EMPTY, value, "an object is never empty");
        } else {
            let text = "ele-1: an element has more than an id";
            self.error(&code::INVARIANT_FAILED, value, text);
        }
    }

    fn members(&mut self, value: Value<'a>, table: &'static Table) -> Found {
        let mut found = Found { elements: 0, unknown: false };
        let (mut siblings, mut nulls) = (false, 0);
        for (name, child) in value.members() {
            if self.is_full() {
                break;
            }
            let Some(slot) = table.names.get(name) else {
                if name.starts_with('_') {
                    siblings = true;
                } else {
                    found.unknown = true;
                    self.unknown(name, child, table);
                }
                continue;
            };
            // The parser refuses a name that stands twice, so this is another type of a choice.
            if found.elements & slot.bit != 0 {
                self.second_choice(child, slot);
            }
            found.elements |= slot.bit;
            if !slot.repeats {
                self.one(child, slot);
            } else if self.many(child, slot) {
                nulls |= slot.bit;
            }
        }
        if siblings || nulls != 0 {
            self.siblings(value, table, &mut found, nulls);
        }
        found
    }

    pub(crate) fn second_choice(&mut self, at: Value<'a>, slot: &Slot) {
        let text = format!("{}[x] stands twice, with different types", slot.element.name);
        self.error(&code::ELEMENT_CHOICE, at, text);
    }

    /// An element that repeats; says whether a null stands among primitives.
    fn many(&mut self, value: Value<'a>, slot: &'static Slot) -> bool {
        if !value.is_array() {
            self.wrong_kind(value, slot, "an array, for it may repeat");
            return false;
        }
        let (mut nulls, mut empty) = (false, true);
        for (index, item) in value.items().enumerate() {
            empty = false;
            if item.kind() == Kind::Null && matches!(slot.shape, Shape::Primitive(_)) {
                nulls = true;
            } else if matches!(slot.shape, Shape::Contained) {
                self.contained(item, index);
            } else {
                self.one(item, slot);
            }
            if self.is_full() {
                break;
            }
        }
        if empty {
            self.error(&code::ELEMENT_EMPTY, value, "an array is never empty");
        }
        nulls
    }

    /// One value of an element.
    fn one(&mut self, value: Value<'a>, slot: &'static Slot) {
        match slot.shape {
            Shape::Primitive(primitive) => match primitive.check(value) {
                Ok(()) => {
                    if let Codes::Code(codes) = &slot.codes {
                        self.code(value, slot, codes);
                    } else if primitive.may_be_fragment() {
                        self.note_fragment(value);
                    }
                }
                Err(wrong) => self.wrong(value, slot, wrong),
            },
            Shape::Complex(id) if value.is_object() => {
                let table = table(id);
                self.object(value, table);
                if table.rule == Rule::Reference {
                    self.reference(value, slot.of);
                }
                if let Codes::Coding(set) = &slot.codes {
                    self.coding(value, slot, set);
                }
            }
            Shape::Extension(id) if value.is_object() => {
                self.object(value, table(id));
                self.outer_extension(value);
            }
            Shape::Complex(_) | Shape::Extension(_) => self.wrong_kind(value, slot, "an object"),
            Shape::Entry if self.options.shallow_bundle => {
                self.resource_table(value);
            }
            Shape::Entry | Shape::Resource => self.resource(value),
            Shape::Contained | Shape::TypeName => {}
        }
    }
}
