//! Consents and those who act for a patient, through the console's door: what is signed is kept word for
//! word, what lacks an element is refused, the guard heeds what was signed and that it was taken back,
//! and nobody sees or does what their role is not for.

use crate::client::Answer;
use crate::registration::{get, id_in, north, post, register, staff};
use crate::smart_site::{Site, Visitor};
use identity::{Kind, Profile};

/// A hand that goes down, up and down again.
const HAND: &str = "10,20 40,90 90,20 140,90;200,30 260,80";

/// Sends a form of a page about a consent.
fn send(visitor: &mut Visitor<'_>, patient: &str, kind: &str, fields: &[(&str, &str)]) -> Answer {
    let here = format!("/p/{patient}/consents/new/{kind}");
    let tongue = fields.iter().find(|(name, _)| *name == "text").map_or("en", |(_, tongue)| tongue);
    let page = get(visitor, &format!("{here}?text={tongue}"));
    let read = page.field("read").unwrap_or_default();
    let plain = [("about", patient), ("text", "en"), ("signer", "patient"), ("read", &read)];
    let entry = [("entry", kind)];
    let own: Vec<(&str, &str)> = plain
        .into_iter()
        .chain(entry)
        .filter(|(name, _)| fields.iter().all(|(n, _)| n != name))
        .collect();
    post(visitor, &format!("/p/{patient}"), &here, &[fields, &own].concat(), &[])
}

const PART2: [(&str, &str); 9] = [
    ("discloser", "Lake Clinic"),
    ("source", "house"),
    ("extent", "all"),
    ("to", "here"),
    ("purpose", "TREAT"),
    ("purpose", "HPAYMT"),
    ("purpose", "HOPERAT"),
    ("ends", "revoked"),
    ("name", "Ann Lovelace"),
];

fn location(answer: &Answer) -> String {
    answer
        .header("location")
        .unwrap_or_else(|| panic!("{} {}", answer.status, answer.text()))
        .to_owned()
}

/// The address of what was kept, without what was done.
fn kept(answer: &Answer) -> String {
    location(answer).split('?').next().unwrap().to_owned()
}

#[test]
fn what_is_signed_on_the_screen_is_kept_word_for_word_with_the_hand_and_once() {
    let site = north();
    let mut fay = staff(&site, "fay", "front-desk");
    let id = id_in(&register(&mut fay, "form-1", &[]));
    let list = get(&mut fay, &format!("/p/{id}/consents")).text();
    assert!(list.contains("No consent is recorded"), "{list}");
    assert!(list.contains("Privacy notice not acknowledged"), "{list}");
    let read = get(&mut fay, &format!("/p/{id}/consents/new/treatment")).text();
    assert!(read.contains("Nobody has promised me a result.") && read.contains("Bea Okafor"));
    let nothing = send(&mut fay, &id, "treatment", &[("do", "sign"), ("name", "Bea Okafor")]);
    assert_eq!(nothing.status, 422);
    assert!(nothing.text().contains("Sign on the pad"), "{}", nothing.text());
    assert_eq!(nothing.field("name").as_deref(), Some("Bea Okafor"), "what was typed is kept");
    let fields = [("do", "sign"), ("name", "Bea Okafor"), ("strokes", HAND)];
    let first = send(&mut fay, &id, "treatment", &fields);
    let again = send(&mut fay, &id, "treatment", &fields);
    assert_eq!(kept(&first), kept(&again), "sent twice, kept once");
    let page = get(&mut fay, &location(&first)).text();
    for part in [
        "Kept, with its text and signature.",
        "Nobody has promised me a result.",
        "Patient: Bea Okafor",
        "d=\"M10 20L40 90L90 20L140 90\"",
        "In force",
        "nobody sees more or less by it",
        "ask health information management",
    ] {
        assert!(page.contains(part), "{part}: {page}");
    }
    let list = get(&mut fay, &format!("/p/{id}/consents")).text();
    assert!(!list.contains("Consent to treatment not signed"), "{list}");
    let found = site.ask(&site.all, "GET", &format!("/Consent?patient={id}"), "").text();
    for part in [
        "\"status\":\"active\"",
        "1.2.840.10065.1.12.1.7",
        "image/svg+xml",
        "\"title\":\"Consent to treatment\"",
        "\"code\":\"treatment\"",
    ] {
        assert!(found.contains(part), "{part}: {found}");
    }
}

