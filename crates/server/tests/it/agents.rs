//! Agents at the FHIR door: what one does for somebody, what it never does, and what is told of it.

use crate::callers::{Signs, signed_in};
use crate::client::Answer;
use crate::smart_scopes::{clinic, ids, observation};
use crate::smart_site::{Making, Site, Visitor};

const ALL: &str = "user/*.cruds";
const GLASS: &str = r#"{"resourceType":"Parameters","parameter":[{"name":"reason","valueString":"unconscious in the emergency room"}]}"#;
const CONFIDENTIALITY: &str = "http://terminology.hl7.org/CodeSystem/v3-Confidentiality";

/// A site with a clinician and an agent that acts for her.
struct Room {
    site: Site,
    agent: Signs,
    /// The clinician's own token.
    own: String,
    /// The agent's.
    token: String,
}

impl Room {
    fn new() -> Self {
        Self::of(clinic(), "clinician")
    }

    fn of(site: Site, role: &str) -> Self {
        let own = signed_in(&site, "grace", &[role]);
        let agent = Signs::agent(&site, "phone-line", ALL);
        let token = agent.acts_for(&site, &own, ALL);
        Self { site, agent, own, token }
    }

    /// What the agent is answered, and what the clinician is.
    fn both(&self, path: &str) -> (Answer, Answer) {
        let ask = |token: &str| self.site.ask(token, "GET", path, "");
        (ask(&self.token), ask(&self.own))
    }

    fn send(&self, method: &str, path: &str, body: &str) -> u16 {
        self.site.ask(&self.token, method, path, body).status
    }
}

