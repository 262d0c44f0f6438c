//! The one table of what the FHIR API answers, and the parser of its addresses
//! (<https://hl7.org/fhir/R4/http.html>). The router, the `Allow` header, the metrics and the
//! `CapabilityStatement` all read this table, so none can say what another does not do.

use base::Fault;
use base::error::code;
use fhir::definitions::{TypeId, r4};
use fhir::reference::is_id;
use http::Method;
use record::{Department, Kind, Operation};

/// Letters of the name of an operation.
const OPERATION_MAX: usize = 64;
/// Where the FHIR API begins.
pub const BASE_PATH: &str = "/fhir";

/// What a request asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Interaction {
    /// The capability statement.
    Capabilities,
    /// Current version of a resource.
    Read,
    /// A stated version of a resource.
    Vread,
    /// A new version under an id, or a new resource.
    Update,
    /// Deletes one resource.
    Delete,
    /// Versions of a resource.
    HistoryInstance,
    /// Versions of all resources of a type.
    HistoryType,
    /// Versions of everything.
    HistorySystem,
    /// A new resource, on a condition or without.
    Create,
    /// Update of what a search finds.
    ConditionalUpdate,
    /// Delete of what a search finds.
    ConditionalDelete,
    /// Search of one type.
    SearchType,
    /// Search of several types.
    SearchSystem,
    /// Search within a compartment.
    SearchCompartment,
    /// A patient's or an encounter's whole record.
    Everything,
    /// An emergency, before one patient's record.
    BreakGlass,
    /// Who saw one patient's record.
    WhoSaw,
    /// A bundle of requests.
    Bundle,
    /// An operation of a department.
    Operation,
}

/// The form of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// `/metadata`
    Metadata,
    /// `/`
    Base,
    /// `/_search`
    SystemSearch,
    /// `/_history`
    SystemHistory,
    /// `/[type]`
    Type,
    /// `/[type]/_search`
    TypeSearch,
    /// `/[type]/_history`
    TypeHistory,
    /// `/[type]/[id]`
    Instance,
    /// `/[type]/[id]/_history`
    InstanceHistory,
    /// `/[type]/[id]/_history/[version]`
    Version,
    /// `/[compartment]/[id]/[type]`, or `*` for every type
    Compartment,
    /// `/[compartment]/[id]/[type]/_search`
    CompartmentSearch,
    /// `/[Patient or Encounter]/[id]/$everything`
    Everything,
    /// `/Patient/[id]/$break-glass`
    BreakGlass,
    /// `/Patient/[id]/$who-saw`
    WhoSaw,
    /// `/$[operation]`
    SystemOperation,
    /// `/[type]/$[operation]`
    TypeOperation,
    /// `/[type]/[id]/$[operation]`
    InstanceOperation,
}

/// One row: this method on this form of address is this interaction.
#[derive(Debug)]
pub struct Row {
    /// The method.
    pub method: Method,
    /// The form of the address.
    pub shape: Shape,
    /// What it is.
    pub interaction: Interaction,
}

const fn row(method: Method, shape: Shape, interaction: Interaction) -> Row {
    Row { method, shape, interaction }
}

