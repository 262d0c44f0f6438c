//! Families that name a hidden record outright: by its id, its version, its compartment, and by
//! addresses that a careless router takes for another (RFC 3986 section 6).

use crate::asker::Asker;
use crate::wire::Request;
use crate::world::World;

/// Versions asked for: those there are in either world, and one more.
const VERSIONS: [u8; 4] = [1, 2, 3, 4];

pub(super) fn read(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in world.sample(asker.effort.records * 2) {
        asker.get(&item.address())?;
    }
    // A control: what may be seen is asked as well, so that its headers are compared too.
    asker.get(&format!("Patient/{}", world.own))?;
    asker.get(&format!("Observation/{}-own-observation", world.prefix))?;
    Ok(())
}

pub(super) fn vread(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in world.sample(asker.effort.records) {
        for version in VERSIONS {
            asker.get(&format!("{}/_history/{version}", item.address()))?;
        }
    }
    Ok(())
}

pub(super) fn history(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in world.sample(asker.effort.records) {
        asker.get(&format!("{}/_history", item.address()))?;
        asker.get(&format!("{}/_history?_count=1", item.address()))?;
    }
    Ok(())
}

pub(super) fn everything(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    let most = asker.effort.records;
    let mut paths: Vec<String> = Vec::new();
    for kind in ["Patient", "Encounter"] {
        let hidden = world.hidden(kind).take(most);
        paths.extend(hidden.map(|item| format!("{}/$everything", item.address())));
    }
    paths.push(format!("Patient/{}/$everything", world.own));
    paths.push(format!("Patient/{}/$everything?_count=1000", world.own));
    paths.push(format!("Patient/{}/$everything?_type=Observation,Condition", world.own));
    paths.push(format!("Patient/{}/$everything?start=2023-01-01", world.own));
    paths.push(format!("Encounter/{}-own-encounter/$everything", world.prefix));
    for path in paths {
        let first = asker.get(&path)?;
        asker.follow(first)?;
    }
    Ok(())
}

pub(super) fn compartment(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    let hidden: Vec<String> = world.hidden("Patient").map(|item| item.id().to_owned()).collect();
    for patient in hidden.iter().chain([&world.own]) {
        for kind in ["Observation", "Condition", "Coverage", "Encounter", "*"] {
            let path = format!("Patient/{patient}/{kind}");
            let query = if kind == "*" { "?_count=200" } else { "?_count=50" };
            asker.get(&format!("{path}{query}"))?;
        }
        asker.get(&format!("Patient/{patient}/Observation?_summary=count"))?;
    }
    for path in [
        format!("Practitioner/{}-dr/Observation?_count=50", world.prefix),
        format!("Practitioner/{}-dr/Patient?_count=50", world.prefix),
        format!("Practitioner/{}-dr/Appointment?_summary=count", world.prefix),
        format!("Encounter/{}-own-encounter/Observation?_count=50", world.prefix),
        format!("Encounter/{}-own-encounter/Condition?_count=50", world.prefix),
    ] {
        asker.get(&path)?;
    }
    for item in world.hidden("Encounter").take(asker.effort.records) {
        asker.get(&format!("{}/Observation?_count=50", item.address()))?;
    }
    Ok(())
}

pub(super) fn address(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in world.sample(asker.effort.records / 2) {
        let (kind, id) = (item.kind, item.id());
        let own = &world.own;
        let coded: String = id.bytes().map(|byte| format!("%{byte:02X}")).collect();
        for path in [
            format!("Patient/{own}/../../{kind}/{id}"),
            format!("Patient/../{kind}/{id}"),
            format!("Patient/%2e%2e/{kind}/{id}"),
            format!("./{kind}/{id}"),
            format!("{kind}/./{id}"),
            format!("{kind}//{id}"),
            format!("/{kind}/{id}"),
            format!("{kind}/{id}/"),
            format!("{kind}/{id}//"),
            format!("{kind}/{id}?"),
            format!("{kind}/{id}%00"),
            format!("{kind}/{id}%20"),
            format!("{kind}/{id};v=1"),
            format!("{kind}/{id}.json"),
            format!("{kind}%2F{id}"),
            format!("{kind}/{coded}"),
            format!("{kind}/{}", id.to_uppercase()),
            format!("{}/{id}", kind.to_lowercase()),
            format!("{kind}/{id}%EF%BC%8F"),
            format!("{kind}/{id}/_history/"),
            format!("{kind}/{id}/_history/%31"),
            format!("Patient/{own}?_id={id}"),
        ] {
            asker.get(&path)?;
        }
    }
    Ok(())
}

pub(super) fn head(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in world.sample(asker.effort.records) {
        asker.ask(Request::new("HEAD", item.address()))?;
        asker.ask(Request::new("HEAD", format!("{}/_history/1", item.address())))?;
        asker.ask(Request::new("HEAD", format!("{}?_id={}", item.kind, item.id())))?;
    }
    Ok(())
}

pub(super) fn options(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in world.sample(asker.effort.records) {
        asker.ask(Request::new("OPTIONS", item.address()))?;
    }
    Ok(())
}

pub(super) fn conditional(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in world.sample(asker.effort.records) {
        for (name, value) in [
            ("if-none-match", "W/\"1\""),
            ("if-none-match", "W/\"3\""),
            ("if-none-match", "*"),
            ("if-modified-since", "Fri, 01 Jan 2100 00:00:00 GMT"),
            ("if-match", "W/\"1\""),
            ("range", "bytes=0-3"),
        ] {
            asker.ask(Request::get(item.address()).with(name, value))?;
        }
    }
    Ok(())
}

pub(super) fn not_found(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in world.sample(asker.effort.records) {
        let id = item.id();
        // As long as the hidden one, and nobody's.
        let never = id.replacen("-r-", "-q-", 1);
        for (method, end) in [
            ("GET", ""),
            ("HEAD", ""),
            ("GET", "/_history"),
            ("GET", "/_history/1"),
            ("GET", "/$everything"),
        ] {
            let of = |id: &str| Request::new(method, format!("{}/{id}{end}", item.kind));
            asker.twin(of(id), of(&never), (id, &never))?;
        }
        let of = |id: &str| Request::get(format!("{}?_id={id}", item.kind));
        asker.twin(of(id), of(&never), (id, &never))?;
    }
    Ok(())
}

pub(super) fn binary(world: &World, asker: &mut Asker<'_>) -> anyhow::Result<()> {
    for item in world.hidden("Binary") {
        for accept in ["*/*", "text/plain", "application/octet-stream", "application/fhir+json"] {
            asker.ask(Request::get(item.address()).with("accept", accept))?;
        }
        asker.get(&format!("{}/_history", item.address()))?;
    }
    Ok(())
}
