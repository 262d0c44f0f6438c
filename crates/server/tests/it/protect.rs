//! What every answer tells a browser, one golden text over all kinds of answers.

use crate::client::{Answer, Running, patient};
use std::fmt::Write as _;

/// Headers whose values differ from run to run.
const CHANGING: [&str; 6] =
    ["content-location", "date", "x-request-id", "last-modified", "location", "content-length"];

fn tell(out: &mut String, what: &str, answer: &Answer) {
    let _ = writeln!(out, "{what}: {}", answer.status);
    let mut headers = answer.headers.clone();
    headers.sort();
    for (name, value) in headers {
        let value = if CHANGING.contains(&name.as_str()) { "…" } else { &value };
        let _ = writeln!(out, "  {name}: {value}");
    }
    out.push('\n');
}

#[test]
fn every_kind_of_answer_has_the_headers_as_reviewed() {
    let list = |c: &mut server::Config| {
        c.cors_origins = vec!["https://app.example".into()];
        c.rates.exempt_roles.clear();
        c.rates.requests_per_s = 1;
        c.rates.requests_burst = 17;
    };
    let server = Running::with(list, |_| {});
    let mut out = String::new();
    let origin = ("Origin", "https://app.example");
    let page = [("Content-Type", "text/html")];
    tell(&mut out, "capabilities", &server.get("/metadata"));
    tell(&mut out, "update", &server.put("/Patient/a", &patient("a", "A")));
    tell(&mut out, "read", &server.get("/Patient/a"));
    tell(
        &mut out,
        "read, packed",
        &server.send("GET", "/metadata", &[("Accept-Encoding", "gzip")], b""),
    );
    tell(&mut out, "search", &server.get("/Patient?family=A"));
    tell(&mut out, "history", &server.get("/Patient/a/_history"));
    tell(&mut out, "batch", &server.post("/", r#"{"resourceType":"Bundle","type":"batch"}"#));
    let made = server.send("PUT", "/Binary/b", &page, b"<script>alert(1)</script>");
    tell(&mut out, "update of a Binary", &made);
    tell(&mut out, "bytes of a Binary", &server.get("/Binary/b"));
    tell(&mut out, "a Binary as a resource", &server.get("/Binary/b?_format=json"));
    tell(&mut out, "delete", &server.delete("/Patient/a"));
    tell(&mut out, "refused", &server.get("/Patient/a"));
    tell(&mut out, "no such method", &server.send("PATCH", "/Patient/a", &[], b""));
    tell(&mut out, "no such address", &server.get("//nowhere"));
    tell(&mut out, "a page of another origin", &server.send("GET", "/metadata", &[origin], b""));
    tell(&mut out, "before a page calls", &server.send("OPTIONS", "/Patient/a", &[origin], b""));
    tell(&mut out, "metrics", &server.get("//metrics"));
    tell(&mut out, "health", &server.get("//health/ready"));
    tell(&mut out, "too many requests", &server.get("/Patient/a"));
    insta::assert_snapshot!("headers", out);
}
