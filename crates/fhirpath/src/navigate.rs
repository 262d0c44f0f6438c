//! Steps from a place to its children, with the types the definitions give them
//! (<https://hl7.org/fhir/R4/fhirpath.html#polymorphism>): `value` finds `valueQuantity` and its type.

use crate::item::{Collection, Item, Node};
use fhir::Value;
use fhir::definitions::{Element, TypeId, TypeKind, r4};

/// Appends the children of `node` that are called `name`. A name the type does not define has none.
pub(crate) fn member<'a>(node: &Node<'a>, name: &str, out: &mut Collection<'a>) {
    let Some(object) = node.object().filter(|o| o.is_object()) else { return };
    let def = r4().get(node.type_id());
    let Some(element) = def.element(name) else { return };
    if element.choice {
        choice(object, node.type_id(), element, out);
    } else if let Some(of) = element.types.first() {
        let (value, sibling) = match r4().kind(of.id) {
            TypeKind::Primitive => with_sibling(object, name),
            TypeKind::Complex | TypeKind::Resource | TypeKind::Backbone => (object.get(name), None),
        };
        repeats(value, sibling, of.id, out);
    }
}

/// Appends all children of `node` in the order they are written; the sibling of a primitive counts
/// with the primitive.
pub(crate) fn children<'a>(node: &Node<'a>, out: &mut Collection<'a>) {
    let Some(object) = node.object().filter(|o| o.is_object()) else { return };
    let def = r4().get(node.type_id());
    for (key, value) in object.members() {
        match key.strip_prefix('_') {
            None => {
                if let Some(member) = def.member(key) {
                    repeats(Some(value), sibling_of(object, key), member.of.id, out);
                }
            }
            Some(key) => {
                if let (Some(member), None) = (def.member(key), object.get(key)) {
                    repeats(None, Some(value), member.of.id, out);
                }
            }
        }
    }
}

/// A member and its sibling, in one pass.
fn with_sibling<'a>(object: Value<'a>, name: &str) -> (Option<Value<'a>>, Option<Value<'a>>) {
    let (mut value, mut sibling) = (None, None);
    for (key, member) in object.members() {
        if key == name {
            value = Some(member);
        } else if key.len() == name.len() + 1 && key.strip_prefix('_') == Some(name) {
            sibling = Some(member);
        }
    }
    (value, sibling)
}

fn sibling_of<'a>(object: Value<'a>, name: &str) -> Option<Value<'a>> {
    with_sibling(object, name).1
}

fn choice<'a>(object: Value<'a>, of: TypeId, element: &Element, out: &mut Collection<'a>) {
    let def = r4().get(of);
    for (key, value) in object.members() {
        let (name, is_sibling) = key.strip_prefix('_').map_or((key, false), |name| (name, true));
        if !name.starts_with(element.name) {
            continue;
        }
        let Some(member) = def.member(name).filter(|m| std::ptr::eq(m.element, element)) else {
            continue;
        };
        if !is_sibling {
            repeats(Some(value), sibling_of(object, name), member.of.id, out);
        } else if object.get(name).is_none() {
            repeats(None, Some(value), member.of.id, out);
        }
    }
}

/// Appends the repeats of one element. In JSON a primitive and its sibling are two parallel arrays.
fn repeats<'a>(
    value: Option<Value<'a>>,
    sibling: Option<Value<'a>>,
    of: TypeId,
    out: &mut Collection<'a>,
) {
    let mut values = value.map(Value::each);
    let mut siblings = sibling.map(Value::each);
    for index in 0..=u32::MAX {
        let value = values.as_mut().and_then(Iterator::next);
        let sibling = siblings.as_mut().and_then(Iterator::next);
        if value.is_none() && sibling.is_none() {
            return;
        }
        let of = match value {
            Some(value) if r4().kind(of) == TypeKind::Resource => actual_type(value).unwrap_or(of),
            _ => of,
        };
        out.extend(Node::new(value, sibling, of, index).map(Item::Node));
    }
}

/// The type a contained or bundled resource says it has.
fn actual_type(value: Value<'_>) -> Option<TypeId> {
    r4().resource_type(&value.get_str("resourceType")?)
}

/// The resource of `scope` (itself, contained in it, or in its bundle) that a reference means.
pub(crate) fn find_local<'a>(scope: Value<'a>, reference: &str) -> Option<Value<'a>> {
    if let Some(id) = reference.strip_prefix('#') {
        if id.is_empty() {
            return Some(scope);
        }
        return scope.get("contained")?.items().find(|c| c.get_str("id").is_some_and(|i| i == id));
    }
    if scope.get_str("resourceType").is_none_or(|t| t != "Bundle") {
        return None;
    }
    scope.get("entry")?.items().find_map(|entry| {
        let resource = entry.get("resource")?;
        let url = entry.get_str("fullUrl");
        let named = url.as_deref().is_some_and(|url| {
            url == reference
                || (!reference.contains(':')
                    && url.strip_suffix(reference).is_some_and(|base| base.ends_with('/')))
        });
        let local = || {
            let (name, id) = reference.split_once('/')?;
            (resource.get_str("resourceType")? == name && resource.get_str("id")? == id)
                .then_some(())
        };
        (named || (url.is_none() && local().is_some())).then_some(resource)
    })
}
