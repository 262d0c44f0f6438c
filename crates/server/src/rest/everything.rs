//! `GET [base]/Patient/[id]/$everything` and the same of an Encounter
//! (<https://hl7.org/fhir/R4/patient-operation-everything.html>).

use crate::ask::Ask;
use crate::bundle;
use crate::reply::Reply;
use crate::rest::search;
use base::Fault;
use http::StatusCode;
use record::{EverythingParams, SearchHow};
use std::sync::Arc;

/// Answers a page of a patient's, or an encounter's, whole record.
pub(crate) async fn answer(ask: Ask) -> Result<Reply, Fault> {
    let of = ask.resource_type()?;
    let base = ask.base();
    let how = SearchHow { lenient: ask.prefer()?.lenient, base_url: Some(base.clone()) };
    let state = Arc::clone(&ask.state);
    let (ticket, form, body, steps) = state
        .on_pool(move || {
            let params = EverythingParams { pairs: ask.pairs.clone() };
            let audited = ask.session.everything(of, &ask.place.id, params, &how)?;
            let links = search::links(&ask, &audited.value, false);
            let body = bundle::searchset(&ask, &base, &audited.value, &links)?;
            Ok((audited.ticket, ask.form, body, audited.value.page.explain.steps))
        })
        .await?;
    ticket.written().await?;
    Ok(Reply::resource(StatusCode::OK, form, body).cost(steps))
}
