//! Problems, allergies and medications: added once, changed as last read, ended with a reason, never
//! deleted, and never in another patient's chart.

use crate::support::{Room, code, run};
use charting::allergies::{self, AllergyForm, Criticality};
use charting::medications::{self, MedicationForm, Source};
use charting::problems::{self, ProblemEdit, ProblemForm};
use charting::summary::AllergyState;
use charting::{About, Concept, Done, Seen, Summary};
use record::{Audited, Session};

fn named(text: &str) -> Concept {
    Concept { text: text.to_owned(), codings: Vec::new() }
}

fn seen(done: &Done) -> Seen {
    Seen { id: done.place.id.clone(), version: done.place.version }
}

fn problem(form: &str, what: &str) -> ProblemForm {
    ProblemForm { form: form.to_owned(), what: named(what), ..ProblemForm::default() }
}

fn allergy(form: &str, to: &str) -> AllergyForm {
    AllergyForm { form: form.to_owned(), to: named(to), ..AllergyForm::default() }
}

fn drug(form: &str, what: &str) -> MedicationForm {
    MedicationForm { form: form.to_owned(), what: named(what), ..MedicationForm::default() }
}

fn summary(session: &Session) -> Summary {
    Summary::of(session, "ada").and_then(Audited::wait).unwrap()
}

#[test]
fn a_problem_is_added_changed_resolved_and_found_again_in_its_history() {
    let room = Room::with_ada();
    let (doctor, ada) = (room.doctor(), About::patient("ada"));
    let form = ProblemForm { onset: Some("2019-03".into()), ..problem("p1", "Asthma") };
    let added = run(problems::add(&doctor, &ada, &form)).unwrap();
    let again = run(problems::add(&doctor, &ada, &form)).unwrap();
    assert!(added.new && !again.new && added.place == again.place, "sent twice, entered once");
    assert_eq!(
        code(run(problems::add(&doctor, &ada, &problem("p2", " asthma ")))),
        "charting.record.duplicate"
    );
    let another = ProblemForm { another: true, ..problem("p3", "Asthma") };
    assert!(run(problems::add(&doctor, &ada, &another)).unwrap().new);
    let change = ProblemEdit {
        what: Some(named("Asthma, mild")),
        note: Some("By spirometry".into()),
        onset: None,
    };
    let changed = run(problems::edit(&doctor, &ada, &seen(&added), &change)).unwrap();
    let body = room.body("Condition", &added.place.id);
    assert!(
        body.contains("Asthma, mild") && body.contains("By spirometry") && body.contains("2019-03")
    );
    let lost = run(problems::resolve(&doctor, &ada, &seen(&added), ("2026", "gone")));
    assert_eq!(code(lost), "record.write.version-conflict", "what was seen is the version before");
    let over =
        run(problems::resolve(&doctor, &ada, &seen(&changed), ("2026-10", "No attacks"))).unwrap();
    assert_eq!(
        code(run(problems::resolve(&doctor, &ada, &seen(&over), ("2026", "x")))),
        "charting.record.state"
    );
    let body = room.body("Condition", &added.place.id);
    assert!(
        body.contains("\"resolved\"")
            && body.contains("Resolved: No attacks")
            && body.contains("By spirometry")
    );
    assert_eq!(summary(&doctor).problems.rows.len(), 1);
    let wrong =
        run(problems::enter_in_error(&doctor, &ada, &seen(&over), "Another patient's")).unwrap();
    assert_eq!(wrong.place.version, 4);
    assert!(!room.body("Condition", &added.place.id).contains("clinicalStatus"));
    let edit = run(problems::edit(&doctor, &ada, &seen(&wrong), &change));
    assert_eq!(code(edit), "charting.record.state");
}

