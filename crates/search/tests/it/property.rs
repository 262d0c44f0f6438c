//! Any text may come as a query and any JSON as a resource: it is read or refused, never a panic.

use base::{Limits, Millis};
use fhir::definitions::r4;
use fhir::json::Document;
use proptest::prelude::*;
use search::extract::extract;
use search::fold::fold;
use search::parse::{Level, Options, decode_query, encode_query, parse};

fn options(lenient: bool) -> Options {
    Options {
        lenient,
        limits: Limits::default(),
        now: Millis(1_592_179_200_000),
        base_url: None,
        conditional: false,
        hidden: None,
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

/// `PROPTEST_CASES` asks for more.
fn config() -> ProptestConfig {
    let default = ProptestConfig::default();
    ProptestConfig { cases: default.cases.max(2000), failure_persistence: None, ..default }
}

/// JSON of the members that conversions look at, in any order and of any shape.
fn json() -> impl Strategy<Value = String> {
    let leaf = proptest::sample::select(vec![
        "null",
        "true",
        "1",
        "-1e400",
        "5.40",
        "\"\"",
        "\"a|b\"",
        "\"Patient/1\"",
        "\"#c\"",
        "\"urn:uuid:1\"",
        "\"http://x.example/Patient/1/_history/2\"",
        "\"2020-02\"",
        "\"<\"",
        "\"\\u0000\\ud83d\\ude00\"",
        "\"phone\"",
        "\"depends-on\"",
        "\"Patient?a=b\"",
    ])
    .prop_map(str::to_owned);
    let key = proptest::sample::select(vec![
        "resourceType",
        "id",
        "meta",
        "tag",
        "profile",
        "identifier",
        "name",
        "family",
        "given",
        "telecom",
        "system",
        "value",
        "code",
        "coding",
        "text",
        "display",
        "type",
        "subject",
        "reference",
        "effectivePeriod",
        "effectiveTiming",
        "event",
        "repeat",
        "boundsPeriod",
        "start",
        "end",
        "valueQuantity",
        "component",
        "comparator",
        "unit",
        "low",
        "high",
        "onsetRange",
        "deceasedBoolean",
        "extension",
        "url",
        "valueString",
        "entry",
        "resource",
        "item",
        "answer",
        "relatedArtifact",
        "useContext",
        "valueCodeableConcept",
        "address",
        "line",
        "priceOverride",
    ]);
    leaf.prop_recursive(5, 64, 6, move |inner| {
        let members = proptest::collection::btree_map(key.clone(), inner.clone(), 0..6);
        prop_oneof![
            proptest::collection::vec(inner, 0..4).prop_map(|i| format!("[{}]", i.join(","))),
            members.prop_map(|m| {
                let all: Vec<String> = m.iter().map(|(k, v)| format!("\"{k}\":{v}")).collect();
                format!("{{{}}}", all.join(","))
            }),
        ]
    })
}

proptest! {
    #![proptest_config(config())]

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
    fn extraction_never_panics_and_repeats_nothing(level in levels(), text in json()) {
        let Level::Type(of) = level else { return Ok(()) };
        let document = Document::parse_text(text, &Limits::default());
        if let Ok(document) = document {
            let mut out = Vec::new();
            extract(document.root(), of, &mut out);
            for (n, entry) in out.iter().enumerate() {
                prop_assert!(!out[..n].contains(entry));
            }
        }
    }

    #[test]
    fn folding_is_done_once(text in any::<String>()) {
        let once = fold(&text);
        prop_assert_eq!(fold(&once), once);
    }
}
