//! Every way to be refused, as a client sees it: the status, the code, the sentence, the headers that say
//! what to do next, and what the answer does not tell; with the exception of 45 CFR part 171 under which
//! the code stands (`access::exception`). One golden text for review; `PLUMMER_BLESS=1` writes it anew.

use crate::attacks::world::{PART2, World, observation};
use crate::callers;
use crate::client::{Answer, Running, patient, person};
use crate::smart_site::Site;
use identity::{Kind, Profile};
use std::fmt::Write as _;

const JSON: (&str, &str) = ("Content-Type", "application/fhir+json");
const GLASS: &str = r#"{"resourceType":"Parameters","parameter":[{"name":"reason","valueString":"unconscious in the emergency room"}]}"#;
/// What no refusal quotes: who it is about, by which label or rule it is hidden, and what the store is.
const NEVER: [&str; 12] = [
    "bob",
    "Bob",
    "part2",
    "42CFRPart2",
    "Zimmerly",
    "1980-01-01",
    "clinician-view",
    "wall",
    "Consent",
    "86406008",
    "sqlite",
    "cedar",
];

#[derive(Default)]
struct Denials(String);

impl Denials {
    fn heading(&mut self, text: &str) {
        writeln!(self.0, "\n== {text}").unwrap();
    }

    /// Writes a refusal down. `silent` is what it must not tell.
    fn add(&mut self, how: &str, silent: &str, answer: &Answer) {
        assert!(answer.status >= 400, "{how}: {}", answer.status);
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        for never in NEVER {
            assert!(!text.contains(never), "{how} tells {never}");
        }
        let code = answer.code();
        let exception = access::exception(&code);
        // Whoever is kept from a record is kept under an exception, or there is nothing to be had.
        let kept_from = matches!(answer.status, 401 | 403 | 404 | 410 | 429 | 503);
        assert!(exception.is_some() || !kept_from, "{code} stands under no exception");
        writeln!(self.0, "\n{how}").unwrap();
        writeln!(self.0, "  {} {code} ({})", answer.status, answer.at("issue.0.code")).unwrap();
        let mut says = answer.at("issue.0.diagnostics");
        // How long depends on how much was used meanwhile.
        if code == "server.cost.exceeded" {
            says = says.replace(|c: char| c.is_ascii_digit(), "…");
        }
        writeln!(self.0, "  says: {says}").unwrap();
        for name in ["www-authenticate", "retry-after", "allow"] {
            if let Some(value) = answer.header(name) {
                writeln!(self.0, "  {name}: {value}").unwrap();
            }
        }
        if !silent.is_empty() {
            writeln!(self.0, "  does not tell: {silent}").unwrap();
        }
        let of = exception.map_or("the request itself is refused", |of| of.paragraph());
        writeln!(self.0, "  information blocking: {of}").unwrap();
    }
}

/// Refusals for want of a caller who is somebody.
fn callers_refused(out: &mut Denials) {
    out.heading("Who asks is not known, or no longer");
    let world = World::new();
    let identity = world.server.record.identity();
    let ask = |headers: &[(&str, &str)]| world.server.send("GET", "/Patient/bob", headers, b"");
    let silent = "whether there is such a record";
    out.add("No token", silent, &ask(&[("Authorization", "")]));
    out.add("Basic instead of Bearer", silent, &ask(&[("Authorization", "Basic YTpi")]));
    let two = [("Authorization", "Bearer a"), ("Authorization", "Bearer b")];
    out.add("Two Authorization headers", silent, &ask(&two));
    let made_up = format!("Bearer plm_{}", "A".repeat(43));
    let whose = "whether the token ever was one, and whose";
    out.add("A made-up token", whose, &ask(&[("Authorization", &made_up)]));
    let token = |name: &str, ttl| {
        let who = identity.create(Kind::Person, person(name, &["him"])).unwrap();
        let opened = identity.issue(who.id, ttl, "a test").unwrap();
        (who, format!("Bearer {}", opened.token.text().expose()))
    };
    let (_, expired) = token("past", 1);
    std::thread::sleep(std::time::Duration::from_millis(20));
    out.add("A token whose time is over", "whose it was", &ask(&[("Authorization", &expired)]));
    let (gone, revoked) = token("gone", 60_000);
    identity.revoke_all(gone.id).unwrap();
    out.add("A token that was revoked", whose, &ask(&[("Authorization", &revoked)]));
    let (shut, disabled) = token("shut", 60_000);
    identity.disable(shut.id, shut.version, "left").unwrap();
    let reason = "that somebody was shut out, and why";
    out.add("A token of somebody who is disabled", reason, &ask(&[("Authorization", &disabled)]));
}

