//! JSON compared by its meaning (RFC 8259): members in any order, numbers by their text, since a dose
//! of `1.0` is not a dose of `1` (<https://hl7.org/fhir/R4/json.html#primitive>). A parser apart from
//! the server's own, so that a fault there is not repeated here.

use anyhow::{Context, bail};

/// Deeper than any example.
const DEPTH_MAX: usize = 200;
/// What a label names as its basis that the server gave by a rule.
const LABELLING_RULES: &str = "https://plummer.health/fhir/CodeSystem/labelling-rule";

/// A value with its numbers as written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Json {
    /// `null`, `true` or `false`, or a number, as written.
    Bare(String),
    /// A string, with its escapes resolved.
    Text(String),
    /// A list.
    List(Vec<Self>),
    /// Members in the order written.
    Object(Vec<(String, Self)>),
}

impl Json {
    /// Reads one value, and nothing after it.
    pub fn parse(text: &str) -> anyhow::Result<Self> {
        let mut reader = Reader { text, at: 0 };
        let value = reader.value(0)?;
        reader.space();
        if reader.at != text.len() {
            bail!("something follows the value at byte {}", reader.at);
        }
        Ok(value)
    }

    /// A member of an object.
    pub fn get(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        members.iter().find(|(n, _)| n == name).map(|(_, value)| value)
    }

    /// The text, if it is one.
    pub fn text(&self) -> Option<&str> {
        let Self::Text(text) = self else { return None };
        Some(text)
    }

    /// Whether a security label says that a rule of the server's labelling gave it.
    fn is_by_rule(&self) -> bool {
        let Some(Self::List(extensions)) = self.get("extension") else { return false };
        extensions.iter().any(|extension| {
            let basis = extension.get("valueCoding").and_then(|coding| coding.get("system"));
            basis.and_then(Self::text) == Some(LABELLING_RULES)
        })
    }

    /// Takes away what a server assigns (`meta.versionId`, `meta.lastUpdated`, labels of its rules), and a `meta` or `id`
    /// that holds nothing else.
    pub fn without_server_parts(mut self, and_id: bool) -> Self {
        if let Self::Object(members) = &mut self {
            members.retain_mut(|(name, value)| match (name.as_str(), value) {
                ("id", _) => !and_id,
                ("meta", Self::Object(meta)) => {
                    meta.retain_mut(|(name, value)| match (name.as_str(), value) {
                        ("versionId" | "lastUpdated", _) => false,
                        ("security", Self::List(labels)) => {
                            labels.retain(|label| !label.is_by_rule());
                            !labels.is_empty()
                        }
                        _ => true,
                    });
                    !meta.is_empty()
                }
                _ => true,
            });
        }
        self
    }
}

/// Where two values first differ, as a path and both sides.
pub fn difference(left: &Json, right: &Json) -> Option<String> {
    differ(left, right, "$")
}

fn differ(left: &Json, right: &Json, path: &str) -> Option<String> {
    match (left, right) {
        (Json::Object(a), Json::Object(b)) => {
            for (name, value) in a {
                let Some(other) = right.get(name) else {
                    return Some(format!("{path}.{name} is gone"));
                };
                if let Some(found) = differ(value, other, &format!("{path}.{name}")) {
                    return Some(found);
                }
            }
            let new = b.iter().find(|(name, _)| left.get(name).is_none());
            new.map(|(name, _)| format!("{path}.{name} is new"))
        }
        (Json::List(a), Json::List(b)) if a.len() == b.len() => {
            let mut pairs = a.iter().zip(b).enumerate();
            pairs.find_map(|(i, (x, y))| differ(x, y, &format!("{path}[{i}]")))
        }
        _ if left == right => None,
        _ => Some(format!("{path}: {} became {}", short(left), short(right))),
    }
}

