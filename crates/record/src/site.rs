//! Where a record belongs, as its own content tells: the organization or place that keeps it. What
//! does not tell belongs where its writer works, or to the site as a whole.

use fhir::Value;
use fhir::definitions::{TypeId, r4};
use fhir::reference::{Reference, parse};
use std::sync::Arc;

/// The element of each type that names the organization which keeps the record.
const KEEPERS: &[(&str, &str)] = &[
    ("Patient", "managingOrganization"),
    ("Encounter", "serviceProvider"),
    ("EpisodeOfCare", "managingOrganization"),
    ("DocumentReference", "custodian"),
    ("Composition", "custodian"),
    ("Account", "owner"),
];

/// The id of the organization that a record names as its keeper.
pub(crate) fn of(kind: TypeId, body: Value<'_>) -> Option<Arc<str>> {
    let name = r4().name(kind);
    let (_, element) = KEEPERS.iter().find(|(of, _)| *of == name)?;
    let text = body.get(element)?.get_str("reference")?;
    match parse(&text) {
        Some(Reference::Relative(target)) if target.resource_type == "Organization" => {
            Some(target.id.into())
        }
        _ => None,
    }
}
