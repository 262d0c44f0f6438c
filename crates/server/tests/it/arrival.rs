//! Checking in without the desk over HTTP: by a link with the date of birth, at a kiosk, and what the desk does
//! with what was entered.

use crate::client::Answer;
use crate::smart_site::{Making, Site, Visitor};
use base::{Clock as _, Millis, time::SystemClock};

const HOUR: i64 = 3_600_000;
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");
pub(crate) const BORN: &str = "month=12&day=10&year=1945";

/// A visit that begins so many milliseconds from now.
fn visit(id: &str, of: &str, status: &str, from_now: i64) -> String {
    let start = Millis(SystemClock.now().0 + from_now);
    let end = Millis(start.0 + HOUR);
    format!(
        r#"{{"resourceType":"Appointment","id":"{id}","status":"{status}","description":"Follow-up","start":"{}","end":"{}","participant":[{{"actor":{{"reference":"Patient/{of}"}},"required":"required","status":"needs-action"}},{{"actor":{{"reference":"Practitioner/pr-eve"}},"status":"accepted"}}]}}"#,
        start.to_instant(),
        end.to_instant()
    )
}

fn person(id: &str, family: &str, birth: &str, phone: &str) -> String {
    format!(
        r#"{{"resourceType":"Patient","id":"{id}","name":[{{"family":"{family}","given":["Ann"]}}]{birth},"generalPractitioner":[{{"reference":"Practitioner/pr-eve"}}],"telecom":[{{"system":"phone","use":"mobile","value":"{phone}"}},{{"system":"email","value":"{id}@mail.example"}}],"address":[{{"use":"home","line":["9 Elm Street"],"city":"Springfield","postalCode":"62701"}}]}}"#
    )
}

fn site_with(tune: fn(&mut server::Config)) -> Site {
    made(Making { tune, ..Making::default() })
}

/// A site with two patients who have a visit today, in half an hour.
pub(crate) fn made(of: Making) -> Site {
    let site = Site::with(of);
    site.put("Practitioner/pr-eve", r#"{"resourceType":"Practitioner","id":"pr-eve","name":[{"family":"Stone","given":["Eve"]}]}"#);
    let born = r#","birthDate":"1945-12-10""#;
    site.put("Patient/lou", &person("lou", "Lane", born, "(312) 555-0142"));
    site.put("Patient/unborn", &person("unborn", "Lark", "", "(312) 555-0143"));
    // Late in the evening sooner, since it is a visit of today.
    let left = 24 * HOUR - SystemClock.now().0.rem_euclid(24 * HOUR);
    let soon = (HOUR / 2).min(left - HOUR / 60);
    site.put("Appointment/of-lou", &visit("of-lou", "lou", "booked", soon));
    site.put("Appointment/of-unborn", &visit("of-unborn", "unborn", "booked", soon));
    site
}

fn site() -> Site {
    site_with(|config| config.self_arrival = true)
}

/// Somebody with a browser that keeps the cookies of checking in.
pub(crate) struct Phone<'s> {
    site: &'s Site,
    pub(crate) cookies: Vec<(String, String)>,
}

impl<'s> Phone<'s> {
    pub(crate) fn new(site: &'s Site) -> Self {
        Self { site, cookies: Vec::new() }
    }

    pub(crate) fn send(&mut self, method: &str, path: &str, body: &str) -> Answer {
        let cookies: Vec<String> =
            self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
        let cookies = cookies.join("; ");
        let headers = [FORM, ("Cookie", cookies.as_str()), ("Accept", "text/html")];
        let answer = self.site.send(method, path, &headers, body);
        for (name, value) in &answer.headers {
            if !name.eq_ignore_ascii_case("set-cookie") {
                continue;
            }
            let (name, value) = value.split(';').next().unwrap().split_once('=').unwrap();
            self.cookies.retain(|(own, _)| own != name);
            if !value.is_empty() {
                self.cookies.push((name.to_owned(), value.to_owned()));
            }
        }
        answer
    }

