//! The targets: what each does with an input, and the laws it must keep beyond not panicking.

use base::{Limits, Millis};
use fhir::definitions::r4;
use fhir::{Document, Value};
use fhirpath::{Context, Item, Program};
use record::{BundleOptions, Content, Record, Session, Settings, Subject};
use search::parse::{Level, Options, decode_query, parse};
use std::fmt::Debug;

/// The targets by name.
pub(crate) const NAMES: [&str; 4] = ["json", "search-url", "fhirpath", "bundle"];

/// Something that reads what strangers send.
pub(crate) trait Target {
    /// Tries one input.
    fn run(&mut self, input: &[u8]) -> Outcome;
    /// Words of its language, for mutants.
    fn words(&self) -> &'static [&'static str];
}

/// What came of an input. The texts tell kinds of answers apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Outcome {
    Accepted(String),
    Refused(String),
    /// A law was broken, this one.
    Broken(String),
}

/// How to make the target of a name.
pub(crate) fn named(name: &str) -> Option<fn() -> Box<dyn Target>> {
    match name {
        "json" => Some(|| Box::new(Json)),
        "search-url" => Some(|| Box::new(SearchUrl)),
        "fhirpath" => Some(|| Box::new(FhirPath::new())),
        "bundle" => Some(|| Box::new(Bundle::new())),
        _ => None,
    }
}

/// A noon in 2026.
const NOW: Millis = Millis(1_792_000_000_000);

/// JSON, and what is done with every write before it is stored: validation and extraction.
struct Json;

impl Target for Json {
    fn run(&mut self, input: &[u8]) -> Outcome {
        let document = match Document::parse(input.to_vec(), &Limits::default()) {
            Ok(document) => document,
            Err(fault) => return Outcome::Refused(fault.code().name.to_owned()),
        };
        // Another parser, whose limit of depth is above ours, must take all that ours takes; but for the
        // mark of byte order, which ours passes over (RFC 8259, section 8.1, allows either).
        let input = input.strip_prefix(&[0xEF, 0xBB, 0xBF]).unwrap_or(input);
        if let Err(error) = serde_json::from_slice::<serde::de::IgnoredAny>(input) {
            return Outcome::Broken(format!("accepted, while another parser says: {error}"));
        }
        let root = document.root();
        let mut places = 0_usize;
        for value in root.descendants() {
            places += value.path().len() + value.as_text().map_or(0, |text| text.len());
        }
        let issues = validation::validate(root, &validation::Options::default());
        let kind = root.get_str("resourceType").and_then(|name| r4().resource_type(&name));
        if let Some(kind) = kind {
            let mut entries = Vec::new();
            search::extract::extract(root, kind, &mut entries);
            places += entries.len();
        }
        let first = issues.first().map_or("valid", |issue| issue.code.name);
        Outcome::Accepted(format!("{kind:?} {first} {}", places.checked_ilog2().unwrap_or(0)))
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "{",
            "}",
            "[",
            "]",
            ",",
            ":",
            "\"",
            "null",
            "true",
            "false",
            "\\u0000",
            "\\ud800",
            "\\udc00",
            "\"resourceType\":",
            "\"Patient\"",
            "\"Observation\"",
            "\"contained\":[{",
            "\"extension\":[{",
            "\"_value\":",
            "\"valueDecimal\":",
            "\"reference\":\"#\"",
            "\u{feff}",
            "1.0",
            "-",
            "e+",
            "\"resourceType\":\"Bundle\",\"entry\":[{\"resource\":{",
            "\"div\":\"<div xmlns=",
        ]
    }
}

/// A search as it stands after `/fhir/`.
struct SearchUrl;

impl Target for SearchUrl {
    fn run(&mut self, input: &[u8]) -> Outcome {
        let text = String::from_utf8_lossy(input);
        let (name, query) = text.split_once('?').unwrap_or(("", &text));
        let level = match r4().resource_type(name) {
            Some(kind) => Level::Type(kind),
            None => Level::System,
        };
        let options = Options {
            lenient: input.len().is_multiple_of(2),
            limits: Limits::default(),
            now: NOW,
            base_url: Some("http://localhost/fhir".to_owned()),
            conditional: input.len().is_multiple_of(7),
            hidden: None,
        };
        let pairs = match decode_query(query) {
            Ok(pairs) => pairs,
            Err(fault) => return Outcome::Refused(fault.code().name.to_owned()),
        };
        match parse(&level, &pairs, &options) {
            Ok(search) => Outcome::Accepted(shape(&search.filters)),
            Err(fault) => Outcome::Refused(format!("{} {name}", fault.code().name)),
        }
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "&",
            "=",
            ":",
            ".",
            ",",
            "|",
            "$",
            "\\,",
            "%2C",
            "%7C",
            "%00",
            "%",
            "+",
            "_has:",
            "_id=",
            "_include=",
            "_revinclude:iterate=",
            "_sort=-",
            "_count=",
            "_total=",
            "_summary=",
            "_elements=",
            "_lastUpdated=",
            "_type=",
            "_list=",
            ":missing=",
            ":exact",
            ":contains",
            ":not",
            ":in",
            ":below",
            ":above",
            ":identifier",
            ":of-type",
            ":text",
            ":Patient.",
            "ge",
            "lt",
            "ap",
            "sa",
            "eb",
            "ne",
            "2019-02-30",
            "24:00",
            "T10:00:00Z",
            "Patient?",
            "Observation?",
            "code-value-quantity=",
            "http://localhost/fhir/",
        ]
    }
}

