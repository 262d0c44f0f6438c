//! Searches: `GET [base]/[type]?…`, `POST …/_search`, of the system and of compartments
//! (<https://hl7.org/fhir/R4/search.html>). Links of a posted search carry no parameter but the
//! sealed cursor, so what was kept out of the address stays out of it.

use crate::ask::Ask;
use crate::bundle::{self, Links};
use crate::negotiate::body_type;
use crate::reply::Reply;
use base::Fault;
use base::error::code;
use http::{Method, StatusCode};
use record::{Found, Level, SearchHow};
use search::parse::{decode_query, encode_query};
use std::sync::Arc;

/// Answers a page of what is found.
pub(crate) async fn answer(mut ask: Ask) -> Result<Reply, Fault> {
    let posted = ask.method == Method::POST;
    if posted {
        let pairs = form_pairs(&ask)?;
        ask.add_pairs(pairs)?;
        if let Some((before, _)) = ask.path.rsplit_once("/_search") {
            ask.path.truncate(before.len());
        }
    }
    let lenient = ask.prefer()?.lenient;
    if !ask.state.config.explain && ask.pairs.iter().any(|(name, _)| name == "_explain") {
        let what = "_explain is switched off; the setting explain switches it on";
        return Err(Fault::at(&code::SEARCH_PARAMETER_UNKNOWN, what, "_explain"));
    }
    let level = level(&ask)?;
    let base = ask.base();
    let how = SearchHow { lenient, base_url: Some(base.clone()) };
    let state = Arc::clone(&ask.state);
    let (ticket, form, body, steps) = state
        .on_pool(move || {
            let audited = ask.session.search(level, ask.pairs.clone(), &how)?;
            let links = links(&ask, &audited.value, posted);
            let body = bundle::searchset(&ask, &base, &audited.value, &links)?;
            Ok((audited.ticket, ask.form, body, audited.value.page.explain.steps))
        })
        .await?;
    ticket.written().await?;
    Ok(Reply::resource(StatusCode::OK, form, body).cost(steps))
}

/// The links of a page of a search or of `$everything`.
pub(super) fn links(ask: &Ask, found: &Found, posted: bool) -> Links {
    let address = format!("{}{}", ask.base(), ask.path.trim_end_matches('/'));
    let suffix = ask.form_suffix();
    let to = |cursor: &String| format!("{address}?_cursor={cursor}{suffix}");
    let this = match encode_query(&found.search.understood) {
        query if !posted && !query.is_empty() => format!("{address}?{query}"),
        _ => address.clone(),
    };
    Links {
        this,
        first: Some(to(&found.first)),
        previous: found.previous.as_ref().map(to),
        next: found.next.as_ref().map(to),
    }
}

fn level(ask: &Ask) -> Result<Level, Fault> {
    use crate::route::Shape;
    Ok(match ask.place.shape {
        Shape::Compartment | Shape::CompartmentSearch => Level::Compartment {
            focus_type: ask.resource_type()?,
            id: ask.place.id.clone(),
            of: ask.place.member,
        },
        Shape::Type | Shape::TypeSearch => Level::Type(ask.resource_type()?),
        _ => Level::System,
    })
}

/// The parameters of a search that is posted.
pub(super) fn form_pairs(ask: &Ask) -> Result<Vec<(String, String)>, Fault> {
    if ask.body.is_empty() {
        return Ok(Vec::new());
    }
    if body_type(&ask.headers)? != "application/x-www-form-urlencoded" {
        let what = "a search is posted as application/x-www-form-urlencoded";
        return Err(Fault::at(&code::UNSUPPORTED_MEDIA, what, "Content-Type"));
    }
    match std::str::from_utf8(&ask.body) {
        Ok(text) => decode_query(text.trim_end()),
        Err(_) => Err(Fault::new(&code::PARAMETER_INVALID, "the parameters are not UTF-8")),
    }
}
