//! Who books: what the front desk may not see it is not told of by a refusal, and who does not keep
//! the book books nobody over.

use crate::support::*;
use identity::{Cost, Kind, Profile};
use record::{Asked, Record, Session, Settings};
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
    let identity = clinic.record.identity();
    let profile = Profile {
        name: role.to_owned(),
        display: "Somebody".to_owned(),
        roles: vec![role.to_owned()],
        sites: vec!["main".to_owned()],
        ..Profile::default()
    };
    let made = identity.create(Kind::Service, profile).unwrap();
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
