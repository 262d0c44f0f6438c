//! A clinic with something to hide. Dr Who treats Ann and nobody else: Bob's record is hidden from him,
//! and so is what 42 CFR Part 2 keeps of Ann's. Some of what he sees points at what he does not.

use crate::client::{Answer, Running, person};
use identity::{Kind, Profile};

pub(crate) const PART2: &str = r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"42CFRPart2"}]},"#;
const JSON: (&str, &str) = ("Content-Type", "application/fhir+json");

pub(crate) struct World {
    pub(crate) server: Running,
    /// Dr Who.
    pub(crate) who: String,
    /// Ann herself.
    pub(crate) ann: String,
}

impl World {
    pub(crate) fn new() -> Self {
        let server = Running::start();
        let who = Profile { practitioner: Some("who".into()), ..person("who", &["clinician"]) };
        let ann = Profile { patient: Some("ann".into()), ..person("ann", &["patient"]) };
        let (who, ann) = (server.token(Kind::Person, who), server.token(Kind::Person, ann));
        let world = Self { server, who, ann };
        for (path, body) in records() {
            match path {
                // No service says that one record is another's.
                "/Patient/ann" => world.put_at_the_machine(&body),
                path => world.put(path, &body),
            }
        }
        world
    }

    /// Writes as somebody to whom nothing is hidden.
    pub(crate) fn put(&self, path: &str, body: &str) {
        let answer = self.server.put(path, body);
        assert!(matches!(answer.status, 200 | 201), "{path}: {}", answer.code());
    }

    fn put_at_the_machine(&self, body: &str) {
        let of = fhir::definitions::r4().resource_type("Patient").unwrap();
        let body = fhir::Document::parse_text(body.to_owned(), &base::Limits::default()).unwrap();
        let session = self.server.record.session(record::Subject::operator(), [1; 16]);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(session.update(of, "ann", body, None, false)).unwrap();
    }

    /// Asks as Dr Who.
    pub(crate) fn get(&self, path: &str) -> Answer {
        self.server.get_as(&self.who, path)
    }

    /// Asks as anybody.
    pub(crate) fn send(&self, token: &str, method: &str, path: &str, body: &str) -> Answer {
        self.send_with(token, method, path, &[JSON], body)
    }

    pub(crate) fn send_with(
        &self,
        token: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let bearer = format!("Bearer {token}");
        let mut all = vec![("Authorization", bearer.as_str())];
        all.extend_from_slice(headers);
        self.server.send(method, path, &all, body.as_bytes())
    }

    /// Holds that none of these tells anything of what is hidden: the answers are the same when the
    /// hidden values are others, when hidden records are gone, and when there are new ones.
    pub(crate) fn tell_nothing(&self, queries: &[&str]) {
        let ask = || -> Vec<String> {
            let tokens = [&self.who, &self.ann].into_iter();
            let asked = tokens.flat_map(|token| queries.iter().map(move |q| (token, q)));
            asked.map(|(token, query)| told(&self.server.get_as(token, query))).collect()
        };
        let before = ask();
        self.change();
        for (at, (before, after)) in before.iter().zip(ask()).enumerate() {
            assert_eq!(*before, after, "{}", queries[at % queries.len()]);
        }
    }

    /// Other values in all that is hidden from Dr Who and from Ann, one record less and two more.
    pub(crate) fn change(&self) {
        self.put("/Patient/bob", &bob("Zimmerly", "1995-05-05"));
        self.put("/Observation/of-bob", &observation("of-bob", "bob", 12, "2024-04-04", ""));
        assert_eq!(self.server.delete("/Condition/of-bob").status, 204);
        for id in ["new-bob", "more-bob"] {
            self.put(&format!("/Observation/{id}"), &observation(id, "bob", 99, "2019-09-09", ""));
            self.put(&format!("/Condition/{id}"), &condition(id, "bob", ""));
        }
    }
}

/// What an answer says, without what differs from one moment to the next.
pub(crate) fn told(answer: &Answer) -> String {
    let mut said = answer.status.to_string();
    if answer.body.is_empty() {
        return said;
    }
    let document = answer.json();
    let root = document.root();
    if root.get_str("resourceType").as_deref() != Some("Bundle") {
        return said + &String::from_utf8_lossy(&answer.body);
    }
    for name in ["type", "total", "entry"] {
        said += root.get(name).map_or("", |it| it.raw());
    }
    let links = root.get("link").into_iter().flat_map(|links| links.items());
    said + &links
        .filter_map(|link| Some(link.get_str("relation")?.into_owned()))
        .collect::<String>()
}

