//! What expressions give: places in a resource with the type the definitions state, and values of the
//! System types (<https://hl7.org/fhir/R4/fhirpath.html#types>).

use crate::decimal::Decimal;
use crate::quantity::{Quantity, QuantityUnit};
use crate::temporal::Temporal;
use fhir::Value;
use fhir::definitions::{TypeId, TypeKind, r4};
use smallvec::SmallVec;
use std::borrow::Cow;
use std::sync::LazyLock;

/// Items in order. One item, the most common case, needs no allocation.
pub type Collection<'a> = SmallVec<[Item<'a>; 1]>;

/// One item.
#[derive(Debug, Clone)]
pub enum Item<'a> {
    /// A place in a resource.
    Node(Node<'a>),
    /// `System.Boolean`
    Boolean(bool),
    /// `System.Integer`
    Integer(i64),
    /// `System.Decimal`
    Decimal(Decimal),
    /// `System.String`
    String(Cow<'a, str>),
    /// `System.Date`, `System.DateTime`, `System.Time`
    Temporal(Temporal),
    /// `System.Quantity`
    Quantity(Box<Quantity>),
    /// What `type()` gives.
    Type(TypeName),
}

/// The name of a type, as `type()` gives it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TypeName {
    /// `FHIR` or `System`
    pub namespace: &'static str,
    /// The name within it.
    pub name: &'static str,
}

/// A place in a resource: its JSON, the `_name` sibling of a primitive, and its type.
#[derive(Debug, Clone, Copy)]
pub struct Node<'a> {
    value: Option<Value<'a>>,
    sibling: Option<Value<'a>>,
    type_id: TypeId,
    index: u32,
}

/// How a FHIR type converts to a System type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Class {
    Boolean,
    Integer,
    Decimal,
    String,
    Date,
    DateTime,
    Time,
    Quantity,
    Other,
}

static CLASSES: LazyLock<Vec<Class>> = LazyLock::new(|| {
    let quantity = r4().type_id("Quantity");
    r4().types()
        .map(|id| match (r4().kind(id), r4().name(id)) {
            (TypeKind::Primitive, name) => match name {
                "boolean" => Class::Boolean,
                "integer" | "positiveInt" | "unsignedInt" | "integer64" => Class::Integer,
                "decimal" => Class::Decimal,
                "date" => Class::Date,
                "dateTime" | "instant" => Class::DateTime,
                "time" => Class::Time,
                _ => Class::String,
            },
            _ if quantity.is_some_and(|quantity| r4().is_a(id, quantity)) => Class::Quantity,
            _ => Class::Other,
        })
        .collect()
});

impl<'a> Node<'a> {
    /// A place of a known type; `None` when there is neither a value nor a sibling.
    pub fn new(
        value: Option<Value<'a>>,
        sibling: Option<Value<'a>>,
        type_id: TypeId,
        index: u32,
    ) -> Option<Self> {
        let value = value.filter(|v| v.kind() != fhir::Kind::Null);
        let sibling = sibling.filter(|v| v.kind() != fhir::Kind::Null);
        (value.is_some() || sibling.is_some()).then_some(Self { value, sibling, type_id, index })
    }

    /// A resource: its type is what its `resourceType` says.
    pub fn resource(value: Value<'a>) -> Option<Self> {
        let name = value.get_str("resourceType")?;
        Self::new(Some(value), None, r4().type_id(&name)?, 0)
    }

    /// The JSON value; nothing for a primitive that has only extensions.
    pub const fn value(&self) -> Option<Value<'a>> {
        self.value
    }

    /// The `_name` object beside a primitive.
    pub const fn sibling(&self) -> Option<Value<'a>> {
        self.sibling
    }

    /// The type the definitions give this place.
    pub const fn type_id(&self) -> TypeId {
        self.type_id
    }

    /// The name of the type.
    pub fn type_name(&self) -> &'static str {
        r4().name(self.type_id)
    }

    /// Its position among the repeats of its element.
    pub const fn index(&self) -> u32 {
        self.index
    }

    /// Whether it is a primitive.
    pub fn is_primitive(&self) -> bool {
        r4().kind(self.type_id) == TypeKind::Primitive
    }

    /// The object its children stand in: of a primitive, its sibling.
    pub fn object(&self) -> Option<Value<'a>> {
        if self.is_primitive() { self.sibling } else { self.value }
    }

    /// Where it is, for messages.
    pub fn path(&self) -> String {
        self.value.or(self.sibling).map_or_else(String::new, Value::path)
    }

    pub(crate) fn class(&self) -> Class {
        CLASSES.get(usize::from(self.type_id.0)).copied().unwrap_or(Class::Other)
    }

    /// The System value of a primitive or quantity; `None` for other types, for a primitive without a
    /// value, and for one whose text does not have the form of its type.
    pub fn system(&self) -> Option<Item<'a>> {
        let value = self.value?;
        Some(match self.class() {
            Class::Boolean => Item::Boolean(value.as_bool()?),
            Class::Integer => Item::Integer(value.as_number()?.parse().ok()?),
            Class::Decimal => Item::Decimal(Decimal::parse(value.as_number()?)?),
            Class::String => Item::String(value.as_str()?),
            Class::Date => Item::Temporal(Temporal::date(&value.as_str()?)?),
            Class::DateTime => Item::Temporal(Temporal::date_time(&value.as_str()?)?),
            Class::Time => Item::Temporal(Temporal::time(&value.as_str()?)?),
            Class::Quantity => Item::Quantity(Box::new(quantity(value)?)),
            Class::Other => return None,
        })
    }
}

