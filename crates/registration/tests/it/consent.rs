//! Consents at the gate: what somebody signed is not rewritten, whoever tries and through whichever door,
//! and who may only have everybody's forms signed opens no record.

use crate::support::{Room, code, doc, of, run};
use record::proxy::{Authority, Power};
use registration::Seen;
use registration::consent::elements::{Elements, Ends, Extent, Source, To};
use registration::consent::form::{self, Form};
use registration::consent::signature::Signature;
use registration::consent::text::Tongue;
use registration::consent::{self, Beside, Kind, Mark, Second, Signing};
use registration::proxy::{self, Entered};

const ADA: &str = r#"{"resourceType":"Patient","id":"ada","name":[{"family":"Lovelace","given":["Ada"]}],"birthDate":"1990-12-10","managingOrganization":{"reference":"Organization/north"}}"#;
const PERMIT: &str = r#"{"resourceType":"Consent","status":"active","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},"category":[{"coding":[{"system":"urn:plummer:consent-form","code":"treatment"}]}],"patient":{"reference":"Patient/ada"},"policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"42CFRPart2"}]},"provision":{"type":"permit","purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"TREAT"}]}}"#;

const LABELS: &str = r#","security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]"#;
const PAPER: &str = r#","sourceAttachment":{"contentType":"application/pdf","data":"eA=="}"#;

fn signing(form: &str) -> Signing {
    Signing {
        elements: Elements {
            discloser: "Lake Clinic".into(),
            source: Source::House,
            extent: Extent::All,
            to: To::Here,
            purposes: vec!["TREAT".into()],
            ends: Ends::Revoked,
            ..Elements::default()
        },
        name: "Ada Lovelace".into(),
        drawn: Signature::read("10,20 40,90 90,20"),
        form: form.into(),
        ..Signing::default()
    }
}

fn sign(
    room: &Room,
    session: &record::Session,
    kind: Kind,
    form_id: &str,
) -> Result<String, base::Fault> {
    run(consent::sign(session, "ada", kind, &read(room, "ada", kind, signing(form_id))))
}

/// What is signed, as it was read.
fn read(room: &Room, about: &str, kind: Kind, mut signing: Signing) -> Signing {
    let form = Form::shipped(kind, Tongue::English);
    let text = consent::text_of(&room.read("Patient", about), &form, &signing.elements).unwrap();
    signing.read = text.mark(&form);
    signing
}

#[test]
fn what_somebody_signed_ends_and_is_not_rewritten_or_deleted() {
    let room = Room::new();
    room.put(ADA);
    let him = room.him();
    let id = sign(&room, &him, Kind::Part2, "f1").unwrap();
    assert_eq!(sign(&room, &him, Kind::Part2, "f1").unwrap(), id, "sent twice, kept once");
    let body = room.body("Consent", &id);
    for (from, to) in [
        (
            "\"purpose\":[",
            "\"purpose\":[{\"system\":\"http://terminology.hl7.org/CodeSystem/v3-ActReason\",\"code\":\"HLEGAL\"},",
        ),
        ("Ada Lovelace", "Eve Somebody"),
    ] {
        let other = doc(&body.replace(from, to));
        assert!(body.contains(from), "{body}");
        let done = run(room.operator().update(of("Consent"), &id, other, None, false));
        assert_eq!(code(done), "registration.consent.signed", "{from}");
    }
    assert_eq!(
        code(run(room.operator().delete(of("Consent"), &id, None))),
        "registration.consent.signed"
    );
    // Nor is it made known to those whom its label keeps out.
    let bare = doc(&body.replace(LABELS, ""));
    assert!(body.contains(LABELS), "{body}");
    assert_eq!(
        code(run(him.update(of("Consent"), &id, bare, None, false))),
        "registration.consent.signed"
    );
    // Blanks say nothing, and it may end; then it does not begin again.
    let same = doc(&body.replace("\":", "\" : "));
    assert_eq!(code(run(room.operator().update(of("Consent"), &id, same, None, false))), "done");
    let seen = Seen { id: id.clone(), version: room.read("Consent", &id).version };
    assert_eq!(
        code(run(consent::revoke(&him, "ada", &seen, "", false))),
        "registration.value.invalid"
    );
    run(consent::revoke(&him, "ada", &seen, "Asked", false)).unwrap();
    let held = run(consent::one(&him, "ada", &id)).unwrap();
    assert!(matches!(held.hands[0].mark, Mark::Drawn(_)) && !held.is_in_force);
    assert_eq!(held.ended.map(|one| one.reason).as_deref(), Some("Asked"));
    let again = doc(&body);
    let done = run(room.operator().update(of("Consent"), &id, again, None, false));
    assert_eq!(code(done), "registration.consent.signed");
    let seen = Seen { version: room.read("Consent", &id).version, ..seen };
    let twice = run(consent::revoke(&him, "ada", &seen, "Again", false));
    assert_eq!(code(twice), "registration.consent.state");
}