/// Everything the FHIR API answers. `HEAD` is answered wherever `GET` is, `OPTIONS` everywhere.
pub static ROUTES: &[Row] = &[
    row(Method::GET, Shape::Metadata, Interaction::Capabilities),
    row(Method::GET, Shape::Instance, Interaction::Read),
    row(Method::GET, Shape::Version, Interaction::Vread),
    row(Method::PUT, Shape::Instance, Interaction::Update),
    row(Method::DELETE, Shape::Instance, Interaction::Delete),
    row(Method::GET, Shape::InstanceHistory, Interaction::HistoryInstance),
    row(Method::GET, Shape::TypeHistory, Interaction::HistoryType),
    row(Method::GET, Shape::SystemHistory, Interaction::HistorySystem),
    row(Method::POST, Shape::Type, Interaction::Create),
    row(Method::PUT, Shape::Type, Interaction::ConditionalUpdate),
    row(Method::DELETE, Shape::Type, Interaction::ConditionalDelete),
    row(Method::GET, Shape::Type, Interaction::SearchType),
    row(Method::POST, Shape::TypeSearch, Interaction::SearchType),
    row(Method::GET, Shape::Base, Interaction::SearchSystem),
    row(Method::POST, Shape::SystemSearch, Interaction::SearchSystem),
    row(Method::GET, Shape::Compartment, Interaction::SearchCompartment),
    row(Method::POST, Shape::CompartmentSearch, Interaction::SearchCompartment),
    row(Method::GET, Shape::Everything, Interaction::Everything),
    row(Method::POST, Shape::BreakGlass, Interaction::BreakGlass),
    row(Method::GET, Shape::WhoSaw, Interaction::WhoSaw),
    row(Method::POST, Shape::Base, Interaction::Bundle),
    row(Method::GET, Shape::SystemOperation, Interaction::Operation),
    row(Method::POST, Shape::SystemOperation, Interaction::Operation),
    row(Method::GET, Shape::TypeOperation, Interaction::Operation),
    row(Method::POST, Shape::TypeOperation, Interaction::Operation),
    row(Method::GET, Shape::InstanceOperation, Interaction::Operation),
    row(Method::POST, Shape::InstanceOperation, Interaction::Operation),
];

impl Interaction {
    /// All of them, in the order of their numbers.
    pub const ALL: [Self; 19] = [
        Self::Capabilities,
        Self::Read,
        Self::Vread,
        Self::Update,
        Self::Delete,
        Self::HistoryInstance,
        Self::HistoryType,
        Self::HistorySystem,
        Self::Create,
        Self::ConditionalUpdate,
        Self::ConditionalDelete,
        Self::SearchType,
        Self::SearchSystem,
        Self::SearchCompartment,
        Self::Everything,
        Self::BreakGlass,
        Self::WhoSaw,
        Self::Bundle,
        Self::Operation,
    ];

    /// What the access log calls it.
    pub const fn kind(self) -> Kind {
        match self {
            Self::Capabilities => Kind::Metadata,
            Self::Read => Kind::Read,
            Self::Vread => Kind::Vread,
            Self::Update | Self::ConditionalUpdate => Kind::Update,
            Self::Delete | Self::ConditionalDelete => Kind::Delete,
            Self::HistoryInstance | Self::HistoryType | Self::HistorySystem => Kind::History,
            Self::Create => Kind::Create,
            Self::SearchType | Self::SearchSystem | Self::SearchCompartment => Kind::Search,
            Self::Everything | Self::Operation => Kind::Operation,
            Self::BreakGlass => Kind::BreakGlass,
            Self::WhoSaw => Kind::Review,
            Self::Bundle => Kind::Batch,
        }
    }

    /// Its name in logs and metrics: the FHIR code where there is one.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Capabilities => "capabilities",
            Self::Read => "read",
            Self::Vread => "vread",
            Self::Update => "update",
            Self::Delete => "delete",
            Self::HistoryInstance => "history-instance",
            Self::HistoryType => "history-type",
            Self::HistorySystem => "history-system",
            Self::Create => "create",
            Self::ConditionalUpdate => "conditional-update",
            Self::ConditionalDelete => "conditional-delete",
            Self::SearchType => "search-type",
            Self::SearchSystem => "search-system",
            Self::SearchCompartment => "search-compartment",
            Self::Everything => "everything",
            Self::BreakGlass => "break-glass",
            Self::WhoSaw => "who-saw",
            Self::Bundle => "bundle",
            Self::Operation => "operation",
        }
    }

    /// The codes it stands for in `CapabilityStatement.rest.resource.interaction`
    /// (<https://hl7.org/fhir/R4/valueset-type-restful-interaction.html>).
    pub const fn type_code(self) -> Option<&'static str> {
        match self {
            Self::Read => Some("read"),
            Self::Vread => Some("vread"),
            Self::Update => Some("update"),
            Self::Delete => Some("delete"),
            Self::HistoryInstance => Some("history-instance"),
            Self::HistoryType => Some("history-type"),
            Self::Create => Some("create"),
            Self::SearchType => Some("search-type"),
            _ => None,
        }
    }

    /// The codes it stands for in `CapabilityStatement.rest.interaction`.
    pub const fn system_codes(self) -> &'static [&'static str] {
        match self {
            Self::Bundle => &["transaction", "batch"],
            Self::HistorySystem => &["history-system"],
            Self::SearchSystem => &["search-system"],
            _ => &[],
        }
    }

    /// Changes nothing.
    pub const fn only_reads(self) -> bool {
        !matches!(
            self,
            Self::Update
                | Self::Delete
                | Self::Create
                | Self::ConditionalUpdate
                | Self::ConditionalDelete
                | Self::Bundle
                | Self::Operation
        )
    }
}

