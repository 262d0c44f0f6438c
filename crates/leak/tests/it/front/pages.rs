//! The pages for people of the server in memory: a patient, and finding one.

use super::{Front, Who, text};
use leak::wire::{Answer, Request};
use serde_json::Value;

/// What the addresses of pages begin with.
pub(crate) const ROOT: &str = "memory:";

fn page(status: u16, says: &str) -> Answer {
    let headers = vec![("content-type".to_owned(), "text/html; charset=utf-8".to_owned())];
    let printed = "<p class=\"printed\">now</p>";
    Answer { status, headers, body: format!("<main>{says}</main>{printed}").into_bytes() }
}

impl Front {
    pub(super) fn page_for_people(&self, request: &Request, path: &str) -> Answer {
        if request.header("cookie").is_none() {
            return page(401, "Sign in");
        }
        let parts: Vec<&str> = path.trim_matches('/').split('/').collect();
        match parts.as_slice() {
            ["p", id, ..] => match self.current("Patient", id) {
                Some(body) if self.sees(Who::Persona, body, &["page"]) => {
                    page(200, &body.to_string())
                }
                Some(_) if self.is_off("page-absent") && request.method == "GET" => {
                    page(403, "Not yours")
                }
                Some(_)
                    if ["page-form", "page-arrival"].iter().any(|off| self.is_off(off))
                        && request.method == "POST" =>
                {
                    page(409, "It changed meanwhile")
                }
                _ => page(404, "There is nothing here"),
            },
            [end @ ("find" | "register")] if request.method == "POST" => {
                let form = String::from_utf8_lossy(&request.body).to_lowercase();
                let field = |name: &str| form.split('&').find_map(|pair| pair.strip_prefix(name));
                let asked = field("q=").or_else(|| field("family="));
                let asked = asked.unwrap_or("").replace("%23", "");
                let guard = if *end == "find" { "page-find" } else { "page-register" };
                let patients = self.store.iter().filter(|((kind, _), _)| kind == "Patient");
                let bodies = patients.filter_map(|(_, all)| all.last()?.body.as_ref());
                let found = bodies
                    .filter(|body| fits(body, &asked))
                    .filter(|body| self.sees(Who::Persona, body, &[guard]))
                    .map(|body| text(body, "id"));
                page(200, &found.collect::<Vec<_>>().join(" "))
            }
            _ => page(200, "A page"),
        }
    }
}

fn fits(body: &Value, asked: &str) -> bool {
    let family = body.pointer("/name/0/family").and_then(Value::as_str).unwrap_or("");
    let birth = text(body, "birthDate");
    family.to_lowercase().starts_with(asked) || birth == asked || text(body, "id") == asked
}
