//! What a patient denied is shown to nobody who stands before a kiosk or a wall, since nobody knows who that is
//! (45 CFR 164.510(a)(2), 164.522(a)(1)); and the patient goes on with a link of their own (164.524).

use crate::arrival::{BORN, LOU, Phone, again, desk, kiosk, link, made};
use crate::smart_site::{Making, Site, Visitor};
use crate::wall::wall;

fn site() -> Site {
    made(Making { tune: |config| config.self_arrival = true, ..Making::default() })
}

/// What Lou said, in place of what Lou said before. Written by whoever is on the machine: a service would be
/// denied its own Consent.
fn said(site: &Site, status: &str, provision: &str) {
    let of = fhir::definitions::r4().resource_type("Consent").unwrap();
    let body = format!(
        r#"{{"resourceType":"Consent","id":"of-lou","status":"{status}","scope":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}}]}},"category":[{{"coding":[{{"system":"http://loinc.org","code":"59284-0"}}]}}],"patient":{{"reference":"Patient/lou"}},"policyRule":{{"text":"of the clinic"}},"provision":{provision}}}"#
    );
    let body = fhir::Document::parse_text(body, &base::Limits::default()).unwrap();
    let session = site.record.session(record::Subject::operator(), [1; 16]);
    let write = session.update(of, "of-lou", body, None, false);
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(write).unwrap();
}

