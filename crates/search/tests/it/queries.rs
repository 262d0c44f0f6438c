//! Queries and what they are read as. `golden/queries.txt` holds both: a line beginning with `?` is a
//! query, the lines beneath it what it asks or why it is refused.
//! `UPDATE_GOLDEN=1 cargo test -p search` writes the answers anew.

use crate::show;
use base::{Limits, Millis};
use fhir::definitions::r4;
use search::parse::{Level, Options, decode_query, parse};

const GOLDEN: &str = include_str!("golden/queries.txt");

/// 2020-06-15T00:00:00Z
const NOW: Millis = Millis(1_592_179_200_000);

fn options() -> Options {
    Options {
        lenient: false,
        limits: Limits { search_values: 5, chain_hops: 3, ..Limits::default() },
        now: NOW,
        base_url: Some("https://here.example/fhir/".to_owned()),
        conditional: false,
        hidden: None,
    }
}

fn level(text: &str) -> Level {
    match text.split('/').collect::<Vec<_>>().as_slice() {
        ["*"] => Level::System,
        [of] => Level::Type(r4().resource_type(of).unwrap()),
        [focus, id, of] => Level::Compartment {
            focus_type: r4().resource_type(focus).unwrap(),
            id: (*id).to_owned(),
            of: r4().resource_type(of),
        },
        other => panic!("{other:?}"),
    }
}

fn answer(line: &str) -> Vec<String> {
    let (at, query) = line.split_once(' ').unwrap();
    let mut options = options();
    let mut query = query;
    if let Some(rest) = query.strip_prefix("(lenient) ") {
        (options.lenient, query) = (true, rest);
    }
    if let Some(rest) = query.strip_prefix("(condition) ") {
        (options.conditional, query) = (true, rest);
    }
    match decode_query(query).and_then(|pairs| parse(&level(at), &pairs, &options)) {
        Ok(search) => show::search(&search),
        Err(fault) => vec![format!("refused: {fault}")],
    }
}

#[test]
fn each_query_is_read_as_the_golden_text_says() {
    show::golden("queries.txt", GOLDEN, answer);
}

#[test]
fn no_refusal_repeats_a_value() {
    for query in [
        "name=Lovelace|",
        "birthdate=Lovelace",
        "_id:exact=Lovelace",
        "organization=Lovelace/1/2",
        "nonsense=Lovelace",
        "gender:in=Lovelace",
        "_count=Lovelace",
        "_elements=Lovelace",
        "_include=Lovelace",
        "general-practitioner:Lovelace.x=1",
        "_has:Lovelace:a:b=1",
        "_list=$Lovelace",
        "_type=Lovelace",
        "Ada Lovelace=1",
    ] {
        let pairs = decode_query(query).unwrap();
        if let Err(fault) = parse(&level("Patient"), &pairs, &options()) {
            let value = query.split_once('=').unwrap().1;
            if value == "Lovelace" || query.starts_with("Ada") {
                assert!(!fault.to_string().contains("Lovelace"), "{query}: {fault}");
            }
        }
    }
}

#[test]
fn the_self_link_keeps_names_and_values_in_order() {
    let pairs = decode_query("_count=9999&name=a%2Cb&_cursor=x&_sort=-birthdate").unwrap();
    let search = parse(&level("Patient"), &pairs, &options()).unwrap();
    let understood: Vec<_> =
        search.understood.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
    assert_eq!(understood, [("_count", "1000"), ("name", "a,b"), ("_sort", "-birthdate")]);
    assert_eq!(search.cursor.as_deref(), Some("x"));
}
