//! The chart in the order of time, and what became of its records: every record once, on whichever page,
//! and none of another patient.

use crate::support::{Room, code, run};
use charting::timeline::{self, Filter, Happened, Place, ROWS_MAX};
use charting::{About, past, problems, vitals};
use record::{Audited, Reach, Session};

fn put_observation(room: &Room, id: &str, at: &str, visit: &str) {
    room.put(&format!(
        r#"{{"resourceType":"Observation","id":"{id}","status":"final","code":{{"text":"Pulse {id}"}},"subject":{{"reference":"Patient/ada"}},"encounter":{{"reference":"Encounter/{visit}"}},"effectiveDateTime":"{at}","valueString":"fine"}}"#
    ));
}

fn put_visit(room: &Room, id: &str, patient: &str, at: &str) {
    room.put(&format!(
        r#"{{"resourceType":"Encounter","id":"{id}","status":"finished","class":{{"code":"AMB"}},"subject":{{"reference":"Patient/{patient}"}},"period":{{"start":"{at}"}},"reasonCode":[{{"text":"Cough"}}],"participant":[{{"individual":{{"reference":"Practitioner/doc","display":"Dora House"}}}}]}}"#
    ));
}

/// Every record of the timeline, page by page, and how many pages there were.
fn walked(session: &Session, filter: &Filter) -> (Vec<String>, usize) {
    let (mut all, mut after, mut pages) = (Vec::new(), None, 0);
    loop {
        let page =
            timeline::page(session, "ada", filter, after.as_ref()).and_then(Audited::wait).unwrap();
        let items: Vec<String> = page
            .rows
            .iter()
            .flat_map(|row| &row.items)
            .map(|item| format!("{}/{}", item.kind, item.id))
            .collect();
        assert!(items.len() <= ROWS_MAX, "{}", items.len());
        all.extend(items);
        pages += 1;
        match page.next {
            // As an address brings it back.
            Some(place) => after = Some(Place::of(&place.text()).unwrap()),
            None => return (all, pages),
        }
    }
}

