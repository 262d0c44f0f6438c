//! `GET …/_history` of a resource, a type or the system, newest first
//! (<https://hl7.org/fhir/R4/http.html#history>). A page link holds, sealed, the place its page
//! begins behind.

use crate::ask::Ask;
use crate::bundle::{self, Links};
use crate::reply::Reply;
use crate::route::Shape;
use crate::subset::Part;
use base::error::code;
use base::{Fault, Millis};
use http::StatusCode;
use record::HistoryQuery;
use search::parse::encode_query;
use std::sync::Arc;

const KNOWN: [&str; 6] = ["_since", "_at", "_count", "_cursor", "_summary", "_elements"];

/// Answers a page of versions.
pub(crate) async fn answer(ask: Ask) -> Result<Reply, Fault> {
    ask.only(&KNOWN)?;
    let query = query(&ask)?;
    let part = Part::read(ask.one("_summary")?, ask.one("_elements")?)?;
    let state = Arc::clone(&ask.state);
    let (ticket, form, body) = state
        .on_pool(move || {
            let audited = ask.session.history(query)?;
            let links = links(&ask, audited.value.next);
            let body = bundle::history(&ask, &audited.value, &part, &links)?;
            Ok((audited.ticket, ask.form, body))
        })
        .await?;
    ticket.written().await?;
    Ok(Reply::resource(StatusCode::OK, form, body))
}

fn query(ask: &Ask) -> Result<HistoryQuery, Fault> {
    let span = |name: &str| match ask.one(name)? {
        None => Ok(None),
        Some(text) => match fhir::date::parse(text) {
            Some(range) => Ok(Some((Millis(range.low), Millis(range.high)))),
            None => Err(refused(name, "the value is a date or an instant")),
        },
    };
    let number = |name: &str| match ask.one(name)? {
        None => Ok(None),
        Some(text) => match text.parse::<u64>() {
            Ok(number) => Ok(Some(number)),
            Err(_) => Err(refused(name, "the value is a number")),
        },
    };
    let count = match number("_count")? {
        Some(0) => return Err(refused("_count", "a page has at least one version")),
        Some(count) => usize::try_from(count).unwrap_or(usize::MAX),
        None => 0,
    };
    let instance = ask.place.shape == Shape::InstanceHistory;
    Ok(HistoryQuery {
        resource_type: ask.place.resource_type,
        id: instance.then(|| ask.place.id.clone()),
        since: span("_since")?.map(|(low, _)| low),
        at: span("_at")?,
        count,
        before: ask.one("_cursor")?.map(|link| ask.session.history_begin(link)).transpose()?,
    })
}

fn links(ask: &Ask, next: Option<u64>) -> Links {
    let address = format!("{}{}", ask.base(), ask.path.trim_end_matches('/'));
    let with = |pairs: &[(String, String)]| {
        let query = encode_query(pairs);
        if query.is_empty() { address.clone() } else { format!("{address}?{query}") }
    };
    let mut others = ask.pairs.clone();
    others.retain(|(name, _)| name != "_cursor");
    let first = with(&others);
    let next = next.map(|before| {
        let mut pairs = others.clone();
        pairs.push(("_cursor".to_owned(), ask.session.history_link(before)));
        with(&pairs)
    });
    Links { this: with(&ask.pairs), first: Some(first), previous: None, next }
}

fn refused(name: &str, what: &str) -> Fault {
    Fault::at(&code::PARAMETER_INVALID, what, name)
}