#[test]
fn without_a_script_a_sheet_is_signed_before_a_witness_who_is_named() {
    let site = north();
    let mut fay = staff(&site, "fay", "front-desk");
    let id = id_in(&register(&mut fay, "form-1", &[]));
    let fields = [("do", "sign"), ("name", "Bea Okafor"), ("paper", "yes"), ("text", "es")];
    let done = send(&mut fay, &id, "privacy-notice", &fields);
    let page = get(&mut fay, &location(&done)).text();
    assert!(page.contains("Signed on paper") && page.contains("fay Someone"), "{page}");
    assert!(page.contains("He recibido el aviso"), "in the language that was read: {page}");
}

#[test]
fn that_the_notice_was_refused_is_kept_with_its_reason_and_not_asked_for_again() {
    let site = north();
    let mut fay = staff(&site, "fay", "front-desk");
    let id = id_in(&register(&mut fay, "form-1", &[]));
    let none = send(&mut fay, &id, "privacy-notice", &[("do", "decline"), ("reason", " ")]);
    assert_eq!(none.status, 422);
    let fields = [("do", "decline"), ("reason", "Wants to read it at home")];
    let done = send(&mut fay, &id, "privacy-notice", &fields);
    let page = get(&mut fay, &location(&done)).text();
    assert!(page.contains("Not given") && page.contains("Wants to read it at home"), "{page}");
    let list = get(&mut fay, &format!("/p/{id}/consents")).text();
    assert!(!list.contains("Privacy notice not acknowledged"), "{list}");
    assert!(list.contains("Consent to treatment not signed"), "{list}");
}

#[test]
fn a_part_2_consent_that_lacks_an_element_cannot_be_signed() {
    let site = north();
    let mut hal = staff(&site, "hal", "him");
    for (missing, say) in [
        ("discloser", "Who discloses"),
        ("source", "Who discloses"),
        ("extent", "What is disclosed"),
        ("to", "Who receives it"),
        ("purpose", "For what"),
        ("ends", "Until when"),
    ] {
        let fields: Vec<(&str, &str)> =
            PART2.into_iter().filter(|(name, _)| *name != missing).collect();
        for step in ["read", "sign"] {
            let all = [&fields[..], &[("do", step), ("strokes", HAND)]].concat();
            let answer = send(&mut hal, "ada", "part2", &all);
            assert_eq!(answer.status, 422, "{missing} {step}");
            assert!(answer.text().contains(&format!("{say}: ")), "{say}: {}", answer.text());
        }
    }
    // That it was not signed is kept with what it was about, also when the reason has to be asked for again.
    let asked = send(&mut hal, "ada", "part2", &[&PART2[..], &[("do", "decline")]].concat());
    assert_eq!(asked.status, 422);
    let forms = asked.text().matches("name=\"discloser\" value=\"Lake Clinic\"").count();
    assert_eq!(forms, 3, "to sign, to change it, and not to sign: {}", asked.text());
    let found = site.ask(&site.all, "GET", "/Consent?patient=ada", "").text();
    assert!(found.contains("\"total\":0"), "{found}");
}

/// A clinician who cares for ada, and a token to ask with.
fn clinician(site: &Site) -> String {
    let profile = Profile {
        name: "ivy".to_owned(),
        display: "ivy Someone".to_owned(),
        roles: vec!["clinician".to_owned()],
        practitioner: Some("pr-eve".to_owned()),
        ..Profile::default()
    };
    let made = site.smart.identity().create(Kind::Person, profile).unwrap();
    let opened = site.smart.identity().issue(made.id, 3_600_000, "a test").unwrap();
    opened.token.text().expose().to_owned()
}