#[test]
fn the_desk_has_forms_signed_and_writes_no_permit() {
    let room = Room::new();
    room.put(ADA);
    let desk = room.desk();
    assert_eq!(code(sign(&room, &desk, Kind::Treatment, "f1")), "done");
    let refused = run(desk.create(of("Consent"), doc(PERMIT), None));
    assert_eq!(code(refused), "access.denied", "a form's name opens nothing");
    let bare = PERMIT.split(",\"provision\"").next().unwrap().to_owned() + "}";
    assert_eq!(code(run(desk.create(of("Consent"), doc(&bare), None))), "access.denied");
    assert_eq!(code(sign(&room, &desk, Kind::Part2, "f2")), "access.denied");
}

#[test]
fn nobody_opens_part_2_by_a_consent_that_nobody_signed() {
    let room = Room::new();
    room.put(ADA);
    let (him, operator) = (room.him(), room.operator());
    let signed = PERMIT.replace(",\"provision\"", &format!("{PAPER},\"provision\""));
    for session in [&him, &operator] {
        let done = run(session.create(of("Consent"), doc(PERMIT), None));
        assert_eq!(code(done), "registration.consent.unsigned");
        assert_eq!(code(run(session.create(of("Consent"), doc(&signed), None))), "done");
        // Nor by one that begins later, or says it elsewhere.
        let draft = PERMIT.replace("\"active\"", "\"draft\"");
        let id = run(session.create(of("Consent"), doc(&draft), None)).unwrap().hit.id;
        let put = |text: &str| {
            let text = text.replacen('{', &format!("{{\"id\":\"{id}\","), 1);
            code(run(session.update(of("Consent"), &id, doc(&text), None, false)))
        };
        assert_eq!(put(PERMIT), "registration.consent.unsigned");
        let label =
            r#"{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"42CFRPart2"}"#;
        let inner = PERMIT
            .replace(&format!(r#""policyRule":{{"coding":[{label}]}}"#), r#""policyRule":{"text":"x"}"#)
            .replace(r#""provision":{"type":"permit""#, &format!(r#""provision":{{"type":"permit","provision":[{{"type":"permit","securityLabel":[{label}]}}]"#));
        assert!(
            inner.contains("securityLabel") && !inner.contains("policyRule\":{\"coding"),
            "{inner}"
        );
        assert_eq!(put(&inner), "registration.consent.unsigned");
        assert_eq!(put(&signed), "done");
        assert_eq!(put(PERMIT), "registration.consent.unsigned", "the paper is gone");
    }
}

const KIM: &str = r#"{"resourceType":"Patient","id":"kim","name":[{"family":"Okafor","given":["Kim"]}],"birthDate":"2012-03-14","managingOrganization":{"reference":"Organization/north"}}"#;

fn parent(session: &record::Session) -> String {
    let ann = Entered {
        name: "Ann Okafor".into(),
        authority: Some(Authority::Parent),
        powers: vec![Power::Decide],
        evidence: "certificate 881".into(),
        ..Entered::default()
    };
    run(proxy::add(session, "kim", "p1", &ann)).unwrap()
}

#[test]
fn a_minor_signs_a_part_2_consent_and_a_parent_never_instead() {
    let room = Room::new();
    room.put(KIM);
    let him = room.him();
    let ann = parent(&him);
    let own = |form: &str| Signing { name: "Kim Okafor".into(), ..signing(form) };
    let done = |signing: Signing| {
        run(consent::sign(&him, "kim", Kind::Part2, &read(&room, "kim", Kind::Part2, signing)))
    };
    let refused = |signing: Signing| {
        let fault = done(signing).unwrap_err();
        assert_eq!(fault.code().name, "registration.consent.incomplete");
        fault.issues[0].expression.clone().unwrap()
    };
    assert_eq!(refused(Signing { proxy: ann.clone(), ..own("f1") }), "signer");
    assert_eq!(refused(own("f1")), "beside", "who else signs is said");
    let second = Second { proxy: ann, name: "Ann Okafor".into(), drawn: None };
    let beside = |second: &Second| Signing { beside: Beside::Signs(second.clone()), ..own("f1") };
    assert_eq!(code(done(beside(&second))), "registration.value.invalid", "she did not sign");
    let drawn = Signature::read("10,20 90,20 40,90");
    let stranger = Second { proxy: String::new(), drawn: drawn.clone(), ..second.clone() };
    assert_eq!(code(done(beside(&stranger))), "registration.value.invalid");
    let id = done(beside(&Second { drawn, ..second })).unwrap();
    let held = run(consent::one(&him, "kim", &id)).unwrap();
    let hands: Vec<_> = held.hands.iter().map(|hand| (hand.name.as_str(), hand.by_proxy)).collect();
    assert_eq!(hands, [("Kim Okafor", false), ("Ann Okafor", true)]);
    assert_eq!(held.hands[1].authority, "Parent of a minor (certificate 881)");
    // Where the law lets them seek the treatment alone, they sign alone.
    let alone = done(Signing { beside: Beside::Nobody, ..own("f2") }).unwrap();
    assert_eq!(run(consent::one(&him, "kim", &alone)).unwrap().hands.len(), 1);
    // The parent's alone is refused through any door.
    let body = room.body("Consent", &id);
    let (head, rest) = body
        .split_once(r#"{"url":"https://plummer.health/fhir/StructureDefinition/consent-signature"#)
        .unwrap();
    let (_, hers) = rest
        .split_once(r#"{"url":"https://plummer.health/fhir/StructureDefinition/consent-signature"#)
        .unwrap();
    let hers = format!(
        r#"{head}{{"url":"https://plummer.health/fhir/StructureDefinition/consent-signature{hers}"#
    );
    let done = run(room.operator().create(of("Consent"), doc(&hers), None));
    assert_eq!(code(done), "registration.consent.unsigned");
}

#[test]
fn whoever_signs_for_a_patient_says_by_what_right() {
    let room = Room::new();
    room.put(KIM);
    let him = room.him();
    let signing = Signing { proxy: parent(&him), name: "Ann Okafor".into(), ..signing("f1") };
    let signing = read(&room, "kim", Kind::Treatment, signing);
    let id = run(consent::sign(&him, "kim", Kind::Treatment, &signing)).unwrap();
    let held = run(consent::one(&him, "kim", &id)).unwrap();
    assert!(held.hands[0].by_proxy);
    assert_eq!(held.hands[0].authority, "Parent of a minor (certificate 881)");
    assert!(room.body("Consent", &id).contains(r#""valueCode":"parent-of-minor""#));
    let beside = Signing { beside: Beside::Signs(Second::default()), form: "f2".into(), ..signing };
    let done = run(consent::sign(&him, "kim", Kind::Treatment, &beside));
    assert_eq!(code(done), "registration.value.invalid", "nobody signs beside this one");
}

#[test]
fn a_form_is_kept_once_for_what_it_does_and_for_the_text_that_was_read() {
    let room = Room::new();
    room.put(ADA);
    let him = room.him();
    let mut signing = read(&room, "ada", Kind::Part2, signing("f1"));
    let sign = |signing: &Signing| run(consent::sign(&him, "ada", Kind::Part2, signing)).unwrap();
    let decline = |signing: &Signing| {
        run(consent::decline(&him, "ada", Kind::Part2, signing, "Changed her mind")).unwrap()
    };
    let signed = sign(&signing);
    let declined = decline(&signing);
    assert_ne!(signed, declined, "a decline is not answered with what was signed");
    assert_eq!((sign(&signing), decline(&signing)), (signed.clone(), declined.clone()));
    assert_eq!(run(consent::one(&him, "ada", &declined)).unwrap().status, "rejected");
    // Another text of the same form is another consent, and nothing is signed that was not read.
    signing.elements.discloser = "Hill Clinic".into();
    let stale = run(consent::sign(&him, "ada", Kind::Part2, &signing));
    assert_eq!(code(stale), "record.write.version-conflict");
    let other = sign(&read(&room, "ada", Kind::Part2, signing));
    assert_ne!(other, signed);
    let held = run(consent::one(&him, "ada", &other)).unwrap();
    assert!(
        held.words.contains("Who discloses: Hill Clinic, with all its programs\n"),
        "{}",
        held.words
    );
}

#[test]
fn one_that_names_who_discloses_says_so_where_the_guard_reads_and_opens_nothing() {
    let room = Room::new();
    room.put(ADA);
    let him = room.him();
    let house = sign(&room, &him, Kind::Part2, "f1").unwrap();
    assert!(run(consent::one(&him, "ada", &house)).unwrap().grants);
    let mut named = signing("f2");
    named.elements.source = Source::Named;
    named.elements.discloser = "Dr Grace Hopper".into();
    let named = read(&room, "ada", Kind::Part2, named);
    let id = run(consent::sign(&him, "ada", Kind::Part2, &named)).unwrap();
    let held = run(consent::one(&him, "ada", &id)).unwrap();
    assert!(!held.grants && held.is_in_force);
    assert!(
        held.words.contains("Who discloses: Dr Grace Hopper, and nobody else\n"),
        "{}",
        held.words
    );
    let body = room.body("Consent", &id);
    let actor = r#""code":"CST"}]},"reference":{"display":"Dr Grace Hopper"}"#;
    assert!(body.contains(actor), "{body}");
}

#[test]
fn what_is_in_force_is_listed_whole_and_of_what_ended_it_is_said_that_there_is_more() {
    let room = Room::new();
    room.put(ADA);
    let put = |id: &str, status: &str, day: &str| {
        let text = PERMIT.split(",\"provision\"").next().unwrap().replacen(
            "\"active\"",
            &format!("\"{status}\",\"id\":\"{id}\",\"dateTime\":\"{day}\""),
            1,
        );
        room.put(&format!("{text}}}"));
    };
    put("old", "active", "2001-01-01");
    for number in 0..130 {
        put(&format!("now-{number}"), "active", "2026-01-01");
        if number < 7 {
            put(&format!("past-{number}"), "inactive", "2026-05-01");
        }
    }
    let him = room.him();
    let listed = run(consent::of(&him, "ada", 5)).unwrap();
    assert_eq!((listed.held.len(), listed.more), (136, true));
    assert_eq!(listed.held.iter().filter(|one| one.is_in_force).count(), 131);
    assert_eq!(listed.held[130].id, "old", "the latest first");
    let all = run(consent::of(&him, "ada", 7)).unwrap();
    assert_eq!((all.held.len(), all.more), (138, false));
    assert_eq!(run(consent::in_force(&him, "ada")).unwrap().len(), 131);
}

#[test]
fn the_house_words_its_forms_and_what_the_law_says_stands_in_them() {
    let room = Room::new();
    let operator = room.operator();
    for kind in Kind::ALL {
        for tongue in Tongue::ALL {
            let asked = form::statutory(kind, tongue);
            assert_eq!(asked.len(), if kind.has_elements() { 3 } else { 0 }, "{kind:?}");
            let keep = |words: &str| {
                let own = run(form::of(&operator, kind, tongue)).unwrap().own;
                run(form::keep(&operator, kind, tongue, own.as_ref(), "Ours", words))
            };
            for missing in &asked {
                let rest: Vec<&str> =
                    asked.iter().filter(|one| one != &missing).map(String::as_str).collect();
                let fault = keep(&format!("Ours.\n\n{}", rest.join("\n\n"))).unwrap_err();
                assert_eq!(fault.issues[0].expression.as_deref(), Some("statutory"));
            }
            // Broken otherwise it is the same paragraph.
            let words = asked.iter().map(|one| one.replacen(' ', "\n", 2)).collect::<Vec<_>>();
            assert_eq!(code(keep(&format!("Ours.\n\n{}", words.join("\n\n")))), "done");
            assert!(run(form::of(&operator, kind, tongue)).unwrap().is_own);
        }
    }
    // One that came through another door without them is not put before anybody.
    let bare = r#"{"resourceType":"Questionnaire","id":"q","status":"active","title":"Ours","identifier":[{"system":"urn:plummer:consent-form","value":"part2.en"}],"item":[{"linkId":"1","text":"Sign.","type":"display"}]}"#;
    let room = Room::new();
    room.put(bare);
    let found = run(form::of(&room.operator(), Kind::Part2, Tongue::English)).unwrap();
    assert!(!found.is_own && found.own.is_some() && found.paragraphs.len() > 3);
}

#[test]
fn a_form_that_says_nothing_is_none_and_the_one_that_ships_is_signed() {
    let room = Room::new();
    room.put(ADA);
    room.put(r#"{"resourceType":"Questionnaire","id":"q","status":"active","title":"Ours","identifier":[{"system":"urn:plummer:consent-form","value":"treatment.en"}]}"#);
    let desk = room.desk();
    let found = run(form::of(&desk, Kind::Treatment, Tongue::English)).unwrap();
    assert!(!found.is_own && found.own.is_some());
    assert_eq!(
        code(run(form::keep(
            &desk,
            Kind::Treatment,
            Tongue::English,
            found.own.as_ref(),
            "Ours",
            "x"
        ))),
        "access.denied"
    );
    let operator = room.operator();
    let kept = run(form::keep(
        &operator,
        Kind::Treatment,
        Tongue::English,
        found.own.as_ref(),
        "Ours",
        "One.\n\nTwo.",
    ));
    assert_eq!(code(kept), "done");
    let found = run(form::of(&desk, Kind::Treatment, Tongue::English)).unwrap();
    assert_eq!(
        (found.title.as_str(), found.paragraphs.len(), found.edition.as_str()),
        ("Ours", 2, "own-2")
    );
    let late = run(form::keep(&operator, Kind::Treatment, Tongue::English, None, "Ours", "x"));
    assert_eq!(code(late), "record.write.version-conflict");
}
