//! The encoding: one form per event, no panic on anything.

use audit::{Decision, Event, Kind, Receipt, Source, Target, stamp_commit};
use base::Millis;
use proptest::prelude::*;

fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        "[A-Za-z0-9.-]{1,64}",
        "[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}",
        Just(String::new()),
    ]
}

fn target() -> impl Strategy<Value = Target> {
    let resource_type =
        prop_oneof![Just("Patient".to_owned()), Just("Observation".to_owned()), ".{0,5}"];
    (resource_type, proptest::option::of(id()), any::<Option<u32>>())
        .prop_map(|(t, id, version)| Target { resource_type: t.into(), id, version })
}

prop_compose! {
    fn receipt()(
        policies in proptest::collection::vec(".{0,12}", 0..4),
        epoch in prop_oneof![Just(0), any::<u64>()],
        purpose in proptest::option::of("[A-Z]{0,8}"),
        ids in proptest::array::uniform3(proptest::option::of(id())),
        break_glass in proptest::option::of("[a-z]{0,12}"),
    ) -> Receipt {
        let [on_behalf_of, session, client] = ids;
        Receipt { policies, epoch, purpose, on_behalf_of, session, client, break_glass }
    }
}

prop_compose! {
    fn event()(
        time: i64,
        actor in prop_oneof![Just("anonymous".to_owned()), ".{0,20}"],
        request: [u8; 16],
        kind in proptest::sample::select(Kind::ALL),
        targets in proptest::collection::vec(target(), 0..6),
        patients in proptest::collection::vec(id(), 0..200),
        numbers: (u16, bool, u64, u64, Option<[u8; 8]>, u64),
        source in proptest::option::of(proptest::sample::select(Source::ALL)),
        receipt in proptest::option::of(receipt()),
    ) -> Event {
        let (status, deny, results, bytes, query, commit_seq) = numbers;
        let decision = if deny { Decision::Deny } else { Decision::Permit };
        Event {
            time: Millis(time), actor: actor.into(), request, kind, targets, patients, status,
            decision, results, bytes, query, source, commit_seq,
            receipt: receipt.filter(|receipt| !receipt.is_empty()).map(Box::new),
        }
    }
}

proptest! {
    #[test]
    fn events_come_back_as_they_were(event in event()) {
        let encoded = event.encode();
        prop_assert_eq!(Event::decode(&encoded).unwrap(), event);
    }

    #[test]
    fn a_stamp_is_the_commit_and_nothing_else(mut event in event(), commit in 1u64..) {
        event.commit_seq = 0;
        let mut encoded = event.encode();
        stamp_commit(&mut encoded, commit).unwrap();
        event.commit_seq = commit;
        prop_assert_eq!(&encoded, &event.encode());
        prop_assert!(stamp_commit(&mut encoded, commit).is_err(), "stamped once");
    }

    #[test]
    fn any_bytes_are_refused_or_are_the_one_encoding(bytes: Vec<u8>) {
        if let Ok(event) = Event::decode(&bytes) {
            prop_assert_eq!(event.encode(), bytes);
        }
    }

    #[test]
    fn altered_bytes_are_refused_or_are_the_one_encoding(
        event in event(),
        edits in proptest::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        cut: Option<prop::sample::Index>,
    ) {
        let mut bytes = event.encode();
        for (at, byte) in edits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(event) = Event::decode(&bytes) {
            prop_assert_eq!(event.encode(), bytes);
        }
    }
}

/// The worked example of `docs/internals/audit.md`.
#[test]
fn the_worked_example_holds() {
    let mut event = Event::new(Millis(1_795_340_467_123), [0x11; 16], Kind::Read);
    event.targets.push(Target::resource("Patient", "p-7", Some(2)));
    event.patients.push("p-7".into());
    event.results = 1;
    event.bytes = 1830;
    event.source = Some(Source::Loopback);
    let hex: String = event.encode().iter().map(|b| format!("{b:02x}")).collect();
    assert_eq!(
        hex,
        "010138".to_owned()
            + "11111111111111111111111111111111"
            + "e6ee8baac068"
            + "c801"
            + "01"
            + "a60e"
            + "02"
            + "01"
            + "0850617469656e74"
            + "05702d37"
            + "03"
            + "01"
            + "05702d37"
    );
    let hash = audit::Hash::GENESIS.link(1, &event.encode());
    assert_eq!(
        hash.to_string(),
        "5010a4c4664f6a7258948eab557a0e0995f33ff3506e72acecf2a0ce700864ee"
    );
}
