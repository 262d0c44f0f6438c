//! A FHIR request, taken apart once: what every interaction needs of it.

use crate::condition::{self, Prefer};
use crate::negotiate::{self, Form};
use crate::route::{self, BASE_PATH, Interaction, Place};
use crate::state::State;
use base::error::code;
use base::{Fault, Limits};
use bytes::Bytes;
use fhir::Document;
use fhir::definitions::{TypeId, r4};
use http::header::HOST;
use http::{HeaderMap, Method};
use record::Session;
use search::parse::{decode_query, encode_query};
use std::sync::Arc;

/// Parameters of the address that decide the form of the answer and no more.
const FORM_PARAMETERS: [&str; 2] = ["_format", "_pretty"];

/// A FHIR request.
#[derive(Debug)]
pub(crate) struct Ask {
    /// What all requests share.
    pub(crate) state: Arc<State>,
    /// The gate, opened for this request.
    pub(crate) session: Session,
    /// What it asks for.
    pub(crate) interaction: Interaction,
    /// Where.
    pub(crate) place: Place,
    /// The method, as it came.
    pub(crate) method: Method,
    /// The path below the base, as it came.
    pub(crate) path: String,
    /// The parameters of the address, decoded, in order.
    pub(crate) pairs: Vec<(String, String)>,
    /// The form of the answer.
    pub(crate) form: Form,
    /// The headers.
    pub(crate) headers: HeaderMap,
    /// The body, unpacked.
    pub(crate) body: Bytes,
}

impl Ask {
    /// Takes a request apart, its body aside.
    pub(crate) fn new(
        state: Arc<State>,
        session: Session,
        method: Method,
        uri: &http::Uri,
        headers: HeaderMap,
    ) -> Result<Self, Fault> {
        let path = uri.path().strip_prefix(BASE_PATH).unwrap_or_default();
        let place = route::parse(path)?;
        let interaction = place.interaction(&method)?;
        if interaction == Interaction::Operation {
            let operation = place.operation(&state.record.settings().departments)?;
            if method != Method::POST && !operation.only_reads() {
                let what = "the operation changes something; ask for it with POST";
                return Err(Fault::new(&code::NOT_SUPPORTED, what));
            }
        }
        let pairs = match uri.query() {
            Some(query) => decode_query(query)?,
            None => Vec::new(),
        };
        let path = path.to_owned();
        let form = negotiate::form(&headers, one(&pairs, "_format")?, one(&pairs, "_pretty")?)?;
        let body = Bytes::new();
        Ok(Self { state, session, interaction, place, method, path, pairs, form, headers, body })
    }

    /// The bounds of everything.
    pub(crate) fn limits(&self) -> &Limits {
        self.session.limits()
    }

    /// Adds parameters that came in the body.
    pub(crate) fn add_pairs(&mut self, pairs: Vec<(String, String)>) -> Result<(), Fault> {
        self.pairs.extend(pairs);
        let (format, pretty) = (one(&self.pairs, "_format")?, one(&self.pairs, "_pretty")?);
        self.form = negotiate::form(&self.headers, format, pretty)?;
        Ok(())
    }

    /// The type the address names.
    pub(crate) fn resource_type(&self) -> Result<TypeId, Fault> {
        self.place.resource_type.ok_or_else(|| {
            Fault::new(&code::INTERNAL, "the route of an interaction on a type names no type")
        })
    }

    /// The value of a parameter that may stand once.
    pub(crate) fn one(&self, name: &str) -> Result<Option<&str>, Fault> {
        one(&self.pairs, name)
    }

    /// Refuses parameters that mean nothing here, unless the caller asked for leniency.
    pub(crate) fn only(&self, known: &[&str]) -> Result<(), Fault> {
        let strange = self.pairs.iter().find(|(name, _)| {
            !FORM_PARAMETERS.contains(&name.as_str()) && !known.contains(&name.as_str())
        });
        match strange {
            Some((name, _)) if !self.prefer()?.lenient => {
                let what = format!("{} takes no such parameter", self.interaction.name());
                Err(Fault::at(&code::PARAMETER_INVALID, what, name.as_str()))
            }
            _ => Ok(()),
        }
    }

    /// The parameters but those that decide the form of the answer.
    pub(crate) fn criteria(&self) -> Vec<(String, String)> {
        let pairs = self.pairs.iter();
        pairs.filter(|(n, _)| !FORM_PARAMETERS.contains(&n.as_str())).cloned().collect()
    }

    /// Those that decide the form, as the end of a link.
    pub(crate) fn form_suffix(&self) -> String {
        let pairs = self.pairs.iter();
        let kept: Vec<_> =
            pairs.filter(|(n, _)| FORM_PARAMETERS.contains(&n.as_str())).cloned().collect();
        if kept.is_empty() { String::new() } else { format!("&{}", encode_query(&kept)) }
    }

    /// The `Prefer` header.
    pub(crate) fn prefer(&self) -> Result<Prefer, Fault> {
        condition::prefer(&self.headers)
    }

    /// The base address the caller knows, without a slash at its end.
    pub(crate) fn base(&self) -> String {
        if let Some(base) = &self.state.config.base_url {
            return base.clone();
        }
        // The host was checked to be this machine's before anything else.
        let host = self.headers.get(HOST).and_then(|h| h.to_str().ok());
        let scheme = self.state.scheme();
        match host {
            Some(host) => format!("{scheme}://{host}{BASE_PATH}"),
            None => format!("{scheme}://{}{BASE_PATH}", self.state.config.listen),
        }
    }

    /// The address of a version.
    pub(crate) fn version_address(&self, of: TypeId, id: &str, version: u64) -> String {
        format!("{}/{}/{id}/_history/{version}", self.base(), r4().name(of))
    }

    /// The body as a document of FHIR JSON.
    pub(crate) fn document(&mut self) -> Result<Document, Fault> {
        negotiate::require_json(&self.headers)?;
        let body = std::mem::take(&mut self.body);
        Document::parse(Vec::from(body), self.limits())
    }
}

fn one<'p>(pairs: &'p [(String, String)], name: &str) -> Result<Option<&'p str>, Fault> {
    let mut values = pairs.iter().filter(|(n, _)| n == name).map(|(_, v)| v.as_str());
    let first = values.next();
    if values.next().is_some() {
        return Err(Fault::at(&code::PARAMETER_INVALID, "the parameter may stand once", name));
    }
    Ok(first)
}
