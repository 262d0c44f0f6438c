//! Every address and method that the server answers, asked by every kind of caller: one table for review
//! (45 CFR 164.312(a)(1), (d); OWASP API9). The rows come from the tables of routes, so an address that
//! nobody has looked at fails here. `PLUMMER_BLESS=1` writes the table anew.

use crate::callers::{self, Caller};
use crate::client::Answer;
use crate::smart_site::Site;
use server::route::{Interaction, ROUTES, Shape};
use std::collections::BTreeMap;
use std::fmt::Write as _;

const JSON: (&str, &str) = ("Content-Type", "application/fhir+json");
/// The id of what is changed, with a number behind it.
const SPARE: &str = "spare";
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

/// What is called for a form of address. A new form must say its own.
const fn address(shape: Shape) -> &'static str {
    match shape {
        Shape::Metadata => "/metadata",
        Shape::Base => "/",
        Shape::SystemSearch => "/_search",
        Shape::SystemHistory => "/_history",
        Shape::Type => "/Observation",
        Shape::TypeSearch => "/Patient/_search",
        Shape::TypeHistory => "/Patient/_history",
        Shape::Instance => "/Patient/ada",
        Shape::InstanceHistory => "/Patient/ada/_history",
        Shape::Version => "/Patient/ada/_history/1",
        Shape::Compartment => "/Patient/ada/Observation",
        Shape::CompartmentSearch => "/Patient/ada/Observation/_search",
        Shape::Everything => "/Patient/ada/$everything",
        Shape::BreakGlass => "/Patient/ada/$break-glass",
        Shape::WhoSaw => "/Patient/ada/$who-saw",
        Shape::SystemOperation => "/$count-patients",
        Shape::TypeOperation => "/Patient/$say",
        Shape::InstanceOperation => "/Patient/ada/$change",
    }
}

fn observation(id: &str) -> String {
    let id = if id.is_empty() { String::new() } else { format!(r#""id":"{id}","#) };
    format!(
        r#"{{"resourceType":"Observation",{id}"identifier":[{{"system":"urn:obs","value":"spare"}}],"status":"final","code":{{"text":"x"}},"subject":{{"reference":"Patient/ada"}}}}"#
    )
}

/// One request of a row.
struct Request {
    path: String,
    headers: Vec<(&'static str, &'static str)>,
    body: String,
}

/// What is asked. What changes is an Observation of Ada's, put there before each call.
fn request(shape: Shape, interaction: Interaction, method: &str) -> Request {
    let (path, query) = match interaction {
        Interaction::Update | Interaction::Delete => ("/Observation/spare", ""),
        Interaction::ConditionalUpdate | Interaction::ConditionalDelete => {
            (address(shape), "?_id=spare")
        }
        Interaction::SearchSystem if method == "GET" => {
            (address(shape), "?_type=Patient,Observation")
        }
        _ => (address(shape), ""),
    };
    let search = method == "POST" && path.ends_with("_search");
    let body = match interaction {
        Interaction::Update => observation("spare"),
        Interaction::Create | Interaction::ConditionalUpdate => observation(""),
        Interaction::SearchSystem if search => "_type=Patient".to_owned(),
        Interaction::BreakGlass => r#"{"resourceType":"Parameters","parameter":[{"name":"reason","valueString":"unconscious in the emergency room"}]}"#.to_owned(),
        Interaction::Bundle => r#"{"resourceType":"Bundle","type":"batch","entry":[{"request":{"method":"GET","url":"Patient/ada"}}]}"#.to_owned(),
        _ => String::new(),
    };
    let headers = vec![if search { FORM } else { JSON }];
    Request { path: format!("/fhir{path}{query}"), headers, body }
}

/// The status, and the code of a refusal.
fn outcome(answer: &Answer) -> String {
    let json = answer.header("content-type").is_some_and(|kind| kind.contains("json"));
    if answer.status < 400 || answer.body.is_empty() || !json {
        return answer.status.to_string();
    }
    let code = answer.at("issue.0.details.coding.0.code");
    let code = if code.is_empty() { answer.at("error") } else { code };
    format!("{} {code}", answer.status)
}

struct Table {
    site: Site,
    callers: Vec<Caller>,
    text: String,
    calls: usize,
}

impl Table {
    /// Asks as everybody and writes who was answered how.
    fn row(&mut self, name: &str, method: &str, request: &Request) {
        let mut said: BTreeMap<String, Vec<&str>> = BTreeMap::new();
        for caller in &self.callers {
            // Each call has a record of its own to change.
            self.calls += 1;
            let own = format!("{SPARE}-{}", self.calls);
            let (path, body) =
                (request.path.replace(SPARE, &own), request.body.replace(SPARE, &own));
            if path.contains(&own) {
                self.site.put(&format!("Observation/{own}"), &observation(&own));
            }
            let answer = caller.ask(&self.site, method, &path, &request.headers, &body);
            said.entry(outcome(&answer)).or_default().push(&caller.name);
        }
        writeln!(self.text, "{method} {name}").unwrap();
        for (outcome, mut names) in said {
            if names.len() == self.callers.len() {
                names = vec!["everybody"];
            }
            writeln!(self.text, "  {outcome:<36} {}", names.join("; ")).unwrap();
        }
    }
}

#[test]
fn attack_50_every_address_is_asked_by_every_kind_of_caller() {
    let site = Site::guarded();
    let callers = callers::all(&site);
    let mut table = Table { site, callers, text: String::new(), calls: 0 };
    table.text.push_str("# Every method on every address, and how each kind of caller is answered: the status, the code of a\n# refusal, and who. Patients are Ada's own; what changes is an Observation of Ada's. 404 and 200 of a\n# search say nothing of what is there: each sees what it may. All ask from the server's own machine, which\n# is shown figures.\n\n");
    // An emergency lasts, so it comes last.
    let (last, first): (Vec<_>, Vec<_>) =
        ROUTES.iter().partition(|row| row.interaction == Interaction::BreakGlass);
    for row in first.into_iter().chain(last) {
        let name = format!("/fhir{} {}", row.shape.template(), row.interaction.name());
        let method = row.method.as_str();
        table.row(&name, method, &request(row.shape, row.interaction, method));
    }
    let plain =
        |path: &str| Request { path: path.to_owned(), headers: vec![FORM], body: String::new() };
    table.row("/fhir/[type]/[id] head", "HEAD", &plain("/fhir/Patient/ada"));
    table.row("/fhir/[type]/[id] options", "OPTIONS", &plain("/fhir/Patient/ada"));
    table.row("/fhir/[type]/[id] patch", "PATCH", &plain("/fhir/Patient/ada"));
    table.row("an address there is not", "GET", &plain("/fhir/wat"));
    table.text.push('\n');
    // None of these has a body: whoever asks nothing is told so, or shown a page, whatever the token.
    for (method, path) in server::auth_addresses() {
        table.row(&path, method.as_str(), &plain(&path));
    }
    for path in server::HEALTH {
        table.row(path, "GET", &plain(path));
    }
    testkit::golden::hold(env!("CARGO_MANIFEST_DIR"), "route-auth.txt", &table.text);
    // Whatever the table says: without a caller nothing of a patient is answered.
    let nobody = table.callers.iter().find(|caller| caller.name == "nobody").unwrap();
    for row in ROUTES.iter().filter(|row| row.interaction != Interaction::Capabilities) {
        let request = request(row.shape, row.interaction, row.method.as_str());
        let method = row.method.as_str();
        let answer =
            nobody.ask(&table.site, method, &request.path, &request.headers, &request.body);
        assert_eq!(answer.status, 401, "{method} {}", row.shape.template());
    }
}