#[test]
fn the_guard_heeds_what_was_signed_and_that_it_was_taken_back() {
    let site = north();
    site.put(
        "Observation/kept",
        r#"{"resourceType":"Observation","id":"kept","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"42CFRPart2"}]},"status":"final","code":{"text":"x"},"subject":{"reference":"Patient/ada"}}"#,
    );
    let ivy = clinician(&site);
    let seen = || site.ask(&ivy, "GET", "/Observation/kept", "").status;
    assert_eq!(seen(), 404);
    let mut hal = staff(&site, "hal", "him");
    let shown = send(&mut hal, "ada", "part2", &[&PART2[..], &[("do", "read")]].concat());
    assert_eq!(shown.status, 200);
    let text = shown.text();
    assert!(
        text.contains("Lake Clinic") && text.contains("treatment, payment, health care operations")
    );
    let read = shown.field("read").expect("what was read");
    let fields =
        [&PART2[..], &[("do", "sign"), ("strokes", HAND), ("read", read.as_str())]].concat();
    // One that describes what it is about, or names who discloses it, is for people to follow, and opens
    // nothing. Neither is signed by what was read of another.
    for (name, value, entry) in [("extent", "described", "part"), ("source", "named", "own")] {
        let mut other: Vec<(&str, &str)> = PART2.into_iter().filter(|(n, _)| *n != name).collect();
        other.extend([(name, value), ("information", "attendance"), ("entry", entry)]);
        let sign = [("do", "sign"), ("strokes", HAND)];
        let unread = [&other[..], &sign, &[("read", read.as_str())]].concat();
        assert_eq!(send(&mut hal, "ada", "part2", &unread).status, 409, "{name}");
        let shown = send(&mut hal, "ada", "part2", &[&other[..], &[("do", "read")]].concat());
        let own = shown.field("read").expect("what was read");
        let by_hand = send(
            &mut hal,
            "ada",
            "part2",
            &[&other[..], &sign, &[("read", own.as_str())]].concat(),
        );
        let page = get(&mut hal, &location(&by_hand)).text();
        assert!(page.contains("hand out by hand"), "{name}: {page}");
        assert_eq!(seen(), 404, "{name}");
    }
    let signed = send(&mut hal, "ada", "part2", &fields);
    let page = get(&mut hal, &location(&signed));
    assert!(page.text().contains("those who work here see"), "{}", page.text());
    assert_eq!(seen(), 200);
    let here = kept(&signed);
    let id = here.rsplit('/').next().unwrap();
    let fields = |reason: &'static str, version: &'static str| {
        [("about", "ada"), ("which", id), ("version", version), ("reason", reason)]
    };
    assert_eq!(post(&mut hal, &here, &here, &fields("", "1"), &[]).status, 422);
    let late = post(&mut hal, &here, &here, &fields("Asked by phone", "7"), &[]);
    assert!(location(&late).ends_with("done=stale"));
    assert_eq!(seen(), 200, "nothing was done");
    let done = post(&mut hal, &here, &here, &fields("Asked by phone", "1"), &[]);
    let page = get(&mut hal, &location(&done)).text();
    for part in ["Revoked", "Asked by phone", "I may revoke this consent", "d=\"M10 20L40"] {
        assert!(page.contains(part), "it stays to be read: {part}: {page}");
    }
    assert_eq!(seen(), 404);
}

#[test]
fn a_text_that_changed_since_it_was_read_is_read_again_and_another_patients_form_does_nothing() {
    let site = north();
    let mut fay = staff(&site, "fay", "front-desk");
    let id = id_in(&register(&mut fay, "form-1", &[]));
    let fields = [("do", "sign"), ("name", "Bea Okafor"), ("strokes", HAND)];
    let old = send(&mut fay, &id, "treatment", &[&fields[..], &[("read", "2020-1")]].concat());
    assert_eq!(old.status, 409);
    assert!(old.text().contains("Read it again below"), "{}", old.text());
    let other = send(&mut fay, &id, "treatment", &[&fields[..], &[("about", "ada")]].concat());
    assert_eq!(other.status, 404);
    assert_eq!(send(&mut fay, &id, "made-up", &fields).status, 404);
    let found = site.ask(&site.all, "GET", &format!("/Consent?patient={id}"), "").text();
    assert!(found.contains("\"total\":0"), "{found}");
}

