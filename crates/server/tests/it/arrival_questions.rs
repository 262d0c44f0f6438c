//! The questions that a kind of visit has for who checks in, over HTTP: asked beside the last of ours, answered by
//! their words, shown at the desk to who may see why somebody comes, and no part of any record.

use crate::arrival::{BORN, LOU, Phone, again, desk, kiosk, link, made};
use crate::smart_site::{Making, Site, Visitor};

const OURS: &str = "https://plummer.health/fhir/StructureDefinition";
const SMOKE: &str = "Do you smoke?";
const FAST: &str = "Did you fast today?";

fn kind(questions: &[&str]) -> String {
    let asked: String = questions
        .iter()
        .map(|text| format!(r#",{{"url":"{OURS}/arrival-question","valueString":"{text}"}}"#))
        .collect();
    format!(
        r#"{{"resourceType":"ActivityDefinition","id":"talk","title":"Follow-up","status":"active","kind":"Appointment","timingDuration":{{"value":30,"unit":"min","system":"http://unitsofmeasure.org","code":"min"}},"extension":[{{"url":"{OURS}/needed-resource","extension":[{{"url":"role","valueCode":"clinician"}}]}}{asked}]}}"#
    )
}

fn site() -> Site {
    let site = made(Making::default());
    site.put("ActivityDefinition/talk", &kind(&[SMOKE, FAST]));
    let visit = site.ask(&site.all, "GET", "/Appointment/of-lou", "").text();
    let of = format!(
        r#""extension":[{{"url":"{OURS}/visit-type","valueReference":{{"reference":"ActivityDefinition/talk"}}}}],"status""#
    );
    let visit = visit.replacen("\"status\"", &of, 1);
    let answer = site.ask(&site.all, "PUT", "/Appointment/of-lou", &visit);
    assert_eq!(answer.status, 200, "{}", answer.text());
    site
}

/// The name of the field that stands below a question.
fn name_of(page: &str, question: &str) -> String {
    let at = page.find(&format!("\">{question}</label>")).unwrap_or_else(|| panic!("{page}"));
    page[..at].rsplit("for=\"").next().unwrap().to_owned()
}

fn version_of(page: &str) -> String {
    let at = page.find("name=\"version\" value=\"").expect("a version") + 22;
    page[at..].split('"').next().unwrap().to_owned()
}

fn eve(site: &Site) -> Visitor<'_> {
    let mut visitor = Visitor::new(site);
    visitor.open("/auth/sign-in");
    visitor.sign_in_for("eve", "");
    visitor
}

#[test]
fn what_the_house_asks_is_answered_by_its_words_and_shown_at_the_desk() {
    let site = site();
    let link = link(&site, "lou");
    let mut phone = Phone::new(&site);
    assert_eq!(phone.post(&format!("{link}/in"), BORN).status, 303);
    let at = format!("{link}/in/reason");
    let page = phone.get(&at).text();
    let (smoke, fast) = (name_of(&page, SMOKE), name_of(&page, FAST));
    let version = version_of(&page);
    let long = "x".repeat(301);
    let answer = phone.post(&at, &format!("version={version}&{smoke}={long}&{fast}=no"));
    assert_eq!(answer.status, 422, "{}", answer.text());
    assert!(answer.text().contains(&format!("id=\"{smoke}-error\"")));
    assert!(!answer.text().contains(&format!("id=\"{fast}-error\"")), "the other is well");
    // By the time that it comes another question stands first: the answer is of the one that was read.
    let changed =
        site.ask(&site.all, "PUT", "/ActivityDefinition/talk", &kind(&["Who drives?", SMOKE]));
    assert_eq!(changed.status, 200);
    let answer = phone.post(&at, &format!("version={version}&{smoke}=ten+a+day&{fast}=no&q-0=x"));
    assert_eq!(answer.status, 303, "{}", answer.text());
    let page = phone.get(&at).text();
    assert!(page.contains(">ten a day</textarea>") && !page.contains(">no</textarea>"), "{page}");

    let path = "/p/lou/check-in/of-lou";
    let page = eve(&site).send("GET", path, &[], "").text();
    assert!(page.contains("Do you smoke?") && page.contains("ten a day"), "{page}");
    let page = desk(&site, "robin").send("GET", path, &[], "").text();
    assert!(!page.contains("ten a day"), "what ails somebody is not the desk's: {page}");
    let stored = site.ask(&site.all, "GET", "/Patient/lou/_history", "").text();
    assert!(!stored.contains("\"versionId\":\"2\""), "no record changed: {stored}");
}

#[test]
fn a_kiosk_shows_no_answer_that_was_given_elsewhere_and_loses_none() {
    let site = site();
    let sent = link(&site, "lou");
    let mut phone = Phone::new(&site);
    assert_eq!(phone.post(&format!("{sent}/in"), BORN).status, 303);
    let at = format!("{sent}/in/reason");
    let page = phone.get(&at).text();
    let (smoke, fast) = (name_of(&page, SMOKE), name_of(&page, FAST));
    let body = format!("version={}&{smoke}=ten+a+day&{fast}=yes", version_of(&page));
    assert_eq!(phone.post(&at, &body).status, 303);
    desk(&site, "robin");
    let mut kiosk = kiosk(&site, &mut again(&site, "robin"), "");
    let own = kiosk.post("/kiosk", LOU).header("location").unwrap().replace("contact", "reason");
    let page = kiosk.get(&own).text();
    assert!(page.contains(SMOKE) && !page.contains("ten a day"), "{page}");
    let body = format!("version={}&{smoke}=&{fast}=no", version_of(&page));
    assert_eq!(kiosk.post(&own, &body).status, 303);
    let page = phone.get(&at).text();
    assert!(page.contains(">ten a day</textarea>") && page.contains(">no</textarea>"), "{page}");
}

#[test]
fn a_visit_of_no_kind_and_one_of_a_kind_that_is_gone_ask_nothing_beside() {
    let site = site();
    let link = link(&site, "lou");
    let mut phone = Phone::new(&site);
    assert_eq!(phone.post(&format!("{link}/in"), BORN).status, 303);
    assert!(phone.get(&format!("{link}/in/reason")).text().contains("The clinic also asks"));
    assert!(site.ask(&site.all, "DELETE", "/ActivityDefinition/talk", "").status < 300);
    let page = phone.get(&format!("{link}/in/reason"));
    assert_eq!(page.status, 200);
    assert!(!page.text().contains("The clinic also asks"));
}