    pub(crate) fn get(&mut self, path: &str) -> Answer {
        self.send("GET", path, "")
    }

    pub(crate) fn post(&mut self, path: &str, body: &str) -> Answer {
        self.send("POST", path, body)
    }
}

fn eve(site: &Site) -> Visitor<'_> {
    let mut visitor = Visitor::new(site);
    visitor.open("/auth/sign-in");
    visitor.sign_in_for("eve", "");
    visitor
}

/// Somebody at the desk.
pub(crate) fn desk<'s>(site: &'s Site, name: &str) -> Visitor<'s> {
    let token = crate::callers::signed_in(site, name, &["front-desk"]);
    let mut visitor = Visitor::new(site);
    visitor.plant("__Host-plummer-session", &token);
    visitor
}

/// Signed in once more.
pub(crate) fn again<'s>(site: &'s Site, name: &str) -> Visitor<'s> {
    let identity = site.smart.identity();
    let password = identity::Secret::new("four unrelated words here".to_owned());
    let home = std::net::Ipv4Addr::LOCALHOST.into();
    let Ok(identity::Step::Done(opened)) = identity.begin(name, &password, home) else {
        panic!("nobody has a second factor here")
    };
    let mut visitor = Visitor::new(site);
    visitor.plant("__Host-plummer-session", opened.token.text().expose());
    visitor
}

pub(crate) fn send(visitor: &mut Visitor<'_>, path: &str, fields: &[(&str, &str)]) -> Answer {
    let form = visitor.send("GET", "/settings", &[], "").field("form").expect("a form");
    let mut all = vec![("form".to_owned(), form)];
    all.extend(fields.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    visitor.post(path, &all, &[])
}

/// The link that the desk shows for a visit.
pub(crate) fn link(site: &Site, patient: &str) -> String {
    let mut eve = eve(site);
    let path = format!("/p/{patient}/check-in/of-{patient}/link");
    let page = send(&mut eve, &path, &[("about", patient)]).text();
    let at = page.find("/v/").unwrap_or_else(|| panic!("a link: {page}")) + 3;
    format!("/v/{}", page[at..].split(|c: char| !c.is_ascii_alphanumeric()).next().unwrap())
}

fn version_of(page: &str) -> String {
    let at = page.find("name=\"version\" value=\"").expect("a version") + 22;
    page[at..].split('"').next().unwrap().to_owned()
}

fn stored(site: &Site, path: &str) -> String {
    site.ask(&site.all, "GET", path, "").text()
}

/// Signed in by the link with the right date of birth.
fn opened<'s>(site: &'s Site, link: &str) -> Phone<'s> {
    let mut phone = Phone::new(site);
    let answer = phone.post(&format!("{link}/in"), BORN);
    assert_eq!(answer.status, 303, "{}", answer.text());
    phone
}

/// Enters all that is asked.
fn enter(phone: &mut Phone<'_>, link: &str) {
    let step = |phone: &mut Phone<'_>, step: &str, body: &str| {
        let at = format!("{link}/in/{step}");
        let version = version_of(&phone.get(&at).text());
        let answer = phone.post(&at, &format!("version={version}&{body}"));
        assert_eq!(answer.status, 303, "{step}: {}", answer.text());
    };
    step(phone, "contact", "mobile=312-555-0177&email=&line=&city=&state=&postal_code=");
    step(phone, "insurance", "insurance=changed&payer=Acme+Health&number=M-77");
    step(phone, "reason", "reason=My+left+knee");
}

