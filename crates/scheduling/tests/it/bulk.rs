//! A bulk move puts nobody on top of anybody, and taking it back restores the diary to the letter.

use crate::common::{doctor, room, span};
use base::Millis;
use proptest::prelude::*;
use scheduling::bulk::{Plan, UNDO_MS, plan, same_time_with};
use scheduling::diary::{Diary, Placement};
use scheduling::time::MINUTE_MS;

fn placement(at: i64, who: usize, in_room: usize) -> Placement {
    Placement {
        span: span(at * 30 * MINUTE_MS, 30 * MINUTE_MS),
        buffers_ms: (0, 0),
        actors: vec![doctor(who), room(in_room)],
    }
}

/// As much of a random list as fits.
fn diary(wanted: &[(i64, usize, usize)]) -> Diary {
    let mut diary = Diary::new();
    for (n, (at, who, in_room)) in wanted.iter().enumerate() {
        let _taken = diary.book(&format!("a{n:02}"), placement(*at, *who, *in_room), Millis(0));
    }
    diary
}

fn move_away(diary: &Diary) -> Plan {
    let window = span(0, 8 * 30 * MINUTE_MS);
    plan(diary, &[doctor(0)], window, Millis(0), |_, from| {
        let mut to = same_time_with(from, &[doctor(0)], &[doctor(1), doctor(2)]);
        to.extend((8..12).map(|at| Placement {
            span: span(at * 30 * MINUTE_MS, 30 * MINUTE_MS),
            ..from.clone()
        }));
        to
    })
    .unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn a_bulk_move_taken_back_leaves_the_diary_as_it_was(
        wanted in proptest::collection::vec((0_i64..10, 0_usize..3, 0_usize..4), 0..40)
    ) {
        let before = diary(&wanted);
        let plan = move_away(&before);
        let mut after = before.clone();
        plan.apply(&mut after, Millis(0)).unwrap();
        // Rebuilding it booking by booking is refused if any two were in each other's way.
        let mut again = Diary::new();
        for (id, placement) in after.bookings() {
            prop_assert!(again.book(id, placement.clone(), Millis(0)).is_ok());
        }
        let window = span(0, 8 * 30 * MINUTE_MS);
        let mut left: Vec<_> = after.bookings()
            .filter(|(_, p)| p.span.overlaps(window) && p.actors.contains(&doctor(0)))
            .map(|(id, _)| id.to_owned()).collect();
        let mut stranded = plan.stranded.clone();
        left.sort();
        stranded.sort();
        prop_assert_eq!(left, stranded, "whoever stays without a place is named");
        plan.undo(Millis(0), Millis(UNDO_MS)).unwrap().apply(&mut after, Millis(0)).unwrap();
        prop_assert_eq!(after, before);
    }
}

#[test]
fn a_plan_that_no_longer_fits_moves_nothing() {
    let mut diary = diary(&[(0, 0, 0), (1, 0, 0)]);
    let plan = move_away(&diary);
    assert_eq!((plan.moves.len(), plan.stranded.len()), (2, 0));
    diary.book("late", placement(1, 1, 3), Millis(0)).unwrap();
    let before = diary.clone();
    assert_eq!(
        plan.apply(&mut diary, Millis(0)).unwrap_err().code().name,
        "scheduling.appointment.double-booked"
    );
    assert_eq!(diary, before);
    diary.cancel("a01").unwrap();
    assert_eq!(plan.apply(&mut diary, Millis(0)).unwrap_err().code().name, "scheduling.flow.step");
    assert!(plan.undo(Millis(0), Millis(UNDO_MS + 1)).is_err(), "too late to take back");
}

#[test]
fn one_may_take_the_room_that_an_earlier_move_left_and_both_go_back() {
    let before = diary(&[(0, 0, 0), (1, 0, 1)]);
    let window = span(0, 8 * 30 * MINUTE_MS);
    let plan = plan(&before, &[doctor(0)], window, Millis(0), |id, _| {
        vec![placement(if id == "a00" { 2 } else { 0 }, 1, 0)]
    })
    .unwrap();
    assert_eq!(plan.moves.len(), 2);
    let mut after = before.clone();
    plan.apply(&mut after, Millis(0)).unwrap();
    plan.inverse().apply(&mut after, Millis(0)).unwrap();
    assert_eq!(after, before);
}
