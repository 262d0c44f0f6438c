//! Signing in as one of the people of the demo clinic, by the form that a browser would send, and a token
//! of theirs for the FHIR door.

use super::between;
use anyhow::{Context, bail};
use conformance::http::{Answer, Http, encode_query};
use serde_json::Value;
use std::path::Path;
use std::process::{Command, Stdio};

const FORM: &str = "application/x-www-form-urlencoded";

/// Somebody who is signed in.
#[derive(Debug)]
pub(super) struct Signed {
    /// The header of their cookies, with its line end.
    pub(super) header: String,
    /// The text that their forms carry.
    pub(super) form: String,
}

impl Signed {
    /// Signs in as one of the demo's people, as pressing their button does.
    pub(super) fn begin(root: &str, who: &str) -> anyhow::Result<Self> {
        let mut http = Http::new(root)?;
        let page = http.send("GET", "welcome", &[("accept", "text/html")], b"")?.ok()?;
        let browser = cookies(&page);
        let body =
            fields(&[("form", form_of(&page)?), ("next", String::new()), ("who", who.into())]);
        let headers = [("cookie", browser.as_str()), ("origin", root), ("content-type", FORM)];
        let entered = http.send("POST", "welcome", &headers, body.as_bytes())?;
        let session = cookies(&entered);
        if entered.status != 303 || session.is_empty() {
            bail!("{who} was not signed in, status {}", entered.status);
        }
        let cookie = format!("{browser}; {session}");
        let page =
            http.send("GET", "find", &[("cookie", &cookie), ("accept", "text/html")], b"")?;
        let form = form_of(&page.ok()?)?;
        Ok(Self { header: format!("cookie: {cookie}\r\norigin: {root}\r\n"), form })
    }

    /// What a form of the console sends.
    pub(super) fn fields(&self, more: &[(&str, &str)]) -> String {
        let mut all = vec![("form", self.form.clone())];
        all.extend(more.iter().map(|(name, value)| (*name, (*value).to_owned())));
        fields(&all)
    }
}

/// A token for the FHIR door, good for this day.
pub(super) fn token(binary: &Path, data: &Path, who: &str) -> anyhow::Result<String> {
    let output = Command::new(binary)
        .args(["token", "issue", "--user", who, "--ttl", "8h", "--json", "--data"])
        .arg(data)
        .stdin(Stdio::null())
        .output()
        .context("plummer token did not start")?;
    let told: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| String::from_utf8_lossy(&output.stderr).into_owned())?;
    let token = told.get("token").and_then(Value::as_str).context("no token was issued")?;
    Ok(token.to_owned())
}

fn cookies(answer: &Answer) -> String {
    let set = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
    let pairs = set.filter_map(|(_, value)| value.split(';').next());
    pairs.collect::<Vec<_>>().join("; ")
}

fn form_of(page: &Answer) -> anyhow::Result<String> {
    let text = String::from_utf8_lossy(&page.body);
    Ok(between(&text, "name=\"form\" value=\"", "\"")?.to_owned())
}

fn fields(all: &[(&str, String)]) -> String {
    let one = |(name, value): &(&str, String)| {
        // Signs that have a meaning between fields are written out within one.
        let value = encode_query(value).replace('&', "%26").replace('=', "%3D");
        format!("{name}={value}")
    };
    all.iter().map(one).collect::<Vec<_>>().join("&")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_form_keeps_what_was_typed_apart_from_its_signs() {
        let all = [("q", "o'neil & co = 3/14".to_owned()), ("form", "a_b-c".to_owned())];
        assert_eq!(fields(&all), "q=o%27neil%20%26%20co%20%3D%203/14&form=a_b-c");
    }

    #[test]
    fn cookies_are_sent_back_without_their_terms() {
        let set = |value: &str| ("set-cookie".to_owned(), value.to_owned());
        let answer =
            Answer { headers: vec![set("a=1; Path=/; Secure"), set("b=2")], ..Answer::default() };
        assert_eq!(cookies(&answer), "a=1; b=2");
    }
}