/// The names in the debug form of a plan, without its values: what kind of plan it is.
fn shape(plan: &impl Debug) -> String {
    let text = format!("{plan:?}");
    let names = text.split(|c: char| !c.is_alphanumeric());
    let names = names.filter(|word| word.starts_with(|c: char| c.is_ascii_uppercase()));
    names.take(8).collect::<Vec<_>>().join(" ")
}

/// An expression, printed, parsed again, compiled and evaluated.
struct FhirPath {
    resource: Document,
}

impl FhirPath {
    fn new() -> Self {
        let text = r##"{"resourceType":"Patient","id":"p","active":true,"birthDate":"1970-01-02","name":[{"use":"official","family":"Abc","given":["D","E"]},{"family":"F","period":{"start":"2001-02-03T04:05:06Z"}}],"multipleBirthInteger":2,"extension":[{"url":"u","valueQuantity":{"value":1.50,"unit":"mg","system":"http://unitsofmeasure.org","code":"mg"}}],"contained":[{"resourceType":"Organization","id":"o","name":"O"}],"managingOrganization":{"reference":"#o"}}"##;
        #[expect(clippy::expect_used, reason = "the text is above")]
        let resource =
            Document::parse_text(text.to_owned(), &Limits::default()).expect("a resource");
        Self { resource }
    }
}

impl Target for FhirPath {
    fn run(&mut self, input: &[u8]) -> Outcome {
        let text = String::from_utf8_lossy(input);
        let expr = match fhirpath::parse(&text) {
            Ok(expr) => expr,
            Err(fault) => return Outcome::Refused(fault.code().name.to_owned()),
        };
        let printed = expr.to_string();
        match fhirpath::parse(&printed) {
            Ok(again) if again == expr => {}
            Ok(_) => return Outcome::Broken(format!("prints as another expression: {printed}")),
            // Printing adds blanks and parentheses, and may pass a limit that the text kept.
            Err(fault) if fault.to_string().contains("too ") => {}
            Err(fault) => {
                return Outcome::Broken(format!("prints as {printed}: {}", fault.code().name));
            }
        }
        let program = match Program::of(&expr) {
            Ok(program) => program,
            Err(fault) => return Outcome::Refused(format!("compile {}", fault.code().name)),
        };
        let root: Value<'_> = self.resource.root();
        let context = Context::new(root, NOW);
        let input: Vec<Item<'_>> = Item::resource(root).into_iter().collect();
        match program.evaluate(&context, &input) {
            Ok(items) => Outcome::Accepted(format!("{} {}", shape(&expr), items.len().min(9))),
            Err(fault) => Outcome::Refused(format!("{} {}", shape(&expr), fault.code().name)),
        }
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            ".",
            "(",
            ")",
            "[",
            "]",
            "{}",
            "'",
            "`",
            "@",
            "@T10:00",
            "@2019-02",
            "$this",
            "$index",
            "$total",
            "%resource",
            "%context",
            " and ",
            " or ",
            " implies ",
            " is ",
            " as ",
            " in ",
            " contains ",
            " div ",
            " mod ",
            " | ",
            " & ",
            " ~ ",
            " !~ ",
            "!=",
            "<=",
            "-",
            "+",
            "*",
            "/",
            "where(",
            "select(",
            "repeat(",
            "aggregate(",
            "ofType(",
            "resolve()",
            "children()",
            "descendants()",
            "matches(",
            "replace(",
            "replaceMatches(",
            "substring(",
            "toDecimal()",
            "toQuantity()",
            "power(",
            "sqrt()",
            "ln()",
            "round(",
            "iif(",
            "trace(",
            "combine(",
            "union(",
            "1 'mg'",
            "3 days",
            "join(",
            "split(",
            "encode('base64')",
        ]
    }
}