#[test]
fn the_desk_has_everybodys_forms_signed_and_neither_sees_nor_writes_those_that_tell_of_health() {
    let site = north();
    let mut hal = staff(&site, "hal", "him");
    let mut fay = staff(&site, "fay", "front-desk");
    let id = id_in(&register(&mut fay, "form-1", &[]));
    let shown = send(&mut hal, &id, "part2", &[&PART2[..], &[("do", "read")]].concat());
    let read = shown.field("read").unwrap();
    let sign = [("do", "sign"), ("strokes", HAND), ("read", read.as_str())];
    let kept = kept(&send(&mut hal, &id, "part2", &[&PART2[..], &sign].concat()));
    assert_eq!(get(&mut hal, &kept).status, 200);
    assert_eq!(get(&mut fay, &kept).status, 404);
    let list = get(&mut fay, &format!("/p/{id}/consents")).text();
    assert!(!list.contains("Part 2") && list.contains("No consent is recorded"), "{list}");
    assert!(!get(&mut fay, &format!("/p/{id}")).text().contains("Part 2"));
    assert_eq!(get(&mut fay, &format!("/p/{id}/consents/new/part2")).status, 404);
    assert_eq!(send(&mut fay, &id, "part2", &[&PART2[..], &sign].concat()).status, 404);
    // Nor can the desk take one back, its own neither.
    let fields = [("do", "sign"), ("name", "Bea Okafor"), ("strokes", HAND)];
    let own = send(&mut fay, &id, "financial", &fields);
    let own = own.header("location").unwrap().split('?').next().unwrap().to_owned();
    let name = own.rsplit('/').next().unwrap();
    let take = [("about", id.as_str()), ("which", name), ("version", "1"), ("reason", "so")];
    assert_eq!(post(&mut fay, "/settings", &own, &take, &[]).status, 404);
    // Who sees no consents has no such page.
    let mut bob = staff(&site, "bob", "biller");
    for path in ["consents", "people", "consents/new/treatment"] {
        assert_eq!(get(&mut bob, &format!("/p/{id}/{path}")).status, 404, "{path}");
    }
    let banner = get(&mut hal, &format!("/p/{id}")).text();
    assert!(banner.contains(&format!("href=\"/p/{id}/consents\"")), "{banner}");
}

const ANN: [(&str, &str); 4] = [
    ("name", "Ann Okafor"),
    ("relationship", "PRN"),
    ("authority", "parent-of-minor"),
    ("evidence", "certificate 881"),
];

fn put_down(
    visitor: &mut Visitor<'_>,
    patient: &str,
    entry: &str,
    fields: &[(&str, &str)],
) -> Answer {
    let here = format!("/p/{patient}/people");
    let own = [("about", patient), ("entry", entry), ("power", "decide"), ("power", "visits")];
    post(visitor, &here, &here, &[fields, &own].concat(), &[])
}

fn somebody(
    visitor: &mut Visitor<'_>,
    entry: &str,
    family: &str,
    given: &str,
    born: &str,
) -> String {
    let fields = [
        ("step", "save"),
        ("entry", entry),
        ("family", family),
        ("given", given),
        ("birth_date", born),
    ];
    id_in(&post(visitor, "/register", "/register", &fields, &[]))
}

