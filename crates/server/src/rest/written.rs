//! The answer to a create or update, in the form `Prefer: return` asks for
//! (<https://hl7.org/fhir/R4/http.html#ops>).

use crate::ask::Ask;
use crate::condition::Return;
use crate::reply::Reply;
use base::{Fault, Issue};
use fhir::outcome;
use fhir::write::Writer;
use http::StatusCode;
use record::Written;

/// Answers what a write did.
pub(super) fn answer(ask: &Ask, written: Written) -> Result<Reply, Fault> {
    let status = if written.created { StatusCode::CREATED } else { StatusCode::OK };
    let hit = written.hit;
    let address = ask.version_address(hit.resource_type, &hit.id, hit.version);
    let reply = match ask.prefer()?.answer.unwrap_or_default() {
        Return::Minimal => Reply::empty(status),
        Return::Outcome => Reply::resource(status, ask.form, told(&written.warnings)),
        Return::Representation => {
            Reply::resource(status, ask.form, hit.body).content_location(&address)
        }
    };
    let reply = reply.version(hit.version, hit.last_updated);
    Ok(if written.created { reply.location(&address) } else { reply })
}

/// An outcome with what there is to say, or that there is nothing.
pub(super) fn told(warnings: &[Issue]) -> Vec<u8> {
    if warnings.is_empty() {
        done("done; nothing to remark")
    } else {
        outcome::operation_outcome(warnings)
    }
}

/// An outcome that says that all went well.
pub(super) fn done(what: &str) -> Vec<u8> {
    let mut w = Writer::new();
    w.object().member("resourceType", "OperationOutcome").key("issue").array().object();
    w.member("severity", "information").member("code", "informational");
    w.member("diagnostics", what).end_object().end_array().end_object();
    w.finish()
}
