//! A wall: the board on a device that nobody is signed in on shows initials and where somebody is and nothing else,
//! opens nothing else, and is ended like a kiosk.

use crate::arrival::{LOU, Phone, again, desk, kiosk, made, send};
use crate::smart_site::{Making, Site, Visitor};

fn site() -> Site {
    made(Making::default())
}

/// A device that somebody of the front desk made a wall.
pub(crate) fn wall<'s>(site: &'s Site, robin: &mut Visitor<'_>, place: &str) -> Phone<'s> {
    let answer = send(robin, "/kiosk/begin", &[("site", place), ("what", "wall")]);
    assert_eq!(answer.status, 303, "{}", answer.text());
    assert!(answer.header("location").unwrap().ends_with("/wall"));
    let all: Vec<_> =
        answer.headers.iter().filter(|(name, _)| name.eq_ignore_ascii_case("set-cookie")).collect();
    let token = all.iter().find_map(|(_, v)| v.strip_prefix("__Host-plummer-wall=")).expect("one");
    let token = token.split(';').next().unwrap().to_owned();
    assert!(all.iter().any(|(_, v)| v.starts_with("__Host-plummer-session=;")), "signed out");
    let mut phone = Phone::new(site);
    phone.cookies.push(("__Host-plummer-wall".to_owned(), token));
    phone
}

#[test]
fn a_wall_shows_initials_and_nothing_that_says_who_or_why() {
    let site = site();
    let mut wall = wall(&site, &mut desk(&site, "robin"), "");
    let page = wall.get("/wall");
    assert_eq!(page.status, 200, "{}", page.text());
    assert_eq!(page.header("cache-control"), Some("no-store"));
    let page = page.text();
    assert!(page.contains("A.L.") && page.contains("Eve Stone"), "{page}");
    assert!(page.contains("wall.js") && page.contains("url=/wall"), "with and without a script");
    for told in
        ["Lane", "Lark", "1945", "Follow-up", "555-0142", "Patient/", "/p/", "/flow", "/today"]
    {
        assert!(!page.contains(told), "{told}: {page}");
    }
    assert!(!page.contains("<form") && !page.contains("<a class=\"button"), "nothing to press");
    // No address of a wall shows names.
    assert!(!wall.get("/wall?names=1").text().contains("Lane"));
    let piece = site.send(
        "GET",
        "/wall",
        &[("Cookie", &format!("{}={}", wall.cookies[0].0, wall.cookies[0].1)), ("X-Fragment", "1")],
        "",
    );
    assert!(piece.text().starts_with("<div id=\"flow\""), "{}", piece.text());
}

#[test]
fn what_anybody_marked_is_on_no_wall() {
    let site = site();
    let marked = |path: &str, code: &str| {
        let body = site.ask(&site.all, "GET", path, "").text();
        let meta = r#""meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"‹code›"}],"#;
        let body = body.replacen("\"meta\":{", &meta.replace("‹code›", code), 1);
        let answer = site.ask(&site.all, "PUT", path, &body);
        assert_eq!(answer.status, 200, "{}", answer.text());
    };
    let mut wall = wall(&site, &mut desk(&site, "robin"), "");
    assert_eq!(wall.get("/wall").text().matches("A.L.").count(), 2);
    marked("/Patient/unborn", "N");
    assert_eq!(wall.get("/wall").text().matches("A.L.").count(), 2, "that is as any record is");
    marked("/Patient/lou", "R");
    let page = wall.get("/wall").text();
    assert_eq!(page.matches("A.L.").count(), 1, "whose record is marked has no initials: {page}");
    assert_eq!(page.matches("id=\"visit-").count(), 2);
    marked("/Appointment/of-lou", "R");
    assert_eq!(wall.get("/wall").text().matches("id=\"visit-").count(), 1);
}

#[test]
fn a_wall_opens_nothing_else_and_a_kiosk_is_none() {
    let site = site();
    let mut robin = desk(&site, "robin");
    let mut wall = wall(&site, &mut robin, "");
    for path in ["/today", "/p/lou", "/flow", "/flow/wall", "/kiosk", "/admin/sessions", "/events"]
    {
        assert_ne!(wall.get(path).status, 200, "{path}");
    }
    assert_eq!(wall.get("/fhir/Appointment").status, 401);
    assert!(wall.post("/wall", "").status >= 400);
    // The token of the one is none of the other.
    let token = wall.cookies[0].1.clone();
    let mut as_kiosk = Phone::new(&site);
    as_kiosk.cookies.push(("__Host-plummer-kiosk".to_owned(), token));
    assert_eq!(as_kiosk.get("/kiosk").status, 403);
    assert_eq!(as_kiosk.post("/kiosk", LOU).status, 403);
    let mut robin = again(&site, "robin");
    let token = kiosk(&site, &mut robin, "").cookies[0].1.clone();
    let mut as_wall = Phone::new(&site);
    as_wall.cookies.push(("__Host-plummer-wall".to_owned(), token));
    assert_eq!(as_wall.get("/wall").status, 403);
    let stranger = Phone::new(&site).get("/wall");
    assert_eq!(stranger.status, 403);
    let stranger = stranger.text();
    assert!(stranger.contains("This device shows no board"));
    assert!(!stranger.contains("wall.js") && !stranger.contains("url=/wall"), "it asks no more");
    // Only who makes kiosks makes walls, and nothing else.
    let mut robin = again(&site, "robin");
    let odd = send(&mut robin, "/kiosk/begin", &[("site", ""), ("what", "door")]);
    assert_eq!(odd.status, 400, "{}", odd.text());
}

#[test]
fn a_wall_is_ended_on_the_page_of_sessions_and_with_whoever_made_it() {
    let site = site();
    let mut robin = desk(&site, "robin");
    let mut first = wall(&site, &mut robin, "");
    let mut robin = again(&site, "robin");
    let page = robin.send("GET", "/admin/sessions", &[], "").text();
    assert!(page.contains("<th scope=\"row\">Wall "), "{page}");
    let at = page.find("name=\"kiosk\" value=\"").unwrap_or_else(|| panic!("{page}")) + 20;
    let id = page[at..].split('"').next().unwrap().to_owned();
    assert_eq!(first.get("/wall").status, 200);
    send(&mut robin, "/admin/sessions", &[("do", "kiosk"), ("kiosk", &id)]);
    assert_eq!(first.get("/wall").status, 403);
    let mut second = wall(&site, &mut robin, "");
    assert_eq!(second.get("/wall").status, 200);
    let identity = site.smart.identity();
    let robin = identity.find_by_name("robin").unwrap().unwrap();
    identity.disable(robin.id, robin.version, "left").unwrap();
    assert_eq!(second.get("/wall").status, 403);
}
