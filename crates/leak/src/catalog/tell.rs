//! Families that look for what an answer tells beside its content: pages, links, headers, sizes,
//! refusals; and the other doors to the same records: POST, bundles, operations, GraphQL, export.

use super::{Ask, FAMILIES};
use crate::asker::{Asker, next_link};
use crate::template::expand;
use crate::wire::Request;
use crate::world::{Phase, World};
use serde_json::{Value, json};

/// Entries of one bundle.
const ENTRIES: usize = 40;

pub(super) fn paging(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for pattern in [
        "Observation?_sort=_id&_count=2",
        "Observation?_count=3",
        "Patient?_count=1",
        "Encounter?_count=1",
        "Coverage?_count=1",
        "!Observation?patient={own}&_sort=-date&_count=2",
        "!Observation/_history?_count=2",
    ] {
        for question in expand(pattern, world, 1, &asker.since) {
            let first = asker.get(&question)?;
            asker.follow(first)?;
        }
    }
    Ok(())
}

pub(super) fn lenient(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for pattern in [
        "Observation?nonsense=1&value-quantity=gt9",
        "Patient?_filter=x&family=Zim",
        "Observation?derived-from.nonsense=x",
        "Practitioner?_has:Observation:performer:nonsense=9",
        "Observation?_id={id:Observation}&nonsense={id:Patient}",
    ] {
        for question in expand(pattern, world, asker.effort.queries / 2, &asker.since) {
            asker.ask(Request::get(question).with("prefer", "handling=lenient"))?;
        }
    }
    Ok(())
}

/// Some of every family's questions that are searches.
fn searches(world: &World, asker: &Asker<'_>, each: usize) -> Vec<String> {
    let mut out: Vec<String> = Vec::new();
    for family in FAMILIES.iter().filter(|f| f.phase == Phase::Reads) {
        if let (Ask::Queries(patterns), false) = (family.ask, family.trail) {
            let all = patterns.iter().flat_map(|p| expand(p, world, 2, &asker.since));
            out.extend(all.filter(|question| question.contains('?')).take(each));
        }
    }
    out.retain(|question| !question.contains("/_history"));
    out.dedup();
    out
}

pub(super) fn post_search(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for question in searches(world, asker, asker.effort.queries / 2) {
        let (path, query) = question.split_once('?').unwrap_or((&question, ""));
        if path.contains('/') {
            continue;
        }
        asker.ask(Request::new("POST", format!("{path}/_search")).form(query))?;
    }
    // Half in the address, half in the form.
    for item in world.sample(asker.effort.records / 2) {
        let path = format!("{}/_search?_id={}", item.kind, item.id());
        asker.ask(Request::new("POST", path).form("_count=5"))?;
    }
    Ok(())
}

pub(super) fn search_validator(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for pattern in [
        "Observation?value-quantity=gt9",
        "{type}?_count=2",
        "Practitioner?_has:Observation:performer:code=2345-7",
    ] {
        for question in expand(pattern, world, asker.effort.queries, &asker.since) {
            let since = "Fri, 01 Jan 2100 00:00:00 GMT";
            asker.ask(Request::get(question.clone()).with("if-modified-since", since))?;
            let tag = asker.get(&question)?.header("etag").unwrap_or("W/\"1\"").to_owned();
            asker.ask(Request::get(question.clone()).with("if-none-match", tag))?;
            asker.ask(Request::new("HEAD", question))?;
        }
    }
    Ok(())
}

pub(super) fn encoding(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for pattern in [
        "Observation?_count=50",
        "Patient?_count=50",
        "!Patient/{own}/$everything?_count=200",
        "{type}?_count=5",
    ] {
        for question in expand(pattern, world, 4, &asker.since) {
            for coding in ["gzip", "identity", "gzip;q=0.5, identity;q=0.1"] {
                asker.ask(Request::get(question.clone()).with("accept-encoding", coding))?;
            }
            asker.ask(Request::get(format!(
                "{question}{}_pretty=true",
                if question.contains('?') { '&' } else { '?' }
            )))?;
        }
    }
    Ok(())
}