#[test]
fn every_record_is_on_one_page_of_the_timeline_also_when_many_are_of_one_instant() {
    let room = Room::with_ada();
    put_visit(&room, "v1", "ada", "2026-01-01T09:00:00Z");
    put_visit(&room, "vb", "ben", "2026-01-01T09:00:00Z");
    for n in 0..170 {
        put_observation(&room, &format!("same{n}"), "2026-01-01T09:30:00Z", "v1");
    }
    for n in 0..80 {
        put_observation(
            &room,
            &format!("o{n}"),
            &format!("2025-02-{:02}T09:00:00Z", n % 28 + 1),
            "v1",
        );
    }
    room.put(r#"{"resourceType":"Procedure","id":"undated","status":"completed","code":{"text":"Once"},"subject":{"reference":"Patient/ada"}}"#);
    let doctor = room.doctor();
    let (all, pages) = walked(&doctor, &Filter::default());
    let mut once = all.clone();
    once.sort();
    once.dedup();
    assert_eq!((all.len(), once.len(), pages), (252, 252, 3));
    assert_eq!(all.last().unwrap(), "Procedure/undated", "what has no date stands last");
    assert!(!all.contains(&"Encounter/vb".to_owned()));
    let first =
        timeline::page(&doctor, "ada", &Filter::default(), None).and_then(Audited::wait).unwrap();
    assert_eq!(first.rows[0].items.len(), 100, "what was measured together is one row");
}

#[test]
fn the_timeline_is_narrowed_by_kind_date_author_and_visit() {
    let room = Room::with_ada();
    put_visit(&room, "v1", "ada", "2026-01-01T09:00:00Z");
    put_visit(&room, "v2", "ada", "2026-03-01T09:00:00Z");
    put_observation(&room, "o1", "2026-01-01T09:30:00Z", "v1");
    put_observation(&room, "o2", "2026-03-01T09:30:00Z", "v2");
    let doctor = room.doctor();
    let of = |filter: Filter| walked(&doctor, &filter).0;
    assert_eq!(of(Filter { kinds: vec![Happened::Visit], ..Filter::default() }).len(), 2);
    let until = Filter { before: Some("2026-02-01".into()), ..Filter::default() };
    assert_eq!(of(until), ["Observation/o1", "Encounter/v1"]);
    let from = Filter { from: Some("2026-02-01".into()), ..Filter::default() };
    assert_eq!(of(from), ["Observation/o2", "Encounter/v2"]);
    let visit = Filter { visit: Some("v2".into()), ..Filter::default() };
    assert_eq!(of(visit), ["Observation/o2", "Encounter/v2"]);
    let author =
        |id: &str| Filter { author: Some(format!("Practitioner/{id}")), ..Filter::default() };
    assert_eq!(of(author("doc")), ["Encounter/v2", "Encounter/v1"]);
    assert_eq!(of(author("two")), [""; 0]);
    let wrong = Filter { from: Some("2026-13-01".into()), ..Filter::default() };
    assert_eq!(code(timeline::page(&doctor, "ada", &wrong, None)), "search.parameter.value");
    let visit = timeline::visit(&doctor, "ada", "v1").and_then(Audited::wait).unwrap().unwrap();
    assert_eq!(visit.reasons[0].text, "Cough");
    let other = timeline::visit(&doctor, "ben", "v1").and_then(Audited::wait).unwrap();
    assert!(other.is_none(), "another patient's visit is not in this chart");
}

#[test]
fn what_a_role_is_not_shown_is_said_of_the_timeline() {
    let room = Room::with_ada();
    put_visit(&room, "v1", "ada", "2026-01-01T09:00:00Z");
    let desk = room.as_of(&room.person("fred", "front-desk", ""));
    let told =
        timeline::page(&desk, "ada", &Filter::default(), None).and_then(Audited::wait).unwrap();
    assert!(told.withheld.contains(&(Happened::Problem, Reach::Nothing)));
    assert!(told.rows.iter().all(|row| row.happened != Happened::Visit || !row.items.is_empty()));
}

#[test]
fn the_past_of_a_record_is_its_versions_and_what_changed_in_words() {
    let room = Room::with_ada();
    let (doctor, ada) = (room.doctor(), About::patient("ada"));
    let form = problems::ProblemForm {
        form: "p1".into(),
        what: charting::Concept { text: "Asthma".into(), codings: Vec::new() },
        ..Default::default()
    };
    let added = run(problems::add(&doctor, &ada, &form)).unwrap();
    let seen = charting::Seen { id: added.place.id, version: 1 };
    let what = Some(charting::Concept { text: "Asthma, mild".into(), codings: Vec::new() });
    let edit = problems::ProblemEdit { what, ..Default::default() };
    run(problems::edit(&doctor, &ada, &seen, &edit)).unwrap();
    let past = run(past::of(&doctor, "ada", ("Condition", &seen.id), None)).unwrap();
    assert_eq!(past.versions.iter().map(|one| one.number).collect::<Vec<_>>(), [2, 1]);
    assert_eq!((past.compared, past.what.as_str()), (Some((1, 2)), "Asthma, mild"));
    assert_eq!(past.lines.len(), 1);
    assert_eq!(past.lines[0].words(), "code changed from Asthma to Asthma, mild");
    let other = run(past::of(&doctor, "ben", ("Condition", &seen.id), None));
    assert_eq!(code(other), "charting.patient.other");
    let none = run(past::of(&doctor, "ada", ("Condition", &seen.id), Some((1, 9))));
    assert_eq!(code(none), "record.read.version-not-found");
    let odd = run(past::of(&doctor, "ada", ("Nonsense", "x"), None));
    assert_eq!(code(odd), "record.read.not-found");
}

#[test]
fn what_was_changed_under_the_id_of_a_form_that_was_kept_is_told_of() {
    let room = Room::with_ada();
    let (doctor, ada) = (room.doctor(), About::patient("ada"));
    let send = |line: &str| {
        let form = vitals::VitalsForm { form: "f1".into(), line: line.into(), at: None };
        run(vitals::keep(&doctor, &ada, &form)).unwrap().done
    };
    assert!(send("wt 80kg ht 178cm").iter().all(|one| one.new && !one.differs));
    assert!(send("wt 80kg ht 178cm").iter().all(|one| !one.new && !one.differs), "sent twice");
    let changed = send("wt 81kg ht 178cm");
    let differs: Vec<bool> = changed.iter().map(|one| one.differs).collect();
    assert_eq!(differs, [true, false, true], "the weight, and the mass that follows");
    assert!(room.body("Observation", &changed[0].place.id).contains("\"value\":80"));
}

#[test]
fn a_value_is_taken_back_once_and_is_shown_no_more() {
    let room = Room::with_ada();
    let (doctor, ada) = (room.doctor(), About::patient("ada"));
    let form = vitals::VitalsForm { form: "f1".into(), line: "hr 71".into(), at: None };
    let kept = run(vitals::keep(&doctor, &ada, &form)).unwrap();
    let seen = charting::Seen { id: kept.done[0].place.id.clone(), version: 1 };
    let ben = run(vitals::enter_in_error(&doctor, &About::patient("ben"), &seen, "slip"));
    assert_eq!(code(ben), "charting.patient.other");
    run(vitals::enter_in_error(&doctor, &ada, &seen, "slip")).unwrap();
    let again = run(vitals::enter_in_error(&doctor, &ada, &seen, "slip"));
    assert_eq!(code(again), "record.write.version-conflict");
    let summary = charting::Summary::of(&doctor, "ada").and_then(Audited::wait).unwrap();
    assert!(summary.vitals.rows.is_empty());
}
