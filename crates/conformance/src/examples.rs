//! HL7's example instances there and back: each is put, read again and compared by its exact meaning
//! (<https://hl7.org/fhir/R4/http.html#upsert>). An instance may be refused for a rule it truly breaks,
//! and then it must stand in the ledger with that rule.

use crate::exact::{Json, difference};
use crate::http::{Answer, FHIR_JSON, Http};
use anyhow::Context;
use flate2::read::GzDecoder;
use std::collections::BTreeMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// One instance.
#[derive(Debug, Clone)]
pub struct Example {
    /// The file's name, without folders and ending.
    pub name: String,
    /// Its text.
    pub text: String,
}

/// What became of the instances.
#[derive(Debug, Default)]
pub struct Report {
    /// Instances that came back as they went.
    pub kept: usize,
    /// Refused instances, each with the code and place of its first error.
    pub refused: BTreeMap<String, String>,
    /// Instances that came back otherwise, or not at all, each with why.
    pub wrong: Vec<String>,
}

/// Reads the archive, in the order of names.
pub fn read(archive: &Path) -> anyhow::Result<Vec<Example>> {
    let file = File::open(archive).with_context(|| archive.display().to_string())?;
    let mut examples = Vec::new();
    for entry in tar::Archive::new(GzDecoder::new(file)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let Some(name) = path.to_str().and_then(|p| p.strip_suffix(".json")) else { continue };
        let name = name.rsplit('/').next().unwrap_or(name).to_owned();
        let mut text = String::new();
        entry.read_to_string(&mut text)?;
        examples.push(Example { name, text });
    }
    examples.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(examples)
}

/// Puts and reads every instance.
pub fn run(http: &mut Http, examples: &[Example]) -> Report {
    let mut report = Report::default();
    for example in examples {
        match there_and_back(http, &example.text) {
            Ok(None) => report.kept += 1,
            Ok(Some(refusal)) => {
                report.refused.insert(example.name.clone(), refusal);
            }
            Err(error) => report.wrong.push(format!("{}: {error:#}", example.name)),
        }
    }
    report
}

/// Nothing if it came back as it went, or why it was refused.
fn there_and_back(http: &mut Http, text: &str) -> anyhow::Result<Option<String>> {
    let sent = Json::parse(text).context("the example itself")?;
    let kind = sent.get("resourceType").and_then(Json::text).context("no resourceType")?;
    let id = sent.get("id").and_then(Json::text);
    let written = match id {
        Some(id) => http.put("PUT", &format!("{kind}/{id}"), text.as_bytes())?,
        None => http.put("POST", kind, text.as_bytes())?,
    };
    if (400..500).contains(&written.status) {
        return refusal(&written).map(Some);
    }
    let written = written.ok()?;
    let path = match id {
        Some(id) => format!("{kind}/{id}"),
        None => location(&written, kind)?,
    };
    // A Binary is answered as its own content unless FHIR is asked for.
    let read = http.send("GET", &path, &[("accept", FHIR_JSON)], b"")?.ok()?;
    let back = Json::parse(std::str::from_utf8(&read.body)?)?;
    let unnamed = id.is_none();
    let (sent, back) = (sent.without_server_parts(unnamed), back.without_server_parts(unnamed));
    match difference(&sent, &back) {
        None => Ok(None),
        Some(found) => anyhow::bail!("{found}"),
    }
}

fn location(written: &Answer, kind: &str) -> anyhow::Result<String> {
    let location = written.header("location").context("no Location")?;
    let mut words = location.split('/').skip_while(|word| *word != kind).skip(1);
    Ok(format!("{kind}/{}", words.next().context("a Location without an id")?))
}

/// The code and expression of the first error of an OperationOutcome.
fn refusal(answer: &Answer) -> anyhow::Result<String> {
    let outcome = answer.json()?;
    let issues = outcome.get("issue").and_then(|i| i.as_array()).context("no issues")?;
    let bad = |issue: &&serde_json::Value| {
        matches!(issue.get("severity").and_then(|s| s.as_str()), Some("error" | "fatal"))
    };
    let issue = issues.iter().find(bad).context("a refusal without an error")?;
    let code = issue.pointer("/details/coding/0/code").or_else(|| issue.get("code"));
    let code = code.and_then(|c| c.as_str()).context("an error without a code")?;
    let place = issue.pointer("/expression/0").and_then(|e| e.as_str()).unwrap_or("");
    Ok(format!("{code} at {place}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refusal_is_its_first_error_and_a_location_leads_to_the_record() {
        let body = br#"{"issue":[{"severity":"warning","code":"x"},{"severity":"error","code":"y",
            "details":{"coding":[{"code":"validation.a.b"}]},"expression":["Patient.name"]}]}"#;
        let answer = Answer { status: 422, headers: Vec::new(), body: body.to_vec() };
        assert_eq!(refusal(&answer).expect("a refusal"), "validation.a.b at Patient.name");
        let headers = vec![("location".to_owned(), "http://h/fhir/List/7/_history/1".to_owned())];
        let answer = Answer { headers, ..Answer::default() };
        assert_eq!(location(&answer, "List").expect("a place"), "List/7");
    }
}
