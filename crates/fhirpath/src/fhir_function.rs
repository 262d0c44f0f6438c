//! The functions FHIR adds (<https://hl7.org/fhir/R4/fhirpath.html#functions>), and `hasExtension`, which one
//! search parameter of R4 uses although no specification defines it.

use crate::call::Call;
use crate::evaluate::{Focus, Run, one, operand, single, type_fault};
use crate::function::Function;
use crate::item::{Collection, Item, Node};
use crate::navigate;
use crate::types::Target;
use base::Fault;
use fhir::definitions::{TypeId, r4};
use fhir::narrative;
use fhir::reference::{self, Reference};
use std::borrow::Cow;

pub(crate) fn call<'a>(
    run: &Run<'a, '_>,
    focus: Focus<'a, '_>,
    call: &Call<'a, '_>,
) -> Result<Collection<'a>, Fault> {
    let boolean = |value: bool| Ok(one(Item::Boolean(value)));
    match call.function {
        Function::HasValue => boolean(has_value(&focus)),
        Function::GetValue => Ok(match &*focus {
            [item] if has_value(&focus) => item.system().into_iter().collect(),
            _ => Collection::new(),
        }),
        Function::Extension => {
            let Some(url) = argument(run, call)? else { return Ok(Collection::new()) };
            extensions(run, &focus, &url)
        }
        Function::HasExtension => {
            let Some(url) = argument(run, call)? else { return Ok(Collection::new()) };
            boolean(!extensions(run, &focus, &url)?.is_empty())
        }
        Function::Resolve => {
            let found = focus.iter().filter_map(|item| resolve(run, item));
            Ok(found.map(Item::Node).collect())
        }
        Function::HtmlChecks => match operand(&focus, "htmlChecks()")? {
            None => Ok(Collection::new()),
            Some(item) => {
                boolean(item.as_text().is_some_and(|text| narrative::check(&text).is_ok()))
            }
        },
        Function::ConformsTo => conforms_to(run, &focus, call),
        Function::MemberOf => member_of(run, &focus, call),
        Function::CheckModifiers => check_modifiers(run, focus, call),
        _ => Err(type_fault("no function of FHIR")),
    }
}

fn argument<'a>(run: &Run<'a, '_>, call: &Call<'a, '_>) -> Result<Option<Cow<'a, str>>, Fault> {
    let items = run.argument(call, 0)?;
    match operand(&items, "an argument")? {
        None => Ok(None),
        Some(item) => {
            item.as_text().map(Some).ok_or_else(|| type_fault("an argument is not a string"))
        }
    }
}

/// A single primitive that has a value, not only extensions.
fn has_value(items: &[Item<'_>]) -> bool {
    match items {
        [Item::Node(node)] => node.is_primitive() && node.value().is_some(),
        [_] => true,
        _ => false,
    }
}

fn extensions<'a>(
    run: &Run<'a, '_>,
    focus: &[Item<'a>],
    url: &str,
) -> Result<Collection<'a>, Fault> {
    let mut out = Collection::new();
    for node in focus.iter().filter_map(Item::node) {
        let mut found = Collection::new();
        navigate::member(node, "extension", &mut found);
        run.charge(found.len())?;
        out.extend(found.into_iter().filter(|extension| {
            let object = extension.node().and_then(Node::value);
            object.and_then(|o| o.get_str("url")).is_some_and(|u| u == url)
        }));
    }
    Ok(out)
}

/// The text of a `Reference`, `canonical` or other address.
fn address<'a>(item: &Item<'a>) -> Option<Cow<'a, str>> {
    match item {
        Item::Node(node) if node.is_primitive() => item.as_text(),
        Item::Node(node) => node.value()?.get_str("reference"),
        other => other.as_text(),
    }
}

