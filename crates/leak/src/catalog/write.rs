//! Families that write. What the persona creates is named for the round, and taken away after each
//! family; hidden records are looked after when all is done (`crate::run`), since a write that reaches
//! one is worse than a leak.

use crate::asker::Asker;
use crate::body::{AFTER, BEFORE, SYSTEM, body, set, to};
use crate::mask;
use crate::wire::Request;
use crate::world::{Item, Side, World};
use conformance::http::encode_query;
use serde_json::{Value, json};

/// Types the persona writes its own records of.
const KINDS: [&str; 4] = ["Observation", "Condition", "DocumentReference", "Coverage"];

/// A record of the persona's own patient, without an id, under an identifier of this round.
fn own(world: &World, kind: &str, name: &str) -> Value {
    let id = world.scratch(name);
    let mut body = world.own_body(kind, &id);
    if let Some(members) = body.as_object_mut() {
        members.remove("id");
        members.remove("meta");
    }
    set(&mut body, "identifier", json!([{ "system": SYSTEM, "value": id }]));
    body
}

/// The same under a given id.
fn own_as(world: &World, item: &Item, name: &str) -> Value {
    let mut body = own(world, item.kind, name);
    set(&mut body, "id", json!(item.id()));
    body
}

fn written<'w>(world: &'w World, asker: &Asker<'_>) -> Vec<&'w Item> {
    let mut all: Vec<&Item> = world.hidden("*").filter(|i| KINDS.contains(&i.kind)).collect();
    // Round the types and fates, so that the first few are of all kinds.
    let step = (all.len() / asker.effort.records.max(1)).max(1);
    all = all.into_iter().step_by(step).collect();
    all
}

fn condition(item: &Item, side: Side) -> String {
    encode_query(&format!("identifier={SYSTEM}|{}", item.identifier(side)))
}

pub(super) fn if_none_exist(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for (n, item) in written(world, asker).into_iter().enumerate() {
        for side in [Side::A, Side::B] {
            let name = format!("ine{n}{side:?}");
            let request = Request::new("POST", item.kind).json(&own(world, item.kind, &name));
            asker.ask(request.with("if-none-exist", condition(item, side)))?;
        }
    }
    // By a value rather than a name: a search in disguise.
    for (n, query) in ["value-quantity=gt9", "code=2345-7", "date=lt2021"].into_iter().enumerate() {
        let body = own(world, "Observation", &format!("inv{n}"));
        let request = Request::new("POST", "Observation").json(&body);
        asker.ask(request.with("if-none-exist", encode_query(query)))?;
    }
    Ok(())
}

pub(super) fn same_identifier(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in written(world, asker) {
        let mut body = own(world, item.kind, "same");
        let value = item.identifier(Side::B);
        set(&mut body, "identifier", json!([{ "system": SYSTEM, "value": value }]));
        asker.ask(Request::new("POST", item.kind).json(&body))?;
    }
    Ok(())
}

pub(super) fn client_id(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for (n, item) in written(world, asker).into_iter().enumerate() {
        let body = own_as(world, item, &format!("cid{n}"));
        asker.ask(Request::new("PUT", item.address()).json(&body).with("if-none-match", "*"))?;
        asker.get(&item.address())?;
        let mut posted = own(world, item.kind, &format!("cip{n}"));
        set(&mut posted, "id", json!(item.id()));
        asker.ask(Request::new("POST", item.kind).json(&posted))?;
    }
    Ok(())
}

pub(super) fn conditional_update(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for (n, item) in written(world, asker).into_iter().enumerate() {
        for side in [Side::A, Side::B] {
            let path = format!("{}?{}", item.kind, condition(item, side));
            let body = own(world, item.kind, &format!("cup{n}{side:?}"));
            asker.ask(Request::new("PUT", path).json(&body))?;
        }
    }
    let body = own(world, "Observation", "cuv");
    asker.ask(Request::new("PUT", "Observation?value-quantity=gt9&code=2345-7").json(&body))?;
    Ok(())
}

pub(super) fn conditional_delete(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in written(world, asker) {
        for side in [Side::A, Side::B] {
            let path = format!("{}?{}", item.kind, condition(item, side));
            asker.ask(Request::new("DELETE", path))?;
        }
    }
    Ok(())
}

pub(super) fn conditional_reference(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for (n, item) in written(world, asker).into_iter().enumerate() {
        let mut body = own(world, "Observation", &format!("cre{n}"));
        let target = format!("{}?{}", item.kind, condition(item, Side::B));
        let member = if item.kind == "Observation" { "derivedFrom" } else { "focus" };
        set(&mut body, member, json!([{ "reference": target }]));
        let entry = json!({ "fullUrl": format!("urn:uuid:00000000-0000-4000-8000-{n:012}"),
            "resource": body, "request": { "method": "POST", "url": "Observation" } });
        let bundle = json!({ "resourceType": "Bundle", "type": "transaction", "entry": [entry] });
        asker.ask(Request::new("POST", "").json(&bundle))?;
    }
    Ok(())
}

