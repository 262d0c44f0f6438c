//! The helpers help.

use base::Clock;

#[test]
fn the_clock_moves_only_when_turned() {
    let clock = testkit::clock::Turned::at(5);
    assert_eq!(clock.now().0, 5);
    clock.turn(-2);
    assert_eq!(clock.now().0, 3);
}

#[test]
fn archives_hand_over_their_files() {
    let mut names = 0;
    let found = testkit::data::archive("fhir/hl7-r4-examples.tar.gz", |name, text| {
        assert!(!name.is_empty() && !text.is_empty());
        names += 1;
        names < 3
    });
    assert_eq!(names, if found.is_some() { 3 } else { 0 });
}
