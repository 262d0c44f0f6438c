//! Sealing: what was sealed comes back, in each way of opening, and nothing else does.

use base::error::code;
use keys::{BlindIndex, DataKey, HEAD_BYTES, OVERHEAD_BYTES, Place, Secret, SystemRandom};
use proptest::prelude::*;

use crate::support::Repeating;

fn key(seed: u8) -> DataKey {
    DataKey::new(&Secret::take(&mut [seed; 32])).unwrap()
}

proptest! {
    #[test]
    fn a_body_comes_back_in_each_way_of_opening(
        plain: Vec<u8>, record: u64, version: u64, seed: u64, mut room: Vec<u8>,
    ) {
        let (key, place) = (key(1), Place { record, version });
        let sealed = key.seal(place, &plain, &Repeating::new(seed)).unwrap();
        prop_assert_eq!(sealed.len(), plain.len() + OVERHEAD_BYTES);
        let mut by_hand = vec![0xAA; HEAD_BYTES];
        by_hand.extend_from_slice(&plain);
        key.seal_in_place(place, &mut by_hand, &Repeating::new(seed)).unwrap();
        prop_assert_eq!(&by_hand, &sealed);
        prop_assert_eq!(&key.open(place, &sealed).unwrap(), &plain);
        key.open_into(place, &sealed, &mut room).unwrap();
        prop_assert_eq!(&room, &plain);
        prop_assert_eq!(&*key.open_in_place(place, &mut by_hand).unwrap(), &plain[..]);
    }

    #[test]
    fn no_altered_cut_or_moved_body_opens(
        plain: Vec<u8>, at: prop::sample::Index, bit in 0..8, cut: prop::sample::Index,
    ) {
        let (key, place) = (key(1), Place { record: 7, version: 2 });
        let sealed = key.seal(place, &plain, &Repeating::new(1)).unwrap();
        let refused = |key: &DataKey, place: Place, bytes: &[u8]| {
            let mut room = vec![1; 5];
            let fault = key.open_into(place, bytes, &mut room).unwrap_err();
            assert!(room.is_empty(), "nothing is left of what did not open");
            assert!(key.open_in_place(place, &mut bytes.to_vec()).is_err());
            fault.code() == &code::KEYS_BODY_ALTERED
        };
        let mut altered = sealed.clone();
        altered[at.index(sealed.len())] ^= 1u8 << bit;
        prop_assert!(refused(&key, place, &altered));
        prop_assert!(refused(&key, place, &sealed[..cut.index(sealed.len())]));
        let (record, version) = (Place { record: 8, ..place }, Place { version: 3, ..place });
        prop_assert!(refused(&key, record, &sealed));
        prop_assert!(refused(&key, version, &sealed));
        prop_assert!(refused(&self::key(2), place, &sealed));
    }

    #[test]
    fn any_bytes_are_refused(mut bytes: Vec<u8>) {
        let place = Place { record: 0, version: 0 };
        prop_assert!(key(1).open(place, &bytes).is_err());
        prop_assert!(key(1).open_in_place(place, &mut bytes).is_err());
    }
}

/// The worked example of `docs/internals/keys.md`.
#[test]
fn the_worked_example_of_a_body_holds() {
    let sealed =
        key(0x11).seal(Place { record: 7, version: 2 }, b"ada", &Repeating::new(5)).unwrap();
    let hex: String = sealed.iter().map(|b| format!("{b:02x}")).collect();
    let (head, text, tag) =
        ("0163033b0ca389c35ac097314d", "b2aad7", "687e395b06b888baacd5e5418aebf0a6");
    assert_eq!(hex, [head, text, tag].concat());
}

#[test]
fn no_two_nonces_are_the_same() {
    let (key, place) = (key(1), Place { record: 1, version: 1 });
    let nonces: std::collections::BTreeSet<_> = (0..1000)
        .map(|_| key.seal(place, b"x", &SystemRandom).unwrap()[1..HEAD_BYTES].to_vec())
        .collect();
    assert_eq!(nonces.len(), 1000);
}

#[test]
fn a_buffer_without_room_for_the_head_is_refused() {
    let place = Place { record: 1, version: 1 };
    assert!(key(1).seal_in_place(place, &mut vec![0; 12], &SystemRandom).is_err());
}

#[test]
fn tokens_part_fields_values_and_keys() {
    let of = |seed: u8| BlindIndex::new(&Secret::take(&mut [seed; 32]));
    let token = of(1).token("mrn", b"12345");
    assert_eq!(token, of(1).token("mrn", b"12345"));
    assert_ne!(token, of(1).token("mrn", b"12346"));
    assert_ne!(token, of(1).token("ssn", b"12345"));
    assert_ne!(token, of(1).token("mrn1", b"2345"));
    assert_ne!(token, of(2).token("mrn", b"12345"));
}

#[test]
fn keys_print_nothing_of_themselves() {
    assert_eq!(format!("{:?}", key(1)), "‹secret›");
    assert_eq!(format!("{:?}", BlindIndex::new(&Secret::take(&mut [1; 32]))), "‹secret›");
}
