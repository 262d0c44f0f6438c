//! Any text may come as a query: it is read or refused, never a panic.

use base::{Limits, Millis};
use fhir::definitions::r4;
use proptest::prelude::*;
use search::fold::fold;
use search::parse::{Level, Options, decode_query, encode_query, parse};

fn options(lenient: bool) -> Options {
    Options {
        lenient,
        limits: Limits::default(),
        now: Millis(1_592_179_200_000),
        base_url: None,
        conditional: false,
    }
}

fn levels() -> impl Strategy<Value = Level> {
    let types: Vec<_> = r4().resource_types().map(|(of, _)| of).collect();
    let of = proptest::sample::select(types);
    prop_oneof![
        of.clone().prop_map(Level::Type),
        Just(Level::System),
        (of.clone(), of).prop_map(|(focus_type, of)| Level::Compartment {
            focus_type,
            id: "1".to_owned(),
            of: Some(of)
        }),
    ]
}

/// Names and values made of the pieces that mean something, so that deep paths are reached.
fn pieces() -> impl Strategy<Value = String> {
    let piece = proptest::sample::select(vec![
        "_has:",
        "Observation:",
        "patient",
        ":",
        ".",
        "subject",
        "Patient",
        "code",
        "name",
        "date",
        "_include",
        "_revinclude",
        "_sort",
        "_id",
        "_type",
        "_list",
        "_text",
        "missing",
        "exact",
        "code-value-quantity",
        "value-quantity",
        "identifier",
        "of-type",
        "=",
        "&",
        ",",
        "$",
        "|",
        "\\",
        "\\,",
        "*",
        "-",
        "ge",
        "ap",
        "2020",
        "-01",
        "T",
        "5.4",
        "e9",
        "true",
        "%2",
        "%C3%A4",
        "+",
        "http://x.example/",
        "/",
        "urn:",
        "1",
        "ä",
        "\u{0}",
        "_count",
        "_elements",
    ]);
    proptest::collection::vec(piece, 0..14).prop_map(|p| p.concat())
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn pieces_never_panic(level in levels(), text in pieces(), lenient: bool) {
        if let Ok(pairs) = decode_query(&text) {
            let _read_or_refused = parse(&level, &pairs, &options(lenient));
        }
    }

    #[test]
    fn any_text_never_panics(level in levels(), text in any::<String>()) {
        if let Ok(pairs) = decode_query(&text) {
            let _read_or_refused = parse(&level, &pairs, &options(false));
        }
    }

    #[test]
    fn what_is_encoded_decodes_to_the_same(
        pairs in proptest::collection::vec((".{1,12}", any::<String>()), 0..6)
    ) {
        prop_assert_eq!(decode_query(&encode_query(&pairs)).unwrap(), pairs);
    }

    #[test]
    fn folding_is_done_once(text in any::<String>()) {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }
}
