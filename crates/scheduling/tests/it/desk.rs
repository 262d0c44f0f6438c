//! Who books: what the front desk may not see it is not told of by a refusal, and who does not keep
//! the book books nobody over.

use crate::support::*;
use identity::{Cost, Kind, Profile};
use record::{Asked, Record, Session, Settings};
use scheduling::book::{Entry, House, day};
use scheduling::occupancy::OVERBOOKING;

const TEN: (&str, &str) = ("10:00", "10:30");
const BILLER: &str = "@id(\"site-biller\") permit (principal in Role::\"biller\", \
     action in [Action::\"create\", Action::\"update\", Action::\"view\"], resource) \
     when { context.purpose == \"HPAYMT\" && resource.kind == \"Appointment\" };";

fn clinic() -> Clinic {
    let dir = tempfile::tempdir().unwrap();
    let mut how = Settings {
        site: Some("main".into()),
        policies: vec![("site.cedar".to_owned(), BILLER.to_owned())],
        ..settings()
    };
    how.identity.cost = Cost { memory_kib: 64, passes: 1, lanes: 1 };
    let record = Record::open(dir.path(), how).unwrap();
    Clinic { record, dir }
}

fn session(clinic: &Clinic, role: &str) -> Session {
    of_kind(clinic, role, Kind::Service)
}

fn of_kind(clinic: &Clinic, role: &str, kind: Kind) -> Session {
    let identity = clinic.record.identity();
    let profile = Profile {
        name: role.to_owned(),
        display: "Somebody".to_owned(),
        roles: vec![role.to_owned()],
        sites: vec!["main".to_owned()],
        ..Profile::default()
    };
    let made = identity.create(kind, profile).unwrap();
    let opened = identity.issue(made.id, 3_600_000, "a script").unwrap();
    let caller = identity.find(opened.token.text().expose(), None).unwrap();
    let subject = clinic.record.subject(&caller, None, Asked::default()).unwrap();
    clinic.record.session(subject, [3; 16])
}

fn books(session: &Session, body: &str) -> Result<(), &'static str> {
    let written = run(session.create(of("Appointment"), doc(body), None));
    written.map(drop).map_err(|fault| fault.code().name)
}

#[test]
fn a_refusal_tells_that_a_clinician_is_taken_and_never_that_a_patient_is_elsewhere() {
    let clinic = clinic();
    let hidden = r#","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]}"#;
    let own = ["Practitioner/a", "Patient/p"];
    let kept = clinic.create(&appointment("", "booked", TEN, &own, hidden)).unwrap();
    let desk = session(&clinic, "front-desk");
    let unseen = desk.read(of("Appointment"), &kept.hit.id, None).unwrap_err();
    assert_eq!(unseen.code().name, "record.read.not-found", "it is hidden from the desk");
    let with = |actors: &[&str]| appointment("", "booked", TEN, actors, "");
    assert_eq!(books(&desk, &with(&["Practitioner/b", "Patient/p"])), Ok(()));
    let taken = Err("scheduling.appointment.double-booked");
    assert_eq!(
        books(&desk, &with(&["Practitioner/c", "Patient/p"])),
        taken,
        "what it sees, counts"
    );
    assert_eq!(books(&desk, &with(&["Practitioner/a", "Patient/q"])), taken);
}

#[test]
fn who_does_not_keep_the_book_books_nobody_over() {
    let clinic = clinic();
    clinic.create(&appointment("", "booked", TEN, &["Practitioner/a", "Patient/p"], "")).unwrap();
    let why = format!(r#","extension":[{{"url":"{OVERBOOKING}","valueString":"urgent"}}]"#);
    let over = |patient: &str| appointment("", "booked", TEN, &["Practitioner/a", patient], &why);
    let biller = session(&clinic, "biller");
    let refused = Err("scheduling.appointment.overbooking-denied");
    assert_eq!(books(&biller, &over("Patient/q")), refused);
    let free =
        appointment("", "booked", ("12:00", "12:30"), &["Practitioner/a", "Patient/q"], &why);
    assert_eq!(books(&biller, &free), Ok(()), "a reason that is not needed is no override");
    assert_eq!(books(&session(&clinic, "front-desk"), &over("Patient/q")), Ok(()));
}

#[test]
fn time_that_is_taken_by_what_one_may_not_see_is_never_shown_as_free() {
    let clinic = clinic();
    for body in [
        r#"{"resourceType":"Location","id":"main","status":"active","name":"Main","hoursOfOperation":[{"daysOfWeek":["tue"],"allDay":true}]}"#,
        r#"{"resourceType":"Practitioner","id":"a"}"#,
        r#"{"resourceType":"PractitionerRole","id":"role-a","active":true,"practitioner":{"reference":"Practitioner/a"},"location":[{"reference":"Location/main"}]}"#,
    ] {
        clinic.put(body).unwrap();
    }
    let hidden = r#","meta":{"security":[{"system":"http://terminology.hl7.org/CodeSystem/v3-Confidentiality","code":"R"}]}"#;
    let eleven = ("11:00", "11:30");
    // Once under the person, once under the role in which she works: she is one.
    for (who, at) in [("Practitioner/a", TEN), ("PractitionerRole/role-a", eleven)] {
        clinic.create(&appointment("", "booked", at, &[who, "Patient/p"], hidden)).unwrap();
    }
    let desk = of_kind(&clinic, "front-desk", Kind::Person);
    let date = jiff::civil::date(2026, 12, 1);
    let ann = scheduling::actor::Actor::parse("Practitioner/a").unwrap();
    let house = House::default();
    let grid = run(day(&desk, &house, (date, date), &house.zone, &[ann])).unwrap();
    let withheld: Vec<String> = grid.rows[0]
        .entries
        .iter()
        .map(|entry| match entry {
            Entry::Withheld(span) => span.start.to_instant(),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(withheld, ["2026-12-01T10:00:00.000Z", "2026-12-01T11:00:00.000Z"]);
}