fn deny(more: &str) -> String {
    format!(r#"{{"type":"deny"{more}}}"#)
}

fn of_types(code: &str) -> String {
    deny(&format!(
        r#","class":[{{"system":"http://hl7.org/fhir/resource-types","code":"{code}"}}]"#
    ))
}

fn to(reference: &str) -> String {
    deny(&recipient(reference))
}

fn recipient(reference: &str) -> String {
    format!(
        r#","actor":[{{"role":{{"coding":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ParticipationType","code":"PRCP"}}]}},"reference":{{"reference":"{reference}"}}}}]"#
    )
}

fn purpose(code: &str) -> String {
    deny(&format!(
        r#","purpose":[{{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"{code}"}}]"#
    ))
}

/// What keeps a visit from whoever stands there.
fn denials() -> Vec<String> {
    let house = recipient(&format!("Organization/{}", record::TENANT));
    vec![
        deny(""),
        of_types("Appointment"),
        // A facility directory; treatment alone, for which the board is kept, too.
        purpose("HDIRECT"),
        purpose("TREAT"),
        // Nobody knows who reads it.
        to("RelatedPerson/ex"),
        to("Practitioner/neighbor"),
        to("CareTeam/other"),
        to("Patient/ex"),
        to(&format!("Organization/{}", record::TENANT)),
        // What the house may see is not what anybody may see who passes by.
        deny(&format!(r#","provision":[{{"type":"permit"{house}}}]"#)),
    ]
}

/// What does not.
fn others() -> Vec<String> {
    vec![of_types("Observation"), to("Organization/exchange"), purpose("HRESCH")]
}

/// How many visits a wall shows, and how many with initials.
fn shown(page: &str) -> (usize, usize) {
    (page.matches("id=\"visit-").count(), page.matches("A.L.").count())
}

#[test]
fn a_wall_does_not_show_a_visit_that_its_patient_denied_to_whoever_may_pass_by() {
    let site = site();
    let mut wall = wall(&site, &mut desk(&site, "robin"), "");
    assert_eq!(shown(&wall.get("/wall").text()), (2, 2));
    for provision in denials() {
        said(&site, "active", &provision);
        let page = wall.get("/wall").text();
        assert_eq!(shown(&page), (1, 1), "{provision}: {page}");
        assert!(!page.contains("of-lou"), "{provision}");
    }
    // Of whom only the patient's own record is denied there are no initials, as of one that is marked.
    said(&site, "active", &of_types("Patient"));
    assert_eq!(shown(&wall.get("/wall").text()), (2, 1));
    for provision in others() {
        said(&site, "active", &provision);
        assert_eq!(shown(&wall.get("/wall").text()), (2, 2), "{provision}");
    }
    said(&site, "active", &deny(""));
    assert_eq!(shown(&wall.get("/wall").text()), (1, 1));
    said(&site, "inactive", &deny(""));
    assert_eq!(shown(&wall.get("/wall").text()), (2, 2), "what was taken back counts no longer");
}

#[test]
fn a_kiosk_answers_who_denied_it_as_whoever_it_does_not_find() {
    let site = site();
    let mut robin = desk(&site, "robin");
    let answered = |kiosk: &mut Phone<'_>, form: &str| {
        let answer = kiosk.post("/kiosk", form);
        let page = answer.text().lines().filter(|l| !l.contains("printed")).collect::<String>();
        let cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie").count();
        (answer.status, page, cookies)
    };
    let mut denials = denials();
    denials.push(of_types("Patient"));
    // A kiosk stops after eight tries that found nobody.
    for some in denials.chunks(6) {
        let mut kiosk = kiosk(&site, &mut robin, "");
        robin = again(&site, "robin");
        let nobody = answered(&mut kiosk, "initial=q&month=1&day=1&year=1950&phone=9999");
        assert_eq!(nobody.0, 404);
        for provision in some {
            said(&site, "active", provision);
            assert_eq!(answered(&mut kiosk, LOU), nobody, "{provision}");
        }
    }
    let mut kiosk = kiosk(&site, &mut robin, "");
    for provision in others() {
        said(&site, "active", &provision);
        assert_eq!(answered(&mut kiosk, LOU).0, 303, "{provision}");
    }
    said(&site, "inactive", &deny(""));
    assert_eq!(answered(&mut kiosk, LOU).0, 303);
}

#[test]
fn a_denial_closes_what_is_open_at_a_kiosk_and_leaves_the_patient_their_own_link() {
    let site = site();
    let own = link(&site, "lou");
    let mut phone = Phone::new(&site);
    assert_eq!(phone.post(&format!("{own}/in"), BORN).status, 303);
    let mut kiosk = kiosk(&site, &mut desk(&site, "robin"), "");
    let at = kiosk.post("/kiosk", LOU).header("location").unwrap().to_owned();
    let end = format!("{}/in/end", at.split("/in").next().unwrap());
    let cookies = kiosk.cookies.clone();
    for provision in denials() {
        said(&site, "active", &provision);
        for (method, path) in [("GET", &at), ("POST", &at), ("POST", &end)] {
            kiosk.cookies.clone_from(&cookies);
            let answer = kiosk.send(method, path, "do=here&version=0");
            assert_eq!(answer.header("location"), Some("/kiosk?done=over"), "{provision}");
        }
    }
    said(&site, "inactive", &deny(""));
    let stored = site.ask(&site.all, "GET", "/Appointment/of-lou", "").text();
    assert!(stored.contains("\"booked\""), "nothing was done: {stored}");
    // Whoever was sent a link, or handed one at the desk, is the patient.
    said(&site, "active", &deny(""));
    assert_eq!(phone.get(&own).status, 200);
    let page = phone.get(&format!("{own}/in/contact"));
    assert!(page.status == 200 && page.text().contains("••• 42"), "{}", page.text());
    assert_eq!(phone.post(&format!("{own}/in/end"), "do=here").status, 303);
    assert!(phone.get(&format!("{own}/in/end")).text().contains("We know that you are here"));
    // What was taken back opens the visit again, while its link lasts.
    said(&site, "inactive", &deny(""));
    kiosk.cookies = cookies;
    assert_eq!(kiosk.get(&at).status, 200);
}

#[test]
fn a_board_of_whoever_is_signed_in_lacks_what_was_denied_to_them() {
    let site = site();
    let mut eve = Visitor::new(&site);
    eve.open("/auth/sign-in");
    eve.sign_in_for("eve", "");
    let mut both = || ["/flow", "/flow/wall"].map(|path| eve.send("GET", path, &[], "").text());
    for page in both() {
        assert_eq!(shown(&page).0, 2, "{page}");
    }
    for provision in [deny(""), of_types("Appointment"), to("Practitioner/pr-eve")] {
        said(&site, "active", &provision);
        for page in both() {
            assert_eq!(shown(&page).0, 1, "{provision}: {page}");
            assert!(!page.contains("of-lou"), "{provision}");
        }
    }
    // A person is known, and is not another.
    said(&site, "active", &to("Practitioner/neighbor"));
    for page in both() {
        assert_eq!(shown(&page).0, 2, "{page}");
    }
}
