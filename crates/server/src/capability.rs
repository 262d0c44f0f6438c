//! The `CapabilityStatement`, generated from the table of routes, the definitions and the registry of
//! search parameters, so it cannot promise what is not built
//! (<https://hl7.org/fhir/R4/capabilitystatement.html>).

use crate::route::{ROUTES, is_compartment};
use crate::state::State;
use bytes::Bytes;
use fhir::definitions::{SearchKind, TypeId, r4};
use fhir::write::Writer;
use record::{At, Department, LOG_PARAMETERS};
use search::registry::{Parameter, registry};
use smart::Place;
use std::collections::BTreeMap;

/// The result parameters and those of all types that are read apart from the registry
/// (<https://hl7.org/fhir/R4/search.html#all>).
const COMMON: [(&str, &str, &str); 5] = [
    ("_list", "special", "members of a List, by its id"),
    ("_text", "string", "words of the narrative"),
    ("_content", "string", "words anywhere in the resource"),
    ("_has", "special", "resources that point here; may be nested"),
    ("_type", "special", "types, when several are searched"),
];

const SECURITY_SERVICE: &str = "http://terminology.hl7.org/CodeSystem/restful-security-service";
const SMART: &str = "SMART-on-FHIR";
const OAUTH_URIS: &str = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris";

/// The statement, addressed from `base`.
pub(crate) fn statement(state: &State, base: &str) -> Vec<u8> {
    let departments = &state.record.settings().departments;
    let make = || parts(&rest(&Switches::of(state), departments));
    let body = state.capabilities.get_or_init(make).join(format!("{base}/").as_bytes());
    let mut w = Writer::onto(Vec::with_capacity(body.len() + 1024));
    w.object().member("resourceType", "CapabilityStatement").member("id", "plummer");
    w.member("name", "Plummer").member("title", "Plummer FHIR server").member("status", "active");
    w.member("date", &state.started.to_instant()).member("kind", "instance");
    w.key("software").object().member("name", "Plummer");
    w.member("version", env!("CARGO_PKG_VERSION")).end_object();
    w.key("implementation").object().member("description", "this server");
    w.member("url", base).end_object();
    w.member("fhirVersion", "4.0.1").key("format").array();
    w.string("application/fhir+json").string("json").end_array();
    w.key("rest").array().raw(&with_security(state, base, &body)).end_array();
    w.end_object();
    w.finish()
}

/// `CapabilityStatement.rest[0]` with how callers prove who they are, which has addresses in it.
fn with_security(state: &State, base: &str, body: &[u8]) -> Vec<u8> {
    let cors = !state.config.cors_origins.is_empty();
    let place = Place::of(base).filter(|_| state.config.guard && state.smart.is_some());
    let mut w = Writer::onto(Vec::with_capacity(body.len() + 2048));
    w.object().member("mode", "server");
    w.key("security").object();
    if let Some(place) = &place {
        oauth_uris(&mut w, place);
    }
    w.key("cors").boolean(cors);
    if place.is_some() {
        w.key("service").array().object().key("coding").array();
        w.object().member("system", SECURITY_SERVICE).member("code", SMART);
        w.member("display", SMART).end_object().end_array();
        w.member("text", "OAuth2 using SMART-on-FHIR profile (see http://docs.smarthealthit.org)");
        w.end_object().end_array();
    }
    let said = match state.config.guard {
        true => "Every request needs a token but this one and discovery.",
        false => "The guard is off: nobody is asked who they are.",
    };
    w.member("description", said).end_object().end_object();
    let mut out = w.finish();
    // The rest of the object goes on where this one ends.
    out.pop();
    out.push(b',');
    out.extend_from_slice(body.get(1..).unwrap_or_default());
    out
}

/// Where apps find the endpoints, for those that do not read `.well-known/smart-configuration`
/// (SMART App Launch 1.0; <https://hl7.org/fhir/smart-app-launch/STU2.2/conformance.html>).
fn oauth_uris(w: &mut Writer, place: &Place) {
    w.key("extension").array().object().member("url", OAUTH_URIS);
    w.key("extension").array();
    for (url, endpoint) in [
        ("authorize", "authorize"),
        ("token", "token"),
        ("introspect", "introspect"),
        ("revoke", "revoke"),
        ("manage", "apps"),
    ] {
        w.object().member("url", url).member("valueUri", &place.at(endpoint)).end_object();
    }
    w.end_array().end_object().end_array();
}