#[test]
fn none_known_and_an_allergy_never_stand_side_by_side() {
    let room = Room::with_ada();
    let (doctor, ada) = (room.doctor(), About::patient("ada"));
    run(allergies::add_none_known(&doctor, &ada, "n1")).unwrap();
    assert_eq!(
        code(run(allergies::add_none_known(&doctor, &ada, "n2"))),
        "charting.record.duplicate"
    );
    assert_eq!(summary(&room.operator()).allergy_state, AllergyState::NoneKnown);
    let form = AllergyForm {
        criticality: Criticality::High,
        reactions: vec!["Hives".into()],
        ..allergy("a1", "Penicillin")
    };
    let added = run(allergies::add(&doctor, &ada, &form)).unwrap();
    let shown = summary(&doctor);
    let active: Vec<_> = shown.allergies.rows.iter().filter(|one| one.active).collect();
    assert_eq!(active.len(), 1);
    assert_eq!(
        (active[0].to.text.as_str(), active[0].criticality.as_str()),
        ("Penicillin", "high")
    );
    assert_eq!(active[0].manifestations[0].text, "Hives");
    assert_eq!(shown.allergy_state, AllergyState::Some);
    assert_eq!(code(run(allergies::add_none_known(&doctor, &ada, "n3"))), "charting.record.state");
    let milder =
        run(allergies::edit(&doctor, &ada, &seen(&added), (Criticality::Low, "Tested"))).unwrap();
    let over = run(allergies::resolve(&doctor, &ada, &seen(&milder), "Tolerated")).unwrap();
    assert_eq!(
        code(run(allergies::resolve(&doctor, &ada, &seen(&over), "x"))),
        "charting.record.state"
    );
    run(allergies::enter_in_error(&doctor, &ada, &seen(&over), "Not hers")).unwrap();
    assert!(summary(&doctor).allergies.rows.iter().all(|one| one.to.text != "Penicillin"));
}

