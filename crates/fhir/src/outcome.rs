//! `OperationOutcome` from a fault (<https://hl7.org/fhir/R4/operationoutcome.html>).

use crate::write::Writer;
use base::{Fault, Issue};

/// The coding system of the product's error codes.
pub const CODE_SYSTEM: &str = "https://plummer.health/fhir/CodeSystem/error-code";

/// The resource a refusal is answered with.
pub fn operation_outcome(issues: &[Issue]) -> Vec<u8> {
    let mut w = Writer::new();
    w.object().member("resourceType", "OperationOutcome").key("issue").array();
    for issue in issues {
        w.object().member("severity", issue.severity.as_str()).member("code", issue.code.issue);
        w.key("details").object().key("coding").array().object();
        w.member("system", CODE_SYSTEM).member("code", issue.code.name);
        w.member("display", issue.code.title).end_object().end_array().end_object();
        if !issue.diagnostics.is_empty() {
            w.member("diagnostics", &issue.diagnostics);
        }
        if let Some(place) = &issue.expression {
            w.key("expression").array().string(place).end_array();
        }
        w.end_object();
    }
    w.end_array().end_object();
    w.finish()
}

/// The resource for a whole fault.
pub fn of(fault: &Fault) -> Vec<u8> {
    operation_outcome(&fault.issues)
}
