//! The order of an inbox: by patient, since a clinician thinks of one person at a time; critical before
//! abnormal before the rest; then what waits longest. A patient stands where the gravest of their items
//! would stand.

use crate::item::Item;
use std::collections::HashMap;

/// What waits about one patient.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Group {
    /// The patient; none for what is about nobody.
    pub patient: Option<String>,
    /// Their items, in order; never none.
    pub items: Vec<Item>,
}

/// Groups items by patient, in order.
pub fn group(items: Vec<Item>) -> Vec<Group> {
    let mut by: HashMap<Option<String>, Vec<Item>> = HashMap::new();
    for item in items {
        by.entry(item.patient.clone()).or_default().push(item);
    }
    let mut groups: Vec<Group> = by
        .into_iter()
        .map(|(patient, mut items)| {
            items.sort_by_cached_key(place);
            Group { patient, items }
        })
        .collect();
    groups.sort_by_cached_key(|group| group.items.first().map(place));
    groups
}

type Place = (crate::Weight, base::Millis, crate::Kind, String);

/// Where an item stands; no two stand at one place.
fn place(item: &Item) -> Place {
    (item.weight, item.since, item.seen.kind, item.seen.id.clone())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock::{self, Rule};
    use crate::{Kind, Seen, Weight, Whose};
    use base::Millis;
    use proptest::prelude::*;

    fn item(id: usize, patient: Option<u8>, weight: Weight, since: i64, kind: Kind) -> Item {
        Item {
            seen: Seen { kind, id: format!("i{id}"), version: 1, values: Vec::new() },
            patient: patient.map(|n| format!("p{n}")),
            title: String::new(),
            text: String::new(),
            from: String::new(),
            weight,
            since: Millis(since),
            due: clock::due(Rule::Routine, Millis(since), None),
            whose: Whose::Own,
            taken: None,
            returns: false,
            lines: Vec::new(),
            hidden: 0,
            elsewhere: 0,
            stage: crate::Stage::Final,
            plain: false,
            corrected: false,
            again: false,
            note: String::new(),
        }
    }

    fn items() -> impl Strategy<Value = Vec<Item>> {
        let weights = vec![Weight::Critical, Weight::Abnormal, Weight::Unjudged, Weight::Normal];
        let one = (
            proptest::option::of(0_u8..4),
            proptest::sample::select(weights),
            0_i64..50,
            proptest::sample::select(Kind::ALL.to_vec()),
        );
        proptest::collection::vec(one, 0..40).prop_map(|all| {
            let made = all.into_iter().enumerate();
            made.map(|(n, (patient, weight, since, kind))| item(n, patient, weight, since, kind))
                .collect()
        })
    }

    proptest! {
        #[test]
        fn every_item_stands_once_under_its_patient_and_nothing_graver_stands_below(all in items()) {
            let mut ids: Vec<String> = all.iter().map(|one| one.seen.id.clone()).collect();
            let groups = group(all);
            let flat: Vec<&Item> = groups.iter().flat_map(|group| &group.items).collect();
            let mut shown: Vec<String> = flat.iter().map(|one| one.seen.id.clone()).collect();
            ids.sort();
            shown.sort();
            prop_assert_eq!(ids, shown);
            for group in &groups {
                prop_assert!(group.items.iter().all(|one| one.patient == group.patient));
                for pair in group.items.windows(2) {
                    prop_assert!((pair[0].weight, pair[0].since) <= (pair[1].weight, pair[1].since));
                }
            }
            for pair in groups.windows(2) {
                let first = |group: &Group| (group.items[0].weight, group.items[0].since);
                prop_assert!(first(&pair[0]) <= first(&pair[1]));
                prop_assert!(pair[0].patient != pair[1].patient);
            }
        }

        #[test]
        fn the_order_does_not_depend_on_how_items_came(all in items(), turn in 0_usize..40) {
            let mut other = all.clone();
            let turn = turn.min(other.len());
            other.rotate_left(turn);
            prop_assert_eq!(group(all), group(other));
        }
    }
}