pub(super) fn error_text(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in world.sample(asker.effort.records) {
        let address = item.address();
        for path in [
            format!("{address}/_history/abc"),
            format!("{address}/_history/99999999999999999999"),
            format!("{address}?nonsense=1"),
            format!("{address}?_elements="),
            format!("{address}/Nonsense"),
            format!("{address}/$nonsense"),
            format!("{}?_id={}&nonsense=1", item.kind, item.id()),
            format!("{}?_id={}&_sort=nonsense", item.kind, item.id()),
            format!("Observation?patient={}&date=nonsense", item.id()),
            format!("{address}?_format=xml"),
        ] {
            asker.get(&path)?;
        }
        // Refused before anything is written, whoever may write.
        let mut broken = Request::new("PUT", address.clone());
        broken.body = b"{\"resourceType\":".to_vec();
        asker.ask(broken.with("content-type", "application/fhir+json"))?;
        let other = json!({ "resourceType": item.kind, "id": "another" });
        asker.ask(Request::new("PUT", address.clone()).json(&other))?;
        asker.ask(Request::new("POST", address).json(&other))?;
    }
    Ok(())
}

pub(super) fn header(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in world.sample(asker.effort.records / 2) {
        let hidden = format!("/fhir/{}", item.address());
        for (name, value) in [
            ("x-tenant-id", "default"),
            ("x-tenant-id", "other"),
            ("x-forwarded-host", "other.example"),
            ("x-forwarded-for", "127.0.0.1"),
            ("x-real-ip", "127.0.0.1"),
            ("x-forwarded-user", "admin"),
            ("x-remote-user", "admin"),
            ("x-original-url", hidden.as_str()),
            ("x-rewrite-url", hidden.as_str()),
            ("x-http-method-override", "DELETE"),
            ("x-security-context", hidden.as_str()),
            ("x-break-glass", "true"),
            ("x-purpose-of-use", "ETREAT"),
            ("prefer", "return=representation"),
            ("cache-control", "only-if-cached"),
        ] {
            asker.ask(Request::get(item.address()).with(name, value))?;
        }
        let own = Request::get(format!("Patient/{}", world.own));
        asker.ask(own.with("x-original-url", hidden))?;
    }
    Ok(())
}

pub(super) fn cursor_taken(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for pattern in [
        "Observation?_sort=_id&_count=2",
        "Patient?_sort=_id&_count=1",
        "Condition?_count=1",
        "!Observation/_history?_count=2",
        "!Patient/{own}/$everything?_count=2",
    ] {
        for question in expand(pattern, world, 1, &asker.since) {
            let seen = asker.admin(Request::get(question))?;
            // The link itself differs between the worlds: it is the administrator's. What the persona
            // makes of it must not.
            match next_link(&seen) {
                Some(next) => take_over(asker, &next)?,
                None => asker.note("no page follows for the administrator", "none"),
            }
        }
    }
    Ok(())
}

/// Follows somebody else's link, saying so in place of the link.
fn take_over(asker: &mut Asker<'_>, next: &str) -> anyhow::Result<()> {
    asker.get(next)?;
    asker.rename_last("GET ‹a page link of the administrator›");
    Ok(())
}

pub(super) fn cursor_bent(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for pattern in ["Observation?_sort=_id&_count=2", "!Observation?patient={own}&_count=2"] {
        for question in expand(pattern, world, 1, &asker.since) {
            let first = asker.get(&question)?;
            let Some(next) = next_link(&first) else { continue };
            let flip = |at: usize| -> String {
                let swap = |(n, c): (usize, char)| {
                    if n == at { if c == 'A' { 'B' } else { 'A' } } else { c }
                };
                next.chars().enumerate().map(swap).collect()
            };
            let length = next.chars().count();
            let cut: String = next.chars().take(length.saturating_sub(3)).collect();
            let bent = [
                flip(length.saturating_sub(1)),
                flip(length.saturating_sub(8)),
                flip(length / 2 + 20),
                cut,
                format!("{next}&patient={}", world.never()),
                format!("{next}&_count=1000"),
            ];
            for (number, link) in (1..).zip(bent) {
                asker.get(&link)?;
                asker.rename_last(&format!("GET ‹a page link, bent in way {number}›"));
            }
        }
    }
    Ok(())
}

pub(super) fn token(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    let wrong = [
        None,
        Some("wrong"),
        Some(""),
        Some("eyJhbGciOiJub25lIn0.eyJzdWIiOiJhZG1pbiJ9."),
        Some("plm_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"),
    ];
    for token in wrong {
        for item in world.sample(asker.effort.records / 2) {
            let paths = [item.address(), format!("{}?_id={}", item.kind, item.id())];
            for path in paths {
                let mut request = Request::get(path);
                request.token = token.map(str::to_owned);
                asker.ask_with(&request)?;
            }
        }
        let mut request = Request::get("Observation?value-quantity=gt9&_summary=count");
        request.token = token.map(str::to_owned);
        asker.ask_with(&request)?;
    }
    for item in world.sample(asker.effort.records / 2) {
        for value in ["Basic YWRtaW46YWRtaW4=", "bearer", "Bearer  ", "Negotiate x"] {
            asker.ask_with(&Request::get(item.address()).with("authorization", value))?;
        }
        asker.ask_with(&Request::get(format!("{}?access_token=wrong", item.address())))?;
    }
    Ok(())
}