/// Bundles against a store of their own. After each, what it was answered must be what is read.
struct Bundle {
    runtime: tokio::runtime::Runtime,
    session: Session,
    /// Removed when dropped.
    _folder: tempfile::TempDir,
}

impl Bundle {
    #[expect(clippy::expect_used, reason = "without its store the target cannot run at all")]
    fn new() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let settings =
            Settings { sync: store::Sync::Relaxed, seed: Some(1), ..Settings::default() };
        let record = Record::open(folder.path(), settings).expect("a record");
        let session = record.session(Subject::operator(), [7; 16]);
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        Self { runtime: runtime.expect("a runtime"), session, _folder: folder }
    }

    /// Whether every version that was answered for can be read.
    fn there(&self, answer: &record::BundleAnswer) -> Option<String> {
        let places = answer.entries.iter().filter(|entry| matches!(entry.status, 200 | 201));
        for place in places.filter_map(|entry| entry.place.as_ref()) {
            let version = Some(place.version);
            if let Err(fault) = self.session.read(place.resource_type, &place.id, version) {
                return Some(format!("{place:?} cannot be read: {}", fault.code().name));
            }
        }
        None
    }
}

impl Target for Bundle {
    fn run(&mut self, input: &[u8]) -> Outcome {
        let document = match Document::parse(input.to_vec(), &Limits::default()) {
            Ok(document) => document,
            Err(fault) => return Outcome::Refused(fault.code().name.to_owned()),
        };
        let entries = document.root().get("entry").map_or(0, |entries| entries.items().count());
        let answer = self.runtime.block_on(self.session.bundle(document, BundleOptions::default()));
        let answer = match answer {
            Ok(answer) => answer,
            Err(fault) if fault.code().status >= 500 => {
                return Outcome::Broken(format!("a fault of ours: {}", fault.code().name));
            }
            Err(fault) => return Outcome::Refused(fault.code().name.to_owned()),
        };
        if answer.entries.len() != entries {
            return Outcome::Broken(format!(
                "{} answers to {entries} entries",
                answer.entries.len()
            ));
        }
        if let Some(entry) = answer.entries.iter().find(|entry| entry.status >= 500) {
            return Outcome::Broken(format!("an entry was answered by {}", entry.status));
        }
        if let Some(broken) = self.there(&answer) {
            return Outcome::Broken(broken);
        }
        let statuses = answer.entries.iter().take(8).map(|entry| {
            let empty = matches!(entry.content, Content::None);
            format!("{}{}", entry.status, if empty { "" } else { "c" })
        });
        Outcome::Accepted(statuses.collect::<Vec<_>>().join(" "))
    }

    fn words(&self) -> &'static [&'static str] {
        &[
            "\"method\":\"PUT\"",
            "\"method\":\"POST\"",
            "\"method\":\"DELETE\"",
            "\"method\":\"GET\"",
            "\"method\":\"PATCH\"",
            "\"url\":\"Patient/1\"",
            "\"url\":\"Patient?identifier=s|1\"",
            "\"url\":\"Observation\"",
            "\"ifNoneExist\":\"identifier=s|1\"",
            "\"ifMatch\":\"W/\\\"1\\\"\"",
            "\"ifNoneMatch\":\"*\"",
            "\"fullUrl\":\"urn:uuid:5b5ac8a5-0001-4b58-8a6f-96b0dbd6a001\"",
            "\"reference\":\"urn:uuid:5b5ac8a5-0001-4b58-8a6f-96b0dbd6a001\"",
            "\"reference\":\"Patient?identifier=s|1\"",
            "\"transaction\"",
            "\"batch\"",
            "\"resourceType\":\"Bundle\"",
            "urn:oid:1.2.3",
            "#",
            "/_history/1",
            "null",
            "{}",
            "[]",
            ",",
        ]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_are_accepted_by_their_targets_for_the_most_part() {
        for name in NAMES {
            let mut target = named(name).expect("a target")();
            let seeds = crate::seeds::of(name).expect("seeds");
            let some: Vec<_> = seeds.iter().step_by(seeds.len().div_ceil(60)).collect();
            let outcomes = some.iter().map(|seed| target.run(seed));
            let mut accepted = 0;
            for outcome in outcomes {
                assert!(!matches!(outcome, Outcome::Broken(_)), "{name}: {outcome:?}");
                accepted += usize::from(matches!(outcome, Outcome::Accepted(_)));
            }
            assert!(accepted * 4 >= some.len(), "{name}: {accepted} of {}", some.len());
        }
    }
}
