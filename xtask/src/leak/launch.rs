//! Tokens of apps, as apps get them on our own server: a person signs in on its pages in a browser that
//! keeps cookies and sends forms, and approves (SMART App Launch 2, standalone,
//! <https://hl7.org/fhir/smart-app-launch/STU2.2/app-launch.html>). Nothing here knows more of the
//! server than a browser does.

use anyhow::{Context, bail};
use conformance::http::{Answer, Http};
use std::collections::BTreeMap;
use std::thread;
use std::time::Duration;

/// Where the app is sent back to. Nobody listens there: the code is read off the redirect.
pub(super) const BACK: &str = "https://leak.example/back";
/// The example of RFC 7636, appendix B: a verifier and its challenge.
const VERIFIER: &str = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
const CHALLENGE: &str = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
/// Times a sign-in is tried again that came too soon, and the longest wait for it, in seconds.
const PATIENCE: u32 = 20;
const WAIT_MAX_S: u64 = 30;
/// Redirects in a row; no page of ours has more than two.
const HOPS_MAX: usize = 6;

/// What an app is given when somebody with a name and a password approves these scopes.
pub(super) fn token(
    base: &str,
    app: &str,
    scopes: &str,
    (name, password): (&str, &str),
) -> anyhow::Result<String> {
    let root = base.strip_suffix("/fhir").context("our own base ends in /fhir")?;
    let mut browser = Browser { http: Http::new(root)?, root, cookies: BTreeMap::new() };
    let query = form(&[
        ("response_type", "code"),
        ("client_id", app),
        ("redirect_uri", BACK),
        ("scope", scopes),
        ("state", "state-of-sixteen-or-more"),
        ("aud", base),
        ("code_challenge", CHALLENGE),
        ("code_challenge_method", "S256"),
    ]);
    let mut page = browser.open("GET", &format!("{root}/auth/authorize?{query}"), "")?;
    // Sign in, and approve; whoever has one patient is asked for none.
    for _ in 0..4 {
        let request = page.field("request").or_else(|| page.field("next"));
        let request = request.context("the page holds no request")?;
        let hidden = page.field("form").context("the page has no form")?;
        let action = page.after("action=\"").context("the form goes nowhere")?;
        let mut fields = vec![("form", hidden.as_str())];
        if page.text.contains("name=\"password\"") {
            fields.extend([("next", request.as_str()), ("name", name), ("password", password)]);
        } else {
            fields.extend([("request", request.as_str()), ("answer", "approve")]);
            fields.extend(scopes.split(' ').map(|scope| ("scope", scope)));
        }
        page = browser.open("POST", &format!("{root}/auth/{action}"), &form(&fields))?;
        if let Some(code) = page.code() {
            return browser.trade(app, &code);
        }
    }
    bail!("{name} approved, and no code came of it")
}

/// The browser of somebody who signs in with a name and a password.
pub(super) fn browser(base: &str, (name, password): (&str, &str)) -> anyhow::Result<leak::Browser> {
    let root = base.strip_suffix("/fhir").context("our own base ends in /fhir")?;
    let mut browser = Browser { http: Http::new(root)?, root, cookies: BTreeMap::new() };
    let page = browser.open("GET", &format!("{root}/auth/sign-in"), "")?;
    let hidden = page.field("form").context("the page has no form")?;
    let fields = [("form", hidden.as_str()), ("next", ""), ("name", name), ("password", password)];
    browser.open("POST", &format!("{root}/auth/sign-in"), &form(&fields))?;
    // What a form brings back is of the session: it is read off a page that only who is signed in gets.
    let page = browser.open("GET", &format!("{root}/settings"), "")?;
    if !page.text.contains("action=\"/auth/sign-out\"") {
        bail!("{name} did not come in");
    }
    let form = ("form".to_owned(), page.field("form").context("the page has no form")?);
    Ok(leak::Browser { root: root.to_owned(), cookies: browser.header(), form })
}

/// Name and value, percent-encoded.
fn form(fields: &[(&str, &str)]) -> String {
    let plain = |text: &str| {
        text.bytes().fold(String::new(), |mut out, byte| {
            match byte {
                b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' => {
                    out.push(char::from(byte));
                }
                _ => out.push_str(&format!("%{byte:02X}")),
            }
            out
        })
    };
    let pairs = fields.iter().map(|(name, value)| format!("{name}={}", plain(value)));
    pairs.collect::<Vec<_>>().join("&")
}

