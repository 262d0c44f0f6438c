//! What documents an import takes, and the entries it makes of them
//! (<https://hl7.org/fhir/R4/bundle.html>).

use crate::bundle::{Entry, Target, Verb, derive_id, parse_entry, place};
use crate::write::type_of;
use base::Fault;
use base::error::code;
use fhir::Value;
use fhir::reference::is_id;

/// What a document is to an import.
pub(super) enum Shape {
    /// One resource. Documents and messages too: such a bundle is a record of its own.
    Single,
    /// A bundle of resources; `asks`: its entries say what to do.
    Bundle { transaction: bool, asks: bool },
    /// Nothing that can be stored.
    Refused(Fault),
}

pub(super) fn shape(root: Value<'_>) -> Shape {
    if root.get_str("resourceType").as_deref() != Some("Bundle") {
        return Shape::Single;
    }
    match root.get_str("type").as_deref() {
        Some("transaction") => Shape::Bundle { transaction: true, asks: true },
        Some("batch") => Shape::Bundle { transaction: false, asks: true },
        Some("collection" | "searchset") => Shape::Bundle { transaction: false, asks: false },
        Some("document" | "message") => Shape::Single,
        _ => Shape::Refused(Fault::at(
            &code::BUNDLE_TYPE,
            "an import takes bundles of type transaction, batch, collection, searchset, document \
             and message",
            "Bundle.type",
        )),
    }
}

/// The entries of a bundle.
pub(super) fn of_bundle(root: Value<'_>, asks: bool) -> Vec<Result<Entry<'_>, (usize, Fault)>> {
    let entries = root.get("entry").into_iter().flat_map(Value::items).enumerate();
    entries
        .filter_map(|(index, value)| {
            if asks {
                return Some(parse_entry(value, index, None).map_err(|fault| (index, fault)));
            }
            // A searchset may end with an outcome that is about the search, not of the record.
            let outcome = value
                .get("search")
                .is_some_and(|search| search.get_str("mode").as_deref() == Some("outcome"));
            let resource = value.get("resource").filter(|_| !outcome)?;
            let entry = of_resource(resource, Some(index)).map(|mut entry| {
                entry.full_url = value.get_str("fullUrl");
                entry
            });
            let prefix = format!("{}.resource", place(index));
            Some(entry.map_err(|fault| (index, fault.within(&prefix))))
        })
        .collect()
}

/// A resource that nothing is said about: a PUT when it has an id, else a POST.
pub(super) fn of_resource(resource: Value<'_>, index: Option<usize>) -> Result<Entry<'_>, Fault> {
    let of = type_of(resource, None)?;
    let (verb, target) = match resource.get_str("id") {
        Some(id) if is_id(&id) => (Verb::Put, Target::Instance(of, id.into_owned())),
        Some(_) => {
            let text = "an id has 1 to 64 letters, digits, hyphens and full stops";
            return Err(Fault::at(&code::RESOURCE_ID_INVALID, text, "id"));
        }
        None => (Verb::Post, Target::Type(of, None)),
    };
    Ok(Entry {
        index: index.unwrap_or(0),
        full_url: None,
        verb,
        target,
        resource: Some((resource, of)),
        if_match: None,
        if_none_match: None,
        if_modified_since: None,
        if_none_exist: None,
    })
}

/// The id an entry is stored under that names no condition.
pub(super) fn id_of(entry: &Entry<'_>, resource: Value<'_>) -> String {
    match &entry.target {
        Target::Instance(_, id) => id.clone(),
        _ => derive_id(entry.full_url.as_deref(), resource),
    }
}

/// The entry a fault is about, by its place.
pub(super) fn index_of(fault: &Fault) -> Option<usize> {
    let place = fault.issues.first()?.expression.as_deref()?;
    let rest = place.strip_prefix("Bundle.entry[")?;
    rest.split_once(']')?.0.parse().ok()
}