#[test]
fn a_medication_is_stopped_with_its_reason_and_so_is_an_order() {
    let room = Room::with_ada();
    let (doctor, ada) = (room.doctor(), About::patient("ada"));
    let form = MedicationForm {
        dosage: Some("1 daily".into()),
        since: Some("2020".into()),
        ..drug("m1", "Metformin")
    };
    let added = run(medications::add(&doctor, &ada, &form)).unwrap();
    room.put(r#"{"resourceType":"MedicationRequest","id":"rx","status":"active","intent":"order","medicationCodeableConcept":{"text":"Lisinopril"},"subject":{"reference":"Patient/ada"}}"#);
    let twice = run(medications::add(&doctor, &ada, &drug("m2", "lisinopril")));
    assert_eq!(code(twice), "charting.record.duplicate", "an order counts as well");
    let edited = run(medications::edit(&doctor, &ada, &seen(&added), "2 daily")).unwrap();
    let stopped =
        run(medications::stop(&doctor, &ada, (Source::Statement, &seen(&edited)), "Nausea"))
            .unwrap();
    let body = room.body("MedicationStatement", &added.place.id);
    assert!(body.contains("\"stopped\"") && body.contains("Nausea") && body.contains("2 daily"));
    assert!(body.contains(r#""start":"2020""#));
    let edit = run(medications::edit(&doctor, &ada, &seen(&stopped), "3 daily"));
    assert_eq!(code(edit), "charting.record.state");
    let order = Seen { id: "rx".into(), version: 1 };
    run(medications::stop(&doctor, &ada, (Source::Order, &order), "Cough")).unwrap();
    assert!(room.body("MedicationRequest", "rx").contains("Cough"));
    let shown = summary(&doctor);
    assert_eq!((shown.orders.rows.len(), shown.statements.rows.len()), (0, 0));
    run(medications::enter_in_error(
        &doctor,
        &ada,
        (Source::Statement, &seen(&stopped)),
        "Not hers",
    ))
    .unwrap();
}

#[test]
fn every_change_of_a_record_of_another_patient_is_refused_by_name_and_changes_nothing() {
    let room = Room::with_ada();
    let (doctor, ada, ben) = (room.doctor(), About::patient("ada"), About::patient("ben"));
    let other = "charting.patient.other";
    let asthma = seen(&run(problems::add(&doctor, &ada, &problem("p", "Asthma"))).unwrap());
    let edit = ProblemEdit { note: Some("x".into()), ..ProblemEdit::default() };
    assert_eq!(code(run(problems::edit(&doctor, &ben, &asthma, &edit))), other);
    assert_eq!(code(run(problems::resolve(&doctor, &ben, &asthma, ("2026", "x")))), other);
    assert_eq!(code(run(problems::enter_in_error(&doctor, &ben, &asthma, "x"))), other);
    let latex = seen(&run(allergies::add(&doctor, &ada, &allergy("a", "Latex"))).unwrap());
    assert_eq!(code(run(allergies::edit(&doctor, &ben, &latex, (Criticality::Low, "x")))), other);
    assert_eq!(code(run(allergies::resolve(&doctor, &ben, &latex, "x"))), other);
    assert_eq!(code(run(allergies::enter_in_error(&doctor, &ben, &latex, "x"))), other);
    let pill = seen(&run(medications::add(&doctor, &ada, &drug("m", "Aspirin"))).unwrap());
    assert_eq!(code(run(medications::edit(&doctor, &ben, &pill, "x"))), other);
    assert_eq!(code(run(medications::stop(&doctor, &ben, (Source::Statement, &pill), "x"))), other);
    let wrong = run(medications::enter_in_error(&doctor, &ben, (Source::Statement, &pill), "x"));
    assert_eq!(code(wrong), other);
    room.put(r#"{"resourceType":"Encounter","id":"v","status":"in-progress","class":{"code":"AMB"},"subject":{"reference":"Patient/ada"}}"#);
    let visit = About { patient: "ben".into(), encounter: Some("v".into()) };
    assert_eq!(code(run(problems::add(&doctor, &visit, &problem("q", "Gout")))), other);
    assert_eq!(code(run(allergies::add(&doctor, &visit, &allergy("q", "Egg")))), other);
    assert_eq!(code(run(allergies::add_none_known(&doctor, &visit, "q"))), other);
    assert_eq!(code(run(medications::add(&doctor, &visit, &drug("q", "Aspirin")))), other);
    for (kind, one) in
        [("Condition", &asthma), ("AllergyIntolerance", &latex), ("MedicationStatement", &pill)]
    {
        assert_eq!(room.read(kind, &one.id).version, 1);
        assert_eq!(room.count(kind, &[]), 1);
    }
}

#[test]
fn what_was_charted_here_is_suggested_and_our_own_words_behind_it() {
    let room = Room::with_ada();
    let doctor = room.doctor();
    for n in 0..3 {
        room.put(&format!(
            r#"{{"resourceType":"Condition","id":"c{n}","code":{{"coding":[{{"system":"http://snomed.info/sct","code":"195967001","display":"Asthma (disorder)"}}],"text":"Asthma (disorder)"}},"subject":{{"reference":"Patient/ada"}}}}"#
        ));
    }
    let found = run(problems::suggest(&doctor, "asth")).unwrap();
    let words: Vec<&str> = found.iter().map(|one| one.text.as_str()).collect();
    assert_eq!(words, ["Asthma (disorder)", "Asthma"]);
    assert_eq!(found[0].codings[0].code, "195967001", "with the code it had");
    assert!(run(problems::suggest(&doctor, "a")).unwrap().is_empty(), "one letter says nothing");
    assert!(run(problems::suggest(&doctor, "a,$|\\b")).unwrap().is_empty());
}

#[test]
fn what_cannot_be_charted_is_refused_at_its_field() {
    let room = Room::with_ada();
    let (doctor, ada) = (room.doctor(), About::patient("ada"));
    let refused = |form: &ProblemForm| {
        let fault = run(problems::add(&doctor, &ada, form)).unwrap_err();
        (fault.code().name, fault.issues[0].expression.clone().unwrap_or_default())
    };
    let invalid = |field: &str| ("charting.value.invalid", field.to_owned());
    assert_eq!(refused(&problem("p", "  ")), invalid("what"));
    assert_eq!(refused(&problem("p", &"x".repeat(5_000))), invalid("what"));
    let ahead = ProblemForm { onset: Some("2031-01-01".into()), ..problem("p", "Gout") };
    assert_eq!(refused(&ahead), invalid("onset"));
    let never = ProblemForm { onset: Some("soon".into()), ..problem("p", "Gout") };
    assert_eq!(refused(&never), invalid("onset"));
    let nurse = room.as_of(&room.person("nora", "nurse", "two"));
    let denied = run(problems::add(&nurse, &ada, &problem("p", "Gout")));
    assert_eq!(code(denied), "access.denied", "nurses keep no problem list");
    assert_eq!(room.count("Condition", &[]), 0);
}