/// What settings change in the statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Switches {
    /// `PUT` may create.
    pub(crate) update_create: bool,
    /// A conditional delete may delete several resources.
    pub(crate) delete_many: bool,
}

impl Switches {
    fn of(state: &State) -> Self {
        Self {
            update_create: state.record.settings().create_by_update,
            delete_many: state.config.delete_many,
        }
    }
}

/// Stands for the base address in what is made once: the statement is asked for under several.
const BASE: &str = "urn:plummer:base:";

/// What stands between the places of the base address.
fn parts(rest: &[u8]) -> Vec<Bytes> {
    let text = String::from_utf8_lossy(rest);
    text.split(BASE).map(|part| Bytes::copy_from_slice(part.as_bytes())).collect()
}

/// The operations of departments at a type, or at its records; of the whole when there is none.
fn operations(w: &mut Writer, departments: &[&'static Department], of: Option<&str>) {
    let all = departments.iter().flat_map(|department| department.operations);
    for operation in all.filter(|one| match of {
        Some(name) => one.types().contains(&name),
        None => one.at == At::System,
    }) {
        w.object().member("name", operation.name);
        w.member("definition", &format!("{BASE}OperationDefinition/{}", operation.id()));
        w.member("documentation", operation.about).end_object();
    }
}

/// `CapabilityStatement.rest[0]` but for its mode and security.
pub(crate) fn rest(switches: &Switches, departments: &[&'static Department]) -> Vec<u8> {
    let reverse = reverse_includes();
    let mut w = Writer::onto(Vec::with_capacity(1 << 20));
    w.object().key("resource").array();
    for (of, name) in r4().resource_types() {
        resource(
            &mut w,
            (of, name),
            switches,
            reverse.get(&of).map_or(&[], Vec::as_slice),
            departments,
        );
    }
    w.end_array();
    w.key("interaction").array();
    let mut told = Vec::new();
    for code in ROUTES.iter().flat_map(|row| row.interaction.system_codes()) {
        if !told.contains(code) {
            told.push(*code);
            w.object().member("code", code).end_object();
        }
    }
    w.end_array();
    w.key("searchParam").array();
    // Those of every type are the same for each.
    let any = r4().resource_types().next().map_or(&[][..], |(of, _)| registry().parameters(of));
    for parameter in any.iter().filter(|p| p.code.starts_with('_')) {
        search_parameter(&mut w, parameter);
    }
    common(&mut w);
    w.end_array();
    let mut own = departments.iter().flat_map(|department| department.operations);
    if own.any(|operation| operation.at == At::System) {
        w.key("operation").array();
        operations(&mut w, departments, None);
        w.end_array();
    }
    w.key("compartment").array();
    for (_, name) in r4().resource_types().filter(|(_, name)| is_compartment(name)) {
        let name = name.to_lowercase();
        w.string(&format!("http://hl7.org/fhir/CompartmentDefinition/{name}"));
    }
    w.end_array().end_object();
    w.finish()
}

fn resource(
    w: &mut Writer,
    (of, name): (TypeId, &str),
    switches: &Switches,
    reverse: &[String],
    departments: &[&'static Department],
) {
    w.object().member("type", name);
    w.member("profile", &format!("http://hl7.org/fhir/StructureDefinition/{name}"));
    w.key("interaction").array();
    let mut told = Vec::new();
    for code in ROUTES.iter().filter_map(|row| row.interaction.type_code()) {
        // What was recorded stays as it was.
        let refused = name == AUDIT_EVENT && matches!(code, "update" | "delete");
        if !refused && !told.contains(&code) {
            told.push(code);
            w.object().member("code", code).end_object();
        }
    }
    w.end_array();
    if name == AUDIT_EVENT {
        return access_log(w, of);
    }
    w.member("versioning", "versioned").key("readHistory").boolean(true);
    w.key("updateCreate").boolean(switches.update_create);
    w.key("conditionalCreate").boolean(true).member("conditionalRead", "full-support");
    w.key("conditionalUpdate").boolean(true);
    w.member("conditionalDelete", if switches.delete_many { "multiple" } else { "single" });
    w.key("referencePolicy").array();
    for policy in ["literal", "logical", "local"] {
        w.string(policy);
    }
    w.end_array();
    let parameters = registry().parameters(of);
    let references = parameters.iter().filter(|p| p.kind == SearchKind::Reference);
    w.key("searchInclude").array().string("*");
    for parameter in references {
        w.string(&format!("{name}:{}", parameter.code));
    }
    w.end_array();
    if !reverse.is_empty() {
        w.key("searchRevInclude").array();
        for include in reverse {
            w.string(include);
        }
        w.end_array();
    }
    w.key("searchParam").array();
    for parameter in parameters {
        search_parameter(w, parameter);
    }
    common(w);
    w.end_array();
    let everything = matches!(name, "Patient" | "Encounter");
    let mut own = departments.iter().flat_map(|department| department.operations);
    if everything || own.any(|operation| operation.types().contains(&name)) {
        w.key("operation").array();
        if everything {
            w.object().member("name", "everything");
            let url = format!("http://hl7.org/fhir/OperationDefinition/{name}-everything");
            w.member("definition", &url).end_object();
        }
        operations(w, departments, Some(name));
        w.end_array();
    }
    w.end_object();
}

/// The type whose searches the access log answers.
const AUDIT_EVENT: &str = "AuditEvent";

/// The rest of what is said of `AuditEvent`.
fn access_log(w: &mut Writer, of: TypeId) {
    let what = "searches answer the events of the access log, newest first; what clients stored is read by its id";
    w.member("documentation", what);
    w.member("versioning", "versioned").key("readHistory").boolean(true);
    w.key("searchParam").array();
    let parameters = registry().parameters(of).iter();
    for parameter in parameters.filter(|p| LOG_PARAMETERS.contains(&p.code)) {
        w.object().member("name", parameter.code).member("definition", parameter.url);
        w.member("type", parameter.kind.as_str()).end_object();
    }
    w.end_array().end_object();
}

fn search_parameter(w: &mut Writer, parameter: &Parameter) {
    w.object().member("name", parameter.code).member("definition", parameter.url);
    w.member("type", parameter.kind.as_str());
    let modifiers = modifiers(parameter.kind);
    if !modifiers.is_empty() {
        w.member("documentation", modifiers);
    }
    w.end_object();
}

fn common(w: &mut Writer) {
    for (name, kind, what) in COMMON {
        w.object().member("name", name).member("type", kind).member("documentation", what);
        w.end_object();
    }
}

/// The modifiers and prefixes of a kind of parameter, in a sentence.
const fn modifiers(kind: SearchKind) -> &'static str {
    match kind {
        SearchKind::String => "modifiers: exact, contains, missing",
        SearchKind::Token => "modifiers: not, text, of-type, missing",
        SearchKind::Reference => "modifiers: [type], identifier, missing; chains",
        SearchKind::Uri => "modifiers: above, below, missing",
        SearchKind::Date | SearchKind::Number | SearchKind::Quantity => {
            "prefixes: eq, ne, gt, lt, ge, le, sa, eb, ap; modifier: missing"
        }
        SearchKind::Composite | SearchKind::Special => "",
    }
}

/// For each type, the parameters of other types by which something may point at it.
fn reverse_includes() -> BTreeMap<TypeId, Vec<String>> {
    let mut found: BTreeMap<TypeId, Vec<String>> = BTreeMap::new();
    for (of, name) in r4().resource_types() {
        for parameter in registry().parameters(of) {
            if parameter.kind != SearchKind::Reference {
                continue;
            }
            for target in &parameter.targets {
                let list = found.entry(*target).or_default();
                list.push(format!("{name}:{}", parameter.code));
            }
        }
    }
    found
}