/// Refusals by policies, walls, consents and masks.
fn rights_refused(out: &mut Denials) {
    out.heading("Who asks may not");
    let world = World::new();
    let one = |name: &str, roles: &[&str]| {
        world.server.token(Kind::Person, Profile { ..person(name, roles) })
    };
    let as_one = |token: &str, path: &str| world.server.get_as(token, path);
    let (it, biller) = (one("it", &["it-administrator"]), one("biller", &["biller"]));
    let which = "which record, and whether there is one: the whole type is closed to the role";
    out.add("A role that sees no record of the type", which, &as_one(&it, "/Patient/bob"));
    out.add("A search of such a type", "how many there are", &as_one(&biller, "/Observation"));
    out.add("Nobody's role", which, &as_one(&one("none", &[]), "/Patient/bob"));
    let purpose = |purpose| {
        let headers = [("X-Purpose-Of-Use", purpose)];
        world.send_with(&world.who, "GET", "/Patient/bob", &headers, "")
    };
    out.add("For a purpose that the role does not have", which, &purpose("HMARKT"));
    out.add("For a purpose that the role may not work for", which, &purpose("HPAYMT"));
    let there = "that there is one: the answer is that of an id nobody ever had";
    out.add("A record of somebody else's patient", there, &world.get("/Observation/of-bob"));
    out.add("Its history", there, &world.get("/Observation/of-bob/_history"));
    out.add("Its first version", there, &world.get("/Observation/of-bob/_history/1"));
    out.add("Everything of such a patient", there, &world.get("/Patient/bob/$everything"));
    out.add("A record behind the wall of 42 CFR Part 2", there, &world.get("/Observation/part2"));
    let deny = r#"{"resourceType":"Consent","id":"deny","status":"active","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},"category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}],"patient":{"reference":"Patient/ann"},"policyRule":{"text":"of the clinic"},"provision":{"type":"deny","class":[{"system":"http://hl7.org/fhir/resource-types","code":"DiagnosticReport"}]}}"#;
    world.put("/Consent/deny", deny);
    let denied = world.get("/DiagnosticReport/of-ann");
    out.add("A record that the patient denied to others", "that somebody denied it", &denied);
    out.add(
        "A delete by who may read",
        "",
        &world.send(&world.who, "DELETE", "/Observation/of-ann", ""),
    );
    let body = observation("of-bob", "ann", 1, "2021-01-01", "");
    let hidden = world.send(&world.who, "PUT", "/Observation/of-bob", &body);
    out.add("An update of what is hidden", there, &hidden);
    let body = observation("of-ann", "bob", 1, "2021-01-01", "");
    let moved = world.send(&world.who, "PUT", "/Observation/of-ann", &body);
    out.add(
        "An update that takes a record to another patient",
        "whether there is such a patient",
        &moved,
    );
    let link = world.server.get("/Observation?_count=1").link("next").unwrap();
    out.add("A page link of somebody who sees more", "whose it was", &world.get(&link));
    world.server.delete("/Condition/of-ann");
    out.add("What was deleted, to who might see it", "", &world.get("/Condition/of-ann"));
    world.server.delete("/Observation/of-bob");
    out.add("What was deleted, to who might not", there, &world.get("/Observation/of-bob"));
    masked(out, &world);
    glass(out, &world);
}

