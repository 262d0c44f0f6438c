//! Binary by its content type (<https://hl7.org/fhir/R4/binary.html#rest>): a caller that does not
//! name FHIR gets the bytes themselves, and may send them so.

use crate::ask::Ask;
use crate::base64;
use crate::negotiate::{body_type, is_fhir_json};
use crate::protect;
use crate::reply::Reply;
use base::error::code;
use base::{Fault, Limits};
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use fhir::write::Writer;
use http::header::{CONTENT_TYPE, HeaderName};
use http::{HeaderValue, StatusCode};
use record::Hit;

static SECURITY_CONTEXT: HeaderName = HeaderName::from_static("x-security-context");

/// Whether this is the type that holds bytes.
pub(super) fn is_binary(of: TypeId) -> bool {
    r4().name(of) == "Binary"
}

/// The bytes of a Binary under their own content type.
pub(super) fn raw(hit: &Hit, limits: &Limits) -> Result<Reply, Fault> {
    let document = Document::parse(hit.body.clone(), limits)?;
    let root = document.root();
    let data = root.get_str("data").unwrap_or_default();
    let Some(bytes) = base64::decode(&data) else {
        return Err(Fault::at(&code::INTERNAL, "the stored data is not base 64", "Binary.data"));
    };
    let mut reply = Reply::empty(StatusCode::OK).version(hit.version, hit.last_updated);
    let media_type = root.get_str("contentType").unwrap_or_default();
    let media_type = HeaderValue::from_str(&media_type);
    let unknown = HeaderValue::from_static("application/octet-stream");
    reply.headers.insert(CONTENT_TYPE, media_type.unwrap_or(unknown));
    // A stored page must not act as one of ours in somebody's browser.
    protect::foreign(&mut reply);
    if let Some(reference) = root.get("securityContext").and_then(|c| c.get_str("reference")) {
        reply.put(SECURITY_CONTEXT.clone(), &reference);
    }
    reply.body = bytes.into();
    Ok(reply)
}

/// The body of a write as a document: FHIR JSON, or for Binary any content, made into one.
pub(super) fn document(ask: &mut Ask, of: TypeId, id: Option<&str>) -> Result<Document, Fault> {
    if !is_binary(of) {
        return ask.document();
    }
    let media_type = body_type(&ask.headers)?;
    if is_fhir_json(&media_type) {
        return ask.document();
    }
    let given = ask.headers.get(CONTENT_TYPE).and_then(|t| t.to_str().ok());
    let mut data = Vec::new();
    base64::encode(&ask.body, &mut data);
    let mut w = Writer::new();
    w.object().member("resourceType", "Binary");
    if let Some(id) = id {
        w.member("id", id);
    }
    w.member("contentType", given.unwrap_or(&media_type));
    if let Some(context) = ask.headers.get(&SECURITY_CONTEXT).and_then(|c| c.to_str().ok()) {
        w.key("securityContext").object().member("reference", context).end_object();
    }
    if !data.is_empty() {
        w.member("data", &String::from_utf8_lossy(&data));
    }
    w.end_object();
    Document::parse(w.finish(), ask.limits())
}