impl Shape {
    /// The form as the specification writes it, below the base.
    pub const fn template(self) -> &'static str {
        match self {
            Self::Metadata => "/metadata",
            Self::Base => "/",
            Self::SystemSearch => "/_search",
            Self::SystemHistory => "/_history",
            Self::Type => "/[type]",
            Self::TypeSearch => "/[type]/_search",
            Self::TypeHistory => "/[type]/_history",
            Self::Instance => "/[type]/[id]",
            Self::InstanceHistory => "/[type]/[id]/_history",
            Self::Version => "/[type]/[id]/_history/[version]",
            Self::Compartment => "/[compartment]/[id]/[type or *]",
            Self::CompartmentSearch => "/[compartment]/[id]/[type or *]/_search",
            Self::Everything => "/[Patient or Encounter]/[id]/$everything",
            Self::BreakGlass => "/Patient/[id]/$break-glass",
            Self::WhoSaw => "/Patient/[id]/$who-saw",
            Self::SystemOperation => "/$[operation]",
            Self::TypeOperation => "/[type]/$[operation]",
            Self::InstanceOperation => "/[type]/[id]/$[operation]",
        }
    }

    /// The methods the table has for it, for the `Allow` header.
    pub fn allow(self) -> String {
        let mut methods = vec!["OPTIONS"];
        for row in ROUTES.iter().filter(|row| row.shape == self) {
            methods.push(row.method.as_str());
            if row.method == Method::GET {
                methods.push("HEAD");
            }
        }
        methods.sort_unstable();
        methods.join(", ")
    }
}

/// An address, taken apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// Its form.
    pub shape: Shape,
    /// The type it names first.
    pub resource_type: Option<TypeId>,
    /// The logical id it names.
    pub id: String,
    /// The version it names.
    pub version: Option<u64>,
    /// The type searched inside a compartment; `None` for `*`.
    pub member: Option<TypeId>,
    /// The operation it names, without its `$`; empty when it names none of a department's.
    pub operation: String,
}

impl Place {
    fn of(shape: Shape) -> Self {
        let (id, operation) = (String::new(), String::new());
        Self { shape, resource_type: None, id, version: None, member: None, operation }
    }

    /// The operation of a department that it names.
    ///
    /// # Errors
    /// `server.interaction.not-supported` when none has it here.
    pub fn operation(
        &self,
        departments: &[&'static Department],
    ) -> Result<&'static Operation, Fault> {
        let mut all = departments.iter().flat_map(|department| department.operations);
        let of = self.resource_type.map(|of| r4().name(of));
        let instance = self.shape == Shape::InstanceOperation;
        let found = all.find(|one| one.name == self.operation && one.is_at(of, instance));
        found.copied().ok_or_else(no_operation)
    }

