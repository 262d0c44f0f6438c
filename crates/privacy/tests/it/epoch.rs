//! A change of packs: fail closed until the job has been over a record, killed or not.

use access::Labels;
use privacy::labelling::Epoch;
use proptest::prelude::*;

const UNLABELLED: u64 = Labels::UNLABELLED.bits();

#[test]
fn a_store_without_an_epoch_waits_for_all_its_records() {
    let epoch = Epoch::open(None, "a", 3);
    assert!(!epoch.is_done());
    assert_eq!(
        [1, 3, 4].map(|number| epoch.labels(number, 8)),
        [8 | UNLABELLED, 8 | UNLABELLED, 8]
    );
    assert!(Epoch::open(None, "a", 0).is_done(), "an empty store has nothing to wait for");
}

#[test]
fn other_packs_begin_the_work_anew_and_the_same_do_not() {
    let begun = Epoch::open(None, "a", 10);
    let half = begun.after(begun.batch(5).unwrap());
    assert_eq!(Epoch::open(Some(&half.text()), "a", 20), half);
    let other = Epoch::open(Some(&half.text()), "b", 20);
    assert_eq!((other.batch(5), other.labels(20, 0)), (Some((1, 5)), UNLABELLED));
}

#[test]
fn what_cannot_be_read_counts_as_other_packs() {
    for text in ["", "1 a 5", "2 a 9 9", "1 a 10 9", "1 a x 9", "1 a 9 9 9", "1  9 9", "1 a 9 99"] {
        assert_eq!(Epoch::open(Some(text), "a", 9).labels(1, 0), UNLABELLED, "{text}");
    }
    assert_eq!(Epoch::open(Some("1 a 9 9"), "a", 9).labels(1, 0), 0);
}

#[test]
fn a_batch_that_is_not_the_next_one_moves_nothing() {
    let epoch = Epoch::open(None, "a", 10);
    for batch in [(2, 5), (1, 11), (5, 4)] {
        assert_eq!(epoch.after(batch), epoch, "{batch:?}");
    }
}

proptest! {
    #[test]
    fn a_job_killed_anywhere_ends_and_no_record_is_free_before_its_turn(
        last in 0_u64..200,
        most in 0_u64..40,
        kills in prop::collection::vec(any::<bool>(), 0..30),
    ) {
        let mut kept = Epoch::open(None, "a", last);
        let mut relabelled = 0;
        let mut kills = kills.into_iter();
        while let Some(batch) = kept.batch(most) {
            prop_assert_eq!(batch.0, relabelled + 1);
            // Killed before the transaction: nothing of the batch is kept, and it is done again.
            if kills.next() == Some(true) {
                kept = Epoch::open(Some(&kept.text()), "a", last + 7);
                continue;
            }
            relabelled = batch.1;
            kept = kept.after(batch);
            for number in 1..=last + 2 {
                let free = kept.labels(number, 0) == 0;
                prop_assert_eq!(free, number <= relabelled || number > last);
            }
        }
        prop_assert!(kept.is_done() && relabelled == last);
    }

    #[test]
    fn no_stored_text_panics(text in "[0-9a ]{0,40}") {
        Epoch::open(Some(&text), "a", 9);
    }
}
