//! What is kept of slow searches: their cost, never what was searched for (45 CFR 164.502(b)).

use crate::support::{Room, of, patient};
use record::{Level, SearchHow};

#[test]
fn of_a_search_its_parameters_and_plan_are_kept_and_nothing_that_was_searched_for() {
    let room = Room::new();
    room.put(&patient(r#","id":"p","name":[{"family":"Lovelace"}]"#)).unwrap();
    room.search("Patient", "family=Lovelace&birthdate=1815-12-10&_sort=birthdate");
    let pairs = vec![("lovelace".to_owned(), "Lovelace".to_owned())];
    room.session().search(Level::Type(of("Patient")), pairs, &SearchHow::default()).unwrap_err();
    let mut kept = room.record.slow_searches();
    kept.sort_by_key(|one| one.refused.is_some());
    let [found, refused] = kept.as_slice() else { panic!("{kept:?}") };
    assert_eq!(found.parameters, ["family", "birthdate", "_sort"]);
    assert!(found.of == Some(of("Patient")) && !found.plan.is_empty() && found.steps > 0);
    assert_eq!((refused.parameters.as_slice(), refused.steps), (&["…"][..], 0));
    assert!(refused.refused.is_some_and(|code| code.starts_with("search.")));
    let all = format!("{kept:?}").to_lowercase();
    assert!(!all.contains("lovelace") && !all.contains("1815"), "{all}");
}