pub(super) fn reference(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for (n, item) in written(world, asker).into_iter().enumerate() {
        let mut body = own(world, "Observation", &format!("ref{n}"));
        let member = if item.kind == "Observation" { "derivedFrom" } else { "focus" };
        set(&mut body, member, json!([to(item.kind, item.id())]));
        asker.ask(Request::new("POST", "Observation").json(&body))?;
    }
    // What would be about a hidden patient.
    for (n, item) in world.hidden("Patient").enumerate() {
        let mut body = own(world, "Observation", &format!("rep{n}"));
        set(&mut body, "subject", to("Patient", item.id()));
        asker.ask(Request::new("POST", "Observation").json(&body))?;
    }
    Ok(())
}

pub(super) fn delete_conflict(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    let Some(hidden) = world.hidden("Observation").next() else { return Ok(()) };
    let scratch = world.scratch("pointed");
    let visible = world.own_body("Observation", &scratch);
    asker.admin(Request::new("PUT", format!("Observation/{scratch}")).json(&visible))?;
    let pointing = world.scratch("pointing");
    let address = format!("Observation/{pointing}");
    if asker.second {
        // Hidden as the other is hidden: its body, under another name, pointing at the visible one.
        let mut body = hidden.body(Side::B).or_else(|| hidden.body(Side::A)).unwrap_or_default();
        set(&mut body, "id", json!(pointing));
        set(&mut body, "derivedFrom", json!([to("Observation", &scratch)]));
        asker.admin(Request::new("PUT", address.clone()).json(&body))?;
    }
    asker.ask(Request::new("DELETE", format!("Observation/{scratch}")))?;
    asker.get(&format!("Observation/{scratch}"))?;
    if asker.second {
        asker.admin(Request::new("DELETE", address))?;
    }
    asker.admin(Request::new("DELETE", format!("Observation/{scratch}")))?;
    Ok(())
}

pub(super) fn update(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for (n, item) in written(world, asker).into_iter().enumerate() {
        let body = own_as(world, item, &format!("upd{n}"));
        let plain = Request::new("PUT", item.address()).json(&body);
        for version in ["1", "2", "3", "9"] {
            asker.ask(plain.clone().with("if-match", format!("W/\"{version}\"")))?;
        }
        asker.ask(plain)?;
    }
    for (n, item) in world.hidden("Patient").enumerate() {
        let body = body_of_patient(world, item, n);
        asker.ask(Request::new("PUT", item.address()).json(&body))?;
    }
    Ok(())
}

fn body_of_patient(world: &World, item: &Item, n: usize) -> Value {
    let mut body = world.own_body("Patient", item.id());
    let name = world.scratch(&format!("pat{n}"));
    set(&mut body, "identifier", json!([{ "system": SYSTEM, "value": name }]));
    body
}

pub(super) fn delete(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in written(world, asker) {
        asker.ask(Request::new("DELETE", item.address()).with("if-match", "W/\"1\""))?;
        asker.ask(Request::new("DELETE", item.address()))?;
    }
    Ok(())
}

pub(super) fn patch(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in written(world, asker) {
        for (path, value) in [
            ("/resourceType", json!(item.kind)),
            ("/identifier/0/value", json!(item.identifier(Side::A))),
            ("/identifier/0/value", json!(item.identifier(Side::B))),
            ("/valueQuantity/value", json!(AFTER.number)),
        ] {
            let steps = json!([{ "op": "test", "path": path, "value": value }]);
            let mut request = Request::new("PATCH", item.address());
            request.body = steps.to_string().into_bytes();
            asker.ask(request.with("content-type", "application/json-patch+json"))?;
        }
        let mut request =
            Request::new("PATCH", format!("{}?{}", item.kind, condition(item, Side::B)));
        request.body = b"[]".to_vec();
        asker.ask(request.with("content-type", "application/json-patch+json"))?;
    }
    Ok(())
}

pub(super) fn label_strip(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in written(world, asker) {
        for side in [Side::A, Side::B] {
            let Some(mut bare) = item.body(side) else { continue };
            if let Some(meta) = bare.get_mut("meta").and_then(Value::as_object_mut) {
                meta.remove("security");
            }
            asker.ask(Request::new("PUT", item.address()).json(&bare))?;
            asker.get(&item.address())?;
            let path = format!("{}/{}/$meta-delete", item.kind, item.id());
            let (label, _) = world.persona.label_pair();
            let meta = json!({ "resourceType": "Parameters", "parameter": [
                { "name": "meta", "valueMeta": { "security": [{ "code": label }] } },
            ]});
            asker.ask(Request::new("POST", path).json(&meta))?;
        }
    }
    Ok(())
}

