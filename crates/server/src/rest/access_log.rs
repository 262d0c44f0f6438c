//! `GET [base]/AuditEvent?…`, `GET [base]/AuditEvent/log-17`, `GET [base]/Patient/[id]/AuditEvent`: the
//! access log, told as `AuditEvent`s (<https://hl7.org/fhir/R4/auditevent.html>; IHE Basic Audit,
//! ITI-81). What clients stored as `AuditEvent` is read by its own id, as any record.

use crate::ask::Ask;
use crate::bundle;
use crate::reply::Reply;
use crate::rest::search::form_pairs;
use crate::route::{Interaction, Shape};
use base::Fault;
use base::error::code;
use fhir::definitions::r4;
use fhir::write::Writer;
use http::{Method, StatusCode};
use record::{LogPage, is_log_id};
use search::parse::encode_query;
use std::sync::Arc;

const AUDIT_EVENT: &str = "AuditEvent";

/// Whether the log is asked, and not the store.
pub(crate) fn is_asked(ask: &Ask) -> bool {
    let is = |of: Option<_>| of.is_some_and(|of| r4().name(of) == AUDIT_EVENT);
    match ask.interaction {
        Interaction::SearchType => is(ask.place.resource_type),
        Interaction::SearchCompartment => is(ask.place.member),
        Interaction::Read => is(ask.place.resource_type) && is_log_id(&ask.place.id),
        _ => false,
    }
}

/// Answers a page of the log, or one event of it.
pub(crate) async fn answer(mut ask: Ask) -> Result<Reply, Fault> {
    if ask.interaction == Interaction::Read {
        ask.only(&[])?;
        let state = Arc::clone(&ask.state);
        let form = ask.form;
        let audited = state.on_pool(move || ask.session.access_log_event(&ask.place.id)).await?;
        return Ok(Reply::resource(StatusCode::OK, form, audited.into_inner().await?));
    }
    let posted = ask.method == Method::POST;
    if posted {
        let pairs = form_pairs(&ask)?;
        ask.add_pairs(pairs)?;
        if let Some((before, _)) = ask.path.rsplit_once("/_search") {
            ask.path.truncate(before.len());
        }
    }
    let mut pairs = ask.criteria();
    if matches!(ask.place.shape, Shape::Compartment | Shape::CompartmentSearch) {
        if ask.resource_type().map(|of| r4().name(of))? != "Patient" {
            let what = "the access log is told of a patient's compartment alone";
            return Err(Fault::new(&code::NOT_SUPPORTED, what));
        }
        pairs.push(("patient".to_owned(), ask.place.id.clone()));
    }
    let state = Arc::clone(&ask.state);
    let (ticket, form, body) = state
        .on_pool(move || {
            let audited = ask.session.access_log(&pairs)?;
            Ok((audited.ticket, ask.form, page(&ask, &audited.value)))
        })
        .await?;
    ticket.written().await?;
    Ok(Reply::resource(StatusCode::OK, form, body))
}

fn page(ask: &Ask, page: &LogPage) -> Vec<u8> {
    let base = ask.base();
    let address = format!("{base}{}", ask.path.trim_end_matches('/'));
    let with = |pairs: &[(String, String)]| {
        let query = encode_query(pairs);
        if query.is_empty() { address.clone() } else { format!("{address}?{query}") }
    };
    let mut others = ask.pairs.clone();
    others.retain(|(name, _)| name != "_cursor");
    let mut links = bundle::Links { this: with(&ask.pairs), ..bundle::Links::default() };
    if let Some(next) = &page.next {
        others.push(("_cursor".to_owned(), next.clone()));
        links.next = Some(with(&others));
    }
    let mut w = Writer::new();
    bundle::head(&mut w, ask, "searchset");
    bundle::write_links(&mut w, &links);
    if !page.events.is_empty() {
        w.key("entry").array();
        for (id, body) in &page.events {
            w.object().member("fullUrl", &format!("{base}/{AUDIT_EVENT}/{id}"));
            w.key("resource").raw(body);
            w.key("search").object().member("mode", "match").end_object().end_object();
        }
        w.end_array();
    }
    w.end_object();
    w.finish()
}