    /// The methods there are for it, for the `Allow` header: of an operation that changes something,
    /// `POST` alone.
    pub fn allow(&self, departments: &[&'static Department]) -> String {
        match self.operation(departments) {
            Ok(operation) if !operation.only_reads() => "OPTIONS, POST".to_owned(),
            _ => self.shape.allow(),
        }
    }

    /// What a method asks for here; a method the table does not have is refused.
    pub fn interaction(&self, method: &Method) -> Result<Interaction, Fault> {
        let asked = if method == Method::HEAD { &Method::GET } else { method };
        ROUTES
            .iter()
            .find(|row| row.shape == self.shape && row.method == *asked)
            .map(|row| row.interaction)
            .ok_or_else(|| {
                let (shape, allow) = (self.shape.template(), self.shape.allow());
                Fault::new(
                    &code::NOT_SUPPORTED,
                    format!("{method} is not supported on {shape}; use one of {allow}"),
                )
            })
    }
}

/// Takes apart the path below [`BASE_PATH`].
pub fn parse(path: &str) -> Result<Place, Fault> {
    let rest = path.strip_prefix('/').unwrap_or(path);
    let rest = rest.strip_suffix('/').unwrap_or(rest);
    let mut parts = rest.split('/');
    let (first, second, third, fourth) = (parts.next(), parts.next(), parts.next(), parts.next());
    if parts.next().is_some() {
        return Err(unknown());
    }
    let first = first.unwrap_or_default();
    let Some(second) = second else {
        return match first {
            "" => Ok(Place::of(Shape::Base)),
            "metadata" => Ok(Place::of(Shape::Metadata)),
            "_search" => Ok(Place::of(Shape::SystemSearch)),
            "_history" => Ok(Place::of(Shape::SystemHistory)),
            name if name.starts_with('$') => named(Place::of(Shape::SystemOperation), name),
            name => {
                Ok(Place { resource_type: Some(resource_type(name)?), ..Place::of(Shape::Type) })
            }
        };
    };
    let place = Place { resource_type: Some(resource_type(first)?), ..Place::of(Shape::Type) };
    match (second, third, fourth) {
        ("_search", None, None) => Ok(Place { shape: Shape::TypeSearch, ..place }),
        ("_history", None, None) => Ok(Place { shape: Shape::TypeHistory, ..place }),
        (name, None, None) if name.starts_with('$') => {
            named(Place { shape: Shape::TypeOperation, ..place }, name)
        }
        _ => instance(Place { id: logical_id(second)?, ..place }, first, third, fourth),
    }
}

fn instance(
    place: Place,
    type_name: &str,
    third: Option<&str>,
    fourth: Option<&str>,
) -> Result<Place, Fault> {
    match (third, fourth) {
        (None, _) => Ok(Place { shape: Shape::Instance, ..place }),
        (Some("_history"), None) => Ok(Place { shape: Shape::InstanceHistory, ..place }),
        (Some("_history"), Some(version)) => {
            // A version this server never gave cannot exist; 0 is never given.
            let version = version.parse().unwrap_or(0);
            Ok(Place { shape: Shape::Version, version: Some(version), ..place })
        }
        (Some("$everything"), None) if matches!(type_name, "Patient" | "Encounter") => {
            Ok(Place { shape: Shape::Everything, ..place })
        }
        (Some("$break-glass"), None) if type_name == "Patient" => {
            Ok(Place { shape: Shape::BreakGlass, ..place })
        }
        (Some("$who-saw"), None) if type_name == "Patient" => {
            Ok(Place { shape: Shape::WhoSaw, ..place })
        }
        (Some(name), None) if name.starts_with('$') => {
            named(Place { shape: Shape::InstanceOperation, ..place }, name)
        }
        (Some(member), search @ (None | Some("_search"))) => {
            if !is_compartment(type_name) {
                return Err(Fault::new(
                    &code::UNKNOWN_ROUTE,
                    format!("R4 defines no compartment of {type_name}"),
                ));
            }
            let member = if member == "*" { None } else { Some(resource_type(member)?) };
            let shape =
                if search.is_some() { Shape::CompartmentSearch } else { Shape::Compartment };
            Ok(Place { shape, member, ..place })
        }
        _ => Err(unknown()),
    }
}

/// Whether R4 defines a compartment of this type (<https://hl7.org/fhir/R4/compartmentdefinition.html>).
pub fn is_compartment(type_name: &str) -> bool {
    matches!(type_name, "Patient" | "Encounter" | "RelatedPerson" | "Practitioner" | "Device")
}

/// A place with the operation it names, where that can be a name.
fn named(place: Place, text: &str) -> Result<Place, Fault> {
    let name = text.strip_prefix('$').unwrap_or_default();
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-';
    if name.is_empty() || name.len() > OPERATION_MAX || !name.chars().all(plain) {
        return Err(no_operation());
    }
    Ok(Place { operation: name.to_owned(), ..place })
}

fn no_operation() -> Fault {
    let what = "there is no such operation here; /fhir/metadata lists those there are";
    Fault::new(&code::NOT_SUPPORTED, what)
}

fn resource_type(name: &str) -> Result<TypeId, Fault> {
    let looks_like_a_type = name.starts_with(|c: char| c.is_ascii_uppercase())
        && name.bytes().all(|b| b.is_ascii_alphanumeric());
    r4().resource_type(name).ok_or_else(|| {
        if looks_like_a_type {
            Fault::new(&code::RESOURCE_TYPE_UNKNOWN, format!("R4 has no resource type {name}"))
        } else {
            unknown()
        }
    })
}

fn logical_id(text: &str) -> Result<String, Fault> {
    if is_id(text) {
        return Ok(text.to_owned());
    }
    Err(Fault::new(
        &code::RESOURCE_ID_INVALID,
        "an id is 1 to 64 letters, digits, hyphens or full stops",
    ))
}

fn unknown() -> Fault {
    Fault::new(&code::UNKNOWN_ROUTE, "the FHIR API has no such address; see /fhir/metadata")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(path: &str) -> Result<Shape, &'static str> {
        parse(path).map(|p| p.shape).map_err(|f| f.code().name)
    }

