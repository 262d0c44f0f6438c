//! What mutation begins with: the example instances and the known searches of the shared data when it
//! is at hand, the expressions of the definitions, and a few of our own in any case.

use conformance::searches::Expected;
use conformance::{EXAMPLES, SEARCHES, data, examples};
use serde_json::{Value, json};

/// Bigger examples make slow mutants.
const EXAMPLE_MAX: usize = 16 << 10;
/// Resources of one bundle among the seeds.
const ENTRIES: usize = 4;

/// The seeds of a target.
pub(crate) fn of(target: &str) -> anyhow::Result<Vec<Vec<u8>>> {
    Ok(match target {
        "json" => json_seeds()?,
        "search-url" => search_seeds()?,
        "fhirpath" => fhirpath_seeds(),
        _ => bundle_seeds()?,
    })
}

fn instances() -> anyhow::Result<Vec<String>> {
    let mut all = vec![
        r#"{"resourceType":"Patient","id":"1","active":true,"name":[{"family":"Ångström","given":["A","B"]}],"birthDate":"1970-01"}"#.to_owned(),
        r#"{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":1.0e1,"unit":"kg"},"_status":{"extension":[{"url":"u","valueDecimal":-0.10}]}}"#.to_owned(),
    ];
    if let Some(archive) = data(EXAMPLES) {
        let examples = examples::read(&archive)?;
        all.extend(examples.into_iter().map(|e| e.text).filter(|text| text.len() < EXAMPLE_MAX));
    }
    Ok(all)
}

fn json_seeds() -> anyhow::Result<Vec<Vec<u8>>> {
    let mut all: Vec<Vec<u8>> = instances()?.into_iter().map(String::into_bytes).collect();
    let odd = [
        "[]",
        "{}",
        "null",
        "-0",
        "1e5",
        "\"\\ud83d\\ude00\\u0000\"",
        "[[[[[[]]]]]]",
        "{\"a\":{\"b\":[1,2.50,true]}}",
    ];
    all.extend(odd.map(|text| text.as_bytes().to_vec()));
    Ok(all)
}

fn search_seeds() -> anyhow::Result<Vec<Vec<u8>>> {
    let mut all = vec![
        "Patient?name:exact=a\\,b,c&_sort=-birthdate,name&_count=5&_total=accurate".to_owned(),
        "Observation?subject:Patient.organization.name:contains=x&_include:iterate=*&_summary=count".to_owned(),
        "?_type=Patient,Group&_lastUpdated=gt2020-01-01T00:00:00%2B02:00&_has:Observation:subject:_has:Group:member:code=1".to_owned(),
        "Encounter?date=ap2019-02&length=lt5.00|http://unitsofmeasure.org|min&_elements=id,status".to_owned(),
        "ValueSet?url:below=http://a/b&identifier:of-type=s|c|v&_id=1,2&_text=x&_list=3".to_owned(),
    ];
    if let Some(path) = data(SEARCHES) {
        all.extend(Expected::read(&path)?.queries.into_iter().map(|query| query.query));
    }
    // Every parameter of every type once.
    for parameter in fhir::definitions::r4().search_parameters() {
        all.extend(parameter.base.iter().map(|base| format!("{base}?{}=a|b", parameter.code)));
    }
    Ok(all.into_iter().map(String::into_bytes).collect())
}

fn fhirpath_seeds() -> Vec<Vec<u8>> {
    let own = [
        "Patient.name.where(use = 'official' and given.exists()).select(family & ', ' & given.first())",
        "(1.5 + 2 * 3) div 2 > 4 'mg' or @2019-02-03T10:00:00+01:00 <= now() - 3 days",
        "descendants().as(Quantity).value.aggregate($this + $total, 0).round(2)",
        "iif(a.b[0] ~ {} , `x-y`.trace('z'), %resource.id.matches('^[a-z]+$'))",
    ];
    let defined = fhir::definitions::r4().search_parameters().iter().map(|p| p.expression);
    let all = own.into_iter().chain(defined).filter(|text| !text.is_empty());
    all.map(|text| text.as_bytes().to_vec()).collect()
}

fn bundle_seeds() -> anyhow::Result<Vec<Vec<u8>>> {
    let mut resources = Vec::new();
    for text in instances()? {
        resources.push(serde_json::from_str::<Value>(&text)?);
    }
    let mut all = Vec::new();
    for (i, some) in resources.chunks(ENTRIES).enumerate() {
        let kind = if i % 3 == 0 { "batch" } else { "transaction" };
        let mut entries: Vec<Value> = some.iter().enumerate().map(entry).collect();
        entries.push(json!({ "request": { "method": "DELETE", "url": format!("Patient/{i}") } }));
        entries.push(json!({ "request": { "method": "GET", "url": "Patient?name=x" } }));
        all.push(json!({ "resourceType": "Bundle", "type": kind, "entry": entries }));
    }
    all.push(json!({ "resourceType": "Bundle", "type": "batch", "entry": [
        { "request": { "method": "GET", "url": "Patient/1/_history/1" } },
        { "request": { "method": "GET", "url": "Observation?subject=Patient/1&_include=*" } },
    ] }));
    all.push(json!({ "resourceType": "Bundle", "type": "transaction", "entry": [
        { "fullUrl": "urn:uuid:5b5ac8a5-0001-4b58-8a6f-96b0dbd6a001",
          "resource": { "resourceType": "Patient", "identifier": [{ "system": "s", "value": "1" }] },
          "request": { "method": "POST", "url": "Patient", "ifNoneExist": "identifier=s|1" } },
        { "resource": { "resourceType": "Observation", "status": "final", "code": { "text": "t" },
            "subject": { "reference": "urn:uuid:5b5ac8a5-0001-4b58-8a6f-96b0dbd6a001" },
            "performer": [{ "reference": "Patient?identifier=s|1" }] },
          "request": { "method": "PUT", "url": "Observation/o1", "ifMatch": "W/\"1\"" } },
        { "request": { "method": "DELETE", "url": "Observation?code=t" } },
    ] }));
    Ok(all.into_iter().map(|bundle| bundle.to_string().into_bytes()).collect())
}

/// A resource as an entry: put, posted, or posted unless it is there.
fn entry((i, resource): (usize, &Value)) -> Value {
    let kind = resource.get("resourceType").and_then(Value::as_str).unwrap_or("Basic");
    let request = match resource.get("id").and_then(Value::as_str) {
        Some(id) if i % 2 == 0 => json!({ "method": "PUT", "url": format!("{kind}/{id}") }),
        _ => json!({ "method": "POST", "url": kind, "ifNoneExist": format!("_id={i}") }),
    };
    json!({ "fullUrl": format!("urn:uuid:5b5ac8a5-000{i}-4b58-8a6f-96b0dbd6a00{i}"), "resource": resource, "request": request })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_target_has_seeds() {
        for target in crate::target::NAMES {
            assert!(of(target).expect("seeds").len() > 2, "{target}");
        }
    }
}
