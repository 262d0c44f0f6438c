//! One clinic, made and parsed once, that the other tests look at.

use std::sync::OnceLock;

use demo::{Clinic, Options};
use serde_json::Value;

/// Enough for every kind of resource to occur many times.
pub(crate) const PATIENTS: u64 = 220;
pub(crate) const TODAY: &str = "2026-11-23";
/// The clinic's clock.
pub(crate) const NOW: &str = "2026-11-23T10:15:00";

/// A parsed clinic: what is shared, and each patient's resources.
pub(crate) struct Parsed {
    pub(crate) shared: Vec<Value>,
    pub(crate) charts: Vec<Vec<Value>>,
}

impl Parsed {
    /// Every resource of a type.
    pub(crate) fn of<'a>(&'a self, kind: &'a str) -> impl Iterator<Item = &'a Value> {
        self.shared
            .iter()
            .chain(self.charts.iter().flatten())
            .filter(move |r| r["resourceType"] == kind)
    }
}

/// The clinic of the tests.
pub(crate) fn made() -> Clinic {
    Clinic::new(Options::new(PATIENTS, 7, (2026, 11, 23)))
}

/// The same, parsed.
pub(crate) fn parsed() -> &'static Parsed {
    static ONCE: OnceLock<Parsed> = OnceLock::new();
    ONCE.get_or_init(|| {
        let clinic = made();
        let read = |r: demo::Resource| -> Value {
            let value: Value =
                serde_json::from_str(&r.json).unwrap_or_else(|e| panic!("{e}: {}", r.json));
            assert_eq!(value["resourceType"], r.resource_type);
            assert_eq!(value["id"], r.id.as_str());
            value
        };
        Parsed {
            shared: clinic.shared().map(read).collect(),
            charts: (0..PATIENTS)
                .map(|i| clinic.patient(i).into_iter().map(read).collect())
                .collect(),
        }
    })
}

/// `Type/id` of a resource.
pub(crate) fn name(resource: &Value) -> String {
    format!("{}/{}", text(&resource["resourceType"]), text(&resource["id"]))
}

/// A string, or the empty one.
pub(crate) fn text(value: &Value) -> &str {
    value.as_str().unwrap_or("")
}

/// Calls `each` with every object member of a resource: path without indexes, value.
pub(crate) fn members<'a>(value: &'a Value, path: &str, each: &mut dyn FnMut(&str, &'a Value)) {
    match value {
        Value::Object(map) => {
            for (key, member) in map {
                let path = format!("{path}.{key}");
                each(&path, member);
                members(member, &path, each);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| members(item, path, each)),
        _ => {}
    }
}

/// A number in units of 10^-`scale`, exactly, by its text.
pub(crate) fn fixed(value: &Value, scale: usize) -> i64 {
    let text = value.to_string();
    let (whole, part) = text.split_once('.').unwrap_or((&text, ""));
    assert!(part.len() <= scale || part.trim_end_matches('0').len() <= scale, "{text}");
    let digits: String = part.chars().chain(std::iter::repeat('0')).take(scale).collect();
    format!("{whole}{digits}").parse().unwrap()
}