    #[test]
    fn every_form_of_address_is_recognised() {
        for (path, expected) in [
            ("", Shape::Base),
            ("/", Shape::Base),
            ("/metadata", Shape::Metadata),
            ("/_search", Shape::SystemSearch),
            ("/_history", Shape::SystemHistory),
            ("/Patient", Shape::Type),
            ("/Patient/", Shape::Type),
            ("/Patient/_search", Shape::TypeSearch),
            ("/Patient/_history", Shape::TypeHistory),
            ("/Patient/1", Shape::Instance),
            ("/Patient/1/_history", Shape::InstanceHistory),
            ("/Patient/1/_history/2", Shape::Version),
            ("/Patient/1/Observation", Shape::Compartment),
            ("/Patient/1/*", Shape::Compartment),
            ("/Device/1/Observation/_search", Shape::CompartmentSearch),
            ("/Encounter/1/$everything", Shape::Everything),
            ("/$convert", Shape::SystemOperation),
            ("/Appointment/$find", Shape::TypeOperation),
            ("/Group/1/$everything", Shape::InstanceOperation),
        ] {
            assert_eq!(shape(path), Ok(expected), "{path}");
        }
    }

    #[test]
    fn other_addresses_are_refused_by_name() {
        for (path, expected) in [
            ("/Patientt", "fhir.resource.unknown-type"),
            ("/Resource/1", "fhir.resource.unknown-type"),
            ("/patient", "server.route.unknown"),
            ("/Patient/a_b", "fhir.resource.id-invalid"),
            ("/Patient/1/2/3/4", "server.route.unknown"),
            ("/Observation/1/Patient", "server.route.unknown"),
            ("/Group/1/$Every_thing", "server.interaction.not-supported"),
            ("/$", "server.interaction.not-supported"),
        ] {
            assert_eq!(shape(path), Err(expected), "{path}");
        }
    }

    #[test]
    fn an_operation_that_no_department_has_is_refused_at_its_address() {
        for path in ["/$convert", "/Appointment/$convert", "/Appointment/1/$convert"] {
            let fault = parse(path).unwrap().operation(&[]).unwrap_err();
            assert_eq!(fault.code().name, "server.interaction.not-supported", "{path}");
        }
    }

    #[test]
    fn a_method_the_table_lacks_is_refused_with_those_it_has() {
        let place = parse("/Patient/1").unwrap();
        assert_eq!(place.interaction(&Method::HEAD), Ok(Interaction::Read));
        let fault = place.interaction(&Method::PATCH).unwrap_err();
        assert_eq!(fault.code().name, "server.interaction.not-supported");
        assert_eq!(Shape::Instance.allow(), "DELETE, GET, HEAD, OPTIONS, PUT");
    }

    #[test]
    fn numbers_of_interactions_are_their_places() {
        for (at, interaction) in Interaction::ALL.into_iter().enumerate() {
            assert_eq!(interaction as usize, at);
        }
    }

    #[test]
    fn compartments_are_those_of_the_definitions() {
        for (_, name) in r4().resource_types() {
            let defined = r4().compartments().iter().any(|c| c.compartment == name);
            assert_eq!(is_compartment(name), defined, "{name}");
        }
    }
}