#[test]
fn who_has_the_link_says_the_date_of_birth_before_anything_is_shown() {
    let site = site();
    let link = link(&site, "lou");
    let mut phone = Phone::new(&site);
    let entry = format!("{link}/in");
    let page = phone.get(&entry);
    assert_eq!(page.status, 200, "{}", page.text());
    for (name, value) in [("cache-control", "no-store"), ("referrer-policy", "no-referrer")] {
        assert_eq!(page.header(name), Some(value), "{name}");
    }
    assert!(page.header("content-security-policy").is_some());
    for known in ["Lane", "0142", "Springfield", "mail.example", "Follow-up"] {
        assert!(!page.text().contains(known), "{known}");
    }
    for step in ["contact", "insurance", "reason", "end"] {
        let answer = phone.get(&format!("{entry}/{step}"));
        assert_eq!(answer.header("location"), Some(entry.as_str()), "{step}");
        assert_eq!(phone.post(&format!("{entry}/{step}"), "do=here&version=0").status, 303);
    }
    assert!(stored(&site, "/Appointment/of-lou").contains("\"booked\""), "nothing was done");
    let page = opened(&site, &link).get(&format!("{entry}/contact")).text();
    for part in ["••• 42", "l•••@mail.example", "•••, Springfield"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    for hidden in ["Lane", "555-0142", "9 Elm", "lou@mail"] {
        assert!(!page.contains(hidden), "{hidden}");
    }
}

#[test]
fn a_wrong_date_and_one_that_nobody_knows_are_answered_alike_and_locked_after_five() {
    let site = site();
    let (known, unknown) = (link(&site, "lou"), link(&site, "unborn"));
    let wrong = "month=1&day=2&year=1990";
    for turn in 0..7 {
        let pages: Vec<(u16, String)> = [&known, &unknown]
            .into_iter()
            .map(|link| {
                let answer = Phone::new(&site).post(&format!("{link}/in"), wrong);
                let text = answer.text().replace(link.as_str(), "/v/…");
                (answer.status, text.lines().filter(|l| !l.contains("printed")).collect())
            })
            .collect();
        assert_eq!(pages[0], pages[1], "turn {turn}");
        assert_eq!(pages[0].0, if turn < 4 { 422 } else { 403 }, "turn {turn}");
    }
    // What is right comes too late, and what is no date was no try.
    let answer = Phone::new(&site).post(&format!("{known}/in"), BORN);
    assert_eq!((answer.status, answer.header("set-cookie")), (403, None));
    let fresh = link(&site, "lou");
    for _ in 0..9 {
        let answer = Phone::new(&site).post(&format!("{fresh}/in"), "month=13&day=40&year=x");
        assert_eq!(answer.status, 422);
    }
    opened(&site, &fresh);
    // The link itself does still what it did.
    assert_eq!(Phone::new(&site).get(&known).status, 200);
}

#[test]
fn a_proof_is_of_its_own_link_and_of_no_other() {
    let site = site();
    let (one, other) = (link(&site, "lou"), link(&site, "lou"));
    let mut phone = opened(&site, &one);
    assert_eq!(phone.get(&format!("{one}/in/contact")).status, 200);
    let astray = phone.get(&format!("{other}/in/contact"));
    assert_eq!(astray.status, 303);
    for token in ["", "x", "0123456789abcdef0123456789abcdef", "..%2f..", "a/in/in"] {
        let answer = phone.get(&format!("/v/{token}/in/contact"));
        assert_eq!(answer.status, 404, "{token}");
    }
    for step in ["nothing", "contact/x", ".."] {
        assert_eq!(phone.get(&format!("{one}/in/{step}")).status, 404, "{step}");
    }
    assert_eq!(phone.post(&format!("{one}/in/end"), "do=everything").status, 400);
    let long = format!("reason={}", "x".repeat(33_000));
    assert_eq!(phone.post(&format!("{one}/in/reason"), &long).status, 413);
}

#[test]
fn what_is_entered_changes_nothing_before_the_desk_takes_it_up() {
    let site = site();
    let link = link(&site, "lou");
    let mut phone = opened(&site, &link);
    enter(&mut phone, &link);
    let before = stored(&site, "/Patient/lou");
    assert!(before.contains("555-0142") && !before.contains("0177"));
    assert!(stored(&site, "/Coverage?beneficiary=Patient/lou").contains("\"total\":0"));
    // Nor is anything asked twice.
    let page = phone.get(&format!("{link}/in/contact")).text();
    assert!(page.contains("value=\"312-555-0177\""), "{page}");

    let mut robin = desk(&site, "robin");
    let path = "/p/lou/check-in/of-lou";
    let page = robin.send("GET", path, &[], "").text();
    for part in ["What the patient entered", "312-555-0177", "(312) 555-0142", "Acme Health, M-77"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    assert!(!page.contains("My left knee"), "why somebody comes is not the desk's");
    let why = eve(&site).send("GET", path, &[], "").text();
    assert!(why.contains("My left knee"), "{why}");
    let at = page.find("name=\"entered\" value=\"").unwrap() + 22;
    let entered = page[at..].split('"').next().unwrap().to_owned();
    let to = format!("{path}/entered");
    let fields = |version: &'static str, entered: &'static str| -> Vec<(&str, &str)> {
        vec![("about", "lou"), ("version", version), ("entered", entered), ("mobile", "yes")]
    };
    let entered: &'static str = Box::leak(entered.into_boxed_str());
    // Of another version than stands nothing is taken up.
    for fields in [fields("9", entered), fields("1", "1")] {
        let answer = send(&mut robin, &to, &fields);
        let went = answer.header("location").map(str::to_owned);
        assert!(went.as_ref().is_some_and(|to| to.ends_with("stale")), "{went:?}");
    }
    assert_eq!(send(&mut robin, &to, &[("about", "ada"), ("entered", entered)]).status, 404);
    assert!(!stored(&site, "/Patient/lou").contains("0177"));
    let answer = send(&mut robin, &to, &fields("1", entered));
    assert!(answer.header("location").unwrap().ends_with("taken"), "{}", answer.text());
    let after = stored(&site, "/Patient/lou");
    assert!(after.contains("312-555-0177") && !after.contains("555-0142"), "{after}");
    let page = robin.send("GET", path, &[], "").text();
    assert!(
        !page.contains("(312) 555-0142") && page.contains("Acme Health, M-77"),
        "the rest waits"
    );
    let log = stored(&site, "/Patient/lou/_history");
    assert!(log.contains("\"versionId\":\"2\""));
}

#[test]
fn what_is_refused_leaves_the_record_as_it_is() {
    let site = site();
    let link = link(&site, "lou");
    let mut phone = opened(&site, &link);
    enter(&mut phone, &link);
    let before = stored(&site, "/Patient/lou");
    let mut eve = eve(&site);
    let path = "/p/lou/check-in/of-lou";
    let page = eve.send("GET", path, &[], "").text();
    let at = page.find("name=\"entered\" value=\"").unwrap() + 22;
    let entered = page[at..].split('"').next().unwrap();
    let fields = [("about", "lou"), ("version", "1"), ("entered", entered), ("do", "refuse")];
    let answer = send(&mut eve, &format!("{path}/entered"), &fields);
    assert!(answer.header("location").unwrap().ends_with("refused"));
    assert_eq!(stored(&site, "/Patient/lou"), before);
    assert!(!eve.send("GET", path, &[], "").text().contains("What the patient entered"));
    // Whoever may not see the patient is told of nothing.
    let mut mallory = Visitor::new(&site);
    mallory.open("/auth/sign-in");
    mallory.sign_in_for("mallory", "");
    assert_eq!(send(&mut mallory, &format!("{path}/entered"), &fields).status, 404);
}

#[test]
fn who_is_there_says_so_when_it_is_time_and_the_house_takes_it() {
    let site = site();
    let link = link(&site, "lou");
    let mut phone = opened(&site, &link);
    let end = format!("{link}/in/end");
    assert!(phone.get(&end).text().contains("I am here"));
    assert_eq!(phone.post(&end, "do=here").status, 303);
    assert!(phone.get(&end).text().contains("We know that you are here"));
    assert_eq!(phone.post(&end, "do=here").status, 303, "said twice it is said once");
    assert!(stored(&site, "/Appointment/of-lou").contains("\"arrived\""));

    site.put("Appointment/of-ada", &visit("of-ada", "ada", "booked", 20 * HOUR));
    let desk = site_with(|_| {});
    let link = self::link(&desk, "lou");
    let mut phone = opened(&desk, &link);
    let end = format!("{link}/in/end");
    let page = phone.get(&end).text();
    assert!(page.contains("tell the desk") && !page.contains("I am here</"), "{page}");
    assert_eq!(phone.post(&end, "do=here").status, 400);
    assert!(stored(&desk, "/Appointment/of-lou").contains("\"booked\""));
}

#[test]
fn a_visit_of_another_day_or_one_called_off_is_not_arrived_at() {
    let site = site();
    let link = link(&site, "lou");
    let mut phone = opened(&site, &link);
    let body = |status: &str, from_now: i64| visit("of-lou", "lou", status, from_now);
    let late = site.ask(&site.all, "PUT", "/Appointment/of-lou", &body("booked", 5 * HOUR));
    assert_eq!(late.status, 200, "{}", late.text());
    let end = format!("{link}/in/end");
    assert!(phone.get(&end).text().contains("When you arrive"));
    assert_eq!(phone.post(&end, "do=here").status, 409);
    let off = body("cancelled", 5 * HOUR).replacen(
        "\"start\"",
        "\"cancelationReason\":{\"text\":\"no\"},\"start\"",
        1,
    );
    assert_eq!(site.ask(&site.all, "PUT", "/Appointment/of-lou", &off).status, 200);
    assert_eq!(phone.get(&end).header("location"), Some(link.as_str()));
    assert_eq!(phone.post(&end, "do=here").header("location"), Some(link.as_str()));
    // Given to somebody else, the link is nobody's.
    let given =
        site.ask(&site.all, "PUT", "/Appointment/of-lou", &visit("of-lou", "ada", "booked", HOUR));
    assert_eq!(given.status, 200);
    assert_eq!(phone.get(&end).status, 404);
}

/// A device that robin made a kiosk.
pub(crate) fn kiosk<'s>(site: &'s Site, robin: &mut Visitor<'_>, place: &str) -> Phone<'s> {
    let answer = send(robin, "/kiosk/begin", &[("site", place)]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let all: Vec<_> =
        answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")).collect();
    let token =
        all.iter().find_map(|(_, v)| v.strip_prefix("__Host-plummer-kiosk=")).expect("a kiosk");
    let token = token.split(';').next().unwrap().to_owned();
    assert!(all.iter().any(|(_, v)| v.starts_with("__Host-plummer-session=;")), "signed out");
    assert_ne!(robin.send("GET", "/today", &[], "").status, 200, "robin is signed out there");
    Phone { site, cookies: vec![("__Host-plummer-kiosk".to_owned(), token)] }
}

pub(crate) const LOU: &str = "initial=l&month=12&day=10&year=1945&phone=0142";

#[test]
fn a_kiosk_opens_its_own_pages_and_nothing_else() {
    let site = site();
    let mut kiosk = kiosk(&site, &mut desk(&site, "robin"), "");
    assert_eq!(kiosk.get("/kiosk").status, 200);
    for path in ["/today", "/p/lou", "/find", "/flow", "/admin/sessions", "/kiosk/begin"] {
        assert_ne!(kiosk.get(path).status, 200, "{path}");
    }
    assert_eq!(kiosk.get("/fhir/Patient/lou").status, 401);
    let mut stranger = Phone::new(&site);
    assert_eq!(stranger.get("/kiosk").status, 403);
    assert_eq!(stranger.post("/kiosk", LOU).status, 403);
    let page = kiosk.get("/kiosk").text();
    assert!(page.contains("url=/kiosk") && page.contains("kiosk.js"), "{page}");
}

#[test]
fn whoever_says_three_right_things_checks_in_and_leaves_nothing_behind() {
    let site = site();
    let mut kiosk = kiosk(&site, &mut desk(&site, "robin"), "");
    let answer = kiosk.post("/kiosk", LOU);
    assert_eq!(answer.status, 303, "{}", answer.text());
    let at = answer.header("location").unwrap().to_owned();
    let page = kiosk.get(&at).text();
    assert!(page.contains("••• 42") && page.contains("More time"), "{page}");
    assert!(!page.contains("Lane"));
    let link = at.split("/in").next().unwrap().to_owned();
    // More time loses nothing that was typed.
    let version = version_of(&page);
    let page = kiosk.post(&at, &format!("version={version}&do=more&mobile=31"));
    assert!(page.status == 200 && page.text().contains("value=\"31\""));
    enter(&mut kiosk, &link);
    // By its address alone it opens nothing: whoever comes next finds no visit to call off.
    let mut other = Phone::new(&site);
    assert_eq!(other.post(&link, "do=cancel").header("location"), Some("/kiosk"));
    assert_eq!(other.get(&format!("{link}/in/contact")).header("location"), Some("/kiosk"));
    let answer = kiosk.post(&format!("{link}/in/end"), "do=here");
    assert_eq!(answer.header("location"), Some("/kiosk?done=here"));
    assert!(stored(&site, "/Appointment/of-lou").contains("\"arrived\""));
    assert_eq!(kiosk.cookies.len(), 1, "the device alone is known");
    // Whoever goes back there is told that it is over, by the buttons of the page that they find, too.
    for (method, step) in
        [("GET", "/in/contact"), ("GET", "/in"), ("GET", ""), ("POST", "/in/contact")]
    {
        let again = kiosk.send(method, &format!("{link}{step}"), "do=more");
        assert_eq!(again.header("location"), Some("/kiosk?done=over"), "{method} {step}");
        assert_eq!(kiosk.cookies.len(), 1);
    }
    assert!(kiosk.get("/kiosk?done=over").text().contains("Begin again, or go to the desk"));
    // Nobody else is led anywhere.
    assert_eq!(Phone::new(&site).get(&format!("{link}/in/contact")).status, 404);
}

#[test]
fn a_kiosk_shows_nothing_that_was_entered_elsewhere_and_loses_nothing_of_it() {
    let site = site();
    let sent = link(&site, "lou");
    let mut phone = opened(&site, &sent);
    enter(&mut phone, &sent);
    // Who knows the letter, the date and the digits is not always the patient.
    let mut kiosk = kiosk(&site, &mut desk(&site, "robin"), "");
    let at = kiosk.post("/kiosk", LOU).header("location").unwrap().to_owned();
    let own = at.split("/in").next().unwrap().to_owned();
    for step in ["contact", "insurance", "reason"] {
        let page = kiosk.get(&format!("{own}/in/{step}")).text();
        for entered in ["312-555-0177", "M-77", "Acme", "left knee"] {
            assert!(!page.contains(entered), "{step}: {page}");
        }
        let body = format!("version={}", version_of(&page));
        assert_eq!(kiosk.post(&format!("{own}/in/{step}"), &body).status, 303, "{step}");
    }
    let page = phone.get(&format!("{sent}/in/reason")).text();
    assert!(page.contains("left knee"), "what was left empty there stands: {page}");
}

#[test]
fn a_kiosk_answers_alike_whomever_it_does_not_find_and_stops_after_eight() {
    let site = site();
    site.put("Location/north", r#"{"resourceType":"Location","id":"north","name":"North"}"#);
    site.put("Location/south", r#"{"resourceType":"Location","id":"south","name":"South"}"#);
    let there = visit("of-ada", "ada", "booked", HOUR).replacen(
        "{\"actor\":{\"reference\":\"Practitioner/pr-eve\"}",
        "{\"actor\":{\"reference\":\"Location/south\"},\"status\":\"accepted\"},{\"actor\":{\"reference\":\"Practitioner/pr-eve\"}",
        1,
    );
    let born = r#","birthDate":"1990-01-02""#;
    let kay = person("kay", "Kane", born, "555-0001");
    site.put("Patient/kay", &kay);
    site.put("Appointment/of-kay", &there.replace("ada", "kay"));
    let lea = person("lea", "Lea", r#","birthDate":"1991-01-02""#, "555-0002");
    site.put("Patient/lea", &lea);
    let off = visit("of-lea", "lea", "booked", 30 * HOUR);
    site.put("Appointment/of-lea", &off);
    let mut kiosk = kiosk(&site, &mut desk(&site, "robin"), "north");
    let answers: Vec<(u16, String)> = [
        // Nobody; a wrong phone; a wrong letter; a visit elsewhere; a visit another day.
        "initial=q&month=1&day=1&year=1950&phone=9999",
        "initial=l&month=12&day=10&year=1945&phone=0000",
        "initial=m&month=12&day=10&year=1945&phone=0142",
        "initial=k&month=1&day=2&year=1990&phone=0001",
        "initial=l&month=1&day=2&year=1991&phone=0002",
    ]
    .iter()
    .map(|said| {
        let answer = kiosk.post("/kiosk", said);
        (answer.status, answer.text().lines().filter(|l| !l.contains("printed")).collect())
    })
    .collect();
    assert!(answers.iter().all(|one| *one == answers[0]), "{answers:?}");
    assert_eq!(answers[0].0, 404);
    assert_eq!(kiosk.post("/kiosk", "initial=l").status, 422, "what is not whole is no try");
    for _ in 0..3 {
        assert_eq!(
            kiosk.post("/kiosk", "initial=q&month=1&day=1&year=1950&phone=9999").status,
            404
        );
    }
    assert_eq!(kiosk.post("/kiosk", LOU).status, 429, "also who is right");
    assert!(!kiosk.get("/kiosk").text().contains("Lane"));
}

#[test]
fn a_kiosk_is_seen_and_ended_on_the_page_of_sessions() {
    let site = site();
    let mut robin = desk(&site, "robin");
    let mut kiosk = kiosk(&site, &mut robin, "");
    let mut robin = again(&site, "robin");
    let page = robin.send("GET", "/admin/sessions", &[], "").text();
    let at = page.find("name=\"kiosk\" value=\"").unwrap_or_else(|| panic!("{page}")) + 20;
    let id = page[at..].split('"').next().unwrap().to_owned();
    // Somebody else's is not theirs to end.
    let mut mallory = desk(&site, "morgan");
    assert!(!mallory.send("GET", "/admin/sessions", &[], "").text().contains(&id));
    send(&mut mallory, "/admin/sessions", &[("do", "kiosk"), ("kiosk", &id)]);
    assert_eq!(kiosk.get("/kiosk").status, 200);
    send(&mut robin, "/admin/sessions", &[("do", "kiosk"), ("kiosk", &id)]);
    assert_eq!(kiosk.get("/kiosk").status, 403);
    assert_eq!(kiosk.post("/kiosk", LOU).status, 403);
}

#[test]
fn a_sign_tells_both_languages_what_is_asked_and_is_printed_by_the_front_desk_alone() {
    let site = site();
    let north = r#"{"resourceType":"Location","id":"north","name":"North Clinic","status":"active","physicalType":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/location-physical-type","code":"bu"}]},"hoursOfOperation":[{"daysOfWeek":["mon"],"allDay":true}]}"#;
    site.put("Location/north", north);
    let mut robin = desk(&site, "robin");
    let page = robin.send("GET", "/kiosk/sign?site=north", &[], "");
    assert_eq!(page.status, 200, "{}", page.text());
    let page = page.text();
    for part in ["North Clinic", "Check in here", "Registre aquí su llegada", "lang=\"es\"", "<svg"]
    {
        assert!(page.contains(part), "{part}: {page}");
    }
    // The code leads staff to the page of that site.
    let begin = robin.send("GET", "/kiosk/begin?site=north", &[], "").text();
    assert!(begin.contains("<option value=\"north\" selected>North Clinic"), "{begin}");
    assert_eq!(robin.send("GET", "/kiosk/sign?site=nowhere", &[], "").status, 404);
    assert_eq!(eve(&site).send("GET", "/kiosk/sign", &[], "").status, 404);
}