/// A FHIR quantity: in UCUM by its code, otherwise by its unit's text, which no conversion applies to.
fn quantity(object: Value<'_>) -> Option<Quantity> {
    let value = Decimal::parse(object.get("value")?.as_number()?)?;
    let is_ucum = object.get_str("system").is_some_and(|s| s == "http://unitsofmeasure.org");
    let code = object.get_str("code").filter(|_| is_ucum).or_else(|| object.get_str("unit"));
    let unit = QuantityUnit::Ucum(code.map_or_else(|| "1".into(), |c| c.into()));
    Some(Quantity { value, unit })
}

impl<'a> Item<'a> {
    /// A resource, typed by its `resourceType`.
    pub fn resource(value: Value<'a>) -> Option<Self> {
        Node::resource(value).map(Self::Node)
    }

    /// A borrowed or owned text.
    pub fn text(text: impl Into<Cow<'a, str>>) -> Self {
        Self::String(text.into())
    }

    /// The place, if it is one.
    pub const fn node(&self) -> Option<&Node<'a>> {
        match self {
            Self::Node(node) => Some(node),
            _ => None,
        }
    }

    /// Whether it is a primitive that has only extensions.
    pub fn is_valueless(&self) -> bool {
        self.node().is_some_and(|node| node.value.is_none() && node.is_primitive())
    }

    /// The System value: itself, or what a primitive or quantity converts to.
    pub fn system(&self) -> Option<Self> {
        match self {
            Self::Node(node) => node.system(),
            other => Some(other.clone()),
        }
    }

    /// The namespace and name of its type.
    pub fn type_name(&self) -> TypeName {
        let (namespace, name) = match self {
            Self::Node(node) => ("FHIR", node.type_name()),
            Self::Boolean(_) => ("System", "Boolean"),
            Self::Integer(_) => ("System", "Integer"),
            Self::Decimal(_) => ("System", "Decimal"),
            Self::String(_) => ("System", "String"),
            Self::Temporal(t) => ("System", crate::types::temporal_name(t.kind())),
            Self::Quantity(_) => ("System", "Quantity"),
            Self::Type(_) => ("System", "TypeInfo"),
        };
        TypeName { namespace, name }
    }

    /// The text of a string, whether it stands in the expression or in the resource.
    pub fn as_text(&self) -> Option<Cow<'a, str>> {
        match self {
            Self::String(text) => Some(text.clone()),
            Self::Node(node) if node.class() == Class::String => node.value?.as_str(),
            _ => None,
        }
    }

    /// A boolean.
    pub fn as_bool(&self) -> Option<bool> {
        match self {
            Self::Boolean(value) => Some(*value),
            Self::Node(node) if node.class() == Class::Boolean => node.value?.as_bool(),
            _ => None,
        }
    }

    /// An integer.
    pub fn as_integer(&self) -> Option<i64> {
        match self.system()? {
            Self::Integer(value) => Some(value),
            _ => None,
        }
    }

    /// The text that `toString()` gives; `None` for what has none.
    pub fn to_text(&self) -> Option<Cow<'a, str>> {
        Some(match self.system()? {
            Self::Boolean(value) => Cow::Borrowed(if value { "true" } else { "false" }),
            Self::Integer(value) => Cow::Owned(value.to_string()),
            Self::Decimal(value) => Cow::Owned(value.to_string()),
            Self::String(text) => text,
            Self::Temporal(value) => Cow::Owned(value.to_string()),
            Self::Quantity(value) => Cow::Owned(value.to_string()),
            Self::Node(_) | Self::Type(_) => return None,
        })
    }
}
