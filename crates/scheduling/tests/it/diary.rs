//! No resource is ever taken twice, whatever sequence of bookings, holds, moves, cancellations and
//! passing time; and what is refused changes nothing.

use crate::common::{actor, span};
use base::Millis;
use proptest::prelude::*;
use scheduling::actor::Actor;
use scheduling::diary::{Diary, Placement};
use scheduling::hold::Hold;
use scheduling::time::{MINUTE_MS, Span};

#[derive(Debug, Clone)]
enum Act {
    Book(u8, Placement),
    Hold(u8, u8, Placement),
    Confirm(u8, u8, u8),
    Release(u8),
    Move(u8, Placement),
    Cancel(u8),
    Pass(i64),
}

fn placement() -> impl Strategy<Value = Placement> {
    let actors = proptest::sample::subsequence((0..4).collect::<Vec<usize>>(), 1..3);
    (0_i64..16, 1_i64..5, 0_i64..2, 0_i64..2, actors).prop_map(
        |(at, len, before, after, actors)| Placement {
            span: span(at * 15 * MINUTE_MS, len * 15 * MINUTE_MS),
            buffers_ms: (before * 15 * MINUTE_MS, after * 15 * MINUTE_MS),
            actors: actors.into_iter().map(|n| actor(&format!("Practitioner/{n}"))).collect(),
        },
    )
}

fn act() -> impl Strategy<Value = Act> {
    let id = || 0_u8..6;
    prop_oneof![
        4 => (id(), placement()).prop_map(|(id, p)| Act::Book(id, p)),
        4 => (id(), 0_u8..2, placement()).prop_map(|(id, who, p)| Act::Hold(id, who, p)),
        4 => (id(), 0_u8..2, id()).prop_map(|(hold, who, id)| Act::Confirm(hold, who, id)),
        1 => id().prop_map(Act::Release),
        3 => (id(), placement()).prop_map(|(id, p)| Act::Move(id, p)),
        2 => id().prop_map(Act::Cancel),
        2 => (0_i64..15).prop_map(Act::Pass),
    ]
}

/// Every live claim on every resource, found without the diary's own index.
fn claims(diary: &Diary, now: Millis) -> Vec<(Actor, Span)> {
    let mut all = Vec::new();
    for (_, placement) in diary.bookings() {
        all.extend(placement.actors.iter().map(|a| (a.clone(), placement.kept())));
    }
    for hold in (0..6).filter_map(|id| diary.held(&format!("h{id}"))).filter(|h| h.is_live(now)) {
        let kept = hold.span.padded(hold.buffers_ms.0, hold.buffers_ms.1);
        all.extend(hold.actors.iter().map(|a| (a.clone(), kept)));
    }
    all
}

fn overlap(claims: &[(Actor, Span)]) -> Option<String> {
    for (i, (actor, kept)) in claims.iter().enumerate() {
        for (other, theirs) in claims.iter().skip(i + 1) {
            if actor == other && kept.overlaps(*theirs) {
                return Some(format!("{actor} is taken twice"));
            }
        }
    }
    None
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_resource_is_taken_twice_whatever_happens(acts in proptest::collection::vec(act(), 1..60)) {
        let (mut diary, mut now) = (Diary::new(), Millis(0));
        for act in acts {
            let before = diary.clone();
            let claimed = claims(&diary, now);
            let fits = |p: &Placement, but: Option<&Placement>| p.actors.iter().all(|a| {
                let mut others = claimed.iter().filter(|(actor, kept)| {
                    actor == a && !but.is_some_and(|b| b.actors.contains(a) && b.kept() == *kept)
                });
                !others.any(|(_, kept)| kept.overlaps(p.kept()))
            });
            let id = |n: u8| n.to_string();
            let (done, wanted) = match act {
                Act::Book(n, p) => {
                    let wanted = diary.get(&id(n)).is_none() && fits(&p, None);
                    (diary.book(&id(n), p, now).is_ok(), Some(wanted))
                }
                Act::Hold(n, who, p) => {
                    let name = format!("h{n}");
                    let live = diary.held(&name).is_some();
                    let wanted = !live && fits(&p, None);
                    let hold = Hold {
                        id: name,
                        holder: id(who),
                        span: p.span,
                        buffers_ms: p.buffers_ms,
                        actors: p.actors,
                        visit_type: None,
                        until: Millis(0),
                        renewals: 0,
                    };
                    (diary.hold(hold.starting(now, 10), now).is_ok(), Some(wanted))
                }
                Act::Confirm(hold, who, n) => {
                    let name = format!("h{hold}");
                    let held = diary.held(&name).cloned();
                    let mine = held.is_some_and(|h| h.is_live(now) && h.holder == id(who));
                    let wanted = mine && diary.get(&id(n)).is_none();
                    (diary.confirm(&name, &id(who), &id(n), now).is_ok(), Some(wanted))
                }
                Act::Release(n) => {
                    diary.release(&format!("h{n}"));
                    (true, None)
                }
                Act::Move(n, p) => {
                    let from = diary.get(&id(n)).cloned();
                    let wanted = from.is_some() && fits(&p, from.as_ref());
                    (diary.move_to(&id(n), p, now).is_ok(), Some(wanted))
                }
                Act::Cancel(n) => {
                    let wanted = diary.get(&id(n)).is_some();
                    (diary.cancel(&id(n)).is_ok(), Some(wanted))
                }
                Act::Pass(minutes) => {
                    now = Millis(now.0 + minutes * MINUTE_MS);
                    (true, None)
                }
            };
            prop_assert_eq!(overlap(&claims(&diary, now)), None);
            if let Some(wanted) = wanted {
                prop_assert_eq!(done, wanted, "what is free is had, and what is taken is not");
                if !done {
                    let mut swept = before;
                    swept.expire(now);
                    diary.expire(now);
                    prop_assert_eq!(&diary, &swept, "what is refused changes nothing");
                }
            }
        }
    }
}