fn entries(world: &World, asker: &Asker<'_>) -> Vec<Value> {
    let mut urls: Vec<String> = Vec::new();
    for item in world.sample(asker.effort.records) {
        let address = item.address();
        urls.push(format!("{address}/_history/1"));
        urls.push(format!("{address}/_history"));
        urls.push(address);
    }
    urls.push(format!("Patient/{}/$everything", world.own));
    urls.extend(searches(world, asker, asker.effort.queries / 2));
    let entry = |url: String| json!({ "request": { "method": "GET", "url": url } });
    urls.into_iter().map(entry).collect()
}

pub(super) fn batch(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    let all = entries(world, asker);
    for chunk in all.chunks(ENTRIES) {
        let bundle = json!({ "resourceType": "Bundle", "type": "batch", "entry": chunk });
        asker.ask(Request::new("POST", "").json(&bundle))?;
    }
    Ok(())
}

pub(super) fn transaction(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    // One that fails fails all, so each goes alone, beside one that may succeed.
    let own = json!({ "request": { "method": "GET", "url": format!("Patient/{}", world.own) } });
    let all = entries(world, asker);
    let step = (all.len() / (asker.effort.records * 2)).max(1);
    for entry in all.iter().step_by(step) {
        let bundle =
            json!({ "resourceType": "Bundle", "type": "transaction", "entry": [entry, own] });
        asker.ask(Request::new("POST", "").json(&bundle))?;
    }
    Ok(())
}

pub(super) fn operation(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for pattern in [
        "!Observation/$lastn?patient={own}&max=3",
        "!Observation/$lastn?patient={id:Patient}",
        "!Observation/$stats?subject=Patient/{own}&statistic=count&code=2345-7&system=http://loinc.org",
        "!Patient/{own}/$summary",
        "!Patient/{id:Patient}/$summary",
        "!Patient/{id:Patient}/$meta",
        "!Observation/{id:Observation}/$meta",
        "!Observation/$meta",
        "!$meta",
        "!Patient/$everything?_count=50",
        "!List/$find?patient={id:Patient}&name=current-problems",
        "!DocumentReference/$docref?patient={id:Patient}",
        "!Composition/{id:Composition}/$document",
        "!ValueSet/$expand?url=http://leak.example/zinnia",
    ] {
        for question in expand(pattern, world, asker.effort.queries, &asker.since) {
            asker.get(&question)?;
        }
    }
    for family in ["Amberley", "Zimmerly"] {
        let who = json!({ "resourceType": "Patient", "name": [{ "family": family }] });
        let body = json!({ "resourceType": "Parameters", "parameter": [
            { "name": "resource", "resource": who },
            { "name": "onlyCertainMatches", "valueBoolean": false },
        ]});
        asker.ask(Request::new("POST", "Patient/$match").json(&body))?;
    }
    for item in world.sample(asker.effort.records / 2) {
        let body = json!({ "resourceType": "Parameters", "parameter": [] });
        let path = format!("{}/$validate", item.address());
        asker.ask(Request::new("POST", path).json(&body))?;
    }
    Ok(())
}

pub(super) fn graphql(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    let mut asked = vec![
        "{PatientList(family:\"Zim\"){id name{family}}}".to_owned(),
        "{ObservationList(code:\"2345-7\"){id}}".to_owned(),
        format!(
            "{{Practitioner(id:\"{}-dr\"){{id ObservationList(_reference:performer){{id}}}}}}",
            world.prefix
        ),
    ];
    for item in world.sample(asker.effort.records / 2) {
        asked.push(format!("{{{}(id:\"{}\"){{id}}}}", item.kind, item.id()));
    }
    for query in asked {
        let encoded = conformance::http::encode_query(&query);
        asker.get(&format!("$graphql?query={encoded}"))?;
        asker.ask(Request::new("POST", "$graphql").json(&json!({ "query": query })))?;
    }
    Ok(())
}

pub(super) fn export(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for pattern in [
        "!$export?_type=Observation",
        "!Patient/$export?_type=Observation",
        "!Patient/$export?patient={id:Patient}",
        "!Patient/$export?_typeFilter=Observation?value-quantity=gt9",
        "!Group/{never}/$export",
    ] {
        for question in expand(pattern, world, 4, &asker.since) {
            asker.ask(Request::get(question).with("prefer", "respond-async"))?;
        }
    }
    Ok(())
}
