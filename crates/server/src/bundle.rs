//! Bundles the server answers with, written byte by byte: stored bodies are spliced in as they are,
//! read again only when a part of them is asked for (<https://hl7.org/fhir/R4/bundle.html>).

use crate::ask::Ask;
use crate::condition::etag;
use crate::subset::Part;
use base::id::uuid_text;
use base::{Fault, Limits};
use fhir::definitions::r4;
use fhir::outcome;
use fhir::write::Writer;
use record::{Found, HistoryPage, Hit, Method};
use search::query::{Search, Summary};

/// The links of a page.
#[derive(Debug, Default)]
pub(crate) struct Links {
    /// The page itself.
    pub(crate) this: String,
    /// The first page.
    pub(crate) first: Option<String>,
    /// The page before.
    pub(crate) previous: Option<String>,
    /// The page after.
    pub(crate) next: Option<String>,
}

/// Bytes of an entry around its resource, about.
const ENTRY_BYTES: usize = 192;

/// The bundle of a page of a search.
pub(crate) fn searchset(
    ask: &Ask,
    base: &str,
    found: &Found,
    links: &Links,
) -> Result<Vec<u8>, Fault> {
    let (page, search) = (&found.page, &found.search);
    let bodies = page.matches.iter().chain(&page.included);
    let size: usize = bodies.map(|hit| hit.body.len() + ENTRY_BYTES).sum();
    let mut w = Writer::onto(Vec::with_capacity(size + 1024));
    head(&mut w, ask, "searchset");
    if let Some(total) = page.total {
        w.key("total").integer(i64::try_from(total).unwrap_or(i64::MAX));
    }
    write_links(&mut w, links);
    let part = part_of(search);
    if search.summary != Summary::Count {
        w.key("entry").array();
        for (hits, mode) in [(&page.matches, "match"), (&page.included, "include")] {
            for hit in hits {
                w.object();
                full_url(&mut w, base, hit);
                resource(&mut w, hit, &part, ask.limits())?;
                w.key("search").object().member("mode", mode).end_object().end_object();
            }
        }
        remarks(&mut w, found);
        w.end_array();
    }
    w.end_object();
    Ok(without_empty_entry(w.finish()))
}

/// The bundle of a page of history.
pub(crate) fn history(
    ask: &Ask,
    page: &HistoryPage,
    part: &Part,
    links: &Links,
) -> Result<Vec<u8>, Fault> {
    let base = ask.base();
    let size: usize = page.versions.iter().map(|hit| hit.body.len() + 2 * ENTRY_BYTES).sum();
    let mut w = Writer::onto(Vec::with_capacity(size + 1024));
    head(&mut w, ask, "history");
    if let Some(total) = page.total {
        w.key("total").integer(i64::try_from(total).unwrap_or(i64::MAX));
    }
    write_links(&mut w, links);
    w.key("entry").array();
    for hit in &page.versions {
        w.object();
        full_url(&mut w, &base, hit);
        if !hit.deleted {
            resource(&mut w, hit, part, ask.limits())?;
        }
        let name = r4().name(hit.resource_type);
        let (method, url, status) = match hit.method {
            Method::Create => ("POST", name.to_owned(), "201 Created"),
            Method::Update if hit.version == 1 => {
                ("PUT", format!("{name}/{}", hit.id), "201 Created")
            }
            Method::Update => ("PUT", format!("{name}/{}", hit.id), "200 OK"),
            Method::Delete => ("DELETE", format!("{name}/{}", hit.id), "204 No Content"),
        };
        w.key("request").object().member("method", method).member("url", &url).end_object();
        w.key("response").object().member("status", status).member("etag", &etag(hit.version));
        w.member("lastModified", &hit.last_updated.to_instant()).end_object().end_object();
    }
    w.end_array().end_object();
    Ok(without_empty_entry(w.finish()))
}

/// The members every bundle begins with.
pub(crate) fn head(w: &mut Writer, ask: &Ask, kind: &str) {
    w.object().member("resourceType", "Bundle").member("id", &uuid_text(&ask.session.request()));
    w.key("meta").object().member("lastUpdated", &ask.session.now().to_instant()).end_object();
    w.member("type", kind);
}

/// The links of a page.
pub(crate) fn write_links(w: &mut Writer, links: &Links) {
    w.key("link").array();
    let others = [("first", &links.first), ("previous", &links.previous), ("next", &links.next)];
    w.object().member("relation", "self").member("url", &links.this).end_object();
    for (relation, url) in others {
        if let Some(url) = url {
            w.object().member("relation", relation).member("url", url).end_object();
        }
    }
    w.end_array();
}

/// The address of an entry's resource.
pub(crate) fn full_url(w: &mut Writer, base: &str, hit: &Hit) {
    let name = r4().name(hit.resource_type);
    let mut url = String::with_capacity(base.len() + name.len() + hit.id.len() + 2);
    url.push_str(base);
    url.push('/');
    url.push_str(name);
    url.push('/');
    url.push_str(&hit.id);
    w.member("fullUrl", &url);
}

fn resource(w: &mut Writer, hit: &Hit, part: &Part, limits: &Limits) -> Result<(), Fault> {
    w.key("resource");
    if *part == Part::Whole {
        w.raw(&hit.body);
        return Ok(());
    }
    let mut out = Vec::with_capacity(hit.body.len());
    part.write(&hit.body, limits, &mut out)?;
    w.raw(&out);
    Ok(())
}

fn part_of(search: &Search) -> Part {
    match search.summary {
        Summary::True => Part::Summary,
        Summary::Text => Part::Text,
        Summary::Data => Part::Data,
        Summary::False | Summary::Count if search.elements.is_empty() => Part::Whole,
        Summary::False | Summary::Count => Part::Elements(search.elements.clone()),
    }
}

/// What there is to say about the search itself: what was left out, and how it was carried out.
fn remarks(w: &mut Writer, found: &Found) {
    if !found.search.ignored.is_empty() {
        outcome_entry(w, &outcome::operation_outcome(&found.search.ignored));
    }
    if found.search.explain {
        let explain = &found.page.explain;
        let mut o = Writer::new();
        o.object().member("resourceType", "OperationOutcome").key("issue").array();
        let steps = format!("{} steps", explain.steps);
        for line in explain.plan.iter().chain([&steps]) {
            o.object().member("severity", "information").member("code", "informational");
            o.member("diagnostics", line).end_object();
        }
        o.end_array().end_object();
        outcome_entry(w, &o.finish());
    }
}

fn outcome_entry(w: &mut Writer, outcome: &[u8]) {
    w.object().key("resource").raw(outcome);
    w.key("search").object().member("mode", "outcome").end_object().end_object();
}

/// FHIR JSON allows no empty array; an empty page has no entries at all.
fn without_empty_entry(mut out: Vec<u8>) -> Vec<u8> {
    const EMPTY: &[u8] = b",\"entry\":[]}";
    if out.ends_with(EMPTY) {
        out.truncate(out.len() - EMPTY.len());
        out.push(b'}');
    }
    out
}