pub(crate) fn ids(answer: &Answer) -> Vec<String> {
    let document = answer.json();
    let entries = document.root().get("entry");
    let mut ids: Vec<String> = entries
        .into_iter()
        .flat_map(|e| e.items())
        .filter_map(|e| Some(e.get("resource")?.get_str("id")?.into_owned()))
        .collect();
    ids.sort();
    ids
}

pub(crate) fn bob(family: &str, born: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"bob","identifier":[{{"system":"urn:mrn","value":"b-1"}}],"name":[{{"family":"{family}"}}],"birthDate":"{born}"}}"#
    )
}

pub(crate) fn observation(id: &str, patient: &str, value: u32, day: &str, meta: &str) -> String {
    format!(
        r#"{{"resourceType":"Observation","id":"{id}",{meta}"identifier":[{{"system":"urn:obs","value":"{id}"}}],"status":"final","code":{{"coding":[{{"system":"http://loinc.org","code":"29463-7"}}]}},"subject":{{"reference":"Patient/{patient}"}},"effectiveDateTime":"{day}","valueQuantity":{{"value":{value},"unit":"kg","system":"http://unitsofmeasure.org","code":"kg"}}}}"#
    )
}

pub(crate) fn condition(id: &str, patient: &str, more: &str) -> String {
    format!(
        r#"{{"resourceType":"Condition","id":"{id}",{more}"code":{{"text":"of {patient}"}},"subject":{{"reference":"Patient/{patient}"}}}}"#
    )
}

fn records() -> Vec<(&'static str, String)> {
    let pointing = r#""result":[{"reference":"Observation/of-ann"},{"reference":"Observation/of-bob"},{"reference":"Observation/part2"}],"#;
    vec![
        ("/Organization/north", r#"{"resourceType":"Organization","id":"north","name":"North"}"#.into()),
        (
            "/Practitioner/who",
            r#"{"resourceType":"Practitioner","id":"who","name":[{"family":"Who"}]}"#.into(),
        ),
        ("/Patient/bob", bob("Bob", "1980-01-01")),
        (
            "/Patient/ann",
            r#"{"resourceType":"Patient","id":"ann","name":[{"family":"Ann"}],"birthDate":"1970-01-01","generalPractitioner":[{"reference":"Practitioner/who"}],"link":[{"other":{"reference":"Patient/bob"},"type":"seealso"}]}"#.into(),
        ),
        ("/Observation/of-ann", observation("of-ann", "ann", 70, "2021-01-01", "")),
        ("/Observation/ann-two", observation("ann-two", "ann", 50, "2022-01-01", "")),
        ("/Observation/of-bob", observation("of-bob", "bob", 80, "2021-06-01", "")),
        ("/Observation/part2", observation("part2", "ann", 90, "2021-07-01", PART2)),
        ("/Condition/of-ann", condition("of-ann", "ann", r#""evidence":[{"detail":[{"reference":"Observation/of-bob"}]}],"#)),
        ("/Condition/of-bob", condition("of-bob", "bob", r#""evidence":[{"detail":[{"reference":"Observation/of-ann"}]}],"#)),
        (
            "/DiagnosticReport/of-ann",
            format!(
                r#"{{"resourceType":"DiagnosticReport","id":"of-ann","status":"final","code":{{"text":"all"}},{pointing}"subject":{{"reference":"Patient/ann"}}}}"#
            ),
        ),
        (
            "/List/of-bob",
            r#"{"resourceType":"List","id":"of-bob","status":"current","mode":"working","subject":{"reference":"Patient/bob"},"entry":[{"item":{"reference":"Observation/of-ann"}}]}"#.into(),
        ),
        (
            "/Binary/of-bob",
            r#"{"resourceType":"Binary","id":"of-bob","contentType":"text/plain","securityContext":{"reference":"Patient/bob"},"data":"Qm9i"}"#.into(),
        ),
        (
            "/Binary/nobodys",
            r#"{"resourceType":"Binary","id":"nobodys","contentType":"text/plain","data":"Qm9i"}"#.into(),
        ),
    ]
}
