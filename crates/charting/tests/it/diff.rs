//! Differences between versions: exact, and in words.

use crate::support::doc;
use charting::diff::{Edit, Tree, apply, compared, edits, lines};
use proptest::prelude::*;

fn told(before: &str, after: &str) -> Vec<String> {
    let (lines, more) = lines(doc(before).root(), doc(after).root()).unwrap();
    assert!(!more);
    lines.iter().map(charting::diff::Line::words).collect()
}

#[test]
fn a_change_is_told_in_the_words_of_its_data_type() {
    let before = r#"{"resourceType":"Patient","id":"a","meta":{"versionId":"1","lastUpdated":"2026-01-01T00:00:00Z"},"active":true,"name":[{"use":"official","family":"Lovelace","given":["Ada"]}],"birthDate":"1985-12-10","maritalStatus":{"coding":[{"system":"s","code":"M","display":"Married"}]},"telecom":[{"system":"phone","value":"555-1"},{"system":"email","value":"a@b"}]}"#;
    let after = r#"{"resourceType":"Patient","id":"a","meta":{"versionId":"2","lastUpdated":"2026-01-02T00:00:00Z"},"active":false,"name":[{"use":"official","family":"Byron","given":["Ada"]}],"gender":"female","maritalStatus":{"coding":[{"system":"s","code":"D","display":"Divorced"}]},"telecom":[{"system":"email","value":"a@b"}]}"#;
    assert_eq!(
        told(before, after),
        [
            "birth date removed: 1985-12-10",
            "active changed from yes to no",
            "name 1 changed from Ada Lovelace to Ada Byron",
            "gender added: female",
            "marital status changed from Married to Divorced",
            "telecom 1 removed: 555-1",
        ]
    );
}

#[test]
fn digits_and_details_that_words_leave_out_are_still_told() {
    let quantity = |value: &str, code: &str| {
        format!(
            r#"{{"resourceType":"Observation","valueQuantity":{{"value":{value},"unit":"mg","code":"{code}"}}}}"#
        )
    };
    assert_eq!(
        told(&quantity("1.0", "mg"), &quantity("1", "mg")),
        ["value quantity changed from 1.0 mg to 1 mg"]
    );
    let details = told(&quantity("1", "mg"), &quantity("1", "ug"));
    assert_eq!(details, ["value quantity (in its details) changed from 1 mg to 1 mg"]);
}

#[test]
fn versions_that_differ_in_their_number_alone_do_not_differ() {
    let of = |version: u32| {
        format!(
            r#"{{"resourceType":"Patient","id":"a","meta":{{"versionId":"{version}","lastUpdated":"2026-01-0{version}T00:00:00Z"}},"active":true}}"#
        )
    };
    assert_eq!(told(&of(1), &of(2)), Vec::<String>::new());
    let turned = r#"{"active":true,"id":"a","resourceType":"Patient"}"#;
    assert_eq!(told(&of(1), turned), Vec::<String>::new(), "the order of members says nothing");
}

fn tree() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        "[a-c]{0,3}".prop_map(|text| format!("\"{text}\"")),
        (0..5_u32).prop_map(|n| n.to_string()),
        Just("1.0".to_owned()),
        Just("true".to_owned()),
        Just("null".to_owned()),
    ];
    let value = leaf.prop_recursive(4, 40, 5, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..5)
                .prop_map(|all| format!("[{}]", all.join(","))),
            proptest::collection::btree_map(
                prop_oneof![
                    Just("id"),
                    Just("system"),
                    Just("code"),
                    Just("text"),
                    Just("value"),
                    Just("family")
                ],
                inner,
                0..5,
            )
            .prop_map(|all| {
                let all: Vec<String> =
                    all.into_iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", all.join(","))
            }),
        ]
    });
    proptest::collection::vec(value, 1..4).prop_map(|all| {
        let all: Vec<String> =
            all.into_iter().enumerate().map(|(n, v)| format!("\"m{n}\":{v}")).collect();
        format!("{{{}}}", all.join(","))
    })
}

proptest! {
    #[test]
    fn applied_to_the_one_version_it_gives_the_other_and_equal_ones_have_none(one in tree(), two in tree()) {
        let (one, two) = (doc(&one), doc(&two));
        let found = edits(one.root(), two.root()).unwrap();
        let (old, new) = (compared(one.root()).unwrap(), compared(two.root()).unwrap());
        prop_assert_eq!(found.is_empty(), old.same(&new));
        let made = apply(old, &found).expect("the edits fit what they were made for");
        prop_assert!(made.same(&new));
        prop_assert!(edits(one.root(), one.root()).unwrap().is_empty());
        let (lines, _) = lines(one.root(), two.root()).unwrap();
        prop_assert_eq!(lines.iter().map(|line| line.edits).sum::<usize>(), found.len(), "each edit is told");
    }

    #[test]
    fn one_item_put_into_a_list_is_one_edit(items in proptest::collection::vec(0..9_u32, 0..20), at: prop::sample::Index) {
        let list = |items: &[u32]| {
            let items: Vec<String> = items.iter().map(ToString::to_string).collect();
            format!("{{\"l\":[{}]}}", items.join(","))
        };
        let mut more = items.clone();
        more.insert(at.index(items.len() + 1), 77);
        let (one, two) = (doc(&list(&items)), doc(&list(&more)));
        let found = edits(one.root(), two.root()).unwrap();
        prop_assert_eq!(found.len(), 1);
        prop_assert!(matches!(&found[0], Edit::Add(_, Tree::Leaf(_))));
    }
}

#[test]
fn long_lists_are_compared_within_bounds() {
    let list = |from: u32| {
        let items: Vec<String> = (from..from + 3_000).map(|n| n.to_string()).collect();
        doc(&format!("{{\"l\":[{}]}}", items.join(",")))
    };
    let (one, two) = (list(0), list(5_000));
    let found = edits(one.root(), two.root()).unwrap();
    assert_eq!(found.len(), 3_000);
    let (lines, more) = lines(one.root(), two.root()).unwrap();
    assert!(more && lines.len() == charting::diff::LINES_MAX);
}