fn short(value: &Json) -> String {
    format!("{value:?}").chars().take(80).collect()
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Reader<'t> {
    fn value(&mut self, depth: usize) -> anyhow::Result<Json> {
        if depth > DEPTH_MAX {
            bail!("deeper than {DEPTH_MAX}");
        }
        self.space();
        match self.peek().context("the text ends early")? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => Ok(Json::Text(self.string()?)),
            _ => Ok(Json::Bare(self.bare()?.to_owned())),
        }
    }

    fn object(&mut self, depth: usize) -> anyhow::Result<Json> {
        let mut members = Vec::new();
        self.at += 1;
        if self.comes(b'}') {
            return Ok(Json::Object(members));
        }
        loop {
            self.space();
            let name = self.string()?;
            if !self.comes(b':') {
                bail!("no colon at byte {}", self.at);
            }
            members.push((name, self.value(depth + 1)?));
            if self.comes(b'}') {
                return Ok(Json::Object(members));
            }
            if !self.comes(b',') {
                bail!("no comma at byte {}", self.at);
            }
        }
    }

    fn list(&mut self, depth: usize) -> anyhow::Result<Json> {
        let mut items = Vec::new();
        self.at += 1;
        if self.comes(b']') {
            return Ok(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            if self.comes(b']') {
                return Ok(Json::List(items));
            }
            if !self.comes(b',') {
                bail!("no comma at byte {}", self.at);
            }
        }
    }

    /// The quoted text, its escapes resolved by the JSON library for that piece alone.
    fn string(&mut self) -> anyhow::Result<String> {
        let start = self.at;
        if self.peek() != Some(b'"') {
            bail!("no string at byte {start}");
        }
        self.at += 1;
        loop {
            match self.peek().context("a string does not end")? {
                b'"' => break,
                b'\\' => self.at += 2,
                _ => self.at += 1,
            }
        }
        self.at += 1;
        let quoted = self.text.get(start..self.at).context("a string cut inside a character")?;
        Ok(serde_json::from_str(quoted)?)
    }

    fn bare(&mut self) -> anyhow::Result<&'t str> {
        let start = self.at;
        while self.peek().is_some_and(|b| b.is_ascii_alphanumeric() || b"+-.".contains(&b)) {
            self.at += 1;
        }
        let word = self.text.get(start..self.at).unwrap_or("");
        let number = word.starts_with(|c: char| c == '-' || c.is_ascii_digit());
        if !number && !matches!(word, "null" | "true" | "false") {
            bail!("no value at byte {start}");
        }
        Ok(word)
    }

    fn comes(&mut self, byte: u8) -> bool {
        self.space();
        let comes = self.peek() == Some(byte);
        self.at += usize::from(comes);
        comes
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|b| b.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn compare(left: &str, right: &str) -> Option<String> {
        difference(&Json::parse(left).expect("left"), &Json::parse(right).expect("right"))
    }

    #[test]
    fn order_and_escapes_do_not_matter_and_zeros_do() {
        assert_eq!(compare(r#"{"a":1,"b":"\u00e9\n"}"#, "{ \"b\" : \"é\\n\", \"a\":1 }"), None);
        let found = compare(r#"{"a":[{"v":1.0}]}"#, r#"{"a":[{"v":1}]}"#).expect("a difference");
        assert!(found.starts_with("$.a[0].v:"), "{found}");
        assert!(compare("[1,2]", "[2,1]").is_some());
        assert!(compare("[1]", "[1,1]").is_some());
        assert_eq!(compare(r#"{"a":1}"#, "{}").as_deref(), Some("$.a is gone"));
        assert_eq!(compare("{}", r#"{"a":1}"#).as_deref(), Some("$.a is new"));
    }

    #[test]
    fn broken_texts_are_errors() {
        for bad in ["", "{", "[1,]", "{\"a\"}", "tru", "1 2", "\"\\\"", "{\"a\":1 \"b\":2}"] {
            assert!(Json::parse(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn what_a_server_assigns_is_put_aside() {
        let value = Json::parse(r#"{"id":"x","meta":{"versionId":"1","tag":[]},"a":1}"#);
        let kept = value.expect("a value").without_server_parts(true);
        assert_eq!(kept, Json::parse(r#"{"meta":{"tag":[]},"a":1}"#).expect("a value"));
    }
}
