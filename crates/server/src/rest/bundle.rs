//! `POST [base]` of a batch or a transaction (<https://hl7.org/fhir/R4/http.html#transaction>).

use crate::ask::Ask;
use crate::bundle::{self, Links};
use crate::condition::{Return, etag};
use crate::reply::Reply;
use base::Fault;
use fhir::definitions::r4;
use fhir::outcome;
use fhir::write::Writer;
use fhir::{Document, Value};
use http::StatusCode;
use record::{Answer, BundleAnswer, BundleOptions, Content, Found, Place, SearchHow};
use search::parse::encode_query;
use std::sync::Arc;
use tokio::runtime::Handle;

/// Bytes of an entry's answer without its resource, about.
const ENTRY_BYTES: usize = 256;

/// Carries out a bundle and answers each entry in its place.
pub(crate) async fn answer(mut ask: Ask) -> Result<Reply, Fault> {
    ask.only(&[])?;
    let prefer = ask.prefer()?;
    let base = ask.base();
    let options = BundleOptions {
        representation: prefer.answer == Some(Return::Representation),
        outcome: prefer.answer == Some(Return::Outcome),
        how: SearchHow { lenient: prefer.lenient, base_url: Some(base.clone()) },
    };
    let (state, runtime) = (Arc::clone(&ask.state), Handle::current());
    state
        .on_pool(move || {
            let document = ask.document()?;
            let urls = urls(&document);
            let done = runtime.block_on(ask.session.bundle(document, options))?;
            let body = write(&ask, &base, &done, &urls)?;
            Ok(Reply::resource(StatusCode::OK, ask.form, body))
        })
        .await
}

/// The addresses of the entries that read, for the links of what they find.
fn urls(document: &Document) -> Vec<String> {
    let entries = document.root().get("entry");
    let url = |entry: Value<'_>| {
        let request = entry.get("request")?;
        let reads = request.get_str("method").is_some_and(|m| m == "GET");
        reads.then(|| request.get_str("url").unwrap_or_default().into_owned())
    };
    entries.map_or_else(Vec::new, |e| e.items().map(|e| url(e).unwrap_or_default()).collect())
}

fn write(ask: &Ask, base: &str, done: &BundleAnswer, urls: &[String]) -> Result<Vec<u8>, Fault> {
    let size = done.entries.iter().map(|entry| match &entry.content {
        Content::Resource(hit) => hit.body.len() + ENTRY_BYTES,
        Content::None | Content::Found(_) | Content::History(_) => ENTRY_BYTES,
    });
    let mut w = Writer::onto(Vec::with_capacity(size.sum::<usize>() + 256));
    bundle::head(
        &mut w,
        ask,
        if done.transaction { "transaction-response" } else { "batch-response" },
    );
    if !done.entries.is_empty() {
        w.key("entry").array();
        for (at, entry) in done.entries.iter().enumerate() {
            let url = urls.get(at).map_or("", String::as_str);
            write_entry(&mut w, ask, base, entry, url)?;
        }
        w.end_array();
    }
    w.end_object();
    Ok(w.finish())
}

fn write_entry(
    w: &mut Writer,
    ask: &Ask,
    base: &str,
    entry: &Answer,
    url: &str,
) -> Result<(), Fault> {
    w.object();
    match &entry.content {
        Content::None => {}
        Content::Resource(hit) => {
            bundle::full_url(w, base, hit);
            w.key("resource").raw(&hit.body);
        }
        Content::Found(found) => {
            let body = bundle::searchset(ask, base, found, &found_links(base, url, found))?;
            w.key("resource").raw(&body);
        }
        Content::History(page) => {
            let links = Links { this: format!("{base}/{url}"), ..Links::default() };
            let body = bundle::history(ask, page, &crate::subset::Part::Whole, &links)?;
            w.key("resource").raw(&body);
        }
    }
    w.key("response").object().member("status", &status_text(entry.status));
    if let Some(Place { resource_type, id, version }) = &entry.place {
        let name = r4().name(*resource_type);
        w.member("location", &format!("{base}/{name}/{id}/_history/{version}"));
        w.member("etag", &etag(*version));
    }
    if let Some(at) = entry.last_modified {
        w.member("lastModified", &at.to_instant());
    }
    if !entry.issues.is_empty() {
        w.key("outcome").raw(&outcome::operation_outcome(&entry.issues));
    }
    w.end_object().end_object();
    Ok(())
}

fn found_links(base: &str, url: &str, found: &Found) -> Links {
    let path = url.split('?').next().unwrap_or_default();
    let to = |cursor: &String| format!("{base}/{path}?_cursor={cursor}");
    let query = encode_query(&found.search.understood);
    Links {
        this: if query.is_empty() {
            format!("{base}/{path}")
        } else {
            format!("{base}/{path}?{query}")
        },
        first: Some(to(&found.first)),
        previous: found.previous.as_ref().map(to),
        next: found.next.as_ref().map(to),
    }
}

/// `201 Created`
fn status_text(status: u16) -> String {
    let reason = StatusCode::from_u16(status).ok().and_then(|s| s.canonical_reason());
    match reason {
        Some(reason) => format!("{status} {reason}"),
        None => status.to_string(),
    }
}