fn resolve<'a>(run: &Run<'a, '_>, item: &Item<'a>) -> Option<Node<'a>> {
    let address = address(item)?;
    let scopes = [run.context.resource, run.context.root];
    let local = scopes.into_iter().flatten().find_map(|s| navigate::find_local(s, &address));
    let found = local.or_else(|| run.context.resolver?.resolve(&address))?;
    Node::resource(found)
}

/// `resolve() is T`. When the reference cannot be fetched, the type it names decides: in the text of a
/// literal reference, or in `Reference.type`. Search parameters rely on it: `subject.where(resolve()
/// is Patient)` is asked of a resource alone.
pub(crate) fn resolves_to<'a>(
    run: &Run<'a, '_>,
    focus: &[Item<'a>],
    target: Target,
) -> Result<Collection<'a>, Fault> {
    let Some(item) = single(focus, "resolve() is")? else { return Ok(Collection::new()) };
    let type_id = resolve(run, item).map(|node| node.type_id()).or_else(|| named_type(item));
    let Some(type_id) = type_id else { return Ok(Collection::new()) };
    let is = target.fhir().is_some_and(|wanted| r4().is_a(type_id, wanted));
    Ok(one(Item::Boolean(is)))
}

fn named_type(item: &Item<'_>) -> Option<TypeId> {
    let name = address(item).and_then(|address| match reference::parse(&address)? {
        Reference::Relative(target) | Reference::Absolute { target, .. } => {
            Some(target.resource_type)
        }
        Reference::Conditional { resource_type, .. } => Some(resource_type),
        Reference::Fragment(_) | Reference::Urn(_) | Reference::Other(_) => None,
    });
    if let Some(name) = name {
        return r4().type_id(name);
    }
    r4().resource_type(&item.node()?.value()?.get_str("type")?)
}

/// Decided for the types of the specification itself; for another profile it is a fault, never a guess.
fn conforms_to<'a>(
    run: &Run<'a, '_>,
    focus: &[Item<'a>],
    call: &Call<'a, '_>,
) -> Result<Collection<'a>, Fault> {
    let (Some(item), Some(url)) = (operand(focus, "conformsTo()")?, argument(run, call)?) else {
        return Ok(Collection::new());
    };
    let name = url.strip_prefix("http://hl7.org/fhir/StructureDefinition/");
    let Some(wanted) = name.and_then(|name| r4().type_id(name)) else {
        return Err(type_fault("conformsTo() knows the types of R4 only, not this profile"));
    };
    let is = item.node().is_some_and(|node| r4().is_a(node.type_id(), wanted));
    Ok(one(Item::Boolean(is)))
}

fn member_of<'a>(
    run: &Run<'a, '_>,
    focus: &[Item<'a>],
    call: &Call<'a, '_>,
) -> Result<Collection<'a>, Fault> {
    let (Some(item), Some(url)) = (operand(focus, "memberOf()")?, argument(run, call)?) else {
        return Ok(Collection::new());
    };
    let Some(terminology) = run.context.terminology else {
        return Err(type_fault("memberOf() is not supported here: there is no terminology to ask"));
    };
    Ok(terminology.member_of(item, &url)?.map(Item::Boolean).into_iter().collect())
}

/// Gives the input back; a modifier extension that is not among the arguments is a fault.
fn check_modifiers<'a>(
    run: &Run<'a, '_>,
    focus: Focus<'a, '_>,
    call: &Call<'a, '_>,
) -> Result<Collection<'a>, Fault> {
    let mut known = Vec::new();
    for at in 0..call.args.len() {
        known.extend(run.argument(call, at)?.iter().filter_map(Item::as_text));
    }
    for object in focus.iter().filter_map(|item| item.node()?.object()) {
        let modifiers = object.get("modifierExtension");
        for extension in modifiers.into_iter().flat_map(fhir::Value::each) {
            let url = extension.get_str("url");
            if !url.is_some_and(|url| known.contains(&url)) {
                return Err(type_fault("a modifier extension stands here that is not known"));
            }
        }
    }
    Ok(focus.into_collection())
}