fn masked(out: &mut Denials, world: &World) {
    let desk = Profile { sites: vec!["north".into()], ..person("desk", &["front-desk"]) };
    let desk = world.server.token(Kind::Person, desk);
    let reason = r#""reasonCode":[{"coding":[{"code":"86406008"}]}],"#;
    let body = |reason: &str| {
        format!(
            r#"{{"resourceType":"Appointment","id":"a","status":"booked",{reason}"participant":[{{"actor":{{"reference":"Patient/ann"}},"status":"accepted"}}]}}"#
        )
    };
    world.put("/Appointment/a", &body(reason));
    let search = world.server.get_as(&desk, "/Appointment?reason-code=http://x|y");
    out.add(
        "A search by an element the role is not shown",
        "that there is such an element",
        &search,
    );
}

/// Refusals of an emergency.
fn glass(out: &mut Denials, world: &World) {
    out.heading("An emergency");
    let patient = "whether there is such a patient";
    let script = world.send(&world.who, "POST", "/Patient/bob/$break-glass", GLASS);
    out.add("Without having shown a factor just now", patient, &script);
    let site = Site::guarded();
    let ask = |token: &str, body: &str| site.ask(token, "POST", "/Patient/bob/$break-glass", body);
    let desk = callers::signed_in(&site, "desk", &["front-desk"]);
    out.add("By a role that no policy permits it", patient, &ask(&desk, GLASS));
    let er = callers::signed_in(&site, "er", &["clinician"]);
    let short = GLASS.replace("unconscious in the emergency room", "why not");
    out.add("Without a reason", patient, &ask(&er, &short));
    for _ in 0..10 {
        assert_eq!(ask(&er, GLASS).status, 200);
    }
    out.add("For the eleventh time within a day", patient, &ask(&er, GLASS));
}

