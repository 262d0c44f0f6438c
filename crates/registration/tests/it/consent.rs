//! Consents at the gate: what somebody signed is not rewritten, whoever tries and through whichever door,
//! and who may only have everybody's forms signed opens no record.

use crate::support::{Room, code, doc, of, run};
use registration::Seen;
use registration::consent::elements::{Elements, Ends, Extent, To};
use registration::consent::form::{self, Form};
use registration::consent::signature::Signature;
use registration::consent::text::Tongue;
use registration::consent::{self, Kind, Mark, Signing};

const ADA: &str = r#"{"resourceType":"Patient","id":"ada","name":[{"family":"Lovelace","given":["Ada"]}],"birthDate":"1990-12-10","managingOrganization":{"reference":"Organization/north"}}"#;
const PERMIT: &str = r#"{"resourceType":"Consent","status":"active","scope":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/consentscope","code":"patient-privacy"}]},"category":[{"coding":[{"system":"urn:plummer:consent-form","code":"treatment"}]}],"patient":{"reference":"Patient/ada"},"policyRule":{"coding":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActCode","code":"42CFRPart2"}]},"provision":{"type":"permit","purpose":[{"system":"http://terminology.hl7.org/CodeSystem/v3-ActReason","code":"TREAT"}]}}"#;

fn signing(form: &str) -> Signing {
    Signing {
        elements: Elements {
            discloser: "Lake Clinic".into(),
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
    let hit = room.read("Patient", "ada");
    let mut signing = signing(form_id);
    signing.read = consent::read_mark(&hit, &Form::shipped(kind, Tongue::English));
    run(consent::sign(session, "ada", kind, &signing))
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
    assert!(matches!(held.mark, Some(Mark::Drawn(_))) && !held.is_in_force);
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
    assert_eq!(code(run(room.him().create(of("Consent"), doc(PERMIT), None))), "done");
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