fn bundled(world: &World, asker: &Asker<'_>) -> Vec<Value> {
    let mut out = Vec::new();
    for (n, item) in written(world, asker).into_iter().enumerate() {
        let body = own(world, item.kind, &format!("bun{n}"));
        let named = own_as(world, item, &format!("bup{n}"));
        let found = condition(item, Side::B);
        out.push(json!({ "resource": body, "request": {
            "method": "POST", "url": item.kind, "ifNoneExist": found } }));
        out.push(json!({ "resource": named, "request": {
            "method": "PUT", "url": item.address(), "ifMatch": "W/\"3\"" } }));
        out.push(
            json!({ "resource": named, "request": { "method": "PUT", "url": item.address() } }),
        );
        out.push(json!({ "resource": own(world, item.kind, &format!("bcu{n}")), "request": {
            "method": "PUT", "url": format!("{}?{found}", item.kind) } }));
        out.push(json!({ "request": { "method": "DELETE", "url": item.address() } }));
        out.push(json!({ "request": {
            "method": "DELETE", "url": format!("{}?{found}", item.kind) } }));
        out.push(json!({ "request": { "method": "GET", "url": item.address() } }));
    }
    out
}

pub(super) fn batch(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    // Those of one bundle run side by side: two that name one record would race.
    for entry in bundled(world, asker) {
        let bundle = json!({ "resourceType": "Bundle", "type": "batch", "entry": [entry] });
        asker.ask(Request::new("POST", "").json(&bundle))?;
    }
    Ok(())
}

pub(super) fn transaction(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for (n, entry) in bundled(world, asker).into_iter().enumerate() {
        let beside = json!({ "resource": own(world, "Observation", &format!("tra{n}")),
            "request": { "method": "POST", "url": "Observation" } });
        let bundle =
            json!({ "resourceType": "Bundle", "type": "transaction", "entry": [entry, beside] });
        asker.ask(Request::new("POST", "").json(&bundle))?;
    }
    Ok(())
}

pub(super) fn sequence(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    let hidden: Vec<Value> =
        world.hidden("Observation").filter_map(|item| item.body(Side::B)).take(3).collect();
    let mut ids = Vec::new();
    for turn in 0..2 {
        let body = own(world, "Observation", &format!("seq{turn}"));
        let made = asker.ask(Request::new("POST", "Observation").json(&body))?;
        let location = made.header("location").unwrap_or("").to_owned();
        let path = location.split("/_history/").next().unwrap_or("");
        let version = location.split("/_history/").nth(1).unwrap_or("").to_owned();
        ids.push((path.rsplit('/').next().unwrap_or("").to_owned(), version));
        if turn == 0 && asker.second {
            for mut body in hidden.clone() {
                let id = world.scratch(&format!("between{}", ids.len()));
                set(&mut body, "id", json!(id));
                for _ in 0..2 {
                    let path = format!("Observation/{id}");
                    asker.admin(Request::new("PUT", path).json(&body))?;
                }
                asker.admin(Request::new("DELETE", format!("Observation/{id}")))?;
            }
        }
    }
    let gap = |of: fn(&(String, String)) -> &String| -> String {
        let numbers: Vec<Option<i64>> = ids.iter().map(|pair| of(pair).parse().ok()).collect();
        match numbers.as_slice() {
            [Some(first), Some(second)] => (second - first).to_string(),
            _ => "no numbers".to_owned(),
        }
    };
    let (ids, versions) = (gap(|pair| &pair.0), gap(|pair| &pair.1));
    asker.note("‹from one created id to the next›", &ids);
    asker.note("‹from one version to the next›", &versions);
    Ok(())
}

pub(super) fn element(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for mask in asker.masks.clone() {
        if !mask.applies(world) {
            continue;
        }
        // Two records that differ in the hidden element alone, one for each world.
        let id = world.scratch(&format!("mask-{}", mask.element.to_lowercase()));
        let mut record = world.own_body(mask.kind, &id);
        let look = if asker.second { &AFTER } else { &BEFORE };
        let other = body(mask.kind, &world.own_place(&id), look);
        let value = other.get(&mask.element).cloned();
        let value = value.unwrap_or_else(|| mask::value(&mask.element, look));
        set(&mut record, &mask.element, value);
        let address = format!("{}/{id}", mask.kind);
        asker.admin(Request::new("PUT", address.clone()).json(&record))?;
        let mut asked = vec![
            address.clone(),
            format!("{address}/_history"),
            format!("{address}/_history/1"),
            format!("{address}?_elements={}", mask.element),
            format!("{address}?_summary=true"),
            format!("{address}?_summary=data"),
            format!("{}?_id={id}&_elements={}", mask.kind, mask.element),
        ];
        for (parameter, value) in mask::searches(&mask.element) {
            let query = encode_query(&format!("_id={id}&{parameter}={value}"));
            asked.push(format!("{}?{query}", mask.kind));
            asked.push(format!("{}?_id={id}&_sort={parameter}", mask.kind));
            asked.push(format!("{}?_id={id}&{parameter}:missing=false", mask.kind));
        }
        for path in asked {
            asker.get(&path)?;
        }
        asker.admin(Request::new("DELETE", address))?;
    }
    Ok(())
}

pub(super) fn subscription(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in written(world, asker) {
        let body = json!({ "resourceType": "Subscription", "status": "requested",
            "reason": "leak bench", "criteria": format!("{}?_id={}", item.kind, item.id()),
            "channel": { "type": "websocket" } });
        asker.ask(Request::new("POST", "Subscription").json(&body))?;
    }
    Ok(())
}