/// Refusals of apps.
fn apps_refused(out: &mut Denials) {
    out.heading("An app");
    let site = Site::guarded();
    let get = |token: &str, path: &str| site.ask(token, "GET", path, "");
    let one = callers::given(&site, "launch/patient patient/Observation.rs");
    let what = "what its user could see";
    out.add("A type outside its scopes", what, &get(&one, "/Patient/ada"));
    let written = site.ask(
        &one,
        "POST",
        "/Observation",
        &observation("x", "ada", 1, "2021-01-01", "").replace(r#""id":"x","#, ""),
    );
    out.add("A change with a scope to read", what, &written);
    let there = "that there is one";
    out.add(
        "A record of another patient than the one in context",
        there,
        &get(&one, "/Observation/x"),
    );
    let glass = site.ask(&one, "POST", "/Patient/ada/$break-glass", GLASS);
    out.add("An emergency of its user", "", &glass);
    let service = callers::backend(&site, "feed", &[], "system/Patient.rs");
    out.add("A service without a role", what, &get(&service, "/Patient/ada"));
    let (_, agent) = callers::made(&site, Kind::Agent, "agent", &["agent"]);
    out.add("An agent that acts for nobody", "", &get(&agent, "/Patient/ada"));
    let user = callers::signed_in(&site, "grace", &["clinician"]);
    let agent = callers::Signs::agent(&site, "phone-line", "user/*.cruds");
    let token = agent.acts_for(&site, &user, "user/*.cruds");
    let glass = site.ask(&token, "POST", "/Patient/ada/$break-glass", GLASS);
    out.add("An agent in an emergency of whom it acts for", "", &glass);
    let change = observation("x", "ada", 1, "2021-01-01", "").replace(r#""id":"x","#, "");
    let change = site.ask(&token, "POST", "/Observation", &change);
    out.add("A change by an agent that its user may make", "", &change);
    let person = site.smart.identity().find_by_name("grace").unwrap().unwrap();
    let given = site.smart.given_by(person.id).remove(0);
    site.smart.revoke_given(person.id, given.grant.id).unwrap();
    let whose = "for whom it acted, and who ended it";
    out.add("An agent whose delegation was ended", whose, &get(&token, "/Patient/ada"));
}

/// Refusals that keep the server up, and of what is no request.
fn bounds(out: &mut Denials) {
    out.heading("A bound");
    let own = |config: &mut server::Config| {
        config.rates.exempt_roles.clear();
        config.rates.requests_burst = 3;
        config.rates.requests_per_s = 1;
    };
    let server = Running::with(own, |_| {});
    for _ in 0..3 {
        assert_eq!(server.get("/Patient/bob").status, 404);
    }
    let one_more = server.get("/Patient/bob");
    out.add("More requests than a caller may send", "whether there is such a record", &one_more);
    let own = |config: &mut server::Config| {
        config.rates.exempt_roles.clear();
        config.rates.cost_burst = 2000;
        config.rates.cost_per_s = 1000;
    };
    let server = Running::with(own, |_| {});
    server.put("/Patient/a", &patient("a", &"x".repeat(100_000)));
    let mut answer = server.get("/Patient/a");
    answer.headers.retain(|(name, _)| name != "retry-after");
    out.add("More work than a caller may ask for (and when to come again)", "", &answer);
    let server = Running::with(|_| {}, |settings| settings.limits.search_steps = 10);
    let entries: Vec<String> = (0..30)
        .map(|n| {
            format!(
                r#"{{"resource":{},"request":{{"method":"POST","url":"Patient"}}}}"#,
                patient("", &format!("F{n}"))
            )
        })
        .collect();
    let bundle = format!(
        r#"{{"resourceType":"Bundle","type":"transaction","entry":[{}]}}"#,
        entries.join(",")
    );
    assert_eq!(server.post("/", &bundle).status, 200);
    let costly = server.get("/Patient?family:contains=zz");
    out.add("A search that costs too much", "how many there are", &costly);
    out.heading("No door");
    let server = Running::start();
    out.add("A method there is not", "", &server.send("PATCH", "/Patient/a", &[JSON], b"[]"));
    out.add("An operation there is not", "", &server.get("/Patient/a/$export"));
    out.add("A type there is not", "", &server.get("/Patientt/a"));
    out.add("An address there is not", "", &server.get("/wat/a/b/c/d"));
    out.add(
        "Another form than JSON",
        "",
        &server.send("GET", "/Patient/a", &[("Accept", "application/fhir+xml")], b""),
    );
    out.add(
        "A page of another origin",
        "",
        &server.send("GET", "/Patient/a", &[("Origin", "https://evil.example")], b""),
    );
    out.add(
        "Another host's name",
        "",
        &server.send("GET", "/Patient/a", &[("Host", "evil.example")], b""),
    );
}

/// A key that was destroyed.
fn shredded(out: &mut Denials) {
    out.heading("It is no longer there");
    let server = Running::with(|_| {}, |settings| settings.encryption.on = true);
    server.put("/Patient/bob", &patient("bob", "Bob"));
    let session = server.record.session(record::Subject::operator(), [9; 16]);
    session.shred("bob").unwrap();
    out.add("A patient whose key was destroyed", "who it was", &server.get("/Patient/bob"));
}

#[test]
fn every_way_to_be_refused_reads_as_reviewed() {
    let mut out = Denials::default();
    out.0.push_str("Every way to be refused, as a client sees it. The text behind `says` is the diagnostics of the\nOperationOutcome. What an answer does not tell is held by the attack tests (docs/compliance/attacks.md).\nThe exceptions of 45 CFR part 171 are for a lawyer to review.\n");
    callers_refused(&mut out);
    rights_refused(&mut out);
    apps_refused(&mut out);
    bounds(&mut out);
    shredded(&mut out);
    assert!(!out.0.contains(PART2));
    testkit::golden::hold(env!("CARGO_MANIFEST_DIR"), "denials.txt", &out.0);
}