/// Ada's notes: one that anybody who treats her sees, and one that is very restricted.
fn restricted(site: &Site) {
    let meta =
        format!(r#""meta":{{"security":[{{"system":"{CONFIDENTIALITY}","code":"V"}}]}},"status""#);
    let body = observation("ada-hidden", "ada", "laboratory").replacen(r#""status""#, &meta, 1);
    site.put("Observation/ada-hidden", &body);
    let condition = r#"{"resourceType":"Condition","id":"of-hidden","subject":{"reference":"Patient/ada"},"evidence":[{"detail":[{"reference":"Observation/ada-hidden"}]}]}"#;
    site.put("Condition/of-hidden", condition);
}

#[test]
fn an_agent_sees_neither_what_its_user_does_not_nor_what_no_agent_does() {
    let room = Room::new();
    restricted(&room.site);
    for (path, agent, user) in [
        ("/Observation/ada-lab", 200, 200),
        ("/Observation/ada-hidden", 404, 200),
        ("/Observation/ada-hidden/_history", 404, 200),
        ("/Observation/ada-hidden/_history/1", 404, 200),
        ("/Observation/carl-lab", 404, 404),
        ("/Patient/carl/$everything", 404, 404),
        ("/Patient/carl", 404, 404),
    ] {
        let (one, two) = room.both(path);
        assert_eq!((one.status, two.status), (agent, user), "{path}");
    }
    let lab = "category=laboratory";
    for (path, agent, user) in [
        (
            format!("/Observation?{lab}"),
            &["ada-lab", "bob-lab"][..],
            &["ada-hidden", "ada-lab", "bob-lab"][..],
        ),
        (
            format!("/Condition?evidence-detail:Observation.{lab}"),
            &["ada-lab", "bob-lab"],
            &["ada-lab", "bob-lab", "of-hidden"],
        ),
        (
            format!(
                "/Patient?_has:Observation:patient:{lab}&_has:Observation:patient:_id=ada-hidden"
            ),
            &[],
            &["ada"],
        ),
        (
            "/Condition?_id=of-hidden&_include=Condition:evidence-detail".to_owned(),
            &["of-hidden"],
            &["ada-hidden", "of-hidden"],
        ),
        (
            "/Patient?_id=ada&_revinclude=Observation:patient".to_owned(),
            &["ada", "ada-lab", "ada-pulse"],
            &["ada", "ada-hidden", "ada-lab", "ada-pulse"],
        ),
    ] {
        let (one, two) = room.both(&path);
        assert_eq!(ids(&one), agent, "{path}");
        assert_eq!(ids(&two), user, "{path}");
    }
    let (one, two) = room.both("/Observation?_summary=count");
    assert_eq!((one.at("total"), two.at("total")), ("3".to_owned(), "4".to_owned()));
    let (one, two) = room.both("/Patient/ada/$everything");
    let hidden = |answer: &Answer| ids(answer).contains(&"ada-hidden".to_owned());
    assert_eq!((hidden(&one), hidden(&two)), (false, true));
    let (one, two) = room.both("/Observation/_history");
    assert_eq!((hidden(&one), hidden(&two)), (false, true));
}

#[test]
fn an_agent_drafts_and_changes_nothing_else() {
    let room = Room::new();
    let note = |patient: &str| {
        format!(
            r#"{{"resourceType":"Communication","status":"preparation","subject":{{"reference":"Patient/{patient}"}}}}"#
        )
    };
    assert_eq!(room.send("POST", "/Communication", &note("ada")), 201);
    assert_eq!(room.send("POST", "/Communication", &note("carl")), 403, "not her patient");
    let lab = observation("ada-lab", "ada", "laboratory");
    assert_eq!(room.site.ask(&room.own, "PUT", "/Observation/ada-lab", &lab).status, 200);
    assert_eq!(room.send("PUT", "/Observation/ada-lab", &lab), 403);
    assert_eq!(room.send("DELETE", "/Observation/ada-lab", ""), 403);
    assert_eq!(room.send("POST", "/Observation", &lab.replacen(r#""id":"ada-lab","#, "", 1)), 403);
    let consent = r#"{"resourceType":"Consent","status":"active","scope":{"coding":[{"code":"patient-privacy"}]},"category":[{"coding":[{"system":"http://loinc.org","code":"59284-0"}]}],"patient":{"reference":"Patient/ada"},"policyRule":{"text":"x"}}"#;
    assert_eq!(room.send("POST", "/Consent", consent), 403);
    // Within its scopes, too.
    let narrow = room.agent.acts_for(&room.site, &room.own, "user/Observation.rs");
    assert_eq!(room.site.ask(&narrow, "GET", "/Observation/ada-lab", "").status, 200);
    assert_eq!(room.site.ask(&narrow, "GET", "/Patient/ada", "").status, 403);
    assert_eq!(room.site.ask(&narrow, "POST", "/Communication", &note("ada")).status, 403);
}

/// An agent that could write a review, or a task of somebody's, could make a result vanish, or fill an inbox.
#[test]
fn an_agents_task_is_a_draft_until_a_person_takes_it_up() {
    let room = Room::new();
    room.site.put(
        "DiagnosticReport/r",
        r#"{"resourceType":"DiagnosticReport","id":"r","status":"final","code":{"text":"x"},"subject":{"reference":"Patient/ada"}}"#,
    );
    let task = |status: &str, rest: &str| {
        format!(
            r#"{{"resourceType":"Task","status":"{status}","intent":"order","for":{{"reference":"Patient/ada"}}{rest}}}"#
        )
    };
    let review = r#","code":{"coding":[{"system":"urn:plummer:inbox","code":"review-result"}]},"focus":{"reference":"DiagnosticReport/r"},"owner":{"reference":"Practitioner/pr-grace"},"input":[{"type":{"coding":[{"system":"urn:plummer:inbox","code":"reviewed-version"}]},"valueReference":{"reference":"DiagnosticReport/r/_history/1"}}]"#;
    for status in ["requested", "accepted", "completed"] {
        assert_eq!(room.send("POST", "/Task", &task(status, "")), 403, "{status}");
        assert_eq!(room.send("POST", "/Task", &task(status, review)), 403, "{status}");
    }
    assert_eq!(room.send("POST", "/Task", &task("draft", "")), 201);
    assert_eq!(room.send("POST", "/Task", &task("draft", review)), 201);
    // Whom it acts for writes tasks as ever.
    let own = room.site.ask(&room.own, "POST", "/Task", &task("requested", ""));
    assert_eq!(own.status, 201);
}

/// Attack 47: no glass, no log, no pages of the person, no chain of agents.
#[test]
fn attack_47_an_agent_breaks_no_glass_reads_no_log_and_passes_nothing_on() {
    let room = Room::new();
    for patient in ["ada", "carl"] {
        assert_eq!(room.send("POST", &format!("/Patient/{patient}/$break-glass"), GLASS), 403);
        assert_eq!(room.send("GET", &format!("/Patient/{patient}/$who-saw"), ""), 403);
    }
    assert_eq!(room.send("GET", "/AuditEvent?patient=ada", ""), 403);
    assert_eq!(room.send("GET", "/Patient/ada/AuditEvent", ""), 403);
    // Nor when she breaks it: an emergency is hers.
    assert_eq!(room.site.ask(&room.own, "POST", "/Patient/carl/$break-glass", GLASS).status, 200);
    let (agent, user) = room.both("/Observation/carl-lab");
    assert_eq!((agent.status, user.status), (404, 200));
    let cookie = format!("__Host-plummer-session={}", room.token);
    for page in ["/auth/apps", "/auth/factors"] {
        let answer = room.site.send("GET", page, &[("Cookie", &cookie)], "");
        assert!(!answer.text().contains("You are signed in"), "{page}");
    }
    let chain = room.agent.ask(
        &room.site,
        &[
            ("grant_type", "urn:ietf:params:oauth:grant-type:token-exchange"),
            ("subject_token", &room.token),
            ("subject_token_type", "urn:ietf:params:oauth:token-type:access_token"),
        ],
    );
    assert_eq!((chain.status, chain.at("error")), (400, "invalid_request".to_owned()));
    let own = room
        .agent
        .ask(&room.site, &[("grant_type", "client_credentials"), ("scope", "system/*.rs")]);
    assert_eq!((own.status, own.at("error")), (400, "unauthorized_client".to_owned()));
}

#[test]
fn a_person_sees_an_agent_among_their_apps_and_stops_it_there() {
    let room = Room::new();
    let identity = room.site.smart.identity();
    let eve = identity.find_by_name("eve").unwrap().unwrap();
    let opened = identity.issue(eve.id, 60_000, "a test").unwrap();
    let token = room.agent.acts_for(&room.site, opened.token.text().expose(), "user/Patient.rs");
    let read = || room.site.ask(&token, "GET", "/Patient/ada", "").status;
    assert_eq!(read(), 200);
    let mut visitor = Visitor::new(&room.site);
    visitor.open("/auth/apps");
    visitor.sign_in_for("eve", "apps");
    let page = visitor.open("/auth/apps");
    assert!(page.text().contains("phone-line"), "{}", page.text());
    assert!(page.text().contains("An assistant that acts for you."));
    let grant = page.field("grant").unwrap();
    assert_eq!(grant, room.site.smart.given_by(eve.id).remove(0).grant.id.to_string());
    let page = visitor.send_form(&[("grant", &grant)]);
    assert!(page.text().contains("No app can see anything"), "{}", page.text());
    assert_eq!(read(), 401, "with the next request");
}

/// Attack 25: one agent that works for two people is two strangers to the server.
#[test]
fn attack_25_an_agent_for_one_person_is_told_nothing_it_was_told_for_another() {
    let room = Room::new();
    let identity = room.site.smart.identity();
    let mallory = identity.find_by_name("mallory").unwrap().unwrap();
    let opened = identity.issue(mallory.id, 60_000, "a test").unwrap();
    let other = room.agent.acts_for(&room.site, opened.token.text().expose(), ALL);
    let ask = |token: &str, path: &str| room.site.ask(token, "GET", path, "");
    for _ in 0..2 {
        assert_eq!(ids(&ask(&room.token, "/Observation")), ["ada-lab", "ada-pulse", "bob-lab"]);
        assert_eq!(ids(&ask(&other, "/Observation")), ["ada-lab", "ada-pulse"]);
        assert_eq!(ask(&room.token, "/Observation/bob-lab").status, 200);
        assert_eq!(ask(&other, "/Observation/bob-lab").status, 404);
    }
    let link = ask(&room.token, "/Observation?_count=1").link("next").expect("more is to come");
    let path = link.split_once("/fhir").map_or(link.as_str(), |(_, path)| path);
    assert_eq!(ask(&room.token, path).status, 200);
    assert_eq!(ask(&other, path).status, 400, "a page link is for one delegation");
    assert_eq!(ask(&room.own, path).status, 400, "and not its person's");
}

#[test]
fn the_log_names_the_agent_for_whom_it_acted_and_by_which_delegation() {
    let room = Room::new();
    assert_eq!(room.both("/Observation/ada-lab").0.status, 200);
    let officer = signed_in(&room.site, "officer", &["privacy-officer"]);
    let as_officer = |path: &str| room.site.ask(&officer, "GET", path, "");
    let person = room.site.smart.identity().find_by_name("grace").unwrap().unwrap().id;
    let given = room.site.smart.given_by(person).remove(0);
    let found =
        as_officer(&format!("/AuditEvent?patient=ada&subtype=read&agent={}", room.agent.id));
    assert_eq!(found.entries(), 1, "by the agent");
    let text = found.text();
    assert!(text.contains("DELEGATOR") && text.contains(&person.to_string()), "{text}");
    assert_eq!(
        as_officer(&format!("/AuditEvent?patient=ada&subtype=read&agent={person}")).entries(),
        2
    );
    let who_saw = as_officer("/Patient/ada/$who-saw").text();
    assert!(who_saw.contains("grace, by the assistant phone-line"), "{who_saw}");
    assert!(who_saw.contains(&person.to_string()) && who_saw.contains("onBehalfOf"));
    // The delegation itself was told: who let whom act, and that it was ended.
    room.site.smart.revoke_given(person, given.grant.id).unwrap();
    assert_eq!(room.send("GET", "/Observation/ada-lab", ""), 401);
    let log = as_officer(&format!("/AuditEvent?agent={person}&_count=200")).text();
    assert!(log.contains("110137") && log.contains(&given.grant.id.to_string()), "{log}");
}

#[test]
fn a_consent_that_denies_devices_holds_for_agents_and_not_for_whom_they_act_for() {
    let room = Room::new();
    let deny = |reference: &str| {
        format!(
            r#"{{"resourceType":"Consent","id":"no-agents","status":"active","scope":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}}]}},"category":[{{"coding":[{{"system":"http://loinc.org","code":"59284-0"}}]}}],"patient":{{"reference":"Patient/ada"}},"policyRule":{{"text":"x"}},"provision":{{"type":"deny","actor":[{{"role":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"IRCP"}}]}},"reference":{{"reference":"{reference}"}}}}],"class":[{{"system":"http://hl7.org/fhir/resource-types","code":"Observation"}}]}}}}"#
        )
    };
    assert_eq!(room.both("/Observation/ada-lab").0.status, 200);
    room.site.put("Consent/no-agents", &deny("Device/assistant"));
    let (agent, user) = room.both("/Observation/ada-lab");
    assert_eq!((agent.status, user.status), (404, 200));
    assert_eq!(ids(&room.both("/Observation").0), ["bob-lab"]);
    // One that denies the person denies the agent too.
    let answer =
        room.site.ask(&room.site.all, "PUT", "/Consent/no-agents", &deny("Practitioner/pr-eve"));
    assert_eq!(answer.status, 200);
    let (agent, user) = room.both("/Observation/ada-lab");
    assert_eq!((agent.status, user.status), (404, 404));
    assert_eq!(room.site.ask(&room.site.all, "DELETE", "/Consent/no-agents", "").status, 204);
    assert_eq!(room.both("/Observation/ada-lab").0.status, 200);
}

#[test]
fn what_is_hidden_from_the_person_is_hidden_from_their_agent() {
    let site = clinic();
    let body = r#"{"resourceType":"Appointment","id":"a","status":"booked","reasonCode":[{"coding":[{"system":"http://x","code":"86406008"}]}],"participant":[{"actor":{"reference":"Patient/ada"},"status":"accepted"}]}"#;
    site.put("Appointment/a", body);
    let room = Room::of(site, "front-desk");
    let (agent, user) = room.both("/Appointment/a");
    for answer in [agent, user] {
        assert_eq!(answer.status, 200);
        assert!(!answer.text().contains("86406008"));
    }
    let (agent, _) = room.both("/Appointment?reason-code=http://x|86406008");
    assert_eq!(agent.status, 400, "as for an element that is not there");
    assert_eq!(room.both("/Observation/ada-lab").0.status, 403);
}

#[test]
fn an_agent_has_a_budget_of_its_own() {
    let tune = |config: &mut server::Config| {
        config.rates.requests_burst = 3;
        config.rates.requests_per_s = 1;
    };
    let room = Room::of(Site::with(Making { tune, ..Making::default() }), "clinician");
    // By the service that is exempt an agent is not.
    let statuses: Vec<u16> = (0..8).map(|_| room.send("GET", "/Patient/ada", "")).collect();
    assert!(statuses.contains(&429), "{statuses:?}");
    assert_eq!(
        room.site.ask(&room.own, "GET", "/Patient/ada", "").status,
        200,
        "hers is untouched"
    );
    // Another delegation of the same agent draws on the same.
    let other = signed_in(&room.site, "henry", &["clinician"]);
    let second = room.agent.acts_for(&room.site, &other, ALL);
    assert_eq!(room.site.ask(&second, "GET", "/Patient/ada", "").status, 429);
}