#[test]
fn a_parent_acts_for_a_minor_signs_for_them_and_is_ended() {
    let site = north();
    let mut fay = staff(&site, "fay", "front-desk");
    let year =
        base::time::civil_from_days(base::Clock::now(&base::time::SystemClock).0 / 86_400_000).0;
    let born = format!("{}-03-14", year - 8);
    let last = format!("13-Mar-{}", year + 10);
    let minor = somebody(&mut fay, "form-1", "Okafor", "Kim", &born);
    let empty = get(&mut fay, &format!("/p/{minor}/people")).text();
    assert!(empty.contains("Nobody acts for the patient"), "{empty}");
    let none = put_down(&mut fay, &minor, "a", &ANN[..3]);
    assert_eq!(none.status, 422);
    assert!(none.text().contains("What was seen that proves it: Fill this in"), "{}", none.text());
    assert_eq!(put_down(&mut fay, &minor, "a", &ANN).status, 303);
    assert_eq!(put_down(&mut fay, &minor, "a", &ANN).status, 303);
    let page = get(&mut fay, &format!("/p/{minor}/people")).text();
    assert_eq!(page.matches("certificate 881").count(), 1, "sent twice, kept once: {page}");
    assert!(page.contains("Acts now") && page.contains(&last), "it ends by itself: {page}");
    let banner = get(&mut fay, &format!("/p/{minor}")).text();
    assert!(banner.contains("Ann Okafor (Parent of a minor)"), "{banner}");
    let form = get(&mut fay, &format!("/p/{minor}/consents/new/treatment")).text();
    assert!(form.contains("The patient is a minor"), "{form}");
    let proxy = form.split("name=\"signer\" value=\"").nth(2).expect("somebody who may decide");
    let proxy = proxy.split('"').next().unwrap().to_owned();
    let fields =
        [("do", "sign"), ("name", "Ann Okafor"), ("strokes", HAND), ("signer", proxy.as_str())];
    let done = send(&mut fay, &minor, "treatment", &fields);
    let page = get(&mut fay, &location(&done)).text();
    assert!(page.contains("Ann Okafor") && page.contains("for the patient"), "{page}");
    assert!(page.contains("By what right: Parent of a minor (certificate 881)"), "{page}");
    let ending = [("about", minor.as_str()), ("which", proxy.as_str()), ("version", "1")];
    let (here, there) = (format!("/p/{minor}/people"), format!("/p/{minor}/people/end"));
    assert!(location(&post(&mut fay, &here, &there, &ending, &[])).ends_with("done=ended"));
    assert!(get(&mut fay, &here).text().contains("Acts no longer"));
    assert!(!get(&mut fay, &format!("/p/{minor}")).text().contains("Ann Okafor"));
    let late = [&fields[..], &[("entry", "late")]].concat();
    assert_eq!(send(&mut fay, &minor, "treatment", &late).status, 422, "they decide no more");
    // Who is of age has no parent who acts for them, and somebody else's proxy signs for nobody.
    let adult = somebody(&mut fay, "form-2", "Stone", "Eli", "1961-03-14");
    let refused = put_down(&mut fay, &adult, "b", &ANN);
    assert_eq!(refused.status, 422);
    assert!(refused.text().contains("a parent acts for a minor"), "{}", refused.text());
    let wrong = send(&mut fay, &adult, "treatment", &fields);
    assert_eq!(wrong.status, 404, "{}", wrong.text());
}

#[test]
fn a_minors_part_2_consent_is_signed_by_the_minor_and_says_who_signs_beside_them() {
    let site = north();
    let mut hal = staff(&site, "hal", "him");
    let year =
        base::time::civil_from_days(base::Clock::now(&base::time::SystemClock).0 / 86_400_000).0;
    let born = format!("{}-03-14", year - 15);
    let minor = somebody(&mut staff(&site, "fay", "front-desk"), "form-1", "Okafor", "Kim", &born);
    assert_eq!(put_down(&mut hal, &minor, "a", &ANN).status, 303);
    let shown = send(&mut hal, &minor, "part2", &[&PART2[..], &[("do", "read")]].concat());
    let text = shown.text();
    assert!(text.contains("The minor signs this consent, and nobody instead of them"), "{text}");
    assert_eq!(text.matches("name=\"signer\"").count(), 1, "nobody signs instead: {text}");
    assert_eq!(text.matches("data-pad").count(), 2, "{text}");
    let ann = text.split("name=\"beside\" value=\"").nth(2).expect("who may decide");
    let ann = ann.split('"').next().unwrap().to_owned();
    let read = shown.field("read").unwrap();
    let sign = [("do", "sign"), ("strokes", HAND), ("read", read.as_str())];
    let sign = [&PART2[..], &sign].concat();
    for (fields, say) in [
        (vec![], "Say who signs beside the minor"),
        (vec![("signer", ann.as_str()), ("beside", "nobody")], "The minor signs;"),
        (vec![("beside", ann.as_str()), ("beside_name", "Ann Okafor")], "Both sign"),
        (
            vec![("beside", ann.as_str()), ("beside_strokes", HAND)],
            "beside the minor: Fill this in",
        ),
    ] {
        let answer = send(&mut hal, &minor, "part2", &[&sign[..], &fields].concat());
        assert_eq!(answer.status, 422, "{say}");
        assert!(answer.text().contains(say), "{say}: {}", answer.text());
    }
    let both = [("beside", ann.as_str()), ("beside_name", "Ann Okafor"), ("beside_strokes", HAND)];
    let done = send(&mut hal, &minor, "part2", &[&sign[..], &both].concat());
    let page = get(&mut hal, &location(&done)).text();
    assert_eq!(page.matches("d=\"M10 20L40").count(), 2, "both hands: {page}");
    assert!(page.contains("By what right: Parent of a minor (certificate 881)"), "{page}");
    let alone = [("beside", "nobody"), ("entry", "second")];
    assert_eq!(send(&mut hal, &minor, "part2", &[&sign[..], &alone].concat()).status, 303);
}