struct Browser<'r> {
    http: Http,
    root: &'r str,
    cookies: BTreeMap<String, String>,
}

/// A page, or the redirect that leaves the server.
struct Page {
    text: String,
    location: Option<String>,
}

impl Browser<'_> {
    fn open(&mut self, method: &str, address: &str, body: &str) -> anyhow::Result<Page> {
        let mut answer = self.send(method, address, body)?;
        for _ in 0..HOPS_MAX {
            let location = answer.header("location").map(str::to_owned);
            match location {
                Some(own) if own.starts_with(self.root) => answer = self.send("GET", &own, "")?,
                location => {
                    let text = String::from_utf8_lossy(&answer.body).into_owned();
                    if answer.status >= 400 {
                        bail!("{method} {address}: {}", answer.status);
                    }
                    return Ok(Page { text, location });
                }
            }
        }
        bail!("{address} leads round in a circle")
    }

    fn send(&mut self, method: &str, address: &str, body: &str) -> anyhow::Result<Answer> {
        let cookies = self.header();
        let mut headers = vec![("accept", "text/html"), ("cookie", cookies.as_str())];
        if method == "POST" {
            headers.extend([FORM, ("origin", self.root)]);
        }
        let mut answer = self.http.another().send(method, address, &headers, body.as_bytes())?;
        // All personas sign in from one address, sooner after each other than people would.
        for _ in 0..PATIENCE {
            if answer.status != 429 {
                break;
            }
            let wait = answer.header("retry-after").and_then(|text| text.parse().ok());
            thread::sleep(Duration::from_secs(wait.unwrap_or(1).clamp(1, WAIT_MAX_S)));
            answer = self.http.another().send(method, address, &headers, body.as_bytes())?;
        }
        let set = answer.headers.iter().filter(|(name, _)| name == "set-cookie");
        for (name, value) in set.filter_map(|(_, value)| value.split(';').next()?.split_once('=')) {
            self.cookies.insert(name.to_owned(), value.to_owned());
        }
        Ok(answer)
    }

    /// What it sends as `Cookie`.
    fn header(&self) -> String {
        let cookies: Vec<String> = self.cookies.iter().map(|(n, v)| format!("{n}={v}")).collect();
        cookies.join("; ")
    }

    fn trade(&mut self, app: &str, code: &str) -> anyhow::Result<String> {
        let fields = form(&[
            ("grant_type", "authorization_code"),
            ("client_id", app),
            ("code", code),
            ("redirect_uri", BACK),
            ("code_verifier", VERIFIER),
        ]);
        let address = format!("{}/auth/token", self.root);
        let headers = [FORM, ("accept", "application/json")];
        let answer = self.http.another().send("POST", &address, &headers, fields.as_bytes())?;
        let answer = answer.ok().context("the code was not traded")?.json()?;
        let token = answer.get("access_token").and_then(|token| token.as_str());
        Ok(token.context("the answer has no access_token")?.to_owned())
    }
}

impl Page {
    /// The value of a hidden field.
    fn field(&self, name: &str) -> Option<String> {
        self.after(&format!("name=\"{name}\" value=\""))
    }

    fn after(&self, start: &str) -> Option<String> {
        let (_, rest) = self.text.split_once(start)?;
        rest.split('"').next().map(str::to_owned)
    }

    /// The code that the browser would take to the app.
    fn code(&self) -> Option<String> {
        let (_, query) = self.location.as_ref()?.strip_prefix(BACK)?.split_once('?')?;
        query.split('&').find_map(|pair| pair.strip_prefix("code=")).map(str::to_owned)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_off_a_page_and_a_code_off_the_way_back() {
        let page = Page {
            text: r#"<form action="approval"><input type="hidden" name="form" value="x1">"#
                .to_owned(),
            location: Some(format!("{BACK}?state=s&code=plc_1")),
        };
        assert_eq!(page.field("form").as_deref(), Some("x1"));
        assert_eq!(page.after("action=\"").as_deref(), Some("approval"));
        assert_eq!(page.code().as_deref(), Some("plc_1"));
        let elsewhere = Page { location: Some("https://evil.example/?code=1".into()), ..page };
        assert_eq!(elsewhere.code(), None);
        assert_eq!(form(&[("a", "b c"), ("d", "e/*.rs")]), "a=b%20c&d=e%2F%2A.rs");
    }
}