#[test]
fn the_houses_own_words_are_signed_once_the_privacy_officer_keeps_them_and_not_before() {
    let site = north();
    let mut pia = staff(&site, "pia", "privacy-officer");
    let mut fay = staff(&site, "fay", "front-desk");
    let id = id_in(&register(&mut fay, "form-1", &[]));
    let list = get(&mut pia, "/admin/consents").text();
    assert!(list.contains("As it ships") && !list.contains("The house's own"), "{list}");
    for path in ["/admin/consents", "/admin/consents/treatment/en"] {
        assert_eq!(get(&mut fay, path).status, 404, "{path}");
    }
    let here = "/admin/consents/treatment/en";
    let own = [("title", "Our consent"), ("words", "We treat you.\r\n\r\nYou may say <no>.")];
    assert_eq!(post(&mut fay, "/settings", here, &own, &[]).status, 404);
    let none = post(&mut pia, here, here, &[("title", ""), own[1]], &[]);
    assert_eq!(none.status, 422);
    assert!(none.text().contains("You may say &lt;no&gt;."), "{}", none.text());
    let read = get(&mut fay, &format!("/p/{id}/consents/new/treatment"));
    let old = read.field("read").unwrap();
    assert!(location(&post(&mut pia, here, here, &own, &[])).ends_with("done=kept"));
    let fields = [("do", "sign"), ("name", "Bea Okafor"), ("strokes", HAND)];
    let late = send(&mut fay, &id, "treatment", &[&fields[..], &[("read", &*old)]].concat());
    assert_eq!(late.status, 409, "other words were read");
    let signed = send(&mut fay, &id, "treatment", &fields);
    let page = get(&mut fay, &location(&signed)).text();
    for part in ["Our consent", "We treat you.", "You may say &lt;no&gt;.", "own-1"] {
        assert!(page.contains(part), "{part}: {page}");
    }
    // What the law has a release say stands in the house's words as well.
    let there = "/admin/consents/release/en";
    let short =
        post(&mut pia, there, there, &[("title", "Ours"), ("words", "We hand it out.")], &[]);
    assert_eq!(short.status, 422);
    for part in ["word for word", "We hand it out.", "I may revoke this authorization at any time"]
    {
        assert!(short.text().contains(part), "{part}: {}", short.text());
    }
    let shipped = get(&mut pia, there).text();
    let words = shipped.split("<textarea").nth(1).and_then(|one| one.split('>').nth(1)).unwrap();
    let words = format!("We hand it out.\n\n{}", words.split("</textarea").next().unwrap());
    let kept = post(&mut pia, there, there, &[("title", "Ours"), ("words", &words)], &[]);
    assert!(location(&kept).ends_with("done=kept"));
    // Somebody else's form of before does nothing; then the words that ship are back.
    assert!(location(&post(&mut pia, here, here, &own, &[])).ends_with("done=stale"));
    let form = get(&mut pia, here);
    let (which, version) = (form.field("which").unwrap(), form.field("version").unwrap());
    let back = [("do", "back"), ("title", "x"), ("which", &which), ("version", &version)];
    assert!(location(&post(&mut pia, here, here, &back, &[])).ends_with("done=back"));
    let read = get(&mut fay, &format!("/p/{id}/consents/new/treatment")).text();
    assert!(read.contains("Nobody has promised me a result."), "{read}");
    let page = get(&mut fay, &location(&signed)).text();
    assert!(page.contains("We treat you."), "what was signed keeps its words: {page}");
}
